"""A restore is all or nothing: whenever the process is killed or a step fails, and whatever it is given."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from freehold_node.backup_file import DATABASE, GENERATION, KEYSTORE, Header, describe, read_header
from freehold_node.data_dir import DataDirLock, bump_generation, read_generation
from freehold_node.keystore import Keys, change_passphrase, create_keystore, open_keystore, recreate_keystore
from freehold_node.restoring import Examined, examine, finish_restore, put_in_place, settle
from freehold_node.store.sqlite_file import SCHEMA, SqliteFile, check_copy, migrate
from freehold_protocol.errors import (
    ConflictError,
    FreeholdError,
    MalformedError,
    PassphraseError,
    UnsupportedError,
)
from harness import PASSPHRASE

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes and modes")
NOW_S = 1_795_435_200
THEN = "then"
NOW = "now"
Snapshot = dict[str, bytes]


def write_database(path: Path, key: bytes, *, mark: str, generation: int) -> None:
    """Make a database that says whose it is."""
    connection = SqliteFile(path, key, vfs=None).connect()
    migrate(connection)
    for name, value in (("mark", mark), ("generation", str(generation))):
        connection.execute(
            "INSERT INTO node VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
        )
    connection.close()


def mark_of(path: Path, key: bytes) -> str:
    connection = SqliteFile(path, key, vfs=None).connect()
    found = connection.execute("SELECT value FROM node WHERE name = 'mark'").fetchall()
    connection.close()
    return str(found[0][0])


def write_backup(path: Path, parts: dict[str, Path], seed: bytes, *, schema: int = SCHEMA) -> None:
    files = {name: part.open("rb") for name, part in parts.items()}
    header = Header(
        created_s=NOW_S - 1000, version="0.1.0", schema=schema,
        generation=read_generation(parts[GENERATION].parent),
        parts=tuple(describe(name, file) for name, file in files.items()),
    ).signed(seed)  # fmt: skip
    path.write_bytes(
        header.to_bytes() + b"".join(file.read() for file in files.values())
    )  # parts in their order
    for file in files.values():
        file.close()


def parts_in(folder: Path) -> dict[str, Path]:
    contexts = sorted(f"contexts/{path.name}" for path in folder.glob("contexts/*"))
    return {name: folder / name for name in (KEYSTORE, GENERATION, DATABASE, *contexts)}


@dataclass
class Place:
    """A data directory, as it is now, and a backup of it from an earlier day."""

    folder: Path
    backup: Path
    keys: Keys
    pristine: Path

    def reset(self) -> None:
        """Make the directory what it was at first."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.pristine, self.folder)

    def examined(self, passphrase: str = PASSPHRASE) -> Examined:
        return examine(self.backup, self.folder, passphrase)

    def mark(self) -> str:
        return mark_of(self.folder / DATABASE, self.keys.database_key)

    def files(self) -> Snapshot:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name != "lock"
        }  # fmt: skip


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Made once: deriving keys takes a fifth of a second."""
    base = tmp_path_factory.mktemp("place")
    folder = base / "node"
    folder.mkdir()
    keys = create_keystore(folder, PASSPHRASE, random=random.Random(1).randbytes)
    write_database(folder / DATABASE, keys.database_key, mark=THEN, generation=1)
    (folder / "contexts").mkdir()
    for name in ("a.jsonld", "index.json"):
        (folder / "contexts" / name).write_text(THEN)
    write_backup(base / "backup", parts_in(folder), keys.seed)
    for name in ("b.jsonld", "index.json"):
        (folder / "contexts" / name).write_text(NOW)
    (folder / "contexts" / "a.jsonld").unlink()
    write_database(folder / DATABASE, keys.database_key, mark=NOW, generation=1)
    # What a crash leaves: a log beside the database, which belongs to it and to no other.
    connection = SqliteFile(folder / DATABASE, keys.database_key, vfs=None).connect()
    connection.execute("UPDATE node SET value = 'now' WHERE name = 'mark'")
    for suffix in ("", "-wal", "-shm"):
        shutil.copyfile(f"{folder / DATABASE}{suffix}", f"{folder / DATABASE}{suffix}.copy")
    connection.close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{folder / DATABASE}{suffix}.copy").replace(f"{folder / DATABASE}{suffix}")
    (folder / "session.json").write_text("{}")
    (folder / "notes.txt").write_text("not ours")
    return Place(folder=folder, backup=base / "backup", keys=keys, pristine=folder)


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    copy = replace(made, folder=tmp_path / "node", backup=tmp_path / "backup")
    shutil.copyfile(made.backup, copy.backup)
    copy.reset()
    return copy


def contexts_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("contexts/*")}


# What it does


def test_it_takes_the_place_of_a_node_that_is_stopped(place: Place) -> None:
    examined = place.examined()
    assert (examined.replaces, examined.own_keystore) == (True, True)
    held = put_in_place(examined, place.folder, now_s=NOW_S)
    assert (held.generation, held.records) == (1, 0)
    assert place.mark() == THEN
    assert read_generation(place.folder) == NOW_S
    assert {path.name for path in place.folder.iterdir()} == {
        "keystore.json", "generation", "node.db", "lock", "notes.txt", "contexts",
    }  # fmt: skip
    assert contexts_in(place.folder) == {"a.jsonld": THEN, "index.json": THEN}
    assert open_keystore(place.folder, PASSPHRASE) == place.keys


@POSIX
def test_what_it_writes_is_private(place: Place) -> None:
    shutil.rmtree(place.folder)
    put_in_place(place.examined(), place.folder, now_s=NOW_S)
    assert place.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in place.folder.rglob("*") if path.is_file()} == {0o600}
    assert (place.folder / "contexts").stat().st_mode & 0o777 == 0o700


def test_into_an_empty_directory_and_into_none(place: Place) -> None:
    for empty in (False, True):
        shutil.rmtree(place.folder)
        if empty:
            place.folder.mkdir()
        examined = place.examined()
        assert (examined.replaces, examined.own_keystore) == (False, False)
        put_in_place(examined, place.folder, now_s=NOW_S)
        assert place.mark() == THEN
        assert open_keystore(place.folder, PASSPHRASE) == place.keys


def test_what_is_replaced_can_be_kept(place: Place) -> None:
    before = place.files()
    put_in_place(place.examined(), place.folder, now_s=NOW_S, keep=True)
    kept = place.folder / f"replaced-{NOW_S}"
    names = {path.name for path in kept.iterdir()}
    assert names == {"generation", "node.db", "node.db-wal", "node.db-shm", "session.json", "contexts"}
    assert contexts_in(kept) == {"b.jsonld": NOW, "index.json": NOW}
    assert (kept / GENERATION).read_bytes() == before[GENERATION]
    assert mark_of(kept / DATABASE, place.keys.database_key) == NOW
    put_in_place(place.examined(), place.folder, now_s=NOW_S, keep=True)
    assert read_generation(place.folder) == NOW_S + 1
    assert mark_of(place.folder / f"replaced-{NOW_S + 1}" / DATABASE, place.keys.database_key) == THEN


@pytest.mark.parametrize(
    ("directory", "database", "now_s", "raised_to"),
    [
        (1, 1, NOW_S, NOW_S),
        (5, 1, 3, 6),
        (5, 9, 3, 10),
        (1, 1, 0, 3),
        (NOW_S + 50, 1, NOW_S, NOW_S + 51),
        (1, NOW_S + 80, NOW_S, NOW_S + 81),
    ],
)
def test_the_generation_is_above_every_one_that_is_known(
    place: Place, directory: int, database: int, now_s: int, raised_to: int
) -> None:
    bump_generation(place.folder, at_least=directory)
    write_database(place.folder / DATABASE, place.keys.database_key, mark=NOW, generation=database)
    put_in_place(place.examined(), place.folder, now_s=now_s)
    assert read_generation(place.folder) == raised_to


def test_a_directory_whose_files_are_damaged_can_be_restored(place: Place) -> None:
    for name, data in ((DATABASE, b"\xff" * 8192), (GENERATION, b"???"), (KEYSTORE, b"{}")):
        place.reset()
        (place.folder / name).write_bytes(data)
        if name == DATABASE:
            (place.folder / "node.db-wal").unlink()
        put_in_place(place.examined(), place.folder, now_s=NOW_S)
        assert place.mark() == THEN
        assert open_keystore(place.folder, PASSPHRASE) == place.keys
        assert read_generation(place.folder) == NOW_S


def test_the_newer_passphrase_stays(place: Place) -> None:
    change_passphrase(place.folder, PASSPHRASE, "a newer one", random=random.Random(3).randbytes)
    with pytest.raises(PassphraseError, match="now"):
        place.examined()
    put_in_place(place.examined("a newer one"), place.folder, now_s=NOW_S)
    assert open_keystore(place.folder, "a newer one") == place.keys


def test_the_recovery_sheet_and_a_backup_bring_everything_back(place: Place) -> None:
    """The passphrase is lost: the keys are made again under another, and the backup is put beside them."""
    shutil.rmtree(place.folder)
    place.folder.mkdir()
    recreate_keystore(place.folder, "another", place.keys.seed, random=random.Random(4).randbytes)
    put_in_place(place.examined("another"), place.folder, now_s=NOW_S)
    assert place.mark() == THEN
    assert open_keystore(place.folder, "another") == place.keys


# What it refuses, and changes nothing


def refused(place: Place, error: type[FreeholdError], match: str, passphrase: str = PASSPHRASE) -> None:
    for occupied in (True, False):
        place.reset()
        if not occupied:
            shutil.rmtree(place.folder)
        before = place.files() if occupied else None
        with pytest.raises(error, match=match):
            place.examined(passphrase)
        assert place.folder.exists() == occupied
        assert before is None or place.files() == before


def test_a_wrong_passphrase(place: Place) -> None:
    refused(place, PassphraseError, "wrong", "not this one")


def test_a_file_that_is_cut_off(place: Place) -> None:
    whole = place.backup.read_bytes()
    for length in (0, 10, 300, 1000, 50_000, len(whole) - 1):
        place.backup.write_bytes(whole[:length])
        refused(place, MalformedError, "backup")


def test_a_file_with_a_flipped_bit(place: Place) -> None:
    whole = place.backup.read_bytes()
    rng = random.Random(5)
    for at in [rng.randrange(len(whole)) for _ in range(25)]:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << rng.randrange(8)
        place.backup.write_bytes(bytes(flipped))
        with pytest.raises(FreeholdError):
            place.examined()
    assert place.mark() == NOW


def test_a_file_of_another_kind_or_version(place: Place) -> None:
    rest = place.backup.read_bytes().split(b"\n", 1)[1]
    place.backup.write_bytes(b"freehold backup 2\n" + rest)
    refused(place, UnsupportedError, "another version")
    shutil.copyfile(place.pristine / DATABASE, place.backup)
    refused(place, MalformedError, "no backup")


def test_a_newer_database(place: Place, tmp_path: Path) -> None:
    write_backup(place.backup, parts_in(place.pristine), place.keys.seed, schema=SCHEMA + 1)
    refused(place, ConflictError, "newer release")
    # And one that its header says is older than it is.
    folder = shutil.copytree(place.pristine, tmp_path / "newer")
    connection = SqliteFile(folder / DATABASE, place.keys.database_key, vfs=None).connect()
    connection.pragma("user_version", SCHEMA + 1)
    connection.close()
    write_backup(place.backup, parts_in(folder), place.keys.seed)
    place.reset()
    before = place.files()
    with pytest.raises(ConflictError, match="newer release"):
        put_in_place(place.examined(), place.folder, now_s=NOW_S)
    assert place.files() == before


def test_an_older_database_is_brought_up_to_date(place: Place, tmp_path: Path) -> None:
    from importlib import resources

    folder = shutil.copytree(place.pristine, tmp_path / "older")
    for path in folder.glob("node.db*"):
        path.unlink()
    connection = SqliteFile(folder / DATABASE, place.keys.database_key, vfs=None).connect()
    first = resources.files("freehold_node.store") / "migrations" / "0001_initial.sql"
    connection.execute(first.read_text("utf-8"))
    connection.pragma("user_version", 1)
    connection.execute("INSERT INTO node VALUES ('mark', 'old')")
    connection.close()
    write_backup(place.backup, parts_in(folder), place.keys.seed, schema=1)
    put_in_place(place.examined(), place.folder, now_s=NOW_S)
    assert place.mark() == "old"
    assert check_copy(place.folder / DATABASE, place.keys.database_key).grants == {}


def test_another_person_s_directory_is_never_replaced(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    create_keystore(other, PASSPHRASE, random=random.Random(9).randbytes)
    before = {path.name: path.read_bytes() for path in other.iterdir()}
    with pytest.raises(ConflictError, match="empty directory"):
        examine(place.backup, other, PASSPHRASE)
    assert {path.name: path.read_bytes() for path in other.iterdir()} == before


def test_a_database_under_another_key(place: Place, tmp_path: Path) -> None:
    """The header and all digests are right, made with the person's seed; the database is not the person's."""
    folder = shutil.copytree(place.pristine, tmp_path / "mixed")
    for path in folder.glob("node.db*"):
        path.unlink()
    write_database(folder / DATABASE, bytes(32), mark="evil", generation=1)
    write_backup(place.backup, parts_in(folder), place.keys.seed)
    before = place.files()
    with pytest.raises(ConflictError, match="does not open"):
        put_in_place(place.examined(), place.folder, now_s=NOW_S)
    assert place.files() == before


def test_a_backup_that_changes_between_the_two_looks(place: Place) -> None:
    examined = place.examined()
    before = place.files()
    whole = place.backup.read_bytes()
    for changed in (
        whole[:-100] + bytes(100),
        whole[:-1],
        b"freehold backup 1\n{}\n",
        whole.replace(b"0.1.0", b"0.1.1"),
    ):
        place.backup.write_bytes(changed)
        with pytest.raises(FreeholdError):
            put_in_place(examined, place.folder, now_s=NOW_S)
        assert place.files() == before


def test_a_node_that_runs_is_left_alone(place: Place) -> None:
    before = place.files()
    with DataDirLock(place.folder), pytest.raises(ConflictError, match="stop it first"):
        put_in_place(place.examined(), place.folder, now_s=NOW_S)
    assert place.files() == before


# Killed, or failing, at every step

Blow = Literal["kill", "fail"]
STEPS = ("replace", "rename", "unlink", "rmdir", "mkdir", "fsync", "open", "link")


def strike_at(number: int, blow: Blow) -> Callable[[], bool]:
    """Let the number-th file-system step of this process not happen; return what says whether it came to that."""
    taken = 0

    def counting(step: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **more: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken == number:
                if blow == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(errno.ENOSPC, "no room")
            return step(*arguments, **more)

        return stepping

    for name in STEPS:
        setattr(os, name, counting(getattr(os, name)))
    return lambda: taken >= number


def struck(place: Place, examined: Examined, number: int, blow: Blow, *, keep: bool) -> bool:
    """Restore in a child that is struck at a step; return whether it got through before it came to that."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            was_struck = strike_at(number, blow)
            put_in_place(examined, place.folder, now_s=NOW_S, keep=keep)
            code = 2 if was_struck() else 0  # some steps may fail without harm
        except (OSError, FreeholdError):
            code = 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) in (0, 2)
    return os.WEXITSTATUS(status) == 0


def check_whole(place: Place, *, keep: bool, again: int = 0) -> str:
    """Open the directory as the next process does, and return which of the two it is: entirely."""
    settle(place.folder)
    names = {path.name for path in place.folder.iterdir()}
    assert not {"restoring"} & names
    with DataDirLock(place.folder):
        finish_restore(place.folder)
    names = {path.name for path in place.folder.iterdir()}
    assert {KEYSTORE, GENERATION, DATABASE, "notes.txt"} <= names
    assert not {"restoring", "restoring.new"} & names
    assert open_keystore_fast(place)
    mark = place.mark()
    generation = read_generation(place.folder)
    assert (mark == NOW and generation == 1) or (mark == THEN and NOW_S <= generation <= NOW_S + again)
    own = {NOW: {"b.jsonld": NOW, "index.json": NOW}, THEN: {"a.jsonld": THEN, "index.json": THEN}}
    assert contexts_in(place.folder) == own[mark]
    kept = [name for name in names if name.startswith("replaced-")]
    assert kept == ([f"replaced-{NOW_S}"] if keep and mark == THEN else [])
    if kept:
        assert mark_of(place.folder / kept[0] / DATABASE, place.keys.database_key) == NOW
    if mark == NOW:
        before = {path.name: path.read_bytes() for path in place.pristine.iterdir() if path.is_file()}
        for name in (KEYSTORE, GENERATION):
            assert (place.folder / name).read_bytes() == before[name]
    return mark


def open_keystore_fast(place: Place) -> bool:
    """Whether the key store is the one that was there: deriving its key at every step takes too long."""
    return (place.folder / KEYSTORE).read_bytes() == (place.pristine / KEYSTORE).read_bytes()


@POSIX
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("blow", ["kill", "fail"])
def test_it_is_all_or_nothing(place: Place, blow: Blow, keep: bool, thorough: bool) -> None:
    """Struck at every third step, at others each time; with ``--thorough``, as in CI, at every one."""
    examined = place.examined()
    ended: list[str] = []
    stride = 1 if thorough else 3
    number = 0 if thorough else -(keep + (blow == "fail"))
    through = False
    while not through:
        number += stride
        place.reset()
        through = struck(place, examined, number, blow, keep=keep)
        ended.append(check_whole(place, keep=keep))
        assert number < 200
    assert number > 20
    assert set(ended) == {NOW, THEN}
    assert ended[-1] == THEN
    if blow == "kill":  # once it is decided, it stays decided
        assert ended == sorted(ended, key=[NOW, THEN].index)


@POSIX
def test_what_was_broken_off_can_be_done_again_or_anew(place: Place, thorough: bool) -> None:
    """Struck twice, at steps of the first and of the repeat; at more of them with ``--thorough``, as in CI."""
    examined = place.examined()
    for first in range(4, 60, 7 if thorough else 14):
        for second in range(1, 40, 9 if thorough else 18):
            place.reset()
            struck(place, examined, first, "kill", keep=False)
            struck(place, examined, second, "kill", keep=False)
            check_whole(place, keep=False, again=1)
            put_in_place(examined, place.folder, now_s=NOW_S + 7)
            assert place.mark() == THEN
            assert read_generation(place.folder) >= NOW_S


@POSIX
def test_into_an_empty_directory_it_is_all_or_nothing_too(place: Place) -> None:
    shutil.rmtree(place.folder)
    examined = place.examined()
    number, through = 0, False
    while not through:
        number += 1
        shutil.rmtree(place.folder, ignore_errors=True)
        through = struck(place, examined, number, "kill", keep=False)
        if not place.folder.exists():
            continue
        settle(place.folder)
        names = {path.name for path in place.folder.iterdir()} - {"lock", "restoring.new"}
        assert names in (set(), {KEYSTORE, GENERATION, DATABASE, "contexts"})
        if names:
            assert place.mark() == THEN
    assert number > 15


def test_a_directory_without_anything_to_settle_is_left_alone(tmp_path: Path) -> None:
    settle(tmp_path / "none")
    settle(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with DataDirLock(tmp_path):
        assert not finish_restore(tmp_path)
    assert read_header is not None
