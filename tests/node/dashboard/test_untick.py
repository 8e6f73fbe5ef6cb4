"""Unticking a box while the vendor reads as fast as it can: there is one entry before which every page has the field,
and after which none has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browse import Browser, open_browser
from harness import ADA, Held, House, open_house, permission

GONE = "telephone"
READERS = 3
EACH_SIDE = 20
"""Reads at least that are seen before the click, and after its answer."""


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


async def scene(house: House) -> Held:
    await house.import_file(ADA, me="Ada Example")
    return await house.relate([permission("delivery", ["givenName", GONE, "birthDate"])])


async def ledger(house: House, grant: str) -> list[Any]:
    entries: list[Any] = []
    while True:
        path = f"/grants/{grant}/ledger?first={len(entries)}&limit=500"
        found = (await house.own("GET", path))["entries"]
        if not found:
            return entries
        entries += [one["entry"] for one in found]


async def untick(browser: Browser, grant: str) -> tuple[float, float, str]:
    """Untick the box and save; return when that was sent, when the page came, and what the page says."""
    page = await browser.get(f"/my/relationships/{grant}")
    form = page.form(f"/my/relationships/{grant}/boxes")
    sent_s = time.perf_counter()
    done = await browser.submit(form, {f"give.delivery.1.{GONE}": None})
    return sent_s, time.perf_counter(), done.text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-42")
async def test_from_one_entry_on_the_field_is_gone(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house, open_browser(house) as browser:
        await browser.sign_in()
        held = await scene(house)
        async with reading(held) as loop:
            await loop.reach(EACH_SIDE)
            before = len(loop.pages)
            sent_s, answered_s, text = await untick(browser, held.grant)
            await loop.reach(len(loop.pages) + EACH_SIDE)
        entries = await ledger(house, held.grant)
        (changed,) = [one for one in entries if one["kind"] == "changed" and one["change"] == "narrow"]
        turn = changed["number"]
        assert f"entry {turn} of the ledger" in text
        # By the numbers of the entries, as the vendor got them with its pages ...
        assert {page.entry for page in loop.pages if page.has_field} == {
            page.entry for page in loop.pages if page.entry < turn
        }
        assert before <= sum(page.entry < turn for page in loop.pages) < len(loop.pages)
        # ... and as the ledger has it of every read: also of one whose page never came.
        for entry in entries:
            if entry["kind"] == "admitted":
                assert (GONE in entry["fields"]) == (entry["number"] < turn), entry
                assert (entry["version"] < changed["version"]) == (entry["number"] < turn), entry
        # Whoever asks after the answer came is bound by it.
        assert not [page for page in loop.pages if page.asked_s > answered_s and page.has_field]
        first_s = min(page.came_s for page in loop.pages if not page.has_field)
        reads = len(loop.pages)
        print(
            f"\n{reads} reads by {READERS} loops; the field is gone from entry {turn} on;"
            f" from the click to the first page without it {1000 * (first_s - sent_s):.1f} ms,"
            f" to the page that says so {1000 * (answered_s - sent_s):.1f} ms"
        )
