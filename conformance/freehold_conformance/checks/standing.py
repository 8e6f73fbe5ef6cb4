"""How a grant stands: what the vendor is told of it in every state, and what a partner is not."""

from __future__ import annotations

import asyncio
from typing import Final

from ..cast.holder import Holder
from ..cast.life import GIVEN, LESS, Life
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import merkle, proof, receipt
from ..hands.capability import CONTEXTS, root_id
from ..hands.encoding import Document, from_xsd_time, jcs, xsd_time
from ..hands.keys import Key

topic = Topic()

_STATES: Final = {name: name for name in ("live", "paused", "ended", "expired")}
_CODES: Final = {"paused": "grant-paused", "ended": "grant-ended", "expired": "grant-expired"}
_PART_BYTES: Final = 65_536


@topic.check("HTTP-22", "RCP-1", "RCP-2", "RCP-3", "RCP-6", cases=_STATES)
async def a_grant_explains_itself(stage: Stage, state: str) -> None:
    """In every state the vendor gets the receipt, the checkpoint and the statements, by capability and by DID."""
    life = await Life.in_state(stage, state)
    told = await life.vendor.told()
    expect_equal(sorted(told), ["checkpoint", "receipt", "statements"], "members of the answer")
    receipt.signers(told["receipt"])
    expect_equal(told["receipt"]["versions"][-1]["state"], state, "state of the last version")
    expect_equal(told["statements"], [], "statements")
    if state == "expired":  # and with the grant its capability
        expect_problem(await life.vendor.get(), 403, "capability-expired")
    else:
        by_capability = object_of(expect_status(await life.vendor.get(), 200))
        expect_equal(by_capability, told, "what is told under the capability")
    version = told["receipt"]["versions"][-1]
    opened = merkle.open_checkpoint(told["checkpoint"], version["servingKey"])
    expect_equal(opened.origin, version["log"], "origin of the checkpoint")
    if state != "expired":  # other checks look at that one too, and are refused
        expect_equal(opened.size, len(await stage.owner.ledger(life.grant)), "size of the checkpoint")


@topic.check("HTTP-20", "RCP-6", "HTTP-22", cases=_STATES)
async def an_approved_request_tells_how_its_grant_stands(stage: Stage, state: str) -> None:
    """Whoever follows the request gets the receipt in every state, and the capability or why there is none."""
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", ["name"])]
    asked = await stage.ask(Key.fresh(), wanted)
    until = int(stage.now()) + 3
    more = {"expires": xsd_time(until)} if state == "expired" else {}
    grant = await stage.owner.approve(asked.id, wanted, **more)
    if state == "expired":
        await asyncio.sleep(until - stage.now() + 1)
    elif state != "live":
        await stage.owner.change(grant, {"paused": "pause", "ended": "end"}[state])
    told = object_of(expect_status(await asked.follow(), 200))
    ends = "capability" if state == "live" else "code"
    members = {"status", "grant", "receipt", "checkpoint", "statements", ends}
    expect_equal(set(told), members, "members of the answer")
    expect_equal((told["status"], told.get("code")), ("approved", _CODES.get(state)), "status and code")
    expect_equal(told["grant"], f"{stage.origin}/g/{grant}", "URL of the grant")
    receipt.signers(told["receipt"])


@topic.check("HTTP-22", "HTTP-29")
async def looking_is_no_admission(stage: Stage) -> None:
    """To look at the grant, the ledger or a permission's standing leaves no entry."""
    life = await Life.begin(stage)
    before = await life.entries()
    for below in (
        "",
        "/delivery",
        "/ledger/entries",
        "/ledger/checkpoint",
        "/ledger/entries/0",
        "/delivery/ledger/entries",
    ):
        expect_status(await life.vendor.get(below), 200)
    for below in ("", "?from=1", "/ledger/entries", "/ledger/checkpoint"):
        expect_status(await life.vendor.by_did("GET", life.vendor.path(below)), 200)
    expect_equal(await life.entries(), before, "the entries")


@topic.check("HTTP-60", "HTTP-22", "RCP-9", "RCP-5")
async def only_the_versions_after_one_come(stage: Stage) -> None:
    """With from come exactly the versions after that one, which continue what is held."""
    life = await Life.begin(stage)
    for change in ("pause", "resume", "narrow", "end"):
        await stage.owner.change(life.grant, change, **life.draws(change))
    whole = (await life.vendor.told())["receipt"]
    versions = whole["versions"]
    expect_equal(len(versions), 5, "versions")
    for held in range(len(versions) + 1):
        target = life.vendor.path(f"?from={held}")
        by_did = object_of(expect_status(await life.vendor.by_did("GET", target), 200))
        expect_equal(
            by_did, object_of(await life.vendor.get(f"?from={held}")), "what is told under the capability"
        )
        expect_equal(sorted(by_did), ["checkpoint", "statements", "versions"], "members of the answer")
        expect_equal(by_did["versions"], versions[held:], f"versions after {held}")
        receipt.continued(versions[:held], by_did["versions"], whole["request"])
    for wrong in ("6", "99999999999999999999", "-1", "x", "", "1.0", "%31x"):
        answer = await life.vendor.by_did("GET", life.vendor.path(f"?from={wrong}"))
        expect_problem(answer, 400, "malformed")


@topic.check("HTTP-60", "HTTP-22", "RCP-9", slow=True)
async def a_long_life_comes_in_parts(stage: Stage) -> None:
    """Versions of more than 64 KiB come in parts, oldest first, each ended by the one that brings it over."""
    shown = await stage.person(name="Ada")
    many = [shown.permission(f"part-{number}", ["name", "email", "telephone"]) for number in range(16)]
    asked = await stage.ask(Key.fresh(), many)
    grant = await stage.owner.approve(asked.id, many)
    for _ in range(12):
        await stage.owner.change(grant, "pause")
        await stage.owner.change(grant, "resume")
    first = object_of(expect_status(await asked.follow(), 200))
    vendor = await asked.holder()
    held, request = list(first["receipt"]["versions"]), first["receipt"]["request"]
    expect(first.get("more") is True, "more is not said where versions are left out")
    _fits(held)
    more = True
    while more:
        told = object_of(expect_status(await vendor.by_did("GET", vendor.path(f"?from={len(held)}")), 200))
        receipt.continued(held, told["versions"], request)
        more = told.get("more", False)
        _fits(told["versions"], last=not more)
        expect(bool(told["versions"]), "a part without a version")
        held += told["versions"]
    expect_equal([one["version"] for one in held], list(range(1, 26)), "versions in all")
    receipt.signers({"type": "Receipt", "request": request, "versions": held})


def _fits(versions: list[Document], *, last: bool = False) -> None:
    size = sum(len(jcs(one)) for one in versions)
    expect(size - len(jcs(versions[-1])) <= _PART_BYTES, f"a part of {size} bytes")
    expect(last or size > _PART_BYTES, f"a part that ends at {size} bytes, and more follows")


# Who is told


async def _with_partner(stage: Stage) -> tuple[Life, Holder]:
    """Return a relationship of two permissions, and a partner for the one named ``delivery``."""
    partner = Key.fresh()
    shown = await stage.person(name="Ada", email="ada@example.com")
    asked = [
        shown.permission("delivery", GIVEN, recipients=[partner.did]),
        shown.permission("news", LESS, purpose="dpv:DirectMarketing"),
    ]
    vendor = await stage.relate(asked)
    return Life(stage=stage, vendor=vendor, shown=shown), vendor.delegate("/delivery", key=partner)


@topic.check("HTTP-23", "RCP-7", cases={name: name for name in ("live", "paused", "ended")})
async def a_partner_is_told_of_its_own_permission(stage: Stage, state: str) -> None:
    """A partner is told how its one permission stands, signed by the serving key; the grant is not shared with it."""
    life, partner = await _with_partner(stage)
    if state != "live":
        await stage.owner.change(life.grant, {"paused": "pause", "ended": "end"}[state])
    version = (await life.vendor.told())["receipt"]["versions"][-1]
    told = object_of(expect_status(await partner.get("/delivery"), 200))
    expect_equal(sorted(told), ["checkpoint", "log", "servingKey", "status"], "members of the answer")
    expect_equal((told["servingKey"], told["log"]), (version["servingKey"], version["log"]), "key and log")
    status = told["status"]
    expect(proof.is_proven(status, version["servingKey"]), "the status is not signed by the serving key")
    wanted = {
        "@context": proof.CONTEXT, "type": "GrantStatus", "grant": version["id"], "version": version["version"],
        "state": state, "expires": version["expires"],
        "permission": [one for one in version["permission"] if one["name"] == "delivery"],
    }  # fmt: skip
    expect_equal(
        {name: one for name, one in status.items() if name not in ("proof", "created")}, wanted, "the status"
    )
    merkle.open_checkpoint(told["checkpoint"], version["servingKey"])
    whole = await partner.by_did("GET", partner.path())
    expect_problem(whole, 404, "not-found")


@topic.check("HTTP-23", "RCP-7")
async def a_partner_does_not_see_the_grant(stage: Stage) -> None:
    """A partner with a link to the whole grant is refused the grant as not-shared, and told no other permission."""
    life, partner = await _with_partner(stage)
    whole = life.vendor.delegate(key=partner.key)
    for below in ("", "?from=0", "?from=1"):
        expect_problem(await whole.get(below), 403, "not-shared")
    expect(
        "permission" in object_of(await whole.get("/delivery"))["status"], "its own permission is left out"
    )
    other = object_of(expect_status(await whole.get("/news"), 200))["status"]
    expect("permission" not in other, "a permission that the partner is no recipient of")
    nothing = object_of(expect_status(await whole.get("/other"), 200))["status"]
    expect("permission" not in nothing, "a permission that there is not")
    expect_status(await life.vendor.get(), 200)


@topic.check("HTTP-23", "GRA-10")
async def a_partner_that_is_taken_off_is_told_no_permission(stage: Stage) -> None:
    """When a partner is no recipient any more, the permission is left out of what it is told, and it reads nothing."""
    life, partner = await _with_partner(stage)
    await partner.read("delivery")
    version = (await life.vendor.told())["receipt"]["versions"][-1]
    kept = [
        {name: one for name, one in each.items() if name != "recipients"} for each in version["permission"]
    ]
    await stage.owner.change(life.grant, "narrow", permissions=kept)
    status = object_of(expect_status(await partner.get("/delivery"), 200))["status"]
    expect_equal((status["version"], "permission" in status), (2, False), "version and permission")
    expect_problem(await partner.get("/delivery/records"), 403, "wrong-controller")
    await life.vendor.read("delivery")


@topic.check("HTTP-22", "HTTP-11")
async def a_stranger_is_told_nothing(stage: Stage) -> None:
    """By any other DID a grant that is there and one that is not look the same."""
    life, partner = await _with_partner(stage)
    unknown = "/g/00000000-0000-4000-8000-000000000000"
    for below in ("", "?from=1", "/ledger/entries", "/ledger/checkpoint", "/ledger/entries/0"):
        expect_status(await life.vendor.by_did("GET", life.vendor.path(below)), 200)
        for key in (Key.fresh(), partner.key):
            there = await life.vendor.by_did("GET", life.vendor.path(below), key=key)
            nowhere = await life.vendor.by_did("GET", unknown + below, key=key)
            expect_problem(there, 404, "not-found")
            expect_equal(there.body, nowhere.body, "the two answers")


# Renewal


@topic.check("HTTP-24", "CAP-24")
async def a_capability_is_renewed_from_the_grant(stage: Stage) -> None:
    """A fresh capability is for the vendor, to read, on the whole grant, for a week at most, and it reads."""
    life = await Life.begin(stage)
    answer = object_of(expect_status(await life.vendor.renew(), 200))
    expect_equal(sorted(answer), ["capability"], "members of the answer")
    version = (await life.vendor.told())["receipt"]["versions"][-1]
    _expect_issued(stage, answer["capability"], version, life.vendor)
    fresh = Holder(
        wire=stage.wire,
        key=life.vendor.key,
        capability=answer["capability"],
        origin=stage.origin,
        grant=life.grant,
    )
    expect(fresh.capability["id"] != life.vendor.capability["id"], "the capability that was held")
    expect_equal(await fresh.read("delivery"), await life.vendor.read("delivery"), "the two pages")


def _expect_issued(stage: Stage, link: Document, version: Document, vendor: Holder) -> None:
    target = f"{stage.origin}/g/{vendor.grant}"
    found = (link["@context"], link["controller"], link["allowedAction"], link["invocationTarget"])
    expect_equal(
        found, (CONTEXTS, vendor.key.did, ["read"], target), "contexts, controller, actions and target"
    )
    expect_equal(link["parentCapability"], root_id(target), "parent")
    chain = link["proof"]["capabilityChain"]
    expect_equal(chain, [root_id(target)], "chain")
    signed = proof.is_proven(link, version["servingKey"], purpose="capabilityDelegation")
    expect(signed, "not signed by the serving key")
    expect("caveat" not in link, "a caveat")
    made, ends = from_xsd_time(link["proof"]["created"]), from_xsd_time(link["expires"])
    week = min(from_xsd_time(version["expires"]), made + 7 * 86_400)
    expect(-60 <= made - stage.now() <= 60, "not made now")
    expect_equal(ends, week, "end")


@topic.check("HTTP-24", "CAP-24")
async def a_capability_ends_with_the_grant(stage: Stage) -> None:
    """A capability that is issued for a grant of less than a week ends when the grant does."""
    life = await Life.begin(stage, expires_s=int(stage.now()) + 86_400)
    version = (await life.vendor.told())["receipt"]["versions"][-1]
    _expect_issued(stage, life.vendor.capability, version, life.vendor)
    renewed = object_of(await life.vendor.renew())["capability"]
    _expect_issued(stage, renewed, version, life.vendor)


@topic.check("HTTP-25", cases=_CODES)
async def what_is_not_live_is_not_renewed(stage: Stage, code: str) -> None:
    """A grant that is not live is not renewed, and says why."""
    life = await Life.in_state(stage, code.removeprefix("grant-"))
    expect_problem(await life.vendor.renew(), 403, code)


@topic.check("HTTP-25")
async def only_the_vendor_renews(stage: Stage) -> None:
    """Renewal takes the vendor's DID: a partner and a stranger find nothing, a capability is malformed."""
    life, partner = await _with_partner(stage)
    path = life.vendor.path("/renew")
    unknown = "/g/00000000-0000-4000-8000-000000000000/renew"
    for key in (partner.key, Key.fresh()):
        answer = await life.vendor.renew(key=key)
        expect_problem(answer, 404, "not-found")
        expect_equal(
            answer.body, (await life.vendor.by_did("POST", unknown, key=key)).body, "the two answers"
        )
    for holder in (life.vendor, partner):
        signed = holder.signed("POST", path)
        expect_problem(await stage.wire.send("POST", path, signed), 400, "malformed")
    expect_problem(await stage.wire.send("POST", path, {}), 400, "malformed")
    expect_status(await life.vendor.renew(), 200)
