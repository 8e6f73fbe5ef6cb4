"""A vendor's page sends a real browser to the node and gets it back, with cookies, origins and policies as they are."""

from __future__ import annotations

import html
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from browsing import Visit, Visitor, address_of, sign_in
from carrying import brought, carried, poll
from harness import ADA, PASSPHRASE, House, free_port, open_house, permission

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "node") as made:
        await made.import_file(ADA, me="ada@example.com")
        yield made


@asynccontextmanager
async def open_shop(port: int, form: str) -> AsyncIterator[None]:
    """A vendor's pages at a port of their own: one with this form, and one that the browser returns to."""

    async def page(request: web.Request) -> web.Response:
        text = form if request.path == "/" else "<title>Returned</title>"
        return web.Response(
            text=f"<!doctype html><html lang=en><link rel=icon href=data:,>{text}", content_type="text/html"
        )

    app = web.Application()
    app.router.add_get("/{any:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.mark.requirement("DSH-39")
@pytest.mark.requirement("DSH-40")
@pytest.mark.parametrize("is_signed_in", [True, False])
@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("by_name", [True, False])
async def test_from_the_shop_and_back(
    home: House, visit: Visit, is_signed_in: bool, javascript: bool, by_name: bool
) -> None:
    key = home.key()
    port = free_port()
    shop = f"http://127.0.0.1:{port}"
    wish = permission("delivery", ["name", "birthDate"], required=True)
    request = carried(home, key, [wish], return_to=f"{shop}/back?cart=7")
    node = address_of(home) if by_name else home.base
    form = (
        f'<title>Shop</title><form method="post" action="{node}/connect">'
        f'<input type="hidden" name="request" value="{html.escape(json.dumps(request.document))}">'
        "<button>Connect your data</button></form>"
    )
    async with open_shop(port, form):
        person = await visit(address_of(home), javascript=javascript)
        person.allow("status of 401")
        if is_signed_in:
            await sign_in(person, home)
        await go_through(person, shop)
        told = brought(person.page.url)
        reply = await poll(home, key, told["freehold-request"], told["freehold-code"])
        assert reply.json["status"] == "approved"
        (given,) = (await home.own("GET", "/grants"))["grants"][0]["permissions"]
        assert given["items"][0]["fields"] == ["name"]


async def go_through(person: Visitor, shop: str) -> None:
    page = person.page
    await page.goto(shop)
    await page.get_by_role("button", name="Connect your data").click()
    await page.wait_for_url(f"{person.base}/connect")
    await page.get_by_role("button", name="See what they ask").click()
    passphrase = page.get_by_label("Your passphrase")
    if await passphrase.count():
        await passphrase.fill(PASSPHRASE)
        await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url("**/my/requests/*")
    await page.get_by_role("button", name="Tick only what this needs").click()
    await page.get_by_role("button", name="Look at it once more").click()
    passphrase = page.get_by_label("Your passphrase")
    if await passphrase.count():
        await passphrase.fill(PASSPHRASE)
    await page.get_by_role("button", name="Allow this").click()
    await page.get_by_role("link", name="Back to Test Shop").click()
    await page.wait_for_url(f"{shop}/back?cart=7&*")
