"""One relationship as a page shows it: how it stands, its boxes, the person's own values beside them, its partners.

Spec: specs/node/dashboard.md#a-relationship
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from freehold_protocol.did_document import domain_of, is_web
from freehold_protocol.encoding import Document
from freehold_protocol.permission import Permission

from ...api.owner import granting, looking
from ...condition import Condition
from ..consent.own import Own, own_of
from ..visit import Visit
from .boxes import Group, groups_of

STANDING: Final = ("live", "paused")
ENDING_CHARS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Somebody to whom a vendor may pass on, or passed on: what it may read, and what it did read.

    Attributes:
        id: Its DID.
        domain: Which vouches for it; "" for a key without a name.
        ending: By which two keys without a name can be told apart.
        permissions: Under which it may read now.
        cut_off: Whether it was cut off, for good.
        since: The time at which it was first seen to use what was passed on, if it was.
        reads: How often it read, as far as was looked.
        last: When last, if it did.
    """

    id: str
    domain: str
    ending: str
    permissions: tuple[Permission, ...]
    cut_off: bool
    since: str | None
    reads: int
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A relationship. ``told`` is what ``show_grant`` says, ``cid`` the version on which a form depends."""

    told: Document
    cid: str
    asked: tuple[Permission, ...]
    given: tuple[Permission, ...]
    groups: tuple[Group, ...]
    own: Own
    now: str

    @classmethod
    async def load(cls, visit: Visit) -> Scene:
        """Look up the relationship that a path names. Raises NotFoundError."""
        answer = await visit.does(granting.show_grant, {"grant": visit.params["grant"]})
        told = answer.told
        asked = tuple(map(Permission.from_dict, told["receipt"]["request"]["permission"]))
        given = tuple(map(Permission.from_dict, told["permissions"]))
        own, status = await own_of(visit, asked)
        return cls(
            told=told,
            cid=answer.tag or "",
            asked=asked,
            given=given,
            groups=groups_of(asked, given, cut_off=frozenset(told["revoked"])),
            own=own,
            now=status["clock"]["now"],
        )

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def path(self) -> str:
        return f"/my/relationships/{self.id}"

    @property
    def vendor(self) -> Document:
        return dict(self.told["vendor"])

    @property
    def state(self) -> str:
        return str(self.told["state"])

    @property
    def stands(self) -> bool:
        return self.state in STANDING

    @property
    def expires(self) -> str:
        return str(self.told["expires"])

    @property
    def most(self) -> str:
        """When it was asked to end, which is the latest that can be given."""
        return str(self.told["receipt"]["request"]["expires"])

    def group(self, name: str) -> Group | None:
        """Return the boxes of a permission."""
        return next((one for one in self.groups if one.asked.name == name), None)


def local_day(time: str) -> str:
    """Return the day of a dateTime on this computer, as a date field has it."""
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d")


def condition_on(cid: str) -> Condition:
    """Return the condition that a version still stands."""
    return Condition(frozenset({cid}))


# Who read


async def readers_of(visit: Visit, scene: Scene) -> Document:
    """Return who read, how often and when last, and whether that is all: the vendor, and each partner by its key."""
    return (await visit.does(looking.show_readers, {"grant": scene.id})).told


def partners_of(scene: Scene, readers: Sequence[Mapping[str, object]]) -> tuple[Partner, ...]:
    """Return everybody to whom something may be, or was, passed on."""
    keys = _keys_of(scene)
    found: dict[str, list[Mapping[str, object]]] = {did: [] for did in _recipients(scene)}
    for reader in readers:
        if reader["id"] != scene.vendor["id"]:
            found.setdefault(keys.get(str(reader["id"]), str(reader["id"])), []).append(reader)
    since: dict[str, str] = {}
    for link in scene.told["links"]:
        who = holder_of(scene, link)
        since[who] = min(since.get(who, link["seen"]), link["seen"])
    return tuple(_partner(scene, did, found[did], since.get(did)) for did in found)


def _recipients(scene: Scene) -> Iterator[str]:
    yield from (did for permission in scene.asked for did in permission.recipients)
    yield from (holder_of(scene, link) for link in scene.told["links"])


def _keys_of(scene: Scene) -> dict[str, str]:
    """Return whose each key of a partner with a domain is."""
    return {key: str(one["id"]) for one in scene.told.get("partners", ()) for key in one["keys"]}


def holder_of(scene: Scene, link: Document) -> str:
    """Return to whom a passed-on access was given: its domain's DID if it has one."""
    return _keys_of(scene).get(link["controller"], str(link["controller"]))


def _partner(scene: Scene, did: str, reads: Sequence[Mapping[str, object]], since: str | None) -> Partner:
    cut_off = did in scene.told["revoked"]
    may_read = () if cut_off else tuple(one for one in scene.given if did in one.recipients)
    return Partner(
        id=did,
        domain=domain_of(did) if is_web(did) else "",
        ending=did[-ENDING_CHARS:],
        permissions=may_read,
        cut_off=cut_off,
        since=since,
        reads=sum(int(str(one["reads"])) for one in reads),
        last=max((str(one["last"]) for one in reads), default=None),
    )
