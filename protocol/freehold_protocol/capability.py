"""Capability: who may do what to which target until when (ZCAP-LD), in the one spelling accepted here.

A link is signed in one of three suites, each with its own contexts and members of a proof; a chain may mix them,
since each link keeps its own. Two of the suites sign an RDF graph, which forgets the order of arrays and the
context of a proof: what they forget has one form here.

Spec: specs/capabilities.md
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from . import caveat, form, limits
from .canonical import jcs
from .caveat import Caveat, read_caveats, write_caveats
from .encoding import (
    Document,
    Json,
    base64url_decode,
    base64url_encode,
    format_time,
    parse_document,
    parse_time,
)
from .errors import (
    ActionError,
    CapabilityError,
    MalformedError,
    TargetError,
    TooLargeError,
    UnsupportedError,
)
from .keys import PublicKey, SigningKey
from .proof import CAPABILITY_SUITES, JCS, Suite, sign_document, verify_document
from .target import is_plain, lies_within, read_target

Action = Literal["read", "answer", "write"]
ACTIONS: Final = ("read", "answer", "write")
CONTEXTS: Final = ["https://w3id.org/zcap/v1", "https://w3id.org/security/data-integrity/v2"]
CONTEXTS_2020: Final = ["https://w3id.org/zcap/v1", "https://w3id.org/security/suites/ed25519-2020/v1"]
GENERATION: Final = "https://w3id.org/freehold/v1#generation"
"""An absolute IRI, so that another suite can sign a capability that embeds ours."""
_ROOT: Final = "urn:zcap:root:"
_REQUIRED: Final = (
    "@context", "id", "parentCapability", "controller", "invocationTarget", "allowedAction", "expires", "proof",
)  # fmt: skip
_NAMES: Final[Mapping[Suite, tuple[str, str | None]]] = {
    "eddsa-jcs-2022": ("DataIntegrityProof", "eddsa-jcs-2022"),
    "eddsa-rdfc-2022": ("DataIntegrityProof", "eddsa-rdfc-2022"),
    "Ed25519Signature2020": ("Ed25519Signature2020", None),
}
"""What a proof of each suite says as its type and its cryptosuite."""
_PROOF: Final = (
    "type", "created", "verificationMethod", "proofPurpose", "capabilityChain", "proofValue",
)  # fmt: skip
# Beside those: what deployed clients write, and in the suites that would not sign a context, nothing else.
_IN_PROOF: Final[Mapping[Suite, tuple[str, ...]]] = {
    "eddsa-jcs-2022": ("cryptosuite", "@context"),
    "eddsa-rdfc-2022": ("cryptosuite",),
    "Ed25519Signature2020": (),
}
_KEEPS_ORDER: Final[Suite] = "eddsa-jcs-2022"
_RESERVED = re.compile(r"[^A-Za-z0-9_.!~*'()-]")
_ROOT_ID = re.compile(rf"{_ROOT}((?:[A-Za-z0-9_.!~*'()-]|%[0-9A-F]{{2}})+)\Z", re.ASCII)
_ESCAPE = re.compile(r"%([0-9A-F]{2})")
_MAX_GENERATION: Final = 64


def root_id(target: str) -> str:
    """Return the id of the root capability of a target; the root itself is never sent.

    The target is written as by ``encodeURIComponent``, which is what every other implementation uses.
    """
    return _ROOT + _component(target)


def _component(text: str) -> str:
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def target_of_root(root: str) -> str:
    """Return the target of a root capability's id: that whose ``root_id`` is this very text.

    Raises:
        MalformedError: And its subclasses: the id of no root, or of a target that no request can have.
    """
    match = _ROOT_ID.match(root) if len(root) <= len(_ROOT) + 3 * limits.MAX_TARGET_CHARS else None
    if match is None:
        raise MalformedError("not the id of a root capability")
    target = read_target(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), match[1]))
    if root_id(target) != root:
        raise MalformedError("the id of a root capability in another spelling")
    return target


def revocation_target(root_target: str, capability_id: str) -> str:
    """Return the URL at which a capability is revoked; its root may be invoked by all of ``revokers``."""
    return f"{root_target}/zcaps/revocations/{_component(capability_id)}"


def contexts_of(suite: Suite) -> list[str]:
    """Return the ``@context`` of a capability that is signed in a suite."""
    return list(CONTEXTS_2020 if suite == "Ed25519Signature2020" else CONTEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One parsed link of a chain; ``document`` is what was signed, as it came.

    ``chain`` holds the ids from the root to the parent; ``parent`` the embedded parent, None where the
    parent is the root. ``signer`` is who the proof says made it; ``verify`` says whether that is so.
    """

    document: Document
    id: str
    controller: PublicKey
    target: str
    actions: tuple[str, ...]
    created_s: int
    expires_s: int
    caveats: tuple[Caveat, ...]
    generation: str | None
    suite: Suite
    signer: PublicKey
    chain: tuple[str, ...]
    parent: Capability | None

    @classmethod
    def from_dict(cls, document: Json, *, depth: int = 1) -> Capability:
        """Parse a delegated capability and the parents embedded in it, without verifying any proof.

        Raises:
            MalformedError: Another spelling than the one accepted.
            UnsupportedError: A caveat, a proof or a key of another kind.
            CapabilityError: The chain is too long or does not hang together.

        Spec: specs/capabilities.md#form
        """
        if depth >= limits.MAX_CHAIN_LINKS:
            raise CapabilityError(f"a chain has at most {limits.MAX_CHAIN_LINKS} links")
        found = form.check_members(document, required=_REQUIRED, optional=(caveat.MEMBER, GENERATION))
        suite, proof = _read_proof(found["proof"])
        form.constant(found["@context"], contexts_of(suite), "@context")
        chain, parent = _read_chain(proof["capabilityChain"], depth)
        capability = cls(
            document=found,
            id=form.urn_uuid(found["id"], "id"),
            controller=PublicKey.from_did(form.did(found["controller"], "controller")),
            target=read_target(found["invocationTarget"]),
            actions=_read_actions(found["allowedAction"], suite),
            created_s=parse_time(proof["created"]),
            expires_s=parse_time(found["expires"]),
            caveats=read_caveats(found[caveat.MEMBER]) if caveat.MEMBER in found else (),
            generation=_generation(found),
            suite=suite,
            signer=PublicKey.from_method(proof["verificationMethod"]),
            chain=chain,
            parent=parent,
        )
        capability._check_chain()
        return capability

    def _check_chain(self) -> None:
        if not isinstance(self.document["parentCapability"], str):
            raise MalformedError("parentCapability is not a text")
        if self.document["parentCapability"] != self.chain[-1]:
            raise CapabilityError("parentCapability is not the last of the chain")
        if self.parent is not None and self.chain != (*self.parent.chain, self.parent.id):
            raise CapabilityError("the chain is not its parent's chain and the parent")
        if self.id in self.chain:
            raise CapabilityError("capabilityChain goes in a circle")

    @property
    def links(self) -> tuple[Capability, ...]:
        """The delegated links of the chain, first delegated first, this one last."""
        return (self,) if self.parent is None else (*self.parent.links, self)

    def check_use(self, *, target_uri: str, action: str) -> None:
        """Check that a request's target and action are among what this link allows.

        Raises:
            TargetError: The target is neither this link's nor under it.
            ActionError: The action is not allowed.
        """
        # Text, never a normalised URL: what is routed is what was signed.
        if not lies_within(target_uri, self.target) or not is_plain(target_uri):
            raise TargetError("the request's target is not under the capability's")
        if action not in self.actions:
            raise ActionError(f"the capability does not allow {action!r}")

    def verify(self) -> tuple[PublicKey, str]:
        """Return who signed this link, and the key by which it is revoked.

        The revocation key is the digest of what was signed and by whom: an id is chosen by the delegator, so
        someone else's could be taken; this cannot.

        Raises:
            SignatureError: The proof does not verify.
            UnsupportedError: Its suite is not supported.
        """
        verified = verify_document(self.document, purpose="capabilityDelegation", suites=CAPABILITY_SUITES)
        digest = hashlib.sha256(verified.signed + verified.key.raw).digest()
        return verified.key, base64url_encode(digest)


def _read_proof(value: Json) -> tuple[Suite, Document]:
    """Return a proof's suite and the proof, if it has just the members that deployed clients write in it."""
    if not isinstance(value, dict):
        raise MalformedError("a capability carries exactly one proof")
    named = (value.get("type"), value.get("cryptosuite"))
    suite = next((suite for suite, names in _NAMES.items() if names == named), None)
    if suite is None:
        raise UnsupportedError("a proof of a suite that is not supported")
    proof = form.check_members(value, required=(*_PROOF, *_IN_PROOF[suite]))
    if not all(isinstance(proof[name], str) for name in _PROOF if name != "capabilityChain"):
        raise MalformedError("a proof's members are texts")
    return suite, proof


def _read_actions(value: Json, suite: Suite) -> tuple[str, ...]:
    actions = form.array(value, "allowedAction", _action, least=1, most=len(ACTIONS))
    if suite != _KEEPS_ORDER and list(actions) != sorted(actions):
        raise MalformedError("allowedAction is in alphabetical order where the suite does not sign its order")
    return form.distinct(actions, "allowedAction")


def _action(value: Json) -> str:
    if value not in ACTIONS:
        raise MalformedError("an action is " + ", ".join(ACTIONS))
    return str(value)


def _generation(document: Document) -> str | None:
    if GENERATION not in document:
        return None
    tag = document[GENERATION]
    if not isinstance(tag, str) or not 1 <= len(tag) <= _MAX_GENERATION:
        raise MalformedError("the generation is a short text")
    return tag


def _read_chain(value: Json, depth: int) -> tuple[tuple[str, ...], Capability | None]:
    """Return the ids of a capabilityChain and the embedded parent: all texts but the last of two or more."""
    if not isinstance(value, list) or not 1 <= len(value) < limits.MAX_CHAIN_LINKS:
        raise CapabilityError("capabilityChain names the links from the root to the parent")
    parent = Capability.from_dict(value[-1], depth=depth + 1) if len(value) > 1 else None
    ids = tuple(value[:-1]) + ((parent.id,) if parent else (value[-1],))
    if not all(isinstance(one, str) for one in ids) or not ids[0].startswith(_ROOT):
        raise CapabilityError("capabilityChain begins with the root's id")
    if len(set(ids)) != len(ids):
        raise CapabilityError("capabilityChain goes in a circle")
    return ids, parent


def delegate(
    key: SigningKey,
    *,
    capability_id: str,
    controller: PublicKey,
    target: str,
    actions: tuple[str, ...],
    created_s: int,
    expires_s: int,
    parent: Capability | None = None,
    root_target: str | None = None,
    generation: str | None = None,
    caveats: Sequence[Caveat] = (),
    suite: Suite = JCS,
) -> Capability:
    """Return a capability signed by key.

    Whether it narrows its parent is checked by whoever is shown it; see ``delegation``.

    Args:
        key: The parent's controller, or the root's.
        capability_id: ``urn:uuid:...``.
        controller: Who may invoke it.
        target: URL at or under the parent's.
        actions: Among the parent's.
        created_s: Unix seconds.
        expires_s: Not after the parent's.
        parent: None for the first delegated link.
        root_target: For the first delegated link: the root's target, if it is not the target itself.
        generation: For the first delegated link: the node's mark.
        caveats: Of this link; those of its parents hold anyway. At most ``limits.MAX_CAVEATS``.
        suite: Of the proof; whatever the parents' are.

    Spec: specs/capabilities.md#delegation
    """
    root = root_id(root_target or target)
    chain: list[str | Document] = [root] if parent is None else [*parent.chain, parent.document]
    unsigned: Document = {
        "@context": contexts_of(suite),
        "id": capability_id,
        "parentCapability": root if parent is None else parent.id,
        "controller": controller.did,
        "invocationTarget": target,
        "allowedAction": sorted(actions),  # deployed clients take the list over as it is, in any suite
        "expires": format_time(expires_s),
    }
    if caveats:
        unsigned[caveat.MEMBER] = write_caveats(caveats)
    if generation is not None:
        unsigned[GENERATION] = generation
    signed = sign_document(
        unsigned, key, purpose="capabilityDelegation", created_s=created_s, chain=chain, suite=suite
    )
    return Capability.from_dict(signed)


def to_wire(capability: Capability) -> str:
    """Return the header form: base64url of the gzip of its JSON, at most 8 KiB.

    Raises:
        TooLargeError: The chain is too long for a header.
    """
    text = base64url_encode(gzip.compress(jcs(capability.document), mtime=0))
    if len(text) > limits.MAX_CAPABILITY_WIRE_BYTES:
        raise TooLargeError("the capability is too large for a header")
    return text


def from_wire(text: str) -> Capability:
    """Parse the header form.

    Raises:
        TooLargeError: More than 8 KiB as sent or 64 KiB inflated.
        MalformedError: And its other subclasses, as Capability.from_dict.
        CapabilityError: As Capability.from_dict.
        UnsupportedError: As Capability.from_dict.

    Spec: specs/capabilities.md#header
    """
    if len(text) > limits.MAX_CAPABILITY_WIRE_BYTES:
        raise TooLargeError("the capability is too large for a header")
    inflater = zlib.decompressobj(wbits=31)
    try:
        data = inflater.decompress(base64url_decode(text), limits.MAX_CAPABILITY_BYTES + 1)
    except zlib.error:
        raise MalformedError("the capability is not gzip") from None
    if len(data) > limits.MAX_CAPABILITY_BYTES:
        raise TooLargeError("the capability inflates to too much")
    if not inflater.eof or inflater.unused_data:
        raise MalformedError("the capability is not one whole gzip member")
    return Capability.from_dict(parse_document(data, max_bytes=limits.MAX_CAPABILITY_BYTES))
