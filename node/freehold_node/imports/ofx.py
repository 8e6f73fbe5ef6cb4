"""Bank statements (OFX, Quicken's QFX) to schema.org accounts and money transfers.

Each transaction becomes a record or is named in ``skipped``, and so is each of its parts. Amounts are kept digit
for digit, as texts: below zero is what the account lost.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError, TooLargeError
from freehold_protocol.form import CONTEXT

from . import ofx_terms as terms
from .charset import decode
from .ofx_elements import Element, is_ofx, read_elements
from .places import LeftOut
from .preview import MAX_FOUND, Found, Preview, key_of, without_duplicates
from .texts import MAX_TEXT_BYTES, LeftOutError, fits_a_record, has_controls, on_one_line
from .zones import written

__all__ = ["is_ofx", "read"]

FORMAT: Final = "OFX"
_HEAD_BYTES: Final = 4 * 1024
_CHARSET = re.compile(
    rb"CHARSET[ \t]*:[ \t]*([\w-]{1,20})|encoding[ \t]*=[ \t]*[\"']([\w-]{1,20})", re.IGNORECASE
)
_GUESSED: Final = (
    "not in the character set that the file names, so it was read as Windows-1252: look at its accents"
)
_AMOUNT = re.compile(r"([+-]?)(\d{0,20})(?:[.,](\d{0,10}))?\Z", re.ASCII)
_DATE = re.compile(
    r"(\d{8})(?:(\d{4})(\d\d)?(?:\.\d{1,6})?)?\s*(?:\[([+-]?\d{1,2})(?:\.(\d{1,2}))?(?::[^\]]{0,20})?\])?\Z",
    re.ASCII,
)
_MINUTES: Final = {None: 0, "0": 0, "00": 0, "25": 15, "5": 30, "50": 30, "30": 30, "75": 45, "45": 45}
_READ: Final = {
    "TRNTYPE", "DTPOSTED", "DTUSER", "TRNAMT", "FITID", "NAME", "MEMO", "PAYEE.NAME", "CURRENCY.CURSYM",
    "CORRECTFITID", "CORRECTACTION",
}  # fmt: skip
_MAX_LABEL_CHARS: Final = 60
_MAX_PARTS: Final = 100
"""Of one transaction; banks write about ten."""


def read(data: bytes) -> Preview:
    """Return what a bank's file holds.

    Args:
        data: As ``charset.as_utf8`` gives it.

    Raises:
        MalformedError: Not text, or it declares a document type.
        TooLargeError: Too many elements or transactions.
    """
    text, guessed = _text_of(data)
    reading = _Reading()
    if guessed:
        reading.lines.add(1, "", _GUESSED)
    for element in read_elements(text, terms.HOLDERS):
        reading.take(element)
    kept, duplicates = without_duplicates(reading.found)
    skipped = (*reading.transactions.skipped(), *reading.lines.skipped(), *duplicates)
    return Preview(format=FORMAT, found=kept, skipped=skipped)


def _text_of(data: bytes) -> tuple[str, bool]:
    """Return the text: UTF-8 if it is that, else as the file says; many banks say what they do not do."""
    found = _CHARSET.search(data[:_HEAD_BYTES].partition(b"<OFX>")[0])
    said = (found[1] or found[2]).decode().lower() if found else ""
    for charset in ("utf-8", f"windows-{said}" if said.isdigit() else said):
        try:
            return decode(data, charset)
        except (LookupError, UnicodeDecodeError):
            continue
    try:
        return decode(data, "windows-1252")[0], True
    except UnicodeDecodeError:
        raise MalformedError("the file is not text in the character set that it names") from None


@dataclass(slots=True)
class _Transaction:
    """One transaction: its parts by name, ``PAYEE.NAME`` for those inside another."""

    number: int
    line: int
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Statement:
    """One statement: what it is about, and what was booked."""

    kind: str
    line: int
    account: dict[str, str] = field(default_factory=dict)
    currency: str = ""
    booked: list[_Transaction] = field(default_factory=list)


class _Reading:
    """A file while its elements come."""

    def __init__(self) -> None:
        self.lines = LeftOut("line", together={terms.ABOUT_FILE})
        self.transactions = LeftOut("transaction")
        self.found: list[Found] = []
        self._path: list[str] = []
        self._statement: _Statement | None = None
        self._transaction: _Transaction | None = None
        self._passing: Element | None = None
        self._bank = ""
        self._count = self._number = 0
        self._accounts: set[str] = set()
        self._seen: Counter[str] = Counter()

    def take(self, element: Element) -> None:
        """Take the next element."""
        if self._passing is not None:
            if element.kind in ("close", "cut") and element.depth == self._passing.depth:
                self._leave_whole(self._passing, element.line)
                self._passing = None
            return
        if element.kind == "open":
            self._open(element)
        elif element.kind == "leaf":
            self._leaf(element)
        else:
            self._close(element)

    def _leave_whole(self, element: Element, last: int) -> None:
        self.lines.add(element.line, element.name, terms.WHOLE.get(element.name, terms.UNKNOWN), last=last)

    def _open(self, element: Element) -> None:
        name = element.name
        if self._transaction is not None and name == terms.TRANSACTION:
            self.transactions.add(self._transaction.number, "", terms.CUT)
            self._transaction = None
        if self._transaction is None and name not in terms.HOLDERS:
            self._passing = element
            return
        self._path.append(name)
        if name in terms.STATEMENTS:
            self._finish_statement()
            self._counted()
            self._statement = _Statement(terms.STATEMENTS[name], element.line)
        elif name == terms.TRANSACTION:
            self._counted()
            self._number += 1
            self._transaction = _Transaction(self._number, element.line)

    def _counted(self) -> None:
        self._count += 1
        if self._count > MAX_FOUND:
            raise TooLargeError(f"more than {MAX_FOUND} statements and transactions")

    def _leaf(self, element: Element) -> None:
        name, value = element.name, element.value
        if self._transaction is not None:
            if value and len(self._transaction.parts) >= _MAX_PARTS:
                self.lines.add(element.line, "", terms.TOO_MANY)
            elif value:
                inside = self._path[len(self._path) - self._path[::-1].index(terms.TRANSACTION) :]
                self._transaction.parts.setdefault(".".join((*inside, name)), value)
        elif self._statement is not None and self._path and self._path[-1] in terms.ACCOUNTS:
            self._statement.account.setdefault(name, value)
        elif self._statement is not None and name == "CURDEF":
            self._statement.currency = value
        elif name == "ORG" and self._path[-1:] == ["FI"]:
            self._bank = value
        elif name == "CODE" and value.strip("0"):
            self.lines.add(element.line, "STATUS", terms.FAILED)
        elif value:
            self.lines.add(element.line, name, terms.ABOUT_FILE)

    def _close(self, element: Element) -> None:
        if self._path and self._path[-1] == element.name:
            self._path.pop()
        if element.name == terms.TRANSACTION and self._transaction is not None:
            if element.kind == "cut":
                self.transactions.add(self._transaction.number, "", terms.CUT)
            elif self._statement is None:
                self.transactions.add(self._transaction.number, "", terms.NO_ACCOUNT)
            else:
                self._statement.booked.append(self._transaction)
            self._transaction = None
        elif element.name in terms.STATEMENTS:
            if element.kind == "cut":
                self.lines.add(element.line, element.name, terms.CUT)
            self._finish_statement()

    def _finish_statement(self) -> None:
        statement, self._statement = self._statement, None
        if statement is None:
            return
        account = _Account(statement, self._bank, self.lines)
        if not account.number:
            self.lines.add(statement.line, "ACCTID", terms.NO_ACCOUNT)
        elif account.key not in self._accounts:
            self._accounts.add(account.key)
            self.found.append(account.found())
        for transaction in statement.booked:
            made = self._booked(transaction, account)
            if made is not None:
                self.found.append(made)

    def _booked(self, transaction: _Transaction, account: _Account) -> Found | None:
        leave = self.transactions
        parts = dict(_sound_parts(transaction.parts, transaction.number, leave))
        try:
            document = _transfer(parts, account)
        except LeftOutError as error:
            leave.add(transaction.number, "", str(error))
            return None
        for name in sorted(parts.keys() - _READ):
            of_rates = name.startswith(("CURRENCY.", "ORIGCURRENCY."))
            leave.add(transaction.number, name, terms.RATE if of_rates else terms.UNKNOWN)
        amount = document["amount"]
        said = (
            document.get("name", ""),
            document["endTime"][:10],
            f"{amount['value']} {amount.get('currency', '')}",
        )
        return Found(
            document=document,
            key=self._key(transaction, account, document),
            label=", ".join(filter(None, (on_one_line(one)[:_MAX_LABEL_CHARS] for one in said))),
            where=f"transaction {transaction.number}, line {transaction.line}",
        )

    def _key(self, transaction: _Transaction, account: _Account, document: Document) -> str:
        """Return the key: of the account and the bank's number of the transaction, if both are said."""
        if account.number and "identifier" in document:
            return key_of("transaction", [*account.identity, document["identifier"]])
        self.transactions.add(transaction.number, "", terms.NO_KEY)
        same = key_of("transaction-content", [*account.identity, document])
        self._seen[same] += 1  # the same coffee twice on one day is two transactions
        return key_of("transaction-content", [*account.identity, document, self._seen[same]])


def _sound_parts(parts: dict[str, str], number: int, left_out: LeftOut) -> Iterator[tuple[str, str]]:
    """Yield the parts that can be kept."""
    for name, value in parts.items():
        if has_controls(value) or len(value.encode()) > MAX_TEXT_BYTES:
            left_out.add(number, name, terms.UNSOUND)
        else:
            yield name, value


class _Account:
    """The account of a statement."""

    def __init__(self, statement: _Statement, bank: str, left_out: LeftOut) -> None:
        said = dict(_sound_parts(statement.account, statement.line, left_out))
        self.kind, self.currency = statement.kind, statement.currency if _is_code(statement.currency) else ""
        self.number = said.get("ACCTID", "")
        bank_number = said.get("BANKID") or said.get("BROKERID", "")
        self.identity = [self.kind, bank_number, said.get("BRANCHID", ""), self.number]
        self.key = key_of("account", self.identity)
        self._provider = {"name": "" if has_controls(bank) else bank[:200], "identifier": bank_number}
        self._type, self._line = said.get("ACCTTYPE", ""), statement.line
        for name in said.keys() - {"ACCTID", "BANKID", "BROKERID", "ACCTTYPE"}:
            if said[name]:
                left_out.add(statement.line, name, terms.UNKNOWN)

    def found(self) -> Found:
        provider = {name: value for name, value in self._provider.items() if value}
        fields = {
            "identifier": self.number,
            "bankAccountType": self._type,
            "currency": self.currency,
            "provider": {"type": "BankOrCreditUnion", **provider} if provider else None,
        }
        document: Document = {
            "@context": CONTEXT, "type": self.kind, **{name: value for name, value in fields.items() if value},
        }  # fmt: skip
        label = " ".join(filter(None, (self._provider["name"], self.number)))
        return Found(document=document, key=self.key, label=label, where=f"account, line {self._line}")


def _transfer(parts: dict[str, str], account: _Account) -> Document:
    """Return a transaction's document. Raises LeftOutError."""
    if "CORRECTFITID" in parts or "CORRECTACTION" in parts:
        raise LeftOutError(terms.CORRECTION)
    amount: Document = {"type": "MonetaryAmount", "value": _amount(parts.get("TRNAMT", ""))}
    currency = parts.get("CURRENCY.CURSYM", account.currency).upper()
    if _is_code(currency):
        amount["currency"] = currency
    fields: Document = {
        "name": parts.get("NAME") or parts.get("PAYEE.NAME"),
        "amount": amount,
        "startTime": _date(parts["DTUSER"]) if "DTUSER" in parts else None,
        "endTime": _date(parts.get("DTPOSTED", "")),
        "category": parts.get("TRNTYPE"),
        "description": parts.get("MEMO"),
        "identifier": parts.get("FITID"),
        "object": {"type": account.kind, "identifier": account.number} if account.number else None,
    }
    document: Document = {
        "@context": CONTEXT, "type": "MoneyTransfer", **{name: value for name, value in fields.items() if value},
    }  # fmt: skip
    if not fits_a_record(document):
        raise LeftOutError("more text than one record holds")
    return document


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha()


def _amount(text: str) -> str:
    """Return an amount digit for digit, with a point and without zeros before it."""
    found = _AMOUNT.match(text)
    if found is None or not (found[2] or found[3]):
        raise LeftOutError(terms.NO_AMOUNT)
    amount = (found[2].lstrip("0") or "0") + (f".{found[3]}" if found[3] else "")
    return f"-{amount}" if found[1] == "-" and amount.strip("0.") else amount


def _date(text: str) -> str:
    """Return a day; with its time where that says its offset, since banks mean different things where it does not."""
    found = _DATE.match(text)
    if found is None:
        raise LeftOutError(terms.NO_DATE)
    day, clock, seconds, hours, fraction = found.groups()
    try:
        local = dt.datetime.strptime(day + (clock or "0000") + (seconds or "00"), "%Y%m%d%H%M%S")  # noqa: DTZ007
        if clock is None or hours is None or fraction not in _MINUTES:
            return local.date().isoformat()
        minutes = int(hours) * 60 + _MINUTES[fraction] * (-1 if hours.startswith("-") else 1)
        return written(local, dt.timezone(dt.timedelta(minutes=minutes)))
    except ValueError:
        raise LeftOutError(terms.NO_DATE) from None
