"""A run on the terminal: what failed, why, and where the requirement stands."""

from __future__ import annotations

from collections.abc import Sequence

from ..requirement import requirements
from ..runner import Outcome, Result
from . import Report

_MARK = {Outcome.PASSED: "ok    ", Outcome.FAILED: "FAILED", Outcome.SKIPPED: "skip  "}


def line(result: Result) -> str:
    """Return the line, or lines, of one result."""
    text = f"{_MARK[result.outcome]} {result.name}"
    if result.outcome is Outcome.PASSED:
        return text
    known = requirements()
    where = ", ".join(known[one].link for one in result.requirements[:1] if one in known)
    if result.outcome is Outcome.SKIPPED:
        return f"{text}  ({result.detail})"
    return f"{text}\n         {result.title}\n         {result.detail}\n         {where}"


def summary(report: Report) -> str:
    """Return the last lines: counts, coverage, and the verdict."""
    known = requirements()
    stated = sum(not one.implementation for one in known.values())
    lines = [
        "",
        f"{len(report.results)} checks: {report.count(Outcome.PASSED)} passed, "
        f"{report.count(Outcome.FAILED)} failed, {report.count(Outcome.SKIPPED)} skipped, "
        f"in {report.seconds:.0f} s"
        + (f", in random order (--seed {report.seed})" if report.seed is not None else ""),
        (
            f"requirements: {len(report.covered & report.askable)} covered of {len(report.askable)} that a "
            f"{report.kind} can be asked about from outside; the protocol states {stated}"
        ),
        *_profiles(report),
        report.verdict,
    ]
    return "\n".join(lines)


def _profiles(report: Report) -> Sequence[str]:
    lines = []
    for profile in dict.fromkeys(result.profile for result in report.results):
        of_it = [result.outcome for result in report.results if result.profile is profile]
        failed = of_it.count(Outcome.FAILED)
        required = "required" if profile == "core" else "optional"
        told = f"{failed} failed" if failed else "skipped" if set(of_it) == {Outcome.SKIPPED} else "passed"
        lines.append(f"  {profile:10} {required:9} {len(of_it):4} checks  {told}")
    return lines
