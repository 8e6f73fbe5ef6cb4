"""A request that waits for its person, and what makes an approval one that can be relied on.

Spec: specs/http.md#asking
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import open_checkpoint
from freehold_protocol.encoding import Document, Json
from freehold_protocol.grant import read_origin
from freehold_protocol.moved import effective_origins
from freehold_protocol.request import Request, matching_code

from .access import Access
from .connecting import origin_of_status
from .errors import FreeholdError, MalformedError, ReceiptError, RefusedError, UnavailableError
from .held import HeldRequest
from .holder import Outside, with_capability
from .identity import VendorIdentity
from .taken import Taken
from .told import read_told

_INVITATION = re.compile(r"(?P<origin>.{1,300})/i/[A-Za-z0-9_-]{1,64}\Z")
_STATUS = re.compile(r"/requests/[A-Za-z0-9-]{1,64}\Z")
_LEAST_PAUSE_S: Final = 1.0
"""Between two polls of a node that does not wait although it was asked to."""


class PendingRequest:
    """A request that was sent, until the person decides; made by ``Vendor``."""

    def __init__(self, outside: Outside, taken: Taken, held: HeldRequest) -> None:
        self._outside, self._taken, self._held = outside, taken, held

    @property
    def request(self) -> Request:
        """The request as it was signed."""
        return self._held.request

    @property
    def code(self) -> str:
        """The short code, ``1234-5678``, that the person's screen shows too if nobody altered the request."""
        return matching_code(self._held.request.cid)

    async def send(self) -> None:
        """Send the request, unless the node has answered it already. Raises as Vendor.ask.

        One that a browser carries is sent by nobody else: raises TimeoutError until that has come back.
        """
        if self._held.status_url is not None:
            return
        if self._held.invitation is None:
            raise TimeoutError("no browser has come back with this request yet")
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
                call this again, or later from ``Vendor.waiting``. A request that a browser carried is looked at
                once: with the code that it brought it is decided, and without a good one nothing is told.

        Raises:
            TimeoutError: The person has not decided, or the code is not good any more: they can come back with a
                new one. No answer is no approval.
            RefusedError: The person refused.
            ReceiptError: What came as approval does not hold, or is for another request.
            FreeholdError: What else the node answered, or does not hold.
            VendorError: As Vendor.ask.
        """
        if (known := self._taken.known(self._held.key)) is not None:
            return known
        if self._held.versions:
            return self._taken.access_to(self._held)
        await self.send()
        if self._held.invitation is None:
            return await self._told_at_once()
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

    async def forget(self) -> None:
        """Give up on the request, and keep nothing of it; what was granted already stays."""
        if self._taken.known(self._held.key) is None and not self._held.versions:
            await self._outside.keeping.forget(self._held.key)

    async def _told_at_once(self) -> Access:
        found = await self._look(0)
        if found.get("status") == "waiting":
            raise TimeoutError(
                "the node tells nothing for this code: the person can come back with a new one"
            )
        return await self._decided(found)

    async def _look(self, wait_s: int) -> Document:
        url = self._held.status_url or ""
        if self._held.code is not None:
            url += f"?code={self._held.code}"
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
        access = await self._taken.take_up(_approved(self._held, found, self._outside.identity))
        if found.get("more") is True:  # the receipt that came is a beginning
            await access.refresh()
        return access


def origin_of(invitation: str) -> str:
    """Return the origin of the node that an invitation leads to. Raises MalformedError if it is none."""
    match = _INVITATION.match(invitation)
    if match is None:
        raise MalformedError("an invitation is a URL such as https://node.example/i/...")
    return read_origin(match["origin"])


def _status_url(value: Json, invitation: str) -> str:
    """Return where to follow a request: at the node that was asked, nowhere else."""
    origin = origin_of(invitation)
    if not isinstance(value, str) or not value.startswith(origin) or not _STATUS.match(value[len(origin) :]):
        raise MalformedError("the node does not say where to follow the request")
    return value


def _approved(held: HeldRequest, found: Document, identity: VendorIdentity) -> HeldRequest:
    """Return what is held once an approval, as it came, was verified.

    The grant must be for the very request that was sent, and of the very node that was asked: else somebody
    stood between and passed on another person's approval.
    """
    told = read_told(found, request=held.request)
    grant = told.versions[-1]
    origin = (
        origin_of(held.invitation) if held.invitation is not None else origin_of_status(held.status_url or "")
    )
    if origin not in effective_origins(grant, told.moved):
        raise ReceiptError("the approval is another node's than the one that was asked")
    if told.more:  # checkpoint and capability may be of keys and an end that only a later version names
        return replace(held, versions=told.versions, origin=origin)
    note = found.get("checkpoint")
    if not isinstance(note, str):
        raise MalformedError("an approval comes with a checkpoint")
    open_checkpoint(note, origin=grant.log, key=grant.serving_key)
    held = replace(held, versions=told.versions, moved=told.moved, origin=origin, checkpoint=note)
    if "capability" not in found:  # approved, and paused or ended since
        return held
    return with_capability(held, found["capability"], identity)
