"""The switch of the language beside what a person fills in: with the Enter key, and with several forms on a page."""

from __future__ import annotations

import pytest
from browsing import Enter
from harness import ADA, House, permission
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")
ASKED = [
    permission("delivery", ["name", "address.postalCode"], required=True),
    permission("news", ["email"], purpose="dpv:DirectMarketing"),
]


@pytest.mark.requirement("DSH-19")
async def test_the_enter_key_sends_the_form_and_leaves_the_language(house: House, enter: Enter) -> None:
    await house.import_file(ADA, me="ada@example.com")
    person = await enter(house)
    path, _ = await house.ask(house.key(), ASKED)
    await person.go(f"/my{path}")
    await person.page.locator("#until").press("Enter")
    await expect(person.page.locator("form[action$='/approve']")).to_be_visible()
    assert await person.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.requirement("DSH-18")
async def test_what_stands_in_the_other_forms_comes_along_too(house: House, enter: Enter) -> None:
    await house.import_file(ADA, me="ada@example.com")
    person = await enter(house)
    held = await house.relate(ASKED)
    await person.go(f"/my/relationships/{held.grant}")
    await person.page.locator("#until").fill("2026-12-01")
    await person.page.locator("label[for='give.news.1.email']").first.click()
    await person.page.locator("button[name='language']:visible").click()
    await expect(person.page.locator("html")).to_have_attribute("lang", "de")
    await expect(person.page.locator("#until")).to_have_value("2026-12-01")
    await expect(person.page.locator("[name='give.news.1.email']")).not_to_be_checked()
