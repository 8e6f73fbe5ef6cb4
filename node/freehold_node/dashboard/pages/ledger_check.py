"""Whether anything was altered: the check of every ledger, receipt and record, and what it means.

Spec: specs/node/dashboard.md#verify
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document

from ...api.owner import looking, tending
from ..ledger.checking import CHECKING, Checked
from ..ledger.sentences import short_name
from ..live import LIVE
from ..visit import Visit
from .ledger import PLACE, figure

PATH: Final = "/my/ledger/check"
_PATIENCE_S: Final = 1.5
"""A small node is done by then, and the page comes with what was found."""
_LISTED: Final = 50


async def start(visit: Visit) -> web.Response:
    """Begin to check, and lead to where it is seen."""
    now = (await visit.does(looking.show_choices)).told["now"]
    live = visit.request.app[LIVE]

    async def check() -> Document:
        return (await visit.does(tending.verify_all, body={})).told

    visit.request.app[CHECKING].start(check, now=now, done=lambda: live.committed(frozenset()))
    return visit.go(PATH)


async def show(visit: Visit) -> web.Response:
    """Show what came of the last check, or that it runs."""
    checking = visit.request.app[CHECKING]
    await checking.wait(_PATIENCE_S)
    last = None if checking.is_running else checking.last
    return visit.page(
        "ledger_check.html",
        active=PLACE,
        figure=lambda number: figure(visit, number),
        running=checking.is_running,
        last=last,
        **_summed(visit, last),
    )


def _summed(visit: Visit, last: Checked | None) -> Document:
    found = last.found if last is not None else None
    if found is None:
        return {"found": None, "entries": 0, "erased": 0, "damages": [], "further": 0, "grants": []}
    grants = found["grants"]
    damages = [(one, damage) for one in grants if one["status"] == "damaged" for damage in one["damaged"]]
    return {
        "found": found,
        "entries": sum(one["entries"] for one in grants),
        "erased": sum(one["status"] == "erased" for one in grants),
        "damages": [
            {
                "grant": one["grant"],
                "vendor": short_name(one["vendor"]),
                "number": damage.get("number"),
                "reason": _reason(visit, damage["reason"]),
            }
            for one, damage in damages[:_LISTED]
        ],
        "further": max(0, len(damages) - _LISTED),
        "grants": [{**one, "vendor": short_name(one["vendor"])} for one in grants[:_LISTED]],
    }


def _reason(visit: Visit, reason: str) -> str:
    key = f"check.damage_{reason.replace('-', '_')}"
    return str(visit.t(key if key in visit.t else "check.damage_other"))
