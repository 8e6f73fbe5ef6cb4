"""Where a stream begins and goes on: ids that say nothing, hold only where they were given, and never get too old."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from changing import (
    clock_of,
    edit,
    opened,
    rows_of,
    waiting_s,
)
from ears import Ear, listening
from freehold_node.sealing import NONCE_BYTES, seal
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from harness import PASSPHRASE, Held, House, TestClock, open_house
from shop import COURIER, delivery, keys_of, shop

pytestmark = pytest.mark.asyncio
JITTER_S = limits.EVENT_JITTER_S


async def test_a_stream_goes_on_from_any_event(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house, AsyncExitStack() as stack:
        held = await shop(house)
        ear = await stack.enter_async_context(listening(held))
        ids = [await ear.next()]
        for members in ({"email": "b@example.com"}, {"name": "Ada B"}, {"email": "c@example.com"}):
            await edit(house, "Ada B" if "c@" in str(members) else "Ada Example", **members)
            clock_of(house).advance(JITTER_S)
            ids += await ear.now(house)
        told = [one.told for one in ids if one]
        assert told == ["ready", "changed marketing", "changed delivery", "changed marketing"]
        for one, rest in zip(
            ids,
            [["changed delivery", "changed marketing"]] * 2 + [["changed marketing"], []],
            strict=True,
        ):
            assert one is not None
            async with listening(held, last_id=one.id) as again:
                assert [two.told for two in await again.now(house)] == rest


async def test_an_event_that_nobody_has_heard_stays_until_the_next_is_due(tmp_path: Path) -> None:
    """Else who comes back would learn, by what is missing, that something is about to be told."""
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
        await edit(house, name="Ada 2")
        clock_of(house).advance(JITTER_S)
        for number in range(3, 6):
            await edit(house, f"Ada {number - 1}", name=f"Ada {number}")
            async with listening(held, last_id=ear.last_id) as again:
                assert [one.told for one in await again.now(house)] == ["changed delivery"]
        assert len(await rows_of(house, held.grant)) == 2
        clock_of(house).advance(JITTER_S)
        async with listening(held, last_id=ear.last_id) as again:
            assert [one.told for one in await again.now(house)] == ["changed delivery"]


async def test_where_a_stream_begins_says_nothing_of_what_waits(tmp_path: Path) -> None:
    """Streams opened before and after a change hear the same at the same time: no comparing dates the change."""
    async with open_house(tmp_path / "node") as house, AsyncExitStack() as stack:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        ears: list[Ear] = []

        async def begin() -> None:
            for one, path in ((held, ""), (courier, "/delivery")):
                ears.append(await stack.enter_async_context(listening(one, path)))
                await ears[-1].told("ready")

        await begin()
        await edit(house, name="Ada B")
        await begin()
        position = [
            await opened(house, held.grant, ear.last_id, scope)
            for ear, scope in zip(ears, (None, "delivery") * 2, strict=True)
        ]
        assert position == [0, 0, 0, 0]
        ids = {ear.last_id for ear in ears}
        assert len(ids) == 4
        assert {len(one or "") for one in ids} == {64}
        clock_of(house).advance(JITTER_S)
        for ear in ears:
            assert [one.told for one in await ear.now(house)] == ["changed delivery"]


async def strange_ids(house: House, held: Held) -> dict[str, str]:
    """Return ids that are not ones of the grant's own stream."""
    other = await house.relate([delivery()], name="Other Shop")
    keys = await keys_of(house, held.grant)
    found = {"nothing": "", "words": "no such id", "a number": "1", "long": "A" * 5000, "short": "AAAA",
             "zeros": "A" * 64, "padded": "A" * 63 + "="}  # fmt: skip
    for name, one, path in (("scope", held, "/delivery"), ("grant", other, "")):
        async with listening(one, path) as ear:
            await ear.told("ready")
            found[f"of another {name}"] = ear.last_id or ""
    async with listening(held) as ear:
        await ear.told("ready")
        own = ear.last_id or ""
    found["altered"] = own[:-1] + ("A" if own[-1] != "A" else "B")
    found["cut"] = own[:-4]

    def sealed(position: int, bound: Any) -> str:
        return seal(keys.cursor, position.to_bytes(8, "big"), bound=jcs(bound), nonce=bytes(NONCE_BYTES))

    tag = keys.generation_tag(1)
    found["of the future"] = sealed(7, ["events", held.grant, None, tag])
    found["of another generation"] = sealed(0, ["events", held.grant, None, keys.generation_tag(2)])
    found["a cursor"] = sealed(0, [held.grant, 1, "delivery", ["*"], {}])
    return found


async def test_an_id_that_is_none_begins_anew(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        await edit(house, name="Ada B")
        for name, strange in (await strange_ids(house, held)).items():
            async with listening(held, last_id=strange) as ear:
                heard = await ear.next()
                assert heard is not None
                assert heard.told == "reset", name
                assert await opened(house, held.grant, heard.id, None) == 0
        async with listening(held, last_id=strange) as ear:
            await ear.told("reset")
            clock_of(house).advance(JITTER_S)
            assert [one.told for one in await ear.now(house)] == ["changed delivery"]
            async with listening(held, last_id=ear.last_id) as again:
                assert await again.now(house) == []


async def test_events_outlive_the_process(tmp_path: Path) -> None:
    folder, clock = tmp_path / "node", TestClock()
    async with open_house(folder, clock=clock) as house:
        keys, held = house.node._keys, await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
        await edit(house, name="Ada B")
        waited = await waiting_s(house, held.grant)
        port = int(house.base.rpartition(":")[2])
    async with open_house(folder, keys=keys, clock=clock, seed=9, port=port) as house:
        held.house = house
        assert await waiting_s(house, held.grant) == waited
        async with listening(held, last_id=ear.last_id) as again:
            assert await again.now(house) == []
            clock.advance(JITTER_S)
            assert [one.told for one in await again.now(house)] == ["changed delivery"]


async def test_a_clock_that_is_set_back_holds_nothing_up(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
        clock_of(house).step_wall(3000)
        assert (await held.get("/delivery/records")).code in ("clock-suspect", "signature-stale")
        await house.own("POST", "/clock/confirm", {"passphrase": PASSPHRASE})
        await edit(house, name="Ada B")
        clock_of(house).step_wall(-3000)
        await house.own("POST", "/clock/confirm", {"passphrase": PASSPHRASE})
        async with listening(held, last_id=ear.last_id) as again:
            await again.told("changed delivery")
            await edit(house, "Ada B", name="Ada C")
            assert 0 < (await waiting_s(house, held.grant))[0] <= JITTER_S
            clock_of(house).advance(JITTER_S)
            assert [one.told for one in await again.now(house)] == ["changed delivery"]
