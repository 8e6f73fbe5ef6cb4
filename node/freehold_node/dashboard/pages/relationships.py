"""Relationships: everybody who may read, could, or could once; and ending all of it.

Spec: specs/node/dashboard.md#relationships
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError

from ...api import owning
from ..scene import STANDING, Scene
from ..visit import Visit

PLACE: Final = "relationships"
LIST: Final = "/my/relationships"
_PAGE: Final = 50
_MOST_CHARS: Final = 100
_FIELDS_SHOWN: Final = 4
_SECTIONS: Final = (("live", ("live",)), ("paused", ("paused",)), ("over", ("ended", "expired")))


async def show(visit: Visit) -> web.Response:
    """Show everybody, or those of a state or name, 50 at a time."""
    state, name = visit.query.get("state", ""), visit.query.get("q", "").strip()[:_MOST_CHARS]
    known = dict(_SECTIONS)
    if state not in ("", *known):
        raise MalformedError("there is no such state")
    found = await _listed(visit, state=state, name=name, after=visit.query.get("after", ""))
    sections = [
        (section, [_row(visit, one) for one in found["grants"] if one["state"] in states])
        for section, states in _SECTIONS
    ]
    return visit.page(
        "relationships.html",
        active=PLACE,
        sections=[(section, rows) for section, rows in sections if rows],
        several=_several(found["grants"]),
        next=found.get("next", ""),
        state=state,
        name=name,
        none_at_all=not found["grants"] and not (state or name or "after" in visit.query),
        any_stands=any(found["counts"].get(one, 0) for one in STANDING),
    )


async def _listed(visit: Visit, *, state: str, name: str, after: str) -> Document:
    grants: list[Document] = (await visit.does(owning.list_grants)).told["grants"]
    counts = Counter(str(one["state"]) for one in grants)
    states = dict(_SECTIONS).get(state)
    if after:
        place = next((at for at, one in enumerate(grants) if one["id"] == after), len(grants))
        grants = grants[place + 1 :]
    wanted = [
        one
        for one in grants
        if (states is None or one["state"] in states)
        and name.casefold() in f"{one['vendor']['name']} {one['vendor'].get('domain', '')}".casefold()
    ]
    told: Document = {"grants": wanted[:_PAGE], "counts": dict(counts)}
    return told | ({"next": wanted[_PAGE - 1]["id"]} if len(wanted) > _PAGE else {})


def _row(visit: Visit, one: Document) -> Document:
    given = one.get("gives") or [
        {"fields": [path for item in permission["items"] for path in item["fields"]]}
        for permission in one["permissions"]
    ]
    fields = list(dict.fromkeys(path for permission in given for path in permission["fields"]))
    return {
        "grant": one,
        "fields": visit.words.fields(fields[:_FIELDS_SHOWN]),
        "more": max(0, len(fields) - _FIELDS_SHOWN),
    }


def _several(grants: list[Document]) -> list[Document]:
    """Return one grant of each vendor of whom several stand."""
    standing = [one for one in grants if one["state"] in STANDING]
    count = Counter(str(one["vendor"]["id"]) for one in standing)
    first = {str(one["vendor"]["id"]): one for one in reversed(standing)}
    return [first[vendor] for vendor, number in count.items() if number > 1]


# Ending all of it


async def ask_everything(visit: Visit) -> web.Response:
    """Say what ending everything means, before it is done."""
    standing = [one for one in (await visit.does(owning.list_grants)).told["grants"] if one["state"] in STANDING]
    return visit.page("end_everything.html", active=PLACE, count=len(standing), vendor=None, path=LIST)


async def end_everything(visit: Visit) -> web.Response:
    """End everything."""
    _only(visit, "sure")
    await visit.does(owning.revoke_all, body={"everything": True})
    return visit.go(LIST, said="everything_ended")


async def ask_vendor(visit: Visit) -> web.Response:
    """Say what ending everything with one vendor means, before it is done."""
    scene = await Scene.load(visit)
    grants = (await visit.does(owning.list_grants)).told["grants"]
    standing = [one for one in grants if one["state"] in STANDING and one["vendor"]["id"] == scene.vendor["id"]]
    return visit.page(
        "end_everything.html", active=PLACE, count=len(standing), vendor=scene.vendor, path=scene.path
    )


async def end_vendor(visit: Visit) -> web.Response:
    """End everything with one vendor."""
    _only(visit, "sure")
    scene = await Scene.load(visit)
    await visit.does(owning.revoke_all, body={"vendor": scene.vendor["id"]})
    return visit.go(LIST, said="vendor_ended")


def _only(visit: Visit, *names: str) -> None:
    """Refuse a form with fields that the page does not have: who made it meant something else."""
    if unknown := set(visit.form) - {"csrf", "here", *names}:
        raise MalformedError(f"this form has no field {min(unknown)[:40]!r}")
