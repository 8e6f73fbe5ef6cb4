"""Calendar files (iCalendar, RFC 5545) to schema.org events.

Each entry becomes a record, or is named in ``skipped``; each line of an event ends in the record, or is named.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from freehold_protocol.encoding import Document, Json
from freehold_protocol.form import CONTEXT
from freehold_protocol.reason import Reason

from . import ical_terms as terms
from .ical_lines import Component, RawLine, is_calendar, read_components
from .ical_schedule import schedule_of
from .ical_values import (
    GUESSED,
    NO_ZONE,
    Line,
    Moment,
    duration_of,
    moment_of,
    name_of,
    read_line,
    text_of,
    texts_of,
)
from .ical_zones import Zones
from .places import LeftOut, at, within
from .preview import Found, Preview, key_of, without_duplicates
from .reasons import why
from .texts import LeftOutError, fits_a_record, has_controls, on_one_line, web_address

__all__ = ["is_calendar", "read"]

T = TypeVar("T")
FORMAT: Final = "iCalendar"
_MAX_EXCEPTIONS: Final = 500
_EMAIL = re.compile(r"[^\s@<>\"]{1,100}@[^\s@<>\"]{1,200}\Z")
_MAX_LABEL_CHARS: Final = 80
_SCHEMA: Final = "https://schema.org/"


def read(data: bytes) -> Preview:
    """Return what a calendar file holds.

    Args:
        data: As ``charset.as_utf8`` gives it.

    Raises:
        TooLargeError: More lines or events than one file may have.
    """
    left_out = LeftOut("line", together={terms.OF_CALENDAR, terms.OF_ENTRY})
    events: list[Component] = []
    zones = Zones()
    for one in read_components(data):
        if isinstance(one, RawLine):
            name = name_of(one)
            left_out.add(one.number, name, terms.OF_CALENDAR if name in terms.CALENDAR else terms.OUTSIDE)
        elif one.broken:
            left_out.add(one.first, one.name, one.broken, last=one.last)
        elif one.name == "VTIMEZONE":
            zones.learn(one)
        elif one.name == "VEVENT":
            events.append(one)
        else:
            left_out.add(one.first, one.name, terms.ENTRIES.get(one.name, terms.NO_ENTRY), last=one.last)
    read_events = (_read_event(event, number, zones, left_out) for number, event in enumerate(events, 1))
    kept, duplicates = without_duplicates([event for event in read_events if event])
    return Preview(format=FORMAT, found=kept, skipped=(*left_out.skipped(), *duplicates))


def _read_event(component: Component, number: int, zones: Zones, left_out: LeftOut) -> Found | None:
    reading = _Reading(component, zones, left_out)
    fields = reading.fields()
    document: Document = {"@context": CONTEXT, "type": "Event", **fields}
    if not fields or not fits_a_record(document):
        reason = why("too-long") if fields else why("nothing-kept")
        left_out.add(component.first, component.name, reason, last=component.last)
        return None
    return Found(
        document=document,
        key=reading.key(document),
        label=_label(fields) or why("event", number=number),
        where=within(why("event", number=number), at("line", component.first)),
    )


def _label(fields: Document) -> str:
    name = on_one_line(str(fields.get("name", "")))[:_MAX_LABEL_CHARS]
    return ", ".join(filter(None, (name, str(fields.get("startDate", ""))[:10])))


class _Reading:
    """One event while it is read."""

    def __init__(self, component: Component, zones: Zones, left_out: LeftOut) -> None:
        self._zones, self._left_out = zones, left_out
        self._lines: dict[str, list[Line]] = {}
        for name, first, last in component.inner:
            left_out.add(first, name, terms.INSIDE.get(name, terms.UNKNOWN), last=last)
        for raw in component.lines:
            self._sort(raw)

    def _sort(self, raw: RawLine) -> None:
        name = name_of(raw)
        if name not in terms.READ:
            self._left_out.add(
                raw.number, name, terms.REASONS.get(name, terms.UNKNOWN if name else terms.UNREADABLE)
            )
            return
        try:
            line = read_line(raw)
        except LeftOutError as error:
            self._left_out.add(raw.number, name, error.reason)
            return
        if line.guessed:
            self._left_out.add(line.number, line.name, GUESSED)
        if line.value.strip():
            self._lines.setdefault(line.name, []).append(line)

    def _leave(self, line: Line, reason: Reason) -> None:
        self._left_out.add(line.number, line.name, reason)

    def _one(self, name: str, read: Callable[[Line], T]) -> T | None:
        """Return what the first line of a name says, of those that say anything; others are named."""
        found: T | None = None
        for line in self._lines.get(name, []):
            if found is not None:
                self._leave(line, terms.ANOTHER)
                continue
            try:
                found = read(line) or None
            except LeftOutError as error:
                self._leave(line, error.reason)
        return found

    def fields(self) -> Document:
        """Return what the event says."""
        start = self._one("DTSTART", self._moment)
        zone = start.zone if start else None
        place = self._one("LOCATION", text_of)
        made: dict[str, Json] = {
            "name": self._one("SUMMARY", text_of),
            "startDate": start.text() if start else None,
            "endDate": self._end(start),
            "location": {"type": "Place", "name": place} if place else None,
            "description": self._one("DESCRIPTION", text_of),
            "url": self._one("URL", lambda line: web_address(text_of(line))),
            "organizer": self._one("ORGANIZER", _organizer),
            "eventStatus": self._one("STATUS", _state),
            "keywords": self._keywords(),
            "eventSchedule": self._schedule(zone),
        }
        for line in self._lines.get("CLASS", []):
            if line.value.strip().upper() in terms.PRIVATE:
                self._leave(line, terms.MARKED)
        return {name: value for name, value in made.items() if value}

    def key(self, document: Document) -> str:
        """Return the key: of the UID and, of one time of a repeated event, of that time."""
        uid = self._one("UID", text_of)
        time = self._one("RECURRENCE-ID", text_of)
        for line in self._lines.get("RECURRENCE-ID", [])[:1]:
            self._leave(line, terms.ONE_TIME)
        if uid is None:
            return key_of("event-content", document)
        return key_of("event", [uid, time] if time else uid)

    def _moment(self, line: Line) -> Moment:
        value = line.value.strip()
        tzid = line.params.get("TZID", "")
        zone = self._zones.named(tzid) if tzid else None
        found = moment_of(value, zone)
        found.text()  # whatever no calendar has is left out here
        if tzid and not found.is_day and found.zone is None:
            self._leave(line, NO_ZONE)
        return found

    def _end(self, start: Moment | None) -> str | None:
        def ends(line: Line) -> str:
            end = self._moment(line)
            if start is None:
                return (end.day_before() if end.is_day else end).text()
            if end.is_day != start.is_day or not end.is_after(start):
                raise LeftOutError(terms.ENDS_BEFORE)
            return _last(start, end).text()

        def lasts(line: Line) -> str:
            if start is None:
                raise LeftOutError(terms.NO_START)
            by, nominal = duration_of(line.value.strip())
            return _last(start, start.later(by, nominal=nominal)).text()

        end = self._one("DTEND", ends)
        if end is not None:
            for line in self._lines.get("DURATION", []):
                self._leave(line, terms.ANOTHER)
            return end
        return self._one("DURATION", lasts)

    def _keywords(self) -> Json:
        found: dict[str, None] = {}
        for line in self._lines.get("CATEGORIES", []):
            try:
                found.update(dict.fromkeys(texts_of(line)))
            except LeftOutError as error:
                self._leave(line, error.reason)
        return next(iter(found)) if len(found) == 1 else list(found)

    def _schedule(self, zone: dt.tzinfo | None) -> Document | None:
        made = self._one("RRULE", lambda line: schedule_of(text_of(line)))
        if made is None:
            for line in self._lines.get("EXDATE", []):
                self._leave(line, terms.NO_RULE)
            return None
        exceptions: list[str] = []
        for line in self._lines.get("EXDATE", []):
            try:
                exceptions += self._exceptions(line, room=_MAX_EXCEPTIONS - len(exceptions))
            except LeftOutError as error:
                self._leave(line, error.reason)
        if exceptions:
            made["exceptDate"] = exceptions[0] if len(exceptions) == 1 else exceptions
        if isinstance(zone, ZoneInfo):
            made["scheduleTimezone"] = zone.key
        return made

    def _exceptions(self, line: Line, *, room: int) -> list[str]:
        values = line.value.split(",", room)
        if len(values) > room:
            raise LeftOutError(terms.TOO_MANY)
        zone = self._zones.named(line.params["TZID"]) if "TZID" in line.params else None
        return [moment_of(value.strip(), zone).text() for value in values]


def _last(start: Moment, end: Moment) -> Moment:
    """Return when an event ends: of whole days the last of them, where calendars name the day after it."""
    return end.day_before() if end.is_day and end.when > start.when else end


def _organizer(line: Line) -> Document:
    """Return whose event it is: what the calendar calls them, and where they are written to."""
    name = on_one_line(line.params.get("CN", ""))
    address = text_of(line)
    email = address[7:] if address[:7].lower() == "mailto:" else ""
    made: Document = {}
    if name and not has_controls(name):
        made["name"] = name
    if _EMAIL.match(email):
        made["email"] = email
    if not made:
        raise LeftOutError(terms.NO_ADDRESS)
    return made


def _state(line: Line) -> str:
    state = terms.STATES.get(line.value.strip().upper())
    if state is None:
        raise LeftOutError(terms.NO_STATE)
    return _SCHEMA + state
