"""The demonstration in the browser: what runs beside the node, and for how long.

The shop and its courier start while the person chooses a passphrase. Once the person removes the sample they end.

Spec: specs/node/cli.md#freehold-demo
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from ..app import Node
from ..dashboard.addresses import Addresses
from ..dashboard.sample import SampleShop, sample_digest
from ..dashboard.visit import START
from .actor import actor
from .stage import COURIER_MODULE, SHOP_MODULE


class Neighbours:
    """The sample shop and its courier, as processes that end with the context, or before."""

    def __init__(self, folder: Path, origin: str, *, stays: bool) -> None:
        """Prepare them.

        Args:
            folder: Where they keep their keys and what they complain about.
            origin: Of the node, which the shop's page offers to connect to.
            stays: Whether the node stays at the end.
        """
        self._folder, self._origin, self._stays = folder, origin, stays
        self._exits = AsyncExitStack()

    async def start(self) -> SampleShop:
        """Start both. Raises DemoFailedError."""
        home = f"{Addresses.named(self._origin)}{START}#first-steps"
        session = await self._exits.enter_async_context(aiohttp.ClientSession())
        courier = await self._exits.enter_async_context(
            actor(
                "courier", COURIER_MODULE, session, self._folder / "courier.log",
                ("--key", str(self._folder / "courier.key"), "--home", home),
            )
        )  # fmt: skip
        shop = await self._exits.enter_async_context(
            actor(
                "sample shop", SHOP_MODULE, session, self._folder / "sample-shop.log",
                (
                    *("--key", str(self._folder / "shop.key"), "--courier", courier.url),
                    *("--node", self._origin, "--home", home),
                ),
            )
        )  # fmt: skip
        return SampleShop(
            shop=f"{shop.url}/shop", courier=f"{courier.url}/courier", shop_did=shop.did, courier_did=courier.did,
            stays=self._stays,
        )  # fmt: skip

    async def stop(self) -> None:
        """End both."""
        await self._exits.aclose()


@asynccontextmanager
async def neighbours(
    folder: Path, origin: str, *, stays: bool
) -> AsyncIterator[tuple[Neighbours, asyncio.Task[SampleShop]]]:
    """Give the two, and the task that starts them; both end with the context."""
    beside = Neighbours(folder, origin, stays=stays)
    starting = asyncio.create_task(beside.start())
    try:
        yield beside, starting
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await starting
        await beside.stop()


async def mark_sample(node: Node, shop: SampleShop) -> None:
    """Have the node know what belongs to the sample, before any of it comes, and its pages show the way."""
    node.sample = shop
    await node.samples.mark(vendors=[shop.shop_did, shop.courier_did], files=[sample_digest()])


async def until_removed(node: Node) -> None:
    """Return once the person has removed the sample."""
    stirred = asyncio.Event()
    node.store.on_commit(lambda _: stirred.set())
    while await node.store.read(lambda reader: reader.setting("sample")):
        await stirred.wait()
        stirred.clear()
