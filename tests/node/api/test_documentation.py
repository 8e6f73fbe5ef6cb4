"""The pages about the node name every route, status and code, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from freehold_node.api.problems import status_of
from freehold_node.api.routes import ROUTES, Route
from freehold_protocol.errors import BY_CODE

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "specs" / "http.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))


def template(route: Route) -> str:
    """Return the path as the page writes it, without the forms of its parts."""
    return re.sub(r"\{([a-z]+):(?:[^{}]|\{[^{}]*\})+\}", r"{\1}", route.path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {template(route)}")
def test_each_route_stands_in_its_section(route: Route) -> None:
    section = SECTIONS[route.spec.capitalize()]
    path = template(route)
    if route.spec == "ledger":
        path = "…" + path.removeprefix("/g/{grant}").removeprefix("/{permission}")
    assert re.search(
        rf"`{route.method}(?: and `?HEAD)? {re.escape(path)}[`?]|HEAD {re.escape(path)}`", section
    )


def test_the_owners_table_holds_no_route_that_is_not_there() -> None:
    listed = set(re.findall(r"^\| `([A-Z]+ /owner[^`?]*)", SECTIONS["Owner"], re.MULTILINE))
    assert listed == {f"{route.method} {template(route)}" for route in ROUTES if route.spec == "owner"}


def test_each_code_stands_beside_its_status() -> None:
    table = dict(re.findall(r"^\| (\d{3}) \| (.*) \|$", SECTIONS["Messages"], re.MULTILINE))
    for code, error in BY_CODE.items():
        listed = re.findall(r"`([a-z-]+)(…?)`", table[str(status_of(error))])
        assert any(code == name or (more and code.startswith(name)) for name, more in listed), code
    assert set(table) == {str(status_of(error)) for error in BY_CODE.values()}
