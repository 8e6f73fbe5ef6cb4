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

from freehold_protocol.capability import Capability, from_wire, root_id
from freehold_protocol.delegation import Chain, check_links, verify_chain
from freehold_protocol.did_document import DidKeys, did_of, is_web
from freehold_protocol.errors import (
    ActionError,
    ClockSuspectError,
    ControllerError,
    FreeholdError,
    NotFoundError,
    SignatureError,
    StaleSignatureError,
    TargetError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.invocation import (
    HEADER,
    TAG_DID,
    TAG_OWNER,
    Invocation,
    SignedMessage,
    parse_invocation,
    parse_signed,
)
from freehold_protocol.keys import PublicKey

from .ambient import Clock
from .person_keys import PersonKeys
from .reach import root_key_of
from .store.store import Reader, Store
from .versions import Versions

_KNOWN_CHAINS: Final = 1024
_KNOWN_LINKS: Final = 4096


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
    vendor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed a request under no capability of a grant: in the name of which DID, and by which key."""

    message: SignedMessage | Invocation
    did: str
    key: PublicKey


class _Links(dict[bytes, str]):
    """Links whose proof over a graph verified, by the hash of their bytes; the oldest are forgotten first."""

    def __setitem__(self, digest: bytes, revoked_by: str) -> None:
        super().__setitem__(digest, revoked_by)
        if len(self) > _KNOWN_LINKS:
            del self[next(iter(self))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Someone who proved to hold a capability of a grant, now; what that is worth now is not said.

    ``vendor`` is the DID that the grant is for.
    """

    invocation: Invocation
    target_uri: str
    chain: Chain
    origin: str
    owner: str
    grant: str
    root_key: PublicKey
    vendor: str

    @property
    def did(self) -> str:
        """Who holds the capability, by the key."""
        return self.chain.leaf.controller.did

    @property
    def reader(self) -> str:
        """The DID whose entries of the ledger the holder may see."""
        return self.vendor if self.is_vendor else self.did

    @property
    def seen_by(self) -> tuple[str, ...]:
        """Who may see what this holder did: the vendor by its DID, and everyone in the chain by their keys."""
        return tuple(dict.fromkeys((self.vendor, *self.controllers)))

    @property
    def controllers(self) -> tuple[str, ...]:
        """Everyone in the chain, the vendor first."""
        return tuple(key.did for key in self.chain.controllers)

    @property
    def partners(self) -> tuple[PublicKey, ...]:
        """The keys of everyone in the chain but the vendor."""
        return self.chain.controllers[1:]

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
        self._links = _Links()

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
        if invocation.root is not None:  # controlled by a key of the node's own, which never signs requests
            raise NotFoundError("nothing here")
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
            owner=known.owner, grant=known.grant, root_key=known.root_key, vendor=known.vendor,
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
            chain = verify_chain(leaf, root_target=root_target, root_key=root_key, memory=self._links)
        except FreeholdError:
            # The person's node did not issue this, or not to its bearer, for whom there is nothing here.
            raise NotFoundError("nothing here") from None
        # Which keys are those of a vendor with a DID document may change, so that is asked every time.
        if not is_web(version.vendor) and chain.controllers[0].did != version.vendor:
            raise NotFoundError("nothing here")
        return _Known(
            chain=chain, origin=origin, owner=owner, grant=grant, root_key=root_key, vendor=version.vendor
        )  # fmt: skip

    def signer(self, call: Call, *, tag: str, keys: DidKeys | None = None) -> Signer:
        """Return who signed a request under no capability, at one of the node's origins.

        Args:
            call: The request.
            tag: Of the signature.
            keys: Of the did:web who may have signed, as they are pinned; None: only a did:key can have.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            NotFoundError: A did:web says that it signed, and no key that is pinned bears that out: which that is
                depends on what the node holds, so a stranger learns nothing from it.
        """
        message = self._parsed(call, tag)
        did = did_of(message.keyid)
        if is_web(did):
            return Signer(message=message, did=did, key=self._known_to_sign(message, keys, call))
        return Signer(message=message, did=did, key=self._verified(message, message.key, call))

    def names(self, call: Call, did: str) -> bool:
        """See ``Gate``."""
        return did_of(self._parsed(call, TAG_DID).keyid) == did

    def _parsed(self, call: Call, tag: str) -> SignedMessage:
        # The owner's tools have no other clock than this machine's: they reach the node even if that jumped.
        now_s = self._clock.wall_s if tag == TAG_OWNER else self._clock.now_s()
        try:
            return parse_signed(call.method, call.headers, body=call.body, tag=tag, now_s=now_s)
        except StaleSignatureError as stale:
            raise self._in_doubt(stale) from None

    def _known_to_sign(self, message: SignedMessage, keys: DidKeys | None, call: Call) -> PublicKey:
        if keys is None:
            raise NotFoundError("nothing here")
        try:
            return self._verified(message, keys.key(message.keyid, use="authentication"), call)
        except SignatureError:
            raise NotFoundError("nothing here") from None

    def _verified(self, message: SignedMessage, key: PublicKey, call: Call) -> PublicKey:
        """Return the key if it signed the message at one of the node's origins. Raises SignatureError."""
        for origin in self._origins[:-1]:
            try:
                message.verify(key, target_uri=origin + call.target)
            except SignatureError:
                continue
            return key
        message.verify(key, target_uri=self._origins[-1] + call.target)
        return key

    def renouncer(self, call: Call, *, keys: DidKeys | None = None) -> Signer:
        """Return who signed a request to revoke something: by a DID, as signer, or as ZCAP clients do it.

        They invoke the root capability of the URL of the revocation itself, which every controller in the chain
        controls; whether the signer is one is the caller's question.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses: it invokes something else.
        """
        if HEADER not in call.headers:
            return self.signer(call, tag=TAG_DID, keys=keys)
        try:
            invocation = parse_invocation(
                call.method, call.headers, body=call.body, now_s=self._clock.now_s()
            )
        except StaleSignatureError as stale:
            raise self._in_doubt(stale) from None
        urls = (origin + call.target for origin in self._origins)
        url = next((url for url in urls if root_id(url) == invocation.root), None)
        if url is None:
            raise TargetError("what is invoked to revoke is the root capability of the revocation's own URL")
        if invocation.action != "write":
            raise ActionError("a revocation is a write")
        invocation.verify(invocation.key, target_uri=url)
        return Signer(message=invocation, did=invocation.key.did, key=invocation.key)

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
