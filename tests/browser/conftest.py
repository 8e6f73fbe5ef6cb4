"""One browser for each process of a test run; visitors in it who are new for every test.

All tests here run in one event loop, that of the browser: ``pytestmark = pytest.mark.asyncio(loop_scope="session")``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import axe_core
import pytest
import pytest_asyncio
from axe_core import Axe
from browsing import REQUIRED, NoBrowserError, Visit, Visitor, find_chromium, open_chromium, open_visitor
from node_packages import AXE, node_or_skip
from playwright.async_api import Browser


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


@pytest.fixture(scope="session")
def axe() -> Axe:
    """The accessibility check: ``await axe(page)`` returns its grave violations; skipped where npm cannot bring it."""
    node_or_skip(AXE, "accessibility is not checked")
    return axe_core.axe
