"""Merkle trees as RFC 9162 writes them down, leaves, and signed notes."""

from __future__ import annotations

from collections.abc import Sequence

from craft import Document, Key, b64, b64u, jcs, sha256
from scene import LOG, SERVING


def leaf_of(entry: Document, salt: bytes) -> bytes:
    """Return the leaf hash of an entry."""
    return sha256(b"\0" + salt + jcs(entry))


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of leaf hashes: RFC 9162, 2.1.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    at = _split(len(leaves))
    return sha256(b"\1" + root_of(leaves[:at]) + root_of(leaves[at:]))


def inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return PATH of RFC 9162, 2.1.3.1."""
    if len(leaves) < 2:
        return []
    at = _split(len(leaves))
    if index < at:
        return [*inclusion(index, leaves[:at]), root_of(leaves[at:])]
    return [*inclusion(index - at, leaves[at:]), root_of(leaves[:at])]


def consistency(old: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """Return PROOF of RFC 9162, 2.1.4.1."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    at = _split(len(leaves))
    if old <= at:
        return [*consistency(old, leaves[:at], whole=whole), root_of(leaves[at:])]
    return [*consistency(old - at, leaves[at:], whole=False), root_of(leaves[:at])]


def texts(hashes: Sequence[bytes]) -> list[str]:
    """Return hashes as they stand in JSON."""
    return [b64u(one) for one in hashes]


def note_text(size: int | str, root: bytes, *, log: str = LOG) -> str:
    """Return the three lines that are signed."""
    return f"{log}\n{size}\n{b64(root)}\n"


def signature_line(
    text: str, key: Key, *, name: str = LOG, made: bytes | None = None, key_id: bytes | None = None
) -> str:
    """Return a line of a note."""
    by = sha256(name.encode() + b"\n\x01" + key.raw)[:4] if key_id is None else key_id
    return f"\u2014 {name} {b64(by + (key.sign(text.encode()) if made is None else made))}\n"


def checkpoint(size: int, root: bytes, *, key: Key = SERVING, log: str = LOG) -> str:
    """Return a signed checkpoint."""
    text = note_text(size, root, log=log)
    return f"{text}\n{signature_line(text, key, name=log)}"
