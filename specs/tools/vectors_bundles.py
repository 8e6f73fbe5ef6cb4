"""Vectors of whole ledgers as files, and the verdict on each entry."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from cases import Case, Json, Operation
from craft import GONE, Document, Key, b64u, but, cid, put, sha256
from craft_ledger import (
    checkpoint,
    leaf_of,
    root_of,
)
from scene import GRANT, LOG, PARTNER, PAUSED, REQUEST, SERVING, SERVING_1, STRANGER, after, rotated
from vectors_ledger import _D, ADMITTED, APPROVED, RECEIVED, REFUSED, STOPPED


def item(entry: Document | None, number: int, *, leaf: bytes | None = None) -> Document:
    """Return an item of a bundle; the salt is the number 32 times."""
    salt = bytes([number]) * 32
    if entry is None:
        return {"entry": None, "salt": None, "leaf": b64u(leaf or bytes(32))}
    return {"entry": entry, "salt": b64u(salt), "leaf": b64u(leaf or leaf_of(entry, salt))}


def bundle(
    items: Sequence[Document], changes: Document | None = None, *, key: Key = SERVING, size: int | None = None
) -> Document:
    """Return a bundle whose checkpoint signs the leaves of these items."""
    leaves = [_bytes(one["leaf"]) for one in items][:size]
    made: Document = {
        "type": "LedgerBundle",
        "origin": LOG,
        "servingKey": key.did,
        "checkpoint": checkpoint(len(leaves), root_of(leaves), key=key),
        "entries": list(items),
    }
    return but(made, changes or {})


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=")


def _receipt(*versions: Document) -> Document:
    return {"type": "Receipt", "request": REQUEST, "versions": list(versions)}


def _bundles() -> Iterator[Case]:
    entries = [APPROVED, ADMITTED, STOPPED, REFUSED, RECEIVED]
    items = [item(entry, number) for number, entry in enumerate(entries)]

    def case(
        outcome: str,
        requirements: str,
        name: str,
        document: Json,
        verdict: str | None = None,
        *,
        faults: Sequence[str] = (),
        status: str | None = None,
        **given: Json,
    ) -> Case:
        """``verdict`` has a letter for each entry (i, e, h) or a damage in brackets."""
        output = None
        if verdict is not None:
            output = {
                "status": status or ("intact" if outcome == "valid" else "damaged"),
                "entries": verdict.split(),
                "faults": list(faults),
            }
        return Case(
            name=name,
            requirements=tuple(requirements.split()),
            input={"bundle": document, "earlier": []} | given,
            outcome=outcome,
            output=output,
        )

    good, bad = "intact " * 5, "ledger-damaged"
    whole = bundle(items)
    yield case("valid", "LED-18 LED-19 LED-20", "a whole ledger", whole, good)
    yield case(
        "valid",
        "LED-20 LED-17",
        "and an earlier checkpoint of it",
        whole,
        good,
        earlier=[checkpoint(2, root_of([_bytes(one["leaf"]) for one in items[:2]]))],
    )
    other = checkpoint(2, root_of([sha256(b"a"), sha256(b"b")]))
    yield case(
        "ledger-rolled-back",
        "LED-20 LED-17",
        "an earlier checkpoint that it does not continue",
        whole,
        good,
        faults=["rolled-back"],
        earlier=[other],
    )
    longer = checkpoint(9, sha256(b"a"))
    yield case(
        "ledger-rolled-back",
        "LED-20 LED-17",
        "an earlier checkpoint that is larger",
        whole,
        good,
        faults=["rolled-back"],
        earlier=[longer],
    )
    stranger = checkpoint(2, root_of([_bytes(one["leaf"]) for one in items[:2]]), key=STRANGER)
    yield case(
        "ledger-rolled-back",
        "LED-20",
        "an earlier checkpoint by another key",
        whole,
        good,
        faults=["rolled-back"],
        earlier=[stranger],
    )
    changed = put(whole, "entries/1/entry/count", 2)
    yield case(
        bad, "LED-19 LED-20", "an entry that was changed", changed, "intact damaged:leaf intact intact intact"
    )
    swapped = put(whole, "entries/1/salt", b64u(bytes(32)))
    yield case(bad, "LED-19", "another salt", swapped, "intact damaged:leaf intact intact intact")
    again = item(but(ADMITTED, {"count": 2}), 1)
    yield case(
        bad,
        "LED-20",
        "an entry that was changed together with its leaf",
        put(whole, "entries/1", again),
        good,
        faults=["root"],
    )
    form = item(but(ADMITTED, {"action": "delete"}), 1)
    yield case(
        bad,
        "LED-19",
        "an entry that has no such form",
        bundle([items[0], form, *items[2:]]),
        "intact damaged:form intact intact intact",
    )
    yield case(
        bad,
        "LED-19",
        "a salt of 31 bytes",
        put(whole, "entries/1/salt", b64u(bytes(31))),
        "intact damaged:form intact intact intact",
    )
    gap = [items[0], *items[2:]]
    yield case(
        bad,
        "LED-19",
        "an entry that is not there",
        bundle(gap),
        "intact damaged:missing intact intact damaged:uncovered",
    )
    yield case(bad, "LED-19 LED-20", "an entry that comes twice", bundle([*items[:2], items[1], *items[2:]]))
    early = [items[0], item(but(ADMITTED, {"time": "2026-11-23T12:09:59Z"}), 1), *items[2:]]
    yield case(
        bad,
        "LED-19 LED-4",
        "an entry before its time",
        bundle(early),
        "intact damaged:time intact intact intact",
    )
    late = [
        items[0],
        item(but(STOPPED, {"number": 1}), 1),
        item(but(ADMITTED, {"number": 2, "time": "2026-11-24T12:30:00Z"}), 2),
    ]
    yield case(
        bad,
        "LED-8 LED-19",
        "an admission while the grant is paused",
        bundle(late),
        "intact intact damaged:order",
    )
    first = [item(but(ADMITTED, {"number": 0}), 0)]
    yield case(bad, "LED-8 LED-19", "an admission before the approval", bundle(first), "damaged:order")
    for change in ("end", "expire"):
        over = [
            items[0],
            item(but(STOPPED, {"number": 1, "change": change}), 1),
            item(but(ADMITTED, {"number": 2, "time": "2026-11-24T12:30:00Z"}), 2),
        ]
        yield case(
            bad, "LED-8 LED-19", f"an admission after {change}", bundle(over), "intact intact damaged:order"
        )
    resumed = [
        *late[:2],
        item(but(STOPPED, {"number": 2, "change": "resume", "version": 3}), 2),
        item(but(ADMITTED, {"number": 3, "time": "2026-11-24T12:30:00Z"}), 3),
    ]
    yield case(
        "valid",
        "LED-8 LED-19",
        "an admission after it was resumed",
        bundle(resumed),
        "intact intact intact intact",
    )
    uncovered = bundle(items, size=4)
    yield case(bad, "LED-19", "an entry after the last that is signed", uncovered)
    notice = {
        "number": 5,
        "time": "2026-11-24T14:00:00Z",
        "kind": "erased",
        "erases": 1,
        "leaf": items[1]["leaf"],
    }
    gone = [items[0], item(None, 1, leaf=_bytes(items[1]["leaf"])), *items[2:], item(notice, 5)]
    yield case(
        "valid",
        "LED-11 LED-19 LED-20",
        "an entry that was erased with notice",
        bundle(gone),
        "intact erased intact intact intact intact",
        status="erased",
    )
    yield case(
        bad,
        "LED-11 LED-19",
        "an entry that was erased without notice",
        bundle(gone[:-1]),
        "intact damaged:no-notice intact intact intact",
    )
    wrong = [*gone[:-1], item(but(notice, {"leaf": _D}), 5)]
    yield case(
        bad,
        "LED-11 LED-19",
        "a notice about another leaf",
        bundle(wrong),
        "intact damaged:no-notice intact intact intact intact",
    )
    hidden = [items[0], item(None, 1, leaf=_bytes(items[1]["leaf"])), *items[2:]]
    yield case(
        "valid",
        "LED-12 LED-19",
        "an entry that is not for this holder",
        bundle(hidden, {"holder": PARTNER.did}),
        "intact hidden intact intact intact",
    )
    yield from _faults(items, whole, case)


def _faults(items: list[Document], whole: Document, case: Any) -> Iterator[Case]:
    bad, good = "ledger-damaged", "intact " * 5
    yield case(
        bad,
        "LED-20 LED-15",
        "a checkpoint of another ledger",
        put(
            whole,
            "checkpoint",
            checkpoint(
                5,
                root_of([_bytes(one["leaf"]) for one in items]),
                log="freehold/ledger/AAAAAAAAAAAAAAAAAAAAAA",
            ),
        ),
        good,
        faults=["signature"],
    )
    yield case(
        bad,
        "LED-20 LED-15",
        "a checkpoint by another key",
        put(whole, "servingKey", STRANGER.did),
        good,
        faults=["signature"],
    )
    receipt = _receipt(GRANT, PAUSED)
    yield case("valid", "LED-18 LED-19 LED-20", "with its receipt", but(whole, {"receipt": receipt}), good)
    yield case(
        bad,
        "LED-20",
        "with a receipt that does not hold",
        but(whole, {"receipt": _receipt(PAUSED)}),
        good,
        faults=["receipt"],
    )
    own = bundle(items, {"receipt": receipt}, key=STRANGER)
    yield case(bad, "LED-20", "by a key that the receipt does not name", own, good, faults=["key"])
    ended = after(GRANT, {"state": "ended"}, key=SERVING)
    yield case(
        bad,
        "LED-19",
        "a change that names another version than the receipt",
        but(whole, {"receipt": _receipt(GRANT, ended)}),
        "intact intact damaged:version intact intact",
    )
    changed = rotated(GRANT)
    turn = {
        "number": 1,
        "time": "2026-11-24T12:00:00Z",
        "kind": "changed",
        "change": "rotate",
        "grant": cid(changed),
        "version": 2,
        "epoch": 1,
    }
    turned = [items[0], item(turn, 1)]
    names = _receipt(GRANT, changed)
    yield case(
        "valid",
        "ROT-12 ROT-13 LED-20",
        "a change of keys, signed by the new key from its entry on",
        bundle(turned, {"receipt": names}, key=SERVING_1),
        "intact intact",
    )
    yield case(
        bad,
        "ROT-12 ROT-13 LED-20",
        "a change of keys, signed by the old key after it",
        bundle(turned, {"receipt": names}),
        "intact intact",
        faults=["key"],
    )
    yield case(
        bad,
        "ROT-12 ROT-13",
        "a change of keys, signed by the new key before it",
        bundle(turned[:1], {"receipt": names}, key=SERVING_1),
        "intact",
        faults=["key"],
    )
    before = checkpoint(1, root_of([_bytes(items[0]["leaf"])]))
    yield case(
        "valid",
        "ROT-13 LED-20",
        "an earlier checkpoint by the key of its size",
        bundle(turned, {"receipt": names}, key=SERVING_1),
        "intact intact",
        earlier=[before],
    )
    early = checkpoint(1, root_of([_bytes(items[0]["leaf"])]), key=SERVING_1)
    yield case(
        "ledger-rolled-back",
        "ROT-13 LED-20",
        "an earlier checkpoint by a later key",
        bundle(turned, {"receipt": names}, key=SERVING_1),
        "intact intact",
        faults=["rolled-back"],
        earlier=[early],
    )
    for name, changes in (
        ("another type", {"type": "Ledger"}),
        ("a member more", {"note": "x"}),
        ("no checkpoint", {"checkpoint": GONE}),
        ("entries that are none", {"entries": {}}),
        ("a checkpoint that is none", {"checkpoint": "x"}),
        ("a holder that is no DID", {"holder": "partner"}),
    ):
        yield case("malformed", "LED-18 ENC-13", name, but(whole, changes))


OPERATIONS = (
    Operation(
        name="verify-bundle",
        description="Judge a `bundle`, with `earlier` checkpoints that were kept. Output, also "
        "where it is refused: the `status` of the ledger (intact, erased, damaged), one verdict "
        "for each of its `entries` "
        "in order (`intact`, `erased`, `hidden`, or `damaged:` and the damage), and the `faults` of the whole.",
        cases=tuple(_bundles()),
    ),
)
