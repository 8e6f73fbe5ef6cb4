"""Every error a peer's data or a person's decision can cause, each with the code that goes on the wire.

::

    FreeholdError
    ├── MalformedError               malformed
    │   ├── TooLargeError            too-large
    │   ├── TooDeepError             too-deep
    │   ├── DuplicateKeyError        duplicate-key
    │   ├── UndefinedTermError       undefined-term
    │   └── IncompleteRequestError   request-incomplete
    ├── UnsupportedError             unsupported
    ├── SignatureError               signature-invalid
    │   ├── StaleSignatureError      signature-stale
    │   └── ReplayedError            replayed
    ├── CapabilityError              capability-invalid
    │   ├── ExpiredError             capability-expired
    │   ├── AttenuationError         capability-widened
    │   ├── TargetError              wrong-target
    │   ├── ControllerError          wrong-controller
    │   ├── ActionError              wrong-action
    │   ├── PurposeError             wrong-purpose
    │   └── RevokedError             revoked
    ├── GrantError                   grant-invalid
    │   ├── PausedError              grant-paused
    │   ├── EndedError               grant-ended
    │   ├── GrantExpiredError        grant-expired
    │   ├── NotYetError              grant-not-yet
    │   ├── OutsideHoursError        outside-hours
    │   ├── LimitReachedError        limit-reached
    │   ├── NotSharedError           not-shared
    │   ├── WidenedError             widened
    │   ├── TransitionError          not-in-this-state
    │   ├── DraftChangedError        draft-changed
    │   └── CursorError              cursor-stale
    ├── LedgerError                  ledger-damaged
    │   └── RolledBackError          ledger-rolled-back
    ├── ReceiptError                 receipt-invalid
    ├── ReleaseError                 release-invalid
    ├── NotFoundError                not-found
    ├── NotAuthenticatedError        not-authenticated
    │   └── PassphraseError          passphrase-wrong
    ├── ConflictError                conflict
    │   └── PreconditionError        precondition-failed
    └── UnavailableError             unavailable
        ├── ClockSuspectError        clock-suspect
        ├── DidUnavailableError      did-unavailable
        └── StorageFullError         storage-full

A caller's own mistake is a ``TypeError`` or ``ValueError``, never one of these.

Spec: specs/errors.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class FreeholdError(Exception):
    """Base of every error with a registered code; its text never carries a value from a record or a key."""

    code: ClassVar[str] = "error"


class MalformedError(FreeholdError):
    """The bytes or the document do not have the form the specification fixes."""

    code = "malformed"


class TooLargeError(MalformedError):
    """A size or a count is over its bound."""

    code = "too-large"


class TooDeepError(MalformedError):
    """A document is nested deeper than its bound."""

    code = "too-deep"


class DuplicateKeyError(MalformedError):
    """A JSON object or a query names the same key twice."""

    code = "duplicate-key"


class UndefinedTermError(MalformedError):
    """A document uses a term that no bundled context defines."""

    code = "undefined-term"


class IncompleteRequestError(MalformedError):
    """A request lacks a purpose, an expiry or a retention, so it cannot be shown for approval."""

    code = "request-incomplete"


class UnsupportedError(FreeholdError):
    """Well formed, but a kind this implementation does not handle."""

    code = "unsupported"


class SignatureError(FreeholdError):
    """A signature does not verify, or its key is not the one that must sign."""

    code = "signature-invalid"


class StaleSignatureError(SignatureError):
    """A signature's times are past, in the future, or too far apart."""

    code = "signature-stale"


class ReplayedError(SignatureError):
    """The same signed message came before."""

    code = "replayed"


class CapabilityError(FreeholdError):
    """A capability or its chain does not hold."""

    code = "capability-invalid"


class ExpiredError(CapabilityError):
    """A link of the chain is past its expiry."""

    code = "capability-expired"


class AttenuationError(CapabilityError):
    """A link allows more, or for longer, than the one before it."""

    code = "capability-widened"


class TargetError(CapabilityError):
    """The request's target is not within the capability's, or could be read in two ways."""

    code = "wrong-target"


class ControllerError(CapabilityError):
    """The signer does not control the capability, or is not among the permission's recipients."""

    code = "wrong-controller"


class ActionError(CapabilityError):
    """The action is not among those the capability allows."""

    code = "wrong-action"


class PurposeError(CapabilityError):
    """The capability is for other purposes than the permission it was used for."""

    code = "wrong-purpose"


class RevokedError(CapabilityError):
    """A link of the chain was revoked or renounced."""

    code = "revoked"


class GrantError(FreeholdError):
    """A grant does not hold, or does not allow this now."""

    code = "grant-invalid"


class PausedError(GrantError):
    """The person paused the grant."""

    code = "grant-paused"


class EndedError(GrantError):
    """The person ended the relationship."""

    code = "grant-ended"


class GrantExpiredError(GrantError):
    """The grant's time is over."""

    code = "grant-expired"


class NotYetError(GrantError):
    """The grant's time has not begun."""

    code = "grant-not-yet"


class OutsideHoursError(GrantError):
    """The person allows reads at other days or hours."""

    code = "outside-hours"


class LimitReachedError(GrantError):
    """The agreed number of reads is used up."""

    code = "limit-reached"


class NotSharedError(GrantError):
    """A permission or field asked for by name is not shared."""

    code = "not-shared"


class WidenedError(GrantError):
    """A grant would allow more than was asked, or a narrowing version allows more than the one before."""

    code = "widened"


class TransitionError(GrantError):
    """The grant or request is not in a state from which this can be done."""

    code = "not-in-this-state"


class DraftChangedError(GrantError):
    """What was approved is not what would be granted now."""

    code = "draft-changed"


class CursorError(GrantError):
    """The cursor is not one of ours, or the grant has changed since it was given."""

    code = "cursor-stale"


class LedgerError(FreeholdError):
    """A ledger, an entry or a proof does not hold together."""

    code = "ledger-damaged"


class RolledBackError(LedgerError):
    """A ledger is not a continuation of one seen before."""

    code = "ledger-rolled-back"


class ReceiptError(FreeholdError):
    """A receipt's two documents do not belong together."""

    code = "receipt-invalid"


class ReleaseError(FreeholdError):
    """What came from a node is not what its signatures, grant or ledger say."""

    code = "release-invalid"


class NotFoundError(FreeholdError):
    """There is nothing here for this caller."""

    code = "not-found"


class NotAuthenticatedError(FreeholdError):
    """The caller did not prove to be the owner."""

    code = "not-authenticated"


class PassphraseError(NotAuthenticatedError):
    """The passphrase is missing or wrong."""

    code = "passphrase-wrong"


class ConflictError(FreeholdError):
    """The thing was changed or decided in the meantime."""

    code = "conflict"


class PreconditionError(ConflictError):
    """The version that a caller saw, and made a condition, is not the one that stands."""

    code = "precondition-failed"


class UnavailableError(FreeholdError):
    """The node could not make its decision durable, so it did not act on it; or it is stopping."""

    code = "unavailable"


class ClockSuspectError(UnavailableError):
    """The node's clock jumped; the owner has to confirm it before anything is released."""

    code = "clock-suspect"


class DidUnavailableError(UnavailableError):
    """The DID document of a vendor or partner cannot be had, or does not hold; nothing tells which."""

    code = "did-unavailable"


class StorageFullError(UnavailableError):
    """There is no room left to write the ledger entry, so nothing was released."""

    code = "storage-full"


def every_error() -> Iterator[type[FreeholdError]]:
    """Yield FreeholdError and each class below it, depth first."""
    waiting: list[type[FreeholdError]] = [FreeholdError]
    while waiting:
        error = waiting.pop()
        yield error
        waiting.extend(reversed(error.__subclasses__()))


BY_CODE: dict[str, type[FreeholdError]] = {error.code: error for error in every_error()}
"""The registry: wire code to class."""
