"""The boxes of a relationship: what was asked, each with a tick where it is given, and what a choice of ticks means.

What a permission was narrowed in otherwise, say its hours, stays as narrow, whatever is ticked.

Spec: specs/node/dashboard.md#the-boxes
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from freehold_protocol.permission import Item, Permission

FIELD: Final = "give."
PARTNER: Final = "share."
PART_BOXES: Final = 120
"""Boxes on one page; nearly always all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One box: a field of an item of a permission, or a partner to whom it may be passed on.

    Attributes:
        name: In the form: ``give.delivery.1.address.postalCode``, ``share.delivery.1``.
        item: What the field is of; None for a partner.
        path: Of the field, or the partner's DID.
        given: Whether it may be read now.
    """

    name: str
    item: Item | None
    path: str
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The boxes of one permission: as it was asked, as it stands (None: not given), its fields, its partners."""

    asked: Permission
    given: Permission | None
    fields: tuple[Box, ...]
    partners: tuple[Box, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a choice of ticks means: ``kept`` of what stands, and ``wanted``, which may add to it."""

    kept: tuple[Permission, ...]
    wanted: tuple[Permission, ...]


def groups_of(
    asked: Iterable[Permission], given: Sequence[Permission], *, cut_off: Container[str] = ()
) -> tuple[Group, ...]:
    """Return the boxes for what was asked, ticked as it stands; a partner that was cut off has none."""
    standing = {permission.name: permission for permission in given}
    return tuple(_group(permission, standing.get(permission.name), cut_off) for permission in asked)


def _group(asked: Permission, given: Permission | None, cut_off: Container[str]) -> Group:
    shown = {(_place(asked, item), path) for item in (given.items if given else ()) for path in item.fields}
    fields = tuple(
        Box(name=_field(asked, number, path), item=item, path=path, given=(number, path) in shown)
        for number, item in enumerate(asked.items, 1)
        for path in item.fields
    )
    partners = tuple(
        Box(
            name=_partner(asked, did),
            item=None,
            path=did,
            given=given is not None and did in given.recipients,
        )
        for did in asked.recipients
        if did not in cut_off
    )
    return Group(asked=asked, given=given, fields=fields, partners=partners)


def part_of(groups: Sequence[Group], number: int) -> tuple[Group, ...]:
    """Return the groups with the boxes of one part, from 1: a page shows so many that it stays light."""
    first, left = (number - 1) * PART_BOXES, PART_BOXES
    shown = []
    for group in groups:
        boxes = (*group.fields, *group.partners)
        mine = frozenset(box.name for box in boxes[first : first + left])
        first, left = max(0, first - len(boxes)), left - len(mine)
        if mine:
            shown.append(
                replace(
                    group,
                    fields=tuple(box for box in group.fields if box.name in mine),
                    partners=tuple(box for box in group.partners if box.name in mine),
                )
            )
    return tuple(shown)


def parts_in(groups: Iterable[Group]) -> int:
    """Return how many parts there are."""
    return max(1, -(-sum(len(group.fields) + len(group.partners) for group in groups) // PART_BOXES))


def names(groups: Iterable[Group]) -> frozenset[str]:
    """Return the name of every box."""
    return frozenset(box.name for group in groups for box in (*group.fields, *group.partners))


def ticked(groups: Iterable[Group]) -> frozenset[str]:
    """Return the names of the boxes that are ticked as it stands."""
    return frozenset(box.name for group in groups for box in (*group.fields, *group.partners) if box.given)


def choose(groups: Sequence[Group], ticks: frozenset[str]) -> Choice:
    """Return what these ticks would leave of what stands, and what they would give."""
    return Choice(
        kept=tuple(one for group in groups if (one := _kept(group, ticks)) is not None),
        wanted=tuple(one for group in groups if (one := _wanted(group, ticks)) is not None),
    )


def _kept(group: Group, ticks: frozenset[str]) -> Permission | None:
    if group.given is None:
        return None
    items = tuple(
        replace(item, fields=left) for item in group.given.items if (left := _left(group.asked, item, ticks))
    )
    dropped = {box.path for box in group.partners if box.name not in ticks}
    recipients = tuple(did for did in group.given.recipients if did not in dropped)
    return replace(group.given, items=items, recipients=recipients) if items else None


def _left(asked: Permission, item: Item, ticks: frozenset[str]) -> tuple[str, ...]:
    number = _place(asked, item)
    return tuple(path for path in item.fields if _field(asked, number, path) in ticks)


def _wanted(group: Group, ticks: frozenset[str]) -> Permission | None:
    """Return a permission with what is ticked: fields join the item that stands, so that its conditions stay."""
    asked, kept = group.asked, _kept(group, ticks)
    items = list(kept.items if kept else ())
    for number, item in enumerate(asked.items, 1):
        more = tuple(
            box.path
            for box in group.fields
            if box.item is item and not box.given and _field(asked, number, box.path) in ticks
        )
        if not more:
            continue
        place = next((at for at, one in enumerate(items) if _place(asked, one) == number), None)
        if place is not None:
            items[place] = replace(items[place], fields=(*items[place].fields, *more))
        else:
            items.append(replace(_base(group, number, item), fields=more))
    if not items:
        return None
    had = kept.recipients if kept else ()
    joined = tuple(box.path for box in group.partners if box.name in ticks and box.path not in had)
    return replace(group.given or asked, items=tuple(items), recipients=(*had, *joined))


def _base(group: Group, number: int, item: Item) -> Item:
    """Return the item that stood there until now, else as it was asked."""
    standing = group.given.items if group.given else ()
    return next((one for one in standing if _place(group.asked, one) == number), item)


def _place(asked: Permission, item: Item) -> int:
    """Return the number, from 1, of the asked item that an item lies within; 0 for none."""
    return next((number for number, one in enumerate(asked.items, 1) if item.within(one)), 0)


def _field(asked: Permission, number: int, path: str) -> str:
    return f"{FIELD}{asked.name}.{number}.{path}"


def _partner(asked: Permission, did: str) -> str:
    number = asked.recipients.index(did) + 1 if did in asked.recipients else 0
    return f"{PARTNER}{asked.name}.{number}"
