"""The scene of the matrix: one grant that uses every part of a scope, and a chain of holders under it.

Spec: specs/requests.md#permissions
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import DAY_S, Stage, permission
from ..check import expect_status
from ..hands.encoding import Document, from_xsd_time
from ..hands.keys import Key
from ..hands.released import projected

WHOLE: Final = ("name", "email", "birthDate", "address.postalCode")
"""What the permission of that name shows: a text, an array of texts, a date, a leaf in an array of nodes."""
NARROWER: Final = ("name", "address.postalCode")
NAMESPACE: Final = "https://w3id.org/freehold/v1#"
_CARRIED: Final = {"@context", "id", "issuer", "version", "proof"}
_DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def person(tag: str, name: str) -> Document:
    """Return a person of whom every leaf says whose it is, so that what must not come can be told."""
    low = name.lower()
    return {
        "type": "Person",
        "jobTitle": tag,
        "name": f"{name} {tag}",
        "email": [f"{low}.{tag}@one.example", f"{low}.{tag}@two.example"],
        "telephone": f"+44 {tag} {low}",
        "birthDate": "1985-12-10" if name == "Ada" else "1990-02-03",
        "address": [
            {"type": "PostalAddress", "postalCode": f"{low} 1 {tag}", "streetAddress": f"{low} street {tag}"},
            {"type": "PostalAddress", "postalCode": f"{low} 2 {tag}", "addressLocality": f"{low} town {tag}"},
        ],
    }


def another_day() -> Document:
    """Return hours of a day that is neither today nor next to it, wherever the node's clock stands."""
    day = datetime.now(UTC) + timedelta(days=3)
    return {"days": [_DAYS[day.weekday()]], "from": "09:00", "to": "10:00", "timeZone": "UTC"}


def caveat(kind: str, **members: object) -> Document:
    """Return a caveat of this protocol's namespace."""
    return {"type": NAMESPACE + kind} | {NAMESPACE + name: value for name, value in members.items()}


def hours_caveat() -> Document:
    """Return a caveat that does not hold today."""
    hours = another_day()
    return caveat("HoursLimit", days=hours["days"], **{"from": hours["from"]}, to=hours["to"], timeZone="UTC")


def bare(document: Document) -> Document:
    """Return what a released document shows, without what every one carries."""
    return {name: value for name, value in document.items() if name not in _CARRIED}


@dataclass(slots=True, kw_only=True)
class Scene:
    """One grant, of which every permission is about people with one tag, and who holds what under it.

    Attributes:
        people: Those that were there when the person approved, in the order in which they came.
        late: One who came after the approval.
        holders: The vendor, a partner one link down, one two links down; and partners whose links are limited.
        aliases: What the vendor and its partners know the first of the people by.
        etag: Of the whole page, when everything was live.
        cursor: For the second page, when everything was live, for each holder.
        opened: When everyone had what they hold, and every end was fixed; monotonic seconds.
    """

    stage: Stage
    tag: str
    people: list[Document]
    records: list[str]
    late: Document
    order: Document
    permissions: list[Document]
    holders: dict[str, Holder]
    alias: str = ""
    etag: str = ""
    cursor: dict[str, str] = field(default_factory=dict)
    opened: float = field(default_factory=time.monotonic)
    _entries: dict[int, Document] = field(default_factory=dict)

    @property
    def grant(self) -> str:
        return self.holders["vendor"].grant

    @property
    def hidden(self) -> list[str]:
        """Values that no refusal may hold."""
        return [self.tag, self.tag.upper()]

    def shown(self, fields: tuple[str, ...], *, late: bool = False) -> list[Document]:
        """Return what a page shows of the people under these fields."""
        people = [*self.people, *([self.late] if late else [])]
        return [projected(one, fields) for one in people]

    async def ledger(self) -> list[Document]:
        """Return the grant's ledger, as its owner sees it; only what is new is asked for, since the rest stays."""
        while True:
            first = len(self._entries)
            found = await self.stage.owner.do("GET", f"/grants/{self.grant}/ledger?first={first}&limit=500")
            self._entries |= {one["number"]: one for one in found["entries"]}
            if len(self._entries) >= found["size"] or not found["entries"]:
                return list(self._entries.values())

    def changed(self, **members: Document) -> list[Document]:
        """Return the permissions with members of those named put in place; None leaves one out."""
        found = []
        for one in self.permissions:
            if one["name"] in members:
                one = {
                    name: value for name, value in (one | members[one["name"]]).items() if value is not None
                }
            found.append(one)
        return found


async def open_scene(
    stage: Stage,
    *,
    grant_s: float | None = None,
    begins_s: float | None = None,
    links_s: Mapping[str, float] | None = None,
) -> Scene:
    """Make a grant and its holders; use up what is limited.

    Args:
        stage: On which node.
        grant_s: Seconds until the grant ends, if it is to end within the run.
        begins_s: Seconds until the grant begins, if it is not to begin at once.
        links_s: Seconds until the links of these holders end.
    """
    await stage.self_record()
    ada = await stage.person()
    tag, owner = ada.tag, stage.owner
    people = [person(tag, "Ada"), person(tag, "Bob")]
    await owner.edit(ada.id, people[0])
    records = [ada.id, await owner.add(people[1])]
    order = {"type": "Order", "orderNumber": tag, "seller": {"type": "Organization", "name": f"Seller {tag}"}}
    await owner.add(order)
    partner, further = Key.fresh(), Key.fresh()
    asked = _permissions(tag, [partner.did, further.did])
    now = time.time()
    vendor = await stage.relate(
        asked,
        expires_s=None if grant_s is None else now + grant_s,
        begins_s=None if begins_s is None else now + begins_s,
    )
    late = person(tag, "Cleo")
    await owner.add(late)
    scene = Scene(
        stage=stage, tag=tag, people=people, records=records, late=late, order=order, permissions=asked,
        holders=_holders(vendor, partner, further, links_s or {}),
    )  # fmt: skip
    if begins_s is None:
        await _use(scene)
    return scene


def _permissions(tag: str, recipients: list[str]) -> list[Document]:
    """Return one permission for each part of a scope."""

    def about(name: str, fields: tuple[str, ...] = ("name",), **more: object) -> Document:
        given: dict[str, Any] = {"about": "any", "recipients": recipients} | more
        return permission(name, fields, **given | {"where": {"jobTitle": tag, **given.get("where", {})}})

    return [
        about("whole", WHOLE),
        about("other", recipients=[], purpose="dpv:Marketing"),
        about("ada", where={"name": f"Ada {tag}"}),
        about("coming", newRecords=True),
        about("few", limits={"reads": 1}),
        about("rated", limits={"rate": {"reads": 1, "per": "P1D"}}),
        about("never", limits={"hours": another_day()}),
        permission("mine", ["name"], recipients=recipients),
        permission("orders", ["orderNumber", "seller.name"], type="Order", about="any", where={"orderNumber": tag},
                   recipients=recipients),
    ]  # fmt: skip


def _holders(vendor: Holder, partner: Key, further: Key, links_s: Mapping[str, float]) -> dict[str, Holder]:
    """Return everyone who holds something; those with limits are the partner, by links of their own."""
    now, end_s = time.time(), from_xsd_time(vendor.capability["expires"])

    def until(name: str) -> float:
        return min(end_s, now + links_s.get(name, DAY_S))

    def limited(*caveats: Document) -> Holder:
        return vendor.delegate(key=partner, expires_s=until("limited"), caveats=list(caveats))

    first = vendor.delegate(key=partner, expires_s=until("partner"))
    return {
        "vendor": vendor,
        "partner": first,
        "further": first.delegate(key=further, expires_s=min(until("partner"), until("further"))),
        "stranger": vendor.delegate(key=Key.fresh(), expires_s=until("limited")),
        "aimed": vendor.delegate("/orders", key=partner, expires_s=until("limited")),
        "purposed": limited(caveat("PurposeLimit", purpose=["https://w3id.org/dpv#Marketing"])),
        "timed": limited(hours_caveat()),
        "counted": limited(caveat("CountLimit", reads=1)),
        "slowed": limited(caveat("RateLimit", reads=1, per="P1D")),
    }


async def _use(scene: Scene) -> None:
    """Read once what may be read once, and keep what an unchanged reader would come back with."""
    vendor = scene.holders["vendor"]
    page = await vendor.get("/whole/records")
    scene.etag = expect_status(page, 200).headers["etag"]
    for name in ("vendor", "partner", "further"):
        holder = scene.holders[name]
        found = await holder.read("whole", "?limit=1")
        scene.cursor[name] = found["next"]
        scene.alias = found["items"][0]["id"].removeprefix("urn:freehold:")
    for who, name in (("vendor", "few"), ("vendor", "rated"), ("counted", "whole"), ("slowed", "whole")):
        await scene.holders[who].read(name)
