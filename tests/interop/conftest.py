"""Node.js with the packages of strangers' clients, or a reason why there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ezcap import Pipe, open_pipe
from ezcap_node import NotInstalledError, node_with_packages

REQUIRED = "FREEHOLD_REQUIRE_NODE"


@pytest.fixture(scope="session")
def node_js() -> str:
    """The path of Node.js; tests are skipped where it is absent, unless FREEHOLD_REQUIRE_NODE is 1."""
    try:
        return node_with_packages()
    except NotInstalledError as missing:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED} is 1, but {missing}")
        pytest.skip(f"clients of other projects are not run: {missing}")


@pytest.fixture(scope="session")
def pipe(node_js: str) -> Iterator[Pipe]:
    """The clients of the ZCAP tests, started once."""
    with open_pipe(node_js) as opened:
        yield opened
