"""Vectors of specs/grants.md, specs/rotation.md and specs/receipts.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, RDFC, Document, Key, b64u, bare, but, cid, jcs, put, sha256, sign
from scene import (
    CONTEXT,
    DECISION,
    DECISION_1,
    DELIVERY,
    GIVEN,
    GRANT,
    NEWS,
    ORIGIN,
    PARTNER,
    PAUSED,
    PERSON_2,
    REQUEST,
    SERVING,
    SERVING_1,
    SHOP,
    STRANGER,
    SUBPARTNER,
    VENDOR,
    after,
    grant,
    request,
    rotated,
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
        ("a day less", True, {"days": ["Mo", "We"]}), ("days in another order", True, {"days": ["We", "Mo", "Tu"]}), ("a day more", False, {"days": ["Mo", "Tu", "We", "Th"]}), ("another day", False, {"days": ["Su"]}),
        ("later", True, {"from": "09:00"}), ("earlier", False, {"from": "07:59"}), ("an earlier end", True, {"to": "17:00"}), ("a later end", False, {"to": "18:01"}), ("to the end of the day", False, {"to": "00:00"}),
        ("another zone, whatever the hour there", False, {"timeZone": "Europe/Paris"}),
    ):  # fmt: skip
        yield case(f"hours: {name}", holds, {"hours": {**_HOURS, **change}}, hours)
    yield case("an end before midnight", True, hours, {"hours": {**_HOURS, "to": "00:00"}})


def _grant(
    code: str,
    requirements: str,
    name: str,
    version: Document,
    previous: Document | None = None,
    *,
    asked: Document = REQUEST,
    output: Json = None,
) -> Case:
    given: dict[str, Json] = {"request": asked, "version": version}
    if previous is not None:
        given["previous"] = previous
    return (
        valid(requirements, name, output, **given)
        if code == "valid"
        else refused(code, requirements, name, **given)
    )


def digest(version: Document) -> str:
    """Return the digest of a draft."""
    return b64u(sha256(jcs(bare(version))))


def _first() -> Iterator[Case]:
    yield _grant(
        "valid",
        "GRA-1 GRA-3 GRA-4 GRA-16 VOC-1",
        "a first version",
        GRANT,
        output={"cid": cid(GRANT), "digest": digest(GRANT)},
    )
    yield _grant("valid", "GRA-16 PRF-10", "signed as RDF", grant(suite=RDFC))
    for name in (
        "@context",
        "type",
        "id",
        "nonce",
        "version",
        "state",
        "created",
        "request",
        "assigner",
        "servingKey",
        "assignee",
        "origins",
        "log",
        "notBefore",
        "expires",
        "permission",
    ):
        yield _grant(
            "malformed",
            "GRA-1 ENC-13",
            f"without {name}",
            sign(but(GRANT, {name: GONE}), DECISION, created="2026-11-23T12:10:00Z"),
        )
    for name, changes in (
        ("a member more", {"note": "x"}), ("another type", {"type": "AccessRequest"}), ("a state that is none", {"state": "revoked"}), ("version 0", {"version": 0}), ("a version that is a text", {"version": "1"}), ("a version with a fraction", {"version": 1.5}),
        ("version 1 with a previous", {"previous": cid(GRANT)}), ("version 2 without a previous", {"version": 2}), ("a log of another form", {"log": "freehold/ledger/short"}), ("a request that is no CID", {"request": "x"}), ("no origin", {"origins": []}),
        ("an origin twice", {"origins": [ORIGIN, ORIGIN]}), ("an assigneeKey for a did:key", {"assigneeKey": VENDOR.did}), ("two permissions of one name", {"permission": [GIVEN, GIVEN]}), ("no permissions", {"permission": []}),
    ):  # fmt: skip
        yield _grant(
            "malformed", "GRA-1 ENC-15" if "version" in name else "GRA-1 ENC-13", name, grant(changes)
        )
    yield _grant(
        "too-large",
        "GRA-1 LIM-1",
        "five origins",
        grant({"origins": [f"https://h{n}.example" for n in range(5)]}),
    )
    yield _grant(
        "valid",
        "GRA-1 GRA-2",
        "four origins",
        grant({"origins": [f"https://h{n}.example" for n in range(4)]}),
    )
    yield _grant("unsupported", "GRA-1 IDN-2", "an assigner that is no did:key", grant({"assigner": SHOP}))
    wrong = "signature-invalid"
    yield _grant(wrong, "GRA-4 GRA-16", "signed by the serving key", grant(key=SERVING))
    yield _grant(wrong, "GRA-4 GRA-16", "signed by the vendor", grant(key=VENDOR))
    yield _grant(
        wrong, "GRA-16 PRF-11", "changed after it was signed", put(GRANT, "expires", "2026-12-24T12:00:00Z")
    )
    yield _grant("malformed", "GRA-16 PRF-5", "a draft", bare(GRANT))
    yield _grant(
        "malformed", "ROT-2 PRF-5", "two proofs", put(GRANT, "proof", [GRANT["proof"], GRANT["proof"]])
    )
    for state in ("paused", "ended", "expired"):
        yield _grant(
            "not-in-this-state",
            "GRA-4 GRA-6 GRA-16",
            f"a first version that is {state}",
            grant({"state": state}),
        )
    other = "widened"
    yield _grant(
        other, "GRA-5", "the answer to another request", GRANT, asked=request({"benefit": "Nothing."})
    )
    yield _grant(other, "GRA-5", "to another vendor", grant({"assignee": STRANGER.did}))
    yield _grant(
        other,
        "GRA-5",
        "a field more than was asked",
        grant({"permission": [put(GIVEN, "items/0/fields", ["name", "email"])]}),
    )
    yield _grant(
        other, "GRA-5", "a permission that was not asked", grant({"permission": [{**GIVEN, "name": "more"}]})
    )
    yield _grant(
        other,
        "GRA-5",
        "the fields of one permission under the name of another",
        grant({"permission": [{**DELIVERY, "name": "news"}]}),
    )
    yield _grant(
        "valid", "GRA-5", "until the very end that was asked", grant({"expires": REQUEST["expires"]})
    )
    yield _grant(other, "GRA-5", "a second longer than was asked", grant({"expires": "2027-02-21T12:00:01Z"}))
    yield _grant(other, "GRA-5", "an end before it begins", grant({"notBefore": "2026-12-23T12:00:00Z"}))
    yield _grant("valid", "GRA-5", "all that was asked", grant({"permission": [DELIVERY, NEWS]}))
    shop = request(
        {"assignee": {"id": SHOP, "type": "Organization", "name": "Example Shop"}},
        members={"verificationMethod": f"{SHOP}#key-1"},
    )
    named = {"request": cid(shop), "assignee": SHOP}
    yield _grant(
        "valid",
        "GRA-1",
        "for a did:web, with its key",
        grant(named | {"assigneeKey": VENDOR.did}),
        asked=shop,
    )
    yield _grant("malformed", "GRA-1", "for a did:web, without its key", grant(named), asked=shop)


def _later() -> Iterator[Case]:
    def case(
        code: str,
        requirements: str,
        name: str,
        changes: Document,
        key: Key = SERVING,
        before: Document = GRANT,
    ) -> Case:
        return _grant(code, requirements, name, after(before, changes, key=key), before)

    narrower = {"permission": [put(GIVEN, "items/0/fields", ["name"])]}
    wider = {"permission": [DELIVERY]}
    ok, bad, state, unsigned = "valid", "widened", "not-in-this-state", "signature-invalid"
    for word, key in (("serving", SERVING), ("decision", DECISION)):
        yield case(ok, "GRA-8 GRA-16 GRA-17", f"a pause, by the {word} key", {"state": "paused"}, key)
        yield case(ok, "GRA-8 GRA-16", f"an end, by the {word} key", {"state": "ended"}, key)
        yield case(ok, "GRA-8 GRA-16", f"an expiry, by the {word} key", {"state": "expired"}, key)
        yield case(ok, "GRA-8 GRA-9", f"a narrowing, by the {word} key", narrower, key)
        yield case(
            ok, "GRA-9", f"an earlier end, by the {word} key", {"expires": "2026-12-01T12:00:00Z"}, key
        )
    for name, changes in (
        ("a widening", wider),
        ("a later end", {"expires": "2026-12-24T12:00:00Z"}),
        ("a widening with a pause", wider | {"state": "paused"}),
        (
            "a narrowing here and a widening there",
            {"permission": [put(DELIVERY, "items/0/fields", ["telephone"])]},
        ),
    ):
        yield case(unsigned, "GRA-8 GRA-9 GRA-16", f"{name}, by the serving key", changes)
        yield case(ok, "GRA-8", f"{name}, by the decision key", changes, DECISION)
    yield case(
        unsigned, "GRA-8 GRA-9", "a resumption, by the serving key", {"state": "live"}, SERVING, PAUSED
    )
    yield case(ok, "GRA-8 GRA-6", "a resumption, by the decision key", {"state": "live"}, DECISION, PAUSED)
    yield case(ok, "GRA-9", "a narrowing while it is paused", narrower, SERVING, PAUSED)
    yield case(ok, "GRA-6 GRA-17", "an end after a pause", {"state": "ended"}, SERVING, PAUSED)
    yield case(
        bad,
        "GRA-5",
        "a widening beyond what was asked",
        {"permission": [put(DELIVERY, "items/0/fields", ["email"])]},
        DECISION,
    )
    for word, key in (("the vendor", VENDOR), ("a stranger", STRANGER)):
        yield case(unsigned, "GRA-16", f"a pause, by {word}", {"state": "paused"}, key)
    for final in ("ended", "expired"):
        over = after(GRANT, {"state": final}, key=SERVING)
        yield case(
            state,
            "GRA-7 GRA-16",
            f"live after it is {final}",
            {"state": "live", "created": "2026-11-25T12:00:00Z"},
            DECISION,
            over,
        )
        yield case(
            state,
            "GRA-7 GRA-16",
            f"once more {final}",
            {"state": final, "created": "2026-11-25T12:00:00Z"},
            SERVING,
            over,
        )
    yield case(state, "GRA-12 GRA-16", "a number left out", {"state": "paused", "version": 3})
    yield case(
        state, "GRA-12 GRA-16", "the same number again", {"state": "paused", "version": 2}, SERVING, PAUSED
    )
    yield case(
        state,
        "GRA-12 GRA-16",
        "after another version",
        {"state": "paused", "previous": cid(grant({"nonce": "z" * 22}))},
    )
    for name, value in (
        ("id", "urn:uuid:00000000-0000-4000-8000-000000000000"), ("origins", ["https://elsewhere.example"]), ("log", "freehold/ledger/AAAAAAAAAAAAAAAAAAAAAA"), ("notBefore", "2026-11-23T12:11:00Z"),
    ):  # fmt: skip
        yield case(bad, "GRA-1 GRA-9 GRA-16", f"another {name}", {name: value, "state": "paused"}, DECISION)
    yield case(
        bad,
        "ROT-3 GRA-1",
        "another serving key, in a pause",
        {"servingKey": SERVING_1.did, "state": "paused"},
        DECISION,
    )
    yield _grant(state, "GRA-16", "a second version without the first", PAUSED)


def _rotation() -> Iterator[Case]:
    good = rotated(GRANT)

    def case(code: str, requirements: str, name: str, version: Document, before: Document = GRANT) -> Case:
        return _grant(code, requirements, name, version, before)

    yield case("valid", "ROT-1 ROT-2 GRA-6", "a change of keys", good)
    yield case(
        "valid",
        "ROT-1 GRA-6",
        "a change of keys while it is paused",
        rotated(PAUSED, {"created": "2026-11-25T12:00:00Z"}),
        PAUSED,
    )
    unsigned = "signature-invalid"
    yield case(unsigned, "ROT-2 ROT-3", "by the old decision key alone", rotated(GRANT, keys=(DECISION,)))
    yield case(unsigned, "ROT-2 ROT-3", "by the new decision key alone", rotated(GRANT, keys=(DECISION_1,)))
    yield case(unsigned, "ROT-2", "in the other order", rotated(GRANT, keys=(DECISION_1, DECISION)))
    yield case(
        unsigned,
        "ROT-2",
        "by the old serving key and the new decision key",
        rotated(GRANT, keys=(SERVING, DECISION_1)),
    )
    yield case(
        unsigned,
        "ROT-2",
        "by the old decision key and the new serving key",
        rotated(GRANT, keys=(DECISION, SERVING_1)),
    )
    yield case(
        unsigned, "ROT-2 ROT-3", "by a third besides", rotated(GRANT, keys=(DECISION, DECISION_1, SERVING))
    )
    yield case(unsigned, "ROT-2", "by the old decision key twice", rotated(GRANT, keys=(DECISION, DECISION)))
    yield case(
        unsigned,
        "ROT-2 PRF-26",
        "with a second proof that does not verify",
        put(good, "proof/1/proofValue", good["proof"][0]["proofValue"]),
    )
    same = "widened"
    yield case(
        same,
        "ROT-1",
        "of the serving key only",
        rotated(GRANT, {"assigner": DECISION.did}, keys=(DECISION, DECISION)),
    )
    yield case(same, "ROT-1", "of the decision key only", rotated(GRANT, {"servingKey": SERVING.did}))
    yield case(same, "ROT-1", "to one key for both", rotated(GRANT, {"servingKey": DECISION_1.did}))
    yield case(
        same,
        "ROT-1",
        "that exchanges the two",
        rotated(GRANT, {"assigner": SERVING.did, "servingKey": DECISION.did}, keys=(DECISION, SERVING)),
    )
    yield case(same, "ROT-1", "with a pause", rotated(GRANT, {"state": "paused"}))
    yield case(same, "ROT-1", "with an earlier end", rotated(GRANT, {"expires": "2026-12-01T12:00:00Z"}))
    yield case(
        same,
        "ROT-1",
        "with a field less",
        rotated(GRANT, {"permission": [put(GIVEN, "items/0/fields", ["name"])]}),
    )
    yield case(
        same, "ROT-1", "with another origin", rotated(GRANT, {"origins": ["https://elsewhere.example"]})
    )
    ended = after(GRANT, {"state": "ended"}, key=SERVING)
    yield case(
        "not-in-this-state",
        "ROT-1 GRA-7 GRA-6",
        "of a grant that is over",
        rotated(ended, {"created": "2026-11-25T12:00:00Z"}),
        ended,
    )
    yield case("not-in-this-state", "ROT-1 GRA-12", "with a number left out", rotated(GRANT, {"version": 3}))
    later = after(
        bare(good),
        {"state": "paused", "previous": cid(good), "created": "2026-11-25T12:00:00Z"},
        key=SERVING_1,
    )
    yield case("valid", "ROT-4", "afterwards, a pause by the new serving key", later, good)
    old = after(
        bare(good), {"state": "paused", "previous": cid(good), "created": "2026-11-25T12:00:00Z"}, key=SERVING
    )
    yield case(unsigned, "ROT-4", "afterwards, a pause by the old serving key", old, good)
    old = after(
        bare(good),
        {"state": "paused", "previous": cid(good), "created": "2026-11-25T12:00:00Z"},
        key=DECISION,
    )
    yield case(unsigned, "ROT-4", "afterwards, a pause by the old decision key", old, good)


def _receipt(versions: list[Document], asked: Document = REQUEST) -> Document:
    return {"type": "Receipt", "request": asked, "versions": versions}


_RESUMED: Final = after(PAUSED, {"state": "live", "created": "2026-11-25T12:00:00Z"}, key=DECISION)


def _back(key: str, value: str, signer: tuple[Key, ...]) -> Document:
    """Return a change of keys, after another, that brings a key back."""
    first = rotated(GRANT)
    return rotated(
        first,
        {
            "created": "2026-11-26T12:00:00Z",
            "assigner": PERSON_2.did,
            "servingKey": SUBPARTNER.did,
            key: value,
        },
        keys=signer,
    )


def _receipts() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, receipt: Json, output: Json = None) -> Case:
        return (
            valid(requirements, name, output, receipt=receipt)
            if code == "valid"
            else refused(code, requirements, name, receipt=receipt)
        )

    whole = [GRANT, PAUSED, _RESUMED]
    yield case(
        "valid",
        "RCP-1 RCP-2 RCP-3 RCP-4",
        "three versions",
        _receipt(whole),
        {"cid": cid(_RESUMED), "state": "live", "version": 3},
    )
    yield case(
        "valid",
        "RCP-5 RCP-3",
        "its beginning",
        _receipt(whole[:2]),
        {"cid": cid(PAUSED), "state": "paused", "version": 2},
    )
    bad = "receipt-invalid"
    yield case(bad, "RCP-3", "no version", _receipt([]))
    yield case(bad, "RCP-3 GRA-16", "a version left out", _receipt([GRANT, _RESUMED]))
    yield case(bad, "RCP-3 GRA-16", "the first left out", _receipt(whole[1:]))
    yield case(bad, "RCP-1 RCP-3", "the newest first", _receipt(whole[::-1]))
    yield case(bad, "RCP-3 REQ-12", "a request that another signed", _receipt(whole, request(key=STRANGER)))
    yield case(bad, "RCP-2 RCP-3 GRA-5", "another request", _receipt(whole, request({"benefit": "Nothing."})))
    yield case(
        bad,
        "RCP-2 PRF-4",
        "the request with another proof of the same key",
        _receipt(whole, request(suite=RDFC)),
    )
    yield case(bad, "RCP-3 REQ-14", "a request for longer than may be", _of_long_request())
    yield case(
        bad,
        "RCP-3 GRA-8",
        "a version that its key may not sign",
        _receipt([*whole[:2], after(PAUSED, {"state": "live"}, key=SERVING)]),
    )
    yield case("malformed", "RCP-1 ENC-13", "a member more", {**_receipt(whole), "proof": {}})
    yield case("malformed", "RCP-1 ENC-13", "without the request", but(_receipt(whole), {"request": GONE}))
    yield case("malformed", "RCP-1", "another type", {**_receipt(whole), "type": "LedgerBundle"})
    yield case("malformed", "RCP-1", "versions that are one", {**_receipt(whole), "versions": GRANT})
    changed = rotated(GRANT)
    yield case("valid", "RCP-3 ROT-4", "a change of keys", _receipt([GRANT, changed]), {"cid": cid(changed)})
    new = rotated(
        changed,
        {"created": "2026-11-26T12:00:00Z", "assigner": PERSON_2.did, "servingKey": SUBPARTNER.did},
        keys=(DECISION_1, PERSON_2),
    )
    yield case("valid", "ROT-4", "two changes of keys", _receipt([GRANT, changed, new]))
    for name, member, value, signer in (
        ("the first decision key", "assigner", DECISION, DECISION), ("the first serving key", "servingKey", SERVING, PERSON_2), ("the first serving key, as decision key", "assigner", SERVING, SERVING), ("the first decision key, as serving key", "servingKey", DECISION, PERSON_2),
    ):  # fmt: skip
        yield case(
            bad,
            "ROT-4 RCP-3",
            f"{name} comes back",
            _receipt([GRANT, changed, _back(member, value.did, (DECISION_1, signer))]),
        )
    shop = request(
        {"assignee": {"id": SHOP, "type": "Organization", "name": "Example Shop"}},
        members={"verificationMethod": f"{SHOP}#key-1"},
    )
    named: Document = {"request": cid(shop), "assignee": SHOP, "assigneeKey": VENDOR.did}
    yield case(
        "valid",
        "RCP-3 RCP-4",
        "of a did:web, by the key that the person named",
        _receipt([grant(named)], shop),
    )
    yield case(
        bad,
        "RCP-3 RCP-4",
        "of a did:web, by another key than the person named",
        _receipt([grant(named | {"assigneeKey": PARTNER.did})], shop),
    )


def _of_long_request() -> Document:
    asked = request({"expires": "2040-01-01T00:00:00Z"})
    return _receipt([grant({"request": cid(asked)})], asked)


def _continued() -> Iterator[Case]:
    def case(
        code: str, name: str, held: list[Document], versions: list[Document], output: Json = None
    ) -> Case:
        given = {"receipt": _receipt(held), "versions": versions}
        return (
            valid("RCP-9", name, output, **given)
            if code == "valid"
            else refused(code, "RCP-9", name, **given)
        )

    last = {"cid": cid(_RESUMED), "version": 3}
    bad = "receipt-invalid"
    yield case("valid", "two versions more", [GRANT], [PAUSED, _RESUMED], last)
    yield case("valid", "nothing more", [GRANT], [], {"version": 1})
    yield case("valid", "one that is held already comes again", [GRANT, PAUSED], [PAUSED, _RESUMED], last)
    yield case(
        bad,
        "another in the place of one that is held",
        [GRANT, PAUSED],
        [after(GRANT, {"state": "ended"}, key=SERVING)],
    )
    yield case(bad, "one is left out", [GRANT], [_RESUMED])
    yield case(bad, "in another order", [GRANT], [_RESUMED, PAUSED])
    yield case(
        bad, "signed by a key that may not", [GRANT, PAUSED], [after(PAUSED, {"state": "live"}, key=SERVING)]
    )
    changed = rotated(GRANT)
    yield case(
        bad,
        "a key comes back that was given up",
        [GRANT, changed],
        [_back("servingKey", SERVING.did, (DECISION_1, PERSON_2))],
    )


def _changes() -> Iterator[Case]:
    table: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
        ("narrow", ("live", "paused"), "", "serving"), ("widen", ("live", "paused"), "", "decision"), ("pause", ("live",), "paused", "serving"), ("resume", ("paused",), "live", "decision"),
        ("rotate", ("live", "paused"), "", "both"), ("end", ("live", "paused"), "ended", "serving"), ("expire", ("live", "paused"), "expired", "serving"),
    )  # fmt: skip
    for change, before, to, key in table:
        for state in ("live", "paused", "ended", "expired"):
            given = {"change": change, "state": state}
            if state in before:
                yield valid(
                    "GRA-6 GRA-8", f"{change} of {state}", {"state": to or state, "key": key}, **given
                )
            else:
                yield refused("not-in-this-state", "GRA-6 GRA-7", f"{change} of {state}", **given)


def _drafts() -> Iterator[Case]:
    draft = bare(GRANT)
    yield valid("GRA-3", "the draft that was seen", draft=draft, digest=digest(draft))
    yield valid(
        "GRA-3", "members in another order", draft=dict(reversed(draft.items())), digest=digest(draft)
    )
    for name, changes in (
        ("a day more", {"expires": "2026-12-24T12:00:00Z"}),
        ("another nonce", {"nonce": "b" * 22}),
        ("another key", {"servingKey": STRANGER.did}),
        ("a field more", {"permission": [DELIVERY]}),
    ):
        yield refused("draft-changed", "GRA-3", name, draft=but(draft, changes), digest=digest(draft))
    yield refused(
        "draft-changed",
        "GRA-3",
        "the digest of the text as it came",
        draft=draft,
        digest=b64u(sha256(str(draft).encode())),
    )


def _origins() -> Iterator[Case]:
    for origin in (
        "https://p3kx9.example.org", "https://p3kx9.example.org:8443", "https://192.0.2.1", "https://[2001:db8::1]:8443", "https://localhost", "http://127.0.0.1:8420", "http://127.0.0.1", "http://127.255.255.254:1", "http://[::1]:8420", "https://127.0.0.1",
    ):  # fmt: skip
        yield valid("GRA-2", origin, origin=origin)
    for name, origin in (
        ("a closing slash", "https://a.example/"), ("a path", "https://a.example/g"), ("upper case", "https://A.example"), ("the scheme in upper case", "HTTPS://a.example"), ("a user", "https://me@a.example"), ("the port of https", "https://a.example:443"),
        ("the port of http", "http://127.0.0.1:80"), ("http to the network", "http://a.example"), ("http to an address", "http://192.0.2.1"), ("http to a name of loopback", "http://localhost:8420"), ("loopback in another spelling", "http://127.1"),
        ("loopback with leading zeros", "http://127.0.0.01"), ("loopback beyond a byte", "http://127.0.0.256"), ("::1 in full", "http://[0:0:0:0:0:0:0:1]"), ("a query", "https://a.example?b"), ("a fragment", "https://a.example#b"), ("port 0", "https://a.example:0"),
        ("a port too high", "https://a.example:65536"), ("a port with a leading zero", "https://a.example:08443"), ("an empty port", "https://a.example:"), ("another scheme", "ftp://a.example"), ("no scheme", "a.example"), ("white space", " https://a.example"),
        ("a line break", "https://a.example\n"), ("a closing dot", "https://a.example."), ("an escape", "https://a%2eexample"), ("nothing", ""), ("null", None),
    ):  # fmt: skip
        yield refused("malformed", "GRA-2", name, origin=origin)


def _context_free() -> Iterator[Case]:
    yield _grant("malformed", "GRA-1 VOC-1", "another context", grant({"@context": [CONTEXT]}))


OPERATIONS = (
    Operation(
        name="permission-within",
        description="Say whether the permission `narrower` lies within `wider`: `widened` if not.",
        cases=(*_within(), *_within_limits()),
    ),
    Operation(
        name="verify-grant",
        description="Verify a `version` of a grant against its `request` (taken as verified) and the version before, `previous` (likewise), where there is one. "
        "Output: its `cid` and `digest`.",
        cases=(*_first(), *_context_free(), *_later(), *_rotation()),
    ),
    Operation(
        name="grant-change",
        description="Say what a `change` makes of a grant in a `state`. Output: the `state` after it and the least `key` that signs it (`both`: the old decision key "
        "and the new one).",
        cases=tuple(_changes()),
    ),
    Operation(
        name="approve-draft",
        description="Say whether a `draft` is the one whose `digest` came back from the screen.",
        cases=tuple(_drafts()),
    ),
    Operation(name="read-origin", description="Read the `origin` of a grant.", cases=tuple(_origins())),
    Operation(
        name="verify-receipt",
        description="Verify a `receipt` offline. Output: `cid`, `version` and `state` of the version that stands.",
        cases=tuple(_receipts()),
    ),
    Operation(
        name="continue-receipt",
        description="Add `versions` to a `receipt` that holds already. Output: as verify-receipt.",
        cases=tuple(_continued()),
    ),
)
