"""The owner's own operations: the CLI and the dashboard use these, and nothing else does more.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from freehold_protocol import form, limits
from freehold_protocol.encoding import (
    Document,
    Json,
    base64url_decode,
    base64url_encode,
    format_time,
    parse_document,
    parse_time,
)
from freehold_protocol.errors import MalformedError
from freehold_protocol.grant import CHANGES, STATES, Change, Grant
from freehold_protocol.permission import read_permissions
from freehold_protocol.record import content_of
from freehold_protocol.request import Request, matching_code

from ..config import VERSION
from ..drafts import Choice
from ..imports import MAX_MAPPING_BYTES, Skipped, suggest_mapping
from ..inspection import vendor_shown
from ..lists import STATUSES
from ..records import label_of
from ..store.rows import RecordRow, RequestRow
from ..store.sought import RecordOrder
from .keys import (
    INBOX,
    INSPECTION,
    LISTS,
    RECORDS,
    RELATIONS,
    REVOCATIONS,
    STREAMS,
    VENDOR_KEYS,
)
from .messages import filled, number_of, text_of
from .operation import Answer, Asked, conditional, owned

_US: Final = 1_000_000
_SHOWN: Final = 20
"""Records of a preview that are shown with what they say."""
_PAGED: Final = {"q", "after", "limit"}
"""Who names one of these asks for a page."""
_MAX_FILE_CHARS: Final = 15 * 2**20


def _done(tag: str | None = None) -> Answer:
    return Answer(tag=tag)


@owned
async def show_status(asked: Asked) -> Answer:
    """Show how the node stands."""
    return Answer(document={"version": VERSION, **await asked.app[INSPECTION].status_of_node()})


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


def _emails(document: Document) -> list[str]:
    """Return by which addresses a person in a file can be chosen."""
    if document["type"] != "Person":
        return []
    values = document.get("email", [])
    return [one for one in (values if isinstance(values, list) else [values]) if isinstance(one, str)]


@owned
async def preview_import(asked: Asked) -> Answer:
    """Show what a file holds, without importing anything."""
    data, name = _file(asked.body, "mapping", "me")
    preview, states = await asked.app[RECORDS].preview(data, name, _mapping(asked.body))
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
            **({"emails": emails} if (emails := _emails(one.document)) else {}),
        }
        for number, (one, state) in enumerate(zip(preview.found, states, strict=True), start=1)
    ]
    return Answer(document={"format": preview.format, "found": found, "skipped": _skipped(preview.skipped)})


@owned
async def suggest_import_mapping(asked: Asked) -> Answer:
    """Write a mapping for a table to begin with."""
    data, name = _file(asked.body)
    return Answer(document={"mapping": await asyncio.to_thread(suggest_mapping, data, name=name)})


@owned
async def import_file(asked: Asked) -> Answer:
    """Import what is sound in a file."""
    me = form.text(asked.body["me"], "me", most=300) if "me" in asked.body else None
    data, name = _file(asked.body, "mapping", "me")
    done = await asked.app[RECORDS].import_file(
        data, name, me=me, mapping=_mapping(asked.body), told=asked.told
    )
    return Answer(
        document={
            "added": done.added,
            "changed": done.changed,
            "same": done.same,
            "self": await asked.app[INSPECTION].self_record(),
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


_ORDERS: Final[dict[str, RecordOrder]] = {"first": "first", "newest": "newest", "name": "name"}


@owned
async def list_records(asked: Asked) -> Answer:
    """List the records, by type or by what they are called, a page at a time."""
    query = filled(asked.query)
    order = _ORDERS.get(query.get("order", "first"))
    if order is None:
        raise MalformedError("order is first, newest or name")
    page = await asked.app[LISTS].records(
        order=order,
        type_=text_of(query, "type", most=100),
        text=text_of(query, "q", most=100),
        after=_place(query, order),
        limit=max(1, number_of(query.get("limit"), "limit", default=limits.MAX_PAGE, most=1000)),
    )
    listed: Document = {"records": [_record(row, page.self_record) for row in page.rows]}
    if page.rest is not None:
        name, n = page.rest
        listed["next"] = f"{n}.{base64url_encode(name.encode())}" if order == "name" else n
    return Answer(document=listed)


def _place(query: Mapping[str, str], order: RecordOrder) -> tuple[str, int] | None:
    """Return where the page before ended: a number, and where they are by name also the last one's."""
    after = query.get("after")
    if after is None:
        return None
    number, _, name = after.partition(".") if order == "name" else (after, "", "")
    place = number_of(number, "after", default=0, most=2**62)
    try:
        return base64url_decode(name).decode(), place
    except UnicodeDecodeError:
        raise MalformedError("after is what the page before gave as next") from None


@owned
async def list_record_types(asked: Asked) -> Answer:
    """Count the records of each type."""
    return Answer(document=await asked.app[LISTS].record_types())


@owned
async def add_record(asked: Asked) -> Answer:
    """Add a record that the person wrote."""
    row = await asked.app[RECORDS].add(_content(form.check_members(asked.body, required=("content",))))
    return Answer(document={"id": row.id, "cid": row.cid}, status=201, tag=row.cid)


def _content(body: Document) -> Document:
    content = body["content"]
    if not isinstance(content, dict):
        raise MalformedError("content is what the record says: a JSON object")
    return content


@conditional
async def show_record(asked: Asked) -> Answer:
    """Show a record with its earlier versions, and who may read it now."""
    row, history, self_record = await asked.app[INSPECTION].record(_urn(asked))
    asked.condition.check(row.cid)
    return Answer(
        document={
            "record": parse_document(row.document),
            "content": content_of(parse_document(row.document)),
            "cid": row.cid,
            "self": row.id == self_record,
            "history": [parse_document(document) for document in history],
            "readers": await asked.app[INSPECTION].readers_of_record(row.id),
        },
        tag=row.cid,
    )


@conditional
async def edit_record(asked: Asked) -> Answer:
    """Write the next version of a record."""
    found = form.check_members(asked.body, required=("content", "previous"))
    previous = form.text(found["previous"], "previous", most=100)
    row = await asked.app[RECORDS].edit(
        _urn(asked), _content(found), previous=previous, condition=asked.condition
    )
    return Answer(document={"id": row.id, "cid": row.cid}, tag=row.cid)


@conditional
async def delete_record(asked: Asked) -> Answer:
    """Delete a record with all its versions."""
    await asked.app[RECORDS].delete(_urn(asked), condition=asked.condition)
    return _done()


@conditional
async def choose_self(asked: Asked) -> Answer:
    """Say which record is about the person."""
    found = form.check_members(asked.body, required=("record",))
    record = form.urn_uuid(found["record"], "record")
    await asked.app[RECORDS].choose_self(record, condition=asked.condition)
    return _done(record)


def _urn(asked: Asked) -> str:
    return form.urn_uuid("urn:uuid:" + asked.params["record"], "record")


# Requests


@owned
async def invite(asked: Asked) -> Answer:
    """Mint an invitation."""
    label = form.text(form.check_members(asked.body, required=("label",))["label"], "label", most=120)
    row = await asked.app[INBOX].invite(label)
    url = f"{asked.app[INSPECTION].origin}/i/{row.id}"
    return Answer(
        document={"url": url, "label": row.label, "expires": format_time(row.expires_us // _US)}, status=201
    )


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
    optional = {"benefit": asked.benefit, "contact": asked.contact, "grant": row.grant, "reason": row.reason}
    return told | {name: value for name, value in optional.items() if value is not None}


@owned
async def list_requests(asked: Asked) -> Answer:
    """List the requests; with a text, a limit or a place to go on from, a page of them and their numbers."""
    query = filled(asked.query)
    status = query.get("status")
    if status not in (None, *STATUSES):
        raise MalformedError("status is waiting, approved or refused")
    if not query.keys() & _PAGED:
        rows = await asked.app[INSPECTION].requests(status)
        return Answer(document={"requests": [request_told(row) for row in rows]})
    page = await asked.app[LISTS].requests(
        status=status, text=text_of(query, "q", most=300), after=query.get("after"), limit=_limit(query)
    )
    told: Document = {"requests": [request_told(row) for row in page.rows], "counts": page.counts}
    return Answer(document=told if page.rest is None else {**told, "next": page.rest})


def _limit(query: Mapping[str, str]) -> int:
    return max(1, number_of(query.get("limit"), "limit", default=50, most=200))


@owned
async def show_request(asked: Asked) -> Answer:
    """Show one request."""
    return Answer(document=request_told(await asked.app[INSPECTION].request(asked.params["request"])))


def _choice(body: Document) -> Choice:
    return Choice(
        permissions=read_permissions(body["permissions"]),
        expires_s=parse_time(body["expires"]) if "expires" in body else None,
        not_before_s=parse_time(body["notBefore"]) if "notBefore" in body else None,
    )


@owned
async def draft_approval(asked: Asked) -> Answer:
    """Draw up what approving a request would grant."""
    form.check_members(asked.body, required=("permissions",), optional=("expires", "notBefore"))
    draft = await asked.app[INBOX].draft_approval(asked.params["request"], _choice(asked.body))
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
    return _standing(grant, **({"returnTo": await inbox.send_back(request_id)} if row.carried else {}))


def _standing(grant: Grant, **more: Json) -> Answer:
    told: Document = {"grant": grant.id, "version": grant.version, "state": grant.state, **more}
    return Answer(document=told, tag=grant.cid)


@owned
async def refuse(asked: Asked) -> Answer:
    """Refuse a request."""
    found = form.check_members(asked.body, required=(), optional=("reason",))
    reason = form.text(found["reason"], "reason") if "reason" in found else None
    await asked.app[INBOX].refuse(asked.params["request"], reason)
    return _done()


# Grants


@owned
async def list_grants(asked: Asked) -> Answer:
    """List the grants; with a state, a text, a limit or a place to go on from, a page of them in a line each."""
    query = filled(asked.query)
    if not query.keys() & {*_PAGED, "state"}:
        return Answer(document={"grants": await asked.app[INSPECTION].grants()})
    state = query.get("state")
    if state not in (None, *STATES):
        raise MalformedError("state is live, paused, ended or expired")
    listed = await asked.app[LISTS].grants(
        state=state, text=text_of(query, "q", most=300), after=query.get("after"), limit=_limit(query)
    )
    return Answer(document=listed)


@conditional
async def show_grant(asked: Asked) -> Answer:
    """Show one grant with its receipt, and how many listen."""
    grant_id = asked.params["grant"]
    found, cid = await asked.app[INSPECTION].grant(grant_id)
    asked.condition.check(cid)
    listening = asked.app[STREAMS].listening(grant_id)
    return Answer(document={**found, "listening": listening}, tag=cid)


def _change(value: Json) -> Change:
    found = next((change for change in CHANGES if change == value), None)
    if found is None or found in ("approve", "expire"):
        raise MalformedError("change is narrow, widen, pause, resume, rotate or end")
    return found


@conditional
async def draft_change(asked: Asked) -> Answer:
    """Draw up the next version of a grant."""
    form.check_members(asked.body, required=("change",), optional=("permissions", "expires"))
    change = _change(asked.body["change"])
    says_what = change in ("narrow", "widen")
    if says_what != ("permissions" in asked.body) or ("expires" in asked.body and not says_what):
        raise MalformedError("narrow and widen say what is given from then on; the others do not")
    relations, grant_id = asked.app[RELATIONS], asked.params["grant"]
    choice = _choice(asked.body) if "permissions" in asked.body else None
    draft = await relations.draft_change(grant_id, change, choice, condition=asked.condition)
    fresh = await relations.needs_passphrase(grant_id, draft.digest)
    told: Document = {"digest": draft.digest, "draft": draft.document, "passphrase": fresh}
    return Answer(document=told, tag=draft.previous)


@conditional
async def change_grant(asked: Asked) -> Answer:
    """Carry out exactly the draft that was shown; it binds every later read."""
    found = form.check_members(asked.body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    relations, grant_id = asked.app[RELATIONS], asked.params["grant"]
    if await relations.needs_passphrase(grant_id, digest, condition=asked.condition):
        await asked.prove()
    return _standing(await relations.change(grant_id, digest, condition=asked.condition))


@conditional
async def revoke(asked: Asked) -> Answer:
    """Take something back within a grant: from a partner, one capability, or one permission."""
    found = form.check_members(asked.body, required=(), optional=("partner", "capability", "permission"))
    if len(found) != 1:
        raise MalformedError("say one of partner, capability and permission")
    revocations, grant_id = asked.app[REVOCATIONS], asked.params["grant"]
    if "permission" in found:
        name = form.short_name(found["permission"], "permission")
        state = await revocations.permission(grant_id, name, condition=asked.condition)
        return Answer(document={"revoked": True, "state": state})
    if "partner" in found:
        partner = form.did(found["partner"], "partner")
        return Answer(
            document={"revoked": await revocations.partner(grant_id, partner, condition=asked.condition)}
        )
    named = form.text(found["capability"], "capability", most=60)
    return Answer(
        document={"revoked": await revocations.capability(grant_id, named, condition=asked.condition)}
    )


@owned
async def revoke_all(asked: Asked) -> Answer:
    """End every grant of one vendor, or every grant there is."""
    found = form.check_members(asked.body, required=(), optional=("vendor", "everything"))
    revocations = asked.app[REVOCATIONS]
    if set(found) == {"vendor"}:
        ended = await revocations.vendor(form.did(found["vendor"], "vendor"))
    elif set(found) == {"everything"} and found["everything"] is True:  # 1 == True, and is no such word
        ended = await revocations.everything()
    else:
        raise MalformedError('say a vendor, or {"everything": true}')
    return Answer(document={"ended": list(ended)})


@owned
async def show_keys(asked: Asked) -> Answer:
    """Show whose keys are pinned under a grant, and which wait for the person's word."""
    return Answer(document={"keys": await asked.app[VENDOR_KEYS].listed(asked.params["grant"])})


@conditional
async def accept_keys(asked: Asked) -> Answer:
    """Pin exactly the keys that were shown; capabilities of others are dead from then on."""
    found = form.check_members(asked.body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    await asked.prove()
    grant_id = asked.params["grant"]
    accepted = await asked.app[VENDOR_KEYS].accept(grant_id, digest, condition=asked.condition)
    return Answer(document={"accepted": accepted})


@owned
async def list_entries(asked: Asked) -> Answer:
    """List a grant's ledger, every entry with its asked.body."""
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


@owned
async def verify_all(asked: Asked) -> Answer:
    """Check every ledger, receipt and record."""
    form.check_members(asked.body, required=())
    grants = await asked.app[INSPECTION].verify()
    checked, damaged = await asked.app[RECORDS].check_all()
    intact = not damaged and all(one["status"] != "damaged" for one in grants)
    return Answer(
        document={"intact": intact, "grants": grants, "records": {"checked": checked, "damaged": damaged}}
    )


@owned
async def confirm_clock(asked: Asked) -> Answer:
    """Trust the clock as it stands."""
    form.check_members(asked.body, required=(), optional=("passphrase",))
    await asked.prove()
    now_us = await asked.app[RELATIONS].confirm_clock()
    return Answer(document={"now": format_time(now_us // _US)})
