"""What was given is taken back: by the person, in part and as a whole, and by whoever controls a capability."""

from __future__ import annotations

import asyncio
from typing import Final

from ..cast.circle import Circle, digest_of
from ..cast.holder import Holder
from ..cast.life import LESS
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import receipt
from ..hands.encoding import Document
from ..hands.keys import Key

topic = Topic()

_UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"


# By the person


@topic.check("GRA-15", "GRA-23", "GRA-13", "HTTP-38")
async def a_partner_is_cut_off_by_its_did(stage: Stage) -> None:
    """A partner that is cut off reads nothing, nor does anybody below it; all others do; and the version stays."""
    cast = await Circle.begin(stage)
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
    cast = await Circle.begin(stage)
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
    cast = await Circle.begin(stage)
    if by_digest:
        await cast.all_read()
    named = digest_of(cast.partner) if by_digest else cast.partner.capability["id"]
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
    cast = await Circle.begin(stage)
    await stage.owner.revoke(cast.vendor.grant, capability=digest_of(cast.vendor))
    await cast.none_reads(cast.vendor, cast.partner, cast.below, cast.other)
    fresh = object_of(expect_status(await cast.vendor.renew(), 200))["capability"]
    await cast.none_reads(cast.vendor)
    expect_status(await cast.vendor.get("/delivery/records", capability=fresh), 200)


@topic.check("GRA-23", "GRA-6")
async def a_permission_is_taken_back(stage: Stage) -> None:
    """One permission less is a narrowing that the serving key may sign; the last one is the end."""
    cast = await Circle.begin(stage)
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
    vendor = await _relate(stage)
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
