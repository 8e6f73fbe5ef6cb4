"""Node.js with the packages that a package.json among the tests pins: installed once, beside it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_TESTS: Final = Path(__file__).resolve().parents[1]
EZCAP: Final = _TESTS / "interop" / "ezcap"
AXE: Final = _TESTS / "browser" / "axe"
LEAST: Final = 20
"""The major version of Node.js that the packages need."""
_INSTALL_S: Final = 150
_OPTIONS: Final = (
    "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000",
)  # fmt: skip
REQUIRED: Final = "FREEHOLD_REQUIRE_NODE"
"""The variable that, being 1, makes what is missing a failure where tests would be skipped."""


class NotInstalledError(Exception):
    """There is no Node.js, or the packages cannot be installed; the text says why."""


def node_with_packages(folder: Path) -> str:
    """Return the path of Node.js, after installing what the folder's package.json pins.

    Raises:
        NotInstalledError: Something is missing here.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstalledError("Node.js and npm are not on the PATH")
    version = _output_of([node, "--version"], folder)
    if int(version.lstrip("v").partition(".")[0]) < LEAST:
        raise NotInstalledError(f"this is Node.js {version.strip()}, and {LEAST} or later is needed")
    with _one_at_a_time(folder):
        _install(npm, folder)
    return node


def node_or_skip(folder: Path, without: str) -> str:
    """Return the path of Node.js; else skip the test, or fail it with FREEHOLD_REQUIRE_NODE, saying why."""
    try:
        return node_with_packages(folder)
    except NotInstalledError as missing:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED} is 1, but {missing}")
        pytest.skip(f"{without}: {missing}")


def _install(npm: str, folder: Path) -> None:
    """Install unless this very package.json was installed before."""
    stamp = folder / "node_modules" / ".installed-for"
    wanted = hashlib.sha256((folder / "package.json").read_bytes()).hexdigest()
    with contextlib.suppress(OSError):
        if stamp.read_text() == wanted:
            return
    try:
        stamp.unlink(missing_ok=True)
        _output_of([npm, "install", *_OPTIONS], folder)
        stamp.write_text(wanted)
    except OSError as error:
        raise NotInstalledError(f"nothing can be written beside package.json: {error}") from error


def _output_of(command: list[str], folder: Path) -> str:
    try:
        ran = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_INSTALL_S,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"{Path(command[0]).name} does not run: {error}") from error
    if ran.returncode:
        raise NotInstalledError(f"{Path(command[0]).name} {command[1]} failed: {ran.stderr[-800:]}")
    return ran.stdout


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep the other processes of a test run from installing at the same time; not on Windows."""
    with (folder / "package.json").open("rb") as file:
        if os.name != "nt":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
