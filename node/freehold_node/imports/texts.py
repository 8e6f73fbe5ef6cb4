"""What every format asks of a text before it is kept."""

from __future__ import annotations

import re
from typing import Final

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json, bound_members
from freehold_protocol.errors import TooLargeError
from freehold_protocol.reason import Reason

from .preview import KEEPING_BYTES
from .reasons import why

_KEEPING_MEMBERS: Final = 100
MAX_TEXT_BYTES: Final = 64 * 1024
"""Of one value, in UTF-8."""
MAX_ADDRESS_CHARS: Final = 2_048
"""Of a web address; browsers and servers hold about as much."""
URI_REST: Final = r"""(?:[^\s<>"{}|\\^`%\[\]]|%[0-9A-Fa-f]{2})+\Z"""
"""What follows the scheme of an IRI: nothing that would end it in a text or in markup."""
_WEB = re.compile(r"https?://(?=[^/?#])" + URI_REST, re.IGNORECASE)
_HOST = re.compile(r"(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?=[:/?#]|\Z)")
_CONTROLS = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")


class LeftOutError(Exception):
    """This value is not kept; the reason says why and carries no value."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def has_controls(text: str) -> bool:
    """Whether a text holds control characters other than tabs and line feeds."""
    return _CONTROLS.search(text) is not None


def web_address(text: str) -> str:
    """Return an http or https address; a bare host name, as people write it, becomes one.

    Raises:
        LeftOutError: It is neither.
    """
    if _HOST.match(text):
        text = f"http://{text}"
    if len(text) > MAX_ADDRESS_CHARS or not _WEB.match(text):
        raise LeftOutError(why("no-web-address"))
    return text


def fits_a_record(document: Document) -> bool:
    """Whether there is room for a document in a record, beside what belongs to its keeping.

    Raises:
        MalformedError: It holds what has no canonical form, such as a number of too many digits.
    """
    try:
        bound_members(document, max_members=limits.MAX_MEMBERS - _KEEPING_MEMBERS)
    except TooLargeError:
        return False
    return len(jcs(document)) <= limits.MAX_DOCUMENT_BYTES - KEEPING_BYTES


def room_beside(document: Document) -> tuple[int, int]:
    """Return how many bytes and members more a record of a document could have."""
    size_bytes, members = size_of(document)
    most_bytes = limits.MAX_DOCUMENT_BYTES - KEEPING_BYTES
    return most_bytes - size_bytes, limits.MAX_MEMBERS - _KEEPING_MEMBERS - members


def size_of(document: Document) -> tuple[int, int]:
    """Return how many bytes a document has, and how many members with all that is in it."""
    waiting: list[Json] = [document]
    members = 0
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict | list):
            members += len(item)
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return len(jcs(document)), members


def on_one_line(text: str) -> str:
    """Return a text for a label."""
    return " ".join(text.split())
