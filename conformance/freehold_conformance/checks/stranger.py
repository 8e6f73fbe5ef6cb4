"""What someone without a say may learn of a node: nothing but that it is one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final

from ..cast import doors
from ..cast.doors import NOBODYS, Door, Who
from ..cast.holder import Holder
from ..cast.stage import Asked, Stage, permission
from ..cast.strangers import BY_CAPABILITY, BY_DID, STOLEN, UNPROVEN, Aim, Knock, Letter, Stranger, look_alike
from ..check import Topic, expect, expect_equal, expect_problem, expect_refusal, expect_status, object_of
from ..hands import capability as capabilities
from ..hands import message
from ..hands.encoding import Document, jcs
from ..hands.keys import Key
from ..wire import Answer

topic = Topic()

_JSON: Final = {"content-type": "application/json"}
_ROUTES: Final = (
    "ask",
    "connect",
    "request",
    "grant",
    "records",
    "record",
    "events",
    "ledger",
    "renew",
    "revoke",
)


# Discovery and health


@topic.check("HTTP-13", "VER-1")
async def discovery_is_open(stage: Stage) -> None:
    """The discovery document names the protocol and templates, and nothing of whose node it is."""
    answer = expect_status(await stage.wire.send("GET", "/.well-known/freehold"), 200)
    document = object_of(answer)
    expect_equal(sorted(document), ["protocol", "routes"], "members")
    expect_equal(document["protocol"], ["freehold/1"], "the protocols")
    expect_equal(sorted(document["routes"]), sorted(_ROUTES), "the routes")
    for name, template in document["routes"].items():
        expect(isinstance(template, str) and template.startswith("/"), f"the template of {name}")
    expect(b"did:" not in answer.body, "a DID in the discovery document")
    for told in (stage.wire.authority, stage.origin):
        expect(told.encode() not in answer.body, "the node's address in the discovery document")


@topic.check("HTTP-13")
async def discovery_is_constant(stage: Stage) -> None:
    """The discovery document is the same bytes whoever asks, whatever they send, and whatever the node holds."""
    first = expect_status(await stage.wire.send("GET", "/.well-known/freehold"), 200)
    expect("routes" in object_of(first), "no routes")
    await stage.person(name="Ada")
    uri = f"{stage.origin}/.well-known/freehold"
    owners = message.sign(stage.owner.session.key, message.OWNER, "GET", uri, created_s=stage.now())
    told: tuple[dict[str, str], ...] = (
        {"cookie": "a=b", "accept-language": "de"},
        {"host": "elsewhere.example", "x-forwarded-host": "elsewhere.example"},
        {"authorization": "Bearer x", "accept": "text/html"},
        {"if-none-match": first.headers.get("etag", '"x"')},
        owners,
    )
    for headers in told:
        again = await stage.wire.send("GET", "/.well-known/freehold", headers)
        expect_equal(again.status, 200, "status of the discovery document")
        expect(first.body == again.body, "two requests got different bytes")
        expect_equal(sorted(again.headers.items()), sorted(first.headers.items()), "headers")


@topic.check("HTTP-14")
async def health_says_nothing_else(stage: Stage) -> None:
    """Health is one constant object, whatever the node holds and whoever asks."""
    first = expect_status(await stage.wire.send("GET", "/healthz"), 200)
    expect_equal(object_of(first), {"status": "ok"}, "health")
    await stage.person(name="Ada")
    again = await stage.wire.send("GET", "/healthz", {"accept": "text/plain", "host": "elsewhere.example"})
    expect((again.status, again.body) == (200, first.body), "two requests got different bytes")


# Grants


async def _scene(stage: Stage) -> tuple[Holder, Stranger]:
    """Return a vendor that nobody troubles but strangers, and a stranger."""

    async def make() -> tuple[Holder, Stranger]:
        shown = await stage.person(name="Ada", email="ada@example.com")
        wanted = [shown.permission("delivery", ["name"])]
        victim, other = await stage.relate(wanted), await stage.relate(wanted)
        return victim, Stranger(key=Key.fresh(), other=other)

    return await stage.once("stranger's scene", make)


async def _told(stage: Stage, who: Stranger, knock: Knock, door: Door, aim: Aim, number: str = "0") -> Answer:
    """Knock at a door of a grant."""
    named = capabilities.encoded(aim.held["id"])
    target = door.at(grant=aim.grant, capability=named, number=number)
    body = jcs(aim.held) if door.takes else None
    headers = knock(Letter(who=who, aim=aim, method=door.method, uri=aim.origin + target, body=body))
    if body is not None:
        headers = _JSON | headers
    return await stage.wire.send(door.method, target, headers, body)


def _apart_from(answer: Answer, *ids: str) -> tuple[object, ...]:
    """Return all of an answer, these ids taken out."""
    lines, body = repr(sorted(answer.raw_headers)), answer.body
    for one in ids:
        lines, body = lines.replace(one, "…"), body.replace(one.encode(), b"...")
    return answer.status, lines, body


async def _same_everywhere(stage: Stage, knock: Knock, among: Iterable[Door], *wanted: str) -> None:
    """Check that a knock gets the same at a grant and at none, and that nothing is written down of it."""
    victim, who = await _scene(stage)
    real = Aim(origin=victim.origin, grant=victim.grant, held=victim.capability)
    made_up = f"{secrets.token_hex(4)}-0000-4000-8000-{secrets.token_hex(6)}"
    none = Aim(
        origin=victim.origin,
        grant=made_up,
        held=look_alike(victim.capability, f"{victim.origin}/g/{made_up}"),
    )
    before = await stage.owner.ledger(victim.grant)
    for door in among:
        there, nowhere = [await _told(stage, who, knock, door, aim) for aim in (real, none)]
        for answer in (there, nowhere):
            code = expect_refusal(answer, door.method)
            expect(not wanted or code in wanted, f"{door.name}: {code!r} instead of {' or '.join(wanted)}")
        ids = [str(one) for aim in (real, none) for one in (aim.grant, aim.held["id"])]
        same = _apart_from(there, *ids) == _apart_from(nowhere, *ids)
        expect(same, f"{door.name}: {there.status} for what exists and {nowhere.status} for what does not")
    expect((await stage.owner.ledger(victim.grant)) == before, "a stranger's message is in the ledger")
    expect_equal((await stage.owner.grant(victim.grant))["state"], "live", "state of the grant")


@topic.check("HTTP-11", "HTTP-9")
async def a_victims_own_doors_open(stage: Stage) -> None:
    """The messages that strangers imitate open every door to the vendor whose they are."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    alias = (await vendor.read("delivery"))["items"][0]["id"].removeprefix("urn:freehold:")
    for door in (*doors.READ, *doors.GRANT, *doors.BELOW):
        target = door.at(grant=vendor.grant, alias=alias)
        below = target.removeprefix(vendor.path())
        expect_status(await vendor.get(below, method=door.method), 200)
        if door.vendor_by_did:
            expect_status(await vendor.by_did(door.method, target), 200)
    expect_status(await vendor.by_did("POST", vendor.path("/renew")), 200)
    expect_status(await vendor.renounce(), 204)


_SIGNED_BY_DID: Final = tuple(
    door for door in doors.UNDER_A_GRANT if door.vendor_by_did or door.who is Who.DID
)
_UNDER_CAPABILITY: Final = tuple(door for door in doors.UNDER_A_GRANT if door.who is Who.HOLDER)


@topic.check("HTTP-11", "INV-20", cases=BY_DID)
async def a_did_without_a_say_finds_nothing(stage: Stage, knock: Knock) -> None:
    """Who signs by a DID that has no say gets not-found, the same at a grant and at none."""
    await _same_everywhere(stage, knock, _SIGNED_BY_DID, "not-found")


@topic.check("HTTP-12", "HTTP-11", cases=BY_CAPABILITY)
async def a_capability_of_no_issue_finds_nothing(stage: Stage, knock: Knock) -> None:
    """Who brings a capability that was not issued here gets not-found, the same at a grant and at none."""
    await _same_everywhere(stage, knock, _UNDER_CAPABILITY, "not-found")


@topic.check("HTTP-11", "INV-12", cases=STOLEN)
async def a_capability_of_somebody_else_is_worth_nothing(stage: Stage, knock: Knock) -> None:
    """Who brings a capability without its key gets wrong-controller, the same at a grant and at none."""
    await _same_everywhere(stage, knock, _UNDER_CAPABILITY, "wrong-controller")


@topic.check("HTTP-11", "INV-5", cases=UNPROVEN)
async def what_is_wrong_by_itself_depends_on_nothing_else(stage: Stage, knock: Knock) -> None:
    """A message that is refused for what it is gets the same at a grant and at none, at every door."""
    await _same_everywhere(stage, knock, doors.UNDER_A_GRANT)


@topic.check("HTTP-11", cases=BY_DID | BY_CAPABILITY | STOLEN)
async def a_message_of_the_wrong_kind_depends_on_nothing_else(stage: Stage, knock: Knock) -> None:
    """Renewing and revoking, and reading by a DID, are refused the same at a grant and at none."""
    await _same_everywhere(stage, knock, doors.UNDER_A_GRANT)


_INSIDE: Final = (
    {"permission": "delivery", "number": "0"},
    {"permission": "other", "number": "0"},
    {"permission": "delivery", "number": "1"},
    {"permission": "delivery", "number": "999999"},
)
"""A permission that the grant gives and one that it does not, an entry that its ledger has and ones that it has not."""


@topic.check("HTTP-11", "PRV-8", cases=BY_DID | BY_CAPABILITY | STOLEN | UNPROVEN)
async def what_a_grant_holds_is_not_told(stage: Stage, knock: Knock) -> None:
    """Whoever has no say is told the same of permissions, entries and records that there are and that there are not."""
    _, who = await _scene(stage)
    victim, alias = await stage.once("stranger's scene of what was read", lambda: _read_once(stage))
    aim = Aim(origin=victim.origin, grant=victim.grant, held=victim.capability)
    before = await stage.owner.ledger(victim.grant)
    for door in (one for one in doors.UNDER_A_GRANT if one.path.count("{") > 1 and one not in doors.REVOKE):
        found = []
        for ids in (*_INSIDE, _INSIDE[0] | {"alias": alias}):
            target = door.at(grant=victim.grant, **ids)
            letter = Letter(who=who, aim=aim, method=door.method, uri=aim.origin + target)
            found.append(await stage.wire.send(door.method, target, knock(letter)))
            expect_refusal(found[-1], door.method)
        told = {_apart_from(answer) for answer in found}
        expect(len(told) == 1, f"{door.name}: what is there was told from what is not")
    expect((await stage.owner.ledger(victim.grant)) == before, "a stranger's message is in the ledger")


async def _read_once(stage: Stage) -> tuple[Holder, str]:
    """Return a vendor that read once, and by what name it knows the record."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    page = await vendor.read("delivery")
    return vendor, str(page["items"][0]["id"]).removeprefix("urn:freehold:")


@topic.check("HTTP-26", "HTTP-11")
async def a_strangers_revocation_tells_nothing(stage: Stage) -> None:
    """A stranger that revokes a live, a revoked or a made-up capability gets the same, and revokes nothing."""
    victim, who = await _scene(stage)
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    gone = vendor.delegate(key=vendor.key)
    expect_status(await vendor.renounce(gone.capability), 204)
    found = [await _revoked(stage, who, vendor, one) for one in (vendor.capability, gone.capability)]
    made_up = look_alike(vendor.capability, f"{vendor.origin}/g/{vendor.grant}")
    found.append(await _revoked(stage, who, vendor, made_up))
    found.append(await _revoked(stage, who, victim, vendor.capability))
    for answer in found:
        expect_problem(answer, 404, "not-found")
        expect(_apart_from(answer) == _apart_from(found[0]), "two strangers' revocations were told apart")
    expect_status(await vendor.get("/delivery/records"), 200)


async def _revoked(stage: Stage, who: Stranger, under: Holder, held: Document) -> Answer:
    target = under.path(f"/zcaps/revocations/{capabilities.encoded(held['id'])}")
    body = jcs(held)
    aim = Aim(origin=under.origin, grant=under.grant, held=held)
    letter = Letter(who=who, aim=aim, method="POST", uri=under.origin + target, body=body)
    return await stage.wire.send("POST", target, letter.signed(), body)


# Invitations and requests


@topic.check(
    "HTTP-15",
    "HTTP-11",
    cases={
        "empty": b"{}",
        "a-type": b'{"type":"AccessRequest"}',
        "of-another-form": b'{"a":[1,2,{"b":null}]}',
        "no-object": b"[]",
        "no-json": b"{",
        "key-twice": b'{"a":1,"a":2}',
        "too-deep": b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
        "too-large": b'{"a":"' + b"a" * 262_144 + b'"}',
    },
)
async def a_used_invitation_is_none(stage: Stage, body: bytes) -> None:
    """An invitation that was used and one that never was answer the same, whatever is sent to them."""
    used, _ = await _used(stage)
    there, nowhere = [await stage.wire.send("POST", path, _JSON, body) for path in (used, _made_up(used))]
    expect_refusal(there)
    expect(_apart_from(there) == _apart_from(nowhere), "a used invitation was told from none")
    if body in (b"{}", b'{"type":"AccessRequest"}', b'{"a":[1,2,{"b":null}]}'):
        expect_problem(there, 404, "not-found")


@topic.check("HTTP-15", "HTTP-11")
async def a_used_invitation_takes_no_other_request(stage: Stage) -> None:
    """A good request at a used invitation is not-found, as it is at none; so is one that does not verify."""
    used, _ = await _used(stage)
    good = stage.request(Key.fresh(), [permission("delivery", ["name"])])
    spoiled = good | {"nonce": secrets.token_urlsafe(24)}
    narrow = stage.request(Key.fresh(), [permission("delivery", ["name"], retention="")])
    for request in (good, spoiled, narrow):
        there = await stage.post_request(used, request)
        expect_problem(there, 404, "not-found")
        nowhere = await stage.post_request(_made_up(used), request)
        expect(_apart_from(there) == _apart_from(nowhere), "a used invitation was told from none")


async def _used(stage: Stage) -> tuple[str, Asked]:
    """Return the path of an invitation that was used, and what was asked there."""

    async def make() -> tuple[str, Asked]:
        path, key = await stage.owner.invite(), Key.fresh()
        request = stage.request(
            key, [permission("delivery", ["name"], about="any", where={"jobTitle": "nobody"})]
        )
        told = object_of(expect_status(await stage.post_request(path, request), 202))
        asked = Asked(stage=stage, key=key, request=request, told=told)
        await stage.owner.refuse(asked.id)
        return path, asked

    return await stage.once("used invitation", make)


def _made_up(path: str) -> str:
    return "/i/" + secrets.token_urlsafe(24)[: len(path.removeprefix("/i/"))]


@topic.check("HTTP-20", "HTTP-11", cases=BY_DID | UNPROVEN)
async def a_request_is_its_askers_alone(stage: Stage, knock: Knock) -> None:
    """Who did not ask is told the same of a request that exists and of one that does not."""
    _, asked = await _used(stage)
    _, who = await _scene(stage)
    found = []
    for path in (asked.path, f"/requests/{NOBODYS}"):
        aim = Aim(origin=stage.origin, grant=NOBODYS, held=who.other.capability)
        headers = knock(Letter(who=who, aim=aim, method="GET", uri=stage.origin + path))
        found.append(await stage.wire.send("GET", path, headers))
    expect_refusal(found[0])
    expect(_apart_from(found[0]) == _apart_from(found[1]), "a request was told from none")
    if knock in BY_DID.values():
        expect_problem(found[0], 404, "not-found")
    expect_status(await asked.follow(), 200)


@topic.check("HTTP-20", "HTTP-41")
async def nobody_asks_for_anothers_request_by_waiting(stage: Stage) -> None:
    """A stranger that would wait for a decision is refused at once."""
    shown = await stage.person(name="Ada")
    asked = await stage.ask(Key.fresh(), [shown.permission("delivery", ["name"])])
    began = stage.now()
    answer = await asked.follow(key=Key.fresh(), headers={"prefer": "wait=10"})
    expect_problem(answer, 404, "not-found")
    expect(stage.now() - began < 5, "a stranger was kept waiting")
    await stage.owner.refuse(asked.id)


# Paths that are nothing


@topic.check(
    "HTTP-8",
    cases={
        path: path
        for path in (
            "/no/such/path",
            "/g",
            "/i",
            "/requests",
            f"/g/{NOBODYS}/delivery/nothing",
            "/x.php",
        )
    },
)
async def unknown_paths_are_problems(stage: Stage, path: str) -> None:
    """A path that is nothing is a problem document with the code not-found."""
    expect_problem(await stage.wire.send("GET", path), 404, "not-found")


@topic.check(
    "HTTP-8", "HTTP-5", "HTTP-6", cases={path: path for path in ("/", "/my", "/my/today", "/my/nothing")}
)
async def pages_are_no_part_of_the_protocol(stage: Stage, path: str) -> None:
    """Where the person's pages may be, there is a page or nothing, which nobody keeps and which tells no time."""
    answer = await stage.wire.send("GET", path)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "application/problem+json":
        expect_problem(answer, 404, "not-found")
    elif 300 <= answer.status < 400:
        where = answer.headers.get("location", "")
        expect(where.startswith("/") and not where.startswith("//"), f"{path} leads to {where!r}")
    else:
        expect_equal(kind, "text/html", f"content type of {path}")
    expect_equal(answer.headers.get("cache-control"), "no-store", "Cache-Control")
    expect_equal({"date", "server"} & set(answer.headers), set(), "headers that no answer has")
