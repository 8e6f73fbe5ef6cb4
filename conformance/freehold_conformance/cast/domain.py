"""Vendors and partners that a DID document vouches for: the suite publishes it at a loopback address, or does worse.

A node looks there only where it was told to look up private hosts, as the profile ``did-web`` asks for.

Spec: specs/identity.md#did-documents
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..check import expect_status, object_of
from ..hands.encoding import Document, Json
from ..hands.keys import Key
from ..wire import Answer
from .holder import Holder
from .stage import Asked, Stage

USES: Final = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")
Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes a whole answer."""


def document_of(did: str, *keys: Key, **members: Json) -> Document:
    """Return the document of a DID with these keys, ``#key-1``, ``#key-2``, ..., each for every use."""
    names = [f"{did}#key-{number}" for number in range(1, len(keys) + 1)]
    methods = [
        {
            "id": name,
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": key.did.removeprefix("did:key:"),
        }
        for name, key in zip(names, keys, strict=True)
    ]
    return {"id": did, "verificationMethod": methods, **dict.fromkeys(USES, names), **members}


def replying(
    body: bytes, *, status: str = "200 OK", headers: Iterable[str] = (), length: int | None = None
) -> Reply:
    """Return a reply of this body; ``length`` is what it says of it, if not the truth."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        size = len(body) if length is None else length
        head = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Content-Type: application/json", *headers]
        writer.write("\r\n".join([*head, "Connection: close", "", ""]).encode() + body)

    return reply


@dataclass(slots=True)
class Domain:
    """A server of DID documents at a loopback address that no other check uses.

    Attributes:
        replies: By path; what is not there is 404.
        asked: The head of every request that came.
        connections: How many were opened.
    """

    host: str
    port: int = 0
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _stopped: bool = False

    def did(self, path: str = "") -> str:
        """Return a DID of this domain; ``path`` as in ``:dir:shop``."""
        return f"did:web:{self.host}%3A{self.port}{path}"

    def publish(self, did: str, document: Document | bytes | Reply) -> None:
        """Publish a document, or what comes in its place, where the DID says."""
        if isinstance(document, dict):
            document = json.dumps(document).encode()
        path = did.removeprefix(self.did()).replace(":", "/") or "/.well-known"
        self.replies[f"{path}/did.json"] = replying(document) if isinstance(document, bytes) else document

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._stopped:  # the system had taken the connection before
            writer.transport.abort()
            return
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            with suppress(
                OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError
            ):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.asked.append(head)
                missing = replying(b"{}", status="404 Not Found")
                await self.replies.get(head.split(" ")[1], missing)(writer)
                await writer.drain()
        finally:
            writer.close()

    async def stop(self) -> None:
        self._stopped = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # in which what has not begun sees that it is over


@asynccontextmanager
async def domain(address: str | None = None) -> AsyncIterator[Domain]:
    """Serve at an address drawn at random, as a node leaves one alone for a while that it could not fetch from.

    ``address`` is another loopback address.
    """
    drawn = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
    made = Domain(address or drawn)
    server = await asyncio.start_server(made.handle, made.host, 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A vendor that is a ``did:web``, and the key and method by which it signs.

    Attributes:
        name: The fragment of the method.
    """

    stage: Stage
    domain: Domain
    did: str
    key: Key
    name: str = "key-1"

    @classmethod
    def at(cls, stage: Stage, domain: Domain, path: str = "", **document: Any) -> Shop:
        """Return a vendor with one key of its own, which its document lists for everything."""
        shop = cls(stage=stage, domain=domain, did=domain.did(path), key=Key.fresh())
        shop.lists(shop.key, **document)
        return shop

    @property
    def method(self) -> str:
        return f"{self.did}#{self.name}"

    def lists(self, *keys: Key, **members: Json) -> None:
        """Publish a document with these keys."""
        self.domain.publish(self.did, document_of(self.did, *keys, **members))

    def signing(self, key: Key, name: str = "key-1") -> Shop:
        """Return the same vendor, signing by another key or under another name."""
        return replace(self, key=key, name=name)

    def request(self, permissions: Iterable[Document], **members: Json) -> Document:
        assignee = {"id": self.did, "type": "Organization", "name": "Conformance Shop"}
        signing = {"verificationMethod": self.method}
        return self.stage.request(self.key, permissions, assignee=assignee, signing=signing, **members)

    async def post(self, permissions: Iterable[Document], invitation: str | None = None) -> Answer:
        """Send a request, to an invitation of its own if none is given."""
        path = invitation or await self.stage.owner.invite()
        return await self.stage.post_request(path, self.request(permissions))

    async def ask(self, permissions: Iterable[Document]) -> Asked:
        """Ask, by a request that must be taken."""
        request = self.request(permissions)
        answer = await self.stage.post_request(await self.stage.owner.invite(), request)
        told = object_of(expect_status(answer, 202))
        return Asked(stage=self.stage, key=self.key, request=request, told=told)

    async def relate(self, permissions: Iterable[Document]) -> Holder:
        """Ask, have it approved, and return who holds the capability."""
        wanted = list(permissions)
        asked = await self.ask(wanted)
        await self.stage.owner.approve(asked.id, wanted)
        return await asked.holder(keyid=self.method)

    async def by_did(self, holder: Holder, method: str, below: str, body: bytes | None = None) -> Answer:
        """Send what the vendor signs by its DID to a path below the grant."""
        return await holder.by_did(method, holder.path(below), key=self.key, keyid=self.method, body=body)

    async def renew(self, holder: Holder) -> Answer:
        return await self.by_did(holder, "POST", "/renew")

    async def renewed(self, holder: Holder) -> Holder:
        """Renew, which must be answered; return who holds the fresh capability."""
        fresh = object_of(expect_status(await self.renew(holder), 200))["capability"]
        return replace(holder, key=self.key, capability=fresh)
