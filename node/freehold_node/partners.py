"""Meet a partner: at first sight of a key that is no recipient itself, the documents of those that have one are read.

This is done before a decision, never in it. What was found is pinned, and the decision looks at that alone.

Spec: specs/identity.md#pinned-keys
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Final

from freehold_protocol.did_document import DidKeys, is_web
from freehold_protocol.errors import DidUnavailableError
from freehold_protocol.keys import PublicKey
from freehold_protocol.permission import Permission

from .ambient import Clock
from .known_keys import no_recipients
from .resolver import PAUSE_S, Resolver
from .store.rows import Standing
from .store.store import Reader, Store, Transactor

_US: Final = 1_000_000
_MOST_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """Keys that nobody knows in a chain under a grant, and the recipients whose they may be."""

    owner: str
    grant: str
    keys: tuple[PublicKey, ...]
    dids: tuple[str, ...]


def unmet(
    reader: Reader, standing: Standing, permission: Permission, partners: tuple[PublicKey, ...]
) -> Unmet | None:
    """Return whom to look up before deciding on a chain; None where nobody is unknown, or nobody can be asked."""
    keys = no_recipients(reader, standing, permission.recipients, partners)
    if not keys:
        return None
    revoked = reader.revoked(standing.owner, standing.grant) if standing.revocations else frozenset()
    dids = tuple(one for one in permission.recipients if is_web(one) and one not in revoked)
    return Unmet(owner=standing.owner, grant=standing.grant, keys=keys, dids=dids) if dids else None


class Partners:
    """Looks up partners, each at most once in a while."""

    def __init__(self, store: Store, resolver: Resolver, clock: Clock) -> None:
        """Pin in a store what a resolver finds."""
        self._store, self._resolver, self._clock = store, resolver, clock
        self._under_way: dict[tuple[str, str], asyncio.Task[DidKeys | None]] = {}
        self._looked_us: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def meet(self, who: Unmet) -> None:
        """Pin the recipients whose documents list one of the keys; whoever cannot be asked stays unknown."""
        found = await asyncio.gather(*(self._keys(who.grant, did) for did in who.dids))
        theirs = [one for one in found if one is not None and any(map(one.controls, who.keys))]
        if theirs:
            await self._store.write(partial(self._pin, who=who, found=theirs))

    async def _keys(self, grant: str, did: str) -> DidKeys | None:
        """Return the keys of a DID; None where it was looked at for this grant only just, or cannot be had."""
        place = grant, did
        task = self._under_way.get(place)
        if task is None:
            if self._clock.now_us() < self._looked_us.get(place, 0):
                return None
            task = self._under_way[place] = asyncio.create_task(self._look(place))
            task.add_done_callback(lambda _: self._under_way.pop(place, None))
        return await asyncio.shield(task)  # whoever goes away takes nobody's answer along

    async def _look(self, place: tuple[str, str]) -> DidKeys | None:
        try:
            found = await self._resolver.keys(place[1])
        except DidUnavailableError:
            return None
        self._looked_us[place] = self._clock.now_us() + PAUSE_S * _US
        self._looked_us.move_to_end(place)
        if len(self._looked_us) > _MOST_REMEMBERED:
            self._looked_us.popitem(last=False)
        return found

    def _pin(self, tx: Transactor, *, who: Unmet, found: list[DidKeys]) -> None:
        known = {row.did: row for row in tx.partner_keys(who.owner, who.grant)}
        revoked = tx.revoked(who.owner, who.grant)
        for keys in found:
            row = known.get(keys.did)
            if keys.did in revoked:
                continue  # cut off while we looked
            if row is None:
                tx.pin_partner_keys(who.owner, who.grant, keys.did, keys.text, seen_us=self._clock.now_us())
            elif keys.text == row.pinned:
                tx.offer_partner_keys(who.owner, who.grant, keys.did, "")
            elif keys.text != row.offered:
                # Keys that it has lost count no more from here on; the new ones wait for the person's word.
                tx.offer_partner_keys(who.owner, who.grant, keys.did, keys.text)
                tx.bump_epoch(who.owner, who.grant)
