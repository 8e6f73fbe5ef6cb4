"""What is done about a relationship as a whole: a pause, an end, new keys, a partner that is cut off.

Spec: specs/node/dashboard.md#changing-a-relationship
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    NotFoundError,
    PassphraseError,
    PreconditionError,
    TransitionError,
)

from ...api import owning
from ...devices import TooManyAttemptsError
from ..scene import Scene, condition_on, partners_of, readers_of
from ..visit import Visit
from .relationship import Problem, render
from .relationship_wish import STALE, Wish, at_once, look, only
from .relationships import PLACE

_TRIES: Final = 5


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
    only(visit)
    for _ in range(_TRIES):
        scene = await Scene.load(visit)
        if scene.state == state:
            return visit.go(scene.path, said="stands_already")
        if not scene.stands:
            return await render(visit, scene, problem=Problem(key="over", status=409))
        try:
            entry = await at_once(visit, scene, Wish(change=change))
        except (PreconditionError, ConflictError, DraftChangedError):
            continue  # what stops everything is right whatever changed meanwhile
        return visit.go(scene.path, since=str(entry))
    raise ConflictError("the relationship changes all the time")


async def resume(visit: Visit) -> web.Response:
    """Show what would be read again, and ask."""
    scene = await Scene.load(visit)
    only(visit)
    if scene.state == "live":
        return visit.go(scene.path, said="stands_already")
    return await look(visit, scene, Wish(change="resume"))


async def rotate(visit: Visit) -> web.Response:
    """Show what changing the keys means, and ask."""
    scene = await Scene.load(visit)
    only(visit)
    return await look(visit, scene, Wish(change="rotate"))


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
    only(visit, "partner")
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
    only(visit, "digest", "passphrase")
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
        return await render(visit, await Scene.load(visit), problem=STALE)
    return visit.go(scene.path, said="keys_accepted")
