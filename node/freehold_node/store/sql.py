"""The reader and the transactor in plain SQL, over anything that executes a statement with ``?`` parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from .rows import (
    DraftRow,
    EntryRow,
    InvitationRow,
    LogHead,
    OwnerRow,
    RecordRow,
    RefusalRow,
    RelationshipRow,
    RequestRow,
    Standing,
    VersionRow,
)
from .sql_connect import REQUEST, ConnectReader, ConnectTransactor, request_of
from .sql_devices import DevicesReader, DevicesTransactor
from .sql_erasing import ErasingTransactor
from .sql_events import EventsReader, EventsTransactor
from .sql_keys import KeysReader, KeysTransactor
from .sql_links import LinkReader, LinkTransactor
from .sql_looking import LookingReader
from .sql_moving import MovingReader, MovingTransactor
from .statement import Execute, Row
from .store import Pins

_STANDING: Final = (
    "SELECT g.owner, g.id, g.relationship, g.request, g.version, g.epoch, g.state, g.not_before_us,"
    " g.expires_us, g.revocations, g.log_size, g.log_range, g.log_time_us, g.read_us, r.vendor, r.name, g.key_epoch,"
    " o.records_version, o.self_record, r.vendor_keys, g.moved FROM access_grant g"
    " JOIN relationship r ON r.owner = g.owner AND r.id = g.relationship"
    " JOIN owner o ON o.owner = g.owner WHERE g.owner = ?"
)
_RECORD: Final = (
    "SELECT id, n, type, source_key, cid, changed_us, document, coalesce(sought, '')"
    " FROM record WHERE owner = ?"
)
_ENTRY: Final = (
    "SELECT n, time_us, kind, permission, seen_by, salt, leaf, body FROM entry"
    " WHERE owner = ? AND grant_id = ?"
)
_ADMITTED: Final = (
    "SELECT count(*) FROM entry WHERE owner = ? AND grant_id = ? AND permission = ? AND kind = 'admitted'"
)


def _record(row: Row) -> RecordRow:
    id_, n, type_, source_key, cid, changed_us, document, sought = row
    return RecordRow(
        id=id_, n=n, type=type_, source_key=source_key, cid=cid, changed_us=changed_us, document=document,
        sought=sought,
    )  # fmt: skip


def _entry(row: Row) -> EntryRow:
    n, time_us, kind, permission, seen_by, salt, leaf, body = row
    return EntryRow(
        n=n, time_us=time_us, kind=kind, permission=permission, seen_by=tuple(seen_by.split()),
        salt=salt, leaf=leaf, body=body,
    )  # fmt: skip


class SqlReader(
    ConnectReader, DevicesReader, EventsReader, KeysReader, LinkReader, LookingReader, MovingReader
):
    """See ``Reader``."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    def _one(self, statement: str, *values: object) -> Row | None:
        rows = self._execute(statement, values)
        return rows[0] if rows else None

    def setting(self, name: str) -> str | None:
        row = self._one("SELECT value FROM node WHERE name = ?", name)
        return row[0] if row else None

    def owners(self) -> list[str]:
        return [row[0] for row in self._execute("SELECT owner FROM owner ORDER BY owner")]

    def owner_of(self, kind: str, id_: str) -> str | None:
        row = self._one("SELECT owner FROM route WHERE kind = ? AND id = ?", kind, id_)
        return row[0] if row else None

    def owner(self, owner: str) -> OwnerRow | None:
        row = self._one("SELECT owner, records_version, self_record FROM owner WHERE owner = ?", owner)
        return OwnerRow(owner=row[0], records_version=row[1], self_record=row[2]) if row else None

    def standing(self, owner: str, grant: str) -> Standing | None:
        row = self._one(_STANDING + " AND g.id = ?", owner, grant)
        return Standing._make(row) if row else None

    def standings(self, owner: str) -> list[Standing]:
        order = " ORDER BY r.created_us DESC, g.id"
        return [Standing._make(row) for row in self._execute(_STANDING + order, (owner,))]

    def due(self, owner: str, now_us: int) -> list[Standing]:
        found: list[Standing] = []
        for state in ("live", "paused"):
            condition = " AND g.state = ? AND g.expires_us <= ?"
            found += map(Standing._make, self._execute(_STANDING + condition, (owner, state, now_us)))
        return found

    def versions(self, owner: str, grant: str, *, after: int = 0) -> list[VersionRow]:
        rows = self._execute(
            "SELECT version, change, document FROM grant_version WHERE owner = ? AND grant_id = ?"
            " AND version > ? ORDER BY version",
            (owner, grant, after),
        )
        return [VersionRow(version=row[0], change=row[1], document=row[2]) for row in rows]

    def version(self, owner: str, grant: str, version: int) -> VersionRow | None:
        row = self._one(
            "SELECT version, change, document FROM grant_version"
            " WHERE owner = ? AND grant_id = ? AND version = ?",
            owner, grant, version,
        )  # fmt: skip
        return VersionRow(version=row[0], change=row[1], document=row[2]) if row else None

    def pins(self, owner: str, grant: str) -> Pins:
        rows = self._execute(
            "SELECT permission, item, record FROM pin WHERE owner = ? AND grant_id = ?", (owner, grant)
        )
        found: dict[tuple[str, int], set[str]] = {}
        for permission, item, record in rows:
            found.setdefault((permission, item), set()).add(record)
        return {key: frozenset(records) for key, records in found.items()}

    def revoked(self, owner: str, grant: str) -> frozenset[str]:
        rows = self._execute(
            "SELECT revoked FROM revocation WHERE owner = ? AND grant_id = ?", (owner, grant)
        )
        return frozenset(row[0] for row in rows)

    def reads(self, owner: str, grant: str, permission: str, since_us: int) -> tuple[int, int]:
        counted = self._one(
            "SELECT reads FROM usage WHERE owner = ? AND grant_id = ? AND permission = ?",
            owner, grant, permission,
        )  # fmt: skip
        if counted is None:
            counted = self._one(_ADMITTED, owner, grant, permission)
        # Entry times never decrease, so the window is the tail of the log.
        first = self._one(
            "SELECT max(n) FROM entry WHERE owner = ? AND grant_id = ? AND time_us < ?",
            owner, grant, since_us,
        )  # fmt: skip
        after = -1 if first is None or first[0] is None else first[0]
        recent = self._one(_ADMITTED + " AND n > ?", owner, grant, permission, after)
        return (counted[0] if counted else 0), (recent[0] if recent else 0)

    def record(self, owner: str, id_: str) -> RecordRow | None:
        row = self._one(_RECORD + " AND id = ?", owner, id_)
        return _record(row) if row else None

    def record_by_source(self, owner: str, source_key: str) -> RecordRow | None:
        row = self._one(_RECORD + " AND source_key = ?", owner, source_key)
        return _record(row) if row else None

    def record_filled_from(self, owner: str, source_key: str) -> RecordRow | None:
        row = self._one(
            "SELECT record FROM record_filled WHERE owner = ? AND source_key = ?", owner, source_key
        )
        return self.record(owner, row[0]) if row else None

    def is_filled(self, owner: str, id_: str) -> bool:
        return self._one("SELECT 1 FROM record_filled WHERE owner = ? AND record = ?", owner, id_) is not None

    def records(
        self, owner: str, *, after: int = 0, limit: int, types: Iterable[str] = ()
    ) -> list[RecordRow]:
        wanted = list(types)
        among = f" AND type IN ({', '.join('?' * len(wanted))})" if wanted else ""
        rows = self._execute(f"{_RECORD} AND n > ?{among} ORDER BY n LIMIT ?", (owner, after, *wanted, limit))
        return [_record(row) for row in rows]

    def records_at(self, owner: str, places: Sequence[int]) -> list[RecordRow]:
        marks = ", ".join("?" * len(places))
        rows = self._execute(f"{_RECORD} AND n IN ({marks})", (owner, *places))
        found = {row.n: row for row in map(_record, rows)}
        return [found[n] for n in places if n in found]

    def unnamed_records(self, owner: str, *, limit: int) -> list[RecordRow]:
        rows = self._execute(f"{_RECORD} AND sought IS NULL LIMIT ?", (owner, limit))
        return list(map(_record, rows))

    def from_source(self, owner: str, digest: str) -> list[RecordRow]:
        rows = self._execute(f"{_RECORD} AND instr(document, ?) > 0 ORDER BY n", (owner, digest.encode()))
        return list(map(_record, rows))

    def record_count(self, owner: str) -> int:
        row = self._one("SELECT count(*) FROM record WHERE owner = ?", owner)
        return row[0] if row else 0

    def record_history(self, owner: str, id_: str) -> list[bytes]:
        rows = self._execute(
            "SELECT document FROM record_version WHERE owner = ? AND id = ? ORDER BY version DESC",
            (owner, id_),
        )
        return [row[0] for row in rows]

    def invitation(self, owner: str, id_: str) -> InvitationRow | None:
        row = self._one(
            "SELECT id, created_us, expires_us, label, request FROM invitation WHERE owner = ? AND id = ?",
            owner, id_,
        )  # fmt: skip
        if row is None:
            return None
        return InvitationRow(id=row[0], created_us=row[1], expires_us=row[2], label=row[3], request=row[4])

    def relationship(self, owner: str, id_: str) -> RelationshipRow | None:
        row = self._one(
            "SELECT id, vendor, name, key_epoch FROM relationship WHERE owner = ? AND id = ?", owner, id_
        )
        return RelationshipRow(id=row[0], vendor=row[1], name=row[2], key_epoch=row[3]) if row else None

    def request(self, owner: str, id_: str) -> RequestRow | None:
        row = self._one(REQUEST + " AND id = ?", owner, id_)
        return request_of(row) if row else None

    def waiting(self, owner: str) -> int:
        row = self._one("SELECT count(*) FROM request WHERE owner = ? AND status = 'waiting'", owner)
        return int(row[0]) if row else 0

    def requests(self, owner: str, *, status: str | None = None) -> list[RequestRow]:
        among, values = (" AND status = ?", (owner, status)) if status else ("", (owner,))
        return [
            request_of(row) for row in self._execute(f"{REQUEST}{among} ORDER BY received_us DESC", values)
        ]

    def draft(self, owner: str, digest: str) -> DraftRow | None:
        row = self._one(
            "SELECT digest, subject, change, created_us, document FROM draft WHERE owner = ? AND digest = ?",
            owner, digest,
        )  # fmt: skip
        if row is None:
            return None
        return DraftRow(digest=row[0], subject=row[1], change=row[2], created_us=row[3], document=row[4])

    def entry(self, owner: str, grant: str, n: int) -> EntryRow | None:
        row = self._one(_ENTRY + " AND n = ?", owner, grant, n)
        return _entry(row) if row else None

    def entries(self, owner: str, grant: str, *, first: int = 0, limit: int) -> list[EntryRow]:
        rows = self._execute(_ENTRY + " AND n >= ? ORDER BY n LIMIT ?", (owner, grant, first, limit))
        return [_entry(row) for row in rows]

    def hashes(self, owner: str, grant: str, level: int, first: int, count: int) -> list[bytes]:
        values = (owner, grant, first, first + count)
        if level == 0:
            rows = self._execute(
                "SELECT leaf FROM entry WHERE owner = ? AND grant_id = ? AND n >= ? AND n < ? ORDER BY n",
                values,
            )
        else:
            rows = self._execute(
                "SELECT hash FROM log_node WHERE owner = ? AND grant_id = ? AND level = ?"
                " AND i >= ? AND i < ? ORDER BY i",
                (owner, grant, level, first, first + count),
            )
        return [row[0] for row in rows]

    def refusals(self, owner: str, before_us: int) -> list[RefusalRow]:
        rows = self._execute(
            "SELECT grant_id, capability, code, hour_us, count, body FROM refusal"
            " WHERE owner = ? AND hour_us < ?",
            (owner, before_us),
        )
        return [
            RefusalRow(
                grant=row[0], capability=row[1], code=row[2], hour_us=row[3], count=row[4], body=row[5]
            )
            for row in rows
        ]


class SqlTransactor(
    SqlReader,
    ConnectTransactor,
    DevicesTransactor,
    ErasingTransactor,
    EventsTransactor,
    KeysTransactor,
    LinkTransactor,
    MovingTransactor,
):
    """See ``Transactor``. ``changes`` gives the number of rows the last statement touched.

    ``deleted`` is set when something personal was deleted, for a store that has traces of it to clear away;
    ``touched`` collects the grants of which ``Store.on_commit`` tells.
    """

    def __init__(self, execute: Execute, changes: Callable[[], int]) -> None:
        super().__init__(execute)
        self.deleted = False
        self.touched: set[str] = set()
        self._changes = changes

    def _did(self, statement: str, *values: object) -> bool:
        self._execute(statement, values)
        return self._changes() > 0

    def set_setting(self, name: str, value: str) -> None:
        self._execute(
            "INSERT INTO node (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def add_owner(self, owner: str, *, created_us: int) -> None:
        self._execute("INSERT INTO owner (owner, created_us) VALUES (?, ?)", (owner, created_us))

    def set_self(self, owner: str, record: str) -> None:
        self._execute("UPDATE owner SET self_record = ? WHERE owner = ?", (record, owner))
        self._bump_records(owner)

    def _bump_records(self, owner: str) -> None:
        self._execute("UPDATE owner SET records_version = records_version + 1 WHERE owner = ?", (owner,))

    def put_record(self, owner: str, row: RecordRow) -> None:
        before = self.record(owner, row.id)
        if before is None:
            last = self._one("SELECT max(n) FROM record WHERE owner = ?", owner)
            n = row.n or ((last[0] or 0) + 1 if last else 1)
            self._execute(
                "INSERT INTO record (owner, id, n, type, source_key, cid, changed_us, document, sought)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    owner,
                    row.id,
                    n,
                    row.type,
                    row.source_key,
                    row.cid,
                    row.changed_us,
                    row.document,
                    row.sought,
                ),
            )
        else:
            self._execute(
                "INSERT INTO record_version (owner, id, version, cid, replaced_us, document)"
                " SELECT ?, ?, coalesce(max(version), 0) + 1, ?, ?, ? FROM record_version WHERE owner = ? AND id = ?",
                (owner, row.id, before.cid, row.changed_us, before.document, owner, row.id),
            )
            self._execute(
                "UPDATE record SET type = ?, source_key = ?, cid = ?, changed_us = ?, document = ?, sought = ?"
                " WHERE owner = ? AND id = ?",
                (row.type, row.source_key, row.cid, row.changed_us, row.document, row.sought, owner, row.id),
            )
        self._bump_records(owner)

    def set_filled_from(self, owner: str, source_key: str, record: str) -> None:
        self._execute(
            "INSERT INTO record_filled (owner, source_key, record) VALUES (?, ?, ?)"
            " ON CONFLICT (owner, source_key) DO UPDATE SET record = excluded.record",
            (owner, source_key, record),
        )

    def name_record(self, owner: str, id_: str, sought: str) -> None:
        self._execute("UPDATE record SET sought = ? WHERE owner = ? AND id = ?", (sought, owner, id_))

    def delete_record(self, owner: str, id_: str) -> None:
        self._execute("DELETE FROM record WHERE owner = ? AND id = ?", (owner, id_))
        self._execute("DELETE FROM record_version WHERE owner = ? AND id = ?", (owner, id_))
        self._execute("DELETE FROM record_filled WHERE owner = ? AND record = ?", (owner, id_))
        self._execute("DELETE FROM pin WHERE owner = ? AND record = ?", (owner, id_))
        self._execute("UPDATE owner SET self_record = NULL WHERE owner = ? AND self_record = ?", (owner, id_))
        self.deleted = True
        self._bump_records(owner)

    def _add_route(self, kind: str, id_: str, owner: str) -> None:
        self._execute("INSERT INTO route (kind, id, owner) VALUES (?, ?, ?)", (kind, id_, owner))

    def add_invitation(self, owner: str, row: InvitationRow) -> None:
        self._add_route("invitation", row.id, owner)
        self._execute(
            "INSERT INTO invitation (owner, id, created_us, expires_us, label) VALUES (?, ?, ?, ?, ?)",
            (owner, row.id, row.created_us, row.expires_us, row.label),
        )

    def use_invitation(self, owner: str, id_: str, request: str) -> bool:
        return self._did(
            "UPDATE invitation SET request = ? WHERE owner = ? AND id = ? AND (request IS NULL OR request = ?)",
            request, owner, id_, request,
        )  # fmt: skip

    def close_invitations(self, owner: str, *, now_us: int) -> None:
        self._execute(
            "UPDATE invitation SET expires_us = ? WHERE owner = ? AND request IS NULL AND expires_us > ?",
            (now_us, owner, now_us),
        )

    def add_relationship(self, owner: str, row: RelationshipRow, *, created_us: int) -> None:
        self._execute(
            "INSERT INTO relationship (owner, id, vendor, name, key_epoch, created_us)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (owner, row.id, row.vendor, row.name, row.key_epoch, created_us),
        )

    def add_request(self, owner: str, row: RequestRow) -> None:
        self._add_route("request", row.id, owner)
        self._execute(
            "INSERT INTO request (owner, id, relationship, cid, status, received_us, document, carried)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                owner,
                row.id,
                row.relationship,
                row.cid,
                row.status,
                row.received_us,
                row.document,
                int(row.carried),
            ),
        )

    def decide_request(
        self, owner: str, id_: str, *, status: str, decided_us: int, grant: str | None, reason: str | None
    ) -> bool:
        return self._did(
            "UPDATE request SET status = ?, decided_us = ?, grant_id = ?, reason = ?"
            " WHERE owner = ? AND id = ? AND status = 'waiting'",
            status, decided_us, grant, reason, owner, id_,
        )  # fmt: skip

    def add_draft(self, owner: str, row: DraftRow) -> None:
        self._execute(
            "INSERT INTO draft (owner, digest, subject, change, created_us, document) VALUES (?, ?, ?, ?, ?, ?)",
            (owner, row.digest, row.subject, row.change, row.created_us, row.document),
        )

    def drop_drafts(self, owner: str, *, subject: str | None = None, before_us: int | None = None) -> None:
        if subject is not None:
            self._execute("DELETE FROM draft WHERE owner = ? AND subject = ?", (owner, subject))
        if before_us is not None:
            self._execute("DELETE FROM draft WHERE owner = ? AND created_us < ?", (owner, before_us))

    def add_grant(self, standing: Standing, document: bytes) -> None:
        s = standing
        self._add_route("grant", s.grant, s.owner)
        self._execute(
            "INSERT INTO access_grant (owner, id, relationship, request, version, epoch, state,"
            " not_before_us, expires_us, log_range, key_epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (s.owner, s.grant, s.relationship, s.request, s.version, s.epoch, s.state,
             s.not_before_us, s.expires_us, s.log_range, s.key_epoch),
        )  # fmt: skip
        self._add_version(s, "approve", document)

    def _add_version(self, standing: Standing, change: str, document: bytes) -> None:
        self._execute(
            "INSERT INTO grant_version (owner, grant_id, version, change, document) VALUES (?, ?, ?, ?, ?)",
            (standing.owner, standing.grant, standing.version, change, document),
        )

    def change_grant(self, standing: Standing, *, change: str, document: bytes) -> None:
        s = standing
        self.touched.add(s.grant)
        self._add_version(s, change, document)
        self._execute(
            "UPDATE access_grant SET version = ?, epoch = ?, state = ?, expires_us = ?, key_epoch = ?"
            " WHERE owner = ? AND id = ?",
            (s.version, s.epoch, s.state, s.expires_us, s.key_epoch, s.owner, s.grant),
        )
        # Counted anew from the ledger when next asked, so a limit set later counts what was read before.
        self._execute("DELETE FROM usage WHERE owner = ? AND grant_id = ?", (s.owner, s.grant))

    def bump_epoch(self, owner: str, grant: str) -> None:
        self.touched.add(grant)
        self._execute("UPDATE access_grant SET epoch = epoch + 1 WHERE owner = ? AND id = ?", (owner, grant))

    def replace_pins(self, owner: str, grant: str, pins: Pins) -> None:
        self._execute("DELETE FROM pin WHERE owner = ? AND grant_id = ?", (owner, grant))
        for (permission, item), records in pins.items():
            for record in records:
                self._execute(
                    "INSERT INTO pin (owner, grant_id, permission, item, record) VALUES (?, ?, ?, ?, ?)",
                    (owner, grant, permission, item, record),
                )

    def revoke(self, owner: str, grant: str, revoked: str, *, now_us: int) -> bool:
        self.touched.add(grant)
        new = self._did(
            "INSERT INTO revocation (owner, grant_id, revoked, revoked_us) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            owner, grant, revoked, now_us,
        )  # fmt: skip
        return new and self._did(
            "UPDATE access_grant SET revocations = revocations + 1, epoch = epoch + 1 WHERE owner = ? AND id = ?",
            owner, grant,
        )  # fmt: skip

    def count_read(self, owner: str, grant: str, permission: str) -> None:
        # The entry of this read is written already, so a first count from the ledger includes it.
        reads, _ = self.reads(owner, grant, permission, 2**62)
        self._execute(
            "INSERT INTO usage (owner, grant_id, permission, reads) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (owner, grant_id, permission) DO UPDATE SET reads = usage.reads + 1",
            (owner, grant, permission, reads),
        )

    def use_nonce(self, owner: str, digest: bytes, *, expires_us: int) -> bool:
        return self._did(
            "INSERT INTO nonce (owner, digest, expires_us) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            owner, digest, expires_us,
        )  # fmt: skip

    def purge_nonces(self, owner: str, *, now_us: int) -> int:
        self._execute("DELETE FROM nonce WHERE owner = ? AND expires_us < ?", (owner, now_us))
        return self._changes()

    def admit(self, standing: Standing, head: LogHead, *, now_us: int) -> bool:
        s = standing
        return self._did(
            "UPDATE access_grant SET log_size = ?, log_range = ?, log_time_us = ?, read_us = ?"
            " WHERE owner = ? AND id = ? AND epoch = ? AND state = 'live'"
            " AND not_before_us <= ? AND expires_us > ? AND log_size = ?",
            head.size, head.range, head.time_us, now_us,
            s.owner, s.grant, s.epoch, now_us, now_us, s.log_size,
        )  # fmt: skip

    def move_head(self, standing: Standing, head: LogHead) -> bool:
        s = standing
        return self._did(
            "UPDATE access_grant SET log_size = ?, log_range = ?, log_time_us = ?"
            " WHERE owner = ? AND id = ? AND log_size = ?",
            head.size, head.range, head.time_us, s.owner, s.grant, s.log_size,
        )  # fmt: skip

    def add_entry(
        self, owner: str, grant: str, row: EntryRow, nodes: Iterable[tuple[int, int, bytes]]
    ) -> None:
        self._execute(
            "INSERT INTO entry (owner, grant_id, n, time_us, kind, permission, seen_by, salt, leaf, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (owner, grant, row.n, row.time_us, row.kind, row.permission, " ".join(row.seen_by),
             row.salt, row.leaf, row.body),
        )  # fmt: skip
        for level, i, node in nodes:
            if level % 4 == 0:
                self._execute(
                    "INSERT INTO log_node (owner, grant_id, level, i, hash) VALUES (?, ?, ?, ?, ?)",
                    (owner, grant, level, i, node),
                )

    def count_refusal(self, owner: str, row: RefusalRow) -> bool:
        return self._did(
            "INSERT INTO refusal (owner, grant_id, capability, code, hour_us, count, body)"
            " VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING",
            owner, row.grant, row.capability, row.code, row.hour_us, row.body,
        ) or not self._did(
            "UPDATE refusal SET count = count + 1"
            " WHERE owner = ? AND grant_id = ? AND capability = ? AND code = ? AND hour_us = ?",
            owner, row.grant, row.capability, row.code, row.hour_us,
        )  # fmt: skip

    def drop_refusal(self, owner: str, row: RefusalRow) -> None:
        self._execute(
            "DELETE FROM refusal"
            " WHERE owner = ? AND grant_id = ? AND capability = ? AND code = ? AND hour_us = ?",
            (owner, row.grant, row.capability, row.code, row.hour_us),
        )

    def log_action(self, owner: str, *, time_us: int, action: str, subject: str) -> None:
        self._execute(
            "INSERT INTO owner_action (owner, n, time_us, action, subject)"
            " SELECT ?, coalesce(max(n), 0) + 1, ?, ?, ? FROM owner_action WHERE owner = ?",
            (owner, time_us, action, subject, owner),
        )
