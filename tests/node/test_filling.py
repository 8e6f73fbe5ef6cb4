"""An entry about the person, imported where the node knows them already: put into their own record, or in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from freehold_node.filling import Fillable
from freehold_protocol.encoding import Document, base64url_encode
from harness import ADA, House, permission

TYPED = {"type": "Person", "name": "Ada E.", "address": {"type": "PostalAddress", "postalCode": "ZZ9"}}
OTHER = b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bo-1\r\nFN:Bo Example\r\nEMAIL:bo@example.com\r\nEND:VCARD\r\n"
ME = "ada@example.com"


async def typed(house: House, content: Document | None = None) -> str:
    """Have the person type a record about themselves; return its id."""
    made = (await house.own("POST", "/records", {"content": content or TYPED}))["id"]
    await house.own("PUT", "/self", {"record": made})
    return str(made)


async def import_(house: House, data: bytes, name: str = "book.vcf", **more: Any) -> Any:
    body = {"name": name, "data": base64url_encode(data), **more}
    return await house.own("POST", "/import", body)


async def preview(house: House, data: bytes) -> list[Document]:
    body = {"name": "book.vcf", "data": base64url_encode(data)}
    found: list[Document] = (await house.own("POST", "/import/preview", body))["found"]
    return found


async def shown(house: House, record: str) -> Document:
    found: Document = await house.own("GET", f"/records/{record.removeprefix('urn:uuid:')}")
    return found


async def people(house: House) -> list[Document]:
    found: list[Document] = (await house.own("GET", "/records?type=Person"))["records"]
    return found


FILLINGS: dict[str, tuple[Document, Document, set[str], set[str]]] = {
    "nothing there": ({}, {"email": "a"}, {"email"}, set()),
    "the same": ({"email": "a"}, {"email": "a"}, set(), set()),
    "another": ({"email": "a"}, {"email": ["a", "b"]}, set(), {"email"}),
    "half an address": (
        {"address": {"type": "PostalAddress", "postalCode": "1"}},
        {"address": {"type": "PostalAddress", "addressCountry": "X"}}, set(), {"address"},
    ),
    "what the node keeps": ({"id": "x", "created": "y"}, {"id": "z", "source": {}, "name": "n"}, {"name"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("case", FILLINGS)
def test_a_filling_adds_whole_fields_and_replaces_none(case: str) -> None:
    own, found, adds, keeps = FILLINGS[case]
    made = Fillable({"type": "Person", **own}).filled({"type": "Person", **found})
    assert (set(made.adds), set(made.keeps)) == (adds, keeps)
    mine = {name: value for name, value in own.items() if name not in {"id", "created"}}
    assert {name: made.content[name] for name in mine} == mine


@pytest.mark.requirement("IMP-39")
@pytest.mark.asyncio
async def test_a_card_is_put_into_the_record_that_there_is_and_known_again(house: House) -> None:
    me = await typed(house)
    (card, other) = await preview(house, ADA + OTHER)
    assert card["fills"]["keeps"] == ["address", "name"]
    assert {"birthDate", "email", "telephone"} <= set(card["fills"]["adds"])
    assert "name" in other["fills"]["keeps"]
    done = await import_(house, ADA + OTHER, me=ME)
    assert (done["added"], done["changed"], done["fills"]) == (1, 1, card["fills"])
    assert done["self"]["id"] == me
    record = await shown(house, me)
    assert (record["content"]["name"], record["content"]["address"]) == (TYPED["name"], TYPED["address"])
    assert record["content"]["email"] == ME
    assert record["record"]["source"]["file"] == "book.vcf"
    assert len(record["history"]) == 1
    assert len(await people(house)) == 2

    for more in ({}, {"me": ME}):
        again = await import_(house, ADA + OTHER, **more)
        assert (again["added"], again["changed"], again["same"]) == (0, 0, 2)
    (card, _) = await preview(house, ADA + OTHER)
    assert (card["state"], card["self"]) == ("same", True)
    assert "fills" not in card

    newer = ADA.replace(b"BDAY", b"TITLE:Engineer\r\nBDAY").replace(ME.encode(), b"ada@new.example")
    assert (await import_(house, newer))["changed"] == 1
    content = (await shown(house, me))["content"]
    assert (content["jobTitle"], content["email"]) == ("Engineer", ME)
    assert len(await people(house)) == 2


@pytest.mark.requirement("IMP-39")
@pytest.mark.asyncio
async def test_a_card_takes_the_records_place_only_where_that_is_said(house: House) -> None:
    me = await typed(house)
    done = await import_(house, ADA, me=ME, switch=True)
    assert (done["added"], "fills" in done) == (1, False)
    assert done["self"]["id"] != me
    before = await shown(house, me)
    assert (before["content"]["name"], before["self"]) == (TYPED["name"], False)
    assert [one["self"] for one in await people(house)] == [False, True]
    # The card is the person's own by now: to name it again is nothing to fill.
    assert "fills" not in await import_(house, ADA, me=ME)
    wrong = {"name": "a.vcf", "data": base64url_encode(ADA), "me": ME, "switch": "yes"}
    assert (await house.owner("POST", "/import", wrong)).status == 400


@pytest.mark.asyncio
async def test_two_files_fill_one_record_and_it_can_be_taken_apart_again(house: House) -> None:
    await import_(house, ADA, me="1")
    [me] = await people(house)
    other = OTHER.replace(b"EMAIL", b"TITLE:Engineer\r\nEMAIL")
    assert (await import_(house, other, "other.vcf", me="1"))["fills"]["adds"] == ["jobTitle"]
    again = await import_(house, ADA)
    assert (again["changed"], again["same"]) == (0, 1)
    await import_(house, ADA.replace(b"960001", b"960002"))
    content = (await shown(house, me["id"]))["content"]
    assert (content["telephone"], content["jobTitle"]) == ("+44 1632 960002", "Engineer")
    await import_(house, other, "other.vcf", me="1", switch=True)
    assert [one["label"] for one in await people(house)] == ["Ada Example", "Bo Example"]
    await house.own("DELETE", f"/records/{me['id'].removeprefix('urn:uuid:')}")
    assert (await import_(house, ADA))["added"] == 1


@pytest.mark.asyncio
async def test_what_was_put_in_is_forgotten_with_its_record(house: House) -> None:
    me = await typed(house)
    await import_(house, ADA, me=ME)
    await house.own("DELETE", f"/records/{me.removeprefix('urn:uuid:')}")
    assert (await import_(house, ADA))["added"] == 1


@pytest.mark.requirement("IMP-39")
@pytest.mark.asyncio
async def test_a_vendor_reads_what_was_put_in_at_the_next_read_and_nothing_else(house: House) -> None:
    await typed(house)
    held = await house.relate([permission("delivery", ["name", "email"])])
    assert "email" not in (await held.contents("delivery"))[0]
    await import_(house, ADA, me=ME)
    (record,) = await held.contents("delivery")
    assert (record["name"], record["email"]) == (TYPED["name"], ME)
    assert "telephone" not in record


@pytest.mark.requirement("IMP-39")
@pytest.mark.asyncio
@pytest.mark.parametrize("first", ["typed", "sample"])
async def test_nobodys_own_goes_into_the_sample_nor_away_with_it(house: House, first: str) -> None:
    import hashlib

    digest = base64url_encode(hashlib.sha256(ADA).digest())
    await house.node.samples.mark(vendors=[], files=[digest])
    if first == "typed":  # and what a sample's file was put into is theirs still
        me = await typed(house)
        assert (await import_(house, ADA, me=ME))["self"]["id"] == me
        assert (await house.own("POST", "/sample/remove", {}))["records"] == 0
        assert (await shown(house, me))["content"]["name"] == TYPED["name"]
        return
    await import_(house, ADA, me=ME)
    assert "fills" not in (await preview(house, OTHER))[0]
    done = await import_(house, OTHER, "own.vcf", me="1")
    assert done["self"]["label"] == "Bo Example"
    assert (await house.own("POST", "/sample/remove", {}))["records"] == 1
    assert [one["label"] for one in await people(house)] == ["Bo Example"]


@pytest.mark.requirement("IMP-39")
@pytest.mark.asyncio
async def test_what_is_no_person_goes_into_nobody_though_it_calls_itself_what_went_there(
    house: House,
) -> None:
    def linked(**said: str) -> bytes:
        made = {"@context": "https://schema.org", "@id": "https://x.example/1", **said}
        return json.dumps(made).encode()

    me = await typed(house)
    person = linked(**{"@type": "Person", "name": "Ada", "email": ME})
    assert (await import_(house, person, "a.jsonld", me="1"))["fills"]["adds"] == ["email"]
    other = linked(**{"@type": "Organization", "name": "Shop", "telephone": "666"})
    [found] = await preview(house, other)
    assert (found["state"], "self" in found) == ("new", False)
    assert (await import_(house, other, "b.jsonld"))["added"] == 1
    assert "telephone" not in (await shown(house, me))["content"]


@pytest.mark.requirement("IMP-39")
@pytest.mark.asyncio
@pytest.mark.parametrize("named", [True, False])
async def test_what_there_is_no_room_for_stays_outside_and_the_rest_of_the_file_comes(
    house: House, named: bool
) -> None:
    many = [f"{number} {'x' * 1500}" for number in range(100)]
    me = await typed(house, {"type": "Person", "name": "Ada E.", "knowsLanguage": many})
    person: Document = {"@context": "https://schema.org", "@id": "urn:x:1", "@type": "Person", "name": "Ada"}
    others = [{**person, "@id": f"urn:x:{number}", "name": f"P{number}"} for number in range(2, 150)]
    if not named:  # what was put in once is known again
        await import_(house, json.dumps(person).encode(), "a.jsonld", me="1")
    book = json.dumps([*others, {**person, "email": ME, "jobTitle": many}]).encode()
    [*_, last] = await preview(house, book)
    if named:
        assert last["fills"] == {"adds": ["email"], "keeps": ["jobTitle", "name"]}
    done = await import_(house, book, "b.jsonld", **({"me": ME} if named else {}))
    assert (done["added"], done["changed"]) == (148, 1)
    content = (await shown(house, me))["content"]
    assert (content["email"], "jobTitle" in content, len(content["knowsLanguage"])) == (ME, False, 100)
