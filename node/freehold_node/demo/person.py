"""The person of a demonstration: types commands, and sees what they print."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
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
        self._note(*arguments)
        return await self.looks(*arguments)

    async def types_offline(self, command: str, file: Path) -> tuple[int, list[str]]:
        """Run a command on a file in a process that knows of no node; return its exit code and its lines."""
        self._note(command, file)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "freehold_node", command, file.name),
            cwd=file.parent,
            env={name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, [line.strip() for line in out.decode("utf-8", "replace").splitlines()]

    def _note(self, *arguments: str | Path) -> None:
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
