"""The form of answers: nobody may keep them, they tell nothing of the node, and every refusal has one shape."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from ..cast import doors
from ..cast.doors import NOBODYS
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_refusal, expect_status, object_of
from ..hands import message
from ..hands.encoding import jcs, strict_json
from ..hands.keys import Key
from ..wire import Answer
from .framing import NO_HTTP, WRONG

topic = Topic()

_OURS: Final = {
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "etag",
    "freehold-code",
    "freehold-entry",
    "freehold-holds",
    "keep-alive",
    "location",
    "retry-after",
    "transfer-encoding",
}
_SAME_EVERYWHERE: Final = {
    "allow",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
}
"""What a node may say besides, since it says nothing of which node it is."""


async def _kinds(stage: Stage) -> dict[str, Answer]:
    """Return one answer of each kind that a node gives, by a name for it."""
    return await stage.once("kinds of answers", lambda: _collect(stage))


async def _collect(stage: Stage) -> dict[str, Answer]:
    found = await _of_anyone(stage)
    found |= await _of_holders(stage)
    found |= await _of_the_owner(stage)
    return found


async def _of_anyone(stage: Stage) -> dict[str, Answer]:
    send, json = stage.wire.send, {"content-type": "application/json"}
    sent: dict[str, Awaitable[Answer]] = {
        "discovery": send("GET", "/.well-known/freehold"),
        "health": send("GET", "/healthz"),
        "nothing": send("GET", "/nothing"),
        "HEAD of nothing": send("HEAD", "/nothing"),
        "another method": send("DELETE", "/healthz"),
        "OPTIONS": send("OPTIONS", "/healthz", {"origin": "https://elsewhere.example"}),
        "HEAD of what has none": send("HEAD", "/healthz"),
        "not plain": send("GET", "/../x"),
        "an expectation": send("GET", "/healthz", {"expect": "more"}),
        "an expectation of nothing": send("GET", "/nothing", {"expect": "more"}),
        "a stranger": send("GET", f"/g/{NOBODYS}/delivery/records"),
        "a strange HEAD": send("HEAD", f"/g/{NOBODYS}/delivery/records"),
        "nobody's invitation": send("POST", "/i/nobodys", json, b"{}"),
        "no JSON": send("POST", "/i/nobodys", json, b"{"),
        "too large": stage.wire.say(
            stage.wire.request("POST", "/i/nobodys", json | {"content-length": "300000"})
        ),
        "not the owner": send("GET", "/owner/status"),
    }
    found = dict(zip(sent, await asyncio.gather(*sent.values()), strict=True))
    for name, one in (WRONG | NO_HTTP).items():
        answers = await stage.wire.exchange(one.data(stage.wire))
        found |= {f"{name} ({number})": answer for number, answer in enumerate(answers, 1)}
    return found


async def _of_holders(stage: Stage) -> dict[str, Answer]:
    shown = await stage.person(name="Ada")
    asked = await stage.ask(Key.fresh(), [shown.permission("delivery", ["name"])])
    wanted = asked.request["permission"]
    another = stage.request(Key.fresh(), wanted)
    found = {
        "asking": await stage.post_request(await stage.owner.invite(), another),
        "waiting": await asked.follow(),
    }
    told = object_of(found["asking"])
    await stage.owner.refuse(told["request"].rpartition("/")[2])
    await stage.owner.approve(asked.id, wanted)
    found["approved"] = await asked.follow()
    vendor = await asked.holder()
    page = found["a page"] = await vendor.get("/delivery/records")
    tag = {"if-none-match": page.headers.get("etag", "")}
    alias = object_of(page)["items"][0]["id"].removeprefix("urn:freehold:")
    for door in (*doors.READ, *doors.GRANT, *doors.BELOW):
        below = door.at(grant=vendor.grant, alias=alias).removeprefix(vendor.path())
        found[door.name] = await vendor.get(below, method=door.method)
    found["not changed"] = await vendor.get("/delivery/records", headers=tag)
    found["not shared"] = await vendor.get("/delivery/records?fields=email")
    found["HEAD of what is not shared"] = await vendor.get("/delivery/records?fields=email", method="HEAD")
    found["a wrong query"] = await vendor.get("/delivery/records?limit=0")
    target = vendor.path("/delivery/records")
    signed = vendor.signed("GET", target)
    await stage.wire.send("GET", target, signed)
    found["a replay"] = await stage.wire.send("GET", target, signed)
    stale = vendor.signed("GET", target, created_s=stage.now() - 3600)
    found["a stale message"] = await stage.wire.send("GET", target, stale)
    found["renewed"] = await vendor.by_did("POST", vendor.path("/renew"))
    async with vendor.listen() as stream:
        found["a stream"] = stream.answer
    found["renounced"] = await vendor.renounce()
    found["revoked"] = await vendor.get("/delivery/records")
    await stage.owner.change(vendor.grant, "end")
    found["an ended grant's renewal"] = await vendor.by_did("POST", vendor.path("/renew"))
    return found


async def _of_the_owner(stage: Stage) -> dict[str, Answer]:
    own, shown = stage.owner.send, await stage.person(name="Ada")
    path = "/records/" + shown.id.removeprefix("urn:uuid:")
    found = {
        door.name: await own(door.method, door.path.removeprefix("/owner"))
        for door in doors.OWNER
        if door.method == "GET" and "{" not in door.path
    }
    found["a record"] = await own("GET", path)
    found["a record of nobody"] = await own("GET", f"/records/{NOBODYS}")
    found["an edit of what changed"] = await own(
        "PUT", path, {"content": shown.content, "previous": "bagaaiera" + "a" * 52}
    )
    found["an invitation"] = await own("POST", "/invitations", {"label": "conformance"})
    found["a wrong body"] = await own("POST", "/invitations", {"label": 1})
    found["a wrong passphrase"] = await own("POST", "/clock/confirm", {"passphrase": "wrong"})
    found["a backup"] = await own("POST", "/backup", {"passphrase": stage.owner.passphrase})
    found["verified"] = await own("POST", "/verify", {})
    found["a deletion"] = await own("DELETE", path)
    found["a draft that is none"] = await own("POST", f"/grants/{NOBODYS}/change", {"digest": "x"})
    found["nothing of the owner's"] = await own("GET", "/nothing")
    return found


@topic.check("HTTP-5")
async def nobody_may_keep_an_answer(stage: Stage) -> None:
    """Every answer, good or bad, to whatever came, carries Cache-Control: no-store."""
    for name, answer in (await _kinds(stage)).items():
        expect_equal(answer.headers.get("cache-control"), "no-store", f"Cache-Control of {name}")


@topic.check("HTTP-5")
async def json_is_canonical(stage: Stage) -> None:
    """Every good answer that is JSON is application/json, in canonical form."""
    seen = 0
    for name, answer in (await _kinds(stage)).items():
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status >= 300 or not answer.body or kind == "application/octet-stream":
            continue
        expect_equal(kind, "application/json", f"content type of {name}")
        expect(jcs(strict_json(answer.body)) == answer.body, f"{name} is not in canonical form")
        seen += 1
    expect(seen > 20, f"only {seen} answers that are JSON")


@topic.check("HTTP-6")
async def software_and_clock_are_not_told(stage: Stage) -> None:
    """No answer, to whatever came, has a header by which two vendors could match the node."""
    for name, answer in (await _kinds(stage)).items():
        told = {one for one, _ in answer.raw_headers} - _OURS - _SAME_EVERYWHERE
        expect(not told, f"headers {sorted(told)} of {name}")
        expect(answer.headers.get("connection", "close").lower() in ("close", "keep-alive"), "Connection")


@topic.check("HTTP-7", "ERR-1", "ERR-4")
async def every_refusal_has_one_form(stage: Stage) -> None:
    """Every refusal is a problem document with a registered code, its status, and the code in a header too."""
    refused = {name: answer for name, answer in (await _kinds(stage)).items() if answer.status >= 400}
    expect(len(refused) > 40, f"only {len(refused)} refusals")
    for name, answer in refused.items():
        try:
            expect_refusal(answer, "HEAD" if "HEAD" in name else "GET")
        except Exception as error:
            raise type(error)(f"{name}: {error}") from error


@topic.check("HTTP-7")
async def good_answers_have_no_code(stage: Stage) -> None:
    """No good answer has a code, and none but reads name an entry."""
    for name, answer in (await _kinds(stage)).items():
        if answer.status < 400:
            expect("freehold-code" not in answer.headers, f"{name} has a code")
        reads = answer.status in (200, 304) and ("records" in name or name in ("a page", "not changed"))
        if not reads or "owner" in name:
            expect("freehold-entry" not in answer.headers, f"{name} names an entry")
        else:
            expect("freehold-entry" in answer.headers, f"{name} names no entry")


@topic.check("HTTP-7", "ERR-2")
async def no_error_tells_a_value(stage: Stage) -> None:
    """What is refused does not come back in the refusal: no value, key, passphrase or capability."""
    canary = "zCanary" + Key.fresh().did[-20:]
    shown = await stage.person(name=canary)
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    held = message.invoking(vendor.capability, "read")
    own = stage.owner.send
    await stage.owner.change(vendor.grant, "pause")
    found = [
        await stage.wire.send("GET", f"/{canary}"),
        await stage.wire.send("GET", f"/healthz?{canary}={canary}&{canary}=1"),
        await stage.wire.send(
            "POST", "/i/x", {"content-type": "application/json"}, b'{"%s":1}' % canary.encode()
        ),
        await stage.wire.send("GET", vendor.path(), {"capability-invocation": held}),
        await stage.wire.send("GET", vendor.path(), {"authorization": canary}),
        await stage.wire.send("GET", vendor.path(), {"signature-input": canary, "signature": canary}),
        await vendor.get("/delivery/records"),
        await vendor.get(f"/delivery/records?where=%7B%22name%22%3A%22{canary}%22"),
        await vendor.get(f"/delivery/records?cursor={canary}"),
        await own("POST", "/clock/confirm", {"passphrase": canary}),
        await own("POST", "/invitations", {"label": "x", "other": canary}),
        await own("POST", "/invitations", {"label": f"{canary}\u202e"}),
        await own("POST", "/records", {"content": {"type": "Person", "name": canary, "proof": canary}}),
        await own("POST", f"/grants/{vendor.grant}/change", {"digest": canary}),
        await own("POST", "/invitations", data=b'{"label":"%s"' % canary.encode()),
    ]
    secrets = [
        canary.encode(),
        stage.owner.passphrase.encode(),
        held[20:80].encode(),
        vendor.key.did.encode(),
    ]
    for number, answer in enumerate(found):
        expect_refusal(answer)
        for secret in secrets:
            told = secret in answer.body or secret.decode() in repr(answer.raw_headers)
            expect(
                not told, f"refusal number {number} ({answer.headers['freehold-code']}) says what was sent"
            )


@topic.check("HTTP-6")
async def an_idle_node_says_the_same_twice(stage: Stage) -> None:
    """Two answers to the same question a second apart have the same headers: no clock is among them."""
    first = expect_status(await stage.wire.send("GET", "/healthz"), 200)
    expect_equal(object_of(first), {"status": "ok"}, "health")
    second = await stage.wire.send("GET", "/healthz")
    expect_equal(second.raw_headers, first.raw_headers, "headers")
