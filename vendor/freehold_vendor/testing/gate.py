"""Who asks, and whether they may: the same checks in the same order as a node makes them.

Spec: specs/http.md#admission
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from freehold_protocol import limits
from freehold_protocol.capability import from_wire, root_id
from freehold_protocol.delegation import Chain, check_links, verify_chain
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.entry import Admitted, Refused
from freehold_protocol.errors import (
    ActionError,
    CapabilityError,
    ControllerError,
    FreeholdError,
    GrantError,
    NotFoundError,
    NotSharedError,
    ReplayedError,
    RevokedError,
    TargetError,
    UnsupportedError,
)
from freehold_protocol.invocation import (
    HEADER,
    TAG_DID,
    Invocation,
    SignedMessage,
    parse_invocation,
    parse_signed,
)
from freehold_protocol.ledger import query_digest, released_digest
from freehold_protocol.permission import Permission
from freehold_protocol.released import Released

from .allowance import check_caveats, check_limits, check_purposes, count_read, note_links
from .clock import PretendClock
from .grant import US, Counted, PretendGrant, Random
from .messages import Call
from .records import PretendRecords
from .view import Wanted, show

_HOUR_US = 3_600 * US


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Someone who proved to hold a capability of a grant, now."""

    grant: PretendGrant
    invocation: Invocation
    chain: Chain
    target_uri: str

    @property
    def did(self) -> str:
        """Who holds the capability."""
        return self.chain.leaf.controller.did

    @property
    def controllers(self) -> tuple[str, ...]:
        """Everyone in the chain, the vendor first."""
        return tuple(key.did for key in self.chain.controllers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A read that may pass: the number of its entry, what it gives, and whether that is known already."""

    number: int
    released: Released
    etag: str
    unchanged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A holder that was let listen, and until when at most; ``permission`` None: to the whole grant."""

    holder: Holder
    permission: str | None
    until_us: int


class PretendGate:
    """Decides on every request to a pretended person's node."""

    def __init__(
        self,
        grants: Mapping[str, PretendGrant],
        records: PretendRecords,
        clock: PretendClock,
        *,
        origin: str,
        random_bytes: Random,
    ) -> None:
        """Stand before grants and records, at the one origin of the node."""
        self._grants, self._records, self._clock = grants, records, clock
        self._origin, self._random = origin, random_bytes
        self._nonces: set[tuple[str, str | None]] = set()

    @property
    def now_us(self) -> int:
        """The time, in microseconds."""
        return self._clock.now_us

    # Who asks

    def signer(self, call: Call) -> SignedMessage:
        """Return a request under no capability that its ``key`` signed. Raises FreeholdError."""
        message = parse_signed(
            call.method, call.headers, body=call.body, tag=TAG_DID, now_s=self._clock.now_s()
        )
        message.verify(message.key, target_uri=self._origin + call.target)
        return message

    def renouncer(self, call: Call) -> SignedMessage | Invocation:
        """Return a request to revoke something, signed by a DID or as the root of its own URL. Raises as signer."""
        if HEADER not in call.headers:
            return self.signer(call)
        invocation, url = self._invocation(call), self._origin + call.target
        if invocation.root != root_id(url):
            raise TargetError("what is invoked to revoke is the root capability of the revocation's own URL")
        if invocation.action != "write":
            raise ActionError("a revocation is a write")
        invocation.verify(invocation.key, target_uri=url)
        return invocation

    def _invocation(self, call: Call) -> Invocation:
        now_s = self._clock.now_s()
        invocation = parse_invocation(call.method, call.headers, body=call.body, now_s=now_s)
        if invocation.nonce is None:
            raise UnsupportedError(
                "a pretended node takes HTTP message signatures (RFC 9421) only, a real one ezcap's too"
            )
        return invocation

    def spend(self, message: SignedMessage | Invocation) -> None:
        """Use up a message's nonce. Raises ReplayedError."""
        spent = (message.keyid, message.nonce)
        if spent in self._nonces:
            raise ReplayedError("this signed request came before")
        self._nonces.add(spent)

    def enter(self, call: Call, grant_id: str) -> Holder:
        """Let in the holder of a capability, in whatever state the grant is, for what is no admission.

        Raises:
            FreeholdError: The caller is none, or the capability has expired or was revoked.
        """
        holder = self._holder(call, grant_id)
        self.spend(holder.invocation)
        try:
            self._check_holder(holder)
            holder.chain.check_now(self._clock.now_s())
        except CapabilityError as refused:
            self._count(holder, refused, None)
            raise
        return holder

    def _holder(self, call: Call, grant_id: str) -> Holder:
        """Return who holds a capability of this grant. Raises FreeholdError."""
        invocation = self._invocation(call)
        if invocation.root is not None:  # controlled by a key of the node's own, which never signs requests
            raise NotFoundError("nothing here")
        leaf = from_wire(invocation.wire)
        origin, found, rest = leaf.target.partition("/g/")
        if not found or rest.split("/", 1)[0] != grant_id:
            raise NotFoundError("nothing here")
        if invocation.key != leaf.controller:
            raise ControllerError("the request is signed by another key than the capability's controller")
        invocation.verify(invocation.key, target_uri=origin + call.target)
        root = f"{origin}/g/{grant_id}"
        check_links(leaf, root_target=root)
        grant = self._grants.get(grant_id)
        if grant is None or origin not in grant.newest.origins:
            raise NotFoundError("nothing here")
        try:
            chain = verify_chain(leaf, root_target=root, root_key=grant.newest.serving_key)
        except FreeholdError:
            raise NotFoundError("nothing here") from None
        if chain.controllers[0].did != grant.newest.vendor:
            raise NotFoundError("nothing here")
        return Holder(grant=grant, invocation=invocation, chain=chain, target_uri=origin + call.target)

    # Whether they may

    def admit(self, call: Call, grant_id: str, wanted: Wanted, *, route: str) -> Admission:
        """Admit one read with its entry, or refuse it. Raises FreeholdError."""
        holder = self._holder(call, grant_id)
        self.spend(holder.invocation)
        now_us = self._clock.now_us
        try:
            self._check_holder(holder)
            holder.grant.check_live(now_us)
            holder.chain.check_now(now_us // US)
            permission = _check_permission(holder, wanted.permission)
            check_limits(holder.grant, permission, now_us)
            check_caveats(holder.grant, holder.chain, permission, now_us)
            released = show(holder.grant, self._records, wanted)
            note_links(holder.grant, holder.chain, now_us)
        except (GrantError, CapabilityError, NotFoundError) as refused:
            self._count(holder, refused, wanted.permission)
            raise
        etag = f'"{base64url_encode(hashlib.sha256(released.canonical).digest())}"'
        unchanged = etag == call.headers.get("if-none-match")
        number = self._write_down(holder, wanted, released, route=route, status=304 if unchanged else 200)
        return Admission(number=number, released=released, etag=etag, unchanged=unchanged)

    def _check_holder(self, holder: Holder) -> None:
        chain, grant = holder.chain, holder.grant
        chain.leaf.check_use(target_uri=holder.target_uri, action=holder.invocation.action)
        if chain.generation != grant.mark:
            raise RevokedError("the capability is of an earlier generation of this node")
        if not grant.revoked.isdisjoint((*chain.digests, *chain.ids, *holder.controllers)):
            raise RevokedError("the capability was revoked")

    def _write_down(
        self, holder: Holder, wanted: Wanted, released: Released, *, route: str, status: int
    ) -> int:
        """Append the entry of a read, and return its number."""
        grant, invocation = holder.grant, holder.invocation
        salt, ledger, now_us = self._random(limits.SALT_BYTES), grant.ledger, self._clock.now_us
        entry = Admitted(
            number=ledger.size,
            time_s=ledger.time_s(now_us),
            who=holder.did,
            chain=holder.chain.digests,
            action=invocation.action,
            permission=wanted.permission,
            route=route,
            method=invocation.method,
            fields=released.fields,
            query=query_digest(salt, wanted.query) if wanted.query else None,
            count=released.count,
            version=grant.newest.version,
            signature=base64url_encode(invocation.signature_digest),
            released=released_digest(salt, released.canonical),
            status=status,
        )
        ledger.append(entry, salt, seen_by=holder.controllers)
        count_read(grant, holder.chain, wanted.permission, now_us)
        return entry.number

    # Who may listen

    def listen(self, call: Call, grant_id: str, permission: str | None) -> Listener:
        """Let a holder listen, or refuse it; it is no admission, and a refusal is counted. Raises FreeholdError."""
        holder = self._holder(call, grant_id)
        self.spend(holder.invocation)
        until_s = min(holder.chain.expires_s, self._clock.now_s() + limits.EVENT_STREAM_S)
        listener = Listener(holder=holder, permission=permission, until_us=until_s * US)
        try:
            self._check_listener(listener)
            note_links(holder.grant, holder.chain, self.now_us)
        except (GrantError, CapabilityError) as refused:
            self._count(holder, refused, permission)
            raise
        return listener

    def still_listens(self, listener: Listener) -> bool:
        """Whether a holder may go on listening."""
        if self.now_us >= listener.until_us:
            return False
        try:
            self._check_listener(listener)
        except (GrantError, CapabilityError):
            return False
        return True

    def _check_listener(self, listener: Listener) -> None:
        self._check_holder(listener.holder)
        listener.holder.grant.check_live(self.now_us)
        listener.holder.chain.check_now(self._clock.now_s())
        _check_heard(listener)

    # Refusals of proven holders are counted: the first of an hour is an entry at once, the rest one later.

    def _count(self, holder: Holder, refused: FreeholdError, permission: str | None) -> None:
        grant, now_us = holder.grant, self._clock.now_us
        hour_us = now_us - now_us % _HOUR_US
        named = permission if permission and grant.newest.permission(permission) else None
        recipients = {one for given in grant.newest.permissions for one in given.recipients}
        known = holder.did if holder.did in {grant.newest.vendor, *recipients} else "-"
        key = (f"{holder.chain.digests[0]} {known} {named or '-'}", refused.code, hour_us)
        if key in grant.counted:
            grant.counted[key].more += 1
            return
        entry = Refused(
            number=grant.ledger.size, time_s=grant.ledger.time_s(now_us), who=holder.did,
            chain=holder.chain.digests, code=refused.code, hour_s=hour_us // US, count=1, permission=named,
        )  # fmt: skip
        grant.counted[key] = Counted(refused=entry, seen_by=holder.controllers)
        grant.ledger.append(entry, self._random(limits.SALT_BYTES), seen_by=holder.controllers)


def _check_permission(holder: Holder, name: str) -> Permission:
    permission = holder.grant.newest.permission(name)
    if permission is None:
        raise NotSharedError("this permission is not shared")
    for partner in holder.controllers[1:]:
        if partner not in permission.recipients:
            raise ControllerError("a link's controller is not among the permission's recipients")
    return permission


def _check_heard(listener: Listener) -> None:
    """Refuse a permission that a read would be refused, and a partner the whole grant."""
    if listener.permission is not None:
        check_purposes(listener.holder.chain, _check_permission(listener.holder, listener.permission))
    elif len(listener.holder.controllers) > 1:
        raise NotSharedError("a partner listens to its permission, not to the grant")
