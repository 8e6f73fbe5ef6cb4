"""A scene: a person at a real node and a vendor; and one with somebody between them."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from freehold_node.keystore import Keys
from freehold_vendor import Vendor
from harness import ADA, House, TestClock, free_port, make_keys, open_house
from vendor_scene import Between, Liar, Scene, ambient_of, identity, serving


@pytest.fixture(scope="session")
def key_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keys]:
    """A data directory that holds keys and nothing else yet, and the keys: made once, since it takes time."""
    folder = tmp_path_factory.mktemp("keys") / "node"
    return folder, make_keys(folder, random.Random(1))


@pytest.fixture
def node_folder(key_store: tuple[Path, Keys], tmp_path: Path) -> Path:
    return shutil.copytree(key_store[0], tmp_path / "node")


@pytest_asyncio.fixture
async def scene(node_folder: Path, key_store: tuple[Path, Keys]) -> AsyncIterator[Scene]:
    clock = TestClock()
    async with (
        open_house(node_folder, keys=key_store[1], clock=clock) as house,
        Vendor(identity(1), allow_private_addresses=True, ambient=ambient_of(clock)) as vendor,
    ):
        await house.import_file(ADA, me="Ada Example")
        yield Scene(house, vendor, clock)


@pytest_asyncio.fixture
async def liar(node_folder: Path, key_store: tuple[Path, Keys]) -> AsyncIterator[Liar]:
    clock = TestClock()
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
            vendor=vendor, clock=clock, between=between, folder=node_folder, stack=stack, keys=key_store[1],
        )  # fmt: skip
        scene.house.node, between.upstream = await scene.open_upstream(node_folder)
        await scene.house.import_file(ADA, me="Ada Example")
        yield scene
