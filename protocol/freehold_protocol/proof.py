"""Attach and verify Data Integrity proofs: one, several beside each other, or in a chain.

Three suites: ``eddsa-jcs-2022`` signs the canonical JSON and is what this protocol issues; ``eddsa-rdfc-2022`` signs
the canonical RDF; ``Ed25519Signature2020`` does too, in the form before Data Integrity, and is verified only.

Spec: specs/proofs.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from . import limits
from .canonical import jcs, without_proof
from .contexts import BUNDLED, Contexts
from .encoding import Document, Json, format_time, multibase_decode, multibase_encode, parse_time
from .errors import MalformedError, SignatureError, TooLargeError, UnsupportedError
from .keys import PublicKey, SigningKey

Purpose = Literal["assertionMethod", "authentication", "capabilityDelegation"]
Suite = Literal["eddsa-jcs-2022", "eddsa-rdfc-2022", "Ed25519Signature2020"]
KeyOf = Callable[[str], PublicKey]
"""Maps a verification method to its key; raises a FreeholdError for one that it does not know or does not want."""

JCS: Final = "eddsa-jcs-2022"
RDFC: Final = "eddsa-rdfc-2022"
ED25519_2020: Final = "Ed25519Signature2020"
DOCUMENT_SUITES: Final[tuple[Suite, ...]] = (JCS, RDFC)
CAPABILITY_SUITES: Final[tuple[Suite, ...]] = (JCS, RDFC, ED25519_2020)

_DATA_INTEGRITY: Final = "DataIntegrityProof"
_OPTIONAL: Final = {"@context", "created", "capabilityChain"}
_AMONG_SEVERAL: Final = {*_OPTIONAL, "id", "previousProof"}
_REQUIRED_2020: Final = {"type", "verificationMethod", "proofPurpose", "proofValue"}
_REQUIRED: Final = {*_REQUIRED_2020, "cryptosuite"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a proof that verified says.

    ``method`` is the verification method it names. ``signed`` is the 64 bytes under the signature: digest of the
    proof's options, then of the document; the same however the JSON was spelled.
    """

    key: PublicKey
    method: str
    suite: Suite
    created_s: int | None
    signed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A proof of the right form, before anything of it is verified.

    Attributes:
        unsigned: The document that it signs: without proofs, but for those it says it follows.
        options: The proof without its value, and what it takes from the document.
        signature: 64 bytes, if it is one.
    """

    suite: Suite
    method: str
    created_s: int | None
    signature: bytes
    unsigned: Document
    options: Document

    def hash_to_sign(self, contexts: Contexts = BUNDLED) -> bytes:
        """Return the 64 bytes that the signature must be over; raises as the function of this name."""
        return hash_to_sign(self.unsigned, self.options, suite=self.suite, contexts=contexts)

    def verify(self, signed: bytes, key: PublicKey) -> Verified:
        """Return what the proof says, if its signature over these bytes is by that key.

        Raises:
            SignatureError: It is not.
        """
        key.verify(self.signature, signed)
        return Verified(
            key=key, method=self.method, suite=self.suite, created_s=self.created_s, signed=signed
        )


def hash_to_sign(
    unsigned: Document, options: Document, *, suite: Suite = JCS, contexts: Contexts = BUNDLED
) -> bytes:
    """Return the 64 bytes to sign: SHA-256 of the proof options, then of the document, both canonical.

    Raises:
        TooLargeError: The blank nodes are too alike to be told apart in the time allowed.
        MalformedError: And its other subclasses: there is no canonical form.
        UnsupportedError: The canonical RDF needs a context that is not among them.
    """
    if suite == JCS:
        return hashlib.sha256(jcs(options)).digest() + hashlib.sha256(jcs(unsigned)).digest()
    from .rdf import canonical_rdf

    made = canonical_rdf(options, contexts=contexts), canonical_rdf(unsigned, contexts=contexts)
    return b"".join(hashlib.sha256(one).digest() for one in made)


def sign_document(
    unsigned: Document,
    key: SigningKey,
    *,
    purpose: Purpose = "assertionMethod",
    created_s: int | None = None,
    chain: list[str | Document] | None = None,
    suite: Suite = JCS,
    method: str | None = None,
    contexts: Contexts = BUNDLED,
) -> Document:
    """Return the document with a proof by key.

    Args:
        unsigned: A document without ``proof``; not changed.
        key: Signs.
        purpose: What the key is used for.
        created_s: Unix seconds; left out of the proof if None, so that the same content has the same bytes.
        chain: ``capabilityChain``, for capabilities.
        suite: ``eddsa-jcs-2022`` or ``eddsa-rdfc-2022``.
        method: The verification method to name, if it is not the key's own did:key.
        contexts: Those the document may name; for canonical RDF only.

    Raises:
        MalformedError: And its subclasses, and UnsupportedError: as hash_to_sign.

    Spec: specs/proofs.md#suites
    """
    options = _options(suite, created_s=created_s, method=method or key.method, purpose=purpose, chain=chain)
    return {**unsigned, "proof": _signed_proof(unsigned, options, key, suite, contexts)}


def _options(
    suite: Suite,
    *,
    created_s: int | None,
    method: str,
    purpose: Purpose,
    chain: list[str | Document] | None = None,
) -> Document:
    if suite not in DOCUMENT_SUITES:
        raise ValueError(f"{suite} is verified, never issued")
    options: Document = {"type": _DATA_INTEGRITY, "cryptosuite": suite}
    if created_s is not None:
        options["created"] = format_time(created_s)
    options["verificationMethod"] = method
    options["proofPurpose"] = purpose
    if chain is not None:
        options["capabilityChain"] = chain
    return options


def _signed_proof(
    unsigned: Document, options: Document, key: SigningKey, suite: Suite, contexts: Contexts
) -> Document:
    hashed = options
    if "@context" in unsigned:
        hashed = {**options, "@context": unsigned["@context"]}
    signature = key.sign(hash_to_sign(unsigned, hashed, suite=suite, contexts=contexts))
    # Canonical RDF takes the document's contexts by rule; canonical JSON has them in the proof.
    return {**(hashed if suite == JCS else options), "proofValue": multibase_encode(signature)}


def add_proof(
    document: Document,
    key: SigningKey,
    *,
    purpose: Purpose = "assertionMethod",
    created_s: int | None = None,
    suite: Suite = JCS,
    method: str | None = None,
    proof_id: str | None = None,
    previous: Sequence[str] = (),
    contexts: Contexts = BUNDLED,
) -> Document:
    """Return the document with one proof more, beside those it has or after some of them.

    Args:
        document: With or without proofs; not changed.
        key: As in sign_document, like the other arguments that are not named here.
        purpose: Likewise.
        created_s: Likewise.
        suite: Likewise.
        method: Likewise.
        proof_id: An id for the new proof, so that a later one can follow it.
        previous: Ids of the proofs that this one follows: they are signed along.
        contexts: Likewise.

    Raises:
        MalformedError: It has too many proofs already, or none of an id that is to be followed.

    Spec: specs/proofs.md#sets-and-chains
    """
    proofs = _read_proofs(document.get("proof", []))
    if len(proofs) >= limits.MAX_PROOFS:
        raise TooLargeError(f"a document has at most {limits.MAX_PROOFS} proofs")
    options = _options(suite, created_s=created_s, method=method or key.method, purpose=purpose)
    if proof_id is not None:
        options["id"] = proof_id
    if previous:
        options["previousProof"] = previous[0] if len(previous) == 1 else list(previous)
    unsigned = _signed_along(without_proof(document), options, proofs)
    made = _signed_proof(unsigned, options, key, suite, contexts)
    return {**document, "proof": [*proofs, made] if proofs else made}


def read_claim(
    document: Document, *, purpose: Purpose = "assertionMethod", suites: tuple[Suite, ...] = DOCUMENT_SUITES
) -> Claim:
    """Return the document's one proof if its form is right; raises as verify_document, but for signatures.

    For who works out the canonical RDF elsewhere, or wants to know first whose proof it is.
    """
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise MalformedError("a document carries exactly one proof")
    return _claim(proof, without_proof(document), purpose, suites, _OPTIONAL)


def read_claims(
    document: Document, *, purpose: Purpose = "assertionMethod", suites: tuple[Suite, ...] = DOCUMENT_SUITES
) -> tuple[Claim, ...]:
    """Return every proof of the document if the forms are right; raises as verify_proofs, but for signatures."""
    proofs = _read_proofs(document.get("proof"))
    if not proofs:
        raise MalformedError("a document carries a proof")
    if len(proofs) > limits.MAX_PROOFS:
        raise TooLargeError(f"a document has at most {limits.MAX_PROOFS} proofs")
    named = [proof["id"] for proof in proofs if "id" in proof]
    if not all(isinstance(one, str) for one in named) or len(set(named)) != len(named):
        raise MalformedError("a proof's id is a text of its own")
    bare = without_proof(document)
    return tuple(
        _claim(proof, _signed_along(bare, proof, proofs), purpose, suites, _AMONG_SEVERAL) for proof in proofs
    )


def verify_document(
    document: Document,
    *,
    purpose: Purpose = "assertionMethod",
    suites: tuple[Suite, ...] = DOCUMENT_SUITES,
    key_of: KeyOf = PublicKey.from_method,
    contexts: Contexts = BUNDLED,
) -> Verified:
    """Return what the document's one proof says, if it verifies under the key it names.

    Whether that key may sign this document is the caller's question.

    Args:
        document: As received, never re-serialised in between.
        purpose: The proof must have been made for this.
        suites: Those that are accepted.
        key_of: Maps the verification method to its key; only did:key if not given. It is asked before anything
            costly is done, and may refuse.
        contexts: Those the document may name; for canonical RDF only.

    Raises:
        MalformedError: No proof, several, or one of another form; or the document has no canonical form.
        UnsupportedError: Another suite, kind of key or context.
        SignatureError: The signature does not verify, or was made for another purpose.

    Spec: specs/proofs.md#verification
    """
    claim = read_claim(document, purpose=purpose, suites=suites)
    return _verified(claim, key_of, contexts)


def verify_proofs(
    document: Document,
    *,
    purpose: Purpose = "assertionMethod",
    suites: tuple[Suite, ...] = DOCUMENT_SUITES,
    key_of: KeyOf = PublicKey.from_method,
    contexts: Contexts = BUNDLED,
) -> tuple[Verified, ...]:
    """Return what each proof of the document says, in their order, if all of them verify.

    A proof can be taken away from a set, and the last from a chain, without a trace: who must have signed is the
    caller's question here too.

    Args:
        document: With 1 to ``limits.MAX_PROOFS`` proofs, all for one purpose.
        purpose: As in verify_document, like the others.
        suites: Likewise.
        key_of: Likewise.
        contexts: Likewise.

    Raises:
        MalformedError: And UnsupportedError and SignatureError, as verify_document; of any of the proofs.

    Spec: specs/proofs.md#sets-and-chains
    """
    claims = read_claims(document, purpose=purpose, suites=suites)
    return tuple(_verified(claim, key_of, contexts) for claim in claims)


def _verified(claim: Claim, key_of: KeyOf, contexts: Contexts) -> Verified:
    key = key_of(claim.method)  # before the work: who refuses the key spares it
    return claim.verify(claim.hash_to_sign(contexts), key)


def _read_proofs(value: Json) -> list[Document]:
    proofs = value if isinstance(value, list) else [value]
    if not all(isinstance(proof, dict) for proof in proofs):
        raise MalformedError("a proof is a JSON object")
    return proofs


def _signed_along(bare: Document, proof: Document, proofs: list[Document]) -> Document:
    """Return what a proof signs: the bare document, with the proofs that it says it follows."""
    if "previousProof" not in proof:
        return bare
    previous = proof["previousProof"]
    named = previous if isinstance(previous, list) else [previous]
    if not named or not all(isinstance(one, str) for one in named) or len(set(named)) != len(named):
        raise MalformedError("previousProof names other proofs, each once")
    followed = [other for other in proofs if other is not proof and other.get("id") in named]
    if len(followed) != len(named):
        raise SignatureError("a proof follows one that is not there")
    return {**bare, "proof": followed}


def _suite_of(proof: Document) -> str | None:
    kind = proof.get("type")
    if kind == _DATA_INTEGRITY:
        suite = proof.get("cryptosuite")
        return suite if isinstance(suite, str) else None
    return ED25519_2020 if kind == ED25519_2020 else None


def _claim(
    proof: Document, unsigned: Document, purpose: Purpose, suites: tuple[Suite, ...], optional: set[str]
) -> Claim:
    suite = _suite_of(proof)
    if suite not in suites:
        raise UnsupportedError("only these proofs are supported here: " + ", ".join(suites))
    _check_form(proof, _REQUIRED_2020 if suite == ED25519_2020 else _REQUIRED, optional)
    context = unsigned.get("@context")
    if proof.get("@context") != context and ("@context" in proof or suite == JCS):
        raise SignatureError("the proof was made under another context")
    if proof["proofPurpose"] != purpose:
        raise SignatureError(f"the proof was not made for {purpose}")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if suite != JCS:
        options["@context"] = context
    return Claim(
        suite=suite,
        method=proof["verificationMethod"],
        created_s=parse_time(proof["created"]) if "created" in proof else None,
        signature=multibase_decode(proof["proofValue"]),
        unsigned=unsigned,
        options=options,
    )


def _check_form(proof: Document, required: set[str], optional: set[str]) -> None:
    names = proof.keys()
    if not names >= required or not names <= required | optional:
        raise MalformedError("a proof has other members than its form allows")
    if not all(isinstance(proof[name], str) for name in required):
        raise MalformedError("a proof's members are texts")


def verify_signed_by(
    document: Document,
    key: PublicKey,
    *,
    purpose: Purpose = "assertionMethod",
    contexts: Contexts = BUNDLED,
) -> Verified:
    """Return as verify_document, if the proof is by this very key.

    Raises:
        SignatureError: It is by another key, or does not verify.
        MalformedError: As verify_document.
        UnsupportedError: As verify_document.
    """
    verified = verify_document(document, purpose=purpose, contexts=contexts)
    if verified.key != key:
        raise SignatureError("the proof is by another key")
    return verified
