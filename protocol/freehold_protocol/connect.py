"""Connect: where the person's browser returns to after deciding, and what ties the answer to that browser.

Spec: specs/requests.md#connect
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from . import form, limits
from .did_document import did_web_url, is_web
from .encoding import Document, Json
from .errors import MalformedError, TooLargeError
from .target import query_names

REQUEST: Final = "freehold-request"
CHALLENGE: Final = "freehold-challenge"
CODE: Final = "freehold-code"
RETURNED: Final = (REQUEST, CHALLENGE, CODE)
"""What a node adds to the query of the page to which it sends a browser back."""
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ESCAPE: Final = r"%[0-9A-Fa-f]{2}"
# Always with a path, so that no two programs differ on whether a slash goes without saying.
_PAGE = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:]{{2,39}}\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    rf"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|{_ESCAPE})*"
    rf"(?:\?(?P<query>(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|{_ESCAPE})+))?\Z",
    re.ASCII,
)
_LOOPBACK = re.compile(r"127(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}\Z|\[::1\]\Z", re.ASCII)
_MAX_PORT: Final = 65_535
_IMPLIED_PORT: Final = {"https": "443", "http": "80"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """``return_to`` is a page of the vendor's; ``challenge`` the vendor keeps in the session of one browser."""

    return_to: str
    challenge: str

    @classmethod
    def from_dict(cls, document: Json, *, vendor: str) -> Connect:
        """Parse the member of a request by a vendor with this DID.

        Raises:
            MalformedError: Not of the form, or a page that the vendor cannot send people to.
            TooLargeError: The page's address is.

        Spec: specs/requests.md#connect
        """
        found = form.check_members(document, required=("returnTo", "challenge"))
        return cls(
            return_to=read_return_to(found["returnTo"], vendor=vendor),
            challenge=form.nonce(found["challenge"], "challenge"),
        )

    def to_dict(self) -> Document:
        """Return the JSON that from_dict reads."""
        return {"returnTo": self.return_to, "challenge": self.challenge}


def read_return_to(value: Json, *, vendor: str) -> str:
    """Return the page to which a browser may be sent back for a vendor.

    That of a ``did:web`` lies under its domain. Behind any other nobody stands, so it may be any page that is reached
    over TLS, or one on the person's own machine.

    Raises:
        MalformedError: No such page.
        TooLargeError: More than ``limits.MAX_RETURN_CHARS``.
    """
    if isinstance(value, str) and len(value) > limits.MAX_RETURN_CHARS:
        raise TooLargeError(f"returnTo has more than {limits.MAX_RETURN_CHARS} characters")
    match = _PAGE.match(value) if isinstance(value, str) else None
    if match is None or not _is_port(match["scheme"], match["port"]):
        raise MalformedError("returnTo is not a page such as https://shop.example/returned")
    if match["query"] is not None and not {*RETURNED}.isdisjoint(query_names(match["query"])):
        raise MalformedError("returnTo names what the node adds to it")
    if not _is_vendors(match, vendor):
        raise MalformedError("returnTo is not a page of the vendor's")
    return match[0]


def _is_port(scheme: str, port: str | None) -> bool:
    return port is None or (int(port) <= _MAX_PORT and port != _IMPLIED_PORT[scheme])


def _is_vendors(page: re.Match[str], vendor: str) -> bool:
    if not is_web(vendor):
        return page["scheme"] == "https" or _LOOPBACK.match(page["host"]) is not None
    scheme, _, rest = did_web_url(vendor).partition("://")
    host, _, port = rest.partition("/")[0].partition(":")
    if page["scheme"] != scheme or (page["port"] or "") != port:
        return False
    # Below an address there is nothing.
    return page["host"] == host or (scheme == "https" and page["host"].endswith(f".{host}"))
