"""What is to be told under one pretended grant, and when: a change of the records after a random delay.

Spec: specs/http.md#events
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from freehold_protocol import limits
from freehold_protocol.encoding import base64url_encode

_JITTER_US = limits.EVENT_JITTER_S * 1_000_000
_ID_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """That a permission's view has changed or, with None, that the grant has a new version; when it may be told."""

    n: int
    permission: str | None
    due_us: int


@dataclass(slots=True, kw_only=True)
class PretendEvents:
    """The news of one grant; the last of one permission says it all.

    Attributes:
        news: In order; all that is not due yet falls due together.
        positions: What each id that was given means: for which scope, and after which news.
    """

    random_bytes: Callable[[int], bytes]
    news: list[News] = field(default_factory=list)
    positions: dict[str, tuple[str | None, int]] = field(default_factory=dict)
    _last: int = 0

    def note_views(self, permissions: Iterable[str], now_us: int) -> None:
        """Have it told, after a while, that what these permissions show has changed."""
        waiting = [one.due_us for one in self.news if one.due_us > now_us]
        due_us = waiting[0] if waiting else now_us + self._delay_us()
        for permission in permissions:
            told = [one for one in self.news if one.permission == permission and one.due_us <= now_us][-1:]
            self.news = [one for one in self.news if one.permission != permission or one in told]
            self._add(permission, due_us)

    def note_version(self, now_us: int) -> None:
        """Have it told at once that the grant has a new version, and nothing of before."""
        self.news = []
        self._add(None, now_us)

    def _add(self, permission: str | None, due_us: int) -> None:
        self._last += 1
        self.news.append(News(n=self._last, permission=permission, due_us=due_us))

    def _delay_us(self) -> int:
        return int.from_bytes(self.random_bytes(16), "big") % (_JITTER_US + 1)

    def due(self, now_us: int) -> list[News]:
        """Return what may be told by now, in order."""
        return [one for one in self.news if one.due_us <= now_us]

    def id_of(self, scope: str | None, n: int) -> str:
        """Return an id that says nothing, and by which a stream of this scope goes on after the n-th news."""
        made = base64url_encode(self.random_bytes(_ID_BYTES))
        self.positions[made] = (scope, n)
        return made

    def position_of(self, scope: str | None, known_id: str) -> int | None:
        """Return after which news a stream goes on; None if the id is of none of this scope."""
        found = self.positions.get(known_id)
        return found[1] if found is not None and found[0] == scope else None
