"""The members of documents: each reader's right forms and its wrong ones."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from freehold_protocol import form, limits
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import json_values

DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
UUID = "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "expected a JSON object"),
        (None, "expected a JSON object"),
        ("id", "expected a JSON object"),
        ({}, "'id' is missing"),
        ({"note": 1}, "'id' is missing"),
        ({"id": 1, "more": 2}, "'more' is not part"),
        ({"id": 1, "Id": 2}, "'Id' is not part"),
        ({"id": 1, "x" * 1000: 2}, f"'{'x' * 40}' is not part"),
    ],
)
def test_members(document: Any, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        form.check_members(document, required=("id",), optional=("note",))


@pytest.mark.parametrize("document", [{"id": None}, {"id": 1, "note": None}])
def test_members_that_are_all_there(document: Any) -> None:
    assert form.check_members(document, required=("id",), optional=("note",)) is document


TEXTS_THAT_SHOW = [
    "Ada",
    "a",
    "Bücher & Söhne",
    "本屋",
    "ක්‍රියා",  # a joiner that the script needs
    "👩‍💻",  # and one that an emoji needs
    "❤\ufe0f",
    "A  B",
    "مكتبة",
    "7",
    "-",
]


@pytest.mark.parametrize("value", TEXTS_THAT_SHOW)
def test_a_text_that_shows_what_it_holds(value: str) -> None:
    assert form.text(value, "name", most=120) == value


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "\t", "\u00a0", "\u2003",
        "a\tb", "a\rb", "a\0b", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b",
        "a\u202eb",  # right-to-left override
        "a\u2066b", "a\u200eb", "a\u200bb", "a\u2060b", "a\ufeffb", "a\u00adb", "a\U000e0041b",
        "a\ue000b", "a\ufdd0b", "a\U0010ffffb", "a\ud800b",
        "\u200d", "\u200c\u200d", " \u200d ", "\ufe0f", "\u0301", "\u0300\u200d",
        "\u3164", "a\u3164b", "a\u115fb", "a\u1160b", "a\uffa0b", "\u2800", "\u2800 \u2800",
        None, 1, True, ["a"], {"a": 1},
    ],
)  # fmt: skip
def test_a_text_that_does_not(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.text(value, "name", most=120)


def test_a_line_break_only_where_lines_are_expected() -> None:
    assert form.text("one\ntwo", "benefit", lines=True) == "one\ntwo"
    with pytest.raises(MalformedError):
        form.text("Example Shop\nVouched for by your bank", "name")
    with pytest.raises(MalformedError):
        form.text("\n", "benefit", lines=True)


def test_a_text_is_measured_before_it_is_read() -> None:
    assert form.text("a" * limits.MAX_TEXT, "benefit")
    with pytest.raises(TooLargeError):
        form.text("a" * (limits.MAX_TEXT + 1), "benefit")
    with pytest.raises(TooLargeError):  # not "is not a text": nobody looked
        form.text(" " * (limits.MAX_TEXT + 1), "benefit")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, 1), (1, True), (1, 1.0), ("1", 1), (None, "x"), (["a"], "a"), ([], False), ({}, [])],
)
def test_a_constant_is_of_its_kind(value: Any, expected: Any) -> None:
    with pytest.raises(MalformedError):
        form.constant(value, expected, "type")


def test_the_constant_itself() -> None:
    form.constant(["a", "b"], ["a", "b"], "@context")


@pytest.mark.parametrize("value", [0, 1, "true", None, [], 1.0])
def test_what_is_no_boolean(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.boolean(value, "required")


def test_booleans() -> None:
    assert form.boolean(True, "required") is True
    assert form.boolean(False, "required") is False


@pytest.mark.parametrize("value", [0, -1, 2**53, 1.0, True, "1", None, [1], float("nan")])
def test_what_is_no_count(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.count(value, "reads")


def test_counts() -> None:
    assert form.count(1, "reads") == 1
    assert form.count(2**53 - 1, "reads") == 2**53 - 1
    assert form.count(0, "number", least=0, most=3) == 0
    with pytest.raises(MalformedError):
        form.count(4, "number", least=0, most=3)


def test_arrays() -> None:
    read: list[int] = []
    assert form.array([1, 2], "counts", lambda item: item + 1, most=2) == (2, 3)
    wrong: tuple[Any, ...] = (None, {}, "ab", 1, (1, 2))
    for value in wrong:
        with pytest.raises(MalformedError):
            form.array(value, "counts", read.append, most=2)
    with pytest.raises(MalformedError):
        form.array([], "counts", read.append, least=1, most=2)
    with pytest.raises(TooLargeError):
        form.array([1, 2, 3], "counts", read.append, most=2)
    assert read == []  # nothing was read before its bound was known


def test_distinct() -> None:
    assert form.distinct(("a", "b"), "names") == ("a", "b")
    with pytest.raises(MalformedError, match="names repeats"):
        form.distinct(("a", "b", "a"), "names")


@pytest.mark.parametrize("value", ["a", "age-check", "a1-2b", "a" * 40])
def test_short_names(value: str) -> None:
    assert form.short_name(value, "name") == value


@pytest.mark.parametrize(
    "value",
    ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a.b", "a/b", "a b", "a\n", "é", "a٣", "a" * 41, "a-" * 30, None, 1],
)  # fmt: skip
def test_what_is_no_short_name(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.short_name(value, "name")


@pytest.mark.parametrize(
    "value",
    [UUID.upper(), UUID.removeprefix("urn:uuid:"), UUID + " ", UUID + "\n", UUID[:-1], UUID + "0",
     UUID.replace("-", ""), "URN" + UUID[3:], UUID.replace("5", "g"), "", None, 1],
)  # fmt: skip
def test_what_is_no_urn_uuid(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.urn_uuid(value, "id")


@pytest.mark.parametrize("value", [DID, "did:web:shop.example", "did:web:shop.example%3A8443:a"])
def test_dids(value: str) -> None:
    assert form.did(value, "assignee") == value


@pytest.mark.parametrize(
    "value",
    [DID + "#z6", DID + "?a=b", DID + "/a", DID + "\n", "did:", "did:key", "did:key:", "did::z6", "did:KEY:z6",
     "DID:key:z6", "key:z6", "did:key:z6 ", "did:key:é", "did:key:" + "z" * 513, "did:" + "k" * 33 + ":z", "", None, 1],
)  # fmt: skip
def test_what_is_no_did(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.did(value, "assignee")


@pytest.mark.parametrize(
    "value", ["a" * 21, "a" * 65, "a" * 21 + "=", "a" * 21 + "+", "a" * 22 + "\n", "", None, 22]
)
def test_what_is_no_nonce(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.nonce(value)


def test_nonces() -> None:
    assert form.nonce("A" * 22) == "A" * 22
    assert form.nonce("-_" * 32) == "-_" * 32


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("P1D", 86_400), ("P30D", 2_592_000), ("P9999D", 863_913_600), ("P2W", 1_209_600), ("P6M", 15_552_000),
        ("P1Y", 31_536_000), ("PT1H", 3_600), ("PT36H", 129_600), ("PT1M", 60), ("P01D", 86_400),
    ],
)  # fmt: skip
def test_durations(value: str, seconds: int) -> None:
    assert form.duration_s(value, "retention") == seconds


@pytest.mark.parametrize(
    "value",
    ["P0D", "PT0H", "P", "PT", "P1", "1D", "P1D1D", "P1DT1H", "P1Y1M", "PT1S", "P-1D", "-P1D", "P1.5D", "P10000D",
     "p1d", "P1D\n", " P1D", "P٣D", "PT1D", "P1H", "", None, 1, ["P1D"]],
)  # fmt: skip
def test_what_is_no_duration(value: Any) -> None:
    with pytest.raises(MalformedError):
        form.duration_s(value, "retention")


def test_a_number_has_one_spelling() -> None:
    assert [form.decimal(text, "x") for text in ("0", "7", "10", "9" * 18)] == [0, 7, 10, 10**18 - 1]


@pytest.mark.parametrize(
    "text",
    ["", "00", "01", "+1", "-1", "1.0", "1e3", " 1", "1 ", "1\n", "1_0", "0x1", "\u0661", "1" * 19, "x"],
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(MalformedError):
        form.decimal(text, "x")


READERS = [
    lambda value: form.check_members(value, required=("a",)),
    lambda value: form.text(value, "x"),
    lambda value: form.text(value, "x", lines=True),
    lambda value: form.constant(value, "a", "x"),
    lambda value: form.boolean(value, "x"),
    lambda value: form.count(value, "x"),
    lambda value: form.array(value, "x", lambda item: form.did(item, "y"), most=2),
    lambda value: form.short_name(value, "x"),
    lambda value: form.urn_uuid(value, "x"),
    lambda value: form.did(value, "x"),
    form.nonce,
    lambda value: form.duration_s(value, "x"),
]


@settings(max_examples=100)
@given(json_values, st.sampled_from(READERS))
def test_any_json_value_is_read_or_refused(value: Any, read: Any) -> None:
    with suppress(FreeholdError):
        read(value)
