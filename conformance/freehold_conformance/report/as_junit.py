"""A run in the XML that build servers read (JUnit)."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from ..runner import Outcome
from . import Report

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Return the report as XML text; one test case for each check, its first requirement as class name."""
    suite = Element(
        "testsuite",
        name=f"freehold-conformance {report.kind}",
        tests=str(len(report.results)),
        failures=str(report.count(Outcome.FAILED)),
        errors="0",
        skipped=str(report.count(Outcome.SKIPPED)),
        time=f"{report.seconds:.3f}",
    )
    for result in report.results:
        case = SubElement(
            suite,
            "testcase",
            classname=f"{result.profile}.{result.requirements[0]}",
            name=result.name,
            time=f"{result.seconds:.3f}",
        )
        detail = _NO_XML.sub("?", result.detail)
        if result.outcome is Outcome.FAILED:
            SubElement(case, "failure", message=detail).text = ", ".join(result.requirements)
        elif result.outcome is Outcome.SKIPPED:
            SubElement(case, "skipped", message=detail)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, encoding="unicode") + "\n"
