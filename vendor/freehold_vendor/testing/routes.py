"""What a pretended person's node answers: every route that the vendor library uses.

Spec: specs/http.md
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import Capability
from freehold_protocol.delegation import verify_chain
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import (
    ConflictError,
    FreeholdError,
    GrantError,
    MalformedError,
    NotFoundError,
    NotSharedError,
)
from freehold_protocol.invocation import HEADER
from freehold_protocol.permission import RESERVED
from freehold_protocol.proof import sign_document
from freehold_protocol.request import Request

from .grant import PretendGrant
from .messages import Call, Reply, check_target, number_of, problem, read_document, refusal, reply
from .node import Asked, PretendNode, check_zones
from .view import read_query

_MOST_REVOKED: Final = 1000
_PART_BYTES: Final = 64 * 1024
Found = dict[str, str]
"""What stands in the places of a route's path."""


def answer(node: PretendNode, call: Call) -> Reply:
    """Return the node's answer to a request."""
    node.tick()
    try:
        check_target(call.target)
        made = _handle(node, call)
    except FreeholdError as error:
        made = refusal(error)
    node.streams.stir()
    if call.method == "HEAD":
        made = Reply(status=made.status, headers=made.headers, body=b"")
    return made


def _handle(node: PretendNode, call: Call) -> Reply:
    here = [
        (method, handle, match) for method, path, handle in ROUTES if (match := path.fullmatch(call.path))
    ]
    for method, handle, match in here:
        if method == call.method or (handle is read and call.method == "HEAD"):
            return handle(node, call, {name: value for name, value in match.groupdict().items() if value})
    if here:
        return problem(405, "malformed", "this is not done with that method")
    raise NotFoundError("nothing here")


# Asking


def ask(node: PretendNode, call: Call, found: Found) -> Reply:
    """Take in a signed request; the same again gets the same answer."""
    document = read_document(call)
    invitation = node.invitations.get(found["invitation"])
    if invitation is None or node.clock.now_us >= invitation.expires_us:
        raise NotFoundError("nothing here")
    known = invitation.asked
    try:
        request = Request.from_dict(document)
        if request.connect is not None:
            raise MalformedError("this request is for the person's browser to carry, not for an invitation")
    except FreeholdError:
        if known is not None:
            raise NotFoundError("nothing here") from None
        raise
    if known is None:
        request.verify(now_s=node.clock.now_s())
        check_zones(request.permissions)
        known = invitation.asked = node.take_in(request)
    elif known.request.cid != request.cid:
        raise NotFoundError("nothing here")
    where = f"{node.origin}/requests/{known.id}"
    told: Document = {"status": "waiting", "request": where, "code": known.code}
    return reply(told, status=202, headers={"location": where})


def follow(node: PretendNode, call: Call, found: Found) -> Reply:
    """Tell the vendor who asked how its request stands, without waiting."""
    message = node.gate.signer(call)
    asked = node.asked.get(found["request"])
    if asked is None or asked.request.vendor != message.key.did:
        raise NotFoundError("nothing here")
    node.gate.spend(message)
    if asked.status == "approved" and not asked.is_told:
        is_right = bool(asked.return_code) and call.asked("code") == asked.return_code
        if not is_right or node.clock.now_us >= asked.return_until_us:
            return reply({"status": "waiting"})
        asked.is_claimed = True
    return told_of(node, asked)


def told_of(node: PretendNode, asked: Asked) -> Reply:
    """Return how a request stands."""
    grant = asked.grant
    if grant is None:
        return reply({"status": asked.status, **({"reason": asked.reason} if asked.reason else {})})
    versions, more = _part(grant, after=0)
    told: Document = {
        "status": "approved",
        "grant": f"{node.origin}/g/{grant.id}",
        "receipt": {**grant.receipt.to_dict(), "versions": versions},
        "checkpoint": grant.ledger.checkpoint(),
        "statements": [],
        **more,
    }
    try:
        told["capability"] = grant.issue("urn:uuid:" + node.new_uuid(), node.clock.now_us).document
    except GrantError as stopped:
        told["code"] = stopped.code
    return reply(told)


def _part(grant: PretendGrant, *, after: int) -> tuple[list[Document], Document]:
    """Return the versions after one that fit into an answer, and what says whether more follow."""
    if after > grant.newest.version:
        raise MalformedError("the grant has not had that version")
    part: list[Document] = []
    size = 0
    for version in grant.versions[after:]:
        if size > _PART_BYTES:
            return part, {"more": True}
        part.append(version.document)
        size += len(jcs(version.document))
    return part, {}


# Holders


def _known_grant(node: PretendNode, found: Found) -> PretendGrant:
    grant = node.grants.get(found["grant"])
    if grant is None:
        raise NotFoundError("nothing here")
    return grant


def _vendor(node: PretendNode, call: Call, found: Found) -> PretendGrant:
    """Return the grant, if its vendor asks: by its capability or by its DID."""
    if HEADER in call.headers:
        holder = node.gate.enter(call, found["grant"])
        if len(holder.controllers) > 1:
            raise NotSharedError("a partner sees its permission, not the grant")
        return holder.grant
    message = node.gate.signer(call)
    grant = _known_grant(node, found)
    if grant.newest.vendor != message.key.did:
        raise NotFoundError("nothing here")
    node.gate.spend(message)
    return grant


def show_grant(node: PretendNode, call: Call, found: Found) -> Reply:
    """Show the vendor its grant, whole or after the version that it holds."""
    grant = _vendor(node, call, found)
    after = call.asked("from")
    versions, more = _part(grant, after=number_of(after, "from", default=0))
    told: Document = {"versions": versions}
    if after is None:
        told = {"receipt": {**grant.receipt.to_dict(), "versions": versions}}
    # A pretended person neither moves nor restores.
    return reply({**told, "checkpoint": grant.ledger.checkpoint(), "statements": [], **more})


def show_permission(node: PretendNode, call: Call, found: Found) -> Reply:
    """Show a partner how the grant stands for its permission."""
    holder = node.gate.enter(call, found["grant"])
    grant, newest = holder.grant, holder.grant.newest
    status: Document = {
        "@context": form.CONTEXT,
        "type": "GrantStatus",
        "grant": f"urn:uuid:{grant.id}",
        "version": newest.version,
        "state": newest.state,
        "expires": format_time(newest.expires_s),
    }
    given = newest.permission(found["permission"])
    if given is not None and set(holder.controllers[1:]) <= set(given.recipients):
        status["permission"] = [given.to_dict()]
    return reply(
        {
            "status": sign_document(status, grant.keys.serving, created_s=node.clock.now_s()),
            "servingKey": newest.serving_key.did,
            "log": newest.log,
            "checkpoint": grant.ledger.checkpoint(),
        }
    )


def renew(node: PretendNode, call: Call, found: Found) -> Reply:
    """Give the vendor a fresh capability."""
    if HEADER in call.headers:
        raise MalformedError("renewal is asked for by the vendor's DID, without a capability")
    grant = _vendor(node, call, found)
    return reply({"capability": grant.issue("urn:uuid:" + node.new_uuid(), node.clock.now_us).document})


def revoke(node: PretendNode, call: Call, found: Found) -> Reply:
    """Revoke or renounce a capability: any controller of its chain may."""
    message = node.gate.renouncer(call)
    leaf = Capability.from_dict(read_document(call))
    if unquote(found["capability"]) != leaf.id:
        raise MalformedError("the path names another capability than the body")
    grant = _known_grant(node, found)
    try:
        chain = verify_chain(
            leaf, root_target=f"{node.origin}/g/{grant.id}", root_key=grant.newest.serving_key
        )
    except FreeholdError as error:
        raise NotFoundError("nothing here") from error
    if message.key not in chain.controllers or chain.controllers[0].did != grant.newest.vendor:
        raise NotFoundError("nothing here")
    node.gate.spend(message)
    controllers = tuple(key.did for key in chain.controllers)
    dead = not grant.revoked.isdisjoint((*chain.digests, *controllers))
    if not dead and chain.generation == grant.mark and node.clock.now_s() < chain.expires_s:
        if len(grant.revoked) >= _MOST_REVOKED:
            raise ConflictError("too much was revoked under this grant; ask the person to end it")
        grant.revoke(chain.digests[-1], node.clock.now_us, seen_by=controllers)
    return Reply(status=204, headers={"cache-control": "no-store"}, body=b"")


# The ledger


def _reader(node: PretendNode, call: Call, found: Found) -> tuple[PretendGrant, str]:
    """Return the grant, and the DID of who asks for a part of its ledger."""
    if HEADER in call.headers or "permission" in found:
        holder = node.gate.enter(call, found["grant"])
        return holder.grant, holder.did
    grant = _vendor(node, call, found)
    return grant, grant.newest.vendor


def list_entries(node: PretendNode, call: Call, found: Found) -> Reply:
    """List the ledger: the holder's own entries, and the hashes of the others."""
    grant, holder = _reader(node, call, found)
    first = number_of(call.asked("first"), "first", default=0)
    limit = number_of(call.asked("limit"), "limit", default=100, most=limits.MAX_LEDGER_PAGE)
    lines = grant.ledger.lines[first : first + limit]
    return reply(
        {
            "entries": [line.shown_to(holder) for line in lines],
            "size": grant.ledger.size,
            "checkpoint": grant.ledger.checkpoint(),
        }
    )


def show_entry(node: PretendNode, call: Call, found: Found) -> Reply:
    """Show one entry with its proof of inclusion."""
    grant, holder = _reader(node, call, found)
    shown = grant.ledger.entry(int(found["number"]), holder)
    return reply({**shown, "checkpoint": grant.ledger.checkpoint()})


def show_checkpoint(node: PretendNode, call: Call, found: Found) -> Reply:
    """Show the head of the ledger, and the proof that it continues an earlier one."""
    grant, _ = _reader(node, call, found)
    told: Document = {"checkpoint": grant.ledger.checkpoint()}
    if (earlier := call.asked("from")) is not None:
        told["consistency"] = grant.ledger.consistency(number_of(earlier, "from", default=0))
    return reply(told)


# Reading


def read(node: PretendNode, call: Call, found: Found) -> Reply:
    """Answer with what the permission shows; every answer is an admission."""
    alias = found.get("alias")
    wanted = read_query(found["permission"], alias, call.query)
    route = "/g/{grant}/{permission}/records" + ("" if alias is None else "/{alias}")
    admission = node.gate.admit(call, found["grant"], wanted, route=route)
    headers = {
        "cache-control": "no-store",
        "etag": admission.etag,
        "freehold-entry": str(admission.number),
    }
    if admission.unchanged:
        return Reply(status=304, headers=headers, body=b"")
    body = admission.released.sign(node.grants[found["grant"]].keys.serving)
    return Reply(status=200, headers={**headers, "content-type": "application/json"}, body=body)


# Listening


def listen(node: PretendNode, call: Call, found: Found) -> Reply:
    """Tell the holder when to read again, until it may not listen any more."""
    listener = node.gate.listen(call, found["grant"], found.get("permission"))
    return Reply(
        status=200,
        headers={"cache-control": "no-store", "content-type": "text/event-stream"},
        body=b"",
        more=node.streams.open(listener, call.headers.get("last-event-id")),
    )


_GRANT: Final = r"/g/(?P<grant>[A-Za-z0-9-]{1,64})"
_NAMED: Final = rf"/(?P<permission>(?!(?:{'|'.join(sorted(RESERVED))})(?![a-z0-9-]))[a-z0-9-]{{1,40}})"
_PERMISSION: Final = _GRANT + _NAMED
_LEDGER: Final = rf"{_GRANT}(?:{_NAMED})?/ledger"
Handle = Callable[[PretendNode, Call, Found], Reply]
ROUTES: Final[tuple[tuple[str, re.Pattern[str], Handle], ...]] = tuple(
    (method, re.compile(path, re.ASCII), handle)
    for method, path, handle in (
        ("GET", rf"{_PERMISSION}/records(?:/(?P<alias>z[A-Za-z0-9]{{1,60}}))?", read),
        ("POST", r"/i/(?P<invitation>[A-Za-z0-9_-]{1,64})", ask),
        ("GET", r"/requests/(?P<request>[A-Za-z0-9-]{1,64})", follow),
        ("GET", _GRANT, show_grant),
        ("POST", rf"{_GRANT}/renew", renew),
        ("POST", rf"{_GRANT}/zcaps/revocations/(?P<capability>[A-Za-z0-9%:-]{{1,100}})", revoke),
        ("GET", rf"{_LEDGER}/entries", list_entries),
        ("GET", rf"{_LEDGER}/entries/(?P<number>0|[1-9][0-9]{{0,17}})", show_entry),
        ("GET", rf"{_LEDGER}/checkpoint", show_checkpoint),
        ("GET", rf"{_GRANT}(?:{_NAMED})?/events", listen),
        ("GET", _PERMISSION, show_permission),
    )
)
"""Method, path, and who handles it; the first that matches is taken."""
