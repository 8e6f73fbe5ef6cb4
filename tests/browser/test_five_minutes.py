"""The first five minutes, in a real browser, as their script has them: every step by the person's own hand.

The command is the one of the README, in a process of its own; the shop and its courier are processes beside it.
What the script says of answers, offers and the statement of deletion has its place here, and comes with those.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from axe_core import Axe
from browsing import Visit, Visitor, overflowing, screenshot
from playwright.async_api import Page, expect

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform == "win32", reason="ended by a signal"),
]
ADDRESS = ("Street and house number", "Postcode", "Town", "Country")
PASSPHRASE = "a lamp for the attic stairs"
FORBIDDEN = re.compile(
    r"\b(pods?|webid|tokens?|capabilit(y|ies)|did:|json-ld|zcap|epoch|grant id)\b", re.IGNORECASE
)


@dataclass
class Demo:
    """The command as it runs: the link that it printed, and what it said since."""

    process: asyncio.subprocess.Process
    link: str
    folder: Path
    began: float
    order: str = ""
    steps: list[tuple[float, str]] = field(default_factory=list)

    def done(self, step: str) -> None:
        """Note that a step was seen, and when."""
        at = time.monotonic() - self.began
        self.steps.append((at, step))
        print(f"{int(at) // 60}:{at % 60:05.2f}  {step}")

    async def end(self) -> str:
        """Press Ctrl-C, and return what it says."""
        self.process.send_signal(signal.SIGINT)
        out, _ = await asyncio.wait_for(self.process.communicate(), 60)
        return out.decode()


@pytest_asyncio.fixture(loop_scope="session")
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "freehold_node", "demo", "--no-browser", "--port", "0",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        link = None
        async with asyncio.timeout(60):
            while link is None:
                line = (await process.stdout.readline()).decode()
                assert line, "it ended"
                link = re.search(r"http://localhost:\d+/my/\S+", line)
        yield Demo(process, link[0], tmp_path, began)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def pictured(page: Page, axe: Axe | None, name: str) -> None:
    """Picture a page; it is plain, accessible, and no wider than a phone."""
    said = await page.locator("body").inner_text()
    assert not FORBIDDEN.search(said), FORBIDDEN.search(said)
    assert await overflowing(page) == []
    if axe is not None:
        assert await axe(page) == []
    await screenshot(page, f"five-minutes-{name}")


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def current_step(page: Page, name: str) -> None:
    """Wait, without loading anything anew, until the way leads to a step."""
    await expect(page.locator("#first-steps [aria-current=step] .first-step-title")).to_have_text(name)


@pytest.mark.requirement("DSH-72")
async def test_the_five_minutes(demo: Demo, visit: Visit, axe: Axe) -> None:
    person = await visit(demo.link.partition("/my/")[0])
    await set_up(demo, person, axe)
    await bring_data(demo, person, axe)
    shop = await ask(demo, person, axe)
    await decide_and_read(demo, person, shop, axe)
    await narrow(demo, person, shop, axe)
    # Here comes the shop's offer, to be taken or left.
    await hand_over(demo, person, shop, axe)
    await end(demo, person, shop, axe)
    # Here come the demand to delete, and the shop's signed statement.
    await remove(demo, person, shop, axe)
    assert demo.steps[-1][0] < 300
    assert "nothing of it is left" in await demo.end()
    assert list(demo.folder.glob("freehold-sample-*")) == []


async def set_up(demo: Demo, person: Visitor, axe: Axe) -> None:
    page = person.page
    await page.goto(demo.link)
    await pictured(page, axe, "01-welcome")
    await press(page, "Make a new node")
    await page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    await page.get_by_label("The same again").fill(PASSPHRASE)
    await page.get_by_role("button", name="Show").first.click()
    await expect(page.get_by_label("Passphrase", exact=True)).to_have_attribute("type", "text")
    await page.get_by_role("button", name="Hide").click()
    await pictured(page, axe, "02-passphrase")
    await press(page, "Go on")
    await expect(page.locator(".code-lines code")).to_have_count(3)
    await pictured(page, axe, "03-sheet")
    await page.get_by_label("I have printed it or written it down").check(force=True)
    await press(page, "Make my node")
    await page.wait_for_url("**/my/data/first")
    demo.done("a passphrase, a recovery sheet, and the node is open")


async def bring_data(demo: Demo, person: Visitor, axe: Axe) -> None:
    page = person.page
    await pictured(page, axe, "04-data")
    for label, value in {
        "Name": "Ada Lovelace",
        "E-mail": "ada@example.com",
        "Street and number": "12 Harbour Lane",
        "Postcode": "EX1 2AB",
        "Town": "Exampleton",
        "Country": "United Kingdom",
    }.items():
        await page.get_by_label(label).fill(value)
    await press(page, "Keep this")
    await page.get_by_text("This is you from now on").wait_for()
    await current_step(page, "Let the sample shop ask you")
    await pictured(page, axe, "05-first-steps")
    demo.done("three fields are the person's data")


async def ask(demo: Demo, person: Visitor, axe: Axe) -> Page:
    page = person.page
    async with person.context.expect_page() as opened:
        await page.get_by_role("link", name="To the sample shop").click()
    shop = await opened.value
    await shop.get_by_role("heading", name="The storm lantern").wait_for()
    await shop.get_by_text("A sample.").first.wait_for()
    await pictured(shop, axe, "06-shop")
    await press(shop, "Connect your data")
    await shop.wait_for_url(re.compile(r"/(connect|shop/connect|shop/go)"))
    if await shop.get_by_role("button", name="Continue at your node").count():
        await press(shop, "Continue at your node")
    await press(shop, "See what they ask")
    await shop.wait_for_url("**/my/requests/*")
    await current_step(page, "Choose what it may read")
    demo.done("the shop asks, and its request lies before the person")
    return shop


async def decide_and_read(demo: Demo, person: Visitor, shop: Page, axe: Axe) -> None:
    # Here comes an answer, over 18, instead of the birth date.
    await pictured(shop, axe, "07-request")
    await shop.get_by_role("button", name=re.compile("^Tick only what this needs")).first.click()
    boxes = shop.locator("#main-form input[type=checkbox]:checked")
    await expect(boxes.first).to_be_attached()
    ticked = await boxes.evaluate_all("all => all.map(one => one.labels[0].innerText)")
    assert {"Name", *ADDRESS} <= set(ticked)
    assert not {"E-mail", "Date of birth"} & set(ticked)
    await press(shop, "Look at it once more")
    await pictured(shop, axe, "08-review")
    passphrase = shop.get_by_label("Your passphrase")
    if await passphrase.count():  # more than five minutes since it was given
        await passphrase.fill(PASSPHRASE)
    await press(shop, "Allow this")
    demo.done("less than was asked is given")
    await shop.get_by_role("link", name=re.compile("^Back to")).click()
    await shop.wait_for_url("**/shop/order*")
    demo.order = shop.url.partition("?")[0]
    await shop.get_by_text("12 Harbour Lane").wait_for()
    assert "ada@example.com" not in await shop.locator("main").inner_text()
    await pictured(shop, axe, "09-order")
    await current_step(person.page, "Take your address back")
    demo.done("it reads, and the page of today knows it by itself")


async def narrow(demo: Demo, person: Visitor, shop: Page, axe: Axe) -> None:
    page = person.page
    await pictured(page, axe, "10-today-read")
    await page.get_by_role("link", name="What the shop may read").click()
    boxes = page.locator("#boxes-form input[type=checkbox]:checked")
    await boxes.nth(len(ADDRESS) - 1).wait_for()
    for label in ADDRESS:
        await page.locator("#boxes-form .check", has_text=label).first.locator("label").click()
    await pictured(page, axe, "11-relationship")
    await press(page, "Save")
    demo.done("the address is unticked")
    await shop.get_by_text("No longer shared:").first.wait_for(state="attached")
    assert await shop.get_by_text("12 Harbour Lane").count() == 0
    await pictured(shop, axe, "12-order-narrowed")
    demo.done("the next read lacks it, in front of the person")


async def hand_over(demo: Demo, person: Visitor, shop: Page, axe: Axe) -> None:
    await person.go("/my/today")
    await current_step(person.page, "Let it hand you on to its courier")
    await press(shop, "Hand the delivery to the courier")
    await shop.get_by_role("link", name="See the courier's page").click()
    await press(shop, "Look up where it goes")
    await shop.get_by_text("Ada Lovelace").wait_for()
    assert await shop.get_by_text("12 Harbour Lane").count() == 0
    await pictured(shop, axe, "13-courier")
    await current_step(person.page, "End this relationship")
    demo.done("the courier gets what is allowed, and not more")


async def end(demo: Demo, person: Visitor, shop: Page, axe: Axe) -> None:
    page = person.page
    await shop.goto(demo.order)
    await page.get_by_role("link", name="What the shop may read").click()
    await page.get_by_role("link", name="End the relationship").click()
    await pictured(page, axe, "14-end")
    await press(page, "End it")
    await shop.get_by_text("What the shop still has of you: nothing.").first.wait_for()
    await pictured(shop, axe, "15-order-ended")
    await person.go("/my/ledger")
    assert "The sample courier, a partner of Sample Shop, read" in await page.inner_text("main")
    await pictured(page, axe, "16-ledger")
    demo.done("the relationship is ended, and nothing comes any more")


async def remove(demo: Demo, person: Visitor, shop: Page, axe: Axe) -> None:
    page = person.page
    await shop.close()
    await person.go("/my/today")
    await current_step(page, "Remove the sample")
    await page.get_by_role("link", name="Remove the sample").last.click()
    await page.get_by_role("heading", name="What stays").wait_for()
    await pictured(page, axe, "17-remove")
    await press(page, "Remove the sample")
    await page.get_by_text("Nobody can read anything now").wait_for()
    assert await page.get_by_text("Ada Lovelace").count() == 0
    await pictured(page, axe, "18-done")
    await page.get_by_role("link", name="Take everything along").click()
    await page.wait_for_url("**/my/data/export")
    await page.goto("about:blank")  # a page that is live would miss the node
    demo.done("the sample is gone: 0 vendors, export, invite a vendor")
