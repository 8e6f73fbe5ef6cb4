"""Calendars that are cut off, torn, huge, or made to do harm."""

from __future__ import annotations

import pytest
from freehold_node.imports import read_file
from freehold_protocol.contexts import check_terms
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = b"BEGIN:VEVENT\nUID:1\nSUMMARY:good\nEND:VEVENT\n"
BEGIN, END = b"BEGIN:VCALENDAR\nVERSION:2.0\n", b"END:VCALENDAR\n"


def names(data: bytes) -> list[str]:
    return [str(found.document.get("name")) for found in read_file(data).found]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"BEGIN:VEVENT\nSUMMARY:cut off\n", "no END:VEVENT"),
        (b"BEGIN:VEVENT\nSUMMARY:cut off\nBEGIN:VALARM\n", "no END:VEVENT"),
        (b"BEGIN:VEVENT\nSUMMARY:cut off\nEND:VCALENDAR\nBEGIN:VCALENDAR\n", "no END:VEVENT"),
        (b"BEGIN:VTODO\nSUMMARY:cut off\n", "no END:VTODO"),
        (b"BEGIN:VEVENT\nEND:VEVENT\n", "nothing in it can be kept"),
        (b"END:VEVENT\n", "stands outside any entry"),
        (b"nonsense\n", "stands outside any entry"),
        (b"\xff\xfe\xfd\n", "stands outside any entry"),
        (
            b"BEGIN:VEVENT\n" + b"BEGIN:VALARM\n" * 20 + b"END:VALARM\n" * 20 + b"END:VEVENT\n",
            "within each other",
        ),
        (b"BEGIN:VEVENT\n" + b"SUMMARY:x\n" * 2_001 + b"END:VEVENT\n", "too many lines"),
        (b"BEGIN:VEVENT\nCOMMENT:" + b"x" * 300_000 + b"\nEND:VEVENT\n", "notes about the entry"),
    ],
)
def test_what_is_broken_costs_only_itself(broken: bytes, reason: str) -> None:
    for data in (BEGIN + broken + GOOD + END, BEGIN + GOOD + broken + END):
        preview = read_file(data)
        assert [found.document["name"] for found in preview.found] == ["good"]
        assert any(reason in one.reason for one in preview.skipped), preview.skipped


@pytest.mark.parametrize("cut", range(1, len(GOOD), 7))
def test_a_file_that_is_cut_off_anywhere_keeps_what_came_before(cut: int) -> None:
    data = BEGIN + GOOD.replace(b"UID:1", b"UID:0") + GOOD[:cut]
    assert names(data)[0] == "good"


def test_a_fold_may_split_a_character_and_come_with_every_line_end() -> None:
    for newline in (b"\n", b"\r\n", b"\r", b"\r\r\n"):
        lines = [b"BEGIN:VEVENT", b"SUMMARY:Caf\xc3", b" \xa9", b"END:VEVENT", b""]
        assert names(newline.join(lines)) == ["Café"]


def test_an_old_character_set_is_guessed_and_that_is_said() -> None:
    preview = read_file(b"BEGIN:VEVENT\nSUMMARY:Caf\xe9\nEND:VEVENT\n")
    assert preview.found[0].document["name"] == "Café"
    assert "Windows-1252" in preview.skipped[0].reason


@pytest.mark.parametrize("data", [BEGIN + GOOD * 20_001, BEGIN + b"BEGIN:VEVENT\n" * 100_000])
def test_too_many_events_are_refused(data: bytes) -> None:
    with pytest.raises(TooLargeError, match="20000 events"):
        read_file(data)


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(TooLargeError, match="600000 lines"):
        read_file(BEGIN + b"X:1\n" * 600_001)


def test_a_hundred_thousand_different_lines_are_not_named_one_by_one() -> None:
    stray = b"".join(b"X-%d:1\n" % n for n in range(100_000))
    preview = read_file(BEGIN + GOOD + stray + END)
    assert len(preview.skipped) < 1_000
    assert all(len(one.where) < 2_000 for one in preview.skipped)


def test_thousands_of_endless_zones_are_not_run() -> None:
    zone = (
        b"BEGIN:VTIMEZONE\nTZID:%d\nBEGIN:STANDARD\nDTSTART:16010101T000000\nRRULE:FREQ=SECONDLY\n"
        b"TZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    zones = b"".join(zone % n for n in range(5_000))
    event = b"BEGIN:VEVENT\nSUMMARY:x\nDTSTART;TZID=1:20260101T000000\nEND:VEVENT\n"
    assert (
        read_file(BEGIN + zones + event + END).found[0].document["startDate"] == "2026-01-01T00:00:00+01:00"
    )


def test_nothing_of_a_calendar_is_only_a_calendar() -> None:
    with pytest.raises(MalformedError, match=r"nothing in the iCalendar file .*VTODO: a task"):
        read_file(BEGIN + b"BEGIN:VTODO\nEND:VTODO\n" + END)


PIECES = [
    b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"BEGIN:VEVENT", b"END:VEVENT", b"BEGIN:VALARM", b"END:VALARM",
    b"BEGIN:VTIMEZONE", b"END:VTIMEZONE", b"BEGIN:", b"END:", b"TZID", b"TZOFFSETTO:+0100", b"SUMMARY",
    b"DTSTART", b"DTEND", b"DURATION", b"RRULE", b"EXDATE", b"RECURRENCE-ID", b"UID", b"URL", b"ORGANIZER",
    b"CATEGORIES", b"STATUS", b"CLASS", b"LOCATION", b":", b";", b",", b"=", b'"', b"\\", b"\n", b"\r\n",
    b"\r", b" ", b"\t", b";TZID=", b"Europe/Berlin", b";VALUE=DATE", b";CN=", b"20261124", b"20261124T093000",
    b"Z", b"P1D", b"PT", b"-", b"FREQ=DAILY", b"COUNT=", b"BYDAY=MO", b"UNTIL=", b"mailto:a@b.example",
    b"http://example.com", b"\xc3\xa9", b"\xff", b"\0", b"^n", b"1", b"\\n", b"PRIVATE", b"99999999",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=80), st.booleans())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_torn_calendars_are_read_or_refused(pieces: list[bytes], framed: bool) -> None:
    body = b"".join(pieces)
    try:
        preview = read_file(b"BEGIN:VEVENT\nSUMMARY:x\n" + body + b"\nEND:VEVENT\n" if framed else body)
    except FreeholdError:
        return
    assert len({found.key for found in preview.found}) == len(preview.found)
    for found in preview.found:
        check_terms(found.document)
