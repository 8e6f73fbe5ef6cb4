"""The life of a grant: which change is possible when, and what each leaves behind."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from ..cast.life import GIVEN, Life
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import receipt
from ..hands.encoding import Document, cid, from_xsd_time, xsd_time
from ..hands.keys import Key
from ..hands.receipt import BOTH, DECISION, FIXED, SERVING

topic = Topic()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A line of the table in the specification; ``signers`` may sign it, ``adds`` says if it takes the passphrase."""

    name: str
    before: tuple[str, ...]
    after: str | None
    signers: tuple[str, ...]
    adds: bool


_ALIVE: Final = ("live", "paused")
_EITHER: Final = (SERVING, DECISION)
_TABLE: Final = (
    _Change(name="narrow", before=_ALIVE, after=None, signers=_EITHER, adds=False),
    _Change(name="widen", before=_ALIVE, after=None, signers=(DECISION,), adds=True),
    _Change(name="pause", before=("live",), after="paused", signers=_EITHER, adds=False),
    _Change(name="resume", before=("paused",), after="live", signers=(DECISION,), adds=True),
    _Change(name="rotate", before=_ALIVE, after=None, signers=(BOTH,), adds=True),
    _Change(name="end", before=_ALIVE, after="ended", signers=_EITHER, adds=False),
)
_Case = tuple[_Change, str]
_ALLOWED: Final = {f"{one.name}-{state}": (one, state) for one in _TABLE for state in one.before}
_REFUSED: Final = {
    f"{one.name}-{state}": (one, state)
    for one in _TABLE
    for state in ("live", "paused", "ended", "expired")
    if state not in one.before
}
_ADDING: Final = {name: case for name, case in _ALLOWED.items() if case[0].adds}
_TAKING: Final = {name: case for name, case in _ALLOWED.items() if not case[0].adds}


async def _changed(stage: Stage, case: _Case) -> tuple[Life, list[Document], Document]:
    """Carry out a change; return the relationship, its versions before, and the draft."""
    change, state = case
    life = await Life.in_state(stage, state)
    before = await life.versions()
    drawn = await stage.owner.draw(life.grant, change.name, **life.draws(change.name))
    done = object_of(expect_status(await life.carry_out(drawn), 200))
    wanted = {"grant": life.grant, "version": len(before) + 1, "state": change.after or state}
    expect_equal(done, wanted, "what is said of the change")
    return life, before, drawn


@topic.check("GRA-6", "GRA-12", "GRA-16", "RCP-3", cases=_ALLOWED)
async def a_change_makes_the_next_version(stage: Stage, case: _Case) -> None:
    """A change that the table allows makes a version that follows on the one before and verifies."""
    life, before, _ = await _changed(stage, case)
    versions = await life.versions()
    expect_equal(versions[:-1], before, "the versions before")
    found, last = versions[-1], before[-1]
    expect_equal(found["state"], case[0].after or case[1], "state of the version")
    expect_equal(
        (found["version"], found["previous"]), (last["version"] + 1, cid(last)), "number and previous"
    )
    expect(found["nonce"] not in {one["nonce"] for one in before}, "a nonce that came before")
    expect(from_xsd_time(found["created"]) >= from_xsd_time(last["created"]), "made before the one before")
    for name in FIXED:
        expect_equal(found.get(name), last.get(name), name)
    if case[0].name not in ("narrow", "widen"):
        expect_equal(found["permission"], last["permission"], "permissions")
    expect_equal(found["expires"], last["expires"], "end")


@topic.check("GRA-8", "GRA-6", cases=_ALLOWED)
async def a_change_is_signed_by_a_key_that_may(stage: Stage, case: _Case) -> None:
    """What adds is signed by the decision key, what takes away by it or by the serving key, new keys by two."""
    life, _, _ = await _changed(stage, case)
    signed_by = receipt.signers((await life.vendor.told())["receipt"])
    expect_equal(signed_by[0], DECISION, "who signed the first version")
    expect(signed_by[-1] in case[0].signers, f"signed by {signed_by[-1]}")


@topic.check("GRA-3", "HTTP-43", cases=_ALLOWED)
async def what_is_carried_out_is_the_draft(stage: Stage, case: _Case) -> None:
    """The digest of a draft is that of its canonical bytes, and what is signed is that very draft."""
    life, _, drawn = await _changed(stage, case)
    expect("proof" not in drawn["draft"], "a draft with a proof")
    expect_equal(drawn["digest"], receipt.digest(drawn["draft"]), "digest of the draft")
    signed = (await life.versions())[-1]
    expect_equal(
        {name: one for name, one in signed.items() if name != "proof"}, drawn["draft"], "what was signed"
    )


@topic.check("GRA-12", "GRA-13", "LED-8", cases=_ALLOWED)
async def a_change_has_its_epoch_and_its_entry(stage: Stage, case: _Case) -> None:
    """A change moves the epoch and stands in the ledger, once, with the CID of its version."""
    change, state = case
    life = await Life.in_state(stage, state)
    seen, entries = await life.standing(), await life.entries()
    await life.carry_out(await stage.owner.draw(life.grant, change.name, **life.draws(change.name)))
    after, grown = await life.standing(), await life.entries()
    expect(after["epoch"] > seen["epoch"], "the epoch stayed")
    expect_equal(grown[:-1], entries, "the entries before")
    made = (await life.versions())[-1]
    wanted = {"change": change.name, "grant": cid(made), "version": made["version"], "epoch": after["epoch"]}
    found = {name: value for name, value in grown[-1].items() if name not in ("number", "time", "kind")}
    expect_equal((grown[-1]["kind"], found), ("changed", wanted), "the entry")
    expect_equal(after["document"], made, "the standing version, as the owner sees it")
    expect_equal((after["state"], after["version"]), (made["state"], made["version"]), "how it stands")


@topic.check("GRA-6", "GRA-7", cases=_REFUSED)
async def a_change_that_the_table_has_not_is_refused(stage: Stage, case: _Case) -> None:
    """A change in a state in which the table has none is not-in-this-state, and changes nothing."""
    change, state = case
    life = await Life.in_state(stage, state)
    before = await life.standing()
    expect_equal(before["state"], state, "state of the grant")
    draft = {"change": change.name, **life.draws(change.name)}
    answer = await stage.owner.send("POST", f"/grants/{life.grant}/draft", draft)
    expect_problem(answer, 409, "not-in-this-state")
    expect_equal(await life.standing(), before, "the grant afterwards")


@topic.check("GRA-6", "GRA-18", cases={name: name for name in ("approve", "expire", "revive", "")})
async def a_change_that_nobody_may_ask_for_is_refused(stage: Stage, change: str) -> None:
    """Expiry comes by time alone, approval once; neither is a change that the owner can draw up."""
    life = await Life.in_state(stage, "live")
    before = await life.standing()
    answer = await stage.owner.send("POST", f"/grants/{life.grant}/draft", {"change": change})
    expect(answer.status in (400, 409), f"status {answer.status}")
    expect_problem(answer, answer.status, "malformed", "not-in-this-state")
    expect_equal(await life.standing(), before, "the grant afterwards")
    await life.vendor.read("delivery")


@topic.check("HTTP-44", cases=_ADDING)
async def what_adds_takes_the_passphrase(stage: Stage, case: _Case) -> None:
    """What adds is refused without the passphrase and with a wrong one, and changes nothing; with it, it is done."""
    change, state = case
    life = await Life.in_state(stage, state)
    drawn = await stage.owner.draw(life.grant, change.name, **life.draws(change.name))
    expect_equal(drawn["passphrase"], True, "whether the draft takes the passphrase")
    before = await life.standing()
    right = stage.owner.passphrase
    wrong = [
        {},
        *(
            {"passphrase": one}
            for one in ("", right + "x", right[:-1], right.upper() + "!", 1, None, [right])
        ),
    ]
    for passphrase in wrong:
        answer = await stage.owner.carry_out(life.grant, drawn["digest"], **passphrase)
        expect_problem(answer, 403, "passphrase-wrong")
    expect_equal(await life.standing(), before, "the grant afterwards")
    expect_status(await stage.owner.carry_out(life.grant, drawn["digest"], passphrase=right), 200)


@topic.check("HTTP-44", "GRA-8", cases=_TAKING)
async def what_takes_away_needs_no_passphrase(stage: Stage, case: _Case) -> None:
    """What only takes away is carried out without the passphrase."""
    change, state = case
    life = await Life.in_state(stage, state)
    drawn = await stage.owner.draw(life.grant, change.name, **life.draws(change.name))
    expect_equal(drawn["passphrase"], False, "whether the draft takes the passphrase")
    expect_status(await stage.owner.carry_out(life.grant, drawn["digest"]), 200)
    versions = await life.versions()
    expect_equal(versions[-1]["state"], change.after or state, "state of the version")


# What follows from a state


@topic.check(
    "GRA-6", "HTTP-38", cases={"paused": "grant-paused", "ended": "grant-ended", "expired": "grant-expired"}
)
async def only_a_live_grant_is_read(stage: Stage, code: str) -> None:
    """A grant that is not live is not read, by whatever path, and says by its code why."""
    life = await Life.in_state(stage, code.removeprefix("grant-"))
    before = len([one for one in await life.entries() if one["kind"] == "admitted"])
    for below in ("/delivery/records", "/delivery/records?fields=name", "/other/records", "/delivery/events"):
        expect_problem(await life.vendor.get(below), 403, code)
    head = await life.vendor.get("/delivery/records", method="HEAD")
    expect_equal((head.status, head.headers.get("freehold-code")), (403, code), "answer to HEAD")
    after = len([one for one in await life.entries() if one["kind"] == "admitted"])
    expect_equal(after, before, "admissions in the ledger")


@topic.check("GRA-6", "HTTP-38")
async def what_is_resumed_is_read_again(stage: Stage) -> None:
    """After a pause and a resumption the same capability reads again, what it read before and no more."""
    life = await Life.in_state(stage, "live")
    first = await life.vendor.read("delivery")
    await stage.owner.change(life.grant, "pause")
    expect_problem(await life.vendor.get("/delivery/records"), 403, "grant-paused")
    await stage.owner.change(life.grant, "resume")
    expect_equal(await life.vendor.read("delivery"), first, "the page")


@topic.check("GRA-13", "HTTP-38")
async def the_next_read_is_of_the_version_that_stands(stage: Stage) -> None:
    """The very next read after a narrowing shows less, and after a widening more."""
    life = await Life.in_state(stage, "live")

    async def shown() -> set[str]:
        [item] = (await life.vendor.read("delivery"))["items"]
        return set(item) & {"name", "email", "telephone"}

    expect_equal(await shown(), {"name", "email"}, "fields at first")
    for change, fields in (
        ("narrow", {"name"}),
        ("widen", {"name", "email", "telephone"}),
        ("narrow", {"name"}),
    ):
        await stage.owner.change(life.grant, change, **life.draws(change))
        expect_equal(await shown(), fields, f"fields after {change}")


@topic.check("GRA-6")
async def a_narrowing_of_a_paused_grant_stands_after_it_is_resumed(stage: Stage) -> None:
    """A grant that is paused can be narrowed, and stays paused; resumed, it shows the narrower view."""
    life = await Life.in_state(stage, "paused")
    await stage.owner.change(life.grant, "narrow", **life.draws("narrow"))
    expect_problem(await life.vendor.get("/delivery/records"), 403, "grant-paused")
    await stage.owner.change(life.grant, "resume")
    [item] = (await life.vendor.read("delivery"))["items"]
    expect("name" in item and "email" not in item, "what the narrowed view shows")


@topic.check("GRA-20", "GRA-18", "LED-8")
async def an_expiry_is_a_version_with_an_entry(stage: Stage) -> None:
    """A grant whose time is over has a version that says so, signed, and an entry; no more than one."""
    life = await Life.expired(stage)
    versions = await life.versions()
    last, before = versions[-1], versions[-2]
    expect_equal([one["state"] for one in versions], ["live", "expired"], "states of the versions")
    expect(from_xsd_time(last["created"]) >= from_xsd_time(before["expires"]), "it expired before its end")
    expect_equal(last["permission"], before["permission"], "permissions")
    found = [one for one in await life.entries() if one["kind"] == "changed"]
    expect_equal([one["change"] for one in found], ["approve", "expire"], "changes in the ledger")
    expect_equal(found[-1]["grant"], cid(last), "the version in the entry")


@topic.check("GRA-20", "GRA-19")
async def an_expiry_comes_without_a_read(stage: Stage) -> None:
    """A grant that nobody reads expires too, within a minute of its end."""
    until = int(stage.now()) + 2
    life = await Life.begin(stage, expires_s=until)
    await asyncio.sleep(until - stage.now() + 1)
    for _ in range(60):
        told = (await life.vendor.told())["receipt"]["versions"]
        if told[-1]["state"] == "expired":
            break
        await asyncio.sleep(1)
    expect_equal(
        [one["state"] for one in await life.versions()], ["live", "expired"], "states of the versions"
    )


@topic.check("GRA-20", "GRA-6")
async def a_paused_grant_expires_too(stage: Stage) -> None:
    """A pause does not keep a grant from its end, and what is over cannot be resumed."""
    until = int(stage.now()) + 3
    life = await Life.begin(stage, expires_s=until)
    await stage.owner.change(life.grant, "pause")
    drawn = await stage.owner.draw(life.grant, "resume")
    await asyncio.sleep(until - stage.now() + 1)
    answer = await life.carry_out(drawn)
    expect_problem(answer, 409, "not-in-this-state", "conflict", "draft-changed")
    expect_problem(await life.vendor.get("/delivery/records"), 403, "grant-expired")
    expect_equal((await life.versions())[-1]["state"], "expired", "state of the last version")
    refused = await stage.owner.send("POST", f"/grants/{life.grant}/draft", {"change": "resume"})
    expect_problem(refused, 409, "not-in-this-state")


@topic.check("GRA-1", "HTTP-38", "HTTP-63")
async def a_grant_is_not_read_before_it_begins(stage: Stage) -> None:
    """A grant that begins later is refused as grant-not-yet until then, and read from then on."""
    shown = await stage.person(name="Ada")
    asked = await stage.ask(Key.fresh(), [shown.permission("delivery", ["name"])])
    begins = int(stage.now()) + 4
    await stage.owner.approve(asked.id, [shown.permission("delivery", ["name"])], notBefore=xsd_time(begins))
    vendor = await asked.holder()
    told = (await vendor.told())["receipt"]
    receipt.signers(told)
    expect_equal(told["versions"][0]["notBefore"], xsd_time(begins), "notBefore")
    expect_problem(await vendor.get("/delivery/records"), 403, "grant-not-yet")
    await asyncio.sleep(begins - stage.now() + 1)
    await vendor.read("delivery")


@topic.check("GRA-18", "HTTP-39")
async def the_time_that_a_caller_names_decides_nothing(stage: Stage) -> None:
    """A signature that says it is of before the end reads nothing after it."""
    until = int(stage.now()) + 2
    life = await Life.begin(stage, expires_s=until)
    await life.vendor.read("delivery")
    await asyncio.sleep(until - stage.now() + 1)
    for created in (until - 2, until - 30, stage.now() + 30):
        answer = await life.vendor.get("/delivery/records", created_s=created)
        expect_problem(answer, 403, "grant-expired")


@topic.check("GRA-9", "GRA-20", "HTTP-24")
async def an_earlier_end_binds_what_was_issued_before(stage: Stage) -> None:
    """A grant that is narrowed to end sooner is read until then, and no capability of before or after outlives it."""
    life = await Life.in_state(stage, "live")
    until = int(stage.now()) + 4
    given = {"permissions": [life.permission(GIVEN)], "expires": xsd_time(until)}
    await stage.owner.change(life.grant, "narrow", **given)
    fresh = object_of(expect_status(await life.vendor.renew(), 200))["capability"]
    expect_equal(fresh["expires"], xsd_time(until), "end of a new capability")
    expect_status(await life.vendor.get("/delivery/records"), 200)
    await asyncio.sleep(until - stage.now() + 1)
    expect_problem(await life.vendor.get("/delivery/records"), 403, "grant-expired")
    expect_problem(await life.vendor.renew(), 403, "grant-expired")
    expect_equal([one["state"] for one in await life.versions()], ["live", "live", "expired"], "states")
