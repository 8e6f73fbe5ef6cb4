"""Put a backup in the place of a data directory's files: all of it, or nothing, whatever happens meanwhile.

What is to come is written beside what is there and checked from end to end. Then one name changes, and with it
everything is decided: who opens the directory next, this process or another after a crash, carries it through.

Spec: specs/node/backup.md#restoring
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from freehold_protocol.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    PassphraseError,
    UnsupportedError,
)

from .backup_file import (
    CONTEXTS,
    DATABASE,
    GENERATION,
    KEYSTORE,
    Header,
    Part,
    check_parts,
    read_header,
    read_part,
)
from .data_dir import DataDirLock, bump_generation, make_data_dir, read_generation, sync_folder
from .keystore import KEYSTORE_NAME, Keys, open_keys, open_keystore
from .store.sqlite_file import SCHEMA, Held, check_copy, generation_in

_STAGED: Final = "restoring.new"
_DECIDED: Final = "restoring"
_ASIDE: Final = "replaced"
_KEEP: Final = "keep"
_WITH_DATABASE: Final = (DATABASE + "-wal", DATABASE + "-shm")
_SESSION: Final = "session.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A backup that holds, and what it would meet in the data directory.

    Attributes:
        source: Its file.
        header: As it was read and checked.
        keys: Of the person whose node it is.
        replaces: Whether the directory has a database already.
        own_keystore: Whether the directory has a key store of the same keys, which it keeps: its passphrase is newer.
    """

    source: Path
    header: Header
    keys: Keys
    replaces: bool
    own_keystore: bool


def examine(source: Path, folder: Path, passphrase: str) -> Examined:
    """Read a backup from end to end, and compare it with the data directory; nothing is written.

    Args:
        source: The backup.
        folder: The data directory, which need not exist.
        passphrase: Opens the directory's key store if it has one, else the backup's.

    Raises:
        PassphraseError: The passphrase opens neither.
        MalformedError: It is no backup, or is damaged, cut off or altered.
        UnsupportedError: It is of another version.
        ConflictError: Its database is of a newer release, or the directory is another person's.
        UnavailableError: There is too little memory to derive the key.

    Spec: specs/node/backup.md#restoring
    """
    with source.open("rb") as file:
        header = read_header(file)
        keystore = b"".join(read_part(file, header.parts[0]))
        file.seek(len(header.to_bytes()))
        check_parts(file, header)
    own = _own_keys(folder, passphrase)
    keys = own or _keys_in(keystore, passphrase)
    try:
        header.check(keys.seed)
    except MalformedError:
        if own is None:
            raise
        raise ConflictError(
            f"the backup is not of the node in {folder}, or was altered; restore it into an empty directory"
        ) from None
    if header.schema > SCHEMA:
        raise ConflictError(
            f"the backup's database is of schema {header.schema}, this release knows {SCHEMA}: use a newer release"
        )
    replaces = (folder / DATABASE).exists()
    return Examined(source=source, header=header, keys=keys, replaces=replaces, own_keystore=own is not None)


def _own_keys(folder: Path, passphrase: str) -> Keys | None:
    """Return the keys of the directory; None where it has none, or a key store that is damaged."""
    try:
        return open_keystore(folder, passphrase)
    except (NotFoundError, MalformedError):
        return None
    except PassphraseError as error:
        raise PassphraseError(f"the key store that is in {folder} now does not open: {error}") from None


def _keys_in(keystore: bytes, passphrase: str) -> Keys:
    try:
        return open_keys(keystore, passphrase)
    except PassphraseError as error:
        raise PassphraseError(
            f"the backup does not open, which takes the passphrase of then: {error}"
        ) from None
    except UnsupportedError as error:
        raise UnsupportedError(f"the backup cannot be read: {error}") from None


def put_in_place(examined: Examined, folder: Path, *, now_s: int, keep: bool = False) -> Held:
    """Make the data directory what the backup says, under a generation above every one that is known.

    Args:
        examined: By examine, a moment ago.
        folder: The data directory; made if it does not exist.
        now_s: Unix seconds: above what a machine that is lost may have reached.
        keep: Leave what is replaced in a folder of its own beside it.

    Returns:
        What the restored database holds.

    Raises:
        ConflictError: Another process uses the directory, or the database does not hold after all.
        MalformedError: The backup was changed since it was examined.
        UnavailableError: The database cannot be opened.
    """
    make_data_dir(folder)
    with DataDirLock(folder):
        finish_restore(folder)
        staged = folder / _STAGED
        try:
            held = _stage(examined, folder, staged, now_s=now_s, keep=keep)
            staged.replace(folder / _DECIDED)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        sync_folder(folder)
        finish_restore(folder)
    return held


def _stage(examined: Examined, folder: Path, staged: Path, *, now_s: int, keep: bool) -> Held:
    """Write everything that is to come, and check it."""
    staged.mkdir(mode=0o700)
    with examined.source.open("rb") as file:
        if read_header(file) != examined.header:
            raise MalformedError("the backup was changed while it was read")
        for part in examined.header.parts:
            _write_part(file, part, staged)
    held = check_copy(staged / DATABASE, examined.keys.database_key)
    (staged / GENERATION).unlink()
    bump_generation(staged, at_least=_above(examined, folder, held, now_s))
    if examined.own_keystore:
        (staged / KEYSTORE).unlink()
    if keep:
        (staged / _KEEP).touch(mode=0o600)
    for path in sorted(staged.rglob("*"), reverse=True):  # what is in a folder before the folder
        sync_folder(path) if path.is_dir() else _sync_file(path)
    sync_folder(staged)
    return held


def _write_part(file: BinaryIO, part: Part, staged: Path) -> None:
    (staged / part.name).parent.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(staged / part.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as made:
        for piece in read_part(file, part):
            made.write(piece)


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _above(examined: Examined, folder: Path, held: Held, now_s: int) -> int:
    """Return a generation that nothing here has reached, nor a machine that is lost."""
    known = [now_s - 1, examined.header.generation, held.generation]
    with suppress(NotFoundError, MalformedError):
        known.append(read_generation(folder))
    if examined.replaces:
        known.append(generation_in(folder / DATABASE, examined.keys.database_key))
    return max(known) + 1


def finish_restore(folder: Path) -> bool:
    """Carry through a restore that was decided on and broken off; whoever calls this holds the lock.

    Returns:
        Whether there was one. Every step can be done again, so it does not matter where the last one ended.
    """
    shutil.rmtree(folder / _STAGED, ignore_errors=True)  # never decided on
    decided = folder / _DECIDED
    if not decided.is_dir():
        return False
    aside = decided / _ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    if (decided / DATABASE).exists():
        # Before the database: another one's log beside it would be taken for its own.
        for name in (*_WITH_DATABASE, _SESSION):
            _move(folder / name, aside / name)
        sync_folder(aside)
        sync_folder(folder)
    for name in (GENERATION, KEYSTORE_NAME, CONTEXTS, DATABASE):
        if (decided / name).exists():
            _move(folder / name, aside / name)
            (decided / name).replace(folder / name)
    sync_folder(folder)
    kept = folder / f"{_ASIDE}-{read_generation(folder)}"
    if (decided / _KEEP).exists() and not kept.exists():
        aside.replace(kept)
    shutil.rmtree(decided)
    sync_folder(folder)
    return True


def _move(path: Path, to: Path) -> None:
    with suppress(FileNotFoundError):
        path.replace(to)


def settle(folder: Path) -> None:
    """Carry through what an earlier process decided on, before anybody looks at the key store.

    Raises:
        ConflictError: Another process uses the directory; it does that itself.
    """
    if (folder / _DECIDED).is_dir():
        with DataDirLock(folder):
            finish_restore(folder)
