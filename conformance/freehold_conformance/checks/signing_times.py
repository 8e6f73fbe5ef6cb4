"""When a signature is good, and that no message of a key is taken twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import message
from ..hands.crafting import Crafted, quoted
from ..hands.keys import Key
from .capability_scene import READ, Lent, lend, lent
from .signing_scene import (
    INVALID,
    MALFORMED,
    STALE,
    Change,
    Outcome,
    by_did,
    expect_outcome,
    expect_refused_for,
    expect_taken,
    parameters,
    read,
    respelled,
    sent,
)

topic = Topic()


# Times: a few seconds are left at each bound for the way there and for clocks that differ.
_Times = tuple[int, int]

GOOD_TIMES: Final[Mapping[str, _Times]] = {
    "now": (0, 120),
    "a-second": (0, 1),
    "as-long-as-may-be": (0, 600),
    "nearly-a-minute-ahead": (55, 60),
    "past-but-for-nearly-a-minute": (-100, -55),
    "long-ago-and-long": (-595, 5),
    "long-ago-and-past": (-650, -55),
}
BAD_TIMES: Final[Mapping[str, _Times]] = {
    "too-long": (0, 601),
    "too-long-by-the-past": (-590, 11),
    "far-too-long": (0, 86_400),
    "ends-when-made": (0, 0),
    "ends-before-made": (10, 5),
    "more-than-a-minute-ahead": (65, 120),
    "an-hour-ahead": (3_600, 3_700),
    "past-for-a-minute": (-120, -60),
    "past-for-an-hour": (-3_720, -3_600),
    "the-beginning-of-time": (-int(1.7e9), -int(1.7e9) + 100),
}


def _timed(made: Crafted, times: _Times) -> Crafted:
    now = int(time.time())
    return made.with_parameters(created=str(now + times[0]), expires=str(now + times[1]))


@topic.check("INV-6", cases=GOOD_TIMES)
async def a_signature_is_good_for_its_time_and_a_minute(stage: Stage, times: _Times) -> None:
    """From a minute before it was made until a minute after it ended, and for ten minutes at most."""
    scene = await lent(stage)
    await expect_taken(scene, _timed(read(scene), times))
    target = scene.vendor.path()
    expect_status(await sent(scene, _timed(by_did(scene, target), times)), 200)


@topic.check("INV-6", "INV-7", cases=BAD_TIMES)
async def a_signature_of_another_time_is_stale(stage: Stage, times: _Times) -> None:
    """A signature of before or after, or for too long, is refused under a capability, by a DID and of the owner."""
    scene = await lent(stage)
    await expect_refused_for(scene, lambda made: _timed(made, times), STALE)
    expect_outcome(await sent(scene, _timed(by_did(scene, scene.vendor.path()), times)), STALE)
    now = time.time()
    owner = await stage.owner.send("GET", "/status", created_s=now + times[0], expires_s=now + times[1])
    expect_problem(owner, 401, "not-authenticated")


TIMES: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "no-beginning": (parameters(created=None), (STALE, INVALID, MALFORMED)),
    "no-end": (parameters(expires=None), (STALE, INVALID, MALFORMED)),
    "a-text": (lambda made: made.with_parameters(created=quoted(made.parameters["created"])), (MALFORMED,)),
    "a-decimal": (lambda made: made.with_parameters(created=made.parameters["created"] + ".0"), (MALFORMED,)),
    "negative": (parameters(created="-1"), (MALFORMED,)),
    "a-leading-zero": (
        lambda made: made.with_parameters(created="0" + made.parameters["created"]),
        (MALFORMED,),
    ),
    "a-plus": (lambda made: made.with_parameters(created="+" + made.parameters["created"]), (MALFORMED,)),
    "in-words": (parameters(created="now"), (MALFORMED,)),
    "true": (parameters(created=""), (MALFORMED,)),
    "sixteen-digits": (parameters(created="1" * 16), (MALFORMED,)),
    "milliseconds": (lambda made: made.with_parameters(created=made.parameters["created"] + "000"), (STALE,)),
}


@topic.check("INV-6", "SIG-13", "SIG-12", cases=TIMES)
async def times_are_whole_seconds(stage: Stage, case: tuple[Change, tuple[Outcome, ...]]) -> None:
    """A time that is missing, or written otherwise than as a whole number, is refused."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


NONCES: Final[Mapping[str, str | None]] = {
    "none": None,
    "empty": '""',
    "fifteen": quoted("a" * 15),
    "sixty-five": quoted("a" * 65),
    "standard-base64": quoted("a+/aaaaaaaaaaaaaaa"),
    "padded": quoted("aaaaaaaaaaaaaaaaaa=="),
    "with-a-dot": quoted("aaaaaaaa.aaaaaaaaa"),
    "with-a-space": quoted("aaaaaaaa aaaaaaaaa"),
    "with-a-line-break": quoted("aaaaaaaaaaaaaaaa\\n"),
    "a-token": "aaaaaaaaaaaaaaaaaa",
    "a-number": "1234567890",
    "bytes": ":YWFhYWFhYWFhYWFhYWFhYQ==:",
}


@topic.check("INV-8", cases=NONCES)
async def a_nonce_is_of_its_form(stage: Stage, nonce: str | None) -> None:
    """A nonce has 16 to 64 characters of base64url."""
    scene = await lent(stage)
    await expect_refused_for(scene, parameters(nonce=nonce), MALFORMED)


@topic.check("INV-8", cases={"sixteen": 16, "sixty-four": 64})
async def a_nonce_has_sixteen_to_sixty_four_characters(stage: Stage, length: int) -> None:
    """Both bounds are within, and every character of the alphabet counts."""
    scene = await lent(stage)
    text = (message.nonce() * 3)[: length - 2] + "-_"
    await expect_taken(scene, read(scene, nonce=quoted(text)))
    other = text[:-1] + "A"
    await expect_taken(scene, read(scene, nonce=quoted(other)))
    expect_outcome(await sent(scene, read(scene, nonce=quoted(text))), (409, "replayed"))


_Again = Callable[[Lent, str], Crafted]

AGAIN: Final[Mapping[str, _Again]] = {
    "the-same-read": lambda scene, nonce: read(scene, nonce=nonce),
    "another-path": lambda scene, nonce: read(scene, "/news/records", nonce=nonce),
    "another-query": lambda scene, nonce: read(scene, READ + "?limit=1", nonce=nonce),
    "another-method": lambda scene, nonce: read(scene, method="HEAD", nonce=nonce),
    "the-status": lambda scene, nonce: read(scene, "/delivery", nonce=nonce),
    "another-time": lambda scene, nonce: _timed(read(scene, nonce=nonce), (-30, 90)),
    "by-its-did": lambda scene, nonce: by_did(scene, scene.vendor.path()).with_parameters(nonce=nonce),
    "another-capability": lambda scene, nonce: read(scene, nonce=nonce).but(
        headers={"capability-invocation": respelled(scene)}
    ),
}


@topic.check("INV-8", "HTTP-9", cases=AGAIN)
async def a_nonce_is_good_for_one_message_of_a_key(stage: Stage, again: _Again) -> None:
    """Whatever the second message of one key and nonce asks for, it is refused; another key's is not."""
    scene = await lent(stage)
    nonce = quoted(message.nonce())
    await expect_taken(scene, read(scene, nonce=nonce))
    answer = await sent(scene, again(scene, nonce))
    expect_status(answer, 409)
    expect_equal(answer.headers.get("freehold-code"), "replayed", "code")
    partner = scene.link()
    expect_status(await partner.get(READ, nonce_=nonce.strip('"')), 200)


@topic.check("INV-8", "HTTP-9")
async def a_nonce_counts_for_all_grants_of_a_key(stage: Stage) -> None:
    """One vendor's nonce is used up for all that it does at a node."""
    scene = await lent(stage)
    shown = await stage.person(name="Ada")
    other = await stage.relate([shown.permission("delivery", ["name"])], key=scene.vendor.key)
    nonce = message.nonce()
    expect_status(await other.get(READ, nonce_=nonce), 200)
    expect_problem(await scene.vendor.get(READ, nonce_=nonce), 409, "replayed")


@topic.check(
    "INV-9", "INV-8", cases={"not-shared": "?fields=email", "not-there": "/zUnknown", "stale": "?cursor=x"}
)
async def a_refusal_of_a_holder_uses_its_nonce_up(stage: Stage, tail: str) -> None:
    """What was decided is decided: also a refusal spends the nonce, in the transaction of the decision."""
    scene = await lent(stage)
    nonce = quoted(message.nonce())
    refused = await sent(scene, read(scene, READ + tail, nonce=nonce))
    expect(refused.status in (403, 404, 409), f"status {refused.status}")
    expect(refused.headers.get("freehold-code") != "replayed", "the first one is refused as replayed")
    expect_outcome(await sent(scene, read(scene, nonce=nonce)), (409, "replayed"))


_Spoiler = Callable[[Lent, str], Crafted]


def _forged(scene: Lent, nonce: str) -> Crafted:
    return read(scene, nonce=nonce).but(key=Key.fresh())


def _of_a_stranger(scene: Lent, nonce: str) -> Crafted:
    key = Key.fresh()
    return read(scene, nonce=nonce).but(key=key).with_parameters(keyid=quoted(key.method))


def _at_no_grant(scene: Lent, nonce: str) -> Crafted:
    made = read(scene, nonce=nonce)
    return made.but(uri=made.uri.replace(scene.vendor.grant, "00000000-0000-4000-8000-000000000000"))


SPOILERS: Final[Mapping[str, _Spoiler]] = {
    "forged": _forged,
    "by-a-stranger": _of_a_stranger,
    "at-no-grant": _at_no_grant,
    "stale": lambda scene, nonce: _timed(read(scene, nonce=nonce), (-3_720, -3_600)),
    "of-another-tag": lambda scene, nonce: read(scene, nonce=nonce).with_parameters(tag=quoted("other")),
    "query-of-no-form": lambda scene, nonce: read(scene, READ + "?colour=red", nonce=nonce),
    "owner-s": lambda scene, nonce: by_did(scene, "/owner/status").with_parameters(nonce=nonce),
}


@topic.check("INV-8", "HTTP-9", cases=SPOILERS)
async def nobody_spoils_a_nonce(stage: Stage, spoil: _Spoiler) -> None:
    """A message that is refused before its signer has a say uses up nothing of the honest one's."""
    scene = await lent(stage)
    nonce = quoted(message.nonce())
    spoiled = await sent(scene, spoil(scene, nonce))
    expect(spoiled.status >= 400, f"status {spoiled.status}")
    await expect_taken(scene, read(scene, nonce=nonce))


@topic.check("INV-9", "HTTP-9", "LED-5", cases={"two": 2, "eight": 8})
async def of_the_same_messages_at_once_one_passes(stage: Stage, number: int) -> None:
    """Of one message sent many times at once exactly one is admitted, with one entry."""
    scene = await lend(stage)
    target = scene.vendor.path(READ)
    before = len(await stage.owner.ledger(scene.vendor.grant))
    signed = scene.vendor.signed("GET", target)
    answers = await asyncio.gather(*(stage.wire.send("GET", target, signed) for _ in range(number)))
    codes = sorted(answer.headers.get("freehold-code", "") for answer in answers)
    expect_equal([one.status for one in answers].count(200), 1, "answers of 200")
    expect_equal(codes, [""] + ["replayed"] * (number - 1), "codes")
    expect_equal(len(await stage.owner.ledger(scene.vendor.grant)), before + 1, "entries")
