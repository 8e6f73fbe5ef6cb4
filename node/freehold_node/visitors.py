"""Who waits for an answer of a node: the owner's tools, and a node that stops does not leave them without one.

They share the lock of a file in the data directory, and the node takes it alone at its end.

Spec: specs/node/data-directory.md#session
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_VISITORS: Final = "visitors"
_MOST: Final = 2**16
"""Windows locks bytes, and shares none: each process has one of its own there, and the node takes all of them."""


def expect_visitors(folder: Path) -> None:
    """Make the file whose lock visitors share; before anybody can know of a node in this data directory."""
    os.close(os.open(folder / _VISITORS, os.O_RDWR | os.O_CREAT, 0o600))


@contextmanager
def visiting(folder: Path) -> Iterator[bool]:
    """Have the node of a data directory not stop while the context lasts; gives False if it does so already.

    What is read of the session file within is so of a node that listens, unless it was killed.
    """
    try:
        handle = os.open(folder / _VISITORS, os.O_RDWR)
    except OSError:  # no node has listened here that waits for anybody
        yield True
        return
    try:
        yield _shares(handle)
    finally:
        os.close(handle)


@contextmanager
def leaving(folder: Path) -> Iterator[Callable[[], bool]]:
    """Give what tells whether nobody visits, and from then on lets nobody in while the context lasts."""
    handle = os.open(folder / _VISITORS, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield lambda: _takes_alone(handle)
    finally:
        os.close(handle)


def _shares(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(handle, os.getpid() % _MOST, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _takes_alone(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, _MOST)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
