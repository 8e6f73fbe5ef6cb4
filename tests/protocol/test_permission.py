"""Permissions: their form, and that what narrows never allows more, by an oracle that lists all that is allowed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json, parse_document
from freehold_protocol.errors import (
    FreeholdError,
    IncompleteRequestError,
    MalformedError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_protocol.permission import (
    DAYS,
    RESERVED,
    Hours,
    Item,
    Limits,
    Permission,
    all_within,
    field_path,
    format_duration,
    read_permissions,
    read_where,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import (
    PARTNER,
    STRANGER,
    json_values,
    permission,
    permission_document,
    spoiled,
    with_member,
)

FULL: Document = permission_document(
    items=[
        {
            "type": "Person",
            "about": "any",
            "fields": ["name", "address.postalCode"],
            "where": {"address.addressCountry": "DE", "height": 1.5},
            "newRecords": True,
        },
        {"type": "Order", "about": "self", "fields": ["orderNumber"]},
    ],
    purpose=["dpv:DeliveryOfGoods", "dpv:CustomerCare"],
    recipients=[PARTNER.did, "did:web:carrier.example"],
    limits={
        "reads": 100,
        "rate": {"reads": 10, "per": "PT1H"},
        "hours": {"days": ["Mo", "Fr"], "from": "08:00", "to": "00:00", "timeZone": "Europe/Berlin"},
    },
    required=True,
)
HOURS: Document = FULL["limits"]["hours"]


# Form


def test_a_permission_comes_back() -> None:
    found = Permission.from_dict(FULL)
    assert found.to_dict() == FULL
    assert Permission.from_dict(found.to_dict()) == found
    assert found.retention_s == 30 * 86_400
    assert found.fields == ("name", "address.postalCode", "orderNumber")
    assert found.items[0].where == (("address.addressCountry", "DE"), ("height", 1.5))
    assert found.limits.hours is not None
    assert (found.limits.hours.from_minute, found.limits.hours.to_minute) == (480, 1440)


def test_what_is_left_out_is_the_narrow_choice() -> None:
    found = permission()
    assert found.items[0].about == "self"
    assert not found.items[0].new_records
    assert not found.items[0].where
    assert found.recipients == ()
    assert not found.required
    assert found.limits == Limits()
    assert found.limits.to_dict() == {}
    assert found.to_dict()["items"][0] == {
        "type": "Person", "about": "self", "fields": ["name", "address.postalCode", "telephone"],
    }  # fmt: skip


@settings(max_examples=200)
@given(json_values | spoiled(FULL))
def test_any_json_value_is_a_permission_or_a_freehold_error(value: Any) -> None:
    try:
        found = Permission.from_dict(value)
    except FreeholdError:
        return
    try:
        data = jcs(found.to_dict())
    except MalformedError:  # a number that no signed document can hold
        return
    again = Permission.from_dict(parse_document(data))
    assert again == found
    assert again.within(found)
    assert found.within(again)


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("name", "Delivery", MalformedError),
        ("name", None, MalformedError),
        ("name", "ledger", MalformedError),
        ("name", "zcaps", MalformedError),
        ("items", [], MalformedError),
        ("items", {}, MalformedError),
        ("items", [{}], MalformedError),
        ("items", FULL["items"] * 9, TooLargeError),
        ("items.0.more", 1, MalformedError),
        ("items.0.type", "Persons", UndefinedTermError),
        ("items.0.type", "schema", UndefinedTermError),  # a prefix
        ("items.0.type", "id", UndefinedTermError),  # a keyword
        ("items.0.type", ["Person"], UndefinedTermError),
        ("items.0.type", "schema:Person", UndefinedTermError),
        ("items.0.type", "ReleasedPage", MalformedError),
        ("items.0.type", "AccessGrant", MalformedError),
        ("items.0.about", "others", MalformedError),
        ("items.0.about", None, MalformedError),
        ("items.0.about", ["any"], MalformedError),
        ("items.0.fields", [], MalformedError),
        ("items.0.fields", ["name", "name"], MalformedError),
        ("items.0.fields", ["*"], MalformedError),
        ("items.0.fields", ["name"] * 65, TooLargeError),
        ("items.0.fields.0", "nickname", UndefinedTermError),
        ("items.0.where", [], MalformedError),
        ("items.0.where", {f"a{n}": 1 for n in range(65)}, TooLargeError),
        ("items.0.where", {"name": None}, MalformedError),
        ("items.0.where", {"name": ["a"]}, MalformedError),
        ("items.0.where", {"name": {"a": 1}}, MalformedError),
        ("items.0.where", {"name": "a" * 201}, TooLargeError),
        ("items.0.where", {"name": ""}, MalformedError),  # what a person reads before deciding has to show
        ("items.0.where", {"name": "a\u202eb"}, MalformedError),
        ("items.0.where", {"name": "a\nb"}, MalformedError),
        ("items.0.where", {"nickname": 1}, UndefinedTermError),
        ("items.0.where", {"name.*": 1}, MalformedError),
        ("items.0.newRecords", 1, MalformedError),
        ("items.0.newRecords", None, MalformedError),
        ("purpose", "dpv:Marketing", MalformedError),
        ("purpose", ["Marketing"], UndefinedTermError),
        ("purpose", ["dpv:Purpose"], UndefinedTermError),
        ("purpose", ["https://w3id.org/dpv#Marketing"], UndefinedTermError),
        ("purpose", [1], UndefinedTermError),
        ("purpose", ["dpv:Marketing", "dpv:Marketing"], MalformedError),
        ("purpose", ["dpv:Marketing"] * 9, TooLargeError),
        ("purpose", [], IncompleteRequestError),
        ("purpose", None, IncompleteRequestError),
        ("retention", "", IncompleteRequestError),
        ("retention", "a while", MalformedError),
        ("retention", 30, MalformedError),
        ("recipients", ["carrier"], MalformedError),
        ("recipients", [PARTNER.did] * 2, MalformedError),
        ("recipients", [PARTNER.did] * 33, TooLargeError),
        ("required", "yes", MalformedError),
        ("limits", [], MalformedError),
        ("limits.more", 1, MalformedError),
        ("limits.reads", 0, MalformedError),
        ("limits.reads", None, MalformedError),
        ("limits.rate", 5, MalformedError),
        ("limits.rate.reads", 0, MalformedError),
        ("limits.rate.per", "PT1S", MalformedError),
        ("limits.rate", {"reads": 1}, MalformedError),
        ("questions", [], UnsupportedError),
        ("note", "x", MalformedError),
    ],
)  # fmt: skip
def test_wrong_members(path: str, value: Json, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        Permission.from_dict(with_member(FULL, path, value))
    assert type(raised.value) is error


@pytest.mark.parametrize("name", ["name", "items", "purpose", "retention"])
def test_members_that_are_needed(name: str) -> None:
    document = {key: value for key, value in FULL.items() if key != name}
    with pytest.raises(MalformedError):
        Permission.from_dict(document)


@pytest.mark.parametrize(
    "path", ["name", "address.postalCode", "worksFor.address.addressCountry.name", "email"]
)
def test_field_paths(path: str) -> None:
    assert field_path(path) == path


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("", MalformedError),
        (".", MalformedError),
        ("name.", MalformedError),
        (".name", MalformedError),
        ("address..postalCode", MalformedError),
        ("address.*", MalformedError),
        ("*", MalformedError),
        ("name[0]", MalformedError),
        ("name ", MalformedError),
        ("name\n", MalformedError),
        ("schema:name", MalformedError),
        ("@id", MalformedError),
        ("nàme", MalformedError),
        ("a" * 65, MalformedError),
        (".".join(["knows"] * 7), MalformedError),
        ("a." * 100_000, MalformedError),
        (None, MalformedError),
        (1, MalformedError),
        (["name"], MalformedError),
        ("id", MalformedError),
        ("knows.id", MalformedError),
        ("type", MalformedError),
        ("proof", MalformedError),
        ("source", MalformedError),
        ("source.file", MalformedError),
        ("previous", MalformedError),
        ("created", MalformedError),
        # What the node itself writes into a released document: a record's own would be lost or break it.
        ("issuer", MalformedError),
        ("version", MalformedError),
        ("nickname", UndefinedTermError),
        ("address.nickname", UndefinedTermError),
        ("schema", UndefinedTermError),
        ("constructor", UndefinedTermError),
    ],
)
def test_what_is_no_field_path(path: Any, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        field_path(path)
    assert type(raised.value) is error


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_permission_is_called_like_a_segment_of_a_route(name: str) -> None:
    with pytest.raises(MalformedError):
        permission(name)
    permission(name + "s2")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("days", []),
        ("days", ["Mo", "Mo"]),
        ("days", ["Mon"]),
        ("days", "Mo"),
        ("days", [["Mo"]]),
        ("days", [1]),
        ("days", [*DAYS, "Mo"]),
        ("from", "8:00"),
        ("from", "24:00"),
        ("from", "08:60"),
        ("from", "08:00:00"),
        ("from", "08:00\n"),
        ("from", 800),
        ("from", "٠٨:٠٠"),
        ("to", "08:00"),
        ("to", "07:59"),
        ("to", None),
        ("timeZone", ""),
        ("timeZone", "../../etc/passwd"),
        ("timeZone", "Europe//Berlin"),
        ("timeZone", "/etc"),
        ("timeZone", "Europe/Ber lin"),
        ("timeZone", "a/b/c/d"),
        ("timeZone", 1),
        ("more", 1),
    ],
)
def test_wrong_hours(path: str, value: Json) -> None:
    with pytest.raises(MalformedError):
        Hours.from_dict(with_member(HOURS, path, value))


def test_hours_contain() -> None:
    hours = Hours.from_dict(HOURS)
    assert hours.contain(weekday=0, minute=480)
    assert hours.contain(weekday=4, minute=1439)
    assert not hours.contain(weekday=0, minute=479)
    assert not hours.contain(weekday=1, minute=480)
    whole = Hours.from_dict({"days": list(reversed(DAYS)), "from": "00:00", "to": "00:00", "timeZone": "UTC"})
    assert whole.days == DAYS
    assert all(whole.contain(weekday=day, minute=minute) for day in range(7) for minute in (0, 720, 1439))
    assert Hours.from_dict(whole.to_dict()) == whole


@pytest.mark.parametrize(
    "per",
    ["PT1M", "PT59M", "PT60M", "PT9999M", "PT9999H", "PT24H", "P1D", "P9999D", "P1W", "P999W", "P1M", "P999M", "P1Y",
     "P28Y", "P99Y"],
)  # fmt: skip
def test_a_rate_s_window_comes_back(per: str) -> None:
    found = Limits.from_dict({"rate": {"reads": 1, "per": per}})
    assert Limits.from_dict(found.to_dict()) == found


@pytest.mark.parametrize("seconds", [0, 1, 30, -60, 61, 86_400 * 36_501])
def test_a_time_that_no_duration_says(seconds: int) -> None:
    with pytest.raises(ValueError, match="duration"):
        format_duration(seconds)


def test_permissions_have_names_of_their_own() -> None:
    two = [permission_document("a"), permission_document("b")]
    assert [one.name for one in read_permissions(two)] == ["a", "b"]
    for value, error in (
        ([], MalformedError),
        ({}, MalformedError),
        (None, MalformedError),
        ([two[0], two[0]], MalformedError),
        ([permission_document(f"a{n}") for n in range(17)], TooLargeError),
    ):
        with pytest.raises(error):
            read_permissions(value)


# Narrowing: by hand


@pytest.mark.parametrize(
    ("path", "narrower"),
    [
        ("items", FULL["items"][:1]),
        ("items", FULL["items"][:1] * 3),
        ("items", FULL["items"][::-1]),
        ("items.0.about", "self"),
        ("items.0.fields", ["name"]),
        ("items.0.fields", ["address.postalCode", "name"]),
        ("items.0.where", {**FULL["items"][0]["where"], "name": "Ada"}),
        ("items.0.newRecords", False),
        ("purpose", ["dpv:CustomerCare"]),
        ("recipients", []),
        ("recipients", ["did:web:carrier.example"]),
        ("retention", "P29D"),
        ("retention", "P4W"),
        ("limits.reads", 99),
        ("limits.rate", {"reads": 10, "per": "P1D"}),
        ("limits.rate.reads", 9),
        ("limits.hours.days", ["Fr"]),
        ("limits.hours.from", "08:01"),
        ("limits.hours.to", "23:59"),
    ],
)
def test_narrower(path: str, narrower: Json) -> None:
    wide, narrow = Permission.from_dict(FULL), Permission.from_dict(with_member(FULL, path, narrower))
    assert narrow.within(wide)
    assert wide.within(wide)
    if path != "items" and narrower != ["address.postalCode", "name"]:
        assert not wide.within(narrow)


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("name", "deliveries"),
        ("items", [*FULL["items"], {"type": "Product", "fields": ["name"]}]),
        ("items.0.type", "Organization"),
        ("items.1.about", "any"),
        ("items.0.fields", ["name", "address"]),
        ("items.0.fields", ["name", "address.postalCode", "email"]),
        ("items.0.where", {}),
        ("items.0.where", {"height": 1.5}),
        ("items.0.where", {"address.addressCountry": "FR", "height": 1.5}),
        ("items.0.where", {"address.addressCountry": "DE", "height": 2}),
        ("items.1.newRecords", True),
        ("purpose", ["dpv:DeliveryOfGoods", "dpv:Marketing"]),
        # Lies below one that was agreed to, and is not agreed to for all that.
        ("purpose", ["dpv:DeliveryOfGoods", "dpv:CustomerClaimsManagement"]),
        ("recipients", [PARTNER.did, STRANGER.did]),
        ("retention", "P31D"),
        ("limits", {}),
        ("limits.reads", 101),
        ("limits.rate.reads", 11),
        ("limits.rate", {"reads": 10, "per": "PT59M"}),
        ("limits.rate", {"reads": 1, "per": "PT1M"}),
        ("limits.hours.days", ["Mo", "Fr", "Sa"]),
        ("limits.hours.from", "07:59"),
        ("limits.hours.timeZone", "Europe/Paris"),
    ],
)
def test_not_narrower(path: str, other: Json) -> None:
    assert not Permission.from_dict(with_member(FULL, path, other)).within(Permission.from_dict(FULL))


@pytest.mark.parametrize("name", ["reads", "rate", "hours"])
def test_a_limit_cannot_be_dropped(name: str) -> None:
    less = {key: value for key, value in FULL["limits"].items() if key != name}
    wide, narrow = Permission.from_dict(with_member(FULL, "limits", less)), Permission.from_dict(FULL)
    assert narrow.within(wide)
    assert not wide.within(narrow)


def test_conditions_compare_as_records_do() -> None:
    def item(wanted: Json) -> Item:
        return Item.from_dict({"type": "Person", "fields": ["name"], "where": {"height": wanted}})

    # Canonical JSON writes 1.0 as 1: a request that was kept and a grant that was sent are still the same.
    assert item(1.0).within(item(1))
    assert item(1).within(item(1.0))
    for one, other in itertools.permutations([1, True, "1", "True", 2, 0, False], 2):
        assert not item(one).within(item(other))


def test_a_condition_that_no_document_can_hold() -> None:
    assert read_where({"name": "a", "height": 1, "email": True}) == (
        ("email", True),
        ("height", 1),
        ("name", "a"),
    )
    with pytest.raises(MalformedError):
        read_where({"height": float("inf")})
    with pytest.raises(MalformedError):
        read_where({"height": 10**400})


def test_all_within() -> None:
    a, b, narrow = permission("a"), permission("b"), permission("a", retention="P1D")
    assert all_within((), ())
    assert all_within((), (a,))
    assert all_within((narrow,), (b, a))
    assert not all_within((a,), (narrow, b))
    assert not all_within((a, permission("c")), (a, b))
    assert not all_within((a,), ())


# Narrowing: by an oracle that lists all that a permission allows


class Row(NamedTuple):
    number: int
    is_self: bool
    is_new: bool
    content: Document


ROWS = (
    Row(1, True, False, {
        "type": "Person", "name": "A", "height": 1, "email": ["a", "b"],
        "address": {"type": "PostalAddress", "postalCode": "1", "streetAddress": "s"},
    }),
    Row(2, False, False, {"type": "Person", "name": "B", "height": True, "email": "a", "address": "one line"}),
    Row(3, False, True, {
        "type": "Person", "name": "A", "height": 1.0,
        "address": [{"type": "PostalAddress", "postalCode": "1"}, "another line", {"postalCode": "2"}],
    }),
    Row(4, False, False, {"type": "Order", "name": "A", "address": {"postalCode": "1"}}),
)  # fmt: skip
FIELDS = ("name", "email", "address", "address.postalCode", "address.streetAddress", "height")
CONDITIONS: tuple[tuple[str, Json], ...] = (
    ("name", "A"), ("name", "B"), ("height", 1), ("height", True), ("height", 1.0), ("address.postalCode", "1"),
)  # fmt: skip
PURPOSES = ("dpv:DeliveryOfGoods", "dpv:Marketing", "dpv:TargetedAdvertising", "dpv:CustomerCare")
RECIPIENTS = (PARTNER.did, STRANGER.did, "did:web:carrier.example")
RETENTIONS = ("P1D", "P30D", "P1M", "P4W", "P1Y", "PT36H")
CLOCK = ("00:00", "06:00", "09:00", "18:00")
ZONES = ("UTC", "Asia/Kolkata")
SLOT_S = 1800
SLOTS = tuple(itertools.chain.from_iterable(itertools.combinations(range(6), n) for n in range(7)))
WEEK = tuple(datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=90 * n) for n in range(7 * 16))


def leaves(value: Json, path: str = "", place: str = "") -> Iterator[tuple[str, str, Json]]:
    """Yield (path, place, scalar) of every leaf; arrays do not show in a path, but in a place."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name != "type":
                yield from leaves(item, f"{path}.{name}".lstrip("."), f"{place}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, path, f"{place}[{index}]")
    else:
        yield path, place, value


def shown(found: Permission) -> set[tuple[int, str]]:
    """Return all that is ever seen: (record, place of a leaf)."""
    facts: set[tuple[int, str]] = set()
    for row, item in itertools.product(ROWS, found.items):
        everything = list(leaves(row.content))
        matching = all(
            any(
                path == where and value == wanted and (value is True) == (wanted is True)
                for path, _, value in everything
            )
            for where, wanted in item.where
        )
        if (
            matching
            and item.type == row.content["type"]
            and (row.is_self or item.about == "any")
            and (item.new_records or not row.is_new)
        ):
            facts |= {(row.number, place) for path, place, _ in everything if path in item.fields}
    return facts


def times(found: Limits) -> set[datetime]:
    hours = found.hours
    if hours is None:
        return set(WEEK)
    local = {now: now.astimezone(ZoneInfo(hours.time_zone)) for now in WEEK}
    return {
        now
        for now, then in local.items()
        if hours.contain(weekday=then.weekday(), minute=then.hour * 60 + then.minute)
    }


def histories(found: Limits) -> set[tuple[int, ...]]:
    """Return every choice of half hours at which one read each would be admitted."""

    def admitted(slots: tuple[int, ...]) -> bool:
        if found.reads is not None and len(slots) > found.reads:
            return False
        if found.rate is None:
            return True
        most, window_s = found.rate
        return all(sum(0 <= (now - slot) * SLOT_S < window_s for slot in slots) <= most for now in slots)

    return {slots for slots in SLOTS if admitted(slots)}


def allowed(found: Permission) -> dict[str, set[Any]]:
    """Return everything that a permission allows, kind by kind."""
    return {
        "name": {found.name},
        "shown": shown(found),
        "purposes": set(found.purposes),
        "recipients": set(found.recipients),
        "kept": set(range(0, found.retention_s + 1, 6 * 3600)),
        "times": times(found.limits),
        "histories": histories(found.limits),
    }


def random_item(rng: random.Random) -> Document:
    item: Document = {
        "type": rng.choice(["Person", "Person", "Order"]),
        "about": rng.choice(["self", "any"]),
        "fields": rng.sample(FIELDS, rng.randint(1, 5)),
        "newRecords": rng.random() < 0.5,
    }
    if rng.random() < 0.5:
        item["where"] = dict(rng.sample(CONDITIONS, rng.randint(1, 2)))
    return item


def random_hours(rng: random.Random) -> Document:
    start, end = rng.choice([(a, b) for a in CLOCK for b in CLOCK if b == "00:00" or a < b])
    return {
        "days": rng.sample(DAYS, rng.randint(1, 7)),
        "from": start,
        "to": end,
        "timeZone": rng.choice(ZONES),
    }


def random_limits(rng: random.Random) -> Document:
    made: Document = {}
    if rng.random() < 0.5:
        made["reads"] = rng.randint(1, 5)
    if rng.random() < 0.5:
        made["rate"] = {"reads": rng.randint(1, 3), "per": rng.choice(["PT30M", "PT1H", "PT90M", "PT2H"])}
    if rng.random() < 0.5:
        made["hours"] = random_hours(rng)
    return made


def random_document(rng: random.Random) -> Document:
    return {
        "name": "delivery" if rng.random() < 0.95 else "other",
        "items": [random_item(rng) for _ in range(rng.randint(1, 2))],
        "purpose": rng.sample(PURPOSES, rng.randint(1, 3)),
        "recipients": rng.sample(RECIPIENTS, rng.randint(0, 2)),
        "retention": rng.choice(RETENTIONS),
        "limits": random_limits(rng),
    }


def varied(rng: random.Random, document: Document) -> Document:
    """Return the document with a few of its parts drawn anew or cut down."""
    made = parse_document(jcs(document))
    fresh = random_document(rng)
    for name in rng.sample(sorted(made), rng.randint(1, 2)):
        made[name] = fresh[name]
    for item in made["items"]:
        if rng.random() < 0.5:
            item["fields"] = rng.sample(item["fields"], rng.randint(1, len(item["fields"])))
        if rng.random() < 0.3:
            item["newRecords"], item["about"] = False, "self"
        if rng.random() < 0.3:
            item.setdefault("where", {}).update([rng.choice(CONDITIONS)])
    return made


def test_within_never_allows_more() -> None:
    rng = random.Random(20261123)
    held = refused = strictly = 0
    for _ in range(1500):
        document = random_document(rng)
        wide, narrow = Permission.from_dict(document), Permission.from_dict(varied(rng, document))
        if not narrow.within(wide):
            refused += 1
            continue
        held += 1
        given_, before = allowed(narrow), allowed(wide)
        for kind in before:
            assert given_[kind] <= before[kind], (kind, narrow, wide)
        strictly += given_ != before
    # The draw is not lopsided: each outcome was seen often.
    assert held > 200
    assert refused > 200
    assert strictly > 150


def test_within_is_reflexive_and_transitive() -> None:
    rng = random.Random(7)
    chains = 0
    for _ in range(1500):
        one = random_document(rng)
        two = varied(rng, one)
        a, b, c = map(Permission.from_dict, (one, two, varied(rng, two)))
        assert a.within(a)
        if c.within(b) and b.within(a):
            chains += 1
            assert c.within(a), (c, b, a)
    assert chains > 100


def test_what_is_within_both_ways_allows_the_same() -> None:
    rng = random.Random(11)
    same = 0
    for _ in range(400):
        document = random_document(rng)
        other = parse_document(jcs(document))
        for name in ("items", "purpose", "recipients"):
            rng.shuffle(other[name])
        a, b = Permission.from_dict(document), Permission.from_dict(other)
        assert a.within(b)
        assert b.within(a)
        same += allowed(a) == allowed(b)
    assert same == 400


@settings(max_examples=50)
@given(st.sampled_from(ROWS), st.lists(st.sampled_from(FIELDS), min_size=1, unique=True))
def test_the_oracle_sees_what_a_projection_shows(row: Row, fields: list[str]) -> None:
    from freehold_protocol.released import project

    seen = sorted(repr(value) for path, _, value in leaves(row.content) if path in fields)
    made = project(row.content, fields, alias=str)
    assert sorted(repr(value) for _, _, value in leaves(made)) == seen
