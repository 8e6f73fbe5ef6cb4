"""What a person narrows beside fields: how often and when, the partners, and records that come later.

Spec: specs/node/cli.md#narrower
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError
from freehold_protocol.permission import DAYS, Limits

from .failure import Failure, usage
from .wording import short_key

_AS_ASKED: Final = "asked"
_SPANS: Final = {"hour": "PT1H", "day": "P1D", "week": "P7D", "month": "P30D"}
_READS: Final = re.compile(r"[0-9]{1,15}\Z", re.ASCII)
_RATE: Final = re.compile(r"([0-9]{1,15})/([A-Za-z0-9]{2,12})\Z", re.ASCII)
_HOURS: Final = re.compile(r"([A-Za-z,-]+) (\d\d:\d\d)-(\d\d:\d\d)(?: (\S+))?\Z", re.ASCII)


def limited(
    permissions: Sequence[Document], texts: Iterable[str], *, asked: Sequence[Document] = ()
) -> list[Document]:
    """Return the permissions with the limits of ``--limit``; those of another kind stay.

    Args:
        permissions: As they stand.
        texts: In the forms of the option; one that is ``delivery=asked`` takes all limits of what was asked.
        asked: The permissions of the request, where that may be said.

    Raises:
        Failure: A text is of none of the forms, or names no permission.
    """
    made = list(permissions)
    for text in texts:
        name, said, limit = text.partition("=")
        if not said:
            raise _no_limit(text)
        wide = next((one for one in asked if one["name"] == name.strip()), None)
        if limit.strip() == _AS_ASKED and wide is not None:
            made = _changed(made, name, _as_in(wide))
        else:
            made = _changed(made, name, _limiting(limit.strip()))
    return made


def _as_in(asked: Document) -> Callable[[Document], Document]:
    return lambda permission: {**permission, "limits": asked.get("limits", {})}


def _limiting(text: str) -> Callable[[Document], Document]:
    def limit(permission: Document) -> Document:
        standing = permission.get("limits", {})
        try:
            wanted = Limits.from_dict({**standing, **_limit(text, standing)})
        except MalformedError as error:
            raise usage(f"{text!r}: {error}") from error
        return {**permission, "limits": wanted.to_dict()}

    return limit


def _limit(text: str, standing: Document) -> Document:
    """Return the one limit that a text says, as documents have it."""
    if _READS.match(text):
        return {"reads": int(text)}
    if rate := _RATE.match(text):
        return {"rate": {"reads": int(rate[1]), "per": _SPANS.get(rate[2].lower(), rate[2].upper())}}
    if hours := _HOURS.match(text):
        days, start, end, zone = hours.groups()
        zone = zone or standing.get("hours", {}).get("timeZone")
        if zone is None:
            raise usage(f"say in which time zone: '{text} Europe/Berlin'")
        return {"hours": {"days": _days(days), "from": start, "to": end, "timeZone": zone}}
    raise _no_limit(text)


def _days(text: str) -> list[str]:
    """Return the days of ``mon,wed`` or ``mon-fri``."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(_day(first), _day(last or first) + 1))
    return [DAYS[place] for place in sorted(found)]


def _day(text: str) -> int:
    short = text[:2].capitalize()
    if short not in DAYS:
        raise usage(f"{text!r} is no day; days are Mon, Tue, Wed, Thu, Fri, Sat, Sun")
    return DAYS.index(short)


def _no_limit(text: str) -> Failure:
    return usage(
        f"{text!r} is not of the form delivery=100, delivery=10/day or delivery='Mon-Fri 08:00-18:00'"
    )


def without_partners(permissions: Sequence[Document], texts: Iterable[str]) -> list[Document]:
    """Return the permissions without the partners of ``--no-partner``: of all, or of the one that is named.

    Raises:
        Failure: A text names no partner, or several.
    """
    made = list(permissions)
    for text in texts:
        name, said, whom = text.rpartition("=")
        concerned = [one for one in made if not said or one["name"] == name.strip()]
        did = _partner(concerned, whom.strip())
        for one in concerned:
            made = _changed(made, one["name"], _leaving_out(did))
    return made


def _partner(permissions: Iterable[Document], text: str) -> str:
    known = {str(did) for one in permissions for did in one.get("recipients", ())}
    wanted = text.removeprefix("key ")
    found = {did for did in known if wanted and any(name.startswith(wanted) for name in _names(did))}
    if len(found) != 1:
        listed = ", ".join(sorted(map(short_key, known))) or "none"
        raise usage(f"there is {'more than one' if found else 'no'} partner {text!r}; partners are: {listed}")
    return found.pop()


def _names(did: str) -> tuple[str, ...]:
    return did, did.split(":", 2)[-1], short_key(did)


def _leaving_out(did: str) -> Callable[[Document], Document]:
    return lambda one: {**one, "recipients": [other for other in one.get("recipients", ()) if other != did]}


def without_later(permissions: Sequence[Document], names: Iterable[str]) -> list[Document]:
    """Return the permissions of ``--no-later`` without records that come later. Raises Failure."""
    made = list(permissions)
    for name in names:
        made = _changed(made, name, _of_now)
    return made


def _of_now(permission: Document) -> Document:
    items = [{key: item[key] for key in item if key != "newRecords"} for item in permission["items"]]
    return {**permission, "items": items}


def _changed(
    permissions: Sequence[Document], name: str, change: Callable[[Document], Document]
) -> list[Document]:
    """Change the permission of this name. Raises Failure where there is none."""
    names = [one["name"] for one in permissions]
    if name.strip() not in names:
        raise usage(f"there is no permission {name.strip()!r}; there is {', '.join(names)}")
    return [change(one) if one["name"] == name.strip() else one for one in permissions]
