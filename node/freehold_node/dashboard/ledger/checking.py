"""Checking everything, which takes as long as there is much of it: in the background, once at a time.

Spec: specs/node/dashboard.md#verify
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError

from ...api.messages import described

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of it; ``found`` is None where it could not be carried out, which ``error`` says."""

    at: str
    found: Document | None
    error: str = ""


class Checking:
    """The check that runs, and what came of the last one."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self.began = ""
        self.last: Checked | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self, check: Callable[[], Awaitable[Document]], *, now: str, done: Callable[[], None]) -> None:
        """Begin, if none runs.

        Args:
            check: What is awaited.
            now: The time, as a dateTime.
            done: Called at the end, whatever came of it.
        """
        if not self.is_running:
            self.began = now
            self._task = asyncio.create_task(self._run(check, now, done))

    async def _run(
        self, check: Callable[[], Awaitable[Document]], now: str, done: Callable[[], None]
    ) -> None:
        try:
            self.last = Checked(at=now, found=await check())
        except FreeholdError as error:
            self.last = Checked(at=now, found=None, error=error.code)
        except Exception as error:  # noqa: BLE001 - whatever it was, what an earlier check found is not its result
            _log.error("the check of everything failed: %s", described(error))
            self.last = Checked(at=now, found=None, error=FreeholdError.code)
        finally:
            # Whoever looks when they are told sees that it is over.
            asyncio.get_running_loop().call_soon(done)

    async def wait(self, seconds: float) -> None:
        """Wait until it is over, at most so long."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def close(self, _: web.Application) -> None:
        """Give up: the node is stopping."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


CHECKING: web.AppKey[Checking] = web.AppKey("checking", Checking)
