"""Ask at an invitation, and follow the request.

Spec: specs/http.md#asking
"""

from __future__ import annotations

import re

from aiohttp import web
from freehold_protocol import limits
from freehold_protocol.encoding import Document
from freehold_protocol.errors import GrantError, NotFoundError
from freehold_protocol.request import matching_code

from ..holder import Signer
from ..store.rows import RequestRow
from .keys import GATE, INBOX, INSPECTION, OWNER, RELATIONS, VENDOR_KEYS
from .messages import read_call, read_document, reply, says_did_web

_WAIT = re.compile(r"(?:^|[,; ])wait=(\d{1,4})(?:$|[,; ])")


async def ask(request: web.Request) -> web.Response:
    """Take in a signed request; the answer is where to follow it, and the code both screens show."""
    document = read_document(await read_call(request))
    row = await request.app[INBOX].receive(request.match_info["invitation"], document)
    inspection = request.app[INSPECTION]
    where = f"{inspection.origin}/requests/{row.id}"
    told: Document = {"status": "waiting", "request": where, "code": matching_code(row.cid)}
    return reply(told, status=202, headers={"Location": where})


async def follow(request: web.Request) -> web.Response:
    """Tell the vendor who asked how its request stands; wait for the decision if it prefers."""
    call = await read_call(request)
    gate, inbox, request_id = request.app[GATE], request.app[INBOX], request.match_info["request"]
    keys = await request.app[VENDOR_KEYS].of_request(request_id) if says_did_web(call) else None
    signer = gate.signer(call, keys=keys)
    await inbox.check_asked(request_id, signer.did)
    await gate.spend(signer, owner=request.app[OWNER])
    found = _WAIT.search(request.headers.get("Prefer", ""))
    wait_s = min(int(found[1]), limits.MAX_WAIT_S) if found else 0
    row = await inbox.follow(request_id, wait_s=wait_s, code=request.query.get("code"))
    return reply(await _told(request, row, signer))


async def _told(request: web.Request, row: RequestRow, signer: Signer) -> Document:
    if not row.is_told:
        return {"status": "waiting"}
    if row.status == "refused":
        return {"status": "refused", **({"reason": row.reason} if row.reason else {})}
    if row.grant is None:
        raise NotFoundError("nothing here")
    relations, inspection = request.app[RELATIONS], request.app[INSPECTION]
    receipt, more = await inspection.receipt(row.grant)
    told: Document = {
        "status": "approved",
        "grant": await inspection.address(row.grant),
        "receipt": receipt.to_dict(),
        "checkpoint": await inspection.checkpoint(row.grant),
        "statements": await inspection.statements(row.grant),
    }
    if more:
        told["more"] = True
    try:
        if (capability := await relations.issue_first(row, signer)) is not None:
            told["capability"] = capability.document
    except GrantError as stopped:
        told["code"] = stopped.code
    return told
