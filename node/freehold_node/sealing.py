"""Seal what a holder carries and must not read: where a page ended, and where a stream of events stood.

Spec: specs/http.md#query
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import nacl.bindings as sodium
import nacl.exceptions
from freehold_protocol.encoding import base64url_decode, base64url_encode
from freehold_protocol.errors import MalformedError

NONCE_BYTES: Final = 24
_MOST_CHARS: Final = 100


def seal(key: bytes, plain: bytes, *, bound: bytes, nonce: bytes | None = None) -> str:
    """Return bytes sealed, as base64url.

    Args:
        key: 32 bytes.
        plain: A few bytes, always as many.
        bound: What the opener has to name again.
        nonce: 24 random bytes, so that the same bytes are sealed differently each time; None: made of what is
            sealed, so that they are sealed the same.
    """
    made = hmac.digest(key, plain + bound, hashlib.sha256)[:NONCE_BYTES] if nonce is None else nonce
    return base64url_encode(made + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, bound, made, key))


def open_sealed(key: bytes, text: str, *, bound: bytes) -> bytes | None:
    """Return what was sealed; None if it was not sealed by this key, bound to this."""
    if len(text) > _MOST_CHARS:
        return None
    try:
        data = base64url_decode(text)
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            data[NONCE_BYTES:], bound, data[:NONCE_BYTES], key
        )
    except (MalformedError, nacl.exceptions.CryptoError, ValueError):
        return None
