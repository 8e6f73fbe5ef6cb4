"""The life of a relationship after the approval: change, expiry, end.

Spec: specs/grants.md
"""

from __future__ import annotations

from functools import partial
from typing import Final

from freehold_protocol import limits
from freehold_protocol.capability import Capability, delegate
from freehold_protocol.did_document import is_web
from freehold_protocol.encoding import parse_document
from freehold_protocol.errors import (
    DraftChangedError,
    EndedError,
    GrantExpiredError,
    MalformedError,
    NotFoundError,
    PausedError,
    TransitionError,
)
from freehold_protocol.grant import TRANSITIONS, Change, Grant, check_asked, narrows
from freehold_protocol.keys import PublicKey
from freehold_protocol.request import Request

from .ambient import Ambient
from .changes import check_standing, commit_change, expire, standing_grant
from .condition import NO_CONDITION, Condition
from .drafts import DRAFT_US, Choice, check_zones, keep_draft, seen_draft
from .holder import Signer
from .known_keys import check_accepted, controller_for
from .ledger import append_changed, close_refusals
from .person_keys import PersonKeys
from .reach import first_of
from .rotation import commit_rotation, draft_rotation
from .shown import in_view
from .store.rows import DraftRow, RecordRow, RequestRow, Standing
from .store.store import Reader, Store, Transactor
from .view import Views

_US: Final = 1_000_000
_LINKS_SHOWN_US: Final = 90 * 86_400 * _US
"""How long the person still sees a link to a partner that has expired."""
CLOCK_SUSPECT: Final = "clock_suspect"
"""Setting: not empty while the clock waits for the owner's confirmation."""


class Relations:
    """The grants of one owner, from the approval on."""

    def __init__(
        self,
        store: Store,
        keys: PersonKeys,
        ambient: Ambient,
        *,
        owner: str,
        origins: tuple[str, ...],
        views: Views,
    ) -> None:
        """Act for an owner at a store; origins are the node's own, views are told whose keys changed."""
        self._store, self._keys, self._ambient, self._owner = store, keys, ambient, owner
        self._origins, self._views = origins, views

    async def draft_change(
        self, grant_id: str, change: Change, choice: Choice | None, *, condition: Condition = NO_CONDITION
    ) -> Grant:
        """Draw up the next version of a grant, for the person to see.

        Raises:
            NotFoundError: There is no such grant.
            PreconditionError: The condition, on the CID of the standing version, does not hold.
            TransitionError: The change is not possible as the grant stands.
            WidenedError: More than was asked, or a narrowing that adds.
            MalformedError: A time zone that does not exist, or a widening that only narrows.
        """
        if change in ("approve", "expire"):
            raise TransitionError(f"{change!r} is not something to change a grant by")
        check_zones(choice.permissions if choice else ())
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> Grant:
            standing = self._standing(tx, grant_id)
            check_standing(tx, standing, condition)
            if change == "resume":
                check_accepted(tx, standing)
            grant = standing_grant(tx, standing)
            draft = self._draft(standing, grant, change, choice, now_us)
            request = tx.request(self._owner, standing.request)
            if request is None:
                raise NotFoundError("no such request")
            check_asked(draft, Request.from_dict(parse_document(request.document)))
            if change == "widen" and narrows(draft, grant):
                raise MalformedError("this only narrows the grant")
            keep_draft(tx, self._owner, draft, subject=grant_id, change=change, now_us=now_us)
            return draft

        return await self._store.write(write)

    def _draft(
        self, standing: Standing, grant: Grant, change: Change, choice: Choice | None, now_us: int
    ) -> Grant:
        nonce = self._ambient.new_token()
        if change == "rotate":
            return draft_rotation(standing, grant, keys=self._keys, nonce=nonce, now_us=now_us)
        return grant.changed(
            change,
            nonce=nonce,
            created_s=now_us // _US,
            permissions=choice.permissions if choice else None,
            expires_s=choice.expires_s if choice else None,
        )

    async def needs_passphrase(
        self, grant_id: str, digest: str, *, condition: Condition = NO_CONDITION
    ) -> bool:
        """Whether carrying out this draft takes a fresh proof of the passphrase.

        The condition is looked at here too, so that whoever comes second is told that, and not that the draft is
        gone; what decides is the look of ``change``.

        Raises:
            NotFoundError: There is no such grant.
            PreconditionError: The condition does not hold.
            DraftChangedError: No such draft of this grant was shown.
        """

        def look(reader: Reader) -> DraftRow | None:
            check_standing(reader, self._standing(reader, grant_id), condition)
            return reader.draft(self._owner, digest)

        row = await self._store.read(look)
        if row is None or row.subject != grant_id:
            raise DraftChangedError("what was approved is not what would be granted: look at it again")
        return any(rule.fresh for change, rule in TRANSITIONS.items() if change == row.change)

    async def change(self, grant_id: str, digest: str, *, condition: Condition = NO_CONDITION) -> Grant:
        """Carry out exactly the draft of that digest; when this returns, it binds every later read.

        Raises:
            NotFoundError: There is no such grant.
            PreconditionError: The condition, on the CID of the standing version, does not hold.
            DraftChangedError: No such draft of this grant was shown.
            ConflictError: The grant changed since.
        """
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> tuple[Grant, list[str]]:
            standing = self._standing(tx, grant_id)
            check_standing(tx, standing, condition)
            draft, change = seen_draft(tx, self._owner, subject=grant_id, digest=digest, now_us=now_us)
            over = min(draft.expires_s * _US, standing.expires_us) <= now_us
            if change in ("widen", "resume", "rotate") and over:
                raise TransitionError("the grant's time is over")
            if change == "resume":  # drawn up before the keys changed, perhaps
                check_accepted(tx, standing)
            if change == "rotate":
                grant, changed = commit_rotation(
                    tx, standing, draft, keys=self._keys, now_us=now_us, ambient=self._ambient
                )
            else:
                grant, changed = (
                    commit_change(
                        tx,
                        standing,
                        draft,
                        change=change,
                        keys=self._keys,
                        now_us=now_us,
                        ambient=self._ambient,
                    ),
                    list[str](),
                )
            self._log(tx, change, grant_id, now_us)
            return grant, changed

        grant, rotated = await self._store.write(write)
        for one in rotated:
            self._views.forget(one)
        return grant

    # Deletion and time

    def record_goes(self, tx: Transactor, row: RecordRow, now_us: int) -> None:
        """Make every view stale that shows a record which is about to be deleted; others are told nothing."""
        for standing in tx.standings(self._owner):
            if standing.state not in ("live", "paused"):
                continue
            grant = standing_grant(tx, standing)
            if in_view(tx, standing, grant, row):
                tx.bump_epoch(self._owner, standing.grant)
                append_changed(
                    tx, self._owner, grant, change="record-deleted", now_us=now_us,
                    random_bytes=self._ambient.random_bytes,
                )  # fmt: skip

    async def tick(self) -> int:
        """Commit what time has brought: expiries that are due, refusals of hours that are over.

        Returns how many grants expired. Nothing expires while the clock is suspect.
        """
        if self._ambient.clock.suspect:
            # Written down, so that no restart takes the owner's confirmation for granted.
            await self._store.write(lambda tx: tx.set_setting(CLOCK_SUSPECT, "1"))
            return 0
        now_us = self._ambient.clock.now_us()

        def sweep(tx: Transactor) -> None:
            close_refusals(tx, self._owner, now_us=now_us, random_bytes=self._ambient.random_bytes)
            tx.purge_nonces(self._owner, now_us=now_us)
            tx.drop_drafts(self._owner, before_us=now_us - DRAFT_US)
            tx.drop_links(self._owner, before_us=now_us - _LINKS_SHOWN_US)

        await self._store.write(sweep)
        due = await self._store.read(lambda reader: reader.due(self._owner, now_us))
        for one in due:  # each by itself: what is wrong with one keeps no other alive
            await self._store.write(partial(self._expire, grant_id=one.grant, now_us=now_us))
        return len(due)

    def _expire(self, tx: Transactor, *, grant_id: str, now_us: int) -> None:
        standing = self._standing(tx, grant_id)
        if standing.state in ("live", "paused"):  # a read may have come first
            expire(tx, standing, keys=self._keys, now_us=now_us, ambient=self._ambient)

    async def confirm_clock(self) -> int:
        """Trust the wall clock as it stands, by the owner's word; returns it in microseconds."""
        now_us = self._ambient.clock.confirm()

        def write(tx: Transactor) -> None:
            tx.set_setting(CLOCK_SUSPECT, "")
            self._log(tx, "confirm-clock", "", now_us)

        await self._store.write(write)
        return now_us

    # Capabilities

    async def issue_first(self, row: RequestRow, signer: Signer) -> Capability | None:
        """Return the capability that comes with an approved request; None where it takes a renewal.

        It ends a week after the vendor's DID document was looked at, as one that is renewed does: else a key that the
        document has lost since could go on for ever by following the request.

        Raises:
            NotFoundError: The request is not approved.
            GrantError: As issue.
        """
        if row.grant is None:
            raise NotFoundError("no such grant")
        if not is_web(signer.did):
            return await self.issue(row.grant)
        until_s = row.received_us // _US + limits.CAPABILITY_DAYS * 86_400
        if self._ambient.clock.now_s() >= until_s:
            return None
        return await self.issue(row.grant, key=signer.key, until_s=until_s)

    async def issue(
        self, grant_id: str, *, key: PublicKey | None = None, until_s: int | None = None
    ) -> Capability:
        """Return a fresh capability for the vendor, from the grant as it stands.

        Args:
            grant_id: The grant.
            key: Whose it is to be, if that is one of the vendor's; it has several only with a DID document.
            until_s: When it ends at the latest.

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
        ends_s = min(grant.expires_s, now_s + limits.CAPABILITY_DAYS * 86_400)
        return delegate(
            keys.serving,
            capability_id="urn:uuid:" + self._ambient.new_uuid(),
            controller=controller_for(standing, key),
            target=f"{first_of(self._origins, standing, grant)}/g/{grant_id}",
            actions=("read",),
            created_s=now_s,
            expires_s=ends_s if until_s is None else min(ends_s, until_s),
            generation=self._keys.generation_tag(standing.relationship, standing.key_epoch),
        )

    def _standing(self, reader: Reader, grant_id: str) -> Standing:
        standing = reader.standing(self._owner, grant_id)
        if standing is None:
            raise NotFoundError("no such grant")
        return standing

    def _log(self, tx: Transactor, action: str, subject: str, now_us: int) -> None:
        tx.log_action(self._owner, time_us=now_us, action=action, subject=subject)
