"""How often, on which days and hours, and whether later records: what a person sets of a relationship beside its boxes.

What stands in the fields of a form is compared with what was asked, which is the most that can be given.

Spec: specs/node/dashboard.md#how-often-and-when
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from freehold_protocol.permission import DAYS, Hours, Item, Limits, Permission, format_duration

from .boxes import TICK
from .choices import Problem, window_s

LIMITS_SET: Final = "limits"
"""A field that says that the fields are all there: boxes that are not ticked are not sent."""
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z", re.ASCII)
_DAY_MINUTES: Final = 24 * 60
_REGIONS: Final = (
    "Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One permission as the page has it: its number among those asked, what was asked, and what stands.

    ``values`` are those of its fields that stand, by name; a ticked box has ``TICK``.
    """

    number: int
    asked: Permission
    given: Permission

    @property
    def window_s(self) -> int:
        """Over how many seconds reads are counted."""
        return self.given.limits.rate[1] if self.given.limits.rate else window_s(self.asked.limits)

    @property
    def window(self) -> str:
        """The same as documents have it."""
        return format_duration(self.window_s)

    @property
    def days(self) -> tuple[str, ...]:
        """The days that can be ticked."""
        return self.asked.limits.hours.days if self.asked.limits.hours else DAYS

    @property
    def later(self) -> tuple[tuple[int, Item], ...]:
        """The items, by their place among those given, for which later records can be left out or in."""
        return tuple(
            (place, item)
            for place, item in enumerate(self.given.items, 1)
            if item.new_records
            or any(
                one.new_records and replace(item, new_records=True).within(one) for one in self.asked.items
            )
        )

    @property
    def zone(self) -> str:
        """The time zone of its hours, which cannot be another then; empty where there are none."""
        hours = self.asked.limits.hours or self.given.limits.hours
        return hours.time_zone if hours else ""

    @property
    def values(self) -> Mapping[str, str]:
        limits, n = self.given.limits, self.number
        hours = limits.hours
        told = hours.to_dict() if hours else {}
        made = {
            f"reads.{n}": str(limits.reads or ""),
            f"rate.{n}": str(limits.rate[0] if limits.rate else ""),
            f"from.{n}": str(told.get("from", "")),
            f"to.{n}": str(told.get("to", "")),
        }
        made |= {f"day.{n}.{day}": TICK for day in (hours.days if hours else self.days)}
        return made | {f"later.{n}.{place}": TICK for place, item in self.later if item.new_records}

    @property
    def names(self) -> frozenset[str]:
        """The name of every field."""
        n = self.number
        boxes = [f"day.{n}.{day}" for day in self.days] + [f"later.{n}.{place}" for place, _ in self.later]
        return frozenset({f"reads.{n}", f"rate.{n}", f"from.{n}", f"to.{n}", *boxes})


def bounds_of(asked: Sequence[Permission], given: Sequence[Permission]) -> tuple[Bound, ...]:
    """Return what can be set, for each permission that is given."""
    standing = {one.name: one for one in given}
    return tuple(
        Bound(number=number, asked=one, given=standing[one.name])
        for number, one in enumerate(asked, 1)
        if one.name in standing
    )


def names_of(bounds: Sequence[Bound]) -> frozenset[str]:
    """Return the name of every field of the page."""
    return frozenset({LIMITS_SET, "zone"}).union(*(one.names for one in bounds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """What a form means: the permissions, and why it cannot be, if it cannot."""

    permissions: tuple[Permission, ...]
    problems: tuple[Problem, ...]


def limited(fields: Mapping[str, str], bounds: Sequence[Bound]) -> Limited:
    """Return what the fields of a form mean."""
    problems: list[Problem] = []
    made = tuple(_permission(fields, one, problems) for one in bounds)
    return Limited(permissions=made, problems=tuple(problems))


def _permission(fields: Mapping[str, str], bound: Bound, problems: list[Problem]) -> Permission:
    asked, n = bound.asked.limits, bound.number
    most = asked.rate[0] if asked.rate else None
    rate = _count(fields, f"rate.{n}", most, problems)
    wanted = Limits(
        reads=_count(fields, f"reads.{n}", asked.reads, problems),
        rate=None if rate is None else (rate, bound.window_s),
        hours=_hours(fields, bound, problems),
    )
    places = {place for place, _ in bound.later}
    items = tuple(
        replace(item, new_records=fields.get(f"later.{n}.{place}") == TICK) if place in places else item
        for place, item in enumerate(bound.given.items, 1)
    )
    return replace(bound.given, limits=wanted, items=items)


def _count(fields: Mapping[str, str], name: str, most: int | None, problems: list[Problem]) -> int | None:
    text = fields.get(name, "").strip()
    if not text:
        return most
    if not _COUNT.match(text):
        problems.append(Problem(name, "bad_number"))
    elif most is not None and int(text) > most:
        problems.append(Problem(name, "more_reads"))
    else:
        return int(text)
    return most


def _hours(fields: Mapping[str, str], bound: Bound, problems: list[Problem]) -> Hours | None:
    """Return days and hours; None where they are all of the week and none were asked."""
    n, asked = bound.number, bound.asked.limits.hours
    days = tuple(day for day in bound.days if fields.get(f"day.{n}.{day}") == TICK)
    start = _minute(fields, f"from.{n}", asked.from_minute if asked else 0, problems)
    end = _minute(fields, f"to.{n}", asked.to_minute if asked else _DAY_MINUTES, problems) or _DAY_MINUTES
    if not days:
        problems.append(Problem(f"day.{n}", "no_days"))
        return asked
    if start >= end:
        problems.append(Problem(f"to.{n}", "hours_order"))
        return asked
    if asked is None and (days, start, end) == (DAYS, 0, _DAY_MINUTES):
        return None
    zone = bound.zone or fields.get("zone", "")
    if not bound.zone and zone not in zones():
        problems.append(Problem("zone", "no_zone"))
        return asked
    wanted = Hours(days=days, from_minute=start, to_minute=end, time_zone=zone)
    if asked is not None and not wanted.within(asked):
        problems.append(Problem(f"from.{n}", "more_hours"))
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


def zone_here() -> str:
    """Return the time zone of the node's computer as far as it says so; UTC otherwise."""
    return next((one for one in _said_here() if one in zones()), "UTC")


def _said_here() -> Iterator[str]:
    try:
        yield str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
        yield Path("/etc/timezone").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
