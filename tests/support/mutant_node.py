"""A node in a process of its own, sound or with one fault in it, and the suite's stage on it.

The processes are forked from one that has loaded everything already, so that starting one takes a moment.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from freehold_conformance.cast.owner import Owner, Session
from freehold_conformance.cast.stage import Stage
from freehold_conformance.wire import Wire
from harness import PASSPHRASE, free_port

TOPICS = ("mutants_gate",)
"""Modules of mutants."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["mutant_node", "harness", "freehold_node.app", *TOPICS])


def serve(topic: str | None, name: str | None, folder: str, port: int, ready: Connection) -> None:
    """Run a node until killed; say on ``ready`` when it listens."""
    if topic is not None:
        (mutant,) = (one for one in importlib.import_module(topic).mutants.all if one.name == name)
        mutant.apply()
    asyncio.run(_serve(Path(folder), port, ready))


async def _serve(folder: Path, port: int, ready: Connection) -> None:
    from freehold_node.app import open_node
    from freehold_node.config import Config
    from freehold_node.data_dir import make_data_dir
    from freehold_node.keystore import Keys
    from freehold_protocol.errors import PassphraseError

    if not folder.exists():
        make_data_dir(folder)
    config = Config(
        data_dir=folder, port=port, origins=(f"http://127.0.0.1:{port}",), allow_private_hosts=True
    )
    node = open_node(config, Keys(seed=bytes(range(32)), database_key=bytes(32)))

    async def check(passphrase: str) -> None:
        """Compare without Argon2id, which takes a fifth of a second."""
        if passphrase != PASSPHRASE:
            raise PassphraseError("the passphrase is wrong")

    node.check_passphrase = check  # type: ignore[method-assign]
    async with node:
        await node.listen()
        ready.send("listening")
        await asyncio.Event().wait()


@asynccontextmanager
async def open_mutant(
    folder: Path, topic: str | None = None, name: str | None = None
) -> AsyncIterator[Stage]:
    """Run a node with this fault, or a sound one, and yield the suite's stage on it."""
    port = free_port()
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=serve, args=(topic, name, str(folder), port, there), daemon=True)
    process.start()
    there.close()
    try:
        if not await asyncio.to_thread(here.poll, 30):
            raise TimeoutError(f"the node with {name} does not start")
        here.recv()
        base = f"http://127.0.0.1:{port}"
        found = json.loads((folder / "session.json").read_text())
        assert found["origin"] == base
        wire = Wire(base)
        yield Stage(wire=wire, owner=Owner(wire, Session.read(folder / "session.json", base), PASSPHRASE))
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        here.close()
