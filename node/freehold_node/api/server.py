"""The HTTP server: aiohttp's, with a deadline for a request's head that aiohttp does not have.

What cannot be read as HTTP never reaches the application, and gets an answer of the same shape all the same:
without the clock and the software's name that aiohttp adds, and without a line in the log that repeats it.

Spec: specs/http.md#messages
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import http_exceptions, web
from aiohttp.web_protocol import RequestHandler
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError

from .keys import WHEN_LOST
from .messages import MAX_OWNER_BODY_BYTES, guard, strip_headers
from .operation import hide_owners_paths
from .problems import problem, problem_response
from .routes import ROUTES, Route

_log = logging.getLogger(__name__)
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
        request = self._current_request
        super().connection_lost(exc)
        if isinstance(request, web.Request) and (told := request.get(WHEN_LOST)) is not None:
            told()

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

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        del status, message
        if request.writer.output_size > 0:
            raise ConnectionError("a response was begun already")
        response = _Unrouted(problem(_reason(exc), route="?"))
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException):  # by aiohttp itself, before any handler of ours
            resp = problem_response(resp.status, "malformed", "this is not how a request begins")
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: object, **named: object) -> None:
        # Not the text: aiohttp's errors repeat what came, and a capability may be in it.
        del args
        _log.warning("a connection was closed: %s", type(named.get("exc_info")).__name__)


def _reason(exc: BaseException | None) -> FreeholdError:
    if isinstance(exc, http_exceptions.LineTooLong):
        return TooLargeError("the request's target or a header is too long")
    if isinstance(exc, http_exceptions.HttpProcessingError):
        return MalformedError("what came cannot be read as HTTP")
    return FreeholdError("the node failed")


class _Unrouted(web.Response):
    """A response to what the application never saw, so that its signals do not reach it."""

    def __init__(self, made: web.Response) -> None:
        super().__init__(status=made.status, body=made.body, headers=made.headers)

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        await strip_headers(self._req, self)  # type: ignore[arg-type]


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """Let the body come if the client waits to be told so; aiohttp would answer anything else in plain text."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return problem_response(417, "malformed", "nothing but 100-continue can be expected")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0
    return None


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs the application on ``_Handler`` connections."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        return server


def make_app(routes: Iterable[Route] | None = None) -> web.Application:
    """Return the application with these routes, all of them if none are given; its parts are put in by ``app``."""
    app = web.Application(middlewares=[guard, hide_owners_paths], client_max_size=MAX_OWNER_BODY_BYTES)
    for route in ROUTES if routes is None else routes:
        app.router.add_route(route.method, route.path, route.handler, expect_handler=_expect)
        if route.method == "GET" and route.spec == "reading":
            app.router.add_route("HEAD", route.path, route.handler, expect_handler=_expect)
    app.on_response_prepare.append(strip_headers)
    return app


def make_runner(app: web.Application) -> Runner:
    """Return the runner with its bounds."""
    options: dict[str, Any] = {
        "keepalive_timeout": KEEPALIVE_S,
        "max_field_size": _MAX_FIELD,
        "max_line_size": 8 * 1024,
        "access_log": None,
        "auto_decompress": False,  # the bytes that came are the bytes that were signed; and nobody sends a bomb
        "shutdown_timeout": 10.0,
    }
    return Runner(app, handle_signals=False, **options)
