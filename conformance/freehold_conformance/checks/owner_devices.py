"""Sessions in the person's browser, and what ends them: by one, all at once, with the passphrase."""

from __future__ import annotations

import secrets
from typing import Any

from ..cast.stage import Stage
from ..cast.visitor import new_link, sessions, sign_in, stranger
from ..check import Topic, expect, expect_equal, expect_problem, expect_status

topic = Topic()


@topic.check("HTTP-87", "HTTP-68", alone=True)
async def a_session_that_is_ended_opens_nothing(stage: Stage) -> None:
    """A session that was ended is told no more, and its cookie is answered as none; another one goes on."""
    gone, ended = await sign_in(stage)
    stays, other = await sign_in(stage)
    told = {one["id"]: one for one in (await stage.owner.do("GET", "/devices"))["sessions"]}
    for one in (ended, other):
        expect_equal(
            set(told[one]) - {"passkey"}, {"id", "device", "since", "seen", "this"}, "members of a session"
        )
        expect("passkey" not in told[one], "a session that a link opened is told as a passkey's")
    expect_status(await stage.owner.send("DELETE", f"/devices/sessions/{ended}"), 204)
    expect_equal(await gone.is_in(), False, "whether the cookie of a session that was ended opens anything")
    expect_equal(await stays.is_in(), True, "whether the cookie of another session does")
    expect_equal({ended, other} & await sessions(stage), {other}, "the sessions that are told")
    expect_problem(await stage.owner.send("DELETE", f"/devices/sessions/{ended}"), 404, "not-found")
    expect_status(await stage.owner.send("DELETE", f"/devices/sessions/{other}"), 204)
    expect_equal(await stays.is_in(), False, "whether the cookie of the other opens anything then")


@topic.check("HTTP-87", alone=True)
async def ending_all_ends_links_too(stage: Stage) -> None:
    """When all sessions were ended no cookie opens anything, and no link that was made before and not followed."""
    visitors = [(await sign_in(stage))[0] for _ in range(2)]
    link = await new_link(stage)
    there = len(await sessions(stage))
    expect_equal(await stage.owner.do("POST", "/devices/sign-out", {}), {"ended": there}, "what was ended")
    for one in visitors:
        expect_equal(await one.is_in(), False, "whether a cookie opens anything")
    late = stranger(stage, link)
    await late.follow(link)
    expect_equal(
        (await sessions(stage), await late.is_in()), (set(), False), "sessions by a link from before"
    )
    again, _ = await sign_in(stage)
    expect(await again.is_in(), "a link that was made afterwards opens nothing")
    await stage.owner.do("POST", "/devices/sign-out", {})


@topic.check("HTTP-87", alone=True)
async def a_link_opens_one_session(stage: Stage) -> None:
    """Whoever follows a link after somebody else did is not signed in by it."""
    link = await new_link(stage)
    first, second = stranger(stage, link), stranger(stage, link)
    await first.follow(link)
    opened = await sessions(stage)
    await second.follow(link)
    expect_equal(
        (await sessions(stage), await second.is_in()), (opened, False), "sessions by a link that was used"
    )
    await stage.owner.do("POST", "/devices/sign-out", {})


@topic.check("HTTP-89", "HTTP-44", "HTTP-90", alone=True)
async def another_passphrase_takes_the_old_one_and_signs_out(stage: Stage) -> None:
    """Without the old one nothing changes. With it the new one counts, sessions and links are over, the code stays."""
    owner, old, new = (
        stage.owner,
        stage.owner.passphrase,
        "of the conformance suite " + secrets.token_urlsafe(12),
    )
    visitor, session = await sign_in(stage)
    link, code = await new_link(stage), await _code(stage, old)
    wrongs: tuple[dict[str, Any], ...] = ({}, *({"passphrase": one} for one in (new, "", None, 1)))
    for wrong in wrongs:
        expect_problem(await owner.send("POST", "/passphrase", {"new": new} | wrong), 403, "passphrase-wrong")
    expect(await visitor.is_in(), "a wrong passphrase ended a session")
    for bad in ({"new": ""}, {"new": 1}, {}):
        expect_problem(await owner.send("POST", "/passphrase", {"passphrase": old} | bad), 400, "malformed")
    there = await sessions(stage)
    expect(session in there, "a session that ended by itself")
    ended = await owner.do("POST", "/passphrase", {"passphrase": old, "new": new})
    try:
        expect_equal(ended, {"ended": len(there)}, "what was ended")
        expect_equal(await visitor.is_in(), False, "whether a cookie from before opens anything")
        late = stranger(stage, link)
        await late.follow(link)
        expect_equal(await sessions(stage), set(), "sessions by a link from before")
        refused = await owner.send("POST", "/recovery-sheet", {"passphrase": old})
        expect_problem(refused, 403, "passphrase-wrong")
        expect(await _code(stage, new) == code, "another code under another passphrase")
    finally:
        for one in (new, old):  # whichever it is now
            await owner.send("POST", "/passphrase", {"passphrase": one, "new": old})
    expect(await _code(stage, old) == code, "another code when the passphrase was changed back")


async def _code(stage: Stage, passphrase: str) -> list[str]:
    told = await stage.owner.do("POST", "/recovery-sheet", {"passphrase": passphrase})
    lines: list[str] = told["lines"]
    return lines


# What a session could do to a grant that stands


@topic.check("HTTP-44", alone=True)
async def another_record_about_the_person_takes_the_passphrase(stage: Stage) -> None:
    """Where a live grant would show another record by it, it takes the passphrase; where none would, it does not."""
    ada, bob = await stage.person(name="Ada"), await stage.person(name="Bob")
    await stage.owner.choose_self(ada.id)
    own = ada.permission("own", ["name"])
    own["items"] = [{"type": "Person", "about": "self", "fields": ["name"], "newRecords": True}]
    vendor = await stage.relate([own])

    async def names() -> list[str]:
        return [one["name"] for one in (await vendor.read("own"))["items"]]

    told = (await stage.owner.show(bob.id)).get("asSelf", [])
    mine = [one for one in told if one["grant"] == vendor.grant]
    expect_equal(
        [(one["permission"], one["fields"]) for one in mine], [("own", ["name"])], "what it would show"
    )
    for wrong in ({}, {"passphrase": "wrong"}, {"passphrase": ""}, {"passphrase": 1}):
        answer = await stage.owner.send("PUT", "/self", {"record": bob.id} | wrong)
        expect_problem(answer, 403, "passphrase-wrong")
    expect_equal(await names(), ["Ada"], "what is shown")
    expect_status(await stage.owner.send("PUT", "/self", {"record": ada.id}), 204)
    await stage.owner.choose_self(bob.id)
    expect_equal(await names(), ["Bob"], "what is shown, with the passphrase")
    await stage.owner.change(vendor.grant, "end")
    stage.forget()
