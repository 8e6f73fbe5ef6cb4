"""Links to partners, the reads counted under them, and what signed messages led to, in plain SQL.

Mixed into the reader and the transactor of ``sql``.
"""

from __future__ import annotations

from collections.abc import Callable

from .rows import LinkRow
from .statement import Execute, Row


class LinkReader:
    """See ``Reader``."""

    _execute: Execute

    def link(self, owner: str, grant: str, digest: str) -> LinkRow | None:
        rows = self._execute(_LINK + " AND digest = ?", (owner, grant, digest))
        return _link(rows[0]) if rows else None

    def links(self, owner: str, grant: str) -> list[LinkRow]:
        return list(map(_link, self._execute(_LINK + " ORDER BY seen_us, digest", (owner, grant))))

    def link_count(self, owner: str, grant: str, branch: str, *, now_us: int) -> int:
        rows = self._execute(
            "SELECT count(*) FROM link WHERE owner = ? AND grant_id = ? AND branch = ? AND expires_us > ?",
            (owner, grant, branch, now_us),
        )
        count: int = rows[0][0]
        return count

    def reads_under(self, owner: str, grant: str, link: str, since_us: int) -> int:
        rows = self._execute(
            "SELECT count(*) FROM counted_read WHERE owner = ? AND grant_id = ? AND link = ? AND time_us > ?",
            (owner, grant, link, since_us),
        )
        count: int = rows[0][0]
        return count

    def outcome(self, owner: str, digest: bytes) -> int | None:
        rows = self._execute("SELECT outcome FROM nonce WHERE owner = ? AND digest = ?", (owner, digest))
        return rows[0][0] if rows else None


class LinkTransactor(LinkReader):
    """See ``Transactor``."""

    _changes: Callable[[], int]

    def add_link(self, owner: str, grant: str, row: LinkRow) -> None:
        self._execute(
            "INSERT INTO link (owner, grant_id, digest, branch, parent, expires_us, seen_us, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (owner, grant, row.digest, row.branch, row.parent, row.expires_us, row.seen_us, row.document),
        )

    def drop_links(self, owner: str, *, before_us: int) -> None:
        self._execute(
            "DELETE FROM counted_read WHERE owner = ? AND link IN"
            " (SELECT digest FROM link WHERE owner = ? AND expires_us < ?)",
            (owner, owner, before_us),
        )
        self._execute("DELETE FROM link WHERE owner = ? AND expires_us < ?", (owner, before_us))

    def count_under(self, owner: str, grant: str, link: str) -> None:
        self._execute(
            "UPDATE link SET reads = reads + 1 WHERE owner = ? AND grant_id = ? AND digest = ?",
            (owner, grant, link),
        )

    def time_under(self, owner: str, grant: str, link: str, *, n: int, time_us: int, since_us: int) -> None:
        self._execute(
            "DELETE FROM counted_read WHERE owner = ? AND grant_id = ? AND link = ? AND time_us <= ?",
            (owner, grant, link, since_us),
        )
        self._execute(
            "INSERT INTO counted_read (owner, grant_id, link, n, time_us) VALUES (?, ?, ?, ?, ?)",
            (owner, grant, link, n, time_us),
        )

    def set_outcome(self, owner: str, digest: bytes, outcome: int) -> None:
        self._execute("UPDATE nonce SET outcome = ? WHERE owner = ? AND digest = ?", (outcome, owner, digest))


_LINK = "SELECT digest, branch, parent, expires_us, seen_us, reads, document FROM link WHERE owner = ? AND grant_id = ?"


def _link(row: Row) -> LinkRow:
    digest, branch, parent, expires_us, seen_us, reads, document = row
    return LinkRow(
        digest=digest, branch=branch, parent=parent, expires_us=expires_us, seen_us=seen_us, reads=reads,
        document=document,
    )  # fmt: skip
