"""A section of a mapping file: each entry is asked for once, in its form, and what nobody asked for is a mistake."""

from __future__ import annotations

from typing import Any, Final

from freehold_protocol.errors import MalformedError, TooLargeError

from .table import plain_name

MAX_COLUMNS: Final = 500
"""Lines of one section."""


class Section:
    """A table of the TOML document; what nobody has asked for at the end is a mistake."""

    def __init__(self, found: dict[str, Any], where: str) -> None:
        self._left, self.where = dict(found), where

    def wrong(self, what: str) -> MalformedError:
        return MalformedError(f"in the mapping, {self.where}: {what}")

    def close(self) -> None:
        if self._left:
            raise self.wrong(f"{min(self._left)!r} means nothing here")

    def _take(self, name: str, kind: type, default: Any, form: str) -> Any:  # noqa: ANN401 - as TOML has it
        value = self._left.pop(name, default)
        if type(value) is not kind:
            raise self.wrong(f"{name!r} is {form}")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        value: str = self._take(name, str, default, "a text")
        return value

    def whole(self, name: str, *, most: int) -> int:
        value: int = self._take(name, int, 0, "a number")
        if not 0 <= value <= most:
            raise self.wrong(f"{name!r} is a number from 0 to {most}")
        return value

    def flag(self, name: str) -> bool:
        value: bool = self._take(name, bool, False, "true or false")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        values = self._take(name, list, [], "a list of column names")
        if len(values) > MAX_COLUMNS or not all(isinstance(one, str) and one.strip() for one in values):
            raise self.wrong(f"{name!r} is a list of column names")
        return tuple(map(plain_name, values))

    def section(self, name: str) -> Section:
        return Section(self._take(name, dict, {}, "a section"), f"[{name}]")

    def tables(self, name: str) -> list[Section]:
        found = self._take(name, list, [], f"written as [[{name}]]")
        if not all(isinstance(one, dict) for one in found):
            raise self.wrong(f"{name!r} is written as [[{name}]]")
        return [Section(one, f"{name} {number}") for number, one in enumerate(found, 1)]

    def entries(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._take(name, dict, {}, f"a section [{self.where.split()[0]}.{name}]")
        if len(found) > MAX_COLUMNS:
            raise TooLargeError(f"a section of a mapping has at most {MAX_COLUMNS} lines")
        return found
