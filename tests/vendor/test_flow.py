"""Ask, wait, read, be narrowed, renew, end: the vendor library against a real node."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest
from freehold_protocol.errors import CursorError
from freehold_vendor import Access, KeptInFolder, RefusedError, Vendor
from harness import permission
from vendor_scene import ASKED, GIVEN, Liar, Scene, ambient_of, identity

pytestmark = pytest.mark.asyncio
DAY_S = 86_400


async def test_it_asks_and_reads_what_was_approved(scene: Scene) -> None:
    pending = await scene.ask()
    with pytest.raises(TimeoutError):
        await pending.decision(timeout_s=0)
    await scene.approve(pending, GIVEN)
    access = await pending.decision(timeout_s=0)
    release = await access.read("delivery")
    [ada] = release.records
    assert (ada["name"], ada["address"]["postalCode"]) == ("Ada Example", "EX1 2AB")
    assert "telephone" not in ada
    assert "proof" not in ada
    entry = await release.verify()
    assert (entry.permission, entry.count, entry.status, entry.number) == ("delivery", 1, 200, release.entry)


async def test_it_waits_for_the_decision(scene: Scene) -> None:
    pending = await scene.ask()
    waiting = asyncio.create_task(pending.decision(timeout_s=25))
    await asyncio.sleep(0)
    await scene.approve(pending, GIVEN)
    assert (await waiting).standing is not None


async def test_a_decision_looked_at_again_sets_nothing_back(scene: Scene) -> None:
    pending = await scene.ask()
    await scene.approve(pending, GIVEN)
    first, second = await asyncio.gather(pending.decision(), pending.decision())
    await first.read("delivery")
    known = first.checkpoint
    assert second is first is await pending.decision()
    assert first.checkpoint == known
    [kept] = await scene.vendor.accesses()
    assert kept.checkpoint == known


async def test_a_refusal_is_an_error_of_its_own_with_the_reason(scene: Scene) -> None:
    pending = await scene.ask()
    request_id = await scene.request_id(pending)
    await scene.house.own("POST", f"/requests/{request_id}/refuse", {"reason": "Not today."})
    with pytest.raises(RefusedError, match="Not today") as caught:
        await pending.decision()
    assert caught.value.reason == "Not today."
    assert await scene.vendor.waiting() == ()
    assert await scene.vendor.accesses() == ()


async def test_what_was_asked_and_what_was_given_are_in_the_receipt(scene: Scene) -> None:
    access = await scene.relate()
    receipt, standing = access.receipt, access.standing
    assert receipt is not None
    assert standing is not None
    assert [one.name for one in receipt.request.permissions] == ["delivery", "marketing", "circle"]
    assert (receipt.request.benefit, receipt.request.terms) == ("Free delivery", "No selling on")
    delivery = standing.permission("delivery")
    assert delivery is not None
    assert delivery.fields == ("name", "address.postalCode")
    assert standing.permission("nothing") is None
    assert receipt.verify().cid == receipt.versions[-1].cid


async def test_one_record_by_its_id_and_by_its_alias(scene: Scene) -> None:
    access = await scene.relate()
    [ada] = (await access.read("delivery")).records
    whole = await access.read("delivery", ada["id"])
    named = await access.read("delivery", ada["id"].rpartition(":")[2], fields=["name"])
    assert whole.records == (ada,)
    assert whole.next is None
    assert named.document["name"] == "Ada Example"
    assert "address" not in named.document
    assert (await named.verify()).fields == ("name",)


async def import_friends(scene: Scene, number: int) -> None:
    cards = "".join(
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:friend-{n}\r\nFN:Friend {n}\r\nEND:VCARD\r\n"
        for n in range(number)
    )
    await scene.house.import_file(cards.encode())


async def names(access: Access, page_size: int) -> list[str]:
    return [one["name"] async for one in access.list("circle", page_size=page_size)]


@pytest.mark.parametrize("page_size", [1, 2, 5, 100])
async def test_a_list_goes_through_all_pages(scene: Scene, page_size: int) -> None:
    await import_friends(scene, 4)
    access = await scene.relate()
    expected = ["Ada Example", "Friend 0", "Friend 1", "Friend 2", "Friend 3"]
    assert await names(access, page_size) == expected


async def test_a_list_of_those_that_match(scene: Scene) -> None:
    await import_friends(scene, 3)
    access = await scene.relate()
    where = {"name": "Friend 1"}
    found = [one["name"] async for one in access.list("circle", where=where, fields=["name"], page_size=1)]
    assert found == ["Friend 1"]


async def test_a_grant_that_changes_between_two_pages_ends_the_list(scene: Scene) -> None:
    await import_friends(scene, 4)
    access = await scene.relate()
    records = access.list("circle", page_size=2)
    assert (await anext(records))["name"] == "Ada Example"
    await scene.change(access, "narrow", [GIVEN[0], GIVEN[2]])
    assert (await anext(records))["name"] == "Friend 0"  # of the page that came before the change
    with pytest.raises(CursorError):
        await anext(records)
    assert len(await names(access, 2)) == 5


async def test_what_is_unchanged_is_not_sent_again_and_is_an_entry_all_the_same(scene: Scene) -> None:
    access = await scene.relate()
    first = await access.read("delivery")
    before = access.checkpoint
    assert await access.read_if_changed(first) is None
    assert before is not None
    assert access.checkpoint is not None
    assert access.checkpoint.size == before.size + 1
    await scene.edit(name="Ada Changed")
    second = await access.read_if_changed(first)
    assert second is not None
    assert second.records[0]["name"] == "Ada Changed"
    assert second.etag != first.etag


async def test_head_names_the_content_without_it(scene: Scene) -> None:
    access = await scene.relate()
    head = await access.head("delivery")
    release = await access.read("delivery")
    assert head.etag == release.etag
    entry = await head.verify()
    assert (entry.method, entry.number) == ("HEAD", head.entry)


async def test_many_reads_at_once_are_all_checked_against_one_ledger(scene: Scene) -> None:
    access = await scene.relate()
    releases = await asyncio.gather(*(access.read("delivery") for _ in range(12)))
    assert len({release.entry for release in releases}) == 12
    assert access.checkpoint is not None
    assert access.checkpoint.size == 13


@pytest.mark.parametrize("policy", ["never", "sample"])
async def test_a_read_can_be_checked_later(scene: Scene, policy: str) -> None:
    ambient = ambient_of(scene.clock)
    async with Vendor(
        identity(2),
        allow_private_addresses=True,
        ambient=ambient,
        verify=policy,  # type: ignore[arg-type]
    ) as vendor:
        access = await scene.relate(vendor=vendor)
        before = access.checkpoint
        releases = [await access.read("delivery") for _ in range(20)]
        assert before is not None
        assert access.checkpoint is not None
        grown = access.checkpoint.size - before.size
        assert grown == 0 if policy == "never" else 0 < grown <= 20
        for release in releases:
            await release.verify()
        assert access.checkpoint.size == 21


async def test_the_capability_is_renewed_before_it_expires(scene: Scene) -> None:
    access = await scene.relate()
    first = access.capability
    scene.clock.advance(8 * DAY_S)
    await asyncio.gather(*(access.read("delivery") for _ in range(3)))
    assert first is not None
    assert access.capability is not None
    assert access.capability.expires_s > first.expires_s


async def test_reads_at_the_same_time_renew_once(liar: Liar) -> None:
    access = await liar.relate()
    liar.clock.advance(8 * DAY_S)
    await asyncio.gather(*(access.read("delivery") for _ in range(5)))
    assert len([one for one in liar.between.log if one.path.endswith("/renew")]) == 1


async def test_the_capability_is_renewed_when_the_node_says_that_it_has_expired(scene: Scene) -> None:
    late = ambient_of(scene.clock)
    object.__setattr__(late, "now_s", lambda: scene.clock.now_s - 50)
    async with Vendor(identity(2), allow_private_addresses=True, ambient=late) as vendor:
        access = await scene.relate(vendor=vendor)
        first = access.capability
        scene.clock.advance(7 * DAY_S + 1)  # for the vendor, 49 s are left
        await access.read("delivery")
        assert access.capability is not first


async def test_the_receipt_follows_every_change(scene: Scene) -> None:
    access = await scene.relate()
    await scene.change(access, "narrow", [permission("delivery", ["name"])])
    standing = await access.refresh()
    assert (standing.version, standing.state) == (2, "live")
    assert [one.name for one in standing.permissions] == ["delivery"]
    await scene.change(access, "end")
    assert (await access.refresh()).state == "ended"
    assert access.receipt is not None
    assert [version.state for version in access.receipt.versions] == ["live", "live", "ended"]


async def test_a_grant_that_is_over_still_explains_itself(scene: Scene) -> None:
    access = await scene.relate()
    release = await access.read("delivery")
    scene.clock.advance(40 * DAY_S)
    await scene.house.node.relations.tick()
    assert (await access.refresh()).state == "expired"
    assert access.receipt is not None
    assert access.receipt.versions[-1].state == "expired"
    await release.verify()


async def test_a_grant_paused_before_the_vendor_looked_is_taken_up_and_waits(scene: Scene) -> None:
    pending = await scene.ask()
    grant = await scene.approve(pending, GIVEN)
    await scene.house.change(grant, "pause")
    access = await pending.decision()
    assert access.capability is None
    assert access.standing is not None
    assert access.standing.state == "paused"
    await scene.house.change(grant, "resume")
    assert len((await access.read("delivery")).records) == 1


async def test_a_vendor_goes_on_where_an_earlier_process_stopped(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "held"
    seeds = itertools.count(50)

    def again() -> Vendor:
        return Vendor(
            identity(2),
            allow_private_addresses=True,
            ambient=ambient_of(scene.clock, seed=next(seeds)),
            keeping=KeptInFolder(folder),
        )

    async with again() as vendor:
        pending = await scene.ask(vendor=vendor)
        code = pending.code
    await scene.approve(pending, GIVEN)
    async with again() as vendor:
        [pending] = await vendor.waiting()
        assert pending.code == code
        access = await pending.decision()
        await access.read("delivery")
        known = access.checkpoint
        await scene.change(access, "narrow", [ASKED[1]])
        await access.refresh()
    async with again() as vendor:
        assert await vendor.waiting() == ()
        [access] = await vendor.accesses()
        assert (await vendor.accesses())[0] is access
        assert known is not None
        assert access.checkpoint is not None
        assert access.checkpoint.size > known.size
        assert access.standing is not None
        assert access.standing.version == 2
        assert len((await access.read("marketing")).records) == 1

    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    for value in (b"Ada", b"EX1", b"example.com", b"1985"):
        assert value not in kept
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
