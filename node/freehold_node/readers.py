"""Who may read a record now, and who more could if it were the one about the person.

Spec: specs/http.md#fresh-proof
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from freehold_protocol.encoding import parse_document
from freehold_protocol.permission import Permission
from freehold_protocol.record import content_of

from .news import permissions_of
from .shown import paths_shown
from .store.rows import RecordRow, Standing
from .store.store import Pins, Reader


class Shown(NamedTuple):
    """What a permission of a live grant shows of a record."""

    standing: Standing
    permission: str
    paths: tuple[str, ...]


def readers_of(reader: Reader, owner: str, row: RecordRow, *, now_us: int) -> list[Shown]:
    """Return which fields of a record may be read now, under which permissions."""
    content = content_of(parse_document(row.document))
    found = []
    for standing, permission, pins in _giving(reader, owner, row, now_us):
        paths = paths_shown(permission, row, content, standing.self_record, pins)
        if paths and standing.not_before_us <= now_us:
            found.append(Shown(standing, permission.name, paths))
    return found


def readers_as_self(reader: Reader, owner: str, row: RecordRow, *, now_us: int) -> list[Shown]:
    """Return which fields could be read beside those, now or once a grant begins, were it the one about the person."""
    content = content_of(parse_document(row.document))
    found = []
    for standing, permission, pins in _giving(reader, owner, row, now_us):
        known = paths_shown(permission, row, content, standing.self_record, pins)
        then = paths_shown(permission, row, content, row.id, pins)
        if more := tuple(path for path in then if path not in known):
            found.append(Shown(standing, permission.name, more))
    return found


def _giving(
    reader: Reader, owner: str, row: RecordRow, now_us: int
) -> Iterator[tuple[Standing, Permission, Pins]]:
    """Yield every permission of a grant that is live, with what it has of this record."""
    pinned = reader.pinned(owner, row.id)
    for standing in reader.standings(owner):
        if standing.state != "live" or now_us >= standing.expires_us:
            continue
        version = reader.version(owner, standing.grant, standing.version)
        for permission in permissions_of(version.document) if version is not None else ():
            yield standing, permission, pinned.get(standing.grant, {})
