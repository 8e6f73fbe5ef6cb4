"""The courier's page: the parcels that were handed to it, and where each goes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from ..access import Access
from ..ambient import wall_s
from ..identity import VendorIdentity
from .door import Door
from .page import render
from .reading import Before, Group, read_wanted
from .wanted import WANTED

MOST_PARCELS: Final = 20
_FIELDS: Final = tuple(dict.fromkeys(path for one in WANTED for path in one.fields))


@dataclass(slots=True, kw_only=True)
class Parcel:
    """What was handed over once: a permission, and the access to it."""

    number: int
    permission: str
    access: Access
    handed_s: int
    before: Before = field(default_factory=Before)

    @property
    def time(self) -> str:
        """When it was handed over, as it is shown."""
        return datetime.fromtimestamp(self.handed_s, UTC).astimezone().strftime("%H:%M")

    async def read(self) -> Group:
        """Read what is shared of what may be needed, now."""
        reading = await read_wanted(self.access, {self.permission: _FIELDS}, self.before)
        if not reading.groups:
            return Group(name=self.permission, rows=(), refusal=reading.refusal)
        [group] = reading.groups
        return replace(group, rows=tuple(row for row in group.rows if row.state != "not-shared"))


class CourierPages:
    """What the courier shows in a browser: to whoever works for it, all parcels that it has."""

    def __init__(self, identity: VendorIdentity) -> None:
        self._identity, self._door = identity, Door()
        self._parcels: OrderedDict[int, Parcel] = OrderedDict()
        self._numbered = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the pages."""
        return [
            web.get("/courier", self.desk),
            web.get("/courier/read", self.desk),
            web.post("/courier/read", self.look),
        ]

    def take(self, permission: str, access: Access) -> int:
        """Put a parcel on the desk; return its number."""
        self._numbered += 1
        self._parcels[self._numbered] = Parcel(
            number=self._numbered, permission=permission, access=access, handed_s=wall_s()
        )
        if len(self._parcels) > MOST_PARCELS:
            self._parcels.popitem(last=False)
        return self._numbered

    async def desk(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /courier with the parcels."""
        return self._show(request)

    async def look(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /courier/read with where one of them goes."""
        told = (await self._door.form(request)).get("parcel", "")
        number = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0
        parcel = self._parcels.get(number)
        if parcel is None:
            raise web.HTTPNotFound
        return self._show(request, group=await parcel.read(), looked=number)

    def _show(
        self, request: web.Request, *, group: Group | None = None, looked: int | None = None
    ) -> web.Response:
        visitor = self._door.visitor(request)
        response = render(
            request,
            "courier",
            brand="courier",
            company=self._identity.name,
            visitor=visitor,
            here="/courier",
            parcels=list(reversed(self._parcels.values())),
            group=group,
            looked=looked,
        )
        self._door.remember(request, response, visitor)
        return response
