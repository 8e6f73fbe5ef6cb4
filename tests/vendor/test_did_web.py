"""The library as a vendor, and as a partner, that a domain vouches for: against a node that looks them up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from did_server import answering
from freehold_protocol.keys import SigningKey
from freehold_vendor import Access, KeptInFolder, PendingRequest, Vendor, VendorIdentity
from freehold_vendor.errors import (
    ControllerError,
    DidUnavailableError,
    PausedError,
    RevokedError,
    UnsupportedError,
    problem_of,
)
from vendor_scene import ambient_of, grant_id
from web_vendor import CARRIER, SECOND, SHOP, Web, open_web

DAY_S = 86_400


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with open_web(tmp_path / "node") as made:
        yield made


def publish(web: Web, identity: VendorIdentity) -> None:
    """Publish what the library says is to be published."""
    web.server.say(identity.did, answering(json.dumps(identity.did_document()).encode()))


def vendor(web: Web, identity: VendorIdentity, **more: Any) -> Vendor:
    return Vendor(identity, allow_private_addresses=True, ambient=ambient_of(web.clock), **more)


def shop_identity(web: Web, key: SigningKey = SHOP) -> VendorIdentity:
    return VendorIdentity(key, "Test Shop", web.shop)


async def ask(web: Web, made: Vendor, *recipients: str) -> PendingRequest:
    url = (await web.house.own("POST", "/invitations", {"label": "Shop"}))["url"]
    return await made.ask(url, web.asked(*recipients), web.clock.now_s + 30 * DAY_S)


async def relate(web: Web, made: Vendor, *recipients: str) -> Access:
    pending = await ask(web, made, *recipients)
    inbox = (await web.house.own("GET", "/requests?status=waiting"))["requests"]
    [found] = [one for one in inbox if one["code"] == pending.code]
    assert found["vendor"]["vouched"] is True
    await web.house.approve(found["id"], web.asked(*recipients))
    return await pending.decision(timeout_s=0)


@pytest.mark.asyncio
async def test_a_vendor_of_a_domain_asks_reads_and_renews(web: Web, tmp_path: Path) -> None:
    identity, folder = shop_identity(web), KeptInFolder(tmp_path / "held")
    publish(web, identity)
    async with vendor(web, identity, keeping=folder) as shop:
        access = await relate(web, shop)
        release = await access.read("delivery")
        assert release.records[0]["name"] == "Ada Example"
        assert [record["name"] async for record in access.list("delivery")] == ["Ada Example"]
        assert (await access.refresh()).state == "live"
        assert access.receipt is not None
        assert access.receipt.verify().vendor == web.shop
        assert web.server.count(web.shop) == 1
        await access.renew()
        assert web.server.count(web.shop) == 2
        assert (await access.read("delivery")).records == release.records
    async with vendor(web, identity, keeping=folder) as again:  # what was kept holds, offline
        [access] = await again.accesses()
        assert access.receipt is not None
        assert access.receipt.verify().vendor_key == SHOP.public
        assert (await access.read("delivery")).records == release.records
        await access.renounce()
        with pytest.raises(RevokedError):
            await access.read("delivery")
        await access.renew()
        assert (await access.read("delivery")).records == release.records


@pytest.mark.asyncio
async def test_a_late_approval_is_taken_up_by_renewing(web: Web) -> None:
    identity = shop_identity(web)
    publish(web, identity)
    async with vendor(web, identity) as shop:
        pending = await ask(web, shop)
        web.clock.advance(8 * DAY_S)
        [found] = (await web.house.own("GET", "/requests?status=waiting"))["requests"]
        await web.house.approve(found["id"], web.asked())
        access = await pending.decision(timeout_s=0)
        assert access.capability is None
        assert (await access.read("delivery")).records
        assert web.server.count(web.shop) == 2


@pytest.mark.asyncio
async def test_a_document_that_is_not_published_is_told(web: Web) -> None:
    identity = shop_identity(web)
    async with vendor(web, identity) as shop:
        with pytest.raises(DidUnavailableError) as raised:
            await ask(web, shop)
        problem = problem_of(raised.value)
        assert problem is not None
        assert problem.retry_after_s == 120
        [pending] = await shop.waiting()
        publish(web, identity)
        web.clock.advance(120)
        await pending.send()
        assert (await web.house.own("GET", "/requests"))["requests"][0]["code"] == pending.code


@pytest.mark.asyncio
async def test_a_vendor_with_a_new_key_waits_for_the_person(web: Web) -> None:
    before, after = shop_identity(web), shop_identity(web, SECOND)
    publish(web, before)
    async with vendor(web, before) as old:
        access = await relate(web, old)
        publish(web, after)
        with pytest.raises(PausedError):
            await access.renew()
        held = access._holder.held
        async with vendor(web, after) as new:
            await new._outside.keeping.save(held)
            [taken] = await new.accesses()
            with pytest.raises(PausedError):
                await taken.renew()
            grant = grant_id(access)
            [shown] = (await web.house.own("GET", f"/grants/{grant}/keys"))["keys"]
            await web.house.own(
                "POST",
                f"/grants/{grant}/keys",
                {"digest": shown["digest"], "passphrase": "correct horse battery staple"},
            )
            await web.house.change(grant, "resume")
            await taken.renew()
            assert (await taken.read("delivery")).records
        with pytest.raises(RevokedError):
            await access.read("delivery")


@pytest.mark.asyncio
async def test_a_partner_of_a_domain_reads_and_renounces(web: Web) -> None:
    partner = VendorIdentity(CARRIER, "Test Carrier", web.carrier)
    publish(web, shop_identity(web))
    publish(web, partner)
    async with vendor(web, shop_identity(web)) as shop, vendor(web, partner) as carrier:
        access = await relate(web, shop, web.carrier)
        with pytest.raises(UnsupportedError):  # nobody can hold a capability by a domain
            await access.delegate(web.carrier, "delivery")
        with pytest.raises(ControllerError):
            await access.delegate("did:web:other.example", "delivery", key=CARRIER.did)
        with pytest.raises(ControllerError):
            await access.delegate(CARRIER.did, "delivery")
        delegation = await access.delegate(web.carrier, "delivery", key=partner.key.did)
        theirs = await carrier.accept(json.loads(json.dumps(delegation.to_dict())))
        assert (await theirs.refresh()).permission("delivery") is not None
        assert (await theirs.read("delivery")).records[0]["name"] == "Ada Example"
        assert (web.server.count(web.carrier), web.server.count(web.shop)) == (1, 1)
        await theirs.renounce()
        with pytest.raises(RevokedError):
            await theirs.read("delivery")
        again = await carrier.accept(
            (await access.delegate(web.carrier, "delivery", key=CARRIER.did)).to_dict()
        )
        assert (await again.read("delivery")).records
        grant = grant_id(access)
        await web.house.own("POST", f"/grants/{grant}/revocations", {"partner": web.carrier})
        with pytest.raises(RevokedError):
            await again.read("delivery")
        assert (await access.read("delivery")).records
        delegation = await access.delegate(web.carrier, "delivery", key=CARRIER.did)
        await access.revoke(delegation)


@pytest.mark.asyncio
async def test_a_key_is_not_delegated_to_under_another_keys_name(web: Web) -> None:
    publish(web, shop_identity(web))
    async with vendor(web, shop_identity(web)) as shop:
        access = await relate(web, shop, CARRIER.did)
        assert await access.delegate(CARRIER.did, "delivery", key=CARRIER.did)
        with pytest.raises(ControllerError):
            await access.delegate(CARRIER.did, "delivery", key=SECOND.did)
