"""One script played against a real node and against a pretended person: vendors see the same, answer by answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from freehold_node.keystore import Keys
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import OutsideHoursError
from freehold_vendor import Access
from harness import permission
from pretend_stage import ASKED, DRIVER, Play, Script, agree
from vendor_scene import COURIER

pytestmark = pytest.mark.asyncio
DAY_S = 86_400
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
        {"cursor": first.next[:-1] + "A"},
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
