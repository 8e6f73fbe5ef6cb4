"""Which part of the ledger is looked at: a span that ends today, or two days or times; and where one can go from there.

Spec: specs/node/dashboard.md#ledger
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from freehold_protocol.encoding import format_time, parse_time
from freehold_protocol.errors import MalformedError

SPANS: Final = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 364}
"""The spans by name, in days, a year being 52 weeks; beside them there is ``all``."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WIDTHS: Final = (
    *(_MINUTE * n for n in (1, 2, 5, 15)),
    *(_HOUR * n for n in (1, 2, 6, 12)),
    *(_DAY * n for n in (1, 3, 7, 14, 28, 91, 364)),
)
_MOST: Final = 53
"""Parts of a picture at most: each can still be hit with a finger, and a year has as many weeks."""
_YEARS: Final = (1990, 9000)


class SpanError(ValueError):
    """A span that is none; ``field`` is where, the text is the key of what to say."""

    def __init__(self, field: str, key: str) -> None:
        super().__init__(key)
        self.field, self.key = field, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From ``after_s`` on and before ``before_s``, in ``count`` parts; ``span`` is its name, "" if it has none."""

    after_s: int
    before_s: int
    count: int
    span: str = ""

    @property
    def width_s(self) -> int:
        """The width of a part; the last may be narrower."""
        return -((self.after_s - self.before_s) // self.count)

    @property
    def total_s(self) -> int:
        """How long it is."""
        return self.before_s - self.after_s

    @property
    def asked(self) -> dict[str, str]:
        """What the operations are asked for."""
        return {"since": format_time(self.after_s), "until": format_time(self.before_s)}


def local(time_s: int) -> datetime:
    """Return a time by the clock of the computer the node runs on."""
    return datetime.fromtimestamp(time_s).astimezone()


def midnight_s(day: date) -> int:
    """Return when a day begins."""
    return int(datetime.combine(day, time()).astimezone().timestamp())


def window_of(query: dict[str, str], *, now_s: int, first_s: int) -> Window:
    """Return what a query asks for: ``from`` and ``to`` where one of them is there, else ``span``, else a month.

    Raises:
        SpanError: It asks for what is none.
    """
    end_s = midnight_s(local(now_s).date() + timedelta(1))
    if not (query.get("from") or query.get("to")):
        return _named(query.get("span") or "month", end_s, first_s)
    after_s = _time_of("from", query["from"]) if query.get("from") else None
    before_s = _time_of("to", query["to"], whole_day=True) if query.get("to") else None
    if after_s is None:
        before_s = before_s or end_s
        after_s = min(_begin_of(first_s), before_s - _DAY)
    elif before_s is None:
        before_s = max(end_s, after_s + _DAY)
    if after_s >= before_s:
        raise SpanError("from", "order")
    return between(after_s, before_s)


def _named(span: str, end_s: int, first_s: int) -> Window:
    if span == "all":
        total_s = end_s - min(_begin_of(first_s), end_s - _DAY)
        width_s = next((width for width in _WIDTHS if total_s <= width * _MOST), _WIDTHS[-1])
        made = between(end_s - -(-total_s // width_s) * width_s, end_s)
    elif span in SPANS:
        made = between(end_s - SPANS[span] * _DAY, end_s)
    else:
        raise SpanError("span", "span")
    return Window(after_s=made.after_s, before_s=made.before_s, count=made.count, span=span)


def _begin_of(time_s: int) -> int:
    return midnight_s(local(time_s).date())


def between(after_s: int, before_s: int) -> Window:
    """Return the window between two times, in parts of a width that people use where one fits."""
    total_s = before_s - after_s
    fitting = [width for width in _WIDTHS if total_s <= width * _MOST]
    exact = next((width for width in fitting if total_s % width == 0 and total_s > width), 0)
    width_s = exact or (fitting[0] if fitting else -(-total_s // _MOST))
    return Window(after_s=after_s, before_s=before_s, count=-(-total_s // width_s))


def _time_of(field: str, text: str, *, whole_day: bool = False) -> int:
    """Return the time of a day, of its end if it is taken whole, or of a dateTime as links have it."""
    if len(text) > 10:
        try:
            time_s = parse_time(text)
        except MalformedError:
            raise SpanError(field, "no_day") from None
    else:
        try:
            time_s = midnight_s(date.fromisoformat(text) + timedelta(whole_day))
        except (ValueError, OverflowError):
            raise SpanError(field, "no_day") from None
    if not _YEARS[0] <= local(min(max(time_s, 0), 2**37)).year <= _YEARS[1]:
        raise SpanError(field, "no_day")
    return time_s


# Where one can go from a window; each is what a link's query says


def query_of(after_s: int, before_s: int) -> dict[str, str]:
    """Return what a link to a window says: days where it is of whole ones."""
    after, before = local(after_s), local(before_s)
    if after.time() == before.time() == time() and before.date() > after.date():
        return {"from": after.date().isoformat(), "to": (before.date() - timedelta(1)).isoformat()}
    return {"from": format_time(after_s), "to": format_time(before_s)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The windows before, after and around one; None where there is nothing to see."""

    earlier: dict[str, str] | None
    later: dict[str, str] | None
    out: dict[str, str] | None


def ways(window: Window, *, now_s: int, first_s: int) -> Ways:
    """Return where one can go from a window."""
    end_s, begin_s = midnight_s(local(now_s).date() + timedelta(1)), _begin_of(first_s)
    total_s = window.total_s
    earlier = later = out = None
    if window.after_s > begin_s:
        earlier = query_of(window.after_s - total_s, window.after_s)
    if window.before_s < end_s:
        later = query_of(window.before_s, window.before_s + total_s)
    if window.after_s > begin_s or window.before_s < end_s:
        after_s, before_s = window.after_s - total_s, min(window.before_s + total_s, end_s)
        covers_all = after_s <= begin_s and before_s >= end_s
        out = {"span": "all"} if covers_all or before_s <= after_s else query_of(after_s, before_s)
    return Ways(earlier=earlier, later=later, out=out)


def part(window: Window, number: int) -> tuple[int, int]:
    """Return when a part begins and ends."""
    begin_s = window.after_s + number * window.width_s
    return begin_s, min(begin_s + window.width_s, window.before_s)


def day_texts(window: Window) -> tuple[str, str]:
    """Return the first and the last day of a window, as the boxes of a form take them."""
    last = local(window.before_s - 1).date()
    return local(window.after_s).date().isoformat(), last.isoformat()
