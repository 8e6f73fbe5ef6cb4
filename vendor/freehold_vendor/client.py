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

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from freehold_protocol.connect import CHALLENGE, Connect
from freehold_protocol.encoding import Document, Json
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request, sign_request

from .access import Access, Verify
from .ambient import Ambient
from .connecting import ConnectRequest, connect_request, read_node_address, read_returned
from .delegation import Delegation
from .errors import ControllerError, NotFoundError, OtherBrowserError
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
        terms: str | None = None,
        contact: str | None = None,
    ) -> PendingRequest:
        """Send a signed request to an invitation that a person handed out.

        Args:
            invitation: Its URL.
            permissions: What is asked; as JSON documents, they are parsed first.
            expires_s: When the access asked for ends, Unix seconds.
            benefit: What the person gets in return.
            terms: The terms that you accept, in a line of at most 300 characters.
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
        request = self._signed(permissions, expires_s, benefit=benefit, terms=terms, contact=contact)
        pending = PendingRequest(
            self._outside, self._taken, HeldRequest(request=request, invitation=invitation)
        )
        await pending.send()
        return pending

    async def connect(
        self,
        node: str,
        permissions: Sequence[Permission | Document],
        expires_s: int,
        *,
        return_to: str,
        benefit: str | None = None,
        terms: str | None = None,
        contact: str | None = None,
    ) -> ConnectRequest:
        """Make a signed request for the browser in front of your page to carry to the person's node.

        Nothing is sent. The request is kept; when the browser comes to ``return_to``, give ``returned`` what it brings.

        Args:
            node: Where the person says that their node is, as they typed it; see ``read_node_address``.
            permissions: As for ``ask``.
            expires_s: As for ``ask``.
            return_to: The page to come back to: under the domain of a did:web; else any at https, or at http on a
                literal loopback address.
            benefit: As for ``ask``.
            terms: As for ``ask``.
            contact: As for ``ask``.

        Raises:
            MalformedError: And its subclasses: no address of a node, no page to come back to, or a permission that
                does not have its form.
            IncompleteRequestError: No purpose, retention, or an end that is none.
        """
        origin = read_node_address(node)
        connect = Connect(return_to=return_to, challenge=self._ambient.new_nonce())
        request = self._signed(
            permissions, expires_s, benefit=benefit, terms=terms, contact=contact, connect=connect
        )
        await self._outside.keeping.save(HeldRequest(request=request, invitation=None))
        return connect_request(origin, request)

    async def returned(self, query: Mapping[str, str], *, challenge: str | None) -> PendingRequest:
        """Take what a browser brought back to the page of ``connect``; its ``decision`` is the person's.

        Args:
            query: Of that page, decoded: a mapping of names to values.
            challenge: As the session of this very browser keeps it; None: it keeps none. It must come from nowhere
                else, or somebody's approval is taken for another's.

        Raises:
            OtherBrowserError: The request was given to another browser, and is given up. Connect nobody with it.
            NotFoundError: It is not kept (any more).
            MalformedError: What came is not what a node adds to the page's query.
        """
        try:
            back = read_returned(query, challenge=challenge)
        except OtherBrowserError:
            # Whoever began it could still get at the code, which has come to a browser that is not theirs.
            other = await self._carried(query.get(CHALLENGE))
            if other is not None and not other.versions:
                await self._outside.keeping.forget(other.key)
            raise
        held = await self._carried(back.challenge)
        if held is None:
            raise NotFoundError("no request of ours waits for this browser")
        if not held.versions:
            held = replace(held, status_url=back.status_url, code=back.code)
            await self._outside.keeping.save(held)
        return PendingRequest(self._outside, self._taken, held)

    async def _carried(self, challenge: str | None) -> HeldRequest | None:
        """Return what is held of the request with this challenge."""
        for held in await self._outside.keeping.load():
            connect = held.request.connect if isinstance(held, HeldRequest) else None
            if isinstance(held, HeldRequest) and connect is not None and connect.challenge == challenge:
                return held
        return None

    def _signed(
        self,
        permissions: Sequence[Permission | Document],
        expires_s: int,
        *,
        benefit: str | None,
        terms: str | None,
        contact: str | None,
        connect: Connect | None = None,
    ) -> Request:
        """Return a request of ours that holds now. Raises as ask."""
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
            terms=terms,
            contact=contact,
            connect=connect,
            method=self.identity.method,
        )
        request.verify(now_s=now_s, key_of=self.identity.key_of)
        return request

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
