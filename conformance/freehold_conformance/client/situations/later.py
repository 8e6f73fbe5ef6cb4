"""What a node of a later release may send within this protocol: a client of today goes on with it.

Spec: specs/versioning.md#what-is-open
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from ...check import expect
from ..adapter import Said
from ..play import Play, took
from ..server import Reply
from ..situation import Scenes
from ..told import problem

SCENES = Scenes()
CODE: Final = "grant-haunted"
"""No code of today's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What sends a request to a route, and the route; for an approved client, unless ``before`` the approval."""

    route: str
    knock: Callable[[Play], Awaitable[Said]]
    before: bool = False


DOORS: Final = {
    "the-approval": Door(route="GET /requests/", knock=Play.decision, before=True),
    "a-read": Door(route="GET .*/records", knock=Play.read),
    "the-grant": Door(route=r"GET /g/[a-f0-9-]+(\?from=\d+)?$", knock=Play.look),
    "the-ledger": Door(route="GET .*/ledger/checkpoint", knock=Play.ledger),
    "a-renewal": Door(route="POST .*/renew", knock=Play.renew),
}
REFUSED: Final = {f"{name}-{status}": (name, status) for name in DOORS for status in (403, 409, 500)}


async def _come_to(play: Play, door: Door) -> None:
    if door.before:
        await play.asked()
        return
    await play.relate()
    await play.reads()  # so that the ledger has grown


@SCENES.situation("VER-3", "ERR-3", "CLT-6", cases=REFUSED)
async def a_code_of_a_later_version(play: Play, case: tuple[str, int]) -> None:
    """A refusal with a code that nobody knows yet: one of its status, neither a success nor no answer at all."""
    name, status = case
    door = DOORS[name]
    await _come_to(play, door)
    play.node.lie(door.route, lambda *_: problem(CODE, status))
    said = await door.knock(play)
    if door.before:
        waits = said.refused is not None or said.took.get("status") == "waiting"
        expect(waits, "a refusal that is not known was taken for a decision")
    else:
        expect(said.refused is not None, "a refusal that is not known was taken for an answer")
    play.honest()
    took(await door.knock(play), "the honest answer after a refusal that is not known")
    await play.reads()


@SCENES.situation("VER-3", "CLT-7")
async def a_later_code_of_a_node_that_is_busy(play: Play) -> None:
    """A 503 with a code that nobody knows yet goes by its status: a read may be tried again, and not for ever."""
    await play.relate()
    asked = len(play.node.seen)
    play.node.lie("GET .*/records", lambda *_: problem("node-dreaming", 503))
    await play.refuses_read("a 503 of a code that is not known")
    expect(len(play.node.seen) - asked <= 8, "the client tries again and again")
    play.honest()
    await play.reads()


def _with_more(reply: Reply) -> Reply:
    if reply.status not in (200, 202) or reply.raw is not None:
        return reply
    return reply.saying({**reply.document, "later": {"to": ["be", 1]}, "x-note": None})


OPEN: Final = {
    "the-asking": "POST /i/",
    "the-approval": "GET /requests/",
    "the-grant": r"GET /g/[a-f0-9-]+(\?.*)?$",
    "the-checkpoint": "GET .*/ledger/checkpoint",
    "a-renewal": "POST .*/renew",
}


@SCENES.situation("VER-4", cases=OPEN)
async def members_of_a_later_version(play: Play, route: str) -> None:
    """Members that nobody knows yet in an answer that is not signed: passed over, and everything else counts."""
    play.node.lie(route, lambda _, reply: _with_more(reply))
    await play.relate()
    took(await play.look(), "how the grant stands")
    await play.reads()
    took(await play.ledger(), "the ledger's head")
    if route == OPEN["a-renewal"]:
        took(await play.renew(), "a renewal")
    await play.reads()
    expect(bool(play.node.requests(route)), "the client never came to that route")
