"""Which records a grant shows: those that matched when they were approved, and no others by any detour."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.encoding import Document
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


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_no_sequence_of_changes_shows_what_was_not_approved(tmp_path: Path, seed: int) -> None:
    """Only an approval and a widening may show more than before; what came since is never among it."""
    rng = random.Random(seed)
    fields = ("name", "description", "telephone")

    def narrower(of: Document) -> Document:
        item = dict(of["items"][0])
        item["fields"] = [path for path in item["fields"] if path == "name" or rng.random() < 0.6]
        if rng.random() < 0.3:
            item["where"] = {"description": rng.choice(["version 1", "version 2"])}
        return of | {"items": [item] * rng.choice([1, 1, 2])}

    async with open_house(tmp_path / "node") as house:
        asked = permission("book", fields, **NEWS)
        await house.import_file(contacts(1, rng.choice([0, 3])) or ADA)
        held = await house.relate([asked])
        standing, approved, counter, live = asked, set(await ids(house)), 100, True
        for _ in range(40):
            before = await names(held) if live else None
            change = rng.choice(["add", "edit", "delete", "narrow", "narrow", "widen", "pause"])
            known = sorted(await ids(house))
            if change == "add":
                counter += 1
                await add(house, counter)
            elif change == "edit" and known:
                await edit(house, rng.choice(known), description=f"version {rng.choice([1, 2])}")
            elif change == "delete" and known:
                await delete(house, rng.choice(known))
            elif change == "narrow":
                standing = narrower(standing)
                await house.change(held.grant, "narrow", [standing])
            elif change == "widen" and standing != asked:
                if (await house.owner("POST", f"/grants/{held.grant}/draft",
                                      {"change": "widen", "permissions": [asked]})).status == 200:  # fmt: skip
                    await house.change(held.grant, "widen", [asked])
                    standing, approved = asked, set(await ids(house))
            elif change == "pause":
                await house.change(held.grant, "pause" if live else "resume")
                live = not live
            if live:
                shown = await names(held)
                assert shown <= approved, (seed, change)
                if change in ("narrow", "add", "pause", "delete") and before is not None:
                    assert shown <= before, (seed, change)
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
