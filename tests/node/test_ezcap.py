"""The form of signed requests that zcap clients send, at a node: the same gate, and bytes that may come again."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.capability import root_id
from freehold_protocol.encoding import Document
from freehold_protocol.ezcap import sign_ezcap
from freehold_protocol.keys import SigningKey
from harness import Held, House, Reply, TestClock, free_port, make_keys, open_house
from shop import COURIER, DRIVER, OUTSIDER, shop
from tables import differing, tables

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    async with open_house(tmp_path / "node") as house:
        yield await shop(house, reads=20)


def headers_of(held: Held, path: str, *, method: str = "GET", **more: Any) -> dict[str, str]:
    house = held.house
    given: dict[str, Any] = {"action": "read", "created_s": house.now_s(), "target_uri": house.base + path}
    given |= more
    return sign_ezcap(held.key, given.pop("capability", held.capability), method=method, **given)


async def get(held: Held, below: str = "/delivery/records", *, method: str = "GET", **more: Any) -> Reply:
    path = f"/g/{held.grant}{below}"
    return await held.house.send(method, path, headers_of(held, path, method=method, **more))


async def entries(held: Held) -> list[Document]:
    listed = await held.house.own("GET", f"/grants/{held.grant}/ledger")
    return [one["entry"] for one in listed["entries"]]


def revocation(house: House, key: SigningKey, held: Held, **more: Any) -> tuple[str, dict[str, str], bytes]:
    """A revocation as such clients send it: the root of its own URL invoked, the capability as body."""
    path = f"/g/{held.grant}/zcaps/revocations/{held.capability.id.replace(':', '%3A')}"
    body = json.dumps(held.capability.document).encode()
    given: dict[str, Any] = {"action": "write", "capability": root_id(house.base + path)} | more
    signed = sign_ezcap(
        key, given.pop("capability"), method="POST", target_uri=house.base + path, created_s=house.now_s(),
        body=body, **given,
    )  # fmt: skip
    return path, signed, body


async def test_it_reads_what_the_other_profile_reads(held: Held) -> None:
    one, other = await get(held), await held.get("/delivery/records")
    assert (one.status, one.body, one.headers["ETag"]) == (200, other.body, other.headers["ETag"])
    courier = held.delegate(COURIER, path="/delivery")
    assert (await get(courier)).status == 200
    for below in ("/ledger/entries", "/delivery", "", "/ledger/checkpoint"):
        assert (await get(held, below)).status == 200, below
    assert (await get(held, method="HEAD")).status == 200


async def test_the_same_bytes_again_are_a_read_that_says_so(held: Held) -> None:
    path = f"/g/{held.grant}/delivery/records"
    signed = headers_of(held, path)
    replies = [await held.house.send("GET", path, signed) for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    numbers = [reply.entry for reply in replies]
    written = await entries(held)
    assert [written[number].get("repeatOf") for number in numbers] == [None, numbers[0], numbers[0]]
    assert {written[number]["signature"] for number in numbers} == {written[numbers[0]]["signature"]}
    assert (await held.house.own("POST", "/verify", {}))["intact"]


async def test_a_repeat_is_decided_anew_and_counts(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, reads=2)
        path = f"/g/{held.grant}/delivery/records"
        signed = headers_of(held, path)
        codes = [(await house.send("GET", path, signed)).code for _ in range(3)]
        assert codes == [None, None, "limit-reached"]
        await house.change(held.grant, "end")
        assert (await house.send("GET", path, signed)).code == "grant-ended"


async def test_what_was_refused_first_may_pass_later_and_is_no_repeat(held: Held) -> None:
    path = f"/g/{held.grant}/delivery/records"
    signed = headers_of(held, path)
    await held.house.change(held.grant, "pause")
    assert (await held.house.send("GET", path, signed)).code == "grant-paused"
    await held.house.change(held.grant, "resume")
    reply = await held.house.send("GET", path, signed)
    assert "repeatOf" not in (await entries(held))[reply.entry]


async def test_bytes_are_remembered_as_long_as_they_are_good(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        path = f"/g/{held.grant}/delivery/records"
        signed, first = headers_of(held, path), await get(held)
        assert (await house.send("GET", path, signed)).entry == first.entry + 1
        assert house.clock is not None
        house.clock.advance(659)
        again = await house.send("GET", path, signed)
        assert (await entries(held))[again.entry]["repeatOf"] == first.entry
        house.clock.advance(1)
        assert (await house.send("GET", path, signed)).code == "signature-stale"


async def test_both_profiles_in_one_request_are_refused(held: Held) -> None:
    path = f"/g/{held.grant}/delivery/records"
    both = headers_of(held, path) | held.headers("GET", path)
    before = await tables(held.house.node)
    assert (await held.house.send("GET", path, both)).code == "malformed"
    assert differing(before, await tables(held.house.node)) == set()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"action": "write"}, "wrong-action"),
        ({"lifetime_s": 601}, "signature-stale"),
        ({"capability": "urn:zcap:root:https%3A%2F%2Fnode.example%2Fg%2Fx"}, "not-found"),
        ({"target_uri": "http://127.0.0.1:1/g/x/delivery/records"}, "signature-invalid"),
        ({"method": "HEAD"}, "signature-invalid"),
    ],
)
async def test_what_is_signed_otherwise_is_refused(held: Held, more: dict[str, Any], code: str) -> None:
    path = f"/g/{held.grant}/delivery/records"
    signed = headers_of(held, path, **more)
    assert (await held.house.send("GET", path, signed)).code == code


async def test_the_root_by_its_id_opens_nothing_for_anyone(held: Held) -> None:
    root = root_id(f"{held.house.base}/g/{held.grant}")
    for key in (held.key, OUTSIDER):
        one = Held(house=held.house, key=key, grant=held.grant, capability=held.capability)
        assert (await get(one, capability=root)).code == "not-found"


async def test_a_header_that_no_signature_covers_says_nothing(held: Held) -> None:
    path = f"/g/{held.grant}/delivery/records"
    extra = {
        "Purpose": "dpv:Marketing",
        "X-Forwarded-Host": "evil.example",
        "Date": "Mon, 01 Jan 1990 00:00:00 GMT",
    }
    assert (await held.house.send("GET", path, headers_of(held, path) | extra)).status == 200


async def test_another_host_header_than_the_origin_cuts_the_signature(held: Held) -> None:
    """The node signs over its own origin: what ``Host`` says makes no difference either way."""
    path = f"/g/{held.grant}/delivery/records"
    reply = await held.house.send("GET", path, headers_of(held, path) | {"Host": "evil.example"})
    assert reply.status == 200


async def test_everyone_in_the_chain_revokes_by_the_root_of_the_revocation(held: Held) -> None:
    house = held.house
    for revoker in (held.key, COURIER, DRIVER):
        courier = held.delegate(COURIER, path="/delivery")
        driver = courier.delegate(DRIVER, path="/delivery")
        assert (await get(driver)).status == 200
        path, signed, body = revocation(house, revoker, driver)
        for _ in range(2):  # and the same bytes again get the same answer
            assert (await house.send("POST", path, signed, body)).status == 204
        assert [(await get(one)).code for one in (driver, courier)] == ["revoked", None]


async def test_a_stranger_a_read_and_another_root_revoke_nothing(held: Held) -> None:
    house, courier = held.house, held.delegate(COURIER, path="/delivery")
    elsewhere = root_id(f"{house.base}/g/{held.grant}")
    for key, more, code in (
        (OUTSIDER, {}, "not-found"),
        (DRIVER, {}, "not-found"),
        (held.key, {"action": "read"}, "wrong-action"),
        (held.key, {"capability": elsewhere}, "wrong-target"),
        (held.key, {"capability": held.capability}, "wrong-target"),
    ):
        path, signed, body = revocation(house, key, courier, **more)
        assert (await house.send("POST", path, signed, body)).code == code
    path, signed, body = revocation(house, held.key, courier)
    assert (await house.send("POST", path, signed, body + b" ")).code == "signature-invalid"
    assert (await get(courier)).status == 200


async def test_of_the_same_bytes_at_once_one_is_first_and_the_rest_repeat_it(held: Held) -> None:
    path = f"/g/{held.grant}/delivery/records"
    signed = headers_of(held, path)
    replies = await asyncio.gather(*(held.house.send("GET", path, signed) for _ in range(8)))
    assert [reply.status for reply in replies] == [200] * 8
    written = await entries(held)
    numbers = sorted(reply.entry for reply in replies)
    assert [written[number].get("repeatOf") for number in numbers] == [None] + [numbers[0]] * 7


async def test_a_repeat_is_known_after_a_restart(tmp_path: Path) -> None:
    folder, clock, port = tmp_path / "node", TestClock(), free_port()
    keys = make_keys(folder, random.Random(1))
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        held = await shop(house)
        path = f"/g/{held.grant}/delivery/records"
        signed = headers_of(held, path)
        first = (await house.send("GET", path, signed)).entry
    async with open_house(folder, keys=keys, clock=clock, port=port, seed=2) as house:
        again = await house.send("GET", path, signed)
        held.house = house
        assert (await entries(held))[again.entry]["repeatOf"] == first
