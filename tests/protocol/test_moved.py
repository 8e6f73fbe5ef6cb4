"""Moved statements: by the decision key, about this grant, and nothing else adds an origin."""

from __future__ import annotations

from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.contexts import check_terms
from freehold_protocol.encoding import Document, Json, parse_document
from freehold_protocol.errors import FreeholdError, MalformedError, SignatureError, TooLargeError
from freehold_protocol.grant import is_loopback, read_origin
from freehold_protocol.keys import SigningKey
from freehold_protocol.moved import Moved, effective_origins, sign_moved, verify_moved
from freehold_protocol.proof import add_proof
from hypothesis import given, settings
from signed_documents import (
    DAY_S,
    DECISION,
    NOW_S,
    ORIGIN,
    SERVING,
    STRANGER,
    VENDOR,
    json_values,
    make_grant,
    make_request,
    re_signed,
    spoiled,
    survivors,
    uuid_urn,
)

REQUEST = make_request()
GRANT = make_grant(REQUEST)
NEW = "https://new.example.org"
AT_HOME = make_grant(REQUEST, origins=("http://127.0.0.1:8420",))


def moved(*origins: str, key: SigningKey = DECISION, **more: Any) -> Moved:
    given: dict[str, Any] = {"nonce": "m" * 22, "created_s": NOW_S + DAY_S}
    return sign_moved(GRANT, key, origins=origins or (NEW,), **(given | more))


MOVED = moved()


def test_a_statement() -> None:
    verify_moved(MOVED, grant=GRANT)
    assert (MOVED.grant, MOVED.origins, MOVED.created_s) == (GRANT.id, (NEW,), NOW_S + DAY_S)
    again = Moved.from_dict(parse_document(jcs(MOVED.document)))
    assert again == MOVED
    assert again.cid == MOVED.cid
    check_terms(without_proof(MOVED.document))


def test_what_it_adds() -> None:
    assert effective_origins(GRANT, ()) == (ORIGIN,)
    assert effective_origins(GRANT, [MOVED]) == (ORIGIN, NEW)
    assert effective_origins(GRANT, [MOVED, MOVED, moved(ORIGIN)]) == (ORIGIN, NEW)
    three = moved(NEW, "https://b.example", "https://c.example")
    assert len(effective_origins(GRANT, [three])) == limits.MAX_ORIGINS
    with pytest.raises(TooLargeError):
        effective_origins(GRANT, [three, moved("https://d.example")])


@pytest.mark.parametrize("key", [SERVING, STRANGER, VENDOR])
def test_only_the_decision_key_adds_an_origin(key: SigningKey) -> None:
    with pytest.raises(SignatureError):
        moved(key=key)
    by_another = Moved.from_dict(re_signed(MOVED.document, key))
    with pytest.raises(SignatureError):
        verify_moved(by_another, grant=GRANT)


def test_a_statement_is_about_one_grant() -> None:
    for other in (
        make_grant(REQUEST, grant_id="9b2f6c1e-0d3a-4c53-8a71-000000000000"),  # by the very same key
        make_grant(make_request(nonce="o" * 22), grant_id="9b2f6c1e-0d3a-4c53-8a71-5e0f4d2c7b61"),
    ):
        with pytest.raises(SignatureError):
            verify_moved(MOVED, grant=other)


def test_another_person_s_key_says_nothing_of_a_grant_of_the_same_id() -> None:
    other = make_grant(REQUEST, decision_key=STRANGER.public)
    with pytest.raises(SignatureError):
        verify_moved(MOVED, grant=other)


def test_an_old_key_says_nothing_once_it_was_given_up() -> None:
    new = (SigningKey(bytes([12]) * 32), SigningKey(bytes([13]) * 32))
    rotated = GRANT.changed(
        "rotate", nonce="m" * 22, created_s=NOW_S, keys=(new[0].public, new[1].public)
    ).signed(DECISION, new[0])
    with pytest.raises(SignatureError):
        verify_moved(MOVED, grant=rotated)
    anew = sign_moved(rotated, new[0], origins=MOVED.origins, nonce="o" * 22, created_s=NOW_S)
    verify_moved(anew, grant=rotated)


@pytest.mark.parametrize(
    "origin",
    [
        "http://new.example.org",
        "http://192.168.1.4:8420",
        "https://new.example.org/",
        "https://new.example.org/path",
        "https://NEW.example.org",
        "https://new.example.org:443",
        "https://user@new.example.org",
        "ftp://new.example.org",
        "new.example.org",
        "https://",
        "http://localhost:8420",
        "",
        None,
        7,
        ["https://new.example.org"],
    ],
)
def test_what_is_no_origin(origin: Json) -> None:
    with pytest.raises(MalformedError):
        Moved.from_dict(re_signed({**MOVED.document, "origins": [origin]}, DECISION))


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8420",
        "http://[::1]:8420",
        "https://127.0.0.1",
        "https://127.8.0.1:1",
        "https://localhost",
    ],
)
def test_nothing_moves_from_the_network_to_the_readers_own_machine(origin: str) -> None:
    assert is_loopback(read_origin(origin))
    with pytest.raises(MalformedError, match="loopback"):
        moved(origin)
    by_hand = Moved.from_dict(re_signed({**MOVED.document, "origins": [NEW, origin]}, DECISION))
    with pytest.raises(MalformedError, match="loopback"):
        verify_moved(by_hand, grant=GRANT)
    at_home = sign_moved(AT_HOME, DECISION, origins=(origin,), nonce="m" * 22, created_s=NOW_S)
    verify_moved(at_home, grant=AT_HOME)


@pytest.mark.parametrize(
    "origin", [NEW, "https://10.0.0.1", "https://localhost.example.org", "https://127.example.org"]
)
def test_what_is_not_loopback(origin: str) -> None:
    assert not is_loopback(read_origin(origin))


@pytest.mark.parametrize(
    "members",
    [
        {"origins": []},
        {"origins": [NEW, NEW]},
        {"origins": [f"https://h{n}.example" for n in range(4)]},
        {"origins": NEW},
        {"type": "AccessGrant"},
        {"type": ["Moved"]},
        {"@context": "https://w3id.org/zcap/v1"},
        {"grant": GRANT.id},
        {"grant": uuid_urn(1).upper()},
        {"nonce": "short"},
        {"created": "yesterday"},
        {"expires": "2026-12-23T12:00:00Z"},
        {"removes": [ORIGIN]},
    ],
)
def test_what_is_no_statement(members: Document) -> None:
    with pytest.raises(MalformedError):
        Moved.from_dict(re_signed({**MOVED.document, **members}, DECISION))


@pytest.mark.parametrize("name", ["@context", "type", "grant", "origins", "nonce", "created", "proof"])
def test_no_member_may_be_missing(name: str) -> None:
    with pytest.raises(MalformedError):
        Moved.from_dict({key: value for key, value in MOVED.document.items() if key != name})


def test_two_proofs_are_not_its_form() -> None:
    with pytest.raises(MalformedError):
        verify_moved(Moved.from_dict(add_proof(MOVED.document, STRANGER)), grant=GRANT)


def test_no_mutation_verifies() -> None:
    passed = survivors(
        MOVED.document, lambda changed: verify_moved(Moved.from_dict(changed), grant=GRANT), at_least=40
    )
    assert passed == []


@settings(max_examples=100)
@given(json_values | spoiled(MOVED.document))
def test_any_json_value_is_a_statement_or_a_freehold_error(value: Any) -> None:
    try:
        verify_moved(Moved.from_dict(value), grant=GRANT)
    except FreeholdError:
        return
    assert value == MOVED.document
