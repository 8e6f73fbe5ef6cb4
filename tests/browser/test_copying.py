"""The buttons that copy: what they copy, that they say so, and that there are none where they could do nothing."""

from __future__ import annotations

import pytest
from axe_core import Axe
from browsing import Enter, Visitor, overflowing, screenshot
from harness import House

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.requirement("DSH-14")]
INVITE = "/my/requests"


async def invited(house: House, enter: Enter, *, javascript: bool = True) -> Visitor:
    person = await enter(house, javascript=javascript)
    await person.go(INVITE)
    await person.page.locator("#label").fill("Corner Shop")
    await person.page.get_by_role("button", name="Make a link").click()
    await person.page.locator("#link").wait_for()
    return person


async def test_a_link_is_copied_and_it_is_said(house: House, enter: Enter, axe: Axe) -> None:
    person = await invited(house, enter)
    page = person.page
    await person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy the link")
    await button.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("status").filter(has_text="Copied.").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == await page.locator("#link").input_value()
    assert await axe(page) == []
    assert await overflowing(page) == []
    await screenshot(page, "copied")
    await person.go("/my/settings/addresses")
    [origin] = house.node.config.origins
    await page.get_by_role("button", name=f"Copy {origin}").click()
    await page.get_by_role("status").filter(has_text="Copied.").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == origin


async def test_what_the_browser_refuses_is_said(house: House, enter: Enter) -> None:
    person = await invited(house, enter)
    await person.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    await person.page.get_by_role("button", name="Copy the link").click()
    await person.page.get_by_text("Your browser did not let this be copied").wait_for()


async def test_without_scripts_there_is_no_such_button(house: House, enter: Enter) -> None:
    person = await invited(house, enter, javascript=False)
    assert await person.page.get_by_role("button", name="Copy").count() == 0
    for path in ("/my/settings/addresses", "/my/settings/backup"):
        await person.go(path)
        assert await person.page.get_by_role("button", name="Copy").count() == 0
        assert await person.page.locator("[data-copy]").count() == 1
