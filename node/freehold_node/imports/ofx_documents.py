"""What a bank's account and transaction become.

Amounts are kept digit for digit, as texts: below zero is what the account lost.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.form import CONTEXT

from . import ofx_terms as terms
from .places import LeftOut, at, within
from .preview import Found, key_of
from .reasons import why
from .texts import MAX_TEXT_BYTES, LeftOutError, fits_a_record, has_controls
from .zones import written

_AMOUNT = re.compile(r"([+-]?)(\d{0,20})(?:[.,](\d{0,10}))?\Z", re.ASCII)
_DATE = re.compile(
    r"(\d{8})(?:(\d{4})(\d\d)?(?:\.\d{1,6})?)?\s*(?:\[([+-]?\d{1,2})(?:\.(\d{1,2}))?(?::[^\]]{0,20})?\])?\Z",
    re.ASCII,
)
_MINUTES: Final = {None: 0, "0": 0, "00": 0, "25": 15, "5": 30, "50": 30, "30": 30, "75": 45, "45": 45}
READ: Final = {
    "TRNTYPE", "DTPOSTED", "DTUSER", "TRNAMT", "FITID", "NAME", "MEMO", "PAYEE.NAME", "CURRENCY.CURSYM",
    "CORRECTFITID", "CORRECTACTION",
}  # fmt: skip


@dataclass(slots=True)
class Transaction:
    """One transaction: its parts by name, ``PAYEE.NAME`` for those inside another."""

    number: int
    line: int
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Statement:
    """One statement: what it is about, and what was booked."""

    kind: str
    line: int
    account: dict[str, str] = field(default_factory=dict)
    currency: str = ""
    booked: list[Transaction] = field(default_factory=list)


def sound_parts(parts: dict[str, str], number: int, left_out: LeftOut) -> Iterator[tuple[str, str]]:
    """Yield the parts that can be kept."""
    for name, value in parts.items():
        if has_controls(value) or len(value.encode()) > MAX_TEXT_BYTES:
            left_out.add(number, name, terms.UNSOUND)
        else:
            yield name, value


class Account:
    """The account of a statement."""

    def __init__(self, statement: Statement, bank: str, left_out: LeftOut) -> None:
        said = dict(sound_parts(statement.account, statement.line, left_out))
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
        return Found(
            document=document,
            key=self.key,
            label=label,
            where=within(why("account"), at("line", self._line)),
        )


def transfer(parts: dict[str, str], account: Account) -> Document:
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
        raise LeftOutError(why("too-long"))
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
