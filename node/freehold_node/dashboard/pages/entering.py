"""Signing in and out.

Spec: specs/node/dashboard.md#signing-in
"""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web
from freehold_protocol.errors import NotAuthenticatedError, NotFoundError, PassphraseError

from ...devices import TooManyAttemptsError
from ..door import drop_cookie, set_cookie
from ..page import HEADERS
from ..visit import START, Visit, is_ours

_BROWSERS = {"Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "Mac", "Linux": "Linux",
}  # fmt: skip


async def show(visit: Visit) -> web.Response:
    """Ask who it is."""
    then = visit.query.get("then", START)
    return ask_again(visit, then if visit.is_led_by_us else then.partition("?")[0])


def ask_again(
    visit: Visit, then: str, *, status: int = 200, wrong: bool = False, wait_s: int = 0, passkey: str = ""
) -> web.Response:
    """Ask who it is; ``passkey`` is why one was not taken."""
    return visit.page(
        "enter.html",
        status=status,
        then=then if is_ours(then) else START,
        lost=False,
        wrong=wrong,
        wait_s=wait_s,
        passkey=passkey,
        carried=visit.form.get("request", ""),
    )


async def enter(visit: Visit) -> web.Response:
    """Let the person in by their passphrase."""
    then = visit.form.text("then", most=8000)
    passphrase = visit.form.get("passphrase", "")
    try:
        secret = await visit.devices.enter_by_passphrase(passphrase, device_of(visit))
    except TooManyAttemptsError as error:
        return ask_again(visit, then, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return ask_again(visit, then, status=403, wrong=True)
    await end_earlier(visit)
    return let_in(visit, secret, then)


async def end_earlier(visit: Visit) -> None:
    """End the session that this browser had: its cookie is replaced, so nobody could sign out of it any more."""
    if visit.session is not None:
        with suppress(NotFoundError):
            await visit.devices.sign_out(visit.session.id)


def let_in(visit: Visit, secret: str, then: str) -> web.Response:
    """Give the browser its session, and go on where the person wanted to be."""
    response = visit.go(then if is_ours(then) else START)
    if visit.form.get("request"):  # brought along from another page: the browser sends it on
        response = web.Response(status=307, headers={**HEADERS, "Location": "/my/connect"})
    set_cookie(response, visit.origin, secret)
    return response


def device_of(visit: Visit) -> str:
    """Return what the browser calls itself, in two words that a person knows it by."""
    agent = visit.request.headers.get("User-Agent", "")[:400]
    browser = next((name for mark, name in _BROWSERS.items() if mark in agent), "Browser")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    return f"{browser}, {system}" if system else browser


async def show_link(visit: Visit) -> web.Response:
    """Show a button for a one-time link: what only looks at links, such as a mail program, does not use it up."""
    return visit.page("enter_link.html", link=visit.params["link"])


async def follow_link(visit: Visit) -> web.Response:
    """Let the person in by a one-time link."""
    try:
        secret = await visit.devices.enter_by_link(visit.form.text("link", most=100), device_of(visit))
    except NotAuthenticatedError:
        return visit.page("enter_link.html", status=403, link="")
    await end_earlier(visit)
    return let_in(visit, secret, START)


async def sign_out(visit: Visit) -> web.Response:
    """End this session."""
    await visit.devices.sign_out(visit.signed_in.id)
    response = visit.go("/my/enter")
    drop_cookie(response, visit.origin)
    return response
