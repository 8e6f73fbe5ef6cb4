"""The HTTP server: aiohttp's, with a deadline for a request's head that aiohttp does not have."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from .messages import MAX_OWNER_BODY_BYTES, guard, strip_headers
from .routes import ROUTES

HEAD_S: Final = 10.0
"""A head that takes longer, from connecting or from its first byte, is not waited for."""
KEEPALIVE_S: Final = 30.0
_MAX_FIELD: Final = 12 * 1024  # a capability of 8 KiB, its quotes and action


class _Handler(RequestHandler):
    """One connection."""

    __slots__ = ("_deadline",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._deadline: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages or self._current_request is not None:
            self._head_came()
        elif self._deadline is None:
            self._expect_head()

    def _expect_head(self) -> None:
        self._deadline = self._loop.call_later(HEAD_S, self._too_slow)

    def _head_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        self.force_close()


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs the application on ``_Handler`` connections."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        return server


def make_app() -> web.Application:
    """Return the application with every route; its parts are put in by ``app``."""
    app = web.Application(middlewares=[guard], client_max_size=MAX_OWNER_BODY_BYTES)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
        if route.method == "GET" and route.spec == "reading":
            app.router.add_route("HEAD", route.path, route.handler)
    app.on_response_prepare.append(strip_headers)
    return app


def make_runner(app: web.Application) -> Runner:
    """Return the runner with its bounds."""
    options: dict[str, Any] = {
        "keepalive_timeout": KEEPALIVE_S,
        "max_field_size": _MAX_FIELD,
        "max_line_size": 8 * 1024,
        "access_log": None,
        "shutdown_timeout": 10.0,
    }
    return Runner(app, handle_signals=False, **options)
