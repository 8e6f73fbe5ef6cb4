from __future__ import annotations

from typing import Any

import pytest
from freehold_node.cli import choice_limits, lookup
from freehold_node.cli.failure import Failure
from freehold_protocol.permission import all_within, read_permissions
from harness import Held, House, permission
from shell import COURIER, Beside

OTHER = "did:web:courier.example"
DELIVERY = permission("delivery", ["name", "email"], recipients=[COURIER, OTHER], required=True)
NEWS = permission("news", ["email"], recipients=[COURIER])
ASKED = [DELIVERY, NEWS]
OFFICE = {"days": ["Mo", "Tu", "We", "Th", "Fr"], "from": "08:00", "to": "18:00", "timeZone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("texts", "limits"),
    [
        (["delivery=100"], {"reads": 100}),
        (["delivery= 100 "], {"reads": 100}),
        (["delivery=10/day"], {"rate": {"reads": 10, "per": "P1D"}}),
        (["delivery=10/pt2h"], {"rate": {"reads": 10, "per": "PT2H"}}),
        (["delivery=mon-fri 08:00-18:00 Europe/Berlin"], {"hours": OFFICE}),
        (["delivery=Tu,monday 08:00-00:00 UTC"],
         {"hours": {"days": ["Mo", "Tu"], "from": "08:00", "to": "00:00", "timeZone": "UTC"}}),
        (["delivery=100", "delivery=5/week"], {"reads": 100, "rate": {"reads": 5, "per": "P7D"}}),
        (["delivery=100", "delivery=50"], {"reads": 50}),
    ],
)  # fmt: skip
def test_a_limit_is_said_in_a_few_words(texts: list[str], limits: dict[str, Any]) -> None:
    made = choice_limits.limited(ASKED, texts)
    assert made[0]["limits"] == limits
    assert made[1] == NEWS
    assert all_within(read_permissions(made), read_permissions(ASKED))


def test_all_limits_are_taken_as_they_were_asked() -> None:
    asked = [{**DELIVERY, "limits": {"reads": 9, "hours": OFFICE}}, NEWS]
    narrow = [{**DELIVERY, "limits": {"reads": 2}}, {**NEWS, "limits": {"reads": 1}}]
    made = choice_limits.limited(narrow, ["delivery=asked", "news=asked", "delivery=5"], asked=asked)
    assert made[0]["limits"] == {"reads": 5, "hours": OFFICE}
    assert read_permissions(made)[1] == read_permissions([NEWS])[0]
    for texts, told in ((["nope=asked"], asked), (["delivery=asked"], ())):
        with pytest.raises(Failure):
            choice_limits.limited(narrow, texts, asked=told)


def test_hours_keep_the_time_zone_that_stands_and_limits_of_other_kinds_stay() -> None:
    asked = [{**DELIVERY, "limits": {"reads": 9, "hours": OFFICE}}]
    [made] = choice_limits.limited(asked, ["delivery=Sat 10:00-12:00"])
    assert made["limits"] == {
        "reads": 9,
        "hours": {"days": ["Sa"], "from": "10:00", "to": "12:00", "timeZone": "Europe/Berlin"},
    }


@pytest.mark.parametrize(
    "text",
    ["", "delivery", "delivery=", "nope=100", "=100", "delivery=0", "delivery=-1", "delivery=10/", "delivery=10/aeon",
     "delivery=0/day", "delivery=mon 08:00-18:00", "delivery=mon 18:00-08:00 UTC", "delivery=mun 08:00-18:00 UTC",
     "delivery=fri-mon 08:00-18:00 UTC", "delivery=mon 8-18 UTC", "delivery=mon 08:00-18:00 a b"],
)  # fmt: skip
def test_a_limit_that_says_nothing_is_no_decision(text: str) -> None:
    with pytest.raises(Failure) as failed:
        choice_limits.limited(ASKED, [text])
    assert failed.value.exit_code == 2


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        ([COURIER], [[OTHER], []]),
        (["key z6MkhaXg"], [[OTHER], []]),
        (["delivery=z6MkhaXg"], [[OTHER], [COURIER]]),
        (["courier.example"], [[COURIER], [COURIER]]),
        (["courier.example", COURIER], [[], []]),
    ],
)
def test_a_partner_is_left_out(texts: list[str], left: list[list[str]]) -> None:
    made = choice_limits.without_partners(ASKED, texts)
    assert [list(one.recipients) for one in read_permissions(made)] == left


@pytest.mark.parametrize(
    "text", ["", "nobody", "did:", "news=courier.example", "nope=courier.example", "delivery="]
)
def test_a_partner_that_there_is_not_is_no_decision(text: str) -> None:
    with pytest.raises(Failure) as failed:
        choice_limits.without_partners(ASKED, [text])
    assert failed.value.exit_code == 2


def test_records_that_come_later_are_left_out() -> None:
    later = {**DELIVERY, "items": [{**one, "about": "any", "newRecords": True} for one in DELIVERY["items"]]}
    made = read_permissions(choice_limits.without_later([later], ["delivery"]))
    assert not made[0].items[0].new_records
    with pytest.raises(Failure):
        choice_limits.without_later([later], ["nope"])


@pytest.mark.asyncio
async def test_approves_narrower_than_asked(beside: Beside, house: House, request_id: str) -> None:
    last_day = (await beside.ok("requests", "show", request_id))["expires"][:10]
    done = await beside.ok(
        "approve", request_id, "--yes", "--limit", "delivery=10/day", "--no-partner", COURIER, "--from", last_day
    )  # fmt: skip
    [given] = done["draft"]["permission"]
    assert given["limits"] == {"rate": {"reads": 10, "per": "P1D"}}
    assert "recipients" not in given
    assert done["draft"]["notBefore"] == lookup.start_time(last_day)


@pytest.mark.asyncio
async def test_narrows_what_is_given(beside: Beside, held: Held) -> None:
    ran = await beside("narrow", held.grant, "--limit", "delivery=1", passphrase=None)
    assert "delivery: name" in ran.out
    assert (await held.get("/delivery/records")).status == 200
    assert (await held.get("/delivery/records")).status == 403
    assert (await beside("narrow", held.grant, "--limit", "delivery=2")).code == 1  # that would be more
    assert (await held.get("/marketing/records")).status == 200


@pytest.mark.asyncio
async def test_widens_the_limits_up_to_what_was_asked(beside: Beside, house: House) -> None:
    held = await house.relate([permission("delivery", ["name"], limits={"reads": 10})])
    await beside.ok("narrow", held.grant, "--limit", "delivery=1")
    assert (await held.get("/delivery/records")).status == 200
    assert (await held.get("/delivery/records")).code == "limit-reached"
    wider = ("widen", held.grant, "--limit")
    assert (await beside(*wider, "delivery=2", "--yes", passphrase=None)).code == 4
    assert (await beside(*wider, "delivery=11", "--yes")).code == 1  # more than was asked
    assert (await beside(*wider, "nope=2", "--yes")).code == 2
    done = await beside.ok(*wider, "delivery=2", "--yes")
    assert done["draft"]["permission"][0]["limits"] == {"reads": 2}
    assert (await held.get("/delivery/records")).status == 200
    assert (await held.get("/delivery/records")).code == "limit-reached"
    done = await beside.ok(*wider, "delivery=asked", "--yes")
    assert done["draft"]["permission"][0]["limits"] == {"reads": 10}
