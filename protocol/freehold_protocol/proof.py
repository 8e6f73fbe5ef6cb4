"""Attach and verify a Data Integrity proof.

``eddsa-jcs-2022`` only, for now; every other suite is refused as unsupported.

Spec: specs/proofs.md
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from .canonical import jcs, without_proof
from .encoding import Document, format_time, multibase_decode, multibase_encode, parse_time
from .errors import MalformedError, SignatureError, UnsupportedError
from .keys import PublicKey, SigningKey

Purpose = Literal["assertionMethod", "authentication", "capabilityDelegation"]
SUITE: Final = "eddsa-jcs-2022"
MAX_PROOFS: Final = 4
"""Of one document; a change of keys carries two."""
_OPTIONAL: Final = {"@context", "created", "capabilityChain"}
_REQUIRED: Final = {"type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a proof that verified says.

    ``signed`` is the 64 bytes under the signature: digest of the proof's options, then of the document.
    """

    key: PublicKey
    created_s: int | None
    signed: bytes


def hash_to_sign(unsigned: Document, options: Document) -> bytes:
    """Return the 64 bytes to sign: SHA-256 of the proof options, then of the document, both as JCS."""
    return hashlib.sha256(jcs(options)).digest() + hashlib.sha256(jcs(unsigned)).digest()


def sign_document(
    unsigned: Document,
    key: SigningKey,
    *,
    purpose: Purpose = "assertionMethod",
    created_s: int | None = None,
    chain: list[str | Document] | None = None,
) -> Document:
    """Return the document with a proof by key.

    Args:
        unsigned: A document without ``proof``; not changed.
        key: Signs, and is named as the verification method.
        purpose: What the key is used for.
        created_s: Unix seconds; left out of the proof if None, so that the same content has the same bytes.
        chain: ``capabilityChain``, for capabilities.

    Spec: specs/proofs.md#eddsa-jcs-2022
    """
    options: Document = {"type": "DataIntegrityProof", "cryptosuite": SUITE}
    if created_s is not None:
        options["created"] = format_time(created_s)
    options["verificationMethod"] = key.method
    options["proofPurpose"] = purpose
    if chain is not None:
        options["capabilityChain"] = chain
    if "@context" in unsigned:
        options["@context"] = unsigned["@context"]
    signature = key.sign(hash_to_sign(unsigned, options))
    return {**unsigned, "proof": {**options, "proofValue": multibase_encode(signature)}}


def verify_document(document: Document, *, purpose: Purpose = "assertionMethod") -> Verified:
    """Return what the document's one proof says, if it verifies under the key it names.

    Whether that key may sign this document is the caller's question.

    Args:
        document: As received, never re-serialised in between.
        purpose: The proof must have been made for this.

    Raises:
        MalformedError: No proof, several, or one of another form.
        UnsupportedError: Another cryptosuite or kind of key.
        SignatureError: The signature does not verify, or was made for another purpose.

    Spec: specs/proofs.md#verification
    """
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise MalformedError("a document carries exactly one proof")
    return _verify_one(document, proof, purpose)


def add_proof(
    signed: Document,
    key: SigningKey,
    *,
    purpose: Purpose = "assertionMethod",
    created_s: int | None = None,
) -> Document:
    """Return a signed document with a further proof: a set, of which each is over the document without any.

    Spec: specs/proofs.md#proof-sets
    """
    proof = signed["proof"]
    added = sign_document(without_proof(signed), key, purpose=purpose, created_s=created_s)["proof"]
    return {**signed, "proof": [*(proof if isinstance(proof, list) else [proof]), added]}


def verify_proofs(document: Document, *, purpose: Purpose = "assertionMethod") -> tuple[Verified, ...]:
    """Return what each proof of a document says, in their order, if all of them verify; one proof is a set too.

    Which keys must have signed is the caller's question, and whether they are all different.

    Raises:
        MalformedError: No proof, too many, or one of another form.
        UnsupportedError: As verify_document.
        SignatureError: As verify_document, of any of them.

    Spec: specs/proofs.md#proof-sets
    """
    proofs = document.get("proof")
    if not isinstance(proofs, list):
        return (verify_document(document, purpose=purpose),)
    if not 1 < len(proofs) <= MAX_PROOFS or not all(isinstance(proof, dict) for proof in proofs):
        raise MalformedError(f"a set has 2 to {MAX_PROOFS} proofs")
    return tuple(_verify_one(document, proof, purpose) for proof in proofs)


def _verify_one(document: Document, proof: Document, purpose: Purpose) -> Verified:
    if proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != SUITE:
        raise UnsupportedError(f"only {SUITE} proofs are supported")
    _check_form(proof)
    if proof.get("@context") != document.get("@context"):
        raise SignatureError("the proof was made under another context")
    if proof["proofPurpose"] != purpose:
        raise SignatureError(f"the proof was not made for {purpose}")
    created_s = parse_time(proof["created"]) if "created" in proof else None
    key = PublicKey.from_method(proof["verificationMethod"])
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    signed = hash_to_sign(without_proof(document), options)
    key.verify(multibase_decode(proof["proofValue"]), signed)
    return Verified(key=key, created_s=created_s, signed=signed)


def _check_form(proof: Document) -> None:
    names = proof.keys()
    if not names >= _REQUIRED or not names <= _REQUIRED | _OPTIONAL:
        raise MalformedError("a proof has other members than its form allows")
    if not all(isinstance(proof[name], str) for name in _REQUIRED):
        raise MalformedError("a proof's members are texts")


def verify_signed_by(document: Document, key: PublicKey, *, purpose: Purpose = "assertionMethod") -> Verified:
    """Return as verify_document, if the proof is by this very key.

    Raises:
        SignatureError: It is by another key, or does not verify.
        MalformedError: As verify_document.
        UnsupportedError: As verify_document.
    """
    verified = verify_document(document, purpose=purpose)
    if verified.key != key:
        raise SignatureError("the proof is by another key")
    return verified
