"""What the person's own pages ask a store for, and what they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from .rows import EntryRow

RecordOrder = Literal["first", "newest", "name"]
"""By first appearance, the latest of these first, or by what they are called."""


class Place(NamedTuple):
    """Where an entry stands in the ledger over all grants, which is ordered by exactly this."""

    time_us: int
    grant: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesSought:
    """Which entries: those of all conditions; None leaves one out. ``after_us`` is within, ``before_us`` is not.

    ``field`` is what an admitted entry names among its fields, as it stands in the entry's body: a JSON string.
    """

    after_us: int = 0
    before_us: int = 2**62
    grants: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    permission: str | None = None
    field: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Entries of several grants, newest first.

    ``looked`` is how many were looked through, where more was needed than the index; ``rest`` where to go on, None at
    the end.
    """

    entries: tuple[tuple[str, EntryRow], ...]
    looked: int
    rest: Place | None


class Counted(NamedTuple):
    """How many entries of a kind there are of a grant in a bucket of time, and the time of the last."""

    bucket: int
    grant: str
    kind: str
    entries: int
    last_us: int


class FieldsRead(NamedTuple):
    """How often the same fields were read in a bucket of time by those who may see the same entries, and when last.

    ``fields`` is a JSON array as it stands in the entries' bodies, None where they were erased.
    """

    bucket: int
    grant: str
    seen_by: tuple[str, ...]
    fields: bytes | None
    entries: int
    last_us: int


class ReaderRow(NamedTuple):
    """How often those who may see the same entries read, and when last."""

    seen_by: tuple[str, ...]
    reads: int
    last_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsSought:
    """Which records, and in which order; ``text`` is what is found in ``sought``, in the same form.

    ``after`` is the ``n`` of the last one that was given, ``after_name`` its ``sought`` where they are by name.
    """

    order: RecordOrder = "first"
    type: str | None = None
    text: str | None = None
    after: int | None = None
    after_name: str = ""


class RequestHead(NamedTuple):
    """A request without what it asks for."""

    id: str
    status: str
    received_us: int
    vendor: str
    name: str


class StoreSize(NamedTuple):
    """What a store takes on the disk, in bytes; ``free`` is room within the file, ``log`` the write-ahead log's."""

    file: int
    free: int
    log: int
