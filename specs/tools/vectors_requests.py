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


CHALLENGE = "hW3kP0sLq8Zt5VbXy2NdRg"


def _connect() -> Iterator[Case]:
    def asked(**changes: Json) -> Document:
        return {
            "connect": {"returnTo": "https://shop.example/returned?cart=7", "challenge": CHALLENGE, **changes}
        }

    yield _ask("valid", "REQ-20 REQ-21", "that a browser carries", asked())
    yield _ask("valid", "REQ-20 PRF-10", "that a browser carries, signed as RDF", asked(), suite=RDFC)
    for name, page in (
        ("to a page at a port", "https://shop.example:8443/returned"),
        ("to the front page", "https://shop.example/"),
        ("to a page of one's own machine", "http://127.0.0.1:8430/returned"),
        ("to a page of one's own machine, in IPv6", "http://[::1]:8430/returned"),
        ("to a page with escapes", "https://shop.example/a%20b?c=%2F&freehold=1"),
        ("to a page of 300 characters", "https://shop.example/".ljust(300, "a")),
    ):
        yield _ask("valid", "REQ-21", name, asked(returnTo=page))
    yield _ask(
        "too-large",
        "REQ-21 LIM-1",
        "to a page of 301",
        asked(returnTo="https://shop.example/".ljust(301, "a")),
    )
    yield _ask(
        "malformed", "REQ-21", "to a page that is not a text", asked(returnTo=["https://shop.example/"])
    )
    for name, page in (
        ("to a page without TLS", "http://shop.example/returned"),
        ("to one's own machine by a name", "http://localhost:8430/returned"),
        ("to another scheme", "javascript://shop.example/%0aalert(1)"),
        ("to no path", "https://shop.example"),
        ("to a part of a page", "https://shop.example/returned#cart"),
        ("with a user", "https://shop.example@evil.example/returned"),
        ("with a backslash", "https://shop.example\\@evil.example/"),
        ("with a space", "https://shop.example/re turned"),
        ("with a broken escape", "https://shop.example/%2"),
        ("to a host in capitals", "https://Shop.example/returned"),
        ("to a host in other letters", "https://sh\u00f6p.example/returned"),
        ("to a port that goes without saying", "https://shop.example:443/returned"),
        ("to a port that there is not", "https://shop.example:65536/returned"),
        ("with a query of nothing", "https://shop.example/returned?"),
        ("whose query names the request", "https://shop.example/returned?freehold-request=x"),
        ("whose query names the code", "https://shop.example/returned?a=b&freehold-code"),
        (
            "whose query names the challenge in disguise",
            "https://shop.example/returned?freehold%2Dchallenge=x",
        ),
    ):
        yield _ask("malformed", "REQ-21", name, asked(returnTo=page))
    yield _ask("malformed", "REQ-20", "with a challenge that is a number", asked(challenge=1))
    for name, challenge in (
        ("with a short challenge", "a" * 21),
        ("with a long challenge", "a" * 65),
        ("with a challenge in other characters", "a" * 21 + "+"),
    ):
        yield _ask("malformed", "REQ-20", name, asked(challenge=challenge))
    for name, changes in (
        ("with a challenge and no page", {"connect": {"challenge": CHALLENGE}}),
        ("with a page and no challenge", {"connect": {"returnTo": "https://shop.example/"}}),
        ("with a page alone", {"connect": "https://shop.example/"}),
        ("with a member more beside the page", asked(state="x")),
    ):
        yield _ask("malformed", "REQ-20", name, changes)


def _connect_to_a_domain() -> Iterator[Case]:
    for name, code, shop, page in (
        ("to the vendor's domain", "valid", SHOP, "https://shop.example/returned"),
        ("to a name below the vendor's domain", "valid", SHOP, "https://www.shop.example/returned"),
        ("to another domain", "malformed", SHOP, "https://evil.example/returned"),
        ("to a domain that ends alike", "malformed", SHOP, "https://evilshop.example/returned"),
        ("to a domain that begins alike", "malformed", SHOP, "https://shop.example.evil.example/returned"),
        (
            "to a name above the vendor's domain",
            "malformed",
            "did:web:www.shop.example",
            "https://shop.example/",
        ),
        ("to another port of the vendor's domain", "malformed", SHOP, "https://shop.example:8443/returned"),
        ("to the machine of whoever returns", "malformed", SHOP, "http://127.0.0.1:8430/returned"),
        (
            "to the port of the vendor's domain",
            "valid",
            f"{SHOP}%3A8443",
            "https://shop.example:8443/returned",
        ),
        (
            "to no port where the domain has one",
            "malformed",
            f"{SHOP}%3A8443",
            "https://shop.example/returned",
        ),
        (
            "to the address of a domain for trying out",
            "valid",
            "did:web:127.0.0.1%3A8430",
            "http://127.0.0.1:8430/",
        ),
        ("to another address than that", "malformed", "did:web:127.0.0.1%3A8430", "http://127.0.0.2:8430/"),
    ):
        changes: Document = {
            "assignee": {"id": shop, "type": "Organization", "name": "Example Shop"},
            "connect": {"returnTo": page, "challenge": CHALLENGE},
        }
        listed = json.loads(json.dumps(shop_document()).replace(SHOP, shop))
        given = {
            "document": request(changes, members={"verificationMethod": f"{shop}#key-1"}),
            "now": NOON,
            "didDocument": json.dumps(listed),
        }
        yield (
            valid("REQ-21", f"of a did:web, {name}", {"vendor": shop}, **given)
            if code == "valid"
            else refused(code, "REQ-21", f"of a did:web, {name}", **given)
        )


OPERATIONS = (
    Operation(
        name="verify-request",
        description="Verify a request, `document`, as of `now`; for a vendor with a did:web, by "
        "its `didDocument` (JSON text). Output: its `cid`, the "
        "matching `code` of both screens, and the `vendor`.",
        cases=(*_requests(), *_proofs_and_times(), *_web(), *_connect(), *_connect_to_a_domain()),
    ),
)
