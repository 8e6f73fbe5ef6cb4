"""What was given is taken back: by the person, in part and as a whole, and by whoever controls a capability."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from ..cast.holder import Holder
from ..cast.life import GIVEN, LESS
from ..cast.stage import Shown, Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import capability as capabilities
from ..hands import message, receipt
from ..hands.edit import edited
from ..hands.encoding import Document, Json, jcs
from ..hands.keys import Key, public_of
from ..wire import Answer

topic = Topic()

_UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cast:
    """A vendor, a partner of its, a partner of that partner, and another partner of the vendor's."""

    stage: Stage
    shown: Shown
    vendor: Holder
    partner: Holder
    below: Holder
    other: Holder

    @classmethod
    async def begin(cls, stage: Stage) -> _Cast:
        keys = [Key.fresh() for _ in range(3)]
        shown = await stage.person(name="Ada", email="ada@example.com")
        partners: Json = [key.did for key in keys]
        asked = [
            shown.permission("delivery", GIVEN, recipients=partners),
            shown.permission("news", LESS, purpose="dpv:DirectMarketing"),
        ]
        vendor = await stage.relate(asked)
        partner = vendor.delegate("/delivery", key=keys[0])
        return cls(
            stage=stage,
            shown=shown,
            vendor=vendor,
            partner=partner,
            below=partner.delegate("/delivery", key=keys[1]),
            other=vendor.delegate("/delivery", key=keys[2]),
        )

    async def all_read(self, *holders: Holder) -> None:
        for holder in holders or (self.vendor, self.partner, self.below, self.other):
            await holder.read("delivery")

    async def none_reads(self, *holders: Holder, code: str = "revoked") -> None:
        for holder in holders:
            for below in ("/delivery/records", "/delivery", "/delivery/ledger/entries", "/delivery/events"):
                expect_problem(await holder.get(below), 403, code)

    async def grant(self) -> Document:
        return await self.stage.owner.grant(self.vendor.grant)

    async def changes(self) -> list[Document]:
        listed = await self.stage.owner.ledger(self.vendor.grant)
        return [one["entry"] for one in listed if one["entry"]["kind"] == "changed"]


def _digest(holder: Holder) -> str:
    """Return what names a holder's capability for revoking."""
    link = holder.capability
    return capabilities.digest(link, public_of(link["proof"]["verificationMethod"]))


# By the person


@topic.check("GRA-15", "GRA-23", "GRA-13", "HTTP-38")
async def a_partner_is_cut_off_by_its_did(stage: Stage) -> None:
    """A partner that is cut off reads nothing, nor does anybody below it; all others do; and the version stays."""
    cast = await _Cast.begin(stage)
    await cast.all_read()
    before = await cast.grant()
    done = await stage.owner.revoke(cast.vendor.grant, partner=cast.partner.key.did)
    expect_equal(done, {"revoked": True}, "what is said of it")
    await cast.none_reads(cast.partner, cast.below)
    await cast.none_reads(cast.vendor.delegate("/delivery", key=cast.partner.key))
    await cast.all_read(cast.vendor, cast.other)
    after = await cast.grant()
    expect_equal((after["version"], after["state"]), (before["version"], "live"), "version and state")
    expect(after["epoch"] > before["epoch"], "the epoch stayed")
    last = (await cast.changes())[-1]
    expect_equal((last["change"], last.get("revoked")), ("revoke", cast.partner.key.did), "the entry")
    again = await stage.owner.revoke(cast.vendor.grant, partner=cast.partner.key.did)
    expect_equal(again, {"revoked": False}, "what is said the second time")
    expect_equal(len(await cast.changes()), 2, "changes in the ledger")


@topic.check("GRA-15", "GRA-23")
async def a_partner_below_is_cut_off_alone(stage: Stage) -> None:
    """Who is further down is cut off without the one above it, and a partner before it was ever seen."""
    cast = await _Cast.begin(stage)
    for holder in (cast.below, cast.other):
        await stage.owner.revoke(cast.vendor.grant, partner=holder.key.did)
    await cast.none_reads(cast.below, cast.other)
    await cast.all_read(cast.vendor, cast.partner)


@topic.check("GRA-15", "HTTP-38")
async def a_partner_is_cut_off_within_one_grant(stage: Stage) -> None:
    """Who is cut off under one grant reads on under another."""
    partner = Key.fresh()
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", LESS, recipients=[partner.did])]
    one, other = [(await stage.relate(wanted)).delegate("/delivery", key=partner) for _ in range(2)]
    await stage.owner.revoke(one.grant, partner=partner.did)
    expect_problem(await one.get("/delivery/records"), 403, "revoked")
    await other.read("delivery")


@topic.check("GRA-23", "CAP-27", "CAP-29", cases={"by-its-digest": True, "by-its-id": False})
async def a_capability_is_taken_back_by_the_person(stage: Stage, by_digest: bool) -> None:
    """The person revokes one capability, by what names it or, unseen, by its id, with all that hangs on it."""
    cast = await _Cast.begin(stage)
    if by_digest:
        await cast.all_read()
    named = _digest(cast.partner) if by_digest else cast.partner.capability["id"]
    before = await cast.grant()
    done = await stage.owner.revoke(cast.vendor.grant, capability=named)
    expect_equal(done, {"revoked": True}, "what is said of it")
    await cast.none_reads(cast.partner, cast.below)
    await cast.all_read(cast.vendor, cast.other)
    await cast.all_read(cast.vendor.delegate("/delivery", key=cast.partner.key))
    after = await cast.grant()
    expect(after["epoch"] > before["epoch"], "the epoch stayed")
    last = (await cast.changes())[-1]
    expect_equal((last["change"], last.get("revoked")), ("revoke", named), "the entry")
    again = await stage.owner.revoke(cast.vendor.grant, capability=named)
    expect_equal(again, {"revoked": False}, "what is said the second time")


@topic.check("GRA-23", "HTTP-24")
async def a_revoked_vendor_capability_is_renewed(stage: Stage) -> None:
    """To take back the vendor's capability takes along what hangs on it; the vendor renews, as the grant stands."""
    cast = await _Cast.begin(stage)
    await stage.owner.revoke(cast.vendor.grant, capability=_digest(cast.vendor))
    await cast.none_reads(cast.vendor, cast.partner, cast.below, cast.other)
    fresh = object_of(expect_status(await cast.vendor.renew(), 200))["capability"]
    await cast.none_reads(cast.vendor)
    expect_status(await cast.vendor.get("/delivery/records", capability=fresh), 200)


@topic.check("GRA-23", "GRA-6")
async def a_permission_is_taken_back(stage: Stage) -> None:
    """One permission less is a narrowing that the serving key may sign; the last one is the end."""
    cast = await _Cast.begin(stage)
    await cast.all_read()
    done = await stage.owner.revoke(cast.vendor.grant, permission="delivery")
    expect_equal(done, {"revoked": True, "state": "live"}, "what is said of it")
    for holder in (cast.vendor, cast.partner):
        expect_problem(await holder.get("/delivery/records"), 403, "not-shared")
    await cast.vendor.read("news")
    wrong = await stage.owner.send(
        "POST", f"/grants/{cast.vendor.grant}/revocations", {"permission": "delivery"}
    )
    expect_problem(wrong, 403, "not-shared")
    done = await stage.owner.revoke(cast.vendor.grant, permission="news")
    expect_equal(done, {"revoked": True, "state": "ended"}, "what is said of the last one")
    expect_problem(await cast.vendor.get("/news/records"), 403, "grant-ended")
    told = (await cast.vendor.told())["receipt"]
    receipt.signers(told)
    shown = [(one["state"], [each["name"] for each in one["permission"]]) for one in told["versions"]]
    expect_equal(shown[:2], [("live", ["delivery", "news"]), ("live", ["news"])], "states and permissions")
    expect_equal([one[0] for one in shown], ["live", "live", "ended"], "states")
    expect_equal([one["change"] for one in await cast.changes()], ["approve", "narrow", "end"], "changes")
    after = await stage.owner.send("POST", f"/grants/{cast.vendor.grant}/revocations", {"permission": "news"})
    expect_problem(after, 409, "not-in-this-state")


@topic.check("GRA-23", "GRA-24")
async def everything_of_a_vendor_is_taken_back(stage: Stage) -> None:
    """To take back everything of a vendor ends its grants and refuses what it waits for; of nobody else."""
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", LESS)]
    key = Key.fresh()
    live, paused, over = [await stage.relate(wanted, key=key) for _ in range(3)]
    other = await stage.relate(wanted)
    await stage.owner.change(paused.grant, "pause")
    await stage.owner.change(over.grant, "end")
    waiting, others = await stage.ask(key, wanted), await stage.ask(Key.fresh(), wanted)
    draft = await stage.owner.draft(waiting.id, wanted)
    done = await stage.owner.do("POST", "/revocations", {"vendor": key.did})
    expect_equal(set(done["ended"]), {live.grant, paused.grant}, "the grants that ended")
    for vendor in (live, paused, over):
        expect_problem(await vendor.get("/delivery/records"), 403, "grant-ended")
        told = (await vendor.told())["receipt"]
        receipt.signers(told)
        expect_equal(told["versions"][-1]["state"], "ended", "state of the last version")
    expect_equal(object_of(await waiting.follow()), {"status": "refused"}, "what the vendor is told")
    sent = {"digest": draft["digest"], "passphrase": stage.owner.passphrase}
    late = await stage.owner.send("POST", f"/requests/{waiting.id}/approve", sent)
    expect_problem(late, 409, "not-in-this-state")
    await other.read("delivery")
    expect_equal(object_of(await others.follow()), {"status": "waiting"}, "what the other vendor is told")
    await stage.owner.refuse(others.id)
    nobody = await stage.owner.send("POST", "/revocations", {"vendor": Key.fresh().did})
    expect_problem(nobody, 404, "not-found")


@topic.check("GRA-23", "GRA-24", "HTTP-15", alone=True)
async def everything_is_taken_back(stage: Stage) -> None:
    """To take back everything ends every grant, refuses every request that waits and closes every invitation."""
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", LESS)]
    vendors = [await stage.relate(wanted) for _ in range(2)]
    await stage.owner.change(vendors[1].grant, "pause")
    key = Key.fresh()
    waiting, invitation = await stage.ask(key, wanted), await stage.owner.invite()
    listening = asyncio.ensure_future(waiting.follow(headers={"prefer": "wait=20"}))
    await asyncio.sleep(0.2)
    alive = {
        one["id"]
        for one in (await stage.owner.do("GET", "/grants"))["grants"]
        if one["state"] in ("live", "paused")
    }
    stage.forget()
    done = await stage.owner.do("POST", "/revocations", {"everything": True})
    expect_equal(set(done["ended"]), alive, "the grants that ended")
    for vendor in vendors:
        expect_problem(await vendor.get("/delivery/records"), 403, "grant-ended")
        receipt.signers((await vendor.told())["receipt"])
    status = await stage.owner.do("GET", "/status")
    expect_equal((status["grants"]["live"], status["grants"]["paused"]), (0, 0), "grants that go on")
    expect_equal(status["requests"]["waiting"], 0, "requests that wait")
    async with asyncio.timeout(15):
        expect_equal(object_of(await listening), {"status": "refused"}, "what the vendor is told")
    answer = await stage.post_request(invitation, stage.request(key, wanted))
    expect_problem(answer, 404, "not-found")
    expect_equal(
        (await stage.owner.do("POST", "/revocations", {"everything": True})), {"ended": []}, "once more"
    )
    await (await stage.relate(wanted)).read("delivery")


_NO_REVOCATIONS: Final = {
    "nothing": {},
    "two-things": {"permission": "news", "capability": _UNKNOWN},
    "unknown": {"everything": True},
    "no-did": {"partner": "did"},
    "no-capability": {"capability": "x"},
    "another-case": {"capability": "URN:UUID:" + _UNKNOWN},
    "null": {"partner": None},
    "array": {"partner": []},
}


@topic.check("GRA-23", cases=_NO_REVOCATIONS)
async def a_revocation_of_another_form_is_malformed(stage: Stage, body: Document) -> None:
    """What is to be taken back is said by exactly one of its names; anything else changes nothing."""
    vendor = await stage.once("a grant that nobody revokes", lambda: _relate(stage))
    answer = await stage.owner.send("POST", f"/grants/{vendor.grant}/revocations", body)
    expect_problem(answer, 400, "malformed")
    expect_equal((await stage.owner.grant(vendor.grant))["revoked"], [], "what is revoked")
    await vendor.read("delivery")


@topic.check(
    "GRA-24",
    cases={"nothing": {}, "not-everything": {"everything": False}, "one": {"everything": 1},
        "both": {"everything": True, "vendor": "did:key:z6Mk"}, "no-did": {"vendor": "x"}},
    alone=True,
)  # fmt: skip
async def an_unclear_revocation_of_everything_is_malformed(stage: Stage, body: Document) -> None:
    """Everything is taken back by that very word only."""
    vendor = await stage.once("a grant that nobody revokes", lambda: _relate(stage))
    expect_problem(await stage.owner.send("POST", "/revocations", body), 400, "malformed")
    await vendor.read("delivery")


async def _relate(stage: Stage) -> Holder:
    shown = await stage.person(name="Ada")
    return await stage.relate([shown.permission("delivery", LESS)])


@topic.check("GRA-15", "GRA-23")
async def the_vendor_is_no_partner(stage: Stage) -> None:
    """The vendor itself is not cut off as a partner, so that nobody takes that for the end; unknown grants are none."""
    vendor = await _relate(stage)
    body = {"partner": vendor.key.did}
    expect_problem(
        await stage.owner.send("POST", f"/grants/{vendor.grant}/revocations", body), 400, "malformed"
    )
    await vendor.read("delivery")
    for unknown in ({"partner": Key.fresh().did}, {"permission": "delivery"}, {"capability": "A" * 43}):
        answer = await stage.owner.send("POST", f"/grants/{_UNKNOWN}/revocations", unknown)
        expect_problem(answer, 404, "not-found")


# By controllers


def _revoker(cast: _Cast, who: str) -> Holder:
    return {"vendor": cast.vendor, "partner": cast.partner, "below": cast.below}[who]


_WHO: Final = {f"{link}-by-{who}": (link, who) for link, whos in {
    "below": ("vendor", "partner", "below"), "partner": ("vendor", "partner"), "vendor": ("vendor",),
}.items() for who in whos}  # fmt: skip


@topic.check("HTTP-26", "HTTP-27", "CAP-29", cases=_WHO)
async def a_controller_of_the_chain_revokes(stage: Stage, case: tuple[str, str]) -> None:
    """Any controller of a chain revokes its last link, with all below it, and nothing above it."""
    cast = await _Cast.begin(stage)
    link, who = _revoker(cast, case[0]), _revoker(cast, case[1])
    await cast.all_read()
    before = await cast.grant()
    answer = await who.renounce(link.capability)
    expect_status(answer, 204)
    expect_equal(answer.body, b"", "body of the answer")
    above = {"below": [], "partner": [cast.below], "vendor": [cast.partner, cast.below, cast.other]}[case[0]]
    await cast.none_reads(link, *above)
    rest = [one for one in (cast.vendor, cast.partner, cast.below, cast.other) if one not in (link, *above)]
    if rest:
        await cast.all_read(*rest)
    last = (await cast.changes())[-1]
    expect_equal((last["change"], last.get("revoked")), ("revoke", _digest(link)), "the entry")
    after = await cast.grant()
    expect(after["epoch"] > before["epoch"], "the epoch stayed")
    for _ in range(2):
        expect_status(await who.renounce(link.capability), 204)
    expect_equal(len(await cast.changes()), 2, "changes in the ledger")


@topic.check("HTTP-26", "HTTP-27", cases={one: one for one in ("below", "partner", "vendor")})
async def who_is_not_in_the_chain_revokes_nothing(stage: Stage, which: str) -> None:
    """Whoever controls no link of a chain finds nothing there: a stranger, another partner, one further down."""
    cast = await _Cast.begin(stage)
    link = _revoker(cast, which).capability
    outside = [
        cast.other,
        Holder(
            wire=stage.wire, key=Key.fresh(), capability=link, origin=stage.origin, grant=cast.vendor.grant
        ),
    ]
    outside += {"below": [], "partner": [cast.below], "vendor": [cast.partner, cast.below]}[which]
    entries = await cast.changes()
    for who in outside:
        answer = await who.renounce(link)
        expect_problem(answer, 404, "not-found")
        nowhere = f"/g/{_UNKNOWN}/zcaps/revocations/{capabilities.encoded(link['id'])}"
        unknown = await who.by_did("POST", nowhere, body=jcs(link))
        expect_equal(unknown.body, answer.body, "what is said where there is no such grant")
    await cast.all_read()
    expect_equal(await cast.changes(), entries, "changes in the ledger")


@topic.check("HTTP-26", "CAP-18")
async def a_chain_that_does_not_hold_is_not_revoked(stage: Stage) -> None:
    """What the node did not issue, or somebody else signed, is no chain of this grant: nothing is there."""
    cast = await _Cast.begin(stage)
    stranger = Key.fresh()
    own = capabilities.delegate(
        stranger, cast.vendor.capability, stranger.did, created_s=stage.now(), expires_s=stage.now() + 60
    )
    forged = {**cast.vendor.capability, "controller": stranger.did}
    elsewhere = await _Cast.begin(stage)
    holder = Holder(
        wire=stage.wire, key=stranger, capability=own, origin=stage.origin, grant=cast.vendor.grant
    )
    for link in (own, forged, cast.partner.capability, elsewhere.partner.capability):
        expect_problem(await holder.renounce(link), 404, "not-found")
    expect_problem(await _renounces_elsewhere(cast, elsewhere), 404, "not-found")
    await cast.all_read()
    await elsewhere.all_read()


async def _renounces_elsewhere(cast: _Cast, elsewhere: _Cast) -> Answer:
    """Have the vendor of one grant revoke its own link under another's grant."""
    link = elsewhere.vendor.capability
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(link['id'])}")
    return await elsewhere.vendor.by_did("POST", target, body=jcs(link))


@topic.check("HTTP-27", "GRA-25", "CAP-27")
async def a_revocation_goes_by_what_was_signed(stage: Stage) -> None:
    """Who gives a link another's id and revokes it revokes its own alone: an id is anybody's choice."""
    cast = await _Cast.begin(stage)
    await cast.all_read()
    twin = cast.vendor.delegate("/delivery", key=cast.other.key, id=cast.partner.capability["id"])
    await cast.all_read(twin)
    expect_status(await cast.other.renounce(twin.capability), 204)
    await cast.none_reads(twin)
    await cast.all_read(cast.partner, cast.below, cast.other)


@topic.check("HTTP-26", cases={
    "another-id": "urn:uuid:00000000-0000-4000-8000-000000000000",
    "another-case": "",
})  # fmt: skip
async def the_path_names_the_capability_in_the_body(stage: Stage, named: str) -> None:
    """A revocation whose path names another capability than its body is malformed, and changes nothing."""
    cast = await _Cast.begin(stage)
    link = cast.partner.capability
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(named or link['id'].upper())}")
    expect_problem(await cast.vendor.by_did("POST", target, body=jcs(link)), 400, "malformed")
    await cast.all_read()
    expect_status(await cast.vendor.renounce(link), 204)


@topic.check("HTTP-26")
async def an_altered_link_is_not_revoked(stage: Stage) -> None:
    """A body that was altered after it was signed names no capability of this grant; without one it is malformed."""
    cast = await _Cast.begin(stage)
    link = cast.partner.capability
    for place, value in (
        ("expires", "2026-01-01T00:00:00Z"),
        ("controller", cast.other.key.did),
        ("allowedAction", ["write"]),
    ):
        answer = await cast.vendor.renounce(edited(link, place, value))
        expect(answer.status in (400, 404), f"status {answer.status} with another {place}")
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(link['id'])}")
    expect_problem(await cast.vendor.by_did("POST", target), 400, "malformed")
    expect_problem(await cast.vendor.by_did("POST", target, body=b"{}"), 400, "malformed")
    await cast.all_read()


@topic.check("HTTP-26", "INV-11", "CAP-28", cases={"rfc-9421": False, "ezcap": True})
async def a_zcap_client_revokes_in_its_own_form(stage: Stage, ezcap: bool) -> None:
    """A client that invokes the root of the revocation's URL, for write, revokes as one that uses its DID."""
    cast = await _Cast.begin(stage)
    link = cast.partner.capability
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(link['id'])}")
    body = jcs(link)
    sign = message.invoke_ezcap if ezcap else message.invoke

    async def revoke(root: str, action: str = "write", key: Key = cast.partner.key) -> Answer:
        signed = sign(
            key, root, "POST", stage.origin + target, created_s=stage.now(), action=action, body=body
        )
        return await stage.wire.send("POST", target, signed, body)

    root = capabilities.root_id(stage.origin + target)
    of_grant = capabilities.root_id(f"{stage.origin}/g/{cast.vendor.grant}")
    expect_problem(await revoke(of_grant), 403, "wrong-target")
    expect_problem(await revoke(root, "read"), 403, "wrong-action")
    expect_problem(await revoke(root, key=Key.fresh()), 404, "not-found")
    await cast.all_read()
    expect_status(await revoke(root), 204)
    await cast.none_reads(cast.partner, cast.below)


@topic.check("HTTP-27", "HTTP-22", cases={name: name for name in ("paused", "ended")})
async def a_stopped_grant_takes_revocations(stage: Stage, state: str) -> None:
    """A capability can be renounced in every state of the grant, and is dead when the grant goes on."""
    cast = await _Cast.begin(stage)
    await stage.owner.change(cast.vendor.grant, {"paused": "pause", "ended": "end"}[state])
    expect_status(await cast.partner.renounce(), 204)
    await cast.none_reads(cast.partner)
    if state == "paused":
        await stage.owner.change(cast.vendor.grant, "resume")
        await cast.none_reads(cast.partner, cast.below)
        await cast.all_read(cast.vendor, cast.other)


@topic.check("HTTP-27")
async def a_chain_that_is_dead_changes_nothing(stage: Stage) -> None:
    """To revoke below what is revoked already, or what has expired, is 204 and leaves no entry."""
    cast = await _Cast.begin(stage)
    short = cast.vendor.delegate("/delivery", key=cast.other.key, expires_s=stage.now() + 2)
    await cast.partner.renounce()
    before = await cast.changes()
    expect_status(await cast.below.renounce(), 204)
    await asyncio.sleep(2.2)
    expect_status(await cast.vendor.renounce(short.capability), 204)
    expect_equal(await cast.changes(), before, "changes in the ledger")
    expect_equal(len((await cast.grant())["revoked"]), 1, "what is revoked")
