"""Vendors that a domain vouches for: looked up at the request and at renewal, held to what was pinned ever after."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from did_server import answering, did_server, document_of
from ears import listening
from freehold_node.app import open_node
from freehold_node.config import Config
from freehold_node.resolver import PAUSE_S
from freehold_protocol.capability import Capability
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.invocation import TAG_DID, sign_message
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import sign_request
from harness import PASSPHRASE, Held, House, Reply, free_port, make_keys, permission
from tables import differing, tables
from web_vendor import FETCH_S, SECOND, SHOP, STRANGER, Web, open_web

DAY_S = 86_400


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with open_web(tmp_path / "node") as made:
        yield made


def asking(web: Web, key: SigningKey = SHOP, *, method: str | None = None) -> Document:
    """Return a request of the shop's."""
    house = web.house
    return sign_request(
        key, request_id="urn:uuid:" + house.uuid(), nonce=base64url_encode(house.rng.randbytes(32)), name="Shop",
        permissions=tuple(map(Permission.from_dict, web.asked())), created_s=house.now_s(),
        expires_s=house.now_s() + 30 * DAY_S, method=method or web.method(),
    ).document  # fmt: skip


async def invitation(web: Web) -> str:
    url: str = (await web.house.own("POST", "/invitations", {"label": "Shop"}))["url"]
    return url


async def ask(web: Web, key: SigningKey = SHOP, *, method: str | None = None) -> Reply:
    """Send a request to an invitation of its own."""
    return await send(web, await invitation(web), asking(web, key, method=method))


async def send(web: Web, url: str, document: Document) -> Reply:
    data = json.dumps(document).encode()
    path = url.removeprefix(web.house.base)
    return await web.house.send("POST", path, {"content-type": "application/json"}, data)


@pytest.mark.requirement("IDN-21", "PRV-7", "SEC-11")
@pytest.mark.asyncio
async def test_a_vendor_is_looked_up_when_it_asks_and_when_it_renews_and_never_else(web: Web) -> None:
    shop = await web.relate()
    assert web.server.count(web.shop) == 1
    assert shop.capability.controller == SHOP.public
    assert await shop.contents("delivery") == [
        {"type": "Person", "name": "Ada Example", "telephone": "+44 1632 960001"}
    ]
    assert (await shop.get("/delivery/records", method="HEAD")).status == 200
    for path in ("", "/ledger/entries", "/ledger/entries/0", "/ledger/checkpoint"):
        assert (await shop.get(path)).status == 200
        assert (await web.signed(SHOP, "GET", f"/g/{shop.grant}{path}")).status == 200
    assert web.server.count(web.shop) == 1
    again = await web.renewed(shop)
    assert web.server.count(web.shop) == 2
    assert await again.contents("delivery")
    assert await shop.contents("delivery")
    [request] = (await web.house.own("GET", "/requests"))["requests"]
    revoke = f"/g/{shop.grant}/zcaps/revocations/{shop.capability.id.replace(':', '%3A')}"
    assert (await web.signed(SHOP, "POST", revoke, shop.capability.document)).status == 204
    assert (await shop.get("/delivery/records")).code == "revoked"
    assert (await web.signed(SHOP, "GET", f"/requests/{request['id']}")).json["status"] == "approved"
    assert (await web.house.own("POST", "/verify", {}))["intact"]
    assert web.server.count(web.shop) == 2
    assert web.names.looked["shop.example"] == 2


@pytest.mark.asyncio
async def test_its_screens_name_the_domain(web: Web) -> None:
    shop = await web.relate()
    domain = web.shop.removeprefix("did:web:").replace("%3A", ":")
    told = {"id": web.shop, "name": "Test Shop", "vouched": True, "domain": domain}
    [request] = (await web.house.own("GET", "/requests"))["requests"]
    assert request["vendor"] == told
    assert (await web.grant(shop))["vendor"] == told
    by_key = await web.house.relate(web.asked())
    assert (await web.grant(by_key))["vendor"] == {
        "id": by_key.key.did,
        "name": "Test Shop",
        "vouched": False,
    }


@pytest.mark.requirement("RCP-4")
@pytest.mark.asyncio
async def test_the_receipt_holds_without_the_document(web: Web) -> None:
    shop = await web.relate()
    web.server.withdraw(web.shop)
    await web.house.change(shop.grant, "pause")
    told = (await web.signed(SHOP, "GET", f"/g/{shop.grant}")).json
    receipt = Receipt.from_dict(told["receipt"])
    grant = receipt.verify()
    assert (grant.vendor, grant.vendor_key, grant.state) == (web.shop, SHOP.public, "paused")
    assert receipt.request.method == web.method()


@pytest.mark.asyncio
async def test_both_ways_to_its_ledger_show_the_same(web: Web) -> None:
    """What it did stands under its key, what was done to the grant under its DID: it sees both."""
    shop = await web.relate()
    await shop.contents("delivery")
    await shop.get("/other/records")
    by_capability = (await shop.get("/ledger/entries")).json["entries"]
    by_did = (await web.signed(SHOP, "GET", f"/g/{shop.grant}/ledger/entries")).json["entries"]
    assert by_did == by_capability
    assert [one["entry"]["kind"] for one in by_did] == ["changed", "admitted", "refused"]
    assert [one["entry"].get("who") for one in by_did] == [None, SHOP.did, SHOP.did]


# At the request


@pytest.mark.requirement("REQ-18")
@pytest.mark.asyncio
async def test_a_request_is_held_to_the_document(web: Web) -> None:
    async def refused(key: SigningKey, method: int = 1, **more: Any) -> str | None:
        document = document_of(web.shop, SHOP.public, SECOND.public, **more)
        web.server.say(web.shop, answering(json.dumps(document).encode()))
        return (await ask(web, key, method=web.method(method))).code

    assert await refused(STRANGER) == "signature-invalid"
    assert await refused(SHOP, 3) == "signature-invalid"
    assert await refused(SHOP, 2) == "signature-invalid"
    assert await refused(SHOP, assertionMethod=["#key-2"]) == "signature-invalid"
    for use in ("assertionMethod", "authentication", "capabilityInvocation"):
        more: dict[str, Any] = {use: []}
        assert await refused(SHOP, **more) == "unsupported"
    assert not (await web.house.own("GET", "/requests"))["requests"]
    assert await refused(SHOP, capabilityDelegation=[]) is None  # who does not delegate needs no key for it


@pytest.mark.asyncio
async def test_a_request_whose_document_cannot_be_had_can_come_again(tmp_path: Path) -> None:
    async with open_web(tmp_path / "node", fetch_s=0.5) as web:
        url, document = await invitation(web), asking(web)
        before = await tables(web.house.node)
        for _ in range(2):
            reply = await send(web, url, document)
            assert (reply.status, reply.code) == (503, "did-unavailable")
            assert reply.headers["Retry-After"] == str(PAUSE_S)
        assert differing(before, await tables(web.house.node)) == set()
        assert web.server.count(web.shop) == 1
        web.server.publish(web.shop, SHOP.public)
        web.look_for(FETCH_S)
        web.clock.advance(PAUSE_S)
        assert (await send(web, url, document)).status == 202
        assert (await send(web, url, document)).status == 202  # the same again looks at nothing
        assert web.server.count(web.shop) == 2


@pytest.mark.asyncio
async def test_what_is_wrong_by_itself_is_worth_no_look(web: Web) -> None:
    web.server.publish(web.shop, SHOP.public)
    url = await invitation(web)
    _, good = await web.house.ask(SHOP, web.asked(), method=web.method())
    before = web.server.count(web.shop)
    assert before == 1
    permission = good.document["permission"][0]
    zone = {"hours": {"days": ["Mo"], "from": "08:00", "to": "09:00", "timeZone": "Europe/Nowhere"}}
    for change, code in (
        ({"created": "2026-11-21T12:00:00Z"}, "signature-stale"),
        ({"expires": "2026-11-23T12:00:00Z"}, "request-incomplete"),
        ({"permission": [{**permission, "purpose": []}]}, "request-incomplete"),
        ({"permission": [{**permission, "limits": zone}]}, "malformed"),
        ({"assignee": {**good.document["assignee"], "id": "did:web:10.0.0.1"}}, "malformed"),
        ({"assignee": {**good.document["assignee"], "id": web.carrier}}, "signature-invalid"),
        ({"proof": {**good.document["proof"], "verificationMethod": SHOP.method}}, "signature-invalid"),
        ({"proof": []}, "malformed"),
    ):
        assert (await send(web, url, {**good.document, **change})).code == code, change
    for other in (url[:-3] + "abc", url.rpartition("/")[0] + "/x"):
        assert (await send(web, other, good.document)).code == "not-found"
    assert sum(web.names.looked.values()) == before


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254", "8.8.8.8"], ["::1"]])
@pytest.mark.asyncio
async def test_a_vendor_in_the_nodes_own_network_is_nobody(tmp_path: Path, addresses: list[str]) -> None:
    async with open_web(tmp_path / "node", fetch_s=0.2, allow_private_hosts=False) as web:
        web.names.known["shop.example"] = [addresses]
        web.server.publish(web.shop, SHOP.public)
        inside = await ask(web)
        web.names.known.pop("carrier.example")
        outside = await ask(web, method=f"{web.carrier}#key-1")
        assert (inside.status, inside.body) == (outside.status, outside.body)
        assert inside.code == "did-unavailable"
        assert web.server.connections == 0


# What it signs by its DID


@pytest.mark.requirement("IDN-22", "INV-20")
@pytest.mark.asyncio
async def test_only_pinned_keys_speak_for_it(web: Web) -> None:
    shop = await web.relate()
    [request] = (await web.house.own("GET", "/requests"))["requests"]
    web.server.publish(web.shop, SHOP.public, SECOND.public)
    strangers = [
        (SECOND, web.method(2)),  # listed by now, and not pinned
        (STRANGER, web.method()),
        (SHOP, web.method(2)),
        (SHOP, f"{web.shop}:a#key-1"),
        (SHOP, f"{web.carrier}#key-1"),
        (SHOP, web.shop),
        (SHOP, None),  # the key by itself is not the vendor
        (STRANGER, None),
    ]
    before = await tables(web.house.node)
    nowhere = web.house.uuid()
    for key, method in strangers:
        for path in ("/g/{}", "/g/{}/ledger/entries", "/requests/{}"):
            real = request["id"] if "requests" in path else shop.grant
            replies = [
                await web.house.signed(key, "GET", path.format(one), keyid=method) for one in (real, nowhere)
            ]
            assert [reply.status for reply in replies] == [404, 404], (method, path)
            assert replies[0].body == replies[1].body
    assert differing(before, await tables(web.house.node)) == set()
    assert web.server.count(web.shop) == 1


@pytest.mark.asyncio
async def test_a_message_of_its_counts_once(web: Web) -> None:
    shop = await web.relate()
    path, house = f"/g/{shop.grant}", web.house
    signed = sign_message(
        SHOP, tag=TAG_DID, method="GET", target_uri=house.base + path, created_s=house.now_s(), nonce=house.nonce(),
        keyid=web.method(),
    )  # fmt: skip
    assert (await house.send("GET", path, signed)).status == 200
    assert (await house.send("GET", path, signed)).code == "replayed"


@pytest.mark.asyncio
async def test_following_the_request_does_not_stand_for_renewal(web: Web) -> None:
    """Else a key that the document has lost could get capabilities for ever without anybody looking there."""
    web.server.publish(web.shop, SHOP.public)
    path, _ = await web.house.ask(SHOP, web.asked(), method=web.method())
    asked_s = web.clock.now_s
    web.clock.advance(5 * DAY_S)
    await web.house.approve(path, web.asked())
    told = (await web.signed(SHOP, "GET", path)).json
    assert Capability.from_dict(told["capability"]).expires_s == asked_s + 7 * DAY_S
    web.clock.advance(2 * DAY_S)
    told = (await web.signed(SHOP, "GET", path)).json
    assert told["status"] == "approved"
    assert not {"capability", "code"} & told.keys()
    grant = told["grant"].rpartition("/")[2]
    renewed = await web.signed(SHOP, "POST", f"/g/{grant}/renew")
    assert Capability.from_dict(renewed.json["capability"]).expires_s == web.clock.now_s + 7 * DAY_S


# At renewal


@pytest.mark.asyncio
async def test_what_else_changes_in_a_document_changes_nothing(web: Web) -> None:
    shop = await web.relate()
    document = document_of(
        web.shop, SHOP.public, service=[{"id": "#s", "type": "X", "serviceEndpoint": "https://a"}]
    )
    document["verificationMethod"].append({"id": "#jwk", "type": "JsonWebKey", "controller": web.shop})
    document["authentication"] = ["#jwk", "#key-1"]
    web.server.say(web.shop, answering(json.dumps(document).encode()))
    assert await (await web.renewed(shop)).contents("delivery")
    assert (await web.grant(shop))["state"] == "live"


@pytest.mark.requirement("HTTP-62")
@pytest.mark.asyncio
async def test_a_document_that_cannot_be_had_at_renewal_changes_nothing(tmp_path: Path) -> None:
    async with open_web(tmp_path / "node") as web:
        shop = await web.relate()
        web.server.withdraw(web.shop)
        web.look_for(0.5)
        before = await tables(web.house.node)
        for _ in range(2):
            reply = await web.renew(shop)
            assert (reply.status, reply.code) == (503, "did-unavailable")
            assert reply.headers["Retry-After"] == str(PAUSE_S)
        assert differing(before, await tables(web.house.node)) == {"nonce"}
        assert web.server.count(web.shop) == 2
        assert await shop.contents("delivery")  # what it has is good for as long as it was given
        web.server.publish(web.shop, SHOP.public)
        web.look_for(FETCH_S)
        web.clock.advance(PAUSE_S)
        assert await (await web.renewed(shop)).contents("delivery")


@pytest.mark.asyncio
async def test_a_grant_that_is_over_is_worth_no_look(web: Web) -> None:
    shop = await web.relate()
    await web.house.change(shop.grant, "end")
    assert (await web.renew(shop)).code == "grant-ended"
    assert web.server.count(web.shop) == 1


async def changed(web: Web, *keys: SigningKey) -> Held:
    """Relate, let the document list other keys, and renew."""
    shop = await web.relate()
    await shop.contents("delivery")
    web.server.publish(web.shop, *(key.public for key in keys))
    reply = await web.renew(shop)
    assert (reply.status, reply.code) == (403, "grant-paused")
    return shop


@pytest.mark.requirement("IDN-23", "GRA-26")
@pytest.mark.parametrize(
    "keys", [(SHOP, SECOND), (SECOND,), (SECOND, SHOP)], ids=["another too", "another", "other names"]
)
@pytest.mark.asyncio
async def test_other_keys_pause_the_grant_and_ask_the_person(web: Web, keys: tuple[SigningKey, ...]) -> None:
    shop = await changed(web, *keys)
    grant = await web.grant(shop)
    assert (grant["state"], grant["version"], grant["newKeys"]) == ("paused", 2, True)
    assert (await web.house.own("GET", "/status"))["newKeys"] == 1
    changes = [entry for entry in await web.entries(shop) if entry["kind"] == "changed"]
    assert [entry["change"] for entry in changes] == ["approve", "pause"]
    assert (await shop.get("/delivery/records")).code == "grant-paused"
    for path in ("", "/ledger/checkpoint"):
        assert (await web.signed(SHOP, "GET", f"/g/{shop.grant}{path}")).status == 200  # it explains itself
    [keys_shown] = await web.keys(shop)
    assert keys_shown["id"] == web.shop
    assert [one["id"] for one in keys_shown["keys"]] == [SHOP.did]
    assert sorted(one["id"] for one in keys_shown["offered"]) == sorted(key.did for key in keys)
    assert all(len(one["uses"]) == 4 for one in (*keys_shown["keys"], *keys_shown["offered"]))
    told = (await web.signed(SHOP, "GET", f"/g/{shop.grant}")).json
    assert Receipt.from_dict(told["receipt"]).verify().state == "paused"
    assert (await web.house.own("POST", "/verify", {}))["intact"]


@pytest.mark.requirement("IDN-24", "GRA-27", "GRA-28")
@pytest.mark.asyncio
async def test_it_is_resumed_only_after_the_keys_were_accepted(web: Web) -> None:
    shop = await changed(web, SECOND)
    refused = await web.house.owner("POST", f"/grants/{shop.grant}/draft", {"change": "resume"})
    assert (refused.status, refused.code) == (409, "not-in-this-state")
    assert "keys have changed" in refused.json["detail"]
    [shown] = await web.keys(shop)
    before = await tables(web.house.node)
    for digest, passphrase, status, code in (
        (shown["digest"], None, 403, "passphrase-wrong"),
        (shown["digest"], "wrong", 403, "passphrase-wrong"),
        ("A" * 43, PASSPHRASE, 409, "draft-changed"),
    ):
        reply = await web.accept(shop, digest, passphrase)
        assert (reply.status, reply.code) == (status, code)
    assert differing(before, await tables(web.house.node)) == {"nonce"}
    reply = await web.accept(shop, shown["digest"])
    assert (reply.status, reply.json) == (200, {"accepted": web.shop})
    assert (await web.accept(shop, shown["digest"])).code == "not-in-this-state"
    grant = await web.grant(shop)
    assert grant["state"] == "paused"
    assert "newKeys" not in grant
    assert [entry["change"] for entry in await web.entries(shop) if entry["kind"] == "changed"] == [
        "approve", "pause", "vendor-keys",
    ]  # fmt: skip
    await web.house.change(shop.grant, "resume")
    # The old key has no say any more, under its capability or by the DID; the new one has.
    for path in ("/delivery/records", "", "/ledger/entries"):
        assert (await shop.get(path)).code == "revoked"
    assert (await web.signed(SHOP, "GET", f"/g/{shop.grant}")).status == 404
    now = await web.renewed(shop, SECOND)
    assert now.capability.controller == SECOND.public
    assert await now.contents("delivery")
    entries = (await now.get("/ledger/entries")).json["entries"]
    assert all("entry" in one for one in entries)  # also what the old key did
    assert (await web.house.own("POST", "/verify", {}))["intact"]
    receipt = Receipt.from_dict((await web.signed(SECOND, "GET", f"/g/{shop.grant}")).json["receipt"])
    assert receipt.verify().vendor_key == SHOP.public  # who asked then


@pytest.mark.requirement("GRA-27")
@pytest.mark.asyncio
async def test_a_draft_from_before_does_not_resume_it(web: Web) -> None:
    shop = await web.relate()
    await web.house.change(shop.grant, "pause")
    draft = await web.house.own("POST", f"/grants/{shop.grant}/draft", {"change": "resume"})
    web.server.publish(web.shop, SECOND.public)
    assert (await web.renew(shop)).code == "grant-paused"
    sent = {"digest": draft["digest"], "passphrase": PASSPHRASE}
    reply = await web.house.owner("POST", f"/grants/{shop.grant}/change", sent)
    assert (reply.status, reply.code) == (409, "not-in-this-state")
    [shown] = await web.keys(shop)
    assert (await web.accept(shop, shown["digest"])).status == 200
    await web.house.change(shop.grant, "resume")
    assert await (await web.renewed(shop, SECOND)).contents("delivery")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.asyncio
async def test_a_vendor_that_lost_its_old_key_is_heard_by_its_new_one(web: Web, number: int) -> None:
    """Whether that stands under the old one's name or another."""
    shop = await web.relate()
    text = json.dumps(document_of(web.shop, SECOND.public)).replace("#key-1", f"#key-{number}")
    web.server.say(web.shop, answering(text.encode()))
    assert (await web.renew(shop, SECOND, number=number)).code == "grant-paused"
    assert (await web.grant(shop))["newKeys"] is True
    assert web.server.count(web.shop) == 2
    # Nothing else is open to it before the person says so.
    assert (await web.signed(SECOND, "GET", f"/g/{shop.grant}", number=number)).status == 404
    [shown] = await web.keys(shop)
    assert (await web.accept(shop, shown["digest"])).status == 200
    await web.house.change(shop.grant, "resume")
    assert await (await web.renewed(shop, SECOND, number=number)).contents("delivery")


@pytest.mark.asyncio
async def test_a_stranger_pauses_nothing(web: Web) -> None:
    """The document has changed, but nobody who is listed in it, or was, asks for a renewal."""
    shop = await web.relate()
    web.server.publish(web.shop, SECOND.public)
    before = await tables(web.house.node)
    for key, method in (
        (STRANGER, web.method()),
        (STRANGER, web.method(2)),
        (STRANGER, None),
        (STRANGER, f"{web.carrier}#key-1"),
        (SECOND, web.method(2)),
    ):
        reply = await web.house.signed(key, "POST", f"/g/{shop.grant}/renew", keyid=method)
        assert (reply.status, reply.code) == (404, "not-found")
    assert differing(before, await tables(web.house.node)) == set()
    assert await shop.contents("delivery")


@pytest.mark.asyncio
async def test_a_stranger_does_not_learn_that_a_document_cannot_be_had(tmp_path: Path) -> None:
    async with open_web(tmp_path / "node") as web:
        shop = await web.relate()
        web.server.withdraw(web.shop)
        web.look_for(0.3)
        replies = [
            await web.house.signed(STRANGER, "POST", f"/g/{grant}/renew", keyid=web.method(7))
            for grant in (shop.grant, shop.grant, web.house.uuid())
        ]
        assert {reply.status for reply in replies} == {404}
        assert len({reply.body for reply in replies}) == 1


@pytest.mark.asyncio
async def test_keys_that_come_back_need_no_word(web: Web) -> None:
    shop = await changed(web, SHOP, SECOND)
    web.server.publish(web.shop, SHOP.public)
    assert (await web.renew(shop)).code == "grant-paused"
    assert "newKeys" not in await web.grant(shop)
    assert "offered" not in (await web.keys(shop))[0]
    await web.house.change(shop.grant, "resume")
    assert await shop.contents("delivery")


@pytest.mark.requirement("IDN-24")
@pytest.mark.asyncio
async def test_what_is_accepted_is_what_was_seen(web: Web) -> None:
    shop = await changed(web, SHOP, SECOND)
    [seen] = await web.keys(shop)
    web.server.publish(web.shop, SHOP.public, STRANGER.public)
    assert (await web.renew(shop)).code == "grant-paused"
    assert (await web.accept(shop, seen["digest"])).code == "draft-changed"
    [seen] = await web.keys(shop)
    assert (await web.accept(shop, seen["digest"])).status == 200
    assert sorted(one["id"] for one in (await web.keys(shop))[0]["keys"]) == sorted([SHOP.did, STRANGER.did])
    changes = [entry for entry in await web.entries(shop) if entry["kind"] == "changed"]
    assert [entry["change"] for entry in changes] == ["approve", "pause", "vendor-keys"]  # paused once


@pytest.mark.asyncio
async def test_other_grants_go_on(web: Web) -> None:
    other = await web.relate()
    by_key = await web.house.relate(web.asked())
    shop = await changed(web, SECOND)
    assert (await web.grant(shop))["state"] == "paused"
    assert await other.contents("delivery")  # another relationship, with pins of its own
    assert await by_key.contents("delivery")
    assert (await web.renew(other)).code == "grant-paused"  # which finds out by itself
    assert (await web.house.own("GET", "/status"))["newKeys"] == 2


@pytest.mark.requirement("HTTP-62")
@pytest.mark.asyncio
async def test_a_key_of_several_gets_its_own_capability(web: Web) -> None:
    web.server.publish(web.shop, SHOP.public, SECOND.public)
    shop = await web.relate()
    assert shop.capability.controller == SHOP.public
    other = await web.renewed(shop, SECOND, number=2)
    assert other.capability.controller == SECOND.public
    assert await shop.contents("delivery") == await other.contents("delivery")
    entries = [entry["who"] for entry in await web.entries(shop) if entry["kind"] == "admitted"]
    assert entries == [SHOP.did, SECOND.did]


@pytest.mark.asyncio
async def test_a_key_that_only_signs_gets_a_capability_for_the_one_that_reads(web: Web) -> None:
    uses: dict[str, Any] = {
        "assertionMethod": ["#key-1"],
        "authentication": ["#key-1"],
        "capabilityInvocation": ["#key-2"],
    }
    document = document_of(web.shop, SHOP.public, SECOND.public, **uses)
    web.server.say(web.shop, answering(json.dumps(document).encode()))
    held = await web.relate()
    assert held.capability.controller == SECOND.public
    assert (await held.get("/delivery/records")).code == "wrong-controller"
    assert await Held(web.house, SECOND, held.grant, held.capability).contents("delivery")
    assert (await web.signed(SECOND, "GET", f"/g/{held.grant}", number=2)).status == 404
    assert web.server.count(web.shop) == 1


@pytest.mark.asyncio
async def test_owners_routes_for_keys(web: Web) -> None:
    house, by_key = web.house, await web.house.relate(web.asked())
    assert await web.keys(by_key) == []
    assert (await web.accept(by_key, "A" * 43)).code == "not-in-this-state"
    given: Document = {"digest": "A" * 43, "passphrase": PASSPHRASE}
    for method, body in (("GET", None), ("POST", given)):
        assert (await house.owner(method, f"/grants/{house.uuid()}/keys", body)).code == "not-found"
        stranger = await house.signed(STRANGER, method, f"/owner/grants/{by_key.grant}/keys", body)
        assert stranger.code == "not-authenticated"
    wrong: list[Document] = [{}, {"digest": 7}, {"digest": "A", "more": 1}, {"passphrase": "x"}]
    for sent in wrong:
        assert (await house.owner("POST", f"/grants/{by_key.grant}/keys", sent)).code == "malformed"


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.asyncio
async def test_a_vendor_on_this_computer_takes_a_setting(tmp_path: Path, allowed: bool) -> None:
    """As somebody tries things out: no TLS, no names, a node as it is configured and nothing else."""
    folder, port = tmp_path / "node", free_port()
    base = f"http://127.0.0.1:{port}"
    config = Config(data_dir=folder, port=port, origins=(base,), allow_private_hosts=allowed)
    async with (
        did_server(tls=False) as server,
        open_node(config, make_keys(folder, random.Random(1))) as node,
        aiohttp.ClientSession() as session,
    ):
        await node.listen()
        house = House(node=node, base=base, session=session, clock=None)
        did = server.did("127.0.0.1")
        server.publish(did, SHOP.public)
        asked = [permission("delivery", ["name"])]
        if not allowed:
            with pytest.raises(AssertionError, match="did-unavailable"):
                await house.relate(asked, key=SHOP, method=f"{did}#key-1")
            assert server.connections == 0
            return
        held = await house.relate(asked, key=SHOP, method=f"{did}#key-1")
        assert (await house.own("GET", f"/grants/{held.grant}"))["vendor"]["vouched"] is False
        assert (await held.get("/delivery/records")).status == 200


@pytest.mark.asyncio
async def test_a_stream_ends_when_the_vendors_keys_have_changed(web: Web) -> None:
    shop = await web.relate()
    async with listening(shop) as ear:
        await ear.told("ready")
        web.server.publish(web.shop, SECOND.public)
        assert (await web.renew(shop)).code == "grant-paused"
        await ear.told("end")
    assert web.server.count(web.shop) == 2
