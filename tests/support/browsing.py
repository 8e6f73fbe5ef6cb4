"""A real browser for tests: Debian's Chromium, visitors in it who report trouble, and pictures of what they see.

A visitor is a browser context of its own: no cookies, nothing remembered. What no page of ours may cause is collected
while they look around, and fails the test: errors and warnings in the console, among them what the content security
policy refused, errors of scripts, requests that failed or were answered with 5xx, requests to any other machine, and
dialogs, as a script that was smuggled in would open one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from harness import House
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    Response,
    WebError,
    async_playwright,
    expect,
)

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
REQUIRED: Final = "FREEHOLD_REQUIRE_CHROMIUM"
"""The variable that, being 1, makes it a failure that there is no Chromium, where tests would be skipped."""
PATIENCE_MS: Final = 60_000
"""How long one step on a page may take; the machine may be busy with other tests."""
_ARGUMENTS: Final = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)  # fmt: skip
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1", None})  # None is a data: or blob: URL
_LEFT: Final = "net::ERR_ABORTED"
"""The browser gave the request up by itself: a stream or an image of a page that was left, or a download."""


class NoBrowserError(Exception):
    """There is no Chromium here; the text says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """How wide a page is, in CSS pixels, and whether it is dark."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"


NARROW: Final = Look("narrow", 380, 800)
WIDE: Final = Look("wide", 1280, 900)
NARROW_DARK: Final = Look("narrow-dark", 380, 800, "dark")
DARK: Final = Look("dark", 1280, 900, "dark")
LOOKS: Final = (NARROW, WIDE, NARROW_DARK, DARK)
PICTURED: Final = (NARROW, WIDE, DARK)


def find_chromium() -> str:
    """Return the path of Chromium, or of what FREEHOLD_CHROMIUM names.

    Raises:
        NoBrowserError: It is not here.
    """
    named = os.environ.get("FREEHOLD_CHROMIUM")
    for name in (named,) if named else NAMES:
        if found := shutil.which(name):
            return found
    if named:
        raise NoBrowserError(f"FREEHOLD_CHROMIUM names {named}, which cannot be run")
    raise NoBrowserError(f"none of {', '.join(NAMES)} is on the PATH, and FREEHOLD_CHROMIUM names no other")


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    """Start Chromium without a window; it knows no host but this one, and is gone afterwards.

    It runs without its sandbox, which root and most containers cannot have: it sees the pages of this project alone.
    """
    chromium = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=_ARGUMENTS, chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass  # without slots: Playwright notes its handlers on the object whose methods they are
class Visitor:
    """Someone with a browser at one address; what went wrong on the way is in ``trouble``."""

    context: BrowserContext
    page: Page
    base: str
    trouble: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    async def go(self, path: str) -> Response:
        """Open a page of this address and wait until it has loaded."""
        response = await self.page.goto(self.base + path)
        assert response is not None, path
        return response

    def allow(self, pattern: str) -> None:
        """Let trouble that matches this regular expression pass: the test brings it about."""
        self.allowed.append(pattern)

    async def check(self) -> None:
        """Fail if there was trouble that the test did not allow."""
        for page in self.context.pages:
            await page.evaluate("0")  # by its answer, what was said before has come too
        found = [
            line for line in self.trouble if not any(re.search(pattern, line) for pattern in self.allowed)
        ]
        assert not found, "in the browser:\n" + "\n".join(found)

    # What the browser tells

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.trouble.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _failed(self, request: Request) -> None:
        if request.failure != _LEFT:
            self.trouble.append(f"request failed: {request.method} {request.url}: {request.failure}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in _HERE:
            self.trouble.append(f"request to another machine: {request.method} {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.trouble.append(f"answered {response.status}: {response.request.method} {response.url}")

    def _broke(self, error: WebError) -> None:
        self.trouble.append(f"script error: {error.error}")

    async def _interrupted(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.type} {dialog.message}")
        await dialog.dismiss()

    def listen(self) -> None:
        """Begin to collect trouble, from every page and window of the context."""
        self.context.on("console", self._heard)
        self.context.on("request", self._asked)
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._answered)
        self.context.on("weberror", self._broke)
        self.context.on("dialog", self._interrupted)


Visit = Callable[..., Awaitable[Visitor]]
"""What the fixture ``visit`` gives: takes a base and the options of ``open_visitor``."""
Enter = Callable[..., Awaitable[Visitor]]
"""What the fixture ``enter`` gives: takes a house and the options of ``open_visitor``; the visitor is signed in."""


@asynccontextmanager
async def open_visitor(
    browser: Browser, base: str, *, look: Look = WIDE, javascript: bool = True, language: str = "en-GB"
) -> AsyncIterator[Visitor]:
    """Let a visitor in who has never been here; on leaving, trouble that was not allowed fails the test.

    Args:
        browser: Where to open the context.
        base: Scheme, host and port; no closing slash.
        look: May be changed later, with ``take_look``.
        javascript: False for someone whose browser runs no scripts.
        language: What the browser asks for in Accept-Language, and how it writes dates.
    """
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.scheme,
        java_script_enabled=javascript,
        locale=language,
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    try:
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        visitor = Visitor(context=context, page=await context.new_page(), base=base.rstrip("/"))
        visitor.listen()
        yield visitor
        await visitor.check()
    finally:
        await context.close()


async def sign_in(visitor: Visitor, house: House) -> None:
    """Sign in by a one-time link, as after the start of a node; who they are is not freshly proved by that."""
    await visitor.go(f"/my/enter/{house.node.devices.new_link()}")
    await visitor.page.locator("main form button").click()
    await visitor.page.wait_for_url("**/my/today")


def address_of(house: House) -> str:
    """Return where a person opens the dashboard of a house: under a name, as passkeys need one."""
    return f"http://localhost:{house.node.config.port}"


async def take_look(page: Page, look: Look) -> None:
    """Make the page as wide and as dark as the look says, without loading it anew."""
    await page.set_viewport_size({"width": look.width, "height": look.height})
    await page.emulate_media(color_scheme=look.scheme)


async def screenshot(page: Page, name: str, looks: Sequence[Look] = PICTURED) -> list[Path]:
    """Take a picture of the whole page in each look; return the files, ``name.narrow.png`` and so on.

    They go to the folder that FREEHOLD_SCREENSHOTS names; where it names none, none are taken, for they are only to
    be looked at. The page keeps the size it had, and is light afterwards.
    """
    named = os.environ.get("FREEHOLD_SCREENSHOTS")
    if not named:
        return []
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    before, taken = page.viewport_size, []
    for look in looks:
        await take_look(page, look)
        taken.append(folder / f"{name}.{look.name}.png")
        await page.screenshot(path=taken[-1], full_page=True, animations="disabled")
    await page.emulate_media(color_scheme="light")
    if before:
        await page.set_viewport_size(before)
    return taken


_WIDER: Final = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.body.querySelectorAll('*')]
        .filter(e => e.getBoundingClientRect().right > wide + 1)
        .map(e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + (e.className ? '.' + e.className : ''))
        .slice(0, 8).concat('the page is ' + document.documentElement.scrollWidth + ' wide');
}"""


async def overflowing(page: Page, width: int = 320) -> list[str]:
    """Return what makes a page scroll sideways on the narrowest of phones (WCAG 1.4.10); nothing, if all is well."""
    before = page.viewport_size
    await page.set_viewport_size({"width": width, "height": NARROW.height})
    found: list[str] = await page.evaluate(_WIDER)
    if before:
        await page.set_viewport_size(before)
    return found
