"""What both samples are as processes: told where they are in one line, stopped by the end of their input."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from freehold_protocol.encoding import Document, parse_document

from ..errors import FreeholdError, MalformedError, ProblemError, RefusedError, UnreachableError, VendorError
from ..identity import VendorIdentity

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MakeApp = Callable[[VendorIdentity], web.Application]
HOST = "127.0.0.1"


def main(make_app: MakeApp, *, name: str, description: str) -> None:
    """Run a sample until its standard input ends or it is told to stop."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="to listen at on 127.0.0.1; 0: any that is free")
    parser.add_argument("--name", default=name, help="what a person reads")
    parser.add_argument("--key", type=Path, help="file that keeps the identity; made if it is not there")
    given = parser.parse_args()
    if given.key is None:
        identity = VendorIdentity.generate(given.name)
    else:
        identity = VendorIdentity.load_or_generate(given.key, given.name)
    asyncio.run(serve(make_app(identity), identity, given.port))


async def serve(app: web.Application, identity: VendorIdentity, port: int) -> None:
    """Listen, say so in one line of JSON, and return when it is time to stop."""
    stop = _watch_for_the_end()  # before anybody knows that we run
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        url = f"http://{HOST}:{runner.addresses[0][1]}"
        sys.stdout.write(json.dumps({"url": url, "did": identity.did, "name": identity.name}) + "\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


def _watch_for_the_end() -> asyncio.Event:
    """Return what is set when the process is told to stop, or its standard input ends."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)

    def watch() -> None:
        # Not sys.stdin: a thread that waits in it would hold a lock that the interpreter needs to exit.
        with suppress(OSError):
            while os.read(0, 1024):
                pass
        with suppress(RuntimeError):  # stopped otherwise, and the loop is closed
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, daemon=True).start()
    return stop


def make_sample(*routes: web.RouteDef) -> web.Application:
    """Return an application in which what the library raises is an answer."""
    app = web.Application(middlewares=[_local_only, _errors_as_answers])
    app.add_routes(routes)
    return app


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a page of another site could make a browser send here."""
    host = request.headers.get("Host", "").partition(":")[0]
    if host != HOST or "Origin" in request.headers:
        raise web.HTTPForbidden
    return await handler(request)


@web.middleware
async def _errors_as_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (FreeholdError, VendorError) as error:
        return web.json_response({"error": {"code": code_of(error), "detail": str(error)}})


def code_of(error: FreeholdError | VendorError) -> str:
    """Return the protocol's code of an error, or a word for what only the library can find."""
    if isinstance(error, FreeholdError | ProblemError):
        return error.code
    return {RefusedError: "refused", UnreachableError: "unreachable"}.get(type(error), "error")


async def read_body(request: web.Request) -> Document:
    """Return the JSON object in a body that is declared as JSON. Raises MalformedError."""
    if request.content_type != "application/json":
        raise MalformedError("the body is not declared to be JSON")
    return parse_document(await request.read())
