"""What of a bank's file is read, and why the rest is left out."""

from __future__ import annotations

from typing import Final

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
ABOUT_FILE: Final = "about the file and its making"
WHOLE: Final = {
    **dict.fromkeys(("LEDGERBAL", "AVAILBAL", "BALLIST", "INVBAL", "INV401KBAL", "BANKTRANLISTP", "BAL"),
                    "a balance of one day; no record has a field for it"),
    **dict.fromkeys(("INVPOSLIST", "INVOOLIST", "INV401K", "SECLISTMSGSRSV1", "SECLIST"),
                    "securities are not kept"),
    **dict.fromkeys(("INTRATRNRS", "INTERTRNRS", "XFERINFO", "PMTINFO", "PMTTRNRS", "BILLPAYMSGSRSV1"),
                    "an order to the bank, not what was booked"),
    **dict.fromkeys(("SIGNUPMSGSRSV1", "ACCTINFOTRNRS", "ACCTINFORS", "PROFMSGSRSV1", "PROFTRNRS"), ABOUT_FILE),
    **dict.fromkeys(("BANKMSGSRQV1", "CREDITCARDMSGSRQV1", "SIGNONMSGSRQV1"), "a question to the bank"),
}  # fmt: skip
UNKNOWN: Final = "no record has a field for this"
CUT: Final = "it has no end; the file may be cut off"
CORRECTION: Final = "a correction of an earlier transaction; correct that record by hand"
NO_AMOUNT: Final = "its amount (TRNAMT) is missing or no number"
NO_DATE: Final = "its date (DTPOSTED) is missing or no date"
NO_ACCOUNT: Final = "which account it is about is not said"
FAILED: Final = "the bank says that it could not answer in full"
NO_KEY: Final = "it has no number (FITID), so it is known again by its whole content"
RATE: Final = "rates and amounts in other currencies are not kept"
UNSOUND: Final = "holds control characters, or more text than a field holds"
TOO_MANY: Final = "more parts than a transaction has"
