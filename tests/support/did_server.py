"""A real HTTPS server on loopback that publishes DID documents under any name, or does worse; and who knows names.

What it serves under a name is trusted through a CA of the tests' own, and only under that name.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import trustme
from freehold_protocol.did_document import did_web_url
from freehold_protocol.encoding import Document
from freehold_protocol.keys import PublicKey

HOSTS = ("shop.example", "other.example", "carrier.example", "slow.example")
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes a whole answer to a request whose head has come."""


@lru_cache
def _ca() -> trustme.CA:
    return trustme.CA()


def trusting() -> ssl.SSLContext:
    """Return a client's context that trusts the tests' CA and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _ca().configure_trust(context)
    return context


def trusted_file(folder: Path) -> Path:
    """Return a file that names the tests' CA, as ``SSL_CERT_FILE`` wants it."""
    path = folder / "ca.pem"
    _ca().cert_pem.write_to_path(str(path))
    return path


def certified(*hosts: str) -> ssl.SSLContext:
    """Return a server's context with a certificate for these hosts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _ca().issue_cert(*hosts).configure_cert(context)
    return context


@dataclass(slots=True)
class TestNames:
    """Names and their addresses; each look at a name takes its next answer, and the last one stays."""

    __test__ = False
    known: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    looked: Counter[str] = field(default_factory=Counter)

    @classmethod
    def loopback(cls, *hosts: str) -> TestNames:
        return cls({host: [["127.0.0.1"]] for host in hosts or HOSTS})

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(0)
        self.looked[host] += 1
        answers = self.known.get(host)
        if not answers:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def document_of(did: str, *keys: PublicKey, **more: object) -> Document:
    """Return the document of a DID with these keys, named ``#key-1``, ``#key-2``, ..., for every use."""
    names = [f"{did}#key-{number}" for number in range(1, len(keys) + 1)]
    uses = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")
    return {
        "id": did,
        "verificationMethod": [
            {"id": name, "type": "Multikey", "controller": did, "publicKeyMultibase": key.multikey}
            for name, key in zip(names, keys, strict=True)
        ],
        **dict.fromkeys(uses, names),
        **more,
    }


def answering(
    body: bytes, *, status: str = "200 OK", headers: Sequence[str] = (), length: int | None = None
) -> Answer:
    """Return an answer with this body."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        size = len(body) if length is None else length
        head = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Content-Type: application/json", *headers]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)

    return answer


@dataclass(slots=True)
class DidServer:
    """The server; ``answers`` wins over ``documents``, both by ``host:port/path`` as it was asked for.

    ``asked`` holds every request's head, ``connections`` counts what was accepted: with TLS, once that is agreed on.
    """

    port: int = 0
    documents: dict[str, Document] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    open_most: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    stopped: bool = False

    def did(self, host: str = "shop.example", path: str = "") -> str:
        return f"did:web:{host}%3A{self.port}{path}"

    def publish(self, did: str, *keys: PublicKey) -> None:
        """Publish the document of a DID with these keys, in place of what stood there."""
        self.documents[_place(did)] = document_of(did, *keys)

    def say(self, did: str, answer: Answer | bytes) -> None:
        """Answer in this way where the document of a DID should be."""
        self.answers[_place(did)] = answering(answer) if isinstance(answer, bytes) else answer

    def withdraw(self, did: str) -> None:
        """Publish nothing for a DID any more."""
        self.documents.pop(_place(did), None)

    def count(self, did: str) -> int:
        """Return how often the document of a DID was asked for."""
        return sum(_place_asked(head) == _place(did) for head in self.asked)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stopped:  # the system had taken the connection before
            writer.transport.abort()
            return
        if (task := asyncio.current_task()) is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self.connections += 1
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        try:
            with suppress(
                asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError
            ):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.asked.append(head)
                place = _place_asked(head)
                found = self.documents.get(place)
                missing = answering(b"{}", status="404 Not Found")
                answer = self.answers.get(place) or (
                    missing if found is None else answering(json.dumps(found).encode())
                )
                await answer(writer)
                await writer.drain()
        finally:
            self.open_now -= 1
            writer.close()


def _place(did: str) -> str:
    return did_web_url(did).partition("://")[2]


def _place_asked(head: str) -> str:
    path = head.split(" ")[1]
    host = next(line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("host:"))
    return host + path


@asynccontextmanager
async def did_server(*hosts: str, tls: bool = True, address: str = "127.0.0.1") -> AsyncIterator[DidServer]:
    """Serve on any free port of an address; under TLS with a certificate for these hosts, or for all of HOSTS."""
    made = DidServer()
    context = certified(*(hosts or HOSTS)) if tls else None
    server = await asyncio.start_server(made.handle, address, 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.stopped = True
        for task in list(made.tasks):
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await asyncio.sleep(0)  # in which what has not begun sees that it is over
        await server.wait_closed()
