"""Bank statements (OFX, Quicken's QFX) to schema.org accounts and money transfers.

Each transaction becomes a record or is named in ``skipped``, and so is each of its parts.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError, TooLargeError

from . import ofx_terms as terms
from .charset import decode
from .ofx_documents import READ, Account, Statement, Transaction, sound_parts, transfer
from .ofx_elements import Element, is_ofx, read_elements
from .places import LeftOut, at, within
from .preview import MAX_FOUND, Found, Preview, key_of, without_duplicates
from .reasons import why
from .texts import LeftOutError, on_one_line

__all__ = ["is_ofx", "read"]

FORMAT: Final = "OFX"
_HEAD_BYTES: Final = 4 * 1024
_CHARSET = re.compile(
    rb"CHARSET[ \t]*:[ \t]*([\w-]{1,20})|encoding[ \t]*=[ \t]*[\"']([\w-]{1,20})", re.IGNORECASE
)
_GUESSED: Final = why("guessed-despite-name")
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
        raise MalformedError(why("not-this-character-set")) from None


class _Reading:
    """A file while its elements come."""

    def __init__(self) -> None:
        self.lines = LeftOut("line", together={terms.ABOUT_FILE})
        self.transactions = LeftOut("transaction")
        self.found: list[Found] = []
        self._path: list[str] = []
        self._statement: Statement | None = None
        self._transaction: Transaction | None = None
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
            self._statement = Statement(terms.STATEMENTS[name], element.line)
        elif name == terms.TRANSACTION:
            self._counted()
            self._number += 1
            self._transaction = Transaction(self._number, element.line)

    def _counted(self) -> None:
        self._count += 1
        if self._count > MAX_FOUND:
            raise TooLargeError(why("many-transactions", most=MAX_FOUND))

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
        account = Account(statement, self._bank, self.lines)
        if not account.number:
            self.lines.add(statement.line, "ACCTID", terms.NO_ACCOUNT)
        elif account.key not in self._accounts:
            self._accounts.add(account.key)
            self.found.append(account.found())
        for transaction in statement.booked:
            made = self._booked(transaction, account)
            if made is not None:
                self.found.append(made)

    def _booked(self, transaction: Transaction, account: Account) -> Found | None:
        leave = self.transactions
        parts = dict(sound_parts(transaction.parts, transaction.number, leave))
        try:
            document = transfer(parts, account)
        except LeftOutError as error:
            leave.add(transaction.number, "", error.reason)
            return None
        for name in sorted(parts.keys() - READ):
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
            where=within(at("transaction", transaction.number), at("line", transaction.line)),
        )

    def _key(self, transaction: Transaction, account: Account, document: Document) -> str:
        """Return the key: of the account and the bank's number of the transaction, if both are said."""
        if account.number and "identifier" in document:
            return key_of("transaction", [*account.identity, document["identifier"]])
        self.transactions.add(transaction.number, "", terms.NO_KEY)
        same = key_of("transaction-content", [*account.identity, document])
        self._seen[same] += 1  # the same coffee twice on one day is two transactions
        return key_of("transaction-content", [*account.identity, document, self._seen[same]])
