"""Runs ``freehold`` as ``python -m freehold_node`` does, with streams, answers and an environment of the test's."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freehold_node.cli import entry
from freehold_node.cli.terminal import Terminal
from harness import PASSPHRASE, permission


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)["error"]


def answering(answers: Sequence[str], asked: list[str]) -> Callable[[str], str]:
    """Return a person who gives these answers in turn, and then has gone away."""
    left: Iterator[str] = iter(answers)

    def answer(question: str) -> str:
        asked.append(question)
        for one in left:
            return one
        raise EOFError

    return answer


@dataclass(slots=True)
class Shell:
    """A person's shell: a data directory and a passphrase in its environment."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(
        self,
        *arguments: str | Path,
        answers: Sequence[str] | None = None,
        secrets: Sequence[str] | None = None,
        stdin: str = "",
        passphrase: str | None = PASSPHRASE,
    ) -> Ran:
        """Run a command; nobody can be asked unless answers or secrets are given."""
        out, err = io.StringIO(), io.StringIO()
        environment = {"FREEHOLD_DATA": str(self.folder), **self.environment}
        if passphrase is not None:
            environment["FREEHOLD_PASSPHRASE"] = passphrase
        terminal = Terminal(
            out=out,
            err=err,
            environment=environment,
            read=lambda: stdin,
            ask=None if answers is None else answering(answers, self.asked),
            ask_secret=None if secrets is None else answering(secrets, self.asked),
        )
        return Ran(entry.run(list(map(str, arguments)), terminal), out.getvalue(), err.getvalue())

    def ok(self, *arguments: str | Path, **more: Any) -> Any:
        """Run a command with --json that must succeed, and return what it printed."""
        ran = self(*arguments, "--json", **more)
        assert ran.code == 0, (arguments, ran)
        assert ran.err == ""
        return ran.json


class Beside:
    """The shell beside a running node: the same, without holding up the node's loop."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    async def __call__(self, *arguments: str | Path, **more: Any) -> Ran:
        return await asyncio.to_thread(self.shell, *arguments, **more)

    async def ok(self, *arguments: str | Path, **more: Any) -> Any:
        return await asyncio.to_thread(self.shell.ok, *arguments, **more)


COURIER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
ASKED = [
    permission(
        "delivery",
        ["name", "address.streetAddress", "address.postalCode"],
        recipients=[COURIER],
        required=True,
    ),
    permission("marketing", ["email", "birthDate"], purpose="dpv:DirectMarketing"),
]
