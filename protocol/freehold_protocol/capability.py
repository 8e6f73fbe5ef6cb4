"""Capability: who may do what to which target until when (ZCAP-LD), in the one spelling accepted here.

Spec: specs/capabilities.md
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from . import form, limits
from .canonical import jcs
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
from .proof import sign_document, verify_document

Action = Literal["read", "answer", "write"]
ACTIONS: Final = ("read", "answer", "write")
CONTEXTS: Final = ["https://w3id.org/zcap/v1", "https://w3id.org/security/data-integrity/v2"]
GENERATION: Final = "https://w3id.org/freehold/v1#generation"
"""An absolute IRI, so that another suite can sign a capability that embeds ours."""
_ROOT: Final = "urn:zcap:root:"
_REQUIRED: Final = (
    "@context", "id", "parentCapability", "controller", "invocationTarget", "allowedAction", "expires", "proof",
)  # fmt: skip
_RESERVED = re.compile(r"[^A-Za-z0-9_.~-]", re.ASCII)
# Printable ASCII, and nothing that begins a query or a fragment or that could be normalised.
_TARGET = re.compile(r"https?://[!-~]{1,1000}\Z")
_NOT_IN_TARGET: Final = frozenset("?#\\%")
_MAX_GENERATION: Final = 64


def root_id(target: str) -> str:
    """Return the id of the root capability of a target; the root itself is never sent."""
    return _ROOT + _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One parsed link of a chain; ``document`` is what was signed, as it came.

    ``chain`` holds the ids from the root to the parent; ``parent`` the embedded parent, None where the
    parent is the root.
    """

    document: Document
    id: str
    controller: PublicKey
    target: str
    actions: tuple[str, ...]
    created_s: int
    expires_s: int
    generation: str | None
    chain: tuple[str, ...]
    parent: Capability | None

    @classmethod
    def from_dict(cls, document: Json, *, depth: int = 1) -> Capability:
        """Parse a delegated capability and the parents embedded in it, without verifying any proof.

        Raises:
            MalformedError: Another spelling than the one accepted.
            UnsupportedError: Caveats, or another kind of key.
            CapabilityError: The chain is too long or does not hang together.

        Spec: specs/capabilities.md#form
        """
        if depth >= limits.MAX_CHAIN_LINKS:
            raise CapabilityError(f"a chain has at most {limits.MAX_CHAIN_LINKS} links")
        if isinstance(document, dict) and "caveat" in document:
            raise UnsupportedError("caveats are not supported yet")
        found = form.check_members(document, required=_REQUIRED, optional=(GENERATION,))
        form.constant(found["@context"], CONTEXTS, "@context")
        target = found["invocationTarget"]
        if not isinstance(target, str) or not _TARGET.match(target) or not _NOT_IN_TARGET.isdisjoint(target):
            raise MalformedError("invocationTarget is an absolute URL without query or escapes")
        proof = found["proof"]
        if not isinstance(proof, dict) or "created" not in proof:
            raise MalformedError("a capability's proof says when it was made")
        chain, parent = _read_chain(proof.get("capabilityChain"), depth)
        capability = cls(
            document=found,
            id=form.urn_uuid(found["id"], "id"),
            controller=PublicKey.from_did(form.did(found["controller"], "controller")),
            target=target,
            actions=form.distinct(
                form.array(found["allowedAction"], "allowedAction", _action, least=1, most=len(ACTIONS)),
                "allowedAction",
            ),
            created_s=parse_time(proof["created"]),
            expires_s=parse_time(found["expires"]),
            generation=_generation(found),
            chain=chain,
            parent=parent,
        )
        if found["parentCapability"] != chain[-1]:
            raise CapabilityError("parentCapability is not the last of the chain")
        if parent is not None and chain != (*parent.chain, parent.id):
            raise CapabilityError("the chain is not its parent's chain and the parent")
        if capability.id in chain:
            raise CapabilityError("capabilityChain goes in a circle")
        return capability

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
        if target_uri != self.target and not target_uri.startswith((self.target + "/", self.target + "?")):
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
        verified = verify_document(self.document, purpose="capabilityDelegation")
        digest = hashlib.sha256(verified.signed + verified.key.raw).digest()
        return verified.key, base64url_encode(digest)


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

    Spec: specs/capabilities.md#delegation
    """
    root = root_id(root_target or target)
    chain: list[str | Document] = [root] if parent is None else [*parent.chain, parent.document]
    unsigned: Document = {
        "@context": CONTEXTS,
        "id": capability_id,
        "parentCapability": root if parent is None else parent.id,
        "controller": controller.did,
        "invocationTarget": target,
        "allowedAction": list(actions),
        "expires": format_time(expires_s),
    }
    if generation is not None:
        unsigned[GENERATION] = generation
    signed = sign_document(unsigned, key, purpose="capabilityDelegation", created_s=created_s, chain=chain)
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
