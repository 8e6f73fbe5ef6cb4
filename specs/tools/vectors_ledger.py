"""Vectors of specs/ledger.md: entries, leaves, trees, proofs, checkpoints, bundles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, Key, b64, b64u, but, cid, jcs, sha256
from craft_ledger import (
    checkpoint,
    consistency,
    inclusion,
    leaf_of,
    note_text,
    root_of,
    signature_line,
    texts,
)
from scene import GRANT, LOG, PARTNER, PAUSED, SERVING, SERVING_1, STRANGER, VENDOR

_D: Final = b64u(sha256(b"x"))
APPROVED: Final[Document] = {
    "number": 0,
    "time": "2026-11-23T12:10:00Z",
    "kind": "changed",
    "change": "approve",
    "grant": cid(GRANT),
    "version": 1,
    "epoch": 0,
}
ADMITTED: Final[Document] = {
    "number": 1, "time": "2026-11-23T12:12:00Z", "kind": "admitted", "who": VENDOR.did, "chain": [_D],
    "action": "read", "permission": "delivery", "route": "/g/{grant}/{permission}/records", "method": "GET",
    "fields": ["name", "address.postalCode"], "count": 1, "version": 1, "signature": _D, "released": _D,
    "status": 200,
}  # fmt: skip
STOPPED: Final[Document] = {
    "number": 2,
    "time": "2026-11-24T12:00:00Z",
    "kind": "changed",
    "change": "pause",
    "grant": cid(PAUSED),
    "version": 2,
    "epoch": 1,
}
REFUSED: Final[Document] = {
    "number": 3,
    "time": "2026-11-24T13:30:00Z",
    "kind": "refused",
    "who": VENDOR.did,
    "chain": [_D],
    "code": "grant-paused",
    "hour": "2026-11-24T13:00:00Z",
    "count": 4,
    "permission": "delivery",
}
RECEIVED: Final[Document] = {
    "number": 4,
    "time": "2026-11-24T13:31:00Z",
    "kind": "received",
    "who": VENDOR.did,
    "acknowledges": 1,
    "signature": _D,
}


def _entries() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, entry: Json, changes: Document | None = None) -> Case:
        given = {"entry": but(entry, changes) if changes is not None else entry}
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    erased = {"number": 5, "time": "2026-11-24T13:32:00Z", "kind": "erased", "erases": 1, "leaf": _D}
    for entry in (APPROVED, ADMITTED, STOPPED, REFUSED, RECEIVED, erased):
        named = "LED-4 LED-10" if entry is RECEIVED else "LED-4"
        yield case("valid", named, f"{entry['kind']}, number {entry['number']}", entry)
        for name in entry:
            if name != "permission" or entry["kind"] != "refused":
                yield case(
                    "malformed",
                    "LED-4 ENC-13",
                    f"{entry['kind']}, number {entry['number']}, without {name}",
                    entry,
                    {name: GONE},
                )
        yield case(
            "malformed",
            "LED-4 ENC-13",
            f"{entry['kind']}, number {entry['number']}, with a member more",
            entry,
            {"note": "x"},
        )
    for change in (
        "narrow",
        "widen",
        "pause",
        "resume",
        "rotate",
        "end",
        "expire",
        "record-deleted",
        "vendor-keys",
    ):
        yield case("valid", "LED-4", f"the change {change}", STOPPED, {"change": change})
    statement = {"statement": cid(GRANT)}
    for change in ("move", "restore"):
        yield case("valid", "LED-4", f"the change {change}", STOPPED, {"change": change} | statement)
        yield case(
            "malformed", "LED-4", f"the change {change} without its statement", STOPPED, {"change": change}
        )
    for name, value in (
        ("digest", _D),
        ("id", "urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"),
        ("controller", PARTNER.did),
    ):
        yield case(
            "valid", "LED-4", f"a revocation by {name}", STOPPED, {"change": "revoke", "revoked": value}
        )
    yield case("malformed", "LED-4", "a revocation of nothing", STOPPED, {"change": "revoke"})
    yield case(
        "malformed", "LED-4", "a revocation by a name", STOPPED, {"change": "revoke", "revoked": "everything"}
    )
    yield case("malformed", "LED-4", "a pause with what is of a revocation", STOPPED, {"revoked": _D})
    yield case("malformed", "LED-4", "a pause with what is of a move", STOPPED, statement)
    for name, entry, changes in (
        ("another kind", ADMITTED, {"kind": "read"}), ("another change", STOPPED, {"change": "forget"}),
        ("a number below nought", ADMITTED, {"number": -1}),
        ("a number as text", ADMITTED, {"number": "1"}),
        ("a time with a fraction", ADMITTED, {"time": "2026-11-23T12:12:00.1Z"}),
        ("another action", ADMITTED, {"action": "delete"}),
        ("another status", ADMITTED, {"status": 206}),
        ("a status that is true", ADMITTED, {"status": True}), ("no chain", ADMITTED, {"chain": []}),
        ("a digest of 31 bytes", ADMITTED, {"chain": [b64u(bytes(31))]}),
        ("a digest with padding", ADMITTED, {"released": _D + "="}),
        ("a digest in hexadecimal", ADMITTED, {"signature": "00" * 32}),
        ("a field twice", ADMITTED, {"fields": ["name", "name"]}),
        ("a permission in capitals", ADMITTED, {"permission": "Delivery"}),
        ("a count below nought", ADMITTED, {"count": -1}), ("version 0", ADMITTED, {"version": 0}),
        ("a query that is not a digest", ADMITTED, {"query": "limit=50"}),
        ("what repeats itself", ADMITTED, {"repeatOf": 1}),
        ("what repeats what is to come", ADMITTED, {"repeatOf": 2}),
        ("a code that is no code", REFUSED, {"code": "Not found"}),
        ("an hour that is none", REFUSED, {"hour": "2026-11-24T13:30:00Z"}),
        ("an hour that is to come", REFUSED, {"hour": "2026-11-24T14:00:00Z"}),
        ("a count of none", REFUSED, {"count": 0}),
        ("what acknowledges what is to come", RECEIVED, {"acknowledges": 4}),
        ("what erases itself", erased, {"erases": 5}), ("a grant that is no CID", STOPPED, {"grant": "x"}),
        ("an epoch below nought", STOPPED, {"epoch": -1}),
        ("a DID that is none", ADMITTED, {"who": "vendor"}),
    ):  # fmt: skip
        yield case("malformed", "LED-4", name, entry, changes)
    yield case(
        "valid",
        "LED-4 LED-5",
        "a repetition, and a query's digest",
        ADMITTED,
        {"repeatOf": 0, "query": _D, "status": 304, "count": 0},
    )
    yield case("valid", "LED-4 ERR-3", "a code of a later version", REFUSED, {"code": "grant-on-holiday"})
    yield case("malformed", "LED-4", "no object", [])


def _leaves() -> Iterator[Case]:
    for number, entry in enumerate((APPROVED, ADMITTED, STOPPED, REFUSED, RECEIVED)):
        salt = bytes([number]) * 32
        yield valid(
            "LED-1 LED-2",
            f"entry {number}",
            {"leaf": b64u(leaf_of(entry, salt))},
            entry=entry,
            salt=b64u(salt),
        )
    turned = dict(reversed(ADMITTED.items()))
    yield valid(
        "LED-2 PRF-1",
        "members in another order",
        {"leaf": b64u(leaf_of(ADMITTED, bytes(32)))},
        entry=turned,
        salt=b64u(bytes(32)),
    )
    yield refused("malformed", "LED-2", "a salt of 31 bytes", entry=ADMITTED, salt=b64u(bytes(31)))


def _digests() -> Iterator[Case]:
    salt = bytes(range(32))
    document = {"type": "Person", "name": "Ada Example"}
    yield valid(
        "LED-6 REL-12",
        "what was released",
        {"released": b64u(sha256(salt + jcs(document)))},
        salt=b64u(salt),
        released={"name": "Ada Example", "type": "Person"},
    )
    yield valid(
        "LED-6",
        "with its outermost proof left out",
        {"released": b64u(sha256(salt + jcs(document)))},
        salt=b64u(salt),
        released={**document, "proof": {"type": "DataIntegrityProof"}},
    )
    yield valid(
        "LED-7",
        "a query as it was sent",
        {"query": b64u(sha256(salt + b"fields=name&limit=5%30"))},
        salt=b64u(salt),
        query="fields=name&limit=5%30",
    )
    signature = bytes(range(64))
    yield valid("LED-7", "a signature", {"signature": b64u(sha256(signature))}, signature=b64u(signature))


_LEAVES: Final = [sha256(b"\0" + bytes([n])) for n in range(21)]


def _roots() -> Iterator[Case]:
    for size in (0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 21):
        yield valid(
            "LED-1", f"{size} leaves", {"root": b64u(root_of(_LEAVES[:size]))}, leaves=texts(_LEAVES[:size])
        )
    yield refused("malformed", "LED-1 LED-16", "a leaf of 31 bytes", leaves=[b64u(bytes(31))])


def _inclusions() -> Iterator[Case]:
    def case(
        code: str,
        name: str,
        index: int,
        size: int,
        proof: Sequence[str],
        *,
        leaf: bytes | None = None,
        root: bytes | None = None,
        requirements: str = "LED-16",
    ) -> Case:
        given = {
            "leaf": b64u(leaf or _LEAVES[index]),
            "index": index,
            "size": size,
            "proof": list(proof),
            "root": b64u(root or root_of(_LEAVES[:size])),
        }
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    for size in (1, 2, 3, 5, 7, 8, 13, 21):
        for index in sorted({0, size // 2, size - 1}):
            yield case(
                "valid",
                f"leaf {index} of {size}",
                index,
                size,
                texts(inclusion(index, _LEAVES[:size])),
                requirements="LED-1 LED-16",
            )
    proof = texts(inclusion(3, _LEAVES[:7]))
    bad = "ledger-damaged"
    yield case(bad, "another leaf", 3, 7, proof, leaf=_LEAVES[4])
    yield case(bad, "another root", 3, 7, proof, root=root_of(_LEAVES[:6]))
    yield case(bad, "another index", 4, 7, proof, leaf=_LEAVES[3])
    yield case(bad, "another size", 3, 9, proof, root=root_of(_LEAVES[:7]))
    yield case(bad, "a hash too few", 3, 7, proof[:-1])
    yield case(bad, "a hash too many", 3, 7, [*proof, _D])
    yield case(bad, "hashes in another order", 3, 7, proof[::-1])
    yield case(
        bad,
        "a root as its own leaf, of two",
        0,
        2,
        [],
        leaf=root_of(_LEAVES[:2]),
        requirements="LED-1 LED-16",
    )
    yield case(bad, "an index that is not below the size", 7, 7, proof, leaf=_LEAVES[3])
    yield case("malformed", "a hash of 31 bytes", 3, 7, [b64u(bytes(31)), *proof[1:]])
    yield case("too-large", "65 hashes", 3, 7, [_D] * 65)
    yield case(bad, "a size of 2^63", 3, 2**63, proof, root=root_of(_LEAVES[:7]))


def _consistencies() -> Iterator[Case]:
    def case(
        code: str,
        name: str,
        old: int,
        size: int,
        proof: Sequence[str],
        *,
        old_root: bytes | None = None,
        root: bytes | None = None,
        requirements: str = "LED-16 LED-17",
    ) -> Case:
        given = {
            "oldSize": old,
            "oldRoot": b64u(old_root or root_of(_LEAVES[:old])),
            "size": size,
            "root": b64u(root or root_of(_LEAVES[:size])),
            "proof": list(proof),
        }
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    for size in (1, 2, 3, 5, 7, 8, 13, 21):
        for old in sorted({1, size // 2 or 1, size - 1 or 1, size}):
            yield case("valid", f"{old} of {size}", old, size, texts(consistency(old, _LEAVES[:size])))
    proof = texts(consistency(3, _LEAVES[:7]))
    yield _case_of_rollback("another tree than before", 3, 7, proof, sha256(b"other"))
    yield case(
        "ledger-rolled-back", "another root of the same size", 7, 7, [], old_root=root_of(_LEAVES[1:8])
    )
    yield case("ledger-rolled-back", "a smaller tree than before", 7, 3, [], requirements="LED-17")
    yield case("ledger-rolled-back", "a proof between equal sizes", 7, 7, proof[:1], requirements="LED-16")


def _case_of_rollback(name: str, old: int, size: int, proof: Sequence[str], old_root: bytes) -> Case:
    return refused(
        "ledger-rolled-back",
        "LED-16 LED-17",
        name,
        oldSize=old,
        oldRoot=b64u(old_root),
        size=size,
        root=b64u(root_of(_LEAVES[:size])),
        proof=list(proof),
    )


def _notes() -> Iterator[Case]:
    root = root_of(_LEAVES[:4])
    text = note_text(4, root)
    line = signature_line(text, SERVING)

    def case(code: str, requirements: str, name: str, note: str, **given: Json) -> Case:
        given = {"note": note, "log": LOG, "key": SERVING.did} | given
        output = {"size": int(note.split("\n")[1]), "root": b64u(root)} if code == "valid" else None
        return (
            valid(requirements, name, output, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    def note(body: str, key: Key = SERVING, name: str = LOG) -> str:
        return f"{body}\n{signature_line(body, key, name=name)}"

    yield case("valid", "LED-13 LED-15", "a checkpoint", note(text))
    yield case("signature-invalid", "LED-15", "by another key", note(text, STRANGER))
    yield case(
        "signature-invalid",
        "LED-15 ROT-14",
        "by a serving key that was given up",
        note(text),
        key=SERVING_1.did,
    )
    forged = signature_line(
        text,
        STRANGER,
        made=STRANGER.sign(text.encode()),
        key_id=sha256(LOG.encode() + b"\n\x01" + SERVING.raw)[:4],
    )
    yield case(
        "signature-invalid", "LED-15", "another key's signature under the key's id", f"{text}\n{forged}"
    )
    yield case(
        "signature-invalid",
        "LED-15",
        "a good one, and a bad one under the same id",
        f"{text}\n{line}{forged}",
    )
    yield case("signature-invalid", "LED-13 LED-15", "under another name", note(text, name="freehold/other"))
    unkind = sha256(LOG.encode() + b"\n" + SERVING.raw)[:4]
    yield case(
        "signature-invalid",
        "LED-13",
        "a key id without the kind of key",
        f"{text}\n{signature_line(text, SERVING, key_id=unkind)}",
    )
    yield case(
        "signature-invalid", "LED-15", "another size than was signed", note(text).replace("\n4\n", "\n5\n")
    )
    yield case(
        "signature-invalid",
        "LED-15",
        "another root than was signed",
        note(text).replace(b64(root), b64(sha256(b"x"))),
    )
    yield case(
        "ledger-damaged",
        "LED-15",
        "another ledger's",
        checkpoint(4, root, log="freehold/ledger/AAAAAAAAAAAAAAAAAAAAAA"),
    )
    witnesses = "".join(signature_line(text, STRANGER, name=f"witness.example/{n}") for n in range(32))
    lines = witnesses.splitlines(keepends=True)
    yield case("valid", "LED-15", "16 witnesses", f"{text}\n{line}{''.join(lines[:16])}")
    yield case("valid", "LED-15", "witnesses before", f"{text}\n{''.join(lines[:3])}{line}")
    yield case("valid", "LED-15", "32 signatures", f"{text}\n{line}{''.join(lines[:31])}")
    yield case("too-large", "LED-15 LIM-1", "33 signatures", f"{text}\n{line}{witnesses}")
    wide = signature_line(text, STRANGER, name="witness.example/pq", made=bytes(5_000))
    yield case("valid", "LED-15", "a witness with a signature of 5,000 bytes", f"{text}\n{line}{wide}")
    huge = signature_line(text, STRANGER, name="witness.example/pq", made=bytes(100_000))
    yield case("too-large", "LED-15 LIM-1", "more than 128 KiB", f"{text}\n{line}{huge}")
    for name, body in (
        ("a line more", text + "more\n"), ("a size with a leading zero", note_text("04", root)),
        ("a size below nought", note_text(-4, root)), ("a size of 2^63", note_text(2**63, root)),
        ("a size in words", note_text("four", root)), ("a root of 31 bytes", note_text(4, root[:31])),
        ("a root in base64url", text.replace(b64(root), b64u(root))),
        ("an origin of another form", note_text(4, root, log="example.com/log")),
        ("a short origin", note_text(4, root, log="freehold/ledger/abc")),
        ("a tabulator", text.replace("\n4\n", "\n4\t\n")),
        ("a carriage return", text.replace("\n", "\r\n")),
        ("no entries and another root", note_text(0, root)),
    ):  # fmt: skip
        yield case("malformed", "LED-13 LED-15", name, note(body))
    for name, bad in (
        ("no signature", text), ("no empty line", text + line),
        ("a signature with a hyphen for the dash", f"{text}\n{line.replace(chr(0x2014), '-')}"),
        ("no line feed at the end", f"{text}\n{line}".rstrip("\n")),
        ("a signature that is not base64", f"{text}\n\u2014 {LOG} ****\n"),
        ("a signature without bytes", f"{text}\n\u2014 {LOG} AAAAAA==\n"),
    ):  # fmt: skip
        yield case("malformed", "LED-13 LED-15", name, bad)


OPERATIONS = (
    Operation(name="read-entry", description="Read the `entry` of a ledger.", cases=tuple(_entries())),
    Operation(
        name="entry-leaf",
        description="Give the `leaf` hash of an `entry` with its `salt`; both base64url.",
        cases=tuple(_leaves()),
    ),
    Operation(
        name="entry-digests",
        description="Give what an entry keeps: of what was `released`, under its `salt`; of a raw "
        "`query`, likewise; of a `signature`. Bytes are base64url.",
        cases=tuple(_digests()),
    ),
    Operation(
        name="tree-root",
        description="Give the `root` of a tree with these `leaves` (hashes).",
        cases=tuple(_roots()),
    ),
    Operation(
        name="verify-inclusion",
        description="Verify that the `leaf` at `index` is in the tree of `size` with this `root`, by a `proof`."
        "Verify that the `leaf` at `index` is in the tree of `size` with this `root`, by a `proof`.",
        cases=tuple(_inclusions()),
    ),
    Operation(
        name="verify-consistency",
        description="Verify that a tree of `size` and `root` begins with one of `oldSize` and "
        "`oldRoot`, by a `proof`.",
        cases=tuple(_consistencies()),
    ),
    Operation(
        name="open-checkpoint",
        description="Read the `note` of a ledger, `log`, that `key` has to have signed. Output: "
        "its `size` and `root`.",
        cases=tuple(_notes()),
    ),
)
