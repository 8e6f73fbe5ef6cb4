"""Delegation: a partner reads one permission with what the vendor gave it, and nobody else does."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.capability import delegate
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    ActionError,
    AttenuationError,
    CapabilityError,
    ControllerError,
    EndedError,
    ExpiredError,
    FreeholdError,
    LimitReachedError,
    MalformedError,
    NotFoundError,
    NotSharedError,
    RevokedError,
    SignatureError,
    TargetError,
)
from freehold_protocol.keys import SigningKey
from freehold_vendor import Access, CountCaveat, KeptInMemory, RateCaveat, Vendor, VendorIdentity, problem_of
from harness import permission
from vendor_scene import ASKED, COURIER, GIVEN, Scene, ambient_of, grant_id, identity

pytestmark = pytest.mark.asyncio
DAY_S = 86_400


@pytest_asyncio.fixture
async def courier(scene: Scene) -> AsyncIterator[Vendor]:
    async with Vendor(COURIER, allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=8)) as made:
        yield made


async def hand_over(access: Access, partner: Vendor, **more: Any) -> Access:
    """Delegate as JSON over whatever the two use between them."""
    delegation = await access.delegate(partner.identity.did, "delivery", **more)
    return await partner.accept(json.loads(json.dumps(delegation.to_dict())))


async def test_a_partner_reads_and_the_ledger_says_that_it_was_the_partner(
    scene: Scene, courier: Vendor
) -> None:
    shop = await scene.relate()
    access = await hand_over(shop, courier)
    release = await access.read("delivery")
    assert release.records[0]["name"] == "Ada Example"
    entry = await release.verify()
    assert entry.who == COURIER.did
    assert len(entry.chain) == 2
    assert (access.is_partner, shop.is_partner) == (True, False)
    assert access.receipt is None


async def test_partner_and_vendor_follow_the_same_ledger(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    partner = await hand_over(shop, courier)
    for _ in range(3):
        await shop.read("delivery")
        await partner.read("delivery")
    assert partner.checkpoint is not None
    assert shop.checkpoint is not None
    assert partner.checkpoint.origin == shop.checkpoint.origin
    assert partner.checkpoint.size == shop.checkpoint.size + 1


async def test_a_partner_sees_how_the_grant_stands_and_no_other_permission(
    scene: Scene, courier: Vendor
) -> None:
    shop = await scene.relate()
    access = await hand_over(shop, courier)
    assert access.standing is None
    standing = await access.refresh()
    assert [one.name for one in standing.permissions] == ["delivery"]
    assert (standing.state, standing.version) == ("live", 1)
    await scene.change(shop, "end")
    assert (await access.refresh()).state == "ended"
    assert access.standing is not None
    assert access.standing.state == "ended"
    with pytest.raises(EndedError):
        await access.read("delivery")


@pytest.mark.parametrize("name", ["marketing", "circle", "nothing"])
async def test_a_partner_has_one_permission_and_no_other(scene: Scene, courier: Vendor, name: str) -> None:
    access = await hand_over(await scene.relate(), courier)
    with pytest.raises(TargetError):
        await access.read(name)


async def test_the_vendor_knows_who_may_be_a_partner(scene: Scene, courier: Vendor) -> None:
    access = await scene.relate()
    with pytest.raises(ControllerError):
        await access.delegate(identity(9).did, "delivery")
    with pytest.raises(ControllerError):
        await access.delegate(COURIER.did, "marketing")
    with pytest.raises(NotSharedError):
        await access.delegate(COURIER.did, "payment")


def forged(access: Access, vendor: VendorIdentity, partner: VendorIdentity, **more: Any) -> Document:
    """What a vendor could sign, whatever its library says."""
    parent = access.capability
    assert parent is not None
    given: dict[str, Any] = {
        "capability_id": "urn:uuid:11111111-2222-4333-8444-555555555555",
        "controller": partner.key.public,
        "target": access.grant + "/delivery",
        "actions": ("read",),
        "created_s": parent.created_s,
        "expires_s": parent.expires_s,
        "parent": parent,
    } | more
    signer: SigningKey = given.pop("signer", vendor.key)
    assert access.receipt is not None
    newest = access.receipt.versions[-1]
    return {
        "type": "Delegation",
        "permission": "delivery",
        "capability": delegate(signer, **given).document,
        "servingKey": newest.serving_key.did,
        "log": newest.log,
    }


async def test_a_stranger_who_was_delegated_to_is_refused_by_the_node(scene: Scene) -> None:
    access, stranger = await scene.relate(), identity(9)
    async with Vendor(stranger, allow_private_addresses=True, ambient=ambient_of(scene.clock)) as vendor:
        partner = await vendor.accept(forged(access, scene.vendor.identity, stranger))
        with pytest.raises(ControllerError) as caught:
            await partner.read("delivery")
        assert problem_of(caught.value) is not None


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"expires_s": 2_000_000_000}, AttenuationError),
        ({"actions": ("read", "write")}, AttenuationError),
        ({"signer": SigningKey(bytes([9]) * 32)}, ControllerError),
        ({"target": "http://127.0.0.1:1/g/other/delivery"}, CapabilityError),
        ({"controller": SigningKey(bytes([9]) * 32).public}, ControllerError),
    ],
)
async def test_a_delegation_that_does_not_hold_is_not_taken_up(
    scene: Scene, courier: Vendor, more: dict[str, Any], error: type[FreeholdError]
) -> None:
    document = forged(await scene.relate(), scene.vendor.identity, COURIER, **more)
    with pytest.raises(error) as caught:
        await courier.accept(document)
    assert problem_of(caught.value) is None


Spoil = Callable[[Document], Any]


ALTERED: list[tuple[Spoil, type[FreeholdError]]] = [
    (lambda one: one.clear(), MalformedError),
    (lambda one: one.update(type="Grant"), MalformedError),
    (lambda one: one.update(permission="marketing"), TargetError),
    (lambda one: one.update(permission="../x"), MalformedError),
    (lambda one: one.update(log="somewhere/else"), MalformedError),
    (lambda one: one.update(servingKey=COURIER.did), ControllerError),
    (lambda one: one.update(servingKey="did:web:node.example"), FreeholdError),
    (lambda one: one.update(more=1), MalformedError),
    (lambda one: one["capability"].update(expires="2026-11-24T12:00:00Z"), SignatureError),
    (lambda one: one["capability"].pop("proof"), MalformedError),
    (lambda one: one["capability"].update(controller=identity(9).did), SignatureError),
    (lambda one: one.update(capability=None), MalformedError),
]


async def test_a_delegation_that_was_altered_is_not_taken_up(scene: Scene, courier: Vendor) -> None:
    delegation = await (await scene.relate()).delegate(COURIER.did, "delivery")
    for spoil, error in ALTERED:
        document = copy.deepcopy(delegation.to_dict())
        spoil(document)
        with pytest.raises(error):
            await courier.accept(document)
    assert await courier.accesses() == ()


@pytest.mark.parametrize("document", [None, [], "text", 7])
async def test_what_is_no_document_is_no_delegation(courier: Vendor, document: Any) -> None:
    with pytest.raises(MalformedError):
        await courier.accept(document)


async def test_a_delegation_ends_when_told_and_never_after_its_parent(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    soon = await shop.delegate(COURIER.did, "delivery", expires_s=scene.clock.now_s + 600)
    late = await shop.delegate(COURIER.did, "delivery", expires_s=scene.clock.now_s + 3000 * DAY_S)
    assert shop.capability is not None
    assert late.capability.expires_s == shop.capability.expires_s
    access = await courier.accept(soon.to_dict())
    await access.read("delivery")
    scene.clock.advance(600)
    with pytest.raises(ExpiredError):
        await access.read("delivery")
    with pytest.raises(TypeError):
        await access.renew()


async def test_no_action_can_be_delegated_that_is_not_ours(scene: Scene) -> None:
    access = await scene.relate()
    with pytest.raises(ActionError):
        await access.delegate(COURIER.did, "delivery", actions=("write",))


async def test_the_vendor_takes_back_what_it_delegated(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    delegation = await shop.delegate(COURIER.did, "delivery")
    partner = await courier.accept(delegation.to_dict())
    await partner.read("delivery")
    await shop.revoke(delegation)
    with pytest.raises(RevokedError):
        await partner.read("delivery")
    assert (await shop.read("delivery")).records
    await shop.revoke(delegation)  # again: nothing happens


async def test_the_person_cuts_off_a_partner_alone(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    partner = await hand_over(shop, courier)
    await partner.read("delivery")
    await scene.house.own("POST", f"/grants/{grant_id(shop)}/revocations", {"partner": COURIER.did})
    with pytest.raises(RevokedError):
        await partner.read("delivery")
    assert (await shop.read("delivery")).records


async def test_a_recipient_taken_away_is_refused_on_the_next_read(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    partner = await hand_over(shop, courier)
    await partner.read("delivery")
    await scene.change(shop, "narrow", [permission("delivery", ["name"]), GIVEN[1], GIVEN[2]])
    with pytest.raises(ControllerError):
        await partner.read("delivery")
    await shop.refresh()
    with pytest.raises(ControllerError):
        await shop.delegate(COURIER.did, "delivery")


async def test_what_the_vendor_gives_up_the_partner_loses(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    partner = await hand_over(shop, courier)
    await shop.renounce()
    with pytest.raises(RevokedError):
        await partner.read("delivery")


async def test_a_partner_gives_up_its_own_part(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    partner = await hand_over(shop, courier)
    await partner.renounce()
    with pytest.raises(RevokedError):
        await partner.read("delivery")
    assert (await shop.read("delivery")).records


async def test_a_stranger_revokes_nothing(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    delegation = await shop.delegate(COURIER.did, "delivery")
    partner = await courier.accept(delegation.to_dict())
    async with Vendor(
        identity(9), allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=19)
    ) as stranger:
        other = await scene.relate(asked=[ASKED[1]], given=[ASKED[1]], vendor=stranger)
        with pytest.raises(FreeholdError) as caught:
            await other.revoke(delegation)
        assert type(caught.value) is NotFoundError
    assert (await partner.read("delivery")).records


async def test_a_partner_delegates_on_only_to_recipients(scene: Scene, courier: Vendor) -> None:
    rider = identity(9, "Rider")
    both = [permission("delivery", ["name"], recipients=[COURIER.did, rider.did])]
    shop = await scene.relate(both, asked=both)
    partner = await hand_over(shop, courier)
    await partner.refresh()
    with pytest.raises(ControllerError):
        await partner.delegate(identity(10).did, "delivery")
    delegation = await partner.delegate(rider.did, "delivery")
    async with Vendor(rider, allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=3)) as vendor:
        access = await vendor.accept(delegation.to_dict())
        entry = await (await access.read("delivery")).verify()
        assert (entry.who, len(entry.chain)) == (rider.did, 3)
        await shop.revoke(
            await shop.delegate(COURIER.did, "delivery")
        )  # another one: that of the rider stands
        assert (await access.read("delivery")).records


async def test_an_id_that_another_delegation_bears_leads_nowhere_else(scene: Scene, courier: Vendor) -> None:
    """A delegator chooses the id of what it delegates, so it may choose another's."""
    accesses = []
    for seed in (2, 3):
        async with Vendor(
            identity(seed), allow_private_addresses=True, ambient=ambient_of(scene.clock, seed=seed)
        ) as shop:
            access = await scene.relate(vendor=shop)
            accesses.append(await courier.accept(forged(access, shop.identity, COURIER)))
    assert accesses[0].grant != accesses[1].grant


async def test_a_partner_goes_on_where_it_stopped(scene: Scene) -> None:
    keeping, shop = KeptInMemory(), await scene.relate()
    document = (await shop.delegate(COURIER.did, "delivery")).to_dict()
    for seed in (31, 32):
        ambient = ambient_of(scene.clock, seed=seed)
        async with Vendor(COURIER, allow_private_addresses=True, ambient=ambient, keeping=keeping) as vendor:
            before = [access.checkpoint for access in await vendor.accesses()]
            access = await vendor.accept(document)
            assert await vendor.accept(document) is access
            assert [access.checkpoint] == (before or [None])
            await access.read("delivery")
    assert len(await keeping.load()) == 1


async def test_a_partner_is_limited_by_what_the_vendor_adds(scene: Scene, courier: Vendor) -> None:
    shop = await scene.relate()
    access = await hand_over(shop, courier, caveats=[CountCaveat(reads=2), RateCaveat(reads=1, seconds=3600)])
    await access.read("delivery")
    with pytest.raises(LimitReachedError):
        await access.read("delivery")
    scene.clock.advance(3600)
    await access.read("delivery")
    scene.clock.advance(3600)
    with pytest.raises(LimitReachedError):
        await access.read("delivery")
    await shop.read("delivery")
    capability = access.capability
    assert capability is not None
    assert len(capability.caveats) == 2
