"""What a person signs: the versions of a grant, that it moved, that its ledger was restored.

Nothing here is checked, so that what must be refused can be made too.

Spec: specs/grants.md
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from typing import Final

from . import proof
from .encoding import Document, Json, base64url, cid, xsd_time
from .keys import Key

CONTEXT: Final = proof.CONTEXT


def nonce() -> str:
    """Return the nonce of a document, 22 characters."""
    return base64url(secrets.token_bytes(16))


def first_version(
    request: Document,
    *,
    decision: Key,
    serving: Key,
    origins: Sequence[str],
    log: str,
    permissions: Sequence[Document],
    created_s: float,
    expires_s: float,
    **members: Json,
) -> Document:
    """Return the draft of a first version, not signed; ``members`` take the place of those it would have."""
    made: Document = {
        "@context": CONTEXT,
        "type": "AccessGrant",
        "id": f"urn:uuid:{uuid.uuid4()}",
        "nonce": nonce(),
        "version": 1,
        "state": "live",
        "created": xsd_time(created_s),
        "request": cid(request),
        "assigner": decision.did,
        "servingKey": serving.did,
        "assignee": request["assignee"]["id"],
        "origins": list(origins),
        "log": log,
        "notBefore": xsd_time(created_s),
        "expires": xsd_time(expires_s),
        "permission": list(permissions),
    }
    return made | members


def next_version(before: Document, *, created_s: float, **members: Json) -> Document:
    """Return the draft of the version after one that is signed; ``members`` are what it changes.

    Spec: specs/grants.md#changes
    """
    made = {name: value for name, value in before.items() if name != "proof"}
    fresh: Document = {
        "nonce": nonce(),
        "version": before["version"] + 1,
        "created": xsd_time(created_s),
        "previous": cid(before),
    }
    return made | fresh | members


def signed(draft: Document, *keys: Key) -> Document:
    """Return a version with its proof; by two keys, with the set of proofs of a change of keys."""
    proofs = [proof.sign(draft, key, created=draft["created"])["proof"] for key in keys]
    return {**draft, "proof": proofs[0] if len(proofs) == 1 else proofs}


def receipt(request: Document, versions: Sequence[Document]) -> Document:
    """Return the receipt.

    Spec: specs/receipts.md#form
    """
    return {"type": "Receipt", "request": request, "versions": list(versions)}


def moved(grant: Document, key: Key, origins: Sequence[str], *, created_s: float) -> Document:
    """Return the statement that a grant is reached at these origins too.

    Spec: specs/moving.md#form
    """
    return _statement(key, "Moved", created_s, grant=grant["id"], origins=list(origins))


def restored(version: Document, key: Key, *, count: int, root: bytes, created_s: float) -> Document:
    """Return the statement that the ledger of a grant goes on from this head.

    Spec: specs/restoring.md#statement
    """
    return _statement(
        key,
        "Restored",
        created_s,
        grant=version["id"],
        log=version["log"],
        count=count,
        root=base64url(root),
        previous=cid(version),
    )


def status(version: Document, key: Key, permission: str, *, created_s: float) -> Document:
    """Return how a grant stands, as a partner is told.

    Spec: specs/http.md#holders
    """
    told: Document = {
        "@context": CONTEXT,
        "type": "GrantStatus",
        "grant": version["id"],
        "version": version["version"],
        "state": version["state"],
        "expires": version["expires"],
    }
    given = [one for one in version["permission"] if one["name"] == permission]
    if given:
        told["permission"] = given
    return proof.sign(told, key, created=xsd_time(created_s))


def _statement(key: Key, kind: str, created_s: float, **members: Json) -> Document:
    made = {
        "@context": CONTEXT,
        "type": kind,
        **members,
        "nonce": nonce(),
        "created": xsd_time(created_s),
    }
    return proof.sign(made, key, created=made["created"])
