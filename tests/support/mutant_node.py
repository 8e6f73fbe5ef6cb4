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
from tempfile import TemporaryDirectory

from freehold_conformance.cast.owner import Owner, Session
from freehold_conformance.cast.stage import Stage
from freehold_conformance.wire import Wire
from freehold_node.data_dir import bump_generation, make_data_dir
from freehold_node.keystore import KEYSTORE_NAME, Keys, create_keystore
from harness import PASSPHRASE, free_port

TOPICS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("mutants_*.py")))
"""Modules of mutants."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["mutant_node", "harness", "freehold_node.app", *TOPICS])

_TRIES = 3
_STARTS_S = 30


@cache
def keystore() -> tuple[Keys, bytes]:
    """Return keys and the file that keeps them: made once, since deriving its key takes a while."""
    with TemporaryDirectory() as folder:
        keys = create_keystore(Path(folder), PASSPHRASE, random=random.Random(9).randbytes)
        return keys, (Path(folder) / KEYSTORE_NAME).read_bytes()


def serve(topic: str | None, name: str | None, folder: str, port: int, keys: Keys, ready: Connection) -> None:
    """Run a node until killed; say on ``ready`` when it listens."""
    if topic is not None:
        (mutant,) = (one for one in importlib.import_module(topic).mutants.all if one.name == name)
        mutant.apply()
    asyncio.run(_serve(Path(folder), port, keys, ready))


async def _serve(folder: Path, port: int, keys: Keys, ready: Connection) -> None:
    from freehold_node.app import open_node
    from freehold_node.config import Config
    from freehold_node.keystore import check_passphrase
    from freehold_protocol.errors import PassphraseError

    config = Config(
        data_dir=folder, port=port, origins=(f"http://127.0.0.1:{port}",), allow_private_hosts=True
    )
    node = open_node(config, keys)

    is_right: dict[tuple[bytes, str], bool] = {}

    async def check(passphrase: str) -> None:
        """Ask Argon2id, which takes a fifth of a second, once for each passphrase of each key store."""
        asked = ((folder / KEYSTORE_NAME).read_bytes(), passphrase)
        if asked not in is_right:
            try:
                await asyncio.to_thread(check_passphrase, folder, passphrase)
                is_right[asked] = True
            except PassphraseError:
                is_right[asked] = False
        if not is_right[asked]:
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
        """Start the node; another port is taken if somebody else was quicker to take this one."""
        for _ in range(_TRIES):
            try:
                await self._start()
            except EOFError:
                await self.kill()
                self.port = free_port()
            else:
                return
        raise AssertionError(f"the node with {self._fault} does not start")

    async def _start(self) -> None:
        keys, file = keystore()
        if not self.folder.exists():
            make_data_dir(self.folder)
            (self.folder / KEYSTORE_NAME).write_bytes(file)
            bump_generation(self.folder)
        here, there = _CONTEXT.Pipe()
        arguments = (*self._fault, str(self.folder), self.port, keys, there)
        self._process = _CONTEXT.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        there.close()
        with here:
            if not await asyncio.to_thread(here.poll, _STARTS_S):
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
