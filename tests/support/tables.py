"""What the database of an open node holds, so that a test can say that nothing else changed."""

from __future__ import annotations

from typing import cast

from freehold_node.app import Node
from freehold_node.store.sql import SqlReader
from freehold_node.store.store import Reader

Tables = dict[str, tuple[str, ...]]
"""Each table's name to its rows, written out."""


async def tables(node: Node) -> Tables:
    """Return every row of every table, but for the time that each commit writes down."""

    def look(reader: Reader) -> Tables:
        execute = cast("SqlReader", reader)._execute
        names = [row[0] for row in execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: tuple(sorted(map(repr, execute(f"SELECT * FROM {name}")))) for name in names}
        found["node"] = tuple(row for row in found["node"] if "time_us" not in row)
        return found

    return await node.store.read(look)


def differing(before: Tables, after: Tables) -> set[str]:
    """Return the names of the tables that hold something else than before."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
