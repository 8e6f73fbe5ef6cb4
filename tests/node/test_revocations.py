"""What the person takes back: one partner, one capability, one permission, one vendor, everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.encoding import Document
from freehold_protocol.keys import SigningKey
from harness import ADA, Held, House, open_house, permission

COURIER, DRIVER, OTHER = (SigningKey(bytes([n]) * 32) for n in (71, 72, 73))
DELIVERY = permission("delivery", ["name"], recipients=[COURIER.did, DRIVER.did])
NEWS = permission("news", ["email"], purpose="dpv:Marketing")

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "node") as opened:
        await opened.import_file(ADA)
        yield opened


@pytest_asyncio.fixture
async def shop(house: House) -> Held:
    return await house.relate([DELIVERY, NEWS])


async def code_of(held: Held, name: str = "delivery") -> str | None:
    return (await held.get(f"/{name}/records")).code


async def take_back(held: Held, **what: Any) -> Document:
    done: Document = await held.house.own("POST", f"/grants/{held.grant}/revocations", what)
    return done


def digest_of(held: Held) -> str:
    return held.capability.verify()[1]


async def test_one_permission_goes_and_the_others_stay(house: House, shop: Held) -> None:
    assert await take_back(shop, permission="news") == {"revoked": True, "state": "live"}
    assert [await code_of(shop, name) for name in ("delivery", "news")] == [None, "not-shared"]
    again = await house.owner("POST", f"/grants/{shop.grant}/revocations", {"permission": "news"})
    assert again.code == "not-shared"
    versions = (await house.own("GET", f"/grants/{shop.grant}"))["receipt"]["versions"]
    assert [len(one["permission"]) for one in versions] == [2, 1], "a narrowing, with its receipt"


async def test_with_its_only_permission_the_grant_ends(house: House) -> None:
    shop = await house.relate([NEWS])
    assert await take_back(shop, permission="news") == {"revoked": True, "state": "ended"}
    assert await code_of(shop, "news") == "grant-ended"


@pytest.mark.requirement("GRA-23")
async def test_one_capability_goes_with_all_below_it_and_no_sibling(shop: Held) -> None:
    courier = shop.delegate(COURIER, path="/delivery")
    driver = courier.delegate(DRIVER, path="/delivery")
    sibling = shop.delegate(COURIER, path="/delivery")
    for held in (courier, driver, sibling):
        assert await code_of(held) is None
    assert await take_back(shop, capability=digest_of(courier)) == {"revoked": True}
    assert await take_back(shop, capability=digest_of(courier)) == {"revoked": False}
    assert [await code_of(held) for held in (courier, driver, sibling, shop)] == [
        "revoked",
        "revoked",
        None,
        None,
    ]


@pytest.mark.requirement("GRA-23", "GRA-25")
async def test_a_capability_that_was_never_seen_goes_by_its_id(shop: Held) -> None:
    courier = shop.delegate(COURIER, path="/delivery")
    driver = courier.delegate(DRIVER, path="/delivery")
    assert await take_back(shop, capability=courier.capability.id) == {"revoked": True}
    assert [await code_of(held) for held in (courier, driver, shop)] == ["revoked", "revoked", None]
    entries = (await shop.house.own("GET", f"/grants/{shop.grant}/ledger"))["entries"]
    assert courier.capability.id in [one["entry"].get("revoked") for one in entries if "entry" in one]


async def test_everything_of_one_vendor_ends_and_another_reads_on(house: House, shop: Held) -> None:
    second = await house.relate([NEWS], key=shop.key)
    waiting, _ = await house.ask(shop.key, [NEWS])
    other = await house.relate([NEWS], key=OTHER, name="Other Shop")
    done = await house.own("POST", "/revocations", {"vendor": shop.key.did})
    assert sorted(done["ended"]) == sorted([shop.grant, second.grant])
    assert [await code_of(shop), await code_of(second, "news"), await code_of(other, "news")] == [
        "grant-ended", "grant-ended", None,
    ]  # fmt: skip
    assert (await house.signed(shop.key, "GET", waiting)).json["status"] == "refused"
    assert (await house.own("POST", "/revocations", {"vendor": shop.key.did}))["ended"] == []
    assert (await house.owner("POST", "/revocations", {"vendor": COURIER.did})).code == "not-found"


@pytest.mark.requirement("GRA-23", "GRA-24")
async def test_everything_ends_for_everyone(house: House, shop: Held) -> None:
    other = await house.relate([NEWS], key=OTHER, name="Other Shop")
    await house.change(other.grant, "pause")
    waiting, _ = await house.ask(OTHER, [NEWS], name="Other Shop")
    invitation = await house.own("POST", "/invitations", {"label": "open"})
    done = await house.own("POST", "/revocations", {"everything": True})
    assert sorted(done["ended"]) == sorted([shop.grant, other.grant])
    assert [await code_of(shop), await code_of(other, "news")] == ["grant-ended", "grant-ended"]
    assert (await house.signed(OTHER, "GET", waiting)).json["status"] == "refused"
    path = invitation["url"].removeprefix(house.base)
    answer = await house.send("POST", path, {"content-type": "application/json"}, b"{}")
    assert answer.code == "not-found"
    for held in (shop, other):
        assert (await house.own("POST", "/verify", {}))["intact"], held.grant


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"partner": COURIER.did, "permission": "news"},
        {"capability": "no digest"},
        {"capability": "urn:uuid:short"},
        {"permission": "No Name"},
        {"everything": True},
    ],
)
async def test_within_a_grant_one_thing_of_the_right_form_is_named(shop: Held, body: Document) -> None:
    answer = await shop.house.owner("POST", f"/grants/{shop.grant}/revocations", body)
    assert answer.code == "malformed"
    assert await code_of(shop) is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"everything": False},
        {"everything": 1},
        {"everything": True, "vendor": COURIER.did},
        {"vendor": 7},
    ],
)
async def test_nothing_ends_by_half_a_word(shop: Held, body: Document) -> None:
    assert (await shop.house.owner("POST", "/revocations", body)).code == "malformed"
    assert await code_of(shop) is None
