"""Vectors of specs/vocabulary.md: that nothing of a document is lost, contexts that are added, purposes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import Document, but, put
from scene import (
    CAPABILITY,
    CONTEXT,
    DPV,
    INTEGRITY,
    RECORD_ID,
    REQUEST,
    SUITE_2020,
    TERM,
    VENDOR,
    ZCAP,
    capability,
)

ADA: Final[Document] = {"@context": CONTEXT, "type": "Person", "name": "Ada Example"}
_ADDED: Final = "https://example.com/animals/v1"
_ANIMALS: Final = {
    "@context": {"Dog": "https://example.com/animals#Dog", "leash": "https://example.com/animals#leash"}
}


def _case(code: str, requirements: str, name: str, document: Json, **given: Json) -> Case:
    if code == "valid":
        return valid(requirements, name, document=document, **given)
    return refused(code, requirements, name, document=document, **given)


def _whole() -> Iterator[Case]:
    yield _case("valid", "VOC-6 VOC-7", "a person", ADA)
    yield _case("valid", "VOC-1 VOC-5", "a request with its proof", REQUEST)
    yield _case(
        "valid", "VOC-15 VOC-7", "a capability that embeds another", capability(key=VENDOR, parent=CAPABILITY)
    )
    yield _case(
        "valid",
        "VOC-7",
        "a capability that embeds one of another suite",
        capability(key=VENDOR, parent=CAPABILITY, suite="Ed25519Signature2020"),
    )
    yield _case(
        "valid",
        "VOC-5",
        "our context and that of proofs, in one order",
        but(
            REQUEST,
            {
                "@context": [CONTEXT, INTEGRITY],
                "proof": put(REQUEST, "proof/@context", [CONTEXT, INTEGRITY])["proof"],
            },
        ),
    )
    yield _case(
        "valid",
        "VOC-5",
        "and in the other",
        but(
            REQUEST,
            {
                "@context": [INTEGRITY, CONTEXT],
                "proof": put(REQUEST, "proof/@context", [INTEGRITY, CONTEXT])["proof"],
            },
        ),
    )
    for name, document in (
        ("an absolute IRI as key", but(ADA, {"https://example.com/nickname": "x"})),
        ("a compact IRI as key", but(ADA, {"schema:award": "x"})),
        ("an absolute IRI as type", put(ADA, "type", ["Person", "https://example.com/Dog"])),
        ("a URN as type", put(ADA, "type", "urn:example:dog")),
        ("a purpose as compact IRI", but(ADA, {"purpose": ["dpv:Marketing"]})),
    ):
        yield _case("valid", "VOC-6", name, document)
    lost = "undefined-term"
    record = {**ADA, "id": RECORD_ID, "created": "2026-11-23T12:00:00Z", "source": {"type": "Person"}}
    yield _case("valid", "REC-6", "a record", record)
    yield _case(lost, "REC-6 VOC-6", "a record with a member that means nothing", {**record, "nickname": "x"})
    for name, document in (
        ("a key that no context defines", but(ADA, {"nickname": "x"})),
        ("deep inside", but(ADA, {"address": {"type": "PostalAddress", "zip": "EX1 2AB"}})),
        ("a type that no context defines", put(ADA, "type", "Dog")),
        ("one type of two", put(ADA, "type", ["Person", "Dog"])),
        ("a value that is to be a term", but(ADA, {"purpose": ["Marketing"]})),
        ("a prefix that no context defines", but(ADA, {"foaf:nick": "x"})),
        ("a scheme that is no term's", but(ADA, {"mailto:a": "x"})),
        ("an IRI of ftp as type", put(ADA, "type", "ftp://example.com/Dog")),
        ("a term in another case", but(ADA, {"Name": "x"})),
        ("an empty key", but(ADA, {"": "x"})),
        ("a term of a proof outside one", but(ADA, {"proofPurpose": "assertionMethod"})),
    ):
        yield _case(lost, "VOC-6", name, document)
    inside = {"type": "Person", "items": [{"type": "Person"}]}
    yield _case(
        "valid",
        "VOC-14 VOC-6",
        "the type of an item inside a permission",
        but(ADA, {"permission": [{"items": [{"type": "Person"}]}]}),
    )
    yield _case(
        lost,
        "VOC-14 VOC-6",
        "an item's type that is no term",
        but(ADA, {"permission": [{"items": [{"type": "Dog"}]}]}),
    )
    yield _case(
        "valid",
        "VOC-11",
        "an empty array where the order counts",
        {"@context": CONTEXT, "type": "ReleasedPage", "items": []},
    )
    yield _case("malformed", "VOC-11", "an empty array elsewhere", but(ADA, {"email": []}))
    yield _case("valid", "VOC-6", "items outside a permission", {"@context": CONTEXT, **inside})


def _contexts() -> Iterator[Case]:
    yield _case(
        "unsupported", "VOC-2", "a context that nobody has", put(ADA, "@context", "https://schema.org/")
    )
    yield _case(
        "unsupported",
        "VOC-2",
        "the second context",
        put(ADA, "@context", [CONTEXT, "https://example.com/v1"]),
    )
    yield _case(
        "unsupported",
        "VOC-4",
        "a later version of ours",
        put(ADA, "@context", "https://w3id.org/freehold/v2"),
    )
    yield _case(
        "valid",
        "VOC-3",
        "a context that is bundled",
        {"@context": "https://www.w3.org/ns/credentials/v2", "type": "VerifiableCredential"},
    )
    yield _case(
        "valid",
        "VOC-3",
        "the context of keys",
        {
            "@context": "https://w3id.org/security/multikey/v1",
            "id": VENDOR.method,
            "type": "Multikey",
            "publicKeyMultibase": VENDOR.multikey,
        },
    )
    for name, context in (
        ("an inline context", {"name": "https://schema.org/name"}),
        ("an inline context beside", [CONTEXT, {"x": "https://example.com/x"}]),
        ("a context twice", [CONTEXT, CONTEXT]), ("no context", []), ("null", None),
        ("null beside", [CONTEXT, None]),
        ("five contexts", [CONTEXT, INTEGRITY, ZCAP, SUITE_2020, "https://w3id.org/security/multikey/v1"]),
        ("a number", 1),
    ):  # fmt: skip
        yield _case("malformed", "VOC-7", name, put(ADA, "@context", context))
    yield _case("malformed", "VOC-7", "no @context", {"type": "Person", "name": "Ada Example"})
    yield _case(
        "malformed",
        "VOC-7",
        "another context below",
        but(ADA, {"address": {"@context": INTEGRITY, "type": "PostalAddress"}}),
    )
    yield _case(
        "malformed",
        "VOC-7",
        "the context again, written as an array",
        but(ADA, {"address": {"@context": [CONTEXT], "type": "PostalAddress"}}),
    )
    yield _case(
        "valid",
        "VOC-7",
        "the context again, value for value",
        but(ADA, {"address": {"@context": CONTEXT, "type": "PostalAddress"}}),
    )
    yield _case(
        "malformed",
        "VOC-7",
        "the context again, inside a property that has its own",
        but(ADA, {"permission": [{"items": [{"@context": CONTEXT, "type": "Person"}]}]}),
    )


def _values() -> Iterator[Case]:
    bad = "malformed"
    value: Json
    yield _case("valid", "VOC-8", "an id", but(ADA, {"id": RECORD_ID}))
    yield _case("valid", "VOC-8", "a reference", but(ADA, {"attestedBy": VENDOR.did}))
    for name, value in (
        ("relative", "ada"), ("a path", "/ada"), ("a blank node's", "_:a"), ("nothing", ""),
        ("with a space", "urn:a b"), ("with a no-break space", "urn:a\u00a0b"),
        ("with a control character", "urn:a\u0001b"), ("with <", "urn:a<b"), ("with a quote", 'urn:a"b'),
        ("with a brace", "urn:a{b"), ("with a bar", "urn:a|b"),
        ("with a backslash", "urn:a\\b"), ("with ^", "urn:a^b"), ("with a grave accent", "urn:a`b"),
        ("with a broken escape", "urn:a%2"), ("with two fragments", "urn:a#b#c"),
        ("a number", 7), ("an array", [RECORD_ID]),
    ):  # fmt: skip
        yield _case(bad, "VOC-8", f"an id: {name}", but(ADA, {"id": value}))
    for name, value in (("relative", "ada"), ("a blank node's", "_:a"), ("with a space", "urn:a b")):
        yield _case(bad, "VOC-8", f"a reference: {name}", but(ADA, {"attestedBy": value}))
    yield _case(
        bad,
        "VOC-8",
        "two ids",
        but(ADA, {"id": RECORD_ID, "@id": "urn:uuid:00000000-0000-4000-8000-000000000000"}),
    )
    yield _case("valid", "VOC-9", "the keywords", {"@context": CONTEXT, "@id": RECORD_ID, "@type": "Person"})
    yield _case(
        "valid",
        "VOC-9",
        "a text with its language",
        but(ADA, {"name": {"@value": "Ada", "@language": "en-GB"}}),
    )
    yield _case(
        "valid",
        "VOC-9",
        "a text with its datatype",
        but(ADA, {"birthDate": {"@value": "1815-12-10", "@type": "xsd:date"}}),
    )
    for name, value in (
        ("a graph", {"@graph": []}), ("a list", {"@list": ["x"]}), ("a set", {"@set": ["x"]}),
        ("a reverse", {"@reverse": {}}), ("an index", {"@index": "x", "name": "y"}),
        ("something included", {"@included": []}), ("a nest", {"@nest": {}}),
        ("a keyword that is none", {"@foo": "x"}),
        ("a value with an id", {"@value": "x", "@id": RECORD_ID}),
        ("a value with both", {"@value": "x", "@type": "xsd:date", "@language": "en"}),
        ("a value that is an object", {"@value": {}}),
        ("a language of 9 letters", {"@value": "x", "@language": "abcdefghi"}),
        ("a language with a space", {"@value": "x", "@language": "en GB"}),
        ("a language that is empty", {"@value": "x", "@language": ""}),
        ("a direction", {"@value": "x", "@direction": "rtl"}),
    ):  # fmt: skip
        yield _case(bad, "VOC-9", name, but(ADA, {"email": value}))
    yield _case(bad, "VOC-10", "a null", but(ADA, {"email": None}))
    yield _case(bad, "VOC-10", "a null in an array", but(ADA, {"email": ["x", None]}))
    yield _case(bad, "VOC-10", "an array in an array", but(ADA, {"email": [["x"]]}))
    where = {"permission": [{"items": [{"type": "Person", "where": {"a": [[None]]}}]}]}
    yield _case("valid", "VOC-10", "both in what is kept as JSON", but(ADA, where))
    yield _case(bad, "VOC-12", "a document that says nothing", {"@context": CONTEXT})
    yield _case(bad, "VOC-12", "an id alone", {"@context": CONTEXT, "id": RECORD_ID})
    yield _case(bad, "VOC-12", "an empty proof", but(ADA, {"proof": {}}))
    yield _case("valid", "VOC-13", "the largest integer", but(ADA, {"height": 2**53 - 1}))
    yield _case(bad, "VOC-13", "2^53", but(ADA, {"height": 2**53}))
    yield _case(bad, "VOC-13", "-2^53", but(ADA, {"height": -(2**53)}))
    yield _case("valid", "VOC-13", "a number of 16 digits", but(ADA, {"height": 1.234567890123456}))
    yield _case(bad, "VOC-13", "a number that takes 17 digits", but(ADA, {"height": 0.30000000000000004}))
    yield _case(
        bad, "VOC-13", "a double as text", but(ADA, {"height": {"@value": "1.0", "@type": "xsd:double"}})
    )


def _added() -> Iterator[Case]:
    dog = {"@context": [CONTEXT, _ADDED], "type": "Dog", "name": "Rex", "leash": "red"}
    yield _case("valid", "VOC-16", "a term of an added context", dog, contexts={_ADDED: _ANIMALS})
    yield _case("unsupported", "VOC-2 VOC-16", "the same where nothing was added", dog)
    yield _case(
        "undefined-term",
        "VOC-6 VOC-16",
        "what is not in the added context",
        but(dog, {"tail": "x"}),
        contexts={_ADDED: _ANIMALS},
    )
    vocab = {"@context": {"@vocab": "https://example.com/animals#"}}
    yield _case("valid", "VOC-6", "@vocab of an added context", dog, contexts={_ADDED: vocab})
    yield _case(
        "undefined-term",
        "VOC-6",
        "@vocab of a bundled context defines nothing",
        {"@context": "https://www.w3.org/ns/activitystreams", "type": "Note", "nonsense": 1},
    )
    names = {
        "@context": [
            CONTEXT,
            {"Dog": "https://example.com/animals#Dog", "leash": "https://example.com/animals#leash"},
        ]
    }
    yield _case(
        "valid",
        "VOC-17",
        "an added context that names a bundled one",
        {"@context": _ADDED, "type": "Dog", "name": "Rex"},
        contexts={_ADDED: names},
    )
    other = {"@context": ["https://example.com/other/v1", {}]}
    yield _case("unsupported", "VOC-17", "an added context that names another", ADA, contexts={_ADDED: other})
    both = {_ADDED: {"@context": "https://example.com/other/v1"}, "https://example.com/other/v1": _ANIMALS}
    yield _case("unsupported", "VOC-17", "an added context that names another added one", ADA, contexts=both)
    yield _case(
        "malformed", "VOC-17", "in the place of one that is brought", ADA, contexts={CONTEXT: _ANIMALS}
    )
    yield _case("malformed", "VOC-16", "under a relative URL", ADA, contexts={"animals": _ANIMALS})
    yield _case(
        "malformed",
        "VOC-16",
        "without @context",
        ADA,
        contexts={_ADDED: {"Dog": "https://example.com/animals#Dog"}},
    )
    yield _case(
        "unsupported",
        "VOC-17",
        "with a feature that is not known",
        ADA,
        contexts={_ADDED: {"@context": {"@import": CONTEXT}}},
    )
    many = {f"https://example.com/{n}": _ANIMALS for n in range(65)}
    yield _case("valid", "VOC-16", "64 of them", ADA, contexts=dict(list(many.items())[:64]))
    yield _case("too-large", "VOC-16 LIM-1", "65 of them", ADA, contexts=many)


def _purposes() -> Iterator[Case]:
    def case(requirements: str, broader: str, narrower: str, covers: bool) -> Case:
        return valid(
            requirements, f"{broader} and {narrower}", {"covers": covers}, broader=broader, narrower=narrower
        )

    for broader, narrower, covers in (
        ("dpv:Marketing", "dpv:Marketing", True), ("dpv:Marketing", "dpv:DirectMarketing", True),
        ("dpv:Marketing", "dpv:TargetedAdvertising", True),
        ("dpv:DirectMarketing", "dpv:Marketing", False), ("dpv:DeliveryOfGoods", "dpv:Marketing", False),
        ("dpv:ServiceProvision", "dpv:SellDataToThirdParties", True),
        ("dpv:Personalisation", "dpv:PoliticalCampaign", True),
        ("dpv:TargetedAdvertising", "dpv:DirectMarketing", False),
    ):  # fmt: skip
        yield case(
            "VOC-20 VOC-21" if "Sell" in narrower or "Political" in narrower else "VOC-20",
            broader,
            narrower,
            covers,
        )
    for name, text in (
        ("the purpose above all", "dpv:Purpose"), ("the IRI", DPV + "Marketing"),
        ("without the prefix", "Marketing"), ("another case", "dpv:marketing"),
        ("an extension", "dpv-gdpr:Marketing"), ("no purpose of DPV", "dpv:Consent"),
        ("with a space", "dpv:Marketing "), ("nothing", ""), ("one that is not there", "dpv:Mischief"),
        ("another IRI", TERM + "Marketing"),
    ):  # fmt: skip
        yield refused("undefined-term", "VOC-19", f"{name}: {text}", broader=text, narrower="dpv:Marketing")


OPERATIONS = (
    Operation(
        name="check-terms",
        description="Judge whether anything of a `document` would be lost in RDF; `contexts` are "
        "contexts that were added, by their URL, and are "
        "themselves judged first.",
        cases=(*_whole(), *_contexts(), *_values(), *_added()),
    ),
    Operation(
        name="purpose-covers",
        description="Say whether who has agreed to the purpose `broader` has agreed to `narrower`. "
        "Output: `covers`.",
        cases=tuple(_purposes()),
    ),
)
