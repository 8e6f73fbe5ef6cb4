"""The numbers: that they fit each other, and that the page has the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from freehold_protocol import limits

PAGE = Path(__file__).resolve().parents[2] / "specs" / "limits.md"
NUMBERS = {name: value for name, value in vars(limits).items() if name.isupper()}
_ROW = re.compile(r"^\| `([A-Z_]+)` \| ([0-9,]+) \|", re.MULTILINE)


def test_the_page_lists_every_number_and_no_other() -> None:
    listed = {name: int(value.replace(",", "")) for name, value in _ROW.findall(PAGE.read_text("utf-8"))}
    assert listed == NUMBERS


def test_every_number_is_a_positive_whole_number() -> None:
    assert NUMBERS
    assert all(type(value) is int and value > 0 for value in NUMBERS.values())


def test_they_fit_each_other() -> None:
    assert limits.DEFAULT_PAGE <= limits.MAX_PAGE
    assert limits.MIN_NONCE_CHARS < limits.MAX_NONCE_CHARS
    assert limits.CAPABILITY_DAYS <= limits.MAX_CAPABILITY_DAYS <= limits.MAX_GRANT_DAYS
    assert limits.MAX_CAPABILITY_WIRE_BYTES <= limits.MAX_CAPABILITY_BYTES <= limits.MAX_DOCUMENT_BYTES
    assert limits.CLOCK_SKEW_S < limits.MAX_SIGNATURE_LIFETIME_S
    # A link embeds its parent in an array in an object in its proof, so the longest chain must not be too deep.
    assert 3 * limits.MAX_CHAIN_LINKS < limits.MAX_DEPTH
