"""What most tests of pages begin with: a node without records, and a browser in which its person is signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from browse import Browser, open_browser
from harness import House, open_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "node") as made:
        yield made


@pytest_asyncio.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    async with open_browser(house) as made:
        await made.sign_in()
        yield made
