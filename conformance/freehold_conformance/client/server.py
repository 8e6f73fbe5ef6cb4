"""HTTP/1.1 on a loopback socket, so bare that an answer can be anything: one that never ends, or none at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from ..hands.encoding import Document, jcs, strict_json

Raw = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes an answer's bytes itself; the connection is closed after it."""
_MAX_HEAD_BYTES: Final = 64 * 1024
_MAX_BODY_BYTES: Final = 2**20
_REASONS: Final = {200: "OK", 202: "Accepted", 204: "No Content", 304: "Not Modified", 302: "Found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """A request as it came: header names in lower case, in their order; ``origin`` is where it arrived."""

    origin: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at_s: float
    """Of the monotonic clock."""

    def header(self, name: str) -> str | None:
        return next((value for other, value in self.headers if other == name), None)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; ``raw`` writes another in its place."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: Raw | None = None

    @classmethod
    def of(cls, document: Document, status: int = 200, **headers: str) -> Self:
        """Return an answer in JSON; an underscore in a header's name stands for a hyphen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(
            status=status,
            headers={"content-type": "application/json", "cache-control": "no-store", **named},
            body=jcs(document),
        )

    @property
    def document(self) -> Any:
        """What the body says."""
        return strict_json(self.body)

    def saying(self, document: Any) -> Self:
        """Return the same answer with another document."""
        return replace(self, body=jcs(document))

    def headed(self, **headers: str | None) -> Self:
        """Return the same answer with other headers; None leaves one out."""
        named = dict(self.headers) | {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={name: value for name, value in named.items() if value is not None})

    def head_bytes(self, length: int | None = None) -> bytes:
        """Return the status line and the headers; ``length`` is what they say of the body, if not the truth."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Answer')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status not in (204, 304) and "transfer-encoding" not in self.headers:
            lines.append(f"content-length: {len(self.body) if length is None else length}")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


Answers = Callable[[Came], Awaitable[Reply]]


class Server:
    """One address that answers."""

    def __init__(self, answers: Answers, *, host: str = "127.0.0.1") -> None:
        self._answers, self._host = answers, host
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._stopped = False
        self.origin = ""
        self.failure: Exception | None = None
        """What went wrong in making an answer: the suite's own mistake, never the client's."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._begin, self._host, 0, limit=_MAX_HEAD_BYTES)
        self.origin = f"http://{self._host}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._stopped = True
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)
        await asyncio.sleep(0)  # in which the transports let go of their sockets

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._stopped:  # the system had taken the connection before
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # also if it is cancelled before it begins

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whatever the client does to the connection is its business, and ours only to survive.
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while (came := await self._read(reader)) is not None:
                if not await self._reply(came, writer):
                    break
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _reply(self, came: Came, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection is good for another."""
        try:
            reply = await self._answers(came)
        except Exception as error:  # noqa: BLE001 - told by whoever judges, instead of a lost task
            self.failure = error
            return False
        if reply.raw is not None:
            await reply.raw(writer)
            return False
        writer.write(reply.head_bytes() + (b"" if came.method == "HEAD" else reply.body))
        await writer.drain()
        return True

    async def _read(self, reader: asyncio.StreamReader) -> Came | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        length = int(next((value for name, value in headers if name == "content-length"), "0"))
        if length > _MAX_BODY_BYTES:
            return None
        return Came(
            origin=self.origin,
            method=method,
            target=target,
            headers=headers,
            body=await reader.readexactly(length),
            at_s=time.monotonic(),
        )
