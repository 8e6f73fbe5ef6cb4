"""Merkle tree hashing, the compact range that appends need, and the proofs of RFC 9162.

A node of the tree is named by its level (0: leaves) and its index within the level, counted from the left.
Only complete subtrees have such a name; the right edge, where a tree is not full, is folded anew from them.

Spec: specs/ledger.md#tree
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from . import form
from .encoding import Json, base64url_decode
from .errors import LedgerError, MalformedError, RolledBackError
from .limits import HASH_BYTES

EMPTY_ROOT: Final = hashlib.sha256().digest()
"""Root of the tree without leaves."""
MAX_SIZE: Final = 2**63 - 1
"""Leaves of one tree; fits every database's integer."""
MAX_PROOF: Final = 64
"""Hashes of one proof; more than a tree of MAX_SIZE leaves is high."""
TILE_HEIGHT: Final = 4
"""Levels that one tile spans: a store keeps the nodes of levels 0, 4, 8, ... and folds the rest from them."""
TILE_WIDTH: Final = 1 << TILE_HEIGHT

Completed = tuple[int, int, bytes]
"""Level, index and hash of an interior node."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 of 0x00 and the data."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an interior node: SHA-256 of 0x01 and its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactRange:
    """All that appending to a tree needs: its size, and the roots of its largest complete subtrees.

    ``hashes`` stand left to right, one for each bit set in ``size``, so the largest subtree comes first.

    Raises:
        LedgerError: Another number of hashes, one that is not 32 bytes long, or a size out of range.

    Spec: specs/ledger.md#tree
    """

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.hashes) != self.size.bit_count():
            raise LedgerError("a compact range has one hash for each bit of its size")
        for digest in self.hashes:
            if len(digest) != HASH_BYTES:
                raise LedgerError(f"a hash has {HASH_BYTES} bytes")

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> CompactRange:
        """Return the range whose to_bytes gave data.

        Raises:
            LedgerError: The data does not have the length that size demands.
        """
        if len(data) != HASH_BYTES * size.bit_count():
            raise LedgerError("a compact range has one hash for each bit of its size")
        starts = range(0, len(data), HASH_BYTES)
        return cls(size=size, hashes=tuple(data[start : start + HASH_BYTES] for start in starts))

    def to_bytes(self) -> bytes:
        """Return the hashes one after another, 32 bytes each."""
        return b"".join(self.hashes)

    def append(self, leaf: bytes) -> tuple[CompactRange, tuple[Completed, ...]]:
        """Return the range with one leaf more, and the interior nodes which that leaf completed.

        Args:
            leaf: As leaf_hash returns it.
        """
        if len(leaf) != HASH_BYTES:
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
        waiting = list(self.hashes)
        completed: list[Completed] = []
        node, level, index = leaf, 0, self.size
        while index & 1:  # a left sibling waits at this level
            node = node_hash(waiting.pop(), node)
            level, index = level + 1, index >> 1
            completed.append((level, index, node))
        waiting.append(node)
        return CompactRange(size=self.size + 1, hashes=tuple(waiting)), tuple(completed)

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        return _fold_edge(self.hashes) if self.size else EMPTY_ROOT


EMPTY: Final = CompactRange(size=0, hashes=())
"""The tree without leaves."""


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root of the tree with these leaf hashes."""
    tree = EMPTY
    for leaf in leaves:
        tree, _ = tree.append(leaf)
    return tree.root()


def _fold_edge(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees of falling size, left to right."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _fold_full(hashes: Sequence[bytes]) -> bytes:
    """Return the root over equal subtrees, a power of two of them."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


# Proofs: which nodes one is made of


Node = tuple[int, int]
"""Level and index of a complete subtree."""
Path = tuple[tuple[Node, ...], ...]
"""One group for each hash of a proof; a group of several is the right edge, folded into one hash."""


def _subtrees(start: int, stop: int) -> tuple[Node, ...]:
    """Return the complete subtrees that cover leaves start to stop, where start fits the largest of them."""
    nodes: list[Node] = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return tuple(nodes)


def _path(level: int, index: int, size: int) -> Path:
    """Return the siblings on the way from a node up to the root of a tree of size leaves."""
    groups: list[tuple[Node, ...]] = []
    for height in range(level, (size - 1).bit_length()):
        start = ((index >> (height - level)) ^ 1) << height
        if start < size:  # else the right edge rises a level without a sibling
            groups.append(_subtrees(start, min(start + (1 << height), size)))
    return tuple(groups)


def inclusion_path(index: int, size: int) -> Path:
    """Return which nodes prove that the leaf at index is in the tree of size leaves; leaf upwards."""
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError("an index is less than the tree's size")
    return _path(0, index, size)


def consistency_path(old_size: int, size: int) -> Path:
    """Return which nodes prove that the tree of size leaves begins with that of old_size leaves."""
    if not 0 < old_size <= size <= MAX_SIZE:
        raise ValueError("consistency runs from a tree with leaves to one of at least its size")
    if old_size == size:
        return ()
    level = (old_size & -old_size).bit_length() - 1  # of the old tree's last complete subtree
    index = (old_size - 1) >> level
    rest = _path(level, index, size)
    # If that subtree is the whole old tree, the verifier has its hash: the old root.
    return rest if index == 0 else (((level, index),), *rest)


def proof_of(path: Path, node: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """Return the hashes of a proof.

    Args:
        path: As inclusion_path or consistency_path return it.
        node: Gives the hash of the complete subtree at a level and index.
    """
    return tuple(_fold_edge([node(*each) for each in group]) for group in path)


def inclusion_proof(index: int, size: int, node: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """Return the proof that the leaf at index is in the tree of size leaves."""
    return proof_of(inclusion_path(index, size), node)


def consistency_proof(old_size: int, size: int, node: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    """Return the proof that the tree of size leaves begins with that of old_size leaves."""
    return proof_of(consistency_path(old_size, size), node)


# Serving proofs from stored nodes


class Tile(NamedTuple):
    """Up to 16 neighbouring stored nodes: those of ``level`` from ``start`` up to but not including ``stop``.

    ``level`` is a multiple of TILE_HEIGHT. At the tree's right edge a tile holds fewer.
    """

    level: int
    start: int

    @property
    def stop(self) -> int:
        """The index after the last that may be in the tile."""
        return self.start + TILE_WIDTH


def _place(node: Node) -> tuple[Tile, int, int]:
    """Return the tile from which a node is folded, and the first and the number of its hashes there."""
    level, index = node
    above = level % TILE_HEIGHT
    first = index << above
    offset = first % TILE_WIDTH
    return Tile(level - above, first - offset), offset, 1 << above


def tiles_of(path: Path) -> tuple[Tile, ...]:
    """Return the distinct tiles that a proof reads, each of them one range query."""
    return tuple(dict.fromkeys(_place(node)[0] for group in path for node in group))


def node_from_tiles(read: Callable[[Tile], Sequence[bytes]]) -> Callable[[int, int], bytes]:
    """Return the ``node`` argument of a proof for a store that keeps every fourth level.

    Args:
        read: Returns a tile's hashes from its start, in order; called once for each tile.

    Raises:
        LedgerError: From the returned function: the store lacks a node.
    """
    seen: dict[Tile, Sequence[bytes]] = {}

    def node(level: int, index: int) -> bytes:
        tile, offset, count = _place((level, index))
        if tile not in seen:
            seen[tile] = read(tile)
        hashes = seen[tile][offset : offset + count]
        if len(hashes) != count:
            raise LedgerError("the store lacks a node of the tree")
        return _fold_full(hashes)

    return node


# Verification


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf at index is in the tree of size leaves with this root.

    Raises:
        LedgerError: It is not shown to be, or a size or a hash has no right form.

    Spec: specs/ledger.md#proofs
    """
    _check_hashes(proof, leaf, root)
    if not 0 <= index < size <= MAX_SIZE:
        raise LedgerError("an index is less than the tree's size")
    side, last, made = index, size - 1, leaf  # RFC 9162, 2.1.3.2: fn, sn, r
    for sibling in proof:
        if last == 0:
            raise LedgerError("an inclusion proof is too long")
        if side & 1 or side == last:
            made = node_hash(sibling, made)
            while not side & 1 and side:
                side, last = side >> 1, last >> 1
        else:
            made = node_hash(made, sibling)
        side, last = side >> 1, last >> 1
    if last or made != root:
        raise LedgerError("the proof does not show that the entry is in the ledger")


def verify_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of size leaves begins with the earlier tree.

    Raises:
        RolledBackError: The tree is smaller, or the proof does not lead from the old root to the new.
        LedgerError: The earlier tree has no leaves, or a size or a hash has no right form.

    Spec: specs/ledger.md#proofs
    """
    if not (0 < old_size <= MAX_SIZE and 0 <= size <= MAX_SIZE):
        raise LedgerError("consistency runs from a tree with leaves")
    if size < old_size:
        raise RolledBackError("the ledger is shorter than it was before")
    if size == old_size:  # nothing is hashed, so nothing is asked of the form of two equal roots
        if proof or root != old_root:
            raise RolledBackError("one size has two roots, or a proof where none is needed")
        return
    _check_hashes(proof, old_root, root)
    if _roots_by(proof, old_size, old_root, size) != (old_root, root):
        raise RolledBackError("the proof does not show that the ledger continues the one seen before")


def _roots_by(
    proof: Sequence[bytes], old_size: int, old_root: bytes, size: int
) -> tuple[bytes, bytes] | None:
    """Return the old and the new root that a proof leads to between two sizes; None at a wrong length."""
    # RFC 9162, 2.1.4.2: an old tree that is one complete subtree is not repeated in the proof.
    steps = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    side, last = old_size - 1, size - 1  # fn, sn
    while side & 1:
        side, last = side >> 1, last >> 1
    if not steps:
        return None
    old_made = made = steps[0]  # fr, sr
    for sibling in steps[1:]:
        if last == 0:
            return None
        if side & 1 or side == last:
            old_made, made = node_hash(sibling, old_made), node_hash(sibling, made)
            while not side & 1 and side:
                side, last = side >> 1, last >> 1
        else:
            made = node_hash(made, sibling)
        side, last = side >> 1, last >> 1
    return None if last else (old_made, made)


def _check_hashes(proof: Sequence[bytes], *others: bytes) -> None:
    if len(proof) > MAX_PROOF:
        raise LedgerError(f"a proof has more than {MAX_PROOF} hashes")
    if any(len(digest) != HASH_BYTES for digest in (*proof, *others)):
        raise LedgerError(f"a hash has {HASH_BYTES} bytes")


# Hashes on the wire


def parse_hash(value: Json) -> bytes:
    """Return a hash from its JSON text.

    Raises:
        MalformedError: Not base64url of 32 bytes.
    """
    digest = base64url_decode(value) if isinstance(value, str) and len(value) == 43 else b""
    if len(digest) != HASH_BYTES:
        raise MalformedError(f"a hash is base64url of {HASH_BYTES} bytes")
    return digest


def parse_proof(value: Json) -> tuple[bytes, ...]:
    """Return a proof from its JSON array.

    Raises:
        MalformedError: Not an array of hashes, or of more than MAX_PROOF.
    """
    return form.array(value, "a proof", parse_hash, most=MAX_PROOF)
