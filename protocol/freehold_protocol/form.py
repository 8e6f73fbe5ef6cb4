"""Strict reading of a document's members, so that every type refuses the same mistakes in the same words.

A document may hold exactly the members its form names. A member nobody knows is refused, not ignored: what a
person approves is all that was said.

Spec: specs/encoding.md#forms
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from . import limits
from .encoding import Document, Json
from .errors import MalformedError, TooLargeError

T = TypeVar("T")

CONTEXT: Final = "https://w3id.org/freehold/v1"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_MAX_NAME: Final = 40
_DURATION = re.compile(
    r"P(?:(\d{1,4})D|(\d{1,3})W|(\d{1,3})M|(\d{1,2})Y|T(\d{1,4})H|T(\d{1,4})M)\Z", re.ASCII
)
_DURATION_S: Final = (86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400, 3_600, 60)
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,17})\Z")
_URN_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_DID = re.compile(r"did:[a-z0-9]{1,32}:[A-Za-z0-9._:%-]{1,512}\Z")
# Characters that change how a text looks without being seen: controls, direction overrides, joiners of tags.
_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_SEEN_FORMAT: Final = {"\u200c", "\u200d"}  # joiners that some scripts and emoji need
_FILLERS: Final = {"\u115f", "\u1160", "\u3164", "\uffa0"}  # letters by category, and nothing to be seen
_BLANK: Final = "\u2800"  # Braille's space, a symbol by category


def check_members(document: Json, *, required: Collection[str], optional: Collection[str] = ()) -> Document:
    """Return the document if it is an object with all required and no unknown members.

    Raises:
        MalformedError: It is not; the text names the first member at fault.
    """
    if not isinstance(document, dict):
        raise MalformedError("expected a JSON object")
    for name in required:
        if name not in document:
            raise MalformedError(f"member {name!r} is missing")
    for name in document:
        if name not in required and name not in optional:
            raise MalformedError(f"member {name[:40]!r} is not part of this form")
    return document


def text(value: Json, what: str, *, most: int = limits.MAX_TEXT, lines: bool = False) -> str:
    """Return a text of 1 to most characters that shows what it holds: no controls, no direction overrides.

    A line break is accepted only where lines is true: a name of two lines could put words into a screen's mouth.

    Raises:
        MalformedError: No text, nothing to be seen, or a character that cannot be seen.
        TooLargeError: More than most characters.

    Spec: specs/encoding.md#texts
    """
    if not isinstance(value, str):
        raise MalformedError(f"{what} is not a text")
    if len(value) > most:
        raise TooLargeError(f"{what} is longer than {most} characters")
    if not any(map(_shows, value)):
        raise MalformedError(f"{what} shows nothing")
    for char in value:
        if not (lines and char == "\n") and _is_unseen(char):
            raise MalformedError(f"{what} holds a character that cannot be seen")
    return value


def _is_unseen(char: str) -> bool:
    return char in _FILLERS or (char not in _SEEN_FORMAT and unicodedata.category(char) in _UNSEEN)


def _shows(char: str) -> bool:
    """Whether a character is visible by itself: no space, no joiner, no mark that sits on another."""
    return char != _BLANK and unicodedata.category(char)[0] in "LNPS"


def constant(value: Json, expected: Json, what: str) -> None:
    """Refuse any value but the expected one."""
    if value != expected or type(value) is not type(expected):
        raise MalformedError(f"{what} is not {expected!r}")


def boolean(value: Json, what: str) -> bool:
    """Return true or false as JSON has it."""
    if not isinstance(value, bool):
        raise MalformedError(f"{what} is neither true nor false")
    return value


def count(value: Json, what: str, *, least: int = 1, most: int = 2**53 - 1) -> int:
    """Return a whole number from least to most."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise MalformedError(f"{what} is not a whole number from {least} to {most}")
    return value


def decimal(value: str, what: str) -> int:
    """Return the number that a text of a path, a query or a header writes, in its one spelling of 1 to 18 digits.

    Raises:
        MalformedError: Anything else, also a number with a zero before it.

    Spec: specs/http.md#messages
    """
    if not _DECIMAL.match(value):
        raise MalformedError(f"{what} is not a whole number")
    return int(value)


def array(value: Json, what: str, read: Callable[[Json], T], *, least: int = 0, most: int) -> tuple[T, ...]:
    """Return each item as read gives it.

    Raises:
        MalformedError: No array, or fewer than least items.
        TooLargeError: More than most items.
    """
    if not isinstance(value, list) or len(value) < least:
        raise MalformedError(f"{what} is not an array of at least {least}")
    if len(value) > most:
        raise TooLargeError(f"{what} has more than {most} items")
    return tuple(read(item) for item in value)


def distinct(values: tuple[T, ...], what: str) -> tuple[T, ...]:
    """Refuse an array that says the same thing twice."""
    if len(set(values)) != len(values):
        raise MalformedError(f"{what} repeats an item")
    return values


def short_name(value: Json, what: str) -> str:
    """Return a name such as ``age-check``: it stands in paths, so it needs no escaping there."""
    if not isinstance(value, str) or len(value) > _MAX_NAME or not _NAME.match(value):
        raise MalformedError(f"{what} is not a short name such as 'age-check'")
    return value


def urn_uuid(value: Json, what: str) -> str:
    """Return ``urn:uuid:`` and a lower-case UUID."""
    if not isinstance(value, str) or not _URN_UUID.match(value):
        raise MalformedError(f"{what} is not a urn:uuid")
    return value


def did(value: Json, what: str) -> str:
    """Return a DID without path, query or fragment."""
    if not isinstance(value, str) or not _DID.match(value):
        raise MalformedError(f"{what} is not a DID")
    return value


def nonce(value: Json, what: str = "nonce") -> str:
    """Return something drawn at random: 22 to 64 characters of base64url, so at least 128 bits of room."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{22,64}", value):
        raise MalformedError(f"{what} is not 22 to 64 characters of base64url")
    return value


def duration_s(value: Json, what: str) -> int:
    """Return the seconds of an XSD duration with one designator; a month counts 30 days, a year 365.

    Raises:
        MalformedError: Another form, or nothing at all.
    """
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedError(f"{what} is not a duration such as 'P30D', 'P6M' or 'PT1H'")
    seconds = sum(int(part) * unit for part, unit in zip(match.groups(), _DURATION_S, strict=True) if part)
    if seconds <= 0:
        raise MalformedError(f"{what} is no time at all")
    return seconds
