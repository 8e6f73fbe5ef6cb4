"""Play the conformance suite against a node of ours, in this process or another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from freehold_conformance.cast.owner import Owner, Session
from freehold_conformance.cast.stage import Stage
from freehold_conformance.hands.keys import Key
from freehold_conformance.wire import Wire
from freehold_node.ambient import Clock
from freehold_node.resolver import Resolver
from harness import PASSPHRASE, House, open_house


def stage_of(house: House) -> Stage:
    """Return the suite's view of a node: its address, the owner's key and passphrase."""
    wire = Wire(house.base)
    session = Session(Key(house.node.session_key.seed), house.base)
    return Stage(wire=wire, owner=Owner(wire, session, PASSPHRASE))


@asynccontextmanager
async def open_stage(folder: Path, *, private_hosts: bool = True) -> AsyncIterator[Stage]:
    """Open a node on real time, told to look up vendors in private networks or not, and the suite's stage on it."""

    def resolving(clock: Clock) -> Resolver:
        return Resolver(clock, allow_private_hosts=private_hosts)

    async with open_house(folder, real_time=True, resolving=resolving) as house:
        yield stage_of(house)


@asynccontextmanager
async def server_that_says(status: int, body: bytes) -> AsyncIterator[str]:
    """Say the same to everything; yield the URL."""

    async def say(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", say)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def stage_at(url: str) -> Stage:
    """Return a stage on any server, with an owner's key that it has never seen."""
    wire = Wire(url)
    return Stage(wire=wire, owner=Owner(wire, Session(Key.fresh(), url), PASSPHRASE))
