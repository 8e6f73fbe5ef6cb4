"""Released documents: a projection shows what is named and no more, under other ids; and verifies as sent."""

from __future__ import annotations

import random
from typing import Any

import pytest
from freehold_protocol import form
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json, parse_document
from freehold_protocol.errors import FreeholdError, MalformedError, ReleaseError, SignatureError
from freehold_protocol.keys import RelationshipKeys
from freehold_protocol.released import (
    PAGE_TYPE,
    alias_urn,
    leaves,
    matches,
    project,
    release_document,
    release_page,
    verify_released,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import (
    RECORDS,
    SERVING,
    STRANGER,
    json_values,
    make_record,
    re_signed,
    spoiled,
    survivors,
    uuid_urn,
    with_member,
)

KEYS = RelationshipKeys.derive(bytes(32), "one")
OTHER_KEYS = RelationshipKeys.derive(bytes(32), "other")
CONTENT: Document = {
    "type": "Person",
    "id": uuid_urn(7),
    "name": "Ada Example",
    "email": ["ada@example.com", "a@example.org"],
    "height": 1.7,
    "alive": False,
    "weight": None,
    "knows": [
        {"type": "Person", "id": uuid_urn(8), "name": "Bo", "email": "bo@example.com"},
        {"type": "Person", "id": uuid_urn(9), "telephone": "1"},
        "just a name",
    ],
    "address": {
        "type": "PostalAddress",
        "postalCode": "EX1 2AB",
        "streetAddress": "1 Analytical Row",
        "addressCountry": {"name": "United Kingdom", "type": "Country"},
    },
    "owns": {"typeOfGood": {"sku": "x"}},
    "sameAs": uuid_urn(10),
    "url": ["urn:freehold:zAlias", "https://example.org/" + uuid_urn(10)],
}


def upper(identifier: str) -> str:
    return f"alias({identifier[-1]})"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ([], {}),
        (["name"], {"name": "Ada Example"}),
        (["nickname"], {}),
        (["name.x"], {}),  # below a leaf there is nothing
        (["email"], {"email": ["ada@example.com", "a@example.org"]}),
        (["height", "alive"], {"height": 1.7, "alive": False}),
        (["weight"], {}),  # a null says nothing
        (["address"], {}),  # a node is shown only by its leaves
        (["address.postalCode"], {"address": {"type": "PostalAddress", "postalCode": "EX1 2AB"}}),
        (
            ["address.streetAddress", "name", "address.postalCode"],
            {
                "address": {
                    "type": "PostalAddress", "streetAddress": "1 Analytical Row", "postalCode": "EX1 2AB",
                },
                "name": "Ada Example",
            },
        ),
        (
            ["address.addressCountry.name"],
            {"address": {"type": "PostalAddress", "addressCountry": {"type": "Country", "name": "United Kingdom"}}},
        ),
        (["address.addressCountry"], {}),
        (["owns.typeOfGood.sku"], {"owns": {"typeOfGood": {"sku": "x"}}}),  # nodes without a type get none
        (["knows.name"], {"knows": [{"type": "Person", "name": "Bo"}]}),
        (
            ["knows.name", "knows.telephone"],
            {"knows": [{"type": "Person", "name": "Bo"}, {"type": "Person", "telephone": "1"}]},
        ),
        (["knows"], {"knows": ["just a name"]}),
        (["knows", "knows.name"], {"knows": [{"type": "Person", "name": "Bo"}, "just a name"]}),
        (["knows.name", "knows"], {"knows": [{"type": "Person", "name": "Bo"}, "just a name"]}),
        (["knows.id"], {"knows": [{"type": "Person", "id": "alias(8)"}, {"type": "Person", "id": "alias(9)"}]}),
        (["sameAs"], {"sameAs": "alias(0)"}),
        (["url"], {"url": ["alias(s)", "https://example.org/" + uuid_urn(10)]}),
    ],
)  # fmt: skip
def test_projections(fields: list[str], shown: Document) -> None:
    before = jcs(CONTENT)
    assert project(CONTENT, fields, alias=upper) == {"type": "Person", **shown}
    assert jcs(CONTENT) == before


def test_arrays_in_arrays_are_gone_through() -> None:
    content = {
        "type": "Person",
        "knows": [[{"name": "A"}], [], [[None, {"email": "x"}]]],
        "email": [[], ["y"]],
    }
    assert project(content, ["knows.name", "email"], alias=upper) == {
        "type": "Person", "knows": [[{"name": "A"}]], "email": [["y"]],
    }  # fmt: skip


def test_fewer_paths_never_show_more() -> None:
    """A path that others reach below shows no less by itself: narrowing to it cannot bring a text to light."""
    wide = project({"type": "Person", "address": "1 Row"}, ["address", "address.postalCode"], alias=upper)
    narrow = project({"type": "Person", "address": "1 Row"}, ["address"], alias=upper)
    assert wide == narrow == {"type": "Person", "address": "1 Row"}


_terms = st.sampled_from("abc")
_content = st.recursive(
    st.text(max_size=2) | st.integers(0, 9) | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_terms, below, max_size=3),
    max_leaves=10,
)
_paths = st.lists(_terms, min_size=1, max_size=3).map(".".join)


def _scalars(value: Json, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [one for name, item in value.items() for one in _scalars(item, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list):
        return [one for item in value for one in _scalars(item, path)]
    return [] if value is None else [(path, repr(value))]


@settings(max_examples=200)
@given(st.dictionaries(_terms, _content, max_size=3), st.lists(_paths, max_size=4), st.data())
def test_a_projection_shows_the_leaves_that_are_named(
    content: Document, fields: list[str], data: Any
) -> None:
    shown = _scalars({name: value for name, value in project({"type": "T", **content}, fields, alias=upper).items()
                      if name != "type"})  # fmt: skip
    expected = [one for one in _scalars(content) if one[0] in fields]
    assert sorted(shown) == sorted(expected)
    fewer = data.draw(st.lists(st.sampled_from(fields), unique=True)) if fields else []
    less = _scalars({name: value for name, value in project({"type": "T", **content}, fewer, alias=upper).items()
                     if name != "type"})  # fmt: skip
    assert set(less) <= set(shown)


# Conditions


def test_leaves() -> None:
    assert leaves(CONTENT, "email") == ["ada@example.com", "a@example.org"]
    assert leaves(CONTENT, "knows.name") == ["Bo"]
    assert leaves(CONTENT, "knows") == ["just a name"]
    assert leaves(CONTENT, "address.addressCountry.name") == ["United Kingdom"]
    assert leaves(CONTENT, "weight") == leaves(CONTENT, "nickname") == leaves(CONTENT, "name.x") == []


@pytest.mark.parametrize(
    ("where", "good"),
    [
        ([], True),
        ([("name", "Ada Example")], True),
        ([("name", "ada example")], False),
        ([("email", "a@example.org")], True),
        ([("email", "a@example.org"), ("height", 1.7)], True),
        ([("email", "a@example.org"), ("height", 1.8)], False),
        ([("knows.name", "Bo"), ("knows.telephone", "1")], True),
        ([("alive", False)], True),
        ([("alive", 0)], False),
        ([("alive", "")], False),
        ([("weight", 0)], False),
        ([("nickname", "")], False),
    ],
)
def test_conditions(where: Any, good: bool) -> None:
    assert matches(CONTENT, where) == good


def test_a_number_is_no_truth() -> None:
    assert matches({"type": "T", "a": 1}, [("a", 1.0)])
    assert not matches({"type": "T", "a": 1}, [("a", True)])
    assert not matches({"type": "T", "a": True}, [("a", 1)])


# Documents


def released(fields: tuple[str, ...] = ("name", "sameAs"), keys: RelationshipKeys = KEYS) -> Document:
    made = release_document(uuid_urn(7), CONTENT, fields=fields, key=keys.serving, alias=keys.alias_of)
    return parse_document(made.sign(keys.serving))


DOCUMENT = released()


def test_a_released_document() -> None:
    made = release_document(uuid_urn(7), CONTENT, fields=("name",), key=KEYS.serving, alias=KEYS.alias_of)
    assert made.fields == ("name",)
    assert made.count == 1
    assert jcs(made.unsigned) == made.canonical
    document = parse_document(made.sign(KEYS.serving))
    assert document.keys() == {"@context", "id", "type", "name", "issuer", "version", "proof"}
    assert document["id"] == alias_urn(KEYS.alias_of(uuid_urn(7)))
    assert document["issuer"] == KEYS.serving.did
    assert "created" not in document["proof"]
    assert verify_released(document, key=KEYS.serving.public) == made.unsigned


def test_the_same_content_has_the_same_bytes_and_another_has_another_version() -> None:
    assert jcs(released()) == jcs(released())
    assert released(("name",))["version"] != released(("name", "height"))["version"]


def test_two_relationships_share_nothing_but_the_values() -> None:
    one, other = released(), released(keys=OTHER_KEYS)
    assert one["name"] == other["name"]
    for member in ("id", "issuer", "version", "proof", "sameAs"):
        assert one[member] != other[member]


def test_nothing_of_a_record_s_keeping_is_ever_shown() -> None:
    record = make_record({"type": "Person", "name": "Ada"}, previous=make_record().cid)
    made = jcs(
        released(("name", "source", "source.file", "previous", "created", "proof", "id", "@context"))
    ).decode()
    for told in ("book.vcf", record.cid, RECORDS.did, "previous", "source", "created"):
        assert told not in made


def test_no_mutation_verifies() -> None:
    passed = survivors(
        DOCUMENT, lambda changed: verify_released(changed, key=KEYS.serving.public), at_least=30
    )
    assert passed == []


@settings(max_examples=150)
@given(spoiled(DOCUMENT) | st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_any_document_is_released_or_a_freehold_error(document: Document) -> None:
    try:
        verify_released(document, key=KEYS.serving.public)
    except FreeholdError:
        return
    assert jcs(document) == jcs(DOCUMENT)


def signed_anew(document: Document, **members: Json) -> Document:
    return re_signed({**document, **members}, KEYS.serving, created_s=None)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (re_signed(DOCUMENT, STRANGER), SignatureError),
        (signed_anew(DOCUMENT, issuer=STRANGER.did), ReleaseError),
        (signed_anew(DOCUMENT, issuer=None), ReleaseError),
        (signed_anew(DOCUMENT, name="Bo"), ReleaseError),  # the version is of other content
        (signed_anew(DOCUMENT, version="x"), ReleaseError),
        (signed_anew(DOCUMENT, version=None), ReleaseError),
        (signed_anew(DOCUMENT, more=1), ReleaseError),
        ({**DOCUMENT, "proof": None}, MalformedError),
    ],
)
def test_what_is_not_as_its_signature_says(document: Document, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        verify_released(document, key=KEYS.serving.public)
    assert type(raised.value) is error


def test_another_signed_document_is_not_taken_for_a_released_one() -> None:
    """The serving key signs other documents too: none of them passes for a record of the person's."""
    status = {"@context": form.CONTEXT, "type": "GrantStatus", "state": "live"}
    for document in (status, {**status, "issuer": SERVING.did}):
        with pytest.raises(ReleaseError):
            verify_released(re_signed(document, SERVING), key=SERVING.public)


# Pages


def page(items: list[Document], next_cursor: str | None = None) -> Document:
    made = release_page(items, fields=("name",), key=KEYS.serving, next_cursor=next_cursor)
    assert made.count == len(items)
    return parse_document(made.sign(KEYS.serving))


def test_a_page() -> None:
    for items, cursor in (([], None), ([DOCUMENT, released(("name",))], "zCursor")):
        document = page(items, cursor)
        assert document["type"] == PAGE_TYPE
        assert ("next" in document) == (cursor is not None)
        shown = verify_released(document, key=KEYS.serving.public)
        assert shown["items"] == items
        assert shown.get("next") == cursor


def test_no_mutation_of_a_page_verifies() -> None:
    whole = page([DOCUMENT], "zCursor")
    passed = survivors(whole, lambda changed: verify_released(changed, key=KEYS.serving.public), at_least=60)
    assert passed == []


@pytest.mark.parametrize(
    ("items", "error"),
    [
        (None, MalformedError),
        ({}, MalformedError),
        ("x", MalformedError),
        ([None], MalformedError),
        (["x"], MalformedError),
        ([[]], MalformedError),
        ([{}], MalformedError),
        ([page([])], MalformedError),
        ([{"type": PAGE_TYPE}], MalformedError),
        ([released(keys=OTHER_KEYS)], SignatureError),  # of another relationship
        ([with_member(DOCUMENT, "name", "Bo")], SignatureError),
        ([{name: value for name, value in DOCUMENT.items() if name != "proof"}], MalformedError),
    ],
)
def test_what_a_page_cannot_hold(items: Json, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        verify_released(signed_anew(page([]), items=items), key=KEYS.serving.public)
    assert type(raised.value) is error


def test_a_page_without_items() -> None:
    bare = {name: value for name, value in page([]).items() if name != "items"}
    with pytest.raises(MalformedError):
        verify_released(signed_anew(bare), key=KEYS.serving.public)
    with pytest.raises(ReleaseError):
        verify_released(signed_anew(page([]), issuer=STRANGER.did), key=KEYS.serving.public)


def test_a_projection_takes_time_in_proportion() -> None:
    rng = random.Random(5)
    fields = [".".join(rng.choices("abcdef", k=6)) for _ in range(64)]
    content: Json = "leaf"
    for _ in range(6):
        content = [dict.fromkeys("ab", content) for _ in range(2)]
    steps = 0

    def count(identifier: str) -> str:
        nonlocal steps
        steps += 1
        return identifier

    project({"type": "T", "a": content, "b": uuid_urn(1)}, [*fields, "b"], alias=count)
    assert steps == 1
