"""A browser carries the request and comes back: whose approval it is, and whose it is never taken for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from carrying import approve as approve_at
from carrying import brought
from freehold_protocol import limits
from freehold_protocol.connect import CHALLENGE, CODE, REQUEST
from freehold_protocol.encoding import Document
from freehold_vendor import (
    Access,
    ConnectRequest,
    KeptInFolder,
    OtherBrowserError,
    RefusedError,
    Vendor,
    read_node_address,
)
from freehold_vendor.errors import MalformedError, NotFoundError, ReceiptError
from freehold_vendor.sync import SyncVendor
from harness import House
from vendor_scene import ASKED, GIVEN, Liar, Scene, ambient_of, identity

RETURN_TO = "https://shop.example/returned"


async def connect(scene: Scene, vendor: Vendor | None = None, *, node: str | None = None) -> ConnectRequest:
    """Let a person with a browser of their own begin at the vendor's page."""
    return await (vendor or scene.vendor).connect(
        node or scene.house.base, ASKED, scene.clock.now_s + 30 * 86_400, return_to=RETURN_TO
    )


async def taken_in(house: House, made: ConnectRequest) -> str:
    """Do what the node's page does with the form that a browser posts; return the request's id."""
    request_id: str = (await house.own("POST", "/requests", {"request": json.loads(made.value)}))["id"]
    return request_id


async def approve(house: House, made: ConnectRequest, given: list[Document] = GIVEN) -> dict[str, str]:
    """Let a person approve what a browser carried to them; return the query that their browser comes back with."""
    return brought((await approve_at(house, await taken_in(house, made), given))["returnTo"])


async def settle(vendor: Vendor, query: dict[str, str], made: ConnectRequest) -> Access:
    return await (await vendor.returned(query, challenge=made.challenge)).decision()


@pytest.mark.requirement("CLT-16")
@pytest.mark.asyncio
async def test_a_browser_carries_the_request_and_the_vendor_reads(scene: Scene) -> None:
    made = await connect(scene)
    assert (made.action, made.field) == (f"{scene.house.base}/connect", "request")
    inbox = (await scene.house.own("GET", f"/requests/{await taken_in(scene.house, made)}"))["code"]
    assert made.code == inbox
    access = await settle(scene.vendor, await approve(scene.house, made), made)
    [ada] = (await access.read("delivery")).records
    assert ada["name"] == "Ada Example"


@pytest.mark.asyncio
async def test_a_page_that_is_loaded_twice_sets_nothing_back(scene: Scene) -> None:
    made = await connect(scene)
    query = await approve(scene.house, made)
    first, second = await asyncio.gather(*(settle(scene.vendor, query, made) for _ in range(2)))
    assert first is second
    await first.read("delivery")
    known = first.checkpoint
    again = await scene.vendor.returned(query, challenge=made.challenge)
    assert (await again.decision()).checkpoint == known


@pytest.mark.asyncio
async def test_an_answer_that_was_lost_is_asked_for_again_also_after_a_restart(
    scene: Scene, tmp_path: Path
) -> None:
    def vendor() -> Vendor:
        return Vendor(
            identity(3), keeping=KeptInFolder(tmp_path / "kept"), allow_private_addresses=True,
            ambient=ambient_of(scene.clock),
        )  # fmt: skip

    async with vendor() as before:
        made = await connect(scene, before)
        [unsent] = await before.waiting()
        with pytest.raises(TimeoutError, match="no browser"):
            await unsent.decision()
        query = await approve(scene.house, made)
        pending = await before.returned(query, challenge=made.challenge)
        assert (await pending._look(0))["status"] == "approved"  # and it gets lost
    async with vendor() as after:
        [pending] = await after.waiting()
        access = await pending.decision()
        await access.read("delivery")
        known = access.checkpoint
    async with vendor() as last:
        again = await (await last.returned(query, challenge=made.challenge)).decision()
        assert again.checkpoint == known
        assert await last.waiting() == ()


@pytest.mark.asyncio
async def test_a_refusal_comes_back_as_one(scene: Scene) -> None:
    made = await connect(scene)
    request_id = await taken_in(scene.house, made)
    await scene.house.own("POST", f"/requests/{request_id}/refuse", {"reason": "Not today."})
    url = (await scene.house.own("POST", f"/requests/{request_id}/return", {}))["returnTo"]
    pending = await scene.vendor.returned(brought(url), challenge=made.challenge)
    with pytest.raises(RefusedError, match="Not today"):
        await pending.decision()
    assert await scene.vendor.waiting() == ()


@pytest.mark.asyncio
async def test_a_code_that_is_too_old_is_no_approval_and_the_person_can_have_another(scene: Scene) -> None:
    made = await connect(scene)
    request_id = await taken_in(scene.house, made)
    query = brought((await approve_at(scene.house, request_id, GIVEN))["returnTo"])
    scene.clock.advance(limits.RETURN_CODE_S)
    with pytest.raises(TimeoutError, match="new one"):
        await settle(scene.vendor, query, made)
    url = (await scene.house.own("POST", f"/requests/{request_id}/return", {}))["returnTo"]
    assert (await settle(scene.vendor, brought(url), made)).standing is not None


@pytest.mark.asyncio
async def test_a_request_that_nobody_came_back_with_can_be_given_up(scene: Scene) -> None:
    made = await connect(scene)
    query = await approve(scene.house, made)
    [pending] = await scene.vendor.waiting()
    await pending.forget()
    with pytest.raises(NotFoundError):
        await scene.vendor.returned(query, challenge=made.challenge)
    kept = await connect(scene)
    access = await settle(scene.vendor, await approve(scene.house, kept), kept)
    query = {REQUEST: f"{scene.house.base}/requests/x", CHALLENGE: kept.challenge}
    await (await scene.vendor.returned(query, challenge=kept.challenge)).forget()
    assert await scene.vendor.accesses() == (access,)


@pytest.mark.asyncio
async def test_without_asyncio(scene: Scene) -> None:
    def play() -> list[str]:
        ambient = ambient_of(scene.clock, seed=9)
        with SyncVendor(identity(4), allow_private_addresses=True, ambient=ambient) as vendor:
            ends_s = scene.clock.now_s + 86_400
            made = vendor.connect(scene.house.base, ASKED, ends_s, return_to=RETURN_TO)
            query = asyncio.run_coroutine_threadsafe(approve(scene.house, made), loop).result()
            access = vendor.returned(query, challenge=made.challenge).decision()
            return [str(one["name"]) for one in access.read("delivery").records]

    loop = asyncio.get_running_loop()
    assert await asyncio.to_thread(play) == ["Ada Example"]


# Attacks


@pytest.mark.requirement("CLT-15")
@pytest.mark.asyncio
async def test_the_victim_s_approval_is_not_taken_for_the_attacker_s_account(scene: Scene) -> None:
    """The attacker begins, and has the victim's browser carry the request: it comes back in the victim's browser."""
    attackers, victims = await connect(scene), await connect(scene)
    query = await approve(scene.house, attackers)
    for session in (victims.challenge, None, ""):
        with pytest.raises(OtherBrowserError):
            await scene.vendor.returned(query, challenge=session)
    assert await scene.vendor.accesses() == ()
    # Nor does a code help that the attacker gets at afterwards: what came to another browser is given up.
    with pytest.raises(NotFoundError):
        await scene.vendor.returned(query, challenge=attackers.challenge)
    row = await scene.house.own("GET", f"/requests/{await taken_in(scene.house, attackers)}")
    assert (row["status"], row["connect"]["claimed"]) == ("approved", False)


@pytest.mark.requirement("CLT-15")
@pytest.mark.asyncio
async def test_what_was_granted_already_is_not_given_up(scene: Scene) -> None:
    made = await connect(scene)
    query = await approve(scene.house, made)
    access = await settle(scene.vendor, query, made)
    with pytest.raises(OtherBrowserError):
        await scene.vendor.returned(query, challenge=None)
    assert await settle(scene.vendor, query, made) is access


@pytest.mark.requirement("CLT-15")
@pytest.mark.asyncio
async def test_the_attacker_s_code_in_the_victim_s_browser_connects_nobody(scene: Scene) -> None:
    """The attacker approves with their own node and leads the victim's browser to the page with what came of it."""
    attackers, victims = await connect(scene), await connect(scene)
    planted = await approve(scene.house, attackers)
    with pytest.raises(OtherBrowserError):
        await scene.vendor.returned(planted, challenge=victims.challenge)
    planted = await approve(scene.house, await connect(scene))
    # With the victim's challenge beside it, which nobody but their browser knows, it is still another request's.
    pending = await scene.vendor.returned(
        planted | {CHALLENGE: victims.challenge}, challenge=victims.challenge
    )
    with pytest.raises(ReceiptError):
        await pending.decision()


@pytest.mark.requirement("CLT-16")
@pytest.mark.asyncio
async def test_the_code_of_another_request_tells_nothing(scene: Scene) -> None:
    one, other = await connect(scene), await connect(scene)
    query, others = await approve(scene.house, one), await approve(scene.house, other)
    with pytest.raises(TimeoutError):
        await settle(scene.vendor, query | {CODE: others[CODE]}, one)
    assert (await settle(scene.vendor, query, one)).standing is not None


@pytest.mark.requirement("CLT-16")
@pytest.mark.asyncio
async def test_another_vendor_has_nothing_of_a_code(scene: Scene) -> None:
    made = await connect(scene)
    query = await approve(scene.house, made)
    async with Vendor(
        identity(2), allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=8)
    ) as thief:
        with pytest.raises(NotFoundError):
            await thief.returned(query, challenge=made.challenge)
        own = await connect(scene, thief)
        for _ in range(2):  # before the vendor's claim, and after it
            pending = await thief.returned(query | {CHALLENGE: own.challenge}, challenge=own.challenge)
            with pytest.raises(NotFoundError):
                await pending.decision()
            assert (await settle(scene.vendor, query, made)).standing is not None


@pytest.mark.requirement("CLT-16")
@pytest.mark.asyncio
async def test_a_browser_leads_the_vendor_nowhere_else(scene: Scene) -> None:
    made = await connect(scene)
    query = await approve(scene.house, made)
    for where in (
        "", "x", "/requests/x", f"{scene.house.base}/requests/", f"{scene.house.base}/requests/x?code=y",
        f"{scene.house.base}/requests/x#", f"{scene.house.base}/g/x", f"{scene.house.base}/a/requests/x",
        "http://u@127.0.0.1/requests/x", "http://shop.example/requests/x", "http://localhost:1/requests/x",
        "file:///requests/x", "https://ada.example/requests/../x", "https://ada.example\\@b.example/requests/x",
    ):  # fmt: skip
        with pytest.raises(MalformedError):
            await scene.vendor.returned(query | {REQUEST: where}, challenge=made.challenge)
    for code in ("", "short", "a" * 65, "a" * 30 + "&x=y", "\udcff" * 30):
        with pytest.raises(MalformedError):
            await scene.vendor.returned(query | {CODE: code}, challenge=made.challenge)
    assert (await settle(scene.vendor, query, made)).standing is not None


@pytest.mark.requirement("HTTP-65", "CLT-16")
@pytest.mark.asyncio
async def test_an_approval_is_of_the_node_at_which_it_is_followed(liar: Liar) -> None:
    made = await connect(liar)
    query = await approve(liar.house, made)
    pending = await liar.vendor.returned(query, challenge=made.challenge)
    found = await pending._look(0)
    object.__setattr__(pending._held, "status_url", query[REQUEST].replace("127.0.0.1", "127.0.0.3"))
    with pytest.raises(ReceiptError, match="another node"):
        await pending._decided(found)


@pytest.mark.parametrize(
    "page",
    [
        "http://shop.example/returned", "https://shop.example/#x", "https://shop.example/?freehold-code=x",
        "javascript:alert(1)", "https://a@shop.example/", "//shop.example/",
    ],
)  # fmt: skip
@pytest.mark.asyncio
async def test_no_request_is_signed_that_would_lead_elsewhere(scene: Scene, page: str) -> None:
    with pytest.raises(MalformedError):
        await scene.vendor.connect(scene.house.base, ASKED, scene.clock.now_s + 86_400, return_to=page)
    assert await scene.vendor.waiting() == ()


def test_no_two_browsers_are_given_the_same_challenge() -> None:
    async def made() -> set[str]:
        async with Vendor(identity(1)) as vendor:
            ends_s = vendor._ambient.now_s() + 86_400
            pages = [
                await vendor.connect("ada.example", ASKED, ends_s, return_to=RETURN_TO) for _ in range(5)
            ]
            return {one.challenge for one in pages}

    challenges = asyncio.run(made())
    assert len(challenges) == 5
    assert all(len(one) == 32 for one in challenges)


# What a person types


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("ada.example", "https://ada.example"),
        (" Ada.Example/ ", "https://ada.example"),
        ("https://ada.example:8443/my/today?x=y#z", "https://ada.example:8443"),
        ("https://ada.example:443", "https://ada.example"),
        ("ada.example:8443", "https://ada.example:8443"),
        ("bücher.example", "https://xn--bcher-kva.example"),
        ("localhost:8420", "http://localhost:8420"),
        ("LOCALHOST:8420/my/today", "http://localhost:8420"),
        ("http://127.0.0.1:8420/", "http://127.0.0.1:8420"),
        ("127.0.0.1:8420", "http://127.0.0.1:8420"),
        ("[::1]:8420", "http://[::1]:8420"),
        ("http://localhost:80", "http://localhost"),
        ("192.0.2.1", "https://192.0.2.1"),
    ],
)
def test_an_address_is_read_as_people_write_it(typed: str, origin: str) -> None:
    assert read_node_address(typed) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "", "  ", "http://ada.example", "ftp://ada.example", "javascript:alert(1)", "https://ada@ada.example",
        "ada example", "ada.example:port", "ada.example:99999", "https://", "ada..example", "-ada.example",
        "ada.example\\@evil.example", "x" * 501, "https://[::1", "mailto:ada@ada.example", "\"><script>",
        "ada.example.", "☠" * 300,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_words_for_people(typed: str) -> None:
    with pytest.raises(MalformedError, match=r"node"):
        read_node_address(typed)
