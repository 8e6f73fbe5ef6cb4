"""Ledger: how an entry becomes a leaf of its grant's Merkle tree, and what it keeps of what it does not hold.

Spec: specs/ledger.md
"""

from __future__ import annotations

import hashlib

from .canonical import jcs
from .encoding import Document, base64url_encode
from .limits import SALT_BYTES
from .merkle import leaf_hash


def entry_leaf(entry: Document, salt: bytes) -> bytes:
    """Return the leaf hash of an entry: over its salt of 32 bytes and its JCS bytes.

    The salt keeps those who see only the leaf from guessing the entry.

    Raises:
        MalformedError: The entry cannot be canonicalized.

    Spec: specs/ledger.md#tree
    """
    return canonical_leaf(jcs(entry), salt)


def canonical_leaf(entry_jcs: bytes, salt: bytes) -> bytes:
    """Return as entry_leaf, of an entry that is canonical bytes already."""
    return leaf_hash(_salted(salt, entry_jcs))


def released_digest(salt: bytes, unsigned_jcs: bytes) -> str:
    """Return what binds a released document to its entry.

    Args:
        salt: The entry's, 32 bytes.
        unsigned_jcs: JCS bytes of the document or page, before it was signed.

    Spec: specs/ledger.md#entries
    """
    return base64url_encode(hashlib.sha256(_salted(salt, unsigned_jcs)).digest())


def query_digest(salt: bytes, raw_query: str) -> str:
    """Return what an entry keeps of a query, as it stood in the signed target after the question mark."""
    return base64url_encode(hashlib.sha256(_salted(salt, raw_query.encode())).digest())


def signature_digest(signature: bytes) -> str:
    """Return what an entry keeps of an invocation's signature."""
    return base64url_encode(hashlib.sha256(signature).digest())


def _salted(salt: bytes, data: bytes) -> bytes:
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return salt + data
