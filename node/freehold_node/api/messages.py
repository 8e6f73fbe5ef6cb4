"""Between HTTP and the node: from a request to a ``Call``, from a value to a response, and the bounds on both.

Spec: specs/http.md#messages
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import unquote_plus

from aiohttp import HttpVersion, HttpVersion10, web
from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    NotFoundError,
    TooLargeError,
)
from freehold_protocol.http_signature import combine_headers

from ..holder import Call
from .problems import problem, problem_response

_log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY_BYTES: Final = limits.MAX_DOCUMENT_BYTES
MAX_OWNER_BODY_BYTES: Final = 16 * 2**20
"""The owner's own tools send whole files."""
BODY_S: Final = 20
"""A body that takes longer is not waited for."""
_SIGNED: Final = (
    "signature-input", "signature", "authorization", "capability-invocation", "content-type",
    "content-digest", "digest",
)  # fmt: skip
# Unreserved characters; one escape, of the colon in a urn; a query may escape what it likes.
_TARGET = re.compile(r"(?P<path>(?:/(?:[A-Za-z0-9._~-]|%3A)+)+|/)(?:\?(?P<query>[!-~]*))?\Z", re.ASCII)
_FORBIDDEN: Final = ("#", "\\")
PAGED: Final = frozenset({"q", "after", "limit"})
"""Who names one of these in the query of an owner's list asks for a page of it."""


def check_target(target: str) -> str:
    """Return the path of a raw request target that means only one thing.

    What is routed is the very text that was signed, so nothing that could be normalised is accepted: no dot
    or empty segments, no escapes in the path, no fragment, no backslash, no absolute form.

    Raises:
        MalformedError: Something else.
        TooLargeError: Longer than any target of ours.
        DuplicateKeyError: Its query names a key twice.
    """
    if len(target) > limits.MAX_QUERY_CHARS + 1000:
        raise TooLargeError("the target is too long")
    match = _TARGET.match(target)
    if match is None or any(char in target for char in _FORBIDDEN):
        raise MalformedError("the target is not a plain path of this node")
    path = match["path"]
    if "/./" in path + "/" or "/../" in path + "/":
        raise MalformedError("the target has dot segments")
    if "&" in (match["query"] or ""):
        keys = [unquote_plus(pair.partition("=")[0]) for pair in match["query"].split("&")]
        if len(set(keys)) != len(keys):
            raise DuplicateKeyError("the query names a key twice")
    return path


def check_version(version: HttpVersion) -> None:
    """Refuse what came before there were headers. Raises MalformedError."""
    if version < HttpVersion10:
        raise MalformedError("this is no version of HTTP that is spoken here")


async def read_call(request: web.Request, *, most: int = MAX_BODY_BYTES) -> Call:
    """Return the request as the gate wants it; raises as read_body, with its bound."""
    pairs = [(name, value) for name in _SIGNED for value in request.headers.getall(name, ())]
    body = await read_body(request, most=most) if request.body_exists else None
    return Call(method=request.method, target=request.raw_path, headers=combine_headers(pairs), body=body)


def says_did_web(call: Call) -> bool:
    """Whether a request says to be signed by a did:web, so that it takes a look at the store to tell."""
    return '"did:web:' in call.headers.get("signature-input", "")


async def read_body(request: web.Request, *, most: int, seconds: float | None = None) -> bytes:
    """Return the body, which may take so many seconds to come, BODY_S if not given.

    Raises:
        TooLargeError: It has more than most bytes, by its own word or by what comes.
        MalformedError: It did not come in time, or is broken off.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S if seconds is None else seconds):
            while (request.content_length or len(body)) <= most:
                if not (chunk := await request.content.readany()):
                    return bytes(body)
                body += chunk
    except TimeoutError:
        raise MalformedError("the body did not come in time") from None
    except (web.RequestPayloadError, ConnectionError):
        raise MalformedError("the body is broken off") from None
    raise TooLargeError("the body is too large")


def read_document(call: Call) -> Document:
    """Return the JSON object in a body. Raises MalformedError and its subclasses."""
    if call.body is None:
        raise MalformedError("a JSON body is missing")
    if call.headers.get("content-type", "").split(";")[0].strip() not in (
        "application/json",
        "application/ld+json",
    ):
        raise MalformedError("the body is not declared to be JSON")
    return parse_document(call.body, max_bytes=MAX_OWNER_BODY_BYTES)


def reply(document: Document, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON response that nobody may keep."""
    return web.Response(
        status=status,
        body=jcs(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def number_of(text: str | None, what: str, *, default: int, most: int) -> int:
    """Return a whole number of a query or path, in its one spelling. Raises MalformedError."""
    return default if text is None else min(form.decimal(text, what), most)


def filled(query: Mapping[str, str]) -> dict[str, str]:
    """Return what is in a query of the owner's lists, where an empty parameter is as if it were not there."""
    return {name: value for name, value in query.items() if value}


def text_of(query: Mapping[str, str], name: str, *, most: int) -> str | None:
    """Return a text of a query, None where there is none. Raises MalformedError."""
    return form.text(query[name], name, most=most) if name in query else None


def limit_of(query: Mapping[str, str]) -> int:
    """Return how many entries a page of an owner's list has. Raises MalformedError."""
    return max(1, number_of(query.get("limit"), "limit", default=50, most=200))


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only plain targets in, and only responses out."""
    route = "?"
    try:
        check_version(request.version)
        check_target(request.raw_path)
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "?"
        return await handler(request)
    except FreeholdError as error:
        return problem(error, route=route)
    except web.HTTPNotFound:
        return problem(NotFoundError("nothing here"), route=route)
    except web.HTTPMethodNotAllowed:
        return problem_response(405, "malformed", "this is not done with that method")
    except web.HTTPException:
        raise
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller learns nothing of it
        _log.error("a request to %s failed: %s", route, described(error))
        return problem_response(500, "error", "the node failed; its log says more")


def described(error: Exception) -> str:
    """Return what an error is and where it came from, without its text, which may hold somebody's data."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    places = (f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {' < '.join(places)}"


async def strip_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Take out what would tell two vendors the same about one node: its clock and its software."""
    response.headers.pop("Date", None)
    response.headers.pop("Server", None)
