from __future__ import annotations

import json
from typing import Any

import pytest
from freehold_node.imports import Preview, read_file
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError

OURS = "https://w3id.org/freehold/v1"
GOOD = {"@context": OURS, "type": "Person", "name": "Ada"}


def read(value: Any) -> Preview:
    return read_file(json.dumps(value).encode())


@pytest.mark.parametrize(
    "context",
    [OURS, [OURS], "https://schema.org", "http://schema.org", "https://schema.org/", ["http://schema.org/"]],
)
def test_the_context_becomes_ours(context: Any) -> None:
    (found,) = read({"@context": context, "@type": "Person", "name": "Ada"}).found
    assert found.document == GOOD
    assert found.label == "Ada"


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        [GOOD],
        {"@context": OURS, "@graph": [{"type": "Person", "name": "Ada"}]},
        {"@context": OURS, "@graph": {"type": "Person", "name": "Ada"}},
        {"@graph": [GOOD]},
    ],
)
def test_an_object_an_array_and_a_graph_are_read(value: Any) -> None:
    assert [found.document for found in read(value).found] == [GOOD]


def test_keywords_become_their_short_names_at_every_depth() -> None:
    item = {
        "@context": "https://schema.org",
        "@type": ["Person"],
        "address": [{"@type": "PostalAddress", "postalCode": "1"}],
        "worksFor": {"@id": "https://example.com/acme", "@type": "Organization", "name": "Acme"},
    }
    (found,) = read(item).found
    assert found.document == {
        "@context": OURS,
        "type": "Person",
        "address": [{"type": "PostalAddress", "postalCode": "1"}],
        "worksFor": {"id": "https://example.com/acme", "type": "Organization", "name": "Acme"},
    }
    assert list(found.document)[:2] == ["@context", "type"]


def test_an_id_is_part_of_the_key_and_never_of_the_document() -> None:
    one = read({**GOOD, "@id": "https://example.com/ada"}).found[0]
    edited = read({**GOOD, "id": "https://example.com/ada", "name": "Ada B."}).found[0]
    assert "id" not in one.document
    assert one.key == edited.key
    assert one.key.startswith("id:")


def test_without_an_id_the_content_is_the_key() -> None:
    one, blank, other = (
        read(item).found[0] for item in (GOOD, {**GOOD, "@id": "_:b0"}, {**GOOD, "name": "B"})
    )
    assert one.key == blank.key != other.key
    assert one.key.startswith("content:")


BROKEN: list[tuple[Any, str]] = [
    (1, "not a JSON object"),
    (None, "not a JSON object"),
    ({"type": "Person", "name": "Ada"}, "@context"),
    ({**GOOD, "@context": "https://example.com"}, "@context"),
    ({**GOOD, "@context": [OURS, "https://schema.org"]}, "@context"),
    ({**GOOD, "@context": {"name": "https://example.com/name"}}, "@context"),
    ({"@context": OURS, "name": "Ada"}, "type"),
    ({**GOOD, "type": ["Person", "Organization"]}, "type"),
    ({**GOOD, "type": []}, "type"),
    ({**GOOD, "@type": "Person"}, "twice"),
    ({**GOOD, "proof": {}}, "'proof'"),
    ({**GOOD, "created": "2026-01-01"}, "'created'"),
    ({**GOOD, "source": {}}, "'source'"),
    ({**GOOD, "previous": None}, "'previous'"),
    ({**GOOD, "shoeSize": 42}, "UndefinedTerm"),
    ({**GOOD, "type": "Wizard"}, "UndefinedTerm"),
    ({**GOOD, "address": {"type": "PostalAddress", "planet": "Earth"}}, "UndefinedTerm"),
    ({**GOOD, "name": None}, ""),
    ({**GOOD, "name": {"@value": "Ada"}}, "plain terms"),
    ({**GOOD, "https://schema.org/name": "Ada"}, "plain terms"),
    ({**GOOD, "address": {"@context": OURS, "type": "PostalAddress"}}, "plain terms"),
    ({**GOOD, "knows": {"@id": "_:b1"}}, "blank node"),
    ({**GOOD, "@id": 7}, "id is not a text"),
    ({**GOOD, "id": ""}, "id is not a text"),
    ({**GOOD, "name": "Ada\u0007"}, "control characters"),
    ({**GOOD, "height": 2**60}, "canonicalized"),
    ({**GOOD, "description": "x" * 300_000}, "more text"),
]


@pytest.mark.parametrize(("item", "words"), BROKEN)
def test_a_broken_item_is_named_and_the_others_are_read(item: Any, words: str) -> None:
    preview = read([item, {**GOOD, "name": "Ben"}])
    assert [found.document["name"] for found in preview.found] == ["Ben"]
    (skipped,) = preview.skipped
    assert skipped.where == "item 1"
    assert words in skipped.reason
    assert "Ada" not in skipped.reason


def test_duplicates_are_named() -> None:
    preview = read([GOOD, GOOD])
    assert len(preview.found) == 1
    assert preview.skipped[0].where == "item 2"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'["vcard", [["fn", {}, "text", "Ada"]]]', MalformedError),
        (b'{"@graph": [], "name": "x"}', MalformedError),
        (b'{"a": 1, "a": 2}', MalformedError),
        (b"[" * 100_000 + b"]" * 100_000, FreeholdError),
        (b"[" + b"0," * 30_000 + b"0]", TooLargeError),
        (b'{"name": NaN}', MalformedError),
        (b'{"name": "\\ud800"}', MalformedError),
        (b'{"name": "\xff"}', MalformedError),
    ],
)
def test_a_file_that_is_no_json_ld_is_refused(data: bytes, error: type[FreeholdError]) -> None:
    with pytest.raises(error):
        read_file(data)


ELSEWHERE = "https://example.com"
LAMP, CUP = {"@type": "Product", "name": "Lamp"}, {"@type": "Product", "name": "Cup"}


@pytest.mark.parametrize(
    ("value", "places", "left_out"),
    [
        ([[GOOD], [[{**GOOD, "name": "B"}]]], ["item 1.1", "item 2.1.1"], []),
        ([{"@context": OURS, "@graph": [LAMP, CUP]}, GOOD], ["item 1.1", "item 1.2", "item 2"], []),
        ({"@context": OURS, "@graph": [LAMP], "name": "x"}, ["item 1"], ["the file"]),
        ([{"@context": OURS, "@graph": [LAMP], "name": "x"}], ["item 1.1"], ["item 1"]),
        (
            {
                "@context": "https://schema.org", "@type": "DataFeed", "dateModified": "2026-11-23",
                "dataFeedElement": [{"@type": "DataFeedItem", "dateCreated": "x", "item": LAMP}, CUP],
            },
            ["item 1", "item 2"], ["the file"],
        ),
        (
            {"@context": OURS, "@type": "ItemList", "itemListElement": {"@type": "ListItem", "item": CUP}},
            ["item 1"], [],
        ),
        ([{"@context": OURS, "@type": "DataFeed"}, GOOD], ["item 2"], ["item 1"]),
        ([{"@context": OURS, "@graph": [{**LAMP, "@context": ELSEWHERE}, CUP]}], ["item 1.2"], ["item 1.1"]),
    ],
)  # fmt: skip
def test_nodes_are_taken_out_of_what_they_come_in(value: Any, places: list[str], left_out: list[str]) -> None:
    preview = read(value)
    assert [found.where for found in preview.found] == places
    assert [one.where for one in preview.skipped] == left_out


def test_nodes_in_too_many_arrays_are_named() -> None:
    nested: Any = GOOD
    for _ in range(12):
        nested = [nested]
    preview = read([GOOD, nested])
    assert len(preview.found) == 1
    assert preview.skipped[0].reason == "not a JSON object"


def test_a_file_holds_many_nodes_and_not_too_many() -> None:
    many = [{**GOOD, "name": f"Person {n}"} for n in range(20_001)]
    assert len(read(many[:10_000]).found) == 10_000
    with pytest.raises(TooLargeError, match="20000 items"):
        read(many)
