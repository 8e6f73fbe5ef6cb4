"""Answers that are none: broken off, of another status, refusals of no form, and JSON that is none.

Spec: specs/clients.md
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from ...check import expect, expect_equal
from ..play import Play, took
from ..server import Reply
from ..situation import Scenes
from ..told import problem
from .transport import DECISION, DOORS, RECORDS, Make, knock, plain

SCENES = Scenes()


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


STRICT: Final = {
    f"{text}-from-{door}": (where, TEXTS[text])
    for door, where in DOORS.items()
    if where != DECISION
    for text in ("a-key-twice-below", "nan", "too-deep", "no-utf-8", "a-byte-order-mark")
}


@SCENES.situation("ENC-5", "ENC-6", "ENC-7", cases=STRICT)
async def no_json_from(play: Play, case: tuple[str, Make]) -> None:
    """The same from another route than that of the approval."""
    where, make = case
    play.node.lie(where, lambda _, reply: make(reply))
    await play.refuses(knock(play, where), "an answer that is not JSON as this protocol has it")
    play.honest()
    await play.relate(invitation=play.node.new_invitation())


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
