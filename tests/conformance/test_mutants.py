"""The suite catches each deliberate fault in a node by a check of the requirement that the fault breaks."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from freehold_conformance.checks import CHECKS
from freehold_conformance.requirement import requirements
from freehold_conformance.runner import Outcome, run_one
from mutant import Mutant, in_turn
from mutant_node import TOPICS, open_mutant

(HONEST,) = (check for check in CHECKS if check.name == "HTTP-32 only-what-was-given-comes")
"""What a faulty node still does: a fault that stops everything would be found by anybody."""
MUTANTS = [(topic, one) for topic in TOPICS for one in importlib.import_module(topic).mutants.all]


@pytest.mark.asyncio
@pytest.mark.parametrize(("topic", "mutant"), MUTANTS, ids=lambda value: getattr(value, "name", ""))
async def test_a_fault_is_caught(
    topic: str, mutant: Mutant, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Stops at the first check that fails; with none, the fault would go unseen."""
    checks = [check for check in in_turn(CHECKS, mutant.requirement) if not check.slow]
    assert checks, f"no check is about {mutant.requirement}"
    async with open_mutant(tmp_path / "node", topic, mutant.name) as stage:
        honest = await run_one(HONEST, stage)
        assert honest.outcome is Outcome.PASSED, f"a node that does not work is no mutant: {honest.detail}"
        for check in checks:
            if (await run_one(check, stage)).outcome is Outcome.FAILED:
                record_property("mutant", [mutant.name, mutant.requirement, check.name])
                return
    pytest.fail(f"{mutant.what}: passes {len(checks)} checks of {mutant.requirement}")


def test_mutants_are_distinct_and_break_what_is_stated() -> None:
    names = [mutant.name for _, mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 40
    assert {mutant.requirement for _, mutant in MUTANTS} <= set(requirements())
