"""Capabilities: what a node issues is taken only if it is ours; what a client delegates is narrower.

Spec: specs/capabilities.md
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ...check import expect, expect_equal
from ...hands import proof
from ...hands.encoding import Document, from_xsd_time
from ...hands.keys import Key
from ..play import Play, took
from ..relation import DAY_S, DELIVERY, Relation
from ..situation import Scenes
from ..told import chain_digests, problem

SCENES = Scenes()
RENEW: Final = r"POST .*/renew"
RECORDS: Final = r"GET .*/records"
OTHER: Final = Key.fresh()


def _resigned(person: Relation, **members: object) -> Document:
    """Return a capability whose proof has other members, signed anew."""
    made = person.issue(known=False)
    bare = {name: value for name, value in made.items() if name != "proof"}
    told = {
        "purpose": "capabilityDelegation",
        "created": made["proof"]["created"],
        "chain": made["proof"]["capabilityChain"],
    } | members
    return proof.sign(bare, person.serving, **told)


ISSUED: dict[str, Callable[[Relation], object]] = {
    "none": lambda _: None,
    "for-another-key": lambda person: person.issue(known=False, controller=OTHER.did),
    "for-another-grant": lambda person: person.issue(
        known=False, path="/g/5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"
    ),
    "for-another-origin": lambda person: person.issue(known=False, origin="https://node.example"),
    "for-one-permission": lambda person: person.issue(
        known=False, invocationTarget=f"{person.origin}{person.path}/{DELIVERY}"
    ),
    "for-a-target-with-a-user": lambda person: person.issue(
        known=False, origin=person.origin.replace("http://", "http://user@")
    ),
    "for-writing-too": lambda person: person.issue(known=False, allowedAction=["read", "write"]),
    "by-another-key": lambda person: person.issue(known=False, key=OTHER),
    "by-the-decision-key": lambda person: person.issue(known=False, key=person.decision),
    "for-longer-than-the-grant": lambda person: person.issue(known=False, lives_s=40 * DAY_S),
    "for-longer-than-any": lambda person: person.issue(known=False, lives_s=100 * DAY_S),
    "over-already": lambda person: person.issue(known=False, lives_s=-60),
    "for-another-purpose": lambda person: _resigned(person, purpose="assertionMethod"),
    "under-another-root": lambda person: _resigned(person, chain=["urn:zcap:root:https%3A%2F%2Fnode.example"]),
    "altered": lambda person: {**person.issue(known=False), "expires": "2099-01-01T00:00:00Z"},
    "with-an-unknown-caveat": lambda person: person.issue(known=False, caveat=[{"type": "https://example.org/x"}]),
    "with-an-unknown-member": lambda person: person.issue(known=False, note="x"),
    "without-a-proof": lambda person: {
        name: value for name, value in person.issue(known=False).items() if name != "proof"
    },
    "as-a-text": lambda _: "capability",
}  # fmt: skip


@SCENES.situation("CLT-9", "HTTP-66", "CAP-18", "CAP-21", "CAP-24", cases=ISSUED)
async def issued_wrongly(play: Play, make: Callable[[Relation], object]) -> None:
    """A capability that is not the client's own for this grant: refused, and the one held stays good."""
    await play.relate()
    made = make(play.node.person)
    play.node.lie(RENEW, lambda _, reply: reply.saying({**reply.document, "capability": made}))
    await play.refuses(play.renew(), "a capability that is not as a node issues it")
    play.honest()
    await play.reads()
    took(await play.renew(), "an honest capability")
    await play.reads()


APPROVED: Final = (
    "for-another-key",
    "for-another-grant",
    "for-another-origin",
    "for-writing-too",
    "by-another-key",
)


@SCENES.situation("CLT-9", "HTTP-66", "HTTP-65", cases={name: ISSUED[name] for name in APPROVED})
async def approved_with_another(play: Play, make: Callable[[Relation], object]) -> None:
    """An approval that brings a capability which is not the client's own for this grant."""
    play.node.lie(
        "GET /requests/",
        lambda _, reply: reply.saying({**reply.document, "capability": make(play.node.person)}),
    )
    await play.asked()
    await play.refuses(play.decision(), "an approval with a capability that does not hold")
    play.honest()
    took(await play.decision(), "the honest approval")
    await play.reads()


@SCENES.situation("CLT-7", "HTTP-24", cases={"expired": "capability-expired", "revoked": "revoked"})
async def refused_for_ever(play: Play, code: str) -> None:
    """A node that refuses every capability, however fresh: the client gives up soon."""
    await play.relate()
    play.node.lie(RECORDS, lambda *_: problem(code))
    asked = len(play.node.seen)
    why = await play.refuses_read("a read that was refused")
    expect_equal(why, code, "the reason that the client gives")
    expect(len(play.node.seen) - asked <= 12, "the client renews again and again")
    play.honest()
    await play.reads()


@SCENES.situation("HTTP-24", "ROT-9", cases={"expired": "capability-expired", "revoked": "revoked"})
async def refused_once(play: Play, code: str) -> None:
    """A capability that is refused once and is good again afterwards."""
    await play.relate()
    play.node.lie(RECORDS, lambda *_: problem(code), times=1)
    said = await play.read()
    if said.refused is not None:
        expect_equal(said.refused, code, "the reason that the client gives")
    play.honest()
    await play.reads()


@SCENES.situation("CAP-16", "CAP-18", "CAP-21", "CAP-23", "CAP-22")
async def delegates(play: Play) -> None:
    """Delegate one permission to a partner: on its path, for reading, not for longer, signed by the client."""
    await play.relate()
    made: Document = took(await play.delegate(play.partner.did), "a partner who is a recipient")["capability"]
    held = play.node.person.issued[-1]
    expect_equal(made["controller"], play.partner.did, "the controller")
    expect_equal(made["invocationTarget"], f"{held['invocationTarget']}/{DELIVERY}", "the target")
    expect_equal(made["parentCapability"], held["id"], "the parent")
    expect(set(made["allowedAction"]) <= {"read"}, "more than reading was delegated")
    expect(from_xsd_time(made["expires"]) <= from_xsd_time(held["expires"]), "it outlives its parent")
    expect(proof.is_proven(made, play.did, purpose="capabilityDelegation"), "the client did not sign it")
    expect_equal(made["proof"]["capabilityChain"], [*held["proof"]["capabilityChain"], held], "the chain")
    expect(made["id"] != held["id"], "the id is the parent's")
    expect_equal(len(chain_digests(made)), 2, "the length of the chain")


@SCENES.situation("CAP-23", "CLT-9")
async def delegates_to_recipients_only(play: Play) -> None:
    """Delegate to nobody who is not a recipient, and nothing that is not given."""
    await play.relate()
    await play.refuses(play.delegate(OTHER.did), "a delegation to somebody who is no recipient")
    await play.refuses(play.delegate(play.partner.did, "marketing"), "a delegation of what is not given")
    took(await play.delegate(play.partner.did), "a partner who is a recipient")


@SCENES.situation("CAP-29", "HTTP-26")
async def takes_back(play: Play) -> None:
    """Take back what was delegated, by the client's DID and with the delegated capability as body."""
    await play.relate()
    made = took(await play.delegate(play.partner.did), "a partner who is a recipient")["capability"]
    took(await play.revoke(), "an honest revocation")
    expect(chain_digests(made)[-1] in play.node.person.revoked, "it was not revoked")
    await play.reads()


@SCENES.situation("CAP-29", "HTTP-26")
async def gives_up(play: Play) -> None:
    """Renounce: the client's own capability is revoked, and nothing is read under it any more."""
    await play.relate()
    held = play.node.person.issued[-1]
    took(await play.renounce(), "an honest revocation")
    expect(chain_digests(held)[-1] in play.node.person.revoked, "it was not revoked")
    await play.refuses_read("a read under what was given up")


@SCENES.situation("CLT-8", "HTTP-26")
async def told_that_nothing_was_revoked(play: Play) -> None:
    """A refusal of the node's to revoke is told, and not taken for done."""
    await play.relate()
    took(await play.delegate(play.partner.did), "a partner who is a recipient")
    play.node.lie("POST .*/revocations/", lambda *_: problem("not-found"))
    why = await play.refuses(play.revoke(), "a revocation that did not happen")
    expect_equal(why, "not-found", "the reason that the client gives")


@SCENES.situation("INV-6", "INV-8", "SIG-18")
async def signs_as_nodes_read(play: Play) -> None:
    """Sign each of twenty reads anew: fresh nonces, short lives, exactly what is to be covered."""
    await play.relate()
    for _ in range(20):
        await play.reads()
    heard = [one.heard for one in play.node.requests(RECORDS)]
    expect(len(heard) >= 21, "not one request for each read")
    expect(
        all(one is not None and one.tag == "zcap" for one in heard), "a read not signed under its capability"
    )
    expect(len({one.nonce for one in heard if one is not None}) == len(heard), "a nonce came twice")
    expect(time.time() > 0, "there is no clock")
