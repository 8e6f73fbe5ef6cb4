"""The owner's operations about a grant's ledger: its entries, each with its proof, and the whole of it.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from freehold_protocol import limits

from ..keys import INSPECTION
from ..messages import number_of
from ..operation import Answer, Asked, owned


@owned
async def list_entries(asked: Asked) -> Answer:
    """List a grant's ledger, every entry with its body."""
    query = asked.query
    first = number_of(query.get("first"), "first", default=0, most=2**62)
    limit = number_of(query.get("limit"), "limit", default=100, most=limits.MAX_LEDGER_PAGE)
    listed = await asked.app[INSPECTION].entries(asked.params["grant"], first=first, limit=limit, holder=None)
    return Answer(document=listed)


@owned
async def show_entry(asked: Asked) -> Answer:
    """Show one entry with the proof that it is in its ledger."""
    number = int(asked.params["number"])
    return Answer(document=await asked.app[INSPECTION].entry(asked.params["grant"], number, holder=None))


@owned
async def show_bundle(asked: Asked) -> Answer:
    """Give a grant's whole ledger, to be verified offline."""
    return Answer(document=await asked.app[INSPECTION].bundle(asked.params["grant"]))
