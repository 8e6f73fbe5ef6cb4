"""Proofs: the published case verified and made again byte by byte, every mutation, and every wrong form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.encoding import Document, multibase_decode, multibase_encode, parse_time
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    SignatureError,
    UnsupportedError,
)
from freehold_protocol.keys import PublicKey, SigningKey
from freehold_protocol.proof import Purpose, hash_to_sign, sign_document, verify_document, verify_signed_by
from hypothesis import given, settings
from signed_documents import NOW_S, STRANGER, VENDOR, json_values, spoiled, survivors, with_member

UNSIGNED: Document = {
    "@context": "https://w3id.org/freehold/v1",
    "type": "Person",
    "knows": [{"name": "Bo"}, 1],
}
SIGNED = sign_document(UNSIGNED, VENDOR, created_s=NOW_S)


# The published case


@pytest.fixture
def case(vectors: Path) -> Path:
    return vectors / "vc-di-eddsa" / "TestVectors"


def _published(case: Path, name: str) -> str:
    return (case / "eddsa-jcs-2022" / name).read_text("utf-8").strip()


@pytest.mark.vectors
def test_the_published_case_verifies_and_is_made_again(
    case: Path, count_vectors: Callable[..., None]
) -> None:
    signed = json.loads(_published(case, "signedJCS.json"))
    pair = json.loads((case / "keyPair.json").read_text("utf-8"))
    key = SigningKey.from_multikey(pair["privateKeyMultibase"])
    verified = verify_signed_by(signed, key.public)
    assert verified.created_s == parse_time("2023-02-24T23:36:38Z")

    unsigned = json.loads((case / "unsigned.json").read_text("utf-8"))
    options = json.loads(_published(case, "proofConfigJCS.json"))
    assert without_proof(signed) == unsigned
    assert jcs(unsigned).decode() == _published(case, "canonDocJCS.txt")
    assert jcs(options).decode() == _published(case, "proofCanonJCS.txt")
    assert hashlib.sha256(jcs(unsigned)).hexdigest() == _published(case, "docHashJCS.txt")
    assert hashlib.sha256(jcs(options)).hexdigest() == _published(case, "proofHashJCS.txt")
    assert hash_to_sign(unsigned, options).hex() == _published(case, "combinedHashJCS.txt")
    assert verified.signed.hex() == _published(case, "combinedHashJCS.txt")
    signature = key.sign(verified.signed)
    assert signature.hex() == _published(case, "sigHexJCS.txt")
    assert multibase_encode(signature) == _published(case, "sigBTC58JCS.txt")

    again = sign_document(unsigned, key, created_s=parse_time("2023-02-24T23:36:38Z"))
    assert again == signed
    assert jcs(again) == jcs(signed)
    count_vectors("vc-di-eddsa", 1)


@pytest.mark.vectors
def test_no_mutation_of_the_published_case_verifies(case: Path) -> None:
    signed = json.loads(_published(case, "signedJCS.json"))
    assert survivors(signed, verify_document, at_least=40) == []


# What is signed


@pytest.mark.parametrize("purpose", ["assertionMethod", "authentication", "capabilityDelegation"])
@pytest.mark.parametrize("created_s", [None, 0, NOW_S])
@pytest.mark.parametrize("chain", [None, ["urn:zcap:root:x"]])
def test_what_is_signed_verifies(purpose: Purpose, created_s: int | None, chain: list[Any] | None) -> None:
    before = json.dumps(UNSIGNED)
    signed = sign_document(UNSIGNED, VENDOR, purpose=purpose, created_s=created_s, chain=chain)
    assert json.dumps(UNSIGNED) == before
    verified = verify_signed_by(signed, VENDOR.public, purpose=purpose)
    assert verified.key == VENDOR.public
    assert verified.created_s == created_s
    options = without_value(signed["proof"])
    assert verified.signed == hash_to_sign(UNSIGNED, options)
    assert ("capabilityChain" in signed["proof"]) == (chain is not None)


def without_value(proof: Document) -> Document:
    return {name: value for name, value in proof.items() if name != "proofValue"}


def test_a_document_without_a_context_can_be_signed() -> None:
    signed = sign_document({"a": 1}, VENDOR)
    assert "@context" not in signed["proof"]
    verify_document(signed)


def test_the_same_content_gives_the_same_bytes() -> None:
    turned = {name: UNSIGNED[name] for name in reversed(UNSIGNED)}
    assert jcs(sign_document(turned, VENDOR)) == jcs(sign_document(UNSIGNED, VENDOR))
    assert "created" not in sign_document(UNSIGNED, VENDOR)["proof"]


def test_no_mutation_verifies() -> None:
    assert survivors(SIGNED, verify_document, at_least=30) == []


@settings(max_examples=150)
@given(spoiled(SIGNED))
def test_a_spoiled_document_ends_in_a_freehold_error(document: Document) -> None:
    try:
        verify_document(document)
    except FreeholdError:
        return
    assert jcs(document) == jcs(SIGNED)  # only the same again verifies, maybe with 1.0 for 1


@settings(max_examples=100)
@given(json_values)
def test_any_proof_ends_in_a_freehold_error(proof: Any) -> None:
    with pytest.raises(FreeholdError):
        verify_document({**UNSIGNED, "proof": proof})


# Wrong forms


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (UNSIGNED, MalformedError),
        ({**SIGNED, "proof": None}, MalformedError),
        ({**SIGNED, "proof": []}, MalformedError),
        ({**SIGNED, "proof": [SIGNED["proof"]]}, MalformedError),
        ({**SIGNED, "proof": [SIGNED["proof"], SIGNED["proof"]]}, MalformedError),
        ({**SIGNED, "proof": "z"}, MalformedError),
        (with_member(SIGNED, "proof.type", "Ed25519Signature2020"), UnsupportedError),
        (with_member(SIGNED, "proof.cryptosuite", "eddsa-rdfc-2022"), SignatureError),
        (with_member(SIGNED, "proof.cryptosuite", ["eddsa-jcs-2022"]), UnsupportedError),
        (with_member(SIGNED, "proof.cryptosuite", "ecdsa-jcs-2019"), UnsupportedError),
        (with_member(SIGNED, "proof.domain", "shop.example"), MalformedError),
        (with_member(SIGNED, "proof.expires", "2030-01-01T00:00:00Z"), MalformedError),
        (with_member(SIGNED, "proof.previousProof", "urn:x"), MalformedError),
        (with_member(SIGNED, "proof.id", "urn:x"), MalformedError),
        (with_member(SIGNED, "proof.proofPurpose", 1), MalformedError),
        (with_member(SIGNED, "proof.proofValue", None), MalformedError),
        (with_member(SIGNED, "proof.verificationMethod", {"id": VENDOR.method}), MalformedError),
        (with_member(SIGNED, "proof.verificationMethod", VENDOR.did), MalformedError),
        (with_member(SIGNED, "proof.verificationMethod", "did:web:shop.example#key-1"), UnsupportedError),
        (with_member(SIGNED, "proof.verificationMethod", "https://shop.example/key"), MalformedError),
        (with_member(SIGNED, "proof.verificationMethod", STRANGER.method), SignatureError),
        (with_member(SIGNED, "proof.created", "2026-11-23T12:00:00+00:00"), MalformedError),
        (with_member(SIGNED, "proof.created", None), MalformedError),
        (with_member(SIGNED, "proof.created", "2026-11-23T12:00:01Z"), SignatureError),
        (with_member(SIGNED, "proof.@context", [UNSIGNED["@context"]]), SignatureError),
        (with_member(SIGNED, "proof.@context", "https://w3id.org/security/v1"), SignatureError),
        (with_member(SIGNED, "@context", "https://w3id.org/security/v1"), SignatureError),
        (with_member(SIGNED, "proof.proofPurpose", "authentication"), SignatureError),
        (with_member(SIGNED, "proof.proofValue", SIGNED["proof"]["proofValue"][1:]), MalformedError),
        (with_member(SIGNED, "proof.proofValue", "z" + "1" * 300), MalformedError),
        (with_member(SIGNED, "proof.proofValue", "z111"), SignatureError),
        (with_member(SIGNED, "proof.proofValue", "z1" + SIGNED["proof"]["proofValue"][1:]), SignatureError),
        (with_member(SIGNED, "knows.1", float("nan")), MalformedError),
        (with_member(SIGNED, "knows.1", 2), SignatureError),
    ],
)
def test_wrong_forms(document: Document, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        verify_document(document)
    assert type(raised.value) is error


@pytest.mark.parametrize("name", ["type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"])
def test_a_proof_lacks_nothing(name: str) -> None:
    proof = {key: value for key, value in SIGNED["proof"].items() if key != name}
    with pytest.raises((MalformedError, UnsupportedError)):
        verify_document({**SIGNED, "proof": proof})


def test_a_proof_is_for_one_purpose_and_by_one_key() -> None:
    with pytest.raises(SignatureError, match="not made for"):
        verify_document(SIGNED, purpose="capabilityDelegation")
    delegating = sign_document(UNSIGNED, VENDOR, purpose="capabilityDelegation")
    with pytest.raises(SignatureError, match="not made for"):
        verify_document(delegating)
    with pytest.raises(SignatureError, match="another key"):
        verify_signed_by(SIGNED, STRANGER.public)
    with pytest.raises(SignatureError):
        verify_signed_by(with_member(SIGNED, "type", "Place"), VENDOR.public)


def test_a_signature_over_the_document_alone_is_none() -> None:
    """The proof's own members are under the signature: none can be exchanged afterwards."""
    digest = hashlib.sha256(jcs(UNSIGNED)).digest()
    forged = with_member(SIGNED, "proof.proofValue", multibase_encode(VENDOR.sign(digest + digest)))
    with pytest.raises(SignatureError):
        verify_document(forged)
    assert len(multibase_decode(SIGNED["proof"]["proofValue"])) == 64


def test_no_error_of_a_proof_is_of_json() -> None:
    assert not issubclass(DuplicateKeyError, SignatureError)


def test_a_method_that_is_no_did_key_takes_somebody_who_knows_its_key() -> None:
    signed = sign_document(UNSIGNED, VENDOR, method="did:web:shop.example#key-1")
    assert signed["proof"]["verificationMethod"] == "did:web:shop.example#key-1"
    with pytest.raises(UnsupportedError):
        verify_document(signed)
    asked: list[str] = []

    def key_of(method: str) -> PublicKey:
        asked.append(method)
        return VENDOR.public

    assert verify_document(signed, key_of=key_of).key == VENDOR.public
    assert asked == ["did:web:shop.example#key-1"]
    with pytest.raises(SignatureError):
        verify_document(signed, key_of=lambda _: STRANGER.public)
