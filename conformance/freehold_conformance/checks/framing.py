"""Messages as bytes: what is HTTP and what is not, where a body ends, and how long anything may take."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..cast import doors
from ..cast.doors import Door, Who
from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_refusal, expect_status, object_of
from ..hands import message
from ..hands.encoding import jcs
from ..wire import Answer, Line, Wire

topic = Topic()

_JSON: Final = {"content-type": "application/json"}
_CHUNKED: Final = {"transfer-encoding": "chunked"}
_LAST: Final = b"0\r\n\r\n"
_KIB: Final = 1024
_MALFORMED: Final = (400, "malformed")
_TOO_LARGE: Final = (413, "too-large")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as bytes: headers are added to Host, whose place they may take, and ``raw`` stands for all of it."""

    method: str = "GET"
    target: str = "/healthz"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes | None = None
    status: int = 400
    code: str = "malformed"

    def data(self, wire: Wire) -> bytes:
        """Return the bytes; ``HOST`` in them is the node's."""
        if self.raw is not None:
            return self.raw.replace(b"HOST", wire.authority.encode())
        head = wire.request(self.method, self.target, {"connection": "close", **self.headers})
        return head + self.body


def _posted(headers: Mapping[str, str], body: bytes = b"", target: str = "/i/nobodys") -> Sent:
    return Sent(method="POST", target=target, headers={**_JSON, **headers}, body=body)


def _large(headers: Mapping[str, str], body: bytes = b"") -> Sent:
    return Sent(
        method="POST",
        target="/i/nobodys",
        headers={**_JSON, **headers},
        body=body,
        status=413,
        code="too-large",
    )


NO_HTTP: Final = {
    "TLS": Sent(raw=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(48))),
    "HTTP/2": Sent(raw=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "SSH": Sent(raw=b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "zeros": Sent(raw=bytes(64) + b"\r\n\r\n"),
    "words": Sent(raw=b"give me the records\r\n\r\n"),
    "a response": Sent(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "a line without a version": Sent(raw=b"GET /healthz\r\n\r\n"),
    "a version of letters": Sent(raw=b"GET /healthz HTTP/x.y\r\nHost: HOST\r\n\r\n"),
    "a later version": Sent(raw=b"GET /healthz HTTP/3.7\r\nHost: HOST\r\n\r\n"),
    "no method": Sent(raw=b" /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n"),
}
"""Bytes that are no HTTP/1.1 request: refused as malformed, or not answered at all."""

WRONG: Final = {
    "no Host": Sent(raw=b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"),
    "a space in the target": Sent(target="/heal thz"),
    "bytes in the target": Sent(raw=b"GET /\xff\xfe HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"),
    "a nul in a header": Sent(headers={"x-a": "a\0b"}),
    "a header without a colon": Sent(raw=b"GET /healthz HTTP/1.1\r\nHost: HOST\r\nx-a b\r\n\r\n"),
    "a space before a colon": Sent(headers={"x-a ": "b"}),
    "a header of no name": Sent(headers={"": "b"}),
    "a folded header": Sent(headers={"x-a": "b\r\n c"}),
    "a carriage return in a header": Sent(headers={"x-a": "b\rx-c: d"}),
    "both lengths": _posted({**_CHUNKED, "content-length": "3"}, _LAST),
    "both lengths, the other way": _posted({"content-length": "3", **_CHUNKED}, _LAST),
    "two lengths": _posted({"content-length": "2", "Content-Length": "3"}, b"{} "),
    "two lengths in one": _posted({"content-length": "2, 3"}, b"{} "),
    "a length in words": _posted({"content-length": "two"}, b"{}"),
    "a negative length": _posted({"content-length": "-2"}, b"{}"),
    "a length with a sign": _posted({"content-length": "+2"}, b"{}"),
    "a length in hexadecimal": _posted({"content-length": "0x2"}, b"{}"),
    "a length with a point": _posted({"content-length": "2.0"}, b"{}"),
    "another coding": _posted({"transfer-encoding": "xchunked"}, _LAST),
    "chunked and more": _posted({"transfer-encoding": "chunked, gzip"}, _LAST),
    "chunked twice": _posted({"transfer-encoding": "chunked", "Transfer-Encoding": "chunked"}, _LAST),
    "a chunk without a size": _posted(_CHUNKED, b"zz\r\n{}\r\n" + _LAST),
    "a chunk of a negative size": _posted(_CHUNKED, b"-2\r\n{}\r\n" + _LAST),
    "a chunk of another size": _posted(_CHUNKED, b"1\r\n{}\r\n" + _LAST),
}
"""Requests that two readers could read in two ways, or that are no requests: ``malformed``."""

_LARGE: Final = {
    "a long value": Sent(headers={"x-a": "a" * (12 * _KIB + 100)}, status=413, code="too-large"),
    "a long name": Sent(headers={"x-" + "a" * (12 * _KIB + 100): "b"}, status=413, code="too-large"),
    "a long request line": Sent(target="/" + "a" * 8 * _KIB, status=413, code="too-large"),
    "a long query": Sent(target="/healthz?" + "a" * 8 * _KIB, status=413, code="too-large"),
    "a body that says to be long": _large({"content-length": "262145"}),
    "a body that says to be very long": _large({"content-length": "9" * 15}),
    "a body that is long in pieces": _large(
        _CHUNKED, (b"10000\r\n" + b" " * 65_536 + b"\r\n") * 4 + b"1\r\n \r\n" + _LAST
    ),
}


async def _still_answers(stage: Stage) -> None:
    answer = expect_status(await stage.wire.send("GET", "/healthz"), 200)
    expect_equal(object_of(answer), {"status": "ok"}, "health")


@topic.check("HTTP-6", "HTTP-7", "ERR-1", cases=NO_HTTP)
async def bytes_that_are_no_http_are_no_failure(stage: Stage, sent: Sent) -> None:
    """Bytes that are no HTTP get the form of every refusal or nothing, and the next request is answered."""
    for answer in await stage.wire.exchange(sent.data(stage.wire)):
        expect_problem(answer, 400, "malformed")
        told = {"date", "server"} & answer.headers.keys()
        expect(not told, f"headers {sorted(told)}")
    await _still_answers(stage)


@topic.check("HTTP-7", "ERR-1", cases=WRONG)
async def a_message_of_two_readings_is_refused(stage: Stage, sent: Sent) -> None:
    """A message whose head or body could be read in two ways is malformed, and nothing after it is answered."""
    smuggled = stage.wire.request("GET", "/healthz", {"connection": "close"})
    found = await stage.wire.exchange(sent.data(stage.wire) + smuggled)
    expect_equal(len(found), 1, "answers to what could be read as two requests")
    expect_problem(found[0], 400, "malformed")
    await _still_answers(stage)


@topic.check("HTTP-4", "HTTP-3", "LIM-1", cases=_LARGE)
async def what_is_too_large_is_refused_by_its_size(stage: Stage, sent: Sent) -> None:
    """A line, a header or a body over its bound is too-large, before all of it is read."""
    began = stage.now()
    expect_problem(await stage.wire.say(sent.data(stage.wire)), 413, "too-large")
    expect(stage.now() - began < 10, "what is too large was waited for")
    await _still_answers(stage)


@topic.check("HTTP-4")
async def a_large_capability_fits(stage: Stage) -> None:
    """A header of nearly 12 KiB and a target of nearly 5 KiB pass."""
    headers = {"x-a": "a" * (12 * _KIB - 100)}
    expect_status(await stage.wire.send("GET", "/healthz", headers), 200)
    expect_status(await stage.wire.send("GET", "/healthz?" + "a" * 5_000, headers), 200)


# Methods and expectations

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")


def _lacking() -> dict[str, tuple[str, list[str]]]:
    """Return, for each path, the methods that it has not."""
    had: dict[str, set[str]] = {}
    for door in doors.DOORS:
        had.setdefault(door.path, set()).add(door.method)
    return {path: (path, [one for one in _METHODS if one not in methods]) for path, methods in had.items()}


@topic.check("HTTP-8", "ERR-4", cases=_lacking())
async def a_path_has_its_methods_and_no_other(stage: Stage, lacking: tuple[str, list[str]]) -> None:
    """A method that a path does not have is 405 with the code malformed."""
    path, methods = lacking
    target = Door(method="GET", path=path, who=Who.ANYONE).at()
    for method in methods:
        signed = {}
        if path.startswith("/owner"):
            uri = stage.origin + target
            signed = message.sign(stage.owner.session.key, message.OWNER, method, uri, created_s=stage.now())
        answer = await stage.wire.send(method, target, signed)
        expect_status(answer, 405)
        expect_equal(expect_refusal(answer, method), "malformed", f"code of {method}")


@topic.check("HTTP-8", cases={"words": "200-ok", "two": "100-continue, more", "empty-ish": "x"})
async def nothing_but_100_continue_can_be_expected(stage: Stage, value: str) -> None:
    """An expectation other than 100-continue is 417 with the code malformed, wherever it is sent."""
    for target in ("/healthz", "/nothing", f"/g/{doors.NOBODYS}/delivery/records", "/owner/status"):
        expect_problem(await stage.wire.send("GET", target, {"expect": value}), 417, "malformed")
    for value_ in ("100-continue", "100-Continue"):
        expect_status(await stage.wire.send("GET", "/healthz", {"expect": value_}), 200)


@topic.check("HTTP-8")
async def a_body_that_waits_to_be_asked_for_is_asked_for(stage: Stage) -> None:
    """With Expect: 100-continue a node says so, takes the body, and answers it as any other."""
    headers = _JSON | {"expect": "100-continue", "content-length": "2", "connection": "close"}
    async with asyncio.timeout(20), stage.wire.connect() as line:
        await line.write(stage.wire.request("POST", "/i/nobodys", headers))
        expect_equal((await line.read_head()).status, 100, "status before the body")
        await line.write(b"{}")
        expect_problem(await line.read_answer(), 404, "not-found")


# One connection, many requests


@topic.check("HTTP-3", "HTTP-5")
async def requests_in_a_row_are_answered_in_a_row(stage: Stage) -> None:
    """Requests that come in one piece are answered in their order, each by itself."""
    wire = stage.wire
    vendor = await _vendor(stage)
    target = vendor.path("/delivery/records")
    signed = vendor.signed("GET", target)
    parts = [
        wire.request("GET", "/healthz"),
        wire.request("GET", target, signed),
        wire.request("GET", target, signed),
        wire.request("GET", "/nothing"),
        wire.request("POST", "/i/nobodys", _JSON, b"{}"),
        *[wire.request("GET", "/healthz")] * 20,
        wire.request("GET", "/../x"),
        wire.request("GET", target, vendor.signed("GET", target) | {"connection": "close"}),
    ]
    found = await wire.exchange(b"".join(parts))
    statuses = [answer.status for answer in found]
    expect_equal(statuses, [200, 200, 409, 404, 404, *[200] * 20, 400, 200], "statuses")


async def _vendor(stage: Stage) -> Holder:
    async def make() -> Holder:
        shown = await stage.person(name="Ada")
        return await stage.relate([shown.permission("delivery", ["name"])])

    return await stage.once("holder of frames", make)


# Bodies


async def _invited(stage: Stage, body: bytes, *, kind: str = "application/json", **headers: str) -> Answer:
    """Have the owner make an invitation with this body, signed as it stands."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return await stage.owner.send("POST", "/invitations", data=body, content_type=kind, headers=more)


_LABEL: Final = b'{"label":"conformance"}'


@topic.check(
    "HTTP-3", cases={name: name for name in ("gzip", "deflate", "br", "gzip, gzip", "identity, gzip")}
)
async def a_body_is_not_decompressed(stage: Stage, coding: str) -> None:
    """A compressed body is the bytes that came, which are no JSON; and a bomb is only large as it came."""
    expect_status(await _invited(stage, _LABEL), 201)
    packed = (gzip.compress(_LABEL), zlib.compress(_LABEL), gzip.compress(bytes(2**22)))
    for body in packed:
        expect_problem(await _invited(stage, body, content_encoding=coding), 400, "malformed")
        sent = _JSON | {"content-encoding": coding}
        expect_problem(await stage.wire.send("POST", "/i/nobodys", sent, body), 400, "malformed")


@topic.check("HTTP-3", "INV-3")
async def a_body_may_come_in_pieces(stage: Stage) -> None:
    """A chunked body is put together, with or without trailers, and its digest is of the bytes between."""
    uri = f"{stage.origin}/owner/invitations"
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in _LABEL)
    for end in (_LAST, b"0\r\nx-a: b\r\n\r\n"):
        signed = message.sign(
            stage.owner.session.key, message.OWNER, "POST", uri, created_s=stage.now(), body=_LABEL
        )
        head = stage.wire.request("POST", "/owner/invitations", signed | _CHUNKED | {"connection": "close"})
        expect_status(await stage.wire.say(head + pieces + end), 201)


@topic.check(
    "HTTP-3",
    cases={
        name or "none": name
        for name in (
            "",
            "text/plain",
            "text/json",
            "json",
            "application/jsonp",
            "application/octet-stream",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json,text/plain",
            "application/xml",
        )
    },
)
async def a_body_is_declared_to_be_json(stage: Stage, kind: str) -> None:
    """A body of another declared type is malformed, at every route that takes one."""
    for good in ("application/json", "application/ld+json", "application/json; charset=utf-8"):
        expect_status(await _invited(stage, _LABEL, kind=good), 201)
    expect_problem(await _invited(stage, _LABEL, kind=kind), 400, "malformed")
    sent = {"content-type": kind}
    expect_problem(await stage.wire.send("POST", "/i/nobodys", sent, b"{}"), 400, "malformed")
    vendor = await _vendor(stage)
    named = vendor.path("/zcaps/revocations/urn%3Auuid%3A" + doors.NOBODYS)
    answer = await vendor.by_did("POST", named, body=jcs(vendor.capability), content_type=kind)
    expect_problem(answer, 400, "malformed")


@topic.check("HTTP-3", "LIM-1")
async def a_body_has_a_size(stage: Stage) -> None:
    """A body of 256 KiB is read and one of a byte more is too-large; the owner's may have 16 MiB."""
    fitting = b"[]" + b" " * (256 * _KIB - 2)
    for door in (*doors.ASK, *doors.REVOKE):
        expect_problem(await stage.wire.send("POST", door.at(), _JSON, fitting), 400, "malformed")
        expect_problem(await stage.wire.send("POST", door.at(), _JSON, fitting + b" "), 413, "too-large")
    unsigned = await stage.wire.send("POST", "/owner/records", _JSON, fitting + b" ")
    expect(unsigned.status in (401, 413), f"status {unsigned.status} for a stranger's large body")
    expect_refusal(unsigned)
    expect_problem(await _invited(stage, fitting + b" " * _KIB), 400, "malformed")
    expect_problem(await _invited(stage, b"[]" + b" " * (2**24 - 2)), 400, "malformed")
    expect_problem(await _invited(stage, b"[]" + b" " * (2**24 - 1)), 413, "too-large")


@topic.check("HTTP-3")
async def a_body_that_breaks_off_does_nothing(stage: Stage) -> None:
    """A body that is broken off is malformed, or there is nobody left to tell; and nothing is done."""
    label = f"broken off {stage.now()}"
    body = jcs({"content": {"type": "Person", "name": label}})
    uri = f"{stage.origin}/owner/records"
    for length, sent in (
        ({"content-length": str(len(body) + 1)}, body),
        (_CHUNKED, b"%x\r\n%b\r\n" % (len(body), body)),
    ):
        signed = message.sign(
            stage.owner.session.key, message.OWNER, "POST", uri, created_s=stage.now(), body=body
        )
        head = stage.wire.request("POST", "/owner/records", signed | length)
        for answer in await stage.wire.exchange(head + sent, cut_off=True):
            expect_problem(answer, 400, "malformed")
    page = await stage.owner.do("GET", "/records?limit=1000")
    labels = [one["label"] for one in page["records"]]
    expect(label not in labels, "a record was made of a body that broke off")
    await _still_answers(stage)


# Slowness


async def _drip(stage: Stage, line: Line, data: bytes) -> None:
    """Send a byte every half a second, until the node has had enough."""
    try:
        for index in range(200):
            await line.write(data[index % len(data) : index % len(data) + 1])
            await asyncio.sleep(0.5)
    except ConnectionError:
        return
    await _still_answers(stage)


async def _time_s(stage: Stage, first: bytes, drops: bytes) -> tuple[float, bytes]:
    """Send something and then drops; return how long the node took to be done with it, and what it said."""
    began = stage.now()
    async with asyncio.timeout(60), stage.wire.connect() as line:
        await line.write(first)
        dripping = asyncio.ensure_future(_drip(stage, line, drops)) if drops else None
        try:
            received = await line.read_all()
        finally:
            if dripping:
                dripping.cancel()
    return stage.now() - began, received


@topic.check("HTTP-4")
async def a_head_is_not_waited_for(stage: Stage) -> None:
    """A head that does not come within 10 s closes the connection without an answer, however it drips."""
    await _still_answers(stage)
    begun = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    found = await asyncio.gather(
        _time_s(stage, b"", b""),
        _time_s(stage, begun, b""),
        _time_s(stage, b"GET /heal", b"x"),
        _time_s(stage, begun, b"x-a: b\r\n"),
    )
    for took_s, received in found:
        expect(received == b"", "an answer to a head that never came")
        expect(8 < took_s < 16, f"{took_s:.0f} s until a head was given up")
    await _still_answers(stage)


@topic.check("HTTP-3")
async def a_body_is_not_waited_for(stage: Stage) -> None:
    """A body that does not come within 20 s is malformed, however it drips."""
    await _still_answers(stage)
    long = stage.wire.request("POST", "/i/nobodys", _JSON | {"content-length": "1000"})
    chunked = stage.wire.request("POST", "/i/nobodys", _JSON | _CHUNKED)
    sent = ((long, b""), (long, b" "), (chunked, b"1\r\n \r\n"))

    async def answered(first: bytes, drops: bytes) -> tuple[float, Answer]:
        began = stage.now()
        async with asyncio.timeout(60), stage.wire.connect() as line:
            await line.write(first)
            dripping = asyncio.ensure_future(_drip(stage, line, drops)) if drops else None
            try:
                answer = await line.read_answer()
            finally:
                if dripping:
                    dripping.cancel()
        return stage.now() - began, answer

    for took_s, answer in await asyncio.gather(*(answered(*one) for one in sent)):
        expect_problem(answer, 400, "malformed")
        expect(17 < took_s < 30, f"{took_s:.0f} s until a body was given up")


@topic.check("HTTP-4", "HTTP-54")
async def idle_connections_keep_nobody_out(stage: Stage) -> None:
    """Two hundred connections that say nothing, or little, keep no honest request waiting."""
    opened = [stage.wire.connect() for _ in range(200)]
    lines = [await one.__aenter__() for one in opened]
    try:
        for line in lines[::2]:
            await line.write(b"GET /healthz HT")
        began = stage.now()
        await _still_answers(stage)
        expect(stage.now() - began < 5, "idle connections kept a request waiting")
    finally:
        for one in opened:
            await one.__aexit__(None, None, None)
