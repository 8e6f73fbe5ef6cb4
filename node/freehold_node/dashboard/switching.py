"""Changing the language on a page with a form: what was filled in comes along, and stands on the page again.

The switch is a button of the form itself, so it needs no script. What it brings is kept in memory, and the page that
follows has only a key to it in its address.

Spec: specs/node/dashboard.md#language
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from markupsafe import Markup

from ..ambient import Ambient

FILLED: Final = "filled"
"""The name of the key in the query of a page."""
KEPT_US: Final = 60 * 60 * 1_000_000
_MOST_KEPT: Final = 20
_NOT_FILLED_IN: Final = frozenset({"language", "back", "here", FILLED})
_CONTROL: Final = re.compile(
    r"<(?:textarea|select)\b|<input\b(?![^>]*\s(?:type=\"(?:hidden|password|file)\"|hidden))"
)
_BUTTON: Final = re.compile(r"<button\b(?![^>]*\s(?:type=\"button\"|form=))[^>]*>")
_SENT: Final = re.compile(r"\s(?:name|value)=\"[^\"]*\"")


class Filled:
    """What was filled in when the language was changed, by session, page and key; a restart forgets it."""

    def __init__(self, ambient: Ambient) -> None:
        self._ambient = ambient
        self._kept: dict[tuple[str, str, str], tuple[int, Mapping[str, str]]] = {}

    def keep(self, session: str, path: str, fields: Mapping[str, str]) -> str:
        """Keep the fields of a form on the page of a path for an hour, in place of the oldest; return the key."""
        now_us, key = self._ambient.clock.now_us(), self._ambient.new_token()
        self._kept = {place: kept for place, kept in self._kept.items() if kept[0] > now_us}
        while len(self._kept) >= _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        held = {name: value for name, value in fields.items() if name not in _NOT_FILLED_IN}
        self._kept[session, path, key] = now_us + KEPT_US, held
        return key

    def of(self, session: str, path: str, key: str) -> Mapping[str, str] | None:
        """Return what a session has for a page under a key; None if there is nothing, or no more."""
        until_us, held = self._kept.get((session, path, key), (0, None))
        return held if self._ambient.clock.now_us() < until_us else None

    def drop(self, session: str | None) -> None:
        """Forget what a session has here, of all sessions for None."""
        self._kept = (
            {} if session is None else {one: kept for one, kept in self._kept.items() if one[0] != session}
        )


FILLED_IN: web.AppKey[Filled] = web.AppKey("filled", Filled)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a form stands on its page: the id it is to have, and whether the switch belongs to another one."""

    id: str
    is_other: bool


class Forms:
    """The forms of a page as they are made: the switch belongs to the first with something to fill in."""

    def __init__(self) -> None:
        self.first = ""
        """Its id; empty where the page has none."""
        self.default = Markup()
        """What its first button sends: a button before it, as the switch is, would else be what Enter presses."""

    def place(self, inside: str, id_: str = "", *, always: bool = False) -> Place:
        """Return where a form stands.

        Args:
            inside: Its markup.
            id_: Its id, if it has one.
            always: Whether it counts although there is nothing to fill in, since it carries what was.
        """
        if not (always or _CONTROL.search(inside)):
            return Place(id_, is_other=False)
        if self.first:
            return Place(id_, is_other=True)
        self.first = id_ or "filled-in"
        button = _BUTTON.search(inside)
        self.default = Markup("".join(_SENT.findall(button[0])) if button else "")  # noqa: S704 - is markup already
        return Place(self.first, is_other=False)
