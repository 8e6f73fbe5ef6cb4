"""Entries as documents, leaves and digests: one spelling each, no member more or less."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, get_args

import pytest
from freehold_protocol import grant
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, cid_of, parse_time
from freehold_protocol.entry import CHANGES, STATED, Admitted, Changed, Entry, Erased, Received, Refused
from freehold_protocol.errors import BY_CODE, MalformedError
from freehold_protocol.keys import SigningKey
from freehold_protocol.ledger import entry_leaf, query_digest, released_digest, signature_digest
from hypothesis import given, settings
from hypothesis import strategies as st

SALT = bytes(range(32))
WHO = SigningKey(b"\x05" * 32).did
DIGEST = signature_digest(b"one")
OTHER = signature_digest(b"two")
CID = cid_of(b"{}")
TIME_S = parse_time("2026-11-23T12:34:56Z")

ADMITTED: Document = {
    "number": 7,
    "time": "2026-11-23T12:34:56Z",
    "kind": "admitted",
    "who": WHO,
    "chain": [DIGEST, OTHER],
    "action": "read",
    "permission": "delivery",
    "route": "/g/{grant}/{permission}/records/{id}",
    "method": "GET",
    "fields": ["givenName", "address.postalCode"],
    "count": 1,
    "version": 3,
    "signature": DIGEST,
    "released": OTHER,
    "status": 200,
}
CHANGED: Document = {
    "number": 0,
    "time": "2026-11-23T12:34:56Z",
    "kind": "changed",
    "change": "approve",
    "grant": CID,
    "version": 1,
    "epoch": 0,
}
REVOKED: Document = {**CHANGED, "number": 4, "change": "revoke", "revoked": DIGEST}
REFUSED: Document = {
    "number": 8,
    "time": "2026-11-23T12:34:56Z",
    "kind": "refused",
    "who": WHO,
    "chain": [DIGEST],
    "code": "grant-paused",
    "hour": "2026-11-23T12:00:00Z",
    "count": 41,
}
RECEIVED: Document = {
    "number": 9,
    "time": "2026-11-23T12:34:56Z",
    "kind": "received",
    "who": WHO,
    "acknowledges": 7,
    "signature": DIGEST,
}
ERASED: Document = {
    "number": 10,
    "time": "2026-11-23T12:34:56Z",
    "kind": "erased",
    "erases": 9,
    "leaf": DIGEST,
}
KINDS = {"admitted": ADMITTED, "changed": CHANGED, "refused": REFUSED, "received": RECEIVED, "erased": ERASED}
GOOD: list[tuple[Document, Entry]] = [
    (
        ADMITTED,
        Admitted(
            number=7, time_s=TIME_S, who=WHO, chain=(DIGEST, OTHER), action="read", permission="delivery",
            route="/g/{grant}/{permission}/records/{id}", method="GET",
            fields=("givenName", "address.postalCode"), count=1, version=3, signature=DIGEST, released=OTHER,
        ),
    ),
    (
        {**ADMITTED, "query": OTHER, "status": 304, "repeatOf": 6, "fields": [], "count": 0},
        Admitted(
            number=7, time_s=TIME_S, who=WHO, chain=(DIGEST, OTHER), action="read", permission="delivery",
            route="/g/{grant}/{permission}/records/{id}", method="GET", fields=(), count=0, version=3,
            signature=DIGEST, released=OTHER, query=OTHER, status=304, repeat_of=6,
        ),
    ),
    (CHANGED, Changed(number=0, time_s=TIME_S, change="approve", grant=CID, version=1, epoch=0)),
    (
        REVOKED,
        Changed(number=4, time_s=TIME_S, change="revoke", grant=CID, version=1, epoch=0, revoked=DIGEST),
    ),
    (
        {**REVOKED, "revoked": WHO},
        Changed(number=4, time_s=TIME_S, change="revoke", grant=CID, version=1, epoch=0, revoked=WHO),
    ),
    (
        REFUSED,
        Refused(
            number=8, time_s=TIME_S, who=WHO, chain=(DIGEST,), code="grant-paused",
            hour_s=parse_time("2026-11-23T12:00:00Z"), count=41,
        ),
    ),
    (
        {**REFUSED, "permission": "age-check"},
        Refused(
            number=8, time_s=TIME_S, who=WHO, chain=(DIGEST,), code="grant-paused",
            hour_s=parse_time("2026-11-23T12:00:00Z"), count=41, permission="age-check",
        ),
    ),
    (RECEIVED, Received(number=9, time_s=TIME_S, who=WHO, acknowledges=7, signature=DIGEST)),
    (ERASED, Erased(number=10, time_s=TIME_S, erases=9, leaf=DIGEST)),
]  # fmt: skip


@pytest.mark.parametrize(("document", "entry"), GOOD)
def test_an_entry_has_one_spelling(document: Document, entry: Entry) -> None:
    assert entry.to_dict() == document
    before = jcs(document)
    assert Entry.from_dict(document) == entry
    assert jcs(document) == before


@pytest.mark.parametrize("change", [change for change in CHANGES if change != "revoke"])
def test_every_change_is_an_entry(change: str) -> None:
    stated = {"statement": CID} if change in STATED else {}
    document = {**CHANGED, "change": change, **stated}
    entry = Entry.from_dict(document)
    assert isinstance(entry, Changed)
    assert entry.change == change
    assert entry.to_dict() == document
    other = {name: value for name, value in document.items() if name != "statement"}
    other |= {} if stated else {"statement": CID}
    for wrong in (other, {**document, "statement": "no CID"}):
        with pytest.raises(MalformedError):
            Entry.from_dict(wrong)


def test_every_change_of_a_grant_has_its_entry() -> None:
    assert set(get_args(grant.Change)) <= set(CHANGES)


@pytest.mark.requirement("VER-3")
@pytest.mark.parametrize("code", [*sorted(BY_CODE), "of-a-later-version"])
def test_every_code_that_is_one_may_be_in_an_entry(code: str) -> None:
    entry = Entry.from_dict({**REFUSED, "code": code})
    assert isinstance(entry, Refused)
    assert entry.code == code


@pytest.mark.requirement("LED-4", "LED-10")
@pytest.mark.parametrize("document", KINDS.values(), ids=KINDS)
def test_no_member_less_and_none_more(document: Document) -> None:
    for name in document:
        with pytest.raises(MalformedError):
            Entry.from_dict({key: value for key, value in document.items() if key != name})
    for name in ("revoked", "extra", "", "@context", "Number"):
        with pytest.raises(MalformedError):
            Entry.from_dict({**document, name: DIGEST})


@pytest.mark.parametrize("document", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    "wrong", [None, True, -1, 1.5, 7.0, 2**53, "", "é", "x" * 3000, [], {}, [[]], [None]]
)
def test_no_member_takes_any_value(document: Document, wrong: Any) -> None:
    for name in document:
        if (name, wrong) == ("fields", []):
            continue
        with pytest.raises(MalformedError):
            Entry.from_dict({**document, name: wrong})


@pytest.mark.parametrize("value", [None, [], "admitted", 1, [ADMITTED], {}, {"kind": []}, {"kind": {}}])
def test_only_an_object_is_an_entry(value: Any) -> None:
    with pytest.raises(MalformedError):
        Entry.from_dict(value)


@pytest.mark.parametrize(
    ("document", "changed"),
    [
        (ADMITTED, {"kind": "released"}),
        (ADMITTED, {"kind": "changed"}),
        (ADMITTED, {"number": "7"}),
        (ADMITTED, {"time": "2026-11-23T12:34:56.5Z"}),
        (ADMITTED, {"time": "2026-11-23T12:34:56+00:00"}),
        (ADMITTED, {"time": TIME_S}),
        (ADMITTED, {"who": WHO + "#key"}),
        (ADMITTED, {"who": "https://shop.example"}),
        (ADMITTED, {"chain": []}),
        (ADMITTED, {"chain": [DIGEST] * 11}),
        (ADMITTED, {"chain": [DIGEST + "="]}),
        (ADMITTED, {"chain": [DIGEST[:-1]]}),
        (ADMITTED, {"chain": ["A" * 42 + "B"]}),
        (ADMITTED, {"chain": DIGEST}),
        (ADMITTED, {"action": "delete"}),
        (ADMITTED, {"permission": "Delivery"}),
        (ADMITTED, {"route": "g/{grant}"}),
        (ADMITTED, {"route": "/g/{grant}?fields=name"}),
        (ADMITTED, {"route": "/g/a b"}),
        (ADMITTED, {"route": "/" + "g" * 200}),
        (ADMITTED, {"method": "get"}),
        (ADMITTED, {"method": "GET\n"}),
        (ADMITTED, {"fields": ["name", "name"]}),
        (ADMITTED, {"fields": "name"}),
        (ADMITTED, {"fields": ["na\u202eme"]}),
        (ADMITTED, {"fields": [str(number) for number in range(1025)]}),
        (ADMITTED, {"query": "fields=name"}),
        (ADMITTED, {"query": None}),
        (ADMITTED, {"count": "1"}),
        (ADMITTED, {"version": 0}),
        (ADMITTED, {"status": 201}),
        (ADMITTED, {"status": "200"}),
        (ADMITTED, {"repeatOf": 7}),
        (ADMITTED, {"repeatOf": 8}),
        (ADMITTED, {"number": 0, "repeatOf": 0}),
        (CHANGED, {"change": "revoke"}),
        (CHANGED, {"change": "approve", "revoked": DIGEST}),
        (CHANGED, {"change": "Approve"}),
        (CHANGED, {"grant": "urn:uuid:0"}),
        (CHANGED, {"version": 0}),
        (REVOKED, {"revoked": "urn:uuid:0"}),
        (REVOKED, {"revoked": "did:"}),
        (REVOKED, {"revoked": WHO + "#key"}),
        (REFUSED, {"code": "Not a code"}),
        (REFUSED, {"hour": "2026-11-23T12:30:00Z"}),
        (REFUSED, {"hour": "2026-11-23T13:00:00Z"}),
        (REFUSED, {"count": 0}),
        (REFUSED, {"permission": "not a name"}),
        (REFUSED, {"permission": None}),
        (RECEIVED, {"acknowledges": 9}),
        (RECEIVED, {"number": 0, "acknowledges": 0}),
        (ERASED, {"erases": 10}),
        (ERASED, {"erases": 11}),
        (ERASED, {"leaf": None}),
    ],
)
def test_no_other_entry(document: Document, changed: Document) -> None:
    with pytest.raises(MalformedError):
        Entry.from_dict({**document, **changed})


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([document for document, _ in GOOD]), st.data())
def test_any_json_in_a_members_place_is_malformed_or_an_entry(
    document: Document, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(document)), "member")
    changed = {**document, name: data.draw(JSON, "value")}
    try:
        entry = Entry.from_dict(changed)
    except MalformedError:
        return
    assert jcs(entry.to_dict()) == jcs(changed)


# Leaves and digests


@pytest.mark.requirement("LED-1", "LED-2")
def test_a_leaf_is_over_salt_and_canonical_bytes() -> None:
    spelled_otherwise = dict(reversed(ADMITTED.items()))
    expected = hashlib.sha256(b"\x00" + SALT + jcs(ADMITTED)).digest()
    assert entry_leaf(ADMITTED, SALT) == entry_leaf(spelled_otherwise, SALT) == expected


def test_digests_are_what_the_specification_says() -> None:
    def text(data: bytes) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

    assert released_digest(SALT, b'{"a":1}') == text(SALT + b'{"a":1}')
    assert query_digest(SALT, "fields=name&limit=5") == text(SALT + b"fields=name&limit=5")
    assert signature_digest(bytes(64)) == text(bytes(64))


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
def test_a_salt_has_32_bytes(salt: bytes) -> None:
    for digest in (
        lambda: entry_leaf(ADMITTED, salt),
        lambda: released_digest(salt, b"{}"),
        lambda: query_digest(salt, ""),
    ):
        with pytest.raises(ValueError, match="32 bytes"):
            digest()


def test_an_entry_that_cannot_be_canonicalized_has_no_leaf() -> None:
    with pytest.raises(MalformedError):
        entry_leaf({"number": 2**60}, SALT)
    with pytest.raises(MalformedError):
        entry_leaf({"who": "\ud800"}, SALT)
