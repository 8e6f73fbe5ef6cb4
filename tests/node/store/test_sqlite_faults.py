"""A disk that fails under the store: nothing half done, nothing said to be done, and no restart needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from operator import methodcaller as call
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from disk import Action, Disk, Kind, broken, full
from freehold_node.store import sqlite
from freehold_node.store.sqlite import SqliteStore
from freehold_node.store.store import Transactor
from freehold_protocol.errors import StorageFullError, UnavailableError
from harness import ADA, Held, House, open_house, permission
from store_contract import together
from store_rows import OWNER, T0, record


class Trouble(NamedTuple):
    action: Action
    make: Callable[[], Exception]
    raised: type[UnavailableError]
    status: int
    code: str
    torn: bool = False
    kind: Kind = "wal"


TROUBLES = {
    "write": Trouble("write", broken, UnavailableError, 503, "unavailable"),
    "torn write": Trouble("write", broken, UnavailableError, 503, "unavailable", torn=True),
    "sync": Trouble("sync", broken, UnavailableError, 503, "unavailable"),
    "full": Trouble("write", full, StorageFullError, 507, "storage-full"),
    "full, torn": Trouble("write", full, StorageFullError, 507, "storage-full", torn=True),
    "full at sync": Trouble("sync", full, StorageFullError, 507, "storage-full"),
}


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture(params=TROUBLES)
def trouble(request: pytest.FixtureRequest) -> Trouble:
    return TROUBLES[request.param]


def open_store(folder: Path, disk: Disk) -> SqliteStore:
    return SqliteStore(folder / "node.db", bytes(32), now_us=lambda: T0, vfs=disk.name)


@pytest_asyncio.fixture
async def store(tmp_path: Path, disk: Disk) -> AsyncIterator[SqliteStore]:
    store = open_store(tmp_path, disk)
    await store.write(call("add_owner", OWNER, created_us=T0))
    yield store
    disk.heal()
    await store.close()


def put(n: int, size: int = 1) -> Callable[[Transactor], int]:
    def write(tx: Transactor) -> int:
        tx.put_record(OWNER, record(f"r{n}", document=b"x" * size))
        return n

    return write


async def ids(store: SqliteStore, *, long: bool = False) -> list[str]:
    return [row.id for row in await store.read(call("records", OWNER, limit=99), long=long)]


@pytest.mark.requirement("HTTP-37", "LED-3")
@pytest.mark.asyncio
async def test_a_group_that_cannot_be_committed_fails_whole_and_leaves_nothing(
    tmp_path: Path, disk: Disk, store: SqliteStore, trouble: Trouble
) -> None:
    await store.write(put(0))
    before = await store.read(call("owner", OWNER))
    disk.fail(trouble.action, trouble.kind, trouble.make, torn=trouble.torn)
    failed = await together_failing(store, [put(n, size=3000) for n in range(1, 9)])
    assert [type(error) for error in failed] == [trouble.raised] * 8
    assert len({id(error) for error in failed}) == 8  # each is raised somewhere, with a traceback of its own
    for long in (False, True):
        assert await ids(store, long=long) == ["r0"]
    assert await store.read(call("owner", OWNER)) == before
    with pytest.raises(trouble.raised):
        await store.write(put(9))

    disk.heal()
    assert await ids(store) == ["r0"]
    assert await together(store, [put(10), put(11)]) == [10, 11]
    assert await ids(store) == ["r0", "r10", "r11"]
    await store.close()
    again = open_store(tmp_path, disk)
    assert await ids(again) == ["r0", "r10", "r11"]
    assert again._writer.pragma("integrity_check") == "ok"
    await again.close()


async def together_failing(store: SqliteStore, works: list[Callable[[Transactor], Any]]) -> list[Any]:
    return await asyncio.gather(*map(store.write, works), return_exceptions=True)


@pytest.mark.asyncio
async def test_whoever_listens_is_told_of_a_commit_of_which_nobody_knows_what_became(
    store: SqliteStore, disk: Disk, trouble: Trouble
) -> None:
    def write(tx: Transactor) -> None:
        tx.bump_epoch(OWNER, "g1")
        tx.put_record(OWNER, record("r1", document=b"x" * 1000))

    told: list[frozenset[str]] = []
    store.on_commit(told.append)
    disk.fail(trouble.action, trouble.kind, trouble.make, torn=trouble.torn)
    with pytest.raises(trouble.raised):
        await store.write(write)
    assert told == [frozenset({"g1"})]


@pytest.mark.parametrize("after", range(12))
@pytest.mark.asyncio
async def test_wherever_in_a_commit_the_disk_fails_it_is_all_or_nothing(
    disk: Disk, store: SqliteStore, after: int
) -> None:
    disk.fail("write", "wal", full, after=after, torn=True)
    results = await together_failing(store, [put(n, size=2000) for n in range(4)])
    disk.heal()
    done = results == [0, 1, 2, 3]
    assert done or [type(error) for error in results] == [StorageFullError] * 4
    assert await ids(store) == (["r0", "r1", "r2", "r3"] if done else [])
    assert await store.write(put(9)) == 9


@pytest.mark.asyncio
async def test_a_group_in_trouble_takes_the_errors_of_its_units_with_it(
    disk: Disk, store: SqliteStore
) -> None:
    """Nobody may be told on the ground of something that was not committed that it was refused."""

    def refuse(tx: Transactor) -> None:
        tx.set_setting("seen", "yes")
        raise LookupError

    disk.fail("sync", "wal", broken)
    results = await together_failing(store, [put(0), refuse, put(1)])
    assert [type(error) for error in results] == [UnavailableError] * 3
    disk.heal()


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("kind", ["db", "wal"])
@pytest.mark.asyncio
async def test_a_read_that_fails_says_so_and_the_next_one_works(
    tmp_path: Path, disk: Disk, kind: Kind, long: bool
) -> None:
    store = open_store(tmp_path, disk)
    await store.write(call("add_owner", OWNER, created_us=T0))
    for n in range(20):
        await store.write(put(n, size=9000))
    if kind == "db":
        await store.write(call("delete_record", OWNER, "r0"))  # empties the log
    disk.fail("read", kind, broken)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await ids(store, long=long)
    disk.heal()
    assert len(await ids(store, long=long)) == 19 + (kind == "wal")
    await store.write(put(99))
    assert len(await ids(store, long=long)) == 20 + (kind == "wal")
    await store.close()


@pytest.mark.parametrize("action", ["write", "sync"])
@pytest.mark.asyncio
async def test_a_checkpoint_that_fails_loses_nothing(
    tmp_path: Path, disk: Disk, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 1)
    store = open_store(tmp_path, disk)
    await store.write(call("add_owner", OWNER, created_us=T0))
    disk.fail(action, "db", broken)
    for n in range(5):
        await store.write(put(n))
    assert len(await ids(store)) == 5
    synced = disk.count("sync", "db")
    disk.heal()
    await store.write(put(5))
    assert len(await ids(store)) == 6
    await store.write(put(6))  # the writer copies the log back before it begins with this
    assert disk.count("sync", "db") > synced
    await store.close()
    again = open_store(tmp_path, disk)
    assert len(await ids(again)) == 7
    await again.close()


@pytest.mark.asyncio
async def test_a_store_whose_disk_is_broken_can_be_closed(tmp_path: Path, disk: Disk) -> None:
    store = open_store(tmp_path, disk)
    await store.write(call("add_owner", OWNER, created_us=T0))
    for action in ("read", "write", "sync", "truncate"):
        for kind in ("db", "wal"):
            disk.fail(action, kind, broken)
    await store.close()
    disk.heal()
    again = open_store(tmp_path, disk)
    assert await again.read(call("owners")) == [OWNER]
    await again.close()


# Through HTTP

GIVEN = [permission("delivery", ["name", "address.postalCode"])]


async def admitted(house: House, grant: str) -> list[int]:
    """The numbers of the admitted entries, after checking that the whole ledger holds."""
    assert (await house.own("POST", "/verify", {}))["intact"]
    entries = (await house.own("GET", f"/grants/{grant}/ledger"))["entries"]
    assert [entry["number"] for entry in entries] == list(range(len(entries)))
    return [entry["number"] for entry in entries if entry["entry"]["kind"] == "admitted"]


def names_nothing(body: bytes) -> bool:
    return not any(
        value in body for value in (b"Ada Example", b"EX1 2AB", b"Exampleton", b"postalCode", b"items")
    )


async def opened(house: House) -> Held:
    await house.import_file(ADA, me="Ada Example")
    return await house.relate(GIVEN)


@pytest.mark.requirement("LED-3", "SEC-5")
@pytest.mark.asyncio
async def test_what_cannot_be_logged_is_not_released(tmp_path: Path, disk: Disk, trouble: Trouble) -> None:
    async with open_house(tmp_path / "node", vfs=disk.name) as house:
        shop = await opened(house)
        assert (await shop.get("/delivery/records")).entry == 1
        path = f"/g/{shop.grant}/delivery/records"
        signed = [shop.headers("GET", path) for _ in range(9)]

        disk.fail(trouble.action, trouble.kind, trouble.make, torn=trouble.torn)
        refused = [await house.send("GET", path, signed[0])]
        refused += await asyncio.gather(*(house.send("GET", path, headers) for headers in signed[1:]))
        for reply in refused:
            assert (reply.status, reply.code) == (trouble.status, trouble.code)
            assert "Freehold-Entry" not in reply.headers
            assert "ETag" not in reply.headers
            assert names_nothing(reply.body)
        head = await shop.get("/delivery/records", method="HEAD")
        assert (head.status, head.body) == (trouble.status, b"")

        disk.heal()
        # Without a restart, and with the very requests that were refused: nothing of them was kept.
        again = [await house.send("GET", path, headers) for headers in signed]
        assert [(reply.status, reply.entry) for reply in again] == [(200, n) for n in range(2, 11)]
        assert await admitted(house, shop.grant) == list(range(1, 11))


@pytest.mark.requirement("GRA-12")
@pytest.mark.asyncio
async def test_a_decision_that_cannot_be_kept_is_not_taken(
    tmp_path: Path, disk: Disk, trouble: Trouble
) -> None:
    async with open_house(tmp_path / "node", vfs=disk.name) as house:
        shop = await opened(house)
        narrower: dict[str, Any] = {"change": "narrow", "permissions": [permission("delivery", ["name"])]}
        draft = await house.own("POST", f"/grants/{shop.grant}/draft", narrower)
        change = {"digest": draft["digest"]}

        disk.fail(trouble.action, trouble.kind, trouble.make, torn=trouble.torn)
        reply = await house.owner("POST", f"/grants/{shop.grant}/change", change)
        assert (reply.status, reply.code) == (trouble.status, trouble.code)
        disk.heal()
        assert (await house.own("GET", f"/grants/{shop.grant}"))["version"] == 1
        assert "address" in (await shop.contents("delivery"))[0]

        await house.own("POST", f"/grants/{shop.grant}/change", change)
        assert (await shop.contents("delivery"))[0] == {"type": "Person", "name": "Ada Example"}
        assert await admitted(house, shop.grant) == [1, 3]
