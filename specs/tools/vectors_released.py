"""Vectors of specs/released.md, and of specs/errors.md: what a client takes an answer for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, RDFC, Document, Key, b64u, bare, but, jcs, mark, put, sha256, sign
from scene import ALIAS, CONTEXT, DECISION, RECORD_ID, SERVING, SERVING_1, STRANGER, VENDOR, relationship_key

CONTENT: Final[Document] = {
    "type": "Person",
    "name": "Ada Example",
    "email": ["ada@example.com", "countess@example.com"],
    "height": 1.65,
    "address": {"type": "PostalAddress", "streetAddress": "1 Analytical Row", "postalCode": "EX1 2AB"},
    "knows": [
        {
            "type": "Person",
            "id": "urn:uuid:00000000-0000-4000-8000-000000000001",
            "name": "Charles",
            "telephone": None,
        },
        [{"name": "Mary", "email": "mary@example.com"}],
        {"type": "Person"},
    ],
    "memberOf": "urn:uuid:00000000-0000-4000-8000-000000000002",
    "sameAs": ["urn:freehold:zABC", "https://example.com/ada", "urn:isbn:0"],
    "required": True,
    "description": None,
    "keywords": [],
}


def _alias(text: str) -> str:
    return mark(ALIAS, text)


def _projected() -> Iterator[Case]:
    def case(
        requirements: str, name: str, fields: list[str], shown: Document, content: Document = CONTENT
    ) -> Case:
        return valid(
            requirements, name, {"shown": shown}, content=content, fields=fields, aliasKey=ALIAS.hex()
        )

    person = {"type": "Person"}
    yield case("REL-1 REL-4", "one leaf", ["name"], {**person, "name": "Ada Example"})
    yield case("REL-1", "nothing that is there", ["telephone"], person)
    yield case(
        "REL-2 REL-4",
        "a leaf of a node, with the node's type",
        ["address.postalCode"],
        {**person, "address": {"type": "PostalAddress", "postalCode": "EX1 2AB"}},
    )
    yield case("REL-2", "a node shows nothing of itself", ["address"], person)
    yield case("REL-2", "an array of leaves", ["email"], {**person, "email": CONTENT["email"]})
    yield case(
        "REL-2",
        "through arrays of any depth",
        ["knows.name"],
        {**person, "knows": [{"type": "Person", "name": "Charles"}, [{"name": "Mary"}]]},
    )
    yield case("REL-2", "a null is left out, and what is then empty", ["knows.telephone"], person)
    yield case("REL-2", "a null at the top", ["description", "name"], {**person, "name": "Ada Example"})
    yield case("REL-2", "an empty array", ["keywords"], person)
    yield case(
        "REL-2",
        "numbers, true and false",
        ["height", "required"],
        {**person, "height": 1.65, "required": True},
    )
    yield case("REL-2", "a path that goes on below a leaf", ["name.givenName"], person)
    yield case(
        "REL-3",
        "a path to a node beside one below it",
        ["address", "address.postalCode"],
        {**person, "address": {"type": "PostalAddress", "postalCode": "EX1 2AB"}},
    )
    mixed = {
        "type": "Person",
        "address": ["1 Analytical Row", {"type": "PostalAddress", "postalCode": "EX1 2AB"}],
    }
    yield case(
        "REL-3",
        "a leaf and a node at one path, by the path below",
        ["address.postalCode"],
        {**person, "address": [{"type": "PostalAddress", "postalCode": "EX1 2AB"}]},
        mixed,
    )
    yield case(
        "REL-3",
        "a leaf and a node at one path, by the path itself",
        ["address"],
        {**person, "address": ["1 Analytical Row"]},
        mixed,
    )
    yield case(
        "REL-3",
        "a leaf and a node at one path, by both",
        ["address", "address.postalCode"],
        {**person, **mixed},
        mixed,
    )
    other = CONTENT["memberOf"]
    yield case(
        "REL-5 IDN-10",
        "an id of the person's becomes its alias",
        ["memberOf"],
        {**person, "memberOf": _alias(other)},
    )
    yield case(
        "REL-5",
        "at any depth, and others stay",
        ["sameAs"],
        {**person, "sameAs": [_alias("urn:freehold:zABC"), "https://example.com/ada", "urn:isbn:0"]},
    )
    yield case(
        "REL-5",
        "an id that is named",
        ["knows.id"],
        {**person, "knows": [{"type": "Person", "id": _alias(CONTENT["knows"][0]["id"])}]},
    )


def _matched() -> Iterator[Case]:
    def case(name: str, where: Document, matches: bool) -> Case:
        return valid("REL-6", name, {"matches": matches}, content=CONTENT, where=where)

    for name, where, matches in (
        ("no condition", {}, True), ("a text", {"name": "Ada Example"}, True),
        ("a text in other letters", {"name": "ada example"}, False),
        ("the beginning of a text", {"name": "Ada"}, False),
        ("one leaf of several", {"email": "countess@example.com"}, True),
        ("a leaf below", {"address.postalCode": "EX1 2AB"}, True),
        ("one of several nodes", {"knows.name": "Charles"}, True),
        ("two conditions", {"name": "Ada Example", "height": 1.65}, True),
        ("two, of which one does not hold", {"name": "Ada Example", "height": 1.7}, False),
        ("a number for true", {"required": 1}, False), ("true", {"required": True}, True),
        ("true for a number", {"height": True}, False), ("a number as text", {"height": "1.65"}, False),
        ("what is not there", {"telephone": "1"}, False),
        ("a node", {"address": "1 Analytical Row"}, False),
        ("the same number written another way", {"height": 1.650}, True),
    ):  # fmt: skip
        yield case(name, where, matches)


def released(
    shown: Document,
    changes: Document | None = None,
    *,
    key: Key = SERVING,
    alias: bytes = ALIAS,
    version: str | None = None,
    **how: Any,
) -> Document:
    """Return a released document of the record."""
    body: Document = {
        "@context": CONTEXT,
        "id": "urn:freehold:" + mark(alias, RECORD_ID),
        **shown,
        "issuer": key.did,
    }
    document = {**body, "version": version or b64u(sha256(jcs(body)))}
    return sign(but(document, changes or {}), key, **how)


SHOWN: Final[Document] = {
    "type": "Person",
    "name": "Ada Example",
    "address": {"type": "PostalAddress", "postalCode": "EX1 2AB"},
}


def page(
    items: list[Document], changes: Document | None = None, *, key: Key = SERVING, **how: Any
) -> Document:
    """Return a page of released documents."""
    document = {"@context": CONTEXT, "type": "ReleasedPage", "issuer": key.did, "items": items}
    return sign(but(document, changes or {}), key, **how)


def _made() -> Iterator[Case]:
    given: Document = {
        "id": RECORD_ID,
        "content": but(CONTENT, {"name": "Ada Example"}),
        "fields": ["name", "address.postalCode"],
        "servingSeed": SERVING.seed.hex(),
        "aliasKey": ALIAS.hex(),
    }
    yield valid("REL-7 REL-8 REL-4 REL-10 IDN-10", "a document", {"document": released(SHOWN)}, **given)
    other = {"type": "Person", "name": "Ada Example"}
    yield valid(
        "REL-7",
        "fewer fields have another version",
        {"document": released(other)},
        **(given | {"fields": ["name"]}),
    )
    alias = relationship_key("alias", 7)
    second = {"document": released(SHOWN, key=SERVING_1, alias=alias)}
    yield valid(
        "REL-9 IDN-9",
        "for another relationship, nothing is the same",
        second,
        **(given | {"servingSeed": SERVING_1.seed.hex(), "aliasKey": alias.hex()}),
    )
    edited = but(CONTENT, {"email": "new@example.com"})
    yield valid(
        "REL-8",
        "what is not shown changes nothing",
        {"document": released(SHOWN)},
        **(given | {"content": edited}),
    )


def _verified() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, document: Json, **given: Json) -> Case:
        given = {"document": document, "key": SERVING.did} | given
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    good = released(SHOWN)
    other = released({"type": "Person", "name": "Eve Example"})
    yield case("valid", "REL-7 REL-13", "a document", good)
    yield case("valid", "REL-13 PRF-10", "a document signed as RDF", released(SHOWN, suite=RDFC))
    yield case("valid", "REL-11 REL-13", "a page", page([good, other], {"next": "v2.opaque"}))
    yield case("valid", "REL-11", "an empty page", page([]))
    wrong, bad = "signature-invalid", "release-invalid"
    yield case(wrong, "REL-13", "another value", put(good, "name", "Eve Example"))
    yield case(wrong, "REL-13", "by another key", released(SHOWN, key=STRANGER))
    yield case(wrong, "REL-13 ROT-15", "by a serving key that was given up", good, key=SERVING_1.did)
    yield case(wrong, "REL-13", "by the decision key", released(SHOWN, key=DECISION))
    yield case(wrong, "REL-13", "by the vendor itself", released(SHOWN, key=VENDOR))
    yield case(
        bad, "REL-13 REL-7", "another issuer than who signed", released(SHOWN, {"issuer": STRANGER.did})
    )
    yield case(bad, "REL-13 REL-7", "no issuer", released(SHOWN, {"issuer": GONE}))
    yield case(
        bad, "REL-13 REL-7", "the version of another content", released(SHOWN, version=other["version"])
    )
    yield case(bad, "REL-13 REL-7", "no version", released(SHOWN, {"version": GONE}))
    yield case(
        bad,
        "REL-9 REL-13",
        "a version that leaves out the alias",
        released(SHOWN, version=b64u(sha256(jcs({"@context": CONTEXT, **SHOWN, "issuer": SERVING.did})))),
    )
    yield case("malformed", "REL-13 PRF-5", "without a proof", bare(good))
    yield case(wrong, "REL-13", "a page with an item taken away", put(page([good, other]), "items", [good]))
    yield case(
        wrong,
        "REL-13",
        "a page with an item that another signed",
        page([good, released(SHOWN, key=STRANGER)]),
    )
    yield case(
        wrong,
        "REL-13",
        "a page with an item that was changed and signed along",
        page([put(good, "name", "Eve Example")]),
    )
    yield case(
        bad,
        "REL-13",
        "a page with an item of another version",
        page([released(SHOWN, version=other["version"])]),
    )
    yield case("malformed", "REL-13", "a page within a page", page([page([good])]))
    yield case("malformed", "REL-13 PRF-5", "a page with an item without a proof", page([bare(good)]))
    yield case("malformed", "REL-11", "a page whose items are one", page([], {"items": good}))
    yield case(bad, "REL-13 REL-11", "a page of another issuer", page([good], {"issuer": STRANGER.did}))
    yield case(wrong, "REL-13", "a page by another key", page([good], key=STRANGER))


_STATUS: Final[dict[str, int]] = {
    "error": 500, "malformed": 400, "too-large": 413, "too-deep": 400, "duplicate-key": 400,
    "undefined-term": 400, "request-incomplete": 400, "unsupported": 422, "signature-invalid": 401,
    "signature-stale": 401, "replayed": 409,
    "capability-invalid": 403, "capability-expired": 403, "capability-widened": 403, "wrong-target": 403,
    "wrong-controller": 403, "wrong-action": 403, "wrong-purpose": 403, "revoked": 403,
    "grant-invalid": 403, "grant-paused": 403, "grant-ended": 403,
    "grant-expired": 403, "grant-not-yet": 403, "outside-hours": 403, "limit-reached": 403,
    "not-shared": 403, "widened": 403, "not-in-this-state": 409, "draft-changed": 409, "cursor-stale": 409,
    "ledger-damaged": 500, "ledger-rolled-back": 500,
    "receipt-invalid": 400, "release-invalid": 500, "not-found": 404, "not-authenticated": 401,
    "passphrase-wrong": 403, "conflict": 409, "precondition-failed": 412, "unavailable": 503,
    "clock-suspect": 503, "did-unavailable": 503, "storage-full": 507,
}  # fmt: skip
_PROBLEM: Final = "application/problem+json"


def problem(code: str, status: int, changes: Document | None = None) -> str:
    """Return a problem document as a node sends it."""
    document = {
        "type": f"https://w3id.org/freehold/v1/errors#{code}",
        "title": "Refused",
        "status": status,
        "code": code,
        "detail": "words for people",
    }
    return json.dumps(but(document, changes or {}))


def _problems() -> Iterator[Case]:
    def case(
        outcome: str,
        requirements: str,
        name: str,
        status: int,
        body: str | None,
        kind: str | None = _PROBLEM,
        **headers: str,
    ) -> Case:
        sent = {"Content-Type": kind} if kind else {}
        return refused(
            outcome,
            requirements,
            name,
            status=status,
            headers=sent | {name.replace("_", "-"): value for name, value in headers.items()},
            body=body,
        )

    for code, status in _STATUS.items():
        yield case(code, "ERR-4 HTTP-7 ERR-1", f"{code} with {status}", status, problem(code, status))
        yield case(code, "HTTP-7 ERR-4", f"{code} with {status}, to HEAD", status, None, Freehold_Code=code)
    for status in (405, 417):
        yield case(
            "malformed", "ERR-4 HTTP-8", f"malformed with {status}", status, problem("malformed", status)
        )
    yield case(
        "grant-paused",
        "HTTP-7",
        "the title and the detail say nothing",
        403,
        problem("grant-paused", 403, {"title": "OK", "detail": "grant-ended"}),
    )
    yield case(
        "grant-paused",
        "HTTP-7 VER-4",
        "members that are not known",
        403,
        problem("grant-paused", 403, {"instance": "x", "hint": [1]}),
    )
    yield case(
        "grant-paused",
        "HTTP-7",
        "a content type with a parameter",
        403,
        problem("grant-paused", 403),
        f"{_PROBLEM}; charset=utf-8",
    )
    yield case(
        "duplicate-key",
        "ENC-5 HTTP-7",
        "a problem that names its code twice",
        403,
        problem("grant-paused", 403)[:-1] + ', "code": "grant-ended"}',
    )
    yield case("malformed", "HTTP-7", "a problem without a code", 403, problem("x", 403, {"code": GONE}))
    yield case("malformed", "HTTP-7 ENC-5", "a problem that is no JSON", 403, "<html>")
    yield case("malformed", "HTTP-7 ENC-15", "a code that is no text", 403, problem("x", 403, {"code": 7}))


OPERATIONS = (
    Operation(
        name="project",
        description="Show of `content` what the paths `fields` name; ids of the person's become "
        "aliases under `aliasKey` (hexadecimal). Output: what is `shown`.",
        cases=tuple(_projected()),
    ),
    Operation(
        name="where-matches",
        description="Say whether `content` meets the condition `where`. Output: `matches`.",
        cases=tuple(_matched()),
    ),
    Operation(
        name="release",
        description="Make the released document of the record `id`, whose content is `content`: "
        "its `fields`, under the key of `servingSeed` and the `aliasKey` (hexadecimal). Output: "
        "the `document`.",
        cases=tuple(_made()),
    ),
    Operation(
        name="verify-released",
        description="Verify a released `document` or page, by the serving `key` (DID) of its grant.",
        cases=tuple(_verified()),
    ),
    Operation(
        name="read-problem",
        description="Say what a client takes an answer of a node for that has a `status` of 400 or "
        "more, these `headers` and this `body` (text; null: none, to HEAD). The outcome is "
        "the code, or what is wrong with the answer.",
        cases=tuple(_problems()),
    ),
)
