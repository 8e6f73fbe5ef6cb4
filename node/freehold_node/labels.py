"""What a record is called, and by what it is found."""

from __future__ import annotations

import unicodedata
from typing import Final

from freehold_protocol.encoding import Document

_SOUGHT_CHARS: Final = 120


def label_of(document: Document) -> str:
    """Return what a person calls a record by: its name, or its type, with its number if it has one."""
    name, kind = document.get("name"), str(document.get("type", ""))
    if isinstance(name, str):
        return name
    numbers = (document.get(term) for term in ("orderNumber", "identifier"))
    number = next((one for one in numbers if isinstance(one, str)), "")
    return f"{kind} {number}".strip()


def sought_form(text: str) -> str:
    """Return a text as it is compared with others when a record is looked for: without regard to case."""
    return unicodedata.normalize("NFKC", text).casefold()[:_SOUGHT_CHARS]
