"""Whether an entry of a ledger is proven by what was told with it."""

from __future__ import annotations

from freehold_protocol.checkpoint import parse_checkpoint
from freehold_protocol.encoding import Document, base64url_decode
from freehold_protocol.errors import FreeholdError
from freehold_protocol.ledger import entry_leaf
from freehold_protocol.merkle import parse_hash, parse_proof, verify_inclusion


def is_proven(told: Document) -> bool:
    """Whether an entry gives its leaf hash, and that is in the tree of the checkpoint that came with it."""
    leaf = parse_hash(told["leaf"])
    try:
        verify_inclusion(
            leaf=leaf, index=told["number"], size=told["size"], proof=parse_proof(told["proof"]),
            root=parse_checkpoint(told["checkpoint"]).root,
        )  # fmt: skip
    except FreeholdError:
        return False
    return "entry" not in told or entry_leaf(told["entry"], base64url_decode(told["salt"])) == leaf
