"""Visits: what the shop knows of each browser. Each has a vendor session of its own, so that none sees another's."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Final

from ..access import Access
from ..client import Vendor
from ..errors import FreeholdError, RefusedError, UnavailableError, UnreachableError, VendorError
from ..identity import VendorIdentity
from ..pending import PendingRequest
from .reading import Before, code_of

MOST_VISITS: Final = 64
_AGAIN_S: Final = 3.0
"""Between two looks at a node that did not answer, or whose person paused."""


class News:
    """Tells all who wait that there is something to look at."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Wake who waits."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def since(self, count: int) -> int:
        """Wait until more was told than count; return how much."""
        while self.count <= count:
            await self._event.wait()
        return self.count


class Visit:
    """One browser's business with the shop, from asking to the end.

    Attributes:
        code: The short code to compare with the one on the person's screen.
        challenge: What only this browser was given, where it carries the request itself.
        access: What was approved.
        refused: The code with which asking ended without an approval; ``reason`` are the person's words.
        before: Which fields were shared when they were last read.
        parcel: The number under which the courier has what was handed to it.
        notice: A key of the texts, to be shown once.
        news: Told at each change.
        is_over: Whether nothing more will come.
        streams: How many pages listen.
    """

    def __init__(self, identity: VendorIdentity) -> None:
        self.vendor = Vendor(identity, allow_private_addresses=True)
        self.code = ""
        self.challenge: str | None = None
        self.access: Access | None = None
        self.refused: str | None = None
        self.reason: str | None = None
        self.before = Before()
        self.parcel: int | None = None
        self.notice: str | None = None
        self.news = News()
        self.is_over = False
        self.streams = 0
        self.one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def follow(self, pending: PendingRequest) -> None:
        """Wait for the decision on a request, and then for whatever changes."""
        if self._task is not None:
            self._task.cancel()
        self.code, self.refused, self.is_over = pending.code, None, False
        self._task = asyncio.create_task(self._follow(pending))

    async def settled(self, timeout_s: float) -> None:
        """Return when the person has decided, or after the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.access is None and self.refused is None:
                    await self.news.since(self.news.count)

    async def close(self) -> None:
        """Stop following, forget everything, and tell the pages that listen."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.is_over = True
        self.news.tell()
        await self.vendor.__aexit__(None, None, None)

    async def _follow(self, pending: PendingRequest) -> None:
        try:
            self.access = await self._decision(pending)
            self.news.tell()
            while True:
                async for _ in self.access.events():
                    self.news.tell()
                self.news.tell()
                if not await self._goes_on(self.access):
                    break
        except TimeoutError:  # what a browser carries is looked at once
            self.refused = "code-too-old"
        except RefusedError as error:
            self.refused, self.reason = "refused", error.reason
        except (FreeholdError, VendorError) as error:
            if self.access is None:
                self.refused = code_of(error)
        self.is_over = True
        self.news.tell()

    @staticmethod
    async def _decision(pending: PendingRequest) -> Access:
        while True:
            try:
                return await pending.decision()
            except (UnreachableError, UnavailableError):
                await asyncio.sleep(_AGAIN_S)

    @staticmethod
    async def _goes_on(access: Access) -> bool:
        """Wait while the grant is paused; return whether it is live again."""
        while (standing := access.standing) is not None and standing.state == "paused":
            await asyncio.sleep(_AGAIN_S)
            with suppress(UnreachableError, UnavailableError):
                await access.refresh()
        return standing is not None and standing.state == "live"


class Visits:
    """The visits of the last browsers that asked for something; who only looks around has none."""

    def __init__(self, identity: VendorIdentity, *, most: int = MOST_VISITS) -> None:
        self._identity, self._most = identity, most
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def find(self, visitor: str) -> Visit | None:
        """Return the visit of a visitor, if it has one."""
        if visitor in self._visits:
            self._visits.move_to_end(visitor)
        return self._visits.get(visitor)

    async def open(self) -> Visit:
        """Return a visit that is nobody's yet; to be put, or closed."""
        visit = Visit(self._identity)
        await visit.vendor.__aenter__()
        return visit

    async def put(self, visitor: str, visit: Visit) -> None:
        """Make it the visit of a visitor, in place of the one before; the one that was idle longest makes room."""
        closing = [self._visits.pop(visitor, None)]
        self._visits[visitor] = visit
        while len(self._visits) > self._most:
            closing.append(self._visits.popitem(last=False)[1])
        for one in closing:
            if one is not None:
                await one.close()

    async def end(self, visitor: str) -> None:
        """Forget a visit."""
        visit = self._visits.pop(visitor, None)
        if visit is not None:
            await visit.close()

    async def close(self) -> None:
        """Forget all."""
        for visitor in list(self._visits):
            await self.end(visitor)
