"""When it is told: a change of the records after a random delay, what waits together; never before, and never not."""

from __future__ import annotations

import asyncio
import statistics
import threading
from pathlib import Path
from typing import Any

import freehold_node.events
import freehold_node.news
import pytest
from changing import (
    clock_of,
    edit,
    waiting_s,
)
from ears import listening
from freehold_node.ambient import Ambient
from freehold_node.events import due_in_order, is_due, note_views
from freehold_node.store.rows import EventRow
from freehold_protocol import limits
from harness import ADA, START_S, TestClock, open_house
from shop import MARKETING, shop

pytestmark = pytest.mark.asyncio
JITTER_S = limits.EVENT_JITTER_S


@pytest.mark.requirement("HTTP-49")
async def test_nothing_is_told_before_its_time_and_then_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            await edit(house, name="Ada B")
            (wait_s,) = await waiting_s(house, held.grant)
            assert 1 < wait_s <= JITTER_S
            clock_of(house).advance(wait_s - 0.000002)
            assert await ear.now(house) == []
            async with listening(held, last_id=ear.last_id) as again:
                assert await again.now(house) == []
            clock_of(house).advance(0.000004)
            assert [one.told for one in await ear.now(house)] == ["changed delivery"]


async def test_the_stream_wakes_by_itself_when_something_falls_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freehold_node.events, "_delay_us", lambda _: 300_000)
    async with open_house(tmp_path / "node", real_time=True) as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            await edit(house, name="Ada B")
            await ear.told("changed delivery")


async def test_what_waits_is_told_once_and_together(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            await edit(house, name="Ada 2")
            due_s = await waiting_s(house, held.grant)
            for number in range(3, 6):
                await edit(house, f"Ada {number - 1}", name=f"Ada {number}")
                clock_of(house).advance(0.001)
            await edit(house, "Ada 5", email="b@example.com")
            later = await waiting_s(house, held.grant)
            assert later == pytest.approx(
                [due_s[0] - 0.003] * 2
            )  # what came first does not wait for the rest
            clock_of(house).advance(JITTER_S)
            assert [one.told for one in await ear.now(house)] == ["changed delivery", "changed marketing"]


@pytest.mark.requirement("HTTP-49", "PRV-4")
async def test_the_delay_covers_its_range_and_is_each_vendor_s_own(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        held = [await house.relate([MARKETING], name=f"Shop {n}") for n in range(6)]
        drawn: list[list[float]] = []
        for number in range(40):
            await edit(house, email=f"{number}@example.com")
            drawn.append([(await waiting_s(house, one.grant))[0] for one in held])
            clock_of(house).advance(JITTER_S)
    every = [one for row in drawn for one in row]
    assert len(set(every)) == len(every)
    assert min(every) < 0.05 * JITTER_S
    assert max(every) > 0.95 * JITTER_S
    assert statistics.mean(every) == pytest.approx(JITTER_S / 2, rel=0.1)
    assert statistics.stdev(every) == pytest.approx(JITTER_S / 12**0.5, rel=0.1)
    apart = [row[0] - row[1] for row in drawn]
    assert min(apart) < -100
    assert max(apart) > 100


@pytest.mark.parametrize(("drawn", "wait_s"), [(b"\0", 0), (b"\xff", None)])
async def test_the_delay_stays_in_its_bounds(tmp_path: Path, drawn: bytes, wait_s: int | None) -> None:
    clock = TestClock()
    ambient = Ambient(clock=clock.clock(), random_bytes=lambda n: drawn * n)
    async with open_house(tmp_path / "node", clock=clock) as house:
        held = await shop(house)

        def write(tx: Any) -> list[EventRow]:
            note_views(tx, house.node.owner, held.grant, ["delivery"], ambient=ambient)
            found: list[EventRow] = tx.events(house.node.owner, held.grant)
            return found

        (row,) = await house.node.store.write(write)
        after_us = row.due_us - clock.wall_us
        assert 0 <= after_us <= JITTER_S * 1_000_000
        assert wait_s is None or after_us == wait_s


@pytest.mark.parametrize(
    ("due_s", "due"),
    [(-1, True), (0, True), (1e-6, False), (JITTER_S, False), (JITTER_S + 1e-6, True), (1e9, True)],
)
async def test_what_lies_farther_ahead_than_any_delay_is_due(due_s: float, due: bool) -> None:
    """It was added before the clock was set back."""
    now_us = START_S * 1_000_000
    assert is_due(EventRow(1, None, now_us + round(due_s * 1e6)), now_us) is due


async def test_no_event_is_told_before_one_before_it() -> None:
    rows = [EventRow(n, None, due) for n, due in enumerate((5, 10, 20, 7))]
    assert due_in_order(rows, 10) == (rows[:2], rows[2])
    assert due_in_order(rows, 20) == (rows, None)
    assert due_in_order([], 0) == ([], None)


async def test_a_change_that_is_durable_only_after_the_time_came_is_told_of(tmp_path: Path) -> None:
    """The first event falls due while the second change is on its way: who read in between is told again."""
    async with open_house(tmp_path / "node") as house:
        held, owner = await shop(house), house.node.owner
        noted, go = threading.Event(), threading.Event()

        def change(tx: Any) -> None:
            note_views(tx, owner, held.grant, ["delivery"], ambient=house.node.ambient)
            noted.set()
            assert go.wait(20)

        async with listening(held) as ear:
            await ear.told("ready")
            await edit(house, name="Ada B")
            changing = asyncio.create_task(house.node.store.write(change))
            await asyncio.to_thread(noted.wait, 20)
            clock_of(house).advance(JITTER_S)
            house.node.streams.stir()
            await ear.told("changed delivery")
            go.set()
            await changing
            await ear.told("changed delivery")
            assert await ear.now(house) == []
