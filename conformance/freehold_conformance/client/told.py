"""What a node says beside documents: problems, codes, events, and by which names a chain goes.

Spec: specs/http.md#messages
"""

from __future__ import annotations

import json
import secrets
from typing import Final

from ..hands import capability as cap
from ..hands.encoding import Document, cid, sha256
from ..hands.keys import public_of
from .server import Reply

ERRORS: Final = "https://w3id.org/freehold/v1/errors#"
_STATUS: Final = {
    "malformed": 400, "signature-invalid": 401, "not-found": 404, "replayed": 409, "cursor-stale": 409,
    "unavailable": 503,
}  # fmt: skip


def problem(code: str, status: int | None = None, *, detail: str = "as the situation has it") -> Reply:
    """Return a refusal as nodes send it.

    Spec: specs/http.md#messages
    """
    status = _STATUS.get(code, 403) if status is None else status
    document = {"type": ERRORS + code, "title": "Refused", "status": status, "code": code, "detail": detail}
    made = Reply.of(document, status).headed(content_type="application/problem+json", freehold_code=code)
    return made.headed(retry_after="5") if status == 503 else made


def matching_code(request: Document) -> str:
    """Return the code that both screens show.

    Spec: specs/requests.md#matching-code
    """
    digits = f"{int.from_bytes(sha256(cid(request).encode())[:16]) % 10**8:08d}"
    return f"{digits[:4]}-{digits[4:]}"


def event(kind: str, permission: str | None = None, *, number: str | None = None) -> bytes:
    """Return an event's bytes.

    Spec: specs/http.md#events
    """
    data = json.dumps({} if permission is None else {"permission": permission}, separators=(",", ":"))
    return f"event: {kind}\nid: {number or secrets.token_urlsafe(16)}\ndata: {data}\n\n".encode()


def chain_digests(leaf: Document) -> list[str]:
    """Return the names of a chain's links for the ledger, root-most first."""
    return [
        cap.digest(link, public_of(link["proof"]["verificationMethod"].partition("#")[0]))
        for link in links_of(leaf)
    ]


def links_of(leaf: Document) -> list[Document]:
    """Return the links of a chain below its root, the first one first."""
    above = leaf["proof"]["capabilityChain"][-1]
    return [*(links_of(above) if isinstance(above, dict) else []), leaf]
