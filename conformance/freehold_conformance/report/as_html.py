"""A run as one page for people, with nothing to fetch."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Final

from ..requirement import requirements
from ..runner import Outcome, Result
from . import Report

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --bad: #b3261e; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #7ddba0; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.verdict { font-size: 1.15rem; font-weight: 600; } .bad { color: var(--bad); } .good { color: var(--good); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } code { font-size: .9em; } .n { text-align: right; } table.few { width: auto; }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; }
.detail { color: var(--bad); } .quiet { opacity: .75; }
"""


def render(report: Report) -> str:
    """Return the report as an HTML page."""
    failed = [result for result in report.results if result.outcome is Outcome.FAILED]
    skipped = [result for result in report.results if result.outcome is Outcome.SKIPPED]
    uncovered = sorted(report.askable - report.covered)
    good = not failed and not report.left_out
    parts = [
        f"<h1>Conformance of {escape(report.subject)}</h1>",
        (
            f'<p class="quiet">Freehold protocol, suite {escape(report.version)}, {_at(report)}, '
            f"in {report.seconds:.0f} s</p>"
        ),
        f'<p class="verdict {"good" if good else "bad"}">{report.verdict}</p>',
        (
            f"<p>{len(report.results)} checks: {report.count(Outcome.PASSED)} passed, {len(failed)} failed, "
            f"{len(skipped)} skipped. Requirements covered: {len(report.covered & report.askable)} of "
            f"{len(report.askable)} that a {report.kind} can be asked about from outside.</p>"
        ),
        _profiles(report),
        _table("Failed", failed) if failed else "",
        _table("Skipped", skipped) if skipped else "",
        f"<h2>Not looked at in this run</h2><p>{', '.join(uncovered)}</p>" if uncovered else "",
        "<h2>All checks, by requirement</h2>",
        *_by_page(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Conformance of {escape(report.subject)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def _at(report: Report) -> str:
    return datetime.fromtimestamp(report.began_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _profiles(report: Report) -> str:
    rows = []
    for profile in dict.fromkeys(result.profile for result in report.results):
        of_it = [result.outcome for result in report.results if result.profile is profile]
        cells = "".join(f'<td class="n">{of_it.count(outcome)}</td>' for outcome in Outcome)
        required = "required" if profile == "core" else "optional"
        rows.append(f"<tr><td>{profile}</td><td>{required}</td>{cells}</tr>")
    head = (
        "<tr><th>profile</th><th></th>"
        + "".join(f'<th class="n">{outcome}</th>' for outcome in Outcome)
        + "</tr>"
    )
    return f'<h2>Profiles</h2><table class="few">{head}{"".join(rows)}</table>'


def _table(title: str, results: list[Result]) -> str:
    return f"<h2>{title}</h2>{_rows(results)}"


def _rows(results: list[Result]) -> str:
    known = requirements()
    rows = []
    for result in results:
        first = result.requirements[0]
        text = known[first].text if first in known else ""
        kind = "detail" if result.outcome is Outcome.FAILED else "quiet"
        detail = f'<br><span class="{kind}">{escape(result.detail)}</span>' if result.detail else ""
        rows.append(
            f"<tr><td>{result.outcome}</td><td><code>{escape(result.name)}</code><br>"
            f"{escape(result.title)}{detail}</td><td>{escape(', '.join(result.requirements))}"
            f'<br><span class="quiet">{escape(text)}</span></td></tr>'
        )
    return f"<table><tr><th>outcome</th><th>check</th><th>requirement</th></tr>{''.join(rows)}</table>"


def _by_page(report: Report) -> list[str]:
    known = requirements()
    pages: dict[str, list[Result]] = {}
    for result in report.results:
        first = result.requirements[0]
        pages.setdefault(known[first].page if first in known else "other", []).append(result)
    return [
        f"<details><summary>{escape(page)}: {len(results)} checks, "
        f"{sum(one.outcome is Outcome.FAILED for one in results)} failed</summary>{_rows(results)}</details>"
        for page, results in pages.items()
    ]
