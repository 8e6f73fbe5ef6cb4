"""Who asks: prove that a request comes from the holder of a capability, from a DID, or from the owner.

What is proven here can be remembered, because it can never change. Whether it still counts is the gate's
question, asked at every request.

Spec: specs/http.md#admission
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from freehold_protocol.capability import Capability, from_wire
from freehold_protocol.delegation import Chain, check_links, verify_chain
from freehold_protocol.errors import (
    ClockSuspectError,
    ControllerError,
    FreeholdError,
    NotFoundError,
    SignatureError,
    StaleSignatureError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.invocation import TAG_OWNER, Invocation, SignedMessage, parse_invocation, parse_signed
from freehold_protocol.keys import PublicKey

from .ambient import Clock
from .person_keys import PersonKeys
from .reach import root_key_of
from .store.store import Reader, Store
from .versions import Versions

_KNOWN_CHAINS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request as it came.

    ``target`` is the raw path and query: the very text that is routed and signed.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A chain that was verified, at which origin, whose it is, and under which key its root was verified."""

    chain: Chain
    origin: str
    owner: str
    grant: str
    root_key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Someone who proved to hold a capability of a grant, now; what that is worth now is not said."""

    invocation: Invocation
    target_uri: str
    chain: Chain
    origin: str
    owner: str
    grant: str
    root_key: PublicKey

    @property
    def did(self) -> str:
        """Who holds the capability."""
        return self.chain.leaf.controller.did

    @property
    def controllers(self) -> tuple[str, ...]:
        """Everyone in the chain, the vendor first."""
        return tuple(key.did for key in self.chain.controllers)

    @property
    def is_vendor(self) -> bool:
        """Whether the holder is the vendor itself, not a partner."""
        return len(self.chain.controllers) == 1


class Prover:
    """Proves who signed a request."""

    def __init__(
        self, store: Store, versions: Versions, clock: Clock, *, origins: tuple[str, ...], keys: PersonKeys
    ) -> None:
        """Prove against a store's grants; origins are the node's own, keys the person's."""
        self._store, self._versions, self._clock = store, versions, clock
        self._origins, self._keys = origins, keys
        self._chains: OrderedDict[bytes, _Known] = OrderedDict()

    async def holder(self, call: Call, *, grant: str) -> Holder:
        """Return who holds a capability of this grant.

        Raises:
            MalformedError: And its subclasses: not of the form.
            SignatureError: And its subclasses: the caller did not sign this request, now.
            CapabilityError: And its subclasses: another controls the capability, or its links do not narrow.
            NotFoundError: There is no such grant for this caller.
        """
        try:
            invocation = parse_invocation(
                call.method, call.headers, body=call.body, now_s=self._clock.now_s()
            )
        except StaleSignatureError as stale:
            raise self._in_doubt(stale) from None
        known = self._chains.get(invocation.wire_digest)
        leaf = known.chain.leaf if known else from_wire(invocation.wire)
        origin = _check_invoked(call, invocation, leaf, grant)
        if known is None:
            known = await self._verify(leaf, origin, grant)
        self._chains[invocation.wire_digest] = known
        self._chains.move_to_end(invocation.wire_digest)  # the one used last is forgotten last
        if len(self._chains) > _KNOWN_CHAINS:
            self._chains.popitem(last=False)
        return Holder(
            invocation=invocation, target_uri=origin + call.target, chain=known.chain, origin=origin,
            owner=known.owner, grant=known.grant, root_key=known.root_key,
        )  # fmt: skip

    async def _verify(self, leaf: Capability, origin: str, grant: str) -> _Known:
        """Verify a chain that was not seen before, once and for all."""
        root_target = f"{origin}/g/{grant}"
        check_links(leaf, root_target=root_target)

        def look(reader: Reader) -> tuple[str, Grant, PublicKey] | None:
            owner = reader.owner_of("grant", grant)
            standing = reader.standing(owner, grant) if owner else None
            if owner is None or standing is None:
                return None
            version = self._versions.standing(reader, standing, committed=True)
            return owner, version, root_key_of(leaf, standing, version, self._keys)

        found = await self._store.read(look)
        if found is None:
            raise NotFoundError("nothing here")
        owner, version, root_key = found
        try:
            chain = verify_chain(leaf, root_target=root_target, root_key=root_key)
        except FreeholdError:
            # The person's node did not issue this, or not to its bearer, for whom there is nothing here.
            raise NotFoundError("nothing here") from None
        if chain.controllers[0].did != version.vendor:
            raise NotFoundError("nothing here")
        return _Known(chain=chain, origin=origin, owner=owner, grant=grant, root_key=root_key)

    def signer(self, call: Call, *, tag: str) -> SignedMessage:
        """Return a request under no capability, signed by its ``key`` at one of the node's origins.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
        """
        # The owner's tools have no other clock than this machine's: they reach the node even if that jumped.
        now_s = self._clock.wall_s if tag == TAG_OWNER else self._clock.now_s()
        try:
            message = parse_signed(call.method, call.headers, body=call.body, tag=tag, now_s=now_s)
        except StaleSignatureError as stale:
            raise self._in_doubt(stale) from None
        key = message.key
        for origin in self._origins[:-1]:
            try:
                message.verify(key, target_uri=origin + call.target)
            except SignatureError:
                continue
            return message
        message.verify(key, target_uri=self._origins[-1] + call.target)
        return message

    def _in_doubt(self, stale: StaleSignatureError) -> FreeholdError:
        """Return what to say of a signature of another time: while the node's is in doubt, it is not at fault."""
        if self._clock.suspect:
            return ClockSuspectError("the node's clock jumped; its owner has to confirm it")
        return stale


def _check_invoked(call: Call, invocation: Invocation, leaf: Capability, grant: str) -> str:
    """Check all that the request itself tells, and return the origin it names.

    Nothing here depends on what the node holds, so a refusal tells a stranger nothing.
    """
    origin, found, rest = leaf.target.partition("/g/")
    if not found or rest.split("/", 1)[0] != grant:
        raise NotFoundError("nothing here")
    key = invocation.key
    if key != leaf.controller:
        raise ControllerError("the request is signed by another key than the capability's controller")
    invocation.verify(key, target_uri=origin + call.target)
    return origin
