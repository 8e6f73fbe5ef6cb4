"""Passkeys in a real browser, with Chromium's own virtual device."""

from __future__ import annotations

import pytest
from axe_core import Axe
from browsing import Enter, Visit, Visitor, address_of, overflowing, screenshot
from by_keyboard import by_keyboard
from harness import ADA, PASSPHRASE, House, permission
from passkeys import open_authenticator

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD = "/my/settings/devices/add"


async def add(person: Visitor) -> None:
    """Add a passkey, after the passphrase."""
    page = person.page
    await person.go(ADD)
    if await page.locator("#passphrase").count():
        await page.locator("#passphrase").fill(PASSPHRASE)
        await page.get_by_role("button", name="Go on").click()
    await page.get_by_label("What you call it").fill("My laptop")
    await page.get_by_role("button", name="Add the passkey").click()
    await page.get_by_text("The passkey was added").wait_for()


@pytest.mark.requirement("DSH-107", "DSH-108")
async def test_a_passkey_is_made_lets_in_and_approves(house: House, enter: Enter) -> None:
    assert house.clock
    await house.import_file(ADA, me="ada@example.com")
    path, _ = await house.ask(
        house.key(), [permission("delivery", ["name"], required=True)], name="Corner Shop"
    )
    person = await enter(house)
    page = person.page
    async with open_authenticator(page) as device:
        await add(person)
        assert len(await device.credentials()) == 1
        await page.locator("main").get_by_text("My laptop").first.wait_for()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.wait_for_url("**/my/today")
        house.clock.advance(5 * 60)  # the proof of signing in is not fresh any more
        await person.go("/my" + path)
        await page.get_by_role("button", name="Look at it once more").click()
        await page.get_by_role("button", name="Use your passkey").click()
        await page.get_by_text("Your node knows now that it is you").wait_for()
        assert await page.locator("input[type=password]").count() == 0
        assert await house.own("GET", "/grants") == {"grants": []}, "nothing is done before the form is sent"
        await page.get_by_role("button", name="Allow this").click()
        await page.get_by_text("Every read appears in your ledger").wait_for()
        assert len((await house.own("GET", "/grants"))["grants"]) == 1


@pytest.mark.requirement("DSH-108")
async def test_what_goes_wrong_is_said_and_the_passphrase_is_left(house: House, enter: Enter) -> None:
    assert house.clock
    person = await enter(house)
    person.allow("status of 403")
    page = person.page
    async with open_authenticator(page) as device:
        await add(person)
        await person.go(ADD)
        await page.get_by_role("button", name="Add the passkey").click()
        await page.get_by_text("This device has a passkey of your node already").wait_for()
        house.clock.advance(5 * 60)
        await page.get_by_role("button", name="Add the passkey").click()
        await page.get_by_text("wants to be sure again").wait_for()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await device.recognise(False)
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_text("No passkey was used").wait_for()
        await device.recognise(True)
        for row in await house.node.passkeys.listed():
            await house.node.devices.forget_passkey(row.id)
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_text("This node does not know that passkey").wait_for()
        await page.locator("#passphrase").fill(PASSPHRASE)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.wait_for_url("**/my/today")


@pytest.mark.requirement("DSH-111")
async def test_without_scripts_and_under_a_bare_address_the_passphrase_does_it(
    house: House, visit: Visit
) -> None:
    for base, javascript in (
        (address_of(house), False),
        (f"http://127.0.0.1:{house.node.config.port}", True),
    ):
        person = await visit(base, javascript=javascript)
        await person.go("/my/enter")
        assert await person.page.get_by_role("button", name="Sign in").count() == 1
        await person.page.locator("#passphrase").fill(PASSPHRASE)
        await person.page.get_by_role("button", name="Sign in").click()
        await person.page.wait_for_url("**/my/today")
        await person.go(ADD)
        assert await person.page.get_by_role("button", name="passkey").count() == 0


async def test_the_pages_that_a_form_leads_to(house: House, enter: Enter, axe: Axe) -> None:
    person = await enter(house)
    page = person.page

    async def judge(name: str) -> None:
        assert await axe(page) == [], name
        assert await by_keyboard(page) == [], name
        assert await overflowing(page) == [], name
        await screenshot(page, name)

    async with open_authenticator(page):
        await add(person)
    await judge("passkey-listed")
    await page.get_by_role("link", name="Remove").click()
    await page.get_by_text("You can add another at any time").wait_for()
    await judge("passkey-remove")
    await person.go(ADD)
    await page.get_by_role("button", name="Add the passkey").wait_for()
    await judge("passkey-add")
    await person.go("/my/settings/recovery")
    await page.get_by_role("button", name="Show the sheet").click()
    await page.locator(".sheet").wait_for()
    await judge("recovery-sheet")
