"""What a check is: a requirement, and an async function that raises ``Failed`` if a node does not meet it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from freehold_protocol.encoding import parse_document
from freehold_protocol.errors import BY_CODE, FreeholdError

from .wire import Answer, Wire


class Failed(Exception):  # noqa: N818 - not an error of the suite, but its finding
    """A node does not meet a requirement; the text says what came instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check of one requirement; ``spec`` is the section that states it."""

    name: str
    spec: str
    run: Callable[[Wire], Awaitable[None]]


def expect(holds: bool, what: str) -> None:
    """Raise Failed with what is the matter, unless it holds."""
    if not holds:
        raise Failed(what)


def expect_problem(answer: Answer, status: int, code: str | None = None) -> dict[str, Any]:
    """Check that an answer is a problem document of this status, with a registered code; return it."""
    expect(answer.status == status, f"status {answer.status} instead of {status}")
    kind = answer.headers.get("content-type", "")
    expect(kind.startswith("application/problem+json"), f"content type {kind!r} of a problem")
    try:
        problem = parse_document(answer.body)
    except FreeholdError as error:
        raise Failed(f"the problem document is {error.code}") from error
    expect(problem.get("status") == status, "the problem document names another status")
    expect(problem.get("code") in BY_CODE, f"the code {problem.get('code')!r} is not registered")
    if code is not None:
        expect(problem["code"] == code, f"the code {problem['code']!r} instead of {code!r}")
    return problem
