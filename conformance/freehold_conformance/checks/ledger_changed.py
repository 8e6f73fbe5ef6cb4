"""Changes in the ledger: an entry for each, in its transaction, and no admission while the grant was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from ..cast import book
from ..cast.holder import Holder
from ..cast.stage import Stage, permission
from ..check import Failed, Profile, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.encoding import Document, cid, strict_json
from ..hands.keys import Key
from ..hands.ledger import misformed, out_of_order
from .ledger_admitted import chain_of, entry_of

topic = Topic()

_SOON_S: Final = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """A vendor that has two permissions, its partner, and a record that is shown."""

    vendor: Holder
    partner: Holder
    given: tuple[Document, Document]
    record: str

    @property
    def less(self) -> list[Document]:
        """The permissions, one of them with a field less."""
        first, second = self.given
        return [{**first, "items": [{**first["items"][0], "fields": ["name"]}]}, second]


async def _scene(stage: Stage) -> Scene:
    shown = await stage.person(name="Ada", email="ada@example.com")
    key = Key.fresh()
    given = (
        shown.permission("delivery", ["name", "email"], recipients=[key.did]),
        permission("news", ["name"], about="any", where={"jobTitle": shown.tag}),
    )
    vendor = await stage.relate(given)
    partner = vendor.delegate("/delivery", key=key)
    await vendor.read("delivery")
    await partner.read("delivery")
    return Scene(vendor, partner, given, shown.id)


Act = Callable[[Stage, Scene], Awaitable[str | None]]
"""Does it, and returns what the entry says was revoked."""


def _change(*changes: str) -> Act:
    async def act(stage: Stage, scene: Scene) -> None:
        for change in changes:
            more = {"permissions": scene.less if change == "narrow" else list(scene.given)}
            await stage.owner.change(
                scene.vendor.grant, change, **(more if change in ("narrow", "widen") else {})
            )

    return act


async def _expire(scene: Scene) -> None:
    """Wait for the grant's end, which the scene has set near, and read until it has come."""
    for _ in range(100):
        answer = await scene.vendor.get("/delivery/records")
        if answer.status != 200:
            expect_problem(answer, 403, "grant-expired")
            return
        await asyncio.sleep(0.1)
    raise Failed("the grant did not expire")


async def _cut_off(stage: Stage, scene: Scene) -> str:
    await stage.owner.revoke(scene.vendor.grant, partner=scene.partner.key.did)
    return scene.partner.key.did


async def _by_digest(stage: Stage, scene: Scene) -> str:
    digest = chain_of(scene.partner.capability)[-1]
    await stage.owner.revoke(scene.vendor.grant, capability=digest)
    return digest


async def _by_id(stage: Stage, scene: Scene) -> str:
    unseen: str = scene.vendor.delegate("/delivery", key=scene.partner.key).capability["id"]
    await stage.owner.revoke(scene.vendor.grant, capability=unseen)
    return unseen


async def _by_vendor(_: Stage, scene: Scene) -> str:
    expect_status(await scene.vendor.renounce(scene.partner.capability), 204)
    return chain_of(scene.partner.capability)[-1]


async def _by_partner(_: Stage, scene: Scene) -> str:
    expect_status(await scene.partner.renounce(), 204)
    return chain_of(scene.partner.capability)[-1]


async def _permission_gone(stage: Stage, scene: Scene) -> None:
    await stage.owner.revoke(scene.vendor.grant, permission="news")


async def _both_gone(stage: Stage, scene: Scene) -> None:
    for name in ("news", "delivery"):
        await stage.owner.revoke(scene.vendor.grant, permission=name)


async def _vendor_gone(stage: Stage, scene: Scene) -> None:
    await stage.owner.do("POST", "/revocations", {"vendor": scene.vendor.key.did})


async def _record_gone(stage: Stage, scene: Scene) -> None:
    await stage.owner.delete(scene.record)


_ACTS: Final[dict[str, tuple[Act, tuple[str, ...]]]] = {
    "narrow": (_change("narrow"), ("narrow",)),
    "widen": (_change("narrow", "widen"), ("narrow", "widen")),
    "pause": (_change("pause"), ("pause",)),
    "resume": (_change("pause", "resume"), ("pause", "resume")),
    "rotate": (_change("rotate"), ("rotate",)),
    "end": (_change("end"), ("end",)),
    "end-of-a-paused-one": (_change("pause", "end"), ("pause", "end")),
    "partner-cut-off": (_cut_off, ("revoke",)),
    "capability-by-its-digest": (_by_digest, ("revoke",)),
    "capability-by-its-id": (_by_id, ("revoke",)),
    "renounced-by-the-vendor": (_by_vendor, ("revoke",)),
    "renounced-by-the-partner": (_by_partner, ("revoke",)),
    "permission-taken-back": (_permission_gone, ("narrow",)),
    "last-permission-taken-back": (_both_gone, ("narrow", "end")),
    "vendor-taken-back": (_vendor_gone, ("end",)),
    "record-deleted": (_record_gone, ("record-deleted",)),
}


async def expect_changes(
    stage: Stage, vendor: Holder, before: int, changes: tuple[str, ...], revoked: str | None = None
) -> None:
    """Check that since ``before`` entries exactly these changes were written down, as the grant now stands."""
    ledger = await book.of_owner(stage.owner, vendor.grant)
    standing = await stage.owner.grant(vendor.grant)
    versions = {one["version"]: one for one in standing["receipt"]["versions"]}
    new = [entry for entry in ledger.after(before) if entry["kind"] != "refused"]
    expect_equal([entry.get("change") for entry in new], list(changes), "changes in the ledger")
    epoch = max(
        [entry["epoch"] for entry in ledger.entries[:before] if entry["kind"] == "changed"], default=-1
    )
    for entry in new:
        expect_equal(misformed(entry), "", "form of the entry")
        expect_equal(entry["grant"], cid(versions[entry["version"]]), "CID of the version")
        expect_equal(
            entry.get("revoked"), revoked if entry["change"] == "revoke" else None, "what was revoked"
        )
        expect(entry["epoch"] > epoch, "the epoch did not move")
        epoch = entry["epoch"]
    expect_equal(new[-1]["version"], standing["version"], "version in the last entry")
    expect_equal(new[-1]["epoch"], standing["epoch"], "epoch in the last entry")


@topic.check("LED-8", "LED-4", "GRA-12", "GRA-13", cases=_ACTS)
async def a_change_has_its_entry(stage: Stage, case: tuple[Act, tuple[str, ...]]) -> None:
    """When a change was answered its entry is there: what changed, the version that stands after it, and the epoch."""
    act, changes = case
    scene = await _scene(stage)
    before = (await book.of_owner(stage.owner, scene.vendor.grant)).size
    revoked = await act(stage, scene)
    await expect_changes(stage, scene.vendor, before, changes, revoked)


@topic.check("LED-8", "LED-4")
async def the_first_entry_is_that_of_the_approval(stage: Stage) -> None:
    """A ledger begins with the approval: version 1 and its CID, before anything is read."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    await expect_changes(stage, vendor, 0, ("approve",))
    expect_equal(
        (await book.of_owner(stage.owner, vendor.grant)).entries[0]["number"], 0, "number of the first entry"
    )


@topic.check("LED-8", "GRA-20")
async def an_expiry_has_its_entry(stage: Stage) -> None:
    """The end of the grant's time is a change with its version and entry, committed by the read that finds it due."""
    shown = await stage.person(name="Ada")
    given = [shown.permission("delivery", ["name"])]
    vendor = await stage.relate(given, expires_s=stage.now() + _SOON_S)
    await vendor.read("delivery")
    await _expire(Scene(vendor, vendor, (given[0], given[0]), shown.id))
    ledger = await book.of_owner(stage.owner, vendor.grant)
    found = [entry["change"] for entry in ledger.of("changed")]
    expect_equal(found, ["approve", "expire"], "changes in the ledger")
    await expect_changes(stage, vendor, ledger.size - 2, ("expire",))
    expect_equal([entry["code"] for entry in ledger.of("refused")], ["grant-expired"], "refusals")


@topic.check("LED-8", "MOV-9", profile=Profile.MOVING)
async def a_move_has_its_entry(stage: Stage) -> None:
    """That a grant is reached elsewhere too is written down, with the CID of the person's statement."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    body = {"origin": "https://moved.example", "grants": [vendor.grant], "passphrase": stage.owner.passphrase}
    await stage.owner.do("POST", "/origins", body)
    statement = (await stage.owner.grant(vendor.grant))["statements"][-1]
    (entry,) = (await book.of_owner(stage.owner, vendor.grant)).after(1)
    expect_equal(misformed(entry), "", "form of the entry")
    expect_equal(
        (entry["change"], entry["statement"]), ("move", cid(statement)), "the change and its statement"
    )


@topic.check("LED-8")
async def what_is_done_twice_is_written_once(stage: Stage) -> None:
    """To revoke what was revoked changes nothing, and leaves no second entry."""
    scene = await _scene(stage)
    for _ in range(2):
        expect_status(await scene.vendor.renounce(scene.partner.capability), 204)
    again = await stage.owner.revoke(scene.vendor.grant, capability=chain_of(scene.partner.capability)[-1])
    expect_equal(again, {"revoked": False}, "what is said of the second revocation")
    ledger = await book.of_owner(stage.owner, scene.vendor.grant)
    expect_equal([one["change"] for one in ledger.of("changed")], ["approve", "revoke"], "changes")


@topic.check("LED-4", "LED-8")
async def a_long_life_is_in_order(stage: Stage) -> None:
    """Through all changes of a life every entry is of its form, with numbers without gaps and times in order."""
    scene = await _scene(stage)
    owner, vendor = stage.owner, scene.vendor
    for change in ("narrow", "pause", "resume", "widen", "rotate"):
        await _change(change)(stage, scene)
        await vendor.get("/delivery/records")
    renewed = await vendor.by_did("POST", vendor.path("/renew"))
    vendor = replace(vendor, capability=strict_json(renewed.body)["capability"])
    for change in ("pause", "resume", "end"):
        await vendor.get("/delivery/records")
        await owner.change(vendor.grant, change)
        await vendor.get("/delivery/records")
    ledger = await book.of_owner(owner, vendor.grant)
    for entry in ledger.entries:
        expect_equal(misformed(entry), "", f"form of entry {entry['number']}")
    expect_equal(list(out_of_order(ledger.entries)), [], "what is out of order")
    changes = ["approve", "narrow", "pause", "resume", "widen", "rotate", "pause", "resume", "end"]
    expect_equal([entry["change"] for entry in ledger.of("changed")], changes, "changes")
    expect_equal(len(ledger.of("admitted")), 2 + 3 + 3, "admitted reads")


# Order under load


@dataclass(slots=True)
class Heard:
    """What a reader was told: when it asked (in the order of all that happened), and the answer."""

    asked: int
    status: int
    entry: int
    body: Document
    etag: str


@dataclass(slots=True)
class Race:
    """Many readers beside an owner who changes the grant, with one count of what happens."""

    stage: Stage
    vendor: Holder
    ticks: int = 0
    over: bool = False

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks

    async def read(self, heard: list[Heard]) -> None:
        while not self.over:
            asked = self.tick()
            answer = await self.vendor.get("/delivery/records")
            if answer.status != 200:
                expect_status(answer, 403)
                heard.append(Heard(asked, answer.status, -1, {}, ""))
                continue
            body = strict_json(answer.body)
            heard.append(Heard(asked, 200, entry_of(answer), body, answer.headers["etag"]))


async def _race(race: Race, act: Callable[[], Awaitable[None]], *, readers: int = 5) -> list[Heard]:
    heard: list[Heard] = []
    tasks = [asyncio.create_task(race.read(heard)) for _ in range(readers)]
    try:
        await act()
    finally:
        race.over = True
        await asyncio.gather(*tasks)
    return heard


@topic.check("LED-8", "HTTP-38", "LED-3", "LED-14")
async def the_order_holds_under_load(stage: Stage) -> None:
    """While many read, no admission is between a pause and its resumption, and none is lost, doubled or late."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    race, stops = Race(stage, vendor), list[tuple[int, int]]()

    async def act() -> None:
        for _ in range(4):
            await asyncio.sleep(0.03)
            await stage.owner.change(vendor.grant, "pause")
            paused = race.tick()
            await asyncio.sleep(0.03)
            stops.append((paused, race.tick()))
            await stage.owner.change(vendor.grant, "resume")

    heard = await _race(race, act)
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(list(out_of_order(ledger.entries)), [], "what is out of order")
    good = [one for one in heard if one.status == 200]
    expect(len(good) >= 20, "too few reads to judge by")
    admitted = [entry["number"] for entry in ledger.of("admitted")]
    expect_equal(sorted(one.entry for one in good), admitted, "entries of the answers")
    for begin, end in stops:
        late = [one for one in good if begin < one.asked < end]
        expect(not late, f"{len(late)} reads were answered that were asked while the grant was paused")
    expect(
        any(begin < one.asked < end for one in heard for begin, end in stops), "no read met a paused grant"
    )


@topic.check("LED-8", "HTTP-38", "HTTP-37", "GRA-13")
async def a_read_shows_the_version_that_its_entry_names(stage: Stage) -> None:
    """While fields come and go, each answer shows what the version shows that stood at its place in the ledger."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    given = [shown.permission("delivery", ["name", "email"])]
    less = [shown.permission("delivery", ["name"])]
    vendor = await stage.relate(given)
    race, spans = Race(stage, vendor), list[tuple[int, int]]()

    async def act() -> None:
        for _ in range(3):
            await asyncio.sleep(0.03)
            await stage.owner.change(vendor.grant, "narrow", permissions=less)
            narrowed = race.tick()
            await asyncio.sleep(0.04)
            spans.append((narrowed, race.tick()))
            await stage.owner.change(vendor.grant, "widen", permissions=given)

    heard = await _race(race, act)
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(list(out_of_order(ledger.entries)), [], "what is out of order")
    changes = {entry["version"]: entry["change"] for entry in ledger.of("changed")}
    for one in heard:
        expect_equal(one.status, 200, "status of a read")
        entry = ledger.entries[one.entry]
        is_less = changes[entry["version"]] == "narrow"
        (item,) = one.body["items"]
        expect_equal("email" in item, not is_less, "whether the field came that the version does not show")
        expect_equal(set(entry["fields"]), {"name"} if is_less else {"name", "email"}, "fields in the entry")
    late = [
        one
        for one in heard
        if any(begin < one.asked < end for begin, end in spans) and "email" in str(one.body)
    ]
    expect(not late, "a field came after its withdrawal had been answered")


@topic.check("HTTP-38", "LED-3", "REC-9")
async def an_answered_edit_binds_every_later_read(stage: Stage) -> None:
    """While many read, whoever asks after an edit was answered gets what it says, and never what was before."""
    shown = await stage.person(name="Ada 0")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    race, done = Race(stage, vendor), [(0, 0)]

    async def act() -> None:
        for number in range(1, 12):
            await stage.owner.edit(shown.id, {**shown.content, "name": f"Ada {number}"})
            done.append((race.tick(), number))
            await asyncio.sleep(0.02)
        await stage.owner.delete(shown.id)
        done.append((race.tick(), 99))
        await asyncio.sleep(0.03)

    heard = await _race(race, act)
    expect(len(heard) >= 20, "too few reads to judge by")
    for one in heard:
        least = max(number for tick, number in done if tick < one.asked)
        found = [int(item["name"].removeprefix("Ada ")) for item in one.body["items"]]
        expect(found == [] or found[0] >= least, f"version {found} came when {least} had been answered")
    expect(heard[-1].body["items"] == [], "a record came after it was deleted")
