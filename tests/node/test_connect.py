"""A request that the person's browser carries: taken in once, told of only to who brings the code, and that once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from carrying import RETURN_TO, approve, brought, carried, poll, take_in
from freehold_node.connecting import CODE_US, MAX_FORM_BYTES, read_posted
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.connect import CHALLENGE, CODE, REQUEST
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.errors import BY_CODE
from freehold_protocol.keys import SigningKey
from freehold_protocol.request import Request
from harness import ADA, House, Reply, TestClock, open_house
from shop import NAME_ONLY, OUTSIDER, delivery
from tables import differing, tables
from web_vendor import SHOP, open_web

WAITING = (200, {"status": "waiting"})
ASKED = [delivery()]


def told(reply: Reply) -> tuple[int, Any]:
    return reply.status, reply.json


async def asked(house: House, key: SigningKey) -> tuple[str, Request]:
    """Return the id of a request that was taken in, and the request."""
    request = carried(house, key, ASKED)
    return (await take_in(house, request))["id"], request


async def approved(house: House, key: SigningKey) -> tuple[str, dict[str, str]]:
    """Return the id of a request that was approved, and what the browser brings back."""
    request_id, _ = await asked(house, key)
    return request_id, brought((await approve(house, request_id, [NAME_ONLY]))["returnTo"])


# Taking in


@pytest.mark.requirement("HTTP-71")
@pytest.mark.asyncio
async def test_a_carried_request_waits_as_any_other_in_a_relationship_of_its_own(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key = house.key()
        request = carried(house, key, ASKED)
        shown = await take_in(house, request)
        assert (shown["status"], shown["vendor"]["id"]) == ("waiting", key.did)
        assert shown["connect"] == {"returnTo": RETURN_TO, "claimed": False}
        assert (await house.own("GET", "/requests?status=waiting"))["requests"] == [shown]
        other = await take_in(house, carried(house, key, ASKED))
        grants = [(await approve(house, one, [NAME_ONLY]))["grant"] for one in (shown["id"], other["id"])]
        signers = [(await house.own("GET", f"/grants/{grant}"))["document"]["assigner"] for grant in grants]
        assert signers[0] != signers[1]


@pytest.mark.requirement("HTTP-71")
@pytest.mark.asyncio
async def test_the_same_request_again_is_the_same_whatever_became_of_it(tmp_path: Path) -> None:
    clock = TestClock()
    async with open_house(tmp_path / "node", clock=clock) as house:
        one, two = carried(house, house.key(), ASKED), carried(house, house.key(), ASKED)
        first = await take_in(house, one)
        assert await take_in(house, one) == first
        at_once = await asyncio.gather(*(take_in(house, two) for _ in range(4)))
        assert len({shown["id"] for shown in at_once}) == 1
        await approve(house, first["id"], [NAME_ONLY])
        await house.own("POST", f"/requests/{at_once[0]['id']}/refuse", {})
        clock.advance(10 * 86_400)  # too old by now to come anew
        assert [(await take_in(house, each))["status"] for each in (one, two)] == ["approved", "refused"]
        assert len((await house.own("GET", "/requests"))["requests"]) == 2


@pytest.mark.requirement("REQ-22")
@pytest.mark.asyncio
async def test_each_request_is_for_one_way(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        of_browser = carried(house, house.key(), ASKED)
        for_invitation = carried(house, house.key(), ASKED, return_to=None)
        url = (await house.own("POST", "/invitations", {"label": "Shop"}))["url"]
        before = await tables(house.node)

        async def post(request: Request) -> Reply:
            headers = {"content-type": "application/json"}
            return await house.send("POST", url.removeprefix(house.base), headers, jcs(request.document))

        assert (await post(of_browser)).code == "malformed"
        refused = await house.owner("POST", "/requests", {"request": for_invitation.document})
        assert (refused.status, refused.code) == (400, "malformed")
        assert differing(before, await tables(house.node)) == {"nonce"}
        assert (await post(for_invitation)).status == 202
        assert (await post(of_browser)).code == "not-found"  # used: nothing here, whatever comes


@pytest.mark.requirement("HTTP-71")
@pytest.mark.asyncio
async def test_what_could_not_be_approved_is_refused_when_it_is_taken_in(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key, now_s = house.key(), house.now_s()
        good = carried(house, key, ASKED).document
        for code, document in (
            ("signature-stale", carried(house, key, ASKED, created_s=now_s - 86_401).document),
            ("signature-invalid", good | {"nonce": "a" * 32}),
            ("malformed", good | {"connect": good["connect"] | {"returnTo": "http://shop.example/"}}),
            ("malformed", good | {"urgent": True}),
        ):
            before = await tables(house.node)
            assert (await house.owner("POST", "/requests", {"request": document})).code == code
            assert differing(before, await tables(house.node)) == {"nonce"}


@pytest.mark.requirement("REQ-21")
@pytest.mark.asyncio
async def test_a_domain_is_returned_to_under_that_domain_only(tmp_path: Path) -> None:
    async with open_web(tmp_path / "node") as web:
        web.server.publish(web.shop, SHOP.public)
        host = web.shop.removeprefix("did:web:").replace("%3A", ":")
        for page in (f"https://{host}/back", f"https://www.{host}/back"):
            request = carried(web.house, SHOP, web.asked(), return_to=page, method=web.method())
            shown = await take_in(web.house, request)
            assert (shown["connect"]["returnTo"], shown["vendor"]["vouched"]) == (page, True)
        fetched = len(web.server.asked)
        document = json.loads(json.dumps(request.document).replace(f"www.{host}", "evil.example"))
        refused = await web.house.owner("POST", "/requests", {"request": document})
        assert refused.code == "malformed"
        assert len(web.server.asked) == fetched


# Going back


@pytest.mark.requirement("HTTP-72")
@pytest.mark.requirement("HTTP-74")
@pytest.mark.asyncio
async def test_the_browser_takes_the_code_back_and_the_vendor_reads(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        key = house.key()
        request_id, request = await asked(house, key)
        done = await approve(house, request_id, [NAME_ONLY])
        back = brought(done["returnTo"])
        assert list(back) == [REQUEST, CHALLENGE, CODE]
        assert request.connect is not None
        assert done["returnTo"].startswith(f"{RETURN_TO}&{REQUEST}=http%3A%2F%2F127.0.0.1%3A")
        assert back[CHALLENGE] == request.connect.challenge
        assert back[REQUEST] == f"{house.base}/requests/{request_id}"
        assert told(await poll(house, key, back[REQUEST])) == WAITING
        first = await poll(house, key, back[REQUEST], back[CODE])
        assert first.json["status"] == "approved"
        assert first.json["grant"].endswith(done["grant"])
        for code in (None, back[CODE], "a" * 32):  # whatever was lost is asked for again
            assert (await poll(house, key, back[REQUEST], code)).json["status"] == "approved"
        assert (await house.own("GET", f"/requests/{request_id}"))["connect"]["claimed"]


@pytest.mark.requirement("HTTP-74")
@pytest.mark.asyncio
async def test_every_wrong_code_is_as_no_code(tmp_path: Path) -> None:
    clock = TestClock()
    async with open_house(tmp_path / "node", clock=clock) as house:
        key = house.key()
        request_id, back = await approved(house, key)
        _, others = await approved(house, key)
        waiting_id, _ = await asked(house, key)
        where = back[REQUEST]
        for code in (
            None,
            "",
            "x",
            "a" * 32,
            others[CODE],
            back[CODE][:-1],
            back[CODE] + "A",
            "%F0%9F",
            "%ED%A0%80",
        ):
            assert told(await poll(house, key, where, code)) == WAITING, code
        assert told(await poll(house, key, where.replace(request_id, waiting_id), back[CODE])) == WAITING
        clock.advance(limits.RETURN_CODE_S)
        assert told(await poll(house, key, where, back[CODE])) == WAITING
        row = await house.node.inspection.request(request_id)
        assert row.claimed_us is None


@pytest.mark.requirement("HTTP-73")
@pytest.mark.asyncio
async def test_a_new_code_takes_the_place_of_the_one_before_until_one_is_used(tmp_path: Path) -> None:
    clock = TestClock()
    async with open_house(tmp_path / "node", clock=clock) as house:
        key = house.key()
        request_id, back = await approved(house, key)
        clock.advance(3 * 86_400)
        again = brought((await house.own("POST", f"/requests/{request_id}/return", {}))["returnTo"])
        assert (again[REQUEST], again[CHALLENGE]) == (back[REQUEST], back[CHALLENGE])
        assert len(again[CODE]) == 32
        assert told(await poll(house, key, back[REQUEST], back[CODE])) == WAITING
        clock.advance(limits.RETURN_CODE_S - 1)
        assert (await poll(house, key, back[REQUEST], again[CODE])).json["status"] == "approved"
        over = await house.owner("POST", f"/requests/{request_id}/return", {})
        assert (over.status, over.code) == (409, "not-in-this-state")


@pytest.mark.requirement("HTTP-73")
@pytest.mark.asyncio
async def test_of_a_code_a_digest_is_kept_and_of_a_used_one_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key = house.key()
        request_id, back = await approved(house, key)
        kept = await tables(house.node)
        assert back[CODE] not in json.dumps(kept)
        row = await house.node.inspection.request(request_id)
        assert row.code_digest is not None
        assert row.code_until_us == house.now_s() * 1_000_000 + CODE_US
        await poll(house, key, back[REQUEST], back[CODE])
        row = await house.node.inspection.request(request_id)
        assert (row.code_digest, row.code_until_us) == (None, 0)


@pytest.mark.requirement("HTTP-72")
@pytest.mark.asyncio
async def test_a_refusal_goes_back_without_a_code_and_is_told_without_one(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key = house.key()
        request_id, request = await asked(house, key)
        early = await house.owner("POST", f"/requests/{request_id}/return", {})
        assert (early.status, early.code) == (409, "not-in-this-state")
        await house.own("POST", f"/requests/{request_id}/refuse", {"reason": "Not now"})
        back = brought((await house.own("POST", f"/requests/{request_id}/return", {}))["returnTo"])
        assert list(back) == [REQUEST, CHALLENGE]
        assert request.connect is not None
        assert told(await poll(house, key, back[REQUEST])) == (
            200,
            {"status": "refused", "reason": "Not now"},
        )


@pytest.mark.asyncio
async def test_there_is_no_way_back_for_what_came_by_an_invitation(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        path, _ = await house.ask(house.key(), ASKED)
        shown = await house.own("GET", path)
        done = await approve(house, shown["id"], [NAME_ONLY])
        assert ("connect" in shown, "returnTo" in done) == (False, False)
        refused = await house.owner("POST", f"{path}/return", {})
        assert (refused.status, refused.code) == (409, "not-in-this-state")
        assert (await house.owner("POST", "/requests/none/return", {})).code == "not-found"


# Waiting


async def begun(house: House, request_id: str, reply: Awaitable[Reply]) -> asyncio.Future[Reply]:
    """Begin a poll that waits; return it when it does."""
    task = asyncio.ensure_future(reply)
    while not house.node.inbox._waiting.get(request_id):
        await asyncio.sleep(0.005)
    return task


@pytest.mark.requirement("HTTP-74")
@pytest.mark.asyncio
async def test_who_waits_is_told_when_the_code_was_used_or_the_request_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house:
        key = house.key()
        request_id, _ = await asked(house, key)
        where, prefer = f"{house.base}/requests/{request_id}", {"Prefer": "wait=20"}
        waiting = await begun(house, request_id, poll(house, key, where, "a" * 32, headers=prefer))
        back = brought((await approve(house, request_id, [NAME_ONLY]))["returnTo"])
        await asyncio.sleep(0.05)
        assert not waiting.done()  # an approval is nobody's yet
        assert (await poll(house, key, where, back[CODE], headers=prefer)).json["status"] == "approved"
        assert (await waiting).json["status"] == "approved"
        request_id, _ = await asked(house, key)
        where = f"{house.base}/requests/{request_id}"
        waiting = await begun(house, request_id, poll(house, key, where, headers=prefer))
        await house.own("POST", f"/requests/{request_id}/refuse", {})
        assert (await waiting).json == {"status": "refused"}


@pytest.mark.requirement("HTTP-74")
@pytest.mark.asyncio
async def test_a_wrong_code_waits_as_long_as_none(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house:
        key = house.key()
        request_id, _ = await approved(house, key)
        where, steady = f"{house.base}/requests/{request_id}", asyncio.get_running_loop().time
        for code in (None, "a" * 32):
            began = steady()
            assert told(await poll(house, key, where, code, headers={"Prefer": "wait=1"})) == WAITING
            assert steady() - began >= 0.9


# Attacks


@pytest.mark.asyncio
async def test_a_code_is_worth_nothing_without_the_vendor_s_key(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        key = house.key()
        request_id, back = await approved(house, key)
        bare = f"/requests/{request_id}?code={back[CODE]}"
        assert (await house.send("GET", bare, {})).code == "malformed"
        assert (await poll(house, OUTSIDER, back[REQUEST], back[CODE])).code == "not-found"
        assert (await house.node.inspection.request(request_id)).claimed_us is None
        assert (await poll(house, key, back[REQUEST], back[CODE])).json["status"] == "approved"
        assert (await poll(house, OUTSIDER, back[REQUEST], back[CODE])).code == "not-found"


# The form


def form_of(request: Request) -> bytes:
    text = jcs(request.document)
    return b"request=" + b"".join(b"%%%02X" % byte for byte in text)


def spoilt(change: Callable[[bytes], bytes]) -> Callable[[House], bytes]:
    return lambda house: change(form_of(carried(house, house.key(), ASKED)))


FORMS: dict[str, tuple[str, Callable[[House], bytes]]] = {
    "two fields": ("malformed", spoilt(lambda form: form + b"&more=1")),
    "the field twice": ("malformed", spoilt(lambda form: form + b"&" + form)),
    "another field": ("malformed", spoilt(lambda form: b"document" + form.removeprefix(b"request"))),
    "nothing": ("malformed", lambda _: b""),
    "no value": ("malformed", lambda _: b"request="),
    "no form": ("malformed", lambda house: jcs(carried(house, house.key(), ASKED).document)),
    "no UTF-8": ("malformed", lambda _: b"request=%ff"),
    "raw bytes": ("malformed", lambda _: b"request=\xff"),
    "no JSON object": ("malformed", lambda _: b"request=%5B%5D"),
    "a key twice": ("duplicate-key", lambda _: b"request=%7B%22a%22:1,%22a%22:2%7D"),
    "too much": ("too-large", lambda _: b"request=".ljust(MAX_FORM_BYTES + 1, b"a")),
    "a document too large": ("too-large", lambda _: b"request=".ljust(limits.MAX_DOCUMENT_BYTES + 20, b"1")),
    "for an invitation": (
        "malformed", lambda house: form_of(carried(house, house.key(), ASKED, return_to=None)),
    ),
    "too old": (
        "signature-stale",
        lambda house: form_of(carried(house, house.key(), ASKED, created_s=house.now_s() - 86_401)),
    ),
    "a zone that is none": (
        "malformed",
        lambda house: form_of(carried(house, house.key(), [delivery(hours={
            "days": ["Mo"], "from": "08:00", "to": "09:00", "timeZone": "Europe/Atlantis"})])),
    ),
}  # fmt: skip


@pytest.mark.requirement("HTTP-70")
@pytest.mark.asyncio
async def test_a_form_is_read_and_nothing_is_written_or_fetched(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        before = await tables(house.node)
        request = carried(house, house.key(), ASKED)
        assert read_posted(form_of(request), now_s=house.now_s()).cid == request.cid
        unproved = Request.from_dict(request.document | {"nonce": base64url_encode(b"x" * 24)})
        assert read_posted(form_of(unproved), now_s=house.now_s()).cid == unproved.cid
        assert await tables(house.node) == before


@pytest.mark.requirement("HTTP-70")
@pytest.mark.parametrize("name", FORMS)
@pytest.mark.asyncio
async def test_what_is_no_form_of_a_request_is_refused(name: str, tmp_path: Path) -> None:
    code, make = FORMS[name]
    async with open_house(tmp_path / "node") as house:
        with pytest.raises(BY_CODE[code]):
            read_posted(make(house), now_s=house.now_s())
