"""Receipts: a request and every version that answered it hold together, at any time, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json, parse_document
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    ReceiptError,
    SignatureError,
    TransitionError,
    WidenedError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request
from hypothesis import given, settings
from signed_documents import (
    DAY_S,
    DECISION,
    NOW_S,
    SERVING,
    STRANGER,
    VENDOR,
    json_values,
    make_draft,
    make_grant,
    make_request,
    re_signed,
    spoiled,
    survivors,
    with_member,
)

REQUEST = make_request()
FIRST = make_grant(REQUEST)


def then(grant: Grant, change: Any, key: Any = DECISION, **members: Any) -> Grant:
    given = {"nonce": "m" * 22, "created_s": NOW_S + DAY_S, **members}
    return grant.changed(change, **given).signed(key)


SECOND = then(FIRST, "narrow", SERVING, permissions=REQUEST.permissions[:1])
THIRD = then(SECOND, "pause", SERVING)
FOURTH = then(THIRD, "resume")
FIFTH = then(FOURTH, "end", SERVING)
WHOLE = Receipt(request=REQUEST, versions=(FIRST, SECOND, THIRD, FOURTH, FIFTH))


def test_a_receipt() -> None:
    assert WHOLE.verify() == FIFTH
    for count in range(1, 6):
        part = Receipt(request=REQUEST, versions=WHOLE.versions[:count])
        assert part.verify() == WHOLE.versions[count - 1]
    again = Receipt.from_dict(parse_document(jcs(WHOLE.to_dict())))
    assert again == WHOLE
    assert again.verify() == FIFTH
    assert WHOLE.to_dict().keys() == {"type", "request", "versions"}
    assert Receipt.from_dict(WHOLE.to_dict()).to_dict() == WHOLE.to_dict()


def test_a_receipt_goes_on_from_any_of_its_beginnings() -> None:
    for held in range(1, 6):
        beginning = Receipt(request=REQUEST, versions=WHOLE.versions[:held])
        for first in range(held + 1):  # what is held already may come again
            assert beginning.continued_by(WHOLE.versions[first:]) == WHOLE
        assert beginning.continued_by(()) == beginning


@pytest.mark.parametrize(
    ("held", "later"),
    [
        (1, (THIRD,)),  # one is left out
        (1, (THIRD, SECOND)),
        (1, (SECOND, SECOND)),
        (2, (then(FIRST, "pause", SERVING), THIRD)),  # another life
        (2, (make_grant(REQUEST, nonce="o" * 22),)),
        (5, (then(FOURTH, "end", SERVING, nonce="q" * 22),)),
        (2, (then(SECOND, "widen", SERVING, permissions=REQUEST.permissions),)),  # not by this key
        (2, (then(SECOND, "pause", STRANGER),)),
    ],
)
def test_what_does_not_continue_a_receipt(held: int, later: tuple[Grant, ...]) -> None:
    with pytest.raises(ReceiptError):
        Receipt(request=REQUEST, versions=WHOLE.versions[:held]).continued_by(later)


@pytest.mark.parametrize(
    ("versions", "cause"),
    [
        ((), None),
        ((SECOND,), TransitionError),
        ((FIRST, THIRD), TransitionError),  # one is left out
        ((FIRST, FIRST), TransitionError),
        ((SECOND, FIRST), TransitionError),
        ((FIRST, SECOND, SECOND), TransitionError),
        ((FIRST, SECOND, THIRD, FOURTH, FIFTH, FIFTH), TransitionError),
        ((make_grant(REQUEST, nonce="o" * 22), SECOND), TransitionError),  # of another life
        ((make_draft(REQUEST),), MalformedError),  # never signed
        ((make_draft(REQUEST).signed(SERVING),), SignatureError),
        ((FIRST, SECOND, then(SECOND, "widen", SERVING, permissions=REQUEST.permissions)), SignatureError),
        ((FIRST, SECOND, THIRD, then(THIRD, "resume", SERVING)), SignatureError),
        ((make_grant(make_request(nonce="o" * 22)),), WidenedError),
    ],
)
def test_versions_that_do_not_belong_together(
    versions: tuple[Grant, ...], cause: type[FreeholdError] | None
) -> None:
    with pytest.raises(ReceiptError) as raised:
        Receipt(request=REQUEST, versions=versions).verify()
    assert type(raised.value.__cause__) is (cause or type(None))


def test_a_request_that_does_not_hold() -> None:
    forged = Request.from_dict(re_signed(REQUEST.document, STRANGER))
    grant = make_grant(forged)
    with pytest.raises(ReceiptError) as raised:
        Receipt(request=forged, versions=(grant,)).verify()
    assert isinstance(raised.value.__cause__, SignatureError)


def test_the_vendor_cannot_swap_what_it_asked() -> None:
    more = Request.from_dict(re_signed({**REQUEST.document, "terms": "all yours"}, VENDOR))
    more.verify(now_s=NOW_S)
    with pytest.raises(ReceiptError):
        Receipt(request=more, versions=(FIRST,)).verify()


def test_no_mutation_verifies() -> None:
    document = Receipt(request=REQUEST, versions=(FIRST, SECOND)).to_dict()
    passed = survivors(document, lambda changed: Receipt.from_dict(changed).verify(), at_least=200)
    assert passed == [".versions-1"]  # the beginning of a receipt is a receipt


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"type": "Receipt", "request": REQUEST.document},
        {"type": "Receipt", "versions": [FIRST.document]},
        {"request": REQUEST.document, "versions": [FIRST.document]},
        {**WHOLE.to_dict(), "type": "LedgerBundle"},
        {**WHOLE.to_dict(), "versions": FIRST.document},
        {**WHOLE.to_dict(), "versions": [None]},
        {**WHOLE.to_dict(), "versions": [REQUEST.document]},
        {**WHOLE.to_dict(), "request": FIRST.document},
        {**WHOLE.to_dict(), "note": "x"},
    ],
)
def test_what_is_no_receipt(document: Json) -> None:
    with pytest.raises(MalformedError):
        Receipt.from_dict(document)


@settings(max_examples=100)
@given(json_values | spoiled(Receipt(request=REQUEST, versions=(FIRST, SECOND)).to_dict()))
def test_any_json_value_is_a_receipt_or_a_freehold_error(value: Any) -> None:
    try:
        Receipt.from_dict(value).verify()
    except FreeholdError:
        return
    assert set(value) == {"type", "request", "versions"}


def test_an_error_says_what_does_not_hold_and_no_value() -> None:
    spoiled_: Document = with_member(WHOLE.to_dict(), "versions.1.permission.0.retention", "P31D")
    with pytest.raises(ReceiptError, match="does not hold") as raised:
        Receipt.from_dict(spoiled_).verify()
    assert "P31D" not in str(raised.value)


# A vendor that is no did:key

WEB = "did:web:shop.example"
WEB_REQUEST = make_request(method=f"{WEB}#key-1")


def web_receipt(request: Request = WEB_REQUEST, key: Any = VENDOR) -> Receipt:
    first = make_grant(request, vendor_key=key.public)
    return Receipt(request=request, versions=(first, then(first, "pause", SERVING)))


def test_the_receipt_of_a_did_web_holds_without_its_document() -> None:
    receipt = web_receipt()
    assert receipt.verify().state == "paused"
    again = Receipt.from_dict(parse_document(jcs(receipt.to_dict())))
    assert again == receipt
    assert again.verify().vendor_key == VENDOR.public
    shorter = [".versions-1"]  # the beginning of a receipt is one too
    assert survivors(receipt.to_dict(), lambda one: Receipt.from_dict(one).verify(), at_least=100) == shorter


@pytest.mark.parametrize(
    "receipt",
    [
        web_receipt(key=STRANGER),  # the person says that another key had asked
        web_receipt(make_request(STRANGER, method=f"{WEB}#key-1")),
        web_receipt(
            Request.from_dict(re_signed(WEB_REQUEST.document, VENDOR))
        ),  # by the did:key, for the did:web
    ],
)
def test_the_key_that_the_grant_names_must_have_asked(receipt: Receipt) -> None:
    with pytest.raises(ReceiptError):
        receipt.verify()
