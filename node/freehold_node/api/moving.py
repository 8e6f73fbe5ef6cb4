"""The owner's operations about where the node is reached, and its backup.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web
from freehold_protocol import form
from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import MalformedError

from .keys import BACKUPS, ORIGINS
from .messages import reply
from .owning import check_passphrase, owned

HOLDS: Final = "Freehold-Holds"
_MOST: Final = 1000


@owned
async def list_origins(request: web.Request, _: Document) -> web.Response:
    """List where each grant is reached."""
    return reply(await request.app[ORIGINS].reached())


@owned
async def add_origin(request: web.Request, body: Document) -> web.Response:
    """State that grants are reached at an origin too."""
    found = form.check_members(body, required=("origin",), optional=("grants", "passphrase"))
    origin = form.text(found["origin"], "origin", most=300)
    only = (
        form.array(found["grants"], "grants", _grant_id, least=1, most=_MOST) if "grants" in found else None
    )
    await check_passphrase(request, found)
    return reply(await request.app[ORIGINS].add(origin, only=only))


@owned
async def make_backup(request: web.Request, body: Document) -> web.StreamResponse:
    """Give a backup of the whole node, piece by piece."""
    await check_passphrase(request, form.check_members(body, required=(), optional=("passphrase",)))
    async with request.app[BACKUPS].made() as made:
        told = {"records": made.held.records, "grants": made.held.grants}
        headers = {"Cache-Control": "no-store", HOLDS: json.dumps(told)}
        response = web.StreamResponse(headers=headers)
        response.content_type, response.content_length = "application/octet-stream", made.header.size
        await response.prepare(request)
        for piece in made.pieces():
            await response.write(piece)
        await response.write_eof()
    return response


def _grant_id(value: Json) -> str:
    if not isinstance(value, str):
        raise MalformedError("grants are named by their ids")
    return form.urn_uuid("urn:uuid:" + value, "a grant").removeprefix("urn:uuid:")
