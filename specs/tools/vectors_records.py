"""Vectors of specs/records.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, Key, but, cid, put, sign
from scene import (
    CONTEXT,
    NOON,
    RECORD_ID,
    RECORD_KEY,
    SERVING,
)

RECORD: Final[Document] = {
    "@context": CONTEXT,
    "id": RECORD_ID,
    "type": "Person",
    "name": "Ada Example",
    "email": "ada@example.com",
    "address": {"type": "PostalAddress", "streetAddress": "1 Analytical Row", "postalCode": "EX1 2AB"},
    "created": NOON,
    "source": {"type": "SourceFile", "format": "vCard", "file": "contacts.vcf"},
}


def record(changes: Document | None = None, *, key: Key = RECORD_KEY, **how: Any) -> Document:
    """Return the person's record, or one that says something else."""
    document = but(RECORD, changes or {})
    return sign(document, key, **({"created": NOON} | how))


def _records() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, document: Json, output: Json = None) -> Case:
        given = {"document": document, "key": RECORD_KEY.did}
        return (
            valid(requirements, name, output, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    first = record()
    second = record(
        {"name": "Ada Lovelace", "created": "2026-11-24T12:00:00Z", "previous": cid(first)},
        created="2026-11-24T12:00:00Z",
    )
    yield case("valid", "REC-1 REC-10 PRF-4", "a record", first, {"cid": cid(first)})
    yield case("valid", "REC-7", "its next version", second, {"cid": cid(second)})
    yield case("valid", "REC-1", "content that is open", record({"anythingElse": {"really": [1, True, "x"]}}))
    yield case("signature-invalid", "REC-10", "signed by the serving key", record(key=SERVING))
    yield case(
        "signature-invalid", "REC-10", "changed after it was signed", put(first, "name", "Eve Example")
    )
    yield case("malformed", "REC-10 PRF-5", "without a proof", but(first, {"proof": GONE}))
    for name in ("@context", "id", "created", "source", "type"):
        yield case(
            "malformed",
            "REC-1 REC-3 ENC-13" if name == "type" else "REC-1 ENC-13",
            f"without {name}",
            record({name: GONE}),
        )
    for name, requirements, changes in (
        ("another context", "REC-1", {"@context": [CONTEXT]}),
        ("an id that is no urn:uuid", "REC-1", {"id": "urn:freehold:zABC"}),
        ("a time with an offset", "REC-1 ENC-8", {"created": "2026-11-23T13:00:00+01:00"}),
        ("a source that is a text", "REC-1", {"source": "contacts.vcf"}),
        ("a previous that is no CID", "REC-1 ENC-4", {"previous": "x"}),
        ("two types", "REC-3", {"type": ["Person", "Organization"]}),
        ("a type that is a compact IRI", "REC-3", {"type": "schema:Person"}),
        ("a type of 65 letters", "REC-3", {"type": "P" * 65}),
        ("a key that is a compact IRI", "REC-3", {"schema:name": "x"}),
        ("a keyword as key", "REC-3", {"@type": "Person"}),
        ("an IRI as key", "REC-3", {"https://schema.org/name": "x"}),
        ("a key of 65 letters", "REC-3", {"n" * 65: "x"}),
        ("a key that begins with a digit", "REC-3", {"1a": "x"}),
        ("a context below", "REC-3", {"address": {"@context": CONTEXT}}),
        ("a proof below", "REC-3", {"address": {"proof": {}}}),
        ("a compact IRI below", "REC-3", {"address": {"schema:name": "x"}}),
        ("a keyword in an array below", "REC-3", {"knows": [[{"@id": RECORD_ID}]]}),
        ("two types below", "REC-4", {"address": {"type": ["A", "B"]}}),
        ("an id of a blank node below", "REC-4", {"address": {"id": "_:a"}}),
        ("an id below that is no text", "REC-4", {"address": {"id": 7}}),
        ("a null type below", "REC-4", {"address": {"type": None}}),
    ):  # fmt: skip
        yield case("malformed", requirements, name, record(changes))
    room = 262_144 - len(_canonical(record({"description": ""})))
    yield case("too-large", "REC-2 LIM-1", "too many bytes", record({"description": "a" * (room + 1_000)}))
    yield case("too-large", "REC-2 LIM-1", "too many items", record({"keywords": ["a"] * 20_001}))
    deep: Json = "x"
    for _ in range(65):
        deep = [deep]
    yield case("too-deep", "REC-2 LIM-1", "too deep", record({"keywords": deep}))
    deep = "x"
    for _ in range(60):
        deep = [deep]
    yield case("valid", "REC-2", "as deep as nobody needs", record({"keywords": deep}))


def _canonical(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _same() -> Iterator[Case]:
    def case(name: str, one: Document, other: Document, same: bool) -> Case:
        return valid("REC-8", name, {"same": same}, one=one, other=other)

    ada = {"type": "Person", "name": "Ada", "height": 1}
    yield case("the same", ada, ada, True)
    yield case("members in another order", ada, dict(reversed(ada.items())), True)
    yield case("a number written another way", ada, {**ada, "height": 1.0}, True)
    yield case("another value", ada, {**ada, "name": "Eve"}, False)
    yield case("a text for a number", ada, {**ada, "height": "1"}, False)
    yield case("true for 1", ada, {**ada, "height": True}, False)
    yield case("arrays in another order", {**ada, "email": ["a", "b"]}, {**ada, "email": ["b", "a"]}, False)
    yield case("one value alone or in an array", {**ada, "email": "a"}, {**ada, "email": ["a"]}, False)
    keeping = {"@context": CONTEXT, "id": RECORD_ID, "created": NOON, "source": {"type": "Person"}}
    yield case(
        "of another keeping", {**ada, **keeping}, {**ada, **keeping, "created": "2026-11-24T12:00:00Z"}, True
    )


OPERATIONS = (
    Operation(
        name="verify-record",
        description="Verify a record, `document`, by the person's record `key` (DID). Output: its `cid`.",
        cases=tuple(_records()),
    ),
    Operation(
        name="same-content",
        description="Say whether `one` and `other` say the same, their keeping aside. Output: `same`.",
        cases=tuple(_same()),
    ),
)
