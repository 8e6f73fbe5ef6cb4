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

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import open_checkpoint
from freehold_protocol.encoding import Document, Json
from freehold_protocol.grant import read_origin
from freehold_protocol.permission import Permission
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request, matching_code, sign_request

from .access import Access, Verify
from .ambient import Ambient
from .delegation import Delegation
from .errors import (
    ControllerError,
    FreeholdError,
    MalformedError,
    ReceiptError,
    RefusedError,
    UnavailableError,
)
from .held import Held, HeldDelegation, HeldRequest, Keeping, KeptInMemory
from .holder import Holder, Outside, with_capability
from .identity import VendorIdentity
from .transport import Transport

_INVITATION = re.compile(r"(?P<origin>.{1,300})/i/[A-Za-z0-9_-]{1,64}\Z")
_STATUS = re.compile(r"/requests/[A-Za-z0-9-]{1,64}\Z")
_LEAST_PAUSE_S: Final = 1.0
"""Between two polls of a node that does not wait although it was asked to."""


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
    ) -> None:
        """Prepare; nothing is opened before ``async with``.

        Args:
            identity: Who asks and reads.
            keeping: Where requests, receipts and checkpoints are kept; None: in memory, until the end.
            verify: Whether each read is checked against the ledger before it is returned.
            allow_private_addresses: Also go to nodes on loopback and in private networks: for trying things
                out, and where nobody but you hands this vendor invitations.
            ambient: Clock and randomness.
        """
        self._ambient = ambient or Ambient()
        self._transport = Transport(self._ambient, allow_private_addresses=allow_private_addresses)
        self._outside = Outside(
            identity=identity,
            transport=self._transport,
            ambient=self._ambient,
            keeping=keeping if keeping is not None else KeptInMemory(),
        )
        self._verify = verify
        self._accesses: dict[str, Access] = {}
        self._taking_up = asyncio.Lock()

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
        _origin_of(invitation)
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
        )
        request.verify(now_s=now_s)
        pending = PendingRequest(self, self._outside, HeldRequest(request=request, invitation=invitation))
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
        return await self.take_up(kept[0] if kept else held)

    async def waiting(self) -> tuple[PendingRequest, ...]:
        """Return the requests, of this process and of earlier ones, on which no decision was seen yet."""
        held = await self._outside.keeping.load()
        return tuple(
            PendingRequest(self, self._outside, one)
            for one in held
            if isinstance(one, HeldRequest) and not one.versions
        )

    async def accesses(self) -> tuple[Access, ...]:
        """Return what is held, of this process and of earlier ones: grants, and delegations to us."""
        held = await self._outside.keeping.load()
        return tuple(self._access_to(one) for one in held if isinstance(one, HeldDelegation) or one.versions)

    def known(self, key: str) -> Access | None:
        """Return the access to what is held under a key, if it was taken up already."""
        return self._accesses.get(key)

    async def take_up(self, held: Held) -> Access:
        """Keep what came, and return the access to it; what is known already is not set back."""
        async with self._taking_up:
            if held.key not in self._accesses:
                await self._outside.keeping.save(held)
            return self._access_to(held)

    def _access_to(self, held: Held) -> Access:
        """Return the one access to what is held, so that all its users follow one ledger."""
        if held.key not in self._accesses:
            self._accesses[held.key] = Access(Holder(self._outside, held), verify=self._verify)
        return self._accesses[held.key]


class PendingRequest:
    """A request that was sent, until the person decides; made by ``Vendor``."""

    def __init__(self, vendor: Vendor, outside: Outside, held: HeldRequest) -> None:
        self._vendor, self._outside, self._held = vendor, outside, held

    @property
    def request(self) -> Request:
        """The request as it was signed."""
        return self._held.request

    @property
    def code(self) -> str:
        """The short code, ``1234-5678``, that the person's screen shows too if nobody altered the request."""
        return matching_code(self._held.request.cid)

    async def send(self) -> None:
        """Send the request, unless the node has answered it already. Raises as Vendor.ask."""
        if self._held.status_url is not None:
            return
        keeping = self._outside.keeping
        await keeping.save(self._held)  # first: if no answer comes, it may still have arrived
        try:
            answer = await self._outside.transport.send(
                "POST",
                self._held.invitation,
                headers={"Content-Type": "application/json"},
                body=jcs(self._held.request.document),
                repeat=True,  # a node answers the same request at the same invitation in the same way
            )
            status_url = _status_url(answer.document().get("request"), self._held.invitation)
        except UnavailableError:
            raise  # whether the node took it in is not known
        except FreeholdError:
            await keeping.forget(self._held.key)
            raise
        self._held = replace(self._held, status_url=status_url)
        await keeping.save(self._held)

    async def decision(self, *, timeout_s: float | None = None) -> Access:
        """Wait for the person, and return the access that was approved, verified.

        Args:
            timeout_s: How long to wait; 0: look once; None: as long as it takes. A person may take days:
                call this again, or later from ``Vendor.waiting``.

        Raises:
            TimeoutError: The person has not decided. No answer is no approval.
            RefusedError: The person refused.
            ReceiptError: What came as approval does not hold, or is for another request.
            FreeholdError: What else the node answered, or does not hold.
            VendorError: As Vendor.ask.
        """
        if (known := self._vendor.known(self._held.key)) is not None:
            return known
        await self.send()
        steady_s = self._outside.ambient.steady_s
        deadline = None if timeout_s is None else steady_s() + timeout_s
        while True:
            began = steady_s()
            left = limits.MAX_WAIT_S if deadline is None else max(0.0, deadline - began)
            wait_s = min(limits.MAX_WAIT_S, int(left))
            found = await self._look(wait_s)
            if found.get("status") != "waiting":
                return await self._decided(found)
            if deadline is not None and steady_s() >= deadline:
                raise TimeoutError("the person has not decided yet")
            if steady_s() - began < _LEAST_PAUSE_S:
                await self._outside.ambient.sleep(min(_LEAST_PAUSE_S, left))

    async def _look(self, wait_s: int) -> Document:
        url = self._held.status_url or ""
        answer = await self._outside.transport.send(
            "GET",
            url,
            sign=self._outside.signing_as_did("GET", url),
            headers={"Prefer": f"wait={wait_s}"} if wait_s else None,
            wait_s=wait_s,
        )
        return answer.document()

    async def _decided(self, found: Document) -> Access:
        status, reason = found.get("status"), found.get("reason")
        if status == "refused":
            await self._outside.keeping.forget(self._held.key)
            raise RefusedError(reason if isinstance(reason, str) else None)
        if status != "approved":
            raise MalformedError("a request is waiting, refused or approved")
        return await self._vendor.take_up(_approved(self._held, found, self._outside.identity))


def _origin_of(invitation: str) -> str:
    match = _INVITATION.match(invitation)
    if match is None:
        raise MalformedError("an invitation is a URL such as https://node.example/i/...")
    return read_origin(match["origin"])


def _status_url(value: Json, invitation: str) -> str:
    """Return where to follow a request: at the node that was asked, nowhere else."""
    origin = _origin_of(invitation)
    if not isinstance(value, str) or not value.startswith(origin) or not _STATUS.match(value[len(origin) :]):
        raise MalformedError("the node does not say where to follow the request")
    return value


def _approved(held: HeldRequest, found: Document, identity: VendorIdentity) -> HeldRequest:
    """Return what is held once an approval, as it came, was verified.

    The grant must be for the very request that was sent, and of the very node that was asked: else somebody
    stood between and passed on another person's approval.
    """
    receipt = Receipt.from_dict(found.get("receipt"))
    grant = receipt.verify()
    origin = _origin_of(held.invitation)
    if receipt.request.cid != held.request.cid:
        raise ReceiptError("the approval is for another request")
    if origin not in grant.origins:
        raise ReceiptError("the approval is another node's than the one that was asked")
    note = found.get("checkpoint")
    if not isinstance(note, str):
        raise MalformedError("an approval comes with a checkpoint")
    open_checkpoint(note, origin=grant.log, key=grant.serving_key)
    held = replace(held, versions=receipt.versions, origin=origin, checkpoint=note)
    if "capability" not in found:  # approved, and paused or ended since
        return held
    return with_capability(held, found["capability"], identity)
