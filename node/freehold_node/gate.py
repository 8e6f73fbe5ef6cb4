"""The one place that says yes.

A read passes here in this order: who signs (``_prove``), under which grant (``holder``), what it would show
(``admit``), and the durable decision that it may (``_decide``). Until ``_decide`` has committed, no byte of a
view leaves; after it, nothing is asked again.

Spec: specs/http.md#admission
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from freehold_protocol import limits
from freehold_protocol.capability import Capability, from_wire
from freehold_protocol.delegation import Chain, check_links, verify_chain, verify_root_link
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
    SignatureError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.invocation import (
    TAG_DID,
    TAG_OWNER,
    Invocation,
    SignedMessage,
    parse_invocation,
    parse_signed,
)
from freehold_protocol.keys import PublicKey
from freehold_protocol.ledger import query_digest, released_digest
from freehold_protocol.permission import Hours, Permission

from .ambient import Ambient
from .changes import expire, standing_grant
from .ledger import entry_time_us, note_refusal, prepare
from .person_keys import PersonKeys
from .store.rows import Standing
from .store.store import Reader, Store, Transactor
from .view import Selection, View, Views, make_view

_KNOWN_CHAINS: Final = 4096
_KNOWN_GRANTS: Final = 4096
_US: Final = 1_000_000
_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request as it came: ``target`` is the raw path and query, the text that is routed and signed."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Someone who proved to hold a capability of a grant, whatever the grant's state.

    ``seen`` is the grant's row when it was looked at: good for showing, not for deciding.
    """

    invocation: Invocation
    chain: Chain
    grant: Grant
    seen: Standing

    @property
    def did(self) -> str:
        """Who holds the capability."""
        return self.chain.leaf.controller.did

    @property
    def is_vendor(self) -> bool:
        """Whether the holder is the vendor itself, not a partner."""
        return len(self.chain.controllers) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A read that may pass, durably: the number of its entry, and the view that stood then."""

    number: int
    view: View
    unchanged: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """A verified chain, and the key under which its root was verified."""

    chain: Chain
    root_target: str
    root_key: PublicKey


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
    ) -> None:
        """Stand at a store.

        Args:
            store: Holds the grants.
            keys: The person's.
            ambient: Clock and randomness.
            origins: The node's own, at which it can be reached.
            owner_key: The session key by which the owner's own tools sign.
        """
        self._store, self._keys, self._ambient = store, keys, ambient
        self._origins, self._owner_key = origins, owner_key
        self._chains: OrderedDict[bytes, _Known] = OrderedDict()
        self._grants: OrderedDict[tuple[str, int], Grant] = OrderedDict()
        self._owners: dict[str, str] = {}
        self._views = Views()

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
            MalformedError: And its subclasses, as parse_invocation and from_wire.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses.
            GrantError: And its subclasses.
            NotFoundError: The caller is a stranger here, or no such record is shown.
            UnavailableError: And its subclasses: the decision could not be made durable.
        """
        holder = await self.holder(call, grant=grant)
        seen = await self._look(holder, selection)

        def decide(tx: Transactor) -> Admission | FreeholdError:
            return self._decide(tx, holder, selection, seen, route=route, known_etag=known_etag)

        outcome = await self._store.write(decide)
        if isinstance(outcome, FreeholdError):
            raise outcome
        self._views.keep(grant, selection, outcome.view)
        return outcome

    async def _look(self, holder: Holder, selection: Selection) -> View | None:
        """Return the view as of one snapshot, or None where the decision has to find out why there is none."""
        known = self._views.known(holder.seen, selection)
        if known is not None:
            return known

        def look(reader: Reader) -> View | None:
            standing = reader.standing(holder.seen.owner, holder.seen.grant)
            try:
                return self._show(reader, standing, selection, committed=True) if standing else None
            except (GrantError, NotFoundError):
                return None

        permission = holder.grant.permission(selection.permission)
        many = permission is not None and any(item.about == "any" for item in permission.items)
        return await self._store.read(look, long=many)

    def _show(self, reader: Reader, standing: Standing, selection: Selection, *, committed: bool) -> View:
        grant = self._version(reader, standing, committed=committed)
        keys = self._keys.of(standing.relationship, standing.key_epoch)
        return make_view(reader, standing, grant, selection, keys)

    def _decide(
        self,
        tx: Transactor,
        holder: Holder,
        selection: Selection,
        seen: View | None,
        *,
        route: str,
        known_etag: str | None,
    ) -> Admission | FreeholdError:
        """Decide within the writer's transaction: admit with an entry, or count a refusal."""
        if self._ambient.clock.suspect:
            raise ClockSuspectError("the node's clock jumped; its owner has to confirm it")
        now_us = self._ambient.clock.now_us()
        standing = tx.standing(holder.seen.owner, holder.seen.grant)
        if standing is None:
            raise NotFoundError("nothing here")
        self._use_nonce(tx, standing.owner, holder.invocation)
        try:
            self._check_state(tx, standing, now_us)
            permission = self._check_holder(tx, standing, holder, selection.permission, now_us)
            _check_limits(tx, standing, permission, now_us)
            # What was seen may have been narrowed or edited since: then look again, where nothing can change.
            fresh = seen is not None and seen.stands(standing)
            view = (
                seen if seen is not None and fresh else self._show(tx, standing, selection, committed=False)
            )
        except (GrantError, CapabilityError, NotFoundError) as refusal:
            self._refuse(tx, holder, refusal, selection.permission, now_us)
            return refusal
        unchanged = known_etag is not None and known_etag == view.etag
        number = self._write_down(
            tx, standing, holder, selection, view, route=route, unchanged=unchanged, now_us=now_us
        )
        if permission.limits.reads is not None:
            tx.count_read(standing.owner, standing.grant, permission.name)
        return Admission(number=number, view=view, unchanged=unchanged)

    def _check_state(self, tx: Transactor, standing: Standing, now_us: int) -> None:
        """Refuse unless the grant is live now; an expiry that is due is committed here and now."""
        if standing.state in ("live", "paused") and now_us >= standing.expires_us:
            expire(tx, standing, keys=self._keys, now_us=now_us, ambient=self._ambient)
            raise GrantExpiredError("the grant's time is over")
        if standing.state == "paused":
            raise PausedError("the grant is paused")
        if standing.state == "ended":
            raise EndedError("the relationship has ended")
        if standing.state == "expired":
            raise GrantExpiredError("the grant's time is over")
        if now_us < standing.not_before_us:
            raise NotYetError("the grant's time has not begun")

    def _check_holder(
        self, reader: Reader, standing: Standing, holder: Holder, name: str, now_us: int
    ) -> Permission:
        """Check what may have changed since the holder was proven; return the permission as it stands."""
        holder.chain.check_now(now_us // _US)
        if standing.epoch != holder.seen.epoch:
            _check_revoked(reader.revoked(standing.owner, standing.grant), holder.chain)
        permission = self._version(reader, standing, committed=False).permission(name)
        if permission is None:
            raise NotSharedError("this permission is not shared")
        for partner in holder.chain.controllers[1:]:
            if partner.did not in permission.recipients:
                raise ControllerError("a link's controller is not among the permission's recipients")
        return permission

    def _write_down(
        self,
        tx: Transactor,
        standing: Standing,
        holder: Holder,
        selection: Selection,
        view: View,
        *,
        route: str,
        unchanged: bool,
        now_us: int,
    ) -> int:
        """Append the admitted entry under the one conditional update that orders reads and revocations."""
        salt = self._ambient.random_bytes(limits.SALT_BYTES)
        time_us = entry_time_us(standing, now_us)
        invocation, chain = holder.invocation, holder.chain
        entry = Admitted(
            number=standing.log_size,
            time_s=time_us // _US,
            who=holder.did,
            chain=chain.digests,
            action=invocation.action,
            permission=selection.permission,
            route=route,
            method=invocation.method,
            fields=view.released.fields,
            query=query_digest(salt, selection.query) if selection.query else None,
            count=view.released.count,
            version=standing.version,
            signature=base64url_encode(invocation.signature_digest),
            released=released_digest(salt, view.released.canonical),
            status=304 if unchanged else 200,
        )
        seen_by = tuple(key.did for key in chain.controllers)
        made = prepare(
            standing, entry, salt=salt, time_us=time_us, seen_by=seen_by, permission=selection.permission
        )
        if not tx.admit(standing, made.head, now_us=now_us):
            raise ConflictError("the grant changed while this read was decided")
        tx.add_entry(standing.owner, standing.grant, made.row, made.nodes)
        return standing.log_size

    def _refuse(
        self, tx: Transactor, holder: Holder, refusal: FreeholdError, permission: str | None, now_us: int
    ) -> None:
        # Read again: an expiry may have been committed on the way here.
        standing = tx.standing(holder.seen.owner, holder.seen.grant)
        if standing is not None:
            note_refusal(
                tx,
                standing,
                who=holder.did,
                chain=holder.chain.digests,
                controllers=tuple(key.did for key in holder.chain.controllers),
                code=refusal.code,
                permission=permission if permission in _names(holder.grant) else None,
                now_us=now_us,
                random_bytes=self._ambient.random_bytes,
            )

    # Who is it

    async def holder(self, call: Call, *, grant: str) -> Holder:
        """Return who holds a capability of this grant, in whatever state the grant is.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: The caller did not sign this request.
            CapabilityError: And its subclasses: the chain does not hold, expired or was revoked.
            NotFoundError: There is no such grant for this caller.
        """
        now_us = self._ambient.clock.now_us()
        invocation = parse_invocation(call.method, call.headers, body=call.body, now_s=now_us // _US)
        known = self._chains.get(invocation.wire_digest)
        leaf = known.chain.leaf if known else from_wire(invocation.wire)
        origin = _check_invoked(call, invocation, leaf, grant, known=known is not None)

        def look(reader: Reader) -> tuple[Standing, Grant, frozenset[str]] | None:
            owner = self._owners.get(grant) or reader.owner_of("grant", grant)
            standing = reader.standing(owner, grant) if owner else None
            if standing is None:
                return None
            version = self._version(reader, standing, committed=True)
            return standing, version, reader.revoked(standing.owner, grant)

        found = await self._store.read(look)
        if found is None:
            raise NotFoundError("nothing here")
        standing, version, revoked = found
        if origin not in version.origins:
            raise NotFoundError("nothing here")
        self._owners[grant] = standing.owner
        chain = self._known_chain(invocation.wire_digest, known, leaf, f"{origin}/g/{grant}", version)
        holder = Holder(invocation=invocation, chain=chain, grant=version, seen=standing)
        try:
            self._check_current(standing, chain, revoked, now_us)
        except CapabilityError as refusal:
            await self._refuse_unheld(holder, refusal)
            raise
        return holder

    async def _refuse_unheld(self, holder: Holder, refusal: FreeholdError) -> None:
        def write(tx: Transactor) -> None:
            self._use_nonce(tx, holder.seen.owner, holder.invocation)
            self._refuse(tx, holder, refusal, None, self._ambient.clock.now_us())

        await self._store.write(write)

    def _known_chain(
        self, digest: bytes, known: _Known | None, leaf: Capability, root_target: str, grant: Grant
    ) -> Chain:
        """Return the chain, verified once and for all under the key that serves the grant."""
        if known and (known.root_target, known.root_key) == (root_target, grant.serving_key):
            self._chains.move_to_end(digest)
            return known.chain
        try:
            verify_root_link(leaf, root_key=grant.serving_key)
        except FreeholdError:
            # The person's node did not issue this: for its bearer there is nothing here.
            raise NotFoundError("nothing here") from None
        chain = verify_chain(leaf, root_target=root_target, root_key=grant.serving_key)
        if chain.controllers[0].did != grant.vendor:
            raise NotFoundError("nothing here")
        _remember(self._chains, digest, _Known(chain, root_target, grant.serving_key), _KNOWN_CHAINS)
        return chain

    def _check_current(self, standing: Standing, chain: Chain, revoked: frozenset[str], now_us: int) -> None:
        """Check what no memory of a chain can tell: generation, revocation, time."""
        if chain.generation != self._keys.generation_tag(standing.relationship, standing.key_epoch):
            raise RevokedError("the capability is of an earlier generation of this node")
        _check_revoked(revoked, chain)
        chain.check_now(now_us // _US)

    def _version(self, reader: Reader, standing: Standing, *, committed: bool) -> Grant:
        """Return the standing version, parsed.

        A version never changes once it is committed, so it is remembered; one that is still in the writer's
        transaction may yet be undone, so it is not.
        """
        key = (standing.grant, standing.version)
        grant = self._grants.get(key)
        if grant is None:
            grant = standing_grant(reader, standing)
            if committed:
                _remember(self._grants, key, grant, _KNOWN_GRANTS)
        return grant

    async def spend(self, holder: Holder) -> None:
        """Use up a holder's nonce for a request that is no admission.

        Raises:
            ReplayedError: It was used before.
        """
        await self._store.write(lambda tx: self._use_nonce(tx, holder.seen.owner, holder.invocation))

    def _use_nonce(self, tx: Transactor, owner: str, message: SignedMessage) -> None:
        digest = hashlib.sha256(message.keyid.encode() + b"\0" + message.nonce.encode()).digest()
        expires_us = (message.expires_s + limits.CLOCK_SKEW_S) * _US
        if not tx.use_nonce(owner, digest[:16], expires_us=expires_us):
            raise ReplayedError("this signed request came before")

    async def vendor(self, call: Call, *, owner: str) -> PublicKey:
        """Return the did:key that signed a request under no capability.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
        """
        return await self._prove_signer(call, owner=owner, tag=TAG_DID)

    async def owner(self, call: Call, *, owner: str) -> None:
        """Check that the owner's own tools signed a request.

        Raises:
            NotAuthenticatedError: They did not.
            ReplayedError: The request came before.
        """
        try:
            key = await self._prove_signer(call, owner=owner, tag=TAG_OWNER, expected=self._owner_key)
        except ReplayedError:
            raise
        except (SignatureError, FreeholdError) as error:
            raise NotAuthenticatedError(f"not signed by the owner's session key ({error.code})") from error
        if key != self._owner_key:
            raise NotAuthenticatedError("not signed by the owner's session key")

    async def _prove_signer(
        self, call: Call, *, owner: str, tag: str, expected: PublicKey | None = None
    ) -> PublicKey:
        now_s = self._ambient.clock.now_s()
        message = parse_signed(call.method, call.headers, body=call.body, tag=tag, now_s=now_s)
        key = message.key
        if expected is not None and key != expected:
            raise SignatureError("signed by another key")
        for origin in self._origins[:-1]:
            try:
                message.verify(key, target_uri=origin + call.target)
                break
            except SignatureError:
                continue
        else:
            message.verify(key, target_uri=self._origins[-1] + call.target)
        await self._store.write(lambda tx: self._use_nonce(tx, owner, message))
        return key


def _check_invoked(call: Call, invocation: Invocation, leaf: Capability, grant: str, *, known: bool) -> str:
    """Check all that the request itself tells, and return the origin it names.

    Nothing here depends on what the node holds, so a refusal tells a stranger nothing.
    """
    origin, found, rest = leaf.target.partition("/g/")
    if not found or rest.split("/", 1)[0] != grant:
        raise NotFoundError("nothing here")
    key = invocation.key
    if key != leaf.controller:
        raise ControllerError("the request is signed by another key than the capability's controller")
    target_uri = origin + call.target
    leaf.check_use(target_uri=target_uri, action=invocation.action)
    invocation.verify(key, target_uri=target_uri)
    if not known:
        check_links(leaf, root_target=f"{origin}/g/{grant}")
    return origin


def _check_revoked(revoked: frozenset[str], chain: Chain) -> None:
    if revoked and (
        not revoked.isdisjoint(chain.digests) or any(key.did in revoked for key in chain.controllers)
    ):
        raise RevokedError("the capability was revoked")


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


def _names(grant: Grant) -> set[str]:
    return {permission.name for permission in grant.permissions}


def _remember(memory: OrderedDict[_K, _V], key: _K, value: _V, most: int) -> None:
    memory[key] = value
    if len(memory) > most:
        memory.popitem(last=False)
