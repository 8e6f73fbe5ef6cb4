"""The owner's routes: nobody else gets in, by whatever mistake of the node, and what is refused changes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..cast import doors
from ..cast.doors import NOBODYS, Door
from ..cast.owned import FORMS, IMPORT_FORMS, Estate, make_estate
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_refusal, expect_status
from ..hands import message
from ..hands.encoding import Document, jcs
from ..hands.keys import Key
from ..wire import Answer

topic = Topic()

_BODIES: Final = {form.name: form for form in (*FORMS, *IMPORT_FORMS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A request to a route of the owner's, by the owner's key unless something is the matter with it."""

    key: Key
    origin: str
    method: str
    target: str
    body: bytes | None
    now_s: float

    def signed(self, **signing: Any) -> message.Headers:
        """Return its headers; ``signing`` as for message.sign, and ``key``, ``tag``, ``method`` and ``uri``."""
        given: dict[str, Any] = {
            "key": self.key,
            "tag": message.OWNER,
            "method": self.method,
            "uri": self.origin + self.target,
            "created_s": self.now_s,
            "body": self.body,
        } | signing
        key, tag, method, uri = (given.pop(name) for name in ("key", "tag", "method", "uri"))
        return message.sign(key, tag, method, uri, **given)


Wrong = Callable[[Try], message.Headers]


def _left_out(headers: message.Headers, *names: str) -> message.Headers:
    return {name: value for name, value in headers.items() if name not in names}


def _another(headers: message.Headers, name: str, old: str, new: str) -> message.Headers:
    return headers | {name: headers[name].replace(old, new)}


def _by_ezcap(one: Try) -> message.Headers:
    root = "urn:zcap:root:" + one.origin
    uri = one.origin + one.target
    return message.invoke_ezcap(one.key, root, one.method, uri, created_s=one.now_s, body=one.body)


def _without_nonce(one: Try) -> message.Headers:
    nonce = message.nonce()
    return _another(one.signed(nonce_=nonce), "signature-input", f';nonce="{nonce}"', "")


WRONG: Final[dict[str, Wrong]] = {
    "unsigned": lambda _: {},
    "another-key": lambda one: one.signed(key=Key.fresh()),
    "another-key-in-the-owners-name": lambda one: one.signed(key=Key.fresh(), keyid=one.key.method),
    "the-owners-key-in-anothers-name": lambda one: one.signed(keyid=Key.fresh().method),
    "tag-of-a-did": lambda one: one.signed(tag=message.DID),
    "tag-of-a-capability": lambda one: one.signed(tag=message.ZCAP),
    "another-tag": lambda one: one.signed(tag="owner"),
    "no-tag": lambda one: _another(one.signed(), "signature-input", f';tag="{message.OWNER}"', ""),
    "another-origin": lambda one: one.signed(uri="https://elsewhere.example" + one.target),
    "no-origin": lambda one: one.signed(uri=one.target),
    "another-scheme": lambda one: one.signed(uri=_other_scheme(one.origin) + one.target),
    "another-target": lambda one: one.signed(uri=f"{one.origin}/owner/other"),
    "another-method": lambda one: one.signed(method="PATCH"),
    "method-not-covered": lambda one: one.signed(covered=_covered(one, "@method")),
    "target-not-covered": lambda one: one.signed(covered=_covered(one, "@target-uri")),
    "only-the-path-covered": lambda one: one.signed(covered=["@method", "@path"]),
    "nothing-covered": lambda one: one.signed(covered=[]),
    "past": lambda one: one.signed(created_s=one.now_s - 300),
    "long-past": lambda one: one.signed(created_s=one.now_s - 86_400),
    "future": lambda one: one.signed(created_s=one.now_s + 120),
    "too-long": lambda one: one.signed(expires_s=one.now_s + 3_600),
    "ends-before-it-begins": lambda one: one.signed(expires_s=one.now_s - 1),
    "no-times": lambda one: _another(one.signed(), "signature-input", ";created=", ";x="),
    "short-nonce": lambda one: one.signed(nonce_="a" * 15),
    "long-nonce": lambda one: one.signed(nonce_="a" * 65),
    "no-nonce": _without_nonce,
    "another-algorithm": lambda one: one.signed(alg="hmac-sha256"),
    "spoiled": lambda one: _another(one.signed(), "signature", "sig=:", "sig=:AAAA"),
    "no-signature": lambda one: _left_out(one.signed(), "signature"),
    "no-input": lambda one: _left_out(one.signed(), "signature-input"),
    "a-form-of-zcap": _by_ezcap,
    "bearer": lambda one: {"authorization": f"Bearer {one.key.method}"},
    "basic": lambda _: {"authorization": "Basic b3duZXI6b3duZXI="},
    "cookie": lambda one: {"cookie": f"session={one.key.did}"},
}
"""What is wrong with each: not one of them proves that the owner's tools sent it."""

WRONG_WITH_A_BODY: Final[dict[str, Wrong]] = {
    "body-not-covered": lambda one: one.signed(covered=["@method", "@target-uri"]),
    "digest-not-covered": lambda one: one.signed(covered=_covered(one, "content-digest")),
    "kind-not-covered": lambda one: one.signed(covered=_covered(one, "content-type")),
    "digest-of-another": lambda one: one.signed(body=b'{"a":1}'),
    "digest-of-nothing": lambda one: one.signed(body=b""),
    "no-digest": lambda one: _left_out(one.signed(), "content-digest"),
    "another-digest-sent": lambda one: one.signed() | {"content-digest": message.content_digest(b"{}x")},
    "another-kind-sent": lambda one: one.signed() | {"content-type": "application/ld+json"},
    "signed-as-without-a-body": lambda one: one.signed(body=None),
}


def _covered(one: Try, *but: str) -> list[str]:
    names = ["@method", "@target-uri"]
    if one.body is not None:
        names += ["content-type", "content-digest"]
    return [name for name in names if name not in but]


def _other_scheme(origin: str) -> str:
    scheme, _, rest = origin.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}://{rest}"


def _all_doors() -> tuple[Door, ...]:
    return (*doors.OWNER, *doors.IMPORTS)


def _body(stage: Stage, door: Door, estate: Estate) -> Document | None:
    """Return a body that would do something here."""
    form = _BODIES.get(door.name)
    if form is None:
        return {} if door.takes else None
    members = form.members(estate, stage.owner.passphrase)
    return dict([next(iter(members.items()))]) if form.one_of else members


async def _knock(stage: Stage, door: Door, estate: Estate, wrong: Wrong) -> Answer:
    found = _body(stage, door, estate)
    body = None if found is None else jcs(found)
    one = Try(
        key=stage.owner.session.key,
        origin=stage.origin,
        method=door.method,
        target=door.at(**estate.ids),
        body=body,
        now_s=stage.now(),
    )
    kind = {} if body is None else {"content-type": "application/json"}
    return await stage.wire.send(door.method, one.target, kind | wrong(one), body)


async def _untouched(stage: Stage, estate: Estate) -> None:
    """Check that the estate stands as it was made."""
    expect_equal((await stage.owner.show(estate.record.id))["cid"], estate.cid, "the record's version")
    grant = await stage.owner.grant(estate.grant)
    told = (grant["state"], grant["version"], grant["entries"], len(grant["statements"]))
    expect_equal(told, ("live", 1, 1, 0), "the grant's state, version, entries and statements")
    asked = await stage.owner.do("GET", f"/requests/{estate.asked.id}")
    expect_equal(asked["status"], "waiting", "the request's status")


@topic.check("HTTP-41", "INV-21", "INV-5", cases=WRONG)
async def nobody_else_gets_in(stage: Stage, wrong: Wrong) -> None:
    """What the owner's key did not sign, just so and just now, is not-authenticated on every path, and does nothing."""
    estate = await stage.once("estate that nobody else touches", lambda: make_estate(stage))
    for door in _all_doors():
        expect_problem(await _knock(stage, door, estate, wrong), 401, "not-authenticated")
    await _untouched(stage, estate)


@topic.check("HTTP-41", "INV-1", "INV-3", cases=WRONG_WITH_A_BODY)
async def a_body_that_the_owner_did_not_sign_is_nobodys(stage: Stage, wrong: Wrong) -> None:
    """A body that the signature does not bind is not-authenticated on every path, and does nothing."""
    estate = await stage.once("estate that nobody else touches", lambda: make_estate(stage))
    for door in (one for one in _all_doors() if one.takes):
        expect_problem(await _knock(stage, door, estate, wrong), 401, "not-authenticated")
    await _untouched(stage, estate)


@topic.check(
    "HTTP-41", cases={"GET": "GET", "POST": "POST", "PUT": "PUT", "DELETE": "DELETE", "HEAD": "HEAD"}
)
async def nobody_else_learns_which_paths_there_are(stage: Stage, method: str) -> None:
    """A stranger is told the same on every path of the owner's, whether it is there or not, whatever the method."""
    estate = await stage.once("estate that nobody else touches", lambda: make_estate(stage))
    there = {door.at(**estate.ids) for door in _all_doors()}
    nowhere = {door.at() for door in _all_doors()}
    nothing = {"/owner/nothing", "/owner/records/a/b", "/owner/status/x", f"/owner/grants/{NOBODYS}/nothing"}
    found = set()
    for target in sorted(there | nowhere | nothing):
        answer = await stage.wire.send(method, target)
        expect_equal((answer.status, expect_refusal(answer, method)), (401, "not-authenticated"), target)
        found.add((tuple(sorted(answer.raw_headers)), answer.body))
    expect_equal(len(found), 1, "kinds of answers to a stranger")
    for target in sorted(nothing):
        signed = await stage.owner.send(method, target.removeprefix("/owner"))
        expect_equal(
            (signed.status, expect_refusal(signed, method)), (404, "not-found"), f"{target} to the owner"
        )


@topic.check(
    "HTTP-41", cases={"no-json": b"{", "too-deep": b"[" * 100, "twice": b'{"a":1,"a":2}', "nothing": b""}
)
async def who_sent_it_is_asked_before_what_it_says(stage: Stage, body: bytes) -> None:
    """A stranger's body is not read as JSON: it is not-authenticated, whatever it holds."""
    estate = await stage.once("estate that nobody else touches", lambda: make_estate(stage))
    for door in (one for one in _all_doors() if one.takes):
        target = door.at(**estate.ids)
        sent = {"content-type": "application/json"}
        expect_problem(await stage.wire.send(door.method, target, sent, body), 401, "not-authenticated")
    path = "/invitations"
    own = await stage.owner.send("POST", path, data=body)
    expect(own.status in (400, 401), f"status {own.status} for the owner's own body that is none")


@topic.check("HTTP-9", "INV-8")
async def an_owners_message_is_taken_once(stage: Stage) -> None:
    """The second message of the owner's key and nonce is replayed, on every path, and does nothing."""
    estate = await make_estate(stage)
    for door in _all_doors():
        nonce = message.nonce()
        uri = f"{stage.origin}/owner/status"
        key = stage.owner.session.key
        first = message.sign(key, message.OWNER, "GET", uri, created_s=stage.now(), nonce_=nonce)
        expect_status(await stage.wire.send("GET", "/owner/status", first), 200)
        expect_problem(await stage.wire.send("GET", "/owner/status", first), 409, "replayed")
        again = await _knock(stage, door, estate, lambda one, nonce=nonce: one.signed(nonce_=nonce))  # type: ignore[misc]
        expect_problem(again, 409, "replayed")
    await _untouched(stage, estate)
    await stage.owner.refuse(estate.asked.id)


@topic.check("HTTP-9", "INV-8")
async def a_message_that_was_refused_uses_up_nothing(stage: Stage) -> None:
    """The nonce of a message that somebody else signed, or nobody, is as fresh for the owner as before."""
    nonce, key, uri = message.nonce(), stage.owner.session.key, f"{stage.origin}/owner/status"
    for other in (Key.fresh(), key):
        wrong = message.sign(
            other, message.OWNER, "GET", uri + "x", created_s=stage.now(), nonce_=nonce, keyid=key.method
        )
        expect_problem(await stage.wire.send("GET", "/owner/status", wrong), 401, "not-authenticated")
    good = message.sign(key, message.OWNER, "GET", uri, created_s=stage.now(), nonce_=nonce)
    expect_status(await stage.wire.send("GET", "/owner/status", good), 200)


@topic.check("INV-6", "HTTP-42")
async def the_owners_times_have_their_bounds(stage: Stage) -> None:
    """A message of the owner's is good from 60 s before it was made until 60 s after it ends, for 600 s at most."""
    now = stage.now()
    spans = {
        (now, now + 600): True,
        (now + 50, now + 170): True,
        (now - 170, now - 50): True,
        (now - 590, now + 10): True,
        (now, now + 602): False,
        (now + 75, now + 200): False,
        (now - 200, now - 62): False,
    }
    for (created, expires), good in spans.items():
        answer = await stage.owner.send("GET", "/status", created_s=created, expires_s=expires)
        if good:
            expect_status(answer, 200)
        else:
            expect_problem(answer, 401, "not-authenticated")


@topic.check("HTTP-44")
async def what_gives_takes_the_passphrase(stage: Stage) -> None:
    """Approving, widening, resuming, rotating, accepting keys, origins, backups and the clock take the passphrase."""
    estate = await make_estate(stage)
    own, owner = stage.owner.send, stage.owner
    drawn = (await owner.draft(estate.asked.id, estate.permissions))["digest"]
    narrow = [estate.record.permission("delivery", ["name"])]
    await owner.change(estate.grant, "narrow", permissions=narrow)
    tries: list[tuple[str, Document]] = [
        (f"/requests/{estate.asked.id}/approve", {"digest": drawn}),
        ("/origins", {"origin": "https://new.example", "grants": [estate.grant]}),
        ("/backup", {}),
        ("/clock/confirm", {}),
        (f"/grants/{estate.grant}/keys", {"digest": "A" * 43}),
        await _drawn(stage, estate, "widen", permissions=estate.permissions),
        await _drawn(stage, estate, "rotate"),
    ]
    for path, body in tries:
        for wrong in (
            {},
            {"passphrase": "wrong"},
            {"passphrase": ""},
            {"passphrase": None},
            {"passphrase": 1},
        ):
            answer = await own("POST", path, body | wrong)
            expect_problem(answer, 403, "passphrase-wrong")
    await owner.change(estate.grant, "pause")
    path, body = await _drawn(stage, estate, "resume")
    expect_problem(await own("POST", path, body), 403, "passphrase-wrong")
    expect_problem(await own("POST", path, body | {"passphrase": "wrong"}), 403, "passphrase-wrong")
    grant = await owner.grant(estate.grant)
    expect_equal((grant["state"], grant["version"]), ("paused", 3), "state and version of the grant")
    asked = await owner.do("GET", f"/requests/{estate.asked.id}")
    expect_equal(asked["status"], "waiting", "status of the request")
    done = await own("POST", path, body | {"passphrase": owner.passphrase})
    expect_status(done, 200)
    await owner.refuse(estate.asked.id)


async def _drawn(stage: Stage, estate: Estate, change: str, **more: Any) -> tuple[str, Document]:
    """Draw up a change that gives; return what would carry it out but for the passphrase."""
    drawn = await stage.owner.draw(estate.grant, change, **more)
    expect_equal(drawn["passphrase"], True, f"whether to {change} takes the passphrase")
    return f"/grants/{estate.grant}/change", {"digest": drawn["digest"]}


@topic.check("HTTP-44", cases={name: name for name in ("narrow", "pause", "end")})
async def what_takes_away_does_not(stage: Stage, change: str) -> None:
    """Narrowing, pausing, ending and revoking are carried out without the passphrase."""
    estate = await make_estate(stage)
    narrow = {"permissions": [estate.record.permission("delivery", ["name"])]} if change == "narrow" else {}
    drawn = await stage.owner.draw(estate.grant, change, **narrow)
    expect_equal(drawn["passphrase"], False, f"whether to {change} takes the passphrase")
    done = await stage.owner.do("POST", f"/grants/{estate.grant}/change", {"digest": drawn["digest"]})
    expect_equal(done["version"], 2, "version")
    for what in ({"partner": estate.asked.key.did}, {"capability": secrets.token_urlsafe(32)}):
        expect_equal((await stage.owner.revoke(estate.grant, **what))["revoked"], True, "revoked")
    ended = await stage.owner.do("POST", "/revocations", {"vendor": estate.vendor.did})
    expect_equal(ended["ended"], [] if change == "end" else [estate.grant], "what was ended")
    await stage.owner.refuse(estate.asked.id)
