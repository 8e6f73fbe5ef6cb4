"""The entry of a read: it has to be there, to be of this very read, and to say what was sent."""

from __future__ import annotations

from typing import Any, Final

from ...hands.encoding import Document, base64url
from ...hands.keys import Key
from ..play import Play
from ..server import Came, Reply
from ..situation import Scenes
from ..told import problem

SCENES = Scenes()
RECORDS: Final = r"GET .*/records"
ENTRY: Final = r"GET .*/ledger/entries/\d+$"
_DIGEST: Final = base64url(bytes(range(32)))

TOLD: dict[str, Document] = {
    "another-signature": {"signature": _DIGEST},
    "another-reader": {"who": Key.fresh().did},
    "another-chain": {"chain": [_DIGEST]},
    "no-chain": {"chain": []},
    "another-action": {"action": "write"},
    "another-permission": {"permission": "circle"},
    "another-method": {"method": "HEAD"},
    "another-status": {"status": 304},
    "another-content": {"released": _DIGEST},
    "another-count": {"count": 7},
    "fields-not-asked-for": {"fields": ["name", "address.postalCode", "email"]},
    "a-query-not-sent": {"query": _DIGEST},
}


@SCENES.situation("LED-5", "LED-4", "CLT-11", "REL-16", cases=TOLD)
async def tells_of_another_read(play: Play, told: Document) -> None:
    """An entry, in the ledger by every proof, that says something else of the read than was sent."""
    await play.relate()

    def alter(_: Came, reply: Reply) -> Reply:
        log, number = play.node.person.log, int(reply.headers["freehold-entry"])
        log.set(number, {**log.entries[number], **told}, log.salts[number])
        return reply

    play.node.lie(RECORDS, alter)
    how: dict[str, Any] = {"fields": ["name"]} if "fields" in told else {}
    await play.refuses_once("a read whose entry tells of another", **how)


@SCENES.situation("LED-4", "CLT-11", "GRA-12", "REL-16")
async def of_an_earlier_version(play: Play) -> None:
    """An entry that says it was admitted as of a version before the one that the client knew when it asked."""
    await play.relate()
    person = play.node.person
    person.change("pause", person.serving, state="paused")
    person.change("resume", state="live")
    await play.look()
    await play.reads()

    def alter(_: Came, reply: Reply) -> Reply:
        number = int(reply.headers["freehold-entry"])
        person.log.set(number, {**person.log.entries[number], "version": 1}, person.log.salts[number])
        return reply

    play.node.lie(RECORDS, alter)
    await play.refuses_once("a read as of a version that was over")


NUMBERS: dict[str, str | None] = {
    "none": None,
    "empty": "",
    "negative": "-1",
    "no-number": "one",
    "of-forty-digits": "9" * 40,
    "of-the-approval": "0",
    "of-an-earlier-read": "1",
    "of-none-that-is-there": "999",
}


@SCENES.situation("HTTP-31", "CLT-11", cases=NUMBERS)
async def another_number(play: Play, number: str | None) -> None:
    """An answer that names no entry, or another one."""
    await play.relate()
    play.node.lie(RECORDS, lambda _, reply: reply.headed(freehold_entry=number))
    await play.refuses_once("an answer that does not name its entry")


@SCENES.situation("LED-3", "CLT-11", "REL-16")
async def denied(play: Play) -> None:
    """An entry that was named and is not to be had."""
    await play.relate()
    play.node.lie(ENTRY, lambda *_: problem("not-found"))
    await play.refuses_once("a read without an entry")


SHOWN: dict[str, Document] = {
    "another-leaf": {"leaf": _DIGEST},
    "another-salt": {"salt": _DIGEST},
    "another-number": {"number": 0},
    "another-size": {"size": 1},
    "no-body": {"entry": None, "salt": None},
    "an-empty-proof": {"proof": []},
    "a-wrong-proof": {"proof": [_DIGEST, _DIGEST]},
    "an-endless-proof": {"proof": [_DIGEST] * 65},
    "a-short-hash": {"proof": ["AAAA"]},
    "no-checkpoint": {"checkpoint": ""},
    "a-checkpoint-that-is-no-text": {"checkpoint": {"size": 1}},
}


@SCENES.situation("LED-16", "LED-2", "REL-16", cases=SHOWN)
async def not_proven(play: Play, members: Document) -> None:
    """An entry whose proof of inclusion, leaf or number does not hold."""
    await play.relate()
    play.node.lie(ENTRY, lambda _, reply: reply.saying({**reply.document, **members}))
    await play.refuses_once("an entry that is not proven")


BODIES: dict[str, Document] = {
    "another-value": {"count": 2},
    "a-time": {"time": "2020-01-01T00:00:00Z"},
    "a-member-more": {"note": "x"},
}


@SCENES.situation("LED-2", "LED-19", "REL-16", cases=BODIES)
async def not_the_leafs(play: Play, members: Document) -> None:
    """The body of an entry altered, with the leaf and its proofs as they were."""
    await play.relate()

    def alter(_: Came, reply: Reply) -> Reply:
        found = reply.document
        found["entry"] |= members
        return reply.saying(found)

    play.node.lie(ENTRY, alter)
    await play.refuses_once("an entry that is not the leaf's")


@SCENES.situation("LED-4")
async def of_no_form(play: Play) -> None:
    """An entry with a member that no entry has, in the ledger by every proof."""
    await play.relate()

    def alter(_: Came, reply: Reply) -> Reply:
        log, number = play.node.person.log, int(reply.headers["freehold-entry"])
        log.set(number, {**log.entries[number], "note": "x"}, log.salts[number])
        return reply

    play.node.lie(RECORDS, alter)
    await play.refuses_once("an entry of another form")
