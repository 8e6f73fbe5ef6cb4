"""The second look: exactly what a draft gives, item by item with the person's values, and what was left out.

What is given is read from the draft that the digest is of, not from the ticks it was made of.

Spec: specs/node/dashboard.md#second-look
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.permission import DAYS, Item, Permission, format_duration, read_permissions

from .choices import Choices
from .own import Own
from .partners import Acquaintances, Partner

_MOST_LEFT_OUT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Records of one type of which something is given; ``values`` are paths with what the person has there."""

    item: Item
    count: int
    values: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPermission:
    """One permission of the draft."""

    permission: Permission
    items: tuple[Given, ...]
    partners: tuple[Partner, ...]
    rate: str | None
    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What was asked and is not given under one permission; ``more`` counts fields beyond those listed."""

    permission: Permission
    paths: tuple[str, ...]
    more: int
    later: bool
    partners: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The second look; ``missing`` are required permissions of which something is left out."""

    given: tuple[GivenPermission, ...]
    left_out: tuple[LeftOut, ...]
    missing: tuple[Permission, ...]

    @property
    def has_partners(self) -> bool:
        return any(one.partners for one in self.given)


def reviewed(
    draft: Document, asked: Sequence[Permission], choices: Choices, own: Own, known: Acquaintances
) -> Review:
    """Return what a draft gives, and what of the asked permissions was not ticked."""
    given = tuple(_given(one, own, known) for one in read_permissions(draft["permission"]))
    left_out = tuple(
        found for number, one in enumerate(asked, 1) if (found := _left_out(number, one, choices)) is not None
    )
    short = {one.permission.name for one in left_out if one.paths or one.more}
    return Review(
        given=given,
        left_out=left_out,
        missing=tuple(one for one in asked if one.required and one.name in short),
    )


def _given(permission: Permission, own: Own, known: Acquaintances) -> GivenPermission:
    limits = permission.limits
    return GivenPermission(
        permission=permission,
        items=tuple(
            Given(
                item=item,
                count=own.count(item),
                values=tuple((path, own.value(item, path)) for path in item.fields),
            )
            for item in permission.items
        ),
        partners=tuple(map(known.partner, permission.recipients)),
        rate=format_duration(limits.rate[1]) if limits.rate else None,
        days=tuple(day for day in DAYS if limits.hours and day in limits.hours.days),
    )


def _left_out(number: int, permission: Permission, choices: Choices) -> LeftOut | None:
    paths = [
        path
        for place, item in enumerate(permission.items, 1)
        for field, path in enumerate(item.fields, 1)
        if not choices.has("give", number, place, field)
    ]
    later = any(
        item.new_records and not choices.has("later", number, place)
        for place, item in enumerate(permission.items, 1)
    )
    partners = sum(not choices.has("to", number, place) for place in range(1, len(permission.recipients) + 1))
    if not (paths or later or partners):
        return None
    return LeftOut(
        permission=permission,
        paths=tuple(paths[:_MOST_LEFT_OUT]),
        more=max(0, len(paths) - _MOST_LEFT_OUT),
        later=later,
        partners=partners,
    )
