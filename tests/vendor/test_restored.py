"""A node is restored from a backup: a vendor reports that its ledger went back, and goes on by the person's word."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from freehold_node.keystore import Keys
from freehold_node.restoring import examine, put_in_place
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    EndedError,
    GrantExpiredError,
    PausedError,
    ReceiptError,
    RevokedError,
    RolledBackError,
    SignatureError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.keys import SigningKey
from freehold_protocol.proof import sign_document
from freehold_protocol.restored import Restored
from freehold_vendor import Access, KeptInFolder, Vendor
from freehold_vendor.told import explains, read_told, with_told
from harness import ADA, PASSPHRASE, House, TestClock, free_port, open_house
from vendor_documents import DECISION, LOG, SERVING, granted, request, versions
from vendor_scene import COURIER, GIVEN, Liar, Scene, ambient_of, grant_id, identity

pytestmark = pytest.mark.asyncio
OTHER = SigningKey(bytes([99]) * 32)


@dataclass
class Restoring(Scene):
    """A scene whose node can be backed up and restored, at one address."""

    folder: Path
    keys: Keys
    port: int
    stack: AsyncExitStack
    base: Path
    seed: int = 1
    backups: int = 0

    async def open(self) -> None:
        self.seed += 1
        house = open_house(self.folder, keys=self.keys, clock=self.clock, port=self.port, seed=self.seed)
        self.house = await self.stack.enter_async_context(house)

    async def back_up(self) -> Path:
        self.backups += 1
        path = self.base / f"backup-{self.backups}"
        reply = await self.house.owner("POST", "/backup", {"passphrase": PASSPHRASE})
        assert reply.status == 200
        path.write_bytes(reply.body)
        return path

    async def restore(self, backup: Path) -> None:
        await self.stack.aclose()
        self.clock.advance(120)
        put_in_place(examine(backup, self.folder, PASSPHRASE), self.folder, now_s=self.clock.now_s)
        await self.open()
        self.clock.advance(61)

    async def resume(self, access: Access) -> None:
        await self.house.change(grant_id(access), "resume")


@pytest_asyncio.fixture
async def restoring(
    node_folder: Path, key_store: tuple[Path, Keys], tmp_path: Path
) -> AsyncIterator[Restoring]:
    clock = TestClock()
    async with Vendor(identity(1), allow_private_addresses=True, ambient=ambient_of(clock)) as vendor:
        scene = Restoring(
            house=cast("House", None), vendor=vendor, clock=clock, folder=node_folder, keys=key_store[1],
            port=free_port(), stack=AsyncExitStack(), base=tmp_path,
        )  # fmt: skip
        async with scene.stack:
            await scene.open()
            await scene.house.import_file(ADA, me="Ada Example")
            yield scene
            await scene.stack.aclose()


async def rolled_back(look: Callable[[], Awaitable[Any]], access: Access) -> None:
    """It is reported, and what is held stays what it was."""
    before = access.checkpoint
    with pytest.raises(RolledBackError):
        await look()
    assert access.checkpoint == before


@pytest.mark.requirement("RST-7", "RST-8", "RST-11")
async def test_it_reports_the_loss_and_goes_on_by_the_persons_word(restoring: Restoring) -> None:
    access = await restoring.relate()
    await access.read("delivery")
    backup = await restoring.back_up()
    for _ in range(4):
        await access.read("delivery")
    known = access.checkpoint
    await restoring.restore(backup)

    await rolled_back(access.refresh, access)
    assert access.restored is not None
    assert known is not None
    assert access.restored.checkpoint.size < known.size
    standing = await access.accept_restored()
    assert standing.state == "paused"
    assert access.restored is None
    assert access.checkpoint is not None
    assert access.checkpoint.size < known.size
    with pytest.raises(PausedError):  # not before the person has confirmed it
        await access.read("delivery")
    await restoring.resume(access)
    assert (await access.read("delivery")).records[0]["name"] == "Ada Example"
    assert (await access.refresh()).state == "live"
    [evidence] = access._holder.held.set_aside
    assert str(known.size) in evidence["checkpoint"]
    assert evidence["statement"]["type"] == "Restored"


async def test_whoever_listens_hears_of_it_as_a_pause(restoring: Restoring) -> None:
    access = await restoring.relate()
    async with aclosing(access.events()) as events:
        assert (await anext(events)).kind == "ready"
        backup = await restoring.back_up()
        await restoring.restore(backup)
        assert [event.kind async for event in events] == []
    await restoring.resume(access)
    async with aclosing(access.events()) as events:
        assert (await anext(events)).kind == "ready"


async def test_who_had_seen_nothing_that_is_lost_sees_a_pause(restoring: Restoring) -> None:
    access = await restoring.relate()
    await access.read("delivery")
    backup = await restoring.back_up()
    await restoring.restore(backup)
    assert (await access.refresh()).state == "paused"
    assert access.restored is None
    assert (await access.accept_restored()).state == "paused"  # there is nothing to accept
    await restoring.resume(access)
    assert (
        await access.read("delivery")
    ).records  # what it held is dead, and it asks for a new one by itself
    assert access._holder.held.set_aside == ()  # type: ignore[union-attr]


async def test_a_read_reports_it_too(restoring: Restoring) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    await access.read("delivery")
    await access.read("delivery")
    await restoring.restore(backup)
    with pytest.raises((RevokedError, PausedError)):
        await access.read("delivery")
    await restoring.resume(access)
    await rolled_back(lambda: access.read("delivery"), access)
    await rolled_back(access.refresh, access)
    await access.accept_restored()
    assert (await access.read("delivery")).records


@pytest.mark.requirement("RST-12")
async def test_an_end_that_the_backup_does_not_know_stays_an_end(restoring: Restoring) -> None:
    """The person ended it, restored an older backup, and resumed it by mistake: the vendor knows better."""
    access = await restoring.relate()
    await access.read("delivery")
    backup = await restoring.back_up()
    await restoring.change(access, "end")
    assert (await access.refresh()).state == "ended"
    await restoring.restore(backup)
    await restoring.resume(access)
    await rolled_back(access.refresh, access)
    for _ in range(2):
        with pytest.raises(EndedError, match="had ended"):
            await access.accept_restored()
    assert access.standing is not None
    assert access.standing.state == "ended"


@pytest.mark.requirement("RST-12")
async def test_an_expiry_that_the_backup_does_not_know_stays_one(restoring: Restoring) -> None:
    access = await restoring.relate(days=2)
    backup = await restoring.back_up()
    restoring.clock.advance(3 * 86_400)
    await restoring.house.node.relations.tick()
    assert (await access.refresh()).state == "expired"
    await restoring.stack.aclose()
    restoring.clock.advance(-2 * 86_400 - 3600)  # the new machine's date is wrong by two days
    await restoring.restore(backup)
    await rolled_back(access.refresh, access)
    with pytest.raises(GrantExpiredError, match="was over"):
        await access.accept_restored()
    assert access.standing is not None
    assert access.standing.state == "expired"


async def test_a_narrowing_that_the_backup_does_not_know_takes_the_persons_word(restoring: Restoring) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    await restoring.change(access, "narrow", GIVEN[:1])
    await access.refresh()
    await restoring.restore(backup)
    await restoring.resume(access)
    await rolled_back(access.refresh, access)
    assert access.standing is not None
    assert access.standing.permission("marketing") is None
    standing = await access.accept_restored()
    assert standing.permission("marketing") is not None  # the person saw it on the screen, and confirmed it
    assert (await access.read("marketing")).records


@pytest.mark.requirement("RST-10")
async def test_a_word_counts_once(restoring: Restoring) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    await access.read("delivery")
    await restoring.restore(backup)
    await restoring.resume(access)
    with pytest.raises(RolledBackError):
        await access.refresh()
    await access.accept_restored()
    copy = restoring.base / "copy"
    await restoring.stack.aclose()
    shutil.copytree(restoring.folder, copy, ignore=shutil.ignore_patterns("lock", "session.json"))
    await restoring.open()
    for _ in range(3):
        await access.read("delivery")
    # Somebody puts the files back, generation and all: no restore, and no new word.
    await restoring.stack.aclose()
    shutil.rmtree(restoring.folder)
    shutil.copytree(copy, restoring.folder)
    await restoring.open()
    await rolled_back(access.refresh, access)
    assert access.restored is None
    await rolled_back(access.accept_restored, access)


@pytest.mark.requirement("RST-10")
async def test_a_word_that_was_heard_while_all_went_on_explains_no_later_loss(restoring: Restoring) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    await restoring.restore(backup)
    await access.refresh()  # hears of it; the ledger went on
    await restoring.resume(access)
    copy = restoring.base / "copy"
    await restoring.stack.aclose()
    shutil.copytree(restoring.folder, copy, ignore=shutil.ignore_patterns("lock", "session.json"))
    await restoring.open()
    for _ in range(3):
        await access.read("delivery")
    await restoring.stack.aclose()
    shutil.rmtree(restoring.folder)
    shutil.copytree(copy, restoring.folder)
    await restoring.open()
    await rolled_back(access.refresh, access)
    await rolled_back(access.accept_restored, access)


async def test_restored_twice(restoring: Restoring) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    for _ in range(2):
        await access.read("delivery")
        await restoring.restore(backup)
        await restoring.resume(access)
        with pytest.raises(RolledBackError):
            await access.refresh()
        assert (await access.accept_restored()).state == "live"
    assert len(access._holder.held.set_aside) == 2  # type: ignore[union-attr]
    assert (await access.read("delivery")).records


@pytest.mark.parametrize(
    "known", [2, 3, 4, 5]
)  # fewer versions than the node goes on with, as many, and more
async def test_restored_to_what_a_vendor_never_saw(restoring: Restoring, known: int) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    for version in range(2, known + 1):
        await restoring.change(access, "resume" if version % 2 else "pause")
    assert (await access.refresh()).version == known
    await restoring.restore(backup)
    await restoring.resume(access)
    await restoring.restore(await restoring.back_up())
    held = access.receipt
    for look in (access.refresh, access.accept_restored):
        with pytest.raises(ReceiptError):
            await look()
        assert access.receipt == held


@pytest.mark.requirement("RST-9")
async def test_what_was_set_aside_is_kept_for_the_next_process(restoring: Restoring, tmp_path: Path) -> None:
    keeping = KeptInFolder(tmp_path / "held")
    ambient = ambient_of(restoring.clock, seed=9)
    async with Vendor(identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient) as vendor:
        access = await restoring.relate(vendor=vendor)
        backup = await restoring.back_up()
        await access.read("delivery")
        await restoring.restore(backup)
        with pytest.raises(RolledBackError):
            await access.refresh()
    async with Vendor(identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient) as vendor:
        [access] = await vendor.accesses()
        assert access.restored is not None
        await access.accept_restored()
        await restoring.resume(access)
        await access.read("delivery")
    async with Vendor(identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient) as vendor:
        [access] = await vendor.accesses()
        assert len(access._holder.held.set_aside) == 1  # type: ignore[union-attr]
        assert (await access.refresh()).state == "live"


async def test_new_keys_after_a_restore(restoring: Restoring) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    await access.read("delivery")
    await restoring.restore(backup)
    await restoring.change(access, "rotate")
    await restoring.resume(access)
    with pytest.raises(RolledBackError):
        await access.refresh()
    await access.accept_restored()
    assert (await access.read("delivery")).records


async def test_keys_that_the_backup_does_not_know(restoring: Restoring) -> None:
    """Changed after the backup: the restored node goes on under the old ones, which the vendor has seen given up."""
    access = await restoring.relate()
    backup = await restoring.back_up()
    await restoring.change(access, "rotate")
    await access.read("delivery")
    await restoring.restore(backup)
    await restoring.resume(access)
    await rolled_back(access.refresh, access)
    await access.accept_restored()  # the word is by the key of the version that both know
    assert (await access.read("delivery")).records


async def test_a_partner_needs_a_new_delegation(restoring: Restoring) -> None:
    access = await restoring.relate()
    backup = await restoring.back_up()
    ambient = ambient_of(restoring.clock, seed=8)
    async with Vendor(COURIER, allow_private_addresses=True, ambient=ambient) as courier:
        partner = await courier.accept((await access.delegate(COURIER.did, "delivery")).to_dict())
        await partner.read("delivery")
        await access.read("delivery")
        await restoring.restore(backup)
        await restoring.resume(access)
        with pytest.raises(RevokedError):
            await partner.read("delivery")
        with pytest.raises(TypeError):
            await partner.accept_restored()
        assert partner.restored is None
        with pytest.raises(RolledBackError):
            await access.refresh()
        await access.accept_restored()
        await access.read("delivery")
        again = await courier.accept((await access.delegate(COURIER.did, "delivery")).to_dict())
        assert (await again.read("delivery")).records


# What is no word of the person's


@pytest.mark.requirement("RST-7", "RST-8")
async def test_without_a_word_nothing_is_accepted(liar: Liar) -> None:
    access = await liar.relate()
    await access.read("delivery")
    fork = await liar.fork()
    await access.read("delivery")
    liar.between.upstream = fork
    for look in (access.refresh, access.accept_restored):
        await rolled_back(look, access)


def word(version: Grant, key: SigningKey, **members: Any) -> Document:
    unsigned: Document = {
        "@context": "https://w3id.org/freehold/v1", "type": "Restored", "grant": f"urn:uuid:{version.id}",
        "log": LOG, "count": 1, "root": "A" * 43, "previous": version.cid, "nonce": "n" * 22,
        "created": "2026-11-23T12:00:00Z", **members,
    }  # fmt: skip
    return sign_document(unsigned, key)


@pytest.mark.parametrize(
    ("key", "members"),
    [
        (SERVING, {}),
        (OTHER, {}),
        (DECISION, {"grant": "urn:uuid:11111111-2222-4333-8444-000000000000"}),
        (DECISION, {"log": "freehold/ledger/" + "M" * 43}),
        (DECISION, {"previous": versions()[1].cid}),  # a version that the receipt does not have
        (DECISION, {"previous": request().cid}),
    ],
)
async def test_what_is_no_word_of_the_persons(key: SigningKey, members: Document) -> None:
    held = granted()
    found: Document = {"receipt": held.receipt.to_dict(), "statements": [word(versions()[0], key, **members)]}
    with pytest.raises(SignatureError):
        read_told(found, request=held.request)


async def test_a_word_about_a_state_that_is_not_known_here_explains_nothing() -> None:
    """The node goes on from a version that this vendor has never seen: of another branch than the one it holds."""
    first, paused = versions()
    held = replace(granted(), versions=(first, paused))
    other = first.changed("end", nonce="o" * 32, created_s=first.created_s + 60).signed(SERVING)
    told = read_told(
        {"receipt": {**held.receipt.to_dict(), "versions": [first.document, other.document]},
         "statements": [word(other, DECISION)]},
        request=held.request,
    )  # fmt: skip
    assert not explains(held, told)
    with pytest.raises(ReceiptError):
        with_told(held, told)
    good = replace(told, restored=Restored.from_dict(word(first, DECISION)))
    assert explains(held, good)
    with pytest.raises(RolledBackError):
        with_told(held, good)
    assert good.restored is not None
    assert not explains(replace(held, heard=(good.restored.cid,)), good)


async def test_another_story_without_a_word_is_a_receipt_that_does_not_hold(liar: Liar) -> None:
    access = await liar.relate()
    fork = await liar.fork()
    await liar.change(access, "pause")
    await access.refresh()
    liar.between.upstream = fork
    with pytest.raises(ReceiptError):
        await access.refresh()
    with pytest.raises(ReceiptError):
        await access.accept_restored()
