"""The first start in the browser: a passphrase and the recovery sheet, or an older node brought back.

These pages are there only while the node has no keys; see ``first_start``.

Spec: specs/node/dashboard.md#first-start
"""

from __future__ import annotations

import hmac
import shutil
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from freehold_protocol.errors import (
    ConflictError,
    MalformedError,
    NotAuthenticatedError,
    PassphraseError,
    StorageFullError,
    TooLargeError,
    UnsupportedError,
)

from ...keystore import MAX_PASSPHRASE_BYTES
from ...setting_up import SetUp
from ..door import Handler, cookie_name, drop_cookie, open_to_all, set_cookie
from ..files.to_restore import stream_upload
from ..forms import ForeignFormError, Form
from ..reasons import NOTHING, why
from ..visit import Visit
from .entering import device_of

SET_UP: web.AppKey[SetUp] = web.AppKey("set_up", SetUp)
BEGIN: Final = "/my/start"
MAX_BACKUP_BYTES: Final = 64 * 2**30
_ROOM: Final = 2
"""A backup takes its size once where it comes in and once where it is put."""
_WAYS: Final = {"new": f"{BEGIN}/passphrase", "sheet": f"{BEGIN}/recover", "backup": f"{BEGIN}/backup"}
_CODE_CHARS: Final = 1000


def _cookie_name(visit: Visit) -> str:
    return cookie_name(visit.origin, "freehold-start")


def _set_up(visit: Visit) -> SetUp:
    return visit.request.app[SET_UP]


def _is_ours(visit: Visit) -> bool:
    return _set_up(visit).is_by(visit.request.cookies.get(_cookie_name(visit), ""))


def for_who_began(
    page: Callable[[Visit], Awaitable[web.StreamResponse]], *, reads_body: bool = True
) -> Handler:
    """Wrap a page that only the one browser sees which used the link up; its forms carry the key of that."""

    async def handle(visit: Visit) -> web.StreamResponse:
        if not _is_ours(visit):
            return _elsewhere(visit)
        if visit.request.method == "POST" and reads_body:
            _check_key(visit, visit.form)
        return await page(visit)

    return open_to_all(handle, reads_body=reads_body)


def _check_key(visit: Visit, form: Form) -> None:
    key = _set_up(visit).form_key
    if not key or not hmac.compare_digest(form.get("csrf", "").encode(), key.encode()):
        raise ForeignFormError("this form is of an earlier start")


def _page(visit: Visit, template: str, *, status: int = 200, **values: object) -> web.Response:
    made = _set_up(visit)
    given = {**values, "key": made.form_key, "kind": made.kind, "lost_keys": made.has_database}
    return visit.page(template, active="", status=status, **given)


def _elsewhere(visit: Visit) -> web.Response:
    return _page(visit, "start_elsewhere.html", status=403, is_begun=_set_up(visit).is_begun)


# 1: welcome


async def show_link(visit: Visit) -> web.StreamResponse:
    """Show the welcome page to who has the link; looking at it does not use it up."""
    made = _set_up(visit)
    if _is_ours(visit):
        return visit.go(BEGIN)
    link = visit.params["link"]
    if made.is_begun or not hmac.compare_digest(link.encode(), made.link.encode()):
        return _elsewhere(visit)
    return _page(visit, "start_welcome.html", link=link)


async def welcome(visit: Visit) -> web.StreamResponse:
    """Show the welcome page again, to the browser that began."""
    return _page(visit, "start_welcome.html", link="")


async def choose_way(visit: Visit) -> web.StreamResponse:
    """Go the chosen way; the first time this uses the link up."""
    made, way = _set_up(visit), _WAYS.get(visit.form.get("way", ""))
    if way is None:
        raise MalformedError("there is no such way")
    if _is_ours(visit):
        _check_key(visit, visit.form)
        return visit.go(way)
    try:
        cookie = made.begin(visit.form.get("link", ""))
    except NotAuthenticatedError:
        return _elsewhere(visit)
    response = visit.go(way)
    set_cookie(response, visit.origin, cookie, name=_cookie_name(visit))
    return response


# 2: the passphrase


async def show_passphrase(visit: Visit) -> web.StreamResponse:
    """Ask for a passphrase."""
    return _page(visit, "start_passphrase.html", wrong="")


async def choose_passphrase(visit: Visit) -> web.StreamResponse:
    """Take the passphrase, typed twice."""
    passphrase, wrong = _new_passphrase(visit)
    if not wrong:
        _set_up(visit).choose(passphrase)
        return visit.go(f"{BEGIN}/sheet")
    return _page(visit, "start_passphrase.html", status=422, wrong=wrong)


def _new_passphrase(visit: Visit) -> tuple[str, str]:
    """Return what was typed, and what is wrong with it: the name of a text, or nothing."""
    typed = visit.form.get("new_passphrase", "")
    if not typed:
        return "", "empty"
    if typed != visit.form.get("again", ""):
        return "", "differs"
    if len(typed.encode("utf-8", "replace")) > MAX_PASSPHRASE_BYTES:
        return "", "long"
    return typed, ""


# 3: the recovery sheet


async def show_sheet(visit: Visit) -> web.StreamResponse:
    """Show the recovery sheet of the keys that are to be made."""
    return _sheet(visit)


def _sheet(visit: Visit, *, missing: bool = False) -> web.Response:
    sheet = _set_up(visit).sheet
    if sheet is None:
        return visit.go(f"{BEGIN}/passphrase")
    return _page(visit, "start_sheet.html", status=422 if missing else 200, sheet=sheet, missing=missing)


async def confirm_sheet(visit: Visit) -> web.StreamResponse:
    """Make the keys, once the person has the sheet; the node then opens and this browser is signed in."""
    made = _set_up(visit)
    if made.sheet is not None and visit.form.get("kept") != "yes":
        return _sheet(visit, missing=True)
    return _let_in(visit, await made.make(device_of(visit)), "/my/data/first")


def _let_in(visit: Visit, secret: str, to: str, **query: str) -> web.Response:
    response = visit.go(to, **query)
    set_cookie(response, visit.origin, secret)
    drop_cookie(response, visit.origin, name=_cookie_name(visit))
    response.force_close()  # the next request is the node's to answer
    return response


# An older node, from its recovery sheet


async def show_recover(visit: Visit) -> web.StreamResponse:
    """Ask for the code of a recovery sheet, and a new passphrase."""
    return _page(visit, "start_recover.html", wrong="", wrong_code=NOTHING)


async def recover(visit: Visit) -> web.StreamResponse:
    """Make the keys of a recovery sheet again."""
    passphrase, wrong = _new_passphrase(visit)
    if wrong:
        return _page(visit, "start_recover.html", status=422, wrong=wrong, wrong_code=NOTHING)
    try:
        code = visit.form.text("code", most=_CODE_CHARS)
        secret = await _set_up(visit).recover(code, passphrase, device_of(visit))
    except (MalformedError, TooLargeError) as error:
        return _page(visit, "start_recover.html", status=422, wrong="", wrong_code=why(visit.t, error))
    return _let_in(visit, secret, "/my/data/first", said="recovered")


# An older node, from its backup


async def show_backup(visit: Visit) -> web.StreamResponse:
    """Ask for a backup file and its passphrase."""
    return _backup(visit)


def _backup(visit: Visit, *, status: int = 200, wrong: str = "", wrong_file: str = "") -> web.Response:
    uploaded = _set_up(visit).uploaded
    return _page(
        visit, "start_backup.html", status=status, wrong=wrong, wrong_file=wrong_file, uploaded=uploaded
    )


async def restore(visit: Visit) -> web.StreamResponse:
    """Take a backup in, and put it in place."""
    made = _set_up(visit)
    try:
        form = await stream_upload(
            visit.request,
            check=lambda fields: _check_key(visit, fields),
            place=made.upload,
            most=_most(made),
        )
    except ForeignFormError:
        raise
    except (TooLargeError, StorageFullError, OSError):
        return _backup(visit, status=413, wrong_file="large")
    except MalformedError:
        return _backup(visit, status=422, wrong_file="broken_off")
    passphrase = form.get("passphrase", "")
    if made.uploaded is None:
        return _backup(visit, status=422, wrong_file="missing")
    try:
        secret = await made.restore(passphrase, device_of(visit))
    except PassphraseError:
        return _backup(visit, status=403, wrong="wrong")
    except (ConflictError, UnsupportedError):
        return _backup(visit, status=422, wrong_file="other_kind")
    except MalformedError:
        return _backup(visit, status=422, wrong_file="damaged")
    return _let_in(visit, secret, "/my/relationships", said="restored")


def _most(made: SetUp) -> int:
    """Return how many bytes of a backup there is room for."""
    folder = made.folder
    while not folder.is_dir():
        folder = folder.parent
    return min(MAX_BACKUP_BYTES, shutil.disk_usage(folder).free // _ROOM)


async def nothing(visit: Visit) -> web.StreamResponse:
    """Lead to where the setting up stands; nothing else is here yet."""
    return visit.go(BEGIN) if _is_ours(visit) else _elsewhere(visit)
