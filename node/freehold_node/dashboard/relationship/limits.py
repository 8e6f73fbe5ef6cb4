"""How often, on which days and hours, and whether later records: what a person sets of a relationship beside its boxes.

What stands in the fields of a form is compared with what was asked, which is the most that can be given.

Spec: specs/node/dashboard.md#how-often-and-when
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from freehold_protocol.permission import Item, Limits, Permission, format_duration

from ..consent.choices import window_s
from ..consent.hours import days_of, hours_of
from ..consent.problem import Problem
from ..forms import TICK

LIMITS_SET: Final = "limits"
"""A field that says that the fields are all there: boxes that are not ticked are not sent."""
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)


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
        return days_of(self.asked.limits.hours)

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
        hours=hours_of(fields, n, asked.hours, problems, zone=bound.zone),
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
