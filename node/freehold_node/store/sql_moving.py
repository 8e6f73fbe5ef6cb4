"""What concerns other keys and other origins of a grant, in plain SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


class MovingReader:
    """See ``Reader``."""

    _execute: Callable[..., list[tuple[Any, ...]]]

    def statements(self, owner: str, grant: str) -> list[bytes]:
        rows = self._execute(
            "SELECT document FROM statement WHERE owner = ? AND grant_id = ? ORDER BY n", (owner, grant)
        )
        return [row[0] for row in rows]


class MovingTransactor(MovingReader):
    """See ``Transactor``."""

    def set_key_epoch(self, owner: str, relationship: str, key_epoch: int) -> None:
        self._execute(
            "UPDATE relationship SET key_epoch = ? WHERE owner = ? AND id = ?",
            (key_epoch, owner, relationship),
        )

    def add_statement(self, owner: str, grant: str, document: bytes) -> None:
        self._execute(
            "INSERT INTO statement (owner, grant_id, n, document)"
            " SELECT ?, ?, coalesce(max(n), -1) + 1, ? FROM statement WHERE owner = ? AND grant_id = ?",
            (owner, grant, document, owner, grant),
        )

    def add_moved(self, owner: str, grant: str, origins: Iterable[str], document: bytes) -> None:
        self.add_statement(owner, grant, document)
        self._execute(
            "UPDATE access_grant SET moved = trim(moved || ' ' || ?) WHERE owner = ? AND id = ?",
            (" ".join(origins), owner, grant),
        )

    def replace_moved(
        self, owner: str, grant: str, origins: Iterable[str], statements: Iterable[bytes]
    ) -> None:
        self._execute("DELETE FROM statement WHERE owner = ? AND grant_id = ?", (owner, grant))
        for document in statements:
            self.add_statement(owner, grant, document)
        self._execute(
            "UPDATE access_grant SET moved = ? WHERE owner = ? AND id = ?",
            (" ".join(origins), owner, grant),
        )
