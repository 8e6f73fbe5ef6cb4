"""What happened under all grants: the entries of every ledger as one list, counted over time, and who read how often.

Nothing here is part of a proof: an entry is shown with its grant and number, under which its ledger proves it.

Spec: specs/http.md#activity
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.did_document import domain_of, is_web
from freehold_protocol.encoding import Document, base64url_encode, format_time, parse_document
from freehold_protocol.errors import MalformedError, NotFoundError

from .ambient import Ambient
from .counts import Counts
from .grant_told import vendor_shown
from .known_keys import every_key
from .lists import is_called
from .store.rows import EntryRow, Standing
from .store.sought import Counted, EntriesSought, Place
from .store.store import Reader, Store

_US: Final = 1_000_000
_LOOKED: Final = 10_000
"""Entries that are looked through at most where what is sought stands in their bodies alone: some 50 ms."""
_BUSIEST: Final = 10
OUTCOMES: Final = ("admitted", "refused", "changed", "received", "erased")
_COUNTED: Final = ("admitted", "refused", "changed")
_KINDS: Final = (*_COUNTED, "other")
_CHOICES: Final = 500
"""Relationships, and fields, that are named as choices at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries, in the person's words; ``vendor`` is a DID or a part of a name, ``outcome`` one of OUTCOMES."""

    after_s: int | None = None
    before_s: int | None = None
    vendor: str | None = None
    grant: str | None = None
    permission: str | None = None
    field: str | None = None
    outcome: str | None = None


class Activity:
    """Reads over all ledgers of one owner."""

    def __init__(self, store: Store, ambient: Ambient, *, owner: str) -> None:
        """Look into an owner's part of a store."""
        self._store, self._ambient, self._owner = store, ambient, owner
        self._counts = Counts(owner)
        self._given: dict[str, tuple[int, frozenset[str]]] = {}

    async def choices(self) -> Document:
        """Return by what can be sought: the relationships, newest first, the fields ever given, and the times."""

        def look(reader: Reader) -> Document:
            standings = reader.standings(self._owner)
            first_us = reader.first_entry_us(self._owner)
            fields = frozenset[str]().union(*(self._ever_given(reader, one) for one in standings))
            told: Document = {
                "now": format_time(self._ambient.clock.now_s()),
                "grants": [
                    {"grant": one.grant, "vendor": vendor_shown(one.vendor, one.name), "state": one.state}
                    for one in standings[:_CHOICES]
                ],
                "fields": sorted(fields)[:_CHOICES],
            }
            return told if first_us is None else {**told, "first": format_time(first_us // _US)}

        return await self._store.read(look, long=True)

    def _ever_given(self, reader: Reader, standing: Standing) -> frozenset[str]:
        """Return the fields that any version of a grant gives; versions stay as they are, so each is read once."""
        version, fields = self._given.get(standing.grant, (0, frozenset[str]()))
        if version < standing.version:
            for row in reader.versions(self._owner, standing.grant, after=version):
                document = json.loads(row.document)  # the node's own, verified when it was made
                items = (item for permission in document["permission"] for item in permission["items"])
                fields |= {path for item in items for path in item["fields"]}
                version = row.version
            self._given[standing.grant] = version, fields
        return fields

    async def listed(self, wanted: Wanted, *, limit: int, cursor: str | None) -> Document:
        """Return entries, newest first, and where to go on. Raises MalformedError or NotFoundError."""
        before = None if cursor is None else _place_of(cursor)

        def look(reader: Reader) -> Document:
            standings = {one.grant: one for one in reader.standings(self._owner)}
            sought = _sought(wanted, standings)
            found = reader.activity(self._owner, sought, before=before, limit=limit, most=_LOOKED)
            known = _known_partners(reader, self._owner)
            told: Document = {
                "entries": [_shown(standings[grant], row, known) for grant, row in found.entries]
            }
            if sought.field is not None:
                told["looked"] = found.looked
            return told if found.rest is None else {**told, "next": _cursor_of(found.rest)}

        return await self._store.read(look, long=True)

    async def timeline(self, wanted: Wanted, *, buckets: int) -> Document:
        """Return how much happened in each part of a time, and under which grants most.

        Args:
            wanted: What to count; without a beginning 30 days, without an end until now.
            buckets: How many parts at most; each is of whole seconds, the last may reach beyond the end.
        """
        before_s = wanted.before_s if wanted.before_s is not None else self._ambient.clock.now_s() + 1
        after_s = wanted.after_s if wanted.after_s is not None else before_s - 30 * 86_400
        if after_s >= before_s:
            raise MalformedError("what is asked for ends before it begins")
        width_s = -((after_s - before_s) // buckets)

        def look(reader: Reader) -> Document:
            standings = {one.grant: one for one in reader.standings(self._owner)}
            sought = _sought(wanted, standings, after_s=after_s, before_s=before_s)
            counts, looked = self._counted(reader, sought, width_s * _US, standings)
            first_us = reader.first_entry_us(self._owner)
            told: Document = {
                "after": format_time(after_s),
                "before": format_time(before_s),
                "width": width_s,
                "buckets": _buckets(counts, after_s, before_s, width_s),
                "busiest": _busiest(counts, standings),
            }
            if first_us is not None:
                told["first"] = format_time(first_us // _US)
            if sought.field is not None:
                told["looked"] = looked
                told["complete"] = looked < _LOOKED
            return told

        return await self._store.read(look, long=True)

    def _counted(
        self, reader: Reader, sought: EntriesSought, width_us: int, standings: dict[str, Standing]
    ) -> tuple[list[Counted], int]:
        if sought.field is not None:
            return reader.activity_counts(self._owner, sought, width_us=width_us, most=_LOOKED)
        now_us = self._ambient.clock.now_us()
        return self._counts.count(reader, sought, width_us=width_us, now_us=now_us, grants=standings), 0

    async def readers(self, grant_id: str) -> Document:
        """Return who read under a grant, how often and when last, the latest first. Raises NotFoundError."""

        def look(reader: Reader) -> Document:
            standing = reader.standing(self._owner, grant_id)
            if standing is None:
                raise NotFoundError("no such grant")
            first = max(0, standing.log_size - _LOOKED)
            known = _known_partners(reader, self._owner)
            counts: Counter[str] = Counter()
            last: dict[str, int] = {}
            for row in reader.readers(self._owner, grant_id, first=first):
                who = _reader_of(standing, row.seen_by)
                counts[who] += row.reads
                last[who] = max(last.get(who, 0), row.last_us)
            told = [
                {**_who(standing, who, who == standing.vendor, known), "reads": counts[who],
                 "last": format_time(last[who] // _US)}
                for who in sorted(last, key=lambda one: -last[one])
            ]  # fmt: skip
            return {"readers": told, "looked": standing.log_size - first, "complete": first == 0}

        return await self._store.read(look, long=True)


def _sought(
    wanted: Wanted,
    standings: dict[str, Standing],
    *,
    after_s: int | None = None,
    before_s: int | None = None,
) -> EntriesSought:
    after_s = wanted.after_s if after_s is None else after_s
    before_s = wanted.before_s if before_s is None else before_s
    grants = None
    if wanted.grant is not None:
        if wanted.grant not in standings:
            raise NotFoundError("no such grant")
        grants = frozenset({wanted.grant})
    if wanted.vendor is not None:
        of_vendor = frozenset(one.grant for one in standings.values() if is_called(one, wanted.vendor))
        grants = of_vendor if grants is None else grants & of_vendor
    return EntriesSought(
        after_us=(after_s or 0) * _US,
        before_us=2**62 if before_s is None else before_s * _US,
        grants=grants,
        kinds=None if wanted.outcome is None else frozenset({wanted.outcome}),
        permission=wanted.permission,
        field=None if wanted.field is None else jcs(wanted.field),
    )


# What is shown

_Known = Callable[[str], dict[str, str]]


def _known_partners(reader: Reader, owner: str) -> _Known:
    """Return what gives, for a grant, the domain of each key of its partners that have one."""

    @cache
    def domains(grant: str) -> dict[str, str]:
        rows = reader.partner_keys(owner, grant)
        return {key.did: domain_of(row.did) for row in rows for key in every_key(row)}

    return domains


def _shown(standing: Standing, row: EntryRow, known: _Known) -> Document:
    told: Document = {
        "grant": standing.grant,
        "number": row.n,
        "vendor": vendor_shown(standing.vendor, standing.name),
        "time": format_time(row.time_us // _US),
        "kind": row.kind,
        "leaf": base64url_encode(row.leaf),
    }
    if row.body is None:
        return told
    entry = parse_document(row.body)
    if "who" in entry:
        # The first link of a chain is the vendor's, whatever key it had then.
        is_vendor = len(entry["chain"]) == 1 if "chain" in entry else entry["who"] == standing.vendor
        told["who"] = _who(standing, entry["who"], is_vendor, known)
    return told | {"entry": entry, "salt": base64url_encode(row.salt)}


def _who(standing: Standing, did: str, is_vendor: bool, known: _Known) -> Document:
    told: Document = {"id": did, "is": "vendor" if is_vendor else "partner"}
    domain = None if is_vendor else known(standing.grant).get(did)
    return told if domain is None else {**told, "domain": domain}


def _reader_of(standing: Standing, seen_by: tuple[str, ...]) -> str:
    """Return the holder among those who may see what it did: the vendor's DID, or the key at the end of the chain."""
    own = 2 if is_web(standing.vendor) else 1  # a vendor with a document stands there by its DID and by a key
    return seen_by[-1] if len(seen_by) > own else standing.vendor


def _buckets(counts: Iterable[Counted], after_s: int, before_s: int, width_s: int) -> list[Document]:
    buckets: list[Document] = [
        {"from": format_time(start_s), **dict.fromkeys(_KINDS, 0)}
        for start_s in range(after_s, before_s, width_s)
    ]
    for one in counts:
        buckets[one.bucket][_name_of(one.kind)] += one.entries
    return buckets


def _busiest(counts: Iterable[Counted], standings: dict[str, Standing]) -> list[Document]:
    found: dict[str, list[Counted]] = {}
    for one in counts:
        found.setdefault(one.grant, []).append(one)
    total = {grant: sum([one.entries for one in of_grant]) for grant, of_grant in found.items()}
    most = sorted(found, key=lambda grant: (-total[grant], grant))[:_BUSIEST]
    return [_busy(standings[grant], found[grant]) for grant in most]


def _busy(standing: Standing, counts: list[Counted]) -> Document:
    whole: Counter[str] = Counter()
    parts: dict[int, Counter[str]] = {}
    for one in counts:
        kind = _name_of(one.kind)
        whole[kind] += one.entries
        parts.setdefault(one.bucket, Counter())[kind] += one.entries
    return {
        "grant": standing.grant,
        "vendor": vendor_shown(standing.vendor, standing.name),
        **{kind: whole[kind] for kind in _KINDS},
        "buckets": [
            {"bucket": bucket, **{kind: counted[kind] for kind in _KINDS}}
            for bucket, counted in sorted(parts.items())
        ],
        "last": format_time(max(one.last_us for one in counts) // _US),
    }


def _name_of(kind: str) -> str:
    return kind if kind in _COUNTED else "other"


# Places between pages


def _cursor_of(place: Place) -> str:
    return f"{place.time_us}.{place.n}.{place.grant}"


def _place_of(cursor: str) -> Place:
    parts = cursor.split(".", 2)
    if len(cursor) > 120 or len(parts) != 3 or not all(one.isascii() and one.isdigit() for one in parts[:2]):
        raise MalformedError("after is what the page before gave as next")
    time_us, n = (min(int(one), 2**62) for one in parts[:2])
    return Place(time_us, parts[2], n)
