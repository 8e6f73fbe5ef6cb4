"""What anyone may ask: the same bytes for every node of a release.

Spec: specs/http.md#discovery
"""

from __future__ import annotations

from aiohttp import web

from .messages import reply

VERSIONS = ("freehold/1",)


async def discover(request: web.Request) -> web.Response:
    """Say which protocol this is and where things are; nothing about whose node it is."""
    from .routes import TEMPLATES

    del request
    return reply({"protocol": list(VERSIONS), "routes": dict(TEMPLATES)})


async def health(request: web.Request) -> web.Response:
    """Say that the node answers."""
    del request
    return reply({"status": "ok"})
