"""What the person should know today: what waits, what ends soon, and who read in the last days.

Spec: specs/http.md#today
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from freehold_protocol.encoding import Document, format_time

from .ambient import Ambient
from .changes import standing_grant
from .inspection import has_new_keys, vendor_shown
from .restored import restored_s
from .store.rows import Standing
from .store.sought import EntriesSought
from .store.store import Reader, Store

_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _US
ENDING_DAYS: Final = 14
READING_DAYS: Final = 7
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
