"""Libraries with a fault are caught, by a vector of the requirement that the fault breaks."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import library_adapter
import library_capabilities
import library_encoding
import library_http
import library_ledger
import pytest
from freehold_conformance.library import load_vectors
from freehold_conformance.library.running import judge
from freehold_protocol import (
    bundle,
    capability,
    caveat,
    delegation,
    did_document,
    entry,
    form,
    grant,
    http_signature,
    invocation,
    keys,
    moved,
    permission,
    proof,
    rdf,
    receipt,
    record,
    released,
    request,
    restored,
)

ALL = load_vectors(Path(__file__).resolve().parents[2] / "specs" / "vectors")
Patch = tuple[Any, str, Any]


def nothing(*_: Any, **__: Any) -> None:
    return None


def yes(*_: Any, **__: Any) -> bool:
    return True


def loose_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def loose_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def last_wins(data: bytes, **_: Any) -> Any:
    return json.loads(data)


def open_members(document: Any, **_: Any) -> Any:
    return document


def of_any_key(document: Any, key: Any, **how: Any) -> Any:
    return proof.verify_document(document, **how)


def by_prefix(target: str, before: str) -> bool:
    return target.startswith(before)


def unlike(values: Any, what: str) -> Any:
    return values


class Anything:
    """Differs from nothing."""

    def __hash__(self) -> int:
        return 0

    def __ne__(self, other: object) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return True


MUTANTS: dict[str, tuple[str, tuple[Patch, ...]]] = {
    "signatures are not verified": ("PRF-8", ((keys.PublicKey, "verify", nothing),)),
    "base64url with padding and other alphabets": (
        "ENC-2",
        ((library_encoding, "base64url_decode", loose_base64url),),
    ),
    "base64 without padding": ("ENC-3", ((library_encoding, "base64_decode", loose_base64),)),
    "the last of two keys wins": ("ENC-5", ((library_encoding, "parse_json", last_wins),)),
    "members that are not known are passed over": ("ENC-13", ((form, "check_members", open_members),)),
    "texts hide what they like": ("ENC-10", ((form, "_is_unseen", lambda _: False),)),
    "arrays repeat themselves": ("REQ-2", ((form, "distinct", unlike),)),
    "did:web documents of others": ("IDN-17", ((did_document, "_SECRETS", ()),)),
    "the purpose of a proof is not asked": ("PRF-12", ((proof, "_claim", None),)),
    "what is lost is not looked for": ("PRF-20", ((rdf, "check_terms", nothing),)),
    "content is not looked at": ("REC-3", ((record, "check_content", nothing),)),
    "requests are good for ever": ("REQ-13", ((request.Request, "check_times", nothing),)),
    "narrowing is not compared": ("GRA-10", ((permission.Permission, "within", yes),)),
    "limits are not compared": ("GRA-10", ((permission.Limits, "within", yes),)),
    "hours are not compared": ("GRA-10", ((permission.Hours, "within", yes),)),
    "more than was asked": ("GRA-5", ((grant, "check_asked", nothing),)),
    "the serving key may do everything": ("GRA-8", ((grant, "narrows", yes),)),
    "versions need not follow": ("GRA-12", ((grant, "_check_follows", nothing),)),
    "a change of keys may change more": ("ROT-1", ((grant, "_check_rotated", nothing),)),
    "keys come back": ("ROT-4", ((receipt, "_keys_of", lambda _: set()),)),
    "statements by any key": ("MOV-3", ((moved, "verify_signed_by", of_any_key),)),
    "statements lead to the reader's machine": ("MOV-4", ((moved, "is_loopback", lambda _: False),)),
    "restores by any key": ("RST-6", ((restored, "verify_signed_by", of_any_key),)),
    "targets by their beginning": (
        "CAP-8",
        (
            (delegation, "lies_within", by_prefix),
            (library_capabilities, "lies_within", by_prefix),
            (capability, "lies_within", by_prefix),
        ),
    ),
    "targets are not plain": (
        "CAP-9",
        ((library_capabilities, "is_plain", yes), (capability, "is_plain", yes)),
    ),
    "links need not narrow": ("CAP-21", ((delegation, "_check_narrows", nothing),)),
    "links live for ever": ("CAP-22", ((delegation, "_check_lifetime", nothing),)),
    "links by any signer": ("CAP-18", ((delegation, "_check_signers", nothing),)),
    "time is not asked": ("CAP-26", ((delegation.Chain, "check_now", nothing),)),
    "chains as they like": ("CAP-16", ((capability.Capability, "_check_chain", nothing),)),
    "caveats in any order": ("CAP-12", ((caveat, "write_caveats", lambda _: Anything()),)),
    "signed messages are good for ever": ("INV-6", ((invocation, "_check_times", nothing),)),
    "digests are not compared": ("INV-3", ((invocation, "check_content_digest", nothing),)),
    "any purpose": ("CAP-10", ((caveat.PurposeCaveat, "allows", yes),)),
    "any hour": ("CAP-10", ((library_http, "_check_hours", nothing),)),
    "components twice": ("SIG-14", ((http_signature, "_bounded", lambda found: found),)),
    "entries of any form": ("LED-4", ((entry, "_digest", str),)),
    "inclusion by anything": ("LED-16", ((library_ledger, "verify_inclusion", nothing),)),
    "order is not looked at": ("LED-8", ((bundle, "_out_of_order", nothing),)),
    "versions of a ledger are not compared": ("LED-19", ((bundle, "_misnamed", nothing),)),
    "released by anybody": ("REL-13", ((released, "verify_signed_by", nothing),)),
    "ids of the person leave as they are": ("REL-5", ((released, "_OWNERS", ("urn:none:",)),)),
    "numbers match texts": ("REL-6", ((released, "_same", lambda one, other: str(one) == str(other)),)),
    "terms of anybody": ("REQ-6", ((permission, "is_term", yes),)),
    "proofs that are followed are not signed along": (
        "PRF-25",
        ((proof, "_signed_along", lambda bare, *_: bare),),
    ),
    "documents by any key": ("REC-10", ((record, "verify_signed_by", of_any_key),)),
    "hours of the day are all there are": ("REQ-10", ((permission, "_minute", lambda _: 0),)),
}


def caught(requirement: str) -> bool:
    asked = [one for one in ALL if requirement in one.requirements]
    assert asked, requirement
    return any(judge(one, answered(one.operation, one.input)).status == "failed" for one in asked)


def answered(operation: str, given: Any) -> dict[str, Any]:
    try:
        return library_adapter.answer(operation, given)
    except Exception:  # noqa: BLE001 - a mutant may break down: whoever does has not answered
        return {"outcome": "broken"}


def without_purpose() -> Callable[..., Any]:
    made = proof._claim

    def claim(one: dict[str, Any], unsigned: Any, purpose: Any, *rest: Any) -> Any:
        return made(one, unsigned, one.get("proofPurpose", purpose), *rest)

    return claim


@pytest.mark.parametrize("name", MUTANTS)
def test_a_faulty_library_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    requirement, patches = MUTANTS[name]
    for place, attribute, faulty in patches:
        replaced = without_purpose() if attribute == "_claim" else faulty
        monkeypatch.setattr(place, attribute, replaced)
    assert caught(requirement)


@pytest.mark.parametrize("outcome", ["valid", "malformed", "signature-invalid"])
def test_who_says_one_thing_to_everything_is_caught(outcome: str) -> None:
    failed = [one for one in ALL if judge(one, {"outcome": outcome}).status == "failed"]
    assert len(failed) > len(ALL) / 2
