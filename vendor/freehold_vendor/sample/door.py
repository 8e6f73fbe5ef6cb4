"""The door of the samples' pages: who may send what here from a browser, and what each answer tells the browser.

The JSON interface beside the pages is for programs, which send no ``Origin``, and has a rule of its own in ``process``.
A cookie says nothing of where a request was made, and a browser sends it to every port of this computer; so a form
carries a word besides that only our own pages hold, and the browser's own word for where it comes from counts too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web
from freehold_protocol.encoding import base64url_encode

from ..ambient import Ambient

HOST: Final = "127.0.0.1"
FORM_FIELD: Final = "form"
"""The field of each form that holds the visitor's word."""
_PAGES: Final = frozenset({"shop", "courier", "static"})
_MAX_FORM_BYTES: Final = 4096
_MAX_FORM_FIELDS: Final = 8
_ID_BYTES: Final = 24
_ID_CHARS: Final = 32
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A browser: the id its cookie holds, and what the forms of its pages carry besides."""

    id: str
    token: str
    is_new: bool


def is_page(path: str) -> bool:
    """Whether the path is for people and their browsers, not for programs."""
    return path.split("/", 2)[1] in _PAGES


def own_port(request: web.Request) -> int:
    """Return the port that the request came to: of the socket, not of what the browser says."""
    told = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return int(told[1]) if told else 0


def check_where_from(request: web.Request) -> None:
    """Refuse what a page of another site could make a browser send.

    Raises:
        web.HTTPTemporaryRedirect: It asked for ``localhost``, where the cookies are others.
        web.HTTPForbidden: Another host's name, another site's form, or a page fetched by another site's script.
    """
    port = own_port(request)
    here, hosts = f"http://{HOST}:{port}", request.headers.getall("Host", [])
    if hosts == [f"localhost:{port}"] and request.method == "GET":
        raise web.HTTPTemporaryRedirect(here + str(request.rel_url))
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if hosts != [f"{HOST}:{port}"] or origin not in (None, here):
        raise web.HTTPForbidden
    if request.method not in ("GET", "HEAD"):
        if origin is None and site != "same-origin":
            raise web.HTTPForbidden
    elif site not in (None, "same-origin", "none") and request.headers.get("Sec-Fetch-Mode") != "navigate":
        raise web.HTTPForbidden


class Door:
    """Knows the browsers it gave an id to; of those it keeps nothing, since it can tell its own ids again."""

    def __init__(self, ambient: Ambient | None = None) -> None:
        self._random = (ambient or Ambient()).random_bytes
        self._secret = self._random(32)

    def visitor(self, request: web.Request) -> Visitor:
        """Return whose browser this is; a new one if its cookie is missing or none of ours."""
        given, _, mark = request.cookies.get(self._cookie(request), "").partition(".")
        is_known = len(given) == _ID_CHARS and hmac.compare_digest(mark.encode(), self._mark("id", given))
        known = given if is_known else base64url_encode(self._random(_ID_BYTES))
        return Visitor(id=known, token=self._mark(FORM_FIELD, known).decode(), is_new=not is_known)

    def remember(self, request: web.Request, response: web.StreamResponse, visitor: Visitor) -> None:
        """Give a new visitor its cookie."""
        if visitor.is_new:
            # Lax: the person's node sends the browser back with a plain link or redirect, and the shop has to know it.
            value = f"{visitor.id}.{self._mark('id', visitor.id).decode()}"
            response.set_cookie(self._cookie(request), value, httponly=True, samesite="Lax", path="/")

    async def form(self, request: web.Request) -> Mapping[str, str]:
        """Return the fields of a form that one of our pages sent for this visitor.

        Raises:
            web.HTTPForbidden: The form does not carry the word that our own pages hold for this visitor.
            web.HTTPBadRequest: It is not of the form.
            web.HTTPRequestEntityTooLarge: It is more than any of our forms.
        """
        fields = await _read_form(request)
        visitor = self.visitor(request)
        if visitor.is_new or not hmac.compare_digest(
            fields.get(FORM_FIELD, "").encode(), visitor.token.encode()
        ):
            raise web.HTTPForbidden
        return fields

    def _mark(self, use: str, visitor_id: str) -> bytes:
        made = hmac.digest(self._secret, f"{use}:{visitor_id}".encode(), hashlib.sha256)
        return base64url_encode(made).encode()

    @staticmethod
    def _cookie(request: web.Request) -> str:
        # Cookies are shared by all ports of a host, and a shop, its courier and a node are three ports of one.
        return f"sample-visitor-{own_port(request)}"


async def _read_form(request: web.Request) -> dict[str, str]:
    if request.content_type != _FORM_TYPE:
        raise web.HTTPBadRequest
    data = bytearray()
    async for piece in request.content.iter_chunked(_MAX_FORM_BYTES):
        data += piece
        if len(data) > _MAX_FORM_BYTES:
            raise web.HTTPRequestEntityTooLarge(_MAX_FORM_BYTES, len(data))
    try:
        pairs = parse_qsl(
            data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FORM_FIELDS
        )
    except ValueError as error:
        raise web.HTTPBadRequest from error
    if len(dict(pairs)) != len(pairs):
        raise web.HTTPBadRequest
    return dict(pairs)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add to each answer what tells a browser how little it may do with it; a signal handler of aiohttp."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if is_page(request.path):
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)


def let_forms_go_to(response: web.StreamResponse, *origins: str) -> None:
    """Let the forms of one page go to these origins besides; each is ``http://host:port`` and nothing else."""
    response.headers["Content-Security-Policy"] = " ".join((_POLICY, *origins))
