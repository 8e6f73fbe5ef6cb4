"""What a person changes of a relationship: the boxes, its end, a pause, its partners, its keys.

What takes away is done at once, on the version that was on the screen. What gives is drawn up, shown, and done by a
second form that names the digest of what was shown.

Spec: specs/node/dashboard.md#changing-a-relationship
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from aiohttp import web
from freehold_protocol import limits
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    MalformedError,
    NotFoundError,
    PassphraseError,
    PreconditionError,
    TransitionError,
)
from freehold_protocol.permission import Permission

from ...api import owning
from ...devices import TooManyAttemptsError
from ..boxes import FIELD, PARTNER, TICK, choose, names
from ..scene import Scene, condition_on, local_day, partners_of, readers_of
from ..visit import Visit
from .relationship import TICKS_SET, Problem, limit_lines, partner_name, render
from .relationships import PLACE

_FRAME: Final = frozenset({"csrf", "here", "version"})
_PROOF: Final = frozenset({"passphrase"})
_GIVING: Final = ("widen", "resume", "rotate")
_TRIES: Final = 5
_STALE: Final = Problem(key="stale", status=412)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be given: the change, the permissions and the end where it says them, and the boxes it came from.

    ``taken`` is the entry of what was taken away on the way here, if something was.
    """

    change: str
    permissions: tuple[Permission, ...] | None = None
    expires: str | None = None
    ticks: frozenset[str] | None = None
    until: str = ""
    taken: int | None = None

    def body(self) -> Document:
        """Return it as the operation takes it."""
        told: Document = {"change": self.change}
        if self.permissions is not None:
            told["permissions"] = [one.to_dict() for one in self.permissions]
        return told if self.expires is None else {**told, "expires": self.expires}


# The boxes


async def save(visit: Visit) -> web.Response:
    """Have the boxes count: what was unticked at once, what was ticked after a look at exactly that."""
    scene = await Scene.load(visit)
    ticks = _ticks(visit, scene, _FRAME | {TICKS_SET})
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    choice = choose(scene.groups, ticks)
    if choice.kept == scene.given == choice.wanted:
        return visit.go(scene.path, said="stands_already")
    if not choice.wanted:
        return await render(visit, scene, ticks=ticks, problem=Problem(key="nothing_left", status=422))
    if visit.form.get("version") != scene.cid:
        return await render(visit, scene, ticks=ticks, problem=_STALE)
    entry = None
    try:
        if choice.kept and choice.kept != scene.given:
            entry = await _take_away(visit, scene, choice.kept)
    except (PreconditionError, ConflictError, TransitionError, DraftChangedError):
        return await render(visit, await Scene.load(visit), ticks=ticks, problem=_STALE)
    if choice.wanted == choice.kept:
        return visit.go(scene.path, since=str(entry))
    after = await Scene.load(visit) if entry is not None else scene
    return await _review(
        visit, after, Wish(change="widen", permissions=choice.wanted, ticks=ticks, taken=entry)
    )


def _ticks(visit: Visit, scene: Scene, others: frozenset[str]) -> frozenset[str]:
    """Return the ticked boxes of a form. Raises MalformedError for what the page did not have."""
    sent = {name for name in visit.form if name.startswith((FIELD, PARTNER))}
    unknown = (sent - names(scene.groups)) | (set(visit.form) - sent - others)
    if unknown or any(visit.form[name] != TICK for name in sent):
        raise MalformedError("this form has a field that the page does not have")
    return frozenset(sent)


async def _take_away(
    visit: Visit, scene: Scene, permissions: Sequence[Permission], expires: str | None = None
) -> int:
    """Narrow to exactly this, on the version that was seen; return the number of the ledger's entry."""
    wish = Wish(change="narrow", permissions=tuple(permissions), expires=expires)
    return await _at_once(visit, scene, wish)


async def _at_once(visit: Visit, scene: Scene, wish: Wish) -> int:
    drafted = await _draft(visit, scene, wish)
    answer = await visit.does(
        owning.change_grant,
        {"grant": scene.id},
        body={"digest": drafted["digest"]},
        condition=condition_on(scene.cid),
    )
    return await _entry_of(visit, scene, str(answer.tag))


async def _draft(visit: Visit, scene: Scene, wish: Wish) -> Document:
    """Draw up a change and compare it with what the person chose. Raises DraftChangedError where it is not that."""
    told = (
        await visit.does(
            owning.draft_change, {"grant": scene.id}, body=wish.body(), condition=condition_on(scene.cid)
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


async def _entry_of(visit: Visit, scene: Scene, cid: str) -> int:
    """Return the number of the entry from which a version counts: after all that there were when it was drawn up."""
    first = int(scene.told["entries"])
    while True:
        query = {"first": str(first), "limit": str(limits.MAX_LEDGER_PAGE)}
        listed = (await visit.does(owning.list_entries, {"grant": scene.id}, query=query)).told["entries"]
        for one in listed:
            entry = one.get("entry", {})
            if entry.get("kind") == "changed" and entry.get("grant") == cid:
                return int(one["number"])
        if not listed:
            raise NotFoundError("the ledger does not tell of this change")
        first += len(listed)


# What gives: a look, then the deed


async def _review(visit: Visit, scene: Scene, wish: Wish, *, problem: Problem | None = None) -> web.Response:
    """Show exactly what would be given, and ask."""
    try:
        drafted = await _draft(visit, scene, wish)
    except (PreconditionError, ConflictError):
        return await render(
            visit, await Scene.load(visit), ticks=wish.ticks, until=wish.until, problem=_STALE
        )
    except TransitionError:
        return await render(visit, await Scene.load(visit), problem=Problem(key="not_possible", status=409))
    draft = drafted["draft"]
    before = {one.name: one for one in scene.given}
    return visit.page(
        "relationship_review.html",
        active=PLACE,
        status=problem.status if problem else 200,
        scene=scene,
        wish=wish,
        draft=draft,
        digest=drafted["digest"],
        permissions=[(one, before.get(one.name)) for one in map(Permission.from_dict, draft["permission"])],
        longer=draft["expires"] > scene.expires,
        taken_with=bool(wish.ticks is not None and not choose(scene.groups, wish.ticks).kept),
        limits_of=lambda permission: limit_lines(visit, permission),
        partner_name=lambda did: partner_name(visit, did),
        exact=json.dumps(draft, ensure_ascii=False, indent=2),
        problem=problem,
    )


async def review(visit: Visit) -> web.Response:
    """Carry out exactly what was shown."""
    scene = await Scene.load(visit)
    change = visit.form.get("change", "")
    if change not in _GIVING:
        raise MalformedError("this is nothing to be confirmed")
    fields = _FRAME | _PROOF | {"change", "digest"} | ({TICKS_SET, "until"} if change == "widen" else set())
    ticks = _ticks(visit, scene, fields)
    wish = _wish(visit, scene, change, ticks)
    if _stands_already(scene, wish):
        return visit.go(scene.path, said="stands_already")
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    if visit.form.get("version") != scene.cid:
        return await render(visit, scene, ticks=wish.ticks, until=wish.until, problem=_STALE)
    try:
        answer = await visit.does(
            owning.change_grant,
            {"grant": scene.id},
            body={"digest": visit.form.text("digest", most=100)},
            condition=condition_on(scene.cid),
        )
    except TooManyAttemptsError as error:
        return await _review(visit, scene, wish, problem=Problem(key="wait", status=429, wait_s=error.wait_s))
    except PassphraseError:
        return await _review(visit, scene, wish, problem=Problem(key="passphrase", status=403))
    except DraftChangedError:
        return await _review(visit, scene, wish, problem=Problem(key="look_again", status=409))
    except (PreconditionError, ConflictError):
        return await render(
            visit, await Scene.load(visit), ticks=wish.ticks, until=wish.until, problem=_STALE
        )
    except TransitionError:
        return await render(visit, await Scene.load(visit), problem=Problem(key="not_possible", status=409))
    return visit.go(scene.path, since=str(await _entry_of(visit, scene, str(answer.tag))))


def _wish(visit: Visit, scene: Scene, change: str, ticks: frozenset[str]) -> Wish:
    """Return what a form of the review is about."""
    if change != "widen":
        return Wish(change=change)
    until = visit.form.get("until", "")
    if TICKS_SET in visit.form:
        return Wish(change=change, permissions=choose(scene.groups, ticks).wanted, ticks=ticks)
    return Wish(change=change, permissions=scene.given, expires=_end_of(until, scene), until=until)


def _stands_already(scene: Scene, wish: Wish) -> bool:
    if wish.change == "resume":
        return scene.state == "live"
    if wish.change == "rotate":
        return False
    return wish.permissions == scene.given and (wish.expires or scene.expires) == scene.expires


# Until when


async def until(visit: Visit) -> web.Response:
    """End it earlier, at once; or later, after a look."""
    scene = await Scene.load(visit)
    _only(visit, "until")
    day = visit.form.text("until", most=20)
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    if day == local_day(scene.expires):
        return visit.go(scene.path, said="stands_already")
    try:
        expires = _end_of(day, scene)
    except ValueError:
        return await _wrong_day(visit, scene, day, "until_no_day")
    if expires <= scene.now:
        return await _wrong_day(visit, scene, day, "until_past")
    if day > local_day(scene.most):
        return await _wrong_day(visit, scene, day, "until_too_late")
    if visit.form.get("version") != scene.cid:
        return await render(visit, scene, until=day, problem=_STALE)
    if expires > scene.expires:
        return await _review(
            visit, scene, Wish(change="widen", permissions=scene.given, expires=expires, until=day)
        )
    try:
        entry = await _take_away(visit, scene, scene.given, expires)
    except (PreconditionError, ConflictError, TransitionError, DraftChangedError):
        return await render(visit, await Scene.load(visit), until=day, problem=_STALE)
    return visit.go(scene.path, since=str(entry))


async def _wrong_day(visit: Visit, scene: Scene, day: str, key: str) -> web.Response:
    problem = Problem(key="until", status=422, fields={"until": key})
    return await render(visit, scene, until=day if len(day) == len("2026-11-23") else "", problem=problem)


def _end_of(day: str, scene: Scene) -> str:
    """Return the end of a day on this computer, at the latest what was asked. Raises ValueError."""
    last = datetime.combine(date.fromisoformat(day), time(23, 59, 59)).astimezone()
    return min(format_time(int(last.timestamp())), scene.most)


# In one go


async def pause(visit: Visit) -> web.Response:
    """Stop all reading for now."""
    return await _stop(visit, "pause", "paused")


async def ask_end(visit: Visit) -> web.Response:
    """Say what ending means, before it is done."""
    scene = await Scene.load(visit)
    return visit.page("relationship_end.html", active=PLACE, scene=scene)


async def end(visit: Visit) -> web.Response:
    """End the relationship."""
    return await _stop(visit, "end", "ended")


async def _stop(visit: Visit, change: str, state: str) -> web.Response:
    _only(visit)
    for _ in range(_TRIES):
        scene = await Scene.load(visit)
        if scene.state == state:
            return visit.go(scene.path, said="stands_already")
        if not scene.stands:
            return await render(visit, scene, problem=Problem(key="over", status=409))
        try:
            entry = await _at_once(visit, scene, Wish(change=change))
        except (PreconditionError, ConflictError, DraftChangedError):
            continue  # what stops everything is right whatever changed meanwhile
        return visit.go(scene.path, since=str(entry))
    raise ConflictError("the relationship changes all the time")


async def resume(visit: Visit) -> web.Response:
    """Show what would be read again, and ask."""
    scene = await Scene.load(visit)
    _only(visit)
    if scene.state == "live":
        return visit.go(scene.path, said="stands_already")
    return await _review(visit, scene, Wish(change="resume"))


async def rotate(visit: Visit) -> web.Response:
    """Show what changing the keys means, and ask."""
    scene = await Scene.load(visit)
    _only(visit)
    return await _review(visit, scene, Wish(change="rotate"))


async def ask_cut_off(visit: Visit) -> web.Response:
    """Say what cutting off a partner means, before it is done."""
    scene = await Scene.load(visit)
    if "partner" not in visit.query:
        return visit.go(scene.path)
    partners = {one.id: one for one in partners_of(scene, (await readers_of(visit, scene))["readers"])}
    partner = partners.get(visit.query["partner"])
    if partner is None:
        raise NotFoundError("no such partner")
    return visit.page("relationship_cut_off.html", active=PLACE, scene=scene, partner=partner)


async def cut_off(visit: Visit) -> web.Response:
    """Cut off a partner, and whoever has it from there."""
    scene = await Scene.load(visit)
    _only(visit, "partner")
    partner = visit.form.text("partner", most=300)
    if partner not in {one.id for one in partners_of(scene, (await readers_of(visit, scene))["readers"])}:
        raise NotFoundError("no such partner")
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    await visit.does(owning.revoke, {"grant": scene.id}, body={"partner": partner})
    return visit.go(scene.path, said="cut_off")


async def accept_keys(visit: Visit) -> web.Response:
    """Accept exactly the keys that were shown."""
    scene = await Scene.load(visit)
    _only(visit, "digest", "passphrase")
    try:
        await visit.does(
            owning.accept_keys,
            {"grant": scene.id},
            body={"digest": visit.form.text("digest", most=100)},
            condition=condition_on(visit.form.get("version", "")),
        )
    except TooManyAttemptsError as error:
        return await render(visit, scene, problem=Problem(key="keys_wait", status=429, wait_s=error.wait_s))
    except PassphraseError:
        return await render(visit, scene, problem=Problem(key="keys_passphrase", status=403))
    except (PreconditionError, DraftChangedError, TransitionError):
        return await render(visit, await Scene.load(visit), problem=_STALE)
    return visit.go(scene.path, said="keys_accepted")


def _only(visit: Visit, *fields: str) -> None:
    """Refuse a form with fields that the page does not have: who made it meant something else."""
    if set(visit.form) - _FRAME - set(fields):
        raise MalformedError("this form has a field that the page does not have")
