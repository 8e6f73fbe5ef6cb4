"""The client as a partner: the suite plays the vendor that delegates to it.

Spec: specs/capabilities.md#delegation
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ...check import Profile, expect, expect_equal
from ...hands import capability as cap
from ...hands import grant as grants
from ...hands import proof
from ...hands.encoding import Document, xsd_time
from ...hands.keys import Key
from ..play import Play, took
from ..relation import DAY_S, DELIVERY, Relation, asked_permissions, until_s
from ..situation import Scenes

SCENES = Scenes(profile=Profile.CORE)
STATUS: Final = r"GET /g/[a-f0-9-]+/delivery$"
OTHER: Final = Key.fresh()


@dataclass(slots=True)
class Vendor:
    """The suite as a vendor, with a grant in which the client is a recipient."""

    key: Key
    person: Relation
    held: Document

    def delegation(self, did: str, **members: Any) -> dict[str, Any]:
        """Return what is handed to a partner; ``members`` are of its capability."""
        target = f"{self.held['invocationTarget']}/{DELIVERY}"
        told: dict[str, Any] = {
            "target": target,
            "created_s": time.time(),
            "expires_s": time.time() + DAY_S,
        } | members
        key = told.pop("key", self.key)
        made = cap.delegate(key, self.held, told.pop("controller", did), **told)
        return {
            "permission": DELIVERY,
            "capability": made,
            "servingKey": self.person.serving.did,
            "log": self.person.log.origin,
        }


def _vendor(play: Play) -> Vendor:
    """Give the suite's own vendor a grant at the pretended node."""
    key = Key.fresh()
    now = xsd_time(time.time())
    request = proof.sign(
        {
            "@context": proof.CONTEXT,
            "type": "AccessRequest",
            "id": f"urn:uuid:{uuid.uuid4()}",
            "nonce": grants.nonce(),
            "created": now,
            "expires": until_s(60),
            "assignee": {"id": key.did, "type": "Organization", "name": "Another Shop"},
            "permission": asked_permissions(play.did),
        },
        key,
        created=now,
    )
    play.node.relation = person = Relation(request=request, origin=play.node.origin)
    person.approve()
    return Vendor(key, person, person.issue())


async def _accepted(play: Play) -> Vendor:
    """Have the client take up a delegation, and read once under it."""
    vendor = _vendor(play)
    took(await play.accept(**vendor.delegation(play.did)), "an honest delegation")
    await play.reads()
    return vendor


@SCENES.situation("CAP-18", "HTTP-23", "RCP-7")
async def takes_up_a_delegation(play: Play) -> None:
    """Read under what a vendor delegated, and see how the permission stands."""
    vendor = await _accepted(play)
    said = took(await play.look(), "an honest status")
    expect_equal((said.get("state"), said.get("version")), ("live", 1), "how the grant stands")
    vendor.person.narrow()
    said = took(await play.look(), "an honest status")
    expect_equal(said.get("version"), 2, "the version")
    await play.reads()
    took(await play.ledger(), "an honest ledger")
    paths = [one.came.path for one in play.node.seen]
    expect(all(f"/{DELIVERY}" in path for path in paths), "the partner asked for more than its permission")


DELEGATED: dict[str, Callable[[Vendor, str], dict[str, Any]]] = {
    "to-another": lambda vendor, did: vendor.delegation(did, controller=OTHER.did),
    "by-another": lambda vendor, did: vendor.delegation(did, key=OTHER),
    "on-another-grant": lambda vendor, did: vendor.delegation(
        did, target=f"{vendor.person.origin}/g/5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610/{DELIVERY}"
    ),
    "on-another-permission": lambda vendor, did: vendor.delegation(
        did, target=f"{vendor.held['invocationTarget']}/circle"
    ),
    "for-writing": lambda vendor, did: vendor.delegation(did, actions=["read", "write"]),
    "for-longer": lambda vendor, did: vendor.delegation(did, expires_s=time.time() + 30 * DAY_S),
    "with-another-chain": lambda vendor, did: vendor.delegation(
        did, chain=[cap.root_id(vendor.held["invocationTarget"])]
    ),
    "under-another-serving-key": lambda vendor, did: {**vendor.delegation(did), "servingKey": OTHER.did},
    "with-another-log": lambda vendor, did: {**vendor.delegation(did), "log": "ledger"},
}


@SCENES.situation("CAP-18", "CAP-21", "CAP-16", "CLT-9", cases=DELEGATED)
async def delegated_wrongly(play: Play, make: Callable[[Vendor, str], dict[str, Any]]) -> None:
    """A delegation that does not hold, or is for somebody else."""
    vendor = _vendor(play)
    await play.refuses(play.accept(**make(vendor, play.did)), "a delegation that does not hold")
    expect(not play.node.seen, "something was sent under a delegation that does not hold")
    took(await play.accept(**vendor.delegation(play.did)), "an honest delegation")
    await play.reads()


def _status(person: Relation, *, key: Key | None = None, age_s: float = 0, **members: Any) -> Document:
    made = grants.status(person.standing, key or person.serving, DELIVERY, created_s=time.time() - age_s)
    bare = {name: value for name, value in made.items() if name != "proof"} | members
    return proof.sign(bare, key or person.serving, created=made["proof"]["created"])


STATUSES: dict[str, Callable[[Relation], Document]] = {
    "by-another": lambda person: _status(person, key=OTHER),
    "by-the-decision-key": lambda person: _status(person, key=person.decision),
    "of-another-grant": lambda person: _status(person, grant="urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"),
    "of-long-ago": lambda person: _status(person, age_s=7 * DAY_S),
    "of-an-earlier-version": lambda person: _status(person, version=1),
    "of-another-type": lambda person: _status(person, type="AccessGrant"),
    "of-an-unknown-state": lambda person: _status(person, state="open"),
    "altered": lambda person: {**_status(person), "state": "ended"},
}


@SCENES.situation("HTTP-67", "HTTP-23", "RCP-7", cases=STATUSES)
async def told_wrongly(play: Play, make: Callable[[Relation], Document]) -> None:
    """A status that is not of this grant, or not of now."""
    vendor = await _accepted(play)
    person = vendor.person
    person.change("widen", expires=until_s(25))
    took(await play.look(), "an honest status")
    play.node.lie(STATUS, lambda _, reply: reply.saying({**reply.document, "status": make(person)}))
    await play.refuses(play.look(), "a status that does not hold")
    play.honest()
    took(await play.look(), "an honest status")
    await play.reads()


@SCENES.situation("LED-17", "CLT-13")
async def partner_sees_a_rolled_back_ledger(play: Play) -> None:
    """A partner follows the ledger as a vendor does."""
    vendor = await _accepted(play)
    for _ in range(3):
        await play.reads()
    true = vendor.person.log
    short = true.copy()
    for kept in (short.entries, short.salts, short.leaves):
        del kept[2:]
    vendor.person.log = short
    await play.refuses_read("a read under a ledger that was rolled back")
    vendor.person.log = true
    await play.reads()
