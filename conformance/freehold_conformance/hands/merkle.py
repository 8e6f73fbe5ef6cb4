"""Merkle trees of RFC 9162, and the checkpoints that sign them.

Spec: specs/ledger.md#tree
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .encoding import Document, base64url, from_base64url, jcs, sha256
from .keys import is_signed, public_of


def leaf_hash(entry: Document, salt: str) -> bytes:
    """Return the leaf of an entry and its salt (base64url)."""
    return sha256(b"\0" + from_base64url(salt) + jcs(entry))


def digest_under(salt: str, data: bytes) -> str:
    """Return what an entry says of a query or of what was released."""
    return base64url(sha256(from_base64url(salt) + data))


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return _above(root_hash(leaves[:split]), root_hash(leaves[split:]))


def _above(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 9162, 2.1.3.2). Raises ValueError for a wrong length."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ValueError("a proof that is too long")
        if at & 1 or at == last:
            found = _above(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = _above(found, step)
        at, last = at >> 1, last >> 1
    if last:
        raise ValueError("a proof that is too short")
    return found


def is_consistent(
    first_size: int, first_root: bytes, second_size: int, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the first tree is a beginning of the second (RFC 9162, 2.1.4.2)."""
    if first_size == second_size:
        return not proof and first_root == second_root
    if not 0 < first_size < second_size:
        return False
    steps = list(proof)
    if first_size & (first_size - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        return False
    at, last = first_size - 1, second_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = _above(step, first), _above(step, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = _above(second, step)
        at, last = at >> 1, last >> 1
    return last == 0 and first == first_root and second == second_root


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: the ledger's origin line, its size, and its root of 32 bytes."""

    origin: str
    size: int
    root: bytes
    note: str


_NOTE = re.compile(
    r"(freehold/ledger/[A-Za-z0-9_-]{22,64})\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n\n"
    r"((?:— [^\s]+ [A-Za-z0-9+/]+=*\n){1,32})"
)


def open_checkpoint(note: str, did: str) -> Checkpoint:
    """Return what a note says that this did:key signed.

    Raises:
        ValueError: It is not of the form, or not signed by that key.

    Spec: specs/ledger.md#checkpoints
    """
    found = _NOTE.fullmatch(note)
    if not found:
        raise ValueError("not of a checkpoint's form")
    origin, size, root, signatures = found.groups()
    text = f"{origin}\n{size}\n{root}\n"
    named = sha256(origin.encode() + b"\n\x01" + public_of(did))[:4]
    good = False
    for line in signatures.splitlines():
        name, data = line.removeprefix("— ").split(" ")
        try:
            blob = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise ValueError("a signature that is no base64") from error
        if name == origin and blob[:4] == named:
            if not is_signed(did, blob[4:], text.encode()):
                raise ValueError("a signature that does not verify")
            good = True
    if not good:
        raise ValueError("not signed by the serving key")
    return Checkpoint(origin, int(size), base64.b64decode(root), note)
