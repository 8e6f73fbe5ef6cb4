"""Ask an adapter every vector, and judge what it says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from .adapter import Adapter, AdapterError
from .vectors import Vector

NOT_IMPLEMENTED: Final = "not-implemented"
CASE_SECONDS: Final = 10.0
_MAX_SAID: Final = 120
_MOST_BREAKDOWNS: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one vector; ``failure`` says what came instead, where it failed."""

    vector: Vector
    status: Literal["passed", "failed", "not-covered"]
    failure: str | None = None


def run_library(
    command: Sequence[str], vectors: Iterable[Vector], *, case_seconds: float = CASE_SECONDS
) -> list[Result]:
    """Return what an adapter made of each vector, in their order.

    Args:
        command: The adapter and its arguments. It is started once, and again whenever it broke down; after 25
            times what is left fails unasked.
        vectors: As load_vectors returns them.
        case_seconds: How long one answer may take.

    Raises:
        OSError: The command cannot be started.

    Spec: specs/vectors/README.md#adapters
    """
    results: list[Result] = []
    breakdowns = 0
    with Adapter(command, seconds=case_seconds) as adapter:
        for vector in vectors:
            if breakdowns >= _MOST_BREAKDOWNS:
                results.append(_failed(vector, "not asked: the adapter broke down too often"))
                continue
            try:
                answer = adapter.ask({"operation": vector.operation, "input": vector.input})
            except AdapterError as error:
                breakdowns += 1
                results.append(_failed(vector, f"the adapter broke down: {error}"))
            else:
                results.append(judge(vector, answer))
    return results


def judge(vector: Vector, answer: dict[str, Any]) -> Result:
    """Return what an answer makes of a vector: its outcome is the very one, its output at least what is expected."""
    outcome = answer.get("outcome")
    if outcome == NOT_IMPLEMENTED:
        return Result(vector=vector, status="not-covered")
    if outcome != vector.outcome:
        return _failed(vector, f"{_said(outcome)} instead of {vector.outcome}")
    if vector.output is None:
        return Result(vector=vector, status="passed")
    output = answer.get("output")
    if not isinstance(output, dict):
        return _failed(vector, "an output is missing")
    for name, expected in vector.output.items():
        if name not in output:
            return _failed(vector, f"the output lacks {name!r}")
        if _plain(output[name]) != _plain(expected):
            return _failed(vector, f"{name!r} is {_said(output[name])} instead of {_said(expected)}")
    return Result(vector=vector, status="passed")


def _failed(vector: Vector, failure: str) -> Result:
    return Result(vector=vector, status="failed", failure=failure)


def _plain(value: Any) -> str:
    """Return a text that is the same for equal JSON only: 1 is not true, and members have no order; 1 is 1.0."""
    return json.dumps(_numbers(value), sort_keys=True)


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _said(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _MAX_SAID else text[:_MAX_SAID] + " and so on"
