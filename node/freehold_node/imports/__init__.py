"""Imports: bytes of a file in, a preview of what it holds out. No IO, no clock; nothing is kept here."""

from __future__ import annotations

import re
from typing import Final

from freehold_protocol.errors import MalformedError, TooLargeError

from . import csv_records, ical, jsonld, known_tables, ofx, suggestion, vcard, vcard_cards
from .charset import as_utf8
from .credential import ATTESTATION
from .known_tables import UnknownTableError
from .mapping import MAX_MAPPING_BYTES, parse_mapping
from .preview import Found, Preview, Skipped, nothing_in
from .reasons import why
from .texts import fits_a_record, room_beside, size_of

__all__ = [
    "ATTESTATION",
    "MAX_FILE_BYTES",
    "MAX_MAPPING_BYTES",
    "Found",
    "Preview",
    "Skipped",
    "UnknownTableError",
    "fits_a_record",
    "read_file",
    "room_beside",
    "size_of",
    "suggest_mapping",
]

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
"""An address book of 20,000 cards without pictures has about 8 MiB."""
_JSON = re.compile(rb"[ \t\r\n]*[\[{]")
_SURELY_JSON = re.compile(rb"[ \t\r\n]*(?:\{[ \t\r\n]*[\"}]|\[[ \t\r\n]*[\[{\"\]])")
_OTHERS: Final = (
    ("vCard", vcard_cards.is_vcard),
    ("iCalendar", ical.is_calendar),
    ("OFX", ofx.is_ofx),
    ("JSON", _SURELY_JSON.match),
)
_HINTS: Final = {
    ".xls": why("hint-spreadsheet"),
    ".xlsx": why("hint-spreadsheet"),
    ".ods": why("hint-spreadsheet"),
    ".zip": why("hint-unpack"),
    ".xml": why("hint-as-vcard"),
}


def read_file(data: bytes, *, name: str = "", mapping: str | None = None) -> Preview:
    """Return what a file holds, after finding out its format from its content.

    Args:
        data: The whole file; at most ``MAX_FILE_BYTES``.
        name: Of the file; only its ending is used, for a better error text.
        mapping: What the columns of a table mean, as a person wrote it; at most ``MAX_MAPPING_BYTES``.

    Raises:
        TooLargeError: The file, or the number of things in it, is over its bound.
        MalformedError: Of no format that is read, or nothing in it can be imported; or the mapping is not of
            its form, or not of this table.

    Spec: specs/node/imports.md
    """
    if len(data) > MAX_FILE_BYTES:
        raise TooLargeError(why("large-file", most=MAX_FILE_BYTES // 1024 // 1024))
    preview = _read(data, name) if mapping is None else _read_table(data, mapping)
    if not preview.found:
        raise MalformedError(nothing_in(preview.format, preview.skipped))
    return preview


def suggest_mapping(data: bytes, *, name: str = "") -> str:
    """Return a mapping for a table to begin with: its columns, and what they look like. It carries no values.

    Args:
        data: The whole file; at most ``MAX_FILE_BYTES``.
        name: Of the file.

    Raises:
        TooLargeError: The file is over its bound.
        MalformedError: It is no table.

    Spec: specs/node/imports.md#a-mapping
    """
    if len(data) > MAX_FILE_BYTES:
        raise TooLargeError(why("large-file", most=MAX_FILE_BYTES // 1024 // 1024))
    _refuse_others(data)
    return suggestion.suggest(data, name)


def _read(data: bytes, name: str) -> Preview:
    plain = _plain(data)
    if _JSON.match(plain):
        return jsonld.read(plain, max_bytes=2 * MAX_FILE_BYTES)
    if vcard_cards.is_vcard(plain):
        return vcard.read(plain)
    if ical.is_calendar(plain):
        return ical.read(plain)
    if ofx.is_ofx(plain):
        return ofx.read(plain)
    found = known_tables.read(data)
    if found is not None:
        return found
    hint = _HINTS.get(name[name.rfind(".") :].lower()) if "." in name else None
    raise MalformedError(why("none-of-them") if hint is None else why("none-of-them-hint", hint=hint))


def _read_table(data: bytes, mapping: str) -> Preview:
    read = parse_mapping(mapping)
    _refuse_others(data)
    return csv_records.read(data, read)


def _refuse_others(data: bytes) -> None:
    """Refuse what is no table, where one is expected."""
    plain = _plain(data)
    for named, is_one in _OTHERS:
        if is_one(plain):
            raise MalformedError(why("needs-no-mapping", format=named))


def _plain(data: bytes) -> bytes:
    try:
        return as_utf8(data)
    except UnicodeDecodeError:
        raise MalformedError(why("not-utf16")) from None
