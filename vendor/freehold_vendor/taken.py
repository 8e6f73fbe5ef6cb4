"""The accesses that were taken up: one for each thing that is held, so that all who use it follow one ledger."""

from __future__ import annotations

import asyncio

from .access import Access, Verify
from .held import Held
from .holder import Holder, Outside


class Taken:
    """Makes accesses, once each."""

    def __init__(self, outside: Outside, *, verify: Verify) -> None:
        self._outside, self._verify = outside, verify
        self._accesses: dict[str, Access] = {}
        self._one_at_a_time = asyncio.Lock()

    def known(self, key: str) -> Access | None:
        """Return the access to what is held under a key, if it was taken up already."""
        return self._accesses.get(key)

    async def take_up(self, held: Held) -> Access:
        """Keep what came, and return the access to it; what is known already is not set back."""
        async with self._one_at_a_time:
            if held.key not in self._accesses:
                await self._outside.keeping.save(held)
            return self.access_to(held)

    def access_to(self, held: Held) -> Access:
        """Return the access to what is kept already."""
        if held.key not in self._accesses:
            self._accesses[held.key] = Access(Holder(self._outside, held), verify=self._verify)
        return self._accesses[held.key]
