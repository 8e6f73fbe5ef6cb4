"""Merkle hashing and proofs, against the published cases and a reference written as RFC 9162 puts it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol import merkle
from freehold_protocol.errors import LedgerError, MalformedError, RolledBackError
from freehold_protocol.merkle import (
    EMPTY,
    EMPTY_ROOT,
    MAX_SIZE,
    CompactRange,
    Tile,
    consistency_path,
    consistency_proof,
    inclusion_path,
    inclusion_proof,
    leaf_hash,
    node_from_tiles,
    node_hash,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)
from hypothesis import given, settings
from hypothesis import strategies as st

LEAVES = [leaf_hash(str(number).encode()) for number in range(300)]


# The reference: RFC 9162, 2.1.1, 2.1.3.1 and 2.1.4.1, as they stand there


def split(leaves: Sequence[bytes]) -> int:
    return 1 << ((len(leaves) - 1).bit_length() - 1)


def mth(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = split(leaves)
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(leaves)
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(leaves)
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def node_of(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Give the hash of a complete subtree; an incomplete one is never asked for."""

    def node(level: int, index: int) -> bytes:
        start, stop = index << level, (index + 1) << level
        assert stop <= len(leaves)
        return mth(leaves[start:stop])

    return node


def grown(size: int) -> CompactRange:
    tree = EMPTY
    for leaf in LEAVES[:size]:
        tree, _ = tree.append(leaf)
    return tree


# Published cases


def unbase64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def run_inclusion(case: dict[str, Any]) -> None:
    verify_inclusion(
        leaf=unbase64(case["leafHash"]),
        index=case["leafIdx"],
        size=case["treeSize"],
        proof=[unbase64(digest) for digest in case["proof"] or ()],
        root=unbase64(case["root"]),
    )


def run_consistency(case: dict[str, Any]) -> None:
    verify_consistency(
        old_size=case["size1"],
        old_root=unbase64(case["root1"]),
        size=case["size2"],
        root=unbase64(case["root2"]),
        proof=[unbase64(digest) for digest in case["proof"] or ()],
    )


def is_refused(run: Callable[[dict[str, Any]], None], case: dict[str, Any]) -> bool:
    try:
        run(case)
    except LedgerError:
        return True
    return False


@pytest.mark.vectors
@pytest.mark.parametrize(("kind", "run"), [("inclusion", run_inclusion), ("consistency", run_consistency)])
def test_published_cases(
    vectors: Path, count_vectors: Callable[..., None], kind: str, run: Callable[[dict[str, Any]], None]
) -> None:
    folder = vectors / "merkle" / "testdata"
    cases = {
        str(file.relative_to(folder)): json.loads(file.read_text())
        for file in sorted((folder / kind).rglob("*.json"))
    }
    refused = [name for name, case in cases.items() if is_refused(run, case)]
    assert refused == [name for name, case in cases.items() if case["wantErr"]]
    assert (len(cases) - len(refused), len(refused)) == (6, 92)  # as SOURCE.md has them
    proofs_of_subtrees = len(list((folder / f"subtree{kind}").rglob("*.json")))  # no part of RFC 9162
    count_vectors("merkle", len(cases), others=proofs_of_subtrees)


# Appending


def test_roots_and_ranges_are_the_references() -> None:
    tree = EMPTY
    assert tree.root() == EMPTY_ROOT == mth([])
    for size in range(1, len(LEAVES) + 1):
        tree, _ = tree.append(LEAVES[size - 1])
        assert tree.size == size
        assert len(tree.to_bytes()) == 32 * size.bit_count()
        assert CompactRange.from_bytes(size, tree.to_bytes()) == tree
        if size < 70 or size % 41 == 0:
            assert tree.root() == mth(LEAVES[:size])
    assert merkle.root_of(LEAVES) == tree.root()


def test_an_append_names_exactly_the_nodes_it_completes() -> None:
    tree, node, seen = EMPTY, node_of(LEAVES), set()
    for leaf in LEAVES:
        tree, completed = tree.append(leaf)
        for level, index, digest in completed:
            assert (index + 1) << level == tree.size
            assert digest == node(level, index)
            seen.add((level, index))
    assert seen == {(level, index) for level in range(1, 9) for index in range(len(LEAVES) >> level)}


@pytest.mark.parametrize(
    ("size", "data"),
    [
        (0, bytes(32)),
        (1, b""),
        (1, bytes(31)),
        (1, bytes(33)),
        (2, bytes(64)),
        (3, bytes(32)),
        (-1, b""),
        (-1, bytes(32)),
        (2**63, bytes(32)),
    ],
)
def test_a_range_of_another_length_is_damaged(size: int, data: bytes) -> None:
    with pytest.raises(LedgerError):
        CompactRange.from_bytes(size, data)


def test_a_range_does_not_hold_what_is_no_hash() -> None:
    with pytest.raises(LedgerError):
        CompactRange(size=1, hashes=(bytes(31),))
    with pytest.raises(LedgerError):
        CompactRange(size=2, hashes=(bytes(32), bytes(32)))
    with pytest.raises(ValueError, match="32 bytes"):
        EMPTY.append(b"not hashed")


# Making proofs


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_proofs_are_the_references_and_verify(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    old_size = data.draw(st.integers(1, size), "old size")
    leaves, node = LEAVES[:size], node_of(LEAVES[:size])

    inclusion = inclusion_proof(index, size, node)
    assert list(inclusion) == path(index, leaves)
    verify_inclusion(leaf=leaves[index], index=index, size=size, proof=inclusion, root=mth(leaves))

    consistency = consistency_proof(old_size, size, node)
    assert list(consistency) == subproof(old_size, leaves)
    verify_consistency(
        old_size=old_size, old_root=mth(leaves[:old_size]), size=size, root=mth(leaves), proof=consistency
    )


def test_every_proof_of_small_trees_is_the_references() -> None:
    for size in range(1, 34):
        leaves, node = LEAVES[:size], node_of(LEAVES[:size])
        for index in range(size):
            assert list(inclusion_proof(index, size, node)) == path(index, leaves)
            assert list(consistency_proof(index + 1, size, node)) == subproof(index + 1, leaves)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 4), (0, 2**63)])
def test_no_inclusion_path_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="size"):
        inclusion_path(index, size)


@pytest.mark.parametrize(("old_size", "size"), [(0, 0), (0, 1), (2, 1), (-1, 1), (1, 2**63)])
def test_no_consistency_path_from_nothing_or_backwards(old_size: int, size: int) -> None:
    with pytest.raises(ValueError, match="size"):
        consistency_path(old_size, size)


# Serving them from a store that keeps every fourth level


class Store:
    """Keeps what a node's database keeps: leaves, and interior nodes at levels 4, 8, ..."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.rows: dict[int, list[bytes]] = {0: list(leaves)}
        self.reads: list[Tile] = []
        tree = EMPTY
        for leaf in leaves:
            tree, completed = tree.append(leaf)
            for level, index, digest in completed:
                if level % merkle.TILE_HEIGHT == 0:
                    row = self.rows.setdefault(level, [])
                    assert len(row) == index
                    row.append(digest)

    def read(self, tile: Tile) -> list[bytes]:
        self.reads.append(tile)
        return self.rows.get(tile.level, [])[tile.start : tile.stop]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_store_of_every_fourth_level_serves_proofs(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    store = Store(LEAVES[:size])

    way = inclusion_path(index, size)
    assert list(merkle.proof_of(way, node_from_tiles(store.read))) == path(index, LEAVES[:size])
    assert store.reads == list(tiles_of(way))  # each once, and no other

    store.reads.clear()
    way = consistency_path(index + 1, size)
    assert list(merkle.proof_of(way, node_from_tiles(store.read))) == subproof(index + 1, LEAVES[:size])
    assert store.reads == list(tiles_of(way))


@pytest.mark.parametrize("size", [2**20, 2**20 - 1, 2**20 + 1, 1_234_567])
def test_a_proof_from_a_million_leaves_reads_few_tiles(size: int) -> None:
    for index in (0, 1, size // 3, size - 1):
        assert len(tiles_of(inclusion_path(index, size))) <= 12
        assert len(tiles_of(consistency_path(index + 1, size))) <= 12


def test_a_store_that_lacks_a_node_says_so() -> None:
    store = Store(LEAVES[:40])
    store.rows[4].pop()
    with pytest.raises(LedgerError):
        inclusion_proof(0, 40, node_from_tiles(store.read))


# Refusing proofs


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_one_changed_bit_breaks_an_inclusion_proof(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    leaves = LEAVES[:size]
    hashes = [leaves[index], grown(size).root(), *path(index, leaves)]
    at = data.draw(st.integers(0, len(hashes) - 1), "hash")
    hashes[at] = flipped(hashes[at], data.draw(st.integers(0, 255), "bit"))
    with pytest.raises(LedgerError):
        verify_inclusion(leaf=hashes[0], index=index, size=size, proof=hashes[2:], root=hashes[1])


@pytest.mark.requirement("LED-16")
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_one_changed_bit_breaks_a_consistency_proof(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300), "size")
    old_size = data.draw(st.integers(1, size), "old size")
    hashes = [grown(old_size).root(), grown(size).root(), *subproof(old_size, LEAVES[:size])]
    at = data.draw(st.integers(0, len(hashes) - 1), "hash")
    hashes[at] = flipped(hashes[at], data.draw(st.integers(0, 255), "bit"))
    with pytest.raises(RolledBackError):
        verify_consistency(old_size=old_size, old_root=hashes[0], size=size, root=hashes[1], proof=hashes[2:])


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_a_proof_holds_for_its_own_numbers_only(size: int, other: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1), "index")
    wrong = data.draw(st.integers(0, 310).filter(lambda number: number != index), "wrong index")
    root, proof = grown(size).root(), path(index, LEAVES[:size])
    with pytest.raises(LedgerError):
        verify_inclusion(leaf=LEAVES[index], index=wrong, size=size, proof=proof, root=root)
    if len(proof) > 1:
        for changed in (proof[1:], proof[:-1], [*proof, proof[0]], [proof[0], *proof], []):
            with pytest.raises(LedgerError):
                verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=changed, root=root)
    if other != size:
        with pytest.raises(LedgerError):
            verify_inclusion(
                leaf=LEAVES[index], index=index, size=size, proof=proof, root=grown(other).root()
            )


def test_an_interior_node_does_not_pass_for_a_leaf() -> None:
    leaves = LEAVES[:4]
    inner = node_hash(leaves[0], leaves[1])
    verify_inclusion(leaf=leaves[0], index=0, size=4, proof=path(0, leaves), root=mth(leaves))
    with pytest.raises(LedgerError):
        verify_inclusion(leaf=inner, index=0, size=4, proof=path(0, leaves)[1:], root=mth(leaves))
    assert leaf_hash(leaves[0] + leaves[1]) != inner


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (1, 1), (-1, 1), (2**63, 2**63 + 1), (0, 2**63), (2**70, 2**71), (0, -1)]
)
def test_inclusion_sizes_are_bounded(index: int, size: int) -> None:
    with pytest.raises(LedgerError):
        verify_inclusion(leaf=LEAVES[0], index=index, size=size, proof=[], root=LEAVES[0])


@pytest.mark.requirement("LED-16")
@pytest.mark.parametrize(
    ("old_size", "size"), [(0, 0), (0, 1), (-1, 1), (1, -1), (1, 2**63), (2**63, 2**63), (2**80, 2**81)]
)
def test_consistency_sizes_are_bounded(old_size: int, size: int) -> None:
    with pytest.raises(LedgerError):
        verify_consistency(old_size=old_size, old_root=LEAVES[0], size=size, root=LEAVES[0], proof=[])


def test_the_largest_tree_still_has_proofs() -> None:
    way = inclusion_path(MAX_SIZE - 1, MAX_SIZE)
    assert len(way) == 62  # one bit of 63 is the leaf's own
    proof = [LEAVES[0]] * len(way)
    with pytest.raises(LedgerError, match="does not show"):
        verify_inclusion(leaf=LEAVES[0], index=MAX_SIZE - 1, size=MAX_SIZE, proof=proof, root=LEAVES[0])
    assert len(consistency_path(2**62 + 1, MAX_SIZE)) <= merkle.MAX_PROOF


def test_a_shorter_ledger_is_rolled_back() -> None:
    with pytest.raises(RolledBackError, match="shorter"):
        verify_consistency(
            old_size=3, old_root=grown(3).root(), size=2, root=grown(2).root(), proof=[LEAVES[0]]
        )
    with pytest.raises(RolledBackError):
        verify_consistency(old_size=3, old_root=grown(3).root(), size=3, root=grown(2).root(), proof=[])


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), b"x"])
def test_only_hashes_of_32_bytes(wrong: bytes) -> None:
    leaves = LEAVES[:3]
    root, proof, old = mth(leaves), path(0, leaves), subproof(2, leaves)
    for leaf, top, way in ((wrong, root, proof), (leaves[0], wrong, proof), (leaves[0], root, [wrong])):
        with pytest.raises(LedgerError, match="32 bytes"):
            verify_inclusion(leaf=leaf, index=0, size=3, proof=way, root=top)
    for before, top, way in (
        (wrong, root, old),
        (mth(leaves[:2]), wrong, old),
        (mth(leaves[:2]), root, [wrong]),
    ):
        with pytest.raises(LedgerError, match="32 bytes"):
            verify_consistency(old_size=2, old_root=before, size=3, root=top, proof=way)


def test_a_proof_is_bounded_before_any_hashing() -> None:
    endless = [LEAVES[0]] * 65
    with pytest.raises(LedgerError, match="64"):
        verify_inclusion(leaf=LEAVES[0], index=0, size=MAX_SIZE, proof=endless, root=LEAVES[0])
    with pytest.raises(LedgerError, match="64"):
        verify_consistency(old_size=1, old_root=LEAVES[0], size=MAX_SIZE, root=LEAVES[0], proof=endless)


# On the wire


def test_a_proof_is_an_array_of_base64url() -> None:
    digest = base64.urlsafe_b64encode(LEAVES[0]).rstrip(b"=").decode()
    assert merkle.parse_proof([digest, digest]) == (LEAVES[0], LEAVES[0])
    assert merkle.parse_proof([]) == ()


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "A" * 43,
        ["A" * 42],
        ["A" * 44],
        ["A" * 42 + "B"],  # trailing bits
        ["A" * 42 + "="],
        ["A" * 42 + "+"],
        ["é" * 43],
        [None],
        [["A" * 43]],
        [b"A" * 43],
        ["A" * 43] * 65,
    ],
)
def test_no_other_form_of_a_proof(value: Any) -> None:
    with pytest.raises(MalformedError):
        merkle.parse_proof(value)
