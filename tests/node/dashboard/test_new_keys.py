"""A vendor shows new keys for its name: the person is told in plain words, and nothing happens by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from browse import Browser, open_browser
from harness import PASSPHRASE, Held
from web_vendor import SECOND, Web, open_web


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with open_web(tmp_path / "node") as made:
        yield made


@pytest_asyncio.fixture
async def browser(web: Web) -> AsyncIterator[Browser]:
    async with open_browser(web.house) as made:
        await made.sign_in()
        yield made


async def changed_keys(web: Web) -> Held:
    """Return what a shop held whose document lists another key since; the node has seen it."""
    held = await web.relate()
    web.server.publish(web.shop, SECOND.public)
    await web.renew(held, SECOND)
    return held


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-100")
async def test_new_keys_wait_for_the_person(web: Web, browser: Browser) -> None:
    held = await changed_keys(web)
    path = f"/my/relationships/{held.grant}"
    assert "Shows a new key" in (await browser.get("/my/relationships")).text
    page = await browser.get(path)
    assert "If you did not expect this, do nothing" in page.text
    assert f"{path}/resume" not in [form.action for form in page.forms]
    form = page.form(f"{path}/keys")
    for passphrase, status in (("", 403), ("wrong", 403)):
        refused = await browser.submit(form, {"passphrase": passphrase})
        assert refused.status == status
        assert "This is not your passphrase" in refused.text
        assert (await web.grant(held))["newKeys"] is True
    done = await browser.submit(form, {"passphrase": PASSPHRASE})
    assert "The new key is accepted" in done.text
    assert "newKeys" not in await web.grant(held)
    assert (await web.grant(held))["state"] == "paused"
    review = await browser.submit(done.form(f"{path}/resume"))
    await browser.submit(review.form(f"{path}/review"))
    assert (await web.grant(held))["state"] == "live"


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-100")
async def test_other_keys_than_those_shown_are_not_accepted(web: Web, browser: Browser) -> None:
    held = await changed_keys(web)
    path = f"/my/relationships/{held.grant}"
    form = (await browser.get(path)).form(f"{path}/keys")
    late = await browser.submit(form, {"passphrase": PASSPHRASE, "digest": "x" * 43})
    assert late.status == 412
    assert (await web.grant(held))["newKeys"] is True
