"""Our client passes every situation; a client with one check left out fails the one about it; the lazy pass none."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from client_mutants import MUTANTS
from freehold_conformance.check import Profile
from freehold_conformance.client import SITUATIONS
from freehold_conformance.client.relation import Relation, asked_permissions
from freehold_conformance.client.situation import Situation, Stand
from freehold_conformance.client.situations.moving import _restore
from freehold_conformance.hands.keys import Key
from freehold_conformance.requirement import requirements
from freehold_conformance.runner import Outcome, Result, run_checks, run_one

SUPPORT = Path(__file__).parents[1] / "support"
OURS = (sys.executable, str(SUPPORT / "client_adapter.py"))
QUICK = [situation for situation in SITUATIONS if not situation.slow]


def about(function: str) -> list[Situation]:
    """Return the situations of a function, or the one of a case."""
    found = [one for one in QUICK if one.name.split(" ", 1)[1].partition("[")[0] == function]
    return found or [one for one in QUICK if one.name.split(" ", 1)[1] == function]


@asynccontextmanager
async def stand_of(*command: str, patience_s: float = 2.0, margin_s: float = 4.0) -> AsyncIterator[Stand]:
    stand = Stand(command, patience_s=patience_s, margin_s=margin_s)
    try:
        yield stand
    finally:
        await stand.close()


def test_there_are_enough_situations_and_each_has_a_name_and_numbered_requirements() -> None:
    assert len({one.name for one in SITUATIONS}) == len(SITUATIONS)
    assert len({one.name.partition("[")[0] for one in SITUATIONS}) >= 40
    named = {number for one in SITUATIONS for number in one.requirements}
    assert named <= requirements().keys()
    assert {number for number in requirements() if number.startswith("CLT-")} <= named
    assert all(one.requirements and one.title.endswith(".") for one in SITUATIONS)


def test_a_node_that_was_restored_has_a_mark_of_its_own_whatever_the_one_before() -> None:
    vendor = {"id": Key.fresh().did}
    request = {"id": "urn:uuid:x", "assignee": vendor, "permission": asked_permissions(Key.fresh().did)}
    person = Relation(request=request, origin="https://node.example", mark="z" + "12" * 20)
    person.approve()
    seen = {person.mark}
    for _ in range(3):
        _restore(person, person.log, count=1)
        seen.add(person.mark)
    assert len(seen) == 4


@pytest.mark.asyncio
async def test_our_client_passes_every_situation_in_random_order() -> None:
    async with stand_of(*OURS) as stand:
        results = await run_checks(QUICK, stand, seed=20261123, jobs=4)
    assert [(one.name, one.detail) for one in results if one.outcome is not Outcome.PASSED] == []


@pytest.mark.asyncio
@pytest.mark.parametrize("name", MUTANTS)
async def test_a_client_without_one_check_is_caught(name: str) -> None:
    situations = about(MUTANTS[name].caught_by)
    assert situations, "no such situation"
    command = (sys.executable, str(SUPPORT / "client_mutants.py"), name)
    async with stand_of(*command, patience_s=1.0, margin_s=1.0) as stand:
        found = await until_one_fails(situations, stand)
    assert found.outcome is Outcome.FAILED
    assert "the suite's own mistake" not in found.detail
    assert "of another form" not in found.detail


async def until_one_fails(situations: Sequence[Situation], stand: Stand) -> Result:
    for situation in situations:
        result = await run_one(situation, stand)
        if result.outcome is Outcome.FAILED:
            break
    return result


# Adapters that are no client at all

LAZY = """
import json, sys
did = "did:key:z6MkvRXNYcE7MMduynWTgeKbDaT1iijDSC8pZqXZc8rHPrf2"
for line in sys.stdin:
    told = json.loads(line)
    print(json.dumps({"id": told["id"], **(%s)}), flush=True)
"""
WORDS = {
    "refuses everything": '{"ok": {"did": did}} if told["do"] == "begin" else {"refused": "release-invalid"}',
    "accepts everything": """{"ok": {"did": did, "code": "1234-5678", "status": "approved", "grant": "http://x",
        "records": [], "unchanged": True, "number": 1, "state": "live", "version": 1, "size": 1,
        "capability": {}, "events": [], "over": True}}""",
    "implements nothing": '{"ok": {"did": did}} if told["do"] == "begin" else {"not-implemented": True}',
    "says nothing": "{}",
    "answers another question": '{"id": 0, "ok": {"did": did}}',
}
ANSWERING = ("refuses everything", "accepts everything", "implements nothing")
"""The others are started anew for each situation, so that they play but a few."""


@pytest.mark.asyncio
@pytest.mark.parametrize("words", WORDS)
async def test_who_is_no_client_passes_nothing(words: str) -> None:
    async with stand_of(sys.executable, "-c", LAZY % WORDS[words], patience_s=0.2, margin_s=0.2) as stand:
        results = await run_checks(QUICK if words in ANSWERING else QUICK[:8], stand, jobs=4)
    assert Outcome.PASSED not in {one.outcome for one in results}
    assert Outcome.FAILED in {one.outcome for one in results if one.profile is Profile.CORE}


@pytest.mark.asyncio
@pytest.mark.parametrize("program", ["", "import sys; sys.exit(3)", "print('hello', flush=True); input()"])
async def test_an_adapter_that_does_not_begin_is_a_failure(program: str) -> None:
    async with stand_of(sys.executable, "-c", program) as stand:
        result = await run_one(QUICK[0], stand)
    assert result.outcome is Outcome.FAILED
    assert "adapter" in result.detail


# The command


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "freehold_conformance.cli", "client", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.asyncio
async def test_the_command_reports_and_exits_as_the_one_for_nodes() -> None:
    done = await asyncio.to_thread(run, "--only", "* asks-and-reads", "--json", "-", "--", *OURS)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["kind"] == "client"
    assert [one["outcome"] for one in report["results"]] == ["passed"]
    mutant = (sys.executable, str(SUPPORT / "client_mutants.py"), "follows-redirects")
    assert (
        await asyncio.to_thread(run, "--only", "* redirected?307?", "--quiet", "--", *mutant)
    ).returncode == 1
    assert (await asyncio.to_thread(run)).returncode == 2
    assert (await asyncio.to_thread(run, "--", sys.executable, "-c", "")).returncode == 3


@pytest.mark.asyncio
async def test_the_situations_can_be_listed() -> None:
    done = await asyncio.to_thread(run, "--list", "--slow")
    assert done.stdout.splitlines() == [one.name for one in SITUATIONS]
