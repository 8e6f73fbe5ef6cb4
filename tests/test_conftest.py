"""The counts at the end of a run, in a real run, alone and spread over processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INNER = """
import pytest

@pytest.mark.parametrize("part", range(4))
def test_counted(vectors, count_vectors, part):
    assert (vectors / "merkle").is_dir()
    count_vectors("merkle", 10 + part, others=part % 2)
    count_vectors("jcs", 1)

def test_failed(count_vectors):
    count_vectors("zcap", 3)
    assert False

def test_counts_nothing():
    pass
"""


def run(folder: Path, vectors: Path, *options: str) -> str:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_inner.py").write_text(INNER)
    environment = os.environ | {"FREEHOLD_VECTORS": str(vectors), "PYTEST_ADDOPTS": ""}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        *options,
    ]
    command += ["--rootdir", str(folder), str(folder)]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return ran.stdout


@pytest.mark.parametrize("processes", ["0", "2"])
def test_counts_are_added_up_by_folder(tmp_path: Path, processes: str) -> None:
    (tmp_path / "vectors" / "merkle").mkdir(parents=True)
    shown = run(tmp_path, tmp_path / "vectors", "-n", processes).splitlines()
    assert [line for line in shown if line.startswith("vectors: ")] == [
        "vectors: jcs 4 cases run",
        "vectors: merkle 46 cases run; 2 more are of kinds not supported yet",
        "vectors: zcap 3 cases run",
    ]
    assert "1 failed, 5 passed" in shown[-1]


def test_without_vectors_their_tests_are_skipped_and_it_is_said(tmp_path: Path) -> None:
    shown = run(tmp_path, tmp_path / "none", "-n", "0")
    assert (
        "vectors: third-party vectors are absent; set FREEHOLD_VECTORS to their folder; 4 tests skipped"
        in shown
    )
    assert "4 skipped" in shown.splitlines()[-1]
