"""From a document to the exact bytes that are hashed and signed.

JCS (RFC 8785) is what this protocol issues. RDF canonicalization for foreign documents is a later door and
is refused as unsupported where a proof names it.

Spec: specs/proofs.md#canonical-bytes
"""

from __future__ import annotations

import hashlib
import json

import rfc8785

from .encoding import Document, Json, cid_of
from .errors import MalformedError, TooDeepError

_MAX_INTEGER = 2**53 - 1


def _is_simple(value: Json) -> bool:
    """Whether the standard encoder writes the same bytes: ASCII keys, no floats, small integers."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return -_MAX_INTEGER <= value <= _MAX_INTEGER
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_simple(item) for key, item in value.items())
    return kind is list and all(map(_is_simple, value))


_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def jcs(value: Json) -> bytes:
    """Return the RFC 8785 bytes of a JSON value.

    Raises:
        MalformedError: NaN, Infinity, an integer beyond 2^53-1, a lone surrogate, or no JSON at all.
        TooDeepError: Nested too deeply to walk.
    """
    try:
        if _is_simple(value):  # 4 times as fast, and what nearly every document of ours is made of
            return _encode(value).encode("utf-8")
        return rfc8785.dumps(value)
    except RecursionError:
        raise TooDeepError("nested too deeply to canonicalize") from None
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        raise MalformedError("cannot be canonicalized: a number or a character is out of range") from None


def without_proof(document: Document) -> Document:
    """Return a shallow copy without its proof."""
    return {key: value for key, value in document.items() if key != "proof"}


def document_cid(document: Document) -> str:
    """Return the CID that names a document: of its JCS bytes with the proof."""
    return cid_of(jcs(document))


def jcs_digest(value: Json) -> bytes:
    """Return the SHA-256 (32 bytes) of the JCS bytes."""
    return hashlib.sha256(jcs(value)).digest()
