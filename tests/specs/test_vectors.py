"""The vectors are of their form and say what our protocol library says; those it got wrong would be caught."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import library_adapter
import pytest
import requirements
import vectors
from freehold_conformance.library import load_vectors
from freehold_conformance.library.running import judge
from freehold_protocol.errors import BY_CODE

ROOT = Path(__file__).resolve().parents[2]
ALL = load_vectors(ROOT / "specs" / "vectors")
OPERATIONS = sorted({one.operation for one in ALL})
KNOWN = {one.id for one in requirements.read(ROOT)}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_our_library_comes_out_right(operation: str) -> None:
    failed = [
        (vector.name, result.failure)
        for vector in ALL
        if vector.operation == operation
        and (result := judge(vector, library_adapter.answer(operation, vector.input))).status != "passed"
    ]
    assert failed == []


def test_there_are_vectors_of_every_topic() -> None:
    assert len(ALL) > 2_000
    assert set(OPERATIONS) == set(library_adapter.OPERATIONS)


def test_the_files_are_the_operations() -> None:
    files = {path.stem for path in (ROOT / "specs" / "vectors").glob("*.json")}
    assert files == set(OPERATIONS) == {operation.name for operation in vectors.operations()}


def test_outcomes_are_of_the_closed_vocabulary_and_every_code_has_a_vector() -> None:
    assert {one.outcome for one in ALL} == {"valid", *BY_CODE}


def test_names_are_unique_within_an_operation() -> None:
    names = Counter((one.operation, one.name) for one in ALL)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_vector_names_requirements_that_exist() -> None:
    assert [(one.operation, one.name) for one in ALL if not one.requirements] == []
    assert [(one.name, found) for one in ALL for found in one.requirements if found not in KNOWN] == []
    assert [one.name for one in ALL if len(set(one.requirements)) != len(one.requirements)] == []


def test_what_is_refused_has_no_output_but_a_verdict() -> None:
    told = {one.operation for one in ALL if one.outcome != "valid" and one.output is not None}
    assert told <= {"verify-bundle"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_can_be_got_wrong(operation: str) -> None:
    """Whoever answers ``valid``, or one refusal, to everything does not get through."""
    asked = [one for one in ALL if one.operation == operation]
    for outcome in ("valid", "malformed"):
        assert any(judge(one, {"outcome": outcome}).status == "failed" for one in asked), outcome


def test_the_page_lists_every_operation() -> None:
    text = (ROOT / "specs" / "vectors" / "README.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `([a-z-]+)` \| \[", text, re.MULTILINE)) == OPERATIONS


def test_the_files_are_ascii_and_small_enough_for_any_reader() -> None:
    for path in (ROOT / "specs" / "vectors").glob("*.json"):
        data = path.read_bytes()
        assert data.isascii()
        assert len(data) < 2**20, path.name
        assert set(json.loads(data)) == {"operation", "description", "cases"}
