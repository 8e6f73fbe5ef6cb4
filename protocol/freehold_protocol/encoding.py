"""Multibase, multikeys, content identifiers, base64url and JSON: strict both ways.

What this node writes it encodes here by hand, because it does so for every read; what a stranger wrote is
parsed with the multiformats library where the form is open, and refused where there is only one right form.

Spec: specs/encoding.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from math import isinf
from typing import Any, Final

from . import limits
from .errors import DuplicateKeyError, MalformedError, TooDeepError, TooLargeError

Json = Any
"""A JSON value; documents are ``dict[str, Json]``."""
Document = dict[str, Any]
"""A JSON object, as parsed or about to be written. Never mutated once it is signed."""

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUE: Final = {char: value for value, char in enumerate(_BASE58)}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_CID_PREFIX: Final = bytes([0x01, 0x80, 0x04, 0x12, 0x20])
"""CIDv1, codec json (0x0200 as varint), sha2-256, 32 bytes."""
_CID_TEXT = re.compile(r"b[a-z2-7]{60}\Z")
_MAX_BASE58_CHARS: Final = 256  # decoding is quadratic


def base58_encode(data: bytes) -> str:
    """Return base58btc text; each leading zero byte becomes one ``1``."""
    number = int.from_bytes(data, "big")
    digits: list[str] = []
    while number:
        number, rest = divmod(number, 58)
        digits.append(_BASE58[rest])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def base58_decode(text: str) -> bytes:
    """Return the bytes of base58btc text.

    Raises:
        MalformedError: A character outside the alphabet, or more than 256 characters.
    """
    if len(text) > _MAX_BASE58_CHARS:
        raise MalformedError("base58 text is too long")
    number = 0
    try:
        for char in text:
            number = number * 58 + _BASE58_VALUE[char]
    except KeyError:
        raise MalformedError("not base58btc") from None
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def multibase_encode(data: bytes) -> str:
    """Return ``z`` and base58btc."""
    return "z" + base58_encode(data)


def multibase_decode(text: str) -> bytes:
    """Return the bytes of base58btc multibase text; no other base is accepted.

    Raises:
        MalformedError: Another base, or not base58btc.
    """
    if not text.startswith("z"):
        raise MalformedError("not base58btc multibase")
    return base58_decode(text[1:])


def base64url_encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def base64url_decode(text: str) -> bytes:
    """Return the bytes of unpadded base64url in its one canonical spelling.

    Raises:
        MalformedError: Padding, another alphabet, or trailing bits that are not zero.
    """
    if not _BASE64URL.match(text):
        raise MalformedError("not unpadded base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise MalformedError("not unpadded base64url") from None
    if base64url_encode(data) != text:
        raise MalformedError("base64url text has trailing bits")
    return data


def base64_decode(text: str) -> bytes:
    """Return the bytes of standard, padded base64 in its one canonical spelling.

    Raises:
        MalformedError: Anything else.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise MalformedError("base64 text has trailing bits")
    return data


def cid_of(data: bytes) -> str:
    """Return the CIDv1 (json codec, sha2-256, base32 lower case; 61 characters) of canonical bytes."""
    digest = _CID_PREFIX + hashlib.sha256(data).digest()
    return "b" + base64.b32encode(digest).rstrip(b"=").lower().decode()


def parse_cid(text: str) -> str:
    """Return the text if it is a CID of the one form this protocol uses.

    Raises:
        MalformedError: Another version, codec, hash or base.
    """
    if not isinstance(text, str) or not _CID_TEXT.match(text):
        raise MalformedError("not a CIDv1 in base32")
    padded = text[1:].upper() + "=" * (-(len(text) - 1) % 8)
    data = base64.b32decode(padded)
    if not data.startswith(_CID_PREFIX) or len(data) != len(_CID_PREFIX) + 32:
        raise MalformedError("CID is not json codec with sha2-256")
    if base64.b32encode(data).rstrip(b"=").lower().decode() != text[1:]:
        raise MalformedError("CID text has trailing bits")
    return text


def _refuse_duplicates(pairs: list[tuple[str, Json]]) -> Document:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise DuplicateKeyError("a JSON object names the same key twice")
    return made


def _refuse_constant(_: str) -> Json:
    raise MalformedError("NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):  # written with digits, so _refuse_constant does not see it
        raise MalformedError("a number is out of range")
    return number


def bound_members(value: Json, *, max_members: int = limits.MAX_MEMBERS) -> None:
    """Refuse a value that could not be read back from its JSON text, without recursion.

    Raises:
        TooDeepError: Nested deeper than ``limits.MAX_DEPTH``.
        TooLargeError: More than max_members of all objects and arrays together.
    """
    waiting: list[tuple[Json, int]] = [(value, 1)]
    members = 0
    while waiting:
        item, depth = waiting.pop()
        if not isinstance(item, dict | list):
            continue
        children = item.values() if isinstance(item, dict) else item
        if depth > limits.MAX_DEPTH:
            raise TooDeepError(f"JSON is nested deeper than {limits.MAX_DEPTH}")
        members += len(children)
        if members > max_members:
            raise TooLargeError(f"JSON has more than {max_members} members")
        waiting.extend((child, depth + 1) for child in children)


def parse_json(
    data: bytes, *, max_bytes: int = limits.MAX_DOCUMENT_BYTES, max_members: int = limits.MAX_MEMBERS
) -> Json:
    """Return the value of UTF-8 JSON text.

    Args:
        data: The text as it came.
        max_bytes: Refuse more than this before any work.
        max_members: Of all objects and arrays together; more only for a file that its reader chose.

    Raises:
        TooLargeError: More bytes or members than allowed.
        TooDeepError: Nested deeper than ``limits.MAX_DEPTH``.
        DuplicateKeyError: An object names a key twice.
        MalformedError: Not UTF-8, not JSON, NaN, Infinity, a number that no double holds, or a lone surrogate.

    Spec: specs/encoding.md#json
    """
    if len(data) > max_bytes:
        raise TooLargeError(f"more than {max_bytes} bytes")
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise TooDeepError(f"JSON is nested deeper than {limits.MAX_DEPTH}") from None
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None
    except UnicodeEncodeError:
        raise MalformedError("JSON holds half a surrogate pair") from None
    except ValueError:  # includes JSONDecodeError and integers too long to convert
        raise MalformedError("not JSON") from None
    bound_members(value, max_members=max_members)
    return value


def parse_document(
    data: bytes, *, max_bytes: int = limits.MAX_DOCUMENT_BYTES, max_members: int = limits.MAX_MEMBERS
) -> Document:
    """Return the JSON object in data; as parse_json, and anything but an object is malformed."""
    value = parse_json(data, max_bytes=max_bytes, max_members=max_members)
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object")
    return value


_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z\Z", re.ASCII)


@lru_cache(maxsize=256)
def format_time(time_s: int) -> str:
    """Return an XSD dateTime in UTC, whole seconds: ``2026-11-23T12:00:00Z``."""
    # Not strftime: its %Y has fewer than four digits for the first thousand years.
    return datetime.fromtimestamp(time_s, UTC).isoformat()[:19] + "Z"


def parse_time(text: Json) -> int:
    """Return Unix seconds of an XSD dateTime in the one spelling ``format_time`` writes.

    Raises:
        MalformedError: Another spelling, an offset, a fraction, or a date that does not exist.
    """
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None:
        raise MalformedError("not a dateTime of the form 2026-11-23T12:00:00Z")
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        raise MalformedError("no such date") from None
