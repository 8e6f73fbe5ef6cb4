"""What a holder may ask in every state of a grant: how it stands, its ledger, a fresh capability, renouncing.

These pass the gate but are no admissions: reading the ledger does not grow it.

Spec: specs/http.md#holders
"""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp import web
from freehold_protocol import limits
from freehold_protocol.capability import Capability
from freehold_protocol.delegation import verify_chain
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    NotFoundError,
    NotSharedError,
)
from freehold_protocol.receipt import Receipt

from ..holder import Call, Holder
from .keys import GATE, INSPECTION, OWNER, RELATIONS
from .messages import number_of, read_call, read_document, reply


async def _holder(request: web.Request) -> Holder:
    """Return who asks, by a capability, in whatever state the grant is."""
    call = await read_call(request)
    return await request.app[GATE].enter(call, grant=request.match_info["grant"])


async def show_grant(request: web.Request) -> web.Response:
    """Show the vendor its grant, with every version and statement; by capability or by its DID."""
    grant_id = request.match_info["grant"]
    call = await read_call(request)
    receipt = await _receipt_for_vendor(request, call, grant_id)
    inspection = request.app[INSPECTION]
    told: Document = {
        "receipt": receipt.to_dict(),
        "checkpoint": await inspection.checkpoint(grant_id),
        "statements": await inspection.statements(grant_id),
    }
    return reply(told)


async def _receipt_for_vendor(request: web.Request, call: Call, grant_id: str) -> Receipt:
    gate, inspection = request.app[GATE], request.app[INSPECTION]
    if "capability-invocation" in call.headers:
        holder = await gate.enter(call, grant=grant_id)
        if not holder.is_vendor:
            raise NotSharedError("a partner sees its permission, not the grant")
        return await inspection.receipt(grant_id)
    message = gate.signer(call)
    receipt = await inspection.receipt(grant_id)
    if receipt.request.vendor != message.key.did:
        raise NotFoundError("nothing here")
    await gate.spend(message, owner=request.app[OWNER])
    return receipt


async def show_permission(request: web.Request) -> web.Response:
    """Show a partner how the grant stands for its permission."""
    holder = await _holder(request)
    found = request.match_info
    partners = holder.controllers[1:]
    return reply(await request.app[INSPECTION].status(found["grant"], found["permission"], partners))


async def _ledger_reader(request: web.Request) -> str:
    """Return the DID of who asks for a part of the ledger: by a capability or, as the vendor, by DID alone."""
    call = await read_call(request)
    grant_id = request.match_info["grant"]
    if "capability-invocation" in call.headers or "permission" in request.match_info:
        return (await request.app[GATE].enter(call, grant=grant_id)).did
    return (await _receipt_for_vendor(request, call, grant_id)).request.vendor


async def list_entries(request: web.Request) -> web.Response:
    """List the ledger: the holder's own entries, and the hashes of the others."""
    holder = await _ledger_reader(request)
    query = request.query
    first = number_of(query.get("first"), "first", default=0, most=2**62)
    limit = number_of(query.get("limit"), "limit", default=100, most=limits.MAX_LEDGER_PAGE)
    grant_id = request.match_info["grant"]
    return reply(await request.app[INSPECTION].entries(grant_id, first=first, limit=limit, holder=holder))


async def show_entry(request: web.Request) -> web.Response:
    """Show one entry with its proof of inclusion."""
    holder = await _ledger_reader(request)
    number = number_of(request.match_info["number"], "number", default=0, most=2**62)
    grant_id = request.match_info["grant"]
    return reply(await request.app[INSPECTION].entry(grant_id, number, holder=holder))


async def show_checkpoint(request: web.Request) -> web.Response:
    """Show the signed head of the ledger, and the proof that it continues an earlier one."""
    await _ledger_reader(request)
    grant_id = request.match_info["grant"]
    earlier = request.query.get("from")
    if earlier is None:
        return reply({"checkpoint": await request.app[INSPECTION].checkpoint(grant_id)})
    size = number_of(earlier, "from", default=0, most=2**62)
    return reply(await request.app[INSPECTION].consistency(grant_id, size))


async def renew(request: web.Request) -> web.Response:
    """Give the vendor a fresh capability from the grant as it stands."""
    grant_id = request.match_info["grant"]
    await _receipt_for_vendor(request, _without_capability(await read_call(request)), grant_id)
    capability = await request.app[RELATIONS].issue(grant_id)
    return reply({"capability": capability.document})


def _without_capability(call: Call) -> Call:
    if "capability-invocation" in call.headers:
        raise MalformedError("renewal is asked for by the vendor's DID, without a capability")
    return call


async def revoke(request: web.Request) -> web.Response:
    """Revoke or renounce a capability: any controller of its chain may."""
    call = await read_call(request)
    grant_id = request.match_info["grant"]
    gate = request.app[GATE]
    message = gate.signer(call)
    leaf = Capability.from_dict(read_document(call))
    if unquote(request.match_info["capability"]) != leaf.id:
        raise MalformedError("the path names another capability than the body")
    grant, origins, root_key = await request.app[INSPECTION].invoked(grant_id, leaf)
    origin = leaf.target.partition("/g/")[0]
    if origin not in origins:
        raise NotFoundError("nothing here")
    try:
        chain = verify_chain(leaf, root_target=f"{origin}/g/{grant_id}", root_key=root_key)
    except FreeholdError as error:
        raise NotFoundError("nothing here") from error
    if message.key not in chain.controllers or chain.controllers[0].did != grant.vendor:
        raise NotFoundError("nothing here")
    await gate.spend(message, owner=request.app[OWNER])
    await request.app[RELATIONS].revoke_capability(grant_id, chain)
    return web.Response(status=204, headers={"Cache-Control": "no-store"})
