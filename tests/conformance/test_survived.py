"""The profile ``durable`` by the command: the node is killed and started anew by the command that was given."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import served
from freehold_conformance.checks import CHECKS, survived
from harness import free_port


def test_our_node_withstands_a_crash(tmp_path: Path) -> None:
    names = [check.name for check in survived.topic.checks]
    chosen = [f"--only={name}" for name in ["HTTP-13 *", *names]]
    folder, port, report = tmp_path / "node", free_port(), tmp_path / "report.json"
    restart = [sys.executable, served.__file__, str(folder), str(port)]
    try:
        subprocess.run(restart, check=True, timeout=60)
        command = [
            sys.executable, "-m", "freehold_conformance", f"http://127.0.0.1:{port}",
            "--owner-key", str(folder / "session.json"), "--passphrase-file", str(served.passphrase_file(folder)),
            "--restart", shlex.join(restart), *chosen, "--json", str(report),
        ]  # fmt: skip
        ran = subprocess.run(
            command, env=os.environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    finally:
        served.kill(folder)
    told = json.loads(report.read_text())
    assert {one["outcome"] for one in told["results"]} == {"passed"}
    assert {one["name"] for one in told["results"]} > set(names)


def test_every_story_is_a_check() -> None:
    assert len(survived.topic.checks) >= 14
    assert {check.name for check in survived.topic.checks} <= {check.name for check in CHECKS}
