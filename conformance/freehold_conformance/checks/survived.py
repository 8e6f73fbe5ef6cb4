"""What outlives a crash: the node is killed once, in the middle of reads and changes, and started anew.

Each check is written as one story with a ``yield`` in it, at which the node is killed. All are told up to there, then
comes the one crash, and then each goes on by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from ..cast import book
from ..cast.holder import Holder
from ..cast.owner import Session
from ..cast.stage import Stage, permission
from ..check import (
    Failed,
    Profile,
    Skipped,
    Topic,
    expect,
    expect_equal,
    expect_problem,
    expect_status,
    object_of,
)
from ..hands.encoding import Document, cid, from_base64url
from ..hands.keys import Key
from ..hands.ledger import judge, out_of_order
from ..hands.merkle import is_consistent
from .events import expect_quiet, told
from .ledger_admitted import entry_of, signature_digest
from .released import alias_of
from .selected import Circle, names_of

topic = Topic(profile=Profile.DURABLE)

Story = Callable[[Stage], AsyncIterator[None]]
Told = AsyncIterator[None] | Exception

_STORIES: Final[dict[str, Story]] = {}


async def _crash(stage: Stage) -> dict[str, Told]:
    if stage.restart is None:
        raise Skipped("no way was given to kill the node and start it anew")
    begun: dict[str, Told] = {}
    for name, story in _STORIES.items():
        told_so_far = begun[name] = story(stage)
        try:
            await anext(told_so_far)
        except Exception as error:  # noqa: BLE001 - told where it belongs, in its own check
            begun[name] = error
    await stage.restart()
    return begun


def survives(*requirements: str) -> Callable[[Story], Story]:
    """Make a check of a story: an async generator that yields once, when the node may be killed."""

    def add(story: Story) -> Story:
        name = story.__name__
        _STORIES[name] = story

        async def run(stage: Stage) -> None:
            begun = (await stage.once("a crash", lambda: _crash(stage)))[name]
            if isinstance(begun, Exception):
                raise begun
            async for _ in begun:
                raise RuntimeError("a story with two crashes")

        run.__name__, run.__doc__ = name, story.__doc__
        topic.check(*requirements, alone=True)(run)  # nothing can go on beside a node that is killed
        return story

    return add


async def _vendor(stage: Stage, **more: object) -> Holder:
    shown = await stage.person(name="Ada", email="ada@example.com")
    return await stage.relate([shown.permission("delivery", ["name", "email"], **more)])


# Withdrawals


@survives("HTTP-38", "SEC-4", "GRA-13", "HTTP-27")
async def withdrawals_bind_after_a_crash(stage: Stage) -> AsyncIterator[None]:
    """Pause, end, narrowing and what was taken back bind the first read after a crash, if they had been answered."""
    paused, ended, narrowed = [await _vendor(stage) for _ in range(3)]
    circle, key = Circle.draw(stage), Key.fresh()
    record = await circle.add("Bea")
    given = [{**circle.permission(name=name), "recipients": [key.did]} for name in ("delivery", "news")]
    one = await stage.relate(given)
    partner, other = one.delegate("/delivery", key=key), one.delegate("/news", key=key)
    for holder, name in ((paused, "delivery"), (ended, "delivery"), (partner, "delivery"), (other, "news")):
        await holder.read(name)
    await stage.owner.change(paused.grant, "pause")
    await stage.owner.change(ended.grant, "end")
    standing = (await stage.owner.grant(narrowed.grant))["document"]["permission"][0]
    less = {**standing, "items": [{**standing["items"][0], "fields": ["name"]}]}
    await stage.owner.change(narrowed.grant, "narrow", permissions=[less])
    expect_status(await one.renounce(partner.capability), 204)
    await stage.owner.revoke(one.grant, permission="news")
    await stage.owner.delete(record)
    yield
    expect_problem(await paused.get("/delivery/records"), 403, "grant-paused")
    expect_problem(await ended.get("/delivery/records"), 403, "grant-ended")
    expect_problem(await narrowed.get("/delivery/records?fields=email"), 403, "not-shared")
    expect("email" not in (await narrowed.read("delivery"))["items"][0], "a field came after its withdrawal")
    expect_problem(await partner.get("/delivery/records"), 403, "revoked")
    expect_problem(await one.get("/news/records"), 403, "not-shared")
    expect_equal((await one.read("delivery"))["items"], [], "documents after their deletion")


@survives("GRA-20", "HTTP-39")
async def an_end_that_came_meanwhile_is_kept(stage: Stage) -> AsyncIterator[None]:
    """A grant whose time was over while the node was down is expired, with its version and entry."""
    shown = await stage.person(name="Ada")
    end = stage.now() + 8
    vendor = await stage.relate([shown.permission("delivery", ["name"])], expires_s=end)
    await vendor.read("delivery")
    yield
    await asyncio.sleep(max(0.0, int(end) + 1.2 - stage.now()))
    expect_problem(await vendor.get("/delivery/records"), 403, "grant-expired")
    found = (await book.of_owner(stage.owner, vendor.grant)).of("changed")
    expect_equal([entry["change"] for entry in found], ["approve", "expire"], "changes in the ledger")


@survives("REQ-10", "LED-3")
async def reads_are_counted_on(stage: Stage) -> AsyncIterator[None]:
    """A number of reads that was partly used is not full again."""
    total = await _vendor(stage, limits={"reads": 3})
    rate = await _vendor(stage, limits={"rate": {"reads": 2, "per": "P1D"}})
    for holder in (total, total, rate):
        await holder.read("delivery")
    yield
    for holder in (total, rate):
        await holder.read("delivery")
        expect_problem(await holder.get("/delivery/records"), 403, "limit-reached")


# The ledger


@survives("LED-3", "LED-14", "LED-1")
async def the_ledger_goes_on(stage: Stage) -> AsyncIterator[None]:
    """What was in a ledger is there after a crash, with its salts, and a new checkpoint continues the old."""
    vendor = await _vendor(stage)
    for _ in range(5):
        await vendor.read("delivery")
    expect_problem(await vendor.get("/delivery/records?fields=telephone"), 403, "not-shared")
    before = await book.of_owner(stage.owner, vendor.grant)
    yield
    await vendor.read("delivery")
    after = await book.of_owner(stage.owner, vendor.grant)
    expect(
        after.items[: before.size] == before.items, "entries, salts or leaves are other than before the crash"
    )
    expect_equal(after.size, before.size + 1, "entries")
    link = await book.told(vendor, f"/ledger/checkpoint?from={before.size}")
    steps = [from_base64url(step) for step in link["consistency"]]
    new, old = after.checkpoint, before.checkpoint
    expect(
        is_consistent(old.size, old.root, new.size, new.root, steps),
        "the ledger does not continue the old one",
    )


@survives("LED-9", "HTTP-40")
async def refusals_are_counted_on(stage: Stage) -> AsyncIterator[None]:
    """A refusal whose kind was written down in this hour is not written down again after a crash."""
    vendor, hour = await _vendor(stage), stage.now() // 3600
    expect_problem(await vendor.get("/delivery/records?fields=telephone"), 403, "not-shared")
    yield
    for _ in range(2):
        expect_problem(await vendor.get("/delivery/records?fields=telephone"), 403, "not-shared")
    size = (await book.of_owner(stage.owner, vendor.grant)).size
    expect(size == 2 or stage.now() // 3600 != hour, f"{size - 1} entries for refusals of one kind")


# Messages


@survives("INV-8", "INV-9", "HTTP-9")
async def nonces_are_kept(stage: Stage) -> AsyncIterator[None]:
    """A signed message that was taken before a crash is replayed after it, under a capability and by a DID."""
    vendor = await _vendor(stage)
    sent = []
    for below in ("/delivery/records", "/ledger/checkpoint"):
        target = vendor.path(below)
        sent.append((target, vendor.signed("GET", target, expires_s=stage.now() + 500)))
    by_did: dict[str, Any] = {
        "nonce_": "durable-nonce-" + Key.fresh().did[-12:],
        "created_s": stage.now(),
        "expires_s": stage.now() + 500,
    }
    for target, headers in sent:
        expect_status(await stage.wire.send("GET", target, headers), 200)
    expect_status(await vendor.by_did("GET", vendor.path(), **by_did), 200)
    yield
    for target, headers in sent:
        expect_problem(await stage.wire.send("GET", target, headers), 409, "replayed")
    expect_problem(await vendor.by_did("GET", vendor.path(), **by_did), 409, "replayed")
    expect_equal((await book.of_owner(stage.owner, vendor.grant)).size, 2, "entries after the replays")
    await vendor.read("delivery")


@survives("INV-19")
async def repetitions_are_known(stage: Stage) -> AsyncIterator[None]:
    """Of a ZCAP client, bytes that were admitted before a crash are a repetition after it."""
    vendor = replace(await _vendor(stage), ezcap=True)
    target = vendor.path("/delivery/records")
    headers = vendor.signed("GET", target)
    first = await stage.wire.send("GET", target, headers)
    if first.status != 200:
        raise Skipped("the node does not read as ZCAP clients sign")
    yield
    again = expect_status(await stage.wire.send("GET", target, headers), 200)
    entry = (await book.of_owner(stage.owner, vendor.grant)).entries[entry_of(again)]
    expect_equal(entry.get("repeatOf"), entry_of(first), "what the entry repeats")


@survives("INV-21", "HTTP-41")
async def the_session_of_before_opens_nothing(stage: Stage) -> AsyncIterator[None]:
    """The owner's session key is another after each start, and the old one is nobody's."""
    old: Session = stage.owner.session
    expect_status(await stage.owner.send("GET", "/status"), 200)
    yield
    expect(stage.owner.session.key.public != old.key.public, "the session key is that of before the crash")
    expect_problem(await stage.owner.send("GET", "/status", key=old.key), 401, "not-authenticated")
    expect_status(await stage.owner.send("GET", "/status"), 200)


# What is shown


@survives("REL-8", "HTTP-31", "HTTP-36", "IDN-10")
async def documents_tags_and_cursors_are_the_same(stage: Stage) -> AsyncIterator[None]:
    """The same content has the same bytes, ids and tags after a crash, and a cursor goes on where it was."""
    circle = Circle.draw(stage)
    for number in range(5):
        await circle.add(f"Bea {number}")
    vendor = await stage.relate([circle.permission()])
    page = expect_status(await vendor.get("/delivery/records?limit=2"), 200)
    alias = alias_of(object_of(page)["items"][0])
    yield
    again = expect_status(await vendor.get("/delivery/records?limit=2"), 200)
    expect(again.body == page.body, "the same content came as other bytes")
    tag = {"if-none-match": page.headers["etag"]}
    expect_status(await vendor.get("/delivery/records?limit=2", headers=tag), 304)
    expect_status(await vendor.get(f"/delivery/records/{alias}"), 200)
    following = await vendor.read("delivery", f"?limit=2&cursor={object_of(page)['next']}")
    expect_equal([item["name"] for item in following["items"]], ["Bea 2", "Bea 3"], "names on the next page")


@survives("REC-7", "GRA-14")
async def records_and_what_selects_them_are_kept(stage: Stage) -> AsyncIterator[None]:
    """Records that were added, edited and selected before a crash are, and those that were not are not."""
    circle = Circle.draw(stage)
    first = await circle.add("Bea")
    vendor = await stage.relate([circle.permission()])
    await circle.add("Cyd")
    await circle.edit(first, name="Bea B")
    yield
    expect_equal(await names_of(vendor), ["Bea B"], "names")
    expect_equal((await stage.owner.show(first))["content"]["name"], "Bea B", "name that the owner sees")


@survives("HTTP-15", "HTTP-17", "HTTP-20")
async def requests_and_invitations_are_kept(stage: Stage) -> AsyncIterator[None]:
    """A request that waits goes on waiting, and an invitation is used, or good, as it was."""
    key = Key.fresh()
    given = [permission("delivery", ["name"])]
    used, fresh = await stage.owner.invite(), await stage.owner.invite()
    request, other = stage.request(key, given), stage.request(key, given)
    first = object_of(expect_status(await stage.post_request(used, request), 202))
    asked = await stage.ask(key, given)
    yield
    expect_equal(
        object_of(expect_status(await stage.post_request(used, request), 202)), first, "answer to the same"
    )
    expect_problem(await stage.post_request(used, other), 404, "not-found")
    expect_status(await stage.post_request(fresh, other), 202)
    expect_equal(object_of(await asked.follow())["status"], "waiting", "status")
    await stage.owner.approve(asked.id, given)
    await (await asked.holder()).get("/delivery/records")


@survives("HTTP-51")
async def streams_go_on(stage: Stage) -> AsyncIterator[None]:
    """After the id of an event of before a crash a stream goes on, and tells what was missed."""
    vendor, other = await _vendor(stage), await _vendor(stage)
    ids = []
    for holder in (vendor, other):
        async with holder.listen() as stream:
            if stream.answer.status == 404:
                raise Skipped("the node has no events")
            ids.append((await told(stream, "ready")).id)
    given = (await stage.owner.grant(vendor.grant))["document"]["permission"]
    await stage.owner.change(vendor.grant, "narrow", permissions=given)
    yield
    async with vendor.listen(Last_Event_ID=ids[0]) as stream:
        await told(stream, "grant")
    async with other.listen(Last_Event_ID=ids[1]) as stream:
        await expect_quiet(stream)


# In the middle of things


async def _until_it_breaks(work: Awaitable[None]) -> None:
    """Do something until there is no node any more that answers."""
    with suppress(OSError, ValueError, Failed):
        await work


@survives("LED-3", "HTTP-37", "SEC-5")
async def no_data_without_its_entry(stage: Stage) -> AsyncIterator[None]:
    """Of reads in whose midst the node was killed, each that brought data has its entry, and no entry is doubled."""
    vendor = await _vendor(stage)
    got: list[tuple[int, str]] = []
    sent: set[str] = set()
    enough = asyncio.Event()

    async def read() -> None:
        target = vendor.path("/delivery/records")
        while True:
            signed = vendor.signed("GET", target)
            sent.add(signature_digest(signed))
            answer = await stage.wire.send("GET", target, signed, timeout_s=10)
            if answer.status == 200:
                got.append((entry_of(answer), signature_digest(signed)))
            if len(got) >= 20:
                enough.set()

    readers = [asyncio.create_task(_until_it_breaks(read())) for _ in range(6)]
    await asyncio.wait_for(enough.wait(), 20)
    yield
    await asyncio.sleep(0.5)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(list(out_of_order(ledger.entries)), [], "what is out of order")
    for number, signature in got:
        expect(number < ledger.size, f"data came under the number {number}, which is not in the ledger")
        expect_equal(ledger.entries[number].get("signature"), signature, "signature in the entry of a read")
    found = [entry["signature"] for entry in ledger.of("admitted")]
    expect_equal(len(set(found)), len(found), "entries of different reads")
    expect(set(found) <= sent, "an entry of a read that nobody made")


@survives("GRA-12", "LED-8", "HTTP-38")
async def changes_are_whole_or_not_at_all(stage: Stage) -> AsyncIterator[None]:
    """Of changes in whose midst the node was killed, each that was answered stands, and the ledger has each once."""
    vendor = await _vendor(stage)
    answered: list[str] = []
    enough = asyncio.Event()

    async def change() -> None:
        given = (await stage.owner.grant(vendor.grant))["document"]["permission"]
        while True:
            await stage.owner.change(vendor.grant, "narrow", permissions=given)
            answered.append("narrow")
            if len(answered) >= 5:
                enough.set()

    changing = asyncio.create_task(_until_it_breaks(change()))
    await asyncio.wait_for(enough.wait(), 20)
    yield
    changing.cancel()
    await asyncio.gather(changing, return_exceptions=True)
    grant = await stage.owner.grant(vendor.grant)
    versions: list[Document] = grant["receipt"]["versions"]
    found = (await book.of_owner(stage.owner, vendor.grant)).of("changed")
    expect_equal(
        [entry["grant"] for entry in found], [cid(version) for version in versions], "versions in the ledger"
    )
    expect(1 + len(answered) <= len(versions), "a change that was answered is gone")
    bundle = await stage.owner.do("GET", f"/grants/{vendor.grant}/ledger/bundle")
    expect(judge(bundle).is_intact, "the ledger is not intact")
