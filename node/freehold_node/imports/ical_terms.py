"""What of a calendar is read, and why the rest is left out."""

from __future__ import annotations

from typing import Final

READ: Final = {
    "UID", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "URL", "STATUS", "CATEGORIES", "CLASS",
    "ORGANIZER", "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE",
}  # fmt: skip
CALENDAR: Final = {
    "PRODID", "VERSION", "METHOD", "CALSCALE", "NAME", "DESCRIPTION", "COLOR", "REFRESH-INTERVAL", "SOURCE",
    "X-WR-CALNAME", "X-WR-CALDESC", "X-WR-TIMEZONE", "X-WR-RELCALID", "X-PUBLISHED-TTL", "X-APPLE-CALENDAR-COLOR",
    "LAST-MODIFIED", "UID", "URL",
}  # fmt: skip
OF_ENTRY: Final = "about the entry, not about the event"
OF_CALENDAR: Final = "about the calendar, not about an event"
OUTSIDE: Final = "stands outside any entry"
STATES: Final = {"CONFIRMED": "EventScheduled", "CANCELLED": "EventCancelled"}
"""Of schema.org; it has none for TENTATIVE."""
PRIVATE: Final = {"PRIVATE", "CONFIDENTIAL"}
ENTRIES: Final = {
    "VTODO": "a task; only events are kept",
    "VJOURNAL": "a journal entry; only events are kept",
    "VFREEBUSY": "when somebody is busy; only events are kept",
    "VAVAILABILITY": "when somebody is available; only events are kept",
}
NO_ENTRY: Final = "only events are kept"
INSIDE: Final = {
    "VALARM": "reminders are not kept",
    "PARTICIPANT": "about other people, who were not asked",
}
REASONS: Final = {
    **dict.fromkeys(
        ("DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "TRANSP", "PRIORITY", "REQUEST-STATUS", "COLOR",
         "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR", "X-MOZ-GENERATION", "X-MOZ-LASTACK", "X-LIC-ERROR",
         "X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-INTENDEDSTATUS", "X-MICROSOFT-CDO-IMPORTANCE",
         "X-MICROSOFT-DISALLOW-COUNTER", "X-MICROSOFT-CDO-INSTTYPE", "X-MICROSOFT-CDO-ALLDAYEVENT",
         "X-MICROSOFT-CDO-APPT-SEQUENCE", "X-MICROSOFT-CDO-OWNERAPPTID"),
        OF_ENTRY,
    ),
    **dict.fromkeys(("ATTENDEE", "CONTACT"), "about other people, who were not asked"),
    **dict.fromkeys(("ATTACH", "IMAGE", "STRUCTURED-DATA"), "attachments are not kept"),
    **dict.fromkeys(("GEO", "X-APPLE-STRUCTURED-LOCATION"), "positions are not kept"),
    **dict.fromkeys(("RDATE", "EXRULE"), "further times of its own; no record has a field for them"),
    **dict.fromkeys(("RELATED-TO", "LINK", "REFID", "CONCEPT"), "how entries belong together is not kept"),
    **dict.fromkeys(("X-ALT-DESC", "STYLED-DESCRIPTION"), "another form of the description"),
    "CONFERENCE": "addresses of conferences are not kept",
    "COMMENT": "notes about the entry are not kept",
    "RESOURCES": "no record has a field for this",
}  # fmt: skip
UNKNOWN: Final = "no record has a field for this"
UNREADABLE: Final = "cannot be read"
ANOTHER: Final = "there is another before it, which is kept"
MARKED: Final = "that it is marked as private is not kept: whoever may read events may read it"
ONE_TIME: Final = "one time of a repeated event, kept as an event of its own"
ENDS_BEFORE: Final = "it ends before it begins"
NO_START: Final = "its beginning is not known"
NO_RULE: Final = "exceptions from a rule of repetition that is not kept"
NO_STATE: Final = "schema.org has no such state"
NO_ADDRESS: Final = "neither a name nor an e-mail address"
TOO_MANY: Final = "more exceptions than a record keeps"
