"""What most tests of a node begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness import ADA, House, open_house


@pytest_asyncio.fixture
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A node on a test clock: without records or, with the mark ``with_ada``, with Ada's card, who is the person."""
    async with open_house(tmp_path / "node") as made:
        if request.node.get_closest_marker("with_ada") is not None:
            await made.import_file(ADA, me="Ada Example")
        yield made
