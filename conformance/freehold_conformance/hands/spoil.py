"""Messages spoiled at random, the same for the same seed: bytes flipped, members swapped, values that are odd."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from .encoding import Document, Json, base64url

_DEEP: Json = 1
for _ in range(80):
    _DEEP = [_DEEP]

ODD: Final[tuple[Json, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    -0.0,
    2**53 + 1,
    -(2**63),
    1e308,
    10**400,
    "",
    " ",
    "\u202e",
    "\u0000",
    "\U0001f600",
    "\ufeff",
    "a" * 5_000,
    "../..",
    "%00",
    "did:key:z6Mk",
    "did:web:elsewhere.example",
    "urn:uuid:00000000-0000-4000-8000-000000000000",
    "urn:zcap:root:x",
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "P0D",
    "P99999999D",
    "https://w3id.org/freehold/v1",
    "http://127.0.0.1:1/",
    [],
    {},
    [[]] * 40,
    [None],
    {"": {"": {"": None}}},
    {"type": "Person", "@id": "_:b0", "@graph": []},
    {"__proto__": {"x": 1}, "constructor": "x"},
    _DEEP,
    ["a"] * 2_000,
)
"""Values that stand where they do not belong."""

_UNICODE: Final = ("\u00e9", "\u2028", "\u202e", "\U000e0001", "\ufffe", "\u0130", "\u1e9e", "\u0301")
_FRAMING: Final = {"host", "connection", "content-length", "transfer-encoding", "expect"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A request in its parts, whose length is written when it is sent."""

    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None = None

    def data(self, authority: str) -> bytes:
        """Return the bytes, on a connection that ends with the answer."""
        head = self.method.encode() + b" " + self.target + b" HTTP/1.1\r\nhost: " + authority.encode()
        head += b"\r\nconnection: close"
        for name, value in self.headers:
            head += b"\r\n" + name.encode() + b": " + value
        if self.body is not None:
            head += b"\r\ncontent-length: %d" % len(self.body)
        return head + b"\r\n\r\n" + (self.body or b"")


def spoil_value(rng: random.Random, value: Json, *, times: int = 1) -> Json:
    """Return a copy of a JSON value that is spoiled in some place."""
    found = copy.deepcopy(value)
    for _ in range(times):
        _spoil_within(rng, found)
    return found


def _places(value: Json) -> list[tuple[Any, Any]]:
    """Return every container and key of a value that something stands at."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting and len(found) < 2_000:
        one = waiting.pop()
        keys: Any = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    return found


def _spoil_within(rng: random.Random, value: Json) -> None:
    places = _places(value)
    if not places:
        return
    holder, key = rng.choice(places)
    other, elsewhere = rng.choice(places)
    match rng.randrange(8):
        case 0:
            del holder[key]
        case 1 | 2:
            holder[key] = copy.deepcopy(rng.choice(ODD))
        case 3:
            holder[key] = [copy.deepcopy(holder[key])] * rng.choice((1, 2, 300))
        case 4:
            holder[key], moved = copy.deepcopy(other[elsewhere]), copy.deepcopy(holder[key])
            if rng.random() < 0.5:
                other[elsewhere] = moved
        case 5 if isinstance(holder, dict):
            holder[rng.choice(("id", "type", "@context", "proof", "x", "", "permission", f"{key}s"))] = "x"
        case 6 if isinstance(holder[key], str) and holder[key]:
            text = holder[key]
            at = rng.randrange(len(text))
            more = rng.choice((*_UNICODE, "A", "0", " ", "/", "%", "", text[at].swapcase()))
            holder[key] = text[:at] + more + text[at + 1 :]
        case _:
            holder[key] = {"a": copy.deepcopy(holder[key])}


def as_json(value: Json) -> bytes:
    """Return JSON that is not canonical, of numbers too that have no canonical form."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _flip(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return bytes([rng.randrange(32, 127)])
    at = rng.randrange(len(data))
    # A line's end would be another header, or the end of the head.
    byte = rng.choice([one for one in range(256) if one not in (10, 13)])
    return rng.choice((data[:at] + bytes([byte]) + data[at + 1 :], data[:at] + data[at + 1 :], data[:at]))


def _spoil_target(rng: random.Random, parts: Parts) -> Parts:
    more = (
        b"?",
        b"?a=b",
        b"?fields=",
        b"?where={}",
        b"?limit=0",
        b"&a=b",
        b"/",
        b"/..",
        b"%2e",
        b"#",
        b"\xc3\xa9",
    )
    if rng.random() < 0.5:
        return replace(parts, target=parts.target + rng.choice(more))
    flipped = b"/" + _flip(rng, parts.target[1:])
    return replace(parts, target=flipped.replace(b" ", b"_"))


def _spoil_headers(rng: random.Random, parts: Parts) -> Parts:
    headers = list(parts.headers)
    if not headers:
        return replace(parts, headers=(("x-a", b"b"),))
    at = rng.randrange(len(headers))
    name, value = headers[at]
    match rng.randrange(7):
        case 0:
            del headers[at]
        case 1:
            headers.append((name, value))
        case 2:
            headers.append((name, _flip(rng, value)))
        case 3:
            other = rng.randrange(len(headers))
            headers[at], headers[other] = (name, headers[other][1]), (headers[other][0], value)
        case 4:
            headers[at] = (name, value * rng.choice((2, 3)))
        case 5:
            headers[at] = (
                name,
                rng.choice((b"", b"x", b"\xff\xfe", b"a" * 7_000, b'sig=("@method")', b"(" * 500)),
            )
        case _:
            headers[at] = (name, _flip(rng, value))
    return replace(parts, headers=tuple(headers))


def _spoil_body(rng: random.Random, parts: Parts) -> Parts:
    body = parts.body or b""
    odd = (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xef\xbb\xbf" + body,
        body + body,
        body[: len(body) // 2],
        b"[" * 5_000,
    )
    return replace(parts, body=rng.choice(odd) if rng.random() < 0.4 else _flip(rng, body))


def _spoil_method(rng: random.Random, parts: Parts) -> Parts:
    return replace(
        parts, method=rng.choice(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "HEAD"))
    )


def spoil(rng: random.Random, parts: Parts) -> Parts:
    """Return a request that was spoiled once or more, not in how it is framed."""
    ways: list[Callable[[random.Random, Parts], Parts]] = [
        _spoil_target,
        _spoil_headers,
        _spoil_headers,
        _spoil_headers,
        _spoil_body,
        _spoil_method,
    ]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        parts = rng.choice(ways)(rng, parts)
    return parts


def parts_of(method: str, target: str, headers: Document, body: bytes | None = None) -> Parts:
    """Return a request in its parts; headers that frame it are left out."""
    pairs = tuple(
        (name, str(value).encode()) for name, value in headers.items() if name.lower() not in _FRAMING
    )
    return Parts(method=method, target=target.encode(), headers=pairs, body=body)


def odd_header(rng: random.Random, capability: Document) -> str:
    """Return what stands for a capability in a header, of bytes that are none."""
    packed = gzip.compress(as_json(capability), mtime=0)
    return base64url(_flip(rng, packed))
