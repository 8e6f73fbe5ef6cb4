"""Relationships: everybody who may read, could, or could once; and ending all of it.

Spec: specs/node/dashboard.md#relationships
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError

from ...api.owner import granting, keeping, revoking
from ..relationship.scene import STANDING, Scene
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
    query = {"state": state, "q": name, "after": visit.query.get("after", "")}
    wanted = {key: value for key, value in query.items() if value}
    found = await grants_page(visit, **wanted)
    sections = [
        (section, [_row(visit, one) for one in found["grants"] if one["state"] in states])
        for section, states in _SECTIONS
    ]
    return visit.page(
        "relationships.html",
        active=PLACE,
        sections=[(section, rows) for section, rows in sections if rows],
        several=_several(found["grants"]),
        samples=await samples(visit),
        next=found.get("next", ""),
        state=state,
        name=name,
        none_at_all=not any(found["counts"].values()),
        any_stands=any(found["counts"][one] for one in STANDING),
    )


async def grants_page(visit: Visit, **query: str) -> Document:
    """Return a page of the relationships in a line each, and how many there are of each state."""
    return (await visit.does(granting.list_grants, query={"limit": str(_PAGE), **query})).told


async def samples(visit: Visit) -> frozenset[str]:
    """Return who is a sample."""
    found = (await visit.does(keeping.show_sample)).told["sample"]
    return frozenset(one["id"] for one in found["vendors"]) if found else frozenset()


def _row(visit: Visit, one: Document) -> Document:
    fields = list(dict.fromkeys(path for permission in one["gives"] for path in permission["fields"]))
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
    counts = (await grants_page(visit, limit="1"))["counts"]
    count = sum(counts[one] for one in STANDING)
    return visit.page("end_everything.html", active=PLACE, count=count, vendor=None, path=LIST)


async def end_everything(visit: Visit) -> web.Response:
    """End everything."""
    _only(visit, "sure")
    await visit.does(revoking.revoke_all, body={"everything": True})
    return visit.go(LIST, said="everything_ended")


async def ask_vendor(visit: Visit) -> web.Response:
    """Say what ending everything with one vendor means, before it is done."""
    scene = await Scene.load(visit)
    count = len(await standing_with(visit, scene))
    return visit.page("end_everything.html", active=PLACE, count=count, vendor=scene.vendor, path=scene.path)


async def standing_with(visit: Visit, scene: Scene) -> list[str]:
    """Return which relationships with the vendor of one stand, as far as one page goes."""
    found = (await grants_page(visit, q=scene.vendor["id"], limit="200"))["grants"]
    return [one["id"] for one in found if one["state"] in STANDING]


async def end_vendor(visit: Visit) -> web.Response:
    """End everything with one vendor."""
    _only(visit, "sure")
    scene = await Scene.load(visit)
    await visit.does(revoking.revoke_all, body={"vendor": scene.vendor["id"]})
    return visit.go(LIST, said="vendor_ended")


def _only(visit: Visit, *names: str) -> None:
    """Refuse a form with fields that the page does not have: who made it meant something else."""
    if unknown := set(visit.form) - {"csrf", "here", *names}:
        raise MalformedError(f"this form has no field {min(unknown)[:40]!r}")
