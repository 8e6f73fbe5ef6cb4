"""Why something is left out or refused, in the person's language, where it is said by a code.

What is said in words of the protocol's alone is in English, and is marked as that.

Spec: specs/node/dashboard.md#reasons
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from freehold_protocol.reason import Reason
from markupsafe import Markup, escape

from .page import foreign
from .texts import Texts

_MOST_CHARS: Final = 500
"""Of what stands in a place: names of columns, as many as are named at once."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, and the language it is in, where that is not the page's."""

    text: Markup
    language: str = ""


NOTHING: Final = Said(Markup())
"""Where there is nothing to say."""


def said(t: Texts, text: str) -> Said:
    """Return a sentence as a page says it; where it has no code, as it is."""
    if isinstance(text, Reason):
        return Said(in_words(t, text))
    return Said(escape(text[:_MOST_CHARS]), "" if not text or t.language == "en" else "en")


def why(t: Texts, error: Exception) -> Said:
    """Return why an error was raised."""
    return said(t, Reason.of(error) or str(error))


def in_words(t: Texts, reason: Reason) -> Markup:
    """Return a reason in the language of the texts."""
    told = {name: _value(t, value) for name, value in reason.told.items()}
    return t(f"reasons.{reason.code.replace('-', '_')}", **told)


def _value(t: Texts, value: object) -> object:
    if isinstance(value, Reason):
        return in_words(t, value)
    if isinstance(value, tuple):
        return Markup("; ").join(escape(_value(t, one)) for one in value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", str(t("ledger.thousands"))) if value >= 1000 else value
    text = str(value)[:_MOST_CHARS]
    return text if text.isascii() and text.replace(".", "").isdigit() else foreign(text)
