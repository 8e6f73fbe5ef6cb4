"""One thread with one event loop, in which those who know no asyncio let things be done."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")

_HEEDS_S: Final = 0.5
"""How long an interrupt goes unheard at most."""


class Background:
    """Runs what waits in a thread of its own while something is open there; any thread may ask."""

    def __init__(self, opened: AbstractAsyncContextManager[object]) -> None:
        """Prepare; the thread begins with ``start``.

        Args:
            opened: Entered when the thread begins and left before it ends, in that thread.
        """
        self._opened = opened
        # Reentrant: a forgotten generator may be collected, and so close itself, while the lock is held.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._failed: BaseException | None = None
        self._process = 0

    def start(self) -> None:
        """Begin; raises what opening raised.

        Raises:
            RuntimeError: It was begun before, or an event loop runs in this thread.
        """
        _refuse_event_loop()
        with self._lock:
            if self._thread is not None:
                raise RuntimeError("the vendor was opened before: make another")
            ready: Future[asyncio.AbstractEventLoop] = Future()
            # A daemon: who forgets to close is not kept from ending.
            self._thread = threading.Thread(
                target=self._serve, args=(ready,), name="freehold-vendor", daemon=True
            )
            self._thread.start()
            self._process = os.getpid()
            self._loop = ready.result()

    def stop(self) -> None:
        """Break off what is under way, close, and end the thread; again does nothing."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is None or os.getpid() != self._process:
                return  # a thread does not come along into a forked process
            loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()
        if self._failed is not None:
            raise self._failed

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns, or raise what it raises; whoever is interrupted breaks it off.

        Raises:
            RuntimeError: Nothing is open, or no more; or the caller must not wait, since an event loop runs in
                this thread.
        """
        future = self._submit(work, waits=True)
        try:
            return _result(future)
        except CancelledError:
            raise RuntimeError("the vendor was closed while this was under way") from None
        except BaseException:
            future.cancel()
            raise

    def each(self, source: AsyncIterator[T]) -> Generator[T, None, None]:
        """Yield what an asynchronous generator yields; it is closed when this is closed or forgotten."""
        try:
            while found := self.run(_next(source)):
                yield found[0]
        finally:
            # Without waiting: whoever forgets a generator may be anywhere, also in our own thread. Once all is
            # closed there is nothing to do, since a loop that ends closes its generators.
            if isinstance(source, AsyncGenerator):
                with suppress(RuntimeError):
                    self._submit(_close(source), waits=False)

    def _submit(self, work: Coroutine[Any, Any, T], *, waits: bool) -> Future[T]:
        try:
            if waits:
                _refuse_event_loop()
            with self._lock:
                return asyncio.run_coroutine_threadsafe(work, self._running())
        except BaseException:
            work.close()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the vendor is used outside its 'with'")
        if os.getpid() != self._process:
            raise RuntimeError("the vendor was opened before this process was forked: open it afterwards")
        return self._loop

    # In the thread

    def _serve(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._stay_open(ready))
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is the caller's to see
            if ready.done():
                self._failed = error
            else:
                ready.set_exception(error)

    async def _stay_open(self, ready: Future[asyncio.AbstractEventLoop]) -> None:
        async with self._opened:
            ready.set_result(asyncio.get_running_loop())
            await self._stop.wait()
            under_way = asyncio.all_tasks() - {asyncio.current_task()}
            for task in under_way:
                task.cancel()
            if under_way:
                await asyncio.wait(under_way)


def _result(future: Future[T]) -> T:
    """Wait for a result, looking up now and then.

    An interrupt that comes just before a thread begins to wait without end is not heard before the wait is over; on
    some platforms none is.
    """
    while True:
        try:
            return future.result(_HEEDS_S)
        except TimeoutError:
            if future.done():  # it may be the work's own
                return future.result()


def _refuse_event_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "this waits, and would stop the event loop that runs in this thread: use Vendor, or asyncio.to_thread"
    )


async def _next(source: AsyncIterator[T]) -> tuple[T, ...]:
    """Return the next in a tuple of one, or an empty one after the last."""
    async for found in source:
        return (found,)
    return ()


async def _close(source: AsyncGenerator[T, None]) -> None:
    await source.aclose()
