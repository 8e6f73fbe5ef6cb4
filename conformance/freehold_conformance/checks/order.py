"""Of several things that are wrong with one read, the one that is looked at first gives the code.

Spec: specs/http.md#admission
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Topic, expect_equal, expect_problem, expect_status
from ..hands.keys import Key

topic = Topic()

PAGE: Final = "/delivery/records"
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two things that are wrong with one read, and what is answered.

    Attributes:
        state: In which the grant is; each has one of its own, which nothing else changes.
        below: Path and query below the grant.
        signing: As for ``Holder.get``; what is ``other`` in it is a fresh key.
        lent: Whether a partner reads, whose link is on ``delivery``.
    """

    state: str = "live"
    below: str = PAGE
    signing: dict[str, Any]
    lent: bool = False
    status: int
    code: str


_STALE: Final = {"created_s": -_HOUR_S}
_OTHER: Final = {"key": "other"}
PAIRS: Final[dict[str, Pair]] = {
    "a-query-of-no-form-and-stale": Pair(below=f"{PAGE}?limit=0", signing=_STALE, status=400, code="malformed"),
    "a-query-of-no-form-and-paused": Pair(
        state="pause", below=f"{PAGE}?limit=0", signing={}, status=400, code="malformed"
    ),
    "stale-and-another-s-key": Pair(signing=_STALE | _OTHER, status=401, code="signature-stale"),
    "stale-and-ended": Pair(state="end", signing=_STALE, status=401, code="signature-stale"),
    "another-s-key-and-paused": Pair(state="pause", signing=_OTHER, status=403, code="wrong-controller"),
    "another-s-key-and-no-such-permission": Pair(
        below="/other/records", signing=_OTHER, status=403, code="wrong-controller"
    ),
    "forged-and-ended": Pair(state="end", signing={"forged": True}, status=401, code="signature-invalid"),
    "beside-its-target-and-paused": Pair(
        state="pause", below="/other/records", signing={}, lent=True, status=403, code="wrong-target"
    ),
    "another-action-and-ended": Pair(state="end", signing={"action": "write"}, status=403, code="wrong-action"),
    "paused-and-no-such-permission": Pair(
        state="pause", below="/other/records", signing={}, status=403, code="grant-paused"
    ),
    "ended-and-a-field-that-is-not-shared": Pair(
        state="end", below=f"{PAGE}?fields=telephone", signing={}, status=403, code="grant-ended"
    ),
    "paused-and-a-cursor-of-nobody": Pair(
        state="pause", below=f"{PAGE}?cursor=AAAA", signing={}, status=403, code="grant-paused"
    ),
    "no-such-permission-and-used-up": Pair(
        state="used-up", below="/other/records", signing={}, status=403, code="not-shared"
    ),
    "used-up-and-a-field-that-is-not-shared": Pair(
        state="used-up", below=f"{PAGE}?fields=telephone", signing={}, status=403, code="limit-reached"
    ),
    "used-up-and-no-such-record": Pair(
        state="used-up", below=f"{PAGE}/z{'5' * 43}", signing={}, status=403, code="limit-reached"
    ),
    "used-up-and-a-cursor-of-nobody": Pair(
        state="used-up", below=f"{PAGE}?cursor=AAAA", signing={}, status=403, code="limit-reached"
    ),
    "a-field-that-is-not-shared-and-a-cursor-of-nobody": Pair(
        below=f"{PAGE}?fields=telephone&cursor=AAAA", signing={}, status=403, code="not-shared"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A vendor and its partner, and a grant in one state."""

    vendor: Holder
    partner: Holder

    @classmethod
    def of(cls, stage: Stage, state: str) -> Awaitable[Scene]:
        """Return the one that all checks here share."""

        async def make() -> Scene:
            shown, key = await stage.person(name="Ada", telephone="+44 1632 960001"), Key.fresh()
            limits = {"limits": {"reads": 2}} if state == "used-up" else {}
            wanted = [shown.permission("delivery", ["name"], recipients=[key.did], **limits)]
            vendor = await stage.relate(wanted)
            scene = cls(vendor=vendor, partner=vendor.delegate("/delivery", key=key))
            for holder in (scene.vendor, scene.partner):  # both read before anything is wrong
                await holder.read("delivery")
            if state in ("pause", "end"):
                await stage.owner.change(vendor.grant, state)
            return scene

        return stage.once(f"a grant whose order is looked at: {state}", make)


def _signing(holder: Holder, pair: Pair) -> dict[str, Any]:
    given = dict(pair.signing)
    if "created_s" in given:
        given["created_s"] += time.time()
    if given.get("key") == "other":
        given["key"] = Key.fresh()
    if given.pop("forged", False):
        given |= {"key": Key.fresh(), "keyid": holder.key.method}
    return given


@topic.check("HTTP-63", "ERR-6", cases=PAIRS)
async def what_is_looked_at_first_gives_the_code(stage: Stage, pair: Pair) -> None:
    """A read with two faults is refused for the one of the earlier step, by GET and by HEAD."""
    scene = await Scene.of(stage, pair.state)
    holder = scene.partner if pair.lent else scene.vendor
    expect_problem(await holder.get(pair.below, **_signing(holder, pair)), pair.status, pair.code)
    head = await holder.get(pair.below, method="HEAD", **_signing(holder, pair))
    expect_equal((head.status, head.headers.get("freehold-code")), (pair.status, pair.code), "of HEAD")


_AFTER: Final[dict[str, Callable[[Stage, Holder], Awaitable[object]]]] = {
    "paused": lambda stage, vendor: stage.owner.change(vendor.grant, "pause"),
    "ended": lambda stage, vendor: stage.owner.change(vendor.grant, "end"),
    "renounced": lambda _, vendor: vendor.renounce(),
}


@topic.check("HTTP-63", "HTTP-9", "ERR-6", cases=_AFTER)
async def a_replay_is_one_whatever_has_become_of_the_grant(
    stage: Stage, change: Callable[[Stage, Holder], Awaitable[object]]
) -> None:
    """What was sent before is refused as replayed, before anybody looks how grant and capability stand."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    target = vendor.path(PAGE)
    signed = vendor.signed("GET", target)
    expect_status(await stage.wire.send("GET", target, signed), 200)
    await change(stage, vendor)
    expect_problem(await stage.wire.send("GET", target, signed), 409, "replayed")
    expect_problem(await vendor.get(PAGE), 403, "grant-paused", "grant-ended", "revoked")


@topic.check("HTTP-63", "CAP-26", "GRA-6")
async def a_grant_that_stopped_is_told_before_a_link_that_expired(stage: Stage) -> None:
    """The grant's state comes before the link's end, and that before what the grant gives."""
    shown, key = await stage.person(name="Ada"), Key.fresh()
    vendor = await stage.relate([shown.permission("delivery", ["name"], recipients=[key.did])])
    until = int(time.time()) + 3
    partner = vendor.delegate("/delivery", key=key, expires_s=until)
    await partner.read("delivery")
    await _past(until)
    expect_problem(await partner.get(f"{PAGE}?fields=telephone"), 403, "capability-expired")
    await stage.owner.change(vendor.grant, "pause")
    expect_problem(await partner.get(PAGE), 403, "grant-paused")
    await stage.owner.revoke(vendor.grant, partner=key.did)
    expect_problem(await partner.get(PAGE), 403, "revoked")


async def _past(until_s: float) -> None:
    await asyncio.sleep(max(0.0, until_s - time.time()) + 1)
