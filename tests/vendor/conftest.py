"""A scene: a person at a real node and a vendor; and one with somebody between them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest_asyncio
from freehold_vendor import Vendor
from harness import ADA, House, TestClock, free_port, make_keys, open_house
from vendor_scene import Between, Liar, Scene, ambient_of, identity, serving


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = TestClock()
    async with (
        open_house(tmp_path / "node", clock=clock) as house,
        Vendor(identity(1), allow_private_addresses=True, ambient=ambient_of(clock)) as vendor,
    ):
        await house.import_file(ADA, me="Ada Example")
        yield Scene(house, vendor, clock)


@pytest_asyncio.fixture
async def liar(tmp_path: Path) -> AsyncIterator[Liar]:
    clock, folder = TestClock(), tmp_path / "node"
    keys = make_keys(folder, random.Random(1))
    between = Between(base=f"http://127.0.0.1:{free_port()}", upstream="")
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        between.session = session
        vendor = await stack.enter_async_context(
            Vendor(identity(1), allow_private_addresses=True, ambient=ambient_of(clock))
        )
        await stack.enter_async_context(serving(between.handle, int(between.base.rpartition(":")[2])))
        scene = Liar(
            house=House(node=None, base=between.base, session=session, clock=clock),  # type: ignore[arg-type]
            vendor=vendor, clock=clock, between=between, folder=folder, stack=stack, keys=keys,
        )  # fmt: skip
        scene.house.node, between.upstream = await scene.open_upstream(folder)
        await scene.house.import_file(ADA, me="Ada Example")
        yield scene
