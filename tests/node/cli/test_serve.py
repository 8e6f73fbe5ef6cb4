"""The daemon as a service manager runs it: started, told to stop, started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from freehold_node.keystore import Keys
from harness import PASSPHRASE, free_port, open_house, permission
from shell import Shell


@contextmanager
def serving(shell: Shell, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "FREEHOLD_DATA": str(shell.folder), "FREEHOLD_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(
        [sys.executable, "-m", "freehold_node", "serve", *arguments],
        env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def said(process: subprocess.Popen[str]) -> Any:
    """Read the one JSON document it prints when it is ready."""
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n") or text.count("{") != text.count("}"):
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    return json.loads(text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_runs_until_it_is_told_to_stop(shell: Shell, number: signal.Signals) -> None:
    port = free_port()
    with serving(shell, "--port", str(port), "--json") as process:
        told = said(process)
        assert told.pop("link").startswith(f"http://localhost:{port}/my/enter/")
        assert told == {
            "url": f"http://127.0.0.1:{port}",
            "origins": [f"http://127.0.0.1:{port}"],
            "cutOff": [],
        }
        assert shell.ok("status", passphrase=None)["running"]
        ran = shell("serve", "--json")  # a second one
        assert (ran.code, ran.error["code"]) == (3, "conflict")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")
    assert not (shell.folder / "session.json").exists()
    assert not shell.ok("status")["running"]


def test_speaks_to_a_person(shell: Shell) -> None:
    port = free_port()
    with serving(shell, "--port", str(port), "--origin", "https://ada.example") as process:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first == f"Your node listens at http://127.0.0.1:{port}\n"
        assert second == "Vendors reach it at https://ada.example\n"
        process.terminate()
        out, _ = process.communicate(timeout=30)
        assert out.endswith("Stopped.\n")


@pytest.mark.requirement("MOV-8")
@pytest.mark.asyncio
async def test_says_which_grants_another_address_cuts_off(shell: Shell, key_store: tuple[Path, Keys]) -> None:
    async with open_house(shell.folder, keys=key_store[1], real_time=True) as house:
        asked = [permission("delivery", ["name"])]
        cut = await house.relate(asked, name="Corner Shop")
        ended = await house.relate(asked, name="Other Shop")
        await house.change(ended.grant, "end")
        base = house.base
    port = str(free_port())
    with serving(shell, "--port", port, "--json") as process:
        told = said(process)["cutOff"]
        assert told == [{"grant": cut.grant, "vendor": "Corner Shop", "origins": [base]}]
        process.terminate()
        process.wait(30)
    with serving(
        shell, "--port", port, "--origin", "https://ada.example", "--origin", base, "--json"
    ) as process:
        assert said(process)["cutOff"] == []
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize(
    ("arguments", "passphrase", "code"),
    [
        (["--port", "0"], PASSPHRASE, 2),
        (["--port", "65536"], PASSPHRASE, 2),
        (["--port", "x"], PASSPHRASE, 2),
        (["--origin", "http://ada.example"], PASSPHRASE, 2),
        (["--origin", "ada.example"], PASSPHRASE, 2),
        (["--origin", "https://ada.example/"], PASSPHRASE, 2),
        ([], "wrong", 4),
        ([], None, 4),
    ],
)
def test_does_not_start(shell: Shell, arguments: list[str], passphrase: str | None, code: int) -> None:
    ran = shell("serve", *arguments, passphrase=passphrase)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err


def test_does_not_start_at_a_port_that_is_taken(shell: Shell) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = shell("serve", "--port", str(taken.getsockname()[1]), "--json")
    assert (ran.code, ran.error["code"]) == (3, "conflict")


def test_a_killed_daemon_leaves_nothing_that_is_in_the_way(shell: Shell) -> None:
    port = str(free_port())
    with serving(shell, "--port", port, "--json") as process:
        said(process)
        process.kill()
        process.wait(30)
    assert (shell.folder / "session.json").exists()
    assert not shell.ok("status")["running"]
    with serving(shell, "--port", port, "--json") as process:
        said(process)
