"""The suite as a person's node, honest and hostile, before a vendor's or partner's client.

Spec: specs/clients.md
"""

from __future__ import annotations

from typing import Final

from .situation import Situation
from .situations import (
    answers,
    approvals,
    capabilities,
    connecting,
    entries,
    events,
    honest,
    invitations,
    later,
    ledgers,
    moving,
    partners,
    released,
    transport,
)

SITUATIONS: Final[tuple[Situation, ...]] = tuple(
    situation
    for module in (
        honest,
        invitations,
        approvals,
        connecting,
        capabilities,
        released,
        entries,
        ledgers,
        transport,
        answers,
        later,
        events,
        moving,
        partners,
    )
    for situation in module.SCENES.situations
)
"""All situations, what must succeed first."""
