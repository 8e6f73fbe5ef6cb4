"""From a template to a response: the environment, what every page is given, and the headers that bound it.

Spec: specs/node/dashboard.md#pages
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

import jinja2
from aiohttp import web
from markupsafe import Markup, escape

from .switching import Forms

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers would then send "Origin: null" with the dashboard's own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TURNING: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd")
"""Characters that only change the direction of others, each with what is shown in its place."""
STATIC_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the frame of a page shows; in templates ``page``.

    ``passkeys``: it is opened under a name, so they work; ``has_passkey``: there is one of this name to prove with.
    """

    language: str
    active: str
    path: str
    signed_in: bool
    csrf: str
    waiting: int = 0
    once: str = ""
    passkeys: bool = False
    has_passkey: bool = False
    banners: tuple[dict[str, str], ...] = ()
    forms: Forms = field(default_factory=Forms)


def foreign(text: object) -> Markup:
    """Return somebody else's text as a page shows it: escaped, and its direction kept to itself."""
    return Markup("<bdi>{}</bdi>").format(kept_in(text))


def kept_in(text: object) -> str:
    """Return a text that does not get out of its ``bdi``; one that ends an isolation would, and turn what follows."""
    return (text if isinstance(text, str) else str(text)).translate(_TURNING)


def static(name: str) -> str:
    """Return the address of a file in ``static``, which is another whenever the file is."""
    return f"/my/static/{name}?v={hashlib.sha256(static_file(name)).hexdigest()[:12]}"


@cache
def static_file(name: str) -> bytes:
    """Return a file in ``static``. Raises FileNotFoundError."""
    return (files(__package__) / "static" / name).read_bytes()


@cache
def static_names() -> frozenset[str]:
    """Return the names of the files in ``static``."""
    return frozenset(file.name for file in (files(__package__) / "static").iterdir())


@cache
def environment() -> jinja2.Environment:
    """Return the environment of all templates: everything is escaped, and a name that is not there is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["foreign"], made.filters["kept_in"] = foreign, kept_in
    made.globals["static"] = static
    return made


def respond_page(html: str, *, status: int = 200) -> web.Response:
    """Return a page with the headers of all pages."""
    return web.Response(
        status=status, body=html.encode(), content_type="text/html", charset="utf-8", headers=HEADERS
    )


__all__ = [
    "HEADERS", "STATIC_TYPES", "Page", "environment", "escape", "foreign", "respond_page", "static", "static_file",
    "static_names",
]  # fmt: skip
