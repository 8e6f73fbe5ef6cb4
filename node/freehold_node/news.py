"""News: what writing records changes in the views of a person's grants, and so has to be told to who listens.

Each record is compared as it was with as it is, through the items of each permission that may show it. No other
record is looked at; and a permission whose view is known to change is not looked at again in the same transaction.

Spec: specs/http.md#events
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document
from freehold_protocol.permission import Item, Permission
from freehold_protocol.record import content_of

from .ambient import Ambient
from .changes import grant_of
from .events import note_views
from .shown import shown_of
from .store.rows import RecordRow, Standing, VersionRow
from .store.store import Pins, Transactor

_Key = tuple[str, str]
"""Grant and permission."""
_NOTHING: Final[Mapping[str, Pins]] = {}


class News:
    """Of one transaction: told of every record it writes, and at its end who is to be told.

    ``wrote`` comes before a record is deleted and ``chose_self`` after another was chosen, else in any order.
    """

    def __init__(self, tx: Transactor, owner: str, ambient: Ambient) -> None:
        """Begin, before anything is written."""
        self._tx, self._owner, self._ambient = tx, owner, ambient
        row = tx.owner(owner)
        self._self = row.self_record if row is not None else None
        self._permissions: dict[_Key, Permission] = {}  # whose view has not changed yet
        self._of_self: dict[str, set[_Key]] = {}
        self._growing: dict[str, set[_Key]] = {}
        self._changed: dict[str, list[str]] = {}
        for standing in tx.standings(owner):
            if standing.state in ("live", "paused"):
                self._watch(standing)

    def _watch(self, standing: Standing) -> None:
        version = self._tx.version(self._owner, standing.grant, standing.version)
        if version is None:
            return
        for permission in permissions_of(version.document):
            key = (standing.grant, permission.name)
            self._permissions[key] = permission
            for item in permission.items:
                if (among := self._place_of(item)) is not None:
                    among.setdefault(item.type, set()).add(key)

    def _place_of(self, item: Item) -> dict[str, set[_Key]] | None:
        """Return where to note by type who shows records by this item; None: the pins tell."""
        if item.about == "self":
            return self._of_self
        return self._growing if item.new_records else None

    def wrote(self, before: RecordRow | None, after: RecordRow | None) -> None:
        """Look at a record that was added (None before), edited, or is about to be deleted (None after)."""
        row = after or before
        if row is not None and self._permissions:
            self._compare(row.id, (before, self._self), (after, self._self))

    def chose_self(self, record_id: str) -> None:
        """Look at the record that was about the person, and at the one that is from now on."""
        earlier, self._self = self._self, record_id
        if earlier == record_id or not self._permissions:
            return
        for changed in filter(None, (earlier, record_id)):
            row = self._tx.record(self._owner, changed)
            self._compare(changed, (row, earlier), (row, record_id))

    def tell(self) -> None:
        """Have it told to who listens, whatever changed."""
        for grant, permissions in self._changed.items():
            note_views(self._tx, self._owner, grant, permissions, ambient=self._ambient)
        self._changed = {}

    def _compare(
        self,
        record: str,
        before: tuple[RecordRow | None, str | None],
        after: tuple[RecordRow | None, str | None],
    ) -> None:
        """Note every permission that shows something else of a record than before; each with who the person is."""
        rows = [row for row, _ in (before, after) if row is not None]
        pinned = self._tx.pinned(self._owner, record) if before[0] is not None else _NOTHING
        types = {row.type for row in rows}
        keys = set(chain.from_iterable(self._growing.get(one, ()) for one in types))
        if record in (before[1], after[1]):
            keys |= set(chain.from_iterable(self._of_self.get(one, ()) for one in types))
        keys |= {(grant, permission) for grant, pins in pinned.items() for permission, _ in pins}
        keys &= self._permissions.keys()
        if not keys:
            return
        contents = {row.cid: content_of(json.loads(row.document)) for row in rows}
        for key in sorted(keys):
            pins = pinned.get(key[0], {})
            if self._shown(key, *before, contents, pins) != self._shown(key, *after, contents, pins):
                self._note(key)

    def _shown(
        self,
        key: _Key,
        row: RecordRow | None,
        self_record: str | None,
        contents: Mapping[str, Document],
        pins: Pins,
    ) -> bytes | None:
        if row is None:
            return None
        shown = shown_of(self._permissions[key], row, contents[row.cid], self_record, pins)
        return jcs(shown) if shown is not None else None

    def _note(self, key: _Key) -> None:
        grant, name = key
        del self._permissions[key]
        self._changed.setdefault(grant, []).append(name)
        for keys in chain(self._of_self.values(), self._growing.values()):
            keys.discard(key)


@lru_cache(maxsize=1024)
def permissions_of(document: bytes) -> tuple[Permission, ...]:
    """Return what a version of a grant gives; the same bytes are parsed once."""
    return grant_of(VersionRow(version=0, change="", document=document)).permissions
