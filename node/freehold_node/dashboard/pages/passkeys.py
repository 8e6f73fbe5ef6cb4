"""Passkeys: signing in with one, proving with one who it is, and adding one. The scripts of the pages ask for these.

Spec: specs/node/dashboard.md#passkeys
"""

from __future__ import annotations

from aiohttp import web
from freehold_protocol.errors import MalformedError, PassphraseError

from ...challenges import CHALLENGE_US, PasskeyError
from ...devices import TooManyAttemptsError
from ...passkeys import MAX_ANSWER_CHARS, MAX_NAME_CHARS, host_of
from ..door import cookie_name, drop_cookie
from ..visit import START, Visit
from .entering import ask_again, device_of, end_earlier, let_in

PLACE = "/my/settings/devices"


# Signing in


async def begin_entering(visit: Visit) -> web.Response:
    """Tell the browser of who is not signed in what a passkey has to sign; nothing of which passkeys there are."""
    try:
        begun = await visit.passkeys.begin_using(visit.origin, None)
    except PasskeyError as error:
        return _refused(visit, error)
    response = visit.json({"options": begun.options})
    response.set_cookie(
        _cookie_name(visit), begun.ticket, max_age=CHALLENGE_US // 1_000_000, path="/", httponly=True,
        samesite="Strict", secure=visit.origin.startswith("https:"),
    )  # fmt: skip
    return response


async def enter(visit: Visit) -> web.Response:
    """Let the person in by a passkey."""
    then = visit.form.text("then", most=8000) or START
    answer = visit.form.text("credential", most=MAX_ANSWER_CHARS)
    try:
        ticket = visit.request.cookies.get(_cookie_name(visit), "")
        passkey = await visit.passkeys.use(visit.origin, None, ticket, answer)
        secret = await visit.devices.begin(device_of(visit), proved=True, passkey=passkey)
    except PasskeyError as error:
        return ask_again(visit, then, status=403, passkey=error.reason)
    await end_earlier(visit)
    response = let_in(visit, secret, then)
    drop_cookie(response, visit.origin, name=_cookie_name(visit))
    return response


def _cookie_name(visit: Visit) -> str:
    return cookie_name(visit.origin, "freehold-passkey")


def _refused(visit: Visit, error: PasskeyError) -> web.Response:
    return visit.json({"error": str(visit.t(f"passkeys.{error.reason}"))}, status=403)


# Proving


async def begin_proving(visit: Visit) -> web.Response:
    """Tell the browser what a passkey has to sign."""
    try:
        begun = await visit.passkeys.begin_using(visit.origin, visit.signed_in.id)
    except PasskeyError as error:
        return _refused(visit, error)
    return visit.json({"ticket": begun.ticket, "options": begun.options})


async def prove(visit: Visit) -> web.Response:
    """Take what a passkey signed as a fresh proof in this session."""
    ticket, answer = visit.form.get("ticket", ""), visit.form.text("credential", most=MAX_ANSWER_CHARS)
    try:
        passkey = await visit.passkeys.use(visit.origin, visit.signed_in.id, ticket, answer)
        await visit.devices.proved(visit.signed_in, passkey=passkey)
    except PasskeyError as error:
        return _refused(visit, error)
    return visit.json({})


# Adding


async def show_add(visit: Visit) -> web.Response:
    """Ask who it is, then how the passkey shall be called."""
    return _show_add(visit)


def _show_add(
    visit: Visit, *, status: int = 200, wrong: bool = False, wait_s: int = 0, refused: str = ""
) -> web.Response:
    host, port = host_of(visit.origin), visit.origin.rpartition(":")[2]
    return visit.page(
        "passkey_add.html", active="settings", status=status, wrong=wrong, wait_s=wait_s, refused=refused,
        name=visit.form.get("name") or visit.preset.get("name") or device_of(visit), most=MAX_NAME_CHARS,
        host=host, port=port,
    )  # fmt: skip


async def prove_to_add(visit: Visit) -> web.Response:
    """Make sure of the person before a passkey is added."""
    try:
        await visit.prove()
    except TooManyAttemptsError as error:
        return _show_add(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return _show_add(visit, status=403, wrong=True)
    return visit.go(f"{PLACE}/add")


async def begin_adding(visit: Visit) -> web.Response:
    """Tell the browser what a device needs to make a passkey."""
    if not visit.is_fresh:
        return visit.json({"error": str(visit.t("passkeys.stale"))}, status=403)
    try:
        begun = await visit.passkeys.begin_adding(visit.origin, visit.signed_in.id)
    except PasskeyError as error:
        return _refused(visit, error)
    return visit.json({"ticket": begun.ticket, "options": begun.options})


async def add(visit: Visit) -> web.Response:
    """Take up the passkey that a device made."""
    if not visit.is_fresh:
        return _show_add(visit, status=403)
    ticket, answer = visit.form.get("ticket", ""), visit.form.text("credential", most=MAX_ANSWER_CHARS)
    try:
        await visit.passkeys.add(
            visit.origin, visit.signed_in.id, ticket, answer, name=visit.form.get("name", "")
        )
    except PasskeyError as error:
        return _show_add(visit, status=403, refused=error.reason)
    except MalformedError:
        return _show_add(visit, status=422, refused="name")
    return visit.go(PLACE, said="passkey_added")
