"""Taking a link back: by whom, what goes with it, and that an id says nothing of whose it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import capability as capabilities
from ..hands import message
from ..hands.encoding import Document, jcs
from ..hands.keys import Key
from ..wire import Answer
from .capability_scene import Lent, expect_takes, expect_turns_away, lend, lent

topic = Topic()

_MANY_USES: Final = 3


def _chain(scene: Lent) -> tuple[Holder, Holder, Holder]:
    first = scene.link()
    second = first.delegate("/delivery", key=scene.second)
    return scene.vendor, first, second


@topic.check("CAP-27", "HTTP-27", "GRA-25")
async def an_id_that_was_taken_revokes_nothing(stage: Stage) -> None:
    """Who gives a link of its own another's id and renounces it takes nothing but its own back."""
    scene = await lend(stage)
    victim = scene.link()
    await expect_takes(victim)
    thief = scene.vendor.delegate("/delivery", key=scene.second)
    twin = thief.delegate("/delivery", key=scene.second, id=victim.capability["id"])
    await expect_takes(twin)
    expect_status(await twin.renounce(), 204)
    await expect_turns_away(scene, twin, 403, "revoked")
    await expect_takes(victim)
    below = victim.delegate("/delivery", key=scene.second)
    await expect_takes(below)


@topic.check("CAP-27", "GRA-23")
async def a_spelling_of_a_link_is_that_link(stage: Stage) -> None:
    """A link is revoked in every spelling of its JSON, and what the owner calls it is made of what was signed."""
    scene = await lend(stage)
    holder = scene.link()
    turned = dict(reversed(holder.capability.items()))
    await expect_takes(holder)
    name = capabilities.digests(holder.capability)[-1]
    told = await stage.owner.revoke(scene.vendor.grant, capability=name)
    expect_equal(told.get("revoked"), True, "whether it was cut off")
    again = await stage.owner.revoke(scene.vendor.grant, capability=name)
    expect_equal(again.get("revoked"), False, "whether it was cut off a second time")
    await expect_turns_away(scene, holder, 403, "revoked")
    header = f'zcap capability="{capabilities.packed(json.dumps(turned, indent=1).encode())}",action="read"'
    await expect_turns_away(scene, holder, 403, "revoked", invocation=header)


@topic.check("GRA-23", "CAP-29", cases={"seen": True, "not-seen": False})
async def the_owner_revokes_by_id(stage: Stage, seen: bool) -> None:
    """The person can revoke by a link's id, also before the node has seen it, and all below goes along."""
    scene = await lend(stage)
    _, first, second = _chain(scene)
    if seen:
        await expect_takes(second)
    await stage.owner.revoke(scene.vendor.grant, capability=first.capability["id"])
    for holder in (first, second, first.delegate("/delivery", key=scene.second)):
        await expect_turns_away(scene, holder, 403, "revoked")
    await expect_takes(scene.link())


@topic.check("CAP-29", "HTTP-26", "CAP-28")
async def each_controller_of_a_chain_takes_back_what_is_below(stage: Stage) -> None:
    """Every controller in a chain may revoke its end; one below, beside or outside may not."""
    for which in range(_MANY_USES):
        scene = await lend(stage)
        holders = _chain(scene)
        vendor, first, second = holders
        for other in (Key.fresh(), scene.second):
            expect_problem(await first.renounce(key=other), 404, "not-found")
        for other in (Key.fresh(), scene.partner, scene.second):
            expect_problem(await vendor.renounce(key=other), 404, "not-found")
        await expect_takes(second)
        expect_status(await second.renounce(key=holders[which].key), 204)
        await expect_turns_away(scene, second, 403, "revoked")
        await expect_turns_away(scene, second.delegate("/delivery", key=scene.partner), 403, "revoked")
        for holder in (vendor, first):
            await expect_takes(holder)


def _path_of_another(document: Document) -> str:
    return f"urn:uuid:{'0' * 8}{document['id'][17:]}"


_Change = Callable[[Lent, Holder], Document]


def _another_end(_: Lent, holder: Holder) -> Document:
    return holder.capability | {"expires": "2099-01-01T00:00:00Z"}


def _another_controller(_: Lent, holder: Holder) -> Document:
    return holder.capability | {"controller": Key.fresh().did}


def _self_made(scene: Lent, holder: Holder) -> Document:
    made = capabilities.delegate(
        holder.key, holder.capability, holder.key.did, created_s=scene.stage.now(),
        expires_s=scene.stage.now() + 60,
    )  # fmt: skip
    return {**made, "proof": {**made["proof"], "verificationMethod": scene.vendor.key.method}}


UNPROVEN: Final[Mapping[str, _Change]] = {
    "another-end": _another_end,
    "another-controller": _another_controller,
    "signed-in-another-s-name": _self_made,
}


@topic.check("HTTP-26", "CAP-28", cases=UNPROVEN)
async def a_chain_that_does_not_verify_revokes_nothing(stage: Stage, change: _Change) -> None:
    """Of a capability that nobody signed so there is nothing here, also for the controllers of the good one."""
    scene = await lent(stage)
    holder = scene.link()
    made = change(scene, holder)
    for key in (holder.key, scene.vendor.key):
        expect_problem(await holder.renounce(made, key=key), 404, "not-found")
    await expect_takes(holder)


@topic.check("HTTP-26", "HTTP-11")
async def a_revocation_names_what_it_revokes(stage: Stage) -> None:
    """The path ends in the id of the body, and the grant in it is the body's; else nothing is revoked."""
    scene, other = await lent(stage), await lend(stage)
    holder = scene.link()
    body = jcs(holder.capability)
    named = capabilities.encoded(_path_of_another(holder.capability))
    answer = await holder.by_did("POST", holder.path(f"/zcaps/revocations/{named}"), body=body)
    expect_problem(answer, 400, "malformed")
    right = capabilities.encoded(holder.capability["id"])
    for grant in (other.vendor.grant, "00000000-0000-4000-8000-000000000000"):
        answer = await holder.by_did("POST", f"/g/{grant}/zcaps/revocations/{right}", body=body)
        expect_problem(answer, 404, "not-found")
    await expect_takes(holder)
    expect_status(await holder.by_did("POST", holder.path(f"/zcaps/revocations/{right}"), body=body), 204)
    await expect_turns_away(scene, holder, 403, "revoked")


@topic.check("CAP-28", "INV-11")
async def a_root_of_the_revocation_s_url_revokes(stage: Stage) -> None:
    """A client that knows ZCAP alone invokes the root of the revocation's own URL, for write; nothing else does."""
    await _revoke_by_root(stage, ezcap=False)


@topic.check("CAP-28", "INV-14", profile=Profile.EZCAP)
async def a_zcap_client_revokes_by_the_root_of_the_url(stage: Stage) -> None:
    """The same in the form that such clients sign in."""
    await _revoke_by_root(stage, ezcap=True)


async def _revoke_by_root(stage: Stage, *, ezcap: bool) -> None:
    scene = await lend(stage)
    holder = scene.link()
    target = holder.path(f"/zcaps/revocations/{capabilities.encoded(holder.capability['id'])}")
    url = holder.origin + target
    body = jcs(holder.capability)
    sign = message.invoke_ezcap if ezcap else message.invoke

    async def post(key: Key, root: str, action: str) -> Answer:
        signed = sign(
            key, capabilities.root_id(root), "POST", url, created_s=stage.now(), action=action, body=body
        )
        return await stage.wire.send("POST", target, signed, body)

    refused = [
        (holder.key, scene.root, "write", 403, "wrong-target"),
        (holder.key, url + "0", "write", 403, "wrong-target"),
        (holder.key, url, "read", 403, "wrong-action"),
        (Key.fresh(), url, "write", 404, "not-found"),
        (scene.second, url, "write", 404, "not-found"),
    ]
    for key, root, action, status, code in refused:
        expect_problem(await post(key, root, action), status, code)
    await expect_takes(holder)
    expect_status(await post(scene.vendor.key, url, "write"), 204)
    await expect_turns_away(scene, holder, 403, "revoked")


@topic.check("HTTP-27", "LED-8", "LED-4")
async def a_revocation_is_written_down_once(stage: Stage) -> None:
    """A revocation has one entry that names the link; again is success again and changes nothing."""
    scene = await lend(stage)
    holder = scene.link()
    await expect_takes(holder)
    for _ in range(_MANY_USES):
        expect_status(await holder.renounce(), 204)
    ledger = [one["entry"] for one in await stage.owner.ledger(scene.vendor.grant)]
    revoked = [one for one in ledger if one["kind"] == "changed" and one["change"] == "revoke"]
    expect_equal(len(revoked), 1, "entries of the revocation")
    expect_equal(revoked[0]["revoked"], capabilities.digests(holder.capability)[-1], "what was revoked")
    expect(revoked[0]["version"] == 1, "a revocation makes no version")


@topic.check("HTTP-27", "CAP-29")
async def what_is_below_a_dead_link_is_dead_already(stage: Stage) -> None:
    """To take back what is below a link that was taken back is success, and adds no entry."""
    scene = await lend(stage)
    _, first, second = _chain(scene)
    expect_status(await first.renounce(), 204)
    before = len(await stage.owner.ledger(scene.vendor.grant))
    expect_status(await second.renounce(), 204)
    expect_equal(len(await stage.owner.ledger(scene.vendor.grant)), before, "entries")


@topic.check("GRA-15", "GRA-23", "CAP-29")
async def a_partner_that_was_cut_off_is_so_in_every_chain(stage: Stage) -> None:
    """A DID that was cut off reads by no link, old or new, wherever it stands in the chain; others go on."""
    scene = await lend(stage)
    first = scene.link()
    through = first.delegate("/delivery", key=scene.second)
    beside = scene.vendor.delegate("/delivery", key=scene.second)
    for holder in (first, through, beside):
        await expect_takes(holder)
    await stage.owner.revoke(scene.vendor.grant, partner=scene.partner.did)
    for holder in (first, through, scene.link(), beside.delegate("/delivery", key=scene.partner)):
        await expect_turns_away(scene, holder, 403, "revoked")
    for holder in (beside, scene.vendor):
        await expect_takes(holder)
