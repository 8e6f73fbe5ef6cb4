"""Where the parts are that were left out, said so that a person can find them: ``rows 2-9, 14: Date``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from freehold_protocol.reason import Reason

from .preview import Skipped
from .reasons import why

Word = Literal["line", "transaction"]
_MAX_RANGES: Final = 12
_MAX_NAMED: Final = 20
_MAX_DIFFERENT: Final = 500
"""Names that are told apart in one file; what comes after them is placed, but not named."""
_MAX_NAME_CHARS: Final = 40


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (first, last) of each run of numbers, in order."""
    runs: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return runs


def short_name(name: str) -> str:
    """Return the name of a column or property, which may be anything, in a length for a screen."""
    return name if len(name) <= _MAX_NAME_CHARS else name[: _MAX_NAME_CHARS - 1] + "…"


def short_names(names: Iterable[str]) -> str:
    """Return names with commas between them, and how many more there are."""
    return listed(list(dict.fromkeys(map(short_name, names))), most=_MAX_NAMED)


def listed(names: list[str], *, most: int) -> str:
    """Return names with commas between them, at most so many, and how many more there are."""
    shown = ", ".join(names[:most])
    return why("and-more", what=shown, count=len(names) - most) if len(names) > most else shown


def place(word: Word, runs: Sequence[tuple[int, int]], what: str = "", *, most: int | None = None) -> Reason:
    """Return where parts of a file are, and what they are called: ``lines 2-9, 14: Date``.

    Args:
        word: What is counted.
        runs: First and last of each run.
        what: What they are called, if they have a name.
        most: Runs that are named at most.
    """
    said = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs[:most])
    left = 0 if most is None else sum(last - first + 1 for first, last in runs[most:])
    numbers = why("and-more", what=said, count=left) if left else said
    where = why(word if said.isdigit() else f"{word}s", numbers=numbers)
    return why("named", place=where, names=what) if what else where


def at(word: Word, number: int) -> Reason:
    """Return where one part of a file is: ``line 41``."""
    return place(word, [(number, number)])


def within(outer: Reason, inner: Reason) -> Reason:
    """Return where something is within something else: ``card 3, line 41``."""
    return why("within", outer=outer, inner=inner)


class LeftOut:
    """What was left out of a file for the same reason, gathered over all of it.

    A file of ten thousand entries names each reason once, and not ten thousand times.
    """

    def __init__(self, word: Word, *, together: Collection[Reason] = ()) -> None:
        """Gather.

        Args:
            word: What is counted: ``line``.
            together: Reasons that are said once for all names, after the others: what they name is no loss.
        """
        self._word, self._together = word, together
        self._ranges: dict[tuple[str, Reason], list[tuple[int, int]]] = {}

    def add(self, first: int, what: str, reason: Reason, *, last: int | None = None) -> None:
        """Name one part, which is called what; empty if it has no name."""
        if len(self._ranges) >= _MAX_DIFFERENT:
            what = ""
        self._ranges.setdefault((what, reason), []).append((first, last or first))

    def skipped(self) -> tuple[Skipped, ...]:
        """Return one Skipped for each name and reason, in the order of their first numbers."""
        single: list[tuple[list[tuple[int, int]], str, Reason]] = []
        general: dict[Reason, tuple[list[str], list[tuple[int, int]]]] = {}
        for (what, reason), ranges in self._ranges.items():
            if reason in self._together:
                names, every = general.setdefault(reason, ([], []))
                names.append(what)
                every.extend(ranges)
            else:
                single.append((merged(ranges), short_name(what), reason))
        together = [(merged(every), short_names(names), reason) for reason, (names, every) in general.items()]
        return tuple(
            Skipped(where=self._place(runs, what), reason=reason)
            for runs, what, reason in [*sorted(single), *sorted(together)]
        )

    def _place(self, runs: list[tuple[int, int]], what: str) -> Reason:
        return place(self._word, runs, what, most=_MAX_RANGES)
