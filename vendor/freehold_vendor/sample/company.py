"""What shop and courier have in common: a vendor's session while they run, and who they say they are."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from ..client import Vendor
from ..identity import VendorIdentity
from .process import wants_page


class Company:
    """One of the samples, towards programs."""

    def __init__(self, identity: VendorIdentity, *, brand: str) -> None:
        """Be a company; brand is ``shop`` or ``courier``, where its pages begin."""
        self.vendor = Vendor(identity, allow_private_addresses=True)
        self._brand = brand

    async def lifetime(self, _: web.Application) -> AsyncIterator[None]:
        """Keep the vendor's session open while the application runs."""
        async with self.vendor:
            yield

    async def introduce(self, request: web.Request) -> web.Response:
        """Answer GET / with who this is; people are led to the page."""
        if wants_page(request):
            return web.Response(status=303, headers={"Location": f"/{self._brand}"})
        identity = self.vendor.identity
        return web.json_response({"name": identity.name, "did": identity.did})
