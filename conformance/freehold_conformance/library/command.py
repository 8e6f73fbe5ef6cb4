"""The command line of ``freehold-conformance library``."""

from __future__ import annotations

import argparse
import importlib.metadata
import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .. import runner
from ..check import Profile
from ..options import CANNOT_RUN, WRONG_USE, add_report_options, write
from ..report import Report
from ..runner import Outcome
from .running import CASE_SECONDS, Result, run_library
from .vectors import Vector, load_vectors

_OUTCOME: Final = {"passed": Outcome.PASSED, "failed": Outcome.FAILED, "not-covered": Outcome.SKIPPED}
_NOT_COVERED: Final = "the adapter does not have this operation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to a parser; ``run`` takes what it parsed."""
    parser.add_argument(
        "command", nargs="+", metavar="COMMAND", help="the adapter and its arguments, after --"
    )
    parser.add_argument("--vectors", type=Path, metavar="FOLDER", help="take the vectors from there")
    parser.add_argument(
        "--operation", action="append", default=[], metavar="NAME", help="only this one; may come again"
    )
    parser.add_argument("--strict", action="store_true", help="what is not implemented fails")
    parser.add_argument(
        "--case-seconds", type=float, default=CASE_SECONDS, metavar="N", help="how long one answer may take"
    )
    add_report_options(parser)


def run(given: argparse.Namespace) -> int:
    """Return the exit status: 0 if no vector failed, 1 if one did, 2 for wrong use, 3 if the command cannot be run.

    Spec: specs/conformance.md#exit-codes
    """
    began = time.time()
    try:
        vectors = load_vectors(given.vectors, operations=given.operation)
    except (OSError, ValueError) as error:
        return _refused(error, WRONG_USE)
    try:
        results = run_library(given.command, vectors, case_seconds=given.case_seconds)
    except OSError as error:
        return _refused(error, CANNOT_RUN)
    report = Report(
        subject=shlex.join(given.command),
        kind="library",
        version=importlib.metadata.version("freehold"),
        began_s=began,
        seconds=time.time() - began,
        seed=None,
        results=[_told(one, strict=given.strict) for one in results],
        askable=frozenset(id_ for vector in vectors for id_ in vector.requirements),
    )
    if "-" not in (given.json, given.junit, given.earl, given.html):
        print(_by_operation(results, strict=given.strict, quiet=given.quiet))
    return write(report, given)


def _refused(error: Exception, status: int) -> int:
    print(f"freehold-conformance library: {error}", file=sys.stderr)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns as ``run``, and exits with 2 for arguments that argparse refuses."""
    parser = argparse.ArgumentParser(
        prog="freehold-conformance library", description="Test a protocol library with the vectors."
    )
    add_arguments(parser)
    return run(parser.parse_args(argv))


def _told(one: Result, *, strict: bool) -> runner.Result:
    missing = one.status == "not-covered"
    return runner.Result(
        name=_name(one.vector),
        title=f"This is {one.vector.outcome}.",
        requirements=tuple(one.vector.requirements),
        profile=Profile.CORE,
        outcome=Outcome.FAILED if missing and strict else _OUTCOME[one.status],
        detail=_NOT_COVERED if missing else one.failure or "",
        seconds=0,
    )


def _name(vector: Vector) -> str:
    return f"{vector.requirements[0]} {vector.operation}: {vector.name}"


def _by_operation(results: Sequence[Result], *, strict: bool, quiet: bool) -> str:
    """Return a line for each operation, since the vectors are many, and one for each that failed."""
    lines: list[str] = []
    for operation in dict.fromkeys(one.vector.operation for one in results):
        of_it = [one for one in results if one.vector.operation == operation]
        count = Counter(one.status for one in of_it)
        failed = count["failed"] or (strict and count["not-covered"])
        mark = "FAILED" if failed else "skip" if count["not-covered"] == len(of_it) else "ok"
        if mark != "ok" or not quiet:
            lines.append(f"{mark:6} {operation:24} {count['passed']} of {len(of_it)}")
        lines += [
            f"         {one.vector.name} ({', '.join(one.vector.requirements)}): {one.failure}"
            for one in of_it
            if one.status == "failed"
        ]
    return "\n".join(lines)
