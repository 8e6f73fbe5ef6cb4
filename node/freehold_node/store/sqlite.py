"""The embedded store: one encrypted SQLite file, one writer thread with group commit, readers beside it.

Every unit of work is a savepoint in the transaction that the writer has open; all units that wait while one
transaction commits go together into the next, so many admissions share one sync of the write-ahead log.

What is deleted is gone from the file: freed space is overwritten with zeros (``secure_delete``), and the log,
in which earlier versions of pages stand, is copied back and cut off before the deletion is reported done. Where
a long read still needs the log, or the disk fails, that is tried again with every later write, when the store
closes, and when it opens.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import apsw
from freehold_protocol.errors import ConflictError, FreeholdError, StorageFullError, UnavailableError

from .sought import StoreSize
from .sql import SqlReader, SqlTransactor
from .sqlite_file import CHECKPOINT_PAGES, SqliteFile, copy_log_back, let_go, migrate
from .statement import Row
from .store import Reader, Transactor

T = TypeVar("T")
_log = logging.getLogger(__name__)

_GROUP: Final = 256
"""Units in one transaction, about: so that the first of them does not wait for ever."""
_GATHER_ROUNDS: Final = 16
"""How many rounds of the event loop a write waits at most for others to go with it."""


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
        self._file, self._now_us = SqliteFile(path, key, vfs=vfs), now_us
        self._writer = self._file.connect()
        try:
            migrate(self._writer)
            self._transactor = SqlTransactor(_execute_on(self._writer), self._writer.changes)
            # A crash may have come before what was deleted was gone.
            self._transactor.deleted = not copy_log_back(self._writer, cut_off=True)
            self._reader = self._file.connect()
        except BaseException:
            let_go(self._writer)
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
        self._log_pages = 0
        self._tells: list[Callable[[frozenset[str]], None]] = []
        self._writer.set_wal_hook(self._note_log)
        self._thread.start()

    def _note_log(self, _: apsw.Connection, __: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

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
            connection = self._local.connection = self._file.connect()
            self._scan_connections.append(connection)
        return _snapshot(connection, SqlReader(_execute_on(connection)), work)

    async def write(self, work: Callable[[Transactor], T]) -> T:
        """See ``Store.write``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        unit = _Unit(work=work, loop=loop, future=future)
        with self._handing:
            if self._closed:
                raise UnavailableError("the store is closed")
            gathered = self._gathered.setdefault(loop, [])
            gathered.append(unit)
            if len(gathered) == 1:
                loop.call_soon(self._hand_over, loop, 1, 1)
        return await future

    def _hand_over(self, loop: asyncio.AbstractEventLoop, known: int, rounds: int) -> None:
        """Hand the writer what came together, once a round of the loop has brought nothing more.

        So it commits together, and the writer's thread does not take the interpreter from requests that are
        still on their way.
        """
        with self._handing:
            gathered = self._gathered.get(loop, ())
            if not gathered:  # handed over when the store was closed
                return
            if len(gathered) > known and rounds < _GATHER_ROUNDS:
                loop.call_soon(self._hand_over, loop, len(gathered), rounds + 1)
            else:
                self._queue.put(self._gathered.pop(loop))

    def on_commit(self, tell: Callable[[frozenset[str]], None]) -> None:
        """See ``Store.on_commit``."""
        self._tells.append(tell)

    async def size(self) -> StoreSize:
        """See ``Store.size``."""
        if self._closed:
            raise UnavailableError("the store is closed")
        return self._file.size(self._reader)

    async def copy_to(self, path: Path) -> None:
        """Write the database as it stands in one snapshot into a new or empty file, under the same key.

        The copy has no free pages, so nothing that was deleted. Writes go on meanwhile.

        Raises:
            StorageFullError: There is no room.
            UnavailableError: It could not be written, or the store is closed.
        """
        if self._closed:
            raise UnavailableError("the store is closed")
        await asyncio.get_running_loop().run_in_executor(self._scans, self._copy, path)

    def _copy(self, path: Path) -> None:
        connection = self._file.connect()
        try:
            connection.execute("VACUUM INTO ?", (str(path),))
        except apsw.Error as error:
            raise _failure_of(error) from error
        finally:
            let_go(connection)

    async def close(self) -> None:
        """See ``Store.close``."""
        with self._handing:  # nothing may be handed over after the end of the queue
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
            try:
                connection.close()
            except apsw.Error as error:  # what is committed is durable, and the rest still has to be closed
                _log.warning("the database was not closed cleanly: %s", type(error).__name__)

    # The writer's thread

    def _write_loop(self) -> None:
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
            self._commit_group(group)
            if self._log_pages >= CHECKPOINT_PAGES:
                copy_log_back(self._writer, cut_off=False)
                self._log_pages = 0
            units = self._queue.get() if following is not None else None

    def _commit_group(self, group: list[_Unit]) -> None:
        connection, transactor = self._writer, self._transactor
        transactor.touched.clear()
        execute = connection.cursor().execute
        try:
            execute("BEGIN IMMEDIATE")
            for unit in group:
                _run_unit(execute, unit, transactor)
            transactor.set_setting("time_us", str(self._now_us()))
            execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of this group may count as done
            _log.error("a group of %d writes was not committed: %s", len(group), type(error).__name__)
            for unit in group:
                unit.result, unit.error = None, _failure_of(error)
            _roll_back(connection)
        if transactor.deleted:
            transactor.deleted = not copy_log_back(connection, cut_off=True)
        touched = frozenset(transactor.touched)
        for loop, units in _by_loop(group):
            try:
                loop.call_soon_threadsafe(self._deliver, units, touched)
            except RuntimeError:  # the loop is gone, and with it everyone who waits
                _log.warning("the result of %d writes found nobody waiting", len(units))

    def _deliver(self, units: list[_Unit], touched: frozenset[str]) -> None:
        """On the loop of who wrote: tell who listens, then let who waits go on."""
        for tell in self._tells:
            try:
                tell(touched)
            except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever for what is committed
                _log.error("those who listen were not told of a commit: %s", type(error).__name__)
        for unit in units:
            if unit.future.done():  # nobody waits any more
                continue
            if unit.error is not None:
                unit.future.set_exception(unit.error)
            else:
                unit.future.set_result(unit.result)


def _run_unit(execute: Callable[[str], object], unit: _Unit, transactor: SqlTransactor) -> None:
    """Run one unit in a savepoint. A failing database fails the group; anything else only the unit."""
    execute("SAVEPOINT unit")
    try:
        unit.result = unit.work(cast("Transactor", transactor))
    except BaseException as error:  # it goes to whoever waits; the writer goes on
        if isinstance(error, apsw.Error) and not isinstance(error, apsw.ConstraintError):
            raise
        execute("ROLLBACK TO unit")
        unit.error = _fault_of(error)
    execute("RELEASE unit")


def _fault_of(error: BaseException) -> BaseException:
    """Return what the one who waits for a unit is told by the error that ended it."""
    if isinstance(error, apsw.ConstraintError):
        return ConflictError("something that there can be only one of is there already")
    if isinstance(error, StopIteration):  # cannot be raised where somebody awaits
        return RuntimeError("a unit of work raised StopIteration")
    return error


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


def _execute_on(connection: apsw.Connection) -> Any:  # noqa: ANN401 - an Execute; apsw's types are wider
    cursor = connection.cursor()

    def execute(statement: str, values: Iterable[object] = ()) -> list[Row]:
        return cursor.execute(statement, tuple(values)).fetchall()

    return execute


def _snapshot(connection: apsw.Connection, reader: SqlReader, work: Callable[[Reader], T]) -> T:
    try:
        connection.execute("BEGIN")
        result = work(reader)
        connection.execute("COMMIT")
    except apsw.Error as error:
        raise UnavailableError(f"the database could not be read: {type(error).__name__}") from error
    finally:
        _roll_back(connection)
    return result
