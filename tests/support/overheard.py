"""Every byte that a vendor receives, and what somebody who compares two vendors' bytes could find in them.

``Wire`` is a House whose requests go over raw sockets and which keeps all that comes back. ``tokens_of`` cuts
bytes into everything that could be the same in two places: words, whole values, and what is inside encodings.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import zlib
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from freehold_protocol.encoding import base58_decode
from freehold_protocol.errors import MalformedError
from harness import House, Reply
from multidict import CIMultiDict

Token = str | bytes
"""A text, or a window of decoded bytes."""

Asked = tuple[str, str, int]
"""Method, path without its query, and the status of the answer."""

MIN_CHARS = 6
"""The shortest thing that a node makes to name anything, the key id of a checkpoint, has 4 bytes, which are 6
characters in base64; everything else it makes has 16 bytes or more. What is shorter is a word, a count or a part of
a date: in a transcript of thousands of tokens two strangers share nearly all of those. ``mixed_tokens_of`` looks at
the short ones all the same."""
WINDOW_BYTES = 12
"""Decoded bytes are compared by windows of this length, so that one key is found at any place in two blobs."""
_MIN_ENCODED = 16
"""Characters; shorter runs, dates among them, are compared as they stand and not taken for an encoding."""
_MAX_DEPTH = 4
# Words; base64url; and base64, whose slashes would make one run of an address and the path after it.
_RUNS = (re.compile(r"\w+"), re.compile(r"[\w-]+"), re.compile(r"(?<![\w:/.%])[A-Za-z0-9+/]+={0,2}"))
_MIXED = re.compile(r"[\w+/=-]*(?:[^\W\d_][\w+/=-]*\d|\d[\w+/=-]*[^\W\d_])[\w+/=-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\Z")
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]+\Z")
_BASE32 = re.compile(r"[a-z2-7]+\Z|[A-Z2-7]+\Z")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+\Z")


@dataclass(slots=True)
class Wire(House):
    """A House as one vendor sees it: each request has its own socket, and every byte received is kept."""

    received: list[bytes] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(self.base).netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        raw = await self.exchange("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        head, _, content = raw.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        named: CIMultiDict[str] = CIMultiDict()
        for line in fields:
            name, _, value = line.partition(":")
            named.add(name, value.strip())
        self.asked.append((method, path.partition("?")[0], int(status.split()[1])))
        return Reply(int(status.split()[1]), named, content)

    async def hear(
        self, path: str, headers: Mapping[str, str], *, first: bytes, act: Awaitable[object], then: bytes
    ) -> None:
        """Listen: wait for the first words, act, wait for those that follow, and hang up."""
        address = urlsplit(self.base)
        lines = [f"GET {path} HTTP/1.1", f"Host: {address.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
            async with asyncio.timeout(20):
                raw = await reader.readuntil(first)
                await act
                raw += await reader.readuntil(then)
        finally:
            writer.close()
            await writer.wait_closed()
        self.asked.append(("GET", path, int(raw.split()[1])))
        self.received.append(raw)

    async def exchange(self, data: bytes) -> bytes:
        """Send bytes as they are; keep and return all that comes until the node closes."""
        address = urlsplit(self.base)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(data)
            await writer.drain()
            raw = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        self.received.append(raw)
        return raw


def _responses_in(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield head and body of each response of one exchange."""
    while raw:
        head, blank, rest = raw.partition(b"\r\n\r\n")
        told = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        length = int(told[1]) if told and blank else 0
        yield head.decode("latin-1"), rest[:length]
        raw = rest[length:]


def documents_of(received: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in the bodies of responses, at any depth."""
    for body in (body for raw in received for _, body in _responses_in(raw)):
        waiting: list[Any] = [json.loads(body)] if body[:1] in (b"{", b"[") else []
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                yield value
                waiting.extend(value.values())
            elif isinstance(value, list):
                waiting.extend(value)


def tokens_of(received: Iterable[bytes]) -> set[Token]:
    """Return every token of some responses, of at least MIN_CHARS characters or WINDOW_BYTES bytes."""
    found: set[Token] = set()
    for raw in received:
        for text in _texts_of(raw):
            found |= _tokens_in(text)
    return found


def tokens_of_values(values: Iterable[object]) -> set[Token]:
    """Return the tokens of values as they stand in JSON."""
    return tokens_of(json.dumps(value, ensure_ascii=False).encode() for value in values)


def tokens_of_address(base: str) -> set[Token]:
    """Return the tokens of a node's address, in the ways a URL writes it."""
    spellings = [base.encode(), quote(base, safe="").encode(), urlsplit(base).netloc.encode()]
    return tokens_of(spellings) | mixed_tokens_of(spellings)


def mixed_tokens_of(received: Iterable[bytes]) -> set[Token]:
    """Return every run of letters and digits together, of any length: what names things and is no word."""
    return {found[0] for raw in received for text in _texts_of(raw) for found in _MIXED.finditer(text)}


def _texts_of(raw: bytes) -> set[str]:
    """Return the texts of a response: the whole, every header's value, and every value in a JSON body."""
    whole = raw.decode("utf-8", "replace")
    texts = {whole, unquote(whole)} | _values_in(whole)
    for head, body in _responses_in(raw):
        texts |= {line.partition(":")[2].strip() for line in head.split("\r\n")}
        texts |= _values_in(body.decode("utf-8", "replace"))
    return texts


def _values_in(text: str) -> set[str]:
    try:
        waiting = [json.loads(text)]
    except ValueError:
        return set()
    values: set[str] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            values |= value.keys()
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        else:
            values.add(value if isinstance(value, str) else json.dumps(value))
    return values


@lru_cache(maxsize=20_000)
def _tokens_in(text: str, depth: int = 0) -> frozenset[Token]:
    """Return a text itself, its runs, and the tokens of whatever the text or a run may be an encoding of."""
    found: set[Token] = {text}
    runs = {run for pattern in _RUNS for run in pattern.findall(text)}
    if depth < _MAX_DEPTH:
        runs |= {value for value in _values_in(text) if value != text}
        for run in runs:
            found |= _inside(run, depth + 1)
    found |= runs
    return frozenset(token for token in found if len(token) >= MIN_CHARS)


@lru_cache(maxsize=200_000)
def _inside(run: str, depth: int) -> frozenset[Token]:
    """Return the tokens of the bytes that a run of characters may stand for."""
    found: set[Token] = set()
    for data in _decoded(run):
        found |= {data[start : start + WINDOW_BYTES] for start in range(len(data) - WINDOW_BYTES + 1)}
        plain = _inflated(data) or data
        try:
            text = plain.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if text.isprintable():
            found |= _tokens_in(text, depth)
    return frozenset(found)


def _decoded(run: str) -> Iterator[bytes]:
    """Yield what a run means in each encoding that has its characters, with and without a multibase letter."""
    for text in {run, run[1:]}:
        if len(text) < _MIN_ENCODED:
            continue
        if _BASE64.match(text):
            # A rest of one character says nothing; without it the others still do.
            bare = text.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
            bare = bare[:-1] if len(bare) % 4 == 1 else bare
            yield base64.b64decode(bare + "=" * (-len(bare) % 4))
        if _HEX.match(text):
            yield bytes.fromhex(text)
        if _BASE32.match(text):
            with suppress(binascii.Error):
                yield base64.b32decode(text.upper() + "=" * (-len(text) % 8))
        if _BASE58.match(text):
            with suppress(MalformedError):  # longer than any key or digest
                yield base58_decode(text)


def _inflated(data: bytes) -> bytes | None:
    try:
        return zlib.decompressobj(wbits=47).decompress(data, 2**20)  # gzip or zlib
    except zlib.error:
        return None
