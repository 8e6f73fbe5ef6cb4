"""Where grants are reached: the person adds an origin by a signed statement, and nothing dies of a move."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from freehold_node.store.store import Transactor
from freehold_protocol.capability import Capability
from freehold_protocol.grant import Grant
from freehold_protocol.keys import SigningKey
from freehold_protocol.moved import Moved, verify_moved
from freehold_protocol.proof import sign_document
from freehold_protocol.receipt import Receipt
from harness import PASSPHRASE, Held, House, TestClock, free_port, make_keys, open_house
from shop import COURIER, MARKETING, keys_of, kinds, shop

pytestmark = pytest.mark.asyncio
READ = "/delivery/records"


def at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def add(house: House, origin: str, **more: Any) -> Any:
    return await house.own("POST", "/origins", {"origin": origin, "passphrase": PASSPHRASE, **more})


async def told(held: Held) -> Any:
    reply = await held.house.signed(held.key, "GET", f"/g/{held.grant}")
    assert reply.status == 200, reply.body
    return reply.json


async def renewed(held: Held) -> Held:
    reply = await held.house.signed(held.key, "POST", f"/g/{held.grant}/renew")
    assert reply.status == 200, reply.body
    return dataclasses.replace(held, capability=Capability.from_dict(reply.json["capability"]))


async def reached(house: House) -> dict[str, Any]:
    return {one["grant"]: one for one in (await house.own("GET", "/origins"))["grants"]}


async def test_a_move_to_another_address_kills_nothing(tmp_path: Path) -> None:
    folder, clock = tmp_path / "node", TestClock()
    keys, old, new = make_keys(folder, Random(1)), free_port(), free_port()
    async with open_house(folder, keys=keys, clock=clock, port=old) as house:
        held, other = await shop(house), await house.relate([MARKETING], name="Other Shop")
        ended = await house.relate([MARKETING], name="Third Shop")
        await house.change(other.grant, "pause")
        await house.change(ended.grant, "end")
        done = await add(house, at(new))
        assert set(done["added"]) == {held.grant, other.grant}
        assert done["had"] == []
        assert (await held.get(READ)).status == 200  # nothing changed where it is
        assert (await renewed(held)).capability.target == f"{at(old)}/g/{held.grant}"
        assert (await kinds(house, held.grant))[:2] == ["changed approve", "changed move"]
        assert (await house.own("POST", "/verify", {}))["intact"]
    clock.advance(60)
    async with open_house(folder, keys=keys, clock=clock, port=new, seed=2) as house:
        assert (await reached(house))[held.grant] == {
            "grant": held.grant, "vendor": "Test Shop", "state": "live",
            "origins": [at(old), at(new)], "moved": [at(new)], "reached": [at(new)],
        }  # fmt: skip
        held, other = (dataclasses.replace(one, house=house) for one in (held, other))
        answer = await told(held)
        grant = Receipt.from_dict(answer["receipt"]).verify()
        [statement] = answer["statements"]
        verify_moved(Moved.from_dict(statement), grant=grant)
        fresh = await renewed(held)
        assert fresh.capability.target == f"{at(new)}/g/{held.grant}"
        assert (await fresh.get(READ)).status == 200
        assert (await fresh.delegate(COURIER, path="/delivery").get(READ)).status == 200
        await house.change(other.grant, "resume")
        assert (await (await renewed(other)).get("/marketing/records")).status == 200
        assert (await house.own("POST", "/verify", {}))["intact"]


async def test_without_a_statement_another_address_is_nowhere(tmp_path: Path) -> None:
    folder, clock = tmp_path / "node", TestClock()
    keys, old, new = make_keys(folder, Random(1)), free_port(), free_port()
    async with open_house(folder, keys=keys, clock=clock, port=old) as house:
        held = await shop(house)
    async with open_house(folder, keys=keys, clock=clock, port=new, seed=2) as house:
        assert (await reached(house))[held.grant]["reached"] == []
        held = dataclasses.replace(held, house=house)
        # What is issued is for where the grant is: not for where the node happens to listen.
        assert (await renewed(held)).capability.target == f"{at(old)}/g/{held.grant}"
        serving = (await keys_of(house, held.grant)).serving
        tag = held.capability.generation
        from freehold_protocol.capability import delegate

        forged = delegate(
            serving, capability_id="urn:uuid:" + house.uuid(), controller=held.key.public,
            target=f"{at(new)}/g/{held.grant}", actions=("read",), created_s=house.now_s(),
            expires_s=house.now_s() + 3600, generation=tag,
        )  # fmt: skip
        assert (await dataclasses.replace(held, capability=forged).get(READ)).code == "not-found"
        await add(house, at(new))
        assert (await dataclasses.replace(held, capability=forged).get(READ)).status == 200


@pytest.mark.requirement("MOV-9")
async def test_it_takes_the_passphrase_and_the_owner(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        body = {"origin": "http://127.0.0.1:9"}
        for wrong in ({}, {"passphrase": "not this one"}, {"passphrase": 7}):
            assert (await house.owner("POST", "/origins", body | wrong)).code == "passphrase-wrong"
        full = body | {"passphrase": PASSPHRASE}
        for key in (held.key, SigningKey(bytes(32))):
            for method in ("GET", "POST"):
                refused = await house.signed(key, method, "/owner/origins", full)
                assert refused.code == "not-authenticated"
        assert (await told(held))["statements"] == []
        assert (await reached(house))[held.grant]["moved"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"origin": "http://node.example"}, "malformed"),
        ({"origin": "http://192.168.1.2:8420"}, "malformed"),
        ({"origin": "https://node.example/"}, "malformed"),
        ({"origin": "https://node.example/path"}, "malformed"),
        ({"origin": "https://user:secret@node.example"}, "malformed"),
        ({"origin": "https://node.example:443"}, "malformed"),
        ({"origin": "node.example"}, "malformed"),
        ({"origin": "javascript:alert(1)"}, "malformed"),
        ({"origin": "https://node.example\n"}, "malformed"),
        ({"origin": ""}, "malformed"),
        ({"origin": 7}, "malformed"),
        ({"origin": "https://" + "a" * 300}, "too-large"),
        ({}, "malformed"),
        ({"origin": "https://node.example", "grants": []}, "malformed"),
        ({"origin": "https://node.example", "grants": ["no id"]}, "malformed"),
        ({"origin": "https://node.example", "grants": [7]}, "malformed"),
        ({"origin": "https://node.example", "grants": ["9b2f6c1e-0d3a-4c53-8a71-5e0f4d2c7b60"]}, "not-found"),
        ({"origin": "https://node.example", "more": 1}, "malformed"),
    ],
)
async def test_what_is_not_added(tmp_path: Path, body: Any, code: str) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        refused = await house.owner("POST", "/origins", body | {"passphrase": PASSPHRASE})
        assert refused.code == code
        assert (await told(held))["statements"] == []
        assert await kinds(house, held.grant) == ["changed approve"]


async def test_the_same_again_changes_nothing_and_case_is_none(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        assert (await add(house, "HTTPS://Node.Example"))["origin"] == "https://node.example"
        for origin in ("https://node.example", house.base):
            done = await add(house, origin)
            assert (done["added"], done["had"]) == ([], [held.grant])
        assert len((await told(held))["statements"]) == 1


async def test_only_some_and_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held, other = await shop(house), await house.relate([MARKETING], name="Other Shop")
        for number in range(3):
            done = await add(house, f"https://h{number}.example", grants=[held.grant])
            assert done["added"] == [held.grant]
        refused = await house.owner(
            "POST", "/origins", {"origin": "https://h3.example", "passphrase": PASSPHRASE}
        )
        assert (refused.status, refused.code) == (409, "conflict")
        assert held.grant in refused.json["detail"]
        assert (await told(other))["statements"] == []  # all at once or not at all
        await add(house, "https://h3.example", grants=[other.grant])
        assert (await reached(house))[other.grant]["origins"] == [house.base, "https://h3.example"]
        assert len((await reached(house))[held.grant]["origins"]) == 4


async def test_what_the_network_reaches_does_not_move_to_this_machine(tmp_path: Path) -> None:
    """A grant whose own origins are public: made by hand, as a node with a public origin would."""
    async with open_house(tmp_path / "node") as house:
        house.node.inbox._origins = ("https://node.example",)
        held = await shop(house, days=30)
        refused = await house.owner(
            "POST", "/origins", {"origin": "http://127.0.0.1:9", "passphrase": PASSPHRASE}
        )
        assert (refused.code, "loopback" in refused.json["detail"]) == ("malformed", True)
        assert (await reached(house))[held.grant]["moved"] == []


@pytest.mark.requirement("MOV-7")
async def test_a_new_capability_is_for_the_first_of_the_nodes_own_origins_that_the_grant_has(
    tmp_path: Path,
) -> None:
    folder, clock = tmp_path / "node", TestClock()
    keys, port = make_keys(folder, Random(1)), free_port()
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        held = await shop(house)
        path = (await house.own("GET", f"/grants/{held.grant}"))["document"]["request"]
        assert path
        for own, target in (
            (("https://b.example", house.base), house.base),
            (("https://b.example",), house.base),  # none of them: the grant's first
        ):
            house.node.relations._origins = own
            assert (await renewed(held)).capability.target.startswith(target + "/g/")
        await add(house, "https://b.example")
        house.node.relations._origins = ("https://c.example", "https://b.example", house.base)
        assert (await renewed(held)).capability.target.startswith("https://b.example/g/")


@pytest.mark.requirement("ROT-8")
async def test_a_change_of_keys_takes_the_statements_along(tmp_path: Path) -> None:
    folder, clock = tmp_path / "node", TestClock()
    keys, old, new = make_keys(folder, Random(1)), free_port(), free_port()
    async with open_house(folder, keys=keys, clock=clock, port=old) as house:
        held = await shop(house)
        await add(house, at(new))
        await add(house, "https://node.example")
        before = (await told(held))["statements"]
        await house.change(held.grant, "rotate")
        answer = await told(held)
        grant = Receipt.from_dict(answer["receipt"]).verify()
        [statement] = answer["statements"]
        moved = Moved.from_dict(statement)
        verify_moved(moved, grant=grant)
        assert moved.origins == (at(new), "https://node.example")
        for one in before:
            with pytest.raises(Exception, match="another key"):
                verify_moved(Moved.from_dict(one), grant=grant)
        assert (await house.own("POST", "/verify", {}))["intact"]
    async with open_house(folder, keys=keys, clock=clock, port=new, seed=2) as house:
        held = await renewed(dataclasses.replace(held, house=house))
        assert (await held.get(READ)).status == 200


async def test_verify_finds_an_origin_that_nobody_stated(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        owner = house.node.owner
        standing = await house.node.store.read(lambda reader: reader.standing(owner, held.grant))
        assert standing is not None
        grant = Grant.from_dict((await house.own("GET", f"/grants/{held.grant}"))["document"])
        statement = sign_document(
            {
                "@context": grant.document["@context"], "type": "Moved", "grant": grant.document["id"],
                "origins": ["https://evil.example"], "nonce": "n" * 22, "created": "2026-11-23T12:00:00Z",
            },
            (await keys_of(house, held.grant)).serving,
        )  # fmt: skip
        cases: list[tuple[list[str], list[bytes]]] = [
            (["https://evil.example"], []),
            (["https://evil.example"], [json.dumps(statement).encode()]),
            ([], [json.dumps(statement).encode()]),
        ]
        for origins, documents in cases:

            def write(tx: Transactor, origins: Any = origins, documents: Any = documents) -> None:
                tx.replace_moved(owner, held.grant, origins, documents)

            await house.node.store.write(write)
            found = await house.own("POST", "/verify", {})
            assert not found["intact"]
            assert found["grants"][0]["damaged"] == [{"reason": "statement"}]


@pytest.mark.requirement("MOV-10", "HTTP-61")
async def test_an_approval_tells_the_statements_too(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await shop(house)
        key = house.key()
        path, request = await house.ask(key, [MARKETING])
        await house.approve(path, [MARKETING])
        await add(house, "https://node.example")
        answer = (await house.signed(key, "GET", path)).json
        assert [one["origins"] for one in answer["statements"]] == [["https://node.example"]]
        assert answer["grant"].startswith(house.base)
        assert request.vendor == key.did
