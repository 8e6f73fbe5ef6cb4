"""``backup`` and ``restore``: beside a node that runs and without one, and every way in which it does not work."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from freehold_node.data_dir import DataDirLock, read_generation
from freehold_node.keystore import create_keystore
from harness import PASSPHRASE, Held, House
from shell import Beside, Shell

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes and links")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ada.backup"


def add_record(shell: Shell, name: str) -> None:
    shell.ok("records", "add", f"name={name}")


def names(shell: Shell) -> list[str]:
    return [one["label"] for one in shell.ok("records")["records"]]


def test_there_and_back(shell: Shell, file: Path) -> None:
    add_record(shell, "Then")
    made = shell.ok("backup", file)
    assert (made["records"], made["grants"], made["generation"]) == (1, {}, 1)
    assert [part["name"] for part in made["parts"]] == ["keystore.json", "generation", "node.db"]
    assert made["size"] == file.stat().st_size
    add_record(shell, "Now")
    done = shell.ok("restore", file, "--yes")
    assert (done["records"], done["grants"]) == (1, [])
    assert done["generation"] == read_generation(shell.folder) > 1_000_000_000
    assert names(shell) == ["Then"]
    assert shell("verify").code == 0


def test_says_what_it_holds_and_what_not(shell: Shell, file: Path) -> None:
    ran = shell("backup", file)
    assert ran.code == 0, ran
    for text in (
        "read it back", "records  0", "It does not hold:", "your passphrase", "the recovery sheet",
        "addresses and ports", "what comes after", "freehold restore FILE",
    ):  # fmt: skip
        assert text in ran.out, text


@POSIX
def test_the_file_is_private_and_never_overwritten(shell: Shell, file: Path) -> None:
    shell.ok("backup", file)
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    ran = shell("backup", file, "--json")
    assert (ran.code, ran.error["code"]) == (1, "conflict")
    assert file.read_bytes() == before
    dangling = file.with_name("dangling")
    dangling.symlink_to(file.with_name("nowhere"))
    assert shell("backup", dangling).code == 1
    assert not file.with_name("nowhere").exists()
    assert sorted(path.name for path in file.parent.iterdir()) == ["ada.backup", "dangling", "node"]


@pytest.mark.parametrize(("place", "code"), [("none/b", 2), ("node/b", 2), ("node/deeper/b", 2), (".", 1)])
def test_where_it_may_not_lie(shell: Shell, tmp_path: Path, place: str, code: int) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    assert shell("backup", tmp_path / place).code == code
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.asyncio
async def test_beside_a_node_that_runs(beside: Beside, house: House, held: Held, file: Path) -> None:
    made = await beside.ok("backup", file)
    assert (made["records"], made["grants"]) == (1, {"live": 1})
    assert (await held.get("/delivery/records")).status == 200
    for wrong, code in (("wrong", 4), (None, 4)):
        ran = await beside("backup", file.with_name("other"), passphrase=wrong)
        assert ran.code == code
        assert not file.with_name("other").exists()
    ran = await beside("restore", file, "--yes", "--json")  # not while it runs
    assert (ran.code, ran.error["code"]) == (3, "conflict")
    assert (await held.get("/delivery/records")).status == 200


@pytest.mark.asyncio
async def test_every_grant_waits_for_the_person(beside: Beside, house: House, held: Held, file: Path) -> None:
    await beside.ok("backup", file)
    other = Shell(file.parent / "other", environment={"FREEHOLD_DATA": str(file.parent / "other")})
    done = Beside(other)
    ran = await done("restore", file)
    assert ran.code == 0, ran
    for text in (
        "1 record",
        "Nobody reads anything yet",
        held.grant[:8],
        "Corner Shop",
        "freehold resume GRANT",
    ):
        assert text in ran.out
    [grant] = (await done.ok("grants"))["grants"]
    assert (grant["id"], grant["state"]) == (held.grant, "paused")
    assert "you restored a backup" in (await done("ledger", held.grant)).out
    assert (await done("verify")).code == 0


def test_asks_before_anything_is_lost(shell: Shell, file: Path) -> None:
    add_record(shell, "Then")
    shell.ok("backup", file)
    add_record(shell, "Now")
    for ran in (shell("restore", file), shell("restore", file, "--json")):
        assert ran.code == 2
    ran = shell("restore", file, answers=["n"])
    assert (ran.code, "would become what it was" in ran.out) == (1, True)
    assert names(shell) == ["Then", "Now"]
    assert shell("restore", file, answers=["y"]).code == 0
    assert names(shell) == ["Then"]


def test_keeps_what_it_replaces(shell: Shell, file: Path) -> None:
    shell.ok("backup", file)
    add_record(shell, "Now")
    done = shell.ok("restore", file, "--keep")
    kept = shell.folder / f"replaced-{done['generation']}"
    assert (kept / "node.db").is_file()
    assert names(shell) == []


def test_the_passphrase_of_then_and_the_one_of_now(shell: Shell, file: Path, tmp_path: Path) -> None:
    add_record(shell, "Then")
    shell.ok("backup", file)
    (tmp_path / "new").write_text("a newer one")
    (tmp_path / "new").chmod(0o600)
    shell.ok("change-passphrase", "--new-passphrase-file", tmp_path / "new")
    ran = shell("restore", file, "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (4, "passphrase-wrong")
    assert shell("restore", file, "--yes", passphrase="a newer one").code == 0
    assert shell("records", passphrase="a newer one").code == 0  # the newer one stays
    elsewhere = Shell(tmp_path / "elsewhere")
    assert elsewhere("restore", file, passphrase="a newer one").code == 4
    assert not (tmp_path / "elsewhere" / "keystore.json").exists()
    assert elsewhere("restore", file).code == 0


def test_the_sheet_and_the_backup_bring_back_everything(tmp_path: Path) -> None:
    lost = Shell(tmp_path / "lost")
    made = lost.ok("init")
    code = "\n".join(
        line.split("    ")[-1] for line in made["recoverySheet"].splitlines() if line.startswith("    line ")
    )
    add_record(lost, "Ada")
    lost.ok("backup", tmp_path / "backup")
    found = Shell(tmp_path / "found")
    assert found("init", "--recover", stdin=code, passphrase="another").code == 0
    assert found("restore", tmp_path / "backup", passphrase="another").code == 0
    assert "Ada" in found("records", passphrase="another").out


REFUSED: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[:-1],
    "cut off early": lambda data: data[:100],
    "empty": lambda data: b"",
    "flipped": lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    "longer": lambda data: data + b"\0",
    "another version": lambda data: data.replace(b"backup 1", b"backup 2", 1),
    "slipping out": lambda data: data.replace(b'"node.db"', b'"../a.db"', 1),
    "not one": lambda data: b"PK\x03\x04" + data,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_restored_changes_nothing(shell: Shell, file: Path, name: str) -> None:
    add_record(shell, "Ada")
    shell.ok("backup", file)
    file.write_bytes(REFUSED[name](file.read_bytes()))
    before = {path.name: path.read_bytes() for path in shell.folder.iterdir() if path.name != "lock"}
    outside = sorted(path.name for path in file.parent.iterdir())
    ran = shell("restore", file, "--yes", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "backup" in ran.error["detail"]
    assert {path.name: path.read_bytes() for path in shell.folder.iterdir() if path.name != "lock"} == before
    assert sorted(path.name for path in file.parent.iterdir()) == outside
    assert names(shell) == ["Ada"]


def test_another_person_s_node_is_never_replaced(shell: Shell, file: Path, tmp_path: Path) -> None:
    shell.ok("backup", file)
    other = tmp_path / "other"
    other.mkdir()
    create_keystore(other, PASSPHRASE, random=random.Random(7).randbytes)
    before = (other / "keystore.json").read_bytes()
    ran = Shell(other)("restore", file, "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (1, "conflict")
    assert (other / "keystore.json").read_bytes() == before


def test_there_is_no_such_file(shell: Shell, tmp_path: Path) -> None:
    for missing in (tmp_path / "none", tmp_path):
        assert shell("restore", missing).code == 2


@POSIX
def test_a_restore_that_was_broken_off_is_carried_through_by_whatever_comes_next(
    shell: Shell, file: Path
) -> None:
    """Killed right after it was decided: before the key store is looked at, everything is in its place."""
    add_record(shell, "Then")
    shell.ok("backup", file)
    decided = shell.folder / "restoring"
    shutil.copytree(shell.folder, file.parent / "copy", ignore=shutil.ignore_patterns("lock"))
    add_record(shell, "Now")
    decided.mkdir(mode=0o700)
    for name in ("node.db", "keystore.json"):
        shutil.copyfile(file.parent / "copy" / name, decided / name)
    (decided / "generation").write_text("1795435200\n")
    (shell.folder / "keystore.json").unlink()
    assert names(shell) == ["Then"]
    assert read_generation(shell.folder) == 1_795_435_200
    assert not decided.exists()


def test_a_data_directory_in_use_is_left_alone(shell: Shell, file: Path) -> None:
    shell.ok("backup", file)
    with DataDirLock(shell.folder):
        for command in (("restore", file, "--yes"), ("backup", file.with_name("other"))):
            ran = shell(*command, "--json")
            assert (ran.code, ran.error["code"]) == (3, "conflict")
    assert not file.with_name("other").exists()
