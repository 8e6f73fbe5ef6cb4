"""Vectors of caveats, and of the limits of a permission: what is counted when something is invoked."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Case, Json, Operation, refused, valid
from craft import Document, jcs
from scene import (
    DPV,
    TERM,
)
from vectors_invocation import NOW


def _allowed() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, **given: Json) -> Case:
        given = {"now": NOW, "purposes": ["dpv:DeliveryOfGoods"], "admitted": []} | given
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    def caveat(kind: str, **members: Json) -> Document:
        return {"type": TERM + kind, **{TERM + name.rstrip("_"): value for name, value in members.items()}}

    delivery, marketing = DPV + "DeliveryOfGoods", DPV + "Marketing"
    for_delivery = caveat("PurposeLimit", purpose=[delivery])
    yield case("valid", "CAP-10", "a purpose that is among those of the caveat", caveats=[for_delivery])
    yield case(
        "valid",
        "CAP-10",
        "fewer purposes than the caveat has",
        caveats=[caveat("PurposeLimit", purpose=[delivery, marketing])],
    )
    yield case(
        "wrong-purpose",
        "CAP-10 CAP-14 CAP-31",
        "another purpose",
        caveats=[for_delivery],
        purposes=["dpv:Marketing"],
    )
    yield case(
        "wrong-purpose",
        "CAP-10 CAP-14 CAP-31",
        "a purpose more",
        caveats=[for_delivery],
        purposes=["dpv:DeliveryOfGoods", "dpv:Marketing"],
    )
    yield case(
        "wrong-purpose",
        "CAP-11",
        "a purpose below that of the caveat",
        caveats=[caveat("PurposeLimit", purpose=[marketing])],
        purposes=["dpv:DirectMarketing"],
    )
    yield case(
        "wrong-purpose",
        "CAP-14",
        "the second of two caveats",
        caveats=[caveat("PurposeLimit", purpose=[delivery]), caveat("PurposeLimit", purpose=[marketing])],
    )
    hours: Document = {"days": ["Mo", "Tu"], "from_": "08:00", "to": "13:12", "timeZone": "Europe/Berlin"}
    for name, code, now in (
        ("before the hour there", "outside-hours", "2026-11-23T06:59:59Z"),
        ("at the hour there", "valid", "2026-11-23T07:00:00Z"),
        ("in the last minute there", "valid", "2026-11-23T12:11:59Z"),
        ("at the end there", "outside-hours", "2026-11-23T12:12:00Z"),
        ("on another day", "outside-hours", "2026-11-25T10:00:00Z"),
        ("in summer time there", "valid", "2026-07-20T06:00:00Z"),
        ("before it, in summer time", "outside-hours", "2026-07-20T05:59:59Z"),
    ):  # fmt: skip
        yield case(
            code,
            "CAP-10 REQ-10",
            f"a caveat of hours, {name}",
            caveats=[caveat("HoursLimit", **hours)],
            now=now,
        )
        yield case(
            code,
            "REQ-10",
            f"hours of a permission, {name}",
            limits={"hours": {name.rstrip("_"): value for name, value in hours.items()}},
            now=now,
        )
    nowhere = caveat("HoursLimit", **{**hours, "timeZone": "Mars/Olympus"})
    yield case("capability-invalid", "CAP-31", "a caveat with a zone that does not exist", caveats=[nowhere])
    late: Document = {"days": ["Mo"], "from_": "22:00", "to": "00:00", "timeZone": "Europe/Berlin"}
    yield case(
        "valid",
        "REQ-10",
        "a day that has begun there and not in UTC",
        caveats=[caveat("HoursLimit", **{**late, "from_": "00:00", "to": "01:00"})],
        now="2026-11-22T23:30:00Z",
    )
    yield case(
        "valid",
        "REQ-10",
        "until the end of the day",
        caveats=[caveat("HoursLimit", **late)],
        now="2026-11-23T22:59:59Z",
    )
    yield case(
        "outside-hours",
        "REQ-10",
        "after the end of the day",
        caveats=[caveat("HoursLimit", **late)],
        now="2026-11-23T23:00:00Z",
    )
    old, new = "2026-11-22T12:11:59Z", "2026-11-23T12:11:00Z"
    for name, code, requirements, count, rate, seen in (
        ("none so far", "valid", "CAP-10", 1, None, []),
        ("as many as may be", "limit-reached", "CAP-10 CAP-15 CAP-31", 2, None, [old, new]),
        ("one less", "valid", "CAP-10", 3, None, [old, new]),
        ("within the window", "limit-reached", "CAP-10 CAP-15 CAP-31", None, 1, [new]),
        ("before the window", "valid", "CAP-10", None, 1, [old]),
        ("some within and some before", "valid", "CAP-10", None, 2, [old, old, new]),
    ):  # fmt: skip
        both = ([caveat("CountLimit", reads=count)] if count else []) + (
            [caveat("RateLimit", per="P1D", reads=rate)] if rate else []
        )
        yield case(code, requirements, f"a caveat of reads: {name}", caveats=both, admitted=seen)
        limits: Document = {"reads": count} if count else {"rate": {"reads": rate, "per": "P1D"}}
        yield case(code, "REQ-10", f"reads of a permission: {name}", limits=limits, admitted=seen)
    bad = "malformed"
    five, one = caveat("CountLimit", reads=5), caveat("CountLimit", reads=1)
    yield case("valid", "CAP-12", "caveats in their order", caveats=[one, five])
    yield case(bad, "CAP-12", "caveats in another order", caveats=[five, one])
    yield case(bad, "CAP-12", "a caveat twice", caveats=[five, five])
    yield case(
        bad,
        "CAP-12 CAP-10",
        "purposes in another order",
        caveats=[caveat("PurposeLimit", purpose=[marketing, delivery])],
    )
    yield case(
        bad,
        "CAP-12",
        "days in another order",
        caveats=[caveat("HoursLimit", **{**hours, "days": ["Tu", "Mo"]})],
    )
    yield case(bad, "CAP-11 CAP-12", "a day as hours", caveats=[caveat("RateLimit", per="PT24H", reads=1)])
    yield case(
        bad, "CAP-11 CAP-12", "an hour as minutes", caveats=[caveat("RateLimit", per="PT60M", reads=1)]
    )
    yield case(
        "valid", "CAP-11", "minutes that are no hours", caveats=[caveat("RateLimit", per="PT90M", reads=1)]
    )
    yield case(bad, "CAP-10 ENC-13", "a member more", caveats=[{**five, TERM + "per": "P1D"}])
    yield case(bad, "CAP-10", "a name that is no IRI", caveats=[{"type": TERM + "CountLimit", "reads": 5}])
    yield case(bad, "CAP-10", "none", caveats=[])
    yield case("unsupported", "CAP-13", "a caveat of another kind", caveats=[caveat("WeatherLimit", reads=1)])
    yield case(
        "unsupported",
        "CAP-13",
        "a kind by its short name",
        caveats=[{"type": "CountLimit", TERM + "reads": 5}],
    )
    yield case(
        "undefined-term",
        "CAP-10 VOC-19",
        "a purpose by its short name",
        caveats=[caveat("PurposeLimit", purpose=["dpv:DeliveryOfGoods"])],
    )
    many = sorted((caveat("CountLimit", reads=n) for n in range(11, 20)), key=jcs)
    yield case("valid", "CAP-10", "eight caveats", caveats=many[:8])
    yield case("too-large", "CAP-10 LIM-1", "nine caveats", caveats=many)


OPERATIONS = (
    Operation(
        name="check-limits",
        description="Say whether a read may pass `now` under the `limits` of a permission with "
        "these `purposes`, or under the `caveats` of one link, where reads were `admitted` before "
        "at these "
        "times (under that permission, or that link).",
        cases=tuple(_allowed()),
    ),
)
