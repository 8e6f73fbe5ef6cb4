"""The file of the embedded store: opened encrypted or not at all, brought up to date, and cleared of what was deleted.

Spec: specs/node/data-directory.md
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import apsw
from freehold_protocol.errors import ConflictError, UnavailableError

from .sought import StoreSize

_log = logging.getLogger(__name__)

SCHEMA: Final = 7
"""The newest schema this release knows."""
_CIPHER: Final = "chacha20"
"""ChaCha20-Poly1305 with page keys of its own; named, because the library's default may change one day."""
_PLAIN_HEADER: Final = b"SQLite format 3\0"
_ENCRYPTING: Final = "multipleciphers-"
"""What the name of an encrypting VFS begins with; the rest names the VFS that it writes through."""
_BUSY_MS: Final = 5000
_ERASE_MS: Final = 100
"""How long to wait for reads to let go of a log that has to be emptied; few take longer."""
_CACHE_KIB: Final = 4096
CHECKPOINT_PAGES: Final = 4000
"""16 MiB of log between checkpoints: a page that is written often is copied back once in that time."""


class SqliteFile:
    """Opens connections to one encrypted file."""

    def __init__(self, path: Path, key: bytes, *, vfs: str | None) -> None:
        """Take up path, key and VFS as SqliteStore does; opens nothing."""
        if len(key) != 32:
            raise ValueError("a database key has 32 bytes")
        self._path, self._key, self._vfs = path, key, vfs

    def connect(self) -> apsw.Connection:
        """Open a connection; the file is made if it is not there.

        Raises:
            ConflictError: The file is not encrypted or not under this key.
            UnavailableError: It cannot be opened or read, or this build cannot encrypt or keep a log.
        """
        self._refuse_plain()
        try:
            # As SQLite would make it, but for its owner's eyes only; the log takes its mode from it.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = apsw.Connection(str(self._path), vfs=self._vfs, statementcachesize=200)
        except (apsw.Error, OSError) as error:
            raise UnavailableError(f"the database cannot be opened: {error}") from error
        try:
            self._set_up(connection)
        except BaseException as error:
            let_go(connection)
            if isinstance(error, apsw.NotADBError):
                raise ConflictError("the database does not open with this key store's key") from None
            if isinstance(error, apsw.Error):
                raise UnavailableError(f"the database cannot be opened: {error}") from error
            raise
        return connection

    def _set_up(self, connection: apsw.Connection) -> None:
        # Under another one, the encrypting VFS does the file but not its log, and nothing would say so.
        outermost = (self._vfs or _ENCRYPTING, connection.vfsname("main") or "")
        if not all(name.startswith(_ENCRYPTING) for name in outermost):
            raise UnavailableError("this build or VFS of SQLite would not encrypt everything it writes")
        connection.pragma("cipher", _CIPHER)
        connection.pragma("key", "raw:" + self._key.hex())
        connection.set_busy_timeout(_BUSY_MS)
        # Without this, SQLite compiles a statement anew whenever its parameters change.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        if connection.pragma("journal_mode", "wal") != "wal":
            raise UnavailableError("the database cannot keep a write-ahead log where it is")
        connection.pragma("synchronous", "full")
        connection.pragma("secure_delete", "on")
        connection.pragma("temp_store", "memory")  # a temporary file would not be encrypted
        connection.pragma("cache_size", -_CACHE_KIB)
        connection.pragma("wal_autocheckpoint", 0)  # the store does it, when nobody waits for it

    def size(self, connection: apsw.Connection) -> StoreSize:
        """Return what the file and its log take, as a connection to it knows."""
        page = int(connection.pragma("page_size"))
        log = self._path.with_name(self._path.name + "-wal")
        return StoreSize(
            file=page * int(connection.pragma("page_count")),
            free=page * int(connection.pragma("freelist_count")),
            log=log.stat().st_size if log.exists() else 0,
        )

    def _refuse_plain(self) -> None:
        """Refuse a file that is not encrypted; for the second connection, one that the first has just made."""
        try:
            with self._path.open("rb") as file:
                plain = file.read(len(_PLAIN_HEADER)) == _PLAIN_HEADER
        except FileNotFoundError:
            return
        except OSError as error:
            raise UnavailableError(f"the database cannot be read: {error.strerror}") from error
        if plain:
            raise ConflictError("the database file is not encrypted; it is not opened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a database holds: its generation, records, and grants by state."""

    generation: int
    records: int
    grants: dict[str, int]


def check_copy(path: Path, key: bytes) -> Held:
    """Check a copy from end to end, bring its schema up to date, and return what it holds; it is one file after.

    Raises:
        ConflictError: It is not encrypted, not under this key, of a newer release, or damaged.
        UnavailableError: It cannot be opened or read.
    """
    connection = SqliteFile(path, key, vfs=None).connect()
    try:
        migrate(connection)
        if _rows(connection, "PRAGMA integrity_check(1)") != [("ok",)]:
            raise ConflictError("the database is damaged")
        [[records]] = _rows(connection, "SELECT count(*) FROM record")
        grants = _rows(connection, "SELECT state, count(*) FROM access_grant GROUP BY state")
        generation = _generation(connection)
    except apsw.CorruptError:
        raise ConflictError("the database is damaged") from None
    except apsw.Error as error:
        raise UnavailableError(f"the database cannot be read: {type(error).__name__}") from error
    finally:
        connection.close()  # copies the log back, and removes it
    return Held(generation=generation, records=records, grants=dict(grants))


def generation_in(path: Path, key: bytes) -> int:
    """Return the generation that a database has seen, and change nothing; 0 where it cannot be read."""
    try:
        connection = SqliteFile(path, key, vfs=None).connect()
    except (ConflictError, UnavailableError):
        return 0
    try:
        return _generation(connection)
    except (apsw.Error, ValueError):
        return 0
    finally:
        let_go(connection)


def is_opened_by(path: Path, key: bytes) -> bool:
    """Whether a database is encrypted under a key; changes nothing."""
    try:
        let_go(SqliteFile(path, key, vfs=None).connect())
    except ConflictError:
        return False
    return True


def _generation(connection: apsw.Connection) -> int:
    found = _rows(connection, "SELECT value FROM node WHERE name = 'generation'")
    return int(found[0][0]) if found else 0


def _rows(connection: apsw.Connection, statement: str) -> list[Any]:
    return connection.execute(statement).fetchall()


def migrate(connection: apsw.Connection) -> None:
    """Apply the numbered files that this database has not seen; each in a transaction of its own.

    Raises:
        ConflictError: The database is of a newer release, or not under this key.
        UnavailableError: It cannot be read or written.
    """
    try:
        version = int(connection.pragma("user_version"))
        if version > SCHEMA:
            raise ConflictError(
                f"the database is of schema {version}, this release knows {SCHEMA}: use a newer release"
            )
        folder = resources.files(__package__) / "migrations"
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            number = int(file.name.split("_")[0]) if file.name.endswith(".sql") else 0
            if number > version:
                with connection:
                    connection.execute(file.read_text("utf-8"))
                    connection.pragma("user_version", number)
    except apsw.NotADBError:
        raise ConflictError("the database does not open with this key store's key") from None
    except apsw.Error as error:
        raise UnavailableError(f"the database cannot be brought up to date: {error}") from error


def copy_log_back(connection: apsw.Connection, *, cut_off: bool) -> bool:
    """Copy the write-ahead log back into the file, as far as nobody reads from it any more.

    Args:
        connection: Outside a transaction.
        cut_off: Wait a little for who still reads, and cut the log off, so that nothing deleted is left in it.

    Returns:
        False if it could not be done, or the log not be cut off: then it has to be tried again.
    """
    mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if cut_off else apsw.SQLITE_CHECKPOINT_PASSIVE
    try:
        connection.set_busy_timeout(_ERASE_MS)
        connection.wal_checkpoint(mode=mode)
    except apsw.Error as error:
        _log.warning("the write-ahead log could not be copied back yet: %s", type(error).__name__)
        return False
    finally:
        connection.set_busy_timeout(_BUSY_MS)
    return True


def let_go(connection: apsw.Connection) -> None:
    """Close a connection and leave file and log as they are, for whoever can read them."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.close()
