"""A vendor that reads as fast as it can, while something else happens: what it saw, by the entries of the ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from harness import ADA, Held, House, permission

GONE = "telephone"
"""The field that is unticked."""
READERS = 3


@dataclass(frozen=True, slots=True)
class Page:
    """One page that was read: its entry, whether it had the field, and when it was asked for and there."""

    entry: int
    has_field: bool
    asked_s: float
    came_s: float


@dataclass(slots=True)
class Loop:
    """A vendor that reads, one page after the other, until it is told to stop."""

    held: Held
    pages: list[Page] = field(default_factory=list)
    stopped: bool = False
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        while not self.stopped:
            asked_s = time.perf_counter()
            reply = await self.held.get("/delivery/records")
            assert reply.status == 200, reply.body
            (item,) = reply.json["items"]
            self.pages.append(Page(reply.entry, GONE in item, asked_s, time.perf_counter()))
            async with self._more:
                self._more.notify_all()

    async def reach(self, count: int) -> None:
        async with self._more:
            await self._more.wait_for(lambda: len(self.pages) >= count)


@asynccontextmanager
async def reading(held: Held) -> AsyncIterator[Loop]:
    loop = Loop(held)
    async with asyncio.TaskGroup() as group:
        for _ in range(READERS):
            group.create_task(loop.read())
        try:
            yield loop
        finally:
            loop.stopped = True


async def relate(house: House) -> Held:
    """Have a record, and a shop that may read three fields of it."""
    await house.import_file(ADA, me="Ada Example")
    return await house.relate([permission("delivery", ["givenName", GONE, "birthDate"])])


async def ledger(house: House, grant: str) -> list[Any]:
    """Return every entry of a grant's ledger."""
    entries: list[Any] = []
    while True:
        path = f"/grants/{grant}/ledger?first={len(entries)}&limit=500"
        found = (await house.own("GET", path))["entries"]
        if not found:
            return entries
        entries += [one["entry"] for one in found]


def turn_of(entries: list[Any], pages: list[Page]) -> int:
    """Return the number of the entry that took the field away, and check that it parts all reads: by numbers alone."""
    (changed,) = [one for one in entries if one["kind"] == "changed" and one["change"] == "narrow"]
    turn: int = changed["number"]
    # As the vendor got them with its pages ...
    assert [page for page in pages if page.has_field != (page.entry < turn)] == []
    assert {page.has_field for page in pages} == {True, False}
    # ... and as the ledger has it of every read: also of one whose page never came.
    admitted = [one for one in entries if one["kind"] == "admitted"]
    assert {page.entry for page in pages} <= {one["number"] for one in admitted}
    for one in admitted:
        assert (GONE in one["fields"]) == (one["number"] < turn), one
        assert (one["version"] < changed["version"]) == (one["number"] < turn), one
    return turn
