"""What a vendor, or a partner, adds when it passes access on: for what, when and how often; and who sees the links."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.caveat import Caveat, CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat
from freehold_protocol.encoding import Document
from freehold_protocol.permission import Hours
from harness import Held, TestClock, open_house
from shop import COURIER, DRIVER, shop

pytestmark = pytest.mark.asyncio
DELIVERY = frozenset({"dpv:DeliveryOfGoods"})
NOON = Hours.from_dict({"days": ["Mo", "Tu"], "from": "12:00", "to": "13:00", "timeZone": "UTC"})


@pytest_asyncio.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    async with open_house(tmp_path / "node") as house:  # a Monday, noon
        yield await shop(house)


def passed_on(held: Held, *caveats: Caveat, to: Any = COURIER, **more: Any) -> Held:
    return held.delegate(to, path="/delivery", caveats=caveats, **more)


async def code_of(held: Held) -> str | None:
    return (await held.get("/delivery/records")).code


def clock_of(held: Held) -> TestClock:
    assert held.house.clock is not None
    return held.house.clock


async def links(held: Held) -> list[Document]:
    found: list[Document] = (await held.house.own("GET", f"/grants/{held.grant}"))["links"]
    return found


async def test_a_count_is_for_the_link_however_often_it_is_passed_on(held: Held) -> None:
    courier = passed_on(held, CountCaveat(reads=3))
    drivers = [passed_on(courier, to=DRIVER) for _ in range(2)]
    assert [await code_of(one) for one in (courier, *drivers)] == [None] * 3
    assert [await code_of(one) for one in (courier, *drivers)] == ["limit-reached"] * 3
    assert await code_of(passed_on(courier, CountCaveat(reads=100), to=DRIVER)) == "limit-reached"
    assert await code_of(held) is None
    assert await code_of(passed_on(held, CountCaveat(reads=1))) is None, "another link has a count of its own"


async def test_a_count_outlives_a_change_of_the_grant_and_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        courier = passed_on(held, CountCaveat(reads=2))
        assert await code_of(courier) is None
        await house.change(held.grant, "pause")
        await house.change(held.grant, "resume")
        assert await code_of(courier) is None
        assert await code_of(courier) == "limit-reached"


async def test_a_rate_gives_way_when_its_window_has_passed(held: Held) -> None:
    courier = passed_on(held, RateCaveat(reads=2, seconds=3600), RateCaveat(reads=3, seconds=86_400))
    driver = passed_on(courier, to=DRIVER)
    assert [await code_of(one) for one in (courier, driver, driver)] == [None, None, "limit-reached"]
    clock_of(held).advance(3600)
    assert [await code_of(one) for one in (driver, courier)] == [None, "limit-reached"], "three a day"
    clock_of(held).advance(82_800)
    assert await code_of(courier) is None


async def test_every_link_counts_by_itself(held: Held) -> None:
    courier = passed_on(held, CountCaveat(reads=2))
    driver = passed_on(courier, CountCaveat(reads=1), to=DRIVER)
    assert [await code_of(driver), await code_of(driver), await code_of(courier)] == [
        None,
        "limit-reached",
        None,
    ]
    assert await code_of(courier) == "limit-reached", (
        "the driver's read counted for the courier's link as well"
    )


@pytest.mark.requirement("CAP-31")
async def test_hours_are_the_nodes_and_of_every_link(held: Held) -> None:
    courier = passed_on(held, HoursCaveat(hours=NOON))
    assert await code_of(courier) is None
    clock_of(held).advance(3600)
    assert [await code_of(courier), await code_of(passed_on(courier, to=DRIVER))] == ["outside-hours"] * 2
    assert await code_of(held) is None


@pytest.mark.requirement("CAP-31")
async def test_a_time_zone_that_nobody_knows_opens_at_no_hour(held: Held) -> None:
    nowhere = Hours.from_dict(
        {"days": ["Mo"], "from": "00:00", "to": "23:59", "timeZone": "Moon/Tranquility"}
    )
    assert await code_of(passed_on(held, HoursCaveat(hours=nowhere))) == "capability-invalid"


async def test_purposes_are_those_of_the_permission_in_the_path(held: Held) -> None:
    assert await code_of(passed_on(held, PurposeCaveat(purposes=DELIVERY))) is None
    other = passed_on(held, PurposeCaveat(purposes=frozenset({"dpv:Marketing"})))
    assert await code_of(other) == "wrong-purpose"
    both = passed_on(other, PurposeCaveat(purposes=DELIVERY), to=DRIVER)
    assert await code_of(both) == "wrong-purpose", "a link cannot take back what one before it said"


async def test_what_is_refused_uses_up_nothing(held: Held) -> None:
    courier = passed_on(held, CountCaveat(reads=1), HoursCaveat(hours=NOON))
    clock_of(held).advance(3600)
    assert await code_of(courier) == "outside-hours"
    clock_of(held).advance(23 * 3600)
    assert [await code_of(courier), await code_of(courier)] == [None, "limit-reached"]


async def test_the_person_sees_who_passed_on_what_to_whom(held: Held) -> None:
    courier = passed_on(held, CountCaveat(reads=9))
    driver = passed_on(courier, to=DRIVER)
    passed_on(held)  # never used: the node has not seen it
    assert [await code_of(driver), await code_of(courier)] == [None, None]
    found = await links(held)
    assert [one["controller"] for one in found] == [COURIER.did, DRIVER.did]
    assert [one["parent"] for one in found] == [held.capability.verify()[1], found[0]["digest"]]
    assert [len(one["caveats"]) for one in found] == [1, 0]
    assert [one["permission"] for one in found] == ["delivery", "delivery"]
    assert [one["revoked"] for one in found] == [False, False]
    await held.house.own("POST", f"/grants/{held.grant}/revocations", {"capability": found[0]["digest"]})
    assert [one["revoked"] for one in await links(held)] == [True, True]


async def test_nobody_fills_the_store_with_links(held: Held) -> None:
    from freehold_protocol import limits

    courier = passed_on(held)
    for _ in range(limits.MAX_LINKS_OF_A_PARTNER - 1):
        assert await code_of(passed_on(courier)) is None
    assert await code_of(passed_on(courier)) == "capability-invalid"
    assert await code_of(courier) is None
    assert await code_of(passed_on(held, to=DRIVER)) is None, "another partner has room of its own"
    assert len(await links(held)) <= limits.MAX_LINKS_OF_A_PARTNER + 1
