"""The nodes of a JSON-LD file, out of what they come in: arrays, graphs, and the feeds and lists of schema.org."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import MalformedError
from freehold_protocol.reason import Reason

from .places import short_names
from .preview import Skipped
from .reasons import why

_FEEDS: Final = {"DataFeed": "dataFeedElement", "ItemList": "itemListElement"}
"""Types that only hold others, and where."""
_WRAPPERS: Final = {"DataFeedItem", "ListItem"}
"""What stands around each node in a feed or list; the node is its ``item``."""
_MAX_DEPTH: Final = 8
_NAMING: Final = {"@context", "@id", "id", "@type", "type"}


def unwrapped(value: Json, skipped: list[Skipped]) -> Iterator[tuple[Reason, Json]]:
    """Yield each node with its place, such as ``item 3`` or ``item 3.1``.

    Args:
        value: A whole file.
        skipped: Takes what stands around the nodes and is left out.

    Raises:
        MalformedError: It is of a format that only looks like JSON-LD.
    """
    if isinstance(value, list) and value[:1] == ["vcard"]:
        raise MalformedError(why("jcard"))
    inside = _inside(value, why("the-file"), skipped)
    if inside is None:
        yield why("item", number="1"), value
        return
    for number, item in enumerate(inside, 1):
        yield from _flat(item, str(number), skipped, depth=1)


def _flat(value: Json, path: str, skipped: list[Skipped], *, depth: int) -> Iterator[tuple[Reason, Json]]:
    where = why("item", number=path)
    inside = _inside(value, where, skipped) if depth < _MAX_DEPTH else None
    if inside is None:
        yield where, value
        return
    for number, item in enumerate(inside, 1):
        yield from _flat(item, f"{path}.{number}", skipped, depth=depth + 1)


def _inside(value: Json, where: Reason, skipped: list[Skipped]) -> list[Json] | None:
    """Return the nodes that a value only holds; None if it is one itself."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    name = "@graph" if "@graph" in value else _FEEDS.get(_type_of(value))
    if name is None or name not in value:
        return None
    others = value.keys() - {name} - _NAMING
    if others:
        names = short_names(sorted(others))
        skipped.append(Skipped(where=where, reason=why("of-holder", names=names)))
    held = value[name]
    return [_with_context(_unpacked(item), value) for item in (held if isinstance(held, list) else [held])]


def _unpacked(item: Json) -> Json:
    if isinstance(item, dict) and _type_of(item) in _WRAPPERS and "item" in item:
        return item["item"]
    return item


def _type_of(node: Document) -> str:
    kind = node.get("@type", node.get("type"))
    return kind if isinstance(kind, str) else ""


def _with_context(item: Json, holder: Document) -> Json:
    """Return a node in the context of what holds it, unless it names one itself; and so each of an array."""
    if isinstance(item, dict) and "@context" in holder:
        return {"@context": holder["@context"], **item}
    if isinstance(item, list):
        return [_with_context(one, holder) if isinstance(one, dict) else one for one in item]
    return item
