"""Asking: what an invitation is good for, and how the vendor learns of the decision."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Final
from urllib.parse import urlsplit

from ..cast import asker
from ..cast.stage import DAY_S, Asked, Stage
from ..check import Failed, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import message, receipt
from ..hands.edit import ABSENT, edited
from ..hands.encoding import Document, cid, jcs, sha256, xsd_time
from ..hands.keys import Key

topic = Topic()

_UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"


# Invitations


@topic.check("HTTP-15", "HTTP-17")
async def an_invitation_is_for_one_request(stage: Stage) -> None:
    """A used invitation does not exist for another request, whoever makes it, or however broken it is."""
    key = Key.fresh()
    invitation = await stage.owner.invite()
    asked = await asker.take(stage, invitation, key, await asker.request_of(stage, key))
    never = f"/i/{secrets.token_urlsafe(24)}"
    others = [
        await asker.request_of(stage, key),
        await asker.request_of(stage, Key.fresh()),
        {},
        {"type": "AccessRequest"},
    ]
    others += [edited(asked.request, "nonce", "A" * 32), edited(asked.request, "proof", ABSENT)]
    for body in others:
        used, unknown = await stage.post_request(invitation, body), await stage.post_request(never, body)
        expect_problem(used, 404, "not-found")
        expect_equal(used.body, unknown.body, "a used invitation and one that never was")
    await stage.owner.refuse(asked.id)
    expect_problem(await stage.post_request(invitation, others[0]), 404, "not-found")


@topic.check("HTTP-15")
async def an_invitation_cannot_be_guessed(stage: Stage) -> None:
    """An invitation has 24 random bytes, ends within seven days, and no two have anything in common."""
    paths, ends = [], []
    for _ in range(4):
        made = await stage.owner.do("POST", "/invitations", {"label": "x"})
        expect_equal(sorted(made), ["expires", "label", "url"], "members of the answer")
        url = urlsplit(made["url"])
        expect_equal(f"{url.scheme}://{url.netloc}", stage.origin, "origin of the invitation")
        expect(
            url.path.startswith("/i/") and len(url.path) >= 35, f"the path {len(url.path)} characters long"
        )
        paths.append(url.path.removeprefix("/i/"))
        ends.append(made["expires"])
    for place in range(8):
        expect(len({path[place * 4 : place * 4 + 4] for path in paths}) == 4, "invitations that are alike")
    for end in ends:
        expect(
            xsd_time(stage.now() + 6.9 * DAY_S) < end <= xsd_time(stage.now() + 7 * DAY_S + 60), f"end {end}"
        )


@topic.check("HTTP-15", "HTTP-8")
async def an_invitation_is_only_asked_at(stage: Stage) -> None:
    """An invitation tells nothing to whoever only looks at it, and looking does not use it up."""
    key = Key.fresh()
    invitation = await stage.owner.invite()
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = await stage.wire.send(method, invitation)
        expect_equal(answer.body, (await stage.wire.send(method, "/i/" + "A" * 32)).body, "the two answers")
        expect(answer.status in (404, 405), f"status {answer.status}")
    await stage.owner.refuse(
        (await asker.take(stage, invitation, key, await asker.request_of(stage, key))).id
    )


@topic.check("HTTP-17")
async def the_same_request_again_changes_nothing(stage: Stage) -> None:
    """The same request again at its invitation gets the same answer, also in another spelling and once decided."""
    key = Key.fresh()
    invitation = await stage.owner.invite()
    request = await asker.request_of(stage, key)
    first = await stage.post_request(invitation, request)
    asked = await asker.take(stage, invitation, key, request)
    spelled = b" " + jcs(dict(reversed(list(request.items())))).replace(b'":', b'" : ')
    again = [await stage.post_request(invitation, request) for _ in range(2)]
    again.append(await stage.wire.send("POST", invitation, {"content-type": "application/json"}, spelled))
    for answer in again:
        expect_equal((answer.status, answer.body), (202, first.body), "the answer")
        expect_equal(answer.headers.get("location"), asked.told["request"], "Location")
    listed = (await stage.owner.do("GET", "/requests?status=waiting"))["requests"]
    expect_equal([one["id"] for one in listed].count(asked.id), 1, "requests that wait")
    expect_equal([one["vendor"]["id"] for one in listed].count(key.did), 1, "requests of this vendor")
    await stage.owner.refuse(asked.id)
    expect_equal((await stage.post_request(invitation, request)).body, first.body, "the answer afterwards")
    expect_equal(object_of(await asked.follow()), {"status": "refused"}, "how the request stands")


@topic.check("HTTP-17", "HTTP-15")
async def of_requests_at_once_one_is_taken(stage: Stage) -> None:
    """Of several requests that come to one invitation at once, one is taken; the same one several times is one."""
    key = Key.fresh()
    invitation = await stage.owner.invite()
    requests = [await asker.request_of(stage, key) for _ in range(4)]
    answers = await asyncio.gather(*(stage.post_request(invitation, one) for one in [*requests, *requests]))
    taken = [answer.body for answer in answers if answer.status == 202]
    expect_equal(len(taken), 2, "answers that took a request")
    expect_equal(len(set(taken)), 1, "requests that were taken")
    for answer in answers:
        if answer.status != 202:
            expect_problem(answer, 404, "not-found")
    told = object_of(next(answer for answer in answers if answer.status == 202))
    await stage.owner.refuse(told["request"].rpartition("/")[2])


@topic.check("HTTP-17", "REQ-16")
async def both_screens_show_the_same_code(stage: Stage) -> None:
    """The code is made of the request's CID, for vendor and person the same, and another for another request."""
    key = Key.fresh()
    codes = set()
    for _ in range(3):
        asked = await asker.take(stage, await stage.owner.invite(), key, await asker.request_of(stage, key))
        expect_equal(sorted(asked.told), ["code", "request", "status"], "members of the answer")
        expect_equal(asked.told["status"], "waiting", "status")
        number = int.from_bytes(sha256(cid(asked.request).encode())[:16]) % 10**8
        wanted = f"{number // 10_000:04}-{number % 10_000:04}"
        expect_equal(asked.told["code"], wanted, "the vendor's code")
        shown = await stage.owner.do("GET", f"/requests/{asked.id}")
        expect_equal(shown["code"], wanted, "the person's code")
        codes.add(wanted)
        await stage.owner.refuse(asked.id)
    expect_equal(len(codes), 3, "different codes")


@topic.check("REQ-11", "IDN-3", "HTTP-16")
async def the_person_is_shown_what_was_asked(stage: Stage) -> None:
    """The owner is shown the vendor, that nobody vouches for a did:key, its words, and every permission."""
    key = Key.fresh()
    words = {"benefit": "Free delivery.", "contact": "a@example.com", "terms": "Ours"}
    asked = await asker.take(
        stage, await stage.owner.invite(), key, await asker.request_of(stage, key, **words)
    )
    shown = await stage.owner.do("GET", f"/requests/{asked.id}")
    vendor = {"id": key.did, "name": asked.request["assignee"]["name"], "vouched": False}
    expect_equal(shown["vendor"], vendor, "the vendor")
    expect_equal((shown["benefit"], shown["contact"]), (words["benefit"], words["contact"]), "its words")
    expect_equal((shown["id"], shown["status"]), (asked.id, "waiting"), "id and status")
    [given] = shown["permissions"]
    [wanted] = asked.request["permission"]
    for name in ("name", "purpose", "retention"):
        expect_equal(given[name], wanted[name], name)
    listed = (await stage.owner.do("GET", "/requests?status=waiting"))["requests"]
    expect(shown in listed, "the request is not in the list of those that wait")
    await stage.owner.refuse(asked.id)
    listed = (await stage.owner.do("GET", "/requests?status=waiting"))["requests"]
    expect(asked.id not in [one["id"] for one in listed], "a refused request is listed as waiting")


@topic.check("HTTP-19", "IDN-6", "IDN-9")
async def every_request_is_a_new_relationship(stage: Stage) -> None:
    """Two requests of one vendor get keys, ledgers, ids and aliases that have nothing in common."""
    key = Key.fresh()
    wanted = await asker.wanted(stage)
    vendors = [await stage.relate(wanted, key=key) for _ in range(2)]
    versions = [(await vendor.told())["receipt"]["versions"][0] for vendor in vendors]
    for name in ("id", "assigner", "servingKey", "log", "nonce", "request"):
        expect(versions[0][name] != versions[1][name], f"two relationships with one {name}")
    keys = {version[name] for version in versions for name in ("assigner", "servingKey")}
    expect_equal(len(keys), 4, "different keys")
    items = [(await vendor.read("delivery"))["items"][0] for vendor in vendors]
    for name in ("id", "issuer", "version"):
        expect(items[0][name] != items[1][name], f"two documents with one {name}")
    crossed = await vendors[0].get("/delivery/records", capability=vendors[1].capability)
    expect(crossed.status in (403, 404), f"status {crossed.status} with the other's capability")


# Following


@topic.check("HTTP-20", "HTTP-11")
async def only_who_asked_learns_of_it(stage: Stage) -> None:
    """For every other DID a request is not-found, decided or not, exactly as one that never was."""
    wanted = await asker.wanted(stage)
    asked = await stage.ask(Key.fresh(), wanted)
    others = [Key.fresh(), (await stage.ask(key := Key.fresh(), wanted)).key]
    uri = f"{stage.origin}/requests/{_UNKNOWN}"
    for step in ("waiting", "approved"):
        if step == "approved":
            await stage.owner.approve(asked.id, wanted)
        for other in others:
            answer = await asked.follow(key=other)
            expect_problem(answer, 404, "not-found")
            signed = message.sign(other, message.DID, "GET", uri, created_s=stage.now())
            unknown = await stage.wire.send("GET", f"/requests/{_UNKNOWN}", signed)
            expect_equal(answer.body, unknown.body, "a request of somebody else's and one that never was")
        expect_equal(object_of(await asked.follow())["status"], step, "what the one who asked is told")
    listed = (await stage.owner.do("GET", "/requests?status=waiting"))["requests"]
    for one in listed:
        if one["vendor"]["id"] == key.did:
            await stage.owner.refuse(one["id"])


@topic.check("HTTP-20", "INV-5", "INV-20")
async def following_is_signed_by_the_did(stage: Stage) -> None:
    """An unsigned look at a request is malformed, one of another kind too; a signature of another target is none."""
    asked = await stage.ask(Key.fresh(), await asker.wanted(stage))
    expect_problem(await stage.wire.send("GET", asked.path), 400, "malformed")
    for tag in (message.ZCAP, message.OWNER, "other"):
        expect_problem(await asked.follow(tag=tag), 400, "malformed")
    wrong = await asked.follow(uri=f"{stage.origin}/requests/{_UNKNOWN}")
    expect_problem(wrong, 401, "signature-invalid")
    for uri in (asked.told["request"] + "?a=b", asked.told["request"].replace("http", "https", 1)):
        expect_problem(await asked.follow(uri=uri), 401, "signature-invalid")
    forged = await asked.follow(key=Key.fresh(), keyid=asked.key.method)
    expect_problem(forged, 401, "signature-invalid")
    expect_equal(object_of(await asked.follow()), {"status": "waiting"}, "the answer")
    nonce = message.nonce()
    expect_status(await asked.follow(nonce_=nonce), 200)
    expect_problem(await asked.follow(nonce_=nonce), 409, "replayed")
    await stage.owner.refuse(asked.id)


@topic.check("HTTP-20", cases={"with-a-reason": {"reason": "Not now, later perhaps."}, "without": {}})
async def a_refusal_is_told(stage: Stage, reason: Document) -> None:
    """A vendor that was refused is told so, with the reason if the person gave one, and nothing else."""
    asked = await stage.ask(Key.fresh(), await asker.wanted(stage))
    await stage.owner.refuse(asked.id, **reason)
    told = object_of(expect_status(await asked.follow(), 200))
    expect_equal(told, {"status": "refused", **reason}, "what the vendor is told")
    shown = await stage.owner.do("GET", f"/requests/{asked.id}")
    expect_equal(
        (shown["status"], shown.get("reason")), ("refused", reason.get("reason")), "what the owner is shown"
    )


@topic.check("HTTP-21", "HTTP-20")
async def nothing_is_readable_before_the_approval(stage: Stage) -> None:
    """Before the person approves, there is neither a grant nor a capability nor anything to read."""
    wanted = await asker.wanted(stage)
    asked = await stage.ask(Key.fresh(), wanted)
    drawn = await stage.owner.draft(asked.id, wanted)
    grant = drawn["draft"]["id"].removeprefix("urn:uuid:")
    expect_equal(object_of(await asked.follow()), {"status": "waiting"}, "what the vendor is told")
    for path in (f"/g/{grant}", f"/g/{asked.id}", f"/g/{grant}/ledger/checkpoint"):
        signed = message.sign(asked.key, message.DID, "GET", stage.origin + path, created_s=stage.now())
        expect_problem(await stage.wire.send("GET", path, signed), 404, "not-found")
    for method, path in (("POST", f"/g/{grant}/renew"), ("POST", f"/g/{asked.id}/renew")):
        signed = message.sign(asked.key, message.DID, method, stage.origin + path, created_s=stage.now())
        expect_problem(await stage.wire.send(method, path, signed), 404, "not-found")
    await stage.owner.approve(asked.id, wanted)
    await (await asked.holder()).read("delivery")


@topic.check("HTTP-20", "HTTP-22", "RCP-6")
async def an_approval_is_told_with_everything(stage: Stage) -> None:
    """Whoever asked gets grant, receipt, checkpoint, statements and a capability that reads, as often as it asks."""
    wanted = await asker.wanted(stage)
    asked = await stage.ask(Key.fresh(), wanted)
    grant = await stage.owner.approve(asked.id, wanted)
    told = object_of(expect_status(await asked.follow(), 200))
    members = ["capability", "checkpoint", "grant", "receipt", "statements", "status"]
    expect_equal(sorted(told), members, "members of the answer")
    expect_equal(told["grant"], f"{stage.origin}/g/{grant}", "URL of the grant")
    expect_equal(receipt.signers(told["receipt"]), [receipt.DECISION], "who signed")
    expect_equal(told["receipt"]["request"], asked.request, "the request in the receipt")
    again = await asked.holder()
    await again.read("delivery")
    shown = await stage.owner.do("GET", f"/requests/{asked.id}")
    expect_equal((shown["status"], shown["grant"]), ("approved", grant), "what the owner is shown")


# Waiting


async def _timed_follow(asked: Asked, prefer: str | None) -> tuple[float, Document]:
    began = time.monotonic()
    headers = {} if prefer is None else {"prefer": prefer}
    told = object_of(expect_status(await asked.follow(headers=headers), 200))
    return time.monotonic() - began, told


@topic.check("HTTP-20", cases={"approved": True, "refused": False})
async def a_wait_ends_with_the_decision(stage: Stage, approved: bool) -> None:
    """Whoever waits is answered when the person decides, long before the wait is over; so are all who wait."""
    wanted = await asker.wanted(stage)
    asked = await stage.ask(Key.fresh(), wanted)
    waits = [asyncio.ensure_future(_timed_follow(asked, f"wait={seconds}")) for seconds in (25, 30)]
    try:
        await asyncio.sleep(1)
        expect(not any(wait.done() for wait in waits), "answered before the decision")
        if approved:
            await stage.owner.approve(asked.id, wanted)
        else:
            await stage.owner.refuse(asked.id)
        async with asyncio.timeout(15):
            for _, told in await asyncio.gather(*waits):
                expect_equal(told["status"], "approved" if approved else "refused", "status")
    except TimeoutError:
        raise Failed("not answered 15 s after the decision") from None
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


_WAITS: Final[dict[str, tuple[str | None, float, float]]] = {
    "two-seconds": ("wait=2", 1.5, 12),
    "among-others": ("respond-async, wait=2", 1.5, 12),
    "not-at-all": (None, 0, 1.4),
    "nothing": ("wait=0", 0, 1.4),
    "something-else": ("respond-async", 0, 1.4),
    "no-number": ("wait=soon", 0, 1.4),
    "before-now": ("wait=-5", 0, 1.4),
}


@topic.check("HTTP-20", cases=_WAITS)
async def a_wait_is_as_long_as_was_preferred(stage: Stage, case: tuple[str | None, float, float]) -> None:
    """While nothing is decided, an answer comes after the seconds that were preferred, and at once if none were."""
    prefer, least, most = case
    asked = await stage.ask(Key.fresh(), await asker.wanted(stage))
    took, told = await _timed_follow(asked, prefer)
    expect_equal(told, {"status": "waiting"}, "what the vendor is told")
    expect(least <= took <= most + 4, f"answered after {took:.1f} s")
    if not least:
        expect(took < most, f"answered after {took:.1f} s")
    await stage.owner.refuse(asked.id)
    took, told = await _timed_follow(asked, "wait=20")
    expect(told == {"status": "refused"} and took < 10, "a decided request keeps its vendor waiting")


@topic.check("HTTP-20", slow=True, cases={"a-minute": "wait=60", "for-ever": "wait=9999"})
async def a_wait_is_thirty_seconds_at_most(stage: Stage, prefer: str) -> None:
    """A longer wait than 30 s is cut to that."""
    asked = await stage.ask(Key.fresh(), await asker.wanted(stage))
    took, _ = await _timed_follow(asked, prefer)
    expect(25 < took < 40, f"answered after {took:.0f} s")
    await stage.owner.refuse(asked.id)


@topic.check("HTTP-18", alone=True, slow=True)
async def a_thousand_requests_wait_and_no_more(stage: Stage) -> None:
    """When 1,000 requests wait for the person, the next is a conflict; when one is decided, it is taken."""
    key = Key.fresh()
    waiting = (await stage.owner.do("GET", "/status"))["requests"]["waiting"]
    asked: list[Asked] = []
    try:
        for _ in range(1_000 - waiting):
            one = await asker.take(stage, await stage.owner.invite(), key, await asker.request_of(stage, key))
            asked.append(one)
        invitation = await stage.owner.invite()
        expect_problem(
            await stage.post_request(invitation, await asker.request_of(stage, key)), 409, "conflict"
        )
        await stage.owner.refuse(asked.pop().id)
        asked.append(await asker.take(stage, invitation, key, await asker.request_of(stage, key)))
    finally:
        await stage.owner.send("POST", "/revocations", {"vendor": key.did})


_NO_REASONS: Final[dict[str, Document]] = {
    "unseen": {"reason": "a\u202eb"}, "empty": {"reason": ""}, "number": {"reason": 7}, "null": {"reason": None},
    "unknown": {"because": "x"},
}  # fmt: skip


@topic.check("HTTP-20", "ENC-10", cases=_NO_REASONS)
async def a_reason_is_a_text(stage: Stage, body: Document) -> None:
    """A refusal with a reason that is no text people can read is malformed, and the request waits on."""
    asked = await stage.ask(Key.fresh(), await asker.wanted(stage))
    answer = await stage.owner.send("POST", f"/requests/{asked.id}/refuse", body)
    expect_problem(answer, 400, "malformed")
    expect_equal(object_of(await asked.follow()), {"status": "waiting"}, "what the vendor is told")
    await stage.owner.refuse(asked.id)


@topic.check("HTTP-15", "ENC-10", cases={"none": {}, "empty": {"label": ""}, "lines": {"label": "a\nb"},
    "long": {"label": "x" * 121}, "more": {"label": "x", "uses": 2}})  # fmt: skip
async def an_invitation_has_a_label(stage: Stage, body: Document) -> None:
    """An invitation is made under a name of one line, and in no other way."""
    answer = await stage.owner.send("POST", "/invitations", body)
    expect_status(answer, 400, 413)
    expect_problem(answer, answer.status, "malformed", "too-large")
    expect_status(await stage.owner.send("POST", "/invitations", {"label": "x" * 120}), 201)
