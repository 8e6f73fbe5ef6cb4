"""One relationship: the boxes as they stand, until when, who read what, and what was signed.

Spec: specs/node/dashboard.md#a-relationship
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from freehold_protocol import form
from freehold_protocol.did_document import domain_of, is_web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError
from freehold_protocol.permission import Limits, Permission
from markupsafe import Markup

from ...api.owner import accounting, granting
from ..forms import TICK
from ..page import HEADERS, foreign
from ..relationship.boxes import names, part_of, parts_in, ticked
from ..relationship.scene import ENDING_CHARS, Scene, holder_of, local_day, partners_of, readers_of
from ..sample import SAMPLE
from ..visit import Visit
from .relationships import PLACE, samples, standing_with

_FIELDS_SHOWN: Final = 12
_PARTNERS_SHOWN: Final = 50
_LINKS_SHOWN: Final = 100
PART: Final = "part"
TICKS_SET: Final = "boxes"
"""A field that says that the ticks are all there: boxes that are not ticked are not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the page says about a form that could not be carried out; ``key`` is of the texts, ``status`` of HTTP."""

    key: str = ""
    status: int = 200
    fields: dict[str, str] = field(default_factory=dict)
    wait_s: int = 0


NO_PROBLEM: Final = Problem()


async def show(visit: Visit) -> web.Response:
    """Show the relationship; what a link presets is ticked, and nothing of it is done."""
    scene = await Scene.load(visit)
    kept = visit.preset if TICKS_SET in visit.preset else None
    ticks = None if kept is None else ticks_of(scene, kept, part_in(visit.query, scene))
    until = visit.preset.get("until", "")
    return await render(visit, scene, ticks=ticks, until=until, since=await _since(visit, scene))


def part_in(fields: Mapping[str, str], scene: Scene) -> int:
    """Return the part of the boxes that a form or link is about. Raises MalformedError."""
    part = form.decimal(fields.get(PART, "1"), PART)
    if not 1 <= part <= parts_in(scene.groups):
        raise MalformedError("there is no such part")
    return part


def ticks_of(scene: Scene, fields: Mapping[str, str], part: int) -> frozenset[str]:
    """Return the ticks that a form of one part means: of other parts, those that stand."""
    there = names(part_of(scene.groups, part))
    return frozenset(name for name in there if fields.get(name) == TICK) | (ticked(scene.groups) - there)


async def render(
    visit: Visit,
    scene: Scene,
    *,
    ticks: frozenset[str] | None = None,
    part: int | None = None,
    until: str = "",
    since: Document | None = None,
    problem: Problem = NO_PROBLEM,
) -> web.Response:
    """Return the page, with the ticks of a form that was sent where there are any."""
    read = await readers_of(visit, scene)
    readers = read["readers"]
    partners = sorted(partners_of(scene, readers), key=lambda one: -one.reads)
    standing = ticked(scene.groups)
    shown_part = part or part_in({**visit.query, **visit.form}, scene)
    chosen = standing if ticks is None or not scene.stands else ticks
    return visit.page(
        "relationship.html",
        active=PLACE,
        status=problem.status,
        scene=scene,
        ticks=chosen,
        groups=part_of(scene.groups, shown_part),
        part=shown_part,
        parts=parts_in(scene.groups),
        in_short=lambda fields: in_short(visit, fields),
        preset=chosen != standing,
        until=until or local_day(scene.expires),
        today=local_day(scene.now),
        latest=local_day(scene.most),
        since=since,
        problem=problem,
        reads=sum(int(one["reads"]) for one in readers),
        partners=partners[:_PARTNERS_SHOWN],
        more_partners=max(0, len(partners) - _PARTNERS_SHOWN),
        keys=await _keys(visit, scene),
        links=[(one, holder_of(scene, one)) for one in scene.told["links"] if not one["revoked"]][
            :_LINKS_SHOWN
        ],
        others=len(set(await standing_with(visit, scene)) - {scene.id}),
        limits_of=lambda permission: limit_lines(visit, permission),
        partner_name=lambda did: partner_name(visit, did),
        can_lengthen=scene.expires < scene.most,
        given_on=scene.told["receipt"]["versions"][0]["created"],
        reads_complete=read["complete"],
        is_sample=scene.vendor["id"] in await samples(visit),
    )


async def _since(visit: Visit, scene: Scene) -> Document | None:
    """Return the ledger's own word on the change that a link names, and what it took away or added."""
    named = visit.preset.get("since", "")
    if not (named.isascii() and named.isdigit() and len(named) < 16 and int(named) < scene.told["entries"]):
        return None
    query = {"first": named, "limit": "1"}
    listed = (await visit.does(accounting.list_entries, {"grant": scene.id}, query=query)).told["entries"]
    entry = listed[0].get("entry") if listed else None
    if entry is None or entry["kind"] != "changed":
        return None
    gone, added = _difference(scene, int(entry["version"]))
    return {
        "number": entry["number"],
        "time": entry["time"],
        "change": entry["change"],
        "gone": gone,
        "added": added,
    }


def _difference(scene: Scene, version: int) -> tuple[list[str], list[str]]:
    """Return the fields that a version gave no longer, and those that it gave besides."""
    given = {
        int(one["version"]): {
            path
            for permission in one["permission"]
            for item in permission["items"]
            for path in item["fields"]
        }
        for one in scene.told["receipt"]["versions"]
    }
    before, after = given.get(version - 1, set()), given.get(version, set())
    return sorted(before - after), sorted(after - before)


async def _keys(visit: Visit, scene: Scene) -> list[Document]:
    if not scene.told.get("newKeys"):
        return []
    found: list[Document] = (await visit.does(granting.show_keys, {"grant": scene.id})).told["keys"]
    return [one for one in found if "offered" in one]


def limit_lines(visit: Visit, permission: Permission) -> list[Any]:
    """Return what of the records a permission is about, how often and when, a line each."""
    return [*_items(visit, permission), *_limits(visit, permission.limits)]


def _items(visit: Visit, permission: Permission) -> Sequence[Any]:
    lines = []
    for item in permission.items:
        kind = visit.words.kind(item.type)
        for path, wanted in item.where:
            value = foreign(visit.words.plain(wanted))
            lines.append(
                visit.t("relations.only_where", kind=kind, field=visit.words.field(path), value=value)
            )
        if item.new_records:
            lines.append(visit.t("relations.later_too", kind=kind))
    return list(dict.fromkeys(lines))


def _limits(visit: Visit, limits: Limits) -> Sequence[Any]:
    lines = []
    told = limits.to_dict()
    if limits.reads is not None:
        lines.append(visit.t("relations.reads_in_all", count=limits.reads))
    if limits.rate is not None:
        span = visit.words.span(told["rate"]["per"])
        lines.append(visit.t("relations.reads_per", count=limits.rate[0], span=span))
    if limits.hours is not None:
        hours = told["hours"]
        days = ", ".join(str(visit.t(f"relations.day_{day}")) for day in limits.hours.days)
        lines.append(
            visit.t(
                "relations.hours", days=days, start=hours["from"], end=hours["to"], zone=hours["timeZone"]
            )
        )
    return lines


def in_short(visit: Visit, fields: Sequence[str]) -> str:
    """Return some fields, and how many more there are."""
    shown = visit.words.fields(fields[:_FIELDS_SHOWN])
    more = len(fields) - _FIELDS_SHOWN
    return visit.t("relations.reads_more", fields=shown, count=more) if more > 0 else shown


def partner_name(visit: Visit, did: str) -> Markup:
    """Return what a person knows a partner by: its domain, or that it has no name and how its key ends."""
    if is_web(did):
        return foreign(domain_of(did))
    if (sample := visit.request.app.get(SAMPLE)) and did == sample.courier_did:
        return visit.t("requests.partner_sample")
    return visit.t("relations.unnamed", ending=did[-ENDING_CHARS:])


async def download_receipt(visit: Visit) -> web.Response:
    """Give what both sides signed, as it was signed."""
    scene = await Scene.load(visit)
    return _file(scene.told["receipt"], f"receipt-{scene.id[:8]}")


async def download_statements(visit: Visit) -> web.Response:
    """Give what somebody needs to follow to another address, to be handed over by mail or otherwise."""
    scene = await Scene.load(visit)
    if not scene.told["statements"]:
        return visit.go(scene.path)
    handed = {"receipt": scene.told["receipt"], "statements": scene.told["statements"]}
    return _file(handed, f"addresses-{scene.id[:8]}")


def _file(document: Document, title: str) -> web.Response:
    body = json.dumps(document, ensure_ascii=False, indent=2).encode()
    name = f'attachment; filename="{title}.json"'
    return web.Response(
        body=body, content_type="application/json", headers={**HEADERS, "Content-Disposition": name}
    )
