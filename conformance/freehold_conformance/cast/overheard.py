"""A wire that keeps every byte that comes over it: what one vendor could compare with another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from ..wire import Line, Wire


class _Noting:
    """Reads as a StreamReader does, and notes what was read."""

    def __init__(self, reader: asyncio.StreamReader, noted: bytearray) -> None:
        self._reader, self._noted = reader, noted

    async def read(self, n: int = -1) -> bytes:
        return self._note(await self._reader.read(n))

    async def readexactly(self, n: int) -> bytes:
        return self._note(await self._reader.readexactly(n))

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        return self._note(await self._reader.readuntil(separator))

    def _note(self, data: bytes) -> bytes:
        self._noted += data
        return data


class Overheard(Wire):
    """``received`` has the bytes of every connection, one by one."""

    def __init__(self, url: str) -> None:
        """Begin with nothing heard."""
        super().__init__(url)
        self.received: list[bytearray] = []

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Line]:
        """Open a connection, and note what comes."""
        noted = bytearray()
        self.received.append(noted)
        async with super().connect() as line:
            yield Line(cast("asyncio.StreamReader", _Noting(line.reader, noted)), line.writer)
