"""Time zones by name, and a local time as it is written with its offset."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MAX_NAME: Final = 64


@cache
def _known() -> frozenset[str]:
    # Not what the machine has: there, names such as ``localtime`` or ``right/UTC`` mean something else.
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone of an IANA name; None for any other text."""
    if len(name) > _MAX_NAME or name not in _known():
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None


def written(local: dt.datetime, zone: dt.tzinfo | None) -> str:
    """Return a dateTime with the zone's offset at that time, or with none where there is no zone.

    Args:
        local: Without a zone of its own. What comes twice when clocks go back is the first of the two.
        zone: None where nobody knows: then nothing is claimed.

    Raises:
        ValueError: No calendar has that time in that zone.
    """
    if zone is None:
        return local.isoformat()
    try:
        aware = local.replace(tzinfo=zone)
        offset = aware.utcoffset() or dt.timedelta()
        if offset.total_seconds() % 60:  # local mean time of long ago; no offset is written in seconds
            aware = aware.astimezone(dt.UTC)
            offset = dt.timedelta()
    except OverflowError:
        raise ValueError("out of range") from None
    return aware.isoformat() if offset else aware.replace(tzinfo=None).isoformat() + "Z"
