"""What happened, what is due, everything in one file, and the sample gone: as a person types it."""

from __future__ import annotations

import asyncio
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from harness import Held, House
from shell import ASKED, Beside, Shell


async def read(held: Held) -> None:
    await held.contents("delivery")
    await held.contents("marketing")
    await held.get("/delivery/records?fields=telephone")


@pytest.mark.asyncio
async def test_activity_in_plain_words(beside: Beside, house: House, held: Held) -> None:
    await read(held)
    await (await house.relate(ASKED, name="Other Shop")).contents("delivery")
    told = await beside.ok("activity")
    assert [one["vendor"]["name"] for one in told["entries"]] == ["Other Shop"] * 2 + ["Corner Shop"] * 4
    rows = (await beside("activity", "--vendor", "corner")).out.splitlines()[1:]
    assert len(rows) == 4
    for row, word in zip(
        rows, ("refused: not shared", "read marketing", "read delivery", "you approved"), strict=True
    ):
        assert "Corner Shop" in row
        assert word in row
    assert (await beside("activity", "--refused", "--vendor", held.key.did)).out.count("refused") == 1
    by_field = await beside("activity", "--field", "email")
    assert by_field.out.count("read marketing") == 1
    assert "Looked through 3 reads" in by_field.out
    day = datetime.now().astimezone().date()
    tomorrow, yesterday = (str(day + timedelta(days=days)) for days in (1, -1))
    assert (await beside.ok("activity", "--since", tomorrow))["entries"] == []
    assert "Nothing of that kind" in (await beside("activity", "--until", yesterday)).out
    assert len((await beside.ok("activity", "--since", str(day), "--until", str(day)))["entries"]) == 6
    assert len((await beside.ok("activity", "--count", "2"))["entries"]) == 2
    assert (await beside("activity", "--since", "soon")).code == 2
    timeline = await beside("activity", "--timeline")
    assert "Corner Shop: 2 reads" in timeline.out
    readers = await beside("grants", "readers", held.grant)
    assert "Corner Shop" in readers.out
    today = (await beside("today")).out
    assert "Corner Shop" in today
    assert "Ada Example" not in today


@pytest.mark.asyncio
async def test_what_can_be_sought(beside: Beside, held: Held) -> None:
    told = await beside.ok("activity", "--choices")
    assert "address.postalCode" in told["fields"]
    shown = (await beside("activity", "--choices")).out
    assert "Corner Shop" in shown
    assert "address.postalCode" in shown


@pytest.mark.asyncio
async def test_a_long_activity_comes_page_by_page(
    beside: Beside, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read(held)
    monkeypatch.setattr("freehold_node.cli.commands_looking._PAGE", 2)
    assert [one["number"] for one in (await beside.ok("activity"))["entries"]] == [3, 2, 1, 0]
    assert len((await beside.ok("activity", "--count", "3"))["entries"]) == 3


@pytest.mark.asyncio
async def test_records_and_grants_are_found(beside: Beside, house: House, held: Held) -> None:
    await house.own("POST", "/records", {"content": {"type": "Order", "orderNumber": "17"}})
    found = await beside.ok("records", "--type", "Person")
    assert [one["label"] for one in found["records"]] == ["Ada Example"]
    found = await beside.ok("records", "--search", "ORDER 1")
    assert [one["label"] for one in found["records"]] == ["Order 17"]
    found = await beside.ok("records", "--order", "newest")
    assert [one["label"] for one in found["records"]] == ["Order 17", "Ada Example"]
    assert (await beside("records", "--order", "odd")).code == 1
    assert "Person" in (await beside("records", "--types")).out
    assert len((await beside.ok("grants", "--search", "corner"))["grants"]) == 1
    assert (await beside.ok("grants", "--state", "paused"))["grants"] == []
    assert (await beside("grants", "--state", "dead")).code == 2
    assert (await beside.ok("requests", "--search", "nobody"))["requests"] == []
    status = await beside("status")
    assert "on the disk" in status.out


@pytest.mark.asyncio
async def test_an_export_is_read_back_and_its_ledgers_verify(
    beside: Beside, held: Held, tmp_path: Path
) -> None:
    await read(held)
    path = tmp_path / "all.zip"
    told = await beside.ok("export", path)
    assert {name: told[name] for name in ("records", "requests", "grants")} == {
        "records": 1, "requests": 1, "grants": 1,
    }  # fmt: skip
    assert told["size"] == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as file:
        file.extract(f"grants/{held.grant}/ledger.json", tmp_path)
        assert json.loads(file.read("index.json"))["format"] == "freehold-export-1"
    elsewhere = Shell(tmp_path / "no" / "node")
    ran = await asyncio.to_thread(
        elsewhere.ok, "verify", tmp_path / "grants" / held.grant / "ledger.json", passphrase=None
    )
    assert (ran["status"], ran["receipt"], ran["entries"]) == ("intact", True, 4)
    assert (await beside("export", path)).code == 1  # never overwritten
    refused = await beside("export", tmp_path / "other.zip", passphrase="wrong")
    assert refused.code != 0
    assert not (tmp_path / "other.zip").exists()


@pytest.mark.asyncio
async def test_the_sample_is_shown_and_removed(beside: Beside, house: House, held: Held) -> None:
    assert "no sample" in (await beside("sample")).out
    assert (await beside("sample", "remove", "--yes")).code == 1
    await house.node.samples.mark(vendors=[held.key.did])
    own = await house.relate(ASKED, name="Own Shop")
    assert "Corner Shop" in (await beside("sample")).out
    assert (await beside.ok("sample", "remove", "--yes"))["grants"] == [held.grant]
    grants = (await beside.ok("grants"))["grants"]
    assert [one["id"] for one in grants] == [own.grant]
