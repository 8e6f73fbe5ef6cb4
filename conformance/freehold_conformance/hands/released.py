"""Released documents and pages, as a node makes them and as a reader must be able to trust them.

Spec: specs/released.md
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from . import proof
from .encoding import Document, Json, base64url, jcs, multibase, sha256
from .keys import Key


def alias(key: bytes, record: str) -> str:
    """Return what one relationship knows a record by.

    Spec: specs/identity.md#aliases
    """
    return multibase(hmac.digest(key, record.encode(), hashlib.sha256))


def projected(content: Json, fields: Sequence[str]) -> Json:
    """Return the leaves of a node that the paths name, with the types on the way; None if there are none."""
    if isinstance(content, list):
        shown = [one for one in (projected(one, fields) for one in content) if one is not None]
        return shown or None
    if not isinstance(content, dict):
        return content if "" in fields else None
    below: dict[str, list[str]] = {}
    for path in fields:
        term, _, rest = path.partition(".")
        if term:
            below.setdefault(term, []).append(rest)
    made = {term: projected(content[term], rests) for term, rests in below.items() if term in content}
    made = {term: value for term, value in made.items() if value is not None}
    return {"type": content["type"], **made} if made else None


def document(content: Document, *, alias: str, fields: Sequence[str], key: Key, **members: Json) -> Document:
    """Return one released document, signed. ``members`` are put into it before it is."""
    shown = projected(content, fields) or {"type": content["type"]}
    made = {
        "@context": proof.CONTEXT,
        "id": f"urn:freehold:{alias}",
        **shown,
        "issuer": key.did,
        **members,
    }
    return versioned(made, key)


def versioned(body: Document, key: Key) -> Document:
    """Return a released document with the version of this body, signed."""
    bare = {name: value for name, value in body.items() if name not in ("version", "proof")}
    return proof.sign({**bare, "version": base64url(sha256(jcs(bare)))}, key)


def page(items: Sequence[Document], *, key: Key, cursor: str | None = None, **members: Json) -> Document:
    """Return a page of released documents, signed."""
    made: Document = {
        "@context": proof.CONTEXT,
        "type": "ReleasedPage",
        "issuer": key.did,
        "items": list(items),
        **members,
    }
    if cursor is not None:
        made["next"] = cursor
    return proof.sign(made, key)


def unsigned(document: Document) -> Document:
    """Return a document without its outermost proof: what a ledger entry binds."""
    return {name: value for name, value in document.items() if name != "proof"}
