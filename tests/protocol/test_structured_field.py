"""Structured fields: the HTTP working group's cases, what is refused beyond them, and arbitrary text."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.structured_field import (
    BareItem,
    InnerList,
    Item,
    Member,
    Token,
    parse_dictionary,
    parse_item,
    parse_list,
    serialize_dictionary,
    serialize_list,
    serialize_member,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("FREEHOLD_VECTORS", ROOT.parent / "shared" / "vectors")) / "structured-fields"

# Every file of the folder but the two below; lists are parsed with the same code as dictionaries.
FILES = [
    "binary.json",
    "boolean.json",
    "dictionary.json",
    "examples.json",
    "item.json",
    "key-generated.json",
    "large-generated.json",
    "list.json",
    "listlist.json",
    "number-generated.json",
    "number.json",
    "param-dict.json",
    "param-list.json",
    "param-listlist.json",
    "string-generated.json",
    "string.json",
    "token-generated.json",
    "token.json",
]
NOT_SUPPORTED = ["date.json", "display-string.json"]  # the kinds RFC 9651 added; each case must be refused

# Valid by the RFC, where the last of two equal keys wins; refused here.
REPEATED_KEY = {
    "duplicate key dictionary",
    "duplicate parameter with different positions",
    "0x2c in dictionary key",
    "0x3b in parameterised list key",
}
# Failing is allowed by the cases themselves: base64 in another spelling than ours.
ANOTHER_BASE64 = {"bad padding", "non-zero pad bits"}


def cases(name: str) -> list[dict[str, Any]]:
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"the test data {path.name} is not there: set FREEHOLD_VECTORS")
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    assert found
    return found


def parse(kind: str, raw: list[str]) -> Any:
    text = ", ".join(raw)
    if kind == "dictionary":
        return parse_dictionary(text, max_chars=30_000)
    return parse_list(text, max_chars=30_000) if kind == "list" else parse_item(text, max_chars=30_000)


def serialize(kind: str, value: Any) -> list[str]:
    if kind == "item":
        return [serialize_member(value)]
    text = serialize_dictionary(value) if kind == "dictionary" else serialize_list(value)
    return [text] if text else []


def bare(value: Any) -> BareItem:
    if isinstance(value, dict):
        if value["__type"] == "token":
            return Token(value["value"])
        assert value["__type"] == "binary"
        return base64.b32decode(value["value"])
    assert isinstance(value, (bool, int, Decimal, str))
    return value


def member(value: Any) -> Member:
    parameters = {key: bare(item) for key, item in value[1]}
    if isinstance(value[0], list):
        items = tuple(Item(value=bare(item), parameters=dict(_pairs(more))) for item, more in value[0])
        return InnerList(items=items, parameters=parameters)
    return Item(value=bare(value[0]), parameters=parameters)


def _pairs(parameters: Any) -> list[tuple[str, BareItem]]:
    return [(key, bare(value)) for key, value in parameters]


def structure(kind: str, expected: Any) -> Any:
    if kind == "dictionary":
        return {key: member(value) for key, value in expected}
    return [member(value) for value in expected] if kind == "list" else member(expected)


def kinds(value: Any) -> Any:
    """The value with the types that ``==`` does not see: 1 and True, a token and a string."""
    if isinstance(value, dict):
        return [(key, kinds(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [kinds(item) for item in value]
    if isinstance(value, Item):
        return kinds(value.value), kinds(value.parameters)
    if isinstance(value, InnerList):
        return kinds(value.items), kinds(value.parameters)
    return type(value), value


@pytest.mark.vectors
@pytest.mark.parametrize("name", FILES)
def test_working_group_cases(name: str, count_vectors: Callable[..., None]) -> None:
    count_vectors("structured-fields", len(cases(name)))
    for case in cases(name):
        kind, raw, label = case["header_type"], case["raw"], case["name"]
        if case.get("must_fail") or label in REPEATED_KEY | ANOTHER_BASE64:
            assert label not in ANOTHER_BASE64 or case["can_fail"], label
            refused = DuplicateKeyError if label in REPEATED_KEY else FreeholdError
            with pytest.raises(refused):
                print(label, parse(kind, raw))
            continue
        parsed = parse(kind, raw)
        assert kinds(parsed) == kinds(structure(kind, case["expected"])), label
        assert serialize(kind, parsed) == case.get("canonical", raw), label


@pytest.mark.vectors
@pytest.mark.parametrize("name", NOT_SUPPORTED)
def test_dates_and_display_strings_are_refused(name: str, count_vectors: Callable[..., None]) -> None:
    count_vectors("structured-fields", len(cases(name)))
    for case in cases(name):
        refused = FreeholdError if case.get("must_fail") else UnsupportedError
        with pytest.raises(refused):
            print(case["name"], parse(case["header_type"], case["raw"]))


@pytest.mark.vectors
def test_every_file_of_cases_is_run_or_refused() -> None:
    if not VECTORS.is_dir():
        pytest.skip("no structured-fields folder: set FREEHOLD_VECTORS")
    assert sorted(path.name for path in VECTORS.glob("*.json")) == sorted(FILES + NOT_SUPPORTED)


@pytest.mark.vectors
@pytest.mark.parametrize(
    "name", ["key-generated.json", "number.json", "string-generated.json", "token-generated.json"]
)
def test_serialisation_cases(name: str, count_vectors: Callable[..., None]) -> None:
    count_vectors("structured-fields", len(cases(f"serialisation-tests/{name}")))
    for case in cases(f"serialisation-tests/{name}"):
        value = structure(case["header_type"], case["expected"])
        if case.get("must_fail"):
            with pytest.raises(ValueError, match=r"token|string|key|digits"):
                print(case["name"], serialize(case["header_type"], value))
        else:
            assert serialize(case["header_type"], value) == case["canonical"], case["name"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a=1, a=2", DuplicateKeyError),
        ("a=1, b, a", DuplicateKeyError),
        ("a=1;x;x", DuplicateKeyError),
        ("a=(1;x=1;x=2)", DuplicateKeyError),
        ("a=(1 2);x;y;x", DuplicateKeyError),
        ("a=@1659578233", UnsupportedError),
        ('a=%"f%c3%bc"', UnsupportedError),
        ("a=(1", MalformedError),
        ("a=(", MalformedError),
        ("a=(1\t2)", MalformedError),
        ('a=(1"b")', MalformedError),
        ("a=((1))", MalformedError),
        ("a=1;", MalformedError),
        ("a=1;\tb", MalformedError),
        ("a=1\n", MalformedError),
        ("a=1, \u00a0b=2", MalformedError),
        ("a=\u0661", MalformedError),  # a digit, but not of ASCII
        ("a=1b", MalformedError),
        ("a=?2", MalformedError),
        ("a=:YQ:", MalformedError),
        ("a=:YR==:", MalformedError),
        ('a="\\n"', MalformedError),
        ("\ta=1", MalformedError),
        ("x" * 8193, TooLargeError),
    ],
)
def test_dictionaries_that_are_refused(text: str, error: type[FreeholdError]) -> None:
    with pytest.raises(error) as raised:
        parse_dictionary(text)
    assert raised.type is error


def test_a_token_is_not_a_string() -> None:
    assert parse_item("abc").value == "abc"
    assert isinstance(parse_item("abc").value, Token)
    assert not isinstance(parse_item('"abc"').value, Token)
    assert serialize_member(Item(value=Token("abc"))) == "abc"
    assert serialize_member(Item(value="abc")) == '"abc"'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e12", "-1e12", "1e999999999", "999999999999.9999"])
def test_decimals_out_of_range_are_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="12 digits"):
        serialize_member(Item(value=Decimal(text)))


PIECES = [
    "a",
    "b=",
    "1",
    "-1.5",
    "0.10",
    '"s',
    '"',
    '\\"',
    ":YQ==:",
    ":",
    "?1",
    "tok",
    "(",
    ")",
    ";",
    "; k=",
    ",",
    " ",
]
ANY_TEXT = st.one_of(
    st.text(max_size=40), st.lists(st.sampled_from([*PIECES, "\t", "=", "@", "%"])).map("".join)
)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(ANY_TEXT)
def test_any_text_is_refused_or_has_one_spelling(text: str) -> None:
    for kind in ("dictionary", "list", "item"):
        try:
            parsed = parse(kind, [text])
        except FreeholdError:
            continue
        written = serialize(kind, parsed)
        assert kinds(parse(kind, written)) == kinds(parsed)
        assert serialize(kind, parse(kind, written)) == written
