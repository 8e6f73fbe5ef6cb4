"""Checkpoints as C2SP signed notes: one form, one key, witnesses ignored."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from typing import Any

import pytest
from freehold_protocol.checkpoint import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Checkpoint,
    key_id,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from freehold_protocol.errors import (
    FreeholdError,
    LedgerError,
    MalformedError,
    SignatureError,
    TooLargeError,
)
from freehold_protocol.keys import SigningKey
from freehold_protocol.merkle import EMPTY_ROOT, MAX_SIZE
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = SigningKey(b"\x01" * 32)
OTHER = SigningKey(b"\x02" * 32)
ORIGIN = "freehold/ledger/AAAAAAAAAAAAAAAAAAAAAA"
HEAD = Checkpoint(origin=ORIGIN, size=3, root=hashlib.sha256(b"root").digest())
NOTE = sign_checkpoint(HEAD, KEY)
BODY, SIGNED = NOTE.split("\n\n")
WITNESS = "— witness.example/w " + base64.b64encode(bytes(76)).decode() + "\n"


def reopened(text: str) -> Checkpoint:
    return open_checkpoint(text, origin=ORIGIN, key=KEY.public)


def signed(text: str, *, name: str = ORIGIN, key: SigningKey = KEY) -> str:
    """A note over any text, so that only its form can be at fault."""
    made = base64.b64encode(key_id(name, key.public) + key.sign(text.encode())).decode()
    return f"{text}\n— {name} {made}\n"


def test_what_was_signed_is_read_again() -> None:
    assert reopened(NOTE) == HEAD
    assert parse_checkpoint(NOTE) == HEAD


def test_the_note_has_the_published_form() -> None:
    root = base64.b64encode(HEAD.root).decode()
    body = f"{ORIGIN}\n3\n{root}\n"
    hint = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + KEY.public.raw).digest()[:4]
    line = base64.b64encode(hint + KEY.sign(body.encode())).decode()
    assert f"{body}\n— {ORIGIN} {line}\n" == NOTE


@pytest.mark.parametrize("size", [1, 10, 2**32, MAX_SIZE])
def test_every_size_is_read_again(size: int) -> None:
    head = Checkpoint(origin=ORIGIN, size=size, root=HEAD.root)
    assert reopened(sign_checkpoint(head, KEY)) == head


def test_the_empty_ledger_has_the_empty_root() -> None:
    head = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    assert reopened(sign_checkpoint(head, KEY)) == head
    with pytest.raises(MalformedError):
        Checkpoint(origin=ORIGIN, size=0, root=HEAD.root)


@pytest.mark.parametrize(
    "changed",
    [
        {"size": -1},
        {"size": 2**63},
        {"root": b""},
        {"root": bytes(31)},
        {"origin": ""},
        {"origin": "freehold/ledger/short"},
        {"origin": "freehold/ledger/" + "A" * 65},
        {"origin": "freehold/ledger/" + "A" * 21 + " "},
        {"origin": "freehold/ledger/" + "A" * 22 + "\n"},
        {"origin": "freehold/ledger/" + "A" * 21 + "+"},
        {"origin": "other/ledger/" + "A" * 22},
    ],
)
def test_no_other_checkpoint_is_signed(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        Checkpoint(**{"origin": ORIGIN, "size": 3, "root": HEAD.root, **changed})


# Whose checkpoint it is


def test_another_ledgers_checkpoint_is_refused() -> None:
    other = Checkpoint(origin="freehold/ledger/" + "B" * 22, size=3, root=HEAD.root)
    with pytest.raises(LedgerError):
        reopened(sign_checkpoint(other, KEY))


def test_another_keys_checkpoint_is_refused() -> None:
    with pytest.raises(SignatureError):
        reopened(sign_checkpoint(HEAD, OTHER))


def test_a_signature_moved_to_another_text_is_refused() -> None:
    with pytest.raises(SignatureError):
        reopened(BODY.replace("\n3\n", "\n4\n") + "\n\n" + SIGNED)


def test_a_key_id_without_its_key_is_not_enough() -> None:
    forged = base64.b64encode(key_id(ORIGIN, KEY.public) + OTHER.sign(HEAD.to_text().encode())).decode()
    with pytest.raises(SignatureError):
        reopened(f"{BODY}\n\n— {ORIGIN} {forged}\n")
    with pytest.raises(SignatureError):  # also beside a good one
        reopened(f"{NOTE}— {ORIGIN} {forged}\n")
    short = base64.b64encode(key_id(ORIGIN, KEY.public) + b"x").decode()
    with pytest.raises(SignatureError):
        reopened(f"{BODY}\n\n— {ORIGIN} {short}\n")


# Witnesses


def test_witnesses_are_let_pass() -> None:
    assert reopened(NOTE + WITNESS) == HEAD
    assert reopened(BODY + "\n\n" + WITNESS + SIGNED) == HEAD
    assert reopened(NOTE + WITNESS * (MAX_SIGNATURES - 1)) == HEAD
    large = "— post.example/q " + base64.b64encode(bytes(5_000)).decode() + "\n"
    assert reopened(NOTE + large * 16) == HEAD  # signed-note: a verifier accepts at least 16


def test_a_witness_under_our_name_or_our_key_id_alone_is_a_stranger() -> None:
    same_name = base64.b64encode(b"\0\0\0\0" + bytes(64)).decode()
    same_id = base64.b64encode(key_id(ORIGIN, KEY.public) + bytes(64)).decode()
    assert reopened(f"{NOTE}— {ORIGIN} {same_name}\n— witness.example/w {same_id}\n") == HEAD


def test_witnesses_alone_sign_nothing() -> None:
    with pytest.raises(SignatureError):
        reopened(BODY + "\n\n" + WITNESS)


def test_signatures_are_bounded() -> None:
    with pytest.raises(TooLargeError):
        reopened(NOTE + WITNESS * MAX_SIGNATURES)
    with pytest.raises(TooLargeError):
        reopened(NOTE + "— w.example/w " + "A" * MAX_NOTE_BYTES + "\n")


# Form

ROOT_LINE = base64.b64encode(HEAD.root).decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        f"{ORIGIN}\n",
        f"{ORIGIN}\n3\n",
        f"{ORIGIN}\n3\n{ROOT_LINE}",
        f"{ORIGIN}\n3\n{ROOT_LINE}\n\n",
        f"\n{ORIGIN}\n3\n{ROOT_LINE}\n",
        f"{ORIGIN}\n3\n{ROOT_LINE}\nextension\n",
        f"{ORIGIN}\n\n3\n{ROOT_LINE}\n",
        f" {ORIGIN}\n3\n{ROOT_LINE}\n",
        f"{ORIGIN} \n3\n{ROOT_LINE}\n",
        f"{ORIGIN}\r\n3\r\n{ROOT_LINE}\r\n",
        f"{ORIGIN}\n03\n{ROOT_LINE}\n",
        f"{ORIGIN}\n+3\n{ROOT_LINE}\n",
        f"{ORIGIN}\n-3\n{ROOT_LINE}\n",
        f"{ORIGIN}\n3.0\n{ROOT_LINE}\n",
        f"{ORIGIN}\n٣\n{ROOT_LINE}\n",
        f"{ORIGIN}\n3 \n{ROOT_LINE}\n",
        f"{ORIGIN}\n\n{ROOT_LINE}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT_LINE}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT_LINE}\n",
        f"{ORIGIN}\n0\n{ROOT_LINE}\n",
        f"{ORIGIN}\n3\n{ROOT_LINE[:-1]}\n",
        f"{ORIGIN}\n3\n{ROOT_LINE[:-4]}\n",
        f"{ORIGIN}\n3\n{ROOT_LINE.replace('=', '')}\n",
        f"{ORIGIN}\n3\n{ROOT_LINE} \n",
        f"{ORIGIN}\n3\n\n",
        f"{ORIGIN}\n3\n{ROOT_LINE}\t\n",
        f"{ORIGIN}\n3\n{ROOT_LINE}\x00\n",
        f"{ORIGIN}\n3\n{'é' * 44}\n",
    ],
)
def test_a_text_of_another_form_is_malformed_though_signed(body: str) -> None:
    with pytest.raises(MalformedError):
        reopened(signed(body))


@pytest.mark.parametrize(
    "below",
    [
        "",
        "\n",
        SIGNED.rstrip("\n"),
        SIGNED + "\n",
        SIGNED + "rest\n",
        SIGNED.replace("— ", "-- "),
        SIGNED.replace("— ", "—"),
        SIGNED.replace("— ", "—  "),
        SIGNED.replace("— ", "—\u00a0"),
        SIGNED.replace("\n", " \n"),
        SIGNED.replace("\n", "\r\n"),
        SIGNED.replace(ORIGIN, ""),
        SIGNED.replace(ORIGIN, "a b"),
        SIGNED.replace(ORIGIN, "a+b"),
        f"— {ORIGIN}\n",
        f"— {ORIGIN} \n",
        f"— {ORIGIN} AAAA\n",
        f"— {ORIGIN} AAAAAA==\n",
        f"— {ORIGIN} AAAAAAB=\n",
        f"— {ORIGIN} -_-_-_-_\n",
        SIGNED + "— w.example/w !\n",
    ],
)
def test_signature_lines_of_another_form_are_malformed(below: str) -> None:
    with pytest.raises(MalformedError):
        reopened(f"{BODY}\n\n{below}")


def test_half_a_surrogate_pair_is_malformed() -> None:
    with pytest.raises(MalformedError):
        reopened(NOTE.replace("freehold", "freehol\ud800", 1))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(NOTE.encode()) * 8 - 1))
def test_one_changed_bit_is_refused(bit: int) -> None:
    data = bytearray(NOTE.encode())
    data[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(FreeholdError):
        reopened(data.decode(errors="surrogateescape"))


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(st.sampled_from([ORIGIN, "3", ROOT_LINE, "", "—", SIGNED, " ", "0"]), max_size=8).map(
            "\n".join
        ),
    )
)
def test_no_text_ends_in_another_error(text: str) -> None:
    with contextlib.suppress(FreeholdError):
        assert reopened(text) == HEAD
