"""Connect: a browser carries the request to the node and comes back; another browser might come, too.

Spec: specs/clients.md#connect
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...check import expect, expect_equal
from ...hands import proof
from ...hands.encoding import Document, strict_json
from ..play import RETURN_TO, Play, took
from ..server import Came, Reply
from ..situation import Scenes
from ..told import matching_code

SCENES = Scenes()
Query = dict[str, str]


async def begun(play: Play, **members: Any) -> tuple[Document, str]:
    """Let a person begin at the client's page; return what that is told, and the challenge of its session."""
    made = took(await play.connect(**members), "a person who wants to connect")
    return made, str(made.get("challenge"))


def carried(play: Play, made: Document) -> Query:
    """Let the browser carry the form, and the person approve."""
    return play.node.carry(str(made["request"]))


async def connects(play: Play) -> None:
    """Connect honestly: the form, the way back, the decision, and a read."""
    made, challenge = await begun(play)
    took(await play.returned(carried(play, made), challenge), "a browser that comes back")
    decided = took(await play.decision(), "the decision of a browser that comes back")
    expect_equal(decided.get("status"), "approved", "status")
    await play.reads()


@SCENES.situation("CLT-16", "REQ-20", "REQ-21", "HTTP-65")
async def carried_by_a_browser(play: Play) -> None:
    """A form for the browser, with a request that leads back; and what comes back is taken up."""
    made, challenge = await begun(play)
    expect_equal(made.get("action"), f"{play.node.origin}/connect", "where the form goes")
    request = strict_json(str(made["request"]).encode())
    expect(proof.is_proven(request, play.did), "the request is not signed by the client")
    expect_equal(request.get("connect"), {"returnTo": RETURN_TO, "challenge": challenge}, "connect")
    expect(22 <= len(challenge) <= 64, f"a challenge of {len(challenge)} characters")
    expect_equal(made.get("code"), matching_code(request), "REQ-16: the matching code")
    expect(not play.node.seen, "something was sent to the node, before a browser came there")
    took(await play.returned(carried(play, made), challenge), "a browser that comes back")
    expect_equal(took(await play.decision(), "the decision").get("status"), "approved", "status")
    await play.reads()


@SCENES.situation("CLT-15")
async def a_challenge_for_each(play: Play) -> None:
    """No two requests have a challenge, a nonce or an id in common."""
    made = [await begun(play) for _ in range(3)]
    requests = [strict_json(str(one["request"]).encode()) for one, _ in made]
    expect_equal(len({challenge for _, challenge in made}), 3, "challenges")
    for member in ("id", "nonce"):
        expect_equal(len({request[member] for request in requests}), 3, f"requests by {member}")
    await connects(play)


SESSIONS: dict[str, Callable[[str, str], str | None]] = {
    "of-another-request": lambda _, others: others,
    "none": lambda _, __: None,
    "empty": lambda _, __: "",
    "a-part": lambda own, _: own[:-1],
    "in-other-letters": lambda own, _: own.swapcase(),
}


@SCENES.situation("CLT-15", cases=SESSIONS)
async def another_browser(play: Play, kept: Callable[[str, str], str | None]) -> None:
    """Who approved sits before another browser than who began: nobody is connected, now or afterwards."""
    made, challenge = await begun(play)
    _, others = await begun(play)
    query = carried(play, made)
    await play.refuses(play.returned(query, kept(challenge, others)), "what another browser brings")
    expect(not play.node.seen, "a code was presented that another browser brought")
    await play.refuses(play.returned(query, challenge), "a code that was in another browser's hands")
    expect(not play.node.seen, "a code was presented that had been in another browser's hands")
    await connects(play)


@SCENES.situation("CLT-15")
async def a_planted_return(play: Play) -> None:
    """An attacker leads a browser to the page with what came of the attacker's own request."""
    _, victims = await begun(play)
    attackers, _ = await begun(play)
    await play.refuses(play.returned(carried(play, attackers), victims), "what an attacker planted")
    expect(not play.node.seen, "a planted code was presented")
    await connects(play)


PLACES: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "a-path": lambda url: "/" + url.split("/", 3)[3],
    "with-a-query": lambda url: url + "?x=y",
    "with-a-fragment": lambda url: url + "#x",
    "with-a-closing-slash": lambda url: url + "/",
    "with-a-user": lambda url: url.replace("://", "://user@"),
    "with-a-backslash": lambda url: url.replace("/requests", "\\requests"),
    "with-a-dot-segment": lambda url: url.replace("/requests/", "/requests/../requests/"),
    "of-another-path": lambda url: url.replace("/requests/", "/owner/"),
    "by-the-name-of-loopback": lambda url: url.replace("127.0.0.1", "localhost"),
    "unencrypted-to-a-name": lambda _: "http://node.example/requests/x",
    "in-another-scheme": lambda url: url.replace("http:", "ftp:"),
    "a-file": lambda _: "file:///requests/x",
}


@SCENES.situation("CLT-16", "CLT-2", "SEC-12", cases=PLACES)
async def a_strange_place(play: Play, write: Callable[[str], str]) -> None:
    """A browser brings an address that is not where a request is followed: refused before anything is sent."""
    made, challenge = await begun(play)
    query = carried(play, made)
    strange = query | {"freehold-request": write(query["freehold-request"])}
    await play.refuses(play.returned(strange, challenge), "an address that is none")
    expect(not play.node.seen, "something was sent to an address that is none")
    await connects(play)


CODES: dict[str, Callable[[str, str], str]] = {
    "of-another-request": lambda _, others: others,
    "a-wrong-one": lambda own, _: own.swapcase(),
}


@SCENES.situation("CLT-16", "HTTP-74", cases=CODES)
async def a_code_that_opens_nothing(play: Play, write: Callable[[str, str], str]) -> None:
    """What the node answers to a wrong code is no approval; with the right one it is."""
    other, _ = await begun(play)
    made, challenge = await begun(play)
    others, query = carried(play, other), carried(play, made)
    wrong = query | {"freehold-code": write(query["freehold-code"], others["freehold-code"])}
    took(await play.returned(wrong, challenge), "a browser that comes back")
    decided = await play.decision()
    expect(decided.refused is not None or decided.took.get("status") == "waiting", "a wrong code was enough")
    took(await play.returned(query, challenge), "a browser that comes back with a new code")
    expect_equal(took(await play.decision(), "the decision").get("status"), "approved", "status")
    await play.reads()


@SCENES.situation("HTTP-65", "CLT-16")
async def the_approval_of_another_request(play: Play) -> None:
    """The address and the code are of another request of the client's: its approval is not taken for this one's."""
    other, _ = await begun(play)
    made, challenge = await begun(play)
    others, query = carried(play, other), carried(play, made)
    mixed = others | {"freehold-challenge": query["freehold-challenge"]}
    took(await play.returned(mixed, challenge), "a browser that comes back")
    decided = await play.decision()
    expect(decided.took.get("status") != "approved", "the approval of another request was taken up")
    await connects(play)


@SCENES.situation("HTTP-74", "CLT-7")
async def a_lost_answer(play: Play) -> None:
    """The answer to the code is lost: the client asks again, and is told."""
    made, challenge = await begun(play)
    query = carried(play, made)

    def lost(_: Came, __: Reply) -> Reply:
        return Reply(status=502)

    play.node.lie("GET /requests/", lost, times=5)
    took(await play.returned(query, challenge), "a browser that comes back")
    expect((await play.decision()).took.get("status") != "approved", "approved without an answer")
    play.honest()
    expect_equal(took(await play.decision(), "the decision").get("status"), "approved", "status")
    await play.reads()


@SCENES.situation("HTTP-72", "CLT-16")
async def a_refusal_that_comes_back(play: Play) -> None:
    """A person who refuses comes back without a code, and the client is told no."""
    made, challenge = await begun(play)
    play.node.refused_by_person = True
    query = carried(play, made)
    expect("freehold-code" not in query, "a refusal has no code")
    took(await play.returned(query, challenge), "a browser that comes back")
    expect_equal(took(await play.decision(), "the decision").get("status"), "refused", "status")


PAGES = {
    "unencrypted": "http://shop.example/returned",
    "with-a-fragment": RETURN_TO + "#x",
    "that-names-the-code": RETURN_TO + "&freehold-code=x",
    "without-a-path": "https://shop.example",
}


@SCENES.situation("REQ-21", "LIM-2", cases=PAGES)
async def a_page_that_no_node_returns_to(play: Play, page: str) -> None:
    """A request that every node would refuse is not signed in the first place."""
    await play.refuses(play.connect(returnTo=page), "a page that is none")
    await connects(play)
