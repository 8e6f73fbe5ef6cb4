"""A section of a mapping file: each entry is asked for once, in its form, and what nobody asked for is a mistake."""

from __future__ import annotations

from typing import Any, Final

from freehold_protocol.errors import MalformedError, TooLargeError
from freehold_protocol.reason import Reason

from .reasons import why
from .table import plain_name

MAX_COLUMNS: Final = 500
"""Lines of one section."""


class Section:
    """A table of the TOML document; what nobody has asked for at the end is a mistake."""

    def __init__(self, found: dict[str, Any], where: str) -> None:
        self._left, self.where = dict(found), where

    def wrong(self, what: Reason) -> MalformedError:
        return MalformedError(why("in-mapping", place=self.where, what=what))

    def close(self) -> None:
        if self._left:
            raise self.wrong(why("mapping-nothing", name=min(self._left)))

    def _take(self, name: str, kind: type, default: Any, form: Reason) -> Any:  # noqa: ANN401 - as TOML has it
        value = self._left.pop(name, default)
        if type(value) is not kind:
            raise self.wrong(why("mapping-is", name=name, form=form))
        return value

    def text(self, name: str, default: str | None = None) -> str:
        value: str = self._take(name, str, default, why("form-text"))
        return value

    def whole(self, name: str, *, most: int) -> int:
        value: int = self._take(name, int, 0, why("form-number"))
        if not 0 <= value <= most:
            raise self.wrong(why("mapping-is", name=name, form=why("form-up-to", most=most)))
        return value

    def flag(self, name: str) -> bool:
        value: bool = self._take(name, bool, False, why("form-flag"))
        return value

    def names(self, name: str) -> tuple[str, ...]:
        values = self._take(name, list, [], why("form-names"))
        if len(values) > MAX_COLUMNS or not all(isinstance(one, str) and one.strip() for one in values):
            raise self.wrong(why("mapping-is", name=name, form=why("form-names")))
        return tuple(map(plain_name, values))

    def section(self, name: str) -> Section:
        return Section(self._take(name, dict, {}, why("form-section")), f"[{name}]")

    def tables(self, name: str) -> list[Section]:
        found = self._take(name, list, [], why("form-tables", name=name))
        if not all(isinstance(one, dict) for one in found):
            raise self.wrong(why("mapping-is", name=name, form=why("form-tables", name=name)))
        return [Section(one, f"{name} {number}") for number, one in enumerate(found, 1)]

    def entries(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._take(
            name, dict, {}, why("form-section-of", name=f"{self.where.split()[0]}.{name}")
        )
        if len(found) > MAX_COLUMNS:
            raise TooLargeError(why("mapping-long", most=MAX_COLUMNS))
        return found
