"""A run as one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict

from ..requirement import requirements
from ..runner import Outcome
from . import Report


def render(report: Report) -> str:
    """Return the report as JSON text."""
    known = requirements()
    told = {
        "subject": report.subject,
        "kind": report.kind,
        "suite": f"freehold-conformance {report.version}",
        "began": report.began_s,
        "seconds": round(report.seconds, 3),
        "seed": report.seed,
        "conforms": report.conforms,
        "leftOut": report.left_out,
        "verdict": report.verdict,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "requirements": {
            "stated": sum(not one.implementation for one in known.values()),
            "askable": len(report.askable),
            "covered": len(report.covered & report.askable),
            "notCovered": sorted(report.askable - report.covered),
        },
        "results": [asdict(result) | {"seconds": round(result.seconds, 3)} for result in report.results],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
