"""A node as it looks after some weeks of use: records, vendors in different states, requests that wait, entries.

Everybody in it is fictional. It comes about by the owner's operations and signed requests alone, on a test clock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold_protocol.capability import Capability
from freehold_protocol.encoding import Document
from harness import ADA, START_S, Held, House, TestClock, open_house, permission
from shop import COURIER, contacts
from software_key import SoftwareKey

_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
CONTACTS: Final = 12
HOSTILE_NAME: Final = "<script>alert(1)</script><b>Your Bank</b> " + "x" * 70
BENEFIT: Final = "Every book in town, and a reading room that is warm in winter."
LONG_TEXT: Final = "Alles umsonst! </p><img src=x onerror=alert(1)> " + "Donaudampfschifffahrt" * 90

DELIVERY: Final = permission(
    "delivery",
    ["name", "address.streetAddress", "address.postalCode", "address.addressLocality", "telephone"],
    recipients=(COURIER.did,),
    required=True,
)
MARKETING: Final = permission("marketing", ["email"], purpose="dpv:Marketing")
MEMBERSHIP: Final = permission(
    "membership", ["name", "email", "birthDate"], purpose="dpv:MemberPartnerManagement", required=True
)
HOSTILE: Final = permission("all-of-it", ["name", "email", "birthDate", "telephone"])
SUMMER: Final = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VEVENT\r\nUID:summer-1\r\n"
    b"DTSTAMP:20261101T090000Z\r\nDTSTART:20261224T180000Z\r\nDTEND:20261224T210000Z\r\n"
    b"SUMMARY:Dinner at Grandmother's\r\nLOCATION:2 Analytical Row\\, Exampleton\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@dataclass(slots=True, kw_only=True)
class Furnished:
    """What stands in the node: ids for pages that are about one thing."""

    house: House
    person: str
    """The id of the record about the person."""
    records: Sequence[str]
    live: Held
    paused: Held
    ended: Held
    waiting: str
    """The id of an ordinary request; ``hostile`` is one that tries everything."""
    hostile: str
    refused: str
    passkey: str
    """The id of a passkey, of a device that is not there."""


@asynccontextmanager
async def open_furnished(folder: Path) -> AsyncIterator[Furnished]:
    """Open a house on a test clock, and live in it for twenty days."""
    clock = TestClock(START_S - 20 * _DAY_S)
    async with open_house(folder, clock=clock) as house:
        yield await furnish(house)


async def furnish(house: House) -> Furnished:
    """Bring about what is described above; the house's clock moves on by twenty days."""
    clock = house.clock
    assert clock is not None, "time has to pass, so the house needs a test clock"
    await house.import_file(ADA, me="Ada Example")
    await house.import_file(contacts(1, CONTACTS), name="friends.vcf")
    await house.import_file(SUMMER, name="summer.ics")
    live = await house.relate([DELIVERY, MARKETING], name="Exampleton Groceries", days=90)
    clock.advance(2 * _DAY_S)
    paused = await house.relate([MEMBERSHIP], name="Reading Room Exampleton", days=365)
    ended = await house.relate([MARKETING], name="Shoes & Söhne", days=60)
    await _weeks_of_reading(clock, live, paused, ended)
    await house.change(paused.grant, "pause")
    await house.change(ended.grant, "end")
    await house.change(live.grant, "narrow", [_without(DELIVERY, "telephone")])
    clock.advance(_DAY_S)
    assert (await live.get("/delivery/records?fields=telephone")).code == "not-shared"
    assert (await paused.get("/membership/records")).code == "grant-paused"
    refused, _ = await house.ask(house.key(), [MARKETING], name="Lottery")
    await house.own("POST", f"/requests/{_id(refused)}/refuse", {"reason": "I do not play."})
    clock.advance(START_S - 2 * _HOUR_S - clock.now_s)
    await renew(live)
    await live.contents("delivery")
    hostile, _ = await house.ask(house.key(), [HOSTILE], name=HOSTILE_NAME, benefit=LONG_TEXT)
    waiting, _ = await house.ask(
        house.key(), [MEMBERSHIP, MARKETING, DELIVERY], name="Exampleton Library", benefit=BENEFIT
    )
    clock.advance(2 * _HOUR_S)
    records = [one["id"] for one in (await house.own("GET", "/records"))["records"]]
    person = (await house.own("GET", "/status"))["self"]["id"]
    return Furnished(
        house=house, person=person, records=records, live=live, paused=paused, ended=ended,
        waiting=_id(waiting), hostile=_id(hostile), refused=_id(refused), passkey=await _passkey(house),
    )  # fmt: skip


async def _passkey(house: House) -> str:
    """Have the node take up a passkey, as of a browser that is open under its name."""
    passkeys, origin = house.node.passkeys, f"http://localhost:{house.node.config.port}"
    begun = await passkeys.begin_adding(origin, "a session")
    made = SoftwareKey(origin).make(begun.options)
    await passkeys.add(origin, "a session", begun.ticket, made, name="My phone, W" + "W" * 40)
    return (await passkeys.listed())[0].id


async def _weeks_of_reading(clock: TestClock, live: Held, paused: Held, ended: Held) -> None:
    """A read every other day, by vendors and by the one's courier."""
    for day in range(6):
        clock.advance(_DAY_S)
        for held in (live, paused, ended):
            await renew(held)
        courier = live.delegate(COURIER, path="/delivery")
        await live.contents("delivery")
        clock.advance(3 * _HOUR_S)
        await courier.contents("delivery", "?fields=name,address.postalCode")
        if day % 2:
            await paused.contents("membership")
            await ended.contents("marketing")
        clock.advance(_DAY_S - 3 * _HOUR_S)


async def renew(held: Held) -> None:
    """Have the vendor fetch a capability that lasts some days from now."""
    told = await held.house.signed(held.key, "POST", f"/g/{held.grant}/renew")
    assert told.status == 200, told.body
    held.capability = Capability.from_dict(told.json["capability"])


def _without(whole: Document, field: str) -> Document:
    items = [item | {"fields": [one for one in item["fields"] if one != field]} for item in whole["items"]]
    return whole | {"items": items}


def _id(path: str) -> str:
    return path.rpartition("/")[2]
