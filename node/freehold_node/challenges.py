"""Challenges: what a passkey signs, so that its answer is good for one purpose, in one browser, for minutes, and once.

Spec: specs/node/dashboard.md#passkeys
"""

from __future__ import annotations

import hmac
from typing import Final, Literal

from .ambient import Ambient

CHALLENGE_US: Final = 5 * 60 * 1_000_000
"""For so long a challenge is good; the person may have to look for the device."""
_MAX_TICKET_CHARS: Final = 100
Purpose = Literal["enter", "prove", "add"]


class PasskeyError(Exception):
    """A passkey was not taken; ``reason`` is ``late``, ``wrong``, ``unknown``, ``copied``, ``known`` or ``many``.

    No answer of the protocol's.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the passkey was not taken: {reason}")
        self.reason = reason


class Challenges:
    """Challenges of which nothing is kept but which ones were used.

    A challenge is a MAC over a ticket that the browser carries; so no number of strangers who ask for one can push
    out that of the person.
    """

    def __init__(self, ambient: Ambient) -> None:
        self._ambient, self._key = ambient, ambient.random_bytes(32)
        self._used: dict[str, int] = {}

    def new(self, purpose: Purpose, session: str) -> tuple[str, bytes]:
        """Return a ticket, and the challenge of 32 bytes that belongs to it; session is "" for a stranger."""
        until_us = self._ambient.clock.now_us() + CHALLENGE_US
        ticket = f"{until_us}.{self._ambient.new_token()}"
        return ticket, self._challenge(ticket, purpose, session)

    def of(self, ticket: str, purpose: Purpose, session: str) -> bytes:
        """Return the challenge that belongs to a ticket. Raises PasskeyError if it is past or was used."""
        until, _, _ = ticket.partition(".")
        late = not until.isascii() or not until.isdigit() or len(ticket) > _MAX_TICKET_CHARS
        if late or ticket in self._used or self._ambient.clock.now_us() >= int(until):
            raise PasskeyError("late")
        return self._challenge(ticket, purpose, session)

    def use_up(self, ticket: str) -> None:
        """Have a ticket, of which the answer was true, be good no more."""
        now_us = self._ambient.clock.now_us()
        self._used = {one: until for one, until in self._used.items() if until > now_us}
        self._used[ticket] = int(ticket.partition(".")[0])

    def _challenge(self, ticket: str, purpose: Purpose, session: str) -> bytes:
        return hmac.digest(self._key, f"{purpose}\0{session}\0{ticket}".encode(), "sha256")
