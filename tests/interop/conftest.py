"""A node, and Node.js with the packages of strangers' clients, or a reason why there is none."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from ezcap import Pipe, Transcript, open_pipe
from ezcap_scene import RunningClock, Scene
from harness import open_house
from node_packages import EZCAP, node_or_skip
from shop import shop


@pytest.fixture(scope="session")
def node_js() -> str:
    """The path of Node.js; tests are skipped where it is absent, unless FREEHOLD_REQUIRE_NODE is 1."""
    return node_or_skip(EZCAP, "clients of other projects are not run")


@pytest.fixture(scope="session")
def pipe(node_js: str) -> Iterator[Pipe]:
    """The clients of the ZCAP tests, started once."""
    with open_pipe(node_js) as opened:
        yield opened


@pytest_asyncio.fixture
async def scene(tmp_path: Path, pipe: Pipe, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """An open node with one grant; what was said is kept, and printed with ``-s``."""
    transcript = Transcript()
    limits: dict[str, Any] = getattr(request, "param", {})
    async with open_house(tmp_path / "node", clock=RunningClock()) as house:
        yield Scene(house, pipe, transcript, await shop(house, **limits))
    if not transcript.lines:
        return
    name = request.node.name.replace("[", "-").rstrip("]")
    print(f"\n== {name}\n\n{transcript}")
    folder = Path(os.environ.get("FREEHOLD_TRANSCRIPTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(str(transcript), "utf-8")
