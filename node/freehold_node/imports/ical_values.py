"""What one line of a calendar entry says. The grammar of its values is the library's (``icalendar``).

Only single values are given to the library, each after its size is bounded: never a file, a time zone's rules
or anything else that it would keep between files, follow or expand.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .charset import decode
from .ical_lines import RawLine
from .reasons import why
from .texts import MAX_TEXT_BYTES, LeftOutError, has_controls
from .zones import written

_MAX_HEADER: Final = 8 * 1024
_MAX_TIME: Final = 32
_HEADER = re.compile(r'([\w-]{1,64})((?:;(?:[^":;]++|"[^"]*+")*+)*+):')
_PARAM = re.compile(r';([\w-]{1,64})=("[^"]*+"|[^";,]*+)')
_PARAMS: Final = {"TZID", "CN"}
_NAME = re.compile(rb"([A-Za-z0-9-]{1,64})")
GUESSED: Final = why("guessed-characters")
NO_ZONE: Final = why("unknown-zone")
_NO_TIME: Final = why("not-a-time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line with its parts; the value is as it stands, with its escapes."""

    number: int
    name: str
    params: Mapping[str, str]
    value: str
    guessed: bool


def name_of(raw: RawLine) -> str:
    """Return the name of a line, in upper case; empty if it has none."""
    found = _NAME.match(raw.data)
    return found[1].decode().upper() if found else ""


def read_line(raw: RawLine) -> Line:
    """Return a line's parts. Raises LeftOutError."""
    if raw.too_long:
        raise LeftOutError(why("more-than-a-record"))
    try:
        text, guessed = decode(raw.data, "")
    except UnicodeDecodeError:
        raise LeftOutError(why("not-text")) from None
    found = _HEADER.match(text)
    if found is None or found.end() > _MAX_HEADER:
        raise LeftOutError(why("unreadable"))
    params = _params(found[2]) if found[2] else {}
    return Line(
        number=raw.number, name=found[1].upper(), params=params, value=text[found.end() :], guessed=guessed
    )


def _params(text: str) -> dict[str, str]:
    from icalendar.parser import rfc_6868_unescape

    # Of several values the first: no parameter that is read here has more than one.
    found = ((name.upper(), value.strip('"')) for name, value in _PARAM.findall(text))
    return {name: str(rfc_6868_unescape(value)) for name, value in found if name in _PARAMS}


def text_of(line: Line) -> str:
    """Return the value as a text, without escapes. Raises LeftOutError."""
    from icalendar.parser import unescape_backslash

    return _sound(str(unescape_backslash(line.value)))


def texts_of(line: Line) -> list[str]:
    """Return each text of a list. Raises LeftOutError."""
    from icalendar.parser import split_on_unescaped_comma

    return [text for text in map(_sound, split_on_unescaped_comma(line.value)) if text]


def _sound(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if has_controls(text):
        raise LeftOutError(why("control-characters"))
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise LeftOutError(why("long-text", most=MAX_TEXT_BYTES // 1024))
    return text


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, or a time: UTC, in a zone, or (zone None) wherever one is."""

    when: dt.date | dt.datetime
    zone: dt.tzinfo | None = None

    @property
    def is_day(self) -> bool:
        """Whether it is a whole day."""
        return not isinstance(self.when, dt.datetime)

    def text(self) -> str:
        """Return it as it stands in a document. Raises LeftOutError."""
        if not isinstance(self.when, dt.datetime):
            return self.when.isoformat()
        try:
            return written(self.when, self.zone)
        except ValueError:
            raise LeftOutError(_NO_TIME) from None

    def is_after(self, other: Moment) -> bool:
        """Whether it is not before another of its kind, as far as their zones tell."""
        if isinstance(self.when, dt.datetime) and isinstance(other.when, dt.datetime):
            if self.zone is None or other.zone is None:
                return self.zone is not other.zone or self.when >= other.when
            return self.when.replace(tzinfo=self.zone) >= other.when.replace(tzinfo=other.zone)
        return self.when >= other.when

    def day_before(self) -> Moment:
        """Return the last day of what ends with the beginning of this one. Raises LeftOutError."""
        return self.later(dt.timedelta(days=-1), nominal=True)

    def later(self, by: dt.timedelta, *, nominal: bool) -> Moment:
        """Return what comes later by a duration.

        Args:
            by: Of a day, whole days.
            nominal: Whether days of it are days of the calendar, however many hours they have.

        Raises:
            LeftOutError: There is no such time.
        """
        try:
            if not isinstance(self.when, dt.datetime):
                return Moment(self.when + by)
            if self.zone is None:
                return Moment(self.when + by)
            days = dt.timedelta(days=by.days if nominal else 0)
            begun = (self.when + days).replace(tzinfo=self.zone).astimezone(dt.UTC)
            ends = (begun + (by - days)).astimezone(self.zone)
            return Moment(ends.replace(tzinfo=None), self.zone)
        except (OverflowError, ValueError):
            raise LeftOutError(_NO_TIME) from None


def moment_of(text: str, zone: dt.tzinfo | None) -> Moment:
    """Return a date, or a time, which is UTC if it says so and else in the zone.

    Raises:
        LeftOutError: Neither.
    """
    from icalendar.prop import vDate, vDatetime

    try:
        if len(text) == 8:
            return Moment(vDate.from_ical(text))  # type: ignore[no-untyped-call]
        when = vDatetime.from_ical(text) if len(text) <= _MAX_TIME else None  # type: ignore[no-untyped-call]
    except ValueError:
        when = None
    if not isinstance(when, dt.datetime):
        raise LeftOutError(_NO_TIME)
    return Moment(when.replace(tzinfo=None), dt.UTC if text.endswith("Z") else zone)


def duration_of(text: str) -> tuple[dt.timedelta, bool]:
    """Return a duration that is not negative, and whether its days are days of the calendar.

    Raises:
        LeftOutError: There is none.
    """
    from icalendar.prop import vDuration

    try:
        found = vDuration.from_ical(text) if len(text) <= _MAX_TIME else None  # type: ignore[no-untyped-call]
    except ValueError:
        found = None
    if found is None or found < dt.timedelta():
        raise LeftOutError(why("not-a-duration"))
    return found, "D" in text or "W" in text
