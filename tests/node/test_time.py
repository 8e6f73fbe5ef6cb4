"""Whose time counts: the node's own, never a caller's, and none at all while its clock is in doubt."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from freehold_protocol.encoding import format_time
from freehold_protocol.invocation import TAG_DID, TAG_OWNER, sign_message
from harness import PASSPHRASE, START_S, Held, House, Reply, TestClock, free_port, make_keys, open_house
from shop import COURIER, DAY_S, MARKETING, kinds, shop
from tables import differing, tables

DOORS = (
    ("GET", "/delivery/records", {}),
    ("HEAD", "/delivery/records", {}),
    ("GET", "/delivery/records", {"If-None-Match": '"x"'}),
)


def clock_of(house: House) -> TestClock:
    assert house.clock is not None
    return house.clock


async def node_clock(house: House) -> dict[str, Any]:
    found: dict[str, Any] = (await house.own("GET", "/status"))["clock"]
    return found


async def times(house: House, grant: str) -> list[str]:
    listed = await house.own("GET", f"/grants/{grant}/ledger")
    return [one["entry"]["time"] for one in listed["entries"]]


# A clock that jumps


@pytest.mark.asyncio
@pytest.mark.parametrize("step_s", [301, -301, 40 * DAY_S, -40 * DAY_S])
async def test_a_jump_stops_every_admission_until_it_is_confirmed(tmp_path: Path, step_s: int) -> None:
    async with open_house(tmp_path / "node") as house:
        clock, held = clock_of(house), await shop(house)
        due = await house.relate([MARKETING], name="Other Shop", days=1)
        assert (await held.get("/delivery/records")).status == 200
        clock.step_wall(step_s)
        seen_s = START_S
        for _ in range(2):
            seen = await node_clock_as_of(house, seen_s)
            assert (seen["suspect"], seen["now"]) == (True, format_time(seen_s))
            assert seen["wall"] == format_time(clock.now_s)
            before = await tables(house.node)
            for method, path, headers in DOORS:
                refused = await held.get(path, method=method, headers=headers, created_s=seen_s)
                assert refused.status == 503
                assert refused.headers["Retry-After"] == "5"
                assert method == "HEAD" or refused.code == "clock-suspect"
            assert differing(before, await tables(house.node)) == set()
            assert await house.node.relations.tick() == 0
            clock.advance(2 * DAY_S)  # steady time goes on, so that what was signed in between grows old
            seen_s += 2 * DAY_S
        assert (await owner_at(house, seen_s, "GET", f"/grants/{due.grant}")).json["state"] == "live"
        for wrong in ({}, {"passphrase": "not this one"}):
            refused = await owner_at(house, seen_s, "POST", "/clock/confirm", wrong)
            assert (refused.status, refused.code) == (403, "passphrase-wrong")
        sent = {"passphrase": PASSPHRASE}
        assert (await owner_at(house, seen_s, "POST", "/clock/confirm", sent)).json == {
            "now": format_time(clock.now_s)
        }
        assert (await node_clock(house))["suspect"] is False
        expired = await house.node.relations.tick()
        assert expired == (1 if clock.now_s >= START_S + DAY_S else 0) + (clock.now_s >= START_S + 30 * DAY_S)


async def owner_at(house: House, now_s: int, method: str, path: str, body: Any = None) -> Reply:
    """Ask as the owner's tools do, which take the node's time where theirs differs."""
    return await signed_at(house, house.node.session_key, TAG_OWNER, now_s, method, "/owner" + path, body)


async def node_clock_as_of(house: House, now_s: int) -> dict[str, Any]:
    found: dict[str, Any] = (await owner_at(house, now_s, "GET", "/status")).json["clock"]
    return found


async def signed_at(
    house: House, key: Any, tag: str, created_s: int, method: str, path: str, body: Any = None, lifetime_s: int = 120
) -> Reply:
    data = None if body is None else __import__("json").dumps(body).encode()
    headers = sign_message(
        key, tag=tag, method=method, target_uri=house.base + path, created_s=created_s, nonce=house.nonce(),
        body=data, lifetime_s=lifetime_s,
    )  # fmt: skip
    return await house.send(method, path, headers, data)
