"""Name the blank nodes of a dataset by RDFC-1.0, and stop where that would take too long.

A blank node has no name, so its name in the canonical form has to come from what is said about it. Mostly one look
is enough: no other is spoken of in the same way. Where several are, the algorithm tries the orders in which they
could be met, and somebody can make it try for days with a kilobyte. So every step is counted, and the count is
bounded before the work is done.

A wrong name can make two equal datasets look different, never two different ones alike: the canonical form is the
dataset itself under other names.

Spec: specs/proofs.md#canonical-rdf
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import permutations
from typing import Final, Literal

from . import limits
from .errors import TooLargeError

Quad = tuple[str, str, str, str]
"""Subject, predicate, object and graph name as N-Quads writes them; no graph name is the empty text."""
HashName = Literal["sha256", "sha384"]
_HASHES: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384}
_BLANK: Final = "_:"
_PLACES: Final = ((0, "s"), (2, "o"), (3, "g"))
_ISSUED_PER_STEP: Final = 8
"""Copying this many names costs about as much as looking at one node."""


def is_blank(term: str) -> bool:
    """Whether a term, as N-Quads writes it, is a blank node."""
    return term.startswith(_BLANK)


def canonical_names(
    quads: Collection[Quad],
    *,
    max_steps: int = limits.MAX_CANONICAL_STEPS,
    hash_name: HashName = "sha256",
) -> dict[str, str]:
    """Return the canonical name of each blank node: ``_:c14n0`` and so on.

    Args:
        quads: Each once.
        max_steps: Looks at a node and tries of an order, about a microsecond each.
        hash_name: SHA-256 unless a proof says otherwise.

    Raises:
        TooLargeError: It takes more steps, or looks farther, than allowed.

    Spec: specs/proofs.md#canonical-rdf
    """
    return _Naming(quads, max_steps, hash_name).run()


def canonical_lines(quads: Collection[Quad], names: dict[str, str]) -> list[str]:
    """Return the lines of canonical N-Quads, sorted by code point, each with its line feed."""
    return sorted(_line(tuple(names.get(term, term) for term in quad)) for quad in quads)


def _line(quad: tuple[str, ...]) -> str:
    subject, predicate, value, graph = quad
    return f"{subject} {predicate} {value} {graph} .\n" if graph else f"{subject} {predicate} {value} .\n"


Names = dict[str, str]
"""Names that one try has given so far, in the order in which it gave them."""


class _Naming:
    """The state of RDFC-1.0; names as the recommendation has them stand in the comments."""

    def __init__(self, quads: Collection[Quad], max_steps: int, hash_name: HashName) -> None:
        self._steps_left, self._new_hash = max_steps, _HASHES[hash_name]
        self._given: Names = {}  # canonical issuer
        mentions: dict[str, list[Quad]] = defaultdict(list)  # blank node to quads map
        for quad in sorted(quads):  # so that the same dataset always takes the same steps
            for node in dict.fromkeys(quad[place] for place, _ in _PLACES if is_blank(quad[place])):
                mentions[node].append(quad)
        self._first = {node: self._hash_first_degree(node, mentions[node]) for node in mentions}
        # A node comes as often as it is mentioned, as the recommendation has it and deployed libraries do.
        self._related = {node: list(_related(node, mentions[node])) for node in mentions}

    def run(self) -> dict[str, str]:
        alike: dict[str, list[str]] = defaultdict(list)  # hash to blank nodes map
        for node, digest in self._first.items():
            alike[digest].append(node)
        groups = [alike[digest] for digest in sorted(alike)]
        for group in groups:
            if len(group) == 1:
                self._give(group[0])
        for group in groups:
            self._tell_apart([node for node in group if node not in self._given])
        return self._given

    def _tell_apart(self, group: list[str]) -> None:
        found = [self._hash_n_degree(node, {node: "_:b0"}, depth=1) for node in group]
        for _, names in sorted(found, key=lambda one: one[0]):
            for node in names:
                self._give(node)

    def _give(self, node: str) -> None:
        self._given.setdefault(node, f"_:c14n{len(self._given)}")

    def _hash(self, text: str) -> str:
        return self._new_hash(text.encode("utf-8")).hexdigest()

    def _hash_first_degree(self, node: str, quads: list[Quad]) -> str:
        def seen(term: str) -> str:
            return ("_:a" if term == node else "_:z") if is_blank(term) else term

        return self._hash("".join(sorted(_line(tuple(map(seen, quad))) for quad in quads)))

    def _spend(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise TooLargeError("its blank nodes are too alike to be told apart in the time allowed")

    def _hash_n_degree(self, node: str, names: Names, *, depth: int) -> tuple[str, Names]:
        if depth > limits.MAX_CANONICAL_DEPTH:
            raise TooLargeError("its blank nodes are too alike to be told apart at the distance allowed")
        self._spend(1 + len(self._related[node]))
        groups: dict[str, list[str]] = defaultdict(list)  # hash to related blank nodes map
        for place, related in self._related[node]:
            known = self._given.get(related) or names.get(related) or self._first[related]
            groups[self._hash(place + known)].append(related)
        data: list[str] = []
        for digest in sorted(groups):
            path, names = self._best_path(groups[digest], names, depth)
            data += (digest, path)
        return self._hash("".join(data)), names

    def _best_path(self, group: list[str], names: Names, depth: int) -> tuple[str, Names]:
        chosen, chosen_names = "", names
        for order in permutations(group):
            self._spend(1 + len(order) + len(names) // _ISSUED_PER_STEP)
            path, tried = self._path(order, names, chosen, depth)
            if not chosen or path < chosen:
                chosen, chosen_names = path, tried
        return chosen, chosen_names

    def _path(self, order: tuple[str, ...], names: Names, chosen: str, depth: int) -> tuple[str, Names]:
        """Return the path of one order; what is no better than the chosen one is left as soon as it shows."""
        names, path = dict(names), ""
        unnamed: list[str] = []  # recursion list
        for related in order:
            if (name := self._given.get(related)) is None:
                if related not in names:
                    unnamed.append(related)
                name = names.setdefault(related, f"_:b{len(names)}")
            path += name
            if chosen and path > chosen:
                return path, names
        for related in unnamed:
            digest, found = self._hash_n_degree(related, names, depth=depth + 1)
            path += f"{names[related]}<{digest}>"
            names = found
            if chosen and path > chosen:
                return path, names
        return path, names


def _related(node: str, quads: list[Quad]) -> Iterator[tuple[str, str]]:
    """Yield each other blank node that a node's quads mention, and where: position and predicate."""
    for quad in quads:
        for place, letter in _PLACES:
            if is_blank(quad[place]) and quad[place] != node:
                yield letter + (quad[1] if letter != "g" else ""), quad[place]
