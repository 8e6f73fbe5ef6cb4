"""What the dashboard can do the command line can do, and the reverse: the table that says so is true and whole."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import parity
import pytest
import reach
from command_tree import COMMANDS
from freehold_node.api.owner import granting, keeping, recording
from freehold_node.cli import lookup
from freehold_node.cli.owner_client import OwnerClient
from freehold_node.dashboard.pages.taking import sent
from freehold_node.dashboard.visit import Visit
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
        if not places & operations and not text.startswith("GET "):  # on some a form only stands
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
        said = {DESCRIBED[name][0] for row in rows if page in row.pages for name in _known(row)}
        yield from (f"{page} also does {one}" for one in _changes(_by_page(page)) if one not in said)
    for path in COMMANDS:
        said = {
            DESCRIBED[name][0]
            for row in rows
            if path in {command_of(text)[0] for text in row.commands}
            for name in _known(row)
        }
        yield from (
            f"freehold {' '.join(path)} also does {one}"
            for one in _changes(_by_command(path))
            if one not in said
        )


def _known(row: Row) -> list[str]:
    return [name for name in row.operations if name in DESCRIBED]


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


def row(what: str) -> Row:
    return next(one for one in ROWS if one.what == what)


def told_of(old: str, **changed: Any) -> list[str]:
    """Return what is found wrong with the table when one of its rows lies."""
    lie = replace(row(old), **changed)
    return list(faults(lie if one.what == old else one for one in ROWS))


PAUSE = "Pause a relationship"
PASSKEY = "Add a passkey"


@pytest.mark.parametrize(
    ("what", "changed", "found"),
    [
        (PAUSE, {"commands": ("freehold today",)}, "freehold today reaches none of its operations"),
        (PAUSE, {"pages": ("POST /my/language",)}, "POST /my/language reaches none of its operations"),
        (PAUSE, {"operations": ("draftChange", "deleteRecord")}, "reaches DELETE /owner/records/{record}"),
        (PAUSE, {"operations": ("draftChange", "fly")}, "there is no fly"),
        (PAUSE, {"operations": ("draftChange",)}, "freehold pause also does POST /owner/grants/{grant}/change"),
        (PAUSE, {"commands": ("freehold rest",)}, "there is no freehold rest"),
        (PAUSE, {"commands": ("freehold pause --later",)}, "there is no freehold pause --later"),
        (PAUSE, {"pages": ("POST /my/pause",)}, "there is no POST /my/pause"),
        (PAUSE, {"pages": ()}, "a side is empty without a reason"),
        (PAUSE, {"no_page": "because"}, "or full with one"),
        (PASSKEY, {"no_operation": ""}, "a side is empty without a reason"),
        (PASSKEY, {"pages": ()}, "no row has POST /my/settings/devices/passkeys"),
        ("Make an invitation", {"operations": ("showStatus",)}, "no row has invite"),
        ("Refuse it, with a reason or without", {"commands": ("freehold refuse",)}, "no row has freehold refuse --r"),
        (PAUSE, {"commands": ("freehold end",)}, "no row has pause"),
        ("Choose the language of the pages", {"pages": ("POST /my/sign-out",)}, "no row has POST /my/language"),
        ("Go back to the vendor's page with the decision", {"pages": ("POST /my/requests/{request}/return",)},
         "POST /my/requests/{request}/refuse also does POST /owner/requests/{request}/return"),
    ],
)  # fmt: skip
def test_a_lie_in_the_table_is_found(what: str, changed: dict[str, Any], found: str) -> None:
    assert any(found in told for told in told_of(what, **changed)), told_of(what, **changed)


def test_only_a_few_things_are_on_one_side_only() -> None:
    one_sided = [one.what for one in ROWS if one.no_command or one.no_page]
    assert len(one_sided) <= len(ROWS) / 4


# Of reading the source


def named_only(visit: Visit) -> object:
    return granting.list_grants


async def does_it(visit: Visit) -> object:
    return await visit.does(recording.delete_record, {"record": "x"})


async def does_it_through_another(visit: Visit) -> object:
    return await sent(visit, keeping.export_all, "export", "zip")


def test_an_operation_that_is_only_named_is_not_done() -> None:
    assert reach.reached_by(named_only) == frozenset()
    assert reach.reached_by(does_it) == {"DELETE /owner/records/{record}"}
    assert reach.reached_by(does_it_through_another) == {"POST /owner/export", "GET /owner/status"}


def asks_the_owner(owner: OwnerClient, grant: str) -> None:
    path = f"/grants/{grant}"
    owner.post(f"{path}/change", {})
    owner.call("DELETE", f"/records/{grant}")
    owner.get("/nowhere")
    {"a": 1}.get("status")
    for _ in owner.entries(grant):
        lookup.vendor(owner, grant)


def test_what_a_command_asks_for_is_found_by_its_path() -> None:
    assert reach.asked_by(asks_the_owner) == {
        "POST /owner/grants/{grant}/change", "DELETE /owner/records/{record}", "GET /owner/grants/{grant}/ledger",
    }  # fmt: skip
