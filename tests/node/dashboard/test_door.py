"""What stands before every page: names, sessions, forms, headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from browse import Browser, open_browser
from freehold_node.dashboard.page import HEADERS
from freehold_node.dashboard.routes import PAGES, PageRoute
from harness import PASSPHRASE, House, open_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "node") as made:
        yield made


@pytest_asyncio.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    async with open_browser(house) as made:
        yield made


def plain(path: str) -> str:
    """Return a path of this template that leads to nothing."""
    for part in ("{link:[A-Za-z0-9_-]{20,60}}", "{rest:.*}"):
        path = path.replace(part, "x" * 30)
    while "{" in path:
        head, _, rest = path.partition("{")
        depth, index = 1, 0
        while depth:
            depth += {"{": 1, "}": -1}.get(rest[index], 0)
            index += 1
        path = head + "none.css" * ("static" in head) + "0" * ("static" not in head) + rest[index:]
    return path


@pytest.mark.asyncio
@pytest.mark.parametrize("route", PAGES, ids=lambda route: f"{route.method} {route.path}")
async def test_every_answer_has_the_headers_and_a_stranger_sees_nothing(
    house: House, browser: Browser, route: PageRoute
) -> None:
    path = plain(route.path)
    if route.method == "POST":
        seen = await browser.post(path, {}, follow=False)
    else:
        seen = await browser.get(path, follow=False)
    if seen.status == 303:
        assert seen.headers["Location"].startswith("/my/")
        return
    assert {name: seen.headers.get(name) for name in HEADERS} == HEADERS
    assert "Set-Cookie" not in seen.headers
    assert house.node.owner not in seen.html


@pytest.mark.asyncio
async def test_a_person_enters_by_a_link_once(browser: Browser) -> None:
    link = browser.house.node.devices.new_link()
    page = await browser.get(f"/my/enter/{link}")
    assert page.status == 200
    today = await browser.submit(page.form("/my/enter/link"))
    assert today.url.endswith("/my/today")
    assert today.status == 200
    again = await browser.submit(page.form("/my/enter/link"))
    assert again.status == 403


@pytest.mark.asyncio
async def test_a_page_of_another_name_is_not_answered(browser: Browser) -> None:
    for host in ("evil.example", "localhost:1", "localhost", ""):
        seen = await browser.get("/my/today", headers={"Host": host})
        assert seen.status in (400, 421), host
    assert PASSPHRASE
