"""Days and hours as a person sets them, of a request or of a relationship: the fields, and what they mean.

``day.2.Mo`` is a box of the second permission, ``from.2`` and ``to.2`` are hours of a day, ``zone`` is by whose clock.

Spec: specs/node/dashboard.md#how-often-and-when
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from freehold_protocol.permission import DAYS, Hours

from ..forms import TICK
from .problem import Problem

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z", re.ASCII)
_DAY_MINUTES: Final = 24 * 60
_REGIONS: Final = (
    "Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/",
)  # fmt: skip


def days_of(asked: Hours | None) -> tuple[str, ...]:
    """Return the days that can be ticked."""
    return asked.days if asked else DAYS


def hours_of(
    fields: Mapping[str, str], number: int, asked: Hours | None, problems: list[Problem], *, zone: str = ""
) -> Hours | None:
    """Return days and hours; None where they are all of the week and none were asked.

    Args:
        fields: Of a form; an hour that is empty is as it was asked.
        number: Of the permission.
        asked: The most that can be given.
        problems: What is wrong is added here, and what was asked returned.
        zone: The time zone, where it cannot be another.
    """
    days = tuple(day for day in days_of(asked) if fields.get(f"day.{number}.{day}") == TICK)
    start = _minute(fields, f"from.{number}", asked.from_minute if asked else 0, problems)
    end = _minute(fields, f"to.{number}", asked.to_minute if asked else _DAY_MINUTES, problems)
    end = end or _DAY_MINUTES
    if not days:
        problems.append(Problem(f"day.{number}", "no_days"))
        return asked
    if start >= end:
        problems.append(Problem(f"to.{number}", "hours_order"))
        return asked
    if asked is None and (days, start, end) == (DAYS, 0, _DAY_MINUTES):
        return None
    chosen = zone or fields.get("zone", "")
    if not zone and chosen not in zones():
        problems.append(Problem("zone", "no_zone"))
        return asked
    wanted = Hours(days=days, from_minute=start, to_minute=end, time_zone=chosen)
    if asked is not None and not wanted.within(asked):
        problems.append(Problem(f"from.{number}", "more_hours"))
    return wanted


def _minute(fields: Mapping[str, str], name: str, otherwise: int, problems: list[Problem]) -> int:
    text = fields.get(name, "").strip()
    if not text:
        return otherwise
    found = _CLOCK.match(text)
    if found is None:
        problems.append(Problem(name, "bad_clock"))
        return otherwise
    return int(found[1]) * 60 + int(found[2])


@functools.cache
def zones() -> tuple[str, ...]:
    """Return the time zones to choose from: those named for a place, and UTC."""
    return ("UTC", *sorted(one for one in zoneinfo.available_timezones() if one.startswith(_REGIONS)))


def zone_choices() -> list[tuple[str, str]]:
    """Return the same with what a person reads."""
    return [(one, one.replace("_", " ")) for one in zones()]


def zone_here() -> str:
    """Return the time zone of the node's computer as far as it says so; UTC otherwise."""
    return next((one for one in _said_here() if one in zones()), "UTC")


def _said_here() -> Iterator[str]:
    try:
        yield str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
        yield Path("/etc/timezone").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
