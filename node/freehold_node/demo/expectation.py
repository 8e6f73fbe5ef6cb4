"""What a demonstration expects of what it sees: values compared, and a plain sentence where they differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from freehold_protocol.encoding import Document, Json

Values = dict[str, list[str]]
"""Field path to the values there, in order."""
_CARRIED: Final = frozenset({"@context", "id", "type", "issuer", "version", "proof"})
"""What every released document has, whatever is shown."""


class DemoFailedError(Exception):
    """Something did not come out as it must; the text says what."""


def expect(holds: bool, otherwise: str) -> None:
    """Raise DemoFailedError with the text unless it holds."""
    if not holds:
        raise DemoFailedError(otherwise)


def values_of(document: Json, above: str = "") -> Values:
    """Return every value of a document by its path; several at one path in order."""
    found: Values = {}
    for term, value in document.items():
        if term in _CARRIED:
            continue
        for one in value if isinstance(value, list) else [value]:
            below = values_of(one, f"{above}{term}.") if isinstance(one, dict) else {above + term: [str(one)]}
            for path, values in below.items():
                found.setdefault(path, []).extend(values)
    return found


def chosen(content: Document, fields: Iterable[str]) -> Values:
    """Return what a record says at these paths; a path at which it says nothing is left out."""
    wanted = set(fields)
    return {path: values for path, values in values_of(content).items() if path in wanted}
