"""What is told to who listens, and when: that a view changed, after a random delay; a new version, at once."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import freehold_node.events
import freehold_node.news
import freehold_node.view
import pytest
from ears import Ear, listening, settled
from freehold_node.ambient import Ambient
from freehold_node.events import due_in_order, is_due, note_views
from freehold_node.news import News
from freehold_node.sealing import NONCE_BYTES, open_sealed, seal
from freehold_node.store.rows import EventRow
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document
from freehold_protocol.record import content_of
from harness import ADA, START_S, Held, House, TestClock, open_house, permission
from shop import COURIER, MARKETING, contacts, delivery, keys_of, kinds, shop

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
Write = Callable[[House], Awaitable[Any]]


def clock_of(house: House) -> TestClock:
    assert house.clock is not None
    return house.clock


async def record_of(house: House, label: str) -> tuple[str, Document]:
    listed = (await house.own("GET", "/records?limit=1000"))["records"]
    found = {one["label"]: one["id"].removeprefix("urn:uuid:") for one in listed}[label]
    return found, await house.own("GET", f"/records/{found}")


async def edit(house: House, label: str = "Ada Example", **members: Any) -> None:
    """Edit a record; a member that is None goes."""
    record, seen = await record_of(house, label)
    content = {name: value for name, value in (seen["content"] | members).items() if value is not None}
    await house.own("PUT", f"/records/{record}", {"content": content, "previous": seen["cid"]})


def editing(label: str = "Ada Example", **members: Any) -> Write:
    return lambda house: edit(house, label, **members)


def adding(**content: Any) -> Write:
    return lambda house: house.own("POST", "/records", {"content": content})


def deleting(label: str) -> Write:
    async def delete(house: House) -> None:
        record, _ = await record_of(house, label)
        assert (await house.owner("DELETE", f"/records/{record}")).status == 204

    return delete


def choosing(label: str) -> Write:
    async def choose(house: House) -> None:
        record, _ = await record_of(house, label)
        await house.own("PUT", "/self", {"record": "urn:uuid:" + record})

    return choose


def importing(data: bytes, me: str | None = None) -> Write:
    return lambda house: house.import_file(data, me=me)


async def rows_of(house: House, grant: str) -> list[EventRow]:
    return await house.node.store.read(lambda reader: reader.events(house.node.owner, grant))


async def waiting_s(house: House, grant: str) -> list[float]:
    """Return in how many seconds each event falls due that is not due yet."""
    now_us = house.node.ambient.clock.now_us()
    return [(row.due_us - now_us) / 1e6 for row in await rows_of(house, grant) if not is_due(row, now_us)]


async def book(house: House) -> Held:
    """The person and three contacts; everything in GIVEN is shared."""
    await house.import_file(ADA, me="Ada Example")
    await house.import_file(contacts(1, 3), name="contacts.vcf")
    return await house.relate(GIVEN)


# What is told


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
        importing(ADA.replace(b"ada-1", b"ada-2").replace(b"Ada Example", b"Ada Two"), "Ada Two"),
        {"delivery", "marketing", "circle"},
    ),
}  # fmt: skip


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
            await edit(house, **({"label": "Ada B"} if "Ada B" in str(members) and told else {}), **members)
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


# When


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


# Where a stream goes on


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


async def opened(house: House, grant: str, last_id: str | None, scope: str | None) -> int | None:
    """Return the position in an id, which only the node can."""
    keys = await keys_of(house, grant)
    bound = jcs(["events", grant, scope, keys.generation_tag(1)])
    plain = open_sealed(keys.cursor, last_id or "", bound=bound)
    return None if plain is None else int.from_bytes(plain, "big")


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
        await house.own("POST", "/clock/confirm", {"passphrase": "correct horse battery staple"})
        await edit(house, name="Ada B")
        clock_of(house).step_wall(-3000)
        await house.own("POST", "/clock/confirm", {"passphrase": "correct horse battery staple"})
        async with listening(held, last_id=ear.last_id) as again:
            await again.told("changed delivery")
            await edit(house, "Ada B", name="Ada C")
            assert 0 < (await waiting_s(house, held.grant))[0] <= JITTER_S
            clock_of(house).advance(JITTER_S)
            assert [one.told for one in await again.now(house)] == ["changed delivery"]


# What it costs


async def test_the_cost_is_of_the_record_and_not_of_all_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    shown_of = freehold_node.view.shown_of

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
        # One look finds that the circle changed; each newcomer is asked whether it is chosen; nobody is about self.
        assert looked.count("circle") == 8
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
