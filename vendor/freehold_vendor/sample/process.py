"""What both samples are as processes: told where they are in one line, stopped by the end of their input."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware
from freehold_protocol.encoding import Document, parse_document

from ..errors import FreeholdError, MalformedError, VendorError
from ..identity import VendorIdentity
from .door import HOST, add_headers, check_where_from, is_page
from .page import HOME, render, static
from .reading import code_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MakeApp = Callable[[VendorIdentity, argparse.Namespace], web.Application]


def main(make_app: MakeApp, *, name: str, description: str, options: Mapping[str, str] | None = None) -> None:
    """Run a sample until its standard input ends or it is told to stop.

    Args:
        make_app: Makes the application of the identity and what the command line said.
        name: What a person reads, if the command line does not say.
        description: For ``--help``.
        options: Further options, each with its help; what is not given is None.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="to listen at on 127.0.0.1; 0: any that is free")
    parser.add_argument("--name", default=name, help="what a person reads")
    parser.add_argument("--key", type=Path, help="file that keeps the identity; made if it is not there")
    for option, meaning in (options or {}).items():
        parser.add_argument(option, metavar="URL", help=meaning)
    parser.add_argument(
        "--home", metavar="URL", help="a page of the person's node that the pages lead back to"
    )
    given = parser.parse_args()
    home = "" if given.home is None else _home_at(given.home)
    if given.key is None:
        identity = VendorIdentity.generate(given.name)
    else:
        identity = VendorIdentity.load_or_generate(given.key, given.name)
    app = make_app(identity, given)
    app[HOME] = home
    asyncio.run(serve(app, identity, given.port))


def _home_at(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SystemExit("--home is the web address of a page")
    return url


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


def make_sample(brand: str, company: str, *routes: web.RouteDef) -> web.Application:
    """Return an application in which what the library raises is an answer: a page to people, JSON to programs.

    Args:
        brand: ``shop`` or ``courier``: what its pages look like, and where they begin.
        company: The name over its pages.
        routes: Of both kinds; ``door.is_page`` tells which a path is.
    """
    app = web.Application(middlewares=[_for_people(brand, company), _local_only, _errors_as_answers])
    app.on_response_prepare.append(add_headers)
    app.add_routes([*routes, web.get("/static/{name}", static)])
    return app


def _for_people(brand: str, company: str) -> Middleware:
    """Return what guards the pages, and shows as a page what went wrong with them."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_page(request.path):
            return await handler(request)
        try:
            check_where_from(request)
            return await handler(request)
        except web.HTTPRedirection:
            raise
        except web.HTTPException as error:
            status = error.status
        return render(
            request, "wrong", brand=brand, company=company, visitor=None,
            here=f"/{brand}", code=status, status=status,
        )  # fmt: skip

    return guard


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks, for somebody to look at, and not a program."""
    return "text/html" in request.headers.get("Accept", "")


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a page of another site could make a browser send to the JSON interface."""
    if not is_page(request.path):
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


async def read_body(request: web.Request) -> Document:
    """Return the JSON object in a body that is declared as JSON. Raises MalformedError."""
    if request.content_type != "application/json":
        raise MalformedError("the body is not declared to be JSON")
    return parse_document(await request.read())
