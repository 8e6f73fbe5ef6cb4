"""A relationship in a real browser: unticking a box under an open read loop, and a change from elsewhere meanwhile."""

from __future__ import annotations

import time
from typing import Any

import pytest
from axe_core import Axe
from browsing import Enter, screenshot
from harness import PASSPHRASE, House
from playwright.async_api import expect
from read_loop import GONE, READERS, ledger, reading, relate, turn_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
EACH_SIDE = 20
BOX = f"give.delivery.1.{GONE}"


@pytest.mark.parametrize("javascript", [True, False])
async def test_from_one_entry_on_the_field_is_gone(house: House, enter: Enter, *, javascript: bool) -> None:
    held = await relate(house)
    person = await enter(house, javascript=javascript)
    page = person.page
    await person.go(f"/my/relationships/{held.grant}")
    async with reading(held) as loop:
        await loop.reach(EACH_SIDE)
        await page.locator(f"label[for='{BOX}']").click()
        clicked_s = time.perf_counter()
        await page.locator("#boxes button").click()
        await expect(page.locator("#since")).to_be_visible()
        shown_s = time.perf_counter()
        await loop.reach(len(loop.pages) + EACH_SIDE)
    turn = turn_of(await ledger(house, held.grant), loop.pages)
    await expect(page.locator("#since")).to_contain_text(f"entry {turn} of the ledger")
    await expect(page.locator(f"[name='{BOX}']")).not_to_be_checked()
    first_s = min(one.came_s for one in loop.pages if not one.has_field)
    print(
        f"\n{len(loop.pages)} reads by {READERS} loops; the field is gone from entry {turn} on;"
        f" from the click to the first page without it {1000 * (first_s - clicked_s):.1f} ms,"
        f" to the page that says so {1000 * (shown_s - clicked_s):.1f} ms"
    )


async def test_a_change_from_elsewhere_is_told_and_the_ticks_stay(house: House, enter: Enter) -> None:
    held = await relate(house)
    person = await enter(house)
    page = person.page
    await person.go(f"/my/relationships/{held.grant}")
    await expect(page.locator("#boxes-changed")).to_be_hidden()
    await page.locator(f"label[for='{BOX}']").click()
    await held.contents("delivery")
    await expect(page.locator("#standing")).to_contain_text("1 in all")  # live, by itself
    await expect(page.locator("#boxes-changed")).to_be_hidden()
    await house.change(held.grant, "pause")
    await expect(page.locator("#standing")).to_contain_text("Paused")
    await expect(page.locator("#boxes-changed")).to_be_visible()
    await expect(page.locator(f"[name='{BOX}']")).not_to_be_checked()
    person.allow("status of 412")
    await page.locator("#boxes button").click()
    await screenshot(page, "relationship-stale.en")
    await expect(page.locator(".notice-error")).to_contain_text("changed in the meantime")
    await expect(page.locator(f"[name='{BOX}']")).not_to_be_checked()


async def test_more_is_given_after_a_look_by_keyboard_alone(house: House, enter: Enter, axe: Axe) -> None:
    held = await relate(house)
    await house.change(held.grant, "narrow", [_narrow(await house.own("GET", f"/grants/{held.grant}"))])
    person = await enter(house)
    page = person.page
    await person.go(f"/my/relationships/{held.grant}")
    await page.locator(f"[name='{BOX}']").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("more")
    assert await axe(page) == []
    await screenshot(page, "relationship-review.en")
    await page.locator("[name=passphrase]").focus()
    await page.keyboard.type(PASSPHRASE)
    await page.keyboard.press("Enter")
    await expect(page.locator("#since")).to_contain_text("May be read besides")
    assert await axe(page) == []
    await screenshot(page, "relationship-since.en")
    assert [GONE in one for one in await held.contents("delivery")] == [True]


def _narrow(told: Any) -> dict[str, Any]:
    permission = told["permissions"][0]
    item = permission["items"][0]
    return {**permission, "items": [{**item, "fields": [path for path in item["fields"] if path != GONE]}]}
