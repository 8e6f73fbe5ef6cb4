"""The ledger's pages: the picture, every entry as a sentence, one with its proof, the check, and the file."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest
from browse import Browser, Seen
from freehold_node.dashboard.ledger.spans import part, query_of, ways, window_of
from freehold_protocol.bundle import verify_bundle
from freehold_protocol.encoding import format_time, parse_time
from harness import ADA, START_S, Held, House, permission
from shop import COURIER

DELIVERY = permission("delivery", ["name", "address.postalCode"], recipients=[COURIER.did])
CONTACT = permission("contact", ["email"], purpose="dpv:Marketing")
_DAY_S = 86_400


async def furnish(house: House) -> tuple[Held, Held]:
    """Two vendors: one read twice and was refused, the other's time began a day later and it read once."""
    assert house.clock is not None
    await house.import_file(ADA, me="1")
    books = await house.relate([DELIVERY, CONTACT], name="Book Shop")
    await books.contents("delivery")
    house.clock.advance(60)
    courier = books.delegate(COURIER, path="/delivery")
    await courier.contents("delivery", "?fields=name")
    assert (await books.get("/delivery/records?fields=birthDate")).code == "not-shared"
    cheese = await house.relate([CONTACT], name="Cheese Shop")
    house.clock.advance(60)
    await cheese.contents("contact")
    return books, cheese


def bars(page: Seen) -> list[str]:
    """Return where the bars of the picture lead."""
    named = [given["href"] for tag, given in page.tags if tag == "a" and "aria-label" in given]
    return [href for href in named if "from=" in href]


def sentences(page: Seen) -> list[str]:
    return [text for text, href in page.links.items() if href.rpartition("/")[2].isdigit()]


@pytest.mark.requirement("DSH-81")
@pytest.mark.asyncio
async def test_an_empty_ledger_says_what_will_be_in_it(browser: Browser) -> None:
    page = await browser.get("/my/ledger")
    assert (page.status, "Nothing has happened yet" in page.text) == (200, True)


@pytest.mark.requirement("DSH-81", "DSH-82")
@pytest.mark.asyncio
async def test_a_bar_leads_to_its_time_and_says_what_it_shows(browser: Browser, house: House) -> None:
    await furnish(house)
    page = await browser.get("/my/ledger")
    assert "given 3 times, refused once, 2 changes" in page.text
    assert set(sentences(page)) == {
        "Book Shop read your name and postal code.".replace("postal code", word_of(page)),
        "A partner of Book Shop read your name.",
        "Book Shop tried to read and was refused.",
        "Cheese Shop read your email.".replace("email", email_word(page)),
        "You said yes to Book Shop.",
        "You said yes to Cheese Shop.",
    }
    [bar] = bars(page)  # all of it was on one day
    day = await browser.get(bar)
    assert (day.status, len(bars(day))) == (200, 1)
    hour = await browser.get(bars(day)[0])
    assert "12:00 to 13:00" in hour.text
    assert len(bars(hour)) == 2
    assert "given 3 times, refused once, 2 changes" in hour.text
    for text, href in page.links.items():
        if text in ("Earlier", "Later", "More time", "Week", "All"):
            assert (await browser.get(href)).status == 200, text


def word_of(page: Seen) -> str:
    return "postcode" if "postcode" in page.text else "postal code"


def email_word(page: Seen) -> str:
    return "e-mail address" if "e-mail address" in page.text else "email"


FILTERS = [
    ({"kind": "read"}, 3),
    ({"kind": "refused"}, 1),
    ({"kind": "changed"}, 2),
    ({"field": "email"}, 1),
    ({"field": "address.postalCode"}, 1),
    ({"from": "2026-11-23", "to": "2026-11-23"}, 6),
    ({"to": "2026-11-22"}, 0),
    ({"from": "2026-11-24"}, 0),
    ({"span": "day"}, 6),
    ({"span": "all", "kind": "read", "field": "name"}, 2),
]


@pytest.mark.requirement("DSH-82")
@pytest.mark.asyncio
async def test_every_choice_narrows_the_picture_and_the_entries_alike(browser: Browser, house: House) -> None:
    books, cheese = await furnish(house)
    wanted = [*FILTERS, ({"vendor": books.grant}, 4), ({"vendor": cheese.grant, "kind": "read"}, 1)]
    for query, count in wanted:
        page = await browser.get("/my/ledger?" + urlencode(query))
        assert (page.status, len(sentences(page))) == (200, count), query
        form = page.form("/my/ledger", having="vendor")
        assert {name: form.fields[name] for name in query} == query or "span" in query


WRONG = [
    ({"from": "2026-13-01"}, "This is not a day."),
    ({"to": "yesterday, I think it was"}, "This is not a day."),
    ({"from": "0001-01-01"}, "This is not a day."),
    ({"from": "2026-11-23", "to": "2026-11-01"}, "The first day is after the last one."),
    ({"vendor": "7b9d2f6e-0000-4000-8000-000000000000"}, "This vendor is not among yours."),
    ({"field": "shoeSize"}, "You never gave anybody this."),
    ({"kind": "<script>alert(1)</script>"}, "There is nothing of that kind."),
    ({"span": "century"}, "There is no such length of time."),
    ({"after": "1.2.3"}, "The list you were in is another one now."),
]


@pytest.mark.requirement("DSH-83")
@pytest.mark.asyncio
async def test_what_cannot_be_sought_is_said_and_the_form_is_kept(browser: Browser, house: House) -> None:
    books, _ = await furnish(house)
    for wrong, says in WRONG:
        query = {"kind": "read", "vendor": books.grant, **wrong}
        page = await browser.get("/my/ledger?" + urlencode(query))
        assert page.status == 400, wrong
        assert says in page.text, wrong
        form = page.form("/my/ledger", having="vendor")
        for name in ("kind", "vendor"):
            assert name in wrong or form.fields[name] == query[name], wrong
        assert "<script>alert" not in page.html


@pytest.mark.requirement("DSH-82", "DSH-83")
@pytest.mark.asyncio
async def test_entries_come_fifty_at_a_time_and_a_place_is_of_one_list(
    browser: Browser, house: House
) -> None:
    await house.import_file(ADA, me="1")
    books = await house.relate([DELIVERY], name="Book Shop")
    for _ in range(60):
        await books.contents("delivery")
    first = await browser.get("/my/ledger?kind=read")
    assert first.html.count('class="event ') == 50
    following = first.links["Older"].partition("#")[0]
    second = await browser.get(following)
    assert second.html.count('class="event ') == 10
    assert second.links["To the newest"] == "/my/ledger?kind=read#entries"
    elsewhere = await browser.get(following.replace("kind=read", "kind=changed"))
    assert elsewhere.status == 400
    assert "another one now" in elsewhere.text


@pytest.mark.requirement("DSH-84", "HTTP-85")
@pytest.mark.asyncio
async def test_fields_that_were_given_once_can_still_be_sought(browser: Browser, house: House) -> None:
    books, _ = await furnish(house)
    choices = await house.own("GET", "/activity/choices")
    assert choices["fields"] == ["address.postalCode", "email", "name"]
    narrower = json.loads(json.dumps(DELIVERY))
    narrower["items"][0]["fields"] = ["name"]
    await house.change(books.grant, "narrow", [narrower])
    choices = await house.own("GET", "/activity/choices")
    assert choices["fields"] == ["address.postalCode", "email", "name"]
    assert [one["vendor"]["name"] for one in choices["grants"]] == ["Cheese Shop", "Book Shop"]
    assert parse_time(choices["first"]) == START_S
    assert len(sentences(await browser.get("/my/ledger?field=address.postalCode"))) == 1


@pytest.mark.requirement("DSH-85")
@pytest.mark.asyncio
async def test_an_entry_says_who_when_what_and_what_for_and_is_proved(browser: Browser, house: House) -> None:
    books, _ = await furnish(house)
    page = await browser.get(f"/my/ledger/{books.grant}/2")
    for says in (
        "A partner of Book Shop", "Name", "one record", "Number 2 in the ledger", "Nobody altered this entry",
        "Book Shop promises this", "Nobody vouches for this name",
    ):  # fmt: skip
        assert says in page.text, says
    proven = await house.own("GET", f"/grants/{books.grant}/ledger/2")
    assert (proven["number"], proven["size"], proven["entry"]["fields"]) == (2, 4, ["name"])
    assert proven["leaf"] in page.text
    for number in (0, 1, 3):
        assert (await browser.get(f"/my/ledger/{books.grant}/{number}")).status == 200
    for nothing in (
        f"{books.grant}/4",
        f"{books.grant}/99999999999999999",
        "7b9d2f6e-0000-4000-8000-000000000000/0",
    ):
        assert (await browser.get(f"/my/ledger/{nothing}")).status == 404


@pytest.mark.requirement("DSH-86")
@pytest.mark.asyncio
async def test_the_check_says_in_plain_words_what_it_found(browser: Browser, house: House) -> None:
    books, _ = await furnish(house)
    page = await browser.get("/my/ledger")
    done = await browser.submit(page.form("/my/ledger/check"))
    assert "Nothing was altered" in done.text
    assert "2 relationships, 6 entries, one record was checked." in done.text
    assert "What no seal can show is an entry that was never written" in done.text
    await alter(house, books.grant, 1)
    entry = await browser.get(f"/my/ledger/{books.grant}/1")
    assert "This entry was altered" in entry.text
    again = await browser.submit(done.form("/my/ledger/check"))
    assert "Something was altered" in again.text
    assert again.links["Book Shop, entry 1"] == f"/my/ledger/{books.grant}/1"
    assert "It is not what was written." in again.text


@pytest.mark.requirement("DSH-86")
@pytest.mark.asyncio
async def test_what_an_earlier_check_found_is_not_said_of_one_that_failed(
    browser: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(house)
    done = await browser.submit((await browser.get("/my/ledger")).form("/my/ledger/check"))
    assert "Nothing was altered" in done.text

    async def fail() -> None:
        raise RuntimeError("what nobody thought of")

    monkeypatch.setattr(house.node.audit, "check", fail)
    again = await browser.submit(done.form("/my/ledger/check"))
    assert "Nothing was altered" not in again.text
    assert "The check could not be finished" in again.text


async def alter(house: House, grant: str, number: int) -> None:
    """Write another body into the database, past what the node does."""

    def write(tx: Any) -> None:
        of = (grant, number)
        [[body]] = tx._execute("SELECT body FROM entry WHERE grant_id = ? AND n = ?", of)
        other = bytes(body).replace(b'"count":1', b'"count":2')
        assert other != body
        tx._execute("UPDATE entry SET body = ? WHERE grant_id = ? AND n = ?", (other, *of))

    await house.node.store.write(write)


@pytest.mark.requirement("DSH-88")
@pytest.mark.asyncio
async def test_the_file_verifies_without_the_node(browser: Browser, house: House) -> None:
    books, _ = await furnish(house)
    page = await browser.get(f"/my/ledger?vendor={books.grant}")
    name = f"ledger-{books.grant[:8]}.json"
    assert f"freehold verify {name}" in page.text
    file = await browser.get(page.links["Download the file"])
    assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    verdict = verify_bundle(json.loads(file.html))
    assert (verdict.status, len(json.loads(file.html)["entries"])) == ("intact", 4)


@pytest.mark.requirement("DSH-89")
@pytest.mark.asyncio
async def test_a_vendors_name_is_text_and_no_picture_grows_with_what_is_kept(
    browser: Browser, house: House
) -> None:
    assert house.clock is not None
    await house.import_file(ADA, me="1")
    names = [f'<svg onload="alert({n})">{"x" * 80}' for n in range(12)]
    vendors = [await house.relate([CONTACT], name=name) for name in names]
    for _ in range(60):
        house.clock.advance(1800)
        await vendors[0].contents("contact")
    await browser.sign_in()  # the session was over by then
    page = await browser.get("/my/ledger?span=week")
    assert "<svg onload" not in page.html
    assert len(bars(page)) <= 53
    assert page.html.count("strip-name") == 10
    assert len(page.html) < 200_000


# Which time is shown


def at(text: str) -> int:
    return parse_time(text)


NOW = at("2026-11-23T12:00:00Z")
FIRST = at("2026-11-03T09:00:00Z")


@pytest.mark.requirement("DSH-82")
@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ({"span": "day"}, 24), ({"span": "week"}, 28), ({}, 30), ({"span": "quarter"}, 13), ({"span": "year"}, 52),
        ({"span": "all"}, 42), ({"from": "2026-11-01", "to": "2026-11-01"}, 24), ({"from": "1990-01-02"}, 38),
        ({"from": "2026-11-01T10:00:00Z", "to": "2026-11-01T11:00:00Z"}, 30),
        ({"from": "2026-11-01T10:00:00Z", "to": "2026-11-01T10:00:07Z"}, 1),
        ({"from": "1990-01-02", "to": "8999-12-31"}, 53),
    ],
)  # fmt: skip
def test_a_time_is_shown_in_few_parts_that_cover_it(query: dict[str, str], parts: int) -> None:
    window = window_of(query, now_s=NOW, first_s=FIRST)
    assert window.count == parts
    assert part(window, 0)[0] == window.after_s
    assert part(window, window.count - 1)[1] == window.before_s
    assert all(part(window, n)[1] == part(window, n + 1)[0] for n in range(window.count - 1))
    around = ways(window, now_s=NOW, first_s=FIRST)
    for way in (around.earlier, around.later, around.out):
        if way is not None:
            window_of(way, now_s=NOW, first_s=FIRST)  # raises SpanError where a link would lead to nothing


def test_a_link_says_days_where_it_is_of_whole_ones() -> None:
    begin = at("2026-11-01T00:00:00Z")
    window = window_of({"from": "2026-11-01", "to": "2026-11-02"}, now_s=NOW, first_s=FIRST)
    assert query_of(window.after_s, window.before_s) == {"from": "2026-11-01", "to": "2026-11-02"}
    assert query_of(begin + 60, begin + 120) == {
        "from": format_time(begin + 60),
        "to": format_time(begin + 120),
    }
    assert date.fromisoformat(query_of(window.after_s, window.before_s)["from"]) == date(2026, 11, 1)
