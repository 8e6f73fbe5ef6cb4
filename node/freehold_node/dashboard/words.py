"""Plain words for what documents say: fields, kinds of records, purposes, times. Nothing a person has to look up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from freehold_protocol import purpose
from markupsafe import Markup

from .page import foreign
from .texts import Texts

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Words:
    """The words of one language; in templates ``words``."""

    def __init__(self, language: str) -> None:
        self.t = Texts(language)

    def _named(self, table: str, name: str) -> str | None:
        key = f"{table}.{name.replace('.', '_')}"
        return str(self.t(key)) if key in self.t else None

    def field(self, path: str) -> str:
        """Return what a person calls a field: ``address.postalCode`` is "Postcode".

        One that is not in the table is called by its parts, "Employer: Postcode": never by its end alone, which would
        pass somebody else's address off as the person's.
        """
        if known := self._named("fields", path):
            return known
        head, _, rest = path.partition(".")
        own = self._named("fields", head) or _spelled(head)
        return f"{own}: {self.field(rest)}" if rest else own

    def fields(self, paths: Iterable[str]) -> str:
        """Return several fields, one beside the other."""
        return ", ".join(self.field(path) for path in paths)

    def kind(self, name: str) -> str:
        """Return what a person calls records of a type: ``Person`` is "Contacts"."""
        return self._named("kinds", name) or _spelled(name)

    def one(self, name: str) -> str:
        """Return what a person calls one record of a type: ``Person`` is "Contact"."""
        return self._named("data", f"one_{name}") or _spelled(name)

    def purpose(self, name: str) -> str:
        """Return what a purpose of DPV means."""
        return self._named("purposes", name.partition(":")[2]) or purpose.label(name)

    def purposes(self, names: Iterable[str]) -> str:
        """Return several purposes, one beside the other."""
        return "; ".join(dict.fromkeys(self.purpose(name) for name in names))

    def asked_for(self, permissions: Iterable[dict[str, list[str]]]) -> str:
        """Return what permissions are asked for, in one line that is not too long."""
        names = list(dict.fromkeys(name for one in permissions for name in one["purpose"]))
        return self.purposes(names[:4]) + ("; …" if len(names) > 4 else "")

    def days(self, names: Iterable[str]) -> str:
        """Return days of the week: "Mo" is "Monday"."""
        return ", ".join(str(self.t(f"times.{name}")) for name in names)

    def plain(self, value: object) -> str:
        """Return a scalar of a document as a person reads it."""
        return str(self.t(f"times.{str(value).lower()}")) if isinstance(value, bool) else str(value)

    def change(self, name: str) -> str:
        """Return what a change of a grant was, as something the person did."""
        return self._named("changes", name.replace("-", "_")) or _spelled(name)

    def refusal(self, code: str) -> str:
        """Return why a read was refused."""
        return self._named("refusals", code.replace("-", "_")) or self._named("refusals", "other") or code

    def who(self, vendor: dict[str, object]) -> Markup:
        """Return a vendor's name, kept to itself."""
        return foreign(vendor["name"])

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number as the language writes it."""
        text = f"{value:,.{digits}f}"
        marks = str.maketrans({",": str(self.t("times.thousands")), ".": str(self.t("times.decimal"))})
        return text.translate(marks)

    def size(self, size_bytes: int) -> str:
        """Return a size in the unit that suits it: "1.2 MB"."""
        for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
            if size_bytes >= least:
                return f"{self.number(size_bytes / least, 1)} {unit}"
        return str(self.t("times.bytes", count=size_bytes))

    # Times, by the clock of the computer the node runs on

    def day(self, text: str) -> str:
        """Return the day of a dateTime: "23 November 2026"."""
        time = _local(text)
        return str(
            self.t("times.day", day=time.day, month=self.t(f"times.month_{time.month}"), year=time.year)
        )

    def clock(self, text: str) -> str:
        """Return the time of day of a dateTime."""
        return _local(text).strftime("%H:%M")

    def second(self, text: str) -> str:
        """Return the time of day of a dateTime, to the second."""
        return _local(text).strftime("%H:%M:%S")

    def moment(self, text: str) -> str:
        """Return day and time of a dateTime."""
        return str(self.t("times.moment", day=self.day(text), clock=self.clock(text)))

    def span(self, duration: str) -> str:
        """Return a duration of XML Schema, ``P30D``, in words."""
        match = re.fullmatch(r"P(?:(\d+)([YMWD])|T(\d+)([HMS]))", duration)
        if match is None:
            return duration
        count, unit = int(match[1] or match[3]), (match[2] or "T" + match[4])
        return str(self.t(f"times.span_{unit}", count=count))


def _local(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    try:
        return time.astimezone()
    except (OverflowError, ValueError):  # at either end of the calendar
        return time


def _spelled(name: str) -> str:
    return _HUMP.sub(" ", name.rpartition(".")[2]).replace("-", " ").capitalize()
