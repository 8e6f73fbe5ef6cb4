"""The ledger as a whole: it only ever grows, under one name, by one key."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ...check import expect, expect_equal
from ...hands.encoding import Document, base64url
from ...hands.keys import Key
from ...hands.log import Log, log_name, note
from ...hands.merkle import root_hash
from ..play import Play, took
from ..relation import Relation
from ..server import Came, Reply
from ..situation import Scenes
from ..told import problem

SCENES = Scenes()
LEDGER: Final = r"GET .*/ledger/"
HEAD: Final = r"GET .*/ledger/checkpoint"
_DIGEST: Final = base64url(bytes(range(32)))
OTHER: Final = Key.fresh().did
HOUR: Final = "2026-11-23T12:00:00Z"


async def _warm(play: Play, reads: int = 3) -> None:
    """Read a few times, so that there is something to take away."""
    await play.relate()
    for _ in range(reads):
        await play.reads()
    took(await play.ledger(), "an honest ledger")


async def _goes_on(play: Play, log: Log) -> None:
    """Under the true ledger all is well again."""
    play.honest()
    play.node.person.log = log
    await play.reads()
    said = took(await play.ledger(), "the true ledger")
    expect_equal(said.get("size"), log.size, "the size of the ledger")


@SCENES.situation("LED-17", "CLT-13")
async def rolled_back(play: Play) -> None:
    """A ledger that has lost its last entries."""
    await _warm(play)
    true = play.node.person.log
    short = true.copy()
    for kept in (short.entries, short.salts, short.leaves):
        del kept[2:]
    play.node.person.log = short
    await play.refuses(play.ledger(), "a ledger that was rolled back")
    await play.refuses_read("a read under a ledger that was rolled back")
    await _goes_on(play, true)


@SCENES.situation("LED-17", "LED-14", cases={"as-long": 0, "longer": 3})
async def forked(play: Play, more: int) -> None:
    """Another history of the same ledger: as long as the one that is known, or longer."""
    await _warm(play)
    true = play.node.person.log
    other = true.copy()
    other.set(1, {**other.entries[1], "who": Key.fresh().did})
    for number in range(more):
        other.append("received", 0, who=play.did, acknowledges=number, signature=_DIGEST)
    play.node.person.log = other
    await play.refuses(play.ledger(), "a ledger that was forked")
    await play.refuses_read("a read under a ledger that was forked")
    await play.refuses(play.ledger(), "a ledger that was forked, once more")
    await _goes_on(play, true)


@SCENES.situation("LED-22", "LED-17", cases={"once": 1, "three-times": 3})
async def others_read_in_between(play: Play, times: int) -> None:
    """Others' entries come between the answer about an entry and the newest checkpoint: no fault, and no forgery."""
    await _warm(play)
    log, left = play.node.person.log, [times]

    def grow(_: Came, reply: Reply) -> Reply:
        if left[0]:
            left[0] -= 1
            log.append(
                "refused", time.time(), who=OTHER, chain=[_DIGEST], code="grant-paused", hour=HOUR, count=1
            )
        return reply

    play.node.lie(r"GET .*/ledger/entries/[0-9]+$", grow)
    await play.reads()
    expect(left[0] < times, "the entry was not asked for")
    said = took(await play.ledger(), "the ledger that has grown")
    expect_equal(said.get("size"), log.size, "the size of the ledger")


@SCENES.situation("LED-22", "LED-17", "LED-14")
async def an_entry_of_another_line(play: Play) -> None:
    """An entry proven to a checkpoint of a fork, beside newest checkpoints that are in line with what is known."""
    await _warm(play)
    true = play.node.person.log

    def fork(came: Came, reply: Reply) -> Reply:
        other = true.copy()
        number = int(came.path.rpartition("/")[2])
        other.set(1, {**other.entries[1], "who": OTHER})
        true.append(
            "refused", time.time(), who=OTHER, chain=[_DIGEST], code="grant-paused", hour=HOUR, count=1
        )
        return reply.saying(other.shown(number, play.node.person.serving))

    play.node.lie(r"GET .*/ledger/entries/[0-9]+$", fork)
    await play.refuses_read("an entry of a ledger that is in no line with the one that is followed")
    await _goes_on(play, true)


@SCENES.situation("LED-19", "LED-17")
async def a_number_used_again(play: Play) -> None:
    """A read whose entry takes the place of one that was there."""
    await _warm(play)
    true = play.node.person.log
    play.node.person.log = short = true.copy()
    for kept in (short.entries, short.salts, short.leaves):
        kept.pop()
    await play.refuses_read("an entry under a number that was used")
    await _goes_on(play, true)


@SCENES.situation("LED-17", "CLT-13", cases={"alone": None, "with-an-empty-proof": []})
async def a_smaller_head(play: Play, proof: list[str] | None) -> None:
    """An earlier checkpoint of the same ledger, well signed, in the place of the head."""
    await _warm(play)
    person = play.node.person

    def earlier(_: Came, reply: Reply) -> Reply:
        told: Document = {"checkpoint": person.log.note(person.serving, 2)}
        return reply.saying(told if proof is None else {**told, "consistency": proof})

    play.node.lie(HEAD, earlier)
    await play.refuses(play.ledger(), "a checkpoint of before")
    await _goes_on(play, person.log)


CONSISTENCY: dict[str, Document] = {
    "empty": {"consistency": []},
    "wrong": {"consistency": [_DIGEST, _DIGEST]},
    "endless": {"consistency": [_DIGEST] * 65},
    "of-short-hashes": {"consistency": ["AAAA"]},
    "no-array": {"consistency": _DIGEST},
    "missing": {"consistency": None},
}


@SCENES.situation("LED-17", "LED-16", cases=CONSISTENCY)
async def not_shown_to_continue(play: Play, members: Document) -> None:
    """A larger checkpoint, well signed, without a proof that it continues the one before."""
    await _warm(play)
    person = play.node.person
    person.narrow()

    def alter(_: Came, reply: Reply) -> Reply:
        found = {**reply.document, **members}
        return reply.saying({name: value for name, value in found.items() if value is not None})

    play.node.lie(HEAD, alter)
    await play.refuses(play.ledger(), "a checkpoint that is not proven to continue")
    await _goes_on(play, person.log)


@SCENES.situation("LED-17", "CLT-13")
async def a_size_denied(play: Play) -> None:
    """A node that says its ledger never had the size that it signed."""
    await _warm(play)
    play.node.person.narrow()
    play.node.lie(r"GET .*/ledger/checkpoint\?from=", lambda *_: problem("malformed", 400))
    await play.refuses(play.ledger(), "a ledger that never had the size it signed")
    await _goes_on(play, play.node.person.log)


def _signed_by(person: Relation, key: Key) -> str:
    return person.log.note(key)


def _root(person: Relation) -> bytes:
    return root_hash(person.log.leaves)


def _forged(person: Relation) -> str:
    """A note under the right name and key id whose signature is another's."""
    true, other = person.log.note(person.serving), person.log.note(Key.fresh())
    head, _, line = true.partition("\n— ")
    good, bad = line.split(" ")[1], other.rsplit(" ", 1)[1]
    # The key id is the first four bytes: five letters and a third of base64, so eight letters are taken over whole.
    return f"{head}\n— {person.log.origin} {good[:8]}{bad[8:]}"


NOTES: dict[str, Callable[[Relation], str]] = {
    "by-another-key": lambda person: _signed_by(person, Key.fresh()),
    "by-the-decision-key": lambda person: _signed_by(person, person.decision),
    "of-another-ledger": lambda person: note(log_name(), person.log.size, _root(person), person.serving),
    "under-another-name": lambda person: note(
        person.log.origin, person.log.size, _root(person), person.serving, name="freehold/ledger/other"
    ),
    "forged": _forged,
    "of-another-size": lambda person: person.log.note(person.serving).replace(
        f"\n{person.log.size}\n", f"\n{person.log.size + 1}\n", 1
    ),
    "with-a-line-more": lambda person: person.log.note(person.serving).replace("\n\n", "\nmore\n\n", 1),
    "of-a-size-with-a-zero": lambda person: person.log.note(person.serving).replace(
        f"\n{person.log.size}\n", f"\n0{person.log.size}\n", 1
    ),
    "without-a-signature": lambda person: person.log.note(person.serving).partition("\n— ")[0] + "\n",
    "of-a-hundred-signatures": lambda person: person.log.note(person.serving)
    + "".join(f"— witness/{number} AAAAAAAA\n" for number in range(100)),
    "endless": lambda person: person.log.note(person.serving) + "— witness " + "A" * 200_000 + "\n",
}  # fmt: skip


@SCENES.situation("LED-15", "LED-13", cases=NOTES)
async def another_checkpoint(play: Play, told: Callable[[Relation], str]) -> None:
    """A checkpoint that the serving key did not sign for this ledger, or of another form."""
    await _warm(play, 1)
    person = play.node.person
    play.node.lie(LEDGER, lambda _, reply: reply.saying({**reply.document, "checkpoint": told(person)}))
    await play.refuses(play.ledger(), "a checkpoint that is not the ledger's")
    await play.refuses_read("a read under a checkpoint that is not the ledger's")
    await _goes_on(play, person.log)


@SCENES.situation("ROT-14", "LED-15")
async def by_a_key_given_up(play: Play) -> None:
    """A checkpoint by the serving key of before a change of keys that the client has seen."""
    await _warm(play)
    person = play.node.person
    old = person.serving
    person.rotate()
    took(await play.look(), "an honest change of keys")
    await play.reads()
    asked = len(play.node.seen)
    play.node.lie(
        LEDGER, lambda _, reply: reply.saying({**reply.document, "checkpoint": person.log.note(old)})
    )
    await play.refuses(play.ledger(), "a checkpoint by a key that was given up")
    expect(len(play.node.seen) - asked <= 12, "the client asks again and again")
    await _goes_on(play, person.log)
