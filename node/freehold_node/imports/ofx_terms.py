"""What of a bank's file is read, and why the rest is left out."""

from __future__ import annotations

from typing import Final

from .reasons import why

STATEMENTS: Final = {"STMTRS": "BankAccount", "CCSTMTRS": "CreditCard", "INVSTMTRS": "InvestmentOrDeposit"}
"""A statement, and what it is about."""
ACCOUNTS: Final = {"BANKACCTFROM", "CCACCTFROM", "INVACCTFROM"}
TRANSACTION: Final = "STMTTRN"
HOLDERS: Final = {
    "OFX", "SIGNONMSGSRSV1", "SONRS", "STATUS", "FI", "BANKMSGSRSV1", "CREDITCARDMSGSRSV1", "INVSTMTMSGSRSV1",
    "STMTTRNRS", "CCSTMTTRNRS", "INVSTMTTRNRS", "BANKTRANLIST", "INVTRANLIST", "INVBANKTRAN",
    TRANSACTION, *STATEMENTS, *ACCOUNTS,
}  # fmt: skip
"""Elements that are looked into; every other one that holds elements is left out whole."""
ABOUT_FILE: Final = why("about-file")
WHOLE: Final = {
    **dict.fromkeys(("LEDGERBAL", "AVAILBAL", "BALLIST", "INVBAL", "INV401KBAL", "BANKTRANLISTP", "BAL"),
                    why("balance")),
    **dict.fromkeys(("INVPOSLIST", "INVOOLIST", "INV401K", "SECLISTMSGSRSV1", "SECLIST"),
                    why("securities")),
    **dict.fromkeys(("INTRATRNRS", "INTERTRNRS", "XFERINFO", "PMTINFO", "PMTTRNRS", "BILLPAYMSGSRSV1"),
                    why("bank-order")),
    **dict.fromkeys(("SIGNUPMSGSRSV1", "ACCTINFOTRNRS", "ACCTINFORS", "PROFMSGSRSV1", "PROFTRNRS"), ABOUT_FILE),
    **dict.fromkeys(("BANKMSGSRQV1", "CREDITCARDMSGSRQV1", "SIGNONMSGSRQV1"), why("bank-question")),
}  # fmt: skip
UNKNOWN: Final = why("no-field")
CUT: Final = why("cut-off")
CORRECTION: Final = why("correction")
NO_AMOUNT: Final = why("no-amount")
NO_DATE: Final = why("no-booking-date")
NO_ACCOUNT: Final = why("no-account")
FAILED: Final = why("bank-failed")
NO_KEY: Final = why("no-number")
RATE: Final = why("rates")
UNSOUND: Final = why("unsound")
TOO_MANY: Final = why("too-many-parts")
