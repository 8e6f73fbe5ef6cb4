"""What a pretended person ticks, of what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from freehold_protocol.encoding import Document
from freehold_protocol.permission import Item, Permission

Given = Mapping[str, Sequence[str] | None] | Sequence[Permission | Document] | None
"""By name the fields of a permission that are given, None for all of them; or whole permissions; None for all."""


def chosen(offered: tuple[Permission, ...], given: Given) -> tuple[Permission, ...]:
    """Return the permissions that are given.

    Raises:
        ValueError: A name or a field that is not offered.
        MalformedError: And its subclasses: a document is no permission.
    """
    if given is None:
        return offered
    if isinstance(given, Mapping):
        by_name = {permission.name: permission for permission in offered}
        if unknown := given.keys() - by_name.keys():
            raise ValueError(f"nobody asked for {min(unknown)!r}")
        return tuple(_with_fields(by_name[name], fields) for name, fields in given.items())
    return tuple(one if isinstance(one, Permission) else Permission.from_dict(one) for one in given)


def _with_fields(permission: Permission, fields: Sequence[str] | None) -> Permission:
    if fields is None:
        return permission
    if isinstance(fields, str):
        raise TypeError("fields is a sequence of paths, not one text")
    if unknown := set(fields) - set(permission.fields):
        raise ValueError(f"{permission.name!r} does not ask for {min(unknown)!r}")
    items = (_item(item, fields) for item in permission.items)
    return replace(permission, items=tuple(item for item in items if item.fields))


def _item(item: Item, fields: Sequence[str]) -> Item:
    return replace(item, fields=tuple(path for path in item.fields if path in fields))
