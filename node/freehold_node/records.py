"""The person's records: import, add, edit, delete, and which one is about the person.

Spec: specs/records.md
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeVar

from freehold_protocol import form
from freehold_protocol.canonical import jcs
from freehold_protocol.contexts import check_terms
from freehold_protocol.encoding import Document, base64url_encode, parse_document
from freehold_protocol.errors import ConflictError, FreeholdError, MalformedError, NotFoundError
from freehold_protocol.keys import PublicKey
from freehold_protocol.record import KEEPING, Record, check_content, content_of, same_content, sign_record

from .ambient import Ambient
from .attestation import attested
from .condition import NO_CONDITION, Condition
from .foreign import Foreign
from .imports import ATTESTATION, Found, Preview, Skipped, read_file
from .news import News
from .person_keys import PersonKeys
from .relations import Relations
from .store.rows import RecordRow
from .store.store import Reader, Store, Transactor
from .view import Views

_US: Final = 1_000_000
_NEW: Final = 0
State = Literal["new", "changed", "same"]
T = TypeVar("T")
Progress = Callable[[int, int], None]
_SOUGHT_CHARS: Final = 120

_PART: Final = 100
"""Records that an import writes at once: about 10 ms of the only writer, for which reads may wait."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What becomes of something found: whether it is new, the record before, and the record from then on."""

    state: State
    before: RecordRow | None
    row: RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did; ``self_record`` is the record about the person, if one is known."""

    added: int
    changed: int
    same: int
    self_record: str | None
    skipped: tuple[Skipped, ...]


class Records:
    """The records of one owner."""

    def __init__(
        self,
        store: Store,
        keys: PersonKeys,
        ambient: Ambient,
        relations: Relations,
        *,
        owner: str,
        views: Views,
        foreign: Foreign,
    ) -> None:
        """Keep the records of an owner at a store.

        Relations and views are told of deletions; foreign verifies the credentials that are imported.
        """
        self._store, self._keys, self._ambient = store, keys, ambient
        self._relations, self._owner, self._views = relations, owner, views
        self._foreign = foreign

    async def _write_and_tell(self, work: Callable[[Transactor, News], T]) -> T:
        """Run a unit of work that writes records, and have whoever listens told what that changes."""

        def write(tx: Transactor) -> T:
            news = News(tx, self._owner, self._ambient)
            result = work(tx, news)
            news.tell()
            return result

        return await self._store.write(write)

    async def preview(
        self, data: bytes, name: str, mapping: str | None = None
    ) -> tuple[Preview, list[State]]:
        """Return what a file holds, and for each thing found whether it is new; writes nothing.

        Raises:
            MalformedError: Nothing in it can be imported; the text says why.
        """
        preview = await self._read(data, name, mapping)

        def look(reader: Reader) -> list[State]:
            return [self._state(reader, found)[0] for found in preview.found]

        return preview, await self._store.read(look, long=True)

    async def import_file(
        self,
        data: bytes,
        name: str,
        *,
        me: str | None,
        mapping: str | None = None,
        told: Progress | None = None,
    ) -> Imported:
        """Import what is sound in a file; the same file twice adds nothing.

        It is written in parts, so that no reader waits for all of it; each part is durable before the next
        begins. If it is broken off, the same file again goes on where it stopped.

        Args:
            data: The file.
            name: As the person calls it; kept as the records' source.
            me: Which card is the person: e-mail address, full name or number.
            mapping: What the columns of a table mean.
            told: Called with how many of how many records are done, after each part.

        Raises:
            MalformedError: Nothing in it can be imported, or nothing or too much is ``me``.

        Spec: specs/node/imports.md#the-same-again
        """
        preview = await self._read(data, name, mapping)
        person = preview.person(me) if me is not None else None
        now_us = self._ambient.clock.now_us()
        source: Document = {
            "type": "SourceFile",
            "format": preview.format,
            "file": name[:200],
            "digest": base64url_encode(hashlib.sha256(data).digest()),
        }
        await self._store.write(
            lambda tx: tx.log_action(self._owner, time_us=now_us, action="import", subject=preview.format)
        )
        counts: Counter[State] = Counter()
        for start in range(0, len(preview.found), _PART):
            part = preview.found[start : start + _PART]
            counts.update(await self._write_part(part, source, now_us, person))
            if told is not None:
                told(counts.total(), len(preview.found))
        owner = await self._store.read(lambda reader: reader.owner(self._owner))
        return Imported(
            added=counts["new"], changed=counts["changed"], same=counts["same"],
            self_record=owner.self_record if owner else None,
            skipped=(*preview.skipped, *(one for found in preview.found for one in found.skipped)),
        )  # fmt: skip

    async def _read(self, data: bytes, name: str, mapping: str | None) -> Preview:
        preview = await asyncio.to_thread(read_file, data, name=name, mapping=mapping)
        return await attested(preview, self._foreign)

    async def _write_part(
        self, part: Sequence[Found], source: Document, now_us: int, person: Found | None
    ) -> list[State]:
        """Write some of what was found; return what became of each. Signing is done beside the writer."""

        def prepare(reader: Reader) -> list[_Prepared]:
            return [self._prepared(reader, found, source, now_us) for found in part]

        prepared = await self._store.read(prepare, long=True)

        def write(tx: Transactor, news: News) -> list[State]:
            done: list[State] = []
            for found, one in zip(part, prepared, strict=True):
                if one.before != tx.record_by_source(self._owner, found.key):  # it was changed meanwhile
                    one = self._prepared(tx, found, source, now_us)
                if one.row is not one.before:
                    tx.put_record(self._owner, one.row)
                    news.wrote(one.before, one.row)
                if found is person:
                    tx.set_self(self._owner, one.row.id)
                    news.chose_self(one.row.id)
                done.append(one.state)
            return done

        if any(one.row is not one.before for one in prepared) or any(found is person for found in part):
            return await self._write_and_tell(write)
        return [one.state for one in prepared]

    def _prepared(self, reader: Reader, found: Found, source: Document, now_us: int) -> _Prepared:
        state, before = self._state(reader, found)
        if before is not None and state == "same":
            return _Prepared(state, before, before)
        row = self._signed(before, found.document, source, now_us, source_key=found.key)
        return _Prepared(state, before, row)

    def _state(self, reader: Reader, found: Found) -> tuple[State, RecordRow | None]:
        row = reader.record_by_source(self._owner, found.key)
        if row is None:
            return "new", None
        return ("same" if same_content(json.loads(row.document), found.document) else "changed"), row

    def _write(
        self,
        tx: Transactor,
        news: News,
        before: RecordRow | None,
        content: Document,
        source: Document,
        now_us: int,
        *,
        source_key: str | None,
    ) -> RecordRow:
        """Sign and write a record, or the next version of one."""
        row = self._signed(before, content, source, now_us, source_key=source_key)
        tx.put_record(self._owner, row)
        news.wrote(before, row)
        return row

    def _signed(
        self,
        before: RecordRow | None,
        content: Document,
        source: Document,
        now_us: int,
        *,
        source_key: str | None,
    ) -> RecordRow:
        """Return a signed record, or the next version of one."""
        record = sign_record(
            content_of(content),
            self._keys.records,
            record_id=before.id if before else "urn:uuid:" + self._ambient.new_uuid(),
            created_s=now_us // _US,
            source=source,
            previous=before.cid if before else None,
        )
        return RecordRow(
            id=record.id, n=before.n if before else _NEW, type=record.type, source_key=source_key,
            cid=record.cid, changed_us=now_us, document=jcs(record.document),
            sought=sought_form(label_of(record.document)),
        )  # fmt: skip

    async def add(self, content: Document) -> RecordRow:
        """Add a record that the person wrote. Raises MalformedError or UndefinedTermError."""
        _check_written(content)
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor, news: News) -> RecordRow:
            tx.log_action(self._owner, time_us=now_us, action="add-record", subject="")
            return self._write(tx, news, None, content, {"type": "Person"}, now_us, source_key=None)

        return await self._write_and_tell(write)

    async def edit(
        self, record_id: str, content: Document, *, previous: str, condition: Condition = NO_CONDITION
    ) -> RecordRow:
        """Write the next version of a record.

        Args:
            record_id: Of the record.
            content: All that it says from now on.
            previous: CID of the version that the person saw.
            condition: What else must stand; by the CIDs of versions.

        Raises:
            NotFoundError: There is no such record.
            ConflictError: It was changed since.
            PreconditionError: The condition does not hold.
            MalformedError: And its subclasses: the content is not of the form.
        """
        _check_written(content)
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor, news: News) -> RecordRow:
            before = tx.record(self._owner, record_id)
            if before is None:
                raise NotFoundError("no such record")
            condition.check(before.cid)
            if before.cid != previous:
                raise ConflictError("the record was changed in the meantime: look at it again")
            tx.log_action(self._owner, time_us=now_us, action="edit-record", subject=record_id)
            return self._write(
                tx, news, before, content, {"type": "Person"}, now_us, source_key=before.source_key
            )

        return await self._write_and_tell(write)

    async def delete(self, record_id: str, *, condition: Condition = NO_CONDITION) -> None:
        """Delete a record with all its versions; every view that may have shown it is stale at once.

        Raises:
            NotFoundError: There is no such record.
            PreconditionError: The condition, on the CID that stands, does not hold.
        """
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor, news: News) -> None:
            row = tx.record(self._owner, record_id)
            if row is None:
                raise NotFoundError("no such record")
            condition.check(row.cid)
            self._relations.record_goes(tx, row, now_us)
            news.wrote(row, None)
            tx.delete_record(self._owner, record_id)
            tx.log_action(self._owner, time_us=now_us, action="delete-record", subject=record_id)

        await self._write_and_tell(write)
        self._views.clear()

    async def choose_self(self, record_id: str, *, condition: Condition = NO_CONDITION) -> None:
        """Say which record is about the person.

        Raises:
            NotFoundError: There is no such record.
            PreconditionError: The condition, on the id of the record that was chosen before, does not hold.
        """
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor, news: News) -> None:
            if tx.record(self._owner, record_id) is None:
                raise NotFoundError("no such record")
            owner = tx.owner(self._owner)
            condition.check(owner.self_record if owner else None)
            tx.set_self(self._owner, record_id)
            news.chose_self(record_id)
            tx.log_action(self._owner, time_us=now_us, action="choose-self", subject=record_id)

        await self._write_and_tell(write)

    async def name_all(self) -> None:
        """Fill in what records are found by where nothing was: they are from before there was any such thing."""

        def look(reader: Reader) -> list[tuple[str, str]]:
            rows = reader.unnamed_records(self._owner, limit=_PART)
            return [(row.id, sought_form(label_of(json.loads(row.document)))) for row in rows]

        while found := await self._store.read(look, long=True):
            await self._store.write(partial(self._name, found=found))

    def _name(self, tx: Transactor, *, found: Sequence[tuple[str, str]]) -> None:
        for record_id, sought in found:
            tx.name_record(self._owner, record_id, sought)

    async def check_all(self) -> tuple[int, list[str]]:
        """Return how many records there are, and the ids of those whose signature or form does not hold."""
        key = self._keys.records.public

        def look(reader: Reader) -> tuple[int, list[str]]:
            checked, damaged, after = 0, list[str](), 0
            while rows := reader.records(self._owner, after=after, limit=200):
                after = rows[-1].n
                for row in rows:
                    checked += 1
                    if not _holds(row, key):
                        damaged.append(row.id)
            return checked, damaged

        return await self._store.read(look, long=True)


def _holds(row: RecordRow, key: PublicKey) -> bool:
    try:
        record = Record.from_dict(parse_document(row.document))
        record.verify(key)
    except FreeholdError:
        return False
    return record.cid == row.cid and record.id == row.id


def _check_written(content: Document) -> None:
    if content.get("@context", form.CONTEXT) != form.CONTEXT:
        raise MalformedError("a record's context is this protocol's")
    plain = {name: value for name, value in content.items() if name != "@context"}
    if told := KEEPING & plain.keys():
        raise MalformedError(f"{min(told)!r} is the node's to write: it is about the keeping of a record")
    check_content(plain)
    if plain["type"] == ATTESTATION:
        raise MalformedError("what somebody else attests is imported with their proof, never written")
    check_terms({"@context": form.CONTEXT, **plain})


def label_of(document: Document) -> str:
    """Return what a person calls a record by: its name, or its type, with its number if it has one."""
    name, kind = document.get("name"), str(document.get("type", ""))
    if isinstance(name, str):
        return name
    numbers = (document.get(term) for term in ("orderNumber", "identifier"))
    number = next((one for one in numbers if isinstance(one, str)), "")
    return f"{kind} {number}".strip()


def sought_form(text: str) -> str:
    """Return a text as it is compared with others when a record is looked for: without regard to case."""
    return unicodedata.normalize("NFKC", text).casefold()[:_SOUGHT_CHARS]
