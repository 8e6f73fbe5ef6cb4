"""Take up the versions of a grant that came after those that are held.

Spec: specs/receipts.md#continuing
"""

from __future__ import annotations

from functools import partial
from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import Document, Json
from freehold_protocol.grant import Grant

from .errors import MalformedError, ReceiptError, TooLargeError, problem_of
from .held import Held, HeldRequest, with_versions
from .holder import Holder

_MOST_VERSIONS: Final = 200
"""Of one answer, which a node ends at 64 KiB; each takes work."""
_MOST_ANSWERS: Final = 100
"""A person who changed a grant more often than that is asked again later."""


def bound_versions(value: Json) -> list[Json]:
    """Return the versions of one answer as they came. Raises MalformedError, or TooLargeError for too many."""
    return list(form.array(value, "versions", lambda version: version, most=_MOST_VERSIONS))


async def take_up_versions(holder: Holder, held: HeldRequest) -> Grant:
    """Return the version that stands, once all after those that are held were verified and kept.

    Args:
        holder: The vendor's.
        held: What it holds.

    Raises:
        ReceiptError: What came does not continue the receipt that is held.
        TooLargeError: There are more versions than are taken up at once; those that came are kept.
        FreeholdError: What else the node answered, or does not hold.
        VendorError: There was no answer.
    """
    newest = held.versions[-1]
    for _ in range(_MOST_ANSWERS):
        found = await _versions_after(holder, newest.version)
        later = tuple(map(Grant.from_dict, bound_versions(found.get("versions"))))
        await holder.keep(partial(with_versions, versions=later))
        newest, known = _newest(holder.held), newest
        if found.get("more") is not True:
            return newest
        if newest.version <= known.version:
            raise ReceiptError("the node says that there are more versions, and shows none")
    raise TooLargeError("the grant has more versions than are taken up at once: refresh again")


def _newest(held: Held) -> Grant:
    if not isinstance(held, HeldRequest):
        raise TypeError("a partner holds no versions")
    return held.versions[-1]


async def _versions_after(holder: Holder, version: int) -> Document:
    try:
        return (await holder.invoke_as_did("GET", f"?from={version}")).document()
    except MalformedError as error:
        if problem_of(error) is None:
            raise
        raise ReceiptError("the node says that the grant never had the version that it signed") from error
