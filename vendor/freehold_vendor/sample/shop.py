"""A shop: asks at an invitation, reads what was approved, delegates to a courier.

Run ``python -m freehold_vendor.sample.shop``. It knows one person at a time, the one it asked last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from aiohttp import web
from freehold_protocol import form
from freehold_protocol.encoding import Document, parse_document, parse_time
from freehold_protocol.grant import read_origin

from ..access import Access
from ..client import Vendor
from ..errors import MalformedError, NotFoundError, RefusedError, UnreachableError
from ..identity import VendorIdentity
from ..pending import PendingRequest
from .process import HOST, main, make_sample, read_body

_MAX_PAGES: Final = 10
_COURIER_S: Final = 30


class Shop:
    """What the shop knows: the request it waits on, and the access it was given."""

    def __init__(self, identity: VendorIdentity) -> None:
        self.vendor = Vendor(identity, allow_private_addresses=True)
        self._pending: PendingRequest | None = None
        self._access: Access | None = None

    async def lifetime(self, _: web.Application) -> AsyncIterator[None]:
        """Keep the vendor's session open while the application runs."""
        async with self.vendor:
            yield

    async def introduce(self, _: web.Request) -> web.Response:
        """Answer GET / with who this is."""
        identity = self.vendor.identity
        return web.json_response({"name": identity.name, "did": identity.did})

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
        courier = read_origin(found["courier"])
        if not courier.startswith(f"http://{HOST}:"):
            raise MalformedError("the sample delegates only to couriers on this machine")
        access = self._given()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_COURIER_S)) as session:
            partner = await _talk(session, "GET", courier + "/")
            delegation = await access.delegate(
                form.did(partner.get("did"), "did"), form.short_name(found["permission"], "permission")
            )
            taken = await _talk(session, "POST", courier + "/capability", delegation.to_dict())
        return web.json_response(taken if "error" in taken else {"partner": partner["did"]})

    def _given(self) -> Access:
        if self._access is None:
            raise NotFoundError("nothing was approved yet")
        return self._access


async def _talk(
    session: aiohttp.ClientSession, method: str, url: str, body: Document | None = None
) -> Document:
    try:
        async with session.request(method, url, json=body, allow_redirects=False) as answer:
            return parse_document(await answer.content.read(2**20))
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UnreachableError("the courier does not answer") from error


async def read_all(access: Access, permission: str, fields: list[str] | None = None) -> Document:
    """Return the records of the first pages, and the numbers of the entries in the ledger, all verified."""
    records: list[Document] = []
    entries: list[int] = []
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = await access.read(permission, fields=fields, cursor=cursor)
        records.extend(page.records)
        entries.append(page.entry)
        cursor = page.next
        if cursor is None:
            break
    return {"records": records, "entries": entries}


def make_shop(identity: VendorIdentity) -> web.Application:
    """Return the shop as an application."""
    shop = Shop(identity)
    app = make_sample(
        web.get("/", shop.introduce),
        web.post("/ask", shop.ask),
        web.get("/decision", shop.decision),
        web.get("/read/{permission}", shop.read),
        web.get("/receipt", shop.receipt),
        web.post("/delegate", shop.delegate),
    )
    app.cleanup_ctx.append(shop.lifetime)
    return app


if __name__ == "__main__":
    main(make_shop, name="Sample Shop", description="A sample shop that reads a Freehold node.")
