"""A deliberate fault in a node: one mistake that somebody could make, patched in before the node opens.

Mutants live in ``mutants_<topic>.py``::

    mutants = Mutants()

    @mutants("HTTP-39", "remembers for a second that a grant is live")
    def liveness_cached() -> None:
        everywhere(threshold.check_live, ...)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """One fault: the requirement that it breaks, what is wrong, and what patches it into this process."""

    name: str
    requirement: str
    what: str
    apply: Callable[[], None]


@dataclass
class Mutants:
    """The mutants of one module."""

    all: list[Mutant] = field(default_factory=list)

    def __call__(self, requirement: str, what: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
        def add(apply: Callable[[], None]) -> Callable[[], None]:
            name = apply.__name__.replace("_", "-")
            self.all.append(Mutant(name=name, requirement=requirement, what=what, apply=apply))
            return apply

        return add


def everywhere(old: Any, new: Any) -> None:
    """Put ``new`` in the place of a function or class, under every name by which a module of ours has it."""
    found = 0
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("freehold_node", "freehold_protocol"):
            for attribute, value in list(vars(module).items()):
                if value is old:
                    setattr(module, attribute, new)
                    found += 1
    assert found, f"{old} is nowhere"


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Put ``around(old, *args, **kwargs)`` in the place of a method or a module's function of this name."""
    old = getattr(owner, name)

    def new(*args: Any, **kwargs: Any) -> Any:
        return around(old, *args, **kwargs)

    if isinstance(owner, type):
        setattr(owner, name, new)
    else:
        everywhere(old, new)
