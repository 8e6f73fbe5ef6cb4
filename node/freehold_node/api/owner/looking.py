"""The owner's operations over all grants at once: what happened, and what is due.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import parse_time
from freehold_protocol.errors import MalformedError

from ...activity import OUTCOMES, Wanted
from ..keys import ACTIVITY, TODAY
from ..messages import filled, number_of, text_of
from ..operation import Answer, Asked, owned

_MOST: Final = 200
_MOST_BUCKETS: Final = 120


@owned
async def list_activity(asked: Asked) -> Answer:
    """List what happened under all grants, newest first."""
    query = filled(asked.query)
    limit = max(1, number_of(query.get("limit"), "limit", default=50, most=_MOST))
    listed = await asked.app[ACTIVITY].listed(_wanted(query), limit=limit, cursor=query.get("after"))
    return Answer(document=listed)


@owned
async def show_timeline(asked: Asked) -> Answer:
    """Count what happened under all grants over a time."""
    query = filled(asked.query)
    buckets = max(1, number_of(query.get("buckets"), "buckets", default=60, most=_MOST_BUCKETS))
    return Answer(document=await asked.app[ACTIVITY].timeline(_wanted(query), buckets=buckets))


@owned
async def show_choices(asked: Asked) -> Answer:
    """Show by what entries can be sought: whose, which fields, and since when there are any."""
    return Answer(document=await asked.app[ACTIVITY].choices())


def _wanted(query: Mapping[str, str]) -> Wanted:
    outcome = query.get("outcome")
    if outcome not in (None, *OUTCOMES):
        raise MalformedError("outcome is one of " + ", ".join(OUTCOMES))
    return Wanted(
        after_s=_time(query, "since"),
        before_s=_time(query, "until"),
        vendor=text_of(query, "vendor", most=300),
        grant=query.get("grant"),
        permission=form.short_name(query["permission"], "permission") if "permission" in query else None,
        field=text_of(query, "field", most=512),
        outcome=outcome,
    )


def _time(query: Mapping[str, str], name: str) -> int | None:
    return parse_time(query[name]) if name in query else None


@owned
async def show_readers(asked: Asked) -> Answer:
    """Show who read under a grant, how often, and when last."""
    return Answer(document=await asked.app[ACTIVITY].readers(asked.params["grant"]))


@owned
async def show_today(asked: Asked) -> Answer:
    """Show what waits, what is due, and who read in the last days."""
    return Answer(document=await asked.app[TODAY].told())
