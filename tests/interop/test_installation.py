"""The packages for the ZCAP clients: pinned whole, installed once, and missed with a reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from node_packages import EZCAP, NotInstalledError, node_with_packages

MANIFEST = json.loads((EZCAP / "package.json").read_text("utf-8"))
PINNED: dict[str, str] = MANIFEST["dependencies"] | MANIFEST["overrides"]


def test_every_version_is_exact() -> None:
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in PINNED.values()), PINNED


def test_what_is_imported_is_asked_for() -> None:
    sources = "".join(path.read_text("utf-8") for path in EZCAP.glob("*.mjs"))
    imported = set(re.findall(r"from '((?:@[\w-]+/)?[\w-]+)'", sources))
    assert len(imported) > 8
    assert imported <= MANIFEST["dependencies"].keys()


def test_everything_that_was_installed_is_pinned(node_js: str) -> None:
    modules = EZCAP / "node_modules"
    found = {path.parent.relative_to(modules).as_posix(): path for path in modules.glob("*/package.json")}
    found |= {path.parent.relative_to(modules).as_posix(): path for path in modules.glob("@*/*/package.json")}
    assert {name: json.loads(path.read_text("utf-8"))["version"] for name, path in found.items()} == PINNED


posix = pytest.mark.skipif(os.name != "posix", reason="shell scripts in the place of Node.js")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a package.json, and a PATH with nothing but what a test puts into bin."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "package.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def put(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!{sys.executable}\n{script}\n")
    path.chmod(0o755)


NODE = "print('v20.1.0')"
NPM = """
import pathlib, time
with open("calls", "a") as calls:
    calls.write("x")
time.sleep(0.1)
pathlib.Path("node_modules").mkdir(exist_ok=True)
"""


@posix
def test_what_is_missing_is_said(folder: Path) -> None:
    with pytest.raises(NotInstalledError, match="not on the PATH"):
        node_with_packages(folder)
    put(folder, "node", "print('v18.19.0')")
    put(folder, "npm", NPM)
    with pytest.raises(NotInstalledError, match=r"v18\.19\.0, and 20 or later"):
        node_with_packages(folder)
    put(folder, "node", NODE)
    put(folder, "npm", "import sys; sys.exit('no network')")
    for _ in range(2):
        with pytest.raises(NotInstalledError, match="npm install failed: no network"):
            node_with_packages(folder)


@posix
def test_it_is_installed_once_for_each_manifest(folder: Path) -> None:
    put(folder, "node", NODE)
    put(folder, "npm", NPM)
    with ThreadPoolExecutor(4) as threads:
        for node in threads.map(lambda _: node_with_packages(folder), range(8)):
            assert node == str(folder / "bin" / "node")
    assert (folder / "calls").read_text() == "x"
    (folder / "package.json").write_text('{"dependencies": {}}')
    node_with_packages(folder)
    assert (folder / "calls").read_text() == "xx"


INNER = """
def test_inner(node_js):
    assert node_js
"""


@posix
@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_without_node_the_tests_are_skipped_or_fail_as_asked(
    tmp_path: Path, required: str, outcome: str
) -> None:
    (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text("utf-8"))
    (tmp_path / "test_inner.py").write_text(INNER)
    environment = os.environ | {
        "PATH": str(tmp_path),
        "FREEHOLD_REQUIRE_NODE": required,
        "PYTEST_ADDOPTS": "",
    }
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-n0", "-p", "no:cacheprovider", "-c", os.devnull]
    ran = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome in ran.stdout.splitlines()[-1], ran.stdout
    assert "Node.js and npm are not on the PATH" in ran.stdout
