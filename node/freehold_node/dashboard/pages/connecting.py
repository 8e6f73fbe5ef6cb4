"""Connect: a vendor's page sends the browser with a request; the person goes on from there by their own hand.

The browser does not bring the session along with what another page sends, so nobody knows here who it is; the form
on this page is sent from the dashboard, and then it does.

Spec: specs/node/dashboard.md#connect
"""

from __future__ import annotations

import zlib
from typing import Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, base64url_decode, base64url_encode, parse_document
from freehold_protocol.errors import MalformedError, TooLargeError
from freehold_protocol.limits import MAX_DOCUMENT_BYTES
from freehold_protocol.request import Request, matching_code

from ...api.keys import INBOX
from ...api.messages import read_body
from ...api.owner import connecting
from ...connecting import CONTENT_TYPE, MAX_FORM_BYTES, carried
from ...grant_told import vendor_shown
from ..consent.lookalike import suspicions
from ..page import HEADERS
from ..visit import ADDRESSES, Visit

FIELD: Final = "request"
_MOST_PACKED: Final = 200_000


async def offer(visit: Visit) -> web.Response:
    """Show who asks to connect, and go no further; nothing is written, and nothing of the person's is shown."""
    by_name = visit.request.app[ADDRESSES].named(visit.origin)
    if by_name != visit.origin:  # where the person signs in; the browser sends the same there
        return web.Response(status=307, headers={**HEADERS, "Location": f"{by_name}/connect"})
    if visit.request.content_type != CONTENT_TYPE:
        raise MalformedError("this is not a form")
    body = await read_body(visit.request, most=MAX_FORM_BYTES)
    request = visit.request.app[INBOX].posted(body)
    return _offered(visit, request)


def show_again(visit: Visit) -> web.Response:
    """Show the page that carries a request again, in another language.

    Raises:
        FreeholdError: As ``unpack`` and ``Inbox.posted``.
    """
    body = urlencode({FIELD: jcs(unpack(visit.form.text(FIELD, most=_MOST_PACKED)))}).encode()
    return _offered(visit, visit.request.app[INBOX].posted(body))


def _offered(visit: Visit, request: Request) -> web.Response:
    vendor = vendor_shown(request.vendor, request.vendor_name)
    return visit.page(
        "connect.html", vendor=vendor, code=matching_code(request.cid), packed=pack(request.document),
        suspicions=suspicions(request.vendor_name, vendor.get("domain"), ()),
        back_at=urlsplit(carried(request).return_to).netloc,
    )  # fmt: skip


async def take_in(visit: Visit) -> web.Response:
    """Take the request in for the person who is signed in; who is not signs in first, and the request stays with them.

    The form stands on a page that was made before it was known whose browser it is, so it carries no key of a session:
    that it comes from a page of this origin is what is checked.
    """
    packed = visit.form.text(FIELD, most=_MOST_PACKED)
    document = unpack(packed)
    if visit.session is None:
        return visit.page(
            "enter.html", status=401, then="/my/requests", lost=False, wait_s=0, wrong=False, carried=packed
        )
    told = (await visit.does(connecting.take_in, body={"request": document})).told
    return visit.go(f"/my/requests/{told['id']}")


def pack(document: Document) -> str:
    """Return a request as a hidden field carries it. Raises TooLargeError."""
    packed = base64url_encode(zlib.compress(jcs(document), 9))
    if len(packed) > _MOST_PACKED:
        raise TooLargeError("the request is too large to be carried on")
    return packed


def unpack(text: str) -> Document:
    """Return the request that a hidden field carries. Raises MalformedError or TooLargeError."""
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(base64url_decode(text), MAX_DOCUMENT_BYTES + 1)
    except zlib.error:
        raise MalformedError("this is no request") from None
    if len(data) > MAX_DOCUMENT_BYTES:
        raise TooLargeError("the request is too large")
    if not reader.eof:
        raise MalformedError("this is no request")
    return parse_document(data)
