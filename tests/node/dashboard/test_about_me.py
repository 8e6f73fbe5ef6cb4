"""Which record is about the person: said on a page first, and proved, where somebody reads more by it."""

from __future__ import annotations

import pytest
from browse import Browser
from harness import ADA, PASSPHRASE, House
from shop import EVE, about_me


async def eve(house: House) -> str:
    """Have Ada, who is the person, and Eve, who is not; return the id of Eve's record."""
    await house.import_file(ADA, me="Ada Example")
    await house.import_file(EVE, name="eve.vcf")
    listed = (await house.own("GET", "/records"))["records"]
    found: str = next(one["id"] for one in listed if not one["self"])
    return found.removeprefix("urn:uuid:")


async def me(house: House) -> str:
    found: str = (await house.own("GET", "/status"))["self"]["label"]
    return found


@pytest.mark.requirement("DSH-46", "DSH-8", "HTTP-44")
@pytest.mark.asyncio
async def test_a_page_says_who_reads_more_and_takes_a_proof(house: House, browser: Browser) -> None:
    record = await eve(house)
    held = await house.relate([about_me("name", "email")], name="Lamp Shop")
    place = f"/my/data/records/{record}"
    page = await browser.get(place)
    assert not any(form.action.endswith("/self") for form in page.forms)
    page = await browser.get(page.links["This is me"])
    for said in ("Until now you are Ada Example", "Lamp Shop", "name, e-mail"):
        assert said.casefold() in page.text.casefold(), page.text
    form = page.form(f"{place}/self")
    assert "passphrase" in form.fields
    for passphrase, wrong in (("", False), ("not it", True)):
        seen = await browser.submit(form, {"passphrase": passphrase})
        assert (seen.status, "This is not your passphrase" in seen.text) == (403, wrong)
        assert await me(house) == "Ada Example"
    seen = await browser.submit(form, {"passphrase": PASSPHRASE})
    assert "this is you" in seen.text
    assert [one["name"] for one in await held.contents("me")] == ["Eve Other"]
    assert (await browser.get(f"{place}/self")).url.endswith(place)  # it is so already


@pytest.mark.requirement("DSH-46", "DSH-9")
@pytest.mark.asyncio
async def test_guessing_there_has_its_bound(house: House, browser: Browser) -> None:
    record = await eve(house)
    await house.relate([about_me("name")])
    form = (await browser.get(f"/my/data/records/{record}/self")).form(f"/my/data/records/{record}/self")
    seen = [await browser.submit(form, {"passphrase": "not it"}) for _ in range(6)]
    assert [one.status for one in seen] == [403] * 5 + [429]
    assert await me(house) == "Ada Example"


@pytest.mark.requirement("DSH-46")
@pytest.mark.asyncio
async def test_where_nobody_reads_more_it_is_done_at_once(house: House, browser: Browser) -> None:
    record = await eve(house)
    place = f"/my/data/records/{record}/self"
    assert "Nobody reads more by it" in (await browser.get(place)).text
    await browser.submit((await browser.get(f"/my/data/records/{record}")).form(place))
    assert await me(house) == "Eve Other"


@pytest.mark.requirement("DSH-46")
@pytest.mark.asyncio
async def test_the_first_data_takes_a_proof_where_somebody_reads_already(
    house: House, browser: Browser
) -> None:
    await eve(house)
    held = await house.relate([about_me("name")])
    own = (await house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
    await house.own("DELETE", f"/records/{own}")
    form = (await browser.get("/my/data/first")).form("/my/data/first")
    typed: dict[str, str | None] = {"name": "Mallory"}
    seen = await browser.submit(form, {**typed, "passphrase": "not it"})
    assert (seen.status, seen.form("/my/data/first").fields["name"]) == (403, "Mallory")
    assert (await house.own("GET", "/records/types"))["count"] == 1
    assert await held.contents("me") == []
    await browser.submit(form, {**typed, "passphrase": PASSPHRASE})
    assert [one["name"] for one in await held.contents("me")] == ["Mallory"]
