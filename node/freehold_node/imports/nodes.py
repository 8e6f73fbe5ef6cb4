"""A node while it is filled, field by field, from paths such as ``address.2.postalCode``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.encoding import Document, Json

from .mapping import NODE_TYPES, Step

_MAX_VALUES: Final = 100


@dataclass(slots=True)
class Node:
    """A node while it is filled: for each term its values, or nodes, by their number."""

    values: dict[str, list[Json]] = field(default_factory=dict)
    nodes: dict[str, dict[int, Node]] = field(default_factory=dict)

    def put(self, path: Sequence[Step], value: Json) -> bool:
        """Keep a value; return whether there was room for it."""
        node = self
        for term, number in path[:-1]:
            node = node.nodes.setdefault(term, {}).setdefault(number or 1, Node())
        kept = node.values.setdefault(path[-1][0], [])
        if value in kept:
            return True
        if len(kept) == _MAX_VALUES:
            return False
        kept.append(value)
        return True

    def gather(self, term: str, later: Node) -> bool:
        """Take one field's values from a later row; return whether the rows agree in the others."""
        if term in later.values:
            self.values.setdefault(term, []).extend(later.values[term])
        if term in later.nodes:
            numbered = self.nodes.setdefault(term, {})
            numbered.update(enumerate(later.nodes[term].values(), len(numbered) + 1))
        return self._without(term) == later._without(term)

    def _without(self, term: str) -> tuple[Document, Document]:
        return (
            {name: value for name, value in self.values.items() if name != term},
            {name: value for name, value in self.nodes.items() if name != term},
        )

    def built(self, types: Mapping[str, str], above: str = "") -> Document:
        """Return the node's fields: one value stands alone, several in an array.

        Args:
            types: What the mapping says of the nodes inside, by the terms that lead to them.
            above: The terms that lead to this one.
        """
        made: Document = {name: _alone(values) for name, values in self.values.items()}
        for term, numbered in self.nodes.items():
            terms = f"{above}{term}"
            inner = [numbered[number].built(types, f"{terms}.") for number in sorted(numbered)]
            kind = types.get(terms) or NODE_TYPES[term]
            made[term] = _alone([{"type": kind, **one} for one in inner])
        return made


def _alone(values: list[Json]) -> Json:
    return values[0] if len(values) == 1 else values
