"""What refusals leave behind: counts in the ledger for holders, nothing for strangers; and what ends say."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable
from pathlib import Path
from random import Random

import pytest
from freehold_node.data_dir import bump_generation
from freehold_protocol.capability import Capability, delegate
from freehold_protocol.errors import EndedError
from freehold_protocol.proof import verify_signed_by
from freehold_protocol.receipt import Receipt
from harness import PASSPHRASE, Held, House, Reply, TestClock, free_port, make_keys, open_house
from shop import COURIER, DAY_S, DRIVER, MARKETING, NAME_ONLY, OUTSIDER, keys_of, kinds, shop
from tables import differing, tables


async def refused_entries(house: House, grant: str) -> list[tuple[str, str | None, int, str]]:
    listed = await house.own("GET", f"/grants/{grant}/ledger")
    entries = [one["entry"] for one in listed["entries"] if one["entry"]["kind"] == "refused"]
    return [(one["code"], one.get("permission"), one["count"], one["hour"]) for one in entries]


def clock_of(house: House) -> TestClock:
    assert house.clock is not None
    return house.clock


# Counting


@pytest.mark.requirement("LED-9", "HTTP-40")
@pytest.mark.asyncio
async def test_refusals_are_counted_by_capability_permission_code_and_hour(tmp_path: Path) -> None:
    noon, one = "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        await house.change(held.grant, "pause")
        for _ in range(4):
            await held.get("/delivery/records")
        await held.get("/marketing/records")
        await held.get("/marketing/records")
        await courier.get("/delivery/records")
        await held.get(
            "/elsewhere/records"
        )  # not a permission of the grant: its name is the caller's own text
        first = [
            ("grant-paused", "delivery", 1, noon),
            ("grant-paused", "marketing", 1, noon),
            ("grant-paused", "delivery", 1, noon),
            ("grant-paused", None, 1, noon),
        ]
        assert await refused_entries(house, held.grant) == first
        clock_of(house).advance(3599)
        await house.node.relations.tick()
        assert await refused_entries(house, held.grant) == first
        await held.get("/delivery/records")
        clock_of(house).advance(1)
        await house.node.relations.tick()
        closed = [("grant-paused", "delivery", 4, noon), ("grant-paused", "marketing", 1, noon)]
        assert sorted((await refused_entries(house, held.grant))[4:]) == closed
        await held.get("/delivery/records")
        clock_of(house).advance(3600)
        await house.node.relations.tick()  # a lone refusal is an entry already
        assert (await refused_entries(house, held.grant))[6:] == [("grant-paused", "delivery", 1, one)]
        assert (await house.own("POST", "/verify", {}))["intact"]


@pytest.mark.asyncio
async def test_a_flood_of_refusals_does_not_grow_the_ledger(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        await house.change(held.grant, "end")
        size = (await house.own("GET", f"/grants/{held.grant}/ledger"))["size"]
        for _ in range(40):
            assert (await held.get("/delivery/records")).code == "grant-ended"
        assert (await house.own("GET", f"/grants/{held.grant}/ledger"))["size"] == size + 1


# Strangers


@pytest.mark.requirement("HTTP-9", "HTTP-12", "LED-21", "PRV-8", "SIG-17")
@pytest.mark.asyncio
async def test_every_stranger_gets_the_same_bytes_and_leaves_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        other = await house.relate([MARKETING], name="Other Shop")
        request, _ = await house.ask(house.key(), [MARKETING])
        here, nowhere = f"/g/{held.grant}", f"/g/{house.uuid()}"
        root = {"created_s": house.now_s(), "expires_s": house.now_s() + DAY_S, "actions": ("read",)}

        def forged(grant: str, *, target: str = "", generation: str | None = None) -> Held:
            made = delegate(
                OUTSIDER,
                capability_id=held.capability.id,
                controller=OUTSIDER.public,
                target=f"{house.base}/g/{grant}{target}",
                root_target=f"{house.base}/g/{grant}",
                generation=generation,
                **root,  # type: ignore[arg-type]
            )
            return Held(house=house, key=OUTSIDER, grant=grant, capability=made)

        unknown = forged(house.uuid())
        mark = held.capability.generation
        thief = dataclasses.replace(held, key=OUTSIDER).delegate(OUTSIDER)
        altered = json.loads(json.dumps(held.capability.document)) | {"controller": OUTSIDER.did}
        stolen = dataclasses.replace(held, key=OUTSIDER, capability=Capability.from_dict(altered))
        revocation = f"/zcaps/revocations/{held.capability.id.replace(':', '%3A')}"
        strangers: dict[str, Awaitable[Reply]] = {
            "no such grant": unknown.get("/delivery/records"),
            "no such grant, ledger": unknown.get("/ledger/entries"),
            "no such grant, status": unknown.get("/delivery"),
            "no such grant, grant": unknown.get(""),
            "forged": forged(held.grant).get("/delivery/records"),
            "forged, with the mark": forged(held.grant, generation=mark).get("/delivery/records"),
            "forged, for one permission": forged(held.grant, target="/delivery").get("/delivery/records"),
            "forged, ledger": forged(held.grant).get("/ledger/entries"),
            "forged, entry": forged(held.grant).get("/ledger/entries/0"),
            "forged, checkpoint": forged(held.grant).get("/ledger/checkpoint"),
            "forged, status": forged(held.grant).get("/delivery"),
            "forged, grant": forged(held.grant).get(""),
            "of another grant": dataclasses.replace(other, grant=held.grant).get("/delivery/records"),
            "delegated by a thief": thief.get("/delivery/records"),
            "delegated by a thief, ledger": thief.get("/ledger/entries"),
            "altered": stolen.get("/delivery/records"),
            "grant by DID": house.signed(OUTSIDER, "GET", here),
            "no such grant by DID": house.signed(OUTSIDER, "GET", nowhere),
            "grant by another vendor": house.signed(other.key, "GET", here),
            "ledger by DID": house.signed(OUTSIDER, "GET", here + "/ledger/entries"),
            "no such ledger by DID": house.signed(OUTSIDER, "GET", nowhere + "/ledger/entries"),
            "renewal": house.signed(OUTSIDER, "POST", here + "/renew"),
            "renewal by another vendor": house.signed(other.key, "POST", here + "/renew"),
            "renewal of no grant": house.signed(OUTSIDER, "POST", nowhere + "/renew"),
            "request": house.signed(OUTSIDER, "GET", request),
            "request of another vendor": house.signed(other.key, "GET", request),
            "no such request": house.signed(OUTSIDER, "GET", f"/requests/{house.uuid()}"),
            "revocation": house.signed(OUTSIDER, "POST", here + revocation, held.capability.document),
            "revocation under no grant": house.signed(
                OUTSIDER, "POST", nowhere + revocation, held.capability.document
            ),
            "revocation of something forged": house.signed(
                OUTSIDER, "POST", here + revocation, forged(held.grant).capability.document
            ),
        }
        before = await tables(house.node)
        plain = await house.send("GET", "/no/such/path", {})
        assert (plain.status, plain.code) == (404, "not-found")
        for name, knock in strangers.items():
            reply = await knock
            assert reply.status == 404, (name, reply.status, reply.body)
            assert reply.body == plain.body, name
            assert sorted(reply.headers.items()) == sorted(plain.headers.items()), name
        assert differing(before, await tables(house.node)) == set()


@pytest.mark.requirement("PRV-5")
@pytest.mark.asyncio
async def test_who_is_no_recipient_learns_the_state_and_not_the_permission(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        serving = (await keys_of(house, held.grant)).serving.public

        async def told(one: Held, name: str) -> tuple[str, list[str]]:
            reply = await one.get(f"/{name}")
            status = reply.json["status"]
            verify_signed_by(status, serving)
            return status["state"], [given["name"] for given in status.get("permission", [])]

        courier = held.delegate(COURIER)
        assert await told(courier, "delivery") == ("live", ["delivery"])
        assert await told(courier, "marketing") == ("live", [])
        assert await told(held.delegate(OUTSIDER), "delivery") == ("live", [])
        assert await told(courier.delegate(OUTSIDER), "delivery") == ("live", [])
        assert await told(held, "marketing") == ("live", ["marketing"])
        assert (await courier.get("/marketing/records")).code == "wrong-controller"
        assert (await courier.delegate(OUTSIDER).get("/delivery/records")).code == "wrong-controller"
        await house.change(held.grant, "narrow", [NAME_ONLY | {"recipients": [DRIVER.did]}, MARKETING])
        assert await told(courier, "delivery") == ("live", [])
        assert (await courier.get("/delivery/records")).code == "wrong-controller"


# How a grant ends


@pytest.mark.requirement("GRA-20")
@pytest.mark.asyncio
@pytest.mark.parametrize("by", ["timer", "read"])
@pytest.mark.parametrize("before", ["live", "paused"])
async def test_expiry_is_committed_once_and_is_no_end(tmp_path: Path, by: str, before: str) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, days=1)
        if before == "paused":
            await house.change(held.grant, "pause")
        clock_of(house).advance(DAY_S - 1)
        assert await house.node.relations.tick() == 0
        assert (await held.get("/delivery/records")).status == (200 if before == "live" else 403)
        clock_of(house).advance(1)
        if by == "read":
            assert (await held.get("/delivery/records")).code == "grant-expired"
        assert await house.node.relations.tick() == (by == "timer")
        assert (await held.get("/delivery/records")).code == "grant-expired"
        assert (await house.own("GET", "/status"))["grants"] == {
            "live": 0,
            "paused": 0,
            "ended": 0,
            "expired": 1,
        }
        seen = await house.own("GET", f"/grants/{held.grant}")
        versions = ["approve", *(["pause"] if before == "paused" else []), "expire"]
        assert (seen["state"], seen["version"], seen["epoch"]) == ("expired", len(versions), len(versions))
        changes = [kind for kind in await kinds(house, held.grant) if kind.startswith("changed")]
        assert changes == [f"changed {change}" for change in versions]
        # Its capability ended with it; the vendor's DID still opens what explains it.
        by_did = await house.signed(held.key, "GET", f"/g/{held.grant}")
        receipt = Receipt.from_dict(by_did.json["receipt"])
        assert receipt.verify().state == "expired"
        assert receipt.to_dict() == seen["receipt"]
        entries = await house.signed(held.key, "GET", f"/g/{held.grant}/ledger/entries?first=1")
        assert entries.status == 200
        # Nothing brings it back.
        for change in ("narrow", "widen", "pause", "resume", "end"):
            body = {"change": change} | (
                {"permissions": [NAME_ONLY]} if change in ("narrow", "widen") else {}
            )
            reply = await house.owner("POST", f"/grants/{held.grant}/draft", body)
            assert (reply.status, reply.code) == (409, "not-in-this-state"), change


@pytest.mark.asyncio
async def test_an_ended_grant_stays_ended_when_its_time_is_over(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, days=1)
        await house.change(held.grant, "end")
        clock_of(house).advance(DAY_S)
        assert await house.node.relations.tick() == 0
        assert (await held.get("/delivery/records")).code == EndedError.code
        assert (await house.signed(held.key, "POST", f"/g/{held.grant}/renew")).code == "grant-ended"


# Restoring


@pytest.mark.requirement("GRA-21", "SEC-7")
@pytest.mark.asyncio
async def test_a_restored_backup_revives_nothing(tmp_path: Path) -> None:
    folder, clock, port = tmp_path / "node", TestClock(), free_port()
    keys = make_keys(folder, Random(1))
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        gone = await house.relate([MARKETING], name="Other Shop")
    backup = {path: path.read_bytes() for path in folder.glob("node.db*")}
    async with open_house(folder, keys=keys, clock=clock, port=port, seed=2) as house:
        await house.change(gone.grant, "end")
        await house.own("POST", f"/grants/{held.grant}/revocations", {"partner": COURIER.did})
    for path in folder.glob("node.db*"):
        path.unlink()
    for file, data in backup.items():
        file.write_bytes(data)
    bump_generation(folder)
    clock.advance(60)
    async with open_house(folder, keys=keys, clock=clock, port=port, seed=3) as house:
        assert (await dataclasses.replace(held, house=house).get("/delivery/records")).code == "unavailable"
        clock.advance(61)  # what was signed before the restore could be a replay
        held, courier, gone = (dataclasses.replace(one, house=house) for one in (held, courier, gone))
        for one, under in ((held, "/delivery"), (courier, "/delivery"), (gone, "/marketing")):
            reply = await one.get(f"{under}/records")
            assert (reply.status, reply.code) == (403, "revoked")
        assert (await house.own("GET", "/status"))["grants"]["paused"] == 2
        for one in (held, gone):
            assert (await house.signed(one.key, "POST", f"/g/{one.grant}/renew")).code == "grant-paused"
            assert "changed pause" in await kinds(house, one.grant)
        draft = await house.own("POST", f"/grants/{held.grant}/draft", {"change": "resume"})
        assert draft["passphrase"] is True
        sent = {"digest": draft["digest"], "passphrase": PASSPHRASE}
        assert (await house.own("POST", f"/grants/{held.grant}/change", sent))["state"] == "live"
        assert (await held.get("/delivery/records")).code == "revoked"
        renewed = await house.signed(held.key, "POST", f"/g/{held.grant}/renew")
        fresh = dataclasses.replace(held, capability=Capability.from_dict(renewed.json["capability"]))
        assert (await fresh.get("/delivery/records")).status == 200
        assert (await gone.get("/marketing/records")).code == "revoked"
        assert (await house.own("POST", "/verify", {}))["intact"]


@pytest.mark.asyncio
async def test_an_old_generation_file_revives_nothing(tmp_path: Path) -> None:
    folder, clock, port = tmp_path / "node", TestClock(), free_port()
    keys = make_keys(folder, Random(1))
    old = (folder / "generation").read_bytes()
    bump_generation(folder)
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        held = await shop(house)
    (folder / "generation").write_bytes(old)
    async with open_house(folder, keys=keys, clock=clock, port=port, seed=2) as house:
        clock.advance(61)
        held = dataclasses.replace(held, house=house)
        assert (await held.get("/delivery/records")).code == "revoked"
        assert (await house.own("GET", "/status"))["generation"] == 3


@pytest.mark.requirement("HTTP-39")
@pytest.mark.asyncio
async def test_a_restart_revives_nothing(tmp_path: Path) -> None:
    folder, clock, port = tmp_path / "node", TestClock(), free_port()
    keys = make_keys(folder, Random(1))
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        child = courier.delegate(DRIVER, path="/delivery")
        await house.own("POST", f"/grants/{held.grant}/revocations", {"partner": COURIER.did})
    async with open_house(folder, keys=keys, clock=clock, port=port, seed=2) as house:
        for one in (courier, child):
            assert (await dataclasses.replace(one, house=house).get("/delivery/records")).code == "revoked"
        assert (await dataclasses.replace(held, house=house).get("/delivery/records")).status == 200
