"""The file of the embedded store: encrypted in every part, refused if it is not ours, whole after a fault."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from importlib import resources
from operator import methodcaller as call
from pathlib import Path
from typing import Any

import apsw
import pytest
from disk import REAL, Disk, broken, full
from freehold_node.store.sqlite import SqliteStore
from freehold_node.store.sqlite_file import SCHEMA, SqliteFile, check_copy, generation_in, migrate
from freehold_node.store.store import Transactor
from freehold_protocol.errors import ConflictError, UnavailableError
from store_rows import (
    OWNER,
    T0,
    draft,
    entry,
    invitation,
    record,
    refusal,
    relationship,
    request,
    standing,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(32)
HEADER = b"SQLite format 3"
CANARIES = [b"canary-" + letter.encode() * 9 for letter in "abcdefghijklmnopqrst"]


def open_store(folder: Path, key: bytes = KEY, **more: Any) -> SqliteStore:
    return SqliteStore(folder / "node.db", key, now_us=lambda: T0, **more)


def connect(folder: Path) -> apsw.Connection:
    return SqliteFile(folder / "node.db", KEY, vfs=None).connect()


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file but the index of the log, which SQLite makes anew."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".db-shm"}


async def crashed(folder: Path, into: Path) -> Path:
    """Return a folder with a database as it is left when its process dies: much of it still in the log."""
    store = open_store(folder)
    await store.write(call("add_owner", OWNER, created_us=T0))
    into.mkdir()
    for path in folder.glob("node.db*"):
        if path.suffix != ".db-shm":
            shutil.copy(path, into)
    await store.close()
    assert (into / "node.db-wal").stat().st_size > 0
    return into


# Encryption


def write_canaries(tx: Transactor) -> None:
    """Put a canary into every column of text or bytes."""
    names = (canary.decode() for canary in CANARIES)
    tx.add_owner(next(names), created_us=T0)
    tx.set_setting(next(names), next(names))
    tx.put_record(
        OWNER,
        record(next(names), type=next(names), source_key=next(names), cid=next(names), document=CANARIES[7]),
    )
    tx.add_invitation(OWNER, invitation("canary-invitation"))
    tx.add_relationship(OWNER, relationship("canary-relationship", vendor="did:key:zCanary"), created_us=T0)
    tx.add_request(OWNER, request("canary-request", document=CANARIES[8] * 900))
    tx.add_draft(OWNER, draft(document=CANARIES[9] * 300))
    tx.add_grant(standing("canary-grant"), CANARIES[10])
    tx.revoke(OWNER, "canary-grant", "did:key:zCanary", now_us=T0)
    tx.add_entry(OWNER, "canary-grant", entry(body=CANARIES[11], leaf=CANARIES[12]), [(4, 0, CANARIES[13])])
    tx.count_refusal(OWNER, refusal(capability=CANARIES[14].decode(), body=CANARIES[15]))
    tx.use_nonce(OWNER, CANARIES[16], expires_us=T0)
    tx.log_action(OWNER, time_us=T0, action=CANARIES[17].decode(), subject=CANARIES[18].decode())


@pytest.mark.requirement("SEC-8")
@pytest.mark.asyncio
async def test_no_byte_written_is_readable(tmp_path: Path) -> None:
    disk = Disk(keep=True)
    store = open_store(tmp_path, vfs=disk.name)
    await store.write(write_canaries)
    for path in tmp_path.glob("node.db*"):
        assert path.stat().st_size > 0
        for found in (b"canary", b"Canary", HEADER):
            assert found not in path.read_bytes(), path.name
    await store.close()
    assert disk.written is not None
    kinds = {kind for kind, _ in disk.opened}
    assert kinds == {"db", "wal", "journal"}  # the journal is there while the log is set up
    for found in (b"canary", b"Canary", b"CREATE TABLE", HEADER):
        assert found not in disk.written
    readable = bytes(connect(tmp_path).serialize("main"))  # so they would have been found
    assert readable.startswith(HEADER)
    assert all(canary in readable for canary in CANARIES[:19])


@pytest.mark.asyncio
async def test_large_units_sorts_and_roll_backs_need_no_other_file(tmp_path: Path) -> None:
    disk = Disk()
    store = open_store(tmp_path, vfs=disk.name)
    many = [record(f"r{n}", cid=f"a{n}", document=bytes([n % 251]) * 3000) for n in range(700)]

    def write(tx: Transactor) -> None:
        for row in many:
            tx.put_record(OWNER, row)

    def write_anew_and_fail(tx: Transactor) -> None:
        for row in many:
            tx.put_record(OWNER, record(row.id, cid="b" + row.id, document=row.document[::-1]))
        raise ConflictError("never mind")

    await store.write(call("add_owner", OWNER, created_us=T0))
    await store.write(write)
    with pytest.raises(ConflictError):
        await store.write(write_anew_and_fail)
    store._writer.execute("SELECT document, count(*) FROM record GROUP BY document ORDER BY 2, 1").fetchall()
    assert await store.read(call("record_history", OWNER, "r5")) == []
    await store.close()
    assert {kind for kind, _ in disk.opened} == {"db", "wal", "journal"}


@pytest.mark.asyncio
async def test_every_connection_is_durable_and_overwrites_what_it_frees(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.read(call("owners"), long=True)
    for connection in (store._writer, store._reader, *store._scan_connections):
        pragmas = {
            name: connection.pragma(name)
            for name in ("journal_mode", "synchronous", "secure_delete", "temp_store")
        }
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "temp_store": 2}
    assert len(store._scan_connections) == 1
    await store.close()


class Over(apsw.VFS):
    """A VFS that passes everything on: harmless below the encrypting one, a leak above it."""

    kept: list[apsw.VFS] = []  # noqa: RUF012

    def __init__(self, name: str, base: str) -> None:
        self._base = base
        super().__init__(name, base)
        self.kept.append(self)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return apsw.VFSFile(self._base, name, flags)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("over-plain", REAL),
        ("over-encrypting", f"multipleciphers-{REAL}"),  # the file would be encrypted, its log would not
        ("multipleciphers-in-name-only", REAL),
        ("multipleciphers-above", f"multipleciphers-{REAL}"),
        (REAL, None),
        ("memdb", None),
        ("no-such-vfs", None),
        ("multipleciphers-no-such-vfs", None),
    ],
)
@pytest.mark.parametrize("new", [True, False])
@pytest.mark.asyncio
async def test_a_vfs_that_would_not_encrypt_is_refused_before_a_byte_is_written(
    tmp_path: Path, name: str, base: str | None, new: bool
) -> None:
    if not new:
        await open_store(tmp_path).close()
    before = contents(tmp_path)
    if base is not None:
        Over(name, base)
    with pytest.raises(UnavailableError):
        open_store(tmp_path, vfs=name)
    assert {name: data for name, data in contents(tmp_path).items() if data} == before


def test_below_the_encrypting_vfs_another_may_stand(tmp_path: Path) -> None:
    Over("below", REAL)
    store = open_store(tmp_path, vfs="multipleciphers-below")
    assert store._writer.vfsname("main") == f"multipleciphers-below/apsw.VFSFile/{REAL}"
    store._queue.put(None)
    store._finish()


# What is refused


def make_plain(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (1);")
    connection.close()


def make_newer(path: Path) -> None:
    connection = SqliteFile(path, KEY, vfs=None).connect()
    connection.execute("CREATE TABLE unknown (x)")
    connection.pragma("user_version", SCHEMA + 1)
    connection.close()


def make_other(path: Path) -> None:
    connection = SqliteFile(path, OTHER_KEY, vfs=None).connect()
    migrate(connection)
    connection.close()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make_plain, id="plain"),
        pytest.param(make_newer, id="newer"),
        pytest.param(make_other, id="another key"),
        *(
            pytest.param(lambda path, data=data: path.write_bytes(data), id=f"garbage-{len(data)}")
            for data in (b"hello", b"\0" * 512, b"\xff" * 4096, bytes(range(256)) * 64, HEADER + b"\0")
        ),
    ],
)
def test_what_is_not_ours_is_refused_and_left_as_it_is(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "node.db")
    before = contents(tmp_path)
    with pytest.raises(ConflictError) as caught:
        open_store(tmp_path)
    assert KEY.hex() not in str(caught.value)
    after = contents(tmp_path)
    assert {name: data for name, data in after.items() if data} == before


@pytest.mark.asyncio
async def test_a_log_left_by_a_crash_is_left_to_who_can_read_it(tmp_path: Path) -> None:
    folder = await crashed(tmp_path, tmp_path / "crashed")
    before = contents(folder)
    with pytest.raises(ConflictError):
        open_store(folder, OTHER_KEY)
    assert contents(folder) == before
    store = open_store(folder)
    assert await store.read(call("owners")) == [OWNER]
    await store.close()


@pytest.mark.asyncio
async def test_the_log_of_a_newer_release_is_left_to_it(tmp_path: Path) -> None:
    folder = await crashed(tmp_path, tmp_path / "crashed")
    newer = connect(folder)
    newer.pragma("user_version", SCHEMA + 1)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.glob("node.db*"):
        if path.suffix != ".db-shm":
            shutil.copy(path, copy)
    newer.close()
    before = contents(copy)
    assert len(before["node.db-wal"]) > 0
    with pytest.raises(ConflictError, match="newer release"):
        open_store(copy)
    assert contents(copy) == before


def test_a_path_that_cannot_be_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "node.db").mkdir()
    with pytest.raises(UnavailableError):
        open_store(tmp_path)
    with pytest.raises(UnavailableError):
        open_store(tmp_path / "missing")


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 31, b"k" * 33, b"k" * 64])
def test_a_key_of_another_length_is_the_callers_mistake(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        open_store(tmp_path, key)
    assert contents(tmp_path) == {}


# Schema


def test_migrations_are_numbered_once_each_up_to_the_schema() -> None:
    files = (resources.files("freehold_node.store") / "migrations").iterdir()
    numbers = [int(file.name.split("_")[0]) for file in files if file.name.endswith(".sql")]
    assert sorted(numbers) == list(range(1, SCHEMA + 1))


@pytest.mark.asyncio
async def test_an_empty_file_gets_the_newest_schema_once(tmp_path: Path) -> None:
    (tmp_path / "node.db").touch()
    for _ in range(2):
        store = open_store(tmp_path)
        assert store._writer.pragma("user_version") == SCHEMA
        await store.close()


@pytest.mark.asyncio
async def test_every_key_begins_with_the_owner(tmp_path: Path) -> None:
    """So a distributed database can shard by it; but for what says nothing of an owner or of liveness."""
    store = open_store(tmp_path)
    execute = store._writer.execute
    names = [row[0] for row in execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    first = {
        name: execute("SELECT name FROM pragma_table_info(?) WHERE pk = 1", (name,)).fetchall()[0][0]
        for name in names
    }
    assert {name for name in names if first[name] != "owner"} == {"node", "route"}
    unique = 'SELECT name FROM pragma_index_list(?) WHERE "unique"'
    for name in set(names) - {"node", "route"}:
        for (index,) in execute(unique, (name,)).fetchall():
            columns = execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)).fetchall()
            assert columns[0] == ("owner",), index
    await store.close()


@pytest.mark.parametrize("action", ["write", "sync"])
@pytest.mark.parametrize("kind", ["db", "wal", "journal"])
@pytest.mark.asyncio
async def test_a_fault_while_a_store_is_made_leaves_one_that_can_be_made(
    tmp_path: Path, action: Any, kind: Any
) -> None:
    failed = 0
    for after in range(0, 400, 9 if action == "write" and kind != "journal" else 1):
        disk, folder = Disk(), tmp_path / str(after)
        folder.mkdir()
        disk.fail(action, kind, full if after % 2 else broken, after=after, torn=True)
        try:
            store = open_store(folder, vfs=disk.name)
        except UnavailableError:
            failed += 1
        else:
            await store.close()
            if disk.fault(action, kind) is None:  # more can be done without a fault than there is to do
                break
        finally:
            disk.heal()
        again = open_store(folder, vfs=disk.name)
        await again.write(call("add_owner", OWNER, created_us=T0))
        assert await again.read(call("owners")) == [OWNER]
        assert again._writer.pragma("integrity_check") == "ok"
        await again.close()
    assert failed > 0


# Damage


@pytest.mark.asyncio
async def test_a_log_cut_off_anywhere_gives_an_earlier_state_whole(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    store = open_store(made)
    await store.write(call("add_owner", OWNER, created_us=T0))
    for n in range(6):

        def write(tx: Transactor, n: int = n) -> None:
            tx.put_record(OWNER, record(f"r{n}", document=b"%d" % n * 5000))
            tx.set_setting("written", str(n + 1))

        await store.write(write)
    copied = contents(made)
    await store.close()
    log = copied["node.db-wal"]
    seen = set()
    for cut in (0, 1, 31, 32, 55, *range(4096, len(log), 3571), len(log)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "node.db").write_bytes(copied["node.db"])
        (folder / "node.db-wal").write_bytes(log[:cut])
        again = open_store(folder)
        written = int(await again.read(call("setting", "written")) or 0)
        rows = await again.read(call("records", OWNER, limit=99))
        assert [row.id for row in rows] == [f"r{n}" for n in range(written)]
        seen.add(written)
        await again.close()
    assert seen == set(range(7))


@pytest.mark.asyncio
async def test_a_flipped_bit_is_an_error_and_never_another_value(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    document = b"value " * 2000

    def write(tx: Transactor) -> None:
        tx.add_owner(OWNER, created_us=T0)
        tx.put_record(OWNER, record(document=document))

    await store.write(write)
    await store.close()
    sound = (tmp_path / "node.db").read_bytes()
    refused = 0
    for at in range(7, len(sound), 4096 * 3 + 1009):
        damaged = bytearray(sound)
        damaged[at] ^= 1
        (tmp_path / "node.db").write_bytes(damaged)
        try:
            again = open_store(tmp_path)
        except (ConflictError, UnavailableError):
            refused += 1
            continue
        try:
            row = await again.read(call("record", OWNER, "r1"))
            assert row is None or row.document == document
        except UnavailableError:
            refused += 1
        finally:
            await again.close()
    assert refused > 1


# A copy


@pytest.mark.asyncio
async def test_a_copy_is_one_snapshot_encrypted_and_without_what_was_deleted(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.write(call("add_owner", OWNER, created_us=T0))
    for n in range(30):
        await store.write(call("put_record", OWNER, record(f"r{n}", document=CANARIES[n % 20] * 50)))
    for n in range(1, 30):
        await store.write(call("delete_record", OWNER, f"r{n}"))
    copy = tmp_path / "copy.db"
    await store.copy_to(copy)
    await store.write(call("put_record", OWNER, record("later")))
    await store.close()
    assert not any(canary in copy.read_bytes() for canary in CANARIES)
    assert not copy.read_bytes().startswith(HEADER)
    held = check_copy(copy, KEY)
    assert (held.records, held.grants, held.generation) == (1, {}, 0)
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    with pytest.raises(ConflictError):
        check_copy(copy, OTHER_KEY)
    with pytest.raises(UnavailableError):
        await store.copy_to(tmp_path / "another.db")


@pytest.mark.asyncio
async def test_a_copy_never_takes_the_place_of_a_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    (tmp_path / "there").write_bytes(b"something")
    for place in (tmp_path / "there", tmp_path / "none" / "copy.db"):
        with pytest.raises(UnavailableError):
            await store.copy_to(place)
    assert (tmp_path / "there").read_bytes() == b"something"
    await store.close()


@pytest.mark.asyncio
async def test_a_damaged_copy_is_found(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for n in range(50):
        await store.write(call("put_record", OWNER, record(f"r{n}", document=bytes(500))))
    await store.copy_to(tmp_path / "copy.db")
    await store.close()
    whole = (tmp_path / "copy.db").read_bytes()
    for at in range(5000, len(whole), len(whole) // 7):
        (tmp_path / "copy.db").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((ConflictError, UnavailableError)):
            check_copy(tmp_path / "copy.db", KEY)
    (tmp_path / "copy.db").write_bytes(whole)
    assert check_copy(tmp_path / "copy.db", KEY).records == 50


@pytest.mark.asyncio
async def test_what_a_generation_is_looked_up_in_stays_as_it_is(tmp_path: Path) -> None:
    assert generation_in(tmp_path / "none.db", KEY) == 0
    store = open_store(tmp_path)
    await store.write(call("set_setting", "generation", "7"))
    await store.close()
    assert generation_in(tmp_path / "node.db", KEY) == 7
    assert generation_in(tmp_path / "node.db", OTHER_KEY) == 0
    for data in (b"", b"\xff" * 9000, b"SQLite format 3\0" + bytes(9000)):
        (tmp_path / "broken.db").write_bytes(data)
        assert generation_in(tmp_path / "broken.db", KEY) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    connection = connect(tmp_path)
    migrate(connection)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    connection.close()
