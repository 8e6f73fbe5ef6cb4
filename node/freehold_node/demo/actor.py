"""The sample shop and its courier: processes of their own, which this one only tells what to do.

The node never imports the vendor library; the two speak HTTP, here as everywhere.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import aiohttp
from freehold_protocol.encoding import Document, Json

from .expectation import DemoFailedError

START_S: Final = 60
"""A cold start on a small machine reads a lot of Python."""
STOP_S: Final = 10
CALL_S: Final = 60
_SAID_CHARS: Final = 2000


class Actor:
    """One process that answers JSON on loopback."""

    def __init__(self, name: str, told: Document, session: aiohttp.ClientSession) -> None:
        self.name, self.url, self.did = name, str(told["url"]), str(told["did"])
        self._session = session

    async def get(self, path: str) -> Json:
        """Return the JSON there."""
        return await self._call("GET", path, None)

    async def post(self, path: str, body: Document) -> Json:
        """Return the JSON that answers."""
        return await self._call("POST", path, body)

    async def _call(self, method: str, path: str, body: Document | None) -> Json:
        try:
            async with self._session.request(
                method, self.url + path, json=body, timeout=aiohttp.ClientTimeout(total=CALL_S)
            ) as response:
                return json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise DemoFailedError(f"the {self.name} does not answer ({type(error).__name__})") from error


@asynccontextmanager
async def actor(
    name: str, module: str, session: aiohttp.ClientSession, log: Path, arguments: Sequence[str] = ()
) -> AsyncIterator[Actor]:
    """Run ``python -m module`` for as long as the context.

    Args:
        name: What the transcript calls it.
        module: Prints one line of JSON when it is ready, and ends when its standard input does.
        session: To call it with.
        log: A new file for what it complains about.
        arguments: What its command line has besides.

    Raises:
        DemoFailedError: It did not start; the text holds what it said.
    """
    with log.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
        )
    try:
        yield Actor(name, await _ready(name, process, log), session)
    finally:
        await _stop(process)


async def _ready(name: str, process: asyncio.subprocess.Process, log: Path) -> Document:
    """Return what the process says when it is ready."""
    line = b""
    if process.stdout is not None:
        with suppress(TimeoutError):
            line = await asyncio.wait_for(process.stdout.readline(), START_S)
    try:
        told = json.loads(line)
        if isinstance(told, dict) and {"url", "did"} <= told.keys():
            return told
    except ValueError:
        pass
    said = (await asyncio.to_thread(log.read_text, "utf-8", "replace"))[-_SAID_CHARS:].strip()
    raise DemoFailedError(f"the {name} did not start{': ' + said if said else ''}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
