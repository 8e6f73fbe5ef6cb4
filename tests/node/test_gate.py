"""Every state in which a request can find a grant or a capability, at every door: who is let in, who is told
what, and that nothing is written but what the refusal or the entry itself writes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.capability import Capability, delegate
from freehold_protocol.encoding import Document
from harness import ADA, Held, House, Reply, open_house, permission
from shop import COURIER, DAY_S, DRIVER, MARKETING, NAME_ONLY, OUTSIDER, alias_of_self, keys_of, shop
from tables import differing, tables

Outcome = tuple[int, str | None]
OK: Outcome = (200, None)
NOBODY: Outcome = (404, "not-found")
DATA = ("list", "record", "HEAD", "304")
Arrange = Callable[[House], Awaitable[Held]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """How a state comes about, and what each door answers in it.

    ``ledger`` and ``grant`` are asked for by the capability, ``renew`` by DID; ``counted`` says whether refused
    reads become part of the ledger.
    """

    arrange: Arrange
    read: Outcome
    ledger: Outcome = OK
    grant: Outcome = OK
    renew: Outcome = OK
    counted: bool = True


async def live(house: House) -> Held:
    return await shop(house)


async def not_yet(house: House) -> Held:
    await house.import_file(ADA, me="Ada Example")
    key, asked = house.key(), [permission("delivery", ["name"])]
    path, _ = await house.ask(key, asked)
    grant = await house.approve(path, asked, notBefore="2026-11-23T12:00:01Z")
    told = await house.signed(key, "GET", path)
    return Held(house=house, key=key, grant=grant, capability=Capability.from_dict(told.json["capability"]))


async def outside_hours(house: House) -> Held:
    # The test clock stands at a Monday, 13:00 in Berlin.
    return await shop(
        house, hours={"days": ["Mo"], "from": "08:00", "to": "13:00", "timeZone": "Europe/Berlin"}
    )


async def reads_used_up(house: House) -> Held:
    held = await shop(house, reads=2)
    for _ in range(2):
        assert (await held.get("/delivery/records", method="HEAD")).status == 200
    return held


async def rate_used_up(house: House) -> Held:
    held = await shop(house, rate={"reads": 2, "per": "PT1H"})
    for _ in range(2):
        assert (await held.get("/delivery/records")).status == 200
    return held


def changed_by(change: str) -> Arrange:
    async def arrange(house: House) -> Held:
        held = await shop(house)
        await house.change(held.grant, change)
        return held

    return arrange


async def expired_by_timer(house: House) -> Held:
    held = await shop(house, days=1)
    assert house.clock is not None
    house.clock.advance(DAY_S)
    assert await house.node.relations.tick() == 1
    return held


async def expired_by_read(house: House) -> Held:
    held = await shop(house, days=1)
    assert house.clock is not None
    house.clock.advance(DAY_S)
    refused = await held.get("/delivery/records")
    assert (refused.status, refused.code) == (403, "grant-expired")
    assert await house.node.relations.tick() == 0
    return held


async def narrowed(house: House) -> Held:
    held = await shop(house)
    await house.change(held.grant, "narrow", [NAME_ONLY, MARKETING])
    return held


async def permission_removed(house: House) -> Held:
    held = await shop(house)
    await house.change(held.grant, "narrow", [MARKETING])
    return held


async def partner(house: House) -> Held:
    return (await shop(house)).delegate(COURIER, path="/delivery")


async def revoked_partner(house: House) -> Held:
    held = await partner(house)
    await house.own("POST", f"/grants/{held.grant}/revocations", {"partner": COURIER.did})
    return held


async def child_of_revoked_partner(house: House) -> Held:
    return (await revoked_partner(house)).delegate(DRIVER, path="/delivery")


async def renounced(house: House) -> Held:
    held = await shop(house)
    capability = held.capability
    reply = await house.signed(
        held.key,
        "POST",
        f"/g/{held.grant}/zcaps/revocations/{capability.id.replace(':', '%3A')}",
        capability.document,
    )
    assert reply.status == 204
    return held


async def expired_capability(house: House) -> Held:
    held = await shop(house)
    assert house.clock is not None
    house.clock.advance(7 * DAY_S)
    return held


async def under_another_key(house: House) -> Held:
    return dataclasses.replace(await shop(house), key=OUTSIDER)


async def of_another_grant(house: House) -> Held:
    other = await house.relate([permission("delivery", ["name"])], name="Other Shop")
    return dataclasses.replace(other, grant=(await shop(house)).grant)


async def not_a_recipient(house: House) -> Held:
    return (await shop(house)).delegate(OUTSIDER, path="/delivery")


async def partner_with_the_whole(house: House) -> Held:
    return (await shop(house)).delegate(COURIER)


def grandchild(**widened: Any) -> Arrange:
    """Return how a driver comes to hold what a courier may not give; times are counted from now."""

    async def arrange(house: House) -> Held:
        courier = (await shop(house)).delegate(
            COURIER, path="/delivery", expires_s=house.now_s() + DAY_S, created_s=house.now_s()
        )
        given = {"path": "/delivery", **widened}
        for name in given.keys() & {"created_s", "expires_s"}:
            given[name] += house.now_s()
        return courier.delegate(DRIVER, **({"expires_s": house.now_s() + DAY_S} | given))

    return arrange


def altered(change: Callable[[Document], None]) -> Arrange:
    """Return how a driver comes to hold a chain in which something was changed after it was signed."""

    async def arrange(house: House) -> Held:
        held = (await partner(house)).delegate(DRIVER, path="/delivery")
        document: Document = json.loads(json.dumps(held.capability.document))
        change(document)
        return dataclasses.replace(held, capability=Capability.from_dict(document))

    return arrange


def _parent(document: Document) -> Document:
    found: Document = document["proof"]["capabilityChain"][-1]
    return found


def _courier_instead(document: Document) -> None:
    _parent(document)["controller"] = OUTSIDER.did


def _sooner(document: Document) -> None:
    document["expires"] = "2026-11-23T13:00:00Z"


def _later(document: Document) -> None:
    document["expires"] = _parent(document)["expires"] = "2026-11-23T13:00:00Z"


def _vendor_instead(document: Document) -> None:
    _parent(_parent(document))["controller"] = COURIER.did


async def signed_by_the_thief(house: House) -> Held:
    """Someone who saw the vendor's capability, and delegates it to a key of its own."""
    held = await shop(house)
    return dataclasses.replace(held, key=OUTSIDER).delegate(OUTSIDER, path="/delivery")


def of_generation(generation: str | None) -> Arrange:
    async def arrange(house: House) -> Held:
        held = await shop(house)
        capability = delegate(
            (await keys_of(house, held.grant)).serving,
            capability_id="urn:uuid:" + house.uuid(),
            controller=held.key.public,
            target=held.capability.target,
            actions=("read",),
            created_s=house.now_s(),
            expires_s=held.capability.expires_s,
            generation=generation,
        )
        return dataclasses.replace(held, capability=capability)

    return arrange


def refused(code: str, **more: Any) -> dict[str, Any]:
    return {"read": (403, code), **more}


def shut(code: str, renew: Outcome = OK) -> dict[str, Any]:
    """Refused at every door that a capability opens."""
    return {"read": (403, code), "ledger": (403, code), "grant": (403, code), "renew": renew}


STRANGE: dict[str, Any] = {
    "read": NOBODY,
    "ledger": NOBODY,
    "grant": NOBODY,
    "renew": NOBODY,
    "counted": False,
}
"""Nothing is here for this caller, and what it tries leaves no trace."""
WIDENED: dict[str, Any] = {**shut("capability-widened", renew=NOBODY), "counted": False}

STATES: dict[str, State] = {
    "live": State(arrange=live, read=OK),
    "not yet": State(arrange=not_yet, **refused("grant-not-yet")),
    "outside hours": State(arrange=outside_hours, **refused("outside-hours")),
    "reads used up": State(arrange=reads_used_up, **refused("limit-reached")),
    "rate used up": State(arrange=rate_used_up, **refused("limit-reached")),
    "paused": State(arrange=changed_by("pause"), **refused("grant-paused", renew=(403, "grant-paused"))),
    "ended": State(arrange=changed_by("end"), **refused("grant-ended", renew=(403, "grant-ended"))),
    "expired by the timer": State(
        arrange=expired_by_timer,
        # A capability ends with its grant at the latest; from then on the vendor shows its DID.
        **shut("capability-expired", renew=(403, "grant-expired")) | {"read": (403, "grant-expired")},
    ),
    "expired by a read": State(
        arrange=expired_by_read,
        **shut("capability-expired", renew=(403, "grant-expired")) | {"read": (403, "grant-expired")},
    ),
    "narrowed": State(arrange=narrowed, read=OK),
    "permission removed": State(arrange=permission_removed, **refused("not-shared")),
    "partner": State(arrange=partner, read=OK, renew=NOBODY),
    "revoked partner": State(arrange=revoked_partner, **shut("revoked", renew=NOBODY)),
    "child of a revoked partner": State(arrange=child_of_revoked_partner, **shut("revoked", renew=NOBODY)),
    "renounced": State(arrange=renounced, **shut("revoked")),
    "expired capability": State(arrange=expired_capability, **shut("capability-expired")),
    "capability under another key": State(
        arrange=under_another_key, **shut("wrong-controller", renew=NOBODY), counted=False
    ),
    "another grant's capability": State(arrange=of_another_grant, **STRANGE),
    "partner not among the recipients": State(
        arrange=not_a_recipient, **refused("wrong-controller", renew=NOBODY)
    ),
    "partner with the whole grant": State(
        arrange=partner_with_the_whole, read=OK, grant=(403, "not-shared"), renew=NOBODY
    ),
    "child of another target": State(arrange=grandchild(path=""), **WIDENED),
    "child of a longer path": State(arrange=grandchild(path="/deliveryx"), **WIDENED),
    "child with another action": State(arrange=grandchild(actions=("read", "write")), **WIDENED),
    "child that lasts longer": State(arrange=grandchild(expires_s=DAY_S + 1), **WIDENED),
    "child older than its parent": State(arrange=grandchild(created_s=-1), **WIDENED),
    "child with a generation": State(arrange=grandchild(generation="z1"), **WIDENED),
    "altered child": State(arrange=altered(_sooner), **STRANGE),
    "altered parent": State(arrange=altered(_later), **STRANGE),
    "altered parent's controller": State(arrange=altered(_courier_instead), **STRANGE),
    "altered first link": State(arrange=altered(_vendor_instead), **STRANGE),
    "delegated by a thief": State(arrange=signed_by_the_thief, **STRANGE),
    "unknown generation": State(arrange=of_generation("z1"), **shut("revoked")),
    "no generation": State(arrange=of_generation(None), **shut("revoked")),
}  # fmt: skip


async def at_each_door(held: Held) -> list[tuple[str, Callable[[], Awaitable[Reply]]]]:
    house = held.house
    under = held.capability.target.partition("/g/")[2][len(held.grant) :]
    records = "/delivery/records"
    alias = await alias_of_self(house, held.grant)
    first: list[Reply] = []

    async def listed() -> Reply:
        first.append(await held.get(records))
        return first[0]

    return [
        ("list", listed),
        ("record", lambda: held.get(f"{records}/{alias}")),
        ("HEAD", lambda: held.get(records, method="HEAD")),
        ("304", lambda: held.get(records, headers={"If-None-Match": first[0].headers.get("ETag", '"x"')})),
        ("ledger", lambda: held.get(f"{under}/ledger/entries")),
        ("grant", lambda: held.get(under)),
        ("renew", lambda: house.signed(held.key, "POST", f"/g/{held.grant}/renew")),
    ]


def expected_at(state: State, door: str) -> Outcome:
    if door in ("ledger", "grant", "renew"):
        found: Outcome = getattr(state, door)
        return found
    status, code = state.read
    return (304, None) if door == "304" and status == 200 else (status, None if door == "HEAD" else code)


def written_at(state: State, door: str, seen: set[tuple[str, bool]]) -> set[str]:
    """Return the tables that a request at a door writes.

    Seen holds what the ledger tells already: the code, and whether it refused data of the permission.
    """
    outcome = expected_at(state, door)
    refusal = state.read[1] if door == "HEAD" else outcome[1]
    if refusal is None:
        return {"nonce"} if door in ("ledger", "grant", "renew") else {"nonce", "access_grant", "entry"}
    if not state.counted or outcome == NOBODY:
        return set()
    if door == "renew" or (door, refusal) == ("grant", "not-shared"):
        return {"nonce"}
    if (refusal, door in DATA) in seen:
        return {"nonce", "refusal"}
    seen.add((refusal, door in DATA))
    return {"nonce", "refusal", "access_grant", "entry"}


@pytest.mark.requirement("HTTP-63", "SEC-1")
@pytest.mark.asyncio
@pytest.mark.parametrize("name", STATES)
async def test_each_state_at_each_door(tmp_path: Path, name: str) -> None:
    state = STATES[name]
    async with open_house(tmp_path / "node") as house:
        held = await state.arrange(house)
        size = len((await house.own("GET", f"/grants/{held.grant}/ledger"))["entries"])
        seen = {("grant-expired", True)} if name == "expired by a read" else set[tuple[str, bool]]()
        for door, knock in await at_each_door(held):
            before = await tables(house.node)
            reply = await knock()
            after = await tables(house.node)
            code = None if door == "HEAD" else reply.code
            assert (reply.status, code) == expected_at(state, door), (door, reply.body)
            written = differing(before, after) - {"log_node", "usage"}
            noted = {"link"} if door == "list" and reply.status == 200 and held.capability.parent else set()
            assert written == written_at(state, door, seen) | noted, door
            assert ("Freehold-Entry" in reply.headers) == (door in DATA and reply.status < 400), door
            assert reply.headers["Cache-Control"] == "no-store"
            grown = len(after["entry"]) - len(before["entry"])
            assert grown == ("entry" in written), door
            size += grown
        assert (await house.own("GET", f"/grants/{held.grant}/ledger"))["size"] == size
        assert (await house.own("POST", "/verify", {}))["intact"]
