"""Names that look like another's are told from those that only look foreign."""

from __future__ import annotations

import pytest
from freehold_node.dashboard.consent.lookalike import readable_domain, skeleton, suspicions

KNOWN = ("Example Shop", "shop.example")
CASES = {
    "the same name is no twin": ("Example Shop", None, []),
    "another name": ("Corner Bakery", None, []),
    "only case": ("EXAMPLE shop", None, ["twin"]),
    "only spaces and points": ("Example-Shop.", None, ["twin"]),
    "Cyrillic letters in a Latin word": ("Ex\u0430mple Shop", None, ["twin", "mixed"]),
    "Greek letters in a Latin word": ("Ph\u03c9ne", None, ["mixed"]),
    "a digit for a letter": ("Examp1e Shop", None, ["twin"]),
    "two letters for one": ("Exarnple Shop", None, ["twin"]),
    "a capital i for a small L": ("ExampIe Shop", None, ["twin"]),
    "accents": ("Éxample Shop", None, ["twin"]),
    "wide letters": ("\uff25xample Shop", None, ["twin"]),
    "a word of each script": ("ООО Shop", None, []),
    "Japanese as it is written": ("東京ショップのShop", None, []),
    "Korean with Latin": ("삼성Phone", None, []),
    "all Cyrillic": ("Магазин", None, []),
    "a name that is an address nobody vouches for": ("bank.example", None, ["address"]),
    "a name that is another address": ("bank.example", "evil.example", ["address"]),
    "a name that is its address": ("bank.example", "bank.example", []),
    "a domain like a known one": ("Shop", "sh0p.example", ["twin"]),
    "a domain in disguise": ("Shop", "xn--shp-ted.example", ["twin", "mixed"]),
    "a very long name": ("W" * 10_000, None, []),
}


@pytest.mark.requirement("DSH-22")
@pytest.mark.parametrize("case", CASES)
def test_what_is_suspicious(case: str) -> None:
    name, domain, expected = CASES[case]
    assert [one.kind for one in suspicions(name, domain, KNOWN)] == expected


def test_what_a_twin_looks_like_is_named() -> None:
    (found,) = suspicions("Exarnple Shop", None, KNOWN)
    assert (found.word, found.other) == ("Exarnple Shop", "Example Shop")


def test_what_shows_no_letters_is_nobodys_twin() -> None:
    assert suspicions("---", None, ("...",)) == ()
    assert skeleton("---") == ""


def test_domains_are_read_as_they_are_shown() -> None:
    assert readable_domain("xn--mller-kva.example") == "müller.example"
    assert readable_domain("xn--\u00fc.example") == "xn--\u00fc.example"
