"""The consent card: what is asked, permission by permission, each with what the person has and what they ticked.

Spec: specs/node/dashboard.md#consent-card
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freehold_protocol.permission import DAYS, Item, Limits, Permission, Scalar, format_duration
from markupsafe import escape

from ..forms import TICK
from .choices import Choices, hour_fields, window_s
from .hours import days_of
from .own import Own
from .partners import Acquaintances, Partner
from .purposes import serves

_PART_CHARS: Final = 100_000
"""What the boxes of one page may come to; a card of more has parts."""
_BOX_CHARS: Final = 750
_HEAD_CHARS: Final = 6000
"""What a permission takes beside its boxes: how often, days and hours, what is promised."""
REVIEW_CHARS: Final = 120_000
"""What a review may come to: it has no parts, since everything that is granted was on one screen."""
_ROW_CHARS: Final = 400
_PARTNER_CHARS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box of a field. ``own`` is the person's value: "" for nothing, None for other people's; ``serves`` as there."""

    name: str
    path: str
    ticked: bool
    own: str | None
    serves: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerBox:
    """A box of somebody else who would read."""

    name: str
    partner: Partner
    ticked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCard:
    """Records of one type; ``later`` is the box for those that come later, None where they were not asked for."""

    type: str
    about: str
    count: int
    nothing: bool
    where: tuple[tuple[str, Scalar], ...]
    boxes: tuple[Box, ...]
    later: str | None
    later_ticked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The fields of days and hours: which days there are, by which clock if it was asked, and what stands in them."""

    days: tuple[str, ...]
    zone: str
    values: Mapping[str, str]
    touched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionCard:
    """One permission, or the part of it on this page. ``window`` is the duration over which reads are limited."""

    number: int
    permission: Permission
    items: tuple[ItemCard, ...]
    partners: tuple[PartnerBox, ...]
    fewer: bool
    window: str
    rate: str | None
    days: tuple[str, ...]
    when: When

    @property
    def boxes(self) -> list[str]:
        """The names of the boxes on this page."""
        names = [box.name for item in self.items for box in item.boxes]
        names += [item.later for item in self.items if item.later]
        return names + [partner.name for partner in self.partners]

    @property
    def ticked(self) -> int:
        return sum(box.ticked for item in self.items for box in item.boxes)

    @property
    def size(self) -> int:
        return sum(len(item.boxes) for item in self.items)


Place = tuple[int, int]
"""The number of a permission, and that of an item in it."""


def parts_of(asked: Sequence[Permission]) -> list[list[Place]]:
    """Return the items of a request in the parts that its card is shown in; nearly always one."""
    parts: list[list[Place]] = [[]]
    room, last = _PART_CHARS, 0
    for number, permission in enumerate(asked, 1):
        head = _HEAD_CHARS + sum(_BOX_CHARS + _PARTNER_CHARS + 2 * len(did) for did in permission.recipients)
        for place, item in enumerate(permission.items, 1):
            cost = _weight(item, _BOX_CHARS) + (head if number != last else 0)
            if cost > room and parts[-1]:
                parts.append([])
                room, cost = _PART_CHARS, _weight(item, _BOX_CHARS) + head
            parts[-1].append((number, place))
            room, last = room - cost, number
    return parts


def _weight(item: Item, each: int) -> int:
    conditions = sum(200 + len(path) + len(escape(str(wanted))) for path, wanted in item.where)
    return 400 + conditions + sum(each + 3 * len(path) for path in item.fields)


def is_reviewable(given: Sequence[Permission]) -> bool:
    """Whether what would be granted fits one screen."""
    chars = sum(_weight(item, _ROW_CHARS) for one in given for item in one.items)
    return (
        chars + sum(2 * len(did) + _PARTNER_CHARS for one in given for did in one.recipients) <= REVIEW_CHARS
    )


def card_of(
    asked: Sequence[Permission], choices: Choices, own: Own, places: Sequence[Place], known: Acquaintances
) -> list[PermissionCard]:
    """Return the permissions of which items are among the places, those that are required first."""
    made = []
    for number, permission in enumerate(asked, 1):
        items = tuple(
            _item(number, place, permission, choices, own) for each, place in places if each == number
        )
        if items:
            made.append(_permission(number, permission, items, choices, known))
    return sorted(made, key=lambda one: not one.permission.required)


def _permission(
    number: int, permission: Permission, items: tuple[ItemCard, ...], choices: Choices, known: Acquaintances
) -> PermissionCard:
    needed = [box.serves for item in items for box in item.boxes]
    limits = permission.limits
    return PermissionCard(
        number=number,
        permission=permission,
        items=items,
        partners=tuple(
            PartnerBox(
                name=f"to.{number}.{place}",
                partner=known.partner(did),
                ticked=choices.has("to", number, place),
            )
            for place, did in enumerate(permission.recipients, 1)
        ),
        fewer=False in needed and True in needed,
        window=format_duration(window_s(limits)),
        rate=format_duration(limits.rate[1]) if limits.rate else None,
        days=tuple(day for day in DAYS if limits.hours and day in limits.hours.days),
        when=_when(number, limits, choices),
    )


def _when(number: int, limits: Limits, choices: Choices) -> When:
    values, days = hour_fields(choices, number, limits), days_of(limits.hours)
    untouched = {"zone": choices.text("zone"), f"from.{number}": "", f"to.{number}": ""}
    return When(
        days=days,
        zone=limits.hours.time_zone if limits.hours else "",
        values=values,
        touched=values != untouched | {f"day.{number}.{day}": TICK for day in days},
    )


def _item(number: int, place: int, permission: Permission, choices: Choices, own: Own) -> ItemCard:
    item = permission.items[place - 1]
    boxes = tuple(
        Box(
            name=f"give.{number}.{place}.{field}",
            path=path,
            ticked=choices.has("give", number, place, field),
            own=own.value(item, path),
            serves=serves(permission.purposes, item.type, path),
        )
        for field, path in enumerate(item.fields, 1)
    )
    return ItemCard(
        type=item.type,
        about=item.about,
        count=own.count(item),
        nothing=item.about == "self" and not own.shows(item),
        where=item.where,
        boxes=boxes,
        later=f"later.{number}.{place}" if item.new_records else None,
        later_ticked=choices.has("later", number, place),
    )


def unserving(card: PermissionCard) -> list[str]:
    """Return the boxes of fields that do not serve the purpose."""
    return [box.name for item in card.items for box in item.boxes if box.serves is False]


def serving(card: PermissionCard) -> list[str]:
    """Return the boxes of fields that serve the purpose."""
    return [box.name for item in card.items for box in item.boxes if box.serves]
