"""The sample shop and its courier in a real browser: live where there is JavaScript, whole where there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from axe_core import Axe
from browsing import Visit, Visitor, overflowing, screenshot
from freehold_protocol.encoding import Document
from freehold_vendor.sample.wanted import WANTED
from harness import ADA, House, open_house
from sample_process import Sample, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(slots=True)
class Street:
    """A person's node on real time, the shop and its courier."""

    house: House
    shop: Sample
    courier: Sample

    def permission(self, *without: str) -> Document:
        made = WANTED[0].to_permission(self.courier.did)
        made["items"][0]["fields"] = [path for path in WANTED[0].fields if path not in without]
        return made

    async def ask(self, visitor: Visitor) -> None:
        invitation = (await self.house.own("POST", "/invitations", {"label": "Shop"}))["url"]
        await visitor.go("/")
        await visitor.page.get_by_label("Invitation link").fill(invitation)
        await visitor.page.get_by_role("button", name="Send the shop's request").click()

    async def approve(self, *without: str) -> str:
        [request] = (await self.house.own("GET", "/requests?status=waiting"))["requests"]
        return await self.house.approve("/requests/" + str(request["id"]), [self.permission(*without)])


@pytest_asyncio.fixture(loop_scope="session")
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(tmp_path / "node", real_time=True))
        await house.import_file(ADA, me="Ada Example")
        courier = await stack.enter_async_context(running("courier"))
        arguments = ("--courier", courier.url, "--node", house.base)
        yield Street(house, await stack.enter_async_context(running("shop", *arguments)), courier)


async def pictured(visitor: Visitor, axe: Axe, name: str) -> None:
    assert await axe(visitor.page) == []
    assert await overflowing(visitor.page) == []
    await screenshot(visitor.page, f"sample-{name}")


async def test_the_page_follows_the_person(street: Street, visit: Visit, axe: Axe) -> None:
    visitor = await visit(street.shop.url)
    page = visitor.page
    await visitor.go("/")
    await pictured(visitor, axe, "front")
    await street.ask(visitor)
    await page.get_by_text("Waiting for you").wait_for()
    await pictured(visitor, axe, "waiting")
    grant = await street.approve()
    await page.get_by_text("ada@example.com").wait_for()
    await pictured(visitor, axe, "order")

    await street.house.change(grant, "narrow", [street.permission("email")])
    await page.get_by_text("your node refused: this is not shared").wait_for()
    assert await page.get_by_text("ada@example.com").count() == 0
    await page.get_by_role("status").get_by_text("No longer shared: E-mail.").wait_for(state="attached")

    await page.get_by_role("button", name="Hand the delivery to the courier").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="See the courier's page").click()
    await page.get_by_role("button", name="Look up where it goes").click()
    await page.get_by_text("1 Analytical Row").wait_for()
    await pictured(visitor, axe, "courier")
    await visitor.go("/shop/order")
    await page.locator("table").first.wait_for()
    await street.house.change(grant, "end")
    await page.locator("#changes").get_by_text("What the shop still has of you: nothing.").wait_for()
    assert await page.locator("table").count() == 0
    assert not await page.get_by_text("This page no longer follows your node").is_visible()
    await pictured(visitor, axe, "ended")


async def test_all_of_it_without_javascript(street: Street, visit: Visit) -> None:
    visitor = await visit(street.shop.url, javascript=False, language="de-DE")
    page = visitor.page
    await visitor.go("/?lang=en")
    await page.get_by_role("link", name="English").click()
    await street.ask(visitor)
    grant = await street.approve("birthDate")
    await page.get_by_role("link", name="Look again").click()
    await page.get_by_text("ada@example.com").wait_for()
    await street.house.change(grant, "narrow", [street.permission("birthDate", "email")])
    assert await page.get_by_text("ada@example.com").count() == 1
    await page.get_by_role("button", name="Read again").click()
    await page.get_by_text("No longer shared: E-mail.").wait_for()
    assert await page.get_by_text("ada@example.com").count() == 0
    await page.get_by_role("button", name="Cancel the order").click()
    await page.get_by_role("heading", name="The storm lantern").wait_for()


async def test_the_form_may_leave_for_the_persons_node_and_nowhere_else(street: Street, visit: Visit) -> None:
    visitor = await visit(street.shop.url)
    visitor.allow(r"4\d\d")  # what stands at a node's /connect is not what is tried here
    await visitor.go("/")
    assert await visitor.page.get_by_label("Address of your node").input_value() == street.house.base
    await visitor.page.get_by_role("button", name="Connect your data").click()
    await visitor.page.get_by_role("button", name="Continue at your node").click()
    await visitor.page.wait_for_url(lambda url: not url.startswith(street.shop.url))
    port = street.house.base.rpartition(":")[2]
    assert f":{port}/" in visitor.page.url
