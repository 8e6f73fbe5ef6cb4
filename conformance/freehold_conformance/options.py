"""What the commands of the suite have in common: which checks are chosen, and what is told of the results.

Spec: specs/conformance.md#running
"""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from .check import Profile
from .report import Report, as_earl, as_html, as_json, as_junit, as_text
from .runner import Judged, Result

WRONG_USE: Final = 2
CANNOT_RUN: Final = 3

_FORMATS: Final = {
    "json": as_json.render,
    "junit": as_junit.render,
    "earl": as_earl.render,
    "html": as_html.render,
}


_One = TypeVar("_One", bound=Judged[Any])


def add_choice_options(parser: argparse.ArgumentParser, things: str) -> argparse._ArgumentGroup:
    """Add the options that say which ``things``, checks or situations, are run, and in which order."""
    chosen = parser.add_argument_group("what to run")
    names = [profile.value for profile in Profile]
    chosen.add_argument(
        "--profile", action="append", choices=names, help="only this profile; may be repeated"
    )
    chosen.add_argument(
        "--without", action="append", choices=names, default=[], help="leave this profile out"
    )
    chosen.add_argument(
        "--only", action="append", metavar="GLOB", help=f"only {things} or requirements named so"
    )
    chosen.add_argument("--slow", action="store_true", help=f"also the {things} that need minutes")
    chosen.add_argument(
        "--jobs", type=int, default=4, metavar="N", help="run so many at a time; 4 if not given"
    )
    chosen.add_argument("--random", action="store_true", help="in random order")
    chosen.add_argument("--seed", type=int, metavar="N", help="in the random order of this number")
    chosen.add_argument("--list", action="store_true", help=f"list the {things} and run none")
    return chosen


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where reports are written."""
    reports = parser.add_argument_group("reports", "each to a file, or to - for the terminal")
    for name in _FORMATS:
        reports.add_argument(f"--{name}", metavar="FILE", help=f"write a report as {name}")
    reports.add_argument(
        "--quiet", action="store_true", help="on the terminal only what failed, and the summary"
    )


def choose(checks: Sequence[_One], given: argparse.Namespace) -> list[_One]:
    """Return the checks that the options ask for."""
    return [
        check
        for check in checks
        if (not given.profile or check.profile in given.profile)
        and check.profile not in given.without
        and (given.slow or not check.slow)
        and (getattr(given, "restart", None) or check.profile is not Profile.DURABLE or given.list)
        and (not given.only or any(_is_named(check, name) for name in given.only))
    ]


def _is_named(check: Judged[Any], pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in (check.name, *check.requirements))


def teller(given: argparse.Namespace) -> Callable[[Result], None]:
    """Return what is told of each result."""
    if "-" in [getattr(given, name) for name in _FORMATS]:
        return lambda _: None

    def tell(result: Result) -> None:
        if not given.quiet or result.detail:
            print(as_text.line(result), flush=True)

    return tell


def write(report: Report, given: argparse.Namespace) -> int:
    """Write the reports that were asked for; return the exit status."""
    on_terminal = False
    for name, render in _FORMATS.items():
        target = getattr(given, name)
        if target == "-":
            on_terminal = True
            print(render(report), end="")
        elif target:
            Path(target).write_text(render(report), "utf-8")
    if not on_terminal:
        print(as_text.summary(report))
    return report.exit_code
