"""``served.py FOLDER PORT``: kill the node of a folder, if one runs, and start it anew; for ``--restart``.

The node is a ``freehold serve`` in a process of its own, which outlives this one. Beside the folder lie its passphrase
and its process's number.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness import PASSPHRASE, make_keys

_PATIENCE_S = 30


def passphrase_file(folder: Path) -> Path:
    """Return where the passphrase of a folder's node lies."""
    return folder.with_suffix(".passphrase")


def _number_file(folder: Path) -> Path:
    return folder.with_suffix(".pid")


def kill(folder: Path) -> None:
    """Kill the node of a folder, as a power cut would, and wait until it is gone."""
    file = _number_file(folder)
    if not file.exists():
        return
    number = int(file.read_text())
    file.unlink()
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return
    _until(lambda: not _runs(number), "the node does not die")


def start(folder: Path, port: int) -> None:
    """Start the node of a folder, which is made if it is not there, and wait until it listens."""
    if not folder.exists():
        make_keys(folder, random.Random(1))
        file = passphrase_file(folder)
        file.touch(mode=0o600)
        file.write_text(PASSPHRASE)
    (folder / "session.json").unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "freehold_node", "serve", "--port", str(port),
        "--data-dir", str(folder), "--passphrase-file", str(passphrase_file(folder)),
    ]  # fmt: skip
    with folder.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _number_file(folder).write_text(str(process.pid))
    _until(lambda: (folder / "session.json").exists() and _listens(port), "the node does not start")


def _runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.05)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    kill(where)
    start(where, int(sys.argv[2]))
