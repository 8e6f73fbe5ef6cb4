"""Counts of times that are over are taken once, and are right all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from freehold_node.activity import Activity
from freehold_node.store.sought import EntriesSought
from freehold_node.store.sql_looking import LookingReader
from freehold_protocol.encoding import Document, format_time
from harness import ADA, START_S, House, open_house, permission

pytestmark = pytest.mark.asyncio
DELIVERY = permission("delivery", ["name"])
HOUR_S = 3600
_US = 1_000_000


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return where it is noted from when until when entries are counted, in seconds after the start."""
    noted: list[tuple[int, int]] = []
    counts = LookingReader.activity_counts

    def noting(self: LookingReader, owner: str, sought: EntriesSought, **how: int) -> Any:
        noted.append((sought.after_us // _US - START_S, sought.before_us // _US - START_S))
        return counts(self, owner, sought, **how)

    monkeypatch.setattr(LookingReader, "activity_counts", noting)
    return noted


async def timeline(house: House, hours: int = 12) -> Document:
    span = f"since={format_time(START_S)}&until={format_time(START_S + hours * HOUR_S)}"
    told: Document = await house.own("GET", f"/activity/timeline?{span}&buckets={hours}")
    return told


async def fresh(house: House, hours: int = 12) -> Document:
    """Return what a node that remembers nothing counts."""
    node = house.node
    kept, node.activity._counts = (
        node.activity._counts,
        Activity(node.store, node.ambient, owner=node.owner)._counts,
    )
    told = await timeline(house, hours)
    node.activity._counts = kept
    return told


async def test_only_what_came_since_is_counted_again(tmp_path: Path, asked: list[tuple[int, int]]) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        await house.import_file(ADA, me="1")
        shop = await house.relate([DELIVERY], name="Book Shop")
        for _ in range(10):
            house.clock.advance(HOUR_S // 2)
            await shop.get("/delivery/records")
            told = await timeline(house)
            assert told == await fresh(house)
        asked.clear()
        again = await timeline(house)
        assert asked == [(4 * HOUR_S, 12 * HOUR_S)], "four hours are over, and were counted already"
        assert again == told
        assert sum(one["admitted"] for one in told["buckets"]) == 10


async def test_a_time_that_is_over_as_a_whole_is_counted_once(
    tmp_path: Path, asked: list[tuple[int, int]]
) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        await house.import_file(ADA, me="1")
        await (await house.relate([DELIVERY])).get("/delivery/records")
        house.clock.advance(40 * HOUR_S)
        first = await timeline(house)
        asked.clear()
        assert await timeline(house) == first
        assert asked == []


async def test_a_removed_relationship_takes_its_counts_along(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        await house.import_file(ADA, me="1")
        shops = [await house.relate([DELIVERY], name=name) for name in ("Book Shop", "Cheese Shop")]
        for shop in shops:
            await shop.get("/delivery/records")
        house.clock.advance(40 * HOUR_S)
        assert len((await timeline(house))["busiest"]) == 2
        await house.node.store.write(
            lambda tx: tx._execute("DELETE FROM entry WHERE grant_id = ?", (shops[0].grant,))  # type: ignore[attr-defined]
        )
        await house.node.store.write(
            lambda tx: tx._execute("DELETE FROM access_grant WHERE id = ?", (shops[0].grant,))  # type: ignore[attr-defined]
        )
        told = await timeline(house)
        assert [one["vendor"]["name"] for one in told["busiest"]] == ["Cheese Shop"]
        assert told == await fresh(house)


async def test_few_windows_are_remembered(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        await (await house.relate([DELIVERY])).get("/delivery/records")
        house.clock.advance(40 * HOUR_S)
        for hours in range(1, 30):
            assert await timeline(house, hours) == await fresh(house, hours)
        assert len(house.node.activity._counts._kept) == 8
