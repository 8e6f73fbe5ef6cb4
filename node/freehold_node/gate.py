"""The one place that says yes.

A read passes here in this order: who holds what (``Prover.holder``), what it would show (``_look``), and the
durable decision that it may (``_decide``). Until ``_decide`` has committed, no byte of a view leaves; after it,
nothing is asked again.

Spec: specs/http.md#admission
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from freehold_protocol import limits
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.entry import Admitted
from freehold_protocol.errors import (
    CapabilityError,
    ClockSuspectError,
    ConflictError,
    ControllerError,
    EndedError,
    FreeholdError,
    GrantError,
    GrantExpiredError,
    LimitReachedError,
    NotAuthenticatedError,
    NotFoundError,
    NotSharedError,
    NotYetError,
    OutsideHoursError,
    PausedError,
    ReplayedError,
    RevokedError,
    StaleSignatureError,
    UnavailableError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.invocation import TAG_DID, TAG_OWNER, SignedMessage
from freehold_protocol.keys import PublicKey
from freehold_protocol.ledger import query_digest, released_digest
from freehold_protocol.permission import Hours, Permission

from .ambient import Ambient
from .changes import expire
from .holder import Call, Holder, Prover
from .ledger import entry_time_us, note_refusal, prepare
from .person_keys import PersonKeys
from .reach import origins_of
from .store.rows import Standing
from .store.store import Reader, Store, Transactor
from .versions import Versions
from .view import Selection, View, Views, make_view

_US: Final = 1_000_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A read that may pass, durably: the number of its entry, and the grant and the view that stood then."""

    number: int
    version: Grant
    view: View
    unchanged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One read on its way: who asks, for what, by which route; ``known_etag`` is its ``If-None-Match``."""

    holder: Holder
    selection: Selection
    route: str
    known_etag: str | None


class Gate:
    """Decides on every request that is not open to everyone."""

    def __init__(
        self,
        store: Store,
        keys: PersonKeys,
        ambient: Ambient,
        *,
        origins: tuple[str, ...],
        owner_key: PublicKey,
        views: Views,
        restored_s: int = 0,
    ) -> None:
        """Stand at a store.

        Args:
            store: Holds the grants.
            keys: The person's.
            ambient: Clock and randomness.
            origins: The node's own, at which it can be reached.
            owner_key: The session key by which the owner's own tools sign.
            views: Remembers what was shown; whoever deletes a record empties it.
            restored_s: When the store was taken up after a restore, Unix seconds; 0 if it never was.
        """
        self._store, self._keys, self._ambient = store, keys, ambient
        self._owner_key, self._restored_s = owner_key, restored_s
        self._versions, self._views = Versions(), views
        self._prover = Prover(store, self._versions, ambient.clock, origins=origins, keys=keys)

    # A read

    async def admit(
        self, call: Call, *, grant: str, selection: Selection, route: str, known_etag: str | None = None
    ) -> Admission:
        """Admit one read, or refuse it; either is in the ledger when this returns or raises.

        Args:
            call: The request.
            grant: The id in its path.
            selection: What it asks for.
            route: The template of its path, for the ledger.
            known_etag: ``If-None-Match``.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses.
            GrantError: And its subclasses.
            NotFoundError: The caller is a stranger here, or no such record is shown.
            UnavailableError: And its subclasses: the decision could not be made durable.
        """
        holder = await self._prover.holder(call, grant=grant)
        read = Read(holder=holder, selection=selection, route=route, known_etag=known_etag)
        seen = await self._look(read)
        admission = await self._decided(lambda tx: self._decide(tx, read, seen))
        self._views.keep(grant, selection, admission.view)
        self._versions.keep(admission.version)
        return admission

    async def _decided(self, work: Callable[[Transactor], T | FreeholdError]) -> T:
        """Run a decision in the writer; a refusal is an outcome that is committed, then raised."""
        outcome = await self._store.write(work)
        if isinstance(outcome, FreeholdError):
            raise outcome
        return outcome

    async def _look(self, read: Read) -> View | None:
        """Return the view as of some snapshot; None where the decision has to find out why there is none.

        One that was made before is good enough if it is quick to make again: the decision compares it with
        what stands, and makes it anew if it must. A long one is compared here first, beside the writer.
        """
        holder, selection = read.holder, read.selection
        known = self._views.known(holder.grant, selection)
        if known is not None and not known.long:
            return known

        def look(reader: Reader, *, long: bool) -> View | None:
            now_us = self._ambient.clock.now_us()
            standing = reader.standing(holder.owner, holder.grant)
            if standing is None or (known is not None and known.stands(standing)):
                return known
            version = self._versions.standing(reader, standing, committed=True)
            # Who will be refused anyway costs no look at the records.
            self._check_holder(reader, standing, holder)
            _check_live(standing, now_us)
            holder.chain.check_now(now_us // _US)
            permission = _check_permission(version, holder, selection.permission)
            if long or not any(item.about == "any" for item in permission.items):
                return self._show(reader, standing, version, selection)
            raise _LongLookError

        try:
            try:
                return await self._store.read(partial(look, long=False))
            except _LongLookError:
                return await self._store.read(partial(look, long=True), long=True)
        except (GrantError, CapabilityError, NotFoundError):
            return None

    def _show(self, reader: Reader, standing: Standing, version: Grant, selection: Selection) -> View:
        keys = self._keys.of(standing.relationship, standing.key_epoch)
        return make_view(reader, standing, version, selection, keys)

    def _decide(self, tx: Transactor, read: Read, seen: View | None) -> Admission | FreeholdError:
        """Decide within the writer's transaction: admit with an entry, or count a refusal."""
        if self._ambient.clock.suspect:
            raise ClockSuspectError("the node's clock jumped; its owner has to confirm it")
        now_us = self._ambient.clock.now_us()
        holder, selection = read.holder, read.selection
        standing, version = self._stands(tx, holder)
        self._use_nonce(tx, holder.owner, holder.invocation)
        try:
            self._check_holder(tx, standing, holder)
            # A capability ends with its grant at the latest: the grant's end is the reason, and is committed.
            self._check_state(tx, standing, now_us)
            holder.chain.check_now(now_us // _US)
            permission = _check_permission(version, holder, selection.permission)
            _check_limits(tx, standing, permission, now_us)
            # What was seen may have been narrowed or edited since: then look again, where nothing can change.
            view = seen if seen and seen.stands(standing) else self._show(tx, standing, version, selection)
        except (GrantError, CapabilityError, NotFoundError) as refusal:
            self._refuse(tx, holder, version, refusal, selection.permission, now_us)
            return refusal
        number = self._write_down(tx, standing, read, view, now_us)
        if permission.limits.reads is not None or permission.limits.rate is not None:
            tx.count_read(standing.owner, standing.grant, permission.name)
        unchanged = view.etag == read.known_etag
        return Admission(number=number, version=version, view=view, unchanged=unchanged)

    def _check_state(self, tx: Transactor, standing: Standing, now_us: int) -> None:
        """Refuse unless the grant is live now; an expiry that is due is committed here and now."""
        if standing.state in ("live", "paused") and now_us >= standing.expires_us:
            expire(tx, standing, keys=self._keys, now_us=now_us, ambient=self._ambient)
        _check_live(standing, now_us)

    def _write_down(self, tx: Transactor, standing: Standing, read: Read, view: View, now_us: int) -> int:
        """Append the admitted entry under the one conditional update that orders reads and revocations."""
        salt = self._ambient.random_bytes(limits.SALT_BYTES)
        time_us = entry_time_us(standing, now_us)
        holder, selection = read.holder, read.selection
        entry = Admitted(
            number=standing.log_size,
            time_s=time_us // _US,
            who=holder.did,
            chain=holder.chain.digests,
            action=holder.invocation.action,
            permission=selection.permission,
            route=read.route,
            method=holder.invocation.method,
            fields=view.released.fields,
            query=query_digest(salt, selection.query) if selection.query else None,
            count=view.released.count,
            version=standing.version,
            signature=base64url_encode(holder.invocation.signature_digest),
            released=released_digest(salt, view.released.canonical),
            status=304 if view.etag == read.known_etag else 200,
        )
        made = prepare(
            standing, entry, salt=salt, time_us=time_us,
            seen_by=holder.controllers, permission=selection.permission,
        )  # fmt: skip
        if not tx.admit(standing, made.head, now_us=now_us):
            raise ConflictError("the grant changed while this read was decided")
        tx.add_entry(standing.owner, standing.grant, made.row, made.nodes)
        return standing.log_size

    # What has to be asked every time

    def _stands(self, tx: Transactor, holder: Holder) -> tuple[Standing, Grant]:
        standing = tx.standing(holder.owner, holder.grant)
        if standing is None:
            raise NotFoundError("nothing here")
        version = self._versions.standing(tx, standing, committed=False)
        if holder.origin not in origins_of(standing, version):
            raise NotFoundError("nothing here")
        return standing, version

    def _check_holder(self, reader: Reader, standing: Standing, holder: Holder) -> None:
        """Check what no memory of a chain can tell but the clock's part of it.

        That is this request's target and action, the person's keys, the node's generation, and revocation.
        """
        chain, invocation = holder.chain, holder.invocation
        chain.leaf.check_use(target_uri=holder.target_uri, action=invocation.action)
        if holder.root_key != self._keys.of(standing.relationship, standing.key_epoch).serving.public:
            raise RevokedError("the capability was issued under keys that were given up")
        if chain.generation != self._keys.generation_tag(standing.relationship, standing.key_epoch):
            raise RevokedError("the capability is of an earlier generation of this node")
        if standing.revocations:
            revoked = reader.revoked(standing.owner, standing.grant)
            if not revoked.isdisjoint(chain.digests) or not revoked.isdisjoint(holder.controllers):
                raise RevokedError("the capability was revoked")

    def _refuse(
        self,
        tx: Transactor,
        holder: Holder,
        version: Grant,
        refusal: FreeholdError,
        permission: str | None,
        now_us: int,
    ) -> None:
        # Read again: an expiry may have been committed on the way here.
        standing = tx.standing(holder.owner, holder.grant)
        if standing is not None:
            note_refusal(
                tx,
                standing,
                who=holder.did,
                chain=holder.chain.digests,
                controllers=holder.controllers,
                known=holder.did in _partners(version),
                code=refusal.code,
                permission=permission if permission and version.permission(permission) else None,
                now_us=now_us,
                random_bytes=self._ambient.random_bytes,
            )

    def _use_nonce(
        self, tx: Transactor, owner: str, message: SignedMessage, *, until_least_s: int = 0
    ) -> None:
        digest = hashlib.sha256(message.keyid.encode() + b"\0" + message.nonce.encode()).digest()
        expires_us = max(message.expires_s + limits.CLOCK_SKEW_S, until_least_s) * _US
        # Its nonce may be forgotten by now, if the message was long on its way from being parsed to here.
        if self._ambient.clock.now_us() >= expires_us:
            raise StaleSignatureError("the signature is past")
        if not tx.use_nonce(owner, digest[:16], expires_us=expires_us):
            raise ReplayedError("this signed request came before")
        self._check_since_restore(message)

    def _check_since_restore(self, message: SignedMessage) -> None:
        """Refuse what was signed before a restore: that it came before, the database has forgotten.

        The owner's messages are by a key of this start.
        """
        created_s = message.signature.created or 0
        if created_s <= self._restored_s + limits.CLOCK_SKEW_S and message.key != self._owner_key:
            raise UnavailableError("the node was restored from a backup: ask again, signed anew, in a minute")

    # The other doors

    async def enter(self, call: Call, *, grant: str) -> Holder:
        """Let in the holder of a capability, in whatever state the grant is, for what is no admission.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses: the chain does not hold, expired or was revoked.
            NotFoundError: There is no such grant for this caller.
        """
        holder = await self._prover.holder(call, grant=grant)

        def check(tx: Transactor) -> Holder | FreeholdError:
            now_us = self._ambient.clock.now_us()
            standing, version = self._stands(tx, holder)
            self._use_nonce(tx, holder.owner, holder.invocation)
            try:
                self._check_holder(tx, standing, holder)
                holder.chain.check_now(now_us // _US)
            except CapabilityError as refusal:
                self._refuse(tx, holder, version, refusal, None, now_us)
                return refusal
            return holder

        return await self._decided(check)

    def signer(self, call: Call) -> SignedMessage:
        """Return a request under no capability that its ``key`` signed.

        Whoever finds that this key has a say here spends the message before doing as it asks: a stranger's is
        not written down.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
        """
        return self._prover.signer(call, tag=TAG_DID)

    async def spend(self, message: SignedMessage, *, owner: str) -> None:
        """Use up a message's nonce with this owner.

        Raises:
            ReplayedError: The message came before.
        """
        await self._store.write(lambda tx: self._use_nonce(tx, owner, message))

    def names_owner(self, signature_input: str) -> bool:
        """Whether a message says that the owner's own tools signed it, before it is known to be so."""
        return self._owner_key.method in signature_input

    async def owner(self, call: Call, *, owner: str) -> None:
        """Check that the owner's own tools signed a request.

        Raises:
            NotAuthenticatedError: They did not.
            ReplayedError: The request came before.
        """
        try:
            message = self._prover.signer(call, tag=TAG_OWNER)
        except FreeholdError as error:
            raise NotAuthenticatedError(f"not signed by the owner's session key ({error.code})") from error
        if message.key != self._owner_key:
            raise NotAuthenticatedError("not signed by the owner's session key")
        # Its times are the wall clock's. Should that stand behind the node's, the nonce is kept no shorter.
        least_s = self._ambient.clock.now_s() + limits.MAX_SIGNATURE_LIFETIME_S + 2 * limits.CLOCK_SKEW_S
        await self._store.write(lambda tx: self._use_nonce(tx, owner, message, until_least_s=least_s))


class _LongLookError(Exception):
    """A view takes time with the number of records, so it is made beside the event loop."""


def _check_live(standing: Standing, now_us: int) -> None:
    """Refuse unless the grant is live now."""
    if standing.state == "ended":
        raise EndedError("the relationship has ended")
    if standing.state == "expired" or now_us >= standing.expires_us:
        raise GrantExpiredError("the grant's time is over")
    if standing.state == "paused":
        raise PausedError("the grant is paused")
    if now_us < standing.not_before_us:
        raise NotYetError("the grant's time has not begun")


def _check_permission(version: Grant, holder: Holder, name: str) -> Permission:
    """Return the permission, if the grant gives it and everyone in the chain may have it."""
    permission = version.permission(name)
    if permission is None:
        raise NotSharedError("this permission is not shared")
    for partner in holder.controllers[1:]:
        if partner not in permission.recipients:
            raise ControllerError("a link's controller is not among the permission's recipients")
    return permission


def _partners(version: Grant) -> set[str]:
    return {version.vendor, *(one for given in version.permissions for one in given.recipients)}


def _check_limits(tx: Transactor, standing: Standing, permission: Permission, now_us: int) -> None:
    limit = permission.limits
    if limit.hours is not None and not _in_hours(limit.hours, now_us):
        raise OutsideHoursError("the person allows reads at other days or hours")
    if limit.reads is None and limit.rate is None:
        return
    most, seconds = limit.rate or (0, 0)
    ever, lately = tx.reads(standing.owner, standing.grant, permission.name, now_us - seconds * _US)
    if limit.reads is not None and ever >= limit.reads:
        raise LimitReachedError("the agreed number of reads is used up")
    if limit.rate is not None and lately >= most:
        raise LimitReachedError("the agreed number of reads for this time is used up")


def _in_hours(hours: Hours, now_us: int) -> bool:
    local = datetime.fromtimestamp(now_us // _US, UTC).astimezone(ZoneInfo(hours.time_zone))
    return hours.contain(weekday=local.weekday(), minute=local.hour * 60 + local.minute)
