"""What the pages' scripts do for a passkey, done by a program: adding one, and using it."""

from __future__ import annotations

import json
from typing import Any

from browse import Browser, Seen
from freehold_protocol.encoding import Document
from harness import PASSPHRASE
from software_key import SoftwareKey

ADD = "/my/settings/devices/add"
DEVICES = "/my/settings/devices"


async def prove(browser: Browser) -> None:
    """Sign in, and prove by passphrase who it is."""
    await browser.sign_in()
    page = await browser.get(ADD)
    await browser.submit(page.form(ADD), {"passphrase": PASSPHRASE})


async def csrf_of(browser: Browser) -> str:
    page = await browser.get("/my/settings")
    return page.form("/my/sign-out").fields["csrf"]


async def begun(browser: Browser, path: str, **fields: str) -> Document:
    seen = await browser.post(path, fields)
    assert seen.status == 200, seen.text
    told: Document = json.loads(seen.html)
    return told


async def added(browser: Browser, key: SoftwareKey, *, name: str = "My phone") -> Seen:
    """Have a device make a passkey, and bring it to the node."""
    csrf = await csrf_of(browser)
    asked = await begun(browser, f"{DEVICES}/passkeys/begin", csrf=csrf)
    fields = {"csrf": csrf, "ticket": asked["ticket"], "credential": key.make(asked["options"]), "name": name}
    return await browser.post(f"{DEVICES}/passkeys", fields)


async def with_key(browser: Browser, **more: Any) -> SoftwareKey:
    """Return a passkey that the node took up."""
    await prove(browser)
    key = SoftwareKey(browser.base, **more)
    seen = await added(browser, key)
    assert "The passkey was added" in seen.text
    return key


async def enter(browser: Browser, key: SoftwareKey) -> Seen:
    """Sign in with a passkey; what comes of it."""
    asked = await begun(browser, "/my/enter/passkey/begin")
    return await browser.post("/my/enter/passkey", {"credential": key.use(asked["options"])})
