"""Statements beside the grant: that it moved, and that its ledger was restored.

Spec: specs/moving.md#following
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ...check import Profile, expect, expect_equal
from ...hands import grant as grants
from ...hands import proof
from ...hands.encoding import Document
from ...hands.keys import Key
from ...hands.log import Log
from ...hands.merkle import root_hash
from ..play import Play, took
from ..relation import Relation, drawn_mark
from ..situation import Scenes

SCENES = Scenes(profile=Profile.MOVING)
GRANT: Final = r"GET /g/[a-f0-9-]+(\?from=\d+)?$"
OTHER: Final = Key.fresh()


@SCENES.situation("MOV-11", "MOV-3", "MOV-5", "MOV-12", cases={"told": True, "handed-over": False})
async def follows(play: Play, is_told: bool) -> None:
    """Go on at another address of the grant's once the old one is gone: as told before, or as handed over."""
    await play.relate()
    person = play.node.person
    home = await play.second_home()
    statement = person.move(home.origin)
    if is_told:
        took(await play.look(), "an honest statement")
    await play.node.stop()
    person.origin = home.origin
    if not is_told:
        took(await play.moved(statement), "an honest statement")
    said = took(await play.read(), "a read at the new address")
    expect(len(said.get("records", [])) == 1, "nothing was read at the new address")
    expect(bool(home.requests("GET .*/records")), "nothing was asked at the new address")


def _stated(person: Relation, there: str, *, key: Key | None = None, **members: object) -> Document:
    made = grants.moved(person.standing, key or person.decision, [there], created_s=time.time())
    bare = {name: value for name, value in made.items() if name != "proof"} | members
    return proof.sign(bare, key or person.decision, created=made["created"])


MOVED: dict[str, Callable[[Relation, str], Document]] = {
    "by-the-serving-key": lambda person, there: _stated(person, there, key=person.serving),
    "by-another": lambda person, there: _stated(person, there, key=OTHER),
    "altered": lambda person, there: {**_stated(person, "https://node.example"), "origins": [there]},
    "of-another-grant": lambda person, there: _stated(
        person, there, grant="urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"
    ),
    "unencrypted": lambda person, _: _stated(person, "http://node.example"),
    "to-an-address-with-a-user": lambda person, there: _stated(person, there.replace("//", "//user@")),
    "to-an-address-with-a-path": lambda person, there: _stated(person, there + "/"),
    "to-too-many": lambda person, there: _stated(
        person, there, origins=[there, *(f"https://n{one}.example" for one in range(4))]
    ),
    "to-none": lambda person, there: _stated(person, there, origins=[]),
    "for-another-purpose": lambda person, there: proof.sign(
        {name: value for name, value in _stated(person, there).items() if name != "proof"},
        person.decision,
        purpose="authentication",
    ),
    "with-an-unknown-member": lambda person, there: _stated(person, there, note="x"),
}


@SCENES.situation("MOV-3", "MOV-1", "CLT-2", cases=MOVED)
async def stated_wrongly(play: Play, make: Callable[[Relation, str], Document]) -> None:
    """A statement that the person did not sign so, told by the node and handed over: it leads nowhere."""
    await play.relate()
    person, other = play.node.person, await play.elsewhere_at()
    statement = make(person, other.origin)
    await play.refuses(play.moved(statement), "a statement that is not the person's")
    play.node.lie(GRANT, lambda _, reply: reply.saying({**reply.document, "statements": [statement]}))
    await play.refuses(play.look(), "a statement that is not the person's")
    expect(not other.came, "the client went where only a false statement leads")
    play.honest()
    took(await play.look(), "an honest answer")
    await play.reads()


@SCENES.situation("MOV-3", "ROT-8")
async def stated_by_a_key_given_up(play: Play) -> None:
    """A statement by the decision key of before a change of keys."""
    await play.relate()
    person, other = play.node.person, await play.elsewhere_at()
    old = person.decision
    person.rotate()
    took(await play.look(), "an honest change of keys")
    statement = _stated(person, other.origin, key=old)
    await play.refuses(play.moved(statement), "a statement by a key that was given up")
    expect(not other.came, "the client went where only a false statement leads")
    await play.reads()


@SCENES.situation("VER-5", "HTTP-61")
async def passes_over_what_it_does_not_know(play: Play) -> None:
    """Pass over a statement of a type that is not known, and go on."""
    await play.relate()
    person = play.node.person
    person.statements.append(_stated(person, "https://node.example", type="Blessed"))
    took(await play.look(), "a statement of an unknown type")
    await play.reads()


# A restore


def _restore(person: Relation, true: Log, *, key: Key | None = None, count: int = 2) -> None:
    """Go on from an earlier ledger, as a node does that was restored from a backup."""
    person.log = Log(true.origin, true.entries[:count], true.salts[:count], true.leaves[:count])
    statement = grants.restored(
        person.standing,
        key or person.decision,
        count=count,
        root=root_hash(person.log.leaves),
        created_s=time.time(),
    )
    person.change("pause", person.serving, state="paused")
    person.statements.append(statement)
    person.mark = drawn_mark()
    person.issued.clear()
    person.change("resume", state="live")


@SCENES.situation("RST-7", "RST-8", "RST-11", "LED-17", "CLT-13")
async def goes_on_after_a_restore(play: Play) -> None:
    """Report a ledger that went back, whatever was stated, and go on only when whoever runs the client decides so."""
    await play.relate()
    for _ in range(3):
        await play.reads()
    person = play.node.person
    _restore(person, person.log)
    await play.refuses(play.ledger(), "a ledger that went back, without a decision to go on")
    await play.refuses_read("a read under a ledger that went back, without a decision to go on")
    took(await play.accept_restored(), "a restore that the person signed")
    await play.reads()
    followed = took(await play.ledger(), "the ledger after the restore")
    expect_equal(followed.get("size"), person.log.size, "the size of the ledger")


@SCENES.situation("RST-6", "RST-8", "LED-17", cases={"by-the-serving-key": True, "by-another": False})
async def restored_wrongly(play: Play, is_serving: bool) -> None:
    """A ledger that went back, with a statement that is not the person's: no decision makes it good."""
    await play.relate()
    for _ in range(3):
        await play.reads()
    person = play.node.person
    true, versions, issued, mark = person.log, person.versions.copy(), person.issued.copy(), person.mark
    _restore(person, true, key=person.serving if is_serving else OTHER)
    await play.refuses(play.ledger(), "a ledger that went back")
    await play.refuses(play.accept_restored(), "a restore that the person did not sign")
    await play.refuses_read("a read under a ledger that went back")
    person.log, person.versions, person.issued, person.mark = true, versions, issued, mark
    person.statements.clear()
    person.epoch = 0
    await play.reads()


@SCENES.situation("RST-12", "GRA-7")
async def ended_for_good(play: Play) -> None:
    """A grant that the client saw ended, live again after a restore: it stays ended, whoever decides."""
    await play.relate()
    for _ in range(3):
        await play.reads()
    person = play.node.person
    before = person.versions.copy()
    person.change("end", person.serving, state="ended")
    took(await play.look(), "an honest end")
    true, person.versions = person.log, before
    _restore(person, true)
    await play.refuses(play.accept_restored(), "a grant that was ended and is live again")
    await play.refuses_read("a read under a grant that was ended")


@SCENES.situation("RST-10", "LED-17")
async def a_word_counts_once(play: Play) -> None:
    """A statement that explained one loss does not explain another."""
    await play.relate()
    for _ in range(3):
        await play.reads()
    person = play.node.person
    _restore(person, person.log)
    await play.refuses(play.ledger(), "a ledger that went back")
    took(await play.accept_restored(), "a restore that the person signed")
    for _ in range(3):
        await play.reads()
    short = person.log.copy()
    for kept in (short.entries, short.salts, short.leaves):
        del kept[4:]
    true, person.log = person.log, short
    await play.refuses(play.ledger(), "a ledger that went back again")
    await play.refuses(play.accept_restored(), "a second loss by the word for the first")
    person.log = true
    await play.reads()
