"""Vectors of specs/moving.md, and of the statement that a ledger was restored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, Key, b64u, but, cid, put, sha256, sign
from scene import (
    CONTEXT,
    DECISION,
    DECISION_1,
    GRANT,
    LOG,
    ORIGIN,
    PAUSED,
    PERSON_2,
    SERVING,
    VENDOR,
    grant,
    rotated,
)

_AT = "2026-11-25T12:00:00Z"
ELSEWHERE = "https://elsewhere.example"


def moved(changes: Document | None = None, *, key: Key = DECISION, **how: Any) -> Document:
    """Return the statement that the grant is reached elsewhere too."""
    document = but(
        {
            "@context": CONTEXT,
            "type": "Moved",
            "grant": GRANT["id"],
            "origins": [ELSEWHERE],
            "nonce": "kL2mN4pQ6rS8tU0vW2xY4z",
            "created": _AT,
        },
        changes or {},
    )
    return sign(document, key, **({"created": _AT} | how))


def _moved() -> Iterator[Case]:
    def case(
        code: str, requirements: str, name: str, *statements: Json, of: Document = GRANT, origins: Json = None
    ) -> Case:
        given = {"grant": of, "statements": list(statements)}
        output = {"origins": origins} if origins else None
        return (
            valid(requirements, name, output, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    good = moved()
    yield case("valid", "MOV-1 MOV-3 MOV-5 VOC-1", "a statement", good, origins=[ORIGIN, ELSEWHERE])
    yield case("valid", "MOV-5", "none", origins=[ORIGIN])
    yield case(
        "valid",
        "MOV-2 MOV-5",
        "an origin that the grant lists already",
        moved({"origins": [ORIGIN, ELSEWHERE]}),
        origins=[ORIGIN, ELSEWHERE],
    )
    three = [f"https://h{n}.example" for n in range(3)]
    yield case("valid", "MOV-1 MOV-5", "three origins", moved({"origins": three}), origins=[ORIGIN, *three])
    yield case(
        "valid",
        "MOV-5",
        "the same origin in two statements",
        good,
        moved({"nonce": "a" * 22}),
        origins=[ORIGIN, ELSEWHERE],
    )
    yield case(
        "too-large",
        "MOV-5 LIM-1",
        "five origins together",
        moved({"origins": three}),
        moved({"origins": [ELSEWHERE]}),
    )
    wrong = "signature-invalid"
    yield case(wrong, "MOV-3", "by the serving key", moved(key=SERVING))
    yield case(wrong, "MOV-3", "by the vendor", moved(key=VENDOR))
    yield case(wrong, "MOV-3", "by another person", moved(key=PERSON_2))
    yield case(
        wrong,
        "MOV-3",
        "about another grant",
        moved({"grant": "urn:uuid:00000000-0000-4000-8000-000000000000"}),
    )
    yield case(
        wrong,
        "MOV-3 PRF-11",
        "another origin than was signed",
        put(good, "origins", ["https://thief.example"]),
    )
    changed = rotated(GRANT)
    yield case(wrong, "MOV-3", "by a key that was given up", good, of=changed)
    yield case("valid", "MOV-3", "by the key of the newest version", moved(key=DECISION_1), of=changed)
    yield case(
        wrong, "MOV-3", "the second of two is another's", good, moved({"origins": three[:1]}, key=SERVING)
    )
    other = moved({"type": "Vacated"})
    yield case(
        "valid", "VER-5", "one of a type that is not known, which is passed over", other, origins=[ORIGIN]
    )
    yield case("valid", "VER-5", "another beside it", other, good, origins=[ORIGIN, ELSEWHERE])
    bad = "malformed"
    yield case(bad, "MOV-1 PRF-5", "without a proof", but(good, {"proof": GONE}))
    yield case(bad, "MOV-1 PRF-5", "with two proofs", put(good, "proof", [good["proof"], good["proof"]]))
    for name, changes in (
        ("without origins", {"origins": []}), ("an origin twice", {"origins": [ELSEWHERE, ELSEWHERE]}),
        ("a member more", {"until": _AT}),
        ("no nonce", {"nonce": GONE}), ("no time", {"created": GONE}),
        ("a grant without urn:uuid", {"grant": GRANT["id"][9:]}),
        ("an origin with a slash", {"origins": [ELSEWHERE + "/"]}),
        ("an origin of http", {"origins": ["http://elsewhere.example"]}),
        ("another context", {"@context": [CONTEXT]}),
    ):  # fmt: skip
        yield case(bad, "MOV-1 GRA-2" if "an origin" in name else "MOV-1 ENC-13", name, moved(changes))
    yield case("too-large", "MOV-1 ENC-16 LIM-1", "four origins", moved({"origins": [*three, ELSEWHERE]}))
    for origin in (
        "http://127.0.0.1:8420",
        "https://127.0.0.1",
        "https://127.9.9.9:1",
        "https://[::1]",
        "https://localhost",
        "https://localhost:8443",
    ):
        yield case(bad, "MOV-4", f"from the network to {origin}", moved({"origins": [origin]}))
    yield case(
        bad, "MOV-4", "to loopback beside another", moved({"origins": [ELSEWHERE, "http://[::1]:8420"]})
    )
    home = grant({"origins": ["http://127.0.0.1:8420"]})
    yield case(
        "valid", "MOV-4", "from loopback to loopback", moved({"origins": ["http://127.0.0.1:8421"]}), of=home
    )
    yield case("valid", "MOV-4", "from loopback to the network", moved(), of=home)
    mixed = grant({"origins": [ORIGIN, "http://127.0.0.1:8420"]})
    yield case(
        "valid", "MOV-4", "from both to loopback", moved({"origins": ["http://127.0.0.1:8421"]}), of=mixed
    )


def restored(changes: Document | None = None, *, key: Key = DECISION, **how: Any) -> Document:
    """Return the statement that the grant's ledger goes on from a backup."""
    document = but(
        {
            "@context": CONTEXT, "type": "Restored", "grant": GRANT["id"], "log": LOG, "count": 3,
            "root": b64u(sha256(b"root")), "previous": cid(GRANT),
            "nonce": "mN4pQ6rS8tU0vW2xY4zA6b", "created": _AT,
        },
        changes or {},
    )  # fmt: skip
    return sign(document, key, **({"created": _AT} | how))


def _restored() -> Iterator[Case]:
    both = [GRANT, PAUSED]

    def case(
        code: str,
        requirements: str,
        name: str,
        statement: Json,
        versions: list[Document] = both,
        version: int = 0,
    ) -> Case:
        given = {"versions": versions, "statement": statement}
        if code != "valid":
            return refused(code, requirements, name, **given)
        return valid(requirements, name, {"version": version}, **given)

    yield case("valid", "RST-4 RST-6", "a statement about an earlier version", restored(), version=1)
    yield case("valid", "RST-6", "about the newest", restored({"previous": cid(PAUSED)}), version=2)
    wrong = "signature-invalid"
    yield case(
        wrong, "RST-6", "about a version that is not known", restored({"previous": cid(PAUSED)}), [GRANT]
    )
    yield case(wrong, "RST-6", "by the serving key", restored(key=SERVING))
    yield case(wrong, "RST-6", "by another person", restored(key=PERSON_2))
    yield case(
        wrong,
        "RST-6",
        "about another grant",
        restored({"grant": "urn:uuid:00000000-0000-4000-8000-000000000000"}),
    )
    yield case(
        wrong, "RST-6", "about another ledger", restored({"log": "freehold/ledger/AAAAAAAAAAAAAAAAAAAAAA"})
    )
    yield case(wrong, "RST-6 PRF-11", "another number than was signed", put(restored(), "count", 2))
    changed = rotated(GRANT)
    yield case(
        "valid",
        "RST-6 RST-4",
        "by the key of the version that stood then",
        restored(),
        [GRANT, changed],
        version=1,
    )
    yield case(wrong, "RST-6", "by the key of a later version", restored(key=DECISION_1), [GRANT, changed])
    yield case(
        wrong,
        "RST-6",
        "by the key of an earlier version",
        restored({"previous": cid(changed)}),
        [GRANT, changed],
    )
    for name, changes in (
        ("another type", {"type": "Moved"}), ("a member more", {"why": "x"}),
        ("less than none", {"count": -1}), ("no root", {"root": GONE}),
        ("a root of 31 bytes", {"root": b64u(bytes(31))}), ("a previous that is no CID", {"previous": "x"}),
    ):  # fmt: skip
        yield case("malformed", "RST-4 ENC-13", name, restored(changes))


OPERATIONS = (
    Operation(
        name="verify-moved",
        description="Verify `statements` that a `grant` (its newest version, taken as verified) is "
        "reached elsewhere. Output: the effective `origins`, the grant's own first.",
        cases=tuple(_moved()),
    ),
    Operation(
        name="verify-restored",
        description="Verify the `statement` that the ledger of a grant goes on from a backup, "
        "among its verified `versions`. Output: the number of the `version` that stood in the backup.",
        cases=tuple(_restored()),
    ),
)
