"""The words that the protocol itself writes, as a list for the suite: ``freehold_conformance/words.txt``.

Two vendors of one person receive these in common, and so do two vendors of two people. They are what stands between
backticks on the pages of the protocol, and the terms of our context.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

LIST = "conformance/freehold_conformance/words.txt"
_SPAN = re.compile(r"`([^`\n]+)`")
_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_RANDOM = re.compile(r"[A-Za-z0-9_-]*\d[A-Za-z0-9_-]*")
_LONGEST = 24
"""Characters of a word with a digit in it; longer ones are keys and digests of the examples."""


def files(root: Path) -> dict[str, bytes]:
    """Return the list, one in a line, sorted."""
    terms = json.loads((root / "specs/contexts/freehold-v1.jsonld").read_text("utf-8"))
    words = set(_terms_of(terms))
    for page in sorted((root / "specs").glob("*.md")):
        if page.name not in ("conformance.md", "security.md"):
            text = _FENCED.sub("", page.read_text("utf-8"))
            words.update(span for span in _SPAN.findall(text) if not _is_none(span))
    return {LIST: "".join(f"{word}\n" for word in sorted(words)).encode()}


def _terms_of(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _terms_of(inner)
    elif isinstance(value, str):
        yield value


def _is_none(span: str) -> bool:
    # Where two backticks enclose one, what lies between two spans looks like a span; it is no word.
    is_word = span == span.strip() and re.search("[A-Za-z]{3}", span)
    return not is_word or any(len(run) > _LONGEST for run in _RANDOM.findall(span))
