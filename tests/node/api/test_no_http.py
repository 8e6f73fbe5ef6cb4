"""What the server answers before any handler of ours is asked: bytes that are no HTTP, bodies that are no bodies."""

from __future__ import annotations

import asyncio
import gzip
import logging
from pathlib import Path

import pytest
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.invocation import TAG_OWNER, sign_message
from harness import House, open_house
from overheard import Wire

HEAD = b"Host: node.example\r\nConnection: close\r\n"
SECRET = b"Zm9yYmlkZGVu"
NO_HTTP = {
    "no protocol": SECRET + b" no such thing\r\n\r\n",
    "another version": b"GET /" + SECRET + b" HTTP/9.9\r\n\r\n",
    "a control character in a header": b"GET /healthz HTTP/1.1\r\nX: " + SECRET + b"\x00\r\n\r\n",
    "too long a header": b"GET /healthz HTTP/1.1\r\nX: " + SECRET * 2000 + b"\r\n\r\n",
    "too long a line": b"GET /" + SECRET * 2000 + b" HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /i/a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n" + SECRET,
    "length and chunks": b"POST /i/a HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    "a chunk of no size": b"POST /i/a HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + SECRET,
    "an unknown expectation": b"GET /healthz HTTP/1.1\r\n" + HEAD + b"Expect: a-miracle\r\n\r\n",
}


def wire_of(house: House) -> Wire:
    return Wire(node=house.node, base=house.base, session=house.session, clock=house.clock)


def check_problem(raw: bytes) -> None:
    """Every answer has the one shape of errors, and tells neither clock nor software."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0].split()[1].startswith(b"4"), head
    assert b"content-type: application/problem+json" in lines, head
    assert not any(line.startswith((b"date:", b"server:")) for line in lines), head
    assert SECRET not in raw
    assert b"aiohttp" not in raw.lower()
    assert b'"code"' in body


@pytest.mark.requirement("SEC-9")
@pytest.mark.asyncio
@pytest.mark.parametrize("data", NO_HTTP.values(), ids=NO_HTTP)
async def test_what_is_no_http_gets_a_problem_that_tells_nothing_and_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_house(tmp_path / "node") as house:
        check_problem(await wire_of(house).exchange(data))
    assert SECRET.decode() not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.asyncio
async def test_a_body_broken_off_between_chunks_is_malformed_and_its_bytes_are_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_house(tmp_path / "node") as house:
        address = house.base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(address[0], int(address[1]))
        writer.write(b"POST /i/a HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await writer.drain()
        while not house.node._runner.server.connections:  # type: ignore[union-attr]
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        writer.write(SECRET + b"\r\n")
        raw = await reader.read()
        writer.close()
        await writer.wait_closed()
    check_problem(raw)
    assert SECRET.decode() not in caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_is_read_as_it_was_sent_never_inflated(tmp_path: Path, encoding: str) -> None:
    async with open_house(tmp_path / "node") as house:
        wire = wire_of(house)
        headers = {"content-type": "application/json", "content-encoding": encoding}
        for body in (gzip.compress(b"{" + b" " * 10_000_000 + b"}"), b"not compressed at all"):
            reply = await wire.send("POST", "/i/a", headers, body)
            assert (reply.status, reply.code) == (400, "malformed")  # these bytes are no JSON
        reply = await wire.send("POST", "/i/a", headers, b"{}")
        assert (reply.status, reply.code) == (404, "not-found")  # these are, whatever the header says


@pytest.mark.asyncio
async def test_the_digest_of_a_body_is_of_the_bytes_as_sent(tmp_path: Path) -> None:
    """specs/http-signatures.md SIG-19: whoever inflates first checks other bytes than were signed."""
    async with open_house(tmp_path / "node") as house:
        wire, plain = wire_of(house), b'{"label":"a"}'
        for signed, status in ((gzip.compress(plain), 400), (plain, 401)):
            headers = sign_message(
                house.node.session_key, tag=TAG_OWNER, method="POST",
                target_uri=house.base + "/owner/invitations", created_s=house.now_s(),
                nonce=base64url_encode(bytes([status % 256]) * 18), body=signed,
            )  # fmt: skip
            reply = await wire.send(
                "POST", "/owner/invitations", headers | {"content-encoding": "gzip"}, gzip.compress(plain)
            )
            assert reply.status == status, reply.body
