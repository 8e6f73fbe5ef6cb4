"""What a run found, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..check import Profile
from ..runner import Outcome, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run of the suite.

    Attributes:
        subject: What was judged: a node's origin, or a command.
        kind: ``node``, ``client`` or ``library``.
        began_s: Unix seconds.
        seed: Of the random order; None if they were run as they stand.
        askable: Ids of all requirements that this kind of run can look at.
    """

    subject: str
    kind: str
    version: str
    began_s: float
    seconds: float
    seed: int | None
    results: Sequence[Result]
    askable: frozenset[str]

    def count(self, outcome: Outcome) -> int:
        """Return how many checks ended so."""
        return Counter(result.outcome for result in self.results)[outcome]

    @property
    def failed(self) -> list[Result]:
        """What was not met, required or not."""
        return [result for result in self.results if result.outcome is Outcome.FAILED]

    @property
    def conforms(self) -> bool:
        """Whether every check passed that is required of all, and there was one."""
        core = [result for result in self.results if result.profile is Profile.CORE]
        return bool(core) and not any(result.outcome is Outcome.FAILED for result in core)

    @property
    def covered(self) -> frozenset[str]:
        """Ids of the requirements that some check looked at."""
        looked = (result for result in self.results if result.outcome is not Outcome.SKIPPED)
        return frozenset(one for result in looked for one in result.requirements)

    @property
    def exit_code(self) -> int:
        """Spec: specs/conformance.md#exit-codes."""
        if not self.conforms:
            return 1
        return 4 if self.failed else 0
