"""The owner's own operations: the CLI uses these, and nothing else does more.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from freehold_protocol import form, limits
from freehold_protocol.encoding import (
    Document,
    Json,
    base64url_decode,
    format_time,
    parse_document,
    parse_time,
)
from freehold_protocol.errors import MalformedError, PassphraseError
from freehold_protocol.grant import CHANGES, Change, Grant
from freehold_protocol.permission import read_permissions
from freehold_protocol.record import content_of
from freehold_protocol.request import Request, matching_code

from ..condition import Condition, etag, parse_if_match
from ..config import VERSION
from ..drafts import Choice
from ..holder import Call
from ..imports import MAX_MAPPING_BYTES, Skipped, suggest_mapping
from ..inspection import vendor_shown
from ..records import label_of
from ..store.rows import RecordRow, RequestRow
from .keys import (
    CHECK_PASSPHRASE,
    GATE,
    INBOX,
    INSPECTION,
    OWNER,
    RECORDS,
    RELATIONS,
    REVOCATIONS,
    STREAMS,
    VENDOR_KEYS,
)
from .messages import MAX_BODY_BYTES, MAX_OWNER_BODY_BYTES, number_of, read_call, read_document, reply

_US: Final = 1_000_000
_SHOWN: Final = 20
"""Records of a preview that are shown with what they say."""
_MAX_FILE_CHARS: Final = 15 * 2**20
Owning = Callable[[web.Request, Document], Awaitable[web.StreamResponse]]
Conditional = Callable[[web.Request, Document, Condition], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def read_owned(request: web.Request) -> Call:
    """Return a request that the owner's own tools signed.

    Raises:
        NotAuthenticatedError: They did not.
        ReplayedError: It came before.
        TooLargeError: Its body is.
        MalformedError: Its body did not come, or not whole.
    """
    gate = request.app[GATE]
    # Whole files are let in only from who knows the session's key; it stands in no other place.
    trusted = gate.names_owner(request.headers.get("Signature-Input", ""))
    call = await read_call(request, most=MAX_OWNER_BODY_BYTES if trusted else MAX_BODY_BYTES)
    await gate.owner(call, owner=request.app[OWNER])
    return call


@web.middleware
async def hide_owners_paths(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell nobody but the owner which of the owner's paths and methods there are."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        if request.raw_path.startswith("/owner/"):
            await read_owned(request)
        raise


def owned(handler: Owning) -> Handler:
    """Wrap a handler that only the owner's own tools reach; it is given the JSON body, {} if there is none.

    What it is about has no tag, so a condition that names one cannot hold.
    """

    async def handle(request: web.Request, body: Document, condition: Condition) -> web.StreamResponse:
        if condition.tags is not None:
            condition.check(None)
        return await handler(request, body)

    handle.__name__, handle.__doc__ = handler.__name__, handler.__doc__
    return conditional(handle)


def conditional(handler: Conditional) -> Handler:
    """Wrap an owner's handler that compares the request's condition with what it is about, itself."""

    async def check_and_handle(request: web.Request) -> web.StreamResponse:
        call = await read_owned(request)
        lines = request.headers.getall("If-Match", None)
        condition = parse_if_match(None if lines is None else ", ".join(lines))
        return await handler(request, read_document(call) if call.body is not None else {}, condition)

    check_and_handle.__name__ = handler.__name__
    check_and_handle.__doc__ = handler.__doc__
    return check_and_handle


async def check_passphrase(request: web.Request, body: Document) -> None:
    """Check the passphrase in a body, given anew. Raises PassphraseError."""
    passphrase = body.get("passphrase")
    if not isinstance(passphrase, str):
        raise PassphraseError("this takes the passphrase, anew")
    await request.app[CHECK_PASSPHRASE](passphrase)


def _done(tag: str | None = None) -> web.Response:
    return web.Response(status=204, headers={"Cache-Control": "no-store"} | (_tagged(tag) if tag else {}))


def _tagged(tag: str) -> dict[str, str]:
    return {"ETag": etag(tag)}


@owned
async def show_status(request: web.Request, _: Document) -> web.Response:
    """Show how the node stands."""
    return reply({"version": VERSION, **await request.app[INSPECTION].status_of_node()})


# Records


def _skipped(skipped: tuple[Skipped, ...]) -> list[Document]:
    return [{"where": one.where, "reason": one.reason} for one in skipped]


def _file(body: Document, *optional: str) -> tuple[bytes, str]:
    found = form.check_members(body, required=("name", "data"), optional=optional)
    data = found["data"]
    if not isinstance(data, str) or len(data) > _MAX_FILE_CHARS:
        raise MalformedError("data is the file in base64url")
    return base64url_decode(data), form.text(found["name"], "name", most=255)


def _mapping(body: Document) -> str | None:
    mapping = body.get("mapping")
    if mapping is not None and (not isinstance(mapping, str) or len(mapping) > MAX_MAPPING_BYTES):
        raise MalformedError(f"mapping is a text of at most {MAX_MAPPING_BYTES // 1024} KiB")
    return mapping


@owned
async def preview_import(request: web.Request, body: Document) -> web.Response:
    """Show what a file holds, without importing anything."""
    data, name = _file(body, "mapping", "me")
    preview, states = await request.app[RECORDS].preview(data, name, _mapping(body))
    found = [
        {
            "number": number,
            "where": one.where,
            "label": one.label,
            "type": one.document["type"],
            "fields": sorted(one.document.keys() - {"@context", "type"}),
            "state": state,
            "skipped": _skipped(one.skipped),
            **({"content": content_of(one.document)} if number <= _SHOWN else {}),
        }
        for number, (one, state) in enumerate(zip(preview.found, states, strict=True), start=1)
    ]
    return reply({"format": preview.format, "found": found, "skipped": _skipped(preview.skipped)})


@owned
async def suggest_import_mapping(_: web.Request, body: Document) -> web.Response:
    """Write a mapping for a table to begin with."""
    data, name = _file(body)
    return reply({"mapping": await asyncio.to_thread(suggest_mapping, data, name=name)})


@owned
async def import_file(request: web.Request, body: Document) -> web.Response:
    """Import what is sound in a file."""
    me = form.text(body["me"], "me", most=300) if "me" in body else None
    data, name = _file(body, "mapping", "me")
    done = await request.app[RECORDS].import_file(data, name, me=me, mapping=_mapping(body))
    return reply(
        {
            "added": done.added,
            "changed": done.changed,
            "same": done.same,
            "self": await request.app[INSPECTION].self_record(),
            "skipped": _skipped(done.skipped),
        }
    )


def _record(row: RecordRow, self_record: str | None) -> Document:
    document = parse_document(row.document)
    return {
        "id": row.id,
        "type": row.type,
        "label": label_of(document),
        "self": row.id == self_record,
        "changed": format_time(row.changed_us // _US),
        "source": document["source"],
    }


@owned
async def list_records(request: web.Request, _: Document) -> web.Response:
    """List the records."""
    query = request.query
    after = number_of(query.get("after"), "after", default=0, most=2**62)
    limit = number_of(query.get("limit"), "limit", default=limits.MAX_PAGE, most=1000)
    rows, self_record = await request.app[INSPECTION].list_records(after=after, limit=limit)
    listed: Document = {"records": [_record(row, self_record) for row in rows]}
    if rows and len(rows) == limit:
        listed["next"] = rows[-1].n
    return reply(listed)


@owned
async def add_record(request: web.Request, body: Document) -> web.Response:
    """Add a record that the person wrote."""
    row = await request.app[RECORDS].add(_content(form.check_members(body, required=("content",))))
    return reply({"id": row.id, "cid": row.cid}, status=201, headers=_tagged(row.cid))


def _content(body: Document) -> Document:
    content = body["content"]
    if not isinstance(content, dict):
        raise MalformedError("content is what the record says: a JSON object")
    return content


@conditional
async def show_record(request: web.Request, _: Document, condition: Condition) -> web.Response:
    """Show a record with its earlier versions."""
    row, history, self_record = await request.app[INSPECTION].record(_urn(request))
    condition.check(row.cid)
    return reply(
        {
            "record": parse_document(row.document),
            "content": content_of(parse_document(row.document)),
            "cid": row.cid,
            "self": row.id == self_record,
            "history": [parse_document(document) for document in history],
        },
        headers=_tagged(row.cid),
    )


@conditional
async def edit_record(request: web.Request, body: Document, condition: Condition) -> web.Response:
    """Write the next version of a record."""
    found = form.check_members(body, required=("content", "previous"))
    previous = form.text(found["previous"], "previous", most=100)
    row = await request.app[RECORDS].edit(
        _urn(request), _content(found), previous=previous, condition=condition
    )
    return reply({"id": row.id, "cid": row.cid}, headers=_tagged(row.cid))


@conditional
async def delete_record(request: web.Request, _: Document, condition: Condition) -> web.Response:
    """Delete a record with all its versions."""
    await request.app[RECORDS].delete(_urn(request), condition=condition)
    return _done()


@conditional
async def choose_self(request: web.Request, body: Document, condition: Condition) -> web.Response:
    """Say which record is about the person."""
    found = form.check_members(body, required=("record",))
    record = form.urn_uuid(found["record"], "record")
    await request.app[RECORDS].choose_self(record, condition=condition)
    return _done(record)


def _urn(request: web.Request) -> str:
    return form.urn_uuid("urn:uuid:" + request.match_info["record"], "record")


# Requests


@owned
async def invite(request: web.Request, body: Document) -> web.Response:
    """Mint an invitation."""
    label = form.text(form.check_members(body, required=("label",))["label"], "label", most=120)
    row = await request.app[INBOX].invite(label)
    url = f"{request.app[INSPECTION].origin}/i/{row.id}"
    return reply({"url": url, "label": row.label, "expires": format_time(row.expires_us // _US)}, status=201)


def _request(row: RequestRow) -> Document:
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
    optional = {"benefit": asked.benefit, "contact": asked.contact, "grant": row.grant, "reason": row.reason}
    return told | {name: value for name, value in optional.items() if value is not None}


@owned
async def list_requests(request: web.Request, _: Document) -> web.Response:
    """List the requests."""
    status = request.query.get("status")
    if status not in (None, "waiting", "approved", "refused"):
        raise MalformedError("status is waiting, approved or refused")
    rows = await request.app[INSPECTION].requests(status)
    return reply({"requests": [_request(row) for row in rows]})


@owned
async def show_request(request: web.Request, _: Document) -> web.Response:
    """Show one request."""
    return reply(_request(await request.app[INSPECTION].request(request.match_info["request"])))


def _choice(body: Document) -> Choice:
    return Choice(
        permissions=read_permissions(body["permissions"]),
        expires_s=parse_time(body["expires"]) if "expires" in body else None,
        not_before_s=parse_time(body["notBefore"]) if "notBefore" in body else None,
    )


@owned
async def draft_approval(request: web.Request, body: Document) -> web.Response:
    """Draw up what approving a request would grant."""
    form.check_members(body, required=("permissions",), optional=("expires", "notBefore"))
    draft = await request.app[INBOX].draft_approval(request.match_info["request"], _choice(body))
    return reply({"digest": draft.digest, "draft": draft.document})


@owned
async def approve(request: web.Request, body: Document) -> web.Response:
    """Grant exactly the draft that was shown."""
    found = form.check_members(body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    await check_passphrase(request, found)
    return _standing(await request.app[INBOX].approve(request.match_info["request"], digest))


def _standing(grant: Grant) -> web.Response:
    told: Document = {"grant": grant.id, "version": grant.version, "state": grant.state}
    return reply(told, headers=_tagged(grant.cid))


@owned
async def refuse(request: web.Request, body: Document) -> web.Response:
    """Refuse a request."""
    found = form.check_members(body, required=(), optional=("reason",))
    reason = form.text(found["reason"], "reason") if "reason" in found else None
    await request.app[INBOX].refuse(request.match_info["request"], reason)
    return _done()


# Grants


@owned
async def list_grants(request: web.Request, _: Document) -> web.Response:
    """List the grants."""
    return reply({"grants": await request.app[INSPECTION].grants()})


@conditional
async def show_grant(request: web.Request, _: Document, condition: Condition) -> web.Response:
    """Show one grant with its receipt, and how many listen."""
    grant_id = request.match_info["grant"]
    found, cid = await request.app[INSPECTION].grant(grant_id)
    condition.check(cid)
    listening = request.app[STREAMS].listening(grant_id)
    return reply({**found, "listening": listening}, headers=_tagged(cid))


def _change(value: Json) -> Change:
    found = next((change for change in CHANGES if change == value), None)
    if found is None or found in ("approve", "expire"):
        raise MalformedError("change is narrow, widen, pause, resume, rotate or end")
    return found


@conditional
async def draft_change(request: web.Request, body: Document, condition: Condition) -> web.Response:
    """Draw up the next version of a grant."""
    form.check_members(body, required=("change",), optional=("permissions", "expires"))
    change = _change(body["change"])
    says_what = change in ("narrow", "widen")
    if says_what != ("permissions" in body) or ("expires" in body and not says_what):
        raise MalformedError("narrow and widen say what is given from then on; the others do not")
    relations, grant_id = request.app[RELATIONS], request.match_info["grant"]
    choice = _choice(body) if "permissions" in body else None
    draft = await relations.draft_change(grant_id, change, choice, condition=condition)
    fresh = await relations.needs_passphrase(grant_id, draft.digest)
    told: Document = {"digest": draft.digest, "draft": draft.document, "passphrase": fresh}
    return reply(told, headers=_tagged(draft.previous) if draft.previous else None)


@conditional
async def change_grant(request: web.Request, body: Document, condition: Condition) -> web.Response:
    """Carry out exactly the draft that was shown; it binds every later read."""
    found = form.check_members(body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    relations, grant_id = request.app[RELATIONS], request.match_info["grant"]
    if await relations.needs_passphrase(grant_id, digest, condition=condition):
        await check_passphrase(request, found)
    return _standing(await relations.change(grant_id, digest, condition=condition))


@conditional
async def revoke(request: web.Request, body: Document, condition: Condition) -> web.Response:
    """Take something back within a grant: from a partner, one capability, or one permission."""
    found = form.check_members(body, required=(), optional=("partner", "capability", "permission"))
    if len(found) != 1:
        raise MalformedError("say one of partner, capability and permission")
    revocations, grant_id = request.app[REVOCATIONS], request.match_info["grant"]
    if "permission" in found:
        name = form.short_name(found["permission"], "permission")
        state = await revocations.permission(grant_id, name, condition=condition)
        return reply({"revoked": True, "state": state})
    if "partner" in found:
        partner = form.did(found["partner"], "partner")
        return reply({"revoked": await revocations.partner(grant_id, partner, condition=condition)})
    named = form.text(found["capability"], "capability", most=60)
    return reply({"revoked": await revocations.capability(grant_id, named, condition=condition)})


@owned
async def revoke_all(request: web.Request, body: Document) -> web.Response:
    """End every grant of one vendor, or every grant there is."""
    found = form.check_members(body, required=(), optional=("vendor", "everything"))
    revocations = request.app[REVOCATIONS]
    if set(found) == {"vendor"}:
        ended = await revocations.vendor(form.did(found["vendor"], "vendor"))
    elif set(found) == {"everything"} and found["everything"] is True:  # 1 == True, and is no such word
        ended = await revocations.everything()
    else:
        raise MalformedError('say a vendor, or {"everything": true}')
    return reply({"ended": list(ended)})


@owned
async def show_keys(request: web.Request, _: Document) -> web.Response:
    """Show whose keys are pinned under a grant, and which wait for the person's word."""
    return reply({"keys": await request.app[VENDOR_KEYS].listed(request.match_info["grant"])})


@conditional
async def accept_keys(request: web.Request, body: Document, condition: Condition) -> web.Response:
    """Pin exactly the keys that were shown; capabilities of others are dead from then on."""
    found = form.check_members(body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    await check_passphrase(request, found)
    grant_id = request.match_info["grant"]
    accepted = await request.app[VENDOR_KEYS].accept(grant_id, digest, condition=condition)
    return reply({"accepted": accepted})


@owned
async def list_entries(request: web.Request, _: Document) -> web.Response:
    """List a grant's ledger, every entry with its body."""
    query = request.query
    first = number_of(query.get("first"), "first", default=0, most=2**62)
    limit = number_of(query.get("limit"), "limit", default=100, most=limits.MAX_LEDGER_PAGE)
    listed = await request.app[INSPECTION].entries(
        request.match_info["grant"], first=first, limit=limit, holder=None
    )
    return reply(listed)


@owned
async def show_bundle(request: web.Request, _: Document) -> web.Response:
    """Give a grant's whole ledger, to be verified offline."""
    return reply(await request.app[INSPECTION].bundle(request.match_info["grant"]))


@owned
async def verify_all(request: web.Request, body: Document) -> web.Response:
    """Check every ledger, receipt and record."""
    form.check_members(body, required=())
    grants = await request.app[INSPECTION].verify()
    checked, damaged = await request.app[RECORDS].check_all()
    intact = not damaged and all(one["status"] != "damaged" for one in grants)
    return reply({"intact": intact, "grants": grants, "records": {"checked": checked, "damaged": damaged}})


@owned
async def confirm_clock(request: web.Request, body: Document) -> web.Response:
    """Trust the clock as it stands."""
    await check_passphrase(request, form.check_members(body, required=(), optional=("passphrase",)))
    now_us = await request.app[RELATIONS].confirm_clock()
    return reply({"now": format_time(now_us // _US)})
