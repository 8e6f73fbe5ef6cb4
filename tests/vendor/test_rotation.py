"""The keys of a relationship change under a vendor: it goes on by itself, and believes no key that was given up."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from freehold_protocol.checkpoint import parse_checkpoint, sign_checkpoint
from freehold_protocol.errors import NotFoundError, ReceiptError, RevokedError, SignatureError
from freehold_protocol.keys import PublicKey
from freehold_vendor import KeptInFolder, Vendor
from vendor_scene import COURIER, Liar, Passing, Scene, ambient_of, grant_id, identity

pytestmark = pytest.mark.asyncio


@pytest.mark.requirement("ROT-10", "ROT-14")
async def test_it_goes_on_by_itself(scene: Scene) -> None:
    access = await scene.relate()
    before = await access.read("delivery")
    known = access.checkpoint
    await scene.change(access, "rotate")
    after = await access.read("delivery")
    assert after.records[0]["id"] == before.records[0]["id"]
    assert after.document["issuer"] != before.document["issuer"]
    assert access.receipt is not None
    assert len(set(access.receipt.serving_keys)) == access.receipt.verify().version == 2
    assert access.checkpoint is not None
    assert known is not None
    assert access.checkpoint.size > known.size
    assert (await access.refresh()).version == 2
    assert await access.read_if_changed(after) is None
    assert await access.read_if_changed(before) is not None  # by another key, so it is another document


async def test_it_hears_of_it_by_refreshing_too(scene: Scene) -> None:
    access = await scene.relate()
    await access.read("delivery")
    for version in (2, 3, 4):
        await scene.change(access, "rotate")
        assert (await access.refresh()).version == version
    assert [one async for one in access.list("circle", page_size=1)]


async def test_reads_that_are_under_way_come_through(scene: Scene) -> None:
    """Each reader has begun and ended a read between one rotation and the next: of two in one read it may be told."""
    access = await scene.relate()
    ended = [asyncio.Semaphore(0) for _ in range(3)]
    is_over = asyncio.Event()

    async def read_on(count: asyncio.Semaphore) -> None:
        while not is_over.is_set():
            assert len((await access.read("delivery")).records) == 1
            count.release()

    async def rotate_twice() -> None:
        for _ in range(2):
            await scene.change(access, "rotate")
            for count in ended * 2:
                await count.acquire()
        is_over.set()

    async with asyncio.TaskGroup() as running:
        for count in ended:
            running.create_task(read_on(count))
        running.create_task(rotate_twice())
    await access.refresh()


async def test_what_was_kept_before_is_good_after(scene: Scene, tmp_path: Path) -> None:
    keeping = KeptInFolder(tmp_path / "held")
    clock = scene.clock
    async with Vendor(
        identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient_of(clock)
    ) as vendor:
        access = await scene.relate(vendor=vendor)
        await access.read("delivery")
        await scene.change(access, "rotate")
    async with Vendor(
        identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient_of(clock, seed=6)
    ) as vendor:
        [again] = await vendor.accesses()
        kept = again.checkpoint  # by the key that stood then
        assert (await again.read("delivery")).records
        await again.refresh()
        await scene.change(again, "rotate")
        assert (await again.read("delivery")).records
    async with Vendor(
        identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient_of(clock, seed=7)
    ) as vendor:
        [again] = await vendor.accesses()
        assert kept is not None
        assert again.checkpoint is not None
        assert again.checkpoint.size > kept.size
        assert (await again.refresh()).version == 3


async def test_a_paused_grant_tells_it_too(scene: Scene) -> None:
    access = await scene.relate()
    await scene.change(access, "pause")
    await scene.change(access, "rotate")
    assert (await access.refresh()).state == "paused"
    await scene.change(access, "resume")
    assert (await access.read("delivery")).records


async def test_a_partner_needs_a_new_delegation(scene: Scene) -> None:
    shop = await scene.relate()
    async with Vendor(
        COURIER, allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=8)
    ) as courier:
        first = await courier.accept((await shop.delegate(COURIER.did, "delivery")).to_dict())
        await first.read("delivery")
        await scene.change(shop, "rotate")
        for look in (lambda: first.read("delivery"), first.refresh):
            with pytest.raises(RevokedError):
                await look()
        # What the vendor holds is of the old keys, until it asks.
        second = await courier.accept((await shop.delegate(COURIER.did, "delivery")).to_dict())
        with pytest.raises(RevokedError):
            await second.read("delivery")
        await shop.read("delivery")
        third = await courier.accept((await shop.delegate(COURIER.did, "delivery")).to_dict())
        assert (await third.read("delivery")).records
        assert (await third.refresh()).state == "live"


async def old_serving_key(liar: Liar, grant: str) -> PublicKey:
    document = (await liar.house.own("GET", f"/grants/{grant}"))["receipt"]["versions"][0]
    return PublicKey.from_did(document["servingKey"])


@pytest.mark.requirement("ROT-14")
async def test_a_checkpoint_by_the_key_that_was_given_up_is_no_checkpoint(liar: Liar) -> None:
    access = await liar.relate()
    await access.read("delivery")
    standing = await liar.house.node.store.read(
        lambda reader: reader.standing(liar.house.node.owner, grant_id(access))
    )
    assert standing is not None
    old = liar.house.node.inspection._keys.of(standing.relationship, 0).serving
    await liar.change(access, "rotate")
    await access.refresh()
    before = access.checkpoint

    def lie(passing: Passing) -> None:
        if re.search("/ledger/", passing.path):
            document = json.loads(passing.body)
            document["checkpoint"] = sign_checkpoint(parse_checkpoint(document["checkpoint"]), old)
            passing.body = json.dumps(document).encode()

    liar.between.lie = lie
    for look in (access.refresh, lambda: access.read("delivery")):
        with pytest.raises(SignatureError):
            await look()
        assert access.checkpoint == before
    liar.between.lie = None
    assert (await access.read("delivery")).records
    assert await old_serving_key(liar, grant_id(access)) == old.public


async def test_a_node_that_goes_on_under_the_old_keys_is_found(liar: Liar) -> None:
    access = await liar.relate()
    await access.read("delivery")
    fork = await liar.fork()
    await liar.change(access, "rotate")
    await access.read("delivery")
    liar.between.upstream = fork
    with pytest.raises(ReceiptError):
        await access.refresh()
    with pytest.raises(NotFoundError):  # it does not know the key that issued what we hold
        await access.read("delivery")


async def test_a_version_with_new_keys_that_the_person_did_not_sign(liar: Liar) -> None:
    access = await liar.relate()
    other = await liar.relate(vendor=None)
    await liar.change(other, "rotate")
    await other.refresh()
    assert other.receipt is not None
    version = other.receipt.versions[-1].document

    def lie(passing: Passing) -> None:
        if passing.path.endswith(f"/g/{grant_id(access)}?from=1"):
            document = json.loads(passing.body)
            document["versions"].append(version)
            passing.body = json.dumps(document).encode()

    liar.between.lie = lie
    with pytest.raises(ReceiptError):
        await access.refresh()
    assert access.standing is not None
    assert access.standing.version == 1
