"""The stage of a demonstration: a folder marked as a sample, a node, and the sample shop with its courier.

Everything is on loopback, and gone when the context ends, unless the person keeps the folder.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from ..ambient import Ambient
from ..app import Node, open_node
from ..config import DEFAULT_HOST, Config
from ..data_dir import make_data_dir, write_durably
from ..keystore import open_keystore
from .actor import Actor, actor
from .person import Command, Person
from .scenario import Scenario

SHOP_MODULE: Final = "freehold_vendor.sample.shop"
COURIER_MODULE: Final = "freehold_vendor.sample.courier"
SHEET: Final = "recovery-sheet.txt"
_MARK: Final = "SAMPLE.txt"
_MARK_TEXT: Final = (
    "This is a sample that `freehold demo` made: an invented shop, and keys whose passphrase stands beside them.\n"
    "It is removed when the demonstration ends, and can be deleted at any time.\n"
)
PAGES_TEXT: Final = (
    "`freehold demo` made this: a node that is like any other in the folder `node`, and beside it what an invented\n"
    "shop and its courier wrote. Unless it was asked to leave it here, it is removed when the demonstration ends.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a play needs: the folder, the person, and how to open the node once there are keys."""

    folder: Path
    person: Person
    config: Config
    passphrase: str
    session: aiohttp.ClientSession
    exits: AsyncExitStack

    @property
    def base(self) -> str:
        """Where the node listens."""
        return self.config.origins[0]

    @property
    def passphrase_file(self) -> Path:
        """Where the person's passphrase is written down, this being a sample."""
        return self.folder / "passphrase.txt"

    async def open_node(self) -> Node:
        """Open the node and listen."""
        keys = open_keystore(self.config.data_dir, self.passphrase)
        node = await self.exits.enter_async_context(open_node(self.config, keys))
        await node.listen()
        return node

    async def start(self, name: str, module: str) -> Actor:
        """Start an actor. Raises DemoFailedError."""
        log = self.folder / f"{name.replace(' ', '-')}.log"
        return await self.exits.enter_async_context(actor(name, module, self.session, log))


@asynccontextmanager
async def open_stage(scenario: Scenario, command: Command, *, port: int, keep: bool) -> AsyncIterator[Stage]:
    """Set the stage, and clear it away afterwards.

    Args:
        scenario: Whose address book is put on it.
        command: Runs the person's commands.
        port: Where the node will listen; 0 for any free one.
        keep: Leave the folder.
    """
    with sample_folder(keep=keep) as folder:
        passphrase = Ambient().new_token()
        base = f"http://{DEFAULT_HOST}:{port or _free_port()}"
        config = Config(data_dir=folder / "node", port=int(base.rpartition(":")[2]), origins=(base,))
        (folder / scenario.file_name).write_bytes(scenario.vcard)
        async with AsyncExitStack() as exits:
            session = await exits.enter_async_context(aiohttp.ClientSession())
            stage = Stage(
                folder=folder,
                person=Person(
                    command,
                    folder=folder,
                    data_dir=config.data_dir,
                    passphrase_file=folder / "passphrase.txt",
                ),
                config=config,
                passphrase=passphrase,
                session=session,
                exits=exits,
            )
            write_durably(stage.passphrase_file, passphrase.encode(), overwrite=False)
            yield stage


@contextmanager
def sample_folder(*, keep: bool, at: Path | None = None, text: str = _MARK_TEXT) -> Iterator[Path]:
    """Give a folder that is marked as a sample.

    Args:
        keep: Leave it at the end.
        at: Where it is, and stays; None: a new one in the place for temporary files.
        text: What the mark says.
    """
    if at is None:
        folder = Path(tempfile.mkdtemp(prefix="freehold-sample-")).resolve()  # only for this user
    else:
        folder = at.expanduser().absolute()
        make_data_dir(folder)
    try:
        (folder / _MARK).write_text(text, "utf-8")
        yield folder
    finally:
        if not keep and at is None:
            shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    # The origin names the port, and grants name the origin, so it is known before the node listens.
    with socket.socket() as listener:
        listener.bind((DEFAULT_HOST, 0))
        port: int = listener.getsockname()[1]
        return port
