"""A shop: asks at an invitation, reads what was approved, delegates to a courier.

Run ``python -m freehold_vendor.sample.shop``. To programs it speaks JSON and knows one person at a time, the one it
asked last; to people it shows pages, and knows each browser by itself: ``shop_pages``.
"""

from __future__ import annotations

import argparse

from aiohttp import web
from freehold_protocol import form
from freehold_protocol.encoding import parse_time

from ..access import Access
from ..connecting import read_node_address
from ..errors import MalformedError, NotFoundError, RefusedError
from ..identity import VendorIdentity
from ..pending import PendingRequest
from .company import Company
from .handing import courier_at, hand_over
from .process import main, make_sample, read_body
from .reading import read_all
from .shop_pages import ShopPages


class Shop(Company):
    """What the shop knows: the request it waits on, and the access it was given."""

    def __init__(self, identity: VendorIdentity) -> None:
        super().__init__(identity, brand="shop")
        self._pending: PendingRequest | None = None
        self._access: Access | None = None

    async def ask(self, request: web.Request) -> web.Response:
        """Answer POST /ask {invitation, permissions, expires, benefit?} with the code to compare."""
        found = form.check_members(
            await read_body(request), required=("invitation", "permissions", "expires"), optional=("benefit",)
        )
        if not isinstance(found["invitation"], str) or not isinstance(found["permissions"], list):
            raise MalformedError("invitation is a URL, permissions an array")
        self._access = None
        self._pending = await self.vendor.ask(
            found["invitation"],
            found["permissions"],
            parse_time(found["expires"]),
            benefit=found.get("benefit"),
        )
        return web.json_response({"code": self._pending.code})

    async def decision(self, request: web.Request) -> web.Response:
        """Answer GET /decision?wait=N with whether the person has decided."""
        if self._access is None:
            if self._pending is None:
                raise NotFoundError("nobody was asked yet")
            wait = request.query.get("wait", "0")
            wait_s = min(int(wait), 30) if wait.isascii() and wait.isdigit() and len(wait) < 5 else 0
            try:
                self._access = await self._pending.decision(timeout_s=wait_s)
            except TimeoutError:
                return web.json_response({"status": "waiting"})
            except RefusedError as refused:
                return web.json_response({"status": "refused", "reason": refused.reason})
        standing = self._access.standing
        names = [one.name for one in standing.permissions] if standing else []
        return web.json_response({"status": "approved", "permissions": names})

    async def read(self, request: web.Request) -> web.Response:
        """Answer GET /read/{permission}[?fields=a,b.c] with what is shown, and the entries that tell of it."""
        fields = request.query["fields"].split(",") if "fields" in request.query else None
        return web.json_response(await read_all(self._given(), request.match_info["permission"], fields))

    async def receipt(self, _: web.Request) -> web.Response:
        """Answer GET /receipt with how the grant stands now, and the receipt that shows it."""
        access = self._given()
        standing = await access.refresh()
        receipt = access.receipt.to_dict() if access.receipt else None
        return web.json_response({"state": standing.state, "version": standing.version, "receipt": receipt})

    async def delegate(self, request: web.Request) -> web.Response:
        """Answer POST /delegate {permission, courier} once the courier at that URL has taken it up."""
        found = form.check_members(await read_body(request), required=("permission", "courier"))
        courier = courier_at(found["courier"])
        permission = form.short_name(found["permission"], "permission")
        partner, taken = await hand_over(self._given(), permission, courier)
        return web.json_response(taken if "error" in taken else {"partner": partner})

    def _given(self) -> Access:
        if self._access is None:
            raise NotFoundError("nothing was approved yet")
        return self._access


def make_shop(identity: VendorIdentity, *, courier: str | None = None, node: str = "") -> web.Application:
    """Return the shop as an application.

    Args:
        identity: Who asks.
        courier: The origin of its courier on this computer; without one its pages hand nothing on.
        node: The address of a person's node that its pages offer first.
    """
    shop, pages = Shop(identity), ShopPages(identity, courier=courier, node=node)
    app = make_sample(
        "shop",
        identity.name,
        web.get("/", shop.introduce),
        web.post("/ask", shop.ask),
        web.get("/decision", shop.decision),
        web.get("/read/{permission}", shop.read),
        web.get("/receipt", shop.receipt),
        web.post("/delegate", shop.delegate),
        *pages.routes(),
    )
    app.cleanup_ctx.append(shop.lifetime)
    app.on_shutdown.append(pages.close)
    return app


def _make(identity: VendorIdentity, given: argparse.Namespace) -> web.Application:
    return make_shop(
        identity,
        courier=None if given.courier is None else courier_at(given.courier),
        node="" if given.node is None else read_node_address(given.node),
    )


if __name__ == "__main__":
    main(
        _make,
        name="Sample Shop",
        description="A sample shop that reads a Freehold node.",
        options={
            "--courier": "where its courier listens on this computer",
            "--node": "the person's node that its page offers to connect to",
        },
    )
