"""Today: what waits, what is due, and who read what, in sentences that stay few however much was read."""

from __future__ import annotations

import pytest
from browse import Browser
from freehold_protocol.encoding import Document, format_time
from harness import ADA, PASSPHRASE, START_S, House, permission
from shop import COURIER

DELIVERY = permission("delivery", ["name", "address.postalCode"], recipients=[COURIER.did])
CONTACT = permission("contact", ["email"], purpose="dpv:Marketing")
_DAY_S = 86_400
HOSTILE = "<script>alert(1)</script>" + "x" * 70


@pytest.mark.requirement("DSH-75")
@pytest.mark.asyncio
async def test_a_new_node_says_what_to_begin_with(browser: Browser, house: House) -> None:
    page = await browser.get("/my/today")
    assert "Three things to begin with" in page.text
    assert {"/my/data/first", "/my/requests/invite", "/my/settings"} <= set(page.links.values())
    await house.import_file(ADA, me="1")
    assert "Three things" not in (await browser.get("/my/today")).text


@pytest.mark.requirement("DSH-76", "DSH-77")
@pytest.mark.asyncio
async def test_what_waits_and_what_is_due_stands_first(browser: Browser, house: House) -> None:
    await house.import_file(ADA, me="1")
    held = await house.relate([DELIVERY], name="Book Shop", days=3)
    path, _ = await house.ask(house.key(), [CONTACT], name=HOSTILE)
    page = await browser.get("/my/today")
    assert "What you gave Book Shop ends in 3 days" in page.text
    assert "asks to read something of yours" in page.text
    assert "<script>alert" not in page.html
    links = set(page.links.values())
    assert f"/my/relationships/{held.grant}" in links
    assert "/my/requests/" + path.rpartition("/")[2] in links
    assert house.clock is not None
    house.clock.advance(2 * _DAY_S)
    assert "Book Shop ends tomorrow" in (await browser.sign_in()).text


async def days(house: House) -> list[Document]:
    told: Document = await house.own("GET", "/today")
    assert told["complete"] is True
    return list(told["days"])


@pytest.mark.requirement("DSH-78", "HTTP-86")
@pytest.mark.asyncio
async def test_who_read_what_is_one_sentence_a_day_and_vendor(browser: Browser, house: House) -> None:
    assert house.clock is not None
    await house.import_file(ADA, me="1")
    books = await house.relate([DELIVERY, CONTACT], name="Book Shop")
    cheese = await house.relate([CONTACT], name="Cheese Shop")
    await books.contents("delivery")
    for held in (books, cheese):
        house.clock.advance(60)
        await held.contents("contact")
    courier = books.delegate(COURIER, path="/delivery")
    for _ in range(30):
        await courier.contents("delivery", "?fields=name")
    last = format_time(START_S + 120)
    [today] = await days(house)
    assert today["vendors"] == 2
    told = {one["vendor"]["name"]: one for one in today["reads"]}
    book = told["Book Shop"]
    assert (book["reads"], book["byPartners"], book["last"]) == (32, 30, last)
    assert set(book["fields"]) == {"name", "address.postalCode", "email"}
    assert (told["Cheese Shop"]["reads"], told["Cheese Shop"]["fields"]) == (1, ["email"])
    assert (book["always"], told["Cheese Shop"]["always"]) == ([], ["email"])
    page = await browser.get("/my/today")
    assert page.text.count("Book Shop read 32 times") == 1
    assert "Not every time all of it" in page.text
    assert "30 of these reads were by its partners." in page.text
    # A day later the first of them was yesterday; a week later they are no news.
    house.clock.advance(_DAY_S)
    assert "Yesterday" in (await browser.sign_in()).text
    house.clock.advance(6 * _DAY_S)
    assert await days(house) == []
    assert "Nobody read anything" in (await browser.sign_in()).text


@pytest.mark.requirement("DSH-78", "HTTP-86")
@pytest.mark.asyncio
async def test_what_not_every_read_had_is_told_apart(browser: Browser, house: House) -> None:
    await house.import_file(ADA, me="1")
    books = await house.relate([DELIVERY], name="Book Shop")
    for _ in range(2):
        await books.contents("delivery")
    [today] = await days(house)
    assert (
        set(today["reads"][0]["always"]) == set(today["reads"][0]["fields"]) == {"name", "address.postalCode"}
    )
    sentence = (await browser.get("/my/today")).text
    assert "Book Shop read your name and postcode 2 times" in sentence
    await books.contents("delivery", "?fields=name")
    [today] = await days(house)
    assert today["reads"][0]["always"] == ["name"]
    sentence = (await browser.get("/my/today")).text
    assert "Book Shop read 3 times" in sentence
    assert "each time your name, and sometimes your postcode." in sentence


@pytest.mark.requirement("DSH-79")
@pytest.mark.asyncio
async def test_refusals_and_changes_are_told_with_why(browser: Browser, house: House) -> None:
    await house.import_file(ADA, me="1")
    held = await house.relate([DELIVERY], name="Book Shop")
    for _ in range(3):
        assert (await held.get("/delivery/records?fields=birthDate")).code == "not-shared"
    await house.change(held.grant, "pause")
    assert (await held.get("/delivery/records")).code == "grant-paused"
    page = await browser.get("/my/today")
    assert "You paused Book Shop." in page.text
    assert page.text.count("Book Shop tried to read") == 2
    refusals = [href for text, href in page.links.items() if "tried to read" in text]
    assert all(href.startswith("/my/ledger") for href in refusals)
    parts = {given["id"] for _, given in page.tags if "data-live" in given}
    assert parts >= {"waiting-requests", "last-days"}


@pytest.mark.requirement("DSH-80")
@pytest.mark.asyncio
async def test_the_clock_is_confirmed_with_a_fresh_proof(browser: Browser, house: House) -> None:
    assert house.clock is not None
    house.clock.step_wall(-3600)
    page = await browser.get("/my/today")
    form = page.form("/my/today/clock")
    assert (await browser.submit(form, {"passphrase": "wrong"})).status == 403
    assert "That is not your passphrase" in (browser.seen.text if browser.seen else "")
    done = await browser.submit(form, {"passphrase": PASSPHRASE})
    assert (done.status, "doubts its clock" in done.text) == (200, False)
    assert "The clock is trusted again." in done.text
