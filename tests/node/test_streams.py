"""Who may listen, how many at once, and everything that ends a stream."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from changing import clock_of
from ears import Ear, listening, settled
from freehold_node.api import listening as wire
from freehold_node.api.listening import to_wire
from freehold_node.data_dir import bump_generation
from freehold_node.events import note_version
from freehold_node.streams import Event
from freehold_protocol import limits
from freehold_protocol.encoding import format_time
from harness import Held, House, TestClock, open_house, permission
from raw_http import request_bytes
from shop import COURIER, DAY_S, DRIVER, MARKETING, OUTSIDER, delivery, kinds, shop

pytestmark = pytest.mark.asyncio


async def refused(held: Held, path: str = "", **more: Any) -> tuple[int, str | None]:
    async with listening(held, path, **more) as ear:
        return ear.status, ear.code


# The door


async def test_a_stream_looks_as_one_should(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held, headers={"Accept-Encoding": "gzip, deflate, br"}) as ear:
            assert ear.status == 200
            assert ear.headers == {
                "Content-Type": "text/event-stream", "Cache-Control": "no-store", "Connection": "close",
                "Transfer-Encoding": "chunked",
            }  # fmt: skip
            await ear.told("ready")


async def test_listening_is_no_admission_and_no_read(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house, reads=1)
        before = await kinds(house, held.grant)
        for path in ("", "/delivery", "/delivery"):
            async with listening(held, path) as ear:
                await ear.told("ready")
        assert await kinds(house, held.grant) == before
        assert (await held.get("/delivery/records")).status == 200


async def test_hours_are_of_reads_and_not_of_listening(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:  # at noon
        hours = {"days": ["Mo"], "from": "08:00", "to": "09:00", "timeZone": "UTC"}
        held = await shop(house, hours=hours)
        assert (await held.get("/delivery/records")).code == "outside-hours"
        async with listening(held, "/delivery") as ear:
            await ear.told("ready")


async def test_who_may_not_listen_is_refused_and_it_is_written_down(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        wide = held.delegate(COURIER)
        writer = held.delegate(DRIVER, path="/delivery", actions=("read",))
        outsider = held.delegate(OUTSIDER, path="/delivery")
        for who, path, more, told in (
            (courier, "", {}, (403, "wrong-target")),
            (courier, "/marketing", {}, (403, "wrong-target")),
            (wide, "", {}, (403, "not-shared")),
            (wide, "/marketing", {}, (403, "wrong-controller")),
            (outsider, "/delivery", {}, (403, "wrong-controller")),
            (held, "/nothing", {}, (403, "not-shared")),
            (writer, "/delivery", {"action": "write"}, (403, "wrong-action")),
        ):
            assert await refused(who, path, **more) == told
        for who in (wide, courier):
            async with listening(who, "/delivery") as ear:
                await ear.told("ready")
        assert (await kinds(house, held.grant))[1:] == [
            f"refused {code}"
            for code in ("wrong-target", "wrong-target", "not-shared", "wrong-controller", "wrong-controller",
                         "not-shared", "wrong-action")
        ]  # fmt: skip


async def test_strangers_and_repeats_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        other = await house.relate([delivery()], name="Other Shop")
        before = await kinds(house, held.grant)
        thief = Held(house=house, key=OUTSIDER, grant=held.grant, capability=held.capability)
        lost = Held(house=house, key=other.key, grant=held.grant, capability=other.capability)
        assert await refused(thief) == (403, "wrong-controller")
        assert await refused(lost) == (404, "not-found")
        assert await refused(held, created_s=house.now_s() - 5000) == (401, "signature-stale")
        async with listening(held, nonce="n" * 20) as ear:
            await ear.told("ready")
        assert await refused(held, nonce="n" * 20) == (409, "replayed")
        assert (await held.get("/events", method="HEAD")).status == 405
        unsigned = await house.send("GET", f"/g/{held.grant}/events", {})
        assert (unsigned.status, unsigned.code) == (400, "malformed")
        assert await kinds(house, held.grant) == before


async def test_a_grant_that_is_not_live_is_not_listened_to(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        for change, code in (("pause", "grant-paused"), ("end", "grant-ended")):
            await house.change(held.grant, change)
            for path in ("", "/delivery"):
                assert await refused(held, path) == (403, code)
        path, _ = await house.ask(house.key(), [delivery()])
        later = format_time(house.now_s() + DAY_S)
        grant = await house.approve(path, [delivery()], notBefore=later)
        told = await house.own("GET", f"/grants/{grant}")
        assert told["state"] == "live"


# How many


@asynccontextmanager
async def many(held: Held, path: str, count: int) -> AsyncIterator[list[Ear]]:
    async with AsyncExitStack() as stack:
        ears = [await stack.enter_async_context(listening(held, path)) for _ in range(count)]
        for ear in ears:
            await ear.told("ready")
        yield ears


async def closed_at_node(house: House, grant: str, left: int) -> None:
    """Wait until the node knows of connections that were closed."""
    async with asyncio.timeout(20):
        while house.node.streams.listening(grant) != left:
            await asyncio.sleep(0.001)


async def test_a_holder_has_a_few_streams_and_gets_back_those_it_closes(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        other = await house.relate([delivery()], name="Other Shop", key=held.key)
        courier = held.delegate(COURIER, path="/delivery")
        async with many(held, "", limits.MAX_HOLDER_STREAMS - 1):
            async with many(held, "/delivery", 1):
                assert await refused(held) == (409, "conflict")
                for one, path in (
                    (courier, "/delivery"),
                    (other, ""),
                ):  # others, and the same under another grant
                    async with many(one, path, 1):
                        pass
            await closed_at_node(house, held.grant, limits.MAX_HOLDER_STREAMS - 1)
            async with many(held, "", 1):
                pass
        await closed_at_node(house, held.grant, 0)


async def test_the_owner_sees_how_many_listen(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with many(held, "", 2), many(held, "/delivery", 1):
            assert (await house.own("GET", f"/grants/{held.grant}"))["listening"] == 3
        await closed_at_node(house, held.grant, 0)
        assert (await house.own("GET", f"/grants/{held.grant}"))["listening"] == 0


async def test_a_grant_has_so_many_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_GRANT_STREAMS", 5)
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery")
        driver = held.delegate(DRIVER, path="/delivery")
        async with many(held, "", 4), many(courier, "/delivery", 1):
            assert await refused(driver, "/delivery") == (409, "conflict")
            other = await house.relate([delivery()], name="Other Shop")
            async with many(other, "", 1):
                pass


async def test_a_node_has_so_many_streams(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        house.node.streams._most = 3
        held = await shop(house)
        other = await house.relate([delivery()], name="Other Shop")
        async with many(held, "", 3), listening(other) as ear:
            assert (ear.status, ear.code, ear.headers["Retry-After"]) == (503, "unavailable", "5")
        await closed_at_node(house, held.grant, 0)
        async with many(other, "", 1):
            pass


# What ends a stream


Ending = Callable[[House, Held, Held], Awaitable[Any]]


async def _by_vendor(house: House, held: Held, courier: Held) -> None:
    path = f"/g/{held.grant}/zcaps/revocations/" + quote(courier.capability.id, safe="")
    assert (await house.signed(held.key, "POST", path, courier.capability.document)).status == 204


async def _renounce(house: House, held: Held, courier: Held) -> None:
    path = f"/g/{held.grant}/zcaps/revocations/" + quote(courier.capability.id, safe="")
    assert (await house.signed(courier.key, "POST", path, courier.capability.document)).status == 204


async def _vendor_renounces(house: House, held: Held, _: Held) -> None:
    path = f"/g/{held.grant}/zcaps/revocations/" + quote(held.capability.id, safe="")
    assert (await house.signed(held.key, "POST", path, held.capability.document)).status == 204


async def _pass(house: House, seconds: float) -> None:
    clock_of(house).advance(seconds)
    house.node.streams.stir()


async def _expire(house: House, held: Held, _: Held) -> None:
    ends = format_time(house.now_s() + 60)
    await house.change(held.grant, "narrow", [delivery(), MARKETING], expires=ends)
    clock_of(house).advance(60)
    await house.node.relations.tick()


async def _expire_by_the_clock_alone(house: House, held: Held, _: Held) -> None:
    ends = format_time(house.now_s() + 60)
    await house.change(held.grant, "narrow", [delivery(), MARKETING], expires=ends)
    await _pass(house, 60)


async def _doubt(house: House, _: Held, __: Held) -> None:
    clock_of(house).step_wall(3600)
    house.node.streams.stir()


ALL, COURIERS = {"vendor", "vendor's delivery", "courier"}, {"courier"}
ENDINGS: dict[str, tuple[Ending, set[str]]] = {
    "pause": (lambda house, held, _: house.change(held.grant, "pause"), ALL),
    "end": (lambda house, held, _: house.change(held.grant, "end"), ALL),
    "expiry, committed": (_expire, ALL),
    "expiry, by the clock": (_expire_by_the_clock_alone, ALL),
    "a narrowing without the permission": (
        lambda house, held, _: house.change(held.grant, "narrow", [MARKETING]),
        ALL - {"vendor"},
    ),
    "a narrowing without the partner": (
        lambda house, held, _: house.change(
            held.grant, "narrow", [permission("delivery", ["name"], recipients=[DRIVER.did]), MARKETING]
        ),
        COURIERS,
    ),
    "the partner is cut off": (
        lambda house, held, _: house.own(
            "POST", f"/grants/{held.grant}/revocations", {"partner": COURIER.did}
        ),
        COURIERS,
    ),
    "the vendor revokes": (_by_vendor, COURIERS),
    "the partner renounces": (_renounce, COURIERS),
    "the vendor renounces": (_vendor_renounces, ALL),
    "an hour": (lambda house, _, __: _pass(house, limits.EVENT_STREAM_S), ALL),
    "the partner's capability ends": (lambda house, _, __: _pass(house, 1800), COURIERS),
    "a clock in doubt": (_doubt, ALL),
}


@pytest.mark.requirement("HTTP-64")
@pytest.mark.parametrize(("ending", "ended"), ENDINGS.values(), ids=ENDINGS)
async def test_what_takes_the_right_ends_the_stream(tmp_path: Path, ending: Ending, ended: set[str]) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        courier = held.delegate(COURIER, path="/delivery", expires_s=house.now_s() + 1800)
        async with (
            listening(held) as vendor, listening(held, "/delivery") as part, listening(courier, "/delivery") as partner,
        ):  # fmt: skip
            ears = {"vendor": vendor, "vendor's delivery": part, "courier": partner}
            for ear in ears.values():
                await ear.told("ready")
            await ending(house, held, courier)
            for name, ear in ears.items():
                heard = [one.told for one in await ear.now(house)]
                assert ear.ended == (name in ended), name
                assert heard in ([], ["grant"])
                if ear.ended:
                    assert await ear.reader.read() == b""  # the connection is closed too
            assert house.node.streams.listening(held.grant) == len(ALL - ended)


@pytest.mark.requirement("HTTP-64")
async def test_a_stream_ends_by_its_own_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENT_STREAM_S", 1)
    async with open_house(tmp_path / "node", real_time=True) as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready", "end")


async def test_a_stopping_node_ends_its_streams_and_opens_none(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            house.node.streams.close()
            await ear.told("end")
        assert await refused(held) == (503, "unavailable")


async def test_a_node_stops_at_once_whoever_listens(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        async with open_house(tmp_path / "node") as house:
            held = await shop(house)
            ear = await stack.enter_async_context(listening(held))
            await ear.told("ready")
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 5
        await ear.told("end")


async def test_a_restored_node_knows_no_stream_and_no_capability_of_before(tmp_path: Path) -> None:
    folder, clock = tmp_path / "node", TestClock()
    async with open_house(folder, clock=clock) as house:
        keys, held = house.node._keys, await shop(house)
        port = int(house.base.rpartition(":")[2])
        async with listening(held) as ear:
            await ear.told("ready")
    bump_generation(folder)
    async with open_house(folder, keys=keys, clock=clock, seed=9, port=port) as house:
        held.house = house
        assert await refused(held) == (503, "unavailable"), "nobody knows whether this was sent before"
        clock.advance(limits.CLOCK_SKEW_S + 1)
        assert await refused(held) == (403, "revoked")
        await house.change(held.grant, "resume")
        assert await refused(held, last_id=ear.last_id) == (403, "revoked")
        renewed = await house.signed(held.key, "POST", f"/g/{held.grant}/renew")
        held.capability = type(held.capability).from_dict(renewed.json["capability"])
        async with listening(held, last_id=ear.last_id) as again:
            await again.told("reset")


async def test_a_stream_whose_client_is_gone_is_forgotten_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            assert house.node.streams.listening(held.grant) == 1
        await closed_at_node(house, held.grant, 0)
        assert house.node.streams._count == 0
        assert house.node.streams._open == {}


# On the connection


async def test_a_quiet_stream_is_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENT_KEEPALIVE_S", 0.02)
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            async with asyncio.timeout(20):
                assert await ear.reader.readexactly(24) == b"3\r\n:\n\n\r\n" * 3


async def test_whoever_comes_back_to_no_news_hears_that_the_stream_is_open(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
        async with listening(held, last_id=ear.last_id) as again, asyncio.timeout(20):
            assert bytes(again.raw) + await again.reader.readexactly(8 - len(again.raw)) == b"3\r\n:\n\n\r\n"


async def test_who_does_not_take_what_it_is_sent_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "DRAIN_S", 0.2)
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        target = f"/g/{held.grant}/events"
        address = urlsplit(house.base)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            slow.connect((address.hostname, address.port))
            slow.sendall(request_bytes(target, headers=held.headers("GET", target), close=False))
            said = await tell_until_cut_off(house, held.grant)
            slow.setblocking(False)
            received = await taken_until_reset(slow)
            assert len(received) < 20_000
            assert not received.endswith(b"0\r\n\r\n")
        assert said * 100 < 400_000  # neither this process nor the system kept much of it
        async with many(held, "", limits.MAX_HOLDER_STREAMS):
            pass


async def taken_until_reset(connection: socket.socket) -> bytes:
    loop, received = asyncio.get_running_loop(), b""
    async with asyncio.timeout(20):
        while True:
            try:
                data = await loop.sock_recv(connection, 65536)
            except ConnectionResetError:
                return received
            assert data, "closed in order"
            received += data


async def tell_until_cut_off(house: House, grant: str) -> int:
    """Tell of new versions until the only stream is gone; return how many."""
    node, said = house.node, 0
    while not node.streams.listening(grant):
        await settled(house)
    async with asyncio.timeout(60):
        while node.streams.listening(grant):
            await node.store.write(
                lambda tx: note_version(tx, node.owner, grant, now_us=node.ambient.clock.now_us())
            )
            said += 1
            await asyncio.sleep(0)
    return said


async def test_others_hear_while_one_is_slow(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        target = f"/g/{held.grant}/events"
        address = urlsplit(house.base)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            slow.connect((address.hostname, address.port))
            slow.sendall(request_bytes(target, headers=held.headers("GET", target), close=False))
            async with listening(held) as ear:
                await ear.told("ready")
                for _ in range(200):
                    await house.node.store.write(
                        lambda tx: note_version(
                            tx, house.node.owner, held.grant, now_us=house.node.ambient.clock.now_us()
                        )
                    )
                    await ear.told("grant")


async def test_what_is_sent_on_an_open_stream_is_not_answered(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        async with listening(held) as ear:
            await ear.told("ready")
            ear.writer.write(request_bytes("/healthz", close=False) * 50)
            await ear.writer.drain()
            await house.change(held.grant, "pause")
            await ear.told("end")
            assert await ear.reader.read() == b""


async def test_an_old_client_gets_a_stream_that_ends_with_the_connection(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        target = f"/g/{held.grant}/events"
        data = request_bytes(target, headers=held.headers("GET", target), close=False)
        address = urlsplit(house.base)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(data.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        async with asyncio.timeout(20):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"chunked" not in head
            assert (await reader.readline()) == b"event: ready\n"
            await house.change(held.grant, "end")
            assert b"event" not in await reader.read()
        writer.close()
        await writer.wait_closed()


async def test_an_event_on_the_wire() -> None:
    events = [Event(kind="changed", id="A" * 64, permission="delivery"), Event(kind="grant", id="B")]
    assert to_wire(events) == (
        b"event: changed\nid: " + b"A" * 64 + b'\ndata: {"permission":"delivery"}\n\n'
        b"event: grant\nid: B\ndata: {}\n\n"
    )
    longest = Event(kind="changed", id="A" * 64, permission="p" * 40)
    assert len(to_wire([longest])) < limits.MAX_EVENT_BYTES / 4
    with pytest.raises(ValueError, match="too long"):
        to_wire([Event(kind="changed", id="A" * 1000, permission="p" * 40)])
