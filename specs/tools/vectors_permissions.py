"""Vectors of one permission of a request or a grant: its form, its items, its limits."""

from __future__ import annotations

from collections.abc import Iterator

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, but, put
from scene import (
    DELIVERY,
    PARTNER,
    RECORD_ID,
    SHOP,
)


def _permissions() -> Iterator[Case]:
    def case(
        code: str, requirements: str, name: str, path: str, value: Json, of: Document = DELIVERY
    ) -> Case:
        given = {"permission": put(of, path, value)}
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    value: Json
    bad = "malformed"
    yield valid("REQ-2", "a permission", permission=DELIVERY)
    yield valid(
        "REQ-2",
        "the least",
        permission={
            "name": "a",
            "items": [{"type": "Person", "fields": ["name"]}],
            "purpose": ["dpv:Marketing"],
            "retention": "P1D",
        },
    )
    for name in (
        "answers",
        "events",
        "ledger",
        "messages",
        "offers",
        "records",
        "renew",
        "statements",
        "zcaps",
    ):
        yield case(bad, "REQ-2", f"the name {name}", "name", name)
    yield case(bad, "REQ-2 ENC-13", "a name in capitals", "name", "Delivery")
    yield case(bad, "REQ-2 ENC-13", "a member more", "duties", [])
    yield case(bad, "REQ-2 ENC-13", "no items", "items", GONE)
    yield case(bad, "REQ-2", "items that are none", "items", [])
    yield case("too-large", "REQ-2 LIM-1", "seventeen items", "items", DELIVERY["items"] * 17)
    yield case("valid", "REQ-2", "sixteen items", "items", DELIVERY["items"] * 16)
    for name, value in (("no purpose", GONE), ("an empty purpose", [])):
        yield case("request-incomplete", "REQ-3", name, "purpose", value)
    yield case("request-incomplete", "REQ-3", "no retention", "retention", GONE)
    yield case(bad, "ENC-9 REQ-2", "a retention of no time", "retention", "P0D")
    yield case("undefined-term", "REQ-2 VOC-19", "a purpose that DPV has not", "purpose", ["dpv:Mischief"])
    yield case("undefined-term", "REQ-2 VOC-19", "the purpose above all", "purpose", ["dpv:Purpose"])
    yield case(bad, "REQ-2", "a purpose twice", "purpose", ["dpv:Marketing", "dpv:Marketing"])
    eight = [
        "Marketing",
        "DirectMarketing",
        "DeliveryOfGoods",
        "ServiceProvision",
        "Personalisation",
        "TargetedAdvertising",
        "Advertising",
        "PaymentManagement",
        "FraudPreventionAndDetection",
    ]
    yield case("valid", "REQ-2", "eight purposes", "purpose", [f"dpv:{one}" for one in eight[:8]])
    yield case("too-large", "REQ-2 ENC-16", "nine purposes", "purpose", [f"dpv:{one}" for one in eight])
    yield case("unsupported", "REQ-3", "questions", "questions", [{"name": "of-age"}])
    yield case(bad, "REQ-2", "a recipient twice", "recipients", [PARTNER.did, PARTNER.did])
    yield case(
        bad, "REQ-2 IDN-12", "a recipient with a did:web in another spelling", "recipients", [f"{SHOP}%3A443"]
    )
    yield case("valid", "REQ-2", "a recipient with a did:web", "recipients", [SHOP])
    dids = [f"did:web:r{n}.example" for n in range(33)]
    yield case("valid", "REQ-2", "32 recipients", "recipients", dids[:32])
    yield case("too-large", "REQ-2 LIM-1", "33 recipients", "recipients", dids)
    yield case(bad, "REQ-2 ENC-15", "required as a text", "required", "yes")
    yield case(bad, "REQ-2 ENC-15", "required as a number", "required", 1)
    yield case("undefined-term", "REQ-5", "a type that no context defines", "items/0/type", "Dog")
    for name in (
        "AccessRequest",
        "AccessGrant",
        "ReleasedPage",
        "Receipt",
        "LedgerBundle",
        "DataIntegrityProof",
    ):
        yield case(bad, "REQ-5", f"the type {name}", "items/0/type", name)
    for name, field in (
        ("a wildcard", "*"), ("a wildcard below", "address.*"), ("an empty part", "address..postalCode"),
        ("a dot before", ".name"), ("a slash", "address/postalCode"), ("a part with a hyphen", "a-b"),
        ("seven parts", "knows.knows.knows.knows.knows.knows.name"), ("nothing", ""), ("a number", 1),
        ("an id", "id"), ("a type", "type"), ("a proof", "proof"), ("a source", "source"),
        ("an earlier version", "previous"),
        ("a time of keeping", "created"), ("an issuer", "issuer"), ("a version", "version"),
        ("a credential", "credential"), ("an id below", "address.id"), ("a type below", "knows.type"),
    ):  # fmt: skip
        yield case(bad, "REQ-6", f"a field: {name}", "items/0/fields", ["name", field])
    yield case("undefined-term", "REQ-6", "a field that no context defines", "items/0/fields", ["nickname"])
    yield case(
        "undefined-term", "REQ-6", "a field below that no context defines", "items/0/fields", ["address.zip"]
    )
    yield case("undefined-term", "REQ-6", "a prefix as a field", "items/0/fields", ["schema"])
    yield case("valid", "REQ-6", "six parts", "items/0/fields", ["knows.knows.knows.knows.knows.name"])
    yield case(bad, "REQ-6", "a field twice", "items/0/fields", ["name", "name"])
    yield case(bad, "REQ-6", "no fields", "items/0/fields", [])
    paths = [
        f"{a}.{b}"
        for a in ("knows", "parent", "children", "spouse", "address", "worksFor", "memberOf")
        for b in (
            "name",
            "email",
            "telephone",
            "url",
            "image",
            "gender",
            "height",
            "weight",
            "birthDate",
            "description",
        )
    ]
    yield case("valid", "REQ-6", "64 fields", "items/0/fields", paths[:64])
    yield case("too-large", "REQ-6 LIM-1", "65 fields", "items/0/fields", paths[:65])
    yield case("valid", "REQ-7", "about anyone", "items/0/about", "any")
    for value in ("other", True, None):
        yield case(
            bad, "REQ-7 ENC-14" if value is None else "REQ-7", f"about {value}", "items/0/about", value
        )
    yield case(
        "valid",
        "REQ-8",
        "where",
        "items/0/where",
        {"address.postalCode": "EX1 2AB", "height": 1.5, "required": True},
    )
    for name, value in (
        ("an array", {"name": ["x"]}),
        ("an object", {"name": {}}),
        ("a null", {"name": None}),
        ("a hidden character", {"name": "x\u202e"}),
        ("a list", []),
        ("an id", {"id": "x"}),
        ("a wildcard", {"*": "x"}),
    ):
        yield case(bad, "REQ-8", f"where: {name}", "items/0/where", value)
    yield case(
        "undefined-term", "REQ-8", "where: a path that no context defines", "items/0/where", {"nickname": "x"}
    )
    yield case("valid", "REQ-8", "where: a text of 200 characters", "items/0/where", {"name": "a" * 200})
    yield case(bad, "REQ-9 ENC-15", "newRecords as a text", "items/0/newRecords", "true")
    yield case(bad, "REQ-4 ENC-13", "an item with a member more", "items/0/id", RECORD_ID)


def _limits() -> Iterator[Case]:
    hours = {
        "days": ["Mo", "Tu", "We", "Th", "Fr"],
        "from": "08:30",
        "to": "17:00",
        "timeZone": "Europe/Berlin",
    }

    def case(code: str, name: str, limits: Json, requirements: str = "REQ-10") -> Case:
        given = {"permission": {**DELIVERY, "limits": limits}}
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    bad = "malformed"
    yield case(
        "valid", "all kinds of limits", {"reads": 100, "rate": {"reads": 1, "per": "PT1H"}, "hours": hours}
    )
    yield case("valid", "no limits", {})
    for name, value in (
        ("nought", 0),
        ("less than nought", -1),
        ("a fraction", 1.5),
        ("true", True),
        ("a text", "1"),
        ("2^53", 2**53),
    ):
        yield case(bad, f"reads: {name}", {"reads": value}, "REQ-10 ENC-15")
    yield case(bad, "a rate without its duration", {"rate": {"reads": 1}})
    yield case(bad, "a rate in another form", {"rate": {"reads": 1, "per": "PT3600S"}}, "REQ-10 ENC-9")
    yield case(bad, "a limit of another kind", {"reads": 1, "months": 2}, "REQ-10 ENC-13")
    yield case("valid", "hours to the end of the day", {"hours": {**hours, "to": "00:00"}})
    for name, change in (
        ("over midnight", {"from": "22:00", "to": "06:00"}),
        ("of no time", {"from": "08:30", "to": "08:30"}), ("to 24:00", {"to": "24:00"}),
        ("with seconds", {"from": "08:30:00"}), ("with one digit", {"from": "8:30"}),
        ("on no day", {"days": []}), ("on a day twice", {"days": ["Mo", "Mo"]}),
        ("on a day in full", {"days": ["Monday"]}), ("with an offset for a zone", {"timeZone": "+01:00 "}),
        ("without a zone", {"timeZone": GONE}),
        ("with a path for a zone", {"timeZone": "../etc/passwd"}), ("with a member more", {"weeks": 1}),
    ):  # fmt: skip
        yield case(bad, f"hours {name}", {"hours": but(hours, change)})


OPERATIONS = (
    Operation(
        name="read-permission",
        description="Read one `permission` of a request or grant; whether its time zone exists is not asked.",
        cases=(*_permissions(), *_limits()),
    ),
)
