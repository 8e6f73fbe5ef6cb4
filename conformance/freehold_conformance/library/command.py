"""The command line of ``freehold-conformance library``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .running import CASE_SECONDS, Result, run_library
from .vectors import load_vectors

WRONG_USE: Final = 2
CANNOT_RUN: Final = 3


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
    parser.add_argument("--json", action="store_true", help="print the results as one JSON document")


def run(given: argparse.Namespace) -> int:
    """Return the exit status: 0 if no vector failed, 1 if one did, 2 for wrong use, 3 if the command cannot be run.

    Spec: specs/conformance.md#exit-codes
    """
    try:
        vectors = load_vectors(given.vectors, operations=given.operation)
    except (OSError, ValueError) as error:
        return _refused(error, WRONG_USE)
    try:
        results = run_library(given.command, vectors, case_seconds=given.case_seconds)
    except OSError as error:
        return _refused(error, CANNOT_RUN)
    failed = [
        one for one in results if one.status == "failed" or (given.strict and one.status == "not-covered")
    ]
    print(_as_json(results) if given.json else _as_text(results, strict=given.strict))
    return 1 if failed else 0


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


def _as_json(results: Sequence[Result]) -> str:
    told = [
        {
            "operation": one.vector.operation,
            "name": one.vector.name,
            "requirements": list(one.vector.requirements),
            "status": one.status,
            **({"failure": one.failure} if one.failure else {}),
        }
        for one in results
    ]
    return json.dumps({"results": told}, indent=2)


def _as_text(results: Sequence[Result], *, strict: bool) -> str:
    lines: list[str] = []
    for operation in dict.fromkeys(one.vector.operation for one in results):
        of_it = [one for one in results if one.vector.operation == operation]
        count = Counter(one.status for one in of_it)
        mark = "FAILED" if count["failed"] or (strict and count["not-covered"]) else "ok"
        mark = "none" if mark == "ok" and count["not-covered"] == len(of_it) else mark
        lines.append(f"{mark:6} {operation:24} {count['passed']} of {len(of_it)}")
        lines += [
            f"       {one.vector.name} ({', '.join(one.vector.requirements)}): {one.failure}"
            for one in of_it
            if one.status == "failed"
        ]
    total = Counter(one.status for one in results)
    lines.append(
        f"{total['passed']} vectors passed, {total['failed']} failed, {total['not-covered']} are not covered"
    )
    return "\n".join(lines)
