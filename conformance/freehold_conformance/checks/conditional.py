"""Updates made on one version at once: one is carried out, none is lost, and what was acknowledged stays."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from ..cast.doors import NOBODYS
from ..cast.owned import FORMS, Form, make_estate
from ..cast.stage import Shown, Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import message
from ..hands.encoding import Document, cid
from ..hands.keys import Key
from ..wire import Answer

topic = Topic()

_ROUNDS: Final = 8
_RACERS: Final = 12
_FAILED: Final = (412, "precondition-failed")
_WILD: Final = "*"


def _path(shown: Shown) -> str:
    return "/records/" + shown.id.removeprefix("urn:uuid:")


def _tag(text: str) -> str:
    return f'"{text}"'


def _outcome(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.headers.get("freehold-code")


async def _if(stage: Stage, tag: str, method: str, path: str, body: Document | None = None) -> Answer:
    return await stage.owner.send(method, path, body, headers={"if-match": tag})


async def _edit(stage: Stage, shown: Shown, name: str, previous: str, *, tag: str | None = None) -> Answer:
    body = {"content": shown.content | {"name": name}, "previous": previous}
    headers = {} if tag is None else {"if-match": tag}
    return await stage.owner.send("PUT", _path(shown), body, headers=headers)


async def _version(stage: Stage, shown: Shown) -> str:
    return str((await stage.owner.show(shown.id))["cid"])


# The tags


@topic.check("HTTP-56")
async def a_record_has_the_tag_of_its_version(stage: Stage) -> None:
    """A record's ETag is the CID of its standing version, when it is added, shown and edited."""
    made = await stage.owner.send("POST", "/records", {"content": {"type": "Person", "name": "Ada"}})
    told = object_of(expect_status(made, 201))
    expect_equal(made.headers.get("etag"), _tag(told["cid"]), "ETag of a new record")
    path = "/records/" + told["id"].removeprefix("urn:uuid:")
    shown = await stage.owner.send("GET", path)
    expect_equal(shown.headers.get("etag"), _tag(told["cid"]), "ETag of a record")
    expect_equal(cid(object_of(shown)["record"]), told["cid"], "CID of the record")
    body = {"content": {"type": "Person", "name": "Grace"}, "previous": told["cid"]}
    edited = await stage.owner.send("PUT", path, body)
    now = object_of(expect_status(edited, 200))["cid"]
    expect(now != told["cid"], "an edit that makes no new version")
    expect_equal(edited.headers.get("etag"), _tag(now), "ETag of an edit")
    expect_equal((await stage.owner.send("GET", path)).headers.get("etag"), _tag(now), "ETag after it")


@topic.check("HTTP-56", "HTTP-59")
async def a_grant_has_the_tag_of_its_version(stage: Stage) -> None:
    """A grant's ETag is the CID of its standing version, which reads do not move and changes do."""
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", ["name"])]
    asked = await stage.ask(Key.fresh(), wanted)
    drawn = await stage.owner.draft(asked.id, wanted)
    body = {"digest": drawn["digest"], "passphrase": stage.owner.passphrase}
    approved = await stage.owner.send("POST", f"/requests/{asked.id}/approve", body)
    grant = object_of(expect_status(approved, 200))["grant"]
    path = f"/grants/{grant}"
    first = await stage.owner.send("GET", path)
    standing = _tag(cid(object_of(first)["document"]))
    expect_equal(first.headers.get("etag"), standing, "ETag of a grant")
    expect_equal(approved.headers.get("etag"), standing, "ETag of an approval")
    vendor = await asked.holder()
    await vendor.read("delivery")
    again = await stage.owner.send("GET", path)
    expect_equal(again.headers.get("etag"), standing, "ETag after a read")
    drafted = await stage.owner.send("POST", f"{path}/draft", {"change": "pause"})
    expect_equal(drafted.headers.get("etag"), standing, "ETag of a draft")
    digest = {"digest": object_of(drafted)["digest"]}
    done = await stage.owner.send("POST", f"{path}/change", digest)
    expect_status(done, 200)
    paused = await stage.owner.send("GET", path)
    expect(paused.headers.get("etag") != standing, "a change that leaves the tag")
    expect_equal(
        paused.headers.get("etag"), _tag(cid(object_of(paused)["document"])), "ETag of the next version"
    )
    expect_equal(done.headers.get("etag"), paused.headers.get("etag"), "ETag of a change")


# If-Match


@topic.check(
    "HTTP-56",
    cases={
        "the-tag": '"{tag}"',
        "a-list": '"other", "{tag}"',
        "a-list-without-spaces": '"other","{tag}","third"',
        "empty-elements": ', ,"{tag}",,',
        "weak-ones-beside-it": 'W/"other", "{tag}", W/"{tag}"',
        "anything": "*",
        "a-comma-in-a-tag": '"a,b", "{tag}"',
    },
)
async def a_condition_that_holds_lets_pass(stage: Stage, condition: str) -> None:
    """With the standing version among the tags, or with *, an edit is carried out."""
    shown = await stage.person(name="Ada")
    standing = await _version(stage, shown)
    done = await _edit(stage, shown, "Grace", standing, tag=condition.format(tag=standing))
    expect_status(done, 200)
    expect_equal((await stage.owner.show(shown.id))["content"]["name"], "Grace", "the name")
    gone = await _if(stage, condition.format(tag=object_of(done)["cid"]), "DELETE", _path(shown))
    expect_status(gone, 204)


@topic.check(
    "HTTP-56",
    cases={
        "another": '"bagaaiera"',
        "weak": 'W/"{tag}"',
        "in-capitals": '"{upper}"',
        "part-of-it": '"{half}"',
        "more-than-it": '"{tag}x"',
        "a-list-of-others": '"a", "b", W/"{tag}"',
        "empty": '""',
        "no-tags": ",",
        "star-as-a-tag": '"*"',
    },
)
async def a_condition_that_fails_changes_nothing(stage: Stage, condition: str) -> None:
    """With no tag of the standing version a request is precondition-failed, whatever it asks, and nothing changes."""
    shown = await stage.person(name="Ada")
    standing = await _version(stage, shown)
    sent = condition.format(tag=standing, upper=standing.upper(), half=standing[:-1])
    expect_problem(await _edit(stage, shown, "Grace", standing, tag=sent), *_FAILED)
    expect_problem(await _if(stage, sent, "DELETE", _path(shown)), *_FAILED)
    expect_problem(await _if(stage, sent, "GET", _path(shown)), *_FAILED)
    expect_problem(await _if(stage, sent, "POST", "/records", {"content": shown.content}), *_FAILED)
    expect_problem(await _if(stage, sent, "POST", "/invitations", {"label": "x"}), *_FAILED)
    found = await stage.owner.show(shown.id)
    expect_equal((found["cid"], found["content"]["name"]), (standing, "Ada"), "the record")
    expect_status(await _edit(stage, shown, "Grace", standing, tag=_tag(standing)), 200)


@topic.check(
    "HTTP-56",
    cases={
        "bare": "{tag}",
        "half-quoted": '"{tag}',
        "other-quotes": "'{tag}'",
        "small-w": 'w/"{tag}"',
        "weak-without-quotes": "W/{tag}",
        "star-and-a-tag": '*, "{tag}"',
        "two-stars": "*, *",
        "no-comma": '"{tag}" "{tag}"',
        "a-quote-in-it": '"a"{tag}"',
        "a-blank-in-it": '"a b"',
        "in-blanks": '" {tag} "',
        "semicolons": '"{tag}"; "a"',
    },
)
async def what_is_no_condition_is_malformed(stage: Stage, condition: str) -> None:
    """What is neither * nor a list of tags is malformed, and nothing changes."""
    shown = await stage.person(name="Ada")
    standing = await _version(stage, shown)
    sent = condition.format(tag=standing)
    expect_problem(await _edit(stage, shown, "Grace", standing, tag=sent), 400, "malformed")
    expect_problem(await _if(stage, sent, "DELETE", _path(shown)), 400, "malformed")
    expect_equal(await _version(stage, shown), standing, "the record's version")
    expect_status(await _edit(stage, shown, "Grace", standing, tag=_tag(standing)), 200)


@topic.check("HTTP-56")
async def several_lines_of_the_header_are_one_list(stage: Stage) -> None:
    """Two lines of If-Match are one list: either tag may be the one that stands."""
    for lines, status in (((None, "other"), 204), (("other", None), 204), (("other", "third"), 412)):
        shown = await stage.person(name="Ada")
        path, standing = "/owner" + _path(shown), await _version(stage, shown)
        signed = message.sign(
            stage.owner.session.key, message.OWNER, "DELETE", stage.origin + path, created_s=stage.now()
        )
        head = stage.wire.request("DELETE", path, signed | {"connection": "close"}).removesuffix(b"\r\n")
        tags = "".join(f"If-Match: {_tag(line or standing)}\r\n" for line in lines)
        expect_equal((await stage.wire.say(head + f"{tags}\r\n".encode())).status, status, "status")
        left = await stage.owner.send("GET", _path(shown))
        expect_equal(left.status, 404 if status == 204 else 200, "status of the record afterwards")


@topic.check("HTTP-56", "HTTP-57")
async def every_change_of_a_grant_takes_a_condition(stage: Stage) -> None:
    """Drafts, changes and revocations under a grant are refused on another version's tag, and taken on its own."""
    estate = await make_estate(stage)
    path = f"/grants/{estate.grant}"
    standing = str((await stage.owner.send("GET", path)).headers.get("etag"))
    pause = await stage.owner.draw(estate.grant, "pause")
    tries: list[tuple[str, str, Document | None]] = [
        ("GET", path, None),
        ("POST", f"{path}/draft", {"change": "pause"}),
        ("POST", f"{path}/change", {"digest": pause["digest"]}),
        ("POST", f"{path}/revocations", {"partner": estate.asked.key.did}),
        ("POST", f"{path}/revocations", {"capability": "A" * 43}),
        ("POST", f"{path}/revocations", {"permission": "delivery"}),
    ]
    for method, target, body in tries:
        expect_problem(await _if(stage, '"another"', method, target, body), *_FAILED)
    grant = await stage.owner.grant(estate.grant)
    expect_equal(
        (grant["version"], grant["entries"], grant["revoked"]), (1, 1, []), "version, entries, revoked"
    )
    for method, target, body in tries[:5]:
        if target.endswith("/change"):
            continue
        expect_status(await _if(stage, standing, method, target, body), 200)
    done = await _if(stage, standing, "POST", f"{path}/change", {"digest": pause["digest"]})
    expect_status(done, 200)
    expect_problem(await _if(stage, standing, "POST", f"{path}/draft", {"change": "end"}), *_FAILED)
    expect_problem(
        await _if(stage, standing, "POST", f"{path}/revocations", {"permission": "delivery"}), *_FAILED
    )
    expect_equal((await stage.owner.grant(estate.grant))["state"], "paused", "state")
    await stage.owner.refuse(estate.asked.id)


@topic.check("HTTP-56")
async def the_self_record_is_a_tag_of_its_own(stage: Stage) -> None:
    """Who is about the person is set only on the tag of the record that is."""
    own = (await stage.self_record()).id
    other = await stage.person(name="Grace")
    for tag in ('"another"', _tag(other.id), f'W/"{own}"'):
        expect_problem(await _if(stage, tag, "PUT", "/self", {"record": other.id}), *_FAILED)
    expect_equal((await stage.owner.do("GET", "/status"))["self"]["id"], own, "the self record")
    done = await _if(stage, _tag(own), "PUT", "/self", {"record": own})
    expect_equal((done.status, done.headers.get("etag")), (204, _tag(own)), "status and ETag")


@topic.check("HTTP-57")
async def what_is_wrong_by_itself_comes_before_a_condition(stage: Stage) -> None:
    """Who signed, the form, and that there is no such thing are told before the condition is looked at."""
    failing = {"if-match": '"another"'}
    expect_problem(
        await stage.wire.send("GET", f"/owner/records/{NOBODYS}", failing), 401, "not-authenticated"
    )
    expect_problem(await _if(stage, '"another"', "GET", f"/records/{NOBODYS}"), 404, "not-found")
    expect_problem(await _if(stage, '"another"', "DELETE", f"/records/{NOBODYS}"), 404, "not-found")
    expect_problem(await _if(stage, "*", "DELETE", f"/records/{NOBODYS}"), 404, "not-found")
    expect_problem(
        await _if(stage, '"a"', "POST", f"/grants/{NOBODYS}/draft", {"change": "end"}), 404, "not-found"
    )
    shown = await stage.person(name="Ada")
    expect_problem(await _if(stage, '"another"', "PUT", _path(shown), {"content": 1}), 400, "malformed")


@topic.check("HTTP-58", "HTTP-43")
async def what_is_signed_is_checked_without_a_condition(stage: Stage) -> None:
    """An edit on another version than its previous is a conflict, with a condition that holds and with none."""
    shown = await stage.person(name="Ada")
    first = await _version(stage, shown)
    second = object_of(expect_status(await _edit(stage, shown, "Grace", first), 200))["cid"]
    for tag in (None, _WILD, _tag(second)):
        for wrong in (first, "bagaaiera" + "a" * 52, "x"):
            expect_problem(await _edit(stage, shown, "Alan", wrong, tag=tag), 409, "conflict")
    expect_equal((await stage.owner.show(shown.id))["content"]["name"], "Grace", "the name")


@topic.check("HTTP-59")
async def no_other_condition_is_looked_at(stage: Stage) -> None:
    """If-None-Match and times of change do nothing on the owner's routes: no 304 and no refusal."""
    shown = await stage.person(name="Ada")
    tag = _tag(await _version(stage, shown))
    past, ahead = "Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 01 Jan 2035 00:00:00 GMT"
    for headers in (
        {"if-none-match": tag},
        {"if-none-match": "*"},
        {"if-modified-since": ahead},
        {"if-unmodified-since": past},
        {"if-range": '"another"'},
    ):
        answer = await stage.owner.send("GET", _path(shown), headers=headers)
        expect_equal((answer.status, answer.body != b""), (200, True), f"answer with {next(iter(headers))}")
    body = {"content": shown.content | {"name": "Grace"}, "previous": tag.strip('"')}
    done = await stage.owner.send("PUT", _path(shown), body, headers={"if-none-match": "*"})
    expect_status(done, 200)


@topic.check("HTTP-56", cases={form.name: form for form in FORMS})
async def every_route_of_the_owners_takes_a_condition(stage: Stage, form: Form) -> None:
    """With a tag that is none of its own, a sound body is refused at every route, and changes nothing."""
    estate = await stage.once("estate of conditions", lambda: make_estate(stage))
    members = form.members(estate, stage.owner.passphrase)
    body = dict([next(iter(members.items()))]) if form.one_of else members
    expect_problem(await _if(stage, '"another"', form.method, form.at(estate), body), *_FAILED)
    expect_equal(await _version(stage, estate.record), estate.cid, "the record's version")
    grant = await stage.owner.grant(estate.grant)
    told = (grant["state"], grant["version"], grant["entries"])
    expect_equal(told, ("live", 1, 1), "the grant's state, version and entries")
    asked = await stage.owner.do("GET", f"/requests/{estate.asked.id}")
    expect_equal(asked["status"], "waiting", "the request's status")


# Races


@topic.check("HTTP-57", "REC-7", cases={"with-a-condition": True, "without": False})
async def one_of_many_edits_at_once_wins(stage: Stage, conditional: bool) -> None:
    """Of edits that name one version, on many connections at once, one is carried out and none is lost."""
    shown = await stage.person(name="Ada")
    told = [await _version(stage, shown)]
    names = ["Ada"]
    refused = (412, "precondition-failed") if conditional else (409, "conflict")
    for number in range(_ROUNDS):
        standing = told[-1]
        tag = _tag(standing) if conditional else None
        mine = [f"racer {number}.{racer}" for racer in range(_RACERS)]
        answers = await asyncio.gather(*(_edit(stage, shown, name, standing, tag=tag) for name in mine))
        won = [(name, answer) for name, answer in zip(mine, answers, strict=True) if answer.status == 200]
        expect_equal(len(won), 1, "edits that were carried out on one version")
        others = Counter(_outcome(answer) for answer in answers if answer.status != 200)
        expect_equal(dict(others), {refused: _RACERS - 1}, "answers to the others")
        names.append(won[0][0])
        told.append(object_of(won[0][1])["cid"])
    found = await stage.owner.show(shown.id)
    expect_equal(found["content"]["name"], names[-1], "the name that stands")
    expect_equal([one["name"] for one in [found["record"], *found["history"]]], names[::-1], "the history")
    versions = [found["record"], *found["history"]]
    expect_equal([cid(one) for one in versions], told[::-1], "the versions that were acknowledged")
    expect_equal(
        [one.get("previous") for one in versions], [*told[-2::-1], None], "what each names before it"
    )


@topic.check("HTTP-57")
async def an_edit_and_a_deletion_at_once_are_in_one_order(stage: Stage) -> None:
    """Of an edit and a deletion that name one version at once, one is carried out."""
    for number in range(_ROUNDS):
        shown = await stage.person(name="Ada")
        standing = await _version(stage, shown)
        edits = [_edit(stage, shown, f"racer {one}", standing, tag=_tag(standing)) for one in range(3)]
        gone = [_if(stage, _tag(standing), "DELETE", _path(shown)) for _ in range(3)]
        answers = await asyncio.gather(*(edits + gone if number % 2 else gone + edits))
        outcomes = Counter(_outcome(answer) for answer in answers)
        won = sum(outcomes.pop((status, None), 0) for status in (200, 204))
        expect_equal(won, 1, "requests that were carried out on one version")
        expect(set(outcomes) <= {_FAILED, (404, "not-found")}, f"answers to the others: {dict(outcomes)}")
        left = await stage.owner.send("GET", _path(shown))
        deleted = any(answer.status == 204 for answer in answers)
        expect_equal(left.status, 404 if deleted else 200, "status of the record afterwards")


@topic.check("HTTP-57", "HTTP-43", cases={"with-a-condition": True, "without": False})
async def one_of_many_changes_of_a_grant_wins(stage: Stage, conditional: bool) -> None:
    """Of changes that were drawn up on one version and are carried out at once, one is, and the log has it once."""
    shown = await stage.person(name="Ada", email="ada@example.com", telephone="+44 1632 960001")
    fields = ["name", "email", "telephone"]
    vendor = await stage.relate([shown.permission("delivery", fields)])
    path = f"/grants/{vendor.grant}"
    for version, left, least in ((2, fields[:2], 11), (3, fields[:1], 1)):
        tag = str((await stage.owner.send("GET", path)).headers.get("etag"))
        headers = {"if-match": tag} if conditional else {}
        narrow = [shown.permission("delivery", left)]
        drawn = [
            await stage.owner.draw(
                vendor.grant, "narrow", permissions=[one | {"retention": f"P{days}D"} for one in narrow]
            )
            for days in range(least, least + 6)
        ]
        digests = [one["digest"] for one in drawn]
        answers = await asyncio.gather(
            *(
                stage.owner.send("POST", f"{path}/change", {"digest": digest}, headers=headers)
                for digest in digests * 2
            )
        )
        outcomes = Counter(_outcome(answer) for answer in answers)
        expect_equal(outcomes.pop((200, None), 0), 1, "changes that were carried out on one version")
        allowed = {_FAILED} if conditional else {(409, "conflict")}
        expect(set(outcomes) <= allowed, f"answers to the others: {dict(outcomes)}")
        (won,) = (n for n, answer in enumerate(answers) if answer.status == 200)
        grant = await stage.owner.grant(vendor.grant)
        expect_equal(grant["version"], version, "version")
        given = grant["document"]["permission"]
        expect_equal(given[0]["items"][0]["fields"], left, "fields that are given")
        expect_equal(
            given[0]["retention"], drawn[won % 6]["draft"]["permission"][0]["retention"], "what stands"
        )
        changed = [one for one in await stage.owner.ledger(vendor.grant) if one["entry"]["kind"] == "changed"]
        expect_equal(
            [one["entry"]["version"] for one in changed], [*range(1, version + 1)], "versions in the log"
        )


@topic.check("HTTP-43", "GRA-6")
async def a_draft_on_a_version_that_is_gone_is_a_conflict(stage: Stage) -> None:
    """A change that was drawn up on a version that no longer stands is a conflict, and nothing is changed by it."""
    estate = await make_estate(stage)
    path = f"/grants/{estate.grant}/change"
    await stage.owner.change(estate.grant, "pause")
    expect_problem(await stage.owner.send("POST", path, {"digest": estate.digest}), 409, "conflict")
    drawn = await stage.owner.draw(estate.grant, "end")
    for wrong in ("A" * 43, drawn["digest"].swapcase(), drawn["digest"] + "A", "x"):
        expect_problem(await stage.owner.send("POST", path, {"digest": wrong}), 409, "draft-changed")
    other = await make_estate(stage)
    away = f"/grants/{other.grant}/change"
    expect_problem(await stage.owner.send("POST", away, {"digest": drawn["digest"]}), 409, "draft-changed")
    approve = f"/requests/{estate.asked.id}/approve"
    body = {"digest": drawn["digest"], "passphrase": stage.owner.passphrase}
    expect_problem(await stage.owner.send("POST", approve, body), 409, "draft-changed")
    grant = await stage.owner.grant(estate.grant)
    expect_equal((grant["state"], grant["version"]), ("paused", 2), "state and version")
    expect_status(await stage.owner.send("POST", path, {"digest": drawn["digest"]}), 200)
    again = await stage.owner.send("POST", path, {"digest": drawn["digest"]})
    expect_problem(again, 409, "conflict")
    for one in (estate, other):
        await stage.owner.refuse(one.asked.id)


@topic.check("HTTP-43", "HTTP-57")
async def one_of_many_decisions_on_a_request_wins(stage: Stage) -> None:
    """Of approvals and refusals of one request at once, one is carried out."""
    shown = await stage.person(name="Ada")
    for _ in range(2):
        wanted = [shown.permission("delivery", ["name"])]
        asked = await stage.ask(Key.fresh(), wanted)
        drawn = await stage.owner.draft(asked.id, wanted)
        path = f"/requests/{asked.id}"
        body = {"digest": drawn["digest"], "passphrase": stage.owner.passphrase}
        answers = await asyncio.gather(
            *(stage.owner.send("POST", f"{path}/approve", body) for _ in range(3)),
            *(stage.owner.send("POST", f"{path}/refuse", {}) for _ in range(3)),
        )
        won = [answer for answer in answers if answer.status < 300]
        expect_equal(len(won), 1, "decisions on one request that were carried out")
        outcomes = {_outcome(answer) for answer in answers if answer.status >= 300}
        expect(outcomes <= {(409, "not-in-this-state"), (409, "draft-changed")}, f"answers: {outcomes}")
        status = (await stage.owner.do("GET", path))["status"]
        expect_equal(status, "approved" if won[0].status == 200 else "refused", "status")
        grants = [
            one
            for one in (await stage.owner.do("GET", "/grants"))["grants"]
            if one["vendor"]["id"] == asked.key.did
        ]
        expect_equal(len(grants), 1 if status == "approved" else 0, "grants of the vendor")
