"""Vectors of specs/records.md and specs/requests.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, RDFC, Document, Key, but, cid, put, sha256, sign
from scene import (
    CONTEXT,
    DELIVERY,
    NEWS,
    NOON,
    PARTNER,
    RECORD_ID,
    RECORD_KEY,
    SERVING,
    SHOP,
    STRANGER,
    VENDOR,
    request,
)
from vectors_identity import shop_document

RECORD: Final[Document] = {
    "@context": CONTEXT,
    "id": RECORD_ID,
    "type": "Person",
    "name": "Ada Example",
    "email": "ada@example.com",
    "address": {"type": "PostalAddress", "streetAddress": "1 Analytical Row", "postalCode": "EX1 2AB"},
    "created": NOON,
    "source": {"type": "SourceFile", "format": "vCard", "file": "contacts.vcf"},
}


def record(changes: Document | None = None, *, key: Key = RECORD_KEY, **how: Any) -> Document:
    """Return the person's record, or one that says something else."""
    document = but(RECORD, changes or {})
    return sign(document, key, **({"created": NOON} | how))


def _records() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, document: Json, output: Json = None) -> Case:
        given = {"document": document, "key": RECORD_KEY.did}
        return (
            valid(requirements, name, output, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    first = record()
    second = record(
        {"name": "Ada Lovelace", "created": "2026-11-24T12:00:00Z", "previous": cid(first)},
        created="2026-11-24T12:00:00Z",
    )
    yield case("valid", "REC-1 REC-10 PRF-4", "a record", first, {"cid": cid(first)})
    yield case("valid", "REC-7", "its next version", second, {"cid": cid(second)})
    yield case("valid", "REC-1", "content that is open", record({"anythingElse": {"really": [1, True, "x"]}}))
    yield case("signature-invalid", "REC-10", "signed by the serving key", record(key=SERVING))
    yield case(
        "signature-invalid", "REC-10", "changed after it was signed", put(first, "name", "Eve Example")
    )
    yield case("malformed", "REC-10 PRF-5", "without a proof", but(first, {"proof": GONE}))
    for name in ("@context", "id", "created", "source", "type"):
        yield case(
            "malformed",
            "REC-1 REC-3 ENC-13" if name == "type" else "REC-1 ENC-13",
            f"without {name}",
            record({name: GONE}),
        )
    for name, requirements, changes in (
        ("another context", "REC-1", {"@context": [CONTEXT]}), ("an id that is no urn:uuid", "REC-1", {"id": "urn:freehold:zABC"}), ("a time with an offset", "REC-1 ENC-8", {"created": "2026-11-23T13:00:00+01:00"}),
        ("a source that is a text", "REC-1", {"source": "contacts.vcf"}), ("a previous that is no CID", "REC-1 ENC-4", {"previous": "x"}), ("two types", "REC-3", {"type": ["Person", "Organization"]}),
        ("a type that is a compact IRI", "REC-3", {"type": "schema:Person"}), ("a type of 65 letters", "REC-3", {"type": "P" * 65}), ("a key that is a compact IRI", "REC-3", {"schema:name": "x"}),
        ("a keyword as key", "REC-3", {"@type": "Person"}), ("an IRI as key", "REC-3", {"https://schema.org/name": "x"}), ("a key of 65 letters", "REC-3", {"n" * 65: "x"}),
        ("a key that begins with a digit", "REC-3", {"1a": "x"}), ("a context below", "REC-3", {"address": {"@context": CONTEXT}}), ("a proof below", "REC-3", {"address": {"proof": {}}}),
        ("a compact IRI below", "REC-3", {"address": {"schema:name": "x"}}), ("a keyword in an array below", "REC-3", {"knows": [[{"@id": RECORD_ID}]]}), ("two types below", "REC-4", {"address": {"type": ["A", "B"]}}),
        ("an id of a blank node below", "REC-4", {"address": {"id": "_:a"}}), ("an id below that is no text", "REC-4", {"address": {"id": 7}}), ("a null type below", "REC-4", {"address": {"type": None}}),
    ):  # fmt: skip
        yield case("malformed", requirements, name, record(changes))
    room = 262_144 - len(_canonical(record({"description": ""})))
    yield case("too-large", "REC-2 LIM-1", "too many bytes", record({"description": "a" * (room + 1_000)}))
    yield case("too-large", "REC-2 LIM-1", "too many items", record({"keywords": ["a"] * 20_001}))
    deep: Json = "x"
    for _ in range(65):
        deep = [deep]
    yield case("too-deep", "REC-2 LIM-1", "too deep", record({"keywords": deep}))
    deep = "x"
    for _ in range(60):
        deep = [deep]
    yield case("valid", "REC-2", "as deep as nobody needs", record({"keywords": deep}))


def _canonical(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _same() -> Iterator[Case]:
    def case(name: str, one: Document, other: Document, same: bool) -> Case:
        return valid("REC-8", name, {"same": same}, one=one, other=other)

    ada = {"type": "Person", "name": "Ada", "height": 1}
    yield case("the same", ada, ada, True)
    yield case("members in another order", ada, dict(reversed(ada.items())), True)
    yield case("a number written another way", ada, {**ada, "height": 1.0}, True)
    yield case("another value", ada, {**ada, "name": "Eve"}, False)
    yield case("a text for a number", ada, {**ada, "height": "1"}, False)
    yield case("true for 1", ada, {**ada, "height": True}, False)
    yield case("arrays in another order", {**ada, "email": ["a", "b"]}, {**ada, "email": ["b", "a"]}, False)
    yield case("one value alone or in an array", {**ada, "email": "a"}, {**ada, "email": ["a"]}, False)
    keeping = {"@context": CONTEXT, "id": RECORD_ID, "created": NOON, "source": {"type": "Person"}}
    yield case(
        "of another keeping", {**ada, **keeping}, {**ada, **keeping, "created": "2026-11-24T12:00:00Z"}, True
    )


def _ask(
    code: str,
    requirements: str,
    name: str,
    changes: Document,
    *,
    now: str = NOON,
    output: Json = None,
    **how: Any,
) -> Case:
    given = {"document": request(changes, **how), "now": now}
    return (
        valid(requirements, name, output, **given)
        if code == "valid"
        else refused(code, requirements, name, **given)
    )


def code_of(text: str) -> str:
    """Return the matching code of a CID."""
    number = f"{int.from_bytes(sha256(text.encode())[:16], 'big') % 10**8:08}"
    return f"{number[:4]}-{number[4:]}"


def _requests() -> Iterator[Case]:
    asked = request()
    told = {"cid": cid(asked), "code": code_of(cid(asked)), "vendor": VENDOR.did}
    yield _ask("valid", "REQ-1 REQ-2 REQ-12 REQ-16 VOC-1", "a request", {}, output=told)
    zero = next(
        one for one in (request({"nonce": f"{n:022}"}) for n in range(100)) if code_of(cid(one))[0] == "0"
    )
    yield valid(
        "REQ-16", "a code that begins with a nought", {"code": code_of(cid(zero))}, document=zero, now=NOON
    )
    yield _ask(
        "valid",
        "REQ-1",
        "with everything that may be there",
        {
            "terms": "https://example.com/terms",
            "contact": "privacy@shop.example",
            "benefit": "One line\nand another",
        },
    )
    yield _ask("valid", "REQ-12 PRF-10", "signed as RDF", {}, suite=RDFC)
    for name in ("@context", "type", "id", "nonce", "created", "assignee", "permission"):
        yield _ask("malformed", "REQ-1 ENC-13", f"without {name}", {name: GONE}, created=NOON)
    yield _ask("request-incomplete", "REQ-1", "without an end", {"expires": GONE})
    for name, changes in (
        ("a member more", {"urgent": True}), ("a null", {"benefit": None}), ("another type", {"type": "AccessGrant"}), ("another context", {"@context": [CONTEXT]}), ("an id in capitals", {"id": "urn:uuid:5D1F0C7E-91aa-4d0c-8a43-7c2b9be5f610"}),
        ("a short nonce", {"nonce": "a" * 21}), ("a time with a fraction", {"created": "2026-11-23T12:00:00.5Z"}), ("a vendor without a name", {"assignee": {"id": VENDOR.did, "type": "Organization"}}),
        ("a vendor that is a text", {"assignee": VENDOR.did}), ("a vendor that is a person", {"assignee": {"id": VENDOR.did, "type": "Person", "name": "Example Shop"}}),
        ("a vendor with a logo", {"assignee": {"id": VENDOR.did, "type": "Organization", "name": "Example Shop", "logo": "x"}}), ("no permissions", {"permission": []}), ("one permission alone", {"permission": DELIVERY}),
        ("two permissions of one name", {"permission": [DELIVERY, {**NEWS, "name": "delivery"}]}), ("a did:web in another spelling", {"assignee": {"id": "did:web:Shop.example", "type": "Organization", "name": "S"}}),
    ):  # fmt: skip
        spelling = (
            "VOC-1"
            if name == "another context"
            else "ENC-14"
            if name == "a null"
            else "IDN-12"
            if "did:web" in name
            else "ENC-13"
        )
        yield _ask("malformed", f"REQ-1 {spelling}", name, changes, created=NOON)
    yield _ask(
        "malformed",
        "ENC-10 REQ-1",
        "a name with an override of direction",
        {"assignee": {"id": VENDOR.did, "type": "Organization", "name": "Shop\u202e"}},
    )
    yield _ask(
        "malformed",
        "ENC-11 REQ-1",
        "a name of two lines",
        {"assignee": {"id": VENDOR.did, "type": "Organization", "name": "Shop\nBank"}},
    )
    yield _ask("malformed", "ENC-11 REQ-1", "terms of two lines", {"terms": "a\nb"})
    for member, most in (("benefit", 2_000), ("terms", 300), ("contact", 300)):
        yield _ask("valid", "REQ-1", f"the longest {member}", {member: "a" * most})
        yield _ask("too-large", "REQ-1 ENC-12 LIM-1", f"a longer {member}", {member: "a" * (most + 1)})
    yield _ask(
        "too-large",
        "REQ-1 LIM-1",
        "a longer name",
        {"assignee": {"id": VENDOR.did, "type": "Organization", "name": "a" * 121}},
    )
    many = [{**NEWS, "name": f"news-{n}"} for n in range(17)]
    yield _ask("valid", "REQ-1", "sixteen permissions", {"permission": many[:16]})
    yield _ask("too-large", "REQ-1 ENC-16 LIM-1", "seventeen permissions", {"permission": many})
    yield _ask("too-large", "ENC-16", "seventeen, of which none is one", {"permission": ["x"] * 17})


def _proofs_and_times() -> Iterator[Case]:
    yield _ask("signature-invalid", "REQ-12", "signed by another", {}, key=STRANGER)
    yield _ask(
        "signature-invalid",
        "REQ-12",
        "signed at another time than it says",
        {},
        created="2026-11-23T12:00:01Z",
    )
    yield _ask("signature-invalid", "REQ-12", "signed without a time", {}, created=None)
    yield refused(
        "signature-invalid",
        "REQ-12 PRF-11",
        "changed after it was signed",
        document=put(request(), "permission/0/retention", "P31D"),
        now=NOON,
    )
    yield refused("malformed", "REQ-12", "not signed", document=but(request(), {"proof": GONE}), now=NOON)
    for name, code, now in (
        ("a day old", "valid", "2026-11-24T12:00:00Z"), ("a day and a second old", "signature-stale", "2026-11-24T12:00:01Z"), ("of 60 s ahead", "valid", "2026-11-23T11:59:00Z"), ("of 61 s ahead", "signature-stale", "2026-11-23T11:58:59Z"),
    ):  # fmt: skip
        yield _ask(code, "REQ-13", name, {}, now=now)
    for name, code, expires in (
        ("for 3,660 days", "valid", "2036-11-30T12:00:00Z"), ("for a second more", "request-incomplete", "2036-11-30T12:00:01Z"), ("for nothing", "request-incomplete", NOON),
        ("for a time before it was made", "request-incomplete", "2026-11-22T12:00:00Z"),
    ):  # fmt: skip
        yield _ask(code, "REQ-14 LIM-1" if code != "valid" else "REQ-14", name, {"expires": expires})
    yield _ask(
        "request-incomplete",
        "REQ-14",
        "whose end has come",
        {"expires": "2026-11-23T13:00:00Z"},
        now="2026-11-23T13:00:00Z",
    )
    yield _ask(
        "valid",
        "REQ-14",
        "whose end is a second ahead",
        {"expires": "2026-11-23T13:00:01Z"},
        now="2026-11-23T13:00:00Z",
    )


def _web() -> Iterator[Case]:
    shop = {"assignee": {"id": SHOP, "type": "Organization", "name": "Example Shop"}}
    listed = shop_document()

    def case(
        code: str,
        requirements: str,
        name: str,
        document: Document,
        method: str = f"{SHOP}#key-1",
        key: Key = VENDOR,
        changes: Document | None = None,
    ) -> Case:
        asked = request(shop | (changes or {}), key=key, members={"verificationMethod": method})
        given = {"document": asked, "now": NOON, "didDocument": json.dumps(document)}
        return (
            valid(requirements, name, {"vendor": SHOP}, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    yield case("valid", "REQ-12 IDN-3 IDN-18", "of a did:web, by a key that it lists", listed)
    yield case("signature-invalid", "REQ-12", "by a key that it does not list", listed, key=STRANGER)
    yield case(
        "signature-invalid", "REQ-12", "by a name that it does not list", listed, method=f"{SHOP}#key-2"
    )
    yield case(
        "signature-invalid",
        "REQ-12 PRF-15",
        "by the did:key of a key that it lists",
        listed,
        method=VENDOR.method,
    )
    yield case(
        "signature-invalid",
        "REQ-12 IDN-18",
        "by a key that it lists for another use",
        but(listed, {"assertionMethod": GONE}),
    )
    yield case(
        "signature-invalid",
        "REQ-12 PRF-15",
        "by another domain",
        listed,
        method="did:web:other.example#key-1",
    )
    for use in ("authentication", "capabilityInvocation"):
        yield case(
            "unsupported", "REQ-12", f"whose document lists nothing for {use}", but(listed, {use: GONE})
        )
    yield case(
        "signature-stale",
        "REQ-12 REQ-13",
        "too old, whatever stands in its document",
        but(listed, {"authentication": GONE}),
        changes={"created": "2026-11-22T11:00:00Z"},
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
        ("a wildcard", "*"), ("a wildcard below", "address.*"), ("an empty part", "address..postalCode"), ("a dot before", ".name"), ("a slash", "address/postalCode"), ("a part with a hyphen", "a-b"),
        ("seven parts", "knows.knows.knows.knows.knows.knows.name"), ("nothing", ""), ("a number", 1), ("an id", "id"), ("a type", "type"), ("a proof", "proof"), ("a source", "source"), ("an earlier version", "previous"),
        ("a time of keeping", "created"), ("an issuer", "issuer"), ("a version", "version"), ("a credential", "credential"), ("an id below", "address.id"), ("a type below", "knows.type"),
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
        ("over midnight", {"from": "22:00", "to": "06:00"}), ("of no time", {"from": "08:30", "to": "08:30"}), ("to 24:00", {"to": "24:00"}), ("with seconds", {"from": "08:30:00"}), ("with one digit", {"from": "8:30"}),
        ("on no day", {"days": []}), ("on a day twice", {"days": ["Mo", "Mo"]}), ("on a day in full", {"days": ["Monday"]}), ("with an offset for a zone", {"timeZone": "+01:00 "}), ("without a zone", {"timeZone": GONE}),
        ("with a path for a zone", {"timeZone": "../etc/passwd"}), ("with a member more", {"weeks": 1}),
    ):  # fmt: skip
        yield case(bad, f"hours {name}", {"hours": but(hours, change)})


OPERATIONS = (
    Operation(
        name="verify-record",
        description="Verify a record, `document`, by the person's record `key` (DID). Output: its `cid`.",
        cases=tuple(_records()),
    ),
    Operation(
        name="same-content",
        description="Say whether `one` and `other` say the same, their keeping aside. Output: `same`.",
        cases=tuple(_same()),
    ),
    Operation(
        name="verify-request",
        description="Verify a request, `document`, as of `now`; for a vendor with a did:web, by its `didDocument` (JSON text). Output: its `cid`, the "
        "matching `code` of both screens, and the `vendor`.",
        cases=(*_requests(), *_proofs_and_times(), *_web()),
    ),
    Operation(
        name="read-permission",
        description="Read one `permission` of a request or grant; whether its time zone exists is not asked.",
        cases=(*_permissions(), *_limits()),
    ),
)
