"""Canonical bytes: the vectors of JCS, both encoders against each other, and what cannot be canonicalized."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from freehold_protocol.canonical import _is_simple, document_cid, jcs, jcs_digest, jcs_of_plain, without_proof
from freehold_protocol.encoding import cid_of, parse_json
from freehold_protocol.errors import MalformedError, TooDeepError
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = ("arrays", "french", "structures", "unicode", "values", "weird")
SAFE = 2**53 - 1


@pytest.mark.vectors
@pytest.mark.parametrize("name", NAMES)
def test_jcs_documents(vectors: Path, count_vectors: Callable[..., None], name: str) -> None:
    folder = vectors / "jcs" / "testdata"
    expected = (folder / "output" / f"{name}.json").read_bytes()
    made = jcs(parse_json((folder / "input" / f"{name}.json").read_bytes()))
    assert made == expected
    assert made == bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())
    assert jcs(parse_json(made)) == made
    count_vectors("jcs", 1)


@pytest.mark.vectors
def test_jcs_numbers(vectors: Path, count_vectors: Callable[..., None]) -> None:
    lines = (vectors / "jcs" / "es6numbers10000.txt").read_text("ascii").split()
    assert len(lines) == 10_000
    for line in lines:
        bits, _, expected = line.partition(",")
        (number,) = struct.unpack(">d", bytes.fromhex(bits.rjust(16, "0")))
        assert jcs([number]) == f"[{expected}]".encode(), line
        # What was signed as these bytes verifies again after it was read.
        assert jcs(parse_json(jcs([number]))) == jcs([number]), line
    count_vectors("jcs", len(lines))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, b"{}"),
        ([], b"[]"),
        ({"b": 1, "a": [None, True, False, "x"]}, b'{"a":[null,true,false,"x"],"b":1}'),
        ({"\u20ac": 1, "\r": 2, "\U0001f600": 3, "1": 4}, '{"\\r":2,"1":4,"€":1,"😀":3}'.encode()),
        ({"\ufb33": 1, "\U0001f600": 2}, '{"😀":2,"\ufb33":1}'.encode()),  # by UTF-16, not by code point
        ('\u0000\u001f\u007f\u0080/\\"', '"\\u0000\\u001f\u007f\u0080/\\\\\\""'.encode()),
        ("\b\t\n\f\r", b'"\\b\\t\\n\\f\\r"'),
        (1.0, b"1"),
        (-0.0, b"0"),
        (1e21, b"1e+21"),
        (1e20, b"100000000000000000000"),
        (10**20, b"100000000000000000000"),
        (-(10**20), b"-100000000000000000000"),
        (2**53, b"9007199254740992"),
        (SAFE, b"9007199254740991"),
        ({"a": [0.1, 10**20]}, b'{"a":[0.1,100000000000000000000]}'),
    ],
)
def test_bytes(value: Any, expected: bytes) -> None:
    assert jcs(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        {"a": [float("-inf")]},
        2**53 + 1,
        -(2**53) - 1,
        [2**60],
        {"a": 10**21},
        10**4000,
        "\ud800",
        ["a\udfffb"],
        {"\ud800": 1},
        {1: 2},
        {None: 1},
        b"bytes",
        {"a": object()},
        {"a": {1, 2}},
    ],
)
def test_what_has_no_canonical_bytes(value: Any) -> None:
    with pytest.raises(MalformedError):
        jcs(value)


def test_too_deep() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TooDeepError):
        jcs(deep)
    with pytest.raises(TooDeepError):
        jcs({"a": deep, "é": 1.5})
    round_: list[Any] = []
    round_.append(round_)
    with pytest.raises(TooDeepError):
        jcs(round_)


_simple = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.text(max_size=6),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=6), below, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(_simple)
def test_the_fast_way_writes_what_the_library_writes(value: Any) -> None:
    assert _is_simple(value)
    assert jcs(value) == jcs_of_plain(value) == rfc8785.dumps(value)


@settings(max_examples=200)
@given(
    st.integers(-(10**22), 10**22)
    | st.integers(-16, 16).map(lambda step: 2**53 + step)
    | st.floats(min_value=2.0**52, max_value=1e22).map(int)
    | st.integers(1, 10**6).map(lambda number: number * 10**15)
)
def test_an_integer_is_written_as_it_is_or_not_at_all(number: int) -> None:
    try:
        made = jcs([number])
    except MalformedError:
        assert abs(number) > SAFE
        return
    assert made == f"[{number}]".encode()
    assert json.loads(made) == [number]
    assert rfc8785.dumps([float(number)]) == made


def test_digests_and_cids() -> None:
    document = {"b": 1, "a": 2, "proof": {"x": 1}}
    assert without_proof(document) == {"b": 1, "a": 2}
    assert "proof" in document
    assert jcs_digest({"a": 1}) == hashlib.sha256(b'{"a":1}').digest()
    assert document_cid(document) == cid_of(b'{"a":2,"b":1,"proof":{"x":1}}')
