"""What a check plays on: the node, its owner, and relationships made for the check alone."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..check import Failed, expect_status, object_of
from ..hands import message, proof
from ..hands.encoding import Document, Json, jcs, xsd_time
from ..hands.keys import Key
from ..wire import Answer, Wire
from .holder import Holder
from .owner import Owner

_Made = TypeVar("_Made")

DAY_S = 86_400


@dataclass(slots=True)
class Stage:
    """One node, in one run of the suite.

    Attributes:
        restart: Kills the node and starts it anew, where the run was given a way to do so.
        seed: By which messages are spoiled.
    """

    wire: Wire
    owner: Owner
    restart: Callable[[], Awaitable[None]] | None = None
    seed: int = 1
    _made: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The node's own origin."""
        return self.owner.session.origin

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()

    async def once(self, name: str, make: Callable[[], Awaitable[_Made]]) -> _Made:
        """Return what ``make`` made when this name was first asked for in this run.

        For what several checks look at and none changes.
        """
        if name not in self._made:
            self._made[name] = asyncio.ensure_future(make())
        found: _Made = await asyncio.shield(self._made[name])
        return found

    def forget(self) -> None:
        """Have all that ``once`` made be made anew: a check is about to take it away."""
        self._made.clear()

    async def person(self, **content: Json) -> Shown:
        """Add a record of its own kind for a check: a Person whose ``jobTitle`` is drawn at random."""
        tag = secrets.token_hex(8)
        whole: Document = {"type": "Person", "jobTitle": tag, **content}
        return Shown(id=await self.owner.add(whole), tag=tag, content=whole)

    async def self_record(self) -> Shown:
        """Return the person's own record; one is made and chosen if this run has none yet."""
        return await self.once("self", self._choose_self)

    async def _choose_self(self) -> Shown:
        made = await self.person(
            name="Ada Example",
            email="ada@example.com",
            telephone="+44 1632 960001",
            address={"type": "PostalAddress", "streetAddress": "1 Analytical Row", "postalCode": "EX1 2AB"},
        )
        await self.owner.choose_self(made.id)
        return made

    # Asking

    def request(
        self, key: Key, permissions: Iterable[Document], *, signing: Document | None = None, **members: Json
    ) -> Document:
        """Return a signed request; ``members`` take the place of its own, and None leaves one out.

        ``signing`` are arguments of proof.sign.
        """
        now = self.now()
        made: Document = {
            "@context": proof.CONTEXT,
            "type": "AccessRequest",
            "id": f"urn:uuid:{uuid.uuid4()}",
            "nonce": secrets.token_urlsafe(24),
            "created": xsd_time(now),
            "expires": xsd_time(now + 30 * DAY_S),
            "assignee": {"id": key.did, "type": "Organization", "name": "Conformance Shop"},
            "permission": list(permissions),
        }
        made = {name: value for name, value in (made | members).items() if value is not None}
        options: dict[str, Any] = {"created": made.get("created")} | (signing or {})
        return proof.sign(made, key, **options)

    async def post_request(self, invitation: str, request: Document) -> Answer:
        """Send a request to the path of an invitation."""
        body = jcs(request)
        return await self.wire.send("POST", invitation, {"content-type": "application/json"}, body)

    async def ask(self, key: Key, permissions: Iterable[Document], **members: Json) -> Asked:
        """Invite and ask, by a request that must be taken."""
        request = self.request(key, permissions, **members)
        answer = await self.post_request(await self.owner.invite(), request)
        told = object_of(expect_status(answer, 202))
        return Asked(stage=self, key=key, request=request, told=told)

    async def relate(
        self,
        permissions: Iterable[Document],
        *,
        given: Iterable[Document] | None = None,
        key: Key | None = None,
        expires_s: float | None = None,
        begins_s: float | None = None,
        **members: Json,
    ) -> Holder:
        """Make a relationship: ask, approve, and return the vendor with its capability.

        ``given`` is what is approved, if not all that is asked; ``begins_s`` and ``expires_s`` are when the grant
        begins and ends, if not at once and as asked.
        """
        wanted = list(permissions)
        asked = await self.ask(key or Key.fresh(), wanted, **members)
        times = {"notBefore": begins_s, "expires": expires_s}
        more = {name: xsd_time(at_s) for name, at_s in times.items() if at_s is not None}
        await self.owner.approve(asked.id, wanted if given is None else given, **more)
        return await asked.holder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A record made for a check: its id, what it holds, and the ``jobTitle`` that no other record has."""

    id: str
    tag: str
    content: Document

    def permission(self, name: str, fields: Iterable[str], **more: Json) -> Document:
        """Return a permission on this record and no other."""
        return permission(name, fields, about="any", where={"jobTitle": self.tag}, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was taken, and what the node answered."""

    stage: Stage
    key: Key
    request: Document
    told: Document

    @property
    def path(self) -> str:
        """Where the request is followed."""
        return urlsplit(self.told["request"]).path

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    async def follow(
        self, *, key: Key | None = None, headers: dict[str, str] | None = None, **signing: Any
    ) -> Answer:
        """Ask how the request stands, signed by the vendor's DID or by that of key."""
        given: dict[str, Any] = {"created_s": self.stage.now()} | signing
        uri = given.pop("uri", self.told["request"])
        signed = message.sign(key or self.key, given.pop("tag", message.DID), "GET", uri, **given)
        query = urlsplit(self.told["request"]).query
        path = f"{self.path}?{query}" if query else self.path
        return await self.stage.wire.send("GET", path, signed | (headers or {}))

    async def holder(self, **signing: Any) -> Holder:
        """Return the vendor with the capability of its approved request; ``signing`` as for follow."""
        told = object_of(expect_status(await self.follow(**signing), 200))
        if told.get("status") != "approved" or "capability" not in told:
            raise Failed(f"the approved request is {told.get('status')!r}, without a capability")
        grant = urlsplit(told["grant"])
        return Holder(
            wire=self.stage.wire,
            key=self.key,
            capability=told["capability"],
            origin=f"{grant.scheme}://{grant.netloc}",
            grant=grant.path.rpartition("/")[2],
        )


def permission(
    name: str,
    fields: Iterable[str],
    *,
    purpose: str = "dpv:DeliveryOfGoods",
    retention: str = "P30D",
    **more: Json,
) -> Document:
    """Return a permission; ``type``, ``about``, ``where`` and ``newRecords`` are members of its one item."""
    item: Document = {"type": more.pop("type", "Person"), "fields": list(fields)}
    item |= {member: more.pop(member) for member in ("about", "where", "newRecords") if member in more}
    return {"name": name, "items": [item], "purpose": [purpose], "retention": retention, **more}
