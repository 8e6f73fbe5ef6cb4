"""Bare HTTP/1.1 to a node: what is sent is exactly what a check says, dot segments and all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_MAX_ANSWER: Final = 4 * 2**20
_TIMEOUT_S: Final = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Sends single requests to one node."""

    def __init__(self, url: str) -> None:
        """Take up a node's URL. Raises ValueError if it is not http or https with a host."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the node's URL begins with http:// or https:// and names a host")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._host, self._authority = parts.hostname, parts.netloc
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)

    async def send(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send one request on a connection of its own, and return the answer.

        Raises:
            OSError: The node cannot be reached, or did not answer in time.
            ValueError: What came is not HTTP.
        """
        sent = {"host": self._authority, "connection": "close", **(headers or {})}
        if body is not None:
            sent["content-length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
            try:
                writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
                await writer.drain()
                return _parse(await reader.read(_MAX_ANSWER))
            finally:
                writer.close()


def _parse(data: bytes) -> Answer:
    head, found, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not found or len(words) < 2 or not words[1].isdigit():
        raise ValueError("the answer is not HTTP")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Answer(int(words[1]), headers, body)
