"""The only reader of the clock and of randomness: hand a ``Vendor`` another one to make a test deterministic."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from freehold_protocol.encoding import base64url_encode


def wall_s() -> int:
    """Return the wall clock in whole seconds since 1970, UTC."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Ambient:
    """Clock, randomness and waiting.

    Attributes:
        now_s: Unix seconds; within a minute of the node's clock, or the node finds signatures stale.
        random_bytes: Gives that many unpredictable bytes.
        steady_s: Seconds from some moment on, never set back.
        sleep: Waits that many seconds.
    """

    now_s: Callable[[], int] = wall_s
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    steady_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def new_uuid(self) -> str:
        """Return ``urn:uuid:`` and a random UUID."""
        return f"urn:uuid:{uuid.UUID(bytes=self.random_bytes(16), version=4)}"

    def new_nonce(self) -> str:
        """Return 24 random bytes as base64url, 32 characters."""
        return base64url_encode(self.random_bytes(24))
