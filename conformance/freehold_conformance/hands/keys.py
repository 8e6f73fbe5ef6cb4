"""Ed25519 keys and the did:key that each is.

Spec: specs/identity.md#keys
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import nacl.exceptions
import nacl.signing

from .encoding import from_multibase, multibase

_ED25519_PUBLIC = b"\xed\x01"


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key, by its seed of 32 bytes."""

    seed: bytes

    @classmethod
    def fresh(cls) -> Key:
        return cls(secrets.token_bytes(32))

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return nacl.signing.SigningKey(self.seed).verify_key.encode()

    @property
    def did(self) -> str:
        return did_key(self.public)

    @property
    def method(self) -> str:
        """The verification method, as ``keyid`` and ``verificationMethod`` name it."""
        return method_of(self.did)

    def sign(self, data: bytes) -> bytes:
        """Return 64 bytes."""
        return nacl.signing.SigningKey(self.seed).sign(data).signature


def did_key(public: bytes) -> str:
    """Return the DID of a public key of 32 bytes."""
    return "did:key:" + multibase(_ED25519_PUBLIC + public)


def method_of(did: str) -> str:
    """Return the one verification method of a did:key."""
    return f"{did}#{did.removeprefix('did:key:')}"


def public_of(did: str) -> bytes:
    """Return the 32 bytes of a did:key or of its verification method.

    Raises:
        ValueError: It is no did:key of Ed25519.
    """
    name, _, fragment = did.partition("#")
    multikey = name.removeprefix("did:key:")
    data = from_multibase(multikey)
    if name == multikey or fragment not in ("", multikey):
        raise ValueError("no did:key")
    if len(data) != 34 or not data.startswith(_ED25519_PUBLIC):
        raise ValueError("no Ed25519 key")
    return data[2:]


def is_signed(did: str, signature: bytes, data: bytes) -> bool:
    """Tell whether a did:key, or its verification method, signed these bytes."""
    try:
        nacl.signing.VerifyKey(public_of(did)).verify(data, signature)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True
