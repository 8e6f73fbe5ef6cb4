"""The owner's operations about requests: inviting a vendor to ask, and deciding on what it asked.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import Document, format_time, parse_document
from freehold_protocol.errors import MalformedError
from freehold_protocol.request import Request, matching_code

from ...grant_told import vendor_shown
from ...lists import STATUSES
from ...store.rows import RequestRow
from ..keys import INBOX, INSPECTION, LISTS
from ..messages import PAGED, filled, limit_of, text_of
from ..operation import Answer, Asked, owned
from .granting import choice_of, standing

_US: Final = 1_000_000


@owned
async def invite(asked: Asked) -> Answer:
    """Mint an invitation."""
    label = form.text(form.check_members(asked.body, required=("label",))["label"], "label", most=120)
    row = await asked.app[INBOX].invite(label)
    url = f"{asked.app[INSPECTION].origin}/i/{row.id}"
    return Answer(
        document={"url": url, "label": row.label, "expires": format_time(row.expires_us // _US)}, status=201
    )


@owned
async def list_requests(asked: Asked) -> Answer:
    """List the requests; with a text, a limit or a place to go on from, a page of them and their numbers."""
    query = filled(asked.query)
    status = query.get("status")
    if status not in (None, *STATUSES):
        raise MalformedError("status is waiting, approved or refused")
    if not query.keys() & PAGED:
        rows = await asked.app[INSPECTION].requests(status)
        return Answer(document={"requests": [request_told(row) for row in rows]})
    page = await asked.app[LISTS].requests(
        status=status, text=text_of(query, "q", most=300), after=query.get("after"), limit=limit_of(query)
    )
    told: Document = {"requests": [request_told(row) for row in page.rows], "counts": page.counts}
    return Answer(document=told if page.rest is None else {**told, "next": page.rest})


@owned
async def show_request(asked: Asked) -> Answer:
    """Show one request."""
    return Answer(document=request_told(await asked.app[INSPECTION].request(asked.params["request"])))


def request_told(row: RequestRow) -> Document:
    """Return a request as the owner is told of it."""
    asked = Request.from_dict(parse_document(row.document))
    told: Document = {
        "id": row.id,
        "status": row.status,
        "received": format_time(row.received_us // _US),
        "code": matching_code(row.cid),
        "vendor": vendor_shown(asked.vendor, asked.vendor_name),
        "expires": format_time(asked.expires_s),
        "permissions": [permission.to_dict() for permission in asked.permissions],
    }
    if asked.connect is not None:
        told["connect"] = {"returnTo": asked.connect.return_to, "claimed": row.claimed_us is not None}
    optional = {
        "benefit": asked.benefit,
        "terms": asked.terms,
        "contact": asked.contact,
        "grant": row.grant,
        "reason": row.reason,
    }
    return told | {name: value for name, value in optional.items() if value is not None}


@owned
async def draft_approval(asked: Asked) -> Answer:
    """Draw up what approving a request would grant."""
    form.check_members(asked.body, required=("permissions",), optional=("expires", "notBefore"))
    draft = await asked.app[INBOX].draft_approval(asked.params["request"], choice_of(asked.body))
    return Answer(document={"digest": draft.digest, "draft": draft.document})


@owned
async def approve(asked: Asked) -> Answer:
    """Grant exactly the draft that was shown."""
    found = form.check_members(asked.body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    await asked.prove()
    inbox, request_id = asked.app[INBOX], asked.params["request"]
    grant = await inbox.approve(request_id, digest)
    row = await asked.app[INSPECTION].request(request_id)
    return standing(grant, **({"returnTo": await inbox.send_back(request_id)} if row.carried else {}))


@owned
async def refuse(asked: Asked) -> Answer:
    """Refuse a request."""
    found = form.check_members(asked.body, required=(), optional=("reason",))
    reason = form.text(found["reason"], "reason") if "reason" in found else None
    await asked.app[INBOX].refuse(asked.params["request"], reason)
    return Answer()
