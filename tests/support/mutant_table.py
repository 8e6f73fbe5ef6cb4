"""The table of mutants: what is wrong with each, the requirement that it breaks, and the check that catches it.

As a script it finds the checks and writes the table anew: ``python tests/support/mutant_table.py``. Of the checks of
the requirement the quickest that fails is taken, which is what makes the test of all mutants bearable.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from freehold_conformance.check import Check
from freehold_conformance.checks import CHECKS
from freehold_conformance.runner import Outcome, run_checks, run_one
from mutant import Mutant
from mutant_node import TOPICS, open_mutant

PAGE = Path(__file__).resolve().parents[1] / "conformance" / "mutants.md"
MUTANTS = {
    mutant.name: (topic, mutant) for topic in TOPICS for mutant in importlib.import_module(topic).mutants.all
}
(HONEST,) = (check for check in CHECKS if check.name == "HTTP-32 only-what-was-given-comes")
"""What a faulty node still does: a fault that stops everything would be found by anybody."""
LONG = {
    *("crlf-events", "ids-of-any-path", "missed-is-missed", "nobody-is-woken", "nothing-expires-by-itself"),
    *("streams-are-not-stirred", "streams-counted-for-good", "strangers-revoke", "takes-large-bodies"),
    *("versions-late", "waits-for-bodies-for-ever", "waits-for-heads"),
}
"""Mutants that are caught by waiting for what does not come."""
_HEAD = """# Mutants

Faults that tests patch into a node, and the check of the conformance suite that catches each: the quickest of those of
the requirement that it breaks. Written by `python tests/support/mutant_table.py`; `test_mutants.py` proves every line.

| mutant | what is wrong | breaks | caught by |
|---|---|---|---|
"""
_BESIDE = 3


def rows() -> dict[str, list[str]]:
    """Return the cells of each mutant's line, by its name."""
    lines = PAGE.read_text("utf-8").splitlines() if PAGE.exists() else []
    cells = (
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")
    )
    return {found[0].strip("`"): found for found in cells}


def row(mutant: Mutant, caught_by: str) -> list[str]:
    """Return the cells of a line."""
    return [f"`{mutant.name}`", mutant.what.replace("|", "/"), mutant.requirement, f"`{caught_by}`"]


def one_for_each_requirement() -> list[str]:
    """Return the name of one mutant for each requirement that has one, but for those that take long."""
    found: dict[str, str] = {}
    for name, (_, mutant) in MUTANTS.items():
        if name not in LONG:
            found.setdefault(mutant.requirement, name)
    return list(found.values())


def checks_of(mutant: Mutant) -> list[Check]:
    """Return the checks of the requirement that a mutant breaks."""
    return [check for check in CHECKS if mutant.requirement in check.requirements and not check.slow]


async def catch(topic: str, mutant: Mutant, checks: Iterable[Check], folder: Path) -> str:
    """Return the name of the first check that fails on a mutant; raises AssertionError if none does."""
    async with open_mutant(folder, topic, mutant.name) as stage:
        honest = await run_one(HONEST, stage)
        assert honest.outcome is Outcome.PASSED, f"a node that does not work is no mutant: {honest.detail}"
        for check in checks:
            if (await run_one(check, stage)).outcome is Outcome.FAILED:
                return check.name
    raise AssertionError(f"{mutant.name} ({mutant.what}) passes the checks of {mutant.requirement}")


async def durations() -> Mapping[str, float]:
    """Return how long each check takes on a sound node."""
    with TemporaryDirectory() as folder:
        async with open_mutant(Path(folder) / "node") as stage:
            results = await run_checks([check for check in CHECKS if not check.slow], stage, jobs=2)
    return {result.name: result.seconds for result in results}


async def write(names: Iterable[str]) -> int:
    """Find who catches these mutants, and write the table; return how many nobody catches."""
    taken, known, missed = await durations(), rows(), 0
    waiting = list(names)

    async def work() -> None:
        nonlocal missed
        while waiting:
            name = waiting.pop(0)
            topic, mutant = MUTANTS[name]
            checks = sorted(checks_of(mutant), key=lambda check: taken[check.name])
            with TemporaryDirectory() as folder:
                try:
                    known[name] = row(mutant, await catch(topic, mutant, checks, Path(folder) / "node"))
                    print(*known[name], sep="\t", flush=True)
                except AssertionError as error:
                    missed += 1
                    known.pop(name, None)
                    print(f"MISSED {error}", flush=True)

    await asyncio.gather(*(work() for _ in range(_BESIDE)))
    lines = [f"| {' | '.join(known[name])} |" for name in sorted(known) if name in MUTANTS]
    PAGE.write_text(_HEAD + "\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines)} mutants are caught, {missed} are not")
    return missed


def stale() -> list[str]:
    """Return the mutants of which the table has no line, or one of another requirement or check."""
    names, known = {check.name for check in CHECKS}, rows()
    return [
        name
        for name, (_, mutant) in MUTANTS.items()
        if name not in known
        or known[name][:3] != row(mutant, "")[:3]
        or known[name][3].strip("`") not in names
    ]


if __name__ == "__main__":
    sys.exit(bool(asyncio.run(write(sys.argv[1:] or (stale() if rows() else MUTANTS)))))
