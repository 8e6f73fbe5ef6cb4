"""Partners that a domain vouches for: looked up at first sight, before a decision and never in it, then pinned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from did_server import answering, document_of
from ears import listening
from freehold_node.resolver import PAUSE_S
from freehold_protocol.keys import SigningKey
from harness import Held
from tables import differing, tables
from web_vendor import CARRIER, FETCH_S, FOURTH, SECOND, SHOP, STRANGER, Web, open_web

DAY_S = 86_400


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with open_web(tmp_path / "node") as made:
        yield made


async def partnered(
    web: Web, key: SigningKey = CARRIER, *also: str, published: bool = True
) -> tuple[Held, Held]:
    """Return a vendor of a did:key whose partner is the carrier's domain, and what it delegated to a key."""
    if published:
        web.server.publish(web.carrier, CARRIER.public)
    shop = await web.house.relate(web.asked(web.carrier, *also), key=SHOP)
    return shop, shop.delegate(key, path="/delivery")


@pytest.mark.requirement("IDN-25")
@pytest.mark.asyncio
async def test_a_partner_is_looked_up_once(web: Web) -> None:
    shop, carrier = await partnered(web)
    await shop.contents("delivery")
    assert web.server.connections == 0  # the vendor's reads look nobody up
    for _ in range(3):
        assert await carrier.contents("delivery") == await shop.contents("delivery")
    status = (await carrier.get("/delivery")).json["status"]
    assert status["permission"][0]["recipients"] == [web.carrier]
    assert (await carrier.get("/delivery/ledger/entries")).status == 200
    assert (web.server.count(web.carrier), web.names.looked) == (1, {"carrier.example": 1})
    admitted = [entry for entry in await web.entries(shop) if entry["kind"] == "admitted"]
    assert {entry["who"] for entry in admitted} == {SHOP.did, CARRIER.did}
    domain = web.carrier.removeprefix("did:web:").replace("%3A", ":")
    assert (await web.grant(shop))["partners"] == [
        {"id": web.carrier, "domain": domain, "keys": [CARRIER.did]}
    ]
    assert (await web.house.own("POST", "/verify", {}))["intact"]


@pytest.mark.asyncio
async def test_first_sight_may_be_a_look_at_how_the_grant_stands(web: Web) -> None:
    _, carrier = await partnered(web)
    assert "permission" in (await carrier.get("/delivery")).json["status"]
    assert await carrier.contents("delivery")
    assert web.server.count(web.carrier) == 1


@pytest.mark.asyncio
async def test_what_is_pinned_stays_known_without_its_document(web: Web) -> None:
    _, carrier = await partnered(web)
    assert await carrier.contents("delivery")
    web.server.withdraw(web.carrier)
    assert await carrier.contents("delivery")
    assert web.server.count(web.carrier) == 1


@pytest.mark.asyncio
async def test_several_at_once_share_one_look(web: Web) -> None:
    _, carrier = await partnered(web)
    replies = await asyncio.gather(*(carrier.get("/delivery/records") for _ in range(8)))
    assert {reply.status for reply in replies} == {200}
    assert web.server.count(web.carrier) == 1


@pytest.mark.asyncio
async def test_a_partner_that_is_a_key_needs_no_look(web: Web) -> None:
    _, other = await partnered(web, SECOND, SECOND.did)
    assert await other.contents("delivery")
    assert web.server.connections == 0


@pytest.mark.asyncio
async def test_a_key_that_no_document_lists_is_no_recipient(web: Web) -> None:
    shop, stranger = await partnered(web, STRANGER)
    for _ in range(3):
        assert (await stranger.get("/delivery/records")).code == "wrong-controller"
    assert "permission" not in (await stranger.get("/delivery")).json["status"]
    assert web.server.count(web.carrier) == 1  # looked at, and not again for a while
    assert "partners" not in await web.grant(shop)  # nothing is pinned of who was not seen
    assert await shop.delegate(CARRIER, path="/delivery").get("/delivery/records")
    # What was published too late counts when it is looked at again.
    web.server.publish(web.carrier, STRANGER.public)
    assert (await stranger.get("/delivery/records")).code == "wrong-controller"
    web.clock.advance(PAUSE_S)
    assert (await stranger.get("/delivery/records")).status == 200
    refused = [entry for entry in await web.entries(shop) if entry["kind"] == "refused"]
    assert {(entry["who"], entry["code"]) for entry in refused} >= {(STRANGER.did, "wrong-controller")}


@pytest.mark.asyncio
async def test_a_partner_whose_document_cannot_be_had_is_no_recipient_yet(tmp_path: Path) -> None:
    async with open_web(tmp_path / "node") as web:
        shop, carrier = await partnered(web, published=False)
        web.look_for(0.5)
        for _ in range(3):
            assert (await carrier.get("/delivery/records")).code == "wrong-controller"
        assert web.server.count(web.carrier) == 1
        assert "partners" not in await web.grant(shop)
        web.server.publish(web.carrier, CARRIER.public)
        web.look_for(FETCH_S)
        web.clock.advance(PAUSE_S)
        assert await carrier.contents("delivery")


@pytest.mark.asyncio
async def test_a_recipient_of_one_permission_is_none_of_another(web: Web) -> None:
    web.server.publish(web.carrier, CARRIER.public)
    asked = [*web.asked(web.carrier), *web.asked()]
    asked[1]["name"] = "news"
    shop = await web.house.relate(asked, key=SHOP)
    assert (await shop.delegate(CARRIER, path="/news").get("/news/records")).code == "wrong-controller"
    assert web.server.connections == 0
    assert await shop.delegate(CARRIER, path="/delivery").contents("delivery")
    assert (await shop.delegate(CARRIER, path="/news").get("/news/records")).code == "wrong-controller"


@pytest.mark.asyncio
async def test_who_would_not_be_let_in_anyway_is_worth_no_look(web: Web) -> None:
    shop, carrier = await partnered(web)
    late = shop.delegate(CARRIER, path="/delivery", expires_s=web.clock.now_s + 60)
    web.clock.advance(61)
    assert (await late.get("/delivery/records")).code == "capability-expired"
    assert (await carrier.get("/other/records")).code == "wrong-target"
    revoke = f"/g/{shop.grant}/zcaps/revocations/{carrier.capability.id.replace(':', '%3A')}"
    assert (await web.house.signed(SHOP, "POST", revoke, carrier.capability.document)).status == 204
    assert (await carrier.get("/delivery/records")).code == "revoked"
    await web.house.change(shop.grant, "pause")
    again = shop.delegate(CARRIER, path="/delivery")
    assert (await again.get("/delivery/records")).code == "grant-paused"
    await web.house.change(shop.grant, "end")
    assert (await again.get("/delivery/records")).code == "grant-ended"
    assert web.server.connections == 0


@pytest.mark.asyncio
async def test_a_stranger_sends_the_node_nowhere(web: Web) -> None:
    _, carrier = await partnered(web)
    before = await tables(web.house.node)
    forged = Held(web.house, STRANGER, carrier.grant, carrier.capability)
    assert (await forged.get("/delivery/records")).code == "wrong-controller"
    for delegated_by in (STRANGER, FOURTH):
        made = Held(web.house, delegated_by, carrier.grant, carrier.capability).delegate(
            STRANGER, path="/delivery"
        )
        assert (await made.get("/delivery/records")).code == "not-found"
    assert differing(before, await tables(web.house.node)) == set()
    assert web.server.connections == 0


@pytest.mark.asyncio
async def test_whoever_passes_it_on_must_be_allowed_to(web: Web) -> None:
    for delegates, code in (([], "wrong-controller"), (["#key-1"], None)):
        web.server.say(
            web.carrier,
            answering(
                json.dumps(
                    document_of(web.carrier, CARRIER.public, SECOND.public, capabilityDelegation=delegates)
                ).encode()
            ),
        )
        shop = await web.house.relate(web.asked(web.carrier), key=SHOP)
        carrier = shop.delegate(CARRIER, path="/delivery")
        assert (await carrier.get("/delivery/records")).status == 200
        assert (await carrier.delegate(SECOND, path="/delivery").get("/delivery/records")).code == code


@pytest.mark.asyncio
async def test_a_vendors_key_that_may_not_delegate(web: Web) -> None:
    document = document_of(web.shop, SHOP.public, capabilityDelegation=[])
    web.server.say(web.shop, answering(json.dumps(document).encode()))
    shop = await web.relate(CARRIER.did)
    assert await shop.contents("delivery")
    assert (
        await shop.delegate(CARRIER, path="/delivery").get("/delivery/records")
    ).code == "wrong-controller"


# Cutting off


async def cut_off(web: Web, held: Held, partner: str) -> bool:
    revoked: bool = (await web.house.own("POST", f"/grants/{held.grant}/revocations", {"partner": partner}))[
        "revoked"
    ]
    return revoked


@pytest.mark.requirement("IDN-27")
@pytest.mark.asyncio
async def test_cutting_off_a_domain_cuts_off_all_its_keys(web: Web) -> None:
    web.server.publish(web.carrier, CARRIER.public, SECOND.public)
    # One of them stands among the recipients by itself too.
    shop = await web.house.relate(web.asked(web.carrier, SECOND.did), key=SHOP)
    carriers = [shop.delegate(key, path="/delivery") for key in (CARRIER, SECOND)]
    further = carriers[0].delegate(SECOND, path="/delivery")
    for one in (*carriers, further):
        assert await one.contents("delivery")
    assert await cut_off(web, shop, web.carrier)
    assert not await cut_off(web, shop, web.carrier)
    for one in (*carriers, further):
        for path in ("/delivery/records", "/delivery", "/delivery/ledger/entries"):
            assert (await one.get(path)).code == "revoked"
    assert await shop.contents("delivery")
    web.clock.advance(PAUSE_S)
    assert (await carriers[0].get("/delivery/records")).code == "revoked"
    assert web.server.count(web.carrier) == 1
    entry = next(one for one in await web.entries(shop) if one.get("change") == "revoke")
    assert entry["revoked"] == web.carrier
    grant = await web.grant(shop)
    assert grant["revoked"] == [web.carrier]
    assert [one["revoked"] for one in grant["links"]] == [True, True, True]


@pytest.mark.requirement("IDN-27")
@pytest.mark.asyncio
async def test_a_domain_that_is_cut_off_before_it_was_seen_is_never_looked_at(web: Web) -> None:
    shop, carrier = await partnered(web)
    assert await cut_off(web, shop, web.carrier)
    assert (await carrier.get("/delivery/records")).code == "wrong-controller"
    assert web.server.connections == 0


@pytest.mark.asyncio
async def test_cutting_off_one_key_leaves_the_others_of_a_domain(web: Web) -> None:
    web.server.publish(web.carrier, CARRIER.public, SECOND.public)
    shop = await web.house.relate(web.asked(web.carrier), key=SHOP)
    one, other = (shop.delegate(key, path="/delivery") for key in (CARRIER, SECOND))
    assert await one.contents("delivery")
    assert await cut_off(web, shop, CARRIER.did)
    assert (await one.get("/delivery/records")).code == "revoked"
    assert await other.contents("delivery")


@pytest.mark.asyncio
async def test_taking_the_recipient_away_is_enough(web: Web) -> None:
    shop, carrier = await partnered(web)
    assert await carrier.contents("delivery")
    await web.house.change(shop.grant, "narrow", web.asked())
    assert (await carrier.get("/delivery/records")).code == "wrong-controller"
    assert web.server.count(web.carrier) == 1


# Other keys


@pytest.mark.requirement("IDN-26")
@pytest.mark.asyncio
async def test_a_partners_new_key_waits_for_the_persons_word_and_its_old_one_is_over(web: Web) -> None:
    shop, carrier = await partnered(web)
    assert await carrier.contents("delivery")
    web.server.publish(web.carrier, SECOND.public)
    assert await carrier.contents("delivery")  # nobody looks again at who is known
    renewed = shop.delegate(SECOND, path="/delivery")
    web.clock.advance(PAUSE_S)
    assert (await renewed.get("/delivery/records")).code == "wrong-controller"
    assert (
        await carrier.get("/delivery/records")
    ).code == "wrong-controller"  # its document has lost that key
    assert (await shop.get("/delivery/records")).status == 200
    grant = await web.grant(shop)
    assert (grant["state"], grant["newKeys"]) == ("live", True)
    assert grant["partners"][0]["keys"] == sorted([CARRIER.did, SECOND.did])
    [shown] = await web.keys(shop)
    assert [one["id"] for one in shown["offered"]] == [SECOND.did]
    assert (await web.accept(shop, shown["digest"])).json == {"accepted": web.carrier}
    assert await renewed.contents("delivery")
    assert (await carrier.get("/delivery/records")).code == "wrong-controller"
    assert "newKeys" not in await web.grant(shop)
    assert [entry["change"] for entry in await web.entries(shop) if entry["kind"] == "changed"] == [
        "approve", "vendor-keys",
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_a_partners_keys_that_come_back_need_no_word(web: Web) -> None:
    shop, carrier = await partnered(web)
    assert await carrier.contents("delivery")
    web.server.publish(web.carrier, SECOND.public)
    web.clock.advance(PAUSE_S)
    assert (await shop.delegate(SECOND, path="/delivery").get("/delivery/records")).code == "wrong-controller"
    assert (await carrier.get("/delivery/records")).code == "wrong-controller"
    web.server.publish(web.carrier, CARRIER.public)
    web.clock.advance(PAUSE_S)
    assert await carrier.contents("delivery")
    assert "newKeys" not in await web.grant(shop)


@pytest.mark.asyncio
async def test_cutting_off_reaches_keys_that_only_wait(web: Web) -> None:
    shop, carrier = await partnered(web, CARRIER, SECOND.did)
    assert await carrier.contents("delivery")
    web.server.publish(web.carrier, CARRIER.public, SECOND.public, FOURTH.public)
    web.clock.advance(PAUSE_S)
    assert (await shop.delegate(FOURTH, path="/delivery").get("/delivery/records")).code == "wrong-controller"
    own = shop.delegate(SECOND, path="/delivery")
    assert await own.contents("delivery")  # a recipient by itself
    assert await cut_off(web, shop, web.carrier)
    for one in (carrier, own):
        assert (await one.get("/delivery/records")).code == "revoked"
    assert "newKeys" not in await web.grant(shop)
    [shown] = await web.keys(shop)
    assert (await web.accept(shop, shown["digest"])).status == 200
    for one in (carrier, own):
        assert (await one.get("/delivery/records")).code == "revoked"


# Streams


@pytest.mark.asyncio
async def test_a_partner_may_be_seen_first_when_it_listens(web: Web) -> None:
    _, carrier = await partnered(web)
    async with listening(carrier, "/delivery") as ear:
        await ear.told("ready")
        assert web.server.count(web.carrier) == 1


@pytest.mark.asyncio
async def test_a_key_that_a_document_has_lost_hears_nothing_more(web: Web) -> None:
    shop, carrier = await partnered(web)
    async with listening(carrier, "/delivery") as ear:
        await ear.told("ready")
        web.server.publish(web.carrier, SECOND.public)
        web.clock.advance(PAUSE_S)
        assert (
            await shop.delegate(SECOND, path="/delivery").get("/delivery/records")
        ).code == "wrong-controller"
        await ear.told("end")
