"""Every refusal is an error of its own, and the next read after a change is the first that is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import (
    ClockSuspectError,
    EndedError,
    FreeholdError,
    GrantExpiredError,
    IncompleteRequestError,
    LimitReachedError,
    MalformedError,
    NotFoundError,
    NotSharedError,
    NotYetError,
    OutsideHoursError,
    PausedError,
    RevokedError,
    StaleSignatureError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_vendor import Access, UnreachableError, Vendor, problem_of
from harness import permission
from vendor_scene import ASKED, GIVEN, Scene, ambient_of, identity

pytestmark = pytest.mark.asyncio
DAY_S = 86_400


async def refused(scene: Scene, access: Access, error: type[FreeholdError], code: str) -> None:
    """The next read is refused so, by the node."""
    with pytest.raises(error) as caught:
        await access.read("delivery")
    assert type(caught.value) is error
    problem = problem_of(caught.value)
    assert problem is not None
    assert problem.code == code


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [("pause", PausedError, "grant-paused"), ("end", EndedError, "grant-ended")],
)
async def test_the_person_stops_the_grant(
    scene: Scene, change: str, error: type[FreeholdError], code: str
) -> None:
    access = await scene.relate()
    await access.read("delivery")
    await scene.change(access, change)
    await refused(scene, access, error, code)
    with pytest.raises(error):
        await access.renew()


async def test_paused_is_not_for_good(scene: Scene) -> None:
    access = await scene.relate()
    await scene.change(access, "pause")
    await refused(scene, access, PausedError, "grant-paused")
    await scene.change(access, "resume")
    assert (await access.read("delivery")).records


async def test_expired_is_not_ended(scene: Scene) -> None:
    access = await scene.relate(days=2)
    scene.clock.advance(2 * DAY_S - 60)
    assert (await access.read("delivery")).records
    scene.clock.advance(60)
    await refused(scene, access, GrantExpiredError, "grant-expired")


async def test_not_before(scene: Scene) -> None:
    access = await scene.relate(notBefore=format_time(scene.clock.now_s + DAY_S))
    await refused(scene, access, NotYetError, "grant-not-yet")
    assert access.standing is not None
    scene.clock.advance(access.standing.not_before_s - scene.clock.now_s)
    assert (await access.read("delivery")).records


def limited(limits: Document) -> list[Document]:
    return [permission("delivery", ["name"], limits=limits)]


async def test_outside_hours(scene: Scene) -> None:
    hours = {"days": ["Mo"], "from": "13:00", "to": "14:00", "timeZone": "UTC"}  # it is Monday noon
    access = await scene.relate(limited({"hours": hours}), asked=limited({"hours": hours}))
    await refused(scene, access, OutsideHoursError, "outside-hours")
    scene.clock.advance(3600)
    assert (await access.read("delivery")).records


async def test_the_number_of_reads_is_used_up(scene: Scene) -> None:
    access = await scene.relate(limited({"reads": 2}), asked=limited({"reads": 2}))
    await access.read("delivery")
    await access.head("delivery")
    await refused(scene, access, LimitReachedError, "limit-reached")


async def test_the_rate_refills(scene: Scene) -> None:
    rate = {"rate": {"reads": 1, "per": "PT1H"}}
    access = await scene.relate(limited(rate), asked=limited(rate))
    await access.read("delivery")
    await refused(scene, access, LimitReachedError, "limit-reached")
    scene.clock.advance(3601)
    assert (await access.read("delivery")).records


async def test_a_refusal_without_a_body_says_the_same(scene: Scene) -> None:
    access = await scene.relate()
    with pytest.raises(NotFoundError):
        await access.head("delivery", "zNothingOfThisName")
    await scene.change(access, "pause")
    with pytest.raises(PausedError) as caught:
        await access.head("delivery")
    problem = problem_of(caught.value)
    assert problem is not None
    assert (problem.status, problem.code) == (403, "grant-paused")


@pytest.mark.parametrize(
    ("name", "fields"), [("delivery", ["telephone"]), ("delivery", ["name", "email"]), ("payment", None)]
)
async def test_what_is_not_shared_says_so(scene: Scene, name: str, fields: list[str] | None) -> None:
    access = await scene.relate()
    with pytest.raises(NotSharedError):
        await access.read(name, fields=fields)


async def test_an_alias_that_is_not_shown(scene: Scene) -> None:
    access = await scene.relate()
    with pytest.raises(NotFoundError):
        await access.read("delivery", "zNothingOfThisName")


async def test_a_capability_that_was_given_up(scene: Scene) -> None:
    access = await scene.relate()
    await access.renounce()
    await refused(scene, access, RevokedError, "revoked")
    scene.clock.advance(8 * DAY_S)  # what was given up is not renewed by itself
    with pytest.raises(FreeholdError):
        await access.read("delivery")
    await access.renew()
    assert (await access.read("delivery")).records


async def test_a_clock_that_jumped_is_unavailable_and_says_when_to_come_again(scene: Scene) -> None:
    access = await scene.relate()
    scene.clock.step_wall(2 * DAY_S)
    now_s = scene.clock.now_s - 2 * DAY_S  # the node goes on from the time that it trusts
    object.__setattr__(scene.vendor._ambient, "now_s", lambda: now_s)
    with pytest.raises(ClockSuspectError) as caught:
        await access.read("delivery")
    problem = problem_of(caught.value)
    assert problem is not None
    assert problem.retry_after_s == 5


async def test_clocks_that_differ(scene: Scene) -> None:
    early = ambient_of(scene.clock)
    object.__setattr__(early, "now_s", lambda: scene.clock.now_s + 300)
    async with Vendor(identity(2), allow_private_addresses=True, ambient=early) as vendor:
        with pytest.raises(StaleSignatureError):
            await scene.ask(vendor=vendor)


# Asking

Spoil = Callable[[Document], Any]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda one: one.pop("purpose"), IncompleteRequestError),
        (lambda one: one.pop("retention"), IncompleteRequestError),
        (lambda one: one.update(purpose=["dpv:World"]), UndefinedTermError),
        (lambda one: one["items"][0].update(fields=["*"]), MalformedError),
        (lambda one: one["items"][0].update(fields=["proof"]), MalformedError),
        (lambda one: one["items"][0].update(fields=["nonsense"]), UndefinedTermError),
        (lambda one: one.update(name="ledger"), MalformedError),
        (lambda one: one.update(questions=["over18"]), UnsupportedError),
        (lambda one: one.update(recipients=["courier"]), MalformedError),
    ],
)
async def test_a_request_that_could_not_be_shown_is_not_sent(
    scene: Scene, spoil: Spoil, error: type[FreeholdError]
) -> None:
    asked = permission("delivery", ["name"])
    spoil(asked)
    with pytest.raises(error) as caught:
        await scene.ask([asked])
    assert problem_of(caught.value) is None
    assert await scene.vendor.waiting() == ()


@pytest.mark.parametrize("days", [0, -1, 4000])
async def test_a_request_needs_an_end(scene: Scene, days: int) -> None:
    with pytest.raises(IncompleteRequestError):
        await scene.ask(days=days)


async def test_an_invitation_is_good_for_one_request(scene: Scene) -> None:
    invitation, ends_s = await scene.invitation(), scene.clock.now_s + DAY_S
    await scene.vendor.ask(invitation, ASKED, ends_s)
    with pytest.raises(NotFoundError):
        await scene.vendor.ask(invitation, ASKED, ends_s)
    assert len(await scene.vendor.waiting()) == 1


async def test_an_invitation_that_never_was(scene: Scene) -> None:
    with pytest.raises(NotFoundError):
        await scene.vendor.ask(f"{scene.house.base}/i/nothing-here-at-all", ASKED, scene.clock.now_s + DAY_S)


NO_INVITATIONS = [
    "",
    "https://node.example",
    "https://node.example/i/",
    "https://node.example/i/a/b",
    "https://node.example/i/a?b",
    "https://node.example/i/a#b",
    "https://node.example/i/..",
    "https://Node.example/i/abc",
    "https://user@node.example/i/abc",
    "http://node.example/i/abc",
    "http://localhost/i/abc",
    "ftp://node.example/i/abc",
    "file:///etc/i/passwd",
    "https://node.example/../i/abc",
    "https://node.example\\@evil.example/i/abc",
    " https://node.example/i/abc",
    "https://node.example/i/abc\n",
]


async def test_what_is_no_invitation_is_not_gone_to(scene: Scene) -> None:
    for url in NO_INVITATIONS:
        with pytest.raises(MalformedError) as caught:
            await scene.vendor.ask(url, ASKED, scene.clock.now_s + DAY_S)
        assert problem_of(caught.value) is None, url


NEIGHBOURS = [
    "http://127.0.0.1:9/i/abc",
    "http://127.0.0.2/i/abc",
    "http://[::1]:9/i/abc",
    "https://169.254.169.254/i/abc",
    "https://10.0.0.1/i/abc",
    "https://192.168.1.1:8443/i/abc",
    "https://0.0.0.0/i/abc",
    "https://100.64.0.1/i/abc",
    "https://localhost/i/abc",
]


async def test_a_vendor_is_not_sent_to_its_own_neighbours(scene: Scene) -> None:
    async with Vendor(identity(2), ambient=ambient_of(scene.clock)) as vendor:
        for url in NEIGHBOURS:
            with pytest.raises(UnreachableError):
                await vendor.ask(url, ASKED, scene.clock.now_s + DAY_S)


async def test_another_vendor_cannot_follow_a_request(scene: Scene) -> None:
    pending = await scene.ask()
    async with Vendor(
        identity(2), allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=9)
    ) as other:
        stranger = type(pending)(other._outside, other._taken, pending._held)
        with pytest.raises(NotFoundError):
            await stranger.decision(timeout_s=0)


# A caller's own mistakes

Call = Callable[[Access], Awaitable[Any]]


MISTAKES: list[tuple[Call, type[Exception]]] = [
    (lambda access: access.read("delivery", fields="name"), TypeError),
    (lambda access: access.read("delivery", limit=0), ValueError),
    (lambda access: access.read("delivery", limit=101), ValueError),
    (lambda access: access.read("delivery", "zA", limit=1), ValueError),
    (lambda access: access.read("delivery", "../../owner"), ValueError),
    (lambda access: access.read("delivery", "zA?limit=1"), ValueError),
    (lambda access: access.read("../renew"), MalformedError),
    (lambda access: access.read("delivery", fields=["na me"]), MalformedError),
    (lambda access: access.read("delivery", fields=["name"] * 70), TooLargeError),
]


async def test_a_mistake_of_the_caller(scene: Scene) -> None:
    access = await scene.relate(GIVEN)
    for call, error in MISTAKES:
        with pytest.raises(error):
            await call(access)
