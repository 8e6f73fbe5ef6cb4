"""What a person changes of what may be read: the boxes, and until when.

What takes away is done at once, on the version that was on the screen. What gives is drawn up, shown, and done by a
second form that names the digest of what was shown.

Spec: specs/node/dashboard.md#changing-a-relationship
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import format_time
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    MalformedError,
    PassphraseError,
    PreconditionError,
    TransitionError,
)
from freehold_protocol.permission import Permission

from ...api.owner import granting
from ...devices import TooManyAttemptsError
from ..forms import TICK
from ..relationship.boxes import FIELD, PARTNER, choose, names, part_of
from ..relationship.limits import LIMITS_SET, bounds_of, names_of
from ..relationship.scene import Scene, condition_on, local_day
from ..visit import Visit
from .relationship import PART, TICKS_SET, Problem, part_in, render, ticks_of
from .relationship_limits import wish_of
from .relationship_wish import FRAME, STALE, Wish, at_once, entry_of, look, only

_PROOF: Final = frozenset({"passphrase"})
_DAY: Final = re.compile("2[0-9]{3}-[0-9]{2}-[0-9]{2}")
_GIVING: Final = ("widen", "resume", "rotate")


# The boxes


async def save(visit: Visit) -> web.Response:
    """Have the boxes count: what was unticked at once, what was ticked after a look at exactly that."""
    scene = await Scene.load(visit)
    ticks = _ticks(visit, scene, FRAME | {TICKS_SET, PART})
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    choice = choose(scene.groups, ticks)
    if choice.kept == scene.given == choice.wanted:
        return visit.go(scene.path, said="stands_already")
    if not choice.wanted:
        return await render(visit, scene, ticks=ticks, problem=Problem(key="nothing_left", status=422))
    if visit.form.get("version") != scene.cid:
        return await render(visit, scene, ticks=ticks, problem=STALE)
    entry = None
    try:
        if choice.kept and choice.kept != scene.given:
            entry = await _take_away(visit, scene, choice.kept)
    except (PreconditionError, ConflictError, TransitionError, DraftChangedError):
        return await render(visit, await Scene.load(visit), ticks=ticks, problem=STALE)
    if choice.wanted == choice.kept:
        return visit.go(scene.path, since=str(entry))
    after = await Scene.load(visit) if entry is not None else scene
    return await look(visit, after, Wish(change="widen", permissions=choice.wanted, ticks=ticks, taken=entry))


def _ticks(visit: Visit, scene: Scene, others: frozenset[str]) -> frozenset[str]:
    """Return the ticked boxes that a form means. Raises MalformedError for what the page did not have."""
    sent = {name for name in visit.form if name.startswith((FIELD, PARTNER))}
    part = part_in(visit.form, scene)
    unknown = (sent - names(part_of(scene.groups, part))) | (set(visit.form) - sent - others)
    if unknown or any(visit.form[name] != TICK for name in sent):
        raise MalformedError("this form has a field that the page does not have")
    return ticks_of(scene, visit.form, part)


async def _take_away(
    visit: Visit, scene: Scene, permissions: Sequence[Permission], expires: str | None = None
) -> int:
    """Narrow to exactly this, on the version that was seen; return the number of the ledger's entry."""
    wish = Wish(change="narrow", permissions=tuple(permissions), expires=expires)
    return await at_once(visit, scene, wish)


# What gives: a look came before


async def review(visit: Visit) -> web.Response:
    """Carry out exactly what was shown."""
    scene = await Scene.load(visit)
    change = visit.form.get("change", "")
    if change not in _GIVING:
        raise MalformedError("this is nothing to be confirmed")
    fields = (
        FRAME | _PROOF | {"change", "digest"} | ({TICKS_SET, PART, "until"} if change == "widen" else set())
    )
    if change == "widen" and LIMITS_SET in visit.form:
        fields |= names_of(bounds_of(scene.asked, scene.given))
    ticks = _ticks(visit, scene, fields)
    wish = _wish(visit, scene, change, ticks)
    if _stands_already(scene, wish):
        return visit.go(scene.path, said="stands_already")
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    if visit.form.get("version") != scene.cid:
        return await render(visit, scene, ticks=wish.ticks, until=wish.until, problem=STALE)
    try:
        answer = await visit.does(
            granting.change_grant,
            {"grant": scene.id},
            body={"digest": visit.form.text("digest", most=100)},
            condition=condition_on(scene.cid),
        )
    except TooManyAttemptsError as error:
        return await look(visit, scene, wish, problem=Problem(key="wait", status=429, wait_s=error.wait_s))
    except PassphraseError:
        return await look(visit, scene, wish, problem=Problem(key="passphrase", status=403))
    except DraftChangedError:
        return await look(visit, scene, wish, problem=Problem(key="look_again", status=409))
    except (PreconditionError, ConflictError):
        return await render(visit, await Scene.load(visit), ticks=wish.ticks, until=wish.until, problem=STALE)
    except TransitionError:
        return await render(visit, await Scene.load(visit), problem=Problem(key="not_possible", status=409))
    return visit.go(scene.path, since=str(await entry_of(visit, scene, str(answer.tag))))


def _wish(visit: Visit, scene: Scene, change: str, ticks: frozenset[str]) -> Wish:
    """Return what a form of the review is about."""
    if change != "widen":
        return Wish(change=change)
    if LIMITS_SET in visit.form:
        return wish_of(visit, scene)
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
    only(visit, "until")
    day = visit.form.text("until", most=20)
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    if day == local_day(scene.expires):
        return visit.go(scene.path, said="stands_already")
    try:
        expires = _end_of(day, scene)
    except MalformedError:
        return await _wrong_day(visit, scene, "", "until_no_day")
    if expires <= scene.now:
        return await _wrong_day(visit, scene, day, "until_past")
    if day > local_day(scene.most):
        return await _wrong_day(visit, scene, day, "until_too_late")
    if visit.form.get("version") != scene.cid:
        return await render(visit, scene, until=day, problem=STALE)
    if expires > scene.expires:
        return await look(
            visit, scene, Wish(change="widen", permissions=scene.given, expires=expires, until=day)
        )
    try:
        entry = await _take_away(visit, scene, scene.given, expires)
    except (PreconditionError, ConflictError, TransitionError, DraftChangedError):
        return await render(visit, await Scene.load(visit), until=day, problem=STALE)
    return visit.go(scene.path, since=str(entry))


async def _wrong_day(visit: Visit, scene: Scene, day: str, key: str) -> web.Response:
    problem = Problem(key="until", status=422, fields={"until": key})
    return await render(visit, scene, until=day, problem=problem)


def _end_of(day: str, scene: Scene) -> str:
    """Return the end of a day on this computer, at the latest what was asked. Raises MalformedError."""
    if not _DAY.fullmatch(day):
        raise MalformedError("a day has the form 2026-12-24")
    try:
        last = datetime.combine(date.fromisoformat(day), time(23, 59, 59)).astimezone()
    except (ValueError, OverflowError):
        raise MalformedError("there is no such day") from None
    return min(format_time(int(last.timestamp())), scene.most)
