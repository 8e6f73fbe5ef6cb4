"""The door of the dashboard: what every request passes before a page is made, and what becomes of an error.

Only names of ours are answered, a form has to come from a page of ours and of this session, and a person who is not
signed in is asked to sign in; what they had filled in is kept for them.

Spec: specs/node/dashboard.md#door
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from freehold_protocol.errors import FreeholdError, NotFoundError, PassphraseError

from ..api.keys import DEVICES, INSPECTION
from ..api.messages import described
from ..api.problems import status_of
from ..devices import TooManyAttemptsError
from .forms import ForeignFormError, Form, check_same_origin, read_form
from .page import HEADERS
from .reasons import NOTHING, why
from .texts import LANGUAGES, choose_language
from .visit import ADDRESSES, HAS_PASSKEY, START, WAITING, Visit, is_ours

_log = logging.getLogger(__name__)
PageHandler = Callable[[Visit], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
COOKIE: Final = "freehold"
LANGUAGE_COOKIE: Final = "freehold-language"
_YEAR_S: Final = 365 * 86_400
_MOST_KEPT: Final = 3000
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_MOST_COOKIES: Final = 10


def open_to_all(handler: PageHandler, *, own_forms: bool = True, reads_body: bool = True) -> Handler:
    """Wrap a page that is shown to whoever asks; it writes nothing but what leads to signing in.

    Args:
        handler: The page.
        own_forms: Whether a form has to come from a page of ours.
        reads_body: Whether the body is read as a form; else the page reads it.
    """

    async def come_in(visit: Visit) -> None:
        if visit.request.method == "POST":
            if own_forms:
                check_same_origin(visit.request, visit.origin)
            if reads_body:
                await _read_form(visit)

    return _through_the_door(handler, come_in)


def for_the_person(handler: PageHandler, *, reads_body: bool = True) -> Handler:
    """Wrap a page that only a signed-in person sees, and a form that only they can send, from a page of theirs."""

    async def come_in(visit: Visit) -> web.Response | None:
        request = visit.request
        _check_opened(request)
        if request.method == "POST":
            check_same_origin(request, visit.origin)
            if reads_body:
                await _read_form(visit)
        if visit.session is None:
            return _sign_in_first(visit, "" if reads_body else request.path)
        if request.method == "POST" and reads_body:
            check_form_key(visit, visit.form.get("csrf", ""))
        await _look_around(visit)
        return None

    return _through_the_door(handler, come_in)


def _through_the_door(
    handler: PageHandler, come_in: Callable[[Visit], Awaitable[web.Response | None]]
) -> Handler:
    """Wrap a page in what all pages have: by our name, unprompted, and whatever goes wrong is told as a page.

    Args:
        handler: The page.
        come_in: Lets the visit pass, or returns what is answered in place of the page; raises as a page may.
    """

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        visit = await _visit(request)
        if visit is None:
            return _not_by_that_name()
        if _is_led_here(request):
            return visit.go(request.path)
        try:
            turned_back = await come_in(visit)
            return turned_back if turned_back is not None else await handler(visit)
        except (FreeholdError, ForeignFormError, TooManyAttemptsError) as error:
            return told(visit, error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the person sees a page
            _log.error("a page failed: %s", described(error))
            return told(visit, FreeholdError("the node failed; its log says more"))

    return handle


def in_chosen_language(handler: PageHandler) -> PageHandler:
    """Wrap a page that only shows: a form that chooses a language is answered in it, and so is what follows."""

    @functools.wraps(handler)
    async def handle(visit: Visit) -> web.StreamResponse:
        chosen = visit.form.get("language", "")
        if chosen not in LANGUAGES:
            return await handler(visit)
        visit.speak(chosen)
        response = await handler(visit)
        response.set_cookie(
            LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, path="/my", httponly=True, samesite="Lax",
            secure=visit.origin.startswith("https:"),
        )  # fmt: skip
        return response

    return handle


def _is_led_here(request: web.Request) -> bool:
    """Whether another site's link says what is to stand on a page: it may choose the page, and tick nothing on it."""
    return _is_from_elsewhere(request) and request.method == "GET" and bool(request.query_string)


def _is_from_elsewhere(request: web.Request) -> bool:
    return request.headers.get("Sec-Fetch-Site", "") in ("cross-site", "same-site")


def _check_opened(request: web.Request) -> None:
    """Refuse what another site's page loads without anybody seeing it: as a picture, a script, a stream, a frame.

    A page of another port of this computer is of the same site, and the browser sends the session's cookie along.

    Raises:
        ForeignFormError: It is so loaded.
    """
    opened = (
        request.headers.get("Sec-Fetch-Mode", "navigate"),
        request.headers.get("Sec-Fetch-Dest", "document"),
    )
    if _is_from_elsewhere(request) and opened != ("navigate", "document"):
        raise ForeignFormError("this is not for the pages of others")


async def _visit(request: web.Request) -> Visit | None:
    origin = request.app[ADDRESSES].at(request.headers.get("Host", ""))
    if origin is None:
        return None
    language = choose_language(
        request.cookies.get(LANGUAGE_COOKIE), request.headers.get("Accept-Language", "")
    )
    visit = Visit(request=request, origin=origin, language=language, session=None)
    await look_again(visit)
    return visit


async def look_again(visit: Visit) -> None:
    """See who is signed in now: a form may take its time to come, and the session end meanwhile."""
    visit.session = None
    devices = visit.request.app.get(DEVICES)
    if devices is None:  # before the first start is over
        return
    for secret in _secrets_of(visit.request, cookie_name(visit.origin)):
        visit.session = await devices.session(secret)
        if visit.session is not None:
            return


def _secrets_of(request: web.Request, name: str) -> list[str]:
    """Return what may be a session's secret in cookies of a name.

    What else listens at this computer can set a cookie of that name too, for another path; a browser then sends both,
    and which one first is not ours to say. It opens nothing, and must not keep the person out either.
    """
    pairs = (one.partition("=") for line in request.headers.getall("Cookie", ()) for one in line.split(";"))
    found = dict.fromkeys(value.strip() for key, _, value in pairs if key.strip() == name)
    return [value for value in found if _SECRET.fullmatch(value)][:_MOST_COOKIES]


async def _read_form(visit: Visit) -> None:
    visit.form = await read_form(visit.request)
    await look_again(visit)


def cookie_name(origin: str, name: str = COOKIE) -> str:
    """Return the name of a cookie, of which ``__Host-`` makes it the host's own where there is TLS.

    A browser sends a cookie to every port of a host, so nodes that stand side by side have names of their own.
    """
    parts = urlsplit(origin)
    return f"__Host-{name}" if parts.scheme == "https" else f"{name}-{parts.port or 80}"


def set_cookie(response: web.Response, origin: str, secret: str, *, name: str = "") -> None:
    """Give the browser the secret of a session, until it is closed or the session is over.

    Args:
        response: To send it with.
        origin: Of the page.
        secret: What the cookie holds.
        name: Of the cookie; that of sessions, if none is given.
    """
    response.set_cookie(
        name or cookie_name(origin),
        secret,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=origin.startswith("https:"),
    )


def drop_cookie(response: web.Response, origin: str, *, name: str = "") -> None:
    """Have the browser forget the secret of its session, or another cookie by its name."""
    response.set_cookie(
        name or cookie_name(origin), "", max_age=0, path="/", httponly=True, samesite="Lax",
        secure=origin.startswith("https:"),
    )  # fmt: skip


def check_form_key(visit: Visit, given: str) -> None:
    """Check that a form is of this session. Raises ForeignFormError."""
    if not hmac.compare_digest(given.encode(), visit.signed_in.form_key.encode()):
        raise ForeignFormError("this form is of an earlier session")


async def _look_around(visit: Visit) -> None:
    """Find out what the frame of every page shows."""
    if visit.request.method == "GET":
        visit.request[WAITING] = await visit.request.app[INSPECTION].waiting()
    if not visit.is_fresh:  # only then does a page ask for a proof
        visit.request[HAS_PASSKEY] = await visit.passkeys.any_of(visit.origin)


def _sign_in_first(visit: Visit, back: str = "") -> web.Response:
    """Lead to signing in, and from there back; what was filled in comes along, and nothing of it was done.

    Args:
        visit: Of whoever is not signed in.
        back: Where to, if the form was not read.
    """
    if visit.request.method == "GET":
        return visit.go("/my/enter", then=visit.request.path_qs)
    then = back or with_kept(visit.form)
    return visit.page("enter.html", status=401, then=then, lost=True, wait_s=0, wrong=False)


def with_kept(form: Form) -> str:
    """Return the page that a form stood on, with what was filled in as its query; without it, if it is too long."""
    here = form.get("here", START).partition("?")[0]
    kept = urlencode({name: value for name, value in form.kept().items() if name != "here"})
    then = f"{here}?{kept}" if kept and len(kept) < _MOST_KEPT else here
    return then if is_ours(then) else START


def told(visit: Visit, error: FreeholdError | ForeignFormError | TooManyAttemptsError) -> web.Response:
    """Return the page that says what happened, what was kept, and what can be done."""
    status, code = _kind_of(error)
    _log.info("%s %s %s", status, code, visit.request.method)
    key = code.replace("-", "_")
    quiet = isinstance(error, NotFoundError | PassphraseError)
    return visit.page(
        "error.html", status=status, key=key if f"errors.{key}_title" in visit.t else "other", code=code,
        detail=NOTHING if quiet else why(visit.t, error),
        wait_s=error.wait_s if isinstance(error, TooManyAttemptsError) else 0,
        back=with_kept(visit.form) if visit.request.method == "POST" else START,
    )  # fmt: skip


def _kind_of(error: FreeholdError | ForeignFormError | TooManyAttemptsError) -> tuple[int, str]:
    if isinstance(error, ForeignFormError):
        return 401, "foreign-form"
    if isinstance(error, TooManyAttemptsError):
        return 429, "too-many-attempts"
    return status_of(type(error)), error.code


def _not_by_that_name() -> web.Response:
    text = "This node's pages are not reached by that name. / Unter diesem Namen gibt es hier keine Seiten.\n"
    return web.Response(status=421, text=text, headers=HEADERS)
