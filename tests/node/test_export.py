"""Everything to take along: each document in it verifies by itself, nothing in it opens anything."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from freehold_protocol.bundle import verify_bundle
from freehold_protocol.keys import PublicKey
from freehold_protocol.record import Record
from freehold_protocol.request import Request
from harness import PASSPHRASE, House, open_house
from shop import contacts, delivery, shop


async def exported(house: House) -> zipfile.ZipFile:
    reply = await house.owner("POST", "/export", {"passphrase": PASSPHRASE})
    assert reply.status == 200, reply.body
    assert (reply.headers["Content-Type"], reply.headers["Cache-Control"]) == ("application/zip", "no-store")
    return zipfile.ZipFile(io.BytesIO(reply.body))


async def lived_in(house: House) -> None:
    held = await shop(house)
    await house.import_file(contacts(1, 250))
    [record, *_] = (await house.own("GET", "/records?limit=2"))["records"]
    path = "/records/" + record["id"].removeprefix("urn:uuid:")
    for name in ("Ada B. Example", "Ada C. Example"):
        shown = await house.own("GET", path)
        await house.own(
            "PUT", path, {"content": {**shown["content"], "name": name}, "previous": shown["cid"]}
        )
    for _ in range(3):
        await held.get("/delivery/records")
    await house.change(held.grant, "pause")
    other = await house.relate([delivery()], name="Other Shop")
    await house.own("POST", "/origins", {"origin": "https://ada.example.org", "passphrase": PASSPHRASE})
    await house.change(other.grant, "end")
    path, _ = await house.ask(house.key(), [delivery()], name="Refused Shop")
    await house.own("POST", f"/requests/{path.rpartition('/')[2]}/refuse", {"reason": "No."})


@pytest.mark.requirement("EXP-1", "EXP-2", "HTTP-44")
@pytest.mark.asyncio
async def test_every_document_of_an_export_verifies_by_itself(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await lived_in(house)
        file = await exported(house)
        status = await house.own("GET", "/status")
        grants = (await house.own("GET", "/grants"))["grants"]
    assert file.testzip() is None
    names = file.namelist()
    assert (names[0], names[-1]) == ("README.txt", "index.json")
    assert len(names) == len(set(names))
    index = json.loads(file.read("index.json"))
    assert index["format"] == "freehold-export-1"
    key = PublicKey.from_did(index["recordsKey"])
    assert len(index["records"]) == status["records"] == 251
    told = {"README.txt", "index.json"}
    for line in index["records"]:
        for name in (line["file"], *line.get("earlier", ())):
            told.add(name)
            record = Record.from_dict(json.loads(file.read(name)))
            record.verify(key)
            assert record.id == line["id"]
    [edited] = [line for line in index["records"] if "earlier" in line]
    chain = [json.loads(file.read(name)) for name in (edited["file"], *edited["earlier"])]
    assert [one["name"] for one in chain] == ["Ada C. Example", "Ada B. Example", "Ada Example"]
    assert [name.rpartition("-")[2] for name in edited["earlier"]] == ["2.jsonld", "1.jsonld"]
    for line in index["requests"]:
        told.add(line["file"])
        kept = json.loads(file.read(line["file"]))
        request = Request.from_dict(kept["request"])
        assert request.vendor == line["vendor"]["id"]
        assert (kept["status"], kept.get("reason")) == (line["status"], line.get("reason"))
    assert sorted(line["status"] for line in index["requests"]) == ["approved", "approved", "refused"]
    assert {line["id"] for line in index["grants"]} == {one["id"] for one in grants}
    for line in index["grants"]:
        told.add(line["ledger"])
        verdict = verify_bundle(json.loads(file.read(line["ledger"])))
        assert (verdict.status, verdict.checkpoint.size) == ("intact", line["entries"])
        statements = f"grants/{line['id']}/statements.json"
        told.add(statements)
        assert [one["type"] for one in json.loads(file.read(statements))] == ["Moved"]
    assert told == set(names)


@pytest.mark.requirement("EXP-2")
@pytest.mark.asyncio
async def test_another_program_verifies_what_is_in_it(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await lived_in(house)
        file = await exported(house)
    ledgers = [name for name in file.namelist() if name.endswith("/ledger.json")]
    file.extractall(tmp_path / "out")
    for name in ledgers:
        command = [sys.executable, "-m", "freehold_node", "--json", "verify", str(tmp_path / "out" / name)]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        told = json.loads(done.stdout)
        assert (told["status"], told["receipt"]) == ("intact", True)
    read = next(name for name in ledgers if b'"status":200' in (tmp_path / "out" / name).read_bytes())
    damaged = tmp_path / "out" / read
    damaged.write_bytes(damaged.read_bytes().replace(b'"status":200', b'"status":304', 1))
    done = subprocess.run([*command[:-1], str(damaged)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 1


@pytest.mark.requirement("EXP-3")
@pytest.mark.asyncio
async def test_an_export_holds_nothing_that_opens_anything(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await lived_in(house)
        file = await exported(house)
        secrets = [house.node._keys.seed, house.node._keys.database_key, house.node.session_key.seed]
        capabilities = [b"capabilityInvocation", b"invocationTarget", b"allowedAction", b"/i/"]
    whole = b"".join(map(file.read, file.namelist()))
    for secret in secrets:
        assert secret.hex().encode() not in whole
        assert secret not in whole
    for word in (*capabilities, PASSPHRASE.encode()):
        assert word not in whole, word


@pytest.mark.asyncio
async def test_an_export_takes_the_passphrase_and_is_written_down(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert (await house.owner("POST", "/export", {})).code == "passphrase-wrong"
        assert (await house.owner("POST", "/export", {"passphrase": "no"})).code == "passphrase-wrong"
        file = await exported(house)
        assert file.namelist() == ["README.txt", "index.json"]
        assert json.loads(file.read("index.json"))["records"] == []


@pytest.mark.requirement("EXP-4")
@pytest.mark.asyncio
async def test_an_export_comes_in_pieces_and_reads_go_on(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        await house.import_file(contacts(1, 600))
        for _ in range(30):
            await held.get("/delivery/records")
        whole, most = b"", 0
        async for piece in await house.node.exports.begin():
            if not most:  # admitted while the export is under way
                assert (await held.get("/delivery/records")).status == 200
            whole, most = whole + piece, max(most, len(piece))
        assert most < len(whole) / 4
        file = zipfile.ZipFile(io.BytesIO(whole))
        [ledger] = [name for name in file.namelist() if name.endswith("ledger.json")]
        verdict = verify_bundle(json.loads(file.read(ledger)))
        assert (verdict.status, verdict.checkpoint.size) == ("intact", 32)
