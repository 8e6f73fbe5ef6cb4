"""A record as a form: boxes for what can be written by hand, and from what was typed the record's next content.

A box is named by its path with a number after each term: ``f.address.1.postalCode.1``. ``f.address.1._`` says which
address of the version that was seen the boxes beside it are of, so that what has no box in it stays with it.

Spec: specs/node/dashboard.md#editing
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json

from .shapes import INPUTS, NODES, OFFERED, OPEN, REPEATED, Input, fits, offered_in

PREFIX: Final = "f."
_NAME: Final = re.compile(r"f((?:\.[A-Za-z]{1,40}\.[1-9][0-9]{0,2}){1,4})(\._)?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,3}", re.ASCII)
_STEP: Final = re.compile(r"\.([A-Za-z]+)\.([0-9]+)", re.ASCII)
MAX_VALUE_CHARS: Final = 5_000
_MAX_DEPTH: Final = 3
_MAX_FORM_BYTES: Final = 60_000
"""A form of 256 KiB holds three times as much, as it may be written with an escape for each byte."""


@dataclass(slots=True)
class Part:
    """What was typed for one node: for each term its values, or nodes; ``of`` is which node it was, "" if new."""

    of: str = ""
    terms: dict[str, list[str | Part]] = field(default_factory=dict)

    def of_term(self, term: str) -> list[str | Part]:
        return self.terms.setdefault(term, [])


@dataclass(slots=True, kw_only=True)
class Box:
    """One value on a form: an input, or where there are ``fields`` a node with more of them."""

    name: str
    value: str = ""
    input: Input = "text"
    error: str = ""
    of: str = ""
    fields: list[Field] | None = None


@dataclass(slots=True, kw_only=True)
class Field:
    """All values of one term; ``place`` is the beginning of their names, ``path`` the terms that lead there."""

    term: str
    path: str
    place: str
    boxes: list[Box]
    more: bool
    is_node: bool = False


# What can be written by hand


def values_of(value: Json) -> list[Json]:
    """Return one value or several as a list."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def has_boxes(term: str, value: Json, depth: int = 1) -> bool:
    """Whether a field can be changed by hand as it stands; else it is shown, and stays."""
    values = values_of(value)
    if len(values) > 100:
        return False
    if term in NODES:
        return depth < _MAX_DEPTH and all(isinstance(one, dict) for one in values)
    return term in INPUTS and all(isinstance(one, str) and len(one) <= MAX_VALUE_CHARS for one in values)


def boxed(node: Document, depth: int = 1) -> set[str]:
    """Return the fields of a node that have boxes: of a whole record the smallest, as far as a form may be long."""
    terms = {term for term, value in node.items() if has_boxes(term, value, depth)}
    if depth > 1:
        return terms
    left, kept = _MAX_FORM_BYTES, set[str]()
    for size, term in sorted((len(jcs(node[term])), term) for term in terms):
        left -= size
        if left >= 0:
            kept.add(term)
    return kept


def part_of(content: Document, depth: int = 1) -> Part:
    """Return what a form would hold of a node as it stands."""
    part, terms = Part(), boxed(content, depth)
    for term, value in content.items():
        if term in terms:
            made = part.of_term(term)
            for number, one in enumerate(values_of(value), 1):
                if isinstance(one, dict):
                    inner = part_of(one, depth + 1)
                    inner.of = str(number)
                    made.append(inner)
                else:
                    made.append(plain(one))
    return part


def plain(text: str) -> str:
    """Return a text as it comes back from a form."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


# From names to parts


def typed(fields: Mapping[str, str]) -> Part | None:
    """Return what was typed, None if no box is among the fields. What is no box of ours is left out."""
    found: dict[tuple[tuple[str, int], ...], str] = {}
    nodes: dict[tuple[tuple[str, int], ...], str] = {}
    for name, value in fields.items():
        match = _NAME.fullmatch(name) if name.startswith(PREFIX) else None
        if match is None:
            continue
        steps = tuple((term, int(number)) for term, number in _STEP.findall(match[1]))
        known = all(term in NODES for term, _ in steps[:-1])
        if match[2] and known and steps[-1][0] in NODES:
            nodes[steps] = value if _NUMBER.fullmatch(value) else ""
        elif not match[2] and known and steps[-1][0] in INPUTS:
            found[steps] = plain(value)
    return _gather(found, nodes) if found or nodes else None


def _gather(
    found: Mapping[tuple[tuple[str, int], ...], str], nodes: Mapping[tuple[tuple[str, int], ...], str]
) -> Part:
    root = Part()
    made: dict[tuple[tuple[str, int], ...], Part] = {(): root}

    def node(steps: tuple[tuple[str, int], ...]) -> Part:
        if steps not in made:
            made[steps] = Part(of=nodes.get(steps, ""))
            node(steps[:-1]).of_term(steps[-1][0]).append(made[steps])
        return made[steps]

    for steps in sorted({*nodes, *found}):
        if steps in nodes:
            node(steps)
        else:
            node(steps[:-1]).of_term(steps[-1][0]).append(found[steps])
    return root


def add_entry(part: Part, place: str) -> None:
    """Add one more value after those at a place, ``address`` or ``location.1.address``."""
    *above, term = place.split(".")
    node = _node_at(part, above)
    if node is not None and (term in INPUTS or term in NODES):
        node.of_term(term).append(Part() if term in NODES else "")


def remove_entry(part: Part, place: str) -> None:
    """Remove the value at a place, ``email.2``."""
    *above, term, number = place.split(".")
    node = _node_at(part, above)
    if node is not None and _NUMBER.fullmatch(number) and 0 < int(number) <= len(node.terms.get(term, [])):
        del node.terms[term][int(number) - 1]


def _node_at(part: Part, steps: list[str]) -> Part | None:
    node: str | Part = part
    for term, number in zip(steps[::2], steps[1::2], strict=False):
        entries = node.terms.get(term, []) if isinstance(node, Part) else []
        if not _NUMBER.fullmatch(number) or not 0 < int(number) <= len(entries):
            return None
        node = entries[int(number) - 1]
    return node if isinstance(node, Part) else None


# From parts to content


def filled(seen: Document, part: Part, depth: int = 1) -> Document:
    """Return a node as it was seen with what was typed in the place of what has boxes."""
    made = deepcopy(seen)
    editable = boxed(seen, depth)
    for term in [*seen, *(term for term in part.terms if term not in seen)]:
        if term in seen and term not in editable:
            continue
        values = [
            one
            for one in _values(term, seen.get(term), part.terms.get(term, []), depth)
            if one not in ("", None)
        ]
        if [_as_typed(one) for one in values] == [_as_typed(one) for one in values_of(seen.get(term))]:
            continue
        if values:
            made[term] = values[0] if len(values) == 1 else values
        else:
            made.pop(term, None)
    return made


def _values(term: str, seen: Json, entries: Iterable[str | Part], depth: int) -> list[Json]:
    before = values_of(seen)
    made: list[Json] = []
    for entry in entries:
        if isinstance(entry, str):
            made.append(entry)
            continue
        known = 0 < int(entry.of or 0) <= len(before)
        node = before[int(entry.of) - 1] if known else {"type": NODES[term]}
        inner = filled(node, entry, depth + 1)
        made.append(inner if inner.keys() - {"type"} else None)
    return made


def _as_typed(value: Json) -> Json:
    return plain(value) if isinstance(value, str) else value


def merged(seen: Document, standing: Document, mine: Document) -> tuple[Document, list[str]]:
    """Return what both changed since a version was seen, and the fields that both changed differently.

    Those hold what was typed.
    """
    made: Document = {}
    clashing: list[str] = []
    for term in [*standing, *(term for term in mine if term not in standing)]:
        was, is_now, typed_now = seen.get(term), standing.get(term), mine.get(term)
        kept = is_now if typed_now == was else typed_now
        if typed_now != was and is_now not in (was, typed_now):
            clashing.append(term)
        if kept is not None:
            made[term] = kept
    return made, clashing


# From parts to boxes


def fields_of(
    type_: str, part: Part, *, fixed: Iterable[str] = (), errors: Mapping[str, str] | None = None
) -> list[Field]:
    """Return the boxes of a record's form: those that are offered for its type, and those that hold anything.

    Args:
        type_: Of the record.
        part: What the boxes hold.
        fixed: Fields that are there and have no boxes.
        errors: By the names of boxes.
    """
    return _fields(OFFERED.get(type_, ("name", "description")), part, "", "", set(fixed), errors or {}, 1)


def _fields(
    offered: Iterable[str],
    part: Part,
    path: str,
    place: str,
    fixed: set[str],
    errors: Mapping[str, str],
    depth: int,
) -> list[Field]:
    terms = dict.fromkeys([*offered, *part.terms])
    made = []
    for term in terms:
        if term in fixed or (term in NODES and depth >= _MAX_DEPTH):
            continue
        entries = part.terms.get(term) or ([""] if term in INPUTS else [Part()] if term in OPEN else [])
        here = f"{place}{term}"
        boxes = [
            _box(term, entry, f"{path}{term}", f"{here}.{number}", errors, depth)
            for number, entry in enumerate(entries, 1)
        ]
        more = term in REPEATED or not boxes
        made.append(
            Field(term=term, path=f"{path}{term}", place=here, boxes=boxes, more=more, is_node=term in NODES)
        )
    return made


def _box(term: str, entry: str | Part, path: str, place: str, errors: Mapping[str, str], depth: int) -> Box:
    name = PREFIX + place
    if isinstance(entry, Part):
        inner = _fields(offered_in(NODES[term]), entry, f"{path}.", f"{place}.", set(), errors, depth + 1)
        return Box(name=name, of=entry.of, fields=inner)
    return Box(name=name, value=entry, input=_input_of(term, entry), error=errors.get(name, ""))


def _input_of(term: str, value: str) -> Input:
    """Return how a value is shown for editing: as what its field is, unless a browser would not show it then."""
    kind = INPUTS[term]
    if "\n" in value or len(value) > 200:
        return "long"
    return kind if kind == "long" or not value or fits(kind, value) else "text"


def wrong(part: Part, seen: Document, place: str = PREFIX) -> dict[str, str]:
    """Return what cannot be kept, by the names of the boxes; what stood there before can."""
    found: dict[str, str] = {}
    for term, entries in part.terms.items():
        before = values_of(seen.get(term))
        for number, entry in enumerate(entries, 1):
            name = f"{place}{term}.{number}"
            if isinstance(entry, Part):
                known = 0 < int(entry.of or 0) <= len(before)
                found |= wrong(entry, before[int(entry.of) - 1] if known else {}, f"{name}.")
            elif entry and not fits(INPUTS[term], entry) and entry not in map(_as_typed, before):
                found[name] = f"bad_{INPUTS[term]}"
            elif len(entry) > MAX_VALUE_CHARS:
                found[name] = "bad_length"
            elif any(ord(char) < 32 and char not in "\n\t" for char in entry):
                found[name] = "bad_text"
    return found
