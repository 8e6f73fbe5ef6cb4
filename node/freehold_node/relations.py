"""The life of a relationship: invitation, request, decision, change, end.

What a person decides is always a draft they have seen: it is drawn up, kept under its digest, shown, and only
a decision that names that digest is carried out.

Spec: specs/requests.md, specs/grants.md
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import Capability, delegate
from freehold_protocol.encoding import Document, base64url_encode, parse_document
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    EndedError,
    GrantExpiredError,
    MalformedError,
    NotFoundError,
    PausedError,
    TransitionError,
)
from freehold_protocol.grant import TRANSITIONS, Change, Grant, check_asked, draft_grant, narrows
from freehold_protocol.keys import PublicKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request

from .ambient import Ambient
from .changes import commit_approval, commit_change, expire, grant_of, standing_grant
from .ledger import append_changed, close_refusals
from .person_keys import PersonKeys
from .store.rows import (
    DraftRow,
    InvitationRow,
    RecordRow,
    RelationshipRow,
    RequestRow,
    Standing,
)
from .store.store import Reader, Store, Transactor
from .view import in_view

_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _US
INVITATION_US: Final = 7 * _DAY_US
"""An invitation that was not used in a week was forgotten, or lost to somebody."""
_DRAFT_US: Final = 3_600 * _US
_MAX_WAITING: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person ticks on a request, or leaves of a grant.

    Attributes:
        permissions: As the person would have them, each within what was asked.
        expires_s: The end; None: as asked, or as it stands.
        not_before_s: The beginning; None: at once. Only for a request.
    """

    permissions: tuple[Permission, ...]
    expires_s: int | None = None
    not_before_s: int | None = None


class Relations:
    """What the person and their vendors do to each other, for one owner."""

    def __init__(
        self, store: Store, keys: PersonKeys, ambient: Ambient, *, owner: str, origins: tuple[str, ...]
    ) -> None:
        """Act for an owner at a store; new grants can be invoked at origins."""
        self._store, self._keys, self._ambient = store, keys, ambient
        self._owner, self._origins = owner, origins
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    # Invitations and requests

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
        request = Request.from_dict(document)
        if row.request is None:
            request.verify(now_s=now_us // _US)
            _check_zones(request.permissions)

        def write(tx: Transactor) -> RequestRow:
            return self._take_in(tx, invitation, request, now_us)

        return await self._store.write(write)

    def _take_in(self, tx: Transactor, invitation: str, request: Request, now_us: int) -> RequestRow:
        row = tx.invitation(self._owner, invitation)
        if row is not None and row.request is not None:
            known = tx.request(self._owner, row.request)
            if known is not None and known.cid == request.cid:
                return known
            raise NotFoundError("nothing here")  # used: for anyone else it does not exist
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
        )
        tx.add_relationship(self._owner, relationship, created_us=now_us)
        tx.add_request(self._owner, made)
        if not tx.use_invitation(self._owner, invitation, made.id):
            raise NotFoundError("nothing here")
        return made

    async def check_asked(self, request_id: str, vendor: PublicKey) -> None:
        """Check that it is this vendor's request. Raises NotFoundError."""
        row = await self._request(request_id)
        if Request.from_dict(parse_document(row.document)).vendor != vendor.did:
            raise NotFoundError("nothing here")

    async def follow(self, request_id: str, *, wait_s: float) -> RequestRow:
        """Return a request when it is decided or the wait is over.

        Raises:
            NotFoundError: There is no such request.
        """
        row = await self._request(request_id)
        if row.status != "waiting" or wait_s <= 0:
            return row
        decided = asyncio.Event()
        self._waiting[request_id].add(decided)
        try:
            row = await self._request(request_id)  # decided between the look and the wait
            if row.status == "waiting":
                with suppress(TimeoutError):
                    await asyncio.wait_for(decided.wait(), wait_s)
                row = await self._request(request_id)
        finally:
            self._waiting[request_id].discard(decided)
            if not self._waiting[request_id]:
                del self._waiting[request_id]
        return row

    def _wake(self, request_id: str) -> None:
        for decided in self._waiting.get(request_id, ()):
            decided.set()

    def let_go(self) -> None:
        """Answer everyone who waits for a decision: the node stops."""
        for request_id in self._waiting:
            self._wake(request_id)

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
        _check_zones(choice.permissions)
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> Grant:
            row = tx.request(self._owner, request_id)
            if row is None:
                raise NotFoundError("no such request")
            _check_waiting(row)
            relationship = tx.relationship(self._owner, row.relationship)
            if relationship is None:
                raise NotFoundError("no such relationship")
            keys = self._keys.of(relationship.id, relationship.key_epoch)
            request = Request.from_dict(parse_document(row.document))
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
            )
            self._keep_draft(tx, draft, subject=request_id, change="approve", now_us=now_us)
            return draft

        return await self._store.write(write)

    async def approve(self, request_id: str, digest: str) -> Grant:
        """Grant exactly the draft of that digest.

        Raises:
            DraftChangedError: No such draft of this request was shown.
            TransitionError: The request is decided already.
        """
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> Grant:
            row = tx.request(self._owner, request_id)
            if row is None:
                raise NotFoundError("no such request")
            _check_waiting(row)
            relationship = tx.relationship(self._owner, row.relationship)
            draft, _ = self._seen_draft(tx, request_id, digest, now_us)
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
            return grant

        grant = await self._store.write(write)
        self._wake(request_id)
        return grant

    async def refuse(self, request_id: str, reason: str | None) -> None:
        """Refuse a request. Raises NotFoundError or TransitionError."""
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> None:
            row = tx.request(self._owner, request_id)
            if row is None:
                raise NotFoundError("no such request")
            _check_waiting(row)
            tx.decide_request(
                self._owner, request_id, status="refused", decided_us=now_us, grant=None, reason=reason
            )
            tx.drop_drafts(self._owner, subject=request_id)
            self._log(tx, "refuse", request_id, now_us)

        await self._store.write(write)
        self._wake(request_id)

    async def draft_change(self, grant_id: str, change: Change, choice: Choice | None) -> Grant:
        """Draw up the next version of a grant, for the person to see.

        Raises:
            NotFoundError: There is no such grant.
            TransitionError: The change is not possible as the grant stands.
            WidenedError: More than was asked, or a narrowing that adds.
            MalformedError: A time zone that does not exist, or a widening that only narrows.
        """
        if change in ("approve", "expire"):
            raise TransitionError(f"{change!r} is not something to change a grant by")
        _check_zones(choice.permissions if choice else ())
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> Grant:
            standing = self._standing(tx, grant_id)
            grant = standing_grant(tx, standing)
            draft = grant.changed(
                change,
                nonce=self._ambient.new_token(),
                created_s=now_us // _US,
                permissions=choice.permissions if choice else None,
                expires_s=choice.expires_s if choice else None,
            )
            request = tx.request(self._owner, standing.request)
            if request is None:
                raise NotFoundError("no such request")
            check_asked(draft, Request.from_dict(parse_document(request.document)))
            if change == "widen" and narrows(draft, grant):
                raise MalformedError("this only narrows the grant")
            self._keep_draft(tx, draft, subject=grant_id, change=change, now_us=now_us)
            return draft

        return await self._store.write(write)

    async def needs_passphrase(self, grant_id: str, digest: str) -> bool:
        """Whether carrying out this draft takes a fresh proof of the passphrase. Raises DraftChangedError."""
        row = await self._store.read(lambda reader: reader.draft(self._owner, digest))
        if row is None or row.subject != grant_id:
            raise DraftChangedError("what was approved is not what would be granted: look at it again")
        return any(rule.fresh for change, rule in TRANSITIONS.items() if change == row.change)

    async def change(self, grant_id: str, digest: str) -> Grant:
        """Carry out exactly the draft of that digest; when this returns, it binds every later read.

        Raises:
            DraftChangedError: No such draft of this grant was shown.
            ConflictError: The grant changed since.
        """
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> Grant:
            standing = self._standing(tx, grant_id)
            draft, change = self._seen_draft(tx, grant_id, digest, now_us)
            if change in ("widen", "resume") and draft.expires_s * _US <= now_us:
                raise TransitionError("the grant's time is over")
            grant = commit_change(
                tx, standing, draft, change=change, keys=self._keys, now_us=now_us, ambient=self._ambient
            )
            tx.drop_drafts(self._owner, subject=grant_id)
            self._log(tx, change, grant_id, now_us)
            return grant

        return await self._store.write(write)

    def _keep_draft(self, tx: Transactor, draft: Grant, *, subject: str, change: Change, now_us: int) -> None:
        tx.drop_drafts(self._owner, before_us=now_us - _DRAFT_US)
        tx.add_draft(
            self._owner,
            DraftRow(
                digest=draft.digest, subject=subject, change=change, created_us=now_us,
                document=jcs(draft.document),
            ),
        )  # fmt: skip

    def _seen_draft(self, tx: Transactor, subject: str, digest: str, now_us: int) -> tuple[Grant, Change]:
        row = tx.draft(self._owner, digest)
        if row is None or row.subject != subject or row.created_us < now_us - _DRAFT_US:
            raise DraftChangedError("what was approved is not what would be granted: look at it again")
        draft = Grant.from_dict(parse_document(row.document))
        if draft.digest != digest:
            raise DraftChangedError("the draft kept under this digest is another")
        return draft, next(change for change in TRANSITIONS if change == row.change)

    # Revocation and time

    async def revoke_partner(self, grant_id: str, partner: str) -> bool:
        """Cut off a partner within a grant, and whatever it delegated; False if it was cut off before."""

        def write(tx: Transactor) -> bool:
            self._standing(tx, grant_id)
            now_us = self._ambient.clock.now_us()
            self._log(tx, "revoke", grant_id, now_us)
            return self._revoke(tx, grant_id, partner, seen_by=(partner,), now_us=now_us)

        return await self._store.write(write)

    async def revoke_capability(self, grant_id: str, digest: str, *, seen_by: tuple[str, ...]) -> bool:
        """Revoke a capability, and whatever was delegated under it, by its revocation key."""

        def write(tx: Transactor) -> bool:
            self._standing(tx, grant_id)
            now_us = self._ambient.clock.now_us()
            return self._revoke(tx, grant_id, digest, seen_by=seen_by, now_us=now_us)

        return await self._store.write(write)

    def _revoke(
        self, tx: Transactor, grant_id: str, revoked: str, *, seen_by: tuple[str, ...], now_us: int
    ) -> bool:
        if not tx.revoke(self._owner, grant_id, revoked, now_us=now_us):
            return False
        self._changed(tx, grant_id, "revoke", now_us, revoked=revoked, seen_by=seen_by)
        return True

    def record_goes(self, tx: Transactor, row: RecordRow, now_us: int) -> None:
        """Make every view stale that shows a record which is about to be deleted; others are told nothing."""
        for standing in tx.standings(self._owner):
            if standing.state not in ("live", "paused"):
                continue
            grant = standing_grant(tx, standing)
            if in_view(tx, standing, grant, row):
                tx.bump_epoch(self._owner, standing.grant)
                self._changed(tx, standing.grant, "record-deleted", now_us)

    def _changed(
        self,
        tx: Transactor,
        grant_id: str,
        change: str,
        now_us: int,
        *,
        revoked: str | None = None,
        seen_by: tuple[str, ...] = (),
    ) -> None:
        grant = standing_grant(tx, self._standing(tx, grant_id))
        append_changed(
            tx, self._owner, grant, change=change, now_us=now_us,
            random_bytes=self._ambient.random_bytes, revoked=revoked, also_seen_by=seen_by,
        )  # fmt: skip

    async def tick(self) -> int:
        """Commit what time has brought: expiries that are due, refusals of hours that are over.

        Returns how many grants expired. Nothing expires while the clock is suspect.
        """
        if self._ambient.clock.suspect:
            return 0
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> int:
            due = tx.due(self._owner, now_us)
            for standing in due:
                expire(tx, standing, keys=self._keys, now_us=now_us, ambient=self._ambient)
            close_refusals(tx, self._owner, now_us=now_us, random_bytes=self._ambient.random_bytes)
            tx.purge_nonces(self._owner, now_us=now_us)
            tx.drop_drafts(self._owner, before_us=now_us - _DRAFT_US)
            return len(due)

        return await self._store.write(write)

    async def confirm_clock(self) -> int:
        """Trust the wall clock as it stands, by the owner's word; returns it in microseconds."""
        now_us = self._ambient.clock.confirm()
        await self._store.write(lambda tx: self._log(tx, "confirm-clock", "", now_us))
        return now_us

    # Capabilities

    async def issue(self, grant_id: str) -> Capability:
        """Return a fresh capability for the vendor, from the grant as it stands.

        Raises:
            PausedError: The grant is paused; the vendor may ask again.
            EndedError: The relationship has ended.
            GrantExpiredError: The grant's time is over.
        """
        standing, grant = await self._store.read(
            lambda reader: (
                standing := self._standing(reader, grant_id),
                standing_grant(reader, standing),
            )
        )
        now_s = self._ambient.clock.now_s()
        if standing.state == "paused":
            raise PausedError("the grant is paused")
        if standing.state == "ended":
            raise EndedError("the relationship has ended")
        if standing.state == "expired" or now_s >= grant.expires_s:
            raise GrantExpiredError("the grant's time is over")
        keys = self._keys.of(standing.relationship, standing.key_epoch)
        return delegate(
            keys.serving,
            capability_id="urn:uuid:" + self._ambient.new_uuid(),
            controller=PublicKey.from_did(grant.vendor),
            target=f"{grant.origins[0]}/g/{grant_id}",
            actions=("read",),
            created_s=now_s,
            expires_s=min(grant.expires_s, now_s + limits.CAPABILITY_DAYS * 86_400),
            generation=self._keys.generation_tag(standing.relationship, standing.key_epoch),
        )

    async def receipt_parts(self, grant_id: str) -> tuple[Request, list[Grant]]:
        """Return the request and every version of the grant that answers it."""

        def look(reader: Reader) -> tuple[Request, list[Grant]]:
            standing = self._standing(reader, grant_id)
            row = reader.request(self._owner, standing.request)
            if row is None:
                raise NotFoundError("no such request")
            versions = [grant_of(version) for version in reader.versions(self._owner, grant_id)]
            return Request.from_dict(parse_document(row.document)), versions

        return await self._store.read(look)

    def _standing(self, reader: Reader, grant_id: str) -> Standing:
        standing = reader.standing(self._owner, grant_id)
        if standing is None:
            raise NotFoundError("no such grant")
        return standing

    def _log(self, tx: Transactor, action: str, subject: str, now_us: int) -> None:
        tx.log_action(self._owner, time_us=now_us, action=action, subject=subject)


def _check_waiting(row: RequestRow) -> None:
    if row.status != "waiting":
        raise TransitionError(f"the request is {row.status} already")


def _check_zones(permissions: Iterable[Permission]) -> None:
    for permission in permissions:
        if permission.limits.hours is not None:
            try:
                ZoneInfo(permission.limits.hours.time_zone)
            except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
                raise MalformedError("no such time zone") from None
