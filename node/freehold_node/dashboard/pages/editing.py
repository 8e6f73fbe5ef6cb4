"""Writing records by hand: a form for what can be written, and care that nothing typed is lost.

Spec: specs/node/dashboard.md#editing
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web
from freehold_protocol.canonical import document_cid
from freehold_protocol.encoding import Document
from freehold_protocol.errors import ConflictError, MalformedError, NotFoundError
from freehold_protocol.record import content_of

from ...api.owner import recording
from ..record import as_form
from ..record.as_form import Part
from ..record.as_words import Telling
from ..record.shapes import ADDED
from ..visit import Visit
from .data import is_editable, name_of


@dataclass(slots=True, kw_only=True)
class _Form:
    """What a form of a record shows beside its boxes."""

    errors: dict[str, str] = field(default_factory=dict)
    clashing: list[tuple[str, str]] = field(default_factory=list)
    is_stale: bool = False
    refused: str = ""
    status: int = 200


async def choose_kind(visit: Visit) -> web.Response:
    """Ask what is to be added."""
    return visit.page("record_kinds.html", active="data", kinds=ADDED)


async def show_new(visit: Visit) -> web.Response:
    """Show an empty form, or what a link put into it."""
    return _show_new(visit, as_form.typed(visit.preset) or Part(), _Form())


def _kind(visit: Visit) -> str:
    if visit.params["type"] not in ADDED:
        raise NotFoundError("no such kind is written by hand")
    return visit.params["type"]


def _show_new(visit: Visit, part: Part, form: _Form) -> web.Response:
    kind = _kind(visit)
    return visit.page(
        "record_new.html", active="data", status=form.status, kind=kind, form=form,
        fields=as_form.fields_of(kind, part, errors=form.errors),
    )  # fmt: skip


async def add(visit: Visit) -> web.Response:
    """Add what was typed, once; or show the form with one box more or fewer."""
    kind, part = _kind(visit), as_form.typed(visit.form) or Part()
    if _arranged(visit, part):
        return _show_new(visit, part, _Form())
    content = as_form.filled({"type": kind}, part)
    errors = as_form.wrong(part, {})
    if not content.keys() - {"type"}:
        return _show_new(visit, part, _Form(refused="nothing_typed", status=400))
    if errors:
        return _show_new(visit, part, _Form(errors=errors, status=400))

    async def write() -> str:
        written = (await visit.does(recording.add_record, body={"content": content})).told
        return f"/my/data/records/{written['id'].removeprefix('urn:uuid:')}"

    try:
        return visit.go(await visit.once(write), said="record_added")
    except MalformedError:
        return _show_new(visit, part, _Form(refused="not_kept", status=400))


def _arranged(visit: Visit, part: Part) -> bool:
    """Do what a button asks that only changes the boxes; whether it was one."""
    action, _, place = visit.form.get("do", "").partition(":")
    if action not in ("add", "remove") or not place or len(place) > 300:
        return False
    (as_form.add_entry if action == "add" else as_form.remove_entry)(part, place)
    return True


async def show_edit(visit: Visit) -> web.Response:
    """Show a record as a form; what was typed before a session was lost comes back in the address."""
    told = await _shown(visit)
    part = as_form.typed(visit.preset)
    if part is None:
        return _show_edit(visit, told, told["cid"], as_form.part_of(told["content"]), _Form())
    seen = visit.preset.get("seen", "")
    return await _reconsidered(visit, told, seen, part, _Form())


async def _shown(visit: Visit) -> Document:
    told = (await visit.does(recording.show_record, {"record": visit.params["record"]})).told
    if not is_editable(told["content"]):
        raise NotFoundError("this is not written by hand")
    return told


def _show_edit(visit: Visit, told: Document, cid: str, part: Part, form: _Form) -> web.Response:
    content = told["content"]
    kind = content["type"]
    have_boxes = as_form.boxed(content)
    fixed = [term for term in content if term != "type" and term not in have_boxes]
    lines, _ = Telling(visit.words).lines({term: content[term] for term in fixed})
    return visit.page(
        "record_edit.html", active="data", status=form.status, record=visit.params["record"], kind=kind, seen=cid,
        label=name_of(visit, content), form=form, fixed=lines,
        fields=as_form.fields_of(kind, part, fixed=fixed, errors=form.errors),
    )  # fmt: skip


def _version(told: Document, cid: str) -> Document | None:
    """Return what a record said in the version of a CID."""
    if cid == told["cid"]:
        content: Document = told["content"]
        return content
    return next((content_of(one) for one in told["history"] if document_cid(one) == cid), None)


async def _reconsidered(visit: Visit, told: Document, cid: str, part: Part, form: _Form) -> web.Response:
    """Show what was typed; if the record was changed meanwhile, on what stands now, and what differs."""
    if cid == told["cid"]:
        return _show_edit(visit, told, cid, part, form)
    seen = _version(told, cid) or {"type": told["content"]["type"]}
    made, clashing = as_form.merged(seen, told["content"], as_form.filled(seen, part))
    telling = Telling(visit.words)
    form.is_stale, form.status = True, 409 if visit.request.method == "POST" else 200
    form.clashing = [
        (one.label, one.before)
        for one in telling.differences(
            {term: told["content"].get(term) for term in clashing if told["content"].get(term) is not None},
            {term: made[term] for term in clashing if term in made},
        )
    ]
    return _show_edit(visit, told, told["cid"], as_form.part_of(made), form)


async def edit(visit: Visit) -> web.Response:
    """Write what was typed as the next version; or show the form with one box more or fewer."""
    told, cid = await _shown(visit), visit.form.text("seen", most=100)
    part = as_form.typed(visit.form) or Part()
    seen = _version(told, cid)
    if _arranged(visit, part) and cid == told["cid"]:
        return _show_edit(visit, told, cid, part, _Form())
    if seen is not None and (errors := as_form.wrong(part, seen)):
        return _show_edit(visit, told, cid, part, _Form(errors=errors, status=400))
    if seen is None or cid != told["cid"]:
        if seen is not None and as_form.filled(seen, part) == told["content"]:
            return _kept(visit)  # the same form, sent again
        return await _reconsidered(visit, told, cid, part, _Form())
    content = as_form.filled(seen, part)
    if content == seen:
        return visit.go(f"/my/data/records/{visit.params['record']}", said="record_same")
    try:
        body: Document = {"content": content, "previous": cid}
        await visit.does(recording.edit_record, {"record": visit.params["record"]}, body=body)
    except ConflictError:
        return await _reconsidered(visit, await _shown(visit), cid, part, _Form())
    except MalformedError:
        return _show_edit(visit, told, cid, part, _Form(refused="not_kept", status=400))
    return _kept(visit)


def _kept(visit: Visit) -> web.Response:
    return visit.go(f"/my/data/records/{visit.params['record']}", said="record_kept")
