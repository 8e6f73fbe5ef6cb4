"""check_terms: what it refuses, what it lets pass, and that PyLD and we read the same out of that, and all of it."""

from __future__ import annotations

import contextlib
import itertools
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.contexts import BUNDLED, FREEHOLD, Contexts, check_terms, load_context
from freehold_protocol.errors import FreeholdError, MalformedError, UndefinedTermError, UnsupportedError
from freehold_protocol.keys import SigningKey
from freehold_protocol.limits import MAX_DEPTH
from freehold_protocol.proof import sign_document
from hypothesis import given, settings
from hypothesis import strategies as st
from of_pyld import assert_read_as_by_pyld
from published import CITIZENSHIP, EXAMPLES, published
from pyld import jsonld
from pyld.context_resolver import ContextResolver

ZCAP = "https://w3id.org/zcap/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
MULTIKEY = "https://w3id.org/security/multikey/v1"
DID_V1 = "https://www.w3.org/ns/did/v1"
CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
ACTIVITY = "https://www.w3.org/ns/activitystreams"
ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
JWS_2020 = "https://w3id.org/security/suites/jws-2020/v1"
SECURITY_V2 = "https://w3id.org/security/v2"
KEY = SigningKey(bytes(32))
PROOF = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-jcs-2022",
    "proofPurpose": "assertionMethod",
    "verificationMethod": KEY.method,
    "proofValue": "z1",
}


def person(**members: Any) -> dict[str, Any]:
    return {"@context": FREEHOLD, "type": "Person", "name": "A", **members}


def capability(contexts: list[str], chain: list[Any]) -> dict[str, Any]:
    proof = {**PROOF, "proofPurpose": "capabilityDelegation", "capabilityChain": chain}
    if contexts[-1] == ED25519_2020:
        del proof["cryptosuite"]
        proof["type"] = "Ed25519Signature2020"
    return {
        "@context": contexts,
        "id": f"urn:uuid:{len(str(chain))}",
        "controller": KEY.did,
        "invocationTarget": "https://node.example/g/1",
        "proof": proof,
    }


def mixed(*suites: str) -> dict[str, Any]:
    """Return a capability with its parents, the first first, each under its own contexts."""
    made = capability([ZCAP, suites[0]], ["urn:zcap:root:x"])
    for suite in suites[1:]:
        made = capability([ZCAP, suite], ["urn:zcap:root:x", made])
    return made


PASSES: dict[str, dict[str, Any]] = {
    "plain": person(),
    "list of contexts": person(**{"@context": [FREEHOLD]}),
    "two contexts": person(**{"@context": [FREEHOLD, DATA_INTEGRITY], "proof": PROOF}),
    "keywords themselves": {"@context": FREEHOLD, "@id": "urn:uuid:1", "@type": ["Person"], "name": "A"},
    "nested": person(address={"type": "PostalAddress", "postalCode": "1"}, knows=[{"id": "urn:x:1"}, {}]),
    "scalars": person(height=1.75, weight=70, required=True, name=""),
    "compact and absolute keys": person(**{"schema:jobTitle": "x", "urn:x:y": 1, "did:web:x#y": 1}),
    "compact and absolute types": person(type=["Person", "schema:Thing", "https://example.org/T"]),
    "compact reference": person(recipients=["dpv:x", "did:web:a.example"]),
    "text that looks like anything": person(name="@id", email="_:b0", description="a b\n\x00", url="no url"),
    "literals": person(
        name={"@value": "A", "@language": "de-CH"},
        birthDate={"@value": "1990-05-01", "@type": "xsd:date"},
        height={"@value": 1.5},
    ),
    "empty list": {"@context": FREEHOLD, "type": "ReleasedPage", "items": []},
    "json": person(where={"anything": [None, [1], {"@id": "x y"}], "_:b": None}),
    "signed": sign_document(person(), KEY, created_s=1_795_000_000),
    "page of signed": {
        "@context": FREEHOLD,
        "type": "ReleasedPage",
        "items": [sign_document(person(id="urn:freehold:z1"), KEY)],
        "proof": {"@context": FREEHOLD, **PROOF},
    },
    "capability with its parent": capability(
        [ZCAP, DATA_INTEGRITY], ["urn:zcap:root:x", capability([ZCAP, DATA_INTEGRITY], ["urn:zcap:root:x"])]
    ),
    "parent of another suite": mixed(ED25519_2020, DATA_INTEGRITY),
    "parent of the other suite": mixed(DATA_INTEGRITY, ED25519_2020),
    "parents of suites in turn": mixed(DATA_INTEGRITY, ED25519_2020, DATA_INTEGRITY, ED25519_2020),
    "proof of a capability with a parent of another suite": {
        "@context": [ZCAP, ED25519_2020],
        **mixed(DATA_INTEGRITY, ED25519_2020)["proof"],
    },
    "credential": {
        "@context": CREDENTIALS,
        "type": ["VerifiableCredential"],
        "issuer": "https://issuer.example",
        "credentialSubject": {"id": "did:example:a", "name": "A"},
        "proof": PROOF,
    },
    "language map": {"@context": ACTIVITY, "type": "Note", "contentMap": {"en": "a", "de": ["b", "c"]}},
    "did document": {
        "@context": [DID_V1, MULTIKEY],
        "id": KEY.did,
        "verificationMethod": [
            {"id": KEY.method, "type": "Multikey", "controller": KEY.did, "publicKeyMultibase": "z6"}
        ],
        "assertionMethod": [KEY.method],
        "service": {"id": "did:x:y#s", "type": "urn:x:S", "serviceEndpoint": "https://a.example"},
    },
}


@pytest.mark.parametrize("name", PASSES)
def test_passes(name: str) -> None:
    check_terms(PASSES[name])
    assert_nothing_is_lost(PASSES[name])


UNDEFINED: dict[str, dict[str, Any]] = {
    "key": person(nmae="A"),
    "key of another case": person(Name="A"),
    "empty key": person(**{"": "A"}),
    "relative key": person(**{"a/b": "A"}),
    "nested key": person(address={"postalCod": "1"}),
    "key in an array": person(address=[{"postalCode": "1"}, {"zip": "1"}]),
    "key deep down": person(knows={"knows": [{"knows": {"knows": {"nmae": "A"}}}]}),
    "key in a list": {"@context": FREEHOLD, "type": "ReleasedPage", "items": [{"type": "Person", "x": 1}]},
    "undeclared prefix": person(**{"foaf:name": "A"}),
    "prefix misspelt": person(**{"dvp:hasPurpose": "A"}),
    "term as a prefix": person(**{"name:x": "A"}),
    "blank node's key": person(**{"_:b": "A"}),
    "key that is no IRI": person(**{"https://example.org/a b": "A"}),
    "key with a newline": person(**{"https://example.org/a\n": "A"}),
    "compact key that is no IRI": person(**{"schema:a b": "A"}),
    "term with a newline": person(**{"name\n": "A"}),
    "type": person(type="Persn"),
    "second type": person(type=["Person", "Persn"]),
    "type that is a keyword": person(type="id"),
    "type @json": person(type="@json"),
    "type of a blank node": person(type="_:T"),
    "nested type": person(address={"type": "Adress", "postalCode": "1"}),
    "purpose": person(purpose="Marketing"),
    "purpose of no prefix": person(purpose=["dvp:Marketing"]),
    "purpose that is a keyword": person(purpose="type"),
    "purpose that looks like one": person(purpose="@vocab"),
    "proof's member": person(proof={**PROOF, "jws": "x"}),
    "proof's member outside": person(cryptosuite="x"),
    "proof's member in an untyped proof": person(proof={"cryptosuite": "x", "nonce": "n"}),
    "proof's member under the type's IRI": person(
        proof={**PROOF, "type": "https://w3id.org/security#DataIntegrityProof"}
    ),
    "proof's member below the proof": person(proof={**PROOF, "knows": {"cryptosuite": "x"}}),
    "proof's purpose": person(proof={**PROOF, "proofPurpose": "marketing"}),
    "item's type": person(permission=[{"items": [{"type": "Persn", "fields": ["name"]}]}]),
    "item's member outside": person(recordType="Person"),
    "literal's type": person(birthDate={"@value": "1990", "@type": "date"}),
    "literal's keyword": person(birthDate={"@value": "1990", "@type": "@json"}),
    "member of a credential outside": {"@context": CREDENTIALS, "type": "urn:x:T", "issuer": "did:x:y"},
    "member of a presented credential": {
        "@context": CREDENTIALS,
        "type": "VerifiablePresentation",
        "verifiableCredential": {"type": "VerifiableCredential"},
    },
    "member of a service": {"@context": DID_V1, "id": "did:x:y", "serviceEndpoint": "https://a.example"},
    "what @vocab would swallow": {"@context": ACTIVITY, "type": "Note", "nmae": "A"},
    "type that @vocab would swallow": {"@context": ACTIVITY, "type": "Note2", "name": "A"},
}


@pytest.mark.parametrize("name", UNDEFINED)
def test_undefined_terms_are_refused(name: str) -> None:
    with pytest.raises(UndefinedTermError):
        check_terms(UNDEFINED[name])


MALFORMED: dict[str, Any] = {
    "array": [person()],
    "null": None,
    "no context": {"type": "Person", "name": "A"},
    "null context": person(**{"@context": None}),
    "number for a context": person(**{"@context": 1}),
    "no contexts": person(**{"@context": []}),
    "too many contexts": person(**{"@context": [FREEHOLD, ZCAP, DATA_INTEGRITY, MULTIKEY, DID_V1]}),
    "context twice": person(**{"@context": [FREEHOLD, FREEHOLD]}),
    "inline context": person(**{"@context": {"name": "https://schema.org/name"}}),
    "inline context beside ours": person(**{"@context": [FREEHOLD, {"nmae": "https://schema.org/name"}]}),
    "null in contexts": person(**{"@context": [FREEHOLD, None]}),
    "contexts nested": person(**{"@context": [[FREEHOLD]]}),
    "contexts that disagree": person(**{"@context": [FREEHOLD, ACTIVITY]}),
    "context below": person(address={"@context": {"zip": "schema:postalCode"}, "zip": "1"}),
    "other context below": person(address={"@context": ZCAP, "controller": "did:x:y"}),
    "null context below": person(address={"@context": None, "postalCode": "1"}),
    "same context, other spelling": person(address={"@context": [FREEHOLD], "postalCode": "1"}),
    "same context inside a property's": {
        "@context": DID_V1,
        "id": "did:x:y",
        "service": {"@context": DID_V1, "id": "did:x:y#s"},
    },
    "context with a literal": person(name={"@context": FREEHOLD, "@value": "A"}),
    "parent under other contexts": capability(
        [ZCAP, DATA_INTEGRITY], ["urn:zcap:root:x", {**mixed(DATA_INTEGRITY), "@context": ZCAP}]
    ),
    "parent under them the other way round": capability(
        [ZCAP, DATA_INTEGRITY],
        ["urn:zcap:root:x", {**mixed(DATA_INTEGRITY), "@context": [DATA_INTEGRITY, ZCAP]}],
    ),
    "parent under more contexts": capability(
        [ZCAP, DATA_INTEGRITY],
        ["urn:zcap:root:x", {**mixed(DATA_INTEGRITY), "@context": [ZCAP, DATA_INTEGRITY, MULTIKEY]}],
    ),
    "parent under a context of its own": capability(
        [ZCAP, DATA_INTEGRITY], ["urn:zcap:root:x", {**mixed(DATA_INTEGRITY), "@context": {"a": "urn:a"}}]
    ),
    "capability inside something else": person(knows=mixed(DATA_INTEGRITY)),
    "capability inside something else of its contexts": {
        **mixed(DATA_INTEGRITY),
        "@context": [ZCAP, DATA_INTEGRITY, MULTIKEY],
        "caveat": mixed(ED25519_2020),
    },
    "null value": person(email=None),
    "null in an array": person(email=["a", None]),
    "null below": person(address={"postalCode": None}),
    "null type": person(type=None),
    "null id": person(id=None),
    "no types": person(type=[]),
    "number for a type": person(type=1),
    "null in types": person(type=["Person", None]),
    "object for a type": person(type={"id": "schema:Person"}),
    "type twice": person(**{"@type": "Person"}),
    "id twice": person(**{"id": "urn:x:1", "@id": "urn:x:2"}),
    "array in an array": person(email=[["a"]]),
    "array in a list": {"@context": FREEHOLD, "type": "ReleasedPage", "items": [[{"type": "Person"}]]},
    "empty array": person(email=[]),
    "says nothing": {"@context": FREEHOLD},
    "says only its id": {"@context": FREEHOLD, "id": "urn:x:1"},
    "proof that says nothing": person(proof={}),
    "proof by reference": person(proof="urn:x:1"),
    "proof by id": person(proof={"id": "urn:x:1"}),
    "proof as a literal": person(proof={"@value": "z1"}),
    "document as a literal": {"@context": FREEHOLD, "@value": "A"},
    "integer": person(height=2**53),
    "negative integer": person(height=-(2**53)),
    "double of 17 digits": person(height=0.1 + 0.2),
    "infinity": person(height=float("inf")),
    "not a number": person(height=float("nan")),
    "no JSON": person(height=b"1"),
    "number for a reference": person(issuer=1),
    "true for a reference": person(recipients=[True]),
    "number for a purpose": person(purpose=[1]),
    "null literal": person(name={"@value": None}),
    "object literal": person(name={"@value": {"a": 1}}),
    "array literal": person(name={"@value": ["A"]}),
    "literal with an id": person(name={"@value": "A", "@id": "urn:x:1"}),
    "literal with a property": person(name={"@value": "A", "name": "B"}),
    "literal with an undefined term": person(name={"@value": "A", "nmae": "B"}),
    "literal with a direction": person(name={"@value": "A", "@direction": "rtl"}),
    "literal with an index": person(name={"@value": "A", "@index": "i"}),
    "literal of type and language": person(name={"@value": "A", "@type": "xsd:string", "@language": "de"}),
    "literal of types": person(name={"@value": "A", "@type": ["xsd:string"]}),
    "literal of null type": person(name={"@value": "A", "@type": None}),
    "literal of two types": person(name={"@value": "A", "@type": "xsd:string", "type": "xsd:string"}),
    "number in a language": person(name={"@value": 1, "@language": "de"}),
    "language that injects a triple": person(
        name={"@value": "1", "@language": 'en .\n<http://c> <http://q> "2"@en'}
    ),
    "language with a newline": person(name={"@value": "1", "@language": "en\n"}),
    "object for a language": person(name={"@value": "1", "@language": {"en": "de"}}),
    "null language": person(name={"@value": "1", "@language": None}),
    "language alone": person(name={"@language": "en"}),
    "language map of a bad tag": {"@context": ACTIVITY, "type": "Note", "contentMap": {"e n": "a"}},
    "language map of a null": {"@context": ACTIVITY, "type": "Note", "contentMap": {"en": None}},
    "language map of an object": {
        "@context": ACTIVITY,
        "type": "Note",
        "contentMap": {"en": {"@value": "a"}},
    },
    "language map of nothing": {"@context": ACTIVITY, "type": "Note", "contentMap": {"en": []}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_documents_are_refused(name: str) -> None:
    with pytest.raises(MalformedError) as raised:
        check_terms(MALFORMED[name])
    assert type(raised.value) is MalformedError


BAD_IDS = [
    "",
    "a",
    "a/b",
    "/a",
    "//example.org/a",
    "#a",
    "?a",
    "../a",
    "name",
    "_:",
    "_:b0",
    "@id",
    "@foo",
    ":a",
    "a:",
    "urn:x: y",
    "urn:x:y\n",
    "urn:x:\u00a0",
    "urn:x:\u2003",
    "https://example.org/\x1f",
    'https://example.org/"',
    "https://example.org/<",
    "https://example.org/a#b#c",
    "schema:a b",
    " urn:x:y",
]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_bad_ids_are_refused(bad: str) -> None:
    for document in (
        person(id=bad),
        person(**{"@id": bad}),
        person(knows={"id": bad}),
        person(knows=[{"id": "urn:x:1"}, {"id": bad, "name": "B"}]),
        person(recipients=["urn:x:1", bad]),
        person(issuer=bad),
        person(proof={**PROOF, "verificationMethod": bad}),
    ):
        with pytest.raises(MalformedError) as raised:
            check_terms(document)
        assert type(raised.value) is MalformedError
        assert len(bad) < 4 or bad not in str(raised.value), "an error text carries a value"


# fmt: off
KEYWORDS = [
    "@base", "@container", "@default", "@direction", "@embed", "@explicit", "@first", "@graph",
    "@import", "@included", "@index", "@json", "@language", "@list", "@nest", "@none",
    "@omitDefault", "@preserve", "@propagate", "@protected", "@requireAll", "@reverse", "@set",
    "@version", "@vocab", "@foo", "@Id", "@TYPE", "@", "@foo-bar", "@foo:bar",
]
# fmt: on


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_other_keywords_are_refused(keyword: str) -> None:
    for value in ("x", "en", ["x"], {"name": "B"}, {"en": "x"}, [], {}, None, 1):
        for document in (
            person(**{keyword: value}),
            person(address={keyword: value, "postalCode": "1"}),
            person(address={keyword: value}),
        ):
            with pytest.raises(MalformedError):
                check_terms(document)


@pytest.mark.parametrize("value", [1, "x", None, [], {}, {"id": "urn:x:1"}])
def test_a_term_without_a_meaning_is_refused_whatever_it_holds(value: Any) -> None:
    with pytest.raises(UndefinedTermError):
        check_terms(person(nmae=value))


def test_an_error_names_the_term_but_no_value() -> None:
    with pytest.raises(UndefinedTermError, match="'nmae'"):
        check_terms(person(nmae="A"))
    with pytest.raises(UndefinedTermError, match="'Persn'"):
        check_terms(person(type="Persn"))
    with pytest.raises(UndefinedTermError) as raised:
        check_terms(person(purpose="secret"))
    assert "secret" not in str(raised.value)


def test_another_context_is_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        check_terms(person(**{"@context": "https://schema.org"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYWORDS, *["@id", "@type", "@value", "id", "type", "name"]]), inner
        )
        | st.dictionaries(
            st.sampled_from(["name", "proof", "items", "permission", "where", "purpose", "issuer"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON)
def test_whatever_comes_passes_or_is_refused_by_name(value: Any, context: Any) -> None:
    documents = [value, {"@context": context, "name": value}, person(name=value), person(proof=value)]
    if isinstance(value, dict):
        documents.append({"@context": FREEHOLD, **value})
    for document in documents:
        with contextlib.suppress(FreeholdError):
            check_terms(document)


def test_a_document_is_not_changed() -> None:
    document = PASSES["page of signed"]
    before = repr(document)
    check_terms(document)
    assert repr(document) == before


def test_depth_needs_no_recursion() -> None:
    inner: dict[str, Any] = {"name": "A"}
    for _ in range(max(MAX_DEPTH, sys.getrecursionlimit()) + 100):
        inner = {"knows": inner}
    check_terms(person(knows=inner))


def test_scoped_contexts_in_each_other_make_no_new_ones() -> None:
    """A property's context stays in force below it: the same again must not grow the work or the caches."""
    from freehold_protocol import context_set

    inner: dict[str, Any] = {"id": "urn:x:end"}
    for _ in range(500):
        inner = {"service": [inner]}
    context_set._inside_property.cache_clear()
    check_terms({"@context": DID_V1, "id": "did:x:y", "service": inner})
    assert context_set._inside_property.cache_info().currsize <= 2


# What PyLD makes of a document that passes. This knows nothing of contexts: each text and each number of a
# generated document is unique, so that whatever is lost is missed.


def markers(value: Any) -> list[str]:
    """Every text and whole number of a document that must be found again, without a prefix."""
    if isinstance(value, dict):
        kept = value.keys() - {"@context", "type", "@type", "@language"}
        return [marker for key in kept for marker in markers(value[key])]
    if isinstance(value, list):
        return [marker for item in value for marker in markers(item)]
    if isinstance(value, bool | float) or value is None:
        return []
    return [str(value).rpartition(":")[2].strip()]


WHOLE = {"where", "publicKeyJwk", "privateKeyJwk", "jwk", "jsonSchema", "_sd"}  # become one JSON literal each


def statements(value: Any) -> int:
    """How many keys say something; each makes at least one quad."""
    if isinstance(value, dict):
        own = sum(key.lstrip("@") not in {"context", "id", "type", "value", "language"} for key in value)
        return own + sum(statements(item) for key, item in value.items() if key not in WHOLE)
    return sum(map(statements, value)) if isinstance(value, list) else 0


def assert_nothing_is_lost(document: dict[str, Any]) -> None:
    options = {
        "documentLoader": load_context,
        "contextResolver": ContextResolver({}, load_context),
        "expandContext": {"@vocab": "urn:lost:", "@base": "urn:relative:"},
    }
    dropped: list[Any] = []
    expanded = jsonld.expand(document, options, on_property_dropped=dropped.append)
    assert not dropped
    dataset = jsonld.to_rdf(expanded, {"documentLoader": load_context})
    quads = [quad for graph in dataset.values() for quad in graph]
    found = {quad[part]["value"] for quad in quads for part in ("subject", "predicate", "object")}
    found |= {quad["object"].get("datatype", "") for quad in quads}
    assert not [
        value for value in found if value.startswith(("urn:lost:", "urn:relative:", "http://example.org/"))
    ]
    all_found = "\n".join(sorted(found | dataset.keys()))
    assert not [marker for marker in markers(document) if marker not in all_found and marker not in TERMS]
    assert len(quads) >= statements(document)
    assert_read_as_by_pyld(document)


CONTEXTS: list[list[str]] = [
    [FREEHOLD],
    [FREEHOLD, DATA_INTEGRITY],
    [ZCAP, DATA_INTEGRITY],
    [ZCAP, ED25519_2020],
    [DID_V1, MULTIKEY],
    [CREDENTIALS],
    [CREDENTIALS, FREEHOLD],
    [CREDENTIALS_V1],
    [ACTIVITY],
    [SECURITY_V2],
    [JWS_2020],
]
JUNK_KEYS = [*KEYWORDS, "@id", "@type", "@value", "id", "type", "nmae", "_:b", "foo:bar", "schema:x", ""]
JUNK: list[Any] = [
    None,
    "",
    "_:b#",
    "rel#",
    "@type",
    "@foo#",
    "urn:x: #",
    "x:y#\n",
    "text #",
    [],
    {},
    [[]],
    1,
]


def definitions(context: Any, contexts: Contexts = BUNDLED) -> dict[str, Any]:
    """What a context says of each name, as written."""
    if isinstance(context, str):
        return definitions(contexts.load(context)["document"]["@context"])
    if isinstance(context, list):
        return {name: value for part in context for name, value in definitions(part, contexts).items()}
    named = (context or {}).items()
    return {
        name: value if isinstance(value, dict) else {"@id": value} for name, value in named if name[0] != "@"
    }


TERMS = {name for urls in CONTEXTS for name in definitions(urls)} | {"assertionMethod", "keyAgreement"}


class Writer:
    """Writes a document at random, mostly from terms that are defined where it uses them."""

    def __init__(self, seed: int, choices: list[list[str]] = CONTEXTS, contexts: Contexts = BUNDLED) -> None:
        self.random, self.choices, self.contexts = random.Random(seed), choices, contexts
        self.junk = self.random.choice([0.0, 0.0, 0.05])
        self.counter = itertools.count(1_000_000)

    def document(self) -> dict[str, Any]:
        urls = self.random.choice(self.choices)
        named = urls if len(urls) > 1 or self.random.random() < 0.5 else urls[0]
        return {**self.node(definitions(urls, self.contexts), depth=3), "@context": named}

    def node(self, known: dict[str, Any], *, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        inner = dict(known)
        classes = [name for name in known if name[0].isupper()]
        if classes and self.random.random() < 0.7:
            scoped = [name for name in classes if "@context" in known[name]] or classes
            made["type"] = self.random.sample(scoped, self.random.choice([1, 1, 1, min(2, len(scoped))]))
            for name in made["type"]:
                inner |= definitions(known[name].get("@context"))
        if self.random.random() < 0.3:
            made["id"] = self.unique("urn:x:#")
        fields = [name for name in inner if name[0].islower() and name not in {"id", "type"}]
        for name in self.random.sample(fields, min(self.random.randint(1, 4), len(fields))):
            made[name] = self.value(inner[name], known, depth=depth)
        if self.random.random() < self.junk:
            made[self.random.choice(JUNK_KEYS)] = self.unique(self.random.choice(JUNK))
        return made

    def value(self, definition: dict[str, Any], known: dict[str, Any], *, depth: int) -> Any:
        if self.random.random() < self.junk:
            return self.unique(self.random.choice(JUNK))
        if self.random.random() < 0.2 and depth:
            return [self.one(definition, known, depth=depth) for _ in range(2)]
        return self.one(definition, known, depth=depth)

    def one(self, definition: dict[str, Any], known: dict[str, Any], *, depth: int) -> Any:
        known = {**known, **definitions(definition.get("@context"))}
        if self.random.random() < 0.5 and depth:
            return self.node(known, depth=depth - 1)
        kind = definition.get("@type")
        if kind == "@vocab":
            return self.random.choice([*known, self.unique("urn:x:#")])
        if kind == "@id":
            return self.unique(self.random.choice(["https://example.org/#", "did:x:#", "urn:x:#"]))
        about = self.random.choice([{"@type": "urn:x:T"}, {"@language": "de"}])
        literal = {"@value": self.unique("text #"), **about}
        return self.random.choice([self.unique("text #"), next(self.counter), literal])

    def unique(self, value: Any) -> Any:
        return value.replace("#", str(next(self.counter))) if isinstance(value, str) else value


@pytest.mark.parametrize("block", range(8))
def test_what_passes_loses_nothing(block: int) -> None:
    passed = 0
    for seed in range(block * 100, block * 100 + 100):
        document = Writer(seed).document()
        try:
            check_terms(document)
        except FreeholdError:
            continue
        passed += 1
        assert_nothing_is_lost(document)
    assert passed > 20


# What is read, held against PyLD, with values of every kind and under contexts that somebody added


DOUBLE = "http://www.w3.org/2001/XMLSchema#double"
VALUES: list[Any] = [
    *(1.5, 2.0, -0.0, 1e20, 1e21, 123456789.125, 7, True, False, ""),
    *({"@value": number, "@type": DOUBLE} for number in (1.5, 2.0, 3)),
    *({"@value": value, "@type": "urn:x:T"} for value in (True, 1.25, 2.0, 4, "x")),
    *({"@value": "x", "@language": "en-GB"}, {"@value": 1.5}),
]


class WriterOfAnything(Writer):
    """Writes more kinds of values, which assert_nothing_is_lost could not find again."""

    def one(self, definition: dict[str, Any], known: dict[str, Any], *, depth: int) -> Any:
        chance = self.random.random()
        if chance < 0.25 and definition.get("@type") not in {"@id", "@vocab"}:
            return self.random.choice(VALUES)
        return {"id": self.unique("urn:x:#")} if chance < 0.3 else super().one(definition, known, depth=depth)


@pytest.mark.parametrize("block", range(4))
def test_what_is_read_is_what_pyld_reads(block: int) -> None:
    read = sum(is_read_as_by_pyld(WriterOfAnything(seed)) for seed in range(block * 100, block * 100 + 100))
    assert read > 20


@pytest.mark.vectors
def test_what_is_read_under_published_contexts_is_what_pyld_reads(vectors: Path) -> None:
    documents = published(vectors)
    contexts = Contexts({url: documents[url] for url in documents.keys() - BUNDLED.known})
    choices = [[url] for url in sorted(contexts.added)] + [
        [CREDENTIALS, CITIZENSHIP],
        [CREDENTIALS, EXAMPLES],
    ]
    read = [is_read_as_by_pyld(WriterOfAnything(seed, choices, contexts)) for seed in range(300)]
    assert sum(read) > 80


def is_read_as_by_pyld(writer: Writer) -> bool:
    """Whether a random document passes; if so, it must be read as PyLD reads it."""
    document = writer.document()
    try:
        check_terms(document, writer.contexts)
    except FreeholdError:
        return False
    assert_read_as_by_pyld(document, writer.contexts)
    return True
