"""The owner's operations about records: listing, reading, writing and deleting them, and which is about the person.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from freehold_protocol import form, limits
from freehold_protocol.encoding import (
    Document,
    base64url_decode,
    base64url_encode,
    format_time,
    parse_document,
)
from freehold_protocol.errors import MalformedError
from freehold_protocol.record import content_of

from ...labels import label_of
from ...store.rows import RecordRow
from ...store.sought import RecordOrder
from ..keys import INSPECTION, LISTS, RECORDS
from ..messages import filled, number_of, text_of
from ..operation import Answer, Asked, conditional, owned

_US: Final = 1_000_000
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
async def list_record_types(asked: Asked) -> Answer:
    """Count the records of each type."""
    return Answer(document=await asked.app[LISTS].record_types())


@owned
async def add_record(asked: Asked) -> Answer:
    """Add a record that the person wrote."""
    row = await asked.app[RECORDS].add(_content(form.check_members(asked.body, required=("content",))))
    return Answer(document={"id": row.id, "cid": row.cid}, status=201, tag=row.cid)


@conditional
async def show_record(asked: Asked) -> Answer:
    """Show a record with its earlier versions, and who may read it now."""
    row, history, self_record = await asked.app[INSPECTION].record(_urn(asked))
    asked.condition.check(row.cid)
    readers, as_self = await asked.app[INSPECTION].readers_of_record(row.id)
    return Answer(
        document={
            "record": parse_document(row.document),
            "content": content_of(parse_document(row.document)),
            "cid": row.cid,
            "self": row.id == self_record,
            "history": [parse_document(document) for document in history],
            "readers": readers,
            **({"asSelf": as_self} if as_self else {}),
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
    return Answer()


@conditional
async def choose_self(asked: Asked) -> Answer:
    """Say which record is about the person; a live grant that would show more by it takes a fresh proof."""
    found = form.check_members(asked.body, required=("record",), optional=("passphrase",))
    record = form.urn_uuid(found["record"], "record")
    await asked.app[RECORDS].choose_self(record, condition=asked.condition, prove=asked.prove)
    return Answer(tag=record)


def _content(body: Document) -> Document:
    content = body["content"]
    if not isinstance(content, dict):
        raise MalformedError("content is what the record says: a JSON object")
    return content


def _urn(asked: Asked) -> str:
    return form.urn_uuid("urn:uuid:" + asked.params["record"], "record")
