"""One situation: a fresh client, a fresh pretended node, and what is asked of the first in front of the second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..check import Failed, Skipped, expect
from ..hands.encoding import Document
from ..hands.keys import Key
from .adapter import Adapter, AdapterError, NotImplementedByAdapter, Said
from .node import PretendNode
from .relation import CIRCLE, DELIVERY, asked_permissions, until_s
from .server import Came, Reply, Server
from .told import matching_code
from .wire import faults_on_the_wire

PATIENCE_S: Final = 2.0
"""What a client is asked to wait for an answer at most, so that situations do not last."""
MARGIN_S: Final = 4.0
RETURN_TO: Final = "https://shop.example/returned?cart=7"
"""A page of the client's, to which a browser comes back."""
REQUIRED: Final = frozenset({"begin", "ask", "decision", "read", "look", "ledger"})
"""Verbs without which nothing can be judged."""
_OF_THE_NODE: Final = ("@context", "issuer", "version", "proof")
"""Members of a released document that an adapter need not repeat."""


@dataclass(slots=True)
class Elsewhere:
    """Another address, where nothing of the person's should arrive."""

    server: Server
    came: list[Came]

    @property
    def origin(self) -> str:
        return self.server.origin


@dataclass(slots=True)
class Play:
    """What a situation works with.

    Attributes:
        did: The client's, as its adapter says.
        partner: The suite's own key, a recipient of the first permission.
        patience_s: How long the client waits for one answer, seconds.
        margin_s: What is added to it before the client is taken to hang, seconds.
        most_requests: More than this in one situation is hammering.
    """

    node: PretendNode
    adapter: Adapter
    partner: Key = field(default_factory=Key.fresh)
    did: str = ""
    patience_s: float = PATIENCE_S
    margin_s: float = MARGIN_S
    most_requests: int = 80
    others: list[PretendNode] = field(default_factory=list)
    elsewhere: list[Elsewhere] = field(default_factory=list)

    async def begin(self) -> None:
        """Have the client forget everything and take a new key."""
        said = await self._do("begin", patience=self.patience_s, within_s=20.0)
        self.did = str(said.took.get("did", ""))
        patience = said.took.get("patience")
        if isinstance(patience, int | float):
            self.patience_s = max(self.patience_s, float(patience))
        expect(self.did.startswith("did:key:z6Mk"), "begin: the client does not say its did:key")

    async def end(self) -> None:
        """Close every address."""
        for node in (self.node, *self.others):
            await node.stop()
        for other in self.elsewhere:
            await other.server.stop()

    def judge_wire(self) -> None:
        """Raise Failed for what the client sent and no client may send, whatever the situation was about."""
        sent = [one for node in (self.node, *self.others) for one in node.seen]
        faults = faults_on_the_wire(sent, most=self.most_requests)
        faults += [
            ("CLT-2", f"{came.method} with a signature or a capability to another address")
            for other in self.elsewhere
            for came in other.came
            if any(came.header(name) for name in ("signature", "capability-invocation", "authorization"))
        ]
        if faults:
            requirement, what = faults[0]
            raise Failed(f"on the wire, {requirement}: {what}")

    # Verbs

    async def _do(self, verb: str, *, within_s: float | None = None, **members: Any) -> Said:
        within_s = 4 * self.patience_s + self.margin_s if within_s is None else within_s
        told = {name: value for name, value in members.items() if value is not None}
        try:
            return await self.adapter.do(verb, within_s=within_s, **told)
        except NotImplementedByAdapter:
            if verb in REQUIRED:
                raise Failed(f"the adapter does not implement {verb}, which every adapter must") from None
            raise Skipped(f"the adapter does not implement {verb}") from None
        except AdapterError as error:
            raise Failed(str(error)) from None

    async def ask(self, invitation: str | None = None, **members: Any) -> Said:
        told = {"permissions": asked_permissions(self.partner.did), "expires": until_s(60)} | members
        return await self._do(
            "ask", invitation=self.node.invitation if invitation is None else invitation, **told
        )

    async def connect(self, **members: Any) -> Said:
        """Have the client make the form that a browser carries to the node."""
        told = {
            "node": self.node.origin, "permissions": asked_permissions(self.partner.did), "expires": until_s(60),
            "returnTo": RETURN_TO,
        } | members  # fmt: skip
        return await self._do("connect", **told)

    async def returned(self, query: Mapping[str, str], challenge: str | None) -> Said:
        """Have a browser, in whose session this challenge is kept, come back to the client's page."""
        return await self._do("returned", query=dict(query), challenge=challenge)

    async def decision(self, seconds: float = 1) -> Said:
        return await self._do("decision", seconds=seconds)

    async def read(self, permission: str = DELIVERY, **members: Any) -> Said:
        """Read one page, or the record of ``alias``."""
        return await self._do("read", permission=permission, **members)

    async def list(self, permission: str = CIRCLE, *, limit: int = 2) -> Said:
        """Read all pages."""
        return await self._do("list", permission=permission, limit=limit)

    async def reread(self) -> Said:
        """Read what was read last again, if it has changed."""
        return await self._do("reread")

    async def prove(self) -> Said:
        """Prove the ledger's entry of what was read last."""
        return await self._do("prove")

    async def look(self) -> Said:
        """Ask how the grant stands."""
        return await self._do("look")

    async def ledger(self) -> Said:
        """Follow the ledger to its head."""
        return await self._do("ledger")

    async def renew(self) -> Said:
        return await self._do("renew")

    async def delegate(self, partner: str, permission: str = DELIVERY) -> Said:
        return await self._do("delegate", partner=partner, permission=permission)

    async def revoke(self) -> Said:
        """Take back what was delegated last."""
        return await self._do("revoke")

    async def renounce(self) -> Said:
        return await self._do("renounce")

    async def accept(self, **delegation: Any) -> Said:
        """Take up, as a partner, what a vendor delegated."""
        return await self._do("accept", **delegation)

    async def moved(self, statement: Document) -> Said:
        """Hand over a statement of the person's."""
        return await self._do("moved", statement=statement)

    async def accept_restored(self) -> Said:
        """Decide to go on after a restore, as whoever runs the client may."""
        return await self._do("accept-restored")

    async def listen(self, *, events: int, seconds: float, permission: str | None = None) -> Said:
        """Listen until so many events came, the stream is over for good, or the seconds are over."""
        return await self._do(
            "listen",
            within_s=seconds + 2 * self.patience_s + self.margin_s,
            events=events,
            seconds=seconds,
            permission=permission,
        )

    # What is expected

    async def relate(self, **members: Any) -> None:
        """Ask, have it approved, and read once: what every situation begins with."""
        await self.asked(**members)
        decided = await self.decision()
        took(decided, "an honest approval")
        expect(decided.took.get("status") == "approved", "an honest approval is not taken up")
        await self.reads()

    async def asked(self, **members: Any) -> None:
        """Ask at the node's invitation."""
        asked = took(await self.ask(**members), "an honest invitation")
        expect(self.node.relation is not None, "no request arrived")
        code = matching_code(self.node.person.request)
        expect(asked.get("code") == code, "REQ-16: the matching code is not that of the request")

    async def reads(self, permission: str = DELIVERY, **members: Any) -> Document:
        """Read honestly: what comes is what the node showed. Return what the adapter said."""
        said = took(await self.read(permission, **members), f"an honest read of {permission}")
        fields = members.get("fields")
        wanted = self.node.person.shown(permission, fields)
        if "alias" in members:
            wanted = [one for one in wanted if one["id"].endswith(members["alias"])]
        if "limit" not in members and "cursor" not in members:
            expect_records(said.get("records"), wanted)
        return said

    async def refuses(self, doing: Awaitable[Said], what: str) -> str:
        """Do something that must be refused; return why it was."""
        said = await doing
        if said.refused is None:
            raise Failed(f"accepted: {what}")
        return said.refused

    async def refuses_read(self, what: str, permission: str = DELIVERY, **members: Any) -> str:
        return await self.refuses(self.read(permission, **members), what)

    async def refuses_once(self, what: str, permission: str = DELIVERY, **members: Any) -> None:
        """Refuse one read, and read well again once the node is honest."""
        await self.refuses_read(what, permission, **members)
        self.honest()
        await self.reads(permission, **members)

    def honest(self) -> None:
        """Tell no more lies."""
        self.node.lies.clear()
        self.node.twist = None

    async def elsewhere_at(self, host: str = "127.0.0.2") -> Elsewhere:
        """Open another address, which answers everything with an empty object."""
        came: list[Came] = []

        async def answer(one: Came) -> Reply:
            came.append(one)
            return Reply.of({})

        other = Elsewhere(Server(answer, host=host), came)
        await other.server.start()
        self.elsewhere.append(other)
        return other

    async def second_home(self) -> PretendNode:
        """Open another address of the same node, which knows what this one knows."""
        home = PretendNode(relation=self.node.relation)
        await home.start(host="127.0.0.1")
        self.others.append(home)
        return home

    async def until(self, holds: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Wait until something holds; tell whether it came to that."""
        ends_s = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > ends_s:
                return False
            await asyncio.sleep(0.02)
        return True


def took(said: Said, what: str) -> Document:
    """Return what was accepted. Raises Failed if it was refused."""
    if said.refused is not None:
        raise Failed(f"refused: {what} ({said.refused[:200]})")
    return said.took


def expect_records(found: Any, wanted: Sequence[Document]) -> None:
    """Check that these records were accepted and no others, and nothing else of them."""
    expect(isinstance(found, list), "no list of records")
    expect(len(found) == len(wanted), f"{len(found)} records instead of {len(wanted)}")
    for one, other in zip(found, wanted, strict=True):
        expect(isinstance(one, dict), "a record that is no object")
        expect(_bare(one) == _bare(other), "a record is not the one that was sent")


def _bare(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in _OF_THE_NODE}
