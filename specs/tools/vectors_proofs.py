"""Vectors of specs/proofs.md: one proof in each suite, canonical RDF, sets and chains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cases import Case, Json, Operation, refused, valid
from craft import ED25519_2020, GONE, JCS, RDFC, Document, Key, bare, but, cid, hashed, prove, put, sign, z
from craft_rdf import canonical_rdf
from scene import (
    CAPABILITY,
    CONTEXT,
    INTEGRITY,
    NOON,
    PARTNER,
    RECORD_ID,
    REQUEST,
    SHOP,
    STRANGER,
    SUITE_2020,
    VENDOR,
    ZCAP,
    capability,
)

_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
ADA: Final[Document] = {"@context": CONTEXT, "type": "Person", "name": "Ada Example"}
ADA_2020: Final[Document] = {"@context": [ZCAP, SUITE_2020], "id": RECORD_ID, "controller": VENDOR.did}


def _signed(document: Document = ADA, key: Key = VENDOR, **how: Any) -> Document:
    return sign(document, key, **({"created": NOON} | how))


def _case(
    code: str, requirements: str, name: str, document: Json, output: Json = None, **given: Json
) -> Case:
    given = {"document": document, "purpose": "assertionMethod"} | given
    return (
        valid(requirements, name, output, **given)
        if code == "valid"
        else refused(code, requirements, name, **given)
    )


def _hash(document: Document, suite: str) -> str:
    options = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    return hashed(bare(document), options, suite).hex()


def _jcs() -> Iterator[Case]:
    good = _signed()
    told = {"key": VENDOR.did, "signed": _hash(good, JCS), "cid": cid(good)}
    yield _case("valid", "PRF-5 PRF-6 PRF-7 PRF-8 PRF-9 PRF-4", "eddsa-jcs-2022", good, told)
    yield _case("valid", "PRF-5", "a proof without a time", sign(ADA, VENDOR))
    yield _case("valid", "PRF-6", "no context anywhere", _signed(but(ADA, {"@context": GONE})))
    shuffled = {name: good[name] for name in ("proof", "name", "@context", "type")}
    yield _case("valid", "PRF-1 PRF-18", "members in another order", shuffled, told | {"cid": cid(good)})
    wrong = "signature-invalid"
    yield _case(wrong, "PRF-7 PRF-11", "another value", put(good, "name", "Eve Example"))
    yield _case(wrong, "PRF-7 PRF-11 PRF-13", "one member more", but(good, {"email": "ada@example.com"}))
    yield _case(wrong, "PRF-7", "one member less", but(good, {"name": GONE}))
    yield _case(wrong, "PRF-7", "another time", put(good, "proof/created", "2026-11-23T12:00:01Z"))
    yield _case(wrong, "PRF-7", "the time taken away", put(good, "proof/created", GONE))
    yield _case(
        wrong, "PRF-7 PRF-13", "another key's name", put(good, "proof/verificationMethod", PARTNER.method)
    )
    yield _case(
        wrong,
        "PRF-8",
        "another's signature",
        put(good, "proof/proofValue", _signed(key=PARTNER)["proof"]["proofValue"]),
    )
    yield _case(wrong, "PRF-12 PRF-9", "a proof for another purpose", _signed(purpose="capabilityDelegation"))
    yield _case(wrong, "PRF-12", "a purpose that is none here", _signed(purpose="authentication"))
    yield _case(wrong, "PRF-6", "a context in the document only", _signed(members={"@context": GONE}))
    yield _case(
        wrong,
        "PRF-6",
        "a context in the proof only",
        _signed(but(ADA, {"@context": GONE}), members={"@context": CONTEXT}),
    )
    yield _case(wrong, "PRF-6", "another context in the proof", _signed(members={"@context": [CONTEXT]}))
    for name in ("type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"):
        code = "unsupported" if name in ("type", "cryptosuite") else "malformed"
        yield _case(
            code,
            "PRF-5 PRF-12" if code == "malformed" else "PRF-5 PRF-10",
            f"no {name}",
            put(good, f"proof/{name}", GONE),
        )
    yield _case(
        "malformed", "PRF-5", "a member that a proof has not", _signed(members={"domain": "shop.example"})
    )
    yield _case(
        "malformed",
        "PRF-5",
        "an id in the one proof",
        _signed(members={"id": "urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"}),
    )
    yield _case("malformed", "PRF-5", "a proof in an array", put(good, "proof", [good["proof"]]))
    yield _case(
        "malformed", "PRF-5", "two proofs", put(good, "proof", [good["proof"], _signed(key=PARTNER)["proof"]])
    )
    yield _case("malformed", "PRF-5", "no proof", ADA)
    yield _case("malformed", "PRF-5", "a proof that is a text", put(good, "proof", "signed"))
    yield _case(
        "malformed", "PRF-5", "a purpose in an array", _signed(members={"proofPurpose": ["assertionMethod"]})
    )
    yield _case(
        "malformed", "PRF-5 ENC-8", "a time with an offset", _signed(created="2026-11-23T13:00:00+01:00")
    )
    yield _case(
        "malformed", "PRF-5 ENC-8", "a time with a fraction", _signed(created="2026-11-23T12:00:00.000Z")
    )
    value = good["proof"]["proofValue"]
    yield _case(
        "malformed", "PRF-8 ENC-1", "a signature in base64url", put(good, "proof/proofValue", "u" + "A" * 86)
    )
    yield _case(
        "malformed", "PRF-8 ENC-1", "a signature with white space", put(good, "proof/proofValue", value + " ")
    )
    yield _case("unsupported", "PRF-10", "another suite", _signed(members={"cryptosuite": "ecdsa-jcs-2019"}))
    yield _case(
        "unsupported",
        "PRF-10",
        "the older name of the suite",
        _signed(members={"cryptosuite": "jcs-eddsa-2022"}),
    )
    yield _case(
        "unsupported",
        "PRF-10",
        "a type of proof before these",
        _signed(members={"type": "Ed25519Signature2018"}),
    )
    yield _case(
        "unsupported",
        "PRF-13 IDN-3",
        "a method of did:web where nothing is pinned",
        _signed(members={"verificationMethod": f"{SHOP}#key-1"}),
    )
    yield _case(
        "malformed",
        "PRF-13",
        "a method without its fragment",
        _signed(members={"verificationMethod": VENDOR.did}),
    )
    yield _case(
        "malformed",
        "PRF-13",
        "a method with another fragment",
        _signed(members={"verificationMethod": f"{VENDOR.did}#{PARTNER.multikey}"}),
    )
    yield _case("malformed", "PRF-2", "a number without canonical bytes", {**good, "height": 2**53 + 1})


def _strict() -> Iterator[Case]:
    """Signatures that one library takes and another does not: all of these are refused."""
    good = _signed()
    raw = VENDOR.sign(bytes.fromhex(_hash(good, JCS)))
    scalar = int.from_bytes(raw[32:], "little")
    for name, value in (
        ("S with the order added", raw[:32] + (scalar + _ORDER).to_bytes(32, "little")),
        ("63 bytes", raw[:63]),
        ("65 bytes", raw + b"\0"),
        ("all zero", bytes(64)),
        ("R of small order", bytes([1]) + bytes(31) + raw[32:]),
    ):
        yield _case(
            "signature-invalid",
            "PRF-14 PRF-8",
            f"a signature: {name}",
            put(good, "proof/proofValue", z(value)),
        )
    identity = z(b"\xed\x01\x01" + bytes(31))
    method = f"did:key:{identity}#{identity}"
    # With the identity as key, R the identity and S zero, the equation of Ed25519 holds for every message.
    forged = put(put(good, "proof/verificationMethod", method), "proof/proofValue", z(b"\x01" + bytes(63)))
    yield _case("signature-invalid", "PRF-14", "a key of small order, under which anything verifies", forged)
    odd = z(b"\xed\x01\xee" + b"\xff" * 30 + b"\x7f")
    method = f"did:key:{odd}#{odd}"
    forged = put(put(good, "proof/verificationMethod", method), "proof/proofValue", z(b"\x01" + bytes(63)))
    yield _case("signature-invalid", "PRF-14", "the same key in a non-canonical spelling", forged)


def _rdf_suites() -> Iterator[Case]:
    for suite, document, purpose in (
        (RDFC, ADA, "assertionMethod"),
        (ED25519_2020, capability(suite=ED25519_2020), "capabilityDelegation"),
    ):
        if suite == RDFC:
            document = _signed(ADA, suite=RDFC)
        told = (
            {"key": VENDOR.did, "signed": _hash(document, suite)}
            if suite == RDFC
            else {"signed": _hash(document, suite)}
        )
        yield _case("valid", "PRF-16 PRF-17", suite, document, told, purpose=purpose)
        path = "name" if suite == RDFC else "expires"
        other = "Eve Example" if suite == RDFC else "2026-12-30T12:11:00Z"
        yield _case(
            "signature-invalid",
            "PRF-17",
            f"{suite}: another value",
            put(document, path, other),
            purpose=purpose,
        )
        yield _case(
            "signature-invalid",
            "PRF-17",
            f"{suite}: another time",
            put(document, "proof/created", "2026-11-23T12:00:09Z"),
            purpose=purpose,
        )
        within = put(document, "proof/@context", document["@context"])
        yield _case(
            "valid", "PRF-16", f"{suite}: the document's context in the proof too", within, purpose=purpose
        )
        outside = put(document, "proof/@context", INTEGRITY)
        yield _case(
            "signature-invalid", "PRF-16", f"{suite}: another context in the proof", outside, purpose=purpose
        )
    yield _case(
        "malformed",
        "PRF-16",
        "Ed25519Signature2020 with a cryptosuite",
        put(capability(suite=ED25519_2020), "proof/cryptosuite", JCS),
        purpose="capabilityDelegation",
    )
    document = but(ADA, {"@context": [CONTEXT, SUITE_2020]})
    yield _case(
        "unsupported",
        "PRF-10 PRF-16",
        "Ed25519Signature2020 where it is no capability",
        _signed(document, suite=ED25519_2020),
    )
    rdf = _signed(but(ADA, {"knowsLanguage": ["en", "de"]}), suite=RDFC)
    yield _case(
        "valid",
        "PRF-18",
        "the order of an array, which a graph forgets",
        put(rdf, "knowsLanguage", ["de", "en"]),
        {"signed": _hash(rdf, RDFC)},
    )
    alone = _signed(but(ADA, {"email": "ada@example.com"}), suite=RDFC)
    yield _case(
        "valid",
        "PRF-18",
        "one value alone or in an array",
        put(alone, "email", ["ada@example.com"]),
        {"signed": _hash(alone, RDFC)},
    )
    jcs_array = _signed(but(ADA, {"knowsLanguage": ["en", "de"]}))
    yield _case(
        "signature-invalid",
        "PRF-1",
        "the order of an array, which JSON keeps",
        put(jcs_array, "knowsLanguage", ["de", "en"]),
    )
    lost = but(ADA, {"nickname": "Countess"})
    yield _case(
        "undefined-term",
        "PRF-20 VOC-6",
        "a member that would be dropped before it is signed",
        {**_signed(suite=RDFC), "nickname": "Countess"},
    )
    yield _case("valid", "PRF-7", "the same, signed as JSON", _signed(lost))
    empty = put(_signed(suite=RDFC), "type", GONE)
    yield _case("malformed", "PRF-20 VOC-12", "a document that says nothing", but(empty, {"name": GONE}))
    yield _case(
        "unsupported",
        "VOC-2 PRF-20",
        "a context that is not at hand",
        put(_signed(suite=RDFC), "@context", "https://example.com/v1"),
    )
    yield _case(
        "malformed",
        "VOC-7 PRF-20",
        "an inline context",
        put(_signed(suite=RDFC), "@context", {"name": "https://schema.org/name"}),
    )
    swapped = put(put(_signed(suite=RDFC), "proof/cryptosuite", JCS), "proof/@context", CONTEXT)
    yield _case("signature-invalid", "PRF-7 PRF-17", "a proof of one suite called another", swapped)
    tagged = but(ADA, {"name": {"@value": 'Ada\n"<\\>', "@language": "EN-gb"}})
    yield _case("valid", "PRF-19", "a language tag in capitals", _signed(tagged, suite=RDFC))
    lower = but(_signed(tagged, suite=RDFC), {"name": {"@value": 'Ada\n"<\\>', "@language": "en-GB"}})
    yield _case("valid", "PRF-19", "the same tag in other letters", lower)


def _rdf() -> Iterator[Case]:
    def right(name: str, document: Document, requirements: str = "PRF-19") -> Case:
        return valid(requirements, name, {"nquads": canonical_rdf(document).decode()}, document=document)

    yield right("a person", ADA)
    yield right("a request", bare(REQUEST))
    yield right("a request with its proof, which is a graph of its own", REQUEST)
    yield right("a capability, whose chain is a list", CAPABILITY)
    yield right("a capability that embeds another", capability(key=VENDOR, parent=CAPABILITY))
    yield right(
        "a capability that embeds one of another suite",
        capability(key=VENDOR, parent=CAPABILITY, suite=ED25519_2020),
    )
    yield right("what is to be escaped", but(ADA, {"name": 'a"b\\c\nd\re\tf\bg\fh\u007fi\u0001j é 😀'}))
    yield right(
        "a language tag in small letters", but(ADA, {"name": {"@value": "Ada", "@language": "EN-gb"}})
    )
    yield right(
        "numbers", but(ADA, {"height": 1.5, "weight": 60, "value": 1e21, "minPrice": 0.1, "maxPrice": -0.0})
    )
    yield right("true and false", but(ADA, {"required": True, "newRecords": False}))
    yield right("the same value twice, once", but(ADA, {"email": ["a@example.com", "a@example.com"]}))
    yield right(
        "blank nodes alike",
        but(ADA, {"knows": [{"type": "Person", "name": "B"}, {"type": "Person", "name": "C"}]}),
    )
    yield right(
        "blank nodes in a circle of names",
        but(ADA, {"knows": [{"knows": {"name": "x"}}, {"knows": {"name": "x"}}, {"name": "x"}]}),
    )
    yield right("JSON as a literal", but(bare(REQUEST), {"permission": [{"name": "a", "items": [
        {"type": "Person", "fields": ["name"], "where": {"b.c": 1, "a": [True, None]}}]}]}))  # fmt: skip
    knot: list[Document] = []
    for _ in range(6):
        knot = [{"knows": [*knot]} if knot else {"type": "Person"}] * 2
    for name, code, requirements, document in (
        ("a term that no context defines", "undefined-term", "PRF-20 VOC-6", but(ADA, {"nickname": "x"})),
        ("nothing said", "malformed", "PRF-20 VOC-12", {"@context": CONTEXT}),
        (
            "a language that is none",
            "malformed",
            "PRF-21 VOC-9",
            but(ADA, {"name": {"@value": "Ada", "@language": 'en"@x'}}),
        ),
        ("a relative id", "malformed", "PRF-20 VOC-8", but(ADA, {"id": "ada"})),
        ("a null", "malformed", "PRF-20 VOC-10", but(ADA, {"email": None})),
    ):
        yield refused(code, requirements, name, document=document)
    heavy = but(ADA, {"knows": [{"knows": [{"type": "Person"} for _ in range(40)]} for _ in range(40)]})
    yield refused(
        "too-large", "PRF-22 LIM-1", "blank nodes that cannot be told apart in bounded steps", document=heavy
    )


def _several() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, proofs: Json, keys: list[Key] | None = None) -> Case:
        document = {**ADA, "proof": proofs}
        output = {"keys": [key.did for key in keys]} if keys else None
        given = {"document": document, "purpose": "assertionMethod"}
        return (
            valid(requirements, name, output, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    def proof(key: Key, over: list[Document] | None = None, **how: Any) -> Document:
        document = ADA if over is None else {**ADA, "proof": over}
        return prove(document, key, **({"created": NOON} | how))

    one, two = proof(VENDOR), proof(PARTNER)
    yield case("valid", "PRF-24 PRF-25 PRF-26", "one proof alone", one, [VENDOR])
    yield case("valid", "PRF-24", "one proof in an array", [one], [VENDOR])
    yield case("valid", "PRF-24 PRF-25", "a set of two", [one, two], [VENDOR, PARTNER])
    yield case("valid", "PRF-24", "a set of two suites", [one, proof(PARTNER, suite=RDFC)], [VENDOR, PARTNER])
    yield case("valid", "PRF-24", "a set of eight", [one] * 8)
    yield case("too-large", "PRF-24 LIM-1", "a set of nine", [one] * 9)
    yield case("malformed", "PRF-24", "no proof", [])
    yield case("malformed", "PRF-24", "something that is no proof", [one, "two"])
    yield case(
        "signature-invalid",
        "PRF-26",
        "the second does not verify",
        [one, put(two, "proofValue", one["proofValue"])],
    )
    yield case(
        "signature-invalid",
        "PRF-26",
        "the first does not verify",
        [put(one, "created", "2026-11-23T12:00:01Z"), two],
    )
    yield case(
        "signature-invalid",
        "PRF-24",
        "another purpose beside",
        [one, proof(PARTNER, purpose="capabilityDelegation")],
    )
    yield case(
        "unsupported", "PRF-24 PRF-10", "another suite beside", [one, but(two, {"cryptosuite": "bbs-2023"})]
    )
    first = proof(VENDOR, members={"id": "urn:proof:1"})
    yield case(
        "signature-invalid",
        "PRF-25",
        "a proof that also signs one beside it without naming it",
        [one, proof(PARTNER, [one])],
    )
    after = proof(PARTNER, [first], members={"previousProof": "urn:proof:1"})
    yield case("valid", "PRF-25 PRF-24", "a chain of two", [first, after], [VENDOR, PARTNER])
    yield case("valid", "PRF-25", "a chain whose second comes first", [after, first], [PARTNER, VENDOR])
    yield case("valid", "PRF-26", "a chain whose last was taken away", [first], [VENDOR])
    yield case("signature-invalid", "PRF-25", "a chain whose first was taken away", [after])
    yield case(
        "signature-invalid",
        "PRF-25",
        "a proof that names one and does not sign it",
        [first, proof(PARTNER, members={"previousProof": "urn:proof:1"})],
    )
    changed = proof(STRANGER, members={"id": "urn:proof:1"})
    yield case("signature-invalid", "PRF-25", "another proof under the name of the first", [changed, after])
    third = proof(
        VENDOR,
        [first, two_named := proof(PARTNER, members={"id": "urn:proof:2"})],
        members={"previousProof": ["urn:proof:2", "urn:proof:1"]},
    )
    yield case(
        "valid",
        "PRF-25",
        "one that follows two, signed in the order in which they stand",
        [first, two_named, third],
        [VENDOR, PARTNER, VENDOR],
    )
    yield case("signature-invalid", "PRF-25", "the two in another order", [two_named, first, third])
    yield case("malformed", "PRF-24", "one id twice", [first, proof(PARTNER, members={"id": "urn:proof:1"})])
    yield case("malformed", "PRF-24", "an id that is no text", [proof(VENDOR, members={"id": 1})])
    twice = proof(PARTNER, [first], members={"previousProof": ["urn:proof:1", "urn:proof:1"]})
    yield case("malformed", "PRF-24", "one that follows another twice", [first, twice])
    yield case(
        "malformed",
        "PRF-24",
        "one that follows nothing",
        [first, proof(PARTNER, members={"previousProof": []})],
    )
    itself = proof(PARTNER, members={"id": "urn:proof:1", "previousProof": "urn:proof:1"})
    yield case("signature-invalid", "PRF-25", "one that follows itself", [itself])


OPERATIONS = (
    Operation(
        name="verify-document",
        description="Verify the one proof of a `document`, made for `purpose`, in the suites that "
        "are accepted for it; the keys are did:key. Output: "
        "the `key` as DID, the 64 bytes that were `signed` in hexadecimal, and the document's `cid`.",
        cases=(*_jcs(), *_strict(), *_rdf_suites()),
    ),
    Operation(
        name="canonical-rdf",
        description="Give the canonical RDF of a `document`. Output: `nquads`.",
        cases=tuple(_rdf()),
    ),
    Operation(
        name="verify-proofs",
        description="Verify every proof of a `document`, one or an array, in sets and chains. "
        "Output: the `keys` that signed, in the order of the proofs.",
        cases=tuple(_several()),
    ),
)
