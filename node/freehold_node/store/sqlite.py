"""The embedded store: one encrypted SQLite file, one writer thread with group commit, readers beside it.

Every unit of work is a savepoint in the transaction that the writer has open; all units that wait while one
transaction commits go together into the next, so many admissions share one sync of the write-ahead log.

What is deleted is gone from the file: freed space is overwritten with zeros (``secure_delete``), and the log,
in which earlier versions of the pages stand, is copied back and emptied before the deletion is reported done.
If a long read still needs the log, or the disk fails, that is tried again with every later write, when the
store closes, and when it opens.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import apsw
from freehold_protocol.errors import ConflictError, FreeholdError, StorageFullError, UnavailableError

from .sql import Row, SqlReader, SqlTransactor
from .store import Reader, Transactor

T = TypeVar("T")
_log = logging.getLogger(__name__)

SCHEMA: Final = 1
"""The newest schema this release knows."""
_PLAIN_HEADER: Final = b"SQLite format 3\0"
_GROUP: Final = 256
"""Units in one transaction at most, so that the first of them does not wait for ever."""
_GATHER_ROUNDS: Final = 16
_CACHE_KIB: Final = 4096
_ENCRYPTING: Final = "multipleciphers-"
"""What the name of an encrypting VFS begins with; the rest names the VFS that it writes through."""
_BUSY_MS: Final = 5000
_ERASE_MS: Final = 100
"""How long a group waits for reads to let go of a log that has to be emptied; few take longer."""
_CHECKPOINT_PAGES: Final = 4000
"""16 MiB of log between checkpoints: a page that is written often is copied back once in that time."""


@dataclass(slots=True)
class _Unit:
    """One piece of work on its way through the writer."""

    work: Callable[[Transactor], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SqliteStore:
    """See ``Store``."""

    def __init__(self, path: Path, key: bytes, *, now_us: Callable[[], int], vfs: str | None = None) -> None:
        """Open the file, or make it, and bring its schema up to date.

        Args:
            path: The database file.
            key: 32 bytes, used as they are.
            now_us: The node's clock; its value is written with every group, so that it never runs back.
            vfs: Name of an SQLite VFS: ``multipleciphers-`` and the name of the one to write through.

        Raises:
            ConflictError: The file is not encrypted, not ours, or of a newer release; it is left as it is.
            UnavailableError: It cannot be opened or read.
        """
        if len(key) != 32:
            raise ValueError("a database key has 32 bytes")
        self._path, self._key, self._vfs, self._now_us = path, key, vfs, now_us
        self._writer = self._connect()
        try:
            _migrate(self._writer)
            self._reader = self._connect()
        except BaseException:
            _let_go(self._writer)
            raise
        self._read = SqlReader(_execute_on(self._reader))
        self._queue: queue.SimpleQueue[list[_Unit] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Unit]] = {}
        self._handing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._write_loop, name="freehold-writer", daemon=True)
        self._scans = ThreadPoolExecutor(max_workers=2, thread_name_prefix="freehold-scan")
        self._scan_connections: list[apsw.Connection] = []
        self._local = threading.local()
        self._thread.start()

    def _connect(self) -> apsw.Connection:
        self._refuse_plain()
        connection: apsw.Connection | None = None
        try:
            connection = apsw.Connection(str(self._path), vfs=self._vfs, statementcachesize=200)
            _check_encrypting(self._vfs or connection.vfsname("main") or "")
            connection.pragma("key", "raw:" + self._key.hex())
            connection.set_busy_timeout(_BUSY_MS)
            # Without this, SQLite compiles a statement anew whenever its parameters change.
            connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
            _set_up(connection)
        except BaseException as error:
            if connection is not None:
                _let_go(connection)
            if isinstance(error, apsw.NotADBError):
                raise ConflictError("the database does not open with this key store's key") from None
            if isinstance(error, apsw.Error):
                raise UnavailableError(f"the database cannot be opened: {error}") from error
            raise
        return connection

    def _refuse_plain(self) -> None:
        """Refuse a file that is not encrypted. Before the second connection it is one that was just made."""
        try:
            with self._path.open("rb") as file:
                plain = file.read(len(_PLAIN_HEADER)) == _PLAIN_HEADER
        except FileNotFoundError:
            return
        except OSError as error:
            raise UnavailableError(f"the database cannot be read: {error.strerror}") from error
        if plain:
            raise ConflictError("the database file is not encrypted; it is not opened")

    async def read(self, work: Callable[[Reader], T], *, long: bool = False) -> T:
        """See ``Store.read``. A short read runs at once: it costs less than handing it to a thread."""
        if self._closed:
            raise UnavailableError("the store is closed")
        if long:
            return await asyncio.get_running_loop().run_in_executor(self._scans, self._scan, work)
        return _snapshot(self._reader, self._read, work)

    def _scan(self, work: Callable[[Reader], T]) -> T:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            self._scan_connections.append(connection)
        return _snapshot(connection, SqlReader(_execute_on(connection)), work)

    async def write(self, work: Callable[[Transactor], T]) -> T:
        """See ``Store.write``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._handing:
            if self._closed:
                raise UnavailableError("the store is closed")
            if loop not in self._gathered:
                # Handed over when the loop has run all that is ready, so that what came together commits together,
                # and the writer's thread does not take the interpreter from requests that are still on their way.
                loop.call_soon(self._hand_over, loop)
            self._gathered.setdefault(loop, []).append(_Unit(work=work, loop=loop, future=future))
        return await future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._handing:
            if gathered := self._gathered.pop(loop, None):
                self._queue.put(gathered)

    async def close(self) -> None:
        """See ``Store.close``."""
        with self._handing:  # so that nothing is handed over after the end of the queue
            if self._closed:
                return
            self._closed = True
            for gathered in self._gathered.values():
                self._queue.put(gathered)
            self._gathered.clear()
            self._queue.put(None)
        await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._thread.join()
        self._scans.shutdown()
        for connection in (*self._scan_connections, self._reader, self._writer):
            connection.close()

    # The writer's thread

    def _write_loop(self) -> None:
        transactor = SqlTransactor(_execute_on(self._writer), self._writer.changes)
        units = self._queue.get()
        while units is not None:
            group = units
            following: list[_Unit] | None = []
            while following is not None and len(group) < _GROUP:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                group = group + (following or [])
            self._commit_group(group, transactor)
            units = self._queue.get() if following is not None else None

    def _commit_group(self, group: list[_Unit], transactor: SqlTransactor) -> None:
        connection = self._writer
        execute = connection.cursor().execute
        try:
            execute("BEGIN IMMEDIATE")
            for unit in group:
                _run_unit(execute, unit, transactor)
            transactor.set_setting("time_us", str(self._now_us()))
            execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of this group may count as done
            failure = _failure_of(error)
            _log.error("a group of %d writes was not committed: %s", len(group), type(error).__name__)
            for unit in group:
                unit.result, unit.error = None, failure
            _roll_back(connection)
        for loop, units in _by_loop(group):
            try:
                loop.call_soon_threadsafe(_deliver, units)
            except RuntimeError:  # the loop is gone, and with it everyone who waits
                _log.warning("the result of %d writes found nobody waiting", len(units))


def _run_unit(execute: Callable[[str], object], unit: _Unit, transactor: SqlTransactor) -> None:
    """Run one unit in a savepoint. A failing database fails the group; anything else only the unit."""
    execute("SAVEPOINT unit")
    try:
        unit.result = unit.work(cast("Transactor", transactor))
    except apsw.Error:
        raise
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for this unit
        execute("ROLLBACK TO unit")
        unit.error = error
    execute("RELEASE unit")


def _roll_back(connection: apsw.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except apsw.Error as error:
        _log.error("the transaction could not be rolled back: %s", type(error).__name__)


def _failure_of(error: Exception) -> FreeholdError:
    if isinstance(error, apsw.FullError):
        return StorageFullError("there is no room to write")
    return UnavailableError("the write was not committed")


def _by_loop(group: list[_Unit]) -> Iterable[tuple[asyncio.AbstractEventLoop, list[_Unit]]]:
    found: dict[asyncio.AbstractEventLoop, list[_Unit]] = {}
    for unit in group:
        found.setdefault(unit.loop, []).append(unit)
    return found.items()


def _deliver(units: list[_Unit]) -> None:
    for unit in units:
        if unit.future.done():  # nobody waits any more
            continue
        if unit.error is not None:
            unit.future.set_exception(unit.error)
        else:
            unit.future.set_result(unit.result)


def _execute_on(connection: apsw.Connection) -> Any:  # noqa: ANN401 - an Execute; apsw's types are wider
    cursor = connection.cursor()

    def execute(statement: str, values: Iterable[object] = ()) -> list[Row]:
        return cursor.execute(statement, tuple(values)).fetchall()

    return execute


def _snapshot(connection: apsw.Connection, reader: SqlReader, work: Callable[[Reader], T]) -> T:
    try:
        connection.execute("BEGIN")
        try:
            return work(reader)
        finally:
            connection.execute("COMMIT")
    except apsw.Error as error:
        raise UnavailableError(f"the database could not be read: {type(error).__name__}") from error


def _migrate(connection: apsw.Connection) -> None:
    """Apply the numbered files that this database has not seen; each in a transaction of its own."""
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
