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
from freehold_protocol.did_document import DidKeys
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    DidUnavailableError,
    FreeholdError,
    MalformedError,
    NotFoundError,
    NotSharedError,
)

from ..holder import Call, Holder, Signer
from .keys import GATE, INSPECTION, OWNER, RELATIONS, REVOCATIONS, VENDOR_KEYS
from .messages import number_of, read_call, read_document, reply, says_did_web


async def _holder(request: web.Request) -> Holder:
    """Return who asks, by a capability, in whatever state the grant is."""
    call = await read_call(request)
    return await request.app[GATE].enter(call, grant=request.match_info["grant"])


async def show_grant(request: web.Request) -> web.Response:
    """Show the vendor its grant, with every version and statement; by capability or by its DID."""
    grant_id = request.match_info["grant"]
    await _vendor(request, await read_call(request), grant_id)
    inspection, after = request.app[INSPECTION], request.query.get("from")
    first = number_of(after, "from", default=0, most=2**62)
    part, more = await inspection.receipt(grant_id, after=first)
    # Those who do not know ``from`` get a receipt; those who do hold its beginning.
    told: Document = (
        {"receipt": part.to_dict()} if after is None else {"versions": part.to_dict()["versions"]}
    )
    note = await inspection.checkpoint(grant_id)
    told |= {"checkpoint": note, "statements": await inspection.statements(grant_id)}
    return reply({**told, **({"more": True} if more else {})})


async def _vendor(request: web.Request, call: Call, grant_id: str) -> str:
    """Return the DID of the vendor who asks, by its capability or by its DID."""
    gate = request.app[GATE]
    if "capability-invocation" in call.headers:
        holder = await gate.enter(call, grant=grant_id)
        if not holder.is_vendor:
            raise NotSharedError("a partner sees its permission, not the grant")
        return holder.vendor
    signer = gate.signer(call, keys=await _pinned(request, call, grant_id))
    vendor = (await request.app[INSPECTION].standing(grant_id)).vendor
    if vendor != signer.did:
        raise NotFoundError("nothing here")
    await gate.spend(signer, owner=request.app[OWNER])
    return vendor


async def _pinned(request: web.Request, call: Call, grant_id: str) -> DidKeys | None:
    """Return the pinned keys of a grant's vendor, if a did:web says that it signed."""
    return await request.app[VENDOR_KEYS].of_grant(grant_id) if says_did_web(call) else None


async def show_permission(request: web.Request) -> web.Response:
    """Show a partner how the grant stands for its permission."""
    holder = await _holder(request)
    found = request.match_info
    await request.app[GATE].meet(holder, found["permission"])
    return reply(await request.app[INSPECTION].status(found["grant"], found["permission"], holder.partners))


async def _ledger_reader(request: web.Request) -> str:
    """Return the DID of who asks for a part of the ledger: by a capability or, as the vendor, by DID alone."""
    call = await read_call(request)
    grant_id = request.match_info["grant"]
    if "capability-invocation" in call.headers or "permission" in request.match_info:
        return (await request.app[GATE].enter(call, grant=grant_id)).reader
    return await _vendor(request, call, grant_id)


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
    number, grant_id = int(request.match_info["number"]), request.match_info["grant"]
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
    call = _without_capability(await read_call(request))
    gate, vendor_keys = request.app[GATE], request.app[VENDOR_KEYS]
    signer, found = await _renewer(request, call, grant_id)
    if (await request.app[INSPECTION].standing(grant_id)).vendor != signer.did:
        raise NotFoundError("nothing here")
    await gate.spend(signer, owner=request.app[OWNER])
    if (found := found or await vendor_keys.at_renewal(grant_id)) is not None:
        await vendor_keys.compare(grant_id, found)
    capability = await request.app[RELATIONS].issue(grant_id, key=signer.key)
    return reply({"capability": capability.document})


async def _renewer(request: web.Request, call: Call, grant_id: str) -> tuple[Signer, DidKeys | None]:
    """Return who asks for a renewal and, if its DID document had to be looked at for that, the keys in it.

    A vendor may have lost the keys that are pinned; then its document says whether this is one of its own. Until it
    does, whoever asks is a stranger, to whom a document that cannot be had is nothing.
    """
    gate, vendor_keys = request.app[GATE], request.app[VENDOR_KEYS]
    keys = await _pinned(request, call, grant_id)
    try:
        return gate.signer(call, keys=keys), None
    except NotFoundError:
        if keys is None or not gate.names(call, keys.did):
            raise
    try:
        found = await vendor_keys.at_renewal(grant_id)
    except DidUnavailableError:
        raise NotFoundError("nothing here") from None
    return gate.signer(call, keys=found), found


def _without_capability(call: Call) -> Call:
    if "capability-invocation" in call.headers:
        raise MalformedError("renewal is asked for by the vendor's DID, without a capability")
    return call


async def revoke(request: web.Request) -> web.Response:
    """Revoke or renounce a capability: any controller of its chain may."""
    call = await read_call(request)
    grant_id = request.match_info["grant"]
    gate = request.app[GATE]
    signer = gate.renouncer(call, keys=await _pinned(request, call, grant_id))
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
    if signer.key not in chain.controllers and signer.did != grant.vendor:
        raise NotFoundError("nothing here")
    owner = request.app[OWNER]
    spent = await gate.spend(signer, owner=owner)
    if spent.outcome is None:
        await request.app[REVOCATIONS].renounce(grant_id, chain)
        await gate.conclude(spent, 204, owner=owner)
    return web.Response(status=spent.outcome or 204, headers={"Cache-Control": "no-store"})
