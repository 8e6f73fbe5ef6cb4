"""A node in a process of its own, sound or with one fault in it, and the suite's stage on it.

The processes are forked from one that has loaded everything already, so that starting one takes a moment.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from freehold_conformance.cast.owner import Owner, Session
from freehold_conformance.cast.stage import Stage
from freehold_conformance.wire import Wire
from freehold_node.keystore import KEYSTORE_NAME, Keys, _seal
from harness import PASSPHRASE, free_port

TOPICS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("mutants_*.py")))
"""Modules of mutants."""

KEYS = Keys(seed=bytes(range(32)), database_key=bytes(32))
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["mutant_node", "harness", "freehold_node.app", *TOPICS])


@cache
def sealed_keys() -> bytes:
    """Return a key store's file, which a backup takes along; made once, for what its passphrase costs."""
    return _seal(KEYS, PASSPHRASE, random.Random(1).randbytes)


def serve(
    topic: str | None, name: str | None, folder: str, port: int, keystore: bytes, ready: Connection
) -> None:
    """Run a node until killed; say on ``ready`` when it listens."""
    if topic is not None:
        (mutant,) = (one for one in importlib.import_module(topic).mutants.all if one.name == name)
        mutant.apply()
    asyncio.run(_serve(Path(folder), port, keystore, ready))


async def _serve(folder: Path, port: int, keystore: bytes, ready: Connection) -> None:
    from freehold_node.app import open_node
    from freehold_node.config import Config
    from freehold_node.data_dir import bump_generation, make_data_dir
    from freehold_protocol.errors import PassphraseError

    if not folder.exists():
        make_data_dir(folder)
        bump_generation(folder)
        (folder / KEYSTORE_NAME).write_bytes(keystore)
    config = Config(
        data_dir=folder, port=port, origins=(f"http://127.0.0.1:{port}",), allow_private_hosts=True
    )
    node = open_node(config, KEYS)

    async def check(passphrase: str) -> None:
        """Compare without Argon2id, which takes a fifth of a second."""
        if passphrase != PASSPHRASE:
            raise PassphraseError("the passphrase is wrong")

    node.check_passphrase = check  # type: ignore[method-assign]
    async with node:
        await node.listen()
        ready.send("listening")
        await asyncio.Event().wait()


class MutantNode:
    """One data directory at one port, and one process after the other on it."""

    def __init__(self, folder: Path, topic: str | None, name: str | None) -> None:
        self.folder, self.port = folder, free_port()
        self._fault = topic, name
        self._process: ForkServerProcess | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        here, there = _CONTEXT.Pipe()
        arguments = (*self._fault, str(self.folder), self.port, sealed_keys(), there)
        self._process = _CONTEXT.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        there.close()
        with here:
            if not await asyncio.to_thread(here.poll, 30):
                raise TimeoutError(f"the node with {self._fault} does not start")
            here.recv()

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)

    def session(self) -> Session:
        return Session.read(self.folder / "session.json", self.base)


@asynccontextmanager
async def open_mutant(
    folder: Path, topic: str | None = None, name: str | None = None
) -> AsyncIterator[Stage]:
    """Run a node with this fault, or a sound one, and yield the suite's stage on it."""
    node = MutantNode(folder, topic, name)
    await node.start()
    wire = Wire(node.base)
    stage = Stage(wire=wire, owner=Owner(wire, node.session(), PASSPHRASE))

    async def restart() -> None:
        await node.kill()
        await node.start()
        stage.owner.session = node.session()

    stage.restart = restart
    try:
        yield stage
    finally:
        await node.kill()
