"""The consent card in a real browser: keys, focus, what changes by itself, and pages that are not at an address."""

from __future__ import annotations

import pytest
from axe_core import Axe
from browsing import Enter, overflowing, screenshot
from harness import ADA, House, permission

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def ask(house: House, name: str = "Corner Shop") -> str:
    await house.import_file(ADA, me="ada@example.com")
    wishes = [
        permission("delivery", ["name", "birthDate"], required=True, recipients=["did:web:courier.example"]),
        permission("marketing", ["email"], purpose="dpv:DirectMarketing", limits={"reads": 10}),
    ]
    path, _ = await house.ask(house.key(), wishes, name=name)
    return "/my" + path


async def test_enter_in_a_field_looks_once_more_and_ticks_nothing(house: House, enter: Enter) -> None:
    path = await ask(house)
    person = await enter(house)
    await person.go(path)
    await person.page.locator("#until").fill("2026-12-01")
    await person.page.keyboard.press("Enter")
    await person.page.get_by_role("button", name="Allow this").wait_for()
    assert "10 December 1985" in await person.page.inner_text("main")


@pytest.mark.requirement("DSH-42")
async def test_what_is_wrong_has_the_focus_and_leads_to_the_field(house: House, enter: Enter) -> None:
    path = await ask(house)
    person = await enter(house, javascript=False)
    person.allow("status of 400")
    await person.go(path)
    await person.page.get_by_text("Let them read less often").nth(1).click()
    await person.page.locator("[name='give.2.1.1']").focus()
    await person.page.keyboard.press("Space")
    await person.page.locator("form#main-form").evaluate("form => form.noValidate = true")
    await person.page.locator("[id='reads.2']").fill("11")
    await person.page.get_by_role("button", name="Look at it once more").click()
    await person.page.locator("#problems:focus").wait_for()
    await person.page.get_by_role("link", name="this is more than they ask for").click()
    assert await person.page.locator("[id='reads.2']").is_visible()
    assert await person.page.locator("[id='reads.2']").get_attribute("aria-invalid") == "true"


@pytest.mark.requirement("DSH-42")
async def test_pages_that_a_form_leads_to(house: House, enter: Enter, axe: Axe) -> None:
    path = await ask(house, "</bdi><script>alert(1)</script> \u0415xample " + "W" * 80)
    person = await enter(house)
    person.allow("status of 400")
    page = person.page
    await person.go(path)
    await screenshot(page, "request-hostile")
    await page.get_by_role("button", name="Look at it once more").click()
    for name, there in (("review", "form[action$='/approve']"), ("problem", "#problems")):
        if name == "problem":
            await page.get_by_role("button", name="Change something").click()
            ticked = page.locator("#main-form input[name^='give.']:checked")
            await ticked.first.wait_for()
            while await ticked.count():
                await ticked.first.focus()
                await page.keyboard.press("Space")
            await page.get_by_role("button", name="Look at it once more").click()
        await page.locator(there).first.wait_for()
        await page.wait_for_load_state()
        assert await overflowing(page) == []
        assert await axe(page) == []
        await screenshot(page, f"request-{name}")


@pytest.mark.parametrize("looks_again", [True, False])
async def test_decided_elsewhere_shows_by_itself(house: House, enter: Enter, looks_again: bool) -> None:
    path = await ask(house)
    person = await enter(house)
    await person.go(path)
    if looks_again:
        await person.page.get_by_role("button", name="Look at it once more").click()
        await person.page.get_by_role("button", name="Allow this").wait_for()
    await house.own("POST", f"{path.removeprefix('/my')}/refuse", {})
    await person.page.get_by_text("You refused Corner Shop").wait_for()
