"""Everything that the node holds about the person and knows how to say, as one ZIP file of JSON documents.

It is made piece by piece, so that it takes no more memory than its largest document, and each part is as it stood when
it was written: a grant's ledger is that of one checkpoint, signed with the receipt in one snapshot.

Spec: specs/node/export.md
"""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from freehold_protocol.bundle import BundleItem, make_bundle
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, format_time, parse_document
from freehold_protocol.errors import NotFoundError

from .ambient import Ambient
from .changes import STORED_BYTES
from .config import VERSION
from .grant_told import make_receipt, vendor_shown
from .labels import label_of
from .ledger import checkpoint
from .person_keys import PersonKeys
from .store.rows import EntryRow, RecordRow, RequestRow, Standing
from .store.sought import RecordsSought
from .store.store import Reader, Store

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_US: Final = 1_000_000
_PART: Final = 200
_ENTRIES: Final = 200
FORMAT: Final = "freehold-export-1"
_EMPTY: Final = b'"entries":[]'
_README: Final = """\
This is everything your node holds about you, as it was when you asked for it.

index.json        what is in here, one line for each record, request and grant
records/          your records, one file each, signed by your node; earlier versions are in records/earlier/
requests/         what vendors asked you for, signed by them, and what you decided
grants/           one folder for each grant:
  ledger.json       who read what and when, with the signed request and every signed version of the grant (the
                    receipt). Anyone can check it without your node:  freehold verify ledger.json
  statements.json   what else you signed about it, if anything

All of it is JSON; records and what was signed are JSON-LD (https://w3id.org/freehold/v1). Keys are not in here: they
are in your backup (freehold backup) and on your recovery sheet. Whoever has this file can read all of it: keep it safe.
"""


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the ZIP, by its name; ``pieces`` are its bytes one after the other."""

    name: str
    pieces: AsyncIterator[bytes]


class _Sink(io.RawIOBase):
    """What zipfile writes to: it gives the bytes away, and cannot go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Say that it takes bytes."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Take bytes."""
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class Exports:
    """Exports of one owner."""

    def __init__(self, store: Store, keys: PersonKeys, ambient: Ambient, *, owner: str) -> None:
        """Read an owner's part of a store."""
        self._store, self._keys, self._ambient, self._owner = store, keys, ambient, owner

    async def begin(self) -> AsyncIterator[bytes]:
        """Write down that an export was made, and return what yields the ZIP file piece by piece."""
        now_us = self._ambient.clock.now_us()
        await self._store.write(
            lambda tx: tx.log_action(self._owner, time_us=now_us, action="export", subject="")
        )
        return self._pieces(now_us)

    async def _pieces(self, now_us: int) -> AsyncIterator[bytes]:
        sink, index = _Sink(), _Index()
        time = _zip_time(format_time(now_us // _US))
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
            async for part in self._parts(index, now_us):
                info = zipfile.ZipInfo(part.name, date_time=time)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o600 << 16
                with file.open(info, "w", force_zip64=True) as member:
                    async for piece in part.pieces:
                        member.write(piece)
                        if taken := sink.taken():
                            yield taken
                        await asyncio.sleep(0)  # who reads under a grant does not wait for all of it
        yield sink.taken()

    async def _parts(self, index: _Index, now_us: int) -> AsyncIterator[_Part]:
        yield _Part("README.txt", _once(_README.encode()))
        async for part in self._records(index):
            yield part
        async for part in self._requests(index):
            yield part
        for standing in await self._store.read(lambda reader: reader.standings(self._owner), long=True):
            async for part in self._grant(standing, index):
                yield part
        owner = await self._store.read(lambda reader: reader.owner(self._owner))
        index.head = {
            "format": FORMAT,
            "created": format_time(now_us // _US),
            "node": VERSION,
            "recordsKey": self._keys.records.public.did,
            "self": owner.self_record if owner else None,
        }
        yield _Part("index.json", index.pieces())

    async def _records(self, index: _Index) -> AsyncIterator[_Part]:
        after: int | None = None

        def look(reader: Reader) -> list[tuple[RecordRow, list[bytes]]]:
            places = reader.sought_records(self._owner, RecordsSought(after=after), limit=_PART)
            rows = reader.records_at(self._owner, places)
            return [(row, reader.record_history(self._owner, row.id)) for row in rows]

        while found := await self._store.read(look, long=True):
            after = found[-1][0].n
            for row, history in found:
                name = row.id.removeprefix("urn:uuid:")
                files = [f"records/earlier/{name}-{len(history) - n}.jsonld" for n in range(len(history))]
                label = label_of(json.loads(row.document))
                line: Document = {
                    "id": row.id,
                    "type": row.type,
                    "label": label,
                    "file": f"records/{name}.jsonld",
                }
                index.add("records", {**line, "earlier": files} if files else line)
                yield _Part(f"records/{name}.jsonld", _once(_readable(row.document)))
                for file, document in zip(files, history, strict=True):
                    yield _Part(file, _once(_readable(document)))

    async def _requests(self, index: _Index) -> AsyncIterator[_Part]:
        heads = await self._store.read(lambda reader: reader.request_heads(self._owner), long=True)
        for head in heads:
            row = await self._store.read(partial(_request, owner=self._owner, id_=head.id))
            if row is None:
                continue
            name = f"requests/{row.id}.json"
            told: Document = {
                "id": row.id,
                "status": row.status,
                "received": format_time(row.received_us // _US),
            }
            if row.decided_us is not None:
                told["decided"] = format_time(row.decided_us // _US)
            told |= {key: value for key, value in (("grant", row.grant), ("reason", row.reason)) if value}
            index.add("requests", {**told, "vendor": vendor_shown(head.vendor, head.name), "file": name})
            told["request"] = parse_document(row.document, max_bytes=STORED_BYTES)
            yield _Part(name, _once(_written(told)))

    async def _grant(self, standing: Standing, index: _Index) -> AsyncIterator[_Part]:
        def look(reader: Reader) -> tuple[Standing, bytes, list[bytes]]:
            stands = reader.standing(self._owner, standing.grant)
            if stands is None:
                raise NotFoundError("no such grant")
            return stands, self._bundle(reader, stands), reader.statements(self._owner, standing.grant)

        try:
            standing, bundle, statements = await self._store.read(look, long=True)
        except NotFoundError:  # the sample was removed meanwhile
            return
        folder = f"grants/{standing.grant}"
        index.add(
            "grants",
            {
                "id": standing.grant,
                "vendor": vendor_shown(standing.vendor, standing.name),
                "state": standing.state,
                "expires": format_time(standing.expires_us // _US),
                "request": standing.request,
                "entries": standing.log_size,
                "ledger": f"{folder}/ledger.json",
            },
        )
        yield _Part(f"{folder}/ledger.json", self._ledger(standing, bundle))
        if statements:
            documents = b",\n".join(map(_readable, statements))
            yield _Part(f"{folder}/statements.json", _once(b"[" + documents + b"]\n"))

    def _bundle(self, reader: Reader, standing: Standing) -> bytes:
        """Return a grant's bundle with its receipt and its checkpoint, and no entry yet."""
        keys = self._keys.of(standing.relationship, standing.key_epoch)
        receipt = make_receipt(reader, standing)
        grant = receipt.versions[-1]
        return jcs(
            make_bundle(
                origin=grant.log,
                serving=grant.serving_key,
                checkpoint=checkpoint(standing, grant, keys.serving),
                items=(),
                holder=None,
                receipt=receipt,
            )
        )

    async def _ledger(self, standing: Standing, bundle: bytes) -> AsyncIterator[bytes]:
        """Yield a bundle with its entries, as many as its checkpoint signs."""
        before, _, after = bundle.partition(_EMPTY)
        yield before + b'"entries":[\n'
        for first in range(0, standing.log_size, _ENTRIES):
            count = min(_ENTRIES, standing.log_size - first)

            def look(reader: Reader, first: int = first, count: int = count) -> list[EntryRow]:
                return reader.entries(self._owner, standing.grant, first=first, limit=count)

            rows = await self._store.read(look, long=True)
            lines = b",\n".join(map(_item, rows))
            yield (b",\n" if first else b"") + lines
        yield b"]" + after + b"\n"


class _Index:
    """The lines of the index, as they come; only these are kept until the end."""

    def __init__(self) -> None:
        self.head: Document = {}
        self._lines: dict[str, list[bytes]] = {"records": [], "requests": [], "grants": []}

    def add(self, kind: str, line: Document) -> None:
        self._lines[kind].append(jcs(line))

    async def pieces(self) -> AsyncIterator[bytes]:
        yield _written(self.head).rstrip(b"\n}") if self.head else b"{"
        for kind, lines in self._lines.items():
            yield b',\n "%s": [\n  ' % kind.encode() + b",\n  ".join(lines) + b"\n ]"
        yield b"\n}\n"


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _item(row: EntryRow) -> bytes:
    seen = row.body is not None
    item = BundleItem(
        entry=parse_document(row.body) if row.body is not None else None,
        salt=row.salt if seen else None,
        leaf=row.leaf,
    )
    return jcs(item.to_dict())


def _readable(document: bytes) -> bytes:
    """Return a stored document on lines of its own; what is signed is its JCS form, however it is written."""
    return _written(parse_document(document, max_bytes=STORED_BYTES))


def _written(document: Document) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _request(reader: Reader, *, owner: str, id_: str) -> RequestRow | None:
    return reader.request(owner, id_)


def _zip_time(text: str) -> tuple[int, int, int, int, int, int]:
    date, _, time = text.rstrip("Z").partition("T")
    year, month, day = map(int, date.split("-"))
    hour, minute, second = map(int, time.split(":"))
    return year, month, day, hour, minute, second
