"""Where the bars, marks and ticks of the ledger's picture stand; the template only writes them down.

However many entries there are, a picture has at most 53 bars of three parts, ten rows of as many marks, and nine ticks.

Spec: specs/node/dashboard.md#ledger
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from freehold_protocol.encoding import Document

from ..words import Words
from .spans import Window, local, midnight_s, part

LEFT, RIGHT, TOP, BASE = 58, 708, 18, 224
SIZE: Final = {"left": LEFT, "right": RIGHT, "top": TOP, "base": BASE, "height": 264}
"""Of the picture, which is 720 wide; a row of marks is 40 high."""
_LEAST: Final = 3.0
"""The height of a bar for few entries beside many: it is seen."""
KINDS: Final = ("read", "changed", "refused")
_OF_KIND: Final = {"read": ("admitted",), "refused": ("refused",), "changed": ("changed", "other")}
_HOUR, _DAY = 3600, 86_400
_CLOCK_STEPS: Final = (60, 300, 900, 1800, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 1200, 12_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A rectangle."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One part of the time: how much of each kind, and what is drawn of it between ``x`` and ``x + width``."""

    after_s: int
    before_s: int
    counts: dict[str, int]
    slot: float
    slot_width: float
    x: float
    width: float
    pieces: tuple[Piece, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One sign in the row of a vendor; ``r`` is its radius."""

    kind: str
    x: float
    y: float
    r: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One of the busiest vendors."""

    grant: str
    vendor: Document
    counts: dict[str, int]
    last: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A time, or a number of entries, at the edge of the picture."""

    at: float
    text: str
    minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything that is drawn."""

    bars: tuple[Bar, ...]
    rows: tuple[Row, ...]
    times: tuple[Tick, ...]
    numbers: tuple[Tick, ...]
    counts: dict[str, int]


def draw(told: Document, window: Window, words: Words) -> Chart:
    """Return the picture of a timeline."""
    counted = [_kinds(one) for one in told["buckets"]]
    most = _round_up(max((sum(one.values()) for one in counted), default=0))
    return Chart(
        bars=tuple(_bar(window, number, counts, most) for number, counts in enumerate(counted)),
        rows=tuple(_row(window, one) for one in told["busiest"]),
        times=tuple(_times(window, words)),
        numbers=tuple(_numbers(most)),
        counts={kind: sum(one[kind] for one in counted) for kind in KINDS},
    )


def _kinds(one: Document) -> dict[str, int]:
    return {kind: sum(int(one[name]) for name in _OF_KIND[kind]) for kind in KINDS}


def _round_up(most: int) -> int:
    """Return the number at the top: 1, 2, 4, 5 or 10 times a power of ten."""
    if most <= 1:
        return 2
    power = 10 ** int(math.log10(most))
    return next(int(step * power) for step in (1, 2, 4, 5, 10) if step * power >= most)


def _slot(window: Window) -> float:
    return (RIGHT - LEFT) / window.count


def _bar(window: Window, number: int, counts: dict[str, int], most: int) -> Bar:
    after_s, before_s = part(window, number)
    slot = _slot(window)
    width = max(2.0, min(slot * 0.72, 44.0))
    begin = LEFT + number * slot
    return Bar(
        after_s=after_s, before_s=before_s, counts=counts,
        slot=round(begin, 1), slot_width=round(slot, 1),
        x=round(begin + (slot - width) / 2, 1), width=round(width, 1),
        pieces=tuple(_pieces(counts, most)),
    )  # fmt: skip


def _pieces(counts: dict[str, int], most: int) -> Iterator[Piece]:
    """Stack the kinds, each high enough to be seen, within the room there is."""
    heights = {kind: max(_LEAST, counts[kind] * (BASE - TOP) / most) for kind in KINDS if counts[kind]}
    over = sum(heights.values()) - (BASE - TOP)
    if over > 0:
        tallest = max(heights, key=lambda kind: heights[kind])
        heights[tallest] -= over
    y = float(BASE)
    for kind, height in heights.items():
        y -= height
        yield Piece(kind=kind, y=round(y, 1), height=round(height, 1))


def _row(window: Window, one: Document) -> Row:
    slot = _slot(window)
    marks: list[Mark] = []
    for bucket in one["buckets"]:
        there = [(kind, count) for kind, count in _kinds(bucket).items() if count]
        middle = LEFT + (int(bucket["bucket"]) + 0.5) * slot
        lanes = {1: (20,), 2: (12, 28), 3: (8, 20, 32)}[len(there)]
        for y, (kind, count) in zip(lanes, there, strict=True):
            # By the logarithm: a burst is larger, and a single one is still seen beside it.
            widest = min(9.0, slot * 0.75 + 1, 20 / len(lanes) - 1)
            r = round(min(widest, 3.4 + 1.7 * math.log10(count)), 1)
            marks.append(Mark(kind=kind, x=round(middle, 1), y=y, r=r))
    return Row(
        grant=one["grant"], vendor=one["vendor"], counts=_kinds(one), last=one["last"], marks=tuple(marks)
    )


def _numbers(most: int) -> Iterator[Tick]:
    yield Tick(at=BASE, text="0")
    if most % 2 == 0:
        yield Tick(at=(BASE + TOP) / 2, text=_short(most // 2))
    yield Tick(at=TOP, text=_short(most))


def _short(number: int) -> str:
    return f"{number / 1000:g}k" if number >= 1000 else str(number)


# Times: where the clock or the calendar turns, eight or so of them


def _times(window: Window, words: Words) -> Iterator[Tick]:
    points, form = _turns(window)
    for place, time_s in enumerate(points):
        at = LEFT + (time_s - window.after_s) * (RIGHT - LEFT) / (window.count * window.width_s)
        if at <= RIGHT - 12:
            yield Tick(at=round(at, 1), text=_tick_text(words, local(time_s), form), minor=place % 2 == 1)


def _tick_text(words: Words, time_: datetime, form: str) -> str:
    month = words.t(f"ledger.short_month_{time_.month}")
    if form == "clock" and time_.time() != time():
        return time_.strftime("%H:%M")
    if form in ("clock", "day"):
        return str(words.t("ledger.tick_day", day=time_.day, month=month))
    return str(time_.year) if form == "year" or time_.month == 1 else str(month)


def _turns(window: Window) -> tuple[list[int], str]:
    total_s = window.total_s
    if total_s <= 2 * _DAY:
        step_s = next(step for step in _CLOCK_STEPS if total_s <= 8 * step)
        first_s = midnight_s(local(window.after_s).date())
        first_s += -((first_s - window.after_s) // step_s) * step_s
        return list(range(first_s, window.before_s, step_s)), "clock"
    days = total_s / _DAY
    if days <= 150:
        step = next(step for step in (1, 2, 4, 7, 14, 28) if days <= 9 * step)
        begin = _up(local(window.after_s))
        return [midnight_s(begin + timedelta(n)) for n in range(0, int(days) + 1, step)], "day"
    return _months(window, next(step for step in _MONTHS if days / 30.4 <= 9 * step))


def _up(time_: datetime) -> date:
    """Return the first day that begins at a time or later."""
    return time_.date() + timedelta(time_.time() > time())


def _months(window: Window, step: int) -> tuple[list[int], str]:
    begin = local(window.after_s)
    number = begin.year * 12 + begin.month - 1
    number += (begin.day, begin.time()) != (1, time())
    number += -number % step
    points = []
    while (time_s := midnight_s(date(number // 12, number % 12 + 1, 1))) < window.before_s:
        if time_s >= window.after_s:
            points.append(time_s)
        number += step
    return points, "month" if step < 12 else "year"
