"""The data directory: made private, held by one process, written so that a crash leaves the old or the new.

Beside the key store and outside the database lives the ``generation``: a number that only rises, so that a
restored backup cannot bring back what was revoked since.

Spec: specs/node/data-directory.md
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from freehold_protocol.errors import ConflictError, MalformedError, NotFoundError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_GENERATION: Final = "generation"
_GENERATION_TEXT = re.compile(r"[1-9][0-9]{0,17}\n?\Z", re.ASCII)
_MAX_GENERATION: Final = 10**18 - 1
_LOCK: Final = "lock"
_LOCKED_BYTE: Final = 1024
"""Windows locks bytes, not files, and hides them from readers: so one past the text."""


def make_data_dir(folder: Path) -> None:
    """Make the data directory, readable by its owner only; one that exists keeps the mode it has.

    Raises:
        MalformedError: The path, or a part of it, is a file.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except (FileExistsError, NotADirectoryError):
        if not folder.is_dir():
            raise MalformedError(f"the data directory {folder} is a file, or lies under one") from None


def write_durably(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a file of mode 0600 that is there whole, and after power loss too, or not at all.

    Args:
        path: In a folder that exists.
        data: All of the file.
        overwrite: Replace a file of that name; if False, one that is there wins.

    Raises:
        ConflictError: The file is there and overwrite is False.
    """
    with written_durably(path, overwrite=overwrite) as file:
        file.write(data)


@contextmanager
def written_durably(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Give a file to write that is at its place once the context ends without an error; as write_durably.

    It can be read too, so that it is checked before it gets its name.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(handle)
        if overwrite:
            temporary.replace(path)
        else:
            _place_new(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _place_new(temporary: Path, path: Path) -> None:
    """Give the file its name in one step that fails where the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise ConflictError(f"{path.name} exists already and is never overwritten") from None
    except OSError:  # a file system without hard links; the lock on the data directory has to do
        if path.exists():
            raise ConflictError(f"{path.name} exists already and is never overwritten") from None
        temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    if sys.platform == "win32":  # cannot open a folder, and writes names through by itself
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """Return the file's bytes, at most max_bytes + 1 of them, so that a parser can refuse what is longer.

    Raises:
        NotFoundError: There is no such file.
    """
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except FileNotFoundError:
        raise NotFoundError(f"there is no {path.name} in the data directory") from None


def read_generation(folder: Path) -> int:
    """Return the generation, 1 or more.

    Raises:
        NotFoundError: It is missing. There is no default: a wrong one could revive what was revoked.
        MalformedError: The file holds something else.

    Spec: specs/node/data-directory.md#generation
    """
    data = read_bounded(folder / _GENERATION, 32)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if not _GENERATION_TEXT.match(text):
        raise MalformedError("the generation file does not hold a decimal number")
    return int(text)


def bump_generation(folder: Path, *, at_least: int = 1) -> int:
    """Raise the generation durably, from 0 where there is none yet, and return it.

    Args:
        folder: The data directory.
        at_least: The new value is not below this. Who restores to another machine passes Unix seconds, so
            that no number which the lost machine may have reached comes again.

    Raises:
        MalformedError: The file holds something else, or no greater number can be written.
    """
    if not 0 <= at_least <= _MAX_GENERATION:
        raise ValueError("a generation has at most 18 digits")
    try:
        before = read_generation(folder)
    except NotFoundError:
        before = 0
    generation = max(before + 1, at_least)
    if generation > _MAX_GENERATION:
        raise MalformedError("the generation is at its greatest value")
    write_durably(folder / _GENERATION, f"{generation}\n".encode(), overwrite=True)
    return generation


class DataDirLock:
    """Holds a data directory for one process, as a context manager; the system lets go if the process dies.

    The file stays when the lock is released: removing it would let two processes lock two files of one name.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _LOCK
        self._handle: int | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            ConflictError: Another process holds it, or another lock object of this one.
            NotFoundError: The data directory does not exist.
        """
        if self._handle is not None:
            raise ConflictError("this lock is held already")
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            raise NotFoundError(f"there is no data directory {self._path.parent}") from None
        try:
            _lock(handle)
        except (BlockingIOError, PermissionError):
            holder = _process_named_in(handle)
            os.close(handle)
            raise ConflictError(
                f"another Freehold process{holder} is using {self._path.parent}; stop it first"
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _process_named_in(handle: int) -> str:
    """Return " (number ...)" for the message, or nothing where the holder has not written its number yet."""
    os.lseek(handle, 0, os.SEEK_SET)
    text = os.read(handle, 16).strip()
    return f" (number {text.decode()})" if text.isdigit() else ""
