"""Where the person is signed in, and with which passkeys they may, in plain SQL."""

from __future__ import annotations

from .rows import PasskeyRow, SessionRow
from .statement import Execute

_SESSION = "SELECT id, digest, device, created_us, seen_us, proved_us, passkey FROM session WHERE owner = ?"
_PASSKEY = "SELECT id, name, credential, created_us, used_us FROM passkey WHERE owner = ?"


class DevicesReader:
    """See ``Reader``."""

    _execute: Execute

    def session(self, owner: str, digest: bytes) -> SessionRow | None:
        rows = self._execute(_SESSION + " AND digest = ?", (owner, digest))
        return SessionRow._make(rows[0]) if rows else None

    def sessions(self, owner: str) -> list[SessionRow]:
        rows = self._execute(_SESSION + " ORDER BY seen_us DESC, id", (owner,))
        return [SessionRow._make(row) for row in rows]

    def passkeys(self, owner: str) -> list[PasskeyRow]:
        rows = self._execute(_PASSKEY + " ORDER BY created_us, id", (owner,))
        return [PasskeyRow._make(row) for row in rows]


class DevicesTransactor(DevicesReader):
    """See ``Transactor``."""

    def add_session(self, owner: str, row: SessionRow) -> None:
        self._execute(
            "INSERT INTO session (owner, id, digest, device, created_us, seen_us, proved_us, passkey)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (owner, *row),
        )

    def touch_session(self, owner: str, id_: str, *, seen_us: int, proved_us: int | None = None) -> None:
        self._execute(
            "UPDATE session SET seen_us = ?, proved_us = COALESCE(?, proved_us) WHERE owner = ? AND id = ?",
            (seen_us, proved_us, owner, id_),
        )

    def drop_proofs(self, owner: str) -> None:
        self._execute("UPDATE session SET proved_us = 0 WHERE owner = ?", (owner,))

    def drop_session(self, owner: str, id_: str) -> None:
        self._execute("DELETE FROM session WHERE owner = ? AND id = ?", (owner, id_))

    def drop_sessions(self, owner: str, *, unseen_since_us: int | None = None) -> None:
        if unseen_since_us is None:
            self._execute("DELETE FROM session WHERE owner = ?", (owner,))
        else:
            self._execute("DELETE FROM session WHERE owner = ? AND seen_us < ?", (owner, unseen_since_us))

    def put_passkey(self, owner: str, row: PasskeyRow) -> None:
        self._execute(
            "INSERT INTO passkey (owner, id, name, credential, created_us, used_us) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (owner, id) DO UPDATE SET credential = excluded.credential, used_us = excluded.used_us",
            (owner, *row),
        )

    def drop_passkey(self, owner: str, id_: str) -> None:
        self._execute("DELETE FROM passkey WHERE owner = ? AND id = ?", (owner, id_))
