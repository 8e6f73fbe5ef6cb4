"""One browser for each process of a test run; visitors in it who are new for every test.

All tests here run in one event loop, that of the browser: ``pytestmark = pytest.mark.asyncio(loop_scope="session")``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import axe_core
import pytest
import pytest_asyncio
from axe_core import Axe
from browsing import (
    DARK,
    LOOKS,
    NARROW,
    REQUIRED,
    Enter,
    NoBrowserError,
    Visit,
    Visitor,
    address_of,
    find_chromium,
    open_chromium,
    open_visitor,
    sign_in,
)
from furnished import Furnished, open_furnished
from harness import House, open_house
from node_packages import AXE, node_or_skip
from playwright.async_api import Browser
from small_page import Stage, open_stage


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; tests are skipped where it is absent, unless FREEHOLD_REQUIRE_CHROMIUM is 1."""
    try:
        return find_chromium()
    except NoBrowserError as missing:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED} is 1, but there is no Chromium: {missing}")
        pytest.skip(f"no page is tried in a browser: {missing}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Chromium, started once."""
    async with open_chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """``await visit(base, ...)``: a visitor, see ``open_visitor``; trouble fails the test when it closes."""
    async with AsyncExitStack() as opened:

        async def come(base: str, **options: object) -> Visitor:
            return await opened.enter_async_context(open_visitor(browser, base, **options))  # type: ignore[arg-type]

        yield come


@pytest.fixture
def enter(visit: Visit) -> Enter:
    """``await enter(house, ...)``: the person, signed in to their node, with nothing proved freshly.

    Ask for it after the house in a test's arguments: a node that closes first is trouble to a page that is live.
    """

    async def come(house: House, **options: object) -> Visitor:
        person = await visit(address_of(house), **options)
        await sign_in(person, house)
        return person

    return come


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An empty node of the test's own, on a test clock."""
    async with open_house(tmp_path / "node") as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def furnished(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Furnished]:
    """A node with something on every page, shared by the tests of a file: look, and change nothing."""
    async with open_furnished(tmp_path_factory.mktemp("furnished") / "node") as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """A page on which the harness itself is tried."""
    async with open_stage() as made:
        yield made


@pytest.fixture(scope="session")
def axe(thorough: bool) -> Axe:
    """The accessibility check: ``await axe(page)`` returns its grave violations; skipped where npm cannot bring it.

    Unless looks are given, a page is checked in two, narrow and light and wide and dark; with ``--thorough`` in four.
    """
    node_or_skip(AXE, "accessibility is not checked")
    return partial(axe_core.axe, looks=LOOKS if thorough else (NARROW, DARK))
