"""Look at grants and their ledgers, as the owner or as a holder; nothing here changes anything.

Spec: specs/http.md#ledger
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from freehold_protocol import form, limits
from freehold_protocol.bundle import verify_bundle
from freehold_protocol.capability import Capability
from freehold_protocol.did_document import domain_of, is_vouched, is_web
from freehold_protocol.encoding import Document, base64url_encode, format_time, parse_document
from freehold_protocol.errors import FreeholdError, MalformedError, NotFoundError
from freehold_protocol.grant import STATES, Grant
from freehold_protocol.keys import PublicKey
from freehold_protocol.merkle import CompactRange
from freehold_protocol.moved import Moved, verify_moved
from freehold_protocol.permission import Permission
from freehold_protocol.proof import sign_document
from freehold_protocol.receipt import Receipt
from freehold_protocol.record import content_of
from freehold_protocol.request import Request
from freehold_protocol.restored import TYPE as RESTORED
from freehold_protocol.restored import Restored, verify_restored

from . import ledger
from .ambient import Ambient
from .changes import grant_of, standing_grant
from .known_keys import every_key, no_recipients, seen_partners
from .news import permissions_of
from .person_keys import PersonKeys
from .reach import first_of, origins_of, root_key_of
from .records import label_of
from .store.rows import LinkRow, RecordRow, RequestRow, Standing
from .store.store import Reader, Store
from .view import paths_shown

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
        return await self._of(grant_id, lambda reader, standing, _: _statements(reader, standing))

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

    async def readers_of_record(self, record_id: str) -> list[Document]:
        """Return which fields of a record may be read now, under which permission of which live grant."""
        now_us = self._ambient.clock.now_us()

        def look(reader: Reader) -> list[Document]:
            row = reader.record(self._owner, record_id)
            if row is None:
                return []
            pinned = reader.pinned(self._owner, record_id)
            content = content_of(parse_document(row.document))
            return [
                {
                    "grant": standing.grant,
                    "vendor": vendor_shown(standing.vendor, standing.name),
                    "permission": permission.name,
                    "fields": list(paths),
                }
                for standing in reader.standings(self._owner)
                if standing.state == "live" and standing.not_before_us <= now_us < standing.expires_us
                for permission in _standing_permissions(reader, standing)
                if (paths := paths_shown(
                    permission, row, content, standing.self_record, pinned.get(standing.grant, {})
                ))
            ]  # fmt: skip

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
                _grant(reader, standing, standing_grant(reader, standing))
                for standing in reader.standings(self._owner)
            ]

        return await self._store.read(look, long=True)

    async def grant(self, grant_id: str) -> tuple[Document, str]:
        """Return a grant with its standing document and its receipt, and the CID of the version that stands."""

        def look(reader: Reader, standing: Standing, grant: Grant) -> tuple[Document, str]:
            told: Document = {
                **_grant(reader, standing, grant),
                "document": grant.document,
                "receipt": make_receipt(reader, standing).to_dict(),
                "links": _links(reader, standing),
                "statements": _statements(reader, standing),
            }
            return told, grant.cid

        return await self._of(grant_id, look)

    async def bundle(self, grant_id: str) -> Document:
        """Return a grant's whole ledger, to be verified offline."""

        def look(reader: Reader, standing: Standing, _: Grant) -> Document:
            keys = self._keys.of(standing.relationship, standing.key_epoch)
            return ledger.export(reader, standing, make_receipt(reader, standing), keys.serving, holder=None)

        return await self._of(grant_id, look, long=True)

    async def verify(self) -> list[Document]:
        """Check every grant: its receipt, its ledger, and that the ledger tells of every version."""

        def look(reader: Reader) -> list[Document]:
            return [self._verify(reader, standing) for standing in reader.standings(self._owner)]

        return await self._store.read(look, long=True)

    def _verify(self, reader: Reader, standing: Standing) -> Document:
        found: Document = {"grant": standing.grant, "vendor": standing.name, "entries": standing.log_size}
        try:
            receipt = make_receipt(reader, standing)
            receipt.verify()
            keys = self._keys.of(standing.relationship, standing.key_epoch)
            verdict = verify_bundle(ledger.export(reader, standing, receipt, keys.serving, holder=None))
        except FreeholdError as error:
            return {**found, "status": "damaged", "damaged": [{"reason": str(error)}]}
        damaged: list[Document] = [
            {"number": one.number, "reason": str(one.damage)} for one in verdict.damaged
        ]
        damaged += [{"reason": fault} for fault in verdict.faults]
        if not _statements_hold(reader, standing, receipt):
            damaged.append({"reason": "statement"})
        stored = {row.document for row in reader.versions(standing.owner, standing.grant)}
        if len(stored) != standing.version:
            damaged.append({"reason": "a version of the grant is missing"})
        return {**found, "status": "damaged" if damaged else verdict.status, "damaged": damaged}


def _standing_permissions(reader: Reader, standing: Standing) -> tuple[Permission, ...]:
    row = reader.version(standing.owner, standing.grant, standing.version)
    return () if row is None else permissions_of(row.document)


def make_receipt(
    reader: Reader, standing: Standing, *, after: int = 0, most_bytes: int | None = None
) -> Receipt:
    """Return the request and the versions after one; they end with the one that brings them over most_bytes."""
    row = reader.request(standing.owner, standing.request)
    if row is None:
        raise NotFoundError("no such request")
    versions: list[Grant] = []
    size = 0
    for version in reader.versions(standing.owner, standing.grant, after=after):
        if most_bytes is not None and size > most_bytes:
            break
        versions.append(grant_of(version))
        size += len(version.document)
    return Receipt(request=Request.from_dict(parse_document(row.document)), versions=tuple(versions))


def _links(reader: Reader, standing: Standing) -> list[Document]:
    """Return who passed on what to whom, as far as it was used: each link after the one it hangs on."""
    revoked = reader.revoked(standing.owner, standing.grant)
    cut_off = [row for row in reader.partner_keys(standing.owner, standing.grant) if row.did in revoked]
    dead: set[str] = {*revoked, *(key.did for row in cut_off for key in every_key(row))}
    told: list[Document] = []
    for row in _in_order(reader.links(standing.owner, standing.grant)):
        capability = parse_document(row.document)
        if not dead.isdisjoint({row.digest, row.parent, capability["controller"], capability["id"]}):
            dead.add(row.digest)
        told.append(
            {
                **capability,
                "digest": row.digest,
                "parent": row.parent,
                "seen": format_time(row.seen_us // _US),
                "revoked": row.digest in dead,
            }
        )
    return told


def _in_order(links: list[LinkRow]) -> list[LinkRow]:
    """Return links so that each stands right after what it hangs on, siblings as they were first seen."""
    under: dict[str, list[LinkRow]] = {}
    for row in reversed(links):
        under.setdefault(row.parent, []).append(row)
    known = {row.digest for row in links}
    waiting = [row for row in reversed(links) if row.parent not in known]
    ordered = []
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting += under.get(row.digest, [])
    return ordered


def _statements(reader: Reader, standing: Standing) -> list[Document]:
    return [parse_document(document) for document in reader.statements(standing.owner, standing.grant)]


def _statements_hold(reader: Reader, standing: Standing, receipt: Receipt) -> bool:
    """Whether every statement is the person's, and the origins that are acted by are those that were stated."""
    origins: list[str] = []
    try:
        for document in _statements(reader, standing):
            if document["type"] == RESTORED:
                verify_restored(Restored.from_dict(document), versions=receipt.versions)
                continue
            moved = Moved.from_dict(document)
            verify_moved(moved, grant=receipt.versions[-1])
            origins += moved.origins
    except FreeholdError:
        return False
    return origins == standing.moved.split()


def _grant(reader: Reader, standing: Standing, grant: Grant) -> Document:
    told: Document = {
        "id": standing.grant,
        "vendor": vendor_shown(standing.vendor, standing.name),
        "state": standing.state,
        "version": standing.version,
        "epoch": standing.epoch,
        "created": format_time(grant.created_s),
        "notBefore": format_time(grant.not_before_s),
        "expires": format_time(grant.expires_s),
        "permissions": [permission.to_dict() for permission in grant.permissions],
        "entries": standing.log_size,
        "root": base64url_encode(CompactRange.from_bytes(standing.log_size, standing.log_range).root()),
        "revoked": sorted(reader.revoked(standing.owner, standing.grant)),
    }
    if partners := reader.partner_keys(standing.owner, standing.grant):
        told["partners"] = [
            {"id": row.did, "domain": domain_of(row.did), "keys": sorted(key.did for key in every_key(row))}
            for row in partners
        ]
    if has_new_keys(reader, standing):
        told["newKeys"] = True
    if standing.read_us is not None:
        told["lastRead"] = format_time(standing.read_us // _US)
    return told


def has_new_keys(reader: Reader, standing: Standing) -> bool:
    """Whether the vendor or a partner of a grant that is not over has keys that wait for the person's word."""
    if standing.state not in ("live", "paused"):
        return False
    vendor = reader.vendor_keys(standing.owner, standing.relationship)
    return any(row.offered for row in (vendor, *seen_partners(reader, standing)) if row is not None)


def vendor_shown(did: str, name: str) -> Document:
    """Return how a vendor is shown: its domain, where one stands behind it; a key is a key and no more."""
    shown: Document = {"id": did, "name": name, "vouched": is_vouched(did)}
    return shown | {"domain": domain_of(did)} if is_web(did) else shown
