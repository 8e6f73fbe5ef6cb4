"""Rows for tests of a store: everything has a value that a test may leave as it is."""

from __future__ import annotations

from typing import Any, Final

from freehold_node.store.rows import (
    DraftRow,
    EntryRow,
    InvitationRow,
    LogHead,
    RecordRow,
    RefusalRow,
    RelationshipRow,
    RequestRow,
    Standing,
)
from freehold_node.store.store import Transactor

OWNER: Final = "alice"
OTHER: Final = "bob"
T0: Final = 1_795_435_200_000_000
HOUR_US: Final = 3_600_000_000


def record(id_: str = "r1", **more: Any) -> RecordRow:
    given: dict[str, Any] = {
        "n": 0, "type": "Person", "source_key": None, "cid": f"cid-{id_}", "changed_us": T0, "document": b"{}",
    }  # fmt: skip
    return RecordRow(id=id_, **(given | more))


def invitation(id_: str = "i1") -> InvitationRow:
    return InvitationRow(id=id_, created_us=T0, expires_us=T0 + HOUR_US, label="Shop", request=None)


def relationship(id_: str = "rel-g1", **more: Any) -> RelationshipRow:
    given: dict[str, Any] = {"vendor": "did:key:zShop", "name": "Shop", "key_epoch": 0}
    return RelationshipRow(id=id_, **(given | more))


def request(id_: str = "q1", **more: Any) -> RequestRow:
    given: dict[str, Any] = {
        "relationship": "rel-g1", "cid": f"cid-{id_}", "status": "waiting", "received_us": T0,
        "decided_us": None, "grant": None, "reason": None, "document": b"{}",
    }  # fmt: skip
    return RequestRow(id=id_, **(given | more))


def draft(digest: str = "d1", **more: Any) -> DraftRow:
    given: dict[str, Any] = {"subject": "g1", "change": "narrow", "created_us": T0, "document": b"{}"}
    return DraftRow(digest=digest, **(given | more))


def standing(grant: str = "g1", **more: Any) -> Standing:
    """A live grant of one day, as add_grant takes it and ``standing`` gives it back."""
    given: dict[str, Any] = {
        "owner": OWNER, "relationship": f"rel-{grant}", "request": "q1", "version": 1, "epoch": 1,
        "state": "live", "not_before_us": T0, "expires_us": T0 + 24 * HOUR_US, "revocations": 0,
        "log_size": 0, "log_range": b"", "log_time_us": 0, "read_us": None, "vendor": "did:key:zShop",
        "name": "Shop", "key_epoch": 0, "records_version": 0, "self_record": None,
    }  # fmt: skip
    return Standing(grant=grant, **(given | more))


def add_grant(tx: Transactor, grant: str = "g1", *, created_us: int = T0, **more: Any) -> Standing:
    """Write a grant with its relationship; return it as it then stands."""
    row = standing(grant, **more)
    own = relationship(row.relationship, key_epoch=row.key_epoch)
    tx.add_relationship(row.owner, own, created_us=created_us)
    tx.add_grant(row, b"version 1")
    found = tx.standing(row.owner, grant)
    assert found is not None
    return found


def entry(n: int = 0, **more: Any) -> EntryRow:
    given: dict[str, Any] = {
        "time_us": T0 + n, "kind": "admitted", "permission": "delivery", "seen_by": ("did:key:zShop",),
        "salt": bytes(32), "leaf": leaf(n), "body": b'{"number":%d}' % n,
    }  # fmt: skip
    return EntryRow(n=n, **(given | more))


def leaf(n: int) -> bytes:
    return n.to_bytes(32, "big")


def head(size: int, *, time_us: int = T0) -> LogHead:
    return LogHead(size=size, range=b"range %d" % size, time_us=time_us)


def refusal(**more: Any) -> RefusalRow:
    given: dict[str, Any] = {
        "grant": "g1", "capability": "zCap", "code": "not-shared", "hour_us": T0, "count": 0, "body": b"{}",
    }  # fmt: skip
    return RefusalRow(**(given | more))
