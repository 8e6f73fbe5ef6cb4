"""How often and when a grant may be read: counted over everyone who reads, decided by the node's own clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.encoding import parse_time
from harness import House, TestClock, open_house
from shop import COURIER, MARKETING, NAME_ONLY, alias_of_self, shop


def clock_of(house: House) -> TestClock:
    assert house.clock is not None
    return house.clock


@pytest.mark.asyncio
async def test_a_rate_gives_way_when_its_window_has_passed(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, rate={"reads": 2, "per": "PT1H"}, reads=3)
        courier = held.delegate(COURIER, path="/delivery")
        assert (await held.get("/delivery/records")).status == 200
        clock_of(house).advance(1800)
        assert (await courier.get("/delivery/records")).status == 200
        assert (await courier.get("/delivery/records")).code == "limit-reached"
        assert (await held.get("/marketing/records")).status == 200
        clock_of(house).advance(1801)
        assert (await held.get("/delivery/records", method="HEAD")).status == 200
        assert (await courier.get("/delivery/records")).code == "limit-reached"
        clock_of(house).advance(7200)
        assert (await held.get("/delivery/records")).code == "limit-reached"  # three in all


@pytest.mark.asyncio
async def test_what_was_read_before_counts_under_a_limit_set_later(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        for _ in range(3):
            assert (await held.get("/delivery/records")).status == 200
        limited = NAME_ONLY | {"limits": {"reads": 4}}
        await house.change(held.grant, "narrow", [limited, MARKETING])
        assert (await held.get("/delivery/records")).status == 200
        assert (await held.get("/delivery/records")).code == "limit-reached"


@pytest.mark.requirement("SEC-3")
@pytest.mark.asyncio
@pytest.mark.parametrize("limit", [{"reads": 5}, {"rate": {"reads": 5, "per": "P1D"}}])
async def test_reads_at_once_do_not_slip_past_a_limit(tmp_path: Path, limit: dict[str, Any]) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, **limit)
        courier = held.delegate(COURIER, path="/delivery")
        replies = await asyncio.gather(
            *(
                one.get("/delivery/records", method=method)
                for one in (held, courier)
                for method in ("GET", "HEAD") * 4
            )
        )
        assert Counter(reply.status for reply in replies) == {200: 5, 403: 11}
        listed = await house.own("GET", f"/grants/{held.grant}/ledger")
        assert sum(one["entry"]["kind"] == "admitted" for one in listed["entries"]) == 5


@pytest.mark.asyncio
async def test_every_admission_counts_whatever_it_brings(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, reads=4)
        record = f"/delivery/records/{await alias_of_self(house, held.grant)}"
        first = await held.get(record)
        assert (await held.get(record, headers={"If-None-Match": first.headers["ETag"]})).status == 304
        assert (await held.get(record, method="HEAD")).status == 200
        # What is refused, and what is no admission, costs nothing.
        assert (await held.get("/delivery/records?fields=email")).code == "not-shared"
        assert (await held.get("/delivery/records/zNone")).code == "not-found"
        assert (await held.get("/delivery/records?cursor=AAAA")).code == "cursor-stale"
        assert (await held.get("/delivery")).status == (await held.get("/ledger/entries")).status == 200
        assert (await held.get("/delivery/records?fields=name&limit=1")).status == 200
        assert (await held.get(record)).code == "limit-reached"


@pytest.mark.asyncio
async def test_hours_are_those_of_the_zone(tmp_path: Path) -> None:
    """Monday and Tuesday mornings in Berlin, which is an hour ahead of the node's clock."""
    hours = {"days": ["Mo", "Tu"], "from": "08:00", "to": "13:00", "timeZone": "Europe/Berlin"}
    table = [
        ("2026-11-23T12:00:00Z", False), ("2026-11-24T06:59:59Z", False), ("2026-11-24T07:00:00Z", True),
        ("2026-11-24T11:59:59Z", True), ("2026-11-24T12:00:00Z", False), ("2026-11-25T08:00:00Z", False),
        ("2026-11-29T23:30:00Z", False), ("2026-11-30T07:00:00Z", True),
    ]  # fmt: skip
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, hours=hours)
        for time, open_ in table:
            clock_of(house).advance(parse_time(time) - house.now_s())
            reply = await held.get("/delivery/records")
            assert (reply.status, reply.code) == ((200, None) if open_ else (403, "outside-hours")), time
            assert (await held.get("/marketing/records")).status == 200


@pytest.mark.asyncio
async def test_a_day_of_the_week_is_that_of_the_zone(tmp_path: Path) -> None:
    hours = {"days": ["Tu"], "from": "00:00", "to": "00:00", "timeZone": "Pacific/Kiritimati"}
    async with open_house(
        tmp_path / "node"
    ) as house:  # a Monday at noon; there it is two in the morning of Tuesday
        held = await shop(house, hours=hours)
        assert (await held.get("/delivery/records")).status == 200
        clock_of(house).advance(22 * 3600)
        assert (await held.get("/delivery/records")).code == "outside-hours"
