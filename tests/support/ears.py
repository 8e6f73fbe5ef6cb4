"""Someone who listens to a node's events over a socket of its own, and the clockwork to hear them by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from freehold_protocol.encoding import Document
from harness import Held, House
from raw_http import connect, request_bytes

WAIT_S = 60


@dataclass(frozen=True)
class Heard:
    kind: str
    permission: str | None
    id: str

    @property
    def told(self) -> str:
        return f"{self.kind} {self.permission}" if self.permission else self.kind


@dataclass(slots=True)
class Ear:
    """One open stream; ``raw`` is every byte that came. Opened by ``listening``."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytearray = field(default_factory=bytearray)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    last_id: str | None = None

    async def _some(self) -> bool:
        """Take in what has come, waiting for something; False at the end of the connection."""
        data = await self.reader.read(65_536)
        self.raw += data
        return bool(data)

    async def open(self) -> Self:
        while b"\r\n\r\n" not in self.raw:
            assert await self._some(), "the node hung up"
        head, _, rest = bytes(self.raw).partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if self.status != 200:
            length = int(self.headers["Content-Length"])
            while len(rest) < length:
                rest += await self.reader.read(length - len(rest))
            self.body += rest
            self.ended = True
        self.raw = bytearray(rest)
        return self

    @property
    def code(self) -> str | None:
        return json.loads(self.body)["code"] if self.status != 200 else None

    def _unchunk(self) -> None:
        while b"\r\n" in self.raw:
            size_text, _, rest = bytes(self.raw).partition(b"\r\n")
            size = int(size_text, 16)
            if len(rest) < size + 2:
                return
            assert rest[size : size + 2] == b"\r\n"
            self.body += rest[:size]
            del self.raw[: len(size_text) + 2 + size + 2]
            if not size:
                self.ended = True

    def _take(self) -> Heard | None:
        """Return the next event that has come whole; comments are passed over."""
        while b"\n\n" in self.body:
            block, _, rest = bytes(self.body).partition(b"\n\n")
            self.body = bytearray(rest)
            if block.startswith(b":"):
                assert block == b":"
                continue
            names, values = zip(*(line.split(": ", 1) for line in block.decode().split("\n")), strict=True)
            assert names == ("event", "id", "data")
            data: Document = json.loads(values[2])
            assert data.keys() <= {"permission"}
            heard = Heard(values[0], data.get("permission"), values[1])
            assert (heard.permission is not None) == (heard.kind == "changed")
            self.last_id = heard.id
            return heard
        return None

    async def next(self) -> Heard | None:
        """Return the next event; None at the end of the stream."""
        async with asyncio.timeout(WAIT_S):
            while True:
                self._unchunk()
                if (heard := self._take()) is not None:
                    return heard
                if self.ended:
                    return None
                if not await self._some():
                    raise ConnectionResetError("the stream was cut off")

    async def told(self, *expected: str) -> None:
        """The next events are these, as ``changed delivery``; ``end`` is the end."""
        for wanted in expected:
            heard = await self.next()
            assert (heard.told if heard else "end") == wanted

    async def now(self, house: House) -> list[Heard]:
        """Return what is said by now: all that the node had to say when it was last stirred."""
        await settled(house)
        heard: list[Heard] = []
        while True:
            self._unchunk()
            if (one := self._take()) is not None:
                heard.append(one)
                continue
            try:
                async with asyncio.timeout(0.001):
                    if self.ended or not await self._some():
                        return heard
            except TimeoutError:
                return heard


async def settled(house: House) -> None:
    """Let every stream look, and say what it has to say."""
    house.node.streams.stir()
    for _ in range(2):
        assert (await house.send("GET", "/healthz", {})).status == 200


@asynccontextmanager
async def listening(
    held: Held,
    path: str = "",
    *,
    last_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> AsyncIterator[Ear]:
    """Open a stream: of the whole grant, or of ``/delivery``."""
    target = f"/g/{held.grant}{path}/events"
    sent = held.headers("GET", target, **more) | dict(headers or {})
    if last_id is not None:
        sent["Last-Event-ID"] = last_id
    reader, writer = await connect(held.house.base)
    try:
        writer.write(request_bytes(target, headers=sent, close=False))
        async with asyncio.timeout(WAIT_S):
            ear = await Ear(reader, writer).open()
        yield ear
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
