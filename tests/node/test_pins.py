"""Which records a grant shows: those that matched when they were approved, and no others by any detour."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from harness import ADA, Held, House, open_house, permission
from shop import MARKETING, contacts, kinds

NEWS = {"purpose": "dpv:Marketing", "about": "any"}
BOOK = permission("book", ["name", "description"], **NEWS)
NAMES = permission("book", ["name"], **NEWS)
OPEN_BOOK = permission("book", ["name", "description"], newRecords=True, **NEWS)


async def names(held: Held) -> set[str]:
    return {item["name"] for item in await held.contents("book", "?limit=100")}


async def ids(house: House) -> dict[str, str]:
    listed = await house.own("GET", "/records")
    return {one["label"]: one["id"].removeprefix("urn:uuid:") for one in listed["records"]}


async def edit(house: House, label: str, **changes: Any) -> None:
    record = (await ids(house))[label]
    seen = await house.own("GET", f"/records/{record}")
    content = {name: value for name, value in (seen["content"] | changes).items() if value is not None}
    await house.own("PUT", f"/records/{record}", {"content": content, "previous": seen["cid"]})


async def delete(house: House, label: str) -> None:
    reply = await house.owner("DELETE", f"/records/{(await ids(house))[label]}")
    assert reply.status == 204


def called(*numbers: int) -> set[str]:
    return {f"Contact {number}" for number in numbers}


async def add(house: House, number: int) -> None:
    await house.own(
        "POST",
        "/records",
        {"content": {"type": "Person", "name": f"Contact {number}", "description": "version 1"}},
    )


@pytest.mark.asyncio
async def test_new_contacts_come_only_where_they_were_approved(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 2))
        pinned = await house.relate([BOOK])
        growing = await house.relate([OPEN_BOOK], name="Other Shop")
        await house.import_file(contacts(1, 3))
        await add(house, 4)
        assert await names(pinned) == called(1, 2)
        assert await names(growing) == called(1, 2, 3, 4)
        await edit(house, "Contact 2", name="Contact 20")
        await edit(house, "Contact 3", name="Contact 30")
        assert await names(pinned) == called(1, 20)
        assert await names(growing) == called(1, 20, 30, 4)


@pytest.mark.asyncio
async def test_a_condition_is_asked_of_every_version(tmp_path: Path) -> None:
    chosen = permission("book", ["name"], where={"description": "version 1"}, **NEWS)
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 3))
        await edit(house, "Contact 3", description="version 2")
        held = await house.relate([chosen])
        assert await names(held) == called(1, 2)
        await edit(house, "Contact 3", description="version 1")  # it matches now, and was not approved
        assert await names(held) == called(1, 2)
        await edit(house, "Contact 1", description=None)
        assert await names(held) == called(2)
        await edit(house, "Contact 1", description="version 1")
        assert await names(held) == called(1, 2)
        await edit(house, "Contact 2", type="Organization")
        assert await names(held) == called(1)


@pytest.mark.asyncio
async def test_narrowing_lets_nobody_in_where_nobody_was_shown(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await house.relate([BOOK])
        assert await names(held) == set()
        await house.import_file(contacts(1, 2))
        assert await names(held) == set()
        await house.change(held.grant, "narrow", [NAMES])
        assert await names(held) == set()


@pytest.mark.asyncio
async def test_narrowing_lets_nobody_in_when_all_who_were_shown_are_gone(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 1))
        held = await house.relate([BOOK])
        await delete(house, "Contact 1")
        await house.import_file(contacts(2, 1))
        await house.change(held.grant, "narrow", [NAMES])
        assert await names(held) == set()
        await house.change(held.grant, "widen", [BOOK])  # this is approved anew, as things are now
        assert await names(held) == called(2)


@pytest.mark.asyncio
async def test_closing_an_open_book_keeps_who_is_in_it(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 1))
        held = await house.relate([OPEN_BOOK])
        await house.import_file(contacts(2, 1))
        await house.change(held.grant, "narrow", [NAMES])
        await house.import_file(contacts(3, 1))
        assert await names(held) == called(1, 2)


class Walk:
    """A person who changes a grant about contacts, and the contacts, without a plan."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.rng = house, random.Random(seed)
        self.asked = permission("book", ["name", "description", "telephone"], **NEWS)
        self.standing, self.live, self.counter = self.asked, True, 100
        self.approved: set[str] = set()

    async def begin(self) -> Held:
        await self.house.import_file(contacts(1, self.rng.choice([0, 3])) or ADA)
        held = await self.house.relate([self.asked])
        self.grant, self.approved = held.grant, set(await ids(self.house))
        return held

    async def add(self) -> None:
        self.counter += 1
        await add(self.house, self.counter)

    async def edit(self) -> None:
        if known := sorted(await ids(self.house)):
            await edit(self.house, self.rng.choice(known), description=f"version {self.rng.choice([1, 2])}")

    async def delete(self) -> None:
        if known := sorted(await ids(self.house)):
            await delete(self.house, self.rng.choice(known))

    async def narrow(self) -> None:
        item = dict(self.standing["items"][0])
        item["fields"] = [path for path in item["fields"] if path == "name" or self.rng.random() < 0.6]
        if self.rng.random() < 0.3:
            item.setdefault("where", {"description": f"version {self.rng.choice([1, 2])}"})
        self.standing = self.standing | {"items": [item] * self.rng.choice([1, 1, 2])}
        await self.house.change(self.grant, "narrow", [self.standing])

    async def widen(self) -> None:
        body = {"change": "widen", "permissions": [self.asked]}
        if (await self.house.owner("POST", f"/grants/{self.grant}/draft", body)).status == 200:
            await self.house.change(self.grant, "widen", [self.asked])
            self.standing, self.approved = self.asked, set(await ids(self.house))

    async def pause(self) -> None:
        await self.house.change(self.grant, "pause" if self.live else "resume")
        self.live = not self.live


@pytest.mark.requirement("GRA-14")
@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(3))
async def test_no_sequence_of_changes_shows_what_was_not_approved(tmp_path: Path, seed: int) -> None:
    """Only an edit and a widening may show more than before, and what came since the approval is not among it."""
    async with open_house(tmp_path / "node") as house:
        walk = Walk(house, seed)
        held = await walk.begin()
        before: set[str] | None = None
        for _ in range(30):
            steps = (walk.add, walk.edit, walk.delete, walk.narrow, walk.narrow, walk.widen, walk.pause)
            step = walk.rng.choice(steps)
            await step()
            if not walk.live:
                before = None
                continue
            shown = await names(held)
            assert shown <= walk.approved, step.__name__
            if before is not None and step.__name__ not in ("edit", "widen"):
                assert shown <= before, step.__name__
            before = shown
        assert (await house.own("POST", "/verify", {}))["intact"]


@pytest.mark.asyncio
async def test_a_deletion_makes_stale_what_showed_the_record_and_tells_nobody_else(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        await house.import_file(contacts(1, 3))
        book = await house.relate([BOOK])
        about_self = await house.relate([MARKETING], name="Other Shop")
        paused = await house.relate([OPEN_BOOK], name="Third Shop")
        chosen = await house.relate(
            [permission("book", ["name"], where={"name": "Contact 1"}, newRecords=True, **NEWS)],
            name="Fourth",
        )
        await house.change(paused.grant, "pause")
        await add(house, 4)
        cursor = (await book.get("/book/records?limit=1")).json["next"]

        async def told(held: Held) -> int:
            return (await kinds(house, held.grant)).count("changed record-deleted")

        await delete(house, "Contact 4")
        assert [await told(held) for held in (book, about_self, paused, chosen)] == [0, 0, 1, 0]
        assert (await book.get(f"/book/records?limit=1&cursor={cursor}")).status == 200
        await delete(house, "Contact 2")
        assert [await told(held) for held in (book, about_self, paused, chosen)] == [1, 0, 2, 0]
        stale = await book.get(f"/book/records?limit=1&cursor={cursor}")
        assert (stale.status, stale.code) == (409, "cursor-stale")
        assert await names(book) == called(1, 3) | {"Ada Example"}
        await delete(house, "Contact 1")
        await delete(house, "Ada Example")
        assert [await told(held) for held in (book, about_self, paused, chosen)] == [3, 1, 4, 1]
        epochs = [(await house.own("GET", f"/grants/{held.grant}"))["epoch"] for held in (book, about_self)]
        assert epochs == [4, 2]
        assert (await house.own("POST", "/verify", {}))["intact"]
