"""On what an update depends: the version that its sender saw must still be the one that stands.

Spec: specs/http.md#conditional-updates
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from freehold_protocol.errors import MalformedError, PreconditionError

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\U0010ffff]*)"')
_GAP: Final = re.compile(r"[ \t]*(,[ \t]*)*")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of RFC 9110, 13.1.1.

    Attributes:
        tags: One of these must stand; None: anything that is there will do.
        given: Whether there is a condition at all.
    """

    tags: frozenset[str] | None = None
    given: bool = True

    def check(self, standing: str | None) -> None:
        """Compare with the tag of what stands, None where nothing is there or it has none.

        It decides only inside the transaction that writes: what was compared before it may be past.

        Raises:
            PreconditionError: It is another.
        """
        if not self.given:
            return
        if standing is None or (self.tags is not None and standing not in self.tags):
            raise PreconditionError("this was changed in the meantime: look at it again")


NO_CONDITION: Final = Condition(given=False)


def etag(tag: str) -> str:
    """Return a tag as it stands in a header."""
    return f'"{tag}"'


def parse_if_match(value: str | None) -> Condition:
    """Return the condition that ``If-Match`` states, its lines joined; None: the header is not there.

    A weak tag matches nothing, since it does not say that two versions are the same to the byte.

    Raises:
        MalformedError: It is neither ``*`` nor a list of entity tags.
    """
    if value is None:
        return NO_CONDITION
    if value.strip(" \t") == "*":
        return Condition()
    tags: set[str] = set()
    position = _skip(value, 0)
    while position < len(value):
        found = _TAG.match(value, position)
        if found is None:
            raise MalformedError("If-Match is * or a list of entity tags")
        if not found[1]:
            tags.add(found[2])
        position = _skip(value, found.end())
        if position < len(value) and "," not in value[found.end() : position]:
            raise MalformedError("entity tags have a comma between them")
    return Condition(frozenset(tags))


def _skip(value: str, start: int) -> int:
    """Return where the next element of a list begins; empty ones say nothing."""
    found = _GAP.match(value, start)
    return found.end() if found else start
