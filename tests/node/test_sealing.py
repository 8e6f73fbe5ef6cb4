"""What is sealed is opened by its key, for what it was bound to, and by nothing else."""

from __future__ import annotations

import pytest
from freehold_node.sealing import NONCE_BYTES, open_sealed, seal
from hypothesis import given
from hypothesis import strategies as st

KEY, OTHER = bytes(range(32)), bytes(32)


@given(st.binary(max_size=16), st.binary(max_size=50), st.none() | st.binary(min_size=24, max_size=24))
def test_what_is_sealed_is_opened(plain: bytes, bound: bytes, nonce: bytes | None) -> None:
    text = seal(KEY, plain, bound=bound, nonce=nonce)
    assert open_sealed(KEY, text, bound=bound) == plain
    assert open_sealed(OTHER, text, bound=bound) is None
    assert open_sealed(KEY, text, bound=bound + b"x") is None


def test_without_a_nonce_the_same_is_sealed_the_same_and_anything_else_is_not() -> None:
    assert seal(KEY, b"1", bound=b"a") == seal(KEY, b"1", bound=b"a")
    found = {
        seal(key, plain, bound=bound)[:32]
        for key in (KEY, OTHER)
        for plain in (b"1", b"2")
        for bound in (b"a", b"b")
    }
    assert len(found) == 8  # not even the nonces
    nonces = (bytes(NONCE_BYTES), bytes([1]) * NONCE_BYTES)
    assert len({seal(KEY, b"1", bound=b"a", nonce=nonce) for nonce in nonces}) == 2


SEALED = seal(KEY, b"12345678", bound=b"a")


@pytest.mark.parametrize(
    "text",
    ["", "A", "AAAA", "A" * 32, "A" * 64, "A" * 100, "A" * 5000, SEALED[:-1], SEALED + "A", SEALED + "=",
     SEALED[::-1], SEALED.swapcase(), "ß" * 64, "\0" * 64, " " + SEALED],
)  # fmt: skip
def test_anything_else_opens_nothing(text: str) -> None:
    assert open_sealed(KEY, text, bound=b"a") is None


@given(st.text(max_size=120))
def test_no_text_is_an_error(text: str) -> None:
    assert open_sealed(KEY, text, bound=b"a") is None
