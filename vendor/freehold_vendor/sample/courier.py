"""A courier: takes up what a shop delegates to it, and reads.

Run ``python -m freehold_vendor.sample.courier``.
"""

from __future__ import annotations

import argparse

from aiohttp import web

from ..access import Access
from ..delegation import Delegation
from ..errors import NotFoundError
from ..identity import VendorIdentity
from .company import Company
from .courier_pages import CourierPages
from .process import main, make_sample, read_body
from .reading import read_all


class Courier(Company):
    """What the courier knows: the newest access for each permission."""

    def __init__(self, identity: VendorIdentity) -> None:
        super().__init__(identity, brand="courier")
        self.pages = CourierPages(identity)
        self._accesses: dict[str, Access] = {}

    async def accept(self, request: web.Request) -> web.Response:
        """Answer POST /capability, whose body is a delegation, with the permission and a parcel's number."""
        document = await read_body(request)
        access = await self.vendor.accept(document)
        permission = Delegation.from_dict(document).permission
        self._accesses.pop(permission, None)
        self._accesses[permission] = access
        return web.json_response({"permission": permission, "parcel": self.pages.take(permission, access)})

    async def read(self, request: web.Request) -> web.Response:
        """Answer GET /read/{permission}, or GET /read for the one delegated last, with what is shown."""
        newest = next(reversed(self._accesses), None)
        if newest is None:
            raise NotFoundError("nothing was delegated to this courier yet")
        permission = request.match_info.get("permission") or newest
        # What was never delegated is asked for all the same, with what there is: the node has to refuse it.
        access = self._accesses.get(permission) or self._accesses[newest]
        return web.json_response(await read_all(access, permission))


def make_courier(identity: VendorIdentity) -> web.Application:
    """Return the courier as an application."""
    courier = Courier(identity)
    app = make_sample(
        "courier",
        identity.name,
        web.get("/", courier.introduce),
        web.post("/capability", courier.accept),
        web.get("/read", courier.read),
        web.get("/read/{permission}", courier.read),
        *courier.pages.routes(),
    )
    app.cleanup_ctx.append(courier.lifetime)
    return app


def _make(identity: VendorIdentity, _: argparse.Namespace) -> web.Application:
    return make_courier(identity)


if __name__ == "__main__":
    main(_make, name="Sample Courier", description="A sample courier that a shop delegates to.")
