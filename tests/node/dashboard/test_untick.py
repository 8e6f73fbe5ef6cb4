"""Unticking a box while the vendor reads as fast as it can: there is one entry before which every page has the field,
and after which none has.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from browse import open_browser
from harness import open_house
from read_loop import GONE, READERS, ledger, reading, relate, turn_of

EACH_SIDE = 20
"""Reads at least that are seen before the click, and after its answer."""


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-92")
async def test_from_one_entry_on_the_field_is_gone(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house, open_browser(house) as browser:
        await browser.sign_in()
        held = await relate(house)
        path = f"/my/relationships/{held.grant}"
        async with reading(held) as loop:
            await loop.reach(EACH_SIDE)
            form = (await browser.get(path)).form(f"{path}/boxes")
            sent_s = time.perf_counter()
            done = await browser.submit(form, {f"give.delivery.1.{GONE}": None})
            answered_s = time.perf_counter()
            await loop.reach(len(loop.pages) + EACH_SIDE)
        turn = turn_of(await ledger(house, held.grant), loop.pages)
        assert f"entry {turn} of the ledger" in done.text
        # Whoever asks after the answer came is bound by it.
        assert not [page for page in loop.pages if page.asked_s > answered_s and page.has_field]
        first_s = min(page.came_s for page in loop.pages if not page.has_field)
        print(
            f"\n{len(loop.pages)} reads by {READERS} loops; the field is gone from entry {turn} on;"
            f" from the click to the first page without it {1000 * (first_s - sent_s):.1f} ms,"
            f" to the page that says so {1000 * (answered_s - sent_s):.1f} ms"
        )
