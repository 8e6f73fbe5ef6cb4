"""Caveats: their one form, that every one of every link holds, and under what they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..cast.stage import Stage
from ..check import Topic, expect_problem, expect_status
from ..hands.encoding import Document, jcs
from ..hands.keys import Key
from .capability_scene import READ, expect_takes, expect_turns_away, lend, lent
from .matrix_scene import NAMESPACE, caveat, hours_caveat

topic = Topic()

_DPV: Final = "https://w3id.org/dpv#"
_DELIVERY: Final = _DPV + "DeliveryOfGoods"
_ALL_DAYS: Final = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]


def _hours(**members: Any) -> Document:
    return caveat(
        "HoursLimit", **{"days": _ALL_DAYS, "from": "00:00", "to": "00:00", "timeZone": "UTC"} | members
    )


def _sorted(*caveats: Document) -> list[Document]:
    return sorted(caveats, key=jcs)


def _without(made: Document, member: str) -> Document:
    return {name: value for name, value in made.items() if name != NAMESPACE + member}


_COUNT: Final = caveat("CountLimit", reads=5)
_RATE: Final = caveat("RateLimit", reads=5, per="P1D")
_PURPOSE: Final = caveat("PurposeLimit", purpose=[_DELIVERY])

BAD: Final[Mapping[str, tuple[list[Any], int, str]]] = {
    "unknown-kind": ([caveat("ColourLimit", reads=5)], 422, "unsupported"),
    "kind-without-namespace": ([{"type": "CountLimit", NAMESPACE + "reads": 5}], 422, "unsupported"),
    "kind-of-another-namespace": ([{"type": "urn:example:CountLimit"}], 422, "unsupported"),
    "kind-in-small-letters": ([caveat("countlimit", reads=5)], 422, "unsupported"),
    "kind-in-an-array": ([_COUNT | {"type": [NAMESPACE + "CountLimit"]}], 400, "malformed"),
    "without-kind": ([{NAMESPACE + "reads": 5}], 400, "malformed"),
    "kind-as-@type": ([{"@type": NAMESPACE + "CountLimit", NAMESPACE + "reads": 5}], 400, "malformed"),
    "member-without-namespace": ([{"type": NAMESPACE + "CountLimit", "reads": 5}], 400, "malformed"),
    "another-member": ([_COUNT | {"id": "urn:uuid:x"}], 400, "malformed"),
    "another-member-of-ours": ([_COUNT | {NAMESPACE + "per": "P1D"}], 400, "malformed"),
    "count-without-reads": ([_without(_COUNT, "reads")], 400, "malformed"),
    "count-as-text": ([caveat("CountLimit", reads="5")], 400, "malformed"),
    "count-true": ([caveat("CountLimit", reads=True)], 400, "malformed"),
    "count-none": ([caveat("CountLimit", reads=0)], 400, "malformed"),
    "count-negative": ([caveat("CountLimit", reads=-1)], 400, "malformed"),
    "count-broken": ([caveat("CountLimit", reads=1.5)], 400, "malformed"),
    "rate-without-duration": ([_without(_RATE, "per")], 400, "malformed"),
    "rate-without-reads": ([_without(_RATE, "reads")], 400, "malformed"),
    "rate-in-hours-of-a-day": ([caveat("RateLimit", reads=5, per="PT24H")], 400, "malformed"),
    "rate-in-minutes-of-an-hour": ([caveat("RateLimit", reads=5, per="PT60M")], 400, "malformed"),
    "rate-in-weeks": ([caveat("RateLimit", reads=5, per="P1W")], 400, "malformed"),
    "rate-of-nothing": ([caveat("RateLimit", reads=5, per="P0D")], 400, "malformed"),
    "rate-in-seconds": ([caveat("RateLimit", reads=5, per="PT90S")], 400, "malformed"),
    "purpose-as-text": ([caveat("PurposeLimit", purpose=_DELIVERY)], 400, "malformed"),
    "purpose-none": ([caveat("PurposeLimit", purpose=[])], 400, "malformed"),
    "purpose-short": ([caveat("PurposeLimit", purpose=["dpv:DeliveryOfGoods"])], 400, "undefined-term"),
    "purposes-twice": ([caveat("PurposeLimit", purpose=[_DELIVERY, _DELIVERY])], 400, "malformed"),
    "purposes-out-of-order": ([caveat("PurposeLimit", purpose=[_DPV + "Marketing", _DELIVERY])], 400, "malformed"),
    "hours-without-zone": ([_without(_hours(), "timeZone")], 400, "malformed"),
    "hours-days-out-of-order": ([_hours(days=["Tu", "Mo"])], 400, "malformed"),
    "hours-days-twice": ([_hours(days=["Mo", "Mo"])], 400, "malformed"),
    "hours-no-days": ([_hours(days=[])], 400, "malformed"),
    "hours-day-unknown": ([_hours(days=["Monday"])], 400, "malformed"),
    "hours-of-sixty-minutes": ([_hours(**{"from": "09:60"})], 400, "malformed"),
    "hours-backwards": ([_hours(**{"from": "17:00", "to": "09:00"})], 400, "malformed"),
    "in-another-order": (_sorted(_COUNT, _RATE)[::-1], 400, "malformed"),
    "one-twice": ([_COUNT, _COUNT], 400, "malformed"),
    "nine": (_sorted(*(caveat("CountLimit", reads=reads) for reads in range(11, 20))), 413, "too-large"),
    "a-good-one-and-an-unknown": (_sorted(_COUNT, caveat("ColourLimit", reads=5)), 422, "unsupported"),
}  # fmt: skip


@topic.check("CAP-10", "CAP-11", "CAP-12", "CAP-13", cases=BAD)
async def a_caveat_that_is_not_understood_is_refused(stage: Stage, case: tuple[list[Any], int, str]) -> None:
    """A caveat of another kind or form is refused, in the leaf and in a link above it."""
    caveats, status, code = case
    scene = await lent(stage)
    holder = scene.link(caveats=caveats)
    await expect_turns_away(scene, holder, status, code)
    await expect_turns_away(scene, holder.delegate("/delivery", key=scene.second), status, code)


GOOD: Final[Mapping[str, list[Document]]] = {
    "purpose": [_PURPOSE],
    "purposes": [caveat("PurposeLimit", purpose=[_DELIVERY, _DPV + "Marketing"])],
    "hours": [_hours()],
    "hours-elsewhere": [_hours(timeZone="Asia/Kolkata")],
    "count": [_COUNT],
    "rate": [_RATE],
    "rate-by-the-minute": [caveat("RateLimit", reads=5, per="PT90M")],
    "two-of-a-kind": _sorted(_COUNT, caveat("CountLimit", reads=7)),
    "eight": _sorted(*(caveat("CountLimit", reads=reads) for reads in range(11, 19))),
}


@topic.check("CAP-10", "CAP-14", cases=GOOD)
async def a_caveat_that_holds_lets_pass(stage: Stage, caveats: list[Document]) -> None:
    """Caveats that hold now let a read pass, in the leaf and above it."""
    scene = await lent(stage)
    holder = scene.link(caveats=caveats)
    await expect_takes(holder)
    await expect_takes(holder.delegate("/delivery", key=scene.second))


FAILING: Final[Mapping[str, tuple[list[Document], str]]] = {
    "another-purpose": ([caveat("PurposeLimit", purpose=[_DPV + "Marketing"])], "wrong-purpose"),
    "a-purpose-above": ([caveat("PurposeLimit", purpose=[_DPV + "RequestedServiceProvision"])], "wrong-purpose"),
    "another-day": ([hours_caveat()], "outside-hours"),
    "a-zone-that-is-none": ([_hours(timeZone="Mars/Olympus_Mons")], "capability-invalid"),
    "one-of-two": (_sorted(_COUNT, caveat("PurposeLimit", purpose=[_DPV + "Marketing"])), "wrong-purpose"),
    "one-of-two-of-a-kind": (
        _sorted(_PURPOSE, caveat("PurposeLimit", purpose=[_DPV + "Marketing"])), "wrong-purpose"
    ),
}  # fmt: skip


@topic.check("CAP-14", "CAP-31", "CAP-11", cases=FAILING)
async def every_caveat_of_every_link_holds(stage: Stage, case: tuple[list[Document], str]) -> None:
    """What a link's caveats forbid is forbidden to all below it, whatever caveats those have or lack."""
    caveats, code = case
    scene = await lent(stage)
    first = scene.link(caveats=caveats)
    for holder in (
        first,
        first.delegate("/delivery", key=scene.second),
        first.delegate("/delivery", key=scene.second, caveats=[_PURPOSE]),
        first.delegate("/delivery", key=scene.second).delegate("/delivery", key=scene.partner),
        scene.link().delegate("/delivery", key=scene.second, caveats=caveats),
        scene.link()
        .delegate("/delivery", key=scene.second, caveats=caveats)
        .delegate("/delivery", key=scene.partner),
    ):
        await expect_turns_away(scene, holder, 403, code)
    await expect_takes(scene.link())


@topic.check("CAP-10")
async def every_purpose_of_the_permission_is_asked_for(stage: Stage) -> None:
    """A permission of two purposes is read only under a link that is for both."""
    shown, key = await stage.person(name="Ada"), Key.fresh()
    given = shown.permission("delivery", ["name"], recipients=[key.did])
    given["purpose"] = ["dpv:DeliveryOfGoods", "dpv:Marketing"]
    vendor = await stage.relate([given])
    one = vendor.delegate("/delivery", key=key, caveats=[_PURPOSE])
    both = vendor.delegate(
        "/delivery", key=key, caveats=[caveat("PurposeLimit", purpose=[_DELIVERY, _DPV + "Marketing"])]
    )
    expect_status(await both.get(READ), 200)
    expect_problem(await one.get(READ), 403, "wrong-purpose")


COUNTED: Final = {
    "count": caveat("CountLimit", reads=3),
    "rate": caveat("RateLimit", reads=3, per="P1D"),
}


@topic.check("CAP-15", "CAP-14", "CAP-31", cases=COUNTED)
async def reads_count_under_the_link_that_limits_them(stage: Stage, limit: Document) -> None:
    """All who read by a link or below use up its number; nobody else's, and passing it on multiplies nothing."""
    scene = await lend(stage)
    first = scene.link(caveats=[limit])
    left = first.delegate("/delivery", key=scene.second)
    right = first.delegate("/delivery", key=scene.second)
    below = right.delegate("/delivery", key=scene.partner)
    await expect_takes(left)
    await expect_takes(below, method="HEAD")
    etag = (await right.get(READ)).headers["etag"]
    for holder in (first, left, right, below, first.delegate("/delivery", key=scene.second)):
        await expect_turns_away(scene, holder, 403, "limit-reached")
        await expect_turns_away(scene, holder, 403, "limit-reached", headers={"if-none-match": etag})
        await expect_turns_away(scene, holder, 403, "limit-reached", method="HEAD")
    for holder in (scene.vendor, scene.link(), scene.link(caveats=[limit])):
        await expect_takes(holder)


@topic.check("CAP-15", "CAP-14")
async def a_looser_limit_below_loosens_nothing(stage: Stage) -> None:
    """A child's own number is counted under the child, beside its parent's and not in place of it."""
    scene = await lend(stage)
    first = scene.link(caveats=[caveat("CountLimit", reads=3)])
    loose = first.delegate("/delivery", key=scene.second, caveats=[caveat("CountLimit", reads=100)])
    tight = first.delegate("/delivery", key=scene.second, caveats=[caveat("CountLimit", reads=1)])
    await expect_takes(tight)
    await expect_turns_away(scene, tight, 403, "limit-reached")
    await expect_takes(loose)
    await expect_takes(loose)
    await expect_turns_away(scene, loose, 403, "limit-reached")
    await expect_turns_away(scene, first, 403, "limit-reached")


@topic.check("CAP-15", "REQ-10")
async def refusals_use_up_no_read(stage: Stage) -> None:
    """Only what is admitted counts: a refused read, a status and a ledger use up nothing."""
    scene = await lend(stage)
    holder = scene.link(caveats=[caveat("CountLimit", reads=2)])
    for _ in range(3):
        await expect_turns_away(scene, holder, 403, "not-shared", below=f"{READ}?fields=email")
        expect_status(await holder.get("/delivery"), 200)
        expect_status(await holder.get("/delivery/ledger/checkpoint"), 200)
    await expect_takes(holder)
    await expect_takes(holder)
    await expect_turns_away(scene, holder, 403, "limit-reached")


@topic.check("REQ-10", "CAP-15", cases={"reads": {"reads": 3}, "rate": {"rate": {"reads": 3, "per": "P1D"}}})
async def a_grant_s_limits_count_whoever_reads(stage: Stage, limits: Document) -> None:
    """The numbers of a permission are one for the vendor and all its partners together, HEAD and 304 included."""
    scene = await lend(stage, limits={name: _one_more(limit) for name, limit in limits.items()})
    etag = (await scene.vendor.get(READ)).headers["etag"]
    expect_status(await scene.link().get(READ, headers={"if-none-match": etag}), 304)
    expect_status(await scene.link().delegate("/delivery", key=scene.second).get(READ, method="HEAD"), 200)
    for holder in (scene.vendor, scene.link()):
        await expect_turns_away(scene, holder, 403, "limit-reached")
        await expect_turns_away(scene, holder, 403, "limit-reached", headers={"if-none-match": etag})
    expect_status(await scene.vendor.get("/news/records"), 200)


def _one_more(limit: Any) -> Any:
    """Return a limit with room for the one read by which the scene is tried."""
    return limit + 1 if isinstance(limit, int) else limit | {"reads": limit["reads"] + 1}
