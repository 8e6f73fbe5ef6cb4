"""The sample that ``freehold demo`` brings: what belongs to it, and removing all of it without a trace.

Only what was marked when it was brought can be erased so. A relationship that is the person's own is never erased: it
ends, and its ledger and receipts stay.

Spec: specs/http.md#sample
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document
from freehold_protocol.errors import NotFoundError

from .ambient import Ambient
from .filling import is_of_files
from .grant_told import vendor_shown
from .inbox import Inbox
from .news import News
from .relations import Relations
from .store.rows import RecordRow, RelationshipRow
from .store.store import Reader, Store, Transactor
from .view import Views

_SETTING: Final = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked:
    """What was marked: the DIDs of vendors, and the digests of files as records name them."""

    vendors: frozenset[str]
    files: frozenset[str]


class Samples:
    """The sample of one owner."""

    def __init__(
        self,
        store: Store,
        ambient: Ambient,
        relations: Relations,
        inbox: Inbox,
        *,
        owner: str,
        views: Views,
    ) -> None:
        """Act for an owner at a store; relations, inbox and views are told of what is gone."""
        self._store, self._ambient = store, ambient
        self._relations, self._inbox, self._owner, self._views = relations, inbox, owner, views

    async def mark(self, *, vendors: Iterable[str], files: Iterable[str] = ()) -> None:
        """Mark vendors and files as the sample's, before they come; what was marked before stays so.

        Args:
            vendors: Their DIDs.
            files: SHA-256 of each file, base64url, as ``source`` of the records from it has it.
        """
        vendors, files = frozenset(vendors), frozenset(files)

        def write(tx: Transactor) -> None:
            before = _marked(tx) or _Marked(vendors=frozenset(), files=frozenset())
            told: Document = {
                "vendors": sorted(before.vendors | vendors),
                "files": sorted(before.files | files),
            }
            tx.set_setting(_SETTING, jcs(told).decode())

        await self._store.write(write)

    async def told(self) -> Document:
        """Return what there is of the sample; ``sample`` is None if there is none."""

        def look(reader: Reader) -> Document:
            marked = _marked(reader)
            if marked is None:
                return {"sample": None}
            relationships = _of_vendors(reader, self._owner, marked)
            known = {row.vendor: vendor_shown(row.vendor, row.name) for row in relationships}
            grants = [one.grant for one in reader.standings(self._owner) if one.vendor in marked.vendors]
            return {
                "sample": {
                    "vendors": [known.get(did) or vendor_shown(did, "") for did in sorted(marked.vendors)],
                    "relationships": len(relationships),
                    "grants": grants,
                    "records": len(_from_files(reader, self._owner, marked)),
                }
            }

        return await self._store.read(look, long=True)

    async def remove(self) -> Document:
        """Erase the sample, all at once: its relationships with all that hangs on them, and its records.

        A record that the person has edited since is theirs and stays. Grants of others that showed one that goes are
        told as of any deletion. No version that ends a grant is signed first: nobody could ask for it any more.

        Raises:
            NotFoundError: There is no sample.
        """
        now_us = self._ambient.clock.now_us()
        requests: list[str] = []

        def write(tx: Transactor) -> Document:
            marked = _marked(tx)
            if marked is None:
                raise NotFoundError("there is no sample here")
            requests[:] = [head.id for head in tx.request_heads(self._owner) if head.vendor in marked.vendors]
            relationships = _of_vendors(tx, self._owner, marked)
            grants: list[str] = []
            for row in relationships:
                grants += tx.erase_relationship(self._owner, row.id)
            records = _from_files(tx, self._owner, marked)
            self._delete(tx, records, now_us)
            tx.set_setting(_SETTING, "")
            tx.log_action(self._owner, time_us=now_us, action="remove-sample", subject="")
            return {"grants": grants, "relationships": len(relationships), "records": len(records)}

        told = await self._store.write(write)
        self._views.clear()
        for request in requests:
            self._inbox.wake(request)
        return told

    def _delete(self, tx: Transactor, records: list[RecordRow], now_us: int) -> None:
        news = News(tx, self._owner, self._ambient)
        for row in records:
            self._relations.record_goes(tx, row, now_us)
            news.wrote(row, None)
            tx.delete_record(self._owner, row.id)
        news.tell()


def _marked(reader: Reader) -> _Marked | None:
    text = reader.setting(_SETTING)
    if not text:
        return None
    found = json.loads(text)
    return _Marked(vendors=frozenset(found["vendors"]), files=frozenset(found["files"]))


def _of_vendors(reader: Reader, owner: str, marked: _Marked) -> list[RelationshipRow]:
    return [row for row in reader.relationships(owner) if row.vendor in marked.vendors]


def _from_files(reader: Reader, owner: str, marked: _Marked) -> list[RecordRow]:
    """Return the records that stand as they came from the files; the store finds a few more than these."""
    rows = {row.id: row for digest in marked.files for row in reader.from_source(owner, digest)}
    return [row for row in rows.values() if is_of_files(reader, owner, row, marked.files)]
