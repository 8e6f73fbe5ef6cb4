"""The suite catches each deliberate fault in a node by a check of the requirement that the fault breaks.

One fault for each requirement is tried; with ``--thorough``, as in CI, every one.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from freehold_conformance.checks import CHECKS
from freehold_conformance.requirement import requirements
from mutant_node import TOPICS
from mutant_table import LONG, MUTANTS, catch, one_for_each_requirement, row, rows

ROWS = rows()
BY_NAME = {check.name: check for check in CHECKS}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "name" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        metafunc.parametrize("name", MUTANTS if thorough else one_for_each_requirement())


@pytest.mark.asyncio
async def test_a_fault_is_caught_as_the_table_says(name: str, tmp_path: Path) -> None:
    """Where this fails, ``python tests/support/mutant_table.py NAME`` tells whether another check catches it."""
    topic, mutant = MUTANTS[name]
    check = BY_NAME[ROWS[name][3].strip("`")]
    assert mutant.requirement in check.requirements
    assert await catch(topic, mutant, [check], tmp_path / "node") == check.name


def test_the_table_has_every_mutant_and_no_other() -> None:
    wanted = {name: row(mutant, "")[:3] for name, (_, mutant) in MUTANTS.items()}
    assert {name: cells[:3] for name, cells in ROWS.items()} == wanted


def test_mutants_are_distinct_and_break_what_is_stated() -> None:
    assert set(MUTANTS) >= LONG
    names = [mutant.name for topic in TOPICS for mutant in importlib.import_module(topic).mutants.all]
    assert len(set(names)) == len(names) >= 40
    assert {mutant.requirement for _, mutant in MUTANTS.values()} <= set(requirements())
