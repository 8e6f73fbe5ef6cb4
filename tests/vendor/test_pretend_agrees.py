"""One script played against a real node and against a pretended person: vendors see the same, answer by answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from freehold_node.keystore import Keys
from freehold_protocol import limits
from freehold_protocol.caveat import Caveat, CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import CapabilityError, GrantError, OutsideHoursError
from freehold_protocol.permission import Hours
from freehold_vendor import Access, Event, Vendor
from harness import permission
from pretend_stage import ASKED, DRIVER, Play, Script, agree, told
from vendor_scene import COURIER

pytestmark = pytest.mark.asyncio
DAY_S = 86_400
JITTER_S = limits.EVENT_JITTER_S
SCRIPTS: list[Script] = []


def script(played: Script) -> Script:
    SCRIPTS.append(played)
    return played


@script
async def it_asks_and_reads(play: Play) -> None:
    pending = await play.ask()
    await play.refused(pending.decision(timeout_s=0))
    given = [permission("delivery", ["name", "address.postalCode"], recipients=[COURIER.did]), ASKED[1]]
    await play.stage.approve(pending.code, given)
    access = await pending.decision(timeout_s=0)
    play.note([access.grant, access.standing, access.capability and access.capability.document])
    page = await play.read(access, "delivery")
    [ada] = page.records
    await play.read(access, "delivery", ada["id"])
    await play.read(access, "delivery", ada["id"], fields=["name"])
    await play.read(access, "marketing")
    assert await access.read_if_changed(page) is None
    head = await access.head("delivery")
    play.note([head.entry, head.etag, (await head.verify()).to_dict()])
    await play.stage.edit(name="Ada Changed", telephone=None)
    changed = await access.read_if_changed(page)
    assert changed is not None
    play.note([changed.records, await access.refresh(), access.checkpoint and access.checkpoint.size])
    await play.told_by_ledger(access)


@script
async def the_person_says_no(play: Play) -> None:
    for reason in (None, "Not today."):
        pending = await play.ask()
        await play.stage.refuse(pending.code, reason)
        await play.refused(pending.decision(timeout_s=0))


@script
async def an_invitation_is_good_for_one_request(play: Play) -> None:
    invitation, ends_s = await play.stage.invite(), play.stage.now_s() + DAY_S
    pending = await play.shop.ask(invitation, ASKED, ends_s)
    await play.refused(play.courier.ask(invitation, ASKED, ends_s))
    pending._held = replace(pending._held, status_url=None)  # no answer came, as far as the vendor knows
    await pending.send()
    late = await play.stage.invite()
    await play.stage.pass_time(7 * DAY_S)
    await play.refused(play.shop.ask(late, ASKED, ends_s + 30 * DAY_S))
    await play.refused(play.shop.ask(f"{play.stage.base}/i/nothing", ASKED, ends_s + 30 * DAY_S))
    zone = {"hours": {"days": ["Mo"], "from": "08:00", "to": "17:00", "timeZone": "Nowhere/Town"}}
    ends_s = play.stage.now_s() + DAY_S
    await play.refused(play.shop.ask(await play.stage.invite(), [{**ASKED[1], "limits": zone}], ends_s))


@script
async def it_goes_through_pages(play: Play) -> None:
    access = await play.relate()
    for page_size in (1, 2, 5, 100):
        play.note([one async for one in access.list("circle", page_size=page_size)])
    for query in (
        {"where": {"name": "Friend 1"}},
        {"where": {"email": "friend1@example.com"}},
        {"where": {"name": 1}},
    ):
        play.note([one async for one in access.list("circle", page_size=1, **query)])
    first = await play.read(access, "circle", limit=2)
    await play.read(access, "circle", limit=3, cursor=first.next)
    again = await access.read_if_changed(first)
    assert again is None
    for wrong in (
        {"cursor": "nonsense"},
        {"cursor": first.next, "fields": ["name"]},
        {"cursor": first.next[:-1] + ("B" if first.next.endswith("A") else "A")},
    ):
        await play.refused(access.read("circle", **wrong))
    await play.refused(access.read("friends", cursor=first.next))
    await play.refused(access.read("circle", cursor=first.next, where={"name": "Friend 3"}))
    await play.stage.edit(name="Ada Changed")  # what was edited since is shown as it is now
    await play.read(access, "circle", limit=3, cursor=first.next)
    await play.stage.change(access.grant, "pause")
    await play.stage.change(access.grant, "resume")
    await play.refused(access.read("circle", limit=3, cursor=first.next))


@script
async def what_is_not_shared(play: Play) -> None:
    given = [permission("delivery", ["name", "address.postalCode"]), ASKED[3]]
    access = await play.relate(given=given)
    for name, more in (
        ("marketing", {}),
        ("nothing", {}),
        ("delivery", {"fields": ["telephone"]}),
        ("delivery", {"fields": ["name", "email"]}),
        ("delivery", {"alias": "zNothingOfThisName"}),
        ("friends", {"where": {"telephone": "1"}}),
    ):
        if "where" in more:
            await play.read(access, name, **more)  # finds nothing by what is not shown
        else:
            await play.refused(access.read(name, **more))
    [ada, *_] = (await play.read(access, "friends")).records
    await play.refused(access.read("delivery", "z" + ada["id"][-40:]))
    await play.told_by_ledger(access)


@script
async def the_person_changes_their_mind(play: Play) -> None:
    access = await play.relate()
    await play.read(access, "delivery")
    await play.stage.change(access.grant, "narrow", [permission("delivery", ["name"]), ASKED[2]])
    play.note(await access.refresh())
    await play.read(access, "delivery")
    await play.refused(access.read("marketing"))
    await play.stage.change(access.grant, "widen", ASKED)
    play.note(await access.refresh())
    await play.read(access, "marketing")
    await play.stage.change(access.grant, "pause")
    await play.refused(access.read("delivery"))
    await play.refused(access.head("delivery"))
    await play.refused(access.renew())
    play.note(await access.refresh())
    await play.stage.change(access.grant, "resume")
    await access.renew()
    await play.read(access, "delivery")
    await play.stage.change(access.grant, "end")
    await play.refused(access.read("delivery"))
    await play.refused(access.renew())
    play.note(await access.refresh())
    assert access.receipt is not None
    play.note(access.receipt.to_dict())
    await play.told_by_ledger(access)


@script
async def a_grant_that_was_stopped_before_the_vendor_looked(play: Play) -> None:
    for change in ("pause", "end"):
        pending = await play.ask()
        grant = await play.stage.approve(pending.code, ASKED)
        await play.stage.change(grant, change)
        access = await pending.decision(timeout_s=0)
        play.note([access.capability, access.standing])
        await play.refused(access.read("delivery"))


@script
async def time_passes(play: Play) -> None:
    access = await play.relate()
    first = access.capability
    await play.stage.pass_time(8 * DAY_S)
    await play.read(access, "delivery")
    assert access.capability is not first
    await play.stage.pass_time(22 * DAY_S - 1)
    await play.read(access, "delivery")
    await play.stage.pass_time(1)
    await play.refused(access.read("delivery"))
    play.note(await access.refresh())
    await play.told_by_ledger(access)


@script
async def a_capability_ends_with_its_grant(play: Play) -> None:
    access = await play.relate(days=3)
    partner = await play.courier.accept((await access.delegate(COURIER.did, "delivery")).to_dict())
    await play.stage.pass_time(3 * DAY_S)
    await play.refused(partner.read("delivery"))
    await play.refused(partner.refresh())
    await play.told_by_ledger(access)


@script
async def a_grant_that_begins_later(play: Play) -> None:
    pending = await play.ask()
    begins_s = play.stage.now_s() + DAY_S
    if hasattr(play.stage, "house"):
        await play.stage.approve(pending.code, ASKED, notBefore=format_time(begins_s))
    else:
        await play.stage.approve(pending.code, ASKED, not_before_s=begins_s)
    access = await pending.decision(timeout_s=0)
    await play.refused(access.read("delivery"))
    await play.stage.pass_time(DAY_S)
    await play.read(access, "delivery")


def limited(**limits: Any) -> list[Document]:
    return [{**ASKED[0], "limits": limits}, ASKED[1]]


@script
async def limits_are_reached(play: Play) -> None:
    access = await play.relate(limited(reads=2))
    await play.read(access, "delivery")
    await access.head("delivery")
    await play.refused(access.read("delivery"))
    await play.read(access, "marketing")
    access = await play.relate(limited(rate={"reads": 2, "per": "PT1H"}))
    await play.read(access, "delivery")
    await play.stage.pass_time(1800)
    await play.read(access, "delivery")
    await play.refused(access.read("delivery"))
    await play.stage.pass_time(1800)
    await play.refused(access.read("delivery"))
    await play.stage.pass_time(1)
    await play.read(access, "delivery")
    await play.refused(access.read("delivery"))
    hours = {"days": ["Mo"], "from": "08:00", "to": "17:00", "timeZone": "Europe/Berlin"}
    access = await play.relate(limited(hours=hours))
    for _ in range(4):
        try:
            await play.read(access, "delivery")
        except OutsideHoursError:
            play.note("outside")
        await play.stage.pass_time(3 * 3600)


@script
async def refusals_are_counted_by_the_hour(play: Play) -> None:
    access = await play.relate()
    partner = await play.courier.accept((await access.delegate(COURIER.did, "delivery")).to_dict())
    await play.stage.change(access.grant, "pause")
    for _ in range(3):
        await play.refused(access.read("delivery"))
        await play.refused(access.read("marketing"))
        await play.refused(partner.read("delivery"))
        await play.refused(partner.read("marketing"))
    await play.stage.pass_time(3599)
    await play.refused(access.read("nothing"))
    await play.stage.pass_time(1)
    await play.refused(access.read("delivery"))
    await play.stage.pass_time(3600)
    play.note(await access.refresh())
    await play.told_by_ledger(access)


@script
async def partners_read(play: Play) -> None:
    access = await play.relate()
    delegation = await access.delegate(COURIER.did, "delivery")
    partner = await play.courier.accept(json.loads(json.dumps(delegation.to_dict())))
    play.note([partner.is_partner, partner.standing])
    play.note(await partner.refresh())
    page = await play.read(partner, "delivery")
    assert await partner.read_if_changed(page) is None
    await play.refused(partner.read("marketing"))
    rider = await play.driver.accept((await partner.delegate(DRIVER.did, "delivery")).to_dict())
    await play.read(rider, "delivery")
    play.note(await rider.refresh())
    await play.stage.change(
        access.grant, "narrow", [permission("delivery", ["name"], recipients=[COURIER.did]), *ASKED[1:]]
    )
    await play.refused(rider.read("delivery"))
    play.note(await rider.refresh())
    await play.read(partner, "delivery")
    await play.stage.change(access.grant, "end")
    await play.refused(partner.read("delivery"))
    play.note([await partner.refresh(), await access.refresh()])
    await play.told_by_ledger(access)


@script
async def partners_are_cut_off(play: Play) -> None:
    access = await play.relate()

    async def partner(more_s: int) -> tuple[Any, Access]:
        """Another delegation each time."""
        made = await access.delegate(COURIER.did, "delivery", expires_s=play.stage.now_s() + more_s)
        return made, await play.courier.accept(made.to_dict())

    first, one = await partner(1000)
    _, two = await partner(2000)
    await access.revoke(first)
    await access.revoke(first)
    await play.refused(one.read("delivery"))
    await play.refused(one.refresh())
    await play.read(two, "delivery")
    await two._holder.invoke("GET", "/delivery/ledger/entries")  # it sees what cut it off, and its own reads
    await access._fetch_ledger("/entries")
    await two.renounce()
    await play.refused(two.read("delivery"))
    third, three = await partner(3000)
    await play.read(three, "delivery")
    rider = await play.driver.accept((await three.delegate(DRIVER.did, "delivery")).to_dict())
    await play.stage.revoke(access.grant, COURIER.did)
    await play.stage.revoke(access.grant, COURIER.did)
    await play.refused(three.read("delivery"))
    await play.refused(rider.read("delivery"))
    await access.revoke(third)
    await play.read(access, "delivery")
    await access.renounce()
    await play.refused(access.read("delivery"))
    await access.renew()
    await play.read(access, "delivery")
    _, four = await partner(600)
    await play.stage.pass_time(600)
    await play.refused(four.read("delivery"))
    stranger = await play.courier.ask(await play.stage.invite(), [ASKED[1]], play.stage.now_s() + DAY_S)
    await play.stage.approve(stranger.code, [ASKED[1]])
    await play.refused((await stranger.decision(timeout_s=0)).revoke(third))
    await play.told_by_ledger(access)


NOON = Hours.from_dict({"days": ["Mo", "Tu"], "from": "12:00", "to": "13:00", "timeZone": "UTC"})
NOWHERE = Hours.from_dict({"days": ["Mo"], "from": "00:00", "to": "23:59", "timeZone": "Moon/Tranquility"})


async def handed_on(access: Access, to: Vendor, *caveats: Caveat) -> Access:
    delegation = await access.delegate(to.identity.did, "delivery", caveats=caveats)
    return await to.accept(json.loads(json.dumps(delegation.to_dict())))


async def tried(play: Play, *accesses: Access) -> None:
    """Read by each in its turn, and note what comes of it."""
    for access in accesses:
        try:
            play.note([one["name"] for one in (await access.read("delivery")).records])
        except (CapabilityError, GrantError) as error:
            play.note(told(error))


@script
async def caveats_are_kept(play: Play) -> None:
    access = await play.relate()
    counted = await handed_on(access, play.courier, CountCaveat(reads=3))
    riders = [
        await handed_on(counted, play.driver),
        await handed_on(counted, play.driver, CountCaveat(reads=1)),
    ]
    await tried(play, riders[1], riders[1], counted, riders[0], counted, *riders, access)
    await tried(play, *[await handed_on(access, play.courier, CountCaveat(reads=1))] * 2)
    rated = await handed_on(
        access, play.courier, RateCaveat(reads=2, seconds=3600), RateCaveat(reads=3, seconds=DAY_S)
    )
    rider = await handed_on(rated, play.driver)
    await tried(play, rated, rider, rider)
    for seconds in (3599, 1, DAY_S - 3601, 1):
        await play.stage.pass_time(seconds)
        await tried(play, rated, rider)
    await play.told_by_ledger(access)


@script
async def caveats_of_hours_and_purposes(play: Play) -> None:
    access = await play.relate()
    at_noon = await handed_on(access, play.courier, HoursCaveat(hours=NOON), CountCaveat(reads=1))
    rider = await handed_on(at_noon, play.driver)
    delivery = PurposeCaveat(purposes=frozenset({"dpv:DeliveryOfGoods"}))
    other = await handed_on(access, play.courier, PurposeCaveat(purposes=frozenset({"dpv:Marketing"})))
    others = [
        await handed_on(access, play.courier, delivery),
        other,
        await handed_on(other, play.driver, delivery),
        await handed_on(access, play.courier, HoursCaveat(hours=NOWHERE)),
        await handed_on(access, play.courier, HoursCaveat(hours=NOWHERE), delivery, CountCaveat(reads=1)),
    ]
    await tried(play, *others, access)
    for seconds in (3599, 1, DAY_S - 3601, 1):
        await play.stage.pass_time(seconds)
        play.note(seconds)
        if seconds == 1:  # what is refused uses up nothing
            await tried(play, rider, at_noon)
    await play.stage.change(access.grant, "pause")
    await tried(play, at_noon, other)
    await play.told_by_ledger(access)


@asynccontextmanager
async def ear(access: Access, permission: str | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    async with aclosing(access.events(permission)) as events:
        yield events


async def hear(play: Play, events: AsyncIterator[Event], count: int = 1) -> None:
    """Note the next events, or that it is over, or the error."""
    for _ in range(count):
        async with asyncio.timeout(20):
            try:
                event = await anext(events, None)
            except (CapabilityError, GrantError) as error:
                play.note(told(error))
                return
        play.note("over" if event is None else [event.kind, event.permission])


@script
async def it_hears_when_to_read_again(play: Play) -> None:
    access = await play.relate(given=[ASKED[0], ASKED[1], ASKED[2]])
    async with ear(access) as events, ear(access, "delivery") as one:
        for each in (events, one):
            await hear(play, each)
        await play.stage.edit(email="b@example.com")
        await play.stage.edit(telephone="1")
        await play.stage.edit(knows=None)  # which nobody is shown
        await play.stage.pass_time(JITTER_S)
        await hear(play, events, 2)
        await hear(play, one)
        await play.stage.edit(telephone="2")
        await play.stage.change(access.grant, "narrow", [permission("delivery", ["name"]), ASKED[2]])
        for each in (events, one):
            await hear(play, each)
        await play.stage.pass_time(JITTER_S)  # what came before the new version is not told any more
        await play.stage.edit(telephone="3")
        friend = await play.stage.add({"name": "Friend 9"})
        await play.stage.pass_time(JITTER_S)
        await hear(play, events)
        await play.stage.remove(friend)
        await play.stage.pass_time(JITTER_S)
        await hear(play, events)
        await play.stage.edit(name="Ada Changed")
        await play.stage.pass_time(JITTER_S)
        await hear(play, events, 2)
        await hear(play, one)
        await play.read(access, "delivery")
        await play.stage.change(access.grant, "narrow", [ASKED[2]])
        await hear(play, events)
        await hear(play, one)  # not shared any more
        await play.stage.change(access.grant, "end")
        await hear(play, events)
    async with ear(access) as events:
        await hear(play, events)
    await play.told_by_ledger(access)


@script
async def it_goes_on_listening_where_it_was(play: Play) -> None:
    access = await play.relate()
    async with ear(access) as events:
        await hear(play, events)
        await play.stage.change(access.grant, "pause")
        await play.stage.edit(birthDate="1985-12-11")
        await play.stage.change(access.grant, "resume")
        await hear(play, events)
        for seconds in (limits.EVENT_STREAM_S, limits.CAPABILITY_DAYS * DAY_S):
            await play.stage.edit(birthDate=f"{1900 + seconds % 99}-12-12")
            await play.stage.pass_time(seconds)
            await hear(play, events)
        await play.stage.pass_time(30 * DAY_S)
        await hear(play, events)


@script
async def ids_of_events_are_good_where_they_were_given(play: Play) -> None:
    access = await play.relate()

    async def listen(path: str, last_id: str | None) -> str:
        """Return the id of the first event of a stream."""
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        async with access._holder.listen(path, headers, idle_s=20) as pieces:
            first = await anext(aiter(pieces))
        return first.decode().partition("\nid: ")[2].partition("\n")[0]

    whole, one = await listen("/events", None), await listen("/delivery/events", None)
    await play.stage.edit(name="Ada Changed")
    await play.stage.pass_time(JITTER_S)
    whole_after = await listen("/events", whole)
    for path in ("/events", "/delivery/events", "/marketing/events"):
        for last_id in (one, whole, "nonsense", "A" * 64, "A" * 300, "é"):
            await listen(path, last_id)
    await play.stage.edit(birthDate="1985-12-11")
    await play.stage.pass_time(JITTER_S)
    await listen("/events", whole_after)


@script
async def partners_listen(play: Play) -> None:
    access = await play.relate()
    partner = await handed_on(access, play.courier)
    rider = await handed_on(partner, play.driver)
    wrong = await handed_on(access, play.driver, PurposeCaveat(purposes=frozenset({"dpv:Marketing"})))
    await play.refused(anext(wrong.events()))
    for path in ("/events", "/marketing/events", "/nothing/events"):
        with suppress(CapabilityError, GrantError):
            async with partner._holder.listen(path, {}, idle_s=20):
                play.note("let in")
    with suppress(GrantError):
        async with access._holder.listen("/nothing/events", {}, idle_s=20):
            play.note("let in")
    async with ear(partner) as one, ear(rider) as other, ear(access, "marketing") as third:
        for each in (one, other, third):
            await hear(play, each)
        await play.stage.edit(name="Ada Changed", email="b@example.com")
        await play.stage.pass_time(JITTER_S)
        for each in (one, other, third):
            await hear(play, each)
        await play.stage.revoke(access.grant, DRIVER.did)
        await hear(play, other)
        await play.stage.change(access.grant, "pause")
        await hear(play, one)
        await hear(play, third)
    await play.told_by_ledger(access)


@script
async def too_many_streams(play: Play) -> None:
    access = await play.relate()
    async with AsyncExitStack() as stack:
        for _ in range(limits.MAX_HOLDER_STREAMS):
            await hear(play, await stack.enter_async_context(ear(access)))
        await play.refused(anext(access.events()))
        partner = await handed_on(access, play.courier)
        await hear(play, await stack.enter_async_context(ear(partner)))


@script
async def records_come_and_go(play: Play) -> None:
    access = await play.relate()
    before = await play.read(access, "friends")
    friend = await play.stage.add({"name": "Friend 9", "email": "friend9@example.com"})
    await play.read(access, "friends")  # which did not ask for new ones
    await play.read(access, "circle")
    await play.stage.change(access.grant, "narrow", [ASKED[3], ASKED[2]])
    await play.read(access, "friends")
    await play.stage.change(access.grant, "widen", ASKED)
    await play.read(access, "friends")
    page = await play.read(access, "circle", limit=2)
    await play.stage.remove(friend)
    await play.refused(access.read("circle", cursor=page.next))
    await play.read(access, "circle")
    assert await access.read_if_changed(before) is None
    await play.told_by_ledger(access)
    quiet = await play.relate([ASKED[1]])
    another = await play.stage.add({"name": "Friend 10"})
    await play.stage.remove(another)
    await play.told_by_ledger(quiet)


@script
async def a_receipt_of_many_versions(play: Play) -> None:
    pending = await play.ask()
    grant = await play.stage.approve(pending.code, ASKED)
    for _ in range(30):
        await play.stage.change(grant, "narrow", ASKED)
    access = await pending.decision(timeout_s=0)
    for _ in range(30):
        await play.stage.change(grant, "narrow", ASKED)
    play.note(await access.refresh())


@pytest.mark.parametrize("played", SCRIPTS, ids=lambda one: one.__name__)
async def test_they_agree(node_folder: Path, key_store: tuple[Path, Keys], played: Script) -> None:
    await agree(node_folder, key_store[1], played)


async def a_partner_passes_on_too_often(play: Play) -> None:
    access = await play.relate()
    partner = await handed_on(access, play.courier)
    for _ in range(3):
        await tried(play, await handed_on(partner, play.driver))
    late = await handed_on(partner, play.driver)
    await tried(play, late, partner, late, await handed_on(access, play.driver))
    await play.refused(anext(late.events()))


async def test_they_agree_on_how_many_links_are_too_many(
    node_folder: Path, key_store: tuple[Path, Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_LINKS_OF_A_PARTNER", 4)
    await agree(node_folder, key_store[1], a_partner_passes_on_too_often)
