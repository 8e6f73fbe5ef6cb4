"""What most tests of pages begin with, beside the node."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browse import Browser, open_browser
from harness import House


@pytest_asyncio.fixture
async def browser(house: House, request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """A browser in which the person is signed in; with the mark ``signed_out``, one in which nobody is."""
    async with open_browser(house) as made:
        if request.node.get_closest_marker("signed_out") is None:
            await made.sign_in()
        yield made
