"""A real node on loopback, its owner, and a vendor of bare signed requests: what tests of the whole are made of.

The vendor here is not the vendor library: it signs what it is told to sign, right or wrong.
"""

from __future__ import annotations

import json
import random
import secrets
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from freehold_node.ambient import Ambient, Clock
from freehold_node.app import Node, open_node
from freehold_node.config import Config
from freehold_node.data_dir import make_data_dir
from freehold_node.keystore import Keys, create_keystore
from freehold_node.resolver import Resolver
from freehold_protocol.capability import Capability, delegate
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.invocation import TAG_DID, TAG_OWNER, sign_invocation, sign_message
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request, sign_request
from yarl import URL

PASSPHRASE = "correct horse battery staple"
START_S = 1_795_435_200
"""2026-11-23T12:00:00Z."""


class TestClock:
    """A wall clock and a time since boot that move only when told to; together, or the wall alone."""

    __test__ = False

    def __init__(self, start_s: int = START_S) -> None:
        self.wall_us = start_s * 1_000_000
        self.boot_us = 1_000_000

    def advance(self, seconds: float) -> None:
        self.wall_us += int(seconds * 1_000_000)
        self.boot_us += int(seconds * 1_000_000)

    def step_wall(self, seconds: float) -> None:
        self.wall_us += int(seconds * 1_000_000)

    @property
    def now_s(self) -> int:
        return self.wall_us // 1_000_000

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.wall_us, boot=lambda: self.boot_us)


def free_port() -> int:
    """Return a port that no connection takes meanwhile: one below those that the system gives to clients."""
    while True:
        port = 10_240 + secrets.randbelow(22_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


@dataclass(slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def code(self) -> str | None:
        return self.json.get("code") if self.status >= 400 else None

    @property
    def entry(self) -> int:
        return int(self.headers["Freehold-Entry"])


@dataclass(slots=True)
class House:
    """An open node and a session to talk to it with; ``clock`` is None where it runs on real time."""

    node: Node
    base: str
    session: aiohttp.ClientSession
    clock: TestClock | None
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def now_s(self) -> int:
        return self.clock.now_s if self.clock else self.node.ambient.clock.now_s()

    def nonce(self) -> str:
        return base64url_encode(self.rng.randbytes(18))

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self.rng.randbytes(16), version=4))

    def key(self) -> SigningKey:
        return SigningKey(self.rng.randbytes(32))

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        url = URL(self.base + path, encoded=True)
        async with self.session.request(
            method, url, headers=headers, data=body, allow_redirects=False
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    # The owner

    async def owner(self, method: str, path: str, body: Document | None = None) -> Reply:
        return await self.signed(self.node.session_key, method, "/owner" + path, body, tag=TAG_OWNER)

    async def own(self, method: str, path: str, body: Document | None = None) -> Any:
        """As owner, and the answer must be a good one."""
        reply = await self.owner(method, path, body)
        assert reply.status < 300, (method, path, reply.status, reply.body)
        return reply.json

    async def signed(
        self,
        key: SigningKey,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        tag: str = TAG_DID,
        headers: Mapping[str, str] | None = None,
        keyid: str | None = None,
    ) -> Reply:
        data = None if body is None else json.dumps(body).encode()
        made = sign_message(
            key,
            tag=tag,
            method=method,
            target_uri=self.base + path,
            created_s=self.now_s(),
            nonce=self.nonce(),
            body=data,
            keyid=keyid,
        )
        return await self.send(method, path, {**made, **(headers or {})}, data)

    async def import_file(
        self, data: bytes, *, name: str = "book.vcf", me: str | None = None, switch: bool = False
    ) -> Any:
        body: Document = {"name": name, "data": base64url_encode(data)}
        named = {"me": me, "switch": switch, "passphrase": PASSPHRASE} if me else {}
        return await self.own("POST", "/import", body | named)

    async def change(
        self, grant: str, change: str, permissions: Iterable[Document] | None = None, **more: Any
    ) -> Any:
        body: Document = {"change": change, **more}
        if permissions is not None:
            body["permissions"] = list(permissions)
        draft = await self.own("POST", f"/grants/{grant}/draft", body)
        sent: Document = {"digest": draft["digest"]}
        if draft["passphrase"]:
            sent["passphrase"] = PASSPHRASE
        return await self.own("POST", f"/grants/{grant}/change", sent)

    # A vendor

    async def ask(
        self,
        key: SigningKey,
        permissions: Iterable[Document],
        *,
        name: str = "Test Shop",
        days: int = 30,
        method: str | None = None,
        benefit: str | None = None,
        terms: str | None = None,
    ) -> tuple[str, Request]:
        """Invite, ask; return the path to follow the request at, and the request."""
        invitation = await self.own("POST", "/invitations", {"label": name})
        request = sign_request(
            key,
            request_id="urn:uuid:" + self.uuid(),
            nonce=base64url_encode(self.rng.randbytes(32)),
            name=name,
            permissions=tuple(map(Permission.from_dict, permissions)),
            created_s=self.now_s(),
            expires_s=self.now_s() + days * 86_400,
            method=method,
            benefit=benefit,
            terms=terms,
        )
        path = invitation["url"].removeprefix(self.base)
        data = json.dumps(request.document).encode()
        reply = await self.send("POST", path, {"content-type": "application/json"}, data)
        assert reply.status == 202, reply.body
        return reply.json["request"].removeprefix(self.base), request

    async def approve(self, request_path: str, permissions: Iterable[Document], **more: Any) -> str:
        """Approve the request with these permissions; return the grant's id."""
        request_id = request_path.rpartition("/")[2]
        body: Document = {"permissions": list(permissions), **more}
        draft = await self.own("POST", f"/requests/{request_id}/draft", body)
        sent = {"digest": draft["digest"], "passphrase": PASSPHRASE}
        grant: str = (await self.own("POST", f"/requests/{request_id}/approve", sent))["grant"]
        return grant

    async def relate(
        self,
        permissions: Iterable[Document],
        *,
        given: Iterable[Document] | None = None,
        key: SigningKey | None = None,
        name: str = "Test Shop",
        days: int = 30,
        method: str | None = None,
    ) -> Held:
        """Ask and approve in one; all that is asked, unless given says less."""
        key = key or self.key()
        asked = list(permissions)
        path, _ = await self.ask(key, asked, name=name, days=days, method=method)
        grant = await self.approve(path, asked if given is None else given)
        told = await self.signed(key, "GET", path, keyid=method)
        assert told.json["status"] == "approved", told.body
        capability = Capability.from_dict(told.json["capability"])
        return Held(house=self, key=key, grant=grant, capability=capability)


@dataclass(slots=True)
class Held:
    """Someone who holds a capability."""

    house: House
    key: SigningKey
    grant: str
    capability: Capability

    def headers(
        self, method: str, path: str, *, nonce: str | None = None, action: str = "read", **more: Any
    ) -> dict[str, str]:
        house = self.house
        given: dict[str, Any] = {"created_s": house.now_s(), "target_uri": house.base + path} | more
        return sign_invocation(
            self.key,
            given.pop("capability", self.capability),
            method=method,
            action=action,
            nonce=nonce or house.nonce(),
            **given,
        )

    async def get(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Reply:
        """Send a signed request to a path under the grant, ``/delivery/records``."""
        whole = f"/g/{self.grant}{path}"
        signed = self.headers(method, whole, **more)
        return await self.house.send(method, whole, signed | dict(headers or {}))

    async def contents(self, permission: str, query: str = "") -> list[Document]:
        """Read a page; what it shows, without what every released document carries."""
        reply = await self.get(f"/{permission}/records{query}")
        assert reply.status == 200, (reply.status, reply.body)
        carried = {"@context", "id", "issuer", "version", "proof"}
        return [
            {name: value for name, value in item.items() if name not in carried}
            for item in reply.json["items"]
        ]

    def delegate(
        self, partner: SigningKey, *, path: str = "", expires_s: int | None = None, **more: Any
    ) -> Held:
        """Return what a partner holds who is delegated the path below the grant."""
        house = self.house
        given: dict[str, Any] = {
            "target": f"{house.base}/g/{self.grant}{path}",
            "actions": ("read",),
            "created_s": house.now_s(),
            "expires_s": expires_s or self.capability.expires_s,
        } | more
        child = delegate(
            self.key,
            capability_id="urn:uuid:" + house.uuid(),
            controller=partner.public,
            parent=self.capability,
            **given,
        )
        return Held(house=house, key=partner, grant=self.grant, capability=child)


def make_keys(folder: Path, rng: random.Random) -> Keys:
    """Make a data directory with a key store."""
    make_data_dir(folder)
    return create_keystore(folder, PASSPHRASE, random=rng.randbytes)


class NoNames:
    """Knows no name, so that a test which did not say where documents stand goes nowhere."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")


@asynccontextmanager
async def open_house(
    folder: Path,
    *,
    keys: Keys | None = None,
    clock: TestClock | None = None,
    seed: int = 1,
    port: int | None = None,
    vfs: str | None = None,
    real_time: bool = False,
    resolving: Callable[[Clock], Resolver] | None = None,
) -> AsyncIterator[House]:
    """Open a node in a folder, made if it is not there, and listen; on a test clock unless real_time.

    ``resolving`` gives what fetches DID documents; without it nothing in the tests goes anywhere.
    """
    rng = random.Random(seed)
    keys = keys or make_keys(folder, rng)
    port = port or free_port()
    base = f"http://127.0.0.1:{port}"
    moved = None if real_time else (clock or TestClock())
    ambient = Ambient(
        **({"clock": moved.clock()} if moved else {}),  # type: ignore[arg-type]
        **({} if real_time else {"random_bytes": rng.randbytes}),  # type: ignore[arg-type]
    )
    config = Config(data_dir=folder, port=port, origins=(base,))
    resolver = (
        resolving(ambient.clock) if resolving else Resolver(ambient.clock, names=NoNames(), fetch_s=0.05)
    )
    async with (
        open_node(config, keys, ambient=ambient, vfs=vfs, resolver=resolver) as node,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        await node.listen()
        yield House(node=node, base=base, session=session, clock=moved, rng=random.Random(seed + 1))


def permission(
    name: str,
    fields: Iterable[str],
    *,
    purpose: str = "dpv:DeliveryOfGoods",
    about: str = "self",
    type_: str = "Person",
    recipients: Iterable[str] = (),
    **more: Any,
) -> Document:
    """Return a permission's document; item members such as where and newRecords may be added."""
    item: Document = {"type": type_, "about": about, "fields": list(fields)}
    for member in ("where", "newRecords"):
        if member in more:
            item[member] = more.pop(member)
    made: Document = {"name": name, "items": [item], "purpose": [purpose], "retention": "P30D", **more}
    if recipients:
        made["recipients"] = list(recipients)
    return made


NODE_FILES = frozenset(
    {
        *("node.db", "node.db-wal", "node.db-shm", "keystore.json", "generation"),
        *("lock", "session.json", "visitors"),
    }
)
"""All that may be in a data directory while a node runs, beside what the person put there."""

ADA = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ada-1\r\nFN:Ada Example\r\nN:Example;Ada;;;\r\n"
    b"EMAIL:ada@example.com\r\nTEL:+44 1632 960001\r\nBDAY:1985-12-10\r\n"
    b"ADR;TYPE=home:;;1 Analytical Row;Exampleton;;EX1 2AB;United Kingdom\r\nEND:VCARD\r\n"
)
"""One card, of a fictional person."""
