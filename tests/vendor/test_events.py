"""Listening with the vendor library: what it hears, how it comes back, and what it makes of strange streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from freehold_node.keystore import Keys
from freehold_protocol import limits
from freehold_protocol.errors import (
    ConflictError,
    ExpiredError,
    MalformedError,
    NotSharedError,
    RevokedError,
    TooLargeError,
)
from freehold_vendor import Access, Delegation, Event, Vendor
from freehold_vendor import events as listening
from freehold_vendor.events import EventParser
from harness import ADA, PASSPHRASE, TestClock, free_port, open_house
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_scene import COURIER, GIVEN, Liar, Scene, ambient_of, grant_id, identity

DAY_S = 86_400
WAIT_S = 60
Listener = AsyncIterator[Event]


@asynccontextmanager
async def listener(access: Access, permission: str | None = None) -> AsyncIterator[Listener]:
    async with aclosing(access.events(permission)) as events:
        yield events


async def told(events: Listener) -> str:
    """Return the next event, as ``changed delivery``; ``end`` at the end."""
    async with asyncio.timeout(WAIT_S):
        try:
            event = await anext(events)
        except StopAsyncIteration:
            return "end"
    return f"{event.kind} {event.permission}" if event.permission else event.kind


async def passes(scene: Scene, seconds: float = limits.EVENT_JITTER_S) -> None:
    scene.clock.advance(seconds)
    scene.house.node.streams.stir()


# What it hears


@pytest.mark.asyncio
async def test_it_hears_when_to_read_again(scene: Scene) -> None:
    access = await scene.relate()
    async with listener(access) as events:
        assert await told(events) == "ready"
        await scene.edit(name="Ada B")
        await passes(scene)
        assert {await told(events), await told(events)} == {"changed delivery", "changed circle"}
        [ada] = (await access.read("delivery")).records
        assert ada["name"] == "Ada B"
        await scene.change(access, "narrow", GIVEN[:2])
        assert await told(events) == "grant"
        assert [one.name for one in (await access.refresh()).permissions] == ["delivery", "marketing"]


@pytest.mark.asyncio
async def test_it_hears_of_one_permission(scene: Scene) -> None:
    access = await scene.relate()
    async with listener(access, "marketing") as events:
        assert await told(events) == "ready"
        await scene.edit(name="Ada B")
        await passes(scene)
        await scene.edit(email="b@example.com")
        await passes(scene)
        assert await told(events) == "changed marketing"
    with pytest.raises(MalformedError):
        await anext(access.events("No Such Name"))
    with pytest.raises(NotSharedError):
        await anext(access.events("nothing"))


@pytest.mark.asyncio
@pytest.mark.parametrize(("change", "state"), [("pause", "paused"), ("end", "ended")])
async def test_it_ends_when_the_grant_stops_and_says_how_it_stands(
    scene: Scene, change: str, state: str
) -> None:
    access = await scene.relate()
    async with listener(access) as events:
        assert await told(events) == "ready"
        await scene.change(access, change)
        assert await told(events) == "end"
    assert access.standing is not None
    assert access.standing.state == state
    async with listener(access) as events:
        assert await told(events) == "end"


@pytest.mark.asyncio
async def test_it_ends_with_the_grant_s_time(scene: Scene) -> None:
    access = await scene.relate(days=2)
    async with listener(access) as events:
        assert await told(events) == "ready"
        await passes(scene, 2 * DAY_S)
        assert await told(events) == "end"


@pytest.mark.asyncio
async def test_it_goes_on_after_a_pause_where_it_was(scene: Scene) -> None:
    access = await scene.relate()
    async with listener(access) as events:
        assert await told(events) == "ready"
        await scene.change(access, "pause")
        await scene.change(access, "resume")
        assert await told(events) == "grant"


@pytest.mark.asyncio
async def test_it_comes_back_after_an_hour_and_renews_its_capability(scene: Scene) -> None:
    access = await scene.relate()
    async with listener(access) as events:
        assert await told(events) == "ready"
        for seconds in (limits.EVENT_STREAM_S, limits.CAPABILITY_DAYS * DAY_S):
            await scene.edit(email=f"{seconds}@example.com")
            before = access.capability
            await passes(scene, seconds)
            assert await told(events) == "changed marketing"
        assert access.capability is not before


@pytest.mark.asyncio
async def test_an_access_without_a_capability_listens_all_the_same(scene: Scene) -> None:
    access = await scene.relate()
    scene.clock.advance((limits.CAPABILITY_DAYS + 1) * DAY_S)
    async with listener(access) as events:
        assert await told(events) == "ready"


# Partners


async def handed_on(scene: Scene, access: Access, courier: Vendor, **more: Any) -> tuple[Access, Delegation]:
    delegation = await access.delegate(COURIER.did, "delivery", **more)
    return await courier.accept(delegation.to_dict()), delegation


@asynccontextmanager
async def courier(scene: Scene) -> AsyncIterator[Vendor]:
    async with Vendor(
        COURIER, allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=6)
    ) as vendor:
        yield vendor


@pytest.mark.asyncio
async def test_a_partner_hears_of_what_was_delegated_to_it(scene: Scene) -> None:
    access = await scene.relate()
    async with courier(scene) as vendor:
        partner, _ = await handed_on(scene, access, vendor)
        async with listener(partner) as events:
            assert await told(events) == "ready"
            await scene.edit(email="b@example.com")
            await passes(scene)
            await scene.edit(name="Ada B")
            await passes(scene)
            assert await told(events) == "changed delivery"
            await scene.change(access, "end")
            assert await told(events) == "end"
        assert partner.standing is not None
        assert partner.standing.state == "ended"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("taking", "error"),
    [
        (lambda scene, access, one: access.revoke(one), RevokedError),
        (
            lambda scene, access, _: scene.house.own(
                "POST", f"/grants/{grant_id(access)}/revocations", {"partner": COURIER.did}
            ),
            RevokedError,
        ),
        (lambda scene, access, _: scene.change(access, "narrow", [GIVEN[1]]), NotSharedError),
        (lambda scene, _, __: passes(scene, 3600), ExpiredError),
    ],
    ids=["by the vendor", "by the person", "narrowed", "by time"],
)
async def test_a_partner_that_was_cut_off_is_told_so(
    scene: Scene, taking: Callable[[Scene, Access, Delegation], Awaitable[Any]], error: type[Exception]
) -> None:
    access = await scene.relate()
    async with courier(scene) as vendor:
        partner, delegation = await handed_on(scene, access, vendor, expires_s=scene.clock.now_s + 3600)
        async with listener(partner) as events:
            assert await told(events) == "ready"
            await taking(scene, access, delegation)
            with pytest.raises(error):
                await told(events)


# A node that is away


class Waiting:
    """What is slept through: nothing passes before it is let."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.asleep, self.go = asyncio.Event(), asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.asleep.set()
        await self.go.wait()


@pytest.mark.asyncio
async def test_it_waits_for_a_node_that_is_away_and_misses_nothing(
    node_folder: Path, key_store: tuple[Path, Keys]
) -> None:
    clock, port, waiting = TestClock(), free_port(), Waiting()
    ambient = ambient_of(clock, sleep=waiting.sleep)
    async with Vendor(identity(1), allow_private_addresses=True, ambient=ambient) as vendor:
        async with open_house(node_folder, keys=key_store[1], clock=clock, port=port) as house:
            await house.import_file(ADA, me="Ada Example")
            access = await Scene(house, vendor, clock).relate()
            events = access.events()
            assert await told(events) == "ready"
        hearing = asyncio.create_task(told(events))
        await asyncio.wait_for(waiting.asleep.wait(), WAIT_S)
        async with open_house(node_folder, keys=key_store[1], clock=clock, port=port, seed=9) as house:
            await Scene(house, vendor, clock).edit(email="b@example.com")
            clock.advance(limits.EVENT_JITTER_S)
            waiting.go.set()
            assert await hearing == "changed marketing"
            await events.aclose()


@pytest.mark.asyncio
async def test_it_goes_on_under_new_keys(scene: Scene) -> None:
    access = await scene.relate()
    async with listener(access) as events:
        assert await told(events) == "ready"
        await scene.change(access, "rotate")
        assert await told(events) == "reset"  # by new keys, no telling where it was
        await scene.edit(email="b@example.com")
        await passes(scene)
        assert await told(events) == "changed marketing"
    await scene.change(access, "rotate")
    async with listener(access) as events:
        assert await told(events) == "ready"


@pytest.mark.asyncio
async def test_it_goes_on_where_the_node_moved(node_folder: Path, key_store: tuple[Path, Keys]) -> None:
    clock, port = TestClock(), free_port()
    async with Vendor(identity(1), allow_private_addresses=True, ambient=ambient_of(clock)) as vendor:
        async with open_house(node_folder, keys=key_store[1], clock=clock) as house:
            await house.import_file(ADA, me="Ada Example")
            access = await Scene(house, vendor, clock).relate()
            moved = {"origin": f"http://127.0.0.1:{port}", "passphrase": PASSPHRASE}
            await house.own("POST", "/origins", moved)
            await access.refresh()
            events = access.events()
            assert await told(events) == "ready"
        async with open_house(node_folder, keys=key_store[1], clock=clock, port=port, seed=9) as house:
            await Scene(house, vendor, clock).edit(email="b@example.com")
            clock.advance(limits.EVENT_JITTER_S)
            assert await told(events) == "changed marketing"
            assert access.grant.startswith(moved["origin"])
            await events.aclose()


# Strange streams

READY = b"event: ready\nid: A\ndata: {}\n\n"
CHANGED = b'event: changed\nid: B_-9\ndata: {"permission":"delivery"}\n\n'


class Enough(Exception):  # noqa: N818
    """It was slept often enough."""


@asynccontextmanager
async def strange(
    liar: Liar, answer: Callable[[web.Request], Awaitable[web.StreamResponse]], *, attempts: int = 1
) -> AsyncIterator[tuple[Listener, list[float]]]:
    """Listen to somebody who answers so; gives what was heard from, and how long was waited between attempts."""
    access, slept = await liar.relate(), list[float]()

    async def instead(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/events"):
            return await answer(request)
        passing = await liar.between._pass_on(request)
        return web.Response(status=passing.status, headers=passing.headers, body=passing.body or None)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == attempts:
            raise Enough

    outside = access._holder.outside
    access._holder.outside = replace(outside, ambient=replace(outside.ambient, sleep=sleep))
    liar.between.instead = instead
    async with listener(access) as events:
        yield events, slept


def saying(*pieces: bytes, **headers: str) -> Any:
    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"} | named)
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        return response

    return answer


async def for_ever(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b":" * 4096)
    return response


async def say_nothing_more(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(READY)
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(30)
    return response


async def elsewhere(_: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/elsewhere"})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (saying(b"x" * 2000), TooLargeError),
        (saying(*[b"x"] * 2000), TooLargeError),
        (for_ever, TooLargeError),
        (saying(READY, Content_Encoding="gzip"), MalformedError),
        (saying(READY, Content_Type="application/json"), MalformedError),
        (saying(READY.replace(b"ready", b"bother")), MalformedError),
        (saying(b"<html>\n\n"), MalformedError),
        (elsewhere, MalformedError),
    ],
)
async def test_what_is_no_stream_of_a_node_s_is_refused(
    liar: Liar, answer: Any, error: type[Exception]
) -> None:
    async with strange(liar, answer) as (events, _):
        with pytest.raises(error):
            await told(events)


@pytest.mark.asyncio
async def test_a_stream_on_which_nothing_comes_is_given_up(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "IDLE_S", 0.1)
    async with strange(liar, say_nothing_more) as (events, _):
        assert await told(events) == "ready"
        with pytest.raises(Enough):
            await told(events)


@pytest.mark.asyncio
async def test_whoever_hangs_up_at_once_is_tried_ever_more_slowly(liar: Liar) -> None:
    async with strange(liar, saying(READY), attempts=12) as (events, slept):
        heard = [await told(events) for _ in range(12)]
        with pytest.raises(Enough):
            await told(events)
    assert set(heard) == {"ready"}
    assert all(2**n / 2 <= one <= 2**n for n, one in enumerate(slept[:6]))
    assert all(30 <= one <= 60 for one in slept[6:])


@pytest.mark.asyncio
@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("999999", 3600)])
async def test_it_waits_as_long_as_a_node_asks_for_but_not_for_days(
    liar: Liar, asked: str, waited: int
) -> None:
    async def later(_: web.Request) -> web.StreamResponse:
        body = json.dumps({"code": "unavailable", "detail": "Later."}).encode()
        headers = {"Content-Type": "application/problem+json", "Retry-After": asked}
        return web.Response(status=503, body=body, headers=headers)

    async with strange(liar, later, attempts=2) as (events, slept):
        with pytest.raises(Enough):
            await told(events)
    assert slept == [waited, waited]


@pytest.mark.asyncio
async def test_too_many_streams_are_a_mistake_at_first_and_a_ghost_later(liar: Liar) -> None:
    async def conflict(_: web.Request) -> web.StreamResponse:
        body = json.dumps({"code": "conflict", "detail": "Too many."}).encode()
        return web.Response(status=409, body=body, headers={"Content-Type": "application/problem+json"})

    answers = [saying(READY), conflict, saying(CHANGED)]

    async def in_turn(request: web.Request) -> web.StreamResponse:
        return cast("web.StreamResponse", await answers.pop(0)(request))

    async with strange(liar, conflict) as (events, _):
        with pytest.raises(ConflictError):
            await told(events)
    async with strange(liar, in_turn, attempts=9) as (events, _):
        assert [await told(events), await told(events)] == ["ready", "changed delivery"]


@pytest.mark.asyncio
async def test_it_says_where_it_was_and_signs_anew(liar: Liar) -> None:
    asked: list[dict[str, str]] = []
    answers = [saying(READY, CHANGED), saying(), saying(READY)]

    async def noted(request: web.Request) -> web.StreamResponse:
        asked.append({name.lower(): value for name, value in request.headers.items()})
        return cast("web.StreamResponse", await answers.pop(0)(request))

    async with strange(liar, noted, attempts=9) as (events, _):
        assert [await told(events) for _ in range(3)] == ["ready", "changed delivery", "ready"]
    assert [one.get("last-event-id") for one in asked] == [None, "B_-9", "B_-9"]
    assert len({one["signature"] for one in asked}) == 3
    assert {one["accept"] for one in asked} == {"text/event-stream"}


# The parser


@given(st.lists(st.integers(1, 40), max_size=40))
@settings(max_examples=200, deadline=None)
def test_events_are_the_same_however_they_come(cuts: list[int]) -> None:
    data = READY + b":\n\n" + CHANGED * 3 + b": still here\n\n" + READY.replace(b"ready", b"reset")
    whole = EventParser().feed(data)
    assert [one.kind for one in whole] == ["ready", "changed", "changed", "changed", "reset"]
    assert (whole[1].permission, whole[1].id) == ("delivery", "B_-9")
    parser, found, at = EventParser(), list[Event](), 0
    for cut in [*cuts, len(data)]:
        found += parser.feed(data[at : at + cut])
        at += cut
    assert found == whole


@given(st.binary(max_size=200), st.binary(max_size=3000))
@settings(max_examples=300, deadline=None)
def test_nothing_but_events_comes_of_anything(one: bytes, other: bytes) -> None:
    parser = EventParser()
    with suppress(MalformedError):
        for data in (one, other, READY + other, CHANGED):
            assert all(isinstance(event, Event) for event in parser.feed(data))
            assert len(parser._rest) <= limits.MAX_EVENT_BYTES


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"event: ready",
        b"event: ready\nid: A",
        b"event: ready\ndata: {}",
        b"event: ready\nid: A\ndata: {}\nretry: 1",
        b"event: ready\nid: A\nid: B\ndata: {}",
        b"event: ready\nid: \ndata: {}",
        b"event: ready\nid: a b\ndata: {}",
        b"event: ready\nid: A\ndata: ",
        b"event: ready\nid: A\ndata: []",
        b'event: ready\nid: A\ndata: {"permission":"delivery"}',
        b'event: grant\nid: A\ndata: {"version":2}',
        b"event: changed\nid: A\ndata: {}",
        b'event: changed\nid: A\ndata: {"permission":7}',
        b'event: changed\nid: A\ndata: {"permission":"../owner"}',
        b'event: changed\nid: A\ndata: {"permission":"a","permission":"b"}',
        b'event: changed\nid: A\ndata: {"permission":"delivery","name":"Ada"}',
        b"event: message\nid: A\ndata: {}",
        b"event:ready\nid:A\ndata:{}",
        b"event: ready\r\nid: A\r\ndata: {}",
        b"\xef\xbb\xbfevent: ready\nid: A\ndata: {}",
        b"event: ready\nid: A\ndata: {}\n: and a comment",
        b"data: {}",
        b"\xff",
    ],
)
def test_what_is_no_event_is_refused(block: bytes) -> None:
    with pytest.raises(MalformedError):
        EventParser().feed(block + b"\n\n")


def test_an_event_has_its_bound() -> None:
    parser = EventParser()
    parser.feed(b":" * limits.MAX_EVENT_BYTES)
    with pytest.raises(TooLargeError):
        parser.feed(b":")
    assert EventParser().feed((b":" * limits.MAX_EVENT_BYTES + b"\n\n") * 100) == []
