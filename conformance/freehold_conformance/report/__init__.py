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
        unasked: How many required checks the options left out, not counting those that need minutes.
    """

    subject: str
    kind: str
    version: str
    began_s: float
    seconds: float
    seed: int | None
    results: Sequence[Result]
    askable: frozenset[str]
    unasked: int = 0

    def count(self, outcome: Outcome) -> int:
        """Return how many checks ended so."""
        return Counter(result.outcome for result in self.results)[outcome]

    @property
    def failed(self) -> list[Result]:
        """What was not met, required or not."""
        return [result for result in self.results if result.outcome is Outcome.FAILED]

    @property
    def left_out(self) -> int:
        """How many checks that every node has to pass were not made: a run that left any out states nothing.

        A client or a library may leave out what it does not come to do.
        """
        if self.kind != "node":
            return 0
        skipped = (result for result in self.results if result.outcome is Outcome.SKIPPED)
        return self.unasked + sum(result.profile is Profile.CORE for result in skipped)

    @property
    def verdict(self) -> str:
        """What the run says of its subject, in a sentence."""
        if not self.conforms:
            return f"The {self.kind} does not conform."
        if self.left_out:
            were = "check was" if self.left_out == 1 else "checks were"
            return (
                f"No required check failed, but {self.left_out} required {were} left out: "
                f"this run does not show that the {self.kind} conforms."
            )
        if self.failed:
            return f"The {self.kind} conforms to what is required, but not to all that was asked of it."
        return f"The {self.kind} conforms."

    @property
    def conforms(self) -> bool:
        """Whether no check failed that is required of all, and there was one."""
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
