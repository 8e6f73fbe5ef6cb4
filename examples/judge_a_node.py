"""Start a node that nobody needs, judge it by the whole conformance suite, and throw it away.

    python examples/judge_a_node.py [OPTIONS OF freehold-conformance]

This is how any node is put before the suite: it has to listen, the suite gets its URL, the file with its owner's key
and its passphrase, and, for the checks of what survives a crash, a command that kills it and starts it anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESTART = "--kill-and-start-anew"
STARTS_S = 60


def main(arguments: list[str]) -> int:
    """Return the suite's exit status."""
    if arguments[:1] == [RESTART]:
        restart(Path(arguments[1]), int(arguments[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        passphrase = home / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_urlsafe(16), "utf-8")
        run = [sys.executable, "-m", "freehold_node", "init", "--sheet", str(home / "sheet")]
        subprocess.run(run, env=environment(home), check=True, stdout=subprocess.DEVNULL)
        start(home, port)
        try:
            again = subprocess.list2cmdline([sys.executable, __file__, RESTART, folder, str(port)])
            suite = [sys.executable, "-m", "freehold_conformance", f"http://127.0.0.1:{port}"]
            suite += [
                "--owner-key",
                str(home / "data" / "session.json"),
                "--passphrase-file",
                str(passphrase),
            ]
            return subprocess.run([*suite, "--restart", again, *arguments], check=False).returncode
        finally:
            stop(home)


def environment(home: Path) -> dict[str, str]:
    """Return what tells the node where it lives; it may look up vendors on this computer, to try did:web."""
    told = {"FREEHOLD_DATA": str(home / "data"), "FREEHOLD_PASSPHRASE_FILE": str(home / "passphrase")}
    return os.environ | told | {"FREEHOLD_ALLOW_PRIVATE_HOSTS": "1"}


def start(home: Path, port: int) -> None:
    """Start the node, and wait until it says that it listens."""
    log = (home / "node.log").open("ab")
    node = subprocess.Popen(
        [sys.executable, "-m", "freehold_node", "serve", "--port", str(port)],
        env=environment(home),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until and node.poll() is None:
        if (home / "data" / "session.json").exists() and session(home)["pid"] == node.pid:
            return
        time.sleep(0.05)
    sys.exit(f"the node did not start; it said: {(home / 'node.log').read_text()[-2000:]}")


def session(home: Path) -> dict[str, object]:
    """Return what the running node says of itself to its owner."""
    found: dict[str, object] = json.loads((home / "data" / "session.json").read_text())
    return found


def stop(home: Path) -> None:
    """Kill the node, as a power failure would."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(str(session(home)["pid"])), signal.SIGKILL)


def restart(home: Path, port: int) -> None:
    """Kill the node and start it anew."""
    stop(home)
    start(home, port)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
