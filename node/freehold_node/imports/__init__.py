"""Imports: bytes of a file in, a preview of what it holds out. No IO, no clock; nothing is kept here."""

from __future__ import annotations

import re
from typing import Final

from freehold_protocol.errors import MalformedError, TooLargeError

from . import jsonld, vcard, vcard_cards
from .charset import as_utf8
from .credential import ATTESTATION
from .preview import Found, Preview, Skipped

__all__ = ["ATTESTATION", "MAX_FILE_BYTES", "Found", "Preview", "Skipped", "read_file"]

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
"""An address book of 20,000 cards without pictures has about 8 MiB."""
_MAX_NAMED: Final = 3
_JSON = re.compile(rb"[ \t\r\n]*[\[{]")
_HINTS: Final = {
    ".csv": "this looks like a table; export the address book as vCard (.vcf) instead",
    ".xls": "this looks like a table; export the address book as vCard (.vcf) instead",
    ".xlsx": "this looks like a table; export the address book as vCard (.vcf) instead",
    ".zip": "unpack it first and import the .vcf or .json files in it",
    ".ics": "this looks like a calendar, which cannot be imported yet",
    ".xml": "export the address book as vCard (.vcf) instead",
}


def read_file(data: bytes, *, name: str = "") -> Preview:
    """Return what a file holds, after finding out its format from its content.

    Args:
        data: The whole file; at most ``MAX_FILE_BYTES``.
        name: Of the file; only its ending is used, for a better error text.

    Raises:
        TooLargeError: The file, or the number of things in it, is over its bound.
        MalformedError: Neither vCard nor JSON-LD, or nothing in it can be imported.
    """
    if len(data) > MAX_FILE_BYTES:
        raise TooLargeError(f"the file is over {MAX_FILE_BYTES // 1024 // 1024} MiB")
    try:
        data = as_utf8(data)
    except UnicodeDecodeError:
        raise MalformedError("the file says it is UTF-16, but is not") from None
    if _JSON.match(data):
        preview = jsonld.read(data, max_bytes=2 * MAX_FILE_BYTES)
    elif vcard_cards.is_vcard(data):
        preview = vcard.read(data)
    else:
        hint = _HINTS.get(name[name.rfind(".") :].lower(), "") if "." in name else ""
        raise MalformedError("the file is neither vCard nor JSON-LD" + (f": {hint}" if hint else ""))
    if not preview.found:
        named = "; ".join(f"{one.where}: {one.reason}" for one in preview.skipped[:_MAX_NAMED])
        raise MalformedError(
            f"nothing in the {preview.format} file can be imported" + (f" ({named})" if named else "")
        )
    return preview
