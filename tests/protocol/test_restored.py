"""Restored statements: by the decision key of the version that stood in the backup, about its ledger's head there."""

from __future__ import annotations

from typing import Any

import pytest
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.checkpoint import Checkpoint
from freehold_protocol.contexts import check_terms
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.errors import FreeholdError, MalformedError, SignatureError
from freehold_protocol.keys import SigningKey
from freehold_protocol.restored import Restored, sign_restored, verify_restored
from hypothesis import given, settings
from signed_documents import (
    DAY_S,
    DECISION,
    LOG,
    NOW_S,
    SERVING,
    STRANGER,
    VENDOR,
    json_values,
    make_grant,
    make_request,
    re_signed,
    spoiled,
    survivors,
)

REQUEST = make_request()
FIRST = make_grant(REQUEST)
HEAD = Checkpoint(origin=LOG, size=7, root=bytes(range(32)))
NEW = (SigningKey(bytes([12]) * 32), SigningKey(bytes([13]) * 32))
PAUSED = FIRST.changed("pause", nonce="m" * 22, created_s=NOW_S + 1).signed(SERVING)
ROTATED = PAUSED.changed(
    "rotate", nonce="m" * 22, created_s=NOW_S + 2, keys=(NEW[0].public, NEW[1].public)
).signed(DECISION, NEW[0])
VERSIONS = (FIRST, PAUSED, ROTATED)


def restored(key: SigningKey = DECISION, **more: Any) -> Restored:
    given: dict[str, Any] = {"checkpoint": HEAD, "nonce": "r" * 22, "created_s": NOW_S + DAY_S}
    return sign_restored(more.pop("grant", FIRST), key, **(given | more))


RESTORED = restored()


def test_a_statement() -> None:
    assert verify_restored(RESTORED, versions=VERSIONS) == 0
    assert (RESTORED.grant, RESTORED.checkpoint, RESTORED.previous) == (FIRST.id, HEAD, FIRST.cid)
    assert RESTORED.created_s == NOW_S + DAY_S
    again = Restored.from_dict(parse_document(jcs(RESTORED.document)))
    assert again == RESTORED
    assert again.cid == RESTORED.cid
    check_terms(without_proof(RESTORED.document))


def test_it_is_by_the_key_of_the_version_that_stood_then() -> None:
    after = restored(NEW[0], grant=ROTATED)
    assert verify_restored(after, versions=VERSIONS) == 2
    assert verify_restored(restored(grant=PAUSED), versions=VERSIONS) == 1
    for key, grant in (
        (DECISION, ROTATED),
        (NEW[0], FIRST),
        (SERVING, FIRST),
        (STRANGER, FIRST),
        (VENDOR, FIRST),
    ):
        with pytest.raises(SignatureError):
            restored(key, grant=grant)
        by_hand = Restored.from_dict(
            re_signed(restored(DECISION, grant=PAUSED).document | {"previous": grant.cid}, key)
        )
        with pytest.raises(SignatureError):
            verify_restored(by_hand, versions=VERSIONS)


def test_it_is_about_versions_that_are_known() -> None:
    with pytest.raises(SignatureError):
        verify_restored(restored(grant=PAUSED), versions=(FIRST,))
    with pytest.raises(SignatureError):
        verify_restored(RESTORED, versions=())
    other = make_grant(REQUEST, nonce="o" * 22)
    with pytest.raises(SignatureError):
        verify_restored(restored(grant=other), versions=VERSIONS)


@pytest.mark.parametrize(
    "members",
    [
        {"grant": "urn:uuid:9b2f6c1e-0d3a-4c53-8a71-000000000000"},
        {"log": "freehold/ledger/" + "m" * 22},
    ],
)
def test_it_is_about_this_grant_and_ledger(members: Document) -> None:
    with pytest.raises(SignatureError):
        verify_restored(
            Restored.from_dict(re_signed(RESTORED.document | members, DECISION)), versions=VERSIONS
        )


@pytest.mark.parametrize(
    "members",
    [
        {"count": 0},
        {"count": -1},
        {"count": "7"},
        {"root": "x"},
        {"root": None},
        {"log": "elsewhere"},
        {"previous": "x"},
        {"nonce": "short"},
        {"type": "Moved"},
        {"size": 7},
    ],
)
def test_what_is_no_statement(members: Document) -> None:
    with pytest.raises(MalformedError):
        Restored.from_dict(re_signed(RESTORED.document | members, DECISION))


def test_no_mutation_verifies() -> None:
    passed = survivors(
        RESTORED.document,
        lambda changed: verify_restored(Restored.from_dict(changed), versions=VERSIONS),
        at_least=40,
    )
    assert passed == []


@settings(max_examples=100)
@given(json_values | spoiled(RESTORED.document))
def test_any_json_value_is_a_statement_or_a_freehold_error(value: Any) -> None:
    try:
        verify_restored(Restored.from_dict(value), versions=VERSIONS)
    except FreeholdError:
        return
    assert value == RESTORED.document
