"""``init`` and ``change-passphrase``: nothing is overwritten, nothing is lost half-way."""

from __future__ import annotations

import asyncio
import random
import stat
from pathlib import Path

import pytest
from freehold_node.app import open_node
from freehold_node.config import Config
from freehold_node.data_dir import DataDirLock, read_generation
from freehold_node.keystore import Keys, check_passphrase, open_keystore
from freehold_node.recovery_sheet import code_to_seed, seed_to_code
from freehold_protocol.errors import PassphraseError
from harness import PASSPHRASE
from shell import Shell


@pytest.fixture
def new(tmp_path: Path) -> Shell:
    """The shell of a person who has no node yet."""
    return Shell(tmp_path / "new" / "node")


def code_on(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if line.strip().startswith("line "))


def test_makes_a_node_and_prints_its_recovery_sheet(new: Shell) -> None:
    ran = new("init")
    assert ran.code == 0
    seed = code_to_seed(code_on(ran.out))
    assert open_keystore(new.folder, PASSPHRASE).seed == seed
    assert stat.S_IMODE(new.folder.stat().st_mode) == 0o700
    assert new("status").code == 0


def test_writes_the_sheet_where_only_its_owner_reads_it(new: Shell, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.txt"
    told = new.ok("init", "--sheet", sheet)
    assert told == {"dataDirectory": str(new.folder), "generation": 1, "sheet": str(sheet)}
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    assert code_to_seed(code_on(sheet.read_text())) == open_keystore(new.folder, PASSPHRASE).seed


def test_a_program_is_given_the_sheet_in_its_document(new: Shell) -> None:
    told = new.ok("init")
    assert code_to_seed(code_on(told["recoverySheet"])) == open_keystore(new.folder, PASSPHRASE).seed


@pytest.mark.parametrize("options", [[], ["--sheet", "SHEET"]])
def test_never_overwrites_keys(shell: Shell, tmp_path: Path, options: list[str]) -> None:
    before = (shell.folder / "keystore.json").read_bytes()
    sheet = tmp_path / "sheet.txt"
    ran = shell("init", *(str(sheet) if one == "SHEET" else one for one in options), stdin="x")
    assert (ran.code, ran.out) == (1, "")
    assert "never overwritten" in ran.err
    assert (shell.folder / "keystore.json").read_bytes() == before
    assert not sheet.exists()


def test_never_overwrites_a_sheet(new: Shell, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.txt"
    sheet.write_text("precious")
    assert new("init", "--sheet", sheet).code == 2
    assert new("init", "--sheet", tmp_path / "nowhere" / "sheet.txt").code == 2
    assert sheet.read_text() == "precious"
    assert not (new.folder / "keystore.json").exists()


def test_leaves_no_sheet_of_keys_that_were_not_made(new: Shell, tmp_path: Path) -> None:
    new.folder.parent.mkdir()
    new.folder.write_text("a file is in the way")
    sheet = tmp_path / "sheet.txt"
    assert new("init", "--sheet", sheet).code == 1
    assert not sheet.exists()


def test_the_passphrase_is_typed_twice(new: Shell) -> None:
    assert new("init", passphrase=None, secrets=["one", "two"]).code == 4
    assert new("init", passphrase=None, secrets=["", ""]).code == 4
    assert new("init", passphrase=None, secrets=["one"]).code == 4
    assert not (new.folder / "keystore.json").exists()
    assert new("init", passphrase=None, secrets=["one", "one"]).code == 0
    check_passphrase(new.folder, "one")


def test_without_a_passphrase_nothing_is_made(new: Shell, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.txt"
    ran = new("init", "--sheet", sheet, passphrase=None)
    assert ran.code == 4
    assert "FREEHOLD_PASSPHRASE_FILE" in ran.err
    assert not new.folder.exists()
    assert not sheet.exists()


def test_recovers_the_keys_under_another_passphrase(new: Shell, key_store: tuple[Path, Keys]) -> None:
    code = seed_to_code(key_store[1].seed)
    ran = new("init", "--recover", stdin=code.lower().replace(" ", "-"), passphrase="another")
    assert ran.code == 0
    assert open_keystore(new.folder, "another") == key_store[1]
    # More than the lost machine can have reached: what was revoked there stays revoked.
    assert read_generation(new.folder) > 1_700_000_000


def test_the_sheet_replaces_a_forgotten_passphrase_and_the_data_stays(
    shell: Shell, key_store: tuple[Path, Keys]
) -> None:
    assert shell("records").code == 0  # the data is there
    before = (shell.folder / "keystore.json").read_bytes()
    assert "see --recover" in shell("init").err
    assert "freehold init --recover" in shell("records", passphrase="forgotten").err
    other = shell("init", "--recover", stdin=seed_to_code(bytes(32)), passphrase="another")
    assert (other.code, "not written with these keys" in other.err) == (1, True)
    assert (shell.folder / "keystore.json").read_bytes() == before
    generation = read_generation(shell.folder)
    ran = shell("init", "--recover", stdin=seed_to_code(key_store[1].seed), passphrase="another")
    assert ran.code == 0
    assert "still there" in ran.out
    assert "restore" not in ran.out
    assert open_keystore(shell.folder, "another") == key_store[1]
    assert read_generation(shell.folder) > generation
    assert shell("records").code == 4
    assert shell("records", passphrase="another").code == 0


def test_the_sheet_brings_keys_to_data_that_has_none(shell: Shell, key_store: tuple[Path, Keys]) -> None:
    assert shell("records").code == 0
    (shell.folder / "keystore.json").unlink()
    assert "new keys do not open" in shell("init").err
    ran = shell("init", "--recover", stdin=seed_to_code(key_store[1].seed), passphrase="another")
    assert (ran.code, "still there" in ran.out) == (0, True)
    assert shell("records", passphrase="another").code == 0


@pytest.mark.parametrize("seed", [bytes(32), None], ids=["of another sheet", "of this one"])
def test_keys_without_data_are_not_replaced(
    shell: Shell, key_store: tuple[Path, Keys], seed: bytes | None
) -> None:
    """Nothing shows whether they are the same, and keys that are lost are lost for good."""
    before = (shell.folder / "keystore.json").read_bytes()
    ran = shell("init", "--recover", stdin=seed_to_code(seed or key_store[1].seed), passphrase="another")
    assert (ran.code, "give keystore.json there another name" in ran.err) == (1, True)
    assert (shell.folder / "keystore.json").read_bytes() == before


def test_keys_are_not_replaced_under_a_running_node(shell: Shell, key_store: tuple[Path, Keys]) -> None:
    assert shell("records").code == 0
    code, before = seed_to_code(key_store[1].seed), (shell.folder / "keystore.json").read_bytes()
    with DataDirLock(shell.folder):
        ran = shell("init", "--recover", stdin=code, passphrase=None)
    assert (ran.code, "stop it first" in ran.err) == (1, True)
    assert (shell.folder / "keystore.json").read_bytes() == before


def test_a_damaged_key_store_is_replaced_too(shell: Shell, key_store: tuple[Path, Keys]) -> None:
    assert shell("records").code == 0
    (shell.folder / "keystore.json").write_bytes(b"{}")
    assert shell("records").code != 0
    assert shell("init", "--recover", stdin=seed_to_code(key_store[1].seed)).code == 0
    assert shell("records").code == 0


def test_a_recovery_pauses_and_signs_out(shell: Shell, key_store: tuple[Path, Keys]) -> None:
    """As after a restore: whether this is the database that was last in use here, a sheet does not say."""
    config = Config(data_dir=shell.folder)

    async def sessions(keys: Keys, *, enter: bool) -> int:
        async with open_node(config, keys) as node:
            if enter:
                await node.devices.begin("a browser", proved=True)
            return len(await node.devices.listed())

    assert asyncio.run(sessions(key_store[1], enter=True)) == 1
    ran = shell("init", "--recover", stdin=seed_to_code(key_store[1].seed), passphrase="another")
    assert "paused until you resume it" in ran.out
    assert asyncio.run(sessions(key_store[1], enter=False)) == 0


def test_a_code_is_typed_line_by_line(new: Shell, key_store: tuple[Path, Keys]) -> None:
    lines = seed_to_code(key_store[1].seed).splitlines()
    ran = new("init", "--recover", answers=lines)
    assert ran.code == 0
    assert open_keystore(new.folder, PASSPHRASE) == key_store[1]
    assert [question[:22] for question in new.asked] == ["Recovery code, line 1 "] + [
        f"Recovery code, line {number} " for number in (2, 3)
    ]


def test_a_mistyped_code_is_said_where_and_shown_nowhere(new: Shell) -> None:
    code = seed_to_code(random.Random(5).randbytes(32))
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    for ran in (new("init", "--recover", stdin=wrong), new("init", "--recover", answers=wrong.splitlines())):
        assert ran.code in (1, 2)
        assert "group 1 of line 1" in ran.err
        assert code[5:9] not in ran.err + ran.out
    assert new("init", "--recover", answers=[]).code == 1
    assert not new.folder.exists()


def test_changes_the_passphrase(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "new-passphrase"
    file.write_text("another\n")
    file.chmod(0o600)
    assert shell.ok("change-passphrase", "--new-passphrase-file", file) == {"changed": True, "ended": 0}
    check_passphrase(shell.folder, "another")
    with pytest.raises(PassphraseError):
        check_passphrase(shell.folder, PASSPHRASE)
    assert shell("status").code == 4
    assert shell("status", passphrase="another").code == 0


def test_changes_the_passphrase_to_one_that_is_typed(shell: Shell) -> None:
    assert shell("change-passphrase", secrets=["another", "other"]).code == 4
    check_passphrase(shell.folder, PASSPHRASE)
    assert shell("change-passphrase", secrets=["another", "another"]).code == 0
    check_passphrase(shell.folder, "another")


@pytest.mark.parametrize(
    ("arguments", "passphrase", "code"),
    [
        ([], PASSPHRASE, 2),
        ([], "wrong", 4),
        ([], None, 4),
        (["--new-passphrase-file", "nowhere"], PASSPHRASE, 4),
    ],
)
def test_changes_no_passphrase_otherwise(
    shell: Shell, arguments: list[str], passphrase: str | None, code: int
) -> None:
    assert shell("change-passphrase", *arguments, passphrase=passphrase).code == code
    check_passphrase(shell.folder, PASSPHRASE)
