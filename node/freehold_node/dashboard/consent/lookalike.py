"""Names and domains that look like somebody else's: letters of several scripts in one word, and twins of known names.

What is found is no proof of anything. It is said beside the name, so that a person looks twice.

Spec: specs/node/dashboard.md#who-asks
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal

Kind = Literal["mixed", "twin", "address"]
_WORD = re.compile(r"[\s.,:;/_|()\[\]-]+")
_ADDRESS = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}\Z")
_MOST_CHARS: Final = 300
# Scripts that are written together as a matter of course.
_TOGETHER: Final = (
    frozenset({"HIRAGANA", "KATAKANA", "CJK", "LATIN"}),
    frozenset({"HANGUL", "CJK", "LATIN"}),
    frozenset({"BOPOMOFO", "CJK", "LATIN"}),
)
_SAME: Final = str.maketrans(
    # Cyrillic, then Greek, then others, each after casefold, beside the Latin letter that it is taken for.
    "авекмнорстухіјѕԁӏԛԝүьһпгαβεικνορτυχγηωζμϲϳıɑɡɩʟօսոցհ0158|",
    "abekmhopctyxijsdlqwybhnrabeikvoptuxynwzucjiagiloungholsbl",
)  # fmt: skip
_PAIRS: Final = (
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
    ("i", "l"),
)  # a capital i and a small L are one stroke


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What to look twice at.

    ``mixed``: ``word`` has letters of several scripts; ``twin``: it looks like ``other``, which is somebody else;
    ``address``: the name looks like a web address that nobody vouches for.
    """

    kind: Kind
    word: str
    other: str = ""


def suspicions(name: str, domain: str | None, known: Iterable[str]) -> tuple[Suspicion, ...]:
    """Return what is suspicious about who asks, the gravest first.

    Args:
        name: As the vendor says it.
        domain: What was checked; None if nobody vouches for the name.
        known: Names and domains of others the person deals with.
    """
    name, shown = name[:_MOST_CHARS], None if domain is None else readable_domain(domain)
    own = [name] if shown is None else [name, shown]
    found = [_twin(text, other) for other in known for text in own]
    found += [_mixed(text) for text in own]
    if _ADDRESS.match(name.casefold()) and name.casefold() not in (domain, shown):
        found.append(Suspicion(kind="address", word=name))
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _twin(text: str, other: str) -> Suspicion | None:
    if text == other or skeleton(text) != skeleton(readable_domain(other)) or not skeleton(text):
        return None
    return Suspicion(kind="twin", word=text, other=other)


def _mixed(text: str) -> Suspicion | None:
    for word in _WORD.split(text):
        scripts = {script for char in word if (script := _script(char))}
        if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
            return Suspicion(kind="mixed", word=word)
    return None


@cache
def _script(char: str) -> str:
    """Return the script of a letter, by its name; "" for what is no letter."""
    if not char.isalpha():
        return ""
    script = unicodedata.name(char, "").partition(" ")[0].partition("-")[0]
    return "LATIN" if script in ("FULLWIDTH", "MODIFIER", "FEMININE", "MASCULINE") else script


@lru_cache(maxsize=4096)
def skeleton(text: str) -> str:
    """Return what is left of a text for somebody who does not look closely: texts of one skeleton look alike."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text[:_MOST_CHARS]).casefold())
    letters = "".join(char for char in plain if char.isalnum() or char == "|").translate(_SAME)
    for pair, one in _PAIRS:
        letters = letters.replace(pair, one)
    return letters


def readable_domain(domain: str) -> str:
    """Return a domain with its ``xn--`` labels as a person would read them."""
    return ".".join(map(_label, domain.split(".")))


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.removeprefix("xn--").encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label
