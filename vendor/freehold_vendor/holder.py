"""Holder: proves to a node, request by request, that we hold a capability, and renews it in time.

Spec: specs/invocation.md
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

from freehold_protocol.capability import Capability, to_wire
from freehold_protocol.encoding import Document, Json
from freehold_protocol.invocation import TAG_DID, sign_invocation, sign_message
from freehold_protocol.keys import PublicKey
from freehold_protocol.moved import effective_origins
from freehold_protocol.receipt import Receipt

from .ambient import Ambient
from .delegation import Address, check_capability
from .errors import (
    AttenuationError,
    CapabilityError,
    ExpiredError,
    FreeholdError,
    NotFoundError,
    ReceiptError,
    RevokedError,
    RolledBackError,
    SignatureError,
    TooLargeError,
    UnreachableError,
    VendorError,
)
from .held import Held, HeldDelegation, HeldRequest, Keeping, granted
from .identity import VendorIdentity
from .told import Told, read_told, told_with, with_told
from .transport import Answer, Sends, Sign
from .versions import versions_since

_RENEW_BEFORE_S: Final = 30
_MAY_HELP: Final = (ExpiredError, RevokedError, UnreachableError)
"""After these a fresh capability may do better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What connects us to the world: who we are, the wire, the clock, and where things are kept."""

    identity: VendorIdentity
    transport: Sends
    ambient: Ambient
    keeping: Keeping

    def signing_as_did(
        self, method: str, url: str, body: bytes | None = None, *, as_controller: bool = False
    ) -> Sign:
        """Return what signs a request by our DID, anew at each attempt.

        ``as_controller`` signs by the did:key that controls our capabilities, whatever else we are known by.
        """

        def sign() -> dict[str, str]:
            return sign_message(
                self.identity.key, tag=TAG_DID, method=method, target_uri=url, body=body,
                created_s=self.ambient.now_s(), nonce=self.ambient.new_nonce(),
                keyid=None if as_controller else self.identity.method,
            )  # fmt: skip

        return sign


@dataclass(frozen=True, slots=True)
class Ready:
    """A capability as it goes into a header, and the digests by which the ledger names its chain."""

    capability: Capability
    wire: str
    chain: tuple[str, ...]
    serving_key: PublicKey
    """Who issued it, and so signs what it opens."""

    @classmethod
    def of(cls, capability: Capability) -> Self:
        """Prepare a capability, once for all its invocations."""
        signed = [link.verify() for link in capability.links]
        return cls(capability, to_wire(capability), tuple(digest for _, digest in signed), signed[0][0])


class Holder:
    """Sends what one access asks; ``held`` is what is kept of it."""

    def __init__(self, outside: Outside, held: Held) -> None:
        self.outside, self.held = outside, held
        self._ready: Ready | None = None
        self._renewing, self._keeping = asyncio.Lock(), asyncio.Lock()

    async def keep(self, change: Callable[[Held], Held]) -> None:
        """Change what is held: keep it first, then work with it."""
        async with self._keeping:
            changed = change(self.held)
            if changed is not self.held:
                await self.outside.keeping.save(changed)
                self.held = changed

    async def invoke(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[Answer, Ready]:
        """Return the answer to a request under the capability, and the capability that it was sent with.

        A vendor's capability is renewed when it is about to expire, or when the node says that it has.

        Raises:
            FreeholdError: What the node answered.
            VendorError: There was no answer.
        """
        ready = await self.ready()
        try:
            return await self._send(ready, method, path, headers), ready
        except _MAY_HELP as error:
            ready = await self._instead_of(ready, error)
        return await self._send(ready, method, path, headers), ready

    async def _instead_of(self, ready: Ready, error: Exception) -> Ready:
        """Return a fresh capability after an error under another; raises the error where none would do better."""
        if not self._may_renew() or not await self._is_outdated(ready, error):
            raise error
        renewed = await self._renewed(ready.capability)
        if isinstance(error, UnreachableError) and _origin(renewed.capability) == _origin(ready.capability):
            raise error
        return renewed

    async def _is_outdated(self, ready: Ready, error: Exception) -> bool:
        """Whether a fresh capability may do better: in time, under the person's present keys, or at another origin."""
        if isinstance(error, UnreachableError):
            return len(self.held.origins) > 1
        if isinstance(error, ExpiredError):
            return True
        try:
            told = await self.look()
        except (NotFoundError, VendorError):  # it says no more to us: what it refused stands
            return False
        since = told.restored.created_s if told is not None and told.restored is not None else 0
        return ready.serving_key != self.held.serving_key or since >= ready.capability.created_s

    async def invoke_as_did(
        self, method: str, path: str, body: bytes | None = None, *, at: str | None = None
    ) -> Answer:
        """Return the answer to a request signed by our DID, under no capability.

        Where the grant's origin cannot be reached it is sent to the grant's others, and goes on at the first that
        answers.

        Args:
            method: Upper case.
            path: After the grant's URL.
            body: None where there is none.
            at: Only to this origin, which may be none of the grant's as far as is known.

        Raises:
            FreeholdError: What the node answered.
            VendorError: There was no answer.
        """
        grant, origins = self.held.address.grant, (at,) if at is not None else self.held.origins
        for origin in origins:
            try:
                answer = await self._send_as_did(method, f"{origin}/g/{grant}{path}", body)
            except UnreachableError:
                if origin == origins[-1]:
                    raise
                continue
            if at is None:
                await self.keep(partial(with_origin, origin=origin))
            return answer
        raise AssertionError("a grant has an origin")

    async def _send_as_did(self, method: str, url: str, body: bytes | None) -> Answer:
        # A node knows its vendor by the DID that asked, and a partner by what it controls.
        as_controller = isinstance(self.held, HeldDelegation)
        sign = self.outside.signing_as_did(method, url, body, as_controller=as_controller)
        return await self.outside.transport.send(method, url, sign=sign, body=body)

    async def tell(self, *, at: str | None = None) -> Told:
        """Return all that the node tells of the grant, verified by itself. Vendors only; raises as look."""
        ask = partial(self._ask, at=at)
        told = read_told(found := await ask(""), request=granted(self.held).request)
        if not told.more:
            return told
        receipt = Receipt.from_dict(found["receipt"])
        later, found = await versions_since(ask, told.versions[-1].version)
        return told_with(receipt.continued_by(later), found)

    async def _told_since(self, held: HeldRequest, *, at: str | None) -> Told:
        """Return what is told after what is held, or all of it if the node was restored since. Raises as look."""
        try:
            later, found = await versions_since(partial(self._ask, at=at), held.versions[-1].version)
            told = told_with(held.receipt.continued_by(later), found)
        except (ReceiptError, SignatureError) as refused:
            return await self._other_story(held, refused, at=at)
        restored = told.restored
        if restored is None or restored.cid in held.heard or restored == held.restored:
            return told
        return await self.tell(at=at)

    async def _other_story(
        self, held: HeldRequest, refused: ReceiptError | SignatureError, *, at: str | None
    ) -> Told:
        """Return all that a node tells whose answer was refused: the person may have signed why.

        Raises:
            ReceiptError: As refused. Now it tells nothing else than is held, which does not undo what it told before.
            SignatureError: As refused, as well.
        """
        try:
            told = await self.tell(at=at)
        except (FreeholdError, VendorError):
            raise refused from None
        if told.continues(held.versions):
            raise refused
        return told

    async def _ask(self, query: str, *, at: str | None) -> Document:
        return (await self.invoke_as_did("GET", query, at=at)).document()

    async def look(self, *, at: str | None = None) -> Told | None:
        """Ask how the grant stands, and hold what is new: versions and statements. A partner has nothing to ask.

        Args:
            at: Only at this origin; it is held from then on, if the person says that the grant is reached there.

        Raises:
            ReceiptError: What came does not continue what is held, or the grant is not reached there.
            RolledBackError: It does not, and the person signed why; that word is held.
            SignatureError: A statement is not the person's.
            FreeholdError: What else the node answered, or does not hold.
            VendorError: There was no answer.
        """
        if isinstance(self.held, HeldDelegation):
            return None
        before = granted(self.held)
        told = await self._told_since(before, at=at)

        def with_it(held: Held) -> Held:
            now = granted(held)
            overtaken = now.versions != before.versions and told.continues(before.versions)
            if overtaken and told.is_begun_in(now.versions):
                return with_origin(now, at)  # another look was answered later, and was done before us
            return with_origin(with_told(now, told), at)

        try:
            await self.keep(with_it)
        except RolledBackError:
            await self.keep(lambda held: replace(granted(held), restored=told.restored))
            raise
        if told.more:
            raise TooLargeError("the grant has more versions than are taken up at once: refresh again")
        return told

    async def ready(self) -> Ready:
        """Return the capability, renewed if that is due. Raises as invoke."""
        capability = self.held.capability
        if capability is None or self._is_ending(capability):
            return await self._renewed(capability)
        if (
            self._may_renew() and _origin(capability) != self.held.address.origin
        ):  # the grant is reached elsewhere
            return await self._renewed(capability)
        if self._ready is None or self._ready.capability is not capability:
            self._ready = Ready.of(capability)
        return self._ready

    async def renew(self) -> None:
        """Get a fresh capability from the grant as it stands.

        Raises:
            TypeError: We are a partner; only vendors renew.
            GrantError: The grant is paused or over.
            FreeholdError: What else the node answered.
            VendorError: There was no answer.
        """
        if isinstance(self.held, HeldDelegation):
            raise TypeError("only the vendor renews; a partner is handed a new delegation")
        found = (await self.invoke_as_did("POST", "/renew")).document()

        def with_it(held: Held) -> HeldRequest:
            return with_capability(held, found.get("capability"), self.outside.identity)

        try:
            await self.keep(with_it)
        except (CapabilityError, ReceiptError, SignatureError):
            # It may be of keys, or for an origin, of which we have not heard.
            before = self.held
            await self.look()
            if self.held is before:
                raise
            await self.keep(with_it)

    async def _renewed(self, before: Capability | None) -> Ready:
        """Renew, unless someone else did while we waited for our turn."""
        async with self._renewing:
            if self.held.capability is before:
                await self.renew()
        capability = self.held.capability
        if capability is None:
            raise ExpiredError("there is no capability")
        self._ready = Ready.of(capability)
        return self._ready

    def _may_renew(self) -> bool:
        return isinstance(self.held, HeldRequest) and not self.held.renounced

    def _is_ending(self, capability: Capability) -> bool:
        now_s = self.outside.ambient.now_s()
        return self._may_renew() and now_s >= capability.expires_s - _RENEW_BEFORE_S

    @asynccontextmanager
    async def listen(
        self, path: str, headers: Mapping[str, str], *, idle_s: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream under the capability and give its pieces as they come; renews and raises as invoke.

        Args:
            path: After the grant's URL.
            headers: Others, unsigned.
            idle_s: How long may pass between two pieces.
        """
        ready = await self.ready()
        async with AsyncExitStack() as stack:
            try:
                pieces = await stack.enter_async_context(self._open(ready, path, headers, idle_s))
            except _MAY_HELP as error:
                ready = await self._instead_of(ready, error)
                pieces = await stack.enter_async_context(self._open(ready, path, headers, idle_s))
            yield pieces

    def _open(
        self, ready: Ready, path: str, headers: Mapping[str, str], idle_s: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        url = Address.of(ready.capability.target).root + path
        return self.outside.transport.stream(
            url, sign=self._signing(ready, "GET", url), headers=headers, idle_s=idle_s
        )

    async def _send(self, ready: Ready, method: str, path: str, headers: Mapping[str, str] | None) -> Answer:
        url = Address.of(ready.capability.target).root + path
        sign = self._signing(ready, method, url)
        return await self.outside.transport.send(method, url, sign=sign, headers=headers)

    def _signing(self, ready: Ready, method: str, url: str) -> Sign:
        """Return what signs a request under the capability, anew at each attempt."""
        outside = self.outside

        def sign() -> dict[str, str]:
            return sign_invocation(
                outside.identity.key, ready.wire, method=method, target_uri=url, action="read",
                created_s=outside.ambient.now_s(), nonce=outside.ambient.new_nonce(),
            )  # fmt: skip

        return sign


def with_capability(held: Held, document: Json, identity: VendorIdentity) -> HeldRequest:
    """Return what is held with a capability that came, if it is ours under the grant that is held.

    Raises:
        ReceiptError: It is another grant's.
        CapabilityError: And its subclasses: its chain does not hold, or it is more than a node gives out.
        SignatureError: A proof in it does not verify.
        MalformedError: And its subclasses: it does not have the form.
        UnsupportedError: Another kind of key or proof.
    """
    if isinstance(held, HeldDelegation):
        raise TypeError("a partner's capability does not change")
    grant = held.versions[-1]
    capability = Capability.from_dict(document)
    address = Address.of(capability.target)
    origins = effective_origins(grant, held.moved)
    if address.permission is not None or address.grant != grant.id or address.origin not in origins:
        raise ReceiptError("the capability is for something else than the grant")
    check_capability(capability, root=address.root, serving_key=grant.serving_key, holder=identity.key.public)
    if capability.actions != ("read",) or capability.expires_s > grant.expires_s:
        raise AttenuationError("the capability allows more, or for longer, than the grant gives")
    return replace(held, capability=capability, origin=address.origin, renounced=False)


def with_origin(held: Held, origin: str | None) -> Held:
    """Return what is held as of an origin at which the grant was reached; None: as it is.

    Raises:
        ReceiptError: The person has not said that it is reached there.
    """
    if isinstance(held, HeldDelegation) or origin is None or origin == held.origin:
        return held
    if origin not in held.origins:
        raise ReceiptError("the person has not said that the grant is reached there")
    return replace(held, origin=origin)


def _origin(capability: Capability) -> str:
    return Address.of(capability.target).origin
