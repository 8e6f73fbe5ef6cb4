"""Whether one permission lies within another: no leaf, no reader, no purpose and no time that the other has not.

Spec: specs/grants.md#narrowing
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from .encoding import Document, Json

_DURATION: Final = re.compile(r"P(T?)([0-9]{1,4})([DWMYH])")
_SECONDS: Final = {
    ("", "D"): 86_400,
    ("", "W"): 7 * 86_400,
    ("", "M"): 30 * 86_400,
    ("", "Y"): 365 * 86_400,
    ("T", "H"): 3_600,
    ("T", "M"): 60,
}


def seconds(duration: str) -> int:
    """Return the length of a duration such as ``P30D``. Raises ValueError for another form."""
    found = _DURATION.fullmatch(duration)
    if found is None or (found[1], found[3]) not in _SECONDS:
        raise ValueError(f"no duration: {duration!r}")
    return int(found[2]) * _SECONDS[found[1], found[3]]


def widened(permission: Document, other: Document) -> str | None:
    """Return the first part of a permission that does not lie within that of another; None if it all does."""
    return next(_parts(permission, other), None)


def are_within(permissions: Sequence[Document], others: Sequence[Document]) -> bool:
    """Tell whether each lies within the one of the same name among the others."""
    named = {one["name"]: one for one in others}
    return all(one["name"] in named and widened(one, named[one["name"]]) is None for one in permissions)


def _parts(one: Document, other: Document) -> Iterator[str]:
    """Yield the name of every part that adds something."""
    if one["name"] != other["name"]:
        yield "name"
    if not all(any(_item_within(item, wider) for wider in other["items"]) for item in one["items"]):
        yield "items"
    if not set(one["purpose"]) <= set(other["purpose"]):
        yield "purpose"
    if not set(one.get("recipients", ())) <= set(other.get("recipients", ())):
        yield "recipients"
    if seconds(one["retention"]) > seconds(other["retention"]):
        yield "retention"
    yield from _limits(one.get("limits", {}), other.get("limits", {}))


def _item_within(one: Document, other: Document) -> bool:
    return (
        one["type"] == other["type"]
        and other.get("about", "self") in (one.get("about", "self"), "any")
        and set(one["fields"]) <= set(other["fields"])
        and _conditions(one) >= _conditions(other)
        and (other.get("newRecords", False) or not one.get("newRecords", False))
    )


def _conditions(item: Document) -> set[tuple[str, bool, Json]]:
    # 1 and 1.0 are the same, 1 and true are not.
    return {(path, isinstance(value, bool), value) for path, value in item.get("where", {}).items()}


def _limits(one: Document, other: Document) -> Iterator[str]:
    if "reads" in other and one.get("reads", other["reads"] + 1) > other["reads"]:
        yield "limits.reads"
    if "rate" in other and not ("rate" in one and _slower(one["rate"], other["rate"])):
        yield "limits.rate"
    if "hours" in other and not ("hours" in one and _fewer(one["hours"], other["hours"])):
        yield "limits.hours"


def _slower(one: Document, other: Document) -> bool:
    return bool(one["reads"] <= other["reads"]) and seconds(one["per"]) >= seconds(other["per"])


def _fewer(one: Document, other: Document) -> bool:
    end, last = (hours["to"] if hours["to"] != "00:00" else "24:00" for hours in (one, other))
    same_zone = one["timeZone"] == other["timeZone"]
    return bool(
        same_zone and set(one["days"]) <= set(other["days"]) and one["from"] >= other["from"] and end <= last
    )
