"""Tables (CSV) to schema.org documents, by a mapping.

Each column becomes a field, or is named in ``skipped``; so is each cell that cannot be read as the mapping says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError, TooLargeError
from freehold_protocol.form import CONTEXT

from .cells import Convert, text
from .mapping import NUMBERED, Column, Mapping, Path, RecordMapping, path_of
from .mapping_section import Section
from .nodes import Node
from .places import LeftOut, place, short_names
from .preview import MAX_FOUND, Found, Preview, Skipped, key_of, without_duplicates
from .reasons import why
from .table import Table, read_table
from .texts import LeftOutError, fits_a_record, on_one_line

FORMAT: Final = "CSV"
_UNKNOWN: Final = why("column-unknown")
_EMPTY: Final = why("column-empty")
_NONE_READ: Final = why("column-unread")
_NO_KEY: Final = why("no-key")
_DIFFERS: Final = why("row-differs")
_NOTHING: Final = why("nothing-kept")
_TOO_MANY: Final = why("too-many-values")
_TOO_LONG: Final = why("too-long")
_MAX_LABEL_CHARS: Final = 80
_LABELS: Final = ("name", "alternateName", "orderNumber", "email", "identifier", "description", "telephone")


def read(data: bytes, mapping: Mapping) -> Preview:
    """Return what the rows of a table become.

    Args:
        data: The file as it came.
        mapping: What its columns mean.

    Raises:
        MalformedError: No table, or one that lacks a column of the mapping.
        TooLargeError: Too many rows, columns or records.
    """
    table = read_table(data, mapping.layout)
    reading = _Reading(table, mapping)
    found = list(islice(reading.records(), MAX_FOUND + 1))
    if len(found) > MAX_FOUND:
        raise TooLargeError(why("many-records", most=MAX_FOUND))
    kept, duplicates = without_duplicates(found)
    skipped = (*reading.columns_left_out(), *table.left_out.skipped(), *duplicates)
    return Preview(format=FORMAT, found=kept, skipped=skipped)


@dataclass(slots=True)
class _Source:
    """One column of the table, and the field it becomes.

    Attributes:
        filled: How many of its cells said something; ``read``: how many of them were read.
    """

    index: int
    name: str
    path: Path
    convert: Convert
    split: str
    optional: bool
    filled: int = 0
    read: int = 0


class _Record:
    """One section of the mapping, bound to the columns of a table."""

    def __init__(self, mapping: RecordMapping, header: Sequence[str], repeated: frozenset[str]) -> None:
        self.mapping = mapping
        self.collected: dict[str, tuple[Node, int, int]] = {}
        self.missing: list[str] = []
        place = {name: index for index, name in reversed(list(enumerate(header)))}
        self.sources = [source for column in mapping.columns for source in self._bound(column, header)]
        self.key = self._indices(mapping.key, place)
        self.joined = [(one, self._indices(one.columns, place)) for one in mapping.joined]
        self.used = {source.name for source in self.sources} | set(mapping.key)
        self.used.update(name for one in mapping.joined for name in one.columns)
        if twice := self.used & repeated:
            raise MalformedError(why("columns-alike", names=short_names(sorted(twice))))

    def _bound(self, column: Column, header: Sequence[str]) -> Iterator[_Source]:
        pattern = re.compile(
            re.escape(column.name).replace(re.escape(NUMBERED), r"([1-9]\d?)") + r"\Z", re.ASCII
        )
        matches = [
            (index, name, found) for index, name in enumerate(header) if (found := pattern.match(name))
        ]
        if not matches and not column.optional:
            self.missing.append(column.name)
        for index, name, found in matches:
            number = found[1] if NUMBERED in column.name else "1"
            path = path_of(column.to.replace(NUMBERED, number), Section({}, column.name))
            yield _Source(index, name, path, column.convert, column.split, column.optional)

    def _indices(self, names: Sequence[str], place: dict[str, int]) -> list[int]:
        self.missing.extend(name for name in names if name not in place)
        return [place[name] for name in names if name in place]


class _Reading:
    """A table while its rows become records."""

    def __init__(self, table: Table, mapping: Mapping) -> None:
        self._table, self._mapping = table, mapping
        self._left_out: LeftOut = table.left_out
        self._counts: Counter[str] = Counter()
        self._records = [_Record(one, table.header, table.repeated()) for one in mapping.records]
        missing = dict.fromkeys(name for record in self._records for name in record.missing)
        if missing:
            raise MalformedError(
                why("no-such-column", names=short_names(missing), columns=short_names(table.header))
            )

    def columns_left_out(self) -> Iterator[Skipped]:
        """Yield what there is to say of whole columns, when all rows have been read."""
        used = {name for record in self._records for name in record.used} | self._mapping.ignore
        unknown = [name for name in self._table.header if name not in used]
        for start in range(0, len(unknown), 10):
            names = unknown[start : start + 10]
            where = why("column" if len(unknown) == 1 else "columns", names=short_names(names))
            yield Skipped(where=where, reason=_UNKNOWN)
        for source in (source for record in self._records for source in record.sources):
            if source.filled and not source.read:
                yield Skipped(where=why("column", names=short_names([source.name])), reason=_NONE_READ)
            elif not source.filled and not source.optional:
                yield Skipped(where=why("column", names=short_names([source.name])), reason=_EMPTY)

    def records(self) -> Iterator[Found]:
        """Yield what the rows become, in their order; what is collected from several rows comes at the end."""
        for line, raw in self._table.rows:
            cells = [cell.strip().replace("\r\n", "\n").replace("\r", "\n") for cell in raw]
            cells += [""] * (len(self._table.header) - len(cells))
            nodes = [(record, self._node(record, cells, line)) for record in self._records]
            if not any(node for _, node in nodes):
                self._left_out.add(line, "", _NOTHING)
            for record, node in nodes:
                if node is None:
                    continue
                key = self._key(record, cells, line)
                if record.mapping.collect and key:
                    self._collect(record, key, node, line)
                else:
                    yield from self._finished(record, key, node, (line, line))
        for record in self._records:
            for key, (node, first, last) in record.collected.items():
                yield from self._finished(record, key, node, (first, last))

    def _node(self, record: _Record, cells: list[str], line: int) -> Node | None:
        """Return what a row says of one record; None if it says nothing."""
        node = Node()
        for source in record.sources:
            self._take(source, cells[source.index], node, line)
        for joined, indices in record.joined:
            self._put(
                node, joined.path, text, joined.between.join(filter(None, (cells[i] for i in indices))),
                line, joined.columns[0],
            )  # fmt: skip
        if not (node.values or node.nodes):
            return None
        for path, value in record.mapping.constants:
            node.put(path, value)
        return node

    def _take(self, source: _Source, cell: str, node: Node, line: int) -> None:
        parts = [part.strip() for part in cell.split(source.split)] if source.split else [cell]
        for part in filter(None, parts):
            source.filled += 1
            source.read += self._put(node, source.path, source.convert, part, line, source.name)

    def _put(self, node: Node, path: Path, convert: Convert, said: str, line: int, name: str) -> bool:
        """Keep a value, or name it as left out; return whether it is kept."""
        if not said:
            return False
        try:
            kept = node.put(path, convert(said))
        except LeftOutError as error:
            self._left_out.add(line, name, error.reason)
            return False
        if not kept:
            self._left_out.add(line, name, _TOO_MANY)
        return kept

    def _key(self, record: _Record, cells: list[str], line: int) -> str:
        """Return the key that the row's key columns make; empty if the row has none."""
        values = [cells[index] for index in record.key]
        if any(values):
            return key_of("row", [self._mapping.source, record.mapping.type, *values])
        if values:
            self._left_out.add(line, "", _NO_KEY)
        return ""

    def _collect(self, record: _Record, key: str, node: Node, line: int) -> None:
        if key not in record.collected:
            record.collected[key] = (node, line, line)
            if len(record.collected) > MAX_FOUND:
                raise TooLargeError(why("many-records", most=MAX_FOUND))
            return
        kept, first, _ = record.collected[key]
        record.collected[key] = (kept, first, line)
        if not kept.gather(record.mapping.collect, node):
            self._left_out.add(line, "", _DIFFERS)

    def _finished(self, record: _Record, key: str, node: Node, lines: tuple[int, int]) -> Iterator[Found]:
        fields = node.built(record.mapping.types)
        document: Document = {"@context": CONTEXT, "type": record.mapping.type, **fields}
        if not fits_a_record(document):
            self._left_out.add(lines[0], "", _TOO_LONG)
            return
        where = place("line", [lines])
        yield Found(
            document=document,
            key=key or self._key_of_content(document),
            label=_label(fields) or where,
            where=where,
        )

    def _key_of_content(self, document: Document) -> str:
        """Return a key for a row that names none: rows that say the same are told apart by their order."""
        same = key_of("row", document)
        self._counts[same] += 1
        return same if self._counts[same] == 1 else key_of("row", [document, self._counts[same]])


def _label(fields: Document) -> str:
    for name in _LABELS:
        value = fields.get(name)
        value = value[0] if isinstance(value, list) else value
        if isinstance(value, str) and value:
            return on_one_line(value)[:_MAX_LABEL_CHARS]
    return ""
