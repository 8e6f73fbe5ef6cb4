"""What takes a fresh proof: the table of the specification holds for every operation, and nobody gets round it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract import Scene
from freehold_protocol.encoding import Document, base64url_encode, format_time
from harness import ADA, PASSPHRASE, Held, House, Reply, permission
from shop import EVE, about_me
from tables import differing, tables

SPECS = Path(__file__).resolve().parents[2] / "specs"
PROOF = {"passphrase": PASSPHRASE}


def table() -> dict[str, list[str]]:
    """Return the operations by when they take a fresh proof, as the specification has them."""
    text = (SPECS / "http.md").read_text("utf-8").partition("### Fresh proof")[2].partition("\n### ")[0]
    return {
        when: re.findall(r"`(\w+)`", cells)
        for when, cells in re.findall(r"^\| (always|where it gives|never) \| (.*) \|$", text, re.MULTILINE)
    }


def routes() -> dict[str, tuple[str, str]]:
    """Return method and path below ``/owner`` of each of the owner's operations."""
    described = json.loads((SPECS / "openapi.json").read_text("utf-8"))["paths"]
    return {
        one["operationId"]: (method.upper(), path.removeprefix("/owner"))
        for path, methods in described.items()
        if path.startswith("/owner/")
        for method, one in methods.items()
        if isinstance(one, dict) and "operationId" in one
    }


ROUTES = routes()


async def unproved(scene: Scene, name: str) -> Reply:
    """Ask for an operation, by a request that would succeed, but without the passphrase."""
    await scene.ready()
    good = await scene.good(name)
    method, path = ROUTES[name]
    body = (
        None if good.body is None else {one: each for one, each in good.body.items() if one != "passphrase"}
    )
    return await scene.house.owner(method, path.format(**good.escaped), body)


def test_the_table_names_every_operation_once() -> None:
    named = [one for names in table().values() for one in names]
    assert sorted(named) == sorted(ROUTES)


@pytest.mark.requirement("HTTP-44", "DSH-8")
@pytest.mark.parametrize("when", ["always", "where it gives", "never"])
@pytest.mark.asyncio
async def test_each_operation_takes_a_proof_as_the_table_says(house: House, when: str) -> None:
    """What ``Scene`` asks for of those that take it where they give does not give."""
    scene, found = Scene(house), {}
    for name in table()[when]:
        reply = await unproved(scene, name)
        found[name] = reply.code if reply.status >= 400 else ""
    assert found == dict.fromkeys(found, "passphrase-wrong" if when == "always" else "")


# Which record is about the person


async def two_people(house: House) -> tuple[str, str]:
    """Have Ada, who is the person, and Eve, who is not; return the ids of their records."""
    await house.import_file(ADA, me="Ada Example")
    await house.import_file(EVE, name="eve.vcf")
    listed = (await house.own("GET", "/records"))["records"]
    own = next(one["id"] for one in listed if one["self"])
    return own, next(one["id"] for one in listed if one["label"] == "Eve Other")


async def as_self(house: House, record: str) -> list[Document]:
    told = await house.own("GET", "/records/" + record.removeprefix("urn:uuid:"))
    found: list[Document] = told.get("asSelf", [])
    return found


async def names(held: Held) -> list[str]:
    return [one["name"] for one in await held.contents("me")]


@pytest.mark.requirement("HTTP-44")
@pytest.mark.asyncio
async def test_another_record_is_not_put_under_a_live_grant_without_a_proof(house: House) -> None:
    ada, eve = await two_people(house)
    held = await house.relate([about_me("name", "email")])
    (told,) = await as_self(house, eve)
    assert (told["grant"], told["permission"], told["fields"]) == (held.grant, "me", ["name", "email"])
    before = await tables(house.node)
    for wrong in ({}, {"passphrase": "not it"}, {"passphrase": ""}, {"passphrase": 1}, {"passphrase": None}):
        reply = await house.owner("PUT", "/self", {"record": eve, **wrong})
        assert (reply.status, reply.code) == (403, "passphrase-wrong"), wrong
    assert differing(before, await tables(house.node)) <= {"nonce"}
    assert await names(held) == ["Ada Example"]
    assert (await house.owner("PUT", "/self", {"record": ada})).status == 204  # it is already
    assert (await house.owner("PUT", "/self", {"record": eve, **PROOF})).status == 204
    assert await names(held) == ["Eve Other"]
    assert await as_self(house, eve) == []
    assert (await house.owner("PUT", "/self", {"record": ada})).code == "passphrase-wrong"


@pytest.mark.requirement("HTTP-44")
@pytest.mark.asyncio
async def test_deleting_the_own_record_first_does_not_get_round_it(house: House) -> None:
    ada, eve = await two_people(house)
    held = await house.relate([about_me("name")])
    await house.own("DELETE", "/records/" + ada.removeprefix("urn:uuid:"))
    assert (await house.owner("PUT", "/self", {"record": eve})).code == "passphrase-wrong"
    assert await held.contents("me") == []


async def paused(house: House, held: Held) -> None:
    await house.change(held.grant, "pause")


async def ended(house: House, held: Held) -> None:
    await house.change(held.grant, "end")


@pytest.mark.requirement("HTTP-44")
@pytest.mark.parametrize("stop", [paused, ended])
@pytest.mark.asyncio
async def test_where_no_grant_is_live_nothing_is_proved(house: House, stop: Any) -> None:
    _, eve = await two_people(house)
    await stop(house, await house.relate([about_me("name")]))
    assert await as_self(house, eve) == []
    assert (await house.owner("PUT", "/self", {"record": eve})).status == 204


@pytest.mark.requirement("HTTP-44")
@pytest.mark.parametrize("given", [
    pytest.param(permission("me", ["name"]), id="the record that was approved, or none"),
    pytest.param(permission("me", ["orderNumber"], type_="Order"), id="another type"),
    pytest.param(permission("me", ["name"], about="any", newRecords=True), id="it is shown already"),
])  # fmt: skip
@pytest.mark.asyncio
async def test_where_a_live_grant_shows_no_more_nothing_is_proved(house: House, given: Document) -> None:
    _, eve = await two_people(house)
    await house.relate([given])
    assert await as_self(house, eve) == []
    assert (await house.owner("PUT", "/self", {"record": eve})).status == 204


@pytest.mark.requirement("HTTP-44")
@pytest.mark.asyncio
async def test_a_grant_that_begins_later_counts(house: House) -> None:
    _, eve = await two_people(house)
    path, _ = await house.ask(house.key(), [about_me("name")])
    await house.approve(path, [about_me("name")], notBefore=format_time(house.now_s() + 3600))
    assert (await as_self(house, eve))[0]["fields"] == ["name"]
    assert (await house.owner("PUT", "/self", {"record": eve})).code == "passphrase-wrong"


# Importing


def card(data: bytes, **more: Any) -> Document:
    return {"name": "book.vcf", "data": base64url_encode(data), **more}


@pytest.mark.requirement("HTTP-44")
@pytest.mark.asyncio
async def test_an_import_puts_nobody_else_under_a_live_grant_without_a_proof(house: House) -> None:
    await house.import_file(ADA, me="Ada Example")
    held = await house.relate([about_me("name")])
    before = await tables(house.node)
    for me in ("Eve Other", "eve@example.com", "1"):
        asked = card(EVE, me=me, switch=True)
        assert (await house.own("POST", "/import/preview", asked))["passphrase"] is True
        for wrong in ({}, {"passphrase": "not it"}):
            reply = await house.owner("POST", "/import", {**asked, **wrong})
            assert (reply.status, reply.code) == (403, "passphrase-wrong")
    assert differing(before, await tables(house.node)) <= {"nonce"}
    assert await names(held) == ["Ada Example"]
    assert (await house.own("POST", "/import/preview", card(ADA, me="Ada Example")))["passphrase"] is False
    assert "passphrase" not in await house.own("POST", "/import/preview", card(EVE))
    await house.own("POST", "/import", card(ADA, me="Ada Example"))
    await house.own("POST", "/import", card(EVE))
    assert await names(held) == ["Ada Example"]
    await house.own("POST", "/import", card(EVE, me="Eve Other", switch=True, **PROOF))
    assert await names(held) == ["Eve Other"]


@pytest.mark.requirement("HTTP-44")
@pytest.mark.asyncio
async def test_a_card_that_is_put_into_the_own_record_is_an_edit_of_that(house: House) -> None:
    """But where that record is gone, the card would be the person, and that takes a proof."""
    ada, _ = await two_people(house)
    held = await house.relate([about_me("name")])
    asked = card(EVE.replace(b"UID:eve", b"UID:eve-2"), me="1")
    assert (await house.own("POST", "/import/preview", asked))["passphrase"] is False
    await house.own("POST", "/import", asked)
    assert await names(held) == ["Ada Example"]
    await house.own("DELETE", "/records/" + ada.removeprefix("urn:uuid:"))
    assert (await house.own("POST", "/import/preview", asked))["passphrase"] is True
    assert (await house.owner("POST", "/import", asked)).code == "passphrase-wrong"
    assert await held.contents("me") == []


@pytest.mark.asyncio
async def test_a_preview_says_who_is_nobody(house: House) -> None:
    assert (await house.owner("POST", "/import/preview", card(EVE, me="Nobody"))).code == "not-found"


@pytest.mark.requirement("HTTP-44", "HTTP-57")
@pytest.mark.asyncio
async def test_a_grant_that_comes_between_the_look_and_the_writing_counts(house: House) -> None:
    """What is given is looked at again in the transaction that writes."""
    _, eve = await two_people(house)
    records = house.node.records
    look = records._store.read

    async def looked(*given: Any, **more: Any) -> Any:
        found = await look(*given, **more)
        records._store.read = look  # type: ignore[method-assign]
        await house.relate([about_me("name")])
        return found

    records._store.read = looked  # type: ignore[method-assign]
    assert (await house.owner("PUT", "/self", {"record": eve})).code == "passphrase-wrong"
    assert (await house.own("GET", "/status"))["self"]["id"] != eve
