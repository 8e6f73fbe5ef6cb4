"""A change of a relationship's keys: what it is signed by, what dies with the old ones, and what goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..cast.holder import Holder
from ..cast.life import ASKED, GIVEN, LESS, Life
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import merkle, proof, receipt
from ..hands.encoding import Document, cid
from ..hands.keys import Key

topic = Topic()

_KEYS: Final = ("assigner", "servingKey")


async def _rotated(stage: Stage, *, times: int = 1, state: str = "live") -> Life:
    """Return a relationship whose keys were changed; its vendor has what it had before."""
    life = await Life.in_state(stage, state)
    for _ in range(times):
        await stage.owner.change(life.grant, "rotate")
    return life


async def _renewed(vendor: Holder) -> Holder:
    fresh = object_of(expect_status(await vendor.renew(), 200))["capability"]
    return replace(vendor, capability=fresh)


@topic.check("ROT-1", "ROT-2", "GRA-6", "GRA-16", cases={"live": "live", "paused": "paused"})
async def new_keys_are_a_version_of_two_proofs(stage: Stage, state: str) -> None:
    """A change of keys is a version that names two new keys, signed by the old decision key and then by the new."""
    life = await _rotated(stage, state=state)
    told = (await life.vendor.told())["receipt"]
    expect_equal(receipt.signers(told)[-1], receipt.BOTH, "who signed")
    before, version = told["versions"][-2:]
    methods = [one["verificationMethod"].partition("#")[0] for one in version["proof"]]
    expect_equal(methods, [before["assigner"], version["assigner"]], "the two proofs")
    expect(all(sorted(one) == sorted(before["proof"]) for one in version["proof"]), "members of the proofs")
    named = [each[name] for each in (before, version) for name in _KEYS]
    expect_equal(len(set(named)), 4, "different keys")
    same = (version.keys() | before.keys()) - {"nonce", "version", "created", "previous", "proof", *_KEYS}
    for name in same:
        expect_equal(version.get(name), before.get(name), name)
    expect_equal(version["previous"], cid(before), "previous")


@topic.check("ROT-3", "ROT-4", "GRA-8")
async def only_the_new_keys_count_then(stage: Stage) -> None:
    """What comes after a change of keys is signed by the new ones, changes by either key as ever; none comes back."""
    life = await _rotated(stage)
    for change in ("pause", "resume", "narrow", "widen", "rotate", "end"):
        await stage.owner.change(life.grant, change, **life.draws(change))
    told = (await life.vendor.told())["receipt"]
    signers = receipt.signers(told)  # in which a key that was given up would be unsound
    both, decision = receipt.BOTH, receipt.DECISION
    expect_equal(
        [signers[1], signers[3], signers[5], signers[6]], [both, decision, decision, both], "who signed"
    )
    keys = {tuple(version[name] for name in _KEYS) for version in told["versions"]}
    expect_equal(len(keys), 3, "pairs of keys")


@topic.check("ROT-6", "HTTP-43", "HTTP-44")
async def new_keys_take_the_draft_that_was_seen(stage: Stage) -> None:
    """A change of keys takes the passphrase and the very draft; it gives nothing else away, and cannot be mixed."""
    life = await Life.in_state(stage, "live")
    drawn = await stage.owner.draw(life.grant, "rotate")
    expect_equal(drawn["passphrase"], True, "whether the draft takes the passphrase")
    expect_equal(drawn["digest"], receipt.digest(drawn["draft"]), "digest of the draft")
    before = await life.standing()
    expect_problem(await stage.owner.carry_out(life.grant, drawn["digest"]), 403, "passphrase-wrong")
    expect_equal(await life.standing(), before, "the grant afterwards")
    mixed = {"change": "rotate", "permissions": [life.permission(LESS)]}
    answer = await stage.owner.send("POST", f"/grants/{life.grant}/draft", mixed)
    expect(answer.status in (400, 409), f"status {answer.status}")
    expect_problem(answer, answer.status, "malformed", "not-in-this-state")
    await life.vendor.read("delivery")
    expect_status(await life.carry_out(drawn), 200)
    signed = (await life.versions())[-1]
    expect_equal(
        {name: one for name, one in signed.items() if name != "proof"}, drawn["draft"], "what was signed"
    )


@topic.check("ROT-9", "ROT-7", "CAP-20", cases={"unseen": False, "remembered": True})
async def what_the_old_key_issued_is_dead(stage: Stage, seen: bool) -> None:
    """Every capability of before is revoked, and all that hangs on it, also where it was verified and remembered."""
    partner = Key.fresh()
    shown = await stage.person(name="Ada", email="ada@example.com")
    vendor = await stage.relate([shown.permission("delivery", GIVEN, recipients=[partner.did])])
    holders = [vendor, vendor.delegate("/delivery", key=partner)]
    if seen:
        for holder in holders:
            await holder.read("delivery")
    await stage.owner.change(vendor.grant, "rotate")
    for holder in holders:
        for below in ("/delivery/records", "/delivery/ledger/entries", "/delivery/events", "/delivery"):
            expect_problem(await holder.get(below), 403, "revoked")
    expect_problem(await vendor.get(), 403, "revoked")
    expect_problem(await vendor.delegate("/delivery", key=partner).get("/delivery/records"), 403, "revoked")
    codes = {entry["entry"].get("code") for entry in await stage.owner.ledger(vendor.grant)}
    expect("revoked" in codes, "no entry of the refusals")
    fresh = await _renewed(vendor)
    expect_equal(len((await fresh.read("delivery"))["items"]), 1, "records on the page")
    expect_equal(
        len((await fresh.delegate("/delivery", key=partner).read("delivery"))["items"]), 1, "the partner's"
    )


@topic.check("ROT-10", "ROT-15", "HTTP-24", "CAP-24")
async def the_vendor_renews_under_the_new_key(stage: Stage) -> None:
    """By its DID the vendor learns of the change and gets a capability that the new serving key signed."""
    life = await _rotated(stage)
    version = (await life.versions())[-1]
    fresh = await _renewed(life.vendor)
    signed = proof.is_proven(fresh.capability, version["servingKey"], purpose="capabilityDelegation")
    expect(signed, "not signed by the new serving key")
    page = await fresh.read("delivery")
    expect_equal(page["issuer"], version["servingKey"], "issuer of the page")
    expect(proof.is_proven(page, version["servingKey"]), "the page is not signed by the new serving key")
    [item] = page["items"]
    expect(proof.is_proven(item, version["servingKey"]), "the document is not signed by the new serving key")


@topic.check("IDN-7", "IDN-10", "ROT-1")
async def records_keep_their_names_under_new_keys(stage: Stage) -> None:
    """The vendor knows each record by the same alias as before, and is shown the same of it."""
    life = await Life.in_state(stage, "live")
    [before] = (await life.vendor.read("delivery"))["items"]
    for _ in range(2):
        await stage.owner.change(life.grant, "rotate")
    fresh = await _renewed(life.vendor)
    [after] = (await fresh.read("delivery"))["items"]
    for name in ("id", "name", "email"):
        expect_equal(after[name], before[name], name)
    expect(after["issuer"] != before["issuer"], "the issuer stayed")
    alias = before["id"].removeprefix("urn:freehold:")
    expect_status(await fresh.get(f"/delivery/records/{alias}"), 200)


@topic.check("ROT-12", "ROT-13", "LED-14")
async def the_ledger_goes_on_under_new_keys(stage: Stage) -> None:
    """The ledger keeps its name and continues; the entry of the change is the first under the new key."""
    life = await Life.in_state(stage, "live")
    await life.vendor.read("delivery")
    old = (await life.versions())[-1]
    before = merkle.open_checkpoint((await life.vendor.told())["checkpoint"], old["servingKey"])
    await stage.owner.change(life.grant, "rotate")
    told = await life.vendor.told()
    new = told["receipt"]["versions"][-1]
    after = merkle.open_checkpoint(told["checkpoint"], new["servingKey"])
    expect_equal((after.origin, after.size), (before.origin, before.size + 1), "origin and size")
    entries = await life.entries()
    expect_equal(
        (entries[-1]["change"], entries[-1]["grant"]), ("rotate", cid(new)), "the entry of the change"
    )
    listed = await stage.owner.ledger(life.grant)
    leaves = [merkle.leaf_hash(one["entry"], one["salt"]) for one in listed]
    expect_equal(merkle.root_hash(leaves), after.root, "root of the checkpoint")
    expect_equal(merkle.root_hash(leaves[: before.size]), before.root, "root of the checkpoint before")
    shown = await life.vendor.by_did("GET", life.vendor.path(f"/ledger/checkpoint?from={before.size}"))
    merkle.open_checkpoint(object_of(expect_status(shown, 200))["checkpoint"], new["servingKey"])


@topic.check("ROT-11", "HTTP-36")
async def cursors_of_before_are_stale(stage: Stage) -> None:
    """A cursor that was given before a change of keys is cursor-stale after it."""
    shown = await stage.person(name="Ada")
    for number in range(3):
        await stage.owner.add({"type": "Person", "jobTitle": shown.tag, "name": f"Bob {number}"})
    vendor = await stage.relate([shown.permission("delivery", LESS)])
    cursor = (await vendor.read("delivery", "?limit=2"))["next"]
    await vendor.read("delivery", f"?limit=2&cursor={cursor}")
    await stage.owner.change(vendor.grant, "rotate")
    fresh = await _renewed(vendor)
    expect_problem(await fresh.get(f"/delivery/records?limit=2&cursor={cursor}"), 409, "cursor-stale")
    again = (await fresh.read("delivery", "?limit=2"))["next"]
    expect_equal(
        len((await fresh.read("delivery", f"?limit=2&cursor={again}"))["items"]),
        2,
        "records on the next page",
    )


@topic.check("ROT-5", "IDN-9")
async def other_relationships_keep_their_keys(stage: Stage) -> None:
    """A change of keys touches its own relationship alone, also where the vendor is the same."""
    key = Key.fresh()
    shown = await stage.person(name="Ada")
    one, other = [await stage.relate([shown.permission("delivery", LESS)], key=key) for _ in range(2)]
    before = await stage.owner.grant(other.grant)
    await stage.owner.change(one.grant, "rotate")
    expect_equal(await stage.owner.grant(other.grant), before, "the other grant")
    await other.read("delivery")
    keys = {await _keys_of(each) for each in (one, other)}
    expect_equal(len(keys), 2, "pairs of keys")


async def _keys_of(vendor: Holder) -> tuple[str, ...]:
    version = (await vendor.told())["receipt"]["versions"][-1]
    return tuple(version[name] for name in _KEYS)


@topic.check("ROT-1", "ROT-4")
async def every_change_has_keys_of_its_own(stage: Stage) -> None:
    """Several changes of keys in a row never name a key twice, and every version verifies."""
    life = await _rotated(stage, times=4)
    versions = await life.versions()
    keys = {version[name] for version in versions for name in _KEYS}
    expect_equal((len(versions), len(keys)), (5, 10), "versions, and keys that they name")
    await (await _renewed(life.vendor)).read("delivery")


@topic.check("ROT-5", "HTTP-22")
async def a_grant_that_is_over_explains_itself_after_new_keys(stage: Stage) -> None:
    """A relationship that ended after a change of keys explains itself by the keys of its last version."""
    life = await _rotated(stage)
    await stage.owner.change(life.grant, "end")
    told = await life.vendor.told()
    version = told["receipt"]["versions"][-1]
    receipt.signers(told["receipt"])
    merkle.open_checkpoint(told["checkpoint"], version["servingKey"])
    expect_problem(await life.vendor.renew(), 403, "grant-ended")


@topic.check("ROT-9", "HTTP-53")
async def a_stream_of_the_old_key_is_closed(stage: Stage) -> None:
    """A stream of events that is open under an old capability is closed by the change of keys."""
    life = await Life.in_state(stage, "live")
    async with life.vendor.listen("/delivery") as stream:
        expect_equal(stream.answer.status, 200, "status of the stream")
        first = await stream.next(10)
        expect(first is not None and first.name == "ready", "the stream does not begin with ready")
        await stage.owner.change(life.grant, "rotate")
        expect(await stream.closes(15), "the stream goes on")


@topic.check("ROT-9", "HTTP-11")
async def a_capability_of_no_key_of_the_grant_is_a_strangers(stage: Stage) -> None:
    """A chain that begins with a key that never served the grant is not-found, before a change of keys and after."""
    life, other = await _rotated(stage), await Life.in_state(stage, "live")
    holder = replace(life.vendor, capability=other.vendor.capability)
    expect_status(await life.vendor.get("/delivery/records"), 403)
    answer = await holder.get("/delivery/records")
    expect(answer.status in (403, 404), f"status {answer.status}")
    expect_problem(answer, answer.status, "not-found", "wrong-controller", "wrong-target")


@topic.check("GRA-16", "ROT-1")
async def what_was_given_stays_given(stage: Stage) -> None:
    """After a change of keys the grant gives what it gave, can be widened to what was asked, and no further."""
    life = await _rotated(stage)
    fresh = await _renewed(life.vendor)
    [item] = (await fresh.read("delivery"))["items"]
    expect("name" in item and "email" in item and "telephone" not in item, "what is shown")
    await stage.owner.change(life.grant, "widen", permissions=[life.permission(ASKED)])
    [item] = (await fresh.read("delivery"))["items"]
    expect("telephone" in item, "what is shown after the widening")
    wider: Document = {"change": "widen", "permissions": [life.permission((*ASKED, "faxNumber"))]}
    expect_problem(await stage.owner.send("POST", f"/grants/{life.grant}/draft", wider), 403, "widened")
