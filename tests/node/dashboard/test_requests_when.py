"""Days and hours on the consent card: offered, seen once more, and granted exactly so."""

from __future__ import annotations

import time
from typing import Any

import pytest
from browse import Browser
from freehold_node.dashboard.consent.choices import SEEN, local_day, read_choices, wanted
from freehold_protocol.encoding import parse_time
from freehold_protocol.permission import all_within, read_permissions
from harness import PASSPHRASE, House, permission
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.with_ada

OFFICE = {"days": ["Mo", "Tu", "We", "Th", "Fr"], "from": "08:00", "to": "18:00", "timeZone": "Europe/Berlin"}
DELIVERY = permission("delivery", ["name"], required=True)
NEWS = permission("news", ["email"], purpose="dpv:DirectMarketing", required=True, limits={"hours": OFFICE})
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


async def card(house: House) -> str:
    path, _ = await house.ask(house.key(), [DELIVERY, NEWS])
    return f"/my{path}"


async def given_hours(house: House) -> dict[str, Any]:
    (grant,) = (await house.own("GET", "/grants"))["grants"]
    return {one["name"]: one.get("limits", {}).get("hours") for one in grant["permissions"]}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-31")
async def test_they_stand_on_the_card_folded_away(house: House, browser: Browser) -> None:
    path = await card(house)
    page = await browser.get(path)
    form = page.form(f"{path}/review")
    assert all(form.boxes[f"day.1.{day}"] for day in DAYS)
    assert [day for day in DAYS if f"day.2.{day}" in form.boxes] == OFFICE["days"]
    assert (form.fields["from.1"], form.fields["to.2"]) == ("", "")
    assert all("open" not in given for tag, given in page.tags if tag == "details")
    again = await browser.submit(form)
    await browser.submit(again.form(f"{path}/approve"), {"passphrase": PASSPHRASE})
    assert await given_hours(house) == {"delivery": None, "news": OFFICE}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-31")
async def test_what_was_set_is_seen_once_more_and_granted(house: House, browser: Browser) -> None:
    path = await card(house)
    form = (await browser.get(path)).form(f"{path}/review")
    changed = {
        "day.1.Sa": None,
        "day.1.Su": None,
        "from.1": "09:00",
        "to.1": "17:30",
        "zone": "Europe/London",
    }
    look = await browser.submit(form, {**changed, "day.2.Mo": None, "to.2": "12:00"})
    assert "from 09:00 to 17:30 (Europe/London)" in look.text
    assert "from 08:00 to 12:00 (Europe/Berlin)" in look.text
    # Back to change something else, and once more: it all comes along.
    back = await browser.submit(look.form(f"{path}/review"), button="do=change")
    again = back.form(f"{path}/review")
    assert (again.boxes["day.1.Sa"], again.boxes["day.1.Fr"], again.fields["to.2"]) == (False, True, "12:00")
    assert again.fields["zone"] == "Europe/London"
    look = await browser.submit(again)
    await browser.submit(look.form(f"{path}/approve"), {"passphrase": PASSPHRASE})
    week = OFFICE["days"]
    assert await given_hours(house) == {
        "delivery": {"days": week, "from": "09:00", "to": "17:30", "timeZone": "Europe/London"},
        "news": {**OFFICE, "days": week[1:], "to": "12:00"},
    }


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-31")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"from.1": "8 o'clock"}, "write one such as 08:30"),
        ({"from.1": "12:00", "to.1": "11:00"}, "later than the beginning"),
        ({"from.2": "07:00"}, "go beyond those they ask for"),
        ({"from.1": "12:00", "zone": "Nowhere/Land"}, "choose a place"),
        ({f"day.1.{day}": None for day in DAYS}, "choose one at least"),
    ],
)
async def test_what_does_not_fit_comes_back(
    house: House, browser: Browser, changed: dict[str, str | None], said: str
) -> None:
    path = await card(house)
    page = await browser.submit((await browser.get(path)).form(f"{path}/review"), changed)
    assert page.status == 400
    assert said in page.text
    form = page.form(f"{path}/review")
    assert all(form.fields.get(name) == value for name, value in changed.items() if name != "zone")
    assert any("open" in given for tag, given in page.tags if tag == "details")


FIELDS = (
    *(f"day.{n}.{day}" for n in (1, 2) for day in DAYS),
    *(f"{name}.{n}" for n in (1, 2) for name in ("hours", "days", "from", "to", "reads")),
    "give.1.1.1",
    "give.2.1.1",
    "zone",
)
VALUES = ("", "yes", "1", "5", "Mo", "Mo Sa", "08:00", "17:59", "18:30", "00:00", "Asia/Tokyo", "x")


@settings(max_examples=150, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES)))
def test_no_fields_ever_mean_more_than_was_asked(fields: dict[str, str]) -> None:
    asked = read_permissions([DELIVERY, NEWS])
    found = wanted(
        read_choices({**fields, SEEN: "1"}, asked), asked, expires_s=2_000_000_000, now_s=1_900_000_000
    )
    assert found.problems or all_within(read_permissions(found.body["permissions"]), asked)


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-31")
@pytest.mark.parametrize(
    "zone", ["../../etc/passwd", "localtime", "/UTC", "utc", "Europe/Berlin ", "Europe\x00"]
)
async def test_by_no_clock_but_those_there_are(house: House, browser: Browser, zone: str) -> None:
    path = await card(house)
    form = (await browser.get(path)).form(f"{path}/review")
    page = await browser.submit(form, {"from.1": "12:00", "zone": zone})
    if zone.strip() == "Europe/Berlin":
        assert "from 12:00 to 00:00 (Europe/Berlin)" in page.text
    else:
        assert (page.status, "choose a place" in page.text) == (400, True)


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-31")
@pytest.mark.parametrize("switched", [False, True])
async def test_of_two_tabs_what_is_granted_was_on_the_one_where_it_was_allowed(
    house: House, browser: Browser, switched: bool
) -> None:
    path = await card(house)
    form = (await browser.get(path)).form(f"{path}/review")
    narrow = await browser.submit(form, {"day.1.Su": None, "to.2": "12:00"})
    if switched:  # in the language that was chosen it is the same second look
        narrow = await browser.submit(narrow.form(having="language"), button="language=de")
        assert "12:00" in narrow.text
    await browser.submit(form)  # the other tab: all that was asked
    answer = await browser.submit(narrow.form(f"{path}/approve"), {"passphrase": PASSPHRASE})
    if not (await house.own("GET", "/grants"))["grants"]:  # shown once more, as it was on this tab
        assert answer.status == 409
        assert "12:00" in answer.text
        await browser.submit(answer.form(f"{path}/approve"), {"passphrase": PASSPHRASE})
    hours = await given_hours(house)
    assert (hours["delivery"]["days"], hours["news"]["to"]) == (list(DAYS[:6]), "12:00")


@pytest.mark.parametrize(
    "zone", ["America/Santiago", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu", "UTC"]
)
def test_a_day_without_midnight_is_still_that_day(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = read_permissions([DELIVERY])
    begin, until = "2026-09-06", "2027-04-03"  # in Santiago clocks are changed at these midnights
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        fields = {SEEN: "1", "give.1.1.1": "1", "begin": begin, "until": until}
        found = wanted(read_choices(fields, asked), asked, expires_s=1_900_000_000, now_s=1_780_000_000)
        assert not found.problems
        days = [str(local_day(parse_time(found.body[name]))) for name in ("notBefore", "expires")]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert days == [begin, until]
