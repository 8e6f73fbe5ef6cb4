"""What anyone may ask: the same bytes for every node of a release.

Spec: specs/http.md#discovery
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from .messages import reply

VERSIONS: Final = ("freehold/1",)
TEMPLATES: Final = {
    "ask": "/i/{invitation}",
    "connect": "/connect",
    "request": "/requests/{request}",
    "grant": "/g/{grant}",
    "records": "/g/{grant}/{permission}/records",
    "record": "/g/{grant}/{permission}/records/{alias}",
    "events": "/g/{grant}/events",
    "ledger": "/g/{grant}/ledger",
    "renew": "/g/{grant}/renew",
    "revoke": "/g/{grant}/zcaps/revocations/{capability}",
}
"""What ``/.well-known/freehold`` tells."""


async def discover(request: web.Request) -> web.Response:
    """Say which protocol this is and where things are; nothing about whose node it is."""
    del request
    return reply({"protocol": list(VERSIONS), "routes": dict(TEMPLATES)})


async def health(request: web.Request) -> web.Response:
    """Say that the node answers."""
    del request
    return reply({"status": "ok"})
