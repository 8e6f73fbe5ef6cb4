"""What a person picks of permissions, from the texts of a command line to the permissions of a draft.

A pick is ``delivery`` for the whole permission or ``delivery=name,address.postalCode`` for these fields of it;
``address`` stands for every field below it, and ``2:name`` for the field of the second item only.

Spec: specs/node/cli.md#picking
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from freehold_protocol.encoding import Document
from freehold_protocol.permission import Item, Permission

from .failure import Failure, usage

Keep = Callable[[int, str], bool]
"""Whether the field of the item with this number, from 1, is picked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One pick: a permission, and the texts that name fields of it; None for all."""

    permission: str
    fields: tuple[str, ...] | None


def parse_picks(texts: Iterable[str]) -> list[Pick]:
    """Return the picks of ``--give`` and ``--keep``. Raises Failure."""
    picks = []
    for text in texts:
        name, given, fields = text.partition("=")
        named = tuple(one.strip() for one in fields.split(",") if one.strip())
        if not name.strip() or (given and not named):
            raise usage(f"{text!r} is not of the form delivery or delivery=name,address.postalCode")
        picks.append(Pick(permission=name.strip(), fields=named if given else None))
    return picks


def parse_drops(texts: Iterable[str]) -> list[Pick]:
    """Return the picks of ``--drop``: ``marketing``, ``delivery.address.postalCode``, or as ``parse_picks``.

    Raises:
        Failure: One is of neither form.
    """
    picks = []
    for text in texts:
        if "=" in text:
            picks.extend(parse_picks([text]))
            continue
        name, _, path = text.strip().partition(".")
        if not name:
            raise usage(f"{text!r} is not of the form marketing or delivery.address.postalCode")
        picks.append(Pick(permission=name, fields=(path,) if path else None))
    return picks


def required_only(asked: Sequence[Document]) -> list[Document]:
    """Return the permissions that the vendor requires, whole. Raises Failure if it requires none."""
    found = [permission for permission in asked if permission.get("required")]
    if not found:
        names = ", ".join(permission["name"] for permission in asked)
        raise usage(f"nothing of this is required, so say what you give, with --give and any of: {names}")
    return found


def only(asked: Sequence[Document], picks: Sequence[Pick]) -> list[Document]:
    """Return exactly what is picked of the permissions. Raises Failure where a pick names nothing."""
    _check(asked, picks)
    kept = [_reduced(permission, _picked(permission["name"], picks)) for permission in asked]
    return _something(kept)


def without(given: Sequence[Document], picks: Sequence[Pick]) -> list[Document]:
    """Return the permissions without what is picked. Raises Failure as ``only``, and if nothing is left."""
    _check(given, picks)
    kept = [_reduced(permission, _all_but(_picked(permission["name"], picks))) for permission in given]
    return _something(kept)


def together(asked: Sequence[Document], given: Sequence[Document], picks: Sequence[Pick]) -> list[Document]:
    """Return what is given already and what is picked of what was asked. Raises Failure as ``only``.

    What a permission was narrowed in otherwise, say its purposes, stays narrow.
    """
    _check(asked, picks)
    by_name = {permission["name"]: permission for permission in given}
    made = []
    for permission in asked:
        more, standing = _picked(permission["name"], picks), by_name.get(permission["name"])
        if standing is None:
            made.append(_reduced(permission, more))
        else:
            made.append({**standing, "items": _joined(permission["items"], standing["items"], more)})
    return _something(made)


def _something(permissions: Iterable[Document]) -> list[Document]:
    kept = [permission for permission in permissions if permission["items"]]
    if not kept:
        raise usage("this would leave nothing; to stop everything: freehold pause, or freehold end")
    return kept


def _reduced(permission: Document, keep: Keep) -> Document:
    items = []
    for number, item in enumerate(permission["items"], 1):
        fields = [path for path in item["fields"] if keep(number, path)]
        if fields:
            items.append({**item, "fields": fields})
    return {**permission, "items": items}


def _joined(asked: Sequence[Document], standing: Sequence[Document], more: Keep) -> list[Document]:
    """Return the asked items with the fields that stand and those picked; what stands alone stays."""
    left = list(standing)
    made = []
    for number, item in enumerate(asked, 1):
        whole = Item.from_dict(item)
        mine = [one for one in left if Item.from_dict(one).within(whole)]
        left = [one for one in left if one not in mine]
        base = mine[0] if mine else {**item, "fields": []}
        fields = [path for path in item["fields"] if path in base["fields"] or more(number, path)]
        if fields:
            made.append({**base, "fields": fields})
        made.extend(mine[1:])
    return [*made, *left]


def _picked(name: str, picks: Sequence[Pick]) -> Keep:
    mine = [pick for pick in picks if pick.permission == name]

    def keep(number: int, path: str) -> bool:
        return any(
            pick.fields is None or any(_names(text, number, path) for text in pick.fields) for pick in mine
        )

    return keep


def _all_but(dropped: Keep) -> Keep:
    return lambda number, path: not dropped(number, path)


def _names(text: str, number: int, path: str) -> bool:
    """Whether the text of a pick names this field, or a node above it."""
    at, separator, below = text.partition(":")
    if separator and at != str(number):
        return False
    wanted = below if separator else text
    return path == wanted or path.startswith(wanted + ".")


def _check(permissions: Sequence[Document], picks: Sequence[Pick]) -> None:
    """Refuse a pick that names nothing: a slip of the hand must not look like a decision."""
    by_name = {permission["name"]: permission for permission in permissions}
    for pick in picks:
        found = by_name.get(pick.permission)
        if found is None:
            raise _nothing(f"permission {pick.permission!r}", by_name)
        for text in pick.fields or ():
            places = [
                (number, path)
                for number, item in enumerate(found["items"], 1)
                for path in item["fields"]
            ]  # fmt: skip
            if not any(_names(text, number, path) for number, path in places):
                raise _nothing(f"field {text!r} in {pick.permission}", Permission.from_dict(found).fields)


def _nothing(what: str, choices: Iterable[str]) -> Failure:
    return usage(f"there is no {what}; there is {', '.join(choices)}")
