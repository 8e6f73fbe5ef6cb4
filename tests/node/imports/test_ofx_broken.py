"""Bank files that are cut off, torn, huge, or made to do harm."""

from __future__ import annotations

import pytest
from freehold_node.imports import read_file
from freehold_protocol.contexts import check_terms
from freehold_protocol.errors import FreeholdError, MalformedError, TooDeepError, TooLargeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ACCOUNT = "<CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>2<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>"
OPEN = f"<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>{ACCOUNT}"
GOOD = "<STMTTRN><DTPOSTED>20261102<TRNAMT>1<FITID>%s<NAME>good</STMTTRN>"
CLOSE = "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"


def numbers(text: str) -> list[str]:
    found = read_file(text.encode()).found
    return [str(one.document["identifier"]) for one in found if one.document["type"] == "MoneyTransfer"]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE OFX [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE OFX [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "head", [BOMB, OUTSIDE, '<!DOCTYPE OFX SYSTEM "http://127.0.0.1:1/ofx.dtd">', "<!ELEMENT a>"]
)
def test_a_document_type_is_refused(head: str) -> None:
    for text in (head + OPEN + GOOD % "&c;&x;" + CLOSE, OPEN + head.partition("?>")[2] + GOOD % 1 + CLOSE):
        if "<!" in text:
            with pytest.raises(MalformedError, match="document type or entities"):
                read_file(text.encode())


def test_an_entity_is_one_of_xml_or_nothing_at_all() -> None:
    name = "&lt;&#65;&#x42;&amp;lt;&c;&bogus;&#99999999;&#xD800;"
    (found,) = [
        one
        for one in read_file((OPEN + GOOD.replace("good", name) % 1 + CLOSE).encode()).found
        if "name" in one.document
    ]
    assert found.document["name"] == "<AB&lt;&c;&bogus;&#99999999;\ufffd"


def test_a_less_than_sign_in_a_value_is_text() -> None:
    text = OPEN + GOOD.replace("good", "A < B <3 <") % 1 + CLOSE
    assert read_file(text.encode()).found[-1].document["name"] == "A < B <3 <"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (OPEN + GOOD % 1 + GOOD % 2, ["1", "2"]),
        (OPEN + GOOD % 1 + "<STMTTRN><DTPOSTED>20261102<TRNAMT>1<FITID>2", ["1"]),
        (OPEN + GOOD % 1 + "<STMTTRN><DTPOSTED>20261102<TRN", ["1"]),
        (OPEN + "<STMTTRN><DTPOSTED>20261102<TRNAMT>1" + GOOD % 2 + CLOSE, ["2"]),
        (OPEN + GOOD % 1 + "</STMTTRN></NOTHING></STMTTRN>" + GOOD % 2 + CLOSE, ["1", "2"]),
        (OPEN + GOOD % 1 + "<!-- never closed " + GOOD % 2, ["1"]),
        (OPEN + GOOD % 1 + "<![CDATA[ never closed " + GOOD % 2, ["1"]),
        (OPEN + (GOOD % 1).replace("<FITID>1", "<FITID>1</FITID></FITID><X/>") + CLOSE, ["1"]),
        (OPEN + (GOOD % 1).replace("<NAME>good", "<NAME>good<NAME>") + CLOSE, ["1"]),
        (OPEN + (GOOD % 1).replace("<NAME>good", "<PAYEE><NAME>good") + CLOSE, ["1"]),
        (OPEN.replace("<CURDEF>EUR", "<CURDEF>") + GOOD % 1 + CLOSE, ["1"]),
        ("<OFX>" + GOOD % 1 + OPEN.removeprefix("<OFX>") + GOOD % 2 + CLOSE, ["2"]),
    ],
)
def test_what_is_broken_costs_only_itself(text: str, kept: list[str]) -> None:
    assert numbers(text) == kept


@pytest.mark.parametrize("cut", range(len(OPEN), len(OPEN) + 300, 23))
def test_a_file_that_is_cut_off_anywhere_keeps_what_came_before_and_says_so(cut: int) -> None:
    text = (OPEN + "".join(GOOD % n for n in range(9)) + CLOSE)[:cut]
    preview = read_file(text.encode())
    assert preview.found[0].document["type"] == "BankAccount"
    assert len(preview.found) >= 1 + (cut - len(OPEN)) // len(GOOD % 0)
    assert any("cut off" in one.reason for one in preview.skipped)


def test_bounds() -> None:
    with pytest.raises(TooLargeError, match="20000 statements and transactions"):
        read_file((OPEN + "".join(GOOD % n for n in range(20_000))).encode())
    with pytest.raises(TooLargeError, match="1000000 tags"):
        read_file((OPEN + "</A>" * 1_000_001).encode())
    with pytest.raises(TooLargeError, match="1000000 tags"):
        read_file((OPEN + "<" * 1_000_002).encode())
    with pytest.raises(TooDeepError):
        read_file(("<OFX>" + "<STATUS>" * 40).encode())


@pytest.mark.parametrize("piece", ["<!--", "<?", "<![CDATA[", "<A ", "&", "&#", "<OFX>x", "<A>1"])
def test_many_of_one_thing_take_no_more_time_than_their_size(piece: str) -> None:
    text = OPEN + piece * 50_000
    try:
        read_file(text.encode())
    except FreeholdError:
        return


def test_a_transaction_of_a_hundred_thousand_parts_is_read_in_part() -> None:
    parts = "".join(f"<X{n}>1" for n in range(100_000))
    preview = read_file(
        (OPEN + "<STMTTRN><DTPOSTED>20261102<TRNAMT>1<FITID>1" + parts + "</STMTTRN>" + CLOSE).encode()
    )
    assert len(preview.found) == 2
    assert len(preview.skipped) < 600


@pytest.mark.parametrize(
    "data",
    [
        b"<xml><a/></xml>",
        b"say <OFX> here",
        b"name,<OFX>\n1,2\n",
        b"OFXHEADER:100\nno body\n",
        b"<?xml?>" * 2_000 + b"<OFX>",
    ],
)
def test_what_only_mentions_it_is_something_else(data: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        read_file(data)
    assert "the OFX file" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(MalformedError, match="not text"):
        read_file(b"CHARSET:UTF-8\n".join([b"OFXHEADER:100\n", OPEN.encode() + b"\x81\xff" + CLOSE.encode()]))


PIECES = [
    "<OFX>", "<STMTRS>", "</STMTRS>", "<STMTTRN>", "</STMTTRN>", "<BANKACCTFROM>", "</BANKACCTFROM>",
    "<ACCTID>", "1", "<", ">", "</", "/>", "<TRNAMT>", "-1.5", "<DTPOSTED>", "20261102", "<FITID>", "<NAME>",
    "</NAME>", "<CURRENCY>", "<CURSYM>", "EUR", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "&amp;",
    "&#0;", "&x;", "\n", "\r", " ", "é", "\0", "<X/>", "<X Y>", "<INVSTMTRS>", "<LEDGERBAL>", "</LEDGERBAL>",
    "<CORRECTFITID>",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_torn_files_are_read_or_refused(pieces: list[str]) -> None:
    try:
        preview = read_file((OPEN + "".join(pieces)).encode())
    except FreeholdError:
        return
    assert len({found.key for found in preview.found}) == len(preview.found)
    for found in preview.found:
        check_terms(found.document)
