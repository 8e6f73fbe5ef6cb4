"""Private keys at rest: one small file, encrypted under the person's passphrase.

Argon2id makes a key of the passphrase; XChaCha20-Poly1305 encrypts the seed and the database's key under it
and authenticates the file's header with them. A plain checksum tells a damaged file from a wrong passphrase;
it is no defence against somebody who alters the file on purpose, the authentication is.

Deriving the key takes about 0.2 s and 64 MiB: call these from a thread where an event loop runs.

Spec: specs/node/key-store.md
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import nacl.bindings as sodium
import nacl.exceptions
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json, base64url_decode, base64url_encode, parse_document
from freehold_protocol.errors import (
    ConflictError,
    MalformedError,
    PassphraseError,
    UnavailableError,
    UnsupportedError,
)
from freehold_protocol.keys import hkdf_sha256

from .data_dir import bump_generation, read_bounded, write_durably

Random = Callable[[int], bytes]
"""Gives that many unpredictable bytes."""

KEYSTORE_NAME: Final = "keystore.json"
MAX_PASSPHRASE_BYTES: Final = 1024
"""In UTF-8; a sentence fits, a file chosen by mistake does not."""

_VERSION: Final = 1
_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 24
_MAX_FILE_BYTES: Final = 4096

_PASSES: Final = 3
_MEMORY_BYTES: Final = 64 * 1024 * 1024
_MAX_PASSES: Final = 10
_MAX_MEMORY_BYTES: Final = 512 * 1024 * 1024
"""A file that asks for more could stop the machine; one that asks for less was not written by Freehold."""

_MEMBERS: Final = {"version", "kdf", "nonce", "ciphertext", "checksum"}
_KDF_MEMBERS: Final = {"name", "passes", "memoryBytes", "salt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the key store holds; never shown by ``repr``.

    ``seed`` (32 bytes) is the root of all keys and stands on the recovery sheet. ``database_key`` (32 bytes)
    encrypts the database; it is derived from the seed, so that whoever lost the passphrase but has the sheet
    can still read the database or a copy of it.
    """

    seed: bytes = field(repr=False)
    database_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != _KEY_BYTES or len(self.database_key) != _KEY_BYTES:
            raise ValueError("the seed and the database's key have 32 bytes each")


def create_keystore(folder: Path, passphrase: str, *, random: Random) -> Keys:
    """Make new keys and the file that keeps them, and raise the generation beside it.

    Raises:
        ConflictError: There is a key store already.
        PassphraseError: The passphrase is empty, too long, or no text.
        UnavailableError: There is too little memory to derive the key.

    Spec: specs/node/key-store.md#creation
    """
    return recreate_keystore(folder, passphrase, random(_KEY_BYTES), random=random)


def recreate_keystore(
    folder: Path,
    passphrase: str,
    seed: bytes,
    *,
    random: Random,
    generation_at_least: int = 1,
    replace: bool = False,
) -> Keys:
    """Make the file anew around a seed, as from a recovery sheet, and raise the generation beside it.

    Args:
        folder: The data directory.
        passphrase: May differ from the one that was lost.
        seed: 32 bytes.
        random: For the salt and the nonce.
        generation_at_least: As for ``bump_generation``: Unix seconds on a machine that never held this seed.
        replace: Put it in the place of one that is there; the caller has made sure that its keys are the same.

    Raises:
        ConflictError: There is a key store already, and it is not to be replaced.
        PassphraseError: The passphrase is empty, too long, or no text.
        UnavailableError: There is too little memory to derive the key.

    Spec: specs/node/key-store.md#recovery
    """
    path = folder / KEYSTORE_NAME
    if path.exists() and not replace:
        raise ConflictError("there is a key store here already; it is never overwritten")
    keys = Keys(seed=seed, database_key=hkdf_sha256(seed, info=b"freehold/v1/database"))
    sealed = _seal(keys, passphrase, random)
    bump_generation(folder, at_least=generation_at_least)  # first: keys without a generation open nothing
    write_durably(path, sealed, overwrite=replace)
    return keys


def open_keystore(folder: Path, passphrase: str) -> Keys:
    """Return the keys.

    Raises:
        NotFoundError: There is no key store.
        PassphraseError: The passphrase is wrong, or somebody altered the file on purpose.
        MalformedError: The file is damaged, or demands more work than a key store may.
        UnsupportedError: The file is of a later version.
        UnavailableError: There is too little memory to derive the key.

    Spec: specs/node/key-store.md#opening
    """
    return open_keys(read_bounded(folder / KEYSTORE_NAME, _MAX_FILE_BYTES), passphrase)


def open_keys(data: bytes, passphrase: str) -> Keys:
    """Return the keys in the bytes of a key store; raises as open_keystore."""
    sealed = _parse(data)
    key = _derive(passphrase, sealed.salt, passes=sealed.passes, memory_bytes=sealed.memory_bytes)
    try:
        plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed.ciphertext, sealed.header, sealed.nonce, key
        )
    except nacl.exceptions.CryptoError:
        raise PassphraseError("the passphrase is wrong") from None
    return Keys(seed=plain[:_KEY_BYTES], database_key=plain[_KEY_BYTES:])


def check_passphrase(folder: Path, passphrase: str) -> None:
    """Return if the passphrase opens the key store, as fresh authentication asks; raise as open_keystore."""
    open_keystore(folder, passphrase)


def change_passphrase(folder: Path, passphrase: str, new_passphrase: str, *, random: Random) -> None:
    """Encrypt the same keys under another passphrase; raises as open_keystore.

    A copy of the file made before, in a backup say, still opens with the passphrase of then.
    """
    keys = open_keystore(folder, passphrase)
    write_durably(folder / KEYSTORE_NAME, _seal(keys, new_passphrase, random), overwrite=True)


def _seal(keys: Keys, passphrase: str, random: Random) -> bytes:
    """Return the file's bytes."""
    salt, nonce = random(_SALT_BYTES), random(_NONCE_BYTES)
    header: Document = {
        "version": _VERSION,
        "kdf": {
            "name": "argon2id",
            "passes": _PASSES,
            "memoryBytes": _MEMORY_BYTES,
            "salt": base64url_encode(salt),
        },
        "nonce": base64url_encode(nonce),
    }
    key = _derive(passphrase, salt, passes=_PASSES, memory_bytes=_MEMORY_BYTES)
    ciphertext = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        keys.seed + keys.database_key, jcs(header), nonce, key
    )
    document = {**header, "ciphertext": base64url_encode(ciphertext)}
    return json.dumps({**document, "checksum": _checksum(document)}, indent=2).encode() + b"\n"


def _checksum(document: Document) -> str:
    return base64url_encode(hashlib.sha256(jcs(document)).digest())


def _derive(passphrase: str, salt: bytes, *, passes: int, memory_bytes: int) -> bytes:
    try:
        # Systems differ in how they compose an accented letter, and nobody sees which way theirs does.
        password = unicodedata.normalize("NFC", passphrase).encode("utf-8")
    except UnicodeEncodeError:
        raise PassphraseError("the passphrase is not text") from None
    if not password:
        raise PassphraseError("the passphrase is empty")
    if len(password) > MAX_PASSPHRASE_BYTES:
        raise PassphraseError(f"the passphrase is longer than {MAX_PASSPHRASE_BYTES} bytes")
    try:
        return sodium.crypto_pwhash_alg(
            _KEY_BYTES, password, salt, passes, memory_bytes, sodium.crypto_pwhash_ALG_ARGON2ID13
        )
    except (nacl.exceptions.RuntimeError, MemoryError):
        need = memory_bytes // (1024 * 1024)
        raise UnavailableError(f"opening the key store needs {need} MiB of free memory") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    """A key store file whose form, bounds and checksum hold."""

    passes: int
    memory_bytes: int
    salt: bytes
    nonce: bytes
    ciphertext: bytes
    header: bytes


def _parse(data: bytes) -> _Sealed:
    document = parse_document(data, max_bytes=_MAX_FILE_BYTES)
    version = _integer(document.get("version"), 1, 2**31)
    if version != _VERSION:
        raise UnsupportedError(f"the key store is of version {version}; a later Freehold wrote it")
    if document.keys() != _MEMBERS:
        raise MalformedError("the key store has other members than its form allows")
    kdf = document["kdf"]
    if not isinstance(kdf, dict) or kdf.keys() != _KDF_MEMBERS or kdf["name"] != "argon2id":
        raise MalformedError("the key store does not say how its key is derived")
    signed = {name: value for name, value in document.items() if name != "checksum"}
    if document["checksum"] != _checksum(signed):
        raise MalformedError("the key store is damaged: its checksum is another; restore it from a backup")
    header = {name: value for name, value in signed.items() if name != "ciphertext"}
    return _Sealed(
        passes=_integer(kdf["passes"], _PASSES, _MAX_PASSES),
        memory_bytes=_integer(kdf["memoryBytes"], _MEMORY_BYTES, _MAX_MEMORY_BYTES),
        salt=_binary(kdf["salt"], _SALT_BYTES),
        nonce=_binary(document["nonce"], _NONCE_BYTES),
        ciphertext=_binary(document["ciphertext"], 2 * _KEY_BYTES + _TAG_BYTES),
        header=jcs(header),
    )


def _integer(value: Json, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise MalformedError(f"a number in the key store is not between {least} and {most}")
    return value


def _binary(value: Json, size_bytes: int) -> bytes:
    data = base64url_decode(value) if isinstance(value, str) else b""
    if len(data) != size_bytes:
        raise MalformedError(f"a value in the key store does not have {size_bytes} bytes")
    return data
