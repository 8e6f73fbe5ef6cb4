"""Whose time counts: the node's own, never a caller's, and none at all while its clock is in doubt."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from freehold_protocol.encoding import Document, format_time, parse_time
from freehold_protocol.invocation import TAG_DID, TAG_OWNER, sign_message
from freehold_protocol.keys import SigningKey
from harness import PASSPHRASE, START_S, House, Reply, TestClock, free_port, make_keys, open_house
from shop import COURIER, DAY_S, MARKETING, kinds, shop
from tables import differing, tables

READS: tuple[tuple[str, dict[str, str]], ...] = (("GET", {}), ("HEAD", {}), ("GET", {"If-None-Match": '"x"'}))
CONFIRM = {"passphrase": PASSPHRASE}


def clock_of(house: House) -> TestClock:
    assert house.clock is not None
    return house.clock


async def node_clock(house: House) -> Document:
    found: Document = (await house.own("GET", "/status"))["clock"]
    return found


async def entry_times_s(house: House, grant: str) -> list[int]:
    listed = await house.own("GET", f"/grants/{grant}/ledger")
    return [parse_time(one["entry"]["time"]) for one in listed["entries"]]


async def signed_at(
    house: House,
    key: SigningKey,
    tag: str,
    method: str,
    path: str,
    *,
    body: Document | None = None,
    **times: Any,
) -> Reply:
    """Send a request with a signature of other times than the harness gives it."""
    data = None if body is None else json.dumps(body).encode()
    headers = sign_message(
        key, tag=tag, method=method, target_uri=house.base + path, nonce=house.nonce(), body=data,
        **({"created_s": house.now_s()} | times),
    )  # fmt: skip
    return await house.send(method, path, headers, data)


# A clock that jumps


@pytest.mark.requirement("GRA-19")
@pytest.mark.asyncio
@pytest.mark.parametrize("step_s", [301, -301, 40 * DAY_S, -40 * DAY_S])
async def test_a_jump_stops_every_admission_until_it_is_confirmed(tmp_path: Path, step_s: int) -> None:
    async with open_house(tmp_path / "node") as house:
        clock, held = clock_of(house), await shop(house)
        other = await house.relate([MARKETING], name="Other Shop", days=1)
        assert (await held.get("/delivery/records")).status == 200
        clock.step_wall(step_s)
        seen_s = START_S
        for _ in range(2):
            for created_s in (seen_s, clock.now_s):  # as a vendor's clock has it, whichever is right
                before = await tables(house.node)
                for method, headers in READS:
                    refused = await held.get(
                        "/delivery/records", method=method, headers=headers, created_s=created_s
                    )
                    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
                    assert method == "HEAD" or refused.code == "clock-suspect"
                assert differing(before, await tables(house.node)) == set()
            seen = await node_clock(house)
            assert seen == {"suspect": True, "now": format_time(seen_s), "wall": format_time(clock.now_s)}
            assert await house.node.relations.tick() == 0
            clock.advance(DAY_S)  # steady time goes on
            seen_s += DAY_S
        assert (await house.own("GET", f"/grants/{other.grant}"))["state"] == "live"
        for wrong in ({}, {"passphrase": "not this one"}):
            refused = await house.owner("POST", "/clock/confirm", wrong)
            assert (refused.status, refused.code) == (403, "passphrase-wrong")
        assert (await node_clock(house))["suspect"] is True
        assert await house.own("POST", "/clock/confirm", CONFIRM) == {"now": format_time(clock.now_s)}
        assert (await node_clock(house))["suspect"] is False
        assert await house.node.relations.tick() == sum(
            clock.now_s >= START_S + days * DAY_S for days in (1, 30)
        )


@pytest.mark.asyncio
@pytest.mark.parametrize("step_s", [299, -299])
async def test_an_adjustment_is_no_jump(tmp_path: Path, step_s: int) -> None:
    async with open_house(tmp_path / "node") as house:
        clock, held = clock_of(house), await shop(house)
        clock.step_wall(step_s)
        assert (await held.get("/delivery/records", created_s=START_S + max(0, step_s))).status == 200
        assert (await node_clock(house))["now"] == format_time(START_S + max(0, step_s))  # never back


@pytest.mark.asyncio
async def test_sleep_is_no_jump(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        clock_of(house).advance(5 * DAY_S)
        assert (await held.get("/delivery/records")).status == 200


@pytest.mark.asyncio
async def test_a_person_can_stop_a_grant_while_the_clock_is_in_doubt(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        clock, held = clock_of(house), await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        clock.step_wall(DAY_S)
        await house.own("POST", f"/grants/{held.grant}/revocations", {"partner": COURIER.did})
        await house.change(held.grant, "pause")
        await house.own("POST", "/clock/confirm", CONFIRM)
        assert (await held.get("/delivery/records")).code == "grant-paused"
        assert (await courier.get("/delivery/records")).code == "revoked"


@pytest.mark.requirement("GRA-18")
@pytest.mark.asyncio
async def test_time_never_runs_back_in_a_ledger(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        clock, held = clock_of(house), await shop(house)
        clock.advance(3600)
        assert (await held.get("/delivery/records")).status == 200
        clock.step_wall(-1800)
        await house.own("POST", "/clock/confirm", CONFIRM)
        assert (await held.get("/delivery/records")).status == 200
        await house.change(held.grant, "pause")
        assert (await held.get("/delivery/records")).code == "grant-paused"
        times = await entry_times_s(house, held.grant)
        assert times == sorted(times)
        assert times[1:] == [START_S + 3600] * 4
        assert (await house.own("POST", "/verify", {}))["intact"]
        assert await kinds(house, held.grant) == [
            "changed approve", "admitted", "admitted", "changed pause", "refused grant-paused",
        ]  # fmt: skip


@pytest.mark.requirement("GRA-19")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("away_s", "suspect", "now_s"),
    [
        (0, False, 0),
        (-300, False, 0),
        (-301, True, 0),
        (-40 * DAY_S, True, 0),
        (6, False, 6),
        (90 * DAY_S, False, 90 * DAY_S),
        (90 * DAY_S + 1, True, 0),
    ],
)
async def test_a_start_compares_with_the_time_written_down(
    tmp_path: Path, away_s: int, suspect: bool, now_s: int
) -> None:
    folder, keys, port = tmp_path / "node", make_keys(tmp_path / "node", Random(1)), free_port()
    async with open_house(folder, keys=keys, port=port) as house:
        held = await shop(house, days=365)
    clock = TestClock(START_S + away_s)
    async with open_house(folder, keys=keys, port=port, clock=clock, seed=2) as house:
        assert await node_clock(house) == {
            "suspect": suspect,
            "now": format_time(START_S + now_s),
            "wall": format_time(clock.now_s),
        }
        held = dataclasses.replace(held, house=house)
        reply = await held.get("/delivery/records", created_s=START_S + now_s)
        expected = (503, "clock-suspect") if suspect else (200, None)
        if away_s > 7 * DAY_S and not suspect:
            expected = (403, "capability-expired")
        assert (reply.status, reply.code) == expected


# A caller's time


@pytest.mark.asyncio
async def test_a_signature_is_taken_in_its_time_only(tmp_path: Path) -> None:
    table = [
        (0, 120, True), (60, 120, True), (61, 120, False), (3600, 600, False),
        (0, 600, True), (0, 601, False), (0, 90 * DAY_S, False), (0, 1, True), (0, 0, False), (0, -1, False),
        (-179, 120, True), (-180, 120, False), (-659, 600, True), (-660, 600, False), (-DAY_S, 600, False),
    ]  # fmt: skip
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        for offset_s, lifetime_s, good in table:
            times: dict[str, Any] = {"created_s": START_S + offset_s, "lifetime_s": lifetime_s}
            before = await tables(house.node)
            read = await held.get("/delivery/records", **times)
            ledger = await held.get("/ledger/entries", **times)
            renewal = await signed_at(house, held.key, TAG_DID, "POST", f"/g/{held.grant}/renew", **times)
            owner = await signed_at(house, house.node.session_key, TAG_OWNER, "GET", "/owner/status", **times)
            stale = (200, None) if good else (401, "signature-stale")
            for reply in (read, ledger, renewal):
                assert (reply.status, reply.code) == stale, (offset_s, lifetime_s)
            assert (owner.status, owner.code) == ((200, None) if good else (401, "not-authenticated"))
            assert good or differing(before, await tables(house.node)) == set()


@pytest.mark.requirement("INV-7", "HTTP-39")
@pytest.mark.asyncio
async def test_a_backdated_signature_does_not_reach_back(tmp_path: Path) -> None:
    """Within the skew that is allowed to a caller's clock, only the node's own decides."""
    async with open_house(tmp_path / "node") as house:
        clock, held = clock_of(house), await shop(house, days=8)
        courier = held.delegate(COURIER, path="/delivery", expires_s=house.now_s() + 600)
        clock.advance(599)
        assert (await courier.get("/delivery/records")).status == 200
        clock.advance(1)
        late = await courier.get("/delivery/records", created_s=house.now_s() - 100)
        assert (late.status, late.code) == (403, "capability-expired")
        courier = held.delegate(COURIER, path="/delivery")
        await house.own("POST", f"/grants/{held.grant}/revocations", {"partner": COURIER.did})
        late = await courier.get("/delivery/records", created_s=house.now_s() - 100)
        assert (late.status, late.code) == (403, "revoked")
        await house.change(held.grant, "pause")
        late = await held.get("/delivery/records", created_s=house.now_s() - 100)
        assert (late.status, late.code) == (403, "grant-paused")
        clock.advance(8 * DAY_S - 600)
        late = await held.get("/delivery/records", created_s=house.now_s() - 100)
        assert (late.status, late.code) == (403, "grant-expired")


@pytest.mark.asyncio
async def test_a_signature_from_the_future_opens_nothing_early(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        clock, held = clock_of(house), await shop(house)
        early = held.delegate(COURIER, path="/delivery", created_s=house.now_s() + 61)
        reply = await early.get("/delivery/records")
        assert (reply.status, reply.code) == (403, "capability-invalid")
        clock.advance(1)
        assert (await early.get("/delivery/records")).status == 200


@pytest.mark.requirement("GRA-18")
def test_a_clock_never_gives_less_than_before() -> None:
    rng, moved = Random(7), TestClock()
    clock = moved.clock()
    seen = [clock.now_us()]
    for _ in range(2000):
        moved.advance(rng.random() * 100)
        moved.step_wall(rng.choice([0, 0, 0, rng.uniform(-900, 900)]))
        seen.append(clock.now_us())
    assert all(before <= after for before, after in pairwise(seen))
    assert clock.suspect


def test_a_step_beside_a_sleep_is_still_found() -> None:
    moved = TestClock()
    clock = moved.clock()
    moved.advance(30 * DAY_S)
    moved.step_wall(-301)
    assert clock.suspect
    before: Any = clock.now_us()
    moved.advance(10)
    assert clock.now_us() == before + 10_000_000
    assert clock.confirm() == moved.wall_us == clock.now_us()
    assert not clock.suspect


@pytest.mark.requirement("HTTP-42")
@pytest.mark.asyncio
@pytest.mark.parametrize("step_s", [-299, 299, -DAY_S, DAY_S])
async def test_the_owners_tools_go_by_the_machines_clock_and_count_once(tmp_path: Path, step_s: int) -> None:
    async with open_house(tmp_path / "node") as house:
        clock = clock_of(house)
        await house.own("GET", "/status")
        clock.step_wall(step_s)
        path = "/owner/invitations"
        body = json.dumps({"label": "Shop"}).encode()
        headers = sign_message(
            house.node.session_key, tag=TAG_OWNER, method="POST", target_uri=house.base + path,
            created_s=clock.now_s, nonce=house.nonce(), body=body, lifetime_s=600,
        )  # fmt: skip
        assert (await house.send("POST", path, headers, body)).status == 201
        for confirmed in (False, True):
            if confirmed:
                await house.own("POST", "/clock/confirm", CONFIRM)
            clock.advance(320)
            await house.node.relations.tick()
            assert (await house.send("POST", path, headers, body)).code == "replayed"
        clock.advance(20)
        assert (await house.send("POST", path, headers, body)).code == "not-authenticated"
