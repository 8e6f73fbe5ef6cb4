"""Counts of what is over: what stands in the ledgers of a time that has passed does not change, so it is counted once.

A year of a large node is some 100,000 entries to look at; without this, every look at the ledger's picture, and every
read by a vendor while the picture is open, would look at all of them again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from .store.sought import Counted, EntriesSought
from .store.store import Reader

_SETTLED_US: Final = 3600 * 1_000_000
"""An entry is written within moments of its time; after this long there is none to come."""
_KEPT: Final = 8
"""Windows that are remembered: those of a person who looks around; a large one takes a megabyte."""


class Counts:
    """Counts the entries of one owner's ledgers, and remembers what it counted of times that are over."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._kept: dict[tuple[EntriesSought, int], list[Counted]] = {}
        self._lock = threading.Lock()

    def count(
        self,
        reader: Reader,
        sought: EntriesSought,
        *,
        width_us: int,
        now_us: int,
        grants: Collection[str],
    ) -> list[Counted]:
        """Return how many entries there are in each part of a time.

        Args:
            reader: A snapshot.
            sought: Which; not by field, as a body can be erased.
            width_us: The width of a part.
            now_us: The node's time.
            grants: All that there are in the snapshot; a grant that was removed took its entries along.
        """
        past = max(0, now_us - _SETTLED_US - sought.after_us) // width_us
        border_us = min(sought.before_us, sought.after_us + past * width_us)
        if not past:
            return reader.activity_counts(self._owner, sought, width_us=width_us, most=0)[0]
        counted = list(self._settled(reader, replace(sought, before_us=border_us), width_us, grants))
        if border_us < sought.before_us:
            rest = replace(sought, after_us=border_us)
            newest, _ = reader.activity_counts(self._owner, rest, width_us=width_us, most=0)
            counted += [one._replace(bucket=one.bucket + past) for one in newest]
        return counted

    def _settled(
        self, reader: Reader, sought: EntriesSought, width_us: int, grants: Collection[str]
    ) -> list[Counted]:
        key = sought, width_us
        with self._lock:
            kept = self._kept.pop(key, None)
        if kept is None or any(one.grant not in grants for one in kept):
            kept, _ = reader.activity_counts(self._owner, sought, width_us=width_us, most=0)
        with self._lock:
            self._kept[key] = kept  # the last one asked for is the last to be forgotten
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return kept
