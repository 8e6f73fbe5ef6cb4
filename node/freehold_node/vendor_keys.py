"""The keys of vendors with a DID document: fetched at a request and at renewal, pinned, changed by the person's word.

Whose domain it is today may be another's tomorrow. So what was pinned when the person decided counts until they
accept something else; what a document says in the meantime only stops things.

Spec: specs/identity.md#pinned-keys
"""

from __future__ import annotations

import hashlib
from functools import partial

from freehold_protocol.did_document import USES, DidKeys, is_web
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import DraftChangedError, NotFoundError, TransitionError, UnsupportedError
from freehold_protocol.request import Request

from .ambient import Ambient
from .changes import check_standing, commit_change, expire, standing_grant
from .condition import NO_CONDITION, Condition
from .known_keys import parsed, pinned_keys
from .ledger import append_changed
from .person_keys import PersonKeys
from .resolver import Resolver
from .store.rows import KeysRow, Standing
from .store.store import Reader, Store, Transactor

_US = 1_000_000
ACCEPTED = "vendor-keys"
"""What the ledger calls it that the person accepted other keys."""


class VendorKeys:
    """Keys of vendors, and of partners, of one owner's grants."""

    def __init__(
        self, store: Store, keys: PersonKeys, ambient: Ambient, resolver: Resolver, *, owner: str
    ) -> None:
        """Act for an owner at a store; resolver fetches documents."""
        self._store, self._keys, self._ambient = store, keys, ambient
        self._resolver, self._owner = resolver, owner

    # Fetching

    async def at_request(self, request: Request) -> DidKeys | None:
        """Return the keys by which a request is verified, as its vendor's document lists them now; None: a did:key.

        Raises:
            SignatureError: Its proof is by another DID, so nothing is fetched.
            UnsupportedError: The document lists no key for something that a vendor must sign.
            DidUnavailableError: The document cannot be had.
        """
        if not is_web(request.vendor):
            return None
        _ = request.method  # is the vendor's own, or nothing is fetched
        found = await self._resolver.keys(request.vendor)
        for use in USES[:3]:  # who does not delegate needs no key for it
            if not found.uses[use]:
                raise UnsupportedError(f"the vendor's DID document lists no Ed25519 key for {use}")
        return found

    async def at_renewal(self, grant_id: str) -> DidKeys | None:
        """Return the keys of a grant's vendor as its document lists them now; None where there is none to look at.

        That is a did:key, and a grant that is over.

        Raises:
            NotFoundError: There is no such grant.
            DidUnavailableError: The document cannot be had; nothing was changed.
        """
        standing = await self._store.read(partial(self._standing, grant_id=grant_id))
        if not is_web(standing.vendor) or standing.state in ("ended", "expired"):
            return None
        return await self._resolver.keys(standing.vendor)

    # What is pinned

    async def of_request(self, request_id: str) -> DidKeys | None:
        """Return the pinned keys of the vendor who made a request; None: a did:key, or no such request."""

        def look(reader: Reader) -> DidKeys | None:
            row = reader.request(self._owner, request_id)
            return None if row is None else pinned_keys(reader.vendor_keys(self._owner, row.relationship))

        return await self._store.read(look)

    async def of_grant(self, grant_id: str) -> DidKeys | None:
        """Return the pinned keys of a grant's vendor; None: a did:key, or no such grant."""

        def look(reader: Reader) -> DidKeys | None:
            standing = reader.standing(self._owner, grant_id)
            return parsed(standing.vendor_keys) if standing is not None and standing.vendor_keys else None

        return await self._store.read(look)

    # Changes

    async def compare(self, grant_id: str, found: DidKeys) -> None:
        """Compare what the vendor's document lists now with what is pinned.

        Where it differs, every live grant of the relationship is paused, in one transaction, and what was found
        waits for the person's word. Where it is as pinned, what waited is forgotten.
        """

        def look(reader: Reader) -> bool:
            row = self._row(reader, self._standing(reader, grant_id))
            return (row.pinned, row.offered) != (found.text, "")

        if await self._store.read(look):
            await self._store.write(partial(self._compare, grant_id=grant_id, found=found.text))

    def _compare(self, tx: Transactor, *, grant_id: str, found: str) -> None:
        standing = self._standing(tx, grant_id)
        row = self._row(tx, standing)
        differs = found != row.pinned
        tx.offer_vendor_keys(self._owner, standing.relationship, found if differs else "")
        if not differs:
            return
        now_us = self._ambient.clock.now_us()
        paused = [one for one in self._siblings(tx, standing) if one.state == "live"]
        for one in paused:
            self._pause(tx, one, now_us)
        if paused:
            tx.log_action(self._owner, time_us=now_us, action="keys-changed", subject=grant_id)

    def _siblings(self, tx: Transactor, standing: Standing) -> list[Standing]:
        return [one for one in tx.standings(self._owner) if one.relationship == standing.relationship]

    def _pause(self, tx: Transactor, standing: Standing, now_us: int) -> None:
        if now_us >= standing.expires_us:
            expire(tx, standing, keys=self._keys, now_us=now_us, ambient=self._ambient)
            return
        draft = standing_grant(tx, standing).changed(
            "pause", nonce=self._ambient.new_token(), created_s=now_us // _US
        )
        commit_change(
            tx, standing, draft, change="pause", keys=self._keys, now_us=now_us, ambient=self._ambient
        )

    # The person's word

    async def listed(self, grant_id: str) -> list[Document]:
        """Return whose keys are pinned under a grant, the vendor first, and what waits for the person's word."""

        def look(reader: Reader) -> list[Document]:
            standing = self._standing(reader, grant_id)
            rows = [self._row(reader, standing), *reader.partner_keys(self._owner, grant_id)]
            return [_shown(row) for row in rows if row.pinned]

        return await self._store.read(look)

    async def accept(self, grant_id: str, digest: str, *, condition: Condition = NO_CONDITION) -> str:
        """Pin the keys that were offered, exactly those of that digest; returns whose they are.

        Capabilities of keys that are not among them are dead when this returns.

        Raises:
            NotFoundError: There is no such grant.
            PreconditionError: The condition, on the CID of the standing version, does not hold.
            TransitionError: Nothing is offered.
            DraftChangedError: Something else is.
        """

        def write(tx: Transactor) -> str:
            standing = self._standing(tx, grant_id)
            check_standing(tx, standing, condition)
            rows = [self._row(tx, standing), *tx.partner_keys(self._owner, grant_id)]
            offered = [row for row in rows if row.offered]
            if not offered:
                raise TransitionError("there are no new keys to accept")
            row = next((row for row in offered if _digest(row.offered) == digest), None)
            if row is None:
                raise DraftChangedError("what was accepted is not what is offered now: look at it again")
            self._accept(tx, standing, row)
            return row.did

        return await self._store.write(write)

    def _accept(self, tx: Transactor, standing: Standing, row: KeysRow) -> None:
        now_us = self._ambient.clock.now_us()
        if row.did == standing.vendor:
            tx.pin_vendor_keys(self._owner, standing.relationship, row.offered)
            concerned = self._siblings(tx, standing)
        else:
            tx.pin_partner_keys(self._owner, standing.grant, row.did, row.offered, seen_us=now_us)
            concerned = [standing]
        for one in concerned:
            if one.state in ("live", "paused"):
                tx.bump_epoch(self._owner, one.grant)
                append_changed(
                    tx, self._owner, standing_grant(tx, one), change=ACCEPTED, now_us=now_us,
                    random_bytes=self._ambient.random_bytes,
                )  # fmt: skip
        tx.log_action(self._owner, time_us=now_us, action="accept-keys", subject=standing.grant)

    def _standing(self, reader: Reader, grant_id: str) -> Standing:
        standing = reader.standing(self._owner, grant_id)
        if standing is None:
            raise NotFoundError("no such grant")
        return standing

    def _row(self, reader: Reader, standing: Standing) -> KeysRow:
        row = reader.vendor_keys(self._owner, standing.relationship)
        if row is None:
            raise NotFoundError("no such relationship")
        return row


def _shown(row: KeysRow) -> Document:
    shown: Document = {"id": row.did, "keys": _uses(row.pinned)}
    if row.offered:
        shown |= {"offered": _uses(row.offered), "digest": _digest(row.offered)}
    return shown


def _uses(text: str) -> list[Document]:
    """Return each key and what it is listed for."""
    keys = parsed(text)
    return [
        {"id": key.did, "uses": [use for use in USES if key in keys.uses[use].values()]}
        for key in sorted(keys.all, key=lambda key: key.did)
    ]


def _digest(text: str) -> str:
    return base64url_encode(hashlib.sha256(text.encode()).digest())
