"""Ed25519 keys, Multikey, did:key, and the derivation of a relationship's keys.

Spec: specs/identity.md
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

import nacl.bindings as sodium
import nacl.exceptions

from .encoding import multibase_decode, multibase_encode
from .errors import MalformedError, SignatureError, UnsupportedError

_PUBLIC_PREFIX: Final = b"\xed\x01"  # multicodec ed25519-pub as varint
_SECRET_PREFIX: Final = b"\x80\x26"  # multicodec ed25519-priv as varint
_DID_KEY: Final = "did:key:"
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

Label = Literal["decision", "serving", "alias", "cursor", "salt", "generation"]
"""What a derived key is for; each label gives an unrelated key."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: 32 raw bytes."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise MalformedError("an Ed25519 public key has 32 bytes")

    @classmethod
    def from_multikey(cls, text: str) -> PublicKey:
        """Parse ``z6Mk...``.

        Raises:
            MalformedError: Not base58btc, or the wrong length.
            UnsupportedError: Another kind of key.
        """
        data = multibase_decode(text)
        if not data.startswith(_PUBLIC_PREFIX):
            raise UnsupportedError("only Ed25519 keys are supported")
        return cls(data[2:])

    @classmethod
    def from_did(cls, did: str) -> PublicKey:
        """Parse ``did:key:z6Mk...``, without a fragment.

        Raises:
            MalformedError: Not a did:key.
            UnsupportedError: Another DID method, or another kind of key.
        """
        if not did.startswith("did:"):
            raise MalformedError("not a DID")
        if not did.startswith(_DID_KEY):
            raise UnsupportedError("only did:key identifiers are supported")
        return _key_of_multikey(did.removeprefix(_DID_KEY))

    @classmethod
    def from_method(cls, method: str) -> PublicKey:
        """Parse a verification method of a did:key, ``did:key:z6Mk...#z6Mk...``.

        Raises:
            MalformedError: No fragment, or a fragment that is not the key itself.
            UnsupportedError: Another DID method, or another kind of key.
        """
        did, _, fragment = method.partition("#")
        key = cls.from_did(did)
        if fragment != did.removeprefix(_DID_KEY):
            raise MalformedError("a did:key's verification method repeats the key as its fragment")
        return key

    @property
    def multikey(self) -> str:
        """The Multikey text, ``z6Mk...``."""
        return _multikey(self.raw)

    @property
    def did(self) -> str:
        """The did:key identifier."""
        return _DID_KEY + self.multikey

    @property
    def method(self) -> str:
        """The verification method's id, ``did:key:z6Mk...#z6Mk...``."""
        return f"{self.did}#{self.multikey}"

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a signature of 64 bytes.

        Raises:
            SignatureError: It is not this key's signature over the message.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureError("an Ed25519 signature has 64 bytes")
        try:
            sodium.crypto_sign_open(signature + message, self.raw)
        except nacl.exceptions.BadSignatureError:
            raise SignatureError("the signature does not verify") from None


@lru_cache(maxsize=4096)
def _multikey(raw: bytes) -> str:
    return multibase_encode(_PUBLIC_PREFIX + raw)


@lru_cache(maxsize=4096)
def _key_of_multikey(text: str) -> PublicKey:
    return PublicKey.from_multikey(text)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 private key, from its seed of 32 bytes; never shown by ``repr``."""

    seed: bytes = field(repr=False)
    public: PublicKey = field(init=False)
    _secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise ValueError("a seed has 32 bytes")
        raw, secret = sodium.crypto_sign_seed_keypair(self.seed)
        object.__setattr__(self, "public", PublicKey(raw))
        object.__setattr__(self, "_secret", secret)

    @classmethod
    def from_multikey(cls, text: str) -> SigningKey:
        """Parse a secret Multikey, ``z3u2...``.

        Raises:
            MalformedError: Not base58btc, or the wrong length.
            UnsupportedError: Another kind of key.
        """
        data = multibase_decode(text)
        if not data.startswith(_SECRET_PREFIX):
            raise UnsupportedError("only Ed25519 keys are supported")
        if len(data) != 2 + SEED_BYTES:
            raise MalformedError("an Ed25519 seed has 32 bytes")
        return cls(data[2:])

    @property
    def multikey(self) -> str:
        """The secret Multikey text: handle like the key itself."""
        return multibase_encode(_SECRET_PREFIX + self.seed)

    @property
    def did(self) -> str:
        """The did:key identifier of the public half."""
        return self.public.did

    @property
    def method(self) -> str:
        """The verification method's id of the public half."""
        return self.public.method

    def sign(self, message: bytes) -> bytes:
        """Return the signature: 64 bytes, deterministic."""
        return sodium.crypto_sign(message, self._secret)[:SIGNATURE_BYTES]


def hkdf_sha256(secret: bytes, *, info: bytes, salt: bytes = b"", length: int = 32) -> bytes:
    """Return length bytes (at most 255 x 32) of HKDF-SHA-256, RFC 5869."""
    if not 0 < length <= 255 * 32:
        raise ValueError("HKDF-SHA-256 gives 1 to 8160 bytes")
    key = hmac.digest(salt or bytes(32), secret, hashlib.sha256)
    made, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), hashlib.sha256)
        made += block
    return made[:length]


def record_key(seed: bytes) -> SigningKey:
    """Return the key that signs the person's own records; it never leaves the node in any document."""
    return SigningKey(hkdf_sha256(seed, info=b"freehold/v1/records"))


@dataclass(frozen=True, slots=True)
class RelationshipKeys:
    """The keys of one relationship at one key epoch, derived from the person's seed.

    Spec: specs/identity.md#relationship-keys
    """

    decision: SigningKey
    serving: SigningKey
    alias: bytes = field(repr=False)
    cursor: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    generation: bytes = field(repr=False)

    @classmethod
    def derive(cls, seed: bytes, relationship: str, *, key_epoch: int = 0) -> RelationshipKeys:
        """Derive every key of a relationship.

        Args:
            seed: The person's seed, 32 bytes.
            relationship: The relationship's random id.
            key_epoch: Counts rotations, from 0.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError("a seed has 32 bytes")

        def of(label: Label, epoch: int = key_epoch) -> bytes:
            return hkdf_sha256(seed, info=f"freehold/v1/{label}/{relationship}/{epoch}".encode())

        return cls(
            decision=SigningKey(of("decision")),
            serving=SigningKey(of("serving")),
            # What the vendor knows records by outlives every change of keys.
            alias=of("alias", 0),
            cursor=of("cursor"),
            salt=of("salt"),
            generation=of("generation"),
        )

    def alias_of(self, identifier: str) -> str:
        """Return the id by which this relationship's vendor knows an identifier of the person's."""
        digest = hmac.digest(self.alias, identifier.encode(), hashlib.sha256)
        return multibase_encode(digest)

    def generation_tag(self, generation: int) -> str:
        """Return the mark of a generation that only this relationship's node can make or compare."""
        digest = hmac.digest(self.generation, str(generation).encode(), hashlib.sha256)
        return multibase_encode(digest)
