"""Today: what waits for the person, and who read what in the last days."""

from __future__ import annotations

from aiohttp import web

from ...api import owning
from ..visit import Visit
from .first_steps import first_steps


async def show(visit: Visit) -> web.Response:
    """Show the page."""
    waiting = (await visit.does(owning.list_requests, query={"status": "waiting"})).told["requests"]
    return visit.page("today.html", active="today", requests=waiting, first_steps=await first_steps(visit))
