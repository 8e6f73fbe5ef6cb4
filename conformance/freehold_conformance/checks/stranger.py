"""What someone without a grant may learn of a node: nothing but that it is one."""

from __future__ import annotations

from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of

topic = Topic()

_JSON = {"content-type": "application/json"}
_UNKNOWN = "00000000-0000-4000-8000-000000000000"


@topic.check("HTTP-13")
async def discovery_is_open(stage: Stage) -> None:
    """The discovery document names the protocol and templates, and nothing of whose node it is."""
    answer = expect_status(await stage.wire.send("GET", "/.well-known/freehold"), 200)
    document = object_of(answer)
    expect_equal(sorted(document), ["protocol", "routes"], "members")
    expect("freehold/1" in document["protocol"], "freehold/1 is not among the protocols")
    expect(b"did:" not in answer.body, "a DID in the discovery document")


@topic.check("HTTP-13")
async def discovery_is_constant(stage: Stage) -> None:
    """The discovery document is the same bytes at every request."""
    first = expect_status(await stage.wire.send("GET", "/.well-known/freehold"), 200)
    second = await stage.wire.send("GET", "/.well-known/freehold", {"cookie": "a=b", "accept-language": "de"})
    expect(first.body == second.body, "two requests got different bytes")
    expect("routes" in object_of(first), "no routes")


@topic.check("HTTP-6")
async def software_is_not_told(stage: Stage) -> None:
    """No header tells the node's clock or software, by which two vendors could match it."""
    answer = expect_status(await stage.wire.send("GET", "/.well-known/freehold"), 200)
    told = {"date", "server", "x-powered-by", "via"} & answer.headers.keys()
    expect(not told, f"headers {sorted(told)}")


@topic.check("HTTP-8")
async def unknown_paths_are_problems(stage: Stage) -> None:
    """A path that is nothing is a problem document with the code not-found."""
    expect_problem(await stage.wire.send("GET", "/no/such/path"), 404, "not-found")


@topic.check("HTTP-15", cases={"empty": b"{}", "a-request": b'{"type":"AccessRequest"}'})
async def unknown_invitation_is_not_found(stage: Stage, body: bytes) -> None:
    """An invitation that does not exist is not-found, whatever is sent to it."""
    expect_problem(await stage.wire.send("POST", "/i/nosuchinvitation", _JSON, body), 404, "not-found")


@topic.check("HTTP-11", cases={"grant": "", "records": "/delivery/records", "ledger": "/ledger/checkpoint"})
async def unsigned_request_is_refused(stage: Stage, below: str) -> None:
    """Nothing under a grant answers an unsigned request."""
    answer = await stage.wire.send("GET", f"/g/{_UNKNOWN}{below}")
    expect(400 <= answer.status < 405, f"status {answer.status}")
    expect_problem(answer, answer.status)


@topic.check("HTTP-41", cases={name: f"/owner/{name}" for name in ("status", "records", "grants")})
async def unsigned_owner_request_is_refused(stage: Stage, target: str) -> None:
    """The owner's operations answer nobody who does not sign as the owner."""
    expect_problem(await stage.wire.send("GET", target), 401, "not-authenticated")


@topic.check(
    "HTTP-1",
    cases={
        "dot-dot": f"/g/{_UNKNOWN}/delivery/../marketing/records",
        "dot": f"/g/{_UNKNOWN}/./records",
        "empty": f"/g/{_UNKNOWN}//records",
        "escaped-dots": f"/g/{_UNKNOWN}/%2e%2e/records",
        "escaped-slash": f"/g/{_UNKNOWN}/a%2Fb",
        "escaped-backslash": f"/g/{_UNKNOWN}/a%5cb",
        "backslash": f"/g/{_UNKNOWN}/a\\b",
        "closing-slash": f"/g/{_UNKNOWN}/",
        "escaped-letter": f"/g/{_UNKNOWN}/%61",
        "owner": "/owner%2Fstatus",
        "fragment": f"/g/{_UNKNOWN}#a",
    },
)
async def ambiguous_target_is_refused(stage: Stage, target: str) -> None:
    """A target that could be normalised into another is refused before it is routed."""
    expect_problem(await stage.wire.send("GET", target), 400, "malformed")
