"""Pages, cursors, and questions put to a view: they reach what is shown, each record once, and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from freehold_protocol.encoding import Document
from harness import ADA, Held, House, Reply, open_house, permission
from shop import MARKETING, alias_of_self, contacts, keys_of

ABOUT_ANY = {"purpose": "dpv:Marketing", "about": "any"}
BOOK = permission("book", ["name", "description"], **ABOUT_ANY)
NAMES = permission("names", ["name"], **ABOUT_ANY)
CURSOR_STALE = (409, "cursor-stale")


def asked(**query: Any) -> str:
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
    pairs = [f"{name}={quote(text, safe='')}" for name, text in texts.items()]
    return "?" + "&".join(pairs) if pairs else ""


async def page(held: Held, of: str = "book", **query: Any) -> Document:
    reply = await held.get(f"/{of}/records{asked(**query)}")
    assert reply.status == 200, (query, reply.body)
    found: Document = reply.json
    return found


def outcome(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.code


async def records(house: House) -> list[Document]:
    found: list[Document] = (await house.own("GET", "/records?limit=1000"))["records"]
    return found


async def edit(house: House, record: str, **changes: Any) -> None:
    path = "/records/" + record.removeprefix("urn:uuid:")
    seen = await house.own("GET", path)
    await house.own("PUT", path, {"content": seen["content"] | changes, "previous": seen["cid"]})


# Pages


@pytest.mark.asyncio
async def test_pages_give_each_record_once_in_spite_of_edits(tmp_path: Path) -> None:
    rng = random.Random(3)
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 250))
        known = [one["id"] for one in await records(house)]
        held = await house.relate([BOOK])
        seen: list[Document] = []
        query: dict[str, Any] = {"limit": 40}
        sizes = []
        while True:
            found = await page(held, **query)
            sizes.append(len(found["items"]))
            seen += found["items"]
            for record in rng.sample(known, 5):
                await edit(house, record, description=f"version {rng.random()}")
            await house.own("POST", "/records", {"content": {"type": "Person", "name": "Later"}})
            if "next" not in found:
                break
            query["cursor"] = found["next"]
        assert sizes == [40, 40, 40, 40, 40, 40, 10]
        assert [one["name"] for one in seen] == [f"Contact {n}" for n in range(1, 251)]
        assert len({one["id"] for one in seen}) == 250


@pytest.mark.asyncio
async def test_pages_of_a_condition_go_on_where_they_stopped(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 12))
        for number, one in enumerate(await records(house)):
            if number % 2:
                await edit(house, one["id"], description="odd")
        held = await house.relate([BOOK])
        where = {"description": "odd"}
        first = await page(held, where=where, limit=4)
        assert [one["name"] for one in first["items"]] == [f"Contact {n}" for n in (2, 4, 6, 8)]
        # Another size of page is no other question.
        rest = await page(held, where=where, limit=100, cursor=first["next"])
        assert [one["name"] for one in rest["items"]] == ["Contact 10", "Contact 12"]
        assert "next" not in rest
        exact = await page(held, where=where, limit=6)
        assert len(exact["items"]) == 6
        assert "next" not in exact


@pytest.mark.asyncio
async def test_a_cursor_is_good_for_its_own_question_only(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 5))
        held = await house.relate([BOOK, NAMES])
        other = await house.relate([BOOK], name="Other Shop")
        cursor = (await page(held, limit=2))["next"]
        of_where = (await page(held, limit=2, where={"description": "version 1"}))["next"]
        of_fields = (await page(held, limit=2, fields="name"))["next"]
        of_names = (await page(held, "names", limit=2))["next"]
        of_other = (await page(other, limit=2))["next"]
        swapped = cursor[::-1]
        flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]
        wrong = [
            "",
            "A",
            "AAAA",
            "A" * 100,
            "A" * 101,
            "%00",
            "ä",
            swapped,
            flipped,
            cursor[:-2],
            cursor + "AA",
        ]
        for text in (*wrong, of_where, of_fields, of_names, of_other):
            reply = await held.get(f"/book/records{asked(limit=2, cursor=text)}")
            assert outcome(reply) == CURSOR_STALE, text
        for query in (
            {"where": {"description": "version 1"}},
            {"fields": "name"},
            {"fields": "name,description"},
        ):
            assert outcome(await held.get(f"/book/records{asked(cursor=cursor, **query)}")) == CURSOR_STALE
        assert outcome(await held.get(f"/names/records{asked(cursor=cursor)}")) == CURSOR_STALE
        assert outcome(await other.get(f"/book/records{asked(cursor=cursor)}")) == CURSOR_STALE
        assert [one["name"] for one in (await page(held, cursor=cursor))["items"]] == [
            "Contact 3", "Contact 4", "Contact 5",
        ]  # fmt: skip
        await house.change(held.grant, "pause")
        await house.change(held.grant, "resume")
        assert outcome(await held.get(f"/book/records{asked(cursor=cursor)}")) == CURSOR_STALE


@pytest.mark.asyncio
async def test_a_query_has_one_form(tmp_path: Path) -> None:
    table = {
        "limit=0": "malformed", "limit=101": "malformed", "limit=-1": "malformed", "limit=1.0": "malformed",
        "limit=": "malformed", "limit=%D9%A1": "malformed", "limit=1&limit=1": "duplicate-key", "limit": "malformed",
        "sort=name": "malformed", "Limit=1": "malformed", "fields=": "malformed", "fields=name,": "malformed",
        "fields=*": "malformed", "fields=name.*": "malformed", "fields=id": "malformed", "fields=proof": "malformed",
        "fields=nosuchterm": "undefined-term", "where=": "malformed", "where=[]": "malformed", "where=1": "malformed",
        'where={"name":null}': "malformed", 'where={"name":["a"]}': "malformed", 'where={"name":{"a":1}}': "malformed",
        'where={"name":NaN}': "malformed", 'where={"name":1e999}': "malformed", 'where={"name":"\\ud800"}': "malformed",
        'where={"name":"a","name":"b"}': "duplicate-key", 'where={"nosuchterm":"a"}': "undefined-term",
        'where={"id":"a"}': "malformed", 'where={"source.file":"a"}': "malformed", "where=%FF": "malformed",
        "where=" + "[" * 100: "malformed", "where=" + "[" * 70 + "]" * 70: "too-deep", "&limit=1": "malformed",
        "limit=1&&fields=name": "malformed", "a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9": "malformed",
    }  # fmt: skip
    async with open_house(tmp_path / "node") as house:
        await house.import_file(contacts(1, 3))
        held = await house.relate([BOOK])
        size = (await house.own("GET", f"/grants/{held.grant}/ledger"))["size"]
        for query, code in table.items():
            reply = await held.get(f"/book/records?{quote(query, safe='=&%,.*')}")
            assert outcome(reply) == (400, code), query
        long = await held.get("/book/records?where=" + "a" * 4091)
        assert outcome(long) == (413, "too-large")
        many = await held.get("/book/records?fields=" + ",".join(["name"] * 65))
        assert outcome(many) == (413, "too-large")
        # What is malformed was never decided on.
        assert (await house.own("GET", f"/grants/{held.grant}/ledger"))["size"] == size


# Questions put to the view


@pytest.mark.asyncio
async def test_a_condition_cannot_ask_what_is_not_shown(tmp_path: Path) -> None:
    """Whether a hidden value is guessed right or wrong, or there is none, the answer is the same bytes."""
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        shown = permission("delivery", ["name", "address.postalCode"])
        held = await house.relate([shown])
        guesses: list[Document] = [
            {"email": "ada@example.com"}, {"email": "bob@example.com"}, {"birthDate": "1985-12-10"},
            {"telephone": "+44 1632 960001"}, {"jobTitle": "Analyst"}, {"address.streetAddress": "1 Analytical Row"},
            {"address.addressCountry": "United Kingdom"}, {"address.addressCountry": "Utopia"},
            {"name": "Ada Example", "email": "ada@example.com"}, {"name": "Ada Example", "email": "x"},
            {"name": "ada example"}, {"address": "EX1 2AB"}, {"address.postalCode": 1}, {"name": True}, {"email": ""},
        ]  # fmt: skip
        replies = [await held.get(f"/delivery/records{asked(where=where)}") for where in guesses]
        assert {reply.body for reply in replies} == {replies[0].body}
        assert {reply.headers["ETag"] for reply in replies} == {replies[0].headers["ETag"]}
        assert replies[0].json["items"] == []
        for good in ({"name": "Ada Example"}, {"address.postalCode": "EX1 2AB"}, {}):
            assert len((await page(held, "delivery", where=good))["items"]) == 1
        # A condition may name what is shown and was not asked for this time.
        found = await page(held, "delivery", where={"name": "Ada Example"}, fields="address.postalCode")
        assert "name" not in found["items"][0]


@pytest.mark.asyncio
async def test_what_one_item_shows_cannot_be_asked_of_another_items_records(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        await house.import_file(contacts(1, 3))
        both = permission("book", ["name", "description", "email"], purpose="dpv:Marketing")
        both["items"].append({"type": "Person", "about": "any", "fields": ["name"]})
        held = await house.relate([both])
        assert len((await page(held))["items"]) == 4
        for where in ({"description": "version 1"}, {"description": "version 2"}):
            assert (await page(held, where=where))["items"] == []
        assert len((await page(held, where={"email": "ada@example.com"}))["items"]) == 1
        assert [sorted(one.keys() & {"name", "email", "description"}) for one in (await page(held))["items"]] == [
            ["email", "name"], ["name"], ["name"], ["name"],
        ]  # fmt: skip


@pytest.mark.asyncio
async def test_a_field_by_name_is_refused_whether_it_exists_or_not(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        held = await house.relate([permission("delivery", ["name", "address.postalCode", "jobTitle"])])
        bodies = set()
        for fields in (
            "email",
            "worksFor.name",
            "address.streetAddress",
            "address",
            "name,email",
            "name.name",
            "spouse",
        ):
            for path in ("/delivery/records", f"/delivery/records/{await alias_of_self(house, held.grant)}"):
                reply = await held.get(path + asked(fields=fields))
                assert outcome(reply) == (403, "not-shared"), fields
                bodies.add(reply.body)
        assert len(bodies) == 1
        # Shared, and there is no such value: absent, without a word.
        found = await page(held, "delivery", fields="jobTitle")
        assert found["items"][0].keys() == {"@context", "id", "type", "issuer", "version", "proof"}


@pytest.mark.asyncio
async def test_no_alias_but_that_of_a_record_shown_is_found(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        await house.import_file(contacts(1, 1))
        held = await house.relate([MARKETING])
        other = await house.relate([permission("marketing", ["name"], **ABOUT_ANY)], name="Other Shop")
        keys = await keys_of(house, held.grant)
        mine = await alias_of_self(house, held.grant)
        (contact,) = [one["id"] for one in await records(house) if one["label"] == "Contact 1"]
        strange = [
            await alias_of_self(house, other.grant), keys.alias_of(contact), keys.alias_of("urn:uuid:" + house.uuid()),
            mine[:-1], mine + "1", mine.swapcase(), "z1", "z" + "1" * 60,
        ]  # fmt: skip
        bodies = set()
        for alias in strange:
            reply = await held.get(f"/marketing/records/{alias}")
            assert outcome(reply) == (404, "not-found"), alias
            bodies.add(reply.body)
        assert len(bodies) == 1
        assert (await held.get(f"/marketing/records/{mine}")).status == 200
        assert (
            await other.get(f"/marketing/records/{await alias_of_self(house, other.grant)}")
        ).status == 200
