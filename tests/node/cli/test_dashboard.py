"""``freehold dashboard``, and the link that ``serve`` prints: one way in, and one browser that takes it."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest
from browse import open_browser
from harness import House
from shell import Shell


@pytest.mark.asyncio
async def test_prints_a_link_that_opens_the_pages_once(shell: Shell, house: House) -> None:
    ran = await asyncio.to_thread(shell, "dashboard", passphrase=None)
    assert (ran.code, ran.err) == (0, "")
    link = ran.out.strip()
    parts = urlsplit(link)
    assert (parts.hostname, parts.port) == ("localhost", house.node.config.port)
    async with open_browser(house) as browser, open_browser(house) as other:
        looked = await other.get(parts.path)
        page = await browser.submit((await browser.get(parts.path)).form("/my/enter/link"))
        assert page.url.endswith("/my/today")
        assert (await other.submit(looked.form("/my/enter/link"))).status == 403
    (session,) = await house.node.devices.listed()
    assert not session.proved_us


@pytest.mark.asyncio
async def test_says_until_when(shell: Shell, house: House) -> None:
    told = await asyncio.to_thread(shell.ok, "dashboard", passphrase=None)
    assert set(told) == {"url", "expires"}


def test_needs_a_node_that_runs(shell: Shell) -> None:
    ran = shell("dashboard")
    assert (ran.code, "freehold serve" in ran.err) == (3, True)
