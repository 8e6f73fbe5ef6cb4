"""Succession: which serving key signs a ledger's checkpoints, from which size on.

A ledger goes on under its name when the person's keys change. The entry of the change stands between what the old
key may sign and what the new one may: neither ever signs what is the other's.

Spec: specs/rotation.md#ledger
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from .checkpoint import Checkpoint, open_checkpoint
from .entry import Changed, Entry
from .errors import SignatureError
from .keys import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """The serving keys of one grant in their order, and where in its ledger one took over from another.

    Attributes:
        keys: As the verified versions of the grant name them, the oldest first.
        changes: Numbers of the entries, as far as they can be read, by which a key took over.
        is_whole: Whether every such entry can be read.
    """

    keys: tuple[PublicKey, ...]
    changes: tuple[int, ...] = ()
    is_whole: bool = True

    @classmethod
    def of(cls, keys: Iterable[PublicKey], entries: Iterable[Entry], *, is_whole: bool = True) -> Self:
        """Return what keys and entries say together."""
        changes = tuple(
            sorted(one.number for one in entries if isinstance(one, Changed) and one.change == "rotate")
        )
        return cls(keys=tuple(keys), changes=changes, is_whole=is_whole)

    def signers(self, size: int) -> tuple[PublicKey, ...]:
        """Return who may have signed a checkpoint of that size: one key, or those of which it cannot be told."""
        after = sum(number < size for number in self.changes)
        last = after if self.is_whole else len(self.keys) - 1 - (len(self.changes) - after)
        return self.keys[after : last + 1]

    def verify(self, note: str, *, origin: str) -> Checkpoint:
        """Return what a note says, if one who may sign at its size signed it.

        Raises:
            MalformedError: As open_checkpoint.
            TooLargeError: As open_checkpoint.
            LedgerError: It is another ledger's.
            SignatureError: Another key signed it, an earlier or a later one included.
        """
        for key in self.keys:
            try:
                checkpoint = open_checkpoint(note, origin=origin, key=key)
            except SignatureError:
                continue
            if key in self.signers(checkpoint.size):
                return checkpoint
        raise SignatureError("the checkpoint is not signed by the key that signs at its size")
