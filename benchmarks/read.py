"""Reads per second through the whole corridor, beside the bare limit of the same loop in the same run.

    python benchmarks/read.py                 the table
    python benchmarks/read.py --profile KIND  and where the server's time goes

The server runs in a process of its own on one core, the generator on another. Every request is signed before
the clock starts, is like no other, and goes to one of 100 grants in turn. The bare limit is an aiohttp handler
on the same loop that is sent the same requests, verifies one Ed25519 signature and returns the same bytes: no
capability, no grant, no view, no ledger entry, no sync.

    vendor     under the capability that the node issued
    partner    under a chain that the vendor passed to a courier and the courier to a driver
    ezcap      as vendor, signed in the way of ZCAP clients: no nonce, so that each is looked up as a repeat
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import io
import itertools
import json
import os
import platform
import pstats
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from freehold_node.app import Node, open_node, tune_interpreter
from freehold_node.config import Config
from freehold_node.data_dir import make_data_dir
from freehold_node.drafts import Choice
from freehold_node.keystore import create_keystore
from freehold_protocol.capability import Capability, delegate, to_wire
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.ezcap import sign_ezcap
from freehold_protocol.invocation import sign_invocation
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import sign_request

GRANTS = 100
CONNECTIONS = (1, 16, 64)
KINDS = ("vendor", "partner", "ezcap")
SERVER_CORE, CLIENT_CORE = 0, 1
COURIER, DRIVER = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
CARD = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:bench\r\nFN:Ada Example\r\nEMAIL:ada@example.com\r\n"
    b"TEL:+441632960001\r\nADR:;;1 Row;Exampleton;;EX1 2AB;UK\r\nEND:VCARD\r\n"
)


def pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


# The server


async def make_grants(node: Node, base: str) -> list[dict[str, str]]:
    """Make the grants through the node's own operations; return what a vendor needs to read each."""
    await node.records.import_file(CARD, "bench.vcf", me="1")
    permission = Permission.from_dict(
        {
            "name": "delivery",
            "items": [{"type": "Person", "fields": ["name", "email", "address.postalCode"]}],
            "purpose": ["dpv:DeliveryOfGoods"],
            "retention": "P30D",
            "recipients": [COURIER.did, DRIVER.did],
        }
    )
    now_s = node.ambient.clock.now_s()
    made = []
    for number in range(GRANTS):
        key = SigningKey(secrets.token_bytes(32))
        request = sign_request(
            key,
            request_id=f"urn:uuid:{uuid.uuid4()}",
            nonce=base64url_encode(secrets.token_bytes(32)),
            name=f"Vendor {number}",
            permissions=(permission,),
            created_s=now_s,
            expires_s=now_s + 86_400,
        )
        invitation = await node.inbox.invite("bench")
        row = await node.inbox.receive(invitation.id, request.document)
        draft = await node.inbox.draft_approval(row.id, Choice(permissions=(permission,)))
        grant = await node.inbox.approve(row.id, draft.digest)
        capability = await node.relations.issue(grant.id)
        url = f"{base}/g/{grant.id}/delivery"
        passed_on = pass_on(COURIER, pass_on(key, capability, COURIER, url), DRIVER, url)
        made.append(
            {
                "seed": key.seed.hex(),
                "capability": to_wire(capability),
                "passed_on": to_wire(passed_on),
                "url": f"{url}/records",
            }
        )
    return made


def pass_on(giver: SigningKey, capability: Capability, taker: SigningKey, target: str) -> Capability:
    return delegate(
        giver, capability_id=f"urn:uuid:{uuid.uuid4()}", controller=taker.public, target=target,
        actions=("read",), created_s=capability.created_s, expires_s=capability.expires_s, parent=capability,
    )  # fmt: skip


def bare_app() -> web.Application:
    key = SigningKey(bytes(32))
    message = secrets.token_bytes(300)
    signature = key.sign(message)
    body: list[bytes] = []

    async def bare(_: web.Request) -> web.Response:
        key.public.verify(signature, message)
        return web.Response(body=body[0], content_type="application/json")

    async def same(request: web.Request) -> web.Response:
        body[:] = [await request.read()]
        return web.Response()

    app = web.Application()
    app.router.add_get("/{anything:.*}", bare)
    app.router.add_put("/bare", same)
    return app


async def serve(folder: Path, port: int, bare_port: int, profile: bool) -> None:
    make_data_dir(folder)
    keys = create_keystore(folder, "bench", random=secrets.token_bytes)
    base = f"http://127.0.0.1:{port}"
    config = Config(data_dir=folder, port=port, origins=(base,))
    async with open_node(config, keys) as node:
        await node.listen()
        runner = web.AppRunner(bare_app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", bare_port).start()
        grants = await make_grants(node, base)
        tune_interpreter()  # as `freehold serve` does
        print(json.dumps({"grants": grants, "pid": os.getpid()}), flush=True)
        profiler = cProfile.Profile()
        loop = asyncio.get_running_loop()
        while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            if profile and line == "start":
                profiler.enable()
            elif profile and line == "stop":
                profiler.disable()
                told = io.StringIO()
                pstats.Stats(profiler, stream=told).sort_stats("tottime").print_stats(28)
                print(json.dumps({"profile": told.getvalue()}), flush=True)
        await runner.cleanup()


# The generator: it only writes bytes that were made before, and counts what comes back.


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way at a time."""

    def __init__(self, requests: list[bytes], took: list[float], done: asyncio.Future[None]) -> None:
        self.requests, self.took, self.done = requests, took, done
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self._next()

    def _next(self) -> None:
        if not self.requests:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.began = time.perf_counter()
        self.transport.write(self.requests.pop())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        place = head.lower().index(b"content-length: ") + 16
        length = int(head[place:].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.took.append(time.perf_counter() - self.began)
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self.buffer[:600].decode()))
            self.transport.close()
            return
        self.buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError())


@dataclass(frozen=True)
class Measured:
    per_second: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.per_second:>8,.0f} {self.p50_ms:>8.2f} {self.p99_ms:>8.2f}"


async def run(requests: list[bytes], port: int, connections: int) -> Measured:
    loop = asyncio.get_running_loop()
    total, took = len(requests), list[float]()
    began = time.perf_counter()
    waiting = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        waiting.append(done)
        await loop.create_connection(lambda d=done: Connection(requests, took, d), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*waiting)
    seconds = time.perf_counter() - began
    took.sort()
    return Measured(total / seconds, statistics.median(took) * 1e3, took[int(len(took) * 0.99)] * 1e3)


_made = itertools.count()


def make_requests(grants: list[dict[str, str]], count: int, kind: str) -> list[bytes]:
    made, now_s = [], int(time.time())
    keys = [SigningKey(bytes.fromhex(grant["seed"])) for grant in grants]
    for number in itertools.islice(_made, count):
        at = number % len(grants)
        url = grants[at]["url"]
        key, capability = keys[at], grants[at]["capability"]
        if kind == "partner":
            key, capability = DRIVER, grants[at]["passed_on"]
        if kind == "ezcap":  # no two of one second for one grant end at the same time
            headers = sign_ezcap(
                key, capability, method="GET", target_uri=url, action="read", created_s=now_s,
                lifetime_s=600 - number // len(grants) % 500,
            )  # fmt: skip
        else:
            headers = sign_invocation(
                key, capability, method="GET", target_uri=url, action="read", created_s=now_s,
                nonce=secrets.token_urlsafe(16), lifetime_s=600,
            )  # fmt: skip
        authority, path = url.removeprefix("http://").split("/", 1)
        lines = [f"GET /{path} HTTP/1.1", f"host: {authority}", *(f"{k}: {v}" for k, v in headers.items())]
        made.append("\r\n".join([*lines, "", ""]).encode())
    return made


def fetch(request: bytes, port: int) -> bytes:
    import socket

    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\nconnection: close\r\n", 1))
        answer = b""
        while data := connection.recv(65_536):
            answer += data
    return answer.partition(b"\r\n\r\n")[2]


def fsync_rate(folder: Path) -> float:
    with (folder / "probe").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(50):
            file.write(bytes(4096))
            os.fsync(file.fileno())
        return 50 / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=4000, help="reads measured in each row")
    parser.add_argument("--rounds", type=int, default=3, help="times each row is measured; the median counts")
    parser.add_argument(
        "--profile",
        nargs="?",
        const="vendor",
        choices=KINDS,
        metavar="KIND",
        help="profile the server's event loop at 16 connections, with reads of this kind",
    )
    parser.add_argument("--serve", nargs=3, metavar=("FOLDER", "PORT", "BARE_PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        pin(SERVER_CORE)
        folder, port, bare_port = given.serve
        asyncio.run(serve(Path(folder), int(port), int(bare_port), bool(given.profile)))
        return
    pin(CLIENT_CORE)
    with tempfile.TemporaryDirectory() as folder:
        measure(given, Path(folder))


def measure(given: argparse.Namespace, folder: Path) -> None:
    import socket

    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        port, bare_port = one.getsockname()[1], other.getsockname()[1]
    command = [sys.executable, __file__, "--serve", str(folder / "node"), str(port), str(bare_port)]
    if given.profile:
        command.append("--profile")
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    grants = json.loads(server.stdout.readline())["grants"]
    body = fetch(make_requests(grants, 1, "vendor")[0], port)
    fetch(b"PUT /bare HTTP/1.1\r\nhost: bare\r\ncontent-length: %d\r\n\r\n" % len(body) + body, bare_port)
    for kind in KINDS:
        asyncio.run(run(make_requests(grants, 300, kind), port, 4))  # chains known, views made
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, body {len(body)} bytes, "
        f"{fsync_rate(folder):,.0f} syncs a second on this disk"
    )
    columns = f"{'per s':>8} {'p50 ms':>8} {'p99 ms':>8}"
    print(f"{'kind':<8} {'connections':>11}  {'reads ' + columns} {'bare ' + columns:>32}   reads/bare")
    for kind, connections in itertools.product(KINDS, CONNECTIONS):
        pairs = []
        for _ in range(given.rounds):
            count = given.requests if connections > 1 else given.requests // 4
            requests = make_requests(grants, count, kind)
            reads = asyncio.run(run([*requests], port, connections))
            pairs.append((reads, asyncio.run(run(requests, bare_port, connections))))
        pairs.sort(key=lambda pair: pair[0].per_second / pair[1].per_second)
        reads, limit = pairs[len(pairs) // 2]
        share = reads.per_second / limit.per_second
        print(
            f"{kind:<8} {connections:>11}  {'reads ' + str(reads)} {'bare ' + str(limit):>32}   {share:>10.2f}"
        )
    if given.profile:
        server.stdin.write("start\n")
        server.stdin.flush()
        asyncio.run(run(make_requests(grants, given.requests, given.profile), port, 16))
        server.stdin.write("stop\n")
        server.stdin.flush()
        print(json.loads(server.stdout.readline())["profile"])
    server.stdin.close()
    server.wait(timeout=30)


if __name__ == "__main__":
    main()
