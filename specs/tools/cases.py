"""What a vector is, and how the modules that list vectors write it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = Any
VALID: Final = "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input, and what has to come of it: ``valid`` or a code of specs/errors.md."""

    name: str
    requirements: tuple[str, ...]
    input: dict[str, Json]
    outcome: str
    output: Json = None

    def to_dict(self) -> dict[str, Json]:
        """Return the case as it stands in its file."""
        made: dict[str, Json] = {
            "name": self.name,
            "requirements": list(self.requirements),
            "input": self.input,
            "outcome": self.outcome,
        }
        if self.output is not None:
            made["output"] = self.output
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Everything that is asked in one way; ``description`` says what goes in and what comes out."""

    name: str
    description: str
    cases: Sequence[Case]

    def to_dict(self) -> dict[str, Json]:
        """Return the file of this operation."""
        return {
            "operation": self.name,
            "description": self.description,
            "cases": [case.to_dict() for case in self.cases],
        }


def valid(requirements: str, name: str, output: Json = None, /, **given: Json) -> Case:
    """Return a case that has to pass; ``requirements`` are ids with spaces between them."""
    return Case(
        name=name, requirements=tuple(requirements.split()), input=given, outcome=VALID, output=output
    )


def refused(code: str, requirements: str, name: str, /, **given: Json) -> Case:
    """Return a case that has to be refused with a code."""
    return Case(name=name, requirements=tuple(requirements.split()), input=given, outcome=code)
