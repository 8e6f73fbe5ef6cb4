"""Vectors of specs/grants.md, specs/rotation.md and specs/receipts.md."""

from __future__ import annotations

from collections.abc import Iterator

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
    NOON,
    ORIGIN,
    PAUSED,
    REQUEST,
    SERVING,
    SERVING_1,
    SHOP,
    STRANGER,
    VENDOR,
    after,
    grant,
    request,
    rotated,
)


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
        ("a member more", {"note": "x"}), ("another type", {"type": "AccessRequest"}),
        ("a state that is none", {"state": "revoked"}), ("version 0", {"version": 0}),
        ("a version that is a text", {"version": "1"}), ("a version with a fraction", {"version": 1.5}),
        ("version 1 with a previous", {"previous": cid(GRANT)}),
        ("version 2 without a previous", {"version": 2}),
        ("a log of another form", {"log": "freehold/ledger/short"}),
        ("a request that is no CID", {"request": "x"}), ("no origin", {"origins": []}),
        ("an origin twice", {"origins": [ORIGIN, ORIGIN]}),
        ("an assigneeKey for a did:key", {"assigneeKey": VENDOR.did}),
        ("two permissions of one name", {"permission": [GIVEN, GIVEN]}),
        ("no permissions", {"permission": []}),
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
    made = bare(GRANT)
    yield _grant("valid", "GRA-16", "a proof that names another time", sign(made, DECISION, created=NOON))
    yield _grant("valid", "GRA-16 PRF-5", "a proof that names no time", sign(made, DECISION, created=None))
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
        ("id", "urn:uuid:00000000-0000-4000-8000-000000000000"), ("origins", ["https://elsewhere.example"]),
        ("log", "freehold/ledger/AAAAAAAAAAAAAAAAAAAAAA"), ("notBefore", "2026-11-23T12:11:00Z"),
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


def _changes() -> Iterator[Case]:
    table: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
        ("narrow", ("live", "paused"), "", "serving"), ("widen", ("live", "paused"), "", "decision"),
        ("pause", ("live",), "paused", "serving"), ("resume", ("paused",), "live", "decision"),
        ("rotate", ("live", "paused"), "", "both"), ("end", ("live", "paused"), "ended", "serving"),
        ("expire", ("live", "paused"), "expired", "serving"),
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
    origin: Json
    for origin in (
        "https://p3kx9.example.org", "https://p3kx9.example.org:8443", "https://192.0.2.1",
        "https://[2001:db8::1]:8443", "https://localhost", "http://127.0.0.1:8420", "http://127.0.0.1",
        "http://127.255.255.254:1", "http://[::1]:8420", "https://127.0.0.1",
    ):  # fmt: skip
        yield valid("GRA-2", origin, origin=origin)
    for name, origin in (
        ("a closing slash", "https://a.example/"), ("a path", "https://a.example/g"),
        ("upper case", "https://A.example"), ("the scheme in upper case", "HTTPS://a.example"),
        ("a user", "https://me@a.example"), ("the port of https", "https://a.example:443"),
        ("the port of http", "http://127.0.0.1:80"), ("http to the network", "http://a.example"),
        ("http to an address", "http://192.0.2.1"), ("http to a name of loopback", "http://localhost:8420"),
        ("loopback in another spelling", "http://127.1"),
        ("loopback with leading zeros", "http://127.0.0.01"),
        ("loopback beyond a byte", "http://127.0.0.256"), ("::1 in full", "http://[0:0:0:0:0:0:0:1]"),
        ("a query", "https://a.example?b"), ("a fragment", "https://a.example#b"),
        ("port 0", "https://a.example:0"),
        ("a port too high", "https://a.example:65536"),
        ("a port with a leading zero", "https://a.example:08443"), ("an empty port", "https://a.example:"),
        ("another scheme", "ftp://a.example"), ("no scheme", "a.example"),
        ("white space", " https://a.example"),
        ("a line break", "https://a.example\n"), ("a closing dot", "https://a.example."),
        ("an escape", "https://a%2eexample"), ("nothing", ""), ("null", None),
    ):  # fmt: skip
        yield refused("malformed", "GRA-2", name, origin=origin)


def _context_free() -> Iterator[Case]:
    yield _grant("malformed", "GRA-1 VOC-1", "another context", grant({"@context": [CONTEXT]}))


OPERATIONS = (
    Operation(
        name="verify-grant",
        description="Verify a `version` of a grant against its `request` (taken as verified) and "
        "the version before, `previous` (likewise), where there is one. "
        "Output: its `cid` and `digest`.",
        cases=(*_first(), *_context_free(), *_later(), *_rotation()),
    ),
    Operation(
        name="grant-change",
        description="Say what a `change` makes of a grant in a `state`. Output: the `state` after "
        "it and the least `key` that signs it (`both`: the old decision key "
        "and the new one).",
        cases=tuple(_changes()),
    ),
    Operation(
        name="approve-draft",
        description="Say whether a `draft` is the one whose `digest` came back from the screen.",
        cases=tuple(_drafts()),
    ),
    Operation(name="read-origin", description="Read the `origin` of a grant.", cases=tuple(_origins())),
)
