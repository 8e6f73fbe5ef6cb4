"""How often and when a relationship may be read: the page that sets it, within what was asked.

Spec: specs/node/dashboard.md#how-often-and-when
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aiohttp import web
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    MalformedError,
    PreconditionError,
    TransitionError,
)
from freehold_protocol.permission import DAYS, all_within

from ..consent.hours import zone_choices, zone_here
from ..consent.problem import Problem as FieldProblem
from ..relationship.limits import LIMITS_SET, Bound, bounds_of, limited, names_of
from ..relationship.scene import Scene
from ..visit import Visit
from .relationship import NO_PROBLEM, Problem, render
from .relationship_wish import STALE, Wish, at_once, look, only
from .relationships import PLACE


async def show(visit: Visit) -> web.Response:
    """Show how often and when it may be read; what a link presets is filled in, and nothing of it is done."""
    scene = await Scene.load(visit)
    if not scene.stands:
        return visit.go(scene.path)
    return _page(visit, scene, visit.preset if LIMITS_SET in visit.preset else None)


async def save(visit: Visit) -> web.Response:
    """Have it count: at once where it is less, after a look at exactly that where it is more."""
    scene = await Scene.load(visit)
    bounds = bounds_of(scene.asked, scene.given)
    only(visit, *names_of(bounds))
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    wanted = limited(visit.form, bounds)
    if wanted.problems:
        return _page(visit, scene, visit.form, wanted.problems, Problem(key="fields", status=422))
    if wanted.permissions == scene.given:
        return visit.go(scene.path, said="stands_already")
    if visit.form.get("version") != scene.cid:
        return _page(visit, scene, visit.form, problem=STALE)
    if not all_within(wanted.permissions, scene.given):
        return await look(visit, scene, wish_of(visit, scene))
    try:
        entry = await at_once(visit, scene, Wish(change="narrow", permissions=wanted.permissions))
    except (PreconditionError, ConflictError, TransitionError, DraftChangedError):
        return _page(visit, await Scene.load(visit), visit.form, problem=STALE)
    return visit.go(scene.path, since=str(entry))


def wish_of(visit: Visit, scene: Scene) -> Wish:
    """Return what a form with these fields wishes for. Raises MalformedError where it cannot be."""
    bounds = bounds_of(scene.asked, scene.given)
    wanted = limited(visit.form, bounds)
    if wanted.problems:
        raise MalformedError("what this form says cannot be given")
    names = names_of(bounds)
    fields = {name: value for name, value in visit.form.items() if name in names}
    return Wish(change="widen", permissions=wanted.permissions, fields=fields)


def _page(
    visit: Visit,
    scene: Scene,
    fields: Mapping[str, str] | None,
    problems: Sequence[FieldProblem] = (),
    problem: Problem = NO_PROBLEM,
) -> web.Response:
    bounds = bounds_of(scene.asked, scene.given)
    standing = dict(_standing(bounds))
    return visit.page(
        "relationship_limits.html",
        active=PLACE,
        status=problem.status,
        scene=scene,
        bounds=bounds,
        values=standing if fields is None else fields,
        zone=(fields or {}).get("zone") or zone_here(),
        zones=zone_choices(),
        asks_zone=any(not one.zone for one in bounds),
        all_days=DAYS,
        problem=problem,
        problems={one.field: visit.t(f"narrower.{one.text}") for one in problems},
    )


def _standing(bounds: Sequence[Bound]) -> Iterator[tuple[str, str]]:
    for one in bounds:
        yield from one.values.items()
