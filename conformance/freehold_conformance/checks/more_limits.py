"""Days, hours and numbers of reads: to the minute, in every zone, by every way of reading, across every change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..cast.holder import Holder
from ..cast.stage import Shown, Stage, permission
from ..check import Skipped, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands.encoding import Document
from ..hands.keys import Key
from ..wire import Answer
from .matrix_scene import caveat
from .released import alias_of

topic = Topic()

# Hours

_DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_ZONES: Final = (
    "UTC", "Asia/Kathmandu", "America/St_Johns", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago",
)  # fmt: skip
"""Of these, one at least has another date than another at any time, and three are not on whole hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    """Hours around a minute in a zone, each under a short name, with whether they allow a read in that minute."""

    zone: str
    now: datetime

    def all(self) -> dict[str, tuple[Document, bool]]:
        today, minute = _DAYS[self.now.weekday()], self._at(0)
        others = [day for day in _DAYS if day != today]
        found = {
            "this-minute": (self._of(minute, self._at(1)), True),
            "from-now": (self._of(minute, "00:00"), True),
            "today": (self._of("00:00", "00:00", [today]), True),
            "today-this-minute": (self._of(minute, self._at(1), [today]), True),
            "other-days": (self._of("00:00", "00:00", others), False),
            "other-days-this-minute": (self._of(minute, self._at(1), others), False),
        }
        if minute != "00:00":
            found["until-now"] = (self._of("00:00", minute), False)
            found["until-now-today"] = (self._of("00:00", minute, [today]), False)
        if minute != "23:59":
            found["from-the-next-minute"] = (self._of(self._at(1), "00:00"), False)
            found["until-the-next-minute"] = (self._of("00:00", self._at(1)), True)
        return found

    def _at(self, minutes: int) -> str:
        return f"{self.now + timedelta(minutes=minutes):%H:%M}"

    def _of(self, start: str, end: str, days: list[str] | None = None) -> Document:
        return {"days": days or list(_DAYS), "from": start, "to": end, "timeZone": self.zone}


async def _a_minute(zone: str) -> _Hours:
    """Return the hours around this minute, of which some time is left."""
    if datetime.now(UTC).second > 40:
        await asyncio.sleep(62 - datetime.now(UTC).second)
    try:
        return _Hours(zone=zone, now=datetime.now(ZoneInfo(zone)).replace(second=0, microsecond=0))
    except ZoneInfoNotFoundError:
        raise Skipped("this machine has no time zones") from None


@topic.check("REQ-10", cases={zone: zone for zone in _ZONES})
async def reads_come_within_days_and_hours_of_the_zone(stage: Stage, zone: str) -> None:
    """Hours begin with their first minute and end before their last, on their days, by the clock of their zone."""
    shown = await stage.person(name="Ada")
    hours = (await _a_minute(zone)).all()
    vendor = await stage.relate(
        [shown.permission(name, ["name"], limits={"hours": one}) for name, (one, _) in hours.items()]
    )
    for name, (_, allowed) in hours.items():
        for method in ("GET", "HEAD"):
            _expect_allowed(await vendor.get(f"/{name}/records", method=method), allowed, f"{name}, {zone}")


@topic.check("CAP-10", "CAP-31", cases={zone: zone for zone in _ZONES})
async def links_hold_within_days_and_hours_of_the_zone(stage: Stage, zone: str) -> None:
    """The hours of a link are those of a grant: to the minute, on their days, by the clock of their zone."""
    shown, key = await stage.person(name="Ada"), Key.fresh()
    vendor = await stage.relate([shown.permission("delivery", ["name"], recipients=[key.did])])
    for name, (one, allowed) in (await _a_minute(zone)).all().items():
        limit = caveat("HoursLimit", **one)
        holder = vendor.delegate("/delivery", key=key, caveats=[limit])
        _expect_allowed(await holder.get("/delivery/records"), allowed, f"{name}, {zone}")


def _expect_allowed(answer: Answer, allowed: bool, what: str) -> None:
    expect(answer.status == (200 if allowed else 403), f"status {answer.status} within the hours {what}")
    if not allowed:
        expect_equal(answer.headers.get("freehold-code"), "outside-hours", f"code outside the hours {what}")


# Numbers of reads


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a first read told, for the reads that follow."""

    alias: str
    etag: str
    cursor: str


_WAYS: Final[Mapping[str, tuple[str, str, bool]]] = {
    "page": ("GET", "", False),
    "page-by-head": ("HEAD", "", False),
    "next-page": ("GET", "?limit=1&cursor={cursor}", False),
    "fields": ("GET", "?fields=name", False),
    "no-match": ("GET", "?where=%7B%22name%22%3A%22Nobody%22%7D", False),
    "record": ("GET", "/{alias}", False),
    "record-by-head": ("HEAD", "/{alias}", False),
    "unchanged": ("GET", "?limit=1", True),
}
"""Ways to read: the method, what follows the path of the records, and whether with the tag of the first read."""
_LIMITS: Final[Mapping[str, Document]] = {
    "reads": {"reads": 3},
    "rate": {"rate": {"reads": 3, "per": "P1D"}},
    "reads-below-a-rate": {"reads": 3, "rate": {"reads": 9, "per": "P1D"}},
    "a-rate-below-reads": {"reads": 9, "rate": {"reads": 3, "per": "P1D"}},
}


async def _read_by(holder: Holder, name: str, way: tuple[str, str, bool], seen: _Seen) -> Answer:
    method, below, by_tag = way
    below = below.format(alias=seen.alias, cursor=seen.cursor)
    headers = {"if-none-match": seen.etag} if by_tag else {}
    return await holder.get(f"/{name}/records{below}", method=method, headers=headers)


async def _first(holder: Holder, name: str) -> _Seen:
    answer = expect_status(await holder.get(f"/{name}/records?limit=1"), 200)
    page = object_of(answer)
    return _Seen(alias=alias_of(page["items"][0]), etag=answer.headers["etag"], cursor=page["next"])


async def _two(stage: Stage) -> tuple[Shown, Document]:
    """Return a record, and an item that shows it and one other."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    await stage.owner.add({**shown.content, "name": "Bea"})
    return shown, shown.permission("delivery", ["name", "email"])


@topic.check("REQ-10", cases=_LIMITS)
async def every_way_of_reading_is_a_read(stage: Stage, limits: Document) -> None:
    """A page, the next, one record, by HEAD or unchanged: each is one read, of its permission and no other."""
    _, given = await _two(stage)
    vendor = await stage.relate([{**given, "name": name, "limits": limits} for name in _WAYS])
    for name, way in _WAYS.items():
        seen = await _first(vendor, name)
        for _ in range(2):
            expect_status(await _read_by(vendor, name, way, seen), 304 if way[2] else 200)
        for other in _WAYS.values():
            answer = await _read_by(vendor, name, other, seen)
            expect_equal(answer.status, 403, f"status of a read more than three, by {name}")
            expect_equal(answer.headers.get("freehold-code"), "limit-reached", "code of a read too many")


_CHANGES: Final = ("narrow", "pause", "widen-nothing", "delete")


@topic.check("REQ-10", cases={change: change for change in _CHANGES})
async def what_was_read_is_counted_on(stage: Stage, change: str) -> None:
    """No change of a grant or of its records gives back the reads that were made; a larger number adds to them."""
    _, given = await _two(stage)
    news = permission("news", ["name"], purpose="dpv:Marketing")
    asked = {**given, "limits": {"reads": 9, "rate": {"reads": 9, "per": "P1D"}}}
    start = {**asked, "limits": {"reads": 2, "rate": {"reads": 9, "per": "P1D"}}}
    vendor = await stage.relate([asked, news], given=[start, news])
    for _ in range(2):
        await vendor.read("delivery")
    expect_problem(await vendor.get("/delivery/records"), 403, "limit-reached")
    if change == "narrow":
        await stage.owner.change(vendor.grant, "narrow", permissions=[start])
    elif change == "pause":
        await stage.owner.change(vendor.grant, "pause")
        await stage.owner.change(vendor.grant, "resume")
    elif change == "delete":
        extra = await stage.owner.add({"type": "Person", "name": "Cyd"})
        await stage.owner.delete(extra)
    else:
        await stage.owner.change(vendor.grant, "narrow", permissions=[start])
        await stage.owner.change(vendor.grant, "widen", permissions=[start, news])
    expect_problem(await vendor.get("/delivery/records"), 403, "limit-reached")
    more = {**asked, "limits": {"reads": 3, "rate": {"reads": 9, "per": "P1D"}}}
    await stage.owner.change(vendor.grant, "widen", permissions=[more])
    await vendor.read("delivery")
    expect_problem(await vendor.get("/delivery/records"), 403, "limit-reached")


@topic.check("REQ-10")
async def a_limit_that_comes_later_counts_what_was_read_before(stage: Stage) -> None:
    """A number that a narrowing brings is one of reads in all, those before it included."""
    _, given = await _two(stage)
    vendor = await stage.relate([given])
    for _ in range(3):
        await vendor.read("delivery")
    await stage.owner.change(vendor.grant, "narrow", permissions=[{**given, "limits": {"reads": 4}}])
    await vendor.read("delivery")
    expect_problem(await vendor.get("/delivery/records"), 403, "limit-reached")


@topic.check("REQ-10", slow=True)
async def a_rate_holds_in_any_window(stage: Stage) -> None:
    """Reads are counted in the minute that ends now, and not in that of the clock."""
    _, given = await _two(stage)
    vendor = await stage.relate([{**given, "limits": {"rate": {"reads": 2, "per": "PT1M"}}}])
    await asyncio.sleep((50 - stage.now()) % 60)
    await vendor.read("delivery")
    await asyncio.sleep((55 - stage.now()) % 60)
    await vendor.read("delivery")
    await asyncio.sleep((5 - stage.now()) % 60)
    expect_problem(await vendor.get("/delivery/records"), 403, "limit-reached")
    await asyncio.sleep((52 - stage.now()) % 60)
    await vendor.read("delivery")
    expect_problem(await vendor.get("/delivery/records"), 403, "limit-reached")


# Purposes


@topic.check("CAP-11", "CAP-31")
async def a_purpose_of_a_link_stands_for_itself(stage: Stage) -> None:
    """A link for a purpose is for none below it, though the vocabulary puts it there, and for none above."""
    shown, key = await stage.person(name="Ada"), Key.fresh()
    asked = [
        shown.permission("direct", ["name"], purpose="dpv:DirectMarketing", recipients=[key.did]),
        shown.permission("any", ["name"], purpose="dpv:Marketing", recipients=[key.did]),
    ]
    vendor = await stage.relate(asked)
    terms = {"direct": "DirectMarketing", "any": "Marketing"}
    for name in terms:
        for purpose, term in terms.items():
            iri = "https://w3id.org/dpv#" + term
            link = vendor.delegate(f"/{name}", key=key, caveats=[caveat("PurposeLimit", purpose=[iri])])
            answer = await link.get(f"/{name}/records")
            if name == purpose:
                expect_status(answer, 200)
            else:
                expect_problem(answer, 403, "wrong-purpose")
