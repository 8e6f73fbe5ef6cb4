"""What is sent to a node and what it answers, as texts and bytes; an error becomes an answer here.

Spec: specs/http.md#messages
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from freehold_protocol import errors, form, limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, parse_document

STATUS: Final[Mapping[type[errors.FreeholdError], int]] = {
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
    errors.FreeholdError: 500,
}
"""As the table in specs/errors.md; a class that is not here has the status of the nearest above it."""
_TITLES: Final = {
    400: "Bad request", 401: "Not signed as it must be", 403: "Refused", 404: "Nothing here",
    405: "Method not allowed", 409: "Conflict", 412: "Changed meanwhile", 413: "Too large",
    422: "Not supported", 500: "Failed", 503: "Not now", 507: "No room",
}  # fmt: skip
_TYPE: Final = "https://w3id.org/freehold/v1/errors#"
_RETRY_S: Final = 5
_TARGET = re.compile(r"(?:(?:/(?:[A-Za-z0-9._~-]|%3A)+)+|/)(?:\?(?P<query>[!-~]*))?\Z", re.ASCII)
_JSON: Final = ("application/json", "application/ld+json")
_WAIT = re.compile(r"(?:^|[,; ])wait=(\d{1,4})(?:$|[,; ])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: ``target`` is its raw path and query, ``headers`` are by lower-case name."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False, default=None)

    @property
    def path(self) -> str:
        """The path alone."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark, as it was signed."""
        return self.target.partition("?")[2]

    def asked(self, key: str) -> str | None:
        """Return what a query of plain numbers says under a key."""
        pairs = (pair.partition("=") for pair in self.query.split("&"))
        return next((unquote_plus(value) for name, _, value in pairs if unquote_plus(name) == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; ``headers`` are by lower-case name.

    ``more`` is of an answer that goes on: what there is to send by now, each time it is asked. Whoever asks holds
    the node's lock, and closes it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    more: Generator[bytes, None, None] | None = field(repr=False, default=None)

    def document(self) -> Document:
        """Return the JSON object in the body. Raises MalformedError and its subclasses."""
        return parse_document(self.body, max_bytes=2**24, max_members=2**20)


def reply(document: Document, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a JSON answer."""
    return Reply(
        status=status,
        headers={"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
        body=jcs(document),
    )


def status_of(error: type[errors.FreeholdError]) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def refusal(error: errors.FreeholdError) -> Reply:
    """Return an error as the problem document that a node sends."""
    status = status_of(type(error))
    waits_s = limits.DID_PAUSE_S if isinstance(error, errors.DidUnavailableError) else _RETRY_S
    detail = "nothing here" if status == 404 else str(error)
    return problem(status, error.code, detail, retry_after_s=waits_s)


def problem(status: int, code: str, detail: str, *, retry_after_s: int = _RETRY_S) -> Reply:
    """Return a problem document."""
    told = {"type": _TYPE + code, "title": _TITLES[status], "status": status, "code": code, "detail": detail}
    headers = {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "freehold-code": code,
    }
    if status == 503:
        headers["retry-after"] = str(retry_after_s)
    return Reply(status=status, headers=headers, body=json.dumps(told).encode())


def check_target(target: str) -> None:
    """Refuse a target that could mean two things.

    Raises:
        MalformedError: It could, or is no target.
        TooLargeError: It is longer than any of ours.
        DuplicateKeyError: Its query names a key twice.
    """
    if len(target) > limits.MAX_QUERY_CHARS + 1000:
        raise errors.TooLargeError("the target is too long")
    match = _TARGET.match(target)
    if match is None or "#" in target or "\\" in target:
        raise errors.MalformedError("the target is not a plain path of this node")
    path = target.partition("?")[0] + "/"
    if "/./" in path or "/../" in path:
        raise errors.MalformedError("the target has dot segments")
    keys = [unquote_plus(pair.partition("=")[0]) for pair in (match["query"] or "").split("&")]
    if len(set(keys)) != len(keys):
        raise errors.DuplicateKeyError("the query names a key twice")


def read_document(call: Call) -> Document:
    """Return the JSON object in a body. Raises MalformedError and its subclasses."""
    if call.body is None:
        raise errors.MalformedError("a JSON body is missing")
    if len(call.body) > limits.MAX_DOCUMENT_BYTES:
        raise errors.TooLargeError("the body is too large")
    if call.headers.get("content-type", "").split(";")[0].strip() not in _JSON:
        raise errors.MalformedError("the body is not declared to be JSON")
    return parse_document(call.body)


def number_of(text: str | None, what: str, *, default: int, most: int = 2**62) -> int:
    """Return a whole number of a query or path, in its one spelling. Raises MalformedError."""
    return default if text is None else min(form.decimal(text, what), most)


def wait_of(call: Call) -> int:
    """Return how many seconds a request prefers to wait."""
    found = _WAIT.search(call.headers.get("prefer", ""))
    return min(int(found[1]), limits.MAX_WAIT_S) if found else 0
