from __future__ import annotations

from typing import Any

import pytest
from freehold_node.cli import choice
from freehold_node.cli.failure import Failure
from freehold_protocol.permission import all_within, read_permissions
from harness import permission
from hypothesis import given, settings
from hypothesis import strategies as st

DELIVERY = permission("delivery", ["name", "address.streetAddress", "address.postalCode"], required=True)
MARKETING = permission("marketing", ["email", "birthDate"], purpose="dpv:Marketing")
ASKED = [DELIVERY, MARKETING]
TWO_ITEMS = {
    **DELIVERY,
    "items": [
        {"type": "Person", "about": "self", "fields": ["name", "email"]},
        {"type": "Person", "about": "any", "fields": ["name"]},
    ],
}


def shown(permissions: list[dict[str, Any]]) -> dict[str, list[list[str]]]:
    return {one["name"]: [item["fields"] for item in one["items"]] for one in permissions}


@pytest.mark.parametrize(
    ("picks", "given"),
    [
        (["delivery"], {"delivery": [["name", "address.streetAddress", "address.postalCode"]]}),
        (["delivery=name"], {"delivery": [["name"]]}),
        (["delivery=address"], {"delivery": [["address.streetAddress", "address.postalCode"]]}),
        (["delivery=address.postalCode,name"], {"delivery": [["name", "address.postalCode"]]}),
        (["delivery= name , address.postalCode "], {"delivery": [["name", "address.postalCode"]]}),
        (["delivery=name", "delivery=address.postalCode"], {"delivery": [["name", "address.postalCode"]]}),
        (["marketing=email", "delivery=name"], {"delivery": [["name"]], "marketing": [["email"]]}),
        (["delivery=1:name"], {"delivery": [["name"]]}),
    ],
)
def test_exactly_what_is_picked_is_given(picks: list[str], given: dict[str, Any]) -> None:
    made = choice.only(ASKED, choice.parse_picks(picks))
    assert shown(made) == given
    assert all_within(read_permissions(made), read_permissions(ASKED))


@pytest.mark.parametrize(
    ("picks", "given"),
    [
        (["delivery=name"], {"delivery": [["name"], ["name"]]}),
        (["delivery=1:name"], {"delivery": [["name"]]}),
        (["delivery=2:name,email"], {"delivery": [["email"], ["name"]]}),
    ],
)
def test_a_field_of_one_item_only_is_picked_by_its_number(picks: list[str], given: dict[str, Any]) -> None:
    assert shown(choice.only([TWO_ITEMS], choice.parse_picks(picks))) == given


@pytest.mark.parametrize(
    "pick",
    ["", "=", "=name", "delivery=", "delivery=,", "nope", "nope=name", "delivery=email", "delivery=addres",
     "delivery=name,nope", "delivery=2:name", "delivery=name.x", "Delivery", "delivery,marketing"],
)  # fmt: skip
def test_a_pick_that_names_nothing_is_no_decision(pick: str) -> None:
    with pytest.raises(Failure) as failed:
        choice.only(ASKED, choice.parse_picks(["delivery=name", pick]))
    assert failed.value.exit_code == 2


def test_without_picks_the_required_permissions_are_given_whole() -> None:
    assert choice.required_only(ASKED) == [DELIVERY]
    with pytest.raises(Failure, match="--give and any of: marketing"):
        choice.required_only([MARKETING])


@pytest.mark.parametrize(
    ("drops", "left"),
    [
        (
            ["delivery=address.postalCode", "marketing.email"],
            {"delivery": [["name", "address.streetAddress"]], "marketing": [["birthDate"]]},
        ),
        (["marketing"], {"delivery": [["name", "address.streetAddress", "address.postalCode"]]}),
        (
            ["delivery.address.postalCode"],
            {"delivery": [["name", "address.streetAddress"]], "marketing": [["email", "birthDate"]]},
        ),
        (["delivery.address", "marketing.birthDate"], {"delivery": [["name"]], "marketing": [["email"]]}),
        (["marketing.email", "marketing.birthDate"], {"delivery": DELIVERY["items"][0]["fields"]}),
    ],
)
def test_what_is_dropped_is_gone_and_nothing_else(drops: list[str], left: dict[str, Any]) -> None:
    made = choice.without(ASKED, choice.parse_drops(drops))
    if left.get("delivery") == DELIVERY["items"][0]["fields"]:
        left = {"delivery": [left["delivery"]]}
    assert shown(made) == left
    assert all_within(read_permissions(made), read_permissions(ASKED))


@pytest.mark.parametrize(
    "drop",
    ["", ".", ".name", "nope", "delivery.nope", "delivery.addres", "delivery=", "=name", "delivery=nope"],
)
def test_a_drop_that_names_nothing_is_refused(drop: str) -> None:
    with pytest.raises(Failure):
        choice.without(ASKED, choice.parse_drops([drop]))


def test_taking_everything_away_is_not_a_narrowing() -> None:
    with pytest.raises(Failure, match="freehold end"):
        choice.without(ASKED, choice.parse_drops(["delivery", "marketing"]))


def test_widening_adds_to_what_stands() -> None:
    standing = choice.only(ASKED, choice.parse_picks(["delivery=name"]))
    made = choice.together(
        ASKED, standing, choice.parse_picks(["delivery=address.postalCode", "marketing=email"])
    )
    assert shown(made) == {"delivery": [["name", "address.postalCode"]], "marketing": [["email"]]}
    assert all_within(read_permissions(standing), read_permissions(made))
    assert choice.together(ASKED, standing, []) == standing


def test_widening_leaves_narrow_what_was_narrowed_otherwise() -> None:
    standing = [
        {**DELIVERY, "retention": "P1D", "items": [{**DELIVERY["items"][0], "where": {"gender": "x"}}]}
    ]
    standing[0]["items"][0]["fields"] = ["name"]
    [made] = choice.together(ASKED, standing, choice.parse_picks(["delivery=address.postalCode"]))
    assert made["retention"] == "P1D"
    assert made["items"][0]["where"] == {"gender": "x"}
    assert made["items"][0]["fields"] == ["name", "address.postalCode"]


PLACES = [(one["name"], path) for one in ASKED for path in one["items"][0]["fields"]]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(PLACES), min_size=1), st.sets(st.sampled_from(PLACES)))
def test_keeping_and_dropping_are_the_two_sides_of_one_choice(
    kept: set[tuple[str, str]], more: set[tuple[str, str]]
) -> None:
    def fields(permissions: list[dict[str, Any]]) -> set[tuple[str, str]]:
        return {(one["name"], path) for one in permissions for path in one["items"][0]["fields"]}

    picks = choice.parse_picks([f"{name}={path}" for name, path in kept])
    drops = choice.parse_drops([f"{name}.{path}" for name, path in PLACES if (name, path) not in kept])
    only = choice.only(ASKED, picks)
    assert fields(only) == kept == fields(choice.without(ASKED, drops))
    wider = choice.together(ASKED, only, choice.parse_picks([f"{name}={path}" for name, path in more]))
    assert fields(wider) == kept | more
