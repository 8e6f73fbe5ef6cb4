"""What every command has in common: options in any place, one document or one sentence, an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_tree import COMMANDS
from freehold_node.cli import entry
from freehold_node.cli.failure import _NEXT, EXIT_CODES, Failure, failure_of
from freehold_node.config import VERSION
from freehold_protocol import errors
from harness import PASSPHRASE
from shell import Shell

NEVER_SAID = ("capability", "json-ld", " did", "zcap", "token", "webid")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "status"],
        ["status", "--json"],
        ["--data-dir", "DIR", "status", "--json"],
        ["status", "--data-dir", "DIR", "--passphrase-file", "FILE", "--json"],
        ["--passphrase-file", "FILE", "--json", "--data-dir", "DIR", "status"],
    ],
)
def test_common_options_stand_before_or_after_the_command(
    shell: Shell, tmp_path: Path, arguments: list[str]
) -> None:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE)
    file.chmod(0o600)
    known = {"DIR": str(shell.folder), "FILE": str(file)}
    other = Shell(tmp_path / "nowhere" if "DIR" in arguments else shell.folder)
    ran = other(
        *(known.get(one, one) for one in arguments),
        passphrase=None if "FILE" in arguments else PASSPHRASE,
    )
    assert ran.code == 0, ran
    assert ran.json["dataDirectory"] == str(shell.folder)


@pytest.mark.parametrize(
    "arguments", [["--json", "records"], ["records", "--json"], ["--json", "grants"], ["requests", "--json"]]
)
def test_a_group_alone_lists(shell: Shell, arguments: list[str]) -> None:
    ran = shell(*arguments)
    assert ran.code == 0
    assert list(ran.json.values()) == [[]]


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_options_go_down_from_a_group_to_its_command(shell: Shell, place: int) -> None:
    made = shell.ok("records", "add", "name=x")["id"]
    arguments = ["records", "show", made]
    arguments.insert(place, "--json")
    assert shell(*arguments).json["record"]["id"] == made


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["--nope"], ["status", "--nope"], ["status", "x"], ["records", "nope"], ["invite"], ["approve"],
     ["demo", "--port", "x"], ["--data-dir"], ["clock", "nope"], ["demo", "--me", "x"], ["demo", "--give", "x=y"],
     ["demo", "--give", "delivery", "--narrow", "delivery"], ["demo", "--give", "x=y", "--narrow", "x=y"],
     ["demo", "--ask", "x=y"], ["demo", "--ask", "x=name", "--give", "x=name", "--narrow", "x=name", "--courier", "y"]],
)  # fmt: skip
def test_a_command_that_is_not_one_is_said_in_one_sentence(shell: Shell, arguments: list[str]) -> None:
    ran = shell(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("freehold: ")
    assert ran.err.endswith("[usage]\n")
    assert ran.err.count("\n") == 1
    with_json = shell("--json", *arguments)
    assert (with_json.code, with_json.out, with_json.error["code"]) == (2, "", "usage")


def test_every_command_has_help(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    for path in COMMANDS:
        assert shell(*path, "--help").code == 0
    said = capsys.readouterr().out.lower()
    assert "passphrase" in said
    for word in NEVER_SAID:
        assert word not in said, word


def test_without_a_command_it_shows_what_there_is(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell().code == 0
    said = capsys.readouterr().out
    for path in COMMANDS:
        if path:
            assert path[0] in said
    assert shell("--version").out == f"freehold {VERSION}\n"
    assert shell("--version", "--json").json == {"version": VERSION}


def test_the_exit_codes_stand_in_the_help() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "freehold_node", "--help"], capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "300"},
    )  # fmt: skip
    for code, said in EXIT_CODES.items():
        assert f"{code} {said}" in ran.stdout


def test_help_is_quick_because_nothing_of_the_node_is_loaded() -> None:
    heavy = (
        "aiohttp",
        "apsw",
        "asyncio",
        "pyld",
        "nacl.pwhash",
        "freehold_node.app",
        "freehold_node.demo",
        "keyring",
    )
    script = (
        "import sys\nfrom freehold_node.cli import main\nsys.argv = ['freehold', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == "[]"


def test_the_shell_completes_commands() -> None:
    environment = {
        **os.environ,
        "_FREEHOLD_COMPLETE": "complete_bash",
        "COMP_WORDS": "freehold re",
        "COMP_CWORD": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "freehold_node"], capture_output=True, text=True, env=environment, check=False
    )
    assert {"records", "requests", "refuse", "resume", "revoke"} <= set(ran.stdout.split())


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.PassphraseError("x"), 4),
        (errors.NotAuthenticatedError("x"), 3),
        (errors.UnavailableError("x"), 3),
        (errors.ClockSuspectError("x"), 3),
        (errors.StorageFullError("x"), 3),
        (errors.NotFoundError("x"), 1),
        (errors.LedgerError("x"), 1),
        (errors.FreeholdError(""), 1),
    ],
)
def test_an_error_has_its_exit_code(error: errors.FreeholdError, exit_code: int) -> None:
    failure = failure_of(error)
    assert (failure.exit_code, failure.code) == (exit_code, error.code)
    assert failure.detail


def test_every_error_has_an_exit_code_that_is_documented() -> None:
    for error in errors.every_error():
        assert failure_of(error("x")).exit_code in EXIT_CODES
    assert errors.BY_CODE.keys() >= _NEXT.keys()


def test_a_failure_is_no_frozen_thing() -> None:
    # Context managers set an exception's traceback on its way.
    failure = Failure(1, "x", "y")
    failure.__traceback__ = None
    assert str(failure) == "y"


def test_a_folder_that_cannot_be_used_is_said_and_not_thrown(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        ran = Shell(folder)("init", "--json")
        assert (ran.code, ran.out) == (1, "")
        assert ran.error["detail"]


@pytest.mark.parametrize("variable", ["FREEHOLD_PORT", "FREEHOLD_ORIGIN"])
def test_a_setting_that_cannot_be_used_is_a_mistake_of_usage(shell: Shell, variable: str) -> None:
    shell.environment = {variable: "nope"}
    ran = shell("status", "--json")
    assert (ran.code, ran.error["code"]) == (2, "usage")


def test_output_that_nobody_reads_ends_the_command_quietly(shell: Shell) -> None:
    environment = {**os.environ, "FREEHOLD_DATA": str(shell.folder)}
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "freehold_node", "--version"],
        stdout=write, stderr=subprocess.PIPE, env=environment, check=False,
    )  # fmt: skip
    os.close(write)
    assert ran.returncode == 1
    assert b"Traceback" not in ran.stderr


def test_errors_are_json_for_programs(shell: Shell) -> None:
    ran = shell("grants", "show", "zzz", "--json")
    assert ran.out == ""
    assert json.loads(ran.err).keys() == {"error"}
    assert ran.error.keys() == {"code", "detail"}


def test_the_table_of_commands_is_the_tree_of_commands() -> None:
    assert ("records", "show") in COMMANDS
    assert ("change-passphrase",) in COMMANDS
    assert entry.app.info.name == "freehold"
