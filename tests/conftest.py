"""What every test may use: the third-party vectors, and a count of the cases that were run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import nacl.bindings
import pytest
from hypothesis import settings

CountVectors = Callable[..., None]
_PROPERTY = "vectors"
_ABSENT = "third-party vectors are absent; set FREEHOLD_VECTORS to their folder"
_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "vectors"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--thorough`` tries everything where the tests take some of it in turn; each says what."""
    what = "try everything, such as every mutant and every look of every page, where tests take some in turn otherwise"
    parser.addoption("--thorough", action="store_true", help=what)


def pytest_configure(config: pytest.Config) -> None:
    """Have Hypothesis try the same examples each time, and others each time with ``--thorough``; none is timed."""
    is_thorough = bool(config.getoption("--thorough"))
    settings.register_profile("freehold", deadline=None, derandomize=not is_thorough)
    settings.load_profile("freehold")


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether ``--thorough`` is given: a test that tries some of many in turn then tries all of them."""
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="session", autouse=True)
def argon2id_answers_again_at_once() -> Iterator[None]:
    """Keep what Argon2id made of a passphrase and a salt, for who asks for the very same once more in this process.

    The product's cost of a tenth of a second stands, and the keys are those it makes; the houses of the tests draw
    their salts from a seed, so that hundreds of them ask the same. A process that a test starts pays as any other.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nacl.bindings, "crypto_pwhash_alg", cache(nacl.bindings.crypto_pwhash_alg))
        yield


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
