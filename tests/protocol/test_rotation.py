"""A change of keys: a version by the old decision key and the new one, and which key signs a ledger from then on."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from freehold_protocol.bundle import BundleItem, make_bundle, require_intact, verify_bundle
from freehold_protocol.canonical import without_proof
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.entry import Changed, Entry
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    ReceiptError,
    SignatureError,
    TransitionError,
    WidenedError,
)
from freehold_protocol.grant import Change, Grant, narrows, rotates, verify_grant
from freehold_protocol.keys import PublicKey, SigningKey
from freehold_protocol.ledger import entry_leaf
from freehold_protocol.merkle import root_of
from freehold_protocol.proof import add_proof, sign_document
from freehold_protocol.receipt import Receipt
from freehold_protocol.succession import Succession
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import (
    DAY_S,
    DECISION,
    LOG,
    NOW_S,
    ORIGIN,
    SERVING,
    STRANGER,
    make_grant,
    make_request,
    re_signed,
    survivors,
    uuid_urn,
)

REQUEST = make_request()
FIRST = make_grant(REQUEST)
NEW_DECISION, NEW_SERVING = SigningKey(bytes([12]) * 32), SigningKey(bytes([13]) * 32)
LAST_DECISION, LAST_SERVING = SigningKey(bytes([14]) * 32), SigningKey(bytes([15]) * 32)
LATER_S = NOW_S + DAY_S


def then(grant: Grant, change: Change, *signers: SigningKey, **members: Any) -> Grant:
    return grant.changed(change, nonce="m" * 22, created_s=LATER_S, **members).signed(*signers)


def rotated(
    grant: Grant,
    *signers: SigningKey,
    decision: SigningKey = NEW_DECISION,
    serving: SigningKey = NEW_SERVING,
) -> Grant:
    return then(grant, "rotate", *signers, keys=(decision.public, serving.public))


SECOND = rotated(FIRST, DECISION, NEW_DECISION)
PAUSED = then(SECOND, "pause", NEW_SERVING)
FOURTH = rotated(PAUSED, NEW_DECISION, LAST_DECISION, decision=LAST_DECISION, serving=LAST_SERVING)
FIFTH = then(FOURTH, "resume", LAST_DECISION)
WHOLE = Receipt(request=REQUEST, versions=(FIRST, SECOND, PAUSED, FOURTH, FIFTH))


# The version


def test_a_rotation_names_new_keys_and_changes_nothing_else() -> None:
    verify_grant(SECOND, request=REQUEST, previous=FIRST)
    assert (SECOND.decision_key, SECOND.serving_key) == (NEW_DECISION.public, NEW_SERVING.public)
    differing = {name for name in SECOND.document if SECOND.document[name] != FIRST.document.get(name)}
    assert differing == {"assigner", "servingKey", "nonce", "version", "created", "previous", "proof"}
    assert rotates(SECOND, FIRST)
    assert not rotates(PAUSED, SECOND)
    assert not narrows(SECOND, FIRST)
    assert [proof["verificationMethod"] for proof in SECOND.document["proof"]] == [
        DECISION.method, NEW_DECISION.method,
    ]  # fmt: skip


def test_a_paused_grant_rotates_and_stays_paused() -> None:
    verify_grant(FOURTH, request=REQUEST, previous=PAUSED)
    assert FOURTH.state == "paused"


def test_the_two_proofs_stand_in_one_order() -> None:
    """Else anyone could make another document, under another CID, of the same version."""
    with pytest.raises(SignatureError):
        verify_grant(rotated(FIRST, NEW_DECISION, DECISION), request=REQUEST, previous=FIRST)


@pytest.mark.parametrize(
    "signers",
    [
        (DECISION,),
        (NEW_DECISION,),
        (SERVING,),
        (STRANGER,),
        (DECISION, DECISION),
        (NEW_DECISION, NEW_DECISION),
        (DECISION, SERVING),
        (SERVING, NEW_DECISION),
        (DECISION, NEW_SERVING),
        (SERVING, NEW_SERVING),
        (DECISION, STRANGER),
        (STRANGER, NEW_DECISION),
        (DECISION, NEW_DECISION, STRANGER),
        (DECISION, NEW_DECISION, SERVING),
        (DECISION, NEW_DECISION, DECISION),
    ],
)
def test_exactly_the_two_decision_keys_sign(signers: tuple[SigningKey, ...]) -> None:
    with pytest.raises(SignatureError):
        verify_grant(rotated(FIRST, *signers), request=REQUEST, previous=FIRST)


def by_hand(before: Grant, *signers: SigningKey, **members: Any) -> Grant:
    document = {
        **without_proof(before.document),
        "version": before.version + 1, "previous": before.cid, "created": format_time(LATER_S),
        "assigner": NEW_DECISION.did, "servingKey": NEW_SERVING.did,
        **members,
    }  # fmt: skip
    made = sign_document(document, signers[0], created_s=LATER_S)
    for one in signers[1:]:
        made = add_proof(made, one, created_s=LATER_S)
    return Grant.from_dict(made)


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({}, None),
        ({"nonce": "o" * 22}, None),
        ({"state": "paused"}, WidenedError),
        ({"state": "ended"}, WidenedError),
        ({"expires": format_time(REQUEST.expires_s - 1)}, WidenedError),
        ({"permission": [REQUEST.permissions[0].to_dict()]}, WidenedError),
        ({"origins": [ORIGIN, "https://other.example"]}, WidenedError),
        ({"log": "freehold/ledger/" + "m" * 22}, WidenedError),
        ({"notBefore": format_time(NOW_S)}, WidenedError),
        ({"id": uuid_urn(9)}, WidenedError),
        ({"assignee": STRANGER.did}, WidenedError),
        ({"request": make_request(nonce="o" * 22).cid}, WidenedError),
        ({"servingKey": SERVING.did}, WidenedError),
        ({"servingKey": DECISION.did}, WidenedError),
        ({"servingKey": NEW_DECISION.did}, WidenedError),
        ({"assigner": SERVING.did}, WidenedError),
        ({"assigner": DECISION.did}, WidenedError),
        ({"assigner": NEW_SERVING.did}, WidenedError),
        ({"version": 3}, TransitionError),
        ({"previous": PAUSED.cid}, TransitionError),
    ],
)
def test_what_else_a_rotation_may_not_change(members: Document, error: type[FreeholdError] | None) -> None:
    version = by_hand(FIRST, DECISION, NEW_DECISION, **members)
    if error is None:
        verify_grant(version, request=REQUEST, previous=FIRST)
        return
    with pytest.raises(error):
        verify_grant(version, request=REQUEST, previous=FIRST)


def test_what_is_over_does_not_rotate() -> None:
    changes: tuple[Change, ...] = ("end", "expire")
    for change in changes:
        over = then(FIRST, change, SERVING)
        with pytest.raises(TransitionError):
            rotated(over, DECISION, NEW_DECISION)
        with pytest.raises(TransitionError):
            verify_grant(by_hand(over, DECISION, NEW_DECISION), request=REQUEST, previous=over)


def test_no_other_change_carries_two_proofs_or_takes_keys() -> None:
    changes: tuple[Change, ...] = ("pause", "end")
    for change in changes:
        with pytest.raises(MalformedError):
            verify_grant(then(FIRST, change, DECISION, SERVING), request=REQUEST, previous=FIRST)
        with pytest.raises(TypeError):
            then(FIRST, change, DECISION, keys=(NEW_DECISION.public, NEW_SERVING.public))
    with pytest.raises(TypeError):
        then(FIRST, "rotate", DECISION, NEW_DECISION)
    with pytest.raises(MalformedError):
        verify_grant(
            Grant.from_dict(add_proof(FIRST.document, NEW_DECISION, created_s=NOW_S)), request=REQUEST
        )


def test_no_mutation_of_a_rotation_verifies() -> None:
    passed = survivors(
        SECOND.document,
        lambda changed: verify_grant(Grant.from_dict(changed), request=REQUEST, previous=FIRST),
        at_least=100,
    )
    assert passed == []


# What comes after it


@pytest.mark.parametrize("change", ["narrow", "pause", "end", "expire", "rotate"])
@pytest.mark.parametrize("key", [DECISION, SERVING])
def test_an_old_key_signs_nothing_newer(change: Change, key: SigningKey) -> None:
    members: Document = {}
    if change == "rotate":
        members["keys"] = (LAST_DECISION.public, LAST_SERVING.public)
    signers = (key, LAST_DECISION) if change == "rotate" else (key,)
    with pytest.raises(SignatureError):
        verify_grant(then(SECOND, change, *signers, **members), request=REQUEST, previous=SECOND)


def test_the_new_keys_sign_what_comes_after() -> None:
    assert WHOLE.verify() == FIFTH
    assert Receipt.from_dict(WHOLE.to_dict()).verify() == FIFTH
    assert WHOLE.serving_keys == (SERVING.public, NEW_SERVING.public, LAST_SERVING.public)


@pytest.mark.parametrize(
    "versions",
    [
        (FIRST, PAUSED),
        (FIRST, SECOND, FOURTH),
        (SECOND,),
        (SECOND, PAUSED),
        (FIRST, FOURTH),
        (FIRST, then(FIRST, "pause", NEW_SERVING)),
        (FIRST, SECOND, then(FIRST, "pause", SERVING)),
    ],
)
def test_versions_that_do_not_belong_together(versions: tuple[Grant, ...]) -> None:
    with pytest.raises(ReceiptError):
        Receipt(request=REQUEST, versions=versions).verify()


@pytest.mark.requirement("ROT-4")
@pytest.mark.parametrize(
    ("decision", "serving"),
    [(DECISION, LAST_SERVING), (LAST_DECISION, SERVING), (SERVING, LAST_SERVING), (LAST_DECISION, DECISION)],
)
def test_a_key_that_was_given_up_never_comes_back(decision: SigningKey, serving: SigningKey) -> None:
    back = rotated(SECOND, NEW_DECISION, decision, decision=decision, serving=serving)
    verify_grant(back, request=REQUEST, previous=SECOND)  # of the two alone it cannot be seen
    with pytest.raises(ReceiptError, match="comes back"):
        Receipt(request=REQUEST, versions=(FIRST, SECOND, back)).verify()


# The ledger

CHANGES = "approve rotate pause rotate resume"
VERSIONS = (FIRST, SECOND, PAUSED, FOURTH, FIFTH)
KEYS = (SERVING, NEW_SERVING, LAST_SERVING)
SIGNS_AT = (0, 0, 1, 1, 2, 2)
"""Which key signs a checkpoint of each size."""


def item(number: int, change: str, grant: Grant) -> BundleItem:
    entry: Entry = Changed(
        number=number, time_s=NOW_S, change=change, grant=grant.cid, version=grant.version, epoch=number
    )
    salt = hashlib.sha256(b"salt %d" % number).digest()
    document = entry.to_dict()
    return BundleItem(leaf=entry_leaf(document, salt), entry=document, salt=salt)


ITEMS = tuple(
    item(number, change, grant)
    for number, (change, grant) in enumerate(zip(CHANGES.split(), VERSIONS, strict=True))
)


def note(size: int, key: SigningKey, *, items: tuple[BundleItem, ...] = ITEMS) -> str:
    root = root_of(each.leaf for each in items[:size])
    return sign_checkpoint(Checkpoint(origin=LOG, size=size, root=root), key)


def bundle(
    size: int = 5, *, key: SigningKey | None = None, receipt: Receipt | None = WHOLE, **more: Any
) -> Document:
    key = key or KEYS[SIGNS_AT[size]]
    made = make_bundle(
        origin=LOG, serving=key.public, checkpoint=note(size, key), items=ITEMS[:size], receipt=receipt
    )
    return made | more


@pytest.mark.requirement("ROT-13")
@pytest.mark.parametrize("size", range(6))
@pytest.mark.parametrize("key", range(3))
def test_each_size_is_signed_by_one_key(size: int, key: int) -> None:
    succession = Succession(keys=tuple(one.public for one in KEYS), changes=(1, 3))
    assert succession.signers(size) == (KEYS[SIGNS_AT[size]].public,)
    if key == SIGNS_AT[size]:
        assert succession.verify(note(size, KEYS[key]), origin=LOG).size == size
        return
    with pytest.raises(SignatureError):
        succession.verify(note(size, KEYS[key]), origin=LOG)


@pytest.mark.parametrize("size", range(1, 6))
@pytest.mark.parametrize("key", range(3))
def test_a_bundle_is_signed_by_the_key_of_its_size(size: int, key: int) -> None:
    verdict = verify_bundle(bundle(size, key=KEYS[key]))
    assert verdict.faults == (() if key == SIGNS_AT[size] else ("key",))


@pytest.mark.parametrize("size", range(1, 6))
@pytest.mark.parametrize("key", range(3))
def test_an_earlier_checkpoint_is_by_the_key_of_its_size(size: int, key: int) -> None:
    verdict = verify_bundle(bundle(), earlier=[note(size, KEYS[key])])
    assert verdict.faults == (() if key == SIGNS_AT[size] else ("rolled-back",))


def test_every_checkpoint_ever_kept_is_continued() -> None:
    kept = [note(size, KEYS[SIGNS_AT[size]]) for size in range(6)]
    assert require_intact(bundle(), earlier=kept).status == "intact"
    assert require_intact(bundle(receipt=None), earlier=[], receipt=WHOLE).status == "intact"


def test_an_old_ledger_holds_beside_a_receipt_that_went_on() -> None:
    for size in range(1, 6):
        assert verify_bundle(bundle(size, receipt=None), receipt=WHOLE).status == "intact"


def test_a_receipt_that_is_behind_the_ledger_names_no_key_for_it() -> None:
    behind = Receipt(request=REQUEST, versions=VERSIONS[:3])
    assert verify_bundle(bundle(receipt=behind)).faults == ("key",)
    assert verify_bundle(bundle(3, receipt=behind)).status == "intact"


OTHER_REQUEST = make_request(nonce="o" * 22)


@pytest.mark.parametrize(
    "receipt",
    [
        Receipt(request=REQUEST, versions=(FIRST, PAUSED)),
        Receipt(request=OTHER_REQUEST, versions=(FIRST,)),
        Receipt(request=REQUEST, versions=(make_grant(REQUEST, log="freehold/ledger/" + "m" * 22),)),
    ],
)
def test_a_receipt_that_does_not_hold_or_is_another_ledgers(receipt: Receipt) -> None:
    verdict = verify_bundle(bundle(1, receipt=receipt))
    assert verdict.faults == ("receipt",)
    assert verdict.status == "damaged"


def test_entries_name_the_versions_of_the_receipt() -> None:
    other = Receipt(request=REQUEST, versions=(make_grant(REQUEST, nonce="o" * 22),))
    verdict = verify_bundle(bundle(1, receipt=other))
    assert [(one.number, one.damage) for one in verdict.damaged] == [(0, "version")]


def test_without_a_receipt_the_named_key_is_taken_at_its_word() -> None:
    assert verify_bundle(bundle(receipt=None)).status == "intact"
    assert verify_bundle(bundle(receipt=None, key=STRANGER)).status == "intact"
    assert verify_bundle(bundle(receipt=None), key=SERVING.public).faults == ("key",)


def test_a_rotation_that_the_ledger_does_not_tell_gives_its_key_nothing_to_sign() -> None:
    untold = ITEMS[:1]
    for key, faults in ((SERVING, ()), (NEW_SERVING, ("key",))):
        made = make_bundle(
            origin=LOG, serving=key.public, checkpoint=note(1, key), items=untold,
            receipt=Receipt(request=REQUEST, versions=(FIRST, SECOND)),
        )  # fmt: skip
        assert verify_bundle(made).faults == faults


@pytest.mark.requirement("ROT-13")
def test_who_cannot_read_the_changes_accepts_the_keys_in_their_order() -> None:
    keys = tuple(one.public for one in KEYS)
    hidden = Succession(keys=keys, is_whole=False)
    assert hidden.signers(1) == hidden.signers(5) == keys
    one_known = Succession(keys=keys, changes=(3,), is_whole=False)
    assert one_known.signers(2) == keys[:2]
    assert one_known.signers(4) == keys[1:]


@settings(max_examples=60)
@given(
    st.integers(1, 5),
    st.lists(st.integers(0, 20), max_size=4, unique=True),
    st.integers(0, 25),
    st.integers(0, 25),
    st.booleans(),
)
def test_no_key_comes_before_an_earlier_one(
    count: int, changes: list[int], size: int, more: int, is_whole: bool
) -> None:
    keys = tuple(SigningKey(bytes([100 + n]) * 32).public for n in range(count))
    made = Succession(keys=keys, changes=tuple(sorted(changes))[: count - 1], is_whole=is_whole)
    before, after = made.signers(size), made.signers(size + more)

    def places(found: tuple[PublicKey, ...]) -> list[int]:
        return [keys.index(one) for one in found]

    assert before
    assert after
    assert max(places(before)) <= max(places(after))
    assert min(places(before)) <= min(places(after))
    assert not is_whole or len(before) == 1


def test_a_set_of_any_other_size_or_form_is_none() -> None:
    one, other = SECOND.document["proof"]
    for proofs in ([], [one], [one, other, one], [one, other] * 5, [1, 2], [one, "x"], "x", None):
        with pytest.raises(FreeholdError):
            verify_grant(
                Grant.from_dict({**SECOND.document, "proof": proofs}), request=REQUEST, previous=FIRST
            )
    assert re_signed(SECOND.document, DECISION)["proof"]["verificationMethod"] == DECISION.method
