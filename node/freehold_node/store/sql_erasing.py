"""Erasing a relationship with everything that hangs on it, in plain SQL."""

from __future__ import annotations

from typing import Final

from .statement import Execute

_OF_GRANT: Final = (
    *("grant_version", "pin", "usage", "revocation", "entry", "log_node", "refusal", "counted_read", "link"),
    *("event", "partner_key", "statement"),
)
"""Tables with a column grant_id: all that a grant leaves anywhere."""


class ErasingTransactor:
    """See ``Transactor``."""

    _execute: Execute
    deleted: bool
    touched: set[str]

    def erase_relationship(self, owner: str, relationship: str) -> list[str]:
        place = (owner, relationship)
        grants = self._ids("SELECT id FROM access_grant WHERE owner = ? AND relationship = ?", place)
        requests = self._ids("SELECT id FROM request WHERE owner = ? AND relationship = ?", place)
        for grant in grants:
            self.touched.add(grant)
            for table in _OF_GRANT:
                self._execute(f"DELETE FROM {table} WHERE owner = ? AND grant_id = ?", (owner, grant))
            self._forget("grant", owner, grant)
        for request in requests:
            used = self._ids("SELECT id FROM invitation WHERE owner = ? AND request = ?", (owner, request))
            for invitation in used:
                self._forget("invitation", owner, invitation)
            self._execute("DELETE FROM invitation WHERE owner = ? AND request = ?", (owner, request))
            self._forget("request", owner, request)
        for table in ("access_grant", "request"):
            self._execute(f"DELETE FROM {table} WHERE owner = ? AND relationship = ?", place)
        self._execute("DELETE FROM relationship WHERE owner = ? AND id = ?", place)
        self.deleted = True
        return grants

    def _ids(self, statement: str, values: tuple[object, ...]) -> list[str]:
        return [row[0] for row in self._execute(statement, values)]

    def _forget(self, kind: str, owner: str, id_: str) -> None:
        self._execute("DELETE FROM route WHERE kind = ? AND id = ? AND owner = ?", (kind, id_, owner))
        self._execute("DELETE FROM draft WHERE owner = ? AND subject = ?", (owner, id_))
