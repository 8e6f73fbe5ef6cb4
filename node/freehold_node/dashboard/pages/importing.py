"""Bringing a file in: choose it, see what it holds, say who you are in it, and watch it being written.

Spec: specs/node/dashboard.md#importing
"""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import (
    ConflictError,
    FreeholdError,
    MalformedError,
    NotFoundError,
    TooLargeError,
)

from ...api import owning
from ...imports import MAX_MAPPING_BYTES, UnknownTableError
from ..door import check_form_key, look_again
from ..live import LIVE
from ..uploads import UploadError, read_upload
from ..visit import Visit
from ..waiting import UPLOADS, Held, Job

_PAGE: Final = 50
_MOST_SKIPPED: Final = 40
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
    visit: Visit, *, status: int = 200, wrong: str = "", detail: str = "", name: str = "", waits: bool = False
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
        return _ask(visit, status=413, wrong="bad_much", detail=str(error), name=held.name)
    except MalformedError as error:
        if isinstance(error.__cause__, UnknownTableError):
            return visit.go(f"{_HOME}/columns")
        uploads.drop(session)
        return _ask(visit, status=400, wrong="bad_content", detail=str(error), name=held.name)
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
    return (await visit.does(owning.preview_import, body=await _body(held))).told


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
            mapping = str((await visit.does(owning.suggest_import_mapping, body=body)).told["mapping"])
        except MalformedError as error:
            visit.request.app[UPLOADS].drop(visit.signed_in.id)
            return _ask(visit, status=400, wrong="bad_content", detail=str(error), name=held.name)
    return _columns(visit, held, mapping)


def _columns(visit: Visit, held: Held, mapping: str, *, status: int = 200, detail: str = "") -> web.Response:
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
    held.mapping = mapping
    try:
        held.preview = await _look(visit, held)
    except MalformedError as error:
        held.mapping = None
        return _columns(visit, held, mapping, status=400, detail=str(error))
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


async def _preview(visit: Visit, held: Held, *, wrong: str = "", status: int = 200) -> web.Response:
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
    status_of_node = (await visit.does(owning.show_status)).told
    return visit.page(
        "import_preview.html", active="data", status=status, held=held, format=held.preview["format"],
        rows=[{**one, "label": _label(visit, one)} for one in found[(page - 1) * _PAGE : page * _PAGE]],
        page_number=page, pages=pages, total=len(found), counts={one: counts[one] for one in _STATES},
        skipped=_by_reason(skipped)[:_MOST_SKIPPED], skipped_count=len(skipped), layout=_layout_changed(skipped),
        people=[{**one, "label": _label(visit, one)} for one in matching[:_MOST_PEOPLE]],
        people_count=len(people), matching_count=len(matching), who=who, me=status_of_node["self"], wrong=wrong,
        chosen=visit.form.get("me", ""),
    )  # fmt: skip


def _label(visit: Visit, found: Document) -> str:
    called, kind = str(found["label"]).partition(" (attested by ")[0], str(found["type"])
    return called or visit.words.one(kind)


def _is_called(person: Document, who: str) -> bool:
    wanted = who.casefold()
    return any(wanted in text.casefold() for text in (person["label"], *person.get("emails", ())))


def _by_reason(skipped: list[Document]) -> list[tuple[str, str, int]]:
    """Return each reason once, with its first place and how many more there are."""
    places: dict[str, list[str]] = {}
    for one in skipped:
        places.setdefault(one["reason"], []).append(one["where"])
    return [(reason, where[0], len(where) - 1) for reason, where in places.items()]


def _layout_changed(skipped: list[Document]) -> list[str]:
    """Return the columns of a table that look as if its layout had changed."""
    return [one["where"] for one in skipped if "has the layout of the table changed" in one["reason"]]


# The import


async def start(visit: Visit) -> web.Response:
    """Begin to import what was shown; sent twice, it begins once."""
    held = _held(visit)
    if held is None:
        return visit.go(_HOME, said="import_gone")
    if held.job is not None:
        return visit.go(f"{_HOME}/progress")
    if not held.preview:
        return visit.go(f"{_HOME}/columns")
    me = visit.form.text("me", most=300)
    numbers = {str(one["number"]) for one in held.preview["found"] if one["type"] == "Person"}
    if me and me not in numbers:
        return await _preview(visit, held, wrong="nobody", status=400)
    job = Job(total=len(held.preview["found"]))
    live = visit.request.app[LIVE]

    def told(done: int, total: int) -> None:
        job.told(done, total)
        live.committed(frozenset())

    async def work() -> Document:
        body = {**await _body(held), **({"me": me} if me else {})}
        return (await visit.does(owning.import_file, body=body, told=told)).told

    visit.request.app[UPLOADS].start(held, job, work, when_over=lambda: live.committed(frozenset()))
    return visit.go(f"{_HOME}/progress")


async def show_progress(visit: Visit) -> web.Response:
    """Show how far an import is, and at its end what it did."""
    held = _held(visit)
    if held is None or held.job is None:
        return visit.page(
            "import_progress.html", active="data", held=None, job=None, percent=0, skipped=[], code=""
        )
    job = held.job
    skipped = _by_reason(job.result["skipped"])[:_MOST_SKIPPED] if job.result is not None else []
    response = visit.page(
        "import_progress.html", active="data", held=held, job=job, skipped=skipped,
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
