"""The same signed bytes count once: at every door, at the same moment, and after a restart."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from freehold_protocol.encoding import Document
from freehold_protocol.invocation import TAG_DID, TAG_OWNER, sign_message
from freehold_protocol.keys import SigningKey
from harness import Held, House, Reply, TestClock, free_port, make_keys, open_house
from shop import COURIER, MARKETING, OUTSIDER, shop
from tables import differing, tables


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bytes:
    """One signed request, to be sent as often as one likes."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None

    async def send(self, house: House) -> Reply:
        return await house.send(self.method, self.path, self.headers, self.body)


def invoked(held: Held, path: str, *, method: str = "GET", **more: Any) -> Bytes:
    whole = f"/g/{held.grant}{path}"
    return Bytes(method=method, path=whole, headers=held.headers(method, whole, **more))


def signed(
    house: House, key: SigningKey, method: str, path: str, body: Document | None = None, *, tag: str = TAG_DID
) -> Bytes:
    data = None if body is None else json.dumps(body).encode()
    headers = sign_message(
        key, tag=tag, method=method, target_uri=house.base + path, created_s=house.now_s(), nonce=house.nonce(),
        body=data,
    )  # fmt: skip
    return Bytes(method=method, path=path, headers=headers, body=data)


def owned(house: House, method: str, path: str, body: Document | None = None) -> Bytes:
    return signed(house, house.node.session_key, method, "/owner" + path, body, tag=TAG_OWNER)


def revocation(held: Held) -> Bytes:
    path = f"/g/{held.grant}/zcaps/revocations/{held.capability.id.replace(':', '%3A')}"
    return signed(held.house, held.key, "POST", path, held.capability.document)


Make = Callable[[Held], Bytes]
KINDS: dict[str, tuple[int, Make]] = {
    "list": (200, lambda held: invoked(held, "/delivery/records")),
    "HEAD": (200, lambda held: invoked(held, "/delivery/records", method="HEAD")),
    "status": (200, lambda held: invoked(held, "/delivery")),
    "ledger": (200, lambda held: invoked(held, "/ledger/entries")),
    "entry": (200, lambda held: invoked(held, "/ledger/entries/0")),
    "checkpoint": (200, lambda held: invoked(held, "/ledger/checkpoint")),
    "grant": (200, lambda held: invoked(held, "")),
    "not shared": (403, lambda held: invoked(held, "/delivery/records?fields=email")),
    "no such record": (404, lambda held: invoked(held, "/delivery/records/zNone")),
    "grant by DID": (200, lambda held: signed(held.house, held.key, "GET", f"/g/{held.grant}")),
    "ledger by DID": (
        200,
        lambda held: signed(held.house, held.key, "GET", f"/g/{held.grant}/ledger/entries"),
    ),
    "renewal": (200, lambda held: signed(held.house, held.key, "POST", f"/g/{held.grant}/renew")),
    "revocation": (204, lambda held: revocation(held.delegate(COURIER))),
    "owner's look": (200, lambda held: owned(held.house, "GET", "/status")),
    "owner's invitation": (201, lambda held: owned(held.house, "POST", "/invitations", {"label": "Shop"})),
    "owner's mistake": (400, lambda held: owned(held.house, "POST", "/invitations", {"label": ""})),
}


@pytest.mark.asyncio
async def test_the_second_time_is_refused_at_every_door(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        for name, (status, make) in KINDS.items():
            message = make(held)
            first = await message.send(house)
            assert first.status == status, (name, first.body)
            before = await tables(house.node)
            for _ in range(2):
                again = await message.send(house)
                assert again.status == 409, name
                assert message.method == "HEAD" or again.code == "replayed", name
            assert differing(before, await tables(house.node)) == set(), name


@pytest.mark.asyncio
async def test_of_concurrent_duplicates_one_passes(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        for name, (status, make) in KINDS.items():
            message = make(held)
            replies = await asyncio.gather(*(message.send(house) for _ in range(6)))
            assert Counter(reply.status for reply in replies) == {status: 1, 409: 5}, name


@pytest.mark.asyncio
async def test_who_waits_for_a_decision_waits_once(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key = house.key()
        path, _ = await house.ask(key, [MARKETING])
        message = signed(house, key, "GET", path)
        message.headers["Prefer"] = "wait=30"
        one, two = (asyncio.create_task(message.send(house)) for _ in range(2))
        done, waiting = await asyncio.wait((one, two), return_when=asyncio.FIRST_COMPLETED)
        assert [task.result().code for task in done] == ["replayed"]
        await house.own("POST", f"{path}/refuse", {"reason": "no"})
        assert [(await task).json for task in waiting] == [{"status": "refused", "reason": "no"}]


@pytest.mark.requirement("INV-8", "INV-9", "HTTP-9")
@pytest.mark.asyncio
async def test_a_restart_does_not_forget(tmp_path: Path) -> None:
    folder, clock, port = tmp_path / "node", TestClock(), free_port()
    keys = make_keys(folder, Random(1))
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        held = await shop(house)
        sent = {name: make(held) for name, (_, make) in KINDS.items()}
        for message in sent.values():
            assert (await message.send(house)).status != 409
        session_key = house.node.session_key
    clock.advance(5)
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        assert house.node.session_key == session_key  # by the test's randomness only; else it would be 401
        before = await tables(house.node)
        for name, message in sent.items():
            assert (await message.send(house)).status == 409, name
        assert differing(before, await tables(house.node)) == set()


@pytest.mark.requirement("INV-21")
@pytest.mark.asyncio
async def test_a_session_key_ends_with_its_process(tmp_path: Path) -> None:
    folder, clock, port = tmp_path / "node", TestClock(), free_port()
    keys = make_keys(folder, Random(1))
    async with open_house(folder, keys=keys, clock=clock, port=port) as house:
        fresh = owned(house, "GET", "/status")
        assert (folder / "session.json").stat().st_mode & 0o777 == 0o600
    assert not (folder / "session.json").exists()
    async with open_house(folder, keys=keys, clock=clock, port=port, seed=2) as house:
        reply = await fresh.send(house)
        assert (reply.status, reply.code) == (401, "not-authenticated")


@pytest.mark.requirement("INV-9")
@pytest.mark.asyncio
async def test_a_nonce_is_kept_until_its_signature_is_stale(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        held = await shop(house)
        message = invoked(held, "/delivery/records", lifetime_s=600)
        assert (await message.send(house)).status == 200
        for seconds, code in (
            (0, "replayed"),
            (659, "replayed"),
            (1, "signature-stale"),
            (60, "signature-stale"),
        ):
            house.clock.advance(seconds)
            await house.node.relations.tick()
            assert (await message.send(house)).code == code, seconds
        assert "nonce" in differing(await nonce_of(house, held), await tables(house.node))


async def nonce_of(house: House, held: Held) -> dict[str, tuple[str, ...]]:
    """Return the tables as they were after one more read; time then forgets that as well."""
    assert house.clock is not None
    assert (await held.get("/delivery/records")).status == 200
    found = await tables(house.node)
    house.clock.advance(181)
    await house.node.relations.tick()
    return found


@pytest.mark.asyncio
async def test_a_nonce_is_its_keys_own(tmp_path: Path) -> None:
    nonce = "abcdefghijklmnopqrstuvwx"
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        assert (await held.get("/delivery/records", nonce=nonce)).status == 200
        for path in ("/delivery/records", "/marketing/records", "/delivery", "/ledger/entries", ""):
            reply = await held.get(path, nonce=nonce)
            assert (reply.status, reply.code) == (409, "replayed"), path
        assert (await courier.get("/delivery/records", nonce=nonce)).status == 200
        # A stranger who saw it cannot use it up before its time.
        taken = "bcdefghijklmnopqrstuvwxy"
        stranger = dataclasses.replace(held, key=OUTSIDER)
        assert (await stranger.get("/delivery/records", nonce=taken)).code == "wrong-controller"
        assert (await held.get("/delivery/records", nonce=taken)).status == 200


@pytest.mark.asyncio
async def test_what_was_signed_for_one_thing_is_good_for_no_other(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        before = await tables(house.node)
        base, other = invoked(held, "/delivery/records"), f"/g/{held.grant}/marketing/records"
        for changed in (
            dataclasses.replace(base, method="HEAD"),
            dataclasses.replace(base, path=other),
            dataclasses.replace(base, path=base.path + "?limit=1"),
            dataclasses.replace(base, path=f"/g/{held.grant}"),
        ):
            reply = await changed.send(house)
            assert reply.status == 401, changed.path
            assert changed.method == "HEAD" or reply.code == "signature-invalid"
        renewal = signed(house, held.key, "POST", f"/g/{held.grant}/renew")
        assert (
            await dataclasses.replace(renewal, path=f"/g/{held.grant}", method="GET").send(house)
        ).status == 401
        asked = owned(house, "POST", "/invitations", {"label": "Shop"})
        for changed in (
            dataclasses.replace(asked, body=b'{"label":"Other"}'),
            dataclasses.replace(asked, path="/owner/verify"),
            dataclasses.replace(asked, method="PUT", path="/owner/self"),
        ):
            reply = await changed.send(house)
            assert (reply.status, reply.code) == (401, "not-authenticated")
        # The right words with the wrong tag, or by the wrong key.
        by_vendor = signed(house, held.key, "GET", "/owner/status", tag=TAG_OWNER)
        as_vendor = signed(house, house.node.session_key, "GET", "/owner/status")
        for message in (by_vendor, as_vendor):
            assert (await message.send(house)).code == "not-authenticated"
        assert differing(before, await tables(house.node)) == set()
