"""The registry of errors, in three places that must agree: the classes, the page, and the HTTP statuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from freehold_node.api.problems import STATUS, problem, problem_response, status_of
from freehold_protocol import errors
from freehold_protocol.errors import BY_CODE, FreeholdError

SPECS = Path(__file__).resolve().parents[1] / "specs"
_ROW = re.compile(r"^\| `([a-z-]+)` \| `(\w+)` \| (\d{3}) \| (.+?) \| (.+?) \|$", re.MULTILINE)


class Row(NamedTuple):
    code: str
    name: str
    status: int
    meaning: str
    advice: str


ROWS = [
    Row(code, name, int(status), meaning, advice)
    for code, name, status, meaning, advice in _ROW.findall((SPECS / "errors.md").read_text("utf-8"))
]
BY_ROW = {row.code: row for row in ROWS}


def test_the_page_lists_every_code_once_and_no_other() -> None:
    assert len(BY_ROW) == len(ROWS)
    assert BY_ROW.keys() == BY_CODE.keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_class_and_status_are_those_of_the_page(row: Row) -> None:
    error = BY_CODE[row.code]
    assert error.__name__ == row.name
    assert getattr(errors, row.name) is error
    assert status_of(error) == row.status
    assert row.meaning.strip()
    assert row.advice.strip()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_problem_says_what_the_page_says(row: Row) -> None:
    response = problem(BY_CODE[row.code]("words for people"), route="/owner/x")
    assert response.status == row.status
    assert f'"code": "{row.code}"'.encode() in bytes(response.body)  # type: ignore[arg-type]
    assert ("Retry-After" in response.headers) == (row.status == 503)


def test_every_status_is_of_a_class_that_exists() -> None:
    assert all(issubclass(error, FreeholdError) and BY_CODE[error.code] is error for error in STATUS)
    assert STATUS[FreeholdError] == 500
    for status in {row.status for row in ROWS}:
        assert b'"title": "Failed"' not in bytes(problem_response(status, "x", "").body) or status == 500  # type: ignore[arg-type]


def test_the_table_of_statuses_in_the_http_page() -> None:
    text = (SPECS / "http.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d{3}) \| (`[a-z].*?) \|$", text, re.MULTILINE)
    listed: dict[str, set[int]] = {code: set() for code in BY_ROW}
    for status, codes in rows:
        for name in re.findall(r"`([a-z-]+…?)`", codes):
            matching = [
                one for one in BY_ROW if one == name or (name.endswith("…") and one.startswith(name[:-1]))
            ]
            assert matching, name
            for code in matching:
                listed[code].add(int(status))
    assert {code: {row.status} for code, row in BY_ROW.items()} == listed
