from __future__ import annotations

from typing import Any

import pytest
from freehold_node.imports import Found, Preview, Skipped
from freehold_node.imports.preview import key_of, without_duplicates
from freehold_node.imports.reasons import why
from freehold_protocol.errors import ConflictError, NotFoundError

CARD_2 = why("card", number=2)


def found(number: int, *, key: str = "", kind: str = "Person", **fields: Any) -> Found:
    return Found(
        document={"@context": "https://w3id.org/freehold/v1", "type": kind, **fields},
        key=key or key_of("uid", number),
        label=f"card {number}",
        where=why("card", number=number),
    )


PREVIEW = Preview(
    format="vCard",
    found=(
        found(1, name="Ada Example", email=["ada@example.com", "shared@example.com"]),
        found(2, name="Ben Sample", email="shared@example.com"),
        found(3, name="Ada  Example", email="other@example.com"),
        found(4, kind="Organization", name="Harbour Bakery", email="orders@example.com"),
        found(5, name="José Núñez"),
        found(6, telephone="1"),
    ),
    skipped=(),
)


@pytest.mark.parametrize(
    ("me", "number"),
    [
        ("ada@example.com", 1),
        (" ADA@Example.COM ", 1),
        ("Ben Sample", 2),
        ("ben  SAMPLE", 2),
        ("2", 2),
        (" 3 ", 3),
        ("other@example.com", 3),
        ("Jose\u0301 Nu\u0301n\u0303ez", 5),
        ("006", 6),
    ],
)
def test_person_is_found_by_address_name_or_number(me: str, number: int) -> None:
    assert PREVIEW.person(me) is PREVIEW.found[number - 1]


@pytest.mark.parametrize(
    "me", ["", " ", "0", "7", "-1", "99999999999999999999", "²", "nobody", "Ada", "4", "Harbour Bakery", "١"]
)
def test_nobody_is_not_found(me: str) -> None:
    with pytest.raises(NotFoundError):
        PREVIEW.person(me)


@pytest.mark.parametrize(("me", "numbers"), [("shared@example.com", "1, 2"), ("ada example", "1, 3")])
def test_several_are_refused_with_their_numbers_and_no_value(me: str, numbers: str) -> None:
    with pytest.raises(ConflictError, match=f"number: {numbers}") as caught:
        PREVIEW.person(me)
    assert "example" not in str(caught.value)


def test_the_same_thing_twice_is_kept_once() -> None:
    kept, skipped = without_duplicates([found(1, key="k", name="A"), found(2, key="k", name="A")])
    assert [one.where for one in kept] == ["card 1"]
    assert skipped == (Skipped(where=CARD_2, reason=why("same-as", place=why("card", number=1))),)
    assert str(skipped[0].reason) == "the same as card 1"


def test_different_things_under_one_key_are_all_kept_under_keys_that_stay() -> None:
    file = [found(1, key="k", name="A"), found(2, key="k", name="B"), found(3, key="k", name="B")]
    kept, skipped = without_duplicates(file)
    assert [one.document["name"] for one in kept] == ["A", "B"]
    assert [one.where for one in skipped] == ["card 2", "card 3"]
    assert without_duplicates(file) == (kept, skipped)


def test_of_different_things_under_one_key_none_has_it_in_whatever_order_they_stand() -> None:
    """Else another order of the same file would make somebody else of the record that has the key."""
    file = [found(1, key="k", name="A"), found(2, key="k", name="B"), found(3, key="l", name="C")]
    for order in (file, file[::-1]):
        kept, _ = without_duplicates(order)
        keys = {one.document["name"]: one.key for one in kept}
        assert keys["A"].startswith("differing:")
        assert keys["B"].startswith("differing:")
        assert keys["A"] != keys["B"]
        assert keys["C"] == "l"


def test_a_key_shows_nothing_of_what_it_was_made_from() -> None:
    assert key_of("uid", "ada@example.com") == key_of("uid", "ada@example.com")
    assert key_of("uid", "ada@example.com") != key_of("content", "ada@example.com")
    assert "ada" not in key_of("uid", "ada@example.com")
