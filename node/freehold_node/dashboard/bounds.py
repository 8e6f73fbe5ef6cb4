"""What the node bounds, as a person is told: each number taken from where it is fixed, and put into plain words.

Spec: specs/node/dashboard.md#settings
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from freehold_protocol import limits

from .. import devices, passkeys
from ..imports import MAX_FILE_BYTES
from .words import Words

Say = Callable[[Words, int], str]


def _number(words: Words, value: int) -> str:
    return words.number(value)


def _size(words: Words, value: int) -> str:
    return words.size(value)


def _days(words: Words, value: int) -> str:
    return words.span(f"P{value}D")


def _minutes(words: Words, value: int) -> str:
    return words.span(f"PT{value // 60}M")


def _hours(words: Words, value: int) -> str:
    return words.span(f"PT{value // 3600}H")


_US: Final = 1_000_000
_BOUNDS: Final[Mapping[str, tuple[tuple[str, int, Say], ...]]] = {
    "asking": (
        ("permissions", limits.MAX_PERMISSIONS, _number),
        ("fields", limits.MAX_FIELDS, _number),
        ("recipients", limits.MAX_RECIPIENTS, _number),
        ("text", limits.MAX_TEXT, _number),
        ("request", limits.MAX_DOCUMENT_BYTES, _size),
    ),
    "reading": (
        ("grant_days", limits.MAX_GRANT_DAYS, _days),
        ("key_days", limits.CAPABILITY_DAYS, _days),
        ("page", limits.MAX_PAGE, _number),
        ("partners", limits.MAX_LINKS_OF_A_PARTNER, _number),
        ("streams", limits.MAX_GRANT_STREAMS, _number),
    ),
    "keeping": (
        ("record", limits.MAX_DOCUMENT_BYTES, _size),
        ("file", MAX_FILE_BYTES, _size),
    ),
    "entering": (
        ("idle", devices.IDLE_US // _US, _hours),
        ("longest", devices.LONGEST_US // _US // 86_400, _days),
        ("fresh", devices.FRESH_US // _US, _minutes),
        ("link", devices.LINK_US // _US, _minutes),
        ("passkeys", passkeys.MAX_PASSKEYS, _number),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What is bounded of one thing: its title, and each bound in a sentence."""

    title: str
    sentences: tuple[str, ...]


def bounds(words: Words) -> list[Group]:
    """Return every bound that a person may run into."""
    return [
        Group(
            title=str(words.t(f"limits.{group}")),
            sentences=tuple(
                str(words.t(f"limits.{group}_{name}", number=say(words, value))) for name, value, say in rows
            ),
        )
        for group, rows in _BOUNDS.items()
    ]
