"""From the bytes of a table (CSV) to its rows: character set, separator, header, and what is broken.

The standard library's reader splits the lines; before it sees one, its size is bounded, and one bad line does
not cost the lines after it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from freehold_protocol.errors import MalformedError, TooLargeError

from .charset import as_utf8, decode
from .places import LeftOut
from .reasons import why
from .texts import has_controls

MAX_ROWS: Final = 100_000
MAX_COLUMNS: Final = 1_000
MAX_ROW_CHARS: Final = 256 * 1024
"""Of one row; a record holds no more."""
_MAX_NAME_CHARS: Final = 200
_MAX_MENDED: Final = 20
"""Rows after a quotation mark that is not closed are looked for this often; each time costs a row's length."""
_SEPARATORS: Final = (",", ";", "\t", "|")
_SAMPLE_CHARS: Final = 64 * 1024
_SAMPLE_ROWS: Final = 20
_SAID = re.compile(r"\"?sep=([,;|:~^\t])\"?\r?\n", re.IGNORECASE)
_GUESS_NOTE: Final = why("guessed-characters")
_WIDE: Final = ("utf-16-le", "utf-16-be")
_TOO_MANY: Final = why("more-cells")
_TOO_FEW: Final = why("fewer-cells")
_BROKEN: Final = why("broken-row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a table is written, as far as a person said so.

    Attributes:
        separator: One character, or None: found out.
        encoding: A name that ``charset`` knows; None: UTF-8, or else Windows-1252.
        skip: Lines before the header.
        header: Names of the columns, for a table that has no header row.
    """

    separator: str | None = None
    encoding: str | None = None
    skip: int = 0
    header: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table whose rows are read as they are asked for.

    Attributes:
        header: Names of the columns, in order; one without a name is called ``column 3``.
        separator: What stands between the cells.
        rows: Line number of a row's first line, and its cells; each row has no more cells than the header.
        left_out: Lines that could not be read, complete when the rows have been read.
    """

    header: tuple[str, ...]
    separator: str
    rows: Iterator[tuple[int, list[str]]]
    left_out: LeftOut

    def repeated(self) -> frozenset[str]:
        """Return the names that more than one column has."""
        return frozenset(name for name, count in Counter(self.header).items() if count > 1)


def plain_name(name: str) -> str:
    """Return a column's name as two are compared: composed, with single blanks."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def read_table(data: bytes, layout: Layout = Layout()) -> Table:
    """Return the table in a file, by the layout or by what its first lines look like.

    Args:
        data: The file as it came; a byte order mark in it wins over the layout.
        layout: What is known of it.

    Raises:
        MalformedError: Not text in its encoding, or without any row.
        TooLargeError: More columns than ``MAX_COLUMNS``; or, when the rows are read, more than ``MAX_ROWS``.
    """
    text, guessed = _text_of(data, layout.encoding)
    skip, text = layout.skip, "".join(islice(io.StringIO(text, newline=""), layout.skip, None))
    said = _SAID.match(text)
    if said:
        skip, text = skip + 1, text[said.end() :]
    separator = layout.separator or (said[1] if said else _separator_of(text))
    left_out = LeftOut("line")
    if guessed:
        left_out.add(1, "", _GUESS_NOTE)
    rows = _sound(_split(text, separator, first=skip + 1), left_out)
    header = layout.header or next((tuple(cells) for _, cells in rows), ())
    if not header:
        raise MalformedError(why("no-header"))
    if len(header) > MAX_COLUMNS:
        raise TooLargeError(why("many-columns", most=MAX_COLUMNS))
    return Table(
        header=tuple(plain_name(name)[:_MAX_NAME_CHARS] or f"column {n}" for n, name in enumerate(header, 1)),
        separator=separator,
        rows=_fitting(rows, len(header), left_out),
        left_out=left_out,
    )


def looks_like_table(data: bytes) -> bool:
    """Whether a file is text whose first rows have as many cells as its header, and more than one."""
    try:
        text, _ = _text_of(data, None)
    except MalformedError:
        return False
    sample = text[:_SAMPLE_CHARS]
    if has_controls(sample.replace("\r", "\n")):
        return False
    separator = _separator_of(sample)
    rows = [cells for _, cells in islice(_split(sample, separator), _SAMPLE_ROWS) if cells]
    width = len(rows[0]) if rows else 0
    return width > 1 and 2 * sum(len(cells) == width for cells in rows) > len(rows)


def _text_of(data: bytes, encoding: str | None) -> tuple[str, bool]:
    """Return the text, and whether its character set was guessed."""
    try:
        plain = as_utf8(data)
        if len(plain) != len(data):
            return plain.decode("utf-8"), False
        if encoding in _WIDE:
            return data.decode(encoding), False
        text, guessed = decode(data, encoding or "")
    except LookupError:
        raise MalformedError(why("mapping-encoding")) from None
    except UnicodeDecodeError:
        named = why("not-encoded", encoding=encoding) if encoding else why("encoding-not-known")
        raise MalformedError(named) from None
    if encoding is None and text.count("\0", 0, _SAMPLE_CHARS) * 4 > min(len(text), _SAMPLE_CHARS):
        raise MalformedError(why("utf16-without-mark"))
    return text, guessed


def _separator_of(text: str) -> str:
    """Return the character that splits the first rows most evenly; a comma where none does."""
    sample = text[:_SAMPLE_CHARS]
    best, best_score = _SEPARATORS[0], (0, 0)
    for separator in _SEPARATORS:
        rows = [cells for _, cells in islice(_split(sample, separator), _SAMPLE_ROWS) if cells]
        width = len(rows[0]) if rows else 0
        score = (sum(len(cells) == width for cells in rows), width)
        if width > 1 and score > best_score:
            best, best_score = separator, score
    return best


def _split(text: str, separator: str, *, first: int = 1) -> Iterator[tuple[int, list[str] | None]]:
    """Yield the line number and the cells of each row; None for a line that could not be read."""
    lines, waiting, number, mended = io.StringIO(text, newline=""), deque[str](), first, 0
    while True:
        taken: list[str] = []
        try:
            cells = next(_reader(_bounded(lines, waiting, taken), separator), None)
        except csv.Error:
            mended += 1
            kept = 1 if mended <= _MAX_MENDED else len(taken)
            waiting.extendleft(reversed(taken[kept:]))
            for line in range(number, number + kept):
                yield line, None
            number += kept
            continue
        if cells is None:
            return
        yield number, cells
        number += len(taken)


def _reader(lines: Iterator[str], separator: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)


def _bounded(lines: Iterator[str], waiting: deque[str], taken: list[str]) -> Iterator[str]:
    """Yield the lines of one row, and note which were taken; raises csv.Error when it grows too long."""
    size = 0
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        taken.append(line)
        size += len(line)
        if size > MAX_ROW_CHARS:
            raise csv.Error
        yield line


def _sound(
    rows: Iterable[tuple[int, list[str] | None]], left_out: LeftOut
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that could be read and are not empty."""
    for count, (number, cells) in enumerate(rows):
        if count > MAX_ROWS:
            raise TooLargeError(why("many-rows", most=MAX_ROWS))
        if cells is None:
            left_out.add(number, "", _BROKEN)
        elif any(map(str.strip, cells)):
            yield number, cells


def _fitting(
    rows: Iterable[tuple[int, list[str]]], width: int, left_out: LeftOut
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows whose cells can be told apart by the header: no more filled ones than it has names."""
    for number, cells in rows:
        if any(map(str.strip, cells[width:])):
            left_out.add(number, "", _TOO_MANY)
        else:
            if len(cells) < width:
                left_out.add(number, "", _TOO_FEW)
            yield number, cells[:width]
