"""What the owner's routes answer: exactly the members of their table, and about what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..cast.owned import Estate, make_estate
from ..cast.stage import DAY_S, Stage, permission
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands.encoding import Document, cid, from_xsd_time, xsd_time
from ..hands.keys import Key

topic = Topic()

_REQUEST: Final = ("id", "status", "received", "code", "vendor", "expires", "permissions")
_OF_A_REQUEST: Final = ("benefit", "terms", "contact", "connect", "grant", "reason")
_GRANT: Final = (
    "id",
    "vendor",
    "state",
    "version",
    "epoch",
    "created",
    "notBefore",
    "expires",
    "permissions",
    "entries",
    "root",
    "revoked",
)
_OF_A_GRANT: Final = ("lastRead", "partners", "newKeys")
_SHOWN: Final = ("document", "receipt", "statements", "links", "listening")
_LINK: Final = (
    "digest",
    "parent",
    "id",
    "controller",
    "permission",
    "actions",
    "created",
    "expires",
    "caveats",
    "seen",
    "revoked",
)


def _members(found: Any, names: Iterable[str], what: str, *, optional: Iterable[str] = ()) -> Document:
    """Check that something is an object with these members and no others; return it."""
    expect(isinstance(found, dict), f"{what} is no object")
    missing, more = set(names) - set(found), set(found) - set(names) - set(optional)
    expect(not missing and not more, f"{what} lacks {sorted(missing)} and has besides {sorted(more)}")
    whole: Document = found
    return whole


async def _estate(stage: Stage) -> Estate:
    return await stage.once("estate of answers", lambda: make_estate(stage))


@topic.check("HTTP-68")
async def the_status_says_how_the_node_stands(stage: Stage) -> None:
    """The status has its members, counts what there is, and names the origins and the self record."""
    own = await stage.self_record()
    before = await stage.owner.do("GET", "/status")
    names = (
        "version", "origins", "generation", "clock", "records", "self", "requests", "newKeys", "grants", "entries",
        "storage",
    )  # fmt: skip
    _members(before, names, "the status")
    _members(before["clock"], ("now", "suspect", "wall"), "the clock")
    _members(before["grants"], ("live", "paused", "ended", "expired"), "the counts of grants")
    _members(before["requests"], ("waiting",), "the counts of requests")
    size = _members(before["storage"], ("database", "free", "log"), "the storage")
    expect(0 <= size["free"] <= size["database"] and size["log"] >= 0, "sizes that cannot be")
    expect_equal(
        _members(before["self"], ("id", "label"), "the self record")["id"], own.id, "the self record"
    )
    expect(stage.origin in before["origins"], "the origin of the session is none of the node's")
    expect(abs(from_xsd_time(before["clock"]["now"]) - stage.now()) < 300, "the node's clock is far off")
    expect(type(before["generation"]) is int and type(before["records"]) is int, "a count that is no number")
    await stage.person(name="Ada")
    after = await stage.owner.do("GET", "/status")
    expect(after["records"] > before["records"] - 1, "a record that was added is not counted")


@topic.check("HTTP-68", "REC-7")
async def a_record_is_shown_as_it_was_written(stage: Stage) -> None:
    """Adding, listing, showing and editing a record answer with their members, and with what was written."""
    content = {"type": "Person", "name": "Ada", "email": ["ada@example.com", "a@example.org"]}
    made = await stage.owner.send("POST", "/records", {"content": content})
    told = _members(object_of(expect_status(made, 201)), ("id", "cid"), "a new record")
    uuid = told["id"].removeprefix("urn:uuid:")
    shown = await stage.owner.do("GET", f"/records/{uuid}")
    _members(
        shown, ("record", "content", "cid", "self", "history", "readers"), "a record", optional=("asSelf",)
    )
    expect_equal(
        (shown["content"], shown["cid"], shown["self"], shown["history"], shown["readers"]),
        (content, told["cid"], False, [], []),
        "what is shown",
    )
    expect_equal(cid(shown["record"]), told["cid"], "the CID of the record")
    edited = await stage.owner.do(
        "PUT", f"/records/{uuid}", {"content": content | {"name": "Grace"}, "previous": told["cid"]}
    )
    _members(edited, ("id", "cid"), "an edited record")
    again = await stage.owner.do("GET", f"/records/{uuid}")
    expect_equal(again["history"], [shown["record"]], "the history")
    expect_equal(again["record"]["previous"], told["cid"], "the version before")
    gone = await stage.owner.send("DELETE", f"/records/{uuid}")
    expect_equal((gone.status, gone.body), (204, b""), "a deletion")
    expect_problem(await stage.owner.send("GET", f"/records/{uuid}"), 404, "not-found")
    expect_problem(await stage.owner.send("DELETE", f"/records/{uuid}"), 404, "not-found")


@topic.check("HTTP-68")
async def records_are_listed_page_by_page(stage: Stage) -> None:
    """Records are listed in pages without gaps or repetitions, limit by limit."""
    mine = {(await stage.person(name="Ada")).id for _ in range(5)}
    seen: list[str] = []
    after = ""
    while True:
        page = await stage.owner.do("GET", f"/records?limit=7{after}")
        _members(page, ("records",), "a page", optional=("next",))
        expect(len(page["records"]) <= 7, "a page over its limit")
        for one in page["records"]:
            _members(one, ("id", "type", "label", "self", "changed", "source"), "a listed record")
        seen += [one["id"] for one in page["records"]]
        if "next" not in page:
            break
        after = f"&after={page['next']}"
    expect_equal(len(seen), len(set(seen)), "records that were listed")
    expect(mine <= set(seen), "a record that was added is not listed")
    for wrong in ("limit=x", "limit=-1", "limit=1.5", "after=x", "limit=%31x"):
        expect_problem(await stage.owner.send("GET", f"/records?{wrong}"), 400, "malformed")


@topic.check("HTTP-68", "HTTP-15")
async def an_invitation_is_made_of_random_bytes(stage: Stage) -> None:
    """An invitation answers with its URL, label and end in seven days, and no two are alike."""
    made = [
        object_of(expect_status(await stage.owner.send("POST", "/invitations", {"label": "Ada"}), 201))
        for _ in range(5)
    ]
    for one in made:
        _members(one, ("url", "label", "expires"), "an invitation")
        secret = one["url"].removeprefix(f"{stage.origin}/i/")
        expect(len(secret) >= 32 and "/" not in secret, "an invitation of fewer than 24 random bytes")
        ends = from_xsd_time(one["expires"]) - stage.now()
        expect(abs(ends - 7 * DAY_S) < 120, f"an invitation that ends in {ends:.0f} s")
    expect_equal(len({one["url"] for one in made}), 5, "invitations")
    heads = {one["url"].rpartition("/")[2][:8] for one in made}
    expect_equal(len(heads), 5, "beginnings of invitations")


@topic.check("HTTP-68", "HTTP-17")
async def a_request_is_shown_to_the_owner(stage: Stage) -> None:
    """A request is listed and shown with its members, the vendor as it named itself and its matching code."""
    more = {
        "benefit": "Free delivery.\nFor a year.",
        "terms": "No selling on.",
        "contact": "help@shop.example",
    }
    asked = await stage.ask(Key.fresh(), [permission("delivery", ["name"], about="any")], **more)
    shown = await stage.owner.do("GET", f"/requests/{asked.id}")
    _members(shown, (*_REQUEST, *more), "a request")
    _members(shown["vendor"], ("id", "name", "vouched"), "the vendor")
    expect_equal(
        shown["vendor"], {"id": asked.key.did, "name": "Conformance Shop", "vouched": False}, "the vendor"
    )
    expect_equal((shown["status"], shown["code"]), ("waiting", asked.told["code"]), "status and code")
    expect_equal({name: shown[name] for name in more}, more, "benefit, terms and contact")
    expect_equal(shown["expires"], asked.request["expires"], "the end")
    for status, there in (("waiting", True), ("approved", False), ("refused", False), (None, True)):
        query = f"?status={status}" if status else ""
        listed = _members(await stage.owner.do("GET", f"/requests{query}"), ("requests",), "the requests")
        found = [one for one in listed["requests"] if one["id"] == asked.id]
        expect_equal(found, [shown] if there else [], f"the request among those of status {status}")
        for one in listed["requests"]:
            _members(one, _REQUEST, "a listed request", optional=_OF_A_REQUEST)
            expect(status in (None, one["status"]), f"a request that is {one['status']} among the {status}")
    expect_problem(await stage.owner.send("GET", "/requests?status=lost"), 400, "malformed")
    refused = await stage.owner.send("POST", f"/requests/{asked.id}/refuse", {"reason": "not now"})
    expect_equal((refused.status, refused.body), (204, b""), "a refusal")
    after = await stage.owner.do("GET", f"/requests/{asked.id}")
    expect_equal((after["status"], after["reason"]), ("refused", "not now"), "status and reason")
    for path, body in (
        ("refuse", {}),
        ("draft", {"permissions": asked.request["permission"]}),
        ("approve", {"digest": "A" * 43, "passphrase": stage.owner.passphrase}),
    ):
        answer = await stage.owner.send("POST", f"/requests/{asked.id}/{path}", body)
        expect_problem(answer, 409, "not-in-this-state")


@topic.check("HTTP-68", "HTTP-43")
async def an_approval_is_of_the_draft_that_was_shown(stage: Stage) -> None:
    """Draft and approval answer with their members; what is granted is the draft, but for its proof."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    wanted = [shown.permission("delivery", ["name", "email"])]
    asked = await stage.ask(Key.fresh(), wanted)
    ends = xsd_time(stage.now() + DAY_S)
    narrower = [shown.permission("delivery", ["name"])]
    drawn = await stage.owner.draft(asked.id, narrower, expires=ends)
    _members(drawn, ("digest", "draft"), "a draft")
    expect("proof" not in drawn["draft"], "a draft with a proof")
    wider = await stage.owner.send(
        "POST",
        f"/requests/{asked.id}/draft",
        {"permissions": [shown.permission("delivery", ["name", "telephone"])]},
    )
    expect_problem(wider, 403, "widened")
    later = {"permissions": wanted, "expires": xsd_time(stage.now() + 40 * DAY_S)}
    expect_problem(await stage.owner.send("POST", f"/requests/{asked.id}/draft", later), 403, "widened")
    body = {"digest": drawn["digest"], "passphrase": stage.owner.passphrase}
    done = object_of(
        expect_status(await stage.owner.send("POST", f"/requests/{asked.id}/approve", body), 200)
    )
    _members(done, ("grant", "version", "state"), "an approval")
    expect_equal((done["version"], done["state"]), (1, "live"), "version and state")
    document = (await stage.owner.grant(done["grant"]))["document"]
    expect_equal(
        {name: value for name, value in document.items() if name != "proof"},
        drawn["draft"],
        "what was granted",
    )
    after = await stage.owner.do("GET", f"/requests/{asked.id}")
    expect_equal((after["status"], after.get("grant")), ("approved", done["grant"]), "status and grant")


@topic.check("HTTP-68", "HTTP-38")
async def a_grant_is_shown_to_the_owner(stage: Stage) -> None:
    """A grant is listed and shown with its members, and says how it stands after each change and read."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    partner = Key.fresh()
    wanted = [shown.permission("delivery", ["name", "email"], recipients=[partner.did])]
    vendor = await stage.relate(wanted)
    courier = vendor.delegate("/delivery", key=partner)
    first = await stage.owner.grant(vendor.grant)
    _members(first, (*_GRANT, *_SHOWN), "a grant", optional=_OF_A_GRANT)
    expect("lastRead" not in first, "a read before there was one")
    told = (
        first["state"],
        first["version"],
        first["entries"],
        first["links"],
        first["revoked"],
        first["listening"],
    )
    expect_equal(told, ("live", 1, 1, [], [], 0), "how a new grant stands")
    async with vendor.listen() as stream:
        expect_equal(stream.answer.status, 200, "status of a stream")
        expect_equal((await stage.owner.grant(vendor.grant))["listening"], 1, "streams")
    expect_status(await courier.get("/delivery/records"), 200)
    read = await stage.owner.grant(vendor.grant)
    expect("lastRead" in read and read["entries"] == 2, "a read that does not show")
    links = [_members(one, _LINK, "a link") for one in read["links"]]
    expect_equal(
        [(one["controller"], one["permission"], one["revoked"]) for one in links],
        [(partner.did, "delivery", False)],
        "links",
    )
    listed = (await stage.owner.do("GET", "/grants"))["grants"]
    for one in listed:
        _members(one, _GRANT, "a listed grant", optional=_OF_A_GRANT)
    (here,) = (one for one in listed if one["id"] == vendor.grant)
    expect_equal(
        here, {name: value for name, value in read.items() if name not in _SHOWN}, "the listed grant"
    )
    drawn = await stage.owner.draw(vendor.grant, "pause")
    _members(drawn, ("digest", "draft", "passphrase"), "a draft of a change")
    done = await stage.owner.do("POST", f"/grants/{vendor.grant}/change", {"digest": drawn["digest"]})
    _members(done, ("grant", "version", "state"), "a change")
    expect_equal(done, {"grant": vendor.grant, "version": 2, "state": "paused"}, "a change")
    paused = await stage.owner.grant(vendor.grant)
    expect(paused["epoch"] > read["epoch"], "an epoch that a pause does not move")
    expect_equal(len(paused["receipt"]["versions"]), 2, "versions of the receipt")
    keys = _members(await stage.owner.do("GET", f"/grants/{vendor.grant}/keys"), ("keys",), "the keys")
    expect(isinstance(keys["keys"], list), "keys are no list")


@topic.check("HTTP-68", "HTTP-27")
async def revoking_answers_what_it_did(stage: Stage) -> None:
    """Revoking says whether it was so before, and of a permission how the grant stands; and shows in the grant."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    wanted = [shown.permission("delivery", ["name"]), shown.permission("marketing", ["email"])]
    vendor = await stage.relate(wanted)
    partner, named = Key.fresh().did, "A" * 43
    for what in ({"partner": partner}, {"capability": named}):
        for fresh in (True, False):
            done = await stage.owner.revoke(vendor.grant, **what)
            expect_equal(done, {"revoked": fresh}, "what revoking answers")
    for wrong in (
        {"partner": "did:x"},
        {"partner": "nobody"},
        {"capability": "x"},
        {"permission": "Delivery"},
    ):
        answer = await stage.owner.send("POST", f"/grants/{vendor.grant}/revocations", wrong)
        expect_problem(answer, 400, "malformed")
    vendors = await stage.owner.send(
        "POST", f"/grants/{vendor.grant}/revocations", {"partner": vendor.key.did}
    )
    expect_problem(vendors, 400, "malformed")
    none = await stage.owner.send("POST", f"/grants/{vendor.grant}/revocations", {"permission": "other"})
    expect_problem(none, 403, "not-shared")
    done = await stage.owner.revoke(vendor.grant, permission="marketing")
    expect_equal(done, {"revoked": True, "state": "live"}, "revoking a permission")
    expect_problem(await vendor.get("/marketing/records"), 403, "not-shared")
    done = await stage.owner.revoke(vendor.grant, permission="delivery")
    expect_equal(done, {"revoked": True, "state": "ended"}, "revoking the last permission")
    expect_problem(await vendor.get("/delivery/records"), 403, "grant-ended")
    again = await stage.owner.send("POST", f"/grants/{vendor.grant}/revocations", {"permission": "delivery"})
    expect(again.status in (403, 409), f"status {again.status} for a permission of an ended grant")


@topic.check("HTTP-68")
async def a_vendor_is_ended_as_a_whole(stage: Stage) -> None:
    """Revoking a vendor ends all its grants, names them, and touches nobody else's."""
    shown, key = await stage.person(name="Ada"), Key.fresh()
    wanted = [shown.permission("delivery", ["name"])]
    mine = [(await stage.relate(wanted, key=key)).grant for _ in range(2)]
    other = await stage.relate(wanted)
    done = _members(await stage.owner.do("POST", "/revocations", {"vendor": key.did}), ("ended",), "revoking")
    expect_equal(sorted(done["ended"]), sorted(mine), "grants that were ended")
    for grant in mine:
        expect_equal((await stage.owner.grant(grant))["state"], "ended", "state of a grant of the vendor")
    expect_equal((await stage.owner.grant(other.grant))["state"], "live", "state of another's grant")
    again = await stage.owner.do("POST", "/revocations", {"vendor": key.did})
    expect_equal(again, {"ended": []}, "revoking again")


@topic.check("HTTP-68")
async def a_ledger_is_shown_whole_to_the_owner(stage: Stage) -> None:
    """Every entry is shown to the owner with its body, in pages; and a bundle of it all is given."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    for _ in range(3):
        await vendor.read("delivery")
    page = await stage.owner.do("GET", f"/grants/{vendor.grant}/ledger?first=1&limit=2")
    _members(page, ("entries", "size", "checkpoint"), "a page of the ledger")
    expect_equal(page["size"], 4, "size")
    for number, one in enumerate(page["entries"], 1):
        _members(one, ("number", "leaf", "entry", "salt"), "an entry")
        expect_equal(one["number"], number, "number of an entry")
    expect_equal(len(page["entries"]), 2, "entries on the page")
    bundle = await stage.owner.do("GET", f"/grants/{vendor.grant}/ledger/bundle")
    expect_equal(bundle.get("type"), "LedgerBundle", "type of the bundle")
    for wrong in ("first=x", "first=-1", "limit=x"):
        answer = await stage.owner.send("GET", f"/grants/{vendor.grant}/ledger?{wrong}")
        expect_problem(answer, 400, "malformed")


@topic.check("HTTP-68")
async def the_node_verifies_itself(stage: Stage) -> None:
    """Verifying answers for every grant and all records, and finds nothing damaged."""
    estate = await _estate(stage)
    found = await stage.owner.do("POST", "/verify", {})
    _members(found, ("intact", "grants", "records"), "what was verified")
    _members(found["records"], ("checked", "damaged"), "the records")
    for one in found["grants"]:
        _members(one, ("grant", "vendor", "status", "entries", "damaged"), "a grant that was verified")
    (mine,) = (one for one in found["grants"] if one["grant"] == estate.grant)
    expect_equal((mine["status"], mine["damaged"], mine["entries"]), ("intact", [], 1), "the grant")
    expect_equal((found["intact"], found["records"]["checked"] > 0), (True, True), "intact")


@topic.check("HTTP-68")
async def origins_are_listed_and_added(stage: Stage) -> None:
    """The origins of each grant that is live are listed; adding one says what was added and what it had."""
    estate = await make_estate(stage)
    found = _members(await stage.owner.do("GET", "/origins"), ("origins", "grants"), "the origins")
    for one in found["grants"]:
        _members(one, ("grant", "vendor", "state", "origins", "moved", "reached"), "a grant's origins")
    (mine,) = (one for one in found["grants"] if one["grant"] == estate.grant)
    expect_equal((mine["origins"], mine["moved"]), ([stage.origin], []), "the grant's origins")
    body = {"origin": "https://new.example", "grants": [estate.grant], "passphrase": stage.owner.passphrase}
    first = await stage.owner.do("POST", "/origins", body)
    expect_equal(
        _members(first, ("origin", "added", "had"), "an origin")["origin"], "https://new.example", "origin"
    )
    after = await stage.owner.do("GET", "/origins")
    (mine,) = (one for one in after["grants"] if one["grant"] == estate.grant)
    expect("https://new.example" in mine["origins"], "an origin that was added is not listed")
    for wrong in (
        "http://new.example",
        "https://new.example/",
        "new.example",
        "https://a@b.example",
    ):
        answer = await stage.owner.send("POST", "/origins", body | {"origin": wrong})
        expect_problem(answer, 400, "malformed")
    await stage.owner.refuse(estate.asked.id)


@topic.check("HTTP-68")
async def the_clock_is_trusted_when_the_owner_says_so(stage: Stage) -> None:
    """Confirming the clock answers with the node's time."""
    done = await stage.owner.do("POST", "/clock/confirm", {"passphrase": stage.owner.passphrase})
    now = _members(done, ("now",), "a confirmed clock")["now"]
    expect(abs(from_xsd_time(now) - stage.now()) < 60, "the node's clock is far off")
    expect_equal((await stage.owner.do("GET", "/status"))["clock"]["suspect"], False, "whether it is doubted")


@topic.check("HTTP-68")
async def a_backup_says_what_it_holds(stage: Stage) -> None:
    """A backup is bytes under a header that counts what is in them, and no record can be read in it."""
    await stage.person(name="Ada Canary Lovelace")
    answer = await stage.owner.send("POST", "/backup", {"passphrase": stage.owner.passphrase})
    expect_status(answer, 200)
    expect_equal(answer.headers.get("content-type"), "application/octet-stream", "content type")
    holds = answer.headers.get("freehold-holds", "")
    expect('"records"' in holds and '"grants"' in holds, "Freehold-Holds")
    expect(len(answer.body) > 1_000 and b"Canary" not in answer.body, "a record stands open in a backup")
