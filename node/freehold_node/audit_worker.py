"""The process that checks everything: reads what is kept, writes what it found, does nothing else.

It is started with ``python -m`` by ``audit.py``, holds no key, and opens no file and no connection. Messages are JSON
behind their length as four bytes: the entries of a ledger in parts, which are not answered; the grant whose ledger
they are; and records.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Any, Final, TypedDict

from freehold_protocol import limits
from freehold_protocol.bundle import BundleItem, make_bundle, verify_bundle
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.errors import FreeholdError, NotFoundError
from freehold_protocol.grant import Grant
from freehold_protocol.keys import PublicKey
from freehold_protocol.moved import Moved, verify_moved
from freehold_protocol.receipt import Receipt
from freehold_protocol.record import Record
from freehold_protocol.request import Request
from freehold_protocol.restored import TYPE as RESTORED
from freehold_protocol.restored import Restored, verify_restored

from .foreign_worker import pack_message, read_message

_STORED_BYTES: Final = 2 * limits.MAX_DOCUMENT_BYTES
"""What came in within the bound, and was signed since, must stay readable."""
_NICE: Final = 10
"""Whoever reads, or looks at a page, comes first."""


class ActsBy(TypedDict):
    """What the node keeps beside a version of a grant and goes by; keys and the vendor are DIDs."""

    vendor: str
    serving: str
    decision: str
    state: str
    not_before_us: int
    expires_us: int


class Kept(TypedDict):
    """What is kept of a grant, beside the entries of its ledger; each text is the bytes of a document as Latin-1.

    ``request`` is None where there is none; ``version`` is the number of the version that stands, ``acts_by`` what
    reads are admitted by without the version being read anew, ``moved`` the origins that are acted by, and
    ``checkpoint`` the ledger's head, signed by the key that serves.
    """

    request: str | None
    versions: list[str]
    version: int
    acts_by: ActsBy
    statements: list[str]
    moved: str
    checkpoint: str


def judge(kept: Kept, entries: list[list[str | None]]) -> Document:
    """Return the status of a grant, and what is damaged.

    Args:
        kept: Of the grant.
        entries: Of its whole ledger: leaf in hexadecimal, body, and salt in hexadecimal; the last two None where
            the body was erased.
    """
    try:
        receipt = _receipt(kept)
        receipt.verify()
        grant = receipt.versions[-1]
        verdict = verify_bundle(
            make_bundle(
                origin=grant.log, serving=grant.serving_key, checkpoint=kept["checkpoint"],
                items=map(_item, entries), receipt=receipt,
            )
        )  # fmt: skip
    except FreeholdError as error:
        return {"status": "damaged", "damaged": [{"reason": str(error)}]}
    damaged: list[Document] = [{"number": one.number, "reason": str(one.damage)} for one in verdict.damaged]
    damaged += [{"reason": fault} for fault in verdict.faults]
    if not _statements_hold(kept, receipt):
        damaged.append({"reason": "statement"})
    if len(set(kept["versions"])) != kept["version"]:
        damaged.append({"reason": "versions"})
    elif kept["acts_by"] != _acts_by(grant):
        damaged.append({"reason": "standing"})
    return {"status": "damaged" if damaged else verdict.status, "damaged": damaged}


def _receipt(kept: Kept) -> Receipt:
    if kept["request"] is None:
        raise NotFoundError("no such request")
    versions = (parse_document(_bytes(text), max_bytes=_STORED_BYTES) for text in kept["versions"])
    return Receipt(
        request=Request.from_dict(parse_document(_bytes(kept["request"]))),
        versions=tuple(map(Grant.from_dict, versions)),
    )


def _acts_by(grant: Grant) -> ActsBy:
    return {
        "vendor": grant.vendor,
        "serving": grant.serving_key.did,
        "decision": grant.decision_key.did,
        "state": grant.state,
        "not_before_us": grant.not_before_s * 1_000_000,
        "expires_us": grant.expires_s * 1_000_000,
    }


def _item(sent: list[str | None]) -> BundleItem:
    leaf, body, salt = sent
    return BundleItem(
        leaf=bytes.fromhex(leaf or ""),
        entry=None if body is None else parse_document(_bytes(body)),
        salt=None if salt is None else bytes.fromhex(salt),
    )


def _statements_hold(kept: Kept, receipt: Receipt) -> bool:
    """Whether every statement is the person's, and the origins that are acted by are those that were stated."""
    origins: list[str] = []
    try:
        for text in kept["statements"]:
            document = parse_document(_bytes(text))
            if document["type"] == RESTORED:
                verify_restored(Restored.from_dict(document), versions=receipt.versions)
                continue
            moved = Moved.from_dict(document)
            verify_moved(moved, grant=receipt.versions[-1])
            origins += moved.origins
    except FreeholdError:
        return False
    return origins == kept["moved"].split()


def record_holds(text: str, cid: str, record_id: str, key: PublicKey) -> bool:
    """Whether a record is of its form, signed by the key, and the one it is kept as."""
    try:
        record = Record.from_dict(parse_document(_bytes(text)))
        record.verify(key)
    except FreeholdError:
        return False
    return record.cid == cid and record.id == record_id


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def main() -> None:
    """Do one job after the other until there is none."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt at the terminal is for the node
    with suppress(AttributeError, OSError):  # not on every platform
        os.nice(_NICE)
    entries: list[list[str | None]] = []
    while (job := read_message(source)) is not None:
        if "entries" in job:
            entries += job["entries"]
            continue
        sink.write(pack_message(_done(job, entries)))
        sink.flush()
        entries = []


def _done(job: Any, entries: list[list[str | None]]) -> Document:  # noqa: ANN401 - it is JSON
    if "grant" in job:
        return judge(job["grant"], entries)
    key = PublicKey.from_did(job["key"])
    return {"damaged": [name for text, cid, name in job["records"] if not record_holds(text, cid, name, key)]}


if __name__ == "__main__":
    main()
