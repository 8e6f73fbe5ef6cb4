"""What is told to who listens: that what a permission shows has changed, or that the grant has; and what that costs."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import freehold_node.events
import freehold_node.news
import freehold_node.shown
import pytest
from changing import (
    Write,
    adding,
    choosing,
    clock_of,
    deleting,
    edit,
    editing,
    importing,
    record_of,
    rows_of,
)
from ears import listening, settled
from freehold_node.news import News
from freehold_node.store.rows import EventRow
from freehold_protocol import limits
from freehold_protocol.record import content_of
from harness import ADA, START_S, Held, House, open_house, permission
from shop import COURIER, MARKETING, contacts, delivery, kinds, shop

pytestmark = pytest.mark.asyncio
JITTER_S = limits.EVENT_JITTER_S
NEWS = {"purpose": "dpv:Marketing", "about": "any"}
GIVEN = [
    delivery(),
    MARKETING,
    permission("circle", ["name"], newRecords=True, **NEWS),
    permission("book", ["name"], **NEWS),
    permission("chosen", ["name"], where={"description": "version 1"}, newRecords=True, **NEWS),
]


async def book(house: House) -> Held:
    """The person and three contacts; everything in GIVEN is shared."""
    await house.import_file(ADA, me="Ada Example")
    await house.import_file(contacts(1, 3), name="contacts.vcf")
    return await house.relate(GIVEN)


# What is told


ADA_TWO = ADA.replace(b"ada-1", b"ada-2").replace(b"Ada Example", b"Ada Two")
TOLD: dict[str, tuple[Write, set[str]]] = {
    "a field that is not shown": (editing(telephone="+44 1632 960002"), set()),
    "a part of an address that is not shown": (
        editing(address={"type": "PostalAddress", "postalCode": "EX1 2AB", "streetAddress": "Elsewhere 1"}),
        set(),
    ),
    "the part that is": (
        editing(address={"type": "PostalAddress", "postalCode": "EX9 9ZZ"}),
        {"delivery"},
    ),
    "nothing at all": (editing(), set()),
    "a field of one permission": (editing(email="a@example.com"), {"marketing"}),
    "a field that goes": (editing(email=None), {"marketing"}),
    "a field of several": (editing(name="Ada B"), {"delivery", "circle", "book"}),
    "a contact's field that is shown of the person only": (editing("Contact 1", email="c@example.com"), set()),
    "a contact's name": (editing("Contact 1", name="Contact One"), {"circle", "book", "chosen"}),
    "a contact that matches no more": (editing("Contact 1", description="version 2"), {"chosen"}),
    "a new contact": (adding(type="Person", name="Contact 9"), {"circle"}),
    "a new contact that matches": (
        adding(type="Person", name="Contact 9", description="version 1"),
        {"circle", "chosen"},
    ),
    "a new contact without what is shown": (adding(type="Person", email="x@example.com"), {"circle"}),
    "a record of another type": (adding(type="Order", orderNumber="7"), set()),
    "a contact that becomes something else": (
        editing("Contact 1", type="Organization"), {"circle", "book", "chosen"},
    ),
    "a contact that is deleted": (deleting("Contact 1"), {"circle", "book", "chosen"}),
    "the person's record, deleted": (
        deleting("Ada Example"), {"delivery", "marketing", "circle", "book"},
    ),
    "another self": (choosing("Contact 1"), {"delivery", "marketing"}),
    "the same self": (choosing("Ada Example"), set()),
    "the same file": (importing(ADA, "Ada Example"), set()),
    "a file with one change": (importing(ADA.replace(b"ada@", b"ada.b@")), {"marketing"}),
    "a file with a new person who is me": (
        importing(ADA_TWO, "Ada Two", switch=True), {"delivery", "marketing", "circle"},
    ),
    "the same, put into what there is of me": (importing(ADA_TWO, "Ada Two"), set()),
}  # fmt: skip


@pytest.mark.requirement("HTTP-48", "PRV-6")
@pytest.mark.parametrize(("write", "told"), TOLD.values(), ids=TOLD)
async def test_only_a_change_of_what_is_shown_is_told(tmp_path: Path, write: Write, told: set[str]) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await book(house)
        async with listening(held) as ear:
            await ear.told("ready")
            await write(house)
            clock_of(house).advance(JITTER_S)
            assert sorted(one.told for one in await ear.now(house)) == [
                f"changed {name}" for name in sorted(told)
            ]


async def test_values_are_compared_as_json_and_not_as_python_does(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await book(house)
        record, _ = await record_of(house, "Contact 1")
        async with listening(held, "/circle") as ear:
            await ear.told("ready")
            for name, told in (
                (1, True),
                (True, True),
                (1, True),
                (1.0, False),
                (["a", "b"], True),
                (["b", "a"], True),
            ):
                seen = await house.own("GET", f"/records/{record}")
                content = seen["content"] | {"name": name}
                await house.own("PUT", f"/records/{record}", {"content": content, "previous": seen["cid"]})
                clock_of(house).advance(JITTER_S)
                assert bool(await ear.now(house)) is told, name


async def contents(held: Held) -> dict[str, Any]:
    """Return what every permission shows now, without its signatures."""
    found: dict[str, Any] = {}
    for given in GIVEN:
        reply = await held.get(f"/{given['name']}/records?limit=100")
        found[given["name"]] = {one["id"]: one["version"] for one in reply.json["items"]}
    return found


PEOPLE = ("Ada Example", "Contact 1", "Contact 2")
RANDOM_WRITES: list[Callable[[random.Random], Write]] = [
    lambda rng: editing(
        rng.choice(PEOPLE),
        **{
            rng.choice(("email", "telephone", "description")): rng.choice(
                (None, "version 1", "version 2", "x@example.com")
            )
        },
    ),
    lambda rng: editing(
        address={"type": "PostalAddress", "postalCode": rng.choice("AB"), "addressLocality": rng.choice("AB")}
    ),
    lambda rng: choosing(rng.choice(PEOPLE)),
    lambda rng: adding(
        type=rng.choice(("Person", "Order")), name=f"Newcomer {rng.random()}", description="version 1"
    ),
    lambda rng: importing(
        contacts(1, rng.randrange(1, 6)).replace(b"version 1", rng.choice((b"version 1", b"v 3")))
    ),
    lambda _: deleting("Contact 3"),
    lambda rng: importing(contacts(3, 1), rng.choice((None, "Contact 3"))),
]


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_told_is_what_reading_would_show(tmp_path: Path, seed: int) -> None:
    """Whatever is written: a permission is told of exactly if a read of it before and one after differ."""
    rng = random.Random(seed)
    counted = 0
    async with open_house(tmp_path / "node") as house:
        held = await book(house)
        async with listening(held) as ear:
            await ear.told("ready")
        before = await contents(held)
        for _ in range(25):
            write = rng.choice(RANDOM_WRITES)(rng)
            with suppress(KeyError):  # there is no such record any more, or not yet
                await write(house)
            after = await contents(held)
            clock_of(house).advance(JITTER_S)
            async with listening(held, last_id=ear.last_id) as again:
                told = {one.permission for one in await again.now(house)}
            assert told == {name for name in after if after[name] != before[name]}
            ear.last_id = again.last_id or ear.last_id
            counted += len(told)
            before = after
    assert counted > 10


async def test_each_grant_is_told_of_its_own_views(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house, AsyncExitStack() as stack:
        await house.import_file(ADA, me="Ada Example")
        one = await house.relate([delivery()])
        other = await house.relate([MARKETING], name="Other Shop")
        ears = [await stack.enter_async_context(listening(held)) for held in (one, other)]
        for ear in ears:
            await ear.told("ready")
        for members, told in (({"email": "b@example.com"}, 1), ({"name": "Ada B"}, 0)):
            await edit(house, **members)
            clock_of(house).advance(JITTER_S)
            assert [bool(await ear.now(house)) for ear in ears] == [told == 0, told == 1]


async def test_a_permission_s_stream_hears_of_itself_and_of_the_grant(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        async with listening(courier, "/delivery") as ear, listening(held) as vendors:
            await ear.told("ready")
            await vendors.told("ready")
            await edit(house, email="b@example.com")
            clock_of(house).advance(JITTER_S)
            assert [one.told for one in await vendors.now(house)] == ["changed marketing"]
            assert await ear.now(house) == []
            await edit(house, name="Ada B")
            clock_of(house).advance(JITTER_S)
            assert [one.told for one in await ear.now(house)] == ["changed delivery"]
            await house.change(held.grant, "narrow", [delivery()])
            await ear.told("grant")


async def test_a_new_version_is_told_at_once_and_stands_for_all_before_it(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            await edit(house, name="Ada B", email="b@example.com")
            await house.change(held.grant, "narrow", [delivery()])
            await ear.told("grant")
            await house.change(held.grant, "widen", [delivery(), MARKETING])
            await ear.told("grant")
            clock_of(house).advance(JITTER_S)
            assert await ear.now(house) == []
            assert len(await rows_of(house, held.grant)) == 1


async def test_a_paused_grant_is_kept_news_for_and_a_stopped_one_is_not(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        await house.change(held.grant, "pause")
        await edit(house, name="Ada B")
        assert [row.permission for row in await rows_of(house, held.grant)] == [None, "delivery"]
        await house.change(held.grant, "end")
        before = await rows_of(house, held.grant)
        await edit(house, "Ada B", name="Ada C")
        assert await rows_of(house, held.grant) == before


# What it costs


async def test_the_cost_is_of_the_record_and_not_of_all_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    shown_of = freehold_node.shown.shown_of

    def counted(given: Any, row: Any, *rest: Any) -> Any:
        looked.append(given.name)
        return shown_of(given, row, *rest)

    monkeypatch.setattr(freehold_node.news, "shown_of", counted)
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        await house.import_file(contacts(1, 300), name="a.vcf")
        assert looked == []
        for number in range(8):
            await house.relate(GIVEN, name=f"Shop {number}")
        await edit(house, telephone="+44 1")
        assert len(looked) <= 8 * len(GIVEN) * 2
        looked.clear()
        await house.import_file(contacts(301, 300).replace(b"version 1", b"version 9"), name="b.vcf")
        # In each of the three parts one look finds that the circle changed; each newcomer is asked whether it is
        # chosen; nobody is about self.
        assert looked.count("circle") == 3 * 8
        assert looked.count("chosen") == 8 * 300
        assert set(looked) == {"circle", "chosen"}


async def test_who_the_person_is_counts_from_when_it_is_chosen(tmp_path: Path) -> None:
    """In one transaction: another self, and then a change by which that one is shown."""
    chosen = permission("chosen", ["name"], where={"description": "version 9"}, newRecords=True)
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        await house.import_file(contacts(1, 2), name="contacts.vcf")
        held, node = await house.relate([chosen]), house.node
        ids = {name: "urn:uuid:" + (await record_of(house, name))[0] for name in ("Ada Example", "Contact 1")}

        def write(tx: Any, name: str) -> list[EventRow]:
            news = News(tx, node.owner, node.ambient)
            tx.set_self(node.owner, ids["Contact 1"])
            news.chose_self(ids["Contact 1"])
            row = tx.record(node.owner, ids[name])
            content = content_of(json.loads(row.document)) | {"description": "version 9"}
            node.records._write(tx, news, row, content, {"type": "Person"}, START_S, source_key=None)
            news.tell()
            found: list[EventRow] = tx.events(node.owner, held.grant)
            return found

        assert await node.store.write(lambda tx: write(tx, "Ada Example")) == []
        assert [row.permission for row in await node.store.write(lambda tx: write(tx, "Contact 1"))] == [
            "chosen"
        ]


async def test_a_write_that_fails_tells_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        record, seen = await record_of(house, "Ada Example")
        body = {"content": seen["content"] | {"name": "Ada B"}, "previous": "bother"}
        assert (await house.owner("PUT", f"/records/{record}", body)).status == 409
        assert await rows_of(house, held.grant) == []
        assert "refused" not in " ".join(await kinds(house, held.grant))


async def test_what_is_told_holds_no_data(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await edit(house, name="Ada Canary")
            clock_of(house).advance(JITTER_S)
            await settled(house)
            received = bytes(ear.raw) + await asyncio.wait_for(ear.reader.read(65536), 20)
            assert b"changed" in received
            for word in (
                b"Canary",
                b"Example",
                held.grant.encode(),
                b"urn:",
                json.dumps(ear.headers).encode(),
            ):
                assert word not in received
