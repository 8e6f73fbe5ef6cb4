"""Good messages spoiled at random: never a failure of the node, always a refusal of the one form, and nothing done."""

from __future__ import annotations

import gzip
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Failed, Topic, expect, expect_equal, expect_refusal, expect_status, object_of
from ..hands import capability as capabilities
from ..hands import message, proof
from ..hands.encoding import Document, base64url, jcs
from ..hands.keys import Key
from ..hands.spoil import Parts, as_json, odd_header, parts_of, spoil, spoil_value
from ..wire import Answer

topic = Topic()

_MESSAGES: Final = 250


async def _vendor(stage: Stage) -> Holder:
    shown = await stage.person(name="Ada", email="ada@example.com")
    return await stage.relate([shown.permission("delivery", ["name"])])


async def _answers(
    stage: Stage, family: str, make: Callable[[random.Random], Awaitable[Parts]], count: int = _MESSAGES
) -> AsyncIterator[Answer]:
    """Send spoiled messages, check the form of each answer, and yield it."""
    for number in range(count):
        rng = random.Random(f"{stage.seed} {family} {number}")  # noqa: S311 - to be had again, and no secret
        parts = await make(rng)
        try:
            answer = await stage.wire.say(parts.data(stage.wire.authority), has_body=parts.method != "HEAD")
            expect(answer.status < 500, f"status {answer.status}")
            if answer.status >= 400:
                expect_refusal(answer, parts.method)
        except (Failed, ValueError, OSError, TimeoutError) as error:
            raise Failed(
                f"message {number} of the seed {stage.seed}: {error or type(error).__name__}"
            ) from error
        yield answer


async def _honest(stage: Stage, vendor: Holder) -> None:
    expect_status(await stage.wire.send("GET", "/healthz"), 200)
    expect_status(await vendor.get("/delivery/records"), 200)
    expect_status(await stage.owner.send("GET", "/status"), 200)


async def _admitted(stage: Stage, vendor: Holder) -> int:
    """Return how many reads are in the ledger."""
    entries = await stage.owner.ledger(vendor.grant)
    return sum(one["entry"]["kind"] == "admitted" for one in entries)


_BELOW: Final = (
    "",
    "/delivery",
    "/delivery/records",
    "/delivery/records?fields=name&limit=5",
    "/delivery/records?where=%7B%22name%22%3A%22Ada%22%7D",
    "/delivery/records/zNobody",
    "/delivery/records?cursor=AAAA",
    "/ledger/entries?first=0&limit=5",
    "/ledger/entries/0",
    "/ledger/checkpoint?from=1",
    "/delivery/ledger/entries",
)


def _good(rng: random.Random, vendor: Holder, **signing: Any) -> Parts:
    target = vendor.path(rng.choice(_BELOW))
    return parts_of("GET", target, vendor.signed("GET", target, **signing))


@topic.check("ERR-1", "HTTP-7", "HTTP-31", cases={"signed": False, "by-ezcap": True})
async def spoiled_reads_are_refused(stage: Stage, ezcap: bool) -> None:
    """Reads whose bytes were spoiled after they were signed are refused or read, and every read is written down."""
    vendor = replace(await _vendor(stage), ezcap=ezcap)

    async def make(rng: random.Random) -> Parts:
        return spoil(rng, _good(rng, vendor))

    reads = 0
    async for answer in _answers(stage, f"reads {ezcap}", make):
        reads += "freehold-entry" in answer.headers
    expect_equal(await _admitted(stage, vendor), reads, "reads in the ledger")
    await _honest(stage, vendor)


@topic.check("ERR-1", "HTTP-7", "CAP-3")
async def spoiled_capabilities_are_refused(stage: Stage) -> None:
    """Capabilities whose members were spoiled are refused, though the message was well signed by their holder."""
    vendor = await _vendor(stage)
    key = Key.fresh()
    passed_on = vendor.delegate("/delivery", key=key)
    changed = [False]

    async def make(rng: random.Random) -> Parts:
        holder = rng.choice((vendor, passed_on))
        target = holder.path("/delivery/records")
        spoiled = spoil_value(rng, holder.capability, times=rng.choice((1, 1, 2, 5)))
        whole = rng.random() < 0.8
        # Flipped bytes of a gzip's head, and two members that changed places with themselves, say the same.
        changed[0] = whole and spoiled != holder.capability
        wire = base64url(_packed(spoiled)) if whole else odd_header(rng, holder.capability)
        headers = {"capability-invocation": f'zcap capability="{wire}",action="read"'}
        uri, now = holder.origin + target, stage.now()
        signed = message.sign(holder.key, message.ZCAP, "GET", uri, created_s=now, headers=headers)
        return parts_of("GET", target, signed)

    reads = 0
    async for answer in _answers(stage, "capabilities", make):
        expect(answer.status != 200 or not changed[0], "a spoiled capability opens a grant")
        reads += answer.status == 200
    expect_equal(await _admitted(stage, vendor), reads, "reads in the ledger")
    await _honest(stage, vendor)


def _packed(value: Any) -> bytes:
    return gzip.compress(as_json(value), mtime=0)


@topic.check("ERR-1", "HTTP-7", "HTTP-15")
async def spoiled_requests_are_refused(stage: Stage) -> None:
    """Requests whose members were spoiled, before they were signed or after, are refused or wait as any other."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    wanted = [shown.permission("delivery", ["name", "email"], recipients=[Key.fresh().did])]
    invitation = [await stage.owner.invite()]
    asker = Key.fresh()

    async def make(rng: random.Random) -> Parts:
        request = stage.request(asker, wanted, benefit="Free delivery.", contact="help@shop.example")
        unsigned = {name: value for name, value in request.items() if name != "proof"}
        body = jcs(request)
        if rng.random() < 0.9:
            body = _asked(rng, request, unsigned, asker)
        parts = parts_of("POST", invitation[0], {"content-type": "application/json"}, body)
        return parts if rng.random() < 0.7 else spoil(rng, parts)

    taken = 0
    async for answer in _answers(stage, "requests", make):
        if answer.status == 202:
            taken += 1
            await stage.owner.refuse(object_of(answer)["request"].rpartition("/")[2])
            invitation[0] = await stage.owner.invite()
    listed = (await stage.owner.do("GET", "/requests"))["requests"]
    expect_equal(sum(one["vendor"]["id"] == asker.did for one in listed), taken, "requests that were taken")
    await _honest(stage, vendor)


def _asked(rng: random.Random, request: Document, unsigned: Document, asker: Key) -> bytes:
    """Return a request that was spoiled, and signed as it is where it can be."""
    if rng.random() < 0.4:
        return as_json(spoil_value(rng, request, times=rng.choice((1, 3))))
    spoiled = spoil_value(rng, unsigned, times=rng.choice((1, 1, 2)))
    try:
        return jcs(proof.sign(spoiled, asker, created=request["created"]))
    except (
        ValueError,
        TypeError,
        OverflowError,
        UnicodeError,
    ):  # what has no canonical form has no signature
        return as_json(spoiled | {"proof": request["proof"]})


@topic.check("ERR-1", "HTTP-7", "HTTP-26")
async def spoiled_messages_by_did_are_refused(stage: Stage) -> None:
    """Renewals, revocations and what else a vendor signs by its DID end nothing once they are spoiled."""
    vendor = await _vendor(stage)
    partner = Key.fresh()

    async def make(rng: random.Random) -> Parts:
        gone = vendor.delegate("/delivery", key=partner).capability
        if rng.random() < 0.7:
            gone = spoil_value(rng, gone)
        named = capabilities.encoded(str(gone.get("id", "x")))[:90]
        target, method, body = rng.choice(
            (
                (vendor.path(f"/zcaps/revocations/{named}"), "POST", as_json(gone)),
                (vendor.path("/renew"), "POST", None),
                (vendor.path(), "GET", None),
                (vendor.path("/ledger/entries"), "GET", None),
            )
        )
        signed = message.sign(
            vendor.key, message.DID, method, vendor.origin + target, created_s=stage.now(), body=body
        )
        parts = parts_of(method, target, signed, body)
        return parts if body and rng.random() < 0.6 else spoil(rng, parts)

    async for answer in _answers(stage, "by did", make):
        expect(answer.status != 201, "something was made")
    expect_equal((await stage.owner.grant(vendor.grant))["state"], "live", "state of the grant")
    await _honest(stage, vendor)


@topic.check("ERR-1", "HTTP-7", "HTTP-41")
async def spoiled_messages_of_the_owners_are_refused(stage: Stage) -> None:
    """What the owner signed and somebody spoiled is not done, and is refused in the one form."""
    vendor = await _vendor(stage)
    shown = await stage.person(name="Ada")
    path = "/owner/records/" + shown.id.removeprefix("urn:uuid:")
    cid = (await stage.owner.show(shown.id))["cid"]
    key = stage.owner.session.key

    async def make(rng: random.Random) -> Parts:
        edit = jcs({"content": {"type": "Person", "name": "spoiled"}, "previous": cid})
        method, target, body = rng.choice(
            (("GET", path, None), ("GET", "/owner/status", None), ("PUT", path, edit), ("DELETE", path, None))
        )
        signed = message.sign(
            key, message.OWNER, method, stage.origin + target, created_s=stage.now(), body=body
        )
        while (parts := spoil(rng, parts_of(method, target, signed, body))).method in ("PUT", "DELETE"):
            # With its meaning left as it was it would be good, and done.
            if _binds(parts, signed, method, target, body):
                return parts
        return parts

    async for answer in _answers(stage, "owner", make):
        expect(answer.status != 204, "a spoiled deletion was carried out")
    expect_equal((await stage.owner.show(shown.id))["cid"], cid, "the record's version")
    await _honest(stage, vendor)


def _binds(parts: Parts, signed: Document, method: str, target: str, body: bytes | None) -> bool:
    """Tell whether something that the signature covers was spoiled, or the signature."""
    sent = {name: value.decode("latin-1").strip() for name, value in parts.headers}
    names = ("signature", "signature-input", "content-digest", "content-type")
    same = all(sent.get(name) == signed.get(name) for name in names)
    told = parts.method, parts.target.decode("latin-1"), parts.body or None
    return told != (method, target, body) or not same


@topic.check("ERR-1", "HTTP-7", "REC-3")
async def odd_bodies_of_the_owners_are_refused(stage: Stage) -> None:
    """Bodies of the owner's whose members were spoiled and then signed are refused, or taken and shown again."""
    vendor = await _vendor(stage)
    content = {
        "type": "Person",
        "name": "Ada",
        "address": {"type": "PostalAddress", "streetAddress": "1 Row", "postalCode": "EX1 2AB"},
        "email": ["ada@example.com"],
        "height": 1.5,
    }

    async def make(rng: random.Random) -> Parts:
        body: Document
        path, body = rng.choice(
            (
                ("/records", {"content": content}),
                ("/invitations", {"label": "Ada"}),
                (
                    f"/grants/{vendor.grant}/draft",
                    {"change": "narrow", "permissions": [{"name": "delivery"}]},
                ),
                (f"/grants/{vendor.grant}/change", {"digest": "A" * 43}),
                (f"/grants/{vendor.grant}/revocations", {"partner": Key.fresh().did}),
                ("/verify", {"a": 1}),
            )
        )
        data = as_json(spoil_value(rng, body, times=rng.choice((1, 1, 2))))
        uri = f"{stage.origin}/owner{path}"
        signed = message.sign(
            stage.owner.session.key, message.OWNER, "POST", uri, created_s=stage.now(), body=data
        )
        return parts_of("POST", f"/owner{path}", signed, data)

    async for answer in _answers(stage, "odd bodies", make):
        if answer.status == 201 and "cid" in object_of(answer):
            record = object_of(answer)["id"]
            await stage.owner.show(record)
            await stage.owner.delete(record)
    grant = await stage.owner.grant(vendor.grant)
    expect_equal((grant["state"], grant["version"]), ("live", 1), "state and version of the grant")
    await _honest(stage, vendor)
