"""What was not seen cannot be granted: drafts, their digests, and what happens to those of before."""

from __future__ import annotations

import asyncio
from typing import Final

from ..cast.life import ASKED, GIVEN, LESS, Life
from ..cast.stage import DAY_S, Asked, Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import receipt
from ..hands.edit import edited
from ..hands.encoding import Document, Json, base64url, from_xsd_time, xsd_time
from ..hands.keys import Key
from ..wire import Answer

topic = Topic()

_NOT_DIGESTS: Final = {
    "of-nothing": base64url(bytes(32)),
    "short": "A",
    "text": "approve",
}


async def _asked(stage: Stage) -> tuple[Asked, Document]:
    """Return a request that waits, and the permission that it asks for."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    wanted = shown.permission("delivery", GIVEN)
    return await stage.ask(Key.fresh(), [wanted]), wanted


async def _approve(stage: Stage, request: str, digest: Json, **more: Json) -> Answer:
    sent = {"digest": digest, "passphrase": stage.owner.passphrase, **more}
    return await stage.owner.send("POST", f"/requests/{request}/approve", sent)


async def _waits(stage: Stage, asked: Asked) -> None:
    told = object_of(expect_status(await asked.follow(), 200))
    expect_equal(told, {"status": "waiting"}, "what the vendor is told")
    shown = await stage.owner.do("GET", f"/requests/{asked.id}")
    expect_equal((shown["status"], shown.get("grant")), ("waiting", None), "how the request stands")


@topic.check("GRA-3", "GRA-4", "HTTP-43")
async def the_first_version_is_the_draft_that_was_seen(stage: Stage) -> None:
    """What is approved is the very draft of the digest that comes back, signed by the decision key it names."""
    asked, wanted = await _asked(stage)
    other = await stage.owner.draft(asked.id, [edited(wanted, "items.0.fields", list(LESS))])
    seen = await stage.owner.draft(asked.id, [wanted])
    expect(other["digest"] != seen["digest"], "two drafts with one digest")
    for drawn in (other, seen):
        expect("proof" not in drawn["draft"], "a draft with a proof")
        expect_equal(drawn["digest"], receipt.digest(drawn["draft"]), "digest of the draft")
    done = object_of(expect_status(await _approve(stage, asked.id, other["digest"]), 200))
    expect_equal((done["version"], done["state"]), (1, "live"), "version and state")
    told = (await (await asked.holder()).told())["receipt"]
    expect_equal(receipt.signers(told), [receipt.DECISION], "who signed")
    [version] = told["versions"]
    expect_equal(
        {name: one for name, one in version.items() if name != "proof"}, other["draft"], "what was signed"
    )


@topic.check("GRA-1", "GRA-2", "GRA-5")
async def a_draft_has_the_form_of_a_grant(stage: Stage) -> None:
    """A first version answers the request by its CID, from now on or as chosen, at the node's origins."""
    asked, wanted = await _asked(stage)
    begin, end = stage.now() + 5 * DAY_S, stage.now() + 9 * DAY_S
    more = {"notBefore": xsd_time(begin), "expires": xsd_time(end)}
    drawn = (await stage.owner.draft(asked.id, [wanted], **more))["draft"]
    expect_equal((drawn["notBefore"], drawn["expires"]), (more["notBefore"], more["expires"]), "its time")
    drawn = (await stage.owner.draft(asked.id, [wanted]))["draft"]
    expect_equal(drawn["expires"], asked.request["expires"], "its end, where none is chosen")
    late_s = from_xsd_time(drawn["notBefore"]) - stage.now()
    expect(-30 < late_s < 30, f"it begins {late_s:.0f} s from now")
    status = await stage.owner.do("GET", "/status")
    expect_equal(drawn["origins"], status["origins"], "origins")
    await stage.owner.approve(asked.id, [wanted])
    receipt.signers((await (await asked.holder()).told())["receipt"])


@topic.check("GRA-3", "HTTP-43", cases=_NOT_DIGESTS)
async def another_digest_is_not_approved(stage: Stage, digest: str) -> None:
    """A digest of no draft is draft-changed, and the request goes on waiting."""
    asked, wanted = await _asked(stage)
    await stage.owner.draft(asked.id, [wanted])
    expect_problem(await _approve(stage, asked.id, digest), 409, "draft-changed")
    await _waits(stage, asked)
    await stage.owner.approve(asked.id, [wanted])


@topic.check("HTTP-43", "GRA-3")
async def the_draft_of_another_request_is_not_approved(stage: Stage) -> None:
    """A draft of one request approves no other, though all in it be the same."""
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", LESS)]
    key = Key.fresh()
    one, other = await stage.ask(key, wanted), await stage.ask(key, wanted)
    drawn = await stage.owner.draft(one.id, wanted)
    expect_problem(await _approve(stage, other.id, drawn["digest"]), 409, "draft-changed")
    await _waits(stage, other)
    await _waits(stage, one)
    expect_status(await _approve(stage, one.id, drawn["digest"]), 200)
    await stage.owner.refuse(other.id)


@topic.check("HTTP-43", "GRA-3")
async def the_draft_of_another_grant_is_not_carried_out(stage: Stage) -> None:
    """A draft of one grant changes no other, and that of a request no grant."""
    one, other = await Life.begin(stage), await Life.begin(stage)
    asked, wanted = await _asked(stage)
    before = await other.standing(), await one.standing()
    for drawn in (await stage.owner.draw(one.grant, "pause"), await stage.owner.draft(asked.id, [wanted])):
        answer = await stage.owner.carry_out(other.grant, drawn["digest"], passphrase=stage.owner.passphrase)
        expect_problem(answer, 409, "draft-changed")
    drawn = await stage.owner.draw(one.grant, "pause")
    expect_problem(await _approve(stage, asked.id, drawn["digest"]), 409, "draft-changed")
    expect_equal((await other.standing(), await one.standing()), before, "the grants afterwards")
    await stage.owner.refuse(asked.id)


@topic.check("HTTP-43", "GRA-3", cases=_NOT_DIGESTS)
async def another_digest_changes_no_grant(stage: Stage, digest: str) -> None:
    """A digest of no draft is draft-changed, and the grant stays as it is."""
    life = await Life.begin(stage)
    drawn = await stage.owner.draw(life.grant, "end")
    before = await life.standing()
    answer = await stage.owner.carry_out(life.grant, digest, passphrase=stage.owner.passphrase)
    expect_problem(answer, 409, "draft-changed")
    expect_equal(await life.standing(), before, "the grant afterwards")
    expect_status(await life.carry_out(drawn), 200)


@topic.check(
    "HTTP-43",
    "GRA-12",
    cases={
        "pause-after-narrow": ("pause", "narrow"),
        "end-after-pause": ("end", "pause"),
        "widen-after-narrow": ("widen", "narrow"),
        "widen-after-widen": ("widen", "widen"),
        "rotate-after-narrow": ("rotate", "narrow"),
        "narrow-after-rotate": ("narrow", "rotate"),
        "pause-after-permission-revoked": ("pause", ""),
    },
)
async def a_draft_on_a_version_that_is_past_is_a_conflict(stage: Stage, case: tuple[str, str]) -> None:
    """A change that was drawn up on a version that no longer stands is a conflict, and changes nothing."""
    drawn_up, meanwhile = case
    life = await Life.begin(stage)
    drawn = await stage.owner.draw(life.grant, drawn_up, **life.draws(drawn_up))
    if meanwhile:
        await stage.owner.change(life.grant, meanwhile, **life.draws(meanwhile))
    else:
        await stage.owner.revoke(life.grant, permission="delivery")
    before = await life.standing()
    expect_problem(await life.carry_out(drawn), 409, "conflict")
    expect_equal(await life.standing(), before, "the grant afterwards")
    await life.versions()


@topic.check("HTTP-43", "GRA-12")
async def a_draft_is_carried_out_once(stage: Stage) -> None:
    """A draft that was carried out is not carried out again."""
    life = await Life.begin(stage)
    drawn = await stage.owner.draw(life.grant, "widen", **life.draws("widen"))
    expect_status(await life.carry_out(drawn), 200)
    before = await life.standing()
    expect_problem(await life.carry_out(drawn), 409, "conflict", "draft-changed")
    expect_equal(await life.standing(), before, "the grant afterwards")
    await stage.owner.change(life.grant, "narrow", permissions=[life.permission(LESS)])
    expect_problem(await life.carry_out(drawn), 409, "conflict", "draft-changed")
    expect_equal(len(await life.versions()), 3, "versions")


@topic.check("HTTP-43", "GRA-3")
async def a_request_is_decided_once(stage: Stage) -> None:
    """A request that was approved or refused is not approved or refused again, by no draft of before."""
    asked, wanted = await _asked(stage)
    [drawn, again] = [await stage.owner.draft(asked.id, [wanted]) for _ in range(2)]
    expect_status(await _approve(stage, asked.id, drawn["digest"]), 200)
    refused, kept = await _asked(stage)
    late = await stage.owner.draft(refused.id, [kept])
    await stage.owner.refuse(refused.id)
    for request, digest, permission in (
        (asked.id, again["digest"], wanted),
        (refused.id, late["digest"], kept),
    ):
        expect_problem(await _approve(stage, request, digest), 409, "not-in-this-state", "draft-changed")
        for path, body in (("refuse", {}), ("draft", {"permissions": [permission]})):
            answer = await stage.owner.send("POST", f"/requests/{request}/{path}", body)
            expect_problem(answer, 409, "not-in-this-state")
    expect_equal(len((await (await asked.holder()).told())["receipt"]["versions"]), 1, "versions")
    expect_equal(object_of(await refused.follow()), {"status": "refused"}, "what the other vendor is told")


@topic.check("HTTP-44", "GRA-3")
async def approving_takes_the_passphrase(stage: Stage) -> None:
    """An approval without the passphrase, or with a wrong one, is refused, and the request goes on waiting."""
    asked, wanted = await _asked(stage)
    drawn = await stage.owner.draft(asked.id, [wanted])
    right = stage.owner.passphrase
    for wrong in (
        {},
        {"passphrase": ""},
        {"passphrase": right + "x"},
        {"passphrase": right[:-1]},
        {"passphrase": 1},
    ):
        sent = {"digest": drawn["digest"], **wrong}
        answer = await stage.owner.send("POST", f"/requests/{asked.id}/approve", sent)
        expect_problem(answer, 403, "passphrase-wrong")
    await _waits(stage, asked)
    expect_status(await _approve(stage, asked.id, drawn["digest"]), 200)


@topic.check(
    "HTTP-43",
    "GRA-12",
    cases={"of-two-drafts": False, "of-one-draft": True},
)
async def of_changes_at_once_one_is_carried_out(stage: Stage, same: bool) -> None:
    """Of several changes that were drawn up on one version and are sent at once, exactly one is carried out."""
    life = await Life.begin(stage)
    kinds = ["pause"] * 4 if same else ["pause", "end", "narrow", "pause"]
    drawn = [await stage.owner.draw(life.grant, kind, **life.draws(kind)) for kind in kinds]
    if same:
        drawn = drawn[:1] * 4
    answers = await asyncio.gather(*(life.carry_out(one) for one in drawn))
    expect_equal(sorted(one.status for one in answers), [200, 409, 409, 409], "statuses")
    for answer in answers:
        if answer.status == 409:
            expect_problem(answer, 409, "conflict", "draft-changed")
    expect_equal(len(await life.versions()), 2, "versions")


@topic.check("HTTP-43", "GRA-3")
async def of_approvals_at_once_one_is_carried_out(stage: Stage) -> None:
    """Of several approvals of one request that are sent at once, exactly one is carried out."""
    asked, wanted = await _asked(stage)
    drawn = [await stage.owner.draft(asked.id, [wanted]) for _ in range(3)]
    answers = await asyncio.gather(*(_approve(stage, asked.id, one["digest"]) for one in drawn))
    expect_equal(sorted(one.status for one in answers), [200, 409, 409], "statuses")
    await (await asked.holder()).read("delivery")


@topic.check(
    "HTTP-68",
    cases={
        "narrow-says-nothing": {"change": "narrow"},
        "widen-says-nothing": {"change": "widen"},
        "pause-says-permissions": {"change": "pause", "permissions": []},
        "unknown-member": {"change": "pause", "reason": "x"},
        "no-change": {},
    },
)
async def a_draft_of_another_form_is_refused(stage: Stage, body: Document) -> None:
    """A draft is asked for with exactly the members that its change has."""
    life = await Life.begin(stage)
    before = await life.standing()
    answer = await stage.owner.send("POST", f"/grants/{life.grant}/draft", body)
    expect(answer.status in (400, 409), f"status {answer.status}")
    expect_problem(answer, answer.status, "malformed", "not-in-this-state")
    expect_equal(await life.standing(), before, "the grant afterwards")


@topic.check("HTTP-43", cases={"requests": "approve", "grants": "change"})
async def what_does_not_exist_is_not_found(stage: Stage, path: str) -> None:
    """A request or a grant that there is not is not-found for the owner too."""
    kind = "requests" if path == "approve" else "grants"
    unknown = f"/{kind}/00000000-0000-4000-8000-000000000000"
    sent = {"digest": base64url(bytes(32)), "passphrase": stage.owner.passphrase}
    draft = (
        {"change": "pause"}
        if kind == "grants"
        else {"permissions": [(await stage.person()).permission("a", ASKED)]}
    )
    expect_problem(await stage.owner.send("GET", unknown), 404, "not-found")
    expect_problem(await stage.owner.send("POST", f"{unknown}/draft", draft), 404, "not-found")
    expect_problem(await stage.owner.send("POST", f"{unknown}/{path}", sent), 404, "not-found")
