"""A grant as it is told: who holds it, how it stands, what it was made of, and who passed on what under it."""

from __future__ import annotations

from freehold_protocol.did_document import domain_of, is_vouched, is_web
from freehold_protocol.encoding import Document, base64url_encode, format_time, parse_document
from freehold_protocol.errors import NotFoundError
from freehold_protocol.grant import Grant
from freehold_protocol.merkle import CompactRange
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request

from .changes import grant_of
from .known_keys import every_key, seen_partners
from .store.rows import LinkRow, Standing
from .store.store import Reader

_US = 1_000_000


def told_of_grant(reader: Reader, standing: Standing, grant: Grant) -> Document:
    """Return a grant in short: all but its documents."""
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


def links_of(reader: Reader, standing: Standing) -> list[Document]:
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


def statements_of(reader: Reader, standing: Standing) -> list[Document]:
    """Return what the person signed about a grant beside its versions, oldest first."""
    return [parse_document(document) for document in reader.statements(standing.owner, standing.grant)]


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
