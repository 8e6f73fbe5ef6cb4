"""Our node passes every check of the suite, and no check passes against servers that say the same to everything."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from freehold_conformance.check import Check, Profile
from freehold_conformance.checks import CHECKS
from freehold_conformance.requirement import requirements
from freehold_conformance.runner import Outcome, run_checks, run_one
from mutant_node import open_mutant
from suite import open_stage, server_that_says, stage_at

PARTS = 4
"""So many nodes are judged, each by the checks of some modules, which share what they need."""
NOT_TOLD = [check for check in CHECKS if check.unless is Profile.DID_WEB]
"""For a node that was not told to look up vendors in private networks; all others run against one that was."""


def module_of(check: Check) -> str:
    """Return the module in which a check is defined, also where it is one case of some."""
    run = check.run.args[0] if isinstance(check.run, partial) else check.run
    return str(run.__module__)


MODULES = sorted({module_of(check) for check in CHECKS})


@pytest.mark.asyncio
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
async def test_our_node_meets_every_requirement(tmp_path: Path, part: int) -> None:
    """In random order, several at a time, so none leans on another."""
    checks = [
        check
        for check in CHECKS
        if not check.slow and check not in NOT_TOLD and MODULES.index(module_of(check)) % PARTS == part
    ]
    async with open_mutant(tmp_path / "node") as stage:
        results = await run_checks(checks, stage, seed=4, jobs=4)
    assert [(one.name, one.detail) for one in results if one.outcome is not Outcome.PASSED] == []


@pytest.mark.asyncio
@pytest.mark.parametrize("told", [False, True])
async def test_a_node_goes_to_private_networks_only_where_it_is_told_to(tmp_path: Path, told: bool) -> None:
    """One that goes there and does not claim the profile fails."""
    async with open_stage(tmp_path / "node", private_hosts=told) as stage:
        outcomes = {(await run_one(check, stage)).outcome for check in NOT_TOLD}
    assert NOT_TOLD
    assert outcomes == {Outcome.FAILED if told else Outcome.PASSED}


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (404, b"{}"), (404, b"")])
async def test_no_check_is_vacuous(status: int, body: bytes) -> None:
    async with server_that_says(status, body) as url:
        passed = [
            check.name for check in CHECKS if (await run_one(check, stage_at(url))).outcome is Outcome.PASSED
        ]
        assert passed == []


def test_checks_name_requirements_that_exist() -> None:
    known = set(requirements())
    assert [check.name for check in CHECKS if not check.requirements or set(check.requirements) - known] == []


def test_names_are_unique() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)


@pytest.mark.asyncio
async def test_a_node_that_cannot_be_reached_fails_every_check() -> None:
    stage = stage_at("http://127.0.0.1:9")
    for check in CHECKS[:20]:
        assert (await run_one(check, stage)).outcome is Outcome.FAILED
