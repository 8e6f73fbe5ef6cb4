"""How often and when a relationship may be read, and what is cut off for good."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browse import Browser, Seen
from freehold_node.dashboard.consent.hours import zone_here, zones
from freehold_node.dashboard.relationship.limits import LIMITS_SET, bounds_of, limited, names_of
from freehold_protocol.permission import all_within, read_permissions
from harness import PASSPHRASE, Held, House, permission
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.with_ada

OFFICE = {"days": ["Mo", "Tu", "We", "Th", "Fr"], "from": "08:00", "to": "18:00", "timeZone": "Europe/Berlin"}
ASKED = {"reads": 100, "rate": {"reads": 10, "per": "PT1H"}, "hours": OFFICE}
DELIVERY = permission("delivery", ["givenName", "email"])
NEWS = permission("news", ["email"], purpose="dpv:DirectMarketing", limits=ASKED)
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def page_of(held: Held) -> str:
    return f"/my/relationships/{held.grant}"


async def standing(house: House, held: Held) -> Any:
    return await house.own("GET", f"/grants/{held.grant}")


async def limits(house: House, held: Held) -> dict[str, Any]:
    return {one["name"]: one.get("limits", {}) for one in (await standing(house, held))["permissions"]}


async def save(browser: Browser, held: Held, **changed: str | None) -> Seen:
    page = await browser.get(f"{page_of(held)}/limits")
    return await browser.submit(page.form(f"{page_of(held)}/limits"), changed)


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-102")
async def test_the_page_shows_what_stands_and_what_was_asked(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY, NEWS])
    page = await browser.get(f"{page_of(held)}/limits")
    form = page.form(f"{page_of(held)}/limits")
    assert {name: form.fields[name] for name in ("reads.1", "rate.1", "from.1", "to.1")} == dict.fromkeys(
        ("reads.1", "rate.1", "from.1", "to.1"), ""
    )
    assert all(form.boxes[f"day.1.{day}"] for day in DAYS)
    assert (form.fields["reads.2"], form.fields["rate.2"], form.fields["from.2"]) == ("100", "10", "08:00")
    assert [day for day in DAYS if f"day.2.{day}" in form.boxes] == OFFICE["days"]
    assert "They asked for 100" in page.text
    assert "Europe/Berlin" in page.text
    assert len(page.html) < 200_000
    again = await browser.submit(form)
    assert "It stands like this already" in again.text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-102")
async def test_less_counts_at_once_without_a_proof(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY])
    done = await save(browser, held, **{"reads.1": "1"})
    assert "entry 1 of the ledger" in done.text
    assert await limits(house, held) == {"delivery": {"reads": 1}}
    assert (await held.get("/delivery/records")).status == 200
    assert (await held.get("/delivery/records")).status == 403


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-102")
async def test_days_and_hours_are_set_by_the_clock_of_a_place(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY])
    office = {"day.1.Sa": None, "day.1.Su": None, "from.1": "08:00", "to.1": "18:00", "zone": "Europe/Berlin"}
    await save(browser, held, **office)
    assert await limits(house, held) == {"delivery": {"hours": OFFICE}}
    page = await browser.get(page_of(held))
    assert "Mondays, Tuesdays, Wednesdays, Thursdays, Fridays" in page.text
    form = (await browser.get(f"{page_of(held)}/limits")).form(f"{page_of(held)}/limits")
    assert "zone" not in form.fields
    assert not form.boxes["day.1.Sa"]


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-102")
async def test_more_is_looked_at_first_and_takes_a_proof(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY, NEWS])
    await save(browser, held, **{"reads.2": "5", "day.2.Mo": None, "reads.1": "7"})
    review = await save(browser, held, **{"reads.2": "", "day.2.Mo": "yes", "reads.1": "6"})
    assert "At most 100 reads in all" in review.text
    assert (await limits(house, held))["news"]["reads"] == 5
    form = review.form(f"{page_of(held)}/review")
    wrong = await browser.submit(form, {"passphrase": "wrong"})
    assert wrong.status == 403
    assert "At most 100 reads in all" in wrong.text
    done = await browser.submit(wrong.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert done.status == 200
    assert await limits(house, held) == {"delivery": {"reads": 6}, "news": {**ASKED}}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-102")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reads.2": "101"}, "more than they asked for"),
        ({"rate.2": "11"}, "more than they asked for"),
        ({"reads.1": "0"}, "Write a whole number"),
        ({"reads.1": "1e3"}, "Write a whole number"),
        ({"from.1": "25:00"}, "Write an hour"),
        ({"from.1": "12:00", "to.1": "11:00"}, "later than the beginning"),
        ({"to.2": "19:00"}, "beyond those they asked for"),
        ({"from.1": "12:00", "zone": "Nowhere/Land"}, "Choose a place"),
        ({f"day.1.{day}": None for day in DAYS}, "Choose one day at least"),
    ],
)
async def test_what_does_not_fit_comes_back_as_it_was_typed(
    house: House, browser: Browser, changed: dict[str, str | None], said: str
) -> None:
    held = await house.relate([DELIVERY, NEWS])
    page = await save(browser, held, **changed)
    assert page.status == 422
    assert said in page.text
    form = page.form(f"{page_of(held)}/limits")
    assert all(form.fields.get(name) == value for name, value in changed.items() if name != "zone")
    assert (await standing(house, held))["version"] == 1


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-102")
async def test_another_version_or_another_field_changes_nothing(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY])
    form = (await browser.get(f"{page_of(held)}/limits")).form(f"{page_of(held)}/limits")
    assert (await browser.post(form.action, {**form.fields, "reads.2": "1"})).status == 400
    await house.change(held.grant, "pause")
    late = await browser.submit(form, {"reads.1": "3"})
    assert late.status == 412
    assert late.form(form.action).fields["reads.1"] == "3"
    assert await limits(house, held) == {"delivery": {}}
    await house.change(held.grant, "end")
    assert (await browser.submit(late.form(form.action), {"reads.1": "3"})).status == 409
    assert (await browser.get(f"{page_of(held)}/limits")).url.endswith(page_of(held))


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-102")
async def test_a_lost_session_leaves_what_was_typed(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY])
    form = (await browser.get(f"{page_of(held)}/limits")).form(f"{page_of(held)}/limits")
    await browser.post("/my/sign-out", {"csrf": form.fields["csrf"]})
    lost = await browser.submit(form, {"reads.1": "3", "day.1.Su": None})
    assert lost.status == 401
    back = await browser.submit(lost.form("/my/enter"), {"passphrase": PASSPHRASE})
    again = back.form(f"{page_of(held)}/limits")
    assert again.fields["reads.1"] == "3"
    assert not again.boxes["day.1.Su"]
    assert await limits(house, held) == {"delivery": {}}


@settings(max_examples=150, deadline=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(sorted(names_of(bounds_of(read_permissions([NEWS]), read_permissions([NEWS]))))),
        st.sampled_from(
            ["", "yes", "0", "1", "5", "10", "100", "101", "08:00", "09:30", "17:59", "18:00", "00:00", "x"]
        ),
    )
)
def test_no_fields_ever_mean_more_than_was_asked(fields: dict[str, str]) -> None:
    asked = read_permissions([NEWS])
    wanted = limited(fields, bounds_of(asked, asked))
    assert wanted.problems or all_within(wanted.permissions, asked)


def test_the_time_zone_of_this_computer_can_be_chosen() -> None:
    assert zone_here() in zones()
    assert LIMITS_SET in names_of(())


# What is cut off for good


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-103")
async def test_a_permission_is_taken_back_after_a_page_that_says_so(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY, NEWS])
    asking = await browser.get(f"{page_of(held)}/cut-off?permission=news")
    assert "You can tick this anew later" in asking.text
    done = await browser.submit(asking.form(f"{page_of(held)}/cut-off"))
    assert "not shared any more" in done.text
    assert set(await limits(house, held)) == {"delivery"}
    last = await browser.get(f"{page_of(held)}/cut-off?permission=delivery")
    assert "so the relationship ends" in last.text
    await browser.submit(last.form(f"{page_of(held)}/cut-off"))
    assert (await standing(house, held))["state"] == "ended"


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-103")
async def test_one_access_is_cut_off_and_the_partner_may_be_let_in_anew(
    house: House, browser: Browser
) -> None:
    courier = house.key()
    held = await house.relate([permission("delivery", ["givenName"], recipients=[courier.public.did])])
    partner = held.delegate(courier, path="/delivery")
    assert (await partner.get("/delivery/records")).status == 200
    [link] = (await standing(house, held))["links"]
    page = await browser.get(page_of(held))
    assert link["digest"][:8] not in page.html.partition("<details")[0]
    asking = await browser.get(page.links["Cut off this access"])
    assert "cut off the partner" in asking.text
    done = await browser.submit(asking.form(f"{page_of(held)}/cut-off"))
    assert "This is cut off" in done.text
    assert (await partner.get("/delivery/records")).code == "revoked"
    assert "Cut off this access" not in done.links
    assert "Cut off this partner" in done.links


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-103")
@pytest.mark.parametrize(
    "what", ["permission=nope", "partner=did:web:nobody.example", "access=z", "partner="]
)
async def test_what_there_is_not_cannot_be_cut_off(house: House, browser: Browser, what: str) -> None:
    held = await house.relate([DELIVERY])
    assert (await browser.get(f"{page_of(held)}/cut-off?{what}")).status == 404
    form = (await browser.get(f"{page_of(held)}/limits")).form(f"{page_of(held)}/limits")
    name, _, value = what.partition("=")
    sent = {"csrf": form.fields["csrf"], "here": page_of(held), name: value}
    assert (await browser.post(f"{page_of(held)}/cut-off", sent)).status == 404
    assert (await standing(house, held))["version"] == 1


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-104")
async def test_who_cannot_reach_the_old_address_is_given_a_file(house: House, browser: Browser) -> None:
    held = await house.relate([DELIVERY])
    assert "statements" not in (await browser.get(page_of(held))).html
    await house.own("POST", "/origins", {"origin": "https://node.example", "passphrase": PASSPHRASE})
    page = await browser.get(page_of(held))
    file = await browser.get(page.links["Download what they need to follow"])
    handed = json.loads(file.html)
    shown = await standing(house, held)
    assert handed == {"receipt": shown["receipt"], "statements": shown["statements"]}
    assert handed["statements"]
