"""The command: what it takes, what it writes, how it exits."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from freehold_conformance.hands.encoding import multibase
from harness import PASSPHRASE, open_house

pytestmark = pytest.mark.asyncio


async def run(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "freehold_conformance", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), errors.decode()


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return path


async def test_a_node_is_judged_and_the_reports_are_written(tmp_path: Path, passphrase: Path) -> None:
    reports = [f"--{name}={tmp_path / name}" for name in ("json", "junit", "earl", "html")]
    async with open_house(tmp_path / "node", real_time=True) as house:
        keys = [f"--owner-key={tmp_path / 'node' / 'session.json'}", f"--passphrase-file={passphrase}"]
        code, out, errors = await run(
            house.base, *keys, "--only=HTTP-13 *", "--only=HTTP-33 a-field*", "--seed=3", *reports
        )
        assert (code, errors) == (0, "")
        assert "ok     HTTP-13 discovery-is-open" in out
        assert "No required check failed, but " in out
        assert "this run does not show that the node conforms." in out
        told = json.loads((tmp_path / "json").read_text())
        assert told["subject"] == house.base
        assert {"HTTP-13", "HTTP-33"} <= {one["requirements"][0] for one in told["results"]}
        for name in ("junit", "earl", "html"):
            assert "discovery-is-open" in (tmp_path / name).read_text()
        for name in ("json", "junit", "earl", "html"):
            assert PASSPHRASE not in (tmp_path / name).read_text()
        code, out, _ = await run(house.base, *keys, "--only=HTTP-13 *", "--json=-")
        assert code == 0
        assert json.loads(out)["conforms"]


async def test_a_key_that_is_not_the_owners(tmp_path: Path, passphrase: Path) -> None:
    key = tmp_path / "key"
    key.write_text(multibase(b"\x80\x26" + bytes(32)))
    async with open_house(tmp_path / "node", real_time=True) as house:
        code, _, errors = await run(house.base, f"--owner-key={key}", f"--passphrase-file={passphrase}")
    assert code == 3
    assert "owner's key was not accepted" in errors


async def test_nobody_there(tmp_path: Path, passphrase: Path) -> None:
    key = tmp_path / "key"
    key.write_text(multibase(b"\x80\x26" + bytes(32)))
    code, _, errors = await run("http://127.0.0.1:9", f"--owner-key={key}", f"--passphrase-file={passphrase}")
    assert code == 3
    assert "cannot be reached" in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["http://127.0.0.1:9"],
        ["ftp://127.0.0.1:9", "--owner-key=x", "--passphrase-file=x"],
        ["http://127.0.0.1:9", "--owner-key=nothing-there", "--passphrase-file=nothing-there"],
        ["http://127.0.0.1:9", "--profile=nonsense"],
        [],
    ],
)
async def test_wrong_use(arguments: list[str]) -> None:
    code, out, errors = await run(*arguments)
    assert (code, out) == (2, "")
    assert "freehold-conformance" in errors


async def test_the_checks_can_be_listed() -> None:
    code, out, _ = await run("http://127.0.0.1:9", "--list", "--only=HTTP-13")
    assert code == 0
    assert {"HTTP-13 discovery-is-open", "HTTP-13 discovery-is-constant"} <= set(out.splitlines())
