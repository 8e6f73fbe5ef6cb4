"""Partners that a domain vouches for: looked up at first sight, then held to what was pinned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ..cast.domain import Shop, domain
from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.encoding import Json
from ..hands.keys import Key

topic = Topic(profile=Profile.DID_WEB)

_PAUSE_S: Final = 120


@asynccontextmanager
async def _carrier(stage: Stage, *keys: Key, **document: Json) -> AsyncIterator[tuple[Shop, Holder]]:
    """Relate to a vendor whose partner is a domain, with these keys or one of its own."""
    async with domain() as at:
        carrier = Shop.at(stage, at)
        carrier.lists(carrier.key, *keys, **document)
        shown = await stage.person(name="Ada", email="ada@example.com")
        asked = [
            shown.permission("delivery", ["name"], recipients=[carrier.did]),
            shown.permission("news", ["email"], purpose="dpv:DirectMarketing"),
        ]
        yield carrier, await stage.relate(asked)


@topic.check("IDN-25", "IDN-21", "CAP-23")
async def a_partner_is_looked_up_once(stage: Stage) -> None:
    """A recipient that is a domain is looked up when a key that may be its own is first seen, and pinned."""
    async with _carrier(stage) as (carrier, vendor):
        await vendor.read("delivery")
        expect_equal(carrier.domain.connections, 0, "connections after the vendor's read")
        held = vendor.delegate("/delivery", key=carrier.key)
        answers = await asyncio.gather(*(held.get("/delivery/records") for _ in range(4)))
        expect_equal([answer.status for answer in answers], [200] * 4, "statuses")
        carrier.domain.replies.clear()
        await held.read("delivery")
        expect_equal(len(carrier.domain.asked), 1, "look-ups")
        [shown] = (await stage.owner.grant(vendor.grant))["partners"]
        expect_equal((shown["id"], shown["keys"]), (carrier.did, [carrier.key.did]), "the partner, as shown")
        other = await vendor.delegate("/news", key=carrier.key).get("/news/records")
        expect_problem(other, 403, "wrong-controller")


@topic.check("IDN-25", "CAP-23")
async def a_key_that_no_document_lists_is_no_recipient(stage: Stage) -> None:
    """A controller whom no recipient's document lists is a wrong-controller, and is not looked up again at once."""
    async with _carrier(stage) as (carrier, vendor):
        stranger = vendor.delegate("/delivery", key=Key.fresh())
        for _ in range(3):
            expect_problem(await stranger.get("/delivery/records"), 403, "wrong-controller")
        expect_equal(len(carrier.domain.asked), 1, "look-ups")
        expect("partners" not in await stage.owner.grant(vendor.grant), "somebody was pinned")


@topic.check("IDN-25")
async def what_would_not_hold_is_worth_no_look(stage: Stage) -> None:
    """A chain that does not hold otherwise looks nobody up: expired, for another target, of a paused grant."""
    async with _carrier(stage) as (carrier, vendor):
        held = vendor.delegate("/delivery", key=carrier.key)
        late = vendor.delegate("/delivery", key=carrier.key, expires_s=stage.now() + 1)
        await asyncio.sleep(2)
        expect_problem(await late.get("/delivery/records"), 403, "capability-expired")
        expect_problem(await held.get("/news/records"), 403, "wrong-target")
        await stage.owner.change(vendor.grant, "pause")
        expect_problem(await held.get("/delivery/records"), 403, "grant-paused")
        expect_equal(carrier.domain.connections, 0, "connections to the domain")


@topic.check("IDN-27", "GRA-15")
async def a_domain_is_cut_off_with_all_its_keys(stage: Stage) -> None:
    """To cut off a partner by its did:web cuts off every key that was found for it; it is not looked up again."""
    other = Key.fresh()
    async with _carrier(stage, other) as (carrier, vendor):
        held = [vendor.delegate("/delivery", key=key) for key in (carrier.key, other)]
        for one in held:
            await one.read("delivery")
        done = await stage.owner.revoke(vendor.grant, partner=carrier.did)
        expect_equal(done, {"revoked": True}, "what is said of it")
        for one in held:
            for below in ("/delivery/records", "/delivery", "/delivery/ledger/entries"):
                expect_problem(await one.get(below), 403, "revoked")
        await vendor.read("delivery")
        expect_equal(len(carrier.domain.asked), 1, "look-ups")


@topic.check("IDN-27")
async def a_domain_that_is_cut_off_unseen_is_never_looked_up(stage: Stage) -> None:
    """Who is cut off before it was seen is not looked up at all."""
    async with _carrier(stage) as (carrier, vendor):
        await stage.owner.revoke(vendor.grant, partner=carrier.did)
        answer = await vendor.delegate("/delivery", key=carrier.key).get("/delivery/records")
        expect_problem(answer, 403, "wrong-controller", "revoked")
        expect_equal(carrier.domain.connections, 0, "connections to the domain")


@topic.check("IDN-18", "IDN-25")
async def a_partner_passes_on_only_where_it_is_listed_to(stage: Stage) -> None:
    """A partner whose document lists no key to delegate reads, and passes nothing on."""
    other = Key.fresh()
    for listed in (["#key-1"], []):
        async with _carrier(stage, other, capabilityDelegation=listed) as (carrier, vendor):
            held = vendor.delegate("/delivery", key=carrier.key)
            await held.read("delivery")
            answer = await held.delegate("/delivery", key=other).get("/delivery/records")
            if listed:
                expect_status(answer, 200)
            else:
                expect_problem(answer, 403, "wrong-controller")


@topic.check("IDN-26", "IDN-24", slow=True)
async def a_partners_other_keys_wait_for_the_persons_word(stage: Stage) -> None:
    """Keys that a partner's document has lost count no more, new ones wait; the grant goes on."""
    async with _carrier(stage) as (carrier, vendor):
        held, new = vendor.delegate("/delivery", key=carrier.key), Key.fresh()
        await held.read("delivery")
        carrier.lists(new)
        renewed = vendor.delegate("/delivery", key=new)
        await asyncio.sleep(_PAUSE_S + 5)
        expect_problem(await renewed.get("/delivery/records"), 403, "wrong-controller")
        expect_problem(await held.get("/delivery/records"), 403, "wrong-controller")
        grant = await stage.owner.grant(vendor.grant)
        expect_equal((grant["state"], grant.get("newKeys")), ("live", True), "state and newKeys")
        await vendor.read("delivery")
        [shown] = (await stage.owner.do("GET", f"/grants/{vendor.grant}/keys"))["keys"]
        sent = {"digest": shown["digest"], "passphrase": stage.owner.passphrase}
        expect_status(await stage.owner.send("POST", f"/grants/{vendor.grant}/keys", sent), 200)
        await renewed.read("delivery")
        expect_problem(await held.get("/delivery/records"), 403, "wrong-controller")
