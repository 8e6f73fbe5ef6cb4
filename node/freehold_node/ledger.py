"""Write to a grant's ledger, and prove what is in it.

Spec: specs/ledger.md
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from freehold_protocol.bundle import BundleItem, make_bundle
from freehold_protocol.canonical import jcs, jcs_of_plain
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import Document, base64url_encode, parse_document
from freehold_protocol.entry import Changed, Entry, Refused
from freehold_protocol.errors import ConflictError, MalformedError, NotFoundError
from freehold_protocol.grant import Grant
from freehold_protocol.keys import SigningKey
from freehold_protocol.ledger import canonical_leaf
from freehold_protocol.limits import SALT_BYTES
from freehold_protocol.merkle import (
    TILE_WIDTH,
    CompactRange,
    Tile,
    consistency_proof,
    inclusion_proof,
    node_from_tiles,
)
from freehold_protocol.receipt import Receipt

from .store.rows import EntryRow, LogHead, RefusalRow, Standing
from .store.store import Reader, Transactor

_HOUR_US = 3_600_000_000
Random = Callable[[int], bytes]


def entry_time_us(standing: Standing, now_us: int) -> int:
    """Return the time of the next entry: now, and never before the last entry's."""
    return max(now_us, standing.log_time_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """An entry ready to be written: its row, the ledger's new head, and the subtrees it completes."""

    row: EntryRow
    head: LogHead
    nodes: tuple[tuple[int, int, bytes], ...]


def prepare(
    standing: Standing,
    entry: Entry,
    *,
    salt: bytes,
    time_us: int,
    seen_by: tuple[str, ...],
    permission: str | None = None,
) -> Appended:
    """Return what appending an entry to the ledger as it stands will write."""
    body = jcs_of_plain(entry.to_dict())  # an entry holds names, digests and counts
    leaf = canonical_leaf(body, salt)
    before = CompactRange.from_bytes(standing.log_size, standing.log_range)
    after, nodes = before.append(leaf)
    row = EntryRow(
        n=standing.log_size, time_us=time_us, kind=entry.kind, permission=permission,
        seen_by=seen_by, salt=salt, leaf=leaf, body=body,
    )  # fmt: skip
    return Appended(
        row=row, head=LogHead(size=after.size, range=after.to_bytes(), time_us=time_us), nodes=nodes
    )


def append(tx: Transactor, standing: Standing, made: Appended) -> None:
    """Write an entry that releases nothing.

    Raises:
        ConflictError: The ledger moved on since the standing was read.
    """
    if not tx.move_head(standing, made.head):
        raise ConflictError("the ledger moved on")
    tx.add_entry(standing.owner, standing.grant, made.row, made.nodes)


def append_changed(
    tx: Transactor,
    owner: str,
    grant: Grant,
    *,
    change: str,
    now_us: int,
    random_bytes: Random,
    revoked: str | None = None,
    statement: str | None = None,
    also_seen_by: tuple[str, ...] = (),
) -> None:
    """Write down a change of a grant, after the change itself, in the same transaction."""
    standing = tx.standing(owner, grant.id)
    if standing is None:
        raise NotFoundError("no such grant")
    time_us = entry_time_us(standing, now_us)
    entry = Changed(
        number=standing.log_size, time_s=time_us // 1_000_000, change=change, grant=grant.cid,
        version=standing.version, epoch=standing.epoch, revoked=revoked, statement=statement,
    )  # fmt: skip
    append(
        tx, standing,
        prepare(
            standing, entry, salt=random_bytes(SALT_BYTES), time_us=time_us,
            seen_by=(grant.vendor, *also_seen_by),
        ),
    )  # fmt: skip


def note_refusal(
    tx: Transactor,
    standing: Standing,
    *,
    who: str,
    chain: tuple[str, ...],
    controllers: tuple[str, ...],
    known: bool,
    code: str,
    permission: str | None,
    now_us: int,
    random_bytes: Random,
) -> None:
    """Count a refusal of a proven holder: the first of its hour is an entry at once, the rest one later.

    They are counted by what the node issued and by who of those it knows: a holder can sign itself as many
    links to as many keys as it likes, and must not lengthen the ledger by that.
    """
    hour_us = now_us - now_us % _HOUR_US
    told: Document = {
        "who": who, "chain": list(chain), "controllers": list(controllers), "permission": permission,
    }  # fmt: skip
    counted = f"{chain[0]} {who if known else '-'} {permission or '-'}"
    row = RefusalRow(
        grant=standing.grant, capability=counted, code=code, hour_us=hour_us, count=0, body=jcs(told)
    )
    if tx.count_refusal(standing.owner, row):
        _append_refused(tx, standing, row, count=1, now_us=now_us, random_bytes=random_bytes)


def close_refusals(tx: Transactor, owner: str, *, now_us: int, random_bytes: Random) -> None:
    """Make an entry of the refusals that were counted in hours now over."""
    for row in tx.refusals(owner, now_us - now_us % _HOUR_US):
        standing = tx.standing(owner, row.grant)
        if row.count and standing is not None:
            _append_refused(tx, standing, row, count=row.count, now_us=now_us, random_bytes=random_bytes)
        tx.drop_refusal(owner, row)


def _append_refused(
    tx: Transactor, standing: Standing, row: RefusalRow, *, count: int, now_us: int, random_bytes: Random
) -> None:
    told = parse_document(row.body)
    time_us = entry_time_us(standing, now_us)
    entry = Refused(
        number=standing.log_size, time_s=time_us // 1_000_000, who=told["who"], chain=tuple(told["chain"]),
        code=row.code, hour_s=row.hour_us // 1_000_000, count=count, permission=told["permission"],
    )  # fmt: skip
    made = prepare(
        standing, entry, salt=random_bytes(SALT_BYTES), time_us=time_us,
        seen_by=tuple(told["controllers"]), permission=told["permission"],
    )  # fmt: skip
    append(tx, standing, made)


# Proofs


def checkpoint(standing: Standing, grant: Grant, key: SigningKey) -> str:
    """Return the signed note of the ledger's head."""
    root = CompactRange.from_bytes(standing.log_size, standing.log_range).root()
    return sign_checkpoint(Checkpoint(origin=grant.log, size=standing.log_size, root=root), key)


def _nodes(reader: Reader, standing: Standing) -> Callable[[int, int], bytes]:
    def read(tile: Tile) -> list[bytes]:
        return reader.hashes(standing.owner, standing.grant, tile.level, tile.start, TILE_WIDTH)

    return node_from_tiles(read)


def prove_entry(reader: Reader, standing: Standing, number: int, *, holder: str | None) -> Document:
    """Return an entry with its proof of inclusion in the ledger as it stands.

    Args:
        reader: The snapshot that standing was read in.
        standing: Of the grant.
        number: Of the entry.
        holder: The DID that asks, None for the owner; others' entries are given without their body.

    Raises:
        NotFoundError: There is no such entry.
    """
    row = reader.entry(standing.owner, standing.grant, number)
    if row is None or number >= standing.log_size:
        raise NotFoundError("no such entry")
    proof = inclusion_proof(number, standing.log_size, _nodes(reader, standing))
    return {
        **show_entry(row, holder=holder),
        "size": standing.log_size,
        "proof": [base64url_encode(node) for node in proof],
    }


def show_entry(row: EntryRow, *, holder: str | None) -> Document:
    """Return an entry as its holder, or the owner (None), may see it."""
    shown: Document = {"number": row.n, "leaf": base64url_encode(row.leaf)}
    if row.body is not None and (holder is None or holder in row.seen_by):
        shown["entry"] = parse_document(row.body)
        shown["salt"] = base64url_encode(row.salt)
    return shown


def prove_consistency(reader: Reader, standing: Standing, old_size: int) -> list[str]:
    """Return the proof that the ledger as it stands continues the one of old_size entries.

    Raises:
        MalformedError: The ledger has not had that size.
    """
    if not 0 < old_size <= standing.log_size:
        raise MalformedError("the ledger has not had that size")
    proof = consistency_proof(old_size, standing.log_size, _nodes(reader, standing))
    return [base64url_encode(node) for node in proof]


def export(
    reader: Reader,
    standing: Standing,
    receipt: Receipt,
    key: SigningKey,
    *,
    holder: str | None,
) -> Document:
    """Return the whole ledger as a bundle that verifies offline; only its owner's has the receipt in it."""
    grant = receipt.versions[-1]
    rows = reader.entries(standing.owner, standing.grant, limit=standing.log_size)
    items = []
    for row in rows:
        seen = row.body is not None and (holder is None or holder in row.seen_by)
        items.append(
            BundleItem(
                entry=parse_document(row.body) if seen and row.body is not None else None,
                salt=row.salt if seen else None,
                leaf=row.leaf,
            )
        )
    return make_bundle(
        origin=grant.log,
        serving=grant.serving_key,
        checkpoint=checkpoint(standing, grant, key),
        items=items,
        holder=holder,
        receipt=receipt if holder is None else None,
    )
