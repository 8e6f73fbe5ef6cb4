"""Persons who are only pretended: what tests of a vendor need of them, and what goes wrong on demand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import freehold_vendor.testing
import pytest
import pytest_asyncio
from freehold_node.api import problems
from freehold_protocol import limits
from freehold_protocol.errors import (
    BY_CODE,
    FreeholdError,
    GrantExpiredError,
    MalformedError,
    NotSharedError,
    PausedError,
    RevokedError,
    TransitionError,
    WidenedError,
)
from freehold_protocol.ezcap import sign_ezcap
from freehold_vendor import Access, Event, UnreachableError, Vendor, VendorError, errors
from freehold_vendor.testing import PretendClock, PretendPerson, faults, messages, transport_to
from freehold_vendor.testing.messages import Call
from freehold_vendor.testing.transport import respond
from pretend_stage import ADA, ASKED, FRIENDS, ask, relate
from vendor_scene import COURIER, identity

pytestmark = pytest.mark.asyncio
DAY_S = 86_400
Look = Callable[[Access], Awaitable[Any]]


@pytest.fixture
def person() -> PretendPerson:
    return PretendPerson({"Person": [ADA, *FRIENDS]})


@pytest_asyncio.fixture
async def vendor(person: PretendPerson) -> AsyncIterator[Vendor]:
    async with Vendor(identity(1), transport=person.transport, ambient=person.ambient) as made:
        yield made


# The person


async def test_the_words_at_the_top_are_true(vendor: Vendor, person: PretendPerson) -> None:
    assert "person.approve(pending.code" in (freehold_vendor.testing.__doc__ or "")
    pending = await ask(vendor, person)
    assert person.waiting == (pending.code,)
    assert person.request(pending.code) == pending.request
    url = person.approve(pending.code, {"delivery": ["name", "address.postalCode"], "circle": None})
    access = await pending.decision()
    assert access.grant == url
    assert not person.waiting
    [ada] = (await access.read("delivery")).records
    assert (ada["name"], ada["address"]["postalCode"]) == ("Ada Example", "EX1 2AB")
    assert "telephone" not in ada
    with pytest.raises(NotSharedError):
        await access.read("marketing")
    person.narrow({"delivery": ["name"]})
    [ada] = (await access.read("delivery")).records
    assert "address" not in ada
    person.widen()
    assert (await access.read("marketing")).records
    person.pause()
    with pytest.raises(PausedError):
        await access.read("delivery")
    person.resume()
    person.edit(name="Ada Changed", address=None)
    [ada] = (await access.read("delivery")).records
    assert (ada["name"], ada.get("address")) == ("Ada Changed", None)
    friend = person.add("Person", {"name": "Friend 9"})
    assert len((await access.read("circle")).records) == 6
    person.edit(friend, name="Friend 10")
    assert (await access.read("circle")).records[-1]["name"] == "Friend 10"
    person.remove(friend)
    assert len((await access.read("circle")).records) == 5
    partner = await access.delegate(COURIER.did, "delivery")
    async with Vendor(COURIER, transport=person.transport, ambient=person.ambient) as courier:
        held = await courier.accept(partner.to_dict())
        assert (await held.read("delivery")).records
        person.revoke(COURIER.did)
        with pytest.raises(RevokedError):
            await held.read("delivery")
    person.expire()
    with pytest.raises(GrantExpiredError):
        await access.read("delivery")
    assert (await access.refresh()).state == "expired"
    kinds = [(entry["kind"], entry.get("change")) for entry in person.ledger()]
    assert kinds.count(("admitted", None)) == 8
    assert ("changed", "expire") in kinds


async def test_end_is_final(vendor: Vendor, person: PretendPerson) -> None:
    await relate(vendor, person)
    person.end()
    changes: list[Callable[[], None]] = [
        person.pause, person.resume, person.end, person.narrow, person.widen,
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(TransitionError):
            change()


async def test_a_test_s_own_mistakes(vendor: Vendor, person: PretendPerson) -> None:
    with pytest.raises(ValueError, match="0 grants"):
        person.pause()
    pending = await ask(vendor, person)
    mistakes: list[tuple[Callable[[], Any], type[Exception]]] = [
        (lambda: person.approve("1234-5678"), ValueError),
        (lambda: person.approve(pending.code, {"nothing": None}), ValueError),
        (lambda: person.approve(pending.code, {"delivery": ["email"]}), ValueError),
        (lambda: person.approve(pending.code, {"delivery": "name"}), TypeError),
        (lambda: person.approve(pending.code, [{**ASKED[1], "retention": "P9Y"}]), WidenedError),
        (lambda: person.approve(pending.code, expires_s=person.clock.now_s()), FreeholdError),
        (lambda: person.approve(pending.code, expires_s=person.clock.now_s() + 31 * DAY_S), WidenedError),
        (lambda: person.approve(pending.code, []), MalformedError),
        (lambda: person.edit("urn:uuid:nothing", name="x"), ValueError),
        (lambda: person.edit(nonsense="x"), ValueError),
        (lambda: person.edit(proof="x"), ValueError),
        (lambda: person.edit(type=None), ValueError),
        (lambda: person.add("Nonsense", {}), ValueError),
        (lambda: person.remove("urn:uuid:nothing"), ValueError),
        (lambda: person.pass_time(-1), ValueError),
        (lambda: faults.refused("nonsense"), KeyError),
        (lambda: PretendPerson({"Person": {"nonsense": 1}}), ValueError),
        (lambda: PretendPerson({}, origin="person.example"), MalformedError),
        (lambda: transport_to(person, PretendPerson({})), ValueError),
    ]
    for mistake, error in mistakes:
        with pytest.raises(error):
            mistake()
    assert person.waiting == (pending.code,)
    person.approve(pending.code)
    decisions: list[Callable[[], Any]] = [
        lambda: person.approve(pending.code),
        lambda: person.refuse(pending.code),
    ]
    for again in decisions:
        with pytest.raises(TransitionError):
            again()
    other = await ask(vendor, person)
    grant = person.approve(other.code)
    unclear: list[Callable[[], Any]] = [person.pause, lambda: person.pause(grant + "x")]
    for one in unclear:
        with pytest.raises(ValueError, match="grant"):
            one()
    person.pause(grant)
    with pytest.raises(WidenedError):
        person.narrow([ASKED[0] | {"limits": {}, "retention": "P31D"}], grant=grant)
    with pytest.raises(MalformedError):
        person.widen({"delivery": ["name"]}, grant=grant)


async def test_what_a_test_gives_stays_its_own() -> None:
    content = {"name": "Ada", "address": {"type": "PostalAddress", "postalCode": "EX1"}}
    person = PretendPerson({"Person": content})
    async with Vendor(identity(1), transport=person.transport, ambient=person.ambient) as vendor:
        access = await relate(vendor, person)
        content["address"]["postalCode"] = "EX2"  # type: ignore[index]
        assert (await access.read("delivery")).records[0]["address"]["postalCode"] == "EX1"
        person.ledger()[0].clear()
        assert person.ledger()[0]["change"] == "approve"
    for large in ("x" * 300_000, ["x"] * 30_000, float("nan")):
        with pytest.raises(ValueError, match="no node holds"):
            person.edit(name=large)


async def test_the_vendor_is_used_as_ever(person: PretendPerson) -> None:
    vendor = Vendor(identity(1), transport=person.transport, ambient=person.ambient)
    with pytest.raises(RuntimeError, match="outside its 'async with'"):
        await ask(vendor, person)
    async with vendor:
        pending = await ask(vendor, person)
        with pytest.raises(UnreachableError):
            await vendor.ask("https://elsewhere.example/i/x", ASKED, person.clock.now_s() + DAY_S)
    with pytest.raises(RuntimeError, match="outside its 'async with'"):
        await pending.decision()


async def test_several_persons() -> None:
    clock = PretendClock()
    persons = [
        PretendPerson({"Person": {"name": name}}, origin=f"https://{name.lower()}.example", clock=clock)
        for name in ("Ada", "Bob")
    ]
    async with Vendor(identity(1), transport=transport_to(*persons), ambient=persons[0].ambient) as vendor:
        accesses = [await relate(vendor, person) for person in persons]
        names = [(await access.read("delivery")).records[0]["name"] for access in accesses]
        assert names == ["Ada", "Bob"]
        keys = {access.receipt.versions[0].serving_key for access in accesses if access.receipt}
        assert len(keys) == 2
        persons[0].pass_time(31 * DAY_S)  # the clock of both
        for access in accesses:
            with pytest.raises(GrantExpiredError):
                await access.read("delivery")


async def test_every_run_is_the_same() -> None:
    async def run(seed: int) -> list[Any]:
        person = PretendPerson({"Person": ADA}, seed=seed)
        async with Vendor(identity(1), transport=person.transport, ambient=person.ambient) as vendor:
            access = await relate(vendor, person)
            release = await access.read("delivery")
            assert access.receipt is not None
            return [access.grant, release.signed, access.receipt.to_dict(), person.ledger()]

    assert await run(1) == await run(1)
    assert await run(1) != await run(2)


async def test_nothing_goes_out(
    vendor: Vendor, person: PretendPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert (await (await relate(vendor, person)).read("delivery")).records


# Waiting


async def test_a_decision_that_does_not_come_costs_no_time(vendor: Vendor, person: PretendPerson) -> None:
    pending = await ask(vendor, person)
    began, before = time.monotonic(), person.clock.now_s()
    with pytest.raises(TimeoutError):
        await pending.decision(timeout_s=300)
    assert time.monotonic() - began < 20
    assert 300 <= person.clock.now_s() - before < 340


async def test_a_decision_comes_while_the_vendor_waits(vendor: Vendor, person: PretendPerson) -> None:
    pending = await ask(vendor, person)
    waiting = asyncio.create_task(pending.decision(timeout_s=25))
    await asyncio.sleep(0)
    person.approve(pending.code)
    assert (await waiting).standing is not None
    other = await ask(vendor, person)
    waiting = asyncio.create_task(other.decision(timeout_s=25))
    await asyncio.sleep(0)
    thread = threading.Thread(target=person.approve, args=[other.code])
    thread.start()
    assert (await waiting).standing is not None
    thread.join()


async def test_code_that_asks_and_waits_in_one_step(vendor: Vendor, person: PretendPerson) -> None:
    person.when_asked = person.approve
    access = await (await ask(vendor, person)).decision()
    assert (await access.read("delivery")).records
    person.when_asked = lambda code: person.refuse(code, "Not today.")
    with pytest.raises(errors.RefusedError, match="Not today"):
        await (await ask(vendor, person)).decision()


# Listening


async def told(events: AsyncGenerator[Event, None]) -> str:
    async with asyncio.timeout(20):
        event = await anext(events, None)
    return "over" if event is None else event.permission or event.kind


async def test_who_listens_is_told_while_it_waits(vendor: Vendor, person: PretendPerson) -> None:
    access = await relate(vendor, person)
    async with aclosing(access.events("delivery")) as events:
        assert await told(events) == "ready"

        def act() -> None:
            person.edit(name="Ada Changed", telephone=None)
            person.clock.advance(limits.EVENT_JITTER_S)  # by whatever it moves

        waiting = asyncio.create_task(told(events))
        await asyncio.sleep(0)
        act()
        assert await waiting == "delivery"
        person.edit(name="Ada Changing")
        person.pass_time(limits.EVENT_JITTER_S)
        assert await told(events) == "delivery"
        waiting = asyncio.create_task(told(events))
        await asyncio.to_thread(act)
        assert await waiting == "delivery"
        person.end()
        assert await told(events) == "over"
    assert not person._node.streams._open


async def test_nothing_is_told_before_its_time(vendor: Vendor, person: PretendPerson) -> None:
    access = await relate(vendor, person)
    [grant] = person._node.grants.values()
    async with aclosing(access.events()) as events:
        assert await told(events) == "ready"
        for number in range(5):
            before_us = person.clock.now_us
            person.edit(name=f"Ada {number}")
            due_us = {one.due_us for one in grant.events.news if one.due_us > before_us}
            person.pass_time((due_us.pop() - 1 - before_us) / 1e6)
            [stream] = person._node.streams._open
            assert not stream._told
            person.pass_time(1e-6)
            assert [await told(events) for _ in range(3)] == ["circle", "delivery", "friends"]


async def test_what_was_said_before_the_end_is_heard_before_it(vendor: Vendor, person: PretendPerson) -> None:
    access = await relate(vendor, person)
    async with aclosing(access.events("delivery")) as events:
        assert await told(events) == "ready"
        person.edit(name="Ada Changed")
        person.pass_time(limits.EVENT_JITTER_S)
        person.end()
        assert [await told(events), await told(events)] == ["delivery", "over"]


async def test_what_is_over_is_over_in_the_middle_of_a_wait(vendor: Vendor, person: PretendPerson) -> None:
    access = await relate(vendor, person)
    async with Vendor(COURIER, transport=person.transport, ambient=person.ambient) as courier:
        partner = await courier.accept((await access.delegate(COURIER.did, "delivery")).to_dict())
        async with aclosing(partner.events()) as events:
            assert await told(events) == "ready"
            waiting = asyncio.create_task(told(events))
            await asyncio.sleep(0)
            person.revoke(COURIER.did)
            with pytest.raises(RevokedError):
                await waiting


async def test_a_stream_ends_with_the_vendor(person: PretendPerson) -> None:
    async with Vendor(identity(1), transport=person.transport, ambient=person.ambient) as vendor:
        events = (await relate(vendor, person)).events()
        assert await told(events) == "ready"
    with pytest.raises(RuntimeError, match="outside"):
        await told(events)
    assert not person._node.streams._open


async def test_a_node_that_is_away_is_listened_to_again(vendor: Vendor, person: PretendPerson) -> None:
    access = await relate(vendor, person)
    for fault in (faults.unreachable(), faults.lost(), faults.unavailable(), faults.slow(20)):
        person.next_answer(fault)
        async with aclosing(access.events()) as events:
            assert await told(events) == "ready"
        assert not person._node.streams._open
    for fault in (faults.not_a_node(), faults.refused("not-shared")):
        person.next_answer(fault)
        with pytest.raises((MalformedError, NotSharedError)):
            await told(access.events())


async def test_a_signature_of_the_other_kind_is_refused_in_so_many_words(
    vendor: Vendor, person: PretendPerson
) -> None:
    access = await relate(vendor, person)
    assert access.capability is not None
    url = access.grant + "/delivery/records"
    signed = sign_ezcap(
        vendor.identity.key, access.capability, method="GET", target_uri=url, action="read",
        created_s=person.clock.now_s(),
    )  # fmt: skip
    call = Call(method="GET", target=url.removeprefix(person.origin), headers=signed)
    reply = await respond(person._node, call, [])
    assert (reply.status, reply.document()["code"]) == (422, "unsupported")
    assert "ezcap" in reply.document()["detail"]


async def test_errors_of_the_protocol_are_answered_as_a_node_answers_them() -> None:
    assert dict(messages.STATUS) == problems.STATUS
    for code, error in BY_CODE.items():
        made, real = messages.refusal(error("told")), problems.problem(error("told"), route="/g")
        assert (made.status, dict(made.headers)) == (
            real.status,
            {"content-type": "application/problem+json"}
            | {name.lower(): value for name, value in real.headers.items() if name != "Content-Type"},
        )
        assert made.body == real.body, code


async def test_what_stands_anywhere_in_a_request_ends_in_an_answer(person: PretendPerson) -> None:
    """As strange as it may be: no exception comes out of the node."""
    texts = (
        "",
        "/",
        "\x00",
        "é",
        "/g/\ud800",
        "*",
        "http://x/",
        "/g/x?" + "&" * 99,
        "/i/" + "a" * 99,
        "/g//",
    )
    for method, target, header in itertools.product(("GET", "HEAD", "POST"), texts, texts):
        headers = {"signature": header, "signature-input": header, "capability-invocation": header}
        with contextlib.suppress(VendorError):
            reply = await respond(person._node, Call(method=method, target=target, headers=headers), [])
            assert reply.status in (400, 401, 404, 405, 413)
