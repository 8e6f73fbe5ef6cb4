"""Vectors of one permission within another, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, put
from scene import (
    DELIVERY,
    PARTNER,
    SUBPARTNER,
)

_HOURS: Final[Document] = {
    "days": ["Mo", "Tu", "We"],
    "from": "08:00",
    "to": "18:00",
    "timeZone": "Europe/Berlin",
}


def _within() -> Iterator[Case]:
    """Yield pairs of permissions that differ in one part: as asked, and as given."""
    asked = DELIVERY

    def case(requirements: str, name: str, holds: bool, narrower: Document, wider: Document = asked) -> Case:
        given = {"narrower": narrower, "wider": wider}
        return (
            valid(requirements, name, **given) if holds else refused("widened", requirements, name, **given)
        )

    def pair(
        name: str, holds: bool, path: str, value: Json, other: Json = None, of: Document = asked
    ) -> Case:
        wider = of if other is None else put(of, path, other)
        return case("GRA-10 GRA-11", name, holds, put(of, path, value), wider)

    yield case("GRA-10", "the same", True, asked)
    yield pair("another name", False, "name", "news")
    fields = ["name", "address.postalCode", "telephone"]
    yield pair("a field less", True, "items/0/fields", fields[:2])
    yield pair("fields in another order", True, "items/0/fields", fields[::-1])
    yield pair("a field more", False, "items/0/fields", [*fields, "email"])
    yield pair("another field", False, "items/0/fields", ["email"])
    yield pair("a longer path of a field", False, "items/0/fields", ["name.givenName"])
    yield pair("a shorter path of a field", False, "items/0/fields", ["address"])
    yield pair("another type", False, "items/0/type", "Organization")
    yield pair("about self of any", True, "items/0/about", "self", "any")
    yield pair("about any of self", False, "items/0/about", "any")
    yield pair("about any of nothing said, which is self", False, "items/0/about", "any", GONE)
    yield pair("nothing said of about any", True, "items/0/about", GONE, "any")
    bare = {"type": "Person", "fields": fields}
    written = {**bare, "about": "self", "newRecords": False, "where": {}}
    plain = {name: value for name, value in asked.items() if name not in ("required", "recipients", "limits")}
    of_plain, whole = {**plain, "items": [bare]}, {"required": False, "recipients": [], "limits": {}}
    out = {**of_plain, "items": [written], **whole}
    yield case("REQ-19 GRA-10", "defaults written out of none written", True, out, of_plain)
    yield case("REQ-19 GRA-10", "no defaults of those written out", True, of_plain, out)
    yield case("REQ-19 GRA-10", "no limits of some", False, of_plain, {**out, "limits": {"reads": 5}})
    yield case(
        "REQ-19 GRA-10",
        "recipients of none written out",
        False,
        {**of_plain, "recipients": [PARTNER.did]},
        out,
    )
    yield pair("a condition more", True, "items/0/where", {"name": "Ada"})
    yield pair("a condition less", False, "items/0/where", GONE, {"name": "Ada"})
    yield pair("another value in a condition", False, "items/0/where", {"name": "Eve"}, {"name": "Ada"})
    yield pair("another path in a condition", False, "items/0/where", {"email": "Ada"}, {"name": "Ada"})
    yield pair("1.0 for 1 in a condition", True, "items/0/where", {"height": 1.0}, {"height": 1})
    yield pair("true for 1 in a condition", False, "items/0/where", {"height": True}, {"height": 1})
    yield pair("'1' for 1 in a condition", False, "items/0/where", {"height": "1"}, {"height": 1})
    yield pair("new records of none", False, "items/0/newRecords", True)
    yield pair("no new records of new ones", True, "items/0/newRecords", False, True)
    two = [{"type": "Person", "fields": ["name"]}, {"type": "Organization", "fields": ["name"]}]
    yield pair("one item of two", True, "items", two[1:], two)
    yield pair("two items of one", True, "items", [*two[:1], *two[:1]], two[:1])
    yield pair("an item more", False, "items", two, two[:1])
    split = [{"type": "Person", "fields": ["name"]}, {"type": "Person", "fields": ["email"]}]
    yield pair(
        "an item that lies in two together and in neither",
        False,
        "items",
        [{"type": "Person", "fields": ["name", "email"]}],
        split,
    )
    crossed = [
        {"type": "Person", "fields": ["name"], "about": "any"},
        {"type": "Person", "fields": ["name", "email"]},
    ]
    yield pair(
        "fields of one item and persons of another",
        False,
        "items",
        [{"type": "Person", "fields": ["name", "email"], "about": "any"}],
        crossed,
    )
    both = ["dpv:DeliveryOfGoods", "dpv:Marketing"]
    yield pair("a purpose less", True, "purpose", both[:1], both)
    yield pair("a purpose more", False, "purpose", both)
    yield pair(
        "a purpose below one that was asked", False, "purpose", ["dpv:DirectMarketing"], ["dpv:Marketing"]
    )
    yield pair("a recipient less", True, "recipients", GONE)
    yield pair("a recipient more", False, "recipients", [PARTNER.did, SUBPARTNER.did])
    yield pair("another recipient", False, "recipients", [SUBPARTNER.did])
    yield pair("a shorter retention", True, "retention", "P7D")
    yield pair("a longer retention", False, "retention", "P31D")
    yield pair("the same retention, written another way", True, "retention", "P1M", "P30D")
    yield pair("a month for 29 days", False, "retention", "P1M", "P29D")
    yield pair("52 weeks for a year", True, "retention", "P52W", "P1Y")
    yield pair("13 months for a year", False, "retention", "P13M", "P1Y")
    yield pair("whether it is required says nothing", True, "required", False)


def _within_limits() -> Iterator[Case]:
    def case(name: str, holds: bool, narrower: Json, wider: Json) -> Case:
        given = {"narrower": {**DELIVERY, "limits": narrower}, "wider": {**DELIVERY, "limits": wider}}
        requirements = "GRA-10 GRA-11 REQ-10"
        return (
            valid(requirements, name, **given) if holds else refused("widened", requirements, name, **given)
        )

    yield case("reads of none", True, {"reads": 5}, {})
    yield case("no reads of some", False, {}, {"reads": 5})
    yield case("fewer reads", True, {"reads": 4}, {"reads": 5})
    yield case("as many reads", True, {"reads": 5}, {"reads": 5})
    yield case("more reads", False, {"reads": 6}, {"reads": 5})
    yield case("a rate in the place of a number", False, {"rate": {"reads": 1, "per": "P1Y"}}, {"reads": 5})
    day = {"rate": {"reads": 24, "per": "P1D"}}
    yield case("no rate of one", False, {}, day)
    yield case("fewer reads in the window", True, {"rate": {"reads": 23, "per": "P1D"}}, day)
    yield case("more reads in the window", False, {"rate": {"reads": 25, "per": "P1D"}}, day)
    yield case("as many reads in a longer window", True, {"rate": {"reads": 24, "per": "P2D"}}, day)
    yield case("the same window, written another way", True, {"rate": {"reads": 24, "per": "PT24H"}}, day)
    yield case("as many reads in a shorter window", False, {"rate": {"reads": 24, "per": "PT1H"}}, day)
    yield case("one an hour, which may be refused and is", False, {"rate": {"reads": 1, "per": "PT1H"}}, day)
    yield case("more reads in a longer window", False, {"rate": {"reads": 48, "per": "P2D"}}, day)
    hours = {"hours": _HOURS}
    yield case("no hours of some", False, {}, hours)
    yield case("hours of none", True, hours, {})
    for name, holds, change in (
        ("a day less", True, {"days": ["Mo", "We"]}),
        ("days in another order", True, {"days": ["We", "Mo", "Tu"]}),
        ("a day more", False, {"days": ["Mo", "Tu", "We", "Th"]}), ("another day", False, {"days": ["Su"]}),
        ("later", True, {"from": "09:00"}), ("earlier", False, {"from": "07:59"}),
        ("an earlier end", True, {"to": "17:00"}), ("a later end", False, {"to": "18:01"}),
        ("to the end of the day", False, {"to": "00:00"}),
        ("another zone, whatever the hour there", False, {"timeZone": "Europe/Paris"}),
    ):  # fmt: skip
        yield case(f"hours: {name}", holds, {"hours": {**_HOURS, **change}}, hours)
    yield case("an end before midnight", True, hours, {"hours": {**_HOURS, "to": "00:00"}})


OPERATIONS = (
    Operation(
        name="permission-within",
        description="Say whether the permission `narrower` lies within `wider`: `widened` if not.",
        cases=(*_within(), *_within_limits()),
    ),
)
