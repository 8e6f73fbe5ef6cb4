"""What the value of one vCard line becomes, or why it cannot be kept.

Each function takes a line and returns the values it holds, or raises ``LeftOutError``.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from freehold_protocol.encoding import Document

from .reasons import why
from .texts import MAX_ADDRESS_CHARS, URI_REST, LeftOutError
from .texts import web_address as checked_web_address
from .vcard_line import Line

MAX_UNITS: Final = 8
"""Departments within departments: a bound on the document's depth."""

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,31}):" + URI_REST)
_RUNNABLE: Final = {"javascript", "vbscript", "data", "file", "blob", "about"}
"""Schemes that name a program or a file of this machine, not an account."""
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?\Z", re.ASCII | re.DOTALL)
_PART_OF_DATE = re.compile(r"--[\d-]{2,5}\Z|---\d\d\Z|\d{4}(-\d\d)?\Z", re.ASCII)
_GENDERS: Final = {"m": "male", "f": "female", "o": "other"}
_NO_GENDERS: Final = {"", "n", "u"}
_BUILT_IN_LABEL = re.compile(r"_\$!<(.*)>!\$_\Z", re.DOTALL)
_ADDRESS_FIELDS: Final = (
    "postOfficeBoxNumber",
    "extendedAddress",
    "streetAddress",
    "addressLocality",
    "addressRegion",
    "postalCode",
    "addressCountry",
)
_NAME_FIELDS: Final = ("familyName", "givenName", "additionalName", "honorificPrefix", "honorificSuffix")
SPOKEN_ORDER: Final = ("honorificPrefix", "givenName", "additionalName", "familyName", "honorificSuffix")


def text(line: Line) -> list[str]:
    """Return the value as it is."""
    return [line.text()]


def texts(line: Line) -> list[str]:
    """Return each value of a list."""
    return line.values()


def one_line(line: Line) -> list[str]:
    """Return a value that has no line breaks."""
    value = line.text()
    if "\n" in value:
        raise LeftOutError(why("line-break"))
    return [value]


def email(line: Line) -> list[str]:
    """Return the address, also from a ``mailto:`` URI."""
    (value,) = one_line(line)
    return [_without_scheme(value, "mailto:")]


def telephone(line: Line) -> list[str]:
    """Return the number, also from a ``tel:`` URI."""
    (value,) = one_line(line)
    return [_without_scheme(value, "tel:")]


def _without_scheme(value: str, scheme: str) -> str:
    return value[len(scheme) :] if value[: len(scheme)].lower() == scheme else value


def web_address(line: Line) -> list[str]:
    """Return an http or https URI; a bare host name, as old phones write it, becomes one."""
    (value,) = one_line(line)
    return [checked_web_address(value) if value else value]


def account(line: Line) -> list[str]:
    """Return the URI of an account."""
    (value,) = one_line(line)
    found = _URI.match(value)
    if value and (len(value) > MAX_ADDRESS_CHARS or not found or found[1].lower() in _RUNNABLE):
        raise LeftOutError(why("account-without-address"))
    return [value]


def birth_date(line: Line) -> list[str]:
    """Return an XSD date; a time of birth is no part of it."""
    value = line.text()
    if not value:
        return []
    if "X-APPLE-OMIT-YEAR" in line.params or _PART_OF_DATE.match(value):
        raise LeftOutError(why("part-of-date"))
    found = _DATE.match(value)
    if not found:
        raise LeftOutError(why("not-a-date"))
    try:
        return [dt.date(int(found[1]), int(found[2]), int(found[3])).isoformat()]
    except ValueError:
        raise LeftOutError(why("no-such-date")) from None


def gender(line: Line) -> list[str]:
    """Return what the person calls it, else the word for the letter."""
    sex, *said = line.components()
    if any(said):
        return [one for one in said if one][:1]
    if sex.lower() in _NO_GENDERS:
        raise LeftOutError(why("nothing-to-say"))
    return [_GENDERS.get(sex.lower(), sex)]


def organization(line: Line) -> list[Document]:
    """Return an organization with its departments, each within the one before."""
    names = [name for name in line.components() if name]
    if len(names) > MAX_UNITS:
        raise LeftOutError(why("many-departments", most=MAX_UNITS))
    made: Document = {}
    for name in reversed(names):
        inner = {"department": made} if made else {}
        made = {"type": "Organization", "name": name, **inner}
    return [made] if made else []


def address(line: Line) -> list[Document]:
    """Return a postal address; several values of one part are joined by commas."""
    parts = [", ".join(filter(None, one)) for one in line.structure()]
    made: Document = {name: part for name, part in zip(_ADDRESS_FIELDS, parts, strict=False) if part}
    if not made:
        return []
    kind = next((kind for kind in line.types if kind in ("home", "work")), None)
    if kind is not None:
        made["contactType"] = kind
    return [{"type": "PostalAddress", **made}]


def label(line: Line) -> str:
    """Return an Apple label: the name of a built-in one in lower case, else as it is."""
    value = line.text()
    built_in = _BUILT_IN_LABEL.match(value)
    return built_in[1].lower() if built_in else value


def name_parts(line: Line) -> dict[str, str]:
    """Return the fields of a structured name; several values of one part are joined by blanks."""
    parts = [" ".join(filter(None, one)) for one in line.structure()]
    return {name: part for name, part in zip(_NAME_FIELDS, parts, strict=False) if part}


def surplus(line: Line) -> bool:
    """Whether a structured name or address has filled parts after those its version defines."""
    known = len(_ADDRESS_FIELDS) if line.name == "ADR" else len(_NAME_FIELDS)
    return any(any(part) for part in line.structure()[known:])


def rank(line: Line) -> int:
    """Return where a line stands among those of its name: preferred first, pager numbers last."""
    preference = 101
    if "pref" in line.types:
        preference = 1
    for number in line.params.get("PREF", ()):
        if number.isascii() and number.isdigit() and len(number) <= 3:
            preference = int(number)
    return preference + (1000 if "pager" in line.types else 0)
