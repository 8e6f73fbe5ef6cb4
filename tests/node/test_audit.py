"""The check of everything: in a process of its own, which finds what was altered and ends with the node."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_node import audit as module
from freehold_node.audit import Audit
from freehold_node.foreign import exchange
from freehold_node.store.store import Transactor
from freehold_protocol.errors import UnavailableError
from harness import ADA, House, open_house, permission
from stuck import put_stuck_worker

pytestmark = pytest.mark.asyncio
DELIVERY = permission("delivery", ["name", "address.postalCode"])
HOLDS = {"records": {"checked": 1, "damaged": []}}


async def furnish(house: House) -> str:
    """Bring in a record, and relate to a shop that reads it twice; return the grant."""
    await house.import_file(ADA, me="1")
    shop = await house.relate([DELIVERY], name="Book Shop")
    for _ in range(2):
        await shop.get("/delivery/records")
    return str(shop.grant)


async def test_what_holds_is_found_to_hold_and_the_process_is_gone(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert await house.own("POST", "/verify", {}) == {
            "intact": True,
            "grants": [],
            "records": {"checked": 0, "damaged": []},
        }
        grant = await furnish(house)
        told = {"grant": grant, "vendor": "Book Shop", "entries": 3, "status": "intact", "damaged": []}
        assert await house.own("POST", "/verify", {}) == {"intact": True, "grants": [told], **HOLDS}
        assert house.node.audit.process_id is None


GOES_BY: list[object] = [{"reason": "standing"}]
ALTERED: dict[str, tuple[str, list[object]]] = {
    "the body of an entry": (
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), '\"count\":1', '\"count\":2') AS BLOB) WHERE n = 1",
        [{"number": 1, "reason": "leaf"}],
    ),
    "a body that is no JSON": (
        "UPDATE entry SET body = x'ff00fe' WHERE n = 1",
        [{"reason": "not UTF-8"}],
    ),
    "a salt": ("UPDATE entry SET salt = zeroblob(32) WHERE n = 2", [{"number": 2, "reason": "leaf"}]),
    "a body that is gone without notice": (
        "UPDATE entry SET body = NULL WHERE n = 1",
        [{"number": 1, "reason": "no-notice"}],
    ),
    "a leaf": (
        "UPDATE entry SET leaf = zeroblob(32) WHERE n = 1",
        [{"number": 1, "reason": "leaf"}, {"reason": "root"}],
    ),
    "a body that is a text": (
        "UPDATE entry SET body = replace(CAST(body AS TEXT), '\"count\":1', '\"count\":2') WHERE n = 1",
        [{"reason": "not JSON"}],
    ),
    "a leaf and a salt that are texts": (
        "UPDATE entry SET leaf = 'leaf', salt = 'salt' WHERE n = 1",
        [{"number": 1, "reason": "form"}, {"reason": "root"}],
    ),
    "a version of the grant that is a text": (
        "UPDATE grant_version SET document = CAST(document AS TEXT)",
        [{"reason": "not JSON"}],
    ),
    "an origin nobody stated": (
        "UPDATE access_grant SET moved = 'https://elsewhere.example'",
        [{"reason": "statement"}],
    ),
    "another vendor": ("UPDATE relationship SET vendor = 'did:web:elsewhere.example'", GOES_BY),
    "keys of another time": (
        "UPDATE access_grant SET key_epoch = 1",
        [{"reason": "signature"}, *GOES_BY],
    ),
    "a state": ("UPDATE access_grant SET state = 'paused'", GOES_BY),
    "a beginning": ("UPDATE access_grant SET not_before_us = 0", GOES_BY),
    "an end": ("UPDATE access_grant SET expires_us = expires_us + 1000000", GOES_BY),
}


@pytest.mark.parametrize("name", ALTERED)
async def test_what_was_altered_is_found(tmp_path: Path, name: str) -> None:
    statement, damaged = ALTERED[name]
    async with open_house(tmp_path / "node") as house:
        await furnish(house)
        await house.node.store.write(_altering(statement))
        told = await house.own("POST", "/verify", {})
    assert not told["intact"]
    assert told["grants"][0]["status"] == "damaged"
    assert told["grants"][0]["damaged"] == damaged


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET cid = 'another'",
        "UPDATE record SET document = replace(CAST(document AS TEXT), 'Ada', 'Eve')",
        "UPDATE record SET document = 5",
    ],
)
async def test_an_altered_record_is_found(tmp_path: Path, statement: str) -> None:
    async with open_house(tmp_path / "node") as house:
        await furnish(house)
        [record] = (await house.own("GET", "/records"))["records"]
        await house.node.store.write(_altering(statement))
        told = await house.own("POST", "/verify", {})
    assert (told["intact"], told["records"]) == (False, {"checked": 1, "damaged": [record["id"]]})


def _altering(statement: str) -> Callable[[Transactor], None]:
    return lambda tx: tx._execute(statement, ())  # type: ignore[attr-defined]


# The process


@pytest.mark.requirement("DSH-87")
async def test_it_gets_no_key_and_nothing_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEHOLD_PASSPHRASE", "correct horse")
    sent: list[bytes] = []
    send = module._send

    async def overheard(worker: asyncio.subprocess.Process, message: bytes) -> object:
        sent.append(message)
        environment = Path(f"/proc/{worker.pid}/environ")
        if environment.exists():
            sent.append(environment.read_bytes())
        return await exchange(worker, message)

    async def also(worker: asyncio.subprocess.Process, message: object) -> None:
        sent.append(repr(message).encode())
        await send(worker, message)

    monkeypatch.setattr(module, "exchange", overheard)
    monkeypatch.setattr(module, "_send", also)
    async with open_house(tmp_path / "node") as house:
        await furnish(house)
        await house.own("POST", "/verify", {})
        keys = house.node._keys
    everything = b"".join(sent)
    assert b"Ada" in everything
    for secret in (keys.seed, keys.database_key, b"correct horse"):
        for form in (secret, secret.hex().encode(), repr(secret)[2:-1].encode()):
            assert form not in everything


async def _while_it_runs(house: House, work: Callable[[], object]) -> asyncio.Task[object]:
    running = asyncio.create_task(house.node.audit.check())
    while house.node.audit.process_id is None:
        await asyncio.sleep(0)
    work()
    return running


@pytest.mark.requirement("DSH-87")
async def test_it_ends_with_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stuck(monkeypatch, tmp_path)
    async with open_house(tmp_path / "node") as house:
        await furnish(house)
        running = await _while_it_runs(house, lambda: None)
        process = house.node.audit.process_id
        assert process is not None
        await house.node.audit.close()
        with pytest.raises(UnavailableError):
            await running
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
        with pytest.raises(UnavailableError, match="stops"):
            await house.node.audit.check()


@pytest.mark.requirement("DSH-87")
async def test_it_ends_with_the_node_also_while_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[asyncio.subprocess.Process] = []
    create = asyncio.create_subprocess_exec

    async def closed_meanwhile(*command: str, **options: Any) -> asyncio.subprocess.Process:
        await house.node.audit.close()
        started.append(await create(*command, **options))
        return started[0]

    async with open_house(tmp_path / "node") as house:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", closed_meanwhile)
        with pytest.raises(UnavailableError, match="stops"):
            await house.node.audit.check()
        assert started[0].returncode is not None


@pytest.mark.requirement("DSH-87")
async def test_meanwhile_a_vendor_reads_and_pages_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stuck(monkeypatch, tmp_path)
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="1")
        shop = await house.relate([DELIVERY])
        running = await _while_it_runs(house, lambda: None)
        assert (await shop.get("/delivery/records")).status == 200
        assert (await house.own("GET", "/activity"))["entries"]
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert house.node.audit.process_id is None


@pytest.mark.parametrize("worker", ["no_such_module", "freehold_node.audit_worker"])
async def test_a_process_that_dies_or_does_not_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker: str
) -> None:
    monkeypatch.setattr(module, "_WORKER", worker)
    async with open_house(tmp_path / "node") as house:
        await furnish(house)
        audit: Audit = house.node.audit
        if worker != "no_such_module":
            running = await _while_it_runs(house, lambda: os.kill(audit.process_id or 0, 9))
            with pytest.raises(UnavailableError, match="did not come to its end"):
                await running
            monkeypatch.undo()
            assert (await audit.check())["intact"]
        else:
            with pytest.raises(UnavailableError, match="did not come to its end"):
                await audit.check()


def _stuck(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    put_stuck_worker(monkeypatch, folder)
    monkeypatch.setattr(module, "_WORKER", "stuck_worker")
