"""What is deleted is gone from the database file and from its log, to somebody who has the key."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from operator import methodcaller as call
from pathlib import Path
from typing import Any

import pytest
from disk import Disk, broken
from freehold_node.store.rows import RecordRow
from freehold_node.store.sqlite import SqliteStore
from freehold_node.store.sqlite_file import SqliteFile
from freehold_node.store.store import Reader, Transactor
from harness import ADA, open_house, permission
from store_rows import OWNER, T0, record

KEY = bytes(range(32))
CANARY = "canary-in-the-record"
DELETE = call("delete_record", OWNER, CANARY)


def open_store(folder: Path, **more: Any) -> SqliteStore:
    return SqliteStore(folder / "node.db", KEY, now_us=lambda: T0, **more)


def readable(path: Path, key: bytes = KEY) -> bytes:
    """Every page of the database in plain, free pages too, as somebody with the key can read them."""
    connection = SqliteFile(path, key, vfs=None).connect()
    try:
        return bytes(connection.serialize("main"))
    finally:
        connection.close()


def log_size(folder: Path) -> int:
    path = folder / "node.db-wal"
    return path.stat().st_size if path.exists() else 0


def canary(size: int = 1, **more: Any) -> RecordRow:
    """A record that is recognised by each of its columns."""
    document = CANARY.encode() * size
    given: dict[str, Any] = {
        "type": "Type-" + CANARY,
        "source_key": "source-" + CANARY,
        "cid": "cid-" + CANARY,
    }
    return record(CANARY, document=document, **(given | more))


async def with_canary(folder: Path, size: int, **more: Any) -> SqliteStore:
    """Return a store of some records, the canary with two earlier versions in their midst."""
    store = open_store(folder, **more)

    def write(tx: Transactor) -> None:
        tx.add_owner(OWNER, created_us=T0)
        for n in range(60):
            tx.put_record(OWNER, record(f"{n * 7919 % 61:02}", document=b"other" * (n * 50)))
            if n % 20 == 10:
                tx.put_record(OWNER, canary(size, cid=f"cid-{CANARY}-{n}"))
        tx.set_self(OWNER, CANARY)
        tx.replace_pins(OWNER, "g1", {("delivery", 0): frozenset({CANARY, "01"})})

    await store.write(write)
    return store


@pytest.mark.requirement("SEC-8", "REC-9")
@pytest.mark.parametrize("size", [1, 60, 3000])
@pytest.mark.asyncio
async def test_no_trace_is_left_when_the_deletion_is_done(tmp_path: Path, size: int) -> None:
    store = await with_canary(tmp_path, size)
    assert CANARY.encode() in readable(tmp_path / "node.db")
    await store.write(DELETE)
    assert log_size(tmp_path) == 0
    assert CANARY.encode() not in readable(tmp_path / "node.db")
    assert await store.read(call("record_count", OWNER)) == 60
    await store.close()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.asyncio
async def test_no_trace_is_left_however_the_pages_were_rearranged(tmp_path: Path, seed: int) -> None:
    rng, store = random.Random(seed), open_store(tmp_path)
    await store.write(call("add_owner", OWNER, created_us=T0))
    live: dict[str, int] = {}
    made = 0

    def some(tx: Transactor) -> None:
        nonlocal made
        for _ in range(rng.randrange(1, 40)):
            if rng.random() < 0.55 or not live:
                old = rng.choice(list(live)) if live and rng.random() < 0.25 else None
                id_ = old or f"{rng.getrandbits(64):016x}-canary-{made}-"
                live[id_] = made
                mark = f"canary-{made}-"
                document = mark.encode() * rng.choice((1, 20, 90, 400))
                tx.put_record(
                    OWNER, record(id_, source_key=id_, cid=mark, changed_us=made, document=document)
                )
                made += 1
            else:
                gone = rng.choice(list(live))
                del live[gone]
                tx.delete_record(OWNER, gone)

    for _ in range(60):
        await store.write(some)
    everyone = list(live)

    def all_of_them(tx: Transactor) -> None:
        for id_ in everyone:
            tx.delete_record(OWNER, id_)

    await store.write(all_of_them)
    assert made > 500
    assert log_size(tmp_path) == 0
    assert b"canary-" not in readable(tmp_path / "node.db")
    await store.close()


@pytest.mark.asyncio
async def test_only_deletions_empty_the_log(tmp_path: Path) -> None:
    disk = Disk()
    store = await with_canary(tmp_path, 1, vfs=disk.name)
    disk.timeline.clear()
    await store.write(call("put_record", OWNER, canary(2, cid="new")))
    await store.write(call("set_setting", "name", "value"))
    assert disk.count("truncate", "wal") == 0
    await store.write(DELETE)
    assert disk.count("truncate", "wal") == 1
    await store.write(call("set_setting", "name", "value"))
    assert disk.count("truncate", "wal") == 1
    await store.close()


class LongRead:
    """A read that holds on to its snapshot until it is told to end."""

    def __init__(self, store: SqliteStore) -> None:
        self._looked, self._go = threading.Event(), threading.Event()
        self._task = asyncio.create_task(store.read(self._look, long=True))

    def _look(self, reader: Reader) -> int:
        found = len(reader.records(OWNER, limit=999))
        self._looked.set()
        assert self._go.wait(20)
        return found

    async def begun(self) -> None:
        await asyncio.to_thread(self._looked.wait, 20)

    async def end(self) -> int:
        self._go.set()
        return await self._task


@pytest.mark.asyncio
async def test_a_long_read_puts_it_off_to_the_next_write_after_it(tmp_path: Path) -> None:
    store = await with_canary(tmp_path, 9)
    reading = LongRead(store)
    await reading.begun()
    await store.write(DELETE)
    assert await store.read(call("record", OWNER, CANARY)) is None
    assert log_size(tmp_path) > 0
    await store.write(call("set_setting", "name", "value"))
    assert log_size(tmp_path) > 0
    assert await reading.end() == 61
    await store.write(call("set_setting", "name", "value"))
    assert log_size(tmp_path) == 0
    assert CANARY.encode() not in readable(tmp_path / "node.db")
    await store.close()


@pytest.mark.asyncio
async def test_what_was_put_off_is_done_when_the_store_closes_or_opens(tmp_path: Path) -> None:
    store = await with_canary(tmp_path, 9)
    reading = LongRead(store)
    await reading.begun()
    await store.write(DELETE)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("node.db", "node.db-wal"):
        shutil.copy(tmp_path / name, crashed)
    await reading.end()
    await store.close()
    assert log_size(tmp_path) == 0
    assert CANARY.encode() not in readable(tmp_path / "node.db")

    assert log_size(crashed) > 0
    again = open_store(crashed)
    assert log_size(crashed) == 0
    assert CANARY.encode() not in readable(crashed / "node.db")
    await again.close()


@pytest.mark.parametrize(("action", "kind"), [("write", "db"), ("sync", "db"), ("truncate", "wal")])
@pytest.mark.asyncio
async def test_a_broken_disk_puts_it_off_until_it_is_mended(tmp_path: Path, action: Any, kind: Any) -> None:
    disk = Disk()
    store = await with_canary(tmp_path, 9, vfs=disk.name)
    disk.fail(action, kind, broken)
    await store.write(DELETE)  # the commit needs the log only
    assert await store.read(call("record", OWNER, CANARY)) is None
    disk.heal()
    await store.write(call("set_setting", "name", "value"))
    assert log_size(tmp_path) == 0
    assert CANARY.encode() not in readable(tmp_path / "node.db")
    await store.close()


@pytest.mark.asyncio
async def test_a_deletion_that_was_undone_deletes_nothing(tmp_path: Path) -> None:
    store = await with_canary(tmp_path, 9)

    def delete_and_fail(tx: Transactor) -> None:
        tx.delete_record(OWNER, CANARY)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(delete_and_fail)
    assert await store.read(call("record", OWNER, CANARY)) is not None
    assert len(await store.read(call("record_history", OWNER, CANARY))) == 2
    await store.close()


@pytest.mark.asyncio
async def test_nothing_of_a_record_that_was_shared_and_deleted_is_left_on_the_node(tmp_path: Path) -> None:
    """Through HTTP: imported, approved, read, edited, deleted; then somebody with the key looks at the files."""
    folder = tmp_path / "node"
    values = (b"Analytical Row", b"Exampleton", b"1985-12-10", b"ada@example.com", b"Ada Example")
    async with open_house(folder) as house:
        await house.import_file(ADA, me="Ada Example")
        shop = await house.relate([permission("delivery", ["name", "email", "address.streetAddress"])])
        assert len(await shop.contents("delivery")) == 1
        (listed,) = (await house.own("GET", "/records"))["records"]
        path = "/records/" + listed["id"].removeprefix("urn:uuid:")
        shown = await house.own("GET", path)
        content = {
            name: value
            for name, value in shown["record"].items()
            if name not in ("@context", "id", "created", "source", "previous", "proof")
        }
        content["telephone"] = "+44 1632 960002"
        await house.own("PUT", path, {"content": content, "previous": shown["cid"]})
        assert len(await shop.contents("delivery")) == 1
        key = house.node._keys.database_key
        assert all(value in readable(folder / "node.db", key) for value in values)
        await house.own("DELETE", path)
        assert log_size(folder) == 0
        found = readable(folder / "node.db", key)
        assert [value for value in values if value in found] == []
        assert (await house.own("POST", "/verify", {}))["intact"]
