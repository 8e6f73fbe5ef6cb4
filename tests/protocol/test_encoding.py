"""Multibase, CIDs, base64url, JSON and times: what is right, held against the multiformats library, and what is not."""

from __future__ import annotations

import base64
import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import (
    base58_decode,
    base58_encode,
    base64_decode,
    base64url_decode,
    base64url_encode,
    cid_of,
    format_time,
    multibase_decode,
    multibase_encode,
    parse_cid,
    parse_document,
    parse_json,
    parse_time,
)
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    TooDeepError,
    TooLargeError,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from multiformats import CID, multibase, multihash

EMPTY_CID = "bagaaiera4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq"


# Multibase


@settings(max_examples=150)
@given(st.binary(max_size=120))
@example(b"")
@example(b"\0\0\0")
@example(b"\0\0x\0")
def test_base58_is_that_of_multiformats(data: bytes) -> None:
    text = multibase_encode(data)
    assert text == multibase.encode(data, "base58btc")
    assert multibase_decode(text) == data == base58_decode(base58_encode(data))


@settings(max_examples=150)
@given(st.binary(max_size=120))
def test_base64url_is_that_of_multiformats(data: bytes) -> None:
    text = base64url_encode(data)
    assert "u" + text == multibase.encode(data, "base64url")
    assert base64url_decode(text) == data


@pytest.mark.vectors
@pytest.mark.parametrize("name", ["basic", "leading_zero", "two_leading_zeros"])
def test_multibase_cases(vectors: Path, count_vectors: Callable[..., None], name: str) -> None:
    path = vectors / "multiformats" / "multibase" / "tests" / f"{name}.csv"
    (_, plain), *rows = csv.reader(path.read_text("utf-8").splitlines(), skipinitialspace=True)
    data = plain.encode().decode("unicode_escape").encode("latin-1")
    coded, every = dict(rows), len(rows)
    assert multibase_encode(data) == coded.pop("base58btc")
    assert "u" + base64url_encode(data) == coded["base64url"]
    assert base64url_decode(coded.pop("base64url")[1:]) == data
    assert base64_decode(coded["base64pad"][1:]) == data
    coded.pop("base64pad")
    for text in coded.values():  # every other base is another spelling of the same bytes: refused
        with pytest.raises(MalformedError):
            multibase_decode(text)
    count_vectors("multiformats", every)


@pytest.mark.vectors
def test_other_bases_are_refused_in_any_case(vectors: Path, count_vectors: Callable[..., None]) -> None:
    path = vectors / "multiformats" / "multibase" / "tests" / "case_insensitivity.csv"
    _, *rows = csv.reader(path.read_text("utf-8").splitlines(), skipinitialspace=True)
    for name, text in rows:
        assert name != "base58btc"
        with pytest.raises(MalformedError):
            multibase_decode(text)
    count_vectors("multiformats", len(rows))


@pytest.mark.parametrize("text", ["", "Z1", "mAAAA", "uAAAA", "f00", "bmfxg", "1", "0z"])
def test_another_base_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        multibase_decode(text)


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "a b", "a\n", "é", "٣", "\ud800", "aaaa="])
def test_what_is_not_base58_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="not base58btc"):
        base58_decode(text)


def test_base58_is_bounded_before_any_work() -> None:
    assert base58_decode("1" * 256) == bytes(256)
    with pytest.raises(MalformedError, match="too long"):
        base58_decode("1" * 257)
    with pytest.raises(MalformedError, match="too long"):
        base58_decode("0" * 10_000_000)  # a character that is not even looked at


@pytest.mark.parametrize(
    "text",
    [
        "AA==", "AA=", "A", "AAAAA", "+/+/", "AA AA", "AA\n", "\nAAA", "AB", "AAB", "____ ", "é", "\ud800",
    ],
)  # fmt: skip
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError):
        base64url_decode(text)


@settings(max_examples=150)
@given(st.text(alphabet="AB_-/+= \n", max_size=9))
def test_whatever_decodes_encodes_to_the_same_text(text: str) -> None:
    for decode, encode in (
        (base64url_decode, base64url_encode),
        (base64_decode, lambda data: base64.b64encode(data).decode()),
    ):
        try:
            data = decode(text)
        except MalformedError:
            continue
        assert encode(data) == text


@pytest.mark.parametrize(
    "text", ["AA", "AA=", "AA===", "-_-_", "AA==\n", "AB==", "AAB=", "A===", "é", " AA=="]
)
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError):
        base64_decode(text)


# Content identifiers


@settings(max_examples=100)
@given(st.binary(max_size=200))
@example(b"")
def test_a_cid_is_that_of_multiformats(data: bytes) -> None:
    digest = multihash.digest(data, "sha2-256")
    assert cid_of(data) == str(CID("base32", 1, "json", digest))
    assert parse_cid(cid_of(data)) == cid_of(data)


@pytest.mark.vectors
def test_cids_of_the_multihash_cases(vectors: Path, count_vectors: Callable[..., None]) -> None:
    path = vectors / "multiformats" / "multihash" / "tests" / "values" / "test_cases.csv"
    _, *rows = ([part.strip() for part in row] for row in csv.reader(path.read_text("utf-8").splitlines()))
    taken = 0
    for name, bits, said, hash_hex in rows:
        cid = cid_around(b"\x01\x80\x04" + bytes.fromhex(hash_hex))
        if (name, bits) == ("sha2-256", "256"):
            assert cid_of(said.encode()) == parse_cid(cid) == cid
            taken += 1
        else:  # another hash, or one that is cut off
            with pytest.raises(MalformedError):
                parse_cid(cid)
    assert (taken, len(rows)) == (20, 260)
    count_vectors("multiformats", len(rows))


def cid_around(data: bytes) -> str:
    return "b" + base64.b32encode(data).rstrip(b"=").decode().lower()


@pytest.mark.vectors
@pytest.mark.parametrize("name", ["cid0", "cid1"])
def test_cids_of_another_kind_are_refused(
    vectors: Path, count_vectors: Callable[..., None], name: str
) -> None:
    data = (vectors / "multiformats" / "go-cid-fuzz" / "fuzz-data" / "corpus" / name).read_bytes()
    for text in (cid_around(data), "z" + base58_encode(data), base58_encode(data)):
        with pytest.raises(MalformedError):
            parse_cid(text)
    count_vectors("multiformats", 1)


def test_the_cid_of_nothing() -> None:
    assert cid_of(b"") == EMPTY_CID
    assert len(EMPTY_CID) == 61


def _cid(version: int = 1, codec: str = "json", hash_: str = "sha2-256", base: str = "base32") -> str:
    return str(CID(base, version, codec, multihash.digest(b"", hash_)))


@pytest.mark.parametrize(
    "text",
    [
        _cid(base="base58btc"),
        _cid(base="base32upper"),
        _cid(base="base16"),
        _cid(codec="raw"),
        _cid(codec="dag-json"),
        _cid(hash_="sha2-512"),
        _cid(hash_="sha3-256"),
        str(CID("base58btc", 0, "dag-pb", multihash.digest(b"", "sha2-256"))),
        EMPTY_CID + "\n",
        " " + EMPTY_CID,
        EMPTY_CID[:-1],
        EMPTY_CID + "a",
        EMPTY_CID[:-1] + "b",  # trailing bits that say nothing
        "b" + "a" * 60,
        EMPTY_CID.replace("a", "1"),
        EMPTY_CID.upper(),
        "",
        None,
        7,
        ["b"],
        EMPTY_CID.encode(),
    ],
)
def test_another_cid_is_refused(text: Any) -> None:
    with pytest.raises(MalformedError):
        parse_cid(text)


# JSON


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", MalformedError),
        (b"{", MalformedError),
        (b"{}{}", MalformedError),
        (b"[1,]", MalformedError),
        (b"{'a':1}", MalformedError),
        (b"\xef\xbb\xbf{}", MalformedError),
        (b"\xff", MalformedError),
        (b'"\xed\xa0\x80"', MalformedError),  # a surrogate in UTF-8
        (b'"\xc0\xaf"', MalformedError),  # an overlong slash
        ("{}".encode("utf-16"), MalformedError),
        (b'"\x01"', MalformedError),
        (b'"\\ud800"', MalformedError),
        (b'"\\uDFFFx"', MalformedError),
        (b'{"\\udc00":1}', MalformedError),
        (b"NaN", MalformedError),
        (b'{"a":[Infinity]}', MalformedError),
        (b"-Infinity", MalformedError),
        (b"1e400", MalformedError),
        (b'{"a":-1e999}', MalformedError),
        (b"1" * 5000, MalformedError),
        (b"01", MalformedError),
        (b"+1", MalformedError),
        (b"0x1", MalformedError),
        (b'{"a":1,"a":1}', DuplicateKeyError),
        (b'{"a":1,"\\u0061":2}', DuplicateKeyError),
        (b'[{"b":{"a":1,"c":2,"a":3}}]', DuplicateKeyError),
        (b"[" * 65 + b"]" * 65, TooDeepError),
        (b"[" * 64 + b"1" + b"]" * 64, None),
        (b'{"a":' * 65 + b"{}" + b"}" * 65, TooDeepError),
        (b"[" * 100_000, TooDeepError),
        (b'{"a":' * 40_000, TooDeepError),
        (b"[" + b"0," * 20_000 + b"0]", TooLargeError),
        (b"[" + b"0," * 19_999 + b"0]", None),
        (b"[" + b"[0,0]," * 6_667 + b"0]", TooLargeError),
        (b'"' + b"a" * limits.MAX_DOCUMENT_BYTES + b'"', TooLargeError),
        (b'"\\ud83d\\ude00"', None),
        (b' \t\r\n{"a":null}', None),
    ],
)
def test_json(data: bytes, error: type[FreeholdError] | None) -> None:
    if error is None:
        parse_json(data)
    else:
        with pytest.raises(FreeholdError) as raised:
            parse_json(data)
        assert type(raised.value) is error


def test_half_a_pair_very_deep_is_too_deep() -> None:
    with pytest.raises(TooDeepError):
        parse_json(b"[" * 900 + b'"\\ud83d\\ude00"' + b"]" * 900)


def test_json_in_stages_of_the_stack() -> None:
    """Whoever calls from a deep stack gets an answer or TooDeepError, whichever step runs out first."""

    def deep(left: int, data: bytes) -> object:
        return parse_json(data) if left == 0 else deep(left - 1, data)

    data = b"[" * 60 + b'"\\ud83d\\ude00"' + b"]" * 60
    outcomes: set[str] = set()
    for left in range(400, 1000, 7):
        try:
            deep(left, data)
        except TooDeepError:
            outcomes.add("too deep")
        except RecursionError:
            outcomes.add("not even called")
        else:
            outcomes.add("parsed")
    assert {"too deep", "parsed"} <= outcomes


def test_bounds_can_be_given() -> None:
    assert parse_json(b"[1,2]", max_bytes=5, max_members=2) == [1, 2]
    with pytest.raises(TooLargeError):
        parse_json(b"[1,2]", max_bytes=4)
    with pytest.raises(TooLargeError):
        parse_document(b'{"a":1,"b":2}', max_members=1)


@settings(max_examples=150)
@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:0e-1\\ud8', max_size=30).map(str.encode))
def test_any_bytes_are_json_or_a_freehold_error(data: bytes) -> None:
    try:
        value = parse_json(data)
    except FreeholdError:
        return
    assert json.dumps(value, allow_nan=False) is not None


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
        max_leaves=8,
    )
)  # fmt: skip
def test_canonical_bytes_are_read_back_as_they_were(value: Any) -> None:
    assert jcs(parse_json(jcs(value))) == jcs(value)


@pytest.mark.parametrize("data", [b"[]", b'"{}"', b"null", b"1", b"true"])
def test_a_document_is_an_object(data: bytes) -> None:
    with pytest.raises(MalformedError, match="not a JSON object"):
        parse_document(data)


def test_parsing_gives_a_finite_number_or_none() -> None:
    assert parse_json(b"[1e308,-0.0,5e-324]") == [1e308, 0.0, 5e-324]
    assert math.isfinite(parse_json(b"1.7976931348623157e308"))


# Times


@pytest.mark.parametrize(
    ("text", "time_s"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T12:00:00Z", 1_795_435_200),
        ("2024-02-29T23:59:59Z", 1_709_251_199),
        ("0999-01-01T00:00:00Z", -30_641_760_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ],
)
def test_a_time(text: str, time_s: int) -> None:
    assert parse_time(text) == time_s
    assert format_time(time_s) == text


@settings(max_examples=100)
@given(st.integers(-62_135_596_800, 253_402_300_799))
def test_times_come_back(time_s: int) -> None:
    assert parse_time(format_time(time_s)) == time_s


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T12:00:00",
        "2026-11-23T12:00:00z",
        "2026-11-23t12:00:00Z",
        "2026-11-23 12:00:00Z",
        "2026-11-23T12:00:00+00:00",
        "2026-11-23T12:00:00.0Z",
        "2026-11-23T12:00Z",
        "2026-11-23",
        "20261123T120000Z",
        " 2026-11-23T12:00:00Z",
        "2026-11-23T12:00:00Z\n",
        "٢٠٢٦-11-23T12:00:00Z",
        "02026-11-23T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T12:60:00Z",
        "2016-12-31T23:59:60Z",
        "",
        None,
        1_795_435_200,
        ["2026-11-23T12:00:00Z"],
    ],
)
def test_another_spelling_of_a_time_is_refused(text: Any) -> None:
    with pytest.raises(MalformedError):
        parse_time(text)
