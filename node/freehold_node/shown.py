"""Which records a permission shows, and what of them: one answer for reading, events and the owner.

Spec: specs/http.md#reading
"""

from __future__ import annotations

import json

from freehold_protocol.encoding import Document
from freehold_protocol.grant import Grant
from freehold_protocol.permission import Item, Permission
from freehold_protocol.record import content_of
from freehold_protocol.released import matches, project

from .store.rows import RecordRow, Standing
from .store.store import Pins, Reader

_CHUNK = 200


def items_showing(
    permission: Permission, row: RecordRow, content: Document, self_record: str | None, pins: Pins
) -> list[Item]:
    """Return the items of a permission that show a record."""
    return [
        item
        for index, item in enumerate(permission.items)
        if item.type == row.type
        and (item.about == "any" or row.id == self_record)
        and (item.new_records or row.id in pins.get((permission.name, index), ()))
        and matches(content, item.where)
    ]


def shown_of(
    permission: Permission, row: RecordRow, content: Document, self_record: str | None, pins: Pins
) -> Document | None:
    """Return what a permission shows of a record, ids as the owner knows them; None if it does not show it.

    Args:
        permission: Of the grant's standing version.
        row: The record.
        content: What it says.
        self_record: Which record is about the person.
        pins: At least those of this record.
    """
    items = items_showing(permission, row, content, self_record, pins)
    fields = dict.fromkeys(path for item in items for path in item.fields)
    return project(content, fields, alias=str) if items else None


def paths_shown(
    permission: Permission, row: RecordRow, content: Document, self_record: str | None, pins: Pins
) -> tuple[str, ...]:
    """Return the paths that a permission shows of a record, none if it does not show it; arguments as shown_of."""
    items = items_showing(permission, row, content, self_record, pins)
    return tuple(dict.fromkeys(path for item in items for path in item.fields))


def in_view(reader: Reader, standing: Standing, grant: Grant, row: RecordRow) -> bool:
    """Whether a grant's standing version shows a record, under any permission."""
    content, pins = content_of(json.loads(row.document)), reader.pins(standing.owner, standing.grant)
    return any(items_showing(one, row, content, standing.self_record, pins) for one in grant.permissions)


def shown_records(reader: Reader, owner: str, self_record: str | None, item: Item) -> frozenset[str]:
    """Return the ids of the records that an item would show now, all of them."""
    found: list[str] = []
    after = 0
    while rows := reader.records(owner, after=after, limit=_CHUNK, types=(item.type,)):
        after = rows[-1].n
        found += [
            row.id
            for row in rows
            if (item.about == "any" or row.id == self_record)
            and matches(content_of(json.loads(row.document)), item.where)
        ]
    return frozenset(found)
