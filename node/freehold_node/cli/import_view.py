"""What a file holds, as a person sees it before it is imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from freehold_protocol.encoding import Document

from . import wording
from .assignment import leaves_of
from .render import Screen

_FORMATS: Final = {
    "CSV": "table",
    "JSON-LD": "linked data",
    "OFX": "bank statement, OFX",
    "iCalendar": "calendar, iCalendar",
}
_NOUNS: Final = {"vCard": "card", "iCalendar": "event"}
_STATES: Final = {"new": "new", "changed": "changed", "same": "already here"}
_MAX_FOUND: Final = 25
_MAX_LEFT_OUT: Final = 25


def show_preview(screen: Screen, found: Document, *, whole: bool) -> None:
    """Show what was found, whether it is new, and what is left out and why.

    Args:
        screen: Where.
        found: As the owner's API gives it.
        whole: Show every line; otherwise the first ones, and how many more there are.
    """
    entries = found["found"]
    named = _FORMATS.get(found["format"], found["format"])
    screen.title(f"{wording.plural(len(entries), _NOUNS.get(found['format'], 'record'))} found ({named})")
    shown = entries if whole else entries[:_MAX_FOUND]
    _show_found(screen, shown)
    if len(shown) < len(entries):
        screen.line()
        screen.note(f"and {len(entries) - len(shown)} more; --all shows them")
        screen.line(f"In all: {_states(entries)}.")
    if found["format"] == "CSV" and entries:
        screen.line()
        screen.title(f"What {entries[0]['where']} becomes")
        screen.values(leaves_of(entries[0]["content"]), indent=2)
    _show_left_out(screen, [*(part for one in entries for part in one["skipped"]), *found["skipped"]], whole)


def show_fillings(screen: Screen, found: Document, me: str) -> None:
    """Show what the person's own record would get of the card that they named, before anything is imported."""
    wanted = " ".join(me.casefold().split())
    for one in found["found"]:
        called = {str(one["number"]), *(text.casefold() for text in (one["label"], *one.get("emails", ())))}
        if "fills" in one and wanted in called:
            screen.line()
            screen.line("You have a record of your own already; nothing in it is overwritten.")
            show_filling(screen, one["fills"])


def show_filling(screen: Screen, fills: Document, *, is_done: bool = False) -> None:
    """Show which fields the person's own record gets, or got, and which of it differ and stay."""
    adds, keeps = ", ".join(fills["adds"]), ", ".join(fills["keeps"])
    if adds:
        screen.line(f"{'Added to it' if is_done else 'This is added to it'}: {adds}.")
    else:
        screen.line(f"It {'lacked' if is_done else 'lacks'} nothing that this card has.")
    if keeps:
        screen.line(f"{'Stayed as it was' if is_done else 'This stays as it is'}: {keeps}.")


def _show_found(screen: Screen, entries: list[Document]) -> None:
    columns = ["no.", "state", "type", "name", "fields"]
    rows = [
        (str(one["number"]), one["state"], one["type"], one["label"], ", ".join(one["fields"]))
        for one in entries
    ]
    screen.table(columns, rows, numbers=("no.",), whole=("state", "type"))


def _states(entries: Iterable[Document]) -> str:
    counts = Counter(one["state"] for one in entries)
    return ", ".join(f"{counts[state]} {word}" for state, word in _STATES.items() if counts[state])


def _show_left_out(screen: Screen, parts: list[Document], whole: bool) -> None:
    if not parts:
        return
    screen.line()
    screen.title(f"Left out: {wording.plural(len(parts), 'part')}")
    rows = [(one["where"], one["reason"]) for one in parts]
    if not whole and len(rows) > _MAX_LEFT_OUT:
        rows = _by_reason(rows)
    screen.table(("where", "why"), rows)


def _by_reason(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return each reason once, with its first place and how many more there are."""
    places: dict[str, list[str]] = {}
    for where, reason in rows:
        places.setdefault(reason, []).append(where)
    return [
        (found[0] + (f" and {len(found) - 1} more" if len(found) > 1 else ""), reason)
        for reason, found in places.items()
    ]
