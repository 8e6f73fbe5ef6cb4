"""Commit a change of a grant: the version, the epoch, what it shows, its ledger entry, in one transaction.

Every change of a grant, whoever asks for it, ends here.

Spec: specs/grants.md#changes
"""

from __future__ import annotations

from typing import Final

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import parse_document
from freehold_protocol.errors import ConflictError, NotFoundError
from freehold_protocol.grant import TRANSITIONS, Change, Grant
from freehold_protocol.keys import SigningKey

from .ambient import Ambient
from .condition import Condition
from .events import note_version
from .ledger import append_changed
from .person_keys import PersonKeys
from .shown import shown_records
from .store.rows import Standing, VersionRow
from .store.store import Pins, Reader, Transactor

STORED_BYTES: Final = 2 * limits.MAX_DOCUMENT_BYTES
"""What came in within the bound, and was signed since, must stay readable."""


def standing_grant(reader: Reader, standing: Standing) -> Grant:
    """Return the version of the grant that stands."""
    row = reader.version(standing.owner, standing.grant, standing.version)
    if row is None:
        raise NotFoundError("no such grant")
    return grant_of(row)


def check_standing(reader: Reader, standing: Standing, condition: Condition) -> None:
    """Check a condition on the CID of the version that stands. Raises PreconditionError."""
    if condition.given:
        condition.check(standing_grant(reader, standing).cid)


def grant_of(row: VersionRow) -> Grant:
    """Return a stored version, parsed."""
    return Grant.from_dict(parse_document(row.document, max_bytes=STORED_BYTES))


def commit_approval(
    tx: Transactor, standing: Standing, grant: Grant, *, now_us: int, ambient: Ambient
) -> None:
    """Write a grant's signed first version."""
    tx.add_grant(standing, jcs(grant.document))
    tx.replace_pins(standing.owner, grant.id, _pins(tx, standing.owner, grant, before=None))
    append_changed(
        tx, standing.owner, grant, change="approve", now_us=now_us, random_bytes=ambient.random_bytes
    )


def commit_change(
    tx: Transactor,
    standing: Standing,
    draft: Grant,
    *,
    change: Change,
    keys: PersonKeys,
    now_us: int,
    ambient: Ambient,
) -> Grant:
    """Sign and write the next version of a grant.

    Raises:
        ConflictError: The grant changed since the draft was made.
    """
    before = standing_grant(tx, standing)
    if draft.previous != before.cid:
        raise ConflictError("the grant changed in the meantime: look at it again")
    grant = draft.signed(*_signers(standing, change, keys))
    after = standing._replace(
        version=grant.version,
        epoch=standing.epoch + 1,
        state=grant.state,
        expires_us=grant.expires_s * 1_000_000,
        key_epoch=standing.key_epoch + (change == "rotate"),
    )
    tx.change_grant(after, change=change, document=jcs(grant.document))
    if grant.permissions != before.permissions:
        tx.replace_pins(standing.owner, grant.id, _pins(tx, standing.owner, grant, before=before))
    note_version(tx, standing.owner, grant.id, now_us=now_us)
    append_changed(tx, standing.owner, grant, change=change, now_us=now_us, random_bytes=ambient.random_bytes)
    return grant


def _signers(standing: Standing, change: Change, keys: PersonKeys) -> tuple[SigningKey, ...]:
    """Return the least keys that sign a change."""
    own, least = keys.of(standing.relationship, standing.key_epoch), TRANSITIONS[change].signer
    if least == "serving":
        return (own.serving,)
    if least == "decision":
        return (own.decision,)
    return own.decision, keys.of(standing.relationship, standing.key_epoch + 1).decision


def expire(tx: Transactor, standing: Standing, *, keys: PersonKeys, now_us: int, ambient: Ambient) -> Grant:
    """Commit the expiry of a grant whose time is over: a change like any other, with its receipt."""
    draft = standing_grant(tx, standing).changed(
        "expire", nonce=ambient.new_token(), created_s=now_us // 1_000_000
    )
    return commit_change(tx, standing, draft, change="expire", keys=keys, now_us=now_us, ambient=ambient)


def _pins(reader: Reader, owner: str, grant: Grant, *, before: Grant | None) -> Pins:
    """Return which records each item without new records shows from now on.

    At approval, and for an item that widens: those that match now. For an item that lies within one before:
    those of them that the one before showed, so that a narrowing never lets in a record it did not show.
    """
    row = reader.owner(owner)
    self_record = row.self_record if row else None
    known = reader.pins(owner, grant.id) if before is not None else {}
    pins: dict[tuple[str, int], frozenset[str]] = {}
    for permission in grant.permissions:
        earlier = before.permission(permission.name) if before is not None else None
        for index, item in enumerate(permission.items):
            if item.new_records:
                continue
            shown = shown_records(reader, owner, self_record, item)
            wider = [
                (place, one) for place, one in enumerate(earlier.items if earlier else ()) if item.within(one)
            ]
            if wider and not any(one.new_records for _, one in wider):
                # An item that shows no record has no pins at all.
                kept = (known.get((permission.name, place), frozenset()) for place, _ in wider)
                shown &= frozenset().union(*kept)
            pins[permission.name, index] = shown
    return pins
