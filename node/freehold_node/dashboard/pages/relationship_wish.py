"""What a person wishes of a relationship: done at once where it takes away, shown first where it gives.

Spec: specs/node/dashboard.md#changing-a-relationship
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from freehold_protocol import limits
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    MalformedError,
    NotFoundError,
    PreconditionError,
    TransitionError,
)
from freehold_protocol.permission import Permission

from ...api.owner import accounting, granting
from ..consent.card import is_reviewable
from ..relationship.boxes import choose, names, part_of
from ..relationship.scene import Scene, condition_on
from ..visit import Visit
from .relationship import Problem, limit_lines, part_in, partner_name, render
from .relationships import PLACE

FRAME: Final = frozenset({"csrf", "here", "version"})
"""Fields of every form about a relationship."""
STALE: Final = Problem(key="stale", status=412)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be given: the change, permissions and end where it says them, and the boxes or fields it came from.

    ``taken`` is the entry of what was taken away on the way here, if something was.
    """

    change: str
    permissions: tuple[Permission, ...] | None = None
    expires: str | None = None
    ticks: frozenset[str] | None = None
    until: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    taken: int | None = None

    def body(self) -> Document:
        """Return it as the operation takes it."""
        told: Document = {"change": self.change}
        if self.permissions is not None:
            told["permissions"] = [one.to_dict() for one in self.permissions]
        return told if self.expires is None else {**told, "expires": self.expires}


async def at_once(visit: Visit, scene: Scene, wish: Wish) -> int:
    """Carry out what only takes away, on the version that was seen; return the number of the ledger's entry.

    Raises:
        PreconditionError: Another version stands.
        ConflictError: As that.
        TransitionError: It cannot be done as it stands.
    """
    drafted = await _draft(visit, scene, wish)
    answer = await visit.does(
        granting.change_grant,
        {"grant": scene.id},
        body={"digest": drafted["digest"]},
        condition=condition_on(scene.cid),
    )
    return await entry_of(visit, scene, str(answer.tag))


async def _draft(visit: Visit, scene: Scene, wish: Wish) -> Document:
    """Draw up a change and compare it with what the person chose. Raises DraftChangedError where it is not that."""
    told = (
        await visit.does(
            granting.draft_change, {"grant": scene.id}, body=wish.body(), condition=condition_on(scene.cid)
        )
    ).told
    draft = told["draft"]
    given = tuple(map(Permission.from_dict, draft["permission"]))
    wanted = scene.given if wish.permissions is None else wish.permissions
    if (
        given != wanted
        or draft["expires"] != (wish.expires or scene.expires)
        or draft["previous"] != scene.cid
    ):
        raise DraftChangedError("what would be signed is not what was chosen")
    return told


async def entry_of(visit: Visit, scene: Scene, cid: str) -> int:
    """Return the number of the entry from which a version counts: after all that there were when it was drawn up."""
    first = int(scene.told["entries"])
    while True:
        query = {"first": str(first), "limit": str(limits.MAX_LEDGER_PAGE)}
        listed = (await visit.does(accounting.list_entries, {"grant": scene.id}, query=query)).told["entries"]
        for one in listed:
            entry = one.get("entry", {})
            if entry.get("kind") == "changed" and entry.get("grant") == cid:
                return int(one["number"])
        if not listed:
            raise NotFoundError("the ledger does not tell of this change")
        first += len(listed)


# What gives is looked at first


async def look(visit: Visit, scene: Scene, wish: Wish, *, problem: Problem | None = None) -> web.Response:
    """Show exactly what would be given, and ask."""
    try:
        drafted = await _draft(visit, scene, wish)
    except (PreconditionError, ConflictError):
        return await render(visit, await Scene.load(visit), ticks=wish.ticks, until=wish.until, problem=STALE)
    except TransitionError:
        return await render(visit, await Scene.load(visit), problem=Problem(key="not_possible", status=409))
    draft = drafted["draft"]
    given = tuple(map(Permission.from_dict, draft["permission"]))
    if not is_reviewable(given):
        return await render(visit, scene, ticks=wish.ticks, problem=Problem(key="too_much", status=422))
    part = part_in(visit.form, scene)
    before = {one.name: one for one in scene.given}
    return visit.page(
        "relationship_review.html",
        active=PLACE,
        status=problem.status if problem else 200,
        scene=scene,
        wish=wish,
        draft=draft,
        digest=drafted["digest"],
        part=part,
        shown_boxes=sorted((wish.ticks or frozenset()) & names(part_of(scene.groups, part))),
        permissions=[(one, before.get(one.name)) for one in given],
        longer=draft["expires"] > scene.expires,
        taken_with=bool(wish.ticks is not None and not choose(scene.groups, wish.ticks).kept),
        limits_of=lambda permission: limit_lines(visit, permission),
        partner_name=lambda did: partner_name(visit, did),
        exact=json.dumps(draft, ensure_ascii=False, indent=2),
        problem=problem,
    )


def only(visit: Visit, *fields: str) -> None:
    """Refuse a form with fields that the page does not have: who made it meant something else."""
    if set(visit.form) - FRAME - set(fields):
        raise MalformedError("this form has a field that the page does not have")
