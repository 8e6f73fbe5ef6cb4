"""The only reader of the clock and of randomness. Everything else is handed their values.

Spec: specs/grants.md#the-clock
"""

from __future__ import annotations

import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.encoding import base64url_encode

MAX_STEP_US: Final = 5 * 60 * 1_000_000
"""A wall clock that moves this much against the time since boot was set, not adjusted."""
MAX_AWAY_US: Final = 90 * 86_400 * 1_000_000
"""A node that was off for longer asks whether the date is right before it releases anything."""


def wall_us() -> int:
    """Return the wall clock in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def boot_us() -> int:
    """Return microseconds since boot, time asleep included where the platform can tell."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    return time.monotonic_ns() // 1000


class Clock:
    """The node's own clock: never before the last time it wrote down, and frozen to steady time if it jumps.

    While it is suspect it goes on from the last time that was trusted, so that neither a jump forward expires
    grants nor a jump back revives them; and nothing is admitted.
    """

    def __init__(self, *, wall: Callable[[], int] = wall_us, boot: Callable[[], int] = boot_us) -> None:
        self._wall, self._boot = wall, boot
        self._last_us = self._wall_seen = wall()
        self._boot_seen = boot()
        self._suspect = False
        self._lock = threading.Lock()  # the event loop and the writer's thread both ask

    def recall(self, persisted_us: int, *, suspect: bool = False) -> None:
        """Take up the time that was written down last, and whether it was in doubt, before anything else."""
        wall = self._wall()
        if suspect or wall < persisted_us - MAX_STEP_US or wall > persisted_us + MAX_AWAY_US:
            self._suspect = True
            self._last_us = persisted_us
        else:
            self._last_us = max(wall, persisted_us)
        self._wall_seen, self._boot_seen = wall, self._boot()

    def now_us(self) -> int:
        """Return the node's time in microseconds since 1970, UTC; never less than before."""
        with self._lock:
            wall, boot = self._wall(), self._boot()
            passed = boot - self._boot_seen
            if abs((wall - self._wall_seen) - passed) > MAX_STEP_US:
                self._suspect = True
            if self._suspect:
                self._last_us += max(0, passed)
            else:
                self._last_us = max(self._last_us, wall)
            self._wall_seen, self._boot_seen = wall, boot
            return self._last_us

    def now_s(self) -> int:
        """Return the node's time in whole seconds."""
        return self.now_us() // 1_000_000

    @property
    def suspect(self) -> bool:
        """Whether the wall clock jumped and nobody has confirmed it yet."""
        self.now_us()
        return self._suspect

    def confirm(self) -> int:
        """Trust the wall clock as it stands; returns it. Only the owner may ask for this."""
        with self._lock:
            self._wall_seen, self._boot_seen = self._wall(), self._boot()
            self._suspect = False
            self._last_us = self._wall_seen
            return self._last_us

    @property
    def wall_s(self) -> int:
        """What the wall clock says, for the person to compare, in whole seconds."""
        return self._wall() // 1_000_000


@dataclass(frozen=True, slots=True)
class Ambient:
    """The clock and the randomness a node runs on."""

    clock: Clock = field(default_factory=Clock)
    random_bytes: Callable[[int], bytes] = secrets.token_bytes

    def new_uuid(self) -> str:
        """Return a random UUID as text."""
        return str(uuid.UUID(bytes=self.random_bytes(16), version=4))

    def new_token(self) -> str:
        """Return 32 random bytes as base64url: unguessable, and long enough for any nonce."""
        return base64url_encode(self.random_bytes(32))
