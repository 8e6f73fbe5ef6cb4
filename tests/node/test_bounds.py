"""What a holder, or what was allowed once, must not be able to use up: the ledger, the records' readers, the node."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from freehold_node.holder import Call
from freehold_node.selection import parse_selection
from freehold_protocol.errors import StaleSignatureError
from freehold_protocol.limits import CLOCK_SKEW_S
from harness import ADA, House, TestClock, make_keys, open_house, permission

DELIVERY = permission("delivery", ["name"])
HOUR_S = 3_600


async def size_of(house: House, grant: str) -> int:
    listed = await house.own("GET", f"/grants/{grant}/ledger")
    size: int = listed["size"]
    return size


@pytest.mark.asyncio
async def test_links_a_holder_signs_itself_do_not_lengthen_the_ledger(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        shop = await house.relate([DELIVERY])
        await house.change(shop.grant, "end")
        before = await size_of(house, shop.grant)
        for _ in range(20):
            stranger = shop.delegate(house.key(), path="/delivery")
            assert (await stranger.get("/delivery/records")).code == "grant-ended"
        assert await size_of(house, shop.grant) == before + 1


@pytest.mark.requirement("GRA-15")
@pytest.mark.asyncio
async def test_a_partner_that_was_cut_off_changes_nothing_by_renouncing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        key = house.key()
        shop = await house.relate([permission("delivery", ["name"], recipients=[key.did])])
        courier = shop.delegate(key, path="/delivery")
        await house.own("POST", f"/grants/{shop.grant}/revocations", {"partner": key.did})
        before = await size_of(house, shop.grant)
        for _ in range(5):
            link = courier.delegate(house.key(), path="/delivery").capability
            target = f"/g/{shop.grant}/zcaps/revocations/{link.id.replace(':', '%3A')}"
            answer = await house.signed(key, "POST", target, link.document)
            assert answer.status == 204
        assert await size_of(house, shop.grant) == before


@pytest.mark.asyncio
async def test_the_vendor_itself_is_not_cut_off_as_a_partner(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        shop = await house.relate([DELIVERY])
        answer = await house.owner("POST", f"/grants/{shop.grant}/revocations", {"partner": shop.key.did})
        assert (answer.status, answer.code) == (400, "malformed")
        assert await shop.contents("delivery") == [{"type": "Person", "name": "Ada Example"}]


@pytest.mark.asyncio
async def test_a_used_invitation_is_none_whatever_comes(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        invitation = (await house.own("POST", "/invitations", {"label": "Shop"}))["url"]
        path = invitation.removeprefix(house.base)
        headers = {"content-type": "application/json"}
        # Used by the request of another vendor at the same invitation.
        shop = house.key()
        asked = await house.ask(shop, [DELIVERY])
        used = json.dumps(asked[1].document).encode()
        assert (await house.send("POST", path, headers, used)).status == 202
        for body in (b"{}", b'{"type":"AccessRequest"}', b'{"a":{"b":1}}'):
            there = await house.send("POST", path, headers, body)
            never = await house.send("POST", "/i/never", headers, body)
            assert (there.status, there.body) == (never.status, never.body) == (404, never.body)


@pytest.mark.asyncio
async def test_a_page_is_never_of_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        assert len((await house.own("GET", "/records?limit=0"))["records"]) == 1


@pytest.mark.requirement("GRA-19")
@pytest.mark.asyncio
async def test_a_restart_does_not_confirm_a_clock_that_jumped(tmp_path: Path) -> None:
    clock, folder = TestClock(), tmp_path / "node"
    keys = make_keys(folder, random.Random(5))
    async with open_house(folder, keys=keys, clock=clock) as house:
        await house.import_file(ADA, me="Ada Example")
        grant = (await house.relate([DELIVERY])).grant
        clock.step_wall(40 * 24 * HOUR_S)
        await house.node.relations.tick()
    async with open_house(folder, keys=keys, clock=clock, seed=2) as house:
        status = await house.own("GET", "/status")
        assert status["clock"]["suspect"]
        assert (await house.own("GET", f"/grants/{grant}"))["state"] == "live"


@pytest.mark.asyncio
async def test_a_message_that_was_long_on_its_way_is_not_good_again(tmp_path: Path) -> None:
    """Its nonce may be forgotten between the look at its times and the decision."""
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        await house.import_file(ADA, me="Ada Example")
        shop = await house.relate([DELIVERY])
        path = f"/g/{shop.grant}/delivery/records"
        signed = shop.headers("GET", path)
        assert (await house.send("GET", path, signed)).status == 200
        clock, prover = house.clock, house.node.gate._prover
        proven = prover.holder

        async def slow(call: Call, *, grant: str) -> object:
            holder = await proven(call, grant=grant)
            clock.advance(2)
            await house.node.relations.tick()
            return holder

        clock.advance(120 + CLOCK_SKEW_S - 1)
        prover.holder = slow  # type: ignore[assignment,method-assign]
        with pytest.raises(StaleSignatureError):
            await house.node.gate.admit(
                Call(method="GET", target=path, headers=signed),
                grant=shop.grant,
                selection=parse_selection("delivery", None, ""),
                route="/g/{grant}/{permission}/records",
            )


@pytest.mark.asyncio
async def test_large_records_make_short_pages_that_can_be_read(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        for number in range(12):
            text = f"{number} " + "x" * 200_000
            await house.own("POST", "/records", {"content": {"type": "Person", "description": text}})
        shop = await house.relate([permission("all", ["description"], about="any", newRecords=True)])
        seen, query = 0, ""
        while True:
            page = await shop.get(f"/all/records{query}")
            assert page.status == 200, page.body[:300]
            assert len(page.body) < 2 * 2**20
            seen += len(page.json["items"])
            if "next" not in page.json:
                break
            query = f"?cursor={page.json['next']}"
        assert seen == 12


@pytest.mark.asyncio
async def test_a_grant_at_the_bound_of_a_request_stays_readable(tmp_path: Path) -> None:
    """What is granted is a little larger than what was asked; it must not become too large to end."""
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        wheres = [{"address.addressLocality": "x" * 150}] * 1
        items = [
            {"type": "Person", "about": "self", "fields": ["name"], "where": {**wheres[0], "email": f"{n}"}}
            for n in range(16)
        ]
        asked = [
            {"name": f"p{n}", "items": items, "purpose": ["dpv:DeliveryOfGoods"], "retention": "P30D",
             "recipients": [f"did:web:{n}-{i}.example:" + "y" * 470 for i in range(24)]}
            for n in range(16)
        ]  # fmt: skip
        shop = await house.relate(asked)
        document = (await house.own("GET", f"/grants/{shop.grant}"))["document"]
        assert len(json.dumps(document)) > 200_000
        await house.change(shop.grant, "pause")
        await house.change(shop.grant, "end")
        assert (await house.own("GET", f"/grants/{shop.grant}"))["state"] == "ended"
