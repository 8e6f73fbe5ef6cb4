"""The adapter by which the suite plays its situations for our vendor library; it uses the public API alone.

Run as ``python client_adapter.py``: lines of JSON in, lines of JSON out, as
specs/client-adapter.md says.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

from freehold_protocol.encoding import parse_time
from freehold_protocol.errors import FreeholdError
from freehold_vendor import (
    Access,
    Ambient,
    Delegation,
    PendingRequest,
    ProblemError,
    RefusedError,
    Release,
    Vendor,
    VendorError,
    VendorIdentity,
)
from freehold_vendor.transport import Transport

Told = dict[str, Any]


class Client:
    """One vendor, or partner, and what it did last."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.pending: PendingRequest | None = None
        self.access: Access | None = None
        self.release: Release | None = None
        self.delegation: Delegation | None = None

    def _access(self) -> Access:
        if self.access is None:
            raise VendorError("nothing was approved")
        return self.access

    async def ask(self, told: Told) -> Told:
        self.pending = await self.vendor.ask(
            told["invitation"], told["permissions"], parse_time(told["expires"])
        )
        return {"code": self.pending.code}

    async def connect(self, told: Told) -> Told:
        made = await self.vendor.connect(
            told["node"], told["permissions"], parse_time(told["expires"]), return_to=told["returnTo"]
        )
        return {
            "action": made.action, "request": made.value, "challenge": made.challenge, "code": made.code,
        }  # fmt: skip

    async def returned(self, told: Told) -> Told:
        self.pending = await self.vendor.returned(told["query"], challenge=told.get("challenge"))
        return {}

    async def decision(self, told: Told) -> Told:
        if self.pending is None:
            raise VendorError("nothing was asked")
        try:
            self.access = await self.pending.decision(timeout_s=told["seconds"])
        except TimeoutError:
            return {"status": "waiting"}
        except RefusedError:
            return {"status": "refused"}
        return {"status": "approved", "grant": self.access.grant}

    async def read(self, told: Told) -> Told:
        self.release = await self._access().read(
            told["permission"],
            told.get("alias"),
            fields=told.get("fields"),
            where=told.get("where"),
            limit=told.get("limit"),
            cursor=told.get("cursor"),
        )
        return self._read()

    def _read(self) -> Told:
        if self.release is None:
            raise VendorError("nothing was read")
        made: Told = {"records": list(self.release.records)}
        return made if self.release.next is None else {**made, "next": self.release.next}

    async def list(self, told: Told) -> Told:
        listed = self._access().list(told["permission"], page_size=told["limit"])
        return {"records": [record async for record in listed]}

    async def reread(self, _: Told) -> Told:
        if self.release is None:
            raise VendorError("nothing was read")
        release = await self._access().read_if_changed(self.release)
        if release is None:
            return {"unchanged": True}
        self.release = release
        return self._read()

    async def prove(self, _: Told) -> Told:
        if self.release is None:
            raise VendorError("nothing was read")
        return {"number": (await self.release.verify()).number}

    async def look(self, _: Told) -> Told:
        standing = await self._access().refresh()
        return {"state": standing.state, "version": standing.version}

    async def ledger(self, _: Told) -> Told:
        access = self._access()
        await access.refresh()
        return {"size": access.checkpoint.size if access.checkpoint is not None else 0}

    async def renew(self, _: Told) -> Told:
        await self._access().renew()
        return {}

    async def delegate(self, told: Told) -> Told:
        self.delegation = await self._access().delegate(told["partner"], told["permission"])
        return {"capability": self.delegation.capability.document}

    async def revoke(self, _: Told) -> Told:
        if self.delegation is None:
            raise VendorError("nothing was delegated")
        await self._access().revoke(self.delegation)
        return {}

    async def renounce(self, _: Told) -> Told:
        await self._access().renounce()
        return {}

    async def accept(self, told: Told) -> Told:
        members = ("permission", "capability", "servingKey", "log")
        self.access = await self.vendor.accept(
            {"type": "Delegation", **{name: told[name] for name in members}}
        )
        return {}

    async def moved(self, told: Told) -> Told:
        standing = await self._access().moved(told["statement"])
        return {"state": standing.state}

    async def accept_restored(self, _: Told) -> Told:
        standing = await self._access().accept_restored()
        return {"state": standing.state, "version": standing.version}

    async def listen(self, told: Told) -> Told:
        heard: list[Told] = []
        is_over = False
        try:
            async with asyncio.timeout(told["seconds"]):
                async with aclosing(self._access().events(told.get("permission"))) as events:
                    async for event in events:
                        heard.append({"kind": event.kind, "permission": event.permission})
                        if len(heard) == told["events"]:
                            break
                    else:
                        is_over = True
        except TimeoutError:
            pass
        return {"events": heard, "over": is_over}


async def new_client(stack: AsyncExitStack, patience_s: float) -> Client:
    ambient = Ambient()
    transport = Transport(ambient, allow_private_addresses=True, total_s=patience_s, read_s=patience_s / 2)
    identity = VendorIdentity.generate("Example Shop", ambient=ambient)
    vendor = Vendor(identity, ambient=ambient, transport=transport)
    return Client(await stack.enter_async_context(vendor))


def why(error: Exception) -> str:
    """Return the code of a refusal, or what the library calls it."""
    if isinstance(error, FreeholdError):
        return error.code
    return error.code if isinstance(error, ProblemError) else type(error).__name__


async def serve(lines: asyncio.StreamReader, say: Callable[[Told], None]) -> None:
    async with AsyncExitStack() as whole:
        stack = await whole.enter_async_context(AsyncExitStack())
        client: Client | None = None
        while line := await lines.readline():
            told = json.loads(line)
            verb = told["do"].replace("-", "_")
            if verb == "begin":
                await stack.aclose()
                client = await new_client(stack, told["patience"])
                say({"id": told["id"], "ok": {"did": client.vendor.identity.did}})
                continue
            doing: Callable[[Told], Awaitable[Told]] | None = getattr(client, verb, None)
            if doing is None:
                say({"id": told["id"], "not-implemented": True})
                continue
            try:
                say({"id": told["id"], "ok": await doing(told)})
            except (FreeholdError, VendorError, ValueError, TypeError) as error:
                say({"id": told["id"], "refused": why(error)})


async def main() -> None:
    lines = asyncio.StreamReader(limit=8 * 2**20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    out = sys.stdout

    def say(told: Told) -> None:
        out.write(json.dumps(told) + "\n")
        out.flush()

    await serve(lines, say)


if __name__ == "__main__":
    asyncio.run(main())
