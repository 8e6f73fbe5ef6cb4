"""Get the versions of a grant that came after one, in as many answers as they take.

Spec: specs/receipts.md#continuing
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import Document, Json
from freehold_protocol.grant import Grant

from .errors import MalformedError, ReceiptError, problem_of

Ask = Callable[[str], Awaitable[Document]]
"""Gets the JSON of the grant's URL with a query, which is empty or begins with ``?``."""

_MOST_VERSIONS: Final = 200
"""Of one answer, which a node ends at 64 KiB; each takes work."""
_MOST_ANSWERS: Final = 100
"""A person who changed a grant more often than that is asked again later."""


def bound_versions(value: Json) -> list[Json]:
    """Return the versions of one answer as they came. Raises MalformedError, or TooLargeError for too many."""
    return list(form.array(value, "versions", lambda version: version, most=_MOST_VERSIONS))


async def versions_since(ask: Ask, version: int) -> tuple[list[Grant], Document]:
    """Return the versions after one, not verified yet, and the last answer; ``more`` in it says that there are others.

    Args:
        ask: Of the node.
        version: The number of the last that is known.

    Raises:
        ReceiptError: The node never had that version, or says that there are more and shows none.
        MalformedError: And its subclasses: an answer does not have its form.
    """
    later: list[Grant] = []
    for _ in range(_MOST_ANSWERS):
        found = await _ask_since(ask, version)
        part = list(map(Grant.from_dict, bound_versions(found.get("versions"))))
        later += part
        if found.get("more") is not True:
            break
        if not part or part[-1].version <= version:
            raise ReceiptError("the node says that there are more versions, and shows none")
        version = part[-1].version
    return later, found


async def _ask_since(ask: Ask, version: int) -> Document:
    try:
        return await ask(f"?from={version}")
    except MalformedError as error:
        if problem_of(error) is None:
            raise
        raise ReceiptError("the node says that the grant never had the version that it signed") from error
