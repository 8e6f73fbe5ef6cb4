"""Time and randomness of a test: the same at every run, and moved by nothing but the test."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from ..ambient import Ambient

START_S: Final = 1_795_435_200
"""2026-11-23T12:00:00Z."""
_US: Final = 1_000_000


class PretendClock:
    """A clock that moves when it is told to, and when somebody waits by it: then at once."""

    def __init__(self, start_s: int = START_S) -> None:
        """Stand at a time, Unix seconds; give several persons one clock if a vendor knows them all."""
        self._start_us = self.now_us = start_s * _US

    def now_s(self) -> int:
        """Return Unix seconds."""
        return self.now_us // _US

    def steady_s(self) -> float:
        """Return the seconds since the clock was made."""
        return (self.now_us - self._start_us) / _US

    def advance(self, seconds: float) -> None:
        """Let time pass; never back."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self.now_us += round(seconds * _US)

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once, and others have their turn."""
        self.advance(seconds)
        await asyncio.sleep(0)


def ambient_of(clock: PretendClock, seed: str) -> Ambient:
    """Return a vendor's clock and randomness; the seed decides all that is drawn."""
    drawn = random.Random(seed)  # noqa: S311 - of a test, where nothing is to be kept secret
    return Ambient(
        now_s=clock.now_s, random_bytes=drawn.randbytes, steady_s=clock.steady_s, sleep=clock.sleep
    )
