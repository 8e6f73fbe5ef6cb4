"""Whether what came was granted: no other type, no other field, no other person, nothing twice.

A node that shows more than the person gave errs, or lies; either way a vendor that used it would use what nobody
gave it. No input or output here.

Spec: specs/clients.md#reading
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from freehold_protocol.encoding import Document, Json
from freehold_protocol.permission import Permission
from freehold_protocol.released import PAGE_TYPE

from .errors import ReleaseError

_ITS_OWN = frozenset({"@context", "id", "type", "issuer", "version", "proof"})
"""What a released document says of itself."""


def records_of(document: Document) -> list[Document]:
    """Return the released documents of a page, or the one."""
    if document.get("type") != PAGE_TYPE:
        return [document]
    return list(document["items"])


def check_once(records: Iterable[Document], seen: set[Json]) -> None:
    """Add the records' ids to those that were seen. Raises ReleaseError for one that was."""
    for record in records:
        if record.get("id") in seen:
            raise ReleaseError("the node shows one record twice")
        seen.add(record.get("id"))


def is_granted(
    document: Document, permissions: Iterable[Permission | None], fields: Collection[str] | None
) -> bool:
    """Whether all of a page or document was given by one of these permissions, and asked for.

    Args:
        document: Verified already.
        permissions: As they stood, from what was known when the read was sent to what is known now; None where
            the permission was not given.
        fields: Those that were asked for; None for all.
    """
    records = records_of(document)
    return any(_lies_within(records, one, fields) for one in permissions if one is not None)


def _lies_within(records: list[Document], permission: Permission, fields: Collection[str] | None) -> bool:
    about_the_person = 0
    for record in records:
        items = [item for item in permission.items if item.type == record.get("type")]
        given = {field for item in items for field in item.fields}
        allowed = given if fields is None else given & set(fields)
        if not items or not all(path in allowed for path in _paths(record)):
            return False
        about_the_person += all(item.about == "self" for item in items)
    return about_the_person <= 1  # a person has one record of themselves


def _paths(record: Document) -> Iterator[str]:
    for term, value in record.items():
        if term not in _ITS_OWN:
            yield from _below(value, term)


def _below(value: Json, path: str) -> Iterator[str]:
    """Yield the paths of the leaves; where nothing is, one that nobody can be given: no node shows that."""
    if isinstance(value, list) and value:
        for one in value:
            yield from _below(one, path)
    elif isinstance(value, dict) and (told := [term for term in value if term != "type"]):
        for term in told:
            yield from _below(value[term], f"{path}.{term}")
    elif value is None or isinstance(value, list | dict):
        yield path + ".type"
    else:
        yield path
