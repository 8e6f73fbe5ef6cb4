"""The adapter: an implementer's own small program around its client library, driven by lines of JSON.

Spec: specs/clients.md
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from ..hands.encoding import Document

_MAX_LINE_BYTES: Final = 8 * 2**20
_QUIT_S: Final = 2.0


class AdapterError(Exception):
    """The adapter does not do what every adapter must: it ended, said no JSON, or did not answer in time."""


class NotImplementedByAdapter(Exception):  # noqa: N818 - a finding about coverage
    """The library has nothing for this verb, or the adapter does not offer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the adapter answered: what the library accepted, or why it did not."""

    took: Document = field(default_factory=dict)
    refused: str | None = None


class Adapter:
    """Runs the adapter's process, and starts it anew where it hangs or dies."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._number = 0

    async def do(self, verb: str, *, within_s: float, **members: Any) -> Said:
        """Ask for one thing and return the answer.

        Raises:
            AdapterError: There was none within that many seconds, or none that can be read.
            NotImplementedByAdapter: It does not know the verb.
        """
        try:
            async with asyncio.timeout(within_s):
                found = await self._exchange({"do": verb, **members})
        except (TimeoutError, AdapterError) as error:
            await self.kill()
            if isinstance(error, AdapterError):
                raise
            raise AdapterError(f"{verb} was not answered within {within_s:g} s") from None
        except asyncio.CancelledError:
            await self.kill()
            raise
        if found.get("not-implemented") is True:
            raise NotImplementedByAdapter(verb)
        if "refused" in found:
            return Said(refused=str(found["refused"]))
        took = found.get("ok")
        if not isinstance(took, dict):
            raise AdapterError(f"{verb} was answered with neither ok nor refused")
        return Said(took=took)

    async def _exchange(self, told: Document) -> Document:
        process = await self._running()
        self._number += 1
        number = self._number
        if process.stdin is None or process.stdout is None:
            raise AdapterError("the adapter has no standard input or output")
        try:
            process.stdin.write(json.dumps({"id": number, **told}).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        except (OSError, ValueError) as error:
            raise AdapterError(f"the adapter cannot be spoken to: {type(error).__name__}") from error
        if not line:
            raise AdapterError("the adapter ended")
        try:
            found = json.loads(line)
        except ValueError as error:
            raise AdapterError("the adapter said a line that is no JSON") from error
        if not isinstance(found, dict) or found.get("id") != number:
            raise AdapterError("the adapter answered something else than it was asked")
        return found

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_MAX_LINE_BYTES,
            )
        return self._process

    async def kill(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def stop(self) -> None:
        """Let the process end by itself, and end it if it does not."""
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(_QUIT_S):
                await process.wait()
            self._process = None
        except TimeoutError:
            await self.kill()
