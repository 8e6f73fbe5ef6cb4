"""A person's node beside a server of DID documents: vendors and partners that a domain vouches for."""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from did_server import DidServer, TestNames, did_server, trusting
from freehold_node.keystore import Keys
from freehold_node.resolver import Resolver
from freehold_protocol.capability import Capability
from freehold_protocol.encoding import Document
from freehold_protocol.keys import SigningKey
from harness import ADA, PASSPHRASE, Held, House, Reply, TestClock, make_keys, open_house, permission

SHOP, SECOND, CARRIER, FOURTH, STRANGER = (SigningKey(bytes([number]) * 32) for number in range(31, 36))
FETCH_S = 3.0
"""How long the node looks for a document: a refusal takes all of it, what is found comes at once."""


@dataclass(slots=True)
class Web:
    """The node, and where documents stand; ``shop`` and ``carrier`` are the DIDs of two hosts."""

    house: House
    server: DidServer
    clock: TestClock
    names: TestNames

    @property
    def shop(self) -> str:
        return self.server.did()

    @property
    def carrier(self) -> str:
        return self.server.did("carrier.example")

    def look_for(self, seconds: float) -> None:
        """Have the node look that long from now on: little where a look fails, ``FETCH_S`` where it has to succeed."""
        self.house.node._resolver._fetch_s = seconds

    def method(self, number: int = 1) -> str:
        """Return the name by which the shop's document lists its keys."""
        return f"{self.shop}#key-{number}"

    def asked(self, *recipients: str, **more: Any) -> list[Document]:
        return [permission("delivery", ["name", "telephone"], recipients=recipients, **more)]

    async def relate(self, *recipients: str, key: SigningKey = SHOP, method: str | None = None) -> Held:
        """Publish the shop's document, unless there is one, ask, approve and follow."""
        if not any(place.startswith("shop.example") for place in self.server.documents):
            self.server.publish(self.shop, SHOP.public)
        return await self.house.relate(self.asked(*recipients), key=key, method=method or self.method())

    async def signed(
        self, key: SigningKey, method: str, path: str, body: Document | None = None, *, number: int = 1
    ) -> Reply:
        """Send what the shop signs by its DID."""
        return await self.house.signed(key, method, path, body, keyid=self.method(number))

    async def renew(self, held: Held, key: SigningKey = SHOP, *, number: int = 1) -> Reply:
        return await self.signed(key, "POST", f"/g/{held.grant}/renew", number=number)

    async def renewed(self, held: Held, key: SigningKey = SHOP, *, number: int = 1) -> Held:
        """Renew, which must be answered, and return what is held then."""
        reply = await self.renew(held, key, number=number)
        assert reply.status == 200, reply.body
        return Held(self.house, key, held.grant, Capability.from_dict(reply.json["capability"]))

    async def grant(self, held: Held) -> Any:
        return await self.house.own("GET", f"/grants/{held.grant}")

    async def keys(self, held: Held) -> Any:
        return (await self.house.own("GET", f"/grants/{held.grant}/keys"))["keys"]

    async def accept(self, held: Held, digest: str, passphrase: str | None = PASSPHRASE) -> Reply:
        body: Document = {"digest": digest}
        if passphrase is not None:
            body["passphrase"] = passphrase
        return await self.house.owner("POST", f"/grants/{held.grant}/keys", body)

    async def entries(self, held: Held) -> list[Document]:
        listed = (await self.house.own("GET", f"/grants/{held.grant}/ledger"))["entries"]
        return [one["entry"] for one in listed]


@lru_cache
def _key_store() -> tuple[tempfile.TemporaryDirectory[str], Keys]:
    """Return a data directory that holds keys and nothing else yet: made once, since it takes time."""
    folder = tempfile.TemporaryDirectory(prefix="freehold-test-")
    atexit.register(folder.cleanup)
    return folder, make_keys(Path(folder.name) / "node", random.Random(1))


@asynccontextmanager
async def open_web(
    folder: Path, *, fetch_s: float = FETCH_S, allow_private_hosts: bool = True
) -> AsyncIterator[Web]:
    """Open a node that may go to a server of documents on loopback, under names of the tests' own."""
    names, clock = TestNames.loopback(), TestClock()
    store, keys = _key_store()
    shutil.copytree(Path(store.name) / "node", folder)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(did_server())
        house = await stack.enter_async_context(
            open_house(
                folder,
                keys=keys,
                clock=clock,
                resolving=lambda clock: Resolver(
                    clock,
                    tls=trusting(),
                    names=names,
                    fetch_s=fetch_s,
                    allow_private_hosts=allow_private_hosts,
                ),
            )
        )
        await house.import_file(ADA, me="Ada Example")
        yield Web(house, server, clock, names)
