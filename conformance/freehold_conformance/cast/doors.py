"""Every route of a node, as the specification lists them: what a check goes through that is about all of them.

Spec: specs/http.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NOBODYS: Final = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""


class Who(StrEnum):
    """Whose a route is, by what proves it."""

    ANYONE = "anyone"
    ASKER = "asker"
    BROWSER = "browser"
    DID = "did"
    HOLDER = "holder"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One route.

    Attributes:
        path: With names in braces for what stands there.
        takes: Whether a body belongs to it.
        vendor_by_did: Whether the vendor's DID opens it beside a capability.
    """

    method: str
    path: str
    who: Who
    takes: bool = False
    vendor_by_did: bool = False

    @property
    def name(self) -> str:
        """``GET /g/{grant}``."""
        return f"{self.method} {self.path}"

    def at(self, **ids: str) -> str:
        """Return the path with these in it; what is not given is nobody's."""
        values = {
            "permission": "delivery",
            "alias": "zNobody",
            "number": "0",
            "capability": f"urn%3Auuid%3A{NOBODYS}",
        }
        given: Mapping[str, str] = values | ids
        return re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], NOBODYS), self.path)


def _of(who: Who, *paths: str, takes: bool = False, vendor_by_did: bool = False) -> tuple[Door, ...]:
    return tuple(
        Door(method=method, path=path, who=who, takes=takes, vendor_by_did=vendor_by_did)
        for method, _, path in (one.partition(" ") for one in paths)
    )


OPEN: Final = _of(Who.ANYONE, "GET /.well-known/freehold", "GET /healthz")
BROWSER: Final = _of(Who.BROWSER, "POST /connect", takes=True)
ASK: Final = _of(Who.ASKER, "POST /i/{invitation}", takes=True)
FOLLOW: Final = _of(Who.DID, "GET /requests/{request}")
RENEW: Final = _of(Who.DID, "POST /g/{grant}/renew")
REVOKE: Final = _of(Who.DID, "POST /g/{grant}/zcaps/revocations/{capability}", takes=True)
GRANT: Final = _of(
    Who.HOLDER,
    "GET /g/{grant}",
    "GET /g/{grant}/ledger/entries",
    "GET /g/{grant}/ledger/entries/{number}",
    "GET /g/{grant}/ledger/checkpoint",
    vendor_by_did=True,
)
READ: Final = _of(
    Who.HOLDER,
    "GET /g/{grant}/{permission}/records",
    "HEAD /g/{grant}/{permission}/records",
    "GET /g/{grant}/{permission}/records/{alias}",
    "HEAD /g/{grant}/{permission}/records/{alias}",
)
BELOW: Final = _of(
    Who.HOLDER,
    "GET /g/{grant}/{permission}",
    "GET /g/{grant}/{permission}/ledger/entries",
    "GET /g/{grant}/{permission}/ledger/entries/{number}",
    "GET /g/{grant}/{permission}/ledger/checkpoint",
)
EVENTS: Final = _of(Who.HOLDER, "GET /g/{grant}/events", "GET /g/{grant}/{permission}/events")
OWNER: Final = (
    *_of(
        Who.OWNER,
        "GET /owner/status",
        "GET /owner/today",
        "GET /owner/activity",
        "GET /owner/activity/timeline",
        "GET /owner/activity/choices",
        "GET /owner/records",
        "GET /owner/records/types",
        "GET /owner/records/{record}",
        "DELETE /owner/records/{record}",
        "GET /owner/requests",
        "GET /owner/requests/{request}",
        "GET /owner/grants",
        "GET /owner/grants/{grant}",
        "GET /owner/grants/{grant}/keys",
        "GET /owner/grants/{grant}/readers",
        "GET /owner/grants/{grant}/ledger",
        "GET /owner/grants/{grant}/ledger/{number}",
        "GET /owner/grants/{grant}/ledger/bundle",
        "GET /owner/origins",
        "GET /owner/sample",
        "GET /owner/devices",
        "DELETE /owner/devices/sessions/{session}",
        "DELETE /owner/devices/passkeys/{passkey}",
    ),
    *_of(
        Who.OWNER,
        "POST /owner/records",
        "PUT /owner/records/{record}",
        "PUT /owner/self",
        "POST /owner/invitations",
        "POST /owner/requests",
        "POST /owner/requests/{request}/draft",
        "POST /owner/requests/{request}/approve",
        "POST /owner/requests/{request}/refuse",
        "POST /owner/requests/{request}/return",
        "POST /owner/grants/{grant}/draft",
        "POST /owner/grants/{grant}/change",
        "POST /owner/grants/{grant}/revocations",
        "POST /owner/grants/{grant}/keys",
        "POST /owner/revocations",
        "POST /owner/origins",
        "POST /owner/backup",
        "POST /owner/export",
        "POST /owner/sample/remove",
        "POST /owner/links",
        "POST /owner/devices/sign-out",
        "POST /owner/passphrase",
        "POST /owner/recovery-sheet",
        "POST /owner/verify",
        "POST /owner/clock/confirm",
        takes=True,
    ),
)
IMPORTS: Final = _of(
    Who.OWNER,
    "POST /owner/import",
    "POST /owner/import/preview",
    "POST /owner/import/mapping",
    takes=True,
)
UNDER_A_GRANT: Final = (*READ, *GRANT, *BELOW, *EVENTS, *RENEW, *REVOKE)
DOORS: Final = (*OPEN, *BROWSER, *ASK, *FOLLOW, *UNDER_A_GRANT, *OWNER)
"""All that every node has; those of imports are for who claims them."""
