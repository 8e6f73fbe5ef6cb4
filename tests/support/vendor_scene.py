"""A person at a real node, the vendor library in front of it, and somebody between who may lie."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from freehold_node.ambient import Ambient as NodeAmbient
from freehold_node.app import Node, open_node
from freehold_node.config import Config
from freehold_node.keystore import Keys
from freehold_protocol.encoding import Document
from freehold_protocol.keys import SigningKey
from freehold_vendor import Access, Ambient, PendingRequest, Vendor, VendorIdentity
from harness import House, TestClock, free_port, permission
from yarl import URL

COURIER = VendorIdentity(SigningKey(bytes([7]) * 32), "Test Courier")
ASKED = [
    permission(
        "delivery",
        ["name", "address.streetAddress", "address.postalCode", "telephone"],
        recipients=[COURIER.did],
    ),
    permission("marketing", ["email", "birthDate"], purpose="dpv:Marketing"),
    permission("circle", ["name"], purpose="dpv:CustomerCare", about="any", newRecords=True),
]
GIVEN = [
    permission("delivery", ["name", "address.postalCode"], recipients=[COURIER.did]),
    ASKED[1],
    ASKED[2],
]


async def at_once(_seconds: float) -> None:
    """Wait for nothing."""


def ambient_of(clock: TestClock, *, seed: int = 5, sleep: Any = at_once) -> Ambient:
    return Ambient(now_s=lambda: clock.now_s, random_bytes=random.Random(seed).randbytes, sleep=sleep)


@dataclass(slots=True)
class Scene:
    """A person at their node, and a vendor who can ask them."""

    house: House
    vendor: Vendor
    clock: TestClock

    async def invitation(self) -> str:
        url: str = (await self.house.own("POST", "/invitations", {"label": "Test Shop"}))["url"]
        return url

    async def ask(
        self, asked: list[Document] = ASKED, *, days: int = 30, vendor: Vendor | None = None
    ) -> PendingRequest:
        ends_s = self.clock.now_s + days * 86_400
        return await (vendor or self.vendor).ask(
            await self.invitation(), asked, ends_s, benefit="Free delivery", terms="No selling on"
        )

    async def request_id(self, pending: PendingRequest) -> str:
        """Find the request in the inbox by the code that both screens show."""
        inbox = (await self.house.own("GET", "/requests?status=waiting"))["requests"]
        found: list[str] = [one["id"] for one in inbox if one["code"] == pending.code]
        assert len(found) == 1
        return found[0]

    async def approve(self, pending: PendingRequest, given: list[Document], **more: Any) -> str:
        return await self.house.approve(await self.request_id(pending), given, **more)

    async def relate(
        self,
        given: list[Document] = GIVEN,
        *,
        asked: list[Document] = ASKED,
        vendor: Vendor | None = None,
        days: int = 30,
        **more: Any,
    ) -> Access:
        """Ask, approve, and take up the access."""
        pending = await self.ask(asked, days=days, vendor=vendor)
        await self.approve(pending, given, **more)
        return await pending.decision(timeout_s=0)

    async def change(self, access: Access, change: str, permissions: list[Document] | None = None) -> None:
        await self.house.change(grant_id(access), change, permissions)

    async def edit(self, **members: Any) -> None:
        """Edit the person's own record."""
        own = (await self.house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
        found = await self.house.own("GET", f"/records/{own}")
        content = {**found["content"], **members}
        await self.house.own("PUT", f"/records/{own}", {"content": content, "previous": found["cid"]})


def grant_id(access: Access) -> str:
    return access.grant.rpartition("/")[2]


def identity(number: int, name: str = "Test Shop") -> VendorIdentity:
    return VendorIdentity(SigningKey(bytes([number]) * 32), name)


# Somebody between


@dataclass(slots=True)
class Passing:
    """An answer on its way; a lie changes it in place."""

    path: str
    status: int
    headers: dict[str, str]
    body: bytes


Lie = Callable[[Passing], None]
Instead = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HOP = {"transfer-encoding", "content-length", "connection", "host", "keep-alive", "content-type"}


@dataclass(slots=True)
class Between:
    """A server at the node's public address that passes everything on; a lie may change what comes back.

    ``upstream`` is where the node really listens; ``log`` holds what vendors were answered.
    """

    base: str
    upstream: str
    lie: Lie | None = None
    instead: Instead | None = None
    log: list[Passing] = field(default_factory=list)
    session: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        mine = not request.raw_path.startswith("/owner")
        if mine and self.instead is not None:
            return await self.instead(request)
        passing = await self._pass_on(request)
        if mine:
            self.log.append(Passing(passing.path, passing.status, dict(passing.headers), passing.body))
            if self.lie is not None:
                self.lie(passing)
        return web.Response(status=passing.status, headers=passing.headers, body=passing.body or None)

    async def _pass_on(self, request: web.Request) -> Passing:
        assert self.session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if "Content-Type" in request.headers:
            headers["Content-Type"] = request.headers["Content-Type"]
        async with self.session.request(
            request.method,
            URL(self.upstream + request.raw_path, encoded=True),
            headers=headers,
            data=await request.read() if request.body_exists else None,
            allow_redirects=False,
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            if "Content-Type" in answer.headers:
                kept["Content-Type"] = answer.headers["Content-Type"]
            return Passing(request.raw_path, answer.status, kept, await answer.read())


@asynccontextmanager
async def serving(handler: Instead, port: int) -> AsyncIterator[str]:
    """Serve every path with one handler on loopback; give the base URL."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@dataclass(slots=True)
class Liar(Scene):
    """A scene with somebody between; ``fork`` opens a second node from an earlier copy of the first."""

    between: Between
    folder: Path
    stack: AsyncExitStack
    keys: Keys

    async def open_upstream(self, folder: Path) -> tuple[Node, str]:
        config = Config(data_dir=folder, port=free_port(), origins=(self.between.base,))
        ambient = NodeAmbient(
            clock=self.clock.clock(), random_bytes=random.Random(len(str(folder))).randbytes
        )
        node = open_node(config, self.keys, ambient=ambient)
        await self.stack.enter_async_context(node)
        return node, await node.listen()

    async def fork(self) -> str:
        """Open a second node on a copy of the first as it stands, and return where it listens."""
        copy = self.folder.with_name("fork")
        shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns("lock", "session.json"))
        _, listens = await self.open_upstream(copy)
        return listens
