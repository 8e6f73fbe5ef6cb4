"""What must not be done twice, however often its form is sent: each such form carries a key of its own.

Spec: specs/node/dashboard.md#forms-sent-twice
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from freehold_protocol.errors import MalformedError

from ..ambient import Ambient

_MOST: Final = 500
_KEY_CHARS: Final = 64


class Once:
    """Where the forms of all sessions led that were sent lately; a restart forgets it."""

    def __init__(self, ambient: Ambient) -> None:
        self._ambient = ambient
        self._led: OrderedDict[tuple[str, str], asyncio.Future[str]] = OrderedDict()

    def new_key(self) -> str:
        """Return a key for a form that is about to be shown."""
        return self._ambient.new_token()

    async def do(self, session: str, key: str, work: Callable[[], Awaitable[str]]) -> str:
        """Do what a form asks for, unless it was sent before; return where that leads.

        What failed is forgotten, so that the same form can be sent again. What is under way goes on when whoever sent
        the form goes away; a second sender waits for it.

        Args:
            session: By its id.
            key: Of the form.
            work: Does it and returns a path.

        Raises:
            MalformedError: There is no key.
        """
        if not 0 < len(key) <= _KEY_CHARS:
            raise MalformedError("the form is not whole")
        place = (session, key)
        if place not in self._led:
            done = asyncio.ensure_future(work())
            self._led[place] = done
            done.add_done_callback(lambda one: self._forget_failed(place, one))
            while len(self._led) > _MOST:
                self._led.popitem(last=False)
        return await asyncio.shield(self._led[place])

    def _forget_failed(self, place: tuple[str, str], done: asyncio.Future[str]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._led.pop(place, None)


ONCE: web.AppKey[Once] = web.AppKey("once", Once)
