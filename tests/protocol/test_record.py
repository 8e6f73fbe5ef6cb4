"""Records: their form, what their content may be, and that only the record key's proof holds."""

from __future__ import annotations

from typing import Any

import pytest
from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, parse_document, parse_time
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    SignatureError,
    TooDeepError,
    TooLargeError,
)
from freehold_protocol.record import KEEPING, Record, check_content, content_of, same_content, sign_record
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import (
    NOW_S,
    RECORDS,
    STRANGER,
    json_values,
    make_record,
    spoiled,
    survivors,
    uuid_urn,
    with_member,
    without_member,
)

CONTENT: Document = {
    "type": "Person",
    "name": "Ada Example",
    "height": 1.7,
    "address": {"type": "PostalAddress", "postalCode": "EX1 2AB", "id": "https://example.org/a"},
    "email": ["ada@example.com", "a@example.org"],
}
RECORD = make_record(CONTENT)


def nested(depth: int) -> Document:
    """Return content that is nested to this depth, itself the first."""
    content: Document = {"type": "Person", "name": "x"}
    for _ in range(depth - 1):
        content = {"type": "Person", "knows": content}
    return content


def test_a_record() -> None:
    assert RECORD.id == uuid_urn(7)
    assert RECORD.type == "Person"
    assert RECORD.created_s == NOW_S
    assert RECORD.previous is None
    assert content_of(RECORD.document) == CONTENT
    assert RECORD.document["@context"] == form.CONTEXT
    RECORD.verify(RECORDS.public)
    again = Record.from_dict(parse_document(jcs(RECORD.document)))
    again.verify(RECORDS.public)
    assert again == RECORD
    assert again.cid == RECORD.cid


def test_a_version_names_the_one_before() -> None:
    later = make_record({**CONTENT, "name": "Ada B. Example"}, previous=RECORD.cid, created_s=NOW_S + 1)
    assert later.previous == RECORD.cid
    assert later.cid != RECORD.cid
    later.verify(RECORDS.public)


@pytest.mark.parametrize("number", [1e20, 2.0**53, 123456789012345680000.0, 5e-324, -0.0])
def test_a_number_that_is_written_with_many_digits_still_verifies_when_read_back(number: float) -> None:
    record = make_record({"type": "Person", "height": number})
    Record.from_dict(parse_document(jcs(record.document))).verify(RECORDS.public)


def test_no_mutation_verifies() -> None:
    def check(document: Document) -> None:
        Record.from_dict(document).verify(RECORDS.public)

    assert survivors(RECORD.document, check, at_least=50) == []
    with pytest.raises(SignatureError):
        RECORD.verify(STRANGER.public)


@settings(max_examples=150)
@given(json_values | spoiled(RECORD.document))
def test_any_json_value_is_a_record_or_a_freehold_error(value: Any) -> None:
    try:
        record = Record.from_dict(value)
    except FreeholdError:
        return
    assert record.document is value
    assert len(jcs(value)) <= limits.MAX_DOCUMENT_BYTES


@pytest.mark.parametrize("name", ["@context", "id", "type", "created", "source", "proof"])
def test_every_member_is_needed(name: str) -> None:
    with pytest.raises(MalformedError):
        Record.from_dict(without_member(RECORD.document, name))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("@context", "https://schema.org"),
        ("@context", [form.CONTEXT]),
        ("@context", None),
        ("id", "urn:uuid:1"),
        ("id", "https://example.org/1"),
        ("id", None),
        ("created", NOW_S),
        ("created", "2026-11-23"),
        ("source", None),
        ("source", "book.vcf"),
        ("source", []),
        ("previous", None),
        ("previous", "b"),
        ("previous", 1),
        ("type", ["Person"]),
        ("type", "schema:Person"),
        ("type", None),
    ],
)
def test_wrong_members(path: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        Record.from_dict(with_member(RECORD.document, path, value))


@pytest.mark.parametrize("value", [None, [], "x", 1, {}])
def test_what_is_no_record(value: Any) -> None:
    with pytest.raises(MalformedError):
        Record.from_dict(value)


# Content


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"name": "Ada"},
        {"type": "schema:Person"},
        {"type": ""},
        {"type": "Person\n"},
        {"type": "P" * 65},
        {"type": "Pérson"},
        {"type": 1},
        {"type": "Person", "@id": "x"},
        {"type": "Person", "schema:name": "x"},
        {"type": "Person", "https://schema.org/name": "x"},
        {"type": "Person", "": "x"},
        {"type": "Person", "a b": "x"},
        {"type": "Person", "a.b": "x"},
        {"type": "Person", "x" * 65: "x"},
        {"type": "Person", "knows": {"@context": "https://schema.org"}},
        {"type": "Person", "knows": {"proof": {}}},
        {"type": "Person", "knows": [[{"proof": {}}]]},
        {"type": "Person", "knows": {"id": "_:b0"}},
        {"type": "Person", "knows": {"id": 7}},
        {"type": "Person", "knows": {"id": None}},
        {"type": "Person", "knows": {"type": "schema:Person"}},
        {"type": "Person", "knows": {"type": ["Person"]}},
        {"type": "Person", "knows": {"type": None}},
        {"type": "Person", "knows": {"a": [{"b:c": 1}]}},
    ],
)
def test_content_that_cannot_be_projected(content: Document) -> None:
    with pytest.raises(MalformedError):
        check_content(content)
    with pytest.raises(MalformedError):
        make_record(content or {"name": "x"})


@pytest.mark.parametrize(
    "content", [CONTENT, {"type": "Person"}, {"type": "Person", "a": [[1], {"b": None}]}]
)
def test_content_that_can(content: Document) -> None:
    check_content(content)
    assert content_of(make_record(content).document) == content


@pytest.mark.requirement("REC-5")
@pytest.mark.parametrize("name", sorted(KEEPING))
def test_content_does_not_speak_of_its_keeping(name: str) -> None:
    with pytest.raises(MalformedError):
        sign_record(
            {"type": "Person", name: "urn:uuid:x"}, RECORDS, record_id=uuid_urn(1), created_s=NOW_S, source={}
        )


def test_what_is_signed_can_be_read_back() -> None:
    """A record that could be written and not read again would be lost."""
    deepest = make_record(nested(limits.MAX_DEPTH))
    Record.from_dict(parse_document(jcs(deepest.document))).verify(RECORDS.public)
    with pytest.raises(TooDeepError):
        make_record(nested(limits.MAX_DEPTH + 1))
    with pytest.raises(TooLargeError):
        make_record({"type": "Person", "a": [0] * limits.MAX_MEMBERS})
    with pytest.raises(TooLargeError):
        make_record({"type": "Person", "name": "a" * limits.MAX_DOCUMENT_BYTES})
    most = limits.MAX_DOCUMENT_BYTES - len(jcs(make_record({"type": "Person", "name": ""}).document))
    largest = make_record({"type": "Person", "name": "a" * (most - 3)})  # signatures differ in length
    assert Record.from_dict(parse_document(jcs(largest.document))) == largest
    with pytest.raises(TooLargeError):
        make_record({"type": "Person", "name": "a" * (most + 3)})


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["name", "email", "knows", "x"]),
        st.recursive(
            st.text(max_size=4)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.booleans()
            | st.none(),
            lambda below: (
                st.lists(below, max_size=2) | st.dictionaries(st.sampled_from("ab"), below, max_size=2)
            ),
            max_leaves=5,
        ),
        max_size=3,
    )
)
def test_sound_content_makes_a_record_that_verifies_from_its_bytes(members: Document) -> None:
    content = {"type": "Person", **members}
    record = Record.from_dict(parse_document(jcs(make_record(content).document)))
    record.verify(RECORDS.public)
    assert same_content(record.document, content)


def test_same_content_looks_at_nothing_else() -> None:
    later = make_record(CONTENT, previous=RECORD.cid, created_s=parse_time("2030-01-01T00:00:00Z"), source={})
    assert same_content(RECORD.document, later.document)
    assert same_content(RECORD.document, {**CONTENT, "height": 1.70})
    assert not same_content(RECORD.document, {**CONTENT, "height": 1.71})
    assert not same_content(RECORD.document, {**CONTENT, "email": CONTENT["email"][::-1]})
