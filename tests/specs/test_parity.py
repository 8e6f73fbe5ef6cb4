"""What the dashboard can do the command line can do, and the reverse: the table that says so is true and whole."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import parity
from command_tree import COMMANDS
from parity_rows import PARTS, Row
from reach import OPERATIONS, command_reaches, page_reaches, pages

ROOT = Path(__file__).resolve().parents[2]
ROWS = tuple(row for _, rows in PARTS for row in rows)
DESCRIBED = parity.operations(json.loads((ROOT / "specs" / "openapi.json").read_text("utf-8")))
EVERYWHERE = {"--data-dir", "--passphrase-file", "--json", "--yes", "-y"}
"""Options about how a command is run; ``--json`` has a row of its own."""
FRAME = {"GET /", "GET /my/start/{rest}", "GET /my/static/{name}"}
"""Addresses that are no page: they lead on, or are what pages are drawn with."""


def command_of(text: str) -> tuple[tuple[str, ...], list[str]]:
    """Return the path of a command, and the options that are named with it."""
    words = text.split()[1:]
    return tuple(one for one in words if not one.startswith("-")), [
        one for one in words if one.startswith("-")
    ]


def is_shown_by(page: str) -> str:
    """Return the form of a page: what a form stands on goes with it."""
    return page.replace("GET ", "POST ", 1)


def faults(rows: Iterable[Row]) -> Iterator[str]:
    """Yield everything that is wrong with a table."""
    listed = tuple(rows)
    for row in listed:
        yield from _faults_of(row)
    yield from _left_out(listed)
    yield from _hidden(listed)


def _faults_of(row: Row) -> Iterator[str]:
    sides = (
        (row.operations, row.no_operation), (row.commands, row.no_command), (row.pages, row.no_page),
    )  # fmt: skip
    if any(bool(listed) == bool(reason) for listed, reason in sides):
        yield f"{row.what}: a side is empty without a reason, or full with one"
    unknown = [name for name in row.operations if name not in DESCRIBED]
    unknown += [page for page in row.pages if page not in pages()]
    unknown += [
        text
        for text in row.commands
        if (found := command_of(text))[0] not in COMMANDS or not set(found[1]) <= set(COMMANDS[found[0]])
    ]
    if unknown:
        yield f"{row.what}: there is no {', '.join(unknown)}"
        return
    if row.operations:
        places = {DESCRIBED[name][0] for name in row.operations}
        yield from _unreached(row, places, {text: _by_command(command_of(text)[0]) for text in row.commands})
        yield from _unreached(row, places, {page: _by_page(page) for page in row.pages})


def _unreached(row: Row, places: set[str], reached: dict[str, frozenset[str]]) -> Iterator[str]:
    for text, operations in reached.items():
        if not places & operations:
            yield f"{row.what}: {text} reaches none of its operations"
    missing = places.difference(*reached.values()) if reached else set()
    if missing:
        yield f"{row.what}: nothing of {', '.join(reached)} reaches {', '.join(sorted(missing))}"


def _left_out(rows: tuple[Row, ...]) -> Iterator[str]:
    """Yield what stands in no row."""
    yield from (f"no row has {name}" for name in DESCRIBED if not any(name in row.operations for row in rows))
    commands = {command_of(text)[0] for row in rows for text in row.commands}
    yield from (f"no row has {' '.join(path)}" for path in COMMANDS if path not in commands | {("clock",)})
    named = {
        (path, option)
        for row in rows
        for path, options in map(command_of, row.commands)
        for option in options
    }
    for path, options in COMMANDS.items():
        for option in options:
            if option.startswith("-") and option not in EVERYWHERE and (path, option) not in named:
                yield f"no row has freehold {' '.join(path)} {option}"
    mine = {page for row in rows for page in row.pages}
    for page in pages():
        if page not in mine | FRAME and is_shown_by(page) not in mine:
            yield f"no row has {page}"


def _hidden(rows: tuple[Row, ...]) -> Iterator[str]:
    """Yield what changes something that none of its rows names."""
    for page in pages():
        said = {DESCRIBED[name][0] for row in rows if page in row.pages for name in row.operations}
        yield from (f"{page} also does {one}" for one in _changes(_by_page(page)) if one not in said)
    for path in COMMANDS:
        said = {
            DESCRIBED[name][0]
            for row in rows
            if path in {command_of(text)[0] for text in row.commands}
            for name in row.operations
        }
        yield from (
            f"freehold {' '.join(path)} also does {one}"
            for one in _changes(_by_command(path))
            if one not in said
        )


def _changes(places: Iterable[str]) -> list[str]:
    return [place for place in sorted(places) if not place.startswith("GET ")]


_by_command = functools.cache(command_reaches)


@functools.cache
def _by_page(page: str) -> frozenset[str]:
    return page_reaches(pages()[page])


def test_the_table_is_true_and_leaves_nothing_out() -> None:
    assert list(faults(ROWS)) == []


def test_every_operation_of_the_routes_is_one_of_the_table() -> None:
    assert {place for place, _ in DESCRIBED.values()} == set(OPERATIONS)


def test_nothing_is_to_be_done_twice() -> None:
    assert [what for what, count in Counter(row.what for row in ROWS).items() if count > 1] == []


def test_the_page_has_every_row() -> None:
    text = parity.files(ROOT)[parity.PAGE].decode()
    assert all(f"| {row.what} |" in text for row in ROWS)
    assert (ROOT / parity.PAGE).read_text("utf-8") == text
