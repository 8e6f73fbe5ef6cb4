"""The screen a person decides on: exactly what a draft gives, to whom, what for, until when, and who ensures it.

Spec: specs/node/cli.md#deciding
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freehold_protocol.encoding import Document
from freehold_protocol.permission import Item, Permission

from . import wording
from .render import Screen

if TYPE_CHECKING:
    from .owner_client import OwnerClient

_GAP = "\u00a0"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecords:
    """What the person's records say now: the one about them, and how many there are of each type."""

    content: Document | None
    count: Counter[str]

    @classmethod
    def load(cls, owner: OwnerClient, permissions: Sequence[Document]) -> OwnRecords:
        """Ask the node; the list of records only where something about others is asked for."""
        found = owner.get("/status")["self"]
        content = owner.get(f"/records/{_path_id(found['id'])}")["content"] if found else None
        items = [item for permission in permissions for item in permission["items"]]
        others = any(item.get("about", "self") == "any" for item in items)
        return cls(
            content=content, count=Counter(one["type"] for one in owner.records()) if others else Counter()
        )

    def value(self, item: Item, path: str) -> str:
        """Return what an item would show at a path now."""
        if item.about == "any":
            how_many = wording.plural(self.count[item.type], "record")
            return f"of up to {how_many} of type {item.type}" + (
                ", later ones too" if item.new_records else ""
            )
        if self.content is None or self.content["type"] != item.type:
            return "(nothing)"
        return wording.value_text(self.content, path)


def _path_id(record: str) -> str:
    return record.removeprefix("urn:uuid:")


def show_request(screen: Screen, request: Document, own: OwnRecords) -> None:
    """Show what a vendor asks, required and optional apart."""
    screen.title(f"{request['vendor']['name']} asks")
    screen.facts(_about_request(request))
    permissions = [Permission.from_dict(one) for one in request["permissions"]]
    for heading, required in (("Required", True), ("Optional", False)):
        chosen = [permission for permission in permissions if permission.required == required]
        if chosen:
            screen.line()
            screen.title(heading)
            _show_permissions(screen, chosen, own)
    _warn_without_self(screen, own)


def _about_request(request: Document) -> Iterator[tuple[str, str]]:
    yield from wording.who(request["vendor"])
    yield from about_asking(request)
    yield "until", wording.local_time(request["expires"])
    if "reason" in request:
        yield "reason", request["reason"]
    yield "state", f"{request['status']}, came {wording.local_time(request['received'])}"
    if "grant" in request:
        yield "grant", wording.short_id(request["grant"])


def about_asking(request: Document) -> Iterator[tuple[str, str]]:
    """Yield what a person weighs beside the permissions."""
    yield "code", f"{request['code']}; their screen must show the same"
    for label, member in (("you get", "benefit"), ("contact", "contact")):
        if member in request:
            yield label, request[member]
    if "terms" in request:
        yield "terms", f"{request['terms']} (promised, in their own words)"
    if "connect" in request:
        yield "then", wording.return_text(request)


def show_draft(
    screen: Screen,
    draft: Document,
    digest: str,
    *,
    heading: str,
    vendor: Document,
    left_out: Sequence[str],
    own: OwnRecords,
    beside: Sequence[tuple[str, str]] = (),
) -> None:
    """Show everything that is granted by a yes.

    Args:
        screen: To show it on.
        draft: The unsigned grant.
        digest: Its digest, which the decision will name.
        heading: What a yes does.
        vendor: ``id``, ``name`` and ``vouched``.
        left_out: What was asked and is not given, a line each.
        own: The person's values.
        beside: Facts of the request that are no part of the grant.
    """
    permissions = [Permission.from_dict(one) for one in draft["permission"]]
    screen.title(heading)
    screen.facts(
        [
            *wording.who(vendor),
            *beside,
            ("from", wording.local_time(draft["notBefore"])),
            ("until", wording.local_time(draft["expires"])),
        ]
    )
    screen.line()
    _show_permissions(screen, permissions, own)
    if left_out:
        screen.line()
        screen.title("Not given")
        for line in left_out:
            screen.facts([("-", line)])
    screen.line()
    _show_assurance(screen, permissions, vendor["name"])
    _warn_without_self(screen, own)
    screen.line()
    screen.facts([("reached at", ", ".join(draft["origins"])), ("digest", digest)])


def _show_permissions(screen: Screen, permissions: Sequence[Permission], own: OwnRecords) -> None:
    for place, permission in enumerate(permissions):
        if place:
            screen.line()
        screen.line(f"  {permission.name}{_GAP}{_GAP}{wording.purposes(permission)}", style="bold cyan")
        several = len(permission.items) > 1
        for number, item in enumerate(permission.items, 1):
            screen.values(
                (f"{number}:{path}" if several else path, own.value(item, path)) for path in item.fields
            )
            if item.where:
                wanted = ", ".join(f"{path} is {value}" for path, value in item.where)
                screen.values([("only where", wanted)])
        screen.facts(_about_permission(permission), indent=4)


def _about_permission(permission: Permission) -> Iterator[tuple[str, str]]:
    yield "passed on to", wording.partners(permission)
    yield "kept for", f"{wording.duration(permission.retention_s)} (promised)"
    if limits := wording.limits(permission):
        yield "only", limits


def _show_assurance(screen: Screen, permissions: Sequence[Permission], name: str) -> None:
    partners = any(permission.recipients for permission in permissions)
    whom = f"{name} and the partners named" if partners else name
    screen.title("Enforced by your node")
    screen.facts(
        [
            ("-", f"only these fields, only to {whom}, only in this time"),
            ("-", "each read is in your ledger before anything is sent"),
            ("-", "you can narrow, pause or end it whenever you like, from the next read on"),
        ]
    )
    screen.line()
    screen.title("Promised, and no software can enforce it")
    deletes = "use it for, and when they delete what they have read"
    if not partners:
        deletes = "uses it for, and when it deletes what it has read"
    screen.facts([("-", f"what {whom} {deletes}")])


def _warn_without_self(screen: Screen, own: OwnRecords) -> None:
    if own.content is None:
        screen.line("No record is marked as yours, so there is nothing to show of you; choose one with:")
        screen.line("  freehold records self ID")


def left_out_of(asked: Sequence[Document], given: Sequence[Document]) -> list[str]:
    """Return what of the asked permissions is not among the given, a line for each permission."""
    by_name = {permission["name"]: permission for permission in given}
    lines = []
    for permission in asked:
        mine = by_name.get(permission["name"], {"items": []})
        kept = {path for item in mine["items"] for path in item["fields"]}
        missing = [path for path in Permission.from_dict(permission).fields if path not in kept]
        if missing:
            lines.append(f"{permission['name']}: {', '.join(missing)}")
    return lines


def show_grant(screen: Screen, grant: Document, own: OwnRecords) -> None:
    """Show how a grant stands, and what may be read under it."""
    screen.title(grant["vendor"]["name"])
    screen.facts(_about_grant(grant))
    screen.line()
    _show_permissions(screen, [Permission.from_dict(one) for one in grant["permissions"]], own)
    _warn_without_self(screen, own)
    _show_links(screen, grant["links"], wording.domains(grant.get("partners", ())))


def _show_links(screen: Screen, links: list[Document], domains: Mapping[str, str]) -> None:
    """Show who passed on what to whom, each under the one it has it from; domains are those of keys."""
    if not links:
        return
    depths: dict[str, int] = {}
    rows = []
    for one in links:
        depths[one["digest"]] = depth = depths.get(one["parent"], -1) + 1
        caveats = wording.plural(len(one["caveats"]), "limit", "limits") if one["caveats"] else ""
        until = "cut off" if one["revoked"] else wording.local_time(one["expires"])
        rows.append(
            (
                one["digest"][: wording.ID_CHARS],
                "  " * depth + (domains.get(one["controller"]) or wording.short_key(one["controller"])),
                one["permission"],
                wording.local_time(one["seen"]),
                until,
                caveats,
            )
        )
    screen.line()
    screen.title("Passed on, and used:")
    screen.table(
        ("id", "to", "may read", "first used", "until", "limits"), rows, whole=("id", "first used", "until")
    )


def _about_grant(grant: Document) -> Iterator[tuple[str, str]]:
    yield "grant", wording.short_id(grant["id"])
    yield from wording.who(grant["vendor"])
    yield "state", f"{grant['state']}, version {grant['version']}"
    yield "from", wording.local_time(grant["notBefore"])
    yield "until", wording.local_time(grant["expires"])
    yield "last read", wording.local_time(grant["lastRead"]) if "lastRead" in grant else "never"
    yield "ledger", wording.plural(grant["entries"], "entry", "entries")
    if grant.get("listening"):
        yield "listening", wording.plural(grant["listening"], "open stream", "open streams")
    for partner in grant.get("partners", ()):
        yield "seen", f"{partner['domain']}, by {', '.join(map(wording.short_key, partner['keys']))}"
    if grant.get("newKeys"):
        yield "new keys", f"wait for your word; see: freehold vendor-keys {wording.short_id(grant['id'])}"
    for revoked in grant["revoked"]:
        yield (
            "cut off",
            wording.short_key(revoked)
            if revoked.startswith("did:")
            else f"access {wording.short_id(revoked)}",
        )
