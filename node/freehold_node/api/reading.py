"""Read the view: one record, or a page of them. Every response here is an admission.

Spec: specs/http.md#reading
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from ..selection import parse_selection
from .keys import GATE
from .messages import read_call

ENTRY: Final = "Freehold-Entry"


async def read_records(request: web.Request) -> web.Response:
    """Answer with what the permission shows, as it stood when the read was admitted."""
    call = await read_call(request)
    found = request.match_info
    _, _, query = call.target.partition("?")
    admission = await request.app[GATE].admit(
        call,
        grant=found["grant"],
        selection=parse_selection(found["permission"], found.get("alias"), query),
        route=request.match_info.route.resource.canonical,  # type: ignore[union-attr]
        known_etag=request.headers.get("If-None-Match"),
    )
    headers = {"Cache-Control": "no-store", "ETag": admission.view.etag, ENTRY: str(admission.number)}
    if admission.unchanged:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = "application/json"
    return web.Response(body=admission.view.body, headers=headers)
