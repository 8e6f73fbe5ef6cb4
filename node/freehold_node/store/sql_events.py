"""Events in plain SQL, and what is asked of pins to find who is to be told."""

from __future__ import annotations

from collections.abc import Iterable

from .rows import EventRow
from .statement import Execute
from .store import Pins


class EventsReader:
    """See ``Reader``."""

    _execute: Execute

    def events(self, owner: str, grant: str) -> list[EventRow]:
        rows = self._execute(
            "SELECT n, permission, due_us FROM event WHERE owner = ? AND grant_id = ? ORDER BY n",
            (owner, grant),
        )
        return list(map(EventRow._make, rows))

    def pinned(self, owner: str, record: str) -> dict[str, Pins]:
        rows = self._execute(
            "SELECT grant_id, permission, item FROM pin WHERE owner = ? AND record = ?", (owner, record)
        )
        only, found = frozenset({record}), dict[str, dict[tuple[str, int], frozenset[str]]]()
        for grant, permission, item in rows:
            found.setdefault(grant, {})[permission, item] = only
        return dict(found)


class EventsTransactor:
    """See ``Transactor``."""

    _execute: Execute
    touched: set[str]

    def add_event(self, owner: str, grant: str, *, permission: str | None, due_us: int) -> None:
        self.touched.add(grant)
        self._execute(
            "UPDATE access_grant SET events = events + 1 WHERE owner = ? AND id = ?", (owner, grant)
        )
        self._execute(
            "INSERT INTO event (owner, grant_id, n, permission, due_us)"
            " SELECT owner, id, events, ?, ? FROM access_grant WHERE owner = ? AND id = ?",
            (permission, due_us, owner, grant),
        )

    def drop_events(self, owner: str, grant: str, numbers: Iterable[int]) -> None:
        for n in numbers:
            self._execute("DELETE FROM event WHERE owner = ? AND grant_id = ? AND n = ?", (owner, grant, n))
