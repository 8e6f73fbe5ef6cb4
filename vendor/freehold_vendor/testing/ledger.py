"""The ledger of one pretended grant: a real Merkle log, with real proofs and checkpoints.

Spec: specs/ledger.md
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.entry import Entry
from freehold_protocol.errors import MalformedError, NotFoundError
from freehold_protocol.keys import SigningKey
from freehold_protocol.ledger import canonical_leaf
from freehold_protocol.merkle import EMPTY, CompactRange, consistency_proof, inclusion_proof

_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry: what it says, the salt and hash of its leaf, and the DIDs of those who may see it."""

    entry: Document
    salt: bytes
    leaf: bytes
    seen_by: tuple[str, ...]

    def shown_to(self, holder: str) -> Document:
        """Return the line as a holder may see it."""
        shown: Document = {"number": self.entry["number"], "leaf": base64url_encode(self.leaf)}
        if holder in self.seen_by:
            shown |= {"entry": self.entry, "salt": base64url_encode(self.salt)}
        return shown


class PretendLedger:
    """Entries and the tree over them."""

    def __init__(self, origin: str, key: SigningKey) -> None:
        """Begin an empty ledger of that origin line, signed by the serving key."""
        self.origin, self._key = origin, key
        self.lines: list[Line] = []
        self._range: CompactRange = EMPTY
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._last_us = 0

    @property
    def size(self) -> int:
        """How many entries there are; the number of the next."""
        return len(self.lines)

    def time_s(self, now_us: int) -> int:
        """Return the time of the next entry: now, and never before the last entry's."""
        self._last_us = max(self._last_us, now_us)
        return self._last_us // _US

    def append(self, entry: Entry, salt: bytes, *, seen_by: tuple[str, ...]) -> None:
        """Append an entry whose number is the size."""
        document = entry.to_dict()
        leaf = canonical_leaf(jcs(document), salt)
        self._add(Line(entry=document, salt=salt, leaf=leaf, seen_by=seen_by))

    def _add(self, line: Line) -> None:
        self._nodes[0, self.size] = line.leaf
        self._range, completed = self._range.append(line.leaf)
        self._nodes |= {(level, index): node for level, index, node in completed}
        self.lines.append(line)

    def checkpoint(self) -> str:
        """Return the signed note of the head."""
        head = Checkpoint(origin=self.origin, size=self.size, root=self._range.root())
        return sign_checkpoint(head, self._key)

    def consistency(self, old_size: int) -> list[str]:
        """Return the proof that this continues the ledger of old_size entries. Raises MalformedError."""
        if not 0 < old_size <= self.size:
            raise MalformedError("the ledger has not had that size")
        return _texts(consistency_proof(old_size, self.size, self._node))

    def entry(self, number: int, holder: str) -> Document:
        """Return an entry with its proof of inclusion. Raises NotFoundError."""
        if number >= self.size:
            raise NotFoundError("no such entry")
        return {
            **self.lines[number].shown_to(holder),
            "size": self.size,
            "proof": _texts(inclusion_proof(number, self.size, self._node)),
        }

    def _node(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]

    def forked(self) -> Self:
        """Return another ledger of the same length, as nobody honest has it: its first leaf is another."""
        other = type(self)(self.origin, self._key)
        for line in self.lines:
            leaf = line.leaf if other.size else canonical_leaf(jcs(line.entry), bytes(len(line.salt)))
            other._add(replace(line, leaf=leaf))  # noqa: SLF001 - of this class
        return other


def _texts(proof: tuple[bytes, ...]) -> list[str]:
    return [base64url_encode(node) for node in proof]
