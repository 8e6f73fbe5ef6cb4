"""Capabilities: roots, delegated links, the header that carries one, and the name by which one is revoked.

Spec: specs/capabilities.md
"""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from . import proof
from .encoding import Document, Json, base64url, from_base64url, jcs, sha256, strict_json, xsd_time
from .keys import Key, public_of

CONTEXTS = ["https://w3id.org/zcap/v1", "https://w3id.org/security/data-integrity/v2"]


def encoded(text: str) -> str:
    """Return the text as ``encodeURIComponent`` writes it."""
    return quote(text, safe="-_.~!*'()")


def root_id(target: str) -> str:
    """Return the id of the root capability of a target."""
    return "urn:zcap:root:" + encoded(target)


def chain_below(parent: Document) -> list[Json]:
    """Return the ``capabilityChain`` of a child of this link."""
    above = parent["proof"]["capabilityChain"]
    ids = [link if isinstance(link, str) else link["id"] for link in above]
    return [*ids, parent]


def delegate(
    key: Key,
    parent: Document,
    controller: str,
    *,
    target: str | None = None,
    actions: Sequence[str] | None = None,
    created_s: float,
    expires_s: float,
    caveats: list[Document] | None = None,
    chain: list[Json] | None = None,
    signing: Document | None = None,
    **members: Json,
) -> Document:
    """Return a link below ``parent`` for ``controller`` (a did:key), signed by key; nothing of it is checked.

    ``members`` are put in place of those of the capability before it is signed; None leaves one out. ``signing``
    are arguments of proof.sign, in place of its own.
    """
    made: Document = {
        "@context": list(CONTEXTS),
        "id": f"urn:uuid:{uuid.uuid4()}",
        "parentCapability": parent["id"],
        "controller": controller,
        "invocationTarget": target or parent["invocationTarget"],
        "allowedAction": list(actions or parent["allowedAction"]),
        "expires": xsd_time(expires_s),
    }
    if caveats is not None:
        made["caveat"] = caveats
    made = {name: value for name, value in (made | members).items() if value is not None}
    given: dict[str, Any] = {
        "purpose": "capabilityDelegation",
        "created": xsd_time(created_s),
        "chain": chain_below(parent) if chain is None else chain,
    }
    return proof.sign(made, key, **given | (signing or {}))


def first_link(
    key: Key, controller: str, target: str, *, created_s: float, expires_s: float, **members: Json
) -> Document:
    """Return a link under the root of a target, as only a node may sign it; ``members`` as for delegate."""
    root: Document = {"id": root_id(target), "invocationTarget": target, "allowedAction": ["read"]}
    return delegate(
        key, root, controller, created_s=created_s, expires_s=expires_s, chain=[root["id"]], **members
    )


def to_header(capability: Document) -> str:
    """Return ``base64url(gzip(JSON))``."""
    return packed(jcs(capability))


def packed(data: bytes) -> str:
    """Return the header form of these very bytes."""
    return base64url(gzip.compress(data, mtime=0))


def from_header(text: str) -> Document:
    """Raises ValueError or OSError for what is no capability header."""
    found = strict_json(gzip.decompress(from_base64url(text)))
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - what came is wrong, not the call
    return found


def links(capability: Document) -> list[Document]:
    """Return the links of a chain, the first one first, this one last."""
    above = capability["proof"]["capabilityChain"][-1]
    return [*(links(above) if isinstance(above, dict) else ()), capability]


def digests(capability: Document) -> list[str]:
    """Return what names each link of a chain of ``eddsa-jcs-2022``, the first one first."""
    return [digest(link, public_of(link["proof"]["verificationMethod"])) for link in links(capability)]


def digest(capability: Document, public: bytes) -> str:
    """Return what names a link for revoking: the base64url of the SHA-256 of what was signed and the signer's key."""
    return base64url(sha256(proof.signed_under(capability) + public))
