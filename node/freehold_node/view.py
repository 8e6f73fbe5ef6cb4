"""What a permission shows of the records, right now: select, project, rename.

A view is a function of a grant's version, the records' version and what was asked for. Made from one
snapshot, it says of which epoch and which records it is; whoever sends it compares both at admission.

Spec: specs/http.md#reading
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import (
    CursorError,
    NotFoundError,
    NotSharedError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.keys import RelationshipKeys
from freehold_protocol.permission import Permission
from freehold_protocol.record import content_of
from freehold_protocol.released import Released, matches, project, release_document, release_page

from .sealing import open_sealed, seal
from .selection import Selection
from .shown import items_showing
from .store.rows import RecordRow, Standing
from .store.store import Pins, Reader

_CHUNK: Final = 200
_PAGE_BYTES: Final = 2**20
"""A page ends with the record that brings it over this, however many were asked for."""


@dataclass(slots=True, kw_only=True)
class View:
    """What would be sent, and of which epoch and records it is.

    ``body`` is signed when it is first asked for, which is after admission; ``long`` says that making it
    takes time with the number of records.
    """

    epoch: int
    records_version: int
    released: Released
    etag: str
    long: bool
    _sign: Callable[[], bytes] = field(repr=False)
    _body: bytes | None = field(default=None, repr=False)

    def stands(self, standing: Standing) -> bool:
        """Whether nothing that this view was made of has changed since."""
        return self.epoch == standing.epoch and self.records_version == standing.records_version

    @property
    def body(self) -> bytes:
        """The signed JSON bytes."""
        if self._body is None:
            self._body = self._sign()
        return self._body

    @property
    def size(self) -> int:
        """Roughly how much memory it takes, in bytes."""
        return 5 * len(self.released.canonical) + 12_000


class Views:
    """Remembers the latest view of each selection."""

    def __init__(self, *, cache_bytes: int = 16 * 2**20) -> None:
        self._cache: OrderedDict[tuple[str, Selection], View] = OrderedDict()
        self._room = cache_bytes

    def known(self, grant: str, selection: Selection) -> View | None:
        """Return the latest view that was admitted; whether it still stands, only its epoch can tell."""
        key = (grant, selection)
        view = self._cache.get(key)
        if view is not None:
            self._cache.move_to_end(key)
        return view

    def forget(self, grant: str) -> None:
        """Forget what was shown under a grant."""
        for key in [key for key in self._cache if key[0] == grant]:
            self._room += self._cache.pop(key).size

    def clear(self) -> None:
        """Forget everything: what was deleted stays in no memory of the node's."""
        self._room += sum(view.size for view in self._cache.values())
        self._cache.clear()

    def keep(self, grant: str, selection: Selection, view: View) -> None:
        """Remember a view that was admitted, and forget the longest unused ones beyond the cache's size."""
        key = (grant, selection)
        before = self._cache.get(key)
        if before is view:
            return
        self._cache[key] = view
        self._room += (before.size if before else 0) - view.size
        while self._room < 0:
            _, dropped = self._cache.popitem(last=False)
            self._room += dropped.size


def make_view(
    reader: Reader, standing: Standing, grant: Grant, selection: Selection, keys: RelationshipKeys
) -> View:
    """Return what the selection shows in this snapshot.

    Args:
        reader: The snapshot that standing was read in.
        standing: The grant as it stands.
        grant: Its standing version.
        selection: What is asked for.
        keys: The relationship's.

    Raises:
        NotSharedError: The permission, or a field asked for by name, is not shared.
        NotFoundError: No record of that alias is shown.
        CursorError: The cursor is of another epoch, or not ours.
    """
    permission = grant.permission(selection.permission)
    if permission is None:
        raise NotSharedError("this permission is not shared")
    if selection.fields is not None and not set(selection.fields) <= set(permission.fields):
        raise NotSharedError("a field asked for is not shared")
    showing = _Showing(reader, standing, permission, selection, keys)
    released = showing.page() if selection.alias is None else showing.document(selection.alias)
    return View(
        epoch=standing.epoch,
        records_version=standing.records_version,
        released=released,
        etag=f'"{base64url_encode(hashlib.sha256(released.canonical).digest())}"',
        long=any(item.about == "any" for item in permission.items),
        _sign=lambda: released.sign(keys.serving),
    )


class _Showing:
    """One permission over one snapshot."""

    def __init__(
        self,
        reader: Reader,
        standing: Standing,
        permission: Permission,
        selection: Selection,
        keys: RelationshipKeys,
    ) -> None:
        self._reader, self._standing = reader, standing
        self._permission, self._selection, self._keys = permission, selection, keys
        pinned = any(not item.new_records for item in permission.items)
        self._pins: Pins = reader.pins(standing.owner, standing.grant) if pinned else {}

    def document(self, alias: str) -> Released:
        for row, fields, content in self._shown(after=0):
            if hmac.compare_digest(self._keys.alias_of(row.id), alias):
                return self._release(row, fields, content)
        raise NotFoundError("no such record is shown")

    def page(self) -> Released:
        selection, last = self._selection, 0
        after = 0 if selection.cursor is None else self._open_cursor(selection.cursor)
        items: list[Document] = []
        more, size = False, 0
        for row, fields, content in self._shown(after=after):
            if not matches(project(content, fields, alias=self._keys.alias_of), selection.where):
                continue
            if len(items) == selection.limit or size > _PAGE_BYTES:
                more = True
                break
            released = self._release(row, fields, content)
            items.append(released.signed(self._keys.serving))
            size += len(released.canonical)
            last = row.n
        return release_page(
            items,
            fields=self._asked(self._permission.fields),
            key=self._keys.serving,
            next_cursor=self._seal_cursor(last) if more else None,
        )

    def _release(self, row: RecordRow, fields: tuple[str, ...], content: Document) -> Released:
        return release_document(
            row.id, content, fields=self._asked(fields), key=self._keys.serving, alias=self._keys.alias_of
        )

    def _asked(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        asked = self._selection.fields
        return fields if asked is None else tuple(path for path in fields if path in asked)

    def _shown(self, *, after: int) -> Iterator[tuple[RecordRow, tuple[str, ...], Document]]:
        """Yield each record that an item shows, in order, with the paths shown of it."""
        for row in self._candidates(after):
            content = content_of(json.loads(row.document))
            shown = items_showing(self._permission, row, content, self._standing.self_record, self._pins)
            if shown:
                yield row, tuple(dict.fromkeys(path for item in shown for path in item.fields)), content

    def _candidates(self, after: int) -> Iterable[RecordRow]:
        standing = self._standing
        if all(item.about == "self" for item in self._permission.items):
            row = standing.self_record and self._reader.record(standing.owner, standing.self_record)
            if row and row.n > after:
                yield row
            return
        types = {item.type for item in self._permission.items}
        while rows := self._reader.records(standing.owner, after=after, limit=_CHUNK, types=types):
            yield from rows
            after = rows[-1].n

    # Cursors say where to go on; sealed, so that they tell nothing, and bound to the epoch and to what was asked.

    def _asked_for(self) -> bytes:
        selection = self._selection
        return jcs(
            [
                self._standing.grant,
                self._standing.epoch,
                selection.permission,
                list(selection.fields or ("*",)),
                dict(selection.where),
            ]
        )

    def _seal_cursor(self, after: int) -> str:
        # The same page has the same cursor, so that it has the same ETag.
        return seal(self._keys.cursor, after.to_bytes(8, "big"), bound=self._asked_for())

    def _open_cursor(self, text: str) -> int:
        plain = open_sealed(self._keys.cursor, text, bound=self._asked_for())
        if plain is None:
            raise CursorError("the grant has changed since the cursor was given, or it is not ours")
        return int.from_bytes(plain, "big")
