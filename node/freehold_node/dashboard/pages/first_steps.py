"""The first steps on a node that ``freehold demo`` started: where the person stands, by what is there.

Nothing of this is kept: a step is done when what it is about has happened, however it came about.

Spec: specs/node/dashboard.md#first-start
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import NotFoundError

from ...api.owner import accounting, deciding, granting, keeping, tending
from ..sample import SAMPLE, SampleShop
from ..visit import START, Visit

_ENTRIES: Final = 200
"""A sample's ledger is short; of a long one the beginning tells enough."""
_REDUCING: Final = frozenset({"narrow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: its name, where it is done, whether it is, and whether that is another program's page."""

    name: str
    href: str = ""
    is_done: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """What the page of today shows of them.

    ``steps`` is empty where no sample was started with the node; ``has_sample``: there is something to remove;
    ``readers``: how many vendors can read something now.
    """

    steps: tuple[Step, ...] = ()
    has_sample: bool = False
    stays: bool = False
    readers: int = 0

    @property
    def current(self) -> str:
        """The name of the first step that is not done."""
        return next((one.name for one in self.steps if not one.is_done), "")

    @property
    def is_over(self) -> bool:
        """Whether the sample was removed."""
        return bool(self.steps) and not self.has_sample


async def first_steps(visit: Visit) -> FirstSteps:
    """Return where the person stands."""
    has_sample = (await visit.does(keeping.show_sample)).told["sample"] is not None
    shop = visit.request.app.get(SAMPLE)
    if shop is None:
        return FirstSteps(has_sample=has_sample)
    if not has_sample:
        grants = (await visit.does(granting.list_grants)).told["grants"]
        readers = {one["vendor"]["id"] for one in grants if one["state"] == "live"}
        made = (Step(name="made", is_done=True),)
        return FirstSteps(steps=made, stays=shop.stays, readers=len(readers))
    return FirstSteps(steps=tuple(await _steps(visit, shop)), has_sample=True, stays=shop.stays)


async def _steps(visit: Visit, shop: SampleShop) -> list[Step]:
    me = (await visit.does(tending.show_status)).told["self"]
    asked = (await visit.does(deciding.list_requests)).told["requests"]
    requests = [one for one in asked if one["vendor"]["id"] == shop.shop_did]
    waiting = [one["id"] for one in requests if one["status"] == "waiting"]
    decided = [one["id"] for one in requests if one["status"] == "approved"]
    listed = (await visit.does(granting.list_grants)).told["grants"]
    grants = [one for one in listed if one["vendor"]["id"] == shop.shop_did]
    entries = [one for grant in grants[:2] for one in await _entries(visit, grant["id"])]
    relationship = f"/my/relationships/{grants[0]['id']}" if grants else "/my/relationships"
    request = f"/my/requests/{waiting[0]}" if waiting else "/my/requests"
    approved = f"/my/requests/{decided[0]}" if decided else "/my/ledger"
    order = f"{shop.shop}/order"  # without one, the shop leads on to its first page
    has_asked, has_given = bool(waiting or grants), bool(grants)
    return [
        Step(name="made", is_done=True),
        Step(name="data", href="/my/data/first", is_done=me is not None),
        Step(name="ask", href=shop.shop, elsewhere=True, is_done=has_asked),
        Step(name="decide", href=request, is_done=has_given),
        Step(name="read", href=approved, is_done=_has_read(entries, shop.shop_did)),
        # Here comes an answer instead of the birth date, once questions can be answered.
        Step(name="narrow", href=relationship, is_done=_has_narrowed(entries)),
        # Here comes the shop's offer, once vendors can make one.
        Step(name="hand", href=order, elsewhere=True, is_done=_has_read(entries, shop.courier_did)),
        Step(name="end", href=relationship, is_done=has_given and _are_over(grants)),
        # Here comes the shop's statement of what it deleted, once it can be demanded.
        Step(name="remove", href="/my/settings/sample?from=today"),
    ]


async def _entries(visit: Visit, grant: str) -> list[Document]:
    listed = await visit.does(accounting.list_entries, {"grant": grant}, query={"limit": str(_ENTRIES)})
    return [one["entry"] for one in listed.told["entries"] if "entry" in one]


def _has_read(entries: Iterable[Document], who: str) -> bool:
    return any(one["kind"] == "admitted" and one.get("who") == who for one in entries)


def _has_narrowed(entries: Iterable[Document]) -> bool:
    return any(one["kind"] == "changed" and one.get("change") in _REDUCING for one in entries)


def _are_over(grants: Iterable[Document]) -> bool:
    return all(one["state"] in ("ended", "expired") for one in grants)


async def remove_sample(visit: Visit) -> web.Response:
    """Remove the sample; sent twice, it is gone all the same."""
    with suppress(NotFoundError):
        await visit.does(keeping.remove_sample)
    return visit.go(START, said="sample_removed")
