"""What a controller of a chain takes back itself, and that nobody else can."""

from __future__ import annotations

import asyncio
from typing import Final

from ..cast.circle import Circle, digest_of
from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import capability as capabilities
from ..hands import message
from ..hands.edit import edited
from ..hands.encoding import jcs
from ..hands.keys import Key
from ..wire import Answer

topic = Topic()

_UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"


def _revoker(cast: Circle, who: str) -> Holder:
    return {"vendor": cast.vendor, "partner": cast.partner, "below": cast.below}[who]


_WHO: Final = {f"{link}-by-{who}": (link, who) for link, whos in {
    "below": ("vendor", "partner", "below"), "partner": ("vendor", "partner"), "vendor": ("vendor",),
}.items() for who in whos}  # fmt: skip


@topic.check("HTTP-26", "HTTP-27", "CAP-29", cases=_WHO)
async def a_controller_of_the_chain_revokes(stage: Stage, case: tuple[str, str]) -> None:
    """Any controller of a chain revokes its last link, with all below it, and nothing above it."""
    cast = await Circle.begin(stage)
    link, who = _revoker(cast, case[0]), _revoker(cast, case[1])
    await cast.all_read()
    before = await cast.grant()
    answer = await who.renounce(link.capability)
    expect_status(answer, 204)
    expect_equal(answer.body, b"", "body of the answer")
    above = {"below": [], "partner": [cast.below], "vendor": [cast.partner, cast.below, cast.other]}[case[0]]
    await cast.none_reads(link, *above)
    rest = [one for one in (cast.vendor, cast.partner, cast.below, cast.other) if one not in (link, *above)]
    if rest:
        await cast.all_read(*rest)
    last = (await cast.changes())[-1]
    expect_equal((last["change"], last.get("revoked")), ("revoke", digest_of(link)), "the entry")
    after = await cast.grant()
    expect(after["epoch"] > before["epoch"], "the epoch stayed")
    for _ in range(2):
        expect_status(await who.renounce(link.capability), 204)
    expect_equal(len(await cast.changes()), 2, "changes in the ledger")


@topic.check("HTTP-26", "HTTP-27", cases={one: one for one in ("below", "partner", "vendor")})
async def who_is_not_in_the_chain_revokes_nothing(stage: Stage, which: str) -> None:
    """Whoever controls no link of a chain finds nothing there: a stranger, another partner, one further down."""
    cast = await Circle.begin(stage)
    link = _revoker(cast, which).capability
    outside = [
        cast.other,
        Holder(
            wire=stage.wire, key=Key.fresh(), capability=link, origin=stage.origin, grant=cast.vendor.grant
        ),
    ]
    outside += {"below": [], "partner": [cast.below], "vendor": [cast.partner, cast.below]}[which]
    entries = await cast.changes()
    for who in outside:
        answer = await who.renounce(link)
        expect_problem(answer, 404, "not-found")
        nowhere = f"/g/{_UNKNOWN}/zcaps/revocations/{capabilities.encoded(link['id'])}"
        unknown = await who.by_did("POST", nowhere, body=jcs(link))
        expect_equal(unknown.body, answer.body, "what is said where there is no such grant")
    await cast.all_read()
    expect_equal(await cast.changes(), entries, "changes in the ledger")


@topic.check("HTTP-26", "CAP-18")
async def a_chain_that_does_not_hold_is_not_revoked(stage: Stage) -> None:
    """What the node did not issue, or somebody else signed, is no chain of this grant: nothing is there."""
    cast = await Circle.begin(stage)
    stranger = Key.fresh()
    own = capabilities.delegate(
        stranger, cast.vendor.capability, stranger.did, created_s=stage.now(), expires_s=stage.now() + 60
    )
    forged = {**cast.vendor.capability, "controller": stranger.did}
    elsewhere = await Circle.begin(stage)
    holder = Holder(
        wire=stage.wire, key=stranger, capability=own, origin=stage.origin, grant=cast.vendor.grant
    )
    for link in (own, forged, cast.partner.capability, elsewhere.partner.capability):
        expect_problem(await holder.renounce(link), 404, "not-found")
    expect_problem(await _renounces_elsewhere(cast, elsewhere), 404, "not-found")
    await cast.all_read()
    await elsewhere.all_read()


async def _renounces_elsewhere(cast: Circle, elsewhere: Circle) -> Answer:
    """Have the vendor of one grant revoke its own link under another's grant."""
    link = elsewhere.vendor.capability
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(link['id'])}")
    return await elsewhere.vendor.by_did("POST", target, body=jcs(link))


@topic.check("HTTP-27", "GRA-25", "CAP-27")
async def a_revocation_goes_by_what_was_signed(stage: Stage) -> None:
    """Who gives a link another's id and revokes it revokes its own alone: an id is anybody's choice."""
    cast = await Circle.begin(stage)
    await cast.all_read()
    twin = cast.vendor.delegate("/delivery", key=cast.other.key, id=cast.partner.capability["id"])
    await cast.all_read(twin)
    expect_status(await cast.other.renounce(twin.capability), 204)
    await cast.none_reads(twin)
    await cast.all_read(cast.partner, cast.below, cast.other)


@topic.check("HTTP-26", cases={
    "another-id": "urn:uuid:00000000-0000-4000-8000-000000000000",
    "another-case": "",
})  # fmt: skip
async def the_path_names_the_capability_in_the_body(stage: Stage, named: str) -> None:
    """A revocation whose path names another capability than its body is malformed, and changes nothing."""
    cast = await Circle.begin(stage)
    link = cast.partner.capability
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(named or link['id'].upper())}")
    expect_problem(await cast.vendor.by_did("POST", target, body=jcs(link)), 400, "malformed")
    await cast.all_read()
    expect_status(await cast.vendor.renounce(link), 204)


@topic.check("HTTP-26")
async def an_altered_link_is_not_revoked(stage: Stage) -> None:
    """A body that was altered after it was signed names no capability of this grant; without one it is malformed."""
    cast = await Circle.begin(stage)
    link = cast.partner.capability
    for place, value in (
        ("expires", "2026-01-01T00:00:00Z"),
        ("controller", cast.other.key.did),
        ("allowedAction", ["write"]),
    ):
        answer = await cast.vendor.renounce(edited(link, place, value))
        expect(answer.status in (400, 404), f"status {answer.status} with another {place}")
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(link['id'])}")
    expect_problem(await cast.vendor.by_did("POST", target), 400, "malformed")
    expect_problem(await cast.vendor.by_did("POST", target, body=b"{}"), 400, "malformed")
    await cast.all_read()


@topic.check("HTTP-26", "INV-11", "CAP-28", cases={"rfc-9421": False, "ezcap": True})
async def a_zcap_client_revokes_in_its_own_form(stage: Stage, ezcap: bool) -> None:
    """A client that invokes the root of the revocation's URL, for write, revokes as one that uses its DID."""
    cast = await Circle.begin(stage)
    link = cast.partner.capability
    target = cast.vendor.path(f"/zcaps/revocations/{capabilities.encoded(link['id'])}")
    body = jcs(link)
    sign = message.invoke_ezcap if ezcap else message.invoke

    async def revoke(root: str, action: str = "write", key: Key = cast.partner.key) -> Answer:
        signed = sign(
            key, root, "POST", stage.origin + target, created_s=stage.now(), action=action, body=body
        )
        return await stage.wire.send("POST", target, signed, body)

    root = capabilities.root_id(stage.origin + target)
    of_grant = capabilities.root_id(f"{stage.origin}/g/{cast.vendor.grant}")
    expect_problem(await revoke(of_grant), 403, "wrong-target")
    expect_problem(await revoke(root, "read"), 403, "wrong-action")
    expect_problem(await revoke(root, key=Key.fresh()), 404, "not-found")
    await cast.all_read()
    expect_status(await revoke(root), 204)
    await cast.none_reads(cast.partner, cast.below)


@topic.check("HTTP-27", "HTTP-22", cases={name: name for name in ("paused", "ended")})
async def a_stopped_grant_takes_revocations(stage: Stage, state: str) -> None:
    """A capability can be renounced in every state of the grant, and is dead when the grant goes on."""
    cast = await Circle.begin(stage)
    await stage.owner.change(cast.vendor.grant, {"paused": "pause", "ended": "end"}[state])
    expect_status(await cast.partner.renounce(), 204)
    await cast.none_reads(cast.partner)
    if state == "paused":
        await stage.owner.change(cast.vendor.grant, "resume")
        await cast.none_reads(cast.partner, cast.below)
        await cast.all_read(cast.vendor, cast.other)


@topic.check("HTTP-27")
async def a_chain_that_is_dead_changes_nothing(stage: Stage) -> None:
    """To revoke below what is revoked already, or what has expired, is 204 and leaves no entry."""
    cast = await Circle.begin(stage)
    short = cast.vendor.delegate("/delivery", key=cast.other.key, expires_s=stage.now() + 2)
    await cast.partner.renounce()
    before = await cast.changes()
    expect_status(await cast.below.renounce(), 204)
    await asyncio.sleep(2.2)
    expect_status(await cast.vendor.renounce(short.capability), 204)
    expect_equal(await cast.changes(), before, "changes in the ledger")
    expect_equal(len((await cast.grant())["revoked"]), 1, "what is revoked")
