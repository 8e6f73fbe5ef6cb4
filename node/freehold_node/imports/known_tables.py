"""Tables that are known by their header, with the mappings that come with the node; a person needs to write none.

A mapping is a table of facts: which column a program writes, and which field it is.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from freehold_protocol.errors import MalformedError

from . import csv_records
from .mapping import Mapping, parse_mapping
from .preview import Preview
from .reasons import why
from .table import looks_like_table, read_table


class UnknownTableError(Exception):
    """The cause of a MalformedError: a table that nobody has described, so that a mapping has to say what is what."""


_NAMES: Final = ("google-contacts.toml", "outlook-contacts.toml")


@cache
def known_mappings() -> tuple[Mapping, ...]:
    """Return the mappings that come with the node."""
    folder = files(__package__).joinpath("mappings")
    return tuple(parse_mapping(folder.joinpath(name).read_text("utf-8")) for name in _NAMES)


def read(data: bytes) -> Preview | None:
    """Return what a table holds whose header is known; None if the file is no table.

    Raises:
        MalformedError: Because of UnknownTableError: nobody has described the table; the text says what to do.
        TooLargeError: Too many rows, columns or records.
    """
    if not looks_like_table(data):
        return None
    header = read_table(data).header
    for mapping in known_mappings():
        if set(mapping.known_by) <= set(header):
            return csv_records.read(data, mapping)
    raise MalformedError(why("unknown-table", columns=len(header))) from UnknownTableError()
