"""The keys of a domain, as they were when the person decided: what they may do, and what becomes of other ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from ..cast.domain import Domain, Shop, document_of, domain
from ..cast.holder import Holder
from ..cast.stage import Shown, Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import receipt
from ..hands.encoding import Document, Json
from ..hands.keys import Key
from ..wire import Answer

topic = Topic(profile=Profile.DID_WEB)

_UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
_PAUSE_S: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A vendor that is a domain, and what it holds."""

    stage: Stage
    shown: Shown
    shop: Shop
    vendor: Holder

    @property
    def at(self) -> Domain:
        return self.shop.domain

    async def grant(self) -> Document:
        return await self.stage.owner.grant(self.vendor.grant)

    async def keys(self) -> list[Document]:
        found: list[Document] = (await self.stage.owner.do("GET", f"/grants/{self.vendor.grant}/keys"))[
            "keys"
        ]
        return found

    async def accept(self, digest: str, **passphrase: Json) -> Answer:
        sent = {"digest": digest, **(passphrase or {"passphrase": self.stage.owner.passphrase})}
        return await self.stage.owner.send("POST", f"/grants/{self.vendor.grant}/keys", sent)

    async def changes(self) -> list[str]:
        listed = await self.stage.owner.ledger(self.vendor.grant)
        return [one["entry"]["change"] for one in listed if one["entry"]["kind"] == "changed"]

    async def found_with(self, *keys: Key) -> None:
        """Publish other keys, and renew, which pauses the grant."""
        self.shop.lists(*keys)
        expect_problem(await self.shop.renew(self.vendor), 403, "grant-paused")


@asynccontextmanager
async def _scene(stage: Stage, *further: Key, **document: Json) -> AsyncIterator[_Scene]:
    """Relate to a vendor whose document lists a key of its own and these."""
    async with domain() as at:
        shown = await stage.person(name="Ada", email="ada@example.com")
        shop = Shop.at(stage, at)
        shop.lists(shop.key, *further, **document)
        vendor = await shop.relate([shown.permission("delivery", ["name", "email"])])
        yield _Scene(stage=stage, shown=shown, shop=shop, vendor=vendor)


@topic.check("IDN-21", "HTTP-62")
async def a_document_is_looked_up_at_request_and_renewal(stage: Stage) -> None:
    """Reads, looks and what the vendor signs by its DID look nothing up; each renewal does, once."""
    async with _scene(stage) as scene:
        expect_equal(len(scene.at.asked), 1, "look-ups after the request")
        for below in ("/delivery/records", "/delivery/records", "", "/ledger/entries", "/ledger/checkpoint"):
            expect_status(await scene.vendor.get(below), 200)
        for below in ("", "/ledger/entries", "/ledger/checkpoint"):
            expect_status(await scene.shop.by_did(scene.vendor, "GET", below), 200)
        expect_equal(len(scene.at.asked), 1, "look-ups after reads")
        fresh = await scene.shop.renewed(scene.vendor)
        expect_equal(len(scene.at.asked), 2, "look-ups after a renewal")
        await fresh.read("delivery")
        expect_equal(fresh.capability["controller"], scene.shop.key.did, "controller of the capability")
        expect_equal(len(scene.at.asked), 2, "look-ups in all")


@topic.check("IDN-22", "INV-20", "HTTP-20")
async def only_pinned_keys_speak_for_a_domain(stage: Stage) -> None:
    """By the keys that were listed at the request, under their names, the vendor's DID signs, and by no other."""
    other = Key.fresh()
    async with _scene(stage) as scene:
        shop, stranger = scene.shop, Key.fresh()
        shop.lists(shop.key, other)
        strangers = [
            shop.signing(other, "key-2"), shop.signing(stranger), shop.signing(shop.key, "key-2"),
            replace(shop, did=f"{shop.did}:a"), shop.signing(other),
        ]  # fmt: skip
        for below in ("", "/ledger/entries"):
            for who in strangers:
                there = await who.by_did(scene.vendor, "GET", below)
                nowhere = await who.by_did(replace(scene.vendor, grant=_UNKNOWN), "GET", below)
                expect_problem(there, 404, "not-found")
                expect_equal(there.body, nowhere.body, "a grant that is there and one that is not")
            bare = await scene.vendor.by_did("GET", scene.vendor.path(below), key=shop.key)
            expect_problem(bare, 404, "not-found")
            expect_status(await shop.by_did(scene.vendor, "GET", below), 200)
        expect_equal(len(scene.at.asked), 1, "look-ups")


@topic.check("IDN-18", "INV-20")
async def a_key_signs_only_what_it_is_listed_for(stage: Stage) -> None:
    """A key that is not listed to authenticate signs nothing; one not listed to invoke reads nothing."""
    reads = Key.fresh()
    uses = {"assertionMethod": ["#key-1"], "authentication": ["#key-1"], "capabilityInvocation": ["#key-2"]}
    async with _scene(stage, reads, **uses) as scene:
        expect_equal(scene.vendor.capability["controller"], reads.did, "controller of the capability")
        expect_problem(await scene.vendor.get("/delivery/records"), 403, "wrong-controller")
        expect_status(await replace(scene.vendor, key=reads).get("/delivery/records"), 200)
        by_reader = await scene.shop.signing(reads, "key-2").by_did(scene.vendor, "GET", "")
        expect_problem(by_reader, 404, "not-found")
        expect_status(await scene.shop.by_did(scene.vendor, "GET", ""), 200)


@topic.check("IDN-18", "CAP-23")
async def a_key_delegates_only_where_it_is_listed_to(stage: Stage) -> None:
    """A vendor whose document lists no key to delegate passes nothing on; one whose does can."""
    partner = Key.fresh()
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", ["name"], recipients=[partner.did])]
    for listed in (True, False):
        async with domain() as at:
            shop = Shop.at(stage, at)
            if not listed:
                shop.lists(shop.key, capabilityDelegation=[])
            vendor = await shop.relate(wanted)
            await vendor.read("delivery")
            answer = await vendor.delegate("/delivery", key=partner).get("/delivery/records")
            if listed:
                expect_status(answer, 200)
            else:
                expect_problem(answer, 403, "wrong-controller")


@topic.check("HTTP-62", "IDN-18")
async def a_capability_is_for_the_key_that_asks(stage: Stage) -> None:
    """Of several keys that may invoke, the one that signs the renewal gets the capability; each reads by its own."""
    other = Key.fresh()
    async with _scene(stage, other) as scene:
        expect_equal(scene.vendor.capability["controller"], scene.shop.key.did, "who gets the first")
        fresh = await scene.shop.signing(other, "key-2").renewed(scene.vendor)
        expect_equal(fresh.capability["controller"], other.did, "who gets the renewed one")
        for holder in (scene.vendor, fresh):
            await holder.read("delivery")


@topic.check("IDN-23", "HTTP-62")
async def what_else_changes_in_a_document_changes_nothing(stage: Stage) -> None:
    """Other services, contexts and kinds of keys, and another order, are no other keys."""
    async with _scene(stage) as scene:
        scene.shop.lists(scene.shop.key, service=[{"id": "#s", "type": "X", "serviceEndpoint": "https://a"}])
        await (await scene.shop.renewed(scene.vendor)).read("delivery")
        expect_equal((await scene.grant())["state"], "live", "state of the grant")


_OTHER: Final = {
    "another-too": (True, True),
    "another": (False, True),
    "other-uses": (True, False),
    "other-names": None,
}


@topic.check("IDN-23", "GRA-26", "HTTP-62", cases=_OTHER)
async def other_keys_pause_the_grant(stage: Stage, case: tuple[bool, bool] | None) -> None:
    """Other keys, names or uses than were pinned pause the grant, by a version the serving key may sign, and wait."""
    async with _scene(stage) as scene:
        other = Key.fresh()
        before = await scene.grant()
        if case is None:
            document = document_of(scene.shop.did, Key.fresh(), scene.shop.key)
            document["verificationMethod"][0] = document["verificationMethod"][1] | {
                "id": f"{scene.shop.did}#key-1"
            }
            document["verificationMethod"][1] = document["verificationMethod"][1] | {
                "id": f"{scene.shop.did}#key-9"
            }
            document |= {
                use: ["#key-1", "#key-9"] for use in document if use not in ("id", "verificationMethod")
            }
            scene.at.publish(scene.shop.did, document)
        elif case[1]:
            scene.shop.lists(*([scene.shop.key] if case[0] else []), other)
        else:
            scene.shop.lists(scene.shop.key, capabilityDelegation=[])
        expect_problem(await scene.shop.renew(scene.vendor), 403, "grant-paused")
        after = await scene.grant()
        expect_equal(
            (after["state"], after["version"], after.get("newKeys")), ("paused", 2, True), "the grant"
        )
        expect(after["epoch"] > before["epoch"], "the epoch stayed")
        expect_equal(await scene.changes(), ["approve", "pause"], "changes in the ledger")
        expect_problem(await scene.vendor.get("/delivery/records"), 403, "grant-paused")
        told = object_of(expect_status(await scene.shop.by_did(scene.vendor, "GET", ""), 200))["receipt"]
        receipt.signers(told, vendor_key=scene.shop.key.did)
        expect_equal(told["versions"][-1]["state"], "paused", "state of the last version")
        [shown] = await scene.keys()
        expect_equal([one["id"] for one in shown["keys"]], [scene.shop.key.did], "the pinned keys")
        expect("offered" in shown and "digest" in shown, "no keys wait for the person's word")


@topic.check("IDN-24", "GRA-27", "GRA-28", "HTTP-44")
async def new_keys_wait_for_the_persons_word(stage: Stage) -> None:
    """Until the person accepts exactly the keys that were shown, with the passphrase, nothing is resumed."""
    async with _scene(stage) as scene:
        other = Key.fresh()
        await scene.found_with(other)
        draft = {"change": "resume"}
        expect_problem(
            await stage.owner.send("POST", f"/grants/{scene.vendor.grant}/draft", draft),
            409,
            "not-in-this-state",
        )
        [shown] = await scene.keys()
        expect_equal([one["id"] for one in shown["offered"]], [other.did], "the keys that wait")
        before = await scene.grant()
        for passphrase in ({"passphrase": ""}, {"passphrase": stage.owner.passphrase + "x"}):
            expect_problem(await scene.accept(shown["digest"], **passphrase), 403, "passphrase-wrong")
        expect_problem(await scene.accept("A" * 43), 409, "draft-changed")
        expect_equal(await scene.grant(), before, "the grant afterwards")
        expect_equal(
            object_of(expect_status(await scene.accept(shown["digest"]), 200)),
            {"accepted": scene.shop.did},
            "what is said",
        )
        expect_problem(await scene.accept(shown["digest"]), 409, "not-in-this-state")
        after = await scene.grant()
        expect_equal(
            (after["state"], after["version"], after.get("newKeys")), ("paused", 2, None), "the grant"
        )
        expect(after["epoch"] > before["epoch"], "the epoch stayed")
        expect_equal(await scene.changes(), ["approve", "pause", "vendor-keys"], "changes in the ledger")
        await stage.owner.change(scene.vendor.grant, "resume")
        for below in ("/delivery/records", "", "/ledger/entries"):
            expect_problem(await scene.vendor.get(below), 403, "revoked")
        expect_problem(await scene.shop.by_did(scene.vendor, "GET", ""), 404, "not-found")
        fresh = await scene.shop.signing(other).renewed(scene.vendor)
        await fresh.read("delivery")
        told = object_of(await scene.shop.signing(other).by_did(scene.vendor, "GET", ""))["receipt"]
        receipt.signers(told, vendor_key=scene.shop.key.did)


@topic.check("GRA-27")
async def a_draft_of_before_resumes_nothing(stage: Stage) -> None:
    """A resumption that was drawn up before the keys changed is not carried out before they are accepted."""
    async with _scene(stage) as scene:
        await stage.owner.change(scene.vendor.grant, "pause")
        drawn = await stage.owner.draw(scene.vendor.grant, "resume")
        await scene.found_with(Key.fresh())
        sent = {"passphrase": stage.owner.passphrase}
        expect_problem(
            await stage.owner.carry_out(scene.vendor.grant, drawn["digest"], **sent), 409, "not-in-this-state"
        )
        expect_equal((await scene.grant())["state"], "paused", "state of the grant")
        [shown] = await scene.keys()
        expect_status(await scene.accept(shown["digest"]), 200)
        await stage.owner.change(scene.vendor.grant, "resume")


@topic.check("IDN-24")
async def what_is_accepted_is_what_was_seen(stage: Stage) -> None:
    """If the document changes again before the person's word, the keys that were shown are accepted no more."""
    async with _scene(stage) as scene:
        await scene.found_with(scene.shop.key, Key.fresh())
        [seen] = await scene.keys()
        await scene.found_with(scene.shop.key, third := Key.fresh())
        expect_problem(await scene.accept(seen["digest"]), 409, "draft-changed")
        [seen] = await scene.keys()
        expect_status(await scene.accept(seen["digest"]), 200)
        [shown] = await scene.keys()
        expect_equal({one["id"] for one in shown["keys"]}, {scene.shop.key.did, third.did}, "the pinned keys")


@topic.check("IDN-23")
async def keys_that_come_back_need_no_word(stage: Stage) -> None:
    """If the document lists the pinned keys again, the question is forgotten, and the person may resume."""
    async with _scene(stage) as scene:
        await scene.found_with(Key.fresh(), scene.shop.key)
        scene.shop.lists(scene.shop.key)
        expect_problem(await scene.shop.renew(scene.vendor), 403, "grant-paused")
        expect_equal((await scene.grant()).get("newKeys"), None, "newKeys")
        await stage.owner.change(scene.vendor.grant, "resume")
        await scene.vendor.read("delivery")


@topic.check("IDN-23", "HTTP-62")
async def who_is_listed_nowhere_brings_nothing_about(stage: Stage) -> None:
    """Renewal by nobody who is pinned or listed is not-found and changes nothing, though the document has changed."""
    async with _scene(stage) as scene:
        scene.shop.lists(other := Key.fresh())
        before = await scene.grant()
        stranger = Key.fresh()
        for who in (
            scene.shop.signing(stranger),
            scene.shop.signing(stranger, "key-2"),
            scene.shop.signing(other, "key-2"),
        ):
            expect_problem(await who.renew(scene.vendor), 404, "not-found")
        expect_problem(await scene.vendor.renew(key=stranger), 404, "not-found")
        expect_equal(await scene.grant(), before, "the grant afterwards")
        await scene.vendor.read("delivery")


@topic.check("HTTP-62", "IDN-23")
async def a_key_that_is_new_may_ask_for_a_renewal(stage: Stage) -> None:
    """A vendor that has lost its old key is heard by the one that its document lists now, and has to wait."""
    async with _scene(stage) as scene:
        other = Key.fresh()
        scene.shop.lists(other)
        who = scene.shop.signing(other)
        expect_problem(await who.renew(scene.vendor), 403, "grant-paused")
        expect_equal((await scene.grant()).get("newKeys"), True, "newKeys")
        expect_problem(await who.by_did(scene.vendor, "GET", ""), 404, "not-found")
        [shown] = await scene.keys()
        expect_status(await scene.accept(shown["digest"]), 200)
        await stage.owner.change(scene.vendor.grant, "resume")
        await (await who.renewed(scene.vendor)).read("delivery")


@topic.check("HTTP-62", "IDN-20", "HTTP-11")
async def a_document_that_is_gone_changes_nothing_at_renewal(stage: Stage) -> None:
    """A document that cannot be had at renewal is did-unavailable for the vendor alone; reads go on."""
    async with _scene(stage) as scene:
        scene.at.replies.clear()
        before = await scene.grant()
        answer = await scene.shop.renew(scene.vendor)
        expect_problem(answer, 503, "did-unavailable")
        expect_equal(answer.headers.get("retry-after"), str(_PAUSE_S), "Retry-After")
        expect_problem(await scene.shop.signing(Key.fresh()).renew(scene.vendor), 404, "not-found")
        expect_equal(await scene.grant(), before, "the grant afterwards")
        await scene.vendor.read("delivery")


@topic.check("HTTP-62", "HTTP-25", "IDN-21", cases={"ended": "end"})
async def a_grant_that_is_over_is_worth_no_look(stage: Stage, change: str) -> None:
    """A renewal of a grant that is over is refused without looking anything up."""
    async with _scene(stage) as scene:
        await stage.owner.change(scene.vendor.grant, change)
        expect_problem(await scene.shop.renew(scene.vendor), 403, "grant-ended")
        expect_equal(len(scene.at.asked), 1, "look-ups")


@topic.check("IDN-22", "IDN-6")
async def other_relationships_keep_their_pins(stage: Stage) -> None:
    """What was found for one relationship pauses no other, also of the same vendor, which finds out by itself."""
    async with _scene(stage) as scene:
        other = await scene.shop.relate([scene.shown.permission("delivery", ["name"])])
        await scene.found_with(Key.fresh())
        await other.read("delivery")
        expect_problem(await scene.shop.renew(other), 403, "grant-paused")
        expect_problem(await other.get("/delivery/records"), 403, "grant-paused")


@topic.check("HTTP-20", "IDN-21")
async def keys_of_a_domain_are_shown_to_the_owner(stage: Stage) -> None:
    """The owner is shown whose keys are pinned and for what; a did:key has none, and nothing waits."""
    async with _scene(stage) as scene:
        uses = ["assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation"]
        [shown] = await scene.keys()
        wanted = {"id": scene.shop.did, "keys": [{"id": scene.shop.key.did, "uses": uses}]}
        expect_equal(shown, wanted, "the keys")
        expect_problem(await scene.accept("A" * 43), 409, "not-in-this-state")
    by_key = await stage.relate([scene.shown.permission("delivery", ["name"])])
    expect_equal(
        (await stage.owner.do("GET", f"/grants/{by_key.grant}/keys"))["keys"], [], "keys of a did:key"
    )
