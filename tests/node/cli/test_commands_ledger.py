from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_node.cli import commands_ledger
from freehold_node.cli.owner_client import OwnerClient
from freehold_node.keystore import Keys
from freehold_protocol.checkpoint import parse_checkpoint
from freehold_protocol.merkle import parse_hash, parse_proof, verify_inclusion
from harness import ADA, Held, TestClock, open_house
from shell import Beside, Shell


@pytest_asyncio.fixture
async def read(held: Held) -> Held:
    """A vendor that has read, and was refused a field and a permission."""
    await held.contents("delivery")
    await held.contents("marketing")
    await held.get("/delivery/records?fields=telephone")
    return held


@pytest_asyncio.fixture
async def bundle(beside: Beside, read: Held, tmp_path: Path) -> Path:
    """An exported ledger: approved, read, read, refused."""
    path = tmp_path / "ledger.json"
    await beside.ok("ledger", read.grant, "--export", path)
    return path


@pytest.mark.asyncio
async def test_shows_who_read_what_and_what_was_refused(beside: Beside, read: Held) -> None:
    await beside.ok("narrow", read.grant, "--drop", "marketing")
    rows = (await beside("ledger", read.grant)).out.splitlines()[2:]
    assert [row.split()[0] for row in rows] == ["0", "1", "2", "3", "4"]
    assert "you approved" in rows[0]
    assert "Corner Shop" in rows[1]
    assert "read delivery" in rows[1]
    assert "name, address.streetAddress, address.postalCode" in rows[1]
    assert "sent 1 record" in rows[1]
    assert "refused: not shared" in rows[3]
    assert "you narrowed" in rows[4]
    assert "Ada Example" not in "".join(rows)
    told = await beside.ok("ledger", read.grant)
    assert told["size"] == len(told["entries"]) == 5


@pytest.mark.asyncio
async def test_shows_one_entry_with_its_proof(beside: Beside, read: Held) -> None:
    ran = await beside("ledger", read.grant, "--entry", "1")
    for text in (
        "1 of 4, counted from 0",
        "read delivery",
        "sent 1 record",
        "It is in the ledger",
        "freehold/ledger/",
    ):
        assert text in ran.out
    assert "Ada Example" not in ran.out
    told = await beside.ok("ledger", read.grant, "--entry", "3")
    assert told["holds"]
    assert (told["number"], told["size"], told["entry"]["kind"]) == (3, 4, "refused")
    assert (await beside("ledger", read.grant, "--entry", "4")).code == 1
    assert (await beside("ledger", read.grant, "--entry", "-1")).code == 2
    assert (await beside("ledger", read.grant, "--entry", "1", "--export", "x.json")).code == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "forged",
    [
        lambda told: {**told, "entry": {**told["entry"], "count": 9}},
        lambda told: {**told, "number": 2},
        lambda told: {**told, "proof": told["proof"][::-1]},
        lambda told: {**told, "checkpoint": told["checkpoint"].replace("\n4\n", "\n5\n")},
    ],
)
async def test_an_entry_that_is_not_proven_is_called_so(
    beside: Beside, read: Held, monkeypatch: pytest.MonkeyPatch, forged: Any
) -> None:
    get = OwnerClient.get
    monkeypatch.setattr(
        OwnerClient,
        "get",
        lambda self, path: forged(get(self, path)) if path.endswith("/1") else get(self, path),
    )
    ran = await beside("ledger", read.grant, "--entry", "1")
    assert ran.code == 1
    assert "NOT what the node signed" in ran.out


@pytest.mark.asyncio
async def test_one_entry_can_be_checked_by_whoever_has_it(beside: Beside, read: Held) -> None:
    proven = await beside.ok("ledger", read.grant, "--entry", "1")
    checkpoint = parse_checkpoint(proven["checkpoint"])
    verify_inclusion(
        leaf=parse_hash(proven["leaf"]), index=1, size=proven["size"], proof=parse_proof(proven["proof"]),
        root=checkpoint.root,
    )  # fmt: skip
    ran = await beside("ledger", read.grant, "--entry", "1")
    assert "read delivery" in ran.out
    assert proven["leaf"] in ran.out
    assert (await beside("ledger", read.grant, "--entry", "99")).code == 1
    assert (await beside("ledger", read.grant, "--entry", "1", "--export", "x")).code == 2


@pytest.mark.asyncio
async def test_a_long_ledger_comes_page_by_page(
    beside: Beside, read: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold_node.cli.owner_client._PAGE", 2)
    assert (await beside.ok("ledger", read.grant))["size"] == 4


@pytest.mark.asyncio
async def test_exports_what_verifies_anywhere(
    beside: Beside, read: Held, bundle: Path, tmp_path: Path
) -> None:
    assert bundle.stat().st_mode & 0o777 == 0o600
    elsewhere = Shell(tmp_path / "no" / "node")
    ran = await asyncio.to_thread(elsewhere, "verify", bundle, passphrase=None)
    assert ran.code == 0
    assert "intact, 4 entries" in ran.out
    told = await asyncio.to_thread(elsewhere.ok, "verify", bundle, passphrase=None)
    assert (told["intact"], told["status"], told["entries"]) == (True, "intact", 4)
    assert (await beside("ledger", read.grant, "--export", bundle)).code == 1  # never overwritten
    assert (await beside("ledger", read.grant, "--export", tmp_path / "no" / "file")).code == 2


@pytest.mark.asyncio
async def test_a_ledger_must_continue_what_was_exported_before(
    beside: Beside, read: Held, bundle: Path, tmp_path: Path
) -> None:
    note, later = tmp_path / "note", tmp_path / "later.json"
    note.write_text(json.loads(bundle.read_bytes())["checkpoint"])
    await read.contents("delivery")
    await beside.ok("ledger", read.grant, "--export", later)
    for earlier in (note, bundle):
        assert (await beside("verify", later, "--checkpoint", earlier)).code == 0
    ran = await beside("verify", bundle, "--checkpoint", later, "--checkpoint", note)
    assert ran.code == 1
    assert "does not continue an earlier checkpoint" in ran.out
    assert (await beside.ok("verify", later, "--checkpoint", note))["faults"] == []


Alter = dict[str, Any]


def altered(bundle: Path, **change: Any) -> Path:
    document = json.loads(bundle.read_bytes())
    for what, value in change.items():
        if what == "drop":
            del document["entries"][value]
        elif what == "entry":
            document["entries"][2]["entry"].update(value)
        elif what == "body":
            document["entries"][value].update(entry=None, salt=None)
        else:
            document[what] = value
    path = bundle.with_name("altered.json")
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("change", "said", "damaged"),
    [
        ({"entry": {"count": 7}}, "entry 2: it is not what was written", [2]),
        ({"entry": {"who": "nobody"}}, "entry 2: it is not what was written", [2]),
        ({"drop": 1}, "entry 1: it is missing", [1]),
        ({"drop": 3}, "entry 3: it is missing", [3]),
        ({"drop": slice(1, 3)}, "entries 1 to 2: it is missing", [1]),
        ({"body": 1}, "entry 1: its content is gone", [1]),
        ({"origin": "freehold/ledger/another-one-of-many-more"}, "not signed by the grant's key", []),
        ({"servingKey": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}, "not signed", []),
    ],
)
@pytest.mark.asyncio
async def test_names_what_is_damaged(
    beside: Beside, bundle: Path, change: Alter, said: str, damaged: list[int]
) -> None:
    path = altered(bundle, **change)
    ran = await beside("verify", path, passphrase=None)
    assert ran.code == 1
    assert "altered.json: damaged" in ran.out
    assert said in ran.out
    told = await beside("verify", path, "--json")
    assert told.code == 1
    assert [one["number"] for one in told.json["damaged"]] == damaged
    assert not told.json["intact"]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"{", b"\xff", b'{"type":"LedgerBundle"}', b'{"a":1,"a":2}', b"[" * 100_000]
)
def test_what_is_no_bundle_is_refused(shell: Shell, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(data)
    ran = shell("verify", path, "--json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.error["code"] in ("malformed", "too-deep", "duplicate-key")


def test_what_is_no_file_or_no_note_is_refused(shell: Shell, tmp_path: Path) -> None:
    assert shell("verify", tmp_path / "nowhere").code == 2
    assert shell("verify", tmp_path).code == 2
    assert shell("verify", "--checkpoint", __file__).code == 2


@pytest.mark.parametrize("note", [b"", b"x", b"\xff\xfe", b"{}", b"{", b"x" * 5000])
@pytest.mark.asyncio
async def test_what_is_no_checkpoint_is_refused(
    beside: Beside, bundle: Path, tmp_path: Path, note: bytes
) -> None:
    path = tmp_path / "note"
    path.write_bytes(note)
    assert (await beside("verify", bundle, "--checkpoint", path)).code == 1


@pytest.mark.asyncio
async def test_a_file_may_be_larger_than_what_a_stranger_may_send(
    beside: Beside, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold_protocol.limits.MAX_MEMBERS", 10)
    assert (await beside("verify", bundle)).code == 0
    monkeypatch.setattr(commands_ledger, "MAX_BUNDLE_MEMBERS", 10)
    assert (await beside("verify", bundle)).code == 1
    monkeypatch.setattr(commands_ledger, "MAX_BUNDLE_BYTES", 10)
    assert (await beside("verify", bundle)).code == 1


@pytest.mark.asyncio
async def test_verifies_the_whole_node(beside: Beside, read: Held) -> None:
    ran = await beside("verify", passphrase=None)
    assert ran.code == 0
    assert "Everything is intact." in ran.out
    assert "1 record checked, 0 damaged." in ran.out
    told = await beside.ok("verify")
    assert told["intact"]
    assert told["grants"][0]["entries"] == 4


@pytest.mark.asyncio
async def test_a_damaged_node_says_where(beside: Beside, read: Held) -> None:
    def damage(tx: Any) -> None:
        tx._execute("UPDATE entry SET salt = zeroblob(32) WHERE n = 1")

    await read.house.node.store.write(damage)
    ran = await beside("verify")
    assert ran.code == 1
    assert "Something is damaged." in ran.out
    assert f"{read.grant[:8]}: entry 1: it is not what was written" in ran.out


def test_shows_how_the_node_stands(shell: Shell) -> None:
    shown = shell("status").out
    for text in ("not running", "freehold serve", str(shell.folder), "not chosen", "0 waiting", "none"):
        assert text in shown


@pytest.mark.asyncio
async def test_counts_what_there_is(beside: Beside, held: Held) -> None:
    shown = (await beside("status")).out
    for text in ("running", "Ada Example", "1 live"):
        assert text in shown
    assert "ended" not in shown


def test_a_clock_that_jumped_is_confirmed_with_the_passphrase(
    shell: Shell, key_store: tuple[Path, Keys]
) -> None:
    async def live_in_the_future() -> None:
        clock = TestClock(int(time.time()) + 5 * 3600)
        async with open_house(shell.folder, keys=key_store[1], clock=clock) as house:
            await house.import_file(ADA, me="1")

    asyncio.run(live_in_the_future())
    assert shell.ok("status")["clock"]["suspect"]
    assert "freehold clock confirm" in shell("status").out
    assert shell("clock", "confirm").code == 2
    assert shell("clock", "confirm", answers=["n"]).code == 1
    assert shell("clock", "confirm", "--yes", passphrase="wrong").code == 4
    assert shell.ok("status")["clock"]["suspect"]
    shell.ok("clock", "confirm", "--yes")
    assert not shell.ok("status")["clock"]["suspect"]
