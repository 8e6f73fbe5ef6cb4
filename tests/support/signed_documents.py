"""Signed documents of every kind, made from fixed seeds, and the ways a test spoils them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from freehold_protocol.capability import Capability, delegate
from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import FreeholdError
from freehold_protocol.grant import Grant, draft_grant
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.proof import Purpose, sign_document
from freehold_protocol.record import Record, sign_record
from freehold_protocol.request import Request, sign_request
from hypothesis import strategies as st

NOW_S = 1_795_435_200
"""2026-11-23T12:00:00Z."""
DAY_S = 86_400
VENDOR = SigningKey(bytes([1]) * 32)
DECISION = SigningKey(bytes([2]) * 32)
SERVING = SigningKey(bytes([3]) * 32)
PARTNER = SigningKey(bytes([4]) * 32)
STRANGER = SigningKey(bytes([5]) * 32)
RECORDS = SigningKey(bytes([6]) * 32)
NONCE = "n" * 22
GRANT_ID = "9b2f6c1e-0d3a-4c53-8a71-5e0f4d2c7b60"
ORIGIN = "https://p3kx9.example.org"
TARGET = f"{ORIGIN}/g/{GRANT_ID}"
LOG = "freehold/ledger/" + "l" * 22


def uuid_urn(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def permission_document(name: str = "delivery", **members: Any) -> Document:
    made: Document = {
        "name": name,
        "items": [{"type": "Person", "fields": ["name", "address.postalCode", "telephone"]}],
        "purpose": ["dpv:DeliveryOfGoods"],
        "retention": "P30D",
    }
    return made | members


def permission(name: str = "delivery", **members: Any) -> Permission:
    return Permission.from_dict(permission_document(name, **members))


def asked() -> tuple[Permission, ...]:
    """What the request below asks."""
    return (
        permission(
            recipients=[PARTNER.did],
            limits={"reads": 100, "rate": {"reads": 10, "per": "PT1H"}},
        ),
        permission("age-check", purpose=["dpv:AgeVerification"]),
    )


def make_request(key: SigningKey = VENDOR, **members: Any) -> Request:
    given: dict[str, Any] = {
        "request_id": uuid_urn(1),
        "nonce": NONCE,
        "name": "Example Shop",
        "permissions": asked(),
        "created_s": NOW_S,
        "expires_s": NOW_S + 30 * DAY_S,
    }
    return sign_request(key, **(given | members))


def make_draft(request: Request, **members: Any) -> Grant:
    given: dict[str, Any] = {
        "grant_id": GRANT_ID,
        "nonce": NONCE,
        "decision_key": DECISION.public,
        "serving_key": SERVING.public,
        "origins": (ORIGIN,),
        "log": LOG,
        "created_s": NOW_S + 60,
        "not_before_s": NOW_S + 60,
        "expires_s": request.expires_s,
        "permissions": request.permissions,
    }
    return draft_grant(request, **(given | members))


def make_grant(request: Request, **members: Any) -> Grant:
    return make_draft(request, **members).signed(DECISION)


def make_record(content: Document | None = None, **members: Any) -> Record:
    given: dict[str, Any] = {
        "record_id": uuid_urn(7),
        "created_s": NOW_S,
        "source": {"type": "SourceFile", "file": "book.vcf"},
    }
    return sign_record(content or {"type": "Person", "name": "Ada Example"}, RECORDS, **(given | members))


def make_capability(
    key: SigningKey = SERVING, *, number: int = 1, controller: SigningKey = VENDOR, **members: Any
) -> Capability:
    given: dict[str, Any] = {
        "target": TARGET,
        "actions": ("read",),
        "created_s": NOW_S,
        "expires_s": NOW_S + 7 * DAY_S,
        "root_target": None if "parent" in members else TARGET,
    }
    return delegate(key, capability_id=uuid_urn(number), controller=controller.public, **(given | members))


def re_signed(
    document: Document,
    key: SigningKey,
    *,
    purpose: Purpose = "assertionMethod",
    created_s: int | None = NOW_S,
    chain: list[str | Document] | None = None,
) -> Document:
    """Return the document with a fresh, good proof in place of its own."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    return sign_document(unsigned, key, purpose=purpose, created_s=created_s, chain=chain)


def with_member(document: Document, path: str, value: Json) -> Document:
    """Return a deep copy with the member at a dotted path set; numbers in the path are array indices."""
    made = copy.deepcopy(document)
    *steps, last = path.split(".")
    place: Any = made
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value
    return made


def without_member(document: Document, path: str) -> Document:
    """Return a deep copy without the member at a dotted path."""
    made = copy.deepcopy(document)
    *steps, last = path.split(".")
    place: Any = made
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    del place[int(last) if isinstance(place, list) else last]
    return made


def _changed(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        # Another character of the alphabets in use, in the middle: never only trailing bits.
        middle = len(value) // 2
        return value[:middle] + ("B" if value[middle : middle + 1] != "B" else "C") + value[middle + 1 :]
    return "changed" if value is None else None


def mutations(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield every single change of a document: each value changed, each member taken away or added."""
    yield from (("".join(where), made) for where, made in _mutations(document))


def _mutations(value: Json) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        yield ("+",), value | {"added": "x"}
        for name, item in value.items():
            rest = {other: one for other, one in value.items() if other != name}
            yield (f"-{name}",), rest
            yield (f"~{name}",), rest | {name + "x": item}
            for where, made in _mutations(item):
                yield (f".{name}", *where), value | {name: made}
    elif isinstance(value, list):
        yield ("+",), [*value, "x"]
        for index, item in enumerate(value):
            yield (f"-{index}",), value[:index] + value[index + 1 :]
            for where, made in _mutations(item):
                yield (f".{index}", *where), [*value[:index], made, *value[index + 1 :]]
    else:
        yield ("=",), _changed(value)


def survivors(document: Document, check: Callable[[Document], object], *, at_least: int) -> list[str]:
    """Return where the mutations of a document are that a check lets pass, of at_least so many.

    Any other failure than a FreeholdError is the test's.
    """
    check(document)
    passed: list[str] = []
    tried = 0
    for where, changed in mutations(document):
        tried += 1
        try:
            check(changed)
        except FreeholdError:
            continue
        passed.append(where)
    assert tried >= at_least
    return passed


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**21), 10**21)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["did:key:z6Mk", "urn:uuid:", "https://w3id.org/freehold/v1", "P1D", "\ud800"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)
"""Any JSON value, and a few that JSON text cannot hold."""


@st.composite
def spoiled(draw: st.DrawFn, document: Document) -> Document:
    """Return the document with one to three of its members, at any depth, replaced by any JSON value."""
    made: Document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = made
        while True:
            keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            place[key] = draw(json_values)
            break
    return made
