"""What the transport makes of servers that misbehave: each is a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from freehold_protocol.errors import (
    BY_CODE,
    FreeholdError,
    MalformedError,
    PausedError,
    TooLargeError,
    UnavailableError,
)
from freehold_protocol.http_signature import parse_signature
from freehold_protocol.invocation import TAG_DID, sign_message
from freehold_protocol.keys import SigningKey
from freehold_vendor import Ambient, ProblemError, UnreachableError, problem_of
from freehold_vendor.address import PublicResolver, check_literal, is_public
from freehold_vendor.errors import VendorError
from freehold_vendor.transport import MAX_ANSWER_BYTES, MAX_ANSWER_MEMBERS, Answer, Transport
from harness import free_port
from vendor_scene import at_once, serving

pytestmark = pytest.mark.asyncio
KEY = SigningKey(bytes([1]) * 32)


@dataclass(slots=True)
class Misbehaving:
    """A server that answers as it is told, and counts; ``url`` is where it is reached."""

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    seen: list[Mapping[str, str]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(dict(request.headers))
        self.targets.append(request.raw_path)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        response: web.StreamResponse = await answer(request)
        return response


@asynccontextmanager
async def misbehaving(*answers: Any) -> AsyncIterator[Misbehaving]:
    server = Misbehaving(answers=list(answers))
    async with serving(server.handle, free_port()) as server.url:
        yield server


async def send(url: str, method: str = "GET", **more: Any) -> Answer:
    async with Transport(
        Ambient(sleep=at_once), allow_private_addresses=True, total_s=0.6, read_s=0.3
    ) as transport:
        return await transport.send(method, url, **more)


def response(status: int = 200, body: bytes = b"{}", **headers: str) -> Any:
    async def answer(_: web.Request) -> web.Response:
        made = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers={"Content-Type": "application/json"} | made)

    return answer


def problem(status: int, document: Any, **headers: str) -> Any:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return response(status, body, Content_Type="application/problem+json", **headers)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def close_midway(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "100"})
    await answer.prepare(request)
    await answer.write(b'{"a":')
    assert request.transport is not None
    request.transport.close()
    return answer


async def go_on_for_ever(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    chunk = b" " * 2**18
    while True:
        await answer.write(chunk)


async def drip(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.05)


async def say_nothing(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


# Redirects


@pytest.mark.requirement("SEC-12")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int) -> None:
    async with (
        misbehaving(response()) as elsewhere,
        misbehaving(response(status, Location=elsewhere.url + "/here")) as server,
    ):
        with pytest.raises(MalformedError):
            await send(server.url + "/g/x")
        assert elsewhere.targets == []


# Bounds


@pytest.mark.requirement("SEC-13")
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (go_on_for_ever, TooLargeError),
        (response(body=b" " * (MAX_ANSWER_BYTES + 1)), TooLargeError),
        (drip, UnreachableError),
        (say_nothing, UnreachableError),
        (response(body=gzip.compress(b"{}"), Content_Encoding="gzip"), MalformedError),
        (response(206), MalformedError),
        (response(500), MalformedError),
        (response(404, b"<html>", Content_Type="text/html"), MalformedError),
        (close_midway, UnreachableError),
        (hang_up, UnreachableError),
    ],
)
async def test_an_answer_out_of_bounds(answer: Any, error: type[Exception]) -> None:
    async with misbehaving(answer) as server:
        with pytest.raises(error):
            await send(server.url + "/g/x")


async def test_as_much_as_is_allowed_is_read() -> None:
    async with misbehaving(response(body=b" " * MAX_ANSWER_BYTES)) as server:
        assert len((await send(server.url + "/g/x")).body) == MAX_ANSWER_BYTES


async def test_what_does_not_speak_http() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(greet, "127.0.0.1", port):
        with pytest.raises((MalformedError, UnreachableError)):
            await send(f"http://127.0.0.1:{port}/g/x")


# Trying again


def nonces(server: Misbehaving) -> list[str | None]:
    return [
        parse_signature({name.lower(): value for name, value in headers.items()}).nonce
        for headers in server.seen
    ]


def signing(url: str) -> Callable[[], dict[str, str]]:
    counter = iter(range(100))
    return lambda: sign_message(
        KEY, tag=TAG_DID, method="GET", target_uri=url, created_s=1, nonce=f"nonce-of-attempt-{next(counter)}"
    )


@pytest.mark.parametrize("broken", [hang_up, close_midway])
async def test_a_read_is_tried_again_with_a_new_nonce(broken: Any) -> None:
    async with misbehaving(broken, broken, response()) as server:
        answer = await send(server.url + "/g/x", sign=signing(server.url + "/g/x"))
        assert answer.status == 200
        assert nonces(server) == [f"nonce-of-attempt-{number}" for number in range(3)]
        last = {name.lower(): value for name, value in server.seen[-1].items()}
        assert answer.signature == parse_signature(last).signature


async def test_a_read_is_tried_three_times_and_no_more() -> None:
    async with misbehaving(hang_up) as server:
        with pytest.raises(UnreachableError):
            await send(server.url + "/g/x")
        assert len(server.seen) == 3


async def test_a_kept_connection_that_died_does_not_send_the_same_bytes_again() -> None:
    """aiohttp would do so by itself, and a node refuses a nonce that it has seen."""
    async with misbehaving(response(), hang_up, response()) as server:
        url = server.url + "/g/x"
        sign = signing(url)
        async with Transport(Ambient(sleep=at_once), allow_private_addresses=True) as transport:
            await transport.send("GET", url, sign=sign)
            await transport.send("GET", url, sign=sign)
        assert len(set(nonces(server))) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_write_is_sent_once(method: str) -> None:
    async with misbehaving(hang_up, response()) as server:
        with pytest.raises(UnreachableError):
            await send(server.url + "/g/x", method, body=b"{}")
        assert len(server.seen) == 1


@pytest.mark.parametrize("answer", [response(500), say_nothing, problem(403, {"code": "grant-paused"})])
async def test_an_answer_or_a_timeout_is_not_tried_again(answer: Any) -> None:
    async with misbehaving(answer) as server:
        with pytest.raises((FreeholdError, VendorError)):
            await send(server.url + "/g/x")
        assert len(server.seen) == 1


async def test_nobody_listens() -> None:
    with pytest.raises(UnreachableError):
        await send(f"http://127.0.0.1:{free_port()}/g/x")


async def test_outside_its_context_it_sends_nothing() -> None:
    with pytest.raises(RuntimeError):
        await Transport(Ambient(), allow_private_addresses=True).send("GET", "http://127.0.0.1:1/")


# What is sent


@pytest.mark.parametrize(
    "target",
    [
        "/g/a-b/c/records?fields=a%2Cb.c&where=%7B%22a%22%3A1%7D",
        "/g/x/zcaps/revocations/urn%3Auuid%3Ax",
        "/i/A_-b~",
    ],
)
async def test_the_target_is_sent_as_it_was_signed(target: str) -> None:
    async with misbehaving(response()) as server:
        await send(server.url + target)
        assert server.targets == [target]


async def test_nothing_is_kept_or_told_that_is_not_needed() -> None:
    async with misbehaving(response(Set_Cookie="id=1"), response()) as server:
        async with Transport(Ambient(), allow_private_addresses=True) as transport:
            await transport.send("GET", server.url + "/a")
            await transport.send("GET", server.url + "/b")
        assert set(server.seen[1]) == {"Host", "Accept", "Accept-Encoding", "User-Agent"}


# Problems


@pytest.mark.parametrize("code", sorted(BY_CODE.keys() - {"error"}))
async def test_each_code_is_its_class(code: str) -> None:
    async with misbehaving(problem(403, {"code": code, "detail": "Why."})) as server:
        with pytest.raises(BY_CODE[code], match="Why") as caught:
            await send(server.url + "/g/x")
        assert type(caught.value) is BY_CODE[code]
        said = problem_of(caught.value)
        assert said is not None
        assert (said.status, said.code, said.detail) == (403, code, "Why.")


@pytest.mark.requirement("VER-3", "ERR-3")
@pytest.mark.parametrize("code", ["error", "a-code-of-tomorrow"])
async def test_an_unknown_code_is_a_problem_of_its_own(code: str) -> None:
    async with misbehaving(problem(418, {"code": code})) as server:
        with pytest.raises(ProblemError) as caught:
            await send(server.url + "/g/x")
        assert problem_of(caught.value) is caught.value
        assert (caught.value.status, caught.value.code) == (418, code)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"code":7}', b'{"code":"Not A Code"}', b'{"code":"x","code":"y"}', b" " * 70_000],
)
async def test_a_problem_that_is_none(body: bytes) -> None:
    async with misbehaving(problem(403, body)) as server:
        with pytest.raises(MalformedError) as caught:
            await send(server.url + "/g/x")
        assert problem_of(caught.value) is None


async def test_what_a_stranger_says_is_cut_and_cannot_hide_anything() -> None:
    detail = "a\x1b[2Jb\u202ec\n" + "d" * 1000
    async with misbehaving(problem(403, {"code": "grant-paused", "detail": detail})) as server:
        with pytest.raises(PausedError) as caught:
            await send(server.url + "/g/x")
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) == 300


@pytest.mark.parametrize(
    ("written", "read"), [("7", 7), ("", None), ("soon", None), ("-1", None), ("9" * 20, None)]
)
async def test_when_to_come_again(written: str, read: int | None) -> None:
    async with misbehaving(problem(503, {"code": "unavailable"}, Retry_After=written)) as server:
        with pytest.raises(UnavailableError) as caught:
            await send(server.url + "/g/x")
        said = problem_of(caught.value)
        assert said is not None
        assert said.retry_after_s == read


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_gateway_in_front_of_a_node_that_is_down(status: int) -> None:
    async with misbehaving(response(status, b"<html>", Content_Type="text/html", Retry_After="9")) as server:
        with pytest.raises(UnavailableError) as caught:
            await send(server.url + "/g/x")
        said = problem_of(caught.value)
        assert said is not None
        assert said.retry_after_s == 9


# Addresses


@pytest.mark.requirement("SEC-12")
@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("2002:5db8:d822::", True),
    ],
)
async def test_what_is_public(host: str, public: bool) -> None:
    assert is_public(host) is public
    url = f"https://[{host}]/i/x" if ":" in host else f"https://{host}/i/x"
    if public:
        check_literal(url)
    else:
        with pytest.raises(UnreachableError):
            check_literal(url)


@pytest.mark.requirement("SEC-12")
async def test_a_name_of_a_private_address_resolves_to_nothing() -> None:
    resolver = PublicResolver()
    with pytest.raises(OSError, match="no public address"):
        await resolver.resolve("localhost", 443, socket.AF_UNSPEC)
    await resolver.close()


async def test_an_answer_may_hold_many_documents_and_not_any_number() -> None:
    def whole(members: int) -> Answer:
        body = json.dumps({"items": [0] * (members - 1)}).encode()
        return Answer(status=200, headers={}, body=body, signature=None)

    assert len(whole(MAX_ANSWER_MEMBERS).document()["items"]) == MAX_ANSWER_MEMBERS - 1
    with pytest.raises(TooLargeError):
        whole(MAX_ANSWER_MEMBERS + 1).document()
