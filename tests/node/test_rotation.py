"""New keys for a relationship: what was issued before is dead, what the vendor knows records by is not."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from freehold_node.store.rows import RequestRow
from freehold_node.store.store import Transactor
from freehold_protocol.bundle import require_intact, verify_bundle
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import Capability
from freehold_protocol.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from freehold_protocol.errors import SignatureError
from freehold_protocol.receipt import Receipt
from freehold_protocol.released import verify_released
from harness import PASSPHRASE, Held, House, TestClock, free_port, make_keys, open_house
from shop import COURIER, MARKETING, OUTSIDER, contacts, delivery, keys_of, kinds, shop
from signed_documents import make_request

pytestmark = pytest.mark.asyncio
READ = "/delivery/records"


async def rotate(house: House, grant: str) -> Any:
    return await house.change(grant, "rotate")


async def receipt_of(house: House, grant: str) -> Receipt:
    return Receipt.from_dict((await house.own("GET", f"/grants/{grant}"))["receipt"])


async def renewed(held: Held) -> Held:
    reply = await held.house.signed(held.key, "POST", f"/g/{held.grant}/renew")
    assert reply.status == 200, reply.body
    return dataclasses.replace(held, capability=Capability.from_dict(reply.json["capability"]))


async def checkpoint_of(house: House, grant: str) -> str:
    bundle = await house.own("GET", f"/grants/{grant}/ledger/bundle")
    return str(bundle["checkpoint"])


async def test_a_relationship_goes_on_under_new_keys(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        before = (await held.get(READ)).json
        old = await keys_of(house, held.grant)
        kept = [await checkpoint_of(house, held.grant)]

        done = await rotate(house, held.grant)
        assert (done["version"], done["state"]) == (2, "live")
        new = await keys_of(house, held.grant)
        receipt = await receipt_of(house, held.grant)
        version = receipt.verify()
        assert (version.decision_key, version.serving_key) == (new.decision.public, new.serving.public)
        assert receipt.serving_keys == (old.serving.public, new.serving.public)
        for name in ("decision", "serving", "cursor", "salt", "generation"):
            assert getattr(old, name) != getattr(new, name)
        assert old.alias == new.alias

        assert (await held.get(READ)).code == "revoked"
        fresh = await renewed(held)
        after = (await fresh.get(READ)).json
        verify_released(after, key=new.serving.public)
        assert [item["id"] for item in after["items"]] == [item["id"] for item in before["items"]]
        assert after["issuer"] != before["issuer"]
        assert await kinds(house, held.grant) == [
            "changed approve", "admitted", "changed rotate", "refused revoked", "admitted",
        ]  # fmt: skip
        bundle = await house.own("GET", f"/grants/{held.grant}/ledger/bundle")
        assert require_intact(bundle, earlier=kept).serving == new.serving.public
        assert (await house.own("POST", "/verify", {}))["intact"]


@pytest.mark.requirement("ROT-9", "CAP-20")
async def test_a_chain_that_was_remembered_dies_and_one_that_was_not_dies_too(tmp_path: Path) -> None:
    folder, clock, port = tmp_path / "node", TestClock(), free_port()
    keys = make_keys(folder, Random(1))
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        unseen = held.delegate(COURIER, path="/delivery")
        for one in (held, courier):
            assert (await one.get(READ)).status == 200
        await rotate(house, held.grant)
        for one in (held, courier, unseen):
            for path in (READ, f"{READ}?limit=1", "/delivery/ledger/entries", "/delivery"):
                assert (await one.get(path)).code == "revoked", path
        assert (await held.get("")).code == "revoked"
        fresh = await renewed(held)
        assert (await fresh.delegate(COURIER, path="/delivery").get(READ)).status == 200
    clock.advance(60)
    async with open_house(folder, keys=keys, clock=clock, port=port, seed=2) as house:
        held, courier, fresh = (dataclasses.replace(one, house=house) for one in (held, courier, fresh))
        assert [(await one.get(READ)).code for one in (held, courier)] == ["revoked"] * 2
        assert (await fresh.get(READ)).status == 200


async def test_whoever_forges_under_a_key_that_was_given_up_reads_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        old = await keys_of(house, held.grant)
        await rotate(house, held.grant)
        mark = (await renewed(held)).capability.generation

        def forged(signer: Any, holder: Any, generation: str | None = mark) -> Held:
            made = Held(house=house, key=signer, grant=held.grant, capability=held.capability)
            from freehold_protocol.capability import delegate

            capability = delegate(
                signer, capability_id="urn:uuid:" + house.uuid(), controller=holder.public,
                target=f"{house.base}/g/{held.grant}", actions=("read",), created_s=house.now_s(),
                expires_s=house.now_s() + 3600, generation=generation,
            )  # fmt: skip
            return dataclasses.replace(made, key=holder, capability=capability)

        assert (await forged(old.serving, held.key).get(READ)).code == "revoked"
        for holder in (COURIER, OUTSIDER):
            assert (await forged(old.serving, holder).get(READ)).code == "not-found"
        assert (await forged(old.decision, held.key).get(READ)).code == "not-found"
        lying = forged(OUTSIDER, held.key)
        document = dict(lying.capability.document)
        document["proof"] = document["proof"] | {"verificationMethod": old.serving.method}
        lying.capability = Capability.from_dict(document)
        assert (await lying.get(READ)).code == "not-found"


async def test_renouncing_what_is_dead_already_is_answered(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        await rotate(house, held.grant)
        path = f"/g/{held.grant}/zcaps/revocations/{quote(held.capability.id, safe='')}"
        document = held.capability.document
        assert (await house.signed(held.key, "POST", path, document)).status == 204
        assert (await house.signed(OUTSIDER, "POST", path, document)).code == "not-found"
        assert (await house.own("GET", f"/grants/{held.grant}"))["revoked"] == []


@pytest.mark.requirement("ROT-6")
async def test_it_takes_the_passphrase_and_the_draft_that_was_seen(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        path = f"/grants/{held.grant}"
        before = (await house.own("GET", path))["permissions"]
        draft = await house.own("POST", f"{path}/draft", {"change": "rotate"})
        assert draft["passphrase"] is True
        assert draft["draft"]["permission"] == before
        for body in (
            {"digest": draft["digest"]},
            {"digest": draft["digest"], "passphrase": "not this one"},
        ):
            assert (await house.owner("POST", f"{path}/change", body)).code == "passphrase-wrong"
        second = await house.own("POST", f"{path}/draft", {"change": "rotate"})
        await house.change(held.grant, "pause")
        for one in (draft, second):
            sent = {"digest": one["digest"], "passphrase": PASSPHRASE}
            assert (await house.owner("POST", f"{path}/change", sent)).code == "conflict"
        refused = await house.owner("POST", f"{path}/draft", {"change": "rotate", "permissions": [MARKETING]})
        assert refused.code == "malformed"
        await rotate(house, held.grant)
        assert (await house.own("GET", path))["state"] == "paused"
        await house.change(held.grant, "end")
        assert (await house.owner("POST", f"{path}/draft", {"change": "rotate"})).code == "not-in-this-state"
        assert (await house.own("POST", "/verify", {}))["intact"]


async def test_again_and_again(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        holders, kept = [held], [await checkpoint_of(house, held.grant)]
        for _ in range(3):
            await rotate(house, held.grant)
            holders.append(await renewed(held))
            assert (await holders[-1].get(READ)).status == 200
            kept.append(await checkpoint_of(house, held.grant))
        assert [(await one.get(READ)).code for one in holders[:-1]] == ["revoked"] * 3
        receipt = await receipt_of(house, held.grant)
        assert receipt.verify().version == 4
        assert len(set(receipt.serving_keys)) == 4
        bundle = await house.own("GET", f"/grants/{held.grant}/ledger/bundle")
        assert require_intact(bundle, earlier=kept).status == "intact"


@pytest.mark.requirement("ROT-12")
async def test_the_old_key_signs_no_checkpoint_of_what_came_after(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        old = await keys_of(house, held.grant)
        await rotate(house, held.grant)
        bundle = await house.own("GET", f"/grants/{held.grant}/ledger/bundle")
        note, origin = bundle["checkpoint"], bundle["origin"]
        with pytest.raises(SignatureError):
            open_checkpoint(note, origin=origin, key=old.serving.public)
        new = await keys_of(house, held.grant)
        head = open_checkpoint(note, origin=origin, key=new.serving.public)
        forged = sign_checkpoint(Checkpoint(origin=origin, size=head.size, root=head.root), old.serving)
        by_old = bundle | {"checkpoint": forged, "servingKey": old.serving.did}
        assert verify_bundle(by_old).faults == ("key",)
        assert verify_bundle(bundle, earlier=[forged]).faults == ("rolled-back",)


@pytest.mark.requirement("ROT-7", "ROT-11")
async def test_a_page_is_not_gone_on_with_and_no_view_is_remembered(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await shop(house)
        await house.import_file(contacts(0, 5))
        everyone = {
            **delivery(),
            "items": [{"type": "Person", "about": "any", "fields": ["name"], "newRecords": True}],
        }
        held, other = await house.relate([everyone]), await house.relate([everyone], name="Other Shop")
        first = (await held.get(f"{READ}?limit=2")).json
        assert (await other.get(READ)).status == 200
        remembered = house.node.gate._views._cache
        assert {grant for grant, _ in remembered} == {held.grant, other.grant}
        await rotate(house, held.grant)
        assert {grant for grant, _ in remembered} == {other.grant}
        fresh = await renewed(held)
        assert (await fresh.get(f"{READ}?limit=2&cursor={first['next']}")).code == "cursor-stale"
        again = (await fresh.get(f"{READ}?limit=2")).json
        assert [item["id"] for item in again["items"]] == [item["id"] for item in first["items"]]


async def second_grant(house: House, held: Held, number: int) -> str:
    """Return another grant of the same relationship, of which the flow by invitation makes only one each."""
    standing = await house.node.store.read(lambda reader: reader.standing(house.node.owner, held.grant))
    assert standing is not None
    request = make_request(
        held.key, request_id=f"urn:uuid:00000000-0000-4000-8000-00000000000{number}", nonce=str(number) * 22,
        created_s=house.now_s(), expires_s=house.now_s() + 86_400,
    )  # fmt: skip
    row = RequestRow(
        id=f"request-{number}", relationship=standing.relationship, cid=request.cid, status="waiting",
        received_us=0, decided_us=None, grant=None, reason=None, document=jcs(request.document),
    )  # fmt: skip

    def write(tx: Transactor) -> None:
        tx.add_request(house.node.owner, row)

    await house.node.store.write(write)
    return await house.approve(f"/requests/{row.id}", [one.to_dict() for one in request.permissions])


@pytest.mark.requirement("ROT-5")
async def test_every_grant_of_a_relationship_changes_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        stranger = await house.relate([MARKETING], name="Other Shop")
        paused, over = await second_grant(house, held, 1), await second_grant(house, held, 2)
        await house.change(paused, "pause")
        await house.change(over, "end")
        old = await keys_of(house, over)
        others = await keys_of(house, stranger.grant)
        await rotate(house, held.grant)
        new = await keys_of(house, held.grant)
        assert await keys_of(house, paused) == new != old
        assert (await receipt_of(house, paused)).verify().serving_key == new.serving.public
        assert (await house.own("GET", f"/grants/{paused}"))["state"] == "paused"
        assert (await kinds(house, paused))[-1] == "changed rotate"
        # What is over says with the keys it had how it ended.
        assert await keys_of(house, over) == old
        bundle = await house.own("GET", f"/grants/{over}/ledger/bundle")
        assert require_intact(bundle).serving == old.serving.public
        assert await keys_of(house, stranger.grant) == others
        assert (await stranger.get("/marketing/records")).status == 200
        assert (await house.own("POST", "/verify", {}))["intact"]


async def test_a_vendor_s_did_reads_the_receipt_in_every_state(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        await rotate(house, held.grant)
        await house.change(held.grant, "end")
        told = (await house.signed(held.key, "GET", f"/g/{held.grant}")).json
        newest = Receipt.from_dict(told["receipt"]).verify()
        assert newest.state == "ended"
        open_checkpoint(told["checkpoint"], origin=newest.log, key=newest.serving_key)
