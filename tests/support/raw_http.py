"""Requests as bytes, for what no HTTP client would send, and the response to them as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from harness import Reply
from multidict import CIMultiDict


def request_bytes(
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    close: bool = True,
) -> bytes:
    """Return a request with a Host and whatever headers are given, Content-Length not added."""
    named = {"Host": "127.0.0.1", **({"Connection": "close"} if close else {}), **(headers or {})}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def connect(base: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(base)
    return await asyncio.open_connection(address.hostname, address.port)


async def exchange(base: str, data: bytes, *, cut_off: bool = False) -> bytes:
    """Send bytes as they are, end there if cut_off, and return all that comes until the node closes."""
    reader, writer = await connect(base)
    try:
        writer.write(data)
        if cut_off:
            writer.write_eof()
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def replies_in(received: bytes) -> list[Reply]:
    """Return the responses that stand in a row in what came, each with its Content-Length."""
    replies: list[Reply] = []
    while received:
        head, blank, rest = received.partition(b"\r\n\r\n")
        assert blank, "a response without an end of its head"
        status, *fields = head.decode("latin-1").split("\r\n")
        named: CIMultiDict[str] = CIMultiDict()
        for line in fields:
            name, _, value = line.partition(":")
            named.add(name, value.strip())
        length = int(named.get("Content-Length", "0"))
        replies.append(Reply(int(status.split()[1]), named, rest[:length]))
        received = rest[length:]
    return replies


async def read_one(reader: asyncio.StreamReader) -> bytes:
    """Return the bytes of one response, without waiting for the node to close."""
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = [
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        return head + await reader.readexactly(length)


async def reply_to(base: str, data: bytes) -> Reply:
    """Return the first response to some bytes."""
    reader, writer = await connect(base)
    try:
        writer.write(data)
        (reply,) = replies_in(await read_one(reader))
    finally:
        writer.close()
    return reply
