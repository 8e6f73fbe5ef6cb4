"""Taking access back: one partner, one capability, one permission, one vendor, or everything.

Whatever is taken back is taken in one transaction, durable before anyone is told that it is done, and binds every
later read. Nothing here gives: no draft has to be seen for it.

Spec: specs/grants.md#revocation
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from freehold_protocol import form
from freehold_protocol.delegation import Chain
from freehold_protocol.errors import ConflictError, MalformedError, NotFoundError, NotSharedError
from freehold_protocol.grant import Change

from .ambient import Ambient
from .changes import check_standing, commit_change, standing_grant
from .condition import NO_CONDITION, Condition
from .known_keys import every_key
from .ledger import append_changed
from .person_keys import PersonKeys
from .store.rows import Standing
from .store.store import Reader, Store, Transactor

_US: Final = 1_000_000
_MOST_RENOUNCED: Final = 1000
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_STANDING: Final = ("live", "paused")


class Revocations:
    """Takes back what one owner gave."""

    def __init__(
        self, store: Store, keys: PersonKeys, ambient: Ambient, *, owner: str, wake: Callable[[str], None]
    ) -> None:
        """Act for an owner at a store; wake tells whoever waits for the decision on a request."""
        self._store, self._keys, self._ambient = store, keys, ambient
        self._owner, self._wake = owner, wake

    # Within a grant

    async def partner(self, grant_id: str, partner: str, *, condition: Condition = NO_CONDITION) -> bool:
        """Cut off a partner, and whatever it delegated; False if it was cut off before.

        Raises:
            NotFoundError: There is no such grant.
            PreconditionError: The condition, on the CID of the standing version, does not hold.
            MalformedError: It is the vendor itself.
        """

        def write(tx: Transactor) -> bool:
            standing = self._standing(tx, grant_id)
            check_standing(tx, standing, condition)
            if standing.vendor == partner:
                raise MalformedError("this is the vendor itself: end the grant instead")
            keys = (row for row in tx.partner_keys(self._owner, grant_id) if row.did == partner)
            theirs = (key.did for row in keys for key in every_key(row))
            return self._revoke(tx, grant_id, partner, seen_by=(partner, *theirs))

        return await self._store.write(write)

    async def capability(self, grant_id: str, name: str, *, condition: Condition = NO_CONDITION) -> bool:
        """Revoke a capability, by the person's word; False if it was revoked before.

        Args:
            grant_id: The grant it is under.
            name: Its revocation digest, or its id. An id is the delegator's choice, so only the person may go by
                it: to stop one that was never shown to the node.
            condition: On the CID of the grant's standing version.

        Raises:
            NotFoundError: There is no such grant.
            PreconditionError: As for a partner.
            MalformedError: The name is neither.
        """
        if not _DIGEST.match(name):
            form.urn_uuid(name, "capability")

        def write(tx: Transactor) -> bool:
            check_standing(tx, self._standing(tx, grant_id), condition)
            link = tx.link(self._owner, grant_id, name)
            return self._revoke(tx, grant_id, name, seen_by=(link.branch,) if link else ())

        return await self._store.write(write)

    async def renounce(self, grant_id: str, chain: Chain) -> bool:
        """Revoke a capability at the wish of a controller in its chain; False if it was dead before.

        Raises:
            ConflictError: There are too many revocations under this grant already.
        """
        controllers = tuple(key.did for key in chain.controllers)

        def write(tx: Transactor) -> bool:
            standing = self._standing(tx, grant_id)
            revoked = tx.revoked(self._owner, grant_id)
            tag = self._keys.generation_tag(standing.relationship, standing.key_epoch)
            dead = not revoked.isdisjoint((*chain.digests, *controllers))
            if dead or chain.generation != tag or self._now_us() >= chain.expires_s * _US:
                return False
            if standing.revocations >= _MOST_RENOUNCED:
                raise ConflictError("too much was revoked under this grant; ask the person to end it")
            return self._revoke(tx, grant_id, chain.digests[-1], seen_by=controllers)

        return await self._store.write(write)

    async def permission(self, grant_id: str, name: str, *, condition: Condition = NO_CONDITION) -> str:
        """Take one permission out of a grant; with its only one, the grant ends. Returns its state.

        Raises:
            NotFoundError: There is no such grant.
            PreconditionError: As for a partner.
            NotSharedError: The grant gives no such permission.
            TransitionError: The grant is over.
        """

        def write(tx: Transactor) -> str:
            standing = self._standing(tx, grant_id)
            check_standing(tx, standing, condition)
            given = standing_grant(tx, standing).permissions
            kept = tuple(one for one in given if one.name != name)
            if len(kept) == len(given):
                raise NotSharedError("this permission is not shared")
            if not kept:
                return self._take_back(tx, standing, "end")
            draft = standing_grant(tx, standing).changed(
                "narrow", nonce=self._ambient.new_token(), created_s=self._now_us() // _US, permissions=kept
            )
            now_us = self._now_us()
            commit_change(
                tx, standing, draft, change="narrow", keys=self._keys, now_us=now_us, ambient=self._ambient
            )
            self._log(tx, "narrow", grant_id)
            return draft.state

        return await self._store.write(write)

    # Across grants

    async def vendor(self, vendor: str) -> tuple[str, ...]:
        """End every grant of a vendor and refuse what it waits for; returns the grants that ended.

        Raises:
            NotFoundError: There is nothing of this vendor.
        """

        def write(tx: Transactor) -> tuple[tuple[str, ...], tuple[str, ...]]:
            known = [one for one in tx.standings(self._owner) if one.vendor == vendor]
            refused = self._refuse_waiting(tx, vendor=vendor)
            if not known and not refused:
                raise NotFoundError("nothing was asked or granted under this name")
            self._log(tx, "revoke-vendor", vendor)
            return self._end(tx, known), refused

        ended, refused = await self._store.write(write)
        self._tell(refused)
        return ended

    async def everything(self) -> tuple[str, ...]:
        """End every grant, refuse every request that waits, close every invitation; returns what ended."""

        def write(tx: Transactor) -> tuple[tuple[str, ...], tuple[str, ...]]:
            self._log(tx, "revoke-everything", "")
            tx.close_invitations(self._owner, now_us=self._now_us())
            return self._end(tx, tx.standings(self._owner)), self._refuse_waiting(tx)

        ended, refused = await self._store.write(write)
        self._tell(refused)
        return ended

    def _end(self, tx: Transactor, standings: Iterable[Standing]) -> tuple[str, ...]:
        over = [one for one in standings if one.state in _STANDING]
        for standing in over:
            self._take_back(tx, standing, "end")
        return tuple(one.grant for one in over)

    def _refuse_waiting(self, tx: Transactor, *, vendor: str | None = None) -> tuple[str, ...]:
        refused = []
        for row in tx.requests(self._owner, status="waiting"):
            relationship = tx.relationship(self._owner, row.relationship)
            if vendor is None or (relationship is not None and relationship.vendor == vendor):
                tx.decide_request(
                    self._owner, row.id, status="refused", decided_us=self._now_us(), grant=None, reason=None
                )
                tx.drop_drafts(self._owner, subject=row.id)
                refused.append(row.id)
        return tuple(refused)

    def _tell(self, requests: Iterable[str]) -> None:
        for request in requests:
            self._wake(request)

    # One step of each

    def _take_back(self, tx: Transactor, standing: Standing, change: Change) -> str:
        now_us = self._now_us()
        draft = standing_grant(tx, standing).changed(
            change, nonce=self._ambient.new_token(), created_s=now_us // _US
        )
        commit_change(
            tx, standing, draft, change=change, keys=self._keys, now_us=now_us, ambient=self._ambient
        )
        self._log(tx, change, standing.grant)
        return draft.state

    def _revoke(self, tx: Transactor, grant_id: str, revoked: str, *, seen_by: tuple[str, ...]) -> bool:
        self._standing(tx, grant_id)
        self._log(tx, "revoke", grant_id)
        now_us = self._now_us()
        if not tx.revoke(self._owner, grant_id, revoked, now_us=now_us):
            return False
        append_changed(
            tx, self._owner, standing_grant(tx, self._standing(tx, grant_id)), change="revoke", now_us=now_us,
            random_bytes=self._ambient.random_bytes, revoked=revoked, also_seen_by=seen_by,
        )  # fmt: skip
        return True

    def _standing(self, reader: Reader, grant_id: str) -> Standing:
        standing = reader.standing(self._owner, grant_id)
        if standing is None:
            raise NotFoundError("no such grant")
        return standing

    def _now_us(self) -> int:
        return self._ambient.clock.now_us()

    def _log(self, tx: Transactor, action: str, subject: str) -> None:
        tx.log_action(self._owner, time_us=self._now_us(), action=action, subject=subject)
