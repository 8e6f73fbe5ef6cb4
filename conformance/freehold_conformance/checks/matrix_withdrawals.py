"""What a person, or a holder, can take back, and whom each withdrawal stops from then on.

Spec: specs/grants.md#revocation
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..cast.holder import Holder
from ..cast.stage import Shown, Stage
from ..check import expect_status
from ..hands.capability import digests
from ..hands.encoding import Document
from ..hands.keys import Key
from .matrix_rules import (
    ENDED,
    NO_RECIPIENT,
    NOT_SHARED,
    NOT_SHOWN,
    PAUSED,
    REVOKED,
    Rule,
)

EVERYONE: Final = ("vendor", "partner", "further")


@dataclass(slots=True, kw_only=True)
class Play:
    """A grant of two permissions, and a chain of three who hold ``delivery``."""

    stage: Stage
    shown: Shown
    permissions: list[Document]
    holders: dict[str, Holder] = field(default_factory=dict)

    @property
    def grant(self) -> str:
        return self.holders["vendor"].grant


async def open_play(stage: Stage) -> Play:
    """Make a grant for one check alone."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    partner, further = Key.fresh(), Key.fresh()
    asked = [
        shown.permission("delivery", ["name", "email"], recipients=[partner.did, further.did]),
        shown.permission("news", ["email"], purpose="dpv:Marketing"),
    ]
    vendor = await stage.relate(asked)
    play = Play(stage=stage, shown=shown, permissions=asked)
    first = vendor.delegate("/delivery", key=partner)
    last = first.delegate("/delivery", key=further)
    play.holders = {"vendor": vendor, "partner": first, "further": last}
    return play


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """One way to take back.

    Attributes:
        make: Does it; when this returns, it was answered.
        stops: Who cannot read ``delivery`` any more.
        rule: With which refusal.
        closes: Whose streams of ``delivery`` are closed, where it is not who is stopped.
        whole: Whether the vendor's stream of the whole grant, and what is under ``news``, stops too.
        below: What is read; it was shown before.
        version: Whether it makes a version of the grant, of which open streams tell.
    """

    make: Callable[[Play], Awaitable[object]]
    stops: tuple[str, ...] = EVERYONE
    rule: Rule = REVOKED
    closes: tuple[str, ...] | None = None
    whole: bool = False
    below: str = "/delivery/records"
    version: bool = False


def _change(change: str) -> Callable[[Play], Awaitable[object]]:
    return lambda play: play.stage.owner.change(play.grant, change)


def _narrow(**members: object) -> Callable[[Play], Awaitable[object]]:
    async def make(play: Play) -> None:
        delivery, news = play.permissions
        item = delivery["items"][0] | {"fields": members.get("fields", delivery["items"][0]["fields"])}
        given = delivery | {"items": [item]}
        if "recipients" in members:
            given["recipients"] = [play.holders["further"].key.did]
        await play.stage.owner.change(play.grant, "narrow", permissions=[given, news])

    return make


def _revoke(what: str, of: str) -> Callable[[Play], Awaitable[object]]:
    def make(play: Play) -> Awaitable[object]:
        holder = play.holders[of]
        named = {
            "digest": {"capability": digests(holder.capability)[-1]},
            "id": {"capability": holder.capability["id"]},
            "partner": {"partner": holder.key.did},
            "permission": {"permission": "delivery"},
        }
        return play.stage.owner.revoke(play.grant, **named[what])

    return make


def _renounce(of: str, by: str) -> Callable[[Play], Awaitable[object]]:
    async def make(play: Play) -> None:
        expect_status(await play.holders[by].renounce(play.holders[of].capability), 204)

    return make


def _revoke_vendor(play: Play) -> Awaitable[object]:
    return play.stage.owner.do("POST", "/revocations", {"vendor": play.holders["vendor"].key.did})


_BELOW: Final = ("partner", "further")
WITHDRAWALS: Final[Mapping[str, Withdrawal]] = {
    "pause": Withdrawal(make=_change("pause"), rule=PAUSED, whole=True),
    "end": Withdrawal(make=_change("end"), rule=ENDED, whole=True),
    "revoke-the-vendor": Withdrawal(make=_revoke_vendor, rule=ENDED, whole=True),
    "narrow-a-field": Withdrawal(
        make=_narrow(fields=["name"]),
        rule=NOT_SHOWN,
        closes=(),
        below="/delivery/records?fields=email",
        version=True,
    ),
    "revoke-the-permission": Withdrawal(make=_revoke("permission", "vendor"), rule=NOT_SHARED, version=True),
    "drop-a-recipient": Withdrawal(
        make=_narrow(recipients=True), stops=_BELOW, rule=NO_RECIPIENT, version=True
    ),
    "cut-off-the-partner": Withdrawal(make=_revoke("partner", "partner"), stops=_BELOW),
    "cut-off-the-last": Withdrawal(make=_revoke("partner", "further"), stops=("further",)),
    "revoke-the-first-link": Withdrawal(make=_revoke("digest", "vendor"), whole=True),
    "revoke-the-second-link": Withdrawal(make=_revoke("digest", "partner"), stops=_BELOW),
    "revoke-the-last-link": Withdrawal(make=_revoke("digest", "further"), stops=("further",)),
    "revoke-the-second-link-by-id": Withdrawal(make=_revoke("id", "partner"), stops=_BELOW),
    "vendor-renounces": Withdrawal(make=_renounce("vendor", "vendor"), whole=True),
    "partner-renounces": Withdrawal(make=_renounce("partner", "partner"), stops=_BELOW),
    "vendor-takes-the-last-link-back": Withdrawal(make=_renounce("further", "vendor"), stops=("further",)),
}
