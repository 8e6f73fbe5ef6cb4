"""Lists for the person, a page at a time: records by type or name, requests, and grants in one line each.

However many there are, what is done for a page grows with the page: of the rest only what it is chosen by is looked at.

Spec: specs/http.md#lists
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import MalformedError
from freehold_protocol.grant import STATES

from .grant_told import has_new_keys, vendor_shown
from .labels import sought_form
from .store.rows import RecordRow, RequestRow, Standing
from .store.sought import RecordOrder, RecordsSought, RequestHead
from .store.store import Reader, Store

T = TypeVar("T")
_US: Final = 1_000_000
STATUSES: Final = ("waiting", "approved", "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsPage:
    """Records, which of them is about the person, and the last one's ``sought`` and ``n`` if there are more."""

    rows: tuple[RecordRow, ...]
    self_record: str | None
    rest: tuple[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsPage:
    """Requests, the id of the last one if there are more, and how many there are of each status."""

    rows: tuple[RequestRow, ...]
    rest: str | None
    counts: Document


class Lists:
    """Pages of lists for one owner."""

    def __init__(self, store: Store, *, owner: str) -> None:
        """Look into an owner's part of a store."""
        self._store, self._owner = store, owner

    async def records(
        self,
        *,
        order: RecordOrder,
        type_: str | None,
        text: str | None,
        after: tuple[str, int] | None,
        limit: int,
    ) -> RecordsPage:
        """Return records, all or those of one type, with a text in what the person calls them."""
        sought = RecordsSought(
            order=order,
            type=type_,
            text=None if text is None else sought_form(text),
            after=None if after is None else after[1],
            after_name="" if after is None else after[0],
        )

        def look(reader: Reader) -> RecordsPage:
            owner = reader.owner(self._owner)
            places = reader.sought_records(self._owner, sought, limit=limit + 1)
            rows = tuple(reader.records_at(self._owner, places[:limit]))
            return RecordsPage(
                rows=rows,
                self_record=owner.self_record if owner else None,
                rest=(rows[-1].sought, rows[-1].n) if rows and len(places) > limit else None,
            )

        return await self._store.read(look, long=True)

    async def record_types(self) -> Document:
        """Return how many records there are of each type, the most first."""

        def look(reader: Reader) -> Document:
            counts = sorted(reader.record_types(self._owner), key=lambda one: (-one[1], one[0]))
            return {
                "types": [{"type": type_, "count": count} for type_, count in counts],
                "count": sum(count for _, count in counts),
            }

        return await self._store.read(look, long=True)

    async def requests(
        self, *, status: str | None, text: str | None, after: str | None, limit: int
    ) -> RequestsPage:
        """Return requests, newest first. Raises MalformedError if ``after`` is no request."""

        def look(reader: Reader) -> RequestsPage:
            heads = reader.request_heads(self._owner)
            counts = Counter(head.status for head in heads)
            later = _after(heads, after, lambda head: head.id)
            found = [head for head in later if _is_sought(head, status, text)]
            rows = (reader.request(self._owner, head.id) for head in found[:limit])
            return RequestsPage(
                rows=tuple(row for row in rows if row is not None),
                rest=found[limit - 1].id if len(found) > limit else None,
                counts={one: counts[one] for one in STATUSES},
            )

        return await self._store.read(look, long=True)

    async def grants(self, *, state: str | None, text: str | None, after: str | None, limit: int) -> Document:
        """Return grants in a line each, newest first. Raises MalformedError if ``after`` is no grant."""

        def look(reader: Reader) -> Document:
            standings = reader.standings(self._owner)
            counts = Counter(standing.state for standing in standings)
            later = _after(standings, after, lambda standing: standing.grant)
            found = [
                one for one in later if state in (None, one.state) and (text is None or is_called(one, text))
            ]
            told: Document = {
                "grants": [grant_line(reader, standing) for standing in found[:limit]],
                "counts": {one: counts[one] for one in STATES},
            }
            return told | ({"next": found[limit - 1].grant} if len(found) > limit else {})

        return await self._store.read(look, long=True)


def _after(listed: Sequence[T], identifier: str | None, id_of: Callable[[T], str]) -> Sequence[T]:
    """Return what follows the one of an id, whether or not that is still among those sought."""
    if identifier is None:
        return listed
    for place, one in enumerate(listed):
        if id_of(one) == identifier:
            return listed[place + 1 :]
    raise MalformedError("after is what the page before gave as next")


def _is_sought(head: RequestHead, status: str | None, text: str | None) -> bool:
    return status in (None, head.status) and (text is None or _has(head.vendor, head.name, text))


def is_called(standing: Standing, text: str) -> bool:
    """Whether a vendor has this DID, or the text in its name or domain."""
    return _has(standing.vendor, standing.name, text)


def _has(did: str, name: str, text: str) -> bool:
    if text.startswith("did:"):
        return did == text
    shown = vendor_shown(did, name)
    wanted = sought_form(text)
    return any(wanted in sought_form(one) for one in (name, str(shown.get("domain", ""))))


def grant_line(reader: Reader, standing: Standing) -> Document:
    """Return a grant in short: who, how it stands, and the fields it gives by permission."""
    row = reader.version(standing.owner, standing.grant, standing.version)
    document = {} if row is None else json.loads(row.document)  # the node's own, verified when it was made
    told: Document = {
        "id": standing.grant,
        "vendor": vendor_shown(standing.vendor, standing.name),
        "state": standing.state,
        "version": standing.version,
        "expires": format_time(standing.expires_us // _US),
        "gives": [_gives(permission) for permission in document.get("permission", ())],
        "entries": standing.log_size,
    }
    if has_new_keys(reader, standing):
        told["newKeys"] = True
    if standing.read_us is not None:
        told["lastRead"] = format_time(standing.read_us // _US)
    return told


def _gives(permission: Document) -> Document:
    fields = dict.fromkeys(path for item in permission["items"] for path in item["fields"])
    return {"permission": permission["name"], "fields": list(fields)}
