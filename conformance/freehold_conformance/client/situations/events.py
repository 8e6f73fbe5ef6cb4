"""Events: when to read again, and nothing else.

Spec: specs/http.md#events
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ...check import Profile, expect, expect_equal
from ...hands.encoding import Document
from ..play import Play, took
from ..relation import DELIVERY
from ..server import Reply
from ..situation import Scenes
from ..told import event, problem

SCENES = Scenes(profile=Profile.EVENTS)
EVENTS: Final = r"GET .*/events"
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


async def _heard(
    play: Play, *, events: int, seconds: float = 4, permission: str | None = None
) -> list[Document]:
    said = took(await play.listen(events=events, seconds=seconds, permission=permission), "an honest stream")
    found = said.get("events")
    expect(isinstance(found, list), "no list of events")
    return list(found or [])


async def _say_when_open(play: Play, *said: tuple[str, str | None]) -> None:
    await play.until(lambda: play.node.listeners > 0)
    for kind, permission in said:
        play.node.say(kind, permission)


@SCENES.situation("HTTP-47", "HTTP-52")
async def listens(play: Play) -> None:
    """Hear that the stream is open, that something changed, and that the grant did."""
    await play.relate()
    telling = asyncio.ensure_future(
        _say_when_open(play, ("changed", DELIVERY), ("grant", None), ("reset", None))
    )
    heard = await _heard(play, events=4)
    await telling
    kinds = [(one.get("kind"), one.get("permission")) for one in heard]
    expect_equal(
        kinds, [("ready", None), ("changed", DELIVERY), ("grant", None), ("reset", None)], "the events"
    )


@SCENES.situation("HTTP-51", "HTTP-55", "INV-8")
async def listens_on(play: Play) -> None:
    """Open the next stream when one closes: with a fresh signature, and from the last event on."""
    await play.relate()

    async def tell() -> None:
        await _say_when_open(play, ("changed", DELIVERY))
        await asyncio.sleep(0.1)
        play.node.hang_up()
        await play.until(lambda: play.node.listeners == 0)
        await _say_when_open(play, ("changed", DELIVERY))

    telling = asyncio.ensure_future(tell())
    heard = await _heard(play, events=3, seconds=8)
    await telling
    expect_equal([one.get("kind") for one in heard], ["ready", "changed", "changed"], "the events")
    opened = play.node.requests(EVENTS)
    expect(len(opened) == 2, f"{len(opened)} streams were opened")
    expect(
        opened[1].came.header("last-event-id") is not None, "the second stream does not go on from an event"
    )


@SCENES.situation("HTTP-53", "HTTP-55")
async def stops_when_the_grant_does(play: Play) -> None:
    """Stop listening when the grant has ended: the stream closes without a word, and the grant tells why."""
    await play.relate()
    person = play.node.person

    async def end() -> None:
        await play.until(lambda: play.node.listeners > 0)
        person.change("end", person.serving, state="ended")
        play.node.hang_up()

    ending = asyncio.ensure_future(end())
    said = await play.listen(events=9, seconds=4)
    await ending
    expect(said.refused is not None or said.took.get("over") is True, "the client goes on listening")
    expect(len(play.node.requests(EVENTS)) <= 2, "it tried again under a grant that is over")


@SCENES.situation("HTTP-55", "CLT-12")
async def does_not_hammer(play: Play) -> None:
    """A stream that closes as soon as it is open, every time: the client waits longer after each."""
    await play.relate()

    async def close(writer: asyncio.StreamWriter) -> None:
        writer.write(_HEAD)
        await writer.drain()

    play.node.lie(EVENTS, lambda *_: Reply(raw=close))
    await play.listen(events=1, seconds=2.5)
    opened = len(play.node.requests(EVENTS))
    expect(1 <= opened <= 6, f"{opened} streams were opened in two and a half seconds")


def _lines(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n\n").encode()


STREAMS: dict[str, bytes] = {
    "of-an-unknown-kind": _lines("event: secret", "id: a", "data: {}"),
    "without-a-kind": _lines("id: a", "data: {}"),
    "without-an-id": _lines("event: changed", 'data: {"permission":"delivery"}'),
    "without-data": _lines("event: reset", "id: a"),
    "of-two-data-lines": _lines("event: reset", "id: a", "data: {", "data: }"),
    "of-two-kinds": _lines("event: reset", "event: ready", "id: a", "data: {}"),
    "with-a-member-more": _lines("event: changed", "id: a", 'data: {"permission":"delivery","name":"Ada"}'),
    "with-data-in-ready": _lines("event: ready", "id: a", 'data: {"name":"Ada"}'),
    "changed-without-a-permission": _lines("event: changed", "id: a", "data: {}"),
    "of-a-permission-that-is-no-name": _lines("event: changed", "id: a", 'data: {"permission":"../owner"}'),
    "of-a-permission-that-is-no-text": _lines("event: changed", "id: a", 'data: {"permission":["delivery"]}'),
    "of-no-json": _lines("event: reset", "id: a", "data: none"),
    "of-a-key-twice": _lines(
        "event: changed", "id: a", 'data: {"permission":"circle","permission":"delivery"}'
    ),
    "with-a-strange-id": _lines("event: reset", "id: a b\t\u202e", "data: {}"),
    "with-another-field": _lines("event: reset", "id: a", "data: {}", "retry: 1"),
    "with-carriage-returns": b"event: reset\r\nid: a\r\ndata: {}\r\n\r\n",
    "too-long": _lines("event: reset", "id: " + "a" * 2000, "data: {}"),
    "no-utf-8": b"event: reset\nid: \xff\xfe\ndata: {}\n\n",
}


@SCENES.situation("HTTP-47", "CLT-12", cases=STREAMS)
async def strange_event(play: Play, said: bytes) -> None:
    """An event that is none of the protocol's: it is not passed on."""
    await play.relate()

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(_HEAD + event("ready") + said)
        await writer.drain()
        await asyncio.sleep(3600)

    play.node.lie(EVENTS, lambda *_: Reply(raw=write))
    heard = await play.listen(events=2, seconds=0.6)
    passed = heard.took.get("events", [])
    expect([one.get("kind") for one in passed] in ([], ["ready"]), "an event that is none was passed on")
    play.honest()
    await _heard(play, events=1)


ENDLESS: dict[str, bytes] = {
    "without-a-line-break": b"event: " + b"a" * 65_536,
    "in-one-event": b"data: 1\n" * 8192,
    "in-comments": b":\n" * 32_768,
}


@SCENES.situation("CLT-12", "CLT-4", cases=ENDLESS)
async def endless_event(play: Play, piece: bytes) -> None:
    """An event that never ends: the client hangs up."""
    await play.relate()
    sent = 0

    async def write(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(_HEAD)
        with suppress(OSError):
            while sent < 2**26:
                writer.write(piece)
                await writer.drain()
                sent += len(piece)

    play.node.lie(EVENTS, lambda *_: Reply(raw=write), times=1)
    await play.refuses(play.listen(events=1, seconds=2), "an event without an end")
    expect(sent < 2**26, "the client took an event of 64 MiB")
    play.honest()
    await _heard(play, events=1)


OTHERS: dict[str, Callable[[], Reply]] = {
    "json": lambda: Reply.of({"event": "ready"}),
    "json-that-looks-like-events": lambda: Reply(
        headers={"content-type": "application/json"}, body=event("ready") * 3
    ),
    "compressed": lambda: Reply(
        headers={"content-type": "text/event-stream", "content-encoding": "gzip"}, body=event("ready") * 3
    ),
    "a-redirect": lambda: Reply(status=307, headers={"location": "http://127.0.0.2:9/events"}),
    "not-shared": lambda: problem("not-shared"),
    "no-content": lambda: Reply(status=204),
}


@SCENES.situation("CLT-12", "CLT-6", cases=OTHERS)
async def no_stream(play: Play, make: Callable[[], Reply]) -> None:
    """An answer that is no stream of events."""
    await play.relate()
    play.node.lie(EVENTS, lambda *_: make())
    await play.refuses(play.listen(events=1, seconds=2), "an answer that is no stream of events")
    play.honest()
    await _heard(play, events=1)


@SCENES.situation("HTTP-55", "CLT-12", slow=True)
async def silent(play: Play) -> None:
    """A stream on which nothing comes, not even a comment: given up after 45 s."""
    await play.relate()

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(_HEAD)
        await writer.drain()
        await asyncio.sleep(3600)

    play.node.lie(EVENTS, lambda *_: Reply(raw=write), times=1)
    heard = await _heard(play, events=1, seconds=60)
    expect(
        [one.get("kind") for one in heard] == ["ready"], "a silent stream was not given up within a minute"
    )
