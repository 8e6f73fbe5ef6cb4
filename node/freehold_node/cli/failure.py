"""How a command fails: an exit code, a registered code, and one sentence that says what to do next.

Spec: specs/node/cli.md#exit-codes
"""

from __future__ import annotations

from typing import Final

from freehold_protocol import errors
from freehold_protocol.errors import FreeholdError

REFUSED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
PASSPHRASE: Final = 4
INTERRUPTED: Final = 130
"""As shells have it: 128 and the number of SIGINT."""

EXIT_CODES: Final = {
    0: "done",
    REFUSED: "refused, damaged, or not there",
    USAGE: "the command was not written as it must be",
    UNREACHABLE: "the node cannot be reached, there is no node here yet, or another process has it locked",
    PASSPHRASE: "the passphrase is missing or wrong",
}

_NEXT: Final = {
    errors.ClockSuspectError.code: "compare the clock that `freehold status` shows, then run: freehold clock confirm",
    errors.DraftChangedError.code: "run the command again and look at what it shows now",
    errors.ConflictError.code: "look at it again, then repeat the command",
    errors.PreconditionError.code: "look at it again, then repeat the command",
    errors.EndedError.code: "an ended relationship stays ended; a new invitation begins another",
    errors.StorageFullError.code: "make room on the disk that holds the data directory",
    errors.PassphraseError.code: "check it, or the file or variable it came from; if it is forgotten: "
    "freehold init --recover",
}


class Failure(Exception):  # noqa: N818 - it ends the command, whoever was at fault
    """Ends a command.

    Attributes:
        exit_code: One of EXIT_CODES.
        code: As in errors.BY_CODE, or ``usage``, ``not-confirmed`` or ``interrupted``.
        detail: What is wrong and what to do, for a person.
    """

    def __init__(self, exit_code: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.exit_code, self.code, self.detail = exit_code, code, detail


def usage(detail: str) -> Failure:
    """Return the failure of a command that was not written as it must be."""
    return Failure(USAGE, "usage", detail)


def unreachable(error: FreeholdError) -> Failure:
    """Return the failure of a command that could not open or reach the node."""
    return Failure(UNREACHABLE, error.code, str(error))


def failure_of(error: FreeholdError) -> Failure:
    """Return how a command ends that met this error."""
    if isinstance(error, errors.PassphraseError):
        exit_code = PASSPHRASE
    elif isinstance(error, errors.UnavailableError | errors.NotAuthenticatedError):
        exit_code = UNREACHABLE
    else:
        exit_code = REFUSED
    detail = str(error) or "it did not work"
    hint = _NEXT.get(error.code, "")
    if exit_code == PASSPHRASE and "wrong" not in detail:  # the others say themselves what to do
        hint = ""
    return Failure(exit_code, error.code, f"{detail}; {hint}" if hint else detail)
