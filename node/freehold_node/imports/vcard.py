"""vCard files to schema.org documents.

Each line of a card ends in the document or is named in ``skipped``; none vanishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json
from freehold_protocol.form import CONTEXT
from freehold_protocol.reason import Reason

from . import vcard_terms as terms
from . import vcard_values as values
from .places import at, listed, place, within
from .preview import Found, Preview, Skipped, key_of, without_duplicates
from .reasons import why
from .texts import LeftOutError, fits_a_record
from .vcard_cards import Card, read_cards
from .vcard_line import Fault, Line

_MAX_NAMED: Final = 20  # names in one ``where``; the line numbers are always complete
_MAX_NAME_CHARS: Final = 32
_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z", re.IGNORECASE)
_DIFFERS: Final = why("differs")
_EMPTY: Final = why("is-empty")


def read(data: bytes) -> Preview:
    """Return what a vCard file holds.

    Args:
        data: As ``charset.as_utf8`` gives it.

    Raises:
        TooLargeError: More cards or lines than one file may have.
    """
    found: list[Found] = []
    skipped: list[Skipped] = []
    for one in read_cards(data):
        made = Skipped(where=_place([one]), reason=one.reason) if isinstance(one, Fault) else _read_card(one)
        if isinstance(made, Found):
            found.append(made)
        else:
            skipped.append(made)
    kept, duplicates = without_duplicates(found)
    return Preview(format="vCard", found=kept, skipped=(*skipped, *duplicates))


def _read_card(card: Card) -> Found | Skipped:
    where = within(why("card", number=card.number), at("line", card.first))
    if card.broken:
        return Skipped(where=where, reason=card.broken)
    reading = _Reading(card)
    kind = reading.kind()
    if kind is None:
        return Skipped(where=where, reason=why("no-person"))
    fields = reading.organization() if kind == "Organization" else reading.person()
    if not fields:
        return Skipped(where=where, reason=why("nothing-kept"))
    document: Document = {"@context": CONTEXT, "type": kind, **fields}
    if not fits_a_record(document):
        return Skipped(where=where, reason=why("too-long"))
    return Found(
        document=document,
        key=_key(card),
        label=_label(fields) or why("card", number=card.number),
        where=why("card", number=card.number),
        skipped=_grouped(card.number, reading.left_out),
    )


@dataclass(slots=True)
class _Reading:
    """One card while it is read.

    Attributes:
        lines: Those not read yet, by name.
        kept: For each field its values, under what tells two of them apart.
        labels: Apple's labels that no line has used yet, by group.
        left_out: What will be named.
    """

    card: Card
    lines: dict[str, list[Line]] = field(default_factory=dict)
    kept: dict[str, dict[Json, Json]] = field(default_factory=dict)
    labels: dict[str, Line] = field(default_factory=dict)
    left_out: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left_out.extend(self.card.faults)
        for line in self.card.lines:
            if line.note:
                self.leave(line, line.note)
            if line.size_bytes is not None:
                self.leave(line, _embedded(line))
            elif line.is_empty():
                self.leave(line, _EMPTY)
            else:
                self.lines.setdefault(line.name, []).append(line)
        self.labels = {line.group: line for line in self.lines.get("X-ABLABEL", ()) if line.group}

    def leave(self, line: Line, reason: Reason) -> None:
        self.left_out.append(Fault(first=line.number, last=line.number, name=line.name, reason=reason))

    def take(self, *names: str) -> list[Line]:
        """Return the lines of these names, preferred first; they count as read."""
        return sorted((line for name in names for line in self.lines.pop(name, ())), key=values.rank)

    def kind(self) -> str | None:
        """Return the type of the document; None for a group, place or thing."""
        kind = "Person"
        for line in self.take(*terms.KIND_NAMES):
            said = line.text().lower()
            if said in terms.NO_RECORDS:
                return None
            if said in terms.KINDS:
                kind = terms.KINDS[said]
            else:
                self.leave(line, why("unknown-kind"))
        return kind

    def person(self) -> Document:
        """Return the fields of a person."""
        self._read_names()
        self._read_name_parts()
        for name, (to, reader) in terms.ONE.items():
            for line in self.take(name):
                for value in self._values(line, reader):
                    self._keep_one(to, value, line)
        for line in self.take("LOGO"):
            self.leave(line, why("organization-picture"))
        self._read_others()
        return self._fields()

    def organization(self) -> Document:
        """Return the fields of an organization."""
        self._read_names()
        for line in self.take("ORG"):
            for made in self._values(line, values.organization):
                self._keep_one("name", made["name"], line)
                if "department" in made and made["name"] in self.kept["name"]:
                    self._keep("department", made["department"])
        not_theirs = [name for name, (to, _) in terms.MANY.items() if to not in terms.OF_ORGANIZATIONS]
        for line in self.take("N", *terms.ONE, *not_theirs):
            self.leave(line, why("not-of-organization"))
        self._read_others()
        return self._fields()

    def _read_names(self) -> None:
        """Keep the preferred formatted name as the name, others as further names."""
        for line in self.take("FN"):
            if "name" not in self.kept:
                self._keep("name", line.text())
            elif line.text() not in self.kept["name"]:
                self._keep("alternateName", line.text())

    def _read_name_parts(self) -> None:
        kept: dict[str, str] = {}
        for line in self.take("N"):
            parts = values.name_parts(line)
            if values.surplus(line):
                self.leave(line, why("after-fifth"))
            elif not parts:
                self.leave(line, _EMPTY)
            if parts and kept and parts != kept:
                self.leave(line, _DIFFERS)
            kept = kept or parts
        if kept and "name" not in self.kept:
            self._keep("name", " ".join(kept[part] for part in values.SPOKEN_ORDER if part in kept))
        for part, value in kept.items():
            self._keep(part, value)

    def _read_others(self) -> None:
        for name, (to, reader) in terms.MANY.items():
            for line in self.take(name):
                fax = name == "TEL" and "fax" in line.types and "voice" not in line.types
                for value in self._values(line, reader):
                    if name == "ADR":
                        self._finish_address(line, value)
                    self._keep("faxNumber" if fax else to, value)
        for line in self.take("UID")[1:]:
            self.leave(line, why("second-uid"))
        for line in self.take(*self.lines):
            self.leave(line, terms.REASONS.get(line.name, terms.UNKNOWN))

    def _finish_address(self, line: Line, made: Document) -> None:
        if values.surplus(line):
            self.leave(line, why("after-seventh"))
        label = self.labels.get(line.group)
        if label is not None and "contactType" not in made:
            made["contactType"] = values.label(label)
            del self.labels[line.group]
            self.lines["X-ABLABEL"].remove(label)

    def _values(self, line: Line, reader: terms.Reader) -> list[Json]:
        """Return the line's values without empty ones; if none is left, name the line as left out."""
        try:
            found = [value for value in reader(line) if value]
        except LeftOutError as error:
            self.leave(line, error.reason)
            return []
        if not found:
            self.leave(line, _EMPTY)
        return found

    def _keep(self, to: str, value: Json) -> None:
        identity = value if isinstance(value, str) else jcs(value)
        self.kept.setdefault(to, {}).setdefault(identity, value)

    def _keep_one(self, to: str, value: Json, line: Line) -> None:
        if to in self.kept and value not in self.kept[to]:
            self.leave(line, _DIFFERS)
        else:
            self._keep(to, value)

    def _fields(self) -> Document:
        """Return what is kept: one value stands alone, several in a list."""
        every = {to: list(kept.values()) for to, kept in self.kept.items()}
        return {to: kept[0] if len(kept) == 1 else kept for to, kept in every.items()}


def _key(card: Card) -> str:
    """Return the key: of the UID if there is one, else of everything the card says of its subject."""
    for line in card.lines:
        uid = line.text() if line.name == "UID" else ""
        if uid:
            uuid = _UUID.match(uid)  # a UUID is written with and without urn:uuid: by the same program
            return key_of("uid", uuid[1].lower() if uuid else uid)
    said = [[line.name, line.value] for line in card.lines if line.name not in terms.ABOUT_CARD]
    return key_of("content", sorted(one for one in said if one[1]))


def _embedded(line: Line) -> Reason:
    if not line.size_bytes:
        return _EMPTY
    if line.name in ("PHOTO", "LOGO"):
        return why("embedded-picture", size=line.size_bytes)
    return why("embedded-data", size=line.size_bytes)


def _label(fields: Document) -> str:
    for name in ("name", "alternateName", "worksFor", "email", "telephone"):
        value = fields.get(name)
        value = value[0] if isinstance(value, list) else value
        value = value["name"] if isinstance(value, dict) else value
        if isinstance(value, str):
            return " ".join(value.split())
    return ""


def _grouped(number: int, left_out: Iterable[Fault]) -> tuple[Skipped, ...]:
    """Return one Skipped for each reason, with all its lines and names, in the order of the card."""
    by_reason: dict[Reason, list[Fault]] = {}
    for fault in sorted(left_out, key=lambda fault: fault.first):
        by_reason.setdefault(fault.reason, []).append(fault)
    return tuple(
        Skipped(where=within(why("card", number=number), _place(faults)), reason=reason)
        for reason, faults in by_reason.items()
    )


def _place(faults: list[Fault]) -> Reason:
    """Return ``line 41: PHOTO`` or ``lines 4, 7-9: TEL, X-AIM``."""
    ranges: list[tuple[int, int]] = []
    for fault in faults:
        if ranges and fault.first <= ranges[-1][1] + 1:
            ranges[-1] = ranges[-1][0], max(ranges[-1][1], fault.last)
        else:
            ranges.append((fault.first, fault.last))
    names = list(dict.fromkeys(_short(fault.name) for fault in faults if fault.name))
    return place("line", ranges, listed(names, most=_MAX_NAMED))


def _short(name: str) -> str:
    return name if len(name) <= _MAX_NAME_CHARS else name[: _MAX_NAME_CHARS - 1] + "…"
