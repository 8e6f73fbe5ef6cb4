"""Which time zone a calendar's ``TZID`` means: by its name, or by what the file says of it where that is simple.

The rules that a file gives for a zone are never run: they come from a stranger, and may go on for ever.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from .ical_lines import Component
from .ical_values import name_of, read_line
from .texts import LeftOutError
from .zones import zone_named

_MAX_ZONES: Final = 500
_HINT: Final = "X-LIC-LOCATION"


class Zones:
    """The time zones of one file."""

    def __init__(self) -> None:
        self._said: dict[str, dt.tzinfo | None] = {}
        self._known: dict[str, dt.tzinfo | None] = {}

    def learn(self, component: Component) -> None:
        """Take up what a VTIMEZONE says: another name for the zone, or the only offset that it ever has."""
        if component.broken or len(self._said) >= _MAX_ZONES:
            return
        said = _values(component)
        for tzid in said.get("TZID", []):
            hints = [zone for zone in map(zone_named, said.get(_HINT, [])) if zone]
            self._said.setdefault(tzid, hints[0] if hints else _only_offset(said.get("TZOFFSETTO", [])))

    def named(self, tzid: str) -> dt.tzinfo | None:
        """Return the zone that a TZID means; None if nobody knows."""
        if tzid not in self._known:
            if len(self._known) >= _MAX_ZONES:
                return None
            self._known[tzid] = _by_name(tzid) or self._said.get(tzid)
        return self._known[tzid]


def _values(component: Component) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for raw in (*component.lines, *component.inner_lines):
        if name_of(raw) in ("TZID", _HINT, "TZOFFSETTO"):
            try:
                line = read_line(raw)
            except LeftOutError:
                continue
            found.setdefault(line.name, []).append(line.value.strip())
    return found


def _by_name(tzid: str) -> dt.tzinfo | None:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    zone = zone_named(WINDOWS_TO_OLSON.get(tzid, tzid))
    if zone is None and tzid.startswith("/"):  # /vendor.example/2024a/Europe/Berlin
        parts = tzid.strip("/").split("/")[:8]
        zone = next(filter(None, (zone_named("/".join(parts[at:])) for at in range(len(parts)))), None)
    return zone


def _only_offset(offsets: list[str]) -> dt.tzinfo | None:
    from icalendar.prop import vUTCOffset

    if len(set(offsets)) != 1 or len(offsets[0]) > 7:
        return None
    try:
        return dt.timezone(vUTCOffset.from_ical(offsets[0]))  # type: ignore[no-untyped-call]
    except ValueError:
        return None
