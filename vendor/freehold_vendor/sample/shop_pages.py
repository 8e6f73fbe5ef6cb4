"""The shop's pages: what it sells, asking for a person's data, and what it can read of them now."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from ..ambient import wall_s
from ..errors import FreeholdError, OtherBrowserError, VendorError
from ..identity import VendorIdentity
from . import handing
from .door import HOST, Door, Visitor, let_forms_go_to, own_port
from .page import render, words_for
from .reading import Reading, code_of, read_wanted, shown
from .visit import Visit, Visits
from .wanted import DAYS, HANDED_ON, WANTED

_FIELDS: Final = {one.name: one.fields for one in WANTED}
_DAY_S: Final = 86_400
_LOOK_S: Final = 1.0
"""How long a page waits for a decision that may come at once."""
_STILL_S: Final = 15.0
_MAX_STREAMS: Final = 4
_MAX_ADDRESS_CHARS: Final = 500


class ShopPages:
    """What the shop shows in a browser."""

    def __init__(self, identity: VendorIdentity, *, courier: str | None = None, node: str = "") -> None:
        """Prepare.

        Args:
            identity: Who asks.
            courier: The origin of the courier that the delivery is handed to; None: the shop has none.
            node: The address of a person's node that is offered first.
        """
        self._identity, self._courier, self._node = identity, courier, node
        self._door, self._visits = Door(), Visits(identity)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the pages."""
        return [
            web.get("/shop", self.front),
            web.get("/shop/ask", self.front),  # the address that stands in the browser after a mistake
            web.post("/shop/ask", self.ask),
            web.get("/shop/connect", self.front),
            web.post("/shop/connect", self.connect),
            web.get("/shop/return", self.returned),
            web.get("/shop/order", self.order),
            web.get("/shop/read", self.order),  # likewise after reading again
            web.post("/shop/read", self.order_read_again),
            web.post("/shop/delegate", self.delegate),
            web.post("/shop/leave", self.leave),
            web.get("/shop/live", self.live),
        ]

    async def close(self, _: web.Application) -> None:
        """Forget every visit."""
        await self._visits.close()

    # What it sells, and asking

    async def front(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /shop with the product, what is asked for it, and the ways to say yes."""
        return self._front(request)

    def _front(
        self, request: web.Request, *, wrong: str | None = None, invitation: str = "", node: str | None = None
    ) -> web.Response:
        visitor = self._door.visitor(request)
        return self._show(
            request,
            visitor,
            "shop",
            wanted=WANTED,
            days=DAYS,
            has_courier=self._courier is not None,
            has_order=self._visits.find(visitor.id) is not None,
            node=self._node if node is None else node,
            invitation=invitation,
            wrong=wrong,
            status=422 if wrong else 200,
        )

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /shop/ask: send the request to the invitation that the person pasted."""
        invitation = (await self._door.form(request)).get("invitation", "").strip()[:_MAX_ADDRESS_CHARS]
        visit = await self._visits.open()
        try:
            asked = await self._asked()
            visit.follow(
                await visit.vendor.ask(
                    invitation,
                    asked,
                    wall_s() + DAYS * _DAY_S,
                    benefit=str(words_for(request)("shop.benefit")),
                )
            )
        except (FreeholdError, VendorError) as error:
            await visit.close()  # an order that there was stays as it was
            return self._front(request, wrong=code_of(error), invitation=invitation)
        await self._visits.put(self._door.visitor(request).id, visit)
        return _go("/shop/order")

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /shop/connect with a form that takes the browser, and the request, to the person's node."""
        node = (await self._door.form(request)).get("node", "")[:_MAX_ADDRESS_CHARS]
        visit = await self._visits.open()
        try:
            carried = await visit.vendor.connect(
                node,
                await self._asked(),
                wall_s() + DAYS * _DAY_S,
                return_to=f"http://{HOST}:{own_port(request)}/shop/return",
                benefit=str(words_for(request)("shop.benefit")),
            )
        except (FreeholdError, VendorError) as error:
            await visit.close()
            return self._front(request, wrong=code_of(error), node=node)
        visitor = self._door.visitor(request)
        await self._visits.put(visitor.id, visit)
        visit.challenge, visit.code = carried.challenge, carried.code
        origin = carried.action.removesuffix("/connect")
        response = self._show(request, visitor, "go", carried=carried, node=origin)
        let_forms_go_to(response, *_names_of(origin))
        return response

    async def returned(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /shop/return, to which the person's node sends the browser, by sending it on."""
        if len(set(request.query)) != len(request.query):
            raise web.HTTPBadRequest
        visit = self._visits.find(self._door.visitor(request).id)
        try:
            if visit is None:
                raise OtherBrowserError
            pending = await visit.vendor.returned(request.query, challenge=visit.challenge)
        except (FreeholdError, VendorError) as error:
            return self._front(request, wrong=code_of(error))
        visit.follow(pending)
        return _go("/shop/order")  # the code that came is in no address that the browser keeps showing

    async def _asked(self) -> list[dict[str, Any]]:
        courier = None if self._courier is None else await handing.did_of(self._courier)
        return [one.to_permission(courier) for one in WANTED]

    # What it can read

    async def order(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /shop/order with how the request stands or, once it is approved, what can be read now."""
        return await self._order_now(request, is_asked=False)

    async def order_read_again(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /shop/read with what can be read now."""
        by_itself = (await self._door.form(request)).get("by") == "itself"
        return await self._order_now(request, is_asked=not by_itself)

    async def _order_now(self, request: web.Request, *, is_asked: bool) -> web.StreamResponse:
        visitor = self._door.visitor(request)
        visit = self._visits.find(visitor.id)
        if visit is None:
            return _go("/shop")
        return await self._order(request, visitor, visit, is_asked=is_asked)

    async def _order(
        self, request: web.Request, visitor: Visitor, visit: Visit, *, is_asked: bool
    ) -> web.Response:
        await visit.settled(_LOOK_S)
        since = visit.news.count  # before it is read: what changes meanwhile is told to the page
        if visit.refused is not None:
            return self._show(
                request, visitor, "refused", code=visit.refused, reason=shown(visit.reason or "") or None
            )
        if visit.access is None:
            return self._show(request, visitor, "waiting", code=visit.code, since=since)
        async with visit.one_at_a_time:
            again = visit.before.last is not None
            reading = await read_wanted(visit.access, _FIELDS, visit.before)
            notice, visit.notice = visit.notice, None
        return self._show(
            request,
            visitor,
            "order",
            reading=reading,
            says_changes=again and bool(is_asked or reading.gone or reading.came),
            since=since,
            can_hand_over=self._courier is not None and _shares_delivery(reading),
            courier=self._courier,
            parcel=visit.parcel,
            notice=notice,
            next=_next(reading, visit.parcel, has_courier=self._courier is not None),
        )

    async def delegate(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /shop/delegate: hand the delivery to the courier."""
        await self._door.form(request)
        visit = self._visits.find(self._door.visitor(request).id)
        if visit is None or visit.access is None or self._courier is None:
            return _go("/shop")
        try:
            _, taken = await handing.hand_over(visit.access, HANDED_ON, self._courier)
            parcel = taken.get("parcel")
            visit.parcel = parcel if isinstance(parcel, int) else None
            visit.notice = "handed" if visit.parcel is not None else "not-handed"
        except (FreeholdError, VendorError):
            visit.notice = "not-handed"
        return _go("/shop/order")

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /shop/leave: forget this browser's order."""
        await self._door.form(request)
        await self._visits.end(self._door.visitor(request).id)
        return _go("/shop")

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /shop/live with server-sent events that say when to read again, and hold no data."""
        visit = self._visits.find(self._door.visitor(request).id)
        if visit is None:
            raise web.HTTPNotFound
        if visit.streams >= _MAX_STREAMS:
            raise web.HTTPTooManyRequests
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        visit.streams += 1
        try:
            await response.prepare(request)
            await _tell(response, visit, _count(request.query.get("since", "")))
        except ConnectionError:
            pass
        finally:
            visit.streams -= 1
        return response

    def _show(
        self, request: web.Request, visitor: Visitor, name: str, *, status: int = 200, **given: object
    ) -> web.Response:
        response = render(
            request,
            name,
            brand="shop",
            company=self._identity.name,
            visitor=visitor,
            here="/shop" if name in ("shop", "go") else "/shop/order",
            status=status,
            **given,
        )
        self._door.remember(request, response, visitor)
        return response


def _count(told: str) -> int:
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0


async def _tell(response: web.StreamResponse, visit: Visit, seen: int) -> None:
    """Say so whenever there is more to look at than was seen, until nothing more will come."""
    await response.write(b": listening\n\n")
    while visit.news.count > seen or not visit.is_over:
        try:
            async with asyncio.timeout(_STILL_S):
                seen = await visit.news.since(seen)
            await response.write(b"event: look\ndata:\n\n")
        except TimeoutError:
            await response.write(b": still here\n\n")
    await response.write(b"event: over\ndata:\n\n")


def _shares_delivery(reading: Reading) -> bool:
    rows = [row for group in reading.groups if group.name == HANDED_ON for row in group.rows]
    return any(row.state in ("shared", "empty") for row in rows)


def _next(reading: Reading, parcel: int | None, *, has_courier: bool) -> str:
    """Return what whoever tries the sample out does next, by the page's texts; "" where their node knows best."""
    if reading.state in ("ended", "expired"):
        return "remove"
    if not reading.groups:
        return "resume" if reading.state == "paused" else ""
    if _shares_address(reading):
        return "narrow"
    if has_courier and _shares_delivery(reading):
        return "hand" if parcel is None else "courier"
    return "end"


def _shares_address(reading: Reading) -> bool:
    rows = (row for group in reading.groups if group.name == HANDED_ON for row in group.rows)
    return any(row.state == "shared" and row.path.startswith("address.") for row in rows)


def _names_of(origin: str) -> tuple[str, ...]:
    """Return the origins to which a form at a node may lead: at home a node calls itself by a name too."""
    home, _, port = origin.rpartition(":")
    if home in (f"http://{HOST}", "http://localhost"):
        return f"http://{HOST}:{port}", f"http://localhost:{port}"
    return (origin,)


def _go(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
