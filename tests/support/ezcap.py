"""Vendors and partners who use the ZCAP client ``ezcap`` as it is, and a transcript of what they and a node say."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from freehold_protocol.encoding import Document, format_time, parse_time
from freehold_protocol.keys import SigningKey
from node_packages import EZCAP

JCS: Final = "eddsa-jcs-2022"
RDFC: Final = "eddsa-rdfc-2022"
OLD: Final = "Ed25519Signature2020"
SUITES: Final = (OLD, JCS, RDFC)
_SHOWN: Final = ("capability-invocation", "content-type", "digest", "authorization")
_LONG = re.compile(r"[A-Za-z0-9+/]{86}==|[A-Za-z0-9_-]{40,}")


class ClientRefusedError(Exception):
    """The client itself would not do it, and sent nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and the head of the request as it went over the wire."""

    sent: str
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str | None:
        """Why it was refused; None where it was not."""
        return self.body["code"] if self.status >= 400 else None

    @property
    def entry(self) -> int:
        """The number of the ledger's entry."""
        return int(self.headers["freehold-entry"])

    @property
    def names(self) -> list[str]:
        """The names of the records that were read."""
        return [item["name"] for item in self.body["items"]]


@dataclass(slots=True)
class Transcript:
    """What was said, in lines that can be read, and quoted."""

    lines: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Write down what happens beside the requests."""
        self.lines += ["", f"# {text}"]

    def delegation(self, who: str, suite: str, capability: Document) -> None:
        target = _short(capability["invocationTarget"])
        self.lines += ["", f"{who} delegates {target} to {_short(capability['controller'])}, proof {suite}"]

    def exchange(self, who: str, answer: Answer) -> None:
        line, *fields = answer.sent.strip().split("\r\n")
        named = dict(one.split(": ", 1) for one in fields)
        shown = [f"  {name}: {_short(named[name])}" for name in _SHOWN if name in named]
        entry = f", entry {answer.headers['freehold-entry']}" if "freehold-entry" in answer.headers else ""
        outcome = f"  -> {answer.status}{entry} {answer.code or ''}".rstrip()
        self.lines += ["", f"{who}: {_short(line.removesuffix(' HTTP/1.1'))}", *shown, outcome]

    def refusal(self, who: str, text: str) -> None:
        self.lines += ["", f"{who}: the client refuses: {_short(text)}"]

    def __str__(self) -> str:
        return "\n".join(self.lines).strip() + "\n"


def _short(text: str) -> str:
    """Cut keys, signatures and capabilities to their beginning, so that a line stays a line."""
    text = re.sub(r"(did:key:z6Mk\w{4})\w+(#z6Mk\w{4})\w+", r"\1…\2…", text)
    text = re.sub(r"(did:key:z6Mk\w{4})\w{30,}", r"\1…", text)
    text = re.sub(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}", r"\1…", text)
    return _LONG.sub(lambda found: f"{found[0][:16]}…[{len(found[0])}]", text)


@dataclass(slots=True)
class Pipe:
    """A Node.js process with the clients in it, which does one thing after the other."""

    process: subprocess.Popen[bytes]

    async def ask(self, command: str, **options: Any) -> Document:
        """Have it do something, and return what came of it, while the node goes on in this process."""
        line = json.dumps({"command": command, **options}).encode() + b"\n"
        try:
            async with asyncio.timeout(60):
                answer = await asyncio.to_thread(self._exchange, line)
        except TimeoutError:
            self.process.kill()  # so that the thread ends
            raise
        assert answer, "Node.js ended; what it said stands above"
        outcome: Document = json.loads(answer)
        return outcome

    def _exchange(self, line: bytes) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()
        return self.process.stdout.readline()


@contextmanager
def open_pipe(node: str) -> Iterator[Pipe]:
    """Start the clients; they are ended whatever happens, at the latest when this process is gone."""
    command = [node, str(EZCAP / "ezcap_client.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Pipe(process)
        finally:
            process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Somebody who uses ezcap, with a key and a proof suite for what they pass on."""

    pipe: Pipe
    transcript: Transcript
    name: str
    key: SigningKey
    suite: str = OLD

    def _by(self) -> Document:
        return {"seed": self.key.seed.hex(), "suite": self.suite}

    async def _ask(self, command: str, **options: Any) -> Document:
        outcome = await self.pipe.ask(command, by=self._by(), **options)
        if "error" in outcome:
            text = f"{outcome['error']} {outcome['cause']}".strip()
            self.transcript.refusal(self.name, text)
            raise ClientRefusedError(text)
        return outcome

    async def delegate(
        self,
        capability: Document,
        to: SigningKey,
        *,
        target: str | None = None,
        actions: list[str] | None = None,
        expires_s: int | None = None,
    ) -> Document:
        """Return a capability for somebody else: for five minutes, or until the one it is made of ends.

        Left to itself the client says five minutes from now, and then refuses what outlives its parent.

        Raises:
            ClientRefusedError: The client does not pass such a thing on.
        """
        if expires_s is None:
            expires_s = min(int(time.time()) + 300, parse_time(capability["expires"]))
        options: Document = {
            "capability": capability, "controller": to.did, "expires": format_time(expires_s),
        }  # fmt: skip
        if target is not None:
            options["invocationTarget"] = target
        if actions is not None:
            options["allowedActions"] = actions
        made: Document = (await self._ask("delegate", **options))["capability"]
        self.transcript.delegation(self.name, self.suite, made)
        return made

    async def request(self, url: str, capability: Document | None = None, **options: Any) -> Answer:
        """Send one request under a capability, or under the root capability of its own URL.

        Raises:
            ClientRefusedError: The client does not send such a thing.
        """
        (answer,) = await self.requests(url, capability, **options)
        return answer

    async def requests(
        self, url: str, capability: Document | None = None, *, command: str = "request", **options: Any
    ) -> list[Answer]:
        """Send a request, ``times`` over at the same moment."""
        if capability is not None:
            options["capability"] = capability
        outcome = await self._ask(command, url=url, **options)
        answers = [
            Answer(one["head"], one["status"], one["headers"], body)
            for one, body in zip(outcome["exchanges"], outcome["bodies"], strict=True)
        ]
        for answer in answers:
            self.transcript.exchange(self.name, answer)
        return answers

    async def forced(self, url: str, capability: Document, **options: Any) -> Answer:
        """Send what the client signs but would not send."""
        (answer,) = await self.requests(url, capability, command="forced", **options)
        return answer


async def verdict(pipe: Pipe, document: Document, *, root: Document | None = None) -> tuple[bool, list[str]]:
    """Return whether the packages' own verifiers accept a document, a capability if a root is given, or why not."""
    more = {} if root is None else {"root": root}
    outcome = await pipe.ask("verify", document=document, **more)
    return outcome["verified"], outcome["reason"]
