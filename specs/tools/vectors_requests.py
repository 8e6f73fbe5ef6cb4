"""Vectors of specs/records.md and specs/requests.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cases import Case, Json, Operation, refused, valid
from craft import GONE, RDFC, Document, Key, but, cid, put, sha256
from scene import (
    CONTEXT,
    DELIVERY,
    NEWS,
    NOON,
    PARTNER,
    SHOP,
    STRANGER,
    VENDOR,
    request,
)
from vectors_identity import shop_document


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
        ("a member more", {"urgent": True}),
        ("a null", {"benefit": None}),
        ("another type", {"type": "AccessGrant"}),
        ("another context", {"@context": [CONTEXT]}),
        ("an id in capitals", {"id": "urn:uuid:5D1F0C7E-91aa-4d0c-8a43-7c2b9be5f610"}),
        ("a short nonce", {"nonce": "a" * 21}),
        ("a time with a fraction", {"created": "2026-11-23T12:00:00.5Z"}),
        ("a vendor without a name", {"assignee": {"id": VENDOR.did, "type": "Organization"}}),
        ("a vendor that is a text", {"assignee": VENDOR.did}),
        (
            "a vendor that is a person",
            {"assignee": {"id": VENDOR.did, "type": "Person", "name": "Example Shop"}},
        ),
        (
            "a vendor with a logo",
            {"assignee": {"id": VENDOR.did, "type": "Organization", "name": "Example Shop", "logo": "x"}},
        ),
        ("no permissions", {"permission": []}),
        ("one permission alone", {"permission": DELIVERY}),
        ("two permissions of one name", {"permission": [DELIVERY, {**NEWS, "name": "delivery"}]}),
        (
            "a did:web in another spelling",
            {"assignee": {"id": "did:web:Shop.example", "type": "Organization", "name": "S"}},
        ),
    ):
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
        ("a day old", "valid", "2026-11-24T12:00:00Z"),
        ("a day and a second old", "signature-stale", "2026-11-24T12:00:01Z"),
        ("of 60 s ahead", "valid", "2026-11-23T11:59:00Z"),
        ("of 61 s ahead", "signature-stale", "2026-11-23T11:58:59Z"),
    ):  # fmt: skip
        yield _ask(code, "REQ-13", name, {}, now=now)
    for name, code, expires in (
        ("for 3,660 days", "valid", "2036-11-30T12:00:00Z"),
        ("for a second more", "request-incomplete", "2036-11-30T12:00:01Z"),
        ("for nothing", "request-incomplete", NOON),
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

    first = listed["verificationMethod"][0]
    second = but(first, {"id": f"{SHOP}#key-2", "publicKeyMultibase": PARTNER.multikey})
    other = but(listed, {"verificationMethod": [first, second]})
    yield case("valid", "REQ-18 REQ-12 IDN-3 IDN-18", "of a did:web, by a key that it lists", listed)
    yield case("signature-invalid", "REQ-18 REQ-12", "by a key that it does not list", listed, key=STRANGER)
    yield case(
        "signature-invalid",
        "REQ-18 REQ-12",
        "by a name that it does not list",
        listed,
        method=f"{SHOP}#key-2",
    )
    yield case(
        "signature-invalid",
        "REQ-18 REQ-12 PRF-15",
        "by the did:key of a key that it lists",
        listed,
        method=VENDOR.method,
    )
    yield case(
        "signature-invalid",
        "REQ-18 REQ-12 IDN-18",
        "by a key that it lists for other uses",
        but(other, {"assertionMethod": [f"{SHOP}#key-2"]}),
    )
    yield case(
        "signature-invalid",
        "REQ-18 REQ-12 PRF-15",
        "by another domain",
        listed,
        method="did:web:other.example#key-1",
    )
    for use in ("assertionMethod", "authentication", "capabilityInvocation"):
        yield case(
            "unsupported",
            "REQ-18 REQ-12",
            f"whose document lists nothing for {use}",
            but(listed, {use: GONE}),
        )
    yield case(
        "signature-stale",
        "REQ-18 REQ-12 REQ-13",
        "too old, whatever stands in its document",
        but(listed, {"authentication": GONE}),
        changes={"created": "2026-11-22T11:00:00Z"},
    )


OPERATIONS = (
    Operation(
        name="verify-request",
        description="Verify a request, `document`, as of `now`; for a vendor with a did:web, by "
        "its `didDocument` (JSON text). Output: its `cid`, the "
        "matching `code` of both screens, and the `vendor`.",
        cases=(*_requests(), *_proofs_and_times(), *_web()),
    ),
)
