"""What the SQL of every table is written against: something that runs one statement with ``?`` parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

Row = tuple[Any, ...]


class Execute(Protocol):
    """Runs one statement and gives its rows, all of them."""

    def __call__(self, statement: str, values: Iterable[object] = ()) -> list[Row]:
        """Run a statement."""
