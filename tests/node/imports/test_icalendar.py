"""Calendars: what an event becomes, and what is said of the rest."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_node.imports import Preview, read_file
from freehold_protocol.contexts import check_terms
from freehold_protocol.errors import MalformedError
from freehold_protocol.record import check_content

FIJI = (
    "BEGIN:VTIMEZONE\nTZID:Home\nX-LIC-LOCATION:Pacific/Fiji\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
    "TZOFFSETFROM:+1200\nTZOFFSETTO:+1200\nEND:STANDARD\nEND:VTIMEZONE\n"
)
FIXED = (
    "BEGIN:VTIMEZONE\nTZID:UTC+11\nBEGIN:STANDARD\nDTSTART:20170101T000000\nTZOFFSETFROM:+1100\n"
    "TZOFFSETTO:+1100\nEND:STANDARD\nEND:VTIMEZONE\n"
)
RULED = FIXED.replace("UTC+11", "Ruled").replace(
    "END:VTIMEZONE",
    "BEGIN:DAYLIGHT\nDTSTART:19700101T000000\nRRULE:FREQ=SECONDLY\nTZOFFSETFROM:+1100\nTZOFFSETTO:+1200\n"
    "END:DAYLIGHT\nEND:VTIMEZONE",
)


def calendar(*events: str, before: str = "") -> bytes:
    inside = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\n{before}{inside}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def contents(preview: Preview) -> list[Any]:
    for found in preview.found:
        check_terms(found.document)
        check_content({name: value for name, value in found.document.items() if name != "@context"})
    return [{k: v for k, v in one.document.items() if k not in ("@context", "type")} for one in preview.found]


def event(lines: str, *, before: str = "") -> Any:
    """Return what one event says, none of it left out."""
    preview = read_file(calendar(lines, before=before))
    assert preview.skipped == ()
    (found,) = contents(preview)
    assert preview.found[0].document["type"] == "Event"
    return found


def said(preview: Preview) -> dict[str, str]:
    return {one.where: one.reason for one in preview.skipped}


PLACE = {"type": "Place", "name": "1 Row, Exampleton"}
READ: list[tuple[str, str, dict[str, Any]]] = [
    ("texts", "SUMMARY:Dentist\\, again\nDESCRIPTION:a\\nb\\;c\\\\d\nLOCATION:1 Row\\, Exampleton\nURL:example.com/x",
     {"name": "Dentist, again", "description": "a\nb;c\\d", "location": PLACE, "url": "http://example.com/x"}),
    ("folded inside a word", "SUMMARY:Den\n tist\n\t!", {"name": "Dentist!"}),
    ("parameters", 'SUMMARY;LANGUAGE=en;ALTREP="cid:a;b:c":Dentist', {"name": "Dentist"}),
    ("names in any case", "summary:Dentist\nDtStart:20261124T093000Z",
     {"name": "Dentist", "startDate": "2026-11-24T09:30:00Z"}),
    ("UTC", "DTSTART:20261124T093000Z\nDTEND:20261124T100000Z",
     {"startDate": "2026-11-24T09:30:00Z", "endDate": "2026-11-24T10:00:00Z"}),
    ("wherever one is", "DTSTART:20261124T093000\nDTEND:20261124T100000",
     {"startDate": "2026-11-24T09:30:00", "endDate": "2026-11-24T10:00:00"}),
    ("a zone, over the change to winter",
     "DTSTART;TZID=Europe/Berlin:20261024T233000\nDTEND;TZID=Europe/Berlin:20261025T093000",
     {"startDate": "2026-10-24T23:30:00+02:00", "endDate": "2026-10-25T09:30:00+01:00"}),
    ("a zone with a maker's prefix", "DTSTART;TZID=/maker.example/2024a/Europe/Berlin:20261124T093000",
     {"startDate": "2026-11-24T09:30:00+01:00"}),
    ("a zone of Windows", 'DTSTART;TZID="Tokyo Standard Time":20261124T093000',
     {"startDate": "2026-11-24T09:30:00+09:00"}),
    ("a day, whose end is the day after", "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261225",
     {"startDate": "2026-12-24", "endDate": "2026-12-24"}),
    ("days", "DTSTART;VALUE=DATE:20261230\nDTEND;VALUE=DATE:20270102",
     {"startDate": "2026-12-30", "endDate": "2027-01-01"}),
    ("a day that ends with itself", "DTSTART:20261224\nDTEND:20261224",
     {"startDate": "2026-12-24", "endDate": "2026-12-24"}),
    ("days and how many", "DTSTART;VALUE=DATE:20261230\nDURATION:P3D",
     {"startDate": "2026-12-30", "endDate": "2027-01-01"}),
    ("a duration", "DTSTART:20261124T093000Z\nDURATION:PT1H30M",
     {"startDate": "2026-11-24T09:30:00Z", "endDate": "2026-11-24T11:00:00Z"}),
    ("a day of the calendar is not 24 hours", "DTSTART;TZID=Europe/Berlin:20261024T120000\nDURATION:P1D",
     {"startDate": "2026-10-24T12:00:00+02:00", "endDate": "2026-10-25T12:00:00+01:00"}),
    ("24 hours are not a day of the calendar", "DTSTART;TZID=Europe/Berlin:20261024T120000\nDURATION:PT24H",
     {"startDate": "2026-10-24T12:00:00+02:00", "endDate": "2026-10-25T11:00:00+01:00"}),
    ("states", "SUMMARY:x\nSTATUS:Cancelled",
     {"name": "x", "eventStatus": "https://schema.org/EventCancelled"}),
    ("keywords", "CATEGORIES:a\\,b,c\nCATEGORIES:c,d", {"keywords": ["a,b", "c", "d"]}),
    ("whose it is", "ORGANIZER;CN=Ada Example:MAILTO:ada@example.com",
     {"organizer": {"name": "Ada Example", "email": "ada@example.com"}}),
    ("whose it is, without an address", 'ORGANIZER;CN="Example, Ada":invalid:nomail',
     {"organizer": {"name": "Example, Ada"}}),
    ("empty lines", "SUMMARY:x\nLOCATION:\nDESCRIPTION:\\n", {"name": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "says"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_an_event_says_what_it_says(lines: str, says: dict[str, Any]) -> None:
    assert event(lines) == says


@pytest.mark.parametrize(
    ("before", "tzid", "start"),
    [
        (FIJI, "Home", "2026-11-24T09:30:00+12:00"),
        (FIXED, "UTC+11", "2026-11-24T09:30:00+11:00"),
        (FIXED.replace("UTC+11", "Europe/Berlin"), "Europe/Berlin", "2026-11-24T09:30:00+01:00"),
    ],
)
def test_a_zone_that_the_file_explains_simply_is_known(before: str, tzid: str, start: str) -> None:
    assert event(f"DTSTART;TZID={tzid}:20261124T093000", before=before) == {"startDate": start}


@pytest.mark.parametrize(
    ("before", "tzid"),
    [("", "Mars/Phobos"), ("", "localtime"), ("", "right/UTC"), ("", "../../etc/localtime"), (RULED, "Ruled"),
     ("BEGIN:VTIMEZONE\nTZID:Odd\nTZOFFSETTO:+9999\nEND:VTIMEZONE\n", "Odd"),
     ("BEGIN:VTIMEZONE\nTZID:Odd\n", "Odd")],
)  # fmt: skip
def test_of_another_zone_only_the_time_on_the_wall_is_kept_and_that_is_said(before: str, tzid: str) -> None:
    preview = read_file(calendar(f"SUMMARY:x\nDTSTART;TZID={tzid}:20261124T093000", before=before))
    assert contents(preview)[0]["startDate"] == "2026-11-24T09:30:00"
    assert any("time on the wall" in reason for reason in said(preview).values())


def test_the_end_of_what_has_no_beginning_is_kept() -> None:
    assert event("DTEND:20261124") == {"endDate": "2026-11-23"}
    assert event("DTEND:20261124T100000Z") == {"endDate": "2026-11-24T10:00:00Z"}


def test_a_node_that_imports_no_calendar_does_not_load_the_library() -> None:
    code = (
        "import sys, freehold_node.imports; assert not {'icalendar', 'dateutil', 'pyld'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_zone_of_one_file_means_nothing_in_the_next() -> None:
    assert event("DTSTART;TZID=Home:20261124T093000", before=FIJI)
    preview = read_file(calendar("DTSTART;TZID=Home:20261124T093000"))
    assert contents(preview) == [{"startDate": "2026-11-24T09:30:00"}]


# Rules of repetition

WEEKLY = {"type": "Schedule", "repeatFrequency": "P1W"}
RULES: list[tuple[str, dict[str, Any]]] = [
    ("FREQ=WEEKLY", WEEKLY),
    ("FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=MO,WE", WEEKLY | {"repeatFrequency": "P2W", "byDay": ["MO", "WE"]}),
    ("FREQ=WEEKLY;WKST=SU;BYDAY=MO", WEEKLY | {"byDay": "MO"}),
    ("freq=daily;count=10", {"type": "Schedule", "repeatFrequency": "P1D", "repeatCount": 10}),
    ("FREQ=DAILY\\;COUNT=10", {"type": "Schedule", "repeatFrequency": "P1D", "repeatCount": 10}),
    ("FREQ=MONTHLY;BYDAY=-1SU,2TU", {"type": "Schedule", "repeatFrequency": "P1M", "byDay": ["-1SU", "2TU"]}),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15", {"type": "Schedule", "repeatFrequency": "P1M", "byMonthDay": [1, 15]}),
    ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24",
     {"type": "Schedule", "repeatFrequency": "P1Y", "byMonth": 12, "byMonthDay": 24}),
    ("FREQ=DAILY;UNTIL=20261231", {"type": "Schedule", "repeatFrequency": "P1D", "endDate": "2026-12-31"}),
    ("FREQ=DAILY;UNTIL=20261231T120000Z",
     {"type": "Schedule", "repeatFrequency": "P1D", "endDate": "2026-12-31T12:00:00Z"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "schedule"), RULES, ids=[case[0] for case in RULES])
def test_a_simple_rule_is_kept_as_a_rule(rule: str, schedule: dict[str, Any]) -> None:
    assert event(f"SUMMARY:x\nRRULE:{rule}")["eventSchedule"] == schedule


def test_a_rule_keeps_its_exceptions_and_its_zone() -> None:
    found = event(
        "DTSTART;TZID=Europe/Berlin:20261005T180000\nRRULE:FREQ=WEEKLY\n"
        "EXDATE;TZID=Europe/Berlin:20261012T180000,20261026T180000\nEXDATE:20261102T170000Z"
    )
    assert found["eventSchedule"] == WEEKLY | {
        "exceptDate": ["2026-10-12T18:00:00+02:00", "2026-10-26T18:00:00+01:00", "2026-11-02T17:00:00Z"],
        "scheduleTimezone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=1", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2,3", "FREQ=DAILY;BYSETPOS=-1",
        "FREQ=YEARLY;BYWEEKNO=20", "FREQ=YEARLY;BYYEARDAY=1", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;COUNT=0", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;INTERVAL=99999",
        "FREQ=DAILY;COUNT=5;UNTIL=20261231", "FREQ=DAILY;FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "BYDAY=MO",
        "FREQ=YEARLY;RSCALE=HEBREW", "FREQ=DAILY;X=1", "FREQ=NEVER", "FREQ=DAILY;COUNT=99999999999999999999",
        "nonsense", "FREQ=DAILY;UNTIL=99999999", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;BYMINUTE=" + "1," * 500 + "1",
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_said_in_full_is_left_out_whole(rule: str) -> None:
    preview = read_file(calendar(f"SUMMARY:x\nRRULE:{rule}\nEXDATE:20261012T180000Z"))
    assert contents(preview) == [{"name": "x"}]
    reasons = said(preview)
    assert "repetition" in reasons["line 4: RRULE"]
    assert "exceptions from a rule" in reasons["line 5: EXDATE"]
    assert rule not in str(preview.skipped)


# The same again


def keys(*events: str) -> list[str]:
    return [found.key for found in read_file(calendar(*events)).found]


def test_an_event_is_known_again_by_its_uid() -> None:
    assert keys("UID:1\nSUMMARY:x") == keys("UID:1\nSUMMARY:y\nDTSTART:20260101")
    assert keys("UID:1\nSUMMARY:x") != keys("UID:2\nSUMMARY:x")
    assert keys("SUMMARY:x") == keys("SUMMARY:x") != keys("SUMMARY:y")


def test_one_time_of_a_repeated_event_is_an_event_of_its_own() -> None:
    preview = read_file(
        calendar("UID:1\nSUMMARY:x\nRRULE:FREQ=DAILY", "UID:1\nRECURRENCE-ID:20261012T180000Z\nSUMMARY:y")
    )
    assert len({found.key for found in preview.found}) == 2
    assert said(preview) == {
        "line 9: RECURRENCE-ID": "one time of a repeated event, kept as an event of its own"
    }


def test_different_events_that_share_a_uid_are_all_kept() -> None:
    preview = read_file(calendar("UID:1\nSUMMARY:x", "UID:1\nSUMMARY:y", "UID:1\nSUMMARY:x"))
    assert [found.document["name"] for found in preview.found] == ["x", "y"]
    assert len(preview.skipped) == 2


def test_the_key_shows_nothing_of_the_uid() -> None:
    assert keys("UID:private-thing\nSUMMARY:x")[0].startswith("event:")
    assert "private" not in keys("UID:private-thing\nSUMMARY:x")[0]


# What is left out is named


def test_other_entries_reminders_and_other_people_are_named() -> None:
    lines = (
        "SUMMARY:x\nDTSTAMP:20260101T000000Z\nATTENDEE;CN=Ben:mailto:ben@example.org\nGEO:1;2\nCLASS:PRIVATE\n"
        "STATUS:TENTATIVE\nBEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM\nX-ODD:1"
    )
    before = "PRODID:x\nBEGIN:VTODO\nSUMMARY:Milk\nEND:VTODO\nBEGIN:VJOURNAL\nEND:VJOURNAL\n"
    preview = read_file(calendar(lines, before=before))
    assert contents(preview) == [{"name": "x"}]
    assert said(preview) == {
        "lines 3-5: VTODO": "a task; only events are kept",
        "lines 6-7: VJOURNAL": "a journal entry; only events are kept",
        "line 11: ATTENDEE": "about other people, who were not asked",
        "line 12: GEO": "positions are not kept",
        "line 13: CLASS": "that it is marked as private is not kept: whoever may read events may read it",
        "line 14: STATUS": "schema.org has no such state",
        "lines 15-17: VALARM": "reminders are not kept",
        "line 18: X-ODD": "no record has a field for this",
        "line 2: PRODID": "about the calendar, not about an event",
        "line 10: DTSTAMP": "about the entry, not about the event",
    }
    assert "Ben" not in str(preview)


@pytest.mark.parametrize(
    ("lines", "left_out"),
    [
        ("SUMMARY:x\nSUMMARY:y", "there is another before it"),
        ("SUMMARY:x\nDTSTART:2026-11-24", "not a date or time"),
        ("SUMMARY:x\nDTSTART:20260230", "not a date or time"),
        ("SUMMARY:x\nDTSTART:20261124T250000", "not a date or time"),
        ("SUMMARY:x\nDTSTART;TZID=Europe/Berlin:00010101T000000", "not a date or time"),
        ("SUMMARY:x\nDTSTART:20261124T100000Z\nDTEND:20261124T090000Z", "ends before"),
        ("SUMMARY:x\nDTSTART:20261124T100000Z\nDTEND:20261124", "ends before"),
        ("SUMMARY:x\nDTSTART:20261124\nDURATION:-P1D", "not a duration"),
        ("SUMMARY:x\nDTSTART:20261124T100000Z\nDURATION:P99999999999D", "not a duration"),
        ("SUMMARY:x\nDTSTART:99991231\nDURATION:P9999D", "not a date or time"),
        ("SUMMARY:x\nDTSTART:20261124\nDTEND:20261126\nDURATION:P1D", "there is another"),
        ("SUMMARY:x\nCATEGORIES:a\x07b", "control characters"),
        ("SUMMARY:x\nRRULE:FREQ=DAILY;COUNT=1,2", "repetition"),
        ("SUMMARY:x\nDURATION:PT1H", "its beginning is not known"),
        ("SUMMARY:x\nURL:javascript:alert(1)", "not an http or https address"),
        ("SUMMARY:x\nURL:file:///etc/passwd", "not an http or https address"),
        ("SUMMARY:x\nORGANIZER:invalid:nomail", "neither a name nor"),
        ("SUMMARY:x\nDESCRIPTION:a\x07b", "control characters"),
        ("SUMMARY:x\nDESCRIPTION:" + "x" * 70_000, "more than 64 KiB"),
        ("SUMMARY:x\nDESCRIPTION:" + "x" * 200_000, "more than one record holds"),
        ("SUMMARY:x\nDESCRIPTION;A=" + "x" * 9_000 + ":y", "cannot be read"),
        ("SUMMARY:x\nDESCRIPTION", "cannot be read"),
        ("SUMMARY:x\nRRULE:FREQ=DAILY\nEXDATE:" + "20261012," * 501 + "20261012", "more exceptions"),
        ("SUMMARY:x\nRRULE:FREQ=DAILY\nEXDATE:yesterday", "not a date or time"),
    ],
)
def test_a_line_that_cannot_be_kept_is_named_and_the_event_is_read(lines: str, left_out: str) -> None:
    preview = read_file(calendar(lines))
    assert contents(preview)[0]["name"] == "x"
    assert [one for one in preview.skipped if left_out in one.reason], preview.skipped


# Samples of others


@pytest.mark.vectors
def test_every_sample_is_read_and_every_line_is_accounted_for(
    vectors: Path, count_vectors: Callable[..., None]
) -> None:
    samples = sorted((vectors / "personal-data").rglob("*.ics"))
    assert len(samples) >= 25
    events = 0
    for sample in samples:
        data = sample.read_bytes()
        count_vectors("personal-data", 1)
        try:
            preview = read_file(data, name=sample.name)
        except MalformedError as error:
            assert re.search(rb"(?m)^BEGIN:VEVENT\r?$", data) is None or "RDATE" in str(error), sample.name  # noqa: PT017
            continue
        assert preview.format == "iCalendar"
        assert len(contents(preview)) == len(re.findall(rb"(?m)^BEGIN:VEVENT\r?$", data))
        events += len(preview.found)
        check_nothing_is_lost(data, preview)
    assert events > 20


USED = {"BEGIN", "END", "UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "DESCRIPTION", "LOCATION", "URL", "STATUS",
        "CATEGORIES", "ORGANIZER", "RRULE", "EXDATE", "CLASS"}  # fmt: skip


def check_nothing_is_lost(data: bytes, preview: Preview) -> None:
    """Each line is of a property that events keep, of a time zone, or its number is among those left out."""
    named: set[int] = set()
    for one in preview.skipped:
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", one.where.partition(":")[0]):
            named |= set(range(int(first), int(last or first) + 1))
        if " more" in one.where:
            return  # not all are written out
    zone = False
    for number, line in enumerate(re.split(rb"\r?\n", data), 1):
        name = re.match(rb"[\w-]*", line)
        zone = zone or line.startswith(b"BEGIN:VTIMEZONE")
        if line.strip() and line[:1] not in b" \t" and not zone and number not in named:
            assert name is not None
            assert name[0].decode().upper() in USED, (number, line)
        zone = zone and not line.startswith(b"END:VTIMEZONE")
