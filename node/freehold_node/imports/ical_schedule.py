"""A rule of repetition (RRULE) as a schema.org Schedule. It is kept as a rule, and never expanded.

A rule that a Schedule cannot say in full is not kept in part: the part would say something else.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from freehold_protocol.encoding import Document

from .ical_values import Moment
from .reasons import why
from .texts import LeftOutError

_MAX_RULE: Final = 500
_MAX_INTERVAL: Final = 9_999
_UNITS: Final = {"DAILY": "D", "WEEKLY": "W", "MONTHLY": "M", "YEARLY": "Y"}
_KNOWN: Final = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "WKST"}
_DAY = re.compile(r"(?:[+-]?[1-9]\d?)?(?:MO|TU|WE|TH|FR|SA|SU)\Z", re.ASCII)
_NO_FIELD: Final = why("rule-without-field")


def schedule_of(rule: str) -> Document:
    """Return a rule as a Schedule.

    Raises:
        LeftOutError: No rule, or one that a Schedule cannot say.
    """
    from icalendar.prop import vRecur

    if len(rule) > _MAX_RULE:
        raise LeftOutError(_NO_FIELD)
    try:
        parts = {str(name).upper(): list(values) for name, values in vRecur.from_ical(rule).items()}
    except (ValueError, TypeError, IndexError):
        raise LeftOutError(why("not-a-rule")) from None
    if not parts.keys() <= _KNOWN or {"COUNT", "UNTIL"} <= parts.keys() or _names_twice(rule):
        raise LeftOutError(_NO_FIELD)
    made: Document = {"type": "Schedule", "repeatFrequency": _frequency(parts)}
    if "BYDAY" in parts:
        made["byDay"] = _several([_day(str(day)) for day in parts["BYDAY"]])
    for name, term, most in (("BYMONTH", "byMonth", 12), ("BYMONTHDAY", "byMonthDay", 31)):
        if name in parts:
            made[term] = _several([_within(value, most) for value in parts[name]])
    if "COUNT" in parts:
        made["repeatCount"] = _within(_one(parts["COUNT"]), 2**31 - 1)
    if "UNTIL" in parts:
        made["endDate"] = _until(_one(parts["UNTIL"]))
    return made


def _names_twice(rule: str) -> bool:
    names = [part.partition("=")[0].strip().upper() for part in rule.split(";") if part]
    return len(set(names)) != len(names)


def _one(values: list[object]) -> object:
    if len(values) != 1:
        raise LeftOutError(_NO_FIELD)
    return values[0]


def _frequency(parts: dict[str, list[object]]) -> str:
    unit = _UNITS.get(str(_one(parts.get("FREQ", []))).upper())
    interval = _within(_one(parts.get("INTERVAL", [1])), _MAX_INTERVAL)
    if unit is None or (unit == "W" and interval > 1 and parts.get("WKST", ["MO"]) != ["MO"]):
        raise LeftOutError(_NO_FIELD)  # where a week begins matters then, and a Schedule cannot say it
    return f"P{interval}{unit}"


def _within(value: object, most: int) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= most):
        raise LeftOutError(_NO_FIELD)
    return int(text)


def _day(text: str) -> str:
    if not _DAY.match(text):
        raise LeftOutError(_NO_FIELD)
    return text


def _several(values: list[str] | list[int]) -> object:
    return values[0] if len(values) == 1 else values


def _until(value: object) -> str:
    if isinstance(value, dt.datetime):
        return Moment(value.replace(tzinfo=None), dt.UTC if value.tzinfo else None).text()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise LeftOutError(_NO_FIELD)
