"""Keys: did:key and its vectors, what libsodium accepts, HKDF, and that no two relationships share anything."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from freehold_protocol.encoding import base58_decode, base64url_decode, multibase_decode, multibase_encode
from freehold_protocol.errors import FreeholdError, MalformedError, SignatureError, UnsupportedError
from freehold_protocol.keys import PublicKey, RelationshipKeys, SigningKey, hkdf_sha256, record_key
from hypothesis import given, settings
from hypothesis import strategies as st

SEED = bytes(range(32))
KEY = SigningKey(SEED)
X25519 = multibase_encode(b"\xec\x01" + bytes(32))
RELATIONSHIP = "9b2f6c1e-0d3a-4c53-8a71-5e0f4d2c7b60"


@pytest.mark.vectors
def test_did_key_cases(vectors: Path, count_vectors: Callable[..., None]) -> None:
    path = vectors / "did-key" / "test-vectors" / "ed25519-x25519.json"
    cases = json.loads(path.read_text("utf-8"))
    for did, case in cases.items():
        key = SigningKey(bytes.fromhex(case["seed"]))
        assert key.did == did
        pair = case["verificationKeyPair"]
        assert key.method == did + "#" + pair["id"].partition("#")[2]
        if "publicKeyBase58" in pair:
            assert key.public.raw == base58_decode(pair["publicKeyBase58"])
        else:
            assert key.public.raw == base64url_decode(pair["publicKeyJwk"]["x"])
        assert PublicKey.from_did(did) == PublicKey.from_method(key.method) == key.public
    assert len(cases) == 5
    count_vectors("did-key", 5, others=22)


@pytest.mark.vectors
@pytest.mark.parametrize("name", ["bls12381", "nist-curves", "rsa", "secp256k1", "x25519"])
def test_other_kinds_of_key_are_refused(vectors: Path, name: str) -> None:
    cases = json.loads((vectors / "did-key" / "test-vectors" / f"{name}.json").read_text("utf-8"))
    for did in cases:
        with pytest.raises((UnsupportedError, MalformedError)):  # malformed: longer than any key of ours
            PublicKey.from_did(did)


@pytest.mark.vectors
def test_ed25519_edge_cases(vectors: Path, count_vectors: Callable[..., None]) -> None:
    """Small orders, cofactors, S beyond L, points in another spelling: only case 3 is a good signature."""
    cases = json.loads((vectors / "ed25519-speccheck" / "cases.json").read_text("utf-8"))
    accepted = []
    for number, case in enumerate(cases):
        key = PublicKey(bytes.fromhex(case["pub_key"]))
        try:
            key.verify(bytes.fromhex(case["signature"]), bytes.fromhex(case["message"]))
        except SignatureError:
            continue
        accepted.append(number)
    assert len(cases) == 12
    assert accepted == [3]
    count_vectors("ed25519-speccheck", 12)


@pytest.mark.vectors
def test_multikeys_of_the_data_integrity_case(vectors: Path) -> None:
    pair = json.loads((vectors / "vc-di-eddsa" / "TestVectors" / "keyPair.json").read_text("utf-8"))
    key = SigningKey.from_multikey(pair["privateKeyMultibase"])
    assert key.public.multikey == pair["publicKeyMultibase"]
    assert key.multikey == pair["privateKeyMultibase"]


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32))
def test_keys_come_back_from_every_spelling(seed: bytes) -> None:
    key = SigningKey(seed)
    assert SigningKey.from_multikey(key.multikey) == key
    assert PublicKey.from_multikey(key.public.multikey) == key.public
    assert PublicKey.from_did(key.did) == key.public
    assert PublicKey.from_method(key.method) == key.public
    assert key.did.startswith("did:key:z6Mk")
    assert key.public.multikey in key.method


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", MalformedError),
        ("z", UnsupportedError),
        (KEY.public.multikey[1:], MalformedError),
        (KEY.public.multikey + "\n", MalformedError),
        (KEY.public.multikey + "1", UnsupportedError),  # 35 bytes, and other ones
        (multibase_encode(b"\xed\x01" + bytes(31)), MalformedError),
        (multibase_encode(b"\xed\x01" + bytes(33)), MalformedError),
        (multibase_encode(b"\xed\x81\x00" + bytes(32)), UnsupportedError),  # a longer spelling of the prefix
        (X25519, UnsupportedError),
        (KEY.multikey, UnsupportedError),  # the secret one
        ("u7QE" + "A" * 43, MalformedError),  # another base
        ("z" + "6" * 300, MalformedError),
    ],
)
def test_what_is_no_public_multikey(text: str, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        PublicKey.from_multikey(text)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (KEY.public.multikey, UnsupportedError),
        (multibase_encode(b"\x80\x26" + bytes(31)), MalformedError),
        (multibase_encode(b"\x80\x26" + bytes(64)), MalformedError),
        (KEY.multikey[1:], MalformedError),
        ("", MalformedError),
    ],
)
def test_what_is_no_secret_multikey(text: str, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        SigningKey.from_multikey(text)
    assert type(raised.value) is error
    assert text not in str(raised.value) or not text


@pytest.mark.parametrize(
    ("did", "error"),
    [
        ("", MalformedError),
        ("key:z6Mk", MalformedError),
        ("did:web:shop.example", UnsupportedError),
        ("did:key:", MalformedError),
        ("DID:key:" + KEY.public.multikey, MalformedError),
        (KEY.method, MalformedError),  # with a fragment
        (KEY.did + " ", MalformedError),
        ("did:key:" + X25519, UnsupportedError),
    ],
)
def test_what_is_no_did_key(did: str, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        PublicKey.from_did(did)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "method",
    [
        KEY.did,
        KEY.did + "#",
        KEY.did + "#key-1",
        KEY.method + "#" + KEY.public.multikey,
        f"{KEY.did}#{SigningKey(bytes(32)).public.multikey}",
        KEY.method + "\n",
        "#" + KEY.public.multikey,
    ],
)
def test_what_is_no_verification_method(method: str) -> None:
    with pytest.raises(MalformedError):
        PublicKey.from_method(method)


@pytest.mark.requirement("ERR-5")
def test_a_caller_s_own_mistakes_are_no_freehold_errors() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(bytes(31))
    with pytest.raises(ValueError, match="32 bytes"):
        RelationshipKeys.derive(bytes(33), RELATIONSHIP)
    for length in (0, -1, 255 * 32 + 1):
        with pytest.raises(ValueError, match="8160"):
            hkdf_sha256(b"", info=b"", length=length)


def test_signatures() -> None:
    signature = KEY.sign(b"message")
    assert len(signature) == 64
    assert KEY.sign(b"message") == signature
    KEY.public.verify(signature, b"message")
    KEY.public.verify(KEY.sign(b""), b"")
    other = SigningKey(bytes(32))
    order = 2**252 + 27742317777372353535851937790883648493
    shifted = int.from_bytes(signature[32:], "little") + order  # the same signature with S beyond L
    for key, bad, message in (
        (KEY.public, signature, b"messagE"),
        (KEY.public, signature, b"message "),
        (KEY.public, signature[:63], b"message"),
        (KEY.public, signature + b"\0", b"message"),
        (KEY.public, b"", b"message"),
        (KEY.public, bytes(64), b"message"),
        (KEY.public, signature[:32] + shifted.to_bytes(32, "little"), b"message"),
        (other.public, signature, b"message"),
    ):
        with pytest.raises(SignatureError):
            key.verify(bad, message)


@pytest.mark.parametrize("bit", range(0, 512, 37))
def test_a_flipped_bit_does_not_verify(bit: int) -> None:
    signature = bytearray(KEY.sign(b"message"))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        KEY.public.verify(bytes(signature), b"message")


def test_no_repr_shows_a_secret() -> None:
    keys = RelationshipKeys.derive(SEED, RELATIONSHIP)
    shown = repr(KEY) + repr(keys)
    for secret in (SEED, KEY._secret, keys.alias, keys.cursor, keys.salt, keys.generation, keys.serving.seed):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
    assert "seed" not in shown


# Derivation


@pytest.mark.parametrize(
    ("secret", "salt", "info", "length", "made"),
    [  # RFC 5869, appendix A.1 to A.3
        (
            "0b" * 22, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            bytes(range(0x50)).hex(), bytes(range(0x60, 0xB0)).hex(), bytes(range(0xB0, 0x100)).hex(), 82,
            (
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
        ),
        (
            "0b" * 22, "", "", 42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)  # fmt: skip
def test_hkdf(secret: str, salt: str, info: str, length: int, made: str) -> None:
    unhex = bytes.fromhex
    assert hkdf_sha256(unhex(secret), salt=unhex(salt), info=unhex(info), length=length) == unhex(made)


def test_hkdf_s_longest() -> None:
    assert len(hkdf_sha256(b"x", info=b"", length=255 * 32)) == 255 * 32


def _hkdf_32(info: str) -> bytes:
    """The first block of HKDF-SHA-256 without salt, by hand."""
    extracted = hmac.new(bytes(32), SEED, hashlib.sha256).digest()
    return hmac.new(extracted, info.encode() + b"\x01", hashlib.sha256).digest()


@pytest.mark.requirement("IDN-4", "IDN-5", "IDN-8", "VER-9")
def test_keys_are_derived_under_these_very_texts() -> None:
    keys = RelationshipKeys.derive(SEED, RELATIONSHIP, key_epoch=3)
    for label in ("decision", "serving", "alias", "cursor", "salt", "generation"):
        made = getattr(keys, label)
        # What the vendor knows records by outlives every change of keys.
        epoch = 0 if label == "alias" else 3
        expected = _hkdf_32(f"freehold/v1/{label}/{RELATIONSHIP}/{epoch}")
        assert (made.seed if isinstance(made, SigningKey) else made) == expected
    assert record_key(SEED).seed == _hkdf_32("freehold/v1/records")
    assert RelationshipKeys.derive(SEED, RELATIONSHIP).alias == _hkdf_32(
        f"freehold/v1/alias/{RELATIONSHIP}/0"
    )


def _all_of(keys: RelationshipKeys) -> list[bytes]:
    """Return what differs from epoch to epoch."""
    return [keys.decision.seed, keys.serving.seed, keys.cursor, keys.salt, keys.generation]


@pytest.mark.requirement("IDN-8", "IDN-9")
def test_no_two_relationships_epochs_or_labels_share_a_key() -> None:
    relationships = (RELATIONSHIP, RELATIONSHIP.replace("9", "8"), "", "a", "a/1", "a/1/1")
    made = [
        key
        for relationship in relationships
        for epoch in (0, 1, 11)
        for key in _all_of(RelationshipKeys.derive(SEED, relationship, key_epoch=epoch))
    ]
    aliases = {
        relationship: {
            RelationshipKeys.derive(SEED, relationship, key_epoch=epoch).alias for epoch in (0, 1, 11)
        }
        for relationship in relationships
    }
    assert {len(of_one) for of_one in aliases.values()} == {1}
    made += [key for of_one in aliases.values() for key in of_one]
    made.append(record_key(SEED).seed)
    made.append(hkdf_sha256(SEED, info=b"freehold/v1/database"))
    made.append(SEED)
    assert len(set(made)) == len(made) == 6 * 5 * 3 + 6 + 3


def test_aliases_and_generations_differ_for_each_relationship() -> None:
    one = RelationshipKeys.derive(SEED, "one")
    other = RelationshipKeys.derive(SEED, "other")
    assert one.alias_of("urn:uuid:1") == one.alias_of("urn:uuid:1")
    assert one.alias_of("urn:uuid:1") != one.alias_of("urn:uuid:2")
    assert one.alias_of("urn:uuid:1") != other.alias_of("urn:uuid:1")
    assert len(multibase_decode(one.alias_of("urn:uuid:1"))) == 32
    assert one.generation_tag(1) == one.generation_tag(1)
    assert one.generation_tag(1) != one.generation_tag(2)
    assert one.generation_tag(1) != other.generation_tag(1)
    assert one.generation_tag(1) != one.alias_of("1")
    expected = hmac.new(one.generation, b"12", hashlib.sha256).digest()
    assert multibase_decode(one.generation_tag(12)) == expected
