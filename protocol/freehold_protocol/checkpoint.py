"""Checkpoints: a ledger's size and root, signed as a C2SP note (signed-note, tlog-checkpoint).

::

    freehold/ledger/7Yk2hVZ0m5Jd1oYFh6pWqA
    3
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — freehold/ledger/7Yk2hVZ0m5Jd1oYFh6pWqA <base64 of key id and signature>

Text and not a JSON document, so that tools and witnesses of other transparency logs can read and sign it too.

Spec: specs/ledger.md#checkpoints
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from .encoding import base64_decode
from .errors import LedgerError, MalformedError, SignatureError, TooLargeError
from .keys import PublicKey, SigningKey
from .limits import HASH_BYTES
from .merkle import EMPTY_ROOT, MAX_SIZE

ORIGIN_PREFIX: Final = "freehold/ledger/"
MAX_NOTE_BYTES: Final = 128 * 1024
"""Room for the 16 post-quantum signatures of 5 kB that the note format obliges a verifier to accept."""
MAX_SIGNATURES: Final = 32

_ORIGIN = re.compile(r"freehold/ledger/[A-Za-z0-9_-]{22,64}\Z")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
# signed-note: em dash (U+2014), space, key name, space, base64; "MUST NOT contain any Unicode spaces or plus"
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})\Z")
_ED25519: Final = b"\x01"
_KEY_ID_BYTES: Final = 4

Signature = tuple[str, bytes, bytes]
"""Key name, key id, and what the key made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What one signed head says: the ledger's name, its number of entries, its root.

    Raises:
        MalformedError: An origin, size or root of another form.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not _ORIGIN.match(self.origin):
            raise MalformedError(f"a ledger's origin is {ORIGIN_PREFIX} and 22 to 64 random characters")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise MalformedError("a checkpoint has a size below 2^63 and a root of 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedError("a ledger without entries has the empty root")

    def to_text(self) -> str:
        """Return the three lines that are signed, with the newline that ends them."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_id(name: str, key: PublicKey) -> bytes:
    """Return the 4 bytes by which a note says which key of that name signed it."""
    data = name.encode() + b"\n" + _ED25519 + key.raw
    return hashlib.sha256(data).digest()[:_KEY_ID_BYTES]


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Return the note: the checkpoint signed by the serving key, under the ledger's origin as key name."""
    text = checkpoint.to_text()
    signed = key_id(checkpoint.origin, key.public) + key.sign(text.encode())
    return f"{text}\n— {checkpoint.origin} {base64.b64encode(signed).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Return what a note says, without any proof that it is so.

    Raises:
        MalformedError: Not a note, or not a checkpoint of this protocol.
        TooLargeError: More bytes or signatures than allowed.
    """
    return _parse(text)[0]


def open_checkpoint(text: str, *, origin: str, key: PublicKey) -> Checkpoint:
    """Return what a note says, if it is about this ledger and signed by this key.

    Signatures under other names or key ids are those of witnesses; they are not looked at.

    Raises:
        MalformedError: Not a note, or not a checkpoint of this protocol.
        TooLargeError: More bytes or signatures than allowed.
        LedgerError: It is another ledger's.
        SignatureError: The key did not sign it, or a signature under its id does not verify.

    Spec: specs/ledger.md#checkpoints
    """
    checkpoint, signatures = _parse(text)
    if checkpoint.origin != origin:
        raise LedgerError("the checkpoint is another ledger's")
    ours = key_id(origin, key)
    made = [signature for name, by, signature in signatures if name == origin and by == ours]
    if not made:
        raise SignatureError("the checkpoint is not signed by the ledger's key")
    message = checkpoint.to_text().encode()
    for signature in made:
        key.verify(signature, message)
    return checkpoint


def _parse(text: str) -> tuple[Checkpoint, list[Signature]]:
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise MalformedError("a note is UTF-8") from None
    if size_bytes > MAX_NOTE_BYTES:
        raise TooLargeError(f"a note has more than {MAX_NOTE_BYTES} bytes")
    if _CONTROL.search(text):
        raise MalformedError("a note holds no control characters but newlines")
    body, blank, below = text.rpartition("\n\n")
    if not blank or not below.endswith("\n"):
        raise MalformedError("a note is a text, a blank line and signature lines")
    lines = below[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise TooLargeError(f"a note has more than {MAX_SIGNATURES} signatures")
    return _parse_body(body), [_parse_signature(line) for line in lines]


def _parse_body(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) != 3:  # tlog-checkpoint allows extension lines and advises against them
        raise MalformedError("a checkpoint has an origin, a size and a root, and no more lines")
    origin, size, root = lines
    if not _SIZE.match(size):
        raise MalformedError("a checkpoint's size is a decimal number without leading zeros")
    return Checkpoint(origin=origin, size=int(size), root=base64_decode(root))


def _parse_signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.match(line)
    if match is None:
        raise MalformedError("a signature line is an em dash, a key name and base64")
    made = base64_decode(match[2])
    if len(made) <= _KEY_ID_BYTES:
        raise MalformedError("a signature line holds a key id and a signature")
    return match[1], made[:_KEY_ID_BYTES], made[_KEY_ID_BYTES:]
