"""A record in plain words: its fields, what changed between versions, and where each came from.

Spec: specs/node/dashboard.md#a-record
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.did_document import domain_of, is_web
from freehold_protocol.encoding import Document, Json
from freehold_protocol.record import content_of
from markupsafe import Markup

from ..page import foreign
from ..words import Words
from .as_form import values_of
from .shapes import INPUTS, OFFERED, fits

_MOST_CHARS: Final = 1_500
_MOST_VALUES: Final = 300
_MOST_PAGE_CHARS: Final = 40_000
_MOST_CHANGES: Final = 30
_HIDDEN: Final = frozenset(("type", "id", "credential", "attestedBy"))
_SCHEMA: Final = "https://schema.org/"
_ADDRESS: Final = ("postOfficeBoxNumber", "extendedAddress", "streetAddress")


@dataclass(slots=True)
class Line:
    """A field with its label and values; a node among them is a list of lines."""

    label: str
    values: list[str | list[Line]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a version changed in one field; ``before`` or ``after`` is "" where there was nothing."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version: when it was made, where from, and what it changed; ``more`` changes are not listed."""

    created: str
    source: Markup
    differences: list[Difference]
    more: int
    is_first: bool


@dataclass(slots=True)
class _Left:
    """How much more a page shows, and how many values it leaves out."""

    values: int = _MOST_VALUES
    chars: int = _MOST_PAGE_CHARS
    out: int = 0

    def has_room(self, value: Json) -> bool:
        """Take the room of a value; a node takes that of the values in it."""
        size = 0 if isinstance(value, dict) else min(len(str(value)), _MOST_CHARS)
        if self.values == 0 or size > self.chars:
            self.out += 1
            return False
        self.values, self.chars = self.values - 1, self.chars - size
        return True


class Telling:
    """Says what records hold, in the words of one language."""

    def __init__(self, words: Words) -> None:
        self._words, self._t = words, words.t

    def lines(self, content: Document) -> tuple[list[Line], int]:
        """Return the fields of a record, and how many values were left out, as there are too many to look at."""
        left = _Left()
        return self._lines(content, "", left), left.out

    def _lines(self, node: Document, above: str, left: _Left) -> list[Line]:
        made = []
        for term, value in _in_order(node):
            if term in _HIDDEN:
                continue
            line = Line(self._words.field(above + term))
            for one in values_of(value):
                if left.has_room(one):
                    line.values.append(self._value(term, one, f"{above}{term}.", left))
            if line.values:
                made.append(line)
        return made

    def _value(self, term: str, value: Json, above: str, left: _Left) -> str | list[Line]:
        if not isinstance(value, dict):
            return self.text(term, value)
        if value.get("type") == "PostalAddress" and (text := self._address(value)):
            return text
        lines = self._lines(value, above, left)
        if len(lines) == 1 and lines[0].values and all(isinstance(one, str) for one in lines[0].values):
            return ", ".join(str(one) for one in lines[0].values)
        return lines

    def _address(self, node: Document) -> str | None:
        """Return an address as one writes it, None if there is more in it than that."""
        known = {
            *_ADDRESS,
            "postalCode",
            "addressLocality",
            "addressRegion",
            "addressCountry",
            "contactType",
            "type",
        }
        if node.keys() - known or not all(isinstance(value, str) for value in node.values()):
            return None
        town = " ".join(node[term] for term in ("postalCode", "addressLocality") if term in node)
        parts = [
            *(node[term] for term in _ADDRESS if term in node), town,
            *(node[term] for term in ("addressRegion", "addressCountry") if term in node),
        ]  # fmt: skip
        text = ", ".join(part for part in parts if part)
        kind = node.get("contactType")
        return _cut(f"{text} ({self._contact(kind)})" if isinstance(kind, str) else text)

    def _contact(self, kind: str) -> str:
        key = f"record.contact_{kind}"
        return str(self._t(key)) if key in self._t else kind

    def text(self, term: str, value: Json) -> str:
        """Return a value as a person reads it."""
        if isinstance(value, bool):
            return str(self._t("record.yes" if value else "record.no"))
        text = str(value)
        if INPUTS.get(term) in ("date", "moment") and fits("moment", text):
            return self._words.moment(text) if "T" in text else self._words.day(text)
        if text.startswith(_SCHEMA):
            return self._words.kind(text.removeprefix(_SCHEMA))
        return _cut(text)

    # Where it came from

    def source(self, document: Document) -> Markup:
        """Return where a version came from, in a sentence."""
        source, day = document["source"], self._words.day(document["created"])
        if source.get("type") == "SourceFile" and isinstance(source.get("file"), str):
            return self._t("record.from_file", file=foreign(source["file"]), day=day)
        if source.get("type") == "Person":
            return self._t("record.from_you", day=day)
        return self._t("record.from_elsewhere", day=day)

    def attested(self, content: Document) -> Markup | str:
        """Return by whom a record is attested, "" if by nobody."""
        issuer = content.get("attestedBy")
        if not isinstance(issuer, str):
            return ""
        if is_web(issuer):
            return self._t("record.attested", who=foreign(domain_of(issuer)))
        return self._t("record.attested_by_key")

    # What changed

    def version(self, document: Document, before: Document | None) -> Version:
        """Return what a version says of itself, and what it changed of the one before."""
        after = content_of(document)
        found = [] if before is None else self.differences(content_of(before), after)
        return Version(
            created=document["created"],
            source=self.source(document),
            differences=found[:_MOST_CHANGES],
            more=max(0, len(found) - _MOST_CHANGES),
            is_first=before is None,
        )

    def differences(self, before: Document, after: Document) -> list[Difference]:
        """Return what differs between two contents, by field."""
        old, new = dict(self._leaves(before)), dict(self._leaves(after))
        return [
            Difference(self._label(path[::2]), old.get(path, ""), new.get(path, ""))
            for path in dict.fromkeys([*old, *new])
            if old.get(path) != new.get(path)
        ]

    def _label(self, terms: tuple[str, ...]) -> str:
        """Return what a person calls a field; one deeper down that has no name of its own, by where it is too."""
        label = self._words.field(".".join(terms))
        if len(terms) == 1 or f"fields.{'_'.join(terms)}" in self._t:
            return label
        return f"{self._words.field(terms[0])}: {label}"

    def _leaves(self, node: Document, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
        for term, value in _in_order(node):
            if term in _HIDDEN:
                continue
            for number, one in enumerate(values_of(value), 1):
                path = (*above, term, str(number))
                if isinstance(one, dict):
                    yield from self._leaves(one, path)
                else:
                    yield path, self.text(term, one)


def _in_order(node: Document) -> list[tuple[str, Json]]:
    """Return the fields of a node, those that are offered for its type first, in their order."""
    offered = OFFERED.get(str(node.get("type")), ("name",))
    first = [term for term in offered if term in node]
    return [(term, node[term]) for term in dict.fromkeys([*first, *node])]


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else text[:_MOST_CHARS] + "…"
