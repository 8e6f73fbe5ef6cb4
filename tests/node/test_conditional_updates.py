"""Of updates that were made on one version one is carried out: ``ETag`` and ``If-Match`` of the owner's routes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.canonical import document_cid
from freehold_protocol.encoding import Document
from freehold_protocol.invocation import TAG_OWNER, sign_message
from harness import PASSPHRASE, Held, House, Reply, open_house
from multidict import CIMultiDict
from shop import COURIER, MARKETING, NAME_ONLY, delivery, shop
from tables import differing, tables

RACERS = 24
PROOF = {"passphrase": PASSPHRASE}
FAILED = (412, "precondition-failed")
Outcome = tuple[int, str | None]


@pytest_asyncio.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    async with open_house(tmp_path / "node") as house:
        yield await shop(house)


def outcome(reply: Reply) -> Outcome:
    return reply.status, reply.code


async def send(house: House, method: str, path: str, body: Document | None = None, **more: Any) -> Reply:
    """Send as the owner; ``match`` is the text of If-Match, or a list: one for each line of it."""
    match = more.pop("match", [])
    lines = [match] if isinstance(match, str) else match
    key = more.pop("key", house.node.session_key)
    data = None if body is None else json.dumps(body).encode()
    signed = sign_message(
        key, tag=TAG_OWNER, method=method, target_uri=house.base + "/owner" + path, created_s=house.now_s(),
        nonce=house.nonce(), body=data,
    )  # fmt: skip
    headers = CIMultiDict(signed)
    for line in lines:
        headers.add("If-Match", line)
    return await house.send(method, "/owner" + path, headers, data)


async def person(house: House) -> tuple[str, Document]:
    """Return the path of the record about the person, and how it stands."""
    path = "/records/" + (await house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
    return path, await house.own("GET", path)


def named(shown: Document, name: str) -> Document:
    return {"content": {**shown["content"], "name": name}, "previous": shown["cid"]}


def quoted(tag: str) -> str:
    return f'"{tag}"'


# The tags


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-56")
async def test_a_record_s_tag_is_the_cid_of_its_standing_version(held: Held) -> None:
    house = held.house
    path, shown = await person(house)
    assert (await house.owner("GET", path)).headers["ETag"] == quoted(shown["cid"])
    assert shown["cid"] == document_cid(shown["record"])
    edited = await house.owner("PUT", path, named(shown, "Ada Edited"))
    assert edited.headers["ETag"] == quoted(edited.json["cid"]) != quoted(shown["cid"])
    assert (await house.owner("GET", path)).headers["ETag"] == edited.headers["ETag"]
    added = await house.owner("POST", "/records", {"content": {"type": "Person", "name": "Bob"}})
    assert added.headers["ETag"] == quoted(added.json["cid"])


@pytest.mark.requirement("HTTP-59")
@pytest.mark.asyncio
async def test_a_grant_s_tag_is_the_cid_of_its_standing_version(held: Held) -> None:
    house, path = held.house, f"/grants/{held.grant}"
    first = await house.owner("GET", path)
    assert first.headers["ETag"] == quoted(document_cid(first.json["document"]))
    await held.get("/delivery/records")
    assert (await house.owner("GET", path)).headers["ETag"] == first.headers["ETag"], "a read is no change"
    draft = await house.owner("POST", path + "/draft", {"change": "pause"})
    assert draft.headers["ETag"] == first.headers["ETag"]
    changed = await house.owner("POST", path + "/change", {"digest": draft.json["digest"]})
    then = await house.owner("GET", path)
    assert changed.headers["ETag"] == then.headers["ETag"] == quoted(document_cid(then.json["document"]))
    assert changed.headers["ETag"] != first.headers["ETag"]
    assert then.json["document"]["previous"] == first.headers["ETag"].strip('"')


@pytest.mark.asyncio
async def test_an_approval_tells_the_tag_of_what_it_granted(held: Held) -> None:
    house = held.house
    asked, _ = await house.ask(house.key(), [MARKETING])
    digest = (await house.own("POST", asked + "/draft", {"permissions": [MARKETING]}))["digest"]
    approved = await house.owner("POST", asked + "/approve", {"digest": digest, **PROOF})
    shown = await house.owner("GET", f"/grants/{approved.json['grant']}")
    assert approved.headers["ETag"] == shown.headers["ETag"]


# What is compared

Doing = Callable[[House, Held, list[str] | str], Any]


async def _put(house: House, _: Held, match: list[str] | str) -> Reply:
    path, shown = await person(house)
    return await send(house, "PUT", path, named(shown, "Ada Edited"), match=match)


async def _delete(house: House, _: Held, match: list[str] | str) -> Reply:
    return await send(house, "DELETE", (await person(house))[0], match=match)


async def _choose(house: House, _: Held, match: list[str] | str) -> Reply:
    record = (await house.own("GET", "/records"))["records"][-1]["id"]
    return await send(house, "PUT", "/self", {"record": record}, match=match)


async def _draft(house: House, held: Held, match: list[str] | str) -> Reply:
    return await send(house, "POST", f"/grants/{held.grant}/draft", {"change": "pause"}, match=match)


async def _change(house: House, held: Held, match: list[str] | str) -> Reply:
    path = f"/grants/{held.grant}"
    digest = (await house.own("POST", path + "/draft", {"change": "pause"}))["digest"]
    return await send(house, "POST", path + "/change", {"digest": digest}, match=match)


def _revoke(**body: Any) -> Doing:
    async def revoke(house: House, held: Held, match: list[str] | str) -> Reply:
        return await send(house, "POST", f"/grants/{held.grant}/revocations", body, match=match)

    return revoke


def _shows(path: str) -> Doing:
    async def show(house: House, held: Held, match: list[str] | str) -> Reply:
        record = (await person(house))[0].rpartition("/")[2]
        return await send(house, "GET", path.format(record=record, grant=held.grant), match=match)

    return show


UPDATES: dict[str, tuple[Doing, str]] = {
    "PUT record": (_put, "record"),
    "DELETE record": (_delete, "record"),
    "PUT self": (_choose, "self"),
    "draft": (_draft, "grant"),
    "change": (_change, "grant"),
    "revoke a partner": (_revoke(partner=COURIER.did), "grant"),
    "revoke a capability": (_revoke(capability="A" * 43), "grant"),
    "revoke a permission": (_revoke(permission="marketing"), "grant"),
    "GET record": (_shows("/records/{record}"), "record"),
    "GET grant": (_shows("/grants/{grant}"), "grant"),
}


async def tag_of(held: Held, kind: str) -> str:
    house = held.house
    _, shown = await person(house)
    if kind == "self":
        own: str = (await house.own("GET", "/status"))["self"]["id"]
        return own
    if kind == "record":
        cid: str = shown["cid"]
        return cid
    return (await house.owner("GET", f"/grants/{held.grant}")).headers["ETag"].strip('"')


def matching(tag: str) -> list[list[str] | str]:
    return [
        [], "*", " * ", quoted(tag), f'"other", "{tag}"', f', W/"{tag}",\t"{tag}" ,',
        ['"other"', quoted(tag)],
    ]  # fmt: skip


def not_matching(tag: str) -> list[list[str] | str]:
    return [
        '"other"', '""', '"*"', f'W/"{tag}"', quoted(tag[:-1]), quoted(tag + "a"), quoted(tag.upper()), "", ",",
        ['"other"', f'W/"{tag}"'],
    ]  # fmt: skip


MALFORMED: list[list[str] | str] = [
    "other", '"a" "b"', '"a', "**", '*, "a"', ["*", '"a"'], ["*", "*"], "'a'", 'w/"a"', '"a b"',
]  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-56")
@pytest.mark.parametrize("update", UPDATES)
async def test_another_tag_changes_nothing(held: Held, update: str) -> None:
    house = held.house
    do, kind = UPDATES[update]
    spent = {"nonce"} | ({"draft", "sqlite_sequence"} if update == "change" else set())
    tag = await tag_of(held, kind)
    for refused, expected in ((not_matching(tag), FAILED), (MALFORMED, (400, "malformed"))):
        for match in refused:
            before = await tables(house.node)
            reply = await do(house, held, match)
            assert outcome(reply) == expected, match
            assert differing(before, await tables(house.node)) <= spent, match
            assert "ETag" not in reply.headers


REPEATABLE = {"PUT record", "PUT self", "draft", "GET record", "GET grant"}


@pytest.mark.asyncio
@pytest.mark.parametrize("update", UPDATES)
async def test_the_standing_tag_lets_it_be_done(held: Held, update: str) -> None:
    do, kind = UPDATES[update]
    for number in range(7) if update in REPEATABLE else [4]:
        match = matching(await tag_of(held, kind))[number]
        assert (await do(held.house, held, match)).status < 300, match


@pytest.mark.asyncio
async def test_where_nobody_is_the_person_nothing_matches(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        record = (await house.own("POST", "/records", {"content": {"type": "Person", "name": "Bob"}}))["id"]
        for match in ("*", quoted(record), '""'):
            reply = await send(house, "PUT", "/self", {"record": record}, match=match)
            assert outcome(reply) == FAILED
        assert (await send(house, "PUT", "/self", {"record": record})).headers["ETag"] == quoted(record)
        again = await send(house, "PUT", "/self", {"record": record}, match=quoted(record))
        assert again.status == 204


@pytest.mark.asyncio
async def test_what_has_no_tag_matches_none(held: Held) -> None:
    house = held.house
    asked, _ = await house.ask(house.key(), [MARKETING])
    for method, path, body in (
        ("GET", "/records", None),
        ("POST", "/records", {"content": {"type": "Person", "name": "Bob"}}),
        ("POST", asked + "/refuse", {}),
        ("POST", "/revocations", {"everything": True}),
        ("POST", "/invitations", {"label": "A shop"}),
        ("POST", "/backup", PROOF),
    ):
        before = await tables(house.node)
        assert outcome(await send(house, method, path, body, match='"any"')) == FAILED, path
        assert differing(before, await tables(house.node)) == {"nonce"}, path
        assert (await send(house, method, path, body, match="*")).status < 300, path


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-57")
async def test_what_is_wrong_with_the_request_itself_comes_before(held: Held) -> None:
    house, nobody = held.house, held.house.uuid()
    body = {"content": {"type": "Person"}, "previous": "z"}
    for match in ("*", '"other"', "malformed"):
        for method, path in (("PUT", "/self"), ("DELETE", f"/records/{nobody}"), ("GET", "/grants")):
            reply = await send(house, method, path, key=held.key, match=match)
            assert outcome(reply) == (401, "not-authenticated")
    for match in ("*", '"other"'):
        for method, path, sent in (
            ("GET", f"/records/{nobody}", None),
            ("PUT", f"/records/{nobody}", body),
            ("DELETE", f"/records/{nobody}", None),
            ("GET", f"/grants/{nobody}", None),
            ("POST", f"/grants/{nobody}/draft", {"change": "pause"}),
            ("POST", f"/grants/{nobody}/change", {"digest": "A" * 43}),
            ("POST", f"/grants/{nobody}/revocations", {"permission": "delivery"}),
            ("PUT", "/self", {"record": f"urn:uuid:{nobody}"}),
        ):
            assert outcome(await send(house, method, path, sent, match=match)) == (404, "not-found"), path


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-58")
async def test_what_the_body_names_is_checked_beside_the_condition(held: Held) -> None:
    house = held.house
    path, shown = await person(house)
    second = await house.owner("PUT", path, named(shown, "Ada Second"))
    holding: list[str | list[str]] = ["*", second.headers["ETag"], []]
    for match in holding:
        reply = await send(house, "PUT", path, named(shown, "Ada Third"), match=match)
        assert outcome(reply) == (409, "conflict")
    grant = f"/grants/{held.grant}"
    old = (await house.own("POST", grant + "/draft", {"change": "pause"}))["digest"]
    await house.own("POST", grant + "/revocations", {"permission": "marketing"})
    tag = (await house.owner("GET", grant)).headers["ETag"]
    assert outcome(await send(house, "POST", grant + "/change", {"digest": old}, match=tag))[0] == 409


# Races


async def race(count: int, doing: Callable[[int], Any]) -> Counter[Outcome]:
    return Counter(map(outcome, await asyncio.gather(*map(doing, range(count)))))


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-57")
async def test_of_many_edits_of_one_version_one_is_carried_out(held: Held) -> None:
    house = held.house
    path, shown = await person(house)
    for _ in range(4):
        before = shown

        async def edit(number: int, before: Document = before) -> Reply:
            body = named(before, f"Ada {number}")
            return await send(house, "PUT", path, body, match=quoted(before["cid"]))

        assert await race(RACERS, edit) == {(200, None): 1, FAILED: RACERS - 1}
        shown = await house.own("GET", path)
        assert len(shown["history"]) == len(before["history"]) + 1
        assert shown["record"]["previous"] == before["cid"]


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-57")
async def test_an_edit_and_a_deletion_of_one_version_are_not_both_carried_out(held: Held) -> None:
    house = held.house
    for number in range(6):
        content = {"type": "Person", "name": f"Contact {number}"}
        made = await house.own("POST", "/records", {"content": content})
        path, tag = "/records/" + made["id"].removeprefix("urn:uuid:"), quoted(made["cid"])

        async def act(
            number: int, content: Document = content, made: Document = made, path: str = path, tag: str = tag
        ) -> Reply:
            body = {"content": content | {"name": f"Edited {number}"}, "previous": made["cid"]}
            if number % 2:
                return await send(house, "DELETE", path, match=tag)
            return await send(house, "PUT", path, body, match=tag)

        found = await race(RACERS, act)
        done = sum(count for (status, _), count in found.items() if status < 300)
        assert done == 1, found
        assert set(found) <= {(200, None), (204, None), FAILED, (404, "not-found")}
        assert ((204, None) in found) == ((404, "not-found") in found)


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-57")
async def test_of_many_changes_of_one_version_one_is_carried_out(held: Held) -> None:
    house, path = held.house, f"/grants/{held.grant}"
    narrow: Document = {"change": "narrow", "permissions": [NAME_ONLY]}
    widen: Document = {"change": "widen", "permissions": [delivery(), MARKETING]}
    for changes in ([narrow], [widen], [{"change": "pause"}, narrow], [{"change": "end"}, narrow]):
        shown = await house.owner("GET", path)
        digests: list[str] = [
            (await house.own("POST", path + "/draft", changes[number % len(changes)]))["digest"]
            for number in range(6)
        ]

        async def act(number: int, digests: list[str] = digests, tag: str = shown.headers["ETag"]) -> Reply:
            body = {"digest": digests[number % len(digests)], **PROOF}
            return await send(house, "POST", path + "/change", body, match=tag)

        assert await race(12, act) == {(200, None): 1, FAILED: 11}
        then = await house.own("GET", path)
        assert then["version"] == shown.json["version"] + 1


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-57")
async def test_of_many_ways_to_take_back_on_one_version_one_is_carried_out(held: Held) -> None:
    house, path = held.house, f"/grants/{held.grant}"
    tag = (await house.owner("GET", path)).headers["ETag"]
    digest = (await house.own("POST", path + "/draft", {"change": "pause"}))["digest"]

    async def act(number: int) -> Reply:
        if number % 2:
            return await send(house, "POST", path + "/change", {"digest": digest}, match=tag)
        body = {"permission": "marketing" if number % 4 else "delivery"}
        return await send(house, "POST", path + "/revocations", body, match=tag)

    assert await race(RACERS, act) == {(200, None): 1, FAILED: RACERS - 1}
    assert (await house.own("GET", path))["version"] == 2


@pytest.mark.asyncio
@pytest.mark.requirement("HTTP-57")
async def test_of_many_choices_of_the_self_record_one_is_carried_out(held: Held) -> None:
    house = held.house
    own = (await house.own("GET", "/status"))["self"]["id"]
    others = [
        (await house.own("POST", "/records", {"content": {"type": "Person", "name": f"B {n}"}}))["id"]
        for n in range(12)
    ]

    async def choose(number: int) -> Reply:
        return await send(house, "PUT", "/self", {"record": others[number]}, match=quoted(own))

    assert await race(12, choose) == {(204, None): 1, FAILED: 11}
