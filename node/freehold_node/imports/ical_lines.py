"""From the bytes of a calendar file (iCalendar, RFC 5545) to its components, each with its unfolded lines.

All work is on bytes until a line is unfolded, because a fold may split a character. A component that is cut
off, or in which another begins, does not cost the ones after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.errors import TooLargeError
from freehold_protocol.reason import Reason

from .preview import MAX_FOUND
from .reasons import why

MAX_LINES: Final = 600_000
"""Of the file, as they stand in it."""
MAX_COMPONENT_LINES: Final = 2_000
"""Unfolded, without those of what stands inside; entries have about 20."""
MAX_LINE_BYTES: Final = 128 * 1024
"""Unfolded. What is longer, such as an attached picture, is passed over."""
_MAX_DEPTH: Final = 8
_CONTAINER: Final = b"VCALENDAR"
_LINE = re.compile(rb"([^\r\n]*+)(?:\r{0,2}\n|\r|\Z)")
_FIRST_LINE = re.compile(
    rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?BEGIN:V(?:CALENDAR|EVENT|TODO|JOURNAL|FREEBUSY|TIMEZONE|AVAILABILITY)"
    rb"[ \t]*(?:[\r\n]|\Z)",
    re.IGNORECASE,
)
_MARK = re.compile(rb"(?:\xef\xbb\xbf)?(BEGIN|END)[ \t]*:[ \t]*([A-Z0-9-]{1,64})[ \t]*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawLine:
    """An unfolded line, and where its first physical line stands in the file; ``data`` is cut if it is too long."""

    number: int
    data: bytes
    too_long: bool = False


@dataclass(slots=True, kw_only=True)
class Component:
    """An entry of a calendar, or a time zone.

    Attributes:
        name: ``VEVENT``, in upper case.
        first: Line number of its BEGIN; ``last`` of its END.
        lines: Its own, without those of the components inside.
        inner: Name, first and last line of each component directly inside.
        inner_lines: Those of the components inside, of a time zone.
        broken: Why it cannot be used at all; None if it can.
    """

    name: str
    first: int
    last: int = 0
    lines: list[RawLine] = field(default_factory=list)
    inner: list[tuple[str, int, int]] = field(default_factory=list)
    inner_lines: list[RawLine] = field(default_factory=list)
    broken: Reason | None = None


def is_calendar(data: bytes) -> bool:
    """Whether any line begins a calendar or an entry of one."""
    return _FIRST_LINE.search(data) is not None


def read_components(data: bytes) -> Iterator[Component | RawLine]:
    """Yield each component, and each line that stands in none but the calendar itself.

    Raises:
        TooLargeError: More lines than ``MAX_LINES``, or more entries than a file may become records.
    """
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_LINES:
        raise TooLargeError(why("many-lines", most=MAX_LINES))
    found: _Open | None = None
    count = 0
    for line in _unfolded(data):
        mark = _MARK.match(line.data) if len(line.data) < 100 else None
        begins = mark is not None and mark[1].upper() == b"BEGIN"
        name = mark[2].upper() if mark else b""
        if found is not None and not found.is_cut_off_by(begins, name):
            if found.add(line, begins, name):
                yield found.component
                found = None
            continue
        if found is not None:
            yield found.cut_off(line.number - 1)
            found = None
        if begins and name != _CONTAINER:
            count += name == b"VEVENT"
            if count > MAX_FOUND:
                raise TooLargeError(why("many-events", most=MAX_FOUND))
            found = _Open(Component(name=name.decode(), first=line.number))
        elif name != _CONTAINER:
            yield line
    if found is not None:
        yield found.cut_off(line.number)


def _unfolded(data: bytes) -> Iterator[RawLine]:
    """Yield each line that is not empty, with the lines that continue it."""
    parts: list[bytes] = []
    first = size = 0
    for number, match in enumerate(_LINE.finditer(data), 1):
        line = match[1]
        if parts and line[:1] in (b" ", b"\t"):
            size += len(line)
            if size <= MAX_LINE_BYTES:
                parts.append(line[1:])
            continue
        if parts:
            yield RawLine(first, b"".join(parts), size > MAX_LINE_BYTES)
        parts, first, size = ([line[:MAX_LINE_BYTES]] if line.strip() else []), number, len(line)
    if parts:
        yield RawLine(first, b"".join(parts), size > MAX_LINE_BYTES)


class _Open:
    """A component whose END has not come yet."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self._inside: list[tuple[bytes, int]] = []

    def is_cut_off_by(self, begins: bool, name: bytes) -> bool:
        """Whether a mark can only mean that the component ends here without an END."""
        own = self.component.name.encode()
        return name == _CONTAINER or (begins and name == own) or (begins and name == b"VEVENT")

    def add(self, line: RawLine, begins: bool, name: bytes) -> bool:
        """Take one more line; return whether it was the last."""
        component = self.component
        component.last = line.number
        if begins:
            self._inside.append((name, line.number))
            if len(self._inside) > _MAX_DEPTH:
                component.broken = why("too-deep")
                self._inside.pop()
        elif name and name == component.name.encode():
            self._close(line.number, keep=0)
            return True
        elif name:
            depth = next((at for at, (open_, _) in enumerate(self._inside) if open_ == name), None)
            if depth is None:
                self._keep(component.lines, line)
            else:
                self._close(line.number, keep=depth)
        elif self._inside:
            self._keep(component.inner_lines, line)
        else:
            self._keep(component.lines, line)
        return False

    def _close(self, last: int, *, keep: int) -> None:
        if self._inside and not keep:
            name, first = self._inside[0]
            self.component.inner.append((name.decode(), first, last))
        del self._inside[keep:]

    def _keep(self, lines: list[RawLine], line: RawLine) -> None:
        if len(lines) < MAX_COMPONENT_LINES:
            lines.append(line)
        else:
            self.component.broken = why("too-many-lines")

    def cut_off(self, last: int) -> Component:
        self.component.last = last
        self.component.broken = why("no-end", name=self.component.name)
        return self.component
