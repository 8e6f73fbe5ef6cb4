"""How much work something is, counted in calls of functions: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """The calls of this thread, of Python's functions and of built-in ones."""

    calls: int = 0


@contextmanager
def counted() -> Iterator[Work]:
    """Count the calls that are made before the context ends."""
    work, before = Work(), sys.getprofile()

    def count(_: object, event: str, __: object) -> None:
        if event in ("call", "c_call"):
            work.calls += 1

    sys.setprofile(count)
    try:
        yield work
    finally:
        sys.setprofile(before)
