"""The consent card: what is shown, what is ticked, and that nothing but what was seen is granted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from browse import Browser, FormSeen, Seen, open_browser
from freehold_protocol.encoding import Document
from harness import PASSPHRASE, House, permission

pytestmark = [pytest.mark.asyncio, pytest.mark.with_ada]
HOSTILE = "</bdi><script>alert(1)</script>\" onmouseover='x' {{ 7*7 }}"


def wishes(house: House) -> list[Document]:
    return [
        permission(
            "delivery",
            ["name", "address.postalCode", "birthDate"],
            recipients=[house.key().did, "did:web:courier.example"],
            required=True,
            limits={"reads": 100, "rate": {"reads": 5, "per": "PT1H"}},
        ),
        permission("marketing", ["email", "taxID"], purpose="dpv:DirectMarketing"),
        permission("friends", ["name"], about="any", purpose="dpv:AcademicResearch", newRecords=True),
    ]


async def ask(house: House, asked: list[Document] | None = None, **more: Any) -> str:
    """Return the path of the page of a request that waits."""
    path, _ = await house.ask(house.key(), wishes(house) if asked is None else asked, **more)
    return "/my" + path


async def review(browser: Browser, path: str, changed: dict[str, str | None] | None = None) -> Seen:
    page = await browser.get(path)
    return await browser.submit(page.form(f"{path}/review"), changed)


async def allow(browser: Browser, path: str, page: Seen, passphrase: str | None = PASSPHRASE) -> Seen:
    given = {} if passphrase is None else {"passphrase": passphrase}
    return await browser.submit(page.form(f"{path}/approve"), given)


def ticks(form: FormSeen) -> set[str]:
    """Return the ticked boxes of what is asked; those of days beside them stand all ticked."""
    return {name for name, ticked in form.boxes.items() if ticked and not name.startswith("day.")}


async def state(house: House, path: str) -> Any:
    return await house.own("GET", path.removeprefix("/my"))


async def grants(house: House) -> list[Document]:
    listed: list[Document] = (await house.own("GET", "/grants"))["grants"]
    return listed


# The inbox


@pytest.mark.requirement("DSH-20")
async def test_the_inbox_shows_who_waits_and_what_was_decided(house: House, browser: Browser) -> None:
    page = await browser.get("/my/requests")
    assert "Nobody is waiting for an answer" in page.text
    first, second = await ask(house, name="First Shop"), await ask(house, name="Second Shop")
    await browser.submit((await browser.get(first)).form(f"{first}/refuse"))
    page = await browser.get("/my/requests")
    told = await state(house, second)
    assert page.text.index("Second Shop") < page.text.index("First Shop")
    assert f"Code {told['code']}" in page.text
    assert "Asks for: Deliver what you ordered; Send advertising to you" in page.text
    assert page.links["Second Shop"] == second
    refused = await browser.get("/my/requests?state=refused")
    assert "First Shop" in refused.text
    assert "Second Shop" not in refused.text


@pytest.mark.requirement("DSH-20")
async def test_many_requests_come_a_page_at_a_time(house: House, browser: Browser) -> None:
    assert house.clock is not None
    for number in range(23):
        house.clock.advance(1)
        await ask(house, wishes(house)[1:2], name=f"Shop {number:02}")
    page = await browser.get((await browser.get("/my/requests")).links["All 23 that wait"])
    names = [f"Shop {number:02}" for number in reversed(range(23))]
    assert [name for name in names if name in page.text] == names[:20]
    page = await browser.get(page.links["Next"])
    assert [name for name in names if name in page.text] == names[20:]


@pytest.mark.requirement("DSH-21")
async def test_an_invitation_is_made_and_shown_once(house: House, browser: Browser) -> None:
    form = (await browser.get("/my/requests")).form("/my/requests/invite")
    page = await browser.submit(form, {"label": "The <b>bakery"})
    assert "The <b>bakery" in page.text
    assert "The <b>bakery" not in page.html
    (url,) = [given["value"] for tag, given in page.tags if tag == "input" and given.get("id") == "link"]
    assert url.startswith(f"{house.base}/i/")
    bad = await browser.submit(form, {"label": " "})
    assert bad.status == 400
    assert "Write a name" in bad.text


# The card


@pytest.mark.requirement("DSH-23")
async def test_the_card_says_who_what_why_until_when_and_who_else(house: House, browser: Browser) -> None:
    path = await ask(house, name="Corner Shop")
    page, told = await browser.get(path), await state(house, path)
    for words in (
        "Corner Shop asks you",
        "Nobody vouches for this name",
        told["code"],
        "Deliver what you ordered",
        "You have: Ada Example",
        "You have nothing entered for this",
        "Of everybody in your address book (1 entry)",
        "Also what you add later",
        "They ask to read until 23 December 2026",
        "A partner without a name",
        "courier.example",
        "at most 100 times in all",
        "at most 5 times in one hour",
    ):
        assert words.replace(" ", "") in page.text.replace(" ", ""), words
    for technical in ("capability", "JSON-LD", "epoch", "ZCAP", "token"):
        assert technical not in page.text
    shown, _, details = page.html.partition("<details")
    assert "did:" not in shown
    assert "did:key" in details


@pytest.mark.requirement("DSH-16")
@pytest.mark.requirement("DSH-24")
async def test_what_is_promised_is_not_called_enforced(house: House, browser: Browser) -> None:
    path = await ask(house)
    for page in (await browser.get(path), await review(browser, path)):
        for block in page.html.split('<div class="rule ')[1:]:
            kept = "They use it only for this" in block.split("</div>")[0]
            assert block.startswith("rule-promised") == kept


@pytest.mark.requirement("DSH-25")
async def test_only_what_is_required_is_ticked_at_first(house: House, browser: Browser) -> None:
    path = await ask(house)
    form = (await browser.get(path)).form(f"{path}/review")
    ticked = ticks(form)
    assert ticked == {"give.1.1.1", "give.1.1.2", "give.1.1.3", "to.1.1", "to.1.2"}
    assert {one for one in form.boxes if not one.startswith("day.")} - ticked == {
        "give.2.1.1",
        "give.2.1.2",
        "give.3.1.1",
        "later.3.1",
    }
    assert not form.disabled


@pytest.mark.requirement("DSH-25")
async def test_a_link_from_elsewhere_ticks_nothing(house: House, browser: Browser) -> None:
    path = await ask(house)
    crafted = f"{path}?seen=1&give.2.1.1=1&give.3.1.1=1"
    for site in ("cross-site", "same-site"):
        seen = await browser.get(crafted, follow=False, headers={"Sec-Fetch-Site": site})
        assert (seen.status, seen.headers["Location"]) == (303, path)
    seen = await browser.get(
        f"/my/enter?then={crafted}", follow=False, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert seen.headers["Location"] == "/my/enter"


@pytest.mark.requirement("DSH-26")
async def test_less_can_be_given_than_is_required(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await review(browser, path, {"give.1.1.3": None, "to.1.1": None, "give.2.1.1": "1"})
    assert "says that it needs more than this" in page.text
    await allow(browser, path, page)
    (grant,) = await grants(house)
    delivery, marketing = grant["permissions"]
    assert delivery["items"][0]["fields"] == ["name", "address.postalCode"]
    assert delivery["recipients"] == ["did:web:courier.example"]
    assert marketing["items"][0]["fields"] == ["email"]


@pytest.mark.requirement("DSH-29")
async def test_a_button_ticks_only_what_the_purpose_needs(house: House, browser: Browser) -> None:
    path = await ask(house)
    form = (await browser.get(path)).form(f"{path}/review")
    page = await browser.submit(form, {"give.2.1.2": "1"}, button="do=serve.1")
    form = page.form(f"{path}/review")
    assert ticks(form) == {
        *("give.1.1.1", "give.1.1.2", "to.1.1", "to.1.2"),
        "give.2.1.2",
    }
    assert page.text.count("Not needed for this, as far as your node knows.") == 2
    assert (await state(house, path))["status"] == "waiting"


TIMES = [
    ({"until": "2026-12-01"}, "2026-12-01T"),
    ({"until": "2026-12-23"}, "2026-12-23T12:00:00Z"),
    ({"until": "2026-12-24"}, None),
    ({"until": "2026-11-22"}, None),
    ({"until": "2026-13-40"}, None),
    ({"until": "2026-12-01", "begin": "2026-12-02"}, None),
    ({"begin": "tomorrow"}, None),
    ({"reads.1": "101"}, None),
    ({"reads.1": "-1"}, None),
    ({"rate.1": "6"}, None),
]


@pytest.mark.requirement("DSH-30")
@pytest.mark.requirement("DSH-42")
@pytest.mark.parametrize(("written", "expected"), TIMES)
async def test_the_end_may_be_sooner_and_not_later(
    house: House, browser: Browser, written: dict[str, str | None], expected: str | None
) -> None:
    path = await ask(house)
    page = await review(browser, path, {**written, "give.2.1.1": "1"})
    if expected is None:
        assert page.status == 400
        assert "Something is not right yet" in page.text
        form = page.form(f"{path}/review")
        assert form.boxes["give.2.1.1"]
        assert {name: form.fields[name] for name in written} == written
        assert any(given.get("autofocus") == "" and given["id"] == "problems" for tag, given in page.tags)
        return
    await allow(browser, path, page)
    (grant,) = await grants(house)
    assert grant["expires"].startswith(expected)


@pytest.mark.requirement("DSH-30")
async def test_reading_may_be_rarer_and_begin_later(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await review(browser, path, {"reads.1": "7", "rate.1": "2", "begin": "2026-11-30"})
    assert "at most 7 times in all" in page.text
    await allow(browser, path, page)
    (grant,) = await grants(house)
    assert grant["permissions"][0]["limits"] == {"reads": 7, "rate": {"reads": 2, "per": "P1D"}}
    assert grant["notBefore"] > "2026-11-29"


async def test_nothing_ticked_is_no_yes(house: House, browser: Browser) -> None:
    path = await ask(house, wishes(house)[1:])
    page = await review(browser, path)
    assert page.status == 400
    assert "Nothing is ticked" in page.text


# The second look, and the decision


@pytest.mark.requirement("DSH-32")
async def test_the_review_shows_what_is_given_and_what_is_left_out(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await review(browser, path, {"give.2.1.1": "1", "give.3.1.1": "1", "later.3.1": None})
    given, _, left_out = page.text.partition("What you leave out")
    for words in ("Ada Example", "EX1 2AB", "10 December 1985", "ada@example.com", "of each of them"):
        assert words in given, words
    assert "Tax number" in left_out
    assert "What you add later" in left_out
    assert "Ada Example" not in left_out
    assert await grants(house) == []


@pytest.mark.requirement("DSH-33")
async def test_exactly_the_draft_that_was_seen_is_granted_and_once(house: House, browser: Browser) -> None:
    path = await ask(house)
    first = await review(browser, path)
    second = await review(browser, path, {"give.2.1.1": "1"})
    assert first.form(f"{path}/approve").fields["digest"] != second.form(f"{path}/approve").fields["digest"]
    done = await allow(browser, path, first)
    (grant,) = await grants(house)
    assert done.url.endswith(f"/my/relationships/{grant['id']}?said=approved")
    assert [one["name"] for one in grant["permissions"]] == ["delivery"]
    for page in (first, second):  # sent twice, and from another window
        again = await allow(browser, path, page, passphrase=None)
        assert again.status == 409
        assert "This was decided already" in again.text
        assert again.links["To this relationship"] == f"/my/relationships/{grant['id']}"
    assert len(await grants(house)) == 1


@pytest.mark.requirement("DSH-33")
async def test_a_digest_that_was_on_no_screen_grants_nothing(house: House, browser: Browser) -> None:
    path = await ask(house)
    other = await review(browser, await ask(house), {"give.2.1.1": "1"})
    digest = other.form(having="digest").fields["digest"]
    form = (await review(browser, path)).form(f"{path}/approve")
    for foreign in (digest, "A" * 43, ""):
        page = await browser.submit(form, {"digest": foreign, "passphrase": PASSPHRASE})
        assert page.status in (400, 409), foreign
    assert await grants(house) == []


@pytest.mark.requirement("DSH-33")
async def test_a_draft_of_more_than_an_hour_ago_is_looked_at_again(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await review(browser, path, {"give.2.1.1": "1"})
    assert house.clock is not None
    house.clock.advance(3_700)
    again = await allow(browser, path, page)
    assert again.status == 409
    assert "This is not what you saw before" in again.text
    assert await grants(house) == []
    await allow(browser, path, again, passphrase=None)
    (grant,) = await grants(house)
    assert [one["name"] for one in grant["permissions"]] == ["delivery", "marketing"]


@pytest.mark.requirement("DSH-34")
async def test_a_wrong_passphrase_keeps_the_ticks_and_grants_nothing(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await review(browser, path, {"give.2.1.1": "1"})
    for passphrase, status in (("wrong", 403), (None, 403)):
        page = await allow(browser, path, page, passphrase)
        assert page.status == status
        assert "ada@example.com" in page.text
    assert await grants(house) == []
    await allow(browser, path, page)
    assert len(await grants(house)) == 1
    other = await ask(house)
    fresh = await review(browser, other)
    assert "passphrase" not in fresh.form(f"{other}/approve").fields


async def test_change_something_brings_the_ticks_back(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await review(
        browser, path, {"give.2.1.1": "1", "to.1.1": None, "until": "2026-12-01", "reads.1": "3"}
    )
    form = (await browser.submit(page.form(f"{path}/review"), button="do=change")).form(f"{path}/review")
    ticked = ticks(form)
    assert ticked == {"give.1.1.1", "give.1.1.2", "give.1.1.3", "to.1.2", "give.2.1.1"}
    assert (form.fields["until"], form.fields["reads.1"]) == ("2026-12-01", "3")


@pytest.mark.requirement("DSH-35")
async def test_a_session_lost_half_way_grants_nothing_and_keeps_the_ticks(
    house: House, browser: Browser
) -> None:
    path = await ask(house)
    card = (await browser.get(path)).form(f"{path}/review")
    seen = await review(browser, path, {"give.2.1.1": "1", "give.1.1.3": None, "until": "2026-12-01"})
    await house.node.devices.sign_out_everywhere()
    for form, changed in (
        (card, {"give.2.1.1": "1", "give.1.1.3": None, "until": "2026-12-01"}),
        (seen.form(f"{path}/approve"), {"passphrase": PASSPHRASE}),
    ):
        lost = await browser.submit(form, changed)
        assert lost.status == 401
        back = await browser.submit(lost.form("/my/enter"), {"passphrase": PASSPHRASE})
        fields = back.form(f"{path}/review")
        ticked = ticks(fields)
        assert ticked == {"give.1.1.1", "give.1.1.2", "to.1.1", "to.1.2", "give.2.1.1"}
        assert fields.fields["until"] == "2026-12-01"
        assert PASSPHRASE.replace(" ", "+") not in back.url
        await house.node.devices.sign_out_everywhere()
    assert await grants(house) == []


@pytest.mark.requirement("DSH-36")
async def test_refusing_says_why_if_the_person_wants(house: House, browser: Browser) -> None:
    cases: tuple[tuple[dict[str, str], str | None], ...] = (
        ({}, None),
        ({"reason": "too_much"}, "You ask for more than you need"),
        ({"reason": "too_much", "reason_text": "No."}, "No."),
        ({"reason": "made-up"}, None),
    )
    for given, expected in cases:
        path = await ask(house)
        page = await browser.submit((await browser.get(path)).form(f"{path}/refuse"), dict(given))
        assert "You refused" in page.text
        assert (await state(house, path)).get("reason") == expected
    path = await ask(house)
    page = await browser.submit((await browser.get(path)).form(f"{path}/refuse"), {"reason_text": "a\u202eb"})
    assert page.status == 400
    assert (await state(house, path))["status"] == "waiting"


@pytest.mark.requirement("DSH-36")
async def test_to_look_decides_nothing(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await browser.get(path)
    assert page.links["Decide later"] == "/my/requests"
    await review(browser, path)
    await browser.get(f"{path}/review")
    assert (await state(house, path))["status"] == "waiting"


@pytest.mark.requirement("DSH-33")
async def test_decided_elsewhere_meanwhile(house: House, browser: Browser) -> None:
    path = await ask(house)
    card = (await browser.get(path)).form(f"{path}/review")
    page = await review(browser, path)
    await house.own("POST", f"{path.removeprefix('/my')}/refuse", {"reason": "by the command line"})
    for form, given in (
        (card, {}),
        (page.form(f"{path}/approve"), {"passphrase": PASSPHRASE}),
        ((page.form(f"{path}/review")), {}),
    ):
        seen = await browser.submit(form, given)
        assert seen.status == 409
        assert "by the command line" in seen.text
    refused = await browser.post(
        f"{path}/refuse", {"csrf": card.fields["csrf"], "here": path, "reason_text": "again"}
    )
    assert refused.status == 409
    assert await grants(house) == []


async def test_a_request_that_is_gone_is_said_to_be(browser: Browser) -> None:
    page = await browser.get("/my/requests/00000000-0000-4000-8000-000000000000")
    assert page.status == 404
    assert "There is nothing here" in page.text


async def test_two_at_once_grant_once(house: House, browser: Browser) -> None:
    path = await ask(house)
    page = await review(browser, path)
    form = page.form(f"{path}/approve")
    done = await asyncio.gather(
        *(browser.submit(form, {"passphrase": PASSPHRASE}, follow=False) for _ in range(3))
    )
    statuses = sorted(one.status for one in done)
    assert statuses[0] == 303
    assert set(statuses[1:]) <= {409, 429}  # only one passphrase is checked at a time
    assert len(await grants(house)) == 1


# Hostile requests


@pytest.mark.requirement("DSH-15")
@pytest.mark.requirement("DSH-37")
async def test_a_hostile_request_is_only_text(house: House, browser: Browser) -> None:
    asked = [
        permission("x", ["name"], where={"name": HOSTILE}, about="any"),
        permission("y", ["email"], where={"email": HOSTILE}),
    ]
    path = await ask(house, asked, name=HOSTILE)
    card = await browser.get(path)
    page = await browser.submit(card.form(f"{path}/review"), {"give.1.1.1": "1", "give.2.1.1": "1"})
    inbox = await browser.get("/my/requests")
    for seen in (card, page, inbox):
        assert "alert(1)" in seen.text
        assert "{{ 7*7 }}" in seen.text
        scripts = [given for tag, given in seen.tags if tag == "script"]
        assert all(given["src"].startswith("/my/static/") for given in scripts)
        assert not any("onmouseover" in given for _, given in seen.tags)


@pytest.mark.requirement("DSH-37")
async def test_the_largest_request_stays_a_page(house: House, browser: Browser) -> None:
    names = (
        *("name", "givenName", "familyName", "additionalName", "honorificPrefix", "honorificSuffix", "email"),
        *(
            "alternateName",
            "telephone",
            "faxNumber",
            "birthDate",
            "deathDate",
            "gender",
            "nationality",
            "height",
        ),
        *(
            "weight",
            "jobTitle",
            "roleName",
            "vatID",
            "taxID",
            "url",
            "image",
            "sameAs",
            "sku",
            "brand",
            "model",
        ),
        *("color", "price", "keywords"),
    )
    fields = [*names, *(f"address.{one}" for one in names), *(f"owns.{one}" for one in names)][:64]
    item = {"type": "Person", "about": "self", "fields": fields}
    asked = [
        {"name": f"p{n}", "items": [item] * 16, "purpose": ["dpv:DirectMarketing"], "retention": "P30D"}
        for n in range(13)  # with 16 the document is larger than any may be
    ]
    path = await ask(house, asked)
    page = await browser.get(path)
    assert page.status == 200
    assert len(page.html) < 200_000
    form = page.form(f"{path}/review")
    page = await browser.submit(form, {"give.1.1.1": "1"}, button="do=part.1")
    assert len(page.html) < 200_000
    form = page.form(f"{path}/review")
    assert "give.1.1.1" not in form.boxes
    other = next(iter(form.boxes))
    page = await browser.submit(form, {other: "1"})
    assert "Look at it once more" in page.text
    assert len(page.html) < 200_000
    await allow(browser, path, page)
    (grant,) = await grants(house)
    assert sum(len(item["fields"]) for one in grant["permissions"] for item in one["items"]) == 2
    # All of it is more than one screen can show, and so more than can be given.
    path = await ask(house, asked)
    every = {f"part.{number}.{place}": "f" * 16 for number in range(1, 14) for place in range(1, 17)}
    form = (await browser.get(path)).form(f"{path}/review")
    page = await browser.post(form.action, {**form.fields, **every})
    assert page.status == 400
    assert "does not fit on one page" in page.text
    assert len(page.html) < 200_000


@pytest.mark.requirement("DSH-37")
async def test_many_permissions_with_their_hours_stay_a_page(house: House, browser: Browser) -> None:
    dids = [f"did:web:{'courier' * 8}{n}.example" for n in range(32)]
    path = await ask(
        house, [permission(f"p{n}", ["name"], recipients=dids, required=True) for n in range(16)]
    )
    page = await browser.get(path)
    assert len(page.html) < 200_000
    changed = {
        f"day.{n}.Mo": None for n in range(1, 17) if f"day.{n}.Mo" in page.form(f"{path}/review").boxes
    }
    page = await browser.submit(page.form(f"{path}/review"), changed, button="do=part.1")
    assert len(page.html) < 200_000


@pytest.mark.requirement("DSH-22")
async def test_a_name_like_a_known_one_is_pointed_out(house: House, browser: Browser) -> None:
    path = await ask(house, name="Example Shop")
    assert "looks like" not in (await browser.get(path)).text
    await allow(browser, path, await review(browser, path))
    twin = await ask(house, name="Ex\u0430mple Shop")
    for page in (await browser.get(twin), await review(browser, twin)):
        assert "looks like “Example Shop”" in page.text
        assert "mixes letters of different alphabets" in page.text


async def test_it_is_said_in_german_too(house: House) -> None:
    path = await ask(house)
    async with open_browser(house, language="de") as german:
        await german.sign_in()
        card = await german.get(path)
        assert "Ihre Bestellung liefern" not in card.text
        assert "Deine Bestellung liefern" in card.text
        page = await german.submit(card.form(f"{path}/review"))
        assert "Was du weglässt" in page.text
        assert "Ada Example" in page.text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-20")
async def test_requests_of_a_state_are_found_by_name(house: House, browser: Browser) -> None:
    for name in ("Corner Shop", "Other & Shop"):
        await house.ask(house.key(), [permission("delivery", ["givenName"])], name=name)
    page = await browser.get("/my/requests?state=waiting")
    found = await browser.submit(page.form("/my/requests", having="q"), {"q": "other &"})
    assert "Other & Shop" in found.text
    assert "Corner Shop" not in found.text
    assert "Other & Shop" not in (await browser.get("/my/requests?state=waiting&q=nobody")).text
