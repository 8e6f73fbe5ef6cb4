"""Connect: a request that the person's browser carries, and the way back to the vendor's page.

Spec: specs/http.md#connect
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from freehold_protocol import limits
from freehold_protocol.connect import CHALLENGE, CODE, REQUEST, Connect
from freehold_protocol.encoding import base64url_encode, parse_document
from freehold_protocol.errors import MalformedError, TooLargeError
from freehold_protocol.request import Request

from .ambient import Ambient
from .drafts import check_zones
from .store.rows import RequestRow

FIELD: Final = "request"
CONTENT_TYPE: Final = "application/x-www-form-urlencoded"
MAX_FORM_BYTES: Final = len(FIELD) + 1 + 3 * limits.MAX_DOCUMENT_BYTES
"""A request in which each byte is escaped."""
CODE_US: Final = limits.RETURN_CODE_S * 1_000_000
_CODE_BYTES: Final = 24


def read_posted(body: bytes, *, now_s: int) -> Request:
    """Return the request in a form that a vendor's page sent, as far as it can be told without looking elsewhere.

    Nothing is written and nothing fetched: anybody's page can make a browser send this. Neither is anything true of it
    yet. Its proof is verified when the person, signed in, goes on (``Inbox.receive_connect``); before that no browser
    may be sent to where it wants to return.

    Args:
        body: ``application/x-www-form-urlencoded``.
        now_s: The node's clock.

    Raises:
        TooLargeError: More than ``MAX_FORM_BYTES``, or the request has more than a document may.
        MalformedError: And its subclasses: not one field with a request that a browser carries.
        FreeholdError: Others, where it could not be shown for approval; the code says why.

    Spec: specs/http.md#connect
    """
    if len(body) > MAX_FORM_BYTES:
        raise TooLargeError("the form is too large")
    try:
        text = body.decode("ascii")
        fields = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=1
        )
    except ValueError:  # UnicodeDecodeError is one
        raise MalformedError("this is not a form of one field") from None
    if [name for name, _ in fields] != [FIELD]:
        raise MalformedError(f"the form has one field, {FIELD!r}")
    request = Request.from_dict(parse_document(fields[0][1].encode()))
    carried(request)
    request.check_times(now_s=now_s)
    check_zones(request.permissions)
    return request


def carried(request: Request) -> Connect:
    """Return how a request comes that a browser carries. Raises MalformedError if none does."""
    if request.connect is None:
        raise MalformedError("this request is for an invitation, not for a browser to carry")
    return request.connect


def check_not_carried(request: Request) -> None:
    """Refuse, at an invitation, a request that a browser carries. Raises MalformedError."""
    if request.connect is not None:
        raise MalformedError("this request is for the person's browser to carry, not for an invitation")


def new_code(ambient: Ambient) -> str:
    """Return a code that is used once."""
    return base64url_encode(ambient.random_bytes(_CODE_BYTES))


def digest_of(code: str) -> bytes:
    """Return what is kept of a code."""
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()


def opens(row: RequestRow, code: str | None, *, now_us: int) -> bool:
    """Whether a code is the one by which this approval is claimed, and still good."""
    kept, given = row.code_digest or b"", digest_of(code or "")
    right = hmac.compare_digest(kept, given)
    return right and code is not None and row.status == "approved" and now_us < row.code_until_us


def way_back(request: Request, *, where: str, code: str | None) -> str:
    """Return the whole address to which the browser returns.

    Args:
        request: A verified one.
        where: The URL at which the vendor follows it.
        code: None where it was refused.
    """
    connect = carried(request)
    told = {REQUEST: where, CHALLENGE: connect.challenge} | ({CODE: code} if code else {})
    joined = "&" if "?" in connect.return_to else "?"
    return connect.return_to + joined + urlencode(told, quote_via=quote)
