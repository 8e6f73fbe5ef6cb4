"""A whole ledger, checked offline: intact, erased, hidden or damaged; and no changed bit slips through."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from freehold_protocol.bundle import (
    BundleItem,
    BundleVerdict,
    Damage,
    Fault,
    make_bundle,
    require_intact,
    verify_bundle,
)
from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import Document, base64url_encode, cid_of, parse_document, parse_json
from freehold_protocol.entry import CHANGES, Admitted, Changed, Entry, Erased, Received, Refused
from freehold_protocol.errors import (
    FreeholdError,
    LedgerError,
    MalformedError,
    RolledBackError,
    UnsupportedError,
)
from freehold_protocol.keys import SigningKey
from freehold_protocol.ledger import entry_leaf, released_digest, signature_digest
from freehold_protocol.merkle import parse_proof, root_of, verify_inclusion
from hypothesis import given, settings
from hypothesis import strategies as st

ORIGIN = "freehold/ledger/AAAAAAAAAAAAAAAAAAAAAA"
KEY = SigningKey(b"\x01" * 32)
OTHER_KEY = SigningKey(b"\x02" * 32)
WHO = SigningKey(b"\x05" * 32).did
DIGEST = signature_digest(b"x")
START_S = 1_795_435_200
PLAN = "approve read read narrow read pause refuse resume read receive end"
KIND_AT = dict(enumerate(PLAN.split()))
SIZE = len(KIND_AT)


def salt(number: int) -> bytes:
    return hashlib.sha256(b"salt %d" % number).digest()


def entry(word: str, number: int, time_s: int | None = None) -> Entry:
    when = START_S + number if time_s is None else time_s
    if word == "read":
        return Admitted(
            number=number, time_s=when, who=WHO, chain=(DIGEST,), action="read", permission="delivery",
            route="/g/{grant}/{permission}/records", method="GET", fields=("givenName",), count=1, version=1,
            signature=DIGEST, released=released_digest(salt(number), b"{}"),
        )  # fmt: skip
    if word == "refuse":
        return Refused(
            number=number, time_s=when, who=WHO, chain=(DIGEST,), code="grant-paused", hour_s=START_S, count=3
        )
    if word == "receive":
        return Received(number=number, time_s=when, who=WHO, acknowledges=1, signature=DIGEST)
    revoked = DIGEST if word == "revoke" else None
    return Changed(
        number=number, time_s=when, change=word, grant=cid_of(b"{}"), version=1, epoch=number, revoked=revoked
    )


def item(made: Entry) -> BundleItem:
    document, own_salt = made.to_dict(), salt(made.number)
    return BundleItem(leaf=entry_leaf(document, own_salt), entry=document, salt=own_salt)


def without_body(whole: BundleItem) -> BundleItem:
    return BundleItem(leaf=whole.leaf)


def note(items: Sequence[BundleItem], *, key: SigningKey = KEY, origin: str = ORIGIN) -> str:
    root = root_of(each.leaf for each in items)
    return sign_checkpoint(Checkpoint(origin=origin, size=len(items), root=root), key)


def bundle_of(
    items: Sequence[BundleItem], *, checkpoint: str | None = None, holder: str | None = None
) -> Document:
    return make_bundle(
        origin=ORIGIN, serving=KEY.public, checkpoint=checkpoint or note(items), items=items, holder=holder
    )


@cache
def whole() -> tuple[BundleItem, ...]:
    return tuple(item(entry(word, number)) for number, word in KIND_AT.items())


def planned(plan: str) -> list[BundleItem]:
    return [item(entry(word, number)) for number, word in enumerate(plan.split())]


def erased(items: Sequence[BundleItem], number: int, *, leaf: bytes | None = None) -> list[BundleItem]:
    """Take a body away and append the notice."""
    gone = base64url_encode(items[number].leaf if leaf is None else leaf)
    at = len(items)
    notice = Erased(number=at, time_s=START_S + at, erases=number, leaf=gone)
    return [*items[:number], without_body(items[number]), *items[number + 1 :], item(notice)]


def damages(verdict: BundleVerdict) -> list[tuple[int, str | None]]:
    return [(each.number, each.damage) for each in verdict.damaged]


# What holds


def test_a_whole_ledger_is_intact() -> None:
    verdict = require_intact(bundle_of(whole()), key=KEY.public)
    assert verdict.status == "intact"
    assert [each.number for each in verdict.entries] == list(range(SIZE))
    assert {each.status for each in verdict.entries} == {"intact"}
    assert (verdict.checkpoint.size, verdict.serving, verdict.holder) == (SIZE, KEY.public, None)


def test_a_ledger_without_entries_is_intact() -> None:
    assert require_intact(bundle_of([]), earlier=[note([])]).entries == ()


def test_every_earlier_checkpoint_is_continued() -> None:
    kept = [note(whole()[:size]) for size in range(SIZE + 1)]
    assert require_intact(bundle_of(whole()), earlier=kept).status == "intact"


def test_an_erasure_with_notice_is_no_damage() -> None:
    items = erased(erased(whole(), 2), 6)
    verdict = require_intact(bundle_of(items), earlier=[note(whole())])
    assert verdict.status == "erased"
    assert [each.number for each in verdict.entries if each.status == "erased"] == [2, 6]


def test_a_holder_is_not_shown_what_is_not_its_own() -> None:
    items = [
        without_body(each) if number in (1, 6) else each for number, each in enumerate(erased(whole(), 2))
    ]
    verdict = require_intact(bundle_of(items, holder=WHO))
    assert verdict.holder == WHO
    assert verdict.status == "erased"
    assert {each.number: each.status for each in verdict.entries if each.status != "intact"} == {
        1: "hidden",
        2: "erased",
        6: "hidden",
    }


def test_a_bundle_survives_being_a_file() -> None:
    document = bundle_of(erased(whole(), 2))
    assert require_intact(parse_document(jcs(document))).status == "erased"


def test_the_bundle_is_not_changed_by_its_check() -> None:
    document = bundle_of(whole())
    before = jcs(document)
    verify_bundle(document)
    assert jcs(document) == before


@pytest.mark.parametrize(
    "plan",
    [
        "approve read widen read narrow read",
        "approve pause narrow widen resume read",
        "approve pause resume pause resume read",
        "approve revoke read record-deleted read",
        "approve pause refuse receive end expire revoke",
        "approve",
    ],
)
def test_reads_while_the_grant_is_live_are_in_order(plan: str) -> None:
    assert require_intact(bundle_of(planned(plan))).status == "intact"


# What does not


@pytest.mark.parametrize(
    ("plan", "number"),
    [
        ("read", 0),
        ("narrow read", 1),
        ("approve pause read", 2),
        ("approve end read", 2),
        ("approve expire read", 2),
        ("approve pause narrow read", 3),
        ("approve pause widen revoke refuse read", 5),
        ("approve pause resume pause read", 4),
        ("approve end narrow record-deleted read", 4),
    ],
)
def test_a_read_while_the_grant_is_stopped_is_out_of_order(plan: str, number: int) -> None:
    document = bundle_of(planned(plan))
    assert damages(verify_bundle(document)) == [(number, "order")]
    with pytest.raises(LedgerError, match=f"entry {number} is damaged: order"):
        require_intact(document)


def test_an_erased_body_does_not_open_a_stopped_grant() -> None:
    items = erased(planned("approve pause refuse read"), 2)
    assert damages(verify_bundle(bundle_of(items))) == [(3, "order")]


def test_behind_a_hidden_entry_the_state_is_unknown() -> None:
    items = planned("approve pause resume read")
    items[2] = without_body(items[2])
    assert verify_bundle(bundle_of(items, holder=WHO)).status == "intact"


def test_time_never_decreases() -> None:
    words = ["approve", "read", "read"]
    times = (START_S, START_S, START_S - 1)
    items = [item(entry(word, number, times[number])) for number, word in enumerate(words)]
    assert damages(verify_bundle(bundle_of(items))) == [(2, "time")]


@pytest.mark.parametrize("number", range(SIZE))
def test_an_altered_entry_is_named(number: int) -> None:
    document = bundle_of(whole())
    document["entries"][number] = copy.deepcopy(document["entries"][number])
    document["entries"][number]["entry"]["time"] = "2026-11-24T00:00:00Z"
    verdict = verify_bundle(document)
    assert damages(verdict) == [(number, "leaf")]
    assert verdict.status == "damaged"
    with pytest.raises(LedgerError, match=f"entry {number} is damaged: leaf"):
        require_intact(document)


@pytest.mark.parametrize("number", range(SIZE))
def test_a_deleted_row_is_named(number: int) -> None:
    items = [each for at, each in enumerate(whole()) if at != number]
    verdict = verify_bundle(bundle_of(items, checkpoint=note(whole())))
    assert damages(verdict) == [(number, "missing")]
    assert verdict.damaged[0].last == number
    assert verdict.faults == ("root",)
    with pytest.raises(LedgerError, match=f"entry {number} "):
        require_intact(bundle_of(items, checkpoint=note(whole())))


def test_a_gap_of_several_rows_is_one_verdict() -> None:
    items = [*whole()[:2], *whole()[5:]]
    verdict = verify_bundle(bundle_of(items, checkpoint=note(whole())))
    assert [(each.number, each.last) for each in verdict.damaged] == [(2, 4)]


def test_a_cut_off_end_is_named() -> None:
    verdict = verify_bundle(bundle_of(whole()[:4], checkpoint=note(whole())))
    assert [(each.number, each.damage, each.last) for each in verdict.damaged] == [(4, "missing", SIZE - 1)]


@pytest.mark.requirement("LED-11", "LED-19")
@pytest.mark.parametrize("number", range(SIZE))
def test_a_body_that_is_gone_without_notice_is_named(number: int) -> None:
    items = [without_body(each) if at == number else each for at, each in enumerate(whole())]
    assert (number, "no-notice") in damages(verify_bundle(bundle_of(items)))


def test_a_notice_of_another_leaf_excuses_nothing() -> None:
    items = erased(whole(), 2, leaf=bytes(32))
    assert damages(verify_bundle(bundle_of(items))) == [(2, "no-notice")]
    assert damages(verify_bundle(bundle_of(items, holder=WHO))) == [(2, "no-notice")]


def test_an_altered_notice_excuses_nothing() -> None:
    document = bundle_of(erased(whole(), 2))
    document["entries"][-1]["entry"]["time"] = "2026-11-24T00:00:00Z"
    assert damages(verify_bundle(document)) == [(2, "no-notice"), (SIZE, "leaf")]


def test_a_notice_that_is_itself_gone_excuses_nothing() -> None:
    items = erased(erased(whole(), 2), SIZE)
    assert damages(verify_bundle(bundle_of(items))) == [(2, "no-notice")]


def test_swapped_and_repeated_entries_are_named() -> None:
    one, two = whole()[1:3]
    verdict = verify_bundle(bundle_of([whole()[0], two, one, *whole()[3:]], checkpoint=note(whole())))
    assert damages(verdict) == [(1, "missing"), (1, "number")]
    assert verdict.faults == ("root",)
    verdict = verify_bundle(bundle_of([*whole()[:3], two, *whole()[3:]], checkpoint=note(whole())))
    assert damages(verdict) == [(2, "number")]
    verdict = verify_bundle(bundle_of([*whole()[:3], two, *whole()[3:]]))  # even where it is signed
    assert (2, "number") in damages(verdict)


def test_what_the_checkpoint_does_not_sign_is_not_proven() -> None:
    verdict = verify_bundle(bundle_of(whole(), checkpoint=note(whole()[:9])))
    assert damages(verdict) == [(9, "uncovered"), (10, "uncovered")]
    assert verdict.faults == ()
    with pytest.raises(LedgerError):
        require_intact(bundle_of(whole(), checkpoint=note(whole()[:9])))


def test_a_far_number_does_not_cost_memory() -> None:
    far = item(entry("read", 2**53 - 1, START_S))
    verdict = verify_bundle(bundle_of([whole()[0], far]))
    assert [(each.number, each.damage, each.last) for each in verdict.damaged] == [
        (1, "missing", 2**53 - 2),
        (2**53 - 1, "uncovered", None),
    ]


# Signatures and earlier checkpoints


def test_a_rewritten_entry_with_its_leaf_is_not_what_was_signed() -> None:
    items = [*whole()[:2], item(entry("read", 2, START_S + 1)), *whole()[3:]]
    document = bundle_of(items, checkpoint=note(whole()))
    assert verify_bundle(document).faults == ("root",)
    with pytest.raises(LedgerError, match="root"):
        require_intact(document)


def test_a_rewritten_and_signed_ledger_is_rolled_back_for_who_kept_a_checkpoint() -> None:
    items = [*whole()[:2], item(entry("read", 2, START_S + 1)), *whole()[3:]]
    assert require_intact(bundle_of(items)).status == "intact"  # nobody else can tell
    assert require_intact(bundle_of(items), earlier=[note(whole()[:2])]).status == "intact"
    for size in range(3, SIZE + 1):
        with pytest.raises(RolledBackError):
            require_intact(bundle_of(items), earlier=[note(whole()[:2]), note(whole()[:size])])


def test_a_shortened_and_signed_ledger_is_rolled_back() -> None:
    shorter = bundle_of(whole()[:5])
    assert require_intact(shorter).status == "intact"
    verdict = verify_bundle(shorter, earlier=[note(whole()[:6])])
    assert (verdict.status, verdict.faults) == ("damaged", ("rolled-back",))
    with pytest.raises(RolledBackError):
        require_intact(shorter, earlier=[note(whole())])


def test_an_earlier_checkpoint_of_another_ledger_or_key_is_not_continued() -> None:
    for other in (note(whole()[:3], key=OTHER_KEY), note(whole()[:3], origin="freehold/ledger/" + "B" * 22)):
        with pytest.raises(RolledBackError):
            require_intact(bundle_of(whole()), earlier=[other])


def test_the_checkpoint_is_the_serving_keys() -> None:
    forged = bundle_of(whole(), checkpoint=note(whole(), key=OTHER_KEY))
    assert verify_bundle(forged).faults == ("signature",)
    with pytest.raises(LedgerError, match="signature"):
        require_intact(forged)


def test_the_serving_key_is_the_one_demanded() -> None:
    forged = make_bundle(
        origin=ORIGIN, serving=OTHER_KEY.public, checkpoint=note(whole(), key=OTHER_KEY), items=whole()
    )
    assert require_intact(forged).serving == OTHER_KEY.public  # taken at its word
    assert verify_bundle(forged, key=KEY.public).faults == ("key",)
    with pytest.raises(LedgerError, match="key"):
        require_intact(forged, key=KEY.public)


def test_the_checkpoint_is_this_ledgers() -> None:
    document = {**bundle_of(whole()), "origin": "freehold/ledger/" + "B" * 22}
    assert verify_bundle(document).faults == ("signature",)


# Form


def test_an_entry_and_its_salt_go_together() -> None:
    with pytest.raises(ValueError, match="salt"):
        BundleItem(leaf=bytes(32), salt=bytes(32))
    with pytest.raises(ValueError, match="salt"):
        BundleItem(leaf=bytes(32), entry={})


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "Ledger"},
        {"type": None},
        {"servingKey": KEY.public.multikey},
        {"servingKey": KEY.public.did + "#key"},
        {"servingKey": "did:key:z0"},
        {"servingKey": None},
        {"checkpoint": None},
        {"checkpoint": ""},
        {"checkpoint": ["note"]},
        {"entries": None},
        {"entries": {}},
        {"holder": None},
        {"holder": "shop"},
        {"extra": 1},
    ],
)
def test_a_bundle_of_another_form_is_malformed(changed: Document) -> None:
    with pytest.raises(MalformedError):
        verify_bundle({**bundle_of(whole()), **changed})


@pytest.mark.requirement("LED-18")
@pytest.mark.parametrize("name", ["type", "origin", "servingKey", "checkpoint", "entries"])
def test_a_bundle_lacks_nothing(name: str) -> None:
    with pytest.raises(MalformedError):
        verify_bundle({key: value for key, value in bundle_of(whole()).items() if key != name})


def test_another_kind_of_key_is_unsupported() -> None:
    for did in ("did:web:shop.example", "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"):
        with pytest.raises(UnsupportedError):
            verify_bundle({**bundle_of(whole()), "servingKey": did})


@pytest.mark.parametrize("origin", [None, 1, [], "", ORIGIN + "\n"])
def test_another_origin_of_any_form_is_a_fault(origin: Any) -> None:
    assert verify_bundle({**bundle_of(whole()), "origin": origin}).faults == ("signature",)


def test_an_earlier_checkpoint_of_another_form_is_malformed() -> None:
    with pytest.raises(MalformedError):
        verify_bundle(bundle_of(whole()), earlier=["not a note"])


@pytest.mark.parametrize(
    ("changed", "damage"),
    [
        ({"leaf": None}, "form"),
        ({"leaf": "A"}, "form"),
        ({"leaf": "A" * 43}, "leaf"),
        ({"salt": None}, "form"),
        ({"salt": ""}, "form"),
        ({"salt": "A" * 43}, "leaf"),
        ({"salt": base64url_encode(bytes(31))}, "form"),
        ({"entry": None}, "leaf"),
        ({"entry": []}, "leaf"),
        ({"entry": "text"}, "leaf"),
        ({"entry": {}}, "leaf"),
        ({"entry": {"number": 2**60}}, "form"),
        ({"entry": None, "salt": None}, "no-notice"),
        ({"extra": 1}, "form"),
    ],
)
def test_an_item_of_another_form_is_that_entrys_damage(changed: Document, damage: str) -> None:
    document = bundle_of(whole())
    document["entries"][4] = {**document["entries"][4], **changed}
    assert (4, damage) in damages(verify_bundle(document))


@pytest.mark.parametrize("broken", [None, [], "", 1, {}, {"entry": None, "salt": None}])
def test_what_is_no_item_is_that_entrys_damage(broken: Any) -> None:
    document = bundle_of(whole())
    document["entries"][4] = broken
    verdict = verify_bundle(document)
    assert damages(verdict) == [(4, "form")]
    assert verdict.faults == ("root",)


@pytest.mark.parametrize("body", [[], "text", None, {}, {"kind": "admitted"}, {"number": 4}, 4])
def test_a_leaf_that_is_right_over_no_entry_is_damage_of_form(body: Any) -> None:
    bad = BundleItem(leaf=entry_leaf(body, salt(4)), entry=body if body is not None else {}, salt=salt(4))
    items = [*whole()[:4], bad, *whole()[5:]]
    document = bundle_of(items)
    document["entries"][4]["entry"] = body
    assert damages(verify_bundle(document)) == [(4, "form")]


def test_a_number_spelled_as_a_fraction_is_damage_though_its_leaf_is_the_same() -> None:
    document = bundle_of(whole())
    document["entries"][4]["entry"] = {**document["entries"][4]["entry"], "number": 4.0}
    assert damages(verify_bundle(document)) == [(4, "form")]


# Any single bit


def assert_caught(data: bytes, *, earlier: Sequence[str] = ()) -> None:
    with pytest.raises(FreeholdError):
        require_intact(parse_document(data), earlier=earlier, key=KEY.public)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


@cache
def file() -> bytes:
    return jcs(bundle_of(erased(whole(), 2)))


@pytest.mark.requirement("LED-20")
@settings(max_examples=250, deadline=None)
@given(st.integers(0, len(file()) * 8 - 1))
def test_one_changed_bit_of_the_file_is_caught(bit: int) -> None:
    assert_caught(flip(file(), bit))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, SIZE), st.sampled_from(["entry", "salt", "leaf"]), st.data())
def test_one_changed_bit_of_an_entry_its_salt_or_its_leaf_names_it(
    number: int, part: str, data: st.DataObject
) -> None:
    """As the bytes stand in a database, so without what JSON would notice."""
    items = erased(whole(), 2)
    document = bundle_of(items)
    stored = document["entries"][number]
    if stored["entry"] is None and part != "leaf":
        return
    if part == "entry":
        row = jcs(stored["entry"])
        try:
            stored["entry"] = parse_document(flip(row, data.draw(st.integers(0, len(row) * 8 - 1), "bit")))
        except MalformedError:
            return
    else:
        whole_item = items[number]
        held = whole_item.salt if part == "salt" else whole_item.leaf
        assert held is not None
        stored[part] = base64url_encode(flip(held, data.draw(st.integers(0, 255), "bit")))
    assert number in [each.number for each in verify_bundle(document).damaged]
    with pytest.raises(LedgerError):
        require_intact(document)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_one_changed_bit_of_an_earlier_checkpoint_is_caught(data: st.DataObject) -> None:
    kept = note(whole()[:5]).encode()
    bit = data.draw(st.integers(0, len(kept) * 8 - 1), "bit")
    assert_caught(file(), earlier=[flip(kept, bit).decode(errors="surrogateescape")])


@pytest.mark.requirement("LED-19", "LED-20")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, SIZE - 1), max_size=SIZE + 2))
def test_any_other_choice_of_rows_is_damaged(rows: list[int]) -> None:
    items = [whole()[row] for row in rows]
    expected = "intact" if rows == list(range(SIZE)) else "damaged"
    assert verify_bundle(bundle_of(items, checkpoint=note(whole()))).status == expected


# The specification's page

PAGE = Path(__file__).resolve().parents[2] / "specs" / "ledger.md"


def test_the_worked_example_holds() -> None:
    read, page, proof = (
        parse_json(block.encode()) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    )
    verdict = require_intact(page, key=KEY.public)
    assert verdict.status == "erased"
    assert [each.status for each in verdict.entries] == ["intact", "erased", "intact", "intact"]

    own_salt = b"\x01" * 32
    leaf = entry_leaf(read, own_salt)
    assert base64url_encode(leaf) == page["entries"][1]["leaf"]
    verify_inclusion(leaf=leaf, index=1, size=4, proof=parse_proof(proof), root=verdict.checkpoint.root)
    kept = Entry.from_dict(read)
    assert isinstance(kept, Admitted)
    assert kept.released == released_digest(own_salt, b'{"givenName":"Ada","type":"Person"}')


def test_the_page_names_every_kind_change_verdict_and_fault() -> None:
    text = PAGE.read_text()
    words = [
        *CHANGES,
        *get_args(Damage),
        *get_args(Fault),
        "admitted",
        "changed",
        "refused",
        "received",
        "erased",
    ]
    assert [word for word in words if f"`{word}`" not in text] == []
    numbers = re.findall(r"^### LED-(\d+)$", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
