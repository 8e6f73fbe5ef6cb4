"""Structured field values for HTTP: dictionaries, lists and items, parsed strictly and written back.

RFC 9651 without dates and display strings, which nothing here carries. Stricter than the RFC in two points: a
key that comes twice is refused instead of overwritten, and bytes have one base64 spelling.

Spec: specs/http-signatures.md#structured-fields
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from .encoding import base64_decode
from .errors import DuplicateKeyError, MalformedError, TooLargeError, UnsupportedError

MAX_FIELD_CHARS: Final = 8 * 1024
"""The usual bound of one HTTP field; every parser here refuses more before any work."""
_MAX_INTEGER: Final = 999_999_999_999_999


class Token(str):
    """A bare word, as opposed to a quoted string."""

    __slots__ = ()


BareItem = bool | int | Decimal | str | bytes
"""``str`` is a quoted string unless it is a Token."""
Parameters = Mapping[str, BareItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One value with its parameters, in the order they came."""

    value: BareItem
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerList:
    """Items in parentheses, with the parameters of the whole."""

    items: tuple[Item, ...]
    parameters: Parameters = field(default_factory=dict)


Member = Item | InnerList
Dictionary = Mapping[str, Member]

# Each pattern is tried at one place and can match a text in one way only, so parsing takes linear time.
_KEY_TEXT = r"[a-z*][a-z0-9_.*-]*"
_TOKEN_TEXT = r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*"  # noqa: S105
_KEY = re.compile(_KEY_TEXT)
_TOKEN = re.compile(_TOKEN_TEXT)
_PARAMETER = re.compile(rf"; *({_KEY_TEXT})(=?)")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_STRING = re.compile(r"[ -~]*")
_BARE_ITEM = re.compile(
    r'"(?P<string>[ !#-\[\]-~]*(?:\\["\\][ !#-\[\]-~]*)*)"'
    r"|:(?P<bytes>[A-Za-z0-9+/=]*):"
    r"|(?P<decimal>-?[0-9]{1,12}\.[0-9]{1,3})(?![0-9.])"
    r"|(?P<integer>-?[0-9]{1,15})(?![0-9.])"
    r"|\?(?P<boolean>[01])"
    rf"|(?P<token>{_TOKEN_TEXT})"
)


def parse_dictionary(text: str, *, max_chars: int = MAX_FIELD_CHARS) -> dict[str, Member]:
    """Return the members of a dictionary, in the order they came; empty text is an empty dictionary.

    Raises:
        TooLargeError: More than max_chars.
        DuplicateKeyError: Two members, or two parameters of one value, have the same key.
        UnsupportedError: A date or a display string.
        MalformedError: Anything else that is not a dictionary.
    """
    text = _prepared(text, max_chars).rstrip(" \t")
    members: dict[str, Member] = {}
    position = 0
    while position < len(text):
        if position:
            position = _comma(text, position)
        match = _KEY.match(text, position)
        if match is None:
            raise MalformedError("a member of a dictionary begins with a key")
        key, position = match[0], match.end()
        if key in members:
            raise DuplicateKeyError("a dictionary names the same key twice")
        if text.startswith("=", position):
            members[key], position = _member(text, position + 1)
        else:
            parameters, position = _parameters(text, position)
            members[key] = Item(value=True, parameters=parameters)
    return members


def parse_list(text: str, *, max_chars: int = MAX_FIELD_CHARS) -> list[Member]:
    """Return the members of a list; empty text is an empty list. Raises as parse_dictionary."""
    text = _prepared(text, max_chars).rstrip(" \t")
    members: list[Member] = []
    position = 0
    while position < len(text):
        if position:
            position = _comma(text, position)
        member, position = _member(text, position)
        members.append(member)
    return members


def parse_item(text: str, *, max_chars: int = MAX_FIELD_CHARS) -> Item:
    """Return the one item that is the whole text. Raises as parse_dictionary."""
    text = _prepared(text, max_chars).rstrip(" ")
    item, position = _item(text, 0)
    if position != len(text):
        raise MalformedError("something follows the item")
    return item


def _prepared(text: str, max_chars: int) -> str:
    if len(text) > max_chars:
        raise TooLargeError(f"a structured field has more than {max_chars} characters")
    return text.lstrip(" ")


def _comma(text: str, position: int) -> int:
    """Return where the next member begins."""
    match = _COMMA.match(text, position)
    if match is None or match.end() == len(text):
        raise MalformedError("members are separated by a comma, and none follows the last")
    return match.end()


def _member(text: str, position: int) -> tuple[Member, int]:
    if not text.startswith("(", position):
        return _item(text, position)
    items: list[Item] = []
    start = _space(text, position + 1)
    position = start
    while not text.startswith(")", position):
        if position != start and text[position - 1] != " ":
            raise MalformedError("items of an inner list are separated by a space")
        item, position = _item(text, position)
        items.append(item)
        position = _space(text, position)
    parameters, position = _parameters(text, position + 1)
    return InnerList(items=tuple(items), parameters=parameters), position


def _space(text: str, position: int) -> int:
    while text.startswith(" ", position):
        position += 1
    return position


def _item(text: str, position: int) -> tuple[Item, int]:
    value, position = _bare_item(text, position)
    parameters, position = _parameters(text, position)
    return Item(value=value, parameters=parameters), position


def _parameters(text: str, position: int) -> tuple[dict[str, BareItem], int]:
    parameters: dict[str, BareItem] = {}
    while match := _PARAMETER.match(text, position):
        key, position = match[1], match.end()
        if key in parameters:
            raise DuplicateKeyError("a value names the same parameter twice")
        if match[2]:
            parameters[key], position = _bare_item(text, position)
        else:
            parameters[key] = True
    return parameters, position


def _bare_item(text: str, position: int) -> tuple[BareItem, int]:
    match = _BARE_ITEM.match(text, position)
    if match is None or match.lastgroup is None:
        if text.startswith(("@", "%"), position):
            raise UnsupportedError("dates and display strings are not supported")
        raise MalformedError("not a structured value")
    kind, written = match.lastgroup, match[match.lastgroup]
    value: BareItem
    if kind == "string":
        value = re.sub(r"\\(.)", r"\1", written) if "\\" in written else written
    elif kind == "integer":
        value = int(written)
    elif kind == "bytes":
        value = base64_decode(written)
    elif kind == "token":
        value = Token(written)
    elif kind == "boolean":
        value = written == "1"
    else:
        value = Decimal(written)
    return value, match.end()


def serialize_dictionary(members: Dictionary) -> str:
    """Return the one spelling of a dictionary. Raises as serialize_member."""
    return ", ".join(_serialize_pair(key, member) for key, member in members.items())


def _serialize_pair(key: str, member: Member) -> str:
    if isinstance(member, Item) and member.value is True:
        return _serialize_key(key) + serialize_parameters(member.parameters)
    return f"{_serialize_key(key)}={serialize_member(member)}"


def serialize_list(members: Sequence[Member]) -> str:
    """Return the one spelling of a list. Raises as serialize_member."""
    return ", ".join(map(serialize_member, members))


def serialize_member(member: Member) -> str:
    """Return the one spelling of an item or an inner list.

    Raises:
        ValueError: A number out of range, or a character its kind of value cannot hold.
    """
    if isinstance(member, Item):
        return _serialize_bare(member.value) + serialize_parameters(member.parameters)
    items = " ".join(map(serialize_member, member.items))
    return f"({items}){serialize_parameters(member.parameters)}"


def serialize_parameters(parameters: Parameters) -> str:
    """Return the one spelling of parameters, each with its semicolon. Raises as serialize_member."""
    return "".join(
        f";{_serialize_key(key)}" if value is True else f";{_serialize_key(key)}={_serialize_bare(value)}"
        for key, value in parameters.items()
    )


def _serialize_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of a structured field")
    return key


def _serialize_bare(value: BareItem) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, Token):
        if not _TOKEN.fullmatch(value):
            raise ValueError("not a token")
        return str(value)
    if isinstance(value, str):
        if not _STRING.fullmatch(value):
            raise ValueError("a string of a structured field is printable ASCII")
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return f":{base64.b64encode(value).decode()}:"
    if isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            raise ValueError("an integer of a structured field has at most 15 digits")
        return str(value)
    return _serialize_decimal(value)


def _serialize_decimal(value: Decimal) -> str:
    if not value.is_finite() or value.adjusted() >= 12:  # before rounding, which would write every digit
        raise ValueError("a decimal of a structured field has at most 12 digits before the point")
    whole, _, fraction = f"{value:.3f}".partition(".")
    if len(whole.lstrip("-")) > 12:
        raise ValueError("a decimal of a structured field has at most 12 digits before the point")
    return f"{whole}.{fraction.rstrip('0') or '0'}"
