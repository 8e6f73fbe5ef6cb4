"""A person's shell; a node that runs beside it, with a vendor; or a data directory that no node has open."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from freehold_node.keystore import Keys
from harness import ADA, Held, House, make_keys, open_house
from shell import ASKED, Beside, Shell


@pytest.fixture(scope="session")
def key_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keys]:
    """A data directory that holds keys and nothing else yet, and the keys: made once, since it takes time."""
    folder = tmp_path_factory.mktemp("keys") / "node"
    return folder, make_keys(folder, random.Random(1))


@pytest.fixture
def shell(key_store: tuple[Path, Keys], tmp_path: Path) -> Shell:
    """The shell of a person whose node exists and does not run."""
    return Shell(shutil.copytree(key_store[0], tmp_path / "node"))


@pytest_asyncio.fixture
async def house(shell: Shell, key_store: tuple[Path, Keys]) -> AsyncIterator[House]:
    """The node of that shell, running, with Ada's card imported."""
    async with open_house(shell.folder, keys=key_store[1], real_time=True) as made:
        await made.import_file(ADA, me="Ada Example")
        yield made


@pytest.fixture
def beside(shell: Shell) -> Beside:
    return Beside(shell)


@pytest_asyncio.fixture
async def request_id(house: House) -> str:
    """A request that waits: delivery, which is required, and marketing."""
    path, _ = await house.ask(house.key(), ASKED, name="Corner Shop")
    return path.rpartition("/")[2]


@pytest_asyncio.fixture
async def held(house: House) -> Held:
    """A vendor that holds a grant of everything it asked for."""
    return await house.relate(ASKED, name="Corner Shop")
