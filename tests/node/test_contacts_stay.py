"""A grant about the person never releases another card: an address book is many people, and one of them asks nobody.

Fifty cards share names, domains, whole addresses and numbers with the person's. Whatever a vendor tries, no value
that stands only on other cards ever arrives.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from freehold_protocol.encoding import Document
from freehold_protocol.record import content_of
from harness import PASSPHRASE, Held, House, open_house, permission
from overheard import Token, Wire, tokens_of

FIELDS = (
    "name", "givenName", "familyName", "alternateName", "email", "telephone", "birthDate", "jobTitle",
    "description", "url", "worksFor.name", "worksFor.department.name", "address.streetAddress",
    "address.addressLocality", "address.postalCode", "address.addressCountry",
)  # fmt: skip
FIELD_SETS: tuple[tuple[str, ...], ...] = (
    ("name",), ("email",), ("address.postalCode",), ("worksFor.name",), ("name", "email", "telephone"),
    ("address", "worksFor", "name"), ("knows.name", "spouse.email", "children", "name"), FIELDS,
)  # fmt: skip


def _card(lines: Iterable[str]) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])


PERSON = _card([
    "UID:person", "FN:Ada Example", "N:Example;Ada;;;", "NICKNAME:Adie", "EMAIL:ada@family.example",
    "EMAIL:house@family.example", "TEL:+44 1632 960001", "BDAY:1985-12-10", "TITLE:Analyst",
    "ORG:Shared Works;Engines", "ADR:;;1 Analytical Row;Exampleton;;EX1 2AB;United Kingdom",
    "NOTE:The person herself", "URL:https://ada.family.example/",
])  # fmt: skip


def _other(n: int) -> str:
    """Return a card that shares much with the person's, in turns, and says something nobody else does in each."""
    rng = random.Random(n)
    mark = f"other{n:02}{rng.randrange(16**6):06x}"
    name = ("Ada Example", f"Ada Example-{mark}", f"{mark} Example", f"Ada {mark}", mark)[n % 5]
    shared_house, shared_works = n % 3 == 0, n % 4 == 0
    return _card([
        f"UID:{mark}", f"FN:{name}", f"N:Example;{mark if n % 2 else 'Ada'};;;", f"NICKNAME:{mark}",
        f"EMAIL:{mark}@family.example", *(["EMAIL:house@family.example"] if shared_house else []),
        "TEL:+44 1632 960001" if n % 7 == 0 else f"TEL:+44 1632 {n:02}{rng.randrange(10**6):06}",
        f"BDAY:19{50 + n % 30}-0{n % 9 + 1}-2{n % 8}", f"TITLE:{mark} analyst",
        f"ORG:{'Shared Works' if shared_works else mark};{mark}",
        "ADR:;;1 Analytical Row;Exampleton;;EX1 2AB;United Kingdom" if shared_house
        else f"ADR:;;{n} {mark} Row;{mark}ton;;{mark[-4:]}{n};United Kingdom",
        f"NOTE:{mark} is not the person", f"URL:https://{mark}.family.example/",
    ])  # fmt: skip


OTHERS = [_other(n) for n in range(49)]
BOOK = "".join([*OTHERS[:20], PERSON, *OTHERS[20:]]).encode()


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    else:
        yield str(value)


class Watched:
    """A person with an address book, and a vendor on a wire of its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.wire = Wire(node=house.node, base=house.base, session=house.session, clock=house.clock)
        self.key = self.wire.key()
        self.own: set[str] = set()
        self.others: set[str] = set()

    async def look_around(self) -> None:
        """Find out which values stand on the person's card, now or before, and which only on others."""
        listed = (await self.house.own("GET", "/records?limit=1000"))["records"]
        for one in listed:
            shown = await self.house.own("GET", "/records/" + one["id"].removeprefix("urn:uuid:"))
            said = set(_values([shown["content"], [content_of(was) for was in shown["history"]]]))
            (self.own if one["self"] else self.others).update(said)

    async def holds(self, *given: Document) -> Held:
        held = await self.house.relate(given, key=self.key)
        held.house = self.wire
        return held

    def leaked(self) -> set[Token]:
        """Return what arrived of the values that stand only on other cards, hidden in an encoding or not."""
        only = self.others - self.own
        raw = b"".join(self.wire.received)
        arrived = tokens_of(self.wire.received)
        return {value for value in only if value in arrived or (len(value) > 5 and value.encode() in raw)}

    async def record(self, name: str) -> str:
        listed = (await self.house.own("GET", "/records?limit=1000"))["records"]
        found: str = next(one["id"] for one in listed if one["label"] == name and not one["self"])
        return found


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    async with open_house(folder / "node") as house:
        done = await house.import_file(BOOK, me="ada@family.example")
        assert done["added"] == 50
        made = Watched(house)
        await made.look_around()
        assert len(made.others - made.own) > 250
        yield made
        assert made.wire.received
        assert made.leaked() == set()


async def everything(held: Held, name: str) -> list[Any]:
    """Read all that there is, in every way; return the items."""
    items: list[Any] = []
    query = "?limit=1"
    while query:
        reply = await held.get(f"/{name}/records{query}")
        assert reply.status == 200, reply.body
        items += reply.json["items"]
        query = f"?limit=1&cursor={reply.json['next']}" if "next" in reply.json else ""
    whole = await held.get(f"/{name}/records?limit=100")
    assert whole.json["items"] == items
    await held.get(f"/{name}/records", method="HEAD")
    for item in items:
        await held.get(f"/{name}/records/{item['id'].removeprefix('urn:freehold:')}")
    return items


@pytest.mark.asyncio
@pytest.mark.parametrize("new_records", [False, True])
async def test_a_page_about_the_person_is_one_card_whatever_fields_are_shown(
    tmp_path: Path, new_records: bool
) -> None:
    async with watched(tmp_path) as seen:
        asked = [
            permission(f"set-{n}", fields, newRecords=new_records) for n, fields in enumerate(FIELD_SETS)
        ]
        held = await seen.holds(*asked)
        for one in asked:
            assert len(await everything(held, one["name"])) == 1


@pytest.mark.asyncio
async def test_conditions_find_nobody_else(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        held = await seen.holds(
            permission("me", FIELDS, newRecords=True),
            permission("bare", ["name"], newRecords=True),
            permission("twin", ["name", "email"], where={"name": "Ada Example"}, newRecords=True),
            permission("other", ["name", "email"], where={"email": "nobody@family.example"}),
        )
        mark = OTHERS[1].partition("UID:")[2].partition("\r\n")[0]
        conditions: list[Document] = [
            {"name": "Ada Example"}, {"email": "house@family.example"}, {"telephone": "+44 1632 960001"},
            {"address.postalCode": "EX1 2AB"}, {"worksFor.name": "Shared Works"}, {"alternateName": mark},
            {"email": f"{mark}@family.example"}, {"name": "Ada Example", "alternateName": mark},
            {"knows.name": mark}, {"birthDate": True}, {"name": 1}, {"name": ""},
        ]  # fmt: skip
        for condition in conditions:
            for name in ("me", "bare", "twin", "other"):
                reply = await held.get(f"/{name}/records?where={quote(json.dumps(condition))}")
                assert reply.status == 200
                assert len(reply.json["items"]) <= 1
        # What is not shown is not matched either: a hit would tell what the card says.
        hidden = quote(json.dumps({"telephone": "+44 1632 960001"}))
        assert (await held.get(f"/bare/records?where={hidden}")).json["items"] == []
        assert len(await everything(held, "twin")) == 1
        assert await everything(held, "other") == []


QUERIES = (
    "?", "?fields=", "?fields=*", "?fields=name,*", "?fields=.", "?fields=name.", "?fields=name,,email",
    "?fields=%6eame", "?%66ields=name", "?FIELDS=name", "?fields=name&fields=email", "?fields=name;limit=100",
    "?about=any", "?type=Person", "?id=1", "?limit=0", "?limit=101", "?limit=-1", "?limit=1e2", "?limit=%31",
    "?limit=١", "?where=", "?where={}", "?where=[]", "?where=null", "?where={%22type%22:%22Person%22}",
    "?where={%22id%22:%22x%22}", "?where={%22name%22:{}}", "?where={%22name%22:null}", "?where=" + "[" * 90,
    "?where={%22name%22:%22a%22,%22name%22:%22b%22}", "?where={%22@id%22:%22a%22}", "?where={%22source%22:1}",
    "?cursor=", "?cursor=A", "?cursor=" + "A" * 60, "?cursor=" + "A" * 101, "?after=0", "?offset=5", "?fields=id",
    "?fields=source", "?fields=previous", "?fields=address.source.file", "?fields=email&where={%22email%22:1}",
    "?expand=knows", "?sort=name", "?q=Ada", "?fields=name%2Cemail", "?fields=name%00", "?where=%ff",
)  # fmt: skip


@pytest.mark.asyncio
async def test_odd_queries_end_in_the_one_card_or_in_a_refusal(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        held = await seen.holds(permission("me", ["name", "email"], newRecords=True))
        for query in QUERIES:
            if not query.isascii():
                query = quote(query, safe="?=&")
            reply = await held.get(f"/me/records{query}")
            assert reply.status in (200, 400, 403, 409), (query, reply.status)
            if reply.status == 200:
                assert len(reply.json["items"]) <= 1, query


@pytest.mark.asyncio
async def test_a_cursor_leads_nowhere_but_where_it_was_given(tmp_path: Path) -> None:
    """A cursor among all names neither opens the person's page nor another relationship's."""
    async with watched(tmp_path) as seen:
        names = permission("names", ["familyName"], about="any", newRecords=True)
        me = permission("me", ["name", "email", "telephone"], newRecords=True)
        held, again = await seen.holds(names, me), await seen.holds(names, me)
        page = (await held.get("/names/records?limit=20")).json
        cursor, aliases = page["next"], [item["id"].removeprefix("urn:freehold:") for item in page["items"]]
        assert (await held.get(f"/names/records?limit=5&cursor={cursor}")).status == 200
        for reply in (
            await held.get(f"/me/records?limit=20&cursor={cursor}"),
            await again.get(f"/names/records?limit=20&cursor={cursor}"),
            await held.get(f"/names/records?limit=20&cursor={cursor}&fields=familyName"),
            await held.get(f"/names/records?limit=20&cursor={cursor[1:]}{cursor[0]}"),
        ):
            assert (reply.status, reply.code) == (409, "cursor-stale")
        # The alias of a contact, honestly come by, opens what it was shown under and nothing more.
        for alias in aliases:
            shown = await held.get(f"/names/records/{alias}")
            assert shown.json.keys() <= {"@context", "id", "type", "familyName", "issuer", "version", "proof"}
            assert (await held.get(f"/me/records/{alias}")).status == 404
            assert (await again.get(f"/names/records/{alias}")).status == 404


@pytest.mark.asyncio
async def test_narrowing_and_widening_never_let_another_card_in(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        wide = permission("me", FIELDS, newRecords=True)
        held = await seen.holds(wide)
        for change, fields, new in (
            ("narrow", ["name", "email"], False), ("widen", FIELDS, True), ("narrow", ["email"], True),
            ("narrow", ["email"], False), ("widen", FIELDS, False), ("widen", FIELDS, True),
        ):  # fmt: skip
            await seen.house.change(held.grant, change, [permission("me", fields, newRecords=new)])
            assert len(await everything(held, "me")) == 1
        # Nor can the owner's own tools make a grant about the person be about everyone.
        body: Document = {"change": "widen", "permissions": [permission("me", FIELDS, about="any")]}
        refused = await seen.house.owner("POST", f"/grants/{held.grant}/draft", body)
        assert (refused.status, refused.code) == (403, "widened")


@pytest.mark.asyncio
async def test_new_cards_and_changed_cards_of_others_do_not_arrive(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        held = await seen.holds(permission("me", FIELDS, newRecords=True), permission("old", FIELDS))
        late = _card(["UID:late", "FN:Ada Example", "EMAIL:house@family.example", "NOTE:latecomer77"])
        await seen.house.import_file(late.encode())
        other = await seen.record("Ada Example")
        shown = await seen.house.own("GET", "/records/" + other.removeprefix("urn:uuid:"))
        content = shown["content"] | {"email": "changed88@family.example"}
        edit = {"content": content, "previous": shown["cid"]}
        await seen.house.own("PUT", "/records/" + other.removeprefix("urn:uuid:"), edit)
        await seen.look_around()
        assert {"latecomer77", "changed88@family.example"} <= seen.others
        for name in ("me", "old"):
            assert len(await everything(held, name)) == 1


@pytest.mark.asyncio
async def test_when_another_card_becomes_the_person_only_what_may_be_new_follows(tmp_path: Path) -> None:
    """Who the person is, the person says; a grant without new records shows the card that was approved, or none."""
    async with watched(tmp_path) as seen:
        held = await seen.holds(permission("me", FIELDS), permission("later", FIELDS, newRecords=True))
        first = (await seen.house.own("GET", "/status"))["self"]["id"]
        second = await seen.record("Ada Example")
        await seen.house.own("PUT", "/self", {"record": second, "passphrase": PASSPHRASE})
        await seen.look_around()  # what stands on the card is the person's own now
        assert await everything(held, "me") == []
        assert len(await everything(held, "later")) == 1
        await seen.house.own("PUT", "/self", {"record": first, "passphrase": PASSPHRASE})
        assert len(await everything(held, "me")) == 1


@pytest.mark.asyncio
async def test_when_the_persons_card_is_deleted_nobody_takes_its_place(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        held = await seen.holds(permission("me", FIELDS), permission("later", FIELDS, newRecords=True))
        own = (await seen.house.own("GET", "/status"))["self"]["id"]
        await seen.house.own("DELETE", "/records/" + own.removeprefix("urn:uuid:"))
        for name in ("me", "later"):
            assert await everything(held, name) == []
        await seen.house.import_file(BOOK)  # the card is back, but nobody has said that it is the person's
        for name in ("me", "later"):
            assert await everything(held, name) == []


@pytest.mark.asyncio
async def test_without_a_self_record_a_grant_about_the_person_shows_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(BOOK)
        held = await house.relate([permission("me", FIELDS, newRecords=True)])
        assert await everything(held, "me") == []


@pytest.mark.asyncio
async def test_a_file_in_which_another_has_the_persons_uid_does_not_replace_the_card(tmp_path: Path) -> None:
    """Some programs give two cards one UID; in another order, the other must not become the person."""
    async with watched(tmp_path) as seen:
        held = await seen.holds(permission("me", FIELDS, newRecords=True), permission("old", FIELDS))
        twin = _card(["UID:person", "FN:Ada Example", "EMAIL:impostor99@family.example"])
        await seen.house.import_file((PERSON + twin).encode())
        await seen.house.import_file((twin + PERSON).encode())
        for name in ("me", "old"):
            (item,) = await everything(held, name)
            assert "impostor99" not in json.dumps(item)
