"""Our node passes every check of the suite, and no check passes against servers that say the same to everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from freehold_conformance.check import Check
from freehold_conformance.checks import CHECKS
from freehold_conformance.requirement import requirements
from freehold_conformance.runner import Outcome, run_checks, run_one
from suite import open_stage, server_that_says, stage_at


@pytest.mark.asyncio
async def test_our_node_meets_every_requirement(tmp_path: Path) -> None:
    async with open_stage(tmp_path / "node") as stage:
        checks = [check for check in CHECKS if not check.slow]
        results = await run_checks(checks, stage, seed=1)
        failed = [(one.name, one.detail) for one in results if one.outcome is Outcome.FAILED]
        assert failed == []


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (404, b"{}"), (404, b"")])
async def test_no_check_is_vacuous(status: int, body: bytes) -> None:
    async with server_that_says(status, body) as url:
        passed = [
            check.name for check in CHECKS if (await run_one(check, stage_at(url))).outcome is Outcome.PASSED
        ]
        assert passed == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_names_requirements_that_exist(check: Check) -> None:
    assert check.requirements
    assert set(check.requirements) <= set(requirements())


def test_names_are_unique() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)


@pytest.mark.asyncio
async def test_a_node_that_cannot_be_reached_fails_every_check() -> None:
    stage = stage_at("http://127.0.0.1:9")
    for check in CHECKS[:20]:
        assert (await run_one(check, stage)).outcome is Outcome.FAILED
