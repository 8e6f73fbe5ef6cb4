"""What a person can do, and by which of the two ways: ``specs/node/parity.md``.

The rows of ``parity_rows`` say what there is to do, and why a side is empty where one is; what an operation is called
over HTTP comes from the OpenAPI description. That the rows are true and leave nothing out, tests/specs/test_parity.py
finds out from the source of the pages and commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from parity_rows import PARTS, Row

PAGE = "specs/node/parity.md"
_HEAD = """\
# What can be done where

Everything that the [dashboard](dashboard.md) can do the [command line](cli.md) can do, and the reverse: both carry out
the [owner's operations](../http.md#owner), and nothing else does more. Each row is one thing that a person can do: the
operations that do it, the commands, and the pages. What only one of the two has says why.

This page is generated from `specs/tools/parity_rows.py`. A test reads the source of every command and every page, and
fails if one of them is missing here, if it reaches no operation of its row, or if it changes something that its row
does not name.
"""
_OPERATIONS = """\
## The operations

What each of them is over HTTP; the [OpenAPI description](../openapi.json) has all of it.

| operation | over HTTP | what it does |
|---|---|---|
"""


def files(root: Path) -> dict[str, bytes]:
    """Return the page. Raises KeyError for an operation that the OpenAPI description does not have."""
    described = operations(json.loads((root / "specs" / "openapi.json").read_text("utf-8")))
    parts = [_HEAD]
    for title, rows in PARTS:
        lines = "".join(f"{line}\n" for line in map(_line, rows))
        parts.append(f"## {title}\n\n| what | operations | commands | pages |\n|---|---|---|---|\n{lines}")
    parts.append(_OPERATIONS + "".join(_described(described)))
    return {PAGE: "\n".join(parts).encode()}


def operations(description: dict[str, dict[str, dict[str, dict[str, str]]]]) -> dict[str, tuple[str, str]]:
    """Return every operation of the owner's: its id to method and path, and what it does."""
    return {
        operation["operationId"]: (f"{method.upper()} {path}", operation["summary"])
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/owner/")
    }


def _described(described: dict[str, tuple[str, str]]) -> Iterator[str]:
    named = dict.fromkeys(name for _, rows in PARTS for row in rows for name in row.operations)
    for name in sorted(named):
        place, says = described[name]
        yield f"| `{name}` | `{place}` | {says} |\n"


def _line(row: Row) -> str:
    cells = (
        row.what,
        _cell(map("`{}`".format, row.operations), row.no_operation),
        _cell(_commands(row), row.no_command),
        _cell(map("`{}`".format, row.pages), row.no_page),
    )
    return "| " + " | ".join(cells) + " |"


def _cell(listed: Iterable[str], reason: str) -> str:
    return ", ".join(listed) or f"*{reason}*"


def _commands(row: Row) -> Iterator[str]:
    """Yield each command with a link to its part of cli.md, and its options."""
    options: dict[tuple[str, ...], list[str]] = {}
    for text in row.commands:
        words = text.split()
        said = [word for word in words if word.startswith("-")]
        options.setdefault(tuple(word for word in words if word not in said), []).extend(said)
    for command, said in options.items():
        link = f"[`{' '.join(command)}`](cli.md#{'-'.join(command)})"
        yield " ".join([link, *map("`{}`".format, said)])
