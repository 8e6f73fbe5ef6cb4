"""Look at grants and their ledgers, as the owner or as a holder; nothing here changes anything.

Spec: specs/http.md#ledger
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from freehold_protocol import form, limits
from freehold_protocol.capability import Capability
from freehold_protocol.encoding import Document, format_time, parse_document
from freehold_protocol.errors import MalformedError, NotFoundError
from freehold_protocol.grant import STATES, Grant
from freehold_protocol.keys import PublicKey
from freehold_protocol.proof import sign_document
from freehold_protocol.receipt import Receipt

from . import ledger
from .ambient import Ambient
from .changes import standing_grant
from .grant_told import has_new_keys, links_of, make_receipt, statements_of, told_of_grant, vendor_shown
from .known_keys import no_recipients
from .labels import label_of
from .person_keys import PersonKeys
from .reach import first_of, origins_of, root_key_of
from .readers import Shown, readers_as_self, readers_of
from .store.rows import RecordRow, RequestRow, Standing
from .store.store import Reader, Store

T = TypeVar("T")
_US = 1_000_000
_PART_BYTES: Final = 64 * 1024
"""Versions of one answer; with a request and a last version of any size it stays readable for a vendor."""


class Inspection:
    """Reads for one owner."""

    def __init__(
        self, store: Store, keys: PersonKeys, ambient: Ambient, *, owner: str, origins: tuple[str, ...]
    ) -> None:
        """Look into an owner's part of a store; origins are the node's own, the first preferred."""
        self._store, self._keys, self._ambient = store, keys, ambient
        self._owner, self._origins = owner, origins

    @property
    def origin(self) -> str:
        """Where new addresses point."""
        return self._origins[0]

    async def _of(
        self, grant_id: str, look: Callable[[Reader, Standing, Grant], T], *, long: bool = False
    ) -> T:
        def work(reader: Reader) -> T:
            standing = reader.standing(self._owner, grant_id)
            if standing is None:
                raise NotFoundError("no such grant")
            return look(reader, standing, standing_grant(reader, standing))

        return await self._store.read(work, long=long)

    def _note(self, standing: Standing, grant: Grant) -> str:
        keys = self._keys.of(standing.relationship, standing.key_epoch)
        return ledger.checkpoint(standing, grant, keys.serving)

    async def invoked(self, grant_id: str, leaf: Capability) -> tuple[Grant, tuple[str, ...], PublicKey]:
        """Return a grant, where it may be invoked, and the serving key of its that a capability names."""

        def look(_: Reader, standing: Standing, grant: Grant) -> tuple[Grant, tuple[str, ...], PublicKey]:
            return grant, origins_of(standing, grant), root_key_of(leaf, standing, grant, self._keys)

        return await self._of(grant_id, look)

    # For holders and the owner alike

    async def checkpoint(self, grant_id: str) -> str:
        """Return the signed note of a grant's ledger as it stands."""
        return await self._of(grant_id, lambda _, standing, grant: self._note(standing, grant))

    async def consistency(self, grant_id: str, old_size: int) -> Document:
        """Return a checkpoint and the proof that it continues one of old_size entries."""

        def look(reader: Reader, standing: Standing, grant: Grant) -> Document:
            proof = ledger.prove_consistency(reader, standing, old_size)
            return {"checkpoint": self._note(standing, grant), "consistency": proof}

        return await self._of(grant_id, look)

    async def entry(self, grant_id: str, number: int, *, holder: str | None) -> Document:
        """Return an entry with its proof of inclusion, as its holder (None: the owner) may see it."""

        def look(reader: Reader, standing: Standing, grant: Grant) -> Document:
            found = ledger.prove_entry(reader, standing, number, holder=holder)
            return {**found, "checkpoint": self._note(standing, grant)}

        return await self._of(grant_id, look)

    async def entries(self, grant_id: str, *, first: int, limit: int, holder: str | None) -> Document:
        """Return entries in order, as their holder (None: the owner) may see them."""

        def look(reader: Reader, standing: Standing, grant: Grant) -> Document:
            rows = reader.entries(
                self._owner, grant_id, first=first, limit=min(limit, limits.MAX_LEDGER_PAGE)
            )
            return {
                "entries": [ledger.show_entry(row, holder=holder) for row in rows],
                "size": standing.log_size,
                "checkpoint": self._note(standing, grant),
            }

        return await self._of(grant_id, look)

    async def standing(self, grant_id: str) -> Grant:
        """Return the version of a grant that stands."""
        return await self._of(grant_id, lambda *found: found[-1])

    async def statements(self, grant_id: str) -> list[Document]:
        """Return what the person signed about a grant beside its versions, oldest first."""
        return await self._of(grant_id, lambda reader, standing, _: statements_of(reader, standing))

    async def address(self, grant_id: str) -> str:
        """Return the URL at which a grant is invoked, at the first of the node's own origins that it has."""

        def look(_: Reader, standing: Standing, grant: Grant) -> str:
            return f"{first_of(self._origins, standing, grant)}/g/{grant.id}"

        return await self._of(grant_id, look)

    async def receipt(self, grant_id: str, *, after: int = 0) -> tuple[Receipt, bool]:
        """Return a grant's request with the versions after one, those of one answer, and whether more follow.

        Raises:
            MalformedError: The grant has not had the version.
        """

        def look(reader: Reader, standing: Standing, _: Grant) -> tuple[Receipt, bool]:
            if after > standing.version:
                raise MalformedError("the grant has not had that version")
            part = make_receipt(reader, standing, after=after, most_bytes=_PART_BYTES)
            return part, after + len(part.versions) < standing.version

        return await self._of(grant_id, look)

    async def status(self, grant_id: str, permission: str, partners: tuple[PublicKey, ...]) -> Document:
        """Return the statement, signed by the serving key, of how a grant stands for a partner.

        A partner does not see the other permissions, so it gets this and not the grant; and not this one
        either, unless all partners in its chain are among the recipients.
        """

        def look(reader: Reader, standing: Standing, grant: Grant) -> Document:
            given = grant.permission(permission)
            status: Document = {
                "@context": form.CONTEXT,
                "type": "GrantStatus",
                "grant": f"urn:uuid:{grant.id}",
                "version": standing.version,
                "state": standing.state,
                "expires": format_time(grant.expires_s),
            }
            if given is not None and not no_recipients(reader, standing, given.recipients, partners):
                status["permission"] = [given.to_dict()]
            keys = self._keys.of(standing.relationship, standing.key_epoch)
            return {
                "status": sign_document(status, keys.serving, created_s=self._ambient.clock.now_s()),
                "servingKey": grant.serving_key.did,
                "log": grant.log,
                "checkpoint": self._note(standing, grant),
            }

        return await self._of(grant_id, look)

    # For the owner

    async def status_of_node(self) -> Document:
        """Return how the node stands: its clock, and how much there is of everything."""
        clock = self._ambient.clock

        size = await self._store.size()

        def look(reader: Reader) -> Document:
            owner, standings = reader.owner(self._owner), reader.standings(self._owner)
            states = Counter(standing.state for standing in standings)
            waiting = sum(head.status == "waiting" for head in reader.request_heads(self._owner))
            return {
                "records": reader.record_count(self._owner),
                "self": _self(reader, owner.self_record) if owner and owner.self_record else None,
                "requests": {"waiting": waiting},
                "newKeys": sum(has_new_keys(reader, one) for one in standings),
                "grants": {state: states[state] for state in STATES},
                "entries": sum(standing.log_size for standing in standings),
                "storage": {"database": size.file, "free": size.free, "log": size.log},
            }

        def _self(reader: Reader, record: str) -> Document:
            row = reader.record(self._owner, record)
            return {"id": record, "label": label_of(parse_document(row.document)) if row else ""}

        return {
            "origins": list(self._origins),
            "generation": self._keys.generation,
            "clock": {
                "now": format_time(clock.now_s()),
                "suspect": clock.suspect,
                "wall": format_time(clock.wall_s),
            },
            **await self._store.read(look, long=True),
        }

    async def self_record(self) -> Document | None:
        """Return which record is about the person, and what it is called."""
        found: Document | None = (await self.status_of_node())["self"]
        return found

    async def record(self, record_id: str) -> tuple[RecordRow, list[bytes], str | None]:
        """Return a record, its earlier versions, and the id of the one about the person."""

        def look(reader: Reader) -> tuple[RecordRow, list[bytes], str | None]:
            row, owner = reader.record(self._owner, record_id), reader.owner(self._owner)
            if row is None:
                raise NotFoundError("no such record")
            return row, reader.record_history(self._owner, record_id), owner.self_record if owner else None

        return await self._store.read(look)

    async def readers_of_record(self, record_id: str) -> tuple[list[Document], list[Document]]:
        """Return which fields of a record may be read now, under which permission of which live grant.

        And which could beside those, were it the record about the person.
        """
        now_us = self._ambient.clock.now_us()

        def look(reader: Reader) -> tuple[list[Document], list[Document]]:
            row = reader.record(self._owner, record_id)
            if row is None:
                return [], []
            now, as_self = (
                [_reader_told(one) for one in find(reader, self._owner, row, now_us=now_us)]
                for find in (readers_of, readers_as_self)
            )
            return now, as_self

        return await self._store.read(look, long=True)

    async def requests(self, status: str | None) -> list[RequestRow]:
        """Return the requests of one status, or all."""
        return await self._store.read(lambda reader: reader.requests(self._owner, status=status), long=True)

    async def waiting(self) -> int:
        """Return how many requests wait for the person."""
        return await self._store.read(lambda reader: reader.waiting(self._owner))

    async def request(self, request_id: str) -> RequestRow:
        """Return one request. Raises NotFoundError."""
        row = await self._store.read(lambda reader: reader.request(self._owner, request_id))
        if row is None:
            raise NotFoundError("no such request")
        return row

    async def grants(self) -> list[Document]:
        """Return every grant, newest first."""

        def look(reader: Reader) -> list[Document]:
            return [
                told_of_grant(reader, standing, standing_grant(reader, standing))
                for standing in reader.standings(self._owner)
            ]

        return await self._store.read(look, long=True)

    async def grant(self, grant_id: str) -> tuple[Document, str]:
        """Return a grant with its standing document and its receipt, and the CID of the version that stands."""

        def look(reader: Reader, standing: Standing, grant: Grant) -> tuple[Document, str]:
            told: Document = {
                **told_of_grant(reader, standing, grant),
                "document": grant.document,
                "receipt": make_receipt(reader, standing).to_dict(),
                "links": links_of(reader, standing),
                "statements": statements_of(reader, standing),
            }
            return told, grant.cid

        return await self._of(grant_id, look)

    async def bundle(self, grant_id: str) -> Document:
        """Return a grant's whole ledger, to be verified offline."""

        def look(reader: Reader, standing: Standing, _: Grant) -> Document:
            keys = self._keys.of(standing.relationship, standing.key_epoch)
            return ledger.export(reader, standing, make_receipt(reader, standing), keys.serving, holder=None)

        return await self._of(grant_id, look, long=True)


def _reader_told(one: Shown) -> Document:
    return {
        "grant": one.standing.grant,
        "vendor": vendor_shown(one.standing.vendor, one.standing.name),
        "permission": one.permission,
        "fields": list(one.paths),
    }
