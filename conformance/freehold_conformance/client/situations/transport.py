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


@SCENES.situation("CLT-2", "CLT-6", cases=REDIRECTS)
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
<<<<<<< HEAD
    "ledger": "GET .*/ledger/",
}
=======
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
>>>>>>> w-client


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


@SCENES.situation("CLT-4", "LIM-1", cases=ENDLESS)
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


@SCENES.situation("CLT-4", cases=COMPRESSED)
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


@SCENES.situation("CLT-5", cases=SLOW)
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
<<<<<<< HEAD


# Form


def _cut(reply: Reply) -> Reply:
    data = reply.head_bytes() + reply.body[: len(reply.body) // 2]
    return plain(data)(reply)


def _cut_chunks(reply: Reply) -> Reply:
    head = reply.headed(transfer_encoding="chunked").head_bytes()
    return plain(head + f"{len(reply.body):x}\r\n".encode() + reply.body[:100])(reply)


BROKEN: dict[str, Make] = {
    "cut-off": _cut,
    "cut-off-in-a-chunk": _cut_chunks,
    "closed-at-once": plain(b""),
    "no-http": plain(b"\x00\x01\x02 hello \xff\r\n\r\n"),
    "of-another-protocol": plain(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "without-a-status": plain(b"HTTP/1.1\r\n\r\n"),
    "of-a-status-that-is-no-number": plain(b"HTTP/1.1 two OK\r\n\r\n"),
    "of-two-lengths": lambda reply: plain(
        reply.head_bytes()[:-2] + b"content-length: 3\r\n\r\n" + reply.body
    )(reply),
    "of-a-negative-length": lambda reply: plain(reply.head_bytes(-5) + reply.body)(reply),
    "of-a-chunk-of-no-number": lambda reply: plain(
        reply.headed(transfer_encoding="chunked").head_bytes() + b"zz\r\n" + reply.body
    )(reply),
    "switching-protocols": plain(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
}


@SCENES.situation("CLT-6", "CLT-7", cases=BROKEN)
async def broken(play: Play, make: Make) -> None:
    """An answer that breaks off, or is no HTTP: nothing of it is used, and each attempt is signed anew."""
    await play.relate()
    asked = len(play.node.seen)
    play.node.lie(RECORDS, lambda _, reply: make(reply))
    await play.refuses_read("an answer that is broken")
    expect(len(play.node.seen) - asked <= 8, "the client tries again and again")
    play.honest()
    await play.reads()


@SCENES.situation("CLT-7", "INV-8")
async def dropped_once(play: Play) -> None:
    """A connection that closes instead of an answer, once: the second attempt has a nonce of its own."""
    await play.relate()
    for _ in range(3):
        play.node.lie(RECORDS, lambda *_: plain(b"")(Reply()), times=1)
        await play.read()
        play.honest()
        await play.reads()


STATUSES: dict[str, Make] = {
    "of-another-kind": lambda reply: replace(reply, body=b"<html>hello</html>").headed(
        content_type="text/html"
    ),
    "created": lambda reply: replace(reply, status=201),
    "accepted": lambda reply: replace(reply, status=202),
    "no-content": lambda _: Reply(status=204),
    "partial": lambda reply: replace(reply, status=206),
    "a-refusal-with-the-page": lambda reply: replace(reply, status=403),
    "a-failure-with-the-page": lambda reply: replace(reply, status=500),
    "a-problem-with-200": lambda _: problem("grant-paused", 200),
    "a-problem-called-json-with-200": lambda _: problem("grant-paused", 200).headed(
        content_type="application/json"
    ),
    "a-status-of-nine-hundred": lambda reply: replace(reply, status=999),
}


@SCENES.situation("CLT-6", cases=STATUSES)
async def answered_otherwise(play: Play, make: Make) -> None:
    """An answer whose status or kind is not that of a read that was admitted."""
    await play.relate()
    play.node.lie(RECORDS, lambda _, reply: make(reply))
    await play.refuses_once("an answer of another status or kind")


def _refusal(body: bytes, status: int = 403, kind: str = "application/problem+json") -> Reply:
    return Reply(status=status, headers={"content-type": kind}, body=body)


REFUSALS: dict[str, Reply] = {
    "of-an-unknown-code": problem("no-such-code", 418),
    "of-a-code-of-the-future": problem("grant-haunted", 403),
    "without-a-code": _refusal(b'{"status":403,"title":"No"}'),
    "with-a-code-that-is-no-text": _refusal(b'{"status":403,"code":7}'),
    "with-a-code-of-a-book": _refusal(b'{"code":"' + b"a" * 60_000 + b'"}'),
    "of-no-json": _refusal(b"no"),
    "empty": _refusal(b""),
    "in-html": _refusal(b"<h1>403</h1>", kind="text/html"),
    "with-another-status-inside": _refusal(b'{"status":200,"code":"not-found","detail":"x"}', 404),
    "of-a-gateway": _refusal(b"<h1>Bad Gateway</h1>", 502, "text/html"),
    "of-no-words": _refusal(b'{"code":"not-found","detail":"\\u202e\\u0000\\u001b[31m"}', 404),
}


@SCENES.situation("ERR-3", "CLT-6", "HTTP-7", cases=REFUSALS)
async def strange_refusal(play: Play, reply: Reply) -> None:
    """A refusal that is not of the form: still a refusal, and no end of the client."""
    await play.relate()
    play.node.lie(RECORDS, lambda *_: reply)
    await play.refuses_once("a refusal")


PAUSES: dict[str, str | None] = {
    "five": "5",
    "none": None,
    "of-a-century": "3153600000",
    "of-forty-digits": "9" * 40,
    "negative": "-5",
    "as-a-date": "Fri, 31 Dec 9999 23:59:59 GMT",
    "of-no-number": "soon",
}


@SCENES.situation("CLT-7", "HTTP-37", cases=PAUSES)
async def unavailable(play: Play, pause: str | None) -> None:
    """A node that answers 503 to everything, and says for how long: asked a few times and no more."""
    await play.relate()
    asked = len(play.node.seen)
    play.node.lie(".", lambda *_: problem("unavailable").headed(retry_after=pause))
    why = await play.refuses_read("a 503")
    expect_equal(why, "unavailable", "the reason that the client gives")
    expect(len(play.node.seen) - asked <= 8, "the client tries again and again")
    play.honest()
    await play.reads()


# JSON


def _json(edit: Callable[[bytes], bytes]) -> Make:
    return lambda reply: replace(reply, body=edit(reply.body))


def _noted(value: bytes) -> Make:
    """Add a member that is none of the client's business, with this value."""
    return _json(lambda body: b'{"aside":' + value + b"," + body[1:])


TEXTS: dict[str, Make] = {
    "empty": _json(lambda _: b""),
    "cut-off": _json(lambda body: body[:-1]),
    "followed-by-more": _json(lambda body: body + b"{}"),
    "an-array": _json(lambda body: b"[" + body + b"]"),
    "null": _json(lambda _: b"null"),
    "a-key-twice": _json(lambda body: b'{"status":"waiting",' + body[1:]),
    "a-key-twice-by-an-escape": _json(lambda body: b'{"st\\u0061tus":"waiting",' + body[1:]),
    "a-key-twice-below": _noted(b'{"a":1,"a":2}'),
    "nan": _noted(b"NaN"),
    "infinity": _noted(b"-Infinity"),
    "a-number-too-large": _noted(b"1e400"),
    "half-a-pair": _noted(b'"\\ud800"'),
    "no-utf-8": _noted(b'"\xff\xfe"'),
    "in-utf-16": _json(lambda body: body.decode().encode("utf-16")),
    "a-byte-order-mark": _json(lambda body: b"\xef\xbb\xbf" + body),
    "too-deep": _noted(b"[" * 70 + b"]" * 70),
    "far-too-deep": _noted(b"[" * 100_000 + b"]" * 100_000),
    "too-many-members": _noted(b"[" + b"0," * 700_000 + b"0]"),
    "a-control-character": _noted(b'"\x01"'),
    "a-comment": _json(lambda body: b"/* */" + body),
    "single-quotes": _noted(b"'x'"),
    "a-comma-more": _noted(b"[1,]"),
    "a-number-of-a-million-digits": _noted(b"9" * 1_000_000),
}


@SCENES.situation("ENC-5", "ENC-6", "ENC-7", "CLT-6", cases=TEXTS)
async def no_json(play: Play, make: Make) -> None:
    """An approval whose bytes are not JSON as this protocol has it, though some parsers take it for an honest one."""
    await play.asked()
    play.node.lie(DECISION, lambda _, reply: make(reply))
    await play.refuses(play.decision(), "an answer that is not JSON as this protocol has it")
    play.honest()
    took(await play.decision(), "the honest approval")
    await play.reads()


PAGES: dict[str, Callable[[bytes], Any]] = {
    "a-key-twice": lambda body: b'{"type":"Person",' + body[1:],
    "a-key-twice-in-an-item": lambda body: body.replace(b'"name":"', b'"name":"Eve","name":"', 1),
    "a-value-after-the-end": lambda body: body + b' "more"',
}


@SCENES.situation("ENC-5", "PRF-11", cases=PAGES)
async def a_page_that_reads_two_ways(play: Play, edit: Callable[[bytes], bytes]) -> None:
    """A page whose proof verifies for parsers that let the last of two members win."""
    await play.relate()
    play.node.lie(RECORDS, lambda _, reply: replace(reply, body=edit(reply.body)))
    await play.refuses_once("a page that can be read in two ways")
=======
>>>>>>> w-client
