"""What every test may use: the third-party vectors, and a count of the cases that were run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

CountVectors = Callable[..., None]
_PROPERTY = "vectors"
_ABSENT = "third-party vectors are absent; set FREEHOLD_VECTORS to their folder"
_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "vectors"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--thorough`` runs every mutant, in the place of one for each requirement."""
    parser.addoption("--thorough", action="store_true", help="run every mutant, not one for each requirement")


def _folder() -> Path:
    return Path(os.environ.get("FREEHOLD_VECTORS") or _DEFAULT)


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of third-party test data; the test is skipped where it is absent."""
    folder = _folder()
    if not folder.is_dir():
        pytest.skip(_ABSENT)
    return folder


@pytest.fixture
def count_vectors(request: pytest.FixtureRequest) -> CountVectors:
    """A function ``count(folder, n, others=0)`` that adds to the counts printed at the end of the run.

    ``others`` counts cases of kinds that this release has no use for; no test of them exists to be skipped.

    The numbers travel in the test's report, since under pytest-xdist another process prints them.
    """

    def count(folder: str, n: int, others: int = 0) -> None:
        request.node.user_properties.append((_PROPERTY, [folder, n, others]))

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many vector cases were run, by folder."""
    run: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) != "teardown":  # each test has one, and it carries everything
                continue
            for name, value in report.user_properties:
                if name == _PROPERTY:
                    folder, n, others = value
                    run[folder] += n
                    left_out[folder] += others
    for folder in sorted(run):
        more = f"; {left_out[folder]} more are of kinds not supported yet" if left_out[folder] else ""
        terminalreporter.write_line(f"vectors: {folder} {run[folder]} cases run{more}")
    skipped = sum(_ABSENT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.write_line(f"vectors: {_ABSENT}; {skipped} tests skipped")
