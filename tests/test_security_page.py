"""The page on security: every attack has a number and a test, and every test it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "specs" / "security.md").read_text("utf-8")
_ROW = re.compile(r"^\| ATK-(?P<number>\d+) \| (?P<rest>.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[^`:\s]+\.py)(?:::([A-Za-z0-9_]+))?`")


@cache
def named_in(path: Path) -> frozenset[str]:
    found = ast.walk(ast.parse(path.read_text("utf-8")))
    return frozenset(
        node.name
        for node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def test_attacks_are_numbered_without_gaps() -> None:
    numbers = [int(row["number"]) for row in _ROW.finditer(PAGE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 48


def test_every_attack_is_tried() -> None:
    assert [row["number"] for row in _ROW.finditer(PAGE) if not _TEST.search(row["rest"])] == []


def test_every_test_that_is_named_is_there() -> None:
    named = _TEST.findall(PAGE)
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file()
        or not named_in(ROOT / path)
        or (name and name not in named_in(ROOT / path))
    ]
    assert missing == []
