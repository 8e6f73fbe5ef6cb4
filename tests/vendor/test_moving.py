"""The node moves, and the vendor follows the person's signed word, however it came; nobody else's."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_node.keystore import Keys
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    EndedError,
    FreeholdError,
    MalformedError,
    NotFoundError,
    PausedError,
    ReceiptError,
    SignatureError,
    TooLargeError,
)
from freehold_protocol.keys import SigningKey
from freehold_protocol.proof import sign_document
from freehold_vendor import Access, KeptInFolder, UnreachableError, Vendor
from freehold_vendor.held import read_held
from harness import ADA, PASSPHRASE, House, TestClock, free_port, open_house
from vendor_documents import DECISION, SERVING, granted
from vendor_scene import COURIER, Liar, Passing, Scene, ambient_of, grant_id, identity, serving

pytestmark = pytest.mark.asyncio
OTHER = SigningKey(bytes([99]) * 32)


def at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@dataclass
class Moving:
    """A node that goes from one port to another, a vendor who does not know it yet, and its access."""

    folder: Path
    keys: Keys
    clock: TestClock
    old: str
    new: str
    vendor: Vendor
    stack: AsyncExitStack
    house: House
    access: Access
    seed: int = 2

    async def state(self, origin: str | None = None, **more: Any) -> None:
        body = {"origin": origin or self.new, "passphrase": PASSPHRASE, **more}
        await self.house.own("POST", "/origins", body)

    async def move(self) -> None:
        """Stop where it is, and start at the new port."""
        await self.stack.aclose()
        self.clock.advance(60)
        self.seed += 1
        port = int(self.new.rpartition(":")[2])
        house = open_house(self.folder, keys=self.keys, clock=self.clock, port=port, seed=self.seed)
        self.house = await self.stack.enter_async_context(house)

    async def handed(self) -> Document:
        """What the person exports."""
        found = await self.house.own("GET", f"/grants/{grant_id(self.access)}")
        return {"receipt": found["receipt"], "statements": found["statements"]}


@pytest_asyncio.fixture
async def moving(node_folder: Path, key_store: tuple[Path, Keys]) -> AsyncIterator[Moving]:
    clock, old, new = TestClock(), free_port(), free_port()
    async with Vendor(identity(1), allow_private_addresses=True, ambient=ambient_of(clock)) as vendor:
        stack = AsyncExitStack()
        house = await stack.enter_async_context(
            open_house(node_folder, keys=key_store[1], clock=clock, port=old)
        )
        await house.import_file(ADA, me="Ada Example")
        access = await Scene(house, vendor, clock).relate()
        await access.read("delivery")
        made = Moving(node_folder, key_store[1], clock, at(old), at(new), vendor, stack, house, access)
        yield made
        await stack.aclose()


def origin_of(access: Access) -> str:
    return access.grant.partition("/g/")[0]


async def follows(moving: Moving, access: Access | None = None) -> None:
    """Read at the new place, with the ledger going on from where it was."""
    access = access or moving.access
    before = access.checkpoint
    assert (await access.read("delivery")).records[0]["name"] == "Ada Example"
    assert origin_of(access) == moving.new
    assert access.capability is not None
    assert access.capability.target.startswith(moving.new + "/g/")
    assert before is not None
    assert access.checkpoint is not None
    assert access.checkpoint.size > before.size
    await access.refresh()


@pytest.mark.requirement("MOV-11")
async def test_who_knew_before_goes_over_by_itself(moving: Moving) -> None:
    await moving.state()
    await moving.access.refresh()
    assert origin_of(moving.access) == moving.old
    await moving.move()
    await follows(moving)


async def test_who_knew_before_goes_over_also_to_refresh(moving: Moving) -> None:
    await moving.state()
    await moving.access.refresh()
    await moving.move()
    assert (await moving.access.refresh()).state == "live"
    assert origin_of(moving.access) == moving.new
    await follows(moving)


async def test_who_did_not_know_stands_before_a_closed_door(moving: Moving) -> None:
    await moving.state()
    await moving.move()
    for look in (lambda: moving.access.read("delivery"), moving.access.refresh):
        with pytest.raises(UnreachableError):
            await look()
    assert origin_of(moving.access) == moving.old


async def test_it_can_be_told_where_to_ask(moving: Moving) -> None:
    await moving.state()
    await moving.move()
    assert (await moving.access.refresh(at=moving.new)).state == "live"
    await follows(moving)


@pytest.mark.requirement("MOV-12")
async def test_it_can_be_handed_the_statement(moving: Moving) -> None:
    await moving.state()
    await moving.move()
    [statement] = (await moving.handed())["statements"]
    assert (await moving.access.moved(statement)).state == "live"
    await follows(moving)


async def test_it_can_be_handed_the_file_without_knowing_which_grant_it_is_about(moving: Moving) -> None:
    await moving.state()
    await moving.move()
    handed = json.loads(json.dumps(await moving.handed()))
    assert await moving.vendor.moved(handed) is moving.access
    await follows(moving)
    assert await moving.vendor.moved(handed) is moving.access  # again changes nothing
    [statement] = handed["statements"]
    assert await moving.vendor.moved(statement) is moving.access


async def test_the_statement_may_be_made_after_the_old_host_died(moving: Moving) -> None:
    await moving.move()
    await moving.state()
    [statement] = (await moving.handed())["statements"]
    await moving.access.moved(statement)
    await follows(moving)


async def test_a_statement_that_comes_before_the_move_is_kept(moving: Moving) -> None:
    await moving.state()
    [statement] = (await moving.handed())["statements"]
    with pytest.raises(UnreachableError):
        await moving.access.moved(statement)  # nobody is there yet
    assert (await moving.access.read("delivery")).records
    assert origin_of(moving.access) == moving.old
    await moving.move()
    await follows(moving)


async def test_what_was_followed_is_kept_for_the_next_process(moving: Moving, tmp_path: Path) -> None:
    keeping = KeptInFolder(tmp_path / "held")
    ambient = ambient_of(moving.clock, seed=9)
    async with Vendor(identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient) as vendor:
        access = await Scene(moving.house, vendor, moving.clock).relate(vendor=vendor)
        await access.read("delivery")
        await moving.state()
        await access.refresh()
    await moving.move()
    ambient = ambient_of(moving.clock, seed=10)
    async with Vendor(identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient) as vendor:
        [access] = await vendor.accesses()
        assert origin_of(access) == moving.old
        await follows(moving, access)
    async with Vendor(identity(3), keeping=keeping, allow_private_addresses=True, ambient=ambient) as vendor:
        [access] = await vendor.accesses()
        assert origin_of(access) == moving.new


async def test_a_paused_grant_is_followed_and_an_ended_one_explains_itself(moving: Moving) -> None:
    await moving.state()
    await Scene(moving.house, moving.vendor, moving.clock).change(moving.access, "pause")
    await moving.move()
    [statement] = (await moving.handed())["statements"]
    assert (await moving.access.moved(statement)).state == "paused"
    with pytest.raises(PausedError):
        await moving.access.read("delivery")
    await moving.house.change(grant_id(moving.access), "resume")
    await follows(moving)
    await moving.house.change(grant_id(moving.access), "end")
    with pytest.raises(EndedError):
        await moving.access.read("delivery")
    assert (await moving.access.refresh()).state == "ended"


async def test_new_keys_and_a_new_place_at_once(moving: Moving) -> None:
    """Who knows neither is handed both: the statement alone is by a key that the vendor has never seen."""
    await moving.state()
    await moving.house.change(grant_id(moving.access), "rotate")
    await moving.move()
    handed = await moving.handed()
    [statement] = handed["statements"]
    with pytest.raises(SignatureError):
        await moving.access.moved(statement)
    await moving.access.moved(handed)
    await follows(moving)
    assert moving.access.receipt is not None
    assert len(moving.access.receipt.serving_keys) == 2


async def test_a_file_from_before_the_newest_version_is_good_for_its_statements(moving: Moving) -> None:
    await moving.state()
    handed = await moving.handed()
    await Scene(moving.house, moving.vendor, moving.clock).change(moving.access, "pause")
    await moving.house.change(grant_id(moving.access), "resume")
    await moving.move()
    fresh = await moving.handed()
    assert len(handed["receipt"]["versions"]) == 1
    await moving.access.moved(fresh)
    await moving.access.moved(handed)
    await follows(moving)


async def test_a_capability_for_a_place_that_is_not_known_yet_is_asked_about(moving: Moving) -> None:
    """The node issues for the place it prefers; the vendor, who renews at the old one, hears of it then."""
    await moving.state()
    moving.house.node.relations._origins = (moving.new, moving.old)
    await moving.access.renew()
    assert moving.access.capability is not None
    assert moving.access.capability.target.startswith(moving.new)
    await moving.move()
    await follows(moving)


@pytest.mark.requirement("MOV-14")
async def test_a_partner_needs_a_new_delegation(moving: Moving) -> None:
    ambient = ambient_of(moving.clock, seed=8)
    async with Vendor(COURIER, allow_private_addresses=True, ambient=ambient) as courier:
        partner = await courier.accept((await moving.access.delegate(COURIER.did, "delivery")).to_dict())
        await partner.read("delivery")
        await moving.state()
        await moving.access.refresh()
        await moving.move()
        with pytest.raises(UnreachableError):
            await partner.read("delivery")
        with pytest.raises(TypeError):
            await partner.refresh(at=moving.new)
        with pytest.raises(TypeError):
            await partner.moved({})
        await follows(moving)
        again = await courier.accept((await moving.access.delegate(COURIER.did, "delivery")).to_dict())
        assert (await again.read("delivery")).records


# What adds no origin


async def others_statement(moving: Moving) -> Document:
    """A good statement, by the same person, for another vendor."""
    other = await Scene(moving.house, moving.vendor, moving.clock).relate()
    await moving.state()
    found = await moving.house.own("GET", f"/grants/{grant_id(other)}")
    statement: Document = found["statements"][0]
    return statement


async def test_a_statement_for_another_vendor_moves_nothing_here(moving: Moving) -> None:
    statement = await others_statement(moving)
    with pytest.raises(SignatureError):
        await moving.access.moved(statement)
    assert moving.access._holder.held.origins == (moving.old,)


def made(held: Any, key: SigningKey, **members: Any) -> Document:
    unsigned: Document = {
        "@context": "https://w3id.org/freehold/v1", "type": "Moved", "grant": f"urn:uuid:{held.versions[-1].id}",
        "origins": ["https://new.example"], "nonce": "n" * 22, "created": "2026-11-23T12:00:00Z", **members,
    }  # fmt: skip
    return sign_document(unsigned, key)


HELD = granted()
Spoil = Callable[[], Any]
NEGATIVES: dict[str, tuple[Spoil, type[FreeholdError]]] = {
    "by the serving key": (lambda: made(HELD, SERVING), SignatureError),
    "by a stranger": (lambda: made(HELD, OTHER), SignatureError),
    "about another grant": (
        lambda: made(HELD, DECISION, grant="urn:uuid:11111111-2222-4333-8444-000000000000"), SignatureError,
    ),
    "altered": (lambda: made(HELD, DECISION) | {"origins": ["https://evil.example"]}, SignatureError),
    "to loopback": (lambda: made(HELD, DECISION, origins=["http://127.0.0.1:8420"]), MalformedError),
    "to loopback by TLS": (lambda: made(HELD, DECISION, origins=["https://[::1]"]), MalformedError),
    "to loopback besides": (
        lambda: made(HELD, DECISION, origins=["https://new.example", "http://127.0.0.1:1"]), MalformedError,
    ),
    "by http": (lambda: made(HELD, DECISION, origins=["http://new.example"]), MalformedError),
    "with a path": (lambda: made(HELD, DECISION, origins=["https://new.example/x"]), MalformedError),
    "without a proof": (
        lambda: {name: one for name, one in made(HELD, DECISION).items() if name != "proof"}, MalformedError,
    ),
    "of another type": (lambda: made(HELD, DECISION, type="AccessGrant"), MalformedError),
    "no object": (lambda: "https://new.example", MalformedError),
    "nothing": (lambda: None, MalformedError),
    "a receipt of nothing": (lambda: {"receipt": {}, "statements": []}, MalformedError),
    "another's receipt": (
        lambda: {"receipt": granted(versions=1).receipt.to_dict() | {"versions": []}, "statements": []},
        ReceiptError,
    ),
    "a receipt and more": (
        lambda: {"receipt": HELD.receipt.to_dict(), "statements": [], "more": 1}, MalformedError,
    ),
    "a receipt with a stranger's statement": (
        lambda: {"receipt": HELD.receipt.to_dict(), "statements": [made(HELD, OTHER)]}, SignatureError,
    ),
    "a receipt with no list": (
        lambda: {"receipt": HELD.receipt.to_dict(), "statements": {}}, MalformedError,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NEGATIVES)
async def test_what_adds_no_origin(name: str) -> None:
    """Nothing is sent anywhere: the vendor is not even open."""
    spoil, error = NEGATIVES[name]
    vendor = Vendor(identity(1), ambient=ambient_of(TestClock()))
    access = vendor._taken.access_to(HELD)
    with pytest.raises(error):
        await access.moved(spoil())
    assert access._holder.held is HELD


async def test_no_more_origins_than_a_grant_may_have() -> None:
    vendor = Vendor(identity(1), ambient=ambient_of(TestClock()))
    access = vendor._taken.access_to(HELD)
    three = made(HELD, DECISION, origins=[f"https://h{n}.example" for n in range(3)])
    with pytest.raises(RuntimeError, match="outside"):  # it would ask there now
        await access.moved(three)
    assert len(access._holder.held.origins) == 4
    with pytest.raises(TooLargeError):
        await access.moved(made(HELD, DECISION, nonce="o" * 22))
    kept = read_held(json.loads(json.dumps(access._holder.held.to_dict())))
    assert kept == access._holder.held


async def test_a_vendor_on_the_network_does_not_go_to_private_addresses(moving: Moving) -> None:
    """Whatever is signed: where it leads is refused before anything is sent."""
    await moving.state()
    [statement] = (await moving.handed())["statements"]
    async with Vendor(identity(1), ambient=ambient_of(moving.clock, seed=11)) as careful:
        access = careful._taken.access_to(moving.access._holder.held)
        with pytest.raises(UnreachableError):
            await access.moved(statement)


@pytest.mark.requirement("MOV-13")
async def test_a_place_of_which_the_person_said_nothing(moving: Moving) -> None:
    await moving.move()
    with pytest.raises(ReceiptError, match="has not said"):
        await moving.access.refresh(at=moving.new)
    assert origin_of(moving.access) == moving.old
    for at_ in ("http://node.example", "https://node.example/g", "nonsense"):
        with pytest.raises(MalformedError):
            await moving.access.refresh(at=at_)


async def test_a_stranger_s_server_learns_and_gives_nothing(moving: Moving) -> None:
    from aiohttp import web

    seen: list[str] = []

    async def greedy(request: web.Request) -> web.StreamResponse:
        seen.append(request.method + " " + request.path)
        return web.json_response({"versions": [], "statements": [], "checkpoint": "x"})

    async with serving(greedy, free_port()) as base:
        with pytest.raises(ReceiptError, match="has not said"):
            await moving.access.refresh(at=base)
    assert seen == [f"GET /g/{grant_id(moving.access)}"]
    assert origin_of(moving.access) == moving.old
    with pytest.raises(UnreachableError):
        await moving.access.refresh(at=base)


async def test_a_statement_about_no_grant_of_ours(moving: Moving) -> None:
    with pytest.raises(NotFoundError):
        await moving.vendor.moved(made(HELD, DECISION))
    with pytest.raises(MalformedError):
        await moving.vendor.moved({"type": "Moved"})


async def test_what_somebody_between_adds_is_not_believed(liar: Liar) -> None:
    access = await liar.relate()
    held = access._holder.held

    def adding(statement: Any) -> Callable[[Passing], None]:
        def lie(passing: Passing) -> None:
            if re.search(r"/g/[^/]+$", passing.path):
                document = json.loads(passing.body)
                document["statements"] = statement
                passing.body = json.dumps(document).encode()

        return lie

    told: list[Any] = [
        [made(held, OTHER)], [made(held, OTHER, origins=["http://127.0.0.1:1"])], {}, "x", [1], [{}] * 101,
        [{"type": "Moved"}], [{"type": "Restored"}],
    ]  # fmt: skip
    for statements in told:
        liar.between.lie = adding(statements)
        with pytest.raises(FreeholdError):
            await access.refresh()
        assert access._holder.held.origins == held.origins
    # A kind of statement that a later version may know says nothing here.
    liar.between.lie = adding([{"type": "SomethingElse"}])
    await access.refresh()
    liar.between.lie = adding([])
    await access.refresh()


async def test_what_was_altered_on_disk_is_refused() -> None:
    held = dataclasses.replace(HELD, moved=())
    document = held.to_dict() | {"moved": [made(HELD, DECISION)]}
    assert read_held(document).to_dict() == document
    spoiled: list[Document] = [
        {"moved": [made(HELD, OTHER)]}, {"moved": "x"}, {"moved": [None]}, {"restored": {}}, {"heard": ["x"]},
        {"setAside": [{}]}, {"setAside": "x"},
    ]  # fmt: skip
    for spoil in spoiled:
        with pytest.raises(FreeholdError):
            read_held(copy.deepcopy(document) | spoil)
    waiting = dataclasses.replace(HELD, versions=(), capability=None, checkpoint=None).to_dict()
    with pytest.raises(MalformedError):
        read_held(waiting | {"moved": [made(HELD, DECISION)]})
