"""Pages of the samples: templates, and texts in the language that a browser asks for.

Every text stands in ``texts``, one file a language, under the same keys. What comes from a person's node is put into a
page as text only: templates escape whatever is no template.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import web
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from .door import Visitor, own_port

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
_LANGUAGE = re.compile(
    r"\s*([A-Za-z]{2})(?:-[A-Za-z0-9-]{1,20})?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?\Z", re.ASCII
)
_MAX_LANGUAGES: Final = 20
HOME: Final = web.AppKey("home", str)
"""The page of the person's node that every page leads back to, where whoever started the sample said which."""
_YEAR_S: Final = 365 * 86_400
_STATIC: Final = {
    "sample.css": "text/css",
    "sample.js": "text/javascript",
    "lantern.svg": "image/svg+xml",
}


def _file(folder: str, name: str) -> Traversable:
    return resources.files(__package__).joinpath(folder, name)


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return all texts of a language, by ``section.key``."""
    found = tomllib.loads(_file("texts", f"{language}.toml").read_text("utf-8"))
    return {f"{section}.{key}": text for section, keys in found.items() for key, text in keys.items()}


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FunctionLoader(lambda name: _file("templates", name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["field_in"] = lambda path, words: words.field(path)
    return made


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language; calling it fills one in, and escapes what is filled in."""

    language: str

    def __call__(self, key: str, **given: object) -> Markup:
        return escape(texts(self.language)[key]).format(**given)

    def __contains__(self, key: str) -> bool:
        return key in texts(self.language)

    def refusal(self, code: str) -> Markup:
        """Return the plain reason for a code; the code itself for one that has none."""
        key = f"refusal.{code}"
        return self(key) if key in self else self("refusal.other", code=code)

    def field(self, path: str) -> Markup:
        """Return what a field is called; its path if it is none of ours."""
        key = f"field.{path}"
        return self(key) if key in self else escape(path)


def words_for(request: web.Request) -> Words:
    """Return the texts in the language that was switched to, or the one the browser likes best of ours."""
    for told in (request.query.get("lang"), request.cookies.get(_cookie(request))):
        if told in LANGUAGES:
            return Words(told)
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(request.headers.get("Accept-Language", "").split(",")[:_MAX_LANGUAGES]):
        if (match := _LANGUAGE.match(part)) and match[1].lower() in LANGUAGES:
            wishes.append((-float(match[2] or 1), place, match[1].lower()))
    return Words(min(wishes)[2] if wishes and min(wishes)[0] else "en")


def render(
    request: web.Request,
    name: str,
    *,
    brand: str,
    company: str,
    visitor: Visitor | None,
    here: str,
    status: int = 200,
    **given: object,
) -> web.Response:
    """Return a page.

    Args:
        request: What it answers.
        name: The template's, without its suffix.
        brand: ``shop`` or ``courier``: how it looks.
        company: The name over it.
        visitor: Who looks; None where the page has no forms.
        here: The path at which it can be looked at again.
        status: Of the answer.
        given: What the template needs besides.
    """
    words = words_for(request)
    page = _templates().get_template(f"{name}.html")
    html = page.render(
        t=words, brand=brand, company=company, visitor=visitor, here=here, languages=LANGUAGES,
        home=request.app.get(HOME, ""), **given,
    )  # fmt: skip
    response = web.Response(text=html, content_type="text/html", charset="utf-8", status=status)
    response.headers["Content-Language"] = words.language
    response.headers["Vary"] = "Accept-Language, Cookie"
    if request.query.get("lang") in LANGUAGES:
        response.set_cookie(
            _cookie(request), words.language, httponly=True, samesite="Lax", path="/", max_age=_YEAR_S
        )
    return response


def _cookie(request: web.Request) -> str:
    return f"sample-language-{own_port(request)}"


async def static(request: web.Request) -> web.Response:
    """Answer GET /static/{name}: the few files there are."""
    name = request.match_info["name"]
    if name not in _STATIC:
        raise web.HTTPNotFound
    data = _file("static", name).read_bytes()
    return web.Response(
        body=data, content_type=_STATIC[name], charset="utf-8", headers={"Cache-Control": "no-cache"}
    )
