"""The person's records: import, add, edit, delete, and which one is about the person.

Spec: specs/records.md
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal, TypeVar

from freehold_protocol import form
from freehold_protocol.canonical import jcs
from freehold_protocol.contexts import check_terms
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import ConflictError, MalformedError, NotFoundError, PassphraseError
from freehold_protocol.record import KEEPING, check_content, content_of, same_content, sign_record

from .ambient import Ambient
from .attestation import attested
from .condition import NO_CONDITION, Condition
from .filling import Fillable, Filling, own_to_fill
from .foreign import Foreign
from .imports import ATTESTATION, Found, Preview, Skipped, fits_a_record, read_file
from .labels import label_of, sought_form
from .news import News
from .person_keys import PersonKeys
from .readers import readers_as_self
from .relations import Relations
from .store.rows import RecordRow
from .store.store import Reader, Store, Transactor
from .view import Views

_US: Final = 1_000_000
_NEW: Final = 0
State = Literal["new", "changed", "same"]
"""What an import makes of something found."""
_How = Literal["next", "fill", "over"]
"""How something found becomes a record's next version: in its place, into what it lacks, or over what it has."""
T = TypeVar("T")
Progress = Callable[[int, int], None]
Prove = Callable[[], Awaitable[None]]

_PART: Final = 100
"""Records that an import writes at once: about 10 ms of the only writer, for which reads may wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What an import would make of something found.

    ``is_self``: it is the record about the person already, or was put into it; ``filling``: what that record would
    get of it, were it named as the person's; None where there is no such record to fill.
    """

    state: State
    is_self: bool = False
    filling: Filling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aim:
    """Which of what was found is the person, and the id of the record it is put into; None: it is that record.

    ``is_proved``: the person has just proved who they are.
    """

    person: Found | None = None
    into: str | None = None
    is_proved: bool = False


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What becomes of something found: whether it is new, the record before, and the record from then on."""

    state: State
    before: RecordRow | None
    row: RecordRow
    how: _How


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did.

    ``self_record`` is the record about the person, if one is known; ``filling`` what it was given, if anything was.
    """

    added: int
    changed: int
    same: int
    self_record: str | None
    filling: Filling | None
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
    ) -> tuple[Preview, list[Looked]]:
        """Return what a file holds, and what would become of each thing found; writes nothing.

        Raises:
            MalformedError: Nothing in it can be imported; the text says why.
        """
        preview = await self._read(data, name, mapping)

        def look(reader: Reader) -> list[Looked]:
            owner, own = reader.owner(self._owner), own_to_fill(reader, self._owner)
            self_record = owner.self_record if owner else None
            mine = None if own is None else Fillable(json.loads(own.document))
            return [self._looked(reader, found, mine, self_record) for found in preview.found]

        return preview, await self._store.read(look, long=True)

    async def import_file(
        self,
        data: bytes,
        name: str,
        *,
        me: str | None,
        switch: bool = False,
        mapping: str | None = None,
        told: Progress | None = None,
        prove: Prove | None = None,
    ) -> Imported:
        """Import what is sound in a file; the same file twice adds nothing.

        It is written in parts, so that no reader waits for all of it; each part is durable before the next
        begins. If it is broken off, the same file again goes on where it stopped.

        Args:
            data: The file.
            name: As the person calls it; kept as the records' source.
            me: Which card is the person: e-mail address, full name or number. The record that is about the person
                already is given what it lacks of it.
            switch: The card becomes the record about the person, instead of that one.
            mapping: What the columns of a table mean.
            told: Called with how many of how many records are done, after each part.
            prove: As for choose_self; asked before anything is written.

        Raises:
            MalformedError: Nothing in it can be imported, or nothing or too much is ``me``.
            PassphraseError: As choose_self.

        Spec: specs/node/imports.md#the-same-again
        """
        preview = await self._read(data, name, mapping)
        aim, filling = await self._aim(preview.person(me) if me is not None else None, switch=switch)
        now_us = self._ambient.clock.now_us()
        if await self._gives(aim, now_us):
            await _prove(prove)
            aim = replace(aim, is_proved=True)
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
            counts.update(await self._write_part(part, source, now_us, aim))
            if told is not None:
                told(counts.total(), len(preview.found))
        owner = await self._store.read(lambda reader: reader.owner(self._owner))
        return Imported(
            added=counts["new"], changed=counts["changed"], same=counts["same"],
            self_record=owner.self_record if owner else None, filling=filling,
            skipped=(*preview.skipped, *(one for found in preview.found for one in found.skipped)),
        )  # fmt: skip

    async def _read(self, data: bytes, name: str, mapping: str | None) -> Preview:
        preview = await asyncio.to_thread(read_file, data, name=name, mapping=mapping)
        return await attested(preview, self._foreign)

    async def _aim(self, person: Found | None, *, switch: bool) -> tuple[_Aim, Filling | None]:
        """Return what becomes of the card that is the person, and what the record that is there gets of it."""

        def look(reader: Reader) -> tuple[_Aim, Filling | None]:
            own = None if person is None or switch else own_to_fill(reader, self._owner)
            if person is None or own is None or own == reader.record_by_source(self._owner, person.key):
                return _Aim(person=person), None
            filling = Fillable(json.loads(own.document)).filled(person.document)
            return _Aim(person=person, into=own.id), filling

        return await self._store.read(look)

    async def _write_part(
        self, part: Sequence[Found], source: Document, now_us: int, aim: _Aim
    ) -> list[State]:
        """Write some of what was found; return what became of each. Signing is done beside the writer."""

        def prepare(reader: Reader) -> list[_Prepared]:
            return [self._prepared(reader, found, source, now_us, aim) for found in part]

        prepared = await self._store.read(prepare, long=True)

        def write(tx: Transactor, news: News) -> list[State]:
            done: list[State] = []
            for found, one in zip(part, prepared, strict=True):
                if (one.before, one.how) != self._before(tx, found, aim):  # it was changed meanwhile
                    one = self._prepared(tx, found, source, now_us, aim)
                if one.row is not one.before:
                    tx.put_record(self._owner, one.row)
                    news.wrote(one.before, one.row)
                if one.how == "fill":
                    tx.set_filled_from(self._owner, found.key, one.row.id)
                elif found is aim.person:
                    self._set_self(tx, news, one.row, is_proved=aim.is_proved)
                done.append(one.state)
            return done

        if any(one.row is not one.before for one in prepared) or any(found is aim.person for found in part):
            return await self._write_and_tell(write)
        return [one.state for one in prepared]

    def _prepared(self, reader: Reader, found: Found, source: Document, now_us: int, aim: _Aim) -> _Prepared:
        before, how = self._before(reader, found, aim)
        state, content = _became(before, found, how)
        if before is not None and state == "same":
            return _Prepared(state, before, before, how)
        key = before.source_key if before is not None and how == "fill" else found.key
        return _Prepared(state, before, self._signed(before, content, source, now_us, source_key=key), how)

    def _before(self, reader: Reader, found: Found, aim: _Aim) -> tuple[RecordRow | None, _How]:
        """Return the record that something found becomes the next version of, and how."""
        is_person = found is aim.person
        if is_person and aim.into is not None and (own := reader.record(self._owner, aim.into)) is not None:
            return own, "fill"
        row = reader.record_by_source(self._owner, found.key)
        if row is None and not is_person:
            row = reader.record_filled_from(self._owner, found.key)
            if row is not None and row.type == found.document["type"]:  # what is no person goes into nobody
                return row, "fill"
            return None, "next"
        return row, "over" if row is not None and reader.is_filled(self._owner, row.id) else "next"

    def _looked(self, reader: Reader, found: Found, mine: Fillable | None, self_record: str | None) -> Looked:
        before, how = self._before(reader, found, _Aim())
        state, _ = _became(before, found, how)
        is_self = before is not None and before.id == self_record
        if mine is None or is_self or found.document["type"] != "Person":
            return Looked(state=state, is_self=is_self)
        return Looked(state=state, filling=mine.filled(found.document))

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

    async def choose_self(
        self, record_id: str, *, condition: Condition = NO_CONDITION, prove: Prove | None = None
    ) -> None:
        """Say which record is about the person.

        Args:
            record_id: Of the record.
            condition: On the id of the record that was chosen before.
            prove: Checks a fresh proof of the person, where a live grant would show more by it; raises
                PassphraseError.

        Raises:
            NotFoundError: There is no such record.
            PreconditionError: The condition does not hold.
            PassphraseError: It takes a fresh proof that there is not.

        Spec: specs/http.md#fresh-proof
        """
        now_us = self._ambient.clock.now_us()

        def look(reader: Reader) -> RecordRow:
            row = reader.record(self._owner, record_id)
            if row is None:
                raise NotFoundError("no such record")
            owner = reader.owner(self._owner)
            condition.check(owner.self_record if owner else None)
            return row

        def gives(reader: Reader) -> bool:
            return bool(readers_as_self(reader, self._owner, look(reader), now_us=now_us))

        is_proved = await self._store.read(gives, long=True)
        if is_proved:
            await _prove(prove)

        def write(tx: Transactor, news: News) -> None:
            self._set_self(tx, news, look(tx), is_proved=is_proved)
            tx.log_action(self._owner, time_us=now_us, action="choose-self", subject=record_id)

        await self._write_and_tell(write)

    def _set_self(self, tx: Transactor, news: News, row: RecordRow, *, is_proved: bool) -> None:
        """Write which record is about the person; what it gives may have become more since it was looked at."""
        now_us = self._ambient.clock.now_us()
        if not is_proved and readers_as_self(tx, self._owner, row, now_us=now_us):
            raise PassphraseError("a grant shows more by this now: it takes the passphrase, anew")
        tx.set_self(self._owner, row.id)
        news.chose_self(row.id)

    async def takes_proof(self, preview: Preview, me: str, *, switch: bool = False) -> bool:
        """Whether an import in which this card is the person takes a fresh proof. Raises as import_file."""
        aim, _ = await self._aim(preview.person(me), switch=switch)
        return await self._gives(aim, self._ambient.clock.now_us())

    async def _gives(self, aim: _Aim, now_us: int) -> bool:
        """Whether a live grant would show more by what is found becoming the record about the person."""
        person = aim.person
        if person is None or aim.into is not None:
            return False

        def look(reader: Reader) -> bool:
            before = reader.record_by_source(self._owner, person.key)
            row = RecordRow(
                id=before.id if before else "", n=_NEW, type=person.document["type"], source_key=person.key, cid="",
                changed_us=now_us, document=jcs(person.document), sought="",
            )  # fmt: skip
            return bool(readers_as_self(reader, self._owner, row, now_us=now_us))

        return await self._store.read(look, long=True)

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


async def _prove(prove: Prove | None) -> None:
    if prove is None:
        raise PassphraseError("this takes the passphrase, anew")
    await prove()


def _became(before: RecordRow | None, found: Found, how: _How) -> tuple[State, Document]:
    """Return what becomes of something found, and what its record says then."""
    if before is None:
        return "new", found.document
    document, content = json.loads(before.document), found.document
    if how == "fill":
        content = Fillable(document).filled(content).content
    elif how == "over":  # what was put in from elsewhere is in no version of this file
        both = {**content_of(document), **content_of(content)}
        content = both if fits_a_record(both) else document
    return ("same" if same_content(document, content) else "changed"), content


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
