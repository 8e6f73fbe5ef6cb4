"""A relationship whose grant a check changes: what is asked, what is given, and how the grant stands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from ..check import expect_problem
from ..hands import receipt
from ..hands.encoding import Document
from ..wire import Answer
from .holder import Holder
from .stage import Shown, Stage

ASKED: Final = ("name", "email", "telephone")
GIVEN: Final = ("name", "email")
LESS: Final = ("name",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A vendor that asked for three fields of one record and was given two, under ``delivery``."""

    stage: Stage
    vendor: Holder
    shown: Shown

    @classmethod
    async def begin(cls, stage: Stage, *, expires_s: float | None = None) -> Life:
        """Ask and approve; ``expires_s`` is when the grant ends, if not as asked."""
        shown = await stage.person(name="Ada", email="ada@example.com", telephone="+44 1632 960001")
        asked = shown.permission("delivery", ASKED)
        given = [shown.permission("delivery", GIVEN)]
        vendor = await stage.relate([asked], given=given, expires_s=expires_s)
        return cls(stage=stage, vendor=vendor, shown=shown)

    @classmethod
    async def expired(cls, stage: Stage) -> Life:
        """Return one whose time is over, which all checks of a run share: nothing changes it any more."""

        async def make() -> Life:
            until = int(stage.now()) + 3
            life = await cls.begin(stage, expires_s=until)
            # The node's clock need not be this one.
            await asyncio.sleep(until - stage.now() + 1)
            expect_problem(await life.vendor.get("/delivery/records"), 403, "grant-expired")
            return life

        return await stage.once("a grant that has expired", make)

    @classmethod
    async def in_state(cls, stage: Stage, state: str) -> Life:
        """Return one of its own in this state, but for ``expired``."""
        if state == "expired":
            return await cls.expired(stage)
        life = await cls.begin(stage)
        if state != "live":
            await stage.owner.change(life.vendor.grant, {"paused": "pause", "ended": "end"}[state])
        return life

    @property
    def grant(self) -> str:
        return self.vendor.grant

    def permission(self, fields: tuple[str, ...]) -> Document:
        return self.shown.permission("delivery", fields)

    def draws(self, change: str) -> Document:
        """Return what a draft of this change names: what is given from then on, where the change says so."""
        fields = {"narrow": LESS, "widen": ASKED}.get(change)
        return {} if fields is None else {"permissions": [self.permission(fields)]}

    async def standing(self) -> Document:
        """Return the grant as the owner sees it."""
        return await self.stage.owner.grant(self.grant)

    async def entries(self) -> list[Document]:
        """Return the entries of its ledger, without what is beside them."""
        return [one["entry"] for one in await self.stage.owner.ledger(self.grant)]

    async def versions(self) -> list[Document]:
        """Return all versions, as the vendor is told and can verify them."""
        told = (await self.vendor.told())["receipt"]
        receipt.signers(told)
        found: list[Document] = told["versions"]
        return found

    async def carry_out(self, drawn: Document, **passphrase: object) -> Answer:
        """Carry out a draft; with the passphrase if that is what the node says it takes, unless one is given."""
        if drawn["passphrase"] and not passphrase:
            passphrase = {"passphrase": self.stage.owner.passphrase}
        return await self.stage.owner.carry_out(self.grant, drawn["digest"], **passphrase)
