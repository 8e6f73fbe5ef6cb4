"""Who has a page open and wants to hear that something is new."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web
from freehold_protocol.errors import UnavailableError

_MOST: Final = 50
_PAUSE_S: Final = 0.2
"""How long it takes what belongs together to come together: a page that looks again sees all of it."""


class Listener:
    """One open page."""

    def __init__(self) -> None:
        self._stirred = asyncio.Event()
        self.closed = False

    def stir(self) -> None:
        """Say that something is new."""
        self._stirred.set()

    def close(self) -> None:
        """Have it end."""
        self.closed = True
        self._stirred.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until something is new, at most so long; whether something is."""
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
                await asyncio.sleep(_PAUSE_S)
        except TimeoutError:
            return False
        self._stirred.clear()
        return True


class Live:
    """Every open page."""

    def __init__(self) -> None:
        self._open: set[Listener] = set()

    @contextmanager
    def listener(self) -> Iterator[Listener]:
        """Give a listener, and forget it at the end. Raises UnavailableError where too many are open."""
        if len(self._open) >= _MOST:
            raise UnavailableError("too many pages are open")
        listener = Listener()
        self._open.add(listener)
        try:
            yield listener
        finally:
            self._open.discard(listener)

    def committed(self, _: frozenset[str]) -> None:
        """Be told that something was written."""
        for listener in self._open:
            listener.stir()

    def close(self) -> None:
        """End all: the node is stopping."""
        for listener in self._open:
            listener.close()


LIVE: web.AppKey[Live] = web.AppKey("live", Live)
