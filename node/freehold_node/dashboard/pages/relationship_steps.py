"""What is done about a relationship as a whole: a pause, an end, new keys, and what is cut off for good.

Spec: specs/node/dashboard.md#changing-a-relationship
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    ConflictError,
    DraftChangedError,
    NotFoundError,
    PassphraseError,
    PreconditionError,
    TransitionError,
)
from freehold_protocol.permission import Permission

from ...api.owner import granting, revoking
from ...devices import TooManyAttemptsError
from ..relationship.scene import Partner, Scene, condition_on, holder_of, partners_of, readers_of
from ..visit import Visit
from .relationship import Problem, render
from .relationship_wish import STALE, Wish, at_once, look, only
from .relationships import PLACE

_TRIES: Final = 5
_SAID: Final = {"partner": "cut_off", "access": "access_cut_off", "permission": "taken_back"}
_TARGETS: Final = _SAID.keys()
"""What can be cut off, and what is said of it then."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What is to be cut off: a partner, one passed-on access, or a permission; ``name`` is its field's."""

    name: str
    value: str
    partner: Partner | None = None
    permission: Permission | None = None
    is_last: bool = False

    def body(self) -> Document:
        """Return it as the operation takes it."""
        return {"capability" if self.name == "access" else self.name: self.value}


async def _target(visit: Visit, scene: Scene, said: Mapping[str, str]) -> _Target:
    """Return what a link or form names. Raises NotFoundError where there is no such thing."""
    partners = {one.id: one for one in partners_of(scene, (await readers_of(visit, scene))["readers"])}
    given = {one.name: one for one in scene.given}
    links = {one["digest"]: one for one in scene.told["links"]}
    if (who := said.get("partner")) in partners:
        return _Target(name="partner", value=str(who), partner=partners[str(who)])
    if (name := said.get("permission")) in given:
        is_last = len(given) == 1
        return _Target(name="permission", value=str(name), permission=given[str(name)], is_last=is_last)
    if (link := links.get(said.get("access", ""))) is not None:
        whose = holder_of(scene, link)
        return _Target(
            name="access", value=link["digest"], partner=partners.get(whose), permission=given.get(link["permission"])
        )  # fmt: skip
    raise NotFoundError("nothing by that name is shared here")


async def ask_cut_off(visit: Visit) -> web.Response:
    """Say what cutting off means, before it is done."""
    scene = await Scene.load(visit)
    if not scene.stands or not visit.query.keys() & _TARGETS:
        return visit.go(scene.path)
    target = await _target(visit, scene, visit.query)
    return visit.page("relationship_cut_off.html", active=PLACE, scene=scene, target=target)


async def cut_off(visit: Visit) -> web.Response:
    """Cut off a partner, and whoever has it from there; one access that was passed on; or one permission."""
    scene = await Scene.load(visit)
    only(visit, *_TARGETS)
    target = await _target(visit, scene, visit.form)
    if not scene.stands:
        return await render(visit, scene, problem=Problem(key="over", status=409))
    await visit.does(revoking.revoke, {"grant": scene.id}, body=target.body())
    return visit.go(scene.path, said=_SAID[target.name])


async def accept_keys(visit: Visit) -> web.Response:
    """Accept exactly the keys that were shown."""
    scene = await Scene.load(visit)
    only(visit, "digest", "passphrase")
    try:
        await visit.does(
            granting.accept_keys,
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
