"""``field=value`` on a command line, applied to what a record says.

``address.postalCode=EX1 2AB`` goes through nodes, ``email.2=...`` names one of several values from 1, the number
after the last one adds another, ``gender=`` takes the field away, and ``name:=...`` takes its value as JSON.

Spec: specs/node/cli.md#fields
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Final

from freehold_protocol.encoding import Document, Json, parse_json
from freehold_protocol.errors import MalformedError
from freehold_protocol.permission import field_path

from .failure import usage

_REMOVE: Final = object()
_NODE_TYPES: Final = {
    "address": "PostalAddress",
    "affiliation": "Organization",
    "memberOf": "Organization",
    "worksFor": "Organization",
}
"""The type of a node that a path makes; of others nothing is known."""


def assigned(content: Document, texts: Iterable[str]) -> Document:
    """Return the content with every assignment made, in order.

    Raises:
        Failure: An assignment is not of the form, or names no one place.
        MalformedError: A term of it is in no context; and its subclasses.
    """
    made = deepcopy(content)
    for text in texts:
        path, value = _parse(text)
        field_path(".".join(step for step in path if not step.isdigit()))
        _set(made, path, value, text)
    return made


def _parse(text: str) -> tuple[list[str], Json]:
    name, separator, value = text.partition("=")
    is_json = name.endswith(":")
    path = name.removesuffix(":").strip().split(".")
    if not separator or not all(path):
        raise usage(f"{text!r} is not of the form field=value")
    if is_json:
        try:
            return path, parse_json(value.encode())
        except MalformedError:
            raise usage(f"what follows {name}= is not JSON") from None
    return path, value or _REMOVE


def _set(node: Document, path: Sequence[str], value: Json, text: str) -> None:
    """Set, add or remove what the path names below a node."""
    term, rest = path[0], path[1:]
    if term.isdigit():
        raise usage(f"{text!r} has a number where a field is named")
    values = _as_list(node.get(term))
    place = _place(rest, values, text)
    if place is not None and rest and rest[0].isdigit():
        rest = rest[1:]
    if place is None:  # all of the field
        node[term] = value
    elif rest:
        if place == len(values):
            values.append(_new_node(term))
        if not isinstance(values[place], dict):
            raise usage(f"{text!r} goes below a value that has nothing below it")
        _set(values[place], rest, value, text)
        node[term] = values
    else:
        values[place : place + 1] = [value]
        node[term] = values
    node[term] = _collapsed(node[term])
    if node[term] is _REMOVE:
        del node[term]


def _place(rest: Sequence[str], values: Sequence[Json], text: str) -> int | None:
    """Return which of the values is meant, one past the last for another one; None for all of them."""
    if not rest:
        return None
    if not rest[0].isdigit():
        if len(values) > 1:
            raise usage(f"there are {len(values)} of these; say which in {text!r} by a number, from 1")
        return 0
    place = int(rest[0]) - 1
    if not 0 <= place <= len(values):
        raise usage(f"{text!r} names number {rest[0]} of {len(values)}")
    return place


def _as_list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _new_node(step: str) -> Document:
    return {"type": _NODE_TYPES[step]} if step in _NODE_TYPES else {}


def _collapsed(value: Json) -> Json:
    """Return an array of one as its value, and what says nothing any more as _REMOVE."""
    if isinstance(value, list):
        kept = [one for one in map(_collapsed, value) if one is not _REMOVE]
        return kept[0] if len(kept) == 1 else kept or _REMOVE
    return _REMOVE if isinstance(value, dict) and not value.keys() - {"type"} else value


def leaves_of(content: Document, above: str = "") -> list[tuple[str, str]]:
    """Return every leaf with the path by which ``records set`` names it."""
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        values = value if isinstance(value, list) else [value]
        for number, one in enumerate(values, 1):
            path = f"{above}{name}" + (f".{number}" if len(values) > 1 else "")
            if isinstance(one, dict):
                found.extend(leaves_of(one, f"{path}."))
            elif name != "type":
                found.append((path, str(one)))
    return found
