"""The owner's operations about where they are signed in, and with what they may.

Adding a passkey is none of them: it takes a browser and a device that speaks with it.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import Document, format_time

from ...passkeys import host_of_row
from ...store.rows import PasskeyRow
from ..keys import DEVICES, PASSKEYS
from ..operation import Answer, Asked, owned

_US: Final = 1_000_000


@owned
async def list_devices(asked: Asked) -> Answer:
    """List where the person is signed in, and their passkeys."""
    sessions = [
        {
            "id": row.id,
            "device": row.device,
            "since": format_time(row.created_us // _US),
            "seen": format_time(row.seen_us // _US),
            "this": row.id == asked.session,
            **({"passkey": row.passkey} if row.passkey is not None else {}),
        }
        for row in await asked.app[DEVICES].listed()
    ]
    passkeys = [_passkey(row) for row in await asked.app[PASSKEYS].listed()]
    return Answer(document={"sessions": sessions, "passkeys": passkeys})


def _passkey(row: PasskeyRow) -> Document:
    told: Document = {
        "id": row.id,
        "name": row.name,
        "host": host_of_row(row),
        "since": format_time(row.created_us // _US),
    }
    return told | ({"used": format_time(row.used_us // _US)} if row.used_us is not None else {})


@owned
async def sign_out(asked: Asked) -> Answer:
    """End one session."""
    await asked.app[DEVICES].sign_out(asked.params["session"])
    return Answer()


@owned
async def sign_out_everywhere(asked: Asked) -> Answer:
    """End every session, and have every one-time link that was not followed open nothing."""
    form.check_members(asked.body, required=())
    return Answer(document={"ended": await asked.app[DEVICES].sign_out_everywhere()})


@owned
async def forget_passkey(asked: Asked) -> Answer:
    """Take a passkey no more, and end every session that it opened."""
    return Answer(document={"ended": await asked.app[DEVICES].forget_passkey(asked.params["passkey"])})
