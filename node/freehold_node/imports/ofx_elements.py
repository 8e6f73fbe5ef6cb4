"""From the text of an OFX file to its elements, of version 1 (SGML) and of version 2 (XML).

Version 1 closes only what holds other elements. Nothing is declared, included or expanded here: a file with a
document type is refused, and an entity is one of XML's five or a number.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final, Literal

from freehold_protocol.errors import MalformedError, TooDeepError, TooLargeError

from .reasons import why

MAX_TAGS: Final = 1_000_000
"""And less-than signs; 20,000 transactions have about 400,000."""
MAX_DEPTH: Final = 32
"""A transaction's payee stands at 9."""
_PROLOG_BYTES: Final = 8 * 1024
_BEGIN = re.compile(rb"\s*(?:OFXHEADER|DATA[ \t]*:[ \t]*OFXSGML|<\?xml|<\?OFX|<!|<OFX\s*>)", re.IGNORECASE)
_ROOT = re.compile(rb"<OFX\s*>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]{0,63})(?:\s[^<>]{0,500})?(/?)>")
_CLOSES = re.compile(r"</([A-Za-z][A-Za-z0-9._]{0,63})\s*>")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_SPANS: Final = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"))


@dataclass(frozen=True, slots=True)
class Element:
    """An element that begins or ends, or one that only has a value.

    Attributes:
        kind: ``cut`` where the file ends before the element does.
        depth: How many elements it stands in.
        line: Where it stands in the file.
    """

    kind: Literal["open", "leaf", "close", "cut"]
    name: str
    value: str
    depth: int
    line: int


def is_ofx(data: bytes) -> bool:
    """Whether a file begins as OFX files do."""
    return (
        _BEGIN.match(data, 0, _PROLOG_BYTES) is not None and _ROOT.search(data, 0, _PROLOG_BYTES) is not None
    )


def read_elements(text: str, holders: Collection[str]) -> Iterator[Element]:
    """Yield the elements in order; names in upper case.

    Args:
        text: The file.
        holders: Elements that hold others, also where the file ends before they do.

    Raises:
        MalformedError: It declares a document type or entities.
        TooDeepError: More elements within each other than ``MAX_DEPTH``.
        TooLargeError: More tags than ``MAX_TAGS``.
    """
    reader = _Reader(text, holders)
    for is_closing, name, line in _tags(text, reader.values):
        yield from reader.end(line) if not name else reader.tag(is_closing, name, line)


def _tags(text: str, values: list[str]) -> Iterator[tuple[bool, str, int]]:
    """Yield (closing, name, line) of each tag, having put what stands before it into values; at the end no name."""
    position = line = 0
    newline = "\n" if "\n" in text else "\r"
    counted = 0
    for count in itertools.count():
        at = text.find("<", position)
        if at < 0:
            break
        if count > MAX_TAGS:
            raise TooLargeError(why("many-tags", most=MAX_TAGS))
        values.append(_plain(text[position:at]))
        line, counted = line + text.count(newline, counted, at), at
        span = next((span for span in _SPANS if text.startswith(span[0], at)), None)
        tag = _TAG.match(text, at) if span is None else None
        if span is not None:
            end = text.find(span[1], at + len(span[0]))
            if end < 0:  # the rest is inside it
                position = len(text)
                break
            if span[0] == "<![CDATA[":
                values.append(text[at + len(span[0]) : end])
            position = end + len(span[1])
        elif tag is not None:
            position = tag.end()
            yield bool(tag[1]), tag[2].upper(), line + 1
            if tag[3]:
                yield True, tag[2].upper(), line + 1
        elif text.startswith("<!", at):
            raise MalformedError(why("declares"))
        else:  # a less-than sign in a value
            values.append("<")
            position = at + 1
    values.append(_plain(text[position:]))
    yield True, "", line + 1


def _plain(text: str) -> str:
    return _ENTITY.sub(lambda found: unescape(found[0]), text) if "&" in text else text


class _Reader:
    """Tells elements that hold others from those that have a value, which version 1 need not close."""

    def __init__(self, text: str, holders: Collection[str]) -> None:
        self.values: list[str] = []
        self._closed = {name.upper() for name in _CLOSES.findall(text)} | set(holders)
        self._open: list[str] = []
        self._pending: tuple[str, int] | None = None

    def tag(self, is_closing: bool, name: str, line: int) -> Iterator[Element]:
        """Yield what is known now that the next tag has come."""
        value = "".join(self.values).strip()
        self.values.clear()
        if self._pending is not None:
            closes_it = is_closing and name == self._pending[0]
            yield self._settle(value, closes_it)
            if closes_it:
                return
        if is_closing:
            yield from self._close(name, line)
        else:
            self._pending = (name, line)

    def _settle(self, value: str, closes_it: bool) -> Element:
        assert self._pending is not None  # noqa: S101 - the caller looked
        name, line = self._pending
        self._pending = None
        if value or closes_it or name not in self._closed:
            return Element("leaf", name, value, len(self._open), line)
        if len(self._open) == MAX_DEPTH:
            raise TooDeepError(why("deep-elements", most=MAX_DEPTH))
        self._open.append(name)
        return Element("open", name, "", len(self._open) - 1, line)

    def _close(self, name: str, line: int) -> Iterator[Element]:
        if name not in self._open:
            return  # the end of what has a value already, or of nothing
        while True:
            last = self._open.pop()
            yield Element("close", last, "", len(self._open), line)
            if last == name:
                return

    def end(self, line: int) -> Iterator[Element]:
        """Yield what the end of the file closes."""
        if self._pending is not None:
            yield self._settle("".join(self.values).strip(), closes_it=True)
        while self._open:
            yield Element("cut", self._open.pop(), "", len(self._open), line)
