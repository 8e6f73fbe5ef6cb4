"""Connect: the person's browser carries a request to their node, and comes back with a code.

Spec: specs/clients.md#connect
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from freehold_protocol import form
from freehold_protocol.canonical import jcs
from freehold_protocol.connect import CHALLENGE, CODE, REQUEST
from freehold_protocol.grant import read_origin
from freehold_protocol.request import Request, matching_code

from .errors import MalformedError, OtherBrowserError

_STATUS = re.compile(r"(?P<origin>.{1,300})/requests/[A-Za-z0-9-]{1,64}\Z")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LOCAL_NAME: Final = "localhost"
_MAX_ADDRESS_CHARS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectRequest:
    """What a web page needs to send a person's browser to their node, made by ``Vendor.connect``.

    The page holds a form that the browser posts by the person's own click::

        <form method="post" action="{action}"><input type="hidden" name="{field}" value="{value}"> ...

    with each of them escaped for HTML. Where the page has a Content-Security-Policy with ``form-action``, that has to
    allow the address.

    Attributes:
        action: Where the form goes: at the node that the person named.
        value: Of the form's one field: the signed request.
        challenge: To be kept in the session of this browser, and nowhere else, for ``Vendor.returned``.
        request: As it was signed.
    """

    action: str
    value: str
    challenge: str
    request: Request

    @property
    def field(self) -> str:
        """The name of the form's one field."""
        return "request"

    @property
    def code(self) -> str:
        """The short code, ``1234-5678``, that the person's screen shows too if nobody altered the request."""
        return matching_code(self.request.cid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a browser brought back, as far as its form goes; ``code`` is None where the request was refused."""

    status_url: str
    challenge: str
    code: str | None


def connect_request(origin: str, request: Request) -> ConnectRequest:
    """Return what a page needs for a request that has ``connect``."""
    if request.connect is None:
        raise TypeError("this request is for an invitation")
    return ConnectRequest(
        action=f"{origin}/connect",
        value=jcs(request.document).decode(),
        challenge=request.connect.challenge,
        request=request,
    )


def read_node_address(text: str) -> str:
    """Return the origin of a node whose address a person typed, or copied from their browser.

    ``ada.example`` and ``https://ada.example/my/today`` give ``https://ada.example``; ``localhost:8420`` and
    ``127.0.0.1:8420`` give the same after ``http://``: such an address means the computer that the person sits at.

    Raises:
        MalformedError: It is none; the text says to the person why.
    """
    text = text.strip()
    if not text or len(text) > _MAX_ADDRESS_CHARS:
        raise MalformedError("Please give the address of your node, such as ada.example or localhost:8420.")
    has_scheme = _SCHEME.match(text) is not None
    try:
        parts = urlsplit(text if has_scheme else f"//{text}")
        host, port, user = (parts.hostname or "").lower(), parts.port, parts.username
        host = host if ":" in host else host.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        raise MalformedError(
            "That is not the address of a node, such as ada.example or localhost:8420."
        ) from None
    if user is not None or parts.scheme not in ("", "http", "https"):
        raise MalformedError("That is not the address of a node, such as ada.example or localhost:8420.")
    is_local = _is_this_computer(host)
    scheme = parts.scheme or ("http" if is_local else "https")
    if scheme == "http" and not is_local:
        raise MalformedError(
            "A node on the internet is reached by https only: what you decide must not be read on the way."
        )
    shown = f"[{host}]" if ":" in host else host
    implied = port in (None, {"http": 80, "https": 443}[scheme])
    origin = f"{scheme}://{shown}" + ("" if implied else f":{port}")
    try:
        read_origin(origin.replace(f"//{_LOCAL_NAME}", "//127.0.0.1", 1) if host == _LOCAL_NAME else origin)
    except MalformedError:
        raise MalformedError(
            "That is not the address of a node, such as ada.example or localhost:8420."
        ) from None
    return origin


def _is_this_computer(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == _LOCAL_NAME


def read_returned(query: Mapping[str, str], *, challenge: str | None) -> Returned:
    """Return what a browser brought back, if it is the one that the request was given to.

    Args:
        query: Of the page to which it returned, decoded.
        challenge: As the session of this browser keeps it; None: it keeps none.

    Raises:
        OtherBrowserError: The challenge is another one's.
        MalformedError: It is not what a node adds to a page's query.
    """
    given = query.get(CHALLENGE, "")
    if challenge is None or not hmac.compare_digest(_bytes(given), _bytes(challenge)):
        raise OtherBrowserError("this browser was not given the request that it comes back with")
    where = query.get(REQUEST, "")
    origin_of_status(where)
    code = query.get(CODE)
    return Returned(status_url=where, challenge=given, code=None if code is None else form.nonce(code, CODE))


def origin_of_status(url: str) -> str:
    """Return the origin at which a request is followed. Raises MalformedError."""
    match = _STATUS.match(url)
    if match is None:
        raise MalformedError("the node does not say where to follow the request")
    return read_origin(match["origin"])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
