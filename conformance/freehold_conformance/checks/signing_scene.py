"""Requests that are right but for one thing, under one grant: what the checks of signed requests share."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ..cast.trace import expect_no_data
from ..check import Failed, expect_equal, expect_problem
from ..hands import capability as capabilities
from ..hands import message
from ..hands.crafting import Crafted, quoted
from ..wire import Answer
from .capability_scene import READ, Lent, of_header

Change = Callable[[Crafted], Crafted]
Outcome = tuple[int, str]

MALFORMED: Outcome = (400, "malformed")
TWICE: Outcome = (400, "duplicate-key")
INVALID: Outcome = (401, "signature-invalid")
STALE: Outcome = (401, "signature-stale")
CONTROLLER: Outcome = (403, "wrong-controller")
NOTHING: Outcome = (404, "not-found")
TOO_LARGE: Outcome = (413, "too-large")
UNSUPPORTED: Outcome = (422, "unsupported")


def read(scene: Lent, below: str = READ, *, method: str = "GET", **parameters: str) -> Crafted:
    """Return the vendor's read, not yet signed."""
    vendor = scene.vendor
    return _crafted(
        scene, method, vendor.path(below), "zcap",
        {"capability-invocation": message.invoking(vendor.capability, "read")}, **parameters,
    )  # fmt: skip


def post(scene: Lent, target: str, body: bytes, **parameters: str) -> Crafted:
    """Return the vendor's request by its DID with a body, not yet signed."""
    headers = {"content-type": "application/json", "content-digest": message.content_digest(body)}
    return _crafted(scene, "POST", target, message.DID, headers, **parameters)


def by_did(scene: Lent, target: str) -> Crafted:
    """Return the vendor's request by its DID, not yet signed."""
    return _crafted(scene, "GET", target, message.DID, {})


def _crafted(
    scene: Lent, method: str, target: str, tag: str, headers: dict[str, str], **parameters: str
) -> Crafted:
    now, key = int(time.time()), scene.vendor.key
    given = {
        "created": str(now), "expires": str(now + 120), "keyid": quoted(key.method), "alg": quoted("ed25519"),
        "nonce": quoted(message.nonce()), "tag": quoted(tag),
    }  # fmt: skip
    names = ("@method", "@target-uri", *headers)
    return Crafted(
        key=key, method=method, uri=scene.vendor.origin + target, headers=headers,
        components=tuple(map(quoted, names)), parameters=given | parameters,
    )  # fmt: skip


async def sent(scene: Lent, made: Crafted, *, body: bytes | None = None, to: str | None = None) -> Answer:
    """Send a request to where it says that it goes, or to another target."""
    target = to or made.uri.removeprefix(scene.vendor.origin)
    return await scene.stage.wire.send(made.method, target, made.sign(), body)


def expect_outcome(answer: Answer, *outcomes: Outcome, hidden: str = "") -> None:
    """Check that an answer is one of these refusals, and that nothing came with it."""
    expect_no_data(answer, [hidden] if hidden else [])
    codes = [code for status, code in outcomes if status == answer.status]
    if codes:
        expect_problem(answer, answer.status, *codes)
        return
    wanted = " or ".join(f"{status} ({code})" for status, code in outcomes)
    raise Failed(f"status {answer.status} ({answer.headers.get('freehold-code')}) instead of {wanted}")


async def expect_refused_for(scene: Lent, change: Change, *outcomes: Outcome) -> None:
    """Check that a read is refused for one change, and that the same read without it still comes.

    Both have one nonce: what is refused for its signature uses up nothing.
    """
    honest = read(scene)
    expect_outcome(await sent(scene, change(honest)), *outcomes, hidden=scene.shown.tag)
    await expect_taken(scene, honest)


async def expect_taken(scene: Lent, made: Crafted, **more: Any) -> None:
    """Check that a read comes."""
    expect_equal((await sent(scene, made, **more)).status, 200, "status")


def components(*names: str) -> Change:
    """Cover the components of these names."""
    return lambda made: made.but(components=tuple(map(quoted, names)))


def parameters(**changed: str | None) -> Change:
    """Write these parameters otherwise, or leave them out."""
    return lambda made: made.with_parameters(**changed)


def respelled(scene: Lent) -> str:
    """Return the header of the vendor's capability in another spelling of its JSON."""
    return of_header(capabilities.packed(json.dumps(scene.vendor.capability, indent=1).encode()))
