"""What happened in a demonstration, step by step, as data: printed for a person, checked by a test."""

from __future__ import annotations

from dataclasses import dataclass, field

from freehold_protocol.encoding import Document

from .expectation import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        title: What is done, by whom.
        commands: What a person would type for it; run exactly so.
        wire: What went over the network, a line each.
        results: What came of it, a line each.
    """

    title: str
    commands: tuple[str, ...] = ()
    wire: tuple[str, ...] = ()
    results: tuple[str, ...] = ()

    def to_dict(self) -> Document:
        """Return the step as JSON."""
        return {
            "title": self.title,
            "commands": list(self.commands),
            "wire": list(self.wire),
            "results": list(self.results),
        }


@dataclass(slots=True, kw_only=True)
class Facts:
    """What really came, by step; every value was seen, none is made up.

    ``first``, ``narrowed`` and ``courier`` map a permission to the values that were read under it; ``refused``
    maps ``who permission when`` to the code of the refusal; ``damaged`` are the numbers that verification named.
    """

    codes: list[str] = field(default_factory=list)
    digest: str = ""
    granted: dict[str, list[str]] = field(default_factory=dict)
    first: dict[str, Values] = field(default_factory=dict)
    narrowed: dict[str, Values] = field(default_factory=dict)
    courier: dict[str, Values] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    entries: list[Document] = field(default_factory=list)
    altered: int | None = None
    damaged: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Transcript:
    """The steps so far, and the facts they showed."""

    steps: list[Step] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
