"""What someone without a grant may learn of a node: nothing but that it is one."""

from __future__ import annotations

import json

from freehold_protocol.encoding import parse_document

from ..check import Check, expect, expect_problem
from ..wire import Wire

_JSON = {"content-type": "application/json"}
_UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def discovery_is_open(wire: Wire) -> None:
    """The discovery document names the protocol and templates, and nothing of whose node it is."""
    answer = await wire.send("GET", "/.well-known/freehold")
    expect(answer.status == 200, f"status {answer.status} instead of 200")
    document = parse_document(answer.body)
    expect(set(document) == {"protocol", "routes"}, f"members {sorted(document)}")
    expect("freehold/1" in document["protocol"], "freehold/1 is not among the protocols")
    expect(b"did:" not in answer.body, "a DID in the discovery document")


async def discovery_is_constant(wire: Wire) -> None:
    """The discovery document is the same bytes at every request."""
    first = await wire.send("GET", "/.well-known/freehold")
    expect(first.status == 200, f"status {first.status} instead of 200")
    second = await wire.send("GET", "/.well-known/freehold", {"cookie": "a=b", "accept-language": "de"})
    expect(first.body == second.body, "two requests got different bytes")


async def software_is_not_told(wire: Wire) -> None:
    """No header tells the node's clock or software, by which two vendors could match it."""
    answer = await wire.send("GET", "/.well-known/freehold")
    expect(answer.status == 200, f"status {answer.status} instead of 200")
    told = {"date", "server", "x-powered-by", "via"} & answer.headers.keys()
    expect(not told, f"headers {sorted(told)}")


async def unknown_paths_are_problems(wire: Wire) -> None:
    """A path that is nothing is a problem document with the code not-found."""
    expect_problem(await wire.send("GET", "/no/such/path"), 404, "not-found")


async def unknown_invitation_is_not_found(wire: Wire) -> None:
    """An invitation that does not exist is not-found, whatever is sent to it."""
    for body in (b"{}", b'{"type":"AccessRequest"}'):
        expect_problem(await wire.send("POST", "/i/nosuchinvitation", _JSON, body), 404, "not-found")


async def unsigned_grant_request_is_refused(wire: Wire) -> None:
    """Nothing under a grant answers an unsigned request, and the refusal has a registered code."""
    for path in ("", "/delivery/records", "/ledger/checkpoint"):
        answer = await wire.send("GET", f"/g/{_UNKNOWN}{path}")
        expect(400 <= answer.status < 405, f"status {answer.status} for {path or '/'}")
        expect_problem(answer, answer.status)


async def unsigned_owner_request_is_refused(wire: Wire) -> None:
    """The owner's operations answer nobody who does not sign as the owner."""
    for path in ("/owner/status", "/owner/records", "/owner/grants"):
        expect_problem(await wire.send("GET", path), 401, "not-authenticated")


async def ambiguous_targets_are_refused(wire: Wire) -> None:
    """A target that could be normalised into another is refused before it is routed."""
    for target in (
        f"/g/{_UNKNOWN}/delivery/../marketing/records", f"/g/{_UNKNOWN}/./records", f"/g/{_UNKNOWN}//records",
        f"/g/{_UNKNOWN}/%2e%2e/records", f"/g/{_UNKNOWN}/a%2Fb", f"/g/{_UNKNOWN}/a%5cb", "/owner%2Fstatus",
    ):  # fmt: skip
        expect_problem(await wire.send("GET", target), 400, "malformed")


async def hostile_json_is_refused(wire: Wire) -> None:
    """JSON that is too deep, says a key twice or is none is answered as a problem, never by a failure."""
    deep = b"[" * 100_000 + b"]" * 100_000
    for body in (deep, b'{"a":1,"a":2}', b"\xff\xfe", b"NaN", b"", json.dumps({"a": "x" * 10}).encode()):
        answer = await wire.send("POST", "/i/nosuchinvitation", _JSON, body)
        expect(400 <= answer.status < 500, f"status {answer.status}")
        expect_problem(answer, answer.status)


async def oversized_body_is_refused(wire: Wire) -> None:
    """A body larger than any request is not taken in."""
    answer = await wire.send("POST", "/i/nosuchinvitation", _JSON, b"[" + b"0," * 300_000 + b"0]")
    expect(answer.status in (404, 413), f"status {answer.status}")
    expect_problem(answer, answer.status)


def _checks() -> tuple[Check, ...]:
    found = []
    for run, spec in (
        (discovery_is_open, "http.md#discovery"),
        (discovery_is_constant, "http.md#discovery"),
        (software_is_not_told, "http.md#messages"),
        (unknown_paths_are_problems, "errors.md"),
        (unknown_invitation_is_not_found, "http.md#asking"),
        (unsigned_grant_request_is_refused, "http.md#admission"),
        (unsigned_owner_request_is_refused, "http.md#owner"),
        (ambiguous_targets_are_refused, "http.md#messages"),
        (hostile_json_is_refused, "encoding.md#json"),
        (oversized_body_is_refused, "http.md#messages"),
    ):
        found.append(Check(name=run.__name__.replace("_", "-"), spec=spec, run=run))
    return tuple(found)


CHECKS = _checks()
