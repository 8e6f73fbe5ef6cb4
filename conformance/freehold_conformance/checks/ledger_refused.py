"""Refusals in the ledger: the first of its kind in an hour at once, no second one, and nothing of strangers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from ..cast import book
from ..cast.book import Book
from ..cast.holder import Holder
from ..cast.stage import Stage, permission
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands.encoding import Document, from_xsd_time, xsd_time
from ..hands.keys import Key
from ..hands.ledger import misformed
from ..wire import Answer
from .ledger_admitted import chain_of

topic = Topic()

_PARTNER: Final = Key.fresh()
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is done to be refused, and what the entry then says.

    Attributes:
        prepare: Changes the scene before, and may return another holder.
        permission: In the entry; None: it is left out.
    """

    code: str
    status: int = 403
    below: str = "/delivery/records"
    prepare: Callable[[Stage, Holder], Awaitable[Holder | None]] | None = None
    permission: str | None = "delivery"
    limits: Document | None = None
    signing: tuple[tuple[str, Any], ...] = ()


def _changing(change: str) -> Callable[[Stage, Holder], Awaitable[None]]:
    async def prepare(stage: Stage, vendor: Holder) -> None:
        await stage.owner.change(vendor.grant, change)

    return prepare


async def _read_once(_: Stage, vendor: Holder) -> None:
    await vendor.read("delivery")


async def _rotate(stage: Stage, vendor: Holder) -> None:
    await stage.owner.change(vendor.grant, "rotate")


async def _lapse(stage: Stage, vendor: Holder) -> Holder:
    end = int(stage.now()) + 2
    partner = vendor.delegate("/delivery", key=_PARTNER, expires_s=end)
    await partner.read("delivery")
    await asyncio.sleep(end + 0.3 - stage.now())
    return partner


async def _be_early(stage: Stage, vendor: Holder) -> Holder:
    return vendor.delegate("/delivery", key=_PARTNER, created_s=stage.now() + 2000)


async def _be_cut_off(stage: Stage, vendor: Holder) -> Holder:
    partner = vendor.delegate("/delivery", key=_PARTNER)
    await stage.owner.revoke(vendor.grant, partner=_PARTNER.did)
    return partner


async def _be_another(_: Stage, vendor: Holder) -> Holder:
    return vendor.delegate("/delivery", key=Key.fresh())


async def _be_partner(_: Stage, vendor: Holder) -> Holder:
    return vendor.delegate("/delivery", key=_PARTNER)


_ALIAS: Final = "z" + "5" * 43
_REFUSALS: Final = {
    "paused": Refusal("grant-paused", prepare=_changing("pause")),
    "ended": Refusal("grant-ended", prepare=_changing("end")),
    "permission-not-given": Refusal("not-shared", below="/other/records", permission=None),
    "field-not-shown": Refusal("not-shared", below="/delivery/records?fields=email"),
    "record-not-shown": Refusal("not-found", 404, below=f"/delivery/records/{_ALIAS}"),
    "stale-cursor": Refusal("cursor-stale", 409, below="/delivery/records?cursor=abcdefgh"),
    "total-reached": Refusal("limit-reached", prepare=_read_once, limits={"reads": 1}),
    "rate-reached": Refusal("limit-reached", prepare=_read_once, limits={"rate": {"reads": 1, "per": "P1D"}}),
    "action": Refusal("wrong-action", signing=(("action", "write"),)),
    "keys-given-up": Refusal("revoked", prepare=_rotate),
    "link-past": Refusal("capability-expired", prepare=_lapse),
    "link-of-the-future": Refusal("capability-invalid", prepare=_be_early),
    "partner-cut-off": Refusal("revoked", prepare=_be_cut_off),
    "no-recipient": Refusal("wrong-controller", prepare=_be_another),
    "other-permission-s-target": Refusal(
        "wrong-target", below="/news/records", prepare=_be_partner, permission="news"
    ),
}  # fmt: skip


async def _relate(stage: Stage, **more: Any) -> Holder:
    shown = await stage.person(name="Ada", email="ada@example.com")
    news = permission("news", ["name"], about="any", where={"jobTitle": shown.tag})
    return await stage.relate(
        [shown.permission("delivery", ["name"], recipients=[_PARTNER.did], **more), news]
    )


@topic.check("LED-9", "HTTP-40", "LED-4", cases=_REFUSALS)
async def the_first_refusal_of_an_hour_has_its_entry(stage: Stage, case: Refusal) -> None:
    """A proven holder's refusal is in the ledger before it is answered, once; the next in that hour is counted."""
    holder = vendor = await _relate(stage, **({"limits": case.limits} if case.limits else {}))
    if case.prepare is not None:
        holder = await case.prepare(stage, vendor) or vendor
    hour = stage.now() // _HOUR_S
    before = await book.of_owner(stage.owner, vendor.grant)
    for _ in range(3):
        expect_problem(await holder.get(case.below, **dict(case.signing)), case.status, case.code)
    ledger = await book.of_owner(stage.owner, vendor.grant)
    new = ledger.after(before.size)
    hours = 1 + int(stage.now() // _HOUR_S - hour)  # the suite may have begun just before the full hour
    expect(1 <= len(new) <= 2 * hours - 1, f"{len(new)} entries for three refusals of one kind")
    entry = new[0]
    expect_equal(misformed(entry), "", "form of the entry")
    wanted: Document = {
        "number": before.size, "time": entry["time"], "kind": "refused", "who": holder.key.did,
        "chain": chain_of(holder.capability), "code": case.code, "count": 1, "hour": xsd_time(hour * _HOUR_S),
    }  # fmt: skip
    if case.permission:
        wanted["permission"] = case.permission
    if hours == 1:
        expect_equal(entry, wanted, "entry of the refusal")
    expect(
        0 <= from_xsd_time(entry["time"]) - from_xsd_time(entry["hour"]) < _HOUR_S,
        "the hour is not that of the time",
    )


@topic.check("LED-9", "HTTP-40")
async def refusals_of_other_kinds_have_entries_of_their_own(stage: Stage) -> None:
    """Another code, permission, holder or capability that the node issued has an entry of its own, at once."""
    vendor = await _relate(stage)
    partner = vendor.delegate("/delivery", key=_PARTNER)
    renewed = await vendor.by_did("POST", vendor.path("/renew"))
    fresh = replace(vendor, capability=object_of(expect_status(renewed, 200))["capability"])
    steps: list[tuple[str, Holder, str]] = [
        ("the first", vendor, "/delivery/records?fields=email"),
        ("another code", vendor, "/delivery/records?cursor=abcdefgh"),
        ("another permission", vendor, "/news/records?fields=email"),
        ("a partner", partner, "/delivery/records?fields=email"),
        ("another capability", fresh, "/delivery/records?fields=email"),
    ]
    for number, (what, holder, below) in enumerate(steps, 1):
        for _ in range(2):
            await holder.get(below)
        size = (await book.of_owner(stage.owner, vendor.grant)).size
        expect(size == 1 + number, f"{what}: {size - number} entries instead of one")
    found = (await book.of_owner(stage.owner, vendor.grant)).of("refused")
    expect_equal(
        [entry["who"] for entry in found], [holder.key.did for _, holder, _ in steps], "who was refused"
    )
    expect_equal([entry["count"] for entry in found], [1] * len(steps), "counts")


@topic.check("LED-9")
async def links_to_keys_of_one_s_own_do_not_lengthen_the_ledger(stage: Stage) -> None:
    """However many keys a holder delegates to that nobody approved, they count as one, and so do their links."""
    vendor = await _relate(stage)
    for _ in range(6):
        expect_problem(await vendor.delegate("/delivery").get("/delivery/records"), 403, "wrong-controller")
    one = (await book.of_owner(stage.owner, vendor.grant)).size
    partner = vendor.delegate("/delivery", key=_PARTNER)
    for _ in range(6):
        expect_problem(await partner.delegate("/delivery").get("/delivery/records"), 403, "wrong-controller")
    for _ in range(6):
        again = vendor.delegate("/delivery", key=_PARTNER)
        expect_problem(await again.get("/delivery/records?fields=email"), 403, "not-shared")
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal((one, ledger.size), (2, 3), "entries")


@topic.check("LED-9", "HTTP-40")
async def refusals_at_once_are_one_entry(stage: Stage) -> None:
    """Of many refusals of one kind at the same time one is written down."""
    vendor = await _relate(stage)
    answers = await asyncio.gather(*(vendor.get("/delivery/records?fields=email") for _ in range(20)))
    for answer in answers:
        expect_problem(answer, 403, "not-shared")
    size = (await book.of_owner(stage.owner, vendor.grant)).size
    expect(2 <= size <= 3, f"{size - 1} entries for refusals of one kind")


@topic.check("HTTP-22", "HTTP-40")
async def a_refusal_at_the_ledger_s_door_is_counted(stage: Stage) -> None:
    """A revoked capability is refused also where nothing is read, and that has an entry without a permission."""
    vendor = await _relate(stage)
    partner = vendor.delegate("/delivery", key=_PARTNER)
    expect_status(await partner.get("/delivery"), 200)
    await stage.owner.revoke(vendor.grant, partner=_PARTNER.did)
    for below in ("/delivery", "/delivery/ledger/checkpoint", "/delivery/ledger/entries"):
        expect_problem(await partner.get(below), 403, "revoked")
    found = (await book.of_owner(stage.owner, vendor.grant)).of("refused")
    expect_equal([(one["who"], one["code"]) for one in found], [(_PARTNER.did, "revoked")], "refusals")


# Strangers

Strange = Callable[[Stage, Holder], Awaitable[Answer]]


async def _forged(_: Stage, vendor: Holder) -> Answer:
    """A first link that a stranger signed."""
    stranger = Key.fresh()
    forger = replace(vendor, key=stranger).delegate(
        "", key=stranger, chain=vendor.capability["proof"]["capabilityChain"]
    )
    parent = vendor.capability["parentCapability"]
    made = {**forger.capability, "parentCapability": parent}
    return await replace(forger, capability=made).get("/delivery/records")


async def _other_key(_: Stage, vendor: Holder) -> Answer:
    return await vendor.get("/delivery/records", key=Key.fresh())


async def _bad_signature(_: Stage, vendor: Holder) -> Answer:
    return await vendor.get("/delivery/records", uri=vendor.origin + vendor.path("/news/records"))


async def _altered(_: Stage, vendor: Holder) -> Answer:
    other = {**vendor.capability, "expires": "2026-12-31T00:00:00Z"}
    return await vendor.get("/delivery/records", capability=other)


async def _stale(stage: Stage, vendor: Holder) -> Answer:
    return await vendor.get("/delivery/records", created_s=stage.now() - 9000)


async def _unsigned(stage: Stage, vendor: Holder) -> Answer:
    return await stage.wire.send("GET", vendor.path("/delivery/records"))


async def _by_did(_: Stage, vendor: Holder) -> Answer:
    return await vendor.by_did("GET", vendor.path("/delivery/records"))


async def _other_grant(stage: Stage, vendor: Holder) -> Answer:
    other = await _relate(stage)
    return await other.get("/delivery/records", uri=vendor.origin + vendor.path("/delivery/records"))


async def _other_s_capability(stage: Stage, vendor: Holder) -> Answer:
    other = await _relate(stage)
    return await replace(vendor, key=other.key, capability=other.capability).get("/delivery/records")


async def _widened(_: Stage, vendor: Holder) -> Answer:
    partner = vendor.delegate("/delivery", key=_PARTNER)
    return await partner.delegate("", key=_PARTNER).get("/delivery/records")


async def _stranger_s_ledger(_: Stage, vendor: Holder) -> Answer:
    return await vendor.by_did("GET", vendor.path("/ledger/entries"), key=Key.fresh())


async def _stranger_revokes(_: Stage, vendor: Holder) -> Answer:
    return await vendor.renounce(key=Key.fresh())


async def _malformed_query(_: Stage, vendor: Holder) -> Answer:
    return await vendor.get("/delivery/records?nosuch=key")


async def _replayed(stage: Stage, vendor: Holder) -> Answer:
    target = vendor.path("/ledger/checkpoint")
    signed = vendor.signed("GET", target)
    expect_status(await stage.wire.send("GET", target, signed), 200)
    return await stage.wire.send("GET", target, signed)


_STRANGE: Final[dict[str, Strange]] = {
    "forged-link": _forged, "other-key": _other_key, "bad-signature": _bad_signature, "altered-capability": _altered,
    "stale-signature": _stale, "unsigned": _unsigned, "by-did": _by_did, "other-grant": _other_grant,
    "other-s-capability": _other_s_capability, "widened-link": _widened, "ledger": _stranger_s_ledger,
    "revocation": _stranger_revokes, "malformed-query": _malformed_query, "replayed": _replayed,
}  # fmt: skip


@topic.check("LED-21", "LED-9", "HTTP-12", cases=_STRANGE)
async def what_comes_from_strangers_leaves_nothing(stage: Stage, strange: Strange) -> None:
    """What is refused before its sender is known to hold a capability of the grant leaves no entry."""
    vendor = await _relate(stage)
    for _ in range(2):
        answer = await strange(stage, vendor)
        expect(answer.status >= 400, f"status {answer.status}")
        expect_problem(answer, answer.status)
    ledger: Book = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(ledger.size, 1, "entries after a stranger came")
    await vendor.read("delivery")
    expect_equal((await book.of_owner(stage.owner, vendor.grant)).size, 2, "entries after an honest read")
