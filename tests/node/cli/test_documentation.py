"""specs/node/cli.md says everything: each command, each option, each exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_tree import COMMANDS
from freehold_node.cli.failure import EXIT_CODES

PAGE = (Path(__file__).resolve().parents[3] / "specs" / "node" / "cli.md").read_text("utf-8")
COMMON = {"--data-dir", "--passphrase-file", "--json", "--help", "-h"}


def section(path: tuple[str, ...]) -> str:
    """Return the text under the heading of a command, which may name several."""
    name = "`" + " ".join(("freehold", *path)) + "`"
    for part in re.split(r"\n(?=#{2,4} )", PAGE)[1:]:
        if name in part.partition("\n")[0]:
            return part
    raise AssertionError(f"no heading names {name}")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_documented_with_its_options(path: tuple[str, ...]) -> None:
    text = section(path)
    for name in COMMANDS[path]:
        if name not in COMMON or path == ():
            assert f"`{name}" in text or f" {name}" in text, (path, name)


def test_no_option_is_documented_that_does_not_exist() -> None:
    known = {name for names in COMMANDS.values() for name in names} | {"--help"}
    for option in set(re.findall(r"`(--[a-z-]+)", PAGE)):
        assert option in known, option


def test_no_command_is_documented_that_does_not_exist() -> None:
    for heading in re.findall(r"^#{2,4} (.*)$", PAGE, re.MULTILINE):
        for name in re.findall(r"`freehold ?([a-z -]*)`", heading):
            assert tuple(name.split()) in COMMANDS, name


def test_every_exit_code_is_documented() -> None:
    for code, said in EXIT_CODES.items():
        assert f"| {code} | {said}" in PAGE


def test_every_section_that_code_names_exists() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#{1,4} (.*)$", PAGE, re.MULTILINE)
    }
    root = Path(__file__).resolve().parents[3] / "node" / "freehold_node"
    for file in (*root.glob("cli/*.py"), *root.glob("demo/*.py")):
        for anchor in re.findall(r"specs/node/cli\.md#([a-z-]+)", file.read_text("utf-8")):
            assert anchor in anchors, (file.name, anchor)
