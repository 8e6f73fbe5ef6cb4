"""The unmodified ZCAP client ``ezcap`` at a node: it reads, passes on in every proof suite, revokes, is refused.

``FREEHOLD_TRANSCRIPTS`` may name a folder for what was said; with ``-s`` it is printed.
"""

from __future__ import annotations

from typing import Any

import pytest
from ezcap import JCS, RDFC, SUITES, Answer, Client, ClientRefusedError
from ezcap_scene import Scene
from freehold_protocol.capability import root_id
from freehold_protocol.encoding import Document
from shop import COURIER, DRIVER, NAME_ONLY, OUTSIDER, kinds

pytestmark = pytest.mark.asyncio
ADA = ["Ada Example"]


# What works


@pytest.mark.parametrize("suite", SUITES)
async def test_it_reads_and_passes_on_in_every_suite(scene: Scene, suite: str) -> None:
    """Vendor to courier in one suite, courier to driver in each of the three."""
    vendor, courier, driver = scene.vendor(suite), scene.courier(), scene.driver()
    assert (await vendor.request(scene.url(), scene.issued)).names == ADA
    first = await vendor.delegate(scene.issued, COURIER, target=scene.url("/delivery"))
    assert (await courier.request(scene.url(), first)).names == ADA
    for other in SUITES:
        second = await scene.courier(other).delegate(first, DRIVER)
        read = await driver.request(scene.url("/delivery/records?fields=name"), second)
        assert read.names == ADA
        entry = await scene.entry(read.entry)
        assert (entry["kind"], entry["who"], len(entry["chain"])) == ("admitted", DRIVER.did, 3)
    assert (await scene.house.own("POST", "/verify", {}))["intact"]


async def test_it_looks_at_its_grant_its_ledger_and_single_records(scene: Scene) -> None:
    vendor, courier = scene.vendor(), scene.courier()
    capability = await scene.passed_on()
    page = await vendor.request(scene.url(), scene.issued)
    alias = page.body["items"][0]["id"].removeprefix("urn:freehold:")
    assert (await vendor.request(scene.url(f"/delivery/records/{alias}"), scene.issued)).body["name"] == ADA[
        0
    ]
    assert (await vendor.request(scene.url(""), scene.issued)).body["receipt"]["request"]["proof"]
    assert (await courier.request(scene.url("/delivery"), capability)).body["status"]["state"] == "live"
    own = await courier.request(scene.url("/delivery/ledger/entries"), capability)
    assert len(own.body["entries"]) == page.entry + 2


async def test_the_longest_chain_in_all_suites(scene: Scene) -> None:
    """Ten links with the root, each signed in another suite than the one before."""
    capability, holders = scene.issued, [scene.held.key, *([COURIER, DRIVER] * 4)]
    for number, (giver, taker) in enumerate(zip(holders, [*holders[1:], COURIER], strict=True)):
        by = scene.client(f"holder {number}", giver, SUITES[number % 3])
        passed_on = await by.delegate(capability, taker, target=scene.url("/delivery"))
        taking = scene.client(f"holder {number + 1}", taker)
        answer = await taking.request(scene.url(), passed_on)
        if number < 8:
            assert answer.names == ADA
        else:
            assert answer.code == "capability-invalid"
        capability = passed_on


# What is refused


async def test_what_the_client_itself_does_not_do(scene: Scene) -> None:
    capability = await scene.passed_on()
    for refused in (
        scene.courier().request(scene.url("/marketing/records"), capability),
        scene.courier().delegate(capability, DRIVER, actions=["read", "write"]),
        scene.courier().delegate(capability, DRIVER, expires_s=scene.house.now_s() + 600),
        scene.vendor().request(scene.url(), root_id(scene.url(""))),  # type: ignore[arg-type]
    ):
        with pytest.raises(ClientRefusedError):
            await refused


async def test_what_a_capability_does_not_open(scene: Scene) -> None:
    capability = await scene.passed_on()
    courier, vendor = scene.courier(), scene.vendor()
    told = {
        "another action": await courier.request(scene.url(), capability, action="write"),
        "another permission": await courier.forced(scene.url("/marketing/records"), capability),
        "the whole grant": await courier.forced(scene.url("/ledger/entries"), capability),
        "what was not given": await vendor.request(scene.url("/nothing/records"), scene.issued),
        "another field": await courier.request(scene.url("/delivery/records?fields=email"), capability),
        "another grant": await courier.forced(scene.url().replace(scene.held.grant, "another"), capability),
        "a longer name": await courier.forced(scene.url("/delivery2/records"), capability),
        "a way up, resolved before it is signed": await courier.forced(
            scene.url("/delivery/%2e%2e/marketing/records"), capability
        ),
        "a type without a body": await vendor.request(
            scene.url(), scene.issued, headers={"content-type": "application/json"}
        ),
        "a key twice": await courier.request(scene.url("/delivery/records?limit=1&limit=2"), capability),
    }
    assert {name: answer.code for name, answer in told.items()} == {
        "another action": "wrong-action",
        "another permission": "wrong-target",
        "the whole grant": "wrong-target",
        "what was not given": "not-shared",
        "another field": "not-shared",
        "another grant": "not-found",
        "a longer name": "wrong-target",
        "a way up, resolved before it is signed": "wrong-target",
        "a type without a body": "signature-invalid",
        "a key twice": "duplicate-key",
    }


async def test_the_root_capability_opens_nothing(scene: Scene) -> None:
    """By its id alone it is invoked by whoever likes; as a text its target has to be https, as an object not."""
    root = {
        "@context": "https://w3id.org/zcap/v1",
        "id": root_id(scene.url("")),
        "controller": scene.held.key.did,
        "invocationTarget": scene.url(""),
    }
    assert (await scene.vendor().request(scene.url(), root)).code == "not-found"
    assert (await scene.vendor().request(scene.url())).code == "not-found"


async def test_another_signer_and_another_delegator(scene: Scene) -> None:
    capability = await scene.passed_on()
    assert (await scene.driver().request(scene.url(), capability)).code == "wrong-controller"
    taken = await scene.outsider().delegate(capability, DRIVER)
    assert (await scene.driver().request(scene.url(), taken)).code == "not-found"


@pytest.mark.parametrize("suite", SUITES)
async def test_a_link_that_allows_more_than_the_one_before(scene: Scene, suite: str) -> None:
    capability = await scene.passed_on(suite)
    courier, driver = scene.courier(suite), scene.driver()
    wider = await courier.delegate(capability, DRIVER, target=scene.url(""))
    assert (await driver.request(scene.url(), wider)).code == "capability-widened"
    more = {"allowedAction": ["read", "write"]}
    made_of_it = await courier.delegate(capability | more, DRIVER)
    assert (await driver.request(scene.url(), made_of_it)).code == "capability-widened"
    made_of_it = await scene.vendor(suite).delegate(scene.issued | more, COURIER)
    assert (await scene.courier().request(scene.url(), made_of_it)).code == "not-found"


@pytest.mark.parametrize("suite", SUITES)
async def test_any_member_altered_after_it_was_signed(scene: Scene, suite: str) -> None:
    capability = await scene.passed_on(suite)
    for name, value in (
        ("id", "urn:uuid:00000000-0000-4000-8000-000000000000"),
        ("expires", "2099-01-01T00:00:00Z"),
        ("allowedAction", ["read", "write"]),
        ("invocationTarget", scene.url("")),
    ):
        answer = await scene.courier().request(scene.url(), capability | {name: value})
        assert answer.code in ("not-found", "capability-widened"), name


async def test_who_is_no_recipient(scene: Scene) -> None:
    for permission, key, client in (
        ("/delivery", OUTSIDER, scene.outsider()),
        ("/marketing", COURIER, scene.courier()),
    ):
        capability = await scene.vendor().delegate(scene.issued, key, target=scene.url(permission))
        answer = await client.request(scene.url(f"{permission}/records"), capability)
        assert answer.code == "wrong-controller"


async def test_after_its_time(scene: Scene) -> None:
    capability = await scene.passed_on()
    assert (await scene.courier().request(scene.url(), capability)).names == ADA
    assert scene.house.clock is not None
    scene.transcript.note("301 seconds later")
    scene.house.clock.advance(301)  # a second longer than it is good for; signatures are for ten minutes
    assert (await scene.courier().request(scene.url(), capability)).code == "capability-expired"
    assert (await scene.vendor().request(scene.url(), scene.issued)).names == ADA


async def test_after_the_person_says_no(scene: Scene) -> None:
    first = await scene.passed_on()
    second = await scene.courier(JCS).delegate(first, DRIVER)

    async def codes() -> list[str | None]:
        return [
            (await client.request(scene.url(), capability)).code
            for client, capability in (
                (scene.vendor(), scene.issued),
                (scene.courier(), first),
                (scene.driver(), second),
            )
        ]

    assert await codes() == [None] * 3
    await scene.person("pause")
    assert await codes() == ["grant-paused"] * 3
    await scene.person("resume")
    assert await codes() == [None] * 3
    await scene.person("narrow", NAME_ONLY)
    narrowed = await scene.driver().request(scene.url(), second)
    assert "address" not in narrowed.body["items"][0]
    await scene.person_revokes(COURIER)
    assert await codes() == [None, "revoked", "revoked"]
    await scene.person("end")
    assert (await codes())[0] == "grant-ended"
    assert "refused grant-paused" in await kinds(scene.house, scene.held.grant)


@pytest.mark.parametrize("scene", [{"reads": 3}], indirect=True)
async def test_reads_are_counted_whoever_makes_them(scene: Scene) -> None:
    scene.transcript.note("three reads in all were granted")
    first = await scene.passed_on(RDFC)
    second = await scene.courier().delegate(first, DRIVER)
    for client, capability in (
        (scene.vendor(), scene.issued),
        (scene.courier(), first),
        (scene.driver(), second),
    ):
        assert (await client.request(scene.url(), capability)).names == ADA
    for client, capability in ((scene.vendor(), scene.issued), (scene.driver(), second)):
        assert (await client.request(scene.url(), capability)).code == "limit-reached"


# What comes twice


async def same_second(
    client: Client, url: str, capability: Document | None = None, **more: Any
) -> list[Answer]:
    """Send a request twice in one second; such clients have no nonce, so the bytes are the same."""
    for _ in range(10):
        answers = await client.requests(url, capability, times=2, **more)
        if answers[0].sent == answers[1].sent:
            return answers
    raise AssertionError("no two requests were of one second")


async def test_two_reads_of_one_second_are_two_reads(scene: Scene) -> None:
    answers = await same_second(scene.vendor(), scene.url(), scene.issued)
    assert [answer.names for answer in answers] == [ADA, ADA]
    first, second = sorted(answer.entry for answer in answers)
    assert second == first + 1
    repeats = [(await scene.entry(number)).get("repeatOf") for number in (first, second)]
    scene.transcript.note(f"the ledger: entry {second} has repeatOf {repeats[1]}")
    assert repeats == [None, first]


async def test_two_revocations_of_one_second_are_one(scene: Scene) -> None:
    capability = await scene.passed_on()
    url = scene.revocation_url(capability)
    before = len(await kinds(scene.house, scene.held.grant))
    answers = await same_second(scene.vendor(), url, method="post", action="write", json=capability)
    assert [answer.status for answer in answers] == [204, 204]
    assert len(await kinds(scene.house, scene.held.grant)) == before + 1


# Revocation by the holders themselves


@pytest.mark.parametrize("suite", SUITES)
async def test_everyone_in_a_chain_revokes_it(scene: Scene, suite: str) -> None:
    """The delegator takes back, the delegate renounces."""
    first = await scene.passed_on(suite)
    for by in (scene.vendor(), scene.courier(), scene.driver()):
        second = await scene.courier(suite).delegate(first, DRIVER)
        assert (await scene.driver().request(scene.url(), second)).names == ADA
        assert (await scene.revoke(by, second)).status == 204
        assert (await scene.driver().request(scene.url(), second)).code == "revoked"
    assert (await scene.courier().request(scene.url(), first)).names == ADA


async def test_what_is_revoked_takes_along_what_hangs_on_it(scene: Scene) -> None:
    first = await scene.passed_on()
    second = await scene.courier(RDFC).delegate(first, DRIVER)
    assert (await scene.revoke(scene.courier(), first)).status == 204
    for client, capability in ((scene.courier(), first), (scene.driver(), second)):
        assert (await client.request(scene.url(), capability)).code == "revoked"
    assert (await scene.vendor().request(scene.url(), scene.issued)).names == ADA


async def test_who_is_not_in_the_chain_revokes_nothing(scene: Scene) -> None:
    first = await scene.passed_on()
    second = await scene.courier().delegate(first, DRIVER)
    for client, capability in (
        (scene.outsider(), first),
        (scene.outsider(), second),
        (scene.driver(), first),
    ):
        answer = await scene.revoke(client, capability)
        assert (answer.status, answer.code) == (404, "not-found")
    # An id is anyone's choice: a capability of one's own under another's id revokes nothing of the other's.
    stolen = await scene.outsider().delegate(first, OUTSIDER) | {"id": first["id"]}
    assert (await scene.revoke(scene.outsider(), stolen)).code in ("not-found", "capability-invalid")
    assert (await scene.revoke(scene.courier(), first, headers={"x-more": "not signed"})).status == 204
