"""Bare HTTP/1.1 to a node: what is sent is exactly what a check says, dot segments and all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_MAX_ANSWER: Final = 64 * 2**20
_MAX_LINE: Final = 64 * 2**10
_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names in lower case, and the headers as they came, for those that come twice."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A server-sent event, as its three lines say, and its bytes."""

    name: str
    id: str
    data: str
    raw: bytes


class Wire:
    """Sends single requests to one node."""

    def __init__(self, url: str) -> None:
        """Take up a node's URL. Raises ValueError if it is not http or https with a host."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the node's URL begins with http:// or https:// and names a host")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.authority = parts.netloc
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)

    async def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
    ) -> Answer:
        """Send one request on a connection of its own, and return the answer.

        Raises:
            OSError: The node cannot be reached, or did not answer in time.
            ValueError: What came is not HTTP.
        """
        async with asyncio.timeout(timeout_s), self.connect() as line:
            await line.write(self.request(method, target, {"connection": "close", **(headers or {})}, body))
            return await line.read_answer(has_body=method != "HEAD")

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> bytes:
        """Return the bytes of a request, with ``Host`` and ``Content-Length`` unless given."""
        sent = {"host": self.authority, **(headers or {})}
        if body is not None:
            sent.setdefault("content-length", str(len(body)))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        return "\r\n".join([*lines, "", ""]).encode("utf-8") + (body or b"")

    async def say(self, data: bytes, *, has_body: bool = True, timeout_s: float = _TIMEOUT_S) -> Answer:
        """Send these bytes, whatever they are, and return the first answer; errors as for send."""
        async with asyncio.timeout(timeout_s), self.connect() as line:
            await line.write(data)
            return await line.read_answer(has_body=has_body)

    async def exchange(
        self, data: bytes, *, cut_off: bool = False, timeout_s: float = _TIMEOUT_S
    ) -> list[Answer]:
        """Send these bytes, and with ``cut_off`` nothing more; return all answers until the node closes.

        None of them may be to HEAD. Errors are as for send.
        """
        async with asyncio.timeout(timeout_s), self.connect() as line:
            with suppress(ConnectionError):  # a node may close before it has read all
                await line.write(data)
                if cut_off:
                    line.writer.write_eof()
            received = await line.read_all()
            replayed = asyncio.StreamReader(limit=_MAX_ANSWER)
            replayed.feed_data(received)
            replayed.feed_eof()
            again, found = Line(replayed, line.writer), []
            while not replayed.at_eof():
                found.append(await again.read_answer())
        return found

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Line]:
        """Open a connection, and close it at the end."""
        reader, writer = await asyncio.open_connection(
            self._host, self._port, ssl=self._tls, limit=_MAX_ANSWER
        )
        try:
            yield Line(reader, writer)
        finally:
            writer.close()

    @asynccontextmanager
    async def listen(self, target: str, headers: Mapping[str, str]) -> AsyncIterator[Stream]:
        """Open an event stream; its ``answer`` has no body where it is one."""
        async with self.connect() as line:
            await line.write(self.request("GET", target, {"accept": "text/event-stream", **headers}))
            async with asyncio.timeout(_TIMEOUT_S):
                stream = await Stream.open(line)
            yield stream


@dataclass(slots=True)
class Line:
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_all(self) -> bytes:
        """Return everything up to the end of the connection, however it ends."""
        parts = []
        with suppress(ConnectionError):
            while part := await self.reader.read(65_536):
                parts.append(part)
        return b"".join(parts)

    async def read_head(self) -> Answer:
        """Return an answer up to the empty line. Raises ValueError for what is no HTTP."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ValueError("the answer is not HTTP") from error
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
            raise ValueError("the answer is not HTTP")
        pairs = tuple(
            (name.strip().lower(), value.strip()) for name, _, value in (one.partition(":") for one in lines)
        )
        return Answer(int(words[1]), dict(pairs), b"", pairs)

    async def read_answer(self, *, has_body: bool = True) -> Answer:
        """Return an answer with its body, as its own headers frame it."""
        head = await self.read_head()
        if head.status == 100:
            return await self.read_answer(has_body=has_body)
        if not has_body or head.status in (204, 304):
            return head
        try:
            if head.headers.get("transfer-encoding") == "chunked":
                body = b"".join([part async for part in self.chunks()])
            elif "content-length" in head.headers:
                body = await self.reader.readexactly(min(int(head.headers["content-length"]), _MAX_ANSWER))
            else:
                body = await self.read_all()
        except asyncio.IncompleteReadError as error:
            raise ValueError("the answer broke off") from error
        return Answer(head.status, head.headers, body, head.raw_headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks of a body, until its end or that of the connection."""
        while line := await self.reader.readline():
            size = int(line.partition(b";")[0], 16)
            data = await self.reader.readexactly(size + 2)
            if not size:
                return
            yield data[:-2]


class Stream:
    """An open event stream."""

    def __init__(self, line: Line, answer: Answer) -> None:
        self.answer = answer
        self._line = line
        self._chunked = answer.headers.get("transfer-encoding") == "chunked"
        self._raw = bytearray()
        self._waiting = bytearray()
        self._ended = answer.status != 200

    @classmethod
    async def open(cls, line: Line) -> Stream:
        """Read the head; the whole answer where it is a refusal."""
        head = await line.read_head()
        if head.status != 200:
            body = await line.reader.readexactly(int(head.headers.get("content-length", "0")))
            head = Answer(head.status, head.headers, body, head.raw_headers)
        return cls(line, head)

    async def next(self, timeout_s: float) -> Event | None:
        """Return the next event, comments passed over; None if the stream was closed.

        Raises:
            TimeoutError: Neither came in time.
        """
        async with asyncio.timeout(timeout_s):
            while (raw := await self.frame()) is not None:
                if not raw.startswith(b":"):
                    return _event(raw)
        return None

    async def frame(self) -> bytes | None:
        """Return the bytes up to the next empty line, that line included; None if the stream was closed."""
        while b"\n\n" not in self._waiting:
            if self._ended:
                return None
            await self._more()
        raw, _, rest = bytes(self._waiting).partition(b"\n\n")
        self._waiting[:] = rest
        return raw + b"\n\n"

    async def closes(self, timeout_s: float) -> bool:
        """Tell whether the stream is closed within this time, without another event."""
        try:
            return await self.next(timeout_s) is None
        except TimeoutError:
            return False

    async def _more(self) -> bool:
        # What was read stays in the buffer when a wait is given up in the middle of a chunk.
        try:
            data = await self._line.reader.read(65_536)
        except ConnectionError:
            data = b""
        self._raw += data
        if not self._chunked:
            self._waiting += self._raw
            self._raw.clear()
        while self._chunked and (end := self._raw.find(b"\r\n")) >= 0:
            size = int(self._raw[:end].partition(b";")[0], 16)
            if not size:
                data = b""
                break
            if len(self._raw) < end + size + 4:
                break
            self._waiting += self._raw[end + 2 : end + 2 + size]
            del self._raw[: end + size + 4]
        self._ended = not data
        return bool(data)


def _event(raw: bytes) -> Event:
    found = dict(line.split(": ", 1) for line in raw.decode().splitlines() if ": " in line)
    return Event(name=found.get("event", ""), id=found.get("id", ""), data=found.get("data", ""), raw=raw)
