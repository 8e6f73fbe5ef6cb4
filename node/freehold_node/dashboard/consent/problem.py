"""What is wrong with a field of a form, before it is put into words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that cannot be so: the name of the field, and the text about it among those of its page."""

    field: str
    text: str
