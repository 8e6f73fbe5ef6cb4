"""What the person's own pages ask, in plain SQL: the ledger over all grants, and lists of records and requests.

Mixed into the reader of ``sql``.
"""

from __future__ import annotations

from typing import Final

from .rows import EntryRow, RelationshipRow
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
from .statement import Execute, Row

_CHUNK: Final = 1000
"""Entries whose bodies are looked through at once."""
_SHOWN: Final = "grant_id, n, time_us, kind, permission, seen_by, salt, leaf, body"
_PLACE: Final = "time_us DESC, grant_id DESC, n DESC"


_NAMES_FIELD: Final = (
    "CASE WHEN instr(body, ?) > 0"
    " THEN instr(body, ?) + instr(body, ?) + instr(body, ?) + instr(body, ?) > 0 ELSE 1 = 0 END"
)
"""Whether a body names a field: a text within an array, as no other array of a body holds names."""
_FIELDS: Final = "substr(body, instr(body, ?) + ?, instr(body, ?) - instr(body, ?) - ? + 1)"
"""The array of fields, cut out of a body: what stands before it and after it stands there once, as a quote within a
text is escaped, and ``kind`` is what follows in JCS."""
_BEFORE_FIELDS: Final = b'"fields":'
_AFTER_FIELDS: Final = b'],"kind":'


class LookingReader:
    """See ``Looking``."""

    _execute: Execute

    def activity(
        self, owner: str, sought: EntriesSought, *, before: Place | None = None, limit: int, most: int
    ) -> Found:
        if sought.field is None:
            conditions, values = _conditions(owner, sought, before)
            rows = self._execute(
                f"SELECT {_SHOWN} FROM entry WHERE {conditions} ORDER BY {_PLACE} LIMIT ?",
                (*values, limit + 1),
            )
            entries = tuple(map(_entry, rows[:limit]))
            rest = _place(entries[-1]) if len(rows) > limit else None
            return Found(entries=entries, looked=0, rest=rest)
        return self._by_field(owner, sought, sought.field, before, limit=limit, most=most)

    def _by_field(
        self,
        owner: str,
        sought: EntriesSought,
        field: bytes,
        before: Place | None,
        *,
        limit: int,
        most: int,
    ) -> Found:
        entries: list[tuple[str, EntryRow]] = []
        looked = 0
        while looked < most:
            conditions, values = _conditions(owner, sought, before)
            chunk = min(_CHUNK, most - looked)
            rows = self._execute(
                f"SELECT time_us, grant_id, n, {_NAMES_FIELD} FROM entry WHERE {conditions}"
                f" ORDER BY {_PLACE} LIMIT ?",
                (*_field_texts(field), *values, chunk),
            )
            for time_us, grant, n, hit in rows:
                looked, before = looked + 1, Place(time_us, grant, n)
                if hit:
                    entries.append(self._entry_at(owner, before))
                if len(entries) == limit:
                    return Found(entries=tuple(entries), looked=looked, rest=before)
            if len(rows) < chunk:
                return Found(entries=tuple(entries), looked=looked, rest=None)
        return Found(entries=tuple(entries), looked=looked, rest=before)

    def _entry_at(self, owner: str, place: Place) -> tuple[str, EntryRow]:
        [row] = self._execute(
            f"SELECT {_SHOWN} FROM entry WHERE owner = ? AND grant_id = ? AND n = ?",
            (owner, place.grant, place.n),
        )
        return _entry(row)

    def activity_counts(
        self, owner: str, sought: EntriesSought, *, width_us: int, most: int
    ) -> tuple[list[Counted], int]:
        conditions, values = _conditions(owner, sought, None)
        source, among, looked = f"entry WHERE {conditions}", values, 0
        if sought.field is not None:  # the newest alone, as their bodies have to be looked through
            within = f"FROM entry WHERE {conditions} ORDER BY {_PLACE} LIMIT ?"
            source = f"(SELECT time_us, grant_id, kind, body {within}) AS newest WHERE {_NAMES_FIELD}"
            among = [*values, most, *_field_texts(sought.field)]
            [[looked]] = self._execute(f"SELECT count(*) FROM (SELECT 1 {within}) AS newest", (*values, most))
        rows = self._execute(
            f"SELECT (time_us - ?) / ? AS bucket, grant_id, kind, count(*), max(time_us) FROM {source}"
            " GROUP BY bucket, grant_id, kind",
            (sought.after_us, width_us, *among),
        )
        return list(map(Counted._make, rows)), looked

    def fields_read(self, owner: str, *, after_us: int, width_us: int, most: int) -> list[FieldsRead]:
        before, after, skip = _BEFORE_FIELDS, _AFTER_FIELDS, len(_BEFORE_FIELDS)
        rows = self._execute(
            "SELECT (time_us - ?) / ? AS bucket, grant_id, seen_by, fields, count(*), max(time_us) FROM"
            f" (SELECT time_us, grant_id, seen_by, {_FIELDS} AS fields FROM entry"
            f" WHERE owner = ? AND time_us >= ? AND kind = 'admitted' ORDER BY {_PLACE} LIMIT ?) AS newest"
            " GROUP BY bucket, grant_id, seen_by, fields",
            (after_us, width_us, before, skip, after, before, skip, owner, after_us, most),
        )
        return [
            FieldsRead(bucket, grant, tuple(seen_by.split()), fields, reads, last_us)
            for bucket, grant, seen_by, fields, reads, last_us in rows
        ]

    def first_entry_us(self, owner: str) -> int | None:
        [[first]] = self._execute("SELECT min(time_us) FROM entry WHERE owner = ?", (owner,))
        return first  # type: ignore[no-any-return]

    def readers(self, owner: str, grant: str, *, first: int) -> list[ReaderRow]:
        rows = self._execute(
            "SELECT seen_by, count(*), max(time_us) FROM entry WHERE owner = ? AND grant_id = ? AND n >= ?"
            " AND kind = 'admitted' GROUP BY seen_by",
            (owner, grant, first),
        )
        return [ReaderRow(tuple(seen_by.split()), reads, last_us) for seen_by, reads, last_us in rows]

    def record_types(self, owner: str) -> list[tuple[str, int]]:
        rows = self._execute(
            "SELECT type, count(*) FROM record WHERE owner = ? GROUP BY type ORDER BY type", (owner,)
        )
        return [(row[0], row[1]) for row in rows]

    def sought_records(self, owner: str, sought: RecordsSought, *, limit: int) -> list[int]:
        conditions, values = ["owner = ?"], list[object]([owner])
        if sought.type is not None:
            conditions.append("type = ?")
            values.append(sought.type)
        if sought.text:
            conditions.append("instr(sought, ?) > 0")
            values.append(sought.text)
        order, further = _RECORD_ORDER[sought.order]
        if sought.after is not None:
            conditions.append(further)
            values += [sought.after_name, sought.after] if sought.order == "name" else [sought.after]
        # All that is asked for stands in one index or the other: no record is looked up that is not shown.
        rows = self._execute(
            f"SELECT n FROM record WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?",
            (*values, limit),
        )
        return [row[0] for row in rows]

    def relationships(self, owner: str) -> list[RelationshipRow]:
        rows = self._execute(
            "SELECT id, vendor, name, key_epoch FROM relationship WHERE owner = ? ORDER BY created_us DESC, id",
            (owner,),
        )
        return [
            RelationshipRow(id=id_, vendor=vendor, name=name, key_epoch=key_epoch)
            for id_, vendor, name, key_epoch in rows
        ]

    def request_heads(self, owner: str) -> list[RequestHead]:
        rows = self._execute(
            "SELECT q.id, q.status, q.received_us, r.vendor, r.name FROM request q"
            " JOIN relationship r ON r.owner = q.owner AND r.id = q.relationship"
            " WHERE q.owner = ? ORDER BY q.received_us DESC, q.id DESC",
            (owner,),
        )
        return list(map(RequestHead._make, rows))


_RECORD_ORDER: Final = {
    "first": ("+n", "n > ?"),
    "newest": ("+n DESC", "n < ?"),
    "name": ("sought, n", "(sought, n) > (?, ?)"),
}


def _conditions(owner: str, sought: EntriesSought, before: Place | None) -> tuple[str, list[object]]:
    conditions, values = ["owner = ?", "time_us >= ?", "time_us < ?"], list[object]([owner])
    # The place a page ends at is a bound of its own on the time: else the index is walked from its end.
    values += [sought.after_us, sought.before_us]
    if before is not None:
        conditions.append("(time_us, grant_id, n) < (?, ?, ?)")
        values += before
        values[2] = min(sought.before_us, before.time_us + 1)
    for column, wanted in (("grant_id || ''", sought.grants), ("kind", sought.kinds)):
        # Not the column itself: the index by time is the one to be used, whatever else there is.
        if wanted is not None and not wanted:
            conditions.append("1 = 0")
        elif wanted is not None:
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += sorted(wanted)
    if sought.permission is not None:
        conditions.append("permission = ?")
        values.append(sought.permission)
    if sought.field is not None:
        conditions.append("kind = 'admitted'")
    return " AND ".join(conditions), values


def _field_texts(field: bytes) -> list[bytes]:
    return [field, *(before + field + after for before in (b"[", b",") for after in (b"]", b","))]


def _entry(row: Row) -> tuple[str, EntryRow]:
    grant, n, time_us, kind, permission, seen_by, salt, leaf, body = row
    return grant, EntryRow(
        n=n, time_us=time_us, kind=kind, permission=permission, seen_by=tuple(seen_by.split()),
        salt=salt, leaf=leaf, body=body,
    )  # fmt: skip


def _place(entry: tuple[str, EntryRow]) -> Place:
    grant, row = entry
    return Place(row.time_us, grant, row.n)
