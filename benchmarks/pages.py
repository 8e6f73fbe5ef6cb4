"""How long the node takes for each page of the dashboard when it is large, and how large the pages are.

    python benchmarks/pages.py [--folder FOLDER] [--rounds N]

The node is that of ``big_node.py``: 10,000 records, 200 relationships, 100,000 entries; it is built first, which takes
some minutes, and with ``--folder`` kept for the next time. It runs in a process of its own; what is timed is from the
last byte of a request that goes out to the last byte of the page that comes back, on one connection over loopback.
Beside it stands the bare limit: what the same connection takes for ``/healthz``, which looks at nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import multiprocessing
import multiprocessing.connection
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import big_node
from freehold_node.app import open_node, tune_interpreter
from freehold_node.config import Config
from freehold_node.dashboard.routes import PAGES
from freehold_node.keystore import open_keystore
from freehold_node.store.store import Reader

AIM_MS, AIM_BYTES = 300, 200_000
SKIPPED = ("/", "/my", "/my/live", "/my/{rest:.*}")
MORE = (
    "/my/data?q=miller",
    "/my/ledger?kind=refused",
    "/my/ledger?span=all",
    "/my/ledger?span=year",
    "/my/relationships?q=company",
)
_PART = re.compile(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}")


@dataclass(frozen=True)
class Known:
    """What the running node told of itself: where it is, a link into it, and one of everything that a path names."""

    port: int
    link: str
    values: dict[str, str]


def run_node(folder: Path, told: multiprocessing.connection.Connection) -> None:
    """Run the node in this process until the other end is closed."""

    async def serve() -> None:
        config = Config(data_dir=folder, port=0)
        async with open_node(config, open_keystore(folder, big_node.PASSPHRASE)) as node:
            url = await node.listen(0)

            def look(reader: Reader) -> dict[str, str]:
                standings = sorted(reader.standings(node.owner), key=lambda one: -one.log_size)
                waiting = reader.requests(node.owner, status="waiting")
                record = reader.records(node.owner, after=0, limit=1)[0]
                return {
                    "grant": standings[0].grant,
                    "request": waiting[0].id,
                    "record": record.id.removeprefix("urn:uuid:"),
                    "number": str(standings[0].log_size - 1),
                    "type": record.type,
                    "link": node.devices.new_link(),
                    "name": "freehold.css",
                }

            values = await node.store.read(look)
            tune_interpreter()
            told.send(Known(int(url.rpartition(":")[2]), node.devices.new_link(), values))
            await asyncio.to_thread(told.poll, None)

    asyncio.run(serve())


def paths(values: dict[str, str]) -> Iterator[str]:
    """Yield the address of every page, with what the node told in place of the parts."""
    for route in PAGES:
        if route.method == "GET" and route.path not in SKIPPED:
            missing = [name for name in _PART.findall(route.path) if name not in values]
            if missing:
                print(f"left out, nothing is known of {missing}: {route.path}", file=sys.stderr)
            else:
                yield _PART.sub(lambda part: values[part[1]], route.path)
    yield from MORE


class Client:
    """One connection of a browser."""

    def __init__(self, port: int) -> None:
        self._host, self._cookie = f"localhost:{port}", ""
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def enter(self, link: str) -> None:
        """Sign in."""
        headers = {"Origin": f"http://{self._host}", "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(
            "POST", "/my/enter/link", urlencode({"link": link}), headers | {"Host": self._host}
        )
        answer = self._connection.getresponse()
        answer.read()
        self._cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def timed(self, path: str) -> tuple[str, int, float]:
        """Return what came ("page", "file", "on" for a way to another page, or a status), its bytes, milliseconds."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"Host": self._host, "Cookie": self._cookie})
        answer = self._connection.getresponse()
        body = answer.read()
        taken_ms = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            return ("on" if answer.status == 303 else str(answer.status)), len(body), taken_ms
        is_page = (answer.getheader("Content-Type") or "").startswith("text/html")
        return ("page" if is_page else "file"), len(body), taken_ms


def measure(client: Client, path: str, rounds: int) -> tuple[str, int, list[float]]:
    """Return what came, its bytes and every time."""
    kind, size, _ = client.timed(path)  # what is made once is not what a page costs
    times = [client.timed(path)[2] for _ in range(rounds)]
    return kind, size, times


def main() -> int:
    """Measure, print, and say whether the aims are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, help="where the node is, or is built and kept")
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder: Path = given.folder or Path(made) / "node"
        if not folder.exists():
            print("building the node ...", file=sys.stderr, flush=True)
            asyncio.run(big_node.build(folder))
        ours, its = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=run_node, args=(folder, its), daemon=True
        )
        process.start()
        known: Known = ours.recv()
        client = Client(known.port)
        try:
            missed = report(client, known, given.rounds)
        finally:
            ours.send(None)
            process.join(30)
    return 1 if missed else 0


def report(client: Client, known: Known, rounds: int) -> list[str]:
    """Print the table; return the pages that miss an aim."""
    client.enter(known.link)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {rounds} rounds each"
    )
    print(f"{'median':>8} {'longest':>8} {'size':>8}  page")
    _, size, times = measure(client, "/healthz", rounds)
    print(
        f"{statistics.median(times):5.1f} ms {max(times):5.1f} ms {size / 1000:5.0f} kB  /healthz, the bare limit"
    )
    missed = []
    for path in paths(known.values):
        kind, size, times = measure(client, path, rounds)
        middle = statistics.median(times)
        good = kind in ("file", "on") or (kind == "page" and size <= AIM_BYTES and max(times) < AIM_MS)
        mark = {"page": "", "file": "  (a file)", "on": "  (leads on)"}.get(kind, f"  (status {kind})")
        mark += "" if good else "   <- MISSED"
        print(f"{middle:5.1f} ms {max(times):5.1f} ms {size / 1000:5.0f} kB  {path}{mark}")
        if not good:
            missed.append(path)
    print(
        f"aim: every page, which files are not, below {AIM_MS} ms and {AIM_BYTES // 1000} kB:"
        f" {'missed' if missed else 'met'}"
    )
    return missed


if __name__ == "__main__":
    sys.exit(main())
