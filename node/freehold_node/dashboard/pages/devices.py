"""Devices: where the person is signed in, and the passkeys by which they may.

Spec: specs/node/dashboard.md#devices
"""

from __future__ import annotations

from aiohttp import web

from ...api.owner import devices
from ..door import drop_cookie
from ..visit import Visit

PLACE = "/my/settings/devices"


async def show(visit: Visit) -> web.Response:
    """List them."""
    told = (await visit.does(devices.list_devices)).told
    return visit.page(
        "devices.html", active="settings", sessions=told["sessions"], keys=told["passkeys"],
        port=visit.origin.rpartition(":")[2],
    )  # fmt: skip


async def sign_out(visit: Visit) -> web.Response:
    """End one session; where it is this one, the person is out."""
    session = visit.params["session"]
    await visit.does(devices.sign_out, {"session": session})
    if session == visit.signed_in.id:
        return _out(visit)
    return visit.go(PLACE, said="signed_out_there")


async def sign_out_everywhere(visit: Visit) -> web.Response:
    """End every session, this one too."""
    await visit.does(devices.sign_out_everywhere)
    return _out(visit)


def _out(visit: Visit) -> web.Response:
    response = visit.go("/my/enter")
    drop_cookie(response, visit.origin)
    return response


async def ask_forget(visit: Visit) -> web.Response:
    """Say what taking a passkey no more means, before it is done."""
    told = (await visit.does(devices.list_devices)).told
    key = next((one for one in told["passkeys"] if one["id"] == visit.params["passkey"]), None)
    if key is None:
        return visit.go(PLACE)
    opened = [one for one in told["sessions"] if one.get("passkey") == key["id"]]
    return visit.page(
        "passkey_forget.html",
        active="settings",
        key=key,
        opened=len(opened),
        here=any(one["this"] for one in opened),
    )


async def forget(visit: Visit) -> web.Response:
    """Take a passkey no more; where it opened this session, the person is out."""
    await visit.does(devices.forget_passkey, {"passkey": visit.params["passkey"]})
    if not await visit.devices.stands(visit.signed_in.id):
        return _out(visit)
    return visit.go(PLACE, said="passkey_forgotten")
