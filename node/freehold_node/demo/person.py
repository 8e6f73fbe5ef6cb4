"""The person of a demonstration: types commands, and sees what they print."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from freehold_protocol.encoding import Json

from .expectation import DemoFailedError

Command = Callable[[Sequence[str]], "tuple[int, str, str]"]
"""Runs a command of ``freehold``; returns its exit code and what it wrote to both streams."""


class Person:
    """Runs commands as a person would, with what a person has in their environment."""

    def __init__(self, command: Command, *, folder: Path, data_dir: Path, passphrase_file: Path) -> None:
        """Be a person.

        Args:
            command: Runs what is typed.
            folder: Where the person is; files in it are named without it.
            data_dir: As in FREEHOLD_DATA.
            passphrase_file: As in FREEHOLD_PASSPHRASE_FILE.
        """
        self._command, self._folder = command, folder
        self._always = ["--data-dir", str(data_dir), "--passphrase-file", str(passphrase_file), "--json"]
        self._typed: list[str] = []

    async def types(self, *arguments: str | Path) -> Json:
        """Return what the command prints.

        Raises:
            DemoFailedError: It failed.
        """
        self.note(*arguments)
        return await self.looks(*arguments)

    def note(self, *arguments: str | Path) -> None:
        """Take down a command that runs elsewhere."""
        self._typed.append(self._as_typed(arguments))

    async def looks(self, *arguments: str | Path) -> Json:
        """Return what the command prints, without making it part of the transcript."""
        code, out, err = await asyncio.to_thread(self._command, [*map(str, arguments), *self._always])
        if code:
            raise DemoFailedError(f"`{self._as_typed(arguments)}` ended with exit code {code}: {err.strip()}")
        return json.loads(out)

    def _as_typed(self, arguments: Sequence[str | Path]) -> str:
        return shlex.join(["freehold", *(one.name if isinstance(one, Path) else one for one in arguments)])

    def typed(self) -> tuple[str, ...]:
        """Return the commands typed since this was asked last."""
        typed, self._typed = tuple(self._typed), []
        return typed
