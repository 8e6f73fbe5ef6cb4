"""What of a calendar is read, and why the rest is left out."""

from __future__ import annotations

from typing import Final

from .reasons import why

READ: Final = {
    "UID", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "URL", "STATUS", "CATEGORIES", "CLASS",
    "ORGANIZER", "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE",
}  # fmt: skip
CALENDAR: Final = {
    "PRODID", "VERSION", "METHOD", "CALSCALE", "NAME", "DESCRIPTION", "COLOR", "REFRESH-INTERVAL", "SOURCE",
    "X-WR-CALNAME", "X-WR-CALDESC", "X-WR-TIMEZONE", "X-WR-RELCALID", "X-PUBLISHED-TTL", "X-APPLE-CALENDAR-COLOR",
    "LAST-MODIFIED", "UID", "URL",
}  # fmt: skip
OF_ENTRY: Final = why("about-entry")
OF_CALENDAR: Final = why("about-calendar")
OUTSIDE: Final = why("outside-entry")
STATES: Final = {"CONFIRMED": "EventScheduled", "CANCELLED": "EventCancelled"}
"""Of schema.org; it has none for TENTATIVE."""
PRIVATE: Final = {"PRIVATE", "CONFIDENTIAL"}
ENTRIES: Final = {
    "VTODO": why("task"),
    "VJOURNAL": why("journal"),
    "VFREEBUSY": why("busy"),
    "VAVAILABILITY": why("available"),
}
NO_ENTRY: Final = why("no-event")
INSIDE: Final = {
    "VALARM": why("reminder"),
    "PARTICIPANT": why("other-people"),
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
    **dict.fromkeys(("ATTENDEE", "CONTACT"), why("other-people")),
    **dict.fromkeys(("ATTACH", "IMAGE", "STRUCTURED-DATA"), why("attachment")),
    **dict.fromkeys(("GEO", "X-APPLE-STRUCTURED-LOCATION"), why("position")),
    **dict.fromkeys(("RDATE", "EXRULE"), why("further-times")),
    **dict.fromkeys(("RELATED-TO", "LINK", "REFID", "CONCEPT"), why("belonging")),
    **dict.fromkeys(("X-ALT-DESC", "STYLED-DESCRIPTION"), why("description-again")),
    "CONFERENCE": why("conference"),
    "COMMENT": why("comment"),
    "RESOURCES": why("no-field"),
}  # fmt: skip
UNKNOWN: Final = why("no-field")
UNREADABLE: Final = why("unreadable")
ANOTHER: Final = why("another-before")
MARKED: Final = why("marked-private")
ONE_TIME: Final = why("one-time")
ENDS_BEFORE: Final = why("ends-before")
NO_START: Final = why("no-start")
NO_RULE: Final = why("no-rule")
NO_STATE: Final = why("no-state")
NO_ADDRESS: Final = why("no-address")
TOO_MANY: Final = why("too-many-exceptions")
