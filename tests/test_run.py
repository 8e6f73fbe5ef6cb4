"""run.py and the scripts around it, as far as they can be tried without installing anything."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (ROOT / "run.py").read_text("utf-8")


def test_an_old_python_can_read_it_as_far_as_the_message() -> None:
    ast.parse(SOURCE, feature_version=(3, 8))


def test_it_needs_nothing_but_the_standard_library() -> None:
    for node in ast.walk(ast.parse(SOURCE)):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize(
    "name",
    [
        "run.py",
        "check",
        ".ci/run",
        "pyproject.toml",
        "tests/interop/ezcap/package.json",
        "tests/browser/axe/package.json",
    ],
)
def test_no_host_is_named(name: str) -> None:
    assert not re.search(r"https?://|--index-url|--find-links", (ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 2), (["--help"], 0), (["tset"], 2), (["check", "--fast"], 2), (["check", "--quick", "x"], 2)],
)
def test_usage_is_printed_and_nothing_is_installed(arguments: list[str], code: int) -> None:
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == code
    assert "python3 run.py test" in ran.stdout
    assert ran.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes")
@pytest.mark.parametrize("name", ["check", ".ci/run"])
def test_the_scripts_can_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


def test_ci_runs_the_tests_as_a_person_does() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert lines[-1] == "python3 run.py test"
    assert "./check --quick" in lines


def test_ci_runs_thoroughly_what_can_be_run_so() -> None:
    named = re.search(r"--thorough ((?:\\\n|.)*)", (ROOT / ".ci" / "run").read_text("utf-8"))
    assert named
    run = [ROOT / name for name in named[1].replace("\\\n", " ").split()]
    knows = re.compile(r"\bthorough: bool\b|--thorough\b")
    found = {path for path in (ROOT / "tests").rglob("test_*.py") if knows.search(path.read_text("utf-8"))}
    found -= {Path(__file__).resolve()}
    assert len(found) > 5
    assert [path for path in found if not any(path.is_relative_to(one) for one in run)] == []
