"""Streams of events: their form, where they begin and go on, what is told at once, and how many may be open."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final

from ..cast import book
from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Failed, Profile, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.encoding import base64url, from_base64url, jcs
from ..hands.keys import Key
from ..wire import Event, Stream
from .selected import Circle

topic = Topic(profile=Profile.EVENTS)

SOON_S: Final = 15
_QUIET_S: Final = 1.0
_ID: Final = re.compile(rb"[A-Za-z0-9_-]{24,900}")


async def told(stream: Stream, name: str, timeout_s: float = SOON_S) -> Event:
    """Return the next event, which must be of this name and come in time."""
    try:
        event = await stream.next(timeout_s)
    except TimeoutError:
        raise Failed(f"nothing was told in {timeout_s} s, instead of {name}") from None
    if event is None:
        raise Failed(f"the stream was closed instead of telling {name}")
    expect_equal(event.name, name, "event")
    return event


async def expect_quiet(stream: Stream, seconds: float = _QUIET_S) -> None:
    """Check that nothing is told for so long, and the stream stays open."""
    try:
        event = await stream.next(seconds)
    except TimeoutError:
        return
    raise Failed("the stream was closed" if event is None else f"{event.name} was told")


async def _listener(stage: Stage) -> tuple[Circle, Holder]:
    circle = Circle.draw(stage)
    await circle.add("Bea", email="bea@example.com")
    given = [circle.permission(circle.item(["name", "email"]), name=name) for name in ("delivery", "news")]
    return circle, await stage.relate(given)


def _less(circle: Circle) -> dict[str, object]:
    return {"permissions": [circle.permission(name=name) for name in ("delivery", "news")]}


# Form

_PATHS: Final = {"grant": "", "permission": "/delivery"}


@topic.check("HTTP-47", "HTTP-52", "HTTP-46", cases=_PATHS)
async def an_event_is_three_lines(stage: Stage, below: str) -> None:
    """An event is its name, its id and its data, a line each, and an empty one, byte for byte."""
    circle, vendor = await _listener(stage)
    async with vendor.listen(below) as stream:
        expect_equal(stream.answer.status, 200, "status")
        headers = stream.answer.headers
        expect_equal(headers.get("content-type"), "text/event-stream", "Content-Type")
        expect_equal(headers.get("cache-control"), "no-store", "Cache-Control")
        expect("content-encoding" not in headers, "the stream is compressed")
        expect("freehold-entry" not in headers, "the stream has an entry")
        first = await told(stream, "ready")
        await stage.owner.change(vendor.grant, "narrow", **_less(circle))
        second = await told(stream, "grant")
    for event in (first, second):
        parts = re.fullmatch(rb"event: ([a-z]+)\nid: (.+)\ndata: (.+)\n\n", event.raw)
        if parts is None:
            raise Failed(f"{event.raw!r} is not three lines")
        expect(_ID.fullmatch(parts[2]) is not None, f"the id {event.id!r}")
        expect_equal(parts[3], b"{}", "data")
        expect(len(event.raw) <= 1024, "an event of more than 1,024 bytes")


@topic.check("HTTP-51", "HTTP-34")
async def ids_have_nothing_in_common(stage: Stage) -> None:
    """Ids of one position are of one length and share next to no bytes, on one path or two, of one grant or two."""
    circle, vendor = await _listener(stage)
    other = await stage.relate([circle.permission()])
    ids = []
    for holder, below in ((vendor, ""), (vendor, ""), (vendor, "/delivery"), (vendor, "/news"), (other, "")):
        async with holder.listen(below) as stream:
            ids.append((await told(stream, "ready")).id)
    raw = [from_base64url(one) for one in ids]
    expect_equal(len({len(data) for data in raw}), 1, "lengths of the ids")
    for at, one in enumerate(raw):
        for another in raw[at + 1 :]:
            same = sum(a == b for a, b in zip(one, another, strict=True))
            expect(same <= len(one) // 4, "two ids have bytes in common")


@topic.check("HTTP-46", "REQ-10")
async def to_listen_is_no_admission(stage: Stage) -> None:
    """A stream leaves no entry, uses up no read, and is open also when all reads are used up."""
    circle = Circle.draw(stage)
    await circle.add("Bea")
    vendor = await stage.relate([{**circle.permission(), "limits": {"reads": 1}}])
    for below in ("", "/delivery", ""):
        async with vendor.listen(below) as stream:
            await told(stream, "ready")
    expect_equal((await book.of_owner(stage.owner, vendor.grant)).size, 1, "entries after listening")
    await vendor.read("delivery")
    expect_problem(await vendor.get("/delivery/records"), 403, "limit-reached")
    async with vendor.listen() as stream:
        await told(stream, "ready")
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal([entry["kind"] for entry in ledger.entries], ["changed", "admitted", "refused"], "entries")


@topic.check("HTTP-46")
async def the_grant_s_stream_is_the_vendor_s_alone(stage: Stage) -> None:
    """A partner listens to its permission; the stream of the grant is not shared with it, even if it has the target."""
    circle, key = Circle.draw(stage), Key.fresh()
    await circle.add("Bea")
    vendor = await stage.relate([{**circle.permission(), "recipients": [key.did]}])
    whole, partner = vendor.delegate("", key=key), vendor.delegate("/delivery", key=key)
    async with partner.listen("/delivery") as stream:
        await told(stream, "ready")
    for holder, code in ((whole, "not-shared"), (partner, "wrong-target")):
        async with holder.listen() as stream:
            expect_problem(stream.answer, 403, code)
    async with vendor.listen("/nosuch") as stream:
        expect_problem(stream.answer, 403, "not-shared")
    async with vendor.delegate("/delivery").listen("/delivery") as stream:
        expect_problem(stream.answer, 403, "wrong-controller")
    codes = sorted(entry["code"] for entry in (await book.of_owner(stage.owner, vendor.grant)).of("refused"))
    expect_equal(
        codes, ["not-shared", "not-shared", "wrong-controller", "wrong-target"], "refusals in the ledger"
    )


# New versions

_CHANGES: Final = {"narrow": ("narrow",), "widen": ("narrow", "widen"), "twice": ("narrow", "narrow")}


@topic.check("HTTP-50", "HTTP-46", cases=_CHANGES)
async def a_new_version_is_told_at_once(stage: Stage, changes: tuple[str, ...]) -> None:
    """Each new version is told on every stream of the grant when it is made, and on no other grant's."""
    circle, vendor = await _listener(stage)
    other = await stage.relate([circle.permission()])
    async with vendor.listen() as whole, vendor.listen("/news") as part, other.listen() as strange:
        for stream in (whole, part, strange):
            await told(stream, "ready")
        ids = []
        for change in changes:
            item = circle.item(["name"] if change == "narrow" else ["name", "email"])
            given = [circle.permission(item, name=name) for name in ("delivery", "news")]
            await stage.owner.change(vendor.grant, change, permissions=given)
            ids += [(await told(stream, "grant", 5)).id for stream in (whole, part)]
        expect_equal(len(set(ids)), len(ids), "ids")
        await asyncio.gather(*(expect_quiet(stream) for stream in (whole, part, strange)))


@topic.check("HTTP-49", "HTTP-48")
async def no_change_of_a_record_is_told_at_once(stage: Stage) -> None:
    """Of many grants that show what was changed next to none is told in the first seconds, on whatever stream."""
    circle = Circle.draw(stage)
    record = await circle.add("Bea")
    vendors = [await stage.relate([circle.permission()]) for _ in range(10)]
    early = 0
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(vendor.listen()) for vendor in vendors]
        ids = [(await told(stream, "ready")).id for stream in streams]
        await circle.edit(record, name="Bea B")
        for vendor, last in zip(vendors, ids, strict=True):
            streams.append(await stack.enter_async_context(vendor.listen(Last_Event_ID=last)))
            fresh = await stack.enter_async_context(vendor.listen())
            await told(fresh, "ready")
            streams.append(fresh)

        async def is_told(stream: Stream) -> bool:
            try:
                return await stream.next(2) is not None
            except TimeoutError:
                return False

        found = await asyncio.gather(*(is_told(stream) for stream in streams))
        early = max(sum(found[:10]), sum(found[10::2]), sum(found[11::2]))
    # A part of 300 s that is drawn evenly is under 4 s for one in seventy-five.
    expect(early <= 3, f"{early} of 10 grants were told of a change at once")


# Going on


@topic.check("HTTP-51", cases=_PATHS)
async def a_stream_goes_on_after_an_id(stage: Stage, below: str) -> None:
    """After the id of its last event a stream tells once what it missed, then is quiet; nothing missed, it is quiet."""
    circle, vendor = await _listener(stage)
    async with vendor.listen(below) as stream:
        ready = (await told(stream, "ready")).id
    async with vendor.listen(below, Last_Event_ID=ready) as stream:
        await expect_quiet(stream)
    for number in (1, 2):
        item = circle.item(["name", "email"][:number])
        given = [circle.permission(item, name=name) for name in ("delivery", "news")]
        await stage.owner.change(vendor.grant, "narrow" if number == 1 else "widen", permissions=given)
    async with vendor.listen(below, Last_Event_ID=ready) as stream:
        missed = (await told(stream, "grant")).id
        await expect_quiet(stream)
    async with vendor.listen(below, Last_Event_ID=missed) as stream:
        await expect_quiet(stream)
    async with vendor.listen(below) as stream:
        await told(stream, "ready")
        await expect_quiet(stream)
    async with vendor.listen(below, Last_Event_ID=ready) as stream:
        await told(stream, "grant")


def _flipped(at: int) -> Callable[[str], str]:
    def bend(text: str) -> str:
        data = bytearray(from_base64url(text))
        data[at] ^= 1
        return base64url(bytes(data))

    return bend


_BENT: Final[Mapping[str, Callable[[str], str]]] = {
    "garbage": lambda _: "garbage", "number": lambda _: "1", "zero": lambda _: "0", "spaces": lambda _: "a b  c",
    "first-bit": _flipped(0), "middle-bit": _flipped(20), "last-bit": _flipped(-1), "shorter": lambda text: text[:-4],
    "longer": lambda text: text + "AAAA", "padded": lambda text: text + "=", "zeros": lambda text: "A" * len(text),
    "other-case": str.swapcase, "long": lambda _: "x" * 5000, "json": lambda _: '{"position":0}',
}  # fmt: skip


@topic.check("HTTP-51", cases=_BENT)
async def an_unknown_id_begins_with_reset(stage: Stage, bend: Callable[[str], str]) -> None:
    """With any text that the node did not give for this stream it begins with ``reset``, and goes on from there."""
    circle, vendor = await _listener(stage)
    async with vendor.listen() as stream:
        ready = (await told(stream, "ready")).id
    async with vendor.listen(Last_Event_ID=bend(ready)) as stream:
        reset = await told(stream, "reset")
        expect_equal(reset.data, "{}", "data of reset")
        await stage.owner.change(vendor.grant, "narrow", **_less(circle))
        await told(stream, "grant")
    async with vendor.listen(Last_Event_ID=reset.id) as stream:
        await told(stream, "grant")
        await expect_quiet(stream, 0.3)


@topic.check("HTTP-51")
async def an_id_holds_for_its_grant_and_path(stage: Stage) -> None:
    """The id of another grant, another vendor's, or of another path of the same grant is unknown here."""
    circle, vendor = await _listener(stage)
    twin = await stage.relate([circle.permission()], key=vendor.key)
    places = {
        "whole": (vendor, ""),
        "delivery": (vendor, "/delivery"),
        "news": (vendor, "/news"),
        "twin": (twin, ""),
    }
    ids = {}
    for name, (holder, below) in places.items():
        async with holder.listen(below) as stream:
            ids[name] = (await told(stream, "ready")).id
    for name, (holder, below) in places.items():
        for given, last in ids.items():
            async with holder.listen(below, Last_Event_ID=last) as stream:
                if given == name:
                    await expect_quiet(stream, 0.3)
                else:
                    await told(stream, "reset")


@topic.check("HTTP-53", "HTTP-38", "HTTP-64", cases={"pause": "pause", "end": "end"})
async def no_event_follows_a_withdrawal(stage: Stage, change: str) -> None:
    """When the withdrawal was answered, every stream of the grant is closed without a word, and none can be opened."""
    circle, vendor = await _listener(stage)
    other = await stage.relate([circle.permission()])
    async with vendor.listen() as whole, vendor.listen("/news") as part, other.listen() as strange:
        for stream in (whole, part, strange):
            await told(stream, "ready")
        await stage.owner.change(vendor.grant, change)
        for stream in (whole, part):
            expect(await stream.closes(SOON_S), "an event after the withdrawal, or no end")
        await expect_quiet(strange, 0.3)
    async with vendor.listen() as stream:
        expect_problem(stream.answer, 403, "grant-paused" if change == "pause" else "grant-ended")


@topic.check("HTTP-53", "HTTP-50", "HTTP-64")
async def a_permission_s_stream_ends_with_it(stage: Stage) -> None:
    """When the grant gives a permission no more, its stream is closed, and those that go on are told of the version."""
    _, vendor = await _listener(stage)
    async with vendor.listen() as whole, vendor.listen("/delivery") as kept, vendor.listen("/news") as gone:
        for stream in (whole, kept, gone):
            await told(stream, "ready")
        await stage.owner.revoke(vendor.grant, permission="news")
        expect(await gone.closes(SOON_S), "an event on the stream of a permission that is gone, or no end")
        for stream in (whole, kept):
            await told(stream, "grant")


# How many


@topic.check("HTTP-54")
async def a_holder_has_four_streams(stage: Stage) -> None:
    """The fifth stream of one holder is a conflict, until one of the four is closed; each grant is counted alone."""
    circle, vendor = await _listener(stage)
    other = await stage.relate([circle.permission()], key=vendor.key)
    async with AsyncExitStack() as stack:
        first = stack.enter_async_context(vendor.listen())
        async with AsyncExitStack() as inner:
            streams = [await first]
            streams += [
                await inner.enter_async_context(vendor.listen(below)) for below in ("", "/delivery", "/news")
            ]
            for stream in streams:
                await told(stream, "ready")
            for below in ("", "/delivery"):
                async with vendor.listen(below) as fifth:
                    expect_problem(fifth.answer, 409, "conflict")
            async with other.listen() as strange:
                await told(strange, "ready")
            shown = await stage.owner.grant(vendor.grant)
            expect_equal(shown["listening"], 4, "streams that the owner sees")
            await expect_quiet(streams[0], 0.2)
        await _until_open(stack, vendor)


async def _until_open(stack: AsyncExitStack, vendor: Holder) -> None:
    """Open a stream as soon as the node has seen that others were closed."""
    for _ in range(50):
        stream = await stack.enter_async_context(vendor.listen())
        if stream.answer.status == 200:
            await told(stream, "ready")
            return
        expect_problem(stream.answer, 409, "conflict")
        await asyncio.sleep(0.1)
    raise Failed("no stream can be opened though others were closed")


@topic.check("HTTP-54")
async def a_grant_has_sixteen_streams(stage: Stage) -> None:
    """The seventeenth stream of one grant is a conflict, whoever opens it."""
    circle = Circle.draw(stage)
    await circle.add("Bea")
    keys = [Key.fresh() for _ in range(4)]
    vendor = await stage.relate([{**circle.permission(), "recipients": [key.did for key in keys]}])
    holders = [vendor, *(vendor.delegate("/delivery", key=key) for key in keys)]
    async with AsyncExitStack() as stack:
        for holder in holders[:4]:
            for _ in range(4):
                await told(await stack.enter_async_context(holder.listen("/delivery")), "ready")
        async with holders[4].listen("/delivery") as stream:
            expect_problem(stream.answer, 409, "conflict")
        expect_status(await holders[4].get("/delivery/records"), 200)


# Time


@topic.check("HTTP-47", slow=True)
async def a_quiet_stream_is_kept_alive(stage: Stage) -> None:
    """When nothing was sent for 15 s a comment is, again and again, and nothing else."""
    _, vendor = await _listener(stage)
    loop = asyncio.get_running_loop()
    async with vendor.listen() as stream:
        await told(stream, "ready")
        for _ in range(2):
            began = loop.time()
            async with asyncio.timeout(25):
                frame = await stream.frame()
            expect_equal(frame, b":\n\n", "what was sent when nothing was told")
            expect(13 <= loop.time() - began <= 18, f"a comment after {loop.time() - began:.1f} s")


@topic.check("HTTP-46", "HTTP-29")
async def a_stream_holds_no_data(stage: Stage) -> None:
    """Nothing on a stream is a value, an id or an alias: an event says that there is something to read."""
    circle, vendor = await _listener(stage)
    shown = jcs((await vendor.read("delivery"))["items"]).decode()
    received = b""
    async with vendor.listen() as stream:
        received += (await told(stream, "ready")).raw
        await stage.owner.change(vendor.grant, "narrow", **_less(circle))
        received += (await told(stream, "grant")).raw
    words = set(re.findall(r"[\w-]{6,}", shown)) | {circle.tag, vendor.grant}
    expect(
        not words & set(re.findall(r"[\w-]{6,}", received.decode())), "a word of what is shown on the stream"
    )
