"""The runner of vectors, before adapters that behave and adapters that do not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import library_adapter
import pytest
from freehold_conformance.library import Vector, load_vectors, main, run_library
from freehold_conformance.library.running import judge

OURS = [sys.executable, library_adapter.__file__]


def vector(outcome: str = "valid", output: Any = None, operation: str = "o") -> Vector:
    return Vector(
        operation=operation, name="n", requirements=("ENC-1",), input={}, outcome=outcome, output=output
    )


ONE = [vector()] * 3


def adapter(body: str) -> list[str]:
    """Return a command that answers each line as the body says."""
    loop = "\n".join(f"    {line}" for line in body.splitlines())
    head = "import json, sys, time\nfor line in sys.stdin:\n    asked = json.loads(line)"
    return [sys.executable, "-c", f"{head}\n{loop}"]


VALID = "print(json.dumps({'outcome': 'valid'}), flush=True)"


def test_our_own_adapter_passes_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--operation", "canonicalize", "--operation", "verify-chain", "--", *OURS]) == 0
    assert "0 failed, 0 skipped" in capsys.readouterr().out


def test_the_answers_are_those_to_the_questions() -> None:
    vectors = load_vectors(operations=["entry-leaf"])
    assert [one.status for one in run_library(OURS, vectors)] == ["passed"] * len(vectors)


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ("time.sleep(60)", "it said nothing in time"),
        ("sys.exit(3)", "it ended"),
        ("print('valid', flush=True)", "its line is not JSON"),
        ("print('[]', flush=True)", "its answer is not an object"),
        ("print('{}' * 3000000, flush=True)", "its line has more than"),
        ("print('{}\\n{}', flush=True)", "more than one line"),
        ("sys.stdout.write('{'); sys.stdout.flush(); time.sleep(60)", "it said nothing in time"),
    ],
)
def test_an_adapter_that_breaks_down_fails_and_is_started_anew(body: str, failure: str) -> None:
    results = run_library(adapter(body), ONE[:2], case_seconds=0.15)
    assert [one.status for one in results] == ["failed", "failed"]
    assert all(failure in (one.failure or "") for one in results)


def test_one_breakdown_costs_one_vector() -> None:
    vectors = [*ONE[:1], vector(operation="die"), *ONE[1:]]
    body = f"if asked['operation'] == 'die': sys.exit()\n{VALID}"
    assert [one.status for one in run_library(adapter(body), vectors)] == [
        "passed",
        "failed",
        "passed",
        "passed",
    ]


def test_after_many_breakdowns_nothing_is_asked() -> None:
    results = run_library(adapter("sys.exit()"), ONE[:1] * 30)
    assert "not asked" in (results[-1].failure or "")


def test_a_command_that_does_not_exist_and_wrong_use_have_their_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--", "/nonexistent/adapter"]) == 3
    assert main(["--operation", "none", "--", *OURS]) == 2
    assert "no vectors of none" in capsys.readouterr().err


def test_what_is_not_implemented_is_not_covered_and_fails_only_if_strict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = adapter("print(json.dumps({'outcome': 'not-implemented'}), flush=True)")
    assert main(["--operation", "tree-root", "--", *command]) == 0
    assert "12 skipped" in capsys.readouterr().out
    assert main(["--operation", "tree-root", "--strict", "--", *command]) == 1


def test_results_as_json_name_the_requirements(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--operation", "tree-root", "--json=-", "--", *adapter(VALID)]) == 1
    told = json.loads(capsys.readouterr().out)["results"]
    assert {one["outcome"] for one in told} == {"failed"}
    assert told[0]["requirements"] == ["LED-1"]


@pytest.mark.parametrize(
    ("asked", "answer", "status"),
    [
        (vector(), {"outcome": "valid"}, "passed"),
        (vector(), {"outcome": "valid", "output": {"more": 1}}, "passed"),
        (vector(), {}, "failed"),
        (vector(), {"outcome": "malformed"}, "failed"),
        (vector("malformed"), {"outcome": "valid"}, "failed"),
        (vector("malformed"), {"outcome": "too-large"}, "failed"),
        (vector(), {"outcome": ["valid"]}, "failed"),
        (vector("malformed"), {"outcome": "not-implemented"}, "not-covered"),
        (vector(output={"a": 1}), {"outcome": "valid"}, "failed"),
        (vector(output={"a": 1}), {"outcome": "valid", "output": [1]}, "failed"),
        (vector(output={"a": 1}), {"outcome": "valid", "output": {"b": 1}}, "failed"),
        (vector(output={"a": 1}), {"outcome": "valid", "output": {"a": True}}, "failed"),
        (vector(output={"a": 1}), {"outcome": "valid", "output": {"a": 1.0, "b": 2}}, "passed"),
        (vector(output={"a": {"b": 1, "c": 2}}), {"outcome": "valid", "output": {"a": {"c": 2, "b": 1}}}, "passed"),
        (vector(output={"a": [1, 2]}), {"outcome": "valid", "output": {"a": [2, 1]}}, "failed"),
    ],
)  # fmt: skip
def test_an_answer_is_judged(asked: Vector, answer: dict[str, Any], status: str) -> None:
    assert judge(asked, answer).status == status


def test_a_folder_of_other_files_is_no_folder_of_vectors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no vectors"):
        load_vectors(tmp_path)
    (tmp_path / "x.json").write_text('{"cases": [{}]}')
    with pytest.raises(ValueError, match="no file of vectors"):
        load_vectors(tmp_path)
