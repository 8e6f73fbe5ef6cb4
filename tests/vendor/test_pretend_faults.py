"""What goes wrong on demand: each fault is the error that it is said to be, once, and nobody is fooled by it."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.errors import BY_CODE, MalformedError, PausedError, RolledBackError, UnavailableError
from freehold_vendor import Access, UnreachableError, Vendor, errors, problem_of
from freehold_vendor.testing import PretendPerson, faults
from pretend_stage import ADA, FRIENDS, ask, relate
from vendor_scene import COURIER, identity

pytestmark = pytest.mark.asyncio
Look = Callable[[Access], Awaitable[Any]]


@pytest.fixture
def person() -> PretendPerson:
    return PretendPerson({"Person": [ADA, *FRIENDS]})


@pytest_asyncio.fixture
async def vendor(person: PretendPerson) -> AsyncIterator[Vendor]:
    async with Vendor(identity(1), transport=person.transport, ambient=person.ambient) as made:
        yield made


READ: Look = lambda access: access.read("delivery")  # noqa: E731
FAULTS: list[tuple[str, Callable[[], faults.Fault], type[Exception]]] = [
    ("unreachable", faults.unreachable, UnreachableError),
    ("lost", faults.lost, UnreachableError),
    ("slow", lambda: faults.slow(15), UnreachableError),
    ("unavailable", lambda: faults.unavailable(retry_after_s=30), UnavailableError),
    ("refused", lambda: faults.refused("storage-full"), BY_CODE["storage-full"]),
    ("not_a_node", faults.not_a_node, MalformedError),
    ("forged_release", faults.forged_release, errors.SignatureError),
    ("swapped_release", faults.swapped_release, errors.ReleaseError),
    ("rolled_back", faults.rolled_back, RolledBackError),
]


async def test_the_table_of_faults_is_the_one_that_is_tested() -> None:
    rows = re.findall(r"^``(\w+)``  .*?``(\w+Error)``|^``(refused)``", faults.__doc__ or "", re.MULTILINE)
    assert [name or other for name, _, other in rows] == [name for name, _, _ in FAULTS]
    for (_, told, _), (name, _, error) in zip(rows, FAULTS, strict=True):
        assert told == error.__name__ or name == "refused"


@pytest.mark.parametrize(("name", "fault", "error"), FAULTS, ids=[name for name, *_ in FAULTS])
@pytest.mark.parametrize("by", ["alias", "page"])
async def test_each_fault_is_seen_once_and_the_next_read_is_good(
    vendor: Vendor, person: PretendPerson, name: str, fault: Any, error: type[Exception], by: str
) -> None:
    access = await relate(vendor, person)
    alias = (await access.read("delivery")).records[0]["id"] if by == "alias" else None
    entries, checkpoint = len(person.ledger()), access.checkpoint
    person.next_answer(fault())
    with pytest.raises(error) as caught:
        await access.read("delivery", alias)
    assert type(caught.value) is error
    problem = problem_of(caught.value)
    retry_after_s = problem and problem.retry_after_s
    assert retry_after_s == (30 if name == "unavailable" else None)
    admitted = name not in {"unreachable", "unavailable", "refused", "not_a_node"}
    assert len(person.ledger()) == entries + admitted
    assert (await access.read("delivery", alias)).records
    assert checkpoint is not None
    assert access.checkpoint is not None
    assert access.checkpoint.size > checkpoint.size


async def test_an_answer_that_is_slow_and_comes(vendor: Vendor, person: PretendPerson) -> None:
    access, before = await relate(vendor, person), person.clock.now_s()
    person.next_answer(faults.slow(14))
    assert (await access.read("delivery")).records
    assert person.clock.now_s() - before == 14
    person.next_answer(faults.slow(400))
    with pytest.raises(UnreachableError) as caught:
        await access.refresh()
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_faults_wait_for_what_they_are_about(vendor: Vendor, person: PretendPerson) -> None:
    access = await relate(vendor, person)
    person.next_answer(faults.forged_release(), faults.rolled_back(), faults.unavailable())
    with pytest.raises(UnavailableError):  # the first that can be about it
        await access.renew()
    with pytest.raises(RolledBackError):
        await access.refresh()
    person.pause()
    with pytest.raises(PausedError):  # nothing was released that could have been forged
        await access.read("delivery")
    person.resume()
    person.next_answer(faults.unreachable())
    with pytest.raises(UnreachableError):
        await ask(vendor, person)
    [held] = await vendor.waiting()
    person.when_asked = person.approve
    assert (await (await held.decision()).read("delivery")).records


async def test_nobody_is_fooled_by_a_ledger_that_was_rolled_back(
    vendor: Vendor, person: PretendPerson
) -> None:
    access = await relate(vendor, person)
    async with Vendor(COURIER, transport=person.transport, ambient=person.ambient) as courier:
        partner = await courier.accept((await access.delegate(COURIER.did, "delivery")).to_dict())
        await partner.read("delivery")
        for who, look in itertools.product((access, partner), (READ, lambda one: one.refresh())):
            await who.read("delivery")
            person.next_answer(faults.rolled_back())
            with pytest.raises(RolledBackError):
                await look(who)
