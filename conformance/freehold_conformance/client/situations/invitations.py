"""Invitations: a stranger's word says where a client goes first.

Spec: specs/clients.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...check import expect, expect_equal
from ..play import Play, took
from ..relation import asked_permissions, until_s
from ..situation import Scenes
from ..told import problem

SCENES = Scenes()
Write = Callable[[str, str], str]
"""Gives the invitation that is tried, from the node's address without the scheme and the path of a good one."""

URLS: dict[str, Write] = {
    "with-a-user": lambda host, path: f"http://user@{host}{path}",
    "with-a-user-and-a-word": lambda host, path: f"http://user:word@{host}{path}",
    "with-a-fragment": lambda host, path: f"http://{host}{path}#part",
    "with-a-query": lambda host, path: f"http://{host}{path}?part=1",
    "with-a-closing-slash": lambda host, path: f"http://{host}{path}/",
    "with-a-dot-segment": lambda host, path: f"http://{host}/x/..{path}",
    "with-an-escape": lambda host, path: f"http://{host}{path.replace('/i/', '/%69/')}",
    "with-a-backslash": lambda host, path: f"http://{host}\\{path[1:]}",
    "with-a-space": lambda host, path: f"http://{host}{path} ",
    "with-a-line-break": lambda host, path: f"http://{host}{path}\r\nx: y",
    "of-another-path": lambda host, _: f"http://{host}/owner/status",
    "of-no-path": lambda host, _: f"http://{host}",
    "in-capitals": lambda host, path: f"HTTP://{host}{path}",
    "by-the-name-of-loopback": lambda host, path: f"http://{host.replace('127.0.0.1', 'localhost')}{path}",
    "by-a-number": lambda host, path: f"http://{host.replace('127.0.0.1', '2130706433')}{path}",
    "by-a-short-address": lambda host, path: f"http://{host.replace('127.0.0.1', '127.1')}{path}",
    "in-another-scheme": lambda host, path: f"ftp://{host}{path}",
    "without-a-scheme": lambda host, path: f"//{host}{path}",
    "unencrypted-to-a-name": lambda _, path: f"http://node.example{path}",
    "unencrypted-to-an-address": lambda _, path: f"http://192.0.2.1{path}",
    "a-file": lambda _, __: "file:///etc/hostname",
    "nothing": lambda _, __: "",
}


@SCENES.situation("CLT-1", "GRA-2", "SEC-12", cases=URLS)
async def strange_invitation(play: Play, write: Write) -> None:
    """An invitation that is none: refused before anything is sent."""
    scheme, _, rest = play.node.invitation.partition("://")
    host, _, path = rest.partition("/")
    expect_equal(scheme, "http", "the scheme of the pretended node")
    await play.refuses(play.ask(write(host, "/" + path)), "an invitation that is none")
    expect(not play.node.seen, "something was sent to an invitation that is none")
    await play.relate()


REFUSALS = {
    "used": ("not-found", 404),
    "unsupported": ("unsupported", 422),
    "malformed": ("malformed", 400),
    "overloaded": ("conflict", 409),
}


@SCENES.situation("HTTP-15", "ERR-3", cases=REFUSALS)
async def refused_at_the_door(play: Play, refusal: tuple[str, int]) -> None:
    """A request that the node does not take: the client says why, and asks at another invitation."""
    play.node.lie("POST /i/", lambda *_: problem(*refusal))
    why = await play.refuses(play.ask(), "a request that was refused")
    expect_equal(why, refusal[0], "the reason that the client gives")
    expect(len(play.node.requests("POST /i/")) <= 3, "the client asks again and again")
    play.honest()
    await play.relate(invitation=play.node.new_invitation())


def _first(**members: Any) -> list[Any]:
    first, *others = asked_permissions("did:key:z6MkvRXNYcE7MMduynWTgeKbDaT1iijDSC8pZqXZc8rHPrf2")
    told = {**first, **members}
    return [{name: value for name, value in told.items() if value is not None}, *others]


ASKED = {
    "no-purpose": {"permissions": _first(purpose=[])},
    "no-retention": {"permissions": _first(retention=None)},
    "a-wildcard": {"permissions": _first(items=[{"type": "Person", "about": "self", "fields": ["*"]}])},
    "no-end-ahead": {"expires": until_s(-1)},
    "an-end-too-far": {"expires": until_s(4000)},
}


@SCENES.situation("LIM-2", "REQ-3", "REQ-6", "REQ-14", cases=ASKED)
async def asks_for_what_cannot_be_asked(play: Play, members: dict[str, Any]) -> None:
    """A request that every node would refuse is not signed in the first place."""
    await play.refuses(play.ask(**members), "a request that is not of the form")
    expect(not play.node.seen, "a request that is not of the form was sent")
    took(await play.ask(), "an honest request")
