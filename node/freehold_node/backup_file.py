"""A backup: one file of a fixed few parts, each under its digest, and all of them under a key of the person's.

::

    freehold backup 1
    {"created": ..., "parts": [{"name": "keystore.json", "size": ..., "sha256": ...}, ...], ..., "mac": ...}
    <the bytes of the parts, one after the other>

The parts are encrypted as they are in the data directory. The line above them is not: it says that this is a backup,
of when and how large. Names are those of a closed list and of files in one folder, so a part never says where it goes.

Spec: specs/node/backup.md#file
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import (
    Document,
    Json,
    base64url_decode,
    base64url_encode,
    format_time,
    parse_document,
    parse_time,
)
from freehold_protocol.errors import MalformedError, UnsupportedError
from freehold_protocol.keys import hkdf_sha256

KEYSTORE: Final = "keystore.json"
GENERATION: Final = "generation"
DATABASE: Final = "node.db"
NAMES: Final = (KEYSTORE, GENERATION, DATABASE)
"""The parts that every backup has, in this order; contexts that the person added follow, by name."""
CONTEXTS: Final = "contexts"
VERSION: Final = 1
CHUNK_BYTES: Final = 2**20
_MAGIC: Final = b"freehold backup "
_MAX_FIRST_LINE: Final = 32
_MAX_HEADER_BYTES: Final = 64 * 1024
_MAX_SIZES: Final = {KEYSTORE: 4096, GENERATION: 32, DATABASE: 2**40}
_CONTEXT = re.compile(rf"{CONTEXTS}/[A-Za-z0-9][A-Za-z0-9._-]{{0,99}}\Z")
MAX_CONTEXTS: Final = 200
"""Files in the folder of contexts, its index included."""
_DIGEST_BYTES: Final = 32
_MEMBERS: Final = ("created", "version", "schema", "generation", "parts", "mac")
_OTHERS: Final = {
    b"SQLite format 3\0": "a database that is not encrypted",
    b"\x1f\x8b": "a compressed file",
    b"PK\x03\x04": "a ZIP archive",
    b'{"type"': "a document",
}
"""What people take for a backup, by how it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: its name, its size in bytes, its SHA-256."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands above the parts.

    Attributes:
        created_s: When it was made, Unix seconds.
        version: Of the software that made it.
        schema: Of its database.
        generation: Of the node when it was made.
        parts: In the order of NAMES.
        mac: Over everything else here, by a key of the person's; empty before it is made.
    """

    created_s: int
    version: str
    schema: int
    generation: int
    parts: tuple[Part, ...]
    mac: bytes = b""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self.to_bytes()) + sum(part.size for part in self.parts)

    def to_bytes(self) -> bytes:
        """Return the two lines that begin the file."""
        document = {**self._unsigned(), "mac": base64url_encode(self.mac)}
        return _MAGIC + b"%d\n" % VERSION + json.dumps(document).encode() + b"\n"

    def _unsigned(self) -> Document:
        return {
            "created": format_time(self.created_s),
            "version": self.version,
            "schema": self.schema,
            "generation": self.generation,
            "parts": [
                {"name": part.name, "size": part.size, "sha256": base64url_encode(part.sha256)}
                for part in self.parts
            ],
        }

    def signed(self, seed: bytes) -> Header:
        """Return the header with its code, by a key that only the person's seed gives."""
        return replace(self, mac=self._code(seed))

    def check(self, seed: bytes) -> None:
        """Check that who has this seed made the backup.

        Raises:
            MalformedError: Somebody else did, or altered it and its digests.
        """
        if not hmac.compare_digest(self.mac, self._code(seed)):
            raise MalformedError("the backup is not as it was made: its header was altered")

    def _code(self, seed: bytes) -> bytes:
        key = hkdf_sha256(seed, info=b"freehold/v1/backup")
        return hmac.digest(key, jcs(self._unsigned()), hashlib.sha256)


def read_header(file: BinaryIO) -> Header:
    """Return the header of a backup, and leave the file where its first part begins.

    Raises:
        UnsupportedError: The backup is of another version.
        MalformedError: It is no backup, or is damaged or cut off.

    Spec: specs/node/backup.md#file
    """
    first = file.readline(_MAX_FIRST_LINE)
    if not first.startswith(_MAGIC):
        looks = next((said for begin, said in _OTHERS.items() if first.startswith(begin)), "something else")
        raise MalformedError(f"this is no backup that Freehold wrote: it looks like {looks}")
    if not first.endswith(b"\n") and len(first) < _MAX_FIRST_LINE:
        raise MalformedError("the backup is cut off in its first line")
    if first != _MAGIC + b"%d\n" % VERSION:
        raise UnsupportedError(
            "the backup is of another version than this Freehold reads; use the release that wrote it, or a later one"
        )
    line = file.readline(_MAX_HEADER_BYTES + 1)
    if not line.endswith(b"\n") or len(line) > _MAX_HEADER_BYTES:
        raise MalformedError("the backup is damaged: it has no whole header")
    try:
        return _header(parse_document(line, max_bytes=_MAX_HEADER_BYTES))
    except MalformedError as error:
        raise MalformedError(f"the backup is damaged: {error}") from None


def _header(document: Document) -> Header:
    found = form.check_members(document, required=_MEMBERS)
    parts = form.array(found["parts"], "parts", _part, most=len(NAMES) + MAX_CONTEXTS)
    names = [part.name for part in parts]
    contexts = names[len(NAMES) :]
    if tuple(names[: len(NAMES)]) != NAMES or contexts != sorted(set(contexts) - set(NAMES)):
        raise MalformedError("it has other parts than a backup has")
    return Header(
        created_s=parse_time(found["created"]),
        version=form.text(found["version"], "version", most=40),
        schema=form.count(found["schema"], "schema"),
        generation=form.count(found["generation"], "generation", most=10**18 - 1),
        parts=parts,
        mac=_digest(found["mac"]),
    )


def _part(value: Json) -> Part:
    found = form.check_members(value, required=("name", "size", "sha256"))
    name = found["name"]
    if not is_part(name):  # anything else might say where to write it
        raise MalformedError("it has a part that no backup has")
    return Part(
        name=name,
        size=form.count(found["size"], "size", least=0, most=_MAX_SIZES.get(name, limits.MAX_CONTEXT_BYTES)),
        sha256=_digest(found["sha256"]),
    )


def is_part(name: Json) -> bool:
    """Whether a backup may have a part of this name."""
    return isinstance(name, str) and (name in NAMES or _CONTEXT.match(name) is not None)


def _digest(value: Json) -> bytes:
    data = base64url_decode(value) if isinstance(value, str) else b""
    if len(data) != _DIGEST_BYTES:
        raise MalformedError("a digest has another length")
    return data


def check_parts(file: BinaryIO, header: Header) -> None:
    """Read the parts that follow a header, and check that they are those it names, and that nothing comes after.

    Raises:
        MalformedError: A part is damaged or cut off, or the file goes on.
    """
    for part in header.parts:
        for _ in read_part(file, part):
            pass
    if file.read(1):
        raise MalformedError("the backup is damaged: something follows its end")


def read_part(file: BinaryIO, part: Part) -> Iterator[bytes]:
    """Yield the next part, piece by piece; what was yielded counts only if no error follows.

    Raises:
        MalformedError: It is damaged or cut off.
    """
    digest, left = hashlib.sha256(), part.size
    while left:
        piece = file.read(min(left, CHUNK_BYTES))
        if not piece:
            raise MalformedError(f"the backup is cut off in the middle of {part.name}")
        digest.update(piece)
        left -= len(piece)
        yield piece
    if digest.digest() != part.sha256:
        raise MalformedError(f"the backup is damaged: {part.name} is not what was written")


def describe(name: str, file: BinaryIO) -> Part:
    """Return the part that an open file would be, and leave it at its beginning."""
    digest, size = hashlib.sha256(), 0
    while piece := file.read(CHUNK_BYTES):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    return Part(name=name, size=size, sha256=digest.digest())
