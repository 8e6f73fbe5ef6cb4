"""A backup is made while the node works, comes back whole, and un-revokes nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from freehold_node.backup_file import read_header
from freehold_node.data_dir import make_data_dir, read_generation
from freehold_node.keystore import Keys
from freehold_node.restoring import examine, put_in_place
from freehold_node.store.store import Transactor
from freehold_protocol.bundle import require_intact, verify_bundle
from freehold_protocol.capability import Capability
from freehold_protocol.checkpoint import parse_checkpoint
from freehold_protocol.errors import ConflictError
from freehold_protocol.invocation import TAG_DID, sign_message
from freehold_protocol.keys import SigningKey
from freehold_protocol.receipt import Receipt
from freehold_protocol.restored import Restored, verify_restored
from harness import NODE_FILES, PASSPHRASE, Held, House, Reply, TestClock, free_port, make_keys, open_house
from shop import COURIER, DAY_S, MARKETING, kinds, shop

pytestmark = pytest.mark.asyncio
READ = "/delivery/records"


async def backed_up(house: House, path: Path) -> Any:
    """Let the owner make a backup, and write it down; return what it says it holds."""
    reply = await house.owner("POST", "/backup", {"passphrase": PASSPHRASE})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/octet-stream"), reply.body
    path.write_bytes(reply.body)
    return json.loads(reply.headers["Freehold-Holds"])


@dataclasses.dataclass
class Home:
    """A data directory, and one life of a node after the other on it, at one address."""

    folder: Path
    keys: Keys
    clock: TestClock
    port: int
    stack: AsyncExitStack
    seed: int = 1

    async def open(self) -> House:
        self.seed += 1
        return await self.stack.enter_async_context(
            open_house(self.folder, keys=self.keys, clock=self.clock, port=self.port, seed=self.seed)
        )

    async def close(self) -> None:
        await self.stack.aclose()

    async def restored(self, backup: Path, folder: Path | None = None) -> House:
        """Stop, restore, start, and let a minute pass in which nothing signed is taken."""
        await self.close()
        self.clock.advance(120)
        self.folder = folder or self.folder
        put_in_place(examine(backup, self.folder, PASSPHRASE), self.folder, now_s=self.clock.now_s)
        house = await self.open()
        self.clock.advance(61)
        return house


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "node"
    return Home(folder, make_keys(folder, Random(1)), TestClock(), free_port(), AsyncExitStack())


def at(held: Held, house: House) -> Held:
    return dataclasses.replace(held, house=house)


async def renew(held: Held) -> Reply:
    return await held.house.signed(held.key, "POST", f"/g/{held.grant}/renew")


async def renewed(held: Held) -> Held:
    reply = await renew(held)
    assert reply.status == 200, reply.body
    return dataclasses.replace(held, capability=Capability.from_dict(reply.json["capability"]))


@pytest.mark.requirement("RST-3")
async def test_what_was_granted_after_the_backup_was_never_there(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        await backed_up(house, tmp_path / "backup")
        held = await shop(house)
        assert (await held.get(READ)).status == 200
        house = await home.restored(tmp_path / "backup")
        held = at(held, house)
        for path in (READ, "/ledger/checkpoint"):
            assert (await held.get(path)).code == "not-found"
        assert (await renew(held)).code == "not-found"


@pytest.mark.requirement("GRA-22", "SEC-7")
async def test_a_withdrawal_after_the_backup_is_not_undone(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        assert (await held.get(READ)).status == 200
        holds = await backed_up(house, tmp_path / "backup")
        assert holds == {"records": 1, "grants": {"live": 1}}
        await house.change(held.grant, "end")
        assert (await held.get(READ)).code == "grant-ended"

        house = await home.restored(tmp_path / "backup")
        held, courier = at(held, house), at(courier, house)
        for one in (held, courier):
            assert (await one.get(READ)).code == "revoked"
        assert (await renew(held)).code == "grant-paused"
        assert (await house.own("GET", "/status"))["grants"]["paused"] == 1
        assert await kinds(house, held.grant) == [
            "changed approve", "admitted", "changed restore", "changed pause", "refused revoked", "refused revoked",
        ]  # fmt: skip

        await house.change(held.grant, "resume")  # the person confirms, or not: here they do
        for one in (held, courier):
            assert (await one.get(READ)).code == "revoked"
        assert (await (await renewed(held)).get(READ)).status == 200
        assert (await courier.get(READ)).code == "revoked"
        assert (await house.own("POST", "/verify", {}))["intact"]


async def test_everything_comes_back_on_another_host(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        other = await house.relate([MARKETING], name="Other Shop")
        await house.change(other.grant, "end")
        await house.change(held.grant, "rotate")
        held = await renewed(held)
        assert (await held.get(READ)).status == 200
        before = {
            "records": (await house.own("GET", "/records"))["records"],
            "requests": await house.own("GET", "/requests"),
            "grants": {one["id"]: one for one in (await house.own("GET", "/grants"))["grants"]},
        }
        kept = (await house.own("GET", f"/grants/{held.grant}/ledger/bundle"))["checkpoint"]
        alias = (await held.get(READ)).json["items"][0]["id"]
        await backed_up(house, tmp_path / "backup")

        elsewhere = tmp_path / "elsewhere" / "node"
        house = await home.restored(tmp_path / "backup", elsewhere)
        assert (await house.own("GET", "/records"))["records"] == before["records"]
        assert await house.own("GET", "/requests") == before["requests"]
        grants = {one["id"]: one for one in (await house.own("GET", "/grants"))["grants"]}
        assert grants.keys() == before["grants"].keys()
        assert {id_: one["state"] for id_, one in grants.items()} == {
            held.grant: "paused",
            other.grant: "ended",
        }
        await house.change(held.grant, "resume")
        fresh = await renewed(at(held, house))
        assert (await fresh.get(READ)).json["items"][0]["id"] == alias
        bundle = await house.own("GET", f"/grants/{held.grant}/ledger/bundle")
        assert require_intact(bundle, earlier=[kept]).status == "intact"
        receipt = Receipt.from_dict((await house.own("GET", f"/grants/{held.grant}"))["receipt"])
        assert receipt.verify().state == "live"
        assert (await house.own("POST", "/verify", {}))["intact"]
        assert read_generation(elsewhere) == home.clock.now_s - 61


@pytest.mark.requirement("RST-1", "RST-5")
async def test_the_person_s_word_is_there_from_the_first_moment(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        paused = await house.relate([MARKETING], name="Other Shop")
        ended = await house.relate([MARKETING], name="Third Shop")
        await house.change(paused.grant, "pause")
        await house.change(ended.grant, "end")
        await held.get(READ)
        heads = {
            one.grant: parse_checkpoint(
                (await house.own("GET", f"/grants/{one.grant}/ledger/bundle"))["checkpoint"]
            )
            for one in (held, paused, ended)
        }
        states = {one["id"]: one["state"] for one in (await house.own("GET", "/grants"))["grants"]}
        await backed_up(house, tmp_path / "backup")
        await held.get(READ)
        house = await home.restored(tmp_path / "backup")
        for one in (held, paused, ended):
            told = (await house.signed(one.key, "GET", f"/g/{one.grant}")).json
            receipt = Receipt.from_dict(told["receipt"])
            receipt.verify()
            [document] = told["statements"]
            statement = Restored.from_dict(document)
            assert statement.checkpoint == heads[one.grant]
            place = verify_restored(statement, versions=receipt.versions)
            assert receipt.versions[place].state == states[one.grant]
            entries = (await house.own("GET", f"/grants/{one.grant}/ledger"))["entries"]
            entry = entries[heads[one.grant].size]["entry"]
            assert (entry["change"], entry["statement"]) == ("restore", statement.cid)
        assert (await house.own("POST", "/verify", {}))["intact"]


async def test_who_kept_a_later_checkpoint_finds_that_it_went_back(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        await backed_up(house, tmp_path / "backup")
        for _ in range(3):
            assert (await held.get(READ)).status == 200
        kept = (await house.own("GET", f"/grants/{held.grant}/ledger/bundle"))["checkpoint"]
        house = await home.restored(tmp_path / "backup")
        bundle = await house.own("GET", f"/grants/{held.grant}/ledger/bundle")
        assert verify_bundle(bundle, earlier=[kept]).faults == ("rolled-back",)
        assert verify_bundle(bundle).status == "intact"


@pytest.mark.requirement("RST-2")
async def test_nothing_that_was_sent_before_can_be_sent_again(home: Home, tmp_path: Path) -> None:
    """Messages whose nonces the restored database never saw, and whose signatures are still good."""
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        await backed_up(house, tmp_path / "backup")
        sent: list[tuple[str, str, dict[str, str]]] = []
        for method, path in (("GET", f"/g/{held.grant}"), ("POST", f"/g/{held.grant}/renew")):
            for created_s in (house.now_s(), house.now_s() + 59):  # a clock that runs ahead a little
                headers = sign_message(
                    held.key, tag=TAG_DID, method=method, target_uri=house.base + path, created_s=created_s,
                    nonce=house.nonce(), lifetime_s=600,
                )  # fmt: skip
                sent.append((method, path, headers))
        target = f"/g/{held.grant}{READ}"
        sent.append(("GET", target, held.headers("GET", target, lifetime_s=600)))
        for method, path, headers in sent:
            assert (await house.send(method, path, headers)).status == 200
            assert (await house.send(method, path, headers)).code == "replayed"

        await home.close()
        home.clock.advance(1)
        put_in_place(
            examine(tmp_path / "backup", home.folder, PASSPHRASE), home.folder, now_s=home.clock.now_s
        )
        house = await home.open()
        for _ in range(3):
            for method, path, headers in sent:
                again = await house.send(method, path, headers)
                assert again.status in (401, 403, 503), (method, path, again.body)
            home.clock.advance(200)
        assert (await house.signed(held.key, "GET", f"/g/{held.grant}")).status == 200
        told = await house.signed(SigningKey(bytes(32)), "GET", f"/g/{held.grant}")
        assert told.code == "not-found"


async def test_restored_again_and_again(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        await backed_up(house, tmp_path / "backup")
        generations = [(await house.own("GET", "/status"))["generation"]]
        for _ in range(3):
            house = await home.restored(tmp_path / "backup")
            await house.change(held.grant, "resume")
            fresh = await renewed(at(held, house))
            assert (await fresh.get(READ)).status == 200
            assert (await at(held, house).get(READ)).code == "revoked"
            held = fresh
            generations.append((await house.own("GET", "/status"))["generation"])
        assert generations == sorted(set(generations))
        # A backup of the restored node knows that it was restored.
        await backed_up(house, tmp_path / "second")
        house = await home.restored(tmp_path / "second")
        told = (await house.signed(held.key, "GET", f"/g/{held.grant}")).json
        assert [one["type"] for one in told["statements"]] == ["Restored", "Restored"]
        assert (await house.own("POST", "/verify", {}))["intact"]


async def test_a_backup_of_long_ago_asks_whether_the_date_is_right(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house, days=365)
        await backed_up(house, tmp_path / "backup")
        await home.close()
        home.clock.advance(100 * DAY_S)
        house = await home.restored(tmp_path / "backup")
        assert (await house.own("GET", "/status"))["clock"]["suspect"]
        await house.own("POST", "/clock/confirm", {"passphrase": PASSPHRASE})
        await house.change(held.grant, "resume")
        home.clock.advance(61)
        assert (await (await renewed(at(held, house))).get(READ)).status == 200


async def test_it_is_made_while_the_node_works(home: Home, tmp_path: Path) -> None:
    """Reads and edits go on; what comes back is one moment of them, with every entry of its ledger."""
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        done = asyncio.Event()
        served = 0

        async def read_on() -> None:
            nonlocal served
            while not done.is_set():
                assert (await held.get(READ)).status == 200
                served += 1

        async def write_on() -> None:
            number = 0
            while not done.is_set():
                number += 1
                await house.own(
                    "POST", "/records", {"content": {"type": "Person", "name": f"Friend {number}"}}
                )

        async def back_up() -> list[Any]:
            try:
                return [await backed_up(house, tmp_path / f"backup-{n}") for n in range(4)]
            finally:
                done.set()

        async with asyncio.TaskGroup() as group:
            holds = group.create_task(back_up())
            for work in (read_on(), read_on(), write_on()):
                group.create_task(work)
        assert served > 8
        counted = [one["records"] for one in holds.result()]
        assert counted == sorted(counted)
        for number, count in enumerate(counted):
            house = await home.restored(tmp_path / f"backup-{number}", tmp_path / f"restored-{number}")
            verdict = await house.own("POST", "/verify", {})
            assert verdict["intact"]
            assert verdict["records"]["checked"] == count


async def test_what_was_deleted_is_in_no_backup_made_after(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        await shop(house)
        for number in range(40):
            added = await house.own(
                "POST", "/records", {"content": {"type": "Person", "name": f"Canary {number}"}}
            )
            await house.own("DELETE", "/records/" + added["id"].removeprefix("urn:uuid:"))
        await backed_up(house, tmp_path / "backup")
        data = (tmp_path / "backup").read_bytes()
        assert b"Canary" not in data
        assert b"Ada Example" not in data  # encrypted
        assert b"SQLite format" not in data
        house = await home.restored(tmp_path / "backup", tmp_path / "other")
        assert (await house.own("GET", "/status"))["records"] == 1


async def test_it_takes_the_owner_and_the_passphrase(home: Home) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        for body in ({}, {"passphrase": "not this one"}, {"passphrase": 7}):
            assert (await house.owner("POST", "/backup", body)).code == "passphrase-wrong"
        wrong = {"passphrase": PASSPHRASE, "more": 1}
        assert (await house.owner("POST", "/backup", wrong)).code == "malformed"
        for key in (held.key, SigningKey(bytes(32))):
            refused = await house.signed(key, "POST", "/owner/backup", {"passphrase": PASSPHRASE})
            assert refused.code == "not-authenticated"
        assert not list(home.folder.glob(".backup-*"))


async def test_nothing_is_left_of_its_making(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        await shop(house)
        await backed_up(house, tmp_path / "backup")
        assert {path.name for path in home.folder.iterdir()} <= NODE_FILES
        await home.close()
        left = home.folder / ".backup-left"  # as after a kill
        left.mkdir()
        (left / "node.db").write_bytes(b"x")
        await home.open()
        assert not left.exists()


async def test_a_damaged_database_makes_no_backup(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        await shop(house)
        copy = house.node.store.copy_to

        async def damaged(path: Path) -> None:
            await copy(path)
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(bytes(data))

        house.node.store.copy_to = damaged  # type: ignore[method-assign]
        refused = await house.owner("POST", "/backup", {"passphrase": PASSPHRASE})
        assert refused.code in ("conflict", "unavailable")
        assert not list(home.folder.glob(".backup-*"))


async def test_the_header_is_of_this_node(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        await shop(house)
        await backed_up(house, tmp_path / "backup")
        header = read_header(io.BytesIO((tmp_path / "backup").read_bytes()))
        header.check(home.keys.seed)
        assert (header.created_s, header.generation) == (house.now_s(), read_generation(home.folder))
        other = tmp_path / "other"
        make_data_dir(other)
        shutil.copyfile(home.folder / "keystore.json", other / "keystore.json")
        assert examine(tmp_path / "backup", other, PASSPHRASE).own_keystore


async def test_contexts_that_the_person_added_come_along(home: Home, tmp_path: Path) -> None:
    folder = home.folder / "contexts"
    folder.mkdir()
    url = "https://example.org/added/v1"
    (folder / "index.json").write_text(json.dumps({url: "added.jsonld"}))
    (folder / "added.jsonld").write_text(
        json.dumps({"@context": {"hobby": "https://example.org/added#hobby"}})
    )
    (folder / ".notes").write_text("not read by the node")
    house = await home.open()
    async with home.stack:
        await shop(house)
        await backed_up(house, tmp_path / "backup")
        house = await home.restored(tmp_path / "backup", tmp_path / "other")
        assert url in house.node.contexts.added
        assert sorted(path.name for path in (tmp_path / "other" / "contexts").iterdir()) == [
            "added.jsonld",
            "index.json",
        ]


async def test_a_grant_that_is_damaged_keeps_no_other_from_being_paused(home: Home, tmp_path: Path) -> None:
    house = await home.open()
    async with home.stack:
        held = await shop(house)
        ended = await house.relate([MARKETING], name="Other Shop")
        await house.change(ended.grant, "end")

        def spoil(tx: Transactor) -> None:
            tx._execute(  # type: ignore[attr-defined]
                "UPDATE grant_version SET document = ? WHERE grant_id = ?", (b"{}", ended.grant)
            )

        await house.node.store.write(spoil)
        await backed_up(house, tmp_path / "backup")
        await home.restored(tmp_path / "backup")
        assert held.grant
    with pytest.raises(ConflictError):
        examine(tmp_path / "backup", _others(tmp_path), PASSPHRASE)


def _others(tmp_path: Path) -> Path:
    folder = tmp_path / "others"
    make_keys(folder, Random(99))
    return folder
