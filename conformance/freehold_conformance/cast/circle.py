"""A vendor with partners: one that passed on what it was given, whom it passed that on to, and another."""

from __future__ import annotations

from dataclasses import dataclass

from ..check import expect_problem
from ..hands import capability as capabilities
from ..hands.encoding import Document, Json
from ..hands.keys import Key, public_of
from .holder import Holder
from .life import GIVEN, LESS
from .stage import Shown, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A vendor, a partner of its, a partner of that partner, and another partner of the vendor's."""

    stage: Stage
    shown: Shown
    vendor: Holder
    partner: Holder
    below: Holder
    other: Holder

    @classmethod
    async def begin(cls, stage: Stage) -> Circle:
        keys = [Key.fresh() for _ in range(3)]
        shown = await stage.person(name="Ada", email="ada@example.com")
        partners: Json = [key.did for key in keys]
        asked = [
            shown.permission("delivery", GIVEN, recipients=partners),
            shown.permission("news", LESS, purpose="dpv:DirectMarketing"),
        ]
        vendor = await stage.relate(asked)
        partner = vendor.delegate("/delivery", key=keys[0])
        return cls(
            stage=stage,
            shown=shown,
            vendor=vendor,
            partner=partner,
            below=partner.delegate("/delivery", key=keys[1]),
            other=vendor.delegate("/delivery", key=keys[2]),
        )

    async def all_read(self, *holders: Holder) -> None:
        for holder in holders or (self.vendor, self.partner, self.below, self.other):
            await holder.read("delivery")

    async def none_reads(self, *holders: Holder, code: str = "revoked") -> None:
        for holder in holders:
            for below in ("/delivery/records", "/delivery", "/delivery/ledger/entries", "/delivery/events"):
                expect_problem(await holder.get(below), 403, code)

    async def grant(self) -> Document:
        return await self.stage.owner.grant(self.vendor.grant)

    async def changes(self) -> list[Document]:
        listed = await self.stage.owner.ledger(self.vendor.grant)
        return [one["entry"] for one in listed if one["entry"]["kind"] == "changed"]


def digest_of(holder: Holder) -> str:
    """Return what names a holder's capability for revoking."""
    link = holder.capability
    return capabilities.digest(link, public_of(link["proof"]["verificationMethod"]))
