"""Chains: who signed each link, that each narrows the one before, how long they are, and when they are over."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import DAY_S, Stage
from ..check import Topic, expect_problem, expect_status
from ..hands import capability as capabilities
from ..hands.encoding import Document, from_xsd_time, xsd_time
from ..hands.keys import Key
from .capability_scene import READ, Lent, expect_takes, expect_turns_away, lend, lent, wait_until

topic = Topic()


def _chained(change: Callable[[list[Any]], Any], **more: Any) -> Callable[[Lent], Holder]:
    """Return what makes a second link whose capabilityChain is changed before it is signed."""

    def make(scene: Lent) -> Holder:
        first = scene.link()
        chain = change(capabilities.chain_below(first.capability))
        return first.delegate("/delivery", key=scene.second, signing={"chain": chain}, **more)

    return make


_OTHER: Final = "urn:uuid:00000000-0000-4000-8000-000000000000"


def _with_own_id(scene: Lent) -> Holder:
    first = scene.link()
    return first.delegate("/delivery", key=scene.second, id=first.capability["id"])


def _with_the_first_id(scene: Lent) -> Holder:
    return scene.link().delegate("/delivery", key=scene.second, id=scene.vendor.capability["id"])


CHAINS: Final[Mapping[str, Callable[[Lent], Holder]]] = {
    "parent-alone": _chained(lambda chain: chain[-1:]),
    "without-the-root": _chained(lambda chain: chain[1:]),
    "without-one-between": _chained(lambda chain: [chain[0], chain[-1]]),
    "one-more-between": _chained(lambda chain: [*chain[:-1], _OTHER, chain[-1]]),
    "turned-round": _chained(lambda chain: [chain[1], chain[0], chain[-1]]),
    "one-twice": _chained(lambda chain: [*chain[:-1], chain[1], chain[-1]]),
    "another-between": _chained(lambda chain: [chain[0], _OTHER, chain[-1]]),
    "another-root": _chained(lambda chain: ["urn:zcap:root:https%3A%2F%2Fother.example", *chain[1:]]),
    "root-in-another-spelling": _chained(lambda chain: [chain[0].replace("%3A", ":"), *chain[1:]]),
    "root-in-small-letters": _chained(lambda chain: [chain[0].replace("%3A", "%3a"), *chain[1:]]),
    "root-id-no-root": _chained(lambda chain: [_OTHER, *chain[1:]]),
    "the-root-embedded": _chained(lambda chain: [{"id": chain[0]}, *chain[1:]]),
    "nothing": _chained(lambda _: []),
    "two-embedded": _chained(lambda chain: [chain[0], chain[-1]["proof"]["capabilityChain"][-1], chain[-1]]),
    "numbers": _chained(lambda chain: [1, *chain[1:]]),
    "as-text": _chained(lambda chain: chain[0]),
    "another-parent-named": lambda scene: scene.link().delegate(
        "/delivery", key=scene.second, parentCapability=scene.vendor.capability["id"]
    ),
    "the-root-as-parent": lambda scene: scene.link().delegate(
        "/delivery", key=scene.second, parentCapability=capabilities.root_id(scene.root)
    ),
    "its-parent-s-id": _with_own_id,
    "an-id-from-above": _with_the_first_id,
}


@topic.check("CAP-16", cases=CHAINS)
async def a_chain_names_root_to_parent(stage: Stage, make: Callable[[Lent], Holder]) -> None:
    """``capabilityChain`` is the root's id, those between, and the parent embedded; anything else is no chain."""
    scene = await lent(stage)
    await expect_turns_away(scene, make(scene), 403, "capability-invalid")


def _altered(change: Callable[[Document], object]) -> Callable[[Lent], Holder]:
    """Return what embeds a parent that was changed after it was signed, under a good proof of the partner's."""

    def make(scene: Lent) -> Holder:
        first = scene.link(expires_s=int(time.time()) + 3_600)
        change(first.capability)
        return first.delegate("/delivery", key=scene.second)

    return make


def _foreign_first(scene: Lent, key: Key) -> Holder:
    """Return whom someone else than the node gave a first link."""
    now = time.time()
    mark = {
        "https://w3id.org/freehold/v1#generation": scene.vendor.capability[
            "https://w3id.org/freehold/v1#generation"
        ]
    }
    made = capabilities.first_link(
        key, scene.vendor.key.did, scene.root, created_s=now, expires_s=now + DAY_S, **mark
    )
    return Holder(
        wire=scene.vendor.wire, key=scene.vendor.key, capability=made, origin=scene.vendor.origin,
        grant=scene.vendor.grant,
    )  # fmt: skip


def _issued_to_another(scene: Lent) -> Holder:
    """Return who changed the node's own capability to be for its own key."""
    stranger = Key.fresh()
    made = scene.vendor.capability | {"controller": stranger.did}
    return Holder(
        wire=scene.vendor.wire,
        key=stranger,
        capability=made,
        origin=scene.vendor.origin,
        grant=scene.vendor.grant,
    )


def _signed_by(which: str) -> Callable[[Lent], Holder]:
    def make(scene: Lent) -> Holder:
        first = scene.link()
        keys = {"vendor": scene.vendor.key, "child": scene.second, "stranger": Key.fresh()}
        made = capabilities.delegate(
            keys[which], first.capability, scene.second.did, created_s=time.time(),
            expires_s=from_xsd_time(first.capability["expires"]),
        )  # fmt: skip
        return Holder(
            wire=first.wire, key=scene.second, capability=made, origin=first.origin, grant=first.grant
        )

    return make


def _without_caveat(scene: Lent) -> Holder:
    limit = {"type": "https://w3id.org/freehold/v1#CountLimit", "https://w3id.org/freehold/v1#reads": 5}
    first = scene.link(caveats=[limit])
    del first.capability["caveat"]
    return first.delegate("/delivery", key=scene.second)


def _swapped_proof(scene: Lent) -> Holder:
    first, other = scene.link(), scene.link()
    first.capability["proof"] = other.capability["proof"]
    return first.delegate("/delivery", key=scene.second)


SIGNERS: Final[Mapping[str, Callable[[Lent], Holder]]] = {
    "by-its-grandparent-s": _signed_by("vendor"),
    "by-its-own": _signed_by("child"),
    "by-a-stranger-s": _signed_by("stranger"),
    "another-named": lambda scene: scene.link().delegate(
        "/delivery", key=scene.second, signing={"verificationMethod": scene.vendor.key.method}
    ),
    "first-link-by-the-vendor-s": lambda scene: _foreign_first(scene, scene.vendor.key),
    "first-link-by-a-stranger-s": lambda scene: _foreign_first(scene, Key.fresh()),
    "first-link-for-another": _issued_to_another,
    "for-another-purpose": lambda scene: scene.link(signing={"purpose": "assertionMethod"}),
    "to-be-invoked": lambda scene: scene.link(signing={"purpose": "capabilityInvocation"}),
    "parent-ends-later": _altered(lambda made: made.update(expires=xsd_time(time.time() + 2 * DAY_S))),
    "parent-is-wider": _altered(
        lambda made: made.update(invocationTarget=made["invocationTarget"].removesuffix("/delivery"))
    ),
    "parent-has-no-caveat": _without_caveat,
    "parent-s-proof-of-another": _swapped_proof,
    "changed-id": lambda scene: scene.changed(lambda made: made.update(id=f"urn:uuid:{uuid.uuid4()}")),
    "changed-end": lambda scene: scene.changed(
        lambda made: made.update(expires=xsd_time(time.time() + 3 * DAY_S)), expires_s=time.time() + DAY_S
    ),
    "changed-making": lambda scene: scene.changed(
        lambda made: made["proof"].update(created=xsd_time(time.time() + 20)), created_s=time.time() + 30
    ),
}


@topic.check("CAP-18", "HTTP-12", "PRF-12", "PRF-15", cases=SIGNERS)
async def each_link_is_signed_by_the_controller_before(stage: Stage, make: Callable[[Lent], Holder]) -> None:
    """A link signed by another, for something else, or changed since makes its holder a stranger."""
    scene = await lent(stage)
    await expect_turns_away(scene, make(scene), 404, "not-found")


@topic.check("CAP-18", "CAP-16", "CAP-25")
async def a_chain_of_good_links_reads(stage: Stage) -> None:
    """Whoever holds a link passes it on without asking the node, under ids of its own choice."""
    scene = await lent(stage)
    first = scene.link()
    chosen = f"urn:uuid:{uuid.uuid4()}"
    second = first.delegate("/delivery", key=scene.second, id=chosen)
    third = second.delegate("/delivery/records", key=scene.partner)
    for holder in (first, second, third):
        await expect_takes(holder)
    twin = scene.link(id=chosen)
    await expect_takes(twin)
    await expect_takes(second)


@topic.check("CAP-17", cases={"ten": 10, "eleven": 11, "twelve": 12})
async def a_chain_has_ten_links_at_most(stage: Stage, links: int) -> None:
    """Root and leaf included, ten links are taken and eleven are not."""
    scene = await lent(stage)
    holder = scene.vendor
    for number in range(links - 2):
        holder = holder.delegate("/delivery", key=(scene.partner, scene.second)[number % 2])
    if links == 10:
        await expect_takes(holder)
    else:
        await expect_turns_away(scene, holder, 403, "capability-invalid")


_Link = Callable[[Lent], dict[str, Any]]
"""Makes arguments of delegate for a link below one that ends in an hour."""


def _created(scene: Lent) -> float:
    return from_xsd_time(scene.vendor.capability["proof"]["created"])


_MARK: Final = "https://w3id.org/freehold/v1#generation"
WIDER: Final[Mapping[str, _Link]] = {
    "target": lambda scene: {"invocationTarget": scene.root},
    "another-permission": lambda scene: {"invocationTarget": scene.root + "/news"},
    "one-more-action": lambda _: {"actions": ["answer", "read"]},
    "another-action": lambda _: {"actions": ["write"]},
    "end": lambda _: {"expires_s": int(time.time()) + 3_602},
    "end-of-the-grandparent": lambda scene: {"expires_s": from_xsd_time(scene.vendor.capability["expires"])},
    "made-before": lambda scene: {"created_s": _created(scene) - 1},
    "marked": lambda scene: {_MARK: scene.vendor.capability[_MARK]},
    "ends-when-made": lambda _: {"created_s": time.time() + 30, "expires_s": time.time() + 30},
    "ends-before-it-was-made": lambda _: {"created_s": time.time() + 30, "expires_s": time.time() + 20},
}


@topic.check("CAP-21", "CAP-22", "SEC-6", cases=WIDER)
async def a_link_lies_within_the_one_before(stage: Stage, wider: _Link) -> None:
    """A link that allows more than the one above it, or for longer, is refused; one that is as wide is not."""
    scene = await lent(stage)
    first = scene.link(expires_s=int(time.time()) + 3_600, created_s=_created(scene))
    same = first.delegate("/delivery", key=scene.second, created_s=_created(scene))
    await expect_takes(same)
    below = first.delegate(key=scene.second, **{"invocationTarget": scene.root + "/delivery", **wider(scene)})
    await expect_turns_away(scene, below, 403, "capability-widened")
    await expect_turns_away(scene, below.delegate("/delivery", key=scene.partner), 403, "capability-widened")


@topic.check("CAP-21", cases={name: WIDER[name] for name in ("another-action", "marked", "made-before")})
async def a_link_below_the_first_lies_within_it(stage: Stage, wider: _Link) -> None:
    """The link that the node issued is as good a bound as every other."""
    scene = await lent(stage)
    await expect_turns_away(scene, scene.link(**wider(scene)), 403, "capability-widened")


@topic.check(
    "CAP-22",
    cases={"ninety": (90 * DAY_S, 404, "not-found"), "more": (90 * DAY_S + 1, 403, "capability-widened")},
)
async def a_link_lives_ninety_days_at_most(stage: Stage, case: tuple[int, int, str]) -> None:
    """Of a stranger's chain that is all that is said: one of 90 days is nothing here, a longer one is too long."""
    lives_s, status, code = case
    scene = await lent(stage)
    now = int(time.time())
    made = capabilities.first_link(
        scene.vendor.key, scene.vendor.key.did, scene.root, created_s=now, expires_s=now + lives_s
    )
    await expect_turns_away(scene, scene.vendor, status, code, capability=made)


@topic.check(
    "CAP-26",
    cases={"now": (30, None), "far": (3_600, "capability-invalid"), "a-bit-far": (90, "capability-invalid")},
)
async def a_link_of_the_future_does_not_hold_yet(stage: Stage, case: tuple[int, str | None]) -> None:
    """A link may have been made by a clock 60 s ahead, and no more."""
    ahead_s, code = case
    scene = await lent(stage)
    now = time.time()
    holder = scene.link(created_s=now + ahead_s, expires_s=now + 7_200)
    if code is None:
        await expect_takes(holder)
        return
    await expect_turns_away(scene, holder, 403, code)
    below = holder.delegate("/delivery", key=scene.second, created_s=now + ahead_s)
    await expect_turns_away(scene, below, 403, code)


@topic.check("CAP-26", "HTTP-39")
async def a_link_is_dead_from_its_end_on(stage: Stage) -> None:
    """From the second of ``expires`` on a link and all below it are dead, though they were seen to hold before."""
    scene = await lent(stage)
    end_s = int(time.time()) + 3
    short = scene.link(expires_s=end_s)
    below = short.delegate("/delivery", key=scene.second)
    for holder in (short, below):
        await expect_takes(holder)
    await wait_until(end_s + 0.5)
    for holder in (short, below):
        await expect_turns_away(scene, holder, 403, "capability-expired")
    unseen = short.delegate("/delivery", key=scene.second, created_s=end_s - 1)
    await expect_turns_away(scene, unseen, 403, "capability-expired")
    await expect_takes(scene.link())


@topic.check(
    "CAP-23", "HTTP-40", "SEC-6", cases={"at-another-permission": "/news/records", "at-its-own": READ}
)
async def every_controller_is_a_recipient(stage: Stage, below: str) -> None:
    """Everyone in a chain after the vendor is a recipient of the permission that is read, also those between."""
    scene = await lent(stage)
    stranger = scene.vendor.delegate(key=Key.fresh())
    between = stranger.delegate(key=scene.second)
    whole = scene.vendor.delegate(key=scene.partner)
    for holder in (stranger, between, *([whole] if below != READ else [])):
        await expect_turns_away(scene, holder, 403, "wrong-controller", below=below)
    if below == READ:
        await expect_takes(whole)


@topic.check("CAP-19", "SIG-17", "HTTP-11", "ERR-6")
async def what_the_message_alone_tells_is_looked_at_first(stage: Stage) -> None:
    """Form comes before the request's signature, that before the links, and those before who signed them."""
    scene = await lent(stage)
    key, now = Key.fresh(), time.time()
    odd = scene.link(allowedAction="read")
    wide = scene.link(invocationTarget=scene.root + "/news").delegate("/delivery", key=scene.second)
    strange = capabilities.delegate(
        key, scene.vendor.capability, scene.partner.did, actions=["read", "write"], created_s=now,
        expires_s=now + 60,
    )  # fmt: skip
    await expect_turns_away(scene, odd, 400, "malformed", key=key, keyid=odd.key.method)
    await expect_turns_away(scene, wide, 401, "signature-invalid", key=key, keyid=wide.key.method)
    await expect_turns_away(scene, wide, 403, "capability-widened")
    await expect_turns_away(scene, scene.link(), 403, "capability-widened", capability=strange)


@topic.check("CAP-20", "HTTP-39")
async def what_holds_once_is_looked_at_again(stage: Stage) -> None:
    """A chain that was seen to hold is refused after its link was cut off, and a link above it too."""
    scene = await lend(stage)
    first = scene.link()
    second = first.delegate("/delivery", key=scene.second)
    for _ in range(3):
        await expect_takes(second)
    await stage.owner.revoke(scene.vendor.grant, capability=capabilities.digests(first.capability)[-1])
    for holder in (second, first):
        await expect_turns_away(scene, holder, 403, "revoked")
    await expect_takes(scene.vendor)
    await expect_takes(scene.link())


@topic.check("CAP-18", "PRF-11")
async def a_link_that_differs_from_a_good_one_is_looked_at_anew(stage: Stage) -> None:
    """A chain that was seen to hold lends nothing to one of the same id, or of the same proof, that differs."""
    scene = await lent(stage)
    holder = scene.link(expires_s=time.time() + 600)
    await expect_takes(holder)
    longer = holder.capability | {"expires": xsd_time(time.time() + 3_600)}
    await expect_turns_away(scene, holder, 404, "not-found", capability=longer)
    stranger = Key.fresh()
    taken = holder.capability | {"controller": stranger.did}
    await expect_turns_away(scene, holder, 404, "not-found", capability=taken, key=stranger)
    await expect_takes(holder)


@topic.check("CAP-24", "HTTP-24")
async def a_partner_s_link_outlives_a_renewal(stage: Stage) -> None:
    """Renewing revokes nothing: what was passed on under the capability before goes on, until that ends."""
    scene = await lend(stage)
    partner = scene.link()
    answer = await scene.vendor.by_did("POST", scene.vendor.path("/renew"))
    expect_status(answer, 200)
    await expect_takes(partner)
    await expect_takes(scene.vendor)
    expect_problem(await partner.by_did("POST", partner.path("/renew")), 404, "not-found")
