"""Data Integrity proofs of ``eddsa-jcs-2022``.

Spec: specs/proofs.md#eddsa-jcs-2022
"""

from __future__ import annotations

from .encoding import Document, Json, from_multibase, jcs, multibase, sha256
from .keys import Key, is_signed

CONTEXT = "https://w3id.org/freehold/v1"


def signed_bytes(unsigned: Document, options: Document) -> bytes:
    """Return the 64 bytes that are signed: the digest of the proof's options, then of the document."""
    return sha256(jcs(options)) + sha256(jcs(unsigned))


def signed_under(document: Document) -> bytes:
    """Return the 64 bytes under the signature of a document as it came."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    return signed_bytes(unsigned, options)


def sign(
    unsigned: Document,
    key: Key,
    *,
    purpose: str = "assertionMethod",
    created: str | None = None,
    chain: list[Json] | None = None,
    **more: Json,
) -> Document:
    """Return the document with a proof; ``more`` are members of the proof in place of those it would have.

    None leaves one out.
    """
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": key.method,
        "proofPurpose": purpose,
    }
    if "@context" in unsigned:
        options["@context"] = unsigned["@context"]
    if created is not None:
        options["created"] = created
    if chain is not None:
        options["capabilityChain"] = chain
    options = {name: value for name, value in (options | more).items() if value is not None}
    value = key.sign(signed_bytes(unsigned, options))
    return {**unsigned, "proof": {**options, "proofValue": multibase(value)}}


def is_proven(document: Document, did: str, *, purpose: str = "assertionMethod") -> bool:
    """Tell whether the document has one good proof of the form, by this did:key and for this purpose."""
    proof = document.get("proof")
    if not isinstance(proof, dict) or proof.get("proofPurpose") != purpose:
        return False
    if (proof.get("type"), proof.get("cryptosuite")) != ("DataIntegrityProof", "eddsa-jcs-2022"):
        return False
    if ("@context" in document) != ("@context" in proof) or document.get("@context") != proof.get("@context"):
        return False
    method = proof.get("verificationMethod")
    if not isinstance(method, str) or method.partition("#")[0] != did or "#" not in method:
        return False
    try:
        signature = from_multibase(proof["proofValue"])
    except (KeyError, ValueError, AttributeError):
        return False
    return is_signed(method, signature, signed_under(document))
