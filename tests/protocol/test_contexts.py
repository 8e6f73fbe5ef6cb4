"""The bundled contexts: that they are offline, and that ours say the same as the published ones."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import pytest
from freehold_protocol import form, limits
from freehold_protocol.active_context import EMPTY, ActiveContext, extend, extend_for_type
from freehold_protocol.contexts import (
    BUNDLED,
    FREEHOLD,
    Contexts,
    check_terms,
    is_term,
    known_contexts,
    load_context,
)
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    TooDeepError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_protocol.rdf import canonical_rdf
from pyld import BUNDLED_CONTEXTS, jsonld
from pyld.context_resolver import ContextResolver

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("FREEHOLD_VECTORS", ROOT.parent / "shared" / "vectors")) / "contexts"
ZCAP = "https://w3id.org/zcap/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
MULTIKEY = "https://w3id.org/security/multikey/v1"
ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"
OURS = {FREEHOLD, ZCAP, DATA_INTEGRITY, MULTIKEY, ED25519_2020}
DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo", "socketpair"):
        monkeypatch.setattr(socket, name, refuse)


def published(url: str, _options: object = None) -> dict[str, Any]:
    """Load as load_context, but what the publisher of a context put on the web."""
    index = json.loads((VECTORS / "index.json").read_text(encoding="utf-8"))
    (name,) = (entry["file"] for entry in index if entry["url"] == url)
    document = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": document,
    }


def expand(document: dict[str, Any], loader: Any = load_context) -> Any:
    resolver = ContextResolver({}, loader)  # of its own: PyLD's caches by URL across loaders
    return jsonld.expand(document, {"documentLoader": loader, "contextResolver": resolver})


def to_rdf(document: dict[str, Any], loader: Any = load_context) -> Any:
    resolver = ContextResolver({}, loader)
    return jsonld.to_rdf(document, {"documentLoader": loader, "contextResolver": resolver})


needs_published = pytest.mark.skipif(
    not VECTORS.exists(), reason="the published contexts are not in FREEHOLD_VECTORS"
)


class TestLoading:
    def test_known_contexts_are_ours_and_those_of_pyld(self) -> None:
        assert known_contexts() == OURS | set(BUNDLED_CONTEXTS)
        assert FREEHOLD == form.CONTEXT

    @pytest.mark.parametrize("url", sorted(known_contexts()))
    def test_loads(self, no_sockets: None, url: str) -> None:
        remote = load_context(url, {})
        assert remote["documentUrl"] == url
        assert remote["contextUrl"] is None
        assert "@context" in remote["document"]
        remote["document"].clear()
        assert "@context" in load_context(url)["document"], "a caller changed what others get"

    def test_every_file_of_the_package_is_loaded(self) -> None:
        shipped = {path.name for path in files("freehold_protocol").joinpath("contexts").iterdir()}
        assert len(shipped) == len(OURS)
        assert all(name.endswith(".jsonld") for name in shipped)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "https://schema.org",
            "https://schema.org/",
            "http://w3id.org/freehold/v1",
            "https://w3id.org/freehold/v1/",
            "https://w3id.org/freehold/v1#",
            "https://w3id.org/freehold/v2",
            "https://w3id.org/security/data-integrity/v1",
            "http://127.0.0.1:8080/context",
            "file:///etc/passwd",
            "../contexts/freehold-v1.jsonld",
            "freehold-v1.jsonld",
        ],
    )
    def test_unknown_url_is_refused(self, no_sockets: None, url: str) -> None:
        with pytest.raises(UnsupportedError):
            load_context(url)
        with pytest.raises(UnsupportedError):
            check_terms({"@context": url, "type": "Person"})
        with pytest.raises(UnsupportedError):
            check_terms({"@context": [FREEHOLD, url], "type": "Person"})

    @pytest.mark.parametrize(
        "context",
        [
            "http://127.0.0.1:8080/context",
            [FREEHOLD, "https://schema.org"],
            {"@import": "http://127.0.0.1:8080/context"},
            {"x": {"@id": "urn:x:x", "@context": "http://127.0.0.1:8080/context"}},
            {"Person": {"@id": "urn:x:x", "@context": {"@import": "http://127.0.0.1:8080/context"}}},
            "relative",
        ],
    )
    def test_pyld_with_our_loader_opens_no_socket(self, no_sockets: None, context: Any) -> None:
        document = {"@context": context, "@type": "Person", "x": {"y": 1}, "name": "A"}
        for process in (expand, to_rdf):
            with pytest.raises((jsonld.JsonLdError, ValueError)):
                process(document)
        with pytest.raises(FreeholdError):
            check_terms(document)

    def test_nothing_of_this_opens_a_socket(self, no_sockets: None) -> None:
        for url in sorted(known_contexts()):
            document = {"@context": url, "@id": "urn:x:1", "https://example.org/p": "x"}
            check_terms(document)
            assert len(to_rdf(document)["@default"]) == 1

    def test_checking_our_own_documents_does_not_load_pyld(self) -> None:
        code = (
            "import sys; from freehold_protocol.contexts import check_terms, is_term, known_contexts;"
            f"check_terms({{'@context': {FREEHOLD!r}, 'type': 'Person', 'name': 'A'}});"
            "assert is_term('name') and known_contexts();"
            "assert not {'pyld', 'lxml', 'aiohttp', 'socket'} & set(sys.modules), 'too much was imported'"
        )
        subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)


ROOT_CAPABILITY = "urn:zcap:root:https%3A%2F%2Fnode.example%2Fg%2F1"


def delegated(contexts: list[str], proof: dict[str, Any], *, chain: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "@context": contexts,
        "id": "urn:uuid:a5e2b8ee-7b0c-4e7c-9d10-3b1d1a1f0d11",
        "controller": DID,
        "parentCapability": ROOT_CAPABILITY,
        "invocationTarget": "https://node.example/g/1/delivery",
        "allowedAction": ["read", "answer"],
        "expires": "2026-12-01T00:00:00Z",
        "proof": {
            "created": "2026-11-23T12:00:00Z",
            "verificationMethod": f"{DID}#{DID.removeprefix('did:key:')}",
            "proofPurpose": "capabilityDelegation",
            "capabilityChain": chain,
            "proofValue": "z3FXQ",
            **proof,
        },
        **more,
    }


JCS = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022"}
PARENT = delegated(
    [ZCAP, DATA_INTEGRITY],
    JCS,
    chain=[ROOT_CAPABILITY],
    **{FREEHOLD + "#generation": "zGeneration"},
)
PROOFED = {
    "@context": [DATA_INTEGRITY],
    "id": "urn:uuid:1",
    "https://example.org/says": [1, True, "a", {"id": "urn:uuid:2"}],
    "proof": [
        {
            **JCS,
            "id": "urn:uuid:3",
            "created": "2026-11-23T12:00:00Z",
            "expires": "2026-11-24T12:00:00Z",
            "domain": "node.example",
            "challenge": "c",
            "nonce": "n",
            "previousProof": "urn:uuid:4",
            "verificationMethod": {"id": DID, "https://example.org/says": "a"},
            "proofPurpose": purpose,
            "proofValue": "z1",
        }
        for purpose in (
            "assertionMethod",
            "authentication",
            "capabilityInvocation",
            "capabilityDelegation",
            "keyAgreement",
        )
    ],
}
SAME = {
    "delegated": PARENT,
    "delegated-with-embedded-parent": delegated(
        [ZCAP, DATA_INTEGRITY],
        JCS,
        chain=[ROOT_CAPABILITY, "urn:uuid:0", PARENT],
        caveat=[{"type": FREEHOLD + "#Rate", FREEHOLD + "#reads": 5}],
    ),
    "delegated-by-2020-under-jcs": delegated(
        [ZCAP, ED25519_2020], {"type": "Ed25519Signature2020"}, chain=[ROOT_CAPABILITY, PARENT]
    ),
    "root": {
        "@context": ZCAP,
        "id": ROOT_CAPABILITY,
        "controller": [DID, DID + "#x"],
        "invocationTarget": "https://node.example/g/1",
    },
    "invocation-terms": {
        "@context": [ZCAP],
        "id": "urn:uuid:5",
        "capability": "urn:uuid:6",
        "capabilityAction": "read",
        "capabilityDelegation": [DID],
        "capabilityInvocation": DID,
        "delegator": DID,
        "invoker": DID,
        "publicAlias": DID,
        "referenceId": "r",
    },
    "proofed": PROOFED,
    "multikey": {
        "@context": MULTIKEY,
        "id": DID + "#k",
        "type": "Multikey",
        "controller": DID,
        "expires": "2027-01-01T00:00:00Z",
        "revoked": "2026-12-01T00:00:00Z",
        "publicKeyMultibase": "z6Mk",
        "secretKeyMultibase": "z3u2",
    },
}


def each_term(url: str) -> Iterator[dict[str, Any]]:
    """Yield a document for each term of a context, with a value that its type takes."""
    top = extend(EMPTY, url, lambda one: load_context(one)["document"]["@context"])
    for members in _each_member(top, depth=3):
        yield {"@context": url, "id": "urn:x:1", **members}


def _each_member(active: ActiveContext, *, depth: int) -> Iterator[dict[str, Any]]:
    for name, term in active.terms.items():
        if term.iri in {"@id", "@type"} or term.iri is None:
            continue
        if name[0].isupper():
            yield {"type": name}
            for inner in (
                _each_member(_scoped(active, term, extend_for_type), depth=depth - 1) if depth else ()
            ):
                yield {"type": name, **inner}
            continue
        yield {name: "urn:x:2"}
        for inner in (
            _each_member(_scoped(active, term, extend), depth=depth - 1) if depth and term.scope else ()
        ):
            yield {name: {"id": "urn:x:2", **inner}}


def _scoped(active: ActiveContext, term: Any, how: Any) -> ActiveContext:
    """What a term's own context adds, without what was there before."""
    if not term.scope or term.scope[0] is None:
        return EMPTY
    made = how(active, term.scope[0], load_context)
    return ActiveContext({name: one for name, one in made.terms.items() if active.terms.get(name) != one})


@needs_published
@pytest.mark.vectors
class TestSameAsPublished:
    @pytest.mark.parametrize("name", SAME)
    def test_documents_expand_the_same(self, name: str) -> None:
        ours, theirs = expand(SAME[name]), expand(SAME[name], published)
        assert ours == theirs
        assert len(json.dumps(ours)) > 100

    @pytest.mark.parametrize("url", [ZCAP, DATA_INTEGRITY, MULTIKEY, ED25519_2020])
    def test_every_definition_is_the_same(self, url: str, count_vectors: Callable[..., None]) -> None:
        count_vectors("contexts", 1)

        def load(which: str) -> Any:
            return load_context(which)["document"]["@context"]

        ours = extend(EMPTY, load(url), load).terms
        assert ours == extend(EMPTY, published(url)["document"]["@context"], load).terms

    @pytest.mark.parametrize("url", [ZCAP, DATA_INTEGRITY, MULTIKEY, ED25519_2020])
    def test_every_term_expands_the_same(self, url: str) -> None:
        """Each term, at the top and inside each type and property that brings in others, in PyLD's hands."""
        documents = list(each_term(url))
        assert len(documents) >= 6
        for document in documents:
            ours, theirs = expand(document), expand(document, published)
            assert ours == theirs, document
            assert ours, document

    @pytest.mark.parametrize("url", sorted(set(BUNDLED_CONTEXTS) - OURS))
    def test_what_pyld_bundles_is_what_is_published(
        self, url: str, count_vectors: Callable[..., None]
    ) -> None:
        count_vectors("contexts", 1)
        assert load_context(url)["document"] == published(url)["document"]

    def test_names_of_schema_org_are_schema_org_s(self) -> None:
        theirs = published("https://schema.org")["document"]["@context"]
        ours = extend(EMPTY, load_context(FREEHOLD)["document"]["@context"], load_context).terms
        names = {
            name: term.iri
            for name, term in ours.items()
            if (term.iri or "").startswith("https://schema.org/")
        }
        del names["schema"]
        assert len(names) > 90
        for name, iri in names.items():
            assert iri == f"https://schema.org/{name}"
            assert name in theirs, f"schema.org has no {name}"


class TestOurs:
    def test_can_stand_beside_published_contexts(self) -> None:
        for other in (DATA_INTEGRITY, ZCAP, MULTIKEY, ED25519_2020, "https://www.w3.org/ns/credentials/v2"):
            for both in ([FREEHOLD, other], [other, FREEHOLD]):
                document = {"@context": both, "type": "Person", "name": "A", "proof": {**JCS, "nonce": "n"}}
                check_terms(document)
                assert expand(document)[0]["@type"] == ["https://schema.org/Person"]

    @pytest.mark.parametrize(
        "name", ["name", "Person", "AccessRequest", "postalCode", "trackingNumber", "nonce", "proof"]
    )
    def test_is_term(self, name: str) -> None:
        assert is_term(name)

    @pytest.mark.parametrize("name", ["id", "type", "@id", "@context", "dpv", "schema", "schema:name", ""])
    def test_keywords_and_prefixes_are_no_terms(self, name: str) -> None:
        assert not is_term(name)

    @pytest.mark.parametrize("name", ["nmae", "Name", "proofValue", "recordType", "https://schema.org/name"])
    def test_is_no_term(self, name: str) -> None:
        assert not is_term(name)

    def test_an_item_does_not_claim_to_be_a_person(self) -> None:
        item = {"type": "Person", "about": "self", "fields": ["name"], "where": {"address.postalCode": "1"}}
        document = {
            "@context": FREEHOLD,
            "type": "AccessRequest",
            "permission": [{"name": "x", "items": [item], "purpose": ["dpv:Marketing"]}],
        }
        check_terms(document)
        (permission,) = expand(document)[0][FREEHOLD + "#permission"]
        (expanded,) = permission[FREEHOLD + "#items"][0]["@list"]
        assert "@type" not in expanded
        assert expanded[FREEHOLD + "#recordType"] == [{"@id": "https://schema.org/Person"}]
        assert expanded[FREEHOLD + "#where"] == [{"@type": "@json", "@value": {"address.postalCode": "1"}}]
        assert permission["https://w3id.org/dpv#hasPurpose"] == [{"@id": "https://w3id.org/dpv#Marketing"}]

    def test_a_page_s_items_are_what_they_say(self) -> None:
        document = {"@context": FREEHOLD, "type": "ReleasedPage", "items": [{"type": "Person", "name": "A"}]}
        check_terms(document)
        assert expand(document)[0][FREEHOLD + "#items"][0]["@list"][0]["@type"] == [
            "https://schema.org/Person"
        ]

    def test_the_specification_lists_every_term(self) -> None:
        page = (ROOT / "specs" / "vocabulary.md").read_text(encoding="utf-8")
        section = page.partition("## Terms")[2].partition("### Elsewhere")[0]
        listed = re.findall(r"`([A-Za-z]+)`", section)
        terms = {name for name in load_context(FREEHOLD)["document"]["@context"] if not name.startswith("@")}
        assert set(listed) == terms


URL = "https://example.org/contexts/v1"
A = "https://example.org/terms#"


def added(context: Any, url: str = URL) -> Contexts:
    return Contexts({url: {"@context": context}})


class TestAdded:
    def test_is_known_beside_the_bundled_ones(self, no_sockets: None) -> None:
        contexts = added({"a": A + "a"})
        assert contexts.known == known_contexts() | {URL}
        assert BUNDLED.known == known_contexts()
        assert contexts.load(URL)["document"] == {"@context": {"a": A + "a"}}
        assert contexts.load(FREEHOLD) == load_context(FREEHOLD)
        for context in (URL, [URL, FREEHOLD], [FREEHOLD, URL]):
            document = {"@context": context, "@id": "urn:x:1", "a": "x"}
            check_terms(document, contexts)
            assert canonical_rdf(document, contexts=contexts) == f'<urn:x:1> <{A}a> "x" .\n'.encode()
            with pytest.raises(UnsupportedError):
                check_terms(document)
            with pytest.raises(UnsupportedError):
                contexts.load(URL + "/other")

    def test_nobody_can_change_it_afterwards(self) -> None:
        given = {URL: {"@context": {"a": A + "a"}}}
        contexts = Contexts(given)
        given[URL]["@context"]["a"] = A + "b"
        contexts.load(URL)["document"]["@context"]["a"] = A + "c"
        assert contexts.load(URL)["document"]["@context"] == {"a": A + "a"}
        assert Contexts(given) != contexts
        assert json.loads(contexts.added[URL]) == {"@context": {"a": A + "a"}}

    def test_two_that_disagree_do_not_mix(self) -> None:
        one, other = added({"a": A + "one"}), added({"a": A + "other"})
        document = {"@context": URL, "@id": "urn:x:1", "a": "x"}
        for contexts, name in ((one, "one"), (other, "other"), (one, "one")):
            assert A + name in canonical_rdf(document, contexts=contexts).decode()

    @pytest.mark.parametrize(
        ("document", "error"),
        [
            (None, MalformedError),
            ([], MalformedError),
            ({}, MalformedError),
            ({"context": {}}, MalformedError),
            ({"@context": 1}, UnsupportedError),
            ({"@context": {"a": 1}}, UnsupportedError),
            ({"@context": {"@import": URL}}, UnsupportedError),
            ({"@context": {"@base": A}}, UnsupportedError),
            ({"@context": "http://127.0.0.1:8080/c"}, UnsupportedError),
            ({"@context": URL}, UnsupportedError),
            ({"@context": "other.jsonld"}, UnsupportedError),
            ({"@context": {"a": {"@id": A, "@context": "http://127.0.0.1:8080/c"}}}, UnsupportedError),
            ({"@context": {"a": {"@id": A, "@context": URL}}}, UnsupportedError),
            ({"@context": [{"a": {"@id": A, "@context": [{"b": {"@reverse": A}}]}}]}, UnsupportedError),
            ({"@context": {"a": {"@id": A, "@context": {"@import": A}}}}, UnsupportedError),
            ({"@context": {"@vocab": "terms#"}}, UnsupportedError),
            ({"@context": {"a": float("nan")}}, MalformedError),
            ({"@context": {"a": A + "x" * limits.MAX_CONTEXT_BYTES}}, TooLargeError),
            ({"@context": {f"a{number}": A for number in range(limits.MAX_MEMBERS + 1)}}, TooLargeError),
        ],
    )
    def test_what_is_not_understood_is_refused_at_once(
        self, no_sockets: None, document: Any, error: type[FreeholdError]
    ) -> None:
        with pytest.raises(FreeholdError) as raised:
            Contexts({URL: document})
        assert type(raised.value) is error

    def test_depth_ends_in_an_error(self) -> None:
        context: Any = {}
        for _ in range(limits.MAX_DEPTH):
            context = {"a": {"@id": A, "@context": context}}
        with pytest.raises(TooDeepError):
            added(context)

    @pytest.mark.parametrize("url", [FREEHOLD, ZCAP, "https://www.w3.org/ns/credentials/v2"])
    def test_what_is_bundled_is_not_replaced(self, url: str) -> None:
        with pytest.raises(MalformedError, match="not replaced"):
            added({"a": A}, url)

    @pytest.mark.parametrize(
        "url", ["", "x", "c.jsonld", "/c", "https://example.org/a b", "file:///c", "_:c"]
    )
    def test_a_context_has_an_absolute_url(self, url: str) -> None:
        with pytest.raises(MalformedError, match="absolute URL"):
            added({"a": A}, url)

    def test_there_are_not_too_many(self) -> None:
        many = {f"{URL}/{number}": {"@context": {"a": A}} for number in range(limits.MAX_ADDED_CONTEXTS + 1)}
        with pytest.raises(TooLargeError):
            Contexts(many)

    def test_it_may_build_on_bundled_ones(self) -> None:
        contexts = added([ZCAP, {"a": {"@id": A + "a", "@context": ZCAP}}])
        check_terms({"@context": URL, "id": "urn:x:1", "invoker": DID, "a": {"controller": DID}}, contexts)

    def test_a_vocabulary_ends_where_a_context_without_one_begins(self) -> None:
        contexts = added({"@vocab": A})
        document = {"@context": [URL, "https://www.w3.org/ns/activitystreams"], "id": "urn:x:1", "nmae": "x"}
        with pytest.raises(UndefinedTermError):
            check_terms(document, contexts)
        check_terms({"@context": [FREEHOLD, URL], "nmae": "x"}, contexts)

    @needs_published
    @pytest.mark.vectors
    def test_every_published_context_can_be_added(self, count_vectors: Callable[..., None]) -> None:
        index = json.loads((VECTORS / "index.json").read_text(encoding="utf-8"))
        more = {entry["url"] for entry in index} - known_contexts()
        contexts = Contexts({url: published(url)["document"] for url in more})
        assert contexts.known == {entry["url"] for entry in index} | OURS
        count_vectors("contexts", len(more))
