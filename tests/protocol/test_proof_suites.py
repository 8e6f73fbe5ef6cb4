"""Proofs over canonical RDF, sets and chains: the W3C's examples step by step, and what must not verify."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.contexts import BUNDLED, FREEHOLD, Contexts
from freehold_protocol.encoding import Document, multibase_encode, parse_time
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    SignatureError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_protocol.keys import PublicKey, SigningKey
from freehold_protocol.proof import (
    CAPABILITY_SUITES,
    DOCUMENT_SUITES,
    ED25519_2020,
    JCS,
    RDFC,
    Suite,
    add_proof,
    hash_to_sign,
    read_claim,
    read_claims,
    sign_document,
    verify_document,
    verify_proofs,
    verify_signed_by,
)
from freehold_protocol.rdf import canonical_rdf
from published import contexts_of_examples
from signed_documents import NOW_S, PARTNER, STRANGER, VENDOR, survivors, with_member, without_member

UNSIGNED: Document = {"@context": FREEHOLD, "type": "Person", "name": "Ada", "knows": [{"name": "Bo"}]}
SIGNED = sign_document(UNSIGNED, VENDOR, created_s=NOW_S, suite=RDFC)
Count = Callable[..., None]


class Published:
    """The examples of vc-di-eddsa."""

    def __init__(self, vectors: Path) -> None:
        self.folder = vectors / "vc-di-eddsa" / "TestVectors"
        self.contexts = contexts_of_examples(vectors)
        self.key = SigningKey.from_multikey(self.json("keyPair.json")["privateKeyMultibase"])
        pairs = self.json("proof-set-chain/multiKeyPairs.json").values()
        self.keys = [SigningKey.from_multikey(pair["privateKeyMultibase"]) for pair in pairs]

    def text(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()  # as it is: no line end is translated

    def json(self, name: str) -> Any:
        return json.loads(self.text(name))


@pytest.fixture(scope="module")
def case(vectors: Path) -> Published:
    return Published(vectors)


SINGLE = [
    ("eddsa-rdfc-2022", "DataInt", "unsigned.json", RDFC),
    ("eddsa-rdfc-2022/employ", "DataInt", "employmentAuth.json", RDFC),
    ("Ed25519Signature2020", "EdSig", None, ED25519_2020),
    ("eddsa-jcs-2022", "JCS", "unsigned.json", JCS),
]


@pytest.mark.vectors
@pytest.mark.parametrize(("folder", "ending", "unsigned", "suite"), SINGLE, ids=lambda one: str(one))
def test_the_w3c_s_single_proofs_step_by_step(
    case: Published, count_vectors: Count, folder: str, ending: str, unsigned: str | None, suite: Suite
) -> None:
    def step(name: str) -> str:
        return case.text(f"{folder}/{name}{ending}.txt").strip()

    signed = case.json(f"{folder}/signed{ending}.json")
    claim = read_claim(signed, suites=CAPABILITY_SUITES)
    assert claim.suite == suite
    assert claim.options == case.json(f"{folder}/proofConfig{ending}.json")
    if unsigned is not None:
        assert claim.unsigned == case.json(unsigned)

    def canonical(document: Document) -> bytes:
        return jcs(document) if suite == JCS else canonical_rdf(document, contexts=case.contexts)

    for document, form, digest in (
        (claim.unsigned, "canonDoc", "docHash"),
        (claim.options, "proofCanon", "proofHash"),
    ):
        assert canonical(document).decode().strip() == step(form)
        assert hashlib.sha256(canonical(document)).hexdigest() == step(digest)
    if suite != JCS:
        assert canonical(claim.unsigned).decode() == case.text(f"{folder}/canonDoc{ending}.txt"), "line ends"
    hashed = claim.hash_to_sign(case.contexts)
    assert hashed.hex() == step("combinedHash")
    assert case.key.sign(hashed).hex() == step("sigHex")
    assert multibase_encode(case.key.sign(hashed)) == step("sigBTC58")

    verified = verify_document(signed, suites=CAPABILITY_SUITES, contexts=case.contexts)
    assert (verified.key, verified.method) == (case.key.public, case.key.method)
    assert (verified.suite, verified.signed) == (suite, hashed)
    assert verified.created_s == parse_time("2023-02-24T23:36:38Z")
    if suite != ED25519_2020:
        again = sign_document(
            claim.unsigned, case.key, created_s=verified.created_s, suite=suite, contexts=case.contexts
        )
        assert again == signed
    if suite != JCS:  # counted where the hot path is tested
        count_vectors("vc-di-eddsa", 1)


@pytest.mark.vectors
@pytest.mark.parametrize(
    ("name", "signers"),
    [("ProofSet1", 1), ("ProofSet2", 2), ("ProofChain1", 3), ("ProofChain2", 4)],
)
def test_the_w3c_s_sets_and_chains(case: Published, count_vectors: Count, name: str, signers: int) -> None:
    signed = case.json(f"proof-set-chain/signed{name}.json")
    verified = verify_proofs(signed, contexts=case.contexts)
    assert [one.key for one in verified] == [key.public for key in case.keys[:signers]]
    assert len({one.signed for one in verified}) == signers
    proofs = signed["proof"] if isinstance(signed["proof"], list) else [signed["proof"]]
    made = case.json("proof-set-chain/unsigned.json")
    for proof, key in zip(proofs, case.keys, strict=False):
        previous = proof.get("previousProof", [])
        made = add_proof(
            made,
            key,
            created_s=parse_time(proof["created"]),
            suite=RDFC,
            proof_id=proof.get("id"),
            previous=[previous] if isinstance(previous, str) else previous,
            contexts=case.contexts,
        )
    assert made == signed
    count_vectors("vc-di-eddsa", signers)


@pytest.mark.vectors
def test_a_chain_s_proofs_sign_the_published_documents(case: Published) -> None:
    """What stands in ``proof`` while a proof of a chain is made: the proofs before it, with their values."""
    signed = case.json("proof-set-chain/signedProofChain2.json")
    *_, third, fourth = read_claims(signed)
    assert third.unsigned == case.json("proof-set-chain/proofChainTempDoc1.json")
    assert fourth.unsigned == case.json("proof-set-chain/proofChainTempDoc2.json")


@pytest.mark.vectors
@pytest.mark.parametrize("name", ["eddsa-rdfc-2022/employ/signedDataInt", "Ed25519Signature2020/signedEdSig"])
def test_no_mutation_of_the_w3c_s_verifies(case: Published, name: str) -> None:
    def check(document: Document) -> None:
        verify_document(document, suites=CAPABILITY_SUITES, contexts=case.contexts)

    assert survivors(case.json(f"{name}.json"), check, at_least=50) == []


@pytest.mark.vectors
def test_no_mutation_of_a_chain_verifies(case: Published) -> None:
    signed = case.json("proof-set-chain/signedProofChain1.json")

    def check(document: Document) -> None:
        verified = verify_proofs(document, contexts=case.contexts)
        if {one.key for one in verified} < {key.public for key in case.keys[:3]}:
            raise SignatureError("one who must have signed has not")

    assert survivors(signed, check, at_least=80) == []


@pytest.mark.vectors
@pytest.mark.parametrize("folder", ["eddsa-rdfc-2022", "eddsa-rdfc-2022/employ", "Ed25519Signature2020"])
def test_without_its_contexts_nothing_is_verified(case: Published, folder: str) -> None:
    ending = "EdSig" if folder.startswith("Ed25519") else "DataInt"
    with pytest.raises(UnsupportedError, match="nothing is fetched"):
        verify_document(case.json(f"{folder}/signed{ending}.json"), suites=CAPABILITY_SUITES)


# Capabilities that Digital Bazaar's client signed


@pytest.mark.vectors
@pytest.mark.parametrize(
    ("name", "suite"),
    [("04-delegated-get-jcs", JCS), ("07-delegated-get-rdfc", RDFC), ("10-delegated-get-2020", ED25519_2020)],
)
def test_capabilities_of_ezcap(vectors: Path, name: str, suite: Suite) -> None:
    case = json.loads((vectors / "zcap" / f"{name}.json").read_text("utf-8"))
    document, user = case["decoded_capability"], PublicKey.from_did(case["keys"]["user"]["did"])
    verified = verify_document(document, purpose="capabilityDelegation", suites=CAPABILITY_SUITES)
    assert (verified.key, verified.suite) == (user, suite)

    def check(changed: Document) -> None:
        verify_document(changed, purpose="capabilityDelegation", suites=CAPABILITY_SUITES)

    assert survivors(document, check, at_least=40) == []
    if suite == ED25519_2020:
        with pytest.raises(UnsupportedError):
            verify_document(document, purpose="capabilityDelegation")


CAPABILITY: Document = {
    "@context": ["https://w3id.org/zcap/v1", "https://w3id.org/security/data-integrity/v2"],
    "id": "urn:uuid:1",
    "controller": VENDOR.did,
    "parentCapability": "urn:zcap:root:x",
    "invocationTarget": "https://node.example/g/1",
    "allowedAction": ["read", "answer"],
    "expires": "2026-12-01T00:00:00Z",
}


def delegated(parent: Document | None, number: int, **members: Any) -> Document:
    before = [] if parent is None else parent["proof"]["capabilityChain"]
    ids = [one if isinstance(one, str) else one["id"] for one in before]
    chain: list[str | Document] = ["urn:zcap:root:x"] if parent is None else [*ids, parent]
    unsigned = CAPABILITY | {"id": f"urn:uuid:{number}"} | members
    if parent is not None:
        unsigned["parentCapability"] = parent["id"]
    return sign_document(
        unsigned, VENDOR, purpose="capabilityDelegation", created_s=NOW_S, chain=chain, suite=RDFC
    )


def test_a_chain_of_nine_links_is_canonical_as_rdf_canonize_has_it() -> None:
    """The lists inside embedded proofs are alike, and pyoxigraph names them otherwise from the fourth link on."""
    link: Document | None = None
    digests = []
    for number in range(1, 10):
        link = delegated(link, number)
        claim = read_claim(link, purpose="capabilityDelegation")
        digests.append(hashlib.sha256(canonical_rdf(claim.options)).hexdigest()[:16])
        verify_document(link, purpose="capabilityDelegation")
    assert digests == RDF_CANONIZE


RDF_CANONIZE = [
    *("cd7d5d842757cdc8", "e78d09d810ec60a2", "fe9afd119235e3af", "dc792e3541359849", "c654e113a611ec04"),
    *("b9530eb0c5ac0f1e", "7abc4d9b01faba4a", "e11d845b0c4e2420", "49d0707f30ade3cb"),
]
"""What rdf-canonize 5.0.0 makes of the proof options of the nine links: SHA-256, the first 16 digits."""


# What is signed


@pytest.mark.parametrize("suite", DOCUMENT_SUITES)
@pytest.mark.parametrize("created_s", [None, NOW_S])
def test_what_is_signed_verifies(suite: Suite, created_s: int | None) -> None:
    before = json.dumps(UNSIGNED)
    signed = sign_document(UNSIGNED, VENDOR, created_s=created_s, suite=suite)
    assert json.dumps(UNSIGNED) == before
    verified = verify_signed_by(signed, VENDOR.public)
    assert (verified.suite, verified.created_s) == (suite, created_s)
    assert ("@context" in signed["proof"]) == (suite == JCS)
    assert without_proof(signed) == UNSIGNED


def test_no_mutation_verifies() -> None:
    assert survivors(SIGNED, verify_document, at_least=25) == []


SPELLINGS: list[Document] = [
    {name: SIGNED[name] for name in reversed(SIGNED)},
    {("@type" if name == "type" else name): value for name, value in SIGNED.items()},
    {("schema:name" if name == "name" else name): value for name, value in SIGNED.items()},
    {("https://schema.org/name" if name == "name" else name): value for name, value in SIGNED.items()},
    {**SIGNED, "type": ["Person"]},
    {**SIGNED, "@context": [FREEHOLD]},
    {**SIGNED, "knows": {"name": "Bo"}},
    {**SIGNED, "name": ["Ada", "Ada"]},
    {**SIGNED, "name": {"@value": "Ada"}},
    {**SIGNED, "proof": {**SIGNED["proof"], "@context": FREEHOLD}},
]


@pytest.mark.parametrize("document", SPELLINGS, ids=str)
def test_every_spelling_of_one_content_has_the_same_bytes_signed(document: Document) -> None:
    """So a capability that was revoked is revoked however its JSON is spelled."""
    assert jcs(document) != jcs(SIGNED) or document == SIGNED
    assert verify_document(document).signed == verify_document(SIGNED).signed


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"nmae": "Ada"}, UndefinedTermError),
        ({"name": None}, MalformedError),
        ({"id": "urn:x: y"}, MalformedError),
        ({"id": "relative"}, MalformedError),
        ({"@context": []}, MalformedError),
        ({"@context": "https://example.org/context"}, UnsupportedError),
        ({"@context": {"name": "urn:x:name"}}, MalformedError),
        ({"name": float("nan")}, MalformedError),
        ({"name": "\ud800"}, MalformedError),
    ],
)
def test_what_would_be_lost_is_neither_signed_nor_verified(
    change: Document, error: type[FreeholdError]
) -> None:
    for process in (
        lambda: sign_document(UNSIGNED | change, VENDOR, suite=RDFC),
        lambda: verify_document(SIGNED | change),
    ):
        with pytest.raises(FreeholdError) as raised:
            process()
        assert type(raised.value) is error


def test_a_document_without_a_context_has_no_canonical_rdf() -> None:
    with pytest.raises(MalformedError):
        sign_document({"a": 1}, VENDOR, suite=RDFC)
    assert verify_document(sign_document({"a": 1}, VENDOR)).suite == JCS


def test_the_old_suite_is_verified_and_never_issued() -> None:
    with pytest.raises(ValueError, match="never issued"):
        sign_document(UNSIGNED, VENDOR, suite=ED25519_2020)
    with pytest.raises(ValueError, match="never issued"):
        add_proof(UNSIGNED, VENDOR, suite=ED25519_2020)


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("proof.cryptosuite", JCS, SignatureError),
        ("proof.cryptosuite", "ecdsa-rdfc-2019", UnsupportedError),
        ("proof.cryptosuite", None, UnsupportedError),
        ("proof.type", "Ed25519Signature2020", UnsupportedError),
        ("proof.type", ["DataIntegrityProof"], UnsupportedError),
        ("proof.type", "Ed25519Signature2018", UnsupportedError),
        ("proof.@context", "https://w3id.org/security/v2", SignatureError),
        ("proof.@context", None, SignatureError),
        ("proof.id", "urn:x:1", MalformedError),
        ("proof.previousProof", "urn:x:1", MalformedError),
        ("proof.domain", "shop.example", MalformedError),
        ("proof.nonce", "n", MalformedError),
        ("proof.verificationMethod", STRANGER.method, SignatureError),
        ("proof.proofPurpose", "authentication", SignatureError),
        ("proof.created", "2026-11-23T12:00:01Z", SignatureError),
    ],
)
def test_wrong_proofs(path: str, value: Any, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        verify_document(with_member(SIGNED, path, value))
    assert type(raised.value) is error


@pytest.mark.parametrize("suite", CAPABILITY_SUITES)
def test_only_the_suites_asked_for_are_looked_at(suite: Suite) -> None:
    others = tuple(one for one in CAPABILITY_SUITES if one != suite)
    options: Document = {"type": suite} if suite == ED25519_2020 else {
        "type": "DataIntegrityProof", "cryptosuite": suite
    }  # fmt: skip
    options |= {"verificationMethod": VENDOR.method, "proofPurpose": "assertionMethod", "proofValue": "z1"}
    with pytest.raises(UnsupportedError, match="only these proofs"):
        verify_document({**UNSIGNED, "proof": options}, suites=others)


def test_a_proof_of_the_old_suite_does_not_say_it_is_another() -> None:
    """``cryptosuite`` beside the old type would be a member that nobody reads."""
    proof = {**SIGNED["proof"], "type": ED25519_2020}
    with pytest.raises(MalformedError, match="other members"):
        verify_document({**UNSIGNED, "proof": proof}, suites=CAPABILITY_SUITES)


# Keys that are not did:key


WEB = "did:web:shop.example#key-1"


@pytest.mark.parametrize("suite", DOCUMENT_SUITES)
def test_a_method_is_mapped_to_its_key_by_who_asks(suite: Suite) -> None:
    signed = sign_document(UNSIGNED, VENDOR, suite=suite, method=WEB)
    verified = verify_document(signed, key_of={WEB: VENDOR.public}.__getitem__)
    assert (verified.key, verified.method) == (VENDOR.public, WEB)
    with pytest.raises(UnsupportedError):
        verify_document(signed)
    with pytest.raises(SignatureError):
        verify_document(signed, key_of=lambda _: STRANGER.public)


def test_the_key_is_asked_for_before_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knows whose proof it must be refuses another's at no cost."""

    def refuse(_: str) -> PublicKey:
        raise SignatureError("not the one who must sign")

    def work(*_: object, **__: object) -> bytes:
        pytest.fail("canonicalized for a key that is refused")

    monkeypatch.setattr("freehold_protocol.rdf.canonical_rdf", work)
    with pytest.raises(SignatureError, match="not the one"):
        verify_document(SIGNED, key_of=refuse)


# Sets and chains


def test_a_set_of_two_and_each_alone() -> None:
    one = add_proof(UNSIGNED, VENDOR, created_s=NOW_S)
    assert one == sign_document(UNSIGNED, VENDOR, created_s=NOW_S)
    both = add_proof(one, PARTNER, created_s=NOW_S)
    assert one["proof"] == both["proof"][0]
    verified = verify_proofs(both)
    assert [each.key for each in verified] == [VENDOR.public, PARTNER.public]
    assert verified[0] == verify_document(one)
    assert verify_proofs(one) == (verify_document(one),)
    for proof in both["proof"]:
        verify_document({**UNSIGNED, "proof": proof})
    with pytest.raises(MalformedError, match="exactly one"):
        verify_document(both)


@pytest.mark.parametrize("suites", [(JCS, JCS), (JCS, RDFC), (RDFC, JCS), (RDFC, RDFC)])
def test_a_chain_of_any_suites(suites: tuple[Suite, Suite]) -> None:
    first = add_proof(UNSIGNED, VENDOR, created_s=NOW_S, suite=suites[0], proof_id="urn:uuid:1")
    second = add_proof(first, PARTNER, suite=suites[1], previous=["urn:uuid:1"])
    assert [one.suite for one in verify_proofs(second)] == list(suites)
    assert survivors(second, both_signed, at_least=40) == []


def both_signed(document: Document) -> None:
    if {one.key for one in verify_proofs(document)} != {VENDOR.public, PARTNER.public}:
        raise SignatureError("one who must have signed has not")


def test_what_a_set_shows_of_a_proof_that_was_taken_away() -> None:
    both = add_proof(add_proof(UNSIGNED, VENDOR), PARTNER)
    (left,) = verify_proofs({**both, "proof": both["proof"][:1]})
    assert left.key == VENDOR.public, "nothing: so the caller asks who has signed"


def test_a_proof_in_the_middle_of_a_chain_cannot_go() -> None:
    first = add_proof(UNSIGNED, VENDOR, proof_id="urn:uuid:1")
    second = add_proof(first, PARTNER, proof_id="urn:uuid:2", previous=["urn:uuid:1"])
    third = add_proof(second, STRANGER, previous=["urn:uuid:2"])
    assert len(verify_proofs(third)) == 3
    one, two, three = third["proof"]
    for left in ([two, three], [one, three], [three]):
        with pytest.raises(SignatureError, match="not there"):
            verify_proofs({**UNSIGNED, "proof": left})
    resigned = add_proof(UNSIGNED, VENDOR, created_s=NOW_S, proof_id="urn:uuid:1")["proof"]
    with pytest.raises(SignatureError, match="does not verify"):
        verify_proofs({**UNSIGNED, "proof": [resigned, two, three]})
    assert verify_proofs({**UNSIGNED, "proof": [three, one, two]}), "in any order"


@pytest.mark.parametrize(
    ("proof", "error"),
    [
        (None, MalformedError),
        ([], MalformedError),
        (["z"], MalformedError),
        ([None], MalformedError),
        ([[SIGNED["proof"]]], MalformedError),
        ([SIGNED["proof"]] * (limits.MAX_PROOFS + 1), TooLargeError),
        ([{**SIGNED["proof"], "id": "urn:x:1"}] * 2, MalformedError),
        ([{**SIGNED["proof"], "previousProof": "urn:x:1"}], SignatureError),
        ([{**SIGNED["proof"], "id": "urn:x:1", "previousProof": "urn:x:1"}], SignatureError),
        ([{**SIGNED["proof"], "previousProof": []}], MalformedError),
        ([{**SIGNED["proof"], "previousProof": [1]}], MalformedError),
        ([{**SIGNED["proof"], "previousProof": None}], MalformedError),
        ([{**SIGNED["proof"], "previousProof": ["urn:x:1", "urn:x:1"]}], MalformedError),
        ([{**SIGNED["proof"], "id": 7}], MalformedError),
        ([{**SIGNED["proof"], "expires": "2030-01-01T00:00:00Z"}], MalformedError),
        ([SIGNED["proof"], {**SIGNED["proof"], "cryptosuite": "other"}], UnsupportedError),
        ([SIGNED["proof"], {**SIGNED["proof"], "proofPurpose": "authentication"}], SignatureError),
    ],
)
def test_wrong_sets(proof: Any, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        verify_proofs({**UNSIGNED, "proof": proof})
    assert type(raised.value) is error


def test_two_proofs_that_follow_each_other_never_verify() -> None:
    """Each would have to sign the other's value; what matters is that looking at them ends."""
    one = {**SIGNED["proof"], "id": "urn:x:1", "previousProof": "urn:x:2"}
    two = {**SIGNED["proof"], "id": "urn:x:2", "previousProof": "urn:x:1"}
    with pytest.raises(SignatureError):
        verify_proofs({**UNSIGNED, "proof": [one, two]})


def test_no_more_proofs_are_added_than_are_read() -> None:
    document = UNSIGNED
    for _ in range(limits.MAX_PROOFS):
        document = add_proof(document, VENDOR)
    assert len(verify_proofs(document)) == limits.MAX_PROOFS
    with pytest.raises(TooLargeError):
        add_proof(document, VENDOR)
    with pytest.raises(SignatureError, match="not there"):
        add_proof(UNSIGNED, VENDOR, previous=["urn:x:nobody"])


# What a context that somebody added can do, and cannot


def test_another_context_makes_another_signature() -> None:
    url = "https://example.org/v1"
    name = {"@context": {"name": "https://schema.org/name"}}
    title = {"@context": {"name": "https://schema.org/title"}}
    document: Document = {"@context": [url, "https://w3id.org/security/data-integrity/v2"], "name": "A"}
    signed = sign_document(document, VENDOR, suite=RDFC, contexts=Contexts({url: name}))
    verify_document(signed, contexts=Contexts({url: name}))
    with pytest.raises(SignatureError):
        verify_document(signed, contexts=Contexts({url: title}))
    with pytest.raises(UnsupportedError):
        verify_document(signed, contexts=BUNDLED)
    assert without_member(signed, "proof") == document


def test_hash_to_sign_is_by_suite() -> None:
    options = {"type": "DataIntegrityProof", "@context": FREEHOLD}
    assert hash_to_sign(UNSIGNED, options) == hash_to_sign(UNSIGNED, options, suite=JCS)
    assert hash_to_sign(UNSIGNED, options, suite=RDFC) != hash_to_sign(UNSIGNED, options)
