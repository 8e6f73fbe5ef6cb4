"""Links in the suites that sign a graph, as ZCAP clients in the field write them, and other spellings of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Profile, Topic, expect_equal, expect_problem, expect_status
from ..hands import capability as capabilities
from ..hands import rdf
from ..hands.encoding import Document, base64url, from_xsd_time, jcs, sha256, xsd_time
from ..hands.keys import Key
from .capability_scene import READ, expect_takes, expect_turns_away, lend, lent
from .matrix_scene import NAMESPACE, caveat

topic = Topic(profile=Profile.RDF)

_RDFC: Final = "eddsa-rdfc-2022"
_2020: Final = "Ed25519Signature2020"
_JCS: Final = "eddsa-jcs-2022"
_GRAPHS: Final = (_RDFC, _2020)


def pass_on(holder: Holder, suite: str, below: str = "/delivery", *, key: Key, **link: Any) -> Holder:
    """Return who holds a link below, signed in a suite; ``link`` as for delegate."""
    made = holder.delegate(below, key=key, **link)
    if suite == _JCS:
        return made
    return replace(made, capability=rdf.resign(made.capability, holder.key, suite))


_CHAINS: Final = {
    " then ".join(one): one for one in product((_JCS, *_GRAPHS), repeat=2) if one != (_JCS, _JCS)
}


@topic.check("CAP-5", "CAP-4", "PRF-17", "CAP-25", cases=_CHAINS)
async def links_of_every_suite_mix(stage: Stage, suites: tuple[str, str]) -> None:
    """Each link is of a suite of its own, whatever those above it are of, with caveats and without."""
    scene = await lent(stage)
    count = caveat("CountLimit", reads=5)
    first = pass_on(scene.vendor, suites[0], key=scene.partner)
    await expect_takes(first)
    second = pass_on(first, suites[1], key=scene.second)
    await expect_takes(second)
    limited = pass_on(first, suites[1], key=scene.second, caveats=[count])
    await expect_takes(pass_on(limited, suites[0], key=scene.partner))


_Change = Callable[[Document], Document]


def _of_proof(**members: Any) -> _Change:
    return lambda made: {**made, "proof": {**made["proof"], **members}}


def _forged(made: Document) -> Document:
    return rdf.resign(made, Key.fresh(), _RDFC)


ALTERED: Final[Mapping[str, _Change]] = {
    "end": lambda made: {**made, "expires": xsd_time(from_xsd_time(made["expires"]) - 1)},
    "id": lambda made: {**made, "id": "urn:uuid:00000000-0000-4000-8000-000000000000"},
    "made": lambda made: _of_proof(created=xsd_time(from_xsd_time(made["proof"]["created"]) - 1))(made),
    "purpose": _of_proof(proofPurpose="assertionMethod"),
    "signature": lambda made: _of_proof(proofValue="z" + made["proof"]["proofValue"][1:][::-1])(made),
    "signer": _forged,
}


@topic.check(
    "PRF-17",
    "CAP-18",
    "PRF-20",
    cases={f"{name}, {suite}": (name, suite) for name in ALTERED for suite in _GRAPHS},
)
async def a_graph_that_was_changed_is_not_the_one_signed(stage: Stage, case: tuple[str, str]) -> None:
    """What was changed after it was signed, or signed by another, makes its holder a stranger."""
    name, suite = case
    scene = await lent(stage)
    made = pass_on(scene.vendor, suite, key=scene.partner, created_s=stage.now() + 5)
    changed = replace(made, capability=ALTERED[name](made.capability))
    await expect_turns_away(scene, changed, 404, "not-found")
    below = pass_on(changed, suite, key=scene.second, created_s=stage.now() + 10)
    await expect_turns_away(scene, below, 404, "not-found")
    await expect_takes(made)


_IN_ARRAYS: Final = ("controller", "invocationTarget", "parentCapability", "expires", "id")

RESPELLED: Final[Mapping[str, _Change]] = {
    **{f"{name}-in-an-array": lambda made, name=name: {**made, name: [made[name]]} for name in _IN_ARRAYS},  # type: ignore[misc]
    "action-twice": lambda made: {**made, "allowedAction": [*made["allowedAction"], made["allowedAction"][0]]},
    "action-as-text": lambda made: {**made, "allowedAction": made["allowedAction"][0]},
    "id-by-its-keyword": lambda made: {("@id" if name == "id" else name): value for name, value in made.items()},
    "proof-in-an-array": lambda made: {**made, "proof": [made["proof"]]},
    "purpose-in-an-array": _of_proof(proofPurpose=["capabilityDelegation"]),
    "contexts-in-the-proof": lambda made: _of_proof(**{"@context": made["@context"]})(made),
    "a-member-of-no-meaning": lambda made: {**made, "nothing": "at all"},
    "caveats-in-another-order": lambda made: {**made, "caveat": made["caveat"][::-1]},
    "days-in-another-order": lambda made: {**made, "caveat": [_days_turned(one) for one in made["caveat"]]},
    "caveat-kind-in-an-array": lambda made: {
        **made, "caveat": [{**one, "type": [one["type"]]} for one in made["caveat"]]
    },
}  # fmt: skip


def _days_turned(one: Document) -> Document:
    days = NAMESPACE + "days"
    return {**one, days: one[days][::-1]} if days in one else one


@topic.check(
    "CAP-3",
    "CAP-6",
    "CAP-12",
    "PRF-18",
    cases={f"{name}, {suite}": (name, suite) for name in RESPELLED for suite in _GRAPHS},
)
async def another_spelling_of_the_same_graph_is_refused(stage: Stage, case: tuple[str, str]) -> None:
    """A spelling that means the same, so that the signature still verifies, is refused for its form."""
    name, suite = case
    scene = await lent(stage)
    week = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    hours = caveat("HoursLimit", days=week, **{"from": "00:00"}, to="00:00", timeZone="UTC")
    caveats = sorted([hours, caveat("CountLimit", reads=9)], key=jcs)
    made = pass_on(scene.vendor, suite, key=scene.partner, caveats=caveats)
    await expect_takes(made)
    await expect_turns_away(
        scene, replace(made, capability=RESPELLED[name](made.capability)), 400, "malformed"
    )


@topic.check("CAP-6", cases={suite: suite for suite in _GRAPHS})
async def actions_stand_in_order_where_a_graph_is_signed(stage: Stage, suite: str) -> None:
    """A graph forgets the order of actions, so any but the alphabet's is refused; canonical JSON keeps it."""
    scene = await lent(stage)
    for order, status, code in (
        (["read", "answer"], 400, "malformed"), (["answer", "read"], 403, "capability-widened"),
    ):  # fmt: skip
        made = pass_on(scene.vendor, suite, key=scene.partner, actions=order)
        await expect_turns_away(scene, made, status, code)


_ED25519_2020: Final = "https://w3id.org/security/suites/ed25519-2020/v1"
_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v2"

CONTEXTS: Final[Mapping[str, tuple[str, list[Any]]]] = {
    "of-the-other": (_RDFC, [capabilities.CONTEXTS[0], _ED25519_2020]),
    "of-the-other-2020": (_2020, [capabilities.CONTEXTS[0], _INTEGRITY]),
    "both": (_RDFC, [capabilities.CONTEXTS[0], _INTEGRITY, _ED25519_2020]),
    "turned-round": (_RDFC, [_INTEGRITY, capabilities.CONTEXTS[0]]),
    "inline": (_RDFC, [capabilities.CONTEXTS[0], _INTEGRITY, {"x": "https://x.example#"}]),
}


@topic.check("CAP-5", "CAP-2", cases=CONTEXTS)
async def each_suite_has_its_contexts(stage: Stage, case: tuple[str, list[Any]]) -> None:
    """A link of one suite under the contexts of another is refused, though its graph would be signed so."""
    suite, contexts = case
    scene = await lent(stage)
    made = pass_on(scene.vendor, suite, key=scene.partner)
    changed = replace(made, capability={**made.capability, "@context": contexts})
    await expect_turns_away(scene, changed, 400, "malformed")


def digest(document: Document, key: Key) -> str:
    """Return what names a link over a graph for revoking."""
    return base64url(sha256(rdf.signed_under(document) + key.public))


@topic.check("CAP-27", "PRF-18", "CAP-29", cases={suite: suite for suite in _GRAPHS})
async def a_link_over_a_graph_is_revoked_by_what_was_signed(stage: Stage, suite: str) -> None:
    """The owner names it by the graph that was signed and the key; its holder and its delegator renounce it."""
    scene = await lend(stage)
    made = pass_on(scene.vendor, suite, key=scene.partner)
    below = pass_on(made, _JCS, key=scene.second)
    await expect_takes(below)
    told = await stage.owner.revoke(scene.vendor.grant, capability=digest(made.capability, scene.vendor.key))
    expect_equal(told.get("revoked"), True, "whether it was cut off")
    for holder in (made, below):
        await expect_turns_away(scene, holder, 403, "revoked")
    other = pass_on(scene.vendor, suite, key=scene.partner)
    await expect_takes(other)
    expect_problem(await other.renounce(key=Key.fresh()), 404, "not-found")
    expect_status(await other.renounce(key=scene.vendor.key), 204)
    await expect_turns_away(scene, other, 403, "revoked")


@topic.check("CAP-15", "CAP-14", cases={suite: suite for suite in _GRAPHS})
async def caveats_of_a_graph_hold_and_count(stage: Stage, suite: str) -> None:
    """What a link over a graph limits is limited, for it and for links of any suite below."""
    scene = await lend(stage)
    made = pass_on(scene.vendor, suite, key=scene.partner, caveats=[caveat("CountLimit", reads=2)])
    below = pass_on(made, _JCS, key=scene.second)
    beside = pass_on(made, suite, key=scene.second)
    await expect_takes(below)
    await expect_takes(beside)
    for holder in (made, below, beside):
        await expect_turns_away(scene, holder, 403, "limit-reached")


@topic.check("CAP-5", "LED-4")
async def a_zcap_client_s_own_link_reads(stage: Stage) -> None:
    """A link as deployed clients write it, invoked as they do, reads and is entered under its own name."""
    scene = await lent(stage)
    made = pass_on(scene.vendor, _2020, key=scene.partner)
    answer = expect_status(await replace(made, ezcap=True).get(READ), 200)
    number = int(answer.headers["freehold-entry"])
    entries = {one["number"]: one["entry"] for one in await stage.owner.ledger(scene.vendor.grant)}
    chain = [
        capabilities.digests(scene.vendor.capability)[-1], digest(made.capability, scene.vendor.key),
    ]  # fmt: skip
    expect_equal(entries[number]["chain"], chain, "the chain in the entry")
