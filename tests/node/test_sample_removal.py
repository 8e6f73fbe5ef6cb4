"""Removing the sample: all of it and nothing else, at once, and for its vendors there never was anything."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from freehold_protocol.encoding import base64url_encode
from harness import Held, House, open_house, permission
from shop import COURIER, MARKETING, contacts, delivery, shop
from tables import Tables, tables

SAMPLE = contacts(900, 3)
DIGEST = base64url_encode(hashlib.sha256(SAMPLE).digest())
ANY_CONTACT = permission("friends", ["name"], about="any", newRecords=True)
KEPT = {"owner_action", "nonce", "node", "owner", "event"}


async def with_sample(house: House) -> tuple[Held, Held]:
    """A vendor of the person's own, then a sample with a shop, its courier, and a file."""
    own = await shop(house)
    await own.get("/delivery/records")
    key = house.key()
    await house.node.samples.mark(vendors=[key.did], files=[DIGEST])
    await house.import_file(SAMPLE, name="sample.vcf")
    sample = await house.relate([delivery(), MARKETING], key=key, name="Sample Shop")
    await sample.get("/delivery/records")
    await sample.get("/nothing/records")
    await sample.delegate(COURIER, path="/delivery").get("/delivery/records")
    await house.own("POST", f"/grants/{sample.grant}/revocations", {"partner": COURIER.did})
    await house.own("POST", f"/grants/{sample.grant}/draft", {"change": "pause"})
    await house.ask(key, [MARKETING], name="Sample Shop")
    return own, sample


def mentions(found: Tables, *words: str) -> set[str]:
    return {
        name
        for name, rows in found.items()
        if name not in KEPT and any(word in row for row in rows for word in words)
    }


@pytest.mark.requirement("HTTP-83", "HTTP-84")
@pytest.mark.asyncio
async def test_the_sample_leaves_nothing_and_takes_nothing_else(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        own, sample = await with_sample(house)
        told = (await house.own("GET", "/sample"))["sample"]
        assert [one["name"] for one in told["vendors"]] == ["Sample Shop"]
        assert {name: told[name] for name in ("relationships", "grants", "records")} == {
            "relationships": 2, "grants": [sample.grant], "records": 3,
        }  # fmt: skip
        requests = [
            one["id"] for one in (await house.own("GET", "/requests"))["requests"]
            if one["vendor"]["id"] == sample.key.did
        ]  # fmt: skip
        words = (sample.grant, sample.key.did, *requests, "Sample Shop", "Contact 90", DIGEST)
        before = await tables(house.node)
        assert mentions(before, sample.grant) >= {"access_grant", "entry", "grant_version", "link", "route"}
        removed = await house.own("POST", "/sample/remove", {})
        assert removed == {"grants": [sample.grant], "relationships": 2, "records": 3}
        after = await tables(house.node)
        assert mentions(after, *words) == set()
        for name in before.keys() - KEPT:
            left = [row for row in before[name] if row in after[name]]
            assert list(after[name]) == left, name  # nothing was added or altered
            gone = [row for row in before[name] if row not in after[name]]
            assert not any(own.grant in row for row in gone), name
        assert (await own.get("/delivery/records")).status == 200
        assert (await house.own("POST", "/verify", {}))["intact"] is True
        assert await house.own("GET", "/sample") == {"sample": None}
        assert (await house.owner("POST", "/sample/remove", {})).status == 404


@pytest.mark.requirement("HTTP-83")
@pytest.mark.asyncio
async def test_who_held_anything_of_the_sample_is_a_stranger(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        _, sample = await with_sample(house)
        path, _ = await house.ask(sample.key, [MARKETING], name="Sample Shop")
        waiting = asyncio.create_task(house.signed(sample.key, "GET", path, headers={"Prefer": "wait=30"}))
        headers = sample.headers("GET", f"/g/{sample.grant}/events")
        async with house.session.get(f"{house.base}/g/{sample.grant}/events", headers=headers) as stream:
            assert (await stream.content.readline()).startswith(b"event: ready")
            await house.own("POST", "/sample/remove", {})
            async with asyncio.timeout(10):
                await stream.read()
        async with asyncio.timeout(10):
            assert (await waiting).status == 404
        for under in (
            "",
            "/delivery",
            "/delivery/records",
            "/events",
            "/ledger/entries",
            "/ledger/checkpoint",
        ):
            assert (await sample.get(under)).status == 404, under
        assert (await house.signed(sample.key, "POST", f"/g/{sample.grant}/renew", {})).status == 404
        assert (await house.signed(sample.key, "GET", path)).status == 404
        assert (await house.owner("GET", f"/grants/{sample.grant}")).status == 404


@pytest.mark.requirement("HTTP-84")
@pytest.mark.asyncio
async def test_only_what_was_marked_goes(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        own, _ = await with_sample(house)
        friends = await house.relate([ANY_CONTACT], name="Friends")
        assert len(await friends.contents("friends")) == 4
        records = (await house.own("GET", "/records?q=contact"))["records"]
        path = "/records/" + records[0]["id"].removeprefix("urn:uuid:")
        shown = await house.own("GET", path)
        mine = {**shown["content"], "name": "My friend"}
        await house.own("PUT", path, {"content": mine, "previous": shown["cid"]})
        entries = (await house.own("GET", f"/grants/{friends.grant}"))["entries"]
        assert (await house.own("POST", "/sample/remove", {}))["records"] == 2
        assert sorted(one["name"] for one in await friends.contents("friends")) == [
            "Ada Example",
            "My friend",
        ]
        assert (await house.own("GET", f"/grants/{friends.grant}"))["entries"] > entries
        grants = {one["id"] for one in (await house.own("GET", "/grants"))["grants"]}
        assert grants == {own.grant, friends.grant}


@pytest.mark.asyncio
async def test_what_was_erased_is_not_in_the_file(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await with_sample(house)
        size = await house.node.store.size()
        await house.own("POST", "/sample/remove", {})
        after = await house.node.store.size()
        assert after.free > size.free
        assert after.log == 0 or after.log < size.log
