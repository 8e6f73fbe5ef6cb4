"""What a vendor may ask at an invitation: nothing unsigned, unbounded or hidden reaches the person's inbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.form import CONTEXT
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.proof import sign_document
from freehold_protocol.request import matching_code, sign_request
from harness import START_S, House, Reply, open_house, permission
from shop import COURIER, DAY_S, OUTSIDER
from watch import SECRET, Watched, before, check_problem, check_untouched, watched

VENDOR = SigningKey(b"\x0b" * 32)
MALFORMED = (400, "malformed")
INCOMPLETE = (400, "request-incomplete")
UNDEFINED = (400, "undefined-term")
TOO_LARGE = (413, "too-large")
INVALID = (401, "signature-invalid")
STALE = (401, "signature-stale")
UNSUPPORTED = (422, "unsupported")
NOBODY = (404, "not-found")
Outcome = tuple[int, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(Path(tmp_path_factory.mktemp("invitations"))) as found:
        yield found


def unsigned(**changes: Any) -> Document:
    """Return a good request, but for the changes; a member that is changed to None is left out."""
    request: Document = {
        "@context": CONTEXT,
        "type": "AccessRequest",
        "id": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "nonce": "A" * 43,
        "created": "2026-11-23T12:00:00Z",
        "expires": "2026-12-23T12:00:00Z",
        "assignee": {"id": VENDOR.did, "type": "Organization", "name": "Shop"},
        "permission": [permission("delivery", ["name"])],
    } | changes
    return {name: value for name, value in request.items() if value is not None}


def signed(
    document: Document | None = None, *, created_s: int = START_S, key: SigningKey = VENDOR
) -> Document:
    return sign_document(unsigned() if document is None else document, key, created_s=created_s)


async def invitation(house: House, label: str = "Shop") -> str:
    made = await house.own("POST", "/invitations", {"label": label})
    path: str = made["url"].removeprefix(house.base)
    return path


async def post(house: House, path: str, document: Document, kind: str = "application/json") -> Reply:
    return await house.send("POST", path, {"content-type": kind}, json.dumps(document).encode())


def asking(**changes: Any) -> Document:
    """Return a signed request with one permission that is changed; a member changed to None is left out."""
    given = permission("delivery", ["name"]) | changes
    return signed(unsigned(permission=[{name: value for name, value in given.items() if value is not None}]))


def item(**changes: Any) -> Document:
    return asking(items=[{"type": "Person", "fields": ["name"]} | changes])


def hours(**changes: Any) -> Document:
    given = {"days": ["Mo"], "from": "08:00", "to": "12:00", "timeZone": "Europe/Berlin"} | changes
    return asking(limits={"hours": given})


def named(name: Any) -> Document:
    return signed(unsigned(assignee={"id": VENDOR.did, "type": "Organization", "name": name}))


def vendor(did: str) -> Document:
    return signed(unsigned(assignee={"id": did, "type": "Organization", "name": "Shop"}))


def altered(change: Callable[[Document], None]) -> Document:
    document: Document = json.loads(json.dumps(signed()))
    change(document)
    return document


REFUSED: dict[str, tuple[Document, Outcome]] = {
    # By whom
    "unsigned": (unsigned(), MALFORMED),
    "signed by another": (signed(key=OUTSIDER), INVALID),
    "signed, then changed": (altered(lambda one: one.update(expires="2026-12-24T12:00:00Z")), INVALID),
    "signed, then asked for more": (
        altered(lambda one: one["permission"][0]["items"][0].update(fields=["name", "email"])), INVALID,
    ),
    "signed for another purpose": (
        altered(lambda one: one["proof"].update(proofPurpose="capabilityDelegation")), INVALID,
    ),
    "two proofs": (altered(lambda one: one.update(proof=[one["proof"], one["proof"]])), MALFORMED),
    "another suite": (altered(lambda one: one["proof"].update(cryptosuite="eddsa-rdfc-2022")), INVALID),
    "a suite nobody knows": (
        altered(lambda one: one["proof"].update(cryptosuite="ecdsa-jcs-2019")), UNSUPPORTED,
    ),
    "another method": (vendor("did:web:shop.example"), INVALID),
    "a method nobody knows": (vendor("did:example:shop"), UNSUPPORTED),
    "another kind of key": (vendor("did:key:zDnaeWgbpcUat3VPa1GqrsLFyMk6BVLEpYXyFTsT8LAFkZJC8"), UNSUPPORTED),
    "no DID": (vendor("https://shop.example"), MALFORMED),
    "a person": (signed(unsigned(assignee={"id": VENDOR.did, "type": "Person", "name": "Shop"})), MALFORMED),
    # When
    "of yesterday": (signed(unsigned(created="2026-11-22T11:59:59Z"), created_s=START_S - DAY_S - 1), STALE),
    "of tomorrow": (signed(unsigned(created="2026-11-23T12:01:01Z"), created_s=START_S + 61), STALE),
    "signed at another time than it says": (signed(created_s=START_S - 1), INVALID),
    "without an end": (signed(unsigned(expires=None)), INCOMPLETE),
    "that ends before it begins": (signed(unsigned(expires="2026-11-23T12:00:00Z")), INCOMPLETE),
    "that hardly ever ends": (signed(unsigned(expires="2036-12-23T12:00:00Z")), INCOMPLETE),
    "of a day there is not": (signed(unsigned(expires="2027-02-30T12:00:00Z")), MALFORMED),
    # For what
    "without a purpose": (asking(purpose=None), INCOMPLETE),
    "for no purpose": (asking(purpose=[]), INCOMPLETE),
    "without retention": (asking(retention=None), INCOMPLETE),
    "for no time": (asking(retention="P0D"), MALFORMED),
    "for ever": (asking(retention="P9999999Y"), MALFORMED),
    "for a purpose nobody knows": (asking(purpose=["dpv:WorldDomination"]), UNDEFINED),
    "for a purpose of its own": (asking(purpose=["https://shop.example/" + SECRET]), UNDEFINED),
    "for one purpose twice": (asking(purpose=["dpv:Marketing", "dpv:Marketing"]), MALFORMED),
    "for nine purposes": (asking(purpose=["dpv:Marketing"] * 9), TOO_LARGE),
    # What
    "for nothing": (signed(unsigned(permission=[])), MALFORMED),
    "for seventeen permissions": (
        signed(unsigned(permission=[permission(f"p{n}", ["name"]) for n in range(17)])), TOO_LARGE,
    ),
    "for two permissions of one name": (signed(unsigned(permission=[permission("a", ["name"])] * 2)), MALFORMED),
    "for no items": (asking(items=[]), MALFORMED),
    "for seventeen items": (asking(items=[{"type": "Person", "fields": ["name"]}] * 17), TOO_LARGE),
    "for no fields": (item(fields=[]), MALFORMED),
    "for sixty-five fields": (item(fields=["name"] * 65), TOO_LARGE),
    "for a field twice": (item(fields=["name", "name"]), MALFORMED),
    "for everything": (item(fields=["*"]), MALFORMED),
    "for everything below": (item(fields=["address.*"]), MALFORMED),
    "for every field there might be": (item(fields=["address."]), MALFORMED),
    "for a field nobody knows": (item(fields=["shoeSizeOfTheCat"]), UNDEFINED),
    "for the id": (item(fields=["id"]), MALFORMED),
    "for the source": (item(fields=["source.file"]), MALFORMED),
    "for the proof": (item(fields=["proof.proofValue"]), MALFORMED),
    "for a type nobody knows": (item(type="Everything"), UNDEFINED),
    "for any type": (item(type="*"), UNDEFINED),
    "about everybody's": (item(about="others"), MALFORMED),
    "where something is a list": (item(where={"name": ["a"]}), MALFORMED),
    "where a pattern": (item(where={"name": {"$regex": ".*"}}), MALFORMED),
    "with new records in words": (item(newRecords="yes"), MALFORMED),
    "with a name that is a path": (asking(name="a/b"), MALFORMED),
    "with a name that is taken": (asking(name="ledger"), MALFORMED),
    "with a name in capitals": (asking(name="Delivery"), MALFORMED),
    "with a question": (asking(questions=["over18"]), UNSUPPORTED),
    "with a member of its own": (asking(note=SECRET), MALFORMED),
    "with a member of its own at the top": (signed(unsigned(note=SECRET)), MALFORMED),
    # For whom, how often, when
    "for a recipient without a DID": (asking(recipients=["Courier"]), MALFORMED),
    "for one recipient twice": (asking(recipients=[COURIER.did] * 2), MALFORMED),
    "for thirty-three recipients": (asking(recipients=[f"did:key:z{n}" for n in range(33)]), TOO_LARGE),
    "with no reads": (asking(limits={"reads": 0}), MALFORMED),
    "with half a read": (asking(limits={"reads": 1.5}), MALFORMED),
    "with a rate of its own": (asking(limits={"rate": "1/s"}), MALFORMED),
    "with another limit": (asking(limits={"volume": 1}), MALFORMED),
    "in a zone that does not exist": (hours(timeZone="Europe/Atlantis"), MALFORMED),
    "in a zone that is a file": (hours(timeZone="../../etc/passwd"), MALFORMED),
    "in a zone that is a folder": (hours(timeZone="Europe"), MALFORMED),
    "in a zone that is a table of zones": (hours(timeZone="zone.tab"), MALFORMED),
    "in no zone": (hours(timeZone=""), MALFORMED),
    "on a day that does not exist": (hours(days=["Xx"]), MALFORMED),
    "at an hour that does not exist": (hours(to="25:00"), MALFORMED),
    "over midnight": (hours(**{"from": "22:00", "to": "06:00"}), MALFORMED),
    # As it is shown
    "with no name": (named(" "), MALFORMED),
    "with a long name": (named("a" * 121), TOO_LARGE),
    "with a name that is no text": (named(["Shop"]), MALFORMED),
    "with a name that turns around": (named("Shop \u202egnp.exe"), MALFORMED),
    "with a name in isolation": (named("Shop \u2066x\u2069"), MALFORMED),
    "with a mark of direction": (named("\u200fShop"), MALFORMED),
    "with a name of two lines": (named("Shop\nVerified by your bank"), MALFORMED),
    "with an escape for a terminal": (named("Shop\x1b[2K\x1b[1A"), MALFORMED),
    "with a bell": (named("Shop\x07"), MALFORMED),
    "with a nul": (named("Shop\x00"), MALFORMED),
    "with a soft hyphen": (named("Sh\u00adop"), MALFORMED),
    "with a zero width space": (named("Sh\u200bop"), MALFORMED),
    "with tags": (named("Shop\U000e0041\U000e0042"), MALFORMED),
    "with a private character": (named("Shop\ue000"), MALFORMED),
    "with a line separator": (named("Shop\u2028Bank"), MALFORMED),
    "with a name of nothing to be seen": (named("\u3164\u3164"), MALFORMED),
    "with a benefit that turns around": (signed(unsigned(benefit="10 % off\u202e")), MALFORMED),
    "with a contact of two lines": (signed(unsigned(contact="a@shop.example\r\nBcc: x")), MALFORMED),
    "with a long benefit": (signed(unsigned(benefit="a" * 2001)), TOO_LARGE),
    # The document
    "of another context": (signed(unsigned(**{"@context": [CONTEXT]})), MALFORMED),
    "of a context that would be fetched": (signed(unsigned(**{"@context": "http://127.0.0.1/x"})), MALFORMED),
    "of another type": (signed(unsigned(type="AccessGrant")), MALFORMED),
    "of no uuid": (signed(unsigned(id=SECRET)), MALFORMED),
    "with a short nonce": (signed(unsigned(nonce="A" * 21)), MALFORMED),
    "of nothing": ({}, INCOMPLETE),
}  # fmt: skip


@pytest.mark.requirement("HTTP-16", "REQ-15")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_approved_is_refused_at_the_door(
    node: Watched, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    document, (status, code) = REFUSED[name]
    path = await invitation(node.house)
    earlier = await before(node, caplog)
    reply = await post(node.house, path, document)
    check_problem(reply, status, code)
    await check_untouched(node, earlier, caplog, reply.body)
    # The invitation is as good as before.
    assert (await post(node.house, path, signed())).status == 202


@pytest.mark.asyncio(loop_scope="module")
async def test_a_value_that_is_compared_is_shown_too(node: Watched) -> None:
    """The person reads what records must say; there is nothing to be hidden in it either."""
    for text in ("Utopia\u202e", "a\x1b[2K", "a\nb", "\u200b", "\u3164"):
        path = await invitation(node.house)
        check_problem(await post(node.house, path, item(where={"name": text})), *MALFORMED)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "json",
    ],
)
async def test_a_request_is_declared_to_be_json(
    node: Watched, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """What a page of somebody else can make a browser send without asking is no request."""
    path = await invitation(node.house)
    earlier = await before(node, caplog)
    check_problem(await post(node.house, path, signed(), kind), *MALFORMED)
    check_problem(await node.house.send("POST", path, {}, json.dumps(signed()).encode()), *MALFORMED)
    check_problem(await node.house.send("POST", path, {"content-type": kind}), *MALFORMED)
    await check_untouched(node, earlier, caplog)


# Invitations


@pytest.mark.asyncio
async def test_the_same_request_again_has_the_same_answer(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        path, document = await invitation(house), signed()
        replies = await asyncio.gather(*(post(house, path, document) for _ in range(5)))
        assert {reply.status for reply in replies} == {202}
        assert len({reply.body for reply in replies}) == 1
        told = replies[0].json
        assert told.keys() == {"status", "request", "code"}
        assert replies[0].headers["Location"] == told["request"]
        (waiting,) = (await house.own("GET", "/requests"))["requests"]
        assert waiting["code"] == told["code"]
        assert told["request"] == f"{house.base}/requests/{waiting['id']}"
        # Spelled otherwise, it is still the same document.
        spelled = json.dumps(dict(reversed(document.items())), indent=2).encode()
        again = await house.send("POST", path, {"content-type": "application/ld+json"}, spelled)
        assert again.body == replies[0].body
        assert house.clock is not None
        house.clock.advance(2 * DAY_S)  # by now it would be too old to be new
        assert (await post(house, path, document)).body == replies[0].body
        await house.own("POST", f"/requests/{waiting['id']}/refuse", {})
        assert (await post(house, path, document)).body == replies[0].body


@pytest.mark.asyncio
async def test_another_request_finds_nothing_at_a_used_invitation(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        path = await invitation(house)
        assert (await post(house, path, signed())).status == 202
        unknown = await post(house, "/i/" + "A" * 32, signed())
        check_problem(unknown, *NOBODY)
        others = [
            signed(unsigned(nonce="B" * 43)),
            asking(retention="P31D"),
            signed(
                unsigned(assignee={"id": OUTSIDER.did, "type": "Organization", "name": "Shop"}), key=OUTSIDER
            ),
        ]
        for other in others:
            reply = await post(house, path, other)
            assert (reply.status, reply.body) == (404, unknown.body)
        assert len((await house.own("GET", "/requests"))["requests"]) == 1


@pytest.mark.asyncio
async def test_of_two_requests_at_once_one_is_taken_in(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        path = await invitation(house)
        replies = await asyncio.gather(
            *(post(house, path, signed(unsigned(nonce=letter * 43))) for letter in "ABCD")
        )
        assert sorted(reply.status for reply in replies) == [202, 404, 404, 404]
        assert len((await house.own("GET", "/requests"))["requests"]) == 1


@pytest.mark.asyncio
async def test_an_invitation_is_good_for_a_week(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        assert house.clock is not None
        early = await invitation(house)
        house.clock.advance(1)
        late = await invitation(house)
        house.clock.advance(7 * DAY_S - 1)
        request = sign_request(
            VENDOR, request_id="urn:uuid:" + house.uuid(), nonce="C" * 43, name="Shop",
            permissions=(Permission.from_dict(permission("delivery", ["name"])),),
            created_s=house.now_s(), expires_s=house.now_s() + DAY_S,
        )  # fmt: skip
        check_problem(await post(house, early, request.document), *NOBODY)
        reply = await post(house, late, request.document)
        assert (reply.status, reply.json["code"]) == (202, matching_code(request.cid))
        house.clock.advance(1)
        check_problem(await post(house, late, request.document), *NOBODY)


@pytest.mark.asyncio
async def test_invitations_cannot_be_guessed_from_one_another(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        path = await invitation(house)
        for other in (path[:-1], path + "A", path.swapcase(), "/i/" + base64url_encode(bytes(24)), "/i/x"):
            check_problem(await post(house, other, signed()), *NOBODY)
        check_problem(await house.send("GET", path, {}), 405, "malformed")
        for text in ("", " ", "\u202e", "a" * 121):
            assert (await house.owner("POST", "/invitations", {"label": text})).status in (400, 413)


@pytest.mark.asyncio
async def test_a_request_is_followed_by_who_asked(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        told = (await post(house, await invitation(house), signed())).json
        where = told["request"].removeprefix(house.base)
        assert (await house.signed(VENDOR, "GET", where)).json == {"status": "waiting"}
        check_problem(await house.signed(OUTSIDER, "GET", where), *NOBODY)
        check_problem(await house.send("GET", where, {}), *MALFORMED)
        for prefer in ("wait=0", "wait=x", "wait=-1", "respond-async", "wait=0, wait=30"):
            reply = await house.signed(VENDOR, "GET", where, headers={"Prefer": prefer})
            assert reply.json == {"status": "waiting"}, prefer


@pytest.mark.asyncio
async def test_a_node_that_stops_lets_go_of_who_waits(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with open_house(tmp_path / "node") as house:
        told = (await post(house, await invitation(house), signed())).json
        where = told["request"].removeprefix(house.base)
        waiting = asyncio.create_task(house.signed(VENDOR, "GET", where, headers={"Prefer": "wait=30"}))
        while not house.node.inbox._waiting:
            await asyncio.sleep(0)
        begun = loop.time()
        await house.node.__aexit__(None, None, None)
        assert (await waiting).json == {"status": "waiting"}
        assert loop.time() - begun < 5


@pytest.mark.requirement("HTTP-18")
@pytest.mark.asyncio
async def test_no_more_requests_wait_than_a_person_can_weigh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold_node.inbox._MAX_WAITING", 2)
    async with open_house(tmp_path / "node") as house:
        for _ in range(2):
            await house.ask(house.key(), [permission("delivery", ["name"])])
        url = (await house.own("POST", "/invitations", {"label": "a third"}))["url"]
        body = json.dumps(signed(created_s=house.now_s())).encode()
        reply = await house.send(
            "POST", url.removeprefix(house.base), {"content-type": "application/json"}, body
        )
        assert (reply.status, reply.code) == (409, "conflict")


@pytest.mark.requirement("HTTP-19")
@pytest.mark.asyncio
async def test_a_vendor_that_asks_again_finds_other_keys_and_another_ledger(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key, asked = house.key(), [permission("delivery", ["name"])]
        grants = [(await house.relate(asked, key=key)).grant for _ in range(2)]
        found = [(await house.own("GET", f"/grants/{grant}"))["document"] for grant in grants]
        for name in ("assigner", "servingKey", "log"):
            assert len({document[name] for document in found}) == 2, name
