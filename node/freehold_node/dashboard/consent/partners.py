"""Who a partner is, as far as the person's node can honestly say, and who says so.

A request names partners by their DID alone. A domain stands behind some; some the person dealt with before, and knows
by what they then called themselves. Of all others there is no name to show, but a short code to tell them apart by.

Spec: specs/node/dashboard.md#partners-on-the-card
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from freehold_protocol.did_document import domain_of, is_vouched

CODE_CHARS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """``kind`` says who vouches: its domain, nobody but itself, this node as of the sample, or that there is no name.

    Attributes:
        did: Of the partner.
        kind: Part of the names of texts.
        name: The domain, or what it called itself; "" for the other two.
        code: The end of a DID behind which no domain stands.
    """

    did: str
    kind: Literal["domain", "known", "sample", "unnamed"]
    name: str = ""

    @property
    def code(self) -> str:
        return self.did[-CODE_CHARS:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintances:
    """By what the person knows vendors, by DID, and who the courier of the demonstration is."""

    names: Mapping[str, str] = field(default_factory=dict)
    sample: str = ""

    def partner(self, did: str) -> Partner:
        """Return who a partner is."""
        if is_vouched(did):  # behind an address of this computer nobody stands: any program may have its port
            return Partner(did=did, kind="domain", name=domain_of(did))
        if did == self.sample:
            return Partner(did=did, kind="sample")
        if name := self.names.get(did):
            return Partner(did=did, kind="known", name=name)
        return Partner(did=did, kind="unnamed")
