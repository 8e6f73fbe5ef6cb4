"""The registered codes of refusals, and the status that each comes with.

Spec: specs/errors.md
"""

from __future__ import annotations

from typing import Final

STATUS: Final = {
    "error": 500,
    "malformed": 400,
    "too-large": 413,
    "too-deep": 400,
    "duplicate-key": 400,
    "undefined-term": 400,
    "request-incomplete": 400,
    "unsupported": 422,
    "signature-invalid": 401,
    "signature-stale": 401,
    "replayed": 409,
    "capability-invalid": 403,
    "capability-expired": 403,
    "capability-widened": 403,
    "wrong-target": 403,
    "wrong-controller": 403,
    "wrong-action": 403,
    "wrong-purpose": 403,
    "revoked": 403,
    "grant-invalid": 403,
    "grant-paused": 403,
    "grant-ended": 403,
    "grant-expired": 403,
    "grant-not-yet": 403,
    "outside-hours": 403,
    "limit-reached": 403,
    "not-shared": 403,
    "widened": 403,
    "not-in-this-state": 409,
    "draft-changed": 409,
    "cursor-stale": 409,
    "ledger-damaged": 500,
    "ledger-rolled-back": 500,
    "receipt-invalid": 400,
    "release-invalid": 500,
    "not-found": 404,
    "not-authenticated": 401,
    "passphrase-wrong": 403,
    "conflict": 409,
    "precondition-failed": 412,
    "unavailable": 503,
    "clock-suspect": 503,
    "did-unavailable": 503,
    "storage-full": 507,
}
"""Of each code, its own or that of its family."""

ALSO: Final = {"malformed": (405, 417)}
"""Statuses that a code has besides."""

RETRY_AFTER: Final = {"did-unavailable": "120"}
"""What comes with 503; ``5`` if it is not named here."""
