"""How fast a withdrawal closes the streams of its grant, and what it costs to find whom an edit concerns.

    python benchmarks/streams.py

The node runs on a loop of its own in a thread; the owner and those who listen are plain blocking sockets in another,
so that they see what comes in the order in which it comes. Of each end two times are taken, from the moment it was
sent: until it was acknowledged, and until the last of the grant's streams had been closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import secrets
import socket
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from freehold_node.app import Node, open_node
from freehold_node.config import Config
from freehold_node.data_dir import make_data_dir
from freehold_node.drafts import Choice
from freehold_node.keystore import create_keystore
from freehold_protocol.capability import to_wire
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.invocation import TAG_OWNER, sign_invocation, sign_message
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import sign_request

T = TypeVar("T")
STREAMS = (1, 4)
GRANTS = (0, 10, 100)
CARD = b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:bench\r\nFN:Ada Example\r\nEMAIL:ada@example.com\r\nEND:VCARD\r\n"
PERMISSION = Permission.from_dict(
    {
        "name": "delivery",
        "items": [{"type": "Person", "fields": ["name", "email"]}],
        "purpose": ["dpv:DeliveryOfGoods"],
        "retention": "P30D",
    }
)


@dataclass(frozen=True, slots=True)
class Held:
    key: SigningKey
    grant: str
    wire: str


class Running:
    """A node on a loop in a thread, as a context manager; ``run`` has something done there."""

    def __init__(self, folder: Path, port: int) -> None:
        make_data_dir(folder)
        keys = create_keystore(folder, "bench", random=secrets.token_bytes)
        self.base, self.port = f"http://127.0.0.1:{port}", port
        self.node: Node = open_node(Config(data_dir=folder, port=port, origins=(self.base,)), keys)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def done() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.node.__aenter__)
        self.run(self.node.listen)
        self.run(lambda: self.node.records.import_file(CARD, "bench.vcf", me="1"))
        return self

    def __exit__(self, *_: object) -> None:
        self.run(lambda: self.node.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def grant(self) -> Held:
        """Make a grant through the node's own operations."""
        node, key, now_s = self.node, SigningKey(secrets.token_bytes(32)), int(time.time())
        request = sign_request(
            key, request_id=f"urn:uuid:{uuid.uuid4()}", nonce=base64url_encode(secrets.token_bytes(32)),
            name="Vendor", permissions=(PERMISSION,), created_s=now_s, expires_s=now_s + 86_400,
        )  # fmt: skip
        row = await node.inbox.receive((await node.inbox.invite("bench")).id, request.document)
        draft = await node.inbox.draft_approval(row.id, Choice(permissions=(PERMISSION,)))
        grant = await node.inbox.approve(row.id, draft.digest)
        return Held(key, grant.id, to_wire(await node.relations.issue(grant.id)))

    def connect(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return connection

    def own(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(body).encode()
        headers = sign_message(
            self.node.session_key, tag=TAG_OWNER, method=method, target_uri=self.base + path, body=data,
            created_s=int(time.time()), nonce=secrets.token_urlsafe(16),
        )  # fmt: skip
        with self.connect(method, path, headers | {"Connection": "close"}, data) as connection:
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        if b" 200 " not in answer.split(b"\r\n", 1)[0]:
            raise RuntimeError(answer.decode())
        found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found

    def listen(self, held: Held) -> socket.socket:
        path = f"/g/{held.grant}/events"
        headers = sign_invocation(
            held.key, held.wire, method="GET", target_uri=self.base + path, action="read",
            created_s=int(time.time()), nonce=secrets.token_urlsafe(16),
        )  # fmt: skip
        connection = self.connect("GET", path, headers)
        came = b""
        while b"event: ready" not in came:
            came += connection.recv(65_536)
        return connection


def end_once(running: Running, streams: int) -> tuple[float, float]:
    """Return milliseconds from sending an end to its acknowledgement, and to the last stream's end."""
    held = running.run(running.grant)
    ears = [running.listen(held) for _ in range(streams)]
    draft = running.own("POST", f"/owner/grants/{held.grant}/draft", {"change": "end"})
    closed: list[float] = []

    def wait(ear: socket.socket) -> None:
        while ear.recv(65_536):
            pass
        closed.append(time.perf_counter())

    threads = [threading.Thread(target=wait, args=(ear,)) for ear in ears]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    running.own("POST", f"/owner/grants/{held.grant}/change", {"digest": draft["digest"]})
    acknowledged = time.perf_counter()
    for thread in threads:
        thread.join()
    for ear in ears:
        ear.close()
    return (acknowledged - began) * 1e3, (max(closed) - began) * 1e3


def row(name: str, *columns: Iterable[float]) -> str:
    shown = [f"{statistics.median(found):>10.2f} {max(found):>8.2f}" for found in map(list, columns)]
    return f"{name:>12} " + " ".join(shown)


def edit_once(running: Running, number: int) -> float:
    """Return milliseconds that an edit takes of which every grant is to be told."""

    async def edit() -> float:
        node = running.node
        standing = await node.store.read(lambda reader: reader.owner(node.owner))
        assert standing is not None
        record = standing.self_record or ""
        seen = await node.store.read(lambda reader: reader.record(node.owner, record))
        assert seen is not None
        content = {"type": "Person", "name": f"Ada {number}"}
        began = time.perf_counter()
        await node.records.edit(record, content, previous=seen.cid)
        return (time.perf_counter() - began) * 1e3

    return running.run(edit)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast streams close, and what an edit costs.")
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {runs} runs, milliseconds")
    with tempfile.TemporaryDirectory() as folder, Running(Path(folder) / "node", port) as running:
        print(f"{'streams':>12} {'end to ack':>10} {'max':>8} {'to closed':>10} {'max':>8}")
        for streams in STREAMS:
            print(row(str(streams), *zip(*(end_once(running, streams) for _ in range(runs)), strict=True)))
        print(f"{'live grants':>12} {'one edit':>10} {'max':>8}")
        made = 0
        for grants in GRANTS:
            while made < grants:
                running.run(running.grant)
                made += 1
            print(row(str(grants), [edit_once(running, number) for number in range(runs // 2)]))


if __name__ == "__main__":
    main()
