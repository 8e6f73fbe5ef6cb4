from __future__ import annotations

import hashlib
import itertools
import re

import pytest
from freehold_node.recovery_sheet import code_to_seed, recovery_sheet, seed_to_code
from freehold_protocol.errors import MalformedError
from hypothesis import given, settings
from hypothesis import strategies as st

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SEED = hashlib.sha256(b"a seed").digest()
CODE = seed_to_code(SEED)
CHARS = CODE.replace(" ", "").replace("\n", "")


def replaced(place: int, char: str) -> str:
    return CHARS[:place] + char + CHARS[place + 1 :]


def place_name(place: int) -> str:
    return f"group {place % 20 // 4 + 1} of line {place // 20 + 1} of"


def test_the_code_is_fixed() -> None:
    """A sheet printed today is read by every later release."""
    assert seed_to_code(bytes(range(32))).splitlines() == [
        "000G 40R4 0M30 E209 18K6",
        "5GR3 8E1W 8124 GK2G AHM4",
        "C5RR 34D1 P70X 3RFG 6GMT",
    ]


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_every_seed_comes_back(seed: bytes) -> None:
    code = seed_to_code(seed)
    assert re.fullmatch(r"(([0-9A-HJKMNP-TV-Z]{4}[ \n]?){5}){3}", code)
    assert code_to_seed(code) == seed


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_has_32_bytes(seed: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seed_to_code(seed)


SPELLINGS = {
    "small letters": CODE.lower(),
    "no spaces": CHARS,
    "dashes": CODE.replace(" ", "-"),
    "long dashes": CODE.replace(" ", " \N{EN DASH} "),
    "no-break spaces": CODE.replace(" ", "\u00a0"),
    "one line": CODE.replace("\n", " "),
    "Windows lines": CODE.replace("\n", "\r\n"),
    "space around": f"\n\n  {CODE}\t\n",
    "single characters": " ".join(CHARS),
    "as on the sheet": "\n".join(f"    line {n}    {line}" for n, line in enumerate(CODE.split("\n"), 1)),
    "labels with colons": "\n".join(f"Line {n}: {line}" for n, line in enumerate(CODE.split("\n"), 1)),
    "letters for digits": CODE.replace("0", "O").replace("1", "I"),
    "small letters for digits": CODE.lower().replace("0", "o").replace("1", "l"),
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_how_it_is_typed_does_not_matter(text: str) -> None:
    assert code_to_seed(text) == SEED


def test_every_single_wrong_character_is_found_in_its_group() -> None:
    for place, char in itertools.product(range(60), ALPHABET):
        if char != CHARS[place]:
            with pytest.raises(MalformedError, match=place_name(place)):
                code_to_seed(replaced(place, char))


def test_every_two_characters_that_changed_places_are_noticed() -> None:
    for left, right in itertools.combinations(range(60), 2):
        swapped = list(CHARS)
        swapped[left], swapped[right] = swapped[right], swapped[left]
        if swapped[left] != swapped[right]:
            with pytest.raises(MalformedError):
                code_to_seed("".join(swapped))


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2), st.permutations(range(20)), st.sampled_from(ALPHABET), st.sampled_from(ALPHABET))
def test_any_two_wrong_characters_in_a_line_are_noticed(line: int, order: list[int], a: str, b: str) -> None:
    chars = list(CHARS)
    chars[line * 20 + order[0]], chars[line * 20 + order[1]] = a, b
    if "".join(chars) != CHARS:
        with pytest.raises(MalformedError):
            code_to_seed("".join(chars))


@pytest.mark.parametrize(
    "order", [order for order in itertools.product(range(3), repeat=3) if order != (0, 1, 2)]
)
def test_lines_in_another_order_are_noticed(order: tuple[int, ...]) -> None:
    lines = CODE.split("\n")
    with pytest.raises(MalformedError, match=r"looks like another of its lines"):
        code_to_seed("\n".join(lines[index] for index in order))


def test_any_two_groups_that_changed_places_are_noticed() -> None:
    groups = CODE.split()
    for left, right in itertools.combinations(range(15), 2):
        swapped = list(groups)
        swapped[left], swapped[right] = swapped[right], swapped[left]
        with pytest.raises(MalformedError):
            code_to_seed(" ".join(swapped))


def test_lines_of_two_sheets_do_not_mix() -> None:
    other = seed_to_code(hashlib.sha256(b"another").digest()).split("\n")
    mine = CODE.split("\n")
    for taken in itertools.product((True, False), repeat=3):
        if len(set(taken)) == 2:
            mixed = [mine[index] if own else other[index] for index, own in enumerate(taken)]
            with pytest.raises(MalformedError, match="more than one group"):
                code_to_seed("\n".join(mixed))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 60 characters and this has 0"),
        (CHARS[:-1], "has 60 characters and this has 59"),
        (CHARS + "0", "has 60 characters and this has 61"),
        (CODE.replace(CODE[5:9], CODE[5:8], 1), "group 2 of line 1 has not 4"),
        (CODE[:-3], "group 5 of line 3 has not 4"),
        (CODE.replace(CODE[25:29], CODE[25:29] + "0", 1), "group 1 of line 2 has not 4"),
        (replaced(0, "U"), "group 1 of line 1 has a character that no recovery code has"),
        (replaced(59, "!"), "group 5 of line 3 has a character"),
        (replaced(30, "ı"), "group 3 of line 2 has a character"),
        (replaced(30, "ſ"), "group 3 of line 2 has a character"),
        (replaced(30, "ß"), "group 3 of line 2 has a character"),
        (replaced(30, "０"), "group 3 of line 2 has a character"),
        (CHARS * 20, "too long"),
    ],
)
def test_what_is_no_code(text: str, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        code_to_seed(text)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text(ALPHABET, min_size=60, max_size=60)))
def test_no_text_causes_another_error(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        code_to_seed(text)
    assert not re.search(r"[0-9A-Z]{4}", str(caught.value))


def test_the_sheet_is_a_plain_page() -> None:
    sheet = recovery_sheet(CODE, "23 November 2026")
    assert sheet.isascii()
    assert max(map(len, sheet.splitlines())) <= 72
    assert len(sheet.splitlines()) <= 60
    assert all(line in sheet for line in CODE.split("\n"))
    assert "Keys made: 23 November 2026\n" in sheet
    assert sheet.endswith(".\n")
    assert "{" not in sheet


def test_the_sheet_says_what_it_does_not_bring_back() -> None:
    said = " ".join(recovery_sheet(CODE, "today").split())
    assert "What it does not bring back Your records, your relationships with vendors" in said
    assert "They come from a backup" in said


def test_the_code_on_the_sheet_is_read_back() -> None:
    shown = [line for line in recovery_sheet(CODE, "today").splitlines() if line.startswith("    line ")]
    assert code_to_seed("\n".join(shown)) == SEED


@pytest.mark.parametrize("created", ["two\nlines", "x" * 41, "\x1b[1m"])
def test_the_date_is_one_short_line(created: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        recovery_sheet(CODE, created)
