"""What the person should know today: what waits, what ends soon, and who read in the last days.

Spec: specs/http.md#today
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

from freehold_protocol.did_document import is_web
from freehold_protocol.encoding import Document, format_time

from .ambient import Ambient
from .changes import standing_grant
from .grant_told import has_new_keys, vendor_shown
from .restored import restored_s
from .store.rows import Standing
from .store.sought import EntriesSought, FieldsRead
from .store.store import Reader, Store

_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _US
ENDING_DAYS: Final = 14
READING_DAYS: Final = 7
_QUARTER_US: Final = 900 * _US
"""Midnight is on a quarter of an hour everywhere, so that a quarter is of one day."""
_LOOKED: Final = 20_000
"""Reads that are looked through at most for which fields they were of."""
_LISTED: Final = 50
"""Of each kind, at most: nobody reads on."""


class Today:
    """Looks at everything of one owner at once."""

    def __init__(self, store: Store, ambient: Ambient, *, owner: str) -> None:
        """Look into an owner's part of a store."""
        self._store, self._ambient, self._owner = store, ambient, owner

    async def told(self) -> Document:
        """Return what is due and what happened."""
        clock = self._ambient.clock
        now_us = clock.now_us()

        def look(reader: Reader) -> Document:
            standings = reader.standings(self._owner)
            ending = sorted(
                (one for one in standings if _ends_by(one, now_us + ENDING_DAYS * _DAY_US)),
                key=lambda one: one.expires_us,
            )
            new_keys = [one for one in standings if has_new_keys(reader, one)]
            restored = _paused_by_restore(reader, standings)
            heads = reader.request_heads(self._owner)
            return {
                "requests": {"waiting": sum(head.status == "waiting" for head in heads)},
                "ending": _lines(ending),
                "newKeys": _lines(new_keys),
                "restored": _lines(restored),
                "reads": self._reads(reader, standings, now_us - READING_DAYS * _DAY_US),
                **_days(reader, self._owner, standings, _midnight_us(now_us, READING_DAYS - 1)),
            }

        found = await self._store.read(look, long=True)
        stands = {
            "now": format_time(clock.now_s()),
            "suspect": clock.suspect,
            "wall": format_time(clock.wall_s),
        }
        since = format_time((now_us - READING_DAYS * _DAY_US) // _US)
        return {"clock": stands, "since": since, **found}

    def _reads(self, reader: Reader, standings: list[Standing], since_us: int) -> list[Document]:
        """Return by vendor, the last to read first, how often it read and was refused since a time."""
        sought = EntriesSought(after_us=since_us, kinds=frozenset({"admitted", "refused"}))
        counts, _ = reader.activity_counts(self._owner, sought, width_us=2**62, most=0)
        of = {one.grant: one for one in standings}
        found: dict[tuple[str, str], Counter[str]] = {}
        last: dict[tuple[str, str], int] = {}
        grants: dict[tuple[str, str], dict[str, None]] = {}
        for one in counts:
            vendor = of[one.grant].vendor, of[one.grant].name
            found.setdefault(vendor, Counter())[one.kind] += one.entries
            grants.setdefault(vendor, {})[one.grant] = None
            last[vendor] = max(last.get(vendor, 0), one.last_us)
        newest = sorted(found, key=lambda vendor: -last[vendor])[:_LISTED]
        return [
            {
                "vendor": vendor_shown(*vendor),
                "grants": list(grants[vendor]),
                "reads": found[vendor]["admitted"],
                "refused": found[vendor]["refused"],
                "last": format_time(last[vendor] // _US),
            }
            for vendor in newest
        ]


# Who read what, day by day, by the clock of the computer the node runs on


def _midnight_us(now_us: int, days: int) -> int:
    """Return when the day began that was so many days ago."""
    today = datetime.fromtimestamp(now_us // _US).date()  # noqa: DTZ006 - a day of the person's is local
    return int(datetime.combine(today - timedelta(days), time()).astimezone().timestamp()) * _US


@dataclass(slots=True)
class _Reading:
    """What one vendor read on one day; ``always`` is what every read of it had, None before the first."""

    grants: dict[str, None] = field(default_factory=dict)
    fields: dict[str, None] = field(default_factory=dict)
    always: dict[str, None] | None = None
    reads: int = 0
    by_partners: int = 0
    last_us: int = 0

    def add(self, row: FieldsRead, fields: dict[str, None], *, of_vendor: int) -> None:
        self.grants[row.grant] = None
        self.fields |= fields
        before = fields if self.always is None else self.always
        self.always = before if before is fields else {path: None for path in before if path in fields}
        self.reads += row.entries
        self.by_partners += row.entries if len(row.seen_by) > of_vendor else 0
        self.last_us = max(self.last_us, row.last_us)


def _days(reader: Reader, owner: str, standings: list[Standing], since_us: int) -> Document:
    of = {one.grant: one for one in standings}
    days: dict[str, dict[tuple[str, str], _Reading]] = {}
    read = cache(_fields_of)  # of thousands of reads there are few different ones
    rows = reader.fields_read(owner, after_us=since_us, width_us=_QUARTER_US, most=_LOOKED)
    for row in rows:
        standing = of[row.grant]
        day = date.fromtimestamp(row.last_us // _US).isoformat()  # noqa: DTZ012 - as above
        vendor = standing.vendor, standing.name
        reading = days.setdefault(day, {}).setdefault(vendor, _Reading())
        reading.add(row, read(row.fields), of_vendor=2 if is_web(standing.vendor) else 1)
    return {
        "days": [
            {"day": day, "vendors": len(days[day]), "reads": _readings(days[day])}
            for day in sorted(days, reverse=True)
        ],
        "complete": sum(row.entries for row in rows) < _LOOKED,
    }


def _fields_of(array: bytes | None) -> dict[str, None]:
    return dict.fromkeys(json.loads(array) if array else ())


def _readings(found: dict[tuple[str, str], _Reading]) -> list[Document]:
    return [
        {
            "vendor": vendor_shown(*vendor),
            "grants": list(one.grants),
            "fields": list(one.fields),
            "always": list(one.always or ()),
            "reads": one.reads,
            "byPartners": one.by_partners,
            "last": format_time(one.last_us // _US),
        }
        for vendor, one in sorted(found.items(), key=lambda item: -item[1].last_us)[:_LISTED]
    ]


def _ends_by(standing: Standing, time_us: int) -> bool:
    return standing.state in ("live", "paused") and standing.expires_us <= time_us


def _paused_by_restore(reader: Reader, standings: list[Standing]) -> list[Standing]:
    """Return the grants that were paused when a backup was restored and still are."""
    at_s = restored_s(reader)
    paused = [one for one in standings if at_s and one.state == "paused"]
    return [one for one in paused if standing_grant(reader, one).created_s == at_s]


def _lines(standings: list[Standing]) -> Document:
    """Return how many there are, and the first of them."""
    return {
        "count": len(standings),
        "grants": [
            {
                "grant": one.grant,
                "vendor": vendor_shown(one.vendor, one.name),
                "state": one.state,
                "expires": format_time(one.expires_us // _US),
            }
            for one in standings[:_LISTED]
        ],
    }
