"""The test vectors: one file for each operation, from the modules beside this one that list its cases.

Every outcome is written by hand, from the pages; that our own library agrees is for the tests to say.
"""

from __future__ import annotations

import json
from pathlib import Path

import vectors_encoding
import vectors_identity
import vectors_proofs
import vectors_vocabulary
from cases import Operation

FOLDERS = ("specs/vectors",)
TOPICS: tuple[tuple[Operation, ...], ...] = (
    vectors_encoding.OPERATIONS,
    vectors_identity.OPERATIONS,
    vectors_proofs.OPERATIONS,
    vectors_vocabulary.OPERATIONS,
)


def operations() -> tuple[Operation, ...]:
    """Return every operation with its cases."""
    return tuple(operation for topic in TOPICS for operation in topic)


def files(_root: Path) -> dict[str, bytes]:
    """Return the file of each operation."""
    return {
        f"specs/vectors/{operation.name}.json": (
            json.dumps(operation.to_dict(), indent=1, ensure_ascii=True) + "\n"
        ).encode("ascii")
        for operation in operations()
    }
