"""Bank statements: what an account and a transaction become, and what is said of the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_node.imports import Preview, read_file
from freehold_protocol.contexts import check_terms
from freehold_protocol.errors import MalformedError
from freehold_protocol.record import check_content

HEAD = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n"
SIGNON = (
    "<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>"
    "<FI><ORG>Example Bank</FI></SONRS></SIGNONMSGSRSV1>"
)
ACCOUNT = "<BANKACCTFROM><BANKID>12345678<ACCTID>DE0212345<ACCTTYPE>CHECKING</BANKACCTFROM>"
COFFEE = (
    "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20261102<TRNAMT>-2.50<FITID>a1<NAME>Caf&amp;e<MEMO>Coffee</STMTTRN>"
)


def statement(*booked: str, account: str = ACCOUNT, currency: str = "EUR", kind: str = "STMTRS") -> str:
    inside = f"<CURDEF>{currency}{account}<BANKTRANLIST>{''.join(booked)}</BANKTRANLIST>"
    return f"<BANKMSGSRSV1><STMTTRNRS><{kind}>{inside}</{kind}></STMTTRNRS></BANKMSGSRSV1>"


def ofx(*booked: str, **more: str) -> bytes:
    return f"{HEAD}<OFX>{SIGNON}{statement(*booked, **more)}</OFX>".encode("cp1252")


def contents(preview: Preview) -> list[Any]:
    for found in preview.found:
        check_terms(found.document)
        check_content({name: value for name, value in found.document.items() if name != "@context"})
    return [{k: v for k, v in one.document.items() if k != "@context"} for one in preview.found]


def transfer(parts: str, **more: str) -> Any:
    """Return what one transaction says."""
    booked = f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20261102<TRNAMT>-2.50<FITID>a1{parts}</STMTTRN>"
    return contents(read_file(ofx(booked, **more)))[-1]


def said(preview: Preview) -> dict[str, str]:
    return {one.where: one.reason for one in preview.skipped if "about the file" not in one.reason}


BANK_ACCOUNT = {
    "type": "BankAccount",
    "identifier": "DE0212345",
    "bankAccountType": "CHECKING",
    "currency": "EUR",
    "provider": {"type": "BankOrCreditUnion", "name": "Example Bank", "identifier": "12345678"},
}
COFFEE_SAYS = {
    "type": "MoneyTransfer",
    "name": "Caf&e",
    "description": "Coffee",
    "amount": {"type": "MonetaryAmount", "value": "-2.50", "currency": "EUR"},
    "endTime": "2026-11-02",
    "category": "DEBIT",
    "identifier": "a1",
    "object": {"type": "BankAccount", "identifier": "DE0212345"},
}
XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n'
    + re.sub(
        r"<(CODE|SEVERITY|ORG|CURDEF|BANKID|ACCTID|ACCTTYPE|TRNTYPE|DTPOSTED|TRNAMT|FITID|NAME|MEMO)>([^<]*)",
        r"<\1>\2</\1>\n",
        f"<OFX>{SIGNON}{statement(COFFEE)}</OFX>",
    )
).replace("Coffee", "<![CDATA[Coffee]]>")


@pytest.mark.parametrize(
    "data",
    [
        ofx(COFFEE),
        ofx(COFFEE).replace(b"\n", b"\r\n"),
        ofx(COFFEE).replace(b"<", b"\n  <"),
        ofx(COFFEE).lower().replace(b"debit", b"DEBIT").replace(b"checking", b"CHECKING").replace(b"eur", b"EUR")
        .replace(b"example bank", b"Example Bank").replace(b"de0212345", b"DE0212345").replace(b"caf", b"Caf")
        .replace(b"coffee", b"Coffee"),
        ofx(COFFEE)[len(HEAD) :],
        b"\n\n" + ofx(COFFEE),
        b"\xef\xbb\xbf" + ofx(COFFEE),
        (HEAD.replace("\n", "") + ofx(COFFEE)[len(HEAD) :].decode()).encode(),
        XML.encode(),
        XML.encode("utf-16"),
        XML.replace("<OFX>", "<!-- a comment <OFX> --><OFX>").encode(),
    ],
    ids=["sgml", "crlf", "indented", "lower-case", "no-header", "blank-lines", "bom", "header-on-one-line", "xml",
         "utf-16", "comment"],
)  # fmt: skip
def test_every_way_of_writing_it_says_the_same(data: bytes) -> None:
    preview = read_file(data)
    assert preview.format == "OFX"
    assert contents(preview) == [BANK_ACCOUNT, COFFEE_SAYS]
    assert said(preview) == {}
    assert preview.found[1].label == "Caf&e, 2026-11-02, -2.50 EUR"


def test_a_credit_card_and_an_investment_account() -> None:
    card = "<CCACCTFROM><ACCTID>4111</CCACCTFROM>"
    account, booked = contents(read_file(ofx(COFFEE, account=card, kind="CCSTMTRS")))
    assert account == {
        "type": "CreditCard", "identifier": "4111", "currency": "EUR",
        "provider": {"type": "BankOrCreditUnion", "name": "Example Bank"},
    }  # fmt: skip
    assert booked["object"] == {"type": "CreditCard", "identifier": "4111"}
    funds = "<INVACCTFROM><BROKERID>b.example<ACCTID>1</INVACCTFROM>"
    cash = f"<INVTRANLIST><BUYMF><UNITS>1</BUYMF><INVBANKTRAN>{COFFEE}<SUBACCTFUND>CASH</INVBANKTRAN></INVTRANLIST>"
    preview = read_file(ofx(cash, account=funds, kind="INVSTMTRS"))
    assert [one["type"] for one in contents(preview)] == ["InvestmentOrDeposit", "MoneyTransfer"]
    assert said(preview) == {"line 7: BUYMF": "no record has a field for this"}


@pytest.mark.parametrize(
    ("amount", "value"),
    [("-00000000001500.0000", "-1500.0000"), ("+115.8331", "115.8331"), ("2500", "2500"), ("-34,51", "-34.51"),
     (".5", "0.5"), ("-0.00", "0.00"), ("0.10", "0.10"), ("12345678901234567890.12", "12345678901234567890.12")],
)  # fmt: skip
def test_an_amount_is_kept_digit_for_digit(amount: str, value: str) -> None:
    booked = COFFEE.replace("-2.50", amount)
    assert contents(read_file(ofx(booked)))[-1]["amount"]["value"] == value


@pytest.mark.parametrize(
    ("posted", "time"),
    [
        ("20261102", "2026-11-02"),
        ("20261102120000", "2026-11-02"),  # of which zone, nobody knows
        ("20261102120000.000[-5:EST]", "2026-11-02T12:00:00-05:00"),
        ("20261102120000[0:GMT]", "2026-11-02T12:00:00Z"),
        ("20261102120000[+5.5:IST]", "2026-11-02T12:00:00+05:30"),
        ("20261102120000[-3.5]", "2026-11-02T12:00:00-03:30"),
        ("202611021200[1:CET]", "2026-11-02T12:00:00+01:00"),
        ("20261102120000[5.7:X]", "2026-11-02"),
    ],
)
def test_a_time_is_kept_where_its_offset_is_said(posted: str, time: str) -> None:
    assert contents(read_file(ofx(COFFEE.replace("20261102", posted))))[-1]["endTime"] == time


def test_further_parts_of_a_transaction() -> None:
    found = transfer(
        "<DTUSER>20261101<PAYEE><NAME>Shop<CITY>Ex</PAYEE><CURRENCY><CURRATE>1.1<CURSYM>USD</CURRENCY>"
    )
    assert found["startTime"] == "2026-11-01"
    assert found["name"] == "Shop"
    assert found["amount"]["currency"] == "USD"
    original = "<ORIGCURRENCY><CURRATE>1.1<CURSYM>USD</ORIGCURRENCY>"
    assert transfer(original)["amount"]["currency"] == "EUR"
    assert "currency" not in transfer("", currency="euro")["amount"]


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("1252", "cp1252"),
        ("1252", "utf-8"),
        ("NONE", "utf-8"),
        ("ISO-8859-1", "cp1252"),
        ("1251", "cp1251"),
        ("x", "cp1252"),
    ],
)
def test_the_character_set_is_the_one_named_or_the_one_used(charset: str, codec: str) -> None:
    name = "Привет" if codec == "cp1251" else "Café"
    text = ofx(COFFEE).decode().replace("CHARSET:1252", f"CHARSET:{charset}").replace("Caf&amp;e", name)
    preview = read_file(text.encode(codec))
    assert contents(preview)[-1]["name"] == name
    assert ("Windows-1252" in str(preview.skipped)) == (charset == "x")


# The same again


def keys(*booked: str, **more: str) -> list[str]:
    return [found.key for found in read_file(ofx(*booked, **more)).found]


def test_a_transaction_is_known_again_by_account_and_number() -> None:
    later = COFFEE.replace("Coffee", "Espresso")
    assert keys(COFFEE) == keys(later)
    other = COFFEE.replace("a1", "a2")
    assert len(set(keys(COFFEE, other))) == 3
    elsewhere = ACCOUNT.replace("DE0212345", "DE9999")
    assert not set(keys(COFFEE)) & set(keys(COFFEE, account=elsewhere))
    assert not set(keys(COFFEE)) & set(keys(COFFEE, account=ACCOUNT.replace("12345678", "87654321")))
    assert not any("DE02" in key for key in keys(COFFEE))


def test_an_account_comes_once_however_many_statements_it_has() -> None:
    other = COFFEE.replace("a1", "a2")
    preview = read_file(f"{HEAD}<OFX>{statement(COFFEE)}{statement(other)}</OFX>".encode())
    assert [one["type"] for one in contents(preview)] == ["BankAccount", "MoneyTransfer", "MoneyTransfer"]
    assert said(preview) == {}


def test_two_coffees_of_one_day_without_numbers_are_two() -> None:
    unnumbered = COFFEE.replace("<FITID>a1", "")
    preview = read_file(ofx(unnumbered, unnumbered))
    assert len(preview.found) == 3
    assert keys(unnumbered, unnumbered)[:2] == keys(unnumbered)
    assert "known again by its whole content" in said(preview)["transactions 1-2"]


def test_without_an_account_number_nothing_is_known_by_the_banks_number() -> None:
    nameless = ACCOUNT.replace("<ACCTID>DE0212345", "")
    one, two = keys(COFFEE, account=nameless), keys(COFFEE.replace("Coffee", "Tea"), account=nameless)
    assert len(one) == 1
    assert one != two


def test_a_number_that_a_bank_gives_twice_names_neither() -> None:
    preview = read_file(ofx(COFFEE, COFFEE.replace("Coffee", "Tea"), COFFEE))
    assert len(preview.found) == 3
    assert len({found.key for found in preview.found}) == 3
    assert len(preview.skipped) >= 2


# What is left out is named


@pytest.mark.parametrize(
    ("booked", "where", "reason"),
    [
        (COFFEE.replace("20261102", "20260230"), "transaction 1", "DTPOSTED"),
        (COFFEE.replace("20261102", "2.11.2026"), "transaction 1", "DTPOSTED"),
        (COFFEE.replace("<DTPOSTED>20261102", ""), "transaction 1", "DTPOSTED"),
        (COFFEE.replace("-2.50", "two"), "transaction 1", "TRNAMT"),
        (COFFEE.replace("-2.50", "1.234,56"), "transaction 1", "TRNAMT"),
        (COFFEE.replace("<TRNAMT>-2.50", ""), "transaction 1", "TRNAMT"),
        (
            COFFEE.replace("</STMTTRN>", "<CORRECTFITID>a0<CORRECTACTION>DELETE</STMTTRN>"),
            "transaction 1",
            "correction",
        ),
        (COFFEE.replace("<MEMO>Coffee", "<CHECKNUM>7"), "transaction 1: CHECKNUM", "no record has a field"),
        (COFFEE.replace("Coffee", "a\x1b[2J"), "transaction 1: MEMO", "control characters"),
        (COFFEE.replace("Coffee", "x" * 70_000), "transaction 1: MEMO", "more text than a field holds"),
        ("<LEDGERBAL><BALAMT>1</LEDGERBAL>" + COFFEE, "line 7: LEDGERBAL", "a balance of one day"),
        ("<NEWTHING><X>1</NEWTHING>" + COFFEE, "line 7: NEWTHING", "no record has a field"),
    ],
)
def test_what_cannot_be_kept_is_named(booked: str, where: str, reason: str) -> None:
    preview = read_file(ofx(booked, COFFEE.replace("a1", "a9")))
    assert contents(preview)[-1]["identifier"] == "a9"
    assert reason in said(preview)[where]


def test_what_is_not_booked_and_what_the_bank_could_not_answer_are_named() -> None:
    order = "<BANKMSGSRSV1><INTRATRNRS><INTRARS><TRNAMT>5</INTRARS></INTRATRNRS></BANKMSGSRSV1>"
    text = f"{HEAD}<OFX>\n{SIGNON.replace('<CODE>0', '<CODE>2000')}\n{order}\n{statement(COFFEE)}</OFX>"
    assert said(read_file(text.encode())) == {
        "line 8: STATUS": "the bank says that it could not answer in full",
        "line 9: INTRATRNRS": "an order to the bank, not what was booked",
    }


@pytest.mark.vectors
def test_every_sample_is_read(vectors: Path, count_vectors: Callable[..., None]) -> None:
    samples = sorted((vectors / "personal-data").rglob("*.ofx"))
    assert len(samples) >= 20
    booked = 0
    refused: dict[str, str] = {}
    for sample in samples:
        data = sample.read_bytes()
        count_vectors("personal-data", 1)
        try:
            preview = read_file(data, name=sample.name)
        except MalformedError as error:
            refused[sample.name] = str(error)
            assert re.search(rb"<(CC|INV)?STMTRS>", data) is None, sample.name
            continue
        contents(preview)
        kept = sum(one.document["type"] == "MoneyTransfer" for one in preview.found)
        written = len(re.findall(rb"<STMTTRN>", data))
        assert kept == (0 if "date_missing" in sample.name else written), sample.name
        booked += kept
    assert booked > 40
    assert all("nothing in the OFX file" in reason for reason in refused.values())
