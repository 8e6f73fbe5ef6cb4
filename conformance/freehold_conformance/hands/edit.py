"""Documents that differ from another in one place."""

from __future__ import annotations

import copy
from typing import Any, Final

from .encoding import Json

ABSENT: Final = object()
"""In place of a value: the member is left out."""


def edited(document: Json, path: str, value: Any) -> Json:
    """Return a deep copy with a value put at a path such as ``permission.0.items.0.type``.

    A number is a place in an array; the place after the last adds one. An empty path is the whole document.
    """
    if not path:
        return value
    made = copy.deepcopy(document)
    *above, last = path.split(".")
    at = made
    for step in above:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if isinstance(at, list):
        place = int(last)
        at[place : place + 1] = [] if value is ABSENT else [value]
    elif value is ABSENT:
        at.pop(last, None)
    else:
        at[last] = value
    return made


def found(document: Json, path: str) -> Json:
    """Return what stands at a path."""
    at = document
    for step in filter(None, path.split(".")):
        at = at[int(step)] if isinstance(at, list) else at[step]
    return at
