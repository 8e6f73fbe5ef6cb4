"""The test vectors: one file for each operation, from the modules beside this one that list its cases.

Every outcome is written by hand, from the pages; that our own library agrees is for the tests to say.
"""

from __future__ import annotations

import json
from pathlib import Path

import vectors_bundles
import vectors_capabilities
import vectors_encoding
import vectors_grants
import vectors_identity
import vectors_invocation
import vectors_ledger
import vectors_limits
import vectors_messages
import vectors_moving
import vectors_narrowing
import vectors_permissions
import vectors_proofs
import vectors_receipts
import vectors_records
import vectors_released
import vectors_requests
import vectors_signatures
import vectors_vocabulary
from cases import Operation

FOLDERS = ("specs/vectors",)
TOPICS: tuple[tuple[Operation, ...], ...] = (
    vectors_encoding.OPERATIONS,
    vectors_identity.OPERATIONS,
    vectors_proofs.OPERATIONS,
    vectors_vocabulary.OPERATIONS,
    vectors_requests.OPERATIONS,
    vectors_records.OPERATIONS,
    vectors_permissions.OPERATIONS,
    vectors_grants.OPERATIONS,
    vectors_narrowing.OPERATIONS,
    vectors_receipts.OPERATIONS,
    vectors_moving.OPERATIONS,
    vectors_capabilities.OPERATIONS,
    vectors_invocation.OPERATIONS,
    vectors_messages.OPERATIONS,
    vectors_limits.OPERATIONS,
    vectors_signatures.OPERATIONS,
    vectors_ledger.OPERATIONS,
    vectors_bundles.OPERATIONS,
    vectors_released.OPERATIONS,
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
