from __future__ import annotations

import pytest
from freehold_node.imports import read_file, vcard_cards
from freehold_protocol.errors import MalformedError, TooLargeError


def card(body: str | bytes, version: str = "3.0") -> bytes:
    body = body.replace("\n", "\r\n").encode() if isinstance(body, str) else body
    return b"BEGIN:VCARD\r\nVERSION:" + version.encode() + b"\r\n" + body + b"\r\nEND:VCARD\r\n"


BAD_CARDS = [
    (b"BEGIN:VCARD\nVERSION:3.0\nFN:Bob\n", "no END:VCARD before the next card"),
    (card("KIND:group\nFN:Bob", "4.0"), "group"),
    (card("X-ADDRESSBOOKSERVER-KIND:group\nFN:Bob"), "group"),
    (card("KIND:location\nFN:Bob", "4.0"), "place"),
    (card("FN:Bob", "5.0"), "version"),
    (card("FN:Bob", ""), "version"),
    (card("X-A:1\nN:;;;;"), "nothing in it"),
    (card("\n".join(f"NOTE:Bob{n}" for n in range(2_100))), "too many lines"),
    (card("\n".join(["PHOTO;BASE64:", *[" A"] * 200_001])), "too many lines"),
    (card("\n".join(f"NOTE:{n}{'x' * 60_000}" for n in range(5))), "more text"),
    (b"BEGIN:VCARD\nVERSION:2.1\nAGENT:\nBEGIN:VCARD\nFN:Bob\nEND:VCARD\n", "no END:VCARD before"),
    (b"BEGIN:VCARD\nVERSION:2.1\n" + b"AGENT:\nBEGIN:VCARD\n" * 50_000, "no END:VCARD before"),
    (card(b"AGENT:\nBEGIN:VCARD\nEND:VCARD\n" * 50_000), "too many lines"),
    (b"BEGIN:VCARD\nBEGIN:VCARD\nEND:VCARD\n", "no END:VCARD before"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_CARDS, ids=range(len(BAD_CARDS)))
def test_a_broken_card_is_named_and_the_others_are_read(bad: bytes, reason: str) -> None:
    preview = read_file(card("FN:Ada") + bad + card("FN:Cleo"))
    assert [found.label for found in preview.found] == ["Ada", "Cleo"]
    assert preview.skipped[0].where == "card 2, line 5"
    assert reason in preview.skipped[0].reason
    assert "Bob" not in str(preview.skipped)


def test_a_file_that_is_cut_off_keeps_what_came_before() -> None:
    preview = read_file((card("FN:Ada") + card("FN:Bob"))[:-4])
    assert [found.label for found in preview.found] == ["Ada"]
    assert "cut off" in preview.skipped[0].reason


def test_what_stands_outside_the_cards_is_named_once_for_each_place() -> None:
    preview = read_file(b"x\ny\n\n" + card("FN:Ada") + b"\nEND:VCARD\nz\n" + card("FN:Cleo") + b"\x1a")
    assert [one.where for one in preview.skipped] == ["lines 1-2", "lines 9-10"]


def test_a_card_without_a_version_is_read_as_3() -> None:
    (found,) = read_file(b"BEGIN:VCARD\nNOTE:a\\nb\nEND:VCARD").found
    assert found.document["description"] == "a\nb"
    assert found.skipped[0].where == "card 1, line 1: VERSION"


def test_too_many_cards_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcard_cards, "MAX_CARDS", 3)
    assert len(read_file(b"".join(card(f"FN:{n}") for n in range(3))).found) == 3
    with pytest.raises(TooLargeError, match="cards"):
        read_file(b"".join(card(f"FN:{n}") for n in range(4)))


@pytest.mark.parametrize(
    "data",
    [
        b"BEGIN:VCARD\n" + b"\r" * 1_000_001,
        b"BEGIN:VCARD\n" + b"FN;A=" + b'"' * 1_000_000 + b"\nEND:VCARD",
        b"BEGIN:VCARD\n" + b"a." * 1_500_000 + b"\nEND:VCARD",
        b"BEGIN:VCARD\nFN" + b";" * 1_000_000 + b"\nEND:VCARD",
        b"BEGIN:VCARD\nFN;QUOTED-PRINTABLE:" + b"=\n" * 1_000_000 + b"\nEND:VCARD",
        card(b"X:" + b"\\" * 1_000_000),
        b"BEGIN:VCARD\n" * 100_000,
        b"x\n" * 999_999 + b"BEGIN:VCARD",
    ],
    ids=range(8),
)
def test_bombs_end_in_a_refusal(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_file(data)


def test_long_lists_take_no_longer_for_each_value() -> None:
    many = ",".join(f"{n}" for n in range(10_000))
    preview = read_file(card("\n".join(f"CATEGORIES:{n},{many}" for n in range(15))))
    assert len(preview.found[0].document["keywords"]) == 10_000
