"""A person decides on what was on the screen: exactly that draft, in its time, within what was asked, or nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.encoding import Document
from freehold_protocol.grant import Grant
from freehold_protocol.receipt import Receipt
from harness import PASSPHRASE, House, Reply, open_house, permission
from shop import COURIER, DAY_S, MARKETING, NAME_ONLY, OUTSIDER, delivery, shop
from tables import differing, tables

Outcome = tuple[int, str | None]
DRAFT_CHANGED: Outcome = (409, "draft-changed")
CONFLICT: Outcome = (409, "conflict")
DECIDED: Outcome = (409, "not-in-this-state")
WIDENED: Outcome = (403, "widened")
MALFORMED: Outcome = (400, "malformed")
PROOF = {"passphrase": PASSPHRASE}
NOWHERE = {"days": ["Mo"], "from": "08:00", "to": "09:00", "timeZone": "Europe/Atlantis"}


def outcome(reply: Reply) -> Outcome:
    return reply.status, reply.code


async def asked(house: House, name: str = "Test Shop") -> str:
    """Return the path, below ``/owner``, of a request that waits."""
    path, _ = await house.ask(house.key(), [delivery(), MARKETING], name=name)
    return path


async def draft(house: House, path: str, body: Document) -> str:
    digest: str = (await house.own("POST", path + "/draft", body))["digest"]
    return digest


async def approve(house: House, path: str, digest: str, **more: Any) -> Reply:
    return await house.owner("POST", path + "/approve", {"digest": digest, **PROOF, **more})


async def nothing_but_the_nonce(house: House, reply: Any, expected: Outcome) -> None:
    """Await a reply that must be a refusal, and check that it left everything as it was."""
    before = await tables(house.node)
    assert outcome(await reply) == expected
    assert differing(before, await tables(house.node)) == {"nonce"}


# Approving


@pytest.mark.asyncio
async def test_only_the_draft_of_this_request_is_approved_and_once(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        one, two = await asked(house), await asked(house, "Other Shop")
        everything = {"permissions": [delivery(), MARKETING]}
        narrow, whole = (
            await draft(house, one, {"permissions": [NAME_ONLY]}),
            await draft(house, one, everything),
        )
        other = await draft(house, two, everything)
        for digest in (other, "A" * 43, whole[:-1], whole.lower(), "*"):
            await nothing_but_the_nonce(house, approve(house, one, digest), DRAFT_CHANGED)
        await nothing_but_the_nonce(
            house, approve(house, f"/requests/{house.uuid()}", whole), (404, "not-found")
        )
        for proof in (
            {"passphrase": "not this one"},
            {"passphrase": ""},
            {"passphrase": None},
            {"passphrase": 1},
        ):
            await nothing_but_the_nonce(house, approve(house, one, whole, **proof), (403, "passphrase-wrong"))
        without = house.owner("POST", one + "/approve", {"digest": whole})
        await nothing_but_the_nonce(house, without, (403, "passphrase-wrong"))
        grant = (await approve(house, one, narrow)).json["grant"]
        document = (await house.own("GET", f"/grants/{grant}"))["document"]
        assert Grant.from_dict(document).digest == narrow
        for digest in (narrow, whole):
            await nothing_but_the_nonce(house, approve(house, one, digest), DECIDED)
        await nothing_but_the_nonce(house, house.owner("POST", one + "/draft", everything), DECIDED)
        await nothing_but_the_nonce(house, house.owner("POST", one + "/refuse", {}), DECIDED)
        await house.own("POST", two + "/refuse", {})
        await nothing_but_the_nonce(house, approve(house, two, other), DECIDED)
        assert len((await house.own("GET", "/grants"))["grants"]) == 1


@pytest.mark.asyncio
async def test_of_two_approvals_at_once_one_counts(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        path = await asked(house)
        digests = [await draft(house, path, {"permissions": [given]}) for given in (NAME_ONLY, MARKETING)]
        replies = await asyncio.gather(*(approve(house, path, digest) for digest in digests))
        assert Counter(map(outcome, replies)) == {(200, None): 1, DECIDED: 1}


@pytest.mark.asyncio
async def test_a_draft_is_good_for_an_hour(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        path = await asked(house)
        early = await draft(house, path, {"permissions": [NAME_ONLY]})
        house.clock.advance(1)
        late = await draft(house, path, {"permissions": [NAME_ONLY]})
        house.clock.advance(3600)
        await nothing_but_the_nonce(house, approve(house, path, early), DRAFT_CHANGED)
        assert outcome(await approve(house, path, late)) == (200, None)


@pytest.mark.asyncio
async def test_what_ends_before_it_is_approved_is_not_approved(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        path = await asked(house)
        digest = await draft(house, path, {"permissions": [NAME_ONLY], "expires": "2026-11-23T12:10:00Z"})
        house.clock.advance(600)
        await nothing_but_the_nonce(house, approve(house, path, digest), DRAFT_CHANGED)


def altered(**changes: Any) -> Document:
    return delivery() | changes


def item(**changes: Any) -> Document:
    (one,) = delivery()["items"]
    return altered(items=[one | changes])


BEYOND: dict[str, tuple[Document, Outcome]] = {
    "another field": (item(fields=["name", "birthDate"]), WIDENED),
    "another part": (item(fields=["address.streetAddress"]), WIDENED),
    "everybody": (item(about="any"), WIDENED),
    "new records": (item(newRecords=True), WIDENED),
    "another type": (item(type="Organization"), WIDENED),
    "another item": (altered(items=[*delivery()["items"], {"type": "Person", "fields": ["email"]}]), WIDENED),
    "another purpose": (altered(purpose=["dpv:DeliveryOfGoods", "dpv:Marketing"]), WIDENED),
    "a narrower purpose": (altered(purpose=["dpv:SellDataToThirdParties"]), WIDENED),
    "a longer retention": (altered(retention="P31D"), WIDENED),
    "another recipient": (altered(recipients=[COURIER.did, OUTSIDER.did]), WIDENED),
    "another name": (altered(name="shipping"), WIDENED),
    "no such zone": (altered(limits={"hours": NOWHERE}), MALFORMED),
    "no permission's form": (altered(limits={"reads": 0}), MALFORMED),
}


@pytest.mark.asyncio
async def test_nothing_beyond_the_request_is_even_drawn_up(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        path = await asked(house)
        for name, (given, expected) in BEYOND.items():
            before = await tables(house.node)
            reply = await house.owner("POST", path + "/draft", {"permissions": [given]})
            assert outcome(reply) == expected, name
            assert differing(before, await tables(house.node)) == {"nonce"}, name
        for times, expected in (
            ({"expires": "2026-12-23T12:00:01Z"}, WIDENED),
            ({"expires": "2026-11-23T12:00:00Z"}, WIDENED),
            ({"notBefore": "2026-12-23T12:00:00Z"}, WIDENED),
            ({"expires": "tomorrow"}, MALFORMED),
            ({"days": 3}, MALFORMED),
        ):
            body = {"permissions": [NAME_ONLY], **times}
            await nothing_but_the_nonce(house, house.owner("POST", path + "/draft", body), expected)


# Changing


@pytest.mark.asyncio
async def test_only_the_draft_of_this_grant_as_it_stands_is_carried_out_and_once(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        other = await house.relate([MARKETING], name="Other Shop")
        here, there = f"/grants/{held.grant}", f"/grants/{other.grant}"

        async def change(digest: str, **more: Any) -> Reply:
            return await house.owner("POST", here + "/change", {"digest": digest, **more})

        pause, end = [await draft(house, here, {"change": one}) for one in ("pause", "end")]
        of_other = await draft(house, there, {"change": "end"})
        of_request = await draft(house, await asked(house, "Third Shop"), {"permissions": [MARKETING]})
        for digest in (of_other, of_request, "A" * 43, pause.lower()):
            await nothing_but_the_nonce(house, change(digest), DRAFT_CHANGED)
        assert outcome(await change(pause)) == (200, None)
        for digest in (pause, end):  # seen when the grant was live
            await nothing_but_the_nonce(house, change(digest), CONFLICT)
        resume = await draft(house, here, {"change": "resume"})
        for proof in ({}, {"passphrase": "not this one"}, {"passphrase": None}):
            await nothing_but_the_nonce(house, change(resume, **proof), (403, "passphrase-wrong"))
        assert outcome(await change(resume, **PROOF)) == (200, None)
        assert (await house.own("GET", there))["state"] == "live"
        receipt = Receipt.from_dict((await house.own("GET", here))["receipt"])
        assert receipt.verify().version == 3


@pytest.mark.asyncio
async def test_a_draft_does_not_outlive_the_version_it_changes(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        held = await shop(house, days=1)
        here = f"/grants/{held.grant}"
        house.clock.advance(DAY_S - 60)
        end = await draft(house, here, {"change": "end"})
        house.clock.advance(60)
        await house.node.relations.tick()
        await nothing_but_the_nonce(
            house, house.owner("POST", here + "/change", {"digest": end}), (409, "conflict")
        )
        assert (await house.own("GET", here))["state"] == "expired"


@pytest.mark.asyncio
async def test_a_changes_draft_is_good_for_an_hour(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        here = f"/grants/{(await shop(house)).grant}"
        digest = await draft(house, here, {"change": "end"})
        house.clock.advance(3601)
        await nothing_but_the_nonce(
            house, house.owner("POST", here + "/change", {"digest": digest}), DRAFT_CHANGED
        )


@pytest.mark.asyncio
async def test_a_narrowing_takes_away_and_a_widening_stays_within_the_request(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        here = f"/grants/{held.grant}"

        async def drawn(change: str, *given: Document, **more: Any) -> Reply:
            body = {"change": change, **({"permissions": list(given)} if given else {}), **more}
            return await house.owner("POST", here + "/draft", body)

        for name, (given, expected) in BEYOND.items():
            for change in ("narrow", "widen"):
                before = await tables(house.node)
                assert outcome(await drawn(change, given, MARKETING)) == expected, (name, change)
                assert differing(before, await tables(house.node)) == {"nonce"}, (name, change)
        await house.change(held.grant, "narrow", [NAME_ONLY], expires="2026-12-01T00:00:00Z")
        table: list[tuple[Any, Outcome]] = [
            (drawn("narrow", delivery()), WIDENED),
            (drawn("narrow", NAME_ONLY, MARKETING), WIDENED),
            (drawn("narrow", NAME_ONLY, expires="2026-12-01T00:00:01Z"), WIDENED),
            (drawn("narrow", NAME_ONLY | {"limits": {"hours": NOWHERE}}), MALFORMED),
            (drawn("widen", NAME_ONLY), MALFORMED),
            (drawn("widen", delivery(), MARKETING, expires="2026-12-23T12:00:01Z"), WIDENED),
            (drawn("widen", delivery() | {"limits": {"hours": NOWHERE}}), MALFORMED),
            (drawn("narrow"), MALFORMED),
            (drawn("pause", NAME_ONLY), MALFORMED),
            (drawn("pause", expires="2026-11-30T00:00:00Z"), MALFORMED),
            (drawn("end", notBefore="2026-11-30T00:00:00Z"), MALFORMED),
            (drawn("expire"), MALFORMED),
            (drawn("approve"), MALFORMED),
            (drawn("revive"), MALFORMED),
            (drawn("resume"), DECIDED),
        ]
        for reply, expected in table:
            await nothing_but_the_nonce(house, reply, expected)
        assert await held.contents("delivery") == [{"type": "Person", "name": "Ada Example"}]


@pytest.mark.asyncio
async def test_a_narrowing_may_name_a_zone_that_exists(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        hours = NOWHERE | {"timeZone": "Europe/Berlin", "to": "14:00"}
        await house.change(held.grant, "narrow", [NAME_ONLY | {"limits": {"hours": hours}}])
        assert outcome(await held.get("/delivery/records")) == (200, None)


# What each state allows, and what it takes

ALLOWED = {
    "live": {"narrow", "widen", "pause", "end"},
    "paused": {"narrow", "widen", "resume", "end"},
    "ended": set[str](),
}


@pytest.mark.asyncio
async def test_each_state_allows_its_changes_and_no_others(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        here = f"/grants/{held.grant}"
        await house.change(held.grant, "narrow", [delivery()])
        for state, by in (("live", None), ("paused", "pause"), ("ended", "end")):
            if by:
                await house.change(held.grant, by)
            for change in ("narrow", "widen", "pause", "resume", "end"):
                given = {"narrow": [NAME_ONLY], "widen": [delivery(), MARKETING]}.get(change)
                body: Document = {"change": change, **({"permissions": given} if given else {})}
                reply = await house.owner("POST", here + "/draft", body)
                assert outcome(reply) == ((200, None) if change in ALLOWED[state] else DECIDED), (
                    state,
                    change,
                )
                if reply.status == 200:
                    assert reply.json["passphrase"] == (change in ("widen", "resume"))


@pytest.mark.asyncio
async def test_nothing_can_be_read_before_an_approval(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key = house.key()
        path, _ = await house.ask(key, [permission("delivery", ["name"])])
        assert (await house.signed(key, "GET", path)).json == {"status": "waiting"}
        await draft(house, path, {"permissions": [permission("delivery", ["name"])]})
        assert (await house.signed(key, "GET", path)).json == {"status": "waiting"}
        assert (await house.own("GET", "/grants"))["grants"] == []
        request = path.rpartition("/")[2]
        for grant in (request, house.uuid()):
            for method, below in (("GET", ""), ("POST", "/renew")):
                reply = await house.signed(key, method, f"/g/{grant}{below}")
                assert outcome(reply) == (404, "not-found")
        await house.own("POST", path + "/refuse", {"reason": "not now"})
        assert (await house.signed(key, "GET", path)).json == {"status": "refused", "reason": "not now"}
