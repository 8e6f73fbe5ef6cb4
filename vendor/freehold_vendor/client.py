"""Vendor: ask a person, wait for the decision, and take up what was approved or delegated.

::

    async with Vendor(identity) as vendor:
        pending = await vendor.ask(invitation, permissions, expires_s)
        print(pending.code)                      # the person's screen shows the same
        access = await pending.decision()
        release = await access.read("delivery")  # verified against the signatures and the ledger

Spec: specs/http.md#asking
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from freehold_protocol.encoding import Document, Json
from freehold_protocol.permission import Permission
from freehold_protocol.request import sign_request

from .access import Access, Verify
from .ambient import Ambient
from .delegation import Delegation
from .errors import ControllerError, NotFoundError
from .held import HeldDelegation, HeldRequest, Keeping, KeptInMemory
from .holder import Outside
from .identity import VendorIdentity
from .pending import PendingRequest, origin_of
from .taken import Taken
from .told import grant_of
from .transport import Sends, Transport


class Vendor:
    """One vendor, or one partner, and its HTTP session; an asynchronous context manager."""

    def __init__(
        self,
        identity: VendorIdentity,
        *,
        keeping: Keeping | None = None,
        verify: Verify = "always",
        allow_private_addresses: bool = False,
        ambient: Ambient | None = None,
        transport: Sends | None = None,
    ) -> None:
        """Prepare; nothing is opened before ``async with``.

        Args:
            identity: Who asks and reads.
            keeping: Where requests, receipts and checkpoints are kept; None: in memory, until the end.
            verify: Whether each read is checked against the ledger before it is returned.
            allow_private_addresses: Also go to nodes on loopback and in private networks: for trying things
                out, and where nobody but you hands this vendor invitations.
            ambient: Clock and randomness.
            transport: Reaches the nodes, and decides to which addresses it goes; None: over HTTP. See
                ``testing``.
        """
        self._ambient = ambient or Ambient()
        self._transport: Sends = (
            Transport(self._ambient, allow_private_addresses=allow_private_addresses)
            if transport is None
            else transport
        )
        self._outside = Outside(
            identity=identity,
            transport=self._transport,
            ambient=self._ambient,
            keeping=keeping if keeping is not None else KeptInMemory(),
        )
        self._taken = Taken(self._outside, verify=verify)

    @property
    def identity(self) -> VendorIdentity:
        """Who asks and reads."""
        return self._outside.identity

    async def __aenter__(self) -> Self:
        """Open the session."""
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        await self._transport.__aexit__(kind, error, trace)

    async def ask(
        self,
        invitation: str,
        permissions: Sequence[Permission | Document],
        expires_s: int,
        *,
        benefit: str | None = None,
        contact: str | None = None,
    ) -> PendingRequest:
        """Send a signed request to an invitation that a person handed out.

        Args:
            invitation: Its URL.
            permissions: What is asked; as JSON documents, they are parsed first.
            expires_s: When the access asked for ends, Unix seconds.
            benefit: What the person gets in return.
            contact: Where a person can ask back.

        Raises:
            MalformedError: And its subclasses: the invitation or a permission does not have its form.
            IncompleteRequestError: No purpose, retention, or an end that is none.
            NotFoundError: The invitation was used, is too old, or never was.
            UnreachableError: No answer came; ``waiting`` has the request, and it may have arrived.
            FreeholdError: What else the node answered.
            VendorError: Likewise.
        """
        origin_of(invitation)
        now_s = self._ambient.now_s()
        request = sign_request(
            self.identity.key,
            request_id=self._ambient.new_uuid(),
            nonce=self._ambient.new_nonce(),
            name=self.identity.name,
            permissions=tuple(
                one if isinstance(one, Permission) else Permission.from_dict(one) for one in permissions
            ),
            created_s=now_s,
            expires_s=expires_s,
            benefit=benefit,
            contact=contact,
            method=self.identity.method,
        )
        request.verify(now_s=now_s, key_of=self.identity.key_of)
        pending = PendingRequest(
            self._outside, self._taken, HeldRequest(request=request, invitation=invitation)
        )
        await pending.send()
        return pending

    async def accept(self, document: Json) -> Access:
        """Take up, as a partner, what a vendor delegated to us; the same again gives the same access.

        Args:
            document: The delegation, as ``Delegation.to_dict`` gave it to the vendor.

        Raises:
            ControllerError: It is for another key than ours.
            FreeholdError: Others: it does not hold.
        """
        delegation = Delegation.from_dict(document)
        if delegation.capability.controller != self.identity.key.public:
            raise ControllerError("the delegation is for another key than ours")
        held = HeldDelegation(delegation=delegation)
        kept = [one for one in await self._outside.keeping.load() if one.key == held.key]
        return await self._taken.take_up(kept[0] if kept else held)

    async def moved(self, document: Json) -> Access:
        """Follow a grant to where the person says that it is reached now; return the access to it.

        Args:
            document: As for ``Access.moved``, where it is not known which grant it is about.

        Raises:
            NotFoundError: It is about no grant of ours.
            FreeholdError: Others, as Access.moved.
            VendorError: As Access.moved.
        """
        about = grant_of(document)
        for access in await self.accesses():
            if not access.is_partner and access.grant.rpartition("/")[2] == about:
                await access.moved(document)
                return access
        raise NotFoundError("the statement is about no grant of ours")

    async def waiting(self) -> tuple[PendingRequest, ...]:
        """Return the requests, of this process and of earlier ones, on which no decision was seen yet."""
        held = await self._outside.keeping.load()
        return tuple(
            PendingRequest(self._outside, self._taken, one)
            for one in held
            if isinstance(one, HeldRequest) and not one.versions
        )

    async def accesses(self) -> tuple[Access, ...]:
        """Return what is held, of this process and of earlier ones: grants, and delegations to us."""
        held = await self._outside.keeping.load()
        return tuple(
            self._taken.access_to(one) for one in held if isinstance(one, HeldDelegation) or one.versions
        )
