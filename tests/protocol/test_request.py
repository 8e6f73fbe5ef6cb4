"""Requests: their form, their times, and that only the vendor's own proof holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.did_document import DidDocument, Use, make_did_document
from freehold_protocol.encoding import Document, Json, cid_of, format_time, parse_document
from freehold_protocol.errors import (
    FreeholdError,
    IncompleteRequestError,
    MalformedError,
    SignatureError,
    StaleSignatureError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_protocol.keys import PublicKey, SigningKey
from freehold_protocol.proof import sign_document
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request, matching_code
from hypothesis import given, settings
from signed_documents import (
    DAY_S,
    NOW_S,
    STRANGER,
    VENDOR,
    asked,
    json_values,
    make_grant,
    make_request,
    permission_document,
    re_signed,
    spoiled,
    survivors,
    with_member,
    without_member,
)

REQUEST = make_request(
    benefit="Free delivery.\nFor a year.", terms="No selling on.", contact="privacy@shop.example"
)
DOCUMENT = REQUEST.document
MOST_S = limits.MAX_GRANT_DAYS * DAY_S


def test_a_request() -> None:
    assert REQUEST.vendor == VENDOR.did
    assert REQUEST.vendor_name == "Example Shop"
    assert REQUEST.created_s == NOW_S
    assert REQUEST.expires_s == NOW_S + 30 * DAY_S
    assert REQUEST.permissions == asked()
    assert REQUEST.benefit == "Free delivery.\nFor a year."
    assert REQUEST.terms == "No selling on."
    assert REQUEST.contact == "privacy@shop.example"
    REQUEST.verify(now_s=NOW_S)
    again = Request.from_dict(parse_document(jcs(DOCUMENT)))
    assert again == REQUEST
    assert again.cid == REQUEST.cid == cid_of(jcs(DOCUMENT))


def test_what_may_be_left_out() -> None:
    bare = make_request()
    assert (bare.benefit, bare.terms, bare.contact) == (None, None, None)
    assert not {"benefit", "terms", "contact"} & bare.document.keys()
    with_terms = Request.from_dict(re_signed({**bare.document, "terms": "p7012:SD-BASE"}, VENDOR))
    assert with_terms.terms == "p7012:SD-BASE"
    with_terms.verify(now_s=NOW_S)


def test_no_mutation_verifies() -> None:
    def check(document: Document) -> None:
        Request.from_dict(document).verify(now_s=NOW_S)

    assert survivors(DOCUMENT, check, at_least=100) == []


@settings(max_examples=200)
@given(json_values | spoiled(DOCUMENT))
def test_any_json_value_is_a_request_or_a_freehold_error(value: Any) -> None:
    try:
        request = Request.from_dict(value)
        request.verify(now_s=NOW_S)
    except FreeholdError:
        return
    assert jcs(value) == jcs(DOCUMENT)


@pytest.mark.parametrize(
    "name", ["@context", "type", "id", "nonce", "created", "expires", "assignee", "permission", "proof"]
)
def test_members_that_are_needed(name: str) -> None:
    with pytest.raises(MalformedError) as raised:
        Request.from_dict(without_member(DOCUMENT, name))
    assert isinstance(raised.value, IncompleteRequestError) == (name == "expires")


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("@context", "https://schema.org", MalformedError),
        ("@context", [form.CONTEXT], MalformedError),
        ("type", "AccessGrant", MalformedError),
        ("type", ["AccessRequest"], MalformedError),
        ("id", "urn:uuid:1", MalformedError),
        ("nonce", "short", MalformedError),
        ("created", "2026-11-23", MalformedError),
        ("expires", None, MalformedError),
        ("expires", "never", MalformedError),
        ("assignee", VENDOR.did, MalformedError),
        ("assignee.id", "shop.example", MalformedError),
        ("assignee.type", "Person", MalformedError),
        ("assignee.name", "", MalformedError),
        ("assignee.name", "x" * 121, TooLargeError),
        ("assignee.name", "Example Shop\nVouched for by your bank", MalformedError),
        ("assignee.name", "Example \u202epohS", MalformedError),
        ("assignee.name", "\u200d", MalformedError),
        ("assignee.logo", "https://shop.example/logo.png", MalformedError),
        ("permission", [], MalformedError),
        ("permission", {}, MalformedError),
        ("permission", [permission_document(f"p{n}") for n in range(17)], TooLargeError),
        ("permission.0.purpose", [], IncompleteRequestError),
        ("permission.0.retention", "", IncompleteRequestError),
        ("permission.0.items.0.fields.0", "nickname", UndefinedTermError),
        ("permission.0.questions", ["age over 18"], UnsupportedError),
        ("benefit", "", MalformedError),
        ("benefit", "x" * 2001, TooLargeError),
        ("benefit", None, MalformedError),
        ("terms", "x" * 301, TooLargeError),
        ("terms", "a\nb", MalformedError),
        ("contact", "a\nb", MalformedError),
        ("contact", 7, MalformedError),
        ("returnTo", "https://shop.example", MalformedError),
        ("note", "x", MalformedError),
    ],
)
def test_wrong_members(path: str, value: Json, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        Request.from_dict(with_member(DOCUMENT, path, value))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("late_s", "error"),
    [
        (0, None),
        (-limits.CLOCK_SKEW_S, None),
        (-limits.CLOCK_SKEW_S - 1, StaleSignatureError),
        (DAY_S, None),
        (DAY_S + 1, StaleSignatureError),
    ],
)
def test_when_it_was_made(late_s: int, error: type[FreeholdError] | None) -> None:
    if error is None:
        REQUEST.verify(now_s=NOW_S + late_s)
    else:
        with pytest.raises(error):
            REQUEST.verify(now_s=NOW_S + late_s)


@pytest.mark.parametrize(
    ("expires_s", "now_s", "good"),
    [
        (NOW_S + 1, NOW_S, True),
        (NOW_S, NOW_S, False),
        (NOW_S - 1, NOW_S, False),
        (NOW_S + 10, NOW_S + 10, False),
        (NOW_S + MOST_S, NOW_S, True),
        (NOW_S + MOST_S + 1, NOW_S, False),
        # Whether it asks for too long does not depend on when it is looked at, since a receipt is looked at later.
        (NOW_S + MOST_S + 1, NOW_S + DAY_S, False),
        (NOW_S - 5, NOW_S - 10, False),  # made a little in the future, to end before it was made
    ],
)
def test_when_the_access_ends(expires_s: int, now_s: int, good: bool) -> None:
    request = make_request(expires_s=expires_s)
    if good:
        request.verify(now_s=now_s)
    else:
        with pytest.raises(IncompleteRequestError):
            request.verify(now_s=now_s)


@pytest.mark.parametrize("late_s", [-limits.CLOCK_SKEW_S, 0, DAY_S // 2, DAY_S])
@pytest.mark.parametrize("ends_s", [1, 61, DAY_S, DAY_S + 1, MOST_S, MOST_S + 1, MOST_S + DAY_S])
def test_what_a_node_takes_in_makes_a_receipt_that_holds(late_s: int, ends_s: int) -> None:
    request = make_request(expires_s=NOW_S + ends_s)
    try:
        request.verify(now_s=NOW_S + late_s)
    except IncompleteRequestError:
        return
    grant = make_grant(request, created_s=NOW_S, not_before_s=NOW_S)
    assert Receipt(request=request, versions=(grant,)).verify() == grant


def test_who_signed_it() -> None:
    for document in (
        re_signed(DOCUMENT, STRANGER),
        re_signed(DOCUMENT, VENDOR, purpose="authentication"),
        re_signed(DOCUMENT, VENDOR, created_s=NOW_S + 1),  # the proof was made at another time than it says
        re_signed(DOCUMENT, VENDOR, created_s=None),
        re_signed({**DOCUMENT, "created": format_time(NOW_S + 1)}, VENDOR),
        {**DOCUMENT, "assignee": {**DOCUMENT["assignee"], "id": STRANGER.did}},
    ):
        with pytest.raises(SignatureError):
            Request.from_dict(document).verify(now_s=NOW_S)
    for other in ("did:example:shop", "did:key:zDnaeWgbpcUat3VPa1GqrsLFyMk6BVLEpYXyFTsT8LAFkZJC8"):
        with pytest.raises(UnsupportedError):
            Request.from_dict(re_signed(with_member(DOCUMENT, "assignee.id", other), VENDOR)).verify(
                now_s=NOW_S
            )


WEB = "did:web:shop.example"
WEB_KEYS = DidDocument.from_dict(make_did_document(WEB, {f"{WEB}#key-1": VENDOR.public}), WEB).keys


def of_web(use: Use = "assertionMethod") -> Callable[[str], PublicKey]:
    return partial(WEB_KEYS.key, use=use)


def test_a_did_web_vendor_signs_by_the_method_that_its_document_lists() -> None:
    request = make_request(method=f"{WEB}#key-1")
    assert request.vendor == WEB
    assert request.method == f"{WEB}#key-1"
    request.verify(now_s=NOW_S, key_of=of_web())
    with pytest.raises(UnsupportedError):  # nothing is known of its keys
        request.verify(now_s=NOW_S)


@pytest.mark.parametrize(
    ("key", "method"),
    [
        (VENDOR, f"{WEB}#key-2"),
        (VENDOR, WEB),
        (VENDOR, f"{WEB}:a#key-1"),
        (STRANGER, f"{WEB}#key-1"),
    ],
)
def test_a_did_web_request_that_its_document_does_not_bear_out(key: SigningKey, method: str) -> None:
    with pytest.raises(SignatureError):
        make_request(key=key, method=method).verify(now_s=NOW_S, key_of=of_web())


def test_a_did_web_vendor_does_not_sign_by_another_did() -> None:
    web = with_member(DOCUMENT, "assignee.id", WEB)
    for key_of in (of_web(), PublicKey.from_method):
        with pytest.raises(SignatureError):  # VENDOR's did:key method, for the did:web
            Request.from_dict(re_signed(web, VENDOR)).verify(now_s=NOW_S, key_of=key_of)
    by_web = Request.from_dict(
        sign_document(without_proof(DOCUMENT), VENDOR, created_s=NOW_S, method=f"{WEB}#key-1")
    )
    with pytest.raises(SignatureError):  # and a did:web's method for a did:key
        by_web.verify(now_s=NOW_S, key_of=of_web())


@pytest.mark.parametrize("proof", [None, [], {}, {"verificationMethod": 7}, {"verificationMethod": None}])
def test_a_proof_that_names_no_method(proof: Json) -> None:
    with pytest.raises(MalformedError):
        _ = Request.from_dict({**DOCUMENT, "proof": proof}).method


def test_the_code_on_both_screens() -> None:
    code = matching_code(REQUEST.cid)
    assert code == matching_code(REQUEST.cid)
    assert len(code) == 9
    assert code[4] == "-"
    assert code.replace("-", "").isdigit()


def test_codes_use_all_their_digits() -> None:
    """Ten thousand codes spread over every digit of every place: none of the eight is wasted."""
    codes = [matching_code(cid_of(str(number).encode())) for number in range(10_000)]
    assert len(set(codes)) > 9_980
    for place in (0, 1, 2, 3, 5, 6, 7, 8):
        counts = Counter(code[place] for code in codes)
        assert len(counts) == 10
        assert min(counts.values()) > 800
    pairs = Counter(code[-2:] for code in codes)
    assert len(pairs) == 100
