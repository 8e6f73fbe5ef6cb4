"""Who has a page open and wants to hear that something is new."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web
from freehold_protocol.errors import UnavailableError

_MOST: Final = 50
_PAUSE_S: Final = 0.2
"""How long it takes what belongs together to come together: a page that looks again sees all of it."""


class Listener:
    """One open page; whether it was left without a word is asked of ``is_left``."""

    def __init__(self, is_left: Callable[[], bool]) -> None:
        self._stirred = asyncio.Event()
        self.is_left = is_left
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
    def listener(self, is_left: Callable[[], bool]) -> Iterator[Listener]:
        """Give a listener, and forget it at the end. Raises UnavailableError where too many are open.

        What serves a page that was left finds out when it next has something to say. Until then the page does not
        count: who leafs quickly leaves many.
        """
        if len(self._open) >= _MOST:
            self._close_left()
        if len(self._open) >= _MOST:
            raise UnavailableError("too many pages are open")
        listener = Listener(is_left)
        self._open.add(listener)
        try:
            yield listener
        finally:
            self._open.discard(listener)

    def committed(self, _: frozenset[str]) -> None:
        """Be told that something was written."""
        for listener in self._open:
            listener.stir()

    def _close_left(self) -> None:
        for listener in [one for one in self._open if one.is_left()]:
            listener.close()
            self._open.discard(listener)

    def close(self) -> None:
        """End all: the node is stopping."""
        for listener in self._open:
            listener.close()


LIVE: web.AppKey[Live] = web.AppKey("live", Live)
