"""Bringing data for the first time: three fields, or the way to a file.

Spec: specs/node/dashboard.md#first-start
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import NotFoundError, PassphraseError

from ...api.owner import importing, recording, tending
from ...devices import TooManyAttemptsError
from ..sample import BOOK, ME, SAMPLE, sample_book
from ..visit import START, Visit

PATH: Final = "/my/data/first"
_PLACES: Final = ("streetAddress", "postalCode", "addressLocality", "addressCountry")
_MOST: Final = 200


async def show(visit: Visit) -> web.Response:
    """Ask for the first data; what is there already is said."""
    return await _show(visit)


async def _show(
    visit: Visit, *, status: int = 200, missing: bool = False, wrong: bool = False, wait_s: int = 0
) -> web.Response:
    node = (await visit.does(tending.show_status)).told
    given = visit.form if visit.request.method == "POST" else visit.preset
    names = ("name", "email", *(f"address.{place}" for place in _PLACES))
    return visit.page(
        "first_data.html", active="data", status=status, me=node["self"], missing=missing,
        wrong=wrong, wait_s=wait_s, gives=_gives(node),
        values={name: given.get(name, "")[:_MOST] for name in names},
        places=_PLACES, invented=SAMPLE in visit.request.app,
    )  # fmt: skip


async def add(visit: Visit) -> web.Response:
    """Add what was typed as the record about the person; sent twice it is added once."""
    if not visit.form.text("name", most=_MOST):
        return await _show(visit, status=422, missing=True)
    node = (await visit.does(tending.show_status)).told
    if node["self"] is None:
        if (unproved := await _unproved(visit, node)) is not None:
            return unproved
        added = await visit.does(recording.add_record, body={"content": _person(visit)})
        await visit.does(recording.choose_self, body={"record": added.told["id"]})
    return visit.go(START, said="first_data")


def _gives(node: Document) -> bool:
    """Whether somebody may read what is about the person already, whose record is gone: then saying who it is gives."""
    return bool(node["grants"]["live"])


async def _unproved(visit: Visit, node: Document) -> web.Response | None:
    """Take a fresh proof before anything is written; return the page again where there is none."""
    try:
        if _gives(node):
            await visit.prove()
    except TooManyAttemptsError as error:
        return await _show(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _show(visit, status=403, wrong=True)
    return None


def _person(visit: Visit) -> Document:
    said: Document = {"type": "Person", "name": visit.form.text("name", most=_MOST)}
    if email := visit.form.text("email", most=_MOST):
        said["email"] = email
    address = {place: text for place in _PLACES if (text := visit.form.text(f"address.{place}", most=_MOST))}
    return {**said, "address": {"type": "PostalAddress", **address}} if address else said


async def use_invented(visit: Visit) -> web.Response:
    """Import the address book of invented people; only where the node is for trying out."""
    if SAMPLE not in visit.request.app:
        raise NotFoundError("there is no sample here")
    node = (await visit.does(tending.show_status)).told
    if node["self"] is None:
        if (unproved := await _unproved(visit, node)) is not None:
            return unproved
        book = {"name": BOOK, "data": base64url_encode(sample_book()), "me": ME}
        await visit.does(importing.import_file, body=book)
    return visit.go(START, said="invented")
