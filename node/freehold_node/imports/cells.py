"""What the text of a cell becomes: a text, a date, an exact amount or a number.

Every function returns the value, or raises ``LeftOutError`` with a reason that carries nothing of it.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from freehold_protocol.encoding import Json

from .reasons import why
from .texts import MAX_TEXT_BYTES, LeftOutError, has_controls
from .zones import written

Convert = Callable[[str], Json]
SIGNS: Final = (".", ",")
"""What may stand between the units and the tenths of a number."""
_MAX_DIGITS: Final = 40
_EXACT_DIGITS: Final = 15
"""What every JSON reader keeps of a number."""
_GROUPS: Final = "'’ \u00a0\u202f"
_CODE = re.compile(r"[A-Z]{3}(?![A-Za-z])|(?<![A-Za-z])[A-Z]{3}\Z")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?)?\Z", re.ASCII
)
_TOKENS = re.compile(r"YYYY|YY|MMM|MM?|DD?|HH?|hh?|mm?|ss?|AM|Z|.", re.DOTALL)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS: Final = {
    "YYYY": ("year", r"\d{4}"),
    "YY": ("short", r"\d\d"),
    "MMM": ("named", r"[A-Za-z]{3,9}\.?"),
    "M": ("month", r"\d\d?"),
    "D": ("day", r"\d\d?"),
    "H": ("hour", r"\d\d?"),
    "h": ("half", r"\d\d?"),
    "m": ("minute", r"\d\d?"),
    "s": ("second", r"\d\d?"),
    "AM": ("noon", r"[AaPp]\.?[Mm]\.?"),
    "Z": ("offset", r"Z|[+-]\d\d:?\d\d"),
}
_LITERALS: Final = ("T",)
"""Letters that stand for themselves: what ISO 8601 writes between date and time."""
_FIRST_OF_1900: Final = 69
"""A year of two digits from here on is of the last century, as in POSIX."""
PATTERN_HELP: Final = why("pattern-help")


def text(cell: str) -> str:
    """Return a text as it stands."""
    if has_controls(cell):
        raise LeftOutError(why("control-characters"))
    if len(cell.encode()) > MAX_TEXT_BYTES:
        raise LeftOutError(why("long-text", most=MAX_TEXT_BYTES // 1024))
    return cell


def decimal(sign: str, *, negate: bool = False) -> Convert:
    """Return what reads an exact amount as a text such as ``-1234.50``.

    Args:
        sign: What stands before the tenths, one of ``SIGNS``.
        negate: Whether the amounts are written without the minus that they mean.
    """
    groups = _GROUPS + ("," if sign == "." else ".")
    number = re.compile(
        rf"(\d{{1,3}}(?:[{re.escape(groups)}]\d{{3}})+|\d+)?(?:{re.escape(sign)}(\d*))?\Z", re.ASCII
    )

    def convert(cell: str) -> str:
        minus, digits = _without_currency(cell)
        found = number.match(digits) if len(digits) <= _MAX_DIGITS else None
        if found is None or not (found[1] or found[2]):
            raise LeftOutError(why("no-amount-with", sign=sign))
        whole = re.sub(r"\D", "", found[1] or "0").lstrip("0") or "0"
        amount = f"{whole}.{found[2]}" if found[2] else whole
        return f"-{amount}" if minus != negate and amount.strip("0.") else amount

    return convert


def _without_currency(cell: str) -> tuple[bool, str]:
    """Return whether an amount is below zero, and what is left without sign, brackets and currency."""
    digits = _CODE.sub("", "".join(char for char in cell if unicodedata.category(char) != "Sc")).strip()
    bracketed = digits.startswith("(") and digits.endswith(")")
    digits = digits[1:-1].strip() if bracketed else digits.replace("\u2212", "-")
    if digits[:1] in ("-", "+"):
        return bracketed or digits[0] == "-", digits[1:].strip()
    if digits[-1:] == "-":
        return True, digits[:-1].strip()
    return bracketed, digits


def number(sign: str) -> Convert:
    """Return what reads a number, as a JSON number, where JSON keeps all its digits."""
    exact = decimal(sign)

    def convert(cell: str) -> int | float:
        digits = str(exact(cell))
        if sum(map(str.isdigit, digits.strip("-0."))) > _EXACT_DIGITS:
            raise LeftOutError(why("too-many-digits"))
        return float(digits) if "." in digits else int(digits)

    return convert


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A date's form: what it matches, and the zone of its times."""

    form: re.Pattern[str]
    pattern: str
    zone: ZoneInfo | None

    def __call__(self, cell: str) -> str:
        found = self.form.match(cell) if len(cell) <= 100 else None
        if found is None:
            raise LeftOutError(why("no-date-like", pattern=self.pattern))
        try:
            return self._written(found.groupdict())
        except ValueError:
            raise LeftOutError(why("no-such-moment")) from None

    def _written(self, parts: dict[str, str | None]) -> str:
        date = dt.date(_year(parts), _month(parts), int(parts.get("day") or 1))
        if not parts.keys() & {"hour", "half"}:
            return date.isoformat()
        time = dt.time(_hour(parts), int(parts.get("minute") or 0), int(parts.get("second") or 0))
        offset = parts.get("offset")
        if offset:
            zone = dt.datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
            return written(dt.datetime.combine(date, time), zone)
        return written(dt.datetime.combine(date, time), self.zone)


def _year(parts: dict[str, str | None]) -> int:
    if parts.get("year"):
        return int(parts["year"] or 0)
    short = int(parts["short"] or 0)
    return short + (1900 if short >= _FIRST_OF_1900 else 2000)


def _month(parts: dict[str, str | None]) -> int:
    named = parts.get("named")
    return _MONTHS.index(named[:3].lower()) + 1 if named else int(parts.get("month") or 1)


def _hour(parts: dict[str, str | None]) -> int:
    if "hour" in parts:
        return int(parts["hour"] or 0)
    half = int(parts["half"] or 0)
    if not 1 <= half <= 12:
        raise ValueError
    return half % 12 + (12 if (parts.get("noon") or "a")[0] in "Pp" else 0)


def date(pattern: str | None, zone: ZoneInfo | None) -> Convert:
    """Return what reads dates of a pattern; None is the form of ISO 8601.

    Raises:
        ValueError: No pattern of a whole date; the text says why.
    """
    if pattern is None:
        return lambda cell: _iso(cell, zone)
    tokens = _TOKENS.findall(pattern)
    names = [token if token in _FIELDS else token[:1] for token in tokens]
    known = [_FIELDS[name][0] for name in names if name in _FIELDS]
    parts: list[str] = []
    for token, name in zip(tokens, names, strict=True):
        if name in _FIELDS:
            parts.append(_group(token, name, tight="".join(tokens).isalpha()))
        elif token.isalpha() and token not in _LITERALS:
            raise ValueError(why("no-part-of-date", token=token, help=PATTERN_HELP))
        else:
            parts.append(r"\s+" if token.isspace() else re.escape(token))
    has = set(known)
    whole = len(has & {"year", "short"}) == len(has & {"month", "named"}) == len(has & {"day"}) == 1
    if not whole or len(has) != len(known) or has >= {"hour", "half"} or ("half" in has) != ("noon" in has):
        raise ValueError(why("no-whole-date", help=PATTERN_HELP))
    return _Pattern(re.compile("".join(parts) + r"\Z", re.ASCII), pattern, zone)


def _group(token: str, name: str, *, tight: bool) -> str:
    group, digits = _FIELDS[name]
    if tight and len(token) == 2 and name != "AM":
        digits = r"\d\d"  # nothing stands between the parts, so each has its full length
    return f"(?P<{group}>{digits})"


def _iso(cell: str, zone: ZoneInfo | None) -> str:
    found = _ISO.match(cell) if len(cell) <= 40 else None
    if found is None:
        raise LeftOutError(why("not-iso-date"))
    try:
        if not found[2]:
            return dt.date.fromisoformat(found[1]).isoformat()
        local = dt.datetime.fromisoformat(f"{found[1]}T{found[2]}")
        offset = dt.datetime.fromisoformat(f"2000-01-01T00:00:00{found[3]}").tzinfo if found[3] else zone
        return written(local, offset)
    except ValueError:
        raise LeftOutError(why("no-such-moment")) from None
