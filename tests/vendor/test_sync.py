"""The library without asyncio: the same methods, from any thread, and an end without anything left behind."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.errors import FreeholdError, MalformedError, NotSharedError, PausedError
from freehold_vendor import (
    Access,
    Head,
    KeptInFolder,
    PendingRequest,
    RefusedError,
    Release,
    UnreachableError,
    Vendor,
    background,
    problem_of,
    sync,
)
from freehold_vendor.sync import SyncAccess, SyncHead, SyncPendingRequest, SyncRelease, SyncVendor
from freehold_vendor.testing import PretendPerson, faults
from harness import TestClock, open_house
from pretend_stage import ADA, ASKED, FRIENDS, RealStage
from vendor_scene import COURIER, ambient_of, identity

PAIRS: list[tuple[type, type]] = [
    (Vendor, SyncVendor),
    (PendingRequest, SyncPendingRequest),
    (Access, SyncAccess),
    (Release, SyncRelease),
    (Head, SyncHead),
]
NAMES = {one.__name__: other.__name__ for one, other in PAIRS} | {
    "AsyncIterator": "Iterator",
    "AsyncGenerator": "Generator",
}
_WORD = re.compile(r"\b(" + "|".join(NAMES) + r")\b")


# It does not drift from the asynchronous one


def public(cls: type) -> dict[str, Any]:
    found = {name: one for base in cls.__mro__[:-1] for name, one in vars(base).items()}
    return {name: one for name, one in found.items() if not name.startswith("_")}


def signature(function: Callable[..., Any]) -> list[tuple[str, Any, Any, str]]:
    """Parameters and result, with the names of the synchronous classes in the place of the others."""
    found = inspect.signature(function)
    told = [
        (one.name, one.kind, one.default, _WORD.sub(lambda match: NAMES[match[0]], str(one.annotation)))
        for one in found.parameters.values()
    ]
    return [*told, ("return", None, None, _WORD.sub(lambda match: NAMES[match[0]], found.return_annotation))]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda cls: cls.__name__)
def test_both_have_the_same_methods(one: type, other: type) -> None:
    missing = sorted(public(one).keys() - public(other).keys())
    assert not missing, (
        f"{one.__name__} has {', '.join(missing)}, and {other.__name__} has not: add it to sync.py, "
        "with Background.run for what is awaited and Background.each for what is iterated"
    )
    assert sorted(public(other).keys() - public(one).keys()) == []


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        (one, other, name)
        for one, other in PAIRS
        for name in sorted({*public(one), "__init__"} & {*vars(one)})
    ],
)
def test_they_take_and_say_the_same(one: type, other: type, name: str) -> None:
    if name == "__init__" and one is not Vendor:
        return  # nobody makes them by hand
    made, stands = vars(one)[name], vars(other).get(name)
    if not inspect.isfunction(made):
        assert isinstance(stands, property), f"{other.__name__}.{name} is no property"
        if isinstance(made, property):
            assert stands.__doc__ == made.__doc__
            assert made.fget is not None
            assert stands.fget is not None
            assert signature(stands.fget) == signature(made.fget)
        assert stands.__doc__
        return
    assert inspect.isfunction(stands)
    assert signature(stands) == signature(made)
    assert stands.__doc__ == made.__doc__
    assert not inspect.iscoroutinefunction(stands)


def test_a_method_that_is_missing_is_named() -> None:
    class Grown(Access):
        async def sing(self) -> None: ...

    with pytest.raises(AssertionError, match=r"Grown has sing, and SyncAccess has not: add it to sync\.py"):
        test_both_have_the_same_methods(Grown, SyncAccess)


# What it does


@pytest.fixture
def person() -> PretendPerson:
    return PretendPerson({"Person": [ADA, *FRIENDS]})


@pytest.fixture
def vendor(person: PretendPerson) -> Iterator[SyncVendor]:
    with SyncVendor(identity(1), transport=person.transport, ambient=person.ambient) as made:
        yield made
    gc.collect()  # a loop or a socket that was left open would be an error here
    assert not [one for one in threading.enumerate() if one.name == "freehold-vendor"]


def ask(vendor: SyncVendor, person: PretendPerson) -> SyncPendingRequest:
    return vendor.ask(
        person.invite(), ASKED, person.clock.now_s() + 30 * 86_400, benefit="Free delivery", terms="None"
    )


def relate(vendor: SyncVendor, person: PretendPerson) -> SyncAccess:
    pending = ask(vendor, person)
    person.approve(pending.code)
    return pending.decision()


def test_everything_in_its_turn(vendor: SyncVendor, person: PretendPerson) -> None:
    assert vendor.identity.did == identity(1).did
    pending = ask(vendor, person)
    assert [one.code for one in vendor.waiting()] == [pending.code]
    assert (pending.request.benefit, pending.request.terms) == ("Free delivery", "None")
    pending.send()  # again: nothing happens
    with pytest.raises(TimeoutError):
        pending.decision(timeout_s=0)
    person.approve(pending.code)
    access = pending.decision()
    assert vendor.waiting() == ()
    assert vendor.accesses() == (access,)
    assert {access: 1}[vendor.accesses()[0]] == 1
    assert access != pending
    release = access.read("delivery")
    [ada] = release.records
    assert ada["name"] == "Ada Example"
    assert release.verify().number == release.entry
    assert access.read("delivery", ada["id"], fields=["name"]).document["name"] == "Ada Example"
    assert access.read_if_changed(release) is None
    person.edit(name="Ada Changed")
    changed = access.read_if_changed(release)
    assert changed is not None
    assert changed.signed["proof"]
    assert changed.sent.method == "GET"
    head = access.head("delivery")
    assert head.verify().number == head.entry
    assert (head.etag, head.status, head.content) == (changed.etag, 200, None)
    assert head.sent.method == "HEAD"
    first = access.read("circle", limit=2)
    assert len(access.read("circle", limit=4, cursor=first.next).records) == 3
    assert [one["name"] for one in access.list("circle", page_size=2)][1:] == [one["name"] for one in FRIENDS]
    person.narrow({"delivery": ["name"]})
    assert access.refresh().version == 2
    assert access.standing is not None
    assert access.receipt is not None
    assert access.checkpoint is not None
    assert access.grant.startswith(person.origin)
    before = access.capability
    access.renew()
    assert access.capability is not before
    person.widen()
    access.refresh()
    delegation = access.delegate(COURIER.did, "delivery")
    with SyncVendor(COURIER, transport=person.transport, ambient=person.ambient) as courier:
        partner = courier.accept(delegation.to_dict())
        assert partner.is_partner
        assert not access.is_partner
        assert partner.read("delivery").records
        access.revoke(delegation)
        with pytest.raises(FreeholdError):
            partner.read("delivery")
    access.renounce()
    with pytest.raises(FreeholdError):
        access.read("delivery")


def test_errors_are_the_same(vendor: SyncVendor, person: PretendPerson) -> None:
    access, refused = relate(vendor, person), ask(vendor, person)
    person.refuse(refused.code, "Not today.")
    with pytest.raises(RefusedError, match="Not today"):
        refused.decision()
    person.pause()
    with pytest.raises(PausedError) as caught:
        access.read("delivery")
    problem = problem_of(caught.value)
    assert problem is not None
    assert problem.code == "grant-paused"
    person.next_answer(faults.unreachable())
    with pytest.raises(UnreachableError):
        access.refresh()
    with pytest.raises(MalformedError):
        vendor.ask("nowhere", ASKED, 0)
    with pytest.raises(TypeError):
        access.read("delivery", fields="name")
    with pytest.raises(ValueError, match="1 to 100"):
        access.read("delivery", limit=0)


def test_a_wait_that_is_over(vendor: SyncVendor, person: PretendPerson) -> None:
    pending = ask(vendor, person)
    with pytest.raises(TimeoutError):
        pending.decision(timeout_s=45)
    person.approve(pending.code)
    assert pending.decision(timeout_s=45).read("delivery").records


def test_many_threads_share_one(vendor: SyncVendor, person: PretendPerson) -> None:
    access = relate(vendor, person)

    def work(number: int) -> int:
        names = [one["name"] for one in access.list("circle", page_size=2)]
        assert len(names) == 5
        if number % 5 == 0:
            access.refresh()
            access.renew()
        return access.read("delivery").entry

    with ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(work, range(40)))
    assert len(set(entries)) == 40
    assert access.checkpoint is not None
    assert access.checkpoint.size == len(person.ledger())


def test_the_person_decides_while_another_thread_waits(vendor: SyncVendor, person: PretendPerson) -> None:
    pending = ask(vendor, person)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pending.decision)
        person.approve(pending.code)
        assert waiting.result(20).read("delivery").records


# Lists


def test_a_list_can_be_left_half_way(vendor: SyncVendor, person: PretendPerson) -> None:
    access = relate(vendor, person)
    for name in (one["name"] for one in access.list("circle", page_size=1)):
        if name == "Friend 1":
            break
    gc.collect()
    closed = access.list("circle", page_size=1)
    next(closed)
    closed.close()  # type: ignore[attr-defined]
    assert list(closed) == []
    never = access.list("circle")
    del never
    gc.collect()
    assert len(list(access.list("circle"))) == 5


def test_a_list_that_outlives_its_vendor(person: PretendPerson) -> None:
    with SyncVendor(identity(1), transport=person.transport, ambient=person.ambient) as vendor:
        half = relate(vendor, person).list("circle", page_size=1)
        next(half)
    with pytest.raises(RuntimeError, match="outside"):
        next(half)
    del half
    gc.collect()


def test_an_error_in_a_list_ends_it(vendor: SyncVendor, person: PretendPerson) -> None:
    found = relate(vendor, person).list("circle", page_size=1)
    next(found)
    person.pause()
    with pytest.raises(PausedError):
        list(found)
    assert list(found) == []


# Events


def streams_of(vendor: SyncVendor, person: PretendPerson) -> int:
    """How many are open, once the thread in the background has done what it was given before."""
    vendor.waiting()
    return len(person._node.streams._open)


def test_it_hears_what_changes(vendor: SyncVendor, person: PretendPerson) -> None:
    access = relate(vendor, person)
    heard = []
    for event in access.events("delivery"):
        heard.append((event.kind, event.permission))
        if event.kind == "ready":
            person.edit(name="Ada Changed")
            person.pass_time(limits.EVENT_JITTER_S)
        elif event.kind == "changed":
            person.narrow({"delivery": ["name"]})
        else:
            person.end()
    assert heard == [("ready", None), ("changed", "delivery"), ("grant", None)]
    assert access.standing is not None
    assert access.standing.state == "ended"
    assert streams_of(vendor, person) == 0


def test_events_can_be_left_half_way(vendor: SyncVendor, person: PretendPerson) -> None:
    access = relate(vendor, person)
    for event in access.events():
        assert event.kind == "ready"
        break
    gc.collect()
    assert streams_of(vendor, person) == 0
    with closing(access.events()) as events:
        next(events)
        assert streams_of(vendor, person) == 1
        assert access.read("delivery").records  # meanwhile
    assert list(events) == []
    assert streams_of(vendor, person) == 0
    forgotten = [access.events() for _ in range(3)]
    for one in forgotten[1:]:
        next(one)
    assert streams_of(vendor, person) == 2
    del forgotten, one
    gc.collect()
    assert streams_of(vendor, person) == 0


def test_events_that_are_waited_for_in_another_thread(vendor: SyncVendor, person: PretendPerson) -> None:
    events = relate(vendor, person).events()
    assert next(events).kind == "ready"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, events)
        person.edit(name="Ada Changed")
        person.pass_time(limits.EVENT_JITTER_S)
        assert waiting.result(20).kind == "changed"
        heard = pool.submit(lambda: list(events))
        person.end()
        assert [one.kind for one in heard.result(20)] == ["changed"] * 2
    assert list(events) == []


def test_closing_ends_the_wait_for_events(person: PretendPerson) -> None:
    with ThreadPoolExecutor(1) as pool:
        with SyncVendor(identity(1), transport=person.transport, ambient=person.ambient) as vendor:
            access = relate(vendor, person)
            events, other = access.events(), access.events()
            assert [next(events).kind, next(other).kind] == ["ready", "ready"]
            waiting = pool.submit(next, events)
        with pytest.raises(RuntimeError, match=r"closed while|outside"):
            waiting.result(20)
    for one in (events, other):
        with pytest.raises((RuntimeError, StopIteration)):
            next(one)
    assert not person._node.streams._open


def test_an_error_ends_the_events(vendor: SyncVendor, person: PretendPerson) -> None:
    events = relate(vendor, person).events("delivery")
    next(events)
    person.narrow({"marketing": None})
    with pytest.raises(NotSharedError):
        list(events)
    assert list(events) == []


# Beginning and end


def test_it_is_used_only_while_it_is_open(person: PretendPerson) -> None:
    vendor = SyncVendor(identity(1), transport=person.transport, ambient=person.ambient)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="outside its 'with'"):
            ask(vendor, person)
        with pytest.raises(RuntimeError, match="outside its 'with'"):
            vendor.accesses()
    with vendor:
        access = relate(vendor, person)
        with pytest.raises(RuntimeError, match="opened before"):
            vendor.__enter__()
    for use in (lambda: access.read("delivery"), vendor.waiting, lambda: next(access.list("circle"))):
        with pytest.raises(RuntimeError, match="outside its 'with'"):
            use()
    assert access.standing is not None  # what is known needs no node
    vendor.__exit__(None, None, None)  # again: nothing happens
    with pytest.raises(RuntimeError, match="opened before"):
        vendor.__enter__()


def test_closing_breaks_off_what_others_wait_for(person: PretendPerson) -> None:
    began = threading.Event()

    class Slow(KeptInFolder):
        async def load(self) -> Any:
            began.set()
            await asyncio.sleep(60)

    vendor = SyncVendor(
        identity(1), transport=person.transport, ambient=person.ambient, keeping=Slow(Path("none"))
    )
    with ThreadPoolExecutor(1) as pool:
        with vendor:
            waiting = pool.submit(vendor.waiting)
            assert began.wait(10)
        with pytest.raises(RuntimeError, match="closed while"):
            waiting.result(10)


def test_an_interrupt_breaks_off_what_is_waited_for(
    vendor: SyncVendor, person: PretendPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = relate(vendor, person)
    ended = threading.Event()

    class Interrupted:
        def result(self, _: float) -> None:
            raise KeyboardInterrupt

        def __init__(self, inner: Any) -> None:
            self.cancel = inner.cancel
            inner.add_done_callback(lambda _: ended.set())

    submit = background.Background._submit
    with monkeypatch.context() as patched:
        patched.setattr(background.Background, "_submit", lambda *a, **m: Interrupted(submit(*a, **m)))
        pending = vendor._vendor.ask(person.invite(), ASKED, person.clock.now_s() + 86_400)
        with pytest.raises(KeyboardInterrupt):
            vendor._background.run(pending)
        assert ended.wait(10)
    assert access.read("delivery").records


def test_a_time_out_of_the_work_is_one(vendor: SyncVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_HEEDS_S", 0.001)  # so that the wait looks up often meanwhile

    async def give_up() -> None:
        async with asyncio.timeout(0.02):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        vendor._background.run(give_up())


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As at a terminal: a shell has what it starts in the background ignore interrupts, a run of tests too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_real_interrupt(vendor: SyncVendor, person: PretendPerson) -> None:
    main = threading.main_thread()
    access, pending = relate(vendor, person), ask(vendor, person)
    spent = person._node.gate._nonces
    before = len(spent)

    def waits() -> bool:
        frame = sys._current_frames()[main.ident or 0]
        return len(spent) > before and frame.f_code is threading.Condition.wait.__code__

    def interrupt() -> None:
        while not waits():
            time.sleep(0.001)
        signal.pthread_kill(main.ident or 0, signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        interrupted = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            pending.decision(timeout_s=60)
    interrupted.result()
    person.approve(pending.code)
    assert pending.decision().read("delivery").records
    assert access.read("delivery").records


def test_it_refuses_to_stop_an_event_loop(vendor: SyncVendor, person: PretendPerson) -> None:
    access = relate(vendor, person)

    async def mistaken() -> None:
        with pytest.raises(RuntimeError, match="use Vendor, or"):
            access.read("delivery")
        with pytest.raises(RuntimeError, match="use Vendor, or"):
            next(access.list("circle"))
        with pytest.raises(RuntimeError, match="use Vendor, or"):
            SyncVendor(identity(2), transport=person.transport).__enter__()
        assert (await asyncio.to_thread(access.read, "delivery")).records

    asyncio.run(mistaken())


def test_a_forked_process_is_told(
    vendor: SyncVendor, person: PretendPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = relate(vendor, person)
    with monkeypatch.context() as patched:
        child = os.getpid() + 1
        patched.setattr(os, "getpid", lambda: child)
        with pytest.raises(RuntimeError, match="forked"):
            access.read("delivery")
    assert access.read("delivery").records


def test_what_cannot_be_opened_or_closed_says_why(person: PretendPerson) -> None:
    class Broken:
        opens = False

        async def __aenter__(self) -> None:
            if not self.opens:
                raise OSError("no way there")

        async def __aexit__(self, *_: object) -> None:
            raise OSError("no way back")

        async def send(self, *_: Any, **__: Any) -> Any: ...

        def stream(self, *_: Any, **__: Any) -> Any: ...

    broken = Broken()
    with pytest.raises(OSError, match="no way there"):
        SyncVendor(identity(1), transport=broken).__enter__()
    broken.opens = True
    vendor = SyncVendor(identity(1), transport=broken)
    with pytest.raises(OSError, match="no way back"), vendor:
        pass
    assert not [one for one in threading.enumerate() if one.name == "freehold-vendor"]


def test_the_words_at_the_top_are_true() -> None:
    assert "with SyncVendor(identity) as vendor" in (sync.__doc__ or "")
    for _, other in PAIRS:
        assert other.__doc__


# Against a real node


@pytest.mark.asyncio
async def test_it_reads_a_real_node(node_folder: Path, key_store: Any, tmp_path: Path) -> None:
    clock = TestClock()
    async with open_house(node_folder, keys=key_store[1], clock=clock) as house:
        own = (await house.own("POST", "/records", {"content": {"type": "Person", **ADA}}))["id"]
        await house.own("PUT", "/self", {"record": own})
        stage, held = RealStage(house), KeptInFolder(tmp_path / "held")
        invitation, asked, done = await stage.invite(), asyncio.Event(), asyncio.get_running_loop()
        codes: list[str] = []

        def shop() -> list[str]:
            with SyncVendor(
                identity(1), allow_private_addresses=True, ambient=ambient_of(clock), keeping=held
            ) as vendor:
                pending = vendor.ask(invitation, ASKED, clock.now_s + 86_400)
                codes.append(pending.code)
                done.call_soon_threadsafe(asked.set)
                access = pending.decision(timeout_s=25)
                return [one["name"] for one in access.list("circle", page_size=1)]

        reading = asyncio.create_task(asyncio.to_thread(shop))
        await asyncio.wait_for(asked.wait(), 20)
        await stage.approve(codes[0], ASKED)
        assert await asyncio.wait_for(reading, 20) == ["Ada Example"]
