"""Files that wait to be imported, and imports that run: in memory, for a while, one for each session.

Spec: specs/node/dashboard.md#files
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError

from ...ambient import Ambient
from .to_import import Upload

KEPT_US: Final = 15 * 60 * 1_000_000
_MOST_KEPT: Final = 3


@dataclass(slots=True, kw_only=True)
class Job:
    """An import that runs beside the pages: how far it is, and at its end what it did or why it did not."""

    done: int = 0
    total: int = 0
    result: Document | None = None
    error: FreeholdError | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self.result is not None or self.error is not None

    def told(self, done: int, total: int) -> None:
        """Be told how far it is."""
        self.done, self.total = done, total

    async def run(self, work: Callable[[], Awaitable[Document]]) -> None:
        """Do the work, and note what came of it."""
        try:
            self.result = await work()
        except FreeholdError as error:
            self.error = error
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the person sees that it is over
            self.error = FreeholdError("the node failed; its log says more")


@dataclass(slots=True, kw_only=True)
class Held:
    """A file that waits to be imported, what was found in it, and the import once it began.

    ``id`` is of this file, and ``looks`` counts how often what is in it was found out, by one mapping or another.
    """

    id: str
    name: str
    data: bytes
    until_us: int
    looks: int = 0
    mapping: str | None = None
    preview: Document = field(default_factory=dict)
    job: Job | None = None

    @property
    def key(self) -> str:
        """What a page carries that shows what was found, so that nothing else is imported from it."""
        return f"{self.id}.{self.looks}"

    @property
    def is_running(self) -> bool:
        return self.job is not None and not self.job.is_over


class Uploads:
    """The files that wait, one for each session; for 15 minutes, and never on the disk."""

    def __init__(self, ambient: Ambient) -> None:
        self._ambient = ambient
        self._held: dict[str, Held] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def keep(self, session: str, upload: Upload) -> Held:
        """Keep a file for a session, in place of the one before."""
        self.drop(session)
        now_us = self._ambient.clock.now_us()
        held = Held(
            id=self._ambient.new_token(), name=upload.name, data=upload.data, until_us=now_us + KEPT_US
        )
        waiting = [one for one, other in self._held.items() if not other.is_running]
        for oldest in waiting[: max(0, len(waiting) - _MOST_KEPT + 1)]:
            self.drop(oldest)
        self._held[session] = held
        loop = asyncio.get_running_loop()
        self._timers[session] = loop.call_later(KEPT_US / 1_000_000, self._drop_old, session, held)
        return held

    def of(self, session: str) -> Held | None:
        """Return what a session has here; None if there is nothing any more."""
        held = self._held.get(session)
        if held is not None and not held.is_running and self._ambient.clock.now_us() >= held.until_us:
            self.drop(session)
            return None
        return held

    def _drop_old(self, session: str, held: Held) -> None:
        if self._held.get(session) is held and not held.is_running:
            self.drop(session)

    def drop(self, session: str | None) -> None:
        """Forget what a session has here, of all sessions for None; an import that runs goes on to its end."""
        for one in list(self._held) if session is None else [session]:
            self._held.pop(one, None)
            if timer := self._timers.pop(one, None):
                timer.cancel()

    def start(
        self, held: Held, job: Job, work: Callable[[], Awaitable[Document]], *, when_over: Callable[[], None]
    ) -> None:
        """Begin to import a file; at the end of that the file is forgotten, and what came of it is kept."""
        held.job = job

        async def run() -> None:
            try:
                await job.run(work)
            finally:
                held.data, held.preview = b"", {}
                held.until_us = self._ambient.clock.now_us() + KEPT_US
                when_over()

        job.task = asyncio.get_running_loop().create_task(run())
        self._running.add(job.task)
        job.task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Break off what runs: what is written stays, and the same file again goes on from there."""
        self.drop(None)
        for task in list(self._running):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


UPLOADS: web.AppKey[Uploads] = web.AppKey("uploads", Uploads)
