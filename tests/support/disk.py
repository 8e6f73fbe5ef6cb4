"""A disk that can be watched, can fail and can stall: an SQLite VFS below the encrypting one.

Below, because only then is everything encrypted that SQLite writes: put over the encrypting VFS it would see
plaintext, and so would the real disk in the write-ahead log.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import apsw

Action = Literal["read", "write", "sync", "truncate"]
Kind = Literal["db", "wal", "journal", "other"]
REAL: Final = "win32" if sys.platform == "win32" else "unix"
"""The system's own VFS, which encrypts nothing."""
_NUMBERS: Final = itertools.count(1)
_KEPT: Final[list[apsw.VFS]] = []
"""SQLite keeps pointers to a VFS that another is stacked over, so none is ever let go."""


@dataclass(slots=True)
class _Fault:
    """Raises what ``make`` makes, after that many times without."""

    make: Callable[[], Exception]
    after: int
    torn: bool


class Event(NamedTuple):
    """What was done, to which kind of file; ``detail`` is an offset, or what a test adds by itself."""

    action: str
    kind: str = ""
    detail: object = None


class Disk:
    """One VFS; ``name`` is what a store or a node is opened with.

    ``timeline`` has every write, sync and truncation when it has returned, in order over all threads;
    ``written`` every byte ever written, if asked to keep them.
    """

    def __init__(self, *, keep: bool = False) -> None:
        own = f"freehold-disk-{next(_NUMBERS)}"
        self.name = f"multipleciphers-{own}"
        self.timeline: list[Event] = []
        self.opened: list[tuple[Kind, str | None]] = []
        self.written: bytearray | None = bytearray() if keep else None
        self._faults: dict[tuple[Action, Kind], _Fault] = {}
        self._gate = threading.Event()
        self._gate.set()
        self.held = threading.Event()
        """Set while a sync of the write-ahead log stands still."""
        _KEPT.append(_Vfs(own, self))

    def fail(
        self, action: Action, kind: Kind, make: Callable[[], Exception], *, after: int = 0, torn: bool = False
    ) -> None:
        """Let this action on this kind of file fail until ``heal``; torn: half of what is written gets there."""
        self._faults[action, kind] = _Fault(make, after, torn)

    def heal(self) -> None:
        self._faults.clear()

    def hold(self) -> None:
        """Let syncs of the write-ahead log stand still until ``release``."""
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def note(self, action: str, detail: object = None) -> None:
        """Put something the disk does not see on the timeline."""
        self.timeline.append(Event(action, "", detail))

    def count(self, action: Action, kind: Kind) -> int:
        return sum((event.action, event.kind) == (action, kind) for event in self.timeline)

    def fault(self, action: Action, kind: Kind) -> _Fault | None:
        fault = self._faults.get((action, kind))
        if fault is None:
            return None
        fault.after -= 1
        return fault if fault.after < 0 else None

    def check(self, action: Action, kind: Kind) -> None:
        if fault := self.fault(action, kind):
            raise fault.make()

    def wait(self, kind: Kind) -> None:
        if kind == "wal" and not self._gate.is_set():
            self.held.set()
            if not self._gate.wait(30):
                raise apsw.IOError("a test never released the disk")
            self.held.clear()


class _Vfs(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, REAL)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802
        return _File(self._disk, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk, self._kind = disk, _kind_of(flags[0])
        disk.opened.append((self._kind, name.filename() if isinstance(name, apsw.URIFilename) else name))
        super().__init__(REAL, name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.check("read", self._kind)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if fault := self._disk.fault("write", self._kind):
            if fault.torn:
                super().xWrite(data[: len(data) // 2], offset)
            raise fault.make()
        super().xWrite(data, offset)
        if self._disk.written is not None:
            self._disk.written += data
        self._disk.timeline.append(Event("write", self._kind, offset))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.check("sync", self._kind)
        self._disk.wait(self._kind)
        super().xSync(flags)
        self._disk.timeline.append(Event("sync", self._kind))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.check("truncate", self._kind)
        super().xTruncate(size)
        self._disk.timeline.append(Event("truncate", self._kind, size))


def _kind_of(flags: int) -> Kind:
    if flags & apsw.SQLITE_OPEN_MAIN_DB:
        return "db"
    if flags & apsw.SQLITE_OPEN_WAL:
        return "wal"
    return "journal" if flags & apsw.SQLITE_OPEN_MAIN_JOURNAL else "other"


def broken() -> Exception:
    """What a broken disk answers."""
    return apsw.IOError("the disk is broken")


def full() -> Exception:
    """What a full disk answers."""
    return apsw.FullError("the disk is full")
