"""What an idle node takes: seconds from start to the first answer, and memory after unlocking.

    python benchmarks/idle.py

Starts ``freehold serve`` on a new data directory, several times, as a person would; beside it the bare limit: a
Python process that imports aiohttp and answers one request.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BARE = """
import sys
from aiohttp import web
async def answer(_): return web.Response(text="ok")
app = web.Application()
app.router.add_get("/healthz", answer)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_answer(url: str, server: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).read()
        except (urllib.error.URLError, ConnectionError) as error:
            if server.poll() is not None:
                raise RuntimeError(f"the server ended with {server.returncode}") from error
            time.sleep(0.005)
        else:
            return


def memory_mib(pid: int) -> tuple[float, float]:
    """Return resident memory now, and at its highest, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    told = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return int(told["VmRSS"]) / 1024, int(told["VmHWM"]) / 1024


def measure(command: list[str], port: int, environment: dict[str, str]) -> tuple[float, float, float]:
    began = time.perf_counter()
    server = subprocess.Popen(
        [*command, str(port)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_answer(f"http://127.0.0.1:{port}/healthz", server)
        seconds = time.perf_counter() - began
        time.sleep(1)  # what start-up leaves behind has settled
        return (seconds, *memory_mib(server.pid))
    finally:
        server.terminate()
        server.wait(timeout=30)


def main() -> None:
    parser = argparse.ArgumentParser(description="What an idle node takes.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "passphrase"
        secret.touch(0o600)
        secret.write_text("idle benchmark")
        environment = {
            **os.environ, "FREEHOLD_DATA": f"{folder}/node", "FREEHOLD_PASSPHRASE_FILE": str(secret),
        }  # fmt: skip
        node = [sys.executable, "-m", "freehold_node"]
        subprocess.run(
            [*node, "init", "--sheet", f"{folder}/sheet.txt"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        print(f"{'':14} {'start s':>8} {'idle MiB':>9} {'highest MiB':>12}   (medians of {rounds})")
        for name, command in (
            ("freehold serve", [*node, "serve", "--port"]),
            ("bare aiohttp", [sys.executable, "-c", BARE]),
        ):
            found = [measure(command, free_port(), environment) for _ in range(rounds)]
            start, idle, highest = (statistics.median(column) for column in zip(*found, strict=True))
            print(f"{name:14} {start:>8.2f} {idle:>9.0f} {highest:>12.0f}")


if __name__ == "__main__":
    main()
