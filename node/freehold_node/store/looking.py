"""What the person's own pages may ask of a snapshot. Bounded in time at any size, so that a page never waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .rows import RecordRow, RelationshipRow
from .sought import (
    Counted,
    EntriesSought,
    FieldsRead,
    Found,
    Place,
    ReaderRow,
    RecordsSought,
    RequestHead,
)


class Looking(Protocol):
    """A part of ``Reader``."""

    def activity(
        self, owner: str, sought: EntriesSought, *, before: Place | None = None, limit: int, most: int
    ) -> Found:
        """Return entries of all the owner's ledgers, newest first.

        Args:
            owner: Whose.
            sought: Which.
            before: Only those after this place of the order; entries that are added meanwhile come before it.
            limit: How many at most.
            most: How many are looked through at most where a field is sought, as that stands in their bodies alone.
        """

    def activity_counts(
        self, owner: str, sought: EntriesSought, *, width_us: int, most: int
    ) -> tuple[list[Counted], int]:
        """Count entries by grant, by kind, and by buckets of width_us from ``after_us`` on.

        Where a field is sought, only the newest are looked through, ``most`` of them; how many is returned too.
        """

    def fields_read(self, owner: str, *, after_us: int, width_us: int, most: int) -> list[FieldsRead]:
        """Return which fields were read how often, by grant, reader, and buckets of width_us from after_us on.

        Only the newest reads are looked through, ``most`` of them.
        """

    def first_entry_us(self, owner: str) -> int | None:
        """Return the time of the first entry there is."""

    def readers(self, owner: str, grant: str, *, first: int) -> list[ReaderRow]:
        """Count the admitted reads of a grant from an entry on, by who may see them: the holder and those above."""

    def record_types(self, owner: str) -> list[tuple[str, int]]:
        """Return each type of which there are records, and how many."""

    def sought_records(self, owner: str, sought: RecordsSought, *, limit: int) -> list[int]:
        """Return the ``n`` of records, in the order that is sought."""

    def records_at(self, owner: str, places: Sequence[int]) -> list[RecordRow]:
        """Return the records of these ``n``, in this order; those that are not there are left out."""

    def unnamed_records(self, owner: str, *, limit: int) -> list[RecordRow]:
        """Return records whose ``sought`` was never filled in: from before there was any."""

    def relationships(self, owner: str) -> list[RelationshipRow]:
        """Return every relationship, newest first."""

    def request_heads(self, owner: str) -> list[RequestHead]:
        """Return every request without what it asks for, newest first."""

    def from_source(self, owner: str, digest: str) -> list[RecordRow]:
        """Return the records whose standing version says it came from the file of a digest, and maybe others."""
