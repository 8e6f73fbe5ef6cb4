"""The suite passes against our node, and no check passes against servers that say the same to everything."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from freehold_conformance.checks import CHECKS
from freehold_conformance.cli import run_checks
from freehold_conformance.wire import Wire
from harness import open_house


@pytest.mark.asyncio
async def test_our_node_meets_every_requirement(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        results = await run_checks(Wire(house.base))
        assert [(result.name, result.failure) for result in results if result.failure] == []
        assert len(results) == len(CHECKS) >= 10
        command = [sys.executable, "-m", "freehold_conformance.cli", house.base, "--json"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


@asynccontextmanager
async def server_that_says(status: int, body: bytes) -> AsyncIterator[str]:
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


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (404, b"{}"), (404, b"")])
async def test_no_check_passes_against_an_empty_server(status: int, body: bytes) -> None:
    async with server_that_says(status, body) as url:
        passed = {result.name for result in await run_checks(Wire(url)) if result.failure is None}
        assert passed <= ({"discovery-is-constant"} if status == 200 else set())


@pytest.mark.asyncio
async def test_a_node_that_cannot_be_reached_fails_every_check() -> None:
    results = await run_checks(Wire("http://127.0.0.1:9"))
    assert all(result.failure for result in results)
