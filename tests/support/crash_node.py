"""A node in a process of its own, to be killed, and what it takes to talk to one.

As a script: ``crash_node.py FOLDER PORT``, with seed and database key in hexadecimal on standard input.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from freehold_node.ambient import Ambient
from freehold_node.app import SESSION, Node, open_node
from freehold_node.config import Config
from freehold_node.keystore import Keys
from freehold_protocol.keys import SigningKey
from harness import House

READY = "listening"


async def serve(folder: Path, port: int, keys: Keys) -> None:
    node = open_node(Config(data_dir=folder, port=port, origins=(f"http://127.0.0.1:{port}",)), keys)

    async def trust(passphrase: str) -> None:
        """Proving the passphrase takes a fifth of a second, and is not what is tested here."""

    node.check_passphrase = trust  # type: ignore[method-assign]
    async with node:
        await node.listen()
        print(READY, flush=True)
        await asyncio.Event().wait()


@dataclass(slots=True)
class CrashNode:
    """One data directory at one port, and one life of a node after the other on it."""

    folder: Path
    port: int
    keys: Keys

    @asynccontextmanager
    async def life(self, house: House) -> AsyncIterator[Popen[str]]:
        """Start the node and let the house talk to it; whoever is done kills it, or leaves that to this."""
        errors = self.folder.with_suffix(".log")
        command = [sys.executable, __file__, str(self.folder), str(self.port)]
        with (
            errors.open("ab") as log,
            Popen(command, stdin=PIPE, stdout=PIPE, stderr=log, text=True) as process,
        ):
            try:
                line = await asyncio.to_thread(self._start, process)
                assert line.strip() == READY, errors.read_text()
                session = json.loads((self.folder / SESSION).read_text())
                house.node = remote(SigningKey.from_multikey(session["key"]))
                connector = aiohttp.TCPConnector(limit=0)
                async with aiohttp.ClientSession(connector=connector) as house.session:
                    yield process
            finally:
                process.kill()
            assert process.wait() == -signal.SIGKILL, errors.read_text()

    def _start(self, process: Popen[str]) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{self.keys.seed.hex()} {self.keys.database_key.hex()}\n")
        process.stdin.flush()
        return process.stdout.readline()

    def house(self) -> House:
        """Return what signs for owner and vendors; it has no node to talk to before a life begins."""
        return House(
            node=remote(None), base=f"http://127.0.0.1:{self.port}", session=cast("Any", None), clock=None
        )


def remote(session_key: SigningKey | None) -> Node:
    """Return what a House needs of a node that is in another process."""
    return cast("Node", SimpleNamespace(session_key=session_key, ambient=Ambient()))


if __name__ == "__main__":
    seed, database_key = (bytes.fromhex(word) for word in sys.stdin.readline().split())
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), Keys(seed=seed, database_key=database_key)))
