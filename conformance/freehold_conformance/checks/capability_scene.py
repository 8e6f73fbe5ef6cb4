"""A grant under which links are made, right and wrong: what the checks of capabilities share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import Shown, Stage
from ..cast.trace import Sent, expect_not_admitted, expect_refused, send
from ..check import expect_status
from ..hands import capability as capabilities
from ..hands.encoding import Document, jcs
from ..hands.keys import Key

DELIVERY = "/delivery"
READ = "/delivery/records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """A vendor and two keys that are recipients of ``delivery``; ``news`` has none."""

    stage: Stage
    shown: Shown
    vendor: Holder
    partner: Key
    second: Key

    @property
    def root(self) -> str:
        """The target of the grant's root."""
        return f"{self.vendor.origin}{self.vendor.path()}"

    def link(self, below: str = DELIVERY, **link: Any) -> Holder:
        """Return the partner with a link from the vendor; ``link`` as for delegate."""
        return self.vendor.delegate(below, key=self.partner, **link)

    def targeted(self, target: str) -> Holder:
        """Return the partner with a link of this very target."""
        return self.link(invocationTarget=target)

    def changed(self, change: Callable[[Document], object], **link: Any) -> Holder:
        """Return the partner with a link that was changed after it was signed."""
        holder = self.link(**link)
        change(holder.capability)
        return holder

    def as_text(self, change: Callable[[str], str]) -> str:
        """Return the header of a good link whose JSON was changed as text."""
        return of_header(capabilities.packed(change(jcs(self.link().capability).decode()).encode()))


def of_header(text: str) -> str:
    """Return the value of ``Capability-Invocation`` for a text in the place of a capability."""
    return f'zcap capability="{text}",action="read"'


_USES: Final = 40
"""Of one grant: a partner may have 200 links in use under it, and a check uses five at most."""


async def lent(stage: Stage) -> Lent:
    """Return a grant that these checks share, and only read under."""
    uses = await stage.once("capabilities", _count)
    return await stage.once(f"capabilities {next(uses) // _USES}", lambda: lend(stage))


async def _count() -> count[int]:
    return count()


async def lend(stage: Stage, **more: Any) -> Lent:
    """Make such a grant; ``more`` are members of the permission ``delivery``."""
    shown, partner, second = await stage.person(name="Ada"), Key.fresh(), Key.fresh()
    asked = [
        shown.permission("delivery", ["name"], recipients=[partner.did, second.did], **more),
        shown.permission("news", ["name"], purpose="dpv:Marketing"),
    ]
    made = Lent(stage=stage, shown=shown, vendor=await stage.relate(asked), partner=partner, second=second)
    expect_status(await made.link().get(READ), 200)
    return made


async def expect_takes(holder: Holder, below: str = READ, **signing: Any) -> None:
    """Check that a read under this link comes."""
    expect_status(await holder.get(below, **signing), 200)


async def expect_turns_away(
    scene: Lent, holder: Holder, status: int, *codes: str, below: str = READ, **signing: Any
) -> Sent:
    """Check that a read is refused with one of these codes, shows nothing, and leaves no entry that it was admitted."""
    sent = await send(holder, below, **signing)
    expect_refused(sent, status, *codes, hidden=[scene.shown.tag])
    expect_not_admitted(await scene.stage.owner.ledger(scene.vendor.grant), sent)
    return sent


async def wait_until(at_s: float) -> None:
    """Sleep until this second is over on the node's clock too, as far as the two agree."""
    await asyncio.sleep(max(0, at_s - time.time()))


Made = Callable[[Lent], Holder | str]
"""Makes a link that is not as it should be, or the header that would carry one."""
