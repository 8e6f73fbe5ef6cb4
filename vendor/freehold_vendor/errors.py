"""What can go wrong, and what to do about it.

Nearly all errors are the protocol's (``freehold_protocol.errors``, re-exported here): one class for each code
that a node sends. What only this library can find is a ``VendorError``. Whoever catches ``FreeholdError`` and
``VendorError`` catches everything but mistakes of the caller, which are ``TypeError`` and ``ValueError``.

The same class can come from the node (it refused) or from this library (what the node sent does not hold);
``problem_of`` tells which, and what the node said.

==========================  ===================================  ===============================================
error                       it means                             what to do
==========================  ===================================  ===============================================
``RefusedError``            the person said no to the request    do not ask again
``OtherBrowserError``       a browser comes back with a request  connect nobody with it: somebody may have led this
                            that was given to another one        person there. Offer to begin again
``PausedError``             the person paused the grant, or      stop reading; ``refresh`` now and then
                            was asked about new keys of ours
``EndedError``              the person ended the relationship    stop, and honour the retention that was promised
``GrantExpiredError``       the agreed time is over              as ended; a new request needs a new invitation
``NotYetError``             the agreed time has not begun        read from ``Standing.not_before_s`` on
``OutsideHoursError``       reads are agreed for other hours     read in the hours of the permission's limits
``LimitReachedError``       the agreed number of reads is used   wait for the rate's window; a total does not refill
``NotSharedError``          this permission or field is not      ``refresh``, see what is shared, go without it;
                            shared, or not any more              it says nothing about whether there is such data
``ExpiredError``            the capability's time is over        vendors: renewed by itself, so this is a clock that
                                                                 is wrong; partners: ask the vendor for a new one
``RevokedError``            the capability was revoked           vendors: ``renew`` once (done by itself where the
                                                                 person's keys changed or the node was restored);
                                                                 partners: ask the vendor for a new one
``ControllerError``         this partner is not among the        ``refresh``; recipients may have been taken away
                            permission's recipients
``CursorError``             the grant or its cursor changed      begin the list again
                            between two pages
``NotFoundError``           there is nothing here for you        an invitation was used or is too old; an alias is
                                                                 not shown (any more)
``UnavailableError``        the node could not decide, or is     try again after ``problem_of(e).retry_after_s``
                            stopping; nothing was released
``DidUnavailableError``     the node cannot have our DID         look at ``identity.did_document()`` and at what stands
                            document, or it does not hold        at its URL; try again after some minutes
``UnreachableError``        no answer came, at any origin of     try again later; a read may have been admitted. If
                            the grant that is known              the person says that the node moved: ``moved``,
                                                                 or ``refresh(at=...)``
``StaleSignatureError``     the clocks differ by over a minute   set yours
``ReleaseError``            what came is not what the ledger     do not use it; keep it as evidence
                            or the signatures say, or is more
                            than was granted or asked for
``RolledBackError``         the ledger is not a continuation of  do not trust the node; the checkpoint you hold is
                            the one seen before                  the proof. If ``Access.restored`` then has the
                                                                 person's word that a backup was restored, decide
                                                                 whether to ``accept_restored``
``LedgerError``             an entry or a proof does not hold    as above
``ReceiptError``            the receipt does not hold            do not trust the node; the one you hold stands
``SignatureError``          not signed by the key of the grant   somebody is between you and the node
``MalformedError``          not of the form                      from the node: your request is at fault; else what
                                                                 answered is not a node, or somebody altered it
==========================  ===================================  ===============================================

Spec: specs/errors.md
"""

from __future__ import annotations

from freehold_protocol.errors import (
    BY_CODE,
    ActionError,
    AttenuationError,
    CapabilityError,
    ClockSuspectError,
    ConflictError,
    ControllerError,
    CursorError,
    DidUnavailableError,
    EndedError,
    ExpiredError,
    FreeholdError,
    GrantError,
    GrantExpiredError,
    IncompleteRequestError,
    LedgerError,
    LimitReachedError,
    MalformedError,
    NotFoundError,
    NotSharedError,
    NotYetError,
    OutsideHoursError,
    PausedError,
    ReceiptError,
    ReleaseError,
    ReplayedError,
    RevokedError,
    RolledBackError,
    SignatureError,
    StaleSignatureError,
    TargetError,
    TooLargeError,
    UnavailableError,
    UnsupportedError,
    WidenedError,
)

__all__ = [
    "BY_CODE",
    "ActionError",
    "AttenuationError",
    "CapabilityError",
    "ClockSuspectError",
    "ConflictError",
    "ControllerError",
    "CursorError",
    "DidUnavailableError",
    "EndedError",
    "ExpiredError",
    "FreeholdError",
    "GrantError",
    "GrantExpiredError",
    "IncompleteRequestError",
    "LedgerError",
    "LimitReachedError",
    "MalformedError",
    "NotFoundError",
    "NotSharedError",
    "NotYetError",
    "OtherBrowserError",
    "OutsideHoursError",
    "PausedError",
    "ProblemError",
    "ReceiptError",
    "RefusedError",
    "ReleaseError",
    "ReplayedError",
    "RevokedError",
    "RolledBackError",
    "SignatureError",
    "StaleSignatureError",
    "TargetError",
    "TooLargeError",
    "UnavailableError",
    "UnreachableError",
    "UnsupportedError",
    "VendorError",
    "WidenedError",
    "problem_of",
]


class VendorError(Exception):
    """Base of what the protocol has no code for."""


class UnreachableError(VendorError):
    """No whole answer came: no connection, a timeout, a connection that broke, or an address not to be used."""


class RefusedError(VendorError):
    """The person refused the request; ``reason`` is theirs, if they gave one."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__("the person refused the request" + (f": {reason}" if reason else ""))
        self.reason = reason


class OtherBrowserError(VendorError):
    """A browser came back with a request that was given to another one."""


class ProblemError(VendorError):
    """What a node answered instead of doing what was asked.

    Raised itself only where the code is none this version knows; else the cause of the error of that code.
    """

    def __init__(self, *, status: int, code: str, detail: str, retry_after_s: int | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


def problem_of(error: BaseException) -> ProblemError | None:
    """Return what the node said, if the error is the node's answer; None if this library found it."""
    if isinstance(error, ProblemError):
        return error
    return error.__cause__ if isinstance(error.__cause__, ProblemError) else None
