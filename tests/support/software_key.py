"""A device with passkeys that is a program: it signs what it is asked to, or something else if a test has it lie."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import ES256, ES384, RS256, CoseKey, EdDSA
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData
from freehold_protocol.encoding import Document, base64url_decode, base64url_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def _cose(kind: Any, key: Key) -> CoseKey:
    made: CoseKey = kind.from_cryptography_key(key.public_key())
    return made


def _new_key(algorithm: int) -> tuple[Key, CoseKey]:
    if algorithm == EdDSA.ALGORITHM:
        made = ed25519.Ed25519PrivateKey.generate()
        return made, _cose(EdDSA, made)
    if algorithm == RS256.ALGORITHM:
        long = rsa.generate_private_key(65537, 2048)
        return long, _cose(RS256, long)
    if algorithm == ES384.ALGORITHM:
        other = ec.generate_private_key(ec.SECP384R1())
        return other, _cose(ES384, other)
    key = ec.generate_private_key(ec.SECP256R1())
    return key, _cose(ES256, key)


@dataclass(slots=True)
class SoftwareKey:
    """One passkey. What a test sets in ``lies`` takes the place of what is true: ``origin``, ``rp``, ``type``,
    ``challenge``, ``flags``, ``crossOrigin``, ``id``, ``handle``, ``signature``, ``counter``.

    ``counter`` is None for a device that does not count.
    """

    origin: str
    algorithm: int = ES256.ALGORITHM
    counter: int | None = None
    lies: dict[str, Any] = field(default_factory=dict)
    id: bytes = b""
    handle: bytes = b""
    key: Key | None = None

    def make(self, options: Document) -> str:
        """Make a passkey, and return what a browser would hand to the page."""
        self.key, cose = _new_key(self.algorithm)
        self.handle = base64url_decode(options["user"]["id"])
        self.id = hashlib.sha256(cbor.encode(cose)).digest()
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, cose)
        data = self._data(options["rp"]["id"], PRESENT | VERIFIED | ATTESTED, credential)
        response = {
            "clientDataJSON": base64url_encode(self._client("webauthn.create", options)),
            "attestationObject": base64url_encode(bytes(AttestationObject.create("none", data, {}))),
        }
        return self._answer(response)

    def use(self, options: Document) -> str:
        """Sign a challenge, and return what a browser would hand to the page."""
        client, data = self._client("webauthn.get", options), self._data(options["rpId"], PRESENT | VERIFIED)
        signed = bytes(data) + hashlib.sha256(client).digest()
        response = {
            "clientDataJSON": base64url_encode(client),
            "authenticatorData": base64url_encode(bytes(data)),
            "signature": base64url_encode(self.lies.get("signature", self._sign(signed))),
            "userHandle": base64url_encode(self.lies.get("handle", self.handle)),
        }
        return self._answer(response)

    def _answer(self, response: dict[str, str]) -> str:
        named = base64url_encode(self.lies.get("id", self.id))
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})

    def _client(self, kind: str, options: Document) -> bytes:
        said = {
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False,
        }  # fmt: skip
        said |= {name: value for name, value in self.lies.items() if name in said}
        return json.dumps(said).encode()

    def _data(self, rp: str, flags: int, credential: bytes = b"") -> AuthenticatorData:
        if self.counter is not None:
            self.counter = self.lies.get("counter", self.counter + 1)
        made: AuthenticatorData = AuthenticatorData.create(
            hashlib.sha256(self.lies.get("rp", rp).encode()).digest(),
            AuthenticatorData.FLAG(flags & self.lies.get("flags", 0xFF)),
            self.counter or 0,
            credential,
        )
        return made

    def _sign(self, data: bytes) -> bytes:
        match self.key:
            case ed25519.Ed25519PrivateKey():
                return self.key.sign(data)
            case rsa.RSAPrivateKey():
                return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePrivateKey():
                return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        raise AssertionError("it has no passkey yet")
