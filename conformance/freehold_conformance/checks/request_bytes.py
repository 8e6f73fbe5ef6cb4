"""The bytes of a request: what is no JSON, comes twice, is too much, or is declared to be something else."""

from __future__ import annotations

from ..cast.stage import Asked, Stage
from ..check import Topic, expect_problem, expect_status, object_of
from ..hands import proof
from ..hands.encoding import jcs
from ..hands.keys import Key
from .request_form import request_of, send, take

topic = Topic()


@topic.check("ENC-5", "HTTP-16", cases={
    "of-the-request": (b'"type":"AccessRequest"', b'"type":"AccessRequest","type":"AccessRequest"'),
    "of-an-item": (b'"about":"any"', b'"about":"any","about":"self"'),
    "with-escapes": (b'"about":"any"', b'"about":"any","\\u0061bout":"any"'),
    "of-the-proof": (b'"cryptosuite"', b'"cryptosuite":"eddsa-jcs-2022","cryptosuite"'),
})  # fmt: skip
async def a_member_that_comes_twice_is_refused(stage: Stage, case: tuple[bytes, bytes]) -> None:
    """A key that comes twice is duplicate-key, whatever it says the second time."""
    key = Key.fresh()
    body = jcs(proof.sign(honest := request_of(stage, key), key, created=honest["created"]))
    invitation = await stage.owner.invite()
    expect_problem(await send(stage, invitation, body.replace(*case, 1)), 400, "duplicate-key")
    await _taken(stage, invitation, key, body)


async def _taken(stage: Stage, invitation: str, key: Key, body: bytes) -> None:
    told = object_of(expect_status(await send(stage, invitation, body), 202))
    await stage.owner.refuse(Asked(stage=stage, key=key, request={}, told=told).id)


@topic.check("ENC-7", "LIM-1", cases={
    "too-many-bytes": (413, "too-large"), "too-many-members": (413, "too-large"), "too-deep": (400, "too-deep"),
})  # fmt: skip
async def a_request_that_is_too_much_is_refused(stage: Stage, case: tuple[int, str]) -> None:
    """A request over the bounds of any document is refused before its form is looked at."""
    key = Key.fresh()
    invitation = await stage.owner.invite()
    honest = jcs(proof.sign(unsigned := request_of(stage, key), key, created=unsigned["created"]))
    more = {
        413: [b'"x":"' + b"x" * 262_144 + b'",', b'"x":[' + b"1," * 20_000 + b"1],"],
        400: [
            b'"x":' + b"[" * 64 + b"]" * 64 + b",",
            b'"x":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b",",
        ],
    }[case[0]]
    for extra in more:
        expect_problem(await send(stage, invitation, b"{" + extra + honest[1:]), *case)
    await _taken(stage, invitation, key, honest)


@topic.check("ENC-5", "ENC-6", cases={
    "byte-order-mark": b"\xef\xbb\xbf{}", "latin-1": b'{"a":"\xe9"}', "nan": b'{"a":NaN}',
        "infinity": b'{"a":-Infinity}',
    "too-big": b'{"a":1e400}', "half-a-pair": b'{"a":"\\ud800"}', "two-values": b"{}{}", "comment": b"{}//",
        "cut": b'{"a":1',
    "single-quotes": b"{'a':1}", "closing-comma": b'{"a":1,}',
})  # fmt: skip
async def what_is_no_json_is_refused(stage: Stage, body: bytes) -> None:
    """Bytes that are not JSON as this protocol has it are malformed."""
    key = Key.fresh()
    invitation = await stage.owner.invite()
    expect_problem(await send(stage, invitation, body), 400, "malformed")
    await take(stage, invitation, key, request_of(stage, key))


@topic.check("HTTP-3", "HTTP-16", cases={"none": None, "text": "text/plain",
    "form": "application/x-www-form-urlencoded", "problem": "application/problem+json"})  # fmt: skip
async def a_request_is_declared_to_be_json(stage: Stage, kind: str | None) -> None:
    """A body that is not declared to be JSON is malformed; application/ld+json is JSON too."""
    key = Key.fresh()
    invitation = await stage.owner.invite()
    unsigned = request_of(stage, key)
    body = jcs(proof.sign(unsigned, key, created=unsigned["created"]))
    headers = {} if kind is None else {"content-type": kind}
    expect_problem(await stage.wire.send("POST", invitation, headers, body), 400, "malformed")
    answer = await stage.wire.send(
        "POST", invitation, {"content-type": "application/ld+json; charset=utf-8"}, body
    )
    told = object_of(expect_status(answer, 202))
    await stage.owner.refuse(Asked(stage=stage, key=key, request={}, told=told).id)
