"""A mapping to begin with, from a table's header and from what its values look like.

It names the columns and never a value: the text may be shown, edited and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from .cells import SIGNS, Convert, date, decimal
from .table import Table, read_table
from .texts import LeftOutError

_ROWS: Final = 50
_MAX_COLUMNS: Final = 400
_DATES: Final = (
    "YYYY-MM-DD", "YYYY-MM-DD HH:mm", "YYYY-MM-DD HH:mm:ss", "DD.MM.YYYY", "DD.MM.YYYY HH:mm", "MM/DD/YYYY",
    "DD/MM/YYYY", "DD-MMM-YYYY", "DD-MMM-YY", "MM/DD/YY", "DD/MM/YY", "DD.MM.YY", "DD MMM YYYY", "YYYY/MM/DD",
    "YYYYMMDD",
)  # fmt: skip
_SPOKEN = re.compile(r"[^a-z0-9äöüß]+")
_PATHS: Final = {
    "Order": {
        "orderNumber": ("order id", "order number", "order no", "bestellnummer", "bestellung"),
        "orderDate": ("order date", "ordered on", "bestelldatum", "purchase date"),
        "orderStatus": ("order status", "status", "bestellstatus"),
        "acceptedOffer.price": ("total", "order total", "total owed", "amount", "price", "gesamtbetrag", "preis"),
        "acceptedOffer.priceCurrency": ("currency", "währung"),
        "orderedItem.name": ("item", "items", "product", "product name", "title", "artikel", "produkt"),
        "orderedItem.sku": ("sku", "asin", "item number", "artikelnummer"),
        "orderDelivery.trackingNumber": ("tracking number", "sendungsnummer"),
        "seller.name": ("seller", "shop", "merchant", "merchant name", "verkäufer"),
    },
    "Person": {
        "name": ("name", "full name", "display name", "anzeigename"),
        "givenName": ("first name", "given name", "vorname"),
        "familyName": ("last name", "family name", "surname", "nachname"),
        "email": ("email", "e mail", "email address", "e mail address", "e mail adresse"),
        "telephone": ("phone", "telephone", "mobile", "mobile phone", "phone number", "telefon", "mobil"),
        "birthDate": ("birthday", "birth date", "date of birth", "geburtstag", "geburtsdatum"),
        "address.streetAddress": ("street", "address", "street address", "straße", "strasse"),
        "address.addressLocality": ("city", "town", "ort", "stadt"),
        "address.postalCode": ("postal code", "postcode", "zip", "zip code", "plz", "postleitzahl"),
        "address.addressRegion": ("state", "region", "province", "bundesland"),
        "address.addressCountry": ("country", "land"),
        "worksFor.name": ("company", "organization", "organisation", "firma"),
        "jobTitle": ("job title",),
        "description": ("notes", "note", "notizen"),
    },
    "MoneyTransfer": {
        "endTime": ("date", "booking date", "buchungstag", "buchungsdatum", "posting date"),
        "name": ("payee", "description", "recipient", "beneficiary", "auftraggeber empfänger"),
        "amount.value": ("amount", "betrag"),
        "amount.currency": ("currency", "währung"),
        "category": ("category", "kategorie", "type", "transaction type"),
        "description": ("memo", "purpose", "verwendungszweck", "reference"),
    },
}  # fmt: skip
"""For each type, its fields and what programs call such a column, in lower case without punctuation."""
_DATED: Final = {"orderDate", "birthDate", "endTime"}
_AMOUNTS: Final = {"acceptedOffer.price", "amount.value"}


def suggest(data: bytes, name: str) -> str:
    """Return the text of a mapping for a table.

    Raises:
        MalformedError: It is no table.
        TooLargeError: It has too many columns.
    """
    table = read_table(data)
    columns = _columns_of(table)
    kind = max(_PATHS, key=lambda kind: len(_fields(kind, table.header)))
    fields = _fields(kind, table.header)
    return (
        "\n".join([*_top(table, name), *_formats(columns, fields), *_record(kind, table, columns, fields)])
        + "\n"
    )


def quoted(text: str) -> str:
    """Return a text as TOML, with an escape for everything that does not simply show."""
    shown = (char if char.isprintable() and char not in '"\\' else _escaped(char) for char in text)
    return f'"{"".join(shown)}"'


def _escaped(char: str) -> str:
    return (
        f"\\{char}"
        if char in '"\\'
        else f"\\u{ord(char):04X}"
        if ord(char) < 0x10000
        else f"\\U{ord(char):08X}"
    )


def _columns_of(table: Table) -> dict[str, list[str]]:
    """Return the first filled cells of each column."""
    columns: dict[str, list[str]] = {name: [] for name in table.header}
    for _, cells in islice(table.rows, _ROWS):
        for name, cell in zip(table.header, cells, strict=False):
            if cell.strip():
                columns[name].append(cell.strip())
    return columns


def _fields(kind: str, header: Iterable[str]) -> dict[str, str]:
    """Return for each column the field that its name stands for, each field once."""
    spoken = {name: _SPOKEN.sub(" ", name.lower()).strip() for name in header}
    found: dict[str, str] = {}
    for field, names in _PATHS[kind].items():
        column = next((name for name in header if spoken[name] in names and name not in found), None)
        if column is not None:
            found[column] = field
    return found


def _read_by(convert: Convert, values: list[str]) -> int:
    """Return how many of the values can be read so."""
    count = 0
    for value in values:
        with suppress(LeftOutError):
            convert(value)
            count += 1
    return count


def _date_patterns(values: list[str]) -> list[str]:
    """Return the patterns that read most of the values, all that do equally well."""
    counts = {pattern: _read_by(date(pattern, None), values) for pattern in _DATES}
    most = max(counts.values())
    return [pattern for pattern, count in counts.items() if count == most and 2 * count > len(values)]


def _top(table: Table, name: str) -> Iterator[str]:
    yield f"# What the columns of {quoted(name)} become. Look it over, then:"
    yield "#   freehold import TABLE --mapping THIS-FILE --preview"
    yield ""
    yield "# Where the table comes from, in your words; the same in every later table from there."
    yield "# A row is known again by this and its key."
    yield f"source = {quoted(name.rpartition('.')[0] or name or 'my table')}"
    yield ""
    yield "# Columns to leave out without a word. All that stand nowhere here are named in the preview."
    yield "ignore = []"
    yield ""
    yield "[file]"
    yield f"separator = {quoted(table.separator)}"
    yield '# encoding = "windows-1252"   # if accents come out wrong'
    yield "# skip = 1                     # lines before the header"


def _formats(columns: dict[str, list[str]], fields: dict[str, str]) -> Iterator[str]:
    dated = [_date_patterns(columns[name]) for name, field in fields.items() if field in _DATED]
    patterns = [one for one in dated if one]
    amounts = [value for name, field in fields.items() if field in _AMOUNTS for value in columns[name]]
    sign = max(SIGNS, key=lambda sign: _read_by(decimal(sign), amounts))
    yield ""
    yield "[formats]"
    if patterns:
        first, *others = patterns[0]
        also = f"   # or {', '.join(others)}: look at the values" if others else ""
        yield f"date = {quoted(first)}{also}"
    else:
        yield '# date = "DD.MM.YYYY"          # how dates are written: YYYY, YY, MM, MMM, DD, HH, hh, mm, ss, AM, Z'
    yield f"decimal = {quoted(sign)}                 # what stands before the cents"
    yield '# zone = "Europe/Berlin"       # of times that do not say theirs'


def _record(kind: str, table: Table, columns: dict[str, list[str]], fields: dict[str, str]) -> Iterator[str]:
    key = [name for name, field in fields.items() if field == "orderNumber"]
    yield ""
    yield "[[record]]"
    yield f"type = {quoted(kind)}   # what one row is: Person, Order, Product, Event, MoneyTransfer, ..."
    yield "# The columns that no two rows have in common. Without a key a row that changes is a new record."
    yield f"key = [{', '.join(map(quoted, key))}]" if key else f"# key = [{quoted(table.header[0])}]"
    if key:
        yield '# collect = "orderedItem"      # where an order has a row for each of its items'
    yield ""
    yield '# Column = field: a name of schema.org, or a path of names. { to = ..., as = ... } with as = "date",'
    yield '# "decimal" (an exact amount) or "number"; split = ";" where one cell has several values.'
    yield "[record.columns]"
    for name in list(columns)[:_MAX_COLUMNS]:
        yield _line(name, fields.get(name), columns[name])
    if "amount.value" in fields.values() and "amount.currency" not in fields.values():
        yield from ("", "[record.constants]", '# "amount.currency" = "EUR"')


def _line(name: str, field: str | None, values: list[str]) -> str:
    if field is None:
        return f'# {quoted(name)} = ""'
    if field in _DATED:
        fits = not values or bool(_date_patterns(values))
        return f'{quoted(name)} = {{ to = {quoted(field)}, as = "date" }}' + (
            "" if fits else "   # which form?"
        )
    if field in _AMOUNTS:
        return f'{quoted(name)} = {{ to = {quoted(field)}, as = "decimal" }}'
    return f"{quoted(name)} = {quoted(field)}"
