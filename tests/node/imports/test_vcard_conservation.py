"""No line of a card vanishes: its words stand in the document, or its line number in what was left out.

The lines are counted here by a second, much simpler reader, so that both would have to be wrong in one way.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from freehold_node.imports import Found, Preview, read_file
from freehold_protocol.contexts import check_terms
from freehold_protocol.record import check_content

STRUCTURE = {"BEGIN", "END", "VERSION", "UID", "KIND"}
START = re.compile(rb"(?:[\w-]+\.)?([\w-]+)[;:]")
WHERE = re.compile(r"card (\d+), lines? ([\d, -]+)(?:: (.*))?\Z")
WORDS = {"M": "male", "F": "female"}


def property_lines(data: bytes) -> Iterator[tuple[int, int, str, bytes]]:
    """Yield card number, line number, name and everything after the name."""
    card = 0
    current: tuple[int, int, str, bytes] | None = None
    for number, line in enumerate(re.split(rb"\r{0,2}\n|\r", data), 1):
        soft = current is not None and b"QUOTED-PRINTABLE" in current[3].upper() and current[3].endswith(b"=")
        if current is not None and (soft or line[:1] in (b" ", b"\t")):
            current = (*current[:3], current[3][:-1] + line if soft else current[3] + line[1:])
            continue
        if current is not None:
            yield current
            current = None
        if line.strip():
            start = START.match(line)
            assert start is not None, f"line {number} of the sample begins no property"
            card += line.upper() == b"BEGIN:VCARD"
            current = (card, number, start[1].decode().upper(), line[start.end(1) :])


def words_of(name: str, rest: bytes) -> set[str]:
    header, _, value = rest.partition(b":")
    if b"QUOTED-PRINTABLE" in header.upper():
        value = quopri.decodestring(value)
    text = value.decode("utf-8").replace("^n", " ")
    text = re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], text)
    text = text.removeprefix("tel:") if name == "TEL" else text
    if name == "BDAY":
        text = re.sub(r"(\d{4})-?(\d\d)-?(\d\d)", r"\1-\2-\3", text)
    return {WORDS.get(word, word).casefold() for word in re.findall(r"\w+", text)}


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from texts_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_of(one)
    else:
        yield value


def named_lines(found: Found) -> dict[int, str]:
    """Return each line number that was left out, with the names beside it."""
    named: dict[int, str] = {}
    for skipped in found.skipped:
        where = WHERE.match(skipped.where)
        assert where is not None, skipped.where
        for part in where[2].split(", "):
            first, _, last = part.partition("-")
            named |= dict.fromkeys(range(int(first), int(last or first) + 1), where[3] or "")
    return named


def check_nothing_is_lost(data: bytes, preview: Preview) -> int:
    """Return how many lines were checked."""
    cards = {int(found.where.removeprefix("card ")): found for found in preview.found}
    checked = 0
    for card, number, name, rest in property_lines(data):
        found = cards[card]
        checked += 1
        named = named_lines(found)
        if number in named:
            assert name[:20] in named[number], f"line {number} is named without {name}"
        elif name not in STRUCTURE:
            kept = {word.casefold() for text in texts_of(found.document) for word in re.findall(r"\w+", text)}
            missing = words_of(name, rest) - kept
            assert not missing, f"line {number} ({name}) is neither in the document nor named"
    return checked


@pytest.mark.vectors
def test_every_sample_is_read_and_nothing_is_lost(vectors: Path, count_vectors: Callable[..., None]) -> None:
    samples = sorted((vectors / "personal-data").rglob("*.vcf"))
    assert len(samples) >= 9
    for sample in samples:
        data = sample.read_bytes()
        preview = read_file(data, name=sample.name)
        assert preview.format == "vCard"
        assert preview.skipped == ()
        assert len(preview.found) == len(re.findall(rb"(?mi)^BEGIN:VCARD", data))
        assert check_nothing_is_lost(data, preview) > 10
        for found in preview.found:
            check_terms(found.document)
            check_content({name: value for name, value in found.document.items() if name != "@context"})
        count_vectors("personal-data", 1)


@pytest.mark.vectors
@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ("John_Doe_ANDROID.vcf", {"bob@company.com", "http://www.company.com", "ÑÑÑÑÑÑÑÑÑÑÑÑÑÑ"}),
        ("John_Doe_IPHONE.vcf", {"Street4\nBuilding 6\nFloor 8", "http://www.ibm.com", "905-888-1234"}),
        ("John_Doe_MAC_ADDRESS_BOOK.vcf", {"Richter,James", "Silicon Alley 5,", "2012-06-06"}),
        ("John_Doe_EVOLUTION.vcf", {"ASB-123", "Dungeon", "United States of America", "VIP"}),
        ("fullcontact.vcf", {"2016-08-01", "male", "skype:skype", "CustomStreet", "Organization2"}),
        ("gmail-single.vcf", {"123 Home St\nHome City, HM 12345", "CustomAdrType", "1960-09-10"}),
        ("issue114.vcf", {"Dummy, Dummy", "Dummy-Dummy-Strasse 1", "BHG01:", "61352"}),
        ("outlook-2003.vcf", {"This is the note field!!\nSecond line\n\nThird line is empty", "1980-03-21"}),
        ("rfc2426-example.vcf", {"Frank Dawson", "Mountain View", "94043", "+1-415-528-4164"}),
    ],
)
def test_a_sample_says_what_it_says(vectors: Path, sample: str, words: set[str]) -> None:
    preview = read_file((vectors / "personal-data" / "vcard-ezvcard" / sample).read_bytes())
    assert words <= {text for found in preview.found for text in texts_of(found.document)}


def test_the_bundled_address_book_loses_nothing() -> None:
    data = files("freehold_node").joinpath("sample", "address-book.vcf").read_bytes()
    assert check_nothing_is_lost(data, read_file(data)) > 60
