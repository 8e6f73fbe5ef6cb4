"""The JSON Schemas take what our software makes, refuse what its parsers refuse by form, and never more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from foreign_links import SUITES, make_link
from freehold_protocol import form, limits
from freehold_protocol.bundle import BundleItem, make_bundle
from freehold_protocol.capability import ACTIONS, Capability, root_id
from freehold_protocol.caveat import CountCaveat, PurposeCaveat, RateCaveat, write_caveats
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import Document, parse_cid, parse_time
from freehold_protocol.entry import CHANGES, Admitted, Changed, Entry, Erased, Received, Refused
from freehold_protocol.errors import BY_CODE, FreeholdError, UndefinedTermError
from freehold_protocol.grant import STATES, Grant, read_origin
from freehold_protocol.ledger import entry_leaf
from freehold_protocol.moved import Moved, sign_moved
from freehold_protocol.permission import (
    _NEVER_A_FIELD,
    _NEVER_A_RECORD,
    DAYS,
    RESERVED,
    Permission,
    field_path,
)
from freehold_protocol.receipt import Receipt
from freehold_protocol.record import Record
from freehold_protocol.released import release_document, release_page
from freehold_protocol.request import Request
from freehold_protocol.restored import Restored, sign_restored
from jsonschema import Draft202012Validator
from schemas_read import SCHEMAS, faults
from signed_documents import (
    DECISION,
    LOG,
    NONCE,
    NOW_S,
    PARTNER,
    SERVING,
    VENDOR,
    make_capability,
    make_draft,
    make_grant,
    make_record,
    make_request,
    mutations,
    permission_document,
)

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "OKW-ka951-W6mAm_ODxpm2hk7lBEYjn-VqReMrhGOP4"
COMMON = SCHEMAS["common"]["$defs"]


# The files themselves


def parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from parts(one)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_says_what_it_is_and_is_closed(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://w3id.org/freehold/v1/schemas/{name}.schema.json"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["description"].endswith(".")
    for part in parts(schema):
        if isinstance(part, dict) and part.get("type") == "object" and "required" in part:
            closed = part.get("additionalProperties") is False
            assert closed or "propertyNames" in part, part  # else it is what a record says
        if isinstance(part, dict) and isinstance(part.get("pattern"), str):
            re.compile(part["pattern"])


# What our software makes


@cache
def link(suite: Any = SUITES[0]) -> Document:
    caveats = (PurposeCaveat(purposes=frozenset({"dpv:Marketing"})), RateCaveat(reads=2, seconds=86_400))
    return make_link(
        suite, VENDOR, number=2, controller=PARTNER, parent=make_capability(), caveats=caveats
    ).document


def rotated() -> Grant:
    first = make_grant(make_request())
    keys = PARTNER.public, VENDOR.public
    return first.changed("rotate", nonce="m" * 22, created_s=NOW_S + 90, keys=keys).signed(DECISION, PARTNER)


def entries() -> dict[str, Entry]:
    at: dict[str, Any] = {"number": 3, "time_s": NOW_S}
    chain: dict[str, Any] = {"who": VENDOR.did, "chain": (DIGEST,)}
    changed: dict[str, Any] = {"grant": make_grant(make_request()).cid, "version": 1, "epoch": 2}
    admitted: dict[str, Any] = {
        **at, **chain, "action": "read", "permission": "delivery", "route": "/g/{grant}/{permission}/records",
        "method": "GET", "fields": ("name",), "count": 1, "version": 1, "signature": DIGEST, "released": DIGEST,
    }  # fmt: skip
    return {
        "admitted": Admitted(**admitted),
        "admitted again": Admitted(**admitted, query=DIGEST, repeat_of=1),
        "changed": Changed(**at, change="narrow", **changed),
        "revoked by digest": Changed(**at, change="revoke", **changed, revoked=DIGEST),
        "revoked by DID": Changed(**at, change="revoke", **changed, revoked=VENDOR.did),
        "moved": Changed(**at, change="move", **changed, statement=changed["grant"]),
        "refused": Refused(**at, **chain, code="not-shared", hour_s=NOW_S, count=2),
        "refused a permission": Refused(
            **at, **chain, code="revoked", hour_s=NOW_S, count=1, permission="news"
        ),
        "received": Received(**at, who=VENDOR.did, acknowledges=1, signature=DIGEST),
        "erased": Erased(**at, erases=1, leaf=DIGEST),
    }


def bundle(**more: Any) -> Document:
    entry = entries()["erased"].to_dict()
    salt = bytes(32)
    leaf = entry_leaf(entry, salt)
    note = sign_checkpoint(Checkpoint(origin=LOG, size=1, root=leaf), SERVING)
    items = [BundleItem(leaf=leaf, entry=entry, salt=salt), BundleItem(leaf=leaf)]
    return make_bundle(origin=LOG, serving=SERVING.public, checkpoint=note, items=items, **more)


def shown() -> Document:
    content = {"type": "Person", "name": "Ada", "address": [{"type": "PostalAddress", "postalCode": "EX1"}]}
    made = release_document(
        "urn:uuid:" + "0" * 8,
        content,
        fields=("name", "address.postalCode"),
        key=SERVING,
        alias=lambda _: "zAbc",
    )
    return made.signed(SERVING)


def page(**more: Any) -> Document:
    return release_page([shown()], fields=("name",), key=SERVING, **{"next_cursor": None, **more}).signed(
        SERVING
    )


def restored() -> Document:
    head = Checkpoint(origin=LOG, size=4, root=bytes(32))
    return sign_restored(
        make_grant(make_request()), DECISION, checkpoint=head, nonce=NONCE, created_s=NOW_S
    ).document


def moved() -> Document:
    origins = ("https://new.example:8443",)
    return sign_moved(
        make_grant(make_request()), DECISION, origins=origins, nonce=NONCE, created_s=NOW_S
    ).document


def full_permission() -> Document:
    hours = {"days": ["Mo", "Su"], "from": "08:30", "to": "00:00", "timeZone": "Europe/Berlin"}
    item = {
        "type": "Person", "about": "any", "fields": ["name"], "newRecords": True,
        "where": {"name": "Ada", "address.postalCode": 1, "email": True},
    }  # fmt: skip
    limits_ = {"reads": 1, "rate": {"reads": 1, "per": "PT1H"}, "hours": hours}
    return permission_document(items=[item], recipients=[PARTNER.did], limits=limits_, required=True)


Reads = Callable[[Document], object] | None
MADE: dict[str, tuple[str, Document, Reads]] = {
    "a request": ("access-request", make_request().document, Request.from_dict),
    "a request with words": (
        "access-request", make_request(benefit="Free\ndelivery.", contact="Ask us").document, Request.from_dict,
    ),
    "a full permission": ("permission", full_permission(), Permission.from_dict),
    "a grant": ("grant", make_grant(make_request()).document, Grant.from_dict),
    "a draft": ("grant-draft", make_draft(make_request()).document, None),
    "a rotated grant": ("grant", rotated().document, Grant.from_dict),
    "a receipt": (
        "receipt", Receipt(request=make_request(), versions=(make_grant(make_request()),)).to_dict(), None,
    ),
    "a record": ("record", make_record().document, Record.from_dict),
    "a capability": ("capability", make_capability(generation="zAbc").document, Capability.from_dict),
    **{f"a link in {suite}": ("capability", link(suite), Capability.from_dict) for suite in SUITES},
    **{f"an entry: {name}": ("ledger-entry", one.to_dict(), Entry.from_dict) for name, one in entries().items()},
    "a bundle": ("ledger-bundle", bundle(), None),
    "a holder's bundle": ("ledger-bundle", bundle(holder=VENDOR.did), None),
    "a released document": ("released-document", shown(), None),
    "a page": ("released-page", page(), None),
    "a page with more": ("released-page", page(next_cursor="AbC"), None),
    "a moved statement": ("moved", moved(), Moved.from_dict),
    "a restored statement": ("restored", restored(), Restored.from_dict),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_what_our_software_makes_passes(name: str) -> None:
    schema, document, read = MADE[name]
    assert faults(schema, json.loads(json.dumps(document))) == []
    if read is not None:
        read(document)


EXAMPLES = {
    "requests": ["access-request"], "grants": ["grant"], "records": ["record"], "released": ["released-document"],
    "capabilities": ["capability"], "ledger": ["ledger-entry", "ledger-bundle"],
}  # fmt: skip


@pytest.mark.parametrize("page_name", EXAMPLES)
def test_the_worked_examples_pass(page_name: str) -> None:
    text = (ROOT / "specs" / f"{page_name}.md").read_text("utf-8").partition("## Worked example")[2]
    blocks = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for schema, block in zip(EXAMPLES[page_name], blocks, strict=False):
        assert faults(schema, json.loads(block)) == []


# What is broken


def is_structural(where: str) -> bool:
    """Whether a mutation adds, takes away or renames a member, and changes no value."""
    return not where.endswith("=")


@pytest.mark.parametrize("name", [name for name, (_, _, read) in MADE.items() if read is not None])
def test_a_schema_refuses_what_the_parser_refuses_by_form_and_nothing_that_it_takes(name: str) -> None:
    schema, document, read = MADE[name]
    assert read is not None
    # A parser looks into the proof of a capability only; of any other document that is for who verifies it.
    inside = () if schema == "capability" else (".proof",)
    tried = 0
    for where, changed in mutations(document):
        if where.startswith(inside) and inside:
            continue
        tried += 1
        wrong = faults("grant-draft" if schema == "grant" and "proof" not in changed else schema, changed)
        try:
            read(changed)
        except UndefinedTermError:  # a schema has the form of a term, the vocabulary has the terms
            continue
        except (FreeholdError, TypeError, AttributeError, KeyError):
            # A list that became shorter or longer may break a rule that no schema can say.
            if is_structural(where) and not re.search(r"(capabilityChain|caveat)", where):
                assert wrong, where
        else:  # what a proof says is judged by who verifies it
            assert wrong == [] or ".proof" in where, where
    assert tried > 5


@pytest.mark.parametrize("name", MADE)
def test_no_member_can_be_added_and_none_of_the_form_left_out(name: str) -> None:
    schema, document, _ = MADE[name]
    assert faults(schema, document | {"not a term": 1})
    kept = [one for one in document if not faults(schema, {k: v for k, v in document.items() if k != one})]
    optional = {
        "benefit", "contact", "recipients", "limits", "required", "permission", "query", "repeatOf", "holder",
        "https://w3id.org/freehold/v1#generation", "caveat", "next", "previous", "name", "address",
    }  # fmt: skip
    assert set(kept) <= optional, kept
    for one in document:
        assert faults(schema, document | {one: [[None]]}) or one in ("name", "address"), one


BROKEN: list[tuple[str, str, Any]] = [
    ("a request", "nonce", "n" * 21), ("a request", "nonce", "n" * 65), ("a request", "nonce", "n" * 21 + "="),
    ("a request", "created", "2026-11-23T12:00:00.000Z"), ("a request", "created", "2026-11-23T13:00:00+01:00"),
    ("a request", "created", "2026-13-01T00:00:00Z"), ("a request", "permission", []),
    ("a request", "permission", [permission_document()] * 17), ("a request", "type", "AccessGrant"),
    ("a request", "id", "urn:uuid:0000"), ("a request", "id", "5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"),
    ("a request", "benefit", "x" * 2001), ("a request", "benefit", ""), ("a request", "benefit", "a\u202eb"),
    ("a request", "terms", "two\nlines"), ("a request", "expires", None), ("a request", "proof", []),
    ("a request", "@context", ["https://w3id.org/freehold/v1"]),
    ("a request", "assignee", {"id": "did:key:z", "type": "Person", "name": "x"}),
    ("a full permission", "name", "ledger"), ("a full permission", "name", "Delivery"),
    ("a full permission", "name", "a--b"), ("a full permission", "name", "a" * 41),
    ("a full permission", "retention", "P30"), ("a full permission", "retention", "PT0H"),
    ("a full permission", "retention", "P1Y6M"), ("a full permission", "purpose", []),
    ("a full permission", "purpose", ["dpv:Marketing"] * 2), ("a full permission", "purpose", ["marketing"]),
    ("a full permission", "recipients", ["carrier"]), ("a full permission", "required", 1),
    ("a full permission", "limits", {"reads": 0}), ("a full permission", "limits", {"reads": 1.5}),
    ("a full permission", "limits", {"rate": {"reads": 1}}), ("a full permission", "questions", []),
    ("a full permission", "items", [{"type": "Person", "fields": []}]),
    ("a full permission", "items", [{"type": "Person", "fields": ["name", "name"]}]),
    ("a full permission", "items", [{"type": "Person", "fields": ["*"]}]),
    ("a full permission", "items", [{"type": "Person", "fields": ["address.id"]}]),
    ("a full permission", "items", [{"type": "Person", "fields": ["a.b.c.d.e.f.g"]}]),
    ("a full permission", "items", [{"type": "Receipt", "fields": ["name"]}]),
    ("a full permission", "items", [{"type": "Person", "fields": ["name"], "about": "all"}]),
    ("a full permission", "items", [{"type": "Person", "fields": ["name"], "where": {"name": None}}]),
    ("a full permission", "items", [{"type": "Person", "fields": ["name"], "where": {"name": "x" * 201}}]),
    ("a grant", "version", 0), ("a grant", "version", 2), ("a grant", "version", "1"), ("a grant", "state", "open"),
    ("a grant", "origins", []), ("a grant", "origins", ["https://p3kx9.example.org/"]),
    ("a grant", "origins", ["http://p3kx9.example.org"]), ("a grant", "origins", ["https://P3KX9.example.org"]),
    ("a grant", "origins", ["https://a.example"] * 2), ("a grant", "log", "freehold/ledger/short"),
    ("a grant", "request", "bagaaiera"), ("a grant", "assigner", "did:web:shop.example"),
    ("a grant", "assignee", "did:web:shop.example"), ("a grant", "assigneeKey", VENDOR.did),
    ("a grant", "previous", make_request().cid),
    ("a rotated grant", "proof", make_grant(make_request()).document["proof"] | {"proofPurpose": "authentication"}),
    ("a capability", "allowedAction", "read"), ("a capability", "allowedAction", ["read", "read"]),
    ("a capability", "allowedAction", ["delete"]), ("a capability", "invocationTarget", "https://a.example/"),
    ("a capability", "controller", [VENDOR.did]), ("a capability", "expires", "2026-11-30T12:11:00+00:00"),
    ("a capability", "@context", "https://w3id.org/zcap/v1"), ("a capability", "caveat", []),
    ("a capability", "caveat", [{"type": "https://w3id.org/freehold/v1#CountLimit"}]),
    ("a capability", "caveat", [{"type": "https://w3id.org/freehold/v1#Other"}]),
    ("an entry: admitted", "status", 201), ("an entry: admitted", "chain", []), ("an entry: admitted", "number", -1),
    ("an entry: admitted", "released", DIGEST + "A"), ("an entry: admitted", "released", DIGEST[:-1] + "5"),
    ("an entry: admitted", "kind", "read"), ("an entry: changed", "change", "revoke"),
    ("an entry: changed", "statement", make_request().cid), ("an entry: refused", "code", "no-such-code"),
    ("a bundle", "entries", [{"entry": None, "salt": DIGEST, "leaf": DIGEST}]), ("a bundle", "holder", 1),
    ("a bundle", "checkpoint", "freehold/ledger/x\n1\n"), ("a page", "items", [{}]), ("a page", "items", [page()]),
    ("a page", "next", ""), ("a released document", "id", "urn:uuid:" + "0" * 8),
    ("a released document", "created", "2026-11-23T12:00:00Z"), ("a released document", "source", "a file"),
    ("a released document", "version", "1"), ("a record", "type", ["Person"]), ("a record", "type", "schema:Person"),
    ("a record", "schema:name", "Ada"), ("a record", "address", {"@id": "x"}), ("a record", "address", {"id": "_:b"}),
    ("a record", "knows", [{"proof": {"a-b": 1}}]), ("a moved statement", "origins", []),
    ("a moved statement", "origins", [f"https://{n}.example" for n in range(4)]),
    ("a restored statement", "count", 0), ("a restored statement", "root", "A" * 42),
]  # fmt: skip


@pytest.mark.parametrize(("name", "member", "value"), BROKEN)
def test_what_is_broken_does_not_pass(name: str, member: str, value: Any) -> None:
    schema, document, _ = MADE[name]
    assert faults(schema, document | {member: value})


# Single values: whatever a parser takes passes


def takes(read: Callable[[Any], object], value: Any) -> bool:
    try:
        read(value)
    except FreeholdError:
        return False
    return True


VALUES: dict[str, tuple[Callable[[Any], object], list[Any]]] = {
    "time": (parse_time, [
        "2026-11-23T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-23T12:00:00z",
        "2026-11-23 12:00:00Z", "2026-11-23T24:00:00Z", "2026-00-01T00:00:00Z", "2026-11-23T12:00:60Z", 0, None,
    ]),
    "duration": (lambda value: form.duration_s(value, "it"), [
        "P1D", "P9999D", "P1W", "P999M", "P99Y", "PT1H", "PT9999M", "P0D", "PT0H", "P00Y", "P", "PT", "P1", "PT1S",
        "P1Y1D", "P100Y", "P1000M", "P10000D", "PT1W", "p1d", "-P1D", 1,
    ]),
    "name": (lambda value: form.short_name(value, "it"), [
        "a", "age-check", "a1-2b", "a" * 40, "a" * 41, "-a", "a-", "a--b", "A", "1a", "", "ä", 1,
    ]),
    "urn": (lambda value: form.urn_uuid(value, "it"), [
        "urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610", "urn:uuid:5D1F0C7E-91AA-4D0C-8A43-7C2B9BE5F610",
        "5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610", "urn:uuid:", 1,
    ]),
    "did": (lambda value: form.did(value, "it"), [
        VENDOR.did, "did:web:shop.example%3A8443:a", "did:x:" + "a" * 512, "did:x:" + "a" * 513, "did:X:a", "did:web:",
        "did:web:a/b", "did:web:a#b", "web:a", None,
    ]),
    "nonce": (form.nonce, ["n" * 22, "_-" * 32, "n" * 21, "n" * 65, "n" * 21 + "+", 22]),
    "cid": (parse_cid, [make_request().cid, make_request().cid.upper(), make_request().cid[:-1], "b" + "a" * 60, 1]),
    "field": (field_path, [
        "name", "address.postalCode", "address.address.address.address.address.name", "address.id", "id", "*", "a.", "",
        "name.name.name.name.name.name.name", "address..name", "schema:name", 1,
    ]),
    "origin": (read_origin, [
        "https://a.example", "https://a.example:8443", "http://127.0.0.1:8080", "http://[::1]:1", "http://127.0.0.1",
        "https://[2001:db8::1]", "https://localhost", "http://localhost", "https://a.example/", "https://A.example",
        "https://u@a.example", "https://-a.example", "https://a_b.example", "ftp://a.example", "https://a.example:0",
        "http://10.0.0.1", 1,
    ]),
    "text": (lambda value: form.text(value, "it"), [
        "Example Shop", "ä 漢 👩\u200d🔬", "a\u200cb", "", "a\nb", "a\tb", "a\u202eb", "a\u200bb", "a\ufeffb",
        "\x7f", 1,
    ]),
    "lines": (lambda value: form.text(value, "it", lines=True), ["a\nb", "a\n\n", "a\rb", "", "a\x00"]),
}  # fmt: skip
BEYOND = {
    ("origin", "https://a.example:443"), ("origin", "http://127.0.0.1:80"), ("text", " "),
    ("time", "0000-01-01T00:00:00Z"),
}  # fmt: skip
"""What a parser refuses for a reason that the pattern does not have; the page has it."""


@pytest.mark.parametrize("kind", VALUES)
def test_single_values_are_judged_as_the_parsers_do(kind: str) -> None:
    read, values = VALUES[kind]
    judged = {str(value): (takes(read, value), faults(f"#{kind}", value) == []) for value in values}
    assert {value: pair for value, pair in judged.items() if pair[0] != pair[1]} == {}
    assert {pair[0] for pair in judged.values()} == {True, False}


@pytest.mark.parametrize(("kind", "value"), sorted(BEYOND))
def test_what_the_patterns_leave_to_the_page(kind: str, value: str) -> None:
    assert not takes(VALUES[kind][0], value)
    assert faults(f"#{kind}", value) == []


def test_a_root_s_id_and_a_capability_s_target() -> None:
    for target in ("https://a.example/g/x", "http://127.0.0.1:8080/g/x/y?limit=1", "https://[::1]/g/a%3Ab"):
        assert faults("#target", target) == []
        assert faults("#root", root_id(target)) == []


# Numbers and lists

OF_PERMISSION = SCHEMAS["permission"]
ITEM = OF_PERMISSION["$defs"]["item"]["properties"]
SUITE = SCHEMAS["capability"]["oneOf"][0]["properties"]["proof"]["properties"]
BOUNDS: list[tuple[Any, int]] = [
    (SCHEMAS["access-request"]["properties"]["permission"]["maxItems"], limits.MAX_PERMISSIONS),
    (SCHEMAS["access-request"]["properties"]["benefit"]["maxLength"], limits.MAX_TEXT),
    (SCHEMAS["grant"]["properties"]["permission"]["maxItems"], limits.MAX_PERMISSIONS),
    (SCHEMAS["grant"]["properties"]["origins"]["maxItems"], limits.MAX_ORIGINS),
    (SCHEMAS["moved"]["properties"]["origins"]["maxItems"], limits.MAX_ORIGINS - 1),
    (OF_PERMISSION["properties"]["items"]["maxItems"], limits.MAX_ITEMS),
    (OF_PERMISSION["properties"]["recipients"]["maxItems"], limits.MAX_RECIPIENTS),
    (ITEM["fields"]["maxItems"], limits.MAX_FIELDS),
    (ITEM["where"]["maxProperties"], limits.MAX_FIELDS),
    (SCHEMAS["capability"]["properties"]["caveat"]["maxItems"], limits.MAX_CAVEATS),
    (SUITE["capabilityChain"]["maxItems"], limits.MAX_CHAIN_LINKS - 1),
    (COMMON["target"]["maxLength"], limits.MAX_TARGET_CHARS),
    (SCHEMAS["released-page"]["properties"]["items"]["maxItems"], limits.MAX_PAGE),
    (SCHEMAS["ledger-entries"]["properties"]["entries"]["maxItems"], limits.MAX_LEDGER_PAGE),
    (SCHEMAS["ledger-entry"]["$defs"]["admitted"]["properties"]["chain"]["maxItems"], limits.MAX_CHAIN_LINKS),
    (SCHEMAS["owner-grant-shown"]["properties"]["listening"]["maximum"], limits.MAX_GRANT_STREAMS),
]


@pytest.mark.parametrize(("bound", "limit"), BOUNDS)
def test_bounds_are_those_of_the_protocol(bound: int, limit: int) -> None:
    assert bound == limit


def test_lists_are_those_of_the_protocol() -> None:
    changes = SCHEMAS["ledger-entry"]["$defs"]
    said = [*changes["changed"]["properties"]["change"]["enum"], "revoke"]
    assert {*said, *changes["stated"]["properties"]["change"]["enum"]} == set(CHANGES)
    assert set(OF_PERMISSION["properties"]["name"]["not"]["enum"]) == RESERVED
    assert set(ITEM["type"]["not"]["enum"]) == _NEVER_A_RECORD
    assert set(re.findall(r"[a-z]+", COMMON["field"]["not"]["pattern"])) == _NEVER_A_FIELD
    assert COMMON["state"]["enum"] == list(STATES)
    assert SCHEMAS["capability"]["properties"]["allowedAction"]["items"]["enum"] == list(ACTIONS)
    days = OF_PERMISSION["properties"]["limits"]["properties"]["hours"]["properties"]["days"]
    assert (days["items"]["enum"], days["maxItems"]) == (list(DAYS), len(DAYS))
    assert set(SCHEMAS["problem"]["properties"]["code"]["enum"]) == set(BY_CODE)


def test_caveats_pass() -> None:
    made = write_caveats((CountCaveat(reads=3), PurposeCaveat(purposes=frozenset({"dpv:Marketing"}))))
    assert [faults("caveat", one) for one in made] == [[], []]
