"""The owner's operations about the node itself: how it stands, whether all is intact, and its clock.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import format_time

from ...config import VERSION
from ..keys import AUDIT, INSPECTION, RELATIONS
from ..operation import Answer, Asked, owned

_US: Final = 1_000_000


@owned
async def show_status(asked: Asked) -> Answer:
    """Show how the node stands."""
    return Answer(document={"version": VERSION, **await asked.app[INSPECTION].status_of_node()})


@owned
async def verify_all(asked: Asked) -> Answer:
    """Check every ledger, receipt and record."""
    form.check_members(asked.body, required=())
    return Answer(document=await asked.app[AUDIT].check())


@owned
async def confirm_clock(asked: Asked) -> Answer:
    """Trust the clock as it stands."""
    form.check_members(asked.body, required=(), optional=("passphrase",))
    await asked.prove()
    now_us = await asked.app[RELATIONS].confirm_clock()
    return Answer(document={"now": format_time(now_us // _US)})
