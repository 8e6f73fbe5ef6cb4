"""The matrix as tables: what there is to do, in what a grant and a link can be, and which refusal comes first.

A cell's outcome follows from one rule: of all that stands against a request, what is looked at first decides.

Spec: specs/http.md#admission
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from ..check import expect_equal, expect_status
from ..hands.capability import digests
from ..hands.encoding import jcs
from ..hands.keys import Key
from .matrix_scene import NARROWER, WHOLE, Scene

PARTIES: Final = ("vendor", "partner", "further")
"""Each holds what the one before passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A refusal, and the step of the admission at which it comes; the lower decides, then ``rank`` within a step."""

    step: int
    rank: int = 0
    status: int
    code: str


CONTROLLER = Rule(step=3, status=403, code="wrong-controller")
FORGED = Rule(step=3, status=401, code="signature-invalid")
NOTHING_HERE = Rule(step=3, status=404, code="not-found")
REPLAYED = Rule(step=8, status=409, code="replayed")
TARGET = Rule(step=9, status=403, code="wrong-target")
ACTION = Rule(step=9, status=403, code="wrong-action")
REVOKED = Rule(step=9, rank=1, status=403, code="revoked")
PAUSED = Rule(step=10, status=403, code="grant-paused")
ENDED = Rule(step=10, status=403, code="grant-ended")
EXPIRED = Rule(step=10, status=403, code="grant-expired")
NOT_YET = Rule(step=10, status=403, code="grant-not-yet")
PAST = Rule(step=11, status=403, code="capability-expired")
NOT_SHARED = Rule(step=12, status=403, code="not-shared")
NO_RECIPIENT = Rule(step=12, rank=1, status=403, code="wrong-controller")
OUTSIDE = Rule(step=13, status=403, code="outside-hours")
USED_UP = Rule(step=13, status=403, code="limit-reached")
PURPOSE = Rule(step=13, status=403, code="wrong-purpose")
NOT_SHOWN = Rule(step=14, status=403, code="not-shared")
STALE_CURSOR = Rule(step=14, status=409, code="cursor-stale")

_READ: Final = frozenset(range(16))
_LISTEN: Final = frozenset(range(13))
_INSPECT: Final = frozenset((*range(10), 11))


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that a holder may do with the permission ``whole``.

    Attributes:
        path: Below the grant; ``{alias}``, ``{cursor}`` and ``{permission}`` are filled in.
        kind: ``read``, ``listen``, ``inspect`` (answers in every state), ``renew``, ``follow`` or ``renounce``.
        steps: Of the admission that it goes through.
        vendors: Whether it is the vendor's alone.
        shows: Which of the people come, where it is not all.
    """

    path: str
    method: str = "GET"
    kind: str = "read"
    steps: frozenset[int] = _READ
    vendors: bool = False
    shows: tuple[int, ...] | None = None
    fields: tuple[str, ...] = WHOLE
    conditional: bool = False
    old: bool = False


def _inspect(path: str, **more: Any) -> Action:
    return Action(path=path, kind="inspect", steps=_INSPECT, **more)


_PAGE: Final = "/{permission}/records"
ACTIONS: Final[Mapping[str, Action]] = {
    "page": Action(path=_PAGE),
    "head-of-page": Action(path=_PAGE, method="HEAD"),
    "record": Action(path=_PAGE + "/{alias}", shows=(0,)),
    "head-of-record": Action(path=_PAGE + "/{alias}", method="HEAD", shows=(0,)),
    "first-of-two-pages": Action(path=_PAGE + "?limit=1", shows=(0,)),
    "second-page": Action(path=_PAGE + "?limit=1&cursor={cursor}", shows=(1,)),
    "second-page-by-an-old-cursor": Action(path=_PAGE + "?limit=1&cursor={cursor}", shows=(1,), old=True),
    "fields": Action(path=_PAGE + "?fields=name", fields=("name",)),
    "where": Action(path=_PAGE + "?where={where}", shows=(0,)),
    "unchanged": Action(path=_PAGE, conditional=True),
    "unchanged-since-before": Action(path=_PAGE, conditional=True, old=True),
    "listen": Action(path="/{permission}/events", kind="listen", steps=_LISTEN),
    "listen-to-all": Action(path="/events", kind="listen", steps=_LISTEN, vendors=True),
    "grant": _inspect("", vendors=True),
    "status": _inspect("/{permission}"),
    "entries": _inspect("/ledger/entries"),
    "entries-of-permission": _inspect("/{permission}/ledger/entries"),
    "entry": _inspect("/{permission}/ledger/entries/0"),
    "checkpoint": _inspect("/{permission}/ledger/checkpoint"),
    "grant-by-did": Action(path="", kind="follow", steps=frozenset(), vendors=True),
    "renew": Action(path="/renew", method="POST", kind="renew", steps=frozenset({10}), vendors=True),
    "renounce": Action(path="/zcaps/revocations/", method="POST", kind="renounce", steps=frozenset()),
}


def where_ada(scene: Scene) -> str:
    """Return a condition that only the first of the people meets."""
    return quote(jcs({"name": scene.people[0]["name"]}), safe="")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a grant and its links have come to.

    Attributes:
        make: Brings it about, once all were seen to read.
        stops: What stands against everyone from then on.
        cuts: Whose links are dead, with all below: names of parties.
        rule: What is said of a dead link.
        drops: Parties that are no recipients of ``whole`` any more.
        loses: Whether ``whole`` is not given any more.
        fields: What ``whole`` shows.
        late: Whether it shows who came after the approval too.
        moved: Whether the epoch has moved, so that cursors of before are stale.
        version: Of the grant.
        like: The state of which this is a variant: a few actions are enough.
        opening: Arguments of open_scene.
        waits_s: Until it has come about.
    """

    make: Callable[[Scene], Awaitable[object]]
    stops: Rule | None = None
    cuts: tuple[str, ...] = ()
    rule: Rule = REVOKED
    drops: tuple[str, ...] = ()
    loses: bool = False
    fields: tuple[str, ...] = WHOLE
    late: bool = False
    moved: bool = True
    version: int = 1
    like: str = ""
    opening: Mapping[str, Any] = field(default_factory=dict)
    waits_s: float = 0

    @property
    def says(self) -> str:
        """What the standing version says of the grant's state."""
        stopped = {PAUSED: "paused", ENDED: "ended", EXPIRED: "expired"}
        return stopped.get(self.stops, "live") if self.stops else "live"

    def against(self, chain: tuple[str, ...], *, whole: bool = True) -> tuple[Rule, ...]:
        """Return what stands against a holder whose chain is of these parties; what is of ``whole`` alone if so."""
        cut = self.rule if set(self.cuts) & set(chain) else None
        lost = NOT_SHARED if self.loses and whole else None
        dropped = NO_RECIPIENT if set(self.drops) & set(chain) and whole else None
        return tuple(one for one in (self.stops, cut, lost, dropped) if one is not None)


def first(rules: Iterable[Rule], steps: Container[int] = range(16)) -> Rule | None:
    """Return the rule that is looked at first, of those in these steps."""
    return min(
        (one for one in rules if one.step in steps), key=lambda one: (one.step, one.rank), default=None
    )


def chain_of(party: str) -> tuple[str, ...]:
    """Return who is in the chain of a party of the scene."""
    if party in PARTIES:
        return PARTIES[: PARTIES.index(party) + 1]
    return ("vendor", party if party == "stranger" else "limited")


async def _nothing(_: Scene) -> None:
    pass


def _change(*changes: str, **members: Any) -> Callable[[Scene], Awaitable[None]]:
    """Return what carries out changes in turn: narrowing puts members into ``whole``, widening takes them out."""

    async def make(scene: Scene) -> None:
        for change in changes:
            given = {"narrow": scene.changed(whole=members), "widen": scene.permissions}
            more = {"permissions": given[change]} if change in given else {}
            await scene.stage.owner.change(scene.grant, change, **more)

    return make


def _narrow_fields(*changes: str) -> Callable[[Scene], Awaitable[None]]:
    async def make(scene: Scene) -> None:
        item = scene.permissions[0]["items"][0] | {"fields": list(NARROWER)}
        await _change(*changes, items=[item])(scene)

    return make


def _recipients(*left: str) -> Callable[[Scene], Awaitable[None]]:
    async def make(scene: Scene) -> None:
        await _change("narrow", recipients=[scene.holders[name].key.did for name in left])(scene)

    return make


def _owner_revokes(what: str, of: str) -> Callable[[Scene], Awaitable[None]]:
    """Return what has the owner cut off a link by its digest or id, a partner by its DID, or the permission."""

    async def make(scene: Scene) -> None:
        holder = scene.holders[of]
        named = {
            "digest": ("capability", digests(holder.capability)[-1]),
            "id": ("capability", holder.capability["id"]),
            "partner": ("partner", holder.key.did),
            "permission": ("permission", "whole"),
        }
        kind, value = named[what]
        told = await scene.stage.owner.revoke(scene.grant, **{kind: value})
        expect_equal(told.get("revoked"), True, "whether it was cut off")

    return make


def _renounced(of: str, by: str) -> Callable[[Scene], Awaitable[None]]:
    async def make(scene: Scene) -> None:
        answer = await scene.holders[by].renounce(scene.holders[of].capability)
        expect_status(answer, 204)

    return make


async def _vendor_revoked(scene: Scene) -> None:
    did = scene.holders["vendor"].key.did
    told = await scene.stage.owner.do("POST", "/revocations", {"vendor": did})
    expect_equal(told["ended"], [scene.grant], "the grants that were ended")


STATES: Final[Mapping[str, State]] = {
    "live": State(make=_nothing, moved=False),
    "narrowed": State(make=_narrow_fields("narrow"), fields=NARROWER, version=2),
    "widened-again": State(make=_narrow_fields("narrow", "widen"), late=True, version=3),
    "paused": State(make=_change("pause"), stops=PAUSED, version=2),
    "narrowed-while-paused": State(
        like="paused", make=_narrow_fields("pause", "narrow"), stops=PAUSED, version=3
    ),
    "resumed": State(make=_change("pause", "resume"), version=3),
    "resumed-narrower": State(
        like="narrowed", make=_narrow_fields("pause", "narrow", "resume"), fields=NARROWER, version=4
    ),
    "ended": State(make=_change("end"), stops=ENDED, version=2),
    "ended-while-paused": State(like="ended", make=_change("pause", "end"), stops=ENDED, version=3),
    # What a node issues ends with its grant, so the links are past too.
    "expired": State(
        make=_nothing,
        stops=EXPIRED,
        cuts=("vendor",),
        rule=PAST,
        opening={"grant_s": 5},
        waits_s=6,
        version=2,
    ),
    "not-begun": State(make=_nothing, stops=NOT_YET, opening={"begins_s": 3_600}, moved=False),
    "vendor-s-link-revoked": State(make=_owner_revokes("digest", "vendor"), cuts=("vendor",)),
    "partner-s-link-revoked": State(make=_owner_revokes("digest", "partner"), cuts=("partner",)),
    "last-link-revoked": State(make=_owner_revokes("digest", "further"), cuts=("further",)),
    "partner-s-link-revoked-by-id": State(
        like="partner-s-link-revoked", make=_owner_revokes("id", "partner"), cuts=("partner",)
    ),
    "last-link-revoked-by-id": State(
        like="last-link-revoked", make=_owner_revokes("id", "further"), cuts=("further",)
    ),
    "partner-cut-off": State(make=_owner_revokes("partner", "partner"), cuts=("partner", "limited")),
    "last-partner-cut-off": State(
        like="last-link-revoked", make=_owner_revokes("partner", "further"), cuts=("further",)
    ),
    "permission-revoked": State(make=_owner_revokes("permission", "vendor"), loses=True, version=2),
    "vendor-revoked": State(like="ended", make=_vendor_revoked, stops=ENDED, version=2),
    "vendor-renounced": State(make=_renounced("vendor", "vendor"), cuts=("vendor",)),
    "partner-renounced": State(make=_renounced("partner", "partner"), cuts=("partner",)),
    "last-renounced": State(
        like="last-link-revoked", make=_renounced("further", "further"), cuts=("further",)
    ),
    "vendor-took-it-back": State(
        like="partner-s-link-revoked", make=_renounced("partner", "vendor"), cuts=("partner",)
    ),
    "vendor-took-the-last-back": State(
        like="last-link-revoked", make=_renounced("further", "vendor"), cuts=("further",)
    ),
    "partner-took-it-back": State(
        like="last-link-revoked", make=_renounced("further", "partner"), cuts=("further",)
    ),
    "partner-dropped": State(make=_recipients("further"), drops=("partner", "limited"), version=2),
    "last-dropped": State(like="partner-dropped", make=_recipients("partner"), drops=("further",), version=2),
    "partner-s-link-past": State(
        make=_nothing,
        cuts=("partner",),
        rule=PAST,
        opening={"links_s": {"partner": 4}},
        waits_s=5,
        moved=False,
    ),
    "last-link-past": State(
        like="partner-s-link-past",
        make=_nothing,
        cuts=("further",),
        rule=PAST,
        opening={"links_s": {"further": 4}},
        waits_s=5,
        moved=False,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong with one request, whatever the state of the grant.

    Attributes:
        rule: What stands against it.
        signing: Returns arguments for signing, for the party of this name and the target that it means.
        twice: Whether the request is sent twice, and the second is what counts.
        to: Returns the target on the wire, if it is not the one that was signed.
    """

    rule: Rule
    signing: Callable[[Scene, str, str], dict[str, Any]] = lambda _scene, _party, _target: {}
    twice: bool = False
    to: Callable[[Scene, str], str] | None = None


def _stranger(_scene: Scene, _party: str, _target: str) -> dict[str, Any]:
    return {"key": Key.fresh()}


def _forged(scene: Scene, party: str, _target: str) -> dict[str, Any]:
    return {"key": Key.fresh(), "keyid": scene.holders[party].key.method}


def _another_holder(scene: Scene, party: str, _target: str) -> dict[str, Any]:
    other = PARTIES[(PARTIES.index(party) + 1) % len(PARTIES)]
    return {"key": scene.holders[other].key}


def _another_origin(_scene: Scene, _party: str, target: str) -> dict[str, Any]:
    return {"uri": "http://127.0.0.9:9" + target}


def _asking_more(_: Scene, target: str) -> str:
    return f"{target}{'&' if '?' in target else '?'}{'limit=7' if 'fields=' in target else 'fields=email'}"


FAULTS: Final[Mapping[str, Fault]] = {
    "by-a-stranger": Fault(rule=CONTROLLER, signing=_stranger),
    "by-another-holder": Fault(rule=CONTROLLER, signing=_another_holder),
    "forged": Fault(rule=FORGED, signing=_forged),
    "replayed": Fault(rule=REPLAYED, twice=True),
    "signed-for-another-path": Fault(rule=FORGED, to=lambda scene, _: f"/g/{scene.grant}/orders/records"),
    "signed-for-another-query": Fault(rule=FORGED, to=_asking_more),
    "signed-for-another-origin": Fault(rule=FORGED, signing=_another_origin),
    "at-a-grant-that-is-not": Fault(
        rule=NOTHING_HERE,
        to=lambda scene, target: target.replace(scene.grant, "00000000-0000-4000-8000-000000000000"),
    ),
}
