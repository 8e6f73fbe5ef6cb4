"""A person who is only pretended, and does what a test tells them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from freehold_protocol.encoding import Document
from freehold_protocol.grant import Change, read_origin
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request

from ..ambient import Ambient
from ..connecting import ConnectRequest
from .clock import PretendClock, ambient_of
from .faults import Fault
from .given import Given, chosen
from .grant import US, PretendGrant
from .node import Asked, PretendNode
from .records import Records
from .transport import PretendTransport


class PretendPerson:
    """A person with records, and a node in memory that speaks the real protocol.

    Attributes:
        origin: Where the node is said to be.
        clock: The node's and, through ``ambient``, the vendor's.
        when_asked: Called with the code of each request as it comes in; ``person.when_asked = person.approve``
            for code that asks and waits in one step. None: the test decides by itself.
    """

    def __init__(
        self,
        records: Records,
        *,
        clock: PretendClock | None = None,
        origin: str = "https://person.example",
        seed: int = 0,
    ) -> None:
        """Begin with records, and with nobody who knows of them.

        Args:
            records: By type what a record says, or what several say; the first ``Person`` is the person. Plain
                JSON-LD without ids: nodes within have their ``type``.
            clock: To be shared by several persons; None: one of their own.
            origin: Of the node; another for each person that a vendor is to know.
            seed: Decides all keys, ids and nonces.

        Raises:
            ValueError: No node could hold such a record.
            MalformedError: The origin is none.
        """
        self.origin, self.clock = read_origin(origin), clock or PretendClock()
        self.when_asked: Callable[[str], object] | None = None
        drawn = random.Random(f"{origin} {seed}")  # noqa: S311 - of a test, where nothing is to be kept secret
        self._ambient = ambient_of(self.clock, f"vendor of {origin} {seed}")
        self._faults: list[Fault] = []
        self._node = PretendNode(
            records, self.clock, origin=self.origin, random_bytes=drawn.randbytes, asked=self._was_asked
        )

    # For the vendor

    @property
    def transport(self) -> PretendTransport:
        """A way to this person's node, for one ``Vendor``."""
        return PretendTransport([(self._node, self._faults)])

    @property
    def ambient(self) -> Ambient:
        """Clock and randomness for vendors, the same at every run."""
        return self._ambient

    def invite(self) -> str:
        """Hand out an invitation, good for one request within seven days; return its URL."""
        with self._node.lock:
            return self._node.invite()

    def carry(self, made: ConnectRequest) -> str:
        """Let the person's browser carry the form of ``Vendor.connect`` to their node; return the request's code.

        Raises:
            FreeholdError: The node does not take it in.
        """
        with self._node.lock:
            return self._node.carry(made.request).code

    def send_back(self, code: str) -> str:
        """Return the URL to which the browser goes with the decision, for ``Vendor.returned``; each has a new code.

        Raises:
            TransitionError: No browser carried the request, it is not decided, or the vendor was told.
            ValueError: Nobody asked under this code.
        """
        with self._node.lock:
            return self._node.send_back(self._asked(code))

    # Decisions

    @property
    def waiting(self) -> tuple[str, ...]:
        """The codes of the requests that wait for a decision."""
        with self._node.lock:
            return tuple(one.code for one in self._node.asked.values() if one.status == "waiting")

    def request(self, code: str) -> Request:
        """Return what was asked under a code. Raises ValueError if nobody did."""
        return self._asked(code).request

    def approve(
        self,
        code: str,
        given: Given = None,
        *,
        expires_s: int | None = None,
        not_before_s: int | None = None,
    ) -> str:
        """Approve a request; return the URL of the grant.

        Args:
            code: As the vendor sees it.
            given: None: all that was asked. ``{"delivery": ["name"]}``: these fields of these permissions. Or
                permissions, whole.
            expires_s: The end; None: as asked.
            not_before_s: The beginning; None: now.

        Raises:
            WidenedError: It is more than was asked.
            TransitionError: It was decided already.
            ValueError: Nobody asked under this code, or for such a permission or field.
        """
        with self._node.lock:
            asked = self._asked(code)
            permissions = chosen(asked.request.permissions, given)
            end_s = asked.request.expires_s if expires_s is None else expires_s
            grant = self._node.approve(asked, permissions, expires_s=end_s, not_before_s=not_before_s)
            return f"{self.origin}/g/{grant.id}"

    def refuse(self, code: str, reason: str | None = None) -> None:
        """Refuse a request. Raises TransitionError and ValueError as approve."""
        with self._node.lock:
            self._node.refuse(self._asked(code), reason)

    def _asked(self, code: str) -> Asked:
        found = [one for one in self._node.asked.values() if one.code == code]
        if not found:
            raise ValueError("nobody asked under this code")
        return found[0]

    def _was_asked(self, asked: Asked) -> None:
        if self.when_asked is not None:
            self.when_asked(asked.code)

    # What becomes of a grant; ``grant`` is its URL, and None where there is but one

    def narrow(self, given: Given = None, *, expires_s: int | None = None, grant: str | None = None) -> None:
        """Leave only what is given, of what is given now, or let it end sooner.

        Raises:
            WidenedError: It adds.
            TransitionError: The grant is not in a state for it.
            ValueError: There is no such grant, permission or field; or there are several grants.
        """
        self._change("narrow", grant, given, expires_s)

    def widen(self, given: Given = None, *, expires_s: int | None = None, grant: str | None = None) -> None:
        """Give what is given, of what was asked; None: all of it. Raises as narrow."""
        self._change("widen", grant, given, expires_s)

    def pause(self, grant: str | None = None) -> None:
        """Pause. Raises TransitionError and ValueError as narrow."""
        self._change("pause", grant)

    def resume(self, grant: str | None = None) -> None:
        """Let it go on. Raises as pause."""
        self._change("resume", grant)

    def end(self, grant: str | None = None) -> None:
        """End the relationship, for good. Raises as pause."""
        self._change("end", grant)

    def expire(self, grant: str | None = None) -> None:
        """Let the time pass until the grant is over. Raises ValueError as narrow."""
        with self._node.lock:
            left_us = self._grant(grant).newest.expires_s * US - self.clock.now_us
            self.pass_time(max(0, left_us) / US)

    def revoke(self, partner: str, grant: str | None = None) -> None:
        """Cut off a partner, by its DID, and whatever it delegated. Raises ValueError as narrow."""
        with self._node.acting():
            self._grant(grant).revoke(partner, self.clock.now_us, seen_by=(partner,))

    def ledger(self, grant: str | None = None) -> tuple[Document, ...]:
        """Return every entry of a grant's ledger, as the person reads them. Raises ValueError as narrow."""
        with self._node.lock:
            self._node.tick()
            return tuple(dict(line.entry) for line in self._grant(grant).ledger.lines)

    def _change(
        self, change: Change, url: str | None, given: Given = None, expires_s: int | None = None
    ) -> None:
        with self._node.acting():
            self._node.tick()
            grant = self._grant(url)
            permissions: tuple[Permission, ...] | None = None
            if change in ("narrow", "widen"):
                of = grant.newest if change == "narrow" else grant.request
                permissions = chosen(of.permissions, given)
            self._node.change(grant, change, permissions=permissions, expires_s=expires_s)

    def _grant(self, url: str | None) -> PretendGrant:
        grants = self._node.grants
        if url is None:
            if len(grants) != 1:
                raise ValueError(f"there are {len(grants)} grants: say which, by its URL")
            return next(iter(grants.values()))
        found = grants.get(url.removeprefix(f"{self.origin}/g/"))
        if found is None:
            raise ValueError("there is no such grant")
        return found

    # Records

    def edit(self, record: str | None = None, /, **members: object) -> None:
        """Change members of a record, the person's own if none is named; None takes a member out.

        Raises:
            ValueError: There is no such record, or no node could hold what it would say.
        """
        with self._node.acting():
            self._node.edit_record(record, members)

    def add(self, kind: str, content: Mapping[str, object]) -> str:
        """Add a record of a type; return its id, which no vendor sees. Raises ValueError as edit."""
        with self._node.acting():
            return self._node.add_record(kind, content)

    def remove(self, record: str) -> None:
        """Delete a record. Raises ValueError as edit."""
        with self._node.acting():
            self._node.remove_record(record)

    # Time, and what goes wrong

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and what is due come about."""
        with self._node.acting():
            self.clock.advance(seconds)
            self._node.tick()

    def next_answer(self, *faults: Fault) -> None:
        """Let the next answers go wrong, one by each fault: see ``faults``."""
        with self._node.lock:
            self._faults.extend(faults)


def transport_to(*persons: PretendPerson) -> PretendTransport:
    """Return one vendor's way to several persons, each at an origin of their own."""
    origins: Sequence[str] = [person.origin for person in persons]
    if len(set(origins)) != len(origins):
        raise ValueError("two persons have the same origin")
    return PretendTransport([(one._node, one._faults) for one in persons])  # noqa: SLF001 - of this class
