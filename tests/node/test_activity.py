"""The ledger over all grants: one order, every filter, pages that miss nothing, and who read how often."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from freehold_protocol.encoding import Document, format_time
from harness import ADA, START_S, Held, House, open_house, permission
from shop import COURIER

DELIVERY = permission("delivery", ["name", "address.postalCode"], recipients=[COURIER.did])
CONTACT = permission("contact", ["email"], purpose="dpv:Marketing")


async def listed(house: House, query: str = "") -> list[Document]:
    """Return every entry, page by page."""
    found: list[Document] = []
    after = ""
    while True:
        mark = "&" if query else ""
        page = await house.own("GET", f"/activity?{query}{mark}limit=3{after}")
        found += page["entries"]
        if "next" not in page:
            return found
        after = "&after=" + page["next"]


def named(entries: list[Document]) -> list[tuple[str, int]]:
    return [(entry["vendor"]["name"], entry["number"]) for entry in entries]


async def two_vendors(house: House) -> tuple[Held, Held]:
    """A book shop and a cheese shop that read in turn, a minute apart, and one refusal of each."""
    await house.import_file(ADA, me="1")
    books = await house.relate([DELIVERY, CONTACT], name="Book Shop")
    assert house.clock is not None
    house.clock.advance(60)
    cheese = await house.relate([DELIVERY], name="Cheese Shop")
    for held in (books, cheese, books):
        house.clock.advance(60)
        await held.get("/delivery/records")
    house.clock.advance(60)
    await books.get("/contact/records")
    await cheese.get("/nothing/records")
    partner = books.delegate(COURIER, path="/delivery")
    house.clock.advance(60)
    await partner.get("/delivery/records?fields=name")
    return books, cheese


B, C = "Book Shop", "Cheese Shop"
ALL = [(B, 4), (C, 2), (B, 3), (B, 2), (C, 1), (B, 1), (C, 0), (B, 0)]


def at(minutes: int) -> str:
    return format_time(START_S + minutes * 60)


FILTERS: list[tuple[str, list[tuple[str, int]]]] = [
    ("", ALL),
    ("vendor=cheese", [(C, 2), (C, 1), (C, 0)]),
    ("vendor=SHOP", ALL),
    ("vendor=&field=", ALL),
    ("vendor=nobody", []),
    ("outcome=refused", [(C, 2)]),
    ("outcome=changed", [(C, 0), (B, 0)]),
    ("outcome=erased", []),
    ("permission=contact", [(B, 3)]),
    ("field=email", [(B, 3)]),
    ("field=address.postalCode", [(B, 2), (C, 1), (B, 1)]),
    ("field=name&vendor=cheese", [(C, 1)]),
    ("field=postalCode", []),
    (f"since={at(4)}", [(B, 4), (C, 2), (B, 3), (B, 2)]),
    (f"until={at(3)}", [(B, 1), (C, 0), (B, 0)]),
    (f"since={at(2)}&until={at(4)}&outcome=admitted", [(C, 1), (B, 1)]),
]


@pytest.mark.requirement("HTTP-78", "HTTP-79", "HTTP-80", "HTTP-81")
@pytest.mark.asyncio
async def test_entries_of_all_grants(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        books, cheese = await two_vendors(house)
        for query, expected in FILTERS:
            entries = await listed(house, query)
            # Of one instant, the order is by grant.
            times = [entry["time"] for entry in entries]
            assert times == sorted(times, reverse=True), query
            assert sorted(named(entries)) == sorted(expected), query
            for told in entries:
                own = await house.own("GET", f"/grants/{told['grant']}/ledger?first={told['number']}&limit=1")
                [entry] = own["entries"]
                assert {**entry, "number": told["number"]} == {name: told[name] for name in entry}
        for query, of in ((f"vendor={quote(cheese.key.did)}", cheese), (f"grant={books.grant}", books)):
            entries = await listed(house, query)
            assert {entry["grant"] for entry in entries} == {of.grant}
        whos = {entry["number"]: entry.get("who") for entry in await listed(house, f"grant={books.grant}")}
        assert whos[0] is None
        assert whos[1] == {"id": books.key.did, "is": "vendor"}
        assert whos[4] == {"id": COURIER.did, "is": "partner"}
        timeline = await house.own("GET", f"/activity/timeline?since={at(0)}&until={at(6)}&buckets=6")
        counts = [[one[kind] for kind in ("admitted", "refused", "changed")] for one in timeline["buckets"]]
        assert counts == [[0, 0, 1], [0, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]]
        assert [(one["vendor"]["name"], one["admitted"]) for one in timeline["busiest"]] == [(B, 3), (C, 1)]
        assert (timeline["width"], timeline["first"]) == (60, at(0))
        of_field = await house.own("GET", "/activity/timeline?field=email")
        assert sum(one["admitted"] for one in of_field["buckets"]) == 1
        assert (of_field["looked"], of_field["complete"]) == (5, True)
        readers = await house.own("GET", f"/grants/{books.grant}/readers")
        assert readers == {
            "readers": [
                {"id": COURIER.did, "is": "partner", "reads": 1, "last": at(6)},
                {"id": books.key.did, "is": "vendor", "reads": 3, "last": at(5)},
            ],
            "looked": 5,
            "complete": True,
        }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/activity?after=nonsense", 400),
        ("/activity?after=1.2", 400),
        ("/activity?after=-1.2.x", 400),
        ("/activity?outcome=read", 400),
        ("/activity?since=yesterday", 400),
        ("/activity?grant=0e8d6f0b-3b7e-4a55-b0f1-6d2f5a9c4e18", 404),
        ("/activity/timeline?since=2026-11-24T00:00:00Z&until=2026-11-24T00:00:00Z", 400),
        ("/activity/timeline?buckets=-1", 400),
        ("/activity/timeline?grant=x", 404),
        ("/grants/0e8d6f0b-3b7e-4a55-b0f1-6d2f5a9c4e18/readers", 404),
        ("/activity?limit=0", 200),
        ("/activity?after=99999999999999999999999.99999999999999999999.x", 200),
        ("/activity/timeline?buckets=0", 200),
        ("/activity/timeline?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z&buckets=999", 200),
    ],
)
@pytest.mark.asyncio
async def test_what_cannot_be_asked(tmp_path: Path, path: str, status: int) -> None:
    async with open_house(tmp_path / "node") as house:
        assert (await house.owner("GET", path)).status == status


@pytest.mark.requirement("HTTP-82")
@pytest.mark.asyncio
async def test_today_tells_what_waits_and_who_read(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        empty = await house.own("GET", "/today")
        assert empty["reads"] == []
        assert [empty[name]["count"] for name in ("ending", "newKeys", "restored")] == [0, 0, 0]
        await two_vendors(house)
        soon = await house.relate([CONTACT], name="Soon Over", days=14)
        await house.relate([CONTACT], name="Later Over", days=15)
        ended = await house.relate([CONTACT], name="Over", days=3)
        await house.change(ended.grant, "end")
        await house.ask(house.key(), [CONTACT], name="Waiting")
        today = await house.own("GET", "/today")
        assert today["requests"] == {"waiting": 1}
        assert [one["grant"] for one in today["ending"]["grants"]] == [soon.grant]
        told = [(one["vendor"]["name"], one["reads"], one["refused"]) for one in today["reads"]]
        assert told == [(B, 4, 0), (C, 1, 1)]
        house.clock.advance(7 * 86_400 + 600)
        later = await house.own("GET", "/today")
        assert later["reads"] == []
        assert later["ending"]["count"] == 2
