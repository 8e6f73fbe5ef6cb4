"""The owner's operations about where the node is reached, and its backup.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import Json
from freehold_protocol.errors import MalformedError

from ...backup import Backups
from ..keys import BACKUPS, ORIGINS
from ..operation import Answer, Asked, Download, owned

HOLDS: Final = "Freehold-Holds"
_MOST: Final = 1000


@owned
async def list_origins(asked: Asked) -> Answer:
    """List where each grant is reached."""
    return Answer(document=await asked.app[ORIGINS].reached())


@owned
async def add_origin(asked: Asked) -> Answer:
    """State that grants are reached at an origin too."""
    found = form.check_members(asked.body, required=("origin",), optional=("grants", "passphrase"))
    origin = form.text(found["origin"], "origin", most=300)
    only = (
        form.array(found["grants"], "grants", _grant_id, least=1, most=_MOST) if "grants" in found else None
    )
    await asked.prove()
    return Answer(document=await asked.app[ORIGINS].add(origin, only=only))


@owned
async def make_backup(asked: Asked) -> Answer:
    """Give a backup of the whole node, piece by piece."""
    form.check_members(asked.body, required=(), optional=("passphrase",))
    await asked.prove()
    return Answer(download=_backup(asked.app[BACKUPS]))


@asynccontextmanager
async def _backup(backups: Backups) -> AsyncIterator[Download]:
    async with backups.made() as made:

        async def pieces() -> AsyncIterator[bytes]:
            for piece in made.pieces():
                yield piece

        told = {"records": made.held.records, "grants": made.held.grants}
        yield Download(
            content_type="application/octet-stream",
            size=made.header.size,
            pieces=pieces(),
            headers={HOLDS: json.dumps(told)},
        )


def _grant_id(value: Json) -> str:
    if not isinstance(value, str):
        raise MalformedError("grants are named by their ids")
    return form.urn_uuid("urn:uuid:" + value, "a grant").removeprefix("urn:uuid:")
