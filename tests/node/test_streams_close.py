"""No event follows an acknowledged end: a hundred ends that race what there is to tell, and how long closing takes."""

from __future__ import annotations

import asyncio
import random
import statistics
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import freehold_node.events
import pytest
from ears import Ear, listening
from freehold_node.api import listening as wire
from freehold_node.drafts import Choice
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.grant import Change
from freehold_protocol.permission import Permission
from freehold_protocol.request import sign_request
from harness import ADA, Held, House, open_house
from shop import COURIER, MARKETING, delivery

pytestmark = pytest.mark.asyncio
RUNS = 100
CHANGES: tuple[Change, ...] = ("end", "pause", "end", "end")
"""What stops the grant, in turn."""


@dataclass(slots=True)
class Timeline:
    """What happened at the node, in its order: events written to connections, streams closed, the end done."""

    happened: list[str] = field(default_factory=list)

    def watch(self, house: House, patch: pytest.MonkeyPatch) -> None:
        to_wire, send_all, change = wire.to_wire, wire._send_all, house.node.relations.change

        def noted(events: Any) -> bytes:
            self.happened.append("event")
            return to_wire(events)

        async def sent(*given: Any) -> None:
            await send_all(*given)
            self.happened.append("closed")

        async def changed(grant: str, digest: str, **more: Any) -> Any:
            made = await change(grant, digest, **more)
            self.happened.append(made.state)
            return made

        patch.setattr(wire, "to_wire", noted)
        patch.setattr(wire, "_send_all", sent)
        patch.setattr(house.node.relations, "change", changed)


@dataclass(slots=True)
class Took:
    """Milliseconds from sending the end: until it was acknowledged, until the last stream was closed."""

    acknowledged: list[float] = field(default_factory=list)
    closed: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        def row(name: str, found: list[float]) -> str:
            return f"{name:34} {statistics.median(found):8.2f} {max(found):8.2f}"

        after = [c - a for a, c in zip(self.acknowledged, self.closed, strict=True)]
        return "\n".join(
            [
                f"{'milliseconds, of ' + str(len(self.closed)) + ' ends':34} {'median':>8} {'maximum':>8}",
                row("from end to acknowledgement", self.acknowledged),
                row("from end to the last stream closed", self.closed),
                row("from acknowledgement to closed", after),
            ]
        )


async def relate(house: House) -> Held:
    """Make a grant by the node's own operations: no passphrase, which is made to take time."""
    key, node, permissions = (
        house.key(),
        house.node,
        tuple(map(Permission.from_dict, [delivery(), MARKETING])),
    )
    request = sign_request(
        key, request_id="urn:uuid:" + house.uuid(), nonce=base64url_encode(house.rng.randbytes(32)), name="Shop",
        permissions=permissions, created_s=house.now_s(), expires_s=house.now_s() + 86_400,
    )  # fmt: skip
    row = await node.inbox.receive((await node.inbox.invite("shop")).id, request.document)
    grant = await node.inbox.approve(
        row.id, (await node.inbox.draft_approval(row.id, Choice(permissions=permissions))).digest
    )
    return Held(house=house, key=key, grant=grant.id, capability=await node.relations.issue(grant.id))


async def edit_until(house: House, stopped: asyncio.Event, rng: random.Random) -> None:
    """Change what is shown again and again, which is told at once."""
    node = house.node
    row = await node.store.read(lambda reader: reader.owner(node.owner))
    assert row is not None
    assert row.self_record is not None
    while not stopped.is_set():
        seen = await node.store.read(lambda reader: reader.record(node.owner, row.self_record or ""))
        assert seen is not None
        content = {"type": "Person", "name": f"Ada {rng.random()}", "email": f"{rng.random()}@example.com"}
        await node.records.edit(seen.id, content, previous=seen.cid)


async def closed(ear: Ear) -> float:
    while await ear.next() is not None:
        pass
    assert await ear.reader.read() == b""
    return asyncio.get_running_loop().time()


async def end_once(house: House, change: Change, timeline: Timeline, took: Took, rng: random.Random) -> None:
    held = await relate(house)
    courier = held.delegate(COURIER, path="/delivery")
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    async with AsyncExitStack() as stack:
        ears = [
            await stack.enter_async_context(listening(one, path))
            for one, path in ((held, ""), (held, "/delivery"), (courier, "/delivery"))
        ]
        editing = asyncio.create_task(edit_until(house, stopped, rng))
        closing = [asyncio.create_task(closed(ear)) for ear in ears]
        draft = await house.own("POST", f"/grants/{held.grant}/draft", {"change": change})
        await asyncio.sleep(rng.random() * 0.01)
        timeline.happened.clear()
        began = loop.time()
        await house.own("POST", f"/grants/{held.grant}/change", {"digest": draft["digest"]})
        took.acknowledged.append((loop.time() - began) * 1e3)
        async with asyncio.timeout(20):
            ends = await asyncio.gather(*closing)
        took.closed.append((max(ends) - began) * 1e3)
        stopped.set()
        await editing
    state = "ended" if change == "end" else "paused"
    assert timeline.happened[-4:] == ["closed"] * 3 + [state], (
        "not closed, or something said, before the end was told"
    )


async def test_no_event_follows_an_acknowledged_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(freehold_node.events, "_delay_us", lambda _: 0)
    rng, timeline, took = random.Random(1), Timeline(), Took()
    told = 0
    async with open_house(tmp_path / "node", real_time=True) as house:
        await house.import_file(ADA, me="Ada Example")
        timeline.watch(house, monkeypatch)
        for run in range(RUNS):
            await end_once(house, CHANGES[run % len(CHANGES)], timeline, took, rng)
            told += timeline.happened.count("event")
    assert told > RUNS, "nothing was raced"
    with capsys.disabled():
        print(f"\n{took}")


async def test_what_was_found_before_an_end_is_not_said_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a store whose reads take their time, what they found is looked at again if a commit came meanwhile."""
    monkeypatch.setattr(freehold_node.events, "_delay_us", lambda _: 0)
    async with open_house(tmp_path / "node", real_time=True) as house:
        await house.import_file(ADA, me="Ada Example")
        held, streams, store = await relate(house), house.node.streams, house.node.store
        found, go = asyncio.Event(), asyncio.Event()

        class Slow:
            async def read(self, work: Any) -> Any:
                result = await store.read(work)
                found.set()
                await go.wait()
                return result

        async with listening(held) as ear:
            await ear.told("ready")
            monkeypatch.setattr(streams, "_store", Slow())
            await house.node.store.write(
                lambda tx: freehold_node.events.note_views(
                    tx, house.node.owner, held.grant, ["delivery"], ambient=house.node.ambient
                )
            )
            await asyncio.wait_for(found.wait(), 20)
            await house.change(held.grant, "pause")
            go.set()
            await ear.told("end")
