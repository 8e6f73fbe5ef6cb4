"""Edits, narrowings, disconnections at random: whoever reads again when told to ends with what there is to read."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from changing import opened, rows_of
from ears import Ear, Heard, listening
from freehold_node.drafts import Choice
from freehold_node.events import is_due
from freehold_protocol import limits
from freehold_protocol.encoding import Document
from freehold_protocol.grant import Change
from freehold_protocol.permission import Permission
from harness import ADA, Held, House, open_house, permission
from shop import COURIER, MARKETING, contacts, delivery

pytestmark = pytest.mark.asyncio
BOOK = permission("book", ["name"], purpose="dpv:Marketing", about="any", newRecords=True)
WHOLE = [delivery(), MARKETING, BOOK]
PARTS = [[delivery(), MARKETING], [delivery(), BOOK], WHOLE]
STEPS = 150


@dataclass(slots=True)
class Reader:
    """A holder that keeps what it read, and reads again only when it is told to."""

    house: House
    held: Held
    scope: str | None
    seen: dict[str, Any] = field(default_factory=dict)
    ear: Ear | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    last_id: str | None = None
    position: int = -1
    heard: Counter[str] = field(default_factory=Counter)

    async def connect(self) -> None:
        path = f"/{self.scope}" if self.scope else ""
        self.ear = await self.stack.enter_async_context(listening(self.held, path, last_id=self.last_id))

    async def disconnect(self) -> None:
        await self.stack.aclose()
        self.ear = None

    async def listen(self) -> None:
        """Hear what there is; do as told."""
        if self.ear is None:
            await self.connect()
        assert self.ear is not None
        for one in await self.ear.now(self.house):
            await self.check(one)
            self.last_id = one.id
            await self.obey(one)
        if self.ear.ended:
            await self.disconnect()

    async def check(self, one: Heard) -> None:
        """Nothing comes twice, nothing comes before its time, and nothing of what is none of its business."""
        self.heard[one.kind] += 1
        position = await opened(self.house, self.held.grant, one.id, self.scope)
        assert position is not None
        assert position > self.position
        self.position = position
        node = self.house.node
        rows = await rows_of(self.house, self.held.grant)
        assert all(is_due(row, node.ambient.clock.now_us()) for row in rows if row.n <= position)
        assert self.scope is None or one.permission in (None, self.scope)

    async def obey(self, one: Heard) -> None:
        if one.permission is not None:
            await self.read(one.permission)
        else:
            for given in WHOLE:
                if self.scope in (None, given["name"]):
                    await self.read(given["name"])

    async def read(self, name: str) -> None:
        reply = await self.held.get(f"/{name}/records?limit=100")
        self.seen[name] = (
            {one["id"]: one["version"] for one in reply.json["items"]} if reply.status == 200 else reply.code
        )


async def change(house: House, grant: str, what: Change, permissions: list[Document] | None) -> None:
    """Change the grant by the node's own operations: no passphrase, which is made to take time."""
    choice = Choice(permissions=tuple(map(Permission.from_dict, permissions))) if permissions else None
    draft = await house.node.relations.draft_change(grant, what, choice)
    await house.node.relations.change(grant, draft.digest)


async def write(house: House, rng: random.Random) -> None:
    """Write to a record, at random."""
    records, node = house.node.records, house.node
    rows = await node.store.read(lambda reader: reader.records(node.owner, limit=1000))
    row = rng.choice(rows)
    content: Document = {
        "type": "Person",
        "name": rng.choice("ABC"),
        "email": f"{rng.choice('ab')}@example.com",
    }
    kind = rng.randrange(8)
    if kind < 5:
        await records.edit(row.id, content, previous=row.cid)
    elif kind == 5:
        await records.add(content)
    elif kind == 6:
        await records.choose_self(row.id)
    elif len(rows) > 3:
        await records.delete(row.id)


async def regrant(house: House, grant: str, given: list[Document], wanted: list[Document]) -> None:
    """Narrow or widen from what is given to what is wanted."""
    if given is not WHOLE:
        await change(house, grant, "widen", WHOLE)
    if wanted is not WHOLE:
        await change(house, grant, "narrow", wanted)


async def live(house: House, rng: random.Random, readers: list[Reader], grant: str) -> None:
    """Let anything happen, and the readers listen now and then."""
    given = WHOLE
    assert house.clock is not None
    for _ in range(STEPS):
        step = rng.randrange(12)
        if step < 5:
            await write(house, rng)
        elif step < 8:
            house.clock.advance(rng.choice((1, 60, 200)))
        elif step == 8:
            before, given = given, rng.choice([part for part in PARTS if part != given])
            await regrant(house, grant, before, given)
        elif step == 9:
            await rng.choice(readers).disconnect()
        for reader in rng.sample(readers, rng.randrange(3)):
            if reader.scope in (None, *(one["name"] for one in given)):
                await reader.listen()
    await regrant(house, grant, given, WHOLE)
    house.clock.advance(limits.EVENT_JITTER_S)


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_reads_when_told_misses_nothing(tmp_path: Path, seed: int) -> None:
    async with open_house(tmp_path / "node", seed=seed + 1) as house:
        await house.import_file(ADA, me="Ada Example")
        await house.import_file(contacts(1, 3), name="contacts.vcf")
        held = await house.relate(WHOLE)
        courier = held.delegate(COURIER, path="/delivery")
        readers = [Reader(house, held, None), Reader(house, held, "book"), Reader(house, courier, "delivery")]
        await live(house, random.Random(seed), readers, held.grant)
        for reader in readers:
            for _ in range(2):  # the hour of its stream may have been over
                await reader.listen()
            told = dict(reader.seen)
            for name in told:
                await reader.read(name)
            assert reader.seen == told, reader.scope
            assert (reader.heard["ready"], reader.heard["reset"]) == (1, 0)
            assert reader.heard["changed"] + reader.heard["grant"] > 5
            await reader.disconnect()
