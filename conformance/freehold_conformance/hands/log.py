"""A ledger of one's own: entries, leaves, proofs and checkpoints, true or not.

Spec: specs/ledger.md
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from .encoding import Document, base64url, sha256, xsd_time
from .keys import Key
from .merkle import leaf_hash, root_hash


def log_name() -> str:
    """Return a fresh origin line."""
    return "freehold/ledger/" + base64url(secrets.token_bytes(24))


def note(origin: str, size: int, root: bytes, key: Key, *, name: str | None = None) -> str:
    """Return a checkpoint as a signed note; ``name`` is the key's name, if it is not the origin.

    Spec: specs/ledger.md#checkpoints
    """
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    name = origin if name is None else name
    named = sha256(name.encode() + b"\n\x01" + key.public)[:4]
    blob = base64.b64encode(named + key.sign(text.encode())).decode()
    return f"{text}\n— {name} {blob}\n"


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that a leaf is in the tree (RFC 9162, 2.1.3.1)."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*inclusion(leaves[:split], index), root_hash(leaves[split:])]
    return [*inclusion(leaves[split:], index - split), root_hash(leaves[:split])]


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Return the proof that the first ``size`` leaves are a beginning of the tree (RFC 9162, 2.1.4.1)."""
    return [] if size == len(leaves) else _subproof(leaves, size, whole=True)


def _subproof(leaves: Sequence[bytes], size: int, *, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root_hash(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= split:
        return [*_subproof(leaves[:split], size, whole=whole), root_hash(leaves[split:])]
    return [*_subproof(leaves[split:], size - split, whole=False), root_hash(leaves[:split])]


@dataclass(slots=True)
class Log:
    """One grant's ledger; whoever holds it can also write it anew."""

    origin: str = field(default_factory=log_name)
    entries: list[Document] = field(default_factory=list)
    salts: list[str] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.leaves)

    def next_salt(self) -> str:
        return base64url(secrets.token_bytes(32))

    def append(self, kind: str, now_s: float, salt: str | None = None, **members: object) -> int:
        """Append an entry and return its number."""
        number = len(self.entries)
        self.set(number, {"number": number, "time": xsd_time(now_s), "kind": kind, **members}, salt)
        return number

    def set(self, number: int, entry: Document, salt: str | None = None) -> None:
        """Put an entry in a place, the next one or, as no honest node does, one that is taken."""
        salt = salt or self.next_salt()
        leaf = leaf_hash(entry, salt)
        self.entries[number : number + 1] = [entry]
        self.salts[number : number + 1] = [salt]
        self.leaves[number : number + 1] = [leaf]

    def copy(self) -> Log:
        return Log(self.origin, list(self.entries), list(self.salts), list(self.leaves))

    def note(self, key: Key, size: int | None = None) -> str:
        """Return the checkpoint of this size, or of all."""
        size = self.size if size is None else size
        return note(self.origin, size, root_hash(self.leaves[:size]), key)

    def shown(self, number: int, key: Key) -> Document:
        """Return an entry as a node shows it to whoever may see its body.

        Spec: specs/http.md#ledger
        """
        return {
            "number": number,
            "leaf": base64url(self.leaves[number]),
            "entry": self.entries[number],
            "salt": self.salts[number],
            "size": self.size,
            "proof": [base64url(one) for one in inclusion(self.leaves, number)],
            "checkpoint": self.note(key),
        }

    def head(self, key: Key, since: int | None = None) -> Document:
        """Return the checkpoint, and the proof that it continues the one of a size."""
        told: Document = {"checkpoint": self.note(key)}
        if since is not None:
            told["consistency"] = [base64url(one) for one in consistency(self.leaves, since)]
        return told
