"""The inbox: an invitation goes out, a request comes in, the person decides, the vendor learns of it.

Spec: specs/requests.md
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from functools import partial
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.did_document import DidKeys
from freehold_protocol.encoding import Document, base64url_encode, parse_document
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    FreeholdError,
    NotFoundError,
    TransitionError,
)
from freehold_protocol.grant import Grant, draft_grant
from freehold_protocol.keys import PublicKey
from freehold_protocol.request import Request

from .ambient import Ambient
from .changes import commit_approval
from .connecting import CODE_US, carried, check_not_carried, digest_of, new_code, opens, read_posted, way_back
from .drafts import Choice, check_zones, keep_draft, seen_draft
from .foreign import Foreign
from .known_keys import pinned_keys
from .person_keys import PersonKeys
from .store.rows import InvitationRow, RelationshipRow, RequestRow, Standing
from .store.store import Store, Transactor
from .vendor_keys import VendorKeys

_US: Final = 1_000_000
INVITATION_US: Final = 7 * 86_400 * _US
"""An invitation that was not used in a week was forgotten, or lost to somebody."""
_MAX_WAITING: Final = 1000


class Inbox:
    """Invitations and requests of one owner, up to the decision."""

    def __init__(
        self,
        store: Store,
        keys: PersonKeys,
        ambient: Ambient,
        *,
        owner: str,
        origins: tuple[str, ...],
        foreign: Foreign,
        vendor_keys: VendorKeys,
    ) -> None:
        """Act for an owner at a store; new grants can be invoked at origins; foreign verifies what vendors sign."""
        self._store, self._keys, self._ambient = store, keys, ambient
        self._owner, self._origins = owner, origins
        self._foreign, self._vendor_keys = foreign, vendor_keys
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    async def invite(self, label: str) -> InvitationRow:
        """Mint an invitation: an unguessable path that a vendor can ask at, once."""
        now_us = self._ambient.clock.now_us()
        row = InvitationRow(
            id=base64url_encode(self._ambient.random_bytes(24)),
            created_us=now_us,
            expires_us=now_us + INVITATION_US,
            label=label,
            request=None,
        )

        def write(tx: Transactor) -> None:
            tx.add_invitation(self._owner, row)
            self._log(tx, "invite", row.id[:8], now_us)

        await self._store.write(write)
        return row

    async def receive(self, invitation: str, document: Document) -> RequestRow:
        """Take in a request that came to an invitation; the same request again changes nothing.

        Raises:
            NotFoundError: There is no such invitation, it is used or too old.
            FreeholdError: The request is not one that could be shown for approval; its code says why.
        """
        now_us = self._ambient.clock.now_us()
        row = await self._store.read(lambda reader: reader.invitation(self._owner, invitation))
        if row is None or now_us >= row.expires_us:
            raise NotFoundError("nothing here")
        try:
            request = Request.from_dict(document)
            check_not_carried(request)
        except FreeholdError:
            if row.request is not None:  # used: for anyone else it does not exist
                raise NotFoundError("nothing here") from None
            raise
        found = None if row.request is not None else await self._verify(request, now_us // _US)

        def write(tx: Transactor) -> RequestRow:
            return self._take_in(tx, invitation, request, found, now_us)

        return await self._store.write(write)

    def posted(self, body: bytes) -> Request:
        """Return the request in a form that a vendor's page sent; raises as ``connecting.read_posted``."""
        return read_posted(body, now_s=self._ambient.clock.now_s())

    async def receive_connect(self, document: Document) -> RequestRow:
        """Take in a request that the person's browser carried; the same request again changes nothing.

        Raises:
            MalformedError: And its subclasses: it is not one, or is for an invitation.
            FreeholdError: Others, as receive.
        """
        now_us = self._ambient.clock.now_us()
        request = Request.from_dict(document)
        carried(request)
        known = await self._store.read(lambda reader: reader.carried_request(self._owner, request.cid))
        if known is not None:  # its CID is of all that was verified
            return known
        found = await self._verify(request, now_us // _US)

        def write(tx: Transactor) -> RequestRow:
            known = tx.carried_request(self._owner, request.cid)
            if known is not None:  # twice at the same time
                return known
            made = self._add(tx, request, found, now_us)
            self._log(tx, "take-in", made.id, now_us)
            return made

        return await self._store.write(write)

    async def _verify(self, request: Request, now_s: int) -> DidKeys | None:
        """Verify a request; return the keys of its vendor's document, None for a did:key."""
        request.check_times(now_s=now_s)  # what is wrong by itself is worth no look at a document
        check_zones(request.permissions)
        found = await self._vendor_keys.at_request(request)
        key_of = PublicKey.from_method if found is None else partial(found.key, use="assertionMethod")
        verified = await self._foreign.verify(request.document, key_of=request.own(key_of))
        request.check_signed(verified, now_s=now_s)
        return found

    def _take_in(
        self, tx: Transactor, invitation: str, request: Request, found: DidKeys | None, now_us: int
    ) -> RequestRow:
        row = tx.invitation(self._owner, invitation)
        if row is not None and row.request is not None:
            known = tx.request(self._owner, row.request)
            if known is not None and known.cid == request.cid:
                return known
            raise NotFoundError("nothing here")  # used: for anyone else it does not exist
        made = self._add(tx, request, found, now_us)
        if not tx.use_invitation(self._owner, invitation, made.id):
            raise NotFoundError("nothing here")
        return made

    def _add(self, tx: Transactor, request: Request, found: DidKeys | None, now_us: int) -> RequestRow:
        """Add a request that waits, with a relationship of its own."""
        if len(tx.requests(self._owner, status="waiting")) >= _MAX_WAITING:
            raise ConflictError("too many requests wait for this person's decision")
        relationship = RelationshipRow(
            id=self._ambient.new_uuid(), vendor=request.vendor, name=request.vendor_name, key_epoch=0
        )
        made = RequestRow(
            id=self._ambient.new_uuid(),
            relationship=relationship.id,
            cid=request.cid,
            status="waiting",
            received_us=now_us,
            decided_us=None,
            grant=None,
            reason=None,
            document=jcs(request.document),
            carried=request.connect is not None,
        )
        tx.add_relationship(self._owner, relationship, created_us=now_us)
        if found is not None:
            tx.pin_vendor_keys(self._owner, relationship.id, found.text)
        tx.add_request(self._owner, made)
        return made

    async def check_asked(self, request_id: str, vendor: str) -> None:
        """Check that it is the request of the vendor with this DID. Raises NotFoundError."""
        row = await self._request(request_id)
        if Request.from_dict(parse_document(row.document)).vendor != vendor:
            raise NotFoundError("nothing here")

    async def follow(self, request_id: str, *, wait_s: float, code: str | None = None) -> RequestRow:
        """Return a request when its decision may be told or the wait is over.

        Args:
            request_id: The request.
            wait_s: How long to wait for that.
            code: As the person's browser brought it; the right one claims an approval, and any other is none.

        Raises:
            NotFoundError: There is no such request.
        """
        row = await self._claimed(request_id, code)
        if row.is_told or wait_s <= 0:
            return row
        decided = asyncio.Event()
        self._waiting[request_id].add(decided)
        try:
            row = await self._claimed(request_id, code)  # decided between the look and the wait
            if not row.is_told:
                with suppress(TimeoutError):
                    await asyncio.wait_for(decided.wait(), wait_s)
                row = await self._request(request_id)
        finally:
            self._waiting[request_id].discard(decided)
            if not self._waiting[request_id]:
                del self._waiting[request_id]
        return row

    async def _claimed(self, request_id: str, code: str | None) -> RequestRow:
        """Return a request, claimed now if this is its code."""
        row = await self._request(request_id)
        now_us = self._ambient.clock.now_us()
        if row.is_told or not opens(row, code, now_us=now_us):
            return row

        def write(tx: Transactor) -> None:
            known = tx.request(self._owner, request_id)
            if known is not None and opens(known, code, now_us=now_us):
                tx.claim(self._owner, request_id, now_us=now_us)

        await self._store.write(write)
        self.wake(request_id)
        return await self._request(request_id)

    async def send_back(self, request_id: str) -> str:
        """Return where the person's browser goes with the decision; the code in it is good in place of any before.

        Raises:
            NotFoundError: There is no such request.
            TransitionError: No browser carried it, it is not decided, or the vendor was told already.
        """
        code, now_us = new_code(self._ambient), self._ambient.clock.now_us()

        def write(tx: Transactor) -> str:
            row = tx.request(self._owner, request_id)
            if row is None:
                raise NotFoundError("no such request")
            if not row.carried or row.status == "waiting" or row.claimed_us is not None:
                raise TransitionError("there is nothing to go back with")
            is_given = tx.set_code(self._owner, request_id, digest_of(code), until_us=now_us + CODE_US)
            self._log(tx, "send-back", request_id, now_us)
            where = f"{self._origins[0]}/requests/{request_id}"
            request = Request.from_dict(parse_document(row.document))
            return way_back(request, where=where, code=code if is_given else None)

        return await self._store.write(write)

    def wake(self, request_id: str) -> None:
        """Answer everyone who waits for the decision on a request."""
        for decided in self._waiting.get(request_id, ()):
            decided.set()

    def let_go(self) -> None:
        """Answer everyone who waits for a decision: the node stops."""
        for request_id in self._waiting:
            self.wake(request_id)

    async def _request(self, request_id: str) -> RequestRow:
        row = await self._store.read(lambda reader: reader.request(self._owner, request_id))
        if row is None:
            raise NotFoundError("nothing here")
        return row

    # Decisions

    async def draft_approval(self, request_id: str, choice: Choice) -> Grant:
        """Draw up what approving would grant, for the person to see.

        Raises:
            NotFoundError: There is no such request.
            TransitionError: It is decided already.
            WidenedError: The choice is more than was asked.
            MalformedError: It names a time zone that does not exist.
        """
        check_zones(choice.permissions)
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> Grant:
            row = self._undecided(tx, request_id)
            relationship = tx.relationship(self._owner, row.relationship)
            if relationship is None:
                raise NotFoundError("no such relationship")
            keys = self._keys.of(relationship.id, relationship.key_epoch)
            request = Request.from_dict(parse_document(row.document))
            pinned = pinned_keys(tx.vendor_keys(self._owner, relationship.id))
            draft = draft_grant(
                request,
                grant_id=self._ambient.new_uuid(),
                nonce=self._ambient.new_token(),
                decision_key=keys.decision.public,
                serving_key=keys.serving.public,
                origins=self._origins,
                log="freehold/ledger/" + self._ambient.new_token(),
                created_s=now_us // _US,
                not_before_s=now_us // _US if choice.not_before_s is None else choice.not_before_s,
                expires_s=request.expires_s if choice.expires_s is None else choice.expires_s,
                permissions=choice.permissions,
                vendor_key=None if pinned is None else pinned.key(request.method, use="assertionMethod"),
            )
            keep_draft(tx, self._owner, draft, subject=request_id, change="approve", now_us=now_us)
            return draft

        return await self._store.write(write)

    async def approve(self, request_id: str, digest: str) -> Grant:
        """Grant exactly the draft of that digest.

        Raises:
            DraftChangedError: No such draft of this request was shown.
            TransitionError: The request is decided already.
        """
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> tuple[Grant, bool]:
            row = self._undecided(tx, request_id)
            relationship = tx.relationship(self._owner, row.relationship)
            draft, _ = seen_draft(tx, self._owner, subject=request_id, digest=digest, now_us=now_us)
            if relationship is None or draft.expires_s * _US <= now_us:
                raise DraftChangedError("the end of what would be granted has passed")
            grant = draft.signed(self._keys.of(relationship.id, relationship.key_epoch).decision)
            standing = Standing(
                owner=self._owner, grant=grant.id, relationship=relationship.id, request=request_id,
                version=1, epoch=1, state="live",
                not_before_us=grant.not_before_s * _US, expires_us=grant.expires_s * _US,
                revocations=0, log_size=0, log_range=b"", log_time_us=0, read_us=None,
                vendor=relationship.vendor, name=relationship.name, key_epoch=relationship.key_epoch,
                records_version=0, self_record=None,
            )  # fmt: skip
            commit_approval(tx, standing, grant, now_us=now_us, ambient=self._ambient)
            tx.decide_request(
                self._owner, request_id, status="approved", decided_us=now_us, grant=grant.id, reason=None
            )
            tx.drop_drafts(self._owner, subject=request_id)
            self._log(tx, "approve", grant.id, now_us)
            return grant, row.carried

        grant, is_carried = await self._store.write(write)
        if not is_carried:  # of that the vendor learns with the code
            self.wake(request_id)
        return grant

    async def refuse(self, request_id: str, reason: str | None) -> None:
        """Refuse a request. Raises NotFoundError or TransitionError."""
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> None:
            self._undecided(tx, request_id)
            tx.decide_request(
                self._owner, request_id, status="refused", decided_us=now_us, grant=None, reason=reason
            )
            tx.drop_drafts(self._owner, subject=request_id)
            self._log(tx, "refuse", request_id, now_us)

        await self._store.write(write)
        self.wake(request_id)

    def _undecided(self, tx: Transactor, request_id: str) -> RequestRow:
        row = tx.request(self._owner, request_id)
        if row is None:
            raise NotFoundError("no such request")
        if row.status != "waiting":
            raise TransitionError(f"the request is {row.status} already")
        return row

    def _log(self, tx: Transactor, action: str, subject: str, now_us: int) -> None:
        tx.log_action(self._owner, time_us=now_us, action=action, subject=subject)
