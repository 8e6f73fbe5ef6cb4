"""What the person has of what is asked for: so that they see what would be given, before it is.

Spec: specs/node/dashboard.md#consent-card
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.errors import NotFoundError
from freehold_protocol.permission import Item, Permission
from freehold_protocol.released import leaves, matches

from ...api.owner import recording, tending
from ..record.as_words import Telling
from ..visit import Visit

_MOST_VALUES: Final = 5
_MOST_CHARS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The person's own record, None where none is marked as theirs, and how many records of each type there are."""

    content: Document | None
    counts: Mapping[str, int]
    telling: Telling

    def shows(self, item: Item) -> bool:
        """Whether an item about the person would show anything of them at all."""
        content = self.content
        return content is not None and content.get("type") == item.type and matches(content, item.where)

    def value(self, item: Item, path: str) -> str | None:
        """Return what an item about the person would show at a path, in short: "" is nothing, None others' data."""
        if item.about == "any":
            return None
        if self.content is None or not self.shows(item):
            return ""
        term = path.rpartition(".")[2]
        return in_short([self.telling.text(term, value) for value in leaves(self.content, path)])

    def count(self, item: Item) -> int:
        """Return how many records there are of which an item shows some or all."""
        return self.counts.get(item.type, 0)


def in_short(values: Sequence[str]) -> str:
    """Return values beside each other, as far as they fit; what is left out is seen to be."""
    shown = [_short(value) for value in values[:_MOST_VALUES]]
    return "; ".join(shown) + ("; …" if len(values) > _MOST_VALUES else "")


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else text[:_MOST_CHARS] + "…"


async def own_of(visit: Visit, permissions: Sequence[Permission]) -> tuple[Own, Document]:
    """Return what the person has of it, and how the node stands."""
    status = (await visit.does(tending.show_status)).told
    content = None
    if mine := status["self"]:
        try:
            record = mine["id"].removeprefix("urn:uuid:")
            content = (await visit.does(recording.show_record, {"record": record})).told["content"]
        except NotFoundError:  # deleted just now
            content = None
    counts: dict[str, int] = {}
    if any(item.about == "any" for permission in permissions for item in permission.items):
        told = (await visit.does(recording.list_record_types)).told
        counts = {one["type"]: one["count"] for one in told["types"]}
    return Own(content=content, counts=counts, telling=Telling(visit.words)), status
