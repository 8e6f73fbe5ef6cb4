"""What a person ticked on a request, from the fields of a form to what would be granted.

A field of an item has the box ``give.2.1.3``: the second permission's first item's third field. A partner has
``to.2.1``, and records that come later ``later.2.1``. What stands on another part of a long card comes along in
``part.2.1``, a number in hexadecimal of which each bit is a box. The days are kept as one text, ``days.2``.

Spec: specs/node/dashboard.md#consent-card
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Final

from freehold_protocol.encoding import Document, format_time
from freehold_protocol.permission import DAYS, Item, Limits, Permission, format_duration

from ..forms import TICK
from .hours import days_of, hours_of
from .problem import Problem

_BOX = re.compile(r"(?:give\.[1-9]\d?\.[1-9]\d?\.[1-9]\d?|(?:to|later)\.[1-9]\d?\.[1-9]\d?)\Z", re.ASCII)
_PART = re.compile(r"part\.([1-9]\d?)\.(\d\d?)\Z", re.ASCII)
_MASK = re.compile(r"[0-9a-f]{1,17}\Z")
_TEXT = re.compile(r"(?:until|begin|zone|(?:reads|rate|from|to|days)\.[1-9]\d?)\Z", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}\Z")
_LATER: Final = 64
"""The bit of an item's box for later records; those of its fields are below."""
_MOST_TEXT: Final = 40
SEEN: Final = "seen"
"""The field that says that the boxes are the person's, and none is ticked but those that came."""
DAYS_SET: Final = "hours"
"""``hours.2`` says that the days of the second permission are all there: those not ticked are not sent."""
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The ticked boxes by their names, and what was written into the other fields."""

    boxes: frozenset[str]
    texts: Mapping[str, str]

    def has(self, *place: object) -> bool:
        """Whether a box is ticked: ``has("give", 2, 1, 3)``."""
        return ".".join(map(str, place)) in self.boxes

    def text(self, *place: object) -> str:
        """Return what was written into a field."""
        return self.texts.get(".".join(map(str, place)), "")

    def without(self, boxes: Collection[str]) -> Choices:
        """Return the same without some boxes."""
        return replace(self, boxes=self.boxes - frozenset(boxes))

    def and_also(self, boxes: Collection[str]) -> Choices:
        """Return the same with some more boxes."""
        return replace(self, boxes=self.boxes | frozenset(boxes))


def first_choices(asked: Sequence[Permission]) -> Choices:
    """Return how a card is first shown: ticked is what the vendor says it cannot do without, and nothing else."""
    required = (boxes_of(number, one) for number, one in enumerate(asked, 1) if one.required)
    return Choices(boxes=frozenset(box for boxes in required for box in boxes), texts={})


def boxes_of(number: int, permission: Permission) -> Iterator[str]:
    """Yield the names of all boxes of a permission."""
    for place, item in enumerate(permission.items, 1):
        for field in range(1, len(item.fields) + 1):
            yield f"give.{number}.{place}.{field}"
        if item.new_records:
            yield f"later.{number}.{place}"
    for partner in range(1, len(permission.recipients) + 1):
        yield f"to.{number}.{partner}"


def read_choices(fields: Mapping[str, str], asked: Sequence[Permission]) -> Choices:
    """Return what was ticked and written; what is no field of the card is not looked at.

    Args:
        fields: Of a form, or of a query that brings back what was filled in.
        asked: The permissions of the request.
    """
    if SEEN not in fields:
        return first_choices(asked)
    boxes = {name for name in fields if _BOX.match(name)}
    for name, mask in fields.items():
        if (part := _PART.match(name)) and _MASK.match(mask):
            boxes.update(_unpacked(int(part[1]), int(part[2]), int(mask, 16)))
    there = {box for number, one in enumerate(asked, 1) for box in boxes_of(number, one)}
    texts = {name: text.strip()[:_MOST_TEXT] for name, text in fields.items() if _TEXT.match(name)}
    for number in range(1, len(asked) + 1):
        if f"{DAYS_SET}.{number}" in fields:
            ticked = (day for day in DAYS if fields.get(f"day.{number}.{day}") == TICK)
            texts[f"days.{number}"] = " ".join(ticked)
    return Choices(boxes=frozenset(boxes & there), texts=texts)


def _unpacked(number: int, place: int, mask: int) -> Iterator[str]:
    for bit in range(_LATER + 1):
        if mask >> bit & 1:
            if place == 0:
                yield f"to.{number}.{bit + 1}"
            elif bit == _LATER:
                yield f"later.{number}.{place}"
            else:
                yield f"give.{number}.{place}.{bit + 1}"


def packed(choices: Choices, *, beside: Collection[str] = ()) -> dict[str, str]:
    """Return the hidden fields that bring along the ticked boxes, but those ``beside``, which the page shows."""
    masks: dict[str, int] = {}
    for box in choices.boxes - frozenset(beside):
        kind, number, place, *rest = box.split(".")
        name = f"part.{number}.{0 if kind == 'to' else place}"
        bit = {"to": int(place) - 1, "later": _LATER}.get(kind, int(rest[0]) - 1 if rest else 0)
        masks[name] = masks.get(name, 0) | 1 << bit
    return {name: f"{masks[name]:x}" for name in sorted(masks)}


# What would be granted


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a draft is asked for with, and why it cannot be, if it cannot."""

    body: Document
    problems: tuple[Problem, ...]


def wanted(choices: Choices, asked: Sequence[Permission], *, expires_s: int, now_s: int) -> Wanted:
    """Return what the choices come to.

    Args:
        choices: The person's.
        asked: The permissions of the request.
        expires_s: When it asks to end.
        now_s: The node's clock.
    """
    problems: list[Problem] = []
    given = [_given(choices, number, one, problems) for number, one in enumerate(asked, 1)]
    permissions = [one.to_dict() for one in given if one is not None]
    body: Document = {"permissions": permissions, **_times(choices, expires_s, now_s, problems)}
    if not permissions:
        problems.insert(0, Problem("give", "nothing_ticked"))
    return Wanted(body=body, problems=tuple(problems))


def _given(
    choices: Choices, number: int, permission: Permission, problems: list[Problem]
) -> Permission | None:
    items = [_item(choices, number, place, item) for place, item in enumerate(permission.items, 1)]
    kept = tuple(item for item in items if item is not None)
    if not kept:
        return None
    partners = enumerate(permission.recipients, 1)
    return replace(
        permission,
        items=kept,
        recipients=tuple(did for place, did in partners if choices.has("to", number, place)),
        limits=_limits(choices, number, permission.limits, problems),
    )


def _item(choices: Choices, number: int, place: int, item: Item) -> Item | None:
    named = enumerate(item.fields, 1)
    fields = tuple(path for field, path in named if choices.has("give", number, place, field))
    later = item.new_records and choices.has("later", number, place)
    return replace(item, fields=fields, new_records=later) if fields else None


def _limits(choices: Choices, number: int, asked: Limits, problems: list[Problem]) -> Limits:
    reads = _number(choices, f"reads.{number}", asked.reads, problems)
    most = asked.rate[0] if asked.rate else None
    rate = _number(choices, f"rate.{number}", most, problems)
    return replace(
        asked,
        reads=reads,
        rate=asked.rate if rate == most or rate is None else (rate, window_s(asked)),
        hours=hours_of(
            hour_fields(choices, number, asked),
            number,
            asked.hours,
            problems,
            zone=asked.hours.time_zone if asked.hours else "",
        ),
    )


def hour_fields(choices: Choices, number: int, asked: Limits) -> dict[str, str]:
    """Return the fields of the days and hours of a permission: of days that nobody touched, all are ticked."""
    days = choices.texts.get(f"days.{number}")
    ticked = days_of(asked.hours) if days is None else days.split()
    made = {name: choices.text(name) for name in ("zone", f"from.{number}", f"to.{number}")}
    return made | {f"day.{number}.{day}": TICK for day in ticked}


def window_s(asked: Limits) -> int:
    """Return the time over which the person limits reads: a day, or as asked if that is longer."""
    return max(DAY_S, asked.rate[1] if asked.rate else 0)


def _number(choices: Choices, name: str, most: int | None, problems: list[Problem]) -> int | None:
    text = choices.texts.get(name, "")
    if not text:
        return most
    if not _NUMBER.match(text):
        problems.append(Problem(name, "bad_number"))
    elif most is not None and int(text) > most:
        problems.append(Problem(name, "more_reads"))
    else:
        return int(text)
    return most


def _times(choices: Choices, expires_s: int, now_s: int, problems: list[Problem]) -> Document:
    """Return when it begins and ends, where that is not as asked; days are those of the node's computer."""
    found: Document = {}
    until, begin = (_date(choices, name, problems) for name in ("until", "begin"))
    end_s = expires_s
    if until is not None and until != local_day(expires_s):
        end_s = _local_s(datetime.combine(until, time(23, 59, 59)))
        if end_s > expires_s:
            problems.append(Problem("until", "until_later"))
        elif end_s <= now_s:
            problems.append(Problem("until", "until_past"))
        found["expires"] = format_time(end_s)
    if begin is not None and begin > local_day(now_s):
        begin_s = _local_s(datetime.combine(begin, time()))
        if begin_s >= end_s:
            problems.append(Problem("begin", "begin_after"))
        found["notBefore"] = format_time(begin_s)
    return found


def _date(choices: Choices, name: str, problems: list[Problem]) -> date | None:
    text = choices.text(name)
    if not text:
        return None
    try:
        found = date.fromisoformat(text) if len(text) == len("2026-12-31") else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year < 9000:
        problems.append(Problem(name, "bad_date"))
        return None
    return found


def local_day(seconds: int) -> date:
    """Return the day of a time by the clock of the node's computer."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().date()


def _local_s(moment: datetime) -> int:
    """Return when it is that time by the clock of the node's computer; on its day, also where that clock skips it."""
    found = [int(moment.replace(fold=fold).astimezone().timestamp()) for fold in (0, 1)]
    return next((one for one in found if local_day(one) == moment.date()), found[0])


__all__ = [
    "DAYS_SET", "DAY_S", "SEEN", "Choices", "Problem", "Wanted", "boxes_of", "first_choices", "format_duration",
    "hour_fields", "local_day", "packed", "read_choices", "wanted", "window_s",
]  # fmt: skip
