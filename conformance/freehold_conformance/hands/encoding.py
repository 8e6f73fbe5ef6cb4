"""Bytes as text: base64url, base58btc, canonical JSON, content identifiers.

Spec: specs/encoding.md
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

Json = Any
Document = dict[str, Any]

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CID_PREFIX: Final = bytes.fromhex("01800412 20".replace(" ", ""))
"""CIDv1, JSON codec (0x0200 as a varint), SHA-256, 32 bytes."""


def base64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Raises ValueError for what is not base64url without padding, in its one spelling."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("not base64url in its one spelling")
    return data


def base58(data: bytes) -> str:
    """Return base58btc, without a multibase prefix."""
    number, text = int.from_bytes(data), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text: str) -> bytes:
    """Raises ValueError for a character that base58btc does not have."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def multibase(data: bytes) -> str:
    """Return ``z`` and base58btc."""
    return "z" + base58(data)


def from_multibase(text: str) -> bytes:
    """Raises ValueError for what is not ``z`` and base58btc."""
    if not text.startswith("z"):
        raise ValueError("not base58btc multibase")
    return from_base58(text[1:])


def jcs(value: Json) -> bytes:
    """Return the canonical bytes (RFC 8785)."""
    return rfc8785.dumps(value)


def sha256(data: bytes) -> bytes:
    """Return 32 bytes."""
    return hashlib.sha256(data).digest()


def cid(document: Document) -> str:
    """Return the CID of a document, its proof included."""
    data = _CID_PREFIX + sha256(jcs(document))
    return "b" + base64.b32encode(data).decode().lower().rstrip("=")


def xsd_time(seconds: float) -> str:
    """Return ``2026-11-23T12:00:00Z``."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_xsd_time(text: str) -> int:
    """Return Unix seconds. Raises ValueError for another form than ``2026-11-23T12:00:00Z``."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def strict_json(data: bytes) -> Json:
    """Parse JSON as strictly as a node must write it.

    Raises:
        ValueError: Not UTF-8, not JSON, or an object that says a key twice, or a number that JSON has not.
    """

    def once(pairs: list[tuple[str, Json]]) -> Document:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key that comes twice")
        return found

    def refuse(name: str) -> Json:
        raise ValueError(f"{name} is no JSON")

    return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse)
