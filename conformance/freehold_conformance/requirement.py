"""The numbered requirements of the specification, as a table that is made from its pages.

Spec: specs/conformance.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement: where it stands and what it begins with.

    Attributes:
        level: ``MUST``, ``SHOULD`` or ``MAY``: the strongest word in it.
        implementation: Whether it is about the node in this repository and no part of the protocol.
    """

    id: str
    page: str
    anchor: str
    level: str
    text: str
    implementation: bool

    @property
    def link(self) -> str:
        """The place in the specification, ``specs/http.md#messages``."""
        return f"specs/{self.page}#{self.anchor}"


@cache
def requirements() -> dict[str, Requirement]:
    """Return all requirements by id, in the order of the specification."""
    found = json.loads(files(__package__).joinpath("requirements.json").read_text("utf-8"))
    return {one["id"]: Requirement(**one) for one in found}
