"""A passkey in a device that is not there: Chromium's own virtual authenticator, driven over its debugging protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Error, Page


@dataclass(frozen=True, slots=True)
class Authenticator:
    """A device that says yes by itself: it can keep passkeys, and knows its person by a finger or a PIN."""

    session: CDPSession
    number: str

    async def credentials(self) -> list[dict[str, Any]]:
        """Return the passkeys that it keeps, as Chromium describes them."""
        told = await self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.number})
        credentials: list[dict[str, Any]] = told["credentials"]
        return credentials

    async def forget(self) -> None:
        """Lose every passkey, as a lost device does."""
        await self.session.send("WebAuthn.clearCredentials", {"authenticatorId": self.number})

    async def recognise(self, person: bool) -> None:
        """Say whether it is the person who holds it; False is someone else's finger."""
        asked = {"authenticatorId": self.number, "isUserVerified": person}
        await self.session.send("WebAuthn.setUserVerified", asked)


@asynccontextmanager
async def open_authenticator(page: Page) -> AsyncIterator[Authenticator]:
    """Plug a device into the browser of this page; the page must be at localhost, or of https, to use it."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    authenticator = Authenticator(session=session, number=added["authenticatorId"])
    try:
        yield authenticator
    finally:
        with suppress(Error):  # it is gone with the page, or with what judged the page
            await session.send(
                "WebAuthn.removeVirtualAuthenticator", {"authenticatorId": authenticator.number}
            )
            await session.detach()
