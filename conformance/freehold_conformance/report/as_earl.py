"""A run in EARL 1.0, as JSON-LD."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from ..requirement import requirements
from ..runner import Outcome
from . import Report

_OUTCOME: Final = {Outcome.PASSED: "passed", Outcome.FAILED: "failed", Outcome.SKIPPED: "untested"}
_CONTEXT: Final = {
    "@vocab": "http://www.w3.org/ns/earl#",
    "earl": "http://www.w3.org/ns/earl#",
    "dct": "http://purl.org/dc/terms/",
    "doap": "http://usefulinc.com/ns/doap#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "title": "dct:title",
    "description": "dct:description",
    "isPartOf": {"@id": "dct:isPartOf", "@type": "@id"},
    "date": {"@id": "dct:date", "@type": "xsd:dateTime"},
    "outcome": {"@id": "earl:outcome", "@type": "@id"},
    "mode": {"@id": "earl:mode", "@type": "@id"},
    "assertedBy": {"@type": "@id"},
    "subject": {"@type": "@id"},
    "test": {"@type": "@id"},
}
_SUITE: Final = "https://w3id.org/freehold/conformance"


def render(report: Report) -> str:
    """Return the report as JSON-LD text: one assertion for each check and requirement it tests."""
    known = requirements()
    at = datetime.fromtimestamp(report.began_s, UTC).isoformat(timespec="seconds")
    subject = report.subject if report.kind == "node" else f"urn:x-freehold:{report.kind}"
    assertions = [
        {
            "type": "Assertion",
            "assertedBy": _SUITE,
            "subject": subject,
            "mode": "earl:automatic",
            "test": f"{_SUITE}#{requirement}",
            "result": {
                "type": "TestResult",
                "outcome": f"earl:{_OUTCOME[result.outcome]}",
                "title": result.name,
                "description": result.detail or result.title,
                "date": at,
            },
        }
        for result in report.results
        for requirement in result.requirements
    ]
    tested = dict.fromkeys(requirement for result in report.results for requirement in result.requirements)
    graph = [
        {"id": _SUITE, "type": ["Software", "Assertor"], "title": f"freehold-conformance {report.version}"},
        {"id": subject, "type": "TestSubject", "title": report.subject},
        *(
            {
                "id": f"{_SUITE}#{requirement}",
                "type": "TestRequirement",
                "title": requirement,
                "description": known[requirement].text if requirement in known else "",
            }
            for requirement in tested
        ),
        *assertions,
    ]
    context = _CONTEXT | {"id": "@id", "type": "@type"}
    return json.dumps({"@context": context, "@graph": graph}, indent=2, ensure_ascii=False) + "\n"
