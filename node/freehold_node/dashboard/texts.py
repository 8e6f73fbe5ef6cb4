"""All texts of the pages, in one place for each language: ``texts/<language>/<file>.toml``, by ``file.key``.

A text holds no markup; what is put into it is escaped, so neither a translator nor a vendor can write into a page.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from markupsafe import Markup, escape

LANGUAGES: Final = ("en", "de")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


@cache
def catalog(language: str) -> Mapping[str, str]:
    """Return every text of a language by its key."""
    found: dict[str, str] = {}
    for file in sorted((files(__package__) / "texts" / language).iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            texts = tomllib.loads(file.read_text("utf-8"))
            found |= {f"{file.name.removesuffix('.toml')}.{key}": str(text) for key, text in texts.items()}
    return found


class Texts:
    """The texts of one language; in templates ``t("today.title", name=...)``."""

    def __init__(self, language: str) -> None:
        self.language, self._texts = language, catalog(language)

    def __call__(self, key: str, **values: object) -> Markup:
        """Return a text with values in their places.

        With a ``count`` the text ``key_one`` is taken for 1 where there is one.

        Raises:
            KeyError: There is no such text, or it has a place for which no value is given.
        """
        if values.get("count") == 1 and f"{key}_one" in self._texts:
            key = f"{key}_one"
        text = self._texts[key]
        pieces = _PLACEHOLDER.split(text)
        return Markup("").join(
            escape(values[piece]) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
        )

    def __contains__(self, key: str) -> bool:
        return key in self._texts


def placeholders(text: str) -> set[str]:
    """Return the names of the places in a text."""
    return set(_PLACEHOLDER.findall(text))


def choose_language(wanted: str | None, accepted: str) -> str:
    """Return the language to answer in.

    Args:
        wanted: What the person chose, if they did.
        accepted: The header ``Accept-Language``.
    """
    if wanted in LANGUAGES:
        return wanted or LANGUAGES[0]
    for part in accepted[:200].lower().split(","):
        name = part.split(";")[0].strip().split("-")[0]
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]
