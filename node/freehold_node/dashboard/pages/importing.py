"""Bringing a file in: choose it, see what it holds, say who you are in it, and watch it being written.

Spec: specs/node/dashboard.md#importing
"""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from itertools import islice
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import (
    ConflictError,
    FreeholdError,
    MalformedError,
    NotFoundError,
    PassphraseError,
    TooLargeError,
)
from freehold_protocol.reason import Reason

from ...api.owner import importing, tending
from ...devices import TooManyAttemptsError
from ...imports import MAX_MAPPING_BYTES, UnknownTableError
from ..door import check_form_key, look_again
from ..files.to_import import UploadError, read_upload
from ..files.waiting import UPLOADS, Held, Job
from ..live import LIVE
from ..reasons import NOTHING, Said, in_words, said, why
from ..visit import Visit

_PAGE: Final = 50
_MOST_SKIPPED: Final = 40
_MOST_CHANGED: Final = 20
_LAYOUT_CHANGED: Final = {"column-empty", "column-unread"}
_MOST_PEOPLE: Final = 8
_STATES: Final = ("new", "changed", "same")
_HOME: Final = "/my/data/import"


def _held(visit: Visit) -> Held | None:
    return visit.request.app[UPLOADS].of(visit.signed_in.id)


async def show(visit: Visit) -> web.Response:
    """Ask for a file; or lead to the one that is there already."""
    held = _held(visit)
    if held is not None and held.is_running:
        return visit.go(f"{_HOME}/progress")
    return _ask(visit, waits=held is not None and held.job is None)


def _ask(
    visit: Visit,
    *,
    status: int = 200,
    wrong: str = "",
    detail: Said = NOTHING,
    name: str = "",
    waits: bool = False,
) -> web.Response:
    return visit.page(
        "import.html", active="data", status=status, wrong=wrong, detail=detail, name=name, waits=waits
    )


async def receive(visit: Visit) -> web.Response:
    """Take a file, and look at what is in it; nothing is written, and what cannot be read is not kept."""
    held = _held(visit)
    if held is not None and held.is_running:
        return visit.go(f"{_HOME}/progress")
    uploads, session = visit.request.app[UPLOADS], visit.signed_in.id
    try:
        upload = await read_upload(visit.request)
    except UploadError as error:
        return _ask(visit, status=413 if error.reason == "large" else 400, wrong=f"bad_{error.reason}")
    visit.form = upload.form
    await look_again(visit)
    check_form_key(visit, upload.form.get("csrf", ""))
    held = uploads.keep(session, upload)
    try:
        held.preview = await _look(visit, held)
    except TooLargeError as error:
        uploads.drop(session)
        return _ask(visit, status=413, wrong="bad_much", detail=why(visit.t, error), name=held.name)
    except MalformedError as error:
        if isinstance(error.__cause__, UnknownTableError):
            return visit.go(f"{_HOME}/columns")
        uploads.drop(session)
        return _ask(visit, status=400, wrong="bad_content", detail=why(visit.t, error), name=held.name)
    except BaseException:
        uploads.drop(session)
        raise
    return visit.go(f"{_HOME}/preview")


async def _body(held: Held) -> Document:
    data = await asyncio.to_thread(base64url_encode, held.data)
    return {
        "name": held.name,
        "data": data,
        **({"mapping": held.mapping} if held.mapping is not None else {}),
    }


async def _look(visit: Visit, held: Held) -> Document:
    return (await visit.does(importing.preview_import, body=await _body(held))).told


# The columns of a table


async def show_columns(visit: Visit) -> web.Response:
    """Show what the columns of a table seem to mean."""
    held = _held(visit)
    if held is None or held.job is not None:
        return visit.go(_HOME, said="import_gone")
    mapping = held.mapping
    if mapping is None:
        body = await _body(held)
        try:
            mapping = str((await visit.does(importing.suggest_import_mapping, body=body)).told["mapping"])
        except MalformedError as error:
            visit.request.app[UPLOADS].drop(visit.signed_in.id)
            return _ask(visit, status=400, wrong="bad_content", detail=why(visit.t, error), name=held.name)
    return _columns(visit, held, visit.preset.get("mapping", mapping)[:MAX_MAPPING_BYTES])


def _columns(
    visit: Visit, held: Held, mapping: str, *, status: int = 200, detail: Said = NOTHING
) -> web.Response:
    kind, columns = _read_columns(mapping)
    return visit.page(
        "import_columns.html", active="data", status=status, name=held.name, mapping=mapping, kind=kind,
        columns=columns, left_out=_left_out(mapping), detail=detail,
    )  # fmt: skip


def _read_columns(mapping: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the kind of record that a mapping makes, and the field of each column."""
    try:
        record = tomllib.loads(mapping)["record"][0]
        columns = [
            (str(name), to["to"] if isinstance(to, dict) else str(to))
            for name, to in record["columns"].items()
        ]
        return str(record["type"]), columns
    except (tomllib.TOMLDecodeError, KeyError, IndexError, TypeError, AttributeError):
        return "", []


def _left_out(mapping: str) -> list[str]:
    """Return the columns that a suggestion names and gives no field: its lines ``# "Name" = ""``."""
    found: list[str] = []
    for line in mapping.splitlines():
        if line.startswith('# "') and line.endswith(' = ""'):
            try:
                found += tomllib.loads(line[2:])
            except tomllib.TOMLDecodeError:
                continue
    return found


async def take_columns(visit: Visit) -> web.Response:
    """Read the table with what the person says its columns are."""
    held = _held(visit)
    if held is None or held.job is not None:
        return visit.go(_HOME, said="import_gone")
    mapping = visit.form.text("mapping", most=MAX_MAPPING_BYTES).replace("\r\n", "\n")
    held.mapping, held.looks = mapping, held.looks + 1
    try:
        held.preview = await _look(visit, held)
    except MalformedError as error:
        held.mapping = None
        return _columns(visit, held, mapping, status=400, detail=why(visit.t, error))
    return visit.go(f"{_HOME}/preview")


# What was found


async def show_preview(visit: Visit) -> web.Response:
    """Show what would be imported, what is left out and why, and ask who of these people is the person."""
    held = _held(visit)
    if held is None:
        return visit.go(_HOME, said="import_gone")
    if held.job is not None:
        return visit.go(f"{_HOME}/progress")
    return await _preview(visit, held)


async def _preview(
    visit: Visit,
    held: Held,
    *,
    wrong: str = "",
    wait_s: int = 0,
    status: int = 200,
    other: bool = False,
) -> web.Response:
    if not held.preview:
        return visit.go(f"{_HOME}/columns")
    found: list[Document] = held.preview["found"]
    number = visit.query.get("page", "1")
    pages = max(1, -(-len(found) // _PAGE))
    page = min(max(1, int(number)), pages) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    counts = Counter(one["state"] for one in found)
    skipped = [*held.preview["skipped"], *(part for one in found for part in one["skipped"])]
    who = " ".join(visit.query.get("who", "").split())[:200]
    people = [one for one in found if one["type"] == "Person"]
    matching = [one for one in people if _is_called(one, who)]
    filled = {**visit.preset, **visit.form}
    if filled.get("file") != held.key:  # who is the person in another file is nobody in this one
        filled = {}
    chosen = filled.get("me", "")
    shown = matching[:_MOST_PEOPLE]
    shown += [one for one in people if str(one["number"]) == chosen and one not in shown]
    status_of_node = (await visit.does(tending.show_status)).told
    return visit.page(
        "import_preview.html", active="data", status=status, held=held, format=held.preview["format"],
        rows=[{**one, "label": _label(visit, one)} for one in found[(page - 1) * _PAGE : page * _PAGE]],
        page_number=page, pages=pages, total=len(found), counts={one: counts[one] for one in _STATES},
        skipped=_by_reason(visit, skipped), skipped_count=len(skipped), layout=_layout_changed(visit, skipped),
        people=[{**one, "label": _label(visit, one)} for one in shown],
        people_count=len(people), matching_count=len(matching), who=who, me=status_of_node["self"], wrong=wrong,
        chosen=chosen, other=other, fillable=any("fills" in one for one in people),
        switch=filled.get("into") == "switch", wait_s=wait_s, proof_wrong=bool(visit.form.get("passphrase")),
    )  # fmt: skip


def _label(visit: Visit, found: Document) -> str:
    label, kind = found["label"], str(found["type"])
    if isinstance(label, Reason):  # it has no name, and is called by where it is
        return in_words(visit.t, label)
    return str(label).partition(" (attested by ")[0] or visit.words.one(kind)


def _is_called(person: Document, who: str) -> bool:
    wanted = who.casefold()
    return any(wanted in text.casefold() for text in (person["label"], *person.get("emails", ())))


def _by_reason(visit: Visit, skipped: list[Document]) -> list[tuple[Said, Said, int]]:
    """Return each reason once, with its first place and how many more there are."""
    places: dict[str, list[str]] = {}
    for one in skipped:
        places.setdefault(one["reason"], []).append(one["where"])
    return [
        (said(visit.t, reason), said(visit.t, where[0]), len(where) - 1)
        for reason, where in islice(places.items(), _MOST_SKIPPED)
    ]


def _layout_changed(visit: Visit, skipped: list[Document]) -> list[Said]:
    """Return the columns of a table that look as if its layout had changed."""
    changed = [one["where"] for one in skipped if getattr(one["reason"], "code", "") in _LAYOUT_CHANGED]
    return [said(visit.t, where) for where in changed[:_MOST_CHANGED]]


# The import


async def start(visit: Visit) -> web.Response:
    """Begin to import what was shown; sent twice, it begins once."""
    held = _held(visit)
    if held is None:
        return visit.go(_HOME, said="import_gone")
    if (elsewhere := await _elsewhere(visit, held)) is not None:
        return elsewhere
    me = visit.form.text("me", most=300)
    numbers = {str(one["number"]) for one in held.preview["found"] if one["type"] == "Person"}
    if me and me not in numbers:
        return await _preview(visit, held, wrong="nobody", status=400)
    switch = visit.form.get("into") == "switch"
    try:
        if me and await _takes_proof(visit, held, {"me": me, "switch": switch}):
            await visit.prove()
    except TooManyAttemptsError as error:
        return await _preview(visit, held, wrong="proof", wait_s=error.wait_s, status=429)
    except PassphraseError:
        return await _preview(visit, held, wrong="proof", status=403)
    # The same form, sent again while this one was looked at; or its columns were given another meaning.
    if (elsewhere := await _elsewhere(visit, held)) is not None:
        return elsewhere
    job = Job(total=len(held.preview["found"]))
    live = visit.request.app[LIVE]

    def told(done: int, total: int) -> None:
        job.told(done, total)
        live.committed(frozenset())

    async def work() -> Document:
        named = {"me": me, "switch": switch} if me else {}
        body = {**await _body(held), **named}
        return (await visit.does(importing.import_file, body=body, told=told)).told

    visit.request.app[UPLOADS].start(held, job, work, when_over=lambda: live.committed(frozenset()))
    return visit.go(f"{_HOME}/progress")


async def _elsewhere(visit: Visit, held: Held) -> web.Response | None:
    """Return what is answered where a file is not, or no more, what was on the page that the form stood on."""
    if held.job is not None:
        return visit.go(f"{_HOME}/progress")
    if not held.preview:
        return visit.go(f"{_HOME}/columns")
    if visit.form.get("file") != held.key:
        return await _preview(visit, held, status=409, other=True)
    return None


async def _takes_proof(visit: Visit, held: Held, named: Document) -> bool:
    """Whether a vendor reads more once this card is the person; the file is read again only where one reads at all."""
    if not (await visit.does(tending.show_status)).told["grants"]["live"]:
        return False
    body = {**await _body(held), **named}
    return bool((await visit.does(importing.preview_import, body=body)).told["passphrase"])


async def show_progress(visit: Visit) -> web.Response:
    """Show how far an import is, and at its end what it did."""
    held = _held(visit)
    if held is None or held.job is None:
        return visit.page(
            "import_progress.html",
            active="data",
            held=None,
            job=None,
            percent=0,
            skipped=[],
            code="",
            failed=NOTHING,
        )
    job = held.job
    skipped = _by_reason(visit, job.result["skipped"]) if job.result is not None else []
    response = visit.page(
        "import_progress.html", active="data", held=held, job=job, skipped=skipped,
        failed=NOTHING if job.error is None else why(visit.t, job.error),
        percent=100 * job.done // job.total if job.total else 0, code=_code(job.error),
    )  # fmt: skip
    if held.is_running:
        response.headers["Refresh"] = "3"
    return response


def _code(error: FreeholdError | None) -> str:
    known = ((NotFoundError, "nobody"), (ConflictError, "several"), (TooLargeError, "much"))
    return (
        next((name for kind, name in known if isinstance(error, kind)), "other") if error is not None else ""
    )


async def cancel(visit: Visit) -> web.Response:
    """Forget the file; an import that has begun goes on."""
    held = _held(visit)
    if held is not None and held.is_running:
        return visit.go(f"{_HOME}/progress")
    visit.request.app[UPLOADS].drop(visit.signed_in.id)
    return visit.go("/my/data", said="import_cancelled")
