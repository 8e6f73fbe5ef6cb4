"""The bytes of vectors and examples, made from the pages alone: keys, canonical JSON, proofs, CIDs, header forms.

Nothing of our own library is used here, so that a mistake of the library cannot hide in what it is tested with.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import struct
import zlib
from collections.abc import Iterable
from typing import Any, Final

import rfc8785
from nacl.signing import SigningKey

Json = Any
Document = dict[str, Any]
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
JCS: Final = "eddsa-jcs-2022"
RDFC: Final = "eddsa-rdfc-2022"
ED25519_2020: Final = "Ed25519Signature2020"


class Gone:
    """Stands for the value of a member that is to be taken away."""


GONE: Final = Gone()


def sha256(data: bytes) -> bytes:
    """Return the SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def b58(data: bytes) -> str:
    """Return base58btc."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def z(data: bytes) -> str:
    """Return multibase in base58btc."""
    return "z" + b58(data)


def b64(data: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(data).decode()


def b64u(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jcs(value: Json) -> bytes:
    """Return canonical JSON, by another hand than our library's."""
    return rfc8785.dumps(value)


def cid(document: Json) -> str:
    """Return the CID of a document."""
    return cid_of(jcs(document))


def cid_of(data: bytes) -> str:
    """Return the CID of canonical bytes: CIDv1, codec json, SHA-256, base32."""
    return "b" + base64.b32encode(b"\x01\x80\x04\x12\x20" + sha256(data)).decode().lower().rstrip("=")


class Key:
    """An Ed25519 key by its seed."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._key = SigningKey(seed)
        self.raw = bytes(self._key.verify_key)
        self.multikey = z(b"\xed\x01" + self.raw)
        self.secret = z(b"\x80\x26" + seed)
        self.did = f"did:key:{self.multikey}"
        self.method = f"{self.did}#{self.multikey}"

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return self._key.sign(data).signature


def hkdf(seed: bytes, info: str) -> bytes:
    """Return 32 bytes of HKDF-SHA-256 without salt: one block of RFC 5869."""
    extracted = hmac.digest(bytes(32), seed, "sha256")
    return hmac.digest(extracted, info.encode() + b"\x01", "sha256")


def mark(key: bytes, text: str) -> str:
    """Return an alias or a mark: the multibase of an HMAC-SHA-256."""
    return z(hmac.digest(key, text.encode(), "sha256"))


def put(document: Json, path: str, value: Json) -> Json:
    """Return a copy with another value at a path such as ``permission/0/name``; GONE takes the member away."""
    made = copy.deepcopy(document)
    *above, last = path.split("/")
    node = made
    for part in above:
        node = node[int(part)] if isinstance(node, list) else node[part]
    if value is GONE and isinstance(node, dict):
        node.pop(last, None)
    elif isinstance(node, dict):
        node[last] = value
    elif value is GONE:
        del node[int(last)]
    else:
        node[int(last)] = value
    return made


def but(document: Document, changes: Document) -> Document:
    """Return a copy with other members; GONE takes one away."""
    made = {**document, **changes}
    return {name: value for name, value in made.items() if value is not GONE}


def bare(document: Document) -> Document:
    """Return the document without its proof."""
    return but(document, {"proof": GONE})


def hashed(document: Document, options: Document, suite: str) -> bytes:
    """Return the 64 bytes that a proof signs."""
    if suite == JCS:
        return sha256(jcs(options)) + sha256(jcs(document))
    from craft_rdf import canonical_rdf

    if "@context" in document:
        options = {**options, "@context": document["@context"]}
    return sha256(canonical_rdf(options)) + sha256(canonical_rdf(document))


def options_of(key: Key, *, purpose: str, created: str | None, suite: str, context: Json) -> Document:
    """Return a proof without its value."""
    made: Document = {"type": suite if suite == ED25519_2020 else "DataIntegrityProof"}
    if suite != ED25519_2020:
        made["cryptosuite"] = suite
    if created is not None:
        made["created"] = created
    made |= {"verificationMethod": key.method, "proofPurpose": purpose}
    if context is not None and suite == JCS:
        made["@context"] = context
    return made


def prove(
    document: Document,
    key: Key,
    *,
    purpose: str = "assertionMethod",
    created: str | None = None,
    suite: str = JCS,
    members: Document | None = None,
) -> Document:
    """Return a proof of a document; ``members`` are added to it, or taken away, before it is made."""
    options = options_of(key, purpose=purpose, created=created, suite=suite, context=document.get("@context"))
    options = but(options, members or {})
    return {**options, "proofValue": z(key.sign(hashed(document, options, suite)))}


def sign(document: Document, key: Key, **how: Any) -> Document:
    """Return the document with one proof; as ``prove``."""
    unsigned = bare(document)
    return {**unsigned, "proof": prove(unsigned, key, **how)}


def deflated(runs: Iterable[tuple[bytes, int]]) -> bytes:
    """Return the deflate form of literals, each then followed by its last byte again 258 times that often.

    Compressors differ in what they write, so the block is put together by hand, in fixed Huffman codes.
    """
    bits: list[int] = [1, 1, 0]

    def code(value: int, length: int) -> None:
        bits.extend(value >> place & 1 for place in reversed(range(length)))

    for literals, repeats in runs:
        for byte in literals:
            code(0x30 + byte, 8) if byte < 144 else code(0x190 + byte - 144, 9)
        for _ in range(repeats):
            code(0xC0 + 285 - 280, 8)
            code(0, 5)
    code(0, 7)
    bits += [0] * (-len(bits) % 8)
    return bytes(
        sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8)
    )


def gzipped(data: bytes, *, repeats: int = 0) -> bytes:
    """Return one gzip member of data, its last byte again 258 times ``repeats``."""
    whole = data + data[-1:] * 258 * repeats
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return head + deflated([(data, repeats)]) + struct.pack("<II", zlib.crc32(whole), len(whole))


def wire(capability: Json) -> str:
    """Return the header form of a capability."""
    return b64u(gzipped(jcs(capability)))
