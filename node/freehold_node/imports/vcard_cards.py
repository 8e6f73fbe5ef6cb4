"""From the bytes of a vCard file to its cards: versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350).

All work is on bytes until a line is unfolded, because a fold may split a character, and each line of an old
card may have a character set of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.errors import TooLargeError
from freehold_protocol.reason import Reason

from .reasons import why
from .vcard_line import Fault, Line, encoding_of, parse_line

MAX_CARDS: Final = 20_000
MAX_CARD_LINES: Final = 2_000
"""Unfolded; the fullest real cards have about 100."""
MAX_CARD_FOLDS: Final = 200_000
"""As they stand in the file; a picture of 10 MiB has 140,000."""
MAX_LINES: Final = 1_000_000
"""Of the file, as they stand in it."""

_LINE = re.compile(rb"([^\r\n]*+)(?:\r{0,2}\n|\r|\Z)")  # some phones end lines with CR CR LF
_MARK = re.compile(rb"(?:\xef\xbb\xbf)?(BEGIN|END):VCARD[ \t]*\Z", re.IGNORECASE)
_FIRST_LINE = re.compile(rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?BEGIN:VCARD[ \t]*(?:[\r\n]|\Z)", re.IGNORECASE)
_VERSION = re.compile(rb"(?:[\w-]+\.)?VERSION(?:;[^:]*)?:[ \t]*([^ \t]*)[ \t]*\Z", re.IGNORECASE)
_VERSIONS: Final = {b"2.1", b"3.0", b"4.0"}
_AGENT = re.compile(rb"(?:[\w-]+\.)?AGENT(?:;[^:]*)?:[ \t]*(BEGIN:VCARD)?[ \t]*\Z", re.IGNORECASE)
_BASE64_TEXT = re.compile(rb"[A-Za-z0-9+/]+=*\Z")
_NOTHING: Final = b" \t\xef\xbb\xbf\x1a\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card; ``broken`` says why it cannot be used at all.

    Attributes:
        number: Counts the cards of the file, from 1.
        first: Line number of its BEGIN.
    """

    number: int
    first: int
    lines: tuple[Line, ...] = ()
    faults: tuple[Fault, ...] = ()
    broken: Reason | None = None


def is_vcard(data: bytes) -> bool:
    """Whether any line begins a card."""
    return _FIRST_LINE.search(data) is not None


def read_cards(data: bytes) -> Iterator[Card | Fault]:
    """Yield each card, and a Fault for what stands outside the cards.

    Raises:
        TooLargeError: More than ``MAX_CARDS`` or ``MAX_LINES``.
    """
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_LINES:
        raise TooLargeError(why("many-lines", most=MAX_LINES))
    number = 0
    raw: _RawCard | None = None
    outside: Fault | None = None
    for line_number, line in _physical_lines(data):
        mark = _mark(line)
        if raw is not None and (mark != b"BEGIN" or raw.agent):
            if raw.add(line_number, line, mark):
                yield raw.close()
                raw = None
        elif mark == b"BEGIN":
            if raw is not None:
                yield raw.broken(why("no-end-before-next"))
            if outside is not None:
                yield outside
            number, outside = number + 1, None
            if number > MAX_CARDS:
                raise TooLargeError(why("many-cards", most=MAX_CARDS))
            raw = _RawCard(number=number, first=line_number)
        elif line.strip(_NOTHING):
            begin = line_number if outside is None else outside.first
            outside = Fault(first=begin, last=line_number, name="", reason=why("outside-card"))
    if raw is not None:
        yield raw.broken(why("no-end-of-card"))
    if outside is not None:
        yield outside


def _physical_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    for number, match in enumerate(_LINE.finditer(data), 1):
        yield number, match[1]


def _mark(line: bytes) -> bytes:
    match = _MARK.match(line) if len(line) < 64 else None
    return match[1].upper() if match else b""


@dataclass(slots=True, kw_only=True)
class _RawCard:
    """The physical lines of the card being read; cards of agents inside it are passed over.

    Attributes:
        agent: Number of the AGENT line whose card begins with the next line, else 0.
        inside: Number of the AGENT line whose card is being passed over.
        depth: How many cards are open inside this one.
    """

    number: int
    first: int
    physical: list[tuple[int, bytes]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    agent: int = 0
    inside: int = 0
    depth: int = 0
    too_long: bool = False

    def add(self, number: int, line: bytes, mark: bytes) -> bool:
        """Take one more line; return whether it was the card's last."""
        if mark == b"BEGIN":
            self._enter(self.agent)
        elif mark == b"END" and not self.depth:
            return True
        elif mark == b"END":
            self._leave(number)
        elif not self.depth:
            self.too_long = self.too_long or len(self.physical) >= MAX_CARD_FOLDS
            if not self.too_long:
                self.physical.append((number, line))
        if line.strip():
            agent = _AGENT.match(line)
            self.agent = number if agent else 0
            if agent and agent[1]:
                self._enter(number)
        return False

    def _enter(self, agent: int) -> None:
        self.inside, self.depth, self.agent = self.inside or agent, self.depth + 1, 0

    def _leave(self, number: int) -> None:
        self.depth -= 1
        if self.depth:
            return
        while self.physical and self.physical[-1][0] >= self.inside:
            self.physical.pop()
        reason = why("another-person")
        self.faults.append(Fault(first=self.inside, last=number, name="AGENT", reason=reason))
        self.inside = 0

    def broken(self, reason: Reason) -> Card:
        return Card(number=self.number, first=self.first, broken=reason)

    def close(self) -> Card:
        version = self._version()
        if version not in _VERSIONS:
            return self.broken(why("unknown-version"))
        lines: list[Line] = []
        for first, last, raw in _unfolded(self.physical, old=version == b"2.1"):
            read = parse_line(raw, first=first, last=last, old=version == b"2.1")
            if isinstance(read, Fault):
                self.faults.append(read)
            elif read.name != "VERSION" or read.text().encode() != version:
                lines.append(read)
            self.too_long = self.too_long or len(lines) > MAX_CARD_LINES
            if self.too_long:
                break
        if self.too_long or len(self.faults) > MAX_CARD_LINES:
            return self.broken(why("too-many-lines"))
        return Card(number=self.number, first=self.first, lines=tuple(lines), faults=tuple(self.faults))

    def _version(self) -> bytes:
        for _, line in self.physical:
            match = _VERSION.match(line)
            if match:
                return match[1]
        reason = why("no-version")
        self.faults.append(Fault(first=self.first, last=self.first, name="VERSION", reason=reason))
        return b"3.0"


def _unfolded(physical: Iterable[tuple[int, bytes]], *, old: bool) -> Iterator[tuple[int, int, bytes]]:
    """Yield first and last line number and the bytes of each logical line."""
    parts: list[bytes] = []
    first = last = 0
    encoding = ""
    for number, line in physical:
        if parts and encoding == "quoted-printable" and parts[-1].rstrip(b" \t").endswith(b"="):
            parts[-1] = parts[-1].rstrip(b" \t")[:-1]
            parts.append(line)
        elif not line:
            continue
        elif parts and line[:1] in b" \t":
            # vCard 2.1 folds before a blank that belongs to the text, later versions insert one.
            parts.append(line if old and encoding != "quoted-printable" else line[1:])
        elif parts and encoding == "base64" and _BASE64_TEXT.match(line):
            parts.append(line)  # old cards need not indent these
        else:
            if parts:
                yield first, last, b"".join(parts)
            parts, first = [line], number
            encoding = encoding_of(line)
        last = number
    if parts:
        yield first, last, b"".join(parts)
