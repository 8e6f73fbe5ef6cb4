"""The embedded store keeps the contract of every store, on a real file."""

from __future__ import annotations

from pathlib import Path

from freehold_node.store.sqlite import SqliteStore
from freehold_node.store.store import Store
from store_contract import StoreContract
from store_rows import T0

KEY = bytes(range(32))


class TestSqliteStore(StoreContract):
    async def open_store(self, folder: Path) -> SqliteStore:
        store = SqliteStore(folder / "node.db", KEY, now_us=lambda: T0)
        self._commits = 0
        store._writer.set_commit_hook(self._count)
        return store

    def _count(self) -> bool:
        self._commits += 1
        return False

    def commits(self, store: Store) -> int:
        return self._commits
