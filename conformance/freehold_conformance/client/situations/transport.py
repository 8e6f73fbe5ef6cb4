"""HTTP itself: answers that never end, never come, lead elsewhere, or are no answers.

Spec: specs/clients.md
"""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from ...check import expect
from ..adapter import Said
from ..play import Play, took
from ..server import Came, Raw, Reply
from ..situation import Scenes

SCENES = Scenes()
RECORDS: Final = r"GET .*/records"
DECISION: Final = r"GET /requests/"
MOST_BYTES: Final = 64 * 2**20
_PIECE: Final = 64 * 1024
Make = Callable[[Reply], Reply]
"""Makes of an honest answer another one."""


def raw(write: Raw) -> Reply:
    """Return an answer whose bytes this writes."""
    return Reply(raw=write)


def plain(data: bytes) -> Make:
    """Answer with these bytes, and close."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return lambda _: raw(write)


# Other addresses

REDIRECTS: Final = {str(status): status for status in (300, 301, 302, 303, 305, 307, 308)}


@SCENES.situation("CLT-2", "CLT-6", "SEC-12", cases=REDIRECTS)
async def redirected(play: Play, status: int) -> None:
    """A read that is answered with a redirect to another address: nothing is sent there."""
    await play.relate()
    other = await play.elsewhere_at()

    def lead(came: Came, _: Reply) -> Reply:
        return Reply(status=status, headers={"location": other.origin + came.target})

    play.node.lie(RECORDS, lead)
    await play.refuses_read("a redirect")
    expect(not other.came, "the client followed a redirect to another address")
    play.honest()
    await play.reads()


DOORS: Final = {
    "invitation": "POST /i/",
    "status": DECISION,
    "renewal": "POST .*/renew",
    "checkpoint": "GET .*/ledger/checkpoint",
    "grant": r"GET /g/[a-f0-9-]+(\?from=\d+)?$",
}


async def knock(play: Play, where: str) -> Said:
    """Do what sends a request to this door, and return what came of it; all before goes well."""
    said = await play.ask()
    if where == DOORS["invitation"]:
        return said
    took(said, "an honest invitation")
    said = await play.decision()
    if where == DECISION:
        return said
    took(said, "an honest approval")
    doing = {DOORS["renewal"]: play.renew, DOORS["checkpoint"]: play.ledger, DOORS["grant"]: play.look}
    return await doing[where]()


@SCENES.situation("CLT-2", "CLT-6", cases=DOORS)
async def redirected_from(play: Play, where: str) -> None:
    """A redirect to another address from another route than that of reading."""
    other = await play.elsewhere_at()
    play.node.lie(where, lambda came, _: Reply(status=307, headers={"location": other.origin + came.target}))
    await play.refuses(knock(play, where), "a redirect")
    expect(not other.came, "the client followed a redirect to another address")
    play.honest()
    await play.relate(invitation=play.node.new_invitation())


@SCENES.situation("CLT-2")
async def redirected_on_the_same_node(play: Play) -> None:
    """A redirect to another path of the same node: what is signed is for one target."""
    await play.relate()
    person = play.node.person
    play.node.lie(
        "GET .*/delivery/records",
        lambda *_: Reply(status=302, headers={"location": f"{person.path}/circle/records"}),
    )
    await play.refuses_read("a redirect")
    expect(not play.node.requests("GET .*/circle/records"), "the client followed a redirect")


@SCENES.situation("CLT-3")
async def given_cookies(play: Play) -> None:
    """Cookies set by every answer, for the host and for all paths: none is ever sent back."""
    cookies = "id=1; Path=/; Domain=127.0.0.1; Max-Age=86400"
    play.node.lie(".", lambda _, reply: reply if reply.raw else reply.headed(set_cookie=cookies))
    await play.relate()
    await play.reads()
    took(await play.renew(), "an honest renewal")


# Size


class Counted:
    """Writes pieces until the client has had enough of them."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self._head, self._piece = head, piece
        self.sent = 0

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        writer.write(self._head)
        with suppress(OSError):
            while self.sent < MOST_BYTES:
                writer.write(self._piece)
                await writer.drain()
                self.sent += len(self._piece)


_CHUNK: Final = f"{_PIECE:x}\r\n".encode() + b" " * _PIECE + b"\r\n"
_JSON: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nfreehold-entry: 1\r\n"
_PROBLEM: Final = b"HTTP/1.1 403 No\r\ncontent-type: application/problem+json\r\n"
ENDLESS: dict[str, tuple[str, bytes, bytes]] = {
    "in-chunks": (RECORDS, _JSON + b"transfer-encoding: chunked\r\n\r\n", _CHUNK),
    "until-the-end-of-the-connection": (RECORDS, _JSON + b"connection: close\r\n\r\n", b" " * _PIECE),
    "of-a-length": (RECORDS, _JSON + b"content-length: 9999999999\r\n\r\n", b" " * _PIECE),
    "of-a-problem": (RECORDS, _PROBLEM + b"transfer-encoding: chunked\r\n\r\n", _CHUNK),
    "of-an-approval": (DECISION, _JSON + b"transfer-encoding: chunked\r\n\r\n", _CHUNK),
    "of-an-entry": ("GET .*/ledger/", _JSON + b"transfer-encoding: chunked\r\n\r\n", _CHUNK),
    "in-the-headers": (RECORDS, b"HTTP/1.1 200 OK\r\n", (b"x: " + b"a" * 4093 + b"\r\n") * 16),
    "in-one-header": (RECORDS, b"HTTP/1.1 200 OK\r\nx: ", b"a" * _PIECE),
    "in-the-status-line": (RECORDS, b"HTTP/1.1 200 ", b"a" * _PIECE),
    "before-the-answer": (RECORDS, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1024),
}


@SCENES.situation("CLT-4", "LIM-1", "SEC-13", cases=ENDLESS)
async def endless(play: Play, case: tuple[str, bytes, bytes]) -> None:
    """An answer that goes on and on: the client hangs up long before the suite does."""
    where, head, piece = case
    if where != DECISION:
        await play.relate()
    else:
        await play.asked()
    writes = Counted(head, piece)
    play.node.lie(where, lambda *_: raw(writes), times=1)
    doing = play.decision() if where == DECISION else play.read()
    await play.refuses(doing, "an answer without an end")
    expect(writes.sent < MOST_BYTES, f"the client took {writes.sent} bytes of one answer")
    play.honest()
    if where == DECISION:
        took(await play.decision(), "the honest approval")
    await play.reads()


LARGE: Final = {f"from-{door}": where for door, where in DOORS.items() if where != DECISION}


@SCENES.situation("CLT-4", "LIM-1", cases=LARGE)
async def endless_from(play: Play, where: str) -> None:
    """An answer without an end from another route."""
    writes = Counted(_JSON + b"transfer-encoding: chunked\r\n\r\n", _CHUNK)
    play.node.lie(where, lambda *_: raw(writes), times=1)
    await play.refuses(knock(play, where), "an answer without an end")
    expect(writes.sent < MOST_BYTES, f"the client took {writes.sent} bytes of one answer")
    play.honest()
    await play.relate(invitation=play.node.new_invitation())


def _zipped(reply: Reply) -> Reply:
    return replace(reply, body=gzip.compress(reply.body)).headed(content_encoding="gzip")


def _bomb(reply: Reply) -> Reply:
    """Fifty megabytes of white space before the honest answer, in fifty kilobytes."""
    return replace(reply, body=gzip.compress(b" " * (50 * 2**20) + reply.body)).headed(
        content_encoding="gzip"
    )


COMPRESSED: dict[str, Make] = {
    "bomb": _bomb,
    "small": _zipped,
    "twice": lambda reply: _zipped(_zipped(reply)).headed(content_encoding="gzip, gzip"),
    "deflated": lambda reply: replace(reply, body=zlib.compress(reply.body)).headed(
        content_encoding="deflate"
    ),
}


@SCENES.situation("CLT-4", "SEC-13", cases=COMPRESSED)
async def compressed(play: Play, make: Make) -> None:
    """An answer that is compressed, which no client asks for: it is not inflated."""
    await play.relate()
    play.node.lie(RECORDS, lambda _, reply: make(reply))
    await play.refuses_once("a compressed answer")


# Time


def _stalls(data: Callable[[Reply], bytes]) -> Make:
    """Answer with some bytes, and then with none for ever."""

    def make(reply: Reply) -> Reply:
        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(data(reply))
            await writer.drain()
            await asyncio.sleep(3600)

        return raw(write)

    return make


def _drips(reply: Reply) -> Reply:
    """The honest answer, a byte at a time, too slow to be worth waiting for."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(reply.head_bytes())
        with suppress(OSError):
            for byte in reply.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.25)

    return raw(write)


def _drips_headers(_: Reply) -> Reply:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with suppress(OSError):
            for number in range(1000):
                writer.write(f"x-{number}: 1\r\n".encode())
                await writer.drain()
                await asyncio.sleep(0.25)

    return raw(write)


SLOW: dict[str, Make] = {
    "nothing-comes": _stalls(lambda _: b""),
    "half-a-body": _stalls(lambda reply: reply.head_bytes() + reply.body[: len(reply.body) // 2]),
    "a-byte-at-a-time": _drips,
    "a-header-at-a-time": _drips_headers,
}


@SCENES.situation("CLT-5", "SEC-13", cases=SLOW)
async def too_slow(play: Play, make: Make) -> None:
    """An answer that does not come whole in time: the client gives up, and reads well afterwards."""
    await play.relate()
    play.node.lie(RECORDS, lambda _, reply: make(reply))
    began = time.monotonic()
    await play.refuses_read("an answer that did not come whole")
    took_s = time.monotonic() - began
    expect(took_s <= 4 * play.patience_s, f"the client waited {took_s:.1f} s")
    play.honest()
    await play.reads()
