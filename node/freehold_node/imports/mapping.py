"""A mapping: which column of a table becomes which field of which record. A person writes it, in TOML.

Spec: specs/node/imports.md#a-mapping
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass
from functools import partial
from typing import Final

from freehold_protocol.contexts import is_term
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError
from freehold_protocol.permission import Item

from . import cells
from .cells import Convert
from .mapping_section import Section
from .reasons import reason_of, why
from .table import Layout, plain_name
from .texts import has_controls, web_address
from .zones import zone_named

MAX_MAPPING_BYTES: Final = 64 * 1024
_MAX_RECORDS: Final = 8
_MAX_SKIP: Final = 1_000
_MAX_INDEX: Final = 99
_MAX_INTEGER: Final = 2**53 - 1
NUMBERED: Final = "{n}"
"""Stands in a column's name for the number of several alike, and in its path for the same number."""
_INDEX = re.compile(r"[1-9]\d?\Z", re.ASCII)
_WEB_TERMS: Final = {"url", "image", "sameAs"}
_SEPARATORS: Final = frozenset(",;:|\t~^#!/+*_")
_KINDS: Final = ("text", "date", "decimal", "number")
NODE_TYPES: Final = {
    **dict.fromkeys(("address", "billingAddress"), "PostalAddress"),
    **dict.fromkeys(
        ("worksFor", "department", "memberOf", "affiliation", "seller", "provider", "hostingOrganization",
         "acquiredFrom", "offeredBy", "brand"),
        "Organization",
    ),
    **dict.fromkeys(("customer", "organizer", "spouse", "children", "parent", "knows"), "Person"),
    **dict.fromkeys(("orderedItem", "itemOffered", "typeOfGood"), "Product"),
    **dict.fromkeys(("height", "weight"), "QuantitativeValue"),
    "acceptedOffer": "Offer",
    "amount": "MonetaryAmount",
    "birthPlace": "Place",
    "location": "Place",
    "orderDelivery": "ParcelDelivery",
    "priceSpecification": "PriceSpecification",
}  # fmt: skip
"""What the node is that a path goes through, unless the mapping says another type."""

Step = tuple[str, int | None]
Path = tuple[Step, ...]
"""Terms, each with the number of one value among several, from 1, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What becomes of one column; ``name`` and ``to`` may hold ``{n}``.

    Attributes:
        split: What stands between several values of one cell; empty if there is only one.
        optional: Whether a table may lack the column.
    """

    name: str
    to: str
    convert: Convert
    split: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Several columns that make one text, in order."""

    path: Path
    columns: tuple[str, ...]
    between: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMapping:
    """How a row becomes one record.

    Attributes:
        type: Of the record.
        key: Columns by which it is known again.
        constants: What every record says.
        types: Of the nodes inside, by the terms that lead to them.
        collect: The field whose values are gathered from all rows of one key; empty for one row, one record.
    """

    type: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    joined: tuple[Joined, ...]
    constants: tuple[tuple[Path, str | int | bool], ...]
    types: Table[str, str]
    collect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A whole mapping.

    Attributes:
        source: What tells keys of this table from the same keys of another.
        known_by: Columns by which a built-in mapping knows its tables; empty in a person's own.
        ignore: Columns that are left out on purpose.
    """

    source: str
    layout: Layout
    records: tuple[RecordMapping, ...]
    known_by: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()


def parse_mapping(text: str) -> Mapping:
    """Return the mapping that a person wrote.

    Args:
        text: TOML.

    Raises:
        TooLargeError: Over ``MAX_MAPPING_BYTES``, or too many records or columns.
        MalformedError: And its subclasses: not TOML, or not of the form; the text says where.
    """
    if len(text.encode(errors="replace")) > MAX_MAPPING_BYTES:
        raise TooLargeError(why("large-mapping", most=MAX_MAPPING_BYTES // 1024))
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MalformedError(why("mapping-not-toml-at", error=str(error))) from None
    except (RecursionError, ValueError):
        raise MalformedError(why("mapping-not-toml")) from None
    top = Section(found, "mapping")
    formats = _Formats.of(top.section("formats"))
    records = top.tables("record")
    if not 1 <= len(records) <= _MAX_RECORDS:
        raise MalformedError(why("mapping-records", most=_MAX_RECORDS))
    read = Mapping(
        source=top.text("source", ""),
        layout=_layout(top.section("file")),
        records=tuple(_record(section, formats) for section in records),
        known_by=top.names("known-by"),
        ignore=frozenset(top.names("ignore")),
    )
    top.close()
    if not read.source and any(record.key for record in read.records):
        raise MalformedError(why("mapping-source"))
    return read


def _layout(section: Section) -> Layout:
    separator = section.text("separator", "")
    if separator and separator not in _SEPARATORS:
        raise section.wrong(why("mapping-separator"))
    read = Layout(
        separator=separator or None,
        encoding=section.text("encoding", "").strip().lower() or None,
        skip=section.whole("skip", most=_MAX_SKIP),
        header=section.names("header") or None,
    )
    section.close()
    return read


@dataclass(frozen=True, slots=True)
class _Formats:
    """How dates and numbers are written where a column does not say."""

    date: str
    decimal: str
    zone: str

    @classmethod
    def of(cls, section: Section) -> _Formats:
        read = cls(section.text("date", ""), section.text("decimal", "."), section.text("zone", ""))
        section.close()
        return read

    def converter(self, section: Section, kind: str, to: str) -> Convert:
        if kind not in _KINDS:
            raise section.wrong(why("mapping-as", kinds=", ".join(_KINDS)))
        if kind == "text":
            return web_address if to.rpartition(".")[2] in _WEB_TERMS else cells.text
        if kind == "date":
            return self._date(section)
        sign = section.text("decimal", self.decimal)
        if sign not in cells.SIGNS:
            raise section.wrong(why("mapping-decimal"))
        if kind == "decimal":
            return cells.decimal(sign, negate=section.flag("negate"))
        return cells.number(sign)

    def _date(self, section: Section) -> Convert:
        name = section.text("zone", self.zone)
        zone = zone_named(name) if name else None
        if name and zone is None:
            raise section.wrong(why("mapping-zone"))
        try:
            return cells.date(section.text("date", self.date) or None, zone)
        except ValueError as error:
            raise section.wrong(reason_of(error)) from None


def _record(section: Section, formats: _Formats) -> RecordMapping:
    columns = tuple(
        _column(name, value, formats, section.where) for name, value in section.entries("columns").items()
    )
    joined = tuple(_joined(to, value, section.where) for to, value in section.entries("joined").items())
    constants = tuple(
        (path_of(to, section), _constant(value, section))
        for to, value in section.entries("constants").items()
    )
    if not columns and not joined:
        raise section.wrong(why("mapping-no-columns"))
    made = RecordMapping(
        type=section.text("type", ""),
        key=section.names("key"),
        columns=columns,
        joined=joined,
        constants=constants,
        types=section.entries("types"),
        collect=section.text("collect", ""),
    )
    section.close()
    _check_record(made, section)
    return made


def _column(name: str, value: object, formats: _Formats, where: str) -> Column:
    section = Section(value if isinstance(value, dict) else {"to": value}, f"{where}, column {name!r}")
    to = section.text("to", "")
    if (NUMBERED in to) > (NUMBERED in name):
        raise section.wrong(why("mapping-number", numbered=NUMBERED))
    made = Column(
        name=plain_name(name),
        to=to,
        convert=formats.converter(section, section.text("as", "text"), to),
        split=section.text("split", ""),
        optional=section.flag("optional"),
    )
    section.close()
    path_of(to.replace(NUMBERED, "1"), section)
    return made


def _joined(to: str, value: object, where: str) -> Joined:
    section = Section(value if isinstance(value, dict) else {"columns": value}, f"{where}, joined {to!r}")
    made = Joined(
        path=path_of(to, section), columns=section.names("columns"), between=section.text("with", " ")
    )
    section.close()
    return made


def _constant(value: object, section: Section) -> str | int | bool:
    if isinstance(value, str) and value and not has_controls(value):
        return value
    if isinstance(value, int) and abs(value) <= _MAX_INTEGER:
        return value
    raise section.wrong(why("mapping-constant"))


def path_of(text: str, section: Section) -> Path:
    """Return the steps of a path such as ``address.2.postalCode``."""
    steps: list[Step] = []
    for part in text.split("."):
        if _INDEX.match(part) and steps and steps[-1][1] is None and int(part) <= _MAX_INDEX:
            steps[-1] = (steps[-1][0], int(part))
        else:
            steps.append((part, None))
    _check_item(section, "Person", [terms_of(tuple(steps))])
    return tuple(steps)


def terms_of(path: Path) -> str:
    """Return a path without its numbers."""
    return ".".join(term for term, _ in path)


def _check_item(section: Section, kind: str, fields: Iterable[str]) -> None:
    try:
        Item.from_dict({"type": kind, "fields": list(fields)})
    except FreeholdError as error:
        raise section.wrong(reason_of(error)) from None


def _check_record(record: RecordMapping, section: Section) -> None:
    """Check that its type is one, and that every path goes through nodes whose type is known."""
    _check_item(section, record.type, ["name"])
    for kind in record.types.values():
        if not isinstance(kind, str) or not is_term(kind):
            raise section.wrong(why("mapping-types"))
    placed = partial(path_of, section=section)
    paths = [
        *(placed(column.to.replace(NUMBERED, "1")) for column in record.columns),
        *(joined.path for joined in record.joined),
        *(path for path, _ in record.constants),
    ]
    leaves = {terms_of(path) for path in paths}
    for terms in leaves:
        inner = terms.split(".")[:-1]
        for end in range(1, len(inner) + 1):
            above = ".".join(inner[:end])
            if above in leaves:
                raise section.wrong(why("mapping-both", path=above))
            if above not in record.types and inner[end - 1] not in NODE_TYPES:
                raise section.wrong(why("mapping-which-type", path=above))
    if record.collect and not any(path[0][0] == record.collect for path in paths):
        raise section.wrong(why("mapping-collect-field"))
    if record.collect and not record.key:
        raise section.wrong(why("mapping-collect-key"))
