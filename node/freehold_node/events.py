"""What is to be told under a grant, and when: a change of the records after a random delay, a new version at once.

An event holds no data, so of several changes of one view the last says it all: what is kept of a permission is the
newest event that is due, for those who were away, and the newest that is not due yet. All that is not due yet under
one grant falls due together. So the order of events is that of their times, and neither a resumed stream nor a gap
in its numbers shows that something is about to be told.

Spec: specs/http.md#events
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from freehold_protocol import limits

from .ambient import Ambient
from .store.rows import EventRow
from .store.store import Transactor

_JITTER_US: Final = limits.EVENT_JITTER_S * 1_000_000
_DRAWN_BYTES: Final = 16


def is_due(row: EventRow, now_us: int) -> bool:
    """Whether an event may be told.

    One that lies farther ahead than any delay was added before the clock was set back, and is long due.
    """
    return not now_us < row.due_us <= now_us + _JITTER_US


def due_in_order(rows: Iterable[EventRow], now_us: int) -> tuple[list[EventRow], EventRow | None]:
    """Return the events that may be told, and the first that may not yet; no event is told before one before it."""
    due: list[EventRow] = []
    for row in rows:
        if not is_due(row, now_us):
            return due, row
        due.append(row)
    return due, None


def note_views(
    tx: Transactor, owner: str, grant: str, permissions: Iterable[str], *, ambient: Ambient
) -> None:
    """Have it told that what these permissions show has changed, in the transaction that changes it.

    What is not due yet is told once for all its changes; but under a new number each time, since it may fall due
    before this transaction is durable, and be told to somebody who then reads what was before.
    """
    now_us = ambient.clock.now_us()
    rows = tx.events(owner, grant)
    waiting = [row for row in rows if not is_due(row, now_us)]
    due_us = max((row.due_us for row in waiting), default=0) or now_us + _delay_us(ambient)
    for permission in permissions:
        of_it = [row for row in rows if row.permission == permission]
        told = [row.n for row in of_it if is_due(row, now_us)]
        tx.drop_events(owner, grant, [row.n for row in of_it if row.n not in told[-1:]])
        tx.add_event(owner, grant, permission=permission, due_us=due_us)


def note_version(tx: Transactor, owner: str, grant: str, *, now_us: int) -> None:
    """Have it told at once that a grant has a new version: whoever is told looks, and reads everything again.

    So nothing that came before has to be told any more, and what was waiting gives nothing away.
    """
    tx.drop_events(owner, grant, [row.n for row in tx.events(owner, grant)])
    tx.add_event(owner, grant, permission=None, due_us=now_us)


def _delay_us(ambient: Ambient) -> int:
    return int.from_bytes(ambient.random_bytes(_DRAWN_BYTES), "big") % (_JITTER_US + 1)
