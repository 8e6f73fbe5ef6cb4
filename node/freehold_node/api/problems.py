"""The only place where an error becomes an HTTP status.

Spec: specs/errors.md
"""

from __future__ import annotations

import json
import logging
from typing import Final

from aiohttp import web
from freehold_protocol import errors, limits
from freehold_protocol.errors import FreeholdError

_log = logging.getLogger("freehold.refused")

STATUS: Final[dict[type[FreeholdError], int]] = {
    errors.MalformedError: 400,
    errors.TooLargeError: 413,
    errors.UnsupportedError: 422,
    errors.SignatureError: 401,
    errors.ReplayedError: 409,
    errors.CapabilityError: 403,
    errors.GrantError: 403,
    errors.TransitionError: 409,
    errors.DraftChangedError: 409,
    errors.CursorError: 409,
    errors.LedgerError: 500,
    errors.ReceiptError: 400,
    errors.ReleaseError: 500,
    errors.NotFoundError: 404,
    errors.NotAuthenticatedError: 401,
    errors.PassphraseError: 403,
    errors.ConflictError: 409,
    errors.PreconditionError: 412,
    errors.UnavailableError: 503,
    errors.StorageFullError: 507,
    FreeholdError: 500,
}
_RETRY_S: Final = 5
_TYPE: Final = "https://w3id.org/freehold/v1/errors#"
CODE: Final = "Freehold-Code"
"""An answer to HEAD has no body that could say it."""
_TITLES: Final = {400: "Bad request", 401: "Not signed as it must be", 403: "Refused", 404: "Nothing here",
                  405: "Method not allowed", 408: "Too slow", 409: "Conflict", 412: "Changed meanwhile",
                  413: "Too large", 417: "Not to be expected",
                  422: "Not supported", 500: "Failed", 503: "Not now", 507: "No room"}  # fmt: skip


def status_of(error: type[FreeholdError]) -> int:
    """Return the status of an error class: its own, or that of the nearest class above it."""
    return next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)


def problem(error: FreeholdError, *, route: str) -> web.Response:
    """Return the RFC 9457 problem document of an error, and log its code, never its cause's values."""
    status = status_of(type(error))
    _log.info("%s %s %s", status, error.code, route)
    # For a stranger everything that is not there looks the same.
    detail = "nothing here" if status == 404 and not route.startswith("/owner") else str(error)
    return problem_response(status, error.code, detail)


def problem_response(status: int, code: str, detail: str) -> web.Response:
    """Return a problem document."""
    body = {
        "type": _TYPE + code,
        "title": _TITLES.get(status, "Failed"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    headers = {"Cache-Control": "no-store", CODE: code}
    if status == 503:
        headers["Retry-After"] = str(
            limits.DID_PAUSE_S if code == errors.DidUnavailableError.code else _RETRY_S
        )
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        content_type="application/problem+json",
        headers=headers,
    )
